//! The knobs of the hello that we send.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test stops at what it did not expect")]

use tlswhy_wire::client_hello::from_records;
use tlswhy_wire::*;

const MODERN: &[ProtocolVersion] = &[ProtocolVersion::TLSV1_2, ProtocolVersion::TLSV1_3];

fn material() -> KeyMaterial {
    let share = |group, length| (group, vec![7; length]);
    KeyMaterial {
        random: [1; 32],
        session_id: vec![2; 32],
        key_shares: vec![
            share(NamedGroup::X25519, 32),
            share(NamedGroup::SECP256R1, 65),
            share(NamedGroup::X25519MLKEM768, 1216),
        ],
    }
}

fn modern() -> HelloSpec {
    HelloSpec::default()
        .with_suites(vec![CipherSuite::TLS_AES_128_GCM_SHA256, CipherSuite::TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256])
        .with_groups(&[NamedGroup::X25519, NamedGroup::SECP256R1], &[])
        .with_signature_schemes(&[SignatureScheme::RSA_PSS_RSAE_SHA256])
        .with_versions(MODERN)
        .with_server_name(Some("server.example"))
}

fn types(spec: &HelloSpec) -> Vec<ExtensionType> {
    spec.extensions.iter().flatten().map(ExtensionSpec::extension_type).collect()
}

#[test]
fn versions_bring_what_belongs_to_them() {
    let spec = modern();
    assert_eq!(
        (spec.legacy_version, spec.record_version, spec.session_id_length),
        (ProtocolVersion::TLSV1_2, ProtocolVersion::TLSV1_0, 32)
    );
    assert_eq!(spec.offered_versions(), [ProtocolVersion::TLSV1_3, ProtocolVersion::TLSV1_2]);
    assert_eq!(spec.key_shares(), [NamedGroup::X25519]);
    assert_eq!(
        types(&spec),
        [
            ExtensionType::SERVER_NAME,
            ExtensionType::SUPPORTED_GROUPS,
            ExtensionType::SIGNATURE_ALGORITHMS,
            ExtensionType::SUPPORTED_VERSIONS,
            ExtensionType::PSK_KEY_EXCHANGE_MODES,
            ExtensionType::KEY_SHARE,
        ]
    );

    let older = spec.clone().with_versions(&[ProtocolVersion::TLSV1_0, ProtocolVersion::TLSV1_1]);
    assert_eq!(
        (older.legacy_version, older.record_version, older.session_id_length),
        (ProtocolVersion::TLSV1_1, ProtocolVersion::TLSV1_0, 0)
    );
    assert_eq!(
        types(&older),
        [ExtensionType::SERVER_NAME, ExtensionType::SUPPORTED_GROUPS, ExtensionType::SIGNATURE_ALGORITHMS]
    );

    let mut oldest = spec.clone();
    oldest.cipher_suites.push(CipherSuite::TLS_EMPTY_RENEGOTIATION_INFO_SCSV);
    let oldest = oldest.with_versions(&[ProtocolVersion::SSLV3]);
    assert_eq!((oldest.legacy_version, oldest.record_version), (ProtocolVersion::SSLV3, ProtocolVersion::SSLV3));
    assert_eq!(oldest.extensions, None);
    assert!(oldest.offers_renegotiation_info());

    assert_eq!(spec.clone().with_versions(&[]), spec);
    let grease = ProtocolVersion(0x1a1a);
    let greasy = spec.with_extension(ExtensionSpec::SupportedVersions(vec![grease, ProtocolVersion::TLSV1_2]));
    let kept = ExtensionSpec::SupportedVersions(vec![grease, ProtocolVersion::TLSV1_3]);
    assert_eq!(greasy.with_versions(&[ProtocolVersion::TLSV1_3]).extension(ExtensionType::SUPPORTED_VERSIONS), Some(&kept));
}

