//! Every connection of a capture at once, within bounds.

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::io::Read;
use std::net::SocketAddr;

use crate::connection::Connection;
use crate::error::CaptureError;
use crate::file::Frames;
use crate::handshake::Handshake;
use crate::packet::{Decoder, Segment};

/// How long something may still come after a reset that tells who sent it, in nanoseconds.
const AFTER_RESET: u64 = 10_000_000_000;

/// How much is remembered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Connections at a time.
    pub connections: usize,
    /// Bytes of all connections together.
    pub bytes: usize,
    /// For so long, in nanoseconds, what is undecided may be silent before it is told as it stands. `None`: until the end, which a
    /// capture that goes on has not.
    pub silence: Option<u64>,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits { connections: 65_536, bytes: 256 << 20, silence: None }
    }
}

/// What was in a capture.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Frames.
    pub frames: u64,
    /// TCP segments among them.
    pub segments: u64,
    /// TCP connections.
    pub connections: u64,
    /// Connections that were given up undecided because there were too many ([`Limits`]).
    pub forgotten: u64,
    /// Frames of a link type that is not read.
    pub unread: u64,
    /// When the first frame came, in nanoseconds since 1970.
    pub first: Option<u64>,
    /// When the last frame came.
    pub last: u64,
    /// Packets that begin QUIC connections, which are not examined.
    pub quic: u64,
    /// Packets with handshakes of DTLS, which are not examined.
    pub dtls: u64,
}

/// How reading ended.
#[derive(Debug)]
pub struct Reading {
    /// What was there.
    pub counts: Counts,
    /// Why the end was not reached.
    pub stopped: Option<CaptureError>,
}

/// Reads a capture to its end and gives every handshake as soon as it is decided. Fails if nothing can be read.
pub fn read(input: impl Read, limits: Limits, found: &mut dyn FnMut(Handshake)) -> Result<Reading, CaptureError> {
    let mut frames = Frames::open(input)?;
    let mut table = Table { limits, ..Table::default() };
    let stopped = loop {
        match frames.frame() {
            // Nothing came, and time went on.
            Ok(Some(frame)) if frame.bytes.is_empty() => {
                table.counts.last = table.counts.last.max(frame.at);
                table.tell_what_is_silent(found);
            }
            Ok(Some(frame)) => {
                table.counts.frames += 1;
                table.counts.first.get_or_insert(frame.at);
                table.counts.last = table.counts.last.max(frame.at);
                table.counts.unread += u64::from(!frame.link.is_read());
                // Borrowed apart, for the segment may lie in the decoder.
                let Table { decoder, .. } = &mut table;
                let mut taken = std::mem::take(decoder);
                if let Some(segment) = taken.segment(&frame) {
                    table.take(&segment, found);
                }
                table.decoder = taken;
            }
            Ok(None) => break None,
            Err(error) => break Some(error),
        }
    };
    (table.counts.quic, table.counts.dtls) = (table.decoder.quic, table.decoder.dtls);
    let until = table.counts.last;
    let mut rest: Vec<Connection> = table.connections.drain().map(|(_, connection)| connection).collect();
    rest.sort_by_key(Connection::last);
    for mut connection in rest {
        connection.handshake(until).into_iter().for_each(&mut *found);
    }
    Ok(Reading { counts: table.counts, stopped })
}

#[derive(Default)]
struct Table {
    limits: Limits,
    counts: Counts,
    decoder: Decoder,
    connections: HashMap<Key, Connection>,
    /// Connections that were reset, with the time of their last packet then.
    reset: VecDeque<(u64, Key)>,
    /// Connections that may still be undecided, with the time of their last packet then.
    waiting: BTreeSet<(u64, Key)>,
    held: usize,
}

/// The two ends, the lower address first.
type Key = (SocketAddr, SocketAddr);

