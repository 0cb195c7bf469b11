//! What the chain engine says a client will do, beside what it did.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use tlswhy_core::chain::{Anchor, Certificate, Known, OcspEvidence, PathPolicy, Purpose, ServerName, Situation, judge};

use super::Case;

/// What was seen when every client was run: a line a verdict, written by `tlswhy-lab chains --record`.
pub const MEASURED: &str = include_str!("measured.tsv");
/// The predictions known to be wrong, with the reason.
pub const MISMATCHES: &str = include_str!("mismatches.txt");

/// By profile, then by chain: whether the client accepts.
pub type Verdicts = BTreeMap<String, BTreeMap<String, bool>>;

/// The lines of [`MEASURED`].
pub fn recorded() -> Verdicts {
    let mut verdicts = Verdicts::new();
    for line in MEASURED.lines() {
        if let [profile, case, verdict] = line.split('\t').collect::<Vec<_>>()[..] {
            verdicts.entry(profile.to_owned()).or_default().insert(case.to_owned(), verdict == "ok");
        }
    }
    verdicts
}

/// Verdicts as lines of [`MEASURED`].
pub fn lines(verdicts: &Verdicts) -> String {
    let one = |profile: &str, case: &str, accepts: bool| format!("{profile}\t{case}\t{}\n", if accepts { "ok" } else { "no" });
    verdicts.iter().flat_map(|(profile, cases)| cases.iter().map(|(case, accepts)| one(profile, case, *accepts))).collect()
}

/// The objections that a client of this profile is expected to have, in words; none: it accepts. `None`: no such profile.
pub fn objections(profile: &str, case: &Case) -> Option<Vec<String>> {
    let client = tlswhy_core::client(profile)?;
    let read = |der: &Vec<u8>| Arc::new(Certificate::read(der));
    let sent: Vec<Arc<Certificate>> = case.sent.iter().map(read).collect();
    let anchor = |der: &Vec<u8>| Anchor { certificate: read(der), distrust_after: None };
    let anchors: Vec<Anchor> = case.anchors.iter().map(anchor).collect();
    let known: Vec<Known> =
        case.elsewhere.iter().map(|der| Known { certificate: read(der), source: "the AIA URL".into() }).collect();
    let ocsp: Vec<OcspEvidence> =
        case.staple.iter().map(|response| OcspEvidence { response: response.clone(), stapled: true }).collect();
    let name = match case.host.parse::<IpAddr>() {
        Ok(address) => ServerName::Address(address),
        Err(_) => ServerName::Dns(case.host.to_owned()),
    };
    let policy = PathPolicy::of(&client.policy);
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs() as i64);
    let judgement = judge(&Situation {
        sent: &sent,
        known: &known,
        anchors: &anchors,
        policy: &policy,
        name: Some(&name),
        purpose: Purpose::Server,
        now,
        maximum_intermediates: None,
        revocation_lists: &[],
        ocsp: &ocsp,
    });
    Some(judgement.objections.iter().map(|objection| format!("{:?}", objection.kind).chars().take(90).collect()).collect())
}

/// A prediction beside what happened.
#[derive(Clone, Debug)]
pub struct Compared {
    /// The client's profile.
    pub profile: String,
    /// The chain.
    pub case: &'static str,
    /// What is expected to stand in the way.
    pub predicted: Vec<String>,
    /// Whether the client accepted.
    pub accepted: bool,
    /// Where both differ: why, if that is known.
    pub reason: Option<&'static str>,
}

impl Compared {
    /// Whether prediction and client agree.
    pub fn agrees(&self) -> bool {
        self.predicted.is_empty() == self.accepted
    }
}

/// Every verdict compared, for the profiles that exist.
pub fn compare(cases: &[Case], verdicts: &Verdicts) -> Vec<Compared> {
    let mut all = Vec::new();
    for (profile, of_client) in verdicts {
        for case in cases {
            let (Some(accepted), Some(predicted)) = (of_client.get(case.id), objections(profile, case)) else { continue };
            let reason = listed().find(|(who, which, _)| fits(who, profile) && fits(which, case.id)).map(|(.., why)| why);
            all.push(Compared { profile: profile.clone(), case: case.id, predicted, accepted: *accepted, reason });
        }
    }
    all
}

/// The entries of [`MISMATCHES`] that fit none of the mismatches: they must go.
pub fn stale(compared: &[Compared]) -> Vec<String> {
    let used =
        |who: &str, which: &str| compared.iter().any(|one| !one.agrees() && fits(who, &one.profile) && fits(which, one.case));
    listed().filter(|(who, which, _)| !used(who, which)).map(|(who, which, _)| format!("{who} {which}")).collect()
}

fn listed() -> impl Iterator<Item = (&'static str, &'static str, &'static str)> {
    MISMATCHES.lines().filter(|line| !line.starts_with('#')).filter_map(|line| {
        let (subject, why) = line.split_once(": ")?;
        let (who, which) = subject.split_once(' ')?;
        Some((who, which, why))
    })
}

/// `*` at the end of a pattern stands for anything.
fn fits(pattern: &str, word: &str) -> bool {
    pattern.strip_suffix('*').map_or(pattern == word, |start| word.starts_with(start))
}
