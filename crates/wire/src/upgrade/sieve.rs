//! ManageSieve: the greeting lists STARTTLS, `STARTTLS`, OK (RFC 5804 §2.2).

use super::Upgrade;
use super::served::{Served, serve};
use crate::dialogue::{Driver, Line, Script, Turn, line, quote};

/// ManageSieve.
pub(super) static UPGRADE: Upgrade = Upgrade {
    name: "sieve",
    aliases: &["managesieve"],
    title: "ManageSieve",
    scheme: "sieve",
    tls_scheme: None,
    port: 4190,
    reference: "RFC 5804 section 2.2",
    openssl: Some("sieve"),
    start: |_| Driver::start(Sieve { asked: false, offered: false }),
    serve: || serve(&SERVED),
};

/// What the server says; a name that can be nobody's stands for this machine's (RFC 2606 §2).
static SERVED: Served = Served {
    greeting: CAPABILITIES,
    tagged: false,
    answers: &[("CAPABILITY", CAPABILITIES), ("NOOP", "OK \"done\"\r\n")],
    upgrades: &[("STARTTLS", "OK \"go ahead\"\r\n")],
    otherwise: "NO \"STARTTLS first\"\r\n",
};

const CAPABILITIES: &str =
    "\"IMPLEMENTATION\" \"tlswhy\"\r\n\"SASL\" \"\"\r\n\"SIEVE\" \"fileinto\"\r\n\"STARTTLS\"\r\nOK \"tlswhy\"\r\n";

struct Sieve {
    asked: bool,
    offered: bool,
}

impl Script for Sieve {
    fn read(&mut self, input: &[u8]) -> Turn {
        let (text, used) = match line(input) {
            Line::Partial => return Turn::Wait,
            Line::Whole { text, used } => (text, used),
            Line::NotText(text) => return unexpected(text),
        };
        if let Some(literal) = literal_length(text) {
            // The string of a capability or of a status: its bytes and the rest of the line are one message with the line.
            let Some(rest) = input.get(used..).and_then(|rest| rest.get(literal..)) else {
                return Turn::Wait;
            };
            return match (line(rest), text.first()) {
                (Line::Partial, _) => Turn::Wait,
                (Line::NotText(text), _) => unexpected(text),
                (Line::Whole { used: tail, .. }, Some(b'"')) => Turn::skip(used + literal + tail),
                (Line::Whole { used: tail, .. }, _) => {
                    let length = used + literal + tail;
                    self.status(text, input.get(..length).unwrap_or(input).trim_ascii_end(), length)
                }
            };
        }
        if text.first() == Some(&b'"') {
            let name = text.get(1..).unwrap_or_default().split(|&byte| byte == b'"').next().unwrap_or_default();
            self.offered |= name.eq_ignore_ascii_case(b"STARTTLS");
            return Turn::skip(used);
        }
        self.status(text, text, used)
    }
}

impl Sieve {
    /// `OK`, `NO` or `BYE`, with a response code and a text; `whole` is all that the server said.
    fn status(&mut self, text: &[u8], whole: &[u8], used: usize) -> Turn {
        let word = text.split(|byte| !byte.is_ascii_alphabetic()).next().unwrap_or_default().to_ascii_uppercase();
        match (word.as_slice(), self.asked) {
            (b"OK", false) if self.offered => {
                self.asked = true;
                Turn::say(used, "STARTTLS\r\n")
            }
            (b"OK", false) => Turn::Refused("the server does not offer STARTTLS in its greeting".to_owned()),
            (b"OK", true) => Turn::ready(used),
            (b"NO" | b"BYE", false) => Turn::Refused(format!("the server greets with {}", quote(whole))),
            (b"NO" | b"BYE", true) => Turn::Refused(format!("the server refuses STARTTLS: {}", quote(whole))),
            _ => unexpected(text),
        }
    }
}

/// The length of the string that follows a line that ends in `{12}` or `{12+}`, where that is no more than a peer may say.
fn literal_length(text: &[u8]) -> Option<usize> {
    let text = text.strip_suffix(b"}")?;
    let text = text.strip_suffix(b"+").unwrap_or(text);
    let digits = text.rsplit(|&byte| byte == b'{').next()?;
    std::str::from_utf8(digits).ok()?.parse().ok().filter(|&length| length <= crate::dialogue::LIMIT)
}

fn unexpected(text: &[u8]) -> Turn {
    Turn::Refused(format!("the server said {} where a ManageSieve response was expected", quote(text)))
}
