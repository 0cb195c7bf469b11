//! git's configuration, as far as it rules HTTPS: the system's, the user's and a repository's file, with `http.<url>.*`.
//!
//! Sources: <https://git-scm.com/docs/git-config>, config.c, urlmatch.c, http.c; measured on 2.39.5 and 2.47.3 with libcurl-gnutls 7.88.1.

mod conf;
mod url;

use std::collections::HashSet;

use tlswhy_wire::ProtocolVersion;

use self::conf::{Conf, Entry};
use self::url::Address;
use super::client;
use crate::dialects::openssl::heeds;
use crate::dialects::{Commands, Context, Dialect, Likeness};
use crate::files::{Content, Files};
use crate::mend::{CannotMend, Patch, Want, line_end};
use crate::release::Release;
use crate::service::{Heeds, Library, Listener, Note, Reading, Service, Side, Trouble};
use crate::setting::{CipherList, Language, Setting, Settings};
use crate::span::Origin;

pub(crate) static DIALECT: Dialect = Dialect {
    name: "git",
    title: "git",
    sides: &[Side::Client],
    places: &[
        "/etc/gitconfig",
        "/usr/local/etc/gitconfig",
        "/root/.gitconfig",
        "/root/.config/git/config",
        "/home/*/.gitconfig",
        "/home/*/.config/git/config",
    ],
    recognise,
    read,
    mend,
    commands: |main| Commands::of(&format!("git config --file {main} --list"), ""),
};

const SYSTEM: &str = "/etc/gitconfig";
const LATER: &str = "a later line of the same name counts";
const NEARER: &str = "a section for a URL that fits better counts";

/// `http.sslVersion`: the lowest version (http.c; libcurl since 7.34).
const VERSIONS: &[(&str, Option<ProtocolVersion>)] = &[
    ("sslv2", None),
    ("sslv3", None),
    ("tlsv1", Some(ProtocolVersion::TLSV1_0)),
    ("tlsv1.0", Some(ProtocolVersion::TLSV1_0)),
    ("tlsv1.1", Some(ProtocolVersion::TLSV1_1)),
    ("tlsv1.2", Some(ProtocolVersion::TLSV1_2)),
    ("tlsv1.3", Some(ProtocolVersion::TLSV1_3)),
];
/// Distributions whose git is linked with libcurl-gnutls, and has no other backend.
const GNUTLS: &[&str] = &["debian", "ubuntu", "raspbian", "linuxmint", "pop", "kali"];
/// What libcurl gives GnuTLS for TLS 1.0 and later; for a later beginning it names the versions (7.88.1).
const PRIORITY: &str = "NORMAL:-ARCFOUR-128:-CTYPE-ALL:+CTYPE-X509:-VERS-SSL3.0";
/// libcurl offers TLS 1.2 at the lowest by default since this release.
const LOWEST_IS_1_2: Release = Release::new(8, 16, 0);

fn recognise(path: &str, bytes: &[u8]) -> Likeness {
    let name = path.rsplit('/').next().unwrap_or_default();
    if matches!(name, ".gitconfig" | "gitconfig") || path.ends_with("/git/config") || path.ends_with("/.git/config") {
        return Likeness::Name;
    }
    let text = bytes.get(..bytes.len().min(64 * 1024)).unwrap_or_default();
    let text = String::from_utf8_lossy(text).to_ascii_lowercase();
    let http = text.lines().any(|line| line.trim_start().starts_with("[http"));
    let own = ["sslverify", "sslversion", "sslcainfo", "sslbackend"].iter().any(|name| text.contains(name));
    if http && own { Likeness::Content } else { Likeness::None }
}

/// The files that git reads where the main one is one of them, in their order.
fn files_of(main: &str) -> Vec<String> {
    let mut files = vec![SYSTEM.to_owned()];
    if main != SYSTEM {
        if let Some(home) = client::home(main) {
            files.extend([format!("{home}/.config/git/config"), format!("{home}/.gitconfig")]);
        }
        if !files.iter().any(|file| file == main) {
            files.push(main.to_owned());
        }
    }
    files
}

