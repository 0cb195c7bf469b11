//! Handshakes with real servers, finished in every way that this program can.

#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout, clippy::print_stderr, reason = "this is test code")]

mod common;

use std::process::Command;

use common::{ALL_VERSIONS, Server, attempt, free_port, hello, is_there, keys, live, probe_of, s_server, serve, try_hello};
use tlswhy_model::{Awaited, Bytes, Depth, Ending, Opening};
use tlswhy_wire::{
    AlertDescription, CipherSuite, ExtensionType, Fragment, HelloFormat, NamedGroup, ProtocolVersion, Transcript,
};

#[tokio::test]
async fn every_version_suite_and_group_is_finished() {
    if !is_there("openssl") {
        return;
    }
    let server = s_server("rsa", &["-cipher", "ALL:eNULL:@SECLEVEL=0", "-www"]).await;
    let mut table = String::new();
    let mut failed = 0;
    for version in ALL_VERSIONS {
        let suites = if version == ProtocolVersion::TLSV1_3 { MODERN } else { LEGACY };
        let suites = suites.iter().filter(|suite| suite.details().unwrap().usable_with(version));
        for suite in suites {
            let curves = suite.details().unwrap().forward_secret() && !suite.details().unwrap().name.contains("_DHE_");
            let groups = if curves { &CURVES[..] } else { &CURVES[..1] };
            for group in groups {
                let hello = hello().with_versions(&[version]).with_suites(vec![*suite]).with_groups(&[*group], &[*group]);
                let attempt = try_hello(server.address, hello, Depth::Request).await;
                let served = attempt.application.as_ref().is_some_and(|bytes| bytes.starts_with(b"HTTP/1.0 200"));
                let fine = attempt.ending == Ending::Completed && served;
                failed += usize::from(!fine);
                table += &format!("{version} {suite} {group}: {:?}{}\n", attempt.ending, if fine { "" } else { "  <<<" });
            }
        }
    }
    println!("{table}");
    assert_eq!(failed, 0, "{table}");
}

const CURVES: [NamedGroup; 4] = [NamedGroup::X25519, NamedGroup::SECP256R1, NamedGroup::SECP384R1, NamedGroup::SECP521R1];
const MODERN: &[CipherSuite] =
    &[CipherSuite::TLS_AES_128_GCM_SHA256, CipherSuite::TLS_AES_256_GCM_SHA384, CipherSuite::TLS_CHACHA20_POLY1305_SHA256];
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
    let attempt = try_hello(server.address, hello().with_alpn(&["h2", "http/1.1"]), Depth::Flight).await;
    assert_eq!(attempt.ending, Ending::Answered);
    let transcript = Transcript::of_decrypted(&attempt.decrypted.unwrap(), ProtocolVersion::TLSV1_3);
    assert_eq!(transcript.stopped, None);
    assert_eq!(transcript.encrypted_extensions().unwrap().alpn().as_deref(), Some("http/1.1"));
    assert_eq!(transcript.certificate().unwrap().entries.len(), 1);
    assert!(transcript.certificate_request().is_some() && transcript.certificate_verify().is_some());
    assert!(attempt.timing.first_byte_ms >= attempt.timing.hello_sent_ms && attempt.timing.hello_sent_ms.is_some());
}

