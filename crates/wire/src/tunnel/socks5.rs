//! SOCKS5 (RFC 1928) with user name and password (RFC 1929).

use super::literal;
use crate::dialogue::{Dialogue, Driver, Line, Script, Turn, line, quote};
use std::net::IpAddr;

/// Asks a SOCKS5 proxy for a connection to `host` and `port`; `auth` is user and password. A name is sent as a name: the proxy resolves it.
pub fn socks5(host: &str, port: u16, auth: Option<(&str, &str)>) -> Box<dyn Dialogue> {
    let auth = auth.map(|(user, password)| (user.to_owned(), password.to_owned()));
    Driver::start(Socks5 { host: host.to_owned(), port, auth, expected: Expected::Method })
}

struct Socks5 {
    host: String,
    port: u16,
    auth: Option<(String, String)>,
    expected: Expected,
}

enum Expected {
    Method,
    Login,
    Connection,
}

const VERSION: u8 = 5;
const NO_LOGIN: u8 = 0;
const USER_AND_PASSWORD: u8 = 2;
const NO_ACCEPTABLE_METHOD: u8 = 0xff;

impl Script for Socks5 {
    const PEER: &'static str = "the proxy";

    fn opening(&mut self) -> Result<Vec<u8>, String> {
        // Each of these goes into a field whose length is one byte.
        if self.host.is_empty() || self.host.len() > 255 {
            return Err(format!("a SOCKS5 host name has 1 to 255 bytes, this one {}", self.host.len()));
        }
        match &self.auth {
            Some((user, password)) if [user, password].iter().any(|text| text.is_empty() || text.len() > 255) => {
                Err("a SOCKS5 user name or password has 1 to 255 bytes".to_owned())
            }
            Some(_) => Ok(vec![VERSION, 2, NO_LOGIN, USER_AND_PASSWORD]),
            None => Ok(vec![VERSION, 1, NO_LOGIN]),
        }
    }

    fn read(&mut self, input: &[u8]) -> Turn {
        match self.expected {
            Expected::Method => self.method(input),
            Expected::Login => match *input {
                [_, 0, ..] => self.connect(2),
                [_, status, ..] => {
                    Turn::Refused(format!("the proxy does not take the user name and password (status {status})"))
                }
                _ => Turn::Wait,
            },
            Expected::Connection => connection(input, &self.host, self.port),
        }
    }
}

impl Socks5 {
    fn method(&mut self, input: &[u8]) -> Turn {
        match (input, &self.auth) {
            ([VERSION, NO_LOGIN, ..], _) => self.connect(2),
            ([VERSION, USER_AND_PASSWORD, ..], Some((user, password))) => {
                let mut login = vec![1];
                for text in [user, password] {
                    login.extend(u8::try_from(text.len()));
                    login.extend(text.as_bytes());
                }
                self.expected = Expected::Login;
                Turn::Next { used: 2, send: login }
            }
            ([VERSION, NO_ACCEPTABLE_METHOD, ..], None) => Turn::Refused("the proxy asks for a login".to_owned()),
            ([VERSION, NO_ACCEPTABLE_METHOD, ..], Some(_)) => {
                Turn::Refused("the proxy takes neither a login by user name and password nor none".to_owned())
            }
            ([VERSION, method, ..], _) => {
                Turn::Refused(format!("the proxy asks for login method {method}, which was not offered"))
            }
            ([VERSION], _) => Turn::Wait,
            ([b'H', ..], _) => match line(input) {
                Line::Partial => Turn::Wait,
                Line::Whole { text, .. } | Line::NotText(text) => not_socks(text),
            },
            _ => not_socks(input.get(..1).unwrap_or(input)),
        }
    }

    fn connect(&mut self, used: usize) -> Turn {
        // Version, CONNECT, reserved.
        let mut request = vec![VERSION, 1, 0];
        match literal(&self.host) {
            Some(IpAddr::V4(address)) => {
                request.push(1);
                request.extend(address.octets());
            }
            Some(IpAddr::V6(address)) => {
                request.push(4);
                request.extend(address.octets());
            }
            None => {
                request.push(3);
                request.extend(u8::try_from(self.host.len()));
                request.extend(self.host.as_bytes());
            }
        }
        request.extend(self.port.to_be_bytes());
        self.expected = Expected::Connection;
        Turn::Next { used, send: request }
    }
}

/// Version, reply code, reserved, the address type and the address and port that the proxy uses.
fn connection(input: &[u8], host: &str, port: u16) -> Turn {
    match *input {
        [VERSION, 0, _, 1, ..] => ready_after(input, 10),
        [VERSION, 0, _, 4, ..] => ready_after(input, 22),
        [VERSION, 0, _, 3, length, ..] => ready_after(input, 7 + usize::from(length)),
        [VERSION, 0, _, 3] => Turn::Wait,
        [VERSION, 0, _, kind, ..] => Turn::Refused(format!("the proxy answers with an address of unknown type {kind}")),
        [VERSION, code, ..] if code != 0 => {
            Turn::Refused(format!("the proxy does not connect to {host}:{port}: {} (reply {code})", reply_text(code)))
        }
        [VERSION, ..] => Turn::Wait,
        _ => not_socks(input.get(..1).unwrap_or(input)),
    }
}

fn ready_after(input: &[u8], used: usize) -> Turn {
    if input.len() < used { Turn::Wait } else { Turn::ready(used) }
}

/// RFC 1928 §6.
fn reply_text(code: u8) -> &'static str {
    match code {
        1 => "general failure of the proxy",
        2 => "its rules do not allow the connection",
        3 => "network unreachable",
        4 => "host unreachable",
        5 => "connection refused",
        6 => "TTL expired",
        7 => "it does not support CONNECT",
        8 => "it does not support this type of address",
        _ => "unnamed failure",
    }
}

fn not_socks(text: &[u8]) -> Turn {
    Turn::Refused(match text {
        [0 | 4] => "the proxy does not speak SOCKS5: it answers in SOCKS4".to_owned(),
        _ => format!("the proxy does not speak SOCKS5: it said {}", quote(text)),
    })
}
