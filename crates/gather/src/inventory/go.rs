//! What a program built with Go says that it was built from, as the package `debug/buildinfo` of Go reads it.

use std::fs::File;
use std::io::{Read as _, Seek as _, SeekFrom};
use std::path::Path;

use super::elf::Elf;

/// What the section begins with, and the length of its header in bytes.
const MAGIC: &[u8] = b"\xff Go buildinf:";
const HEADER: usize = 32;
/// Where in the header the size of a pointer and the flags stand; the flag of strings that follow at once (since Go 1.18).
const POINTER_SIZE: usize = 14;
const FLAGS: usize = 15;
const INLINE: u8 = 2;
/// The most that is read of one string, in bytes.
const MOST: u64 = 64 << 10;
/// The module information stands between two marks of this length.
const MARK: usize = 16;

/// What a program was built from.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Build {
    /// The release of Go: `1.22.4`.
    pub(super) go: String,
    /// The main module with its version, where it has one.
    pub(super) module: Option<(String, String)>,
}

/// Reads it; `None` where it is not there or damaged.
pub(super) fn build(path: &Path, elf: &Elf) -> Option<Build> {
    let (start, length) = elf.go_build?;
    let mut file = File::open(path).ok()?;
    let section = part(&mut file, start, length)?;
    if !section.starts_with(MAGIC) {
        return None;
    }
    let (release, modules) = if section.get(FLAGS)? & INLINE != 0 {
        let (release, rest) = text(section.get(HEADER..)?)?;
        (release, text(rest).map(|(modules, _)| modules).unwrap_or_default())
    } else {
        let size = usize::from(*section.get(POINTER_SIZE)?);
        let pointer = |number: usize| number_at(&section, 16 + number * size, size, elf.is_little);
        (string_at(&mut file, elf, pointer(0)?, size)?, string_at(&mut file, elf, pointer(1)?, size).unwrap_or_default())
    };
    let go = String::from_utf8_lossy(&release).trim_start_matches("go").split_whitespace().next()?.to_owned();
    let modules = modules.get(MARK..).unwrap_or_default();
    let modules = String::from_utf8_lossy(modules);
    let module = modules.lines().find_map(|line| {
        let mut words = line.strip_prefix("mod\t")?.split('\t');
        Some((words.next()?.to_owned(), words.next()?.to_owned()))
    });
    Some(Build { go, module })
}

/// A string with its length before it, and what follows (encoding/binary's Uvarint).
fn text(bytes: &[u8]) -> Option<(Vec<u8>, &[u8])> {
    let (mut length, mut shift) = (0usize, 0u32);
    for (index, byte) in bytes.iter().enumerate().take(5) {
        length |= usize::from(byte & 0x7f) << shift;
        shift += 7;
        if byte & 0x80 == 0 {
            let start = index + 1;
            let end = start.checked_add(length)?;
            return Some((bytes.get(start..end)?.to_vec(), bytes.get(end..)?));
        }
    }
    None
}

/// The string whose header, an address and a length, lies at this address.
fn string_at(file: &mut File, elf: &Elf, address: u64, size: usize) -> Option<Vec<u8>> {
    let header = memory(file, elf, address, 2 * size as u64)?;
    let (at, length) = (number_at(&header, 0, size, elf.is_little)?, number_at(&header, size, size, elf.is_little)?);
    memory(file, elf, at, length.min(MOST))
}

/// What the program would have at this address of its memory.
fn memory(file: &mut File, elf: &Elf, address: u64, length: u64) -> Option<Vec<u8>> {
    let holds = |(start, (_, size)): &&(u64, (u64, u64))| address >= *start && address - *start < *size;
    let (start, (offset, size)) = elf.segments.iter().find(holds)?;
    let within = address - start;
    (length <= size - within).then(|| part(file, offset.checked_add(within)?, length)).flatten()
}

fn part(file: &mut File, start: u64, length: u64) -> Option<Vec<u8>> {
    file.seek(SeekFrom::Start(start)).ok()?;
    let mut bytes = Vec::new();
    file.take(length.min(2 * MOST)).read_to_end(&mut bytes).ok()?;
    Some(bytes)
}

fn number_at(bytes: &[u8], at: usize, size: usize, is_little: bool) -> Option<u64> {
    let bytes = bytes.get(at..at.checked_add(size)?)?;
    let fold = |number: u64, byte: &u8| (number << 8) | u64::from(*byte);
    match size {
        4 | 8 if is_little => Some(bytes.iter().rev().fold(0, fold)),
        4 | 8 => Some(bytes.iter().fold(0, fold)),
        _ => None,
    }
}