#[tokio::test]
async fn a_missing_client_certificate_is_objected_to() {
    if !is_there("openssl") {
        return;
    }
    let server = s_server("ec", &["-Verify", "1"]).await;
    for depth in [Depth::Finish, Depth::Request] {
        let attempt = try_hello(server.address, hello(), depth).await;
        let Ending::Alert { description, awaited: Awaited::AfterFinished, encrypted: true, .. } = attempt.ending else {
            panic!("{:?}", attempt.ending)
        };
        assert_eq!(description, AlertDescription::CERTIFICATE_REQUIRED);
        let legacy = try_hello(server.address, hello().with_versions(&[ProtocolVersion::TLSV1_2]), depth).await;
        let Ending::Alert { description, awaited: Awaited::ServerFinished, encrypted: false, .. } = legacy.ending else {
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
    for (option, group) in [("P-384", NamedGroup::SECP384R1), ("ffdhe2048", NamedGroup::FFDHE2048)] {
        let server = s_server("ec", &["-groups", option]).await;
        let hello = hello().with_groups(&[NamedGroup::X25519, group], &[NamedGroup::X25519]);
        let attempt = try_hello(server.address, hello, Depth::Finish).await;
        assert_eq!(attempt.ending, Ending::Completed, "{option}");
        let transcript = Transcript::of_server(&attempt.received);
        assert_eq!(transcript.hello_retry_request().unwrap().selected_group(), Some(group));
        assert_eq!(transcript.server_hello().unwrap().selected_group(), Some(group));
    }
}

#[tokio::test]
async fn what_cannot_be_computed_is_said() {
    if !is_there("openssl") {
        return;
    }
    let server = s_server("ec", &["-groups", "X448"]).await;
    let hello = hello().with_groups(&[NamedGroup::X448, NamedGroup::X25519], &[NamedGroup::X25519]);
    let attempt = try_hello(server.address, hello, Depth::Finish).await;
    assert_eq!(attempt.ending, Ending::NotCarriedFurther { reason: "tlswhy does not compute the group x448".to_owned() });
}

#[tokio::test]
async fn old_keys_and_ciphers_are_finished() {
    if !is_there("openssl") {
        return;
    }
    let legacy = |version| hello().with_versions(&[version]);
    let small = s_server("rsa1024", &["-cipher", "ALL:@SECLEVEL=0"]).await;
    for version in &ALL_VERSIONS[1..] {
        let hello = legacy(*version).with_suites(vec![CipherSuite::TLS_RSA_WITH_AES_128_CBC_SHA]);
        for hello in [
            hello.clone(),
            hello.clone().without(ExtensionType::ENCRYPT_THEN_MAC),
            hello.without(ExtensionType::EXTENDED_MASTER_SECRET),
        ] {
            assert_eq!(try_hello(small.address, hello, Depth::Finish).await.ending, Ending::Completed, "{version}");
        }
    }
    let parameters = common::file("dh1024.pem", DH_1024);
    let weak = ["-cipher", "ALL:@SECLEVEL=0", "-dhparam", parameters.to_str().unwrap()];
    let weak = s_server("rsa1024", &weak).await;
    let hello = legacy(ProtocolVersion::TLSV1_2).with_suites(vec![CipherSuite::TLS_DHE_RSA_WITH_AES_128_CBC_SHA]);
    assert_eq!(try_hello(weak.address, hello, Depth::Finish).await.ending, Ending::Completed);
    let ccm = legacy(ProtocolVersion::TLSV1_2).with_suites(vec![CipherSuite::TLS_RSA_WITH_AES_128_CCM]);
    assert_eq!(try_hello(small.address, ccm.clone(), Depth::Flight).await.ending, Ending::Answered);
    let reason = "tlswhy does not compute the cipher suite TLS_RSA_WITH_AES_128_CCM".to_owned();
    assert_eq!(try_hello(small.address, ccm, Depth::Finish).await.ending, Ending::NotCarriedFurther { reason });
}

const DH_1024: &str = "-----BEGIN DH PARAMETERS-----
MIGHAoGBAKIkLvmFEaKfxank2TTfOQar0D+KI62xq3oqCMKBN3vPfIIMN7h3fClW
R6SguP8eneGx3FnYZxgTowC8ZtUxTETWOfqmmIrCmt/0OF2hW6VIZHAxIa1eDecv
Ob6FyMVsnqAgCMK+jxaQ6LK0GE/NdUfjs7b2YXsPRmCq6o9Abq9fAgEC
-----END DH PARAMETERS-----
";

#[tokio::test]
async fn another_stack_is_finished_too() {
    if !is_there("gnutls-serv") {
        return;
    }
    let port = free_port();
    let mut command = Command::new("gnutls-serv");
    command.args(["--http", "--port", &port.to_string(), "--priority"]);
    command.arg("NORMAL:+VERS-TLS1.0:+VERS-TLS1.1:+3DES-CBC:+DHE-RSA:%VERIFY_ALLOW_SIGN_WITH_SHA1");
    command.arg("--x509keyfile").arg(keys().join("rsa.key")).arg("--x509certfile").arg(keys().join("rsa.pem"));
    let server = serve(port, command).await;
    let mut table = String::new();
    let mut failed = 0;
    let cases = [
        (&ALL_VERSIONS[..1], CipherSuite::TLS_AES_256_GCM_SHA384, NamedGroup::FFDHE2048),
        (&ALL_VERSIONS[..1], CipherSuite::TLS_CHACHA20_POLY1305_SHA256, NamedGroup::FFDHE4096),
        (&ALL_VERSIONS[..1], CipherSuite::TLS_AES_128_GCM_SHA256, NamedGroup::SECP521R1),
        (&ALL_VERSIONS[1..2], CipherSuite::TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256, NamedGroup::X25519),
        (&ALL_VERSIONS[1..], CipherSuite::TLS_RSA_WITH_3DES_EDE_CBC_SHA, NamedGroup::X25519),
        (&ALL_VERSIONS[1..], CipherSuite::TLS_DHE_RSA_WITH_AES_256_CBC_SHA, NamedGroup::FFDHE3072),
        (&ALL_VERSIONS[1..], CipherSuite::TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA, NamedGroup::SECP256R1),
    ];
    for (versions, suite, group) in cases {
        for version in versions {
            let hello = hello().with_versions(&[*version]).with_suites(vec![suite]).with_groups(&[group], &[group]);
            let attempt = try_hello(server.address, hello, Depth::Request).await;
            let fine = attempt.ending == Ending::Completed && attempt.application.is_some();
            failed += usize::from(!fine);
            table += &format!("{version} {suite} {group}: {:?}{}\n", attempt.ending, if fine { "" } else { "  <<<" });
        }
    }
    println!("{table}");
    assert_eq!(failed, 0, "{table}");
}

#[tokio::test]
async fn nginx_says_in_http_that_a_certificate_is_missing() {
    if !is_there("nginx") {
        return;
    }
    let server = nginx("ssl_protocols TLSv1.2 TLSv1.3; ssl_verify_client on; ssl_client_certificate rsa.pem;").await;
    for version in &ALL_VERSIONS[..2] {
        let hello = || hello().with_versions(&[*version]);
        assert_eq!(try_hello(server.address, hello(), Depth::Finish).await.ending, Ending::Completed);
        let attempt = try_hello(server.address, hello(), Depth::Request).await;
        assert_eq!(attempt.ending, Ending::Completed);
        let answer = String::from_utf8(attempt.application.unwrap().0).unwrap();
        assert!(answer.starts_with("HTTP/1.1 400") && answer.contains("No required SSL certificate"), "{answer}");
        assert!(attempt.timing.ended_ms < 1000.0, "{:?}", attempt.timing);
        // A protocol that is not HTTP/1 gets no request.
        let attempt = try_hello(server.address, hello().with_alpn(&["h2"]), Depth::Request).await;
        assert_eq!(attempt.ending, Ending::Completed);
        assert!(attempt.application.is_none_or(|heard| !heard.starts_with(b"HTTP/1")));
    }
    let plain = Opening::Plain { request: Bytes(b"GET / HTTP/1.0\r\n\r\n".to_vec()) };
    let attempt = attempt(&live(), probe_of(server.address, plain, Depth::Flight)).await;
    assert!(matches!(&attempt.ending, Ending::NotTls { detail, .. } if detail.contains("400")), "{:?}", attempt.ending);
}

async fn nginx(directives: &str) -> Server {
    let (port, directory) = (free_port(), keys().join("nginx"));
    std::fs::create_dir_all(&directory).unwrap();
    let log = directory.display();
    let configuration = format!(
        "daemon off; master_process off; pid {log}/pid; error_log {log}/error; events {{}}
         http {{ access_log off; client_body_temp_path {log}/1; proxy_temp_path {log}/2; fastcgi_temp_path {log}/3;
           uwsgi_temp_path {log}/4; scgi_temp_path {log}/5;
           server {{ listen 127.0.0.1:{port} ssl http2; ssl_certificate rsa.pem; ssl_certificate_key rsa.key; {directives} }} }}"
    );
    let mut command = Command::new("nginx");
    command.arg("-p").arg(keys()).arg("-c").arg(common::file("nginx.conf", &configuration));
    serve(port, command).await
}

#[tokio::test]
async fn a_healthy_handshake_takes_milliseconds() {
    if !is_there("openssl") {
        return;
    }
    let server = s_server("ec", &[]).await;
    for (depth, version) in [(Depth::Flight, 0), (Depth::Finish, 0), (Depth::Flight, 1), (Depth::Finish, 1)] {
        let mut times = Vec::new();
        for _ in 0..10 {
            let attempt = try_hello(server.address, hello().with_versions(&ALL_VERSIONS[version..=version]), depth).await;
            assert!(matches!(attempt.ending, Ending::Completed | Ending::Answered));
            times.push(attempt.timing.ended_ms);
        }
        times.sort_by(f64::total_cmp);
        println!("{} {depth:?}: median {:.1} ms, from {:.1} to {:.1}", ALL_VERSIONS[version], times[5], times[0], times[9]);
        assert!(times[5] < 100.0);
    }
}

/// OpenSSL 3.5 and later have the hybrids; a Node.js that brings it can be named by `TLSWHY_NODE`.
#[tokio::test]
async fn hybrids_with_ml_kem_are_finished() {
    let Some(node) = std::env::var_os("TLSWHY_NODE") else {
        eprintln!("skipped: TLSWHY_NODE names no Node.js with OpenSSL 3.5 or later");
        return;
    };
    for (name, group) in [
        ("X25519MLKEM768", NamedGroup::X25519MLKEM768),
        ("SecP256r1MLKEM768", NamedGroup::SECP256R1MLKEM768),
        ("SecP384r1MLKEM1024", NamedGroup::SECP384R1MLKEM1024),
    ] {
        let port = free_port();
        let script = format!(
            "const fs = require('fs'); require('tls').createServer({{ key: fs.readFileSync('ec.key'), cert: \
             fs.readFileSync('ec.pem'), ecdhCurve: '{name}' }}, () => {{}}).on('tlsClientError', () => {{}})\
             .listen({port}, '127.0.0.1')"
        );
        let mut command = Command::new(&node);
        command.arg("-e").arg(script).current_dir(keys());
        let server = serve(port, command).await;
        // At once, and after a retry.
        for shares in [group, NamedGroup::X25519] {
            let hello = hello().with_groups(&[NamedGroup::X25519, group], &[shares]);
            let attempt = try_hello(server.address, hello, Depth::Finish).await;
            assert_eq!(attempt.ending, Ending::Completed, "{name}");
            let group_chosen = Transcript::of_server(&attempt.received).server_hello().unwrap().selected_group();
            assert_eq!(group_chosen, Some(group));
        }
    }
}

#[tokio::test]
async fn a_hello_in_pieces_or_in_the_form_of_sslv2_is_understood() {
    if !is_there("openssl") {
        return;
    }
    let server = s_server("rsa", &["-cipher", "ALL:@SECLEVEL=0"]).await;
    for fragment in [Fragment::Records(vec![100]), Fragment::Segments(vec![3, 40, 200]), Fragment::Whole] {
        let hello = hello().with_fragment(fragment.clone()).with_pad_to(Some(600));
        let attempt = try_hello(server.address, hello, Depth::Finish).await;
        assert_eq!(attempt.ending, Ending::Completed, "{fragment:?}");
    }
    let mut old = hello().with_suites(vec![CipherSuite::TLS_RSA_WITH_AES_128_CBC_SHA]);
    old.format = HelloFormat::Sslv2;
    old.session_id_length = 0;
    old.extensions = None;
    assert_eq!(try_hello(server.address, old, Depth::Finish).await.ending, Ending::Completed);
}
