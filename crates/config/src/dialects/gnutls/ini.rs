//! The lines of the system's file, as inih reads them (lib/inih/ini.c of GnuTLS).

use std::sync::Arc;

use crate::span::Span;

/// A name with its value.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    /// The section that it stands in; empty above the first.
    pub(super) section: String,
    pub(super) name: String,
    pub(super) value: String,
    /// The whole line; of an indented line, which goes on with the name before it, that line.
    pub(super) at: Span,
    pub(super) value_at: Span,
    /// The line begins with a blank: it is another value of the name before it, whatever it looks like.
    pub(super) indented: bool,
}

/// A file.
#[derive(Clone, Debug, Default)]
pub(super) struct Ini {
    pub(super) entries: Vec<Entry>,
    /// The heads of sections, each with its name.
    pub(super) heads: Vec<(String, Span)>,
    /// Lines that cannot be read: one voids the whole file (measured).
    pub(super) wrong: Vec<Span>,
}

pub(super) fn read(path: &Arc<str>, bytes: &[u8]) -> Ini {
    let mut ini = Ini::default();
    let (mut section, mut name) = (String::new(), String::new());
    let mut offset = 0;
    for (number, raw) in bytes.split_inclusive(|byte| *byte == b'\n').enumerate() {
        let mark = if number == 0 && raw.starts_with(b"\xef\xbb\xbf") { 3 } else { 0 };
        let start = offset + mark;
        offset += raw.len();
        let line = raw.get(mark..).unwrap_or_default();
        // A byte 0 ends a line.
        let line = line.split(|byte| *byte == 0).next().unwrap_or_default();
        let text = trimmed(line);
        let from = start + (line.len() - trimmed_start(line).len());
        let span = |from: usize, to: usize| Span { path: Arc::clone(path), start: from, end: to };
        let whole = span(from, from + text.len());
        match text.first() {
            None | Some(b';' | b'#') => {}
            Some(_) if !name.is_empty() && from > start => ini.entries.push(Entry {
                section: section.clone(),
                name: name.clone(),
                value: string(text),
                at: whole.clone(),
                value_at: whole,
                indented: true,
            }),
            Some(b'[') => {
                let inside = text.get(1..).unwrap_or_default();
                let end = end_of(inside, b"]");
                if inside.get(end) == Some(&b']') {
                    section = string(inside.get(..end).unwrap_or_default());
                    name.clear();
                    ini.heads.push((section.clone(), whole));
                } else {
                    ini.wrong.push(whole);
                }
            }
            Some(_) => {
                let end = end_of(text, b"=:");
                if !matches!(text.get(end), Some(b'=' | b':')) {
                    ini.wrong.push(whole);
                    continue;
                }
                name = string(trimmed(text.get(..end).unwrap_or_default()));
                let rest = text.get(end + 1..).unwrap_or_default();
                let value = rest.get(..end_of(rest, b"")).unwrap_or_default();
                let at = from + end + 1 + (value.len() - trimmed_start(value).len());
                let value = trimmed(value);
                ini.entries.push(Entry {
                    section: section.clone(),
                    name: name.clone(),
                    value: string(value),
                    at: whole,
                    value_at: span(at, at + value.len()),
                    indented: false,
                });
            }
        }
    }
    ini
}

/// Where the first of these bytes stands, or a `;` after a blank, or the end.
fn end_of(text: &[u8], bytes: &[u8]) -> usize {
    let mut after_blank = false;
    for (at, byte) in text.iter().enumerate() {
        if bytes.contains(byte) || (after_blank && *byte == b';') {
            return at;
        }
        after_blank = is_blank(*byte);
    }
    text.len()
}

/// isspace(3) in the C locale.
pub(super) fn is_blank(byte: u8) -> bool {
    byte.is_ascii_whitespace() || byte == 0x0b
}

fn trimmed_start(text: &[u8]) -> &[u8] {
    let blanks = text.iter().take_while(|byte| is_blank(**byte)).count();
    text.get(blanks..).unwrap_or_default()
}

fn trimmed(text: &[u8]) -> &[u8] {
    let text = trimmed_start(text);
    let end = text.iter().rposition(|byte| !is_blank(*byte)).map_or(0, |last| last + 1);
    text.get(..end).unwrap_or_default()
}

fn string(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(text: &str) -> Vec<(String, String, String)> {
        let ini = read(&Arc::from("/f"), text.as_bytes());
        ini.entries.into_iter().map(|entry| (entry.section, entry.name, entry.value)).collect()
    }

    #[test]
    fn lines_are_read_as_inih_reads_them() {
        let text = "\u{feff}A=1\n# c\n[s]\nb : x = y ; comment\n  next = 2\n\nc=\n;d=3\n";
        let expected = [("", "A", "1"), ("s", "b", "x = y"), ("s", "b", "next = 2"), ("s", "c", "")];
        assert_eq!(names(text), expected.map(|(a, b, c)| (a.to_owned(), b.to_owned(), c.to_owned())));
        let ini = read(&Arc::from("/f"), b"[a\nword\nx = 1");
        assert_eq!((ini.wrong.len(), ini.entries.len()), (2, 1));
        assert_eq!((ini.entries[0].value_at.start, ini.entries[0].value_at.end), (12, 13));
    }
}
