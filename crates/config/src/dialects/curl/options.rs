//! The options of a file (src/tool_parsecfg.c, src/tool_getparam.c).

use std::sync::Arc;

use crate::dialects::client::span;
use crate::setting::Setting;
use crate::span::{Origin, Span, Via};

/// Options that are read here and take a value.
pub(super) const VALUED: &[&str] =
    &["tls-max", "ciphers", "tls13-ciphers", "curves", "cacert", "capath", "cert", "key", "config", "url"];
/// Options that are read here and take none.
pub(super) const FLAGS: &[&str] = &["insecure", "next"];
/// Letters for options that are read here.
const LETTERS: &[(u8, &str)] =
    &[(b'1', "tlsv1"), (b'2', "sslv2"), (b'3', "sslv3"), (b'k', "insecure"), (b'E', "cert"), (b'K', "config"), (b':', "next")];
/// Other letters that take a value, which the rest of their word is.
const LETTERS_VALUED: &[u8] = b"AbcCdDeFhHmoPQrtTuUwxXyYz";

/// One option of a file.
#[derive(Clone, Debug)]
pub(super) struct Written {
    /// Lower case, without dashes.
    pub(super) name: String,
    /// Its value; `None` where none stands there.
    pub(super) value: Option<String>,
    /// It was written with a dash.
    pub(super) dashed: bool,
    /// It was written by its letter.
    pub(super) letter: bool,
    pub(super) at: Span,
    /// With its quotes.
    value_at: Span,
    via: Option<Arc<Via>>,
}

impl Written {
    fn origin(&self) -> Origin {
        Origin::file(self.at.clone(), self.value_at.clone(), self.via.as_ref())
    }

    pub(super) fn setting<T>(&self, value: T) -> Setting<T> {
        Setting::new(self.name.clone(), value, self.value.clone().unwrap_or_default(), self.origin())
    }
}

/// The options of a file, in their order.
pub(super) fn options(path: &Arc<str>, bytes: &[u8], via: Option<&Arc<Via>>) -> Vec<Written> {
    let blank = |at: usize| bytes.get(at).is_some_and(|byte| matches!(byte, b' ' | b'\t' | b'\r' | 0x0b | 0x0c));
    let mut found = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        let line_end = |from: usize| {
            let rest = bytes.get(from..).unwrap_or_default();
            from + rest.iter().position(|byte| *byte == b'\n').unwrap_or(rest.len())
        };
        while blank(at) {
            at += 1;
        }
        let start = at;
        let end = line_end(at);
        // What begins so is a comment.
        if start == end || matches!(bytes.get(start), Some(b'#' | b'/' | b'*')) {
            at = end + 1;
            continue;
        }
        let dashed = bytes.get(start) == Some(&b'-');
        let separates = |at: usize| blank(at) || (!dashed && matches!(bytes.get(at), Some(b'=' | b':')));
        while at < end && !separates(at) {
            at += 1;
        }
        let word = String::from_utf8_lossy(bytes.get(start..at).unwrap_or_default()).into_owned();
        let name_end = at;
        while at < end && separates(at) {
            at += 1;
        }
        let value_start = at;
        let value = if bytes.get(at) == Some(&b'"') {
            let (text, after) = unquoted(bytes, at + 1, end);
            at = after;
            Some(text)
        } else {
            while at < end && !blank(at) {
                at += 1;
            }
            let text = String::from_utf8_lossy(bytes.get(value_start..at).unwrap_or_default()).into_owned();
            (!text.is_empty()).then_some(text)
        };
        let ends = if value.is_some() { at } else { name_end };
        let value_at = if value.is_some() { span(path, value_start, at) } else { span(path, ends, ends) };
        let one = |name: String, value: Option<String>, letter: bool| Written {
            name,
            value,
            dashed,
            letter,
            at: span(path, start, ends),
            value_at: value_at.clone(),
            via: via.cloned(),
        };
        match word.strip_prefix('-') {
            Some(letters) if !letters.starts_with('-') => {
                for (name, rest) in by_letters(letters) {
                    found.push(one(name, rest.or_else(|| value.clone()), true));
                }
            }
            _ => found.push(one(word.strip_prefix("--").unwrap_or(&word).to_ascii_lowercase(), value.clone(), false)),
        }
        at = line_end(at.max(ends)) + 1;
    }
    found
}

/// A quoted value up to its closing quote or the end of the line, and where it ends.
fn unquoted(bytes: &[u8], from: usize, end: usize) -> (String, usize) {
    let mut text = Vec::new();
    let mut at = from;
    while at < end {
        match bytes.get(at) {
            Some(b'"') => return (String::from_utf8_lossy(&text).into_owned(), at + 1),
            Some(b'\\') if at + 1 < end => {
                at += 1;
                text.push(match bytes.get(at) {
                    Some(b't') => b'\t',
                    Some(b'n') => b'\n',
                    Some(b'r') => b'\r',
                    Some(b'v') => 0x0b,
                    Some(other) => *other,
                    None => b'\\',
                });
            }
            Some(other) => text.push(*other),
            None => break,
        }
        at += 1;
    }
    // Without a closing quote the line end is part of it.
    text.extend(bytes.get(end));
    (String::from_utf8_lossy(&text).into_owned(), end)
}

/// `-k3` is two options; one that takes a value takes what follows it in its word.
fn by_letters(letters: &str) -> Vec<(String, Option<String>)> {
    let mut found = Vec::new();
    let bytes = letters.as_bytes();
    for (at, letter) in bytes.iter().enumerate() {
        let known = LETTERS.iter().find(|(known, _)| known == letter).map(|(_, name)| *name);
        let takes = known.is_some_and(|name| VALUED.contains(&name)) || LETTERS_VALUED.contains(letter);
        let rest = bytes.get(at + 1..).filter(|rest| takes && !rest.is_empty());
        if let Some(name) = known {
            found.push((name.to_owned(), rest.map(|rest| String::from_utf8_lossy(rest).into_owned())));
        }
        if takes {
            break;
        }
    }
    found
}
