//! The TLS directives of a server and what it inherits, as `modssl_ctx_cfg_merge` has it (modules/ssl/ssl_engine_config.c).

use std::collections::HashMap;

use tlswhy_wire::ProtocolVersion;

use super::Program;
use super::lines;
use super::tree::Node;
use crate::dialects::MOST_GENERAL;
use crate::files::relative_to;
use crate::language::names;
use crate::service::{Note, Trouble};
use crate::setting::{CipherList, ClientVerification, Language, MOST_SHADOWED, Setting, Settings, Shadowed};
use crate::span::{Origin, Span};

/// The directives of one level by name.
#[derive(Debug, Default)]
pub(super) struct Level<'n> {
    by: HashMap<&'n str, Vec<&'n Node>>,
}

impl<'n> Level<'n> {
    pub(super) fn of(nodes: &'n [Node]) -> Level<'n> {
        let mut by: HashMap<&str, Vec<&Node>> = HashMap::new();
        for node in nodes.iter().filter(|node| node.block.is_none()) {
            by.entry(node.name.as_str()).or_default().push(node);
        }
        Level { by }
    }

    /// Of the main server, whose lines of TLS every other is held against; the last of a name count.
    pub(super) fn around(nodes: &'n [Node], troubles: &mut Vec<Trouble>) -> Level<'n> {
        let mut level = Level::of(nodes);
        for (name, nodes) in level.by.iter_mut().filter(|(name, _)| name.starts_with("ssl")) {
            let too_many = nodes.len().saturating_sub(MOST_GENERAL);
            if let Some(last) = nodes.drain(..too_many).next_back() {
                let says = format!(
                    "more than {MOST_GENERAL} lines `{name}` count for all hosts: this one and those before it are not read"
                );
                troubles.push(Trouble { at: Some(last.at()), says, fatal: false });
            }
        }
        level
    }

    pub(super) fn all(&self, name: &str) -> &[&'n Node] {
        self.by.get(name).map_or(&[], Vec::as_slice)
    }
}

/// What a reading of settings goes by and adds to.
pub(super) struct Reckoning<'r> {
    pub(super) program: Program,
    pub(super) root: &'r str,
    pub(super) troubles: &'r mut Vec<Trouble>,
    pub(super) notes: Vec<Note>,
}

/// The innermost level first. Of several lines at one level the last counts.
pub(super) type Levels<'l, 'n> = [&'l Level<'n>];

/// The line of this name that counts, and those that do not.
pub(super) fn ruling<'n>(
    levels: &Levels<'_, 'n>,
    name: &str,
    fits: impl Fn(&Node) -> bool,
) -> Option<(&'n Node, Vec<Shadowed>)> {
    let mut found: Option<(usize, &Node)> = None;
    let mut shadowed = Vec::new();
    for (depth, level) in levels.iter().enumerate() {
        for node in level.all(name).iter().rev().filter(|node| fits(node)) {
            if shadowed.len() >= MOST_SHADOWED {
                break;
            }
            match found {
                None => found = Some((depth, node)),
                Some((at, counts)) if at == depth => {
                    let meant = node.text() != counts.text();
                    shadowed.push(shadow(node, "a later line of the same scope replaces it", meant));
                }
                Some(_) => shadowed.push(shadow(node, "a more specific line replaces it", false)),
            }
        }
    }
    Some((found?.1, shadowed))
}

pub(super) fn shadow(node: &Node, why: impl Into<String>, meant_to_count: bool) -> Shadowed {
    Shadowed { name: node.written.clone(), text: node.text(), origin: node.origin(), why: why.into(), meant_to_count }
}

/// A setting of the line that counts, if its value can be read.
pub(super) fn setting<T>(levels: &Levels<'_, '_>, name: &str, read: impl FnOnce(&Node) -> Option<T>) -> Option<Setting<T>> {
    let (node, shadowed) = ruling(levels, name, |_| true)?;
    let mut setting = Setting::new(&node.written, read(node)?, node.text(), node.origin());
    setting.shadowed = shadowed;
    Some(setting)
}

