//! The talk before TLS, recognised by what was said: a proxy asked for a way, a protocol asked to start TLS.

use tlswhy_model::{Bytes, Exchange, Speaker};
use tlswhy_wire::{Reader, other, upgrade};

use crate::handshake::{Side, Tunnel};

/// How many bytes of each side are looked at; a talk that is longer is no prelude to TLS.
pub(crate) const LIMIT: usize = 16 << 10;

/// How many turns are told apart.
pub(crate) const MAX_TURNS: usize = 64;

/// What PostgreSQL clients ask with (SSLRequest).
const SSL_REQUEST: &[u8] = &[0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f];

/// LDAP's StartTLS (RFC 4511 §4.14.1).
const LDAP_STARTTLS: &[u8] = b"1.3.6.1.4.1.1466.20037";

/// One side's turn: a range of what it sent.
#[derive(Clone, Debug)]
pub(crate) struct Turn {
    pub(crate) from: Side,
    pub(crate) start: usize,
    pub(crate) end: usize,
}

/// The talk before TLS.
pub(crate) struct Talk<'a> {
    /// What each side said.
    pub(crate) client: &'a [u8],
    pub(crate) server: &'a [u8],
    pub(crate) turns: &'a [Turn],
}

/// What the talk was about.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Meaning {
    pub(crate) tunnel: Option<Tunnel>,
    pub(crate) upgrade: Option<&'static str>,
}

impl Talk<'_> {
    /// What the client asked for.
    pub(crate) fn meaning(&self) -> Meaning {
        let tunnel = http_connect(self.client).or_else(|| socks(self.client));
        Meaning { tunnel, upgrade: self.upgrade() }
    }

    /// The upgrade that the client asked for.
    fn upgrade(&self) -> Option<&'static str> {
        let greeted = other::recognise(self.server).and_then(|other| other.upgrade);
        let said = |word: &str| lines(self.client).any(|line| line.eq_ignore_ascii_case(word.as_bytes()));
        let begins = |word: &str| lines(self.client).any(|line| begins_with(line, word));
        let name = if self.client.starts_with(SSL_REQUEST) {
            "postgres"
        } else if contains(self.client, LDAP_STARTTLS) {
            "ldap"
        } else if contains(self.client, b"<stream:stream") && contains(self.client, b"<starttls") {
            if contains(self.client, b"jabber:server") { "xmpp-server" } else { "xmpp" }
        } else if said("STLS") {
            "pop3"
        } else if said("AUTH TLS") || said("AUTH SSL") || said("AUTH TLS-C") {
            "ftp"
        } else if lines(self.client).any(|line| ends_with_word(line, b"STARTTLS")) {
            match greeted {
                Some(name) if name != "smtp" => name,
                _ if begins("LHLO") => "lmtp",
                _ if begins("EHLO") || begins("HELO") => "smtp",
                other => other?,
            }
        } else if greeted == Some("mysql") && is_ssl_request(self.client) {
            "mysql"
        } else {
            return None;
        };
        upgrade::upgrade(name).map(|upgrade| upgrade.name)
    }

    /// The last line that the server said, printable.
    pub(crate) fn last_answer(&self) -> String {
        let last = self.turns.iter().rev().find(|turn| turn.from == Side::Server);
        let said = last.and_then(|turn| self.server.get(turn.start..turn.end)).unwrap_or_default();
        tlswhy_model::printable(&String::from_utf8_lossy(lines(said).last().unwrap_or_default()), 200)
    }

    /// Who said what, without credentials.
    pub(crate) fn exchanges(&self, has_tunnel: bool) -> Vec<Exchange> {
        let mut secret_follows = false;
        let mut exchanges = Vec::new();
        for turn in self.turns {
            let (from, said) = match turn.from {
                Side::Client => (Speaker::Client, self.client),
                Side::Server if has_tunnel => (Speaker::Proxy, self.server),
                Side::Server => (Speaker::Server, self.server),
            };
            let mut bytes = said.get(turn.start..turn.end).unwrap_or_default().to_vec();
            if turn.from == Side::Client {
                mask(&mut bytes, &mut secret_follows);
            }
            if !bytes.is_empty() {
                exchanges.push(Exchange { from, bytes: Bytes(bytes) });
            }
        }
        exchanges
    }
}

