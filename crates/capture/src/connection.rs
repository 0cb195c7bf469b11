//! One TCP connection, from its first packet to where its handshake is decided.

use std::net::SocketAddr;

use tlswhy_wire::{ClientHello, ContentType, DecodeError, ProtocolVersion, Reader, Transcript, client_hello, upgrade};

use crate::handshake::{Handshake, Side, Times, WENT_SILENTLY};
use crate::packet::Segment;
use crate::resets::Sender;
use crate::stream::{MAX_KEPT, Stream};
use crate::talk::{self, LIMIT, MAX_TURNS, Meaning, Talk, Turn};
use crate::verdict::{self, End, Facts, Judged};
use crate::walk::Walk;

/// A connection.
#[derive(Debug)]
pub(crate) struct Connection {
    ends: [SocketAddr; 2],
    /// Which of them is the client.
    client: usize,
    streams: [Stream; 2],
    senders: [Sender; 2],
    walks: [Walk; 2],
    phase: Phase,
    turns: Vec<(usize, usize, usize)>,
    /// Offset in each stream where TLS begins.
    tls_from: [u64; 2],
    times: Times,
    endings: Vec<(usize, End, u64)>,
    packets: [u64; 2],
    cut: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// Before the first byte of TLS.
    Talk,
    /// From there on.
    Tls,
    /// Nothing more is to be learned of it.
    Done,
}

/// How many ends of one connection are told apart.
const MAX_ENDINGS: usize = 8;

/// Ports where TLS begins at once, besides those of protocols that have an upgrade as well.
const TLS_PORTS: [u16; 3] = [443, 853, 8443];

impl Connection {
    /// The connection of its first segment seen.
    pub(crate) fn new(segment: &Segment<'_>) -> Connection {
        let ends = [segment.source, segment.destination];
        let client = match (segment.syn, segment.acknowledgment) {
            (true, None) => 0,
            (true, Some(_)) => 1,
            // Its beginning was not seen; the lower port serves, until a hello tells.
            (false, _) => usize::from(segment.source.port() < segment.destination.port()),
        };
        Connection {
            ends,
            client,
            streams: Default::default(),
            senders: Default::default(),
            walks: Default::default(),
            phase: Phase::Talk,
            turns: Vec::new(),
            tls_from: [0; 2],
            times: Times { started: segment.at, ended: segment.at, ..Times::default() },
            endings: Vec::new(),
            packets: [0; 2],
            cut: false,
        }
    }

    /// Whether a segment opens another connection between the same ports.
    pub(crate) fn is_reopened_by(&self, segment: &Segment<'_>) -> bool {
        let side = self.side_of(segment);
        segment.syn
            && segment.acknowledgment.is_none()
            && self.packets != [0; 2]
            && !self.streams[side].begins_with(segment.sequence)
    }

    /// Takes a segment. `true`: the handshake is decided.
    pub(crate) fn take(&mut self, segment: &Segment<'_>) -> bool {
        let side = self.side_of(segment);
        let other = 1 - side;
        if self.phase == Phase::Done {
            // Only its end is waited for, to forget it.
            if (segment.rst || segment.fin) && self.endings.len() < MAX_ENDINGS {
                self.endings.push((side, if segment.rst { End::Reset } else { End::Closed }, segment.at));
            }
            return false;
        }
        self.times.ended = self.times.ended.max(segment.at);
        self.packets[side] += 1;
        self.cut |= segment.cut;
        self.senders[side].note(segment);
        // Of several answers to SYN with different numbers the last one counts, until data came.
        if segment.syn && (!self.streams[side].begun || self.streams[side].next == 0) {
            self.streams[side].begin(segment.sequence);
        }
        if let Some(acknowledgment) = segment.acknowledgment.filter(|_| !segment.rst) {
            self.streams[other].assume(acknowledgment);
            if !segment.syn && side == self.client && self.packets[other] > 0 {
                self.times.connected.get_or_insert(segment.at);
            }
        }
        if segment.rst {
            self.endings.push((side, End::Reset, segment.at));
            // What comes after a reset that somebody forged is of use to tell so.
            return self.endings.len() >= MAX_ENDINGS;
        }
        if segment.fin && !self.endings.iter().any(|(ended, ..)| *ended == side) {
            self.endings.push((side, End::Closed, segment.at));
        }
        let sequence = segment.sequence.wrapping_add(u32::from(segment.syn));
        let delivered = self.streams[side].push(sequence, segment.payload, segment.fin);
        let mut offset = delivered.from;
        for piece in delivered.pieces {
            self.deliver(side, offset, &piece, segment);
            offset += piece.len() as u64;
        }
        self.is_settled()
    }

