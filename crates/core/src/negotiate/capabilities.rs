//! What each side can do, read from what was seen.

use std::collections::BTreeMap;

use tlswhy_model::{ClientPolicy, ClientProfile};
use tlswhy_wire::{
    AlertDescription, CipherSuite, ExtensionSpec, ExtensionType, HelloSpec, KeyExchangeParams, NamedGroup, ProtocolVersion,
    SignatureScheme,
};

use super::chain_authentication;
use crate::case::Seen;
use crate::chain::KeyKind;
use crate::knowledge::local_openssl::{LOWEST, floors};

/// A fact about one value: never a bool, for "not asked" is not "no".
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Support {
    /// Seen to be taken.
    Accepted,
    /// Seen to be refused, in contrast to an attempt that worked.
    Refused,
    /// Not asked.
    Untested,
}

/// What a client brings.
#[derive(Clone, Debug)]
pub struct ClientCapabilities {
    /// Versions, highest first.
    pub versions: Vec<ProtocolVersion>,
    /// Suites in its order, without GREASE and signalling values.
    pub suites: Vec<CipherSuite>,
    /// Groups in its order, without GREASE.
    pub groups: Vec<NamedGroup>,
    /// Signature schemes; `None` where its hello names none.
    pub schemes: Option<Vec<SignatureScheme>>,
    /// Application protocols.
    pub alpn: Vec<String>,
    /// What the bytes do not tell.
    pub policy: ClientPolicy,
}

impl ClientCapabilities {
    /// Reads a profile.
    pub fn of(client: &ClientProfile) -> ClientCapabilities {
        Self::of_hello(&client.hello, &client.policy)
    }

    /// Reads a hello and a policy.
    pub fn of_hello(hello: &HelloSpec, policy: &ClientPolicy) -> ClientCapabilities {
        ClientCapabilities {
            versions: offered_versions(hello, policy),
            suites: hello.real_suites(),
            groups: hello.groups().into_iter().filter(|group| !group.is_grease()).collect(),
            schemes: hello
                .signature_schemes()
                .map(|schemes| schemes.into_iter().filter(|scheme| !scheme.is_grease()).collect()),
            alpn: hello.alpn().iter().filter(|name| name.is_ascii()).cloned().collect(),
            policy: with_floors(policy),
        }
    }

    /// Suites that can be agreed at `version`.
    pub fn suites_at(&self, version: ProtocolVersion) -> Vec<CipherSuite> {
        self.suites.iter().copied().filter(|suite| usable_at(*suite, version)).collect()
    }
}

/// The policy with what its security level implies (SSL_CTX_set_security_level(3)).
fn with_floors(policy: &ClientPolicy) -> ClientPolicy {
    let mut policy = policy.clone();
    if let Some(level) = policy.security_level {
        let (finite, curve) = floors(level);
        policy.minimum_dh_bits.get_or_insert(finite);
        policy.minimum_rsa_bits.get_or_insert(finite);
        policy.minimum_ecdsa_bits.get_or_insert(curve);
    }
    policy
}

/// Whether a suite can be agreed at a version; a suite that the registry does not know may be.
pub fn usable_at(suite: CipherSuite, version: ProtocolVersion) -> bool {
    suite.details().is_none_or(|row| row.usable_with(version))
}

/// The versions that a hello offers, highest first. Without supported_versions it is a range that ends at `legacy_version`;
/// its lower end is policy, not bytes.
pub fn offered_versions(hello: &HelloSpec, policy: &ClientPolicy) -> Vec<ProtocolVersion> {
    let mut versions: Vec<ProtocolVersion> =
        hello.offered_versions().into_iter().filter(|version| !version.is_grease()).collect();
    if hello.extension(ExtensionType::SUPPORTED_VERSIONS).is_none() {
        let highest = hello.legacy_version;
        let lowest = policy.minimum_version.unwrap_or(LOWEST).min(highest);
        versions = VERSIONS.iter().copied().filter(|version| (lowest..=highest).contains(version)).collect();
    } else if let Some(lowest) = policy.minimum_version {
        versions.retain(|version| *version >= lowest);
    }
    versions.sort_unstable();
    versions.dedup();
    versions.reverse();
    versions
}

/// The versions that are asked about, lowest first.
pub const VERSIONS: &[ProtocolVersion] = &[
    ProtocolVersion::SSLV2,
    ProtocolVersion::SSLV3,
    ProtocolVersion::TLSV1_0,
    ProtocolVersion::TLSV1_1,
    ProtocolVersion::TLSV1_2,
    ProtocolVersion::TLSV1_3,
];

/// By whose order a server chooses among the suites that it shares with a client.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum SuiteOrder {
    /// It is not known.
    #[default]
    Unknown,
    /// The client's.
    Client,
    /// This one.
    Server(Vec<CipherSuite>),
}

