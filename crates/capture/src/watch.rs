//! A connection that was watched from within: its bytes are known without packets.

use std::net::SocketAddr;

use crate::connection::Connection;
use crate::handshake::{Handshake, Side};
use crate::packet::{Marks, Segment};

/// A TCP connection of which somebody tells, in order, what each side did. Times are nanoseconds since 1970.
#[derive(Debug)]
pub struct Watch {
    connection: Connection,
    /// Addresses of client and server.
    ends: [SocketAddr; 2],
    /// Bytes sent by each, and one for its opening.
    sent: [u32; 2],
    decided: Option<Option<Box<Handshake>>>,
}

impl Watch {
    /// A connection that stands.
    pub fn new(client: SocketAddr, server: SocketAddr, at: u64) -> Watch {
        let ends = [client, server];
        let opening = Segment { syn: true, acknowledgment: None, ..segment(ends, Side::Client, [0; 2], at) };
        let mut watch = Watch { connection: Connection::new(&opening), ends, sent: [0; 2], decided: None };
        watch.take(&opening);
        watch.sent[0] = 1;
        watch.take(&Segment { syn: true, ..segment(ends, Side::Server, watch.sent, at) });
        watch.sent[1] = 1;
        watch.take(&segment(ends, Side::Client, watch.sent, at));
        watch
    }

    /// A side sent these bytes.
    pub fn sent(&mut self, by: Side, at: u64, bytes: &[u8]) {
        self.take(&Segment { payload: bytes, ..segment(self.ends, by, self.sent, at) });
        self.count(by, bytes.len());
    }

    /// A side closed its direction.
    pub fn closed(&mut self, by: Side, at: u64) {
        self.take(&Segment { fin: true, ..segment(self.ends, by, self.sent, at) });
        self.count(by, 1);
    }

    /// A side reset the connection.
    pub fn reset(&mut self, by: Side, at: u64) {
        self.take(&Segment { rst: true, acknowledgment: None, ..segment(self.ends, by, self.sent, at) });
    }

    /// Whether nothing more is to be learned of its handshake.
    pub fn is_decided(&self) -> bool {
        self.decided.is_some()
    }

    /// Bytes held in memory.
    pub fn held(&self) -> usize {
        self.connection.held()
    }

    /// When something was last seen, in nanoseconds since 1970.
    pub fn last(&self) -> u64 {
        self.connection.last()
    }

    /// What was seen of its handshake until then; `None` where TLS played no part.
    pub fn handshake(mut self, until: u64) -> Option<Handshake> {
        match self.decided.take() {
            Some(decided) => decided.map(|handshake| *handshake),
            None => self.connection.handshake(until),
        }
    }

    fn take(&mut self, segment: &Segment<'_>) {
        if self.decided.is_none() && self.connection.take(segment) {
            self.decided = Some(self.connection.handshake(segment.at).map(Box::new));
            self.connection.set_done();
        }
    }

    fn count(&mut self, by: Side, bytes: usize) {
        let sent = &mut self.sent[place(by)];
        *sent = sent.wrapping_add(u32::try_from(bytes).unwrap_or(u32::MAX));
    }
}

fn place(side: Side) -> usize {
    match side {
        Side::Client => 0,
        Side::Server => 1,
    }
}

/// An empty segment of a side that has heard all that the other sent.
fn segment<'a>(ends: [SocketAddr; 2], by: Side, sent: [u32; 2], at: u64) -> Segment<'a> {
    let (from, to) = (place(by), 1 - place(by));
    Segment {
        at,
        source: ends[from],
        destination: ends[to],
        sequence: sent[from],
        acknowledgment: Some(sent[to]),
        syn: false,
        fin: false,
        rst: false,
        marks: Marks::default(),
        payload: &[],
        cut: false,
    }
}