#[test]
fn sslv2_has_its_own_form() {
    let alone = modern().with_versions(&[ProtocolVersion::SSLV2]);
    assert_eq!(alone.format, HelloFormat::Sslv2);
    let encoded = alone.encode(&material()).unwrap();
    assert_eq!(encoded.records[..5], [0x80, encoded.message.len() as u8, 1, 0, 2]);
    let (_, hello) = from_records(&encoded.records).unwrap();
    assert_eq!(hello.sslv2_cipher_kinds.len(), Sslv2CipherKind::all().count());
    assert_eq!(hello.to_spec(ProtocolVersion::TLSV1_0), alone);

    let compatible = modern().with_versions(&[ProtocolVersion::SSLV2, ProtocolVersion::TLSV1_0, ProtocolVersion::TLSV1_3]);
    assert_eq!(compatible.legacy_version, ProtocolVersion::TLSV1_0);
    let (_, hello) = from_records(&compatible.encode(&material()).unwrap().records).unwrap();
    assert_eq!((hello.random, hello.cipher_suites.len()), ([1; 32], 2));
}

#[test]
fn knobs_leave_the_rest_in_its_place() {
    let spec = modern().with_alpn(&["h2"]);
    let order = types(&spec);
    let turned = spec
        .clone()
        .with_server_name(Some("other.example"))
        .with_alpn(&["http/1.1"])
        .with_groups(&[NamedGroup::X448], &[NamedGroup::X448]);
    assert_eq!(types(&turned), order);
    assert_eq!((turned.server_name(), turned.groups()), (Some("other.example"), vec![NamedGroup::X448]));
    let fewer = turned.with_server_name(None).with_alpn(&[]).with_groups(&[], &[]).with_signature_schemes(&[]);
    assert_eq!(types(&fewer), [ExtensionType::SUPPORTED_VERSIONS, ExtensionType::PSK_KEY_EXCHANGE_MODES]);
    let none = fewer.without(ExtensionType::SUPPORTED_VERSIONS).without(ExtensionType::PSK_KEY_EXCHANGE_MODES);
    assert_eq!(none.extensions, None);
}

#[test]
fn new_extensions_stay_before_padding_and_pre_shared_key() {
    let psk = ExtensionSpec::Raw { extension_type: ExtensionType::PRE_SHARED_KEY, body: vec![] };
    let mut spec = HelloSpec { extensions: Some(vec![ExtensionSpec::Padding(9), psk]), ..HelloSpec::default() };
    spec = spec.with_alpn(&["h2"]).with_server_name(Some("server.example")).with_pad_to(Some(200));
    let order = [
        ExtensionType::SERVER_NAME,
        ExtensionType::APPLICATION_LAYER_PROTOCOL_NEGOTIATION,
        ExtensionType::PADDING,
        ExtensionType::PRE_SHARED_KEY,
    ];
    let encoded = spec.encode(&material()).unwrap();
    let hello = ClientHello::parse(&encoded.message, 0).unwrap();
    assert_eq!(types(&hello.to_spec(ProtocolVersion::TLSV1_0)), order);
    assert_eq!(encoded.message.len(), 200);
}

#[test]
fn padding_reaches_the_size_and_is_never_empty() {
    for spec in [modern(), HelloSpec::default()] {
        let bare = spec.message_length();
        for pad_to in (bare as u16 - 3)..(bare as u16 + 40) {
            let padded = spec.clone().with_pad_to(Some(pad_to));
            let length = padded.encode(&material()).unwrap().message.len();
            assert_eq!(padded.message_length(), length);
            // A hello without extensions also gets the length of the block.
            let least = bare + 5 + if spec.extensions.is_none() { 2 } else { 0 };
            let expected = if usize::from(pad_to) <= bare { bare } else { least.max(usize::from(pad_to)) };
            assert_eq!(length, expected, "{bare} to {pad_to}");
        }
    }
    let resized = modern().with_extension(ExtensionSpec::Padding(1000)).with_pad_to(Some(512));
    assert_eq!(resized.message_length(), 512);
    let largest = modern().with_pad_to(Some(u16::MAX));
    let encoded = largest.encode(&material()).unwrap();
    assert_eq!(encoded.message.len(), 65535);
    assert_eq!(ClientHello::parse(&encoded.message, 0).unwrap(), from_records(&encoded.records).unwrap().1.at(0));
}

/// A hello without its places, to compare one from a message with one from records.
trait At {
    fn at(self, base: usize) -> ClientHello;
}

