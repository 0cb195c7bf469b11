//! A bounds-checked cursor that always knows where in the stored input it stands.
//!
//! A handshake message may be spread over several records. It is read from its joined bytes, and a
//! table of pieces maps every offset in them back to the input.

use std::ops::Range;

use crate::located::{DecodeError, DecodeErrorKind, Located};

/// From `offset` in the joined bytes on, the input's bytes are those at `stored_at` and after.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Piece {
    pub(crate) offset: usize,
    pub(crate) stored_at: usize,
}

#[derive(Clone, Copy, Debug)]
enum Places<'a> {
    /// All bytes lie together, the first one here.
    Together(usize),
    /// Sorted by offset.
    Pieces(&'a [Piece]),
}

impl Places<'_> {
    fn stored_at(self, offset: usize) -> usize {
        match self {
            Places::Together(base) => base.saturating_add(offset),
            Places::Pieces(pieces) => {
                let after = pieces.partition_point(|piece| piece.offset <= offset);
                let piece = after.checked_sub(1).and_then(|index| pieces.get(index));
                piece.map_or(offset, |piece| piece.stored_at + (offset - piece.offset))
            }
        }
    }
}

/// Reads big-endian integers and length-prefixed vectors (RFC 8446 §3) and never past its end.
#[derive(Clone, Debug)]
pub struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
    end: usize,
    places: Places<'a>,
}

impl<'a> Reader<'a> {
    /// A reader of `bytes`, the first of which stands at offset `base` of the stored input.
    pub fn new(bytes: &'a [u8], base: usize) -> Self {
        Reader { bytes, at: 0, end: bytes.len(), places: Places::Together(base) }
    }

    /// A reader of bytes that were joined from several places of the stored input.
    pub(crate) fn joined(bytes: &'a [u8], pieces: &'a [Piece]) -> Self {
        Reader { bytes, at: 0, end: bytes.len(), places: Places::Pieces(pieces) }
    }

    /// How many bytes are left.
    pub fn remaining(&self) -> usize {
        self.end - self.at
    }

    /// Whether nothing is left.
    pub fn is_empty(&self) -> bool {
        self.remaining() == 0
    }

    /// Where in the stored input the next byte stands.
    pub fn offset(&self) -> usize {
        self.places.stored_at(self.at)
    }

