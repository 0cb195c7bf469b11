//! Handshakes with real servers, finished in every way that this program can.

mod common;

use common::{ALL_VERSIONS, hello, is_there, s_server, try_hello};
use tlswhy_model::{Awaited, Depth, Ending};
use tlswhy_wire::{AlertDescription, CipherSuite, NamedGroup, ProtocolVersion, Transcript};

#[tokio::test]
async fn every_version_suite_and_group_is_finished() {
    if !is_there("openssl") {
        return;
    }
    let server = s_server("rsa", &["-cipher", "ALL:eNULL:@SECLEVEL=0", "-www"]).await;
    let mut table = String::new();
    let mut failed = 0;
    for version in ALL_VERSIONS {
        let suites = if version == ProtocolVersion::TLSV1_3 {
            MODERN
        } else {
            LEGACY
        };
        let suites = suites
            .iter()
            .filter(|suite| suite.details().unwrap().usable_with(version));
        for suite in suites {
            let curves = suite.details().unwrap().forward_secret()
                && !suite.details().unwrap().name.contains("_DHE_");
            let groups = if curves { &CURVES[..] } else { &CURVES[..1] };
            for group in groups {
                let hello = hello()
                    .with_versions(&[version])
                    .with_suites(vec![*suite])
                    .with_groups(&[*group], &[*group]);
                let attempt = try_hello(server.address, hello, Depth::Request).await;
                let served = attempt
                    .application
                    .as_ref()
                    .is_some_and(|bytes| bytes.starts_with(b"HTTP/1.0 200"));
                let fine = attempt.ending == Ending::Completed && served;
                failed += usize::from(!fine);
                table += &format!(
                    "{version} {suite} {group}: {:?}{}\n",
                    attempt.ending,
                    if fine { "" } else { "  <<<" }
                );
            }
        }
    }
    println!("{table}");
    assert_eq!(failed, 0, "{table}");
}

const CURVES: [NamedGroup; 4] = [
    NamedGroup::X25519,
    NamedGroup::SECP256R1,
    NamedGroup::SECP384R1,
    NamedGroup::SECP521R1,
];
const MODERN: &[CipherSuite] = &[
    CipherSuite::TLS_AES_128_GCM_SHA256,
    CipherSuite::TLS_AES_256_GCM_SHA384,
    CipherSuite::TLS_CHACHA20_POLY1305_SHA256,
];
const LEGACY: &[CipherSuite] = &[
    CipherSuite::TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
    CipherSuite::TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
    CipherSuite::TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
    CipherSuite::TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256,
    CipherSuite::TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA384,
    CipherSuite::TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA,
    CipherSuite::TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA,
    CipherSuite::TLS_DHE_RSA_WITH_AES_128_GCM_SHA256,
    CipherSuite::TLS_DHE_RSA_WITH_AES_256_CBC_SHA,
    CipherSuite::TLS_RSA_WITH_AES_128_GCM_SHA256,
    CipherSuite::TLS_RSA_WITH_AES_128_CBC_SHA,
    CipherSuite::TLS_RSA_WITH_AES_256_CBC_SHA256,
    CipherSuite::TLS_DH_anon_WITH_AES_128_CBC_SHA,
    CipherSuite::TLS_ECDH_anon_WITH_AES_128_CBC_SHA,
    CipherSuite::TLS_RSA_WITH_NULL_SHA,
];

#[tokio::test]
async fn the_encrypted_flight_is_read() {
    if !is_there("openssl") {
        return;
    }
    let server = s_server("ec", &["-alpn", "http/1.1", "-Verify", "1"]).await;
    let attempt = try_hello(
        server.address,
        hello().with_alpn(&["h2", "http/1.1"]),
        Depth::Flight,
    )
    .await;
    assert_eq!(attempt.ending, Ending::Answered);
    let transcript =
        Transcript::of_decrypted(&attempt.decrypted.unwrap(), ProtocolVersion::TLSV1_3);
    assert_eq!(transcript.stopped, None);
    assert_eq!(
        transcript.encrypted_extensions().unwrap().alpn().as_deref(),
        Some("http/1.1")
    );
    assert_eq!(transcript.certificate().unwrap().entries.len(), 1);
    assert!(
        transcript.certificate_request().is_some() && transcript.certificate_verify().is_some()
    );
    assert!(
        attempt.timing.first_byte_ms >= attempt.timing.hello_sent_ms
            && attempt.timing.hello_sent_ms.is_some()
    );
}

#[tokio::test]
async fn a_missing_client_certificate_is_objected_to() {
    if !is_there("openssl") {
        return;
    }
    let server = s_server("ec", &["-Verify", "1"]).await;
    for depth in [Depth::Finish, Depth::Request] {
        let attempt = try_hello(server.address, hello(), depth).await;
        let Ending::Alert {
            description,
            awaited: Awaited::AfterFinished,
            encrypted: true,
            ..
        } = attempt.ending
        else {
            panic!("{:?}", attempt.ending)
        };
        assert_eq!(description, AlertDescription::CERTIFICATE_REQUIRED);
        let legacy = try_hello(
            server.address,
            hello().with_versions(&[ProtocolVersion::TLSV1_2]),
            depth,
        )
        .await;
        let Ending::Alert {
            description,
            awaited: Awaited::ServerFinished,
            encrypted: false,
            ..
        } = legacy.ending
        else {
            panic!("{:?}", legacy.ending)
        };
        assert_eq!(description, AlertDescription::HANDSHAKE_FAILURE);
    }
}

#[tokio::test]
async fn a_retry_is_answered() {
    if !is_there("openssl") {
        return;
    }
    for (option, group) in [
        ("P-384", NamedGroup::SECP384R1),
        ("ffdhe2048", NamedGroup::FFDHE2048),
    ] {
        let server = s_server("ec", &["-groups", option]).await;
        let hello = hello().with_groups(&[NamedGroup::X25519, group], &[NamedGroup::X25519]);
        let attempt = try_hello(server.address, hello, Depth::Finish).await;
        assert_eq!(attempt.ending, Ending::Completed, "{option}");
        let transcript = Transcript::of_server(&attempt.received);
        assert_eq!(
            transcript.hello_retry_request().unwrap().selected_group(),
            Some(group)
        );
        assert_eq!(
            transcript.server_hello().unwrap().selected_group(),
            Some(group)
        );
    }
}

#[tokio::test]
async fn what_cannot_be_computed_is_said() {
    if !is_there("openssl") {
        return;
    }
    let server = s_server("ec", &["-groups", "X448"]).await;
    let hello = hello().with_groups(
        &[NamedGroup::X448, NamedGroup::X25519],
        &[NamedGroup::X25519],
    );
    let attempt = try_hello(server.address, hello, Depth::Finish).await;
    assert_eq!(
        attempt.ending,
        Ending::NotCarriedFurther {
            reason: "tlswhy does not compute the group x448".to_owned()
        }
    );
}
