//! Edits of configuration files, done so that a crash at any moment leaves each file either as it was or as it shall be.
//!
//! A [`Session`] goes step by step: [`Session::begin`] checks that nothing changed since it was read and keeps copies,
//! [`Session::write`] replaces the files, [`Session::check`] and [`Session::reload`] run the program's own commands, and
//! [`Session::keep`] or [`Session::roll_back`] ends it. Before each step the journal says so, on disk. A session that ends without
//! either is what a crash leaves: [`recover`] takes it back.

mod attributes;
mod command;
mod journal;
mod replace;
mod state;
#[cfg(test)]
mod tests;

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

pub(crate) use command::Ran;
pub(crate) use journal::{Entry, Step};
pub(crate) use state::StateDir;

use journal::{FileEntry, Journal};
use replace::{hash, prepare, put_in_place};

/// What is to be done to one file.
#[derive(Clone, Debug)]
pub(crate) struct Change {
    /// The path as it was shown.
    pub(crate) path: PathBuf,
    /// SHA-256 (hexadecimal) of the file as it was read; empty where there was none.
    pub(crate) expected: String,
    /// The file as it shall be.
    pub(crate) edits: Vec<Edit>,
}

/// Bytes `start..end` of the file as it was read become `new`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Edit {
    pub(crate) start: u64,
    pub(crate) end: u64,
    /// What stands there, as it was shown.
    pub(crate) old: Vec<u8>,
    pub(crate) new: Vec<u8>,
}

/// Everything that is to be done.
#[derive(Clone, Debug, Default)]
pub(crate) struct Plan {
    /// The files.
    pub(crate) changes: Vec<Change>,
    /// Validates the configuration; may be empty.
    pub(crate) check: Vec<String>,
    /// Makes the program read it; may be empty.
    pub(crate) reload: Vec<String>,
    /// Directories that were shown: a symbolic link may lead to a file in them, and nowhere else.
    pub(crate) roots: Vec<PathBuf>,
    /// What it is for, one sentence.
    pub(crate) summary: String,
}

/// Why something was not done: what, and the way out where there is one.
#[derive(Debug)]
pub(crate) struct Refused(pub(crate) String);

impl Refused {
    fn io(what: impl std::fmt::Display, error: &io::Error) -> Refused {
        Refused(format!("{what}: {error}"))
    }
}

/// A plan under way. Dropping it is what a crash is: nothing is taken back.
#[derive(Debug)]
pub(crate) struct Session {
    journal: Journal,
    new: Vec<Vec<u8>>,
    /// Held until the end: no two runs at once.
    _locks: Vec<File>,
}

impl Session {
    /// Checks everything that can be checked, and keeps copies. Nothing is changed yet.
    pub(crate) fn begin(state: &StateDir, plan: &Plan) -> Result<Session, Refused> {
        let mut locks = vec![state.lock()?];
        refuse_where_one_is_open(&journal::entries(state)?)?;
        let (mut files, mut new) = (Vec::new(), Vec::new());
        let mut directories: Vec<PathBuf> = Vec::new();
        for change in &plan.changes {
            let (entry, bytes) = examine(change, &plan.roots)?;
            let directory = entry.real_path.parent().unwrap_or(Path::new("/"));
            if !directories.iter().any(|known| known == directory) {
                locks.push(lock_directory(directory)?);
                replace::can_write(directory)?;
                directories.push(directory.to_owned());
            }
            if !entry.is_new() {
                replace::can_write(&entry.real_path)?;
            }
            files.push(entry);
            new.push(bytes);
        }
        let journal = Journal::begin(state, plan, files)?;
        Ok(Session { journal, new, _locks: locks })
    }

    /// Where the copies lie.
    pub(crate) fn backups(&self) -> Vec<PathBuf> {
        self.journal.entry.files.iter().filter(|file| !file.is_new()).map(|file| file.backup.clone()).collect()
    }

    /// Its name, for `--undo`.
    pub(crate) fn id(&self) -> &str {
        &self.journal.entry.id
    }

