//! stunnel: global options, then one section a service; as a server, and as a client (`client = yes`).
//!
//! Sources: <https://www.stunnel.org/static/stunnel.html>; measured on stunnel 5.68, as a server and as a client.

mod ending;
mod refusals;

use std::collections::HashMap;

use tlswhy_wire::ProtocolVersion;

use super::client;
use super::lines::{self, Grammar, Line};
use crate::dialects::{Commands, Context, Dialect, Likeness, MOST_GENERAL, MOST_SERVICES, too_general};
use crate::files::Content;
use crate::language::names;
use crate::release::Release;
use crate::service::{Heeds, Library, Listener, Reading, Service, Side};
use crate::setting::{CipherList, ClientVerification, Language, Setting, Settings};
use crate::span::Origin;

pub(crate) static DIALECT: Dialect = Dialect {
    name: "stunnel",
    title: "stunnel",
    sides: &[Side::Server, Side::Client],
    places: &["/etc/stunnel/*.conf", "/usr/local/etc/stunnel/*.conf"],
    recognise,
    read,
    mend: ending::mend,
    // It has no validation of its own: it refuses a bad file at reload and keeps the old one.
    commands: |_| Commands::of("", "killall -HUP stunnel"),
};

const GRAMMAR: Grammar = Grammar {
    comments: b";#",
    trailing_comments: b"",
    blank_continues: false,
    equals_optional: false,
    quotes: b"",
    sections: true,
};
const LATER: &str = "a later line of the same name counts";
/// `securityLevel`, which is 2 by default.
const HAS_LEVEL: Release = Release::new(5, 57, 0);
/// The versions that a service can have.
const VERSIONS: [ProtocolVersion; 4] =
    [ProtocolVersion::TLSV1_0, ProtocolVersion::TLSV1_1, ProtocolVersion::TLSV1_2, ProtocolVersion::TLSV1_3];
/// What `protocol =` negotiates before TLS, as `tlswhy check --starttls` names it.
const PROTOCOLS: &[(&str, &str)] =
    &[("smtp", "smtp"), ("imap", "imap"), ("pop3", "pop3"), ("pgsql", "postgres"), ("nntp", "nntp"), ("ldap", "ldap")];

fn recognise(path: &str, bytes: &[u8]) -> Likeness {
    let text = bytes.get(..bytes.len().min(64 * 1024)).unwrap_or_default();
    let lines = lines::read(&std::sync::Arc::from(path), text, None, &GRAMMAR);
    let has = |name: &str| lines.iter().any(|line| !line.section.is_empty() && line.name.eq_ignore_ascii_case(name));
    match (has("accept"), has("connect") || has("exec"), path.contains("/stunnel/")) {
        (true, true, true) => Likeness::Name,
        (true, true, false) => Likeness::Content,
        _ => Likeness::None,
    }
}

fn read(context: &Context<'_>) -> Reading {
    let release = context.files.release_of("stunnel");
    let openssl = context.files.openssl_of("stunnel");
    let Content::Bytes(bytes) = context.files.text(context.main) else { return Reading::default() };
    let path = context.files.path(context.main);
    let lines = lines::read(&path, bytes, None, &GRAMMAR);
    let (mut general, mut troubles) = (General::new(), Vec::new());
    let mut sections: Vec<&[Line]> = lines.chunk_by(|line, next| line.heads == next.heads).collect();
    if let Some(above) = sections.first().copied().filter(|lines| lines.iter().all(|line| line.heads == 0)) {
        sections.remove(0);
        for line in above {
            general.entry(line.name.to_ascii_lowercase()).or_default().push(line);
        }
    }
    for lines in general.values_mut() {
        troubles.extend(lines.get(MOST_GENERAL).and_then(|line| Some(too_general(&line.name, line.at()?.clone()))));
        lines.truncate(MOST_GENERAL);
    }
    // Each head begins a service, whether its name was there before or not (measured).
    let sections: Vec<Section<'_>> =
        sections.into_iter().take(MOST_SERVICES).map(|lines| Section { lines, general: &general }).collect();
    troubles.extend(refusals::of(&lines, &sections, openssl));
    Reading {
        services: sections.iter().map(|section| section.service(release, openssl)).collect(),
        troubles,
        files: vec![path.to_string()],
    }
}

/// The lines before the first section, by their names in lower case.
type General<'l> = HashMap<String, Vec<&'l Line>>;

