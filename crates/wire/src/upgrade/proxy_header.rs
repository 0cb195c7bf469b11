//! The PROXY protocol: a balancer's line before the client's first byte (haproxy.org, proxy-protocol.txt, section 2.1).
//!
//! The receiver says nothing to it, so nothing can be granted or declined: this is no upgrade of the list, and goes out as one.

use super::Upgrade;
use super::served::{Served, serve};
use crate::dialogue::{Dialogue, Step};

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
    serve: || serve(&SERVED),
};

/// The line is read, and nothing is said to it.
static SERVED: Served = Served { greeting: "", tagged: false, answers: &[], upgrades: &[("PROXY", "")], otherwise: "" };

struct Header;

impl Dialogue for Header {
    fn receive(&mut self, _: &[u8]) -> Step {
        Step::Ready { send: b"PROXY UNKNOWN\r\n".to_vec(), consumed: 0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_header_goes_out_and_nothing_is_awaited() {
        let step = (PROXY_HEADER.start)("www.example.test").receive(b"");
        assert_eq!(step, Step::Ready { send: b"PROXY UNKNOWN\r\n".to_vec(), consumed: 0 });
        let header = b"PROXY UNKNOWN\r\n\x16";
        assert_eq!((PROXY_HEADER.serve)().receive(header), Step::Ready { send: Vec::new(), consumed: header.len() - 1 });
        assert_eq!(super::super::upgrade("proxy-protocol").map(|found| found.name), Some("proxy-protocol"));
    }
}
