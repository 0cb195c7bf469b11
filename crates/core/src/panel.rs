//! How well-known clients fare: by the model, from what was seen of the server; or by sending their very hello.

use tlswhy_model::{ClientOutcome, Confidence, Depth, Finding, Outcome, Probe};
use tlswhy_wire::{CertificateList, CipherSuite};

use crate::case::{Case, Seen};
use crate::causes::{CAUSES, Found};
use crate::chain::{KeyKind, ObjectionKind, Stores};
use crate::examination::certificates::{self, Presented};
use crate::examination::{Fault, FaultKind, Story};
use crate::negotiate::{ClientCapabilities, Knob, Negotiated, ServerCapabilities, Support, negotiate, objections};

/// The probe that sends this client's very hello.
pub(crate) fn replay_probe(case: &Case<'_>) -> Probe {
    case.hello_probe(case.client_hello(), case.evidence.subject.upgrade.as_deref(), Depth::Flight)
}

/// Judges the client of the case before this server. `first` is what stops the judged client.
pub(crate) fn judge(
    case: &Case<'_>,
    story: &Story,
    server: &ServerCapabilities,
    first: Option<&Finding>,
    stores: &Stores,
) -> ClientOutcome {
    let mut row = ClientOutcome {
        name: case.client.name.clone(),
        outcome: Outcome::Undetermined,
        version: None,
        cipher_suite: None,
        cause: None,
        says: None,
        replayed: false,
    };
    if let Some(fault) = story.faults.iter().find(|fault| stops_everyone(&fault.kind)) {
        row.outcome = Outcome::Fails;
        row.cause = put_into_words(case, story, fault).map(|finding| finding.cause);
        row.cause = row.cause.or_else(|| first.map(|finding| finding.cause.clone()));
        return row;
    }
    if let Some(seen) = case.find(&replay_probe(case))
        && seen.reached_the_server()
    {
        by_replay(case, story, server, seen, &mut row);
        if row.outcome == Outcome::Works {
            by_certificates(case, story, vec![seen], stores, &mut row);
        }
        return row;
    }
    by_model(case, story, server, &mut row);
    if row.outcome == Outcome::Works {
        by_certificates(case, story, shown(case, story), stores, &mut row);
    }
    row
}

/// Attempts that showed certificates under the name in use, each list of certificates once; the judged client's own first.
fn shown<'c, 'e>(case: &'c Case<'e>, story: &Story) -> Vec<&'c Seen<'e>> {
    let mut shown: Vec<&Seen<'_>> = Vec::new();
    let judged = case.all().filter(|seen| Some(seen.id()) == story.judged);
    let same_name = |seen: &&Seen<'_>| seen.hello().is_some_and(|hello| hello.server_name() == story.server_name.as_deref());
    for seen in judged.chain(case.all().filter(same_name)) {
        let Some(list) = seen.certificates().filter(|list| !list.entries.is_empty()) else { continue };
        let known = |other: &&Seen<'_>| {
            let same = |other: &CertificateList| {
                other.entries.iter().map(|entry| &entry.value).eq(list.entries.iter().map(|entry| &entry.value))
            };
            other.certificates().is_some_and(same)
        };
        if !shown.iter().any(known) {
            shown.push(seen);
        }
    }
    shown
}

/// The negotiation has a result: does the client take the certificates as well? Where the server has several, and the client
/// takes some of them only, it is open which of them it gets.
fn by_certificates(case: &Case<'_>, story: &Story, shown: Vec<&Seen<'_>>, stores: &Stores, row: &mut ClientOutcome) {
    if case.evidence.redacted {
        if !shown.is_empty() {
            row.outcome = Outcome::Undetermined;
            row.says = Some("the names in the certificates were taken out of this evidence".to_owned());
        }
        return;
    }
    let usable: Vec<&Seen<'_>> = shown.iter().copied().filter(|seen| could_be_shown(case, seen)).collect();
    let shown = if usable.is_empty() { shown } else { usable };
    let mut opinions = Vec::new();
    for seen in shown {
        if let Some(presented) = Presented::of(seen, stores) {
            let opinion = certificates::judge_unasked(case, &presented, stores, case.now());
            let objection = opinion.judgement.objections.iter().find(|objection| {
                let other_name = story.server_name != case.evidence.subject.server_name;
                !(other_name && matches!(objection.kind, ObjectionKind::NameMismatch { .. }))
            });
            let unseen = case.client.policy.enforces_must_staple == Some(true) && presented.staple_unseen();
            if objection.is_none() && unseen {
                row.outcome = Outcome::Undetermined;
                row.says = Some(
                    "the certificate demands a stapled OCSP response, which was not asked for; --replay settles it".to_owned(),
                );
            }
            opinions.push((opinion.doubt(), objection.cloned(), opinion.finds_issuers, opinion.chosen.exact));
        }
    }
    if opinions.iter().all(|(_, objection, ..)| objection.is_none()) {
        return;
    }
    let accepted = opinions.iter().any(|(_, objection, ..)| objection.is_none());
    let refused = opinions.into_iter().find(|(_, objection, ..)| objection.is_some());
    let Some((doubt, Some(objection), finds_issuers, exact)) = refused else {
        return;
    };
    let untrusted = matches!(objection.kind, ObjectionKind::Untrusted { .. });
    if accepted {
        row.outcome = Outcome::Undetermined;
        row.says = Some(
            "the server has several certificates, and this client takes only some of them; --replay settles it".to_owned(),
        );
    } else if let (true, Some(doubt)) = (untrusted, doubt) {
        // Without an issuer it fails, whichever of the two reasons it is.
        row.outcome = if exact && !finds_issuers { Outcome::Fails } else { Outcome::Undetermined };
        row.says = Some(if finds_issuers { format!("it fetches missing issuers itself; {doubt}") } else { doubt });
    } else {
        row.outcome = Outcome::Fails;
        row.cause = Some(objection.kind.cause().to_owned());
        row.says = Some(objection.kind.says(&objection.subject));
    }
    if row.outcome == Outcome::Fails {
        (row.version, row.cipher_suite) = (None, None);
    }
}

