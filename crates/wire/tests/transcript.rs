//! What real servers answered, read back.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test stops at what it did not expect")]

use tlswhy_wire::client_hello::from_records;
use tlswhy_wire::record::HEADER_LENGTH;
use tlswhy_wire::*;

mod vectors;

const V1_2: ProtocolVersion = ProtocolVersion::TLSV1_2;
const V1_3: ProtocolVersion = ProtocolVersion::TLSV1_3;

fn server(name: &str) -> Transcript {
    let transcript = Transcript::of_server(&vectors::one(&format!("server_{name}")));
    assert_eq!(transcript.stopped, None, "{name}");
    transcript
}

fn kinds(transcript: &Transcript) -> Vec<&'static str> {
    let kind = |message: &Located<Message>| match message.value {
        Message::ServerHello(_) => "ServerHello",
        Message::HelloRetryRequest(_) => "HelloRetryRequest",
        Message::EncryptedExtensions(_) => "EncryptedExtensions",
        Message::Certificate(_) => "Certificate",
        Message::CertificateStatus(_) => "CertificateStatus",
        Message::ServerKeyExchange(_) => "ServerKeyExchange",
        Message::CertificateRequest(_) => "CertificateRequest",
        Message::CertificateVerify(_) => "CertificateVerify",
        Message::ServerHelloDone => "ServerHelloDone",
        Message::Finished(_) => "Finished",
        Message::NewSessionTicket(_) => "NewSessionTicket",
        Message::HelloRequest => "HelloRequest",
        Message::Other { .. } => "Other",
    };
    transcript.messages.iter().map(kind).collect()
}

#[test]
fn a_tls_1_2_flight_with_everything() {
    let bytes = vectors::one("server_tls1_2_ecdhe_rsa_ocsp_request");
    let transcript = server("tls1_2_ecdhe_rsa_ocsp_request");
    assert_eq!(
        kinds(&transcript),
        ["ServerHello", "Certificate", "CertificateStatus", "ServerKeyExchange", "CertificateRequest", "ServerHelloDone"]
    );
    let hello = transcript.server_hello().unwrap();
    assert_eq!((*hello.selected_version, *hello.cipher_suite), (V1_2, CipherSuite::TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384));
    assert_eq!(bytes[hello.cipher_suite.span.clone()], hello.cipher_suite.0.to_be_bytes());
    assert!(hello.has_renegotiation_info() && hello.has_extended_master_secret());
    assert_eq!((hello.alpn().as_deref(), hello.downgrade_sentinel()), (Some("h2"), Some(V1_2)));
    let list = transcript.certificate().unwrap();
    assert_eq!(list.entries.len(), 2);
    for der in &list.entries {
        assert_eq!(bytes[der.span.clone()], der.value);
        assert_eq!(der.value[..2], [0x30, 0x82]);
    }
    assert_eq!(transcript.stapled_ocsp().unwrap()[..2], [0x30, 0x82]);
    let exchange = transcript.server_key_exchange().unwrap();
    let KeyExchangeParams::Ecdhe { group, point } = &exchange.params else { panic!("{exchange:?}") };
    assert_eq!((*group, point.len()), (NamedGroup::X25519, 32));
    assert_eq!(exchange.signature_scheme.as_ref().unwrap().value, SignatureScheme::RSA_PSS_RSAE_SHA256);
    assert_eq!(bytes[exchange.params_span.clone()], exchange.signed_params);
    assert_eq!(exchange.signature.len(), 256);
    let request = transcript.certificate_request().unwrap();
    assert_eq!((request.certificate_types.as_slice(), request.authorities.len()), (&[1, 2, 64][..], 1));
    assert!(request.signature_schemes.contains(&SignatureScheme::RSA_PKCS1_SHA256));
}

