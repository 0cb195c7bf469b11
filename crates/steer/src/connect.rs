//! The side of the supervisor: held calls of connect(2), read and answered.

use std::fs::File;
use std::io::{self, IoSliceMut};
use std::mem::MaybeUninit;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::os::fd::{AsFd as _, BorrowedFd, OwnedFd};
use std::os::unix::fs::FileExt as _;
use std::os::unix::net::UnixStream;
use std::sync::Arc;

use rustix::event::{PollFd, PollFlags, poll};
use rustix::net::{
    AddressFamily, RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SocketType, connect, getsockname, recvmsg, sockopt,
};
use rustix::process::{Pid, PidfdFlags, PidfdGetfdFlags, pidfd_getfd, pidfd_open};

use crate::sys::{self, Answer, Notification};

/// `PIDFD_THREAD` (linux/pidfd.h): the caller's number is a thread's. Linux 6.9 and later; before, only that of a process's first
/// thread is taken.
const PIDFD_THREAD: u32 = libc::O_EXCL as u32;
/// The longest address that is read, in bytes: `struct sockaddr_in6`.
const LONGEST_ADDRESS: usize = 28;

/// Receives the held calls.
#[derive(Clone, Debug)]
pub struct Supervisor {
    listener: Arc<OwnedFd>,
}

/// A held connect(2) of a stream socket to an address of IPv4 or IPv6.
#[derive(Debug)]
pub struct Connect {
    supervisor: Supervisor,
    id: u64,
    /// The calling thread, by its number in /proc.
    pub thread: u32,
    /// Where it wants to connect to; an IPv4 address within IPv6 as IPv4.
    pub destination: SocketAddr,
    /// Whether its socket is of IPv6.
    pub is_ipv6: bool,
    socket: OwnedFd,
}

/// What came of leading a call elsewhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Led {
    /// The address of the caller's socket, by which it is known at the other end.
    pub local: SocketAddr,
}

impl Supervisor {
    /// Waits for the process that confines itself; `None` where it ended without.
    pub fn receive(channel: &UnixStream) -> io::Result<Option<Supervisor>> {
        let mut byte = [0];
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
        let mut control = RecvAncillaryBuffer::new(&mut space);
        recvmsg(channel, &mut [IoSliceMut::new(&mut byte)], &mut control, RecvFlags::CMSG_CLOEXEC)?;
        let mut received = control.drain().filter_map(|message| match message {
            RecvAncillaryMessage::ScmRights(descriptors) => Some(descriptors),
            _ => None,
        });
        let listener = received.next().and_then(|mut descriptors| descriptors.next());
        Ok(listener.map(Supervisor::of))
    }

    /// Goes on with a descriptor of another supervisor.
    pub fn of(listener: OwnedFd) -> Supervisor {
        Supervisor { listener: Arc::new(listener) }
    }

    /// The descriptor, for another supervisor.
    pub fn descriptor(&self) -> BorrowedFd<'_> {
        self.listener.as_fd()
    }

    /// Waits for the next call that can be steered; what cannot goes on as it is. `None` once no confined process is left.
    pub fn next(&self) -> io::Result<Option<Connect>> {
        loop {
            let mut watched = [PollFd::new(&*self.listener, PollFlags::IN)];
            match poll(&mut watched, None) {
                Err(rustix::io::Errno::INTR) => continue,
                ready => ready?,
            };
            if !watched[0].revents().contains(PollFlags::IN) {
                return Ok(None);
            }
            let notification = match sys::receive(self.listener.as_fd()) {
                Ok(notification) => notification,
                // The caller was killed, or the wait was interrupted.
                Err(error) if matches!(error.raw_os_error(), Some(libc::ENOENT | libc::EINTR)) => continue,
                Err(error) => return Err(error),
            };
            match self.read(notification) {
                Some(connect) => return Ok(Some(connect)),
                None => self.answer(notification.id, Answer::Continue)?,
            }
        }
    }

    /// Lets every call go on as it is, until no confined process is left.
    pub fn let_go(&self) -> io::Result<()> {
        while let Some(connect) = self.next()? {
            connect.allow()?;
        }
        Ok(())
    }

    /// `None` where the call is none of TCP, or cannot be looked into.
    fn read(&self, notification: Notification) -> Option<Connect> {
        let Notification { id, thread, arguments: [descriptor, address, length, ..] } = notification;
        let destination = read_address(thread, address, length)?;
        let process = Pid::from_raw(i32::try_from(thread).ok()?)?;
        let of_thread = pidfd_open(process, PidfdFlags::from_bits_retain(PIDFD_THREAD));
        let process = of_thread.or_else(|_| pidfd_open(process, PidfdFlags::empty())).ok()?;
        let socket = pidfd_getfd(&process, i32::try_from(descriptor).ok()?, PidfdGetfdFlags::empty()).ok()?;
        // Another process may have taken the number in the meantime.
        if !sys::is_held(self.listener.as_fd(), id) {
            return None;
        }
        if sockopt::socket_type(&socket).ok()? != SocketType::STREAM {
            return None;
        }
        let is_ipv6 = match sockopt::socket_domain(&socket).ok()? {
            AddressFamily::INET => false,
            AddressFamily::INET6 => true,
            _ => return None,
        };
        let ip = destination.ip().to_canonical();
        let destination = SocketAddr::new(ip, destination.port());
        Some(Connect { supervisor: self.clone(), id, thread, destination, is_ipv6, socket })
    }

    fn answer(&self, id: u64, answer: Answer) -> io::Result<()> {
        match sys::answer(self.listener.as_fd(), id, answer) {
            // The caller was killed in the meantime.
            Err(error) if error.raw_os_error() == Some(libc::ENOENT) => Ok(()),
            answered => answered,
        }
    }
}

