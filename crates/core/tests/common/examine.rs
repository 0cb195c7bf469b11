//! Examinations answered by a server made of lists, one for each fault that such a server can show.

use std::net::IpAddr;

use tlswhy_core::{Budget, Examination, Request, Step};
use tlswhy_model::{Answer, Asked, ClientProfile, Ending, Outcome, Probe, Question, Report, Resolution, Subject};
use tlswhy_wire::{Authentication, CipherSuite, KeyExchange, NamedGroup, ProtocolVersion, SignatureScheme};

use super::check_report;
use super::flight::{self, Server};

pub const NAME: &str = "server.test";
pub const ADDRESS: IpAddr = IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);

/// An early end names the cause of the full examination, or none and a question.
pub fn check_early_end(report: &Report, cause: &str, of: &str) {
    check_report(report, of);
    match &report.root_cause {
        Some(found) => assert_eq!(found, cause, "{of}: {}", report.summary),
        None => assert_eq!(report.outcome, Outcome::Undetermined, "{of}: {}", report.summary),
    }
}

pub fn request(client: ClientProfile) -> Request {
    Request {
        subject: Subject {
            target: format!("{NAME}:443"),
            host: NAME.to_owned(),
            port: 443,
            server_name: Some(NAME.to_owned()),
            client: client.title.clone(),
            ..Subject::default()
        },
        clients: vec![client],
        panel: Vec::new(),
        trust: None,
        started_at: "2026-01-01T00:00:00Z".to_owned(),
        budget: Budget::default(),
        all_addresses: false,
        address: Some(ADDRESS),
        address_family: None,
        ..Request::default()
    }
}

pub fn examine(request: Request, server: &Server) -> Report {
    drive(request, |asked| server.answer(asked))
}

pub fn drive(request: Request, answer: impl FnMut(&Asked) -> Answer) -> Report {
    run(&mut Examination::new(request), answer)
}

pub fn run(examination: &mut Examination, mut answer: impl FnMut(&Asked) -> Answer) -> Report {
    for _ in 0..100 {
        match examination.next() {
            Step::Done(report) => return *report,
            Step::Ask(asked) => {
                assert!(!asked.is_empty());
                for asked in asked {
                    examination.answer(asked.id, answer(&asked));
                }
            }
        }
    }
    panic!("it asks on and on");
}

pub fn client(name: &str) -> ClientProfile {
    tlswhy_core::client(name).unwrap_or_else(|| panic!("no client {name}"))
}

/// The client without the suites that `cbc_only` has, and without TLS 1.3.
pub fn without_cbc(mut client: ClientProfile) -> ClientProfile {
    let cbc = cbc_only().suites;
    let suites = client.hello.cipher_suites.iter().copied().filter(|suite| !cbc.contains(suite)).collect();
    client.hello = client.hello.with_suites(suites);
    client
}

/// TLS 1.2 with two suites that are not proposed to anyone.
pub fn cbc_only() -> Server {
    Server {
        versions: vec![ProtocolVersion::TLSV1_2],
        suites: vec![CipherSuite::TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA, CipherSuite::TLS_RSA_WITH_AES_128_CBC_SHA],
        ..Server::default()
    }
}

