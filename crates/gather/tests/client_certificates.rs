//! Servers that ask for a client certificate, and one that is shown to them.

#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout, clippy::print_stderr, reason = "this is test code")]

mod common;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, OnceLock};

use common::{ALL_VERSIONS, attempt, free_port, hello, is_there, keys, live, probe_of, s_server, serve};
use tlswhy_gather::{ClientIdentity, Live};
use tlswhy_model::{Attempt, Depth, Ending, Opening};
use tlswhy_wire::{AlertDescription, CipherSuite, HelloSpec, ProtocolVersion, Transcript};

fn openssl(arguments: &[&str]) {
    let output = Command::new("openssl").args(arguments).current_dir(keys()).output().unwrap();
    assert!(output.status.success(), "{arguments:?} {}", String::from_utf8_lossy(&output.stderr));
}

const KINDS: [(&str, &[&str]); 7] = [
    ("rsa", &["-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"]),
    ("small", &["-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:1024"]),
    ("pss", &["-algorithm", "RSA-PSS", "-pkeyopt", "rsa_keygen_bits:2048"]),
    ("p256", &["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"]),
    ("p384", &["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-384"]),
    ("p521", &["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-521"]),
    ("ed25519", &["-algorithm", "ED25519"]),
];

/// Keys and self-signed certificates of clients, `client-KIND.key` and `.pem`, and all certificates in `clients.pem`.
fn clients() -> &'static Path {
    static CLIENTS: OnceLock<PathBuf> = OnceLock::new();
    CLIENTS.get_or_init(|| {
        let mut all = Vec::new();
        for (kind, options) in KINDS {
            let (key, pem) = (format!("client-{kind}.key"), format!("client-{kind}.pem"));
            openssl(&[&["genpkey"], options, &["-out", &key]].concat());
            openssl(&["req", "-x509", "-key", &key, "-days", "30", "-subj", &format!("/CN={kind}"), "-out", &pem]);
            all.extend(std::fs::read(keys().join(pem)).unwrap());
        }
        std::fs::write(keys().join("clients.pem"), all).unwrap();
        keys().join("clients.pem")
    })
}

fn identity(kind: &str) -> ClientIdentity {
    let (pem, key) = (keys().join(format!("client-{kind}.pem")), keys().join(format!("client-{kind}.key")));
    ClientIdentity::load(&pem, Some(&key)).unwrap()
}

async fn try_as(address: std::net::SocketAddr, identity: &Arc<ClientIdentity>, hello: HelloSpec, depth: Depth) -> Attempt {
    let live = Live { identity: Some(Arc::clone(identity)), ..live() };
    let mut probe = probe_of(address, Opening::Hello { hello }, depth);
    probe.with_identity = true;
    attempt(&live, probe).await
}

#[tokio::test]
async fn openssl_accepts_every_kind_of_key_in_every_version() {
    if !is_there("openssl") {
        return;
    }
    let authorities = clients().to_str().unwrap();
    let options = ["-cipher", "ALL:@SECLEVEL=0", "-Verify", "1", "-verify_return_error", "-CAfile", authorities, "-www"];
    let server = s_server("rsa", &options).await;
    let (mut table, mut wrong) = (String::new(), 0);
    for (kind, _) in KINDS {
        let identity = Arc::new(identity(kind));
        assert!(identity.key_matches(), "{kind}");
        for version in ALL_VERSIONS {
            let mut hello = hello().with_versions(&[version]);
            if version < ProtocolVersion::TLSV1_2 {
                hello = hello.with_suites(vec![CipherSuite::TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA]);
            }
            let attempt = try_as(server.address, &identity, hello, Depth::Request).await;
            let page = attempt.application.as_ref().is_some_and(|bytes| bytes.starts_with(b"HTTP/1.0 200"));
            let accepted = attempt.ending == Ending::Completed && page;
            // Below TLS 1.2 nothing signs but RSA and ECDSA; RSASSA-PSS needs a key that the library takes.
            let expected = match kind {
                "pss" | "ed25519" => version >= ProtocolVersion::TLSV1_2,
                "small" => version < ProtocolVersion::TLSV1_3,
                _ => true,
            };
            wrong += usize::from(accepted != expected);
            table += &format!("{kind} {version}: {:?}{}\n", attempt.ending, if accepted == expected { "" } else { "  <<<" });
            if !expected {
                assert!(matches!(attempt.ending, Ending::Alert { .. }), "{kind} {version} {:?}", attempt.ending);
            }
        }
    }
    println!("{table}");
    assert_eq!(wrong, 0, "{table}");
}

