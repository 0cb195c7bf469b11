//! Nothing that comes over a network may make a parser panic, and what we encode can be read.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test stops at what it did not expect")]

use proptest::prelude::*;
use tlswhy_wire::client_hello::from_records;
use tlswhy_wire::fingerprint::{Ja4, ja3};
use tlswhy_wire::*;

mod vectors;

/// Everything that reads foreign bytes.
fn read_everything(bytes: &[u8]) {
    let server = Transcript::of_server(bytes);
    for record in &server.records {
        assert!(record.span.start < record.span.end && record.span.end <= bytes.len());
    }
    for message in &server.messages {
        assert!(message.span.start < message.span.end && message.span.end <= bytes.len());
    }
    let _ = (server.stapled_ocsp(), server.fatal_alert(), server.server_hello().map(|hello| hello.alpn()));
    Transcript::of_client(bytes, None);
    for version in [ProtocolVersion::SSLV3, ProtocolVersion::TLSV1_2, ProtocolVersion::TLSV1_3] {
        Transcript::of_decrypted(bytes, version);
        for suite in [CipherSuite::TLS_DHE_PSK_WITH_AES_128_CBC_SHA, CipherSuite::TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA] {
            let _ = ServerKeyExchange::parse(Reader::new(bytes, 0), version, suite);
        }
    }
    let hellos =
        [from_records(bytes).map(|(_, hello)| hello), ClientHello::parse(bytes, 7), ClientHello::parse_sslv2(bytes, 2)];
    for hello in hellos.into_iter().flatten() {
        let again = hello.to_spec(ProtocolVersion::TLSV1_0).encode(&hello.material());
        if hello.format == HelloFormat::Tls && hello.extensions.is_some() && !repeats_a_share(&hello) {
            assert_eq!(again.map(|encoded| encoded.message), Ok(hello.raw.clone()));
        }
        let _ = (ja3(&hello), Ja4::of(&hello));
    }
}

/// Two keys of the same group, which RFC 8446 §4.2.8 forbids, cannot be told apart.
fn repeats_a_share(hello: &ClientHello) -> bool {
    let mut groups: Vec<_> = hello.material().key_shares.into_iter().map(|(group, _)| group).collect();
    groups.sort();
    groups.windows(2).any(|pair| pair[0] == pair[1])
}

#[test]
fn no_prefix_of_a_capture_is_a_trap() {
    for (_, bytes) in vectors::all("") {
        for end in 0..=bytes.len() {
            read_everything(&bytes[..end]);
        }
    }
    assert!(!vectors::one("hello_curl").is_empty());
}

fn versions() -> impl Strategy<Value = ProtocolVersion> {
    prop_oneof![(0x0300u16..=0x0304).prop_map(ProtocolVersion), any::<u16>().prop_map(ProtocolVersion)]
}

fn numbers<T: std::fmt::Debug>(new: fn(u16) -> T) -> impl Strategy<Value = Vec<T>> {
    proptest::collection::vec(any::<u16>().prop_map(new), 0..20)
}

