use std::os::unix::fs::{PermissionsExt, symlink};
use std::sync::{Mutex, MutexGuard, PoisonError};

use tempfile::TempDir;

use super::*;

/// A command that is started elsewhere in this process holds its locks for a moment, until it has begun.
static ALONE: Mutex<()> = Mutex::new(());

struct Bench {
    _alone: MutexGuard<'static, ()>,
    folder: TempDir,
    state: StateDir,
}

const OLD: &[u8] = b"one\ntwo\nthree\n";
const NEW: &[u8] = b"one\n2\nthree\n";

impl Bench {
    fn new() -> Bench {
        let alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
        let folder = tempfile::tempdir().unwrap();
        let state = StateDir::at(&folder.path().join("state")).unwrap();
        fs::create_dir(folder.path().join("etc")).unwrap();
        Bench { _alone: alone, folder, state }
    }

    fn path(&self, name: &str) -> PathBuf {
        fs::canonicalize(self.folder.path()).unwrap().join("etc").join(name)
    }

    fn file(&self, name: &str) -> PathBuf {
        let path = self.path(name);
        fs::write(&path, OLD).unwrap();
        path
    }

    fn read(&self, name: &str) -> Vec<u8> {
        fs::read(self.path(name)).unwrap()
    }

    fn plan(&self, names: &[&str]) -> Plan {
        let edits = vec![Edit { start: 4, end: 7, old: b"two".to_vec(), new: b"2".to_vec() }];
        let change = |name: &&str| Change { path: self.path(name), expected: hash(OLD), edits: edits.clone() };
        Plan { changes: names.iter().map(change).collect(), roots: vec![self.path("")], ..Plan::default() }
    }

    /// Nothing but the files lies in their directory, and no plan is open.
    fn is_clean(&self, names: &[&str]) {
        let mut there: Vec<String> =
            fs::read_dir(self.path("")).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        there.sort();
        assert_eq!(there, names);
        assert!(list(&self.state).unwrap().iter().all(|entry| entry.step.is_an_end()));
    }
}

fn words(text: &str) -> Vec<String> {
    text.split(' ').map(str::to_owned).collect()
}

#[test]
fn a_file_that_comes_to_be_goes_again_when_it_is_taken_back() {
    let bench = Bench::new();
    bench.file("a");
    let mut plan = bench.plan(&["a"]);
    let edits = vec![Edit { start: 0, end: 0, old: Vec::new(), new: b"new\n".to_vec() }];
    plan.changes.push(Change { path: bench.path("b"), expected: String::new(), edits });
    let mut session = Session::begin(&bench.state, &plan).unwrap();
    assert_eq!(session.backups().len(), 1);
    session.write().unwrap();
    assert_eq!((bench.read("a"), bench.read("b")), (NEW.to_vec(), b"new\n".to_vec()));
    let restored = session.roll_back().unwrap();
    assert_eq!(restored.restored.len(), 2);
    bench.is_clean(&["a"]);
    // Kept, then undone.
    let mut session = Session::begin(&bench.state, &plan).unwrap();
    session.write().unwrap();
    session.keep().unwrap();
    assert!(Session::begin(&bench.state, &plan).is_err(), "it is there by now");
    undo(&bench.state, None).unwrap();
    bench.is_clean(&["a"]);
    // After a crash in the middle.
    let mut session = Session::begin(&bench.state, &plan).unwrap();
    session.write().unwrap();
    drop(session);
    recover(&bench.state).unwrap();
    bench.is_clean(&["a"]);
    assert_eq!(bench.read("a"), OLD);
}

#[test]
fn what_is_kept_stays_and_can_be_undone_once() {
    let bench = Bench::new();
    bench.file("a");
    fs::set_permissions(bench.path("a"), fs::Permissions::from_mode(0o640)).unwrap();
    let mut session = Session::begin(&bench.state, &bench.plan(&["a"])).unwrap();
    assert_eq!(fs::read(&session.backups()[0]).unwrap(), OLD);
    assert_eq!(fs::metadata(&session.backups()[0]).unwrap().permissions().mode() & 0o777, 0o600);
    session.write().unwrap();
    session.keep().unwrap();
    assert_eq!(bench.read("a"), NEW);
    assert_eq!(fs::metadata(bench.path("a")).unwrap().permissions().mode() & 0o777, 0o640);
    assert!(recover(&bench.state).unwrap().is_empty());
    let undone = undo(&bench.state, None).unwrap();
    assert_eq!(undone.restored, [bench.path("a")]);
    assert_eq!(bench.read("a"), OLD);
    assert!(undo(&bench.state, None).is_err());
    bench.is_clean(&["a"]);
}

