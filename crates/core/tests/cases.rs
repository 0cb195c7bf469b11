//! Recorded evidence of real servers, judged again: `cases/<cause>/<found|absent>-…/{case.toml, evidence.json}`.
//!
//! `tests/record` records them; `BLESS=1 cargo test -p tlswhy-core --test cases recorded_evidence` writes what is found now into each
//! `case.toml` (below `[expect]`) and brings the evidence into its form of one attempt a line.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test stops at what it did not expect")]

mod common;

use std::fs;
use std::path::PathBuf;

use common::{check_report, check_text, replay, replay_alone};
use serde::Deserialize;
use tlswhy_core::{Budget, Examination, Request, Step, TrustStore};
use tlswhy_model::{Answer, Evidence, Impact, Question, Report};

/// One folder.
struct Recorded {
    cause: String,
    /// `found-…` or `absent-…`.
    name: String,
    folder: PathBuf,
    toml: String,
    evidence: Evidence,
}

#[derive(Deserialize)]
struct CaseFile {
    recorded: Source,
    expect: Expectation,
}

/// Where it comes from.
#[derive(Deserialize)]
struct Source {
    /// Id of the lab's scenario.
    scenario: String,
    /// The server's software and its version.
    server: String,
    /// Day of the recording.
    date: String,
}

/// What must be said of it.
#[derive(Debug, PartialEq, Eq, Default, Deserialize)]
struct Expectation {
    outcome: String,
    /// Code of the first blocking finding; absent where there is none.
    root_cause: Option<String>,
    /// Codes in their order.
    findings: Vec<String>,
    /// Of the first finding.
    confidence: Option<String>,
}

impl Expectation {
    fn of(report: &Report) -> Expectation {
        Expectation {
            outcome: word(&report.outcome),
            root_cause: report.root_cause.clone(),
            findings: report.findings.iter().map(|finding| finding.cause.clone()).collect(),
            confidence: report.findings.first().map(|finding| word(&finding.confidence)),
        }
    }

    fn to_toml(&self) -> String {
        let line = |key: &str, value: &Option<String>| value.as_ref().map(|value| format!("{key} = {value:?}\n"));
        format!(
            "[expect]\noutcome = {:?}\n{}findings = {:?}\n{}",
            self.outcome,
            line("root_cause", &self.root_cause).unwrap_or_default(),
            self.findings,
            line("confidence", &self.confidence).unwrap_or_default()
        )
    }
}

