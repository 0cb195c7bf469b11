//! The sites of a Caddyfile: which addresses they listen on, where TLS is spoken, and the policies that their `tls` makes
//! (caddyconfig/httpcaddyfile: addresses.go, httptype.go).

use std::collections::{BTreeMap, HashMap, HashSet};
use std::net::IpAddr;

use super::automatic::{self, Getting};
use super::directive::{self, Tls, setting};
use super::policies::{Group, Home, Policy, Server};
use super::tree::{self, Line, Site};
use super::words::Word;
use super::{Found, Program, proxies};
use crate::dialects::Context;
use crate::release::Release;
use crate::service::{Listener, Note, Trouble};
use crate::setting::Setting;
use crate::span::{Origin, Span};

/// Heredocs came with this release.
const HAS_HEREDOCS: Release = Release::new(2, 7, 0);
/// A site on a port of its own speaks TLS where it has a `tls` directive, whatever that says, since this release; before, only where
/// the directive says something of connections.
const DIRECTIVE_IS_ENOUGH: Release = Release::new(2, 7, 5);
/// Schemes other than HTTP's are refused since this release.
const KNOWS_SCHEMES: Release = Release::new(2, 7, 5);
/// HTTP/2 without HTTP/1.1 can be had since this release.
const H2_ALONE: Release = Release::new(2, 10, 1);
/// Wildcards demand no client certificates of other sites' names since this release (measured on 2.11.7; 2.11.4 does not have it).
const SHIELDS: Release = Release::new(2, 11, 5);
/// Most pairs of an address and a listener.
const MOST: usize = 10_000;

/// The global options that matter here.
struct Options {
    http_port: u16,
    https_port: u16,
    default_sni: Option<String>,
    fallback_sni: Option<String>,
    automatic: Option<Setting<bool>>,
    /// The line by which Caddy gets no certificates.
    gets_none: Option<Setting<bool>>,
    /// Whether every certificate is of its own authority.
    is_local: bool,
    /// The names of sites that are wildcards.
    wildcards: HashSet<String>,
    default_bind: Vec<String>,
    /// `servers` blocks, by the listener that they are for.
    protocols: Vec<(Option<String>, Setting<Vec<String>>)>,
}

/// An address of a site.
#[derive(Clone, Debug)]
struct Address {
    scheme: String,
    host: String,
    port: Option<u16>,
    word: Word,
}

/// A listener with what it serves.
struct Listening<'s> {
    host: String,
    port: u16,
    parts: Vec<Part<'s>>,
}

/// The keys of a site that one listener serves.
struct Part<'s> {
    site: &'s Site,
    index: usize,
    keys: Vec<Address>,
}

