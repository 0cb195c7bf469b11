//! Edits: elements of `ssl.openssl.ssl-conf-cmd` and the other lines that rule.

use tlswhy_wire::{CipherSuite, ProtocolVersion};

use super::commands::LIST;
use super::tree::{Block, Entry, Reader};
use crate::dialects::Context;
use crate::language::names;
use crate::mend::{CannotMend, Patch, Want};
use crate::service::Service;
use crate::setting::{ClientVerification, Setting};
use crate::span::Origin;

/// The edits that bring about what is wanted.
pub(super) fn mend(context: &Context<'_>, service: &Service, want: &Want) -> Result<Vec<Patch>, CannotMend> {
    let settings = &service.settings;
    let mut reader = Reader::new(context.files, context.main);
    reader.file(context.main, 0, None);
    let mender = Mender::new(context, service, &reader.blocks)?;
    match want {
        Want::Versions(wanted) => {
            let (Some(low), Some(high)) = (wanted.first(), wanted.last()) else {
                return Err(CannotMend::because("no version is wanted"));
            };
            let mut patches: Vec<Patch> = settings.versions.iter().filter_map(|one| replaced(one, "ALL")).collect();
            let mut missing = Vec::new();
            match settings.minimum_version.as_ref().and_then(|one| replaced(one, &names::version_name(*low))) {
                Some(patch) => patches.push(patch),
                None => missing.push(("MinProtocol", names::version_name(*low))),
            }
            match settings.maximum_version.as_ref().and_then(|one| replaced(one, &names::version_name(*high))) {
                Some(patch) => patches.push(patch),
                None if *high != ProtocolVersion::TLSV1_3 => missing.push(("MaxProtocol", names::version_name(*high))),
                None => {}
            }
            patches.extend(mender.put(&missing)?);
            Ok(patches)
        }
        Want::CipherList(suites, level) => {
            let mut text = list(suites)?;
            if let Some(level) = level {
                text.push_str(&format!(":@SECLEVEL={level}"));
            }
            mender.element(settings.cipher_list.as_ref(), "CipherString", &text)
        }
        Want::CipherSuites(suites) => {
            let names: Vec<String> = suites.iter().map(ToString::to_string).collect();
            mender.element(settings.cipher_suites.as_ref(), "Ciphersuites", &names.join(":"))
        }
        Want::Groups(groups) => {
            let names: Vec<String> = groups.iter().map(|group| names::group_name(*group)).collect();
            mender.element(settings.groups.as_ref(), "Groups", &names.join(":"))
        }
        Want::SignatureAlgorithms(schemes) => {
            let names: Vec<String> = schemes.iter().map(ToString::to_string).collect();
            mender.element(settings.signature_algorithms.as_ref(), "SignatureAlgorithms", &names.join(":"))
        }
        Want::SecurityLevel(level) => mender.element(settings.security_level.as_ref(), "SecurityLevel", &level.to_string()),
        Want::Option(option) => match &settings.options {
            Some(options) => Ok(replaced(options, &format!("{}, {option}", options.text)).into_iter().collect()),
            None => mender.put(&[("Options", option.clone())]),
        },
        Want::Certificate(certificate, key) => {
            let line = |name: &str, file: &str| format!("{name} = \"{}\"", escaped(file));
            let mut patches: Vec<Patch> =
                settings.certificates.first().and_then(|one| replaced(one, certificate)).into_iter().collect();
            if patches.is_empty() {
                patches.push(mender.line(&line("ssl.pemfile", certificate))?);
            }
            if let Some(key) = key {
                match settings.keys.first().filter(|one| one.name == "ssl.privkey").and_then(|one| replaced(one, key)) {
                    Some(patch) => patches.push(patch),
                    None => patches.push(mender.line(&line("ssl.privkey", key))?),
                }
            }
            Ok(patches)
        }
        Want::ClientVerification(wanted) => mender.verification(*wanted),
        Want::Tls if settings.tls.as_ref().is_some_and(|one| !one.value) => mender.speak_tls(),
        Want::AcceptUnknownNames if settings.refuses_all.is_some() => mender.own_engine(),
        Want::NoDhParameters => {
            let parameters = settings.dh_parameters.as_ref().ok_or_else(|| CannotMend::because("no `DHParameters` is set"))?;
            Ok(replaced(parameters, "").into_iter().collect())
        }
        other => Err(CannotMend::because(format!("lighttpd has no setting for {other:?}"))),
    }
}

/// A cipher list by OpenSSL's names.
fn list(suites: &[CipherSuite]) -> Result<String, CannotMend> {
    let names: Vec<&str> = suites.iter().filter_map(|suite| suite.details()?.openssl_name).collect();
    if names.is_empty() { Err(CannotMend::because("OpenSSL has none of these suites")) } else { Ok(names.join(":")) }
}

fn escaped(text: &str) -> String {
    text.replace('"', "\\\"")
}

fn replaced<T>(setting: &Setting<T>, value: &str) -> Option<Patch> {
    let Origin::File { value: place, .. } = &setting.origin else { return None };
    Some(Patch::replace(place, format!("\"{}\"", escaped(value))))
}

struct Mender<'m> {
    context: &'m Context<'m>,
    service: &'m Service,
    /// The block that the settings of the socket come from.
    scope: &'m Block,
    global: &'m Block,
}

