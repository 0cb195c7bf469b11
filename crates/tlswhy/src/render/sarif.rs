//! A report as SARIF 2.1.0 (OASIS), as code hosts read it: one run a report; findings, notices and rules of policies are its results.

use std::collections::BTreeMap;
use std::io::{self, Write};

use serde_json::{Value, json};
use tlswhy_model::{Confidence, Exhibit, Finding, Impact, Outcome, Report, RuleResult};

use super::{Position, json, shown, words};

/// Where the standard keeps its schema.
const SCHEMA: &str = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json";

/// Writes the report as a run, with what stands before the first.
pub(super) fn write(report: &Report, position: Position, out: &mut dyn Write) -> io::Result<()> {
    if position.first {
        writeln!(out, "{{\"$schema\":\"{SCHEMA}\",\"version\":\"2.1.0\",\"runs\":[")?;
    } else {
        write!(out, ",")?;
    }
    json::pretty(&run(report), out)
}

/// Writes what stands after the last.
pub(super) fn end(out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "]}}")
}

fn run(report: &Report) -> Value {
    let mut rules: BTreeMap<String, String> = BTreeMap::new();
    let mut results = Vec::new();
    for finding in &report.findings {
        rules.insert(finding.cause.clone(), finding.cause.replace('-', " "));
        results.push(of_finding(finding, report));
    }
    if report.outcome == Outcome::Undetermined {
        let rule = "undetermined";
        rules.insert(rule.to_owned(), "the cause stays open".to_owned());
        results.push(result(rule, "open", "none", &report.summary, &[], report));
    }
    for notice in &report.notices {
        rules.insert(notice.code.clone(), notice.code.replace('-', " "));
        results.push(result(&notice.code, "fail", "note", &notice.says, &[], report));
    }
    for policy in &report.policies {
        for rule in &policy.rules {
            let id = format!("{}/{}", policy.name, rule.rule);
            rules.insert(id.clone(), format!("{}: {}", policy.title, rule.wants));
            let (kind, level) = match rule.result {
                RuleResult::Pass => ("pass", "none"),
                RuleResult::Fail => ("fail", "error"),
                RuleResult::NotJudged => ("open", "none"),
            };
            let says = if rule.says.is_empty() { &rule.wants } else { &rule.says };
            results.push(result(&id, kind, level, says, &[], report));
        }
    }
    let rules: Vec<Value> =
        rules.into_iter().map(|(id, says)| json!({ "id": id, "shortDescription": { "text": shown(&says) } })).collect();
    json!({
        "tool": { "driver": { "name": report.tool.name, "semanticVersion": report.tool.version, "rules": rules } },
        "automationDetails": { "id": shown(&format!("tlswhy/{}/", report.subject.target)) },
        "results": results,
    })
}

fn of_finding(finding: &Finding, report: &Report) -> Value {
    let level = match finding.impact {
        Impact::Blocks => "error",
        Impact::Degrades => "warning",
        Impact::Latent => "note",
    };
    let remedy = finding.remedies.first().map(|remedy| format!("Fix: {}", remedy.summary));
    let parts = [&finding.title, &finding.diagnosis, &finding.why_it_fails].into_iter().cloned().chain(remedy);
    let text: Vec<String> = parts.map(|part| words::sentence(&part)).collect();
    let confidence = match finding.confidence {
        Confidence::Confirmed => "confirmed",
        Confidence::Observed => "observed",
        Confidence::Inferred => "inferred",
        Confidence::Suspected => "suspected",
    };
    let mut found = result(&finding.cause, "fail", level, &text.join(" "), &finding.exhibits, report);
    if let Some(found) = found.as_object_mut() {
        found.insert("properties".to_owned(), json!({ "confidence": confidence, "order": finding.order }));
    }
    found
}

/// A result at the server, and at the lines of files that it cites.
fn result(rule: &str, kind: &str, level: &str, says: &str, exhibits: &[Exhibit], report: &Report) -> Value {
    let server = json!([{ "fullyQualifiedName": shown(&report.subject.target), "kind": "resource" }]);
    let in_file = |exhibit: &Exhibit| match exhibit {
        Exhibit::File { path, line, column, .. } => Some(json!({
            "physicalLocation": {
                "artifactLocation": { "uri": uri(path) },
                "region": { "startLine": (*line).max(1), "startColumn": (*column).max(1) },
            },
            "logicalLocations": server.clone(),
        })),
        _ => None,
    };
    let mut locations: Vec<Value> = exhibits.iter().filter_map(in_file).collect();
    if locations.is_empty() {
        locations.push(json!({ "logicalLocations": server.clone() }));
    }
    json!({ "ruleId": rule, "kind": kind, "level": level, "message": { "text": shown(says) }, "locations": locations })
}

/// A path as a URI reference (RFC 3986 §3.3): what it does not allow is percent-encoded.
fn uri(path: &str) -> String {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=@/".contains(&byte);
    let text: String =
        path.bytes().map(|byte| if allowed(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") }).collect();
    if path.starts_with('/') { format!("file://{text}") } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_become_uris() {
        assert_eq!(uri("/etc/nginx/a b:c.conf"), "file:///etc/nginx/a%20b%3Ac.conf");
        assert_eq!(uri("conf/grün"), "conf/gr%C3%BCn");
    }
}
