//! A wire between two hosts that is a program: it delays and loses frames, and does to handshakes what devices on the way do.
//!
//! It runs as a process of its own in a namespace with two interfaces, `near` the client and `far` from it, towards the server:
//! `tlswhy-lab wire delay=10 match=sni:blocked.example.test do=reset`.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;
use std::time::{Duration, Instant};

use etherparse::{NetSlice, PacketBuilder, SlicedPacket, TransportSlice};
use pnet_datalink::{Channel, Config, DataLinkReceiver, DataLinkSender};

use crate::server::StartError;

/// What a wire does.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wire {
    /// Added to each direction.
    pub delay: Duration,
    /// Added besides, from nothing to this.
    pub jitter: Duration,
    /// Of a thousand frames so many are lost, in each direction.
    pub lost: u32,
    /// What becomes of which segment of the client.
    pub rule: Option<Rule>,
}

/// What becomes of which segment of the client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// Which.
    pub what: Match,
    /// What becomes of it.
    pub act: Act,
}

/// Which segment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Match {
    /// A ClientHello.
    Hello,
    /// A ClientHello in which this text stands, as string matching does it.
    Name(String),
    /// A segment with more bytes than this.
    Longer(usize),
    /// A segment with the beginning of a ClientHello and not its end: what a device without reassembly minds.
    PartOfHello,
}

/// What becomes of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Act {
    /// It is lost.
    Drop,
    /// It is lost, and the client hears a reset in the server's name.
    Reset,
    /// It goes on, and the client hears a reset in the server's name.
    Forge,
    /// It goes on without TLS 1.3 among the versions that it offers.
    Lower,
}

impl Wire {
    /// Reads the words that [`Wire::words`] writes.
    pub fn parse(words: &[String]) -> Result<Wire, StartError> {
        let mut wire = Wire::default();
        let (mut what, mut act) = (None, None);
        for word in words {
            let wrong = || StartError::Failed(format!("a wire does not know {word:?}"));
            let (key, value) = word.split_once('=').ok_or_else(wrong)?;
            let number = || value.parse::<u64>().map_err(|_| wrong());
            match key {
                "delay" => wire.delay = Duration::from_millis(number()?),
                "jitter" => wire.jitter = Duration::from_millis(number()?),
                "lost" => wire.lost = u32::try_from(number()?).map_err(|_| wrong())?,
                "match" => {
                    what = Some(match value.split_once(':') {
                        None if value == "hello" => Match::Hello,
                        None if value == "part" => Match::PartOfHello,
                        Some(("sni", name)) => Match::Name(name.to_owned()),
                        Some(("longer", length)) => Match::Longer(length.parse().map_err(|_| wrong())?),
                        _ => return Err(wrong()),
                    });
                }
                "do" => {
                    act = Some(match value {
                        "drop" => Act::Drop,
                        "reset" => Act::Reset,
                        "forge" => Act::Forge,
                        "lower" => Act::Lower,
                        _ => return Err(wrong()),
                    });
                }
                _ => return Err(wrong()),
            }
        }
        wire.rule = what.zip(act).map(|(what, act)| Rule { what, act });
        Ok(wire)
    }

    /// As the arguments of a process.
    pub fn words(&self) -> Vec<String> {
        let mut words = vec![
            format!("delay={}", self.delay.as_millis()),
            format!("jitter={}", self.jitter.as_millis()),
            format!("lost={}", self.lost),
        ];
        if let Some(Rule { what, act }) = &self.rule {
            words.push(match what {
                Match::Hello => "match=hello".to_owned(),
                Match::Name(name) => format!("match=sni:{name}"),
                Match::Longer(length) => format!("match=longer:{length}"),
                Match::PartOfHello => "match=part".to_owned(),
            });
            words.push(format!(
                "do={}",
                match act {
                    Act::Drop => "drop",
                    Act::Reset => "reset",
                    Act::Forge => "forge",
                    Act::Lower => "lower",
                }
            ));
        }
        words
    }

