//! Trust stores, files of certificates and keys, made by the programs that people make them with.

#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout, clippy::print_stderr, reason = "this is test code")]

mod common;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use common::{is_there, keys};
use tlswhy_gather::{
    TrustCertificates, java_trust_store, load_trust_store, local_pool, openssl_trust_store, p11_kit_trust_store, public_half,
    read_certificates,
};

fn at(name: &str) -> PathBuf {
    keys().join(name)
}

fn run(program: &str, arguments: &[&str]) {
    let output = Command::new(program).args(arguments).current_dir(keys()).output().unwrap();
    assert!(output.status.success(), "{arguments:?} {}", String::from_utf8_lossy(&output.stderr));
}

fn der(name: &str) -> Vec<u8> {
    read_certificates(&at(name)).unwrap().certificates.remove(0)
}

#[test]
fn every_form_of_a_file_of_certificates_is_read() {
    if !is_there("openssl") {
        return;
    }
    let (rsa, ec) = (der("rsa.pem"), der("ec.pem"));
    run("openssl", &["x509", "-in", "rsa.pem", "-outform", "DER", "-out", "one.der"]);
    run("openssl", &["x509", "-in", "rsa.pem", "-addtrust", "serverAuth", "-out", "trusted.pem"]);
    for form in ["PEM", "DER"] {
        let name = format!("both.p7b.{form}");
        run(
            "openssl",
            &["crl2pkcs7", "-nocrl", "-certfile", "rsa.pem", "-certfile", "ec.pem", "-outform", form, "-out", &name],
        );
        assert_eq!(read_certificates(&at(&name)).unwrap().certificates, [rsa.clone(), ec.clone()], "{form}");
    }
    for name in ["one.der", "trusted.pem"] {
        assert_eq!(read_certificates(&at(name)).unwrap().certificates, std::slice::from_ref(&rsa), "{name}");
    }
    let text = ["rsa.pem", "rsa.key", "ec.pem", "ec.key"].map(|name| std::fs::read_to_string(at(name)).unwrap());
    let cut: String = text[0].lines().take(4).map(|line| format!("{line}\n")).collect();
    std::fs::write(at("all.pem"), format!("# all\n{}{cut}", text.concat())).unwrap();
    let all = read_certificates(&at("all.pem")).unwrap();
    assert_eq!((all.certificates, all.keys, all.encrypted_keys), (vec![rsa, ec], 2, 0));
    assert_eq!(all.source, at("all.pem").display().to_string());
    let halves = ["rsa", "ec"].map(|name| {
        run("openssl", &["pkey", "-in", &format!("{name}.key"), "-pubout", "-out", &format!("{name}.pub")]);
        public_half(&at(&format!("{name}.pub"))).unwrap()
    });
    assert_eq!(all.public_halves, halves);
    assert_eq!(["rsa.key", "ec.key"].map(|name| public_half(&at(name)).unwrap()), halves);
    let line = text.concat().lines().count() + 2;
    let expected = format!("line {line}: the block CERTIFICATE is damaged: it has no END line");
    assert_eq!(all.damaged.iter().map(ToString::to_string).collect::<Vec<_>>(), [expected]);
    let error = read_certificates(&common::file("cut.pem", &cut)).unwrap_err().to_string();
    assert!(error.starts_with("line 1: "), "{error}");
    let error = read_certificates(&common::file("no.pem", "hello")).unwrap_err().to_string();
    assert_eq!(error, "there is neither a certificate nor a key in it");
    assert!(public_half(&at("rsa.pem")).unwrap_err().to_string().contains("no private key"));
}

