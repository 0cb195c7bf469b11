//! `reverse_proxy`: Caddy as a client of the servers behind it.

use tlswhy_wire::ProtocolVersion;

use super::directive::setting;
use super::policies::{Home, groups};
use super::tree::Line;
use super::{Found, Program};
use crate::dialects::MOST_SERVICES;
use crate::dialects::client;
use crate::release::Release;
use crate::service::{Library, Listener, Note};
use crate::setting::{Setting, Settings};
use crate::span::Origin;

/// Caddy is built with Go 1.18 or newer since this release (go.mod), whose clients speak TLS 1.2 at least.
const LOWEST_IS_1_2: Release = Release::new(2, 6, 0);

/// The clients among these lines, however deep.
pub(super) fn read(program: &Program, lines: &[Line], found: &mut Found) {
    for line in lines {
        if found.services.len() >= MOST_SERVICES {
            return;
        }
        if line.name() == "reverse_proxy" {
            one(program, line, found);
        } else {
            read(program, line.inside(), found);
        }
    }
}

fn one(program: &Program, line: &Line, found: &mut Found) {
    let inside = |name: &'static str| line.inside().iter().filter(move |inside| inside.name() == name);
    let transport = inside("transport").next_back();
    if transport.is_some_and(|transport| transport.arguments().first().is_none_or(|kind| kind.text != "http")) {
        return;
    }
    let upstreams: Vec<&str> = line
        .arguments()
        .iter()
        .chain(inside("to").flat_map(|to| to.arguments()))
        .map(|word| word.text.as_str())
        // A matcher comes first.
        .filter(|text| !text.starts_with(['@', '/', '*']))
        .collect();
    let options = transport.map(Line::inside).unwrap_or_default();
    let by_option = options.iter().find(|option| option.name().starts_with("tls"));
    let tls = match (upstreams.iter().find(|upstream| upstream.starts_with("https://")), by_option) {
        (_, Some(option)) => setting(option, true),
        (Some(_), None) => setting(line, true),
        (None, None) => return,
    };
    let of = |name: &str| options.iter().rfind(|option| option.name() == name);
    let path = |line: &Line, at: usize| {
        let word = line.arguments().get(at)?;
        let origin = Origin::file(line.at()?, word.at.clone(), word.via.as_ref());
        let known = word.text.starts_with('/') && !word.text.contains('{') && !word.unknown;
        known.then(|| Setting::new(line.name(), word.text.clone(), word.text.clone(), origin))
    };
    let (mut settings, mut notes) = (Settings { tls: Some(tls), ..Settings::default() }, Vec::new());
    let by = program.by();
    if program.since(LOWEST_IS_1_2) {
        let origin = Origin::built_in(by.clone());
        settings.minimum_version = Some(Setting::new("MinVersion", ProtocolVersion::TLSV1_2, "tls1.2", origin));
    }
    if let Some(line) = of("tls_curves") {
        settings.groups = groups(line.arguments().iter().map(|word| word.text.as_str())).map(|groups| setting(line, groups));
    }
    if let Some(line) = of("tls_server_name").filter(|line| line.arguments().first().is_some_and(|name| !name.unknown)) {
        let name = line.arguments().first().map(|word| word.text.clone());
        // A placeholder is filled in for each request.
        match name.filter(|name| !name.contains('{')) {
            Some(name) => settings.server_name = Some(setting(line, Some(name))),
            None => notes.push(Note { at: line.at(), says: "the server name differs from request to request".to_owned() }),
        }
    }
    settings.verifies_peer = Some(match of("tls_insecure_skip_verify") {
        Some(line) => setting(line, false),
        None => Setting::new("tls_insecure_skip_verify", true, "", Origin::built_in(by)),
    });
    settings.trust = match (of("tls_trusted_ca_certs"), of("tls_trust_pool")) {
        (Some(line), _) => path(line, 0),
        (None, Some(line)) if line.arguments().first().is_some_and(|kind| kind.text == "file") => {
            path(line, 1).or_else(|| path(line.inside().iter().find(|inside| inside.name() == "pem_file")?, 0))
        }
        _ => None,
    };
    if let Some(line) = of("tls_client_auth").filter(|line| line.arguments().len() == 2) {
        settings.certificates.extend(path(line, 0));
        settings.keys.extend(path(line, 1));
    }
    let host = upstreams.first().map(|first| first.trim_start_matches("https://")).unwrap_or_default();
    let port = match host.rsplit_once(':') {
        Some((_, port)) => port.parse().ok(),
        None => Some(443),
    };
    let title = format!("reverse_proxy {}", upstreams.join(" "));
    let mut service = client::service("caddy", title, ("Caddy", program.release), Library::Go(None));
    service.listeners = port.map(|port| Listener { address: None, port, is_default: false }).into_iter().collect();
    service.declared = line.at();
    (service.settings, service.notes) = (settings, notes);
    found.services.push((service, Home::Nowhere));
}