    /// Whether it was on its way to a verdict when nothing more came.
    pub(crate) fn is_undecided(&self) -> bool {
        self.phase == Phase::Tls && self.endings.is_empty()
    }

    /// Whether somebody's answer is awaited: in the handshake, or to the opening of the connection itself.
    pub(crate) fn is_awaited(&self) -> bool {
        let unanswered = self.phase == Phase::Talk && self.packets[1 - self.client] == 0;
        self.endings.is_empty() && (self.phase == Phase::Tls || unanswered)
    }

    /// Whether nothing more is to be learned of it.
    pub(crate) fn is_done(&self) -> bool {
        self.phase == Phase::Done
    }

    /// Whether both sides ended it, so that nothing more will come.
    pub(crate) fn is_over(&self) -> bool {
        if self.phase == Phase::Done {
            return self.was_reset() || [0, 1].iter().all(|side| self.endings.iter().any(|(ended, ..)| ended == side));
        }
        let closed = |side: usize| {
            self.endings.iter().any(|(ended, end, _)| *ended == side && *end == End::Closed) && self.streams[side].ended()
        };
        closed(0) && closed(1)
    }

    /// Whether a reset was sent in somebody's name.
    pub(crate) fn was_reset(&self) -> bool {
        self.endings.iter().any(|(_, end, _)| *end == End::Reset)
    }

    /// When its last packet came, in nanoseconds since 1970.
    pub(crate) fn last(&self) -> u64 {
        self.times.ended
    }

    /// Bytes held in memory.
    pub(crate) fn held(&self) -> usize {
        self.streams.iter().map(Stream::held).sum()
    }

    /// Nothing more is to be learned: its bytes are given back.
    pub(crate) fn set_done(&mut self) {
        self.phase = Phase::Done;
        self.streams.iter_mut().for_each(Stream::forget);
        self.walks = Default::default();
        self.turns = Vec::new();
    }

    /// What was seen of its handshake; `None` where TLS played no part. `until` is when the capture ended.
    pub(crate) fn handshake(&mut self, until: u64) -> Option<Handshake> {
        let (client, server) = (self.client, 1 - self.client);
        let split = |side: usize| {
            let bytes = self.streams[side].bytes.as_slice();
            let at = if self.phase == Phase::Talk {
                bytes.len()
            } else {
                usize::try_from(self.tls_from[side]).unwrap_or(bytes.len())
            };
            bytes.split_at_checked(at).unwrap_or((bytes, &[]))
        };
        let ((client_talk, sent), (server_talk, received)) = (split(client), split(server));
        let turns: Vec<Turn> =
            self.turns.iter().map(|(side, start, end)| Turn { from: self.name(*side), start: *start, end: *end }).collect();
        let prelude = Talk { client: client_talk, server: server_talk, turns: &turns };
        let meaning = if turns.is_empty() { Meaning::default() } else { prelude.meaning() };
        let endings: Vec<_> = self.endings.iter().map(|(side, end, at)| (self.name(*side), *end, *at)).collect();
        let facts = Facts {
            sent,
            received,
            greeting: server_talk,
            walks: [&self.walks[client], &self.walks[server]],
            endings: &endings,
            gaps: [self.streams[client].has_gap(), self.streams[server].has_gap()],
            packets: [self.packets[client], self.packets[server]],
            times: self.times,
            until,
        };
        let Judged { outcome, hello, answer, alerts } = match self.phase {
            Phase::Done => return None,
            Phase::Tls => verdict::of_handshake(&facts),
            Phase::Talk => {
                let is_tls_port = TLS_PORTS.contains(&self.ends[server].port())
                    || upgrade::UPGRADES
                        .iter()
                        .any(|known| known.tls_scheme.is_some_and(|(_, port)| port == self.ends[server].port()));
                let outcome = verdict::of_talk(&facts, &prelude, &meaning, is_tls_port)?;
                Judged { outcome, hello: None, answer: Transcript::default(), alerts: Vec::new() }
            }
        };
        let mut notes = Vec::new();
        if self.streams.iter().any(|stream| stream.contradicted) {
            notes.push("a segment was sent twice with different bytes; those that came first were taken");
        }
        if self.cut {
            notes.push("packets were captured in part (snapshot length)");
        }
        if verdict::went_silently(&outcome, &facts) {
            notes.push(WENT_SILENTLY);
        }
        let forged = self.endings.iter().find(|(_, end, _)| *end == End::Reset);
        let (record_version, hello) = hello.map_or((ProtocolVersion(0), None), |(version, hello)| (version, Some(hello)));
        Some(Handshake {
            client: self.ends[client],
            server: self.ends[server],
            times: self.times,
            dialogue: prelude.exchanges(meaning.tunnel.is_some()),
            tunnel: meaning.tunnel,
            upgrade: meaning.upgrade,
            sent: sent.to_vec(),
            received: received.to_vec(),
            hello,
            record_version,
            answer,
            alerts,
            outcome,
            forged: forged.and_then(|(side, ..)| self.senders[*side].forged(self.name(*side))),
            notes,
        })
    }

