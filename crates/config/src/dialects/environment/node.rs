//! Node.js: NODE_OPTIONS, NODE_EXTRA_CA_CERTS, NODE_TLS_REJECT_UNAUTHORIZED.
//!
//! Sources: <https://nodejs.org/api/cli.html> and <https://nodejs.org/api/tls.html>, lib/tls.js; measured on 20.20.2.

use tlswhy_wire::{CipherSuite, ProtocolVersion};

use super::{Environment, push, trouble, trust};
use crate::dialects::{Context, client};
use crate::files::Content;
use crate::language::openssl_ciphers::{Library as Rules, Refused, cipher_list};
use crate::release::Release;
use crate::service::{Library, Note, Reading, Trouble};
use crate::setting::{CipherList, Language, Setting};
use crate::span::Origin;

const NAMES: &[&str] =
    &["NODE_EXTRA_CA_CERTS", "NODE_OPTIONS", "NODE_TLS_REJECT_UNAUTHORIZED", "OPENSSL_CONF", "SSL_CERT_FILE", "SSL_CERT_DIR"];
/// Those that make a service: the others are for other programs as well.
const OWN: &[&str] = &["NODE_EXTRA_CA_CERTS", "NODE_OPTIONS", "NODE_TLS_REJECT_UNAUTHORIZED"];

/// The OpenSSL that a release brings, and its security level (<https://nodejs.org/api/tls.html>).
const OPENSSL: &[(Release, Release, u8)] = &[
    (Release::new(24, 5, 0), Release::new(3, 5, 0), 2),
    (Release::new(17, 0, 0), Release::new(3, 0, 0), 1),
    (Release::new(12, 0, 0), Release::new(1, 1, 1), 1),
];
/// The list of lib/tls.js (process.binding's DEFAULT_CIPHER_LIST), without TLS 1.3.
const LIST: &str = "ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES256-GCM-SHA384:\
                    ECDHE-ECDSA-AES256-GCM-SHA384:DHE-RSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-SHA256:DHE-RSA-AES128-SHA256:\
                    ECDHE-RSA-AES256-SHA384:DHE-RSA-AES256-SHA384:ECDHE-RSA-AES256-SHA256:DHE-RSA-AES256-SHA256:\
                    HIGH:!aNULL:!eNULL:!EXPORT:!DES:!RC4:!MD5:!PSK:!SRP:!CAMELLIA";
const LIST_13: [CipherSuite; 3] =
    [CipherSuite::TLS_AES_256_GCM_SHA384, CipherSuite::TLS_CHACHA20_POLY1305_SHA256, CipherSuite::TLS_AES_128_GCM_SHA256];
/// In the order in which they are asked (lib/tls.js): the first that is there counts.
pub(super) const MINIMA: &[(&str, ProtocolVersion)] = &[
    ("--tls-min-v1.0", ProtocolVersion::TLSV1_0),
    ("--tls-min-v1.1", ProtocolVersion::TLSV1_1),
    ("--tls-min-v1.2", ProtocolVersion::TLSV1_2),
    ("--tls-min-v1.3", ProtocolVersion::TLSV1_3),
];
pub(super) const MAXIMA: &[(&str, ProtocolVersion)] =
    &[("--tls-max-v1.3", ProtocolVersion::TLSV1_3), ("--tls-max-v1.2", ProtocolVersion::TLSV1_2)];

/// The words of NODE_OPTIONS: blanks divide, double quotes hold together, `\` counts within them (node_options.cc).
pub(super) fn words(text: &str) -> Vec<String> {
    let (mut words, mut word, mut quoted, mut any) = (Vec::new(), String::new(), false, false);
    let mut letters = text.chars();
    while let Some(letter) = letters.next() {
        match letter {
            '"' => {
                quoted = !quoted;
                any = true;
            }
            '\\' if quoted => word.extend(letters.next()),
            ' ' if !quoted => {
                if any {
                    words.push(std::mem::take(&mut word));
                }
                any = false;
            }
            letter => {
                word.push(letter);
                any = true;
            }
        }
    }
    if any {
        words.push(word);
    }
    words
}

