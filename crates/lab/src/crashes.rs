//! `tlswhy fix --apply` interrupted before each of its steps on disk: killed, or the step refused as by a full disk. What is left is
//! whole each time, and `--recover` or `--undo` brings back what was.
//!
//! The interruptions come from outside, by the injection of strace(1): the program has no hook for them.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use crate::fixes;
use crate::server::{Lab, Server, StartError};

/// What happens to a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Interruption {
    /// The process dies before it, as by `kill -9`.
    Killed,
    /// It fails for want of space.
    NoSpace,
}

/// The system calls by which the state on the disk goes on, as strace names and counts them. Which one renames depends on the machine.
const STEPS: [&str; 2] = ["fsync", "?rename,?renameat,?renameat2"];
/// More steps of one kind than a fix of two files has.
const MOST: usize = 100;

impl Interruption {
    fn injected(self, steps: &str, at: usize) -> String {
        let what = match self {
            Interruption::Killed => "signal=KILL",
            Interruption::NoSpace => "error=ENOSPC",
        };
        format!("inject={steps}:{what}:when={at}")
    }
}

/// A broken nginx whose fix changes two files.
struct Bench<'l> {
    lab: &'l Lab,
    binary: &'l Path,
    server: Server,
    files: [PathBuf; 2],
    old: [Vec<u8>; 2],
    new: [Vec<u8>; 2],
    state: tempfile::TempDir,
}

/// Interrupts it at the first step of a kind, at the second, and so on until one goes through; says how many there were, and what was
/// not as it must be.
pub fn interrupted_everywhere(lab: &Lab, binary: &Path, by: Interruption) -> Result<(usize, Vec<String>), StartError> {
    if Command::new("strace").arg("-V").output().is_err() {
        return Err(StartError::Missing("strace".to_owned()));
    }
    let bench = Bench::new(lab, binary)?;
    let (mut count, mut wrong) = (0, Vec::new());
    for steps in STEPS {
        for at in 1..MOST {
            let (through, lines) = bench.interrupted(by, steps, at)?;
            wrong.extend(lines.into_iter().map(|line| format!("{by:?} at {steps} {at}: {line}")));
            if through {
                break;
            }
            count += 1;
        }
    }
    Ok((count, wrong))
}

