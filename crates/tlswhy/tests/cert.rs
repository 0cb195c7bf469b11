//! `tlswhy cert` as scripts meet it: chains made here, in files and on a server of this test.
#![expect(clippy::unwrap_used, reason = "what fails here is the test")]

use std::io::Read as _;
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::Arc;
use std::thread;

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, KeyUsagePurpose};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _};
use serde_json::Value;
use tempfile::TempDir;

/// A root, an intermediate and a server's certificate, each in a file.
struct Pki {
    directory: TempDir,
}

impl Pki {
    fn new() -> Pki {
        Pki::named("www.example.test")
    }

    fn named(common_name: &str) -> Pki {
        let directory = tempfile::tempdir().unwrap();
        let authority = |name: &str| {
            let mut params = CertificateParams::new(Vec::new()).unwrap();
            params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
            params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
            params.distinguished_name.push(DnType::CommonName, name);
            params.use_authority_key_identifier_extension = true;
            params
        };
        let (root_key, middle_key, leaf_key) =
            (KeyPair::generate().unwrap(), KeyPair::generate().unwrap(), KeyPair::generate().unwrap());
        let root_params = authority("Example Root");
        let root = root_params.self_signed(&root_key).unwrap();
        let root_issuer = Issuer::new(root_params, root_key);
        let middle_params = authority("Example R1");
        let middle = middle_params.signed_by(&middle_key, &root_issuer).unwrap();
        let middle_issuer = Issuer::new(middle_params, middle_key);
        let mut leaf_params = CertificateParams::new(vec!["www.example.test".to_owned()]).unwrap();
        leaf_params.distinguished_name.push(DnType::CommonName, common_name);
        leaf_params.extended_key_usages = vec![rcgen::ExtendedKeyUsagePurpose::ServerAuth];
        leaf_params.use_authority_key_identifier_extension = true;
        let leaf = leaf_params.signed_by(&leaf_key, &middle_issuer).unwrap();

        let write = |name: &str, text: &str| std::fs::write(directory.path().join(name), text).unwrap();
        write("root.pem", &root.pem());
        write("middle.pem", &middle.pem());
        write("leaf.pem", &leaf.pem());
        write("leaf.key", &leaf_key.serialize_pem());
        write("other.key", &KeyPair::generate().unwrap().serialize_pem());
        write("full.pem", &(leaf.pem() + &middle.pem()));
        write("reversed.pem", &(root.pem() + &middle.pem() + &leaf.pem()));
        write("leaf.der", "");
        std::fs::write(directory.path().join("leaf.der"), leaf.der()).unwrap();
        Pki { directory }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// Runs `tlswhy cert`, judging for OpenSSL 3.0 with the root trusted; names of files are those in the directory.
    fn cert(&self, arguments: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tlswhy"));
        for name in ["COLUMNS", "NO_COLOR", "CLICOLOR_FORCE", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"] {
            command.env_remove(name);
        }
        command.current_dir(self.directory.path()).stdin(Stdio::null());
        command.args(["cert", "--ca", "root.pem", "--client", "openssl-3.0"]).args(arguments);
        command.output().unwrap()
    }
}

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

fn count(path: &Path) -> usize {
    std::fs::read_to_string(path).unwrap().matches("BEGIN CERTIFICATE").count()
}

/// A server that shows this chain to everybody.
fn server(pki: &Pki, chain: &str) -> SocketAddr {
    let certificates = CertificateDer::pem_file_iter(pki.path(chain)).unwrap().map(Result::unwrap).collect();
    let key = PrivateKeyDer::from_pem_file(pki.path("leaf.key")).unwrap();
    let config = rustls::ServerConfig::builder_with_provider(Arc::new(rustls::crypto::aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(certificates, key)
        .unwrap();
    let config = Arc::new(config);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let config = Arc::clone(&config);
            thread::spawn(move || {
                let connection = rustls::ServerConnection::new(config).unwrap();
                let _ = rustls::StreamOwned::new(connection, stream).read(&mut [0; 64]);
            });
        }
    });
    address
}

#[test]
fn a_whole_chain_is_a_tree_with_the_root_on_top() {
    let pki = Pki::new();
    let output = pki.cert(&["full.pem", "--name", "www.example.test", "--key", "leaf.key"]);
    let text = stdout(&output);
    assert_eq!(output.status.code(), Some(0), "{text}{}", stderr(&output));
    let place = |part: &str| text.find(part).unwrap_or_else(|| panic!("{part}: {text}"));
    assert!(
        place("CN=Example Root  trusted: --ca") < place("└─ CN=Example R1")
            && place("└─ CN=Example R1") < place("└─ CN=www.example.test")
    );
    assert!(
        text.contains("sha256//") && text.contains("The key in leaf.key") || text.contains("the key in leaf.key"),
        "{text}"
    );
}

