//! The system-wide file of GnuTLS: what it switches off (or allows) for every program on the library, its default priority string,
//! and keywords for priority strings.

mod ending;
mod ini;
mod policy;

use tlswhy_wire::ProtocolVersion;

use super::client;
use crate::dialects::{Commands, Context, Dialect, Likeness};
use crate::files::Files;
use crate::language::gnutls_priority::{self, Library as Build, Refused, System, priority};
use crate::mend::{CannotMend, Patch};
use crate::release::Release;
use crate::service::{Heeds, Library, Note, Reading, Service, Side, Trouble};
use crate::setting::{CipherList, Language, Setting};
use crate::span::{Origin, Span};

pub(crate) use policy::Policy;

pub(crate) static DIALECT: Dialect = Dialect {
    name: "gnutls",
    title: "GnuTLS",
    sides: &[Side::Client],
    places: &["/etc/gnutls/config", "/etc/crypto-policies/back-ends/gnutls.config"],
    recognise,
    read,
    mend: ending::mend,
    // A line that the library does not take goes unsaid, and each program reads the file as it starts.
    commands: |_| Commands::default(),
};

fn recognise(path: &str, bytes: &[u8]) -> Likeness {
    if path.ends_with("/gnutls/config") || path.ends_with("/gnutls.config") {
        return Likeness::Name;
    }
    let text = bytes.get(..bytes.len().min(64 * 1024)).unwrap_or_default();
    let ini = ini::read(&std::sync::Arc::from(path), text);
    let telling = ["override-mode", "default-priority-string", "disabled-version", "enabled-version", "insecure-hash"];
    let ours = |name: &str| name.starts_with("tls-disabled-") || name.starts_with("tls-enabled-") || telling.contains(&name);
    let known = |entry: &ini::Entry| matches!(entry.section.as_str(), "global" | "overrides") && ours(&entry.name);
    if ini.entries.iter().any(known) { Likeness::Content } else { Likeness::None }
}

/// The library of this machine, as far as its priority strings differ. Fedora's family builds the hybrid groups in.
pub(crate) fn library(files: &Files<'_>, release: Release) -> Build {
    Build { release, post_quantum: policy::for_crypto_policies(files) == Some(true) }
}

/// The policy that binds a service: the system's, but for the service that stands for the file itself.
pub(crate) fn policy_for(service: &Service, files: &Files<'_>, release: Release) -> Policy {
    match service.declared.as_ref().filter(|_| service.dialect == DIALECT.name) {
        Some(declared) => policy::of_file(files, &declared.path, Some(release)),
        None => policy::policy(files, release),
    }
}

/// The priority string of a program that gives none, and where it comes from.
pub(crate) fn default_string(policy: &Policy, files: &Files<'_>, release: Release) -> Setting<String> {
    if let Some(mode) = &policy.mode {
        return mode.clone().map(|()| "@SYSTEM".to_owned());
    }
    if let Some(own) = &policy.default {
        return own.clone();
    }
    let by = format!("GnuTLS {release}");
    if policy::for_crypto_policies(files) != Some(true) {
        return Setting::new("default", "NORMAL".to_owned(), "NORMAL", Origin::built_in(by));
    }
    let keyword = policy.keywords.iter().find(|keyword| keyword.name == "SYSTEM");
    match keyword {
        Some(keyword) => Setting { value: "@SYSTEM".to_owned(), ..keyword.clone() },
        None => Setting::new("default", "@SYSTEM".to_owned(), "@SYSTEM", Origin::built_in(by)),
    }
}

