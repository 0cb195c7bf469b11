//! mod_proxy as a client: the TLS towards the servers behind it (`SSLProxy*`).

use super::servers::{Found, HEEDS, Server};
use super::settings::{self, Level, Levels};
use super::tree::Node;
use crate::dialects::MOST_SERVICES;
use crate::files::relative_to;
use crate::language::names;
use crate::service::{Listener, Note, Service, Side};
use crate::setting::{CipherList, Language, Setting, Settings};
use crate::span::Origin;

/// Deepest sections that are looked into.
const DEEPEST: usize = 16;

pub(super) fn read<'n>(found: &mut Found<'_>, servers: &[Server<'n>], main: &Level<'n>) {
    for server in servers {
        let own = Level::of(server.nodes);
        let mut sections: Vec<(String, Level<'n>)> = Vec::new();
        for node in server.nodes.iter().filter(|node| node.name == "proxy") {
            sections.push((node.argument(), Level::of(node.inside())));
        }
        let scope = Scope { head: server.head, own: &own, main, sections: &sections };
        inside(found, server.nodes, &scope, 0);
    }
}

/// Where a proxied address takes its settings from.
struct Scope<'s, 'n> {
    head: Option<&'n Node>,
    own: &'s Level<'n>,
    main: &'s Level<'n>,
    sections: &'s [(String, Level<'n>)],
}

fn inside<'n>(found: &mut Found<'_>, nodes: &'n [Node], scope: &Scope<'_, 'n>, depth: usize) {
    for node in nodes {
        if found.services.len() >= MOST_SERVICES {
            return;
        }
        if node.block.is_some() && node.name != "virtualhost" && depth < DEEPEST {
            inside(found, node.inside(), scope, depth + 1);
        }
        let target = match node.name.as_str() {
            "proxypass" | "proxypassmatch" => node.words().into_iter().find(|word| speaks_tls(word)),
            "balancermember" => node.words().into_iter().find(|word| speaks_tls(word)),
            "sethandler" => node.argument().strip_prefix("proxy:").map(str::to_owned).filter(|word| speaks_tls(word)),
            _ => None,
        };
        if let Some(target) = target {
            let service = client(found, node, &target, scope);
            found.services.push(service);
        }
    }
}

fn speaks_tls(word: &str) -> bool {
    ["https://", "wss://", "h2://"]
        .iter()
        .any(|scheme| word.get(..scheme.len()).is_some_and(|head| head.eq_ignore_ascii_case(scheme)))
}

fn client<'n>(found: &mut Found<'_>, node: &'n Node, target: &str, scope: &Scope<'_, 'n>) -> Service {
    // The section with the longest address that the target begins with counts before the server's lines.
    let section = scope.sections.iter().filter(|(address, _)| target.starts_with(address.trim_end_matches('*')));
    let section = section.max_by_key(|(address, _)| address.len());
    let mut levels: Vec<&Level<'n>> = section.map(|(_, level)| level).into_iter().collect();
    levels.push(scope.own);
    if scope.head.is_some() {
        levels.push(scope.main);
    }
    let mut notes = Vec::new();
    let settings = settings(found, &levels, target, &mut notes);
    let host = host(target);
    let port = match host.rsplit_once(':') {
        Some((_, port)) if !port.contains(']') => port.parse().ok(),
        _ => Some(443),
    };
    Service {
        dialect: "apache",
        side: Side::Client,
        title: format!("{} {target}", node.written),
        listeners: port.map(|port| Listener { address: None, port, is_default: false }).into_iter().collect(),
        names: Vec::new(),
        names_from_certificates: false,
        declared: Some(node.at()),
        upgrade: None,
        program: ("apache".to_owned(), found.program.release),
        library: found.program.library(),
        heeds: HEEDS,
        settings,
        notes,
    }
}

fn host(target: &str) -> &str {
    target.split("://").nth(1).and_then(|rest| rest.split(['/', '?']).next()).unwrap_or_default()
}

fn settings(found: &mut Found<'_>, levels: &Levels<'_, '_>, target: &str, notes: &mut Vec<Note>) -> Settings {
    let program = found.program;
    let own = settings::ruling(levels, "sslproxyprotocol", |_| true);
    let versions = settings::own_protocols("SSLProxyProtocol", own, program, &mut found.troubles, notes);
    let list = |text: &str| CipherList { language: Language::OpenSsl, text: text.to_owned() };
    let ciphers = settings::suites(levels, "sslproxyciphersuite", false).map(|setting| setting.map(|text| list(&text)));
    let ciphers = ciphers
        .unwrap_or_else(|| Setting::new("SSLProxyCipherSuite", list("DEFAULT"), "DEFAULT", Origin::built_in(program.name())));
    let suites = settings::suites(levels, "sslproxyciphersuite", true);
    let suites = suites.and_then(|Setting { value, name, text, origin, shadowed }| {
        Some(Setting { value: names::suites(&value)?, name, text, origin, shadowed })
    });
    let root = found.root;
    let file = |name: &str| settings::setting(levels, name, |node| Some(relative_to(root, &node.argument())));
    let verifies = settings::setting(levels, "sslproxyverify", |node| {
        Some(!matches!(node.argument().to_ascii_lowercase().as_str(), "none" | "off"))
    });
    let verifies = verifies.unwrap_or_else(|| Setting::new("SSLProxyVerify", false, "none", Origin::built_in(program.name())));
    let mut engine = settings::setting(levels, "sslproxyengine", settings::switch)
        .unwrap_or_else(|| Setting::new("SSLProxyEngine", false, "off", Origin::built_in(program.name())));
    engine.value &= found.has_ssl;
    if !engine.value {
        let says = "without `SSLProxyEngine on` every request to this address ends with an error".to_owned();
        notes.push(Note { at: engine.origin.span().cloned(), says });
    }
    let preserves = settings::setting(levels, "proxypreservehost", settings::switch).filter(|preserves| preserves.value);
    let own_host = host(target);
    let own_host = own_host.rsplit_once(':').filter(|(_, port)| !port.contains(']')).map_or(own_host, |(host, _)| host);
    let server_name = match preserves {
        // With ProxyPreserveHost the name of the request is sent on.
        Some(preserves) => preserves.map(|_| Some("the host of the request".to_owned())),
        None => {
            let name = own_host.parse::<std::net::IpAddr>().is_err().then(|| own_host.to_owned());
            Setting::new("ProxyPass", name, own_host, Origin::built_in(program.name()))
        }
    };
    Settings {
        tls: Some(engine),
        versions: Some(versions),
        cipher_list: Some(ciphers),
        cipher_suites: suites,
        certificates: file("sslproxymachinecertificatefile").into_iter().collect(),
        trust: file("sslproxycacertificatefile").or_else(|| file("sslproxycacertificatepath")),
        server_name: Some(server_name),
        verifies_peer: Some(verifies),
        ..Settings::default()
    }
}
