//! `bind` lines: where HAProxy listens, and for each certificate with settings of its own what is in effect.

use std::net::IpAddr;

use tlswhy_wire::NamedGroup;

use super::crt_list::{self, Entry};
use super::scopes::{Item, Scopes};
use super::sections::{Line, Section, Sections, trouble};
use super::versions;
use super::{HEEDS, Program};
use crate::dialects::{Context, MOST_SERVICES};
use crate::files::{directory_of, relative_to};
use crate::language::names;
use crate::service::{Listener, Note, Reading, Service, Side};
use crate::setting::{CipherList, ClientVerification, Language, Setting, Settings};
use crate::span::Origin;

/// Words of a `bind` line that take a value (`haproxy -dKall`, 2.6.12, and the manual for what came later).
const VALUED: &[&str] = &[
    "accept-netscaler-cip",
    "alpn",
    "backlog",
    "ca-file",
    "ca-ignore-err",
    "ca-sign-file",
    "ca-sign-pass",
    "ca-verify-file",
    "cc",
    "ciphers",
    "ciphersuites",
    "client-sigalgs",
    "crl-file",
    "crt",
    "crt-ignore-err",
    "crt-list",
    "curves",
    "default-crt",
    "ecdhe",
    "expose-fd",
    "gid",
    "group",
    "guid-prefix",
    "id",
    "idle-ping",
    "interface",
    "ktls",
    "label",
    "level",
    "maxconn",
    "mode",
    "mss",
    "name",
    "namespace",
    "nbconn",
    "nice",
    "npn",
    "process",
    "proto",
    "quic-cc-algo",
    "quic-socket",
    "severity-output",
    "shards",
    "sigalgs",
    "ssl-max-ver",
    "ssl-min-ver",
    "tcp-md5sig",
    "tcp-ss",
    "tcp-ut",
    "thread",
    "tls-ticket-keys",
    "uid",
    "user",
    "verify",
];

/// Ports of one range beyond this many are not listed.
const MOST_PORTS: u16 = 1024;

/// Words of `bind` and `server` lines, as [`Line::items`] asks for them.
pub(super) fn takes_value(word: &str) -> bool {
    VALUED.contains(&word)
}

pub(super) fn read(context: &Context<'_>, program: Program, sections: &Sections, reading: &mut Reading) {
    for section in
        sections.all.iter().filter(|section| ["frontend", "listen", "peers", "log-forward"].contains(&section.kind()))
    {
        let http = mode(sections, section) == "http";
        for line in section.lines.iter().filter(|line| line.word(0) == "bind") {
            if reading.services.len() >= MOST_SERVICES {
                return;
            }
            Bind { context, program, sections, section, line, http }.read(reading);
        }
        for line in section.lines.iter().filter(|line| line.word(0) == "ssl-f-use") {
            let says = "certificates of `ssl-f-use` are not read: which names it serves is not known".to_owned();
            reading.troubles.push(trouble(Some(line.span()), says, false));
        }
    }
}

/// `mode` of a proxy: its own, else that of its `defaults`, else `tcp`.
fn mode<'s>(sections: &'s Sections, section: &'s Section) -> &'s str {
    let mut at = Some(section);
    for _ in 0..100 {
        let Some(section) = at else { break };
        if let Some(mode) = &section.mode {
            return mode;
        }
        at = section.defaults.and_then(|index| sections.all.get(index));
    }
    "tcp"
}

struct Bind<'b> {
    context: &'b Context<'b>,
    program: Program,
    sections: &'b Sections,
    section: &'b Section,
    line: &'b Line,
    http: bool,
}

