//! What is seen of one connection that passes, until its handshake is decided.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use tlswhy_capture::{Handshake, Side, Watch};
use tlswhy_gather::observe::{self, Arrival, Event, Seen, Unreached, now};
use tokio::sync::mpsc;

use crate::commands::pcap::SILENCE;

/// Bytes of undecided handshakes that are held at once, over all connections. What is beyond them is carried and not watched.
const MOST_HELD: usize = 64 << 20;
/// Decided connections that may wait to be taken up.
const MOST_WAITING: usize = 1024;

/// What became of one connection.
pub(super) enum Passed {
    /// Its handshake was decided; the memory that it takes counts until it is taken up.
    Handshake(Box<Handshake>, Share),
    /// It went on, or ended, without TLS.
    WithoutTls,
    /// The server was not reached.
    Unreached(SocketAddr, Unreached),
}

/// Where every witness tells what it saw.
#[derive(Clone)]
pub(super) struct Desk {
    told: mpsc::Sender<Passed>,
    counts: Arc<Counts>,
}

/// Counts over all connections.
#[derive(Default)]
pub(super) struct Counts {
    pub(super) connections: AtomicU64,
    /// Connections that were carried and not watched, for want of room.
    pub(super) overlooked: AtomicU64,
    held: AtomicUsize,
}

impl Desk {
    /// A desk, and where what it is told comes out.
    pub(super) fn new() -> (Desk, Arc<Counts>, mpsc::Receiver<Passed>) {
        let (told, comes) = mpsc::channel(MOST_WAITING);
        let counts = Arc::new(Counts::default());
        (Desk { told, counts: Arc::clone(&counts) }, counts, comes)
    }

    /// The witness of a client that came.
    pub(super) fn witness(&self, arrival: Arrival) -> Witness {
        self.counts.connections.fetch_add(1, Ordering::Relaxed);
        let seeing = match arrival.server {
            Ok(server) => {
                let share = Share { bytes: 0, counts: Arc::clone(&self.counts) };
                Some((Watch::new(arrival.client, server, arrival.at), share))
            }
            Err(why) => {
                self.tell(Passed::Unreached(arrival.client, why));
                None
            }
        };
        Witness { desk: self.clone(), seeing: Mutex::new(seeing) }
    }

    fn tell(&self, passed: Passed) {
        if self.told.try_send(passed).is_err() {
            self.counts.overlooked.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn decide(&self, (watch, share): (Watch, Share), until: u64) {
        self.tell(match watch.handshake(until) {
            Some(handshake) => Passed::Handshake(Box::new(handshake), share),
            None => Passed::WithoutTls,
        });
    }
}

/// Whoever watches one connection.
pub(super) struct Witness {
    desk: Desk,
    /// Nothing once it is decided, or given up.
    seeing: Mutex<Option<(Watch, Share)>>,
}

impl Witness {
    /// Goes on watching as long as this says so.
    fn look(&self, see: impl FnOnce(&mut Watch) -> Look) {
        let mut seeing = self.seeing.lock().unwrap_or_else(PoisonError::into_inner);
        let Some((watch, share)) = seeing.as_mut() else { return };
        match see(watch) {
            Look::Decided(until) => {
                if let Some(seen) = seeing.take() {
                    self.desk.decide(seen, until);
                }
            }
            Look::On if share.is(watch.held()) => {}
            Look::On => {
                self.desk.counts.overlooked.fetch_add(1, Ordering::Relaxed);
                *seeing = None;
            }
        }
    }
}

/// Whether there is more to see.
enum Look {
    On,
    Decided(u64),
}

impl observe::Witness for Witness {
    fn seen(&self, seen: Seen) {
        let Seen { at, by_client, what, .. } = seen;
        let by = if by_client { Side::Client } else { Side::Server };
        self.look(|watch| {
            match what {
                Event::Sent(bytes) => watch.sent(by, at, &bytes),
                Event::Closed => watch.closed(by, at),
                Event::Reset => watch.reset(by, at),
            }
            if watch.is_decided() { Look::Decided(at) } else { Look::On }
        });
    }

    fn goes_on(&self, at: u64) {
        self.look(|watch| if at.saturating_sub(watch.last()) >= SILENCE { Look::Decided(at) } else { Look::On });
    }
}

impl Drop for Witness {
    fn drop(&mut self) {
        let seeing = self.seeing.get_mut().unwrap_or_else(PoisonError::into_inner);
        if let Some(seen) = seeing.take() {
            self.desk.decide(seen, now());
        }
    }
}

/// A share of the memory that undecided handshakes may take; given back when it is dropped.
pub(super) struct Share {
    bytes: usize,
    counts: Arc<Counts>,
}

impl Share {
    /// Makes it so many bytes; `false` where there is no room.
    fn is(&mut self, bytes: usize) -> bool {
        let held = &self.counts.held;
        let all = match bytes.checked_sub(self.bytes) {
            Some(more) => held.fetch_add(more, Ordering::Relaxed).saturating_add(more),
            None => held.fetch_sub(self.bytes - bytes, Ordering::Relaxed),
        };
        self.bytes = bytes;
        all <= MOST_HELD
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        self.counts.held.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tlswhy_gather::observe::Witness as _;

    fn arrival(connection: u64) -> Arrival {
        let [client, server] = [1234, 443].map(|port| SocketAddr::from(([127, 0, 0, 1], port)));
        Arrival { connection, client, at: 1, server: Ok(server) }
    }

    fn sent(bytes: &[u8]) -> Seen {
        Seen { connection: 1, at: 2, by_client: true, what: Event::Sent(bytes.to_vec()) }
    }

    #[test]
    fn what_waits_is_bounded_and_what_is_beyond_is_counted() {
        let (desk, counts, mut comes) = Desk::new();
        // The beginning of a hello that never ends, as long as a record can be.
        let endless = [&[22, 3, 1, 0x40, 0, 1, 0, 0xff, 0xff][..], &[0; 16_000]].concat();
        let witnesses: Vec<Witness> = (0..6000).map(|number| desk.witness(arrival(number))).collect();
        for witness in &witnesses {
            witness.seen(sent(&endless));
        }
        assert!(counts.held.load(Ordering::Relaxed) <= MOST_HELD, "{}", counts.held.load(Ordering::Relaxed));
        assert!(counts.overlooked.load(Ordering::Relaxed) > 1000);
        drop(witnesses);
        let mut waiting = 0;
        while comes.try_recv().is_ok() {
            waiting += 1;
        }
        assert_eq!((waiting, counts.held.load(Ordering::Relaxed)), (MOST_WAITING, 0));
    }

    #[test]
    fn a_connection_on_which_nothing_is_said_is_decided_as_it_stands() {
        let (desk, _, mut comes) = Desk::new();
        let witness = desk.witness(arrival(1));
        witness.goes_on(SILENCE);
        assert!(comes.try_recv().is_err());
        witness.goes_on(SILENCE + 1);
        assert!(matches!(comes.try_recv(), Ok(Passed::WithoutTls)));
        drop(witness);
        assert!(comes.try_recv().is_err());
    }
}