/// One service, with the lines that count for it.
struct Section<'l> {
    /// Its own.
    lines: &'l [Line],
    general: &'l General<'l>,
}

impl<'l> Section<'l> {
    /// Its own lines of these names, else those before the first section.
    fn of(&self, names: &[&str]) -> Vec<&'l Line> {
        let named = |line: &&Line| names.iter().any(|name| line.name.eq_ignore_ascii_case(name));
        let found: Vec<&Line> = self.lines.iter().filter(named).collect();
        if !found.is_empty() {
            return found;
        }
        let general = names.iter().filter_map(|name| self.general.get(&name.to_ascii_lowercase()));
        let mut found: Vec<&Line> = general.flatten().copied().collect();
        found.sort_by_key(|line| line.at().map(|at| at.start));
        found
    }

    fn text(&self, name: &str) -> Option<Setting<String>> {
        lines::last(&self.of(&[name]), LATER, |text| Some(text.to_owned()))
    }

    fn is_yes(&self, name: &str) -> Option<Setting<String>> {
        self.text(name).filter(|setting| setting.value.eq_ignore_ascii_case("yes"))
    }

    /// The lowest version; `sslVersion` sets both ends, `all` is no limit. What names no version is said elsewhere.
    fn lowest(&self) -> Option<Setting<ProtocolVersion>> {
        let lines = self.of(&["sslVersionMin", "sslVersion"]);
        lines::last(&lines, LATER, |text| Some(version(text).unwrap_or(ProtocolVersion::TLSV1_0)))
    }

    /// The highest version.
    fn highest(&self) -> Option<Setting<ProtocolVersion>> {
        let lines = self.of(&["sslVersionMax", "sslVersion"]);
        lines::last(&lines, LATER, |text| Some(version(text).unwrap_or(ProtocolVersion::TLSV1_3)))
    }

    fn service(&self, release: Option<Release>, openssl: Option<Release>) -> Service {
        let is_client = self.is_yes("client").is_some();
        let port =
            |name: &str| self.text(name).and_then(|address| address.value.rsplit(':').next()?.trim().parse::<u16>().ok());
        let listening = if is_client { port("connect") } else { port("accept") };
        let address = self.text("accept").and_then(|accept| accept.value.rsplit_once(':')?.0.parse().ok());
        let protocol = self.text("protocol");
        let upgrade = protocol.and_then(|own| PROTOCOLS.iter().find(|(name, _)| *name == own.value));
        Service {
            dialect: "stunnel",
            side: if is_client { Side::Client } else { Side::Server },
            title: format!("stunnel service {}", self.lines.first().map_or("", |line| &line.section)),
            listeners: listening
                .map(|port| Listener { address: address.filter(|_| !is_client), port, is_default: true })
                .into_iter()
                .collect(),
            names: Vec::new(),
            names_from_certificates: false,
            declared: self.lines.first().and_then(|line| line.at().cloned()),
            upgrade: upgrade.map(|(_, upgrade)| *upgrade),
            program: ("stunnel".to_owned(), release),
            library: Library::OpenSsl(openssl),
            // It sets lists, groups and level itself, and an end of the range where a line names it (measured).
            heeds: Heeds {
                minimum_version: true,
                maximum_version: true,
                signature_algorithms: true,
                options: true,
                ..Heeds::NOTHING
            },
            settings: self.settings(is_client, &client::by("stunnel", release), release),
            notes: Vec::new(),
        }
    }

    fn settings(&self, is_client: bool, by: &str, release: Option<Release>) -> Settings {
        let list = |text: &str| CipherList { language: Language::OpenSsl, text: text.to_owned() };
        let verifies = self.is_yes("verifyChain").or_else(|| self.is_yes("verifyPeer"));
        let old_verify = self.text("verify").filter(|verify| verify.value.parse::<u8>().is_ok_and(|level| level >= 2));
        let checks = verifies.or(old_verify);
        Settings {
            versions: self.switched_on(),
            minimum_version: self.lowest(),
            maximum_version: self.highest(),
            cipher_list: Some(lines::last(&self.of(&["ciphers"]), LATER, |text| Some(list(text))).unwrap_or_else(|| {
                let text = "HIGH:!aNULL:!SSLv2:!DH:!kDHEPSK";
                Setting::new("ciphers", list(text), text, Origin::built_in(by))
            })),
            cipher_suites: lines::last(&self.of(&["ciphersuites"]), LATER, names::suites).or_else(|| {
                // `stunnel -version`; with OpenSSL before 1.1.1 there are none.
                let text = "TLS_AES_256_GCM_SHA384:TLS_AES_128_GCM_SHA256:TLS_CHACHA20_POLY1305_SHA256";
                Some(Setting::new("ciphersuites", names::suites(text)?, text, Origin::built_in(by)))
            }),
            groups: lines::last(&self.of(&["curves", "curve"]), LATER, names::groups).or_else(|| {
                // src/ssl.c; one curve before 5.53 or OpenSSL 1.1.1.
                let text = "X25519:P-256:X448:P-521:P-384";
                Some(Setting::new("curves", names::groups(text)?, text, Origin::built_in(by)))
            }),
            security_level: lines::last(&self.of(&["securityLevel"]), LATER, |text| text.parse().ok()).or_else(|| {
                let has_level = release.is_none_or(|release| release >= HAS_LEVEL);
                has_level.then(|| Setting::new("securityLevel", 2, "2", Origin::built_in(by)))
            }),
            certificates: self.text("cert").into_iter().collect(),
            keys: self.text("key").or_else(|| self.text("cert")).into_iter().collect(),
            client_verification: checks
                .clone()
                .filter(|_| !is_client)
                .map(|setting| setting.map(|_| ClientVerification::Required)),
            verifies_peer: checks.filter(|_| is_client).map(|setting| setting.map(|_| true)),
            trust: self.text("CAfile").or_else(|| self.text("CApath")),
            server_preference: (!is_client).then(|| self.server_preference(by)),
            server_name: self.server_name().filter(|_| is_client),
            ..Settings::default()
        }
    }

    /// What `options` leaves, where it switches a version off: `NO_TLSv1_1`, and `-NO_TLSv1_1` takes it back.
    fn switched_on(&self) -> Option<Setting<Vec<ProtocolVersion>>> {
        let mut off: Vec<(ProtocolVersion, &Line)> = Vec::new();
        for line in self.of(&["options"]) {
            let back = line.value.starts_with('-');
            let Some(version) = switches_off(line.value.trim_start_matches('-')) else { continue };
            off.retain(|(known, _)| *known != version);
            if !back {
                off.push((version, line));
            }
        }
        let (_, first) = off.first()?;
        let left = VERSIONS.into_iter().filter(|version| !off.iter().any(|(known, _)| known == version)).collect();
        let text = off.iter().map(|(_, line)| line.value.as_str()).collect::<Vec<_>>().join(", ");
        Some(Setting::new("options", left, text, first.origin.clone()))
    }

    /// Whether the server's order of suites counts: only where an option says so (measured on 5.68).
    fn server_preference(&self, by: &str) -> Setting<bool> {
        let says = |line: &&Line| line.value.trim_start_matches('-').eq_ignore_ascii_case("CIPHER_SERVER_PREFERENCE");
        match self.of(&["options"]).into_iter().rfind(says) {
            Some(line) => Setting::new("options", !line.value.starts_with('-'), line.value.clone(), line.origin.clone()),
            None => Setting::new("options", false, "", Origin::built_in(by)),
        }
    }

    /// `sni`, else the host of `connect`.
    fn server_name(&self) -> Option<Setting<Option<String>>> {
        if let Some(sni) = self.text("sni") {
            return Some(sni.map(|name| (!name.is_empty()).then_some(name)));
        }
        let connect = self.text("connect")?;
        let host = connect.value.rsplit_once(':').map(|(host, _)| host.trim_matches(['[', ']']).to_owned())?;
        Some(connect.map(|_| Some(host)))
    }
}

/// A version by stunnel's name, whose case does not matter; `None` for `all` as well.
fn version(name: &str) -> Option<ProtocolVersion> {
    let known = ["SSLv3", "TLSv1", "TLSv1.1", "TLSv1.2", "TLSv1.3"];
    known.iter().any(|known| known.eq_ignore_ascii_case(name)).then(|| names::version(name)).flatten()
}

/// The version of TLS that an option of the library switches off.
fn switches_off(option: &str) -> Option<ProtocolVersion> {
    let option = option.to_ascii_lowercase();
    let name = option.strip_prefix("no_").filter(|name| !name.contains('.'))?;
    names::version(&name.replace('_', ".")).filter(|version| VERSIONS.contains(version))
}
