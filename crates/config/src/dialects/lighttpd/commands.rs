//! `ssl.openssl.ssl-conf-cmd`: what its elements mean (SSL_CONF_cmd(3); `mod_openssl.c` adds `SecurityLevel`).

use tlswhy_wire::ProtocolVersion;

use super::Program;
use super::tree::{Entry, Value};
use crate::language::names;
use crate::service::{Library, Trouble};
use crate::setting::{CipherList, Language, Setting, Settings, Shadowed};
use crate::span::{Origin, Span};

/// The setting's name.
pub(super) const LIST: &str = "ssl.openssl.ssl-conf-cmd";

/// The element of this name: the later counts, as SSL_CONF_cmd(3) applies them one after the other.
fn element<'e>(list: &'e Entry, wanted: &[&str]) -> Option<(&'e str, &'e Span, &'e Value)> {
    let elements = list.value.elements().iter().rev();
    let named = elements.filter_map(|(key, at, value)| Some((key.as_deref()?, at, value)));
    let mut fitting = named.filter(|(key, ..)| wanted.iter().any(|wanted| key.eq_ignore_ascii_case(wanted)));
    fitting.next()
}

fn setting<T>(list: &Entry, wanted: &[&str], read: impl Fn(&str) -> Option<T>) -> Option<Setting<T>> {
    let (key, at, value) = element(list, wanted)?;
    let text = value.text();
    let origin = Origin::file(at.clone(), value.span.clone(), value.via.as_ref());
    Some(Setting::new(format!("{LIST} {key}"), read(&text)?, text, origin))
}

/// Adds what the list says to the settings. `replaced` is the list of the global scope that this one takes the place of.
pub(super) fn apply(list: Option<&Entry>, replaced: Option<&Entry>, program: Program, settings: &mut Settings) {
    let version = |text: &str| match text {
        text if text.eq_ignore_ascii_case("none") => Some(ProtocolVersion::TLSV1_0),
        text => names::version(text),
    };
    let highest =
        |text: &str| if text.eq_ignore_ascii_case("none") { Some(ProtocolVersion::TLSV1_3) } else { names::version(text) };
    settings.minimum_version = list.and_then(|list| setting(list, &["MinProtocol"], version));
    settings.maximum_version = list.and_then(|list| setting(list, &["MaxProtocol"], highest));
    settings.versions = list.and_then(|list| setting(list, &["Protocol"], protocols));
    if settings.minimum_version.is_none()
        && let Some(lowest) = program.lowest()
    {
        let by = Origin::built_in(program.name());
        settings.minimum_version = Some(Setting::new(format!("{LIST} MinProtocol"), lowest, lowest.to_string(), by));
    }
    if let Some(list) = list {
        let ciphers = |text: &str| {
            let text = if text.trim().is_empty() { "HIGH" } else { text };
            // lighttpd appends this itself.
            Some(CipherList { language: Language::OpenSsl, text: format!("{text}:!aNULL:!eNULL:!EXP") })
        };
        if let Some(mut string) = setting(list, &["CipherString"], ciphers) {
            let old = settings.cipher_list.take().filter(|old| old.origin.span().is_some());
            string.shadowed.extend(old.map(|old| Shadowed {
                name: old.name,
                text: old.text,
                origin: old.origin,
                why: "CipherString is applied after it".to_owned(),
                meant_to_count: true,
            }));
            settings.cipher_list = Some(string);
        }
        settings.cipher_suites = setting(list, &["Ciphersuites"], names::suites);
        settings.groups = setting(list, &["Groups", "Curves"], names::groups);
        settings.signature_algorithms = setting(list, &["SignatureAlgorithms"], names::signature_schemes);
        settings.dh_parameters = setting(list, &["DHParameters"], |text| Some(text.to_owned()));
        settings.security_level = setting(list, &["SecurityLevel"], |text| text.parse().ok());
        let words = |text: &str| Some(text.split(',').map(|word| word.trim().to_owned()).collect::<Vec<_>>());
        settings.options = setting(list, &["Options"], words);
        let preference = |text: &str| {
            let word = text.split(',').map(str::trim).rev().find(|word| word.ends_with("ServerPreference"))?;
            Some(!word.starts_with('-'))
        };
        if let Some(preference) = setting(list, &["Options"], preference) {
            settings.server_preference = Some(preference);
        }
    }
    if let (Some(replaced), Some(list)) = (replaced, list) {
        shadow(replaced, list, settings);
    }
}