pub(super) fn switch(node: &Node) -> Option<bool> {
    match node.argument() {
        word if word.eq_ignore_ascii_case("on") => Some(true),
        word if word.eq_ignore_ascii_case("off") => Some(false),
        _ => None,
    }
}

/// The versions that `SSLProtocol` or `SSLProxyProtocol` leaves (`ssl_cmd_protocol_parse`), without the holes that OpenSSL 1.1.0
/// fills from the top down. `Err` says what the program refuses.
pub(super) fn protocols(node: &Node, program: Program, notes: &mut Vec<Note>) -> Result<Vec<ProtocolVersion>, String> {
    let mut on: Vec<ProtocolVersion> = Vec::new();
    for word in lines::words(&node.arguments) {
        let (sign, name) = match word.split_at_checked(1) {
            Some((sign @ ("+" | "-"), name)) => (sign, name),
            _ => ("", word.as_str()),
        };
        let versions = match name.to_ascii_lowercase().as_str() {
            "sslv2" if sign == "-" => continue,
            "sslv2" => return Err("SSLv2 is no longer supported".to_owned()),
            "sslv3" if !program.has_sslv3() && sign == "-" => continue,
            "sslv3" if !program.has_sslv3() => return Err("SSLv3 is not in this OpenSSL".to_owned()),
            "sslv3" => vec![ProtocolVersion::SSLV3],
            "tlsv1" => vec![ProtocolVersion::TLSV1_0],
            "tlsv1.1" => vec![ProtocolVersion::TLSV1_1],
            "tlsv1.2" => vec![ProtocolVersion::TLSV1_2],
            "tlsv1.3" if program.has_tls13() => vec![ProtocolVersion::TLSV1_3],
            "tlsv1.3" => return Err("TLSv1.3 needs httpd 2.4.36 with OpenSSL 1.1.1".to_owned()),
            "all" => program.all_versions(),
            _ => return Err(format!("`{word}` is no protocol that `{}` knows", node.written)),
        };
        match sign {
            "-" => on.retain(|version| !versions.contains(version)),
            "+" => on.extend(versions),
            _ => {
                if !on.is_empty() {
                    let lost = on.iter().filter(|version| !versions.contains(version));
                    let lost: Vec<String> = lost.map(ToString::to_string).collect();
                    if !lost.is_empty() {
                        let says = format!("`{word}` without a sign discards what stands before it: {}", lost.join(" "));
                        notes.push(Note { at: Some(node.at()), says });
                    }
                }
                on = versions;
            }
        }
        on.sort_unstable();
        on.dedup();
    }
    let whole = program.without_holes(&on);
    let lost: Vec<String> = on.iter().filter(|version| !whole.contains(version)).map(ToString::to_string).collect();
    if !lost.is_empty() {
        let says = format!(
            "`{} {}` leaves a gap: OpenSSL takes the range from the top down to it, without {}",
            node.written,
            node.text(),
            lost.join(" ")
        );
        notes.push(Note { at: Some(node.at()), says });
    }
    Ok(whole)
}

/// What of `SSLOpenSSLConfCmd` lines counts for these names: the lines of the main server come first, then those of the virtual
/// host, and the last wins.
fn command<'n>(levels: &Levels<'_, 'n>, commands: &[&str]) -> Option<(&'n Node, Vec<Shadowed>)> {
    let mut found: Option<&Node> = None;
    let mut shadowed = Vec::new();
    for (depth, level) in levels.iter().enumerate() {
        let fits = |node: &&&Node| {
            let own = node.argument();
            commands.iter().any(|name| own.trim_start_matches('-').eq_ignore_ascii_case(name))
        };
        for node in level.all("sslopensslconfcmd").iter().rev().filter(fits) {
            if shadowed.len() >= MOST_SHADOWED {
                break;
            }
            match found {
                None => found = Some(node),
                Some(_) => shadowed.push(shadow(node, "a later line is applied after it", depth == 0)),
            }
        }
    }
    Some((found?, shadowed))
}

