//! The server: what its groups say of TLS.

use tlswhy_wire::{CipherSuite, ProtocolVersion};

use super::lines::{Line, Lines};
use super::options;
use super::{Own, Product, TLS_BY_ITSELF, is_there, shadowed};
use crate::files::Files;
use crate::language::names;
use crate::language::openssl_ciphers::selects_nothing;
use crate::release::Release;
use crate::service::{Heeds, Library, Listener, Note, Service, Side, Trouble};
use crate::setting::{CipherList, ClientVerification, Language, Setting, Settings};
use crate::span::Origin;

/// Since this release MariaDB does not start where TLS cannot be set up (measured; earlier ones may have gone on without).
const STOPS: Release = Release::new(10, 11, 0);

pub(super) fn service(files: &Files<'_>, product: &Product, lines: &Lines, troubles: &mut Vec<Trouble>) -> Service {
    let own = Own::of(lines, product.reader(true), product, troubles);
    let mut settings = Settings::default();
    let mut notes = Vec::new();
    let versions = own.versions(troubles).unwrap_or_else(|| {
        let usual = product.usual_versions();
        let text = usual.iter().map(ToString::to_string).collect::<Vec<_>>().join(",");
        Setting::new("tls_version", usual, text, Origin::built_in(product.by.as_str()))
    });
    let mut tls = switched_on(&own).unwrap_or_else(|| {
        let on = !product.mariadb || product.is_since(TLS_BY_ITSELF);
        Setting::new("ssl", on, "", Origin::built_in(product.by.as_str()))
    });
    // MySQL takes no version at all for no TLS at all.
    if !product.mariadb && versions.value.is_empty() {
        tls = versions.clone().map(|_| false);
    }
    settings.tls = Some(tls);
    if settings.tls.as_ref().is_some_and(|tls| tls.value) {
        fill(&own, product, versions, &mut settings);
        unusable(files, product, &settings, troubles);
        client_verification(&own, product, &mut settings);
    }
    let demands = own.switch("require-secure-transport").filter(|demands| demands.value);
    if let Some(demands) = demands {
        let says = "connections without TLS are refused".to_owned();
        notes.push(Note { at: demands.origin.span().cloned(), says });
    }
    Service {
        dialect: "mysql",
        side: Side::Server,
        title: format!("{} server", product.name),
        listeners: vec![Listener { address: None, port: own.port(), is_default: true }],
        names: Vec::new(),
        names_from_certificates: false,
        declared: super::head(lines, own.reader).cloned(),
        upgrade: Some("mysql"),
        program: (product.name.to_owned(), product.release),
        library: Library::OpenSsl(files.release_of("openssl")),
        // It sets what its options name and nothing else (vio/viosslfactories.c; measured).
        heeds: Heeds::ALL,
        settings,
        notes,
    }
}

/// The last of `ssl` and of the options that imply it decides.
pub(super) fn switched_on(own: &Own<'_>) -> Option<Setting<bool>> {
    let mut ruling: Option<(&Line, bool)> = None;
    let mut overruled: Vec<&Line> = Vec::new();
    for found in &own.options {
        let on = match found.name {
            "ssl" => !found.off && options::is_on(found.line.value.as_deref()),
            _ if found.implies_ssl => true,
            _ => continue,
        };
        match ruling {
            Some((earlier, false)) if on => overruled.push(earlier),
            _ if !on => overruled.clear(),
            _ => {}
        }
        ruling = Some((found.line, on));
    }
    let (line, on) = ruling?;
    let mut setting = line.setting(on);
    let why = "an option behind it that names a file or suites switches TLS on again";
    setting.shadow(overruled.iter().rev().map(|line| shadowed(line, why)));
    Some(setting)
}

