//! Peers that play a script, and nonsense.

use super::*;
use tlswhy_wire::{CipherSuite, NamedGroup};

fn hello() -> HelloSpec {
    HelloSpec {
        extensions: Some(vec![
            ExtensionSpec::SupportedVersions(vec![ProtocolVersion::TLSV1_3]),
            ExtensionSpec::SupportedGroups(vec![NamedGroup::X25519, NamedGroup::SECP256R1]),
            ExtensionSpec::KeyShare(vec![NamedGroup::X25519]),
        ]),
        cipher_suites: vec![CipherSuite::TLS_AES_128_GCM_SHA256],
        session_id_length: 32,
        ..HelloSpec::default()
    }
}

fn server_hello(version: u16, suite: CipherSuite, random: [u8; 32], extensions: &[u8]) -> Vec<u8> {
    let mut body = vec![3, 3];
    body.extend(random);
    body.push(0);
    body.extend(suite.0.to_be_bytes());
    body.push(0);
    let versions = [&[0, 43, 0, 2][..], &version.to_be_bytes()].concat();
    let extensions = [if version == 0x0304 { &versions[..] } else { &[] }, extensions].concat();
    body.extend((extensions.len() as u16).to_be_bytes());
    body.extend(extensions);
    plain_record(ContentType::HANDSHAKE, ProtocolVersion::TLSV1_2, &handshake_message(HandshakeType::SERVER_HELLO, &body))
}

fn handshake() -> Handshake {
    Handshake::new(hello(), Depth::Request).unwrap().0
}

/// Everything that a server may say in the clear, as a starting point for nonsense.
fn answers() -> Vec<Vec<u8>> {
    let message =
        |kind, body: &[u8]| plain_record(ContentType::HANDSHAKE, ProtocolVersion::TLSV1_2, &handshake_message(kind, body));
    let retry: [u8; 32] =
        aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, b"HelloRetryRequest").as_ref().try_into().unwrap();
    let p256 = [0, 51, 0, 2, 0, 23];
    let share = [&[0, 51, 0, 36, 0, 29, 0, 32][..], &[9; 32]].concat();
    let legacy = |suite| server_hello(0x0303, suite, [1; 32], &[]);
    let done = message(HandshakeType::SERVER_HELLO_DONE, &[]);
    let ecdhe = [&[3, 0, 23, 65, 4][..], &[5; 64], &[4, 1, 0, 1, 0]].concat();
    let dhe = [&[0, 16][..], &[0xff; 16], &[0, 1, 2, 0, 1, 5, 4, 1, 0, 1, 0]].concat();
    vec![
        server_hello(0x0304, CipherSuite::TLS_AES_128_GCM_SHA256, retry, &p256),
        server_hello(0x0304, CipherSuite::TLS_AES_128_GCM_SHA256, [1; 32], &share),
        [
            legacy(CipherSuite::TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256),
            message(HandshakeType::CERTIFICATE, &[0, 0, 0]),
            message(HandshakeType::SERVER_KEY_EXCHANGE, &ecdhe),
            done.clone(),
        ]
        .concat(),
        [
            legacy(CipherSuite::TLS_DHE_RSA_WITH_AES_128_CBC_SHA),
            message(HandshakeType::SERVER_KEY_EXCHANGE, &dhe),
            done.clone(),
            vec![20, 3, 3, 0, 1, 1],
        ]
        .concat(),
        [
            legacy(CipherSuite::TLS_RSA_WITH_AES_128_CBC_SHA),
            message(HandshakeType::CERTIFICATE, &[0, 0, 8, 0, 0, 5, 0x30, 3, 0x30, 1, 0]),
            done,
        ]
        .concat(),
        vec![0x80, 3, 0, 0, 1],
    ]
}

#[test]
fn a_retry_is_answered_with_the_group_asked_for_and_a_second_one_is_not() {
    let retry = answers().swap_remove(0);
    let mut handshake = handshake();
    let Step::Send(flight) = handshake.step(&retry) else { panic!("no second hello") };
    assert_eq!(flight.bytes.get(..6), Some(&[20, 3, 3, 0, 1, 1][..]));
    assert!(matches!(handshake.step(&retry), Step::Wait));
    let twice = retry.repeat(2);
    assert!(matches!(handshake.step(&twice), Step::Ended(Ending::Malformed { .. })));
}

#[test]
fn weak_or_missing_keys_end_it_politely() {
    let endings = answers().into_iter().map(|answer| handshake().step(&answer)).collect::<Vec<_>>();
    assert!(matches!(endings[1], Step::Wait));
    // A point that is on no curve, and an RSA key exchange without an RSA key.
    assert!(matches!(endings[2], Step::Ended(Ending::Malformed { .. })), "{:?}", endings[2]);
    assert!(matches!(endings[3], Step::Send(_)), "{:?}", endings[3]);
    assert!(matches!(endings[4], Step::Ended(Ending::NotCarriedFurther { .. })), "{:?}", endings[4]);
}

#[test]
fn nonsense_never_panics() {
    let mut seed = 1u64;
    let mut random = |below: usize| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (seed >> 33) as usize % below
    };
    let answers = answers();
    for _ in 0..1500 {
        let mut bytes = answers[random(answers.len())].clone();
        for _ in 0..random(4) {
            let at = random(bytes.len());
            match random(3) {
                0 => bytes[at] = random(256) as u8,
                1 => bytes.truncate(at + 1),
                _ => bytes.extend_from_slice(&answers[random(answers.len())]),
            }
        }
        let mut handshake = handshake();
        let cut = random(bytes.len());
        for end in [cut, bytes.len()] {
            while let Step::Send(_) = handshake.step(&bytes[..end]) {}
        }
        handshake.quiet("host");
    }
}
