//! `tlswhy fix --apply` where something stands in its way: files that cannot be written, another run, a service that is gone. Each
//! ends with one clear error, and nothing is half written.

use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use crate::crashes::arguments;
use crate::fixes::{self, NGINX_CHECK, NGINX_RELOAD};
use crate::server::{Lab, Server, StartError, is_root, shell};

/// Something that keeps files from being written.
#[derive(Clone, Copy, Debug)]
pub struct Hindrance {
    /// What it is.
    pub id: &'static str,
    /// Brings it about within a mount namespace of its own; `{dir}` is where the configuration lies, `{state}` where copies are kept.
    pub before: &'static str,
    /// Before the program, such as a command that takes rights away.
    pub under: &'static str,
    /// Takes it away, where it outlasts the namespace.
    pub after: &'static str,
    /// What the error must say.
    pub says: &'static str,
}

/// Every one.
pub const HINDRANCES: &[Hindrance] = &[
    Hindrance {
        id: "a file system that is mounted read-only",
        before: "mount --bind {dir} {dir} && mount -o remount,ro,bind {dir}",
        under: "",
        after: "",
        says: "mounted read-only",
    },
    Hindrance {
        id: "an immutable file",
        before: "chattr +i {dir}/leaf.pem",
        under: "",
        after: "chattr -i {dir}/leaf.pem",
        says: "leaf.pem: Operation not permitted (os error 1); it is immutable",
    },
    Hindrance {
        id: "a full disk below the configuration",
        before: "mkdir {state}/disk && mount -t tmpfs -o size=300k,mode=755 none {state}/disk && \
                 cp -a {dir}/nginx.conf {dir}/leaf.pem {dir}/rsa.pem {dir}/rsa.key {state}/disk && \
                 { dd if=/dev/zero of={state}/disk/filler bs=1k 2>/dev/null || true; } && mount --bind {state}/disk {dir}",
        under: "",
        after: "rmdir {state}/disk",
        says: "No space left on",
    },
    Hindrance {
        id: "a full disk below the copies",
        before: "mount -t tmpfs -o size=16k none {state} && { dd if=/dev/zero of={state}/filler bs=1k 2>/dev/null || true; }",
        under: "",
        after: "",
        says: "cannot keep copies",
    },
    Hindrance {
        id: "a user without rights",
        before: "chmod 755 {dir} && chmod 777 {state}",
        under: "setpriv --reuid 65534 --regid 65534 --clear-groups",
        after: "",
        says: "run it with rights on it",
    },
];

/// Applies a fix of two files against a hindrance; the lines say what was not as it must be.
pub fn hindered(lab: &Lab, binary: &Path, hindrance: &Hindrance) -> Result<Vec<String>, StartError> {
    if !is_root() {
        return Err(StartError::Missing("root, for mounts and rights".into()));
    }
    let server = fixes::nginx_with_two_faults(lab)?;
    let (dir, state) = (server.dir(), tempfile::tempdir().map_err(StartError::of)?);
    let kept = tempfile::tempdir().map_err(StartError::of)?;
    // A program that anybody may run: the tree that it was built in may be closed to others.
    let program = kept.path().join("tlswhy");
    fs::copy(binary, &program).map_err(StartError::of)?;
    shell(&format!("chmod 755 {0} {0}/tlswhy", kept.path().display()))?;
    let fill =
        |text: &str| text.replace("{dir}", &dir.display().to_string()).replace("{state}", &state.path().display().to_string());
    // What is left is looked at from within: with the namespace its mounts go.
    let script = format!(
        "{} || exit 99\n{} \"$@\"\nstatus=$?\ncp -a {{dir}} {}/dir\nexit $status",
        hindrance.before,
        hindrance.under,
        kept.path().display()
    );
    let output = Command::new("unshare")
        .args(["--mount", "--propagation", "private", "sh", "-c", &fill(&script), "sh"])
        .arg(&program)
        .args(arguments(lab, &server, NGINX_CHECK))
        .env("TLSWHY_STATE_DIR", state.path())
        .output()
        .map_err(StartError::of)?;
    let said = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    if output.status.code() == Some(99) {
        return Err(StartError::Missing(format!("way to make {}: {said}", hindrance.id)));
    }
    let mut wrong = Vec::new();
    if output.status.code() != Some(2) || !said.contains(hindrance.says) {
        wrong.push(format!("it ends with {:?}: {said}", output.status.code()));
    }
    for name in ["nginx.conf", "leaf.pem"] {
        let (there, now) = (fs::read(dir.join(name)), fs::read(kept.path().join("dir").join(name)));
        let same = there.is_ok_and(|there| now.is_ok_and(|now| there == now));
        if !same {
            wrong.push(format!("{name} is not what it was"));
        }
    }
    wrong.extend(fixes::leftovers(&kept.path().join("dir"))?.into_iter().map(|name| format!("left behind: {name}")));
    if !hindrance.after.is_empty() {
        shell(&fill(hindrance.after))?;
    }
    Ok(wrong)
}