impl Table {
    fn take(&mut self, segment: &Segment<'_>, found: &mut dyn FnMut(Handshake)) {
        self.counts.segments += 1;
        self.end_what_was_reset(found);
        self.tell_what_is_silent(found);
        let key = (segment.source.min(segment.destination), segment.source.max(segment.destination));
        if self.connections.get(&key).is_some_and(|connection| connection.is_reopened_by(segment)) {
            self.end(key, found);
        }
        if !self.connections.contains_key(&key) {
            // What ends a connection begins none.
            if segment.payload.is_empty() && !segment.syn {
                return;
            }
            if self.connections.len() >= self.limits.connections {
                self.make_room(found);
            }
            self.counts.connections += 1;
            if self.limits.silence.is_some() {
                self.waiting.insert((segment.at, key));
            }
        }
        let connection = self.connections.entry(key).or_insert_with(|| Connection::new(segment));
        let before = connection.held();
        let decided = connection.take(segment);
        let is_over = connection.is_over();
        self.held = (self.held + connection.held()).saturating_sub(before);
        if segment.rst && !is_over {
            self.reset.push_back((segment.at, key));
        }
        if is_over {
            self.end(key, found);
        } else if decided {
            self.tell(key, found);
        } else if self.held > self.limits.bytes {
            self.make_room(found);
        }
    }

    /// Tells of the connections that were reset once nothing came after that for a while, so that a capture without end tells of them.
    fn end_what_was_reset(&mut self, found: &mut dyn FnMut(Handshake)) {
        while let Some((at, key)) = self.reset.front().copied() {
            let is_due = at.saturating_add(AFTER_RESET) <= self.counts.last;
            if !is_due && self.reset.len() <= self.limits.connections {
                return;
            }
            self.reset.pop_front();
            // It may be another one by now, between the same ends, or one that goes on.
            match self.connections.get(&key).filter(|connection| connection.was_reset()) {
                Some(connection) if is_due && connection.last() > at => self.reset.push_back((connection.last(), key)),
                Some(_) => self.end(key, found),
                None => {}
            }
        }
    }

    /// Tells of the connections on which nobody has said anything for too long.
    fn tell_what_is_silent(&mut self, found: &mut dyn FnMut(Handshake)) {
        let Some(silence) = self.limits.silence.map(|silence| silence.max(1)) else { return };
        while let Some((at, key)) = self.waiting.first().copied() {
            let is_due = at.checked_add(silence).is_some_and(|until| until <= self.counts.last);
            if !is_due && self.waiting.len() <= self.limits.connections.saturating_mul(2) {
                return;
            }
            self.waiting.pop_first();
            match self.connections.get(&key).filter(|connection| is_due && !connection.is_done()) {
                // It comes to the front again when it is due.
                Some(connection) if connection.last() > at => _ = self.waiting.insert((connection.last(), key)),
                Some(connection) if connection.is_awaited() => self.tell(key, found),
                // What waits for its first word may get it yet.
                Some(_) => _ = self.waiting.insert((self.counts.last, key)),
                None => {}
            }
        }
    }

    /// Tells of a connection that is decided, and forgets what was said on it.
    fn tell(&mut self, key: Key, found: &mut dyn FnMut(Handshake)) {
        let until = self.counts.last;
        if let Some(connection) = self.connections.get_mut(&key) {
            self.held = self.held.saturating_sub(connection.held());
            connection.handshake(until).into_iter().for_each(found);
            connection.set_done();
        }
    }

    fn end(&mut self, key: Key, found: &mut dyn FnMut(Handshake)) {
        if let Some(mut connection) = self.connections.remove(&key) {
            self.held = self.held.saturating_sub(connection.held());
            connection.handshake(self.counts.last).into_iter().for_each(found);
        }
    }

    /// Gives up the eighth part that was silent for longest: rarely enough that sorting costs nothing.
    fn make_room(&mut self, found: &mut dyn FnMut(Handshake)) {
        let mut by_age: Vec<(u64, Key)> = self.connections.iter().map(|(key, connection)| (connection.last(), *key)).collect();
        by_age.sort_unstable();
        by_age.truncate(by_age.len().div_ceil(8));
        for (_, key) in by_age {
            let undecided = self.connections.get(&key).is_some_and(Connection::is_undecided);
            self.counts.forgotten += u64::from(undecided);
            self.end(key, found);
        }
    }
}
