//! Go: GODEBUG, and the files of trust anchors.
//!
//! Sources: <https://go.dev/doc/godebug>, src/internal/godebugs/table.go, src/crypto/tls and src/crypto/x509/root_unix.go of Go 1.21 to 1.27; measured on each of them.

use tlswhy_wire::{CipherSuite, NamedGroup};

use super::{Environment, push, trouble, trust};
use crate::dialects::{Context, client};
use crate::effective::go;
use crate::release::Release;
use crate::service::{Library, Note, Reading};
use crate::setting::{CipherList, Language};

const NAMES: &[&str] = &["GODEBUG", "SSL_CERT_DIR", "SSL_CERT_FILE"];

/// A switch that bears on what a client offers.
pub(super) struct Switch {
    pub(super) key: &'static str,
    /// The value that does not do what the release does by itself.
    pub(super) other: &'static str,
    /// The releases that know it: from, and before.
    since: Release,
    before: Option<Release>,
}

const fn switch(key: &'static str, other: &'static str, since: u32, before: Option<Release>) -> Switch {
    Switch { key, other, since: Release::new(1, since, 0), before }
}

/// Those that went with 1.27 stop a program that sets them to the old value (measured; runtime: "removed GODEBUG").
pub(super) const SWITCHES: &[Switch] = &[
    switch("tls10server", "1", 22, Some(GONE)),
    switch("tlsrsakex", "1", 22, Some(GONE)),
    switch("tls3des", "1", 23, Some(GONE)),
    switch("tlskyber", "0", 23, Some(Release::new(1, 24, 0))),
    switch("tlsmlkem", "0", 24, None),
    switch("tlssha1", "1", 25, None),
    switch("tlssecpmlkem", "0", 26, None),
    switch("tlsunsafeekm", "1", 22, Some(GONE)),
    switch("x509keypairleaf", "0", 23, Some(GONE)),
    switch("x509sha1", "1", 18, Some(Release::new(1, 24, 0))),
];
const GONE: Release = Release::new(1, 27, 0);

/// `KEY=VALUE` with commas between; the last of a key counts.
fn switches(text: &str) -> Vec<(&str, &str)> {
    let mut found: Vec<(&str, &str)> = Vec::new();
    for (key, value) in text.split(',').filter_map(|pair| pair.trim().split_once('=')).take(1000) {
        found.retain(|(known, _)| *known != key);
        found.push((key, value));
    }
    found
}

pub(super) fn read(context: &Context<'_>, environment: &Environment, reading: &mut Reading) {
    if !NAMES.iter().any(|name| environment.last(name).is_some()) {
        return;
    }
    let release = context.files.release_of("go");
    let title = "programs of Go with this environment".to_owned();
    let mut service = client::service("environment", title, ("Go", release), Library::Go(release));
    let mut notes = Vec::new();
    if let Some(debug) = environment.setting("GODEBUG") {
        let at = debug.origin.span().cloned();
        let known: Vec<(&Switch, bool)> = switches(&debug.value)
            .iter()
            .filter_map(|(key, value)| Some((SWITCHES.iter().find(|switch| switch.key == *key)?, *value)))
            .map(|(switch, value)| (switch, value == switch.other))
            .collect();
        for (switch, on) in &known {
            let gone = |least: Release| release.is_some_and(|release| release >= least);
            if *on && switch.before.is_some() && gone(GONE) {
                let says =
                    format!("Go {GONE} and newer do not start with `{}={}`: the switch is gone", switch.key, switch.other);
                reading.troubles.push(trouble(at.as_ref(), says));
            } else if *on && release.is_some_and(|release| release < switch.since) || switch.before.is_some_and(gone) {
                let says = format!("this Go has no switch `{}`", switch.key);
                notes.push(Note { at: at.clone(), says });
            }
        }
        let on = |key: &str| known.iter().any(|(switch, on)| switch.key == key && *on && switch.counts(release));
        match release {
            Some(release) => {
                let old = [on("tlsrsakex"), on("tls3des")];
                if old.contains(&true)
                    && let Some(suites) = go::suites_with(release, old[0], old[1])
                {
                    let text = suites.iter().map(CipherSuite::to_string).collect::<Vec<_>>().join(" ");
                    service.settings.cipher_list = Some(debug.clone().map(|_| CipherList { language: Language::Iana, text }));
                }
                let without = [on("tlsmlkem") || on("tlskyber"), on("tlssecpmlkem")];
                if without.contains(&true)
                    && let Some(groups) = go::groups(release, !without[0])
                {
                    let kept = |group: &NamedGroup| {
                        !without[1] || ![NamedGroup::SECP256R1MLKEM768, NamedGroup::SECP384R1MLKEM1024].contains(group)
                    };
                    service.settings.groups = Some(debug.clone().map(|_| groups.into_iter().filter(kept).collect()));
                }
                if on("tlssha1")
                    && let Some(schemes) = go::schemes(release, true)
                {
                    service.settings.signature_algorithms = Some(debug.clone().map(|_| schemes));
                }
            }
            None if !known.is_empty() => {
                let says = "what GODEBUG changes depends on the release that the program was built with, which is not known";
                notes.push(Note { at, says: says.to_owned() });
            }
            None => {}
        }
    }
    service.settings.trust = trust(environment, &mut notes);
    push(reading, service, environment, NAMES, notes);
}

impl Switch {
    /// Whether a release knows it.
    fn counts(&self, release: Option<Release>) -> bool {
        release.is_some_and(|release| release >= self.since && self.before.is_none_or(|before| release < before))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_value_of_a_switch_counts() {
        assert_eq!(switches("tlsmlkem=0, x ,tlsrsakex=1,tlsmlkem=1"), [("tlsrsakex", "1"), ("tlsmlkem", "1")]);
    }
}
