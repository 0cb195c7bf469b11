//! Sockets, and what is in effect for each name on them (mod_openssl_set_defaults_sockets() of `mod_openssl.c`).

use std::net::IpAddr;

use super::Program;
use super::commands::{self, LIST};
use super::names::{self, Conditions, Name};
use super::tree::{Block, Entry};
use crate::dialects::MOST_SERVICES;
use crate::files::normal;
use crate::service::{Heeds, Library, Listener, Note, Reading, Service, Side, Trouble};
use crate::setting::{CipherList, ClientVerification, Language, MOST_SHADOWED, Setting, Settings, Shadowed};
use crate::span::{Origin, Span};

/// lighttpd sets lowest version, suites up to TLS 1.2 and a few options itself.
const HEEDS: Heeds = Heeds { minimum_version: false, cipher_list: false, ..Heeds::ALL };

/// Since 1.4.60 some settings have a second name.
const TRUST: &[&str] = &["ssl.verifyclient.ca-file", "ssl.ca-file"];

/// What differs from name to name.
const BY_NAME: &[&str] =
    &["ssl.pemfile", "ssl.privkey", "ssl.verifyclient.activate", "ssl.verifyclient.enforce", TRUST[0], TRUST[1]];
/// Most pairs of a service and a block that are looked at.
const MOST_PAIRS: usize = 10_000_000;

/// What counts for the whole socket; within `$HTTP["host"]` it is ignored with a warning (measured).
const OF_THE_SOCKET: &[&str] =
    &["ssl.engine", "ssl.cipher-list", LIST, "ssl.honor-cipher-order", "ssl.ec-curve", "ssl.dh-file"];

pub(super) fn read(program: Program, blocks: &[Block], reading: &mut Reading) {
    let Some(global) = blocks.first() else { return };
    let ignored = misplaced(blocks);
    let telling: Vec<usize> = (0..blocks.len()).filter(|index| blocks.get(*index).is_some_and(tells)).collect();
    let conditions = Conditions::of(blocks);
    let by_openssl = matches!(library(program, global), Library::OpenSsl(_));
    for block in blocks {
        let of_socket = block.parent.is_none() || is_socket(block);
        // Other libraries' modules warn of what they do not know.
        if let Some(list) = block.entry(LIST).filter(|_| of_socket && by_openssl) {
            commands::complain(list, &mut reading.troubles);
        }
        if let Some(condition) = block.condition.as_ref().filter(|condition| names::never(condition)) {
            let says = format!("`{}` fits no name: lighttpd compares it with names in lower case", condition.text);
            reading.troubles.push(Trouble { at: block.head.clone(), says, fatal: false });
        }
    }
    let mut pairs = 0_usize;
    for (index, block) in blocks.iter().enumerate() {
        if index != 0 && !is_socket(block) {
            continue;
        }
        // A look at the blocks for each service; and each block is asked once for the names of a socket.
        let cost = telling.len() + ignored.len();
        let room = MOST_PAIRS.saturating_sub(pairs) / cost.max(1);
        let socket = Socket {
            program,
            blocks,
            telling: &telling,
            index,
            own: block,
            global,
            ignored: &ignored,
            conditions: &conditions,
        };
        let before = reading.services.len();
        if room == 0 || !socket.read(room, reading) {
            let says = "more names and sockets, each with all blocks, than are told of: the rest is left out".to_owned();
            reading.troubles.push(Trouble { at: block.head.clone(), says, fatal: false });
            return;
        }
        pairs += cost.saturating_mul(1 + reading.services.len() - before);
        if reading.services.len() >= MOST_SERVICES {
            return;
        }
    }
}

/// The library of the module that does the TLS.
fn library(program: Program, global: &Block) -> Library {
    let modules = global.entry("server.modules");
    let modules: Vec<String> =
        modules.iter().flat_map(|entry| entry.value.elements()).map(|(_, _, value)| value.text()).collect();
    program.library(&modules)
}

