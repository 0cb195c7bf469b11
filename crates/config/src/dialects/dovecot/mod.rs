//! Dovecot: dovecot.conf with what it includes, of 2.2 to 2.4; the services that clients log in to, and the servers that it connects to.
//!
//! Sources: <https://doc.dovecot.org/2.3/configuration_manual/dovecot_ssl_configuration/> and 2.4's ssl.html, config-filter.c,
//! ssl-settings; measured on 2.3.19.1.

mod ending;
mod outgoing;
mod scopes;
mod tree;

use std::collections::{HashMap, HashSet};
use std::net::IpAddr;

use tlswhy_wire::{CipherSuite, ProtocolVersion};

use self::scopes::{Ruled, Scope, built_in, names_of};
use self::tree::{Entry, Section, Tree};
use super::{Commands, Context, Dialect, Likeness, MOST_GENERAL, MOST_SERVICES};
use crate::files::{directory_of, relative_to};
use crate::language::names;
use crate::language::openssl_ciphers::selects_nothing;
use crate::release::Release;
use crate::service::{Heeds, Library, Listener, Note, Reading, Service, Side, Trouble};
use crate::setting::{CipherList, ClientVerification, Language, Setting, Settings, Shadowed};
use crate::span::Span;

pub(crate) static DIALECT: Dialect = Dialect {
    name: "dovecot",
    title: "Dovecot",
    sides: &[Side::Server, Side::Client],
    places: &["/etc/dovecot/dovecot.conf", "/usr/local/etc/dovecot/dovecot.conf"],
    recognise,
    read,
    mend: ending::mend,
    commands,
};

/// It sets the lowest version and the list of suites itself; levels and the rest are the library's (measured).
const HEEDS: Heeds = Heeds { minimum_version: false, cipher_list: false, ..Heeds::ALL };

/// A service that clients log in to.
struct Login {
    protocol: &'static str,
    service: &'static str,
    /// As `--starttls` has it.
    upgrade: &'static str,
    /// Its listeners: name, port, TLS from the first byte.
    listeners: &'static [(&'static str, u16, bool)],
}

/// src/*-login/*-login-settings.c; Pigeonhole's for `sieve`. LMTP listens on no port by itself.
const LOGINS: &[Login] = &[
    Login {
        protocol: "imap",
        service: "imap-login",
        upgrade: "imap",
        listeners: &[("imap", 143, false), ("imaps", 993, true)],
    },
    Login {
        protocol: "pop3",
        service: "pop3-login",
        upgrade: "pop3",
        listeners: &[("pop3", 110, false), ("pop3s", 995, true)],
    },
    Login {
        protocol: "submission",
        service: "submission-login",
        upgrade: "smtp",
        listeners: &[("submission", 587, false), ("submissions", 465, true)],
    },
    Login { protocol: "sieve", service: "managesieve-login", upgrade: "sieve", listeners: &[("sieve", 4190, false)] },
    Login { protocol: "lmtp", service: "lmtp", upgrade: "lmtp", listeners: &[] },
];
/// The listener for submission with TLS came with this release.
const HAS_SUBMISSIONS: Release = Release::new(2, 4, 0);
/// Without a line (dovecot.conf of 2.3; `protocols` has no default since 2.4).
const PROTOCOLS: &str = "imap pop3 lmtp";
/// Names of versions for `ssl_min_protocol`, without regard to case; `ANY` is what the library can.
const LOWEST: &[(&str, ProtocolVersion)] = &[
    ("ANY", ProtocolVersion::SSLV3),
    ("SSLv3", ProtocolVersion::SSLV3),
    ("TLSv1", ProtocolVersion::TLSV1_0),
    ("TLSv1.1", ProtocolVersion::TLSV1_1),
    ("TLSv1.2", ProtocolVersion::TLSV1_2),
    ("TLSv1.3", ProtocolVersion::TLSV1_3),
    ("LATEST", ProtocolVersion::TLSV1_3),
];
/// The lowest version by release (NEWS).
const LOWEST_SINCE: &[(Release, ProtocolVersion)] = &[
    (Release::new(2, 3, 15), ProtocolVersion::TLSV1_2),
    (Release::new(2, 3, 0), ProtocolVersion::TLSV1_0),
    // `ssl_protocols = !SSLv2 !SSLv3`.
    (Release::new(0, 0, 0), ProtocolVersion::TLSV1_0),
];
/// master-service-ssl-settings.c of 2.3.
const LIST: &str = "ALL:!kRSA:!SRP:!kDHd:!DSS:!aNULL:!eNULL:!EXPORT:!DES:!3DES:!MD5:!PSK:!RC4:!ADH:!LOW@STRENGTH";
/// The settings of which two overlapping sections may not say different things.
const OURS: &[&str] = &["ssl_min_protocol", "ssl_cipher_list", "ssl_cipher_suites", "ssl_curve_list", "ssl_cert", "ssl_key"];
const EARLY: &str = "it is settled before the server name is known";