/// A session that is dropped leaves on disk what a crash at that moment leaves.
#[test]
fn a_crash_after_any_step_leaves_whole_files_and_is_taken_back() {
    let names = ["a", "b", "c"];
    for files in 1..=names.len() {
        let names = &names[..files];
        // Steps: begun, journal says writing, new ones prepared, after each file, written, checked, reloading.
        for crash in 0..files + 6 {
            let bench = Bench::new();
            names.iter().for_each(|name| drop(bench.file(name)));
            let mut session = Session::begin(&bench.state, &bench.plan(names)).unwrap();
            let mut left = crash;
            let mut goes_on = || {
                let on = left > 0;
                left = left.saturating_sub(1);
                on
            };
            if goes_on() {
                session.journal.step(Step::Writing).unwrap();
                if goes_on() {
                    session.prepare().unwrap();
                }
                for place in 0..files {
                    if goes_on() {
                        session.write_one(place).unwrap();
                    }
                }
                if goes_on() {
                    session.journal.step(Step::Written).unwrap();
                }
                if goes_on() {
                    session.check().unwrap();
                }
                if goes_on() {
                    session.reload().unwrap();
                }
            }
            // A half-written file of the moment before the rename.
            let entry = &session.journal.entry;
            fs::write(bench.path(&format!(".a.tlswhy-{}", entry.id)), b"on").unwrap();
            drop(session);
            for name in names {
                let bytes = bench.read(name);
                assert!(bytes == OLD || bytes == NEW, "{crash}: {name} is not whole");
            }
            assert!(Session::begin(&bench.state, &bench.plan(&["a"])).unwrap_err().0.contains("--recover"));
            assert_eq!(recover(&bench.state).unwrap().len(), 1, "{crash}");
            for name in names {
                assert_eq!(bench.read(name), OLD, "{crash}: {name}");
            }
            bench.is_clean(names);
            assert!(recover(&bench.state).unwrap().is_empty());
        }
    }
}

/// What a power cut may leave of a journal or a copy on a disk that does not do as it was told.
#[test]
fn a_journal_or_a_copy_cut_anywhere_is_never_acted_upon() {
    let bench = Bench::new();
    bench.file("a");
    let mut session = Session::begin(&bench.state, &bench.plan(&["a"])).unwrap();
    session.write().unwrap();
    let (journal, copy) = (session.journal.directory.join("journal.json"), session.backups().remove(0));
    drop(session);
    for (path, says) in [(&journal, "journal.json cannot be read"), (&copy, "is not what was kept")] {
        let whole = fs::read(path).unwrap();
        for end in 0..whole.len() {
            fs::write(path, whole.get(..end).unwrap()).unwrap();
            let error = recover(&bench.state).unwrap_err();
            assert!(error.0.contains(says), "{end}: {}", error.0);
            assert_eq!(bench.read("a"), NEW, "{end}");
        }
        fs::write(path, whole).unwrap();
    }
    // A plan whose journal was never put in its place never began.
    let never = bench.state.path().join("20260101T000000-1");
    fs::create_dir(&never).unwrap();
    fs::write(never.join("journal.json.new"), b"{\"form").unwrap();
    assert_eq!(recover(&bench.state).unwrap().len(), 1);
    assert_eq!(bench.read("a"), OLD);
    bench.is_clean(&["a"]);
}

#[test]
fn what_was_changed_after_the_fix_is_not_undone() {
    let bench = Bench::new();
    bench.file("a");
    bench.file("b");
    let mut session = Session::begin(&bench.state, &bench.plan(&["a", "b"])).unwrap();
    session.write().unwrap();
    session.keep().unwrap();
    fs::write(bench.path("b"), b"edited later").unwrap();
    let error = undo(&bench.state, None).unwrap_err().0;
    assert!(error.contains(bench.path("b").to_str().unwrap()) && error.contains("changed after the fix"), "{error}");
    // Not even the file that could be: half of a fix is none.
    assert_eq!((bench.read("a"), bench.read("b")), (NEW.to_vec(), b"edited later".to_vec()));
    fs::remove_file(bench.path("b")).unwrap();
    assert!(undo(&bench.state, None).unwrap_err().0.contains("is gone"));
    fs::write(bench.path("b"), NEW).unwrap();
    assert_eq!(undo(&bench.state, None).unwrap().restored.len(), 2);
    bench.is_clean(&["a", "b"]);
}

