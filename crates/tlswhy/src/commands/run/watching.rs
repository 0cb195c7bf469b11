//! What is seen of a command's connections, put together.

use std::collections::HashMap;
use std::net::{Ipv4Addr, SocketAddr};

use tlswhy_capture::{Handshake, Side, Watch};
use tlswhy_gather::observe::{Dialled, Event, Process, Seen};

/// Connections that are remembered; what is beyond them is only counted.
const MOST_CONNECTIONS: usize = 10_000;

/// A connection of the command.
#[derive(Debug)]
pub(super) struct Made {
    pub(super) destination: SocketAddr,
    pub(super) process: Process,
    /// Why it was not watched.
    pub(super) unwatched: Option<String>,
    watch: Option<Watch>,
}

/// All of them.
#[derive(Debug, Default)]
pub(super) struct Watching {
    made: HashMap<u64, Made>,
    /// Connections beyond those that are remembered.
    pub(super) forgotten: u64,
}

impl Watching {
    /// A connection was made, or tried. Told before anything is seen of it.
    pub(super) fn dialled(&mut self, dialled: Dialled, at: u64) {
        let Dialled { connection, destination, process, watched } = dialled;
        if self.made.len() >= MOST_CONNECTIONS {
            self.forgotten += 1;
            return;
        }
        let unwatched = watched.err();
        let port = u16::try_from(connection % 60_000).unwrap_or(0);
        // The command's own port was the relay's; only the order of connections matters here.
        let client = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let watch = unwatched.is_none().then(|| Watch::new(client, destination, at));
        self.made.insert(connection, Made { destination, process, unwatched, watch });
    }

    /// Whether no connection was tried.
    pub(super) fn is_empty(&self) -> bool {
        self.made.is_empty()
    }

    /// Something was seen of a connection.
    pub(super) fn seen(&mut self, seen: Seen) {
        let watch = self.made.get_mut(&seen.connection).and_then(|made| made.watch.as_mut());
        let Some(watch) = watch.filter(|watch| !watch.is_decided()) else { return };
        let by = if seen.by_client { Side::Client } else { Side::Server };
        match seen.what {
            Event::Sent(bytes) => watch.sent(by, seen.at, &bytes),
            Event::Closed => watch.closed(by, seen.at),
            Event::Reset => watch.reset(by, seen.at),
        }
    }

    /// Every connection in the order in which they were made, with its handshake where it had one.
    pub(super) fn end(self, until: u64) -> Vec<(Made, Option<Handshake>)> {
        let mut made: Vec<(u64, Made)> = self.made.into_iter().collect();
        made.sort_by_key(|(connection, _)| *connection);
        let ended = made.into_iter().map(|(_, mut made)| {
            let handshake = made.watch.take().and_then(|watch| watch.handshake(until));
            (made, handshake)
        });
        ended.collect()
    }
}
