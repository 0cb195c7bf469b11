//! What the system's file says to every program on GnuTLS.
//!
//! Sources: the manual's chapter on the system-wide configuration (<https://gnutls.org/manual/gnutls.html>), NEWS, lib/priority.c;
//! measured by the hellos of gnutls-cli 3.7.9 and by `--list` of 3.6.13 to 3.8.13.

use super::ini::{self, Entry, Ini, is_blank};
use crate::files::{Content, Files, normal};
use crate::language::gnutls_priority::{Kind, System, known};
use crate::release::Release;
use crate::service::Note;
use crate::setting::Setting;
use crate::span::Origin;

/// One key of `[overrides]` that lists algorithms: what it speaks of, whether it is for a list of what is allowed, and since when.
struct Key {
    name: &'static str,
    kind: Kind,
    allows: bool,
}

const fn off(name: &'static str, kind: Kind) -> Key {
    Key { name, kind, allows: false }
}

const fn on(name: &'static str, kind: Kind) -> Key {
    Key { name, kind, allows: true }
}

const KEYS: &[Key] = &[
    off("disabled-curve", Kind::Curve),
    off("disabled-version", Kind::Version),
    off("insecure-hash", Kind::Digest),
    off("insecure-sig", Kind::Signature),
    off("insecure-sig-for-cert", Kind::SignatureOfCertificates),
    off("tls-disabled-cipher", Kind::Cipher),
    off("tls-disabled-group", Kind::Group),
    off("tls-disabled-kx", Kind::KeyExchange),
    off("tls-disabled-mac", Kind::Mac),
    on("enabled-curve", Kind::Curve),
    on("enabled-version", Kind::Version),
    on("secure-hash", Kind::Digest),
    on("secure-sig", Kind::Signature),
    on("secure-sig-for-cert", Kind::SignatureOfCertificates),
    on("tls-enabled-cipher", Kind::Cipher),
    on("tls-enabled-group", Kind::Group),
    on("tls-enabled-kx", Kind::KeyExchange),
    on("tls-enabled-mac", Kind::Mac),
];

/// Keys that do not bear on what a hello offers, with the release that brought each.
const OTHER_KEYS: &[(&str, Release)] = &[
    ("min-verification-profile", OVERRIDES),
    ("allow-rsa-pkcs1-encrypt", Release::new(3, 8, 5)),
    ("cert-compression-alg", Release::new(3, 8, 10)),
];

const OVERRIDES: Release = Release::new(3, 6, 9);
const DEFAULT_PRIORITY: Release = Release::new(3, 6, 12);
const ALLOWLIST: Release = Release::new(3, 7, 3);

/// Most lines of `[priorities]`.
const MOST_KEYWORDS: usize = 1_000;

/// The key that lists algorithms of this kind, in this mode.
pub(super) fn key_of(kind: Kind, allows: bool) -> Option<&'static str> {
    KEYS.iter().find(|key| key.kind == kind && key.allows == allows).map(|key| key.name)
}

/// One line of `[overrides]` that has effect.
#[derive(Clone, Debug)]
pub(crate) struct Line {
    pub(crate) kind: Kind,
    /// The algorithm, by GnuTLS's name.
    pub(crate) algorithm: &'static str,
    /// The line as a setting: its key and value.
    pub(crate) setting: Setting<()>,
}

/// What a file says.
#[derive(Clone, Debug, Default)]
pub(crate) struct Policy {
    /// It as priority strings meet it.
    pub(crate) system: System,
    /// The lines that list algorithms, in order.
    pub(crate) lines: Vec<Line>,
    /// `default-priority-string`.
    pub(crate) default: Option<Setting<String>>,
    /// `override-mode = allowlist`.
    pub(crate) mode: Option<Setting<()>>,
    /// The lines of `[priorities]`.
    pub(crate) keywords: Vec<Setting<String>>,
    /// What is there and has no effect.
    pub(crate) notes: Vec<Note>,
    /// The file as lines.
    pub(super) ini: Ini,
}

