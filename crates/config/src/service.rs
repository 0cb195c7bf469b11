use std::net::IpAddr;

use crate::release::Release;
use crate::setting::Settings;
use crate::span::Span;

/// On which side of the handshake a program stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Side {
    /// It is connected to.
    Server,
    /// It connects: a client program, or a proxy towards the servers behind it.
    Client,
}

/// The library that does the TLS, with its version where it is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Library {
    /// OpenSSL.
    OpenSsl(Option<Release>),
    /// GnuTLS.
    GnuTls(Option<Release>),
    /// The JDK's JSSE, by the JDK's version.
    Jsse(Option<Release>),
    /// Go's crypto/tls, by Go's version.
    Go(Option<Release>),
    /// NSS.
    Nss(Option<Release>),
    /// Another, or not known which.
    Other(String),
}

/// What of a library's system-wide policy (openssl.cnf's `system_default` and what takes its place) a program heeds: many
/// set some of it themselves, whatever the policy says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Heeds {
    /// A key of its own in the head of the file (`nodejs_conf`), by which it begins in the place of `openssl_conf` where it is there.
    pub section: Option<&'static str>,
    /// MinProtocol.
    pub minimum_version: bool,
    /// MaxProtocol.
    pub maximum_version: bool,
    /// The suites of CipherString (its `@SECLEVEL` is `security_level`).
    pub cipher_list: bool,
    /// The level that CipherString's `@SECLEVEL` sets.
    pub security_level: bool,
    /// Ciphersuites.
    pub cipher_suites: bool,
    /// Groups.
    pub groups: bool,
    /// SignatureAlgorithms.
    pub signature_algorithms: bool,
    /// Options.
    pub options: bool,
}

impl Heeds {
    /// Everything.
    pub const ALL: Heeds = Heeds {
        section: None,
        minimum_version: true,
        maximum_version: true,
        cipher_list: true,
        security_level: true,
        cipher_suites: true,
        groups: true,
        signature_algorithms: true,
        options: true,
    };
    /// Nothing.
    pub const NOTHING: Heeds = Heeds {
        section: None,
        minimum_version: false,
        maximum_version: false,
        cipher_list: false,
        security_level: false,
        cipher_suites: false,
        groups: false,
        signature_algorithms: false,
        options: false,
    };

    /// What of it is left to a program that something on top of it sets some of as well.
    pub fn and(self, other: Heeds) -> Heeds {
        Heeds {
            section: self.section.or(other.section),
            minimum_version: self.minimum_version && other.minimum_version,
            maximum_version: self.maximum_version && other.maximum_version,
            cipher_list: self.cipher_list && other.cipher_list,
            security_level: self.security_level && other.security_level,
            cipher_suites: self.cipher_suites && other.cipher_suites,
            groups: self.groups && other.groups,
            signature_algorithms: self.signature_algorithms && other.signature_algorithms,
            options: self.options && other.options,
        }
    }
}

/// Where a server listens.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Listener {
    /// The address; `None` for every one.
    pub address: Option<IpAddr>,
    /// The port.
    pub port: u16,
    /// Whether this service answers here for names that no service has, and where no name is sent.
    pub is_default: bool,
}

/// What one program does for one server name (or group of names) on its listeners; or towards a server, as a client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Service {
    /// Name of its [`crate::Dialect`].
    pub dialect: &'static str,
    /// Server or client.
    pub side: Side,
    /// For people: `server good.example.test`, `proxy_pass https://backend`.
    pub title: String,
    /// Where it listens; for a client the address is unknown and the list holds the port it connects to, if that is known.
    pub listeners: Vec<Listener>,
    /// The names that it is for, as the program writes them: `a.test`, `*.a.test`, `a.*`, `~regex`; with `!` before it one
    /// that it is not for. Lower case.
    pub names: Vec<String>,
    /// Its names are those of its certificates (HAProxy); `names` holds filters, if any.
    pub names_from_certificates: bool,
    /// The place that declares it: the head of its block, or the directive that makes it one.
    pub declared: Option<Span>,
    /// STARTTLS protocol that comes before TLS, as `tlswhy check --starttls` names it.
    pub upgrade: Option<&'static str>,
    /// The program and its version, where known.
    pub program: (String, Option<Release>),
    /// Its TLS library.
    pub library: Library,
    /// What of the library's system-wide policy it heeds.
    pub heeds: Heeds,
    /// Its settings.
    pub settings: Settings,
    /// What is worth knowing of it: lines without effect that rival no setting, words dropped in silence.
    pub notes: Vec<Note>,
}

/// A remark about a place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// The place.
    pub at: Option<Span>,
    /// A sentence without its full stop.
    pub says: String,
}

