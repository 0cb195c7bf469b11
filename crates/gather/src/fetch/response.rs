//! Reads an HTTP/1.1 response (RFC 9112) as it comes.

/// The longest head, and the longest body, in bytes.
const LONGEST_HEAD: usize = 64 * 1024;
const LONGEST_BODY: usize = 1024 * 1024;
/// The longest line with the size of a chunk, in bytes.
const LONGEST_SIZE: usize = 1024;

/// A response, whole.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Response {
    pub(super) status: u16,
    pub(super) location: Option<String>,
    pub(super) body: Vec<u8>,
}

/// Puts responses together; interim ones (RFC 9110 §15.2) are passed over.
#[derive(Default)]
pub(super) struct Responses {
    /// What came and was not used yet.
    buffer: Vec<u8>,
    head: Option<Head>,
    body: Vec<u8>,
}

struct Head {
    status: u16,
    location: Option<String>,
    framing: Framing,
}

/// Where the body ends (RFC 9112 §6.3).
#[derive(Clone, Copy)]
enum Framing {
    Length(usize),
    Chunked,
    Close,
}

impl Responses {
    /// Takes what came; `closed` if nothing more will. Gives the response once it is whole.
    pub(super) fn push(&mut self, bytes: &[u8], closed: bool) -> Result<Option<Response>, String> {
        self.buffer.extend_from_slice(bytes);
        while self.head.is_none() {
            let Some(end) = self.buffer.windows(4).position(|window| window == b"\r\n\r\n") else {
                return match self.buffer.len() > LONGEST_HEAD || closed {
                    true => Err("the answer is no HTTP".to_owned()),
                    false => Ok(None),
                };
            };
            let rest = self.buffer.split_off(end + 4);
            let head = std::mem::replace(&mut self.buffer, rest);
            self.head = Some(Head::parse(&head)?).filter(|head| head.status >= 200);
        }
        let framing = self.head.as_ref().map_or(Framing::Close, |head| head.framing);
        let whole = match framing {
            Framing::Length(length) if length > LONGEST_BODY => return Err(too_long()),
            Framing::Length(length) => {
                self.body.append(&mut self.buffer);
                self.body.truncate(length);
                self.body.len() == length
            }
            Framing::Chunked => self.chunks()?,
            Framing::Close => {
                self.body.append(&mut self.buffer);
                closed
            }
        };
        if self.body.len() > LONGEST_BODY {
            return Err(too_long());
        }
        if !whole {
            return if closed { Err("the answer is cut short".to_owned()) } else { Ok(None) };
        }
        let body = std::mem::take(&mut self.body);
        Ok(self.head.take().map(|Head { status, location, .. }| Response { status, location, body }))
    }

    /// Takes the whole chunks (RFC 9112 §7.1); `true` after the last one.
    fn chunks(&mut self) -> Result<bool, String> {
        let mut at = 0;
        let last = loop {
            let rest = self.buffer.get(at..).unwrap_or_default();
            let Some(end) = rest.iter().take(LONGEST_SIZE).position(|byte| *byte == b'\n') else {
                if rest.len() >= LONGEST_SIZE {
                    return Err("the chunks of the answer are damaged".to_owned());
                }
                break false;
            };
            let size = rest.get(..end).unwrap_or_default();
            let size = size.split(|byte| *byte == b';').next().unwrap_or_default().trim_ascii();
            let digits = std::str::from_utf8(size).ok().filter(|size| !size.starts_with('+'));
            let size = digits.and_then(|size| usize::from_str_radix(size, 16).ok());
            let size = size.ok_or("the chunks of the answer are damaged")?;
            if size > LONGEST_BODY || self.body.len() > LONGEST_BODY {
                return Err(too_long());
            }
            if size == 0 {
                break true;
            }
            let Some(content) = rest.get(end + 1..end + 1 + size) else {
                break false;
            };
            match rest.get(end + 1 + size..end + 3 + size) {
                Some(b"\r\n") => {}
                Some(_) => return Err("the chunks of the answer are damaged".to_owned()),
                None => break false,
            }
            self.body.extend_from_slice(content);
            at += end + 3 + size;
        };
        self.buffer.drain(..at.min(self.buffer.len()));
        Ok(last)
    }
}

