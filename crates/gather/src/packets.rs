//! Packets as they come by, told as a capture in the format of pcap: who reads captures reads this.
//!
//! A packet socket of Linux (packet(7)) that takes the packets without their link headers, so that one reading serves interfaces
//! of every kind. The socket hears all interfaces and each packet says where it came by: binding to one would save copies, and need
//! an address structure that no safe interface offers.

use std::io::{self, ErrorKind, Read};
use std::os::fd::{AsRawFd, OwnedFd};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use nix::errno::Errno;
use nix::net::if_::if_nametoindex;
use nix::sys::socket::{AddressFamily, LinkAddr, SockFlag, SockProtocol, SockType, recvfrom, setsockopt, socket, sockopt};
use nix::sys::time::TimeVal;

/// The longest packet that is taken, in bytes; the kernel joins segments up to 64 KiB before it shows them.
const LONGEST: usize = 1 << 17;

/// Bytes that wait in the kernel; it grants what the machine allows.
const WAITING: usize = 8 << 20;

/// How long a silence may keep us from hearing that we are to end, in microseconds.
const PATIENCE_US: i64 = 200_000;

/// pcap with nanoseconds, Linux cooked (<https://www.tcpdump.org/linktypes.html>).
const HEADER: [u32; 6] = [0xa1b2_3c4d, 0x0004_0002, 0, 0, LONGEST as u32, 113];

/// As Linux numbers them: a loopback interface, and a packet of our own that leaves.
const LOOPBACK: u16 = 772;
const OUTGOING: u8 = 4;

/// Why packets cannot be had.
#[derive(Debug)]
pub enum PacketsError {
    /// The right is missing (CAP_NET_RAW).
    NotPermitted,
    /// There is no interface of this name.
    NoInterface,
    /// The system's own words.
    Other(io::Error),
}

impl From<Errno> for PacketsError {
    fn from(error: Errno) -> PacketsError {
        match error {
            Errno::EPERM | Errno::EACCES => PacketsError::NotPermitted,
            other => PacketsError::Other(other.into()),
        }
    }
}

/// A capture that goes on until it is told to end.
pub struct Packets {
    socket: OwnedFd,
    /// The interface that is meant; `None` for all.
    interface: Option<usize>,
    ends: Arc<AtomicBool>,
    packet: Vec<u8>,
    /// What is still to be read of the capture.
    ready: Vec<u8>,
    taken: usize,
}

impl Packets {
    /// Listens on an interface, or on all (`any`), until `ends` is set.
    pub fn listen(interface: &str, ends: Arc<AtomicBool>) -> Result<Packets, PacketsError> {
        let interface = match interface {
            "any" => None,
            name => Some(if_nametoindex(name).map_err(|_| PacketsError::NoInterface)? as usize),
        };
        let socket = socket(AddressFamily::Packet, SockType::Datagram, SockFlag::SOCK_CLOEXEC, SockProtocol::EthAll)?;
        setsockopt(&socket, sockopt::RcvBuf, &WAITING)?;
        setsockopt(&socket, sockopt::ReceiveTimeout, &TimeVal::new(0, PATIENCE_US))?;
        let ready = HEADER.iter().flat_map(|word| word.to_le_bytes()).collect();
        Ok(Packets { socket, interface, ends, packet: vec![0; LONGEST], ready, taken: 0 })
    }

    /// Waits for the next packet that is meant; `false` at the end.
    fn next(&mut self) -> io::Result<bool> {
        while !self.ends.load(Ordering::Relaxed) {
            let (length, from) = match recvfrom::<LinkAddr>(self.socket.as_raw_fd(), &mut self.packet) {
                Ok((length, Some(from))) => (length, from),
                Err(Errno::EAGAIN) => {
                    // Nobody said anything; whoever reads is told that time went on.
                    self.ready.clear();
                    self.taken = 0;
                    header(&mut self.ready, 0, SystemTime::now());
                    return Ok(true);
                }
                Ok((_, None)) | Err(Errno::EINTR) => continue,
                // The interface went down; others go on, and it may come back.
                Err(Errno::ENETDOWN) => continue,
                Err(error) => return Err(error.into()),
            };
            // What leaves by a loopback interface comes in by it as well.
            let again = from.hatype() == LOOPBACK && from.pkttype() == OUTGOING;
            if again || self.interface.is_some_and(|meant| meant != from.ifindex()) {
                continue;
            }
            self.ready.clear();
            self.taken = 0;
            let packet = self.packet.get(..length).unwrap_or_default();
            record(&mut self.ready, &from, packet, SystemTime::now());
            return Ok(true);
        }
        Ok(false)
    }
}

impl Read for Packets {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.taken == self.ready.len() && !self.next()? {
            return Ok(0);
        }
        let rest = self.ready.get(self.taken..).unwrap_or_default();
        let length = rest.len().min(buffer.len());
        let (Some(place), Some(bytes)) = (buffer.get_mut(..length), rest.get(..length)) else {
            return Err(ErrorKind::InvalidInput.into());
        };
        place.copy_from_slice(bytes);
        self.taken += length;
        Ok(length)
    }
}

/// Appends a packet as a capture has it.
fn record(capture: &mut Vec<u8>, from: &LinkAddr, packet: &[u8], at: SystemTime) {
    header(capture, u32::try_from(packet.len() + 16).unwrap_or(u32::MAX), at);
    // Type of the packet, type and length of the address, the address, which nobody reads, and the protocol.
    capture.extend(u16::from(from.pkttype()).to_be_bytes());
    capture.extend(from.hatype().to_be_bytes());
    capture.extend([0; 10]);
    capture.extend(from.protocol().to_ne_bytes());
    capture.extend(packet);
}

/// Appends what stands before a packet of so many bytes.
fn header(capture: &mut Vec<u8>, length: u32, at: SystemTime) {
    let at = at.duration_since(UNIX_EPOCH).unwrap_or_default();
    let seconds = u32::try_from(at.as_secs()).unwrap_or(u32::MAX);
    for word in [seconds, at.subsec_nanos(), length, length] {
        capture.extend(word.to_le_bytes());
    }
}
