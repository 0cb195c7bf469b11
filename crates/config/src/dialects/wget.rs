//! wget's start-up file: /etc/wgetrc, then the user's own, one command a line.
//!
//! Sources: <https://www.gnu.org/software/wget/manual/html_node/Wgetrc-Syntax.html>, src/init.c, src/gnutls.c, src/openssl.c; measured on
//! Debian's 1.21.3 with GnuTLS 3.7.9.

use std::sync::Arc;

use tlswhy_wire::ProtocolVersion;

use super::client::{self, span};
use super::gnutls;
use crate::dialects::{Commands, Context, Dialect, Likeness};
use crate::files::{Content, Files};
use crate::mend::{CannotMend, Patch, Want};
use crate::release::Release;
use crate::service::{Heeds, Library, Note, Reading, Service, Side, Trouble};
use crate::setting::{CipherList, Language, Setting, Settings};
use crate::span::{Origin, Span};

pub(crate) static DIALECT: Dialect = Dialect {
    name: "wget",
    title: "wget",
    sides: &[Side::Client],
    places: &["/etc/wgetrc", "/usr/local/etc/wgetrc", "/root/.wgetrc", "/home/*/.wgetrc"],
    recognise,
    read,
    mend,
    // It reads its files anew at every run, and stops at the first line that it cannot take.
    commands: |_| Commands::default(),
};

const SYSTEM: &str = "/etc/wgetrc";
const LATER: &str = "a later line sets it anew, and the last one counts";

/// One value of `secure_protocol`.
struct Protocol {
    name: &'static str,
    /// The lowest version that it leaves.
    lowest: Option<ProtocolVersion>,
    /// What builds with GnuTLS give the library; `None` for its default (src/gnutls.c, measured).
    priority: Option<&'static str>,
}

const PROTOCOLS: &[Protocol] = &[
    Protocol { name: "auto", lowest: None, priority: None },
    Protocol { name: "sslv2", lowest: None, priority: Some("NORMAL:-VERS-TLS-ALL:+VERS-SSL3.0") },
    Protocol { name: "sslv3", lowest: None, priority: Some("NORMAL:-VERS-TLS-ALL:+VERS-SSL3.0") },
    Protocol { name: "tlsv1", lowest: Some(ProtocolVersion::TLSV1_0), priority: Some("NORMAL:-VERS-SSL3.0") },
    Protocol { name: "tlsv1_1", lowest: Some(ProtocolVersion::TLSV1_1), priority: Some("NORMAL:-VERS-SSL3.0:-VERS-TLS1.0") },
    Protocol {
        name: "tlsv1_2",
        lowest: Some(ProtocolVersion::TLSV1_2),
        priority: Some("NORMAL:-VERS-SSL3.0:-VERS-TLS1.0:-VERS-TLS1.1"),
    },
    Protocol {
        name: "tlsv1_3",
        lowest: Some(ProtocolVersion::TLSV1_3),
        priority: Some("NORMAL:-VERS-SSL3.0:+VERS-TLS1.3:-VERS-TLS1.0:-VERS-TLS1.1:-VERS-TLS1.2"),
    },
    Protocol { name: "pfs", lowest: None, priority: Some("PFS:-VERS-SSL3.0") },
];
/// The list of builds with OpenSSL, and that for `PFS` (src/openssl.c).
const OPENSSL_LIST: &str = "HIGH:!aNULL:!RC4:!MD5:!SRP:!PSK";
const OPENSSL_PFS: &str = "HIGH:!aNULL:!RC4:!MD5:!SRP:!PSK:!kRSA";
/// `ciphers` came with this release.
const HAS_CIPHERS: Release = Release::new(1, 20, 0);
/// Distributions whose wget is built with GnuTLS; Alpine's and others are built with OpenSSL.
const GNUTLS: &[&str] =
    &["debian", "ubuntu", "raspbian", "linuxmint", "pop", "kali", "fedora", "rhel", "centos", "rocky", "alma", "arch"];
const OPENSSL: &[&str] = &["alpine", "opensuse", "sles", "freebsd"];

