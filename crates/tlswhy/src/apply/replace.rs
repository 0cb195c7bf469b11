//! One file replaced by another in a single step, owner and mode kept.

use std::fs::{self, File, Permissions};
use std::io::Write;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt, fchown};
use std::path::{Path, PathBuf};

use aws_lc_rs::digest;

use super::Refused;
use super::journal::{FileEntry, sync};

/// SHA-256, hexadecimal.
pub(super) fn hash(bytes: &[u8]) -> String {
    tlswhy_model::Bytes(digest::digest(&digest::SHA256, bytes).as_ref().to_vec()).to_hex()
}

/// Makes `bytes` the content of a file whose content has the hash `now`. Whoever reads the path gets the old or the new, whole.
pub(super) fn replace(file: &FileEntry, bytes: &[u8], now: &str, id: &str) -> Result<(), Refused> {
    let shown = file.path.display();
    let beside = beside(file, id);
    remove_leftover(file, id);
    let cannot = |error: &std::io::Error| Refused::io(format!("cannot replace {shown}"), error);
    let made = (|| {
        let mut new = File::options().write(true).create_new(true).mode(0o600).open(&beside)?;
        new.write_all(bytes)?;
        // The owner first: changing it takes set-user-id bits away.
        fchown(&new, Some(file.uid), Some(file.gid))?;
        new.set_permissions(Permissions::from_mode(file.mode))?;
        new.sync_all()
    })();
    if let Err(error) = made {
        remove_leftover(file, id);
        return Err(cannot(&error));
    }
    // Somebody may have changed it while this was written.
    if fs::read(&file.real_path).map(|bytes| hash(&bytes)).unwrap_or_default() != now {
        remove_leftover(file, id);
        return Err(Refused(format!("{shown} was changed by somebody else meanwhile")));
    }
    fs::rename(&beside, &file.real_path).map_err(|error| {
        remove_leftover(file, id);
        cannot(&error)
    })?;
    sync(file.real_path.parent().unwrap_or(Path::new("/"))).map_err(|error| cannot(&error))
}

/// The file that is written before it takes the place of the other.
fn beside(file: &FileEntry, id: &str) -> PathBuf {
    let name = file.real_path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    file.real_path.with_file_name(format!(".{name}.tlswhy-{id}"))
}

/// Takes away what a crash left.
pub(super) fn remove_leftover(file: &FileEntry, id: &str) {
    // Where there is none, there is nothing to do.
    let _ = fs::remove_file(beside(file, id));
}

/// Whether files can be made in a directory; found out before anything is changed.
pub(super) fn can_write_in(directory: &Path) -> Result<(), Refused> {
    let trial = directory.join(format!(".tlswhy-trial-{}", std::process::id()));
    let _ = fs::remove_file(&trial);
    let made = File::options().write(true).create_new(true).mode(0o600).open(&trial);
    let _ = fs::remove_file(&trial);
    made.map(drop)
        .map_err(|error| Refused::io(format!("cannot write in {} (run it with rights on it)", directory.display()), &error))
}