fn of_command<T>(levels: &Levels<'_, '_>, commands: &[&str], read: impl FnOnce(&str) -> Option<T>) -> Option<Setting<T>> {
    let (node, shadowed) = command(levels, commands)?;
    let words = node.words();
    let value = words.get(1)?;
    let name = format!("{} {}", node.written, words.first()?);
    let mut setting = Setting::new(name, read(value)?, value, node.origin());
    setting.shadowed = shadowed;
    Some(setting)
}

/// Certificate or key files: those of the virtual host take the places of the main server's first ones, whose further ones stay
/// (`modssl_ctx_cfg_merge_certkeys_array`).
fn files(levels: &Levels<'_, '_>, name: &str, root: &str) -> Vec<Setting<String>> {
    let mut found: Vec<Setting<String>> = Vec::new();
    for (depth, level) in levels.iter().enumerate() {
        let nodes = level.all(name);
        if depth == 0 {
            found.extend(nodes.iter().map(|node| file(node, root)));
            continue;
        }
        let own = found.len().min(3);
        for (node, replaced_by) in nodes.iter().zip(found.iter_mut().take(own)) {
            replaced_by.shadowed.push(shadow(node, "a more specific line replaces it", false));
        }
        let rest: Vec<Setting<String>> = nodes.iter().skip(own).map(|node| file(node, root)).collect();
        found.splice(own..own, rest);
    }
    found
}

fn file(node: &Node, root: &str) -> Setting<String> {
    Setting::new(&node.written, path(node, root), node.text(), node.origin())
}

/// A path taken from ServerRoot; what is no path (`pkcs11:` …) stays.
fn path(node: &Node, root: &str) -> String {
    let argument = node.argument();
    if argument.contains(':') && !argument.contains('/') || argument.starts_with("pkcs11:") {
        return argument;
    }
    relative_to(root, &argument)
}

/// A cipher list as mod_ssl hands it to OpenSSL: it always takes away what has no authentication or encryption. `PROFILE=SYSTEM` of
/// Fedora and its kin stays as it is.
fn list(text: &str) -> CipherList {
    if text.starts_with("PROFILE=") {
        return CipherList { language: Language::OpenSsl, text: text.to_owned() };
    }
    CipherList { language: Language::OpenSsl, text: format!("{text}:!aNULL:!eNULL:!EXP") }
}

/// Suites of `SSLCipherSuite [SSL|TLSv1.3] LIST` or its proxy twin: those up to TLS 1.2, or those of 1.3.
pub(super) fn suites(levels: &Levels<'_, '_>, name: &str, tls13: bool) -> Option<Setting<String>> {
    let is_tls13 = |node: &Node| node.argument() == "TLSv1.3" && node.words().len() > 1;
    let (node, shadowed) = ruling(levels, name, |node| is_tls13(node) == tls13)?;
    let words = node.words();
    let (value, name) = match words.as_slice() {
        [kind, value, ..] => (value.clone(), format!("{} {kind}", node.written)),
        [value] => (value.clone(), node.written.clone()),
        [] => return None,
    };
    let mut setting = Setting::new(name, value.clone(), value, node.origin());
    setting.shadowed = shadowed;
    Some(setting)
}

/// The versions in effect where this level decides them, with what `SSLOpenSSLConfCmd` makes of them.
#[derive(Debug)]
pub(super) struct Versions {
    pub(super) set: Setting<Vec<ProtocolVersion>>,
    pub(super) lowest: Option<Setting<ProtocolVersion>>,
    pub(super) highest: Option<Setting<ProtocolVersion>>,
    /// What `SSLOpenSSLConfCmd Protocol` switches off besides.
    pub(super) off: Vec<ProtocolVersion>,
    /// Whether a line of the server or the main server says so.
    pub(super) explicit: bool,
}

