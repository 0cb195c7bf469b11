//! Sockets whose packets come only so far, and the words of the routers where they end. No right is needed for any of it.

use std::io::{self, IoSliceMut};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::os::fd::AsRawFd as _;
use std::time::{Duration, Instant};

use nix::sys::socket::sockopt::{Ipv4RecvErr, Ipv6RecvErr};
use nix::sys::socket::{ControlMessageOwned, MsgFlags, SockaddrIn, SockaddrIn6, SockaddrStorage, recvmsg, setsockopt};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::net::sockopt::{self, Ipv4PathMtuDiscovery, Ipv6PathMtuDiscovery};
use socket2::{Domain, Protocol, SockAddr, Socket as Raw, Type};
use tlswhy_model::{Bytes, PathAnswer, TcpState};

use super::tcp_state;

/// How much is kept of what comes.
const KEPT: usize = 64;
/// Room for a word of the error queue: `sock_extended_err` and a `sockaddr_in6` (linux/errqueue.h).
const ROOM: usize = 16 + 28;
/// The TTL of what shall reach its end, where the system's own is not known.
const FAR: u32 = 64;

/// A TCP or UDP socket.
pub(super) struct Socket {
    raw: Raw,
    to: SocketAddr,
    /// The system's own TTL.
    own_ttl: u32,
    ttl: Option<u8>,
}

impl Socket {
    /// For one connection from this port.
    pub(super) fn stream(to: SocketAddr, source_port: u16) -> io::Result<Socket> {
        Socket::new(to, source_port, Type::STREAM, Protocol::TCP)
    }

    /// For datagrams.
    pub(super) fn datagram(to: SocketAddr) -> io::Result<Socket> {
        Socket::new(to, 0, Type::DGRAM, Protocol::UDP)
    }

    fn new(to: SocketAddr, source_port: u16, kind: Type, protocol: Protocol) -> io::Result<Socket> {
        let raw = Raw::new(Domain::for_address(to), kind, Some(protocol))?;
        raw.set_nonblocking(true)?;
        // The same port for one connection after another.
        raw.set_reuse_address(true)?;
        match to {
            SocketAddr::V4(_) => setsockopt(&raw, Ipv4RecvErr, &true)?,
            SocketAddr::V6(_) => setsockopt(&raw, Ipv6RecvErr, &true)?,
        }
        raw.bind(&any(to, source_port).into())?;
        if kind == Type::STREAM {
            raw.set_tcp_nodelay(true)?;
        }
        let own_ttl = match to {
            SocketAddr::V4(_) => raw.ttl_v4(),
            SocketAddr::V6(_) => raw.unicast_hops_v6(),
        };
        Ok(Socket { raw, to, own_ttl: own_ttl.unwrap_or(FAR), ttl: None })
    }

    /// The address and port that it is bound to; the address is known once a connection was asked for.
    pub(super) fn source(&self) -> io::Result<SocketAddr> {
        let local = self.raw.local_addr()?;
        local.as_socket().ok_or_else(|| io::ErrorKind::AddrNotAvailable.into())
    }

    /// What is sent from now on comes as far as this.
    pub(super) fn set_ttl(&mut self, ttl: Option<u8>) -> io::Result<()> {
        self.ttl = ttl;
        let value = ttl.map_or(self.own_ttl, u32::from);
        match self.to {
            SocketAddr::V4(_) => self.raw.set_ttl_v4(value),
            SocketAddr::V6(_) => self.raw.set_unicast_hops_v6(value),
        }
    }

    /// The largest segment that is to be sent on the connection, and that the other side is told of; before it is asked for.
    pub(super) fn set_largest_segment(&self, bytes: u16) -> io::Result<()> {
        self.raw.set_tcp_mss(bytes.into())
    }

    /// The largest segment that the connection sends, once it stands.
    pub(super) fn largest_segment(&self) -> Option<usize> {
        usize::try_from(self.raw.tcp_mss().ok()?).ok()
    }

