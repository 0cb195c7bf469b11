//! Virtual hosts and the main server: where they listen, which of them a connection meets first, what is in effect for each.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::net::IpAddr;

use super::Program;
use super::proxies;
use super::settings::{self, Level, Reckoning, Versions};
use super::tree::Node;
use crate::dialects::MOST_SERVICES;
use crate::files::fits;
use crate::service::{Heeds, Listener, Note, Service, Side, Trouble};
use crate::setting::{Setting, Settings, Shadowed};
use crate::span::Origin;

/// mod_ssl sets both ends of the range and the cipher list itself, whatever the policy says; the level that `CipherString` sets
/// stays (ssl_init_ctx_protocol, ssl_init_ctx_cipher_suite).
pub(super) const HEEDS: Heeds = Heeds {
    security_level: true,
    cipher_suites: true,
    groups: true,
    signature_algorithms: true,
    options: true,
    ..Heeds::NOTHING
};

/// Most aliases with other wildcards than a leading `*.` against which a later name is held.
const MOST_PATTERNS: usize = 1_000;

/// What is found on the way.
pub(super) struct Found<'f> {
    pub(super) program: Program,
    pub(super) root: &'f str,
    pub(super) has_ssl: bool,
    /// mod_md may be where the certificates come from.
    pub(super) has_md: bool,
    pub(super) services: Vec<Service>,
    pub(super) troubles: Vec<Trouble>,
}

/// An address as `Listen` and `<VirtualHost>` name it; port `None` stands for every port.
type Socket = (Option<IpAddr>, Option<u16>);

/// A `Listen` line.
struct Listen<'n> {
    address: Option<IpAddr>,
    port: u16,
    https: bool,
    node: &'n Node,
}

/// A virtual host, or the main server.
pub(super) struct Server<'n> {
    pub(super) head: Option<&'n Node>,
    pub(super) own: Level<'n>,
    pub(super) nodes: &'n [Node],
    sockets: Vec<Socket>,
    /// Ports of addresses that are host names.
    unresolved: Vec<u16>,
    names: Vec<String>,
    settings: Settings,
    versions: Versions,
    /// TLS is spoken, by its own lines.
    engine: Setting<bool>,
    notes: Vec<Note>,
}

/// The names that the virtual hosts of a socket have, as far as they are read.
#[derive(Default)]
struct Taken<'n> {
    plain: HashSet<&'n str>,
    /// What follows the star of `*.a.test`.
    below: HashSet<&'n str>,
    /// Other aliases: `*` and `?` stand for anything, dots too.
    patterns: Vec<&'n str>,
}

impl<'n> Taken<'n> {
    fn add(&mut self, name: &'n str) {
        let wild = |text: &str| text.contains(['*', '?']);
        match name.strip_prefix('*') {
            _ if !wild(name) => {
                self.plain.insert(name);
            }
            Some(below) if below.starts_with('.') && !wild(below) => {
                self.below.insert(below);
            }
            _ if self.patterns.len() < MOST_PATTERNS => self.patterns.push(name),
            _ => {}
        }
    }

    fn has(&self, name: &str) -> bool {
        let mut ends = name.match_indices('.').filter(|(at, _)| *at > 0).filter_map(|(at, _)| name.get(at..));
        let fits = |pattern: &&str| !name.starts_with('.') && fits(pattern.as_bytes(), name.as_bytes());
        self.plain.contains(name) || ends.any(|end| self.below.contains(end)) || self.patterns.iter().any(fits)
    }
}

