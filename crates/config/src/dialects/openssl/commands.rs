//! The commands of a section (SSL_CONF_cmd) put to work on a new context, in their order.
//!
//! Sources: SSL_CONF_cmd(3), ssl/ssl_conf.c of 1.1.0i and 3.6.3; what counts and what is refused was measured on 1.1.1w, 3.0.19 and
//! 3.6.5 by the hello that `s_client` sends.

use tlswhy_wire::ProtocolVersion;

use super::conf::{Conf, Entry};
use super::values;
use crate::dialects::MOST_GENERAL;
use crate::language::openssl_ciphers::{Library, Refused, cipher_list};
use crate::release::Release;
use crate::service::{Note, Side, Trouble};
use crate::setting::{CipherList, Language, MOST_SHADOWED, Setting, Settings, Shadowed};
use crate::span::Origin;

/// What a command sets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Slot {
    Minimum,
    Maximum,
    Versions,
    CipherList,
    Suites,
    Groups,
    Signatures,
    Options,
    Verify,
    /// Nothing that is told of here.
    Other,
}

/// Whose context takes a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Takes {
    Any,
    /// A server's alone.
    Server,
    /// Only where a program asks for the section by name.
    Named,
}

/// The commands of a file; letter case does not matter in their names.
const COMMANDS: &[(&str, Slot, Takes)] = &[
    ("MinProtocol", Slot::Minimum, Takes::Any),
    ("MaxProtocol", Slot::Maximum, Takes::Any),
    ("Protocol", Slot::Versions, Takes::Any),
    ("CipherString", Slot::CipherList, Takes::Any),
    ("Ciphersuites", Slot::Suites, Takes::Any),
    ("Groups", Slot::Groups, Takes::Any),
    ("Curves", Slot::Groups, Takes::Any),
    ("ECDHParameters", Slot::Other, Takes::Server),
    ("SignatureAlgorithms", Slot::Signatures, Takes::Any),
    ("ClientSignatureAlgorithms", Slot::Other, Takes::Any),
    ("Options", Slot::Options, Takes::Any),
    ("VerifyMode", Slot::Verify, Takes::Any),
    ("RecordPadding", Slot::Other, Takes::Any),
    ("NumTickets", Slot::Other, Takes::Server),
    ("Certificate", Slot::Other, Takes::Named),
    ("PrivateKey", Slot::Other, Takes::Named),
    ("ServerInfoFile", Slot::Other, Takes::Named),
    ("ChainCAPath", Slot::Other, Takes::Named),
    ("ChainCAFile", Slot::Other, Takes::Named),
    ("ChainCAStore", Slot::Other, Takes::Named),
    ("VerifyCAPath", Slot::Other, Takes::Named),
    ("VerifyCAFile", Slot::Other, Takes::Named),
    ("VerifyCAStore", Slot::Other, Takes::Named),
    ("RequestCAFile", Slot::Other, Takes::Named),
    ("ClientCAFile", Slot::Other, Takes::Named),
    ("RequestCAPath", Slot::Other, Takes::Named),
    ("ClientCAPath", Slot::Other, Takes::Named),
    ("RequestCAStore", Slot::Other, Takes::Named),
    ("ClientCAStore", Slot::Other, Takes::Named),
    ("DHParameters", Slot::Other, Takes::Named),
];

/// The context that gets the commands.
#[derive(Clone, Copy, Debug)]
pub(super) struct Target {
    pub(super) release: Option<Release>,
    pub(super) side: Side,
    /// The program asked for the section by its name.
    pub(super) named: bool,
}

impl Target {
    pub(super) fn since(self, major: u32, minor: u32, patch: u32) -> bool {
        self.release.is_none_or(|release| release >= Release::new(major, minor, patch))
    }

