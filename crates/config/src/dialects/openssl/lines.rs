//! The lines of an openssl.cnf as `def_load_bio` (crypto/conf/conf_def.c) takes them: joined by `\`, comments taken away, each
//! byte with its place in the file.

/// A logical line.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Line {
    /// Its bytes without line ends, continuations and comment.
    pub(super) text: Vec<u8>,
    /// Where each of them stands in the file.
    places: Vec<usize>,
}

impl Line {
    /// The bytes in the file from the first of `range` to its last; empty at the line's end where there is none.
    pub(super) fn span(&self, range: std::ops::Range<usize>) -> std::ops::Range<usize> {
        let end = self.places.last().map_or(0, |last| last + 1);
        let start = self.places.get(range.start).copied().unwrap_or(end);
        match range.end.checked_sub(1).and_then(|last| self.places.get(last)) {
            Some(last) if range.end > range.start => start..last + 1,
            _ => start..start,
        }
    }

    fn truncate(&mut self, length: usize) {
        self.text.truncate(length);
        self.places.truncate(length);
    }
}

/// The next logical line from `at` on, which is moved behind it; `None` at the end. A byte 0 ends what is seen of a physical line,
/// and the file where it stands first in one (measured on 3.0.19).
pub(super) fn next(bytes: &[u8], at: &mut usize) -> Option<Line> {
    let mut line = Line::default();
    let mut again = false;
    loop {
        let rest = bytes.get(*at..).unwrap_or_default();
        let length = rest.iter().position(|byte| *byte == b'\n').map_or(rest.len(), |newline| newline + 1);
        let physical = rest.get(..length).unwrap_or_default();
        let seen = physical.split(|byte| *byte == 0).next().unwrap_or_default();
        if seen.is_empty() && !again {
            return None;
        }
        let kept = seen.iter().rposition(|byte| !matches!(byte, b'\r' | b'\n')).map_or(0, |last| last + 1);
        again = !seen.is_empty() && kept == seen.len();
        line.text.extend(seen.iter().take(kept));
        line.places.extend(*at..*at + kept);
        *at += length;
        if !again && line.text.last() == Some(&b'\\') && line.text.iter().rev().nth(1) != Some(&b'\\') {
            line.truncate(line.text.len() - 1);
            again = true;
        }
        if !again {
            let end = without_comment(&line.text);
            line.truncate(end);
            return Some(line);
        }
    }
}

/// Where the comment begins, or the end.
fn without_comment(text: &[u8]) -> usize {
    let mut at = 0;
    while let Some(byte) = text.get(at) {
        match byte {
            b'#' => return at,
            b'"' | b'\'' | b'`' => at = past_quotes(text, at),
            b'\\' => at = past_escape(text, at),
            _ => at += 1,
        }
    }
    at
}

fn past_quotes(text: &[u8], open: usize) -> usize {
    let quote = text.get(open);
    let mut at = open + 1;
    while at < text.len() && text.get(at) != quote {
        if text.get(at) == Some(&b'\\') {
            at += 1;
        }
        at += 1;
    }
    (at + 1).min(text.len())
}

fn past_escape(text: &[u8], at: usize) -> usize {
    (at + 2).min(text.len())
}

/// Past white space.
pub(super) fn past_blanks(text: &[u8], mut at: usize) -> usize {
    while text.get(at).is_some_and(|byte| matches!(byte, b' ' | b'\t' | b'\r' | b'\n')) {
        at += 1;
    }
    at
}

/// Past a name: letters, digits, `_`, some punctuation and escapes.
pub(super) fn past_name(text: &[u8], mut at: usize, dollar: bool) -> usize {
    while let Some(byte) = text.get(at) {
        match byte {
            b'\\' => at = past_escape(text, at),
            b'$' if dollar => at += 1,
            _ if is_word(*byte) || b"!%&*+,-./;?@^|~".contains(byte) => at += 1,
            _ => break,
        }
    }
    at
}

/// A letter, a digit or `_`.
pub(super) fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

/// The end of what is left without white space behind it.
pub(super) fn trimmed_end(text: &[u8], start: usize) -> usize {
    let rest = text.get(start..).unwrap_or_default();
    rest.iter().rposition(|byte| !matches!(byte, b' ' | b'\t' | b'\r' | b'\n')).map_or(start, |last| start + last + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(text: &[u8]) -> Vec<String> {
        let mut at = 0;
        std::iter::from_fn(|| next(text, &mut at)).map(|line| String::from_utf8_lossy(&line.text).into_owned()).collect()
    }

    #[test]
    fn lines_are_joined_and_lose_their_comments() {
        assert_eq!(lines(b"a = b\\\r\nc # d\r\n\"#\" \\# e\n'x\\'#' f#"), ["a = bc ", "\"#\" \\# e", "'x\\'#' f"]);
        assert_eq!(lines(b"a\\\\\nb\\"), ["a\\\\", "b"]);
        assert_eq!(lines(b"\n\n"), ["", ""]);
        assert_eq!(lines(b""), [""; 0]);
    }

    #[test]
    fn a_zero_byte_hides_the_rest_of_its_line_and_the_file_where_it_comes_first() {
        assert_eq!(lines(b"a\0b\nc\nd\n"), ["ac", "d"]);
        assert_eq!(lines(b"a\n\0b\nc\n"), ["a"]);
    }

    #[test]
    fn places_are_those_of_the_file() {
        let mut at = 0;
        let line = next(b"ab\\\ncd\n", &mut at).unwrap();
        assert_eq!((line.text.as_slice(), line.span(1..3), at), (&b"abcd"[..], 1..5, 7));
        assert_eq!(line.span(4..4), 6..6);
    }
}
