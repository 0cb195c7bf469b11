//! Server blocks: where they listen, which of them answers before the name is known, what is in effect for each.

use std::collections::{BTreeMap, HashMap};
use std::net::IpAddr;

use super::Program;
use super::proxies;
use super::settings::{self, Levels};
use super::tree::Node;
use crate::service::{Heeds, Listener, Note, Service, Side, Trouble};
use crate::setting::{Setting, Settings, Shadowed};
use crate::span::Origin;

/// nginx sets the lowest and highest version itself after the context is made; the level of CipherString counts where
/// `ssl_ciphers` names none (measured).
pub(super) const HEEDS: Heeds =
    Heeds { security_level: true, groups: true, signature_algorithms: true, options: true, ..Heeds::NOTHING };

/// What is found on the way.
pub(super) struct Found {
    pub(super) program: Program,
    pub(super) services: Vec<Service>,
    pub(super) troubles: Vec<Trouble>,
}

/// A `listen` directive.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Listen {
    address: Option<IpAddr>,
    port: u16,
    /// `[::]:443` and `*:443` are sockets of their own.
    six: bool,
    ssl: bool,
    default: bool,
}

/// A socket: what servers are chosen by.
type Socket = (Option<IpAddr>, u16, bool);

impl Listen {
    fn socket(&self) -> Socket {
        (self.address, self.port, self.six)
    }
}

/// A server block.
struct Server<'n> {
    node: &'n Node,
    listens: Vec<Listen>,
    names: Vec<String>,
    settings: Settings,
}

impl Found {
    pub(super) fn http(&mut self, http: &[Node]) {
        let mut servers = Vec::new();
        for node in http.iter().filter(|node| node.name() == "server" && node.block.is_some()) {
            servers.push(self.server(node, http, true));
        }
        self.add(&servers, "http");
        proxies::http(self, http);
    }

    pub(super) fn stream(&mut self, stream: &[Node]) {
        let mut servers = Vec::new();
        for node in stream.iter().filter(|node| node.name() == "server" && node.block.is_some()) {
            servers.push(self.server(node, stream, false));
        }
        self.add(&servers, "stream");
        proxies::stream(self, stream);
    }

    pub(super) fn mail(&mut self, mail: &[Node]) {
        let mut servers = Vec::new();
        for node in mail.iter().filter(|node| node.name() == "server" && node.block.is_some()) {
            let mut server = self.server(node, mail, false);
            // `starttls on` or `only`: TLS comes after a dialogue, the listener itself is plain.
            let levels = [node.inside(), mail];
            let starttls = settings::one(&levels, "starttls").is_some_and(|node| node.argument() != "off");
            if starttls {
                server.listens.iter_mut().for_each(|listen| listen.ssl = true);
                server.settings.tls = settings::setting(&levels, "starttls", |node| Some(node.argument() != "off"));
            }
            servers.push(server);
        }
        let before = self.services.len();
        self.add(&servers, "mail");
        for service in self.services.iter_mut().skip(before) {
            let starttls = service.settings.tls.as_ref().is_some_and(|tls| tls.name == "starttls");
            let port = service.listeners.first().map_or(0, |listener| listener.port);
            service.upgrade = starttls.then_some(match port {
                143 => "imap",
                110 => "pop3",
                _ => "smtp",
            });
        }
    }