impl At for ClientHello {
    fn at(self, base: usize) -> ClientHello {
        ClientHello::parse(&self.raw, base).unwrap()
    }
}

#[test]
fn a_hello_is_cut_into_records_or_segments() {
    let spec = modern();
    let whole = spec.encode(&material()).unwrap();
    let length = whole.message.len();
    let records = spec.clone().with_fragment(Fragment::Records(vec![1, 50])).encode(&material()).unwrap();
    let count = 1 + (length - 1).div_ceil(50);
    assert_eq!(records.records.len(), length + 5 * count);
    assert_eq!(records.records[..6], [22, 3, 1, 0, 1, 1]);
    assert_eq!((records.writes.len(), records.writes[0].end), (1, records.records.len()));
    let segments = spec.clone().with_fragment(Fragment::Segments(vec![3, 100])).encode(&material()).unwrap();
    assert_eq!(segments.records, whole.records);
    assert_eq!(segments.writes[..2], [0..3, 3..103]);
    assert_eq!(segments.writes.last().unwrap().end, whole.records.len());
    let empty = spec.with_fragment(Fragment::Records(vec![0])).encode(&material());
    assert_eq!(empty, Err(EncodeError::EmptyFragment));
}

#[test]
fn what_cannot_be_sent_is_an_error() {
    let spec = modern().with_groups(&[NamedGroup::X448], &[NamedGroup::X448]);
    assert_eq!(spec.encode(&material()), Err(EncodeError::MissingKeyShare(NamedGroup::X448)));
    assert_eq!(modern().encode(&KeyMaterial::default()), Err(EncodeError::ShortSessionId));
    let long = modern().with_alpn(&["x".repeat(256).as_str()]);
    assert!(matches!(long.encode(&material()), Err(EncodeError::TooLong(_))));
    let grease = modern().with_groups(&[NamedGroup(0x2a2a)], &[NamedGroup(0x2a2a)]);
    let hello = ClientHello::parse(&grease.encode(&material()).unwrap().message, 0).unwrap();
    assert_eq!(hello.material().key_shares, [(NamedGroup(0x2a2a), vec![0])]);
    let hybrid = modern().with_groups(&[NamedGroup::X25519MLKEM768], &[NamedGroup::X25519MLKEM768]);
    assert_eq!(hybrid.message_length(), hybrid.encode(&material()).unwrap().message.len());
}

#[test]
fn a_retry_changes_what_the_server_asked_for() {
    let early = ExtensionSpec::Raw { extension_type: ExtensionType::EARLY_DATA, body: vec![] };
    let first = modern().with_extension(early).with_pad_to(Some(600));
    let second = first.after_retry(Some(NamedGroup::SECP256R1), Some(b"cookie"));
    assert_eq!(second.key_shares(), [NamedGroup::SECP256R1]);
    assert_eq!(second.extension(ExtensionType::COOKIE), Some(&ExtensionSpec::Cookie(b"cookie".to_vec())));
    assert_eq!(second.extension(ExtensionType::EARLY_DATA), None);
    assert_eq!(second.message_length(), 600);
    assert_eq!(modern().after_retry(None, None), modern());
}

#[cfg(feature = "serde")]
#[test]
fn a_spec_survives_json() {
    let spec = modern().with_fragment(Fragment::Records(vec![7])).with_extension(ExtensionSpec::Cookie(vec![0xab, 1]));
    let json = serde_json::to_value(&spec).unwrap();
    assert_eq!(json["extensions"][0]["server_name"], "server.example");
    assert_eq!(json["cipher_suites"][0], "TLS_AES_128_GCM_SHA256");
    assert!(json["extensions"].as_array().unwrap().contains(&serde_json::json!({ "cookie": "ab01" })));
    assert_eq!(serde_json::from_value::<HelloSpec>(json).unwrap(), spec);
    let material = material();
    let json = serde_json::to_string(&material).unwrap();
    assert_eq!(serde_json::from_str::<KeyMaterial>(&json).unwrap(), material);
    assert_eq!(serde_json::from_str::<HelloSpec>("{}").unwrap(), HelloSpec::default());
}
