//! Fixes that must not stay: what helps one client and breaks another, and what cannot be told because the server answers now so, now
//! otherwise.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::fake;
use crate::fixes::{self, NAME, NGINX_CHECK, NGINX_RELOAD};
use crate::server::{Lab, Server, StartError, shell};

/// A run of `tlswhy fix --apply`, and what it left.
struct Ended {
    status: Option<i32>,
    said: String,
    changed: bool,
}

impl Ended {
    /// What is not as it must be.
    fn unlike(&self, status: i32, says: &str) -> Vec<String> {
        let as_told = self.status == Some(status) && self.said.split_whitespace().collect::<Vec<_>>().join(" ").contains(says);
        let mut wrong = Vec::new();
        if !as_told {
            wrong.push(format!("it ends with {:?} and does not say \"{says}\": {}", self.status, self.said));
        }
        if self.changed {
            wrong.push("the file is not what it was".to_owned());
        }
        wrong
    }
}

/// The reload brings a second change along, which shuts out who has no TLS 1.3: the group that was added helps one client, and others
/// are lost.
pub fn a_fix_that_breaks_another_client(lab: &Lab, binary: &Path) -> Result<Vec<String>, StartError> {
    let server = fixes::nginx_with("ssl_protocols TLSv1.2 TLSv1.3; ssl_ecdh_curve secp521r1; include {dir}/more.conf;", lab)?;
    let dir = server.dir();
    let reload = NGINX_RELOAD.replace("{dir}", &dir.display().to_string());
    let script = format!(
        "#!/bin/sh\ncd {}\nif [ -s more.conf ]; then : > more.conf; else echo 'ssl_conf_command MinProtocol TLSv1.3;' > more.conf; fi\n\
         exec {reload}\n",
        dir.display()
    );
    fs::write(dir.join("reload"), script).map_err(StartError::of)?;
    shell(&format!("chmod 755 {}/reload", dir.display()))?;
    let ended = applied(lab, binary, &dir, server.port, &["--client", "chrome-156"], "{dir}/reload")?;
    Ok(ended.unlike(1, "could not connect any more"))
}

/// Two servers behind one address, alike and broken; the configuration of one of them is mended.
pub fn half_a_fix_behind_a_balancer(lab: &Lab, binary: &Path) -> Result<Vec<String>, StartError> {
    let (server, dir) = balanced(lab, fixes::OUTDATED)?;
    let ended = applied(lab, binary, &dir, server.port, &[], NGINX_RELOAD)?;
    Ok(ended.unlike(1, "differently from one connection to the next"))
}

/// The same where the other one is not broken: there is nothing that a fix could be measured against.
pub fn a_baseline_that_differs_each_time(lab: &Lab, binary: &Path) -> Result<Vec<String>, StartError> {
    let (server, dir) = balanced(lab, "")?;
    let ended = applied(lab, binary, &dir, server.port, &[], NGINX_RELOAD)?;
    Ok(ended.unlike(3, "differently from one connection to the next"))
}

/// An outdated nginx and one with these settings, asked in turn; and the directory of the first.
fn balanced(lab: &Lab, other: &str) -> Result<(Server, PathBuf), StartError> {
    let (first, second) = (fixes::nginx_with(fixes::OUTDATED, lab)?, fixes::nginx_with(other, lab)?);
    let dir = first.dir();
    Ok((fake::in_turn(vec![first, second])?, dir))
}

fn applied(lab: &Lab, binary: &Path, dir: &Path, port: u16, further: &[&str], reload: &str) -> Result<Ended, StartError> {
    let main = dir.join("nginx.conf");
    let before = fs::read(&main).map_err(StartError::of)?;
    let state = tempfile::tempdir().map_err(StartError::of)?;
    let fill = |text: &str| text.replace("{dir}", &dir.display().to_string());
    let target = format!("127.0.0.1:{port}");
    let output = Command::new(binary)
        .args(["fix", &target, "--sni", NAME, "--apply", "--server-config", &fill("{dir}/nginx.conf")])
        .args(["--ca", &lab.pki.join("ca.pem").display().to_string(), "--assume", "nginx=1.22.1", "--assume", "openssl=3.0.19"])
        .args(["--check-command", &fill(NGINX_CHECK), "--reload-command", &fill(reload)])
        .args(further)
        .env("TLSWHY_STATE_DIR", state.path())
        .output()
        .map_err(StartError::of)?;
    let said = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    let changed = fs::read(&main).map_err(StartError::of)? != before;
    Ok(Ended { status: output.status.code(), said, changed })
}
