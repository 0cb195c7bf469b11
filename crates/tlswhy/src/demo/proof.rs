//! What OpenSSL's own program says of the demo's certificates. Skipped where there is none.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use super::authority::{Authority, Credentials, Identity, KeyKind, SOUND, Sent, Signer};

#[test]
fn each_certificate_has_the_fault_that_it_was_made_with_and_no_other() {
    let Some(bench) = Bench::new() else {
        return eprintln!("skipped: no openssl here");
    };
    for (credentials, fault) in [
        (SOUND, None),
        (Credentials { key: KeyKind::Rsa, ..SOUND }, None),
        (Credentials { key: KeyKind::Ed25519, ..SOUND }, None),
        (Credentials { signer: Signer::Lower, ..SOUND }, None),
        // OpenSSL takes them in any order.
        (Credentials { signer: Signer::Lower, sent: Sent::Reversed, ..SOUND }, None),
        (Credentials { days: (2, 92), ..SOUND }, Some("error 9 ")),
        (Credentials { days: (-93, -3), ..SOUND }, Some("error 10 ")),
        (Credentials { signer: Signer::Itself, ..SOUND }, Some("error 18 ")),
        (Credentials { sent: Sent::Leaf, ..SOUND }, Some("error 20 ")),
        (Credentials { for_clients: true, ..SOUND }, Some("error 26 ")),
        (Credentials { names: &["example.test"], ..SOUND }, Some("error 62 ")),
        (Credentials { key: KeyKind::Rsa1024, ..SOUND }, Some("error 66 ")),
    ] {
        let (output, text) = bench.verify(&credentials);
        assert_eq!(output.status.success(), fault.is_none(), "{credentials:?}: {text}");
        let faults: Vec<&str> = text.lines().filter(|line| line.starts_with("error ") && line.contains(" at ")).collect();
        // 21 only repeats that a certificate's issuer is missing.
        let faults: Vec<&str> = faults.into_iter().filter(|line| !line.starts_with("error 21 ")).collect();
        assert_eq!(faults.len(), usize::from(fault.is_some()), "{credentials:?}: {text}");
        assert!(faults.iter().zip(fault).all(|(found, wanted)| found.starts_with(wanted)), "{credentials:?}: {text}");
    }
}

#[test]
fn the_response_is_signed_by_the_issuer_and_says_revoked() {
    let Some(bench) = Bench::new() else {
        return eprintln!("skipped: no openssl here");
    };
    let identity = bench.authority.identity(&Credentials { revoked: true, ..SOUND }).unwrap();
    let response = bench.folder.path().join("response.der");
    std::fs::write(&response, identity.staple.as_deref().unwrap()).unwrap();
    let (leaf, issuer) = (bench.pem("leaf", &identity.chain[..1]), bench.pem("issuer", &identity.chain[1..]));
    let mut openssl = Command::new("openssl");
    openssl.args(["ocsp", "-resp_text", "-sha256", "-respin"]).arg(response).arg("-CAfile").arg(&bench.root);
    openssl.arg("-issuer").arg(&issuer).arg("-verify_other").arg(&issuer).arg("-cert").arg(leaf);
    let text = text(&openssl.output().unwrap());
    assert!(text.contains("Response verify OK"), "{text}");
    assert!(text.contains(": revoked\n") && text.contains("keyCompromise"), "{text}");
}

struct Bench {
    authority: Authority,
    folder: tempfile::TempDir,
    root: PathBuf,
}

impl Bench {
    fn new() -> Option<Bench> {
        let version = Command::new("openssl").arg("version").output().ok()?;
        if !version.stdout.starts_with(b"OpenSSL ") {
            return None;
        }
        let authority = Authority::new().unwrap();
        let mut bench = Bench { authority, folder: tempfile::tempdir().unwrap(), root: PathBuf::new() };
        bench.root = bench.pem("root", &[bench.authority.root().to_vec()]);
        Some(bench)
    }

    /// As curl would on Debian.
    fn verify(&self, credentials: &Credentials) -> (Output, String) {
        let Identity { chain, .. } = self.authority.identity(credentials).unwrap();
        let mut openssl = Command::new("openssl");
        openssl.args(["verify", "-auth_level", "2", "-purpose", "sslserver", "-verify_hostname", "www.example.test"]);
        openssl.arg("-CAfile").arg(&self.root);
        if chain.len() > 1 {
            openssl.arg("-untrusted").arg(self.pem("sent", &chain[1..]));
        }
        let output = openssl.arg(self.pem("leaf", &chain[..1])).output().unwrap();
        let text = text(&output);
        (output, text)
    }

    /// The certificates in a file.
    fn pem(&self, name: &str, certificates: &[Vec<u8>]) -> PathBuf {
        let path = self.folder.path().join(name);
        let pem: String = certificates.iter().map(|der| to_pem(&path, der)).collect();
        std::fs::write(&path, pem).unwrap();
        path
    }
}

fn to_pem(scratch: &Path, der: &[u8]) -> String {
    std::fs::write(scratch, der).unwrap();
    let output = Command::new("openssl").args(["x509", "-inform", "DER", "-in"]).arg(scratch).output().unwrap();
    String::from_utf8(output.stdout).unwrap()
}

fn text(output: &Output) -> String {
    [&output.stdout, &output.stderr].map(|bytes| String::from_utf8_lossy(bytes)).concat()
}