#[test]
fn the_public_half_of_rare_keys_is_that_of_openssl() {
    if !is_there("openssl") {
        return;
    }
    for (name, options) in [
        ("pss", &["-algorithm", "RSA-PSS", "-pkeyopt", "rsa_keygen_bits:1024"][..]),
        ("ed25519", &["-algorithm", "ED25519"]),
        ("p521", &["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-521"]),
        ("k256", &["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:secp256k1"]),
        ("brainpool", &["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:brainpoolP256r1"]),
    ] {
        let (key, public) = (format!("rare-{name}.key"), format!("rare-{name}.pub"));
        run("openssl", &[&["genpkey"], options, &["-out", &key]].concat());
        run("openssl", &["pkey", "-in", &key, "-pubout", "-outform", "DER", "-out", &public]);
        assert_eq!(public_half(&at(&key)).unwrap(), std::fs::read(at(&public)).unwrap(), "{name}");
    }
    // Of what nothing is known, there is none.
    run("openssl", &["genpkey", "-algorithm", "X448", "-out", "rare-x448.key"]);
    assert!(public_half(&at("rare-x448.key")).is_err());
    let file = read_certificates(&at("rare-x448.key")).unwrap();
    assert_eq!((file.keys, file.public_halves.len()), (1, 0));
}

#[test]
fn a_pool_knows_where_each_certificate_lies() {
    if !is_there("openssl") {
        return;
    }
    let directory = at("pool");
    std::fs::create_dir_all(&directory).unwrap();
    for (from, to) in [("rsa.pem", "a.pem"), ("ec.pem", "b.pem"), ("rsa.pem", "c.pem")] {
        std::fs::copy(at(from), directory.join(to)).unwrap();
    }
    std::fs::write(directory.join("notes.txt"), "nothing").unwrap();
    let source = |name: &str| directory.join(name).display().to_string();
    assert_eq!(local_pool(&directory).unwrap(), [(der("rsa.pem"), source("a.pem")), (der("ec.pem"), source("b.pem"))]);
    assert_eq!(local_pool(&at("ec.pem")).unwrap().len(), 1);
    assert!(local_pool(&directory.join("notes.txt")).is_err());
    assert!(local_pool(&directory.join("missing")).is_err());
}

#[test]
fn key_stores_of_java_and_openssl_are_read() {
    if !is_there("openssl") || Command::new("keytool").arg("-help").output().is_err() {
        eprintln!("skipped: no keytool on this machine");
        return;
    }
    let (rsa, ec) = (der("rsa.pem"), der("ec.pem"));
    let unencrypted = ["-J-Dkeystore.pkcs12.certProtectionAlgorithm=NONE", "-J-Dkeystore.pkcs12.macAlgorithm=NONE"];
    for (name, options, kind, readable) in [
        ("new.p12", &[][..], "PKCS12", true),
        ("plain.p12", &unencrypted[..], "PKCS12", true),
        ("old.jks", &[][..], "JKS", true),
        ("old.jceks", &[][..], "JCEKS", true),
        ("legacy.p12", &["-J-Dkeystore.pkcs12.legacy"][..], "PKCS12", false),
    ] {
        let _ = std::fs::remove_file(at(name));
        for (alias, pem) in [("a", "rsa.pem"), ("b", "ec.pem")] {
            let common = ["-importcert", "-noprompt", "-alias", alias, "-file", pem, "-keystore", name];
            run("keytool", &[options, &common, &["-storepass", "changeit", "-storetype", kind]].concat());
        }
        match load_trust_store(&at(name)) {
            Ok(mut store) if readable => {
                store.certificates.sort();
                let mut expected = vec![rsa.clone(), ec.clone()];
                expected.sort();
                assert_eq!(store.certificates, expected, "{name}");
                assert_eq!(read_certificates(&at(name)).unwrap().certificates.len(), 2, "{name}");
            }
            Err(error) if !readable => assert!(error.to_string().contains("old cipher"), "{error}"),
            other => panic!("{name}: {other:?}"),
        }
    }
    for (password, readable) in [("changeit", true), ("", true), ("other", false)] {
        let pass = format!("pass:{password}");
        run("openssl", &["pkcs12", "-export", "-nokeys", "-in", "rsa.pem", "-passout", &pass, "-out", "openssl.p12"]);
        match load_trust_store(&at("openssl.p12")) {
            Ok(store) if readable => assert_eq!(store.certificates, std::slice::from_ref(&rsa)),
            Err(error) if !readable => assert!(error.to_string().contains("password"), "{error}"),
            other => panic!("{password:?}: {other:?}"),
        }
    }
    // Cut or changed anywhere, it is an error or less, and no panic.
    let whole = std::fs::read(at("new.p12")).unwrap();
    for cut in (0..whole.len()).step_by(7) {
        let _ = load_trust_store(&common_file("cut.p12", &whole[..cut]));
    }
}

