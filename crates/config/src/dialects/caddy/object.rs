//! Caddy's configuration in JSON: servers with their policies in the order in which they are asked, and certificates by their tags.
//!
//! `caddy adapt` makes it from a Caddyfile, and Caddy keeps the last one that it ran as autosave.json.

use tlswhy_wire::CipherSuite;

use super::directive::suite;
use super::json::Value;
use super::policies::{Group, Home, Policy, Server, VERSIONS, Written, groups, list};
use super::sites::bound;
use super::{Found, Program};
use crate::dialects::Context;
use crate::release::Release;
use crate::service::{Listener, Note, Trouble};
use crate::setting::{ClientVerification, Setting, Settings};
use crate::span::{Origin, Span};

/// Most servers, most policies of all of them, and most listeners of one.
const MOST_SERVERS: usize = 1_000;
const MOST_POLICIES: usize = 10_000;
const MOST_LISTENERS: usize = 100;

/// A certificate that is loaded from a file.
struct Loaded {
    certificate: Setting<String>,
    key: Setting<String>,
    tags: Vec<String>,
}

pub(super) fn read(context: &Context<'_>, program: Program, bytes: &[u8]) -> Found {
    let path = context.files.path(context.main);
    let mut found = Found { files: vec![path.to_string()], ..Found::default() };
    let Ok(text) = std::str::from_utf8(bytes) else {
        let says = "it is no UTF-8".to_owned();
        found.troubles.push(Trouble { at: None, says, fatal: true });
        return found;
    };
    let root = match Value::of(text, &path) {
        Ok(root) => root,
        Err((at, says)) => {
            found.troubles.push(Trouble { at: Some(at), says, fatal: true });
            return found;
        }
    };
    let apps = root.get("apps");
    let Some(http) = apps.and_then(|apps| apps.get("http")) else { return found };
    let port =
        |name: &str, otherwise| http.get(name).and_then(|port| port.port()).filter(|port| *port != 0).unwrap_or(otherwise);
    let ports = (port("http_port", 80), port("https_port", 443));
    let files = apps.and_then(|apps| apps.get("tls")?.get("certificates")?.get("load_files"));
    let loaded: Vec<Loaded> = files.map(|files| files.elements().iter().filter_map(load).collect()).unwrap_or_default();
    let servers = http.get("servers").map(|servers| servers.members()).unwrap_or_default();
    let mut count = 0;
    for (name, value) in servers.iter().take(MOST_SERVERS) {
        let server = server(name, value, ports, &loaded, &mut count, &program, &mut found.troubles);
        server.services(&program, &mut found.services);
    }
    for (met, what, most) in
        [(servers.len() > MOST_SERVERS, "servers", MOST_SERVERS), (count > MOST_POLICIES, "policies", MOST_POLICIES)]
    {
        if met {
            let says = format!("more than {most} {what}: the rest is not read");
            found.troubles.push(Trouble { at: None, says, fatal: false });
        }
    }
    found
}

fn load(value: &Value<'_>) -> Option<Loaded> {
    let (certificate, key) = (value.get("certificate")?, value.get("key")?);
    let setting = |name: &str, value: Value<'_>| member(name, &value).map(|()| value.string().unwrap_or_default());
    Some(Loaded {
        certificate: setting("certificate", certificate),
        key: setting("key", key),
        tags: value.get("tags").map(|tags| tags.strings()).unwrap_or_default(),
    })
}

/// A member as a setting without a meaning.
fn member(name: &str, value: &Value<'_>) -> Setting<()> {
    let at = value.at();
    let text = value.text().split_whitespace().collect::<Vec<_>>().join(" ");
    Setting::new(name, (), text.replace('"', ""), Origin::file(at.clone(), at, None))
}