/// The versions that a priority string of a program's own file leaves, lowest first, without what the system takes away; `None` where
/// the release is not known. A string that the library refuses gives its place and why.
pub(crate) fn versions_of(
    string: &Setting<CipherList>,
    files: &Files<'_>,
    release: Option<Release>,
) -> Result<Option<Setting<Vec<ProtocolVersion>>>, Note> {
    let Some(release) = release.or_else(|| files.release_of("gnutls")) else { return Ok(None) };
    let keywords = policy::policy(files, release).system.keywords;
    let system = System { keywords, ..System::default() };
    match priority(&string.value.text, &library(files, release), &system) {
        Ok(priority) => {
            let mut versions = priority.versions;
            versions.sort_unstable();
            Ok(Some(Setting { value: versions, ..string.clone().map(|_| Vec::new()) }))
        }
        Err(refused) => {
            let at = match (&refused, &string.origin) {
                (Refused::Word { at: Some(at), .. }, Origin::File { value, .. }) if written_as_it_is(string, value) => {
                    Some(Span { start: value.start + at.start, end: value.start + at.end, ..value.clone() })
                }
                (_, origin) => origin.span().cloned(),
            };
            Err(Note { at, says: refused.in_words() })
        }
    }
}

/// Whether the place of a string's value holds just its bytes, so that places in the one are places in the other.
fn written_as_it_is(string: &Setting<CipherList>, value: &Span) -> bool {
    value.end.checked_sub(value.start) == Some(string.value.text.len())
}

/// The edit that gives a priority string in a program's own file these versions.
pub(crate) fn with_versions(
    string: &Setting<CipherList>,
    files: &Files<'_>,
    of: &Library,
    wanted: &[ProtocolVersion],
) -> Result<Patch, CannotMend> {
    let release = match of {
        Library::GnuTls(release) => *release,
        _ => None,
    };
    let release = release.or_else(|| files.release_of("gnutls")).unwrap_or(NEWEST);
    let system = policy::policy(files, release).system;
    let changed = gnutls_priority::with_versions(&string.value.text, wanted, &library(files, release), &system)
        .ok_or_else(|| CannotMend::because("no word at the end of the priority string brings just these versions about"))?;
    if changed == string.value.text {
        return Err(CannotMend::because("these versions are on"));
    }
    match &string.origin {
        Origin::File { value, .. } => Ok(Patch::replace(value, changed)),
        _ => Err(CannotMend::because("the priority string stands in no file")),
    }
}

fn read(context: &Context<'_>) -> Reading {
    let files = context.files;
    let release = files.release_of("gnutls");
    let path = files.path(context.main);
    let policy = policy::of_file(files, context.main, release);
    let mut reading = Reading { files: vec![path.to_string()], ..Reading::default() };
    for at in &policy.ini.wrong {
        let says = "it is neither a section nor `name = value`: GnuTLS drops the whole file for it, in silence".to_owned();
        reading.troubles.push(Trouble { at: Some(at.clone()), says, fatal: false });
    }
    let title = "programs on GnuTLS (wget, git, gnutls-cli …)".to_owned();
    let mut service = client::service(DIALECT.name, title, ("GnuTLS", release), Library::GnuTls(release));
    service.heeds = Heeds { cipher_list: true, ..Heeds::NOTHING };
    service.declared = Some(Span { path, start: 0, end: 0 });
    service.notes = policy.notes.clone();
    if let Some(instead) = files.environment("GNUTLS_SYSTEM_PRIORITY_FILE").filter(|instead| *instead != context.main) {
        let says = format!("GNUTLS_SYSTEM_PRIORITY_FILE is set to `{instead}`: programs started here read that in its place");
        service.notes.push(Note { at: None, says });
    }
    let default = default_string(&policy, files, release.unwrap_or(NEWEST));
    if !matches!(default.origin, Origin::BuiltIn { .. }) {
        let list = |text| CipherList { language: Language::GnuTls, text };
        service.settings.cipher_list = Some(default.map(list));
    }
    service.settings.versions = Some(ending::versions(&policy, files, release.unwrap_or(NEWEST)));
    reading.services.push(service);
    reading
}

/// What a release that is not known is taken for.
const NEWEST: Release = Release::new(3, 8, 13);
