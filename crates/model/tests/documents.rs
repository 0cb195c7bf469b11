//! Documents of released minors stay readable, and so do those of minors to come. `v1/` holds one of each kind as version 1.0
//! wrote it; they are never written anew.

#![allow(clippy::unwrap_used, reason = "a test stops at what it did not expect")]

use serde_json::{Value, json};
use tlswhy_model::{Confidence, Evidence, Outcome, Report};

const EVIDENCE: &str = include_str!("v1/evidence.json");
const REPORT: &str = include_str!("v1/report.json");

#[test]
fn evidence_of_version_1_is_read_and_written_as_it_was() {
    let evidence: Evidence = serde_json::from_str(EVIDENCE).unwrap();
    assert_eq!((evidence.format.as_str(), evidence.format_version.as_str()), ("tlswhy-evidence", "1.0"));
    assert_eq!(evidence.attempts.len(), 4);
    assert_eq!(evidence.attempt(1).unwrap().id, 1);
    assert_says_the_same(EVIDENCE, &serde_json::to_value(&evidence).unwrap());
}

#[test]
fn a_report_of_version_1_is_read_and_written_as_it_was() {
    let report: Report = serde_json::from_str(REPORT).unwrap();
    assert_eq!((report.format.as_str(), report.format_version.as_str()), ("tlswhy-report", "1.0"));
    assert_eq!((report.outcome, report.root_cause.as_deref()), (Outcome::Fails, Some("weak-dh-params")));
    assert_eq!(report.findings[0].confidence, Confidence::Observed);
    assert_says_the_same(REPORT, &serde_json::to_value(&report).unwrap());
}

#[test]
fn keys_of_a_later_minor_are_passed_over() {
    let known: Evidence = serde_json::from_str(EVIDENCE).unwrap();
    let mut value: Value = serde_json::from_str(EVIDENCE).unwrap();
    assert!(add_keys(&mut value) > 20);
    assert_eq!(serde_json::from_value::<Evidence>(value).unwrap(), known);

    let known: Report = serde_json::from_str(REPORT).unwrap();
    let mut value: Value = serde_json::from_str(REPORT).unwrap();
    assert!(add_keys(&mut value) > 20);
    assert_eq!(serde_json::from_value::<Report>(value).unwrap(), known);
}

/// Codes of causes and numbers without a name are values like any other.
#[test]
fn codes_and_numbers_of_a_later_minor_are_kept() {
    let mut value: Value = serde_json::from_str(REPORT).unwrap();
    value["root_cause"] = json!("clock-runs-backwards");
    value["findings"][0]["cause"] = json!("clock-runs-backwards");
    value["findings"][0]["family"] = json!("time");
    value["findings"][0]["explains"] = json!(["not-known-either"]);
    value["evidence"]["attempts"][0]["probe"]["opening"]["hello"]["cipher_suites"] =
        json!(["0xfe77", "TLS_AES_128_GCM_SHA256"]);
    value["evidence"]["attempts"][0]["ending"] =
        json!({"kind": "alert", "level": "fatal", "description": "0xfe", "awaited": "server-hello", "encrypted": false});
    let report: Report = serde_json::from_value(value.clone()).unwrap();
    assert_eq!(report.findings[0].cause, "clock-runs-backwards");
    let written = serde_json::to_value(&report).unwrap();
    for pointer in ["/root_cause", "/findings/0", "/evidence/attempts/0"] {
        assert!(written.pointer(pointer) == value.pointer(pointer), "{pointer}");
    }
}

/// What is not known may be missing.
#[test]
fn what_may_be_missing_may_be_missing() {
    let evidence = json!({
        "format": "tlswhy-evidence",
        "format_version": "1.0",
        "tool": {"name": "tlswhy", "version": "0.1.0"},
        "started_at": "2026-01-01T00:00:00Z",
        "subject": {"target": "a.test", "host": "a.test", "port": 443, "server_name": null, "upgrade": null, "via": null, "client": "x"}
    });
    let evidence: Evidence = serde_json::from_value(evidence).unwrap();
    assert!(evidence.attempts.is_empty() && evidence.clients.is_empty() && evidence.trust.is_none() && !evidence.redacted);
}

#[test]
fn hexadecimal_of_either_case_is_read_and_nothing_else() {
    let with = |received: &str| {
        let mut value: Value = serde_json::from_str(EVIDENCE).unwrap();
        value["attempts"][0]["received"] = json!(received);
        serde_json::from_value::<Evidence>(value)
    };
    assert_eq!(*with("16FEff").unwrap().attempts[0].received, [0x16, 0xfe, 0xff]);
    for bad in ["1", "0x16", "zz", "16 03"] {
        assert!(with(bad).is_err(), "{bad}");
    }
}

/// A key that no version knows, in every object; a hello's extensions are named by their key and stay.
fn add_keys(value: &mut Value) -> usize {
    match value {
        Value::Object(map) => {
            let below: usize = map.iter_mut().filter(|(key, _)| *key != "extensions").map(|(_, value)| add_keys(value)).sum();
            map.insert("of_a_later_minor".to_owned(), json!({"deep": [1, null, "x"]}));
            below + 1
        }
        Value::Array(items) => items.iter_mut().map(add_keys).sum(),
        _ => 0,
    }
}

/// A newer program may write more; what stood there stands there.
fn assert_says_the_same(before: &str, after: &Value) {
    fn within(before: &Value, after: &Value, at: &str) {
        match (before, after) {
            (Value::Object(old), Value::Object(new)) => {
                for (key, value) in old {
                    within(value, new.get(key).unwrap_or(&Value::Null), &format!("{at}/{key}"));
                }
            }
            (Value::Array(old), Value::Array(new)) => {
                assert_eq!(old.len(), new.len(), "{at}");
                old.iter().zip(new).enumerate().for_each(|(nth, (old, new))| within(old, new, &format!("{at}/{nth}")));
            }
            _ => assert_eq!(before, after, "{at}"),
        }
    }
    within(&serde_json::from_str(before).unwrap(), after, "");
}
