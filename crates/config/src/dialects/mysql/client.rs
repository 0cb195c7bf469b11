//! The command-line clients: what their groups say of TLS.

use super::lines::Lines;
use super::server::{ciphers, switched_on};
use super::{Own, Product, TLS_BY_ITSELF};
use crate::dialects::Context;
use crate::dialects::client;
use crate::language::names;
use crate::service::{Heeds, Library, Listener, Service, Trouble};
use crate::setting::{Setting, Settings};
use crate::span::{Origin, Span};

/// The clients; `None` where no line is for them.
pub(super) fn service(context: &Context<'_>, product: &Product, lines: &Lines, troubles: &mut Vec<Trouble>) -> Option<Service> {
    let files = context.files;
    let own = Own::of(lines, product.reader(false), product, troubles);
    if own.lines.is_empty() {
        return None;
    }
    let library = if product.mariadb {
        Library::OpenSsl(files.release_of("openssl"))
    } else {
        Library::Other("OpenSSL, as it was built".to_owned())
    };
    let mut service =
        client::service("mysql", format!("{} command-line clients", product.name), (product.name, product.release), library);
    let port = own.lines.iter().rev().find(|line| line.name.eq_ignore_ascii_case("port"));
    let port = port.and_then(|line| line.value.as_deref()?.parse().ok()).unwrap_or(3306);
    service.listeners = vec![Listener { address: None, port, is_default: false }];
    service.upgrade = Some("mysql");
    // What somebody wants of his own file is put there.
    let here = |at: &&Span| client::home(context.main).is_none() || *at.path == *context.main;
    service.declared = super::head(lines, own.reader).filter(here).cloned();
    service.heeds = Heeds::ALL;
    let (cipher_list, cipher_suites) = ciphers(own.text("ssl-cipher"), product.mariadb);
    let usual = || {
        let since = product.is_since(TLS_BY_ITSELF) && product.mariadb;
        Setting::new("ssl-verify-server-cert", since, "", Origin::built_in(product.by.as_str()))
    };
    let mode = own.text("ssl-mode").map(|mode| mode.map(|mode| mode.to_ascii_uppercase()));
    let off = mode.clone().filter(|mode| mode.value == "DISABLED").map(|mode| mode.map(|_| false));
    let by_mode = mode.map(|mode| mode.map(|mode| mode.starts_with("VERIFY_")));
    service.settings = Settings {
        versions: own.versions(troubles),
        cipher_list,
        cipher_suites: cipher_suites.or_else(|| own.last("tls-ciphersuites", |line| names::suites(line.value.as_deref()?))),
        certificates: own.text("ssl-cert").into_iter().collect(),
        keys: own.text("ssl-key").into_iter().collect(),
        trust: own.text("ssl-ca").or_else(|| own.text("ssl-capath")),
        verifies_peer: own.switch("ssl-verify-server-cert").or(by_mode).or_else(|| Some(usual())),
        tls: off.or_else(|| switched_on(&own)),
        ..Settings::default()
    };
    Some(service)
}