#[test]
fn every_kind_of_key_exchange() {
    let exchange = |name| {
        let transcript = server(name);
        let found = transcript.server_key_exchange().unwrap().value.clone();
        assert_eq!(kinds(&transcript).iter().filter(|kind| **kind == "ServerHelloDone").count(), 1, "{name}");
        found
    };
    let prime = |exchange: &ServerKeyExchange| exchange.prime_bits().unwrap();
    let dhe = exchange("tls1_2_dhe_rsa");
    assert_eq!((prime(&dhe), dhe.signature.len()), (1024, 256));
    assert_eq!(prime(&exchange("gnutls_tls1_2_dhe")), 2048);
    let anonymous = exchange("tls1_2_anon_dh");
    assert_eq!((prime(&anonymous), anonymous.signature.len(), anonymous.signature_scheme), (1024, 0, None));
    let anonymous = exchange("tls1_2_anon_ecdh");
    assert!(matches!(anonymous.params, KeyExchangeParams::Ecdhe { .. }) && anonymous.signature.is_empty());
    let psk = exchange("tls1_2_dhe_psk_hint");
    assert_eq!((prime(&psk), psk.psk_identity_hint.as_deref()), (1024, Some(&b"hint"[..])));
    let psk = exchange("tls1_2_ecdhe_psk_hint");
    assert!(matches!(psk.params, KeyExchangeParams::Ecdhe { .. }) && psk.psk_identity_hint.is_some());
    for name in ["tls1_2_psk_hint", "tls1_2_rsa_psk_hint"] {
        let psk = exchange(name);
        assert_eq!((psk.params, psk.psk_identity_hint.as_deref()), (KeyExchangeParams::Psk, Some(&b"hint"[..])));
    }
    let old = exchange("tls1_0_ecdhe_rsa");
    assert!(old.named_group().is_some() && old.prime_bits().is_none());
    assert_eq!((old.signature_scheme, old.signature.len()), (None, 256));
}

#[test]
fn the_downgrade_mark_is_seen() {
    let marked = |name| server(name).server_hello().unwrap().downgrade_sentinel();
    assert_eq!(marked("tls1_1_sentinel"), Some(ProtocolVersion::TLSV1_1));
    assert_eq!(marked("tls1_2_ecdhe_ecdsa_split"), Some(V1_2));
    assert_eq!(marked("tls1_3_ocsp_request"), None);
}

#[test]
fn tls_1_2_is_encrypted_after_the_ciphers_change() {
    let transcript = server("tls1_2_rsa_split");
    let from = transcript.encrypted_from.unwrap();
    let last = transcript.records.iter().find(|record| record.span.start == from).unwrap();
    assert_eq!(last.content_type, ContentType::HANDSHAKE);
    let before = transcript.records.iter().rfind(|record| record.span.end <= from).unwrap();
    assert_eq!(before.content_type, ContentType::CHANGE_CIPHER_SPEC);
    assert!(kinds(&transcript).ends_with(&["ServerHelloDone", "NewSessionTicket"]));
}

#[test]
fn tls_1_3_is_encrypted_after_the_server_hello() {
    for name in ["tls1_3_ocsp_request", "gnutls_tls1_3"] {
        let transcript = server(name);
        assert_eq!(kinds(&transcript), ["ServerHello"], "{name}");
        let hello = transcript.server_hello().unwrap();
        assert_eq!((*hello.selected_version, *hello.legacy_version), (V1_3, V1_2), "{name}");
        assert_eq!(
            hello.key_share().map(|(group, key)| (group, key.len())),
            hello.selected_group().map(|group| (group, if group == NamedGroup::X25519 { 32 } else { 65 }))
        );
        let first = transcript.records.iter().find(|record| record.content_type == ContentType::APPLICATION_DATA);
        assert_eq!(transcript.encrypted_from, first.map(|record| record.span.start), "{name}");
    }
}

#[test]
fn a_retry_is_no_server_hello() {
    let transcript = server("tls1_3_retry");
    assert_eq!(kinds(&transcript), ["HelloRetryRequest", "ServerHello"]);
    let retry = transcript.hello_retry_request().unwrap();
    assert_eq!((retry.selected_group(), retry.key_share()), (Some(NamedGroup::SECP384R1), None));
    assert_eq!(transcript.server_hello().unwrap().selected_group(), Some(NamedGroup::SECP384R1));
    assert!(transcript.encrypted_from.is_some());

    // The client's two hellos around its ChangeCipherSpec.
    let client = Transcript::of_client(&vectors::one("client_retry"), Some(V1_3));
    assert_eq!(kinds(&client), ["Other", "Other"]);
}

