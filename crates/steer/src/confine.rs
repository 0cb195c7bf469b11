//! The side of the command: the filter, and how its descriptor gets to the supervisor.

use std::fmt;
use std::io::{self, IoSlice};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd as _, OwnedFd, RawFd};
use std::os::unix::net::UnixStream;

use rustix::net::{SendAncillaryBuffer, SendAncillaryMessage, SendFlags, sendmsg};

use crate::sys;

/// Why connections cannot be steered here, one clause.
#[derive(Debug)]
pub struct Unsupported(pub String);

impl fmt::Display for Unsupported {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Unsupported {}

/// The architecture that the filter is for (`AUDIT_ARCH_…` of linux/audit.h).
#[cfg(target_arch = "x86_64")]
const ARCHITECTURE: u32 = 0xc000_003e;
#[cfg(target_arch = "aarch64")]
const ARCHITECTURE: u32 = 0xc000_00b7;
#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
const ARCHITECTURE: u32 = 0;

/// Offsets in `struct seccomp_data` (linux/seccomp.h).
const NUMBER: u32 = 0;
const ARCH: u32 = 4;

/// A pair of sockets: one for the supervisor, one that a child started now inherits under its number.
pub fn channel() -> io::Result<(UnixStream, UnixStream)> {
    let (ours, theirs) = UnixStream::pair()?;
    rustix::io::fcntl_setfd(&theirs, rustix::io::FdFlags::empty())?;
    Ok((ours, theirs))
}

/// The descriptor of this number, which this process was started with.
///
/// # Errors
/// There is none, or it is one of the three standard ones.
pub fn inherited(number: RawFd) -> io::Result<OwnedFd> {
    let channel = sys::inherited(number)?;
    rustix::io::fcntl_setfd(&channel, rustix::io::FdFlags::CLOEXEC)?;
    Ok(channel)
}

/// From here on each connect(2) of this process and its descendants is held for the supervisor at the other end of `channel`.
/// Programs that gain rights when they are started (setuid) gain none any more.
///
/// # Errors
/// Says why the system does not permit it; then nothing is held.
pub fn confine(channel: &OwnedFd) -> Result<(), Unsupported> {
    if ARCHITECTURE == 0 {
        return Err(Unsupported("it works on x86-64 and arm64 alone".to_owned()));
    }
    let refused = |what: &str, error: io::Error| Unsupported(format!("{what}: {error}"));
    rustix::thread::set_no_new_privs(true).map_err(|error| refused("no_new_privs is refused", error.into()))?;
    let listener = listener().map_err(|error| match error.raw_os_error() {
        Some(libc::EBUSY) => Unsupported("something else steers this process already".to_owned()),
        _ => refused("the kernel takes no seccomp filter with notifications", error),
    })?;
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut control = SendAncillaryBuffer::new(&mut space);
    let descriptors = [listener.as_fd()];
    control.push(SendAncillaryMessage::ScmRights(&descriptors));
    sendmsg(channel, &[IoSlice::new(&[1])], &mut control, SendFlags::NOSIGNAL)
        .map(drop)
        .map_err(|error| refused("the supervisor has gone", error.into()))
}

fn listener() -> io::Result<OwnedFd> {
    let filter = filter();
    let plain = libc::SECCOMP_FILTER_FLAG_NEW_LISTENER;
    // Linux 5.19 and later: a signal (Go preempts its threads by them) does not take a call back that is being answered.
    match sys::install(&filter, plain | libc::SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV) {
        Err(error) if error.raw_os_error() == Some(libc::EINVAL) => sys::install(&filter, plain),
        installed => installed,
    }
}

/// Holds connect(2) of our own architecture; everything else goes on.
fn filter() -> [libc::sock_filter; 6] {
    const LOAD: u32 = libc::BPF_LD | libc::BPF_W | libc::BPF_ABS;
    const EQUAL: u32 = libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K;
    const RETURN: u32 = libc::BPF_RET | libc::BPF_K;
    let step = |code: u32, jt, jf, k| libc::sock_filter { code: u16::try_from(code).unwrap_or(0), jt, jf, k };
    let connect = u32::try_from(libc::SYS_connect).unwrap_or(u32::MAX);
    [
        step(LOAD, 0, 0, ARCH),
        step(EQUAL, 0, 3, ARCHITECTURE),
        step(LOAD, 0, 0, NUMBER),
        step(EQUAL, 0, 1, connect),
        step(RETURN, 0, 0, libc::SECCOMP_RET_USER_NOTIF),
        step(RETURN, 0, 0, libc::SECCOMP_RET_ALLOW),
    ]
}
