//! The examination against servers and answers made by chance: what it says is true, it always ends, and it misleads nobody.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test stops at what it did not expect")]

mod common;

use common::examine::{NAME, check_early_end, client, codes, connects, ended, every_suite, faults, request, resolution, run};
use common::flight::{self, Server};
use common::{chance, check_report};
use proptest::prelude::*;
use tlswhy_core::{Examination, Request};
use tlswhy_model::{
    Answer, Asked, Attempt, Awaited, Bytes, ClientProfile, Confidence, Depth, Ending, Exchange, Opening, Outcome, Probe,
    Question, Speaker,
};
use tlswhy_wire::{AlertDescription, AlertLevel, NamedGroup, ProtocolVersion, SignatureScheme};

proptest! {
    #![proptest_config(chance(48))]

    /// Against any server made of lists the judged client's outcome is the one that its own hello meets, and what is said of
    /// the panel's clients is true of them.
    #[test]
    fn what_is_said_is_true(server in servers(), client in clients()) {
        let panel = tlswhy_core::panel();
        let truth = connects(&client, &server);
        let mut examination = Examination::new(Request { panel: panel.clone(), ..request(client.clone()) });
        let report = run(&mut examination, |asked| server.answer(asked));
        check_report(&report, &client.name);
        match report.outcome {
            Outcome::Works => prop_assert!(truth, "{} works?", client.name),
            Outcome::Fails => prop_assert!(!truth, "{} fails? {}", client.name, report.summary),
            Outcome::Undetermined => prop_assert!(!truth, "{} works, and it stays open", client.name),
            Outcome::AtRisk => prop_assert!(false, "{}", report.summary),
        }
        if !whole(&server) {
            return Ok(());
        }
        if let Some(cause) = &report.root_cause {
            // One fault behind another stays; application protocols are looked at last.
            let alpn = if cause == "alpn-mismatch" { server.alpn.clone() } else { None };
            let server = Server { alpn, ..server.clone() };
            let mended = mended(cause, &server, &client);
            let hello = client.hello.clone().with_server_name(Some(NAME));
            let state = |server: &Server| {
                // What the client minds after the choice.
                let floor = client.policy.minimum_dh_bits.is_some_and(|floor| server.dh_bits < floor as usize);
                (server.negotiate(&hello), server.wants_certificate, server.secure_renegotiation, floor)
            };
            prop_assert_ne!(state(&server), state(&mended), "{}: mending {} changes nothing at {:?}", client.name, cause, server);
        }
        for (row, client) in report.clients.iter().zip(&panel) {
            let wrong = match row.outcome {
                Outcome::Works => !may_connect(client, &server),
                Outcome::Fails => connects(client, &server),
                _ => false,
            };
            prop_assert!(!wrong, "{row:?} at {server:?}");
        }
    }

    /// The same evidence gives the same report, asked or replayed, whatever stayed unanswered; and never another cause.
    #[test]
    fn unanswered_questions_mislead_nobody(index in 0..faults().len(), answered in any::<u64>()) {
        let (cause, server, client) = faults().swap_remove(index);
        let mut count = 0;
        let mut examination = Examination::new(request(client));
        let report = run(&mut examination, |asked| {
            count += 1;
            if answered >> (count % 64) & 1 == 1 { server.answer(asked) } else { Answer::Unavailable }
        });
        check_early_end(&report, cause, cause);
        let again = common::replay(examination.evidence());
        prop_assert_eq!(codes(&again), codes(&report));
        prop_assert_eq!(&again, &common::replay(examination.evidence()));
    }

    /// Before a server that takes the client something drops connections by chance: no more is confirmed than hellos that were
    /// dropped each time they were sent, and more than once.
    #[test]
    fn what_happens_once_is_not_confirmed(sometimes in any::<u64>(), often in any::<u64>()) {
        let (server, client) = (Server::default(), client("openssl-3.0"));
        prop_assert!(connects(&client, &server));
        let mut count = 0;
        let mut examination = Examination::new(request(client));
        let report = run(&mut examination, |asked| {
            count += 1;
            let dropped = sometimes & often.rotate_left(count / 64) & (1 << (count % 64)) != 0;
            match &asked.question {
                Question::Probe(probe) if dropped => ended((**probe).clone(), Ending::Closed { awaited: Awaited::ServerHello }),
                _ => server.answer(asked),
            }
        });
        let attempts = &examination.evidence().attempts;
        let closed = |attempt: &Attempt| matches!(attempt.ending, Ending::Closed { .. });
        let same = |one: &Probe, other: &Probe| Probe { repetition: 0, ..one.clone() } == Probe { repetition: 0, ..other.clone() };
        let each_time = |attempt: &&Attempt| {
            let all: Vec<&Attempt> = attempts.iter().filter(|other| same(&other.probe, &attempt.probe)).collect();
            attempt.probe.repetition == 0 && all.len() > 1 && all.into_iter().all(closed)
        };
        let most = attempts.iter().filter(each_time).count();
        let confirmed = report.findings.iter().filter(|finding| finding.confidence == Confidence::Confirmed).count();
        prop_assert!(confirmed <= most, "{confirmed} confirmed, {most} dropped each time: {:?}", codes(&report));
    }

    /// No bytes and no ending make it panic, run on, or say what its exhibits do not show.
    #[test]
    fn nonsense_ends_in_a_report(pool in prop::collection::vec(nonsense(), 1..6), client in clients(), private in any::<bool>()) {
        let mut count = 0;
        let mut answer = |asked: &Asked| match &asked.question {
            Question::Resolve { .. } => Answer::Resolved(resolution(&["127.0.0.1", "192.0.2.7"])),
            Question::Probe(probe) => {
                count += 1;
                Answer::Attempted(Box::new(pool[count % pool.len()].attempt(probe)))
            }
            _ => Answer::Unavailable,
        };
        let address = private.then(|| "192.0.2.7".parse().unwrap());
        let asked = Request { address, panel: tlswhy_core::panel(), ..request(client) };
        let mut examination = Examination::new(asked.clone());
        let report = run(&mut examination, &mut answer);
        check_report(&report, "nonsense");
        prop_assert!(report.cost.connections <= asked.budget.connections && report.cost.rounds <= asked.budget.rounds);
        let again = common::replay(examination.evidence());
        prop_assert_eq!(&again, &common::replay(examination.evidence()));
        if private {
            prop_assert_eq!(codes(&again), codes(&report));
        }
        check_report(&again, "nonsense, again");
        check_report(&common::replay(&tlswhy_core::redact(examination.evidence().clone())), "nonsense, redacted");
    }
}

