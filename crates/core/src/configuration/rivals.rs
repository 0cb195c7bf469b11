//! Lines that are there and have no effect, and what the lines of both sides explain.

use tlswhy_config::{Context, Effective, Files, Origin, Patch, Service, Shadowed, Shown, effective, patched};
use tlswhy_model::{Confidence, FileContent, OpenQuestion, SeenFile};
use tlswhy_wire::ProtocolVersion;

use super::capabilities;
use super::judged::{Judged, Own};
use super::place::Place;
use super::survey::{Configuration, Survey};
use crate::case::Case;
use crate::examination::{Fault, FaultKind, Story};
use crate::negotiate::{self, Change, ClientCapabilities, Obstacle, ServerCapabilities};

/// A line that was meant to set what is needed, and has no effect.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShadowedSetting {
    /// The line without effect.
    pub without_effect: Place,
    /// Why it has none, a clause.
    pub why: String,
    /// What rules in its place.
    pub ruling: Place,
    /// What the service is called.
    pub service: String,
    /// The program.
    pub program: String,
    /// What the line would give, had it effect: `TLSv1.2`.
    pub needed: String,
    /// The obstacle that it would remove; `None` where nobody fails for it.
    pub removes: Option<Obstacle>,
}

/// The settings that decide whether what a change wants is there, by the name that [`Shown`] has for them.
pub(crate) fn governing(change: &Change) -> &'static [&'static str] {
    match change {
        Change::ServerVersions(_) | Change::ClientVersions(_) => &["versions", "maximum-version", "minimum-version"],
        Change::ServerSuites(version, _) if *version >= ProtocolVersion::TLSV1_3 => &["cipher-suites"],
        Change::ServerSuites(..) => &["cipher-list", "security-level"],
        Change::ClientSuites(_) => &["cipher-list", "cipher-suites", "security-level"],
        Change::ServerGroups(..) | Change::ClientGroups(_) => &["groups"],
        Change::ServerSchemes(..) | Change::ClientSchemes(_) => &["signature-algorithms"],
        Change::ServerAlpn => &["alpn"],
        Change::ServerDhSize(_) => &["dh-parameters", "cipher-list"],
        Change::ServerSecureRenegotiation | Change::ServerExtendedMasterSecret => &["options"],
    }
}

/// Whether the effective settings have something of what a change wants; `None` where they do not tell.
pub(crate) fn provides(effective: &Effective, change: &Change) -> Option<bool> {
    fn any<T: PartialEq>(there: Option<&Vec<T>>, wanted: &[T]) -> Option<bool> {
        Some(wanted.iter().any(|one| there.is_some_and(|there| there.contains(one)))).filter(|_| there.is_some())
    }
    match change {
        Change::ServerVersions(wanted) | Change::ClientVersions(wanted) => any(effective.versions.as_ref(), wanted),
        Change::ServerSuites(version, wanted) => {
            let modern = *version >= ProtocolVersion::TLSV1_3;
            any(if modern { effective.cipher_suites_13.as_ref() } else { effective.cipher_suites.as_ref() }, wanted)
        }
        Change::ClientSuites(wanted) => {
            let old = any(effective.cipher_suites.as_ref(), wanted);
            let new = any(effective.cipher_suites_13.as_ref(), wanted);
            match (old, new) {
                (Some(true), _) | (_, Some(true)) => Some(true),
                (Some(false), Some(false)) => Some(false),
                _ => None,
            }
        }
        Change::ServerGroups(_, wanted) | Change::ClientGroups(wanted) => any(effective.groups.as_ref(), wanted),
        Change::ServerSchemes(_, wanted) | Change::ClientSchemes(wanted) => any(effective.signature_schemes.as_ref(), wanted),
        _ => None,
    }
}

/// Whether a client has something of what a change of its own wants.
pub(crate) fn has(client: &ClientCapabilities, change: &Change) -> bool {
    match change {
        Change::ClientVersions(wanted) => wanted.iter().any(|one| client.versions.contains(one)),
        Change::ClientSuites(wanted) => wanted.iter().any(|one| client.suites.contains(one)),
        Change::ClientGroups(wanted) => wanted.iter().any(|one| client.groups.contains(one)),
        Change::ClientSchemes(wanted) => {
            client.schemes.as_ref().is_none_or(|schemes| wanted.iter().any(|one| schemes.contains(one)))
        }
        _ => false,
    }
}

