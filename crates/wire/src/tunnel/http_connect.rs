//! HTTP CONNECT (RFC 9110 §9.3.6) with Basic credentials (RFC 7617).

use super::literal;
use crate::dialogue::{Dialogue, Driver, Line, Script, Turn, line, quote};
use std::net::IpAddr;

/// Asks an HTTP proxy for a connection to `host` (a name or an IP literal) and `port`; `auth` is user and password.
pub fn http_connect(host: &str, port: u16, auth: Option<(&str, &str)>) -> Box<dyn Dialogue> {
    let authority = match literal(host) {
        Some(IpAddr::V6(address)) => format!("[{address}]:{port}"),
        _ => format!("{host}:{port}"),
    };
    let authorization = auth.map(|(user, password)| base64(format!("{user}:{password}").as_bytes()));
    Driver::start(HttpConnect { authority, authorization, head: Head::default() })
}

struct HttpConnect {
    authority: String,
    authorization: Option<String>,
    head: Head,
}

/// What of the response's head has been read.
#[derive(Default)]
struct Head {
    status: Option<(u16, String)>,
    /// The scheme words of Proxy-Authenticate fields.
    schemes: Vec<String>,
}

impl Script for HttpConnect {
    const PEER: &'static str = "the proxy";

    fn opening(&mut self) -> Result<Vec<u8>, String> {
        // The authority goes into the head of a request: nothing in it may end a line or a word.
        if !self.authority.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(format!("{} is no host name that a proxy can be asked for", quote(self.authority.as_bytes())));
        }
        let mut request = format!("CONNECT {0} HTTP/1.1\r\nHost: {0}\r\n", self.authority);
        if let Some(credentials) = &self.authorization {
            request += &format!("Proxy-Authorization: Basic {credentials}\r\n");
        }
        Ok((request + "\r\n").into_bytes())
    }

    fn read(&mut self, input: &[u8]) -> Turn {
        let (text, used) = match line(input) {
            Line::Partial => return Turn::Wait,
            Line::Whole { text, used } => (text, used),
            Line::NotText(text) => return not_http(text),
        };
        let Some((status, status_line)) = &self.head.status else {
            let Some(status) = status_code(text) else {
                return not_http(text);
            };
            self.head.status = Some((status, quote(text)));
            return Turn::skip(used);
        };
        match (text, status) {
            (b"", 200..=299) => Turn::ready(used),
            // Interim responses come before the one that counts (RFC 9110 §15.2).
            (b"", 100..=199) => {
                self.head = Head::default();
                Turn::skip(used)
            }
            (b"", 407) if self.authorization.is_some() => Turn::Refused(format!(
                "the proxy does not take the user name and password: {status_line}{}",
                self.head.asks_for()
            )),
            (b"", 407) => Turn::Refused(format!("the proxy asks for a login: {status_line}{}", self.head.asks_for())),
            (b"", _) => Turn::Refused(format!("the proxy refuses to connect to {}: {status_line}", self.authority)),
            (field, _) => {
                self.head.schemes.extend(authentication_scheme(field));
                Turn::skip(used)
            }
        }
    }
}

impl Head {
    fn asks_for(&self) -> String {
        if self.schemes.is_empty() { String::new() } else { format!(" (it takes {})", self.schemes.join(", ")) }
    }
}

/// The code of `HTTP/1.1 200 Connection established`.
fn status_code(text: &[u8]) -> Option<u16> {
    let mut words = text.strip_prefix(b"HTTP/")?.splitn(3, |&byte| byte == b' ');
    let code = words.nth(1).filter(|code| code.len() == 3)?;
    std::str::from_utf8(code).ok()?.parse().ok().filter(|&code| code >= 100)
}

fn authentication_scheme(field: &[u8]) -> Option<String> {
    let (name, value) = field.split_at_checked(field.iter().position(|&byte| byte == b':')?)?;
    let word = value.get(1..)?.trim_ascii_start().split(|byte| !byte.is_ascii_alphanumeric()).next()?;
    let asked = name.eq_ignore_ascii_case(b"Proxy-Authenticate") && !word.is_empty();
    asked.then(|| String::from_utf8_lossy(word).into_owned())
}

fn not_http(text: &[u8]) -> Turn {
    Turn::Refused(format!("the proxy does not speak HTTP: it said {}", quote(text)))
}

/// RFC 4648 §4, with padding.
fn base64(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let bits = (0..3).fold(0, |bits, index| bits << 8 | usize::from(chunk.get(index).copied().unwrap_or(0)));
        for index in 0..4 {
            let sextet = bits >> (18 - 6 * index) & 0x3f;
            let letter = ALPHABET.get(sextet).copied().filter(|_| index <= chunk.len());
            text.push(char::from(letter.unwrap_or(b'=')));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_of_rfc_4648() {
        let vectors = [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg=="), ("foobar", "Zm9vYmFy")];
        for (plain, encoded) in vectors {
            assert_eq!(base64(plain.as_bytes()), encoded);
        }
        assert_eq!(base64(&[0xfb, 0xff, 0xfe]), "+//+");
    }
}