/// Whether both sides spoke, and in a protocol that does not come to TLS on the same connection: its bytes need not be kept.
pub(crate) fn leads_nowhere(client: &[u8], server: &[u8]) -> bool {
    const REQUESTS: [&str; 7] = ["GET ", "POST ", "HEAD ", "PUT ", "DELETE ", "PATCH ", "PRI * HTTP/2"];
    let tls_alert = matches!(server, [21] | [21, 3, ..]);
    let is_request = REQUESTS.iter().any(|request| begins_with(client, request));
    !server.is_empty() && !tls_alert && is_request || server.starts_with(b"SSH-")
}

/// Replaces credentials of the client: fields of HTTP, commands of mail and files, and the login of SOCKS (RFC 1929).
fn mask(bytes: &mut [u8], secret_follows: &mut bool) {
    const SECRETS: [&str; 8] =
        ["authorization:", "proxy-authorization:", "auth ", "pass ", "user ", "login ", "authenticate ", "authinfo "];
    if let [1, length, ..] = bytes
        && *length > 0
    {
        let from = 2.min(bytes.len());
        bytes.get_mut(from..).unwrap_or_default().fill(b'*');
        return;
    }
    for line in bytes.split_mut(|byte| *byte == b'\n') {
        // IMAP puts a tag before its commands.
        let tag = line.iter().position(|byte| *byte == b' ').map_or(0, |space| space + 1);
        let tls = ends_with_word(line.trim_ascii_end(), b"TLS") || ends_with_word(line.trim_ascii_end(), b"STARTTLS");
        let secret = SECRETS.iter().find_map(|word| {
            let from = [0, tag].into_iter().find(|from| line.get(*from..).is_some_and(|rest| begins_with(rest, word)))?;
            Some(from + word.len())
        });
        match secret.filter(|_| !tls) {
            Some(from) => {
                line.get_mut(from..)
                    .unwrap_or_default()
                    .iter_mut()
                    .filter(|byte| **byte != b'\r')
                    .for_each(|byte| *byte = b'*');
                *secret_follows = true;
            }
            // The lines after AUTH LOGIN are user name and password.
            None if *secret_follows && !tls && !line.contains(&b' ') && !line.contains(&b':') => {
                line.iter_mut().filter(|byte| **byte != b'\r').for_each(|byte| *byte = b'*');
            }
            None => {}
        }
    }
}

fn http_connect(client: &[u8]) -> Option<Tunnel> {
    let line = lines(client).next()?.strip_prefix(b"CONNECT ")?;
    let authority = std::str::from_utf8(line.split(|byte| *byte == b' ').next()?).ok()?;
    let (host, port) = authority.rsplit_once(':')?;
    let host = host.trim_start_matches('[').trim_end_matches(']');
    Some(Tunnel { scheme: "http", host: tlswhy_model::printable(host, 255), port: port.parse().ok()? })
}

/// SOCKS4, SOCKS4a, and SOCKS5 after its greeting (RFC 1928 §3, §4).
fn socks(client: &[u8]) -> Option<Tunnel> {
    let mut input = Reader::new(client, 0);
    let version = input.u8("").ok()?;
    let tunnel = |host: String, port| Some(Tunnel { scheme: "socks", host, port });
    match version {
        4 => {
            input.u8("").ok().filter(|command| *command == 1)?;
            let port = input.u16("").ok()?;
            let address = input.array::<4>("").ok()?;
            if let [0, 0, 0, 1..=255] = address {
                let mut rest = input.rest().split(|byte| *byte == 0);
                let host = rest.nth(1)?;
                return tunnel(tlswhy_model::printable(&String::from_utf8_lossy(host), 255), port);
            }
            tunnel(std::net::Ipv4Addr::from(address).to_string(), port)
        }
        5 => {
            input.vector8("").ok()?;
            // A login may stand between (RFC 1929 §2).
            if input.rest().first() == Some(&1) {
                input.skip(1);
                input.vector8("").ok()?;
                input.vector8("").ok()?;
            }
            input.array::<3>("").ok().filter(|request| *request == [5, 1, 0])?;
            let host = match input.u8("").ok()? {
                1 => std::net::Ipv4Addr::from(input.array::<4>("").ok()?).to_string(),
                3 => tlswhy_model::printable(&String::from_utf8_lossy(input.vector8("").ok()?.rest()), 255),
                4 => std::net::Ipv6Addr::from(input.array::<16>("").ok()?).to_string(),
                _ => return None,
            };
            tunnel(host, input.u16("").ok()?)
        }
        _ => None,
    }
}