/// What a change wants, in words.
pub(crate) fn in_words(change: &Change) -> String {
    fn some<T: ToString>(values: &[T]) -> String {
        let shown: Vec<String> = values.iter().take(3).map(ToString::to_string).collect();
        match values.len() {
            0..=3 => shown.join(", "),
            more => format!("{} and {} more", shown.join(", "), more - 3),
        }
    }
    match change {
        Change::ServerVersions(versions) | Change::ClientVersions(versions) => some(versions),
        Change::ServerSuites(_, suites) | Change::ClientSuites(suites) => some(suites),
        Change::ServerGroups(_, groups) | Change::ClientGroups(groups) => some(groups),
        Change::ServerSchemes(_, schemes) | Change::ClientSchemes(schemes) => some(schemes),
        Change::ServerAlpn => "an application protocol in common".to_owned(),
        Change::ServerDhSize(bits) => format!("a Diffie-Hellman group of {bits} bits"),
        Change::ServerSecureRenegotiation => "secure renegotiation".to_owned(),
        Change::ServerExtendedMasterSecret => "extended master secret".to_owned(),
    }
}

/// Whether it is the server that a change changes.
pub(crate) fn changes_the_server(change: &Change) -> bool {
    !matches!(change, Change::ClientVersions(_) | Change::ClientSuites(_) | Change::ClientGroups(_) | Change::ClientSchemes(_))
}

/// Puts what the configurations explain before what it explains.
pub(crate) fn explain(case: &Case<'_>, story: &mut Story, survey: &Survey<'_>, server: &ServerCapabilities) {
    let client = ClientCapabilities::of(case.client);
    let own = Own::of(case.client, case.evidence);
    let own_survey = own.as_ref().map(|own| own.survey(&case.evidence.files));
    let read = own.as_ref().zip(own_survey.as_ref());
    let judged = read.map(|(own, survey)| Judged::of(case.client, &case.evidence.subject, own, survey));
    // A name that the configuration serves is no unknown name: what is refused under it is what comes next.
    if let Some((_, service)) = super::locate::server_of(case, survey)
        && story.faults.len() > 1
        && !service.settings.refuses_all.as_ref().is_some_and(|refuses| refuses.value)
    {
        let is_served = |name: &Option<String>| name.as_ref().is_some_and(|name| service.fits(name).is_some());
        story.faults.retain(|fault| !matches!(&fault.kind, FaultKind::SniUnrecognized { name } if is_served(name)));
    }
    // A server that cannot sign refuses everything: the files tell why.
    if let Some((_, service)) = super::locate::server_of(case, survey)
        && capabilities::key_is_foreign(service, &survey.files)
        && let Some(first) = place_of_a_foreign_key(story)
        && !story.faults.iter().any(|fault| fault.kind == FaultKind::KeyMismatch)
    {
        let fault = Fault {
            kind: FaultKind::KeyMismatch,
            fails: None,
            works: None,
            differs_in: Vec::new(),
            confidence: Confidence::Observed,
            blocks: true,
        };
        story.faults.insert(first, fault);
        story.open.retain(|question| !decides_about_the_key(question));
    }
    let mut at = 0;
    while let Some(fault) = story.faults.get(at) {
        let obstacle = match &fault.kind {
            FaultKind::Negotiation(obstacle) => obstacle,
            FaultKind::NoVersionLeft(left) => &left.causes,
            _ => {
                at += 1;
                continue;
            }
        };
        let (fails, works, differs_in, blocks) = (fault.fails, fault.works, fault.differs_in.clone(), fault.blocks);
        let explained = explained(case, obstacle, &client, server, survey, judged.as_ref());
        if let Some((kind, confidence)) = explained {
            story.faults.insert(at, Fault { kind, fails, works, differs_in, confidence, blocks });
            at += 1;
        }
        at += 1;
    }
}

/// Where in a story a server without a key for its certificate would be met: at what comes of it, or where all is refused and the
/// question stayed open.
fn place_of_a_foreign_key(story: &Story) -> Option<usize> {
    let met = story.faults.iter().position(|fault| fault.blocks && comes_of_a_foreign_key(&fault.kind));
    met.or_else(|| story.open.iter().any(decides_about_the_key).then_some(story.faults.len()))
}

fn decides_about_the_key(question: &OpenQuestion) -> bool {
    question.decides.iter().any(|code| code == "certificate-key-mismatch")
}

/// What a server shows that has no key for its certificate.
fn comes_of_a_foreign_key(kind: &FaultKind) -> bool {
    matches!(kind, FaultKind::CertificateMismatch { .. } | FaultKind::Negotiation(Obstacle::Suites { .. }))
}

fn explained(
    case: &Case<'_>,
    obstacle: &Obstacle,
    client: &ClientCapabilities,
    server: &ServerCapabilities,
    survey: &Survey<'_>,
    judged: Option<&Judged<'_>>,
) -> Option<(FaultKind, Confidence)> {
    let fixes = negotiate::fixes(obstacle, client, server);
    // A setting of the client that takes away what is current comes first: the client never gets to the server's.
    let of_client = fixes.iter().map(|(change, _)| change).filter(|change| !changes_the_server(change));
    let restricts = of_client.filter_map(|change| judged?.restriction(change, obstacle)).next();
    if let Some(restriction) = restricts {
        return Some((FaultKind::PolicyRestricts(Box::new(restriction)), Confidence::Observed));
    }
    for (change, _) in fixes.iter().filter(|(change, _)| changes_the_server(change)) {
        if let Some((configuration, service)) = super::locate::server_of(case, survey)
            && let Some(found) = shadowed(configuration, service, change, obstacle, survey)
        {
            return Some(found);
        }
    }
    None
}

