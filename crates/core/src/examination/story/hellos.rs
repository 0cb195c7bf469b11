//! Hellos made of other hellos: narrowed, widened, without what is unusual.

use tlswhy_wire::{CipherSuite, ExtensionSpec, ExtensionType, HelloSpec, NamedGroup, ProtocolVersion, SignatureScheme};

use crate::case::Seen;
use crate::chain;
use crate::negotiate::{Knob, signature_scheme, usable_at};

/// The first code of the post-quantum groups, whose key shares take over a thousand bytes.
pub(super) const SMALLEST_HYBRID: u16 = 0x0200;

/// Whether the client's hello says anything about this at this version.
pub(super) fn says_something(knob: Knob, hello: &HelloSpec, version: ProtocolVersion) -> bool {
    match knob {
        Knob::Versions => false,
        Knob::Suites => hello.real_suites().into_iter().any(|suite| usable_at(suite, version)),
        Knob::Groups => !hello.groups().is_empty(),
        Knob::Schemes => version >= ProtocolVersion::TLSV1_2 && hello.signature_schemes().is_some(),
        Knob::Alpn => !hello.alpn().is_empty(),
    }
}

pub(super) fn signalling(hello: &HelloSpec) -> impl Iterator<Item = CipherSuite> + '_ {
    hello.cipher_suites.iter().copied().filter(|suite| suite.is_signalling())
}

/// The hello with what was missing added: just what the server was seen to take.
pub(super) fn widen(
    knob: Knob,
    hello: &HelloSpec,
    working: &Seen<'_>,
    working_hello: &HelloSpec,
    version: ProtocolVersion,
) -> HelloSpec {
    match knob {
        Knob::Suites => {
            let mut suites = hello.cipher_suites.clone();
            suites.extend(working.suite());
            hello.clone().with_suites(suites)
        }
        Knob::Groups => {
            let Some(group) = working.group() else {
                return hello.clone().with_groups(&working_hello.groups(), &working_hello.key_shares());
            };
            let mut groups = hello.groups();
            groups.push(group);
            if version <= ProtocolVersion::TLSV1_2 {
                groups.extend(certificate_group(working).filter(|curve| *curve != group));
            }
            let mut shares = hello.key_shares();
            if version >= ProtocolVersion::TLSV1_3 && working_hello.key_shares().contains(&group) {
                shares.push(group);
            }
            hello.clone().with_groups(&groups, &shares)
        }
        Knob::Schemes => {
            let mut schemes: Vec<SignatureScheme> = hello.signature_schemes().unwrap_or_default();
            match signature_scheme(working) {
                Some(scheme) => schemes.push(scheme),
                None => schemes = working_hello.signature_schemes().unwrap_or_default(),
            }
            hello.clone().with_signature_schemes(&schemes)
        }
        Knob::Alpn => hello.clone().with_alpn(&[]),
        Knob::Versions => hello.clone(),
    }
}

/// Whether the client's list holds the value that the server chose from a wider list.
pub(super) fn offers_what_was_chosen(knob: Knob, client: &HelloSpec, working: &Seen<'_>) -> bool {
    match knob {
        Knob::Suites => working.suite().is_some_and(|suite| client.cipher_suites.contains(&suite)),
        Knob::Groups => {
            // An ECDSA certificate's curve counts among the groups in TLS 1.2 and below.
            let curve = certificate_group(working).filter(|_| working.version() <= Some(ProtocolVersion::TLSV1_2));
            working.group().is_some_and(|group| client.groups().contains(&group))
                && curve.is_none_or(|curve| client.groups().contains(&curve))
        }
        Knob::Schemes => signature_scheme(working)
            .is_some_and(|scheme| client.signature_schemes().is_some_and(|schemes| schemes.contains(&scheme))),
        Knob::Versions | Knob::Alpn => false,
    }
}

/// The client's hello with that value alone.
pub(super) fn only_what_was_chosen(knob: Knob, client: &HelloSpec, working: &Seen<'_>, version: ProtocolVersion) -> HelloSpec {
    let hello = client.clone();
    match (knob, working.suite(), working.group(), signature_scheme(working)) {
        (Knob::Suites, Some(suite), _, _) => hello.with_suites(vec![suite]),
        (Knob::Groups, _, Some(group), _) => {
            let shares: &[NamedGroup] = if version >= ProtocolVersion::TLSV1_3 { &[group] } else { &[] };
            hello.with_groups(&[group], shares)
        }
        (Knob::Schemes, _, _, Some(scheme)) => hello.with_signature_schemes(&[scheme]),
        _ => hello,
    }
}

