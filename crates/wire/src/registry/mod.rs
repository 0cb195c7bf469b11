//! The numbers of TLS and their names, one row a value.
//!
//! Every kind of number is a newtype over what travels on the wire, so a value without a row (GREASE, a private number, a future
//! one) survives parsing, printing and parsing again. The names are those of IANA's registries, or the best known ones where a
//! number was never registered.

use std::cmp::Ordering;
use std::fmt;
use std::sync::OnceLock;

mod alert;
mod cipher_suite;
mod extension;
mod group;
mod message;
mod signature_scheme;
mod sslv2;
mod version;

pub use alert::{AlertDescription, AlertLevel};
pub use cipher_suite::{Authentication, CipherMode, CipherSuite, Encryption, Hash, KeyExchange, Mac, SuiteDetails};
pub use extension::ExtensionType;
pub use group::NamedGroup;
pub use message::{ContentType, HandshakeType};
pub use signature_scheme::SignatureScheme;
pub use sslv2::Sslv2CipherKind;
pub use version::ProtocolVersion;

/// A text that is neither a name of the registry nor a number in hex; holds the text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownName(pub String);

impl fmt::Display for UnknownName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "unknown name {:?}", self.0)
    }
}

impl std::error::Error for UnknownName {}

/// What a registry knows about one number.
#[derive(Debug)]
pub(crate) struct Row {
    pub(crate) code: u32,
    pub(crate) name: &'static str,
    /// Other spellings that are understood, but never printed.
    pub(crate) aliases: &'static [&'static str],
    pub(crate) reference: &'static str,
}

/// A registry: rows strictly ascending by code, and the index by name that the first parse builds.
pub(crate) struct Table {
    pub(crate) rows: &'static [Row],
    by_name: OnceLock<Vec<(&'static str, u32)>>,
}

impl Table {
    pub(crate) const fn new(rows: &'static [Row]) -> Self {
        let mut i = 1;
        while i < rows.len() {
            assert!(rows[i - 1].code < rows[i].code, "registry rows must ascend by code");
            i += 1;
        }
        Table { rows, by_name: OnceLock::new() }
    }

    pub(crate) fn row(&self, code: u32) -> Option<&'static Row> {
        let i = self.rows.binary_search_by_key(&code, |row| row.code).ok()?;
        self.rows.get(i)
    }

    /// The code of a name (letter case does not matter) or of a number in hex not above `max`.
    pub(crate) fn parse(&self, text: &str, max: u32) -> Result<u32, UnknownName> {
        let by_name = self.by_name.get_or_init(|| {
            let names = |row: &'static Row| std::iter::once(&row.name).chain(row.aliases).map(|name| (*name, row.code));
            let mut index: Vec<_> = self.rows.iter().flat_map(names).collect();
            index.sort_by(|a, b| ignoring_case(a.0, b.0));
            index
        });
        let named = by_name.binary_search_by(|entry| ignoring_case(entry.0, text)).ok();
        named
            .and_then(|i| by_name.get(i))
            .map(|entry| entry.1)
            .or_else(|| hex(text).filter(|code| *code <= max))
            .ok_or_else(|| UnknownName(text.to_owned()))
    }
}

fn ignoring_case(a: &str, b: &str) -> Ordering {
    a.bytes().map(|b| b.to_ascii_lowercase()).cmp(b.bytes().map(|b| b.to_ascii_lowercase()))
}

fn hex(text: &str) -> Option<u32> {
    let digits = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X"))?;
    // from_str_radix alone would also take a sign.
    if !digits.bytes().all(|b| b.is_ascii_hexdigit()) {
        return None;
    }
    u32::from_str_radix(digits, 16).ok()
}

/// Defines a newtype over a wire number and its registry: a constant a row, names, parsing, printing and serde.
///
/// The bits tell how wide the number is on the wire. A row is `CONST = code, "name" => "alias" …, "reference";`.
macro_rules! registry {
    (
        $(#[$meta:meta])*
        $type:ident($number:ident), $bits:literal bits;
        $( $constant:ident = $code:literal, $name:expr $(=> $alias:literal)*, $reference:literal; )*
    ) => {
        $(#[$meta])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $type(pub $number);

        impl $type {
            $(
                #[doc = concat!("`", $name, "`: ", $reference, ".")]
                pub const $constant: $type = $type($code);
            )*

            fn table() -> &'static $crate::registry::Table {
                static TABLE: $crate::registry::Table = $crate::registry::Table::new(&[ $(
                    $crate::registry::Row { code: $code, name: $name, aliases: &[$($alias),*], reference: $reference },
                )* ]);
                &TABLE
            }

            /// The name in the registry, where the number has one.
            pub fn name(self) -> Option<&'static str> {
                Self::table().row(u32::from(self.0)).map(|row| row.name)
            }

            /// The document that defines the number, where it is known.
            pub fn reference(self) -> Option<&'static str> {
                Self::table().row(u32::from(self.0)).map(|row| row.reference)
            }

            /// Every number that has a name, ascending.
            pub fn all() -> impl Iterator<Item = Self> {
                Self::table().rows.iter().map(|row| $type(row.code as $number))
            }
        }

        impl std::fmt::Display for $type {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                match self.name() {
                    Some(name) => f.pad(name),
                    None => f.pad(&format!("0x{:01$x}", self.0, $bits / 4)),
                }
            }
        }

        impl std::fmt::Debug for $type {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                std::fmt::Display::fmt(self, f)
            }
        }

        impl std::str::FromStr for $type {
            type Err = $crate::registry::UnknownName;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                Self::table().parse(text, u32::MAX >> (32 - $bits)).map(|code| $type(code as $number))
            }
        }

        #[cfg(feature = "serde")]
        impl serde::Serialize for $type {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        #[cfg(feature = "serde")]
        impl<'de> serde::Deserialize<'de> for $type {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = <String as serde::Deserialize>::deserialize(deserializer)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }

        $crate::registry::grease!($type, $number);
    };
}

/// GREASE (RFC 8701) has values only in the registries of 16-bit numbers.
macro_rules! grease {
    ($type:ident, u16) => {
        impl $type {
            /// Is it one of the sixteen values `0x0a0a`, `0x1a1a` … `0xfafa` that clients send to keep servers tolerant (RFC 8701)?
            pub fn is_grease(self) -> bool {
                self.0 & 0x0f0f == 0x0a0a && self.0 >> 8 == self.0 & 0xff
            }
        }
    };
    ($type:ident, $number:ident) => {};
}

pub(crate) use {grease, registry};