impl Bind<'_> {
    fn read(&self, reading: &mut Reading) {
        let items = self.line.items(2, "", takes_value);
        let mut notes = Vec::new();
        let listeners = listeners(self.line.word(1), &mut notes);
        if listeners.is_empty() && notes.is_empty() {
            return;
        }
        let speaks_tls = items.iter().rev().find(|item| item.key == "ssl");
        let Some(ssl) = speaks_tls else {
            return reading.services.push(self.plain(listeners, &items, notes));
        };
        // Defaults are copied when the word `ssl` is read: what stands below comes too late (bind_parse_ssl()).
        let before = self.sections.bind.partition_point(|item| item.order < self.line.order);
        let (defaults, late) = self.sections.bind.split_at(before);
        let entries = self.entries(&items, reading);
        let of_line = Scopes { levels: vec![&items, defaults], late };
        let range = versions::range(&of_line, Some(self.program.lowest()));
        self.complain(&of_line, &range, &entries, reading);
        let first = entries.iter().position(|entry| entry.is_default);
        let mut groups: Vec<Vec<&Entry>> = Vec::new();
        let mut plain: Option<usize> = None;
        for entry in &entries {
            match plain.and_then(|index| groups.get_mut(index)) {
                Some(group) if entry.is_plain() => group.push(entry),
                _ => {
                    plain = plain.or(entry.is_plain().then_some(groups.len()));
                    groups.push(vec![entry]);
                }
            }
        }
        if groups.is_empty() {
            groups.push(Vec::new());
        }
        let default = first.and_then(|index| entries.get(index));
        for group in groups {
            let is_default = group.is_empty() || group.iter().any(|entry| default.is_some_and(|one| std::ptr::eq(*entry, one)));
            let options: &[Item] = group.first().map_or(&[], |entry| &entry.options);
            let scopes = Scopes { levels: vec![options, &items, defaults], late };
            // An entry knows no `no-*` and no `force-*`; what it leaves open is as the line has it.
            let own = versions::range(&Scopes { levels: vec![options], late: &[] }, None);
            let mut notes = notes.clone();
            if let Some(gap) = range.gap {
                let says = format!("`no-*` leaves out {gap} between others: HAProxy warns of the gap");
                notes.push(Note { at: Some(self.line.span()), says });
            }
            let mut settings = self.settings(&scopes, &group, &mut notes);
            settings.tls = Some(ssl.setting(true));
            settings.minimum_version = narrowed(own.lowest, range.lowest.as_ref());
            settings.maximum_version = narrowed(own.highest, range.highest.as_ref());
            if let (Some(low), Some(high)) = (&settings.minimum_version, &settings.maximum_version)
                && low.value > high.value
                && !range.empty
            {
                let says = format!("no version is left: the lowest is {}, the highest {}", low.value, high.value);
                let at = group.first().and_then(|entry| entry.at()).cloned();
                reading.troubles.push(trouble(at, says, true));
            }
            let filters = group.first().map(|entry| entry.filters.as_slice()).unwrap_or_default();
            let names = filters.to_vec();
            let mut listeners = listeners.clone();
            listeners.iter_mut().for_each(|listener| listener.is_default = is_default);
            reading.services.push(Service { settings, notes, ..self.service(listeners, names) });
        }
    }

    fn service(&self, listeners: Vec<Listener>, names: Vec<String>) -> Service {
        let title = format!("{} {} bind {}", self.section.kind(), self.section.head.word(1), self.line.word(1));
        Service {
            dialect: "haproxy",
            side: Side::Server,
            title: if names.is_empty() { title } else { format!("{title} {}", names.join(" ")) },
            listeners,
            names_from_certificates: names.is_empty(),
            names,
            declared: Some(self.line.span()),
            upgrade: None,
            program: ("HAProxy".to_owned(), self.program.release),
            library: self.program.library(),
            heeds: HEEDS,
            settings: Settings::default(),
            notes: Vec::new(),
        }
    }

    /// Without `ssl`: what comes is passed on as it is.
    fn plain(&self, mut listeners: Vec<Listener>, items: &[Item], mut notes: Vec<Note>) -> Service {
        listeners.iter_mut().for_each(|listener| listener.is_default = true);
        if let Some(item) = items.iter().find(|item| item.key == "crt" || item.key == "crt-list") {
            let says = format!("`{}` has no effect: the line has no `ssl`", item.key);
            notes.push(Note { at: Some(item.at.clone()), says });
        } else if !self.http {
            let says = "TLS that comes here is passed on unread: the servers behind it terminate it".to_owned();
            notes.push(Note { at: Some(self.line.span()), says });
        }
        let address = self.line.part(1, 1);
        let tls = Setting::new("bind", false, self.line.word(1), Origin::file(self.line.span(), address, None));
        let settings = Settings { tls: Some(tls), ..Settings::default() };
        let names_from_certificates = false;
        Service { settings, notes, names_from_certificates, ..self.service(listeners, Vec::new()) }
    }

    /// The directory that a relative path of certificates or of trust anchors is taken from.
    fn base(&self, word: &str) -> String {
        if let Some(base) = self.sections.global_before(word, self.line.order) {
            return normal_base(&base.value);
        }
        self.started_in()
    }

    /// What relative paths start from: `default-path`, else the directory that HAProxy was started in.
    fn started_in(&self) -> String {
        let own = directory_of(&self.line.path);
        match self.sections.global_before("default-path", self.line.order).map(|item| item.value.as_str()) {
            Some("config") => own.to_owned(),
            Some("parent") => directory_of(own).to_owned(),
            // The directory it was started in, which init systems leave at the root.
            _ => "/".to_owned(),
        }
    }

    /// The certificates, in the order in which they are loaded.
    fn entries(&self, items: &[Item], reading: &mut Reading) -> Vec<Entry> {
        let files = self.context.files;
        let base = self.base("crt-base");
        let mut entries: Vec<Entry> = Vec::new();
        for item in items {
            match item.key.as_str() {
                "crt" => entries.push(Entry::plain(crt_list::load(files, &base, item, reading))),
                "default-crt" => {
                    let certificates = crt_list::load(files, &base, item, reading);
                    entries.push(Entry { is_default: true, ..Entry::plain(certificates) });
                }
                "crt-list" => entries.extend(crt_list::list(files, &self.started_in(), &base, item, reading)),
                _ => {}
            }
        }
        // Named or not, the default stands first.
        entries.sort_by_key(|entry| !entry.is_default);
        if !entries.iter().any(|entry| entry.is_default)
            && let Some(first) = entries.first_mut()
        {
            first.is_default = true;
        }
        entries
    }

    fn settings(&self, scopes: &Scopes<'_>, group: &[&Entry], notes: &mut Vec<Note>) -> Settings {
        let list = |text: &str| Some(CipherList { language: Language::OpenSsl, text: text.to_owned() });
        let ca_base = self.base("ca-base");
        let file = |text: &str| Some(if text.starts_with('@') { text.to_owned() } else { relative_to(&ca_base, text) });
        let alpn = |text: &str| Some(text.split(',').filter(|word| !word.is_empty()).map(str::to_owned).collect::<Vec<_>>());
        let certificates: Vec<Setting<String>> = group.iter().flat_map(|entry| entry.certificates.iter().cloned()).collect();
        let verification = scopes
            .of("verify", verification)
            .or_else(|| Some(Setting::new("verify", ClientVerification::Off, "none", Origin::built_in(self.program.name()))));
        let ahead = scopes.last("prefer-client-ciphers");
        let preference = match ahead {
            Some(item) => item.setting(false),
            None => Setting::new("prefer-client-ciphers", true, "", Origin::built_in(self.program.name())),
        };
        let strict = scopes.last("strict-sni").filter(|_| scopes.last("no-strict-sni").is_none());
        let alpn = scopes.of("alpn", alpn).or_else(|| {
            // Since 2.8 (`h2` and `http/1.1` on every bind line of `mode http` that terminates TLS).
            let built_in = self.http && self.program.since(2, 8) && scopes.last("no-alpn").is_none();
            let value = vec!["h2".to_owned(), "http/1.1".to_owned()];
            built_in.then(|| Setting::new("alpn", value, "h2,http/1.1", Origin::built_in(self.program.name())))
        });
        let global = |key: &str| self.sections.global.get(key)?.last();
        Settings {
            cipher_list: scopes.of("ciphers", list),
            cipher_suites: scopes.of("ciphersuites", names::suites),
            groups: groups(scopes, notes),
            signature_algorithms: scopes.of("sigalgs", names::signature_schemes),
            security_level: global("ssl-security-level").and_then(|item| Some(item.setting(item.value.parse().ok()?))),
            keys: certificates.clone(),
            certificates,
            dh_parameters: global("ssl-dh-param-file").map(|item| item.setting(item.value.clone())),
            client_verification: verification,
            trust: scopes.of("ca-file", file),
            alpn,
            server_preference: Some(preference),
            refuses_unknown_names: strict.map(|item| item.setting(true)),
            ..Settings::default()
        }
    }

    /// What HAProxy does not start with.
    fn complain(&self, scopes: &Scopes<'_>, range: &versions::Range, entries: &[Entry], reading: &mut Reading) {
        let mut fatal = |says: String| reading.troubles.push(trouble(Some(self.line.span()), says, true));
        if range.empty {
            fatal("all versions are off: HAProxy does not start".to_owned());
        }
        for item in scopes.all().filter(|item| matches!(item.key.as_str(), "ssl-min-ver" | "ssl-max-ver")) {
            if names::version(&item.value).is_none() && item.order == self.line.order {
                fatal(format!("`{}` is no version that `{}` knows", item.value, item.key));
            }
        }
        let generates = scopes.last("generate-certificates").is_some();
        if entries.is_empty() && scopes.last("strict-sni").is_none() && !generates && scopes.last("crt-list").is_none() {
            fatal("`ssl` without a certificate: HAProxy does not start".to_owned());
        }
        let asks = scopes.last("verify").is_some_and(|item| item.value != "none");
        if asks && scopes.last("ca-file").is_none() && scopes.last("ca-verify-file").is_none() {
            fatal("`verify` without `ca-file`: HAProxy does not start".to_owned());
        }
    }
}

