//! One packet or one flight after another, and what comes back.

use std::net::{IpAddr, SocketAddr};
use std::sync::Weak;
use std::time::{Duration, Instant};

use tlswhy_model::{PathAnswer, PathPacket, PathProbe, Piece, TcpState};

use super::socket::Socket;
use crate::connection::milliseconds;

/// The most connections of one measurement; what the user is told beforehand.
const MOST_CONNECTIONS: usize = 70;
/// The most datagrams.
const MOST_DATAGRAMS: usize = 30;
/// How often a connection is tried: a request may be lost, and a server that did not hear of a forged reset holds the old one.
pub(super) const TRIES: usize = 3;
/// How long an answer is waited for at least, and at most.
const SHORTEST_WAIT: Duration = Duration::from_millis(250);
pub(super) const LONGEST_WAIT: Duration = Duration::from_millis(900);
/// Port of datagrams where nobody is expected, as traceroute has it.
const UNUSED_PORT: u16 = 33434;
/// What a datagram's packet has besides what a segment's has: the header of UDP is 12 bytes shorter than that of TCP.
const SHORTER_HEADER: u16 = 12;

/// How a flight is sent on its connection; by default the whole of it at once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Manner {
    /// The largest segment that either side may send.
    pub(super) max_segment: Option<u16>,
    /// Of the flight so many bytes go ahead on the whole way; what is sent then is the rest,
    pub(super) ahead: usize,
    /// or what there is up to here.
    pub(super) until: Option<usize>,
}

impl Manner {
    fn cut<'a>(&self, flight: &'a [u8]) -> (&'a [u8], &'a [u8]) {
        let flight = flight.get(..self.until.unwrap_or(flight.len()).min(flight.len())).unwrap_or_default();
        flight.split_at(self.ahead.min(flight.len()))
    }

    fn piece(&self, flight: &[u8]) -> Option<Piece> {
        let (ahead, rest) = self.cut(flight);
        let length = |bytes: &[u8]| u32::try_from(bytes.len()).unwrap_or(u32::MAX);
        let is_whole = rest.len() == flight.len();
        (!is_whole).then(|| Piece { ahead_bytes: length(ahead), bytes: length(rest) })
    }
}

/// Sends one thing after another and notes what comes back.
pub(super) struct Prober {
    pub(super) to: SocketAddr,
    pub(super) source_port: u16,
    pub(super) source_address: Option<IpAddr>,
    pub(super) test: Option<Vec<u8>>,
    pub(super) control: Option<Vec<u8>>,
    pub(super) connect_timeout: Duration,
    /// Gone once nobody waits for the result.
    pub(super) goes_on: Weak<()>,
    pub(super) began: Instant,
    /// How long connections took to come about.
    pub(super) round_trips: Vec<Duration>,
    /// How long the words of routers took.
    pub(super) words: Vec<Duration>,
    /// The longest time that the other end took to answer the control.
    pub(super) thinking: Duration,
    /// The largest segment that an ordinary connection sends, in bytes.
    pub(super) segment: Option<usize>,
    /// The largest packet that leaves this machine for there, in bytes.
    pub(super) packet: Option<u32>,
    pub(super) probes: Vec<PathProbe>,
}

impl Prober {
    /// Sends a connection request that comes as far as this.
    pub(super) fn request(&mut self, ttl: Option<u8>, wait: Duration) -> Result<PathAnswer, String> {
        self.one_more()?;
        let mut socket = made(Socket::stream(self.to, self.source_port))?;
        made(socket.set_ttl(ttl))?;
        let at = Instant::now();
        let answer = socket.connect(wait);
        match answer {
            PathAnswer::Connected => self.round_trips.push(at.elapsed()),
            PathAnswer::Expired { .. } => self.words.push(at.elapsed()),
            _ => {}
        }
        let source = socket.source().ok().map(|source| source.ip()).filter(|ip| !ip.is_unspecified());
        self.source_address = source.or(self.source_address);
        socket.abandon();
        Ok(self.note(at, PathProbe { ttl, ..probe(PathPacket::ConnectionRequest, answer) }))
    }

