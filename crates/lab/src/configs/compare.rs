//! What is expected of a server beside what it does.

use std::collections::BTreeSet;
use std::fmt::Display;

use tlswhy_wire::{Authentication, CipherSuite, KeyExchange, NamedGroup, ProtocolVersion};

use super::hellos::everything;
use super::leaf::Leaf;
use super::measured::Measured;

/// What is expected of one look at a server. `None` is not claimed, and not compared.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Predicted {
    /// Whether TLS is spoken; `Some(false)`: plain text.
    pub tls: Option<bool>,
    /// Whether every handshake with this name is refused.
    pub refuses: Option<bool>,
    /// Versions that lead to a handshake.
    pub versions: Option<Vec<ProtocolVersion>>,
    /// Suites below TLS 1.3, in the server's order.
    pub suites: Option<Vec<CipherSuite>>,
    /// Suites of TLS 1.3.
    pub suites_13: Option<Vec<CipherSuite>>,
    /// Groups for key exchange.
    pub groups: Option<Vec<NamedGroup>>,
    /// Whether finite-field Diffie-Hellman has parameters. `None`: its suites are not compared.
    pub dhe: Option<bool>,
    /// Whether the server's order of suites counts.
    pub server_preference: Option<bool>,
    /// The SHA-256 of each leaf certificate.
    pub leaves: Option<Vec<String>>,
    /// Whether a client certificate is asked for.
    pub asks_certificate: Option<bool>,
    /// Application protocols, in the server's order.
    pub alpn: Option<Vec<String>>,
}

/// One disagreement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// What it is about: a field of [`Predicted`].
    pub what: &'static str,
    /// Both sides, in words.
    pub detail: String,
}

/// Where both disagree.
pub fn differences(predicted: &Predicted, measured: &Measured) -> Vec<Difference> {
    let mut all = Vec::new();
    if predicted.tls == Some(false) {
        if measured.not_tls.is_none() {
            all.push(Difference { what: "tls", detail: format!("predicted plain text, measured {}", state(measured)) });
        }
        return all;
    }
    if measured.closed || measured.not_tls.is_some() {
        return vec![Difference { what: "tls", detail: format!("predicted TLS, measured {}", state(measured)) }];
    }
    let refused = measured.versions.is_empty();
    if predicted.refuses == Some(true) {
        if !refused {
            all.push(Difference { what: "refuses", detail: format!("predicted a refusal, measured {}", state(measured)) });
        }
        return all;
    }
    if let Some(versions) = &predicted.versions {
        sets(&mut all, "versions", versions, &measured.versions);
    }
    if refused {
        if predicted.refuses == Some(false) && predicted.versions.is_none() {
            all.push(Difference { what: "refuses", detail: format!("predicted none, measured {}", state(measured)) });
        }
        // Nothing else could be measured.
        return all;
    }
    suites(&mut all, predicted, measured);
    let has_13 = measured.versions.contains(&ProtocolVersion::TLSV1_3);
    if let Some(groups) = &predicted.groups {
        let usable = |version| {
            let offered = everything(version, None).groups();
            groups.iter().copied().filter(|group| offered.contains(group)).collect::<Vec<_>>()
        };
        if has_13 {
            sets(&mut all, "groups", &usable(ProtocolVersion::TLSV1_3), &measured.groups_13);
        }
        if let Some(found) = &measured.groups_12 {
            sets(&mut all, "groups-1.2", &usable(ProtocolVersion::TLSV1_2), found);
        }
    }
    leaves(&mut all, predicted, &measured.leaves, has_13);
    same(&mut all, "asks-certificate", predicted.asks_certificate, measured.asks_certificate);
    if let Some(offered) = &predicted.alpn {
        let known = |name: &&String| ["h2", "http/1.1"].contains(&name.as_str());
        let expected = offered.iter().find(known);
        if expected != measured.alpn.as_ref() {
            all.push(Difference { what: "alpn", detail: format!("predicted {expected:?}, measured {:?}", measured.alpn) });
        }
    }
    all
}

