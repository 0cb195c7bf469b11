//! OpenSSL 1.1.0i with SSLv3, RC4 and compression, built once from the sources in the crate `openssl-src`.
//!
//! The build takes about a minute on two cores and lies in `target/lab/openssl-1.1.0i-zlib`.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The `openssl` program, built if it is not there yet. Other processes wait for the one that builds.
pub fn program(cache: &Path) -> io::Result<PathBuf> {
    fs::create_dir_all(cache)?;
    let lock = File::create(cache.join("openssl-1.1.0i-zlib.lock"))?;
    lock.lock()?;
    let dir = cache.join("openssl-1.1.0i-zlib");
    let program = dir.join("bin/openssl");
    if program.exists() {
        return Ok(program);
    }
    let build = dir.join("build");
    let _ = fs::remove_dir_all(&build);
    fs::create_dir_all(dir.join("bin"))?;
    shell(&dir, &format!("cp -r '{}' build", openssl_src::source_dir().display()))?;
    // Sources of the registry may be read-only.
    shell(&dir, "chmod -R u+w build")?;
    shell(
        &build,
        "./config no-shared no-async no-engine enable-ssl3 enable-ssl3-method enable-weak-ssl-ciphers zlib \
         --prefix=/nonexistent --openssldir=/nonexistent",
    )?;
    shell(&build, "make build_generated && make -j2 apps/openssl")?;
    fs::rename(build.join("apps/openssl"), &program)?;
    fs::remove_dir_all(&build)?;
    Ok(program)
}

fn shell(dir: &Path, script: &str) -> io::Result<()> {
    let output = Command::new("sh").args(["-c", script]).current_dir(dir).output()?;
    if output.status.success() {
        return Ok(());
    }
    let log = String::from_utf8_lossy(&output.stderr);
    let tail: Vec<&str> = log.lines().rev().take(8).collect();
    Err(io::Error::other(format!("{script}: {}", tail.into_iter().rev().collect::<Vec<_>>().join("\n"))))
}
