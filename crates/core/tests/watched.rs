//! Somebody else's connections as evidence: what may be said of them, and what must stay a question.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test stops at what it did not expect")]

mod common;

use common::check_report;
use common::examine::{ADDRESS, NAME, request};
use common::flight::{self, Server};
use tlswhy_core::{Examination, Step};
use tlswhy_model::{Attempt, Awaited, ClientProfile, Confidence, Depth, Ending, Opening, Outcome, Probe, Report};
use tlswhy_wire::{AlertDescription, CipherSuite, HelloSpec, ProtocolVersion};

fn client() -> ClientProfile {
    tlswhy_core::client("openssl-3.0").unwrap()
}

fn probe(hello: HelloSpec) -> Probe {
    Probe {
        host: NAME.to_owned(),
        port: 443,
        address: Some(ADDRESS),
        upgrade: None,
        opening: Opening::Hello { hello },
        depth: Depth::Finish,
        with_identity: false,
        trial: None,
        repetition: 0,
    }
}

/// The report on the first of these attempts, made with this client's hello.
fn judged(hello: &HelloSpec, attempts: Vec<Attempt>) -> Report {
    let client = ClientProfile { hello: hello.clone(), policy: Default::default(), ..client() };
    let mut evidence = Examination::new(request(client)).evidence().clone();
    evidence.watched = true;
    evidence.attempts = attempts;
    for (place, attempt) in evidence.attempts.iter_mut().enumerate() {
        (attempt.id, attempt.round) = (u32::try_from(place).unwrap() + 1, 1);
    }
    let mut examination = Examination::replay(evidence, Vec::new());
    let Step::Done(report) = examination.next() else { panic!("asked somebody") };
    check_report(&report, "watched");
    *report
}

fn named(hello: HelloSpec) -> HelloSpec {
    hello.with_server_name(Some(NAME))
}

fn open(report: &Report) -> Vec<&str> {
    report.open_questions.iter().flat_map(|question| &question.decides).map(String::as_str).collect()
}

#[test]
fn an_established_handshake_has_no_finding() {
    let hello = named(client().hello);
    let report = judged(&hello, vec![Server::default().attempt(&probe(hello.clone()))]);
    assert_eq!((report.outcome, report.findings.len()), (Outcome::Works, 0), "{}", report.summary);
}

#[test]
fn a_client_without_the_versions_that_others_get_is_told_and_inferred() {
    let modern = named(client().hello);
    for (versions, cause) in [
        (vec![ProtocolVersion::TLSV1_1, ProtocolVersion::TLSV1_0], "client-version-outdated"),
        (vec![ProtocolVersion::TLSV1_2], "version-ranges-disjoint"),
    ] {
        let server = Server { versions: vec![ProtocolVersion::TLSV1_3], ..Server::default() };
        let server = if cause == "client-version-outdated" { Server::default() } else { server };
        let old = modern.clone().with_versions(&versions);
        let attempts = vec![server.attempt(&probe(old.clone())), server.attempt(&probe(modern.clone()))];
        let report = judged(&old, attempts);
        assert_eq!(report.root_cause.as_deref(), Some(cause), "{}", report.summary);
        assert_eq!(report.findings[0].confidence, Confidence::Inferred);
        // Without the other one nothing is known of the server but its alert.
        let report = judged(&old, vec![server.attempt(&probe(old.clone()))]);
        assert_eq!(report.root_cause.as_deref(), Some(cause), "{}", report.summary);
        assert_eq!(report.findings[0].confidence, Confidence::Suspected);
        assert!(open_names(&report, cause) && open_names(&report, "server-version-intolerant"));
    }
}

fn open_names(report: &Report, cause: &str) -> bool {
    open(report).contains(&cause)
}

#[test]
fn a_connection_that_differs_in_the_suites_alone_is_the_contrast() {
    let wide = named(client().hello).with_versions(&[ProtocolVersion::TLSV1_2]);
    let narrow = wide.clone().with_suites(vec![CipherSuite(0xc009)]);
    let server = Server::default();
    let failing = server.attempt(&probe(narrow.clone()));
    assert!(matches!(failing.ending, Ending::Alert { .. }));
    let report = judged(&narrow, vec![failing.clone(), server.attempt(&probe(wide))]);
    assert_eq!(report.root_cause.as_deref(), Some("no-shared-cipher"), "{}", report.summary);
    assert_eq!(report.findings[0].confidence, Confidence::Confirmed);
    // One that differs in more proves less.
    let other = named(client().hello);
    let report = judged(&narrow, vec![failing, server.attempt(&probe(other))]);
    assert!(report.findings.iter().all(|finding| finding.confidence == Confidence::Suspected), "{:?}", report.findings);
    assert!(open_names(&report, "no-shared-cipher"));
}