/// What a server does, as far as it was asked.
#[derive(Clone, Debug, Default)]
pub struct ServerCapabilities {
    /// Versions.
    pub versions: BTreeMap<ProtocolVersion, Support>,
    /// Suites by version.
    pub suites: BTreeMap<(ProtocolVersion, CipherSuite), Support>,
    /// By whose order it chooses among shared suites, up to TLS 1.2.
    pub order: SuiteOrder,
    /// Groups by version.
    pub groups: BTreeMap<(ProtocolVersion, NamedGroup), Support>,
    /// Signature schemes by version: those that it signed with, or refused.
    pub schemes: BTreeMap<(ProtocolVersion, SignatureScheme), Support>,
    /// Whether it has an application protocol in common with each list that was offered.
    pub alpn: BTreeMap<Vec<String>, Support>,
    /// RFC 5746, in TLS 1.2 and below.
    pub secure_renegotiation: Option<bool>,
    /// Extended master secret (RFC 7627), in TLS 1.2 and below.
    pub extended_master_secret: Option<bool>,
    /// Size of its finite-field prime, bits.
    pub dh_bits: Option<u32>,
    /// Kind of the key in its certificate, by suite authentication.
    pub certificate_key: Option<KeyKind>,
}

impl ServerCapabilities {
    /// Reads everything seen of one server under one name and one upgrade.
    pub fn of<'a>(seen: impl Iterator<Item = &'a Seen<'a>>) -> ServerCapabilities {
        let seen: Vec<&Seen<'_>> = seen.filter(|seen| seen.hello().is_some()).collect();
        let mut server = ServerCapabilities::default();
        for attempt in &seen {
            server.learn_from_choice(attempt);
        }
        for attempt in &seen {
            server.learn_from_refusal(attempt, &seen);
        }
        server
    }

    /// What is known of a version.
    pub fn version(&self, version: ProtocolVersion) -> Support {
        self.versions.get(&version).copied().unwrap_or(Support::Untested)
    }

    /// Versions seen to be accepted, lowest first.
    pub fn accepted_versions(&self) -> Vec<ProtocolVersion> {
        accepted(&self.versions)
    }

    /// What is known of a suite at a version.
    pub fn suite(&self, version: ProtocolVersion, suite: CipherSuite) -> Support {
        self.suites.get(&(version, suite)).copied().unwrap_or(Support::Untested)
    }

    /// Suites seen to be accepted at a version.
    pub fn accepted_suites(&self, version: ProtocolVersion) -> Vec<CipherSuite> {
        accepted(&self.suites).into_iter().filter(|(at, _)| *at == version).map(|(_, suite)| suite).collect()
    }

    /// What is known of a group at a version.
    pub fn group(&self, version: ProtocolVersion, group: NamedGroup) -> Support {
        self.groups.get(&(version, group)).copied().unwrap_or(Support::Untested)
    }

    /// Groups seen to be accepted at a version.
    pub fn accepted_groups(&self, version: ProtocolVersion) -> Vec<NamedGroup> {
        accepted(&self.groups).into_iter().filter(|(at, _)| *at == version).map(|(_, group)| group).collect()
    }

    /// Signature schemes that it was seen to sign with at a version.
    pub fn accepted_schemes(&self, version: ProtocolVersion) -> Vec<SignatureScheme> {
        accepted(&self.schemes).into_iter().filter(|(at, _)| *at == version).map(|(_, scheme)| scheme).collect()
    }

    /// What is known of a signature scheme at a version.
    pub fn scheme(&self, version: ProtocolVersion, scheme: SignatureScheme) -> Support {
        self.schemes.get(&(version, scheme)).copied().unwrap_or(Support::Untested)
    }

    /// Whether its certificate is of the kind that a suite authenticates with; where no certificate was seen, it may be.
    pub fn has_the_key_for(&self, version: ProtocolVersion, suite: CipherSuite) -> bool {
        let (Some(key), Some(row)) = (self.certificate_key, suite.details()) else { return true };
        version >= ProtocolVersion::TLSV1_3 || row.authentication == chain_authentication(key)
    }

    fn learn_from_choice(&mut self, seen: &Seen<'_>) {
        if seen.speaks_sslv2() {
            self.versions.insert(ProtocolVersion::SSLV2, Support::Accepted);
        }
        let (Some(hello), Some(answer)) = (seen.hello(), seen.server_hello()) else {
            return;
        };
        let version = answer.selected_version.value;
        self.versions.insert(version, Support::Accepted);
        // A server takes the highest version that both have (RFC 8446 §4.2.1), so the higher ones offered are refused; the
        // downgrade mark says that it could do more and was kept from it (§4.1.3).
        if answer.downgrade_sentinel().is_none() {
            for higher in offered_versions(hello, &ClientPolicy::default()) {
                if higher > version {
                    self.versions.entry(higher).or_insert(Support::Refused);
                }
            }
        }
        if !seen.chose() {
            return;
        }
        self.suites.insert((version, answer.cipher_suite.value), Support::Accepted);
        if let Some(group) = seen.group() {
            self.groups.insert((version, group), Support::Accepted);
        }
        if let Some(scheme) = signature_scheme(seen) {
            self.schemes.insert((version, scheme), Support::Accepted);
        }
        if let Some(bits) = dh_bits(seen) {
            self.dh_bits = Some(self.dh_bits.map_or(bits, |known| known.min(bits)));
        }
        if version <= ProtocolVersion::TLSV1_2 && hello.offers_renegotiation_info() {
            self.secure_renegotiation = Some(answer.has_renegotiation_info());
        }
        if version <= ProtocolVersion::TLSV1_2 && hello.extension(ExtensionType::EXTENDED_MASTER_SECRET).is_some() {
            self.extended_master_secret = Some(answer.has_extended_master_secret());
        }
        if let Some(list) = seen.certificates()
            && let Some(kind) = list.entries.first().and_then(|leaf| KeyKind::of_der(&leaf.value))
        {
            self.certificate_key = Some(kind);
        }
        if !hello.alpn().is_empty() {
            self.alpn.insert(hello.alpn().to_vec(), Support::Accepted);
        }
    }

    /// A failing attempt beside a working one that offered the same and more of just one thing: what the failing one had of
    /// it is refused. A hello that offers everything at one version, and fails, refuses the version.
    fn learn_from_refusal(&mut self, failing: &Seen<'_>, all: &[&Seen<'_>]) {
        let Some(hello) = failing.hello() else { return };
        if failing.chose() || !failing.reached_the_server() || failing.awaited().is_none() {
            return;
        }
        let offered = offered_versions(hello, &ClientPolicy::default());
        if failing.alert() == Some(AlertDescription::PROTOCOL_VERSION) || is_control(hello) {
            for version in &offered {
                if *version >= ProtocolVersion::SSLV3 {
                    self.versions.entry(*version).or_insert(Support::Refused);
                }
            }
        }
        for working in all {
            let (true, Some(wider), Some(version)) = (working.chose(), working.hello(), working.version()) else {
                continue;
            };
            match difference(hello, wider) {
                Some(Knob::Suites) => {
                    for suite in hello.real_suites() {
                        if usable_at(suite, version) {
                            self.suites.entry((version, suite)).or_insert(Support::Refused);
                        }
                    }
                }
                Some(Knob::Groups) => {
                    for group in hello.groups() {
                        self.groups.entry((version, group)).or_insert(Support::Refused);
                    }
                }
                Some(Knob::Schemes) => {
                    for scheme in hello.signature_schemes().unwrap_or_default() {
                        self.schemes.entry((version, scheme)).or_insert(Support::Refused);
                    }
                }
                Some(Knob::Alpn) => {
                    self.alpn.entry(hello.alpn().to_vec()).or_insert(Support::Refused);
                }
                Some(Knob::Versions) | None => {}
            }
        }
    }
}

