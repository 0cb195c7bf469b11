//! A value together with the bytes that it was read from.

use std::fmt;
use std::ops::{Deref, Range};

/// A value and where it stood: `span` is half-open, 0-based, in bytes of the stored input.
///
/// When a value was spread over several records, the span runs from its first to its last byte and
/// so covers the record headers between them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Located<T> {
    /// What was read.
    pub value: T,
    /// The bytes of the stored input that it was read from.
    pub span: Range<usize>,
}

impl<T> Located<T> {
    /// `value`, read from the bytes `span` of the stored input.
    pub fn new(value: T, span: Range<usize>) -> Self {
        Located { value, span }
    }

    /// The same place with another value.
    pub fn map<U>(self, change: impl FnOnce(T) -> U) -> Located<U> {
        Located { value: change(self.value), span: self.span }
    }

    /// The same place, the value borrowed.
    pub fn as_ref(&self) -> Located<&T> {
        Located { value: &self.value, span: self.span.clone() }
    }
}

impl<T> Deref for Located<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}

/// Why bytes could not be read, and where.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DecodeError {
    /// The field that was being read, in the words of the RFC: `ServerHello.cipher_suite`.
    pub what: &'static str,
    /// Offset of the trouble in the stored input; of what is truncated, where its bytes end.
    pub at: usize,
    /// What was wrong there.
    pub kind: DecodeErrorKind,
}

/// The ways in which bytes can fail to be what they should.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DecodeErrorKind {
    /// The input ends `need` bytes too early.
    Truncated {
        /// How many bytes are missing, at least.
        need: usize,
    },
    /// The bytes are there and cannot mean this.
    Invalid,
    /// Bytes are left over after the last field.
    Trailing,
    /// Longer (or more) than is read.
    TooLong {
        /// The most that is read, in bytes or, for records, in number.
        limit: usize,
    },
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let DecodeError { what, at, kind } = self;
        match kind {
            DecodeErrorKind::Truncated { need } => {
                write!(f, "{what} ends {need} bytes too early, at offset {at}")
            }
            DecodeErrorKind::Invalid => write!(f, "{what} is not valid at offset {at}"),
            DecodeErrorKind::Trailing => {
                write!(f, "bytes are left over after {what} at offset {at}")
            }
            DecodeErrorKind::TooLong { limit } => {
                write!(f, "{what} is over the limit of {limit} at offset {at}")
            }
        }
    }
}

impl std::error::Error for DecodeError {}