/// The library of the libcurl that git is linked with: what git says itself, else what its distribution does; and whether there is no
/// other.
fn library(files: &Files<'_>) -> (Library, bool) {
    if let Some(version) = files.runs_with("git", "gnutls") {
        return (Library::GnuTls(version.parse().ok()), false);
    }
    if let Some(version) = files.runs_with("git", "openssl") {
        return (Library::OpenSsl(version.parse().ok()), false);
    }
    let system = files.software("system").and_then(|system| system.version.clone()).unwrap_or_default().to_ascii_lowercase();
    if GNUTLS.iter().any(|id| system.starts_with(id)) {
        return (Library::GnuTls(files.release_of("gnutls")), true);
    }
    if system.is_empty() {
        return (Library::Other("that of the libcurl which git is linked with".to_owned()), false);
    }
    (Library::OpenSsl(files.release_of("openssl")), false)
}

fn read(context: &Context<'_>) -> Reading {
    let mut conf = Conf::new(context, client::home(context.main));
    for file in files_of(context.main) {
        conf.file(&file, None);
    }
    let mut scopes: Vec<Option<Address>> = vec![None];
    let mut troubles = std::mem::take(&mut conf.troubles);
    let of_all = troubles.clone();
    for entry in &conf.entries {
        let Some(address) = entry.address.as_ref().filter(|address| address.scheme == "https") else { continue };
        if scopes.iter().flatten().any(|known| known == address) {
            continue;
        }
        if scopes.len() > conf::MOST {
            let says = format!("no more than {} addresses are told of", conf::MOST);
            troubles.push(Trouble { at: None, says, fatal: false });
            break;
        }
        scopes.push(Some(address.clone()));
    }
    let mut reading = Reading { services: Vec::new(), troubles, files: conf.read.clone() };
    for scope in scopes {
        let (services, known) = (reading.services.len(), reading.troubles.len());
        let service = service(context, &conf, scope.as_ref(), &mut reading.troubles);
        reading.services.push(service);
        reading.stop_since(services, known);
    }
    // It reads the whole of its files, for whatever address.
    if of_all.iter().any(|trouble| trouble.fatal) {
        reading.stop_since(0, 0);
    }
    // What is wrong for several addresses is told once.
    let mut told = HashSet::new();
    reading.troubles.retain(|trouble| told.insert((trouble.at.clone(), trouble.says.clone())));
    reading
}

/// What git does towards an address; without one, towards those that no section names.
struct Towards<'c> {
    conf: &'c Conf<'c>,
    scope: Option<&'c Address>,
}

impl<'c> Towards<'c> {
    /// The entries of a name that fit, the least specific and earliest first.
    fn fitting(&self, name: &str) -> Vec<&'c Entry> {
        let fits = |entry: &&Entry| match (&entry.address, self.scope) {
            (None, _) => true,
            (Some(own), Some(scope)) => own.fits(scope),
            (Some(_), None) => false,
        };
        let mut found: Vec<&Entry> = self.conf.entries.iter().filter(|entry| entry.name == name).filter(fits).collect();
        // Stable: of equals the later line counts.
        found.sort_by_key(|entry| entry.address.as_ref().map(Address::weight));
        found
    }

    /// The setting of the entry that counts.
    fn last<T>(&self, name: &str, mean: impl Fn(&Entry) -> Option<T>) -> Option<Setting<T>> {
        let fitting = self.fitting(name);
        let (ruling, others) = fitting.split_last()?;
        let setting = |value: T| {
            let text = ruling.value.clone().unwrap_or_default();
            Setting::new(ruling.written.clone(), value, text, ruling.origin.clone())
        };
        let mut setting = setting(mean(ruling)?);
        for other in others.iter().rev() {
            let same = other.address == ruling.address;
            let of = Setting::new(other.written.clone(), (), other.value.clone().unwrap_or_default(), other.origin.clone());
            // A general value that a section for a URL replaces is as the manual has it.
            let meant = same && client::root(&other.origin) == client::root(&ruling.origin);
            setting.shadow([client::shadowed(&of, if same { LATER } else { NEARER }, meant)]);
        }
        Some(setting)
    }

    fn text(&self, name: &str) -> Option<Setting<String>> {
        self.last(name, |entry| entry.value.clone().filter(|value| !value.is_empty()))
    }
}