impl Head {
    fn parse(head: &[u8]) -> Result<Head, String> {
        let head = String::from_utf8_lossy(head);
        let mut lines = head.split("\r\n");
        let status = lines.next().and_then(|line| line.strip_prefix("HTTP/1.")).and_then(|line| line.split(' ').nth(1));
        let status: u16 = status.and_then(|status| status.parse().ok()).ok_or("the answer is no HTTP")?;
        let fields: Vec<(String, &str)> = lines
            .filter_map(|line| line.split_once(':'))
            .map(|(name, value)| (name.trim().to_ascii_lowercase(), value.trim()))
            .collect();
        let field = |wanted: &str| fields.iter().find(|(name, _)| name == wanted).map(|(_, value)| *value);
        let framing = match (status, field("transfer-encoding"), field("content-length")) {
            (..200 | 204 | 304, _, _) => Framing::Length(0),
            (_, Some(coding), _) if coding.eq_ignore_ascii_case("chunked") => Framing::Chunked,
            (_, Some(_), _) => return Err("the answer comes in a transfer coding that is not read".to_owned()),
            (_, None, Some(length)) => {
                Framing::Length(length.parse().map_err(|_| "the answer has no sensible Content-Length".to_owned())?)
            }
            (_, None, None) => Framing::Close,
        };
        Ok(Head { status, location: field("location").map(str::to_owned), framing })
    }
}

fn too_long() -> String {
    format!("the answer has more than {} MiB", LONGEST_BODY >> 20)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str, piece: usize) -> Result<Option<Response>, String> {
        let mut responses = Responses::default();
        for bytes in text.as_bytes().chunks(piece) {
            if let Some(response) = responses.push(bytes, false)? {
                return Ok(Some(response));
            }
        }
        responses.push(b"", true)
    }

    #[test]
    fn every_framing_is_read_in_any_pieces() {
        let interim = "HTTP/1.1 100 Continue\r\n\r\n";
        for (text, body) in [
            ("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello and more", "hello"),
            ("HTTP/1.0 200\r\n\r\nhello", "hello"),
            ("HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\n\r\n2;x=y\r\nhe\r\n03\r\nllo\r\n0\r\n\r\n", "hello"),
            ("HTTP/1.1 204 None\r\n\r\n", ""),
        ] {
            for piece in [1, 3, 7, 1000] {
                for text in [text.to_owned(), format!("{interim}{text}")] {
                    let response = read(&text, piece).unwrap().unwrap();
                    assert_eq!(response.body, body.as_bytes(), "{text} {piece}");
                }
            }
        }
        let moved = read("HTTP/1.1 302 Found\r\nlocation:  /x \r\nContent-Length: 0\r\n\r\n", 5).unwrap().unwrap();
        assert_eq!((moved.status, moved.location.as_deref()), (302, Some("/x")));
    }

    #[test]
    fn what_is_damaged_or_endless_is_an_error() {
        let ok = "HTTP/1.1 200 OK\r\n";
        for (text, error) in [
            ("SSH-2.0-x\r\n\r\n".to_owned(), "no HTTP"),
            ("HTTP/1.1 200 OK\r\nX: y".to_owned(), "no HTTP"),
            ("x".repeat(LONGEST_HEAD + 2), "no HTTP"),
            (format!("{ok}Content-Length: 9\r\n\r\nhello"), "cut short"),
            (format!("{ok}Content-Length: -1\r\n\r\n"), "Content-Length"),
            (format!("{ok}Content-Length: 1048577\r\n\r\n"), "more than 1 MiB"),
            (format!("{ok}\r\n{}", "x".repeat(LONGEST_BODY + 1)), "more than 1 MiB"),
            (format!("{ok}Transfer-Encoding: gzip, chunked\r\n\r\n"), "transfer coding"),
            (format!("{ok}Transfer-Encoding: chunked\r\n\r\n5\r\nhell"), "cut short"),
            (format!("{ok}Transfer-Encoding: chunked\r\n\r\n5\r\nhelloo\r\n"), "damaged"),
            (format!("{ok}Transfer-Encoding: chunked\r\n\r\n+5\r\nhello\r\n"), "damaged"),
            (format!("{ok}Transfer-Encoding: chunked\r\n\r\nffffffffffffffffff\r\n"), "damaged"),
            (format!("{ok}Transfer-Encoding: chunked\r\n\r\nfffffff\r\n"), "more than 1 MiB"),
            (format!("{ok}Transfer-Encoding: chunked\r\n\r\n{}", "x".repeat(2000)), "damaged"),
        ] {
            let found = read(&text, 4096).unwrap_err();
            assert!(found.contains(error), "{error}: {found}");
        }
    }
}
