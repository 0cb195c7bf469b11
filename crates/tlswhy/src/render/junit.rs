//! A report as JUnit XML, as CI servers read it: the handshake is a test case, and each rule of a policy.

use std::io::{self, Write};

use tlswhy_model::{Outcome, Report, RuleResult};

use super::{Position, shown, words};

/// A test case: what it is about, and in words why it did not pass.
struct Case {
    name: String,
    end: End,
    says: String,
}

/// The ways in which a test case ends.
enum End {
    Passed,
    Failed,
    Skipped,
    Error,
}

/// Writes the report as test suites, with what stands before the first.
pub(super) fn write(report: &Report, position: Position, out: &mut dyn Write) -> io::Result<()> {
    if position.first {
        writeln!(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>")?;
    }
    let target = &report.subject.target;
    let end = match report.outcome {
        Outcome::Works | Outcome::AtRisk => End::Passed,
        Outcome::Fails => End::Failed,
        Outcome::Undetermined => End::Error,
    };
    let handshake = Case { name: words::subject(&report.subject), end, says: words::sentence(&report.summary) };
    write_suite(&format!("{target}: handshake"), "handshake", &[handshake], out)?;
    for policy in &report.policies {
        let case = |rule: &tlswhy_model::RuleView| Case {
            name: format!("{}: {}", rule.rule, rule.wants),
            end: match rule.result {
                RuleResult::Pass => End::Passed,
                RuleResult::Fail => End::Failed,
                RuleResult::NotJudged => End::Skipped,
            },
            says: rule.says.clone(),
        };
        let cases: Vec<Case> = policy.rules.iter().map(case).collect();
        write_suite(&format!("{target}: {}", policy.title), &policy.name, &cases, out)?;
    }
    Ok(())
}

/// Writes what stands after the last.
pub(super) fn end(out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "</testsuites>")
}

fn write_suite(name: &str, class: &str, cases: &[Case], out: &mut dyn Write) -> io::Result<()> {
    let count = |wanted: fn(&End) -> bool| cases.iter().filter(|case| wanted(&case.end)).count();
    let failures = count(|end| matches!(end, End::Failed));
    let errors = count(|end| matches!(end, End::Error));
    let skipped = count(|end| matches!(end, End::Skipped));
    let (name, class, tests) = (escaped(name), escaped(class), cases.len());
    writeln!(
        out,
        "<testsuite name=\"{name}\" tests=\"{tests}\" failures=\"{failures}\" errors=\"{errors}\" skipped=\"{skipped}\">"
    )?;
    for case in cases {
        let (name, says) = (escaped(&case.name), escaped(&case.says));
        let inner = match case.end {
            End::Passed => String::new(),
            End::Failed => format!("<failure message=\"{says}\"/>"),
            End::Skipped => format!("<skipped message=\"{says}\"/>"),
            End::Error => format!("<error message=\"{says}\"/>"),
        };
        writeln!(out, "<testcase classname=\"{class}\" name=\"{name}\">{inner}</testcase>")?;
    }
    writeln!(out, "</testsuite>")
}

/// Text for an attribute: what cannot be shown, and so what XML forbids, is escaped first.
fn escaped(text: &str) -> String {
    let mut safe = String::new();
    for character in shown(text).chars() {
        match character {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\n' => safe.push(' '),
            // No characters of XML 1.0, though some are assigned or private.
            '\u{fffe}' | '\u{ffff}' => safe.push('\u{fffd}'),
            other => safe.push(other),
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_would_end_an_attribute_or_is_no_xml_is_escaped() {
        assert_eq!(escaped("a\"<b>&\n\u{1b}[2J\u{0}\u{fffe}"), "a&quot;&lt;b&gt;&amp; \\u{1b}[2J\\u{0}\u{fffd}");
    }
}