fn server(
    name: &str,
    value: &Value<'_>,
    (http_port, https_port): (u16, u16),
    loaded: &[Loaded],
    count: &mut usize,
    program: &Program,
    troubles: &mut Vec<Trouble>,
) -> Server {
    let listen = value.get("listen").map(|listen| listen.strings()).unwrap_or_default();
    let listeners: Vec<Listener> = listen.iter().flat_map(|address| listeners(address)).take(MOST_LISTENERS).collect();
    let automatic = value.get("automatic_https");
    let off = automatic.and_then(|automatic| automatic.get("disable")).filter(|disable| disable.is_true());
    let written = value.get("tls_connection_policies");
    let (mut policies, mut groups) = (Vec::new(), Vec::new());
    for (index, object) in written.map(|policies| policies.elements()).unwrap_or_default().iter().enumerate() {
        *count += 1;
        if *count > MOST_POLICIES {
            break;
        }
        let (policy, notes) = policy(object, loaded, *program, troubles);
        if policy.besides.is_none() {
            groups.push(Group {
                title: format!("server {name}, policy {index}"),
                names: policy.names.clone().unwrap_or_default(),
                own: Some(policies.len()),
                declared: Some(object.at()),
                home: policy.home.clone(),
                notes,
            });
        }
        policies.push(policy);
    }
    let only = |port| !listeners.is_empty() && listeners.iter().all(|listener: &Listener| listener.port == port);
    let hosts = hosts(value);
    let tls = if !policies.is_empty() && !only(http_port) {
        // Its text is the whole configuration of TLS.
        let by =
            |written: Value<'_>| Setting { text: String::new(), ..member("tls_connection_policies", &written).map(|()| true) };
        written.map_or_else(|| built_in(program, true), by)
    } else if let Some(off) = off {
        member("automatic_https", &off).map(|()| false)
    } else {
        let on = written.is_none() && !only(http_port) && (only(https_port) || !hosts.is_empty());
        built_in(program, on)
    };
    // Automatic HTTPS adds a policy without settings.
    let refuses_others = !policies.is_empty();
    if groups.is_empty() && policies.is_empty() {
        groups.push(Group {
            title: format!("server {name}"),
            names: Vec::new(),
            own: None,
            declared: Some(value.at()),
            home: Home::Server { at: value.at() },
            notes: Vec::new(),
        });
    }
    let protocols = value.get("protocols").map(|protocols| member("protocols", &protocols).map(|()| protocols.strings()));
    Server { listeners, tls, policies, groups, protocols, shields: false, refuses_others }
}

fn built_in(program: &Program, on: bool) -> Setting<bool> {
    Setting::new("automatic_https", on, "", Origin::built_in(program.by()))
}

/// `tcp/127.0.0.1:8000-8010`; sockets of other kinds have no port.
fn listeners(address: &str) -> Vec<Listener> {
    let (network, rest) = address.split_once('/').unwrap_or(("tcp", address));
    let Some((host, ports)) = rest.rsplit_once(':').filter(|_| network.starts_with("tcp")) else { return Vec::new() };
    let (first, last) = ports.split_once('-').unwrap_or((ports, ports));
    let (Ok(first), Ok(last)) = (first.parse::<u16>(), last.parse::<u16>()) else { return Vec::new() };
    let address = bound(host.trim_matches(['[', ']']));
    (first..=last).take(MOST_LISTENERS).map(|port| Listener { address, port, is_default: false }).collect()
}

/// The hosts that the routes of a server are for: automatic HTTPS comes by them.
fn hosts(server: &Value<'_>) -> Vec<String> {
    let routes = server.get("routes").map(|routes| routes.elements()).unwrap_or_default();
    let sets = routes.iter().filter_map(|route| route.get("match")).flat_map(|sets| sets.elements());
    sets.filter_map(|set| set.get("host")).flat_map(|hosts| hosts.strings()).take(1).collect()
}

