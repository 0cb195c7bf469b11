//! Bytes as lower-case hex in serialised documents.

use std::fmt;

use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

struct Hex(Vec<u8>);

impl fmt::Display for Hex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl Serialize for Hex {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Hex {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let digits: Option<Vec<u8>> = text.chars().map(|digit| digit.to_digit(16).map(|digit| digit as u8)).collect();
        match digits {
            Some(digits) if digits.len() % 2 == 0 => {
                Ok(Hex(digits.chunks(2).map(|pair| pair.iter().fold(0, |byte, digit| byte << 4 | digit)).collect()))
            }
            _ => Err(D::Error::custom("expected an even number of hex digits")),
        }
    }
}

pub(crate) fn serialize<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
    Hex(bytes.to_vec()).serialize(serializer)
}

pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u8>, D::Error> {
    Ok(Hex::deserialize(deserializer)?.0)
}

/// Arrays of fixed length.
pub(crate) mod array {
    use super::*;

    pub(crate) fn serialize<S: Serializer, const N: usize>(bytes: &[u8; N], serializer: S) -> Result<S::Ok, S::Error> {
        super::serialize(bytes, serializer)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>, const N: usize>(deserializer: D) -> Result<[u8; N], D::Error> {
        let bytes = super::deserialize(deserializer)?;
        bytes.try_into().map_err(|_| D::Error::custom(format_args!("expected {N} bytes in hex")))
    }
}

/// Public keys by group.
pub(crate) mod shares {
    use super::*;
    use crate::registry::NamedGroup;

    pub(crate) fn serialize<S: Serializer>(shares: &[(NamedGroup, Vec<u8>)], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(shares.iter().map(|(group, key)| (group, Hex(key.clone()))))
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<(NamedGroup, Vec<u8>)>, D::Error> {
        let shares = Vec::<(NamedGroup, Hex)>::deserialize(deserializer)?;
        Ok(shares.into_iter().map(|(group, Hex(key))| (group, key)).collect())
    }
}
