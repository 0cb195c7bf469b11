//! Go's switches that bear on what a client offers, wherever they are set: GODEBUG, go.mod, `//go:debug` lines.
//!
//! Sources: <https://go.dev/doc/godebug>, src/internal/godebugs/table.go and src/crypto/tls of Go 1.21 to 1.27; measured on each of them.

use tlswhy_wire::{CipherSuite, NamedGroup};

use crate::effective::go;
use crate::release::Release;
use crate::setting::{CipherList, Language, Setting, Settings};
use crate::span::Span;

/// A switch that bears on what a client offers.
pub(super) struct Switch {
    pub(super) key: &'static str,
    /// The value that does not do what the release does by itself.
    pub(super) other: &'static str,
    /// The releases that know it: from, and before.
    pub(super) since: Release,
    before: Option<Release>,
}

const fn switch(key: &'static str, other: &'static str, since: u32, before: Option<Release>) -> Switch {
    Switch { key, other, since: Release::new(1, since, 0), before }
}

/// Those that went with 1.27 stop a program that sets them to the old value (measured; runtime: "removed GODEBUG"), and its build.
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

impl Switch {
    /// Whether a release knows it.
    pub(super) fn counts(&self, release: Release) -> bool {
        release >= self.since && self.before.is_none_or(|before| release < before)
    }
}

/// A switch that somebody set; of those of one key the last counts.
#[derive(Clone, Debug)]
pub(super) struct Given {
    pub(super) key: String,
    pub(super) value: String,
    /// The line or the variable that sets it.
    pub(super) by: Setting<String>,
}

impl Given {
    fn switch(&self) -> Option<&'static Switch> {
        SWITCHES.iter().find(|switch| switch.key == self.key)
    }

    pub(super) fn at(&self) -> Option<&Span> {
        self.by.origin.span()
    }
}

/// What is wrong with a switch that was set.
pub(super) enum Odd {
    /// No program starts with it, and none is built.
    Gone(String),
    /// It does nothing.
    Unknown(String),
    /// A program passes it over; its build does not.
    NotYet(String),
}

/// What is wrong with a switch for a release; `None` where nothing is, and where it is none of [`SWITCHES`].
pub(super) fn odd(given: &Given, release: Option<Release>) -> Option<Odd> {
    let switch = given.switch()?;
    let release = release?;
    let on = given.value == switch.other;
    if on && switch.before.is_some() && release >= GONE {
        return Some(Odd::Gone(format!("`{}={}`: the switch is gone since {GONE}", switch.key, switch.other)));
    }
    let says = format!("this Go has no switch `{}`", switch.key);
    if release < switch.since {
        return Some(Odd::NotYet(says));
    }
    switch.before.is_some_and(|before| release >= before).then_some(Odd::Unknown(says))
}

/// Whether any of these is a switch that bears on what a client offers.
pub(super) fn tells(given: &[Given]) -> bool {
    given.iter().any(|given| given.switch().is_some())
}

/// What these switches make of a release's defaults.
pub(super) fn apply(given: &[Given], release: Release, settings: &mut Settings) {
    let on = |key: &str| {
        let last = given.iter().rfind(|given| given.key == key)?;
        last.switch().filter(|switch| last.value == switch.other && switch.counts(release)).map(|_| last)
    };
    let (rsa, triple_des) = (on("tlsrsakex"), on("tls3des"));
    if let Some(by) = rsa.or(triple_des)
        && let Some(suites) = go::suites_with(release, rsa.is_some(), triple_des.is_some())
    {
        let text = suites.iter().map(CipherSuite::to_string).collect::<Vec<_>>().join(" ");
        settings.cipher_list = Some(by.by.clone().map(|_| CipherList { language: Language::Iana, text }));
    }
    let (hybrids, secp) = (on("tlsmlkem").or_else(|| on("tlskyber")), on("tlssecpmlkem"));
    if let Some(by) = hybrids.or(secp)
        && let Some(groups) = go::groups(release, hybrids.is_none())
    {
        let kept = |group: &NamedGroup| {
            secp.is_none() || ![NamedGroup::SECP256R1MLKEM768, NamedGroup::SECP384R1MLKEM1024].contains(group)
        };
        settings.groups = Some(by.by.clone().map(|_| groups.into_iter().filter(kept).collect()));
    }
    if let Some(by) = on("tlssha1")
        && let Some(schemes) = go::schemes(release, true)
    {
        settings.signature_algorithms = Some(by.by.clone().map(|_| schemes));
    }
}