fn common_file(name: &str, content: &[u8]) -> PathBuf {
    std::fs::write(at(name), content).unwrap();
    at(name)
}

/// Runs the test `name` of this file again, in a process with these variables: they cannot be set in one with threads.
fn in_environment(name: &str, variables: &[(&str, &str)], expected: &str) {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", name, "--nocapture"]).env("TLSWHY_TEST_CHILD", "1");
    for name in ["SSL_CERT_FILE", "SSL_CERT_DIR", "JAVA_TOOL_OPTIONS", "JDK_JAVA_OPTIONS", "JAVA_HOME"] {
        command.env_remove(name);
    }
    let output = command.envs(variables.iter().copied()).output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && text.contains(expected), "{variables:?}: wanted {expected}, found {text}");
}

fn is_child() -> bool {
    std::env::var_os("TLSWHY_TEST_CHILD").is_some()
}

fn shown(store: Option<TrustCertificates>) {
    println!("found {} certificates", store.map_or("no".to_owned(), |store| store.certificates.len().to_string()));
}

/// Whom the real program trusts, it is found that we trust.
#[test]
fn openssl_trusts_what_is_found() {
    if is_child() {
        let version = Command::new("openssl").args(["version", "-a"]).output().unwrap();
        return shown(openssl_trust_store(Some(&String::from_utf8_lossy(&version.stdout))));
    }
    if !is_there("openssl") {
        return;
    }
    let hash = Command::new("openssl").args(["x509", "-hash", "-noout", "-in"]).arg(at("rsa.pem")).output().unwrap();
    let hash = String::from_utf8(hash.stdout).unwrap().trim().to_owned();
    for (directory, file) in [("hashed", format!("{hash}.0")), ("named", "rsa.pem".to_owned())] {
        std::fs::create_dir_all(at(directory)).unwrap();
        std::fs::copy(at("rsa.pem"), at(directory).join(file)).unwrap();
    }
    run("openssl", &["x509", "-in", "rsa.pem", "-outform", "DER", "-out", "file.der"]);
    run("openssl", &["x509", "-in", "rsa.pem", "-addreject", "serverAuth", "-out", "rejected.pem"]);
    run("openssl", &["x509", "-in", "rsa.pem", "-addtrust", "emailProtection", "-out", "mail.pem"]);
    run("openssl", &["x509", "-in", "rsa.pem", "-addtrust", "serverAuth", "-out", "servers.pem"]);
    run("openssl", &["req", "-x509", "-key", "ec.key", "-subj", "/CN=other", "-days", "30", "-out", "other.pem"]);
    let text = std::fs::read_to_string(at("rsa.pem")).unwrap();
    common::file("half.pem", &format!("{text}{}", &text[..200]));
    let path = |name: &str| at(name).display().to_string();
    for (file, directory) in [
        (path("rsa.pem"), path("missing")),
        (path("missing"), path("hashed")),
        (path("missing"), path("named")),
        (path("missing"), path("missing")),
        (path("rsa.pem"), path("hashed")),
        // With another subject than the directory's: OpenSSL looks further only for subjects that it does not have yet.
        (path("other.pem"), path("hashed")),
        (path("file.der"), path("missing")),
        (path("half.pem"), path("missing")),
        (path("rejected.pem"), path("missing")),
        (path("mail.pem"), path("missing")),
        (path("servers.pem"), path("missing")),
        (String::new(), String::new()),
    ] {
        let variables = [("SSL_CERT_FILE", file.as_str()), ("SSL_CERT_DIR", directory.as_str())];
        let verify = Command::new("openssl")
            .args(["verify", "-purpose", "sslserver"])
            .arg(at("rsa.pem"))
            .envs(variables)
            .output()
            .unwrap();
        let both = file.ends_with("other.pem");
        let expected = match verify.status.success() {
            true if both => "found 2 certificates",
            true => "found 1 certificates",
            false => "found no certificates",
        };
        in_environment("openssl_trusts_what_is_found", &variables, expected);
    }
}

