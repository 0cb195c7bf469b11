//! The lines that bring about what is wanted.

use tlswhy_wire::ProtocolVersion;

use crate::dialects::{Context, client};
use crate::language::names;
use crate::mend::{CannotMend, Patch, Want};
use crate::release::Release;
use crate::service::Service;
use crate::setting::Setting;

/// Another value for a line, in quotes where it has them or needs them; without one, a line of its own.
fn set<T>(
    context: &Context<'_>,
    service: &Service,
    setting: Option<&Setting<T>>,
    name: &str,
    value: &str,
) -> Result<Patch, CannotMend> {
    let escaped = || format!("\"{}\"", value.replace('\\', "\\\\").replace('"', "\\\""));
    let needs = value.contains(|c: char| c.is_whitespace() || c == '"' || c == '\\');
    match client::value_of(setting) {
        Some(place) if place.start < place.end => {
            let quoted = needs || client::written(context.files, place).starts_with('"');
            Ok(Patch::replace(place, if quoted { escaped() } else { value.to_owned() }))
        }
        _ => {
            let value = if needs { escaped() } else { value.to_owned() };
            client::line(context, service.declared.as_ref(), &format!("{name} = {value}"))
        }
    }
}

pub(super) fn mend(context: &Context<'_>, service: &Service, want: &Want) -> Result<Vec<Patch>, CannotMend> {
    let settings = &service.settings;
    let since = |major, minor| service.program.1.is_none_or(|release| release >= Release::new(major, minor, 0));
    match want {
        Want::Versions(versions) => {
            let (lowest, highest) = client::ends(versions)?;
            let (Some(low), Some(high)) = (client::minor(lowest), client::minor(highest)) else {
                return Err(CannotMend::because("curl has no such version"));
            };
            let mut patches = Vec::new();
            if let Some(pinned) = &settings.versions {
                return Err(CannotMend::because(format!("`{}` sets one version: take that line out", pinned.name)));
            }
            let minimum = settings.minimum_version.as_ref();
            if minimum.is_none_or(|set| set.value != lowest) {
                let new = format!("tlsv1.{low}");
                patches.push(match minimum.and_then(|set| set.origin.span()) {
                    Some(at) => {
                        let old = client::written(context.files, at);
                        if old.starts_with('-') && !old.starts_with("--") {
                            // A letter among others: a later line counts.
                            client::line(context, Some(at), &new)?
                        } else {
                            Patch::replace(at, if old.starts_with("--") { format!("--{new}") } else { new })
                        }
                    }
                    None => client::line(context, service.declared.as_ref(), &new)?,
                });
            }
            let top = settings.maximum_version.as_ref().map_or(ProtocolVersion::TLSV1_3, |set| set.value);
            if top != highest {
                patches.push(set(context, service, settings.maximum_version.as_ref(), "tls-max", &format!("1.{high}"))?);
            }
            if patches.is_empty() { Err(CannotMend::because("these versions are on")) } else { Ok(patches) }
        }
        Want::CipherList(suites, level) => {
            let mut names: Vec<String> =
                suites.iter().filter_map(|suite| suite.details()?.openssl_name).map(str::to_owned).collect();
            names.extend(level.map(|level| format!("@SECLEVEL={level}")));
            Ok(vec![set(context, service, settings.cipher_list.as_ref(), "ciphers", &names.join(":"))?])
        }
        Want::CipherSuites(suites) if since(7, 61) => {
            let names: Vec<String> = suites.iter().map(ToString::to_string).collect();
            Ok(vec![set(context, service, settings.cipher_suites.as_ref(), "tls13-ciphers", &names.join(":"))?])
        }
        Want::Groups(groups) if since(7, 73) => {
            let names: Vec<String> = groups.iter().map(|group| names::group_name(*group)).collect();
            Ok(vec![set(context, service, settings.groups.as_ref(), "curves", &names.join(":"))?])
        }
        Want::Certificate(certificate, key) => {
            // The old value may hold a password that is the key's.
            let certificate = certificate.replace(':', "\\:");
            let mut patches = vec![set(context, service, settings.certificates.first(), "cert", &certificate)?];
            if let Some(key) = key {
                patches.push(set(context, service, settings.keys.first(), "key", key)?);
            }
            Ok(patches)
        }
        other => Err(CannotMend::because(format!("curl has no option for {other:?}"))),
    }
}
