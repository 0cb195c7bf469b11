//! What is different between two reports of one target.
//!
//! Codes, names and values are compared, never sentences: those hold counts of days and numbers of attempts, which differ each time.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::Serialize;
use tlswhy_model::{
    Acceptance, CertificateView, Change, ChangesView, Notice, PolicyView, Report, RuleResult, ServerView, ValuesView,
    VersionView,
};

/// Compares a report with an earlier one of the same target.
pub fn changes(before: &Report, after: &Report) -> ChangesView {
    let mut found = Found::default();
    found.one("outcome", Some(code(&before.outcome)), Some(code(&after.outcome)));
    found.one("judged-client", Some(before.subject.client.clone()), Some(after.subject.client.clone()));
    found.maps("finding", None, findings(before), findings(after));
    found.notices(&before.notices, &after.notices);
    let clients = |report: &Report| report.clients.iter().map(|client| (client.name.clone(), code(&client.outcome))).collect();
    // A panel is larger with `--full`: whom only one of them judged has not changed.
    found.common("client", clients(before), clients(after));
    found.certificates(before, after);
    match (&before.server, &after.server) {
        (Some(before), Some(after)) => found.server(before, after),
        (None, Some(_)) => found.lacks("what the server accepts: the earlier report is one without --full"),
        (Some(_), None) => found.lacks("what the server accepts: this report is one without --full"),
        (None, None) => {}
    }
    found.policies(&before.policies, &after.policies);
    ChangesView { since: before.taken_at.clone(), changes: found.changes, not_compared: found.not_compared }
}

/// What things of one kind are, by name.
type Things = BTreeMap<String, String>;

#[derive(Default)]
struct Found {
    changes: Vec<Change>,
    not_compared: Vec<String>,
}

impl Found {
    /// Something of which there is but one.
    fn one(&mut self, about: &str, before: Option<String>, after: Option<String>) {
        self.push(about, None, None, before, after);
    }

    fn push(&mut self, about: &str, name: Option<&str>, version: Option<&str>, before: Option<String>, after: Option<String>) {
        if before != after {
            let (name, version) = (name.map(str::to_owned), version.map(str::to_owned));
            self.changes.push(Change { about: about.to_owned(), name, version, before, after });
        }
    }

    fn lacks(&mut self, what: &str) {
        self.not_compared.push(what.to_owned());
    }

    /// Things of which one that is missing is not there.
    fn maps(&mut self, about: &str, version: Option<&str>, before: Things, mut after: Things) {
        for (name, was) in before {
            let is = after.remove(&name);
            self.push(about, Some(&name), version, Some(was), is);
        }
        for (name, is) in after {
            self.push(about, Some(&name), version, None, Some(is));
        }
    }

    /// Things of which one that is missing was not looked at.
    fn common(&mut self, about: &str, mut before: Things, mut after: Things) {
        before.retain(|name, _| after.contains_key(name));
        after.retain(|name, _| before.contains_key(name));
        self.maps(about, None, before, after);
    }

    /// Notices come and go by their code; what they say of the same thing may count days.
    fn notices(&mut self, before: &[Notice], after: &[Notice]) {
        let says =
            |notices: &[Notice]| -> Things { joined(notices.iter().map(|notice| (notice.code.clone(), notice.says.clone()))) };
        let (mut were, mut are) = (says(before), says(after));
        let stayed: Vec<String> = were.keys().filter(|code| are.contains_key(*code)).cloned().collect();
        for code in stayed {
            were.remove(&code);
            are.remove(&code);
        }
        self.maps("notice", None, were, are);
    }

    /// Those that the server showed. The inventory holds more of them than the chain, where only one report has it.
    fn certificates(&mut self, before: &Report, after: &Report) {
        let is_full = before.server.is_some() && after.server.is_some();
        let shown = |report: &Report| -> Option<Things> {
            let sent = report.chain.as_ref().map(|chain| chain.certificates.iter().filter(|one| one.place.is_some()));
            let full = report.server.as_ref().filter(|_| is_full);
            let full = full.map(|server| server.certificates.iter().map(|shown| &shown.certificate));
            if sent.is_none() && full.is_none() {
                return None;
            }
            let all = sent.into_iter().flatten().chain(full.into_iter().flatten());
            Some(all.map(|certificate| (certificate.sha256.clone(), certificate_in_words(certificate))).collect())
        };
        match (shown(before), shown(after)) {
            (Some(before), Some(after)) => self.maps("certificate", None, before, after),
            (None, Some(_)) => self.lacks("certificates: the earlier report shows none"),
            (Some(_), None) => self.lacks("certificates: this report shows none"),
            (None, None) => {}
        }
    }

