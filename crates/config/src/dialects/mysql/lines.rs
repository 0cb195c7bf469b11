//! The lines of option files, with their groups and includes (mysys/my_default.c; measured on MariaDB 10.11.19).

use std::sync::Arc;

use crate::dialects::Context;
use crate::dialects::client::span;
use crate::files::{Content, relative_to};
use crate::includes::Includes;
use crate::service::Trouble;
use crate::setting::Setting;
use crate::span::{Origin, Span, Via};

/// An option in a group.
#[derive(Clone, Debug)]
pub(super) struct Line {
    /// The group that it stands in, as written.
    pub(super) group: String,
    /// As written.
    pub(super) name: String,
    /// Without quotes and escapes; `None` where no `=` follows the name.
    pub(super) value: Option<String>,
    pub(super) origin: Origin,
}

impl Line {
    pub(super) fn at(&self) -> Option<&Span> {
        self.origin.span()
    }

    pub(super) fn setting<T>(&self, value: T) -> Setting<T> {
        Setting::new(self.name.clone(), value, self.value.clone().unwrap_or_default(), self.origin.clone())
    }
}

/// What stands in a main file and all that it includes.
#[derive(Debug, Default)]
pub(super) struct Lines {
    /// In the order in which they are read.
    pub(super) options: Vec<Line>,
    /// The heads of groups.
    pub(super) heads: Vec<(String, Span)>,
    pub(super) troubles: Vec<Trouble>,
    /// The files, in order.
    pub(super) files: Vec<String>,
    includes: Includes,
}

/// Deepest chain of includes (`max_recursion_level`).
const DEEPEST: usize = 10;
/// The most files that are read: ten that include the next one twice would be a thousand.
const MOST_FILES: usize = 200;

impl Lines {
    /// Reads a file; `via` is how it came to be included.
    pub(super) fn file(&mut self, context: &Context<'_>, path: &str, via: Option<&Arc<Via>>) {
        let bytes = match (self.includes.look(context.files, path), via) {
            (Content::Bytes(bytes), _) => bytes,
            (Content::Unreadable(why), Some(via)) => return self.trouble(&via.at, format!("{path} cannot be read: {why}")),
            _ => return,
        };
        let path = context.files.path(path);
        self.files.push(path.to_string());
        let mut group: Option<String> = None;
        let mut at = 0;
        for raw in bytes.split_inclusive(|byte| *byte == b'\n') {
            let start = at + raw.iter().take_while(|byte| byte.is_ascii_whitespace()).count();
            at += raw.len();
            let text = raw.trim_ascii();
            let whole = span(&path, start, start + text.len());
            let done = match text.first() {
                None | Some(b'#' | b';') => Ok(()),
                Some(b'!') => self.directive(context, text, &whole, via),
                Some(b'[') => match text.iter().position(|byte| *byte == b']') {
                    Some(end) => {
                        let name = String::from_utf8_lossy(text.get(1..end).unwrap_or_default().trim_ascii_end()).into_owned();
                        self.heads.push((name.clone(), span(&path, start, start + end + 1)));
                        group = Some(name);
                        Ok(())
                    }
                    None => Err("a group without its `]`".to_owned()),
                },
                Some(_) => match &group {
                    Some(group) => {
                        self.options.push(option(group, text, &whole, via));
                        Ok(())
                    }
                    None => Err("an option before any `[group]`".to_owned()),
                },
            };
            if let Err(says) = done {
                // The rest of the file is not read; the program stops unless the file was an included one.
                let says = if via.is_none() {
                    format!("{says}: nothing starts with it")
                } else {
                    format!("{says}: the rest of the file is not read")
                };
                self.troubles.push(Trouble { at: Some(whole), says, fatal: via.is_none() });
                return;
            }
        }
    }

