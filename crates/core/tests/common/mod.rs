//! What several tests share: recorded cases, and what must be true of every report.

#![allow(
    dead_code,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::panic,
    reason = "each test uses its part, and stops at what it did not expect"
)]

pub mod examine;
pub mod flight;

use std::fs;
use std::path::{Path, PathBuf};

use proptest::test_runner::{Config as ProptestConfig, RngSeed};
use tlswhy_core::{Examination, Step};
use tlswhy_model::{
    Attempt, Bytes, ClientProfile, Confidence, Direction, Evidence, Exhibit, Finding, Impact, Layer, Outcome, Report,
};

/// The same so many cases each time, so that a run tells what was changed; CHANCE=N takes N other ones.
pub fn chance(cases: u32) -> ProptestConfig {
    let wanted = std::env::var("CHANCE").ok().map(|number| number.parse().unwrap());
    let rng_seed = if wanted.is_some() { RngSeed::Random } else { RngSeed::Fixed(1) };
    ProptestConfig { cases: wanted.unwrap_or(cases), rng_seed, failure_persistence: None, ..ProptestConfig::default() }
}

/// Every folder of `cases/`, in order.
pub fn case_folders() -> Vec<PathBuf> {
    let inside = |parent: &Path| -> Vec<PathBuf> {
        let entries = fs::read_dir(parent).unwrap().map(|entry| entry.unwrap().path());
        entries.filter(|path| path.is_dir()).collect()
    };
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases");
    let mut folders: Vec<PathBuf> = inside(&root).iter().flat_map(|cause| inside(cause)).collect();
    folders.sort();
    folders
}

/// The evidence of a case.
pub fn read_evidence(folder: &Path) -> Evidence {
    let text = fs::read_to_string(folder.join("evidence.json")).unwrap();
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", folder.display()))
}

/// Judges evidence, for the panel too.
pub fn replay(evidence: &Evidence) -> Report {
    judge(evidence, tlswhy_core::panel())
}

/// Judges evidence for its own clients alone, which is quicker.
pub fn replay_alone(evidence: &Evidence) -> Report {
    judge(evidence, Vec::new())
}

fn judge(evidence: &Evidence, panel: Vec<ClientProfile>) -> Report {
    match Examination::replay(evidence.clone(), panel).next() {
        Step::Done(report) => *report,
        Step::Ask(asked) => panic!("a replay asks: {asked:?}"),
    }
}

/// What must be true of every report.
pub fn check_report(report: &Report, of: &str) {
    check_form(report, of);
    for finding in report.findings.iter().filter(|finding| finding.cause != "dns-failure") {
        assert!(!finding.exhibits.is_empty(), "{of}, {}: no exhibit", finding.cause);
    }
}

/// What must be true of every report, though the evidence be nonsense.
pub fn check_form(report: &Report, of: &str) {
    assert_eq!(report.format, tlswhy_model::REPORT_FORMAT, "{of}");
    let first_blocking = report.findings.iter().find(|finding| finding.impact == Impact::Blocks);
    assert_eq!(report.root_cause.as_deref(), first_blocking.map(|finding| finding.cause.as_str()), "{of}");
    assert_eq!(report.outcome == Outcome::Fails, first_blocking.is_some(), "{of}: {:?}", report.outcome);
    if report.outcome == Outcome::Undetermined {
        assert!(!report.open_questions.is_empty(), "{of}: undetermined, and nothing is open");
    }
    assert!(!report.summary.is_empty() && report.summary.ends_with('.'), "{of}: {}", report.summary);
    for (index, finding) in report.findings.iter().enumerate() {
        assert_eq!(finding.order as usize, index + 1, "{of}");
        check_finding(report, finding, &format!("{of}, {}", finding.cause));
    }
    for question in &report.open_questions {
        assert!(!question.question.is_empty() && !question.how.is_empty(), "{of}");
    }
}