    fn side_of(&self, segment: &Segment<'_>) -> usize {
        usize::from(segment.source != self.ends[0])
    }

    fn name(&self, side: usize) -> Side {
        if side == self.client { Side::Client } else { Side::Server }
    }

    /// Bytes that came in order.
    fn deliver(&mut self, side: usize, offset: u64, piece: &[u8], segment: &Segment<'_>) {
        match self.phase {
            Phase::Done => {}
            Phase::Tls => self.feed(side, offset, piece, segment.at),
            Phase::Talk => match begins(piece, offset == 0, self.streams[side].begun) {
                Some((start, Speaks::Client { sslv2 })) => {
                    self.note_turn(side, offset, start);
                    self.client = side;
                    let other = 1 - side;
                    self.tls_from[side] = offset + start as u64;
                    // The answer begins behind what the client had heard when it sent its hello.
                    let heard = segment.acknowledgment.and_then(|number| self.streams[other].offset(number));
                    self.tls_from[other] = heard.map_or(self.streams[other].next, |heard| heard.max(0).unsigned_abs());
                    self.walks[side] = Walk::behind(sslv2);
                    self.begin_tls(segment.at);
                    self.feed(side, offset, piece, segment.at);
                }
                // The hello that it answers was not captured.
                Some((start, Speaks::Server)) => {
                    self.note_turn(side, offset, start);
                    self.client = 1 - side;
                    self.tls_from[side] = offset + start as u64;
                    self.tls_from[1 - side] = self.streams[1 - side].next;
                    self.begin_tls(segment.at);
                    self.feed(side, offset, piece, segment.at);
                }
                None => {
                    self.note_turn(side, offset, piece.len());
                    let [client, server] = [self.client, 1 - self.client].map(|side| self.streams[side].bytes.as_slice());
                    let is_long = client.len().max(server.len()) > LIMIT || self.turns.len() > MAX_TURNS;
                    if is_long || talk::leads_nowhere(client, server) {
                        self.set_done();
                    }
                }
            },
        }
    }

    fn note_turn(&mut self, side: usize, offset: u64, length: usize) {
        let start = usize::try_from(offset).unwrap_or(usize::MAX);
        let end = start.saturating_add(length);
        match self.turns.last_mut() {
            _ if length == 0 => {}
            Some((last, _, last_end)) if *last == side => *last_end = end,
            _ => self.turns.push((side, start, end)),
        }
    }

