//! Connection policies: what each says, which of them rules for a name, and what that makes of a server.
//!
//! Of the policies of a server the first that fits the ClientHello counts, and it counts whole: nothing is inherited
//! (modules/caddytls/connpolicy.go).

use std::collections::{BTreeMap, HashMap};

use tlswhy_wire::{NamedGroup, ProtocolVersion};

use super::Program;
use crate::dialects::client;
use crate::release::Release;
use crate::service::{Heeds, Library, Listener, Note, Service, Side};
use crate::setting::{CipherList, ClientVerification, Language, Setting, Settings};
use crate::span::{Origin, Span};

/// Names of versions; Caddy 2 has no others.
pub(super) const VERSIONS: &[(&str, ProtocolVersion)] =
    &[("tls1.2", ProtocolVersion::TLSV1_2), ("tls1.3", ProtocolVersion::TLSV1_3)];
/// Names of groups. `x25519mlkem768` came with 2.10.
pub(super) const GROUPS: &[(&str, NamedGroup)] = &[
    ("x25519mlkem768", NamedGroup::X25519MLKEM768),
    ("x25519", NamedGroup::X25519),
    ("secp256r1", NamedGroup::SECP256R1),
    ("secp384r1", NamedGroup::SECP384R1),
    ("secp521r1", NamedGroup::SECP521R1),
];
/// The first release with `x25519mlkem768`.
pub(super) const HAS_HYBRID: Release = Release::new(2, 10, 0);
/// Default groups by release (modules/caddytls/values.go). 2.9 left them to the Go that it was built with.
const DEFAULT_GROUPS: &[(Release, Option<&str>)] = &[
    (HAS_HYBRID, Some("x25519mlkem768 x25519 secp256r1")),
    (Release::new(2, 9, 0), None),
    (Release::new(0, 0, 0), Some("x25519 secp256r1")),
];
/// Default suites (the same file; the same in all releases of Caddy 2).
const DEFAULT_SUITES: &str = "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384 TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384 \
                              TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256 TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256 \
                              TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256 TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256";
/// Default application protocols.
const DEFAULT_ALPN: &[&str] = &["h2", "http/1.1"];

/// Most labels of a name (RFC 1035: 255 bytes), and most policies of a server that are named as left out.
const MOST_LABELS: usize = 128;
const MOST_LEFT_OUT: usize = 20;

/// Why a policy does not count for a name, in JSON and in a Caddyfile.
const EARLIER: &str = "an earlier policy is for this name, and the first that fits counts";
const OF_ANOTHER: &str = "the `tls` of another site is for this name, and the first policy that fits counts";

const OF_LAST_PORT: &str = "the `tls` of a site with several ports counts for the names of the last port alone";

/// The groups of these names; `None` where one is not known.
pub(super) fn groups<'w>(mut words: impl Iterator<Item = &'w str>) -> Option<Vec<NamedGroup>> {
    let mut found: Vec<NamedGroup> = Vec::new();
    words.try_for_each(|word| {
        let (_, group) = GROUPS.iter().find(|(name, _)| *name == word)?;
        if !found.contains(group) {
            found.push(*group);
        }
        Some(())
    })?;
    Some(found)
}

/// A line within a `tls` directive, or a member of a policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Written {
    pub(super) name: String,
    pub(super) at: Span,
    pub(super) value: Span,
}

/// Where an edit of a policy goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Home {
    /// A `tls` directive: its first line, its opening brace, and what stands in the braces.
    Directive { at: Span, open: Option<Span>, lines: Vec<Written> },
    /// A site without one: its addresses, its opening brace.
    Site { at: Span, open: Option<Span> },
    /// A policy in JSON, and its members.
    Object { at: Span, members: Vec<Written> },
    /// A server in JSON without policies.
    Server { at: Span },
    /// Nothing is there to be edited.
    Nowhere,
}

/// A policy.
#[derive(Clone, Debug)]
pub(super) struct Policy {
    /// The names that it is for; `None` for all.
    pub(super) names: Option<Vec<String>>,
    /// A criterion besides the name, such as `remote_ip`: whether it counts cannot be told from a name.
    pub(super) besides: Option<(String, Span)>,
    /// What it says itself.
    pub(super) settings: Settings,
    pub(super) home: Home,
}

/// Which policy comes first for a name.
struct Order<'p> {
    /// By the names and patterns that policies are for.
    named: HashMap<&'p str, usize>,
    /// The first that is for all names.
    all: Option<usize>,
}

