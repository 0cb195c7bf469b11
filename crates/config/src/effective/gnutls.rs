//! Programs on GnuTLS: the priority string that they give it, or its default, under the system's file.
//!
//! Measured on 3.7.9, by the hellos of gnutls-cli, wget and git.

use tlswhy_wire::{CipherSuite, KeyExchange, ProtocolVersion};

use super::{Effective, Reduction, as_set};
use crate::dialects::gnutls::{self, Policy};
use crate::files::Files;
use crate::language::gnutls_priority::{
    Library, Priority, System, priority, speaks_of_group, speaks_of_scheme, speaks_of_suite, speaks_of_version,
};
use crate::release::Release;
use crate::service::{Service, Side};
use crate::setting::{Language, Setting};
use crate::span::Origin;

/// How many names a reduction lists.
const NAMED: usize = 4;

pub(super) fn effective(service: &Service, files: &Files<'_>, release: Option<Release>) -> Effective {
    let Some(release) = release.or_else(|| files.release_of("gnutls")) else { return without_ssl_3(as_set(service)) };
    let policy = gnutls::policy_for(service, files, release);
    let Some((text, by)) = string(service, files, &policy, release) else { return without_ssl_3(as_set(service)) };
    let library = gnutls::library(files, release);
    let bound = match priority(&text, &library, &policy.system) {
        Ok(bound) => bound,
        Err(refused) => {
            let reductions = vec![Reduction { what: "every version".to_owned(), why: refused.in_words(), by }];
            return Effective { versions: Some(Vec::new()), reductions, ..Effective::default() };
        }
    };
    let reductions = reductions(&text, &bound, &library, &policy);
    result(service, bound, reductions)
}

/// The priority string of a service and where it comes from; `None` where it is not known.
fn string(service: &Service, files: &Files<'_>, policy: &Policy, release: Release) -> Option<(String, Origin)> {
    let own = service.settings.cipher_list.as_ref().filter(|list| list.value.language == Language::GnuTls);
    match own {
        Some(own) => Some((own.value.text.clone(), own.origin.clone())),
        None if service.heeds.cipher_list => {
            let Setting { value, origin, .. } = gnutls::default_string(policy, files, release);
            Some((value, origin))
        }
        None => None,
    }
}

fn result(service: &Service, bound: Priority, reductions: Vec<Reduction>) -> Effective {
    let (suites_13, mut suites): (Vec<CipherSuite>, Vec<CipherSuite>) =
        bound.suites.iter().partition(|suite| suite.0 >> 8 == 0x13);
    // Without a key or a password that both sides hold, and without anonymous credentials, these are never offered (measured).
    suites.retain(|suite| {
        let exchange = suite.details().map(|row| row.key_exchange);
        !super::openssl::needs_a_secret(*suite) && !matches!(exchange, Some(KeyExchange::DhAnon | KeyExchange::EcdhAnon))
    });
    let mut versions = bound.versions.clone();
    versions.sort_unstable_by(|a, b| b.cmp(a));
    // Without extensions nothing is said of these.
    let says = !bound.option("NO_EXTENSIONS");
    Effective {
        versions: Some(versions),
        cipher_suites: Some(suites),
        cipher_suites_13: Some(suites_13),
        groups: says.then(|| bound.groups.clone()),
        signature_schemes: says.then(|| bound.signature_schemes.clone()),
        security_level: None,
        server_preference: (service.side == Side::Server).then(|| bound.option("SERVER_PRECEDENCE")),
        // It goes on without RFC 5746 unless a word insists (measured on 3.7.9).
        legacy_servers: (service.side == Side::Client).then(|| !bound.option("SAFE_RENEGOTIATION")),
        reductions,
    }
}

/// What the lines of the system's file take from a string, line by line.
fn reductions(text: &str, bound: &Priority, library: &Library, policy: &Policy) -> Vec<Reduction> {
    let without = System { keywords: policy.system.keywords.clone(), ..System::default() };
    // A list of what is allowed takes from what would be on without it.
    let text = if policy.mode.is_some() && text.starts_with("@SYSTEM") { "NORMAL" } else { text };
    let Ok(free) = priority(text, library, &without) else { return Vec::new() };
    let versions = gone(&free.versions, &bound.versions);
    let suites = gone(&free.suites, &bound.suites);
    let groups = gone(&free.groups, &bound.groups);
    let schemes = gone(&free.signature_schemes, &bound.signature_schemes);
    if let Some(mode) = &policy.mode {
        let all = names(&versions).chain(names(&suites)).chain(names(&groups)).chain(names(&schemes)).collect();
        let why = "what the file does not list is off under `override-mode = allowlist`".to_owned();
        return reduction(all, why, mode.origin.clone()).into_iter().collect();
    }
    let mut reductions = Vec::new();
    for line in &policy.lines {
        let (kind, algorithm) = (line.kind, line.algorithm);
        let taken = names(versions.iter().filter(|version| speaks_of_version(kind, algorithm, **version)))
            .chain(names(suites.iter().filter(|suite| speaks_of_suite(kind, algorithm, **suite))))
            .chain(names(groups.iter().filter(|group| speaks_of_group(kind, algorithm, **group))))
            .chain(names(schemes.iter().filter(|scheme| speaks_of_scheme(kind, algorithm, **scheme))));
        let Setting { name, text, origin, .. } = &line.setting;
        let why = format!("the system's `{name} = {text}` switches it off for every program on GnuTLS");
        reductions.extend(reduction(taken.collect(), why, origin.clone()));
    }
    let by_a_line =
        |version: &ProtocolVersion| policy.lines.iter().any(|line| speaks_of_version(line.kind, line.algorithm, *version));
    let rest = names(versions.iter().filter(|version| !by_a_line(version))).collect();
    let why = "with what the system's file leaves GnuTLS does not offer it".to_owned();
    reductions.extend(reduction(rest, why, Origin::built_in("GnuTLS")));
    reductions
}

fn gone<T: PartialEq + Copy>(free: &[T], bound: &[T]) -> Vec<T> {
    free.iter().filter(|one| !bound.contains(one)).copied().collect()
}

fn names<'n, T: ToString + 'n>(list: impl IntoIterator<Item = &'n T>) -> impl Iterator<Item = String> {
    list.into_iter().map(ToString::to_string)
}

fn reduction(names: Vec<String>, why: String, by: Origin) -> Option<Reduction> {
    let shown: Vec<&str> = names.iter().take(NAMED).map(String::as_str).collect();
    let what = match names.len() {
        0 => return None,
        count if count > NAMED => format!("{} and {} more", shown.join(", "), count - NAMED),
        _ => shown.join(", "),
    };
    Some(Reduction { what, why, by })
}

/// GnuTLS has SSL 3.0 no more, unless built with it on purpose (since 3.4.0, its NEWS; measured on Debian's 3.7.9).
fn without_ssl_3(mut effective: Effective) -> Effective {
    let Some(versions) = &mut effective.versions else { return effective };
    let before = versions.len();
    versions.retain(|version| *version > ProtocolVersion::SSLV3);
    if versions.len() < before {
        effective.reductions.push(Reduction {
            what: ProtocolVersion::SSLV3.to_string(),
            why: "GnuTLS is built without it".to_owned(),
            by: Origin::built_in("GnuTLS"),
        });
    }
    effective
}