fn service(context: &Context<'_>, conf: &Conf<'_>, scope: Option<&Address>, troubles: &mut Vec<Trouble>) -> Service {
    let files = context.files;
    let release = files.release_of("git");
    let towards = Towards { conf, scope };
    let title = scope.map_or_else(|| "git".to_owned(), |scope| format!("git, for {}", scope.written));
    let (mut library, sure) = library(files);
    let backend = towards.text("sslbackend");
    if let Some(backend) = &backend {
        let named = backend.value.to_ascii_lowercase();
        match (named.as_str(), sure) {
            ("gnutls", _) => library = Library::GnuTls(files.release_of("gnutls")),
            (_, true) => troubles.push(Trouble {
                at: backend.origin.span().cloned(),
                says: format!("the git of this system knows gnutls and no `{named}`: it stops"),
                fatal: true,
            }),
            ("openssl", _) => library = Library::OpenSsl(files.release_of("openssl")),
            (other, _) => library = Library::Other(other.to_owned()),
        }
    }
    let mut service = client::service("git", title, ("git", release), library.clone());
    service.declared = conf.header(context.main, scope);
    if let Some(scope) = scope {
        service.names = vec![scope.host.clone()];
        service.listeners = vec![Listener { address: None, port: scope.port, is_default: false }];
    }
    let known =
        |entry: &Entry| VERSIONS.iter().find(|(name, _)| Some(*name) == entry.value.as_deref()).map(|(_, version)| *version);
    for entry in towards.fitting("sslversion") {
        let at = entry.origin.span().cloned();
        match (&entry.value, known(entry)) {
            (None, _) => {
                let says = "`http.sslVersion` has no value: git stops at it".to_owned();
                troubles.push(Trouble { at, says, fatal: true });
            }
            (Some(value), None) if !value.is_empty() => {
                let says = format!("git knows no version {value:?} (case counts): it warns and takes the default");
                service.notes.push(Note { at, says });
            }
            (Some(value), Some(None)) => {
                service.notes.push(Note { at, says: format!("libcurl passes over {value:?}: the default counts") });
            }
            _ => {}
        }
    }
    // The ruling line counts even where it says nothing: then the default does.
    let lowest = towards.last("sslversion", |entry| known(entry)?);
    let curl = files.release_of("curl");
    let anchors = towards.text("sslcainfo");
    let mut settings = Settings {
        verifies_peer: towards.last("sslverify", |entry| Some(conf::is_true(entry.value.as_deref()))),
        trust: anchors.clone().or_else(|| towards.text("sslcapath")),
        certificates: towards.text("sslcert").into_iter().collect(),
        keys: towards.text("sslkey").into_iter().collect(),
        ..Settings::default()
    };
    // Without verification it looks for no anchors.
    let looks = settings.verifies_peer.as_ref().is_none_or(|verifies| verifies.value);
    for file in anchors.iter().filter(|_| looks).chain(&settings.certificates).chain(&settings.keys) {
        if file.value.starts_with('/') && files.look(&file.value) == Content::Missing {
            let says = format!("`{}` names a file that is not there: git connects nowhere", file.name);
            troubles.push(Trouble { at: file.origin.span().cloned(), says, fatal: true });
        }
    }
    let by = format!(
        "libcurl {}",
        curl.map_or_else(|| "(version not known, taken for a new one)".to_owned(), |curl| curl.to_string())
    );
    let built_in = if curl.is_none_or(|curl| curl >= LOWEST_IS_1_2) {
        Some(ProtocolVersion::TLSV1_2)
    } else {
        // With GnuTLS libcurl names each version; with OpenSSL it leaves them to the library.
        matches!(library, Library::GnuTls(_)).then_some(ProtocolVersion::TLSV1_0)
    };
    let usual = built_in.map(|version| Setting::new("sslVersion", version, version.to_string(), Origin::built_in(by.as_str())));
    settings.minimum_version = lowest.or(usual);
    let ciphers = towards.text("sslcipherlist");
    match library {
        Library::GnuTls(_) => {
            if let Some(ciphers) = ciphers {
                let says = format!("`{}` has no effect: libcurl with GnuTLS takes no list of suites", ciphers.name);
                service.notes.push(Note { at: ciphers.origin.span().cloned(), says });
            }
            let lowest = settings.minimum_version.as_ref().map_or(ProtocolVersion::TLSV1_0, |lowest| lowest.value);
            let named = (0..=3).rev().filter(|minor| client::minor(lowest).is_some_and(|lowest| *minor >= lowest));
            let text = match lowest {
                ProtocolVersion::TLSV1_0 => PRIORITY.to_owned(),
                _ => named.fold(format!("{PRIORITY}:-VERS-TLS-ALL"), |text, minor| format!("{text}:+VERS-TLS1.{minor}")),
            };
            let list = CipherList { language: Language::GnuTls, text: text.clone() };
            let origin = settings.minimum_version.as_ref().map_or_else(|| Origin::built_in(by), |lowest| lowest.origin.clone());
            settings.cipher_list = Some(Setting::new("priority", list, text, origin));
        }
        Library::OpenSsl(_) => {
            settings.cipher_list = ciphers.map(|list| list.map(|text| CipherList { language: Language::OpenSsl, text }));
            service.heeds = heeds("curl", curl).unwrap_or(Heeds::ALL);
        }
        _ => {}
    }
    service.settings = settings;
    service
}