fn recognise(path: &str, bytes: &[u8]) -> Likeness {
    let name = path.rsplit('/').next().unwrap_or_default();
    if matches!(name, ".wgetrc" | "wgetrc") {
        return Likeness::Name;
    }
    let text = bytes.get(..bytes.len().min(64 * 1024)).unwrap_or_default();
    let telling = ["secureprotocol", "checkcertificate", "cacertificate"];
    let (lines, _) = lines(&Arc::from(path), text);
    if lines.iter().any(|line| telling.contains(&line.name.as_str())) { Likeness::Content } else { Likeness::None }
}

/// A command with its value.
#[derive(Clone, Debug)]
struct Line {
    /// Lower case, without `-` and `_`.
    name: String,
    written: String,
    value: String,
    at: Span,
    value_at: Span,
}

impl Line {
    fn setting<T>(&self, value: T) -> Setting<T> {
        Setting::new(
            self.written.clone(),
            value,
            self.value.clone(),
            Origin::file(self.at.clone(), self.value_at.clone(), None),
        )
    }
}

/// The commands of a file, and its lines that are none.
fn lines(path: &Arc<str>, bytes: &[u8]) -> (Vec<Line>, Vec<Span>) {
    let (mut found, mut wrong) = (Vec::new(), Vec::new());
    let mut at = 0;
    for raw in bytes.split_inclusive(|byte| *byte == b'\n') {
        let text = raw.trim_ascii();
        let start = at + raw.iter().take_while(|byte| byte.is_ascii_whitespace()).count();
        at += raw.len();
        if text.is_empty() || text.first() == Some(&b'#') {
            continue;
        }
        let whole = span(path, start, start + text.len());
        let name_end = text.iter().position(|byte| byte.is_ascii_whitespace() || *byte == b'=').unwrap_or(text.len());
        let equals =
            name_end + text.get(name_end..).unwrap_or_default().iter().take_while(|byte| byte.is_ascii_whitespace()).count();
        if name_end == 0 || text.get(equals) != Some(&b'=') {
            wrong.push(whole);
            continue;
        }
        let rest = text.get(equals + 1..).unwrap_or_default();
        let value = rest.trim_ascii();
        let value_end = start + text.len();
        let written = String::from_utf8_lossy(text.get(..name_end).unwrap_or_default()).into_owned();
        found.push(Line {
            name: written.to_ascii_lowercase().replace(['-', '_'], ""),
            written,
            value: String::from_utf8_lossy(value).into_owned(),
            at: whole,
            value_at: span(path, value_end - value.len(), value_end),
        });
    }
    (found, wrong)
}

/// The library that wget was built with: what it says itself, else what its distribution does.
fn library(files: &Files<'_>) -> Library {
    if let Some(version) = files.runs_with("wget", "gnutls") {
        return Library::GnuTls(version.parse().ok());
    }
    if let Some(version) = files.runs_with("wget", "openssl") {
        return Library::OpenSsl(version.parse().ok());
    }
    let system = files.software("system").and_then(|system| system.version.clone()).unwrap_or_default().to_ascii_lowercase();
    let is = |ids: &[&str]| ids.iter().any(|id| system.starts_with(id));
    match (is(GNUTLS), is(OPENSSL)) {
        (true, _) => Library::GnuTls(files.release_of("gnutls")),
        (_, true) => Library::OpenSsl(files.release_of("openssl")),
        _ => Library::Other("GnuTLS or OpenSSL, as wget was built".to_owned()),
    }
}

