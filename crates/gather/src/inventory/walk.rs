//! The files of a machine that may have TLS in them, found within bounds.

use std::collections::BTreeSet;
use std::fs::{self, DirEntry};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// Directories that are not looked into: they hold no files, or those of other machines and of a moment.
const NOT_INTO: &[&str] = &["proc", "sys", "dev", "run", "tmp", "var/tmp", "lost+found", "mnt", "media"];
/// File systems that lie on another machine, or show what lies elsewhere once more.
const ELSEWHERE: &[&str] =
    &["nfs", "nfs4", "cifs", "smb3", "9p", "overlay", "autofs", "proc", "sysfs", "tmpfs", "devtmpfs", "cgroup2"];
/// Most names in directories, and the longest time.
const MOST_ENTRIES: u64 = 5_000_000;
const LONGEST: Duration = Duration::from_secs(120);
/// How deep directories may lie in each other.
const DEEPEST: usize = 64;
/// No TLS library is smaller than this, in bytes, nor a program that has loaded one.
const SMALLEST: u64 = 4096;

/// What was found.
#[derive(Debug, Default)]
pub(super) struct Found {
    /// Files that may be programs or libraries.
    pub(super) files: Vec<PathBuf>,
    /// Names that were seen.
    pub(super) entries: u64,
    /// What was left out, and why.
    pub(super) left_out: Vec<String>,
}

/// Walks a tree; links are not followed.
pub(super) fn walk(root: &Path, is_this_machine: bool, began: Instant) -> Found {
    let mut found = Found::default();
    let not_into: BTreeSet<PathBuf> = match is_this_machine {
        true => NOT_INTO.iter().map(|name| root.join(name)).chain(mounted_elsewhere()).collect(),
        false => BTreeSet::new(),
    };
    let mut unreadable = 0u64;
    let mut open = vec![(root.to_owned(), 0)];
    while let Some((directory, depth)) = open.pop() {
        if found.entries > MOST_ENTRIES || began.elapsed() > LONGEST {
            found.left_out.push(format!(
                "all from {} on: more than {MOST_ENTRIES} names, or {} seconds",
                directory.display(),
                LONGEST.as_secs()
            ));
            break;
        }
        let Ok(entries) = fs::read_dir(&directory) else {
            unreadable += 1;
            continue;
        };
        for entry in entries.map_while(Result::ok) {
            found.entries += 1;
            let Ok(kind) = entry.file_type() else { continue };
            if kind.is_dir() {
                let path = entry.path();
                if depth < DEEPEST && !not_into.contains(&path) {
                    open.push((path, depth + 1));
                }
            } else if kind.is_file() && may_be_a_program(&entry) {
                found.files.push(entry.path());
            }
        }
    }
    if unreadable > 0 {
        found.left_out.push(format!("{unreadable} directories that may not be read"));
    }
    found.files.sort_unstable();
    found
}

/// Whether a file is large enough, and executable or called like a library.
fn may_be_a_program(entry: &DirEntry) -> bool {
    let name = entry.file_name();
    let name = name.to_string_lossy();
    let called_so = name.contains(".so") || name.ends_with(".node");
    entry.metadata().is_ok_and(|metadata| metadata.len() >= SMALLEST && (called_so || is_executable(&metadata)))
}

#[cfg(unix)]
fn is_executable(metadata: &fs::Metadata) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    metadata.mode() & 0o111 != 0
}

#[cfg(not(unix))]
fn is_executable(_: &fs::Metadata) -> bool {
    true
}

/// Where file systems of other machines are mounted (proc_pid_mountinfo(5)).
fn mounted_elsewhere() -> Vec<PathBuf> {
    let text = fs::read_to_string("/proc/self/mountinfo").unwrap_or_default();
    let of = |line: &str| {
        let (before, after) = line.split_once(" - ")?;
        let kind = after.split(' ').next()?;
        let is_elsewhere = ELSEWHERE.contains(&kind) || kind.starts_with("fuse");
        let point = before.split(' ').nth(4)?;
        (is_elsewhere && point != "/").then(|| PathBuf::from(point.replace("\\040", " ")))
    };
    text.lines().filter_map(of).collect()
}
