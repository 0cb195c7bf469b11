//! Sections, names and values as config.c reads them.

use std::collections::HashSet;
use std::sync::Arc;

use super::url::Address;
use crate::dialects::Context;
use crate::files::{Content, directory_of, relative_to};
use crate::includes::Includes;
use crate::service::Trouble;
use crate::span::{Origin, Span, Via};

/// git's own limit of files in files.
const DEEPEST: usize = 10;
/// Most files, and most sections for URLs, that are looked at.
pub(super) const MOST: usize = 500;
/// Most lines of HTTP, against which each of those sections is held.
const MOST_LINES: usize = 2_000;

/// One name of `[http]`.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    /// The URL of its section.
    pub(super) address: Option<Address>,
    /// Lower case, without its section.
    pub(super) name: String,
    /// As people write it: `http.sslVersion`.
    pub(super) written: String,
    /// `None` where no `=` stands.
    pub(super) value: Option<String>,
    pub(super) origin: Origin,
}

/// What a number of files say of HTTP.
pub(super) struct Conf<'c> {
    context: &'c Context<'c>,
    home: Option<&'c str>,
    pub(super) entries: Vec<Entry>,
    headers: Vec<(Option<Address>, Span)>,
    pub(super) troubles: Vec<Trouble>,
    pub(super) read: Vec<String>,
    includes: Includes,
    opened: usize,
    /// The bounds that were met.
    left_out: HashSet<String>,
}

/// Where lines stand.
struct Section {
    name: String,
    sub: Option<String>,
    address: Option<Address>,
}

