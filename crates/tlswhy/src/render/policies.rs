//! How what a server accepts stands by policies, rule by rule.

use std::io;

use tlswhy_model::{PolicyView, RuleResult};

use super::page::{ASIDE, HEADING, Page};

/// Column of the results, and of the text beside them.
const LABEL: usize = 3;
const TEXT: usize = 14;
/// Columns, where there is no terminal.
const WIDTH: usize = 100;

/// Writes each below a heading of its own. Attempts and certificates that show a rule are for those who want all.
pub(super) fn write(policies: &[PolicyView], verbose: bool, page: &mut Page<'_>) -> io::Result<()> {
    for policy in policies {
        let old = if policy.withdrawn { " (its authority no longer recommends it)" } else { "" };
        page.paragraph(0, HEADING, &format!("{}{old}: {}", policy.title, whole(policy)))?;
        for rule in &policy.rules {
            let mut text = rule.wants.clone();
            if !rule.says.is_empty() {
                text.push_str(&format!("; {}", rule.says));
            }
            if verbose && !rule.attempts.is_empty() {
                let attempts: Vec<String> = rule.attempts.iter().map(u32::to_string).collect();
                text.push_str(&format!(" [attempts {}]", attempts.join(", ")));
            }
            if verbose && !rule.certificates.is_empty() {
                text.push_str(&format!(" [certificates {}]", rule.certificates.join(", ")));
            }
            page.labelled(LABEL, word(rule.result), HEADING, TEXT, &text)?;
        }
        if !policy.beyond.is_empty() {
            page.paragraph(
                LABEL,
                ASIDE,
                &format!("It wants besides, and an inventory does not show: {}.", policy.beyond.join("; ")),
            )?;
        }
        page.blank()?;
    }
    Ok(())
}

/// The same without styles.
pub(super) fn plain(policies: &[PolicyView], verbose: bool) -> String {
    let mut out = Vec::new();
    // Writing to memory does not fail.
    let _ = write(policies, verbose, &mut Page::new(&mut out, WIDTH));
    anstream::adapter::strip_str(&String::from_utf8_lossy(&out)).to_string().trim_end().to_owned()
}

fn word(result: RuleResult) -> &'static str {
    match result {
        RuleResult::Pass => "pass",
        RuleResult::NotJudged => "not judged",
        RuleResult::Fail => "FAIL",
    }
}

fn whole(policy: &PolicyView) -> String {
    let of = |wanted| policy.rules.iter().filter(|rule| rule.result == wanted).count();
    let all = policy.rules.len();
    match policy.result {
        RuleResult::Pass => format!("passes all {all} rules"),
        RuleResult::NotJudged => format!("{} of {all} rules could not be judged, none fails", of(RuleResult::NotJudged)),
        RuleResult::Fail => format!("fails {} of {all} rules", of(RuleResult::Fail)),
    }
}
