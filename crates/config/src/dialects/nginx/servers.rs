//! Server blocks: where they listen, which of them answers before the name is known, what is in effect for each.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::Program;
use super::listen::{Listen, Listening, Socket, place};
use super::proxies;
use super::settings::{self, Levels};
use super::tree::{Level, Node};
use crate::dialects::MOST_SERVICES;
use crate::service::{Heeds, Listener, Note, Service, Side, Trouble};
use crate::setting::{Setting, Settings, Shadowed};
use crate::span::{Origin, Span};

/// nginx sets the lowest and highest version itself after the context is made; the level of CipherString counts where
/// `ssl_ciphers` names none (measured).
pub(super) const HEEDS: Heeds =
    Heeds { security_level: true, groups: true, signature_algorithms: true, options: true, ..Heeds::NOTHING };

/// Directives that nginx takes once a block.
const ONCE: &[&str] = &[
    "ssl_ciphers",
    "ssl_ecdh_curve",
    "ssl_prefer_server_ciphers",
    "ssl_verify_client",
    "ssl_client_certificate",
    "ssl_trusted_certificate",
    "ssl_dhparam",
    "ssl_reject_handshake",
];

/// What is found on the way.
pub(super) struct Found {
    pub(super) program: Program,
    pub(super) services: Vec<Service>,
    pub(super) troubles: Vec<Trouble>,
}

/// A server block.
#[derive(Clone)]
struct Server<'n> {
    node: &'n Node,
    listens: Vec<Listen<'n>>,
    names: Vec<String>,
    settings: Settings,
}

impl Found {
    pub(super) fn http(&mut self, http: &[Node]) {
        let around = Level::around(http, &mut self.troubles);
        self.repeated(&around);
        let servers: Vec<Server<'_>> = blocks(http).take(MOST_SERVICES).map(|node| self.server(node, &around, true)).collect();
        self.add(&servers, "http");
        proxies::http(self, http, &around);
    }

    pub(super) fn stream(&mut self, stream: &[Node]) {
        let around = Level::around(stream, &mut self.troubles);
        self.repeated(&around);
        let servers: Vec<Server<'_>> =
            blocks(stream).take(MOST_SERVICES).map(|node| self.server(node, &around, false)).collect();
        self.add(&servers, "stream");
        proxies::stream(self, stream, &around);
    }

    pub(super) fn mail(&mut self, mail: &[Node]) {
        let around = Level::around(mail, &mut self.troubles);
        self.repeated(&around);
        for node in blocks(mail) {
            let server = self.server(node, &around, false);
            let own = Level::of(node.inside());
            let levels = [&own, &around];
            let starttls = settings::setting(&levels, "starttls", |node| Some(node.argument() != "off"));
            let starttls = starttls.filter(|starttls| starttls.value);
            // A listener with `ssl` speaks TLS from the first byte, `starttls` or not; the others after a dialogue.
            let (at_once, after): (Vec<Listen<'_>>, Vec<Listen<'_>>) =
                server.listens.iter().cloned().partition(|listen| listen.ssl || starttls.is_none());
            self.add(&[Server { listens: at_once, ..server.clone() }], "mail");
            let before = self.services.len();
            for listen in after {
                let settings = Settings { tls: starttls.clone(), ..server.settings.clone() };
                self.add(&[Server { listens: vec![Listen { ssl: true, ..listen }], settings, ..server.clone() }], "mail");
            }
            let protocol = own.named("protocol").first().map(|node| node.argument());
            for service in self.services.iter_mut().skip(before) {
                service.upgrade = mail_protocol(protocol, service.listeners.first().map_or(0, |listener| listener.port));
            }
        }
    }

    /// Lines that stand twice at a level where nginx takes one.
    fn repeated(&mut self, level: &Level<'_>) {
        for name in ONCE {
            if let [_, second, ..] = level.named(name) {
                let says = format!("`{name}` stands twice in one block: nginx calls it duplicate and does not start");
                self.troubles.push(Trouble { at: Some(second.at()), says, fatal: true });
            }
        }
    }

    fn server<'n>(&mut self, node: &'n Node, around: &Level<'n>, http: bool) -> Server<'n> {
        let own = Level::of(node.inside());
        let levels = [&own, around];
        let mut listens: Vec<Listen<'n>> = Vec::new();
        for listen in own.named("listen") {
            match Listening::of(listen) {
                Listening::At(sockets) => listens.extend(sockets),
                Listening::Elsewhere => {}
                Listening::Unclear => self.troubles.push(Trouble {
                    at: Some(listen.at()),
                    says: format!("`{}` is no address that can be read here", listen.argument()),
                    fatal: false,
                }),
            }
        }
        let mut sockets = HashSet::new();
        if let Some(again) = listens.iter().find(|listen| !sockets.insert(listen.socket())) {
            let says = format!("a second `listen` for {} in one server: nginx does not start", place(again.socket()));
            self.troubles.push(Trouble { at: again.line.map(Node::at), says, fatal: true });
        }
        if http && own.named("listen").is_empty() {
            listens.push(Listen { address: None, port: 80, six: false, ssl: false, default: false, line: None });
        }
        // Until 1.25.1 `ssl on` made every listener of the server speak TLS.
        let on = settings::one(&levels, "ssl").filter(|_| !self.program.since(1, 25, 1));
        if on.is_some_and(|node| settings::switch(node) == Some(true)) {
            listens.iter_mut().for_each(|listen| listen.ssl = true);
        }
        self.repeated(&own);
        let words = own.named("server_name").iter().flat_map(|node| node.arguments());
        let names: Vec<String> = words.filter(|name| !name.is_empty()).map(str::to_ascii_lowercase).collect();
        let settings = settings::server(&levels, self.program, &mut self.troubles);
        Server { node, listens, names, settings }
    }

