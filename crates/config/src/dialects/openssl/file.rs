//! The text of openssl.cnf as sections with their lines (config(5), crypto/conf/conf_def.c).

use std::collections::{HashMap, HashSet};
use std::ops::Range;
use std::sync::Arc;

use crate::files::{Content, Files, directory_of, relative_to};
use crate::service::Trouble;
use crate::span::{Origin, Span, Via};

/// Deepest chain of includes.
const DEEPEST: usize = 20;
/// Most lines of all files.
const MOST: usize = 500_000;
/// The longest value after its variables are put in, in bytes.
const LONGEST: usize = 64 * 1024;
/// The name of the part before the first section.
pub(super) const HEAD: &str = "default";

/// A line `name = value`.
#[derive(Clone, Debug)]
pub(super) struct Line {
    pub(super) name: String,
    pub(super) value: String,
    pub(super) origin: Origin,
}

/// The sections; those of one name are one.
#[derive(Debug, Default)]
pub(super) struct Sections {
    lines: HashMap<String, Vec<Line>>,
    /// Names of sections that stand before or after the head, in order.
    pub(super) heads: Vec<(String, Span)>,
    pub(super) troubles: Vec<Trouble>,
    pub(super) read: Vec<String>,
}

impl Sections {
    /// The lines of a section.
    pub(super) fn section(&self, name: &str) -> &[Line] {
        self.lines.get(name).map(Vec::as_slice).unwrap_or_default()
    }

    /// The line that counts for a name: the last.
    pub(super) fn line(&self, section: &str, name: &str) -> Option<&Line> {
        self.section(section).iter().rev().find(|line| line.name == name)
    }

    /// Every section with its lines.
    pub(super) fn all(&self) -> impl Iterator<Item = (&String, &Vec<Line>)> {
        self.lines.iter()
    }
}

/// Reads a file with what it includes.
pub(super) fn read(files: &Files<'_>, main: &str) -> Sections {
    let mut reader =
        Reader { files, sections: Sections::default(), section: HEAD.to_owned(), base: None, count: 0, seen: HashSet::new() };
    if let Content::Bytes(bytes) = files.look(main) {
        reader.file(main, bytes, None);
    }
    reader.sections
}

struct Reader<'f> {
    files: &'f Files<'f>,
    sections: Sections,
    section: String,
    /// What `.pragma includedir` sets.
    base: Option<String>,
    count: usize,
    seen: HashSet<String>,
}

impl Reader<'_> {
    fn file(&mut self, path: &str, bytes: &[u8], via: Option<&Arc<Via>>) {
        let path = self.files.path(path);
        if self.seen.insert(path.to_string()) {
            self.sections.read.push(path.to_string());
        }
        for (line, range) in logical_lines(bytes) {
            self.count += 1;
            if self.count > MOST {
                return;
            }
            let at = Span { path: Arc::clone(&path), start: range.start, end: range.end };
            self.line(&line, at, bytes, via);
        }
    }

    fn line(&mut self, line: &str, at: Span, bytes: &[u8], via: Option<&Arc<Via>>) {
        let text = line.trim();
        if text.is_empty() {
            return;
        }
        if let Some(rest) = text.strip_prefix('[') {
            match rest.split_once(']') {
                Some((name, _)) => {
                    name.trim().clone_into(&mut self.section);
                    self.sections.heads.push((self.section.clone(), at));
                }
                None => self.trouble(&at, "the section's name has no `]`: the rest of the file is not read by OpenSSL"),
            }
            return;
        }
        if let Some(rest) = directive(text, ".include") {
            let rest = self.expand(rest.trim_start_matches(['=', ' ', '\t']).trim());
            self.include(&rest, &at, via);
            return;
        }
        if let Some(rest) = directive(text, ".pragma") {
            let (name, value) = rest.trim_start_matches('=').trim().split_once(':').unwrap_or((rest, ""));
            if name.trim().eq_ignore_ascii_case("includedir") {
                self.base = Some(value.trim().to_owned());
            }
            return;
        }
        let Some((name, value)) = text.split_once('=') else {
            self.trouble(&at, "a line without `=`: the rest of the file is not read by OpenSSL");
            return;
        };
        let name = name.trim();
        // `section::name` puts the line into another section.
        let (section, name) =
            name.split_once("::").map_or((self.section.clone(), name), |(section, name)| (section.to_owned(), name));
        let value = self.expand(value.trim());
        let place = value_span(&at, bytes);
        let line = Line { name: name.to_owned(), value, origin: Origin::file(at, place, via) };
        self.sections.lines.entry(section).or_default().push(line);
    }

    /// Quotes and escapes taken away, variables put in.
    fn expand(&self, text: &str) -> String {
        let mut value = String::new();
        let mut letters = text.chars().peekable();
        let mut quote = None;
        while let Some(letter) = letters.next() {
            if value.len() > LONGEST {
                break;
            }
            match (letter, quote) {
                ('\\', _) => value.extend(letters.next()),
                (letter, Some(open)) if letter == open => quote = None,
                ('"' | '\'' | '`', None) => quote = Some(letter),
                ('$', None | Some('"')) => {
                    let close = match letters.peek() {
                        Some('{') => Some('}'),
                        Some('(') => Some(')'),
                        _ => None,
                    };
                    if close.is_some() {
                        letters.next();
                    }
                    let mut name = String::new();
                    while let Some(next) = letters.peek() {
                        if !(next.is_ascii_alphanumeric() || matches!(next, '_' | ':')) {
                            break;
                        }
                        name.extend(letters.next());
                    }
                    if close.is_some() && letters.peek() == close.as_ref() {
                        letters.next();
                    }
                    value.push_str(&self.variable(&name));
                }
                (letter, _) => value.push(letter),
            }
        }
        value
    }

    fn variable(&self, name: &str) -> String {
        let (section, name) = name.split_once("::").unwrap_or((&self.section, name));
        let own = self.sections.line(section, name);
        own.or_else(|| self.sections.line(HEAD, name)).map(|line| line.value.clone()).unwrap_or_default()
    }

    fn include(&mut self, name: &str, at: &Span, via: Option<&Arc<Via>>) {
        if Via::depth(via) >= DEEPEST {
            self.trouble(at, "includes lie too deep");
            return;
        }
        // A relative path counts from `.pragma includedir`, else from the current directory of each program: which that is no file
        // tells; the directory of the file is what distributions mean.
        let base = self.base.clone().unwrap_or_else(|| directory_of(&at.path).to_owned());
        let path = relative_to(&base, name);
        if std::iter::successors(via, |via| via.via.as_ref()).any(|via| *via.at.path == *path) || *at.path == *path {
            self.trouble(at, "the file includes itself");
            return;
        }
        let via = Arc::new(Via { at: at.clone(), via: via.cloned() });
        match self.files.look(&path) {
            Content::Bytes(bytes) => self.file(&path, bytes, Some(&via)),
            Content::Directory(entries) => {
                for entry in entries.iter().filter(|entry| entry.ends_with(".cnf") || entry.ends_with(".conf")) {
                    let path = format!("{path}/{entry}");
                    if let Content::Bytes(bytes) = self.files.look(&path) {
                        self.file(&path, bytes, Some(&via));
                    }
                }
            }
            Content::Missing => self.trouble(at, &format!("{path} does not exist; OpenSSL says nothing of it")),
            Content::Unreadable(error) => self.trouble(at, &format!("{path} cannot be read: {error}")),
            Content::Asked => {}
        }
    }

    fn trouble(&mut self, at: &Span, says: &str) {
        self.sections.troubles.push(Trouble { at: Some(at.clone()), says: says.to_owned(), fatal: false });
    }
}

