//! TLS records (RFC 8446 §5.1).

use crate::located::{DecodeError, DecodeErrorKind, Located};
use crate::reader::{Piece, Reader};
use crate::registry::{ContentType, ProtocolVersion};

/// The most that a record may carry: 2^14 bytes and what compression and encryption add (RFC 5246 §6.2.3).
pub const MAX_PAYLOAD: usize = (1 << 14) + 2048;

/// Length of a record header in bytes.
pub const HEADER_LENGTH: usize = 5;

/// What stands in front of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RecordHeader {
    /// What the record carries.
    pub content_type: ContentType,
    /// `legacy_record_version`.
    pub version: ProtocolVersion,
    /// Length of the payload in bytes, as the header says.
    pub length: u16,
}

/// A record, as far as it is there.
pub(crate) struct Record<'a> {
    /// The span covers header and payload, as far as it is there.
    pub(crate) header: Located<RecordHeader>,
    pub(crate) payload: Reader<'a>,
    /// Set if the payload is shorter than the header says.
    pub(crate) truncated: Option<DecodeError>,
}

/// The next record. Fails if what stands there is no record header.
pub(crate) fn read<'a>(input: &mut Reader<'a>) -> Result<Record<'a>, DecodeError> {
    let before = input.clone();
    let invalid = |what| before.error(what, DecodeErrorKind::Invalid);
    let content_type = ContentType(input.u8("record.type")?);
    if !(ContentType::CHANGE_CIPHER_SPEC..=ContentType::HEARTBEAT).contains(&content_type) {
        return Err(invalid("record.type"));
    }
    let version = ProtocolVersion(input.u16("record.legacy_record_version")?);
    if version.0 >> 8 != 3 {
        return Err(invalid("record.legacy_record_version"));
    }
    let length = input.u16("record.length")?;
    if usize::from(length) > MAX_PAYLOAD {
        return Err(before.error("record.length", DecodeErrorKind::TooLong { limit: MAX_PAYLOAD }));
    }
    let there = usize::from(length).min(input.remaining());
    let truncated = input.clone().sub(usize::from(length), "record").err();
    let payload = input.sub(there, "record")?;
    let header = Located::new(RecordHeader { content_type, version, length }, before.span_until(input));
    Ok(Record { header, payload, truncated })
}

/// The payloads of records of one kind, joined: messages do not respect record borders.
#[derive(Default)]
pub(crate) struct Joined {
    bytes: Vec<u8>,
    pieces: Vec<Piece>,
    /// How many bytes were read.
    read: usize,
}

impl Joined {
    pub(crate) fn push(&mut self, payload: &Reader<'_>) {
        self.pieces.push(Piece { offset: self.bytes.len(), stored_at: payload.offset() });
        self.bytes.extend(payload.rest());
    }

    /// A reader of what was not read yet.
    pub(crate) fn unread(&self) -> Reader<'_> {
        let mut reader = Reader::joined(&self.bytes, &self.pieces);
        reader.skip(self.read);
        reader
    }

    /// Marks `length` more bytes as read.
    pub(crate) fn advance(&mut self, length: usize) {
        self.read = self.read.saturating_add(length).min(self.bytes.len());
    }
}
