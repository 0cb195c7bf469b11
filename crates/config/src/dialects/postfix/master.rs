//! master.cf: which service listens where, by which program, with which parameters of its own (master(5)).

use std::sync::Arc;

use crate::dialects::lines::Line;
use crate::service::Note;
use crate::span::{Origin, Span};

/// One service.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    /// The whole entry's first line.
    pub(super) at: Span,
    /// Its first column: a port, `HOST:PORT`, or a name.
    pub(super) name: String,
    /// Its second column: `inet`, `unix`, `pass` …
    pub(super) kind: String,
    /// The program: `smtpd`.
    pub(super) command: String,
    /// What `-o` sets, in order.
    pub(super) options: Vec<Line>,
}

struct Word {
    text: String,
    /// Where the text stands; within braces without them.
    start: usize,
    end: usize,
}

/// The services of a file, and what is wrong with its entries.
pub(super) fn read(path: &Arc<str>, bytes: &[u8]) -> (Vec<Entry>, Vec<Note>) {
    let (mut entries, mut notes) = (Vec::new(), Vec::new());
    let mut words: Vec<Word> = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        let rest = bytes.get(at..).unwrap_or_default();
        let length = rest.iter().position(|byte| *byte == b'\n').unwrap_or(rest.len());
        let line = rest.get(..length).unwrap_or_default();
        let text = line.trim_ascii();
        // A comment does not end an entry (postconf(5), "multi-line").
        if !text.is_empty() && !text.starts_with(b"#") {
            if !line.first().is_some_and(u8::is_ascii_whitespace) {
                entry(path, &std::mem::take(&mut words), &mut entries, &mut notes);
            }
            split(line, at, &mut words);
        }
        at += length + 1;
    }
    entry(path, &words, &mut entries, &mut notes);
    (entries, notes)
}

/// The words of a line; one that begins with `{` goes to its `}`.
fn split(line: &[u8], offset: usize, words: &mut Vec<Word>) {
    let mut at = 0;
    while at < line.len() {
        if line.get(at).is_some_and(u8::is_ascii_whitespace) {
            at += 1;
            continue;
        }
        let rest = line.get(at..).unwrap_or_default();
        let braced = rest.first() == Some(&b'{');
        let length = match braced.then(|| closing(rest)).flatten() {
            Some(end) => end + 1,
            None => rest.iter().position(u8::is_ascii_whitespace).unwrap_or(rest.len()),
        };
        let mut raw = rest.get(..length).unwrap_or_default();
        let mut start = offset + at;
        if braced && raw.last() == Some(&b'}') {
            raw = raw.get(1..raw.len() - 1).unwrap_or_default();
            start += 1 + raw.iter().take_while(|byte| byte.is_ascii_whitespace()).count();
            raw = raw.trim_ascii();
        }
        words.push(Word { text: String::from_utf8_lossy(raw).into_owned(), start, end: start + raw.len() });
        at += length;
    }
}

fn closing(text: &[u8]) -> Option<usize> {
    let mut depth = 0_usize;
    for (at, byte) in text.iter().enumerate() {
        match byte {
            b'{' => depth += 1,
            b'}' => {
                depth = depth.checked_sub(1)?;
                if depth == 0 {
                    return Some(at);
                }
            }
            _ => {}
        }
    }
    None
}

fn entry(path: &Arc<str>, words: &[Word], entries: &mut Vec<Entry>, notes: &mut Vec<Note>) {
    let Some(first) = words.first() else { return };
    let span = |start: usize, end: usize| Span { path: Arc::clone(path), start, end };
    let (Some(kind), Some(command)) = (words.get(1), words.get(7)) else {
        notes.push(Note {
            at: Some(span(first.start, first.end)),
            says: "an entry has eight columns: this one has fewer, and Postfix does not start with it".to_owned(),
        });
        return;
    };
    let mut options = Vec::new();
    let mut arguments = words.iter().skip(8);
    while let Some(word) = arguments.next() {
        let option = match word.text.as_str() {
            "-o" => arguments.next(),
            text if text.starts_with("-o") && text.len() > 2 => Some(word),
            _ => None,
        };
        let Some(option) = option else { continue };
        let skipped = if option.text.starts_with("-o") { 2 } else { 0 };
        let text = option.text.get(skipped..).unwrap_or_default();
        let Some((name, value)) = text.split_once('=') else { continue };
        // Bytes are counted in the file: what is no UTF-8 has other lengths here and is left alone by edits.
        let value_start = option.end - value.trim_start().len().min(option.end);
        let origin = Origin::file(span(option.start, option.end), span(value_start, option.end), None);
        options.push(Line {
            section: String::new(),
            heads: 0,
            name: name.trim().to_owned(),
            value: value.trim().to_owned(),
            origin,
        });
    }
    entries.push(Entry {
        at: span(first.start, command.end),
        name: first.text.clone(),
        kind: kind.text.clone(),
        command: command.text.clone(),
        options,
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_are_read_with_their_places_across_lines_comments_and_braces() {
        let text = b"smtp inet n - y - - smtpd\n# note\nsmtps inet n - y - - smtpd\n  -o smtpd_tls_wrappermode=yes\n# between\n  -o { smtpd_tls_mandatory_protocols = >=TLSv1.2, <=TLSv1.2 } -v\nbad inet\n";
        let (entries, notes) = read(&Arc::from("/m"), text);
        assert_eq!(entries.len(), 2);
        assert_eq!(notes.len(), 1);
        let values: Vec<&str> = entries[1].options.iter().map(|line| line.value.as_str()).collect();
        assert_eq!(values, ["yes", ">=TLSv1.2, <=TLSv1.2"]);
        let Origin::File { value, .. } = &entries[1].options[1].origin else { panic!() };
        assert_eq!(&text[value.start..value.end], b">=TLSv1.2, <=TLSv1.2");
    }
}
