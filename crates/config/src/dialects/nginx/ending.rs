//! Edits: the line that rules gets another value, or a new line is put where it counts.

use tlswhy_wire::CipherSuite;

use super::tokens::{self, Directive};
use crate::dialects::Context;
use crate::language::names;
use crate::mend::{CannotMend, Patch, Want};
use crate::service::{Service, Side};
use crate::setting::{ClientVerification, Setting};
use crate::span::{Origin, Span};

/// The edits that bring about what is wanted.
pub(super) fn mend(context: &Context<'_>, service: &Service, want: &Want) -> Result<Vec<Patch>, CannotMend> {
    let settings = &service.settings;
    let prefix = if service.side == Side::Client { upstream_prefix(service) } else { "ssl" };
    let mender = Mender { context, service };
    match want {
        Want::Versions(versions) => {
            let words: Vec<String> = versions.iter().map(|version| names::version_name(*version)).collect();
            let setting = settings.versions.as_ref();
            let mut patches = mender.set(setting, &format!("{prefix}_protocols"), &words.join(" "))?;
            patches.extend(mender.drop_further(setting, &format!("{prefix}_protocols")));
            // A range set through ssl_conf_command is applied afterwards and wins.
            if let (Some(lowest), Some(command)) = (versions.first(), settings.minimum_version.as_ref()) {
                patches.extend(mender.replace(command, &names::version_name(*lowest)));
            }
            if let (Some(highest), Some(command)) = (versions.last(), settings.maximum_version.as_ref()) {
                patches.extend(mender.replace(command, &names::version_name(*highest)));
            }
            Ok(patches)
        }
        Want::CipherList(suites, level) => {
            let mut text = list(suites)?;
            if let Some(level) = level {
                text.push_str(&format!(":@SECLEVEL={level}"));
            }
            mender.set(settings.cipher_list.as_ref(), &format!("{prefix}_ciphers"), &text)
        }
        Want::CipherSuites(suites) => {
            let names: Vec<String> = suites.iter().map(ToString::to_string).collect();
            let name = format!("{prefix}_conf_command Ciphersuites");
            mender.set(settings.cipher_suites.as_ref(), &name, &names.join(":"))
        }
        Want::Groups(groups) if service.side == Side::Server => {
            let names: Vec<String> = groups.iter().map(|group| names::group_name(*group)).collect();
            mender.set(settings.groups.as_ref(), "ssl_ecdh_curve", &names.join(":"))
        }
        Want::SignatureAlgorithms(schemes) => {
            let names: Vec<String> = schemes.iter().map(ToString::to_string).collect();
            let name = format!("{prefix}_conf_command SignatureAlgorithms");
            mender.set(settings.signature_algorithms.as_ref(), &name, &names.join(":"))
        }
        Want::SecurityLevel(level) => {
            let Some(ciphers) = &settings.cipher_list else { return Err(CannotMend::because("there is no cipher list")) };
            let words: Vec<&str> = ciphers.text.split(':').filter(|word| !word.starts_with("@SECLEVEL")).collect();
            let text = format!("{}:@SECLEVEL={level}", words.join(":"));
            mender.set(Some(ciphers), &format!("{prefix}_ciphers"), &text)
        }
        Want::Certificate(certificate, key) => {
            let mut patches = mender.set(settings.certificates.first(), &format!("{prefix}_certificate"), certificate)?;
            if let Some(key) = key {
                patches.extend(mender.set(settings.keys.first(), &format!("{prefix}_certificate_key"), key)?);
            }
            Ok(patches)
        }
        Want::ClientVerification(verification) if service.side == Side::Server => {
            let word = match verification {
                ClientVerification::Off => "off",
                ClientVerification::Optional => "optional",
                ClientVerification::Required => "on",
            };
            mender.set(settings.client_verification.as_ref(), "ssl_verify_client", word)
        }
        Want::Tls if service.side == Side::Server => mender.speak_tls(),
        Want::AcceptUnknownNames => mender.set(settings.refuses_all.as_ref(), "ssl_reject_handshake", "off"),
        Want::NoDhParameters => match &settings.dh_parameters {
            Some(parameters) => Ok(mender.remove(parameters).into_iter().collect()),
            None => Err(CannotMend::because("no `ssl_dhparam` is set")),
        },
        Want::Name(name) => mender.name(name),
        other => Err(CannotMend::because(format!("nginx has no directive for {other:?}"))),
    }
}

fn upstream_prefix(service: &Service) -> &'static str {
    match service.title.split(' ').next() {
        Some("grpc_pass") => "grpc_ssl",
        Some("uwsgi_pass") => "uwsgi_ssl",
        _ => "proxy_ssl",
    }
}

/// A cipher list by OpenSSL's names.
fn list(suites: &[CipherSuite]) -> Result<String, CannotMend> {
    let names: Vec<&str> = suites.iter().filter_map(|suite| suite.details()?.openssl_name).collect();
    if names.is_empty() {
        return Err(CannotMend::because("OpenSSL has none of these suites"));
    }
    Ok(names.join(":"))
}

