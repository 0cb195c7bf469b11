//! Findings get their files and lines: what rules, what is shadowed, what to edit.

use tlswhy_config::{Listener, Service, Side, Want, serving};
use tlswhy_model::{Edit, Exhibit, Finding, Party, Prediction, Remedy, Safety};
use tlswhy_wire::{CipherSuite, ProtocolVersion};

use super::capabilities;
use super::judged::{Judged, Own};
use super::mending::{self, Mended};
use super::place::Place;
use super::rivals::changes_the_server;
use super::survey::{Configuration, Survey};
use crate::case::Case;
use crate::causes::Found;
use crate::chain::KeyKind;
use crate::examination::FaultKind;
use crate::negotiate::{self, Agreement, Change, Negotiated};

/// Which settings a cause is about: on the server's side, and on the client's. By the names of [`tlswhy_config::Shown::governs`].
const GOVERNS: &[(&str, &[&str], &[&str])] = &[
    ("alpn-mismatch", &["alpn"], &[]),
    ("certificate-expired", &["certificate", "chain"], &[]),
    ("certificate-key-mismatch", &["certificate", "key"], &[]),
    ("certificate-not-yet-valid", &["certificate", "chain"], &[]),
    ("certificate-revoked", &["certificate"], &[]),
    ("certificate-unsuitable", &["certificate", "chain"], &[]),
    ("chain-incomplete", &["certificate", "chain"], &[]),
    ("chain-misordered", &["certificate", "chain"], &[]),
    ("cipher-certificate-mismatch", &["cipher-list", "certificate"], &["cipher-list"]),
    ("client-certificate-required", &["client-verification", "trust"], &[]),
    ("client-version-outdated", &["versions", "minimum-version"], &["versions", "maximum-version"]),
    ("hostname-mismatch", &["certificate"], &[]),
    ("legacy-renegotiation", &[], &["options"]),
    (
        "no-shared-cipher",
        &["cipher-list", "cipher-suites", "security-level"],
        &["cipher-list", "cipher-suites", "security-level"],
    ),
    ("no-shared-group", &["groups"], &["groups"]),
    ("no-shared-signature-algorithm", &["signature-algorithms", "certificate"], &["signature-algorithms"]),
    ("not-tls", &["tls"], &[]),
    ("server-version-outdated", &["versions", "maximum-version", "cipher-list"], &["versions", "minimum-version"]),
    ("sni-unrecognized", &["refuses-all", "refuses-unknown-names"], &[]),
    ("starttls-required", &["tls"], &[]),
    ("untrusted-root", &["certificate"], &["trust"]),
    (
        "version-ranges-disjoint",
        &["versions", "minimum-version", "maximum-version"],
        &["versions", "minimum-version", "maximum-version"],
    ),
    ("weak-dh-params", &["dh-parameters", "cipher-list"], &["security-level", "cipher-list"]),
    ("weak-key-or-digest", &["certificate", "security-level"], &["security-level", "cipher-list"]),
];

/// The configured server that answers for the subject of a case.
pub(crate) fn server_of<'s>(case: &Case<'_>, survey: &'s Survey<'_>) -> Option<(&'s Configuration, &'s Service)> {
    let subject = &case.evidence.subject;
    let server_sides: Vec<&Configuration> =
        survey.configurations.iter().filter(|configuration| configuration.party != Some(Party::Client)).collect();
    let name = subject.server_name.as_deref();
    let found = server_sides.iter().find_map(|configuration| {
        Some((*configuration, serving(&configuration.reading.services, case.address, subject.port, name)?))
    });
    // Behind a forwarded port: the one service of that name, or the only one there is.
    found.or_else(|| {
        let all: Vec<_> = survey
            .services(Side::Server)
            .filter(|(configuration, service)| {
                configuration.party != Some(Party::Client) && service.settings.tls.as_ref().is_none_or(|tls| tls.value)
            })
            .collect();
        let named: Vec<_> = all.iter().filter(|(_, service)| name.is_some_and(|name| service.fits(name).is_some())).collect();
        match (named.as_slice(), all.as_slice()) {
            ([only], _) => Some(**only),
            ([], [only]) => Some(*only),
            _ => None,
        }
    })
}

