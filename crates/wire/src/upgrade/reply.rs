//! Replies that begin with three digits, as SMTP, LMTP, FTP and NNTP have them.

use crate::dialogue::{Line, Turn, line, quote};

/// A whole reply of one or more lines.
pub(super) struct Reply<'a> {
    /// 100 to 999.
    pub(super) code: u16,
    /// Bytes of the input that it takes.
    pub(super) used: usize,
    /// All of it, without the last line end.
    pub(super) whole: &'a [u8],
}

impl<'a> Reply<'a> {
    /// Reads `250-…` lines up to the line `250 …` or `250` (RFC 5321 §4.2.1); lines between need no code (RFC 959 §4.2).
    /// The error is the turn to take: wait, or refuse what is no reply.
    pub(super) fn read(input: &'a [u8]) -> Result<Reply<'a>, Turn> {
        let mut used = 0;
        let mut first = None;
        loop {
            let (text, length) = match line(input.get(used..).unwrap_or_default()) {
                Line::Partial => return Err(Turn::Wait),
                Line::Whole { text, used } => (text, used),
                Line::NotText(_) if first.is_some() => {
                    return Err(unexpected(input.get(..used).unwrap_or(input)));
                }
                Line::NotText(text) => return Err(unexpected(text)),
            };
            let code = code(text);
            let opening = *first.get_or_insert(code);
            let Some(opening) = opening else {
                return Err(unexpected(text));
            };
            used += length;
            if code == Some(opening) && text.get(3) != Some(&b'-') {
                let whole = input.get(..used).unwrap_or(input);
                return Ok(Reply { code: opening, used, whole: whole.trim_ascii_end() });
            }
        }
    }

    /// The lines after their codes; the first is a greeting, the rest are capabilities where the reply lists some.
    pub(super) fn texts(&self) -> impl Iterator<Item = &'a [u8]> + use<'a> {
        let lines = self.whole.split(|&byte| byte == b'\n');
        lines.map(|line| line.get(4..).unwrap_or_default().trim_ascii())
    }

    /// The reply on one line, quoted.
    pub(super) fn quoted(&self) -> String {
        let lines: Vec<&[u8]> = self.whole.split(|&byte| byte == b'\n').map(<[u8]>::trim_ascii).collect();
        quote(&lines.join(&b" / "[..]))
    }
}

/// The code that a line begins with: three digits, then a space, a hyphen or nothing.
fn code(text: &[u8]) -> Option<u16> {
    let digits = text.get(..3).filter(|_| matches!(text.get(3), None | Some(b' ' | b'-')))?;
    let code = std::str::from_utf8(digits).ok().filter(|digits| digits.bytes().all(|byte| byte.is_ascii_digit()))?;
    code.parse().ok().filter(|&code| code >= 100)
}

fn unexpected(text: &[u8]) -> Turn {
    Turn::Refused(format!("the server said {} where a reply with a code was expected", quote(text)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_single_and_multi_line_replies() {
        let read = |input: &'static [u8]| Reply::read(input).map(|reply| (reply.code, reply.used)).ok();
        assert_eq!(read(b"220 hi\r\nmore"), Some((220, 8)));
        assert_eq!(read(b"220\r\n"), Some((220, 5)));
        assert_eq!(read(b"250-a\r\n250-b\n250 c\r\n"), Some((250, 20)));
        assert_eq!(read(b"220-a\r\n free text\r\n331 x\r\n220 end\r\n"), Some((220, 35)));
        assert_eq!(read(b"220-a\r\n"), None);
        assert_eq!(read(b"220x\r\n"), None);
        assert_eq!(read(b"022 x\r\n"), None);
    }
}