    /// Carries frames between `near` and `far` until the process ends.
    pub fn run(self) -> Result<(), StartError> {
        let (a_out, a_in) = open("near")?;
        let (b_out, b_in) = open("far")?;
        let (to_a, from_b) = channel();
        let (to_b, from_a) = channel();
        thread::spawn(move || deliver(&from_b, a_out));
        thread::spawn(move || deliver(&from_a, b_out));
        let wire = Arc::new(self);
        let (back, to_client) = (Arc::clone(&wire), to_a.clone());
        thread::spawn(move || back.carry(b_in, &to_client, None));
        wire.carry(a_in, &to_b, Some(&to_a));
        Err(StartError::Failed("the interface near is gone".into()))
    }

    /// Takes frames from one side; `back` is where forged answers go, and is given where the client's segments come from.
    fn carry(&self, mut from: Box<dyn DataLinkReceiver>, to: &Sender<Due>, back: Option<&Sender<Due>>) {
        let mut chance = Chance(u64::from(std::process::id()) << 8 | u64::from(back.is_some()));
        while let Ok(frame) = from.next() {
            let now = Instant::now();
            if chance.below(1000) < self.lost {
                continue;
            }
            let jitter = u32::try_from(self.jitter.as_millis()).unwrap_or(0);
            let due = now + self.delay + Duration::from_millis(chance.below(jitter.saturating_add(1)).into());
            if let (Some(back), Some(rule)) = (back, &self.rule)
                && let Some(hit) = rule.what.hits(frame)
            {
                if rule.act == Act::Lower {
                    let Some(lowered) = lowered(frame) else { continue };
                    if to.send((due, lowered)).is_err() {
                        return;
                    }
                    continue;
                }
                if rule.act != Act::Drop
                    && let Some(reset) = hit
                {
                    let _ = back.send((now, reset));
                }
                if rule.act != Act::Forge {
                    continue;
                }
            }
            if to.send((due, frame.to_vec())).is_err() {
                return;
            }
        }
    }
}

impl Match {
    /// Whether a frame is one of these, and the reset to it.
    fn hits(&self, frame: &[u8]) -> Option<Option<Vec<u8>>> {
        let packet = SlicedPacket::from_ethernet(frame).ok()?;
        let Some(TransportSlice::Tcp(segment)) = &packet.transport else {
            return None;
        };
        let payload = segment.payload();
        let is_hello = payload.first() == Some(&22) && payload.get(5) == Some(&1);
        let hit = match self {
            Match::Hello => is_hello,
            Match::Name(name) => is_hello && payload.windows(name.len()).any(|part| part == name.as_bytes()),
            Match::Longer(length) => payload.len() > *length,
            Match::PartOfHello => {
                let length =
                    payload.get(3..5).map_or(0, |bytes| bytes.iter().fold(0, |sum, byte| sum << 8 | usize::from(*byte)));
                is_hello && payload.len() < length.saturating_add(5)
            }
        };
        hit.then(|| reset(&packet, frame, segment.sequence_number().wrapping_add(u32::try_from(payload.len()).unwrap_or(0))))
    }
}

/// A reset in the name of the one that a segment is for.
fn reset(packet: &SlicedPacket<'_>, frame: &[u8], acknowledged: u32) -> Option<Vec<u8>> {
    let Some(TransportSlice::Tcp(segment)) = &packet.transport else {
        return None;
    };
    let to: [u8; 6] = frame.get(..6)?.try_into().ok()?;
    let from: [u8; 6] = frame.get(6..12)?.try_into().ok()?;
    let ethernet = PacketBuilder::ethernet2(to, from);
    let ip = match packet.net.as_ref()? {
        NetSlice::Ipv4(ip) => ethernet.ipv4(ip.header().destination(), ip.header().source(), 64),
        NetSlice::Ipv6(ip) => ethernet.ipv6(ip.header().destination(), ip.header().source(), 64),
        NetSlice::Arp(_) => return None,
    };
    let tcp = ip.tcp(segment.destination_port(), segment.source_port(), segment.acknowledgment_number(), 1024);
    let mut made = Vec::new();
    tcp.rst().ack(acknowledged).write(&mut made, &[]).ok()?;
    Some(made)
}