#[tokio::test]
async fn only_the_schemes_of_the_server_are_used() {
    if !is_there("openssl") {
        return;
    }
    let authorities = clients().to_str().unwrap();
    for (schemes, kind, version, fits) in [
        ("RSA+SHA1", "rsa", ProtocolVersion::TLSV1_2, true),
        ("ECDSA+SHA1", "p384", ProtocolVersion::TLSV1_2, true),
        ("ECDSA+SHA512", "p256", ProtocolVersion::TLSV1_2, true),
        ("ECDSA+SHA256", "p521", ProtocolVersion::TLSV1_2, true),
        ("RSA+SHA256", "rsa", ProtocolVersion::TLSV1_2, true),
        ("rsa_pss_rsae_sha384", "rsa", ProtocolVersion::TLSV1_2, true),
        ("rsa_pss_rsae_sha512", "rsa", ProtocolVersion::TLSV1_3, true),
        ("ECDSA+SHA256", "p256", ProtocolVersion::TLSV1_3, true),
        ("ECDSA+SHA256", "p384", ProtocolVersion::TLSV1_3, false),
        ("RSA+SHA256:ECDSA+SHA256", "rsa", ProtocolVersion::TLSV1_3, false),
    ] {
        let options = ["-cipher", "ALL:@SECLEVEL=0", "-Verify", "1", "-verify_return_error", "-CAfile", authorities];
        let server = s_server("rsa", &[&options[..], &["-client_sigalgs", schemes]].concat()).await;
        let hello = hello().with_versions(&[version]);
        let attempt = try_as(server.address, &Arc::new(identity(kind)), hello, Depth::Finish).await;
        match (fits, &attempt.ending) {
            (true, Ending::Completed) => {}
            // Nothing fits, so that nothing is shown.
            (false, Ending::Alert { description, .. }) => assert_eq!(*description, AlertDescription::CERTIFICATE_REQUIRED),
            (_, other) => panic!("{schemes} {kind} {version}: {other:?}"),
        }
    }
}

#[tokio::test]
async fn a_stranger_is_refused_and_without_being_asked_nothing_is_shown() {
    if !is_there("openssl") {
        return;
    }
    clients();
    let authorities = keys().join("client-rsa.pem");
    let options = ["-Verify", "1", "-verify_return_error", "-CAfile", authorities.to_str().unwrap()];
    let server = s_server("ec", &options).await;
    let stranger = Arc::new(identity("p256"));
    for version in &ALL_VERSIONS[..2] {
        let hello = || hello().with_versions(&[*version]);
        let attempt = try_as(server.address, &stranger, hello(), Depth::Finish).await;
        assert!(matches!(attempt.ending, Ending::Alert { .. }), "{version} {:?}", attempt.ending);
        // The certificate of another key: the proof fails.
        let (pem, key) = (keys().join("client-rsa.pem"), keys().join("client-pss.key"));
        let mixed = Arc::new(ClientIdentity::load(&pem, Some(&key)).unwrap());
        assert!(!mixed.key_matches());
        let attempt = try_as(server.address, &mixed, hello(), Depth::Finish).await;
        assert!(matches!(attempt.ending, Ending::Alert { .. }), "{version} {:?}", attempt.ending);
        // An identity that the probe does not ask for.
        let live = Live { identity: Some(Arc::new(identity("rsa"))), ..live() };
        let attempt = common::attempt(&live, probe_of(server.address, Opening::Hello { hello: hello() }, Depth::Finish)).await;
        assert!(matches!(attempt.ending, Ending::Alert { .. }), "{version} {:?}", attempt.ending);
    }
}

