//! Software that is too old, where its version was seen; and what is said of it where it was not.

#![allow(clippy::unwrap_used, reason = "a test stops at what it did not expect")]

mod common;

use common::check_report;
use common::examine::{client, codes, examine, request};
use common::flight::Server;
use tlswhy_model::{Confidence, Exhibit, Outcome, Report};
use tlswhy_wire::ProtocolVersion;

fn only(version: ProtocolVersion) -> Server {
    Server { versions: vec![version], ..Server::default() }
}

/// What the report says of a version, in its first finding.
fn said(report: &Report) -> Vec<String> {
    let exhibits = report.findings[0].exhibits.iter();
    exhibits
        .filter_map(|exhibit| if let Exhibit::Software { says, .. } = exhibit { Some(says.clone()) } else { None })
        .collect()
}

#[test]
fn a_client_that_showed_a_version_that_cannot_is_outdated() {
    let mut old = client("openssl-1.0.2");
    old.software.read_from = Some("/opt/tool/libssl.so.1.0.2".to_owned());
    let report = examine(request(old), &only(ProtocolVersion::TLSV1_3));
    assert_eq!(codes(&report), ["client-software-outdated"], "{}", report.summary);
    assert_eq!(report.findings[0].explains, ["version-ranges-disjoint"]);
    assert_eq!(report.findings[0].confidence, Confidence::Observed);
    assert!(report.findings[0].diagnosis.contains("OpenSSL 1.1.1 was the first that could"), "{:?}", report.findings[0]);
    check_report(&report, "client-software-outdated");
}

#[test]
fn of_a_kind_of_client_what_is_missing_is_the_cause_and_the_version_is_told_beside_it() {
    let report = examine(request(client("java-8u161")), &only(ProtocolVersion::TLSV1_3));
    assert_eq!(codes(&report), ["version-ranges-disjoint"], "{}", report.summary);
    assert_eq!(said(&report), ["this version cannot do TLSv1.3; 8u261 was the first that could"]);
}

#[test]
fn a_current_client_with_tls_13_switched_off_is_not_outdated() {
    let mut capped = client("openssl-3.0");
    capped.hello = capped.hello.with_versions(&[ProtocolVersion::TLSV1_2]);
    capped.software.read_from = Some("openssl version".to_owned());
    let report = examine(request(capped), &only(ProtocolVersion::TLSV1_3));
    assert_eq!(codes(&report), ["version-ranges-disjoint"], "{}", report.summary);
    let told = "this version does TLSv1.3 by default: a setting, or the program itself, keeps it from that";
    assert_eq!(said(&report), [told]);
}

#[test]
fn a_server_without_extended_master_secret_is_suspected_before_a_client_that_insists() {
    let mut strict = client("openssl-3.0");
    strict.policy.requires_extended_master_secret = Some(true);
    let server = Server { extended_master_secret: false, ..only(ProtocolVersion::TLSV1_2) };
    let report = examine(request(strict.clone()), &server);
    assert_eq!((report.outcome, codes(&report)), (Outcome::Fails, vec!["server-software-outdated"]), "{}", report.summary);
    assert_eq!(report.findings[0].confidence, Confidence::Suspected);
    assert_eq!(report.open_questions.len(), 1);
    let healthy = examine(request(strict), &only(ProtocolVersion::TLSV1_2));
    assert_eq!(healthy.findings, [], "{}", healthy.summary);
}
