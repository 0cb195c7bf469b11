//! The server asks for a client certificate, and the user gave one: does it do?

use std::collections::BTreeSet;

use tlswhy_model::Depth;
use tlswhy_wire::{HelloSpec, SignatureScheme};

use super::Teller;
use crate::case::Seen;
use crate::chain::{Certificate, KeyKind};

impl<'c, 'e> Teller<'c, 'e> {
    /// The same hello, with the client certificate shown.
    pub(super) fn with_identity(&mut self, hello: &HelloSpec, depth: Depth) -> Option<&'c Seen<'e>> {
        let mut probe = self.case.hello_probe(hello.clone(), self.story.upgrade.as_deref(), depth);
        probe.with_identity = true;
        let seen = self.ask_probe(&probe, "the same with the client certificate shown")?;
        self.story.furthest = Some(seen.id());
        Some(seen)
    }

    /// What is known to be wrong with the certificate that was shown; `None` where none was.
    pub(super) fn refused(&self, seen: &Seen<'_>) -> Option<Vec<String>> {
        let identity = self.case.evidence.identity.as_ref().filter(|_| seen.attempt.probe.with_identity)?;
        let shown: Vec<_> = identity.certificates.iter().map(|der| self.stores.library.read(der)).collect();
        if self.case.evidence.redacted {
            return Some(Vec::new());
        }
        let Some(leaf) = shown.first() else {
            return Some(vec!["there is no certificate in it".to_owned()]);
        };
        let mut wrong = Vec::new();
        if !identity.key_matches {
            wrong.push("the key that goes with it is not the certificate's".to_owned());
        }
        let (subject, now) = (&leaf.subject.text, self.now);
        if leaf.not_after < now {
            wrong.push(format!("{subject} expired on {}", jiff::Timestamp::from_second(leaf.not_after).unwrap_or_default()));
        }
        if leaf.not_before > now {
            wrong.push(format!(
                "{subject} is not valid before {}",
                jiff::Timestamp::from_second(leaf.not_before).unwrap_or_default()
            ));
        }
        let meant = |oid: &str| oid == CLIENT_AUTHENTICATION || oid == ANY_USAGE;
        if leaf.extended_key_usage.as_ref().is_some_and(|usages| !usages.iter().any(|usage| meant(usage))) {
            wrong.push(format!("{subject} is not meant for clients (extendedKeyUsage)"));
        }
        if leaf.key_usage.is_some_and(|bits| bits & SIGNS == 0) {
            wrong.push(format!("{subject} is not meant to sign (keyUsage lacks digitalSignature)"));
        }
        if let Some(KeyKind::Rsa { bits }) = leaf.key.filter(|key| matches!(key, KeyKind::Rsa { bits } if *bits < 2048)) {
            wrong.push(format!("its RSA key has {bits} bits, and most servers want 2048"));
        }
        if let Some(request) = seen.certificate_request() {
            wrong.extend(not_accepted(&request.authorities, &shown));
            wrong.extend(cannot_sign(leaf, &request.signature_schemes));
        }
        Some(wrong)
    }
}

/// id-kp-clientAuth (RFC 5280 §4.2.1.12).
const CLIENT_AUTHENTICATION: &str = "1.3.6.1.5.5.7.3.2";
/// digitalSignature or keyAgreement (RFC 5280 §4.2.1.3), of which OpenSSL wants one of a client.
const SIGNS: u16 = 1 | 1 << 4;
/// anyExtendedKeyUsage.
const ANY_USAGE: &str = "2.5.29.37.0";

/// None of the authorities that the server names stands above the certificate.
fn not_accepted(authorities: &[Vec<u8>], shown: &[std::sync::Arc<Certificate>]) -> Option<String> {
    let issuers: BTreeSet<&[u8]> = shown.iter().map(|certificate| certificate.issuer.der.as_slice()).collect();
    if authorities.is_empty() || authorities.iter().any(|name| issuers.contains(name.as_slice())) {
        return None;
    }
    let top = shown.last()?;
    let accepted = crate::chain::names_of(authorities).join("; ");
    // What a file without its intermediate looks like.
    let perhaps = if top.self_issued { "" } else { " (another authority, or the intermediate is missing in the file)" };
    Some(format!("it was issued by {}, and the server accepts only: {accepted}{perhaps}", top.issuer.text))
}

/// The server takes no signature that the key can make.
fn cannot_sign(leaf: &Certificate, schemes: &[SignatureScheme]) -> Option<String> {
    let key = leaf.key?;
    (!schemes.is_empty() && !schemes.iter().any(|scheme| key.signs_with(*scheme)))
        .then(|| format!("the server takes no signature of an {} key", key.name()))
}