/// Distributions that build GnuTLS for their crypto-policies: another place of the file, and another default. After the build files of
/// Fedora.
const WITH_CRYPTO_POLICIES: &[&str] = &["rhel", "fedora", "centos", "rocky", "alma", "ol", "oracle"];
const OF_CRYPTO_POLICIES: &str = "/etc/crypto-policies/back-ends/gnutls.config";
const UPSTREAM: &str = "/etc/gnutls/config";

/// Whether this machine's GnuTLS is built for crypto-policies; `None` where its distribution is not known.
pub(crate) fn for_crypto_policies(files: &Files<'_>) -> Option<bool> {
    let system = files.software("system")?.version.as_deref()?.to_ascii_lowercase();
    Some(WITH_CRYPTO_POLICIES.iter().any(|id| system.starts_with(id)))
}

/// The policy of the file that programs read: the one that GNUTLS_SYSTEM_PRIORITY_FILE names, or the distribution's. Empty where there
/// is none.
pub(crate) fn policy(files: &Files<'_>, release: Release) -> Policy {
    let named = files.environment("GNUTLS_SYSTEM_PRIORITY_FILE");
    // The library opens what the variable says, and of no name comes no file.
    if named.is_some_and(str::is_empty) {
        return Policy::default();
    }
    let path = named.map(normal).or_else(|| match for_crypto_policies(files) {
        Some(true) => Some(OF_CRYPTO_POLICIES.to_owned()),
        Some(false) => Some(UPSTREAM.to_owned()),
        None => {
            let there = [OF_CRYPTO_POLICIES, UPSTREAM].into_iter().find(|path| matches!(files.look(path), Content::Bytes(_)));
            there.map(str::to_owned)
        }
    });
    path.map(|path| of_file(files, &path, Some(release))).unwrap_or_default()
}

/// What this file says to a release; an unknown one counts as new.
pub(crate) fn of_file(files: &Files<'_>, path: &str, release: Option<Release>) -> Policy {
    let mut policy = Policy::default();
    let Content::Bytes(bytes) = files.text(path) else { return policy };
    policy.ini = ini::read(&files.path(path), bytes);
    if !policy.ini.wrong.is_empty() {
        return policy;
    }
    let since = |least: Release| release.is_none_or(|release| release >= least);
    let entries = std::mem::take(&mut policy.ini.entries);
    let in_section = |entry: &Entry, name: &str| entry.section.eq_ignore_ascii_case(name);
    for entry in entries.iter().filter(|entry| in_section(entry, "global")) {
        policy.global(entry, since(ALLOWLIST));
    }
    for entry in &entries {
        if entry.section.is_empty() || in_section(entry, "priorities") {
            policy.keyword(entry);
        } else if in_section(entry, "overrides") {
            policy.overrides(entry, release, since(OVERRIDES));
        } else if !in_section(entry, "global") && !in_section(entry, "provider") {
            policy.note(entry, format!("GnuTLS has no section [{}]", entry.section));
        }
    }
    policy.ini.entries = entries;
    policy.system.listed = policy.lines.iter().map(|line| (line.kind, line.algorithm)).collect();
    policy
}

fn setting<T>(entry: &Entry, value: T) -> Setting<T> {
    let origin = Origin::file(entry.at.clone(), entry.value_at.clone(), None);
    Setting::new(entry.name.clone(), value, entry.value.clone(), origin)
}

/// The value as far as its first blank: the library takes no more.
fn first_word(value: &str) -> &str {
    let end = value.bytes().position(is_blank).unwrap_or(value.len());
    value.get(..end).unwrap_or_default()
}

impl Policy {
    fn note(&mut self, entry: &Entry, says: String) {
        self.notes.push(Note { at: Some(entry.at.clone()), says });
    }

