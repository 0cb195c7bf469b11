//! The negotiation as a function: what two sides agree on, or where they cannot; and the smallest secure change that helps.
//!
//! The same function explains (why is the intersection empty?), predicts a repair (the same, with one thing changed) and
//! predicts other clients (the same, with another client).

mod capabilities;

pub use capabilities::{
    ClientCapabilities, Knob, ServerCapabilities, SuiteOrder, Support, VERSIONS, differing_fields, offered_versions,
    signature_scheme, usable_at,
};
use tlswhy_wire::{Authentication, CipherSuite, KeyExchange, NamedGroup, ProtocolVersion, SignatureScheme};

/// What `negotiate` found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Negotiated {
    /// They agree.
    Agreed(Agreement),
    /// They cannot.
    Obstacle(Obstacle),
    /// Not enough is known of the server.
    Unknown(Knob),
}

/// What is agreed, as far as it is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Agreement {
    /// Version.
    pub version: ProtocolVersion,
    /// A suite that both have.
    pub suite: CipherSuite,
    /// A group that both have, where the suite needs one.
    pub group: Option<NamedGroup>,
}

/// Where a negotiation ends: an empty intersection, or a demand that is not met.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Obstacle {
    /// No version in common.
    Versions {
        /// Versions of the client.
        client: Vec<ProtocolVersion>,
        /// Versions that the server accepted.
        server: Vec<ProtocolVersion>,
    },
    /// No cipher suite in common.
    Suites {
        /// At this version.
        version: ProtocolVersion,
    },
    /// No key-exchange group in common.
    Groups {
        /// At this version.
        version: ProtocolVersion,
    },
    /// No signature scheme in common.
    Schemes {
        /// At this version.
        version: ProtocolVersion,
    },
    /// No application protocol in common.
    Alpn,
    /// The client insists on RFC 5746.
    SecureRenegotiation,
    /// The client insists on RFC 7627.
    ExtendedMasterSecret,
    /// The Diffie-Hellman prime is smaller than the client allows.
    DhSize {
        /// Bits of the server's prime.
        bits: u32,
        /// Bits that the client wants.
        floor: u32,
    },
    /// The client's library refuses the signatures of TLS 1.1 and below.
    LegacySignature {
        /// The version chosen.
        version: ProtocolVersion,
    },
}

/// Negotiates in the model.
pub fn negotiate(client: &ClientCapabilities, server: &ServerCapabilities) -> Negotiated {
    let Some(version) = client.versions.iter().copied().find(|version| server.version(*version) == Support::Accepted) else {
        // The untested ones could still be shared.
        if client.versions.iter().any(|version| server.version(*version) == Support::Untested) {
            return Negotiated::Unknown(Knob::Versions);
        }
        return Negotiated::Obstacle(Obstacle::Versions {
            client: client.versions.clone(),
            server: server.accepted_versions(),
        });
    };
    if client.versions.iter().any(|higher| *higher > version && server.version(*higher) == Support::Untested) {
        return Negotiated::Unknown(Knob::Versions);
    }

    let mut suites = client.suites_at(version);
    if let SuiteOrder::Server(order) = &server.order {
        suites.sort_by_key(|suite| order.iter().position(|own| own == suite).unwrap_or(usize::MAX));
    }
    // At TLS 1.3 all suites do with the same certificate and group.
    let order_is_known = version <= ProtocolVersion::TLSV1_2 && server.order != SuiteOrder::Unknown;
    let known = |wanted: Support| suites.iter().copied().filter(move |suite| server.suite(version, *suite) == wanted);
    let untested = known(Support::Untested).next().is_some();
    let (mut agreed, mut passed_over, mut refused, mut unknown) = (None, None, None, None);
    for suite in known(Support::Accepted) {
        match beyond_the_suite(client, server, version, suite) {
            Negotiated::Agreed(agreement) => agreed = agreed.or(Some(agreement)),
            Negotiated::Unknown(knob) => unknown = unknown.or(Some(knob)),
            // The server sees for itself that this suite does not do, and takes another.
            Negotiated::Obstacle(obstacle @ (Obstacle::Groups { .. } | Obstacle::Schemes { .. })) => {
                passed_over = passed_over.or(Some(obstacle));
            }
            // The server may choose it, and the client then ends the handshake.
            Negotiated::Obstacle(obstacle) => refused = refused.or(Some(obstacle)),
        }
        // It takes the first that does for it.
        if order_is_known && !untested && (agreed.is_some() || refused.is_some()) && unknown.is_none() {
            break;
        }
    }
    match (agreed, refused) {
        // Which of its suites the server likes best is not known.
        (Some(_), Some(_)) => Negotiated::Unknown(Knob::Suites),
        (Some(agreement), None) => Negotiated::Agreed(agreement),
        (None, refused) => match unknown.or(untested.then_some(Knob::Suites)) {
            Some(knob) => Negotiated::Unknown(knob),
            None => Negotiated::Obstacle(refused.or(passed_over).unwrap_or(Obstacle::Suites { version })),
        },
    }
}

