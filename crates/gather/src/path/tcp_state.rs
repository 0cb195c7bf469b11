//! What the kernel knows of a TCP connection of ours, asked over netlink (sock_diag(7)): the same numbers as TCP_INFO. No right is needed.

use std::io;
use std::net::{IpAddr, SocketAddr};

use rustix::net::netlink::{SOCK_DIAG, SocketAddrNetlink};
use rustix::net::{AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType, recv, sendto, socket_with};
use tlswhy_model::TcpState;

/// linux/sock_diag.h, linux/netlink.h, linux/inet_diag.h.
const SOCK_DIAG_BY_FAMILY: u16 = 20;
const NLM_F_REQUEST: u16 = 1;
const INET_DIAG_INFO: u16 = 2;
const IPPROTO_TCP: u8 = 6;
/// Lengths of `nlmsghdr` and `inet_diag_msg`, which stand before the attributes.
const HEADER: usize = 16;
const MESSAGE: usize = 72;

/// The state of the connection between these two; `None` where the kernel does not tell.
pub(super) fn of(from: SocketAddr, to: SocketAddr) -> Option<TcpState> {
    let answer = ask(&request(from, to)).ok()?;
    read(&answer)
}

fn ask(request: &[u8]) -> io::Result<Vec<u8>> {
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    let socket = socket_with(AddressFamily::NETLINK, SocketType::RAW, flags, Some(SOCK_DIAG))?;
    sendto(&socket, request, SendFlags::empty(), &SocketAddrNetlink::new(0, 0))?;
    // The kernel answers before `sendto` returns.
    let mut answer = vec![0; 4096];
    let (read, _) = recv(&socket, answer.as_mut_slice(), RecvFlags::empty())?;
    answer.truncate(read);
    Ok(answer)
}

/// `nlmsghdr` and `inet_diag_req_v2`. Numbers are in the machine's order, ports and addresses in the network's.
fn request(from: SocketAddr, to: SocketAddr) -> Vec<u8> {
    const LENGTH: u32 = 72;
    let mut made = Vec::new();
    made.extend(LENGTH.to_ne_bytes());
    made.extend(SOCK_DIAG_BY_FAMILY.to_ne_bytes());
    made.extend(NLM_F_REQUEST.to_ne_bytes());
    // Sequence number and port of the asker: the kernel fills the latter in.
    made.extend([0; 8]);
    // AF_INET or AF_INET6.
    let family = if to.is_ipv4() { 2 } else { 10 };
    made.extend([family, IPPROTO_TCP, 1 << (INET_DIAG_INFO - 1), 0]);
    // Every state.
    made.extend(u32::MAX.to_ne_bytes());
    made.extend(from.port().to_be_bytes());
    made.extend(to.port().to_be_bytes());
    for address in [from.ip(), to.ip()] {
        let mut bytes = match address {
            IpAddr::V4(address) => address.octets().to_vec(),
            IpAddr::V6(address) => address.octets().to_vec(),
        };
        bytes.resize(16, 0);
        made.extend(bytes);
    }
    // Any interface; no cookie (INET_DIAG_NOCOOKIE).
    made.extend([0; 4]);
    made.extend([0xff; 8]);
    made
}

/// The attribute INET_DIAG_INFO of the answer.
fn read(answer: &[u8]) -> Option<TcpState> {
    if answer.get(4..6)? != SOCK_DIAG_BY_FAMILY.to_ne_bytes() {
        return None;
    }
    let mut rest = answer.get(HEADER + MESSAGE..)?;
    loop {
        let length = usize::from(u16::from_ne_bytes(rest.get(..2)?.try_into().ok()?));
        let kind = u16::from_ne_bytes(rest.get(2..4)?.try_into().ok()?);
        let value = rest.get(4..length)?;
        if kind == INET_DIAG_INFO {
            return state(value);
        }
        rest = rest.get(length.next_multiple_of(4)..)?;
    }
}

/// Offsets in `tcp_info` of linux/tcp.h; what an older kernel does not have yet is unknown.
fn state(info: &[u8]) -> Option<TcpState> {
    let number = |at: usize| Some(u32::from_ne_bytes(info.get(at..at.checked_add(4)?)?.try_into().ok()?));
    let wide = |at: usize| Some(u64::from_ne_bytes(info.get(at..at.checked_add(8)?)?.try_into().ok()?));
    Some(TcpState {
        largest_segment_bytes: number(16)?,
        unacknowledged_segments: number(24)?,
        sacked_segments: number(28)?,
        acknowledged_bytes: wide(120)?,
        received_bytes: wide(128)?,
        out_of_order_segments: number(224),
    })
}

#[cfg(test)]
mod tests {
    use std::io::{Read as _, Write as _};
    use std::net::{TcpListener, TcpStream};

    use super::*;

    #[test]
    fn the_kernel_tells_what_was_acknowledged_and_what_came() {
        for address in ["127.0.0.1:0", "[::1]:0"] {
            let Ok(listener) = TcpListener::bind(address) else { continue };
            let mut ours = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
            let (mut theirs, _) = listener.accept().unwrap();
            ours.write_all(&[0; 100]).unwrap();
            theirs.read_exact(&mut [0; 100]).unwrap();
            theirs.write_all(&[0; 30]).unwrap();
            ours.read_exact(&mut [0; 30]).unwrap();
            let state = of(ours.local_addr().unwrap(), ours.peer_addr().unwrap()).expect("the kernel has sock_diag");
            assert!(state.acknowledged_bytes >= 100, "{state:?}");
            assert_eq!((state.received_bytes, state.unacknowledged_segments), (30, 0), "{state:?}");
        }
    }

    #[test]
    fn an_answer_that_is_cut_short_is_no_answer() {
        let whole = [&[0; 4][..], &SOCK_DIAG_BY_FAMILY.to_ne_bytes(), &[0; 82], &[8, 0, 2, 0, 1, 2, 3, 4]].concat();
        for length in 0..=whole.len() {
            assert_eq!(read(&whole[..length]), None);
        }
    }
}