impl Found<'_> {
    pub(super) fn read(&mut self, nodes: &[Node]) {
        let main = Level::around(nodes, &mut self.troubles);
        let listens: Vec<Listen<'_>> = main.all("listen").iter().filter_map(|node| self.listen(node)).collect();
        if !self.has_ssl {
            self.without_module(nodes);
        }
        let mut servers = vec![self.server(None, nodes, &main, &listens)];
        for node in nodes.iter().filter(|node| node.name == "virtualhost").take(MOST_SERVICES) {
            servers.push(self.server(Some(node), node.inside(), &main, &listens));
        }
        self.add(&servers, &listens);
        proxies::read(self, &servers, &main);
    }

    /// Without mod_ssl its directives are unknown, which ends the start.
    fn without_module(&mut self, nodes: &[Node]) {
        let inside = nodes.iter().filter(|node| node.name == "virtualhost").flat_map(Node::inside);
        if let Some(node) = nodes.iter().chain(inside).find(|node| node.name.starts_with("ssl") && node.block.is_none()) {
            let says = format!("`{}` is not known: no line loads mod_ssl", node.written);
            self.troubles.push(Trouble { at: Some(node.at()), says, fatal: true });
        }
    }

    fn listen<'n>(&mut self, node: &'n Node) -> Option<Listen<'n>> {
        let words = node.words();
        let address = words.first()?;
        match socket(address, None) {
            Some((address, Some(port))) => {
                let protocol = words.get(1).map(|word| word.to_ascii_lowercase());
                let https = protocol.map_or(port == 443, |protocol| protocol == "https");
                Some(Listen { address, port, https, node })
            }
            _ => {
                let says = format!("`Listen {address}` is no address with a port that can be read here");
                self.troubles.push(Trouble { at: Some(node.at()), says, fatal: !address.contains('$') });
                None
            }
        }
    }

    fn server<'n>(
        &mut self,
        head: Option<&'n Node>,
        nodes: &'n [Node],
        main: &Level<'n>,
        listens: &[Listen<'_>],
    ) -> Server<'n> {
        let own = Level::of(nodes);
        let mut reckoning =
            Reckoning { program: self.program, root: self.root, troubles: &mut self.troubles, notes: Vec::new() };
        let main_only = [main];
        let both = [&own, main];
        let levels: &[&Level<'n>] = if head.is_some() { &both } else { &main_only };
        let (settings, versions) = settings::server(levels, &mut reckoning);
        let notes = reckoning.notes;
        // `<VirtualHost *>` takes the main server's port where its ServerName has one, else every port.
        let main_port = main.all("servername").last().and_then(|node| {
            let name = node.argument();
            name.trim_start_matches("https://").trim_start_matches("http://").rsplit_once(':')?.1.parse::<u16>().ok()
        });
        let mut sockets: Vec<Socket> = Vec::new();
        let mut unresolved: Vec<u16> = Vec::new();
        for word in head.map(Node::words).unwrap_or_default() {
            match socket(&word, main_port) {
                Some(socket) => sockets.push(socket),
                None => {
                    let port = word.rsplit_once(':').and_then(|(_, port)| port.parse::<u16>().ok());
                    unresolved.extend(port);
                    let says = format!("`{word}` is a host name or no address: it is not resolved here");
                    self.troubles.push(Trouble { at: head.map(Node::at), says, fatal: false });
                }
            }
        }
        let mut names: Vec<String> = Vec::new();
        // ServerName's port and scheme say what redirections name, not where the host listens.
        if let Some(node) = own.all("servername").last() {
            let name = node.argument().to_ascii_lowercase();
            let name = name.trim_start_matches("https://").trim_start_matches("http://");
            let name = if name.starts_with('[') { name } else { name.split(':').next().unwrap_or_default() };
            names.push(name.trim_end_matches('.').to_owned());
        }
        for node in own.all("serveralias") {
            names.extend(node.words().iter().map(|name| name.to_ascii_lowercase()));
        }
        names.retain(|name| !name.is_empty());
        let mut engine = settings::setting(levels, "sslengine", |node| match node.argument().to_ascii_lowercase().as_str() {
            "on" => Some(true),
            // `optional` is RFC 2817's upgrade within HTTP: a TLS client meets plain text.
            "off" | "optional" => Some(false),
            _ => None,
        });
        if engine.is_none() {
            if let Some(node) = levels.iter().flat_map(|level| level.all("sslengine")).next() {
                settings::trouble(&mut self.troubles, node, "`SSLEngine` takes on, off or optional".to_owned());
            }
            // Where a certificate is there and the listener's protocol is https, TLS is on (ssl_init_Module; measured).
            let over = listens.iter().find(|listen| {
                listen.https && sockets.iter().any(|(address, port)| *port == Some(listen.port) && (*address == listen.address))
            });
            engine = over
                .filter(|_| !settings.certificates.is_empty())
                .map(|listen| Setting::new(&listen.node.written, true, listen.node.text(), listen.node.origin()));
        }
        let mut engine =
            engine.unwrap_or_else(|| Setting::new("SSLEngine", false, "off", Origin::built_in(self.program.name())));
        engine.value &= self.has_ssl;
        // Of the main server too, whether or not anybody reaches it (ssl_init_server_certs; measured).
        if engine.value && settings.certificates.is_empty() && !self.has_md {
            let at = engine.origin.span().cloned().filter(|_| head.is_none()).or_else(|| head.map(Node::at));
            let says = "`SSLEngine on` without an `SSLCertificateFile`: the program does not start".to_owned();
            self.troubles.push(Trouble { at, says, fatal: true });
        }
        Server { head, own, nodes, sockets, unresolved, names, settings, versions, engine, notes }
    }

    /// Makes services of servers: for each the listeners on which the same server is met first.
    fn add(&mut self, servers: &[Server<'_>], listens: &[Listen<'_>]) {
        // The first virtual host of an address and port is met first (ap_update_vhost_given_ip).
        let mut first: HashMap<Socket, usize> = HashMap::new();
        for (index, server) in servers.iter().enumerate() {
            for socket in &server.sockets {
                first.entry(*socket).or_insert(index);
            }
        }
        let mut ports: Vec<u16> = listens.iter().map(|listen| listen.port).collect();
        ports.sort_unstable();
        ports.dedup();
        // Who comes first has a name.
        let mut taken: HashMap<Socket, Taken<'_>> = HashMap::new();
        let mut titles: HashMap<String, usize> = HashMap::new();
        for (index, server) in servers.iter().enumerate() {
            if self.services.len() >= MOST_SERVICES {
                return;
            }
            let mut groups: BTreeMap<usize, Vec<Listener>> = BTreeMap::new();
            for socket in &server.sockets {
                let ruling = first.get(socket).copied().unwrap_or(index);
                let is_default = ruling == index;
                let of = |port: u16| Listener { address: socket.0, port, is_default };
                let listeners = groups.entry(ruling).or_default();
                match socket.1 {
                    Some(port) => listeners.push(of(port)),
                    None => {
                        // An exact port of the same address goes before.
                        let free = ports.iter().filter(|port| !first.contains_key(&(socket.0, Some(**port))));
                        listeners.extend(free.map(|port| of(*port)));
                    }
                }
            }
            // Whatever the address is: there it is taken for the first.
            for port in &server.unresolved {
                let listener = Listener { address: None, port: *port, is_default: true };
                groups.entry(index).or_default().push(listener);
            }
            // The main server has what no virtual host takes.
            if index == 0 {
                let uncovered = listens.iter().filter(|listen| {
                    ![(listen.address, Some(listen.port)), (listen.address, None), (None, Some(listen.port)), (None, None)]
                        .iter()
                        .any(|socket| first.contains_key(socket))
                });
                let listeners: Vec<Listener> =
                    uncovered.map(|listen| Listener { address: listen.address, port: listen.port, is_default: true }).collect();
                if listeners.is_empty() {
                    continue;
                }
                groups.insert(0, listeners);
            }
            for (ruling, mut listeners) in groups {
                listeners.sort();
                listeners.dedup();
                let Some(default) = servers.get(ruling) else { continue };
                let sockets = || server.sockets.iter().filter(|socket| first.get(socket) == Some(&ruling));
                let mut notes = Vec::new();
                let names = if index == 0 {
                    server.own.all("servername").last().map(|_| server.names.clone()).unwrap_or_default()
                } else {
                    let at = server.head.map(Node::at);
                    let mut names = Vec::new();
                    for name in &server.names {
                        let earlier = |socket: &Socket| taken.get(socket).is_some_and(|taken| taken.has(name));
                        if sockets().next().is_some() && sockets().all(earlier) {
                            let says = format!("`{name}` is taken by an earlier virtual host of the same address");
                            notes.push(Note { at: at.clone(), says });
                        } else {
                            names.push(name.clone());
                        }
                    }
                    names
                };
                let service = self.service(server, index, default, ruling, listeners, names, notes, listens, &mut titles);
                self.services.push(service);
            }
            for socket in &server.sockets {
                let taken = taken.entry(*socket).or_default();
                server.names.iter().for_each(|name| taken.add(name));
            }
        }
    }

    #[allow(clippy::too_many_arguments, reason = "what one service is made of")]
    fn service(
        &self,
        server: &Server<'_>,
        index: usize,
        default: &Server<'_>,
        ruling: usize,
        listeners: Vec<Listener>,
        names: Vec<String>,
        mut notes: Vec<Note>,
        listens: &[Listen<'_>],
        titles: &mut HashMap<String, usize>,
    ) -> Service {
        notes.extend(server.notes.iter().cloned());
        let mut settings = server.settings.clone();
        let port = listeners.first().map_or(0, |listener| listener.port);
        let place = listeners.first().map_or_else(String::new, |listener| match listener.address {
            Some(address) => format!("{address}:{}", listener.port),
            None => format!("*:{}", listener.port),
        });
        if ruling == index {
            own_versions(&mut settings, &server.versions);
            retain(&mut settings, &server.versions.off);
            settings.tls = Some(server.engine.clone());
        } else {
            let first = default.names.first().map_or_else(|| "without a name".to_owned(), |name| format!("`{name}`"));
            let why = format!("the first virtual host of {place}, {first}, decides this before the name counts");
            let agrees = server.engine.value && default.engine.value;
            let engine = if agrees { server.engine.clone() } else { overruled(&server.engine, &default.engine, &why) };
            settings.tls = Some(engine);
            if !server.engine.value && default.engine.value {
                let says = format!(
                    "TLS is off for this virtual host: {place} speaks TLS all the same, with what its first virtual host has"
                );
                notes.push(Note { at: server.head.map(Node::at), says });
                let tls = settings.tls;
                settings = default.settings.clone();
                settings.tls = tls;
                own_versions(&mut settings, &default.versions);
                retain(&mut settings, &default.versions.off);
            } else {
                self.ruled_by(&mut settings, server, default, &place, &why, &mut notes);
            }
        }
        let speaks = settings.tls.as_ref().is_some_and(|tls| tls.value);
        if speaks {
            per_directory(server.nodes, &mut notes, 0);
        } else {
            // What it would show, were TLS on; the rest has no meaning.
            let Settings { tls, certificates, keys, .. } = settings;
            settings = Settings { tls, certificates, keys, ..Settings::default() };
        }
        for listener in &listeners {
            if !listens.is_empty() && !listens.iter().any(|listen| listen.port == listener.port) {
                let says = format!("no `Listen` opens port {}: nobody reaches this virtual host there", listener.port);
                notes.push(Note { at: server.head.map(Node::at), says });
            }
        }
        let title = match (server.head, names.first().or(server.names.first())) {
            (None, _) => format!("main server on port {port}"),
            (Some(_), Some(name)) => format!("virtual host {name}"),
            (Some(_), None) => format!("virtual host without a name on port {port}"),
        };
        let count = titles.entry(format!("{title} {port}")).or_default();
        *count += 1;
        let title = if *count > 1 { format!("{title} ({count})") } else { title };
        let program = ("apache".to_owned(), self.program.release);
        settings
            .server_preference
            .get_or_insert_with(|| Setting::new("SSLHonorCipherOrder", false, "off", Origin::built_in(self.program.name())));
        Service {
            dialect: "apache",
            side: Side::Server,
            title,
            listeners,
            names,
            names_from_certificates: false,
            declared: server.head.map(Node::at),
            upgrade: None,
            program,
            library: self.program.library(),
            heeds: HEEDS,
            settings,
            notes,
        }
    }

    /// What the first virtual host of the address decides in the place of this one (ssl_find_vhost; each measured).
    fn ruled_by(
        &self,
        settings: &mut Settings,
        server: &Server<'_>,
        default: &Server<'_>,
        place: &str,
        why: &str,
        notes: &mut Vec<Note>,
    ) {
        let (own, first) = (&server.versions, &default.versions);
        let by_name = self.program.name_decides_versions();
        if by_name && own.explicit {
            own_versions(settings, own);
        } else {
            let why = if by_name {
                format!("without an `SSLProtocol` of its own, a virtual host has the versions of the first one of {place}")
            } else {
                format!("{why} (httpd before 2.4.42 or OpenSSL before 1.1.1; the name decides since)")
            };
            settings.versions = Some(overruled(&own.set, &first.set, &why));
            for (own, first, place) in [
                (&own.lowest, &first.lowest, &mut settings.minimum_version),
                (&own.highest, &first.highest, &mut settings.maximum_version),
            ] {
                *place = first.as_ref().map(|first| match own {
                    Some(own) => overruled(own, first, &why),
                    None => first.clone(),
                });
                if let (Some(own), None) = (own, first)
                    && let Some(versions) = &mut settings.versions
                {
                    versions.shadowed.push(shadowed(own, &why, true));
                }
            }
            // TLS 1.3 suites are chosen with the version.
            if !by_name {
                inherit(&mut settings.cipher_suites, &default.settings.cipher_suites, &why, notes);
            }
        }
        // Options of the first virtual host stay and those of this one are added: `Protocol` switches off for both.
        retain(settings, &first.off);
        retain(settings, &own.off);
        inherit(&mut settings.groups, &default.settings.groups, why, notes);
        if let Some(on) = default.settings.server_preference.as_ref().filter(|on| on.value) {
            let why = format!("options of the first virtual host of {place} stay on for all of its names");
            settings.server_preference = Some(match &settings.server_preference {
                Some(own) => overruled(own, on, &why),
                None => on.clone(),
            });
        }
    }
}

