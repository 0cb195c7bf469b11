//! Network namespaces that end with the test: each is held by a process that the kernel ends with this one.

use std::fs;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::server::{StartError, is_root};

/// Account of an ordinary user: nobody.
pub const NOBODY: &str = "65534";

/// With whose rights a way is built.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rights {
    /// Root's.
    Root,
    /// An ordinary user's, in a user namespace.
    User,
}

/// A network namespace.
pub struct Namespace {
    holder: Child,
    /// The process that holds the user namespace, where there is one.
    user: Option<u32>,
}

impl Namespace {
    /// The first of a way.
    pub fn first(rights: Rights) -> Result<Namespace, StartError> {
        let mut command = Command::new("setpriv");
        command.args(["--pdeathsig", "KILL"]);
        match rights {
            Rights::Root if !is_root() => return Err(StartError::Missing("root, for network namespaces".into())),
            Rights::Root => command.args(["--", "unshare", "-n"]),
            Rights::User if is_root() => {
                command.args(["--reuid", NOBODY, "--regid", NOBODY, "--clear-groups", "--", "unshare", "-Urn"])
            }
            Rights::User => command.args(["--", "unshare", "-Urn"]),
        };
        let mut made = Namespace::held(command, None)?;
        made.user = (rights == Rights::User).then(|| made.holder.id());
        Ok(made)
    }

    /// One more, with the same rights.
    pub fn another(&self) -> Result<Namespace, StartError> {
        let mut command = self.with_its_rights();
        command.args(["unshare", "-n"]);
        Namespace::held(command, self.user)
    }

    /// The beginning of a command: with the rights of the way, in its user namespace.
    fn with_its_rights(&self) -> Command {
        let mut command = Command::new("setpriv");
        command.args(["--pdeathsig", "KILL"]);
        // Whoever made the user namespace is root there; our root is nobody.
        if self.user.is_some() && is_root() {
            command.args(["--reuid", NOBODY, "--regid", NOBODY, "--clear-groups"]);
        }
        command.arg("--");
        if let Some(user) = self.user {
            command.args(["nsenter", "-t", &user.to_string(), "-U", "--preserve-credentials"]);
        }
        command
    }

    fn held(mut command: Command, user: Option<u32>) -> Result<Namespace, StartError> {
        let ours = fs::read_link("/proc/self/ns/net").map_err(StartError::of)?;
        command.args(["sleep", "infinity"]).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
        let holder = command.spawn().map_err(StartError::of)?;
        let mut made = Namespace { holder, user };
        let began = Instant::now();
        while began.elapsed() < Duration::from_secs(5) {
            let is_there = fs::read_link(made.link()).is_ok_and(|theirs| theirs != ours);
            let sleeps = fs::read_to_string(format!("/proc/{}/comm", made.pid())).is_ok_and(|name| name.trim() == "sleep");
            if is_there && sleeps {
                return Ok(made);
            }
            if made.holder.try_wait().is_ok_and(|ended| ended.is_some()) {
                break;
            }
            std::thread::sleep(Duration::from_millis(2));
        }
        Err(StartError::Missing("the right to make network namespaces (root, or user namespaces)".into()))
    }

    fn link(&self) -> PathBuf {
        PathBuf::from(format!("/proc/{}/ns/net", self.pid()))
    }

    /// The process that holds it.
    pub fn pid(&self) -> u32 {
        self.holder.id()
    }

    /// A command that will run in it, and end with the thread that starts it.
    pub fn command(&self, program: &str) -> Command {
        let mut command = self.with_its_rights();
        command.args(["nsenter", &format!("--net={}", self.link().display()), program]);
        command
    }

    /// The same with no right at all.
    pub fn command_without_rights(&self, program: &str) -> Command {
        let mut command = self.command("setpriv");
        if self.user.is_none() {
            command.args(["--reuid", NOBODY, "--regid", NOBODY, "--clear-groups"]);
        }
        command.args(["--no-new-privs", "--inh-caps=-all", "--bounding-set=-all", "--", program]);
        command
    }

    /// Runs a shell script in it that must succeed.
    pub fn shell(&self, script: &str) -> Result<(), StartError> {
        let output = self.command("sh").args(["-ec", script]).output().map_err(StartError::of)?;
        if output.status.success() {
            return Ok(());
        }
        Err(StartError::Failed(format!("{script}: {}", String::from_utf8_lossy(&output.stderr).trim())))
    }
}

impl Drop for Namespace {
    fn drop(&mut self) {
        let _ = self.holder.kill();
        let _ = self.holder.wait();
    }
}
