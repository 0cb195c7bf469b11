//! What `--full` makes of servers that answer oddly: nothing is refused for want of an answer, and it ends.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test stops at what it did not expect")]

mod common;

use std::cell::Cell;

use common::examine::{cbc_only, client, drive, request};
use tlswhy_core::{Budget, Request};
use tlswhy_model::{Acceptance, Answer, Asked, Awaited, Ending, Question, Report};
use tlswhy_wire::ProtocolVersion;

/// Examines the server of lists; `spoil` may replace the ending of the n-th connection, counted from 1.
fn examine(spoil: impl Fn(u32) -> Option<Ending>) -> Report {
    let server = cbc_only();
    let count = Cell::new(0);
    let request = Request { full: true, budget: Budget::full(), ..request(client("openssl-1.0.2")) };
    drive(request, |asked: &Asked| {
        let mut answer = server.answer(asked);
        if let (Question::Probe(_), Answer::Attempted(attempt)) = (&asked.question, &mut answer) {
            count.set(count.get() + 1);
            if let Some(ending) = spoil(count.get()) {
                attempt.ending = ending;
                attempt.received = Vec::new().into();
                attempt.decrypted = None;
            }
        }
        answer
    })
}

fn acceptance(report: &Report, version: ProtocolVersion) -> Acceptance {
    let server = report.server.as_ref().expect("an inventory");
    server.versions.iter().find(|found| found.version == version).expect("every version is told").acceptance
}

fn suites(report: &Report) -> Vec<&str> {
    let server = report.server.as_ref().expect("an inventory");
    let found = server.versions.iter().find(|found| found.version == ProtocolVersion::TLSV1_2).expect("it is told");
    found.cipher_suites.accepted.iter().map(|suite| suite.name.as_str()).collect()
}

const RESET: Ending = Ending::Reset { awaited: Awaited::ServerHello };

#[test]
fn a_server_is_told_with_all_its_suites() {
    let report = examine(|_| None);
    let mut expected: Vec<String> = cbc_only().suites.iter().map(ToString::to_string).collect();
    let mut found = suites(&report);
    expected.sort_unstable();
    found.sort_unstable();
    assert_eq!(found, expected);
    assert_eq!(acceptance(&report, ProtocolVersion::TLSV1_3), Acceptance::Refused);
}

#[test]
fn one_answer_and_then_silence_refuses_nothing() {
    let silence = Ending::TimedOut { awaited: Awaited::ServerHello, waited_ms: 3000 };
    let report = examine(|place| (place > 1).then(|| silence.clone()));
    let server = report.server.as_ref().expect("an inventory");
    assert!(server.versions.iter().all(|found| found.acceptance != Acceptance::Refused), "{:?}", server.versions);
    assert_eq!(acceptance(&report, ProtocolVersion::TLSV1_2), Acceptance::Accepted);
}

#[test]
fn one_that_cuts_off_everything_after_a_while_refuses_nothing_for_it() {
    let report = examine(|place| (place > 8).then_some(RESET));
    let server = report.server.as_ref().expect("an inventory");
    let tls12 = server.versions.iter().find(|found| found.version == ProtocolVersion::TLSV1_2).expect("it is told");
    assert!(tls12.cipher_suites.refused.is_empty(), "{:?}", tls12.cipher_suites.refused);
}

#[test]
fn one_that_cuts_off_every_third_connection_is_told_as_without() {
    let flaky = examine(|place| (place % 3 == 2).then_some(RESET));
    assert_eq!(suites(&flaky), suites(&examine(|_| None)));
    assert_eq!(acceptance(&flaky, ProtocolVersion::TLSV1_2), Acceptance::Accepted);
}
