//! What was found of one rule, and what follows from it.

use std::collections::BTreeSet;

use tlswhy_model::{RuleResult, RuleView, ValuesView};
use tlswhy_wire::ProtocolVersion;

use crate::knowledge::policies::Policy;

/// Values that are named in words; all of them stand beside.
const NAMED: usize = 6;

/// What was found of one rule.
#[derive(Default)]
pub(super) struct Tally {
    /// What fails it, and the attempts that show it.
    pub(super) failing: Vec<String>,
    pub(super) failing_in: BTreeSet<u32>,
    /// What keeps it from being judged.
    pub(super) open: Vec<String>,
    pub(super) open_in: BTreeSet<u32>,
    /// The attempts that show that it holds.
    pub(super) holds_in: BTreeSet<u32>,
    /// What is allowed and shall go.
    leaving: Vec<String>,
    /// The certificates looked at: all, and those that fail.
    pub(super) certificates: Vec<String>,
    pub(super) failing_certificates: Vec<String>,
}

impl Tally {
    pub(super) fn open(why: String) -> Tally {
        Tally { open: vec![why], ..Tally::default() }
    }

    pub(super) fn into_rule(self, rule: &str, wants: String) -> RuleView {
        let (result, word, values, attempts, certificates) = if !self.failing.is_empty() {
            (RuleResult::Fail, "found", self.failing, self.failing_in, self.failing_certificates)
        } else if !self.open.is_empty() {
            (RuleResult::NotJudged, "open", self.open, self.open_in, self.certificates)
        } else {
            (RuleResult::Pass, "", Vec::new(), self.holds_in, self.certificates)
        };
        let mut says = Vec::new();
        if !values.is_empty() {
            says.push(format!("{word}: {}", named(&values)));
        }
        if !self.leaving.is_empty() {
            says.push(format!("to be phased out: {}", named(&self.leaving)));
        }
        RuleView {
            rule: rule.to_owned(),
            wants,
            result,
            says: says.join("; "),
            values,
            attempts: attempts.into_iter().collect(),
            certificates,
        }
    }

    /// One value that the server has, in words and by its name.
    pub(super) fn has(&mut self, policy: &Policy, name: &str, allowed: bool, words: String, attempt: u32) {
        if allowed {
            self.holds_in.insert(attempt);
            if policy.phase_out.iter().any(|leaving| leaving == name) {
                self.leaving.push(words);
            }
        } else if policy.undecided.iter().any(|undecided| undecided == name) {
            self.open.push(format!("{words} (left to the case)"));
            self.open_in.insert(attempt);
        } else {
            self.failing.push(words);
            self.failing_in.insert(attempt);
        }
    }

    /// The lists of some versions against what may be on.
    pub(super) fn lists<'v>(
        &mut self,
        policy: &Policy,
        may: &[String],
        lists: impl Iterator<Item = (ProtocolVersion, &'v ValuesView)>,
    ) {
        for (version, values) in lists {
            for value in &values.accepted {
                self.has(policy, &value.name, may.contains(&value.name), format!("{} at {version}", value.name), value.attempt);
            }
            let untested = values.untested.iter().filter(|name| !may.contains(name) && !policy.undecided.contains(name));
            self.open.extend(untested.map(|name| format!("{name} at {version} (untested)")));
            self.holds_in.extend(values.refused_in);
        }
    }
}

fn named(values: &[String]) -> String {
    let shown: Vec<&str> = values.iter().take(NAMED).map(String::as_str).collect();
    match values.len().saturating_sub(NAMED) {
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}
