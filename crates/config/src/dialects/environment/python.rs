//! Python: what its module ssl offers by itself, OPENSSL_CONF, and the files of trust anchors.
//!
//! Sources: <https://docs.python.org/3/library/ssl.html>, Modules/_ssl.c and Lib/ssl.py of the releases named below; compared with the
//! hellos of 3.6.15, 3.7.16, 3.8.18, 3.9.18, 3.10.13, 3.11.7, 3.12.1 and 3.13.0 built from source, and of Debian's 3.11.2, under six
//! openssl.cnf files. Which certificates `ssl.create_default_context` has under these variables was seen on 3.11.2, 3.12.1 and 3.13.0.

use tlswhy_wire::ProtocolVersion;

use super::{Environment, push, trust};
use crate::dialects::openssl::heeds;
use crate::dialects::{Context, client, pip};
use crate::files::{Content, Files};
use crate::release::Release;
use crate::service::{Heeds, Library, Note, Reading, Service, Trouble};
use crate::setting::{CipherList, Language, Setting, Shadowed};
use crate::span::Origin;

const NAMES: &[&str] = &["OPENSSL_CONF", "REQUESTS_CA_BUNDLE", "SSL_CERT_DIR", "SSL_CERT_FILE"];
/// Those that make a service: OPENSSL_CONF is for other programs as well.
const OWN: &[&str] = &["REQUESTS_CA_BUNDLE", "SSL_CERT_DIR", "SSL_CERT_FILE"];

/// How a Python was built: `./configure --with-ssl-default-suites`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Build {
    /// `python`, what configure does by itself: with lists of its own.
    Upstream,
    /// `openssl`, as Debian and Ubuntu build it: what OpenSSL and openssl.cnf say counts.
    OfDebian,
}

/// What a release built from source sets on each `ssl.create_default_context()`.
struct Defaults {
    since: Release,
    minimum: Option<ProtocolVersion>,
    list: &'static str,
}

/// The newest first.
const UPSTREAM: &[Defaults] = &[
    Defaults {
        since: Release::new(3, 10, 0),
        minimum: Some(ProtocolVersion::TLSV1_2),
        list: "@SECLEVEL=2:ECDH+AESGCM:ECDH+CHACHA20:ECDH+AES:DHE+AES:!aNULL:!eNULL:!aDSS:!SHA1:!AESCCM",
    },
    Defaults {
        since: Release::new(3, 7, 0),
        minimum: None,
        list: "DEFAULT:!aNULL:!eNULL:!MD5:!3DES:!DES:!RC4:!IDEA:!SEED:!aDSS:!SRP:!PSK",
    },
    Defaults {
        since: Release::new(3, 6, 0),
        minimum: None,
        list: "TLS13-AES-256-GCM-SHA384:TLS13-CHACHA20-POLY1305-SHA256:TLS13-AES-128-GCM-SHA256:ECDH+AESGCM:ECDH+CHACHA20:\
               DH+AESGCM:DH+CHACHA20:ECDH+AES256:DH+AES256:ECDH+AES128:DH+AES:ECDH+HIGH:DH+HIGH:RSA+AESGCM:RSA+AES:RSA+HIGH:\
               !aNULL:!eNULL:!MD5:!3DES",
    },
];
/// Since then `ssl.create_default_context` sets VERIFY_X509_STRICT, whoever built it.
const STRICT: Release = Release::new(3, 13, 0);

/// How this machine's Python was built, as far as it is known: package data of Debian's kind tell of Debian's build; where a version was
/// told, `upstream` or `Debian` behind it says so.
fn build(files: &Files<'_>) -> Option<Build> {
    let python = files.software("python")?;
    let version = python.version.as_deref()?;
    let says = |word: &str| version.split([' ', ',', '(', ')']).any(|own| own.eq_ignore_ascii_case(word));
    if says("Debian") || says("Ubuntu") || python.source == "/var/lib/dpkg/status" {
        return Some(Build::OfDebian);
    }
    says("upstream").then_some(Build::Upstream)
}

