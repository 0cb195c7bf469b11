//! The file: pcap and pcapng, frame by frame, from anything that can be read.
//!
//! A block says its length before its content, so exactly one is in memory at a time, never more than [`MAX_BLOCK`] bytes.
//! A capture that ends within a packet, as one does that is still being written, is read up to there.

use std::io::{self, ErrorKind, Read};

use pcap_parser::pcapng::{Block, parse_block_be, parse_block_le};
use pcap_parser::traits::PcapNGPacketBlock;
use pcap_parser::{PcapHeader, parse_pcap_header};

use crate::error::{CaptureError, Damage};
use crate::link::LinkType;

/// The longest block or packet that is read, in bytes.
pub const MAX_BLOCK: usize = 16 << 20;

/// The most interfaces of one section.
const MAX_INTERFACES: usize = 4096;

/// One captured frame.
#[derive(Clone, Copy, Debug)]
pub struct Frame<'a> {
    /// When, in nanoseconds since 1970. A simple packet of pcapng has no time: it gets that of the frame before it.
    pub at: u64,
    /// What the bytes begin with.
    pub link: LinkType,
    /// The bytes, as far as they were captured.
    pub bytes: &'a [u8],
}

/// The frames of a capture.
pub struct Frames<R> {
    input: Counted<R>,
    format: Format,
    buffer: Vec<u8>,
    /// Time of the last frame.
    at: u64,
}

enum Format {
    Pcap {
        big_endian: bool,
        /// Nanoseconds of one unit of the fraction of a second.
        unit: u64,
        /// Length of the header of a record, in bytes.
        header: usize,
        link: LinkType,
    },
    PcapNg {
        big_endian: bool,
        interfaces: Vec<Interface>,
    },
}

#[derive(Clone, Copy)]
struct Interface {
    link: LinkType,
    snap_length: u32,
    /// Units of time in a second.
    units: u64,
    /// Seconds to add.
    offset: i64,
}

impl<R: Read> Frames<R> {
    /// Reads the beginning, which says what it is.
    pub fn open(input: R) -> Result<Frames<R>, CaptureError> {
        let mut input = Counted { input, read: 0 };
        let mut buffer = vec![0; 4];
        let there = input.fill(&mut buffer)?;
        let format = match buffer.get(..there).unwrap_or_default() {
            [] => return Err(CaptureError::Empty),
            [0x0a, 0x0d, 0x0d, 0x0a] => Format::PcapNg { big_endian: false, interfaces: Vec::new() },
            magic @ ([0xd4 | 0x4d, 0xc3 | 0x3c, 0xb2, 0xa1]
            | [0xa1, 0xb2, 0xc3 | 0x3c, 0xd4 | 0x4d]
            | [0x34, 0xcd, 0xb2, 0xa1]) => {
                let mut header = magic.to_vec();
                header.resize(24, 0);
                if input.fill(header.get_mut(4..).unwrap_or_default())? < 20 {
                    return Err(CaptureError::NotACapture { begins: header });
                }
                let Ok((_, header)) = parse_pcap_header(&header) else {
                    return Err(CaptureError::NotACapture { begins: header });
                };
                pcap(&header)
            }
            begins => return Err(CaptureError::NotACapture { begins: begins.to_vec() }),
        };
        // pcapng begins with a block, the type of which has been read.
        if !matches!(format, Format::PcapNg { .. }) {
            buffer.clear();
        }
        Ok(Frames { input, format, buffer, at: 0 })
    }