    fn global(&mut self, entry: &Entry, allowlist: bool) {
        if !entry.name.eq_ignore_ascii_case("override-mode") {
            return;
        }
        match first_word(&entry.value).to_ascii_lowercase().as_str() {
            _ if !allowlist => self.note(entry, format!("`{}` came with GnuTLS {ALLOWLIST}: it is passed over", entry.name)),
            "allowlist" => self.mode = Some(setting(entry, ())),
            "blocklist" => self.mode = None,
            other => self.note(entry, format!("there is no override mode {other:?}: the line is passed over")),
        }
        self.system.allows = self.mode.is_some();
    }

    fn keyword(&mut self, entry: &Entry) {
        if self.keywords.len() >= MOST_KEYWORDS {
            let says = format!("more than {MOST_KEYWORDS} priority strings: this one and the rest are not read");
            if self.notes.last().is_none_or(|last| last.says != says) {
                self.note(entry, says);
            }
            return;
        }
        if let Some(first) = self.keywords.iter().find(|known| known.name == entry.name) {
            let says = format!("`{}` stands there before, and the first one counts", first.name);
            self.note(entry, says);
            return;
        }
        self.system.keywords.push((entry.name.clone(), entry.value.clone()));
        self.keywords.push(setting(entry, entry.value.clone()));
    }

    fn overrides(&mut self, entry: &Entry, release: Option<Release>, has_overrides: bool) {
        let since = |least: Release| release.is_none_or(|release| release >= least);
        if !has_overrides {
            self.note(entry, format!("[overrides] came with GnuTLS {OVERRIDES}: it is passed over"));
            return;
        }
        if entry.indented {
            let says = format!("an indented line is another value of `{}`, the name before it", entry.name);
            self.note(entry, says);
        }
        let is = |name: &str| entry.name.eq_ignore_ascii_case(name);
        let word = first_word(&entry.value);
        if is("default-priority-string") {
            if !since(DEFAULT_PRIORITY) {
                self.note(entry, format!("`{}` came with GnuTLS {DEFAULT_PRIORITY}: it is passed over", entry.name));
            } else if word.is_empty() {
                self.note(entry, format!("`{}` is empty: the library's own default counts", entry.name));
                self.default = None;
            } else {
                let earlier = self.default.take();
                let mut ruling = setting(entry, word.to_owned());
                ruling.shadowed.extend(earlier.map(|earlier| crate::setting::Shadowed {
                    name: earlier.name,
                    text: earlier.text,
                    origin: earlier.origin,
                    why: "a later line of the same name counts".to_owned(),
                    meant_to_count: true,
                }));
                self.default = Some(ruling);
            }
            return;
        }
        if let Some((name, least)) = OTHER_KEYS.iter().find(|(name, _)| is(name)) {
            if !since(*least) {
                self.note(entry, format!("`{name}` came with GnuTLS {least}: it is passed over"));
            }
            return;
        }
        let Some(key) = KEYS.iter().find(|key| is(key.name)) else {
            return self.note(entry, format!("GnuTLS has no key `{}`", entry.name));
        };
        if key.allows != self.system.allows {
            let mode =
                if key.allows { "with `override-mode = allowlist` alone" } else { "without `override-mode = allowlist` alone" };
            return self.note(entry, format!("`{}` counts {mode}", key.name));
        }
        let beginning = |word: &str| word.get(..6).is_some_and(|lead| lead.eq_ignore_ascii_case("group-"));
        let algorithm = match (key.kind, word.get(6..)) {
            (Kind::Group, Some(rest)) if beginning(word) => rest,
            // Older releases take six bytes off, whatever they are.
            (Kind::Group, Some(rest)) if !since(ALLOWLIST) && !rest.is_empty() => rest,
            _ => word,
        };
        match known(key.kind, algorithm) {
            Some(algorithm) => {
                if word.len() < entry.value.len() {
                    self.note(entry, format!("the first word counts, `{word}`; the rest of the line is passed over"));
                }
                self.lines.push(Line { kind: key.kind, algorithm, setting: setting(entry, ()) });
            }
            None => self.note(entry, format!("GnuTLS knows no {word:?} here: the line is passed over")),
        }
    }
}