    /// The groups that are on where no line says any.
    pub(super) fn default_groups(self) -> Vec<tlswhy_wire::NamedGroup> {
        let newest = Release::new(u32::MAX, 0, 0);
        values::default_groups(self.release.unwrap_or(newest)).unwrap_or_default()
    }

    /// The library, for people.
    pub(super) fn library(self) -> String {
        match self.release {
            Some(release) => format!("OpenSSL {release}"),
            None => "OpenSSL (version not known, taken for a new one)".to_owned(),
        }
    }
}

/// What a context has after its commands.
#[derive(Clone, Debug, Default)]
pub(super) struct Applied {
    pub(super) settings: Settings,
    /// The level that a cipher string sets.
    pub(super) level: Option<Setting<u8>>,
    pub(super) notes: Vec<Note>,
    pub(super) troubles: Vec<Trouble>,
    /// The line below which none counts.
    pub(super) stopped: Option<String>,
}

/// The entry's own line, unless it is no command whose effect is told of.
pub(super) fn is_telling(entry: &Entry) -> bool {
    let telling = ["minprotocol", "maxprotocol", "cipherstring", "ciphersuites", "groups", "curves", "signaturealgorithms"];
    telling.contains(&bare(&entry.name).to_ascii_lowercase().as_str())
}

/// What stands before the first dot only makes names differ.
fn bare(name: &str) -> &str {
    name.split_once('.').map_or(name, |(_, rest)| rest)
}

/// Puts commands to work.
pub(super) fn apply(conf: &Conf, commands: &[usize], target: Target) -> Applied {
    let mut applying = Applying { target, diagnosed: diagnosed(conf), applied: Applied::default(), options: Vec::new() };
    let mut stopped: Option<&Entry> = None;
    let mut entries = commands.iter().filter_map(|index| conf.entries.get(*index));
    for entry in entries.by_ref().take(MOST_GENERAL) {
        if let Some(first) = stopped {
            let why = format!("{} drops every line after the first that it refuses, `{}`", target.library(), first.name);
            applying.without_effect(entry, why);
            continue;
        }
        if let Err(why) = applying.command(entry) {
            applying.refused(entry, why);
            // Since 3.0 the rest is put to work all the same.
            if !target.since(3, 0, 0) {
                stopped = Some(entry);
                applying.applied.stopped = Some(entry.name.clone());
            }
        }
    }
    if let Some(next) = entries.next() {
        let says = format!("more than {MOST_GENERAL} commands stand in one section: this one and the rest are not read");
        applying.applied.troubles.push(Trouble { at: Some(next.at.clone()), says, fatal: false });
    }
    // Lines whose place a later one of the same name took.
    let section = commands.first().and_then(|first| conf.entries.get(*first)).map_or("", |first| &*first.section);
    let replaced = conf.written(section).filter(|entry| entry.is_replaced);
    for entry in replaced.take(MOST_GENERAL) {
        if let Some(winner) = conf.own(section, &entry.name).filter(|winner| winner.value != entry.value) {
            let why = format!("a later line of the same name in [{}] takes its place", entry.section);
            applying.shadow(entry, why, winner.at.path == entry.at.path);
        }
    }
    applying.applied
}

/// `config_diagnostics` of the head: from 3.2 a refused line then makes every new context fail.
pub(super) fn diagnosed(conf: &Conf) -> bool {
    let entry = conf.own(super::conf::HEAD, "config_diagnostics");
    entry.is_some_and(|entry| entry.value.parse::<i64>().is_ok_and(|number| number > 0))
}

struct Applying {
    target: Target,
    diagnosed: bool,
    applied: Applied,
    options: Vec<String>,
}

