//! POP3: `CAPA` lists STLS, `STLS`, +OK (RFC 2595 §4). A server without `CAPA` is asked for `STLS` all the same.

use super::Upgrade;
use super::served::{Served, serve};
use crate::dialogue::{Driver, Line, Script, Turn, line, quote};

/// POP3.
pub(super) static UPGRADE: Upgrade = Upgrade {
    name: "pop3",
    aliases: &["pop"],
    title: "POP3",
    scheme: "pop3",
    tls_scheme: Some(("pop3s", 995)),
    port: 110,
    reference: "RFC 2595 section 4",
    openssl: Some("pop3"),
    start: |_| Driver::start(Pop3 { expected: Expected::Greeting, offered: false }),
    serve: || serve(&SERVED),
};

/// What the server says; a name that can be nobody's stands for this machine's (RFC 2606 §2).
static SERVED: Served = Served {
    greeting: "+OK tlswhy\r\n",
    tagged: false,
    answers: &[("CAPA", "+OK\r\nSTLS\r\nUSER\r\n.\r\n")],
    upgrades: &[("STLS", "+OK go ahead\r\n")],
    otherwise: "-ERR STLS first\r\n",
};

struct Pop3 {
    expected: Expected,
    offered: bool,
}

enum Expected {
    Greeting,
    CapabilityStatus,
    Capabilities,
    GoAhead,
}

impl Script for Pop3 {
    fn read(&mut self, input: &[u8]) -> Turn {
        let (text, used) = match line(input) {
            Line::Partial => return Turn::Wait,
            Line::Whole { text, used } => (text, used),
            Line::NotText(text) => return unexpected(text),
        };
        if let Expected::Capabilities = self.expected {
            if text != b"." {
                self.offered |= text.trim_ascii().eq_ignore_ascii_case(b"STLS");
                return Turn::skip(used);
            }
            if !self.offered {
                return Turn::Refused("the server does not offer STLS in its answer to CAPA".to_owned());
            }
            self.expected = Expected::GoAhead;
            return Turn::say(used, "STLS\r\n");
        }
        match (&self.expected, text.starts_with(b"+OK"), text.starts_with(b"-ERR")) {
            (Expected::Greeting, true, _) => {
                self.expected = Expected::CapabilityStatus;
                Turn::say(used, "CAPA\r\n")
            }
            (Expected::Greeting, _, true) => Turn::Refused(format!("the server greets with {}", quote(text))),
            (Expected::CapabilityStatus, true, _) => {
                self.expected = Expected::Capabilities;
                Turn::skip(used)
            }
            (Expected::CapabilityStatus, _, true) => {
                self.expected = Expected::GoAhead;
                Turn::say(used, "STLS\r\n")
            }
            (Expected::GoAhead, true, _) => Turn::ready(used),
            (Expected::GoAhead, _, true) => Turn::Refused(format!("the server refuses STLS: {}", quote(text))),
            _ => unexpected(text),
        }
    }
}

fn unexpected(text: &[u8]) -> Turn {
    Turn::Refused(format!("the server said {} where a POP3 reply was expected", quote(text)))
}