/// What one main file (and all that it includes) says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reading {
    /// The services, in the order of the files.
    pub services: Vec<Service>,
    /// What could not be read, or what the program would refuse to start with.
    pub troubles: Vec<Trouble>,
    /// Every file that was read, in order, each once.
    pub files: Vec<String>,
}

impl Reading {
    /// The clients that were read since there were so many services make no connection if something fatal came up since there were so
    /// many troubles.
    pub(crate) fn stop_since(&mut self, services: usize, troubles: usize) {
        let stops = self.troubles.iter().skip(troubles).find(|trouble| trouble.fatal).cloned();
        for service in self.services.iter_mut().skip(services).filter(|service| service.side == Side::Client) {
            service.settings.stops = service.settings.stops.take().or_else(|| stops.clone());
        }
    }
}

/// Something that stands in the way of a reading.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trouble {
    /// The place.
    pub at: Option<Span>,
    /// A sentence without its full stop.
    pub says: String,
    /// The program would not start with it.
    pub fatal: bool,
}

impl Service {
    /// How well it fits a server name: the higher the better, `None` where not at all. An exact name beats a leading wildcard,
    /// a longer wildcard a shorter one, a leading one a trailing one; `~` expressions come last and are taken by [`serving`] only
    /// where a dialect has resolved them itself.
    pub fn fits(&self, name: &str) -> Option<usize> {
        let name = name.to_ascii_lowercase();
        let excluded = |pattern: &String| pattern.strip_prefix('!').is_some_and(|pattern| fit(pattern, &name).is_some());
        if self.names.iter().any(excluded) {
            return None;
        }
        self.names.iter().filter_map(|pattern| fit(pattern, &name)).max()
    }

    /// Whether it listens on this port.
    pub fn listens_on(&self, port: u16) -> Option<&Listener> {
        self.listeners.iter().find(|listener| listener.port == port)
    }
}

/// Bonus of an exact name and of a leading wildcard over all that follow.
const EXACT: usize = 1 << 20;
const LEADING: usize = 1 << 10;

fn fit(pattern: &str, name: &str) -> Option<usize> {
    if pattern == name {
        return Some(EXACT);
    }
    if let Some(suffix) = pattern.strip_prefix('*').filter(|suffix| suffix.starts_with('.') && !suffix.contains(['*', '?'])) {
        return (name.len() > suffix.len() && name.ends_with(suffix)).then_some(LEADING + suffix.len());
    }
    // nginx: `.a.test` is `a.test` and `*.a.test`.
    if let Some(rest) = pattern.strip_prefix('.') {
        return (name == rest).then_some(EXACT).or_else(|| name.ends_with(pattern).then_some(LEADING + pattern.len()));
    }
    if let Some(prefix) = pattern.strip_suffix('*').filter(|prefix| prefix.ends_with('.') && !prefix.contains(['*', '?'])) {
        return name.starts_with(prefix).then_some(prefix.len());
    }
    // Apache: `*` and `?` anywhere.
    let elsewhere = pattern.contains(['*', '?']) && !pattern.starts_with('~');
    (elsewhere && crate::files::fits(pattern.as_bytes(), name.as_bytes())).then_some(0)
}

/// The server that answers on this port for this name; `None` where none listens there. `address` narrows it to the listeners
/// that an address reaches: an exact one wins over every address.
pub fn serving<'a>(services: &'a [Service], address: Option<IpAddr>, port: u16, name: Option<&str>) -> Option<&'a Service> {
    let on_port = |service: &&Service| service.side == Side::Server && service.listens_on(port).is_some();
    let exact = |service: &&Service| {
        address.is_some() && service.listeners.iter().any(|one| one.port == port && one.address == address)
    };
    let any = |service: &&Service| {
        service.listeners.iter().any(|one| one.port == port && (one.address.is_none() || address.is_none()))
    };
    let mut candidates: Vec<&Service> = services.iter().filter(on_port).filter(exact).collect();
    if candidates.is_empty() {
        candidates = services.iter().filter(on_port).filter(any).collect();
    }
    // Where an address is a forwarded one, what listens on the port is all there is to go by.
    if candidates.is_empty() {
        candidates = services.iter().filter(on_port).collect();
    }
    let fits = |service: &&&Service| name.and_then(|name| service.fits(name));
    // `max_by_key` takes the last of equals; the first in the order of the files is meant.
    let named = candidates.iter().rev().filter(|service| fits(service).is_some()).max_by_key(|service| fits(service));
    let default = candidates.iter().find(|service| service.listens_on(port).is_some_and(|listener| listener.is_default));
    named.or(default).or(candidates.first()).copied()
}
