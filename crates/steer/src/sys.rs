//! The system calls that no library wraps. Everything unsafe of this project stands here.
#![allow(unsafe_code, reason = "seccomp(2) and the requests of its descriptor have no safe wrapper")]

use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsRawFd as _, BorrowedFd, FromRawFd as _, OwnedFd, RawFd};

/// One held system call.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Notification {
    /// Names it to the kernel.
    pub(crate) id: u64,
    /// The calling thread, as we see it.
    pub(crate) thread: u32,
    /// Its arguments.
    pub(crate) arguments: [u64; 6],
}

/// Installs a filter whose notifications come to the descriptor that is returned. The caller must have set no_new_privs.
pub(crate) fn install(filter: &[libc::sock_filter], flags: libc::c_ulong) -> io::Result<OwnedFd> {
    let length = u16::try_from(filter.len()).map_err(|_| io::ErrorKind::InvalidInput)?;
    let program = libc::sock_fprog { len: length, filter: filter.as_ptr().cast_mut() };
    // SAFETY: `program` and the filter that it points to live until the call returns, and the kernel only reads them.
    let descriptor = unsafe { libc::syscall(libc::SYS_seccomp, libc::SECCOMP_SET_MODE_FILTER, flags, &raw const program) };
    if descriptor < 0 {
        return Err(io::Error::last_os_error());
    }
    let descriptor = RawFd::try_from(descriptor).map_err(io::Error::other)?;
    // SAFETY: with SECCOMP_FILTER_FLAG_NEW_LISTENER the call returns a new descriptor that nobody else owns.
    Ok(unsafe { OwnedFd::from_raw_fd(descriptor) })
}

/// Waits for the next held call.
pub(crate) fn receive(listener: BorrowedFd<'_>) -> io::Result<Notification> {
    // The kernel refuses a request that is not all zeros.
    let mut notification = MaybeUninit::<libc::seccomp_notif>::zeroed();
    // SAFETY: the request writes one `seccomp_notif`, for which there is room.
    let result = unsafe { libc::ioctl(listener.as_raw_fd(), libc::SECCOMP_IOCTL_NOTIF_RECV, notification.as_mut_ptr()) };
    if result < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: zeros are a valid value of this struct of integers, and the kernel has filled it.
    let libc::seccomp_notif { id, pid, data, .. } = unsafe { notification.assume_init() };
    Ok(Notification { id, thread: pid, arguments: data.args })
}

/// What becomes of a held call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    /// The kernel carries it out as it is.
    Continue,
    /// It returns 0.
    Success,
    /// It fails with this error number.
    Error(i32),
}

/// Answers a held call.
pub(crate) fn answer(listener: BorrowedFd<'_>, id: u64, answer: Answer) -> io::Result<()> {
    let (error, flags) = match answer {
        Answer::Continue => (0, u32::try_from(libc::SECCOMP_USER_NOTIF_FLAG_CONTINUE).unwrap_or(1)),
        Answer::Success => (0, 0),
        Answer::Error(number) => (-number, 0),
    };
    let response = libc::seccomp_notif_resp { id, val: 0, error, flags };
    // SAFETY: the request reads one `seccomp_notif_resp`.
    let result = unsafe { libc::ioctl(listener.as_raw_fd(), libc::SECCOMP_IOCTL_NOTIF_SEND, &raw const response) };
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}

/// Whether the call is still held: what was read of the caller in the meantime is then its own.
pub(crate) fn is_held(listener: BorrowedFd<'_>, id: u64) -> bool {
    // SAFETY: the request reads one 64-bit number.
    unsafe { libc::ioctl(listener.as_raw_fd(), libc::SECCOMP_IOCTL_NOTIF_ID_VALID, &raw const id) == 0 }
}

/// Takes a descriptor that was inherited under this number.
pub(crate) fn inherited(number: RawFd) -> io::Result<OwnedFd> {
    // SAFETY: fcntl reads the flags of a descriptor, whether it exists or not.
    if number < 3 || unsafe { libc::fcntl(number, libc::F_GETFD) } < 0 {
        return Err(io::ErrorKind::InvalidInput.into());
    }
    // SAFETY: it exists, and the process was started with it for nobody but the caller of this function.
    Ok(unsafe { OwnedFd::from_raw_fd(number) })
}
