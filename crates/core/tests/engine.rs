//! The examination driven by hand, against servers made of lists: what it asks, what it costs, how it ends.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test stops at what it did not expect")]

mod common;

use common::check_report;
use common::examine::{
    ADDRESS, NAME, cbc_only, check_early_end, client, codes, connects, drive, ended, every_scheme, examine, faults, probe_of,
    request, resolution, run, without_cbc,
};
use common::flight::{self, Server};
use tlswhy_core::{Budget, Examination, Request, Step};
use tlswhy_model::{Answer, Asked, Ending, Outcome, Question, Resolution};
use tlswhy_wire::ProtocolVersion;

#[test]
fn a_healthy_server_takes_four_connections_and_two_rounds_at_most() {
    for client in tlswhy_core::clients().unwrap() {
        let offers = tlswhy_core::negotiate::offered_versions(&client.hello, &client.policy);
        if !offers.iter().any(|version| Server::default().versions.contains(version)) {
            continue;
        }
        let name = client.name.clone();
        let server = Server { suites: client.hello.real_suites(), schemes: every_scheme(), ..Server::default() };
        let report = examine(request(client), &server);
        assert_eq!(report.outcome, Outcome::Works, "{name}: {}", report.summary);
        assert_eq!(report.findings, [], "{name}");
        assert!(report.cost.connections <= 4 && report.cost.rounds <= 2, "{name}: {:?}", report.cost);
    }
}

#[test]
fn one_fault_is_found_within_twelve_connections_and_five_rounds() {
    for (cause, server, client) in faults() {
        let report = examine(request(client), &server);
        assert_eq!(report.root_cause.as_deref(), Some(cause), "{}", report.summary);
        assert_eq!(report.findings.len(), 1, "{cause}: {:?}", codes(&report));
        assert!(report.cost.connections <= 12 && report.cost.rounds <= 5, "{cause}: {:?}", report.cost);
        check_report(&report, cause);
    }
}

#[test]
fn faults_in_a_row_are_found_in_the_order_in_which_they_are_met() {
    let server = Server { name: None, wants_certificate: true, ..cbc_only() };
    let report = examine(request(client("chrome-156")), &Server { alpn: Some(vec!["imap".into()]), ..server });
    assert_eq!(codes(&report).last(), Some(&"client-certificate-required"), "{}", report.summary);
    assert_eq!(report.outcome, Outcome::Fails);
    check_report(&report, "faults in a row");
}

/// Whatever the budget, an early end never names another cause than the full examination, and says what stayed open.
#[test]
fn a_spent_budget_leaves_the_question_open() {
    for (cause, server, client) in faults() {
        for budget in (0..13).step_by(2).flat_map(|connections| (0..6).map(move |rounds| Budget { connections, rounds })) {
            let report = examine(Request { budget, ..request(client.clone()) }, &server);
            check_early_end(&report, cause, &format!("{cause}, {budget:?}"));
            assert!(report.cost.connections <= budget.connections, "{cause}: {:?}", report.cost);
            assert!(report.cost.rounds <= budget.rounds, "{cause}: {:?}", report.cost);
        }
    }
}

#[test]
fn an_interruption_at_any_moment_gives_a_report() {
    for (cause, server, client) in faults() {
        for patience in 0..16 {
            let mut examination = Examination::new(request(client.clone()));
            let mut answered = 0;
            let report = loop {
                match examination.next() {
                    Step::Done(report) => break *report,
                    Step::Ask(asked) => {
                        for asked in asked {
                            if answered == patience {
                                examination.interrupt();
                            }
                            // Answers that arrive late are not taken any more.
                            examination.answer(asked.id, server.answer(&asked));
                            answered += 1;
                        }
                    }
                }
            };
            check_early_end(&report, cause, &format!("{cause}, interrupted after {patience}"));
            assert!(report.cost.connections as usize <= patience, "{cause}: {patience}");
        }
    }
}

#[test]
fn answers_count_once_in_any_order_and_only_to_what_was_asked() {
    let server = cbc_only();
    let expected = examine(request(client("chrome-156")), &server);
    let mut examination = Examination::new(request(client("chrome-156")));
    let report = loop {
        match examination.next() {
            Step::Done(report) => break *report,
            Step::Ask(asked) => {
                let stranger = flight::attempt(&probe_of(&asked), b"nobody asked".to_vec(), None, Ending::Refused);
                examination.answer(4711, Answer::Attempted(Box::new(stranger.clone())));
                for asked in asked.iter().rev() {
                    examination.answer(asked.id, server.answer(asked));
                    examination.answer(asked.id, Answer::Attempted(Box::new(stranger.clone())));
                    examination.answer(asked.id, Answer::Unavailable);
                }
            }
        }
    };
    assert_eq!(codes(&report), codes(&expected));
    assert_eq!(report.summary, expected.summary);
    assert_eq!(report.cost.connections, expected.cost.connections);
}

/// The asker that mixes up what it was asked cannot mislead: the probe of an attempt is the one asked for.
#[test]
fn a_probe_is_kept_as_asked() {
    let mut examination = Examination::new(request(client("chrome-156")));
    let Step::Ask(asked) = examination.next() else { panic!("nothing is asked") };
    let Question::Probe(probe) = &asked[0].question else { panic!("a probe was expected") };
    let mut attempt = Server::default().attempt(probe);
    (attempt.id, attempt.round, attempt.probe.host) = (99, 98, "elsewhere".to_owned());
    examination.answer(asked[0].id, Answer::Attempted(Box::new(attempt)));
    let kept = &examination.evidence().attempts[0];
    assert_eq!((kept.id, kept.round, kept.probe.host.as_str()), (1, 1, NAME));
}