/// The options of NODE_OPTIONS with their values; `_` in a name is `-`.
fn options(text: &str) -> Vec<(String, Option<String>)> {
    let mut found = Vec::new();
    let mut words = words(text).into_iter().peekable();
    while let Some(word) = words.next() {
        let (name, value) = word.split_once('=').map_or((word.as_str(), None), |(name, value)| (name, Some(value.to_owned())));
        let name = name.replace('_', "-");
        let valued = ["--tls-cipher-list", "--openssl-config"].contains(&name.as_str());
        let value = if valued && value.is_none() { words.next_if(|next| !next.starts_with('-')) } else { value };
        found.push((name, value));
    }
    found
}

/// Whether the last of `--x` and `--no-x` is `--x`.
fn is_on(options: &[(String, Option<String>)], name: &str) -> bool {
    let off = name.replacen("--", "--no-", 1);
    options.iter().rfind(|(option, _)| option == name || *option == off).is_some_and(|(option, _)| option == name)
}

pub(super) fn read(context: &Context<'_>, environment: &Environment, reading: &mut Reading) {
    if !OWN.iter().any(|name| environment.last(name).is_some()) {
        return;
    }
    let release = context.files.release_of("node");
    let row = OPENSSL.iter().find(|(since, ..)| release.is_some_and(|release| release >= *since));
    let title = "programs of Node.js with this environment".to_owned();
    let library = row.map_or_else(|| Library::Other("OpenSSL".to_owned()), |(_, openssl, _)| Library::OpenSsl(Some(*openssl)));
    let mut service = client::service("environment", title, ("Node.js", release), library);
    let mut notes = Vec::new();
    let by = || Origin::built_in(client::by("Node.js", release));
    let given = environment.setting("NODE_OPTIONS");
    let options = given.as_ref().map(|given| options(&given.value)).unwrap_or_default();
    let at = given.as_ref().and_then(|given| given.origin.span().cloned());
    let pick = |rows: &[(&str, ProtocolVersion)]| {
        let (_, version) = rows.iter().find(|(name, _)| is_on(&options, name))?;
        given.clone().map(|given| given.map(|_| *version))
    };
    let unset = environment.last("NODE_OPTIONS").is_some() && given.is_none();
    if row.is_some() && !unset {
        let (low, high) = (ProtocolVersion::TLSV1_2, ProtocolVersion::TLSV1_3);
        let minimum = pick(MINIMA).unwrap_or_else(|| Setting::new("tls.DEFAULT_MIN_VERSION", low, "TLSv1.2", by()));
        let maximum = pick(MAXIMA).unwrap_or_else(|| Setting::new("tls.DEFAULT_MAX_VERSION", high, "TLSv1.3", by()));
        if is_on(&options, "--tls-min-v1.3") && is_on(&options, "--tls-max-v1.2") {
            let says = "Node.js does not start with `--tls-min-v1.3` and `--tls-max-v1.2`".to_owned();
            reading.troubles.push(trouble(at.as_ref(), says));
        }
        (service.settings.minimum_version, service.settings.maximum_version) = (Some(minimum), Some(maximum));
    }
    for (name, _) in &options {
        let known = MINIMA.iter().chain(MAXIMA).any(|(own, _)| own == name || own.replacen("--", "--no-", 1) == *name);
        if !known && ["--tls-min-v", "--tls-max-v"].iter().any(|start| name.starts_with(start)) {
            reading.troubles.push(trouble(at.as_ref(), format!("Node.js has no option `{name}`: it does not start")));
        }
    }
    let list = options.iter().rfind(|(name, _)| name == "--tls-cipher-list").and_then(|(_, value)| value.clone());
    if let (Some((_, openssl, level)), false) = (row, unset) {
        service.settings.security_level = Some(Setting::new("SECLEVEL", *level, level.to_string(), by()));
        ciphers(&mut service.settings, list.as_deref(), given.as_ref(), *openssl, by(), reading);
    }
    let own_file = options.iter().any(|(name, _)| name == "--openssl-config" || name == "--openssl-shared-config")
        || environment.last("OPENSSL_CONF").is_some();
    if unset {
        service.library = Library::Other("OpenSSL".to_owned());
    }
    if own_file {
        // The list and the versions are Node's all the same (measured).
        service.library = Library::Other("OpenSSL".to_owned());
        let says =
            "a configuration of OpenSSL is named: what it says of groups and signatures is not looked at here".to_owned();
        notes.push(Note { at: at.clone(), says });
    }
    if let Some(refuses) = environment.setting("NODE_TLS_REJECT_UNAUTHORIZED") {
        let verifies = refuses.value != "0";
        service.settings.verifies_peer = Some(refuses.map(|_| verifies));
    }
    if let Some(extra) = environment.setting("NODE_EXTRA_CA_CERTS") {
        let says = "these certificates are trusted besides those that Node.js brings along".to_owned();
        notes.push(Note { at: extra.origin.span().cloned(), says });
        if extra.value.starts_with('/') && context.files.look(&extra.value) == Content::Missing {
            let says = format!("there is no {}: Node.js warns and goes on without it", extra.value);
            reading.troubles.push(Trouble { at: extra.origin.span().cloned(), says, fatal: false });
        }
    }
    if is_on(&options, "--use-openssl-ca") {
        service.settings.trust = trust(environment, &mut notes);
    }
    push(reading, service, environment, NAMES, notes);
}

