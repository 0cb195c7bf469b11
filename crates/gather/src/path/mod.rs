//! The way to a server, measured as an ordinary user: connection requests with a small TTL find the hops and how far the other end of
//! TCP is; then what fails is sent from one hop farther and nearer on connections that stand, until it is known from where on it is
//! answered, or lost.
//!
//! One packet after the other, all from one source port, so that all take the same way. Every connection is ended by a reset: the server
//! sees at most [`MOST_CONNECTIONS`] that were opened and left.

mod plan;
mod socket;

use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use tlswhy_model::{Depth, Opening, PathAnswer, PathMeasurement, PathPacket, PathProbe, PathQuestion};

use crate::Live;
use crate::connection::milliseconds;
use crate::handshake::Handshake;
use socket::Socket;

/// The most connections of one measurement; what the user is told beforehand.
pub(crate) const MOST_CONNECTIONS: usize = 70;
/// The most datagrams.
const MOST_DATAGRAMS: usize = 20;
/// How often a connection is tried: a request may be lost, and a server that did not hear of a forged reset holds the old one.
const TRIES: usize = 3;
/// How long an answer is waited for at least, and at most.
const SHORTEST_WAIT: Duration = Duration::from_millis(250);
const LONGEST_WAIT: Duration = Duration::from_millis(900);
/// Port of datagrams where nobody is expected, as traceroute has it.
const UNUSED_PORT: u16 = 33434;

/// Measures; `None` where nothing can be measured from here. Dropping the future ends the measurement after the packet under way.
pub(crate) async fn measure(live: &Live, question: PathQuestion, examination: Instant) -> Option<PathMeasurement> {
    // The way is one to a proxy there.
    if live.proxy.is_some() {
        return None;
    }
    let goes_on = Arc::new(());
    let watched = Arc::downgrade(&goes_on);
    let connect_timeout = live.connect_timeout;
    // One packet after the other, and a wait after each: that needs a thread, and no more.
    tokio::task::spawn_blocking(move || measure_here(question, connect_timeout, examination, watched)).await.ok()?
}

fn measure_here(
    question: PathQuestion,
    connect_timeout: Duration,
    examination: Instant,
    goes_on: Weak<()>,
) -> Option<PathMeasurement> {
    let bytes = |opening: &Option<Opening>| opening.as_ref().map(flight).transpose();
    let (test, control) = (bytes(&question.test).ok()?, bytes(&question.control).ok()?);
    let to = SocketAddr::new(question.address, question.port);
    // It holds the port while nothing else does.
    let holder = Socket::stream(to, 0).ok()?;
    let source_port = holder.source().ok()?.port();
    let began = Instant::now();
    let mut prober = Prober {
        to,
        source_port,
        source_address: None,
        test,
        control,
        connect_timeout,
        goes_on,
        began,
        round_trips: Vec::new(),
        words: Vec::new(),
        thinking: Duration::ZERO,
        probes: Vec::new(),
    };
    let cut_short = plan::carry_out(&mut prober).err();
    Some(PathMeasurement {
        question,
        started_ms: milliseconds(began.saturating_duration_since(examination)),
        ended_ms: milliseconds(began.elapsed()),
        source_address: prober.source_address,
        source_port,
        probes: prober.probes,
        cut_short,
    })
}

/// The bytes that a connection opens with.
fn flight(opening: &Opening) -> Result<Vec<u8>, String> {
    match opening {
        Opening::Hello { hello } => Ok(Handshake::new(hello.clone(), Depth::Flight)?.1.bytes),
        Opening::Replay { records } => Ok(records.to_vec()),
        Opening::Plain { request } => Ok(request.to_vec()),
    }
}

/// Sends one thing after another and notes what comes back.
struct Prober {
    to: SocketAddr,
    source_port: u16,
    source_address: Option<IpAddr>,
    test: Option<Vec<u8>>,
    control: Option<Vec<u8>>,
    connect_timeout: Duration,
    /// Gone once nobody waits for the result.
    goes_on: Weak<()>,
    began: Instant,
    /// How long connections took to come about.
    round_trips: Vec<Duration>,
    /// How long the words of routers took.
    words: Vec<Duration>,
    /// The longest time that the other end took to answer the control.
    thinking: Duration,
    probes: Vec<PathProbe>,
}

