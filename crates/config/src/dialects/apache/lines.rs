//! The lines of one file: continued ones joined, blank ones and comments left out; and the words of a line.
//!
//! As `ap_cfg_getline` and `ap_getword_conf` have it (server/util.c): a backslash before the line end continues the line, also
//! that of a comment; `#` begins a comment only at the beginning of a line; a word may be quoted with `"` or `'`, and a backslash
//! escapes the quote and itself.

use std::ops::Range;

/// A line as the program takes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Line {
    /// Its bytes in the file, without white space around them.
    pub(super) span: Range<usize>,
    /// The bytes that its value has there: all but the first word; empty at the end where there is none.
    pub(super) value: Range<usize>,
    /// What it says, continuations joined; what is not UTF-8 is replaced.
    pub(super) text: String,
    /// Whether it is one line of the file.
    pub(super) single: bool,
}

/// The lines of a file that say something.
pub(super) fn lines(bytes: &[u8]) -> Vec<Line> {
    let mut found = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        let start = at;
        let mut joined: Vec<u8> = Vec::new();
        let mut pieces = 0_usize;
        loop {
            let rest = bytes.get(at..).unwrap_or_default();
            let length = rest.iter().position(|byte| *byte == b'\n').unwrap_or(rest.len());
            let piece = rest.get(..length).unwrap_or_default();
            let ended = length < rest.len();
            at += length + usize::from(ended);
            pieces += 1;
            let piece = if ended { piece.strip_suffix(b"\r").unwrap_or(piece) } else { piece };
            match piece.strip_suffix(b"\\").filter(|_| ended) {
                Some(piece) => joined.extend_from_slice(piece),
                None => {
                    joined.extend_from_slice(piece);
                    break;
                }
            }
        }
        let text = joined.trim_ascii();
        if text.is_empty() || text.first() == Some(&b'#') {
            continue;
        }
        let raw = bytes.get(start..at).unwrap_or_default();
        let begin = start + raw.iter().take_while(|byte| blank(**byte)).count();
        let end = start + raw.trim_ascii_end().len();
        let begin = begin.min(end);
        let value = raw_words(bytes, begin..end).into_iter().nth(1).map_or(end..end, |word| word.start..end);
        found.push(Line { span: begin..end, value, text: String::from_utf8_lossy(text).into_owned(), single: pieces == 1 });
    }
    found
}

fn blank(byte: u8) -> bool {
    byte.is_ascii_whitespace() || byte == 0x0b
}

/// Where the words of a line lie in the file: quotes belong to them.
pub(super) fn raw_words(bytes: &[u8], span: Range<usize>) -> Vec<Range<usize>> {
    let mut words = Vec::new();
    let end = span.end.min(bytes.len());
    let mut at = span.start;
    let continued = |at: usize| {
        let rest = bytes.get(at..end).unwrap_or_default();
        if rest.starts_with(b"\\\r\n") { 3 } else { usize::from(rest.starts_with(b"\\\n")) * 2 }
    };
    while at < end {
        let Some(byte) = bytes.get(at).copied() else { break };
        if continued(at) > 0 {
            at += continued(at);
            continue;
        }
        if blank(byte) {
            at += 1;
            continue;
        }
        let start = at;
        if matches!(byte, b'"' | b'\'') {
            at += 1;
            while at < end && bytes.get(at) != Some(&byte) {
                let escapes = bytes.get(at) == Some(&b'\\') && matches!(bytes.get(at + 1), Some(b'\\' | b'"' | b'\''));
                at += if escapes { 2 } else { 1 };
            }
            at = (at + 1).min(end);
        } else {
            while at < end && continued(at) == 0 && bytes.get(at).is_some_and(|byte| !blank(*byte)) {
                at += 1;
            }
        }
        words.push(start..at);
    }
    words
}

/// The first word and what follows it.
pub(super) fn word(text: &str) -> Option<(String, &str)> {
    let text = text.trim_start();
    let first = text.chars().next()?;
    if !matches!(first, '"' | '\'') {
        let end = text.find(|c: char| c.is_ascii_whitespace()).unwrap_or(text.len());
        let (word, rest) = text.split_at(end);
        return Some((word.replace("\\\\", "\\"), rest.trim_start()));
    }
    let mut word = String::new();
    let mut chars = text.char_indices().skip(1).peekable();
    while let Some((at, c)) = chars.next() {
        if c == first {
            return Some((word, text.get(at + 1..).unwrap_or_default().trim_start()));
        }
        match chars.peek() {
            Some((_, next)) if c == '\\' && (*next == first || *next == '\\') => {
                word.push(*next);
                chars.next();
            }
            _ => word.push(c),
        }
    }
    Some((word, ""))
}

/// All words.
pub(super) fn words(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut rest = text;
    while let Some((first, after)) = word(rest) {
        found.push(first);
        rest = after;
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_joined_and_comments_left_out_only_at_their_beginning() {
        let text = b"# a \\\r\nSSLEngine off\r\nSSLProtocol \\\r\n  -all \\\r\n +TLSv1.2 # no comment\n\n  B";
        let found = lines(text);
        let texts: Vec<&str> = found.iter().map(|line| line.text.as_str()).collect();
        assert_eq!(texts, ["SSLProtocol   -all  +TLSv1.2 # no comment", "B"]);
        assert_eq!(text.get(found[0].value.clone()).unwrap().get(..4), Some(&b"-all"[..]));
        assert!(!found[0].single && found[1].single);
    }

    #[test]
    fn words_are_quoted_as_in_httpd() {
        assert_eq!(words(r#"a "b c" 'd"e' "f\"g" h"i j"#), ["a", "b c", "d\"e", "f\"g", "h\"i", "j"]);
        assert_eq!(words("\"open"), ["open"]);
        assert_eq!(words("  "), Vec::<String>::new());
    }

    #[test]
    fn raw_words_lie_where_the_words_are() {
        let text = b"SSLOpenSSLConfCmd \\\n  Groups \"X25519:P-256\"";
        let found: Vec<&[u8]> = raw_words(text, 0..text.len()).into_iter().map(|word| &text[word]).collect();
        assert_eq!(found, [&b"SSLOpenSSLConfCmd"[..], b"Groups", b"\"X25519:P-256\""]);
    }
}