/// The same where listener and name leave no doubt: it listens at the address and the port that answered, alone or for the name that
/// was sent, and no other configuration has one that does.
pub(crate) fn certain_server_of<'s>(case: &Case<'_>, survey: &'s Survey<'_>) -> Option<(&'s Configuration, &'s Service)> {
    let subject = &case.evidence.subject;
    let (configuration, service) = server_of(case, survey)?;
    let here = |listener: &&Listener| {
        listener.port == subject.port && listener.address.is_none_or(|address| Some(address) == case.address)
    };
    let listening: Vec<_> = survey
        .services(Side::Server)
        .filter(|(configuration, service)| {
            configuration.party != Some(Party::Client) && service.listeners.iter().any(|one| here(&one))
        })
        .collect();
    let listener = service.listeners.iter().find(here)?;
    let meant = subject.server_name.as_ref().is_some_and(|name| service.fits(name).is_some());
    let of_one_program = listening.iter().all(|(other, _)| std::ptr::eq(*other, configuration));
    (of_one_program && (meant || listener.is_default || listening.len() == 1)).then_some((configuration, service))
}

/// The lines that a finding is about, and the edits of its remedies.
pub(crate) fn annotate(finding: &mut Finding, found: &Found<'_>, survey: &Survey<'_>) {
    if let Some((configuration, service)) = server_of(found.case, survey) {
        annotate_service(finding, found, configuration, service, survey);
    }
    let subject = &found.case.evidence.subject;
    let Some(own) = Own::of(found.case.client, found.case.evidence) else { return };
    let survey = own.survey(&found.case.evidence.files);
    let judged = Judged::of(found.case.client, subject, &own, &survey);
    let (_, client_governs) = governing(&finding.cause);
    for (_, service) in &judged.speaking {
        show(finding, service, client_governs, &survey);
    }
    let change = found.fixes().into_iter().map(|(change, _)| change).find(|change| !changes_the_server(change));
    if let (FaultKind::PolicyRestricts(restriction), Some(change)) = (&found.fault.kind, change) {
        let (configuration, mended) = mending::mend_client(&judged, restriction, &change, found, &survey);
        if let Some(configuration) = configuration {
            give(finding, Party::Client, configuration, mended);
        }
    }
}

/// The same for a service that is known.
pub(crate) fn annotate_service(
    finding: &mut Finding,
    found: &Found<'_>,
    configuration: &Configuration,
    service: &Service,
    survey: &Survey<'_>,
) {
    show(finding, service, governing(&finding.cause).0, survey);
    let mended = match &found.fault.kind {
        FaultKind::Certificate(fault) => mending::mend_chain(fault, service, survey),
        // No line adds what a release was written without.
        FaultKind::SoftwareOutdated(_) => Mended::default(),
        FaultKind::NotTls { .. } => mending::mend_plainly(configuration, service, &Want::Tls, survey),
        FaultKind::CertificateMismatch { version, key, curve: false } => {
            suites_for_the_key(found, *version, *key, service, survey)
                .map(|change| mending::mend(configuration, service, &change, &found.client, survey))
                .unwrap_or_default()
        }
        _ => {
            let changes = found.fixes().into_iter().map(|(change, _)| change);
            let change = changes.into_iter().find(changes_the_server);
            change.map(|change| mending::mend(configuration, service, &change, &found.client, survey)).unwrap_or_default()
        }
    };
    give(finding, Party::Server, configuration, mended);
}

/// The client's suites that the key of the certificate can serve: the change where the list has none of them.
fn suites_for_the_key(
    found: &Found<'_>,
    version: ProtocolVersion,
    key: Option<KeyKind>,
    service: &Service,
    survey: &Survey<'_>,
) -> Option<Change> {
    let key = key.or_else(|| capabilities::keys(service, &survey.files).first().copied())?;
    let usable = |suite: &CipherSuite| {
        negotiate::is_current(*suite)
            && suite.details().is_some_and(|row| row.authentication == negotiate::chain_authentication(key))
    };
    let suites: Vec<CipherSuite> = found.client.suites_at(version).into_iter().filter(usable).collect();
    (!suites.is_empty()).then_some(Change::ServerSuites(version, suites))
}

