//! What a capture holds, one line a handshake.

use std::fs::File;
use std::io::BufReader;
use std::path::{Path, PathBuf};

use tlswhy_capture::{Handshake, Limits};

/// Every handshake of a capture.
pub(crate) fn handshakes(path: &Path) -> Vec<Handshake> {
    let mut found = Vec::new();
    let file = BufReader::new(File::open(path).unwrap());
    let reading = tlswhy_capture::read(file, Limits::default(), &mut |handshake| found.push(handshake)).unwrap();
    assert!(reading.stopped.is_none(), "{}: {:?}", path.display(), reading.stopped);
    found
}

/// The captures in a directory, by name.
pub(crate) fn captures(directory: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path());
    let is_capture = |path: &PathBuf| path.extension().is_some_and(|kind| kind == "pcap" || kind == "pcapng");
    let mut paths: Vec<PathBuf> = entries.filter(is_capture).collect();
    paths.sort();
    paths
}

/// The captures that are shipped.
pub(crate) fn shipped() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/captures")
}