impl<'c> Conf<'c> {
    pub(super) fn new(context: &'c Context<'c>, home: Option<&'c str>) -> Conf<'c> {
        Conf {
            context,
            home,
            entries: Vec::new(),
            headers: Vec::new(),
            troubles: Vec::new(),
            read: Vec::new(),
            includes: Includes::default(),
            opened: 0,
            left_out: HashSet::new(),
        }
    }

    /// The last head of a section for these addresses in a file.
    pub(super) fn header(&self, main: &str, scope: Option<&Address>) -> Option<Span> {
        let of = |(address, at): &&(Option<Address>, Span)| address.as_ref() == scope && *at.path == *main;
        let anywhere = |(address, _): &&(Option<Address>, Span)| address.as_ref() == scope && scope.is_some();
        let found = self.headers.iter().rev().find(of).or_else(|| self.headers.iter().rev().find(anywhere));
        found.map(|(_, at)| at.clone())
    }

    pub(super) fn file(&mut self, path: &str, via: Option<&Arc<Via>>) {
        let bytes = match (self.includes.look(self.context.files, path), via) {
            (Content::Bytes(bytes), _) => bytes,
            (Content::Unreadable(why), Some(via)) => {
                let says = format!("{path} cannot be read: {why}");
                self.troubles.push(Trouble { at: Some(via.at.clone()), says, fatal: false });
                return;
            }
            _ => return,
        };
        if self.opened >= MOST {
            return self.left_out(format!("more than {MOST} files are included: the rest is not read"));
        }
        let path = self.context.files.path(path);
        if !self.read.contains(&path.to_string()) {
            self.read.push(path.to_string());
        }
        self.opened += 1;
        let mut reader = Text { bytes, at: if bytes.starts_with(b"\xef\xbb\xbf") { 3 } else { 0 } };
        let mut section = Section { name: String::new(), sub: None, address: None };
        while let Some(byte) = reader.peek() {
            let start = reader.at;
            let went = match byte {
                b' ' | b'\t' | b'\n' | b'\r' | 0x0b | 0x0c => {
                    reader.at += 1;
                    Some(())
                }
                b'#' | b';' => {
                    reader.skip_line();
                    Some(())
                }
                b'[' => reader.section().map(|found| {
                    section = found;
                    let of_http = section.name == "http" && (section.sub.is_none() || section.address.is_some());
                    if of_http && self.headers.len() < MOST_LINES {
                        let at = Span { path: Arc::clone(&path), start, end: reader.at };
                        self.headers.push((section.address.clone(), at));
                    }
                }),
                _ if byte.is_ascii_alphabetic() => reader.name().map(|found| self.line(&section, &path, start, found, via)),
                _ => None,
            };
            if went.is_none() {
                let at = Span { path: Arc::clone(&path), start, end: reader.at.max(start + 1).min(bytes.len()) };
                let says = "git cannot read this line, and stops at it".to_owned();
                self.troubles.push(Trouble { at: Some(at), says, fatal: true });
                return;
            }
        }
    }

    /// Says once that a bound was met.
    fn left_out(&mut self, says: String) {
        if self.left_out.insert(says.clone()) {
            self.troubles.push(Trouble { at: None, says, fatal: false });
        }
    }

    fn line(&mut self, section: &Section, path: &Arc<str>, start: usize, found: Found, via: Option<&Arc<Via>>) {
        let span = |start: usize, end: usize| Span { path: Arc::clone(path), start, end };
        let at = span(start, found.end);
        let name = found.name.to_ascii_lowercase();
        match (section.name.as_str(), &section.sub, name.as_str()) {
            ("http", sub, _) if sub.is_none() || section.address.is_some() => {
                let origin = Origin::file(at, span(found.value_start, found.end), via);
                if self.entries.len() >= MOST_LINES {
                    return self.left_out(format!("more than {MOST_LINES} lines speak of HTTP: the rest is not read"));
                }
                let written = format!("http.{}", found.name);
                self.entries.push(Entry { address: section.address.clone(), name, written, value: found.value, origin });
            }
            ("include", None, "path") => self.include(path, found.value.as_deref(), at, via),
            ("includeif", Some(condition), "path") => {
                let says = format!("read where `{condition}` holds, which is not examined here: what it says is left out");
                self.troubles.push(Trouble { at: Some(at), says, fatal: false });
            }
            _ => {}
        }
    }

    fn include(&mut self, path: &Arc<str>, value: Option<&str>, at: Span, via: Option<&Arc<Via>>) {
        let Some(value) = value else { return };
        let target = match (value.strip_prefix("~/"), self.home) {
            (Some(rest), Some(home)) => format!("{home}/{rest}"),
            (Some(_), None) => {
                let says = "whose home `~` is cannot be told: what it says is left out".to_owned();
                self.troubles.push(Trouble { at: Some(at), says, fatal: false });
                return;
            }
            (None, _) => relative_to(directory_of(path), value),
        };
        let includes_itself =
            *target == **path || std::iter::successors(via, |via| via.via.as_ref()).any(|via| *via.at.path == *target);
        if includes_itself || Via::depth(via) >= DEEPEST {
            let says = if includes_itself { "it includes itself" } else { "more than ten files in files" };
            self.troubles.push(Trouble { at: Some(at), says: format!("{says}: git stops at it"), fatal: true });
            return;
        }
        // A file that is not there is passed over in silence.
        self.file(&target, Some(&Arc::new(Via { at, via: via.cloned() })));
    }
}

/// A name with its value.
struct Found {
    name: String,
    value: Option<String>,
    value_start: usize,
    end: usize,
}

struct Text<'t> {
    bytes: &'t [u8],
    at: usize,
}