fn state(measured: &Measured) -> String {
    if measured.closed {
        return "a closed port".to_owned();
    }
    if let Some(said) = &measured.not_tls {
        return format!("plain text ({said})");
    }
    match &measured.refusal {
        Some(refusal) => format!("a refusal ({refusal})"),
        None => words(&measured.versions),
    }
}

fn suites(all: &mut Vec<Difference>, predicted: &Predicted, measured: &Measured) {
    if let (Some(suites), true) = (&predicted.suites_13, measured.versions.contains(&ProtocolVersion::TLSV1_3)) {
        sets(all, "suites-1.3", suites, &measured.suites_13);
    }
    let Some(version) = measured.suites_at else { return };
    same(all, "server-preference", predicted.server_preference, measured.server_preference);
    let Some(suites) = &predicted.suites else { return };
    let (rsa, other) = (measured.leaves.iter().any(|leaf| leaf.rsa), measured.leaves.iter().any(|leaf| !leaf.rsa));
    let comparable = |suite: &CipherSuite| {
        let Some(row) = suite.details().filter(|row| row.usable_with(version)) else { return false };
        predicted.dhe.is_some() || !matches!(row.key_exchange, KeyExchange::Dhe | KeyExchange::DhAnon)
    };
    let possible = |suite: &CipherSuite| {
        let Some(row) = suite.details() else { return false };
        let exchange = match row.key_exchange {
            KeyExchange::Dhe | KeyExchange::DhAnon => predicted.dhe == Some(true),
            KeyExchange::Rsa | KeyExchange::Ecdhe | KeyExchange::EcdhAnon => true,
            // Keys and passwords of their own, which no case has.
            _ => false,
        };
        let key = match row.authentication {
            Authentication::Rsa => rsa,
            Authentication::Ecdsa => other,
            Authentication::Dss => false,
            _ => true,
        };
        exchange && key
    };
    let expected: Vec<CipherSuite> = suites.iter().copied().filter(comparable).filter(possible).collect();
    let found: Vec<CipherSuite> = measured.suites.iter().copied().filter(comparable).collect();
    sets(all, "suites", &expected, &found);
    if predicted.server_preference == Some(true) {
        let (expected, found) = (in_both(&expected, &found), in_both(&found, &expected));
        if expected != found {
            let detail = format!("predicted {}, measured {}", words(&expected), words(&found));
            all.push(Difference { what: "suites-order", detail });
        }
    }
}

fn in_both<T: PartialEq + Copy>(list: &[T], other: &[T]) -> Vec<T> {
    list.iter().copied().filter(|one| other.contains(one)).collect()
}

/// Below TLS 1.3 the suites decide which certificate is shown, so that not every one need be seen.
fn leaves(all: &mut Vec<Difference>, predicted: &Predicted, measured: &[Leaf], every_one: bool) {
    let Some(expected) = &predicted.leaves else { return };
    let strange = measured.iter().filter(|leaf| !expected.contains(&leaf.sha256)).collect::<Vec<_>>();
    let unseen = expected.iter().filter(|sha256| measured.iter().all(|leaf| leaf.sha256 != **sha256)).count();
    if !strange.is_empty() || (unseen > 0 && (every_one || measured.is_empty())) {
        let detail = format!(
            "seen and not predicted: {}; predicted and not seen: {unseen}",
            strange.iter().map(|leaf| leaf.subject.as_str()).collect::<Vec<_>>().join(", ")
        );
        all.push(Difference { what: "leaves", detail });
    }
}

fn same(all: &mut Vec<Difference>, what: &'static str, predicted: Option<bool>, measured: Option<bool>) {
    if let (Some(predicted), Some(measured)) = (predicted, measured)
        && predicted != measured
    {
        all.push(Difference { what, detail: format!("predicted {predicted}, measured {measured}") });
    }
}

fn sets<T: PartialEq + Ord + Copy + Display>(all: &mut Vec<Difference>, what: &'static str, predicted: &[T], measured: &[T]) {
    let (expected, found): (BTreeSet<T>, BTreeSet<T>) =
        (predicted.iter().copied().collect(), measured.iter().copied().collect());
    if expected == found {
        return;
    }
    let only = |some: &BTreeSet<T>, other: &BTreeSet<T>| words(&some.difference(other).copied().collect::<Vec<_>>());
    let detail = format!("only predicted: {}; only measured: {}", only(&expected, &found), only(&found, &expected));
    all.push(Difference { what, detail });
}