    /// The largest packet that this machine sends to there.
    pub(super) fn largest_packet(&self) -> Option<u32> {
        match self.to {
            SocketAddr::V4(_) => sockopt::ip_mtu(&self.raw).ok(),
            SocketAddr::V6(_) => sockopt::ipv6_mtu(&self.raw).ok(),
        }
    }

    /// No packet of a datagram may be cut, nor be held back for what is known of the way.
    pub(super) fn never_cut(&self) -> io::Result<()> {
        match self.to {
            SocketAddr::V4(_) => sockopt::set_ip_mtu_discover(&self.raw, Ipv4PathMtuDiscovery::PROBE)?,
            SocketAddr::V6(_) => sockopt::set_ipv6_mtu_discover(&self.raw, Ipv6PathMtuDiscovery::PROBE)?,
        }
        Ok(())
    }

    /// What TCP knows of the connection.
    pub(super) fn state(&self) -> Option<TcpState> {
        tcp_state::of(self.source().ok()?, self.to)
    }

    /// Sends a connection request and waits for what comes of it; less than a second, or the system would send another.
    pub(super) fn connect(&self, wait: Duration) -> PathAnswer {
        match self.raw.connect(&SockAddr::from(self.to)) {
            Ok(()) => return PathAnswer::Connected,
            Err(error) if is_under_way(&error) => {}
            Err(error) => return self.name(&error),
        }
        self.until(wait, PollFlags::OUT, |raw| match raw.take_error() {
            Ok(Some(error)) | Err(error) => Some(self.name(&error)),
            Ok(None) => raw.peer_addr().is_ok().then_some(PathAnswer::Connected),
        })
    }

    /// Sends what goes before, and waits until it is acknowledged; gives what came instead.
    pub(super) fn say_ahead(&self, bytes: &[u8], wait: Duration) -> Option<PathAnswer> {
        const LOOK: Duration = Duration::from_millis(10);
        let ends = Instant::now() + wait;
        let mut answer = self.say(bytes, LOOK);
        while answer == PathAnswer::Silence {
            let state = self.state();
            if state.is_some_and(|state| state.unacknowledged_segments == 0) {
                return None;
            }
            if Instant::now() >= ends {
                // Where the kernel does not tell, the time has to do.
                return state.map(|_| PathAnswer::Silence);
            }
            answer = self.say(&[], LOOK);
        }
        Some(answer)
    }

    /// Sends a flight, and waits for what comes back.
    pub(super) fn say(&self, bytes: &[u8], wait: Duration) -> PathAnswer {
        let mut rest = bytes;
        while !rest.is_empty() {
            match self.raw.send(rest) {
                Ok(sent) => rest = rest.get(sent..).unwrap_or_default(),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                // A flight is far smaller than the buffer of a fresh socket.
                Err(error) => return self.name(&error),
            }
        }
        self.until(wait, PollFlags::IN, |raw| {
            let mut buffer = [0_u8; KEPT];
            match io::Read::read(&mut &*raw, &mut buffer) {
                Ok(0) => Some(PathAnswer::Closed),
                Ok(read) => Some(PathAnswer::Data { bytes: Bytes(buffer.get(..read).unwrap_or_default().to_vec()) }),
                Err(error) if is_under_way(&error) => None,
                Err(error) => Some(self.name(&error)),
            }
        })
    }

    /// Sends a datagram, and waits for a word about it.
    pub(super) fn ask(&self, bytes: &[u8], wait: Duration) -> PathAnswer {
        let raw = &self.raw;
        if let Err(error) = raw.connect(&SockAddr::from(self.to)).and_then(|()| raw.send(bytes)) {
            return self.name(&error);
        }
        self.until(wait, PollFlags::empty(), |_| self.complaint())
    }

    /// Ends the connection at once, so that nothing of it is sent again and the server forgets it.
    pub(super) fn abandon(mut self) {
        // What fails here leaves a connection behind that ends by itself.
        let _ = self.set_ttl(None);
        let _ = self.raw.set_linger(Some(Duration::ZERO));
    }

