//! The words of a Caddyfile, with their places: quotes, backticks, heredocs, comments, and `{$NAME:default}`.

use std::sync::Arc;

use crate::files::Files;
use crate::service::Trouble;
use crate::span::{Span, Via};

/// Most words of one file.
const MOST: usize = 200_000;

/// A word.
#[derive(Clone, Debug)]
pub(super) struct Word {
    pub(super) text: String,
    /// Whether it stood in quotes, backticks or a heredoc: then a brace in it is text.
    pub(super) quoted: bool,
    /// Whether a variable is part of it of which neither value nor default is known.
    pub(super) unknown: bool,
    pub(super) at: Span,
    pub(super) via: Option<Arc<Via>>,
    /// The lines that it begins and ends in, as Caddy counts them: an escaped line end begins none.
    first_line: usize,
    last_line: usize,
}

impl Word {
    /// An unquoted brace.
    pub(super) fn is(&self, brace: &str) -> bool {
        !self.quoted && self.text == brace
    }

    /// What another word says, in its place.
    pub(super) fn saying(&self, other: &Word) -> Word {
        Word { text: other.text.clone(), unknown: other.unknown, ..self.clone() }
    }

    /// Whether it begins a line after `before`.
    pub(super) fn on_new_line(&self, before: &Word) -> bool {
        before.last_line < self.first_line
    }
}

/// The text that Caddy reads: variables are put in before anything else.
struct Source {
    text: Vec<u8>,
    pieces: Vec<Piece>,
}

/// A part of the text from its first byte there to the next piece: copied from the file, or put in for a variable.
struct Piece {
    start: usize,
    from: usize,
    /// The end of the placeholder in the file, and whether what stands for it is unknown.
    put_in: Option<(usize, bool)>,
}

impl Source {
    fn of(bytes: &[u8], files: &Files<'_>) -> Source {
        let mut source =
            Source { text: Vec::with_capacity(bytes.len()), pieces: vec![Piece { start: 0, from: 0, put_in: None }] };
        let mut at = 0;
        while let Some((begin, end)) = placeholder(bytes, at) {
            let inside = String::from_utf8_lossy(bytes.get(begin + 2..end - 1).unwrap_or_default()).into_owned();
            source.text.extend_from_slice(bytes.get(at..begin).unwrap_or_default());
            let (name, default) = match inside.split_once(':') {
                Some((name, default)) => (name, Some(default)),
                None => (inside.as_str(), None),
            };
            let value = files.environment(name).or(default);
            source.pieces.push(Piece { start: source.text.len(), from: begin, put_in: Some((end, value.is_none())) });
            // What is not known keeps its place as it is written.
            source.text.extend_from_slice(value.map_or(bytes.get(begin..end).unwrap_or_default(), str::as_bytes));
            source.pieces.push(Piece { start: source.text.len(), from: end, put_in: None });
            at = end;
        }
        source.text.extend_from_slice(bytes.get(at..).unwrap_or_default());
        source
    }

    fn piece(&self, at: usize) -> &Piece {
        let after = self.pieces.partition_point(|piece| piece.start <= at);
        self.pieces.get(after.saturating_sub(1)).unwrap_or(&Piece { start: 0, from: 0, put_in: None })
    }

    /// The place in the file of a part of the text, and whether something unknown is in it.
    fn place(&self, start: usize, end: usize) -> (usize, usize, bool) {
        let (first, last) = (self.piece(start), self.piece(end.saturating_sub(1).max(start)));
        let from = if first.put_in.is_some() { first.from } else { first.from + (start - first.start) };
        let until = last.put_in.map_or(last.from + end.saturating_sub(last.start), |(end, _)| end);
        let begin = self.pieces.partition_point(|piece| piece.start <= start).saturating_sub(1);
        let within = self.pieces.get(begin..).unwrap_or_default().iter().take_while(|piece| piece.start < end.max(start + 1));
        (from, until.max(from), within.filter_map(|piece| piece.put_in).any(|(_, unknown)| unknown))
    }
}

/// The next `{$…}` with a name in it: its first byte, and the byte after it.
fn placeholder(bytes: &[u8], mut at: usize) -> Option<(usize, usize)> {
    loop {
        let begin = at + bytes.get(at..)?.windows(2).position(|window| window == b"{$")?;
        let end = begin + 2 + bytes.get(begin + 2..)?.iter().position(|byte| *byte == b'}')? + 1;
        if end > begin + 3 {
            return Some((begin, end));
        }
        at = end;
    }
}