    fn server(&mut self, before: &ServerView, after: &ServerView) {
        let versions = |view: &ServerView| -> BTreeMap<String, VersionView> {
            view.versions.iter().map(|version| (version.version.to_string(), version.clone())).collect()
        };
        let (were, are) = (versions(before), versions(after));
        let acceptance = |versions: &BTreeMap<String, VersionView>| {
            versions.iter().map(|(name, version)| (name.clone(), code(&version.acceptance))).collect()
        };
        self.common("version", acceptance(&were), acceptance(&are));
        for (name, was) in were {
            // What belongs to a version that only one of them accepts goes without saying.
            if let Some(is) = are.get(&name)
                && [was.acceptance, is.acceptance] == [Acceptance::Accepted; 2]
            {
                self.version(&name, &was, is);
            }
        }
        self.values("application-protocol", None, &before.application_protocols, &after.application_protocols);
        let features = |view: &ServerView| {
            view.features.iter().map(|feature| (feature.name.clone(), code(&feature.acceptance))).collect::<Things>()
        };
        self.common("feature", features(before), features(after));
        let quirks = |view: &ServerView| {
            view.quirks.iter().map(|quirk| (quirk.name.clone(), code(&quirk.acceptance))).collect::<Things>()
        };
        self.common("quirk", quirks(before), quirks(after));
        let tried = |view: &ServerView| {
            view.vulnerabilities.iter().map(|tried| (tried.name.clone(), code(&tried.acceptance))).collect::<Things>()
        };
        self.common("vulnerability", tried(before), tried(after));
        let prime = |view: &ServerView| view.smallest_prime.as_ref().map(|prime| format!("{} bits", prime.bits));
        self.one("dh-prime", prime(before), prime(after));
        let request = |view: &ServerView| {
            view.client_certificate.as_ref().map(|request| match request.required {
                Some(true) => "required".to_owned(),
                Some(false) => "asked for and not required".to_owned(),
                None => "asked for".to_owned(),
            })
        };
        self.one("client-certificate", request(before), request(after));
    }

    fn version(&mut self, name: &str, before: &VersionView, after: &VersionView) {
        self.values("cipher-suite", Some(name), &before.cipher_suites, &after.cipher_suites);
        let order = |version: &VersionView| version.suite_order.as_ref().map(code);
        self.push("suite-order", None, Some(name), order(before), order(after));
        self.values("group", Some(name), &before.groups, &after.groups);
        self.values("signature-scheme", Some(name), &before.signature_schemes, &after.signature_schemes);
    }

    /// A list of which one report holds nothing was not asked for there. A value that is in no list of a report was not asked for.
    fn values(&mut self, about: &str, version: Option<&str>, before: &ValuesView, after: &ValuesView) {
        let (mut before, mut after) = (acceptances(before), acceptances(after));
        if before.is_empty() || after.is_empty() {
            return;
        }
        let names: BTreeSet<String> = before.keys().chain(after.keys()).cloned().collect();
        for name in names {
            for things in [&mut before, &mut after] {
                things.entry(name.clone()).or_insert_with(|| code(&Acceptance::Untested));
            }
        }
        self.maps(about, version, before, after);
    }

    fn policies(&mut self, before: &[PolicyView], after: &[PolicyView]) {
        let by_name = |policies: &[PolicyView]| -> BTreeMap<String, PolicyView> {
            policies.iter().map(|policy| (policy.name.clone(), policy.clone())).collect()
        };
        let (were, mut are) = (by_name(before), by_name(after));
        for (name, was) in were {
            match are.remove(&name) {
                Some(is) => self.maps("policy-rule", None, rules(&was), rules(&is)),
                None => self.lacks(&format!("the policy {name}: this report does not judge by it")),
            }
        }
        for name in are.keys() {
            self.lacks(&format!("the policy {name}: the earlier report does not judge by it"));
        }
    }
}

/// Each cause with its impact.
fn findings(report: &Report) -> Things {
    joined(report.findings.iter().map(|finding| (finding.cause.clone(), code(&finding.impact))))
}

fn rules(policy: &PolicyView) -> Things {
    let rule = |rule: &tlswhy_model::RuleView| {
        let result = match (rule.result, rule.values.is_empty()) {
            (RuleResult::Pass, _) | (_, true) => code(&rule.result),
            _ => format!("{}: {}", code(&rule.result), rule.values.join(", ")),
        };
        (format!("{}: {}", policy.name, rule.rule), result)
    };
    joined(policy.rules.iter().map(rule))
}

fn acceptances(values: &ValuesView) -> Things {
    let accepted = values.accepted.iter().map(|value| (&value.name, Acceptance::Accepted));
    let refused = values.refused.iter().map(|name| (name, Acceptance::Refused));
    let untested = values.untested.iter().map(|name| (name, Acceptance::Untested));
    // The last of a name stands: accepted at least once is accepted.
    untested.chain(refused).chain(accepted).map(|(name, acceptance)| (name.clone(), code(&acceptance))).collect()
}

fn certificate_in_words(certificate: &CertificateView) -> String {
    format!("{}, {}, until {}", certificate.subject, certificate.key, certificate.not_after)
}

/// Things by name. Of several with one name all that is said of them stands, each once.
fn joined(things: impl Iterator<Item = (String, String)>) -> Things {
    let mut found: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for (name, thing) in things {
        found.entry(name).or_default().insert(thing);
    }
    found.into_iter().map(|(name, things)| (name, things.into_iter().collect::<Vec<_>>().join("; "))).collect()
}

/// The word that stands for a value without fields in JSON.
fn code(value: &impl Serialize) -> String {
    struct Word<'a, T>(&'a T);
    impl<T: Serialize> fmt::Display for Word<'_, T> {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            self.0.serialize(f)
        }
    }
    Word(value).to_string()
}