impl<'p> Order<'p> {
    fn of(policies: &'p [Policy]) -> Order<'p> {
        let mut order = Order { named: HashMap::new(), all: None };
        for (index, policy) in policies.iter().enumerate().filter(|(_, policy)| policy.besides.is_none()) {
            match &policy.names {
                Some(names) => {
                    for name in names {
                        order.named.entry(name).or_insert(index);
                    }
                }
                None => order.all = order.all.or(Some(index)),
            }
        }
        order
    }

    /// `None` stands for names that are nobody's. In patterns labels from the left on may be `*` (certmagic's MatchWildcard).
    fn first(&self, name: Option<&str>) -> Option<usize> {
        let mut first = name.and_then(|name| self.named.get(name)).copied();
        let labels: Vec<&str> = name.map(|name| name.split('.').take(MOST_LABELS).collect()).unwrap_or_default();
        for stars in 1..=labels.len() {
            let rest = labels.get(stars..).unwrap_or_default();
            let pattern = std::iter::repeat_n("*", stars).chain(rest.iter().copied()).collect::<Vec<_>>().join(".");
            first = [first, self.named.get(pattern.as_str()).copied()].into_iter().flatten().min();
        }
        [first, self.all].into_iter().flatten().min()
    }
}

/// What is spoken of together: a site, or a policy of a server in JSON.
#[derive(Clone, Debug)]
pub(super) struct Group {
    pub(super) title: String,
    /// Its names; empty for all.
    pub(super) names: Vec<String>,
    /// The policy that it brings.
    pub(super) own: Option<usize>,
    pub(super) declared: Option<Span>,
    /// Where a policy of its own would go.
    pub(super) home: Home,
    pub(super) notes: Vec<Note>,
}

/// One or more listeners with their policies, in the order in which they are asked.
#[derive(Clone, Debug)]
pub(super) struct Server {
    pub(super) listeners: Vec<Listener>,
    pub(super) tls: Setting<bool>,
    pub(super) policies: Vec<Policy>,
    pub(super) groups: Vec<Group>,
    /// The HTTP versions that are switched on, where a line says so.
    pub(super) protocols: Option<Setting<Vec<String>>>,
    /// Whether a site without settings of its own that another's wildcard rules is free of its client certificates.
    pub(super) shields: bool,
    /// Whether a name that no policy is for is refused (JSON); otherwise a policy without settings is for it.
    pub(super) refuses_others: bool,
}

impl Server {
    /// Its services, each with the place where edits of it go.
    pub(super) fn services(&self, program: &Program, found: &mut Vec<(Service, Home)>) {
        let order = Order::of(&self.policies);
        let left_out = self.left_out();
        for group in &self.groups {
            if !self.tls.value {
                let settings = Settings { tls: Some(self.tls.clone()), ..Settings::default() };
                found.push((self.service(program, group, group.names.clone(), settings, &[]), group.home.clone()));
                continue;
            }
            // Names that different policies rule are told apart.
            let mut ruled: BTreeMap<Option<usize>, Vec<String>> = BTreeMap::new();
            for name in &group.names {
                ruled.entry(order.first(Some(name))).or_default().push(name.clone());
            }
            if group.names.is_empty() {
                ruled.insert(order.first(None), Vec::new());
            }
            for (ruling, names) in ruled {
                let policy = ruling.and_then(|index| self.policies.get(index));
                let mut own = policy.map(|policy| policy.settings.clone()).unwrap_or_default();
                if self.shields && group.own.is_none() && policy.is_some_and(|policy| policy.names.is_some()) {
                    (own.client_verification, own.trust) = (None, None);
                }
                let mut settings = self.complete(program, own);
                if let Some(own) = group.own.filter(|own| Some(*own) != ruling).and_then(|own| self.policies.get(own)) {
                    let why = match (ruling, self.refuses_others) {
                        (None, _) => OF_LAST_PORT,
                        (Some(_), true) => EARLIER,
                        (Some(_), false) => OF_ANOTHER,
                    };
                    shade(&mut settings, &own.settings, why);
                }
                let home = match (policy, group.own) {
                    (Some(policy), _) => &policy.home,
                    (None, None) => &group.home,
                    (None, Some(_)) => &Home::Nowhere,
                };
                found.push((self.service(program, group, names, settings, &left_out), home.clone()));
            }
        }
    }

    /// Policies that go by more than names.
    fn left_out(&self) -> Vec<Note> {
        let besides = self.policies.iter().filter_map(|policy| policy.besides.as_ref()).take(MOST_LEFT_OUT);
        let note = |(what, at): &(String, Span)| Note {
            at: Some(at.clone()),
            says: format!("a policy that goes by `{what}` is left out: which connections it is for is not known"),
        };
        besides.map(note).collect()
    }