fn policy(object: &Value<'_>, loaded: &[Loaded], program: Program, troubles: &mut Vec<Trouble>) -> (Policy, Vec<Note>) {
    let mut policy = Policy { names: None, besides: None, settings: Settings::default(), home: Home::Nowhere };
    let (mut notes, mut members) = (Vec::new(), Vec::new());
    let mut wrong = |value: &Value<'_>, says: String| troubles.push(Trouble { at: Some(value.at()), says, fatal: true });
    let settings = &mut policy.settings;
    for (name, value) in object.members().iter().filter(|(_, value)| !value.is_null()) {
        let at = value.at();
        members.push(Written { name: name.clone(), at: at.clone(), value: at });
        let own = || member(name, value);
        match name.as_str() {
            "match" => (policy.names, policy.besides) = criteria(value),
            "protocol_min" | "protocol_max" => {
                let text = value.string().unwrap_or_default();
                let Some((_, version)) = VERSIONS.iter().find(|(known, _)| *known == text) else {
                    // It starts all the same (measured).
                    let says = format!("Caddy has no version `{text}`: its default counts");
                    notes.extend((!text.is_empty()).then(|| Note { at: Some(value.at()), says }));
                    continue;
                };
                let end = if name == "protocol_min" { &mut settings.minimum_version } else { &mut settings.maximum_version };
                *end = Some(own().map(|()| *version));
            }
            "cipher_suites" => {
                let names = value.strings();
                let suites: Vec<Option<CipherSuite>> = names.iter().map(|name| suite(name, program)).collect();
                if suites.iter().any(Option::is_none) {
                    wrong(value, "Caddy knows no suite of one of these names".to_owned());
                }
                if suites.iter().flatten().any(|suite| suite.0 >> 8 == 0x13) {
                    let says = "the suites of TLS 1.3 are Go's choice: naming one here changes nothing".to_owned();
                    notes.push(Note { at: Some(value.at()), says });
                }
                settings.cipher_list = (!names.is_empty()).then(|| own().map(|()| list(&names.join(" "))));
            }
            "curves" => match groups(value.strings().iter().map(String::as_str)) {
                Some(groups) if !groups.is_empty() => settings.groups = Some(own().map(|()| groups)),
                // Caddy starts with a name that it does not know, and puts group 0 in its place.
                Some(_) => {}
                None => notes.push(Note { at: Some(value.at()), says: "Caddy has no curve of one of these names".to_owned() }),
            },
            // An empty one counts since 2.7.
            "alpn" if value.strings().is_empty() && !program.since(Release::new(2, 7, 0)) => {}
            "alpn" => settings.alpn = Some(own().map(|()| value.strings())),
            "drop" if value.is_true() => settings.refuses_all = Some(own().map(|()| true)),
            "client_authentication" => {
                let mode = value.get("mode");
                match (client_authentication(value), mode) {
                    (Some(verification), mode) => {
                        let shown = mode.as_ref().map_or_else(own, |mode| member("mode", mode));
                        settings.client_verification = Some(shown.map(|()| verification));
                    }
                    (None, mode) => wrong(&mode.unwrap_or(*value), "there is no such mode: Caddy does not start".to_owned()),
                }
                settings.trust = trusted(value);
            }
            "certificate_selection" => {
                let tags = value.get("any_tag").map(|tags| tags.strings()).unwrap_or_default();
                let chosen = loaded.iter().filter(|one| one.tags.iter().any(|tag| tags.contains(tag)));
                for one in chosen.filter(|one| one.certificate.value.starts_with('/')) {
                    settings.certificates.push(one.certificate.clone());
                    settings.keys.push(one.key.clone());
                }
            }
            _ => {}
        }
    }
    if let (Some(lowest), Some(highest)) = (&settings.minimum_version, &settings.maximum_version)
        && lowest.value > highest.value
    {
        wrong(object, "the lowest version is above the highest: Caddy does not start".to_owned());
    }
    policy.home = Home::Object { at: object.at(), members };
    (policy, notes)
}

/// The names that a policy is for, and a criterion besides.
fn criteria(value: &Value<'_>) -> (Option<Vec<String>>, Option<(String, Span)>) {
    let mut names = None;
    for (kind, criterion) in value.members() {
        if kind != "sni" {
            return (names, Some((kind, criterion.at())));
        }
        names = Some(criterion.strings().into_iter().map(|name| name.to_ascii_lowercase()).collect());
    }
    (names, None)
}

fn client_authentication(value: &Value<'_>) -> Option<ClientVerification> {
    match value.get("mode").and_then(|mode| mode.string()).as_deref() {
        Some("request" | "verify_if_given") => Some(ClientVerification::Optional),
        Some("require" | "require_and_verify") => Some(ClientVerification::Required),
        Some("") | None => {
            let asks = ["ca", "trusted_ca_certs", "trusted_ca_certs_pem_files", "trusted_leaf_certs", "verifiers"];
            let on = asks.iter().any(|name| value.get(name).is_some());
            Some(if on { ClientVerification::Required } else { ClientVerification::Off })
        }
        Some(_) => None,
    }
}

fn trusted(value: &Value<'_>) -> Option<Setting<String>> {
    let old = value.get("trusted_ca_certs_pem_files");
    let new = value.get("ca").and_then(|pool| pool.get("pem_files"));
    let files = old.or(new)?;
    let first = files.strings().into_iter().next().filter(|file| file.starts_with('/'))?;
    Some(member("pem_files", &files).map(|()| first))
}