pub(super) fn read(context: &Context<'_>, program: Program) -> Found {
    let tree = tree::read(context.files, context.main, program.since(HAS_HEREDOCS));
    let mut found = Found { troubles: tree.troubles, files: tree.files, ..Found::default() };
    let mut options = options(&program, &tree.global, &mut found.troubles);
    let directives: Vec<Option<Tls>> = tree.sites.iter().map(|site| directive::read(program, &site.lines)).collect();
    for tls in directives.iter().flatten() {
        found.troubles.extend(tls.troubles.iter().cloned());
    }
    // Each listener has a server of its own; equal ones are joined in the end.
    let mut listeners: BTreeMap<String, Listening<'_>> = BTreeMap::new();
    let mut count = 0;
    for (index, site) in tree.sites.iter().enumerate() {
        let hosts = hosts(site, &options);
        for key in &site.keys {
            let Some(address) = address(&program, key, &mut found.troubles) else { continue };
            let Some(port) = port(&address, &options, &mut found.troubles) else { continue };
            if address.host.starts_with("*.") && options.wildcards.len() < MOST {
                options.wildcards.insert(address.host.clone());
            }
            for host in &hosts {
                count += 1;
                if count > MOST {
                    if count == MOST + 1 {
                        let says = format!("more than {MOST} pairs of an address and a listener: the rest is not read");
                        found.troubles.push(Trouble { at: Some(key.at.clone()), says, fatal: false });
                    }
                    break;
                }
                let shown = if host.contains(':') { format!("[{host}]:{port}") } else { format!("{host}:{port}") };
                let new = || Listening { host: host.clone(), port, parts: Vec::new() };
                let parts = &mut listeners.entry(shown).or_insert_with(new).parts;
                match parts.last_mut().filter(|part| part.index == index) {
                    Some(part) => part.keys.push(address.clone()),
                    None => parts.push(Part { site, index, keys: vec![address.clone()] }),
                }
            }
        }
    }
    // The policy of a site is one for all its listeners: what the last one makes of it counts for all (measured).
    let mut last: BTreeMap<usize, Vec<String>> = BTreeMap::new();
    for part in listeners.values().flat_map(|listening| &listening.parts) {
        last.insert(part.index, names(part));
    }
    let mut services = Vec::new();
    for (address, listening) in &listeners {
        let server = server(&program, &options, &directives, (address, listening), &last, &mut found.troubles);
        let start = services.len();
        server.services(&program, &mut services);
        // In the order of the file.
        services.get_mut(start..).unwrap_or_default().sort_by_key(|(service, _)| service.declared.clone());
    }
    found.services = services;
    for site in &tree.sites {
        proxies::read(&program, &site.lines, &mut found);
    }
    found
}

fn options(program: &Program, lines: &[Line], troubles: &mut Vec<Trouble>) -> Options {
    let mut options = Options {
        http_port: 80,
        https_port: 443,
        default_sni: None,
        fallback_sni: None,
        automatic: None,
        gets_none: None,
        is_local: false,
        wildcards: HashSet::new(),
        default_bind: Vec::new(),
        protocols: Vec::new(),
    };
    for line in lines {
        let words = line.arguments();
        let first = words.first().map(|word| word.text.clone());
        match (line.name(), first) {
            ("http_port" | "https_port", Some(text)) => match text.parse::<u16>() {
                Ok(port) if line.name() == "http_port" => options.http_port = port,
                Ok(port) => options.https_port = port,
                Err(_) if words.iter().any(|word| word.unknown) => {}
                Err(_) => troubles.push(trouble(line.at(), format!("`{text}` is no port"))),
            },
            ("default_sni", name) => options.default_sni = name,
            ("fallback_sni", name) => options.fallback_sni = name,
            ("auto_https", Some(_)) => {
                let off = words.iter().any(|word| word.text == "off");
                options.automatic = Some(setting(line, !off));
                let gets_none = words.iter().any(|word| ["off", "disable_certs"].contains(&word.text.as_str()));
                options.gets_none = gets_none.then(|| setting(line, false));
            }
            ("local_certs", None) => options.is_local = true,
            ("cert_issuer", Some(issuer)) => options.is_local = issuer == "internal",
            ("default_bind", Some(_)) => options.default_bind.extend(words.iter().map(|word| word.text.clone())),
            ("servers", listener) => {
                let protocols = line.inside().iter().rfind(|inside| inside.name() == "protocols");
                if let Some(line) = protocols.filter(|line| !line.arguments().is_empty()) {
                    let value: Vec<String> = line.arguments().iter().map(|word| word.text.clone()).collect();
                    let on = |name: &str| value.iter().any(|protocol| protocol == name);
                    if !on("h1") && (on("h2") || on("h2c")) && !program.since(H2_ALONE) {
                        let says = "this Caddy does not start with HTTP/2 and without HTTP/1.1".to_owned();
                        troubles.push(trouble(line.at(), says));
                    }
                    options.protocols.push((listener, setting(line, value)));
                }
            }
            _ => {}
        }
    }
    // What names a listener counts before what is for all.
    options.protocols.sort_by_key(|(listener, _)| listener.is_none());
    options
}

fn trouble(at: Option<Span>, says: String) -> Trouble {
    Trouble { at, says, fatal: true }
}

