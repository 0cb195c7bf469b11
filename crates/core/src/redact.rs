//! Takes names and addresses out of evidence, so that it can be mailed. What stays can still be judged, but for the
//! certificates, whose signatures no longer fit.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use tlswhy_model::{Bytes, Ending, Evidence, Opening};
use tlswhy_wire::ExtensionSpec;

use crate::case::Seen;
use crate::chain;

/// The evidence without names and addresses. Names become letters x of the same length, so that lengths and offsets stay;
/// addresses become those kept for documentation (RFC 5737, RFC 3849). Loopback addresses stay.
pub fn redact(mut evidence: Evidence) -> Evidence {
    let names = names(&evidence);
    let mut addresses = Addresses::default();
    let clean = |text: &str| names.iter().fold(text.to_owned(), |text, name| text.replace(name.as_str(), &mask(name)));

    let subject = &mut evidence.subject;
    subject.host = addresses.replace_text(&clean(&subject.host));
    subject.server_name = subject.server_name.as_deref().map(clean);
    subject.address = subject.address.as_deref().map(|address| addresses.replace_text(address));
    subject.via = subject.via.as_ref().map(|_| "a proxy".to_owned());
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
    for attempt in &mut evidence.attempts {
        let probe = &mut attempt.probe;
        probe.host = addresses.replace_text(&clean(&probe.host));
        probe.address = probe.address.map(|address| addresses.replace(address));
        match &mut probe.opening {
            Opening::Hello { hello } => {
                for extension in hello.extensions.iter_mut().flatten() {
                    if let ExtensionSpec::ServerName(name) = extension {
                        *name = clean(name);
                    }
                }
            }
            Opening::Replay { records } => mask_bytes(records, &names),
            Opening::Plain { request } => mask_bytes(request, &names),
        }
        attempt.address = attempt.address.as_deref().map(|address| addresses.replace_text(address));
        for turn in &mut attempt.dialogue {
            mask_bytes(&mut turn.bytes, &names);
        }
        mask_bytes(&mut attempt.sent, &names);
        mask_bytes(&mut attempt.received, &names);
        for bytes in [&mut attempt.decrypted, &mut attempt.application].into_iter().flatten() {
            mask_bytes(bytes, &names);
        }
        match &mut attempt.ending {
            Ending::NotTls { detail, .. } => *detail = clean(detail),
            Ending::TunnelRefused { reason } | Ending::UpgradeRefused { reason } => *reason = clean(reason),
            _ => {}
        }
    }
    evidence.redacted = true;
    evidence
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
    names.sort_by(|a, b| b.len().cmp(&a.len()).then(a.cmp(b)));
    names.dedup();
    names
}

/// Letters x of the same length in bytes; dots stay.
fn mask(name: &str) -> String {
    name.bytes().map(|byte| if byte == b'.' { '.' } else { 'x' }).collect()
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
