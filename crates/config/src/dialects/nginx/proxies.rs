//! nginx as a client: the TLS towards the servers behind it.

use tlswhy_wire::ProtocolVersion;

use super::Program;
use super::servers::Found;
use super::settings::{self, Levels};
use super::tree::{Level, Node};
use crate::dialects::{MOST_SERVICES, VersionsSince};
use crate::language::names;
use crate::release::Release;
use crate::service::Trouble;
use crate::setting::{CipherList, Language, Setting, Settings};
use crate::span::Origin;

/// The directive that makes a location a client, the scheme that makes it speak TLS, and the prefix of its settings.
const PASSES: &[(&str, &str, &str)] =
    &[("proxy_pass", "https://", "proxy_ssl"), ("grpc_pass", "grpcs://", "grpc_ssl"), ("uwsgi_pass", "suwsgi://", "uwsgi_ssl")];

/// Default versions of the upstream side (<https://nginx.org/en/docs/http/ngx_http_proxy_module.html#proxy_ssl_protocols>).
const DEFAULT_VERSIONS: VersionsSince = &[
    (Release::new(1, 27, 3), &[ProtocolVersion::TLSV1_2, ProtocolVersion::TLSV1_3]),
    (
        Release::new(1, 23, 4),
        &[ProtocolVersion::TLSV1_0, ProtocolVersion::TLSV1_1, ProtocolVersion::TLSV1_2, ProtocolVersion::TLSV1_3],
    ),
    (Release::new(0, 0, 0), &[ProtocolVersion::TLSV1_0, ProtocolVersion::TLSV1_1, ProtocolVersion::TLSV1_2]),
];

pub(super) fn http(found: &mut Found, http: &[Node], around: &Level<'_>) {
    for server in http.iter().filter(|node| node.name() == "server") {
        let own = Level::of(server.inside());
        inside(found, server.inside(), &[&own, around], 0);
    }
}

fn inside(found: &mut Found, nodes: &[Node], levels: &Levels<'_>, depth: usize) {
    for node in nodes {
        if found.services.len() >= MOST_SERVICES {
            return;
        }
        if let Some((_, scheme, prefix)) = PASSES.iter().find(|(pass, ..)| *pass == node.name())
            && let Some(rest) = node.argument().strip_prefix(scheme)
        {
            let host = rest.split(['/', '?']).next().unwrap_or_default();
            let port = host.rsplit_once(':').map_or(Some(443), |(_, port)| port.parse().ok());
            found.client(format!("{} {}", node.name(), node.argument()), port, node, levels, prefix);
        }
        let nests = matches!(node.name(), "location" | "if" | "limit_except");
        if nests && depth < 16 {
            let own = Level::of(node.inside());
            let deeper: Vec<&Level<'_>> = std::iter::once(&own).chain(levels.iter().copied()).collect();
            inside(found, node.inside(), &deeper, depth + 1);
        }
    }
}

pub(super) fn stream(found: &mut Found, stream: &[Node], around: &Level<'_>) {
    for server in stream.iter().filter(|node| node.name() == "server") {
        let own = Level::of(server.inside());
        let levels = [&own, around];
        let speaks = settings::one(&levels, "proxy_ssl").and_then(settings::switch) == Some(true);
        if let Some(pass) = server.inside().iter().find(|node| node.name() == "proxy_pass").filter(|_| speaks) {
            let port = pass.argument().rsplit_once(':').and_then(|(_, port)| port.parse().ok());
            found.client(format!("stream proxy_pass {}", pass.argument()), port, pass, &levels, "proxy_ssl");
        }
    }
}

/// What the upstream side takes from its levels.
pub(super) fn settings(levels: &Levels<'_>, prefix: &str, program: Program, troubles: &mut Vec<Trouble>) -> Settings {
    let name = |rest: &str| format!("{prefix}_{rest}");
    let default = || {
        let row = DEFAULT_VERSIONS.iter().find(|(release, _)| program.is_at_least(*release));
        (row.map(|(_, versions)| versions.to_vec()).unwrap_or_default(), program.name())
    };
    let list = |node: &Node| Some(CipherList { language: Language::OpenSsl, text: node.argument().to_owned() });
    let ciphers = settings::setting(levels, &name("ciphers"), list).unwrap_or_else(|| {
        let value = CipherList { language: Language::OpenSsl, text: "DEFAULT".to_owned() };
        Setting::new(name("ciphers"), value, "DEFAULT", Origin::built_in(program.name()))
    });
    let file = |rest: &str| settings::setting(levels, &name(rest), |node| Some(node.argument().to_owned()));
    let sends_name = settings::setting(levels, &name("server_name"), settings::switch)
        .unwrap_or_else(|| Setting::new(name("server_name"), false, "off", Origin::built_in(program.name())));
    let sent = settings::one(levels, &name("name")).map_or("the host of the address", |node| node.argument()).to_owned();
    let verifies = settings::setting(levels, &name("verify"), settings::switch)
        .unwrap_or_else(|| Setting::new(name("verify"), false, "off", Origin::built_in(program.name())));
    let command = settings::conf_command(levels, &name("conf_command"), &["Ciphersuites"]);
    let suites = command.and_then(|(node, value)| {
        Some(Setting::new(format!("{} {}", node.name(), node.argument()), names::suites(value)?, value, node.origin()))
    });
    Settings {
        versions: Some(settings::versions(levels, &name("protocols"), default, troubles)),
        cipher_list: Some(ciphers),
        cipher_suites: suites,
        certificates: file("certificate").into_iter().collect(),
        keys: file("certificate_key").into_iter().collect(),
        trust: file("trusted_certificate"),
        server_name: Some(sends_name.map(|sends| sends.then_some(sent))),
        verifies_peer: Some(verifies),
        ..Settings::default()
    }
}
