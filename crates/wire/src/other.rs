//! Recognises what answered when it was not TLS, by its first bytes.
//!
//! What a server says to a bare ClientHello is its greeting, its complaint, or nothing at all; many close without a word
//! (PostgreSQL, OpenLDAP), so silence and a close say nothing about the protocol.

use crate::dialogue::printable;
use crate::upgrade::ldap::ExtendedResponse;
use crate::upgrade::mysql::Greeting;
use crate::upgrade::postgres::error_message;

/// A protocol that is not TLS.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OtherProtocol {
    /// Short name: `"http"`, `"smtp"`.
    pub name: &'static str,
    /// The peer for people, with its article: `"an HTTP server"`.
    pub title: &'static str,
    /// The upgrade to try (a name in [`crate::upgrade::UPGRADES`]), where the protocol has one.
    pub upgrade: Option<&'static str>,
    /// What it said: the first line of text, or the gist of a binary message; printable ASCII, at most 200 characters.
    pub detail: String,
}

/// Recognises a peer by the first bytes that it sent. TLS and SSLv2 answers are never recognised as something else,
/// nor is the complaint of a TLS port about plain HTTP.
pub fn recognise(bytes: &[u8]) -> Option<OtherProtocol> {
    let tls = matches!(bytes, [20..=24, 3, 0..=4, ..]);
    let head = bytes.get(..LOOK).unwrap_or(bytes);
    if tls || WANTS_TLS.iter().any(|words| contains(head, words)) {
        return None;
    }
    PROTOCOLS.iter().find_map(|protocol| {
        let detail = protocol.mark.find(head)?;
        Some(OtherProtocol { name: protocol.name, title: protocol.title, upgrade: protocol.upgrade, detail })
    })
}

/// Recognises a peer that sends back what it receives: an echo service, or a serial console behind a port.
/// A few bytes in common are no echo, for every TLS record begins alike; so the answer must go on into the hello itself.
pub fn recognise_echo(sent: &[u8], received: &[u8]) -> Option<OtherProtocol> {
    let common = sent.iter().zip(received).take_while(|(sent, received)| sent == received).count();
    (common >= 11 && common == sent.len().min(received.len())).then(|| OtherProtocol {
        name: "echo",
        title: "a server that sends back what it receives",
        upgrade: None,
        detail: format!("the first {common} bytes are those of the ClientHello"),
    })
}

/// How many bytes are looked at.
const LOOK: usize = 4096;

/// Complaints of TLS ports (nginx, Apache httpd, Go, Tomcat) about a request in plaintext: what answers does speak TLS.
const WANTS_TLS: &[&str] = &[
    "plain HTTP request was sent to HTTPS port",
    "speaking plain HTTP to an SSL-enabled server port",
    "Client sent an HTTP request to an HTTPS server",
    "This combination of host and port requires TLS",
];

struct Protocol {
    name: &'static str,
    title: &'static str,
    upgrade: Option<&'static str>,
    mark: Mark,
}

/// By what a protocol is known. Letters match in any case.
enum Mark {
    /// It begins with one of these.
    Begins(&'static [&'static str]),
    /// It begins with one of the first, and contains one of the second.
    Contains(&'static [&'static str], &'static [&'static str]),
    /// The bytes have this shape; gives the detail.
    Shape(fn(&[u8]) -> Option<String>),
}

impl Mark {
    /// The detail, if the bytes have this mark.
    fn find(&self, bytes: &[u8]) -> Option<String> {
        let begins = |starts: &[&str]| starts.iter().any(|start| begins(bytes, start));
        let found = match self {
            Mark::Begins(starts) => begins(starts),
            Mark::Contains(starts, words) => begins(starts) && words.iter().any(|word| contains(bytes, word)),
            Mark::Shape(shape) => return shape(bytes),
        };
        found.then(|| first_line(bytes))
    }
}

const fn row(name: &'static str, title: &'static str, upgrade: Option<&'static str>, mark: Mark) -> Protocol {
    Protocol { name, title, upgrade, mark }
}

