//! SMTP: `EHLO`, the server lists STARTTLS, `STARTTLS`, 220 (RFC 3207). LMTP differs in the first word only.

use super::Upgrade;
use super::reply::Reply;
use super::served::{Served, serve};
use crate::dialogue::{Dialogue, Driver, Script, Turn};

/// SMTP between mail servers and for submission.
pub(super) static UPGRADE: Upgrade = Upgrade {
    name: "smtp",
    aliases: &["submission"],
    title: "SMTP",
    scheme: "smtp",
    tls_scheme: Some(("smtps", 465)),
    port: 25,
    reference: "RFC 3207",
    openssl: Some("smtp"),
    start,
    serve: || serve(&SERVED),
};

/// What the server says; a name that can be nobody's stands for this machine's (RFC 2606 §2).
pub(super) static SERVED: Served = Served {
    greeting: "220 tlswhy.invalid ESMTP\r\n",
    tagged: false,
    answers: &[("EHLO", CAPABILITIES), ("LHLO", CAPABILITIES), ("HELO", "250 tlswhy.invalid\r\n")],
    upgrades: &[("STARTTLS", "220 2.0.0 go ahead\r\n")],
    otherwise: "530 5.7.0 must issue a STARTTLS command first\r\n",
};

const CAPABILITIES: &str = "250-tlswhy.invalid\r\n250 STARTTLS\r\n";

fn start(_server_name: &str) -> Box<dyn Dialogue> {
    with_hello("EHLO")
}

/// The dialogue, for a server that is greeted with this word.
pub(super) fn with_hello(hello: &'static str) -> Box<dyn Dialogue> {
    Driver::start(Smtp { hello, expected: Expected::Greeting })
}

struct Smtp {
    hello: &'static str,
    expected: Expected,
}

enum Expected {
    Greeting,
    Capabilities,
    GoAhead,
}

impl Script for Smtp {
    fn read(&mut self, input: &[u8]) -> Turn {
        let reply = match Reply::read(input) {
            Ok(reply) => reply,
            Err(turn) => return turn,
        };
        match (&self.expected, reply.code) {
            (Expected::Greeting, 220) => {
                self.expected = Expected::Capabilities;
                // A name that can be nobody's (RFC 2606 §2): the server learns nothing about this machine.
                Turn::say(reply.used, &format!("{} tlswhy.invalid\r\n", self.hello))
            }
            (Expected::Capabilities, 250) => match offers_starttls(&reply) {
                Ok(()) => {
                    self.expected = Expected::GoAhead;
                    Turn::say(reply.used, "STARTTLS\r\n")
                }
                Err(reason) => Turn::Refused(reason),
            },
            (Expected::GoAhead, 220) => Turn::ready(reply.used),
            (Expected::Greeting, _) => Turn::Refused(format!("the server greets with {}", reply.quoted())),
            (Expected::Capabilities, _) => Turn::Refused(format!("the server refuses {}: {}", self.hello, reply.quoted())),
            (Expected::GoAhead, _) => Turn::Refused(format!("the server refuses STARTTLS: {}", reply.quoted())),
        }
    }
}

fn offers_starttls(reply: &Reply<'_>) -> Result<(), String> {
    if reply.texts().skip(1).any(|text| text.eq_ignore_ascii_case(b"STARTTLS")) {
        return Ok(());
    }
    // Firewalls that "inspect" SMTP overwrite what they dislike with X, and so hide STARTTLS from the client.
    let masked = reply.texts().skip(1).any(|text| text.starts_with(b"XXXX"));
    let why = if masked { " (something on the path has overwritten a capability with X)" } else { "" };
    Err(format!("the server does not offer STARTTLS{why}: {}", reply.quoted()))
}