    fn service(&self, program: &Program, group: &Group, names: Vec<String>, settings: Settings, left_out: &[Note]) -> Service {
        let is_default = group.names.is_empty();
        let notes = group.notes.iter().chain(left_out).cloned().collect();
        Service {
            dialect: "caddy",
            side: Side::Server,
            title: group.title.clone(),
            listeners: self.listeners.iter().map(|listener| Listener { is_default, ..listener.clone() }).collect(),
            names,
            names_from_certificates: false,
            declared: group.declared.clone(),
            upgrade: None,
            program: ("Caddy".to_owned(), program.release),
            library: Library::Go(None),
            heeds: Heeds::NOTHING,
            settings,
            notes,
        }
    }

    /// What a policy says, and Caddy's defaults for the rest.
    fn complete(&self, program: &Program, mut settings: Settings) -> Settings {
        let by = program.by();
        settings.tls = Some(self.tls.clone());
        settings.minimum_version.get_or_insert_with(|| built_in("protocols", ProtocolVersion::TLSV1_2, "tls1.2", &by));
        settings.maximum_version.get_or_insert_with(|| built_in("protocols", ProtocolVersion::TLSV1_3, "tls1.3", &by));
        settings.cipher_list.get_or_insert_with(|| built_in("ciphers", list(DEFAULT_SUITES), DEFAULT_SUITES, &by));
        let row = DEFAULT_GROUPS.iter().find(|(since, _)| program.since(*since)).and_then(|(_, names)| *names);
        if let Some((names, known)) = row.and_then(|names| Some((names, groups(names.split(' '))?))) {
            settings.groups.get_or_insert_with(|| built_in("curves", known, names, &by));
        }
        settings.client_verification.get_or_insert_with(|| built_in("client_auth", ClientVerification::Off, "", &by));
        let default = || built_in("alpn", DEFAULT_ALPN.iter().map(|name| (*name).to_owned()).collect(), "h2 http/1.1", &by);
        let mut alpn = settings.alpn.take().unwrap_or_else(default);
        // What is switched off is taken out of every list (`servers { protocols … }`).
        if let Some(protocols) = &self.protocols {
            let on = |name: &str| protocols.value.iter().any(|protocol| protocol == name);
            let before = alpn.value.len();
            alpn.value.retain(|name| name != "h2" || on("h2"));
            alpn.value.retain(|name| name != "http/1.1" || on("h1"));
            if alpn.value.len() < before {
                alpn = Setting { value: alpn.value, ..protocols.clone().map(|_| Vec::new()) };
            }
        }
        settings.alpn = Some(alpn);
        if self.refuses_others {
            let unknown = !self.policies.iter().any(|policy| policy.names.is_none() && policy.besides.is_none());
            let none = || built_in("tls_connection_policies", unknown, "", &by);
            settings.refuses_unknown_names = unknown.then(none);
        }
        settings
    }
}

/// The suites of a list, by their IANA names.
pub(super) fn list(text: &str) -> CipherList {
    CipherList { language: Language::Iana, text: text.to_owned() }
}

fn built_in<T>(name: &str, value: T, text: &str, by: &str) -> Setting<T> {
    Setting::new(name, value, text, Origin::built_in(by))
}

/// What the own policy says, and an earlier one keeps from counting.
fn shade(ruling: &mut Settings, own: &Settings, why: &str) {
    fn one<T>(ruling: &mut Option<Setting<T>>, own: Option<&Setting<T>>, why: &str) {
        if let (Some(ruling), Some(own)) = (ruling, own) {
            ruling.shadowed.push(client::shadowed(own, why, true));
        }
    }
    one(&mut ruling.minimum_version, own.minimum_version.as_ref(), why);
    one(&mut ruling.maximum_version, own.maximum_version.as_ref(), why);
    one(&mut ruling.cipher_list, own.cipher_list.as_ref(), why);
    one(&mut ruling.groups, own.groups.as_ref(), why);
    one(&mut ruling.alpn, own.alpn.as_ref(), why);
    one(&mut ruling.client_verification, own.client_verification.as_ref(), why);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_policy_for_a_name_counts_and_a_star_stands_for_one_label() {
        let policy = |names: &[&str]| Policy {
            names: (!names.is_empty()).then(|| names.iter().map(|name| (*name).to_owned()).collect()),
            besides: None,
            settings: Settings::default(),
            home: Home::Nowhere,
        };
        let policies =
            [policy(&["*.a.test"]), policy(&["b.a.test", "*.*.test"]), policy(&["c.test"]), policy(&[]), policy(&["d"])];
        let order = Order::of(&policies);
        for (name, first) in
            [("b.a.test", 0), ("*.a.test", 0), ("x.b.test", 1), ("c.test", 2), ("a.test", 3), ("x.y.a.test", 3), ("d", 3)]
        {
            assert_eq!(order.first(Some(name)), Some(first), "{name}");
        }
        assert_eq!(order.first(None), Some(3));
        assert_eq!(Order::of(&policies[..3]).first(Some("d")), None);
    }
}