/// The server without the fault that is said to stop the client.
fn mended(cause: &str, server: &Server, client: &ClientProfile) -> Server {
    let (offered, mut server) = (&client.hello, server.clone());
    match cause {
        "alpn-mismatch" => server.alpn = None,
        "client-certificate-required" => server.wants_certificate = false,
        "legacy-renegotiation" => server.secure_renegotiation = true,
        "no-shared-group" => server.groups.extend(offered.groups()),
        "no-shared-signature-algorithm" => server.schemes.extend(offered.signature_schemes().unwrap_or_default()),
        "sni-unrecognized" => server.name = None,
        "weak-dh-params" => server.dh_bits = 8192,
        // What a suite or a version needs besides shows only once it is there.
        "no-shared-cipher" | "cipher-certificate-mismatch" => {
            server.suites.extend(offered.real_suites());
            server.groups.extend(offered.groups());
            server.schemes.extend(offered.signature_schemes().unwrap_or_default());
        }
        "server-version-intolerant" => {
            let hello = offered.clone().with_server_name(Some(NAME));
            let alone = |version: &ProtocolVersion| Server { versions: vec![*version], ..server.clone() };
            let works = server.versions.iter().copied().filter(|version| alone(version).negotiate(&hello).is_ok()).collect();
            server.versions = works;
        }
        "client-version-outdated" | "server-version-outdated" | "version-ranges-disjoint" => {
            server.versions.extend(tlswhy_core::negotiate::offered_versions(offered, &client.policy));
            return mended("no-shared-cipher", &server, client);
        }
        other => panic!("{other} cannot be shown by this server"),
    }
    server
}

