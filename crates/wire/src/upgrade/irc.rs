//! IRC: `STARTTLS` before registration, 670 (IRCv3 "tls" capability, deprecated there but still served).

use super::Upgrade;
use super::served::{Served, serve};
use crate::dialogue::{Driver, Line, Script, Turn, line, quote};

/// IRC.
pub(super) static UPGRADE: Upgrade = Upgrade {
    name: "irc",
    aliases: &[],
    title: "IRC",
    scheme: "irc",
    tls_scheme: Some(("ircs", 6697)),
    port: 6667,
    reference: "https://ircv3.net/specs/deprecated/tls",
    openssl: Some("irc"),
    start: |_| Driver::start(Irc),
    serve: || serve(&SERVED),
};

/// What the server says; a name that can be nobody's stands for this machine's (RFC 2606 §2).
static SERVED: Served = Served {
    greeting: "",
    tagged: false,
    answers: &[("CAP LS", ":tlswhy.invalid CAP * LS :tls\r\n")],
    upgrades: &[("STARTTLS", ":tlswhy.invalid 670 * :go ahead\r\n")],
    otherwise: "",
};

struct Irc;

impl Script for Irc {
    fn opening(&mut self) -> Result<Vec<u8>, String> {
        Ok(b"STARTTLS\r\n".to_vec())
    }

    fn read(&mut self, input: &[u8]) -> Turn {
        let (text, used) = match line(input) {
            Line::Partial => return Turn::Wait,
            Line::Whole { text, used } => (text, used),
            Line::NotText(text) => return unexpected(text),
        };
        let mut words = text.split(|&byte| byte == b' ').filter(|word| !word.is_empty());
        let first = words.next().unwrap_or_default();
        let (prefixed, command) =
            if first.starts_with(b":") { (true, words.next().unwrap_or_default()) } else { (false, first) };
        match command {
            b"670" => Turn::ready(used),
            // STARTTLS failed; unknown command; not registered; already registered.
            b"691" | b"421" | b"451" | b"462" => Turn::Refused(format!("the server refuses STARTTLS: {}", quote(text))),
            b"ERROR" => Turn::Refused(format!("the server ends the connection: {}", quote(text))),
            // Answering a PING here could put plaintext where the server waits for TLS; servers ping again.
            b"NOTICE" | b"PING" | b"CAP" | b"" => Turn::skip(used),
            [b'0'..=b'9', b'0'..=b'9', b'0'..=b'9'] if prefixed => Turn::skip(used),
            _ => unexpected(text),
        }
    }
}

fn unexpected(text: &[u8]) -> Turn {
    Turn::Refused(format!("the server said {} where an IRC message was expected", quote(text)))
}
