//! Edits: the word that rules gets another value, or the `bind` or `server` line gets a word more.

use tlswhy_wire::{CipherSuite, ProtocolVersion};

use super::{Program, tokens, versions};
use crate::dialects::Context;
use crate::language::names;
use crate::mend::{CannotMend, Patch, Want};
use crate::service::{Service, Side};
use crate::setting::{ClientVerification, Setting};
use crate::span::{Origin, Span};

/// The edits that bring about what is wanted.
pub(super) fn mend(context: &Context<'_>, service: &Service, want: &Want) -> Result<Vec<Patch>, CannotMend> {
    let settings = &service.settings;
    let program = Program::of(context);
    let mender = Mender { context, service };
    let is_server = service.side == Side::Server;
    match want {
        Want::Versions(wanted) => mender.versions(wanted),
        Want::CipherList(suites, level) => {
            let mut text = list(suites)?;
            if let Some(level) = level {
                text.push_str(&format!(":@SECLEVEL={level}"));
            }
            mender.set(settings.cipher_list.as_ref(), "ciphers", &text)
        }
        Want::CipherSuites(suites) => {
            let names: Vec<String> = suites.iter().map(ToString::to_string).collect();
            mender.set(settings.cipher_suites.as_ref(), "ciphersuites", &names.join(":"))
        }
        Want::Groups(_) if !is_server && !program.since(3, 0) => {
            Err(CannotMend::because("`curves` on a `server` line needs HAProxy 3.0"))
        }
        Want::Groups(groups) => {
            let names: Vec<String> = groups.iter().map(|group| names::group_name(*group)).collect();
            mender.set(settings.groups.as_ref(), "curves", &names.join(":"))
        }
        Want::SignatureAlgorithms(_) if !program.since(2, 8) => Err(CannotMend::because("`sigalgs` needs HAProxy 2.8")),
        Want::SignatureAlgorithms(schemes) => {
            let names: Vec<String> = schemes.iter().map(ToString::to_string).collect();
            mender.set(settings.signature_algorithms.as_ref(), "sigalgs", &names.join(":"))
        }
        Want::SecurityLevel(level) => match (&settings.security_level, &settings.cipher_list) {
            (Some(setting), _) => mender.set(Some(setting), "ssl-security-level", &level.to_string()),
            (None, Some(ciphers)) => {
                let words: Vec<&str> = ciphers.text.split(':').filter(|word| !word.starts_with("@SECLEVEL")).collect();
                mender.set(Some(ciphers), "ciphers", &format!("{}:@SECLEVEL={level}", words.join(":")))
            }
            (None, None) => mender.set::<String>(None, "ciphers", &format!("DEFAULT:@SECLEVEL={level}")),
        },
        Want::Certificate(certificate, key) => {
            let beside = format!("{certificate}.key");
            if key.as_ref().is_some_and(|key| *key != beside && key != certificate) {
                let why = format!("HAProxy reads the key from the certificate's file or from {beside}");
                return Err(CannotMend::because(why));
            }
            mender.set(settings.certificates.first(), "crt", certificate)
        }
        Want::ClientVerification(wanted) if is_server => {
            let word = match wanted {
                ClientVerification::Off => "none",
                ClientVerification::Optional => "optional",
                ClientVerification::Required => "required",
            };
            if *wanted != ClientVerification::Off && settings.trust.is_none() {
                return Err(CannotMend::because("no `ca-file` is named: HAProxy would not start with `verify` alone"));
            }
            mender.set(settings.client_verification.as_ref(), "verify", word)
        }
        Want::Alpn(protocols) if protocols.is_empty() => match &settings.alpn {
            Some(alpn) if alpn.origin.span().is_some() && !program.since(2, 8) => Ok(mender.remove(alpn).into_iter().collect()),
            Some(_) => mender.insert("no-alpn"),
            None => Err(CannotMend::because("no `alpn` is set")),
        },
        Want::Alpn(protocols) => mender.set(settings.alpn.as_ref(), "alpn", &protocols.join(",")),
        Want::Tls if is_server => mender.speak_tls(),
        Want::AcceptUnknownNames => match &settings.refuses_unknown_names {
            Some(strict) => Ok(mender.remove(strict).into_iter().collect()),
            None => Err(CannotMend::because("no `strict-sni` is set")),
        },
        Want::NoDhParameters => match &settings.dh_parameters {
            Some(parameters) => Ok(mender.remove(parameters).into_iter().collect()),
            None => Err(CannotMend::because("no `ssl-dh-param-file` is set")),
        },
        Want::Name(_) if service.names_from_certificates => {
            Err(CannotMend::because("HAProxy takes the names from the certificates: a certificate for this name is needed"))
        }
        Want::Name(name) => mender.filter(name),
        other => Err(CannotMend::because(format!("HAProxy has no word for {other:?}"))),
    }
}