#[test]
fn decrypted_messages_of_tls_1_3() {
    let transcript = Transcript::of_decrypted(&vectors::one("decrypted_tls1_3_ocsp_request"), V1_3);
    assert_eq!(transcript.stopped, None);
    let flight = [
        "EncryptedExtensions",
        "CertificateRequest",
        "Certificate",
        "CertificateVerify",
        "Finished",
        "NewSessionTicket",
        "NewSessionTicket",
    ];
    assert_eq!(kinds(&transcript), flight);
    assert_eq!(transcript.encrypted_extensions().unwrap().alpn().as_deref(), Some("h2"));
    assert_eq!(transcript.certificate().unwrap().entries.len(), 2);
    assert_eq!(transcript.stapled_ocsp().unwrap()[..2], [0x30, 0x82]);
    let request = transcript.certificate_request().unwrap();
    assert!(request.signature_schemes.contains(&SignatureScheme::ED25519) && request.certificate_types.is_empty());
    assert_eq!(request.authorities.len(), 1);
    let verify = transcript.certificate_verify().unwrap();
    assert_eq!(verify.signature_scheme.value, SignatureScheme::RSA_PSS_RSAE_SHA256);
}

#[test]
fn alerts_in_every_shape() {
    let alert = |transcript: &Transcript| transcript.fatal_alert().unwrap().description;
    assert_eq!(alert(&server("alert_protocol_version")), AlertDescription::PROTOCOL_VERSION);
    assert_eq!(alert(&server("alert_handshake_failure")), AlertDescription::HANDSHAKE_FAILURE);
    let client = Transcript::of_client(&vectors::one("client_alert"), Some(V1_2));
    assert_eq!(alert(&client), AlertDescription::UNKNOWN_CA);

    let fragmented = Transcript::of_server(b"\x15\x03\x03\0\x01\x02\x15\x03\x03\0\x01\x28");
    let expected = Alert { level: AlertLevel::FATAL, description: AlertDescription::HANDSHAKE_FAILURE };
    assert_eq!(fragmented.alerts, [Located::new(expected, 5..12)]);
    let several = Transcript::of_server(b"\x15\x03\x03\0\x04\x01\x70\x02\x28");
    assert_eq!(several.alerts.iter().map(|alert| alert.span.clone()).collect::<Vec<_>>(), [5..7, 7..9]);
    assert_eq!(several.fatal_alert().unwrap().value, expected);
    let half = Transcript::of_server(b"\x15\x03\x03\0\x01\x02");
    assert!(matches!(half.stopped.unwrap().kind, DecodeErrorKind::Truncated { need: 1 }));

    // After the ciphers changed, what could be an alert is encrypted unless it has two bytes.
    let after = Transcript::of_server(b"\x14\x03\x03\0\x01\x01\x15\x03\x03\0\x04\x02\x28\x02\x28\x15\x03\x03\0\x02\x02\x14");
    assert_eq!((after.alerts.len(), after.encrypted_from), (1, Some(6)));
    assert_eq!(alert(&after), AlertDescription::BAD_RECORD_MAC);
    // In TLS 1.3 even a warning ends the connection, but for two.
    let mut hello = vectors::one("server_tls1_3_ocsp_request");
    hello.truncate(127);
    hello.extend(b"\x15\x03\x03\0\x02\x01\0\x15\x03\x03\0\x02\x01\x32");
    assert_eq!(alert(&Transcript::of_server(&hello)), AlertDescription::DECODE_ERROR);
}