struct Mender<'m> {
    context: &'m Context<'m>,
    service: &'m Service,
}

impl Mender<'_> {
    /// The ruling line gets this value; without one, the block that rules gets a line.
    fn set<T>(&self, setting: Option<&Setting<T>>, name: &str, value: &str) -> Result<Vec<Patch>, CannotMend> {
        if let Some(setting) = setting
            && let Origin::File { value: place, .. } = &setting.origin
        {
            let quoted = if name.contains("conf_command") { quoted(value) } else { self.as_written(place, value) };
            return Ok(vec![Patch::replace(place, quoted)]);
        }
        let line = format!("{name} {};", quoted(value));
        let block = self.ruling_block(name).ok_or_else(|| CannotMend::because("the server block cannot be found again"))?;
        // A first `ssl_conf_command` in a block would take away those that it inherits.
        if let Some((directive, _)) = name.split_once(' ')
            && let Some(inherited) = super::inherited(self.context, &block, directive)
            && let Some(bytes) = self.context.files.bytes(&inherited.path)
        {
            return Ok(vec![Patch::line_below(&inherited, bytes, &line)]);
        }
        self.insert(&block, &line).ok_or_else(|| CannotMend::because("the server block cannot be found again"))
    }

    fn replace<T>(&self, setting: &Setting<T>, value: &str) -> Option<Patch> {
        let Origin::File { value: place, .. } = &setting.origin else { return None };
        Some(Patch::replace(place, value))
    }

    /// Keeps the quotes that the old value has.
    fn as_written(&self, place: &Span, value: &str) -> String {
        let old = self.context.files.bytes(&place.path).and_then(|bytes| bytes.get(place.start..place.end));
        match old.and_then(<[u8]>::first) {
            Some(quote @ (b'"' | b'\'')) if old.is_some_and(|old| old.last() == Some(quote)) => {
                let quote = char::from(*quote);
                format!("{quote}{value}{quote}")
            }
            _ if value.contains(';') => quoted(value),
            _ => value.to_owned(),
        }
    }

    /// The further lines of this name in the same block, which add up with the first, go.
    fn drop_further<T>(&self, setting: Option<&Setting<T>>, name: &str) -> Vec<Patch> {
        let Some(at) = setting.and_then(|setting| setting.origin.span()) else { return Vec::new() };
        let Some(bytes) = self.context.files.bytes(&at.path) else { return Vec::new() };
        let (directives, _) = tokens::parse(bytes);
        let Some(siblings) = siblings(&directives, at.start) else { return Vec::new() };
        let further = siblings.iter().filter(|directive| directive.name() == name && directive.span.start != at.start);
        further.map(|directive| whole_line(&at.path, bytes, directive.span.clone())).collect()
    }

    fn remove<T>(&self, setting: &Setting<T>) -> Option<Patch> {
        let at = setting.origin.span()?;
        let bytes = self.context.files.bytes(&at.path)?;
        Some(whole_line(&at.path, bytes, at.start..at.end))
    }

    /// The block in which a new line of this name counts for the service.
    fn ruling_block(&self, name: &str) -> Option<Span> {
        let declared = self.service.declared.clone()?;
        // Of a proxied connection the directive that passes it on is known: its block is the one around it.
        if self.service.side == Side::Client {
            let (directives, _) = tokens::parse(self.context.files.bytes(&declared.path)?);
            let around = around(&directives, declared.start)?;
            return Some(Span { path: declared.path, start: around.span.start, end: around.span.end });
        }
        let of_the_socket = ["ssl_protocols", "ssl_ecdh_curve", "ssl_conf_command Ciphersuites"].contains(&name);
        let program = super::Program::of(self.context);
        if !of_the_socket || program.name_decides_versions() {
            return Some(declared);
        }
        let listener = self.service.listeners.first()?;
        let answers_first = |other: &&Service| {
            other.side == Side::Server
                && other
                    .listeners
                    .iter()
                    .any(|one| one.is_default && (one.address, one.port) == (listener.address, listener.port))
        };
        let reading = super::read(self.context);
        let default = reading.services.iter().find(answers_first).and_then(|default| default.declared.clone());
        Some(default.unwrap_or(declared))
    }

    /// A line below the last `listen` or `server_name` of a block, or at its beginning.
    fn insert(&self, block: &Span, line: &str) -> Option<Vec<Patch>> {
        let bytes = self.context.files.bytes(&block.path)?;
        let (directives, _) = tokens::parse(bytes);
        let directive = find(&directives, block.start)?;
        let inside = directive.block.as_ref()?;
        let heads = ["listen", "server_name"];
        let head = inside.directives.iter().rev().find(|directive| heads.contains(&directive.name()));
        let anchor = head.or(inside.directives.first());
        let Some(anchor) = anchor else {
            return Some(vec![Patch {
                path: block.path.to_string(),
                start: inside.start,
                end: inside.start,
                new: format!(" {line}"),
            }]);
        };
        let span = Span { path: block.path.clone(), start: anchor.span.start, end: anchor.span.end };
        let begins_a_line =
            bytes.get(..anchor.span.start)?.iter().rev().take_while(|byte| **byte != b'\n').all(u8::is_ascii_whitespace);
        // A block on one line stays on one line.
        if !begins_a_line {
            return Some(vec![Patch { path: block.path.to_string(), start: span.end, end: span.end, new: format!(" {line}") }]);
        }
        if head.is_some() {
            Some(vec![Patch::line_below(&span, bytes, line)])
        } else {
            Some(vec![Patch::line_above(&span, bytes, line)])
        }
    }

    fn speak_tls(&self) -> Result<Vec<Patch>, CannotMend> {
        let none = || CannotMend::because("the server has no `listen` line");
        let declared = self.service.declared.as_ref().ok_or_else(none)?;
        if self.service.settings.certificates.is_empty() {
            return Err(CannotMend::because("no `ssl_certificate` is set: `ssl` alone would not help"));
        }
        let bytes = self.context.files.bytes(&declared.path).ok_or_else(none)?;
        let (directives, _) = tokens::parse(bytes);
        let block = find(&directives, declared.start).and_then(|directive| directive.block.as_ref()).ok_or_else(none)?;
        let ports: Vec<String> = self.service.listeners.iter().map(|listener| listener.port.to_string()).collect();
        let of_port = |directive: &&Directive| {
            let address = directive.arguments().next().unwrap_or_default();
            directive.name() == "listen" && ports.iter().any(|port| address == port || address.ends_with(&format!(":{port}")))
        };
        let patches: Vec<Patch> = block
            .directives
            .iter()
            .filter(of_port)
            .filter(|directive| !directive.arguments().any(|word| word == "ssl"))
            .filter_map(|directive| directive.words.get(1))
            .map(|address| Patch {
                path: declared.path.to_string(),
                start: address.span.end,
                end: address.span.end,
                new: " ssl".to_owned(),
            })
            .collect();
        if patches.is_empty() { Err(none()) } else { Ok(patches) }
    }

    fn name(&self, name: &str) -> Result<Vec<Patch>, CannotMend> {
        let none = || CannotMend::because("the server block cannot be found again");
        let declared = self.service.declared.as_ref().ok_or_else(none)?;
        let bytes = self.context.files.bytes(&declared.path).ok_or_else(none)?;
        let (directives, _) = tokens::parse(bytes);
        let block = find(&directives, declared.start).and_then(|directive| directive.block.as_ref()).ok_or_else(none)?;
        let line = block.directives.iter().find(|directive| directive.name() == "server_name");
        match line.and_then(|directive| directive.words.last()) {
            Some(last) => Ok(vec![Patch {
                path: declared.path.to_string(),
                start: last.span.end,
                end: last.span.end,
                new: format!(" {name}"),
            }]),
            None => self.insert(declared, &format!("server_name {name};")).ok_or_else(none),
        }
    }
}