fn words<T: Display>(list: &[T]) -> String {
    if list.is_empty() {
        return "none".to_owned();
    }
    list.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn measured() -> Measured {
        Measured {
            versions: vec![ProtocolVersion::TLSV1_3, ProtocolVersion::TLSV1_2],
            suites_at: Some(ProtocolVersion::TLSV1_2),
            suites: vec![
                CipherSuite::TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
                CipherSuite::TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
            ],
            suites_13: vec![CipherSuite::TLS_AES_128_GCM_SHA256],
            groups_13: vec![NamedGroup::X25519],
            groups_12: Some(vec![NamedGroup::X25519]),
            server_preference: Some(true),
            leaves: vec![Leaf { sha256: "aa".into(), subject: "CN=a".into(), rsa: true, sent: 2 }],
            asks_certificate: Some(false),
            alpn: Some("h2".into()),
            ..Measured::default()
        }
    }

    fn predicted() -> Predicted {
        Predicted {
            tls: Some(true),
            refuses: Some(false),
            versions: Some(measured().versions),
            // The ECDSA suite is no difference: there is no such certificate.
            suites: Some([measured().suites, vec![CipherSuite::TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256]].concat()),
            suites_13: Some(measured().suites_13),
            groups: Some(vec![NamedGroup::X25519]),
            dhe: Some(false),
            server_preference: Some(true),
            leaves: Some(vec!["aa".into()]),
            asks_certificate: Some(false),
            alpn: Some(vec!["h2".into(), "http/1.1".into()]),
        }
    }

    fn whats(predicted: &Predicted) -> Vec<&'static str> {
        differences(predicted, &measured()).iter().map(|difference| difference.what).collect()
    }

    #[test]
    fn what_is_claimed_and_measured_alike_is_no_difference() {
        assert_eq!(differences(&predicted(), &measured()), []);
        assert_eq!(differences(&Predicted::default(), &measured()), []);
    }

    #[test]
    fn every_field_can_differ() {
        type Change = fn(&mut Predicted);
        let wrong: [(&[&str], Change); 12] = [
            (&["tls"], |p| p.tls = Some(false)),
            (&["refuses"], |p| p.refuses = Some(true)),
            (&["versions"], |p| p.versions = Some(vec![ProtocolVersion::TLSV1_2])),
            (&["suites"], |p| p.suites = Some(vec![CipherSuite::TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384])),
            (&["suites-order"], |p| p.suites = p.suites.take().map(|list| list.into_iter().rev().collect())),
            (&["suites-1.3"], |p| p.suites_13 = Some(Vec::new())),
            (&["groups", "groups-1.2"], |p| p.groups = Some(vec![NamedGroup::SECP256R1])),
            (&["server-preference"], |p| p.server_preference = Some(false)),
            (&["leaves"], |p| p.leaves = Some(vec!["bb".into()])),
            (&["leaves"], |p| p.leaves = Some(vec!["aa".into(), "bb".into()])),
            (&["asks-certificate"], |p| p.asks_certificate = Some(true)),
            (&["alpn"], |p| p.alpn = Some(vec!["http/1.1".into()])),
        ];
        for (expected, change) in wrong {
            let mut predicted = predicted();
            change(&mut predicted);
            assert_eq!(whats(&predicted), expected);
        }
    }

    #[test]
    fn suites_with_diffie_hellman_are_compared_only_where_parameters_are_known() {
        let mut predicted = predicted();
        predicted.suites.iter_mut().for_each(|list| list.push(CipherSuite::TLS_DHE_RSA_WITH_AES_128_GCM_SHA256));
        assert_eq!(whats(&predicted), [""; 0]);
        predicted.dhe = Some(true);
        assert_eq!(whats(&predicted), ["suites"]);
        predicted.dhe = None;
        assert_eq!(whats(&predicted), [""; 0]);
    }
}