fn extensions() -> impl Strategy<Value = ExtensionSpec> {
    let bytes = || proptest::collection::vec(any::<u8>(), 0..40);
    prop_oneof![
        "[a-z.]{1,30}".prop_map(ExtensionSpec::ServerName),
        numbers(ProtocolVersion).prop_map(ExtensionSpec::SupportedVersions),
        numbers(NamedGroup).prop_map(ExtensionSpec::SupportedGroups),
        proptest::sample::subsequence(vec![NamedGroup(0x0a0a), NamedGroup::X25519, NamedGroup::SECP256R1], 0..=3)
            .prop_map(ExtensionSpec::KeyShare),
        numbers(SignatureScheme).prop_map(ExtensionSpec::SignatureAlgorithms),
        numbers(SignatureScheme).prop_map(ExtensionSpec::SignatureAlgorithmsCert),
        proptest::collection::vec("[a-z0-9/.]{0,9}", 0..4).prop_map(ExtensionSpec::Alpn),
        bytes().prop_map(ExtensionSpec::EcPointFormats),
        Just(ExtensionSpec::RenegotiationInfo),
        Just(ExtensionSpec::ExtendedMasterSecret),
        Just(ExtensionSpec::EncryptThenMac),
        Just(ExtensionSpec::SessionTicket),
        Just(ExtensionSpec::StatusRequest),
        Just(ExtensionSpec::SignedCertificateTimestamp),
        bytes().prop_map(ExtensionSpec::PskKeyExchangeModes),
        numbers(|number| number).prop_map(ExtensionSpec::CompressCertificate),
        any::<u16>().prop_map(ExtensionSpec::RecordSizeLimit),
        Just(ExtensionSpec::PostHandshakeAuth),
        bytes().prop_map(ExtensionSpec::Cookie),
        (0u16..16).prop_map(|nibble| ExtensionSpec::Grease(0x0a0a | nibble << 4 | nibble << 12)),
        (0u16..300).prop_map(ExtensionSpec::Padding),
        (1000u16..2000, bytes()).prop_map(|(number, body)| ExtensionSpec::Raw { extension_type: ExtensionType(number), body }),
    ]
}

prop_compose! {
    fn specs()(
        record_version in (0x0300u16..=0x0304).prop_map(ProtocolVersion),
        legacy_version in versions(),
        cipher_suites in numbers(CipherSuite),
        compression in proptest::collection::vec(any::<u8>(), 0..3),
        session_id_length in 0u8..=32,
        extensions in proptest::option::of(proptest::collection::vec(extensions(), 0..12)),
    ) -> HelloSpec {
        HelloSpec { record_version, legacy_version, cipher_suites, compression, session_id_length, extensions, ..HelloSpec::default() }
    }
}

proptest! {
    #[test]
    fn arbitrary_bytes(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        read_everything(&bytes);
    }

    #[test]
    fn arbitrary_bytes_in_records(
        payload in proptest::collection::vec(any::<u8>(), 0..300),
        content_type in 20u8..25,
        handshake_type in 0u8..26,
    ) {
        let length = [0, (payload.len() >> 8) as u8, payload.len() as u8];
        let message = [&[handshake_type], length.as_slice(), &payload].concat();
        let size = (message.len() as u16).to_be_bytes();
        read_everything(&[&[content_type, 3, 3], size.as_slice(), &message].concat());
        read_everything(&message);
    }

    #[test]
    fn damaged_captures(which in any::<prop::sample::Index>(), places in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4)) {
        let all = vectors::all("");
        let (_, mut bytes) = which.get(&all).clone();
        for (place, value) in places {
            let place = place.index(bytes.len());
            bytes[place] = value;
        }
        read_everything(&bytes);
    }

    #[test]
    fn what_is_encoded_is_read(spec in specs(), sizes in proptest::collection::vec(1u16..200, 0..4)) {
        let material = KeyMaterial {
            random: [9; 32],
            session_id: vec![3; 32],
            key_shares: vec![(NamedGroup(0x0a0a), vec![0]), (NamedGroup::X25519, vec![1; 32]), (NamedGroup::SECP256R1, vec![4; 65])],
        };
        let spec = spec.with_fragment(Fragment::Records(sizes));
        let encoded = spec.encode(&material).unwrap();
        prop_assert_eq!(spec.message_length(), encoded.message.len());
        let (version, hello) = from_records(&encoded.records).unwrap();
        prop_assert_eq!(&hello.raw, &encoded.message);
        let read = hello.to_spec(version).with_fragment(spec.fragment.clone());
        prop_assert_eq!(read.encode(&hello.material()).unwrap(), encoded);
        prop_assert_eq!(read, spec);
    }

    #[test]
    fn padding_never_falls_short(spec in specs(), pad_to in 0u16..2000) {
        let bare = spec.clone().without(ExtensionType::PADDING).message_length();
        let length = spec.with_pad_to(Some(pad_to)).message_length();
        // At most the length of an extension block, a header and one byte are too much.
        prop_assert!(length >= usize::from(pad_to) && length <= bare.max(usize::from(pad_to)) + 7);
    }
}