/// The group of the key in the server's certificate.
pub(super) fn certificate_group(seen: &Seen<'_>) -> Option<NamedGroup> {
    chain::certificate_group(&seen.certificates()?.entries.first()?.value)
}

/// Whether TLS 1.3 has a signature algorithm for the curve of the server's certificate (RFC 8446 §4.2.3).
pub(super) fn signs_in_13(seen: &Seen<'_>) -> bool {
    let curves = [NamedGroup::SECP256R1, NamedGroup::SECP384R1, NamedGroup::SECP521R1];
    certificate_group(seen).is_none_or(|curve| curves.contains(&curve))
}

/// The hello with one more version. What the client cannot offer at that version comes from the control, for a client that
/// had the version would bring it along.
pub(super) fn widen_versions(hello: &HelloSpec, version: ProtocolVersion, control: &HelloSpec) -> HelloSpec {
    let mut versions: Vec<ProtocolVersion> =
        hello.offered_versions().into_iter().filter(|offered| !offered.is_grease()).collect();
    versions.push(version);
    versions.sort_unstable_by(|a, b| b.cmp(a));
    versions.dedup();
    let mut widened = hello.clone().with_versions(&versions);
    if !hello.real_suites().into_iter().any(|suite| usable_at(suite, version)) {
        let mut suites = hello.cipher_suites.clone();
        suites.extend(control.cipher_suites.iter().copied());
        suites.dedup();
        widened = widened.with_suites(suites);
    }
    if version >= ProtocolVersion::TLSV1_3 {
        let mut groups = hello.groups();
        if !groups.iter().any(|group| control.key_shares().contains(group)) {
            groups.extend(control.groups());
        }
        let shares: Vec<NamedGroup> = groups.iter().copied().filter(|group| control.key_shares().contains(group)).collect();
        widened = widened.with_groups(&groups, &shares);
    }
    if version >= ProtocolVersion::TLSV1_2 && (hello.signature_schemes().is_none() || version >= ProtocolVersion::TLSV1_3) {
        let mut schemes = hello.signature_schemes().unwrap_or_default();
        for scheme in control.signature_schemes().unwrap_or_default() {
            if !schemes.contains(&scheme) {
                schemes.push(scheme);
            }
        }
        widened = widened.with_signature_schemes(&schemes);
    }
    widened
}

/// The hello without extensions that a server of TLS 1.2 need not know; what is negotiated stays.
pub(super) fn without_unusual_extensions(hello: &HelloSpec) -> HelloSpec {
    const USUAL: &[ExtensionType] = &[
        ExtensionType::SERVER_NAME,
        ExtensionType::SUPPORTED_VERSIONS,
        ExtensionType::SUPPORTED_GROUPS,
        ExtensionType::KEY_SHARE,
        ExtensionType::SIGNATURE_ALGORITHMS,
        ExtensionType::PSK_KEY_EXCHANGE_MODES,
        ExtensionType::EC_POINT_FORMATS,
        ExtensionType::APPLICATION_LAYER_PROTOCOL_NEGOTIATION,
        ExtensionType::RENEGOTIATION_INFO,
    ];
    let mut plain = hello.clone();
    if let Some(extensions) = &mut plain.extensions {
        extensions.retain(|extension| USUAL.contains(&extension.extension_type()));
    }
    plain.cipher_suites.retain(|suite| !suite.is_grease());
    let real = |groups: Vec<NamedGroup>| groups.into_iter().filter(|group| !group.is_grease()).collect::<Vec<_>>();
    let (groups, shares) = (real(plain.groups()), real(plain.key_shares()));
    if !groups.is_empty() {
        plain = plain.with_groups(&groups, &shares);
    }
    for extension in plain.extensions.iter_mut().flatten() {
        match extension {
            ExtensionSpec::SupportedVersions(versions) => versions.retain(|version| !version.is_grease()),
            ExtensionSpec::SignatureAlgorithms(schemes) => schemes.retain(|scheme| !scheme.is_grease()),
            _ => {}
        }
    }
    plain
}
