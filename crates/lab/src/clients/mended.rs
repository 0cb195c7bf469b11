//! A client's file mended by `tlswhy fix --apply`, and the real program before and after.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::server::{Lab, StartError, find_program};

/// A broken file of a virtual machine, and a server that it keeps it from.
#[derive(Clone, Copy, Debug)]
pub struct Mending {
    /// What is broken.
    pub id: &'static str,
    /// Directives of the server.
    pub server: &'static str,
    /// The certificate of the server.
    pub certificate: &'static str,
    /// The list that the file of the program has.
    pub list: &'static str,
    /// What the list is afterwards.
    pub mended: &'static str,
}

/// Every one.
pub const MENDINGS: &[Mending] = &[
    Mending {
        id: "java-17-without-1.3",
        server: "ssl_protocols TLSv1.3;",
        certificate: "rsa",
        list: "SSLv3, TLSv1, TLSv1.1, TLSv1.3, RC4",
        mended: "SSLv3, TLSv1, TLSv1.1, RC4",
    },
    Mending {
        id: "java-17-without-curves-below-300-bits",
        server: "ssl_protocols TLSv1.3; ssl_ecdh_curve prime256v1;",
        certificate: "rsa",
        list: "TLSv1, TLSv1.1, EC keySize < 300",
        mended: "TLSv1, TLSv1.1, EC keySize < 256",
    },
];

/// Mends the file of a Java program; the lines say what was not as it must be.
///
/// # Errors
/// Java or the server is not installed, or something cannot be written or run.
pub fn run(lab: &Lab, binary: &Path, mending: &Mending) -> Result<Vec<String>, StartError> {
    const KEYTOOL: &str = "/usr/lib/jvm/java-17-openjdk-amd64/bin/keytool";
    let keytool = find_program(KEYTOOL).ok_or_else(|| StartError::Missing(KEYTOOL.to_owned()))?;
    let server = lab.nginx(mending.certificate, mending.server)?;
    let dir = tempfile::tempdir().map_err(StartError::of)?;
    let file = dir.path().join("mine.properties");
    let text = |list: &str| format!("# of the program\njdk.tls.disabledAlgorithms={list}\n");
    fs::write(&file, text(mending.list)).map_err(StartError::of)?;
    let connects = || -> Result<bool, StartError> {
        let output = Command::new(&keytool)
            .arg(format!("-J-Djava.security.properties={}", file.display()))
            .args(["-printcert", "-sslserver", &format!("localhost:{}", server.port)])
            .output()
            .map_err(StartError::of)?;
        Ok(output.status.success() && String::from_utf8_lossy(&output.stdout).contains("good.example.test"))
    };
    let mut wrong = Vec::new();
    if connects()? {
        wrong.push("Java connects before".to_owned());
    }
    let output = Command::new(binary)
        .args(["fix", &format!("127.0.0.1:{}", server.port), "--sni", "good.example.test", "--client", "java-17", "--apply"])
        .args(["--ca", &lab.pki.join("ca.pem").display().to_string(), "--client-config", &file.display().to_string()])
        .env("TLSWHY_STATE_DIR", dir.path().join("state"))
        .output()
        .map_err(StartError::of)?;
    if output.status.code() != Some(0) {
        let said = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        wrong.push(format!("status {:?}: {said}", output.status.code()));
    }
    let after = fs::read_to_string(&file).map_err(StartError::of)?;
    if after != text(mending.mended) {
        wrong.push(format!("the file is now {after}"));
    }
    if !connects()? {
        wrong.push("Java does not connect afterwards".to_owned());
    }
    Ok(wrong)
}