/// Whether this client could be shown these certificates: it has a signature scheme for the key.
fn could_be_shown(case: &Case<'_>, seen: &Seen<'_>) -> bool {
    let key = seen.certificates().and_then(|list| KeyKind::of_der(&list.entries.first()?.value));
    let (Some(key), Some(schemes)) = (key, case.client.hello.signature_schemes()) else {
        return true;
    };
    schemes.iter().any(|scheme| key.signs_with(*scheme))
}

/// Faults that every client meets.
fn stops_everyone(kind: &FaultKind) -> bool {
    matches!(
        kind,
        FaultKind::DnsFailure { .. }
            | FaultKind::PortClosed
            | FaultKind::ConnectTimeout
            | FaultKind::NotTls { .. }
            | FaultKind::ProxyHeader
            | FaultKind::StarttlsRequired { .. }
            | FaultKind::SniUnrecognized { .. }
            | FaultKind::KeyMismatch
            | FaultKind::ClientCertificate { .. }
    )
}

fn by_replay(case: &Case<'_>, story: &Story, server: &ServerCapabilities, seen: &Seen<'_>, row: &mut ClientOutcome) {
    row.replayed = true;
    let client = ClientCapabilities::of(case.client);
    match (seen.version(), seen.suite()) {
        (Some(version), Some(suite)) if client.versions.contains(&version) => {
            row.outcome = Outcome::Works;
            (row.version, row.cipher_suite) = (Some(version), Some(suite));
            // The server has chosen; the client may still refuse what it chose.
            let chosen = ServerCapabilities::of(std::iter::once(seen));
            if let Some(obstacle) = objections(&client, &chosen, version, suite).into_iter().next() {
                refuse(case, story, FaultKind::Negotiation(obstacle), row);
            }
        }
        _ => {
            row.outcome = Outcome::Fails;
            row.says = Some(seen.ending());
            if let Negotiated::Obstacle(obstacle) = negotiate(&client, server) {
                refuse(case, story, FaultKind::Negotiation(obstacle), row);
            }
        }
    }
}

fn by_model(case: &Case<'_>, story: &Story, server: &ServerCapabilities, row: &mut ClientOutcome) {
    let client = ClientCapabilities::of(case.client);
    if story
        .faults
        .iter()
        .any(|fault| matches!(fault.kind, FaultKind::SizeIntolerant { .. } | FaultKind::VersionIntolerant { .. }))
    {
        row.says = Some("the server breaks on some hellos; --replay sends this client's".to_owned());
        return;
    }
    if story.inconsistent {
        row.says = Some("the server's answers differ".to_owned());
        return;
    }
    match negotiate(&client, server) {
        Negotiated::Agreed(agreement) => {
            row.outcome = Outcome::Works;
            // Which of several suites the server takes is its own choice: one is named only where no other is possible.
            let untested = |suite: &CipherSuite| server.suite(agreement.version, *suite) == Support::Untested;
            let sole = !client.suites_at(agreement.version).iter().any(untested);
            (row.version, row.cipher_suite) = (Some(agreement.version), sole.then_some(agreement.suite));
        }
        Negotiated::Obstacle(obstacle) => refuse(case, story, FaultKind::Negotiation(obstacle), row),
        Negotiated::Unknown(knob) => {
            let what = match knob {
                Knob::Versions => "its versions were",
                Knob::Suites => "its suites were",
                Knob::Groups => "its groups were",
                Knob::Schemes => "its signature algorithms were",
                Knob::Alpn => "its application protocols were",
            };
            row.says = Some(format!("{what} not asked for; --replay settles it"));
        }
    }
}

/// What the attempts of the case tell of the server.
pub(crate) fn server(case: &Case<'_>, story: &Story) -> ServerCapabilities {
    let (name, upgrade) = (story.server_name.as_deref(), story.upgrade.as_deref());
    ServerCapabilities::of(case.all().filter(|seen| {
        seen.attempt.probe.upgrade.as_deref() == upgrade
            && seen.hello().is_some_and(|hello| hello.server_name() == name || hello.server_name().is_none())
    }))
}

fn refuse(case: &Case<'_>, story: &Story, kind: FaultKind, row: &mut ClientOutcome) {
    let fault =
        Fault { kind, fails: None, works: None, differs_in: Vec::new(), confidence: Confidence::Inferred, blocks: true };
    row.outcome = Outcome::Fails;
    (row.version, row.cipher_suite) = (None, None);
    if let Some(finding) = put_into_words(case, story, &fault) {
        row.cause = Some(finding.cause);
        row.says = Some(finding.title);
    }
}

fn put_into_words(case: &Case<'_>, story: &Story, fault: &Fault) -> Option<Finding> {
    let found = Found::new(case, story, fault);
    CAUSES.iter().find_map(|cause| (cause.examine)(&found))
}
