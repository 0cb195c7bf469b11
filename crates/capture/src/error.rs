//! Why a capture cannot be read, or not to its end.

use std::{fmt, io};

/// Why a capture cannot be read, or not further.
#[derive(Debug)]
pub enum CaptureError {
    /// There is nothing in it.
    Empty,
    /// It is no capture in a format that is read.
    NotACapture {
        /// Its first bytes.
        begins: Vec<u8>,
    },
    /// It is a capture, and damaged; what stands before was read.
    Damaged {
        /// How many bytes were read, the damaged place included.
        at: u64,
        /// What is wrong there.
        what: Damage,
    },
    /// The input failed.
    Read(io::Error),
}

/// What is wrong with a capture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Damage {
    /// It ends within a packet.
    CutOff,
    /// A packet or block says that it has this length, in bytes.
    Length(usize),
    /// This block cannot be read.
    Block(&'static str),
}

impl fmt::Display for CaptureError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            CaptureError::Empty => write!(f, "it is empty"),
            CaptureError::NotACapture { begins } => {
                let compressed = match begins.as_slice() {
                    [0x1f, 0x8b, ..] => Some("gzip"),
                    [0x28, 0xb5, 0x2f, 0xfd, ..] => Some("zstd"),
                    [0xfd, b'7', b'z', b'X', ..] => Some("xz"),
                    _ => None,
                };
                match compressed {
                    Some(program) => write!(f, "it is compressed with {program}"),
                    None => write!(f, "it is neither pcap nor pcapng"),
                }
            }
            CaptureError::Damaged { at, what } => match what {
                Damage::CutOff => write!(f, "it ends within a packet, at byte {at}"),
                Damage::Length(length) => write!(f, "before byte {at} a packet says that it is {length} bytes long"),
                Damage::Block(what) => write!(f, "before byte {at} a block cannot be read ({what})"),
            },
            CaptureError::Read(error) => write!(f, "{error}"),
        }
    }
}

impl std::error::Error for CaptureError {}
