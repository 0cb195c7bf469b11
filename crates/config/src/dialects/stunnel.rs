//! stunnel: global options, then one section a service; as a server, and as a client (`client = yes`).
//!
//! Sources: <https://www.stunnel.org/static/stunnel.html>; stunnel 5.68.

use tlswhy_wire::ProtocolVersion;

use super::lines::{self, Grammar, Line};
use crate::dialects::{Commands, Context, Dialect, Likeness};
use crate::files::{Content, Files};
use crate::language::names;
use crate::mend::{CannotMend, Patch, Want};
use crate::release::Release;
use crate::service::{Heeds, Library, Listener, Note, Reading, Service, Side};
use crate::setting::{CipherList, ClientVerification, Language, Setting, Settings};
use crate::span::{Origin, Span};

pub(crate) static DIALECT: Dialect = Dialect {
    name: "stunnel",
    title: "stunnel",
    sides: &[Side::Server, Side::Client],
    places: &["/etc/stunnel/*.conf", "/usr/local/etc/stunnel/*.conf"],
    recognise,
    read,
    mend,
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
    let Content::Bytes(bytes) = context.files.look(context.main) else { return Reading::default() };
    let path = context.files.path(context.main);
    let lines = lines::read(&path, bytes, None, &GRAMMAR);
    let mut sections: Vec<&str> = Vec::new();
    for line in &lines {
        if !line.section.is_empty() && sections.last() != Some(&line.section.as_str()) {
            sections.push(&line.section);
        }
    }
    let services = sections.into_iter().map(|section| service(&lines, section, release, openssl)).collect();
    Reading { services, troubles: Vec::new(), files: vec![path.to_string()] }
}

/// The lines that count for a section: its own, else those before the first section.
fn of<'l>(lines: &'l [Line], section: &str, names: &[&str]) -> Vec<&'l Line> {
    let named = |line: &&Line| names.iter().any(|name| line.name.eq_ignore_ascii_case(name));
    let found: Vec<&Line> = lines.iter().filter(|line| line.section == section).filter(named).collect();
    if !found.is_empty() {
        return found;
    }
    lines.iter().filter(|line| line.section.is_empty()).filter(named).collect()
}

fn service(lines: &[Line], section: &str, release: Option<Release>, openssl: Option<Release>) -> Service {
    const LATER: &str = "a later line of the same name counts";
    let both = |names: &[&str]| of(lines, section, names);
    let of = |name: &str| of(lines, section, &[name]);
    let text = |name: &str| lines::last(&of(name), LATER, |text| Some(text.to_owned()));
    let is_client = text("client").is_some_and(|client| client.value == "yes");
    let by =
        release.map_or("stunnel (version not known, taken for a new one)".to_owned(), |release| format!("stunnel {release}"));
    // `sslVersion` sets both ends.
    let version =
        |names: &[&str]| lines::last(&both(names), LATER, |text| (text != "all").then(|| names::version(text)).flatten());
    let lowest = version(&["sslVersionMin", "sslVersion"]);
    let highest = version(&["sslVersionMax", "sslVersion"]);
    let usual = || Setting::new("sslVersionMin", ProtocolVersion::TLSV1_2, "TLSv1.2", Origin::built_in(by.as_str()));
    let since_550 = release.is_none_or(|release| release >= Release::new(5, 50, 0));
    let (off, notes) = switched_off(&of("options"));
    let versions = (!off.is_empty()).then(|| {
        let all = [ProtocolVersion::TLSV1_0, ProtocolVersion::TLSV1_1, ProtocolVersion::TLSV1_2, ProtocolVersion::TLSV1_3];
        let left = all.into_iter().filter(|version| !off.iter().any(|line| line.value == *version)).collect();
        let first = off.first().map_or_else(|| Origin::built_in(by.as_str()), |line| line.origin.clone());
        let text = off.iter().map(|line| line.text.clone()).collect::<Vec<_>>().join(", ");
        Setting::new("options", left, text, first)
    });
    let port = |name: &str| text(name).and_then(|address| address.value.rsplit(':').next()?.trim().parse::<u16>().ok());
    let listening = if is_client { port("connect") } else { port("accept") };
    let address = text("accept").and_then(|accept| accept.value.rsplit_once(':')?.0.parse().ok()).filter(|_| !is_client);
    let verifies = ["verifyChain", "verifyPeer"].iter().find_map(|name| text(name)).filter(|setting| setting.value == "yes");
    let old_verify = text("verify").filter(|verify| verify.value.parse::<u8>().is_ok_and(|level| level >= 2));
    let checks = verifies.or(old_verify);
    let protocol = text("protocol");
    Service {
        dialect: "stunnel",
        side: if is_client { Side::Client } else { Side::Server },
        title: format!("stunnel service {section}"),
        listeners: listening.map(|port| Listener { address, port, is_default: true }).into_iter().collect(),
        names: Vec::new(),
        names_from_certificates: false,
        declared: lines.iter().find(|line| line.section == section).and_then(|line| line.at().cloned()),
        upgrade: protocol.and_then(|own| PROTOCOLS.iter().find(|(name, _)| *name == own.value).map(|(_, upgrade)| *upgrade)),
        program: ("stunnel".to_owned(), release),
        library: Library::OpenSsl(openssl),
        heeds: Heeds { signature_algorithms: true, options: true, ..Heeds::NOTHING },
        settings: Settings {
            versions,
            minimum_version: lowest.or_else(|| since_550.then(usual)),
            maximum_version: highest,
            cipher_list: lines::last(&of("ciphers"), LATER, |text| {
                Some(CipherList { language: Language::OpenSsl, text: text.to_owned() })
            })
            .or_else(|| {
                let text = "HIGH:!aNULL:!SSLv2:!DH:!kDHEPSK";
                let value = CipherList { language: Language::OpenSsl, text: text.to_owned() };
                Some(Setting::new("ciphers", value, text, Origin::built_in(by.as_str())))
            }),
            cipher_suites: lines::last(&of("ciphersuites"), LATER, names::suites),
            groups: lines::last(&of("curves"), LATER, names::groups)
                .or_else(|| lines::last(&of("curve"), LATER, names::groups))
                .or_else(|| {
                    // src/ssl.c; one curve before 5.53 or OpenSSL 1.1.1.
                    let text = "X25519:P-256:X448:P-521:P-384";
                    Some(Setting::new("curves", names::groups(text)?, text, Origin::built_in(by.as_str())))
                }),
            security_level: lines::last(&of("securityLevel"), LATER, |text| text.parse().ok()),
            certificates: text("cert").into_iter().collect(),
            keys: text("key").or_else(|| text("cert")).into_iter().collect(),
            client_verification: checks
                .clone()
                .filter(|_| !is_client)
                .map(|setting| setting.map(|_| ClientVerification::Required)),
            verifies_peer: checks.filter(|_| is_client).map(|setting| setting.map(|_| true)),
            trust: text("CAfile").or_else(|| text("CApath")),
            ..Settings::default()
        },
        notes,
    }
}

