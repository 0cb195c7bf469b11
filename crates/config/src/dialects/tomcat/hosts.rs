//! Connectors and their SSLHostConfig as services.

use std::net::IpAddr;

use super::document::{Attribute, Element};
use super::engine::{Engine, NO_NATIVE, OPENSSL};
use super::machine::Machine;
use super::offer::{DEFAULT_CIPHERS, DEFAULT_PROTOCOLS, DEFAULT_SUITES, Offered, Suites13};
use crate::dialects::client;
use crate::dialects::{Context, MOST_SERVICES, tomcat};
use crate::files::{directory_of, relative_to};
use crate::release::Release;
use crate::service::{Heeds, Library, Listener, Note, Reading, Service, Side, Trouble};
use crate::setting::{CipherList, ClientVerification, Language, Setting, Settings};
use crate::span::Origin;

/// The name of the configuration for every other name.
const DEFAULT_NAME: &str = "_default_";
/// What is said of a virtual machine that is not known.
pub(super) const NO_MACHINE: &str =
    "which Java runs it is not known, so what its java.security leaves is not either: --assume java=17.0.15 says which";

/// Adds the services of a document.
pub(super) fn add(context: &Context<'_>, elements: &[Element], reading: &mut Reading) {
    let machine = Machine::of(context, reading);
    let release = release(context);
    let scene = Scene { context, machine, release, engine: Engine::of(context, elements) };
    for connector in elements.iter().filter(|element| element.name == "Connector") {
        if reading.services.len() >= MOST_SERVICES {
            return;
        }
        if let Some(open) = ["port", "SSLEnabled"].iter().filter_map(|name| connector.attribute(name)).find(|one| one.is_open) {
            let says = "the connector is not read: a value names a property that is not known here".to_owned();
            reading.troubles.push(Trouble { at: Some(open.at.clone()), says, fatal: false });
            continue;
        }
        let Some(port) = connector.value("port").and_then(|port| port.trim().parse::<u16>().ok()) else { continue };
        if connector.value("protocol").is_some_and(|protocol| protocol.to_ascii_uppercase().contains("AJP")) {
            continue;
        }
        if !connector.is_true("SSLEnabled") {
            reading.services.push(scene.plain(connector, port));
            continue;
        }
        if connector.children(elements, "SSLHostConfig").next().is_none() {
            let at = Some(connector.head.clone());
            let says = "a connector with SSLEnabled and no SSLHostConfig is not read: its old attributes went with Tomcat 10";
            reading.troubles.push(Trouble { at, says: says.to_owned(), fatal: false });
        }
        for host in connector.children(elements, "SSLHostConfig") {
            if reading.services.len() >= MOST_SERVICES {
                return;
            }
            let service = scene.service(elements, connector, port, host, reading);
            reading.services.push(service);
        }
    }
}

/// The release: from the folder that the archive of a release makes, else from the packages.
pub(super) fn release(context: &Context<'_>) -> Option<Release> {
    let of_archive = context.main.split('/').find_map(|folder| folder.strip_prefix("apache-tomcat-"));
    match of_archive {
        Some(version) => version.parse().ok(),
        None => context.files.release_of("tomcat"),
    }
}

/// What all connectors share.
struct Scene<'s> {
    context: &'s Context<'s>,
    machine: Option<Machine>,
    release: Option<Release>,
    engine: Engine,
}

