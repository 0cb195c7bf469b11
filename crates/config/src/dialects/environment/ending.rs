//! The edits: another value for a variable, or a line of its own.

use tlswhy_wire::{NamedGroup, ProtocolVersion};

use super::files::{Kind, Variable, kind, read};
use super::node::{MAXIMA, MINIMA, words};
use crate::dialects::{Context, client};
use crate::mend::{CannotMend, Patch, Want};
use crate::service::Service;

pub(super) fn mend(context: &Context<'_>, service: &Service, want: &Want) -> Result<Vec<Patch>, CannotMend> {
    match (service.program.0.as_str(), want) {
        ("Node.js", Want::Versions(versions)) => {
            let (lowest, highest) = client::ends(versions)?;
            let settings = &service.settings;
            let (low, high) = (&settings.minimum_version, &settings.maximum_version);
            let on = low.as_ref().zip(high.as_ref()).map(|(low, high)| (low.value, high.value));
            if on == Some((lowest, highest)) {
                return Err(CannotMend::because("these versions are on"));
            }
            if settings.cipher_suites.is_some() && settings.cipher_list.is_none() && lowest < ProtocolVersion::TLSV1_3 {
                return Err(CannotMend::because("`--tls-cipher-list` names suites of TLS 1.3 alone: add others to it"));
            }
            let option = |rows: &[(&'static str, ProtocolVersion)], version, usual| {
                let found = rows.iter().find(|(_, known)| *known == version).map(|(name, _)| *name);
                let found = found.ok_or_else(|| CannotMend::because("Node.js has no option for these versions"))?;
                Ok((version != usual).then_some(found))
            };
            let wanted =
                [option(MINIMA, lowest, ProtocolVersion::TLSV1_2)?, option(MAXIMA, highest, ProtocolVersion::TLSV1_3)?];
            let about = |word: &str| {
                let word = word.replace('_', "-").replacen("--no-", "--", 1);
                MINIMA.iter().chain(MAXIMA).any(|(name, _)| *name == word)
            };
            set(context, service, "NODE_OPTIONS", |old| {
                let kept = words(old).into_iter().filter(|word| !about(word)).map(|word| quoted(&word));
                kept.chain(wanted.into_iter().flatten().map(str::to_owned)).collect::<Vec<_>>().join(" ")
            })
        }
        ("Go", Want::Groups(groups)) => {
            let secp = [NamedGroup::SECP256R1MLKEM768, NamedGroup::SECP384R1MLKEM1024];
            let hybrid = groups.iter().any(|group| *group == NamedGroup::X25519MLKEM768 || secp.contains(group));
            if !hybrid {
                return Err(CannotMend::because("GODEBUG switches hybrid groups alone"));
            }
            set(context, service, "GODEBUG", |old| {
                let off = ["tlsmlkem=0", "tlskyber=0", "tlssecpmlkem=0"];
                old.split(',').filter(|pair| !off.contains(&pair.trim())).collect::<Vec<_>>().join(",")
            })
        }
        ("Go", Want::Versions(_)) => Err(CannotMend::because("no variable sets the versions of a client in Go")),
        (program, other) => Err(CannotMend::because(format!("no variable of {program} is for {other:?}"))),
    }
}

/// A word of NODE_OPTIONS as it has to be written.
fn quoted(word: &str) -> String {
    let plain = !word.is_empty() && !word.contains([' ', '"']);
    if plain { word.to_owned() } else { format!("\"{}\"", word.replace('\\', "\\\\").replace('"', "\\\"")) }
}

/// The last line that sets a variable gets another value, made of the old one; without one, a line is put below the service's last.
fn set(
    context: &Context<'_>,
    service: &Service,
    name: &str,
    value: impl FnOnce(&str) -> String,
) -> Result<Vec<Patch>, CannotMend> {
    if kind(context.main) == Some(Kind::Process) {
        return Err(CannotMend::because(format!("`{name}` is set where the command is started from, and not in a file")));
    }
    let read = read(context);
    if let Some(last) = read.variables.iter().rfind(|variable| variable.name == name) {
        let old = last.value.as_deref();
        let old = old.ok_or_else(|| CannotMend::because(format!("what `{name}` is set to is not known from the file")))?;
        return Ok(vec![Patch::replace(&last.at, written(last, name, &value(old))?)]);
    }
    let beside = read.variables.iter().rfind(|variable| Some(&variable.line) == service.declared.as_ref());
    let beside = beside.ok_or_else(|| CannotMend::because("there is no line to put it beside"))?;
    let word = written(beside, name, &value(""))?;
    let line = match beside.kind {
        Kind::Unit => format!("Environment={word}"),
        Kind::Dockerfile => format!("ENV {word}"),
        Kind::Plain | Kind::Shell | Kind::Process if beside.exported => format!("export {word}"),
        Kind::Plain | Kind::Shell | Kind::Process => word,
    };
    Ok(vec![client::line(context, Some(&beside.line), &line)?])
}

/// `NAME=value` as the kind of file has it.
fn written(beside: &Variable, name: &str, value: &str) -> Result<String, CannotMend> {
    if value.contains(['$', '`', '\'', '\n', '%']) || value.contains('"') && value.contains('\\') {
        return Err(CannotMend::because("the value has signs that this file would take for its own: change it by hand"));
    }
    let blank = value.contains([' ', '"', ';', '&', '|', '#']);
    let escaped = value.replace('"', "\\\"");
    Ok(match beside.kind {
        _ if !blank => format!("{name}={value}"),
        Kind::Unit => format!("\"{name}={escaped}\""),
        // There a backslash is none.
        Kind::Plain if value.contains('"') => format!("{name}='{value}'"),
        Kind::Plain | Kind::Shell | Kind::Dockerfile | Kind::Process => format!("{name}=\"{escaped}\""),
    })
}
