//! Edits.

use tlswhy_wire::ProtocolVersion;

use crate::dialects::{Context, lines};
use crate::files::Files;
use crate::language::names;
use crate::mend::{CannotMend, Patch, Want};
use crate::service::Service;
use crate::setting::Setting;
use crate::span::Span;

pub(super) fn mend(context: &Context<'_>, service: &Service, want: &Want) -> Result<Vec<Patch>, CannotMend> {
    let settings = &service.settings;
    let anchor = service.declared.as_ref();
    let files = context.files;
    match want {
        Want::Versions(versions) => {
            let (Some(lowest), Some(highest)) = (versions.iter().min(), versions.iter().max()) else {
                return Err(CannotMend::because("no version is wanted"));
            };
            let name = |version: &ProtocolVersion| names::version_name(*version);
            let mut patches = Vec::new();
            let places = |setting: &Setting<ProtocolVersion>| setting.origin.span().cloned();
            let pinned = settings.minimum_version.as_ref().and_then(places);
            if pinned.is_some() && pinned == settings.maximum_version.as_ref().and_then(places) {
                // One line sets both ends.
                if lowest == highest {
                    return lines::set(files, settings.minimum_version.as_ref(), &name(lowest), anchor, "");
                }
                return Ok(two_ends(files, pinned.as_ref(), &name(lowest), &name(highest)));
            }
            if settings.minimum_version.as_ref().is_none_or(|set| set.value != *lowest) {
                let line = format!("sslVersionMin = {}", name(lowest));
                patches.extend(lines::set(files, settings.minimum_version.as_ref(), &name(lowest), anchor, &line)?);
            }
            let top = settings.maximum_version.as_ref().map_or(ProtocolVersion::TLSV1_3, |set| set.value);
            if top != *highest {
                let line = format!("sslVersionMax = {}", name(highest));
                patches.extend(lines::set(files, settings.maximum_version.as_ref(), &name(highest), anchor, &line)?);
            }
            if let Some(off) = &settings.versions
                && versions.iter().any(|version| !off.value.contains(version))
            {
                return Err(CannotMend::because(format!(
                    "`options = {}` switches one of them off: take that line out",
                    off.text
                )));
            }
            if patches.is_empty() { Err(CannotMend::because("these versions are on")) } else { Ok(patches) }
        }
        Want::CipherList(suites, _) => {
            let names: Vec<&str> = suites.iter().filter_map(|suite| suite.details()?.openssl_name).collect();
            let value = names.join(":");
            lines::set(files, settings.cipher_list.as_ref(), &value, anchor, &format!("ciphers = {value}"))
        }
        Want::CipherSuites(suites) => {
            let names: Vec<String> = suites.iter().map(ToString::to_string).collect();
            let value = names.join(":");
            lines::set(files, settings.cipher_suites.as_ref(), &value, anchor, &format!("ciphersuites = {value}"))
        }
        Want::Groups(groups) => {
            let names: Vec<String> = groups.iter().map(|group| names::group_name(*group)).collect();
            let value = names.join(":");
            lines::set(files, settings.groups.as_ref(), &value, anchor, &format!("curves = {value}"))
        }
        Want::SecurityLevel(level) => {
            let line = format!("securityLevel = {level}");
            lines::set(files, settings.security_level.as_ref(), &level.to_string(), anchor, &line)
        }
        other => Err(CannotMend::because(format!("stunnel has no option for {other:?}"))),
    }
}

/// `sslVersion = …` becomes a range.
fn two_ends(files: &Files<'_>, at: Option<&Span>, lowest: &str, highest: &str) -> Vec<Patch> {
    let Some(at) = at else { return Vec::new() };
    let bytes = files.bytes(&at.path).unwrap_or_default();
    let newline = crate::mend::line_end(bytes);
    let indent = crate::mend::indentation(bytes, at.start);
    vec![Patch::replace(at, format!("sslVersionMin = {lowest}{newline}{indent}sslVersionMax = {highest}"))]
}