impl<'l> Bench<'l> {
    /// The fix is done once without interruption, and undone.
    fn new(lab: &'l Lab, binary: &'l Path) -> Result<Bench<'l>, StartError> {
        let server = fixes::nginx_with_two_faults(lab)?;
        let files = ["nginx.conf", "leaf.pem"].map(|name| server.dir().join(name));
        let state = tempfile::tempdir().map_err(StartError::of)?;
        let mut bench = Bench { lab, binary, server, files, old: Default::default(), new: Default::default(), state };
        bench.old = bench.content()?;
        let (status, said) = bench.ends(Command::new(binary).args(arguments(lab, &bench.server, fixes::NGINX_CHECK)))?;
        bench.new = bench.content()?;
        let both = bench.old.iter().zip(&bench.new).all(|(old, new)| old != new);
        let (undone, _) = bench.tlswhy(&["fix", "--undo"])?;
        if status != Some(0) || !both || undone != Some(0) || !bench.serves_as_before()? {
            return Err(StartError::Failed(format!("without interruption: {status:?}: {said}")));
        }
        Ok(bench)
    }

    /// One interruption. Whether there was no such step any more, and what was not as it must be.
    fn interrupted(&self, by: Interruption, steps: &str, at: usize) -> Result<(bool, Vec<String>), StartError> {
        let log = self.server.dir().join("strace.log");
        let mut command = Command::new("strace");
        command.args(["-o", &log.display().to_string(), "-e", &format!("trace={steps}"), "-e", &by.injected(steps, at)]);
        let (status, said) = self.ends(command.arg(self.binary).args(arguments(self.lab, &self.server, fixes::NGINX_CHECK)))?;
        let met = fs::read_to_string(&log).map_err(StartError::of)?;
        let met = met.contains("(INJECTED)") || met.contains("killed by SIGKILL");
        let mut wrong = Vec::new();
        let mut expect = |good: bool, what: String| {
            if !good {
                wrong.push(what);
            }
        };
        let now = self.now()?;
        // Whole: each is one of the two that it may be, whatever the other is.
        expect(now.iter().all(Option::is_some), "a file is neither what it was nor what it was to be".to_owned());
        expect(self.nginx_takes_it()?, "nginx does not take what was left".to_owned());
        if !met {
            expect(status == Some(0) && now == [Some(true); 2], format!("it went through with {status:?}: {said}"));
        }
        let (status, said) = self.tlswhy(&["fix", "--recover"])?;
        expect(status == Some(0), format!("--recover ends with {status:?}: {said}"));
        let now = self.now()?;
        let done = now == [Some(true); 2] && (!met || said.contains("no fix was left unfinished"));
        expect(now == [Some(false); 2] || done, format!("after --recover the files are {now:?}: {said}"));
        let (status, said) = self.tlswhy(&["fix", "--recover"])?;
        expect(
            status == Some(0) && said.contains("no fix was left unfinished"),
            format!("--recover again: {status:?}: {said}"),
        );
        if done {
            let (status, said) = self.tlswhy(&["fix", "--undo"])?;
            expect(status == Some(0), format!("--undo ends with {status:?}: {said}"));
        }
        expect(self.now()? == [Some(false); 2], "not everything is as it was".to_owned());
        expect(self.leftovers()?.is_empty(), format!("left behind: {:?}", self.leftovers()?));
        expect(self.serves_as_before()?, "the server does not serve as before".to_owned());
        Ok((!met, wrong))
    }

    fn tlswhy(&self, arguments: &[&str]) -> Result<(Option<i32>, String), StartError> {
        self.ends(Command::new(self.binary).args(arguments))
    }

    fn ends(&self, command: &mut Command) -> Result<(Option<i32>, String), StartError> {
        let output = command.env("TLSWHY_STATE_DIR", self.state.path()).output().map_err(StartError::of)?;
        let said = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        Ok((output.status.code(), said))
    }

    fn content(&self) -> Result<[Vec<u8>; 2], StartError> {
        let read = |path: &PathBuf| fs::read(path).map_err(StartError::of);
        Ok([read(&self.files[0])?, read(&self.files[1])?])
    }

    /// For each file: `false` as it was, `true` as it was to be, `None` neither.
    fn now(&self) -> Result<[Option<bool>; 2], StartError> {
        let content = self.content()?;
        let is = |at: usize| {
            let was = (content[at] == self.old[at]).then_some(false);
            was.or_else(|| (content[at] == self.new[at]).then_some(true))
        };
        Ok([is(0), is(1)])
    }

    /// Whether the server comes to refuse the client again, time after time: for a moment after a reload others may still answer.
    fn serves_as_before(&self) -> Result<bool, StartError> {
        let mut refused = 0;
        for _ in 0..50 {
            refused = if fixes::works(&self.server, self.lab, "")? { 0 } else { refused + 1 };
            if refused == 4 {
                return Ok(true);
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        Ok(false)
    }

    fn nginx_takes_it(&self) -> Result<bool, StartError> {
        let command = fixes::NGINX_CHECK.replace("{dir}", &self.server.dir().display().to_string());
        let mut words = command.split(' ');
        let output = Command::new(words.next().unwrap_or_default()).args(words).output().map_err(StartError::of)?;
        Ok(output.status.success())
    }

    fn leftovers(&self) -> Result<Vec<String>, StartError> {
        fixes::leftovers(&self.server.dir())
    }
}

/// The arguments that apply the fix of [`fixes::nginx_with_two_faults`]; `check` validates.
pub(crate) fn arguments(lab: &Lab, server: &Server, check: &str) -> Vec<String> {
    let (dir, pki) = (server.dir().display().to_string(), lab.pki.display().to_string());
    let target = format!("127.0.0.1:{}", server.port);
    let fixed = "--server-config {dir}/nginx.conf --ca {pki}/ca.pem --known {pki}/intermediate.pem \
                 --assume nginx=1.22.1 --assume openssl=3.0.19 --apply";
    let named = ["fix", &target, "--sni", fixes::NAME, "--check-command", check, "--reload-command", fixes::NGINX_RELOAD];
    let all = named.into_iter().chain(fixed.split_whitespace());
    all.map(|text| text.replace("{dir}", &dir).replace("{pki}", &pki)).collect()
}