/// Whether a block says what differs from name to name.
fn tells(block: &Block) -> bool {
    block.entries.iter().any(|entry| BY_NAME.contains(&entry.name.as_str()))
}

fn is_socket(block: &Block) -> bool {
    block.condition.as_ref().is_some_and(|one| one.field == "SERVER[socket]" && one.operator == "==")
}

/// Settings of the socket that stand in a block of another kind, with its number.
fn misplaced(blocks: &[Block]) -> Vec<(usize, &Entry)> {
    let others = blocks.iter().enumerate().skip(1).filter(|(_, block)| !is_socket(block));
    let entries = others.flat_map(|(index, block)| block.entries.iter().map(move |entry| (index, entry)));
    entries.filter(|(_, entry)| OF_THE_SOCKET.contains(&entry.name.as_str())).collect()
}

struct Socket<'b> {
    program: Program,
    blocks: &'b [Block],
    /// Those that say what differs from name to name.
    telling: &'b [usize],
    index: usize,
    own: &'b Block,
    global: &'b Block,
    ignored: &'b [(usize, &'b Entry)],
    conditions: &'b Conditions<'b>,
}

impl Socket<'_> {
    /// Adds its services, no more than there is room for; whether those are all.
    fn read(&self, room: usize, reading: &mut Reading) -> bool {
        let mut notes = Vec::new();
        let listeners = self.listeners(&mut notes);
        let engine = self.own.entry("ssl.engine").or_else(|| self.global.entry("ssl.engine"));
        let on = engine.is_some_and(|entry| entry.value.switch());
        let tls = match engine {
            Some(entry) => Setting::new("ssl.engine", on, entry.value.text(), entry.origin()),
            None => Setting::new("ssl.engine", false, "disable", Origin::built_in(self.program.name())),
        };
        if !on {
            let settings = Settings { tls: Some(tls), ..Settings::default() };
            reading.services.push(self.service(&Name::Other, listeners, settings, notes));
            return true;
        }
        let of_tls = |entry: &&Entry| entry.name.starts_with("ssl.") && entry.name != "ssl.engine";
        let says_more = self.own.entries.iter().any(|entry| of_tls(&entry));
        let is_global = self.index == 0;
        // Of a socket with `ssl.engine` alone everything is the global scope's (measured).
        let scope = if says_more { self.own } else { self.global };
        if scope.entry("ssl.pemfile").is_none() {
            let says = match is_global {
                true => "`ssl.engine` is on and no `ssl.pemfile` is set: lighttpd does not start",
                false => {
                    "`ssl.pemfile` has to stand in the socket's own block, beside its other `ssl.` settings: lighttpd does not start"
                }
            };
            reading.troubles.push(Trouble { at: self.place(), says: says.to_owned(), fatal: true });
        }
        if !is_global && !says_more && self.own.entry("ssl.engine").is_none() {
            let why = "the block of the socket has no `ssl.` setting: lighttpd speaks TLS there as the global scope says, but without \
                       a context, and every handshake fails; `ssl.engine = \"enable\"` in it helps";
            notes.push(Note { at: self.own.head.clone(), says: why.to_owned() });
        }
        let mut socket = self.socket_settings(scope, tls, says_more, reading);
        if !is_global && !says_more && self.own.entry("ssl.engine").is_none() {
            let origin = self.own.head.clone().map_or_else(
                || Origin::built_in(self.program.name()),
                |head| Origin::file(head.clone(), Span { start: head.end, ..head }, None),
            );
            socket.refuses_all = Some(Setting::new("$SERVER[\"socket\"]", true, "", origin));
        }
        let names = self.names();
        for name in names.iter().take(room) {
            if reading.services.len() >= MOST_SERVICES {
                return true;
            }
            let mut settings = socket.clone();
            let mut notes = notes.clone();
            self.of_name(name, &mut settings, &mut notes);
            let meant =
                |(index, _): &&(usize, &Entry)| names::counts(self.conditions, *index, self.index, name, 0) == Some(true);
            for (_, entry) in self.ignored.iter().filter(meant) {
                shadow(entry, &mut settings, &mut notes);
            }
            reading.services.push(self.service(name, listeners.clone(), settings, notes));
        }
        names.len() <= room
    }

    fn place(&self) -> Option<Span> {
        self.own.head.clone().or_else(|| self.global.entry("ssl.engine").map(|entry| entry.at.clone()))
    }

    /// The settings that no name changes.
    fn socket_settings(&self, scope: &Block, tls: Setting<bool>, says_more: bool, reading: &mut Reading) -> Settings {
        let mut settings = Settings { tls: Some(tls), ..Settings::default() };
        // A socket within the list of sockets takes each of the two from the global scope where it has none itself.
        let inherited = |name: &str| scope.entry(name).or_else(|| self.global.entry(name));
        let default = self.program.ciphers();
        let built_in = || Origin::built_in(self.program.name());
        let list = |text: &str| CipherList { language: Language::OpenSsl, text: text.to_owned() };
        let ciphers = inherited("ssl.cipher-list").filter(|entry| !entry.value.text().is_empty());
        settings.cipher_list = Some(match ciphers {
            Some(entry) => {
                let text = entry.value.text();
                Setting::new("ssl.cipher-list", list(&text), text, entry.origin())
            }
            None => Setting::new("ssl.cipher-list", list(default), default, built_in()),
        });
        // Until 1.4.67 the server's order counted; since then only with a list of its own.
        let honour = inherited("ssl.honor-cipher-order").filter(|_| !self.program.since(68));
        settings.server_preference = Some(match (honour, ciphers) {
            (Some(entry), _) => Setting::new(&entry.name, entry.value.switch(), entry.value.text(), entry.origin()),
            (None, Some(entry)) if self.program.since(68) => {
                Setting::new(&entry.name, true, entry.value.text(), entry.origin())
            }
            (None, _) => Setting::new("ssl.honor-cipher-order", !self.program.since(68), "", built_in()),
        });
        for name in ["ssl.ec-curve", "ssl.dh-file", "ssl.use-sslv2", "ssl.use-sslv3"] {
            if let Some(entry) = inherited(name).filter(|_| self.program.since(68)) {
                let says = format!("`{name}` was taken out in lighttpd 1.4.68: it has no effect, `{LIST}` has");
                reading.troubles.push(Trouble { at: Some(entry.at.clone()), says, fatal: false });
            }
        }
        let replaced = self.global.entry(LIST).filter(|_| says_more && self.index != 0 && self.own.entry(LIST).is_some());
        commands::apply(inherited(LIST), replaced, self.program, &mut settings);
        match library(self.program, self.global) {
            Library::OpenSsl(_) => settings,
            other => commands::with_another_library(&other, self.program, settings),
        }
    }

    /// The names that blocks tell apart, each once; what no block names comes last.
    fn names(&self) -> Vec<Name> {
        let concerns = |block: &&Block| block.entries.iter().any(|entry| entry.name.starts_with("ssl."));
        let mut seen = std::collections::HashSet::new();
        let mut all = Vec::new();
        for (index, block) in self.blocks.iter().enumerate().skip(1).filter(|(_, block)| concerns(block)) {
            let mut at = Some(index);
            let mut told = Vec::new();
            let mut elsewhere = block.parent.is_none();
            for _ in 0..100 {
                let Some((index, block)) = at.and_then(|index| Some((index, self.blocks.get(index)?))) else { break };
                elsewhere |= is_socket(block) && index != self.index;
                told.extend(self.conditions.names(index));
                told.extend(block.instead_of.iter().flat_map(|index| self.conditions.names(*index)));
                at = block.parent;
            }
            if elsewhere {
                continue;
            }
            all.extend(told.into_iter().filter(|name| seen.insert(*name)).cloned());
        }
        all.push(Name::Other);
        all
    }

    /// What counts by name: certificate, trust anchors, client certificates. The last block that counts has it.
    fn of_name(&self, name: &Name, settings: &mut Settings, notes: &mut Vec<Note>) {
        let mut last: std::collections::HashMap<&str, Vec<&Entry>> = std::collections::HashMap::new();
        for index in self.telling.iter().copied() {
            let Some(block) = self.blocks.get(index) else { continue };
            if index != 0 && is_socket(block) && index != self.index {
                continue;
            }
            let entries = block.entries.iter().filter(|entry| BY_NAME.contains(&entry.name.as_str()));
            match names::counts(self.conditions, index, self.index, name, 0) {
                Some(true) => {
                    // A certificate comes with its key: another block's key does not count for it.
                    if block.entry("ssl.pemfile").is_some() {
                        last.remove("ssl.privkey");
                    }
                    for entry in entries {
                        last.entry(entry.name.as_str()).or_default().push(entry);
                    }
                }
                Some(false) => {}
                None => {
                    let says = "whether the settings of this block count for these names cannot be told".to_owned();
                    notes.push(Note { at: block.head.clone(), says });
                }
            }
        }
        let latest = |name: &str| last.get(name).and_then(|entries| entries.last()).copied();
        let earlier = |name: &str| {
            let entries = last.get(name).map(Vec::as_slice).unwrap_or_default();
            let earlier = entries.iter().rev().skip(1).take(MOST_SHADOWED);
            let why = "a block that names the socket or the host replaces it";
            earlier.map(|entry| shadowed(entry, why, false)).collect::<Vec<_>>()
        };
        let file = |name: &str| {
            let entry = latest(name)?;
            let text = entry.value.text();
            let path = if text.starts_with('/') { normal(&text) } else { text.clone() };
            Some(Setting { shadowed: earlier(name), ..Setting::new(name, path, text, entry.origin()) })
        };
        let certificate = file("ssl.pemfile");
        let key = file("ssl.privkey").or_else(|| certificate.clone());
        settings.certificates = certificate.into_iter().collect();
        settings.keys = key.into_iter().collect();
        settings.trust = file(TRUST[0]).or_else(|| file(TRUST[1]));
        let asks = latest("ssl.verifyclient.activate");
        let insists = latest("ssl.verifyclient.enforce");
        settings.client_verification = Some(match asks {
            Some(entry) => {
                let required = insists.is_none_or(|entry| entry.value.switch());
                let value = match (entry.value.switch(), required) {
                    (false, _) => ClientVerification::Off,
                    (true, true) => ClientVerification::Required,
                    (true, false) => ClientVerification::Optional,
                };
                Setting {
                    shadowed: earlier(&entry.name),
                    ..Setting::new(&entry.name, value, entry.value.text(), entry.origin())
                }
            }
            None => {
                let by = Origin::built_in(self.program.name());
                Setting::new("ssl.verifyclient.activate", ClientVerification::Off, "disable", by)
            }
        });
    }

    fn service(&self, name: &Name, mut listeners: Vec<Listener>, settings: Settings, notes: Vec<Note>) -> Service {
        listeners.iter_mut().for_each(|listener| listener.is_default = *name == Name::Other);
        let socket = match &self.own.condition {
            Some(condition) => condition.text.clone(),
            None => listeners.first().map_or(String::new(), |listener| format!(":{}", listener.port)),
        };
        let names = name.written();
        let title = format!("socket {socket} {}", names.join(" "));
        Service {
            dialect: "lighttpd",
            side: Side::Server,
            title: title.trim_end().to_owned(),
            listeners,
            names,
            names_from_certificates: false,
            declared: self.place(),
            upgrade: None,
            program: ("lighttpd".to_owned(), self.program.release),
            library: library(self.program, self.global),
            heeds: HEEDS,
            settings,
            notes,
        }
    }

    fn listeners(&self, notes: &mut Vec<Note>) -> Vec<Listener> {
        let (host, port) = match &self.own.condition {
            Some(condition) => {
                let text = condition.text.as_str();
                if text.starts_with('/') {
                    notes.push(Note {
                        at: self.own.head.clone(),
                        says: format!("`{text}` is no TCP port: it is not looked at"),
                    });
                    return Vec::new();
                }
                let (host, port) =
                    text.rsplit_once(':').filter(|(_, port)| port.parse::<u16>().is_ok()).unwrap_or((text, "80"));
                (host.to_owned(), port.parse().unwrap_or(80))
            }
            None => {
                let tls = self.global.entry("ssl.engine").is_some_and(|entry| entry.value.switch());
                let port = self.global.entry("server.port").and_then(|entry| entry.value.text().parse().ok());
                let host = self.global.entry("server.bind").map(|entry| entry.value.text()).unwrap_or_default();
                if host.starts_with('/') {
                    return Vec::new();
                }
                (host, port.unwrap_or(if tls { 443 } else { 80 }))
            }
        };
        let host = host.trim_start_matches('[').trim_end_matches(']');
        let address: Option<IpAddr> = host.parse().ok();
        if address.is_none() && !host.is_empty() && host != "*" {
            let says = format!("`{host}` is looked up when lighttpd starts: the address is not known here");
            notes.push(Note { at: self.own.head.clone(), says });
        }
        vec![Listener { address: address.filter(|address| !address.is_unspecified()), port, is_default: false }]
    }
}