impl Applying {
    /// Err where OpenSSL refuses it, with the reason.
    fn command(&mut self, entry: &Entry) -> Result<(), String> {
        let name = bare(&entry.name);
        let known = COMMANDS.iter().find(|(known, ..)| known.eq_ignore_ascii_case(name));
        let Some((_, slot, takes)) = known else { return Err(format!("OpenSSL knows no command `{name}`")) };
        match takes {
            Takes::Server if self.target.side == Side::Client => return Err("a client's context does not take it".to_owned()),
            Takes::Named if !self.target.named => return Err("it counts only where a program asks for its section".to_owned()),
            _ => {}
        }
        let value = entry.value.as_str();
        let origin = entry.origin();
        let settings = &mut self.applied.settings;
        match slot {
            Slot::Minimum => {
                if let Some(bound) = values::bound(value)? {
                    let lowest = bound.unwrap_or(ProtocolVersion::SSLV3);
                    put(&mut settings.minimum_version, Setting::new(name, lowest, value, origin));
                }
            }
            Slot::Maximum => {
                if let Some(bound) = values::bound(value)? {
                    let highest = bound.unwrap_or(ProtocolVersion::TLSV1_3);
                    put(&mut settings.maximum_version, Setting::new(name, highest, value, origin));
                }
            }
            Slot::Versions => {
                let mut on = settings.versions.as_ref().map_or_else(|| values::VERSIONS.to_vec(), |on| on.value.clone());
                let result = values::protocol(value, &mut on);
                // Lines of different names add up.
                settings.versions = Some(Setting::new(name, on, value, origin));
                result?;
            }
            Slot::CipherList => {
                let list = CipherList { language: Language::OpenSsl, text: value.to_owned() };
                if let Some(level) = values::level(value) {
                    self.applied.level = Some(Setting::new(name, level, format!("@SECLEVEL={level}"), origin.clone()));
                }
                let library = Library::upstream(self.target.release.unwrap_or(Release::new(u32::MAX, 0, 0)));
                let matched = cipher_list(value, &library);
                if let Err(Refused::InvalidCommand(_)) = matched {
                    return Err(format!("`{value}` is no list of suites"));
                }
                put(&mut settings.cipher_list, Setting::new(name, list, value, origin));
                if let Err(Refused::NoMatch) = matched {
                    // The context has lost its list all the same (measured).
                    let why = format!("`{value}` names no suite of this OpenSSL, and leaves none up to TLS 1.2");
                    if !self.target.since(3, 0, 0) || (self.diagnosed && self.target.since(3, 2, 0)) {
                        return Err(why);
                    }
                    self.applied.troubles.push(Trouble { at: Some(entry.at.clone()), says: why, fatal: false });
                }
            }
            Slot::Suites => {
                let suites = values::suites(value, self.target)?;
                put(&mut settings.cipher_suites, Setting::new(name, suites, value, origin));
            }
            Slot::Groups => {
                let groups = values::groups(value, self.target)?;
                put(&mut settings.groups, Setting::new(name, groups, value, origin));
            }
            Slot::Signatures => {
                let schemes = values::signatures(value, self.target)?;
                put(&mut settings.signature_algorithms, Setting::new(name, schemes, value, origin));
            }
            Slot::Options => {
                let (words, result) = values::options(value, self.target);
                for word in words {
                    let opposite = word.strip_prefix('-').map_or_else(|| format!("-{word}"), str::to_owned);
                    self.options.retain(|before| *before != word && *before != opposite);
                    self.options.push(word);
                }
                settings.options = Some(Setting::new(name, self.options.clone(), self.options.join(","), origin));
                result?;
            }
            Slot::Verify => {
                let verifies = values::verifies(value, self.target)?;
                put(&mut settings.verifies_peer, Setting::new(name, verifies, value, origin));
            }
            Slot::Other => {}
        }
        Ok(())
    }

    fn refused(&mut self, entry: &Entry, why: String) {
        if self.diagnosed && self.target.since(3, 2, 0) {
            let says =
                format!("{why}; with `config_diagnostics` every program that heeds this section then fails to begin TLS");
            self.applied.troubles.push(Trouble { at: Some(entry.at.clone()), says, fatal: true });
            return;
        }
        self.without_effect(entry, format!("{why}: the line is passed over in silence"));
    }