impl Prober {
    /// Sends a connection request that comes as far as this.
    fn request(&mut self, ttl: Option<u8>, wait: Duration) -> Result<PathAnswer, String> {
        self.one_more()?;
        let mut socket = self.socket(Socket::stream(self.to, self.source_port))?;
        self.socket(socket.set_ttl(ttl))?;
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
        Ok(self.note(PathPacket::ConnectionRequest, ttl, at, answer))
    }

    /// Sends a flight that comes as far as this, on a connection that stands.
    fn say(&mut self, packet: PathPacket, ttl: Option<u8>, wait: Duration) -> Result<PathAnswer, String> {
        let bytes = match packet {
            PathPacket::Control => &self.control,
            _ => &self.test,
        };
        let bytes = bytes.clone().ok_or("there is nothing to send")?;
        for _ in 0..TRIES {
            self.one_more()?;
            let mut socket = self.socket(Socket::stream(self.to, self.source_port))?;
            let began = Instant::now();
            if socket.connect(self.wait()) != PathAnswer::Connected {
                socket.abandon();
                self.note(packet, ttl, began, PathAnswer::NoConnection);
                continue;
            }
            self.round_trips.push(began.elapsed());
            self.socket(socket.set_ttl(ttl))?;
            let at = Instant::now();
            let answer = socket.say(&bytes, wait);
            socket.abandon();
            self.let_settle();
            if packet == PathPacket::Control && ttl.is_none() {
                self.thinking = self.thinking.max(at.elapsed());
            }
            return Ok(self.note(packet, ttl, at, answer));
        }
        Ok(PathAnswer::NoConnection)
    }

    /// Waits until nothing of the last connection is on its way any more. A late segment of it would be acknowledged by the next one,
    /// from the same port and with a small TTL: the router's word about that would be taken for one about the flight.
    fn let_settle(&self) {
        let round_trip = self.round_trips.iter().min().copied().unwrap_or(SHORTEST_WAIT);
        std::thread::sleep((round_trip * 3 / 2).min(LONGEST_WAIT));
    }

    /// Sends a datagram that comes as far as this.
    fn datagram(&mut self, ttl: u8) -> Result<PathAnswer, String> {
        if self.probes.iter().filter(|probe| probe.sent == PathPacket::Datagram).count() >= MOST_DATAGRAMS {
            return Err(format!("it would have taken more than {MOST_DATAGRAMS} datagrams"));
        }
        let to = SocketAddr::new(self.to.ip(), UNUSED_PORT.saturating_add(ttl.into()));
        let mut socket = self.socket(Socket::datagram(to))?;
        self.socket(socket.set_ttl(Some(ttl)))?;
        let at = Instant::now();
        let answer = socket.ask(&[0; 12], self.wait());
        Ok(self.note(PathPacket::Datagram, Some(ttl), at, answer))
    }

    /// How long an answer of a router or to a connection request is waited for. Less than a second: then the system sends it again.
    fn wait(&self) -> Duration {
        let longest = self.round_trips.iter().max().or(self.words.iter().max()).copied().unwrap_or(LONGEST_WAIT);
        (longest * 2 + Duration::from_millis(100)).clamp(SHORTEST_WAIT, LONGEST_WAIT)
    }

    /// How long an answer to a flight is waited for: longer, for the other end thinks, and what is lost is sent again.
    fn long_wait(&self) -> Duration {
        let longest = self.round_trips.iter().max().copied().unwrap_or(LONGEST_WAIT);
        (longest * 4 + self.thinking * 2).clamp(Duration::from_millis(800), Duration::from_secs(3))
    }

    fn note(&mut self, sent: PathPacket, ttl: Option<u8>, at: Instant, answer: PathAnswer) -> PathAnswer {
        let at_ms = milliseconds(at.saturating_duration_since(self.began));
        let after_ms = milliseconds(at.elapsed());
        self.probes.push(PathProbe { sent, ttl, at_ms, answer: answer.clone(), after_ms });
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

    fn socket<T>(&self, made: std::io::Result<T>) -> Result<T, String> {
        made.map_err(|error| format!("a socket could not be made: {error}"))
    }
}