/// The words of a file. Heredocs came with Caddy 2.7.
pub(super) fn words(
    files: &Files<'_>,
    path: &Arc<str>,
    bytes: &[u8],
    via: Option<&Arc<Via>>,
    heredocs: bool,
) -> (Vec<Word>, Option<Trouble>) {
    let source = Source::of(bytes, files);
    let mut lexer = Lexer { text: &source.text, at: 0, line: 1, skipped: 0, heredocs };
    if source.text.starts_with(b"\xef\xbb\xbf") {
        lexer.at = 3;
    }
    let mut words = Vec::new();
    let place = |start: usize, end: usize| {
        let (start, end, unknown) = source.place(start, end);
        (Span { path: Arc::clone(path), start, end: end.min(bytes.len()).max(start) }, unknown)
    };
    loop {
        match lexer.next() {
            Ok(Some(raw)) if words.len() < MOST => {
                let (at, unknown) = place(raw.start, raw.end);
                let text = String::from_utf8_lossy(&raw.text).into_owned();
                words.push(Word {
                    text,
                    quoted: raw.quoted,
                    unknown,
                    at,
                    via: via.cloned(),
                    first_line: raw.first_line,
                    last_line: raw.last_line,
                });
            }
            Ok(Some(raw)) => {
                let says = "the file has more words than are read".to_owned();
                return (words, Some(Trouble { at: Some(place(raw.start, raw.end).0), says, fatal: false }));
            }
            Ok(None) => return (words, None),
            Err((start, says)) => {
                let (at, _) = place(start, start);
                return (words, Some(Trouble { at: Some(at), says: says.to_owned(), fatal: true }));
            }
        }
    }
}

struct Raw {
    text: Vec<u8>,
    quoted: bool,
    start: usize,
    end: usize,
    first_line: usize,
    last_line: usize,
}

struct Lexer<'t> {
    text: &'t [u8],
    at: usize,
    line: usize,
    /// Escaped line ends since the last one that counts.
    skipped: usize,
    heredocs: bool,
}