/// A value in the quotes that it needs.
fn quoted(value: &str) -> String {
    if value.contains(['#', ';', '"', '\\']) || value != value.trim() {
        format!("\"{}\"", value.replace('\\', "\\\\").replace('"', "\\\""))
    } else {
        value.to_owned()
    }
}

fn mend(context: &Context<'_>, service: &Service, want: &Want) -> Result<Vec<Patch>, CannotMend> {
    let mut conf = Conf::new(context, client::home(context.main));
    for file in files_of(context.main) {
        conf.file(&file, None);
    }
    let scope = service.title.strip_prefix("git, for ").and_then(Address::parse);
    let settings = &service.settings;
    let towards = Towards { conf: &conf, scope: scope.as_ref() };
    let put = |name: &str, value: &str| -> Result<Patch, CannotMend> {
        let ruling = towards.fitting(&name.to_ascii_lowercase()).pop().filter(|entry| entry.address == scope);
        if let Some(Entry { origin: Origin::File { value: place, .. }, value: old, .. }) = ruling {
            let equals = if old.is_some() { "" } else { " = " };
            return Ok(Patch::replace(place, format!("{equals}{}", quoted(value))));
        }
        let line = format!("{name} = {}", quoted(value));
        if let Some(header) = &service.declared {
            return client::line(context, Some(header), &format!("\t{line}"));
        }
        let newline = line_end(context.files.bytes(context.main).unwrap_or_default());
        let head =
            scope.as_ref().map_or_else(|| "[http]".to_owned(), |scope| format!("[http {}]", quoted_name(&scope.written)));
        client::line(context, None, &format!("{head}{newline}\t{line}"))
    };
    match want {
        Want::Versions(versions) => {
            let (lowest, highest) = client::ends(versions)?;
            let Some(minor) = client::minor(lowest) else { return Err(CannotMend::because("git has no such version")) };
            if highest != ProtocolVersion::TLSV1_3 {
                return Err(CannotMend::because("`http.sslVersion` is the lowest version; git has no setting for the highest"));
            }
            if settings.minimum_version.as_ref().is_some_and(|set| set.value == lowest) {
                return Err(CannotMend::because("these versions are on"));
            }
            Ok(vec![put("sslVersion", &format!("tlsv1.{minor}"))?])
        }
        Want::CipherList(suites, level) if matches!(service.library, Library::OpenSsl(_)) => {
            let mut names: Vec<String> =
                suites.iter().filter_map(|suite| suite.details()?.openssl_name).map(str::to_owned).collect();
            names.extend(level.map(|level| format!("@SECLEVEL={level}")));
            Ok(vec![put("sslCipherList", &names.join(":"))?])
        }
        Want::Certificate(certificate, key) => {
            let mut patches = vec![put("sslCert", certificate)?];
            if let Some(key) = key {
                patches.push(put("sslKey", key)?);
            }
            Ok(patches)
        }
        other => Err(CannotMend::because(format!("git has no setting for {other:?}"))),
    }
}

fn quoted_name(name: &str) -> String {
    format!("\"{}\"", name.replace('\\', "\\\\").replace('"', "\\\""))
}