/// The first row that fits counts, so the narrower stands before the wider.
#[rustfmt::skip]
static PROTOCOLS: &[Protocol] = &[
    row("http-proxy", "an HTTP proxy", None, Mark::Contains(&["HTTP/"], &[
        "\nX-Squid-Error:", "\nServer: squid", "\nProxy-Authenticate:", "\nProxy-Agent:", "\nProxy-Connection:", "\nServer: tinyproxy",
        "\nServer: Mikrotik HttpProxy", "\nServer: Zscaler", "\nX-Bluecoat-Via:"])),
    row("http", "an HTTP server", None, Mark::Begins(&["HTTP/1.", "HTTP/0.9 ", "HTTP/2", "<!DOCTYPE html", "<html"])),
    row("http", "an HTTP server", None, Mark::Contains(&["<?xml"], &["<html"])),
    row("http2", "an HTTP/2 server without TLS", None, Mark::Shape(http2)),
    row("rtsp", "an RTSP server", None, Mark::Begins(&["RTSP/1.", "RTSP/2."])),
    row("sip", "a SIP server", None, Mark::Begins(&["SIP/2.0 "])),
    row("ssh", "an SSH server", None, Mark::Begins(&["SSH-1.", "SSH-2.0-"])),
    // Servers that greet with a code: only their words tell mail from files.
    row("smtp", "an SMTP server", Some("smtp"), Mark::Contains(CODES, &["SMTP"])),
    row("lmtp", "an LMTP server", Some("lmtp"), Mark::Contains(CODES, &["LMTP"])),
    row("ftp", "an FTP server", Some("ftp"), Mark::Contains(CODES, &["FTP", "FileZilla", "Serv-U", "530 Please login"])),
    row("smtp", "an SMTP server", Some("smtp"), Mark::Contains(CODES, &["Postfix", "Exim", "Sendmail", "OpenSMTPD"])),
    row("220", "a server that greets with 220, as SMTP, LMTP and FTP do", Some("smtp"), Mark::Begins(&["220 ", "220-"])),
    row("nntp", "an NNTP server", Some("nntp"), Mark::Contains(&["200 ", "201 ", "400 ", "502 "], &["NNTP", "NNRP", "news", "posting"])),
    row("imap", "an IMAP server", Some("imap"), Mark::Begins(&["* OK", "* PREAUTH", "* BYE", "* BAD"])),
    row("redis", "a Redis server", None, Mark::Contains(&["-"], &[
        "-ERR unknown command", "-ERR Protocol error", "-ERR max number of clients", "-DENIED Redis", "-NOAUTH ", "-LOADING "])),
    row("pop3", "a POP3 server", Some("pop3"), Mark::Begins(&["+OK", "-ERR "])),
    row("sieve", "a ManageSieve server", Some("sieve"), Mark::Begins(&["\"IMPLEMENTATION\" \"", "\"SIEVE\" \"", "\"SASL\" \"", "\"STARTTLS\"\r\n"])),
    row("xmpp", "an XMPP server for servers", Some("xmpp-server"), Mark::Contains(XML, &["jabber:server"])),
    row("xmpp", "an XMPP server", Some("xmpp"), Mark::Begins(XML)),
    row("irc", "an IRC server", Some("irc"), Mark::Begins(&["NOTICE AUTH ", "NOTICE * ", "ERROR :"])),
    row("irc", "an IRC server", Some("irc"), Mark::Contains(&[":"], &[" NOTICE ", " 421 ", " 451 "])),
    row("mysql", "a MySQL server", Some("mysql"), Mark::Shape(mysql)),
    row("postgresql", "a PostgreSQL server", Some("postgres"), Mark::Shape(postgresql)),
    row("ldap", "an LDAP server", Some("ldap"), Mark::Shape(ldap)),
    row("amqp", "an AMQP server", None, Mark::Begins(&["AMQP\0", "AMQP\u{1}", "AMQP\u{2}", "AMQP\u{3}"])),
    row("rdp", "a Remote Desktop server", None, Mark::Shape(rdp)),
    row("vnc", "a VNC server", None, Mark::Begins(&["RFB 00"])),
    row("telnet", "a Telnet server", None, Mark::Shape(telnet)),
    row("memcached", "a memcached server", None, Mark::Begins(&["ERROR\r\n", "CLIENT_ERROR "])),
    row("nats", "a NATS server, which starts TLS after its greeting", None, Mark::Begins(&["INFO {"])),
    row("rsync", "an rsync server", None, Mark::Begins(&["@RSYNCD:"])),
    row("svn", "a Subversion server", None, Mark::Begins(&["( success ( "])),
    row("text", "a server that answers in plain text", None, Mark::Shape(text)),
];