impl<'m> Mender<'m> {
    fn new(context: &'m Context<'m>, service: &'m Service, blocks: &'m [Block]) -> Result<Mender<'m>, CannotMend> {
        let none = || CannotMend::because("the socket's block cannot be found again");
        let global = blocks.first().ok_or_else(none)?;
        let own = blocks.iter().find(|block| block.head.is_some() && block.head == service.declared);
        let says_more =
            |block: &&Block| block.entries.iter().any(|entry| entry.name.starts_with("ssl.") && entry.name != "ssl.engine");
        Ok(Mender { context, service, scope: own.filter(says_more).unwrap_or(global), global })
    }

    fn element<T>(&self, setting: Option<&Setting<T>>, key: &str, value: &str) -> Result<Vec<Patch>, CannotMend> {
        match setting.and_then(|setting| replaced(setting, value)) {
            Some(patch) => Ok(vec![patch]),
            None => self.put(&[(key, value.to_owned())]),
        }
    }

    /// Elements more in the list that counts for the socket, or a list of them.
    fn put(&self, elements: &[(&str, String)]) -> Result<Vec<Patch>, CannotMend> {
        if elements.is_empty() {
            return Ok(Vec::new());
        }
        let written: Vec<String> = elements.iter().map(|(key, value)| format!("\"{key}\" => \"{}\"", escaped(value))).collect();
        let written = written.join(", ");
        match self.scope.entry(LIST).or_else(|| self.global.entry(LIST)) {
            Some(entry) => self.among(entry, &written).map(|patch| vec![patch]),
            None => Ok(vec![self.line(&format!("{LIST} = ({written})"))?]),
        }
    }

    fn among(&self, entry: &Entry, written: &str) -> Result<Patch, CannotMend> {
        let within = |path: &str, at: usize| path == &*entry.at.path && (entry.at.start..entry.at.end).contains(&at);
        let last = entry.value.elements().iter().rev().find(|(_, at, _)| within(&at.path, at.start));
        let (start, new) = match last {
            Some((_, at, _)) => (at.end, format!(", {written}")),
            None if entry.value.elements().is_empty() => {
                let bytes = self.context.files.bytes(&entry.at.path).unwrap_or_default();
                let line = bytes.get(entry.at.start..entry.at.end).unwrap_or_default();
                let open = line.iter().position(|byte| *byte == b'(');
                let open = open.ok_or_else(|| CannotMend::because("the list is not written where it is set"))?;
                (entry.at.start + open + 1, written.to_owned())
            }
            None => return Err(CannotMend::because("the list is put together from variables")),
        };
        Ok(Patch { path: entry.at.path.to_string(), start, end: start, new })
    }

    /// A line below the certificate of the socket's scope.
    fn line(&self, line: &str) -> Result<Patch, CannotMend> {
        let anchor = ["ssl.pemfile", "ssl.engine"].iter().find_map(|name| self.scope.entry(name));
        let anchor = anchor.or_else(|| self.global.entry("ssl.engine"));
        let anchor = anchor.ok_or_else(|| CannotMend::because("there is no `ssl.` line in the socket's block"))?;
        let bytes = self.context.files.bytes(&anchor.at.path).unwrap_or_default();
        let after = bytes.get(anchor.at.end..).unwrap_or_default();
        let rest = after.iter().take_while(|byte| **byte != b'\n').copied().collect::<Vec<u8>>();
        let text = String::from_utf8_lossy(&rest).trim().to_owned();
        // Where something else stands on the line, statements need a line end between them.
        if !text.is_empty() && !text.starts_with('#') {
            let start = anchor.at.end;
            return Ok(Patch { path: anchor.at.path.to_string(), start, end: start, new: format!("\n{line}\n") });
        }
        Ok(Patch::line_below(&anchor.at, bytes, line))
    }

    fn verification(&self, wanted: ClientVerification) -> Result<Vec<Patch>, CannotMend> {
        let settings = &self.service.settings;
        let activate = settings.client_verification.as_ref();
        if wanted != ClientVerification::Off && settings.trust.is_none() {
            return Err(CannotMend::because("no `ssl.verifyclient.ca-file` is set: lighttpd would not ask without one"));
        }
        let word = if wanted == ClientVerification::Off { "disable" } else { "enable" };
        let mut patches = match activate.and_then(|one| replaced(one, word)) {
            Some(patch) => vec![patch],
            None => vec![self.line(&format!("ssl.verifyclient.activate = \"{word}\""))?],
        };
        if wanted != ClientVerification::Off {
            let word = if wanted == ClientVerification::Required { "enable" } else { "disable" };
            let name = "ssl.verifyclient.enforce";
            match self.scope.entry(name).or_else(|| self.global.entry(name)) {
                Some(entry) => patches.push(Patch::replace(&entry.value.span, format!("\"{word}\""))),
                None => patches.push(self.line(&format!("{name} = \"{word}\""))?),
            }
        }
        Ok(patches)
    }

    /// `ssl.engine` in the block of a socket that has no `ssl.` setting.
    fn own_engine(&self) -> Result<Vec<Patch>, CannotMend> {
        let none = || CannotMend::because("the socket's block cannot be found again");
        let head = self.service.declared.as_ref().ok_or_else(none)?;
        let bytes = self.context.files.bytes(&head.path).ok_or_else(none)?;
        let open = bytes.get(head.end..).and_then(|rest| rest.iter().position(|byte| *byte == b'{')).ok_or_else(none)?;
        let start = head.end + open + 1;
        let new = " ssl.engine = \"enable\"\n".to_owned();
        Ok(vec![Patch { path: head.path.to_string(), start, end: start, new }])
    }

    fn speak_tls(&self) -> Result<Vec<Patch>, CannotMend> {
        if self.scope.entry("ssl.pemfile").is_none() {
            return Err(CannotMend::because("no `ssl.pemfile` is set: `ssl.engine` alone would keep lighttpd from starting"));
        }
        let tls = self.service.settings.tls.as_ref();
        match tls.and_then(|tls| replaced(tls, "enable")) {
            Some(patch) => Ok(vec![patch]),
            None => Ok(vec![self.line("ssl.engine = \"enable\"")?]),
        }
    }
}