/// Groups are those of the line: OpenSSL copies them when the connection begins, and the entry that the name chooses comes later
/// (measured).
fn groups(scopes: &Scopes<'_>, notes: &mut Vec<Note>) -> Option<Setting<Vec<NamedGroup>>> {
    let (entry, line) = scopes.levels.split_first()?;
    let line = Scopes { levels: line.to_vec(), late: scopes.late };
    let mut groups = line.of("curves", names::groups);
    let ignored = line.last("ecdhe").filter(|_| groups.is_some());
    if let (Some(groups), Some(ecdhe)) = (groups.as_mut(), ignored) {
        groups.shadowed.push(ecdhe.shadowed("HAProxy ignores `ecdhe` beside `curves`", true));
    }
    groups = groups.or_else(|| line.of("ecdhe", names::groups));
    let why = "the groups of the `bind` line are taken before the name chooses the entry";
    for item in entry.iter().filter(|item| item.key == "curves" || item.key == "ecdhe") {
        match groups.as_mut() {
            Some(groups) => groups.shadowed.push(item.shadowed(why, true)),
            None => notes.push(Note { at: Some(item.at.clone()), says: format!("`{}` has no effect: {why}", item.key) }),
        }
    }
    groups
}

fn normal_base(path: &str) -> String {
    relative_to("/", path)
}

