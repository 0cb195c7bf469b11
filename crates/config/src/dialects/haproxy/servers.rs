//! `server … ssl` lines: HAProxy as the client of the servers behind it.

use super::binds;
use super::scopes::{Item, Scopes};
use super::sections::{Line, Section, Sections, trouble};
use super::versions;
use super::{HEEDS, Program};
use crate::dialects::MOST_SERVICES;
use crate::files::relative_to;
use crate::language::names;
use crate::service::{Listener, Note, Reading, Service, Side};
use crate::setting::{CipherList, Language, Setting, Settings, Shadowed};
use crate::span::Origin;

/// Words of a `server` line that take a value besides those of `bind` (`haproxy -dKall`, 2.6.12).
const VALUED: &[&str] = &[
    "addr",
    "agent-addr",
    "agent-inter",
    "agent-port",
    "agent-send",
    "check-alpn",
    "check-proto",
    "check-sni",
    "cookie",
    "downinter",
    "error-limit",
    "fall",
    "fastinter",
    "hash-key",
    "init-addr",
    "init-state",
    "inter",
    "log-bufsize",
    "log-proto",
    "max-reuse",
    "maxqueue",
    "minconn",
    "observe",
    "on-error",
    "on-marked-down",
    "on-marked-up",
    "pool-conn-name",
    "pool-low-conn",
    "pool-max-conn",
    "pool-purge-delay",
    "port",
    "proxy-v2-options",
    "redir",
    "resolve-net",
    "resolve-opts",
    "resolve-prefer",
    "resolvers",
    "rise",
    "set-proxy-v2-tlv-fmt",
    "slowstart",
    "sni",
    "socks4",
    "source",
    "track",
    "usesrc",
    "verifyhost",
    "weight",
    "ws",
    "renegotiate",
];

pub(super) fn takes_value(word: &str) -> bool {
    VALUED.contains(&word) || binds::takes_value(word)
}

pub(super) fn read(program: Program, sections: &Sections, reading: &mut Reading) {
    for section in &sections.all {
        if !["backend", "listen", "peers", "ring", "log-forward"].contains(&section.kind()) {
            continue;
        }
        let inherited = defaults(sections, section);
        for line in &section.lines {
            let from = match line.word(0) {
                "server" => 3,
                "server-template" => 4,
                _ => continue,
            };
            if reading.services.len() >= MOST_SERVICES {
                return;
            }
            one(program, sections, section, line, from, &inherited, reading);
        }
    }
}

/// The `default-server` words of the `defaults` sections above a proxy, the outermost first.
fn defaults(sections: &Sections, section: &Section) -> Vec<Item> {
    let mut levels: Vec<&[Item]> = Vec::new();
    let mut at = section.defaults;
    for _ in 0..100 {
        let Some(defaults) = at.and_then(|index| sections.all.get(index)) else { break };
        levels.push(&defaults.of_servers);
        at = defaults.defaults;
    }
    levels.into_iter().rev().flatten().cloned().collect()
}