    /// Sends a flight that comes as far as this, on a connection that stands.
    pub(super) fn say(&mut self, packet: PathPacket, ttl: Option<u8>, wait: Duration) -> Result<PathAnswer, String> {
        self.say_so(packet, Manner::default(), ttl, wait)
    }

    /// The same in this manner.
    pub(super) fn say_so(
        &mut self,
        packet: PathPacket,
        manner: Manner,
        ttl: Option<u8>,
        wait: Duration,
    ) -> Result<PathAnswer, String> {
        let flight = match packet {
            PathPacket::Control => self.control.clone(),
            PathPacket::TestInTwoRecords => self.test.as_deref().and_then(in_two_records),
            _ => self.test.clone(),
        };
        let flight = flight.ok_or("there is nothing to send")?;
        let (ahead, rest) = manner.cut(&flight);
        let sent = PathProbe {
            ttl,
            max_segment: manner.max_segment,
            piece: manner.piece(&flight),
            ..probe(packet, PathAnswer::NoConnection)
        };
        for _ in 0..TRIES {
            self.one_more()?;
            let mut socket = made(Socket::stream(self.to, self.source_port))?;
            if let Some(bytes) = manner.max_segment {
                made(socket.set_largest_segment(bytes))?;
            }
            let began = Instant::now();
            if socket.connect(self.wait()) != PathAnswer::Connected {
                socket.abandon();
                self.note(began, sent.clone());
                continue;
            }
            self.round_trips.push(began.elapsed());
            if manner.max_segment.is_none() {
                self.segment = socket.largest_segment();
                self.packet = socket.largest_packet();
            }
            let early = if ahead.is_empty() { None } else { socket.say_ahead(ahead, self.wait()) };
            made(socket.set_ttl(ttl))?;
            let at = Instant::now();
            let answer = early.unwrap_or_else(|| socket.say(rest, wait));
            let of_interest = ttl.is_none() && answer == PathAnswer::Silence;
            let tcp: Option<TcpState> = if of_interest { socket.state() } else { None };
            socket.abandon();
            self.let_settle();
            if packet == PathPacket::Control && ttl.is_none() && sent.piece.is_none() {
                self.thinking = self.thinking.max(at.elapsed());
            }
            return Ok(self.note(at, PathProbe { answer, tcp, ..sent }));
        }
        Ok(PathAnswer::NoConnection)
    }

    /// Waits until nothing of the last connection is on its way any more. A late segment of it would be acknowledged by the next one,
    /// from the same port and with a small TTL: the router's word about that would be taken for one about the flight.
    fn let_settle(&self) {
        let round_trip = self.round_trips.iter().min().copied().unwrap_or(SHORTEST_WAIT);
        std::thread::sleep((round_trip * 3 / 2).min(LONGEST_WAIT));
    }

    /// Sends a datagram that comes as far as this: a small one, or one whose packet is as long as that of a segment of so many bytes.
    pub(super) fn datagram(&mut self, ttl: u8, as_segment: Option<u16>) -> Result<PathAnswer, String> {
        if self.probes.iter().filter(|probe| probe.sent == PathPacket::Datagram).count() >= MOST_DATAGRAMS {
            return Err(format!("it would have taken more than {MOST_DATAGRAMS} datagrams"));
        }
        let to = SocketAddr::new(self.to.ip(), UNUSED_PORT.saturating_add(ttl.into()));
        let mut socket = made(Socket::datagram(to))?;
        made(socket.set_ttl(Some(ttl)))?;
        let headers = if to.is_ipv4() { 40 } else { 60 };
        let length = as_segment.map_or(SHORTER_HEADER, |bytes| bytes.saturating_add(SHORTER_HEADER));
        if as_segment.is_some() {
            made(socket.never_cut())?;
        }
        let at = Instant::now();
        let answer = socket.ask(&vec![0; length.into()], self.wait());
        let packet_bytes = as_segment.map(|bytes| bytes.saturating_add(headers));
        Ok(self.note(at, PathProbe { ttl: Some(ttl), packet_bytes, ..probe(PathPacket::Datagram, answer) }))
    }