fn fill(own: &Own<'_>, product: &Product, versions: Setting<Vec<ProtocolVersion>>, settings: &mut Settings) {
    settings.versions = Some(versions);
    let list = own.text("ssl-cipher");
    (settings.cipher_list, settings.cipher_suites) = ciphers(list, own.reader.mariadb);
    if !product.mariadb {
        settings.cipher_suites = own.last("tls-ciphersuites", |line| names::suites(line.value.as_deref()?));
    }
    settings.certificates = own.text("ssl-cert").or_else(|| own.text("ssl-key")).into_iter().collect();
    settings.keys = own.text("ssl-key").or_else(|| own.text("ssl-cert")).into_iter().collect();
    settings.trust = own.text("ssl-ca").or_else(|| own.text("ssl-capath"));
    if product.mariadb {
        settings.server_preference = Some(Setting::new("ssl_cipher", false, "", Origin::built_in(product.by.as_str())));
    }
}

/// MariaDB divides its one list: suites of TLS 1.3 in it are those of TLS 1.3, the others those below. Where it names none of one
/// kind beside some of the other, TLS 1.3 keeps its own and the versions below have none (measured).
fn ciphers(list: Option<Setting<String>>, divides: bool) -> (Option<Setting<CipherList>>, Option<Setting<Vec<CipherSuite>>>) {
    let Some(list) = list else { return (None, None) };
    let is_13 = |word: &&str| word.parse::<CipherSuite>().is_ok_and(|suite| suite.0 >> 8 == 0x13);
    let (of_13, below): (Vec<&str>, Vec<&str>) = list.value.split(':').partition(is_13);
    let suites: Vec<CipherSuite> = of_13.iter().filter_map(|word| word.parse().ok()).collect();
    let empty = list.value.is_empty();
    let below = CipherList { language: Language::OpenSsl, text: below.join(":") };
    let suites = (divides && (empty || !suites.is_empty())).then(|| list.clone().map(|_| suites));
    let whole = if divides { below } else { CipherList { language: Language::OpenSsl, text: list.value.clone() } };
    (Some(list.map(|_| whole)), suites)
}

/// What MariaDB does not start with: files that are not there, a list that selects nothing.
fn unusable(files: &Files<'_>, product: &Product, settings: &Settings, troubles: &mut Vec<Trouble>) {
    if !product.mariadb {
        return;
    }
    let fatal = product.release.is_some_and(|release| release >= STOPS);
    let mut refuse = |origin: &Origin, says: String| {
        troubles.push(Trouble { at: origin.span().cloned(), says, fatal });
    };
    let by_line = settings.tls.as_ref().filter(|tls| tls.value && settings.certificates.is_empty());
    if let Some(tls) = by_line.filter(|_| product.release.is_some_and(|release| release < TLS_BY_ITSELF)) {
        refuse(
            &tls.origin,
            format!("`{}` switches TLS on, and no `ssl_cert` names a certificate: MariaDB does not start", tls.name),
        );
    }
    for setting in settings.certificates.iter().chain(&settings.keys) {
        if setting.value.is_empty() {
            refuse(&setting.origin, format!("`{}` names no file: MariaDB does not start with it", setting.name));
        } else if !is_there(files, &setting.value) {
            refuse(&setting.origin, format!("{} does not exist: MariaDB does not start without it", setting.value));
        }
    }
    let alone = settings.cipher_list.as_ref().filter(|_| settings.cipher_suites.is_none());
    if let (Some(list), Some(openssl)) = (alone, files.release_of("openssl"))
        && selects_nothing(&list.value.text, openssl)
    {
        refuse(&list.origin, format!("`{}` selects no suite: MariaDB does not start with it", list.name));
    }
}

/// MariaDB asks every client for a certificate and takes none as well; an account can demand one (REQUIRE X509).
fn client_verification(own: &Own<'_>, product: &Product, settings: &mut Settings) {
    if product.mariadb {
        let built_in = || Setting::new("ssl_ca", ClientVerification::Optional, "", Origin::built_in(product.by.as_str()));
        let by_line = own.text("ssl-ca").map(|line| line.map(|_| ClientVerification::Optional));
        settings.client_verification = Some(by_line.unwrap_or_else(built_in));
    }
}