/// Whether the client gets to an agreement with some order of the server's suites: the table is about what both have, not
/// about what the server likes best. It does not know whether a client has a certificate to show, and takes an application
/// protocol that nobody asked for to be no obstacle.
fn may_connect(client: &ClientProfile, server: &Server) -> bool {
    let lenient = Server { wants_certificate: false, alpn: None, ..server.clone() };
    server.suites.iter().any(|suite| connects(client, &Server { suites: vec![*suite], ..lenient.clone() }))
}

/// Whether each version that the server has can be had: a version that is on and has no suite, group or signature of use is
/// indistinguishable from one that is off, unless the client that meets it is asked about.
fn whole(server: &Server) -> bool {
    use tlswhy_core::knowledge::controls;
    server.versions.iter().all(|version| {
        let control = match *version {
            ProtocolVersion::TLSV1_3 => controls::tls13(Some(NAME)),
            ProtocolVersion::TLSV1_2 => controls::tls12(Some(NAME)),
            ProtocolVersion::TLSV1_1 => controls::tls11(Some(NAME)),
            ProtocolVersion::TLSV1_0 => controls::tls10(Some(NAME)),
            _ => controls::ssl3(),
        };
        Server { versions: vec![*version], name: None, ..server.clone() }.negotiate(&control).is_ok()
    })
}

fn clients() -> impl Strategy<Value = ClientProfile> {
    prop::sample::select(tlswhy_core::clients().unwrap())
}

fn servers() -> impl Strategy<Value = Server> {
    let versions = vec![
        ProtocolVersion::TLSV1_3,
        ProtocolVersion::TLSV1_2,
        ProtocolVersion::TLSV1_1,
        ProtocolVersion::TLSV1_0,
        ProtocolVersion::SSLV3,
    ];
    let groups =
        vec![NamedGroup::X25519, NamedGroup::SECP256R1, NamedGroup::SECP384R1, NamedGroup::X448, NamedGroup::FFDHE2048];
    let schemes = vec![
        SignatureScheme::RSA_PSS_RSAE_SHA256,
        SignatureScheme::RSA_PSS_RSAE_SHA512,
        SignatureScheme::RSA_PKCS1_SHA256,
        SignatureScheme::RSA_PKCS1_SHA1,
    ];
    let alpn =
        prop_oneof![3 => Just(None), 1 => Just(Some(vec!["imap".to_owned()])), 1 => Just(Some(vec!["http/1.1".to_owned()]))];
    let one_in_four = || prop::bool::weighted(0.25);
    (
        prop::sample::subsequence(versions, 1..=5),
        prop_oneof![prop::sample::subsequence(every_suite(), 1..=4), prop::sample::subsequence(every_suite(), 10..=30)],
        prop::sample::subsequence(groups, 1..=5),
        prop::sample::subsequence(schemes, 1..=4),
        alpn,
        (one_in_four(), one_in_four(), one_in_four(), one_in_four(), prop::sample::select(vec![768, 1024, 2048])),
    )
        .prop_map(
            |(versions, suites, groups, schemes, alpn, (legacy, plain_secret, wants_certificate, named, dh_bits))| Server {
                versions,
                suites,
                groups,
                schemes,
                alpn,
                name: named.then(|| NAME.to_owned()),
                secure_renegotiation: !legacy,
                extended_master_secret: !plain_secret,
                dh_bits,
                wants_certificate,
                longest_hello: usize::MAX,
            },
        )
}

/// What a peer answers that makes no sense.
#[derive(Clone, Debug)]
struct Nonsense {
    received: Vec<u8>,
    decrypted: Option<Vec<u8>>,
    application: Option<Vec<u8>>,
    ending: Ending,
    /// It greeted before.
    spoke: bool,
}

impl Nonsense {
    fn attempt(&self, probe: &Probe) -> Attempt {
        let mut attempt = flight::attempt(probe, self.received.clone(), self.decrypted.clone(), self.ending.clone());
        attempt.application = self.application.clone().map(Bytes);
        if self.spoke {
            attempt.dialogue.push(Exchange { from: Speaker::Server, bytes: Bytes(b"220 \x1b[2J ready\r\n".to_vec()) });
        }
        attempt
    }
}

