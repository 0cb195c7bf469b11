//! What a client of JSSE offers: all that it can do, cut by system properties and by the lists of disabled algorithms.
//!
//! Measured: the hellos of OpenJDK 17.0.15 and 25.0.3. Where TLS 1.2 has no suite left it is offered all the same, for the signalling
//! value of RFC 5746 counts as one; where suites are named by a property there is no such value.

use tlswhy_wire::{CipherSuite, KeyExchange, NamedGroup, ProtocolVersion, SignatureScheme};

use super::java_algorithms::Entry;
use super::jsse::{self, Spoken};
use crate::release::Release;

/// The signalling value of RFC 5746, which is a suite for Java.
const SIGNALLING: &str = "TLS_EMPTY_RENEGOTIATION_INFO_SCSV";

/// What system properties name; `None` where they name nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Named {
    pub(crate) versions: Option<Vec<ProtocolVersion>>,
    pub(crate) suites: Option<Vec<CipherSuite>>,
    pub(crate) groups: Option<Vec<NamedGroup>>,
    pub(crate) schemes: Option<Vec<SignatureScheme>>,
}

/// What is offered, each in its order; `None` of releases whose tables are not known.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Offer {
    pub(crate) versions: Vec<ProtocolVersion>,
    pub(crate) suites: Option<Vec<CipherSuite>>,
    pub(crate) groups: Option<Vec<NamedGroup>>,
    pub(crate) schemes: Option<Vec<SignatureScheme>>,
}

impl Offer {
    /// What these entries leave.
    pub(crate) fn under(disabled: &[&Entry], named: &Named, release: Option<Release>) -> Offer {
        let supported = named.groups.clone().or_else(|| jsse::groups(release));
        let groups: Option<Vec<NamedGroup>> = supported.clone().map(|mut groups| {
            groups.retain(|group| !disabled.iter().any(|entry| entry.takes_group(*group)));
            groups
        });
        let exchange = |suite: &CipherSuite| {
            let (Some(supported), Some(groups)) = (&supported, &groups) else { return true };
            let any_curve = groups.iter().any(|group| !is_finite(*group));
            match suite.details().map(|row| row.key_exchange) {
                Some(KeyExchange::Ecdhe | KeyExchange::Ecdh) => any_curve,
                // Without any field among the groups the server's own parameters do.
                Some(KeyExchange::Dhe) => {
                    groups.iter().any(|group| is_finite(*group)) || !supported.iter().any(|group| is_finite(*group))
                }
                _ => true,
            }
        };
        let suites: Option<Vec<CipherSuite>> = named.suites.clone().or_else(|| jsse::suites(release)).map(|mut suites| {
            suites.retain(|suite| exchange(suite) && !disabled.iter().any(|entry| entry.takes_suite(*suite, release)));
            suites
        });
        let usable =
            |suite: &CipherSuite, version: ProtocolVersion| suite.details().is_some_and(|row| row.usable_with(version));
        let signalled = named.suites.is_none() && !disabled.iter().any(|entry| entry.takes_name(SIGNALLING, release));
        let mut versions = named.versions.clone().unwrap_or_else(|| jsse::versions(release));
        versions.retain(|version| {
            let has_suite = || suites.iter().flatten().any(|suite| usable(suite, *version));
            let needs_suite = suites.is_some() && !(signalled && *version < ProtocolVersion::TLSV1_3);
            !disabled.iter().any(|entry| entry.takes_version(*version)) && (!needs_suite || has_suite())
        });
        let suites = suites.map(|mut suites| {
            suites.retain(|suite| versions.iter().any(|version| usable(suite, *version)));
            suites
        });
        let scoped = release.is_none_or(|release| release >= jsse::HAS_SCOPES);
        let below_13 = versions.iter().any(|version| *version < ProtocolVersion::TLSV1_3);
        let spoken = |scheme: &SignatureScheme| {
            let row = jsse::SCHEMES.iter().find(|row| row.scheme == *scheme);
            row.is_none_or(|row| match row.spoken {
                Spoken::Always => true,
                Spoken::HandshakesBelow13 => below_13 || !scoped,
                Spoken::Below13 => below_13,
            })
        };
        let schemes = named.schemes.clone().or_else(|| jsse::schemes(release)).map(|mut schemes| {
            schemes.retain(|scheme| spoken(scheme) && !disabled.iter().any(|entry| entry.takes_scheme(*scheme, release)));
            schemes
        });
        Offer { versions, suites, groups, schemes }
    }
}

/// Whether it is a field of Diffie-Hellman (RFC 7919), not a curve.
fn is_finite(group: NamedGroup) -> bool {
    group.0 >> 8 == 1
}
