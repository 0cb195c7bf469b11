//! One file replaced by another in a single step; everything but its content stays.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use aws_lc_rs::digest;
use rustix::fs::{Access, access};

use super::journal::{FileEntry, sync};
use super::{Refused, attributes};

/// SHA-256, hexadecimal.
pub(super) fn hash(bytes: &[u8]) -> String {
    tlswhy_model::Bytes(digest::digest(&digest::SHA256, bytes).as_ref().to_vec()).to_hex()
}

/// Writes what is to take the place of a file beside it. Most of what can go wrong (a full disk, attributes that cannot be kept)
/// goes wrong here, where nothing is replaced yet.
pub(super) fn prepare(file: &FileEntry, bytes: &[u8], id: &str) -> Result<(), Refused> {
    let shown = file.path.display();
    let beside = beside(file, id);
    remove_leftover(file, id);
    let cannot = |error: io::Error| Refused::io(format!("cannot replace {shown}"), &error);
    let made = (|| {
        let mut new = File::options().write(true).create_new(true).mode(0o600).open(&beside).map_err(cannot)?;
        new.write_all(bytes).map_err(cannot)?;
        if file.is_new() {
            new.set_permissions(fs::Permissions::from_mode(file.mode)).map_err(cannot)?;
        } else {
            let old = File::open(&file.real_path).map_err(cannot)?;
            attributes::keep(&old, &new).map_err(|(what, error)| {
                Refused::io(format!("cannot replace {shown}: its {what} could not be kept"), &error)
            })?;
        }
        new.sync_all().map_err(cannot)
    })();
    if made.is_err() {
        remove_leftover(file, id);
    }
    made
}

/// Puts what was prepared in the place of a file whose content has the hash `now`. Whoever reads the path gets the old or the new,
/// whole.
pub(super) fn put_in_place(file: &FileEntry, now: &str, id: &str) -> Result<(), Refused> {
    let shown = file.path.display();
    // Somebody may have changed it while the other was written.
    if self::now(file).as_deref() != Some(now) {
        remove_leftover(file, id);
        return Err(Refused(format!("{shown} was changed by somebody else meanwhile")));
    }
    let cannot = |error: &io::Error| Refused::io(format!("cannot replace {shown}"), error);
    fs::rename(beside(file, id), &file.real_path).map_err(|error| {
        remove_leftover(file, id);
        cannot(&error)
    })?;
    sync(file.real_path.parent().unwrap_or(Path::new("/"))).map_err(|error| cannot(&error))
}

/// The hash of a file's content; `None` where it is gone or cannot be read.
pub(super) fn hash_of(path: &Path) -> Option<String> {
    let mut context = digest::Context::new(&digest::SHA256);
    let mut file = File::open(path).ok()?;
    let mut buffer = [0; 16 * 1024];
    loop {
        match file.read(&mut buffer) {
            Ok(0) => return Some(tlswhy_model::Bytes(context.finish().as_ref().to_vec()).to_hex()),
            Ok(count) => context.update(buffer.get(..count)?),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(_) => return None,
        }
    }
}

/// The hash of what lies where a file of a plan does, empty for nothing where it is to come to be; `None` where it is gone or cannot
/// be read.
pub(super) fn now(file: &FileEntry) -> Option<String> {
    let gone = || fs::symlink_metadata(&file.real_path).is_err_and(|error| error.kind() == io::ErrorKind::NotFound);
    hash_of(&file.real_path).or_else(|| (file.is_new() && gone()).then(String::new))
}

/// Takes away a file that came to be.
pub(super) fn remove(file: &FileEntry) -> Result<(), Refused> {
    let cannot = |error: &io::Error| Refused::io(format!("cannot remove {}", file.path.display()), error);
    fs::remove_file(&file.real_path).map_err(|error| cannot(&error))?;
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

/// Whether a file, or files in a directory, can be written; found out before anything is changed.
pub(super) fn can_write(path: &Path) -> Result<(), Refused> {
    access(path, Access::WRITE_OK).map_err(|error| {
        let way_out = match error {
            rustix::io::Errno::ROFS => "; it lies on a file system that is mounted read-only",
            rustix::io::Errno::PERM => "; it is immutable: `lsattr -d` shows it, `chattr -i` lifts it",
            _ => "; run it with rights on it",
        };
        Refused(format!("cannot write {}: {}{way_out}", path.display(), io::Error::from(error)))
    })
}
