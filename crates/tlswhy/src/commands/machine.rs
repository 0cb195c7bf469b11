//! The machine whose configurations are read: paths as given, its files, versions taken for granted.

use std::path::{Path, PathBuf};

use tlswhy_gather::FilesOf;
use tlswhy_model::{ClientProfile, GivenConfiguration, InstalledSoftware, Party};

use super::judged;
use crate::cli::Machine;
use crate::exit::Failure;

/// Paths as the configured programs would say them: absolute; within a copy of another machine's tree, from its root.
pub(super) fn given(machine: &Machine, paths: &[PathBuf], party: Option<Party>) -> Vec<GivenConfiguration> {
    let absolute = |path: &Path| match machine.root {
        Some(_) => Path::new("/").join(path),
        None => std::path::absolute(path).unwrap_or_else(|_| path.to_owned()),
    };
    let given = |path: &PathBuf| GivenConfiguration { party, path: absolute(path).to_string_lossy().into_owned() };
    paths.iter().map(given).collect()
}

/// Whose files are looked at.
pub(super) fn files(machine: &Machine) -> Result<FilesOf, Failure> {
    if let Some(root) = &machine.root
        && !root.is_dir()
    {
        return Err(Failure::new(format!("--root {} is no directory", root.display()))
            .tip("it is an unpacked copy of another machine's tree"));
    }
    Ok(FilesOf { root: machine.root.clone(), only: None, run_programs: machine.run_programs })
}

/// Versions that the user names.
pub(super) fn assumed(machine: &Machine) -> Vec<InstalledSoftware> {
    let assumed = |(product, version): &(String, String)| InstalledSoftware {
        product: product.clone(),
        version: Some(version.clone()),
        source: "--assume".to_owned(),
        ..InstalledSoftware::default()
    };
    machine.assume.iter().map(assumed).collect()
}

/// Where OpenSSL's own configuration usually lies (`openssl version -d`).
pub(super) const OPENSSL_CNF: &[&str] = &[
    "/etc/ssl/openssl.cnf",
    "/etc/pki/tls/openssl.cnf",
    "/usr/local/ssl/openssl.cnf",
    "/opt/homebrew/etc/openssl@3/openssl.cnf",
];

/// Where a distribution's policy is chosen, of which openssl.cnf includes what it comes to.
const CRYPTO_POLICIES: &str = "/etc/crypto-policies/config";

/// The configuration of the judged client where nobody named one: openssl.cnf for this machine's OpenSSL, with the policy behind it.
pub(super) fn usual(machine: &Machine, named: &[PathBuf], clients: &[ClientProfile]) -> Vec<GivenConfiguration> {
    if !named.is_empty() || machine.root.is_some() || !clients.iter().any(|client| client.name == judged::LOCAL) {
        return Vec::new();
    }
    let paths = match std::env::var_os("OPENSSL_CONF") {
        Some(path) if path.is_empty() => Vec::new(),
        Some(path) => vec![PathBuf::from(path)],
        None => {
            let there = |path: &PathBuf| path.is_file();
            let policy = Some(PathBuf::from(CRYPTO_POLICIES)).filter(there);
            policy.into_iter().chain(OPENSSL_CNF.iter().map(PathBuf::from).find(there)).collect()
        }
    };
    given(machine, &paths, Some(Party::Client))
}