/// A line without effect that would give what is needed, had it effect: it is put in the place of the one that rules, and the
/// configuration is read again.
pub(crate) fn shadowed(
    configuration: &Configuration,
    service: &Service,
    change: &Change,
    obstacle: &Obstacle,
    survey: &Survey<'_>,
) -> Option<(FaultKind, Confidence)> {
    let governing = governing(change);
    for shown in service.settings.shown().iter().filter(|shown| governing.contains(&shown.governs)) {
        for rival in shown.shadowed.iter().filter(|rival| rival.meant_to_count && rival.text != shown.text) {
            let would_help = had_effect(configuration, service, shown, rival, survey, |after, files| {
                provides(&effective(after, files), change)
            });
            let confidence = match would_help {
                Some(Some(true)) => Confidence::Observed,
                Some(Some(false)) => continue,
                // The ruling value is no line that the other could stand in for.
                Some(None) | None if mentions(&rival.text, change) => Confidence::Observed,
                _ => continue,
            };
            let files = &survey.files;
            let setting = ShadowedSetting {
                without_effect: Place::of(&rival.name, &rival.text, &rival.origin, files),
                why: rival.why.clone(),
                ruling: Place::of(shown.name, shown.text, shown.origin, files),
                service: service.title.clone(),
                program: service.program.0.clone(),
                needed: in_words(change),
                removes: Some(obstacle.clone()),
            };
            return Some((FaultKind::ConfigShadowed(Box::new(setting)), confidence));
        }
    }
    None
}

/// Judges the service as it would be if the rival's value stood in the ruling line.
fn had_effect<T>(
    configuration: &Configuration,
    service: &Service,
    ruling: &Shown<'_>,
    rival: &Shadowed,
    survey: &Survey<'_>,
    judge: impl FnOnce(&Service, &Files<'_>) -> T,
) -> Option<T> {
    let Origin::File { value, .. } = ruling.origin else { return None };
    let written = match &rival.origin {
        Origin::File { value, .. } => {
            let bytes = survey.files.bytes(&value.path)?;
            String::from_utf8_lossy(bytes.get(value.start..value.end)?).into_owned()
        }
        _ => rival.text.clone(),
    };
    let bytes = patched(survey.files.bytes(&value.path)?, [&Patch::replace(value, written)])?;
    let instead = [changed(&value.path, bytes)];
    let files = survey.files.with(&instead);
    let after = configuration.dialect.reading(&Context { files: &files, main: &configuration.main });
    Some(judge(same_service(&after.services, service)?, &files))
}

/// A file with other content.
pub(crate) fn changed(path: &str, bytes: Vec<u8>) -> SeenFile {
    let content = FileContent::Bytes { bytes: bytes.into(), sha256: String::new(), public_keys: Vec::new() };
    SeenFile { path: path.to_owned(), real_path: None, content }
}

/// The service of the same side, names and listeners in another reading.
pub(crate) fn same_service<'s>(services: &'s [Service], service: &Service) -> Option<&'s Service> {
    services.iter().find(|other| {
        other.side == service.side
            && other.title == service.title
            && same_names(other, service)
            && other.listeners == service.listeners
    })
}

/// The names of a service whose certificates give them stand in the survey, not in a reading made anew.
fn same_names(read: &Service, service: &Service) -> bool {
    let certificates = |service: &Service| -> Vec<String> {
        service.settings.certificates.iter().map(|setting| setting.value.clone()).collect()
    };
    let filters_alone = || read.names.iter().all(|name| name.starts_with('!') && service.names.contains(name));
    read.names == service.names
        || service.names_from_certificates && filters_alone() && certificates(read) == certificates(service)
}

/// Whether a value names one of the things wanted, by the names that programs have for them.
fn mentions(text: &str, change: &Change) -> bool {
    let text = text.to_ascii_lowercase();
    match change {
        Change::ServerVersions(versions) => versions.iter().any(|version| {
            let name = version.to_string().to_ascii_lowercase();
            let words: Vec<&str> = text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '.')).collect();
            words.contains(&name.as_str()) || words.contains(&name.replace('.', "").as_str())
        }),
        Change::ServerSuites(_, suites) => suites.iter().any(|suite| {
            let names = [Some(suite.to_string()), suite.details().and_then(|row| row.openssl_name).map(str::to_owned)];
            names.into_iter().flatten().any(|name| text.contains(&name.to_ascii_lowercase()))
        }),
        Change::ServerGroups(_, groups) => groups.iter().any(|group| text.contains(&group.to_string().to_ascii_lowercase())),
        _ => false,
    }
}