#[test]
fn nothing_is_undone_while_another_is_unfinished() {
    let bench = Bench::new();
    bench.file("a");
    bench.file("b");
    let mut session = Session::begin(&bench.state, &bench.plan(&["a"])).unwrap();
    session.write().unwrap();
    session.keep().unwrap();
    let mut session = Session::begin(&bench.state, &bench.plan(&["b"])).unwrap();
    session.write().unwrap();
    drop(session);
    assert!(undo(&bench.state, None).unwrap_err().0.contains("--recover"));
    assert!(may_begin(&bench.state).unwrap_err().0.contains("--recover"));
    recover(&bench.state).unwrap();
    assert_eq!((bench.read("a"), bench.read("b")), (NEW.to_vec(), OLD.to_vec()));
}

/// An access control list as the kernel takes it (acl(5)): one user of a number beside owner, group and others.
fn list_for(user: u32, permissions: u16) -> Vec<u8> {
    const NONE: u32 = u32::MAX;
    let entries = [(0x01, 6, NONE), (0x02, permissions, user), (0x04, 0, NONE), (0x10, permissions, NONE), (0x20, 0, NONE)];
    let mut list = 2_u32.to_le_bytes().to_vec();
    for (tag, permissions, id) in entries {
        list.extend(u16::to_le_bytes(tag));
        list.extend(u16::to_le_bytes(permissions));
        list.extend(u32::to_le_bytes(id));
    }
    list
}

#[test]
fn access_lists_and_attributes_stay_and_none_is_gained() {
    use rustix::fs::{XattrFlags, getxattr, setxattr};
    const ACL: &str = "system.posix_acl_access";
    let get = |path: &Path, name: &str| {
        let mut value = [0; 256];
        getxattr(path, name, &mut value[..]).map(|length| value[..length].to_vec())
    };
    let bench = Bench::new();
    let (listed, plain) = (bench.file("listed"), bench.file("plain"));
    let set = |path: &Path, name: &str, value: &[u8]| setxattr(path, name, value, XattrFlags::empty());
    if let Err(error) = set(&listed, ACL, &list_for(4321, 4)).and(set(&listed, "user.label", b"kept")) {
        println!("skipped: no extended attributes here ({error})");
        return;
    }
    // What the directory gives to new files must not open the one that has no list.
    set(&bench.path(""), "system.posix_acl_default", &list_for(1234, 6)).unwrap();
    for (path, mode) in [(&listed, 0o640), (&plain, 0o644)] {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    }
    let mut session = Session::begin(&bench.state, &bench.plan(&["listed", "plain"])).unwrap();
    session.write().unwrap();
    session.keep().unwrap();
    for undone in [false, true] {
        assert_eq!(get(&listed, ACL).unwrap(), list_for(4321, 4));
        assert_eq!(get(&listed, "user.label").unwrap(), b"kept");
        assert_eq!(get(&plain, ACL), Err(rustix::io::Errno::NODATA));
        for (path, mode) in [(&listed, 0o640), (&plain, 0o644)] {
            assert_eq!(fs::metadata(path).unwrap().permissions().mode() & 0o7777, mode);
        }
        assert_eq!(bench.read("listed"), if undone { OLD } else { NEW });
        if !undone {
            undo(&bench.state, None).unwrap();
        }
    }
}

#[test]
fn a_mode_that_was_tightened_meanwhile_is_not_widened_again() {
    let bench = Bench::new();
    bench.file("a");
    let mut session = Session::begin(&bench.state, &bench.plan(&["a"])).unwrap();
    session.write().unwrap();
    session.keep().unwrap();
    fs::set_permissions(bench.path("a"), fs::Permissions::from_mode(0o600)).unwrap();
    undo(&bench.state, None).unwrap();
    assert_eq!(fs::metadata(bench.path("a")).unwrap().permissions().mode() & 0o777, 0o600);
}