fn recognise(path: &str, bytes: &[u8]) -> Likeness {
    if path.ends_with("/dovecot.conf") || path.contains("/dovecot/conf.d/") {
        return Likeness::Name;
    }
    let text = bytes.get(..bytes.len().min(64 * 1024)).unwrap_or_default();
    let text = String::from_utf8_lossy(text);
    let own = ["ssl_min_protocol", "ssl_cert = <", "ssl_server_cert_file", "dovecot_config_version", "service imap-login"];
    if own.iter().any(|own| text.contains(own)) { Likeness::Content } else { Likeness::None }
}

fn commands(main: &str) -> Commands {
    if main == "/etc/dovecot/dovecot.conf" {
        return Commands::of("doveconf -n", "doveadm reload");
    }
    let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
    Commands { check: words(&["doveconf", "-n", "-c", main]), reload: words(&["doveadm", "-c", main, "reload"]) }
}

struct Dovecot<'c> {
    context: &'c Context<'c>,
    tree: &'c Tree,
    ruled: Ruled<'c>,
    /// Where lines that are not there yet go below.
    anchor: Option<Span>,
    /// The sections that are for names or addresses, the first of each.
    groups: Vec<&'c Section>,
    /// The lines within listeners, by service, listener and key; the last of each.
    of_listeners: HashMap<[&'c str; 3], &'c Entry>,
    release: Option<Release>,
    /// The version that its defaults are of, for people.
    by: String,
}

fn read(context: &Context<'_>) -> Reading {
    let tree = Tree::read(context.files, context.main);
    if tree.files.is_empty() {
        return Reading::default();
    }
    let release = context.files.release_of("dovecot");
    let by = release
        .map_or_else(|| "Dovecot (version not known, taken for a new one)".to_owned(), |release| format!("Dovecot {release}"));
    let mut reading = Reading::default();
    let ruled = Ruled::of(&tree);
    if let Some(beyond) = ruled.beyond {
        let at = beyond.origin.span().cloned();
        let says =
            format!("more than {MOST_GENERAL} lines `{}` stand in one place: this one and the rest are not read", beyond.key);
        reading.troubles.push(Trouble { at, says, fatal: false });
    }
    let dovecot = Dovecot {
        context,
        tree: &tree,
        ruled,
        anchor: anchor(&tree, context.main),
        groups: groups(&tree),
        of_listeners: of_listeners(&tree),
        release,
        by,
    };
    for protocol in dovecot.protocols() {
        let Some(login) = LOGINS.iter().find(|login| login.protocol == protocol) else { continue };
        for (listener, on) in dovecot.listeners(login, &mut reading.troubles) {
            dovecot.services(login, &listener, &on, &mut reading);
        }
    }
    reading.services.extend(dovecot.outgoing());
    reading.troubles.extend(tree.troubles);
    reading.troubles.dedup();
    reading.files = tree.files;
    reading
}

fn groups(tree: &Tree) -> Vec<&Section> {
    let mut known = HashSet::new();
    let sections = tree.sections.iter().filter_map(|path| path.last());
    let ours = sections.filter(|section| ["local_name", "local"].contains(&section.kind.as_str()));
    ours.filter(|section| known.insert((&section.kind, &section.name))).take(MOST_SERVICES).collect()
}

fn of_listeners(tree: &Tree) -> HashMap<[&str; 3], &Entry> {
    let mut found = HashMap::new();
    for entry in &tree.entries {
        if let [service, inet] = &entry.within[..]
            && service.kind == "service"
            && inet.kind == "inet_listener"
        {
            found.insert([service.name.as_str(), inet.name.as_str(), entry.key.as_str()], entry);
        }
    }
    found
}

/// A port of a service.
struct Port {
    title: String,
    tls: Option<Setting<bool>>,
}

