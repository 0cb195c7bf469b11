//! The edits of the system's file: lines that switch something off go, versions get lines of their own.

use tlswhy_model::{FileContent, SeenFile};
use tlswhy_wire::ProtocolVersion;

use super::policy::{self, Line, Policy};
use super::{NEWEST, client, default_string, library};
use crate::dialects::Context;
use crate::files::{Files, normal};
use crate::language::gnutls_priority::{
    Kind, System, priority, speaks_of_group, speaks_of_scheme, speaks_of_suite, speaks_of_version, with_versions,
};
use crate::mend::{CannotMend, Patch, Want, patched};
use crate::release::Release;
use crate::service::Service;
use crate::setting::Setting;
use crate::span::{Origin, Span};

/// The versions of which a file speaks, by what it calls them, newest first.
const VERSIONS: [(&str, ProtocolVersion); 4] = [
    ("tls1.3", ProtocolVersion::TLSV1_3),
    ("tls1.2", ProtocolVersion::TLSV1_2),
    ("tls1.1", ProtocolVersion::TLSV1_1),
    ("tls1.0", ProtocolVersion::TLSV1_0),
];

/// The versions that are left, lowest first, as the lines about them say.
pub(super) fn versions(policy: &Policy, files: &Files<'_>, release: Release) -> Setting<Vec<ProtocolVersion>> {
    let default = default_string(policy, files, release);
    let left = priority(&default.value, &library(files, release), &policy.system);
    let mut left = left.map(|priority| priority.versions).unwrap_or_default();
    left.sort_unstable();
    let Some(last) = policy.lines.iter().rfind(|line| line.kind == Kind::Version) else {
        let text: Vec<String> = left.iter().map(ToString::to_string).collect();
        return Setting::new("versions", left, text.join(" "), Origin::built_in(format!("GnuTLS {release}")));
    };
    // Of several lines one stands for the set; what each takes away is told line by line.
    Setting { value: left, ..last.setting.clone().map(|()| Vec::new()) }
}

pub(super) fn mend(context: &Context<'_>, service: &Service, want: &Want) -> Result<Vec<Patch>, CannotMend> {
    if context.main.contains("/crypto-policies/") {
        return Err(CannotMend::because(
            "the file is generated: `update-crypto-policies --set NAME` chooses another policy, a module of your own changes it",
        ));
    }
    let release = context.files.release_of("gnutls").unwrap_or(NEWEST);
    let policy = policy::of_file(context.files, context.main, Some(release));
    let bytes = context.files.bytes(context.main).ok_or_else(|| CannotMend::because("the file is not known"))?;
    if let Some(wrong) = policy.ini.wrong.first() {
        let line = crate::span::Position::of(bytes, wrong.start).line;
        return Err(CannotMend::because(format!("line {line} cannot be read, and the whole file counts for nothing")));
    }
    let editing = Editing { context, policy: &policy, bytes, release };
    let patches = match want {
        Want::Versions(versions) => editing.versions(versions),
        Want::CipherList(suites, _) | Want::CipherSuites(suites) => {
            editing.freed(suites, |line, suite| speaks_of_suite(line.kind, line.algorithm, *suite))
        }
        Want::Groups(groups) => editing.freed(groups, |line, group| speaks_of_group(line.kind, line.algorithm, *group)),
        Want::SignatureAlgorithms(schemes) => {
            editing.freed(schemes, |line, scheme| speaks_of_scheme(line.kind, line.algorithm, *scheme))
        }
        other => Err(CannotMend::because(format!("the file of {} has no line for {other:?}", service.program.0))),
    }?;
    match want {
        Want::Versions(wanted) if !brings_about(context, bytes, &patches, wanted) => {
            Err(CannotMend::because("the lines of the file alone do not bring it about"))
        }
        _ => Ok(patches),
    }
}

/// Whether just the versions that are wanted are on in the file with these patches.
fn brings_about(context: &Context<'_>, bytes: &[u8], patches: &[Patch], wanted: &[ProtocolVersion]) -> bool {
    let Some(bytes) = patched(bytes, patches) else { return false };
    let content = FileContent::Bytes { bytes: bytes.into(), sha256: String::new(), public_keys: Vec::new() };
    let instead = [SeenFile { path: normal(context.main), real_path: None, content }];
    let files = context.files.with(&instead);
    let reading = super::read(&Context { files: &files, main: context.main });
    let after = reading.services.first().and_then(|service| service.settings.versions.as_ref());
    after.is_some_and(|versions| versions.value == wanted)
}

struct Editing<'e> {
    context: &'e Context<'e>,
    policy: &'e Policy,
    bytes: &'e [u8],
    release: Release,
}