/// A run while another is at work; the lines say what was not as it must be.
pub fn two_at_once(lab: &Lab, binary: &Path) -> Result<Vec<String>, StartError> {
    let server = fixes::nginx_with_two_faults(lab)?;
    let (state, other) = (tempfile::tempdir().map_err(StartError::of)?, tempfile::tempdir().map_err(StartError::of)?);
    let dir = server.dir().display().to_string();
    shell(&format!(
        "printf '#!/bin/sh\\ntouch {dir}/held\\nwhile [ ! -e {dir}/go ]; do sleep 0.05; done\\n' > {dir}/hold && chmod 755 {dir}/hold"
    ))?;
    let start = |check: &str, further: &[&str], state: &Path| -> Result<Child, StartError> {
        let mut command = Command::new(binary);
        command.args(arguments(lab, &server, check)).args(further).env("TLSWHY_STATE_DIR", state);
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().map_err(StartError::of)
    };
    let first = start("{dir}/hold", &[], state.path())?;
    for _ in 0..600 {
        if server.dir().join("held").exists() {
            break;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    let mut wrong = Vec::new();
    for (what, run, says) in [
        ("another", start(NGINX_CHECK, &[], state.path())?, "another `tlswhy fix` is at work"),
        // The first has replaced the files: what it does is not to be done any more, something else is.
        (
            "another with a state of its own",
            start(NGINX_CHECK, &["--to", "modern"], other.path())?,
            "another `tlswhy fix` is changing files",
        ),
        ("--recover", earlier(binary, state.path(), "--recover")?, "another `tlswhy fix` is at work"),
        ("--undo", earlier(binary, state.path(), "--undo")?, "another `tlswhy fix` is at work"),
    ] {
        let (status, said) = ends(run)?;
        if status != Some(2) || !said.contains(says) {
            wrong.push(format!("{what} ends with {status:?}: {said}"));
        }
    }
    fs::write(server.dir().join("go"), "").map_err(StartError::of)?;
    let (status, said) = ends(first)?;
    if status != Some(0) {
        wrong.push(format!("the first ends with {status:?}: {said}"));
    }
    Ok(wrong)
}

/// A fix is undone whose service is gone: the files come back, and it is said that nobody read them.
pub fn undone_without_its_service(lab: &Lab, binary: &Path) -> Result<Vec<String>, StartError> {
    let server = fixes::nginx_with_two_faults(lab)?;
    let state = tempfile::tempdir().map_err(StartError::of)?;
    let main = server.dir().join("nginx.conf");
    let before = fs::read(&main).map_err(StartError::of)?;
    let mut command = Command::new(binary);
    command.args(arguments(lab, &server, NGINX_CHECK)).env("TLSWHY_STATE_DIR", state.path());
    let applied = command.output().map_err(StartError::of)?;
    stop(&server)?;
    let (status, said) = ends(earlier(binary, state.path(), "--undo")?)?;
    let mut wrong = Vec::new();
    if applied.status.code() != Some(0) {
        wrong.push(format!("it was not applied: {}", String::from_utf8_lossy(&applied.stdout)));
    }
    if status != Some(1) || !said.contains("Failed ") || !said.contains("reload it by hand") {
        wrong.push(format!("--undo ends with {status:?}: {said}"));
    }
    if fs::read(&main).map_err(StartError::of)? != before {
        wrong.push("the file is not what it was".to_owned());
    }
    let (status, said) = ends(earlier(binary, state.path(), "--recover")?)?;
    if status != Some(0) || !said.contains("no fix was left unfinished") {
        wrong.push(format!("--recover ends with {status:?}: {said}"));
    }
    Ok(wrong)
}

/// Ends nginx by its own command.
fn stop(server: &Server) -> Result<(), StartError> {
    let command = NGINX_RELOAD.replace("-s reload", "-s stop").replace("{dir}", &server.dir().display().to_string());
    shell(&command)?;
    for _ in 0..100 {
        if !server.dir().join("nginx.pid").exists() {
            return Ok(());
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    Err(StartError::Failed("nginx does not stop".to_owned()))
}

fn earlier(binary: &Path, state: &Path, option: &str) -> Result<Child, StartError> {
    let mut command = Command::new(binary);
    command.args(["fix", option]).env("TLSWHY_STATE_DIR", state);
    command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().map_err(StartError::of)
}

fn ends(run: Child) -> Result<(Option<i32>, String), StartError> {
    let output = run.wait_with_output().map_err(StartError::of)?;
    let said = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    Ok((output.status.code(), said))
}