#[test]
fn messages_do_not_depend_on_how_they_are_cut() {
    for (name, bytes) in vectors::all("server_") {
        let whole = Transcript::of_server(&bytes);
        for size in [1, 3, 100, 5000] {
            let (cut, origins) = recut(&bytes, &whole, size);
            let again = Transcript::of_server(&cut);
            assert_eq!(again.stopped.is_some(), again.records.len() == 1000, "{name} {size}");
            if again.stopped.is_some() {
                continue;
            }
            assert_eq!(kinds(&again), kinds(&whole), "{name} {size}");
            for (one, other) in again.messages.iter().zip(&whole.messages) {
                assert_eq!(origins[one.span.start], other.span.start, "{name} {size}");
                assert_eq!(origins[one.span.end - 1], other.span.end - 1, "{name} {size}");
            }
            let suite = |transcript: &Transcript| transcript.server_hello().map(|hello| hello.cipher_suite.clone());
            if let (Some(one), Some(other)) = (suite(&again), suite(&whole)) {
                assert_eq!(
                    (one.value, origins[one.span.start], origins[one.span.end - 1]),
                    (other.value, other.span.start, other.span.end - 1)
                );
            }
            let leaf = |transcript: &Transcript| transcript.certificate().map(|list| list.entries[0].clone());
            if let (Some(one), Some(other)) = (leaf(&again), leaf(&whole)) {
                assert_eq!(
                    (one.value, origins[one.span.start], origins[one.span.end - 1]),
                    (other.value, other.span.start, other.span.end - 1)
                );
            }
        }
    }
}

/// The same bytes with every record before the encrypted part cut into records of `size`, and where each byte comes from.
fn recut(bytes: &[u8], transcript: &Transcript, size: usize) -> (Vec<u8>, Vec<usize>) {
    let mut cut = Vec::new();
    let mut origins = Vec::new();
    for record in &transcript.records {
        let payload = record.span.start + HEADER_LENGTH..record.span.end;
        let size = if transcript.encrypted_from.is_some_and(|from| record.span.start >= from) { payload.len() } else { size };
        for start in payload.clone().step_by(size.max(1)) {
            let part = start..(start + size).min(payload.end);
            cut.extend([record.content_type.0, 3, 3]);
            cut.extend((part.len() as u16).to_be_bytes());
            origins.extend([usize::MAX; HEADER_LENGTH]);
            cut.extend(&bytes[part.clone()]);
            origins.extend(part);
        }
    }
    (cut, origins)
}

#[test]
fn every_prefix_gives_what_it_holds() {
    for (name, bytes) in vectors::all("server_") {
        let whole = Transcript::of_server(&bytes);
        for end in 0..bytes.len() {
            let part = Transcript::of_server(&bytes[..end]);
            assert!(whole.messages.starts_with(&part.messages), "{name} {end}");
            assert!(whole.alerts.starts_with(&part.alerts), "{name} {end}");
            let complete = whole.messages.iter().filter(|message| message.span.end <= end).count();
            assert_eq!(part.messages.len(), complete, "{name} {end}");
            if let Some(error) = part.stopped {
                assert!(matches!(error.kind, DecodeErrorKind::Truncated { .. }), "{name} {end} {error}");
                assert_eq!(error.at, end, "{name}");
            }
        }
    }
}

#[test]
fn what_is_not_tls_stops_at_once() {
    for bytes in [
        &b"HTTP/1.1 400 Bad Request\r\n"[..],
        b"SSH-2.0-OpenSSH",
        b"\x15\x02\x00\x00\x02",
        b"\x80\x05\x09abcd",
        b"220 mail\r\n",
    ] {
        let transcript = Transcript::of_server(bytes);
        let stopped = transcript.stopped.unwrap();
        assert!(transcript.records.is_empty() && transcript.sslv2.is_none());
        assert_eq!((stopped.kind, stopped.at), (DecodeErrorKind::Invalid, if bytes[0] == 0x80 { 2 } else { 0 }), "{bytes:?}");
    }
    assert_eq!(Transcript::of_server(b""), Transcript::default());
    let then = Transcript::of_server(b"\x15\x03\x01\0\x02\x02\x28HTTP/1.1 400 Bad Request");
    assert_eq!((then.alerts.len(), then.stopped.unwrap().at), (1, 7));
}

