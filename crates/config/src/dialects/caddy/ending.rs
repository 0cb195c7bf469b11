//! The edits.

use tlswhy_wire::ProtocolVersion;

use super::find;
use super::policies::{GROUPS, HAS_HYBRID, Home, VERSIONS, Written};
use crate::dialects::{Context, client};
use crate::mend::{CannotMend, Patch, Want, indentation, line_end};
use crate::service::{Service, Side};
use crate::setting::ClientVerification;
use crate::span::Span;

/// What a want is in a Caddyfile, and in JSON: names with their values.
struct Change {
    line: (&'static str, String),
    members: Vec<(&'static str, String)>,
}

pub(super) fn mend(context: &Context<'_>, service: &Service, want: &Want) -> Result<Vec<Patch>, CannotMend> {
    if service.side == Side::Client {
        return Err(CannotMend::because("Caddy has no versions and suites for the servers behind it: they are Go's"));
    }
    let (_, home) = find(context)
        .services
        .into_iter()
        .find(|(known, _)| known == service)
        .ok_or_else(|| CannotMend::because("this service is not in the files any more"))?;
    match (&home, want) {
        (Home::Directive { at, .. }, Want::Certificate(certificate, Some(key))) => {
            return certificates(context, at, certificate, key, service);
        }
        (Home::Site { .. }, Want::Certificate(certificate, Some(key))) => {
            return put(context, &home, &format!("tls {} {}", quoted(certificate), quoted(key)), None);
        }
        _ => {}
    }
    let change = change(service, want)?;
    match &home {
        Home::Directive { lines, .. } => {
            let mut named = lines.iter().filter(|line| line.name == change.line.0);
            match named.next_back() {
                // Lines that add to it go, and the last one gets everything.
                Some(last) => {
                    if change.line.0 == "client_auth" {
                        return Err(CannotMend::because("its `client_auth` has to be changed by hand"));
                    }
                    let others = named.map(|line| without(context, line));
                    std::iter::once(Ok(Patch::replace(&last.value, change.line.1))).chain(others).collect()
                }
                None => put(context, &home, "tls", Some(&change)),
            }
        }
        Home::Site { .. } => put(context, &home, "tls", Some(&change)),
        Home::Object { at, members } => {
            let mut patches = Vec::new();
            for (name, value) in &change.members {
                match members.iter().rfind(|member| member.name == *name) {
                    Some(member) => patches.push(Patch::replace(&member.value, value)),
                    None => patches.push(first_member(context, at, &format!("\"{name}\": {value}"), members.is_empty())?),
                }
            }
            // Two at one place would meet.
            Ok(join(patches))
        }
        Home::Server { at } => {
            let members: Vec<String> = change.members.iter().map(|(name, value)| format!("\"{name}\": {value}")).collect();
            let policies = format!("\"tls_connection_policies\": [{{{}}}]", members.join(", "));
            Ok(vec![first_member(context, at, &policies, false)?])
        }
        Home::Nowhere => Err(CannotMend::because("no line stands for these names: write a site for them")),
    }
}

fn change(service: &Service, want: &Want) -> Result<Change, CannotMend> {
    let array = |names: &[String]| format!("[{}]", names.iter().map(|name| json(name)).collect::<Vec<_>>().join(", "));
    let list = |line: &'static str, member: &'static str, names: Vec<String>| Change {
        line: (line, names.join(" ")),
        members: vec![(member, array(&names))],
    };
    match want {
        Want::Versions(versions) => {
            let (lowest, highest) = client::ends(versions)?;
            let name = |version: ProtocolVersion| {
                let known = VERSIONS.iter().find(|(_, known)| *known == version).map(|(name, _)| *name);
                known.ok_or_else(|| CannotMend::because("Caddy speaks TLS 1.2 and 1.3 alone"))
            };
            let (low, high) = (name(lowest)?, name(highest)?);
            let on = |end: &Option<crate::Setting<ProtocolVersion>>| end.as_ref().map(|end| end.value);
            if (on(&service.settings.minimum_version), on(&service.settings.maximum_version)) == (Some(lowest), Some(highest)) {
                return Err(CannotMend::because("these versions are on"));
            }
            Ok(Change {
                line: ("protocols", format!("{low} {high}")),
                members: vec![("protocol_min", json(low)), ("protocol_max", json(high))],
            })
        }
        Want::CipherList(suites, _) => {
            let ecdhe = |suite: &&tlswhy_wire::CipherSuite| {
                suite.details().is_some_and(|row| row.key_exchange == tlswhy_wire::KeyExchange::Ecdhe)
            };
            let names: Vec<String> = suites.iter().filter(ecdhe).map(ToString::to_string).collect();
            if names.is_empty() {
                return Err(CannotMend::because("Caddy has none of these suites: it knows those with ECDHE"));
            }
            Ok(list("ciphers", "cipher_suites", names))
        }
        Want::CipherSuites(_) => Err(CannotMend::because("the suites of TLS 1.3 are Go's choice")),
        Want::Groups(groups) => {
            let old = service.program.1.is_some_and(|release| release < HAS_HYBRID);
            let known = GROUPS.iter().filter(|(_, group)| !old || *group != tlswhy_wire::NamedGroup::X25519MLKEM768);
            let name = |group: &tlswhy_wire::NamedGroup| {
                known.clone().find(|(_, own)| own == group).map(|(name, _)| (*name).to_owned())
            };
            let names: Vec<String> = groups.iter().filter_map(name).collect();
            if names.is_empty() {
                return Err(CannotMend::because("Caddy has none of these groups"));
            }
            Ok(list("curves", "curves", names))
        }
        Want::Alpn(names) if !names.is_empty() => Ok(list("alpn", "alpn", names.clone())),
        Want::ClientVerification(verification) => {
            let mode = match verification {
                ClientVerification::Off => return Err(CannotMend::because("take its `client_auth` out by hand")),
                ClientVerification::Optional => "request",
                ClientVerification::Required => "require",
            };
            Ok(Change {
                line: ("client_auth", format!("{{\n\tmode {mode}\n}}")),
                members: vec![("client_authentication", format!("{{\"mode\": \"{mode}\"}}"))],
            })
        }
        other => Err(CannotMend::because(format!("Caddy has no setting for {other:?}"))),
    }
}

/// A new line in the braces of a `tls` directive, which gets braces where it has none; or a new directive in a site.
fn put(context: &Context<'_>, home: &Home, directive: &str, change: Option<&Change>) -> Result<Vec<Patch>, CannotMend> {
    let (at, open, new_directive) = match home {
        Home::Directive { at, open, .. } => (at, open, false),
        Home::Site { at, open } => (at, open, true),
        _ => return Err(CannotMend::because("there is no place for it")),
    };
    let bytes = context.files.bytes(&at.path).ok_or_else(|| CannotMend::because("the file is not known"))?;
    let end = line_end(bytes);
    // A site without braces is not indented.
    let own = indentation(bytes, at.start);
    let inner = if new_directive && open.is_none() { own.clone() } else { format!("{own}\t") };
    let line = |indent: &str| {
        change.map(|change| format!("{indent}{} {}", change.line.0, change.line.1.replace('\n', &format!("{end}{indent}"))))
    };
    let behind = |span: &Span, new: String| vec![Patch { path: span.path.to_string(), start: span.end, end: span.end, new }];
    Ok(match (new_directive, open) {
        (false, Some(open)) => behind(open, format!("{end}{}", line(&inner).unwrap_or_default())),
        (false, None) => behind(at, format!(" {{{end}{}{end}{own}}}", line(&inner).unwrap_or_default())),
        (true, open) => {
            let block = line(&format!("{inner}\t")).map_or(String::new(), |line| format!(" {{{end}{line}{end}{inner}}}"));
            behind(open.as_ref().unwrap_or(at), format!("{end}{inner}{directive}{block}"))
        }
    })
}

/// The files of the first line of a `tls` directive.
fn certificates(
    context: &Context<'_>,
    at: &Span,
    certificate: &str,
    key: &str,
    service: &Service,
) -> Result<Vec<Patch>, CannotMend> {
    let (certificate, key) = (quoted(certificate), quoted(key));
    let settings = &service.settings;
    if let (Some(own), Some(own_key)) =
        (client::value_of(settings.certificates.first()), client::value_of(settings.keys.first()))
    {
        return Ok(vec![Patch::replace(own, certificate), Patch::replace(own_key, key)]);
    }
    let written = client::written(context.files, at);
    if written != "tls" {
        return Err(CannotMend::because(format!("`{written}` says where its certificate comes from")));
    }
    Ok(vec![Patch::replace(at, format!("tls {certificate} {key}"))])
}

/// A line goes, with its line end.
fn without(context: &Context<'_>, line: &Written) -> Result<Patch, CannotMend> {
    let bytes = context.files.bytes(&line.at.path).ok_or_else(|| CannotMend::because("the file is not known"))?;
    let before = bytes.get(..line.at.start).unwrap_or_default();
    let start = before.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
    let after = bytes.get(line.at.end..).unwrap_or_default();
    let end = line.at.end + after.iter().position(|byte| *byte == b'\n').map_or(after.len(), |at| at + 1);
    Ok(Patch { path: line.at.path.to_string(), start, end, new: String::new() })
}

/// A member at the beginning of an object.
fn first_member(context: &Context<'_>, object: &Span, member: &str, is_alone: bool) -> Result<Patch, CannotMend> {
    let bytes = context.files.bytes(&object.path).ok_or_else(|| CannotMend::because("the file is not known"))?;
    let inside = bytes.get(object.start + 1..object.end).unwrap_or_default();
    let start = object.start + 1;
    let separator = if is_alone { "" } else { "," };
    // As the others stand: in lines of their own, or in a row.
    let blank: String = inside.iter().take_while(|byte| byte.is_ascii_whitespace()).map(|byte| char::from(*byte)).collect();
    let new = if is_alone { member.to_owned() } else { format!("{blank}{member}{separator}") };
    Ok(Patch { path: object.path.to_string(), start, end: start, new })
}

/// Patches at one place are one.
fn join(patches: Vec<Patch>) -> Vec<Patch> {
    let mut joined: Vec<Patch> = Vec::new();
    for patch in patches {
        match joined.iter_mut().find(|known| (known.start, known.end) == (patch.start, patch.end) && known.start == known.end) {
            Some(known) => {
                let comma = if known.new.ends_with(',') { "" } else { ", " };
                known.new.push_str(comma);
                known.new.push_str(&patch.new);
            }
            None => joined.push(patch),
        }
    }
    joined
}

/// A word of a Caddyfile, in quotes where it needs them.
fn quoted(text: &str) -> String {
    let plain = !text.contains(|c: char| c.is_whitespace() || matches!(c, '"' | '`' | '{' | '}' | '#' | '\\'));
    if plain { text.to_owned() } else { format!("\"{}\"", text.replace('"', "\\\"")) }
}

/// A string of JSON.
fn json(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}