    /// Waits until `look` finds something; errors wake it besides what is wanted.
    fn until(&self, wait: Duration, wanted: PollFlags, mut look: impl FnMut(&Raw) -> Option<PathAnswer>) -> PathAnswer {
        let ends = Instant::now() + wait;
        loop {
            let left = ends.saturating_duration_since(Instant::now());
            let Ok(limit) = Timespec::try_from(left) else { return PathAnswer::Silence };
            match poll(&mut [PollFd::new(&self.raw, wanted)], Some(&limit)) {
                Ok(0) => return PathAnswer::Silence,
                Ok(_) => {
                    if let Some(answer) = look(&self.raw) {
                        return answer;
                    }
                }
                Err(rustix::io::Errno::INTR) => {}
                Err(error) => return self.name(&error.into()),
            }
        }
    }

    /// What an error of the socket means.
    fn name(&self, error: &io::Error) -> PathAnswer {
        if let Some(complaint) = self.complaint() {
            return complaint;
        }
        match error.kind() {
            io::ErrorKind::ConnectionRefused => PathAnswer::Refused,
            io::ErrorKind::ConnectionReset | io::ErrorKind::ConnectionAborted | io::ErrorKind::BrokenPipe => PathAnswer::Reset,
            // Of a connection that stands, the system says no more than this.
            io::ErrorKind::HostUnreachable if self.ttl.is_some() => PathAnswer::Expired { by: None },
            io::ErrorKind::TimedOut => PathAnswer::Silence,
            _ => PathAnswer::Unreachable { by: None, icmp_type: None, icmp_code: None, detail: error.to_string() },
        }
    }

    /// What a router or a host said of a packet, from the error queue.
    fn complaint(&self) -> Option<PathAnswer> {
        let mut quoted = [0_u8; KEPT];
        let mut iov = [IoSliceMut::new(&mut quoted)];
        let mut space = nix::cmsg_space!([u8; ROOM]);
        let fd = self.raw.as_raw_fd();
        let flags = MsgFlags::MSG_ERRQUEUE | MsgFlags::MSG_DONTWAIT;
        let message = recvmsg::<SockaddrStorage>(fd, &mut iov, Some(&mut space), flags).ok()?;
        message.cmsgs().ok()?.find_map(|said| match said {
            ControlMessageOwned::Ipv4RecvErr(error, by) => {
                let by = by.map(|by| IpAddr::V4(SockaddrIn::from(by).ip())).filter(|by| *by != Ipv4Addr::UNSPECIFIED);
                word(error.ee_origin, error.ee_type, error.ee_code, error.ee_errno, by)
            }
            ControlMessageOwned::Ipv6RecvErr(error, by) => {
                let by = by.map(|by| IpAddr::V6(SockaddrIn6::from(by).ip())).filter(|by| *by != Ipv6Addr::UNSPECIFIED);
                word(error.ee_origin, error.ee_type, error.ee_code, error.ee_errno, by)
            }
            _ => None,
        })
    }
}

/// An ICMP message (RFC 792, RFC 4443) in our words. Origins as in linux/errqueue.h: 2 is ICMP, 3 is ICMPv6.
fn word(origin: u8, kind: u8, code: u8, errno: u32, by: Option<IpAddr>) -> Option<PathAnswer> {
    match (origin, kind, code) {
        (2, 11, _) | (3, 3, _) => Some(PathAnswer::Expired { by }),
        (2, 3, 3) | (3, 1, 4) => Some(PathAnswer::PortUnreachable { by }),
        (2 | 3, ..) => {
            let detail = io::Error::from_raw_os_error(i32::try_from(errno).unwrap_or_default()).to_string();
            Some(PathAnswer::Unreachable { by, icmp_type: Some(kind), icmp_code: Some(code), detail })
        }
        _ => None,
    }
}

fn is_under_way(error: &io::Error) -> bool {
    // EINPROGRESS has no name among the kinds.
    matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted) || error.raw_os_error() == Some(115)
}

/// Every address of the family, with this port.
fn any(to: SocketAddr, port: u16) -> SocketAddr {
    match to {
        SocketAddr::V4(_) => SocketAddr::from((Ipv4Addr::UNSPECIFIED, port)),
        SocketAddr::V6(_) => SocketAddr::from((Ipv6Addr::UNSPECIFIED, port)),
    }
}