#[test]
fn one_alert_alone_names_no_cause_but_where_it_says_one_thing_only() {
    let current = [ProtocolVersion::TLSV1_3, ProtocolVersion::TLSV1_2];
    let hello = named(client().hello).with_alpn(&["http/1.1"]).with_versions(&current);
    let ended = |description| {
        let bytes = flight::record(21, &[2, description]);
        let ending = flight::alert(AlertDescription(description), Awaited::ServerHello, false);
        judged(&hello, vec![flight::attempt(&probe(hello.clone()), bytes, None, ending)])
    };
    assert_eq!(ended(40).root_cause, None);
    assert_eq!(ended(80).root_cause, None);
    // This client offers TLS 1.2 and 1.3: what is left to the server are older ones.
    let report = ended(70);
    assert_eq!(report.root_cause.as_deref(), Some("server-version-outdated"), "{}", report.summary);
    assert_eq!(report.findings[0].confidence, Confidence::Suspected);
    assert_eq!(ended(112).root_cause.as_deref(), Some("sni-unrecognized"));
    assert_eq!(ended(120).root_cause.as_deref(), Some("alpn-mismatch"));
}

#[test]
fn a_client_that_gives_no_name_and_lacks_nothing_is_suspected_of_just_that() {
    let refused = |hello: &HelloSpec| {
        let ending = flight::alert(AlertDescription::HANDSHAKE_FAILURE, Awaited::ServerHello, false);
        judged(hello, vec![flight::attempt(&probe(hello.clone()), flight::record(21, &[2, 40]), None, ending)])
    };
    let nameless = client().hello.with_server_name(None);
    let report = refused(&nameless);
    assert_eq!(report.root_cause.as_deref(), Some("sni-unrecognized"), "{}", report.summary);
    assert_eq!(report.findings[0].confidence, Confidence::Suspected);
    assert!(open_names(&report, "no-shared-cipher"));
    // One that lacks something else as well may fail for that.
    let narrow = nameless.with_versions(&[ProtocolVersion::TLSV1_2]).with_suites(vec![CipherSuite(0xc02b)]);
    assert_eq!(refused(&narrow).root_cause, None);
}

#[test]
fn a_reset_from_elsewhere_is_shown_and_leaves_the_server_out() {
    let hello = named(client().hello);
    let mut attempt = flight::attempt(&probe(hello.clone()), Vec::new(), None, Ending::Reset { awaited: Awaited::ServerHello });
    let report = judged(&hello, vec![attempt.clone()]);
    assert!(open_names(&report, "server-version-intolerant"));
    attempt.forged_reset = vec!["TTL 61 against 52 of the server's other packets".to_owned()];
    let report = judged(&hello, vec![attempt]);
    assert_eq!(report.outcome, Outcome::Undetermined);
    assert!(open(&report).iter().all(|code| code.starts_with("path-")), "{:?}", open(&report));
    assert!(report.open_questions[0].question.contains("TTL 61 against 52"));
}

#[test]
fn what_a_client_refuses_unseen_is_suspected_at_most() {
    let hello = named(client().hello);
    let accepted = Server::default().attempt(&probe(hello.clone()));
    for description in [None, Some(AlertDescription::UNKNOWN_CA), Some(AlertDescription::CERTIFICATE_EXPIRED)] {
        let ending = Ending::ByClient { description, awaited: Awaited::ServerFlight, waited_ms: 0 };
        let attempt = Attempt { ending, decrypted: None, ..accepted.clone() };
        let report = judged(&hello, vec![attempt]);
        let decides =
            if description == Some(AlertDescription::CERTIFICATE_EXPIRED) { "certificate-expired" } else { "untrusted-root" };
        assert!(open_names(&report, decides));
        assert_eq!(report.root_cause.as_deref(), description.map(|_| decides), "{}", report.summary);
        assert!(report.findings.iter().all(|finding| finding.confidence == Confidence::Suspected));
    }
}

#[test]
fn the_same_hello_that_fails_and_works_is_no_ones_fault_yet() {
    let hello = named(client().hello);
    let works = Server::default().attempt(&probe(hello.clone()));
    let fails = flight::attempt(
        &probe(hello.clone()),
        Vec::new(),
        None,
        Ending::TimedOut { awaited: Awaited::ServerHello, waited_ms: 5000 },
    );
    let report = judged(&hello, vec![fails, works]);
    assert_eq!(report.outcome, Outcome::Undetermined);
    assert!(report.summary.contains("differently"), "{}", report.summary);
}