impl Editing<'_> {
    /// One of what is wanted is enough, and no more is opened than that one needs: the lines that switch off the one with the fewest.
    fn freed<T>(&self, wanted: &[T], takes: impl Fn(&Line, &T) -> bool) -> Result<Vec<Patch>, CannotMend> {
        if self.policy.mode.is_some() {
            return Err(CannotMend::because(
                "under `override-mode = allowlist` the file lists what is on, in its order: add the line where it belongs",
            ));
        }
        let of_one = |one: &T| self.policy.lines.iter().filter(|line| takes(line, one)).collect::<Vec<&Line>>();
        let fewest = wanted.iter().map(of_one).filter(|lines| !lines.is_empty()).min_by_key(Vec::len);
        let lines = fewest.ok_or_else(|| CannotMend::because("no line of the file takes it away"))?;
        let patches: Option<Vec<Patch>> = lines.into_iter().map(|line| self.without(line)).collect();
        patches.ok_or_else(|| CannotMend::because("an indented line below the one that rules is another value of its name"))
    }

    /// A line that goes, with its end; `None` where the next line goes on with its name.
    fn without(&self, line: &Line) -> Option<Patch> {
        let at = line.setting.origin.span()?;
        let next = self.policy.ini.entries.iter().find(|entry| entry.at.start > at.start);
        if next.is_some_and(|next| next.indented) {
            return None;
        }
        let before = self.bytes.get(..at.start)?;
        let start = before.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
        let rest = self.bytes.get(at.end..)?;
        let end = rest.iter().position(|byte| *byte == b'\n').map_or(self.bytes.len(), |end| at.end + end + 1);
        Some(Patch { path: at.path.to_string(), start, end, new: String::new() })
    }

    fn versions(&self, wanted: &[ProtocolVersion]) -> Result<Vec<Patch>, CannotMend> {
        let allows = self.policy.mode.is_some();
        let mut system = self.policy.system.clone();
        let (mut patches, mut missing) = (Vec::new(), Vec::new());
        for (name, version) in VERSIONS {
            let of_it: Vec<&Line> =
                self.policy.lines.iter().filter(|line| speaks_of_version(line.kind, line.algorithm, version)).collect();
            // A line allows it, or a line switches it off.
            let listed = wanted.contains(&version) == allows;
            if !listed {
                patches.extend(of_it.iter().filter_map(|line| self.without(line)));
                system.listed.retain(|(kind, known)| !speaks_of_version(*kind, known, version));
            } else if of_it.is_empty() {
                missing.push(name);
                system
                    .listed
                    .extend(crate::language::gnutls_priority::known(Kind::Version, name).map(|known| (Kind::Version, known)));
            }
        }
        if !missing.is_empty() {
            patches.push(self.lines(&missing, allows)?);
        }
        patches.extend(self.string(wanted, &system)?);
        if patches.is_empty() { Err(CannotMend::because("these versions are on")) } else { Ok(patches) }
    }

    /// Lines for these versions, below the others of their kind or in `[overrides]`.
    fn lines(&self, names: &[&str], allows: bool) -> Result<Patch, CannotMend> {
        let key = policy::key_of(Kind::Version, allows).ok_or_else(|| CannotMend::because("there is no key for versions"))?;
        let lines = |newline: &str| names.iter().map(|name| format!("{key} = {name}")).collect::<Vec<_>>().join(newline);
        let newline = crate::mend::line_end(self.bytes);
        let of_versions = |line: &&Line| line.kind == Kind::Version;
        let head = self.policy.ini.heads.iter().find(|(name, _)| name.eq_ignore_ascii_case("overrides")).map(|(_, at)| at);
        let last = self.policy.lines.iter().rfind(of_versions).and_then(|line| line.setting.origin.span());
        let anchor: Option<&Span> = last.or(head);
        match anchor {
            // An indented neighbour would make a value of it: the line stands at the margin.
            Some(anchor) => {
                let rest = self.bytes.get(anchor.end..).unwrap_or_default();
                let stop = rest.iter().position(|byte| *byte == b'\n').map(|end| anchor.end + end + 1);
                let (at, new) = match stop {
                    Some(at) => (at, format!("{}{newline}", lines(newline))),
                    None => (self.bytes.len(), format!("{newline}{}", lines(newline))),
                };
                Ok(Patch { path: anchor.path.to_string(), start: at, end: at, new })
            }
            None => client::line(self.context, None, &format!("[overrides]{newline}{}", lines(newline))),
        }
    }

    /// The default priority string with these versions, where the one that is there does without.
    fn string(&self, wanted: &[ProtocolVersion], system: &System) -> Result<Option<Patch>, CannotMend> {
        let files = self.context.files;
        let default = default_string(self.policy, files, self.release);
        let library = library(files, self.release);
        let changed = with_versions(&default.value, wanted, &library, system)
            .ok_or_else(|| CannotMend::because("no priority string brings just these versions about"))?;
        if changed == default.value {
            return Ok(None);
        }
        let Origin::File { value, .. } = &default.origin else {
            return Err(CannotMend::because(format!("the library's own default, {}, does without", default.value)));
        };
        if default.value.starts_with('@') {
            return Err(CannotMend::because(format!("`{}` is a keyword: the lines that it stands for rule", default.value)));
        }
        Ok(Some(Patch::replace(value, changed)))
    }
}
