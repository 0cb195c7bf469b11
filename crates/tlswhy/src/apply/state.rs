//! Where journals and copies lie.

use std::fs::{self, DirBuilder, File, TryLockError};
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Path, PathBuf};

use super::Refused;

/// A directory of this user's own.
#[derive(Clone, Debug)]
pub(crate) struct StateDir(PathBuf);

impl StateDir {
    /// `$TLSWHY_STATE_DIR`, else `/var/lib/tlswhy` for root, else `$XDG_STATE_HOME/tlswhy`, else `~/.local/state/tlswhy`.
    pub(crate) fn usual() -> Result<StateDir, Refused> {
        let variable = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
        let is_root = fs::metadata("/proc/self").is_ok_and(|own| own.uid() == 0);
        let place = variable("TLSWHY_STATE_DIR")
            .or_else(|| is_root.then(|| PathBuf::from("/var/lib/tlswhy")))
            .or_else(|| variable("XDG_STATE_HOME").map(|home| home.join("tlswhy")))
            .or_else(|| variable("HOME").map(|home| home.join(".local/state/tlswhy")));
        let place = place.ok_or_else(|| Refused("no place for the journal: set TLSWHY_STATE_DIR".to_owned()))?;
        StateDir::at(&place)
    }

    /// This directory; made where it is missing.
    pub(crate) fn at(place: &Path) -> Result<StateDir, Refused> {
        let shown = place.display();
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(place)
            .map_err(|error| Refused::io(format!("cannot make {shown} for the journal"), &error))?;
        let place = fs::canonicalize(place).map_err(|error| Refused::io(shown, &error))?;
        Ok(StateDir(place))
    }

    /// The directory itself.
    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    /// The directory of one plan.
    pub(super) fn of(&self, id: &str) -> PathBuf {
        self.0.join(id)
    }

    /// No two runs at once.
    pub(super) fn lock(&self) -> Result<File, Refused> {
        let path = self.0.join("lock");
        let file = File::options().create(true).truncate(false).write(true).open(&path);
        let file = file.map_err(|error| Refused::io(format!("cannot write {}", path.display()), &error))?;
        match file.try_lock() {
            Ok(()) => Ok(file),
            Err(TryLockError::WouldBlock) => Err(Refused("another `tlswhy fix` is at work; wait for its end".to_owned())),
            Err(TryLockError::Error(error)) => Err(Refused::io(format!("cannot lock {}", path.display()), &error)),
        }
    }
}