    /// Replaces the files, one after the other, each whole.
    pub(crate) fn write(&mut self) -> Result<(), Refused> {
        self.journal.step(Step::Writing)?;
        self.prepare()?;
        for place in 0..self.new.len() {
            self.write_one(place)?;
        }
        self.journal.step(Step::Written)
    }

    /// Writes all that is new beside what it is to replace.
    fn prepare(&self) -> Result<(), Refused> {
        self.journal.entry.files.iter().zip(&self.new).try_for_each(|(file, new)| prepare(file, new, self.id()))
    }

    fn write_one(&self, place: usize) -> Result<(), Refused> {
        let Some(file) = self.journal.entry.files.get(place) else { return Ok(()) };
        put_in_place(file, &file.before, self.id())
    }

    /// The program's own validation; `None` where it has none.
    pub(crate) fn check(&mut self) -> Result<Option<Ran>, Refused> {
        let ran = command::run(&self.journal.entry.check)?;
        self.journal.step(Step::Checked)?;
        Ok(ran)
    }

    /// Makes the program read it.
    pub(crate) fn reload(&mut self) -> Result<Option<Ran>, Refused> {
        // Said beforehand: once the command runs, the program may have read the new files.
        self.journal.step(Step::Reloading)?;
        command::run(&self.journal.entry.reload)
    }

    /// It helped: the files stay as they are now.
    pub(crate) fn keep(mut self) -> Result<(), Refused> {
        self.journal.step(Step::Kept)
    }

    /// It did not help: everything becomes what it was.
    pub(crate) fn roll_back(mut self) -> Result<Restored, Refused> {
        take_back(&mut self.journal, Step::RolledBack)
    }
}

/// What came of taking something back.
#[derive(Debug, Default)]
pub(crate) struct Restored {
    /// The plan's name.
    pub(crate) id: String,
    /// What it was for.
    pub(crate) summary: String,
    /// Files that are as they were.
    pub(crate) restored: Vec<PathBuf>,
    /// Files that somebody else has changed since; they were left alone, and their copies lie there.
    pub(crate) left_alone: Vec<(PathBuf, PathBuf)>,
    /// The reload, where one was needed.
    pub(crate) reload: Option<Ran>,
}

/// Takes back what a crash left unfinished. Doing it twice does no harm.
pub(crate) fn recover(state: &StateDir) -> Result<Vec<Restored>, Refused> {
    let _lock = state.lock()?;
    let mut done = Vec::new();
    for entry in journal::entries(state)?.into_iter().filter(|entry| !entry.step.is_an_end()) {
        let _directories = lock_directories(&entry)?;
        let mut journal = Journal { directory: state.of(&entry.id), entry };
        done.push(take_back(&mut journal, Step::RolledBack)?);
    }
    Ok(done)
}

/// Takes back a plan that was kept: the last one, or that of a name. Where a file is no more as it was left, nothing is done.
pub(crate) fn undo(state: &StateDir, id: Option<&str>) -> Result<Restored, Refused> {
    let _lock = state.lock()?;
    let entries = journal::entries(state)?;
    refuse_where_one_is_open(&entries)?;
    let kept = entries.into_iter().filter(|entry| entry.step == Step::Kept);
    let entry = match id {
        Some(id) => kept.into_iter().find(|entry| entry.id == id),
        None => kept.into_iter().next_back(),
    };
    let entry = entry.ok_or_else(|| match id {
        Some(id) => Refused(format!("no applied fix is called {id}; `tlswhy fix --list` names them")),
        None => Refused("there is no applied fix to take back".to_owned()),
    })?;
    for file in &entry.files {
        let copy = if file.is_new() { "no file at all".to_owned() } else { file.backup.display().to_string() };
        let shown = file.path.display();
        match replace::now(file) {
            Some(now) if now == file.after || now == file.before => {}
            Some(_) => {
                return Err(Refused(format!(
                    "{shown} was changed after the fix {}: nothing is taken back; what it was before is {copy}",
                    entry.id
                )));
            }
            None => {
                return Err(Refused(format!(
                    "{shown} is gone or cannot be read: nothing of the fix {} is taken back; what it was before is {copy}",
                    entry.id
                )));
            }
        }
    }
    let _directories = lock_directories(&entry)?;
    let mut journal = Journal { directory: state.of(&entry.id), entry };
    take_back(&mut journal, Step::Undone)
}