/// What the client minds about a version and a suite that the server has chosen, in the order in which they are to be mended.
pub fn objections(
    client: &ClientCapabilities,
    server: &ServerCapabilities,
    version: ProtocolVersion,
    suite: CipherSuite,
) -> Vec<Obstacle> {
    let mut obstacles = Vec::new();
    if version > ProtocolVersion::TLSV1_2 {
        return obstacles;
    }
    // It shows after the others (in ServerKeyExchange), and comes first: it is the version that is at fault, and with another
    // version the others may change.
    if legacy_signature(client, version, suite) {
        obstacles.push(Obstacle::LegacySignature { version });
    }
    if client.policy.requires_secure_renegotiation == Some(true) && server.secure_renegotiation == Some(false) {
        obstacles.push(Obstacle::SecureRenegotiation);
    }
    if client.policy.requires_extended_master_secret == Some(true) && server.extended_master_secret == Some(false) {
        obstacles.push(Obstacle::ExtendedMasterSecret);
    }
    let finite_field = suite.details().is_some_and(|row| matches!(row.key_exchange, KeyExchange::Dhe | KeyExchange::DhAnon));
    if finite_field
        && let (Some(bits), Some(floor)) = (server.dh_bits, client.policy.minimum_dh_bits)
        && bits < floor
    {
        obstacles.push(Obstacle::DhSize { bits, floor });
    }
    obstacles
}

/// Group, signature, application protocol and the client's demands, once version and suite stand.
fn beyond_the_suite(
    client: &ClientCapabilities,
    server: &ServerCapabilities,
    version: ProtocolVersion,
    suite: CipherSuite,
) -> Negotiated {
    let group = match group_for(client, server, version, suite) {
        Ok(group) => group,
        Err(stop) => return stop,
    };
    if version >= ProtocolVersion::TLSV1_2
        && let Some(schemes) = &client.schemes
        && needs_signature(version, suite)
    {
        let supports: Vec<Support> = schemes.iter().map(|scheme| server.scheme(version, *scheme)).collect();
        if !supports.contains(&Support::Accepted) {
            if supports.contains(&Support::Untested) {
                return Negotiated::Unknown(Knob::Schemes);
            }
            return Negotiated::Obstacle(Obstacle::Schemes { version });
        }
    }
    if !client.alpn.is_empty() && server.alpn.get(&client.alpn) == Some(&Support::Refused) {
        return Negotiated::Obstacle(Obstacle::Alpn);
    }
    if let Some(obstacle) = objections(client, server, version, suite).into_iter().next() {
        return Negotiated::Obstacle(obstacle);
    }
    Negotiated::Agreed(Agreement { version, suite, group })
}

fn group_for(
    client: &ClientCapabilities,
    server: &ServerCapabilities,
    version: ProtocolVersion,
    suite: CipherSuite,
) -> Result<Option<NamedGroup>, Negotiated> {
    let needs_group = version >= ProtocolVersion::TLSV1_3
        || suite
            .details()
            .is_some_and(|row| matches!(row.key_exchange, KeyExchange::Ecdhe | KeyExchange::EcdhAnon | KeyExchange::EcdhePsk));
    // A client of TLS 1.2 and below that names no group takes any (RFC 8422 §4).
    if !needs_group || client.groups.is_empty() {
        return Ok(None);
    }
    let find = |wanted| client.groups.iter().copied().find(|group| server.group(version, *group) == wanted);
    if let Some(group) = find(Support::Accepted) {
        return Ok(Some(group));
    }
    if find(Support::Untested).is_some() {
        return Err(Negotiated::Unknown(Knob::Groups));
    }
    Err(Negotiated::Obstacle(Obstacle::Groups { version }))
}

/// Whether the server signs its key exchange.
pub fn needs_signature(version: ProtocolVersion, suite: CipherSuite) -> bool {
    version >= ProtocolVersion::TLSV1_3
        || suite.details().is_some_and(|row| {
            matches!(row.key_exchange, KeyExchange::Dhe | KeyExchange::Ecdhe)
                && matches!(row.authentication, Authentication::Rsa | Authentication::Ecdsa | Authentication::Dss)
        })
}

/// OpenSSL 3.0 and later, at level 1 and above, refuses the MD5-SHA1 and SHA-1 signatures of TLS 1.1 and below.
fn legacy_signature(client: &ClientCapabilities, version: ProtocolVersion, suite: CipherSuite) -> bool {
    client.policy.legacy_signature_refused == Some(true)
        && version <= ProtocolVersion::TLSV1_1
        && needs_signature(version, suite)
}

