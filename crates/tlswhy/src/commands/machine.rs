//! The machine whose configurations are read: paths as given, its files, versions taken for granted.

use std::path::{Path, PathBuf};

use tlswhy_gather::FilesOf;
use tlswhy_model::{GivenConfiguration, InstalledSoftware, Party};

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
    Ok(FilesOf { root: machine.root.clone(), run_programs: machine.run_programs, only: None })
}

/// Versions that the user names.
pub(super) fn assumed(machine: &Machine) -> Vec<InstalledSoftware> {
    let assumed = |(product, version): &(String, String)| InstalledSoftware {
        product: product.clone(),
        version: Some(version.clone()),
        source: "--assume".to_owned(),
    };
    machine.assume.iter().map(assumed).collect()
}
