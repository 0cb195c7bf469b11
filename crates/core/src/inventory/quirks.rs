//! Hellos that every server has to take, and some do not: with values that nobody knows (GREASE, RFC 8701), of certain lengths, in
//! pieces, with an empty extension at the end. Two hellos have all of it; it is taken apart only where one of them is not answered.

use tlswhy_model::Depth;
use tlswhy_wire::{
    CipherSuite, ExtensionSpec, ExtensionType, Fragment, HelloSpec, NamedGroup, ProtocolVersion, SignatureScheme,
};

use super::asker::{Asker, Reply};
use super::features::{Feature, newest};
use super::{VersionInventory, old};
use crate::knowledge::controls;
use crate::negotiate::Support;

/// Length of a hello in the range that some load balancers take for SSLv2, in bytes.
const MIDDLE: u16 = 400;
/// What else may be in a hello of that length.
const ROOM: usize = 480;
/// Longer than a segment of Ethernet (1,460 bytes) or of IPv6 over it, in bytes.
const OVER_ONE_SEGMENT: u16 = 1600;

/// Suites below TLS 1.3 that are offered: few, so that the hello has room.
const MOST_SUITES: usize = 8;

/// One such peculiarity of a hello.
struct Quirk {
    code: &'static str,
    /// Gives it to a hello; one that cannot have it stays as it is.
    apply: fn(HelloSpec) -> HelloSpec,
    /// How a client gets around a server that breaks on it.
    around: &'static str,
}

const NO_GREASE: &str = "browsers send such values (BoringSSL: SSL_CTX_set_grease_enabled), OpenSSL and GnuTLS do not";
const SHORTER: &str = "a shorter hello has no post-quantum key share (OpenSSL: Groups = X25519:P-256; Go: GODEBUG=tlsmlkem=0), which gives up its protection";

/// What the first hello has.
static UNKNOWN_VALUES: &[Quirk] = &[
    Quirk {
        code: "unknown-suite",
        apply: |mut hello| {
            hello.cipher_suites.insert(0, CipherSuite(0x0a0a));
            hello
        },
        around: NO_GREASE,
    },
    Quirk {
        code: "unknown-extension",
        apply: |mut hello| {
            hello.extensions.get_or_insert_default().insert(0, ExtensionSpec::Grease(0x1a1a));
            hello
        },
        around: NO_GREASE,
    },
    Quirk {
        code: "unknown-group",
        apply: |hello| {
            change(hello, |extension| {
                if let ExtensionSpec::SupportedGroups(groups) = extension {
                    groups.insert(0, NamedGroup(0x2a2a));
                }
            })
        },
        around: NO_GREASE,
    },
    Quirk {
        code: "unknown-version",
        apply: |hello| {
            change(hello, |extension| {
                if let ExtensionSpec::SupportedVersions(versions) = extension {
                    versions.insert(0, ProtocolVersion(0x3a3a));
                }
            })
        },
        around: NO_GREASE,
    },
    Quirk {
        code: "unknown-signature-scheme",
        apply: |hello| {
            change(hello, |extension| {
                if let ExtensionSpec::SignatureAlgorithms(schemes) = extension {
                    schemes.insert(0, SignatureScheme(0x4a4a));
                }
            })
        },
        around: NO_GREASE,
    },
    // RFC 7685 §1.
    Quirk {
        code: "length-256-to-511",
        apply: |hello| match hello.clone().with_pad_to(None).message_length() {
            ..=ROOM => hello.with_pad_to(Some(MIDDLE)),
            _ => hello,
        },
        around: "padding makes the hello longer (OpenSSL: SSL_OP_TLSEXT_PADDING, `s_client -bugs`; GnuTLS: %DUMBFW)",
    },
    // RFC 8446 §5.1.
    Quirk {
        code: "two-records",
        apply: |hello| {
            let half = half(&hello);
            hello.with_fragment(Fragment::Records(vec![half]))
        },
        around: "a client cuts its hello into records only where it is told so (OpenSSL: max_send_fragment below the hello's length)",
    },
];