#[test]
fn nothing_to_be_had_is_said_so() {
    for answer in [
        |_: &Asked| Answer::Unavailable,
        |asked: &Asked| match asked.question {
            Question::Resolve { .. } => Answer::Resolved(resolution(&["127.0.0.1"])),
            _ => Answer::Unavailable,
        },
    ] {
        for address in [None, Some(ADDRESS)] {
            let report = drive(Request { address, ..request(client("chrome-156")) }, answer);
            assert_eq!(report.outcome, Outcome::Undetermined, "{}", report.summary);
            assert!(!report.open_questions.is_empty());
            check_report(&report, "nothing to be had");
        }
    }
}

#[test]
fn where_one_address_refuses_the_next_is_used() {
    let answer = |asked: &Asked| match &asked.question {
        Question::Resolve { .. } => Answer::Resolved(resolution(&["::1", "127.0.0.1"])),
        Question::Probe(probe) if probe.address.unwrap().is_ipv6() => {
            ended(probe_of(std::slice::from_ref(asked)), Ending::Refused)
        }
        _ => Server::default().answer(asked),
    };
    let mut examination = Examination::new(Request { address: None, ..request(client("chrome-156")) });
    let report = run(&mut examination, answer);
    assert_eq!(report.outcome, Outcome::Works, "{}", report.summary);
    assert_eq!(report.findings, []);
    let replayed = common::replay_alone(examination.evidence());
    assert_eq!(replayed.outcome, Outcome::Works, "{}", replayed.summary);
}

#[test]
fn a_name_whose_addresses_all_refuse_is_closed() {
    let answer = |asked: &Asked| match &asked.question {
        Question::Resolve { .. } => Answer::Resolved(resolution(&["192.0.2.1", "192.0.2.2", "192.0.2.3", "192.0.2.4"])),
        Question::Path(_) => Answer::Unavailable,
        _ => ended(probe_of(std::slice::from_ref(asked)), Ending::Refused),
    };
    let report = drive(Request { address: None, ..request(client("chrome-156")) }, answer);
    assert_eq!(report.root_cause.as_deref(), Some("port-closed"), "{}", report.summary);
    check_report(&report, "all refuse");
}

#[test]
fn a_name_without_addresses_is_a_fault_of_the_name() {
    let answer = |asked: &Asked| match &asked.question {
        Question::Resolve { host } => Answer::Resolved(Resolution {
            host: host.clone(),
            error: Some("no such\u{1b}[31m host".to_owned()),
            ..Resolution::default()
        }),
        _ => panic!("nothing can be probed"),
    };
    let report = drive(Request { address: None, ..request(client("chrome-156")) }, answer);
    assert_eq!(report.root_cause.as_deref(), Some("dns-failure"));
    check_report(&report, "no addresses");
}

#[test]
fn all_addresses_are_examined_and_one_that_differs_is_a_risk() {
    let answer = |asked: &Asked| match &asked.question {
        Question::Resolve { .. } => Answer::Resolved(resolution(&["192.0.2.1", "192.0.2.2"])),
        Question::Probe(probe) if probe.address == Some("192.0.2.2".parse().unwrap()) => cbc_only().answer(asked),
        _ => Server::default().answer(asked),
    };
    let request = Request { address: None, all_addresses: true, ..request(client("openssl-3.0")) };
    let request = Request { clients: vec![without_cbc(request.clients[0].clone())], ..request };
    let report = drive(request, answer);
    assert_eq!(report.outcome, Outcome::AtRisk, "{}", report.summary);
    let outcomes: Vec<_> = report.addresses.iter().map(|row| (row.address.as_str(), row.outcome)).collect();
    assert_eq!(outcomes, [("192.0.2.1", Outcome::Works), ("192.0.2.2", Outcome::Fails)]);
    assert_eq!(report.root_cause, None, "what only some addresses do does not stop the client");
    assert!(report.findings.iter().any(|finding| finding.diagnosis.starts_with("At 192.0.2.2: ")), "{:?}", codes(&report));
    check_report(&report, "addresses that differ");
}

#[test]
fn several_clients_are_judged_and_the_worst_counts() {
    let clients = vec![without_cbc(client("openssl-3.0")), client("chrome-156"), client("java-8u504")];
    let report = examine(Request { clients, ..request(client("chrome-156")) }, &cbc_only());
    assert_eq!(report.outcome, Outcome::Fails, "{}", report.summary);
    let finding = &report.findings[0];
    assert_eq!((finding.cause.as_str(), &finding.affects[..]), ("no-shared-cipher", &["openssl-3.0".to_owned()][..]));
    check_report(&report, "several clients");

    let clients = vec![client("chrome-156"), client("java-8u504")];
    let report = examine(Request { clients, ..request(client("chrome-156")) }, &cbc_only());
    assert_eq!(report.outcome, Outcome::Works, "{}", report.summary);
}

/// With `--replay` each client of the panel is judged by its own hello, and rightly.
#[test]
fn the_panel_is_replayed_when_asked_for() {
    let panel = tlswhy_core::panel();
    let budget = Budget { connections: 200, rounds: 20 };
    for server in [Server::default(), cbc_only(), Server { versions: vec![ProtocolVersion::TLSV1_0], ..cbc_only() }] {
        let request = Request { panel: panel.clone(), replay: true, budget, ..request(client("chrome-156")) };
        let report = examine(request, &server);
        assert_eq!(report.clients.len(), panel.len());
        for (row, client) in report.clients.iter().zip(&panel) {
            assert!(row.replayed, "{row:?}");
            let expected = if connects(client, &server) { Outcome::Works } else { Outcome::Fails };
            assert_eq!(row.outcome, expected, "{row:?}");
        }
    }
}
