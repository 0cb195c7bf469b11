//! Certificates of a `bind` line: `crt` with a file, a directory or a bundle, and the files of `crt-list`
//! (crtlist_parse_line() and crtlist_load_cert_dir() of HAProxy's `ssl_crtlist.c`).

use std::sync::Arc;

use super::scopes::Item;
use super::sections::trouble;
use crate::files::{Content, Files, relative_to};
use crate::service::Reading;
use crate::setting::Setting;
use crate::span::{Origin, Span, Via};

/// A certificate, with what its entry says.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub(super) certificates: Vec<Setting<String>>,
    pub(super) options: Vec<Item>,
    /// Names that it is for, and those (`!name`) that it is not for.
    pub(super) filters: Vec<String>,
    pub(super) is_default: bool,
}

/// Entries of one list beyond this many are not read.
const MOST: usize = 100_000;

/// What a `crt` word loads: one file, the files of a directory, or a bundle.
pub(super) fn load(files: &Files<'_>, base: &str, item: &Item, reading: &mut Reading) -> Vec<Setting<String>> {
    let setting = |path: String| Setting::new(item.name.clone(), path, item.value.clone(), item.origin());
    // A name from a crt-store, or a variable that is not known.
    if item.value.starts_with('@') || item.value.contains('$') {
        return vec![setting(item.value.clone())];
    }
    let path = relative_to(base, &item.value);
    match files.look(&path) {
        Content::Directory(entries) => {
            let others = [".issuer", ".ocsp", ".sctl", ".key"];
            let fits = |entry: &&String| !entry.starts_with('.') && !others.iter().any(|end| entry.ends_with(end));
            entries.iter().filter(fits).take(MOST).map(|entry| setting(format!("{path}/{entry}"))).collect()
        }
        Content::Missing => {
            // In this order (SSL_SOCK_KEYTYPE_NAMES of HAProxy): an ECDSA certificate is the default before an RSA one (measured).
            let bundle = ["dsa", "ecdsa", "rsa"].map(|kind| format!("{path}.{kind}"));
            let looked: Vec<(String, bool)> = bundle
                .into_iter()
                .map(|path| {
                    let there = matches!(files.look(&path), Content::Bytes(_) | Content::Unreadable(_) | Content::Asked);
                    (path, there)
                })
                .collect();
            let found: Vec<Setting<String>> =
                looked.into_iter().filter(|(_, there)| *there).map(|(path, _)| setting(path)).collect();
            if found.is_empty() {
                let says = format!("the certificate file {path} does not exist: HAProxy does not start");
                reading.troubles.push(trouble(Some(item.at.clone()), says, true));
            }
            found
        }
        _ => vec![setting(path)],
    }
}

/// The entries of a `crt-list` file, taken from `from`. Paths in it are taken from `base`.
pub(super) fn list(files: &Files<'_>, from: &str, base: &str, item: &Item, reading: &mut Reading) -> Vec<Entry> {
    let path = relative_to(from, &item.value);
    let bytes = match files.text(&path) {
        Content::Bytes(bytes) => bytes,
        Content::Asked => return Vec::new(),
        Content::Directory(_) => {
            let certificates = load(files, base, item, reading);
            return vec![Entry { certificates, options: Vec::new(), filters: Vec::new(), is_default: false }];
        }
        Content::Missing => {
            let says = format!("the crt-list {path} does not exist: HAProxy does not start");
            reading.troubles.push(trouble(Some(item.at.clone()), says, true));
            return Vec::new();
        }
        Content::Unreadable(why) => {
            reading.troubles.push(trouble(Some(item.at.clone()), format!("{path}: {why}"), false));
            return Vec::new();
        }
    };
    let shared = files.path(&path);
    if !reading.files.iter().any(|read| **read == *shared) {
        reading.files.push(shared.to_string());
    }
    let via = Arc::new(Via { at: item.at.clone(), via: None });
    let mut entries = Vec::new();
    let (lines, _) = super::tokens::lines(bytes);
    for line in lines.iter().take(MOST) {
        let words = pieces(bytes, line.clone());
        if words.first().is_none_or(|first| first.text.starts_with('#')) {
            continue;
        }
        let whole = Span { path: shared.clone(), start: words.first().map_or(0, |word| word.start), end: line.end };
        match entry(&words, &shared, &via, item.order) {
            Ok((certificate, options, filters)) => {
                let certificates = load(files, base, &certificate, reading);
                entries.push(Entry { certificates, options, filters, is_default: false });
            }
            Err(why) => reading.troubles.push(trouble(Some(whole), why, true)),
        }
    }
    entries
}

struct Piece {
    text: String,
    start: usize,
    end: usize,
}

