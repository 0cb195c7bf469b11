//! ClientHello in both directions, on what real clients sent.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test stops at what it did not expect")]

use tlswhy_wire::client_hello::from_records;
use tlswhy_wire::fingerprint::{Ja4, ja3};
use tlswhy_wire::*;

mod vectors;

#[test]
fn a_real_hello_encodes_to_the_same_bytes_again() {
    for (name, bytes) in vectors::all("hello_") {
        let (version, hello) = from_records(&bytes).unwrap_or_else(|error| panic!("{name}: {error}"));
        let spec = hello.to_spec(version);
        let again = spec.encode(&hello.material()).unwrap();
        assert_eq!(again.message, hello.raw, "{name}");
        assert_eq!(again.records, bytes, "{name}");
        assert_eq!((again.writes.len(), again.writes[0].end), (1, bytes.len()), "{name}");
        assert_eq!(spec.message_length(), again.message.len(), "{name}");
        if hello.format == HelloFormat::Tls {
            assert_eq!(ClientHello::parse(&hello.raw, 5).unwrap(), hello, "{name}");
        }
    }
}

#[test]
fn every_place_holds_its_value() {
    for (name, bytes) in vectors::all("hello_") {
        let (_, hello) = from_records(&bytes).unwrap();
        let at = |span: &std::ops::Range<usize>| &bytes[span.clone()];
        assert_eq!(at(&hello.legacy_version.span), hello.legacy_version.0.to_be_bytes(), "{name}");
        assert_eq!(at(&hello.session_id.span), hello.session_id.value, "{name}");
        for suite in &hello.cipher_suites.value {
            assert!(at(&suite.span).ends_with(&suite.0.to_be_bytes()), "{name}");
            assert!(hello.cipher_suites.span.contains(&suite.span.start), "{name}");
        }
        for extension in hello.extensions.iter().flatten() {
            assert_eq!(at(&extension.span)[..2], extension.extension_type.0.to_be_bytes(), "{name}");
            assert_eq!(at(&extension.body.span), extension.body.value, "{name}");
        }
    }
}

#[test]
fn a_hello_split_over_records_is_the_same_hello() {
    let (version, hello) = from_records(&vectors::one("hello_curl")).unwrap();
    for sizes in [vec![1], vec![4, 1, 7], vec![100], vec![3, 16384]] {
        let split = hello.to_spec(version).with_fragment(Fragment::Records(sizes));
        let encoded = split.encode(&hello.material()).unwrap();
        assert_eq!(encoded.message, hello.raw);
        let (_, again) = from_records(&encoded.records).unwrap();
        assert_eq!(again.raw, hello.raw);
        let name = again.extension(ExtensionType::SERVER_NAME).unwrap();
        let bytes: Vec<u8> = encoded.records[name.body.span.clone()].to_vec();
        assert_eq!(bytes.first(), name.body.value.first());
        assert_eq!(bytes.last(), name.body.value.last());
    }
}

#[test]
fn an_incomplete_hello_is_truncated_and_a_complete_one_may_be_followed() {
    let whole = vectors::one("hello_gnutls");
    for end in 1..whole.len() {
        let kind = from_records(&whole[..end]).unwrap_err().kind;
        assert!(matches!(kind, DecodeErrorKind::Truncated { .. }), "{end} {kind:?}");
    }
    let followed = [whole.as_slice(), b"what follows"].concat();
    assert_eq!(from_records(&followed).unwrap(), from_records(&whole).unwrap());
}

#[test]
fn what_is_no_hello_is_said_to_be_none() {
    for bytes in [&b"GET / HTTP/1.1\r\n"[..], b"\x15\x03\x01\x00\x02\x02\x28", b"SSH-2.0-x", b"\x16\x03\x01\x00\x04\x02\0\0\0"]
    {
        assert_eq!(from_records(bytes).unwrap_err().kind, DecodeErrorKind::Invalid, "{bytes:?}");
    }
    let endless = b"\x16\x03\x01\x00\x04\x01\xff\xff\xff";
    assert!(matches!(from_records(endless).unwrap_err().kind, DecodeErrorKind::TooLong { .. }));
}

#[test]
fn the_readers_leave_out_what_is_no_offer() {
    let (version, hello) = from_records(&vectors::one("hello_openssl_tls1_fallback")).unwrap();
    let spec = hello.to_spec(version);
    assert!(spec.cipher_suites.contains(&CipherSuite::TLS_FALLBACK_SCSV));
    assert!(!spec.real_suites().contains(&CipherSuite::TLS_FALLBACK_SCSV));
    assert!(spec.offers_renegotiation_info());
    assert_eq!(spec.offered_versions(), [ProtocolVersion::TLSV1_0]);
    assert_eq!(spec.signature_schemes(), None);
    let (version, hello) = from_records(&vectors::one("hello_node")).unwrap();
    let spec = hello.to_spec(version);
    assert_eq!(spec.server_name(), Some("server.example"));
    assert_eq!(spec.alpn(), ["h2", "http/1.1"]);
    assert_eq!(spec.offered_versions(), [ProtocolVersion::TLSV1_3, ProtocolVersion::TLSV1_2]);
    assert_eq!(spec.key_shares(), [NamedGroup::X25519]);
}

