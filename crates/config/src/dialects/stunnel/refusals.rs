//! What stunnel does not start with (measured on 5.68).

use super::{PROTOCOLS, Section, switches_off, version};
use crate::dialects::lines::Line;
use crate::language::names;
use crate::language::openssl_ciphers::selects_nothing;
use crate::release::Release;
use crate::service::Trouble;

/// Options that are `yes` or `no`.
const SWITCHES: &[&str] = &["client", "verifyChain", "verifyPeer", "requireCert"];
/// Protocols that are spoken before TLS and are none of [`PROTOCOLS`].
const OTHER_PROTOCOLS: &[&str] = &["cifs", "connect", "proxy", "socks", "capwin", "capwinctrl"];

/// Every line at fault, and every section without the lines that it needs.
pub(super) fn of(lines: &[Line], sections: &[Section<'_>], openssl: Option<Release>) -> Vec<Trouble> {
    let refuse = |line: &Line, says: String| {
        let says = format!("{says}: stunnel does not start with it");
        Trouble { at: line.at().cloned(), says, fatal: true }
    };
    let of_line = |line: &Line| Some(refuse(line, format!("`{} = {}` {}", line.name, line.value, fault(line, openssl)?)));
    let mut troubles: Vec<Trouble> = lines.iter().filter_map(of_line).collect();
    for section in sections {
        let (lowest, highest) = (section.lowest(), section.highest());
        if let (Some(lowest), Some(highest)) = (&lowest, &highest)
            && lowest.value > highest.value
            && let Some(line) = section.of(&["sslVersionMax", "sslVersion"]).last()
        {
            troubles.push(refuse(line, format!("{} to {} is no range", lowest.text, highest.text)));
        }
        let anchors = ["CAengine", "CAfile", "CApath"];
        if section.is_yes("verifyChain").is_some()
            && section.of(&anchors).is_empty()
            && let Some(line) = section.of(&["verifyChain"]).last()
        {
            troubles.push(refuse(line, "`verifyChain = yes` wants `CAfile` or `CApath`".to_owned()));
        }
    }
    troubles
}

/// What is wrong with a line.
fn fault(line: &Line, openssl: Option<Release>) -> Option<&'static str> {
    let is = |names: &[&str]| names.iter().any(|name| line.name.eq_ignore_ascii_case(name));
    let value = line.value.as_str();
    if is(&["sslVersion", "sslVersionMin", "sslVersionMax"]) {
        return (version(value).is_none() && !value.eq_ignore_ascii_case("all")).then_some("names no version");
    }
    if is(&["options"]) {
        let option = value.trim_start_matches('-').to_ascii_uppercase();
        let strange = option.starts_with("NO_TLS") && switches_off(&option).is_none() || option.starts_with("SSL_OP_");
        return strange.then_some("is no option of the library, as stunnel writes them");
    }
    if is(&["ciphers"]) {
        return openssl.is_some_and(|openssl| selects_nothing(value, openssl)).then_some("selects no suite");
    }
    if is(&["ciphersuites"]) {
        return names::suites(value).is_none().then_some("selects no suite of TLS 1.3");
    }
    if is(&["curve", "curves"]) {
        return value.split(':').any(|name| names::group(name).is_none()).then_some("names a group that OpenSSL does not know");
    }
    if is(&["securityLevel"]) {
        return (!value.parse::<u8>().is_ok_and(|level| level <= 5)).then_some("is no level");
    }
    if is(&["protocol"]) {
        let known = PROTOCOLS.iter().map(|(name, _)| name).chain(OTHER_PROTOCOLS).any(|name| *name == value);
        return (!known).then_some("is no protocol that stunnel speaks");
    }
    let switch = ["yes", "no"].iter().any(|word| word.eq_ignore_ascii_case(value));
    (is(SWITCHES) && !switch).then_some("is neither `yes` nor `no`")
}
