//! IMAP: `CAPABILITY` lists STARTTLS, `STARTTLS`, tagged OK (RFC 9051 §6.2.1).

use super::Upgrade;
use super::served::{Served, serve};
use crate::dialogue::{Driver, Line, Script, Turn, line, quote};

/// IMAP.
pub(super) static UPGRADE: Upgrade = Upgrade {
    name: "imap",
    aliases: &[],
    title: "IMAP",
    scheme: "imap",
    tls_scheme: Some(("imaps", 993)),
    port: 143,
    reference: "RFC 9051 section 6.2.1",
    openssl: Some("imap"),
    start: |_| Driver::start(Imap { expected: Expected::Greeting, capabilities: None }),
    serve: || serve(&SERVED),
};

/// What the server says; a name that can be nobody's stands for this machine's (RFC 2606 §2).
static SERVED: Served = Served {
    greeting: "* OK [CAPABILITY IMAP4rev1 STARTTLS LOGINDISABLED] tlswhy\r\n",
    tagged: true,
    answers: &[
        ("CAPABILITY", "* CAPABILITY IMAP4rev1 STARTTLS LOGINDISABLED\r\n{tag} OK done\r\n"),
        ("NOOP", "{tag} OK done\r\n"),
        ("ID", "* ID NIL\r\n{tag} OK done\r\n"),
    ],
    upgrades: &[("STARTTLS", "{tag} OK go ahead\r\n")],
    otherwise: "{tag} NO [PRIVACYREQUIRED] STARTTLS first\r\n",
};

struct Imap {
    expected: Expected,
    /// The CAPABILITY response, upper-cased.
    capabilities: Option<Vec<u8>>,
}

enum Expected {
    Greeting,
    Capabilities,
    GoAhead,
}

impl Script for Imap {
    fn read(&mut self, input: &[u8]) -> Turn {
        let (text, used) = match line(input) {
            Line::Partial => return Turn::Wait,
            Line::Whole { text, used } => (text, used),
            Line::NotText(text) => return unexpected(text),
        };
        let upper = text.to_ascii_uppercase();
        let mut words = upper.split(|&byte| byte == b' ');
        let (tag, word) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
        match (&self.expected, tag, word) {
            (Expected::Greeting, b"*", b"OK") => {
                self.expected = Expected::Capabilities;
                Turn::say(used, "a1 CAPABILITY\r\n")
            }
            (Expected::Greeting, b"*", b"PREAUTH") => {
                Turn::Refused(format!("the session is authenticated from the start, so STARTTLS is too late: {}", quote(text)))
            }
            (Expected::Greeting, b"*", b"BYE") => Turn::Refused(format!("the server greets with {}", quote(text))),
            (Expected::Greeting, ..) => unexpected(text),
            (_, b"*", b"BYE") => Turn::Refused(format!("the server ends the session: {}", quote(text))),
            (_, b"*", b"CAPABILITY") => {
                self.capabilities = Some(upper);
                Turn::skip(used)
            }
            (_, b"*", _) => Turn::skip(used),
            (Expected::Capabilities, b"A1", b"OK") => {
                let listed = self.capabilities.take().unwrap_or_default();
                if listed.split(|&byte| byte == b' ').any(|capability| capability == b"STARTTLS") {
                    self.expected = Expected::GoAhead;
                    Turn::say(used, "a2 STARTTLS\r\n")
                } else {
                    Turn::Refused(format!("the server does not offer STARTTLS: {}", quote(&listed)))
                }
            }
            (Expected::GoAhead, b"A2", b"OK") => Turn::ready(used),
            (Expected::Capabilities, b"A1", _) => Turn::Refused(format!("the server refuses CAPABILITY: {}", quote(text))),
            (Expected::GoAhead, b"A2", _) => Turn::Refused(format!("the server refuses STARTTLS: {}", quote(text))),
            _ => unexpected(text),
        }
    }
}

fn unexpected(text: &[u8]) -> Turn {
    Turn::Refused(format!("the server said {} where an IMAP response was expected", quote(text)))
}
