//! The PROXY protocol: a balancer's line before the client's first byte (haproxy.org, proxy-protocol.txt, section 2.1).
//!
//! The receiver says nothing to it, so nothing can be granted or declined: this is no upgrade of the list, and goes out as one.

use super::Upgrade;
use crate::dialogue::{Dialogue, Driver, Line, Script, Step, Turn, line, quote};

/// A header of version 1 that names no addresses.
pub static PROXY_HEADER: Upgrade = Upgrade {
    name: "proxy-protocol",
    aliases: &[],
    title: "the PROXY protocol",
    scheme: "proxy-protocol",
    tls_scheme: None,
    port: 443,
    reference: "proxy-protocol.txt section 2.1",
    openssl: None,
    start: |_| Box::new(Header),
    serve: || Driver::start(Receiver),
};

struct Header;

impl Dialogue for Header {
    fn receive(&mut self, _: &[u8]) -> Step {
        Step::Ready { send: b"PROXY UNKNOWN\r\n".to_vec(), consumed: 0 }
    }
}

/// The side of a server, which takes the header and says nothing.
struct Receiver;

impl Script for Receiver {
    const PEER: &'static str = "the client";

    fn read(&mut self, input: &[u8]) -> Turn {
        match line(input) {
            Line::Partial => Turn::Wait,
            Line::Whole { text, used } if text.starts_with(b"PROXY ") => Turn::Ready { used, send: Vec::new() },
            Line::Whole { text, .. } | Line::NotText(text) => {
                Turn::Refused(format!("the client said {} where a PROXY header was expected", quote(text)))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_header_goes_out_and_nothing_is_awaited() {
        let step = (PROXY_HEADER.start)("www.example.test").receive(b"");
        assert_eq!(step, Step::Ready { send: b"PROXY UNKNOWN\r\n".to_vec(), consumed: 0 });
        let step = (PROXY_HEADER.serve)().receive(b"PROXY UNKNOWN\r\n\x16");
        assert_eq!(step, Step::Ready { send: Vec::new(), consumed: 15 });
        assert_eq!(super::super::upgrade("proxy-protocol").map(|found| found.name), Some("proxy-protocol"));
    }
}