    fn server<'n>(&mut self, node: &'n Node, around: &'n [Node], http: bool) -> Server<'n> {
        let inside = node.inside();
        let levels: [&[Node]; 2] = [inside, around];
        let mut listens: Vec<Listen> = Vec::new();
        for listen in inside.iter().filter(|node| node.name() == "listen") {
            match read_listen(listen) {
                Some(listen) => listens.push(listen),
                // A socket of the file system, or no address: nobody reaches it by port.
                None if listen.argument().starts_with("unix:") => {}
                None => self.troubles.push(Trouble {
                    at: Some(listen.at()),
                    says: format!("`{}` is no address that can be read here", listen.argument()),
                    fatal: false,
                }),
            }
        }
        if listens.is_empty() && http && !inside.iter().any(|node| node.name() == "listen") {
            listens.push(Listen { address: None, port: 80, six: false, ssl: false, default: false });
        }
        // Until 1.25.1 `ssl on` made every listener of the server speak TLS.
        let on = settings::one(&levels, "ssl").filter(|_| !self.program.since(1, 25, 1));
        if on.is_some_and(|node| settings::switch(node) == Some(true)) {
            listens.iter_mut().for_each(|listen| listen.ssl = true);
        }
        for name in ["ssl_ciphers", "ssl_ecdh_curve", "ssl_prefer_server_ciphers", "ssl_verify_client", "ssl_dhparam"] {
            let mut of_name = inside.iter().filter(|node| node.name() == name);
            if let (Some(_), Some(second)) = (of_name.next(), of_name.next()) {
                let says = format!("`{name}` stands twice in one block: nginx calls it duplicate and does not start");
                self.troubles.push(Trouble { at: Some(second.at()), says, fatal: true });
            }
        }
        let mut names: Vec<String> = Vec::new();
        for node in inside.iter().filter(|node| node.name() == "server_name") {
            names.extend(node.arguments().filter(|name| !name.is_empty()).map(str::to_ascii_lowercase));
        }
        let settings = settings::server(&levels, self.program, &mut self.troubles);
        Server { node, listens, names, settings }
    }

    /// Makes services of servers: for each the listeners that share a default server.
    fn add(&mut self, servers: &[Server<'_>], context: &str) {
        // The default server of each socket: the one that says so, else the first (servers.md's rule 1.4; measured).
        let mut defaults: BTreeMap<Socket, usize> = BTreeMap::new();
        let mut speaks_tls: BTreeMap<Socket, bool> = BTreeMap::new();
        for (index, server) in servers.iter().enumerate() {
            for listen in &server.listens {
                let default = defaults.entry(listen.socket()).or_insert(index);
                if listen.default {
                    *default = index;
                }
                // `ssl` on one `listen` of a socket counts for all of its servers.
                *speaks_tls.entry(listen.socket()).or_default() |= listen.ssl;
            }
        }
        let mut titles: HashMap<String, usize> = HashMap::new();
        for (index, server) in servers.iter().enumerate() {
            let mut groups: BTreeMap<(usize, bool), Vec<&Listen>> = BTreeMap::new();
            for listen in &server.listens {
                let tls = speaks_tls.get(&listen.socket()).copied().unwrap_or(false);
                let ruling = defaults.get(&listen.socket()).copied().unwrap_or(index);
                groups.entry((ruling, tls)).or_default().push(listen);
            }
            for ((ruling, tls), listens) in groups {
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
                    settings.tls = Some(self.speaks(server.node, tls));
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
        let place = match socket {
            Some((Some(address), port, true)) => format!("[{address}]:{port}"),
            Some((Some(address), port, false)) => format!("{address}:{port}"),
            Some((None, port, true)) => format!("[::]:{port}"),
            Some((None, port, false)) => format!("*:{port}"),
            None => "the socket".to_owned(),
        };
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

    fn speaks(&self, node: &Node, tls: bool) -> Setting<bool> {
        let listen = node.inside().iter().find(|node| node.name() == "listen");
        match listen {
            Some(listen) => Setting::new("listen", tls, listen.text(), listen.origin()),
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

/// An address of `listen`: `443`, `a:443`, `[::1]:443`, `*:443`, `a` (port 80); then its words.
fn read_listen(node: &Node) -> Option<Listen> {
    let argument = node.argument();
    let flags: Vec<&str> = node.arguments().skip(1).collect();
    let has = |flag: &str| flags.contains(&flag);
    // QUIC is another protocol on UDP.
    if has("quic") && !has("ssl") || has("udp") {
        return Some(Listen { address: None, port: 0, six: false, ssl: false, default: false });
    }
    let (host, port) = match argument.rsplit_once(':') {
        Some((host, port)) if !port.contains(']') => (host, port.parse().ok()?),
        _ if argument.bytes().all(|byte| byte.is_ascii_digit()) && !argument.is_empty() => ("*", argument.parse().ok()?),
        _ => (argument, 80),
    };
    let six = host.starts_with('[');
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    let address = match bare {
        "*" | "0.0.0.0" | "::" => None,
        "localhost" => Some(IpAddr::from([127, 0, 0, 1])),
        bare => Some(bare.parse().ok()?),
    };
    Some(Listen { address, port, six, ssl: has("ssl"), default: has("default_server") || has("default") })
}
