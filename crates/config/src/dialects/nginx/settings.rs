//! The TLS directives of one level and what they inherit.

use tlswhy_wire::ProtocolVersion;

use super::Program;
use super::tree::{Level, Node};
use crate::dialects::VersionsSince;
use crate::language::names;
use crate::release::Release;
use crate::service::Trouble;
use crate::setting::{CipherList, ClientVerification, Language, MOST_SHADOWED, Setting, Settings, Shadowed};
use crate::span::Origin;

/// The levels that a setting can come from: the innermost first.
pub(super) type Levels<'n> = [&'n Level<'n>];

/// Default versions, from the release on (<https://nginx.org/en/CHANGES>).
const DEFAULT_VERSIONS: VersionsSince = &[
    (Release::new(1, 27, 3), &[ProtocolVersion::TLSV1_2, ProtocolVersion::TLSV1_3]),
    (
        Release::new(1, 23, 4),
        &[ProtocolVersion::TLSV1_0, ProtocolVersion::TLSV1_1, ProtocolVersion::TLSV1_2, ProtocolVersion::TLSV1_3],
    ),
    (Release::new(1, 9, 1), &[ProtocolVersion::TLSV1_0, ProtocolVersion::TLSV1_1, ProtocolVersion::TLSV1_2]),
    (
        Release::new(1, 0, 12),
        &[ProtocolVersion::SSLV3, ProtocolVersion::TLSV1_0, ProtocolVersion::TLSV1_1, ProtocolVersion::TLSV1_2],
    ),
    (Release::new(0, 0, 0), &[ProtocolVersion::SSLV3, ProtocolVersion::TLSV1_0]),
];

/// The versions that are on where no line says.
pub(super) fn default_versions(program: Program) -> Vec<ProtocolVersion> {
    let row = DEFAULT_VERSIONS.iter().find(|(release, _)| program.is_at_least(*release));
    row.map(|(_, versions)| versions.to_vec()).unwrap_or_default()
}

/// The directives of this name at the innermost level that has any.
pub(super) fn innermost<'l, 'n>(levels: &'l Levels<'n>, name: &str) -> &'l [&'n Node] {
    levels.iter().map(|level| level.named(name)).find(|nodes| !nodes.is_empty()).unwrap_or_default()
}

/// The directive of this name that counts; where there are several at a level (which nginx refuses), the first.
pub(super) fn one<'n>(levels: &Levels<'n>, name: &str) -> Option<&'n Node> {
    innermost(levels, name).first().copied()
}

/// What the outer levels say, which an inner one replaces.
pub(super) fn outer(levels: &Levels<'_>, name: &str) -> Vec<Shadowed> {
    let mut seen_inner = false;
    let mut shadowed = Vec::new();
    for level in levels {
        let mut any = false;
        for node in level.named(name) {
            any = true;
            if shadowed.len() >= MOST_SHADOWED {
                break;
            }
            if seen_inner {
                shadowed.push(Shadowed {
                    name: name.to_owned(),
                    text: node.text(),
                    origin: node.origin(),
                    why: "the same directive at an inner level replaces it".to_owned(),
                    meant_to_count: false,
                });
            }
        }
        seen_inner |= any;
    }
    shadowed
}

/// A setting of the first directive with this name, if its value can be read.
pub(super) fn setting<T>(levels: &Levels<'_>, name: &str, read: impl FnOnce(&Node) -> Option<T>) -> Option<Setting<T>> {
    let node = one(levels, name)?;
    let mut setting = Setting::new(name, read(node)?, node.text(), node.origin());
    setting.shadowed = outer(levels, name);
    Some(setting)
}

/// `on` or `off`.
pub(super) fn switch(node: &Node) -> Option<bool> {
    match node.argument() {
        word if word.eq_ignore_ascii_case("on") => Some(true),
        word if word.eq_ignore_ascii_case("off") => Some(false),
        _ => None,
    }
}

/// The versions that lines of this name at the innermost level switch on; several lines at one level add up (measured).
pub(super) fn versions(
    levels: &Levels<'_>,
    name: &str,
    default: impl FnOnce() -> (Vec<ProtocolVersion>, String),
    troubles: &mut Vec<Trouble>,
) -> Setting<Vec<ProtocolVersion>> {
    let nodes = innermost(levels, name);
    let Some(first) = nodes.first() else {
        let (versions, by) = default();
        let text = versions.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ");
        return Setting::new(name, versions, text, Origin::built_in(by));
    };
    let mut on: Vec<ProtocolVersion> = Vec::new();
    for node in nodes {
        for word in node.arguments() {
            match names::version(word) {
                Some(version) => on.push(version),
                None => troubles.push(Trouble {
                    at: Some(node.at()),
                    says: format!("`{word}` is no version that `{name}` knows"),
                    fatal: true,
                }),
            }
        }
    }
    on.sort_unstable();
    on.dedup();
    let text = nodes.iter().map(|node| node.text()).collect::<Vec<_>>().join(" ");
    let mut setting = Setting::new(name, on, text, first.origin());
    setting.shadowed = outer(levels, name);
    setting
}