    /// The next frame; `None` at the end.
    pub fn frame(&mut self) -> Result<Option<Frame<'_>>, CaptureError> {
        match &self.format {
            Format::Pcap { big_endian, unit, header, link } => {
                let (big_endian, unit, header, link) = (*big_endian, *unit, *header, *link);
                self.buffer.resize(header, 0);
                match self.input.fill(&mut self.buffer)? {
                    0 => return Ok(None),
                    there if there < header => return Err(self.input.damage(Damage::CutOff)),
                    _ => {}
                }
                let field = |at: usize| word(&self.buffer, at, big_endian);
                let (seconds, fraction, length) = (field(0), field(4), field(8) as usize);
                if length > MAX_BLOCK {
                    return Err(self.input.damage(Damage::Length(length)));
                }
                self.buffer.resize(length, 0);
                if self.input.fill(&mut self.buffer)? < length {
                    return Err(self.input.damage(Damage::CutOff));
                }
                let at = u64::from(seconds) * 1_000_000_000 + u64::from(fraction) * unit;
                Ok(Some(Frame { at, link, bytes: &self.buffer }))
            }
            Format::PcapNg { .. } => self.next_packet_block(),
        }
    }

    fn next_packet_block(&mut self) -> Result<Option<Frame<'_>>, CaptureError> {
        let found = loop {
            if !self.read_block()? {
                return Ok(None);
            }
            if let Some(found) = self.take_block()? {
                break found;
            }
        };
        self.at = found.at.unwrap_or(self.at);
        let bytes = self.buffer.get(found.bytes).unwrap_or_default();
        Ok(Some(Frame { at: self.at, link: found.link, bytes }))
    }

    /// Reads one block into the buffer; its type may be there already. `false` at the end.
    fn read_block(&mut self) -> Result<bool, CaptureError> {
        let Format::PcapNg { big_endian, .. } = &mut self.format else { return Ok(false) };
        let known = if self.buffer.len() == 4 { 4 } else { 0 };
        self.buffer.resize(12, 0);
        match self.input.fill(self.buffer.get_mut(known..).unwrap_or_default())? {
            0 if known == 0 => return Ok(false),
            there if there + known < 12 => return Err(self.input.damage(Damage::CutOff)),
            _ => {}
        }
        // A section header says in which byte order its section is written; its type reads the same in both.
        if self.buffer.starts_with(&[0x0a, 0x0d, 0x0d, 0x0a]) {
            *big_endian = match self.buffer.get(8..12) {
                Some([0x1a, 0x2b, 0x3c, 0x4d]) => true,
                Some([0x4d, 0x3c, 0x2b, 0x1a]) => false,
                _ => return Err(self.input.damage(Damage::Block("section header"))),
            };
        }
        let length = word(&self.buffer, 4, *big_endian) as usize;
        if !(12..=MAX_BLOCK).contains(&length) || !length.is_multiple_of(4) {
            return Err(self.input.damage(Damage::Length(length)));
        }
        self.buffer.resize(length, 0);
        let rest = self.buffer.get_mut(12..).unwrap_or_default();
        let wanted = rest.len();
        if self.input.fill(rest)? < wanted {
            return Err(self.input.damage(Damage::CutOff));
        }
        Ok(true)
    }

    /// Understands the block in the buffer; gives the frame that it holds.
    fn take_block(&mut self) -> Result<Option<Found>, CaptureError> {
        let Format::PcapNg { big_endian, interfaces } = &mut self.format else { return Ok(None) };
        let big_endian = *big_endian;
        let parsed = if big_endian { parse_block_be(&self.buffer) } else { parse_block_le(&self.buffer) };
        let Ok((_, block)) = parsed else {
            return Err(self.input.damage(Damage::Block("block")));
        };
        Ok(match block {
            Block::SectionHeader(_) => {
                interfaces.clear();
                None
            }
            Block::InterfaceDescription(description) => {
                if interfaces.len() == MAX_INTERFACES {
                    return Err(self.input.damage(Damage::Block("interface description: too many")));
                }
                // The parser reads this option in one byte order alone.
                let offset = description.if_tsoffset;
                interfaces.push(Interface {
                    link: LinkType(u32::from(description.linktype.0.unsigned_abs() as u16)),
                    snap_length: description.snaplen,
                    units: units(description.if_tsresol),
                    offset: if big_endian { offset.swap_bytes() } else { offset },
                });
                None
            }
            Block::EnhancedPacket(packet) => interfaces.get(packet.if_id as usize).map(|interface| {
                let units = u64::from(packet.ts_high) << 32 | u64::from(packet.ts_low);
                Found { at: Some(interface.nanoseconds(units)), link: interface.link, bytes: within(28, packet.packet_data()) }
            }),
            Block::SimplePacket(packet) => interfaces.first().map(|interface| {
                let captured = match interface.snap_length {
                    0 => packet.packet_data().len(),
                    snap_length => packet.packet_data().len().min(snap_length as usize),
                };
                Found { at: None, link: interface.link, bytes: 12..12 + captured }
            }),
            _ => None,
        })
    }
}

/// A frame in the buffer.
struct Found {
    at: Option<u64>,
    link: LinkType,
    bytes: std::ops::Range<usize>,
}

/// The place of a block's packet, which begins at `start`.
fn within(start: usize, packet: &[u8]) -> std::ops::Range<usize> {
    start..start + packet.len()
}

impl Interface {
    fn nanoseconds(&self, units: u64) -> u64 {
        let nanoseconds = u128::from(units) * 1_000_000_000 / u128::from(self.units);
        let offset = i128::from(self.offset) * 1_000_000_000;
        u64::try_from(i128::try_from(nanoseconds).unwrap_or(i128::MAX).saturating_add(offset).max(0)).unwrap_or(u64::MAX)
    }
}

/// `if_tsresol`: a negative power of 10, or of 2 where the highest bit is set.
fn units(resolution: u8) -> u64 {
    let exponent = u32::from(resolution & 0x7f);
    let base: u64 = if resolution & 0x80 == 0 { 10 } else { 2 };
    base.checked_pow(exponent).unwrap_or(u64::MAX)
}

fn pcap(header: &PcapHeader) -> Format {
    Format::Pcap {
        big_endian: header.is_bigendian(),
        unit: if header.is_nanosecond_precision() { 1 } else { 1000 },
        header: if header.is_modified_format() { 24 } else { 16 },
        // The upper bits say how long a frame check sequence is.
        link: LinkType(header.network.0.cast_unsigned() & 0xffff),
    }
}

fn word(bytes: &[u8], at: usize, big_endian: bool) -> u32 {
    let word = bytes.get(at..).and_then(|rest| rest.first_chunk::<4>()).copied().unwrap_or_default();
    if big_endian { u32::from_be_bytes(word) } else { u32::from_le_bytes(word) }
}

/// An input that knows how much of it was read.
struct Counted<R> {
    input: R,
    read: u64,
}

impl<R: Read> Counted<R> {
    /// Reads until `buffer` is full or the input ends; how much came.
    fn fill(&mut self, buffer: &mut [u8]) -> Result<usize, CaptureError> {
        let mut there = 0;
        while let Some(room) = buffer.get_mut(there..).filter(|room| !room.is_empty()) {
            match self.input.read(room) {
                Ok(0) => break,
                Ok(came) => there += came,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(CaptureError::Read(error)),
            }
        }
        self.read += there as u64;
        Ok(there)
    }

    fn damage(&self, what: Damage) -> CaptureError {
        CaptureError::Damaged { at: self.read, what }
    }
}

impl From<io::Error> for CaptureError {
    fn from(error: io::Error) -> CaptureError {
        CaptureError::Read(error)
    }
}