/// The signature scheme that the server signed the key exchange with.
pub fn signature_scheme(seen: &Seen<'_>) -> Option<SignatureScheme> {
    let verify = seen.decrypted.as_ref().and_then(|transcript| transcript.certificate_verify());
    verify
        .map(|located| located.value.signature_scheme.value)
        .or_else(|| Some(seen.key_exchange()?.signature_scheme.as_ref()?.value))
}

/// Size of the finite-field prime in ServerKeyExchange, bits.
fn dh_bits(seen: &Seen<'_>) -> Option<u32> {
    match &seen.key_exchange()?.params {
        KeyExchangeParams::Dhe { prime_bits, .. } => Some(*prime_bits),
        _ => None,
    }
}

/// One thing in which two hellos can differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Knob {
    /// Versions (and the extensions that belong to TLS 1.3).
    Versions,
    /// Cipher suites.
    Suites,
    /// Groups and key shares.
    Groups,
    /// Signature schemes.
    Schemes,
    /// Application protocols.
    Alpn,
}

impl Knob {
    /// The field of the hello, in the field's words.
    pub fn field(self) -> &'static str {
        match self {
            Knob::Versions => "supported_versions",
            Knob::Suites => "cipher_suites",
            Knob::Groups => "supported_groups",
            Knob::Schemes => "signature_algorithms",
            Knob::Alpn => "application_layer_protocol_negotiation",
        }
    }

    /// `base` with this thing as in `client`, restricted to what has a meaning at `version`.
    pub fn narrow(self, base: HelloSpec, client: &HelloSpec, version: ProtocolVersion) -> HelloSpec {
        match self {
            Knob::Versions => base,
            Knob::Suites => {
                let suites =
                    client.cipher_suites.iter().copied().filter(|suite| suite.is_signalling() || usable_at(*suite, version));
                base.with_suites(suites.filter(|suite| !suite.is_grease()).collect())
            }
            Knob::Groups => {
                let groups: Vec<NamedGroup> = client.groups().into_iter().filter(|group| !group.is_grease()).collect();
                let shares: Vec<NamedGroup> = client.key_shares().into_iter().filter(|group| !group.is_grease()).collect();
                let shares = if version >= ProtocolVersion::TLSV1_3 { shares } else { Vec::new() };
                base.with_groups(&groups, &shares)
            }
            Knob::Schemes => match client.signature_schemes() {
                Some(schemes) if version >= ProtocolVersion::TLSV1_2 => base.with_signature_schemes(&schemes),
                _ => base,
            },
            Knob::Alpn => {
                let names: Vec<&str> = client.alpn().iter().map(String::as_str).collect();
                base.with_alpn(&names)
            }
        }
    }
}