/// What the second hello has.
static PIECES: &[Quirk] = &[
    Quirk {
        code: "empty-last-extension",
        apply: with_empty_end,
        around: "a client that ends its extensions with another one, as OpenSSL does",
    },
    Quirk { code: "over-one-segment", apply: |hello| hello.with_pad_to(Some(OVER_ONE_SEGMENT)), around: SHORTER },
    Quirk {
        code: "two-segments",
        apply: |hello| {
            let half = half(&hello);
            hello.with_fragment(Fragment::Segments(vec![half]))
        },
        around: SHORTER,
    },
];

/// All of them at the newest version; questions are noted in the case. Accepted means that the server takes such a hello.
pub(super) fn take(asker: &Asker<'_, '_>, versions: &[VersionInventory]) -> Vec<Feature> {
    let newest = newest(versions, |version| version > ProtocolVersion::SSLV3);
    let base = newest.filter(|_| !asker.case.is_waiting()).map(|newest| base(asker, newest));
    // Both are asked for in the same round.
    let both = [UNKNOWN_VALUES, PIECES].map(|quirks| told(asker, base.as_ref(), quirks));
    both.into_iter().flatten().collect()
}

/// What the newest version takes, in a hello of few parts.
fn base(asker: &Asker<'_, '_>, newest: &VersionInventory) -> HelloSpec {
    let suites = newest.suites.taken();
    let hello = if newest.version == ProtocolVersion::TLSV1_3 {
        let groups = newest.groups.taken();
        // Without a key share the server names a group (RFC 8446 §4.1.4), which costs neither side a key.
        controls::tls13(asker.server_name)
            .with_suites(suites)
            .with_groups(&groups, &[])
            .with_extension(ExtensionSpec::KeyShare(Vec::new()))
    } else {
        let suites = suites.into_iter().take(MOST_SUITES).chain([CipherSuite::TLS_EMPTY_RENEGOTIATION_INFO_SCSV]).collect();
        old::control(newest.version, asker.server_name).with_suites(suites)
    };
    // Not last: that is one of the peculiarities.
    let mut hello = hello.without(ExtensionType::EXTENDED_MASTER_SECRET);
    hello.extensions.get_or_insert_default().insert(0, ExtensionSpec::ExtendedMasterSecret);
    hello.with_pad_to(Some(controls::LONG))
}

/// What comes of these: together, and one by one where that fails.
fn told(asker: &Asker<'_, '_>, base: Option<&HelloSpec>, quirks: &[Quirk]) -> Vec<Feature> {
    let unknown = |quirk: &Quirk| Feature { code: quirk.code, support: Support::Untested, attempt: None, says: None };
    let ask = |hello, purpose: &str| asker.ask(hello, Depth::Choice, purpose);
    let Some(base) = base else { return quirks.iter().map(unknown).collect() };
    let mut together = base.clone();
    let mut has = Vec::new();
    for quirk in quirks {
        let hello = (quirk.apply)(together.clone());
        has.push(hello != together);
        together = hello;
    }
    match ask(together, "a hello of a kind that every server has to take") {
        Some(Reply::Chosen(seen)) => {
            let taken = |(quirk, has): (&Quirk, bool)| match has {
                true => Feature { support: Support::Accepted, attempt: Some(seen.id()), ..unknown(quirk) },
                false => unknown(quirk),
            };
            return quirks.iter().zip(has).map(taken).collect();
        }
        Some(Reply::Refused(_) | Reply::NoAnswer(_)) => {}
        None => return quirks.iter().map(unknown).collect(),
    }
    let plain = ask(base.clone(), "the same hello without any peculiarity");
    let Some(Reply::Chosen(works)) = plain else { return quirks.iter().map(unknown).collect() };
    let one = |quirk: &Quirk| {
        let hello = (quirk.apply)(base.clone());
        if hello == *base {
            return unknown(quirk);
        }
        let purpose = format!("a hello whose only peculiarity is: {}", quirk.code.replace('-', " "));
        let Some(reply) = ask(hello, &purpose) else { return unknown(quirk) };
        let contrast = |ending: String| {
            Some(format!("{ending}; attempt {}, a hello without it, is answered. The way around: {}", works.id(), quirk.around))
        };
        match reply {
            Reply::Chosen(seen) => Feature { support: Support::Accepted, attempt: Some(seen.id()), ..unknown(quirk) },
            Reply::Refused(seen) => {
                Feature { support: Support::Refused, attempt: Some(seen.id()), says: contrast(seen.ending()), ..unknown(quirk) }
            }
            Reply::NoAnswer(seen) => Feature { attempt: Some(seen.id()), says: contrast(seen.ending()), ..unknown(quirk) },
        }
    };
    quirks.iter().map(one).collect()
}