/// `options = NO_TLSv1.1` and the like.
fn switched_off(options: &[&Line]) -> (Vec<Setting<ProtocolVersion>>, Vec<Note>) {
    let (mut off, mut notes) = (Vec::new(), Vec::new());
    for line in options {
        let word = line.value.trim_start_matches("SSL_OP_");
        let Some(name) = word.strip_prefix("NO_").filter(|name| name.starts_with("TLS") || name.starts_with("SSL")) else {
            continue;
        };
        match names::version(&name.replace('_', ".")) {
            Some(version) => off.push(Setting::new("options", version, line.value.clone(), line.origin.clone())),
            None => notes.push(Note { at: line.at().cloned(), says: format!("`{}` switches no version off", line.value) }),
        }
    }
    (off, notes)
}

fn mend(context: &Context<'_>, service: &Service, want: &Want) -> Result<Vec<Patch>, CannotMend> {
    let settings = &service.settings;
    let anchor = service.declared.as_ref();
    let files = context.files;
    match want {
        Want::Versions(versions) => {
            let (Some(lowest), Some(highest)) = (versions.iter().min(), versions.iter().max()) else {
                return Err(CannotMend::because("no version is wanted"));
            };
            let name = |version: &ProtocolVersion| version.to_string().replace("TLSv1.0", "TLSv1");
            let mut patches = Vec::new();
            let places = |setting: &Setting<ProtocolVersion>| setting.origin.span().cloned();
            let pinned = settings.minimum_version.as_ref().and_then(places);
            if pinned.is_some() && pinned == settings.maximum_version.as_ref().and_then(places) {
                // One line sets both ends.
                if lowest == highest {
                    return lines::set(files, settings.minimum_version.as_ref(), &name(lowest), anchor, "");
                }
                return Ok(two_ends(files, pinned.as_ref(), &name(lowest), &name(highest)));
            }
            if settings.minimum_version.as_ref().is_none_or(|set| set.value != *lowest) {
                let line = format!("sslVersionMin = {}", name(lowest));
                patches.extend(lines::set(files, settings.minimum_version.as_ref(), &name(lowest), anchor, &line)?);
            }
            let top = settings.maximum_version.as_ref().map_or(ProtocolVersion::TLSV1_3, |set| set.value);
            if top != *highest {
                let line = format!("sslVersionMax = {}", name(highest));
                patches.extend(lines::set(files, settings.maximum_version.as_ref(), &name(highest), anchor, &line)?);
            }
            if let Some(off) = &settings.versions
                && versions.iter().any(|version| !off.value.contains(version))
            {
                return Err(CannotMend::because(format!(
                    "`options = {}` switches one of them off: take that line out",
                    off.text
                )));
            }
            if patches.is_empty() { Err(CannotMend::because("these versions are on")) } else { Ok(patches) }
        }
        Want::CipherList(suites, _) => {
            let names: Vec<&str> = suites.iter().filter_map(|suite| suite.details()?.openssl_name).collect();
            let value = names.join(":");
            lines::set(files, settings.cipher_list.as_ref(), &value, anchor, &format!("ciphers = {value}"))
        }
        Want::CipherSuites(suites) => {
            let names: Vec<String> = suites.iter().map(ToString::to_string).collect();
            let value = names.join(":");
            lines::set(files, settings.cipher_suites.as_ref(), &value, anchor, &format!("ciphersuites = {value}"))
        }
        Want::Groups(groups) => {
            let names: Vec<String> = groups.iter().map(|group| names::group_name(*group)).collect();
            let value = names.join(":");
            lines::set(files, settings.groups.as_ref(), &value, anchor, &format!("curves = {value}"))
        }
        Want::SecurityLevel(level) => {
            let line = format!("securityLevel = {level}");
            lines::set(files, settings.security_level.as_ref(), &level.to_string(), anchor, &line)
        }
        other => Err(CannotMend::because(format!("stunnel has no option for {other:?}"))),
    }
}

/// `sslVersion = …` becomes a range.
fn two_ends(files: &Files<'_>, at: Option<&Span>, lowest: &str, highest: &str) -> Vec<Patch> {
    let Some(at) = at else { return Vec::new() };
    let bytes = files.bytes(&at.path).unwrap_or_default();
    let newline = crate::mend::line_end(bytes);
    let indent = crate::mend::indentation(bytes, at.start);
    vec![Patch::replace(at, format!("sslVersionMin = {lowest}{newline}{indent}sslVersionMax = {highest}"))]
}