impl Dovecot<'_> {
    fn protocols(&self) -> Vec<String> {
        let scope = Scope { protocol: "", name: None, address: None };
        let text = scope.text(&self.ruled, &["protocols"]).map_or_else(|| PROTOCOLS.to_owned(), |protocols| protocols.value);
        // 2.4 knows `protocols { imap = yes }` as well.
        let listed = self.tree.entries.iter().filter(|entry| matches!(&entry.within[..], [one] if one.kind == "protocols"));
        let listed: Vec<String> = listed.filter(|entry| entry.value == "yes").map(|entry| entry.key.clone()).collect();
        let mut protocols: Vec<String> = if listed.is_empty() {
            text.split_whitespace().filter(|word| *word != "none").map(str::to_owned).collect()
        } else {
            listed
        };
        let mut seen = std::collections::BTreeSet::new();
        protocols.retain(|protocol| seen.insert(protocol.clone()));
        protocols
    }

    /// The last line of a key within a section of a service.
    fn of_listener(&self, login: &Login, listener: &str, key: &str) -> Option<&Entry> {
        self.of_listeners.get(&[login.service, listener, key]).copied()
    }

    /// The ports of a login service, and whether TLS comes first there.
    fn listeners(&self, login: &Login, troubles: &mut Vec<Trouble>) -> Vec<(Vec<Listener>, Port)> {
        let mut known: Vec<(String, u16, bool)> = login
            .listeners
            .iter()
            .filter(|(name, ..)| *name != "submissions" || self.release.is_none_or(|release| release >= HAS_SUBMISSIONS))
            .map(|(name, port, tls)| ((*name).to_owned(), *port, *tls))
            .collect();
        let mut names: HashSet<String> = known.iter().map(|(name, ..)| name.clone()).collect();
        for path in &self.tree.sections {
            if let [service, inet] = &path[..]
                && service.kind == "service"
                && service.name == login.service
                && inet.kind == "inet_listener"
                && known.len() < MOST_SERVICES
                && names.insert(inet.name.clone())
            {
                known.push((inet.name.clone(), 0, false));
            }
        }
        let scope = Scope { protocol: login.protocol, name: None, address: None };
        let everywhere = scope.text(&self.ruled, &["listen"]).map_or_else(|| "*, ::".to_owned(), |listen| listen.value);
        let mut found = Vec::new();
        for (name, port, tls) in known {
            let port = self.of_listener(login, &name, "port").map_or(Some(port), |entry| entry.value.parse().ok());
            let Some(port) = port.filter(|port| *port != 0) else { continue };
            let own = ["address", "listen"].iter().find_map(|key| self.of_listener(login, &name, key));
            let addresses = own.map_or(everywhere.as_str(), |entry| entry.value.as_str());
            let mut addresses = addresses.split([' ', ',']).filter(|address| !address.is_empty());
            let listener = |address: &str| {
                let address = specific(address.trim_matches(['[', ']']));
                Listener { address, port, is_default: true }
            };
            let mut on: Vec<Listener> = addresses.by_ref().take(MOST_GENERAL).map(listener).collect();
            if addresses.next().is_some() {
                let says = format!("{name} listens on more than {MOST_GENERAL} addresses: the rest of them are not read");
                troubles.push(Trouble { at: own.and_then(|entry| entry.origin.span().cloned()), says, fatal: false });
            }
            on.sort();
            on.dedup();
            let tls = match self.of_listener(login, &name, "ssl") {
                Some(entry) => {
                    (entry.value == "yes").then(|| Setting::new("ssl", true, entry.value.clone(), entry.origin.clone()))
                }
                None => tls.then(|| built_in("ssl", true, "yes", &self.by)),
            };
            found.push((on, Port { title: format!("{} {name}", login.service), tls }));
        }
        found
    }

    /// The services of a port: for whom no section is, for each address, for each group of names.
    fn services(&self, login: &Login, on: &[Listener], port: &Port, reading: &mut Reading) {
        let general = Scope { protocol: login.protocol, name: None, address: None };
        let mut add = |scope: &Scope<'_>, listeners: Vec<Listener>, section: Option<&Section>| {
            if reading.services.len() >= MOST_SERVICES {
                return;
            }
            let (mut settings, mut notes) = self.settings(scope, port);
            if let Some(line) = scope.conflict(&self.ruled, OURS) {
                let says = format!(
                    "`{}` is set by two sections that overlap and neither of which lies within the other: Dovecot ends every connection",
                    line.name
                );
                notes.push(Note { at: line.origin.span().cloned(), says });
                settings.refuses_all = Some(line.map(|_| true));
            }
            notes.extend(self.notes(scope));
            let names = scope.name.map(|names| names_of(names).map(str::to_ascii_lowercase).collect()).unwrap_or_default();
            let title = match (scope.name, scope.address) {
                (Some(name), _) => format!("{}, local_name {name}", port.title),
                (_, Some(address)) => format!("{}, local {address}", port.title),
                _ => port.title.clone(),
            };
            reading.services.push(Service {
                dialect: "dovecot",
                side: Side::Server,
                title,
                listeners,
                names,
                names_from_certificates: false,
                declared: section.map(|section| section.at.clone()).or_else(|| self.anchor.clone()),
                upgrade: port.tls.is_none().then_some(login.upgrade),
                program: ("Dovecot".to_owned(), self.release),
                library: Library::OpenSsl(self.context.files.openssl_of("dovecot")),
                heeds: HEEDS,
                settings,
                notes,
            });
        };
        // An address of its own is served by its section alone.
        let own = self.groups.iter().filter(|section| section.kind == "local").filter_map(|section| specific(&section.name));
        let own: HashSet<IpAddr> = own.collect();
        let taken = |listener: &&Listener| listener.address.is_some_and(|address| own.contains(&address));
        let rest: Vec<Listener> = on.iter().filter(|listener| !taken(listener)).cloned().collect();
        if !rest.is_empty() {
            add(&general, rest, None);
        }
        for section in &self.groups {
            let name = section.name.as_str();
            if section.kind == "local_name" {
                let named = on.iter().map(|listener| Listener { is_default: false, ..listener.clone() }).collect();
                add(&Scope { name: Some(name), ..general }, named, Some(section));
            } else if let Some(address) = specific(name) {
                let at = on.iter().filter(|listener| listener.address.is_none_or(|own| own == address));
                let at: Vec<Listener> = at.map(|listener| Listener { address: Some(address), ..listener.clone() }).collect();
                if !at.is_empty() {
                    add(&Scope { address: Some(name), ..general }, at, Some(section));
                }
            }
        }
    }

    fn settings(&self, scope: &Scope<'_>, port: &Port) -> (Settings, Vec<Note>) {
        let general = Scope { name: None, ..*scope };
        let mut settings = Settings::default();
        let mut notes = Vec::new();
        let ssl = general.text(&self.ruled, &["ssl"]).unwrap_or_else(|| built_in("ssl", "yes".to_owned(), "yes", &self.by));
        if ssl.value == "no" {
            if port.tls.is_some() {
                let says = "with `ssl = no` Dovecot does not listen here".to_owned();
                notes.push(Note { at: ssl.origin.span().cloned(), says });
            }
            settings.tls = Some(ssl.map(|_| false));
            return (settings, notes);
        }
        let file = |setting: Setting<String>| self.file(setting);
        settings.tls = Some(port.tls.clone().unwrap_or_else(|| ssl.clone().map(|_| true)));
        for (list, keys) in [
            (&mut settings.certificates, [["ssl_server_cert_file", "ssl_cert"], ["ssl_server_alt_cert_file", "ssl_alt_cert"]]),
            (&mut settings.keys, [["ssl_server_key_file", "ssl_key"], ["ssl_server_alt_key_file", "ssl_alt_key"]]),
        ] {
            let set = keys.iter().filter_map(|keys| scope.text(&self.ruled, keys));
            let set: Vec<Setting<String>> = set.filter(|setting| !setting.value.is_empty()).collect();
            let text = |setting: &&Setting<String>| {
                !setting.name.ends_with("_file") && !setting.value.starts_with('<') && !setting.value.contains("-----BEGIN ")
            };
            if let Some(setting) = set.iter().find(text) {
                let says = format!("without `<` before the path `{}` is the text itself: every handshake fails", setting.name);
                notes.push(Note { at: setting.origin.span().cloned(), says });
                settings.refuses_all = Some(setting.clone().map(|_| true));
            }
            list.extend(set.into_iter().map(file));
        }
        settings.dh_parameters =
            general.text(&self.ruled, &["ssl_server_dh_file", "ssl_dh"]).filter(|set| !set.value.is_empty()).map(file);
        settings.trust =
            general.text(&self.ruled, &["ssl_server_ca_file", "ssl_ca"]).filter(|set| !set.value.is_empty()).map(file);
        if settings.dh_parameters.is_none() && self.release.is_none_or(|release| release >= Release::new(2, 3, 0)) {
            let says = "no `ssl_dh` is set: the handshake fails where a suite with DHE is chosen, which a client's order can bring about";
            notes.push(Note { at: None, says: says.to_owned() });
        }
        self.versions(scope, &mut settings, &mut notes);
        self.lists(scope, &mut settings, &mut notes);
        let asks = ["ssl_server_request_client_cert", "ssl_verify_client_cert"];
        let asks = general.text(&self.ruled, &asks).filter(|set| set.value == "yes");
        let insists = general.text(&self.ruled, &["auth_ssl_require_client_cert"]).filter(|set| set.value == "yes");
        if let Some(insists) = &insists {
            let says = "whoever shows no certificate is sent away after the handshake".to_owned();
            notes.push(Note { at: insists.origin.span().cloned(), says });
        }
        settings.client_verification = asks.or(insists).map(|set| set.map(|_| ClientVerification::Optional));
        if settings.certificates.is_empty() {
            let says = "no certificate is set: Dovecot ends every handshake".to_owned();
            notes.push(Note { at: ssl.origin.span().cloned(), says });
            settings.refuses_all = Some(ssl.map(|_| true));
        }
        (settings, notes)
    }

    /// The lowest version, and what rivals it.
    fn versions(&self, scope: &Scope<'_>, settings: &mut Settings, notes: &mut Vec<Note>) {
        let general = Scope { name: None, ..*scope };
        let text = general.text(&self.ruled, &["ssl_min_protocol", "ssl_protocols"]);
        let mut lowest = match text {
            Some(text) if text.name == "ssl_protocols" => {
                if self.release.is_none_or(|release| release >= Release::new(2, 3, 0)) {
                    let says =
                        "`ssl_protocols` is `ssl_min_protocol` since 2.3: of the versions that it leaves the lowest counts";
                    notes.push(Note { at: text.origin.span().cloned(), says: says.to_owned() });
                }
                match lowest_of(&text.value) {
                    Some(version) => text.map(|_| version),
                    None => self.lowest_by_default(),
                }
            }
            Some(text) => match LOWEST.iter().find(|(name, _)| name.eq_ignore_ascii_case(&text.value)) {
                Some((_, version)) => text.map(|_| *version),
                None => {
                    let says = format!("`{}` is no version: every handshake fails", text.value);
                    notes.push(Note { at: text.origin.span().cloned(), says });
                    settings.refuses_all = Some(text.clone().map(|_| true));
                    // The line that an edit has to change; what it means is nothing.
                    settings.minimum_version = Some(text.map(|_| self.lowest_by_default().value));
                    return;
                }
            },
            None => self.lowest_by_default(),
        };
        self.too_late(scope, &["ssl_min_protocol", "ssl_protocols"], &mut lowest);
        settings.minimum_version = Some(lowest);
    }

    fn lowest_by_default(&self) -> Setting<ProtocolVersion> {
        let row = LOWEST_SINCE.iter().find(|(since, _)| self.release.is_none_or(|release| release >= *since));
        let version = row.map_or(ProtocolVersion::TLSV1_2, |(_, version)| *version);
        built_in("ssl_min_protocol", version, version_name(version).unwrap_or_default(), &self.by)
    }

    /// Lines of a name that come too late become what this setting shadows.
    fn too_late<T>(&self, scope: &Scope<'_>, keys: &[&str], setting: &mut Setting<T>) {
        for line in scope.of_the_name(&self.ruled, keys) {
            setting.shadowed.push(Shadowed {
                name: line.name,
                text: line.text,
                origin: line.origin,
                why: EARLY.to_owned(),
                meant_to_count: true,
            });
        }
    }

    /// Suites and curves.
    fn lists(&self, scope: &Scope<'_>, settings: &mut Settings, notes: &mut Vec<Note>) {
        let general = Scope { name: None, ..*scope };
        let set = |scope: &Scope<'_>, key: &str| scope.text(&self.ruled, &[key]).filter(|set| !set.value.is_empty());
        let mut refuse = |setting: &Setting<String>, what: &str| {
            let says = format!("`{}` names {what}: every handshake fails", setting.name);
            notes.push(Note { at: setting.origin.span().cloned(), says });
            Some(setting.clone().map(|_| true))
        };
        // The list is the one thing besides certificates that is taken from a section for the name (measured).
        let list =
            set(scope, "ssl_cipher_list").unwrap_or_else(|| built_in("ssl_cipher_list", LIST.to_owned(), LIST, &self.by));
        if let Some(openssl) = self.context.files.openssl_of("dovecot")
            && selects_nothing(&list.value, openssl)
        {
            settings.refuses_all = refuse(&list, "no suite that OpenSSL knows");
        }
        settings.cipher_list = Some(list.map(|text| CipherList { language: Language::OpenSsl, text }));
        if let Some(suites) = set(&general, "ssl_cipher_suites") {
            // Names that nothing has are left out (measured).
            let known: Vec<CipherSuite> = suites.value.split(':').filter_map(names::suites).flatten().collect();
            let mut suites = suites.map(|_| known);
            self.too_late(scope, &["ssl_cipher_suites"], &mut suites);
            settings.cipher_suites = Some(suites);
        }
        if let Some(curves) = set(&general, "ssl_curve_list") {
            match names::groups(&curves.value) {
                Some(groups) => {
                    let mut groups = curves.map(|_| groups);
                    self.too_late(scope, &["ssl_curve_list"], &mut groups);
                    settings.groups = Some(groups);
                }
                None => {
                    settings.refuses_all = refuse(&curves, "a group that OpenSSL does not know");
                    settings.groups = Some(curves.map(|_| Vec::new()));
                }
            }
        }
        let prefers = general
            .text(&self.ruled, &["ssl_server_prefer_ciphers", "ssl_prefer_server_ciphers"])
            .map(|set| set.map(|text| text == "yes" || text == "server"));
        let mut prefers = prefers.unwrap_or_else(|| built_in("ssl_prefer_server_ciphers", false, "no", &self.by));
        self.too_late(scope, &["ssl_prefer_server_ciphers", "ssl_server_prefer_ciphers"], &mut prefers);
        settings.server_preference = Some(prefers);
    }

    /// Lines of a name that have no effect and rival no line.
    fn notes(&self, scope: &Scope<'_>) -> Vec<Note> {
        let general = Scope { name: None, ..*scope };
        let keys = ["ssl_cipher_suites", "ssl_curve_list"];
        let alone = keys.iter().filter(|key| general.text(&self.ruled, &[**key]).is_none());
        let lines = alone.flat_map(|key| scope.of_the_name(&self.ruled, &[*key]));
        lines
            .map(|line| Note {
                at: line.origin.span().cloned(),
                says: format!("`{}` has no effect in a `local_name` section: {EARLY}", line.name),
            })
            .collect()
    }

    /// A file, told by `<` before 2.4: without it the value is the PEM text itself.
    fn file(&self, setting: Setting<String>) -> Setting<String> {
        let path = setting.value.trim_start_matches('<').trim().to_owned();
        let base = setting.origin.span().map_or(self.context.main, |at| &*at.path).to_owned();
        setting.map(|_| relative_to(directory_of(&base), &path))
    }
}