#[test]
fn java_trusts_what_is_found() {
    if is_child() {
        return shown(java_trust_store());
    }
    if !is_there("openssl") || !is_there("java") || !is_there("javac") {
        return;
    }
    let script = "import javax.net.ssl.*; import java.security.*;
        public class Anchors { public static void main(String[] a) throws Exception {
          TrustManagerFactory f = TrustManagerFactory.getInstance(\"PKIX\"); f.init((KeyStore) null);
          System.out.println(((X509TrustManager) f.getTrustManagers()[0]).getAcceptedIssuers().length); } }";
    common::file("Anchors.java", script);
    run("javac", &["Anchors.java"]);
    let unencrypted = ["-J-Dkeystore.pkcs12.certProtectionAlgorithm=NONE", "-J-Dkeystore.pkcs12.macAlgorithm=NONE"];
    for (name, options, kind) in
        [("java-new.p12", &[][..], "PKCS12"), ("java-plain.p12", &unencrypted[..], "PKCS12"), ("java-old.jks", &[][..], "JKS")]
    {
        let _ = std::fs::remove_file(at(name));
        let common = ["-importcert", "-noprompt", "-alias", "a", "-file", "rsa.pem", "-keystore", name];
        run("keytool", &[options, &common, &["-storepass", "changeit", "-storetype", kind]].concat());
    }
    // A key of one's own: Java trusts its certificate too.
    run(
        "openssl",
        &["pkcs12", "-export", "-inkey", "rsa.key", "-in", "rsa.pem", "-passout", "pass:changeit", "-out", "java-key.p12"],
    );
    let _ = std::fs::remove_file(at("java-key.jks"));
    let import =
        ["-importkeystore", "-srckeystore", "java-key.p12", "-srcstorepass", "changeit", "-destkeystore", "java-key.jks"];
    run("keytool", &[&import[..], &["-deststoretype", "JKS", "-deststorepass", "changeit"]].concat());
    let password = "-Djavax.net.ssl.trustStorePassword=changeit";
    for options in [
        String::new(),
        format!("-Djavax.net.ssl.trustStore={}", at("java-new.p12").display()),
        format!("-Djavax.net.ssl.trustStore={} {password}", at("java-new.p12").display()),
        format!("-Djavax.net.ssl.trustStore={}", at("java-plain.p12").display()),
        format!("-Djavax.net.ssl.trustStore={}", at("java-old.jks").display()),
        format!("-Djavax.net.ssl.trustStore={} {password}", at("java-key.jks").display()),
        format!("-Djavax.net.ssl.trustStore={}", at("missing.jks").display()),
        "-Djavax.net.ssl.trustStore=NONE".to_owned(),
    ] {
        let java =
            Command::new("java").arg("-cp").arg(keys()).arg("Anchors").env("JAVA_TOOL_OPTIONS", &options).output().unwrap();
        let java = String::from_utf8(java.stdout).unwrap();
        let expected = format!("found {} certificates", java.trim());
        in_environment("java_trusts_what_is_found", &[("JAVA_TOOL_OPTIONS", &options)], &expected);
    }
}

#[test]
fn the_stores_of_this_machine_are_read_in_milliseconds() {
    for (name, store) in [
        ("OpenSSL", openssl_trust_store as fn(Option<&str>) -> Option<TrustCertificates>),
        ("Java", |_| java_trust_store()),
        ("p11-kit", |_| p11_kit_trust_store()),
        ("bundle", |_| load_trust_store(Path::new("/etc/ssl/certs/ca-certificates.crt")).ok()),
    ] {
        let began = Instant::now();
        let found = store(None);
        let took = began.elapsed();
        let found = found.map_or("nothing".to_owned(), |found| format!("{} in {}", found.certificates.len(), found.source));
        println!("{name}: {found}, {took:?}");
        assert!(took.as_millis() < 500, "{name} {took:?}");
    }
}
