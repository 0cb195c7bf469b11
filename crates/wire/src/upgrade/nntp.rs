//! NNTP: `CAPABILITIES` lists STARTTLS, `STARTTLS`, 382 (RFC 4642 §2). A server too old for `CAPABILITIES` is asked all the same.

use super::Upgrade;
use super::reply::Reply;
use super::served::{Served, serve};
use crate::dialogue::{Driver, Line, Script, Turn, line, quote};

/// NNTP.
pub(super) static UPGRADE: Upgrade = Upgrade {
    name: "nntp",
    aliases: &["news"],
    title: "NNTP",
    scheme: "nntp",
    tls_scheme: Some(("nntps", 563)),
    port: 119,
    reference: "RFC 4642",
    openssl: Some("nntp"),
    start: |_| Driver::start(Nntp { expected: Expected::Greeting, offered: false }),
    serve: || serve(&SERVED),
};

/// What the server says; a name that can be nobody's stands for this machine's (RFC 2606 §2).
static SERVED: Served = Served {
    greeting: "200 tlswhy\r\n",
    tagged: false,
    answers: &[
        ("CAPABILITIES", "101 capabilities\r\nVERSION 2\r\nREADER\r\nSTARTTLS\r\n.\r\n"),
        ("MODE READER", "200 tlswhy\r\n"),
    ],
    upgrades: &[("STARTTLS", "382 go ahead\r\n")],
    otherwise: "483 STARTTLS first\r\n",
};

struct Nntp {
    expected: Expected,
    offered: bool,
}

enum Expected {
    Greeting,
    CapabilityStatus,
    Capabilities,
    GoAhead,
}

impl Script for Nntp {
    fn read(&mut self, input: &[u8]) -> Turn {
        if let Expected::Capabilities = self.expected {
            return self.capability(input);
        }
        let reply = match Reply::read(input) {
            Ok(reply) => reply,
            Err(turn) => return turn,
        };
        match (&self.expected, reply.code) {
            (Expected::Greeting, 200 | 201) => {
                self.expected = Expected::CapabilityStatus;
                Turn::say(reply.used, "CAPABILITIES\r\n")
            }
            (Expected::Greeting, _) => Turn::Refused(format!("the server greets with {}", reply.quoted())),
            (Expected::CapabilityStatus, 101) => {
                self.expected = Expected::Capabilities;
                Turn::skip(reply.used)
            }
            (Expected::CapabilityStatus, 400 | 502) => {
                Turn::Refused(format!("the server refuses CAPABILITIES: {}", reply.quoted()))
            }
            (Expected::CapabilityStatus, _) => {
                self.expected = Expected::GoAhead;
                Turn::say(reply.used, "STARTTLS\r\n")
            }
            (_, 382) => Turn::ready(reply.used),
            (_, _) => Turn::Refused(format!("the server refuses STARTTLS: {}", reply.quoted())),
        }
    }
}

impl Nntp {
    /// One line of the list, which a dot ends.
    fn capability(&mut self, input: &[u8]) -> Turn {
        match line(input) {
            Line::Partial => Turn::Wait,
            Line::NotText(text) => Turn::Refused(format!("the server said {} where a capability was expected", quote(text))),
            Line::Whole { text: b".", .. } if !self.offered => {
                Turn::Refused("the server does not offer STARTTLS in its CAPABILITIES".to_owned())
            }
            Line::Whole { text: b".", used } => {
                self.expected = Expected::GoAhead;
                Turn::say(used, "STARTTLS\r\n")
            }
            Line::Whole { text, used } => {
                self.offered |= text.trim_ascii().eq_ignore_ascii_case(b"STARTTLS");
                Turn::skip(used)
            }
        }
    }
}
