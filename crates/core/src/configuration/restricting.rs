//! Lines that take away what a client's software could do and the other side needs.

use tlswhy_config::{Effective, Files, Language, Origin, Patch, Service, Settings, Shown, Trouble, effective, patched};

use super::place::Place;
use super::rivals::{changed, governing, in_words, provides};
use crate::negotiate::{Change, Obstacle};

/// A line that takes away what the client's software could do and the server needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Restriction {
    /// The line.
    pub line: Place,
    /// Whose line it is: `programs that heed OpenSSL's system_default`.
    pub service: String,
    /// What it takes away: `TLS 1.2`.
    pub takes: String,
    /// The obstacle that it causes.
    pub causes: Obstacle,
    /// Why the program ends at the line, or makes no connection with it: what is wrong there. `None` where it goes on.
    pub stops: Option<String>,
}

impl Restriction {
    /// Whether nothing is left to the client: it sends no hello.
    pub fn is_of_all(&self) -> bool {
        matches!(&self.causes, Obstacle::Versions { client, .. } if client.is_empty())
    }
}

/// The line that keeps a client from what it needs: one of its own, or one of the policies of its library.
pub(crate) fn restriction(service: &Service, change: &Change, obstacle: &Obstacle, files: &Files<'_>) -> Option<Restriction> {
    restriction_where(service, &[], change, obstacle, files, |_, _| true)
}

/// The same with these policies, whose settings count where the service has none of its own; a line is named only where what is in
/// effect with it and without it passes a test.
pub(super) fn restriction_where(
    service: &Service,
    policies: &[Settings],
    change: &Change,
    obstacle: &Obstacle,
    files: &Files<'_>,
    mut is_it: impl FnMut(&Effective, &Effective) -> bool,
) -> Option<Restriction> {
    let now = effective(service, files);
    if provides(&now, change) != Some(false) {
        return None;
    }
    let governing = governing(change);
    let governs = |shown: &&Shown<'_>| {
        governing.contains(&shown.governs) || (shown.governs == "cipher-list" && has_a_priority_string(service))
    };
    let shown = service.settings.shown().into_iter().chain(policies.iter().flat_map(Settings::shown));
    // Some lines take away more than they speak of: a security level, a list of suites that leaves a version without any.
    let (governing, others): (Vec<Shown<'_>>, Vec<Shown<'_>>) = shown.partition(|shown| governs(&shown));
    let own = governing.iter().chain(&others).map(|shown| (shown.name.to_owned(), shown.text.to_owned(), shown.origin));
    let of_the_policy = now.reductions.iter().filter_map(|reduction| {
        let at = reduction.by.span()?;
        let written = files.bytes(&at.path)?.get(at.start..at.end)?;
        Some((String::from_utf8_lossy(written).into_owned(), String::new(), &reduction.by))
    });
    let from_somebody = |(.., origin): &(String, String, &Origin)| !matches!(origin, Origin::BuiltIn { .. });
    let (name, text, origin) = own.chain(of_the_policy).filter(from_somebody).find(|(.., origin)| {
        // Without this line the rest would do.
        let without = effective_without(service, origin, files);
        provides(&without, change) != Some(false) && is_it(&now, &without)
    })?;
    Some(Restriction {
        line: Place::of(&name, &text, origin, files),
        service: service.title.clone(),
        takes: in_words(change),
        causes: obstacle.clone(),
        stops: None,
    })
}

/// What makes a client end, or make no connection at all.
pub(super) fn stop(service: &Service, trouble: &Trouble, files: &Files<'_>) -> Option<Restriction> {
    let at = trouble.at.as_ref()?;
    let written = String::from_utf8_lossy(files.bytes(&at.path)?.get(at.start..at.end)?).into_owned();
    let line = Place::of(&written, "", &Origin::file(at.clone(), at.clone(), None), files);
    let causes = Obstacle::Versions { client: Vec::new(), server: Vec::new() };
    let (service, takes) = (service.title.clone(), "every version".to_owned());
    Some(Restriction { line, service, takes, causes, stops: Some(trouble.says.clone()) })
}

/// Whether a priority string of GnuTLS, which speaks of everything, rules a service.
fn has_a_priority_string(service: &Service) -> bool {
    service.settings.cipher_list.as_ref().is_some_and(|list| list.value.language == Language::GnuTls)
}

/// What a service would do without a line: without all settings that it makes, and without it in the files that a policy is read from.
fn effective_without(service: &Service, origin: &Origin, files: &Files<'_>) -> Effective {
    let mut without = service.clone();
    for shown in service.settings.shown().iter().filter(|shown| shown.origin == origin) {
        remove(&mut without, shown.governs);
    }
    let cut = origin.span().and_then(|at| {
        let bytes = patched(files.bytes(&at.path)?, [&Patch::replace(at, "")])?;
        Some([changed(&at.path, bytes)])
    });
    match &cut {
        Some(instead) => effective(&without, &files.with(instead)),
        None => effective(&without, files),
    }
}

fn remove(service: &mut Service, governs: &str) {
    let settings = &mut service.settings;
    match governs {
        "versions" => settings.versions = None,
        "minimum-version" => settings.minimum_version = None,
        "maximum-version" => settings.maximum_version = None,
        "cipher-list" => settings.cipher_list = None,
        "cipher-suites" => settings.cipher_suites = None,
        "groups" => settings.groups = None,
        "signature-algorithms" => settings.signature_algorithms = None,
        "security-level" => settings.security_level = None,
        _ => {}
    }
}