    /// How long an answer of a router or to a connection request is waited for. Less than a second: then the system sends it again.
    pub(super) fn wait(&self) -> Duration {
        let longest = self.round_trips.iter().max().or(self.words.iter().max()).copied().unwrap_or(LONGEST_WAIT);
        (longest * 2 + Duration::from_millis(100)).clamp(SHORTEST_WAIT, LONGEST_WAIT)
    }

    /// How long an answer to a flight is waited for: longer, for the other end thinks, and what is lost is sent again.
    pub(super) fn long_wait(&self) -> Duration {
        let longest = self.round_trips.iter().max().copied().unwrap_or(LONGEST_WAIT);
        (longest * 4 + self.thinking * 2).clamp(Duration::from_millis(800), Duration::from_secs(3))
    }

    fn note(&mut self, at: Instant, probe: PathProbe) -> PathAnswer {
        let at_ms = milliseconds(at.saturating_duration_since(self.began));
        let after_ms = milliseconds(at.elapsed());
        let answer = probe.answer.clone();
        self.probes.push(PathProbe { at_ms, after_ms, ..probe });
        answer
    }

    /// One more connection, if there may be one.
    fn one_more(&self) -> Result<(), String> {
        if self.goes_on.strong_count() == 0 {
            return Err("it was interrupted".to_owned());
        }
        let made = self.probes.iter().filter(|probe| probe.sent != PathPacket::Datagram).count();
        if made >= MOST_CONNECTIONS {
            return Err(format!("it would have taken more than {MOST_CONNECTIONS} connections"));
        }
        Ok(())
    }
}

fn made<T>(made: std::io::Result<T>) -> Result<T, String> {
    made.map_err(|error| format!("a socket could not be made: {error}"))
}

fn probe(sent: PathPacket, answer: PathAnswer) -> PathProbe {
    PathProbe {
        sent,
        ttl: None,
        max_segment: None,
        piece: None,
        packet_bytes: None,
        tcp: None,
        at_ms: 0.0,
        answer,
        after_ms: 0.0,
    }
}

/// A flight of one record as one of two (RFC 8446 §5.1: a message may be cut anywhere).
fn in_two_records(flight: &[u8]) -> Option<Vec<u8>> {
    let (header, message) = flight.split_at_checked(5)?;
    let [kind, major, minor, high, low] = header.try_into().ok()?;
    if usize::from(u16::from_be_bytes([high, low])) != message.len() {
        return None;
    }
    let (first, second) = message.split_at(message.len() / 2);
    let mut made = Vec::new();
    for part in [first, second] {
        made.extend([kind, major, minor]);
        made.extend(u16::try_from(part.len()).ok()?.to_be_bytes());
        made.extend(part);
    }
    Some(made)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_record_becomes_two_with_the_same_message() {
        assert_eq!(in_two_records(&[22, 3, 1, 0, 3, 7, 8, 9]), Some(vec![22, 3, 1, 0, 1, 7, 22, 3, 1, 0, 2, 8, 9]));
        assert_eq!(in_two_records(&[22, 3, 1, 0, 4, 7, 8, 9]), None);
        assert_eq!(in_two_records(b"GET /"), None);
    }

    #[test]
    fn a_manner_cuts_a_flight_and_says_how() {
        let piece = Manner { ahead: 2, until: Some(4), ..Manner::default() };
        assert_eq!(piece.cut(b"abcdef"), (&b"ab"[..], &b"cd"[..]));
        assert_eq!(piece.piece(b"abcdef"), Some(Piece { ahead_bytes: 2, bytes: 2 }));
        assert_eq!(Manner::default().piece(b"abcdef"), None);
        assert_eq!(Manner { ahead: 9, ..Manner::default() }.cut(b"ab"), (&b"ab"[..], &b""[..]));
    }
}