/// What a crash left unfinished is taken back before anything else is done.
fn refuse_where_one_is_open(entries: &[Entry]) -> Result<(), Refused> {
    match entries.iter().find(|entry| !entry.step.is_an_end()) {
        Some(open) => Err(Refused(format!(
            "the fix {} was not finished (it stopped while {}); `tlswhy fix --recover` takes it back first",
            open.id,
            open.step.in_words()
        ))),
        None => Ok(()),
    }
}

/// Whether a fix may be begun: none is under way, and none was left unfinished.
pub(crate) fn may_begin(state: &StateDir) -> Result<(), Refused> {
    let _lock = state.lock()?;
    refuse_where_one_is_open(&journal::entries(state)?)
}

/// Whether a program's own validation fails as its files are now.
pub(crate) fn fails(check: &[String]) -> bool {
    command::run(check).is_ok_and(|ran| ran.is_some_and(|ran| !ran.good))
}

/// Every plan, oldest first.
pub(crate) fn list(state: &StateDir) -> Result<Vec<Entry>, Refused> {
    journal::entries(state)
}

fn take_back(journal: &mut Journal, end: Step) -> Result<Restored, Refused> {
    let before = journal.entry.step;
    let may_have_been_read = before.may_have_been_read();
    let mut restored = Restored { id: journal.entry.id.clone(), summary: journal.entry.summary.clone(), ..Restored::default() };
    if before != Step::Prepared {
        let noted = journal.step(if may_have_been_read { Step::TakingBackRead } else { Step::TakingBack });
        // What is unfinished is known to be so without this note: a full disk must not keep it from being taken back.
        if before.is_an_end() {
            noted?;
        }
    }
    let mut failed = None;
    for file in &journal.entry.files {
        match put_back(file, &journal.entry.id) {
            Ok(true) => restored.restored.push(file.path.clone()),
            Ok(false) => restored.left_alone.push((file.path.clone(), file.backup.clone())),
            // The others need not stay behind.
            Err(error) => failed = failed.or(Some(error)),
        }
    }
    if let Some(error) = failed {
        return Err(Refused(format!("{}; once it can be, `tlswhy fix --recover` takes the rest back", error.0)));
    }
    if may_have_been_read && !restored.restored.is_empty() {
        restored.reload = command::run(&journal.entry.reload)?;
    }
    journal.step(end)?;
    Ok(restored)
}

/// Makes a file what it was. `false` where somebody else has changed it since: it is left alone then.
fn put_back(file: &FileEntry, id: &str) -> Result<bool, Refused> {
    replace::remove_leftover(file, id);
    let now = replace::now(file);
    if now.as_ref() == Some(&file.before) {
        return Ok(true);
    }
    if now.as_ref() != Some(&file.after) {
        return Ok(false);
    }
    if file.is_new() {
        return replace::remove(file).map(|()| true);
    }
    let bytes = fs::read(&file.backup)
        .map_err(|error| Refused::io(format!("cannot read the copy {}", file.backup.display()), &error))?;
    if hash(&bytes) != file.before {
        return Err(Refused(format!(
            "the copy {} is not what was kept; {} is left as it is",
            file.backup.display(),
            file.path.display()
        )));
    }
    prepare(file, &bytes, id)?;
    put_in_place(file, &file.after, id)?;
    Ok(true)
}