/// A handshake response of MySQL that stops after its capabilities, which asks for TLS: 32 bytes, numbered 1, CLIENT_SSL set.
fn is_ssl_request(client: &[u8]) -> bool {
    matches!(client, [32, 0, 0, 1, _, flags, ..] if flags & 0x08 != 0)
}

fn lines(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    text.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii).filter(|line: &&[u8]| !line.is_empty())
}

fn begins_with(line: &[u8], word: &str) -> bool {
    line.get(..word.len()).is_some_and(|start| start.eq_ignore_ascii_case(word.as_bytes()))
}

/// Whether a line is this word, or ends with it after a blank.
fn ends_with_word(line: &[u8], word: &[u8]) -> bool {
    let Some(before) = line.len().checked_sub(word.len()) else { return false };
    line.get(before..).is_some_and(|end| end.eq_ignore_ascii_case(word)) && (before == 0 || line.get(before - 1) == Some(&b' '))
}

fn contains(text: &[u8], part: &[u8]) -> bool {
    text.windows(part.len()).any(|window| window == part)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn meaning(client: &[u8], server: &[u8]) -> Meaning {
        Talk { client, server, turns: &[] }.meaning()
    }

    #[test]
    fn upgrades_are_known_by_what_was_said() {
        for (client, server, name) in [
            (&b"EHLO a\r\nSTARTTLS\r\n"[..], &b"220 mail ESMTP\r\n250-a\r\n250 STARTTLS\r\n220 go\r\n"[..], Some("smtp")),
            (b"EHLO a\r\nQUIT\r\n", b"220 mail ESMTP\r\n", None),
            (b"LHLO a\r\nSTARTTLS\r\n", b"220 mail LMTP\r\n", Some("lmtp")),
            (b"a STARTTLS\r\n", b"* OK ready\r\n", Some("imap")),
            (b"CAPA\r\nSTLS\r\n", b"+OK\r\n", Some("pop3")),
            (b"AUTH TLS\r\n", b"220 hello\r\n", Some("ftp")),
            (SSL_REQUEST, b"S", Some("postgres")),
            (b"GET / HTTP/1.1\r\n\r\n", b"HTTP/1.1 200 OK\r\n", None),
        ] {
            assert_eq!(meaning(client, server).upgrade, name, "{client:?}");
        }
    }

    #[test]
    fn tunnels_name_where_they_go() {
        for (client, host, port) in [
            (&b"CONNECT example.test:443 HTTP/1.1\r\nHost: x\r\n\r\n"[..], "example.test", 443),
            (b"CONNECT [2001:db8::1]:8443 HTTP/1.1\r\n\r\n", "2001:db8::1", 8443),
            (&[4, 1, 1, 187, 192, 0, 2, 1, 0], "192.0.2.1", 443),
            (b"\x04\x01\x01\xbb\0\0\0\x01me\0example.test\0", "example.test", 443),
            (b"\x05\x01\0\x05\x01\0\x03\x0cexample.test\x01\xbb", "example.test", 443),
            (b"\x05\x01\x02\x01\x01u\x01p\x05\x01\0\x01\xc0\0\x02\x01\x01\xbb", "192.0.2.1", 443),
        ] {
            let tunnel = meaning(client, b"").tunnel.unwrap();
            assert_eq!((tunnel.host.as_str(), tunnel.port), (host, port));
            for cut in 0..client.len() {
                let _ = meaning(&client[..cut], b"");
            }
        }
    }

    #[test]
    fn credentials_are_replaced() {
        for (said, shown) in [
            (
                "CONNECT a:1 HTTP/1.1\r\nProxy-Authorization: Basic Zm9v\r\n\r\n",
                "CONNECT a:1 HTTP/1.1\r\nProxy-Authorization:***********\r\n\r\n",
            ),
            ("EHLO a\r\nAUTH LOGIN\r\nZm9v\r\n", "EHLO a\r\nAUTH *****\r\n****\r\n"),
            ("a1 LOGIN joe secret\r\n", "a1 LOGIN **********\r\n"),
            ("AUTH TLS\r\n", "AUTH TLS\r\n"),
        ] {
            let turns = [Turn { from: Side::Client, start: 0, end: said.len() }];
            let talk = Talk { client: said.as_bytes(), server: b"", turns: &turns };
            assert_eq!(String::from_utf8_lossy(&talk.exchanges(false)[0].bytes.0), shown);
        }
    }
}