/// Words and brackets of a line.
fn pieces(bytes: &[u8], line: std::ops::Range<usize>) -> Vec<Piece> {
    let mut pieces: Vec<Piece> = Vec::new();
    let mut start = None;
    for at in line.start..=line.end {
        let byte = bytes.get(at).copied().filter(|_| at < line.end).unwrap_or(b' ');
        let divides = byte.is_ascii_whitespace() || byte == 0x0b || matches!(byte, b'[' | b']');
        if !divides {
            start.get_or_insert(at);
            continue;
        }
        if let Some(start) = start.take() {
            let text = String::from_utf8_lossy(bytes.get(start..at).unwrap_or_default()).into_owned();
            pieces.push(Piece { text, start, end: at });
        }
        if matches!(byte, b'[' | b']') {
            pieces.push(Piece { text: char::from(byte).to_string(), start: at, end: at + 1 });
        }
    }
    pieces
}

/// Keywords of an entry that stand alone (`ssl_crtlist_kws`); all others take a value.
const BARE: &[&str] = &["allow-0rtt", "no-ca-names", "no-alpn"];

/// Keywords that take a value.
const VALUED: &[&str] = &[
    "alpn",
    "ca-file",
    "ca-verify-file",
    "ciphers",
    "ciphersuites",
    "client-sigalgs",
    "crl-file",
    "curves",
    "ecdhe",
    "npn",
    "sigalgs",
    "ssl-min-ver",
    "ssl-max-ver",
    "verify",
    "ocsp-update",
    "ocsp",
    "key",
    "issuer",
    "sctl",
    "acme",
    "domains",
    "generate-dummy",
    "jwt",
    "id",
];

type Parts = (Item, Vec<Item>, Vec<String>);

fn entry(words: &[Piece], path: &Arc<str>, via: &Arc<Via>, order: usize) -> Result<Parts, String> {
    let span = |from: &Piece, to: &Piece| Span { path: path.clone(), start: from.start, end: to.end };
    let item = |key: &Piece, value: Option<&Piece>, name: &str| Item {
        key: key.text.clone(),
        name: name.to_owned(),
        value: value.map(|value| value.text.clone()).unwrap_or_default(),
        at: span(key, value.unwrap_or(key)),
        value_at: span(value.unwrap_or(key), value.unwrap_or(key)),
        via: Some(via.clone()),
        order,
    };
    let mut words_left = words.iter();
    let first = words_left.next().ok_or("the line is empty")?;
    if first.text == "[" || first.text == "]" {
        return Err("a line of a crt-list begins with a certificate".to_owned());
    }
    let certificate = Item { key: "crt".to_owned(), value: first.text.clone(), ..item(first, None, "crt-list") };
    let (mut options, mut filters) = (Vec::new(), Vec::new());
    let (mut inside, mut opened) = (false, false);
    while let Some(word) = words_left.next() {
        match word.text.as_str() {
            "[" if opened => return Err("there is a second `[`".to_owned()),
            "[" => (inside, opened) = (true, true),
            "]" if !inside => return Err("`]` has no `[`".to_owned()),
            "]" => inside = false,
            key if inside && BARE.contains(&key) => options.push(item(word, None, key)),
            key if inside && VALUED.contains(&key) => match words_left.next() {
                Some(value) if value.text != "]" => options.push(item(word, Some(value), key)),
                _ => return Err(format!("`{key}` has no value")),
            },
            key if inside => return Err(format!("a crt-list knows no `{key}`: HAProxy does not start")),
            filter => filters.push(filter.to_ascii_lowercase()),
        }
    }
    if inside { Err("`[` is not closed".to_owned()) } else { Ok((certificate, options, filters)) }
}

impl Entry {
    /// A plain certificate of the line.
    pub(super) fn plain(certificates: Vec<Setting<String>>) -> Entry {
        Entry { certificates, options: Vec::new(), filters: Vec::new(), is_default: false }
    }

    /// Whether it says nothing but which certificate.
    pub(super) fn is_plain(&self) -> bool {
        self.options.is_empty() && self.filters.is_empty()
    }

    /// Where it stands.
    pub(super) fn at(&self) -> Option<&Span> {
        self.certificates.first().map(|one| &one.origin).and_then(Origin::span)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<(String, Vec<String>, Vec<String>), String> {
        let bytes = text.as_bytes();
        let via = Arc::new(Via { at: Span { path: "a".into(), start: 0, end: 0 }, via: None });
        let (certificate, options, filters) = entry(&pieces(bytes, 0..bytes.len()), &"l".into(), &via, 0)?;
        let options = options.iter().map(|item| format!("{}={}", item.key, item.value)).collect();
        Ok((certificate.value, options, filters))
    }

    #[test]
    fn lines_of_a_list_are_cut_as_haproxy_cuts_them() {
        let (certificate, options, filters) = read("a.pem [ssl-min-ver TLSv1.3 alpn h2]*.A.test !b.a.test\r").unwrap();
        assert_eq!(certificate, "a.pem");
        assert_eq!(options, ["ssl-min-ver=TLSv1.3", "alpn=h2"]);
        assert_eq!(filters, ["*.a.test", "!b.a.test"]);
        assert!(read("a.pem [force-tlsv12]").is_err());
        assert!(read("a.pem [verify").is_err());
        assert!(read("a.pem ]").is_err());
    }
}