#[test]
fn limits_hold() {
    let many = b"\x16\x03\x03\0\0".repeat(2000);
    let transcript = Transcript::of_server(&many);
    assert_eq!((transcript.records.len(), transcript.stopped.unwrap().kind), (1000, DecodeErrorKind::TooLong { limit: 1000 }));
    let long = Transcript::of_server(b"\x16\x03\x03\0\x04\x0b\x10\0\x01");
    assert_eq!(long.stopped.unwrap().kind, DecodeErrorKind::TooLong { limit: 1 << 20 });
    let wide = Transcript::of_server(b"\x16\x03\x03\xff\xff");
    assert_eq!(wide.stopped.unwrap().kind, DecodeErrorKind::TooLong { limit: 18432 });
}

#[test]
fn an_sslv2_server_is_understood() {
    let error = Transcript::of_server(b"\x80\x03\x00\x00\x01");
    assert_eq!(error.sslv2, Some(Located::new(Sslv2Message::Error(1), 0..5)));
    assert_eq!(error.stopped, None);
    let hello = b"\x80\x16\x04\x00\x01\x00\x02\x00\x03\x00\x06\x00\x02DER\x01\x00\x80\x07\x00\xc0id";
    let transcript = Transcript::of_server(hello);
    let Some(Sslv2Message::ServerHello(found)) = transcript.sslv2.map(|message| message.value) else { panic!() };
    assert_eq!((found.version.value, found.certificate), (ProtocolVersion::SSLV2, Located::new(b"DER".to_vec(), 13..16)));
    assert_eq!(
        found.cipher_kinds,
        [
            Located::new(Sslv2CipherKind::SSL_CK_RC4_128_WITH_MD5, 16..19),
            Located::new(Sslv2CipherKind::SSL_CK_DES_192_EDE3_CBC_WITH_MD5, 19..22)
        ]
    );
    assert_eq!((found.connection_id.as_slice(), found.session_id_hit), (&b"id"[..], false));
    let cut = Transcript::of_server(&hello[..20]);
    assert!(cut.sslv2.is_none() && matches!(cut.stopped.unwrap().kind, DecodeErrorKind::Truncated { need: 4 }));
}

#[test]
fn spelled_out_curves_and_export_keys() {
    let parse = |body: &[u8], suite| ServerKeyExchange::parse(Reader::new(body, 0), ProtocolVersion::TLSV1_0, suite);
    let ecdhe = CipherSuite::TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA;
    let prime = parse(b"\x01\x02\x7f\xff\x01a\x01b\x01G\x01n\x01h\x02PP\0\x01S", ecdhe).unwrap();
    assert_eq!(prime.params, KeyExchangeParams::EcdheExplicit { curve_type: 1, field_bits: 15, point: b"PP".to_vec() });
    assert_eq!((prime.signature.as_slice(), prime.params_span), (&b"S"[..], 0..17));
    let binary = parse(b"\x02\x00\xa3\x01\x01k\x01a\x01b\x01G\x01n\x01h\x01P\0\x01S", ecdhe).unwrap();
    assert!(matches!(binary.params, KeyExchangeParams::EcdheExplicit { curve_type: 2, field_bits: 163, .. }));
    assert_eq!(parse(b"\x04", ecdhe).unwrap_err().kind, DecodeErrorKind::Invalid);
    let export = parse(b"\0\x02\x01\x00\0\x01\x03\0\x01S", CipherSuite::TLS_RSA_EXPORT_WITH_RC4_40_MD5).unwrap();
    assert!(matches!(export.params, KeyExchangeParams::RsaExport { modulus_bits: 9, .. }));
    let unknown = parse(b"whatever", CipherSuite(0xfefe)).unwrap();
    assert_eq!(unknown.params, KeyExchangeParams::Other(b"whatever".to_vec()));
}

#[test]
fn the_client_of_a_capture_is_read_from_its_first_record() {
    let bytes = vectors::one("client_alert");
    let (version, hello) = from_records(&bytes).unwrap();
    assert_eq!((version, *hello.legacy_version), (ProtocolVersion::TLSV1_0, V1_2));
}
