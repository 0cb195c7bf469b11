//! The negotiation as a function: it is monotonic, its agreements are of both sides, and what it proposes helps and is secure.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test stops at what it did not expect")]

mod common;

use std::mem::discriminant;

use proptest::prelude::*;
use tlswhy_core::negotiate::{
    Change, ClientCapabilities, Negotiated, Obstacle, ServerCapabilities, Support, apply, fixes, is_current, negotiate,
    usable_at,
};
use tlswhy_model::ClientPolicy;
use tlswhy_wire::{CipherSuite, NamedGroup, ProtocolVersion, SignatureScheme};

const VERSIONS: [ProtocolVersion; 5] = [
    ProtocolVersion::TLSV1_3,
    ProtocolVersion::TLSV1_2,
    ProtocolVersion::TLSV1_1,
    ProtocolVersion::TLSV1_0,
    ProtocolVersion::SSLV3,
];

const SUITES: [CipherSuite; 8] = [
    CipherSuite::TLS_AES_128_GCM_SHA256,
    CipherSuite::TLS_CHACHA20_POLY1305_SHA256,
    CipherSuite::TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
    CipherSuite::TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
    CipherSuite::TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA,
    CipherSuite::TLS_DHE_RSA_WITH_AES_128_GCM_SHA256,
    CipherSuite::TLS_RSA_WITH_AES_128_CBC_SHA,
    CipherSuite::TLS_RSA_WITH_RC4_128_SHA,
];

const GROUPS: [NamedGroup; 4] = [NamedGroup::X25519, NamedGroup::SECP256R1, NamedGroup::FFDHE2048, NamedGroup::SECT233R1];

const SCHEMES: [SignatureScheme; 4] = [
    SignatureScheme::RSA_PSS_RSAE_SHA256,
    SignatureScheme::ECDSA_SECP256R1_SHA256,
    SignatureScheme::RSA_PKCS1_SHA256,
    SignatureScheme::RSA_PKCS1_SHA1,
];