impl Connect {
    /// The call goes on as if nobody had looked.
    pub fn allow(self) -> io::Result<()> {
        self.supervisor.answer(self.id, Answer::Continue)
    }

    /// Connects the caller's socket to `to` (of loopback) in the place of its destination, and tells it what came of that. `known`
    /// gets to know the socket's address before the caller goes on.
    pub fn lead_to(self, to: SocketAddr, known: impl FnOnce(Led)) -> io::Result<()> {
        let to = match (to.ip(), self.is_ipv6) {
            (IpAddr::V4(ip), true) => SocketAddr::new(ip.to_ipv6_mapped().into(), to.port()),
            _ => to,
        };
        let result = connect(&self.socket, &to);
        if matches!(result, Ok(()) | Err(rustix::io::Errno::INPROGRESS)) {
            let local = getsockname(&self.socket).and_then(SocketAddr::try_from);
            if let Ok(local) = local {
                known(Led { local: SocketAddr::new(local.ip().to_canonical(), local.port()) });
            }
        }
        let answer = match result {
            Ok(()) => Answer::Success,
            Err(error) => Answer::Error(error.raw_os_error()),
        };
        self.supervisor.answer(self.id, answer)
    }
}

/// The address that a caller gave, out of its memory.
fn read_address(thread: u32, address: u64, length: u64) -> Option<SocketAddr> {
    let mut bytes = [0; LONGEST_ADDRESS];
    let length = usize::try_from(length).ok()?.min(LONGEST_ADDRESS);
    let wanted = bytes.get_mut(..length)?;
    let memory = File::open(format!("/proc/{thread}/mem")).ok()?;
    memory.read_exact_at(wanted, address).ok()?;
    socket_address(wanted)
}

/// `struct sockaddr_in` or `sockaddr_in6`: family in the machine's order, port and address in the network's.
fn socket_address(bytes: &[u8]) -> Option<SocketAddr> {
    let family = u16::from_ne_bytes(*bytes.first_chunk()?);
    let port = u16::from_be_bytes(bytes.get(2..4)?.try_into().ok()?);
    if family == AddressFamily::INET.as_raw() {
        let ip: [u8; 4] = bytes.get(4..8)?.try_into().ok()?;
        return Some(SocketAddr::new(Ipv4Addr::from(ip).into(), port));
    }
    if family == AddressFamily::INET6.as_raw() {
        let ip: [u8; 16] = bytes.get(8..24)?.try_into().ok()?;
        return Some(SocketAddr::new(Ipv6Addr::from(ip).into(), port));
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read_as_the_kernel_has_them() {
        let mut v4 = [0; 16];
        v4[..2].copy_from_slice(&AddressFamily::INET.as_raw().to_ne_bytes());
        v4[2..8].copy_from_slice(&[1, 187, 192, 0, 2, 7]);
        assert_eq!(socket_address(&v4), Some("192.0.2.7:443".parse().unwrap()));
        let mut v6 = [0; 28];
        v6[..2].copy_from_slice(&AddressFamily::INET6.as_raw().to_ne_bytes());
        v6[2..4].copy_from_slice(&[1, 187]);
        v6[23] = 1;
        assert_eq!(socket_address(&v6), Some("[::1]:443".parse().unwrap()));
        for length in 0..8 {
            assert_eq!(socket_address(&v4[..length]), None);
        }
        assert_eq!(socket_address(&[1, 0, 47, 116, 109, 112, 0, 0]), None);
    }
}