#[test]
fn recorded_evidence_is_judged_as_expected() {
    let bless = std::env::var_os("BLESS").is_some();
    let mut wrong = Vec::new();
    for case in cases() {
        let report = replay_alone(&case.evidence);
        let found = Expectation::of(&report);
        if bless {
            let head = case.toml.split("[expect]").next().unwrap();
            fs::write(case.folder.join("case.toml"), format!("{head}{}", found.to_toml())).unwrap();
            fs::write(case.folder.join("evidence.json"), one_attempt_a_line(&case.evidence)).unwrap();
            continue;
        }
        let file: CaseFile = toml::from_str(&case.toml).unwrap_or_else(|error| panic!("{}: {error}", case.id()));
        let Source { scenario, server, date } = file.recorded;
        assert!(![&scenario, &server, &date].iter().any(|text| text.is_empty()), "{}", case.id());
        if found != file.expect {
            wrong.push(format!("{}: {found:?} instead of {:?}: {}", case.id(), file.expect, report.summary));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn found_cases_find_their_cause_and_absent_ones_do_not() {
    for case in cases() {
        let report = replay_alone(&case.evidence);
        let blocks = |finding: &tlswhy_model::Finding| finding.impact == Impact::Blocks && finding.cause == case.cause;
        if case.name.starts_with("found") {
            assert!(report.findings.iter().any(blocks), "{}: {}", case.id(), report.summary);
        } else {
            assert!(!report.findings.iter().any(|finding| finding.cause == case.cause), "{}", case.id());
        }
        if case.cause == "healthy" {
            assert_eq!(report.root_cause, None, "{}", case.id());
        }
    }
}

#[test]
fn same_evidence_gives_the_same_report() {
    for case in cases() {
        let once = replay(&case.evidence);
        assert_eq!(once, replay(&case.evidence), "{}", case.id());
        assert_eq!(once.clients.len(), tlswhy_core::panel().len(), "{}", case.id());
    }
}

/// What is found hangs on what was asked and answered, not on where it stands in the file.
#[test]
fn the_order_of_the_attempts_does_not_matter() {
    for case in cases() {
        let expected = without_numbers(replay_alone(&case.evidence));
        for turn in 1..4 {
            let mut evidence = case.evidence.clone();
            let length = evidence.attempts.len().max(1);
            evidence.attempts.rotate_left(turn * 2 % length);
            if turn % 2 == 1 {
                evidence.attempts.reverse();
            }
            let shuffled = without_numbers(replay_alone(&evidence));
            assert_eq!(expected, shuffled, "{}, turn {turn}", case.id());
        }
    }
}

/// An examination that asks is answered from the recording, and comes to the same report as the replay: nothing that the
/// judgement wants to know is missing. If this fails after a change of the questions, record the case again.
#[test]
fn every_question_is_answered_by_the_recording() {
    let mut wrong = Vec::new();
    for case in cases() {
        let mut examination = Examination::new(request(&case.evidence));
        let report = loop {
            match examination.next() {
                Step::Done(report) => break report,
                Step::Ask(asked) => {
                    for asked in asked {
                        let answer = recorded_answer(&case.evidence, &asked.question);
                        if matches!(answer, Answer::Unavailable) {
                            wrong.push(format!("{}: {}", case.id(), asked.purpose));
                        }
                        examination.answer(asked.id, answer);
                    }
                }
            }
        };
        let (asked, replayed) = (without_numbers(*report), without_numbers(replay_alone(&case.evidence)));
        if asked != replayed {
            wrong.push(format!("{}: asked and replayed differ", case.id()));
        }
    }
    assert!(wrong.is_empty(), "no answer is recorded:\n{}", wrong.join("\n"));
}

#[test]
fn reports_are_sound() {
    for case in cases() {
        let report = replay(&case.evidence);
        check_report(&report, &case.id());
        check_text(&report, &case.id());
    }
}

#[test]
fn one_fault_costs_little() {
    for case in cases() {
        let report = replay_alone(&case.evidence);
        // What ends without a word is asked again before the way is measured for it.
        let one_fault = report.root_cause.is_some() && report.findings.len() == 1 && case.evidence.paths.is_empty();
        let (connections, rounds) = if one_fault { (12, 5) } else { (16, 6) };
        // A measurement of the way has a bound of its own.
        let asked = case.evidence.attempts.len() as u32;
        assert!(asked <= connections, "{}: {asked} connections", case.id());
        assert!(report.cost.connections - asked <= 70, "{}: {} connections", case.id(), report.cost.connections);
        assert!(report.cost.rounds <= rounds, "{}: {} rounds", case.id(), report.cost.rounds);
    }
}

#[test]
fn recordings_are_small_and_name_no_folder_of_a_machine() {
    for case in cases() {
        let text = fs::read_to_string(case.folder.join("evidence.json")).unwrap();
        assert!(text.len() < 110_000, "{}: {} bytes", case.id(), text.len());
        let lines = text.lines().filter(|line| line.starts_with("{\"id\":")).count();
        assert_eq!(lines, case.evidence.attempts.len(), "{}: one attempt a line (BLESS=1)", case.id());
        for folder in ["\"/home/", "\"/root/", "\"/tmp/"] {
            assert!(!text.contains(folder), "{}: {folder}", case.id());
        }
    }
}

impl Recorded {
    fn id(&self) -> String {
        format!("{}/{}", self.cause, self.name)
    }
}

fn cases() -> Vec<Recorded> {
    let cases: Vec<Recorded> = common::case_folders()
        .into_iter()
        .map(|folder| {
            let name = |path: &std::path::Path| path.file_name().unwrap().to_str().unwrap().to_owned();
            let toml = fs::read_to_string(folder.join("case.toml")).unwrap();
            let evidence = common::read_evidence(&folder);
            Recorded { cause: name(folder.parent().unwrap()), name: name(&folder), toml, evidence, folder }
        })
        .collect();
    assert!(cases.len() >= 2 * tlswhy_core::CAUSES.len());
    cases
}

/// The request that could have led to this evidence.
fn request(evidence: &Evidence) -> Request {
    Request {
        subject: evidence.subject.clone(),
        clients: evidence.clients.clone(),
        panel: Vec::new(),
        trust: evidence.trust.clone().map(|trust| TrustStore {
            source: trust.source,
            certificates: trust.certificates.into_iter().map(|der| der.0).collect(),
        }),
        started_at: evidence.started_at.clone(),
        budget: Budget::default(),
        all_addresses: false,
        address: None,
        address_family: None,
        known_certificates: evidence.known_certificates.clone(),
        identity: evidence.identity.clone(),
        fetch_issuers: evidence.fetched.iter().any(|fetched| fetched.request.is_none()),
        online: evidence.fetched.iter().any(|fetched| fetched.request.is_some()),
        configurations: evidence.configurations.clone(),
        software: evidence.software.iter().filter(|software| software.source == "--assume").cloned().collect(),
        ..Request::default()
    }
}

fn recorded_answer(evidence: &Evidence, question: &Question) -> Answer {
    match question {
        Question::Resolve { .. } => evidence.resolution.clone().map_or(Answer::Unavailable, Answer::Resolved),
        Question::Probe(probe) => match evidence.attempts.iter().find(|attempt| attempt.probe == **probe) {
            Some(attempt) => Answer::Attempted(Box::new(attempt.clone())),
            None => Answer::Unavailable,
        },
        Question::Path(question) => {
            let known = evidence.paths.iter().find(|path| path.question == **question);
            known.cloned().map_or(Answer::Unavailable, |path| Answer::Measured(Box::new(path)))
        }
        Question::Fetch { url, request } => {
            let known = evidence.fetched.iter().find(|fetched| fetched.url == *url && fetched.request == *request);
            known.cloned().map_or(Answer::Unavailable, Answer::Fetched)
        }
        Question::Records { name, record_type } => {
            let known = evidence.records.iter().find(|records| records.name == *name && records.record_type == *record_type);
            known.cloned().map_or(Answer::Unavailable, Answer::Records)
        }
        Question::Files { paths } => {
            let known = evidence.files.iter().filter(|file| paths.contains(&file.path));
            Answer::Files(known.cloned().collect())
        }
        Question::Software { products } => {
            let known = evidence.software.iter().filter(|software| products.contains(&software.product));
            Answer::Software(known.cloned().collect())
        }
    }
}

/// The report without the numbers of attempts, the evidence (which follows them) and what the trust store held.
fn without_numbers(mut report: Report) -> serde_json::Value {
    fn forget(value: &mut serde_json::Value) {
        match value {
            serde_json::Value::Object(map) => {
                for key in ["attempt", "fails", "works"] {
                    if map.get(key).is_some_and(serde_json::Value::is_number) {
                        map.remove(key);
                    }
                }
                map.values_mut().for_each(forget);
            }
            serde_json::Value::Array(items) => items.iter_mut().for_each(forget),
            _ => {}
        }
    }
    report.evidence.attempts.clear();
    report.evidence.trust = None;
    report.evidence.format_version.clear();
    let mut value = serde_json::to_value(report).unwrap();
    forget(&mut value);
    value
}

/// A value that is one word in JSON.
fn word<T: serde::Serialize>(value: &T) -> String {
    serde_json::to_value(value).unwrap().as_str().unwrap().to_owned()
}

/// JSON in which a change of one attempt changes one line.
fn one_attempt_a_line(evidence: &Evidence) -> String {
    let serde_json::Value::Object(document) = serde_json::to_value(evidence).unwrap() else { panic!("no object") };
    // The keys in the order of the types, not of a map.
    let keys = [
        "format",
        "format_version",
        "tool",
        "started_at",
        "subject",
        "resolution",
        "clients",
        "trust",
        "stores",
        "known_certificates",
        "fetched",
        "records",
        "identity",
        "configurations",
        "files",
        "software",
        "attempts",
    ];
    let mut lines: Vec<String> = keys
        .iter()
        .chain(&["paths", "all_addresses", "redacted"])
        .filter_map(|key| {
            let value = document.get(*key)?;
            Some(match *key {
                "attempts" => {
                    let attempts: Vec<String> =
                        evidence.attempts.iter().map(|attempt| serde_json::to_string(attempt).unwrap()).collect();
                    let open = if attempts.is_empty() { "" } else { "\n" };
                    format!("\"attempts\":[{open}{}]", attempts.join(",\n"))
                }
                _ => format!("{key:?}:{}", serde_json::to_string(value).unwrap()),
            })
        })
        .collect();
    assert_eq!(lines.len(), document.len(), "an evidence has a key that is not written");
    lines[0].insert(0, '{');
    lines.join(",\n") + "}\n"
}