    fn begin_tls(&mut self, at: u64) {
        self.phase = Phase::Tls;
        self.times.hello = Some(at);
        // What the server said already belongs to the talk, but for what was captured before the hello that it answers.
        let server = 1 - self.client;
        let early = usize::try_from(self.tls_from[server]).ok().and_then(|from| self.streams[server].bytes.get(from..));
        if let Some(early) = early.filter(|early| !early.is_empty()).map(<[u8]>::to_vec) {
            self.feed(server, self.tls_from[server], &early, at);
        }
    }

    fn feed(&mut self, side: usize, offset: u64, piece: &[u8], at: u64) {
        let before = usize::try_from(self.tls_from[side].saturating_sub(offset)).unwrap_or(usize::MAX);
        let Some(bytes) = piece.get(before..).filter(|bytes| !bytes.is_empty()) else { return };
        if side != self.client {
            self.times.answered.get_or_insert(at);
        }
        self.walks[side].feed(bytes, at);
    }

    /// Whether nothing that may come could change the verdict.
    fn is_settled(&self) -> bool {
        if self.phase != Phase::Tls {
            return self.phase == Phase::Done;
        }
        let [client, server] = [&self.walks[self.client], &self.walks[1 - self.client]];
        if client.fed.max(server.fed) > (MAX_KEPT as u64) * 3 / 4 {
            return true;
        }
        // Data went both ways: the server answered what the client sent after its Finished.
        let Some(answered) = server.records.first().map(|record| record.at) else { return server.broken && server.fed > 4096 };
        let data = |record: &&crate::walk::SeenRecord| record.content_type == ContentType::APPLICATION_DATA;
        // An alert is no request: a client that leaves says so, and tickets of the server may come behind it.
        let data = |record: &&crate::walk::SeenRecord| data(record) && record.length > verdict::LONGEST_ALERT;
        let Some(request) = client.records.iter().filter(data).filter(|record| record.at >= answered).nth(1) else {
            return false;
        };
        server.records.iter().filter(data).any(|record| record.at > request.at)
    }
}

enum Speaks {
    /// A ClientHello; the length of one in the form of SSLv2, which is no record.
    Client {
        sslv2: u64,
    },
    Server,
}

/// Where TLS begins within bytes that were delivered, and who speaks. `is_first`: they are the first that were seen of their side;
/// `begun`: and the first that it sent.
fn begins(piece: &[u8], is_first: bool, begun: bool) -> Option<(usize, Speaks)> {
    const CLIENT: Speaks = Speaks::Client { sslv2: 0 };
    if is_first {
        match *piece {
            [22, 3, _, _, _, 2, ..] => return Some((0, Speaks::Server)),
            [22] | [22, 3] | [22, 3, _] | [22, 3, _, _] | [22, 3, _, _, _] if begun => return Some((0, CLIENT)),
            [22, 3, _, _, _, 1, ..] => return Some((0, CLIENT)),
            [high @ 0x80..=0xff, low, 1, 0, 2, ..] | [high @ 0x80..=0xff, low, 1, 3, 0..=3, ..] => {
                let length = u64::from(u16::from_be_bytes([high & 0x7f, low]));
                return Some((0, Speaks::Client { sslv2: 2 + length }));
            }
            _ => {}
        }
    }
    // Behind a talk, mostly at the beginning of a segment.
    piece.windows(10).enumerate().find_map(|(start, bytes)| match *bytes {
        [22, 3, 0..=4, _, _, 1, 0, _, _, 3] => Some((start, CLIENT)),
        [22, 3, 0..=4, _, _, 2, 0, _, _, 3] => Some((start, Speaks::Server)),
        _ => None,
    })
}

/// The hello within what a client sent, and the version of its record.
pub(crate) fn hello_of(sent: &[u8]) -> Result<(ProtocolVersion, ClientHello), DecodeError> {
    client_hello::from_records(sent)
}

/// What a client sent behind a hello in the form of SSLv2.
pub(crate) fn behind_sslv2(sent: &[u8]) -> &[u8] {
    if sent.first().is_none_or(|first| first & 0x80 == 0) {
        return sent;
    }
    let mut input = Reader::new(sent, 0);
    let length = input.u16("").map_or(0, |length| usize::from(length & 0x7fff));
    input.skip(length);
    input.rest()
}