fn nonsense() -> impl Strategy<Value = Nonsense> {
    let bytes = prop_oneof![
        prop::collection::vec(any::<u8>(), 0..120),
        // Records with sound lengths, so that what is inside gets read.
        (prop::sample::select(vec![20u8, 21, 22, 23]), any::<u8>(), prop::collection::vec(any::<u8>(), 0..90)).prop_map(
            |(content, kind, body)| match content {
                22 => flight::record(22, &flight::message(kind % 25, &body)),
                other => flight::record(other, &body),
            }
        ),
        // The answer of a server, with one byte changed.
        (any::<prop::sample::Index>(), any::<u8>(), servers()).prop_map(|(at, byte, server)| {
            let hello = tlswhy_core::client("openssl-3.0").unwrap().hello;
            let opening = Opening::Hello { hello };
            let probe = Probe {
                host: NAME.to_owned(),
                port: 443,
                address: None,
                upgrade: None,
                opening,
                depth: Depth::Finish,
                with_identity: false,
                trial: None,
                repetition: 0,
            };
            let mut bytes = server.attempt(&probe).received.0;
            if !bytes.is_empty() {
                let at = at.index(bytes.len());
                bytes[at] = byte;
            }
            bytes
        }),
    ];
    let some = prop::option::of(prop::collection::vec(any::<u8>(), 0..80));
    (bytes, some.clone(), some, endings(), any::<bool>()).prop_map(|(received, decrypted, application, ending, spoke)| {
        Nonsense { received, decrypted, application, ending, spoke }
    })
}

fn endings() -> impl Strategy<Value = Ending> {
    let awaited = || {
        prop::sample::select(vec![
            Awaited::TunnelAnswer,
            Awaited::UpgradeAnswer,
            Awaited::ServerHello,
            Awaited::ServerFlight,
            Awaited::ServerFinished,
            Awaited::AfterFinished,
            Awaited::Application,
            Awaited::Trial,
        ])
    };
    let words = || prop::sample::select(vec!["", "plain words", "\u{1b}]0;title\u{7}", "\u{202e}sdrawkcab", "a\r\nb"]);
    let upgrades = vec![None, Some("smtp"), Some("imap"), Some("ldap"), Some("no-such-upgrade")];
    prop_oneof![
        Just(Ending::Completed),
        Just(Ending::Answered),
        words().prop_map(|reason| Ending::NotCarriedFurther { reason: reason.to_owned() }),
        (any::<u8>(), any::<u8>(), awaited(), any::<bool>()).prop_map(|(level, number, awaited, encrypted)| Ending::Alert {
            level: AlertLevel(level),
            description: AlertDescription(number),
            awaited,
            encrypted
        }),
        awaited().prop_map(|awaited| Ending::Closed { awaited }),
        awaited().prop_map(|awaited| Ending::Reset { awaited }),
        (awaited(), any::<u64>()).prop_map(|(awaited, waited_ms)| Ending::TimedOut { awaited, waited_ms }),
        Just(Ending::Refused),
        words().prop_map(|detail| Ending::Unreachable { detail: detail.to_owned() }),
        any::<u64>().prop_map(|waited_ms| Ending::ConnectTimedOut { waited_ms }),
        (prop::sample::select(upgrades), words()).prop_map(|(upgrade, detail)| Ending::NotTls {
            protocol: upgrade.map(str::to_owned),
            upgrade: upgrade.map(str::to_owned),
            detail: detail.to_owned()
        }),
        words().prop_map(|reason| Ending::TunnelRefused { reason: reason.to_owned() }),
        words().prop_map(|reason| Ending::UpgradeRefused { reason: reason.to_owned() }),
        (words(), any::<u64>()).prop_map(|(what, at)| Ending::Malformed { what: what.to_owned(), at }),
        words().prop_map(|reason| Ending::Impossible { reason: reason.to_owned() }),
    ]
}