/// One thing changed on one side.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// The server switches versions on.
    ServerVersions(Vec<ProtocolVersion>),
    /// The client switches versions on (or is replaced by one that has them).
    ClientVersions(Vec<ProtocolVersion>),
    /// The server allows suites.
    ServerSuites(ProtocolVersion, Vec<CipherSuite>),
    /// The client offers suites.
    ClientSuites(Vec<CipherSuite>),
    /// The server allows groups.
    ServerGroups(ProtocolVersion, Vec<NamedGroup>),
    /// The client offers groups.
    ClientGroups(Vec<NamedGroup>),
    /// The server can sign with these.
    ServerSchemes(ProtocolVersion, Vec<SignatureScheme>),
    /// The client takes these signatures.
    ClientSchemes(Vec<SignatureScheme>),
    /// The server knows one of the application protocols offered.
    ServerAlpn,
    /// The server implements RFC 5746.
    ServerSecureRenegotiation,
    /// The server implements RFC 7627.
    ServerExtendedMasterSecret,
    /// The server's prime has this many bits.
    ServerDhSize(u32),
}

/// Both sides after a change.
pub fn apply(
    change: &Change,
    client: &ClientCapabilities,
    server: &ServerCapabilities,
) -> (ClientCapabilities, ServerCapabilities) {
    let (mut client, mut server) = (client.clone(), server.clone());
    match change {
        Change::ServerVersions(versions) => {
            for version in versions {
                server.versions.insert(*version, Support::Accepted);
                // A server that gains a version brings the suites, groups and signatures that go with it in every current
                // library, and the parameters of today.
                for suite in crate::knowledge::controls::suites_for(*version) {
                    if is_current(suite) && server.has_the_key_for(*version, suite) {
                        server.suites.insert((*version, suite), Support::Accepted);
                    }
                }
                for group in [NamedGroup::X25519, NamedGroup::SECP256R1] {
                    server.groups.insert((*version, group), Support::Accepted);
                }
                for scheme in [SignatureScheme::RSA_PSS_RSAE_SHA256, SignatureScheme::ECDSA_SECP256R1_SHA256] {
                    server.schemes.insert((*version, scheme), Support::Accepted);
                }
                if *version == ProtocolVersion::TLSV1_2 {
                    server.schemes.insert((*version, SignatureScheme::RSA_PKCS1_SHA256), Support::Accepted);
                }
            }
        }
        Change::ClientVersions(versions) => {
            for version in versions {
                client.versions.push(*version);
                client.suites.extend(server.accepted_suites(*version));
                client.groups.extend(server.accepted_groups(*version));
                let schemes = server.accepted_schemes(*version);
                client.schemes.get_or_insert_with(Vec::new).extend(schemes);
            }
            client.versions.sort_unstable_by(|a, b| b.cmp(a));
            client.versions.dedup();
        }
        Change::ServerSuites(version, suites) => {
            server.suites.extend(suites.iter().map(|suite| ((*version, *suite), Support::Accepted)));
        }
        Change::ClientSuites(suites) => client.suites.extend(suites),
        Change::ServerGroups(version, groups) => {
            server.groups.extend(groups.iter().map(|group| ((*version, *group), Support::Accepted)));
        }
        Change::ClientGroups(groups) => client.groups.extend(groups),
        Change::ServerSchemes(version, schemes) => {
            server.schemes.extend(schemes.iter().map(|scheme| ((*version, *scheme), Support::Accepted)));
        }
        Change::ClientSchemes(schemes) => client.schemes.get_or_insert_with(Vec::new).extend(schemes),
        Change::ServerAlpn => {
            server.alpn.insert(client.alpn.clone(), Support::Accepted);
        }
        Change::ServerSecureRenegotiation => server.secure_renegotiation = Some(true),
        Change::ServerExtendedMasterSecret => server.extended_master_secret = Some(true),
        Change::ServerDhSize(bits) => server.dh_bits = Some(*bits),
    }
    (client, server)
}

/// The smallest secure changes that remove this obstacle, the server's first; each is kept only if `negotiate` then no
/// longer stops there. A change that narrows a set never adds a common element, so none does.
pub fn fixes(obstacle: &Obstacle, client: &ClientCapabilities, server: &ServerCapabilities) -> Vec<(Change, Negotiated)> {
    candidates(obstacle, client, server)
        .into_iter()
        .filter_map(|change| {
            let (client, server) = apply(&change, client, server);
            let after = negotiate(&client, &server);
            let same = matches!(&after, Negotiated::Obstacle(next) if std::mem::discriminant(next) == std::mem::discriminant(obstacle));
            (!same).then_some((change, after))
        })
        .collect()
}