/// Which settings a cause is about.
fn governing(cause: &str) -> (&'static [&'static str], &'static [&'static str]) {
    let known = GOVERNS.iter().find(|(code, ..)| *code == cause);
    known.map_or((&[], &[]), |(_, server, client)| (*server, *client))
}

/// Adds the lines of a service that govern a finding.
pub(crate) fn show(finding: &mut Finding, service: &Service, governs: &[&str], survey: &Survey<'_>) {
    let mut shown_any = false;
    for shown in service.settings.shown().iter().filter(|shown| governs.contains(&shown.governs)) {
        let place = Place::of(shown.name, shown.text, shown.origin, &survey.files);
        let says = match &place.line {
            Some(_) => format!("`{}` is in effect for {}", place.quoted(), described(service)),
            None => format!("in effect for {}, for want of a line", described(service)),
        };
        push(finding, place.exhibit(says));
        shown_any = true;
        for rival in shown.shadowed {
            let place = Place::of(&rival.name, &rival.text, &rival.origin, &survey.files);
            push(finding, place.exhibit(format!("`{}` has no effect here: {}", place.quoted(), rival.why)));
        }
    }
    if !shown_any
        && !governs.is_empty()
        && let Some(declared) = &service.declared
        && let Some(line) = super::place::line(declared, &survey.files)
    {
        push(
            finding,
            Exhibit::File {
                path: line.path,
                start: line.start as u64,
                end: line.end as u64,
                line: line.position.line,
                column: line.position.column,
                says: format!("{} answers here", described(service)),
            },
        );
    }
}

/// `server a.test on port 443`.
pub(crate) fn described(service: &Service) -> String {
    let port = |listener: &Listener| format!(" on port {}", listener.port);
    // Some titles have it.
    let port = service.listeners.first().filter(|_| service.side == Side::Server).map(port);
    let port = port.filter(|port| !service.title.contains(port)).unwrap_or_default();
    tlswhy_model::printable(&format!("{}{port}", service.title), 160)
}

fn push(finding: &mut Finding, exhibit: Exhibit) {
    if !finding.exhibits.contains(&exhibit) {
        finding.exhibits.push(exhibit);
    }
}

/// A remedy that is nothing but its edits.
fn in_the_file(party: Party, edits: &[Edit]) -> Remedy {
    let mut files: Vec<&str> = edits.iter().map(|edit| edit.path.as_str()).collect();
    files.dedup();
    Remedy {
        party,
        safety: Safety::Safe,
        summary: format!("Change {}", files.join(", ")),
        steps: Vec::new(),
        edits: Vec::new(),
        check: Vec::new(),
        reload: Vec::new(),
        why_it_works: "the configuration then says what the client needs".to_owned(),
        predicts: None,
    }
}

/// Gives the edits to the remedy that says the same in words.
fn give(finding: &mut Finding, party: Party, configuration: &Configuration, mended: Mended) {
    let fits = |remedy: &&Remedy| remedy.party == party && remedy.safety == Safety::Safe;
    if !mended.edits.is_empty() && !finding.remedies.iter().any(|remedy| fits(&remedy)) {
        finding.remedies.insert(0, in_the_file(party, &mended.edits));
    }
    let Some(remedy) = finding.remedies.iter_mut().find(|remedy| fits(&&**remedy)) else { return };
    if mended.edits.is_empty() {
        // Where another configuration has the edit, nobody asks why this one has none.
        let unmended = if remedy.edits.is_empty() { mended.cannot } else { Vec::new() };
        remedy.steps.extend(unmended.into_iter().map(|why| format!("No line of {} is proposed: {why}", configuration.main)));
        return;
    }
    if let Some(Negotiated::Agreed(Agreement { version, suite, group })) = mended.after {
        remedy.predicts = Some(Prediction { version: Some(version), cipher_suite: Some(suite), group });
    }
    remedy.edits = mended.edits;
    let commands = mending::commands(configuration, if party == Party::Client { Side::Client } else { Side::Server });
    (remedy.check, remedy.reload) = (commands.check, commands.reload);
}