impl Lexer<'_> {
    fn new_line(&mut self) {
        self.line += 1 + self.skipped;
        self.skipped = 0;
    }

    fn next(&mut self) -> Result<Option<Raw>, (usize, &'static str)> {
        // Blanks, line ends, escaped line ends and comments.
        while let Some(byte) = self.text.get(self.at) {
            match byte {
                b'\n' => self.new_line(),
                byte if byte.is_ascii_whitespace() || *byte == 0x0b => {}
                b'\\' if self.text.get(self.at + 1) == Some(&b'\n') => {
                    self.skipped += 1;
                    self.at += 1;
                }
                b'\\' if self.text.get(self.at + 1..self.at + 3) == Some(b"\r\n") => {
                    self.skipped += 1;
                    self.at += 2;
                }
                b'#' => {
                    let rest = self.text.get(self.at..).unwrap_or_default();
                    self.at += rest.iter().position(|byte| *byte == b'\n').unwrap_or(rest.len());
                    continue;
                }
                _ => break,
            }
            self.at += 1;
        }
        let (start, first_line) = (self.at, self.line);
        let Some(first) = self.text.get(start) else { return Ok(None) };
        let (text, quoted) = match first {
            b'"' => (self.quoted(b'"'), true),
            b'`' => (self.quoted(b'`'), true),
            b'<' if self.heredocs && self.text.get(start + 1) == Some(&b'<') => match self.heredoc()? {
                Some(text) => (text, true),
                None => (self.plain(), false),
            },
            _ => (self.plain(), false),
        };
        Ok(Some(Raw { text, quoted, start, end: self.at, first_line, last_line: self.line }))
    }

    /// A word without quotes: up to a blank. A backslash stays, but before `<`.
    fn plain(&mut self) -> Vec<u8> {
        let rest = self.text.get(self.at..).unwrap_or_default();
        let length = rest.iter().position(|byte| byte.is_ascii_whitespace() || *byte == 0x0b).unwrap_or(rest.len());
        let mut word = rest.get(..length).unwrap_or_default();
        self.at += length;
        if self.text.get(self.at) == Some(&b'\n')
            && let Some(shorter) = word.strip_suffix(b"\\")
        {
            // The line end is escaped.
            word = shorter;
            self.at += 1;
            self.skipped += 1;
        }
        word.strip_prefix(b"\\").filter(|rest| rest.first() == Some(&b'<')).unwrap_or(word).to_vec()
    }

    /// What stands in quotes, or up to the end of the text: only `\"` is an escape, and none in backticks.
    fn quoted(&mut self, quote: u8) -> Vec<u8> {
        let mut text = Vec::new();
        self.at += 1;
        while let Some(byte) = self.text.get(self.at).copied() {
            self.at += 1;
            if byte == quote {
                break;
            }
            if byte == b'\n' {
                self.new_line();
            }
            if byte == b'\\' && quote == b'"' && self.text.get(self.at) == Some(&b'"') {
                self.at += 1;
                text.push(b'"');
            } else {
                text.push(byte);
            }
        }
        text
    }

    /// `<<MARKER`, lines, and the marker; `None` where it is an ordinary word.
    fn heredoc(&mut self) -> Result<Option<Vec<u8>>, (usize, &'static str)> {
        let start = self.at;
        let head = self.text.get(start..).unwrap_or_default();
        let line = head.iter().position(|byte| *byte == b'\n').unwrap_or(head.len());
        let marker = head.get(2..line).unwrap_or_default();
        if marker.contains(&b' ') || line == head.len() {
            return Ok(None);
        }
        let marker: Vec<u8> = marker.iter().copied().filter(|byte| *byte != b'\r').collect();
        let plain = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
        if marker.is_empty() || !marker.iter().all(plain) {
            return Err((start, "the marker of this heredoc is no word of letters, digits, `-` and `_`"));
        }
        let body_at = line + 1;
        let body = head.get(body_at..).unwrap_or_default();
        let Some(found) = body.windows(marker.len()).position(|window| *window == *marker) else {
            return Err((start, "this heredoc does not end"));
        };
        let body = body.get(..found).unwrap_or_default();
        self.at = start + body_at + found + marker.len();
        self.skipped = 0;
        self.line += 1 + body.iter().filter(|byte| **byte == b'\n').count();
        // The blanks before the marker are taken off every line.
        let last = body.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
        let (lines, padding) = body.split_at(last);
        let mut text = Vec::new();
        for line in lines.split(|byte| *byte == b'\n') {
            let line = line.strip_suffix(b"\r").unwrap_or(line);
            match line.strip_prefix(padding) {
                Some(rest) => text.extend_from_slice(rest),
                None if line.is_empty() => {}
                None => return Err((start, "a line of this heredoc is indented less than its end")),
            }
            text.push(b'\n');
        }
        // One for the last line's end, one for what `split` finds behind it.
        text.truncate(text.len().saturating_sub(2));
        Ok(Some(text))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Vec<Word> {
        let files = Files::default();
        let (words, trouble) = words(&files, &Arc::from("/Caddyfile"), text.as_bytes(), None, true);
        assert!(trouble.is_none(), "{trouble:?}");
        words
    }

    fn texts(text: &str) -> Vec<String> {
        read(text).into_iter().map(|word| word.text).collect()
    }

    #[test]
    fn words_are_as_caddy_takes_them() {
        assert_eq!(texts("a b#c # d\n\"e \\\" \\f\" `g \\\"`"), ["a", "b#c", "e \" \\f", "g \\\""]);
        assert_eq!(texts("a <<END\n  b\n    c\n  END d"), ["a", "b\n  c", "d"]);
        assert_eq!(texts("a << b \\<<c"), ["a", "<<", "b", "<<c"]);
        let words = read("a \\\n  b\nc");
        assert!(!words[1].on_new_line(&words[0]) && words[2].on_new_line(&words[1]));
        let words = read("a <<X\nb\nX\nc");
        assert!(words[2].on_new_line(&words[1]));
    }

    #[test]
    fn variables_stand_for_their_defaults_and_keep_their_places() {
        let text = "{$HOST:a.test b}:{$PORT} c{$} {$D:x}";
        let words = read(text);
        let found: Vec<(&str, bool, &str)> =
            words.iter().map(|word| (word.text.as_str(), word.unknown, &text[word.at.start..word.at.end])).collect();
        assert_eq!(
            found,
            [
                ("a.test", false, "{$HOST:a.test b}"),
                ("b:{$PORT}", true, "{$HOST:a.test b}:{$PORT}"),
                ("c{$}", false, "c{$}"),
                ("x", false, "{$D:x}"),
            ]
        );
        let environment = [("PORT".to_owned(), "8443".to_owned())];
        let files = Files::default().in_environment(&environment);
        let (words, _) = super::words(&files, &Arc::from("/Caddyfile"), b":{$PORT}", None, true);
        assert_eq!((words[0].text.as_str(), words[0].unknown), (":8443", false));
    }

    #[test]
    fn what_does_not_end_is_an_error_at_its_place() {
        let files = Files::default();
        for text in ["a <<END\nb", "a <<E!\nb", "a <<\nb", "a <<END\n  b\n    END"] {
            let (_, trouble) = words(&files, &Arc::from("/Caddyfile"), text.as_bytes(), None, true);
            let trouble = trouble.unwrap_or_else(|| panic!("{text:?}"));
            assert_eq!((trouble.at.map(|at| at.start), trouble.fatal), (Some(2), true), "{text:?}");
        }
    }
}