/// The hosts that a site binds to; empty for every address. Unix sockets are left out.
fn hosts(site: &Site, options: &Options) -> Vec<String> {
    let binds = site.lines.iter().filter(|line| line.name() == "bind");
    let mut hosts: Vec<String> = binds.flat_map(|line| line.arguments()).map(|word| word.text.clone()).collect();
    if hosts.is_empty() {
        hosts.clone_from(&options.default_bind);
    }
    if hosts.is_empty() {
        return vec![String::new()];
    }
    let network = |host: &str| {
        ["unix", "unixgram", "unixpacket", "fd", "fdgram", "udp"]
            .iter()
            .any(|kind| host.starts_with(kind) && host.contains('/'))
    };
    hosts.retain(|host| !network(host));
    let bare = |host: String| host.rsplit('/').next().unwrap_or_default().trim_matches(['[', ']']).to_owned();
    hosts.into_iter().map(bare).collect()
}

/// The address of a host that is bound to; `None` for every address, and for a name.
pub(super) fn bound(host: &str) -> Option<IpAddr> {
    let address: IpAddr = if host == "localhost" { "127.0.0.1" } else { host }.parse().ok()?;
    (!address.is_unspecified()).then_some(address)
}

/// `https://host:port/path`.
fn address(program: &Program, word: &Word, troubles: &mut Vec<Trouble>) -> Option<Address> {
    let text = word.text.trim();
    let (scheme, rest) = text.split_once("://").unwrap_or(("", text));
    let authority = rest.split('/').next().unwrap_or_default();
    if word.unknown {
        let says = format!("what `{text}` stands for is not known: the site is left out");
        troubles.push(Trouble { at: Some(word.at.clone()), says, fatal: false });
        return None;
    }
    let (host, port) = match authority.rsplit_once(':') {
        Some((host, port)) if !host.contains(':') || host.ends_with(']') => (host, port),
        _ => (authority, ""),
    };
    let port = match port {
        "" => None,
        port => match port.parse() {
            Ok(port) => Some(port),
            Err(_) => {
                troubles.push(trouble(Some(word.at.clone()), format!("`{port}` is no port")));
                return None;
            }
        },
    };
    let (scheme, host) = (scheme.to_ascii_lowercase(), host.trim_matches(['[', ']']).to_ascii_lowercase());
    if !["", "http", "https"].contains(&scheme.as_str()) && program.since(KNOWS_SCHEMES) {
        troubles.push(trouble(Some(word.at.clone()), format!("Caddy serves no `{scheme}://`")));
        return None;
    }
    Some(Address { scheme, host, port, word: word.clone() })
}

fn port(address: &Address, options: &Options, troubles: &mut Vec<Trouble>) -> Option<u16> {
    let otherwise = if address.scheme == "http" { options.http_port } else { options.https_port };
    let port = address.port.unwrap_or(otherwise);
    let wrong =
        address.scheme == "http" && port == options.https_port || address.scheme == "https" && port == options.http_port;
    if wrong {
        let says = format!("port {port} is not for {}: Caddy does not start", address.scheme);
        troubles.push(trouble(Some(address.word.at.clone()), says));
    }
    (!wrong).then_some(port)
}