    fn directive(&mut self, context: &Context<'_>, text: &[u8], at: &Span, via: Option<&Arc<Via>>) -> Result<(), String> {
        let words = String::from_utf8_lossy(text.get(1..).unwrap_or_default()).into_owned();
        let words = words.trim_start();
        let (name, argument) = words.split_once(|c: char| c.is_ascii_whitespace()).unwrap_or((words, ""));
        if !matches!(name, "include" | "includedir") {
            return Ok(());
        }
        if Via::depth(via) >= DEEPEST || self.files.len() >= MOST_FILES {
            self.trouble(at, "includes lie too deep: it is passed over".to_owned());
            return Ok(());
        }
        let argument = argument.trim();
        if argument.is_empty() {
            return Err(format!("`!{name}` of nothing"));
        }
        // What is relative is so to the directory that the program was started in, which no file tells.
        let path = relative_to("/", argument);
        let via = Arc::new(Via { at: at.clone(), via: via.cloned() });
        match (name, context.files.look(&path)) {
            // Read again it says the same again.
            ("include", _) if std::iter::successors(Some(&*via), |via| via.via.as_deref()).any(|via| *via.at.path == *path) => {
                self.trouble(at, format!("{path} includes itself"));
            }
            ("include", Content::Missing) => self.trouble(at, format!("{path} does not exist")),
            ("include", _) => self.file(context, &path, Some(&via)),
            (_, Content::Directory(entries)) => {
                for entry in entries.iter().filter(|entry| entry.ends_with(".cnf")) {
                    self.file(context, &format!("{path}/{entry}"), Some(&via));
                }
            }
            (_, Content::Missing) => return Err(format!("the directory {path} does not exist")),
            (_, Content::Unreadable(error)) => self.trouble(at, format!("{path} cannot be read: {error}")),
            _ => {}
        }
        Ok(())
    }

    fn trouble(&mut self, at: &Span, says: String) {
        self.troubles.push(Trouble { at: Some(at.clone()), says, fatal: false });
    }
}

fn option(group: &str, text: &[u8], whole: &Span, via: Option<&Arc<Via>>) -> Line {
    let text = without_comment(text).trim_ascii_end();
    let begins = whole.start;
    let equals = text.iter().position(|byte| *byte == b'=');
    let name = text.get(..equals.unwrap_or(text.len())).unwrap_or_default().trim_ascii_end();
    let value = equals.map(|equals| {
        let rest = text.get(equals + 1..).unwrap_or_default();
        let raw = rest.trim_ascii();
        let from = text.len() - rest.trim_ascii_start().len();
        (unquoted(raw), from, from + raw.len())
    });
    let end = begins + text.len();
    let value_at = value.as_ref().map_or((end, end), |(_, from, to)| (begins + from, begins + to));
    let path = &whole.path;
    Line {
        group: group.to_owned(),
        name: String::from_utf8_lossy(name).into_owned(),
        value: value.map(|(text, ..)| text),
        origin: Origin::file(span(path, begins, end), span(path, value_at.0, value_at.1), via),
    }
}

/// Up to a `#` outside quotes; within them a backslash protects the next quote.
fn without_comment(text: &[u8]) -> &[u8] {
    let (mut quote, mut escaped) = (None, false);
    for (at, byte) in text.iter().enumerate() {
        if matches!(byte, b'\'' | b'"') && !escaped {
            quote = match quote {
                None => Some(*byte),
                Some(open) if open == *byte => None,
                other => other,
            };
        }
        if quote.is_none() && *byte == b'#' {
            return text.get(..at).unwrap_or_default();
        }
        escaped = quote.is_some() && *byte == b'\\' && !escaped;
    }
    text
}

/// A value without the quotes around it and with its escapes resolved; others keep their backslash.
fn unquoted(raw: &[u8]) -> String {
    let inner = match (raw.first(), raw.last()) {
        (Some(first @ (b'\'' | b'"')), Some(last)) if first == last && raw.len() > 1 => raw.get(1..raw.len() - 1),
        _ => Some(raw),
    };
    let mut text = Vec::with_capacity(raw.len());
    let mut bytes = inner.unwrap_or_default().iter().copied().peekable();
    while let Some(byte) = bytes.next() {
        let escaped = match bytes.peek() {
            Some(b'n') => Some(b'\n'),
            Some(b't') => Some(b'\t'),
            Some(b'r') => Some(b'\r'),
            Some(b'b') => Some(0x08),
            Some(b's') => Some(b' '),
            Some(own @ (b'"' | b'\'' | b'\\')) => Some(*own),
            _ => None,
        };
        match escaped.filter(|_| byte == b'\\') {
            Some(meant) => {
                text.push(meant);
                bytes.next();
            }
            None => text.push(byte),
        }
    }
    String::from_utf8_lossy(&text).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_quotes_and_escapes_are_read_as_the_programs_do() {
        assert_eq!(without_comment(b"a = 'b#c' # d"), b"a = 'b#c' ");
        assert_eq!(without_comment(b"a = \"b\\\"#c\" # d"), b"a = \"b\\\"#c\" ");
        assert_eq!(unquoted(b"'a b'"), "a b");
        assert_eq!(unquoted(b"'"), "'");
        assert_eq!(unquoted(b"'a\""), "'a\"");
        assert_eq!(unquoted(br"a\sb\\c\d\"), r"a b\c\d\");
    }
}