fn change(mut hello: HelloSpec, change: fn(&mut ExtensionSpec)) -> HelloSpec {
    hello.extensions.iter_mut().flatten().for_each(change);
    hello
}

/// A bit more than half of a hello, record header included: two pieces.
fn half(hello: &HelloSpec) -> u16 {
    u16::try_from(hello.message_length() / 2 + 8).unwrap_or(u16::MAX)
}

/// With extended_master_secret behind the padding, where it stays if there is more of that.
fn with_empty_end(hello: HelloSpec) -> HelloSpec {
    let mut hello = hello.without(ExtensionType::EXTENDED_MASTER_SECRET);
    let list = hello.extensions.get_or_insert_default();
    list.extend([ExtensionSpec::Padding(1), ExtensionSpec::ExtendedMasterSecret]);
    hello
}

#[cfg(test)]
mod tests {
    use tlswhy_wire::KeyMaterial;

    use super::*;

    fn encoded(hello: &HelloSpec) -> tlswhy_wire::EncodedHello {
        hello.encode(&KeyMaterial { random: [7; 32], session_id: vec![7; 32], key_shares: Vec::new() }).unwrap()
    }

    fn bases() -> [HelloSpec; 2] {
        let new = controls::tls13(Some("www.example.test")).with_extension(ExtensionSpec::KeyShare(Vec::new()));
        let old = controls::tls12(Some("www.example.test")).with_suites(vec![CipherSuite::TLS_RSA_WITH_AES_128_CBC_SHA]);
        [new, old].map(|hello| {
            let mut hello = hello.without(ExtensionType::EXTENDED_MASTER_SECRET);
            hello.extensions.get_or_insert_default().insert(0, ExtensionSpec::ExtendedMasterSecret);
            hello.with_pad_to(Some(controls::LONG))
        })
    }

    #[test]
    fn the_two_hellos_are_what_they_are_said_to_be() {
        for base in bases() {
            let all = |quirks: &[Quirk]| quirks.iter().fold(base.clone(), |hello, quirk| (quirk.apply)(hello));
            let first = encoded(&all(UNKNOWN_VALUES));
            assert!((256..512).contains(&first.message.len()), "{}", first.message.len());
            let [_, _, _, high, low, ..] = first.records[..] else { panic!("no record") };
            let record = usize::from(u16::from_be_bytes([high, low]));
            assert_eq!(first.records.len(), first.message.len() + 2 * 5);
            assert!(record < first.message.len());
            let second = encoded(&all(PIECES));
            assert_eq!((second.message.len(), second.writes.len()), (usize::from(OVER_ONE_SEGMENT), 2));
            assert!(second.message.ends_with(&[0, 23, 0, 0]));
        }
    }

    #[test]
    fn each_alone_is_one_thing_more_than_the_base() {
        for base in bases() {
            assert!(!(256..512).contains(&base.message_length()));
            for quirk in UNKNOWN_VALUES.iter().chain(PIECES) {
                let hello = (quirk.apply)(base.clone());
                let is_version = quirk.code == "unknown-version" && base.offered_versions() != [ProtocolVersion::TLSV1_3];
                assert_eq!(hello == base, is_version, "{}", quirk.code);
                let in_range = (256..512).contains(&hello.message_length());
                assert_eq!(in_range, quirk.code == "length-256-to-511", "{}", quirk.code);
            }
        }
    }
}
