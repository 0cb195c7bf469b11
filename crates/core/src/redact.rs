//! Takes names and addresses out of evidence, so that it can be mailed. What stays can still be judged, but for the
//! certificates, whose signatures no longer fit.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use tlswhy_model::{Bytes, Ending, Evidence, Opening, PathAnswer};
use tlswhy_wire::{ExtensionSpec, HelloSpec};

use crate::case::Seen;
use crate::chain;

/// The evidence without names and addresses. Names become letters x of the same length, so that lengths and offsets stay;
/// addresses become those kept for documentation (RFC 5737, RFC 3849). Loopback addresses stay.
pub fn redact(mut evidence: Evidence) -> Evidence {
    let names = names(&evidence);
    let address_names: Vec<Vec<u8>> = evidence
        .attempts
        .iter()
        .map(Seen::read)
        .filter_map(|seen| {
            Some(seen.certificates()?.entries.iter().flat_map(|entry| chain::address_names(&entry.value)).collect::<Vec<_>>())
        })
        .flatten()
        // All zeros are what they become.
        .filter(|address| address.iter().any(|byte| *byte != 0))
        .collect();
    let mut addresses = Addresses::default();
    let clean = |text: &str| masked(text, &names);

    let subject = &mut evidence.subject;
    subject.host = addresses.replace_text(&clean(&subject.host));
    subject.server_name = subject.server_name.as_deref().map(clean);
    subject.address = subject.address.as_deref().map(|address| addresses.replace_text(address));
    subject.via = subject.via.as_ref().map(|_| "a proxy".to_owned());
    // A client that was watched is known by its address.
    subject.client = addresses.replace_first_word(&subject.client);
    for client in &mut evidence.clients {
        client.title = addresses.replace_first_word(&client.title);
        mask_hello(&mut client.hello, &names);
    }
    subject.target = if subject.host.contains(':') {
        format!("[{}]:{}", subject.host, subject.port)
    } else {
        format!("{}:{}", subject.host, subject.port)
    };
    if let Some(resolution) = &mut evidence.resolution {
        resolution.host = addresses.replace_text(&clean(&resolution.host));
        resolution.error = resolution.error.as_deref().map(clean);
        for address in &mut resolution.addresses {
            *address = addresses.replace(*address);
        }
    }
    if let Some(trust) = &mut evidence.trust {
        trust.certificates.clear();
        trust.source = "redacted".to_owned();
    }
    evidence.stores.clear();
    evidence.known_certificates.clear();
    evidence.expected_keys.clear();
    evidence.fetched.clear();
    evidence.records.clear();
    // Configurations are full of names; without them the report names no line.
    evidence.configurations.clear();
    evidence.files.clear();
    // That one was shown stays; whose it was does not.
    if let Some(identity) = &mut evidence.identity {
        identity.source = "redacted".to_owned();
        identity.certificates.clear();
    }
    for attempt in &mut evidence.attempts {
        let probe = &mut attempt.probe;
        probe.host = addresses.replace_text(&clean(&probe.host));
        probe.address = probe.address.map(|address| addresses.replace(address));
        mask_opening(&mut probe.opening, &names);
        attempt.address = attempt.address.as_deref().map(|address| addresses.replace_text(address));
        for turn in &mut attempt.dialogue {
            mask_bytes(&mut turn.bytes, &names);
        }
        mask_bytes(&mut attempt.sent, &names);
        mask_bytes(&mut attempt.received, &names);
        mask_address_names(&mut attempt.received, &address_names);
        for bytes in [&mut attempt.decrypted, &mut attempt.application].into_iter().flatten() {
            mask_bytes(bytes, &names);
            mask_address_names(bytes, &address_names);
        }
        match &mut attempt.ending {
            Ending::NotTls { detail, .. } => *detail = clean(detail),
            Ending::TunnelRefused { reason } | Ending::UpgradeRefused { reason } => *reason = clean(reason),
            _ => {}
        }
    }
    for path in &mut evidence.paths {
        path.question.address = addresses.replace(path.question.address);
        path.source_address = path.source_address.map(|source| addresses.replace(source));
        for opening in [&mut path.question.test, &mut path.question.control].into_iter().flatten() {
            mask_opening(opening, &names);
        }
        for probe in &mut path.probes {
            match &mut probe.answer {
                PathAnswer::Expired { by } | PathAnswer::PortUnreachable { by } | PathAnswer::Unreachable { by, .. } => {
                    *by = by.map(|by| addresses.replace(by));
                }
                PathAnswer::Data { bytes } => mask_bytes(bytes, &names),
                _ => {}
            }
        }
    }
    evidence.redacted = true;
    evidence
}

fn mask_opening(opening: &mut Opening, names: &[String]) {
    match opening {
        Opening::Hello { hello } => mask_hello(hello, names),
        Opening::Replay { records } => mask_bytes(records, names),
        Opening::Plain { request } => mask_bytes(request, names),
    }
}

