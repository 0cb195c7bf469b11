//! The command: started confined, waited for, its signals passed on.

use std::ffi::{OsStr, OsString};
use std::io::{Read as _, Write as _};
use std::os::fd::{AsFd as _, AsRawFd as _};
use std::os::unix::net::UnixStream;
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::path::Path;
use std::process::{Command, ExitStatus, Stdio};

use tlswhy_steer::Supervisor;
use tokio::process::Child;
use tokio::signal::unix::{SignalKind, signal};

use crate::exit::Failure;

/// Exit statuses of env(1): the command cannot be run, it is not found.
const CANNOT_RUN: u8 = 126;
const NOT_FOUND: u8 = 127;
/// That of a process that could not confine itself, which never becomes the command.
const NOT_CONFINED: u8 = 125;

/// A command whose connections are held for us.
pub(super) struct Confined {
    pub(super) child: Child,
    pub(super) supervisor: Supervisor,
}

/// Why a command was not started confined.
pub(super) enum NotConfined {
    /// The system does not permit it.
    Unsupported(String),
    /// It could not be tried.
    Failed(Failure),
}

/// Starts a command, confined. Needs a runtime.
pub(super) fn start(command: &[OsString]) -> Result<Confined, NotConfined> {
    let cannot = |what: &str, error: std::io::Error| NotConfined::Failed(Failure::new(format!("{what}: {error}")));
    let (ours, theirs) = tlswhy_steer::channel().map_err(|error| cannot("no socket can be made", error))?;
    let myself = std::env::current_exe().map_err(|error| cannot("this program is not found", error))?;
    let mut starting = Command::new(myself);
    starting.arg("steered").arg(theirs.as_raw_fd().to_string()).arg("--").args(command);
    let child = tokio::process::Command::from(starting).spawn();
    let child = child.map_err(|error| cannot("the command cannot be started", error))?;
    // Else the end of the child would not be the end of the channel.
    drop(theirs);
    match Supervisor::receive(&ours) {
        Ok(Some(supervisor)) => Ok(Confined { child, supervisor }),
        Ok(None) => Err(NotConfined::Unsupported(unsupported(&ours))),
        Err(error) => Err(cannot("the command cannot be watched", error)),
    }
}

/// What the child said instead.
fn unsupported(mut channel: &UnixStream) -> String {
    let mut why = String::new();
    // A child that was killed says nothing.
    let _ = channel.read_to_string(&mut why);
    if why.is_empty() { "it ended before it began".to_owned() } else { why }
}

/// The hidden side of [`start`]: confines this process and becomes the command. Returns only where that fails.
pub(crate) fn become_steered(number: i32, command: &[OsString]) -> u8 {
    let Some((program, arguments)) = command.split_first() else { return CANNOT_RUN };
    let Ok(channel) = tlswhy_steer::inherited(number) else { return NOT_CONFINED };
    if let Err(why) = tlswhy_steer::confine(&channel) {
        // The supervisor, who reads a byte first, says it to the user; where it has gone there is nobody.
        let _ = UnixStream::from(channel).write_all(format!("\0{why}").as_bytes());
        return NOT_CONFINED;
    }
    drop(channel);
    let error = Command::new(program).args(arguments).exec();
    not_run(program, &error)
}

/// Says that a program could not be run; the exit status for it.
pub(super) fn not_run(program: &OsStr, error: &std::io::Error) -> u8 {
    Failure::new(format!("cannot run {}: {error}", Path::new(program).display())).print();
    if error.kind() == std::io::ErrorKind::NotFound { NOT_FOUND } else { CANNOT_RUN }
}

/// The hidden side of [`release`]: lets calls go on until nobody makes any.
pub(crate) fn keep_letting_go() -> u8 {
    let listener = std::io::stdin().as_fd().try_clone_to_owned();
    u8::from(listener.and_then(|listener| Supervisor::of(listener).let_go()).is_err())
}

/// What the command started and left behind goes on without us: a process of its own answers for its connections.
pub(super) fn release(supervisor: &Supervisor) -> std::io::Result<()> {
    let listener = supervisor.descriptor().try_clone_to_owned()?;
    let mut keeper = Command::new(std::env::current_exe()?);
    keeper.arg("let-go").stdin(Stdio::from(listener)).stdout(Stdio::null()).stderr(Stdio::null());
    keeper.process_group(0).spawn().map(drop)
}

/// Waits for the command. Signals that are sent to us are passed on; those of the terminal reach it by themselves.
pub(super) async fn wait(child: &mut Child) -> std::io::Result<ExitStatus> {
    let of_terminal = [SignalKind::interrupt(), SignalKind::quit()].map(signal);
    let of_us = [SignalKind::terminate(), SignalKind::hangup(), SignalKind::user_defined1(), SignalKind::user_defined2()];
    let mut passing = Vec::new();
    if let Some(id) = child.id() {
        for kind in of_us {
            let mut sent = signal(kind)?;
            passing.push(tokio::spawn(async move {
                while sent.recv().await.is_some() {
                    pass_on(id, kind);
                }
            }));
        }
    }
    let status = child.wait().await;
    passing.iter().for_each(tokio::task::JoinHandle::abort);
    drop(of_terminal);
    status
}

fn pass_on(id: u32, kind: SignalKind) {
    let process = i32::try_from(id).ok().and_then(rustix::process::Pid::from_raw);
    let signal = rustix::process::Signal::from_named_raw(kind.as_raw_value());
    if let (Some(process), Some(signal)) = (process, signal) {
        // It may have ended in the meantime.
        let _ = rustix::process::kill_process(process, signal);
    }
}

/// Whether an exit status is that of a command that could not be run, as shells and env(1) have it.
pub(super) fn was_not_run(code: u8) -> bool {
    matches!(code, NOT_CONFINED..=NOT_FOUND)
}

/// The status that a shell would see of the command.
pub(super) fn code(status: ExitStatus) -> u8 {
    let code = status.code().or_else(|| status.signal().map(|signal| 128 + signal)).unwrap_or(1);
    u8::try_from(code & 0xff).unwrap_or(1)
}
