//! Tokens of lighttpd's files (config_tokenizer() of lighttpd's `configfile.c`).

use std::ops::Range;

/// What a token is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    LineEnd,
    Text(String),
    Number(i64),
    Name(String),
    Sign(&'static str),
}

/// A token and its bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Token {
    pub(super) kind: Kind,
    pub(super) span: Range<usize>,
}

/// The longer before their beginnings.
const SIGNS: &[&str] =
    &["==", "=~", "=^", "=$", "=>", "!=", "!~", "+=", ":=", "=", "+", "(", ")", "{", "}", "[", "]", ",", "$"];

/// The tokens of a file, and what stands where none can be read.
pub(super) fn tokens(bytes: &[u8]) -> (Vec<Token>, Option<(usize, &'static str)>) {
    let mut tokens = Vec::new();
    let mut at = 0;
    while let Some(byte) = bytes.get(at).copied() {
        let rest = bytes.get(at..).unwrap_or_default();
        let (kind, length) = match byte {
            b' ' | b'\t' => {
                at += 1;
                continue;
            }
            0xc2 if rest.get(1) == Some(&0xa0) => {
                at += 2;
                continue;
            }
            b'#' => {
                at += rest.iter().position(|byte| matches!(byte, b'\n' | b'\r')).unwrap_or(rest.len());
                continue;
            }
            b'\n' | b'\r' => (Kind::LineEnd, 1),
            b'"' => match text(rest) {
                Some((text, length)) => (Kind::Text(text), length),
                None => return (tokens, Some((at, "the quote is not closed"))),
            },
            b'0'..=b'9' => {
                let length = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
                let digits = std::str::from_utf8(rest.get(..length).unwrap_or_default()).unwrap_or_default();
                match digits.parse() {
                    Ok(number) => (Kind::Number(number), length),
                    Err(_) => return (tokens, Some((at, "the number is too large"))),
                }
            }
            byte if byte.is_ascii_alphabetic() || matches!(byte, b'.' | b'_' | b'-') => {
                let part = |byte: &&u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-');
                let length = rest.iter().take_while(part).count();
                (Kind::Name(String::from_utf8_lossy(rest.get(..length).unwrap_or_default()).into_owned()), length)
            }
            _ => match SIGNS.iter().find(|sign| rest.starts_with(sign.as_bytes())) {
                Some(sign) => (Kind::Sign(sign), sign.len()),
                None => return (tokens, Some((at, "this character has no meaning here"))),
            },
        };
        tokens.push(Token { kind, span: at..at + length });
        at += length;
    }
    (tokens, None)
}

/// A quoted text and how many bytes it takes. `\"` is the only escape.
fn text(bytes: &[u8]) -> Option<(String, usize)> {
    let mut text = Vec::new();
    let mut at = 1;
    loop {
        match (bytes.get(at)?, bytes.get(at + 1)) {
            (b'"', _) => return Some((String::from_utf8_lossy(&text).into_owned(), at + 1)),
            (0, _) => return None,
            (b'\\', Some(b'"')) => {
                text.push(b'"');
                at += 2;
            }
            (byte, _) => {
                text.push(*byte);
                at += 1;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_cut_as_lighttpd_cuts_them() {
        let (tokens, wrong) = tokens(b"a.b += (\"x\\\"y\" => 1) # c\r\n$HTTP[\"host\"] =~ \"\\.a$\" {");
        assert_eq!(wrong, None);
        let texts: Vec<String> = tokens.iter().map(|token| format!("{:?}", token.kind)).collect();
        assert_eq!(texts[2], "Sign(\"(\")");
        assert_eq!(texts[3], "Text(\"x\\\"y\")");
        assert_eq!(texts[5], "Number(1)");
        assert_eq!(tokens.len(), 17);
    }

    #[test]
    fn every_prefix_is_read() {
        let text = b"a = \"b\\\"c\" + 99999999999999999999\0\xff";
        for end in 0..=text.len() {
            tokens(&text[..end]);
        }
    }
}