/// One server for each cause that a server made of lists can show, and the client that meets it.
pub fn faults() -> Vec<(&'static str, Server, ClientProfile)> {
    let healthy = Server::default;
    let openssl = || client("openssl-3.0");
    let dhe = |bits| Server {
        versions: vec![ProtocolVersion::TLSV1_2],
        suites: vec![CipherSuite::TLS_DHE_RSA_WITH_AES_128_GCM_SHA256],
        dh_bits: bits,
        ..healthy()
    };
    let mut old = client("android-4.4");
    old.hello = old.hello.with_versions(&[ProtocolVersion::TLSV1_0]);
    let mut modern = openssl();
    modern.hello = modern.hello.with_versions(&[ProtocolVersion::TLSV1_3]);
    vec![
        ("server-version-outdated", Server { versions: vec![ProtocolVersion::TLSV1_0], ..cbc_only() }, client("chrome-156")),
        ("client-version-outdated", Server { suites: every_suite(), ..healthy() }, old),
        ("version-ranges-disjoint", Server { suites: every_suite(), ..cbc_only() }, modern),
        ("no-shared-cipher", cbc_only(), without_cbc(openssl())),
        ("no-shared-group", Server { groups: vec![NamedGroup::X448], ..healthy() }, client("chrome-156")),
        (
            "no-shared-signature-algorithm",
            Server { schemes: vec![SignatureScheme::ED448, SignatureScheme::RSA_PKCS1_MD5], ..healthy() },
            client("chrome-156"),
        ),
        ("weak-dh-params", dhe(768), openssl()),
        (
            "legacy-renegotiation",
            Server { versions: vec![ProtocolVersion::TLSV1_2], secure_renegotiation: false, ..healthy() },
            openssl(),
        ),
        ("alpn-mismatch", Server { alpn: Some(vec!["imap".to_owned()]), ..healthy() }, client("chrome-156")),
        ("sni-unrecognized", Server { name: Some("other.test".to_owned()), ..healthy() }, openssl()),
        ("client-certificate-required", Server { wants_certificate: true, ..healthy() }, openssl()),
        ("server-size-intolerant", Server { longest_hello: 1200, ..healthy() }, client("chrome-156")),
    ]
}

/// Whether a client connects, told by the server's own rules and by what the client insists on.
pub fn connects(client: &ClientProfile, server: &Server) -> bool {
    let hello = client.hello.clone().with_server_name(Some(NAME));
    let Ok(choice) = server.negotiate(&hello) else { return false };
    let (policy, old) = (&client.policy, choice.version <= ProtocolVersion::TLSV1_2);
    let exchange = choice.suite.details().unwrap().key_exchange;
    let dhe = exchange == KeyExchange::Dhe;
    let signed = dhe || exchange == KeyExchange::Ecdhe;
    policy.minimum_version.is_none_or(|lowest| choice.version >= lowest)
        && !server.wants_certificate
        && !(old && policy.requires_secure_renegotiation == Some(true) && !server.secure_renegotiation)
        && !(old && policy.requires_extended_master_secret == Some(true) && !server.extended_master_secret)
        && !(dhe && policy.minimum_dh_bits.is_some_and(|floor| server.dh_bits < floor as usize))
        && !(choice.version <= ProtocolVersion::TLSV1_1 && signed && policy.legacy_signature_refused == Some(true))
        && choice.scheme.is_none_or(|scheme| hello.signature_schemes().is_none_or(|offered| offered.contains(&scheme)))
}

/// The question with a probe, of those asked.
pub fn probe_of(asked: &[Asked]) -> Probe {
    let probe = asked.iter().find_map(|asked| match &asked.question {
        Question::Probe(probe) => Some((**probe).clone()),
        _ => None,
    });
    probe.unwrap()
}

pub fn ended(probe: Probe, ending: Ending) -> Answer {
    Answer::Attempted(Box::new(flight::attempt(&probe, Vec::new(), None, ending)))
}

pub fn resolution(addresses: &[&str]) -> Resolution {
    let addresses = addresses.iter().map(|address| address.parse().unwrap()).collect();
    Resolution { host: NAME.to_owned(), addresses, error: None, elapsed_ms: 1.0 }
}

pub fn codes(report: &Report) -> Vec<&str> {
    report.findings.iter().map(|finding| finding.cause.as_str()).collect()
}

/// Suites with a certificate's key of RSA, as the lists' server has one.
pub fn every_suite() -> Vec<CipherSuite> {
    let suites = CipherSuite::all().filter(|suite| {
        suite.details().is_some_and(|row| {
            let exchanged = matches!(row.key_exchange, KeyExchange::Rsa | KeyExchange::Dhe | KeyExchange::Ecdhe);
            row.key_exchange == KeyExchange::Tls13 || (exchanged && row.authentication == Authentication::Rsa)
        })
    });
    suites.collect()
}

pub fn every_scheme() -> Vec<SignatureScheme> {
    vec![
        SignatureScheme::RSA_PSS_RSAE_SHA256,
        SignatureScheme::RSA_PKCS1_SHA256,
        SignatureScheme::RSA_PKCS1_SHA1,
        SignatureScheme::ECDSA_SECP256R1_SHA256,
        SignatureScheme::ED25519,
    ]
}