proptest! {
    #![proptest_config(common::chance(2000))]

    #[test]
    fn what_is_agreed_is_of_both(client in clients(), server in servers()) {
        if let Negotiated::Agreed(agreed) = negotiate(&client, &server) {
            prop_assert!(client.versions.contains(&agreed.version) && server.version(agreed.version) == Support::Accepted);
            prop_assert!(client.suites.contains(&agreed.suite) && usable_at(agreed.suite, agreed.version));
            prop_assert_eq!(server.suite(agreed.version, agreed.suite), Support::Accepted);
            if let Some(group) = agreed.group {
                prop_assert!(client.groups.contains(&group) && server.group(agreed.version, group) == Support::Accepted);
            }
        }
    }

    /// The highest version that both have, as a server must choose (RFC 8446 §4.2.1).
    #[test]
    fn no_higher_version_is_left_out(client in clients(), server in servers()) {
        if let Negotiated::Agreed(agreed) = negotiate(&client, &server) {
            let higher = client.versions.iter().any(|version| *version > agreed.version && server.version(*version) != Support::Refused);
            prop_assert!(!higher, "{:?}", agreed);
        }
    }

    #[test]
    fn a_fix_removes_its_obstacle(client in clients(), server in servers()) {
        if let Negotiated::Obstacle(obstacle) = negotiate(&client, &server) {
            for (change, after) in fixes(&obstacle, &client, &server) {
                let (client, server) = apply(&change, &client, &server);
                prop_assert_eq!(&negotiate(&client, &server), &after, "{:?}", change);
                let stays = matches!(&after, Negotiated::Obstacle(next) if discriminant(next) == discriminant(&obstacle));
                prop_assert!(!stays, "{:?} leaves {:?}", change, obstacle);
            }
        }
    }

    /// Whatever is proposed is TLS 1.2 or more, forward secret and authenticated encryption, no SHA-1, no small prime.
    #[test]
    fn what_is_proposed_is_secure(client in clients(), server in servers()) {
        if let Negotiated::Obstacle(obstacle) = negotiate(&client, &server) {
            for (change, _) in fixes(&obstacle, &client, &server) {
                let secure = match &change {
                    Change::ServerVersions(versions) | Change::ClientVersions(versions) => {
                        !versions.is_empty() && versions.iter().all(|version| *version >= ProtocolVersion::TLSV1_2)
                    }
                    Change::ServerSuites(_, suites) | Change::ClientSuites(suites) => {
                        !suites.is_empty() && suites.iter().all(|suite| is_current(*suite))
                    }
                    Change::ServerGroups(_, groups) | Change::ClientGroups(groups) => {
                        !groups.is_empty() && !groups.contains(&NamedGroup::SECT233R1)
                    }
                    Change::ServerSchemes(_, schemes) | Change::ClientSchemes(schemes) => {
                        !schemes.is_empty() && !schemes.contains(&SignatureScheme::RSA_PKCS1_SHA1)
                    }
                    Change::ServerDhSize(bits) => *bits >= 2048,
                    _ => true,
                };
                prop_assert!(secure, "{:?}", change);
            }
        }
    }

    /// What the server's side proposes is something that the client has, and the reverse.
    #[test]
    fn what_is_proposed_is_had_by_the_other_side(client in clients(), server in servers()) {
        if let Negotiated::Obstacle(obstacle) = negotiate(&client, &server) {
            for (change, _) in fixes(&obstacle, &client, &server) {
                let fits = match &change {
                    Change::ServerVersions(versions) => versions.iter().all(|version| client.versions.contains(version)),
                    Change::ClientVersions(versions) => versions.iter().all(|one| server.version(*one) == Support::Accepted),
                    Change::ServerSuites(version, suites) => {
                        suites.iter().all(|suite| client.suites.contains(suite) && usable_at(*suite, *version))
                    }
                    Change::ClientSuites(suites) => {
                        let taken = |suite: &CipherSuite| VERSIONS.iter().any(|at| server.suite(*at, *suite) == Support::Accepted);
                        suites.iter().all(taken)
                    }
                    Change::ServerGroups(_, groups) => groups.iter().all(|group| client.groups.contains(group)),
                    Change::ServerSchemes(_, schemes) => {
                        schemes.iter().all(|scheme| client.schemes.as_ref().is_some_and(|offered| offered.contains(scheme)))
                    }
                    _ => true,
                };
                prop_assert!(fits, "{:?}", change);
            }
        }
    }

    /// A client that offers less of one thing never agrees where it did not before. Fewer versions may: without the higher
    /// one that both have, another is chosen.
    #[test]
    fn less_never_makes_an_agreement(client in clients(), server in servers(), at in any::<prop::sample::Index>(), what in 0..3) {
        let mut less = client.clone();
        match what {
            0 if less.suites.len() > 1 => { less.suites.remove(at.index(client.suites.len())); }
            // A hello that names no group takes any.
            1 if less.groups.len() > 1 => { less.groups.remove(at.index(client.groups.len())); }
            2 => if let Some(schemes) = &mut less.schemes && !schemes.is_empty() { schemes.remove(at.index(schemes.len())); },
            _ => {}
        }
        if let Negotiated::Obstacle(obstacle) = negotiate(&client, &server) {
            let after = negotiate(&less, &server);
            prop_assert!(!matches!(after, Negotiated::Agreed(_)), "{:?} became {:?}", obstacle, after);
        }
    }

    /// A server that takes more of one thing never meets an obstacle where it agreed before. A further version may: it is
    /// chosen, and what goes with it may be missing.
    #[test]
    fn more_never_makes_an_obstacle(client in clients(), server in servers(), version in version(), what in 0..3, index in 0..8usize) {
        let mut more = server.clone();
        match what {
            0 => { more.suites.insert((version, SUITES[index]), Support::Accepted); }
            1 => { more.groups.insert((version, GROUPS[index % 4]), Support::Accepted); }
            _ => { more.schemes.insert((version, SCHEMES[index % 4]), Support::Accepted); }
        }
        if let Negotiated::Agreed(agreed) = negotiate(&client, &server) {
            let after = negotiate(&client, &more);
            prop_assert!(!matches!(after, Negotiated::Obstacle(_)), "{:?} became {:?}", agreed, after);
        }
    }

    /// Knowing more of the server turns an open question into an answer, and never one answer into the other.
    #[test]
    fn knowledge_settles_and_does_not_overturn(client in clients(), server in servers(), version in version(), what in 0..4, index in 0..8usize, yes in any::<bool>()) {
        let mut known = server.clone();
        let fact = if yes { Support::Accepted } else { Support::Refused };
        match what {
            0 => { known.suites.entry((version, SUITES[index])).or_insert(fact); }
            1 => { known.groups.entry((version, GROUPS[index % 4])).or_insert(fact); }
            2 => { known.schemes.entry((version, SCHEMES[index % 4])).or_insert(fact); }
            _ => { known.versions.entry(version).or_insert(fact); }
        }
        match (negotiate(&client, &server), negotiate(&client, &known)) {
            (Negotiated::Obstacle(before), Negotiated::Agreed(after)) => prop_assert!(false, "{:?} became {:?}", before, after),
            (Negotiated::Agreed(before), Negotiated::Obstacle(after)) => prop_assert!(false, "{:?} became {:?}", before, after),
            _ => {}
        }
    }
}