/// What is claimed of modules for other libraries: of mod_gnutls both ends of the range and the groups, of the others nothing. Suites it
/// takes by a few lists of its own, or does not start (measured on 1.4.69).
pub(super) fn with_another_library(library: &Library, program: Program, of_openssl: Settings) -> Settings {
    let Settings { tls, minimum_version, maximum_version, groups, .. } = of_openssl;
    let settings = Settings { tls, ..Settings::default() };
    if !matches!(library, Library::GnuTls(_)) {
        return settings;
    }
    let minimum_version = match (minimum_version, program.lowest()) {
        (Some(written), Some(default)) if written.text.eq_ignore_ascii_case("TLSv1") => {
            let mut lowest = Setting::new(written.name.clone(), default, default.to_string(), Origin::built_in(program.name()));
            let why = "mod_gnutls knows no version `TLSv1` (it is `TLSv1.0` there), warns, and its default counts";
            lowest.shadow([crate::dialects::client::shadowed(&written, why, true)]);
            Some(lowest)
        }
        (written, _) => written,
    };
    Settings { minimum_version, maximum_version, groups, ..settings }
}

/// The names that SSL_CONF_cmd(3) takes in files, and lighttpd's own `SecurityLevel`.
const KNOWN: &[&str] = &[
    "certificate",
    "chaincafile",
    "chaincapath",
    "cipherstring",
    "ciphersuites",
    "clientcafile",
    "clientcapath",
    "clientsignaturealgorithms",
    "curves",
    "dhparameters",
    "ecdhparameters",
    "groups",
    "maxprotocol",
    "minprotocol",
    "numtickets",
    "options",
    "privatekey",
    "protocol",
    "recordpadding",
    "requestcafile",
    "requestcapath",
    "securitylevel",
    "serverinfofile",
    "signaturealgorithms",
    "verifycafile",
    "verifycapath",
    "verifymode",
];

/// What lighttpd does not start with (measured with mod_openssl).
pub(super) fn complain(list: &Entry, troubles: &mut Vec<Trouble>) {
    for (key, at, value) in list.value.elements() {
        let lower = key.as_deref().unwrap_or_default().to_ascii_lowercase();
        let text = value.text();
        let bound = lower == "minprotocol" || lower == "maxprotocol";
        let says = if !KNOWN.contains(&lower.as_str()) {
            format!("OpenSSL knows no command `{}`: lighttpd does not start", key.as_deref().unwrap_or_default())
        } else if bound && names::version(&text).is_none() && !text.eq_ignore_ascii_case("none") && !text.contains("${") {
            format!("`{text}` is no version: lighttpd does not start")
        } else {
            continue;
        };
        troubles.push(Trouble { at: Some(at.clone()), says, fatal: true });
    }
}

/// What the global list says and the socket's, which replaces it as a whole, does not repeat.
fn shadow(replaced: &Entry, list: &Entry, settings: &mut Settings) {
    for (key, at, value) in replaced.value.elements() {
        let Some(key) = key else { continue };
        let repeated = element(list, &[key.as_str()]).is_some();
        let why = if repeated {
            "the socket's own list says otherwise"
        } else {
            "the socket's own list takes the place of the whole global list"
        };
        let shadowed = Shadowed {
            name: format!("{LIST} {key}"),
            text: value.text(),
            origin: Origin::file(at.clone(), value.span.clone(), value.via.as_ref()),
            why: why.to_owned(),
            meant_to_count: !repeated,
        };
        let lower = key.to_ascii_lowercase();
        let place = match lower.as_str() {
            "maxprotocol" => settings.maximum_version.as_mut().map(|one| &mut one.shadowed),
            "protocol" => settings.versions.as_mut().map(|one| &mut one.shadowed),
            "cipherstring" => settings.cipher_list.as_mut().map(|one| &mut one.shadowed),
            "ciphersuites" => settings.cipher_suites.as_mut().map(|one| &mut one.shadowed),
            "groups" | "curves" => settings.groups.as_mut().map(|one| &mut one.shadowed),
            _ => None,
        };
        match place {
            Some(place) => place.push(shadowed),
            // Where nothing rivals it, the lowest version is the nearest that there is to tell it by.
            None => settings.minimum_version.iter_mut().for_each(|one| one.shadowed.push(shadowed.clone())),
        }
    }
}

/// `Protocol`: a list with signs, from all versions on.
fn protocols(text: &str) -> Option<Vec<ProtocolVersion>> {
    let all = [ProtocolVersion::TLSV1_0, ProtocolVersion::TLSV1_1, ProtocolVersion::TLSV1_2, ProtocolVersion::TLSV1_3];
    let mut on: Vec<ProtocolVersion> = all.to_vec();
    for word in text.split(',').map(str::trim).filter(|word| !word.is_empty()) {
        let (off, name) = match word.strip_prefix('-') {
            Some(name) => (true, name),
            None => (false, word.trim_start_matches('+')),
        };
        let meant: Vec<ProtocolVersion> =
            if name.eq_ignore_ascii_case("all") { all.to_vec() } else { vec![names::version(name)?] };
        on.retain(|version| !meant.contains(version));
        if !off {
            on.extend(meant);
        }
    }
    on.sort_unstable();
    Some(on)
}