/// The lowest version of a list of `ssl_protocols`: words with `!` take away, the others choose. TLS 1.3 is not among them; `None`
/// where nothing is left (measured on 2.3.19: the default counts then).
fn lowest_of(list: &str) -> Option<ProtocolVersion> {
    let named: Vec<&str> = list.split([' ', ',', ':']).filter(|word| !word.is_empty()).collect();
    let chosen = named.iter().any(|word| !word.starts_with('!'));
    let has = |name: &str| named.iter().any(|word| word.eq_ignore_ascii_case(name));
    let on = |name: &str| if chosen { has(name) } else { !has(&format!("!{name}")) };
    let old = LOWEST.iter().filter(|(name, version)| *name != "ANY" && *version < ProtocolVersion::TLSV1_3);
    old.clone().find(|(name, _)| on(name)).map(|(_, version)| *version)
}

/// Where lines that are not there yet go below: the last line of TLS outside all sections, else the last of the main file.
fn anchor(tree: &Tree, main: &str) -> Option<Span> {
    let ours = tree.entries.iter().filter(|entry| entry.within.is_empty());
    let at = |entry: &Entry| entry.origin.span().cloned();
    let own = ours.clone().rfind(|entry| entry.key.starts_with("ssl")).and_then(at);
    own.or_else(|| ours.filter_map(at).rfind(|at| *at.path == *main))
}

/// An address that is not every one.
fn specific(text: &str) -> Option<IpAddr> {
    text.parse().ok().filter(|address: &IpAddr| !address.is_unspecified())
}

/// The name for `ssl_min_protocol`.
fn version_name(version: ProtocolVersion) -> Option<&'static str> {
    let rows = LOWEST.iter().filter(|(name, _)| !["ANY", "LATEST"].contains(name));
    rows.clone().find(|(_, known)| *known == version).map(|(name, _)| *name)
}