/// Names of TLS 1.3 in the list are its suites; where it has none, those of the library are on.
fn ciphers(
    settings: &mut crate::Settings,
    list: Option<&str>,
    given: Option<&Setting<String>>,
    openssl: Release,
    by: Origin,
    reading: &mut Reading,
) {
    let built_in = |text: String| Setting::new("tls.DEFAULT_CIPHERS", String::new(), text, by.clone());
    let (text, setting) = match (list, given) {
        (Some(list), Some(given)) => (list, given.clone()),
        _ => (LIST, built_in(LIST.to_owned())),
    };
    let modern = |name: &&str| name.starts_with("TLS_");
    let names: Vec<&str> = text.split(':').collect();
    let suites: Vec<CipherSuite> = names.iter().filter(|name| modern(name)).filter_map(|name| name.parse().ok()).collect();
    let old: Vec<&str> = names.iter().filter(|name| !modern(name)).copied().collect();
    settings.cipher_suites = Some(if suites.is_empty() {
        let names: Vec<String> = LIST_13.iter().map(CipherSuite::to_string).collect();
        built_in(names.join(":")).map(|_| LIST_13.to_vec())
    } else {
        setting.clone().map(|_| suites)
    });
    let old = old.join(":");
    let refused = matches!(cipher_list(&old, &Rules::upstream(openssl)), Err(Refused::NoMatch | Refused::InvalidCommand(_)));
    if !old.is_empty() && refused {
        let says = format!("`--tls-cipher-list={text}` names no suite that OpenSSL knows: each connection ends with an error");
        reading.troubles.push(trouble(setting.origin.span(), says));
    }
    if old.is_empty() {
        // Suites of TLS 1.3 alone leave TLS 1.3 alone (measured).
        settings.minimum_version = Some(setting.map(|_| ProtocolVersion::TLSV1_3));
    } else {
        settings.cipher_list = Some(setting.map(|_| CipherList { language: Language::OpenSsl, text: old }));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_are_divided_as_node_does() {
        assert_eq!(words("--a  \"--b=c d\" \"x\\\"y\""), ["--a", "--b=c d", "x\"y"]);
        let found = options("--tls_cipher_list A:B --tls-min-v1.3 --no-tls-min-v1.3 --tls-cipher-list=C");
        assert_eq!(found[0], ("--tls-cipher-list".to_owned(), Some("A:B".to_owned())));
        assert!(!is_on(&found, "--tls-min-v1.3"));
        assert!(is_on(&options("--no-tls-min-v1.3 --tls-min-v1.3"), "--tls-min-v1.3"));
    }
}
