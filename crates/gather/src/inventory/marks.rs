//! What in a file's constants names a library or a program and its version.

use std::fs::File;
use std::io::{Read as _, Seek as _, SeekFrom};
use std::path::Path;
use std::sync::LazyLock;

use aho_corasick::AhoCorasick;

use super::elf::Part;

/// Bytes that are searched at once, and those of the piece before that are searched again with them.
const PIECE: usize = 256 << 10;
const OVERLAP: usize = 256;
/// The most that is searched of one part of a file, in bytes.
const MOST: u64 = 512 << 20;

/// How a mark is read.
enum Reading {
    /// The version of this product stands behind it.
    Version(&'static str),
    /// The same, and nothing stands before or after the two.
    Whole(&'static str),
    /// OpenSSL's, before the day of its release; or that of a library that says that it is compatible.
    Openssl,
    /// A version of this program, if the file has one of its names.
    Program(&'static str),
    /// The file has the TLS part of OpenSSL (or of a library made from it) in it.
    OpensslTls,
}

/// Read off the files themselves: what these programs and libraries answer when asked for their version stands in them.
const MARKS: &[(&str, Reading)] = &[
    ("OpenSSL ", Reading::Openssl),
    ("ssl_lib.c\0", Reading::OpensslTls),
    ("\0LibreSSL ", Reading::Whole("libressl")),
    ("Enabled GnuTLS ", Reading::Version("gnutls")),
    ("Version: NSS ", Reading::Version("nss")),
    ("\0Mbed TLS ", Reading::Whole("mbedtls")),
    ("\0mbed TLS ", Reading::Whole("mbedtls")),
    ("/rustls-0.", Reading::Version("rustls")),
    ("nginx/", Reading::Program("nginx")),
    ("mod_ssl/", Reading::Program("apache")),
    ("lighttpd/", Reading::Program("lighttpd")),
    ("postgres (PostgreSQL) ", Reading::Program("postgresql")),
    (" version ", Reading::Program("haproxy")),
    ("stunnel ", Reading::Program("stunnel")),
    ("libcurl/", Reading::Program("curl")),
    ("/download/release/v", Reading::Program("node")),
];

static FINDER: LazyLock<Option<AhoCorasick>> =
    LazyLock::new(|| AhoCorasick::new(MARKS.iter().map(|(mark, _)| mark.as_bytes())).ok());

/// What was found in a file.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Marks {
    /// Libraries with their versions; each once.
    pub(super) libraries: Vec<(&'static str, String)>,
    /// Programs with their versions; each once.
    pub(super) programs: Vec<(&'static str, String)>,
    /// The TLS part of OpenSSL is in it.
    pub(super) openssl_tls: bool,
    /// How many bytes were searched.
    pub(super) searched: u64,
}

/// Searches parts of a file. What cannot be read ends the search of its part.
pub(super) fn search(path: &Path, parts: &[Part]) -> Marks {
    let mut marks = Marks::default();
    pieces(path, parts, |piece, is_last| {
        let Some(finder) = FINDER.as_ref() else { return };
        for found in finder.find_iter(piece) {
            if let Some((_, reading)) = MARKS.get(found.pattern().as_usize()) {
                let rest = piece.get(found.end()..).unwrap_or_default();
                // What the piece ends in stands whole in the next.
                if is_last || rest.len() >= OVERLAP / 2 {
                    take(&mut marks, reading, rest);
                }
            }
        }
        marks.searched = marks.searched.saturating_add(piece.len() as u64);
    });
    marks
}

/// Whether parts of a file have this in them.
pub(super) fn has(path: &Path, parts: &[Part], what: &[u8]) -> bool {
    let (mut found, Ok(finder)) = (false, AhoCorasick::new([what])) else { return false };
    pieces(path, parts, |piece, _| found = found || finder.is_match(piece));
    found
}

/// Reads parts of a file piece by piece; what lies across two pieces is whole in the second.
fn pieces(path: &Path, parts: &[Part], mut read: impl FnMut(&[u8], bool)) {
    let Ok(mut file) = File::open(path) else { return };
    let mut buffer = vec![0; PIECE + OVERLAP];
    for (start, length) in parts {
        if file.seek(SeekFrom::Start(*start)).is_err() {
            continue;
        }
        let (mut left, mut kept) = ((*length).min(MOST), 0);
        while left > 0 {
            let wanted = usize::try_from(left).unwrap_or(PIECE).min(PIECE);
            let Some(room) = buffer.get_mut(kept..kept + wanted) else { break };
            let got = match file.read(room) {
                Ok(0) | Err(_) => break,
                Ok(got) => got,
            };
            let end = kept + got;
            left = left.saturating_sub(got as u64);
            read(buffer.get(..end).unwrap_or_default(), left == 0);
            let again = end.saturating_sub(OVERLAP);
            buffer.copy_within(again..end, 0);
            kept = end - again;
        }
    }
}

fn take(marks: &mut Marks, reading: &Reading, rest: &[u8]) {
    let line = rest.split(|byte| !(0x20..0x7f).contains(byte)).next().unwrap_or_default();
    let line = String::from_utf8_lossy(line.get(..OVERLAP.min(line.len())).unwrap_or_default()).into_owned();
    match reading {
        Reading::OpensslTls => marks.openssl_tls = true,
        Reading::Openssl => {
            if let Some(found) = openssl(&line) {
                note(&mut marks.libraries, found.0, found.1);
            }
        }
        Reading::Version("rustls") => {
            // A path of a registry: `/rustls-0.23.46/src/`.
            if let Some(version) = line.split('/').next().and_then(|rest| version(&format!("0.{rest}"))) {
                note(&mut marks.libraries, "rustls", version);
            }
        }
        Reading::Whole(product) => {
            let ends = rest.get(line.len()) == Some(&0);
            if let Some(version) = version(&line).filter(|version| ends && version.len() == line.len()) {
                note(&mut marks.libraries, product, version);
            }
        }
        Reading::Version(product) => {
            if let Some(version) = version(&line) {
                note(&mut marks.libraries, product, version);
            }
        }
        // `HAProxy` itself stands elsewhere; the release's day follows.
        Reading::Program("haproxy") if !line.contains(", released ") => {}
        Reading::Program(product) => {
            if let Some(version) = version(&line) {
                note(&mut marks.programs, product, version);
            }
        }
    }
}

fn note(among: &mut Vec<(&'static str, String)>, product: &'static str, version: String) {
    if !among.iter().any(|(known, _)| *known == product) {
        among.push((product, version));
    }
}

/// The product and version behind `OpenSSL `: `3.0.19 27 Jan 2026`, `1.1.1 (compatible; BoringSSL)`.
fn openssl(line: &str) -> Option<(&'static str, String)> {
    let number = version(line)?;
    let rest = line.get(number.len()..)?;
    if let Some(compatible) = rest.trim_start().strip_prefix("(compatible; ") {
        let name = compatible.split(')').next()?;
        return match name.split_once(' ') {
            Some(("AWS-LC", version)) => Some(("aws-lc", version.to_owned())),
            _ if name == "BoringSSL" => Some(("boringssl", String::new())),
            _ => None,
        };
    }
    // `-fips` and the like may stand before the day: `1.0.2k-fips  26 Jan 2017`.
    let mut words = rest.split_whitespace();
    let is_day =
        |word: Option<&str>| word.is_some_and(|word| word.len() <= 2 && word.bytes().all(|byte| byte.is_ascii_digit()));
    let first = words.next();
    let day = if first.is_some_and(|word| word.starts_with(['-', '+'])) { words.next() } else { first };
    is_day(day).then_some(("openssl", number))
}

/// The version at the beginning of a line: digits, dots and letters.
fn version(line: &str) -> Option<String> {
    let end = line.find(|c: char| !(c.is_ascii_alphanumeric() || c == '.')).unwrap_or(line.len());
    let version = line.get(..end)?.trim_end_matches('.');
    let fits = version.starts_with(|c: char| c.is_ascii_digit()) && version.contains('.') && version.len() <= 24;
    fits.then(|| version.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read_behind_their_marks() {
        assert_eq!(openssl("3.0.19 27 Jan 2026"), Some(("openssl", "3.0.19".to_owned())));
        assert_eq!(openssl("1.0.2k-fips  26 Jan 2017"), Some(("openssl", "1.0.2k".to_owned())));
        assert_eq!(openssl("1.1.1 (compatible; AWS-LC 1.30.1)"), Some(("aws-lc", "1.30.1".to_owned())));
        assert_eq!(openssl("1.1.1 (compatible; BoringSSL)"), Some(("boringssl", String::new())));
        assert_eq!(openssl("3.0 legacy provider"), None);
        assert_eq!(version("/x"), None);
    }

    #[test]
    fn what_lies_across_two_pieces_is_found_once() {
        let path = std::env::temp_dir().join(format!("tlswhy-marks-{}", std::process::id()));
        let mut bytes = vec![0; PIECE - 7];
        bytes.extend(b"OpenSSL 1.0.2o  27 Mar 2018\0");
        bytes.extend(vec![0; PIECE]);
        bytes.extend(b"x/rustls-0.23.46/src/lib.rs\0");
        std::fs::write(&path, &bytes).unwrap();
        let marks = search(&path, &[(0, bytes.len() as u64)]);
        std::fs::remove_file(&path).unwrap();
        assert_eq!(marks.libraries, [("openssl", "1.0.2o".to_owned()), ("rustls", "0.23.46".to_owned())]);
    }
}