fn read(context: &Context<'_>) -> Reading {
    let files = context.files;
    let release = files.release_of("wget");
    let mut reading = Reading::default();
    let mut all: Vec<Line> = Vec::new();
    // A user's file comes on top of the system's.
    let system = (client::home(context.main).is_some() && context.main != SYSTEM).then_some(SYSTEM);
    let mut own = None;
    for path in system.into_iter().chain([context.main]) {
        let Content::Bytes(bytes) = files.text(path) else { continue };
        let path = files.path(path);
        reading.files.push(path.to_string());
        let (lines, wrong) = lines(&path, bytes);
        for at in wrong {
            let says = "not `command = value`: wget stops at it".to_owned();
            reading.troubles.push(Trouble { at: Some(at), says, fatal: true });
        }
        if *path == *context.main {
            own = lines.last().map(|line| line.at.clone());
        }
        all.extend(lines);
    }
    let library = library(files);
    let mut service = client::service("wget", "wget".to_owned(), ("wget", release), library.clone());
    service.declared = own;
    let of = |name: &str| all.iter().filter(|line| line.name == name).collect::<Vec<&Line>>();
    let text = |name: &str| client::last(of(name).into_iter().map(|line| line.setting(line.value.clone())), LATER);
    let mut refuse = |line: &Line, says: &str| {
        let says = format!("`{}` {says}: wget stops at it", line.written);
        reading.troubles.push(Trouble { at: Some(line.at.clone()), says, fatal: true });
    };
    let known = |line: &Line| PROTOCOLS.iter().find(|known| known.name.eq_ignore_ascii_case(&line.value));
    for line in of("secureprotocol") {
        if known(line).is_none() {
            refuse(line, &format!("has no value {:?}", line.value));
        }
    }
    for line in of("checkcertificate") {
        if checks(&line.value).is_none() {
            refuse(line, &format!("has no value {:?}", line.value));
        }
    }
    let protocol = client::last(of("secureprotocol").into_iter().filter_map(|line| Some(line.setting(known(line)?))), LATER);
    let ciphers = text("ciphers").filter(|_| release.is_none_or(|release| release >= HAS_CIPHERS));
    let mut settings = Settings {
        verifies_peer: client::last(
            of("checkcertificate").into_iter().filter_map(|line| Some(line.setting(checks(&line.value)?))),
            LATER,
        ),
        trust: text("cacertificate").or_else(|| text("cadirectory")),
        certificates: text("certificate").or_else(|| text("privatekey")).into_iter().collect(),
        keys: text("privatekey").or_else(|| text("certificate")).into_iter().collect(),
        ..Settings::default()
    };
    let by = client::by("wget", release);
    match library {
        Library::GnuTls(release) => {
            // Without a string of its own it takes the library's default.
            service.heeds = Heeds { cipher_list: true, ..Heeds::NOTHING };
            let rules = ciphers.is_some();
            settings.cipher_list = priority(ciphers, protocol.as_ref());
            // The priority of `ciphers` takes the place of all that `secure_protocol` says.
            if let Some(own) = settings.cipher_list.as_ref().filter(|_| rules) {
                match gnutls::versions_of(own, files, release) {
                    Ok(versions) => settings.versions = versions,
                    Err(Note { at, says }) => {
                        let says = format!("{says}: wget connects nowhere");
                        reading.troubles.push(Trouble { at, says, fatal: true });
                    }
                }
            } else if let Some(protocol) = protocol {
                gnutls_versions(&mut settings, protocol);
            }
        }
        Library::OpenSsl(_) => {
            let list = |text: String| CipherList { language: Language::OpenSsl, text };
            // A version takes the list away: the library's own counts.
            let usual = match protocol.as_ref().map_or("auto", |protocol| protocol.value.name) {
                "auto" => Some(OPENSSL_LIST),
                "pfs" => Some(OPENSSL_PFS),
                _ => None,
            };
            settings.cipher_list = ciphers
                .map(|own| own.map(list))
                .or_else(|| Some(Setting::new("ciphers", list(usual?.to_owned()), usual?, Origin::built_in(by))));
            service.heeds = Heeds::ALL;
            settings.minimum_version = protocol.and_then(|protocol| {
                let lowest = protocol.value.lowest?;
                Some(protocol.map(|_| lowest))
            });
        }
        _ => {
            settings.minimum_version = protocol.and_then(|protocol| {
                let lowest = protocol.value.lowest?;
                Some(protocol.map(|_| lowest))
            });
        }
    }
    for line in &all {
        let lead = ["secure", "check", "ca", "cipher"].iter().any(|lead| line.name.starts_with(lead));
        let ours = ["secureprotocol", "checkcertificate", "cacertificate", "cadirectory", "ciphers", "cache"]
            .contains(&line.name.as_str());
        if lead && !ours {
            let says = format!("`{}` is not one of the commands that are read here", line.written);
            service.notes.push(Note { at: Some(line.at.clone()), says });
        }
    }
    service.settings = settings;
    reading.services.push(service);
    reading
}