impl Text<'_> {
    /// The next byte; a carriage return before a line end is part of that.
    fn peek(&self) -> Option<u8> {
        match (self.bytes.get(self.at), self.bytes.get(self.at + 1)) {
            (Some(b'\r'), Some(b'\n')) => Some(b'\n'),
            (byte, _) => byte.copied(),
        }
    }

    fn next(&mut self) -> Option<u8> {
        let byte = self.peek()?;
        self.at += if self.bytes.get(self.at) == Some(&b'\r') && byte == b'\n' { 2 } else { 1 };
        Some(byte)
    }

    fn blanks(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t')) {
            self.at += 1;
        }
    }

    fn skip_line(&mut self) {
        while self.next().is_some_and(|byte| byte != b'\n') {}
    }

    /// `[name]`, `[name "sub"]` or `[name.sub]`; the last is lower case.
    fn section(&mut self) -> Option<Section> {
        self.at += 1;
        let mut name = Vec::new();
        loop {
            match self.next()? {
                b']' => break,
                byte if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.') => name.push(byte.to_ascii_lowercase()),
                b' ' | b'\t' => {
                    self.blanks();
                    let sub = self.subsection()?;
                    let name = String::from_utf8_lossy(&name).into_owned();
                    let address = (name == "http").then(|| Address::parse(&sub)).flatten();
                    return Some(Section { name, sub: Some(sub), address });
                }
                _ => return None,
            }
        }
        let name = String::from_utf8_lossy(&name).into_owned();
        Some(match name.split_once('.') {
            Some((name, sub)) => Section { name: name.to_owned(), sub: Some(sub.to_owned()), address: None },
            None => Section { name, sub: None, address: None },
        })
    }

    fn subsection(&mut self) -> Option<String> {
        if self.next()? != b'"' {
            return None;
        }
        let mut text = Vec::new();
        loop {
            match self.next()? {
                b'"' => break,
                b'\n' => return None,
                b'\\' => text.push(self.next().filter(|byte| *byte != b'\n')?),
                byte => text.push(byte),
            }
        }
        (self.next()? == b']').then(|| String::from_utf8_lossy(&text).into_owned())
    }

    fn name(&mut self) -> Option<Found> {
        let start = self.at;
        while self.peek().is_some_and(|byte| byte.is_ascii_alphanumeric() || byte == b'-') {
            self.at += 1;
        }
        let name_end = self.at;
        let name = String::from_utf8_lossy(self.bytes.get(start..name_end)?).into_owned();
        self.blanks();
        match self.peek() {
            None | Some(b'\n') => Some(Found { name, value: None, value_start: name_end, end: name_end }),
            Some(b'=') => {
                self.at += 1;
                self.blanks();
                let value_start = self.at;
                let (value, end) = self.value()?;
                Some(Found { name, value: Some(value), value_start, end: end.max(value_start) })
            }
            _ => None,
        }
    }

    /// The value up to the line end, and where its last byte that counts ends.
    fn value(&mut self) -> Option<(String, usize)> {
        let mut text: Vec<u8> = Vec::new();
        // Blanks at the end do not count.
        let (mut kept, mut end) = (0, self.at);
        let (mut quoted, mut comment) = (false, false);
        loop {
            let byte = match self.peek() {
                None | Some(b'\n') if quoted => return None,
                None | Some(b'\n') => break,
                Some(byte) => byte,
            };
            self.at += 1;
            if comment {
                continue;
            }
            match byte {
                b'#' | b';' if !quoted => comment = true,
                b' ' | b'\t' if !quoted => text.push(byte),
                b'"' => {
                    quoted = !quoted;
                    (kept, end) = (text.len(), self.at);
                }
                b'\\' => {
                    match self.next()? {
                        b'\n' => {}
                        b't' => text.push(b'\t'),
                        b'b' => text.push(0x08),
                        b'n' => text.push(b'\n'),
                        other @ (b'\\' | b'"') => text.push(other),
                        _ => return None,
                    }
                    (kept, end) = (text.len(), self.at);
                }
                byte => {
                    text.push(byte);
                    (kept, end) = (text.len(), self.at);
                }
            }
        }
        text.truncate(kept);
        Some((String::from_utf8_lossy(&text).into_owned(), end))
    }
}

/// A truth value: no value is true, an empty one false.
pub(super) fn is_true(value: Option<&str>) -> bool {
    match value.map(str::to_ascii_lowercase).as_deref() {
        None => true,
        Some("" | "false" | "no" | "off") => false,
        Some("true" | "yes" | "on") => true,
        Some(number) => number.parse::<i64>().is_ok_and(|number| number != 0),
    }
}