/// The arguments of `ssl_conf_command NAME VALUE` in effect. They are inherited only by a level that has none of its own.
pub(super) fn conf_command<'n>(levels: &Levels<'n>, directive: &str, names: &[&str]) -> Option<(&'n Node, &'n str)> {
    let nodes = innermost(levels, directive);
    // Of the same name twice, the later counts: it is applied last.
    let fits = |node: &&&Node| names.iter().any(|name| node.argument().eq_ignore_ascii_case(name));
    let node = nodes.iter().rev().find(fits)?;
    Some((node, node.arguments().nth(1).unwrap_or_default()))
}

fn of_command<T>(found: Option<(&Node, &str)>, read: impl FnOnce(&str) -> Option<T>) -> Option<Setting<T>> {
    let (node, value) = found?;
    let name = format!("{} {}", node.name(), node.argument());
    let value_word = node.words.get(2)?;
    let mut setting = Setting::new(name, read(value)?, value, node.origin());
    if let Origin::File { value, .. } = &mut setting.origin {
        (value.start, value.end) = (value_word.span.start, value_word.span.end);
    }
    Some(setting)
}

/// nginx applies `ssl_conf_command` after all directives, so that it replaces what they set (measured).
fn applied_last<T>(command: Option<Setting<T>>, directive: Option<Setting<T>>) -> Option<Setting<T>> {
    let Some(mut command) = command else { return directive };
    if let Some(directive) = directive {
        let Setting { name, text, origin, .. } = directive;
        let why = format!("`{}` is applied after it and replaces it", command.name);
        command.shadowed.insert(0, Shadowed { name, meant_to_count: text != command.text, text, origin, why });
    }
    Some(command)
}

/// What a server (of http, stream or mail) takes from its levels; versions, groups and TLS 1.3 suites as if it decided them.
pub(super) fn server(levels: &Levels<'_>, program: Program, troubles: &mut Vec<Trouble>) -> Settings {
    let text = |node: &Node| Some(node.argument().to_owned());
    let list = |node: &Node| Some(CipherList { language: Language::OpenSsl, text: node.argument().to_owned() });
    let default_ciphers = || {
        let value = CipherList { language: Language::OpenSsl, text: "HIGH:!aNULL:!MD5".to_owned() };
        Setting::new("ssl_ciphers", value, "HIGH:!aNULL:!MD5", Origin::built_in(program.name()))
    };
    let all = |name: &str| {
        let nodes = innermost(levels, name);
        let file = |node: &&Node| Setting::new(name, node.argument().to_owned(), node.text(), node.origin());
        nodes.iter().map(file).collect::<Vec<_>>()
    };
    let verification = |node: &Node| match node.argument() {
        "on" => Some(ClientVerification::Required),
        "optional" | "optional_no_ca" => Some(ClientVerification::Optional),
        "off" => Some(ClientVerification::Off),
        _ => None,
    };
    let groups =
        setting(levels, "ssl_ecdh_curve", |node| (node.argument() != "auto").then(|| names::groups(node.argument())).flatten());
    let commanded_groups = of_command(conf_command(levels, "ssl_conf_command", &["Groups", "Curves"]), names::groups);
    let ciphers = setting(levels, "ssl_ciphers", list);
    let commanded_ciphers = of_command(conf_command(levels, "ssl_conf_command", &["CipherString"]), |text| {
        Some(CipherList { language: Language::OpenSsl, text: text.to_owned() })
    });
    Settings {
        versions: Some(versions(levels, "ssl_protocols", || (default_versions(program), program.name()), troubles)),
        minimum_version: of_command(conf_command(levels, "ssl_conf_command", &["MinProtocol"]), names::version),
        maximum_version: of_command(conf_command(levels, "ssl_conf_command", &["MaxProtocol"]), names::version),
        cipher_list: applied_last(commanded_ciphers, ciphers).or_else(|| Some(default_ciphers())),
        cipher_suites: of_command(conf_command(levels, "ssl_conf_command", &["Ciphersuites"]), names::suites),
        groups: applied_last(commanded_groups, groups),
        signature_algorithms: of_command(
            conf_command(levels, "ssl_conf_command", &["SignatureAlgorithms"]),
            names::signature_schemes,
        ),
        certificates: all("ssl_certificate"),
        keys: all("ssl_certificate_key"),
        dh_parameters: setting(levels, "ssl_dhparam", text),
        client_verification: setting(levels, "ssl_verify_client", verification),
        trust: setting(levels, "ssl_client_certificate", text).or_else(|| setting(levels, "ssl_trusted_certificate", text)),
        alpn: setting(levels, "ssl_alpn", |node| Some(node.arguments().map(str::to_owned).collect())),
        server_preference: setting(levels, "ssl_prefer_server_ciphers", switch)
            .or_else(|| Some(Setting::new("ssl_prefer_server_ciphers", false, "off", Origin::built_in(program.name())))),
        refuses_all: setting(levels, "ssl_reject_handshake", switch),
        options: of_command(conf_command(levels, "ssl_conf_command", &["Options"]), |text| {
            Some(text.split(',').map(|word| word.trim().to_owned()).collect())
        }),
        ..Settings::default()
    }
}
