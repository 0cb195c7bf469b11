//! Where results go: standard output, or a file that appears whole or not at all.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use anstream::AutoStream;
use anstream::adapter::strip_bytes;

use crate::exit::Failure;

/// Where a result goes.
pub(crate) enum Output {
    /// Standard output; colour as the terminal and the user want it.
    Standard(AutoStream<io::Stdout>),
    /// Standard error, where standard output is another program's.
    Error(AutoStream<io::Stderr>),
    /// A file; never with colour.
    File(BufWriter<File>, Whole),
}

impl Output {
    /// Opens it. A file that cannot be written fails here, before anything is asked of the network.
    pub(crate) fn open(path: Option<&Path>) -> Result<Output, Failure> {
        let Some(path) = path else {
            return Ok(Output::Standard(AutoStream::auto(io::stdout())));
        };
        let (file, whole) = Whole::begin(path).map_err(|error| cannot_write(path, &error))?;
        Ok(Output::File(BufWriter::new(file), whole))
    }

    /// Standard error.
    pub(crate) fn standard_error() -> Output {
        Output::Error(AutoStream::auto(io::stderr()))
    }

    /// Takes from group and world the right to change the file, whatever the umask or the file that it replaces allow.
    #[cfg(unix)]
    pub(crate) fn keep_from_the_world(&self, path: &Path) -> Result<(), Failure> {
        use std::os::unix::fs::PermissionsExt as _;
        let Output::File(stream, Whole { moves: Some(_), .. }) = self else { return Ok(()) };
        let file = stream.get_ref();
        let restrict = |mut permissions: fs::Permissions| {
            permissions.set_mode(permissions.mode() & !0o022);
            file.set_permissions(permissions)
        };
        file.metadata().and_then(|metadata| restrict(metadata.permissions())).map_err(|error| cannot_write(path, &error))
    }

    /// Elsewhere the rights of the directory hold.
    #[cfg(not(unix))]
    pub(crate) fn keep_from_the_world(&self, _path: &Path) -> Result<(), Failure> {
        Ok(())
    }

    /// Writes out what is buffered; a file gets its name now.
    pub(crate) fn finish(self) -> Result<(), Failure> {
        match self {
            Output::Error(mut stream) => stream.flush().map_err(|error| cannot_print(&error)),
            Output::Standard(mut stream) => stream.flush().or_else(quiet_if_nobody_reads).map_err(|error| cannot_print(&error)),
            Output::File(stream, whole) => {
                let path = whole.path.clone();
                let file = stream.into_inner().map_err(io::IntoInnerError::into_error);
                file.and_then(|file| whole.finish(&file)).map_err(|error| cannot_write(&path, &error))
            }
        }
    }

    /// Writes what `write` makes. A reader that has gone away, as `head` does, wants no more and is no error.
    pub(crate) fn write(&mut self, write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> Result<(), Failure> {
        let mut made = Vec::new();
        match self {
            Output::Error(stream) => {
                write(&mut made).and_then(|()| stream.write_all(&made)).map_err(|error| cannot_print(&error))
            }
            Output::Standard(stream) => write(&mut made)
                .and_then(|()| stream.write_all(&made))
                .and_then(|()| stream.flush())
                .or_else(quiet_if_nobody_reads)
                .map_err(|error| cannot_print(&error)),
            Output::File(stream, whole) => write(&mut made)
                .and_then(|()| strip_bytes(&made).try_for_each(|part| stream.write_all(part)))
                .map_err(|error| cannot_write(&whole.path, &error)),
        }
    }
}

/// Writes a whole document to a file.
pub(crate) fn write_file(path: &Path, write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> Result<(), Failure> {
    let mut output = Output::open(Some(path))?;
    output.write(write)?;
    output.finish()
}

fn quiet_if_nobody_reads(error: io::Error) -> io::Result<()> {
    if error.kind() == io::ErrorKind::BrokenPipe { Ok(()) } else { Err(error) }
}

fn cannot_print(error: &io::Error) -> Failure {
    Failure::new(format!("cannot write: {error}"))
}

fn cannot_write(path: &Path, error: &io::Error) -> Failure {
    Failure::new(format!("cannot write {}: {error}", path.display()))
}

/// A file that is written beside its place and moved there when it is complete.
pub(crate) struct Whole {
    /// As the user named it.
    path: PathBuf,
    /// Where it will be moved, and where it is until then; `None` where the place is a device or a pipe.
    moves: Option<(PathBuf, PathBuf)>,
}

impl Whole {
    fn begin(path: &Path) -> io::Result<(File, Whole)> {
        // A symbolic link is followed, so that the file behind it is replaced and not the link.
        let place = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
        let existing = fs::metadata(&place).ok();
        if existing.as_ref().is_some_and(fs::Metadata::is_dir) {
            return Err(io::ErrorKind::IsADirectory.into());
        }
        if existing.as_ref().is_some_and(|existing| !existing.is_file()) {
            let file = OpenOptions::new().write(true).open(&place)?;
            return Ok((file, Whole { path: path.to_owned(), moves: None }));
        }
        let name = place.file_name().ok_or(io::ErrorKind::InvalidFilename)?;
        let mut hidden = std::ffi::OsString::from(".");
        hidden.push(name);
        hidden.push(format!(".{}.partial", std::process::id()));
        let beside = place.with_file_name(hidden);
        let file = OpenOptions::new().write(true).create_new(true).open(&beside)?;
        let whole = Whole { path: path.to_owned(), moves: Some((beside, place)) };
        if let Some(existing) = existing {
            file.set_permissions(existing.permissions())?;
        }
        Ok((file, whole))
    }

    fn finish(mut self, file: &File) -> io::Result<()> {
        let Some((beside, place)) = &self.moves else {
            return Ok(());
        };
        file.sync_all()?;
        fs::rename(beside, place)?;
        self.moves = None;
        Ok(())
    }
}

impl Drop for Whole {
    fn drop(&mut self) {
        if let Some((beside, _)) = &self.moves {
            // Nothing better can be done about it here.
            let _ = fs::remove_file(beside);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(directory: &Path) -> Vec<String> {
        let mut names: Vec<_> =
            fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    #[test]
    fn a_file_appears_whole_or_not_at_all() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("report.txt");
        fs::write(&path, "old").unwrap();
        let mut output = Output::open(Some(&path)).unwrap();
        output.write(|out| out.write_all(b"\x1b[1mnew\x1b[0m")).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "old");
        output.finish().unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "new");

        let mut given_up = Output::open(Some(&path)).unwrap();
        given_up.write(|out| out.write_all(b"half")).unwrap();
        drop(given_up);
        assert_eq!(fs::read_to_string(&path).unwrap(), "new");
        assert_eq!(names(directory.path()), ["report.txt"]);
    }

    #[cfg(unix)]
    #[test]
    fn links_stay_links_and_devices_are_written_to() {
        let directory = tempfile::tempdir().unwrap();
        let (real, link) = (directory.path().join("real"), directory.path().join("link"));
        fs::write(&real, "old").unwrap();
        std::os::unix::fs::symlink(&real, &link).unwrap();
        write_file(&link, |out| out.write_all(b"new")).unwrap();
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        assert_eq!(fs::read_to_string(&real).unwrap(), "new");
        write_file(Path::new("/dev/null"), |out| out.write_all(b"gone")).unwrap();
        assert!(write_file(directory.path(), |_| Ok(())).is_err());
        assert!(write_file(&directory.path().join("missing/file"), |_| Ok(())).is_err());
    }
}