#[test]
fn an_sslv2_hello_offers_kinds_and_suites() {
    let bytes = vectors::one("hello_sslscan_sslv2");
    let (version, hello) = from_records(&bytes).unwrap();
    assert_eq!((version, hello.format), (ProtocolVersion::SSLV2, HelloFormat::Sslv2));
    assert_eq!(*hello.legacy_version, ProtocolVersion::SSLV2);
    assert_eq!(hello.sslv2_cipher_kinds.len(), 8);
    assert_eq!(hello.cipher_suites[0].value, CipherSuite::TLS_NULL_WITH_NULL_NULL);
}

/// The worked example of JA4's specification, and JA3 of the same hello.
#[test]
fn fingerprints_of_a_browser() {
    let grease = 0x2a2a;
    let suites = [
        grease, 0x1301, 0x1302, 0x1303, 0xc02b, 0xc02f, 0xc02c, 0xc030, 0xcca9, 0xcca8, 0xc013, 0xc014, 0x9c, 0x9d, 0x2f, 0x35,
    ];
    let raw = |number, body: &[u8]| ExtensionSpec::Raw { extension_type: ExtensionType(number), body: body.to_vec() };
    let schemes = [0x0403, 0x0804, 0x0401, 0x0503, 0x0805, 0x0501, 0x0806, 0x0601].map(SignatureScheme);
    let groups = [NamedGroup(grease), NamedGroup::X25519, NamedGroup::SECP256R1, NamedGroup::SECP384R1];
    let spec = HelloSpec {
        cipher_suites: suites.map(CipherSuite).to_vec(),
        session_id_length: 32,
        extensions: Some(vec![
            ExtensionSpec::Grease(grease),
            raw(0x001b, &[2, 0, 2]),
            ExtensionSpec::ServerName("server.example".to_owned()),
            raw(0x0033, &[0, 0]),
            ExtensionSpec::Alpn(vec!["h2".to_owned(), "http/1.1".to_owned()]),
            raw(0x4469, &[0, 3, 2, b'h', b'2']),
            ExtensionSpec::SessionTicket,
            ExtensionSpec::RenegotiationInfo,
            ExtensionSpec::SupportedGroups(groups.to_vec()),
            ExtensionSpec::PskKeyExchangeModes(vec![1]),
            ExtensionSpec::StatusRequest,
            ExtensionSpec::ExtendedMasterSecret,
            ExtensionSpec::SupportedVersions(vec![ProtocolVersion(grease), ProtocolVersion::TLSV1_3, ProtocolVersion::TLSV1_2]),
            ExtensionSpec::SignatureAlgorithms(schemes.to_vec()),
            ExtensionSpec::SignedCertificateTimestamp,
            ExtensionSpec::EcPointFormats(vec![0]),
            ExtensionSpec::Grease(0xdada),
            ExtensionSpec::Padding(100),
        ]),
        ..HelloSpec::default()
    };
    let material = KeyMaterial { session_id: vec![0; 32], ..KeyMaterial::default() };
    let (_, hello) = from_records(&spec.encode(&material).unwrap().records).unwrap();
    let ja4 = Ja4::of(&hello);
    assert_eq!(ja4.a, "t13d1516h2");
    assert_eq!(ja4.b, "002f,0035,009c,009d,1301,1302,1303,c013,c014,c02b,c02c,c02f,c030,cca8,cca9");
    assert_eq!(
        ja4.c,
        "0005,000a,000b,000d,0012,0015,0017,001b,0023,002b,002d,0033,4469,ff01_0403,0804,0401,0503,0805,0501,0806,0601"
    );
    assert_eq!(ja4.fingerprint(|text| [text.len() as u8; 32]), "t13d1516h2_4a4a4a4a4a4a_6d6d6d6d6d6d");
    assert_eq!(
        ja3(&hello),
        "771,4865-4866-4867-49195-49199-49196-49200-52393-52392-49171-49172-156-157-47-53,\
         27-0-51-16-17513-35-65281-10-45-5-23-43-13-18-11-21,29-23-24,0"
    );
}

#[test]
fn a_bare_hello_has_a_fingerprint_too() {
    let spec = HelloSpec { cipher_suites: vec![CipherSuite::TLS_RSA_WITH_AES_128_CBC_SHA], ..HelloSpec::default() };
    let (_, hello) = from_records(&spec.encode(&KeyMaterial::default()).unwrap().records).unwrap();
    assert_eq!(ja3(&hello), "771,47,,,");
    assert_eq!(Ja4::of(&hello).fingerprint(|_| [0xab; 32]), "t12i010000_abababababab_000000000000");
}