fn own_versions(settings: &mut Settings, versions: &Versions) {
    settings.versions = Some(versions.set.clone());
    settings.minimum_version = versions.lowest.clone();
    settings.maximum_version = versions.highest.clone();
}

/// Takes versions out that an option of the library switches off.
fn retain(settings: &mut Settings, off: &[tlswhy_wire::ProtocolVersion]) {
    if let Some(versions) = &mut settings.versions {
        versions.value.retain(|version| !off.contains(version));
    }
}

/// The setting of the first virtual host takes the place of the own one.
fn inherit<T: Clone>(own: &mut Option<Setting<T>>, first: &Option<Setting<T>>, why: &str, notes: &mut Vec<Note>) {
    let ruling = first.as_ref().map(|first| match &own {
        Some(own) => overruled(own, first, why),
        None => Setting { shadowed: Vec::new(), ..first.clone() },
    });
    // Where the first one leaves it to the library, there is no line that rules.
    if let (Some(own), None) = (&own, first) {
        let says = format!("`{} {}` has no effect here: {why}", own.name, own.text);
        notes.push(Note { at: own.origin.span().cloned(), says });
    }
    *own = ruling;
}

fn shadowed<T>(own: &Setting<T>, why: &str, meant_to_count: bool) -> Shadowed {
    Shadowed { name: own.name.clone(), text: own.text.clone(), origin: own.origin.clone(), why: why.to_owned(), meant_to_count }
}