    /// What is left, unread.
    pub fn rest(&self) -> &'a [u8] {
        self.bytes.get(self.at..self.end).unwrap_or_default()
    }

    /// The stored bytes from this reader's position up to where `later` (made of the same bytes) stands.
    pub fn span_until(&self, later: &Reader<'_>) -> Range<usize> {
        self.span(self.at, later.at)
    }

    /// The stored bytes of everything that is left.
    pub fn span_of_rest(&self) -> Range<usize> {
        self.span(self.at, self.end)
    }

    fn span(&self, from: usize, to: usize) -> Range<usize> {
        let start = self.places.stored_at(from);
        if to <= from { start..start } else { start..self.places.stored_at(to - 1) + 1 }
    }

    /// An error about the next byte.
    pub fn error(&self, what: &'static str, kind: DecodeErrorKind) -> DecodeError {
        DecodeError { what, at: self.offset(), kind }
    }

    /// Leaves out the next `length` bytes, or as many as there are.
    pub fn skip(&mut self, length: usize) {
        self.at += length.min(self.remaining());
    }

    /// The next `length` bytes.
    pub fn take(&mut self, length: usize, what: &'static str) -> Result<&'a [u8], DecodeError> {
        Ok(self.sub(length, what)?.rest())
    }

    /// A reader of the next `length` bytes; this one goes on after them.
    pub fn sub(&mut self, length: usize, what: &'static str) -> Result<Reader<'a>, DecodeError> {
        if length > self.remaining() {
            let at = if self.end == 0 { self.offset() } else { self.places.stored_at(self.end - 1) + 1 };
            return Err(DecodeError { what, at, kind: DecodeErrorKind::Truncated { need: length - self.remaining() } });
        }
        let inner = Reader { end: self.at + length, ..self.clone() };
        self.at += length;
        Ok(inner)
    }

    /// One byte.
    pub fn u8(&mut self, what: &'static str) -> Result<u8, DecodeError> {
        Ok(number(self.take(1, what)?) as u8)
    }

    /// Two bytes.
    pub fn u16(&mut self, what: &'static str) -> Result<u16, DecodeError> {
        Ok(number(self.take(2, what)?) as u16)
    }

    /// Three bytes.
    pub fn u24(&mut self, what: &'static str) -> Result<u32, DecodeError> {
        Ok(number(self.take(3, what)?))
    }

    /// Four bytes.
    pub fn u32(&mut self, what: &'static str) -> Result<u32, DecodeError> {
        Ok(number(self.take(4, what)?))
    }

    /// A fixed number of bytes.
    pub fn array<const N: usize>(&mut self, what: &'static str) -> Result<[u8; N], DecodeError> {
        let mut array = [0; N];
        array.copy_from_slice(self.take(N, what)?);
        Ok(array)
    }

    /// A vector with a one-byte length.
    pub fn vector8(&mut self, what: &'static str) -> Result<Reader<'a>, DecodeError> {
        let length = self.u8(what)?;
        self.sub(usize::from(length), what)
    }

    /// A vector with a two-byte length.
    pub fn vector16(&mut self, what: &'static str) -> Result<Reader<'a>, DecodeError> {
        let length = self.u16(what)?;
        self.sub(usize::from(length), what)
    }

    /// A vector with a three-byte length.
    pub fn vector24(&mut self, what: &'static str) -> Result<Reader<'a>, DecodeError> {
        let length = self.u24(what)?;
        self.sub(length as usize, what)
    }

    /// Whatever `read` reads, with the bytes that it took.
    pub fn located<T>(&mut self, read: impl FnOnce(&mut Self) -> Result<T, DecodeError>) -> Result<Located<T>, DecodeError> {
        let before = self.clone();
        let value = read(self)?;
        Ok(Located::new(value, before.span_until(self)))
    }

    /// Reads items, each of at least a byte, until nothing is left.
    pub fn list<T>(mut self, mut item: impl FnMut(&mut Self) -> Result<T, DecodeError>) -> Result<Vec<T>, DecodeError> {
        let mut items = Vec::new();
        while !self.is_empty() {
            items.push(item(&mut self)?);
        }
        Ok(items)
    }

    /// Fails unless everything was read.
    pub fn finish(&self, what: &'static str) -> Result<(), DecodeError> {
        if self.is_empty() { Ok(()) } else { Err(self.error(what, DecodeErrorKind::Trailing)) }
    }
}

fn number(bytes: &[u8]) -> u32 {
    bytes.iter().fold(0, |number, byte| number << 8 | u32::from(*byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_follow_the_pieces() {
        let bytes = [1, 2, 3, 4, 5, 6];
        let pieces =
            [Piece { offset: 0, stored_at: 5 }, Piece { offset: 2, stored_at: 100 }, Piece { offset: 5, stored_at: 200 }];
        let mut reader = Reader::joined(&bytes, &pieces);
        assert_eq!(reader.located(|r| r.u16("a")).unwrap(), Located::new(0x0102, 5..7));
        assert_eq!(reader.located(|r| r.u8("b")).unwrap(), Located::new(3, 100..101));
        assert_eq!(reader.located(|r| r.u24("c")).unwrap(), Located::new(0x040506, 101..201));
        let error = reader.u16("d").unwrap_err();
        assert_eq!(error, DecodeError { what: "d", at: 201, kind: DecodeErrorKind::Truncated { need: 2 } });
    }

    #[test]
    fn a_vector_that_promises_too_much_is_truncated() {
        let mut reader = Reader::new(&[0, 3, 1], 10);
        let error = reader.vector16("list").unwrap_err();
        assert_eq!(error, DecodeError { what: "list", at: 13, kind: DecodeErrorKind::Truncated { need: 2 } });
    }
}
