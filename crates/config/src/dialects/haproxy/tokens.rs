//! Lines and words of HAProxy's files (parse_line() of HAProxy's `tools.c`): quotes, escapes, comments, variables.

use std::collections::HashMap;
use std::ops::Range;

/// One word, with the bytes that it is written with (quotes included).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Word {
    pub(super) text: String,
    pub(super) span: Range<usize>,
}

/// The words of one line.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Words {
    pub(super) words: Vec<Word>,
    /// Variables whose value is not known.
    pub(super) unknown: Vec<String>,
    /// What HAProxy would refuse in it.
    pub(super) wrong: Option<&'static str>,
}

/// The byte ranges of the lines, their ends left out; whether the last one has its end.
pub(super) fn lines(bytes: &[u8]) -> (Vec<Range<usize>>, bool) {
    let mut lines = Vec::new();
    let mut start = 0;
    for (at, _) in bytes.iter().enumerate().filter(|(_, byte)| **byte == b'\n') {
        lines.push(start..at);
        start = at + 1;
    }
    if start < bytes.len() {
        lines.push(start..bytes.len());
    }
    (lines, bytes.last().is_none_or(|last| *last == b'\n'))
}

/// A word must not grow beyond this through variables.
const LONGEST: usize = 64 * 1024;

/// The words of the line at these bytes.
pub(super) fn words(bytes: &[u8], line: &Range<usize>, variables: &HashMap<String, String>) -> Words {
    let mut found = Words::default();
    let mut text: Vec<u8> = Vec::new();
    let mut start: Option<usize> = None;
    let mut quote: Option<u8> = None;
    let mut at = line.start;
    while at < line.end {
        let Some(byte) = bytes.get(at).copied() else { break };
        match (byte, quote) {
            (b'"' | b'\'', None) => {
                quote = Some(byte);
                start.get_or_insert(at);
                at += 1;
            }
            (byte, Some(open)) if byte == open => {
                quote = None;
                at += 1;
            }
            (b'\\', open) if open != Some(b'\'') => {
                start.get_or_insert(at);
                let (taken, piece) = escape(bytes.get(at..line.end).unwrap_or_default(), open.is_some());
                text.extend(piece);
                at += taken;
            }
            (b'$', Some(b'"')) => {
                let (taken, name, default) = variable(bytes.get(at..line.end).unwrap_or_default());
                match variables.get(&name) {
                    Some(value) if text.len() + value.len() < LONGEST => text.extend(value.as_bytes()),
                    Some(_) => found.wrong = Some("the line is too long"),
                    None => match default {
                        Some(default) => text.extend(default),
                        None => {
                            text.extend(bytes.get(at..at + taken).unwrap_or_default());
                            found.unknown.push(name);
                        }
                    },
                }
                at += taken;
            }
            (b'#' | b'\r', None) => break,
            (b' ' | b'\t', None) => {
                if let Some(start) = start.take() {
                    let text = String::from_utf8_lossy(&std::mem::take(&mut text)).into_owned();
                    found.words.push(Word { text, span: start..at });
                }
                at += 1;
            }
            (0, _) => {
                found.wrong = Some("there is a NUL byte in it");
                at += 1;
            }
            (byte, _) => {
                start.get_or_insert(at);
                text.push(byte);
                at += 1;
            }
        }
    }
    if quote.is_some() {
        found.wrong = Some("its quote is not closed");
    }
    if let Some(start) = start {
        found.words.push(Word { text: String::from_utf8_lossy(&text).into_owned(), span: start..at });
    }
    found
}

/// How many bytes an escape takes, and what it stands for. Within double quotes only `\\`, `\"` and `\$` are escapes.
fn escape(bytes: &[u8], quoted: bool) -> (usize, Vec<u8>) {
    let Some(second) = bytes.get(1).copied() else { return (1, vec![b'\\']) };
    match (second, quoted) {
        (b'\\' | b'"' | b'$', _) | (b' ' | b'#' | b'\'', false) => (2, vec![second]),
        (b'n', false) => (2, vec![b'\n']),
        (b'r', false) => (2, vec![b'\r']),
        (b't', false) => (2, vec![b'\t']),
        (b'x', false) => {
            let digits = bytes.get(2..4).and_then(|digits| std::str::from_utf8(digits).ok());
            match digits.and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
                Some(byte) => (4, vec![byte]),
                None => (1, vec![b'\\']),
            }
        }
        _ => (1, vec![b'\\']),
    }
}

/// How many bytes a variable takes, its name, and its default: `$NAME`, `${NAME}`, `${NAME-default}`, `${NAME[*]}`.
fn variable(bytes: &[u8]) -> (usize, String, Option<Vec<u8>>) {
    let brace = bytes.get(1) == Some(&b'{');
    let from = if brace { 2 } else { 1 };
    let rest = bytes.get(from..).unwrap_or_default();
    let length = rest.iter().take_while(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.')).count();
    let name = String::from_utf8_lossy(rest.get(..length).unwrap_or_default()).into_owned();
    if !brace {
        return (from + length, name, None);
    }
    let after = rest.get(length..).unwrap_or_default();
    let inside = after.iter().position(|byte| *byte == b'}').unwrap_or(after.len());
    let default = after.strip_prefix(b"-").and_then(|default| default.get(..inside.saturating_sub(1)));
    ((from + length + inside + 1).min(bytes.len()), name, default.map(<[u8]>::to_vec))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Vec<String> {
        let known = HashMap::from([("DIR".to_owned(), "/etc/tls".to_owned())]);
        words(text.as_bytes(), &(0..text.len()), &known).words.into_iter().map(|word| word.text).collect()
    }

    #[test]
    fn words_are_cut_as_haproxy_cuts_them() {
        assert_eq!(read("  bind :443\tssl # crt x"), ["bind", ":443", "ssl"]);
        assert_eq!(read("a\\ b 'c # \\x' \"d \\\" e\"f"), ["a b", "c # \\x", "d \" ef"]);
        assert_eq!(
            read("crt \"${DIR}/a\" \"$DIR/b\" ${DIR}/c \"${NO-/x}/d\""),
            ["crt", "/etc/tls/a", "/etc/tls/b", "${DIR}/c", "/x/d"]
        );
        assert_eq!(read("bind :443\r"), ["bind", ":443"]);
        assert_eq!(read("\\x41\\n"), ["A\n"]);
    }

    #[test]
    fn every_prefix_of_odd_lines_is_read() {
        let text = b"a \"${X-y}\" '\\' \\x4 \"$\" ${ \"${\0\xff";
        for end in 0..=text.len() {
            let read = words(&text[..end], &(0..end), &HashMap::new());
            assert!(read.words.iter().all(|word| word.span.end <= end));
        }
    }
}
