//! The files of a machine: this one, or an unpacked copy of another's.

use std::collections::BTreeSet;
use std::io::{ErrorKind, Read as _};
use std::path::{Path, PathBuf};

use aws_lc_rs::digest;
use tlswhy_model::{Bytes, FileContent, FoundSoftware, InstalledSoftware, MOST_FILE_BYTES, SeenFile};

use crate::inventory::{Inventory, inventory};
use crate::masks::mask;
use crate::programs;
use crate::software::software;

/// The largest file that is read, in bytes.
const LARGEST: u64 = 16 << 20;

/// Most names in a directory.
const MOST_NAMES: usize = 100_000;

/// Whose files are looked at.
#[derive(Clone, Debug, Default)]
pub struct FilesOf {
    /// A copy of another machine's tree; `None` for this machine.
    pub root: Option<PathBuf>,
    /// These files and no others, by their paths: for what lies on no disk.
    pub only: Option<Vec<(String, Vec<u8>)>>,
    /// Whether installed programs may be run to say their version and the libraries that they run with.
    pub run_programs: bool,
}

impl FilesOf {
    /// What lies at these paths, in their order.
    pub async fn look(&self, paths: Vec<String>) -> Vec<SeenFile> {
        if let Some(only) = &self.only {
            let look = |path: String| {
                let bytes = only.iter().find(|(known, _)| *known == path).map(|(_, bytes)| bytes.clone());
                SeenFile { path, real_path: None, content: bytes.map_or(FileContent::Missing, seen) }
            };
            return paths.into_iter().map(look).collect();
        }
        let root = self.root.clone();
        let looked = tokio::task::spawn_blocking(move || {
            let mut left = MOST_FILE_BYTES;
            paths.into_iter().map(|path| look(root.as_deref(), path, &mut left)).collect()
        });
        looked.await.unwrap_or_default()
    }

    /// The versions of these products, in their order.
    pub async fn software(&self, products: Vec<String>) -> Vec<InstalledSoftware> {
        if self.only.is_some() {
            let unknown = |product| InstalledSoftware {
                product,
                version: None,
                source: "nothing tells".to_owned(),
                ..InstalledSoftware::default()
            };
            return products.into_iter().map(unknown).collect();
        }
        let root = self.root.clone().unwrap_or_else(|| PathBuf::from("/"));
        let packages = tokio::task::spawn_blocking(move || software(&root, products)).await.unwrap_or_default();
        // The programs of this machine say nothing of another's.
        if !self.run_programs || self.root.is_some() {
            return packages;
        }
        let mut known = Vec::with_capacity(packages.len());
        for package in packages {
            known.push(programs::ask(&package.product).await.unwrap_or(package));
        }
        known
    }
}

impl FilesOf {
    /// The software that speaks TLS.
    pub async fn inventory(&self) -> Inventory {
        let root = self.root.clone();
        let mut found = tokio::task::spawn_blocking(move || inventory(root.as_deref())).await.unwrap_or_default();
        if !self.run_programs || self.root.is_some() {
            return found;
        }
        let products: BTreeSet<String> = found.software.iter().map(|one| one.product.clone()).collect();
        for product in products {
            let Some(said) = programs::ask(&product).await else { continue };
            // Of several copies, the one that the system's package brought is the one that was run.
            let of_the_system = |one: &&mut FoundSoftware| one.product == product && one.package.is_some() && !one.built_in;
            let Some(one) = found.software.iter_mut().find(of_the_system) else { continue };
            one.version = said.version;
            one.version_from = said.source;
            for linked in said.libraries {
                if let Some(used) = one.libraries.iter_mut().find(|used| used.product == linked.name) {
                    used.version = Some(linked.version);
                }
            }
        }
        found
    }
}

/// Looks at a path; `left` is how many bytes may be read still.
fn look(root: Option<&Path>, path: String, left: &mut usize) -> SeenFile {
    let real = match root {
        Some(root) => root.join(path.trim_start_matches('/')),
        None => PathBuf::from(&path),
    };
    let content = content(&real, left).unwrap_or_else(|error| match error.kind() {
        ErrorKind::NotFound | ErrorKind::NotADirectory => FileContent::Missing,
        _ => FileContent::Unreadable { error: error.to_string() },
    });
    // Where a copy lies says nothing of the machine that it was taken from.
    let resolved = real.canonicalize().ok().filter(|_| root.is_none()).map(|real| real.to_string_lossy().into_owned());
    SeenFile { real_path: resolved.filter(|resolved| *resolved != path), path, content }
}

fn content(path: &Path, left: &mut usize) -> std::io::Result<FileContent> {
    let metadata = path.metadata()?;
    if metadata.is_dir() {
        let entries = path.read_dir()?.map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()));
        let mut entries = entries.take(MOST_NAMES + 1).collect::<std::io::Result<Vec<String>>>()?;
        if entries.len() > MOST_NAMES {
            return Ok(FileContent::Unreadable { error: format!("more than {MOST_NAMES} names lie in it") });
        }
        entries.sort();
        return Ok(FileContent::Directory { entries });
    }
    if !metadata.is_file() {
        return Ok(FileContent::Unreadable { error: "it is neither a file nor a directory".to_owned() });
    }
    if metadata.len() > LARGEST {
        return Ok(too_large());
    }
    if metadata.len() > *left as u64 {
        return Ok(FileContent::beyond_the_bound());
    }
    let mut bytes = Vec::new();
    open(path)?.take(LARGEST + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > LARGEST {
        return Ok(too_large());
    }
    *left = left.saturating_sub(bytes.len());
    Ok(seen(bytes))
}

fn too_large() -> FileContent {
    FileContent::Unreadable { error: format!("it is larger than {} MiB", LARGEST >> 20) }
}

/// Opens a file so that reading it never waits for more, as some of /proc would (`/proc/kmsg`).
fn open(path: &Path) -> std::io::Result<std::fs::File> {
    let mut options = std::fs::File::options();
    options.read(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::custom_flags(&mut options, rustix::fs::OFlags::NONBLOCK.bits().cast_signed());
    options.open(path)
}

/// A file's bytes as evidence keeps them.
pub(crate) fn seen(mut bytes: Vec<u8>) -> FileContent {
    let sha256 = Bytes(digest::digest(&digest::SHA256, &bytes).as_ref().to_vec()).to_hex();
    let secrets = mask(&mut bytes);
    let hash = |info: &Vec<u8>| Bytes(digest::digest(&digest::SHA256, info).as_ref().to_vec()).to_hex();
    let public_keys = secrets.public_halves.iter().map(|half| half.as_ref().map(hash).unwrap_or_default()).collect();
    FileContent::Bytes { bytes: Bytes(bytes), sha256, public_keys }
}