#[test]
fn what_is_missing_is_shown_and_the_chain_that_mends_it_is_written_once() {
    let pki = Pki::new();
    let mended = ["leaf.der", "--known", "middle.pem", "--save-chain", "chain.pem"];
    let output = pki.cert(&mended);
    assert_eq!(output.status.code(), Some(1), "{}", stderr(&output));
    assert!(stdout(&output).contains("MISSING: not in the file (middle.pem)"), "{}", stdout(&output));
    assert_eq!(count(&pki.path("chain.pem")), 2);
    assert_eq!(pki.cert(&["chain.pem"]).status.code(), Some(0));
    let again = pki.cert(&mended);
    assert_eq!(again.status.code(), Some(2));
    assert!(stderr(&again).contains("--force"), "{}", stderr(&again));
    assert_eq!(pki.cert(&[&mended[..], &["--force"]].concat()).status.code(), Some(1));
}

#[test]
fn without_the_intermediate_no_chain_is_written_and_the_gap_is_named() {
    let pki = Pki::new();
    let output = pki.cert(&["leaf.pem", "--save-chain", "chain.pem"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(stdout(&output).contains("? CN=Example R1  not in the file, and not known here"), "{}", stdout(&output));
    assert!(stderr(&output).contains("no path leads"), "{}", stderr(&output));
    assert!(!pki.path("chain.pem").exists());
}

#[test]
fn a_key_belongs_to_the_first_to_another_or_to_no_certificate() {
    let pki = Pki::new();
    for (file, key, cause) in [
        ("full.pem", "leaf.key", None),
        ("full.pem", "other.key", Some("certificate-key-mismatch")),
        ("reversed.pem", "leaf.key", Some("chain-misordered")),
    ] {
        let output = pki.cert(&[file, "--key", key, "--format", "json"]);
        let document: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(document["findings"][0]["cause"].as_str(), cause, "{file} {key}");
        assert_eq!(output.status.code(), Some(i32::from(cause.is_some())), "{file} {key}");
    }
}

#[test]
fn json_holds_what_the_text_shows() {
    let pki = Pki::new();
    let output = pki.cert(&["full.pem", "--name", "other.example.test", "--format", "json"]);
    let document: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(document["format"], "tlswhy-chain");
    assert_eq!(document["file"], "full.pem");
    assert_eq!(document["findings"][0]["cause"], "hostname-mismatch");
    let chain = &document["chains"][0];
    assert_eq!(chain["certificates"].as_array().unwrap().len(), 3);
    assert_eq!(chain["certificates"][0]["names"][0], "www.example.test");
    assert_eq!(chain["certificates"][0]["must_staple"], false);
    assert_eq!(chain["stores"][0]["trusted"], true);
    let several = pki.cert(&["full.pem", "leaf.pem", "--format", "json"]);
    assert_eq!(stdout(&several).lines().count(), 2);
}

#[test]
fn a_server_is_asked_and_its_chain_saved() {
    let pki = Pki::new();
    let target = format!("www.example.test:{}", server(&pki, "full.pem").port());
    let output = pki.cert(&[&target, "--address", "127.0.0.1", "--save", "seen.pem"]);
    assert_eq!(output.status.code(), Some(0), "{}{}", stdout(&output), stderr(&output));
    assert!(stdout(&output).contains("CN=www.example.test  sent as number 1"), "{}", stdout(&output));
    assert!(!stdout(&output).contains("Shown to clients"), "the same chain is shown once");
    assert_eq!(count(&pki.path("seen.pem")), 2);
    assert_eq!(pki.cert(&["seen.pem"]).status.code(), Some(0));
}

#[test]
fn what_cannot_be_read_or_reached_is_exit_status_2() {
    let pki = Pki::new();
    std::fs::write(pki.path("text.pem"), "hello\n").unwrap();
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
    for (arguments, reason) in [
        (&["missing.pem"][..], "missing.pem"),
        (&["text.pem"], "text.pem"),
        (&["leaf.key", "./leaf.key"], "holds no certificate"),
        (&["full.pem", "--key", "root.pem"], "--key root.pem"),
        (&["full.pem", "--known", "text.pem"], "--known text.pem"),
        (&["full.pem", "leaf.pem", "--save", "x.pem"], "one file or server"),
        (&["a b"], "no file, and no target"),
        (&[&closed], "shows no certificate"),
    ] {
        let output = pki.cert(arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {}", stderr(&output));
        assert!(stderr(&output).contains(reason), "{arguments:?}: {}", stderr(&output));
    }
}

#[test]
fn names_of_others_never_reach_the_terminal_as_they_are() {
    let pki = Pki::named("\u{1b}[2J\u{202e}evil");
    for format in ["human", "json"] {
        let output = pki.cert(&["full.pem", "-v", "--format", format]);
        assert!(!stdout(&output).contains(['\u{1b}', '\u{202e}']), "{format}");
        assert!(stdout(&output).contains("evil"), "{format}");
    }
}
