//! TLS bytes to messages and back: tolerant, with offsets, no I/O.

#[cfg(feature = "serde")]
mod hex;
pub mod dialogue;
pub mod hello;
pub mod located;
pub mod other;
pub mod reader;
pub mod registry;
pub mod sslv2;
pub mod tunnel;
pub mod upgrade;

pub use hello::{EncodeError, EncodedHello, ExtensionSpec, Fragment, HelloFormat, HelloSpec, KeyMaterial};
pub use located::{DecodeError, DecodeErrorKind, Located};
pub use reader::Reader;
pub use registry::*;