/// Ready, ready soon, closing, not logged in, no service here.
const CODES: &[&str] = &["220 ", "220-", "120 ", "421 ", "421-", "530 ", "500 OOPS", "554 ", "554-"];
const XML: &[&str] = &["<?xml", "<stream:", "<stream "];

fn begins(bytes: &[u8], start: &str) -> bool {
    bytes.get(..start.len()).is_some_and(|bytes| bytes.eq_ignore_ascii_case(start.as_bytes()))
}

fn contains(bytes: &[u8], words: &str) -> bool {
    bytes.windows(words.len()).any(|bytes| bytes.eq_ignore_ascii_case(words.as_bytes()))
}

fn first_line(bytes: &[u8]) -> String {
    let lines = bytes.split(|&byte| byte == b'\n').map(<[u8]>::trim_ascii);
    printable(lines.into_iter().find(|line| !line.is_empty()).unwrap_or_default())
}

/// A SETTINGS or GOAWAY frame on stream 0 (RFC 9113 §4.1): length (3), type, flags, stream (4).
fn http2(bytes: &[u8]) -> Option<String> {
    match *bytes {
        [0, 0, length, 4, 0, 0, 0, 0, 0, ..] if length % 6 == 0 => Some("SETTINGS frame".to_owned()),
        [0, _, 8..=255, 7, 0, 0, 0, 0, 0, ..] => Some("GOAWAY frame".to_owned()),
        _ => None,
    }
}

fn mysql(bytes: &[u8]) -> Option<String> {
    match Greeting::read(bytes) {
        Ok(Some(Greeting::Hello { version, .. })) if !version.is_empty() => Some(format!("version {}", printable(version))),
        // Servers number their errors from 1000 on.
        Ok(Some(Greeting::Error { code: code @ 1000.., message })) => {
            Some(printable(format!("error {code}: ").as_bytes()) + &printable(message))
        }
        _ => None,
    }
}

fn postgresql(bytes: &[u8]) -> Option<String> {
    match *bytes {
        [b'E', 0, 0, _, _, b'S' | b'V' | b'C' | b'M', ..] => {
            Some(printable(bytes.get(1..).and_then(error_message).unwrap_or_default()))
        }
        _ => None,
    }
}

/// The notice of disconnection (RFC 4511 §4.4.1), or another extended response.
fn ldap(bytes: &[u8]) -> Option<String> {
    let (response, _) = ExtendedResponse::read(bytes).ok()??;
    Some(format!("result {} {}", response.result, printable(response.diagnostic)))
}

/// TPKT (RFC 1006 §6) around an X.224 connection confirm, disconnect, error or data unit.
fn rdp(bytes: &[u8]) -> Option<String> {
    match *bytes {
        [3, 0, high @ 0..=3, low, header, unit, ..] => {
            let length = usize::from(high) << 8 | usize::from(low);
            let fits = length >= 7 && usize::from(header) + 5 <= length && matches!(unit, 0xd0 | 0x80 | 0x70 | 0xf0);
            fits.then(|| format!("X.224 unit {unit:#04x}"))
        }
        _ => None,
    }
}

/// IAC and WILL, WON'T, DO or DON'T, and an option of the first fifty (RFC 854).
fn telnet(bytes: &[u8]) -> Option<String> {
    match *bytes {
        [0xff, verb @ 0xfb..=0xfe, option @ 0..=49, ..] => Some(format!("IAC {verb} {option}")),
        _ => None,
    }
}

/// UTF-8 text of at least four bytes, without control characters; its end may be cut.
fn text(bytes: &[u8]) -> Option<String> {
    let whole = match std::str::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) if error.error_len().is_none() => std::str::from_utf8(bytes.get(..error.valid_up_to())?).ok()?,
        Err(_) => return None,
    };
    let plain =
        whole.chars().all(|character| !character.is_control() || matches!(character, '\t' | '\r' | '\n' | '\x1b' | '\x07'));
    (plain && whole.trim().len() >= 4).then(|| first_line(bytes))
}

#[cfg(test)]
mod tests;