fn versions(levels: &Levels<'_, '_>, reckoning: &mut Reckoning<'_>) -> Versions {
    let program = reckoning.program;
    let own = ruling(levels, "sslprotocol", |_| true);
    let explicit = own.is_some();
    let mut set = own_protocols("SSLProtocol", own, program, reckoning.troubles, &mut reckoning.notes);
    if explicit && set.value.is_empty() {
        let says = format!("`{} {}` leaves no version: the program does not start", set.name, set.text);
        fatal(reckoning.troubles, set.origin.span().cloned(), says);
    }
    let lowest = of_command(levels, &["MinProtocol", "min_protocol"], names::version);
    let highest = of_command(levels, &["MaxProtocol", "max_protocol"], names::version);
    // MinProtocol and MaxProtocol replace the ends of the range that SSLProtocol sets (measured on 2.4.71).
    let mut range = set.value.clone();
    if lowest.is_some() {
        let top = range.last().copied();
        range = top.map_or_else(Vec::new, |top| EVERY.iter().copied().filter(|version| *version <= top).collect());
    }
    if highest.is_some() {
        let bottom = range.first().copied();
        range = bottom.map_or_else(Vec::new, |bottom| EVERY.iter().copied().filter(|version| *version >= bottom).collect());
    }
    set.value = range;
    Versions { set, lowest, highest, off: switched_off(levels), explicit }
}

const EVERY: [ProtocolVersion; 5] = [
    ProtocolVersion::SSLV3,
    ProtocolVersion::TLSV1_0,
    ProtocolVersion::TLSV1_1,
    ProtocolVersion::TLSV1_2,
    ProtocolVersion::TLSV1_3,
];

/// `SSLOpenSSLConfCmd Protocol`: the versions that it switches off besides, each as an option of the library.
fn switched_off(levels: &Levels<'_, '_>) -> Vec<ProtocolVersion> {
    let found = of_command(levels, &["Protocol"], |text| {
        let mut off: Vec<ProtocolVersion> = Vec::new();
        for word in text.split(',').map(str::trim) {
            let (minus, name) = match word.strip_prefix('-') {
                Some(name) => (true, name),
                None => (false, word.strip_prefix('+').unwrap_or(word)),
            };
            let named: Vec<ProtocolVersion> = match names::version(name) {
                Some(version) => vec![version],
                None if name.eq_ignore_ascii_case("all") => EVERY.to_vec(),
                None => continue,
            };
            off.retain(|version| !named.contains(version));
            if minus {
                off.extend(named);
            }
        }
        Some(off)
    });
    found.map(|setting| setting.value).unwrap_or_default()
}

/// The versions of the line that counts, or of none. A line that the program refuses is shown with the built-in ones, so that an
/// edit finds it.
pub(super) fn own_protocols(
    name: &str,
    own: Option<(&Node, Vec<Shadowed>)>,
    program: Program,
    troubles: &mut Vec<Trouble>,
    notes: &mut Vec<Note>,
) -> Setting<Vec<ProtocolVersion>> {
    let default = default_versions(name, program);
    let Some((node, shadowed)) = own else { return default };
    let value = protocols(node, program, notes).unwrap_or_else(|says| {
        trouble(troubles, node, says);
        default.value
    });
    let mut setting = Setting::new(&node.written, value, node.text(), node.origin());
    setting.shadowed = shadowed;
    setting
}

fn default_versions(name: &str, program: Program) -> Setting<Vec<ProtocolVersion>> {
    let (value, text) = program.default_versions();
    Setting::new(name, program.without_holes(&value), text, Origin::built_in(program.name()))
}

pub(super) fn trouble(troubles: &mut Vec<Trouble>, node: &Node, says: String) {
    fatal(troubles, Some(node.at()), says);
}