/// One listener: whether it speaks TLS, its policies in their order, and its sites.
fn server(
    program: &Program,
    options: &Options,
    directives: &[Option<Tls>],
    (address, listening): (&str, &Listening<'_>),
    last: &BTreeMap<usize, Vec<String>>,
    troubles: &mut Vec<Trouble>,
) -> Server {
    let Listening { host, port, parts } = listening;
    let port = *port;
    twice(parts, troubles);
    let of = |part: &Part<'_>| directives.get(part.index).and_then(Option::as_ref);
    let mut order: Vec<&Part<'_>> = parts.iter().collect();
    order.sort_by_cached_key(|part| rank(part));
    let mut policies = Vec::new();
    let mut own: BTreeMap<usize, usize> = BTreeMap::new();
    for part in order {
        let Some(tls) = of(part) else { continue };
        let names = last.get(&part.index).cloned().unwrap_or_default();
        let is_own = tls.says_something || names.iter().any(|name| Some(name) == options.default_sni.as_ref());
        if is_own || names.is_empty() && options.default_sni.is_some() {
            own.insert(part.index, policies.len());
            policies.push(Policy {
                names: (!names.is_empty()).then_some(names),
                besides: None,
                settings: tls.settings.clone(),
                home: tls.home.clone(),
            });
        }
    }
    // Those without names come last.
    let has_policies = !policies.is_empty();
    let speaks = speaks_tls(program, options, port, has_policies, parts, &of);
    conflicts(options, port, &speaks, has_policies, parts, troubles);
    let listener = Listener { address: bound(host), port, is_default: false };
    let mut groups: Vec<Group> = parts
        .iter()
        .map(|part| {
            let tls = of(part);
            let keys: Vec<&str> = part.keys.iter().map(|key| key.word.text.as_str()).collect();
            let at = part.keys.first().zip(part.keys.last()).map(|(first, last)| Span {
                end: if first.word.at.path == last.word.at.path {
                    last.word.at.end.max(first.word.at.end)
                } else {
                    first.word.at.end
                },
                ..first.word.at.clone()
            });
            let site = at.clone().map_or(Home::Nowhere, |at| Home::Site { at, open: part.site.open.clone() });
            Group {
                title: format!("site {}", keys.join(", ")),
                names: names(part),
                own: own.get(&part.index).copied(),
                declared: at,
                home: tls.map_or(site, |tls| tls.home.clone()),
                notes: notes(program, options, part, tls, speaks.value),
            }
        })
        .collect();
    // Where a site has a policy of its own and none is for all names, one without settings stands at the end.
    if speaks.value && has_policies && groups.iter().all(|group| !group.names.is_empty()) {
        groups.push(Group {
            title: "any other name".to_owned(),
            names: Vec::new(),
            own: None,
            declared: None,
            home: Home::Nowhere,
            notes: Vec::new(),
        });
    }
    let is_for = |listener: &Option<String>| listener.as_ref().is_none_or(|listener| listener == address);
    let protocols = options.protocols.iter().find(|(listener, _)| is_for(listener)).map(|(_, protocols)| protocols.clone());
    Server {
        listeners: vec![listener],
        tls: speaks,
        policies,
        groups,
        protocols,
        shields: program.since(SHIELDS),
        refuses_others: false,
    }
}

/// One address stands in two sites.
fn twice(parts: &[Part<'_>], troubles: &mut Vec<Trouble>) {
    let mut seen: HashMap<&str, usize> = HashMap::new();
    for (part, key) in parts.iter().flat_map(|part| part.keys.iter().map(move |key| (part, key))) {
        if *seen.entry(&key.word.text).or_insert(part.index) != part.index {
            let says = format!("another site has the address `{}`: Caddy does not start", key.word.text);
            troubles.push(trouble(Some(key.word.at.clone()), says));
        }
    }
}

/// How Caddy sorts sites: names before wildcards before all names, long ones first.
fn rank(part: &Part<'_>) -> (bool, bool, std::cmp::Reverse<usize>) {
    let specific = |address: &Address| address.host.chars().filter(|c| *c != '*').count();
    let longest = part.keys.iter().map(specific).max().unwrap_or(0);
    let wild = part.keys.iter().any(|key| key.host.is_empty() || key.host.contains('*'));
    (longest == 0 || names(part).is_empty(), wild, std::cmp::Reverse(longest))
}

/// The names of a site on a listener; none where one of its addresses is for all.
fn names(part: &Part<'_>) -> Vec<String> {
    if part.keys.iter().any(|key| key.host.is_empty()) {
        return Vec::new();
    }
    let mut seen = HashSet::new();
    part.keys.iter().map(|key| key.host.clone()).filter(|host| seen.insert(host.clone())).collect()
}

/// Whether a listener speaks TLS, and by which line.
fn speaks_tls<'d>(
    program: &Program,
    options: &Options,
    port: u16,
    has_policies: bool,
    parts: &[Part<'_>],
    of: &impl Fn(&Part<'_>) -> Option<&'d Tls>,
) -> Setting<bool> {
    let by_word = |key: &Address, value: bool| {
        let place = key.word.at.clone();
        Setting::new("address", value, key.word.text.clone(), Origin::file(place.clone(), place, key.word.via.as_ref()))
    };
    let by = || Origin::built_in(program.by());
    let keys = || parts.iter().flat_map(|part| part.keys.iter().map(move |key| (part, key)));
    if let Some((_, key)) = keys().find(|(_, key)| key.scheme == "http") {
        return by_word(key, false);
    }
    if port == options.http_port {
        return Setting::new("http_port", false, port.to_string(), by());
    }
    if let Some((_, key)) = keys().find(|(_, key)| key.scheme == "https") {
        return by_word(key, true);
    }
    let directive = |part: &Part<'_>| of(part).is_some() && program.since(DIRECTIVE_IS_ENOUGH);
    let named = keys().find(|(part, key)| !key.host.is_empty() || directive(part)).map(|(_, key)| key);
    if let Some(key) = named {
        return by_word(key, true);
    }
    if has_policies {
        return Setting::new("tls", true, "", by());
    }
    let off = options.automatic.as_ref().filter(|automatic| !automatic.value);
    match (off, port == options.https_port) {
        (Some(off), _) => off.clone(),
        (None, on) => Setting::new("auto_https", on, "", by()),
    }
}

/// One listener speaks TLS or not, for all sites alike (detectConflictingSchemes).
fn conflicts(
    options: &Options,
    port: u16,
    speaks: &Setting<bool>,
    has_policies: bool,
    parts: &[Part<'_>],
    troubles: &mut Vec<Trouble>,
) {
    let mut kind = None;
    for key in parts.iter().flat_map(|part| &part.keys) {
        let plain = key.scheme == "http" || port == options.http_port;
        let secure = key.scheme == "https" || port == options.https_port || (has_policies || speaks.value && !plain);
        let own = match (plain, secure) {
            (true, _) => Some(false),
            (false, true) => Some(true),
            (false, false) if key.host.is_empty() => Some(false),
            _ => None,
        };
        let says = match (kind, own) {
            (Some(true), Some(false)) | (Some(false), Some(true)) => "its port is for HTTP and for HTTPS: Caddy does not start",
            (_, Some(false)) if has_policies => "it is for plain HTTP and has a `tls` that asks for more: Caddy does not start",
            _ => {
                kind = own.or(kind);
                continue;
            }
        };
        troubles.push(trouble(Some(key.word.at.clone()), format!("`{}`: {says}", key.word.text)));
    }
}

fn notes(program: &Program, options: &Options, part: &Part<'_>, tls: Option<&Tls>, speaks: bool) -> Vec<Note> {
    let mut notes = tls.map(|tls| tls.notes.clone()).unwrap_or_default();
    let at = || part.keys.first().map(|key| key.word.at.clone());
    if speaks {
        let Options { gets_none, is_local, wildcards, .. } = options;
        let getting = Getting { off: gets_none.as_ref(), is_local: *is_local, wildcards };
        notes.extend(automatic::notes(program, &getting, &names(part), tls, at().as_ref()));
    }
    let has = |name: &Option<String>| name.as_ref().is_some_and(|name| names(part).contains(name));
    if has(&options.default_sni) {
        notes.push(Note { at: at(), says: "it answers where no name is sent (`default_sni`)".to_owned() });
    }
    if has(&options.fallback_sni) {
        notes.push(Note { at: at(), says: "its certificate is shown for names that none is for (`fallback_sni`)".to_owned() });
    }
    if tls.is_some_and(|tls| tls.on_demand) {
        notes.push(Note { at: at(), says: "certificates are obtained as names are asked for (`on_demand`)".to_owned() });
    }
    notes
}
