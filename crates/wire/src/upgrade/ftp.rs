//! FTP: `AUTH TLS`, 234 (RFC 4217 §4).

use super::Upgrade;
use super::reply::Reply;
use super::served::{Served, serve};
use crate::dialogue::{Driver, Script, Turn};

/// The control connection of FTP.
pub(super) static UPGRADE: Upgrade = Upgrade {
    name: "ftp",
    aliases: &["ftpes"],
    title: "FTP",
    scheme: "ftp",
    tls_scheme: Some(("ftps", 990)),
    port: 21,
    reference: "RFC 4217",
    openssl: Some("ftp"),
    start: |_| Driver::start(Ftp { greeted: false }),
    serve: || serve(&SERVED),
};

/// What the server says; a name that can be nobody's stands for this machine's (RFC 2606 §2).
static SERVED: Served = Served {
    greeting: "220 tlswhy\r\n",
    tagged: false,
    answers: &[("FEAT", "211-Features:\r\n AUTH TLS\r\n211 End\r\n")],
    upgrades: &[("AUTH TLS", "234 go ahead\r\n"), ("AUTH SSL", "234 go ahead\r\n"), ("AUTH TLS-C", "234 go ahead\r\n")],
    otherwise: "530 AUTH TLS first\r\n",
};

struct Ftp {
    greeted: bool,
}

impl Script for Ftp {
    fn read(&mut self, input: &[u8]) -> Turn {
        let reply = match Reply::read(input) {
            Ok(reply) => reply,
            Err(turn) => return turn,
        };
        match (self.greeted, reply.code) {
            // "Service ready in nnn minutes" (RFC 959 §5.4): the 220 follows.
            (false, 120) => Turn::skip(reply.used),
            (false, 220) => {
                self.greeted = true;
                Turn::say(reply.used, "AUTH TLS\r\n")
            }
            (true, 234) => Turn::ready(reply.used),
            (false, _) => Turn::Refused(format!("the server greets with {}", reply.quoted())),
            (true, _) => Turn::Refused(format!("the server refuses AUTH TLS: {}", reply.quoted())),
        }
    }
}
