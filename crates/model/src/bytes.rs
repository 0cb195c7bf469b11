use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

/// Raw bytes, lower-case hexadecimal in JSON.
#[derive(Clone, PartialEq, Eq, Default, Hash)]
pub struct Bytes(pub Vec<u8>);

impl Bytes {
    /// The bytes as lower-case hexadecimal.
    pub fn to_hex(&self) -> String {
        hex(&self.0)
    }

    /// Reads lower- or upper-case hexadecimal; `None` if it is not that.
    pub fn from_hex(text: &str) -> Option<Bytes> {
        let digits = text.as_bytes();
        if !digits.len().is_multiple_of(2) {
            return None;
        }
        let nibble = |c: u8| (c as char).to_digit(16);
        digits
            .chunks_exact(2)
            .map(|pair| match pair {
                [high, low] => Some((nibble(*high)? * 16 + nibble(*low)?) as u8),
                _ => None,
            })
            .collect::<Option<Vec<u8>>>()
            .map(Bytes)
    }
}

/// Lower-case hexadecimal of `bytes`.
fn hex(bytes: &[u8]) -> String {
    use fmt::Write as _;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

impl fmt::Debug for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.to_hex())
    }
}

impl From<Vec<u8>> for Bytes {
    fn from(bytes: Vec<u8>) -> Self {
        Bytes(bytes)
    }
}

impl std::ops::Deref for Bytes {
    type Target = [u8];
    fn deref(&self) -> &[u8] {
        &self.0
    }
}

impl Serialize for Bytes {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.to_hex())
    }
}

impl<'de> Deserialize<'de> for Bytes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Bytes::from_hex(&text).ok_or_else(|| D::Error::custom("bytes must be hexadecimal"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hex_round_trips_and_refuses_what_is_not_hex() {
        let bytes = Bytes(vec![0, 0x0f, 0xa0, 0xff]);
        assert_eq!(bytes.to_hex(), "000fa0ff");
        assert_eq!(Bytes::from_hex("000FA0ff"), Some(bytes));
        assert_eq!(Bytes::from_hex("0"), None);
        assert_eq!(Bytes::from_hex("zz"), None);
        assert_eq!(Bytes::from_hex("é"), None);
    }
}