impl Scene<'_> {
    fn by(&self) -> String {
        client::by("Tomcat", self.release)
    }

    fn empty(&self, connector: &Element, port: u16) -> Service {
        let address = connector.value("address").and_then(|address| address.trim().parse::<IpAddr>().ok());
        let library = match &self.machine {
            _ if self.engine == Engine::OpenSsl => Library::Other("OpenSSL within Java".to_owned()),
            Some(machine) => Library::Jsse(machine.release()),
            None => Library::Jsse(None),
        };
        Service {
            dialect: tomcat::DIALECT.name,
            side: Side::Server,
            title: format!("connector on port {port}"),
            listeners: vec![Listener { address, port, is_default: true }],
            names: Vec::new(),
            names_from_certificates: false,
            declared: Some(connector.head.clone()),
            upgrade: None,
            program: ("tomcat".to_owned(), self.release),
            library,
            heeds: Heeds::NOTHING,
            settings: Settings::default(),
            notes: Vec::new(),
        }
    }

    /// A connector without TLS.
    fn plain(&self, connector: &Element, port: u16) -> Service {
        let mut service = self.empty(connector, port);
        service.settings.tls = Some(match connector.attribute("SSLEnabled") {
            Some(attribute) => of(attribute, false),
            None => Setting::new("SSLEnabled", false, "false", Origin::built_in(self.by())),
        });
        service
    }

    fn service(&self, elements: &[Element], connector: &Element, port: u16, host: &Element, reading: &mut Reading) -> Service {
        let certificates: Vec<&Element> = host.children(elements, "Certificate").collect();
        let certificates = &certificates;
        if certificates.len() > 1 && certificates.iter().any(|certificate| certificate.attribute("type").is_none()) {
            let says = "of several Certificate each needs a `type`: Tomcat does not start".to_owned();
            reading.troubles.push(Trouble { at: Some(host.head.clone()), says, fatal: true });
        }
        let is_h2 = |upgrade: &&Element| upgrade.value("className").is_some_and(|name| name.ends_with("Http2Protocol"));
        let upgrade = connector.children(elements, "UpgradeProtocol").find(is_h2);
        let name = host.value("hostName").unwrap_or(DEFAULT_NAME).to_ascii_lowercase();
        let default = connector.value("defaultSSLHostConfigName").unwrap_or(DEFAULT_NAME).to_ascii_lowercase();
        let mut service = self.empty(connector, port);
        if name != DEFAULT_NAME {
            service.title = format!("connector on port {port}, host {name}");
            service.names.push(name.clone());
        }
        for listener in &mut service.listeners {
            listener.is_default = name == default;
        }
        service.declared = Some(host.head.clone());
        let mut settings = Settings {
            certificates: files(self.context, certificates, "certificateFile"),
            keys: files(self.context, certificates, "certificateKeyFile"),
            chain: files(self.context, certificates, "certificateChainFile").pop(),
            client_verification: host.attribute("certificateVerification").and_then(verification),
            server_preference: Some(match host.attribute("honorCipherOrder").filter(|attribute| !attribute.is_open) {
                Some(attribute) => of(attribute, attribute.value.eq_ignore_ascii_case("true")),
                None => Setting::new("honorCipherOrder", false, "false", Origin::built_in(self.by())),
            }),
            alpn: upgrade
                .and_then(|upgrade| upgrade.attribute("className"))
                .map(|attribute| of(attribute, vec!["h2".to_owned(), "http/1.1".to_owned()])),
            ..Settings::default()
        };
        match &self.machine {
            _ if self.engine == Engine::OpenSsl => service.notes.push(note(None, OPENSSL)),
            Some(machine) => self.offered(machine, host, &mut settings, &mut service, reading),
            None => service.notes.push(note(None, NO_MACHINE)),
        }
        if self.engine == Engine::JavaAsFarAsKnown {
            service.notes.push(note(None, NO_NATIVE));
        }
        for kept in certificates.iter().filter_map(|element| element.attribute("certificateKeystoreFile")) {
            service.notes.push(note(Some(kept), "a keystore is not read: the certificate in it is not known"));
        }
        service.settings = settings;
        service
    }

    /// What the values come to under this virtual machine's lists.
    fn offered(
        &self,
        machine: &Machine,
        host: &Element,
        settings: &mut Settings,
        service: &mut Service,
        reading: &mut Reading,
    ) {
        let offered = match Offered::of(machine, self.release, host) {
            Ok(offered) => offered,
            Err(why) => return service.notes.push(note(None, why)),
        };
        let (written, ciphers, suites) =
            (host.attribute("protocols"), host.attribute("ciphers"), host.attribute("cipherSuites"));
        for word in &offered.unknown {
            service.notes.push(note(written, &format!("{word:?} is no version: it is left out")));
        }
        match offered.suites_13 {
            Suites13::Known => {}
            Suites13::NoEffect => {
                service
                    .notes
                    .push(note(suites, "`cipherSuites` has no effect: `ciphers` is as it is by itself, which has all of them"));
            }
            Suites13::NotKnown => {
                let says =
                    "the expression in `ciphers` can add suites of TLS 1.3 to those of `cipherSuites`: which is not known here";
                service.notes.push(note(suites, says));
            }
        }
        if let Some(attribute) = written {
            let cut = offered.named.iter().filter(|version| !offered.offer.versions.contains(version));
            for (version, by) in cut.filter_map(|version| Some((version, machine.takes(*version)?))) {
                service.notes.push(note(Some(attribute), &format!("{version} is named, and {by} takes it away")));
            }
        }
        let at = || Some(written.map_or_else(|| host.head.clone(), |attribute| attribute.at.clone()));
        // The other connectors are opened all the same.
        if offered.named.is_empty() && !offered.has_hello {
            let says = "no version is named: Tomcat does not open the connector".to_owned();
            reading.troubles.push(Trouble { at: at(), says, fatal: false });
            service.listeners.clear();
        } else if offered.offer.versions.is_empty() {
            let says = "no version is left: every handshake fails".to_owned();
            reading.troubles.push(Trouble { at: at(), says, fatal: false });
        }
        settings.versions = Some(self.setting(written, ("protocols", DEFAULT_PROTOCOLS), offered.offer.versions.clone()));
        if let Some((of_13, old)) = offered.suites() {
            let text = words(&old, ":");
            settings.cipher_list =
                Some(self.setting(ciphers, ("ciphers", DEFAULT_CIPHERS), CipherList { language: Language::Iana, text }));
            let counts = suites.filter(|_| offered.suites_13 == Suites13::Known);
            let default = words(&DEFAULT_SUITES, ":");
            settings.cipher_suites =
                (offered.suites_13 != Suites13::NotKnown).then(|| self.setting(counts, ("cipherSuites", &default), of_13));
        }
        let by_java = || Origin::built_in(client::by("Java", machine.release()));
        settings.groups = offered.offer.groups.map(|groups| {
            let text = words(&groups, ", ");
            Setting::new("default", groups, text, by_java())
        });
        settings.signature_algorithms = offered.offer.schemes.map(|schemes| {
            let text = words(&schemes, ", ");
            Setting::new("default", schemes, text, by_java())
        });
    }

    fn setting<T>(&self, written: Option<&Attribute>, default: (&str, &str), value: T) -> Setting<T> {
        match written {
            Some(attribute) => of(attribute, value),
            None => Setting::new(default.0, value, default.1, Origin::built_in(self.by())),
        }
    }
}

