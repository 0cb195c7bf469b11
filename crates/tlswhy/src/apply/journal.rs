//! What is being done, said on disk before it is done.

use std::fs::{self, DirBuilder, File};
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::replace::hash;
use super::{Plan, Refused, StateDir};

/// The format of a journal, and its version.
const FORMAT: &str = "tlswhy-journal";
const VERSION: u32 = 1;

/// How far a plan has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Step {
    /// Copies are kept; no file is touched.
    Prepared,
    /// Files are being replaced.
    Writing,
    /// All are replaced.
    Written,
    /// The program's own validation has run.
    Checked,
    /// The program may have read them.
    Reloading,
    /// Files are being put back; the program has not read them.
    TakingBack,
    /// Files are being put back, and the program has to read them again.
    TakingBackRead,
    /// It helped; the end.
    Kept,
    /// It was taken back; the end.
    RolledBack,
    /// It was taken back later; the end.
    Undone,
}

impl Step {
    /// Nothing is left to do.
    pub(crate) fn is_an_end(self) -> bool {
        matches!(self, Step::Kept | Step::RolledBack | Step::Undone)
    }

    pub(super) fn may_have_been_read(self) -> bool {
        matches!(self, Step::Reloading | Step::TakingBackRead | Step::Kept)
    }

    /// What was going on.
    pub(crate) fn in_words(self) -> &'static str {
        match self {
            Step::Prepared => "getting ready",
            Step::Writing => "replacing files",
            Step::Written => "about to validate",
            Step::Checked => "about to reload",
            Step::Reloading => "reloading or verifying",
            Step::TakingBack | Step::TakingBackRead => "taking it back",
            Step::Kept => "done",
            Step::RolledBack => "rolled back",
            Step::Undone => "undone",
        }
    }
}

/// One plan on disk.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Entry {
    format: String,
    version: u32,
    /// Its name.
    pub(crate) id: String,
    /// When it began.
    pub(crate) started_at: String,
    /// What it is for.
    pub(crate) summary: String,
    /// How far it has come.
    pub(crate) step: Step,
    /// The files.
    pub(crate) files: Vec<FileEntry>,
    pub(super) check: Vec<String>,
    pub(super) reload: Vec<String>,
}

/// One file of a plan.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct FileEntry {
    /// The path as it was shown.
    pub(crate) path: PathBuf,
    /// The file itself, links resolved.
    pub(crate) real_path: PathBuf,
    /// SHA-256 before and after; before is empty for a file that came to be.
    pub(crate) before: String,
    pub(crate) after: String,
    pub(super) mode: u32,
    /// The copy.
    pub(crate) backup: PathBuf,
}

impl FileEntry {
    /// Whether there was no such file before.
    pub(super) fn is_new(&self) -> bool {
        self.before.is_empty()
    }
}

/// A plan that is being carried out.
#[derive(Debug)]
pub(super) struct Journal {
    pub(super) directory: PathBuf,
    pub(super) entry: Entry,
}

impl Journal {
    /// Makes a plan's directory with the copies; the journal comes last, so that what has none never began.
    pub(super) fn begin(state: &StateDir, plan: &Plan, mut files: Vec<FileEntry>) -> Result<Journal, Refused> {
        let now = jiff::Timestamp::now();
        let id = format!("{}-{}", now.strftime("%Y%m%dT%H%M%S"), std::process::id());
        let id = (0..1000).map(|again| if again == 0 { id.clone() } else { format!("{id}-{again}") });
        let id = id.into_iter().find(|id| !state.of(id).exists()).unwrap_or_default();
        let directory = state.of(&id);
        let cannot = |error: &std::io::Error| Refused::io(format!("cannot keep copies in {}", directory.display()), error);
        DirBuilder::new().mode(0o700).create(&directory).map_err(|error| cannot(&error))?;
        if let Err(error) = keep_copies(&directory, &mut files).and_then(|()| sync(state.path())) {
            // It never began; what is left of it is of no use.
            let _ = fs::remove_dir_all(&directory);
            return Err(cannot(&error));
        }
        let entry = Entry {
            format: FORMAT.to_owned(),
            version: VERSION,
            id,
            started_at: now.to_string(),
            summary: plan.summary.clone(),
            step: Step::Prepared,
            files,
            check: plan.check.clone(),
            reload: plan.reload.clone(),
        };
        let mut journal = Journal { directory, entry };
        journal.step(Step::Prepared)?;
        Ok(journal)
    }