/// Every name that stands in the evidence, longest first: the target's, and those in certificates and their authorities.
fn names(evidence: &Evidence) -> Vec<String> {
    let subject = &evidence.subject;
    let mut names: Vec<String> = [Some(&subject.host), subject.server_name.as_ref()].into_iter().flatten().cloned().collect();
    for attempt in &evidence.attempts {
        let seen = Seen::read(attempt);
        for certificate in seen.certificates().iter().flat_map(|list| &list.entries) {
            names.extend(chain::all_names(&certificate.value));
        }
    }
    names.retain(|name| name.len() > 1 && name.parse::<IpAddr>().is_err());
    for attempt in &evidence.attempts {
        let said = attempt.dialogue.iter().map(|turn| &turn.bytes).chain(&attempt.application);
        let plain = matches!(attempt.ending, Ending::NotTls { .. }).then_some(&attempt.received);
        for bytes in said.chain(plain) {
            names.extend(names_in_text(&String::from_utf8_lossy(bytes)));
        }
        match &attempt.ending {
            Ending::NotTls { detail: text, .. }
            | Ending::TunnelRefused { reason: text }
            | Ending::UpgradeRefused { reason: text } => {
                names.extend(names_in_text(text));
            }
            _ => {}
        }
    }
    names.sort_by(|a, b| b.len().cmp(&a.len()).then(a.cmp(b)));
    names.dedup();
    names
}

/// What looks like a host name or an address in what a server said in plain text; loopback addresses stay.
fn names_in_text(text: &str) -> Vec<String> {
    let tokens = text.split(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | ':')));
    tokens
        .map(|token| token.trim_matches(['.', '-', ':']))
        .filter(|token| match token.parse::<IpAddr>() {
            Ok(address) => !address.is_loopback(),
            Err(_) => token.rsplit_once('.').is_some_and(|(rest, last)| {
                !rest.is_empty() && last.len() > 1 && last.chars().all(|c| c.is_ascii_alphabetic())
            }),
        })
        .map(str::to_owned)
        .collect()
}

/// Letters x of the same length in bytes; dots stay.
fn mask(name: &str) -> String {
    name.bytes().map(|byte| if byte == b'.' { '.' } else { 'x' }).collect()
}

fn mask_hello(hello: &mut HelloSpec, names: &[String]) {
    for extension in hello.extensions.iter_mut().flatten() {
        if let ExtensionSpec::ServerName(name) = extension {
            *name = masked(name, names);
        }
    }
}

/// A text with these names masked.
fn masked(text: &str, names: &[String]) -> String {
    names.iter().fold(text.to_owned(), |text, name| text.replace(name.as_str(), &mask(name)))
}

fn mask_bytes(bytes: &mut Bytes, names: &[String]) {
    for name in names {
        let (needle, masked) = (name.as_bytes(), mask(name).into_bytes());
        let mut from = 0;
        while let Some(at) = find(bytes.0.get(from..).unwrap_or_default(), needle) {
            let start = from + at;
            if let Some(place) = bytes.0.get_mut(start..start + needle.len()) {
                place.copy_from_slice(&masked);
            }
            from = start + needle.len();
        }
    }
}

/// Takes the addresses in subjectAltName (`[7] IMPLICIT OCTET STRING`, RFC 5280 §4.2.1.6) out of a certificate's bytes.
fn mask_address_names(bytes: &mut Bytes, addresses: &[Vec<u8>]) {
    for address in addresses {
        let mut needle = vec![0x87, u8::try_from(address.len()).unwrap_or(0)];
        needle.extend(address);
        while let Some(at) = bytes.0.windows(needle.len()).position(|window| window == needle) {
            if let Some(place) = bytes.0.get_mut(at + 2..at + needle.len()) {
                place.fill(0);
            }
        }
    }
}

fn find(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    haystack.windows(needle.len()).position(|window| window.eq_ignore_ascii_case(needle))
}

/// One documentation address for each real one.
#[derive(Default)]
struct Addresses {
    known: BTreeMap<IpAddr, IpAddr>,
}

impl Addresses {
    fn replace(&mut self, address: IpAddr) -> IpAddr {
        if address.is_loopback() {
            return address;
        }
        let number = u16::try_from(self.known.len()).unwrap_or(u16::MAX).saturating_add(1);
        *self.known.entry(address).or_insert_with(|| match address {
            IpAddr::V4(_) => IpAddr::V4(Ipv4Addr::new(192, 0, 2, number.to_be_bytes()[1])),
            IpAddr::V6(_) => IpAddr::V6(Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, number)),
        })
    }

    /// A text that may begin with an address.
    fn replace_first_word(&mut self, text: &str) -> String {
        match text.split_once(' ') {
            Some((word, rest)) => format!("{} {rest}", self.replace_text(word)),
            None => self.replace_text(text),
        }
    }

    /// `ADDRESS` or `ADDRESS:PORT`; anything else stays.
    fn replace_text(&mut self, text: &str) -> String {
        if let Ok(address) = text.parse::<IpAddr>() {
            return self.replace(address).to_string();
        }
        match text.parse::<std::net::SocketAddr>() {
            Ok(socket) => std::net::SocketAddr::new(self.replace(socket.ip()), socket.port()).to_string(),
            Err(_) => text.to_owned(),
        }
    }
}