fn shadowed(entry: &Entry, why: &str, meant_to_count: bool) -> Shadowed {
    let text = match entry.value.elements() {
        [] => entry.value.text(),
        elements => {
            let one = |(key, _, value): &(Option<String>, Span, super::tree::Value)| {
                format!("{} => {}", key.as_deref().unwrap_or_default(), value.text())
            };
            elements.iter().map(one).collect::<Vec<_>>().join(", ")
        }
    };
    Shadowed { name: entry.name.clone(), text, origin: entry.origin(), why: why.to_owned(), meant_to_count }
}

/// A setting of the socket within a block that is not one: beside what it would change.
fn shadow(entry: &Entry, settings: &mut Settings, notes: &mut Vec<Note>) {
    let why = "lighttpd ignores it outside of the global scope and of `$SERVER[\"socket\"] ==`, with a warning";
    let place = match entry.name.as_str() {
        LIST => settings.minimum_version.as_mut().map(|one| &mut one.shadowed),
        "ssl.cipher-list" => settings.cipher_list.as_mut().map(|one| &mut one.shadowed),
        "ssl.engine" => settings.tls.as_mut().map(|one| &mut one.shadowed),
        _ => None,
    };
    match place {
        Some(place) if place.len() >= MOST_SHADOWED => {}
        Some(place) => place.push(shadowed(entry, why, true)),
        None => notes.push(Note { at: Some(entry.at.clone()), says: format!("`{}`: {why}", entry.name) }),
    }
}

#[cfg(test)]
mod tests {
    use tlswhy_model::{FileContent, SeenFile};

    use crate::{Context, Files, dialect};

    #[test]
    fn of_two_thousand_hosts_each_has_its_certificate() {
        let mut text = "ssl.engine = \"enable\"\nssl.pemfile = \"/a.pem\"\n".to_owned();
        for host in 0..2000 {
            text.push_str(&format!("$HTTP[\"host\"] == \"h{host}.test\" {{ ssl.pemfile = \"/{host}.pem\" }}\n"));
        }
        let content = FileContent::Bytes { bytes: text.into_bytes().into(), sha256: String::new(), public_keys: Vec::new() };
        let seen = [SeenFile { path: "/l.conf".to_owned(), real_path: None, content }];
        let files = Files::new(&seen, &[]);
        let reading = dialect("lighttpd").unwrap().reading(&Context { files: &files, main: "/l.conf" });
        assert_eq!(reading.services.len(), 2001);
        let last = reading.services.iter().find(|service| service.names == ["h1999.test"]).unwrap();
        assert_eq!(last.settings.certificates[0].value, "/1999.pem");
    }
}