/// The frame with TLS 1.2 in place of TLS 1.3 in the list of versions, if its hello is whole; as it is otherwise.
fn lowered(frame: &[u8]) -> Option<Vec<u8>> {
    let packet = SlicedPacket::from_ethernet(frame).ok()?;
    let (Some(TransportSlice::Tcp(segment)), Some(net)) = (&packet.transport, &packet.net) else { return None };
    let payload = segment.payload();
    let whole = payload.get(3..5).map(|length| usize::from(u16::from_be_bytes([length[0], length[1]])) + 5);
    if whole.is_none_or(|whole| payload.len() < whole) {
        return Some(frame.to_vec());
    }
    // supported_versions: type 43, its length, the length of the list, the list (RFC 8446 §4.2.1).
    let mut payload = payload.to_vec();
    let is_the_list = |at: &[u8]| at[..3] == [0, 43, 0] && at[4].is_multiple_of(2) && at[3] == at[4].wrapping_add(1);
    let Some(place) = payload.windows(5).position(is_the_list) else { return Some(frame.to_vec()) };
    let length = usize::from(payload[place + 4]);
    for version in payload.get_mut(place + 5..place + 5 + length)?.chunks_exact_mut(2) {
        if version == [3, 4] {
            version.copy_from_slice(&[3, 3]);
        }
    }
    let mut header = segment.to_header();
    header.checksum = match net {
        NetSlice::Ipv4(ip) => header.calc_checksum_ipv4(&ip.header().to_header(), &payload).ok()?,
        NetSlice::Ipv6(ip) => header.calc_checksum_ipv6(&ip.header().to_header(), &payload).ok()?,
        NetSlice::Arp(_) => return None,
    };
    // Only the segment changes, and not in its length: what stands before it stays.
    let tail = header.header_len() + payload.len();
    let start = segment.slice().as_ptr() as usize - frame.as_ptr() as usize;
    let mut made = frame.get(..start)?.to_vec();
    header.write(&mut made).ok()?;
    made.extend_from_slice(&payload);
    made.extend_from_slice(frame.get(start + tail..)?);
    Some(made)
}

/// A frame and when it is to arrive.
type Due = (Instant, Vec<u8>);

fn deliver(frames: &Receiver<Due>, mut out: Box<dyn DataLinkSender>) {
    while let Ok((due, frame)) = frames.recv() {
        thread::sleep(due.saturating_duration_since(Instant::now()));
        // A frame that cannot be sent is lost.
        let _ = out.send_to(&frame, None);
    }
}

/// Both directions of an interface.
type Ends = (Box<dyn DataLinkSender>, Box<dyn DataLinkReceiver>);

fn open(name: &str) -> Result<Ends, StartError> {
    let interface = pnet_datalink::interfaces().into_iter().find(|interface| interface.name == name);
    let interface = interface.ok_or_else(|| StartError::Failed(format!("there is no interface {name}")))?;
    let config = Config { read_buffer_size: 1 << 16, write_buffer_size: 1 << 16, ..Config::default() };
    match pnet_datalink::channel(&interface, config).map_err(StartError::of)? {
        Channel::Ethernet(out, into) => Ok((out, into)),
        _ => Err(StartError::Failed(format!("{name} is no Ethernet"))),
    }
}

/// Numbers that look random (xorshift).
struct Chance(u64);

impl Chance {
    fn below(&mut self, bound: u32) -> u32 {
        self.0 |= 1;
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        u32::try_from((self.0 >> 32) % u64::from(bound.max(1))).unwrap_or(0)
    }
}