fn one(
    program: Program,
    sections: &Sections,
    section: &Section,
    line: &Line,
    from: usize,
    inherited: &[Item],
    reading: &mut Reading,
) {
    let own = line.items(from, "", takes_value);
    let of_section = &section.of_servers;
    let (before, after) = of_section.split_at(of_section.partition_point(|item| item.order < line.order));
    let (global, late) = sections.server.split_at(sections.server.partition_point(|item| item.order < line.order));
    let late: Vec<Item> = after.iter().chain(late).cloned().collect();
    let scopes = Scopes { levels: vec![&own, before, inherited, global], late: &late };
    // `no-ssl` takes back what `default-server ssl` said.
    let switch = scopes.setting(|item| item.key == "ssl" || item.key == "no-ssl", |item| Some(item.key == "ssl"));
    let Some(tls) = switch.filter(|switch| switch.value) else { return };
    let range = versions::range(&scopes, None);
    if range.empty {
        reading.troubles.push(trouble(Some(line.span()), "all versions are off: HAProxy does not start".to_owned(), true));
    }
    let order = line.order;
    let ca_base = sections.global_before("ca-base", order).map_or("/", |item| item.value.as_str()).to_owned();
    let crt_base = sections.global_before("crt-base", order).map_or("/", |item| item.value.as_str()).to_owned();
    let file = |base: &str, text: &str| if text.starts_with('@') { text.to_owned() } else { relative_to(base, text) };
    let trust = scopes.of("ca-file", |text| Some(file(&ca_base, text)));
    let certificate = scopes.of("crt", |text| Some(file(&crt_base, text)));
    let verifies = verifies(program, sections, &scopes, order);
    if verifies.value && trust.is_none() {
        let says = "`verify` is on and no `ca-file` is named: HAProxy does not start".to_owned();
        reading.troubles.push(trouble(Some(line.span()), says, true));
    }
    let address = line.word(from - 1);
    let port = address.rsplit_once(':').and_then(|(_, port)| port.parse().ok());
    let list = |text: &str| Some(CipherList { language: Language::OpenSsl, text: text.to_owned() });
    let alpn = |text: &str| Some(text.split(',').filter(|word| !word.is_empty()).map(str::to_owned).collect());
    let mut notes = Vec::new();
    let server_name = server_name(program, &scopes, &mut notes);
    let settings = Settings {
        tls: Some(tls),
        minimum_version: range.lowest,
        maximum_version: range.highest,
        cipher_list: scopes.of("ciphers", list),
        cipher_suites: scopes.of("ciphersuites", names::suites),
        groups: scopes.of("curves", names::groups),
        signature_algorithms: scopes.of("sigalgs", names::signature_schemes),
        keys: certificate.iter().cloned().collect(),
        certificates: certificate.into_iter().collect(),
        trust,
        alpn: scopes.of("alpn", alpn),
        server_name,
        verifies_peer: Some(verifies),
        ..Settings::default()
    };
    reading.services.push(Service {
        dialect: "haproxy",
        side: Side::Client,
        title: format!("server {}/{} {address}", section.head.word(1), line.word(1)),
        listeners: port.map(|port| Listener { address: None, port, is_default: false }).into_iter().collect(),
        names: Vec::new(),
        names_from_certificates: false,
        declared: Some(line.span()),
        upgrade: None,
        program: ("HAProxy".to_owned(), program.release),
        library: program.library(),
        heeds: HEEDS,
        settings,
        notes,
    });
}

/// `verify`, else `ssl-server-verify` of `global`, else it is required.
fn verifies(program: Program, sections: &Sections, scopes: &Scopes<'_>, order: usize) -> Setting<bool> {
    let general = sections.global_before("ssl-server-verify", order);
    if let Some(mut setting) = scopes.of("verify", |word| Some(word != "none")) {
        let shadowed = general.map(|item| Shadowed { ..item.shadowed("a narrower setting replaces it", false) });
        setting.shadowed.extend(shadowed);
        return setting;
    }
    match general {
        Some(item) => item.setting(item.value != "none"),
        None => Setting::new("ssl-server-verify", true, "required", Origin::built_in(program.name())),
    }
}

/// The name that is sent: a constant of `sni str(NAME)`; what is taken from the request is not known.
fn server_name(program: Program, scopes: &Scopes<'_>, notes: &mut Vec<Note>) -> Option<Setting<Option<String>>> {
    let Some(item) = scopes.last("sni") else {
        // From 3.3 the name of the request's Host is sent.
        let none = !program.since(3, 3) || scopes.last("no-sni-auto").is_some();
        return none.then(|| Setting::new("sni", None, "", Origin::built_in(program.name())));
    };
    let constant = item.value.strip_prefix("str(").and_then(|rest| rest.strip_suffix(')'));
    match constant {
        Some(name) => Some(item.setting(Some(name.trim_matches(['"', '\'']).to_owned()))),
        None => {
            let says = format!("the server name is taken from `{}`: it differs from request to request", item.value);
            notes.push(Note { at: Some(item.at.clone()), says });
            None
        }
    }
}
