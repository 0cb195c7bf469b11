//! The records of one direction, by their headers alone: enough to know when a handshake is decided, and, where all else is
//! encrypted, the only thing to go by.

use tlswhy_wire::record::{HEADER_LENGTH, MAX_PAYLOAD};
use tlswhy_wire::{ContentType, ProtocolVersion};

/// How many records are remembered; a handshake has a dozen.
const MAX_SEEN: usize = 256;

/// A record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct SeenRecord {
    pub(crate) content_type: ContentType,
    /// Length of its payload in bytes.
    pub(crate) length: u16,
    /// When its header was there, in nanoseconds since 1970.
    pub(crate) at: u64,
}

/// Where the records of one direction stand.
#[derive(Debug, Default)]
pub(crate) struct Walk {
    header: Vec<u8>,
    /// Bytes of the current record that are still to come.
    left: u64,
    pub(crate) records: Vec<SeenRecord>,
    /// How many bytes were fed.
    pub(crate) fed: u64,
    /// What stood where a record should begin was none.
    pub(crate) broken: bool,
}

impl Walk {
    /// A walk that begins behind something of this length in bytes that is no record.
    pub(crate) fn behind(length: u64) -> Walk {
        Walk { left: length, ..Walk::default() }
    }

    /// Takes the next bytes.
    pub(crate) fn feed(&mut self, mut bytes: &[u8], at: u64) {
        self.fed += bytes.len() as u64;
        while !bytes.is_empty() && !self.broken {
            let skipped = usize::try_from(self.left).unwrap_or(usize::MAX).min(bytes.len());
            self.left -= skipped as u64;
            bytes = bytes.get(skipped..).unwrap_or_default();
            let wanted = HEADER_LENGTH.saturating_sub(self.header.len()).min(bytes.len());
            let (header, rest) = bytes.split_at(wanted);
            self.header.extend(header);
            bytes = rest;
            if let [content_type, major, minor, high, low] = *self.header.as_slice() {
                let length = u16::from_be_bytes([high, low]);
                let content_type = ContentType(content_type);
                let known = (ContentType::CHANGE_CIPHER_SPEC..=ContentType::HEARTBEAT).contains(&content_type);
                let version = ProtocolVersion(u16::from_be_bytes([major, minor]));
                if !known || version.0 >> 8 != 3 || usize::from(length) > MAX_PAYLOAD {
                    self.broken = true;
                    return;
                }
                if self.records.len() < MAX_SEEN {
                    self.records.push(SeenRecord { content_type, length, at });
                }
                self.left = u64::from(length);
                self.header.clear();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_are_found_in_any_pieces() {
        let stream = [&[22, 3, 1, 0, 3, 1, 2, 3][..], &[20, 3, 3, 0, 1, 1], &[23, 3, 3, 0, 0]].concat();
        for size in 1..=stream.len() {
            let mut walk = Walk::default();
            for piece in stream.chunks(size) {
                walk.feed(piece, 1);
            }
            let seen: Vec<_> = walk.records.iter().map(|record| (record.content_type.0, record.length)).collect();
            assert_eq!(seen, [(22, 3), (20, 1), (23, 0)]);
            assert!(!walk.broken && walk.left == 0 && walk.header.is_empty());
        }
        let mut walk = Walk::default();
        walk.feed(b"HTTP/1.1 400", 1);
        assert!(walk.broken && walk.records.is_empty());
    }
}
