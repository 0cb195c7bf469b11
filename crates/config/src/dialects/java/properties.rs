//! The grammar of java.util.Properties, with the place of every character.

use std::ops::Range;
use std::sync::Arc;

use crate::dialects::client::span;
use crate::span::Span;

/// A property as it stands in a file.
#[derive(Clone, Debug)]
pub(in crate::dialects) struct Property {
    pub(in crate::dialects) key: String,
    /// The characters of its value, escapes resolved and continued lines joined.
    pub(in crate::dialects) value: Vec<char>,
    /// Where each character begins and ends in the file.
    places: Vec<Range<usize>>,
    /// The whole of it.
    pub(in crate::dialects) at: Span,
    /// Its value, with what continues it.
    pub(in crate::dialects) value_at: Span,
    /// Whether something divides the key from its value.
    pub(in crate::dialects) is_divided: bool,
}

impl Property {
    /// The value as text.
    pub(in crate::dialects) fn text(&self) -> String {
        self.value.iter().collect()
    }

    /// The place of some of the value's characters in the file; of none, the place before the first.
    pub(in crate::dialects) fn place(&self, of: &Range<usize>) -> Span {
        let path = &self.at.path;
        let start = self.places.get(of.start).map_or(self.value_at.end, |place| place.start);
        let end = of.end.checked_sub(1).and_then(|last| self.places.get(last)).map_or(start, |place| place.end);
        span(path, start, end.max(start))
    }
}

/// A character with where it stands, and whether a backslash stood before it.
type Letter = (char, Range<usize>, bool);

/// The properties of a file, in its order, as far as it can be read.
#[derive(Debug, Default)]
pub(in crate::dialects) struct Properties {
    pub(in crate::dialects) properties: Vec<Property>,
    /// The escape at which Java stops to read.
    pub(in crate::dialects) malformed: Option<Span>,
}

/// The properties of a file. Bytes are Latin-1 up to Java 8 and UTF-8 since; no name here needs more than ASCII.
pub(in crate::dialects) fn properties(path: &Arc<str>, bytes: &[u8]) -> Properties {
    let mut all = Properties::default();
    let mut at = 0;
    while at < bytes.len() {
        at += count(bytes, at, is_white);
        match bytes.get(at) {
            None => break,
            Some(b'\n' | b'\r') => at += 1,
            Some(b'#' | b'!') => at += count(bytes, at, |byte| !is_end(byte)),
            Some(_) => match logical_line(bytes, at) {
                Ok((letters, end)) => {
                    all.properties.extend(property(path, &letters, at));
                    at = end;
                }
                Err(escape) => {
                    all.malformed = Some(span(path, escape, (escape + 2).min(bytes.len())));
                    break;
                }
            },
        }
    }
    all
}

fn property(path: &Arc<str>, letters: &[Letter], start: usize) -> Option<Property> {
    let divides = |(letter, _, escaped): &Letter| !escaped && matches!(letter, '=' | ':' | ' ' | '\t' | '\x0c');
    let key_end = letters.iter().position(divides).unwrap_or(letters.len());
    let blank = |(letter, _, escaped): &&Letter| !escaped && matches!(letter, ' ' | '\t' | '\x0c');
    let blanks = |from: usize| letters.get(from..).unwrap_or_default().iter().take_while(blank).count();
    let mut value = key_end + blanks(key_end);
    if letters.get(value).is_some_and(|(letter, _, escaped)| !escaped && matches!(letter, '=' | ':')) {
        value += 1;
        value += blanks(value);
    }
    let rest = letters.get(value..).unwrap_or_default();
    let end = letters.last().map(|(_, place, _)| place.end)?;
    let value_start = rest.first().map_or(end, |(_, place, _)| place.start);
    Some(Property {
        key: letters.get(..key_end).unwrap_or_default().iter().map(|(letter, ..)| letter).collect(),
        value: rest.iter().map(|(letter, ..)| *letter).collect(),
        places: rest.iter().map(|(_, place, _)| place.clone()).collect(),
        at: span(path, start, end),
        value_at: span(path, value_start, end),
        is_divided: key_end < letters.len(),
    })
}

/// The letters of a line with all that continues it, and where the next begins; or the place of an escape that is none.
fn logical_line(bytes: &[u8], start: usize) -> Result<(Vec<Letter>, usize), usize> {
    let mut letters = Vec::new();
    let mut at = start;
    while let Some(byte) = bytes.get(at).copied() {
        if is_end(byte) {
            break;
        }
        if byte != b'\\' {
            letters.push((char::from(byte), at..at + 1, false));
            at += 1;
            continue;
        }
        match bytes.get(at + 1).copied() {
            // A backslash at the very end stands for nothing.
            None => at += 1,
            Some(b'\n' | b'\r') => {
                at += if bytes.get(at + 1..at + 3) == Some(b"\r\n") { 3 } else { 2 };
                at += count(bytes, at, is_white);
            }
            Some(b'u') => {
                let digits = bytes.get(at + 2..at + 6).and_then(|digits| std::str::from_utf8(digits).ok());
                let digits = digits.filter(|digits| digits.bytes().all(|digit| digit.is_ascii_hexdigit()));
                let number = digits.and_then(|digits| u32::from_str_radix(digits, 16).ok()).ok_or(at)?;
                // Halves of a surrogate pair are in no name here.
                letters.push((char::from_u32(number).unwrap_or(char::REPLACEMENT_CHARACTER), at..at + 6, true));
                at += 6;
            }
            Some(other) => {
                let letter = match other {
                    b't' => '\t',
                    b'n' => '\n',
                    b'r' => '\r',
                    b'f' => '\x0c',
                    other => char::from(other),
                };
                letters.push((letter, at..at + 2, true));
                at += 2;
            }
        }
    }
    Ok((letters, at))
}

fn count(bytes: &[u8], from: usize, is: impl Fn(u8) -> bool) -> usize {
    bytes.get(from..).unwrap_or_default().iter().take_while(|byte| is(**byte)).count()
}

fn is_white(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\x0c')
}

fn is_end(byte: u8) -> bool {
    matches!(byte, b'\n' | b'\r')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_go_on_behind_a_backslash_and_keep_their_places() {
        let text = b"# a comment \\\n  a.b = one, \\\r\n\t two\\u0033 \\\n! not a comment\nc:d\ne f\ng\n\\#h=i\\";
        let all = properties(&Arc::from("x"), text).properties;
        let found: Vec<(String, String)> = all.iter().map(|one| (one.key.clone(), one.text())).collect();
        let expected = [("a.b", "one, two3 ! not a comment"), ("c", "d"), ("e", "f"), ("g", ""), ("#h", "i")];
        assert_eq!(found, expected.map(|(key, value)| (key.to_owned(), value.to_owned())));
        let first = all.first().unwrap();
        let two = first.text().find("two3").unwrap();
        let place = first.place(&(two..two + 4));
        assert_eq!(text.get(place.start..place.end), Some(&b"two\\u0033"[..]));
    }

    #[test]
    fn an_escape_without_its_digits_ends_the_file() {
        let read = properties(&Arc::from("x"), b"a=1\nb=\\u12\nc=3\n");
        assert_eq!(read.properties.len(), 1);
        assert_eq!(read.malformed.map(|at| at.start), Some(6));
    }
}