    /// Makes services of servers: for each the listeners that share a default server.
    fn add(&mut self, servers: &[Server<'_>], context: &str) {
        // The default server of each socket: the one that says so, else the first (servers.md's rule 1.4; measured).
        let mut defaults: BTreeMap<Socket, usize> = BTreeMap::new();
        let mut speaks_tls: BTreeMap<Socket, bool> = BTreeMap::new();
        let mut marked: BTreeMap<Socket, Span> = BTreeMap::new();
        for (index, server) in servers.iter().enumerate() {
            for listen in &server.listens {
                let default = defaults.entry(listen.socket()).or_insert(index);
                if let (true, Some(line)) = (listen.default, listen.line) {
                    *default = index;
                    let at = line.at();
                    if let Some(first) = marked.insert(listen.socket(), at.clone())
                        && first != at
                    {
                        let says = format!("a second default server for {}: nginx does not start", place(listen.socket()));
                        self.troubles.push(Trouble { at: Some(at), says, fatal: true });
                    }
                }
                // `ssl` on one `listen` of a socket counts for all of its servers.
                *speaks_tls.entry(listen.socket()).or_default() |= listen.ssl;
            }
        }
        let mut titles: HashMap<String, usize> = HashMap::new();
        for (index, server) in servers.iter().enumerate() {
            let mut groups: BTreeMap<(usize, bool), Vec<&Listen<'_>>> = BTreeMap::new();
            for listen in &server.listens {
                let tls = speaks_tls.get(&listen.socket()).copied().unwrap_or(false);
                let ruling = defaults.get(&listen.socket()).copied().unwrap_or(index);
                groups.entry((ruling, tls)).or_default().push(listen);
            }
            for ((ruling, tls), listens) in groups {
                if self.services.len() >= MOST_SERVICES {
                    return;
                }
                let listeners: Vec<Listener> = listens
                    .iter()
                    .map(|listen| Listener {
                        address: listen.address,
                        port: listen.port,
                        is_default: defaults.get(&listen.socket()) == Some(&index),
                    })
                    .collect();
                let mut settings = server.settings.clone();
                let mut notes = Vec::new();
                if context != "mail" || settings.tls.is_none() {
                    settings.tls = Some(self.speaks(&listens, tls));
                }
                if tls && ruling != index {
                    if let Some(default) = servers.get(ruling) {
                        let at = listens.first().map(|listen| listen.socket());
                        self.ruled_by(&mut settings, default, at, &mut notes);
                    }
                } else if tls {
                    notes.extend(self.nothing_to_show(server.node, &settings));
                } else {
                    // What it would show, were `ssl` there; the rest has no meaning.
                    let Settings { tls, certificates, keys, .. } = settings;
                    settings = Settings { tls, certificates, keys, ..Settings::default() };
                }
                if let Some(name) = server.names.iter().find(|name| name.starts_with('~')) {
                    let says = format!("`{name}` is a regular expression, which is not held against names here");
                    notes.push(Note { at: Some(server.node.at()), says });
                }
                let title = self.title(server, &listeners, context, &mut titles);
                self.services.push(Service {
                    dialect: "nginx",
                    side: Side::Server,
                    title,
                    listeners,
                    names: server.names.clone(),
                    names_from_certificates: false,
                    declared: Some(server.node.at()),
                    upgrade: None,
                    program: ("nginx".to_owned(), self.program.release),
                    library: self.program.library(),
                    heeds: HEEDS,
                    settings,
                    notes,
                });
            }
        }
    }

    /// What the default server of the socket decides in the place of this one, before the name is known.
    fn ruled_by(&self, settings: &mut Settings, default: &Server<'_>, socket: Option<Socket>, notes: &mut Vec<Note>) {
        if self.program.name_decides_versions() {
            return;
        }
        let place = socket.map_or("the socket".to_owned(), place);
        let why = format!(
            "the default server of {place} decides this before the name is known (nginx before 1.29.2; the name decides since)"
        );
        let own = std::mem::take(&mut settings.versions);
        settings.versions = overruled(own, default.settings.versions.clone(), &why);
        let own = std::mem::take(&mut settings.minimum_version);
        settings.minimum_version = overruled(own, default.settings.minimum_version.clone(), &why);
        let own = std::mem::take(&mut settings.maximum_version);
        settings.maximum_version = overruled(own, default.settings.maximum_version.clone(), &why);
        // Where the default server leaves it to the library, there is no line that rules.
        let idle = |origin: &Origin, name: &str, text: &str| Note {
            at: origin.span().cloned(),
            says: format!("`{name} {text}` has no effect here: {why}"),
        };
        if let (Some(own), None) = (&settings.groups, &default.settings.groups) {
            notes.push(idle(&own.origin, &own.name, &own.text));
        }
        if let (Some(own), None) = (&settings.cipher_suites, &default.settings.cipher_suites) {
            notes.push(idle(&own.origin, &own.name, &own.text));
        }
        let own = std::mem::take(&mut settings.groups);
        settings.groups = overruled(own, default.settings.groups.clone(), &why);
        let own = std::mem::take(&mut settings.cipher_suites);
        settings.cipher_suites = overruled(own, default.settings.cipher_suites.clone(), &why);
    }

    fn speaks(&self, listens: &[&Listen<'_>], tls: bool) -> Setting<bool> {
        let telling = listens.iter().find(|listen| listen.ssl).or(listens.first());
        match telling.and_then(|listen| listen.line) {
            Some(line) => Setting::new("listen", tls, line.text(), line.origin()),
            None => Setting::new("listen", tls, "80", Origin::built_in(self.program.name())),
        }
    }

    fn nothing_to_show(&self, node: &Node, settings: &Settings) -> Option<Note> {
        let rejects = settings.refuses_all.as_ref().is_some_and(|rejects| rejects.value);
        let says =
            "no `ssl_certificate` is defined for this server, which listens with `ssl`: no handshake succeeds".to_owned();
        (settings.certificates.is_empty() && !rejects).then(|| Note { at: Some(node.at()), says })
    }

    fn title(&self, server: &Server<'_>, listeners: &[Listener], context: &str, titles: &mut HashMap<String, usize>) -> String {
        let name = server.names.iter().find(|name| name.as_str() != "_");
        let port = listeners.first().map_or(0, |listener| listener.port);
        let title = match (name, context) {
            (Some(name), "http") => format!("server {name}"),
            (Some(name), context) => format!("{context} server {name}"),
            (None, "http") => format!("server without a name on port {port}"),
            (None, context) => format!("{context} server on port {port}"),
        };
        // Two blocks of one name are told apart by their number.
        let count = titles.entry(format!("{title} {listeners:?}")).or_default();
        *count += 1;
        if *count > 1 { format!("{title} (block {count})") } else { title }
    }

    /// Adds a client service.
    pub(super) fn client(&mut self, title: String, port: Option<u16>, node: &Node, levels: &Levels<'_>, prefix: &str) {
        let settings = proxies::settings(levels, prefix, self.program, &mut self.troubles);
        self.services.push(Service {
            dialect: "nginx",
            side: Side::Client,
            title,
            listeners: port.map(|port| Listener { address: None, port, is_default: false }).into_iter().collect(),
            names: Vec::new(),
            names_from_certificates: false,
            declared: Some(node.at()),
            upgrade: None,
            program: ("nginx".to_owned(), self.program.release),
            library: self.program.library(),
            heeds: HEEDS,
            settings,
            notes: Vec::new(),
        });
    }
}

/// The ruling setting, with the own one shadowed where it says something else from another line.
fn overruled<T: Clone>(own: Option<Setting<T>>, ruling: Option<Setting<T>>, why: &str) -> Option<Setting<T>> {
    let Some(mut ruling) = ruling else {
        // The default server leaves it to the library; there is no line to show, and the own one has no effect.
        return None;
    };
    ruling.shadowed.clear();
    if let Some(own) = own
        && let (Origin::File { at: own_at, .. }, ruling_at) = (&own.origin, ruling.origin.span())
        && Some(own_at) != ruling_at
    {
        let shadowed = Shadowed {
            name: own.name.clone(),
            text: own.text.clone(),
            origin: own.origin.clone(),
            why: why.to_owned(),
            meant_to_count: own.text != ruling.text,
        };
        ruling.shadowed.push(shadowed);
    }
    Some(ruling)
}

/// The `server` blocks among these.
fn blocks(nodes: &[Node]) -> impl Iterator<Item = &Node> {
    nodes.iter().filter(|node| node.name() == "server" && node.block.is_some())
}

/// The dialogue of a mail server: `protocol`, else by the port (ngx_mail_*_module.c).
fn mail_protocol(word: Option<&str>, port: u16) -> Option<&'static str> {
    match (word, port) {
        (Some("imap"), _) | (None, 143 | 993) => Some("imap"),
        (Some("pop3"), _) | (None, 110 | 995) => Some("pop3"),
        (Some("smtp"), _) | (None, 25 | 465 | 587) => Some("smtp"),
        _ => None,
    }
}