/// The ruling setting, with the own one shadowed where it says something else from another line.
fn overruled<T: Clone>(own: &Setting<T>, ruling: &Setting<T>, why: &str) -> Setting<T> {
    let mut setting = Setting { shadowed: Vec::new(), ..ruling.clone() };
    if own.origin.span().is_some() && own.origin.span() != ruling.origin.span() {
        setting.shadowed.push(shadowed(own, why, own.text != ruling.text));
    }
    setting
}

/// Sections of a server that ask for more than the handshake did: a second handshake within the connection.
fn per_directory(nodes: &[Node], notes: &mut Vec<Note>, depth: usize) {
    for section in nodes.iter().filter(|node| node.block.is_some() && node.name != "virtualhost" && depth < 8) {
        for node in section.inside() {
            if matches!(node.name.as_str(), "sslverifyclient" | "sslciphersuite") && node.argument() != "none" {
                let says = format!(
                    "`{} {}` within <{} {}> is asked for only after the request is read: by post-handshake authentication in \
                     TLS 1.3, by renegotiation before",
                    node.written,
                    node.text(),
                    section.written,
                    section.arguments
                );
                notes.push(Note { at: Some(node.at()), says });
            }
        }
        per_directory(section.inside(), notes, depth + 1);
    }
}

/// `443`, `a:443`, `[::1]:443`, `*:443`, `_default_:443`, `a` (every port), `a:*`.
fn socket(text: &str, default_port: Option<u16>) -> Option<Socket> {
    if let Ok(port) = text.parse::<u16>() {
        return Some((None, Some(port)));
    }
    let (host, port) = match text.rsplit_once(':') {
        Some((host, "*")) => (host, None),
        Some((host, port)) if !port.contains(']') && (!host.contains(':') || host.ends_with(']')) => {
            (host, Some(port.parse::<u16>().ok()?))
        }
        _ => (text, default_port),
    };
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    let address = match bare {
        "*" | "_default_" | "0.0.0.0" | "::" => None,
        "localhost" => Some(IpAddr::from([127, 0, 0, 1])),
        bare => Some(bare.split('%').next()?.parse().ok()?),
    };
    Some((address, port))
}