#[test]
fn each_obstacle_is_named() {
    let client = ClientCapabilities {
        versions: vec![ProtocolVersion::TLSV1_2],
        suites: vec![CipherSuite::TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256],
        groups: vec![NamedGroup::X25519],
        schemes: Some(vec![SignatureScheme::RSA_PSS_RSAE_SHA256]),
        alpn: vec!["h2".to_owned()],
        policy: ClientPolicy { requires_secure_renegotiation: Some(true), ..ClientPolicy::default() },
    };
    let at = ProtocolVersion::TLSV1_2;
    let mut server = ServerCapabilities::default();
    let stops = |server: &ServerCapabilities| match negotiate(&client, server) {
        Negotiated::Obstacle(obstacle) => obstacle,
        other => panic!("{other:?}"),
    };
    server.versions.insert(at, Support::Refused);
    assert_eq!(stops(&server), Obstacle::Versions { client: client.versions.clone(), server: Vec::new() });
    server.versions.insert(at, Support::Accepted);
    server.suites.insert((at, client.suites[0]), Support::Refused);
    assert_eq!(stops(&server), Obstacle::Suites { version: at });
    server.suites.insert((at, client.suites[0]), Support::Accepted);
    server.groups.insert((at, NamedGroup::X25519), Support::Refused);
    assert_eq!(stops(&server), Obstacle::Groups { version: at });
    server.groups.insert((at, NamedGroup::X25519), Support::Accepted);
    server.schemes.insert((at, SignatureScheme::RSA_PSS_RSAE_SHA256), Support::Refused);
    assert_eq!(stops(&server), Obstacle::Schemes { version: at });
    server.schemes.insert((at, SignatureScheme::RSA_PSS_RSAE_SHA256), Support::Accepted);
    server.alpn.insert(client.alpn.clone(), Support::Refused);
    assert_eq!(stops(&server), Obstacle::Alpn);
    server.alpn.insert(client.alpn.clone(), Support::Accepted);
    server.secure_renegotiation = Some(false);
    assert_eq!(stops(&server), Obstacle::SecureRenegotiation);
    server.secure_renegotiation = Some(true);
    assert!(matches!(negotiate(&client, &server), Negotiated::Agreed(_)));
}

fn version() -> impl Strategy<Value = ProtocolVersion> {
    prop::sample::select(VERSIONS.to_vec())
}

fn clients() -> impl Strategy<Value = ClientCapabilities> {
    (
        prop::sample::subsequence(VERSIONS.to_vec(), 1..=5),
        prop::sample::subsequence(SUITES.to_vec(), 1..=8),
        prop::sample::subsequence(GROUPS.to_vec(), 0..=4),
        prop::option::weighted(0.9, prop::sample::subsequence(SCHEMES.to_vec(), 1..=4)),
        any::<[bool; 4]>(),
    )
        .prop_map(|(versions, suites, groups, schemes, [alpn, renegotiation, floor, signature])| ClientCapabilities {
            versions,
            suites,
            groups,
            schemes,
            alpn: if alpn { vec!["h2".to_owned()] } else { Vec::new() },
            policy: ClientPolicy {
                requires_secure_renegotiation: Some(renegotiation),
                minimum_dh_bits: floor.then_some(2048),
                legacy_signature_refused: Some(signature),
                ..ClientPolicy::default()
            },
        })
}

fn support() -> impl Strategy<Value = Support> {
    prop_oneof![3 => Just(Support::Accepted), 2 => Just(Support::Refused), 1 => Just(Support::Untested)]
}

fn servers() -> impl Strategy<Value = ServerCapabilities> {
    (
        prop::collection::vec(support(), 5),
        prop::collection::vec(support(), 40),
        prop::collection::vec(support(), 20),
        prop::collection::vec(support(), 20),
        support(),
        any::<[Option<bool>; 2]>(),
    )
        .prop_map(|(versions, suites, groups, schemes, alpn, [renegotiation, small])| {
            let mut server = ServerCapabilities::default();
            for (index, version) in VERSIONS.iter().enumerate() {
                server.versions.insert(*version, versions[index]);
                for (nth, suite) in SUITES.iter().enumerate().filter(|(_, suite)| usable_at(**suite, *version)) {
                    server.suites.insert((*version, *suite), suites[index * 8 + nth]);
                }
                for nth in 0..4 {
                    server.groups.insert((*version, GROUPS[nth]), groups[index * 4 + nth]);
                    server.schemes.insert((*version, SCHEMES[nth]), schemes[index * 4 + nth]);
                }
            }
            // "Untested" is the absence of a fact.
            server.versions.retain(|_, support| *support != Support::Untested);
            server.suites.retain(|_, support| *support != Support::Untested);
            server.groups.retain(|_, support| *support != Support::Untested);
            server.schemes.retain(|_, support| *support != Support::Untested);
            if alpn != Support::Untested {
                server.alpn.insert(vec!["h2".to_owned()], alpn);
            }
            server.secure_renegotiation = renegotiation;
            server.dh_bits = small.map(|small| if small { 1024 } else { 2048 });
            server
        })
}
