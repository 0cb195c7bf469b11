//! SSLv2.

/// The message type of CLIENT-HELLO.
pub(crate) const CLIENT_HELLO: u8 = 1;
/// The most bytes in a record with a two-byte header.
pub(crate) const MAX_RECORD: usize = 0x7fff;
