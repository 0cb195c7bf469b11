//! TLS bytes to messages and back: tolerant, with offsets, no I/O.
//!
//! Out: [`HelloSpec`] says what a ClientHello contains and encodes it. In: [`Transcript`] reads what
//! a server answered, [`ClientHello`] what a client sent; both read as far as they can, say where
//! they stopped, and give every value with the bytes that it came from ([`Located`]: half-open,
//! 0-based offsets into the input). Integers on the wire are big-endian. Nothing here does I/O,
//! keeps time or makes random numbers, and no input makes it panic.

pub mod certificate;
pub mod client_hello;
pub mod dialogue;
pub mod fingerprint;
pub mod handshake;
pub mod hello;
#[cfg(feature = "serde")]
mod hex;
pub mod key_exchange;
pub mod located;
pub mod other;
pub mod reader;
pub mod record;
pub mod registry;
pub mod server_hello;
pub mod sslv2;
pub mod transcript;
pub mod tunnel;
pub mod upgrade;

pub use certificate::{CertificateList, CertificateRequest, CertificateStatus, CertificateVerify};
pub use client_hello::ClientHello;
pub use fingerprint::Ja4;
pub use handshake::{Message, NewSessionTicket};
pub use hello::{EncodeError, EncodedHello, ExtensionSpec, Fragment, HelloFormat, HelloSpec, KeyMaterial};
pub use key_exchange::{KeyExchangeParams, ServerKeyExchange};
pub use located::{DecodeError, DecodeErrorKind, Located};
pub use reader::Reader;
pub use record::RecordHeader;
pub use registry::*;
pub use server_hello::{EncryptedExtensions, Extension, ServerHello};
pub use sslv2::{Sslv2Message, Sslv2ServerHello};
pub use transcript::{Alert, Transcript};
