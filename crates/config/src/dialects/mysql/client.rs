//! The command-line clients: what their groups say of TLS (Connector/C, libmariadb/secure/openssl.c; measured on MariaDB 10.11.19).

use tlswhy_wire::{CipherSuite, ProtocolVersion};

use super::lines::Lines;
use super::server::switched_on;
use super::{ALL, Own, Product, TLS_BY_ITSELF, is_there};
use crate::dialects::{Context, client};
use crate::language::names;
use crate::language::openssl_ciphers::selects_nothing;
use crate::service::{Heeds, Library, Listener, Service, Trouble};
use crate::setting::{CipherList, Language, Setting, Settings};
use crate::span::{Origin, Span};

/// The clients; `None` where no line is for them.
pub(super) fn service(context: &Context<'_>, product: &Product, lines: &Lines, troubles: &mut Vec<Trouble>) -> Option<Service> {
    let own = Own::of(lines, product.reader(false), product, troubles);
    if own.lines.is_empty() {
        return None;
    }
    let library = match product.mariadb {
        true => Library::OpenSsl(context.files.release_of("openssl")),
        // It brings its own where Oracle built it.
        false => Library::Other("OpenSSL, as it was built".to_owned()),
    };
    let title = format!("{} command-line clients", product.name);
    let mut service = client::service("mysql", title, (product.name, product.release), library);
    service.listeners = vec![Listener { address: None, port: own.port(), is_default: false }];
    service.upgrade = Some("mysql");
    // What somebody wants of his own file is put there.
    let here = |at: &&Span| client::home(context.main).is_none() || *at.path == *context.main;
    service.declared = super::head(lines, own.reader).filter(here).cloned();
    service.heeds = Heeds::ALL;
    service.settings = if product.mariadb { of_mariadb(&own, product) } else { of_mysql(&own) };
    service.settings.certificates = own.text("ssl-cert").into_iter().collect();
    service.settings.keys = own.text("ssl-key").into_iter().collect();
    service.settings.trust = own.text("ssl-ca").or_else(|| own.text("ssl-capath"));
    let speaks = service.settings.tls.as_ref().is_none_or(|tls| tls.value);
    if product.mariadb && speaks {
        unusable(context, &service, troubles);
    }
    Some(service)
}

fn of_mariadb(own: &Own<'_>, product: &Product) -> Settings {
    let (cipher_list, cipher_suites) = ciphers(own.text("ssl-cipher").filter(|list| !list.value.is_empty()));
    let verifies = || {
        let since = product.is_since(TLS_BY_ITSELF);
        Setting::new("ssl-verify-server-cert", since, "", Origin::built_in(product.by.as_str()))
    };
    Settings {
        tls: switched_on(own),
        versions: own.last("tls-version", |line| Some(versions(line.value.as_deref()?))),
        cipher_list,
        cipher_suites,
        verifies_peer: own.switch("ssl-verify-server-cert").or_else(|| Some(verifies())),
        ..Settings::default()
    }
}

fn of_mysql(own: &Own<'_>) -> Settings {
    let mode = own.text("ssl-mode").map(|mode| mode.map(|mode| mode.to_ascii_uppercase()));
    let list = |text: &str| CipherList { language: Language::OpenSsl, text: text.to_owned() };
    Settings {
        tls: mode.clone().filter(|mode| mode.value == "DISABLED").map(|mode| mode.map(|_| false)),
        versions: own.last("tls-version", |line| super::versions(line.value.as_deref()?, own.reader)),
        cipher_list: own.last("ssl-cipher", |line| Some(list(line.value.as_deref()?))),
        cipher_suites: own.last("tls-ciphersuites", |line| names::suites(line.value.as_deref()?)),
        verifies_peer: mode.map(|mode| mode.map(|mode| mode.starts_with("VERIFY_"))),
        ..Settings::default()
    }
}

/// Every version whose name stands anywhere in the text is on; where none does, all are.
fn versions(text: &str) -> Vec<ProtocolVersion> {
    let on: Vec<ProtocolVersion> = ALL.into_iter().filter(|version| text.contains(&version.to_string())).collect();
    if on.is_empty() { ALL.to_vec() } else { on }
}

/// A list with a suite of TLS 1.3 is for those alone: the rest of it has no effect.
fn ciphers(list: Option<Setting<String>>) -> (Option<Setting<CipherList>>, Option<Setting<Vec<CipherSuite>>>) {
    let Some(list) = list else { return (None, None) };
    let suites = list.value.split(':').filter_map(|word| word.parse::<CipherSuite>().ok());
    let of_13: Vec<CipherSuite> = suites.filter(|suite| suite.0 >> 8 == 0x13).collect();
    match of_13.is_empty() {
        true => (Some(list.map(|text| CipherList { language: Language::OpenSsl, text })), None),
        false => (None, Some(list.map(|_| of_13))),
    }
}

/// What a client does not connect with.
fn unusable(context: &Context<'_>, service: &Service, troubles: &mut Vec<Trouble>) {
    let settings = &service.settings;
    let mut refuse = |origin: &Origin, says: String| {
        let says = format!("{says}: no connection is made");
        troubles.push(Trouble { at: origin.span().cloned(), says, fatal: true });
    };
    for setting in settings.certificates.iter().chain(&settings.keys).chain(&settings.trust) {
        if setting.value.is_empty() {
            refuse(&setting.origin, format!("`{}` names no file", setting.name));
        } else if !is_there(context.files, &setting.value) {
            refuse(&setting.origin, format!("{} does not exist", setting.value));
        }
    }
    if let Some(list) = &settings.cipher_list
        && context.files.release_of("openssl").is_some_and(|openssl| selects_nothing(&list.value.text, openssl))
    {
        refuse(&list.origin, format!("`{}` selects no suite", list.name));
    }
}