    fn without_effect(&mut self, entry: &Entry, why: String) {
        self.shadow(entry, why, true);
    }

    /// Says of a line that it has no effect, beside what rules in its place.
    fn shadow(&mut self, entry: &Entry, why: String, meant_to_count: bool) {
        shadow(&mut self.applied, self.target, entry, why, meant_to_count);
    }
}

/// Says of a line that it has no effect: beside the setting that rules in its place, where there is one or the library's default is
/// known, else as a note.
pub(super) fn shadow(applied: &mut Applied, target: Target, entry: &Entry, why: String, meant_to_count: bool) {
    let name = bare(&entry.name);
    let slot = COMMANDS.iter().find(|(known, ..)| known.eq_ignore_ascii_case(name)).map(|(_, slot, _)| *slot);
    let built_in = || Origin::built_in(target.library());
    let shadowed =
        Shadowed { name: entry.name.clone(), text: entry.value.clone(), origin: entry.origin(), why, meant_to_count };
    let settings = &mut applied.settings;
    let beside = match slot {
        Some(Slot::Minimum) => {
            let lowest = || Setting::new("MinProtocol", ProtocolVersion::SSLV3, "None", built_in());
            Some(&mut settings.minimum_version.get_or_insert_with(lowest).shadowed)
        }
        Some(Slot::Maximum) => {
            let highest = || Setting::new("MaxProtocol", ProtocolVersion::TLSV1_3, "None", built_in());
            Some(&mut settings.maximum_version.get_or_insert_with(highest).shadowed)
        }
        Some(Slot::Versions) => settings.versions.as_mut().map(|setting| &mut setting.shadowed),
        Some(Slot::CipherList) => {
            let list = CipherList { language: Language::OpenSsl, text: "DEFAULT".to_owned() };
            let default = || Setting::new("CipherString", list, "DEFAULT", built_in());
            Some(&mut settings.cipher_list.get_or_insert_with(default).shadowed)
        }
        Some(Slot::Suites) => {
            let suites = values::default_suites();
            let text = suites.iter().map(ToString::to_string).collect::<Vec<_>>().join(":");
            let default = || Setting::new("Ciphersuites", suites, text, built_in());
            Some(&mut settings.cipher_suites.get_or_insert_with(default).shadowed)
        }
        Some(Slot::Groups) => {
            let groups = target.default_groups();
            let text = groups.iter().map(|group| crate::language::names::group_name(*group)).collect::<Vec<_>>().join(":");
            let default = || Setting::new("Groups", groups, text, built_in());
            Some(&mut settings.groups.get_or_insert_with(default).shadowed)
        }
        Some(Slot::Signatures) => settings.signature_algorithms.as_mut().map(|setting| &mut setting.shadowed),
        Some(Slot::Options) => settings.options.as_mut().map(|setting| &mut setting.shadowed),
        Some(Slot::Verify | Slot::Other) | None => None,
    };
    match beside {
        Some(beside) if beside.len() >= MOST_SHADOWED => {}
        Some(beside) => beside.push(shadowed),
        None => {
            let says = format!("`{}` has no effect: {}", shadowed.name, shadowed.why);
            applied.notes.push(Note { at: Some(entry.at.clone()), says });
        }
    }
}

/// Puts a setting in the place of the one before, which it shadows.
fn put<T>(slot: &mut Option<Setting<T>>, mut setting: Setting<T>) {
    if let Some(before) = slot.take() {
        if before.text != setting.text && matches!(before.origin, Origin::File { .. }) {
            let why = format!("`{}` further down sets the same", setting.name);
            setting.shadow([Shadowed {
                name: before.name,
                text: before.text,
                origin: before.origin,
                why,
                meant_to_count: true,
            }]);
        }
        setting.shadow(before.shadowed);
    }
    *slot = Some(setting);
}