fn words<T: ToString>(all: &[T], between: &str) -> String {
    all.iter().map(ToString::to_string).collect::<Vec<_>>().join(between)
}

fn of<T>(attribute: &Attribute, value: T) -> Setting<T> {
    let text = attribute.value.split_whitespace().collect::<Vec<_>>().join(" ");
    Setting::new(attribute.name.clone(), value, text, Origin::file(attribute.at.clone(), attribute.value_at.clone(), None))
}

fn note(at: Option<&Attribute>, says: &str) -> Note {
    Note { at: at.map(|attribute| attribute.at.clone()), says: says.to_owned() }
}

fn verification(attribute: &Attribute) -> Option<Setting<ClientVerification>> {
    let value = match attribute.value.to_ascii_lowercase().as_str() {
        "none" => ClientVerification::Off,
        "optional" | "optionalnoca" => ClientVerification::Optional,
        "required" => ClientVerification::Required,
        _ => return None,
    };
    Some(of(attribute, value))
}

/// The files that an attribute of the certificates names, from the base directory where relative.
fn files(context: &Context<'_>, certificates: &[&Element], name: &str) -> Vec<Setting<String>> {
    let base = base(context.main);
    let named = certificates.iter().filter_map(|element| element.attribute(name)).filter(|attribute| !attribute.is_open);
    named.map(|attribute| of(attribute, relative_to(&base, &attribute.value))).collect()
}

/// Tomcat's base directory: Debian's, else the one above `conf`.
fn base(main: &str) -> String {
    let debian = main.strip_prefix("/etc/").and_then(|rest| rest.strip_suffix("/server.xml"));
    match debian.filter(|name| !name.contains('/')) {
        Some(name) => format!("/var/lib/{name}"),
        None => directory_of(directory_of(main)).to_owned(),
    }
}
