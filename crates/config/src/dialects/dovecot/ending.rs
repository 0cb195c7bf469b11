//! The edits.

use tlswhy_wire::ProtocolVersion;

use super::tree::Tree;
use super::{anchor, version_name};
use crate::dialects::{Context, lines};
use crate::language::names;
use crate::mend::{CannotMend, Patch, Want};
use crate::release::Release;
use crate::service::Service;
use crate::setting::Setting;
use crate::span::Origin;

/// Settings for files have names of their own since this release.
const HAS_FILES: Release = Release::new(2, 4, 0);
/// Before it there was `ssl_protocols` alone.
const HAS_LOWEST: Release = Release::new(2, 3, 0);

/// What counts in a `local_name` section.
const OF_A_NAME: &[&str] = &["ssl_cipher_list", "ssl_cert", "ssl_key", "ssl_server_cert_file", "ssl_server_key_file"];

pub(super) fn mend(context: &Context<'_>, service: &Service, want: &Want) -> Result<Vec<Patch>, CannotMend> {
    let settings = &service.settings;
    let joined = |names: Vec<String>| names.join(":");
    match want {
        Want::Tls => set(context, service, settings.tls.as_ref(), "ssl", "yes"),
        Want::Versions(versions) => {
            let (Some(lowest), Some(highest)) = (versions.iter().min(), versions.iter().max()) else {
                return Err(CannotMend::because("no version is wanted"));
            };
            if *highest != ProtocolVersion::TLSV1_3 || usize::from(highest.0 - lowest.0) + 1 > versions.len() {
                return Err(CannotMend::because(
                    "`ssl_min_protocol` names the lowest version; Dovecot has no setting for others",
                ));
            }
            if settings.refuses_all.is_none() && settings.minimum_version.as_ref().is_some_and(|set| set.value == *lowest) {
                return Err(CannotMend::because("these versions are on"));
            }
            let name = version_name(*lowest).ok_or_else(|| CannotMend::because("Dovecot has no such version"))?;
            match settings.minimum_version.as_ref() {
                Some(Setting { name: old, origin: Origin::File { at, value, .. }, .. }) if old == "ssl_protocols" => {
                    let before = service.program.1.is_some_and(|release| release < HAS_LOWEST);
                    // Since 2.3 it is an old word for the other.
                    Ok(vec![if before {
                        Patch::replace(value, without_below(*lowest))
                    } else {
                        Patch::replace(at, format!("ssl_min_protocol = {name}"))
                    }])
                }
                own => set(context, service, own, "ssl_min_protocol", name),
            }
        }
        Want::CipherList(suites, level) => {
            let mut names: Vec<String> =
                suites.iter().filter_map(|suite| suite.details()?.openssl_name).map(str::to_owned).collect();
            names.extend(level.map(|level| format!("@SECLEVEL={level}")));
            set(context, service, settings.cipher_list.as_ref(), "ssl_cipher_list", &joined(names))
        }
        Want::CipherSuites(suites) => {
            let names = suites.iter().map(ToString::to_string).collect();
            set(context, service, settings.cipher_suites.as_ref(), "ssl_cipher_suites", &joined(names))
        }
        Want::Groups(groups) => {
            let names = groups.iter().map(|group| names::group_name(*group)).collect();
            set(context, service, settings.groups.as_ref(), "ssl_curve_list", &joined(names))
        }
        Want::Certificate(certificate, key) => {
            let new = settings.certificates.first().map_or_else(
                || service.program.1.is_none_or(|release| release >= HAS_FILES),
                |own| own.name.ends_with("_file"),
            );
            let value = |path: &str| if new { path.to_owned() } else { format!("<{path}") };
            let (cert_name, key_name) =
                if new { ("ssl_server_cert_file", "ssl_server_key_file") } else { ("ssl_cert", "ssl_key") };
            let mut patches = set(context, service, settings.certificates.first(), cert_name, &value(certificate))?;
            if let Some(key) = key {
                patches.extend(set(context, service, settings.keys.first(), key_name, &value(key))?);
            }
            Ok(patches)
        }
        other => Err(CannotMend::because(format!("Dovecot has no setting for {other:?}"))),
    }
}

/// `ssl_protocols` of 2.2 without the versions below this one.
fn without_below(lowest: ProtocolVersion) -> String {
    let all = [ProtocolVersion::SSLV3, ProtocolVersion::TLSV1_0, ProtocolVersion::TLSV1_1, ProtocolVersion::TLSV1_2];
    let below = all.into_iter().filter(|version| *version < lowest).filter_map(version_name);
    below.map(|name| format!("!{name}")).collect::<Vec<String>>().join(" ")
}

/// The ruling line gets another value; without one a line is put below the others, or into the section of a name or an address where
/// it counts there.
fn set<T>(
    context: &Context<'_>,
    service: &Service,
    setting: Option<&Setting<T>>,
    name: &str,
    value: &str,
) -> Result<Vec<Patch>, CannotMend> {
    let tree = Tree::read(context.files, context.main);
    let section = tree.sections.iter().filter_map(|path| path.last()).find(|section| {
        Some(&section.at) == service.declared.as_ref() && (section.kind == "local" || OF_A_NAME.contains(&name))
    });
    match section {
        Some(section) => lines::set(context.files, setting, value, Some(&section.at), &format!("  {name} = {value}")),
        None => {
            let below = anchor(&tree, context.main);
            lines::set(context.files, setting, value, below.as_ref(), &format!("{name} = {value}"))
        }
    }
}