/// Looks at one file: is it the one that was read, may it be replaced, what does it become?
fn examine(change: &Change, roots: &[PathBuf]) -> Result<(FileEntry, Vec<u8>), Refused> {
    if change.expected.is_empty() {
        return examine_new(change, roots);
    }
    let shown = change.path.display();
    let real_path = fs::canonicalize(&change.path).map_err(|error| Refused::io(format!("{shown} cannot be found"), &error))?;
    let inside = |root: &PathBuf| fs::canonicalize(root).is_ok_and(|root| real_path.starts_with(root));
    if real_path != change.path && !roots.iter().any(inside) {
        return Err(Refused(format!(
            "{shown} is a link to {}, which lies outside of what was shown; name that file's directory with --server-config",
            real_path.display()
        )));
    }
    let metadata = fs::metadata(&real_path).map_err(|error| Refused::io(&shown, &error))?;
    if !metadata.is_file() {
        return Err(Refused(format!("{shown} is no ordinary file")));
    }
    if metadata.nlink() > 1 {
        return Err(Refused(format!(
            "{shown} has {} names (hard links): replacing one would part them; edit it by hand",
            metadata.nlink()
        )));
    }
    let bytes = fs::read(&real_path).map_err(|error| Refused::io(format!("cannot read {shown}"), &error))?;
    let before = hash(&bytes);
    if before != change.expected {
        return Err(Refused(format!("{shown} has changed since it was read; run it again")));
    }
    let mut edits = change.edits.clone();
    edits.sort();
    let mut new = Vec::with_capacity(bytes.len() + 256);
    let mut at = 0;
    for edit in &edits {
        let (start, end) = (usize::try_from(edit.start).unwrap_or(usize::MAX), usize::try_from(edit.end).unwrap_or(usize::MAX));
        let (Some(between), Some(old)) = (bytes.get(at..start), bytes.get(start..end)) else {
            return Err(Refused(format!("the edits of {shown} overlap or lie outside of it")));
        };
        // What was shown had secrets taken out.
        if old != edit.old || String::from_utf8_lossy(&edit.new).contains('\u{fffd}') {
            return Err(Refused(format!(
                "a line of {shown} that would be changed holds a secret or bytes that are no UTF-8; edit it by hand"
            )));
        }
        new.extend_from_slice(between);
        new.extend_from_slice(&edit.new);
        at = end;
    }
    new.extend_from_slice(bytes.get(at..).unwrap_or_default());
    let entry = FileEntry {
        path: change.path.clone(),
        real_path,
        after: hash(&new),
        before,
        mode: metadata.mode() & 0o7777,
        backup: PathBuf::new(),
    };
    Ok((entry, new))
}

/// The same for a file that comes to be: in a directory that is there, and readable for all.
fn examine_new(change: &Change, roots: &[PathBuf]) -> Result<(FileEntry, Vec<u8>), Refused> {
    let shown = change.path.display();
    let (Some(directory), Some(name)) = (change.path.parent(), change.path.file_name()) else {
        return Err(Refused(format!("{shown} is no path of a file")));
    };
    let directory = fs::canonicalize(directory).map_err(|error| Refused::io(format!("{shown} has no directory"), &error))?;
    let inside = |root: &PathBuf| fs::canonicalize(root).is_ok_and(|root| directory.starts_with(root));
    if !roots.iter().any(inside) {
        return Err(Refused(format!("{shown} would lie outside of what was shown")));
    }
    let real_path = directory.join(name);
    if fs::symlink_metadata(&real_path).is_ok() {
        return Err(Refused(format!("{shown} has come to be since it was looked for; run it again")));
    }
    let new: Vec<u8> = change.edits.iter().flat_map(|edit| edit.new.clone()).collect();
    let entry = FileEntry {
        path: change.path.clone(),
        real_path,
        before: String::new(),
        after: hash(&new),
        mode: 0o644,
        backup: PathBuf::new(),
    };
    Ok((entry, new))
}

/// The directories of a plan's files.
fn lock_directories(entry: &Entry) -> Result<Vec<File>, Refused> {
    let mut directories: Vec<&Path> = entry.files.iter().filter_map(|file| file.real_path.parent()).collect();
    directories.sort_unstable();
    directories.dedup();
    directories.into_iter().map(lock_directory).collect()
}

/// Nobody else replaces files in this directory, whatever state directory they use.
fn lock_directory(directory: &Path) -> Result<File, Refused> {
    let shown = directory.display();
    let file = File::open(directory).map_err(|error| Refused::io(format!("cannot open {shown}"), &error))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(fs::TryLockError::WouldBlock) => Err(Refused(format!("another `tlswhy fix` is changing files in {shown}"))),
        Err(fs::TryLockError::Error(error)) => Err(Refused::io(format!("cannot lock {shown}"), &error)),
    }
}
