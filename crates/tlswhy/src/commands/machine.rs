//! The machine whose configurations are read: paths as given, its files, versions taken for granted.

use std::path::{Path, PathBuf};

use tlswhy_gather::FilesOf;
use tlswhy_model::{GivenConfiguration, InstalledSoftware, Party};

use crate::cli::Machine;
use crate::exit::Failure;

/// Paths as the configured programs would say them: absolute.
pub(super) fn given(paths: &[PathBuf], party: Option<Party>) -> Vec<GivenConfiguration> {
    let absolute = |path: &Path| std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
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
    Ok(FilesOf { root: machine.root.clone(), run_programs: machine.run_programs })
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

/// A path within a copy of another machine's tree, as that machine says it.
pub(super) fn inside(path: &Path) -> GivenConfiguration {
    let path = path.to_string_lossy();
    let path = if path.starts_with('/') { path.into_owned() } else { format!("/{path}") };
    GivenConfiguration { party: None, path }
}