#[tokio::test]
async fn nginx_lets_the_client_in() {
    if !is_there("nginx") || !is_there("openssl") {
        return;
    }
    clients();
    let (port, directory) = (free_port(), keys().join("nginx"));
    std::fs::create_dir_all(&directory).unwrap();
    let log = directory.display();
    let configuration = format!(
        "daemon off; master_process off; pid {log}/pid; error_log {log}/error; events {{}}
         http {{ access_log off; client_body_temp_path {log}/1; proxy_temp_path {log}/2; fastcgi_temp_path {log}/3;
           uwsgi_temp_path {log}/4; scgi_temp_path {log}/5;
           server {{ listen 127.0.0.1:{port} ssl; ssl_certificate rsa.pem; ssl_certificate_key rsa.key;
             ssl_protocols TLSv1.2 TLSv1.3; ssl_verify_client on; ssl_client_certificate clients.pem;
             location / {{ return 200 \"hello $ssl_client_s_dn\"; }} }} }}"
    );
    let mut command = Command::new("nginx");
    command.arg("-p").arg(keys()).arg("-c").arg(common::file("nginx-clients.conf", &configuration));
    let server = serve(port, command).await;
    for kind in ["rsa", "p256", "p384"] {
        let identity = Arc::new(identity(kind));
        for version in &ALL_VERSIONS[..2] {
            let attempt = try_as(server.address, &identity, hello().with_versions(&[*version]), Depth::Request).await;
            assert_eq!(attempt.ending, Ending::Completed, "{kind} {version}");
            let answer = String::from_utf8(attempt.application.unwrap().0).unwrap();
            assert!(answer.starts_with("HTTP/1.1 200") && answer.ends_with(&format!("hello CN={kind}")), "{answer}");
            assert!(attempt.timing.ended_ms < 1000.0, "{:?}", attempt.timing);
        }
    }
}

#[tokio::test]
async fn gnutls_takes_old_and_new_signatures() {
    if !is_there("gnutls-serv") || !is_there("openssl") {
        return;
    }
    let port = free_port();
    let mut command = Command::new("gnutls-serv");
    command.args(["--http", "--port", &port.to_string(), "--require-client-cert", "--verify-client-cert", "--priority"]);
    command.arg("NORMAL:+VERS-TLS1.0:+VERS-TLS1.1:+SIGN-ALL:%VERIFY_ALLOW_SIGN_WITH_SHA1");
    command.arg("--x509keyfile").arg(keys().join("rsa.key")).arg("--x509certfile").arg(keys().join("rsa.pem"));
    command.arg("--x509cafile").arg(clients());
    let server = serve(port, command).await;
    for kind in ["rsa", "p256", "p384"] {
        let identity = Arc::new(identity(kind));
        for version in ALL_VERSIONS {
            let attempt = try_as(server.address, &identity, hello().with_versions(&[version]), Depth::Request).await;
            assert_eq!(attempt.ending, Ending::Completed, "{kind} {version}");
            assert!(attempt.application.is_some(), "{kind} {version}");
        }
    }
}

#[tokio::test]
async fn a_chain_longer_than_a_record_is_shown_and_the_key_never_is() {
    if !is_there("openssl") {
        return;
    }
    let chain =
        [std::fs::read(clients().with_file_name("client-rsa.pem")).unwrap(), std::fs::read(clients()).unwrap().repeat(10)];
    let path = keys().join("long.pem");
    std::fs::write(&path, chain.concat()).unwrap();
    let identity = Arc::new(ClientIdentity::load(&path, Some(&keys().join("client-rsa.key"))).unwrap());
    assert!(identity.certificates().iter().map(Vec::len).sum::<usize>() > 1 << 15);
    assert_eq!(identity.source(), path.display().to_string());
    let server = s_server("rsa", &["-Verify", "9", "-CAfile", clients().to_str().unwrap()]).await;
    for version in &ALL_VERSIONS[..2] {
        let attempt = try_as(server.address, &identity, hello().with_versions(&[*version]), Depth::Finish).await;
        assert_eq!(attempt.ending, Ending::Completed, "{version}");
        assert_eq!(Transcript::of_server(&attempt.received).stopped, None);
    }
    let shown = format!("{identity:?} {:?}", Live { identity: Some(Arc::clone(&identity)), ..live() });
    let secret = std::fs::read_to_string(keys().join("client-rsa.key")).unwrap();
    assert!(shown.contains("long.pem") && shown.len() < 2000 && !shown.contains(secret.lines().nth(2).unwrap()), "{shown}");
}

#[test]
fn keys_are_found_in_every_form_and_refused_with_a_reason() {
    if !is_there("openssl") {
        return;
    }
    clients();
    let at = |name: &str| keys().join(name);
    for kind in ["rsa", "p256"] {
        let (pkcs8, pem) = (format!("client-{kind}.key"), format!("client-{kind}.pem"));
        openssl(&["pkey", "-in", &pkcs8, "-traditional", "-out", "form-old.pem"]);
        openssl(&["pkey", "-in", &pkcs8, "-outform", "DER", "-out", "form.der"]);
        openssl(&["pkey", "-in", &pkcs8, "-traditional", "-outform", "DER", "-out", "form-old.der"]);
        openssl(&["x509", "-in", &pem, "-outform", "DER", "-out", "form-certificate.der"]);
        let both = [std::fs::read(at("form-old.pem")).unwrap(), std::fs::read(at(&pem)).unwrap()].concat();
        std::fs::write(at("form-both.pem"), both).unwrap();
        for key in [&pkcs8, "form-old.pem", "form.der", "form-old.der", "form-both.pem"] {
            let identity = ClientIdentity::load(&at("form-certificate.der"), Some(&at(key))).unwrap();
            assert!(identity.key_matches(), "{kind} {key}");
        }
        assert!(ClientIdentity::load(&at("form-both.pem"), None).unwrap().key_matches());
    }
    let error = |certificate: &str, key: Option<&str>| {
        let key = key.map(at);
        ClientIdentity::load(&at(certificate), key.as_deref()).unwrap_err().to_string()
    };
    openssl(&["pkey", "-in", "client-rsa.key", "-aes128", "-passout", "pass:secret", "-out", "locked.key"]);
    openssl(&["pkey", "-in", "client-rsa.key", "-aes128", "-passout", "pass:secret", "-traditional", "-out", "locked-old.key"]);
    for key in ["locked.key", "locked-old.key"] {
        let error = error("client-rsa.pem", Some(key));
        assert!(error.contains("encrypted") && error.contains("openssl pkey -in") && error.contains(key), "{error}");
    }
    assert!(error("client-rsa.pem", None).ends_with("there is no private key in it"));
    assert!(error("client-rsa.key", None).ends_with("there is no certificate in it"));
    assert!(error("client-rsa.pem", Some("client-p256.pem")).ends_with("there is no private key in it"));
    assert!(error("client-rsa.pem", Some("missing.key")).contains("missing.key: "));
    openssl(&[
        "pkcs12",
        "-export",
        "-inkey",
        "client-rsa.key",
        "-in",
        "client-rsa.pem",
        "-passout",
        "pass:",
        "-out",
        "both.p12",
    ]);
    assert!(error("both.p12", None).contains("openssl pkcs12 -in"));
    std::fs::write(at("odd.key"), "-----BEGIN PRIVATE KEY-----\nMAA=\n-----END PRIVATE KEY-----\n").unwrap();
    assert!(error("client-rsa.pem", Some("odd.key")).contains("cannot be used"));
    std::fs::write(at("cut.key"), "\n-----BEGIN PRIVATE KEY-----\nMAA=\n").unwrap();
    assert!(error("client-rsa.pem", Some("cut.key")).contains("line 2"));
}
