//! Edits: the attribute gets the value, or is put in behind the element's name.

use std::collections::BTreeSet;

use tlswhy_wire::CipherSuite;

use super::document::{Element, elements};
use super::engine::{Engine, OPENSSL};
use super::hosts::{NO_MACHINE, release};
use super::machine::Machine;
use super::offer::Offered;
use crate::dialects::Context;
use crate::language::jsse;
use crate::mend::{CannotMend, Patch, Want};
use crate::service::{Reading, Service};
use crate::setting::ClientVerification;

/// What defines an entity.
const ENTITY: &[u8] = b"<!ENTITY";

pub(super) fn mend(context: &Context<'_>, service: &Service, want: &Want) -> Result<Vec<Patch>, CannotMend> {
    let path = context.files.path(context.main);
    let bytes = context.files.bytes(&path).ok_or_else(|| CannotMend::because("the file is not known"))?;
    if bytes.windows(ENTITY.len()).any(|window| window == ENTITY) {
        return Err(CannotMend::because("the file defines entities, and what stands in one may count in several places"));
    }
    let variables = super::variables(context, &mut Reading::default());
    let all = elements(&path, bytes, &variables).map_err(|trouble| CannotMend::because(trouble.says))?;
    let host = all.iter().find(|element| Some(&element.head) == service.declared.as_ref());
    let host = host.filter(|element| element.name == "SSLHostConfig").ok_or_else(|| {
        CannotMend::because(
            "a connector without SSLHostConfig needs one with a certificate, which is more than an edit of a line",
        )
    })?;
    let (name, value) = match want {
        Want::Versions(versions) => {
            let names: Vec<&str> = versions.iter().filter_map(|version| jsse::version_name(*version)).collect();
            ("protocols", names.join(","))
        }
        Want::CipherList(suites, None) => ("ciphers", names(suites)?),
        Want::Certificate(certificate, key) => {
            let mut certificates = host.children(&all, "Certificate");
            let (Some(own), None) = (certificates.next(), certificates.next()) else {
                return Err(CannotMend::because("which Certificate is to change is not known: there is not just one"));
            };
            if own.attribute("certificateFile").is_none() {
                return Err(CannotMend::because("the certificate comes from a keystore, which no edit of server.xml changes"));
            }
            let mut patches = vec![set(own, "certificateFile", certificate)];
            patches.extend(key.as_ref().map(|key| set(own, "certificateKeyFile", key)));
            return Ok(patches);
        }
        Want::ClientVerification(wanted) => {
            let word = match wanted {
                ClientVerification::Off => "none",
                ClientVerification::Optional => "optional",
                ClientVerification::Required => "required",
            };
            return Ok(vec![set(host, "certificateVerification", word)]);
        }
        Want::Groups(_) | Want::SignatureAlgorithms(_) => {
            return Err(CannotMend::because(
                "groups and signature algorithms are Java's: java.security and -Djdk.tls.namedGroups rule them",
            ));
        }
        other => return Err(CannotMend::because(format!("SSLHostConfig has no attribute for {other:?}"))),
    };
    check(context, &all, &host.with(name, &value), want)?;
    Ok(vec![set(host, name, &value)])
}

/// Whether the changed SSLHostConfig gives what is wanted: the lists of Java may take some of it away.
fn check(context: &Context<'_>, all: &[Element], changed: &Element, want: &Want) -> Result<(), CannotMend> {
    if Engine::of(context, all) == Engine::OpenSsl {
        return Err(CannotMend::because(OPENSSL));
    }
    let machine = Machine::of(context, &mut Reading::default()).ok_or_else(|| CannotMend::because(NO_MACHINE))?;
    let offered = Offered::of(&machine, release(context), changed).map_err(CannotMend::because)?;
    match want {
        Want::Versions(wanted) => {
            let lacking = wanted.iter().find(|version| !offered.offer.versions.contains(version));
            if let Some(lacking) = lacking {
                let by = machine.takes(*lacking).map_or_else(
                    || "no suite of `ciphers` is left for it".to_owned(),
                    |list| format!("{list} takes it away, whatever server.xml says"),
                );
                return Err(CannotMend::because(format!("{lacking} stays off: {by}")));
            }
        }
        Want::CipherList(wanted, _) => {
            let (_, left) = offered.suites().unwrap_or_default();
            if let Some(lacking) = wanted.iter().find(|suite| !left.contains(suite)) {
                return Err(CannotMend::because(format!(
                    "{lacking} stays off: Java does not have it, or a list takes it away"
                )));
            }
            if BTreeSet::from_iter(&left) != BTreeSet::from_iter(wanted) {
                return Err(CannotMend::because("`ciphers` would leave more on than is wanted"));
            }
        }
        _ => {}
    }
    Ok(())
}

/// Suites as OpenSSL calls them, which Tomcat understands in every release.
fn names(suites: &[CipherSuite]) -> Result<String, CannotMend> {
    let named = suites.iter().map(|suite| {
        let name = suite.details().and_then(|row| row.openssl_name);
        name.ok_or_else(|| CannotMend::because(format!("OpenSSL has no name for {suite}")))
    });
    Ok(named.collect::<Result<Vec<&str>, CannotMend>>()?.join(":"))
}

fn set(element: &Element, name: &str, value: &str) -> Patch {
    let value = value.replace('&', "&amp;").replace('<', "&lt;").replace('"', "&quot;").replace('\'', "&apos;");
    match element.attribute(name) {
        Some(attribute) => Patch::replace(&attribute.value_at, value),
        None => Patch {
            path: element.head.path.to_string(),
            start: element.head.end,
            end: element.head.end,
            new: format!(" {name}=\"{value}\""),
        },
    }
}