fn check_finding(report: &Report, finding: &Finding, of: &str) {
    assert!(tlswhy_core::CAUSES.iter().any(|cause| cause.code == finding.cause), "{of}");
    for text in [&finding.title, &finding.diagnosis, &finding.why_it_fails] {
        assert!(!text.is_empty(), "{of}: an empty text");
    }
    assert!(!finding.references.is_empty(), "{of}: no references");
    if finding.impact == Impact::Blocks {
        assert!(!finding.remedies.is_empty(), "{of}: no remedy");
    }
    for remedy in &finding.remedies {
        assert!(!remedy.summary.is_empty() && !remedy.steps.is_empty() && !remedy.why_it_works.is_empty(), "{of}: {remedy:?}");
        if let Some(predicted) = &remedy.predicts {
            let version = predicted.version.unwrap();
            let about_versions = finding.cause.contains("version");
            let current = version >= tlswhy_wire::ProtocolVersion::TLSV1_2;
            assert!(current || !about_versions, "{of}: {version} is predicted");
            let is_usable = |suite| tlswhy_core::negotiate::usable_at(suite, version);
            assert!(predicted.cipher_suite.is_none_or(is_usable), "{of}: {predicted:?}");
        }
    }
    if finding.confidence == Confidence::Confirmed {
        let contrast = finding.exhibits.iter().any(|exhibit| matches!(exhibit, Exhibit::Contrast { .. }));
        assert!(contrast, "{of}: confirmed without a contrast");
    }
    for exhibit in &finding.exhibits {
        check_exhibit(report, exhibit, of);
    }
}

fn check_exhibit(report: &Report, exhibit: &Exhibit, of: &str) {
    let cited = |id: u32| -> &Attempt {
        let attempt = report.evidence.attempt(id);
        attempt.unwrap_or_else(|| panic!("{of}: attempt {id} is cited and not there"))
    };
    match exhibit {
        Exhibit::Message { attempt, direction, layer, start, end, hex, field, .. } => {
            let attempt = cited(*attempt);
            let stored: &[u8] = match (direction, layer) {
                (Direction::FromClient, _) => &attempt.sent,
                (Direction::FromServer, Layer::Wire) => &attempt.received,
                (Direction::FromServer, Layer::Decrypted) => attempt.decrypted.as_deref().unwrap(),
            };
            let span = stored.get(*start as usize..*end as usize);
            let span = span.unwrap_or_else(|| panic!("{of}: {field} at {start}..{end} of {} bytes", stored.len()));
            assert!(!span.is_empty(), "{of}: {field} cites nothing");
            assert_eq!(*hex, Bytes(span.iter().copied().take(64).collect()), "{of}: {field}");
        }
        Exhibit::Ending { attempt, says } => {
            cited(*attempt);
            assert!(!says.is_empty(), "{of}");
        }
        Exhibit::Contrast { fails, works, differs_in, .. } => {
            cited(*fails);
            cited(*works);
            assert_ne!(fails, works, "{of}");
            assert!(!differs_in.is_empty(), "{of}: a contrast in nothing");
        }
        _ => {}
    }
}

/// No text of a report but the stored evidence holds a character that would move a terminal's cursor or hide.
pub fn check_text(report: &Report, of: &str) {
    fn walk(value: &serde_json::Value, at: &str, of: &str) {
        match value {
            serde_json::Value::String(text) => {
                // An edit is a text of several lines.
                let lines = ["diff", "new"].contains(&at);
                let odd = text
                    .chars()
                    .filter(|c| !(lines && matches!(c, '\n' | '\r' | '\t')))
                    .find(|c| c.is_control() || matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}'));
                assert_eq!(odd, None, "{of}: in {at}: {text:?}");
            }
            serde_json::Value::Array(items) => items.iter().for_each(|item| walk(item, at, of)),
            serde_json::Value::Object(map) => map.iter().for_each(|(key, value)| walk(value, key, of)),
            _ => {}
        }
    }
    let mut value = serde_json::to_value(report).unwrap();
    value.as_object_mut().unwrap().remove("evidence");
    walk(&value, "report", of);
}