/// What follows a directive's name and a blank or `=`.
fn directive<'t>(text: &'t str, name: &str) -> Option<&'t str> {
    let rest =
        text.get(name.len()..).filter(|_| text.get(..name.len()).is_some_and(|start| start.eq_ignore_ascii_case(name)))?;
    rest.starts_with([' ', '\t', '=']).then(|| rest.trim())
}

/// The lines without comments; a backslash at the end joins the next. The range is that of the text from its first letter to its last.
fn logical_lines(bytes: &[u8]) -> Vec<(String, Range<usize>)> {
    let mut lines = Vec::new();
    let mut at = 0;
    let mut pending: Option<(Vec<u8>, usize)> = None;
    while at < bytes.len() {
        let rest = bytes.get(at..).unwrap_or_default();
        let length = rest.iter().position(|byte| *byte == b'\n').unwrap_or(rest.len());
        let raw = rest.get(..length).unwrap_or_default();
        let (mut text, start) = pending.take().unwrap_or((Vec::new(), at));
        let code = without_comment(raw);
        let trimmed = code.trim_ascii_end();
        let continues = trimmed.len() == raw.trim_ascii_end().len() && trimmed.ends_with(b"\\") && !trimmed.ends_with(b"\\\\");
        if continues {
            text.extend_from_slice(trimmed.strip_suffix(b"\\").unwrap_or(trimmed));
            pending = Some((text, start));
        } else {
            text.extend_from_slice(trimmed);
            push(&mut lines, &text, bytes, start, at + trimmed.len());
        }
        at += length + 1;
    }
    if let Some((text, start)) = pending {
        push(&mut lines, &text, bytes, start, bytes.len());
    }
    lines
}

fn push(lines: &mut Vec<(String, Range<usize>)>, text: &[u8], bytes: &[u8], start: usize, end: usize) {
    let inside = bytes.get(start..end).unwrap_or_default();
    let blank = inside.iter().take_while(|byte| byte.is_ascii_whitespace()).count();
    lines.push((String::from_utf8_lossy(text).into_owned(), (start + blank).min(end)..end));
}

/// A `#` outside quotes that is not escaped begins a comment.
fn without_comment(line: &[u8]) -> &[u8] {
    let (mut quote, mut escaped) = (None, false);
    for (at, byte) in line.iter().enumerate() {
        match (byte, quote) {
            _ if escaped => escaped = false,
            (b'\\', _) => escaped = true,
            (byte, Some(open)) if *byte == open => quote = None,
            (b'"' | b'\'' | b'`', None) => quote = Some(*byte),
            (b'#', None) => return line.get(..at).unwrap_or_default(),
            _ => {}
        }
    }
    line
}

/// The bytes of the value in a line.
fn value_span(at: &Span, bytes: &[u8]) -> Span {
    let text = bytes.get(at.start..at.end).unwrap_or_default();
    let start = text.iter().position(|byte| *byte == b'=').map_or(at.end, |equals| at.start + equals + 1);
    let blank = bytes.get(start..at.end).unwrap_or_default().iter().take_while(|byte| byte.is_ascii_whitespace()).count();
    Span { path: Arc::clone(&at.path), start: start + blank, end: at.end }
}