/// A cipher list by OpenSSL's names.
fn list(suites: &[CipherSuite]) -> Result<String, CannotMend> {
    let names: Vec<&str> = suites.iter().filter_map(|suite| suite.details()?.openssl_name).collect();
    if names.is_empty() { Err(CannotMend::because("OpenSSL has none of these suites")) } else { Ok(names.join(":")) }
}

struct Mender<'m> {
    context: &'m Context<'m>,
    service: &'m Service,
}

impl Mender<'_> {
    /// The ruling word gets this value; without one, the line gets word and value.
    fn set<T>(&self, setting: Option<&Setting<T>>, word: &str, value: &str) -> Result<Vec<Patch>, CannotMend> {
        if let Some(setting) = setting
            && let Origin::File { at, value: place, .. } = &setting.origin
        {
            // `ecdhe` counts only where no `curves` is set; a list belongs into `curves`.
            if word == "curves" && setting.name == "ecdhe" {
                return Ok(vec![Patch::replace(at, format!("curves {value}"))]);
            }
            return Ok(vec![Patch::replace(place, value)]);
        }
        self.insert(&format!("{word} {value}"))
    }

    /// Words at the end of the `bind` or `server` line.
    fn insert(&self, words: &str) -> Result<Vec<Patch>, CannotMend> {
        let none = || CannotMend::because("the line cannot be found again");
        let line = self.service.declared.as_ref().ok_or_else(none)?;
        Ok(vec![Patch { path: line.path.to_string(), start: line.end, end: line.end, new: format!(" {words}") }])
    }

    /// Takes a word and its value out, with the blanks before it; a line of its own goes whole.
    fn remove<T>(&self, setting: &Setting<T>) -> Option<Patch> {
        let at = setting.origin.span()?;
        Some(self.without(at))
    }

    fn without(&self, at: &Span) -> Patch {
        let bytes = self.context.files.bytes(&at.path).unwrap_or_default();
        let (start, end) = line_around(bytes, at.start);
        let words = tokens::words(bytes, &(start..end), &std::collections::HashMap::new()).words;
        // With nothing but the directive's name left, the line has no meaning.
        let outside = words.iter().filter(|word| word.span.end <= at.start || word.span.start >= at.end).count();
        let alone = outside == 0 || outside == 1 && words.first().is_some_and(|first| first.text.ends_with("-options"));
        if alone {
            let end = (end + 1).min(bytes.len());
            return Patch { path: at.path.to_string(), start, end, new: String::new() };
        }
        let before = bytes.get(..at.start).unwrap_or_default();
        let blanks = before.iter().rev().take_while(|byte| matches!(byte, b' ' | b'\t')).count();
        Patch { path: at.path.to_string(), start: at.start - blanks, end: at.end, new: String::new() }
    }

    fn versions(&self, wanted: &[ProtocolVersion]) -> Result<Vec<Patch>, CannotMend> {
        let (Some(low), Some(high)) = (wanted.first().copied(), wanted.last().copied()) else {
            return Err(CannotMend::because("no version is wanted"));
        };
        let (lowest, highest) =
            (self.service.settings.minimum_version.as_ref(), self.service.settings.maximum_version.as_ref());
        let word = |setting: Option<&Setting<ProtocolVersion>>| {
            setting.and_then(|one| one.name.rsplit(' ').next()).unwrap_or_default().to_owned()
        };
        let in_file = |setting: Option<&Setting<ProtocolVersion>>| setting.and_then(|one| one.origin.span()).cloned();
        let (low_word, high_word) = (word(lowest), word(highest));
        let (low_at, high_at) = (in_file(lowest), in_file(highest));
        let (minimum, maximum) = (format!("ssl-min-ver {low}"), format!("ssl-max-ver {high}"));
        let needs_maximum = highest.is_some() || high != ProtocolVersion::TLSV1_3;
        let mut patches = Vec::new();
        // `force-*` and `no-*` give way to a range; where they stand twice (as both ends), they are replaced once.
        let is_old = |word: &str| versions::of_word(word).is_some();
        let mut missing = Vec::new();
        match (low_word.as_str(), lowest, low_at.as_ref()) {
            ("ssl-min-ver", Some(setting), Some(_)) => patches.extend(replaced(setting, &low.to_string())),
            (old, _, Some(at)) if is_old(old) => {
                let both = high_at.as_ref() == Some(at);
                let new = if both { format!("{minimum} {maximum}") } else { minimum };
                patches.push(Patch::replace(at, new));
            }
            _ => missing.push(minimum),
        }
        match (high_word.as_str(), highest, high_at.as_ref()) {
            ("ssl-max-ver", Some(setting), Some(_)) => patches.extend(replaced(setting, &high.to_string())),
            (old, _, Some(at)) if is_old(old) && low_at.as_ref() == Some(at) => {}
            (old, _, Some(at)) if is_old(old) => patches.push(Patch::replace(at, maximum)),
            _ if needs_maximum => missing.push(maximum),
            _ => {}
        }
        if !missing.is_empty() {
            patches.extend(self.insert(&missing.join(" "))?);
        }
        patches.extend(self.exclusions(&patches));
        Ok(patches)
    }

    /// The `no-*` words of the same lines, which a range makes idle, go.
    fn exclusions(&self, patches: &[Patch]) -> Vec<Patch> {
        let mut further: Vec<Patch> = Vec::new();
        for patch in patches {
            let Some(bytes) = self.context.files.bytes(&patch.path) else { continue };
            let (start, end) = line_around(bytes, patch.start);
            let path = self.context.files.path(&patch.path);
            for word in tokens::words(bytes, &(start..end), &std::collections::HashMap::new()).words {
                let idle = word.text.starts_with("no-") && versions::of_word(&word.text).is_some();
                let touched = patches.iter().any(|patch| patch.start <= word.span.start && word.span.end <= patch.end);
                let span = Span { path: path.clone(), start: word.span.start, end: word.span.end };
                if idle && !touched && !further.iter().any(|done| done.path == patch.path && done.end == span.end) {
                    let blanks = bytes.get(..span.start).unwrap_or_default().iter().rev();
                    let blanks = blanks.take_while(|byte| matches!(byte, b' ' | b'\t')).count();
                    let start = span.start - blanks;
                    further.push(Patch { path: patch.path.clone(), start, end: span.end, new: String::new() });
                }
            }
        }
        further
    }

    fn speak_tls(&self) -> Result<Vec<Patch>, CannotMend> {
        let none = || CannotMend::because("the line cannot be found again");
        let line = self.service.declared.as_ref().ok_or_else(none)?;
        let bytes = self.context.files.bytes(&line.path).ok_or_else(none)?;
        let words = tokens::words(bytes, &(line.start..line.end), &std::collections::HashMap::new()).words;
        if !words.iter().any(|word| word.text == "crt" || word.text == "crt-list") {
            return Err(CannotMend::because("the line names no certificate (`crt`): `ssl` alone would not help"));
        }
        let address = words.get(1).ok_or_else(none)?;
        Ok(vec![Patch { path: line.path.to_string(), start: address.span.end, end: address.span.end, new: " ssl".to_owned() }])
    }

    /// A filter more at the end of the entry's line.
    fn filter(&self, name: &str) -> Result<Vec<Patch>, CannotMend> {
        let none = || CannotMend::because("the entry of the crt-list cannot be found again");
        let at = self.service.settings.certificates.first().and_then(|one| one.origin.span()).ok_or_else(none)?;
        let bytes = self.context.files.bytes(&at.path).ok_or_else(none)?;
        let (_, mut end) = line_around(bytes, at.start);
        while end > at.end && bytes.get(end - 1).is_some_and(u8::is_ascii_whitespace) {
            end -= 1;
        }
        Ok(vec![Patch { path: at.path.to_string(), start: end, end, new: format!(" {name}") }])
    }
}

fn replaced<T>(setting: &Setting<T>, value: &str) -> Option<Patch> {
    let Origin::File { value: place, .. } = &setting.origin else { return None };
    Some(Patch::replace(place, value))
}

/// The line of a byte, its end left out.
fn line_around(bytes: &[u8], at: usize) -> (usize, usize) {
    let before = bytes.get(..at).unwrap_or(bytes);
    let start = before.iter().rposition(|byte| *byte == b'\n').map_or(0, |newline| newline + 1);
    let end = bytes.get(at..).unwrap_or_default().iter().position(|byte| *byte == b'\n').map_or(bytes.len(), |rest| at + rest);
    (start, end)
}