/// The one thing in which `narrow` offers other than `wide`; `None` where they differ in none or in several, lengths aside.
fn difference(narrow: &HelloSpec, wide: &HelloSpec) -> Option<Knob> {
    let mut differing = [
        (Knob::Versions, narrow.offered_versions() != wide.offered_versions() || narrow.legacy_version != wide.legacy_version),
        (Knob::Suites, narrow.real_suites() != wide.real_suites()),
        (Knob::Groups, narrow.groups() != wide.groups() || narrow.key_shares() != wide.key_shares()),
        (Knob::Schemes, narrow.signature_schemes() != wide.signature_schemes()),
        (Knob::Alpn, narrow.alpn() != wide.alpn()),
    ]
    .into_iter()
    .filter(|(_, differs)| *differs)
    .map(|(knob, _)| knob);
    let only = differing.next()?;
    let same_rest =
        narrow.server_name() == wide.server_name() && narrow.fragment == wide.fragment && narrow.pad_to == wide.pad_to;
    (differing.next().is_none() && same_rest).then_some(only)
}

/// The fields in which two hellos differ, in the field's words: for people to see what a contrast rests on.
pub fn differing_fields(a: &HelloSpec, b: &HelloSpec) -> Vec<&'static str> {
    let rest = |hello: &HelloSpec| -> Vec<ExtensionType> {
        let known = [
            ExtensionType::SERVER_NAME,
            ExtensionType::SUPPORTED_VERSIONS,
            ExtensionType::SUPPORTED_GROUPS,
            ExtensionType::KEY_SHARE,
            ExtensionType::SIGNATURE_ALGORITHMS,
            ExtensionType::APPLICATION_LAYER_PROTOCOL_NEGOTIATION,
            ExtensionType::PSK_KEY_EXCHANGE_MODES,
            ExtensionType::PADDING,
        ];
        let types = hello.extensions.iter().flatten().map(ExtensionSpec::extension_type);
        let mut types: Vec<ExtensionType> = types.filter(|kind| !known.contains(kind)).collect();
        types.sort_unstable();
        types
    };
    let versions = a.legacy_version != b.legacy_version || a.offered_versions() != b.offered_versions();
    let fields = [
        ("format", a.format != b.format),
        ("server_name", a.server_name() != b.server_name()),
        ("supported_versions", versions),
        ("cipher_suites", a.cipher_suites != b.cipher_suites),
        ("supported_groups", a.groups() != b.groups() || (!versions && a.key_shares() != b.key_shares())),
        ("signature_algorithms", a.signature_schemes() != b.signature_schemes()),
        ("application_layer_protocol_negotiation", a.alpn() != b.alpn()),
        ("other extensions", rest(a) != rest(b)),
        ("fragmentation", a.fragment != b.fragment),
    ];
    let mut differing: Vec<&'static str> = fields.into_iter().filter(|(_, differs)| *differs).map(|(field, _)| field).collect();
    if differing.is_empty() && a.message_length() != b.message_length() {
        differing.push("length of the ClientHello");
    }
    differing
}

/// Whether a hello is one of our controls: it offers every suite of its version.
fn is_control(hello: &HelloSpec) -> bool {
    use crate::knowledge::controls;
    let name = hello.server_name();
    [controls::tls13(name), controls::tls12(name), controls::tls11(name), controls::tls10(name), controls::ssl3()]
        .contains(hello)
}

fn accepted<K: Copy + Ord>(facts: &BTreeMap<K, Support>) -> Vec<K> {
    facts.iter().filter(|(_, support)| **support == Support::Accepted).map(|(key, _)| *key).collect()
}