#[test]
fn what_changed_since_it_was_read_is_refused() {
    let bench = Bench::new();
    bench.file("a");
    fs::write(bench.path("a"), b"other").unwrap();
    let error = Session::begin(&bench.state, &bench.plan(&["a"])).unwrap_err();
    assert!(error.0.contains("has changed since it was read"), "{}", error.0);
    bench.is_clean(&["a"]);
}

#[test]
fn what_somebody_changes_meanwhile_is_left_alone() {
    let bench = Bench::new();
    bench.file("a");
    bench.file("b");
    let mut session = Session::begin(&bench.state, &bench.plan(&["a", "b"])).unwrap();
    session.prepare().unwrap();
    session.write_one(0).unwrap();
    fs::write(bench.path("b"), b"other").unwrap();
    assert!(session.write().is_err());
    let restored = session.roll_back().unwrap();
    assert_eq!(restored.restored, [bench.path("a")]);
    assert_eq!(restored.left_alone.len(), 1);
    assert_eq!((bench.read("a"), bench.read("b")), (OLD.to_vec(), b"other".to_vec()));
    bench.is_clean(&["a", "b"]);
}

#[test]
fn links_are_followed_within_what_was_shown_and_not_out_of_it() {
    let bench = Bench::new();
    bench.file("real");
    symlink(bench.path("real"), bench.path("link")).unwrap();
    let mut session = Session::begin(&bench.state, &bench.plan(&["link"])).unwrap();
    session.write().unwrap();
    session.keep().unwrap();
    assert_eq!(bench.read("real"), NEW);
    assert!(fs::symlink_metadata(bench.path("link")).unwrap().is_symlink());

    let outside = bench.folder.path().join("outside");
    fs::write(&outside, OLD).unwrap();
    symlink(&outside, bench.path("away")).unwrap();
    let error = Session::begin(&bench.state, &bench.plan(&["away"])).unwrap_err();
    assert!(error.0.contains("outside of what was shown"), "{}", error.0);
    fs::hard_link(bench.path("real"), bench.path("twin")).unwrap();
    let mut plan = bench.plan(&["twin"]);
    plan.changes[0].expected = hash(NEW);
    assert!(Session::begin(&bench.state, &plan).unwrap_err().0.contains("hard links"));
}

#[test]
fn secrets_that_were_masked_are_not_written_over() {
    let bench = Bench::new();
    bench.file("a");
    let mut plan = bench.plan(&["a"]);
    plan.changes[0].edits[0].old = b"***".to_vec();
    assert!(Session::begin(&bench.state, &plan).unwrap_err().0.contains("secret"));
    let mut plan = bench.plan(&["a"]);
    let twice = plan.changes[0].edits[0].clone();
    plan.changes[0].edits.push(twice);
    assert!(Session::begin(&bench.state, &plan).unwrap_err().0.contains("overlap"));
}

#[test]
fn two_runs_at_once_exclude_each_other() {
    let bench = Bench::new();
    bench.file("a");
    let session = Session::begin(&bench.state, &bench.plan(&["a"])).unwrap();
    assert!(Session::begin(&bench.state, &bench.plan(&["a"])).unwrap_err().0.contains("at work"));
    // Another state directory, the same file.
    let other = StateDir::at(&bench.folder.path().join("other")).unwrap();
    assert!(Session::begin(&other, &bench.plan(&["a"])).unwrap_err().0.contains("another `tlswhy fix`"));
    session.roll_back().unwrap();
    bench.is_clean(&["a"]);
}

#[test]
fn commands_run_without_a_shell_and_say_how_they_ended() {
    let bench = Bench::new();
    bench.file("a");
    let plan = Plan { check: words("echo $HOME; good"), reload: words("false"), ..bench.plan(&["a"]) };
    let mut session = Session::begin(&bench.state, &plan).unwrap();
    session.write().unwrap();
    let checked = session.check().unwrap().unwrap();
    assert!(checked.good && checked.said == "$HOME; good", "{checked:?}");
    assert!(!session.reload().unwrap().unwrap().good);
    let restored = session.roll_back().unwrap();
    // What the program may have read it has to read again.
    assert!(restored.reload.is_some());
    let plan = Plan { check: words("/none/such"), ..bench.plan(&["a"]) };
    let mut session = Session::begin(&bench.state, &plan).unwrap();
    assert!(session.check().unwrap().unwrap().said.contains("cannot run it"));
    assert!(session.roll_back().unwrap().reload.is_none());
}