fn fatal(troubles: &mut Vec<Trouble>, at: Option<Span>, says: String) {
    // A line of the main server is met once for each virtual host.
    if !troubles.iter().rev().take(64).any(|one| one.at == at && one.says == says) {
        troubles.push(Trouble { at, says, fatal: true });
    }
}

/// What a server takes from its levels as if it decided everything.
pub(super) fn server(levels: &Levels<'_, '_>, reckoning: &mut Reckoning<'_>) -> (Settings, Versions) {
    let versions = versions(levels, reckoning);
    let (program, root) = (reckoning.program, reckoning.root);
    let verification = |node: &Node| match node.argument().to_ascii_lowercase().as_str() {
        "none" | "off" => Some(ClientVerification::Off),
        "optional" | "optional_no_ca" => Some(ClientVerification::Optional),
        "require" | "on" => Some(ClientVerification::Required),
        _ => None,
    };
    let conf_list =
        of_command(levels, &["CipherString"], |text| Some(CipherList { language: Language::OpenSsl, text: text.to_owned() }));
    let own_list = suites(levels, "sslciphersuite", false).map(|setting| setting.map(|text| list(&text)));
    let cipher_list = match (conf_list, own_list) {
        (Some(mut command), Some(own)) => {
            command.shadowed.push(Shadowed {
                name: own.name,
                text: own.text,
                origin: own.origin,
                why: "`SSLOpenSSLConfCmd CipherString` is applied after it".to_owned(),
                meant_to_count: true,
            });
            Some(command)
        }
        (command, own) => command.or(own),
    };
    let cipher_list = cipher_list
        .or_else(|| Some(Setting::new("SSLCipherSuite", list("DEFAULT"), "DEFAULT", Origin::built_in(program.name()))));
    let own_suites = suites(levels, "sslciphersuite", true);
    let own_suites = own_suites.and_then(|Setting { value, name, text, origin, shadowed }| {
        Some(Setting { value: names::suites(&value)?, name, text, origin, shadowed })
    });
    let authority = |name: &str| setting(levels, name, |node| Some(path(node, root)));
    let settings = Settings {
        cipher_list,
        cipher_suites: of_command(levels, &["Ciphersuites"], names::suites).or(own_suites),
        groups: of_command(levels, &["Groups", "Curves", "ECDHParameters"], |text| {
            (!text.eq_ignore_ascii_case("auto")).then(|| names::groups(text)).flatten()
        }),
        signature_algorithms: of_command(levels, &["SignatureAlgorithms", "sigalgs"], names::signature_schemes),
        certificates: files(levels, "sslcertificatefile", root),
        keys: files(levels, "sslcertificatekeyfile", root),
        chain: authority("sslcertificatechainfile"),
        dh_parameters: of_command(levels, &["DHParameters"], |text| Some(relative_to(root, text))),
        client_verification: setting(levels, "sslverifyclient", verification),
        trust: authority("sslcacertificatefile").or_else(|| authority("sslcacertificatepath")),
        alpn: alpn(levels),
        server_preference: setting(levels, "sslhonorcipherorder", switch),
        options: of_command(levels, &["Options"], |text| Some(text.split(',').map(|word| word.trim().to_owned()).collect())),
        ..Settings::default()
    };
    (settings, versions)
}

/// `Protocols`: lines of one scope add up. Cleartext names (`h2c`) are no ALPN names.
fn alpn(levels: &Levels<'_, '_>) -> Option<Setting<Vec<String>>> {
    let nodes = levels.iter().map(|level| level.all("protocols")).find(|nodes| !nodes.is_empty())?;
    let first = nodes.first()?;
    let mut protocols: Vec<String> = Vec::new();
    for word in nodes.iter().flat_map(|node| node.words()) {
        if word != "h2c" && !protocols.contains(&word) {
            protocols.push(word);
        }
    }
    let text = nodes.iter().map(|node| node.text()).collect::<Vec<_>>().join(" ");
    Some(Setting::new(&first.written, protocols, text, first.origin()))
}