/// The directive that begins at a byte.
fn find(directives: &[Directive], start: usize) -> Option<&Directive> {
    directives.iter().find_map(|directive| {
        if directive.span.start == start {
            return Some(directive);
        }
        directive.block.as_ref().and_then(|block| find(&block.directives, start))
    })
}

/// The directives among which one begins at a byte.
fn siblings(directives: &[Directive], start: usize) -> Option<&[Directive]> {
    if directives.iter().any(|directive| directive.span.start == start) {
        return Some(directives);
    }
    directives.iter().find_map(|directive| siblings(&directive.block.as_ref()?.directives, start))
}

/// The block around the directive that begins at a byte.
fn around(directives: &[Directive], start: usize) -> Option<&Directive> {
    directives.iter().find_map(|directive| {
        let inside = &directive.block.as_ref()?.directives;
        if inside.iter().any(|one| one.span.start == start) { Some(directive) } else { around(inside, start) }
    })
}

/// Takes a directive out, and its line with it where nothing else stands there.
fn whole_line(path: &std::sync::Arc<str>, bytes: &[u8], span: std::ops::Range<usize>) -> Patch {
    let before = bytes.get(..span.start).unwrap_or_default();
    let start = before.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
    let after = bytes.get(span.end..).unwrap_or_default();
    let rest = after.iter().position(|byte| *byte == b'\n').map_or(after.len(), |at| at + 1);
    let blank = |bytes: &[u8]| bytes.iter().all(u8::is_ascii_whitespace);
    let alone = blank(before.get(start..).unwrap_or_default()) && blank(after.get(..rest).unwrap_or_default());
    let (start, end) = if alone { (start, span.end + rest) } else { (span.start, span.end) };
    Patch { path: path.to_string(), start, end, new: String::new() }
}

/// A value as one word.
fn quoted(value: &str) -> String {
    if value.contains([';', '{', '}', '"']) { format!("\"{}\"", value.replace('"', "\\\"")) } else { value.to_owned() }
}