/// cmd_boolean; `quiet` verifies and goes on (since 1.21).
fn checks(value: &str) -> Option<bool> {
    match value.to_ascii_lowercase().as_str() {
        "on" | "yes" | "1" => Some(true),
        "off" | "no" | "0" | "quiet" => Some(false),
        _ => None,
    }
}

/// The priority string that GnuTLS is given; `None` for its default.
fn priority(ciphers: Option<Setting<String>>, protocol: Option<&Setting<&Protocol>>) -> Option<Setting<CipherList>> {
    let list = |text: &str| CipherList { language: Language::GnuTls, text: text.to_owned() };
    if let Some(mut own) = ciphers {
        if let Some(protocol) = protocol.filter(|protocol| protocol.value.name != "auto") {
            own.shadowed.push(client::shadowed(protocol, "`ciphers` is a whole priority string, which takes its place", true));
        }
        return Some(own.map(|text| list(&text)));
    }
    // The line says one thing, the library is told another.
    let protocol = protocol?;
    let text = protocol.value.priority?;
    Some(Setting::new("priority", list(text), text, protocol.origin.clone()))
}

fn gnutls_versions(settings: &mut Settings, protocol: Setting<&Protocol>) {
    match protocol.value.name {
        // Debian's GnuTLS has no SSL 3.0: nothing is left (measured).
        "sslv2" | "sslv3" => settings.versions = Some(protocol.map(|_| vec![ProtocolVersion::SSLV3])),
        _ => {
            settings.minimum_version = protocol.value.lowest.map(|lowest| protocol.map(|_| lowest));
        }
    }
}

fn mend(context: &Context<'_>, service: &Service, want: &Want) -> Result<Vec<Patch>, CannotMend> {
    let settings = &service.settings;
    let own = |setting: Option<&Span>| setting.filter(|place| *place.path == *context.main).cloned();
    let put = |place: Option<Span>, name: &str, value: &str| match place {
        Some(place) if place.start < place.end => Ok(Patch::replace(&place, value)),
        _ => client::line(context, service.declared.as_ref(), &format!("{name} = {value}")),
    };
    match want {
        Want::Versions(versions) => {
            let string = settings.cipher_list.as_ref().filter(|list| list.name.eq_ignore_ascii_case("ciphers"));
            if let Some(string) = string.filter(|_| matches!(service.library, Library::GnuTls(_))) {
                return Ok(vec![gnutls::with_versions(string, context.files, &service.library, versions)?]);
            }
            let (lowest, highest) = client::ends(versions)?;
            if highest != ProtocolVersion::TLSV1_3 {
                return Err(CannotMend::because(
                    "`secure_protocol` names the lowest version and knows no highest; a `ciphers` line can be a priority string that does",
                ));
            }
            let name = match client::minor(lowest) {
                Some(0) => "TLSv1".to_owned(),
                Some(minor) => format!("TLSv1_{minor}"),
                None => return Err(CannotMend::because("wget has no such version")),
            };
            if settings.minimum_version.as_ref().is_some_and(|set| set.value == lowest) {
                return Err(CannotMend::because("these versions are on"));
            }
            let place =
                client::value_of(settings.minimum_version.as_ref()).or_else(|| client::value_of(settings.versions.as_ref()));
            Ok(vec![put(own(place), "secure_protocol", &name)?])
        }
        Want::CipherList(suites, level) if matches!(service.library, Library::OpenSsl(_)) => {
            let mut names: Vec<String> =
                suites.iter().filter_map(|suite| suite.details()?.openssl_name).map(str::to_owned).collect();
            names.extend(level.map(|level| format!("@SECLEVEL={level}")));
            Ok(vec![put(own(client::value_of(settings.cipher_list.as_ref())), "ciphers", &names.join(":"))?])
        }
        Want::Certificate(certificate, key) => {
            let mut patches = vec![put(own(client::value_of(settings.certificates.first())), "certificate", certificate)?];
            if let Some(key) = key {
                patches.push(put(own(client::value_of(settings.keys.first())), "private_key", key)?);
            }
            Ok(patches)
        }
        other => Err(CannotMend::because(format!("wget has no command for {other:?}"))),
    }
}
