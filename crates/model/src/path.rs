use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use crate::{Bytes, Opening};

/// What is to be found out about the way to one address.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct PathQuestion {
    /// The address.
    pub address: IpAddr,
    /// The port.
    pub port: u16,
    /// What fails, and is sent from ever farther on; `None` where only the way itself is asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(with = "Option<serde_json::Value>"))]
    pub test: Option<Opening>,
    /// What works, or is at least no hello: that it comes through shows that the way is open.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(with = "Option<serde_json::Value>"))]
    pub control: Option<Opening>,
    /// The two differ in their length: is it the length, the packets that it makes, or the cut?
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub by_size: bool,
}

/// One measurement of the way to an address: packets with a small time to live (TTL; hop limit in IPv6), and what came back.
///
/// A packet with the TTL n gets to the n-th hop and no farther. Whoever answers it is at that hop or nearer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct PathMeasurement {
    /// What was asked.
    pub question: PathQuestion,
    /// When it began, in milliseconds after `started_at` of the evidence.
    pub started_ms: f64,
    /// When it was over, in milliseconds after it began.
    pub ended_ms: f64,
    /// The address that was sent from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source_address: Option<IpAddr>,
    /// The source port of every TCP packet: routers that choose among several ways choose by it.
    pub source_port: u16,
    /// Everything that was sent, in order.
    pub probes: Vec<PathProbe>,
    /// Why it ended before its end, where it did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cut_short: Option<String>,
}

/// One packet of a measurement, or one connection with one flight.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct PathProbe {
    /// What was sent.
    pub sent: PathPacket,
    /// Its TTL; `None` for the system's own, which reaches every server.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ttl: Option<u8>,
    /// The largest segment that either side might send on the connection, in bytes (the MSS option of TCP), where it was set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_segment: Option<u16>,
    /// Which piece of the flight it was, where not all was sent at once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub piece: Option<Piece>,
    /// Length of a datagram's packet in bytes, with its headers, where it was no small one. It may not be cut on the way.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub packet_bytes: Option<u16>,
    /// What TCP knew of the connection, where silence followed on the whole way.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tcp: Option<TcpState>,
    /// When it was sent, in milliseconds after the measurement began.
    pub at_ms: f64,
    /// What came back.
    pub answer: PathAnswer,
    /// How long that took, in milliseconds.
    pub after_ms: f64,
}

/// A piece of a flight.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Piece {
    /// So many bytes went before it, on the whole way, and were acknowledged.
    pub ahead_bytes: u32,
    /// So many bytes were sent then; what is left of the flight was not.
    pub bytes: u32,
}

/// What TCP knows of a connection (`tcp_info` of Linux).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct TcpState {
    /// The largest segment that it sends, in bytes.
    pub largest_segment_bytes: u32,
    /// How many of our segments were sent and not acknowledged.
    pub unacknowledged_segments: u32,
    /// How many of those arrived out of order, as the other side says.
    pub sacked_segments: u32,
    /// How many of our bytes were acknowledged; the connection request counts as one.
    pub acknowledged_bytes: u64,
    /// How many bytes came, in order.
    pub received_bytes: u64,
    /// How many segments came out of order: something before them is missing. Unknown before Linux 5.4.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub out_of_order_segments: Option<u32>,
}

/// What was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum PathPacket {
    /// A TCP connection request (SYN).
    ConnectionRequest,
    /// A UDP datagram to a port where nobody is expected.
    Datagram,
    /// [`PathQuestion::test`], on a connection that stood.
    Test,
    /// The same message in two records.
    TestInTwoRecords,
    /// [`PathQuestion::control`], on a connection that stood.
    Control,
}

/// What came back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum PathAnswer {
    /// The connection stands (SYN-ACK).
    Connected,
    /// The connection request was refused (RST); or, on a connection that stood, an ICMP message said that the port cannot be reached.
    Refused,
    /// A router said that the TTL had run out there (ICMP time exceeded).
    Expired {
        /// Its address; the system does not tell it of a connection that stood.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        by: Option<IpAddr>,
    },
    /// The host said that nobody listens on this UDP port: the datagram had reached it.
    PortUnreachable {
        /// Its address.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        by: Option<IpAddr>,
    },
    /// Somebody said that it goes no farther, for another reason than the TTL (ICMP destination unreachable).
    Unreachable {
        /// The address of who said so.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        by: Option<IpAddr>,
        /// Type of the ICMP message, where it was seen itself.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        icmp_type: Option<u8>,
        /// Its code.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        icmp_code: Option<u8>,
        /// In the operating system's words.
        detail: String,
    },
    /// Bytes came.
    Data {
        /// The first of them, at most 64.
        #[cfg_attr(feature = "schema", schemars(with = "String"))]
        bytes: Bytes,
    },
    /// The connection was reset.
    Reset,
    /// The connection was closed.
    Closed,
    /// Nothing came within the time.
    Silence,
    /// The connection on which it was to be sent did not come about.
    NoConnection,
}
