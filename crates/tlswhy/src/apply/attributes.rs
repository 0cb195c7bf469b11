//! Everything of a file besides its content, given to the one that takes its place: owner, mode, access control list, and the
//! extended attributes, among them the label by which SELinux lets a server read it.

use std::fs::{File, Permissions};
use std::io;
use std::os::unix::fs::{MetadataExt, PermissionsExt, fchown};

use rustix::fs::{XattrFlags, fgetxattr, flistxattr, fremovexattr, fsetxattr};

/// Attributes that the kernel makes from the content (IMA, EVM): those of the old content would be wrong.
const OF_THE_CONTENT: [&[u8]; 2] = [b"security.ima", b"security.evm"];

/// What could not be kept, and why.
pub(super) type Lost = (String, io::Error);

/// Gives them to `new`, which only its maker may read so far. At no moment may anybody read it who may not read `old`: the list
/// that a directory gives to new files goes first, and the mode, which opens the file, comes last.
pub(super) fn keep(old: &File, new: &File) -> Result<(), Lost> {
    let lost = |what: &str| {
        let what = what.to_owned();
        move |error: io::Error| (what, error)
    };
    let metadata = old.metadata().map_err(lost("owner and mode"))?;
    // The owner before the mode: changing it takes set-user-id bits away.
    fchown(new, Some(metadata.uid()), Some(metadata.gid())).map_err(lost("owner"))?;
    let (had, has) = (names(old).map_err(lost("attributes"))?, names(new).map_err(lost("attributes"))?);
    for name in has.iter().filter(|name| !had.contains(*name)) {
        fremovexattr(new, name.as_slice()).map_err(|error| (shown(name), error.into()))?;
    }
    for name in &had {
        let value = value(old, name).map_err(|error| (shown(name), error))?;
        // A label may already be the right one where nobody may set it.
        if value_of(new, name).is_none_or(|there| there != value) {
            fsetxattr(new, name.as_slice(), &value, XattrFlags::empty()).map_err(|error| (shown(name), error.into()))?;
        }
    }
    let mode = metadata.mode() & 0o7777;
    new.set_permissions(Permissions::from_mode(mode)).map_err(lost("mode"))?;
    let now = new.metadata().map_err(lost("owner and mode"))?;
    if (now.mode() & 0o7777, now.uid(), now.gid()) != (mode, metadata.uid(), metadata.gid()) {
        return Err(lost("owner and mode")(io::Error::other("the file system does not take them")));
    }
    Ok(())
}

fn shown(name: &[u8]) -> String {
    format!("attribute {}", String::from_utf8_lossy(name))
}

/// The names of a file's extended attributes; a file system without them has none.
fn names(file: &File) -> io::Result<Vec<Vec<u8>>> {
    let read = |buffer: &mut [u8]| flistxattr(file, buffer);
    let all = match whole(read) {
        Err(error) if error.kind() == io::ErrorKind::Unsupported => return Ok(Vec::new()),
        all => all?,
    };
    let names = all.split(|byte| *byte == 0).filter(|name| !name.is_empty() && !OF_THE_CONTENT.contains(name));
    Ok(names.map(<[u8]>::to_vec).collect())
}

fn value(file: &File, name: &[u8]) -> io::Result<Vec<u8>> {
    whole(|buffer: &mut [u8]| fgetxattr(file, name, buffer))
}

/// The same; `None` where there is none to be read.
fn value_of(file: &File, name: &[u8]) -> Option<Vec<u8>> {
    value(file, name).ok()
}

/// What the kernel gives into a buffer that is large enough for it: at most 64 KiB (XATTR_LIST_MAX, XATTR_SIZE_MAX).
fn whole(read: impl Fn(&mut [u8]) -> rustix::io::Result<usize>) -> io::Result<Vec<u8>> {
    let mut buffer = vec![0; 64 * 1024];
    let length = read(&mut buffer)?;
    buffer.truncate(length);
    Ok(buffer)
}