fn candidates(obstacle: &Obstacle, client: &ClientCapabilities, server: &ServerCapabilities) -> Vec<Change> {
    let modern = |version: &ProtocolVersion| *version >= ProtocolVersion::TLSV1_2;
    match obstacle {
        Obstacle::Versions { client: offered, server: accepted } => {
            let wanted: Vec<_> = offered.iter().copied().filter(modern).collect();
            let there: Vec<_> = accepted.iter().copied().filter(modern).collect();
            let mut changes = Vec::new();
            if !wanted.is_empty() {
                changes.push(Change::ServerVersions(wanted));
            }
            if !there.is_empty() {
                changes.push(Change::ClientVersions(there));
            }
            changes
        }
        Obstacle::LegacySignature { .. } => {
            let wanted: Vec<_> = client.versions.iter().copied().filter(modern).collect();
            if wanted.is_empty() { Vec::new() } else { vec![Change::ServerVersions(wanted)] }
        }
        Obstacle::Suites { version } => {
            let secure = |suite: &CipherSuite| is_current(*suite) && server.has_the_key_for(*version, *suite);
            let mut changes = Vec::new();
            let add: Vec<_> = client.suites_at(*version).into_iter().filter(secure).collect();
            if !add.is_empty() {
                changes.push(Change::ServerSuites(*version, add));
            }
            let offer: Vec<_> = server.accepted_suites(*version).into_iter().filter(|suite| is_current(*suite)).collect();
            if !offer.is_empty() {
                changes.push(Change::ClientSuites(offer));
            }
            changes
        }
        Obstacle::Groups { version } => {
            let secure = |group: &NamedGroup| strong_group(*group);
            let mut changes = Vec::new();
            let add: Vec<_> = client.groups.iter().copied().filter(secure).collect();
            if !add.is_empty() {
                changes.push(Change::ServerGroups(*version, add));
            }
            let offer: Vec<_> = server.accepted_groups(*version).into_iter().filter(secure).collect();
            if !offer.is_empty() {
                changes.push(Change::ClientGroups(offer));
            }
            changes
        }
        Obstacle::Schemes { version } => {
            let mut changes = Vec::new();
            if let Some(schemes) = &client.schemes {
                changes.push(Change::ServerSchemes(
                    *version,
                    schemes.iter().copied().filter(|scheme| strong_scheme(*scheme)).collect(),
                ));
            }
            let offer: Vec<_> = server.accepted_schemes(*version).into_iter().filter(|scheme| strong_scheme(*scheme)).collect();
            if !offer.is_empty() {
                changes.push(Change::ClientSchemes(offer));
            }
            changes
        }
        Obstacle::Alpn => vec![Change::ServerAlpn],
        Obstacle::SecureRenegotiation => vec![Change::ServerSecureRenegotiation],
        Obstacle::ExtendedMasterSecret => vec![Change::ServerExtendedMasterSecret],
        Obstacle::DhSize { floor, .. } => vec![Change::ServerDhSize((*floor).max(2048))],
    }
}

/// The suite authentication that a key of this kind can give.
pub fn chain_authentication(key: crate::chain::KeyKind) -> Authentication {
    use crate::chain::KeyKind;
    match key {
        KeyKind::Rsa { .. } => Authentication::Rsa,
        KeyKind::Ec { .. } | KeyKind::Ed25519 | KeyKind::Ed448 => Authentication::Ecdsa,
        KeyKind::Dsa => Authentication::Dss,
    }
}

/// Suites that may be proposed: forward secrecy, authenticated encryption, 128 bits.
pub fn is_current(suite: CipherSuite) -> bool {
    suite.details().is_some_and(|row| {
        row.is_aead()
            && row.strength_bits() >= 128
            && (row.key_exchange == KeyExchange::Tls13
                || (row.key_exchange == KeyExchange::Ecdhe
                    && matches!(row.authentication, Authentication::Rsa | Authentication::Ecdsa)))
    })
}

/// Groups that may be proposed.
fn strong_group(group: NamedGroup) -> bool {
    matches!(
        group,
        NamedGroup::X25519
            | NamedGroup::X448
            | NamedGroup::SECP256R1
            | NamedGroup::SECP384R1
            | NamedGroup::SECP521R1
            | NamedGroup::X25519MLKEM768
            | NamedGroup::SECP256R1MLKEM768
            | NamedGroup::SECP384R1MLKEM1024
            | NamedGroup::FFDHE2048
            | NamedGroup::FFDHE3072
            | NamedGroup::FFDHE4096
    )
}

/// Schemes that may be proposed: no SHA-1, MD5, SHA-224 or DSA.
fn strong_scheme(scheme: SignatureScheme) -> bool {
    scheme.name().is_some_and(|name| {
        !["sha1", "md5", "sha224", "dsa_sha"].iter().any(|weak| name.ends_with(weak)) && !name.starts_with("dsa_")
    })
}
