//! Files with certificates and keys, read whole and within bounds.

use std::fs::File;
use std::io::{self, ErrorKind, Read};
use std::path::Path;

/// The largest file that is read, in bytes; the usual bundles of trust anchors have a quarter of a megabyte.
const LARGEST_FILE: u64 = 32 * 1024 * 1024;

/// Reads a file.
pub(crate) fn read(path: &Path) -> io::Result<Vec<u8>> {
    read_whole(File::open(path)?)
}

/// Reads a file, or standard input if it is `-`.
pub(crate) fn read_or_input(path: &Path) -> io::Result<Vec<u8>> {
    if path == Path::new("-") { read_whole(io::stdin().lock()) } else { read(path) }
}

fn read_whole(source: impl Read) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    source.take(LARGEST_FILE + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > LARGEST_FILE {
        return Err(invalid("it is too large for a list of certificates"));
    }
    Ok(bytes)
}

/// The error of a file that is not what it ought to be.
pub(crate) fn invalid(why: impl Into<String>) -> io::Error {
    io::Error::new(ErrorKind::InvalidData, why.into())
}