    /// Says on disk how far it has come.
    pub(super) fn step(&mut self, step: Step) -> Result<(), Refused> {
        self.entry.step = step;
        let cannot =
            |error: &std::io::Error| Refused::io(format!("cannot write the journal in {}", self.directory.display()), error);
        let text =
            serde_json::to_vec_pretty(&self.entry).map_err(|error| Refused(format!("cannot write the journal: {error}")))?;
        let beside = self.directory.join("journal.json.new");
        // A leftover of a crash.
        let _ = fs::remove_file(&beside);
        write_durably(&beside, &text, 0o600).map_err(|error| cannot(&error))?;
        fs::rename(&beside, self.directory.join("journal.json")).map_err(|error| cannot(&error))?;
        sync(&self.directory).map_err(|error| cannot(&error))
    }
}

/// Copies the files of a plan; each learns where its copy lies.
fn keep_copies(directory: &Path, files: &mut [FileEntry]) -> std::io::Result<()> {
    // Of what comes to be there is none.
    for (number, file) in files.iter_mut().enumerate().filter(|(_, file)| !file.is_new()) {
        let name = file.real_path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        file.backup = directory.join(format!("{number}-{name}"));
        let bytes = fs::read(&file.real_path)?;
        if hash(&bytes) != file.before {
            return Err(std::io::Error::other(format!("{} was changed by somebody else meanwhile", file.path.display())));
        }
        // Never readable for more than the original was, nor for anybody but this user.
        write_durably(&file.backup, &bytes, file.mode & 0o600)?;
    }
    Ok(())
}

/// Every plan, oldest first. What has no journal never began; one that cannot be read is an error, for it may be unfinished.
pub(super) fn entries(state: &StateDir) -> Result<Vec<Entry>, Refused> {
    let cannot = |error: &std::io::Error| Refused::io(format!("cannot read {}", state.path().display()), error);
    let mut entries = Vec::new();
    for folder in fs::read_dir(state.path()).map_err(|error| cannot(&error))? {
        let path = folder.map_err(|error| cannot(&error))?.path().join("journal.json");
        let text = match fs::read(&path) {
            Ok(text) => text,
            Err(error) if matches!(error.kind(), std::io::ErrorKind::NotFound | std::io::ErrorKind::NotADirectory) => continue,
            Err(error) => return Err(Refused::io(format!("cannot read {}", path.display()), &error)),
        };
        let damaged = |why: String| {
            let folder = path.parent().unwrap_or(&path).display();
            Refused(format!(
                "the journal {} cannot be read: {why}; compare the files with their copies in {folder}, put back what is to be put back, and move that folder away",
                path.display()
            ))
        };
        let entry: Entry = serde_json::from_slice(&text).map_err(|error| damaged(error.to_string()))?;
        if entry.format != FORMAT || entry.version != VERSION {
            return Err(damaged(format!("it is a {} {}", entry.format, entry.version)));
        }
        entries.push(entry);
    }
    entries.sort_by(|a, b| (&a.started_at, &a.id).cmp(&(&b.started_at, &b.id)));
    Ok(entries)
}

/// Writes a new file and has it on the disk before it returns.
pub(super) fn write_durably(path: &Path, bytes: &[u8], mode: u32) -> std::io::Result<()> {
    let mut file = File::options().write(true).create_new(true).mode(mode).open(path)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    path.parent().map_or(Ok(()), sync)
}

/// Has the names in a directory on the disk.
pub(super) fn sync(directory: &Path) -> std::io::Result<()> {
    File::open(directory)?.sync_all()
}