pub(super) fn read(context: &Context<'_>, environment: &Environment, reading: &mut Reading) {
    pip(context, environment, reading);
    let is_its = OWN.iter().any(|name| environment.last(name).is_some());
    if !is_its && environment.last("OPENSSL_CONF").is_none() {
        return;
    }
    let release = context.files.release_of("python");
    if !is_its && release.is_none() {
        return;
    }
    let title = "programs of Python with this environment".to_owned();
    let mut service = client::service("environment", title, ("Python", release), Library::Other("OpenSSL".to_owned()));
    let mut notes = Vec::new();
    offers(context.files, &mut service, environment, &mut notes);
    if release.is_some_and(|release| release >= STRICT) {
        let says = "it wants certificates to be strictly as RFC 5280 has them (VERIFY_X509_STRICT, since 3.13)".to_owned();
        notes.push(Note { at: None, says });
    }
    if let Some(bundle) = environment.setting("REQUESTS_CA_BUNDLE") {
        let says = "the package requests trusts these certificates alone; the module ssl does not look at it".to_owned();
        notes.push(Note { at: bundle.origin.span().cloned(), says });
        if bundle.value.starts_with('/') && context.files.look(&bundle.value) == Content::Missing {
            let says = format!("there is no {}: the package requests makes no connection", bundle.value);
            reading.troubles.push(Trouble { at: bundle.origin.span().cloned(), says, fatal: false });
        }
    }
    service.settings.trust = trust(environment, &mut notes);
    push(reading, service, environment, NAMES, notes);
}

/// pip, where a variable of its own is set.
fn pip(context: &Context<'_>, environment: &Environment, reading: &mut Reading) {
    if environment.last("PIP_CERT").is_none() {
        return;
    }
    let release = context.files.release_of("pip");
    let title = "pip with this environment".to_owned();
    let mut service = client::service("environment", title, ("pip", release), Library::Other("OpenSSL".to_owned()));
    let mut set = pip::VARIABLES.iter().filter_map(|name| environment.setting(name));
    service.settings.trust = set.next();
    if let Some(trust) = &mut service.settings.trust {
        let rivals: Vec<Shadowed> = set.map(|rival| client::shadowed(&rival, "pip asks for it later", true)).collect();
        trust.shadow(rivals);
    }
    push(reading, service, environment, pip::VARIABLES, Vec::new());
}

/// The OpenSSL of a Python that brings its own: as the program tells it, or as `OpenSSL 3.0.19` behind its version does.
fn library(files: &Files<'_>) -> Option<Release> {
    let told = || files.software("python")?.version.as_deref()?.split_once("OpenSSL ").map(|(_, release)| release);
    files.runs_with("python", "openssl").or_else(told)?.parse().ok()
}

/// What it offers, where the build and the library are known.
fn offers(files: &Files<'_>, service: &mut Service, environment: &Environment, notes: &mut Vec<Note>) {
    let release = service.program.1;
    let (Some(build), Some(release)) = (build(files), release.filter(|release| *release >= Release::new(3, 6, 0))) else {
        let says = "what it offers hangs on how Python was built: `--assume python='3.12.1 upstream, OpenSSL 3.0.19'` (or \
                    `python='3.11.2 Debian'`) says it";
        notes.push(Note { at: None, says: says.to_owned() });
        return;
    };
    // Debian's runs on the system's library.
    let library = match build {
        Build::OfDebian => files.openssl_of("python"),
        Build::Upstream => library(files),
    };
    let Some(library) = library else {
        let says = "which OpenSSL this Python brings along is not known: what it offers is not told";
        notes.push(Note { at: None, says: says.to_owned() });
        return;
    };
    let program = if build == Build::OfDebian { "python-of-debian" } else { "python" };
    service.library = Library::OpenSsl(Some(library));
    service.heeds = heeds(program, Some(release)).unwrap_or(Heeds::NOTHING);
    service.settings.library_policy = environment.setting("OPENSSL_CONF");
    if let Some(defaults) = UPSTREAM.iter().find(|row| release >= row.since).filter(|_| build == Build::Upstream) {
        let by = || Origin::built_in(client::by("Python", Some(release)));
        service.settings.minimum_version =
            defaults.minimum.map(|minimum| Setting::new("minimum_version", minimum, minimum.to_string(), by()));
        let list = CipherList { language: Language::OpenSsl, text: defaults.list.to_owned() };
        service.settings.cipher_list = Some(Setting::new("default ciphers", list, defaults.list, by()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_release_sets_itself_it_does_not_heed() {
        for row in UPSTREAM {
            let heeds = heeds("python", Some(row.since)).unwrap();
            assert_eq!(heeds.minimum_version, row.minimum.is_none(), "{}", row.since);
            assert_eq!((heeds.cipher_list, heeds.security_level), (false, !row.list.contains("@SECLEVEL")), "{}", row.since);
        }
    }
}