fn verification(word: &str) -> Option<ClientVerification> {
    match word {
        "none" => Some(ClientVerification::Off),
        "optional" => Some(ClientVerification::Optional),
        "required" => Some(ClientVerification::Required),
        _ => None,
    }
}

/// What an entry says itself, with the line's value as what it replaces; else the line's.
fn narrowed<T: Clone>(own: Option<Setting<T>>, line: Option<&Setting<T>>) -> Option<Setting<T>> {
    let Some(mut own) = own else { return line.cloned() };
    if let Some(line) = line {
        own.shadowed.push(crate::setting::Shadowed {
            name: line.name.clone(),
            text: line.text.clone(),
            origin: line.origin.clone(),
            why: "the entry of the crt-list says otherwise for its names".to_owned(),
            meant_to_count: false,
        });
        own.shadowed.retain(|shadowed| !matches!(shadowed.origin, Origin::BuiltIn { .. }));
    }
    Some(own)
}

/// The addresses of a `bind` line; sockets of the file system have no port and are left out with a note.
fn listeners(text: &str, notes: &mut Vec<Note>) -> Vec<Listener> {
    let mut listeners = Vec::new();
    for address in text.split(',').take(1000) {
        let families =
            ["ipv4@", "ipv6@", "tcp@", "tcp4@", "tcp6@", "mptcp@", "mptcp4@", "mptcp6@", "stream+ipv4@", "stream+ipv6@"];
        let bare = families.iter().find_map(|family| address.strip_prefix(family)).unwrap_or(address);
        if bare.contains('@') || bare.starts_with('/') {
            let says = format!("`{bare}` is no TCP port: it is not looked at");
            notes.push(Note { at: None, says });
            continue;
        }
        let (host, ports) = bare.rsplit_once(':').unwrap_or(("", bare));
        let host = host.trim_start_matches('[').trim_end_matches(']');
        let known: Option<IpAddr> = host.parse().ok();
        let any = host.is_empty() || host == "*" || known.is_some_and(|address| address.is_unspecified());
        if known.is_none() && !any {
            notes.push(Note {
                at: None,
                says: format!("`{host}` is looked up when HAProxy starts: the address is not known here"),
            });
        }
        let (first, last) = ports.split_once('-').unwrap_or((ports, ports));
        let (Ok(first), Ok(last)) = (first.parse::<u16>(), last.parse::<u16>()) else {
            notes.push(Note { at: None, says: format!("`{ports}` is no port that is known here") });
            continue;
        };
        let range = first..=last.min(first.saturating_add(MOST_PORTS));
        listeners.extend(range.map(|port| Listener { address: known.filter(|_| !any), port, is_default: false }));
    }
    listeners
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read_in_every_form() {
        let read = |text: &str| {
            let mut notes = Vec::new();
            let all = listeners(text, &mut notes).into_iter().map(|one| (one.address.map(|ip| ip.to_string()), one.port));
            (all.collect::<Vec<_>>(), notes.len())
        };
        let at = |address: &str, port: u16| (Some(address.to_owned()), port);
        assert_eq!(read(":443,*:8443"), (vec![(None, 443), (None, 8443)], 0));
        assert_eq!(read("[::1]:443,ipv6@::1:444,[::]:445"), (vec![at("::1", 443), at("::1", 444), (None, 445)], 0));
        assert_eq!(read("ipv4@10.0.0.1:443-445"), (vec![at("10.0.0.1", 443), at("10.0.0.1", 444), at("10.0.0.1", 445)], 0));
        assert_eq!(read("unix@/run/s,/run/t,quic4@:443"), (Vec::new(), 3));
        assert_eq!(read("localhost:443"), (vec![(None, 443)], 1));
        assert_eq!(read(":65535-99999").1, 1);
    }
}
