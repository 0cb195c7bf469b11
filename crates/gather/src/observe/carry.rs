//! One connection, carried between a client and a server byte for byte, and told of.

use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;
use tokio::net::tcp::{ReadHalf, WriteHalf};
use tokio::time::timeout;

/// How much of each direction is told of; what comes later is carried alone. With it the largest first flights are seen whole.
const MOST_TOLD: usize = 192 * 1024;
/// How much is carried at once.
const CHUNK: usize = 32 * 1024;

/// Something that was seen of a connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    /// The connection, as it was announced.
    pub connection: u64,
    /// When, in nanoseconds since 1970.
    pub at: u64,
    /// Whether the client did it.
    pub by_client: bool,
    /// What.
    pub what: Event,
}

/// What one side did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// It sent these bytes.
    Sent(Vec<u8>),
    /// It closed its direction.
    Closed,
    /// It reset the connection.
    Reset,
}

/// Carries both directions until both have ended, or one is reset: then both are. A client that stays longer than `parting` after
/// the server has closed is reset too.
pub(super) async fn carry(
    connection: u64,
    mut client: TcpStream,
    mut server: TcpStream,
    parting: Option<Duration>,
    told: &(impl Fn(Seen) + Sync),
) {
    for stream in [&client, &server] {
        stream.set_nodelay(true).ok();
    }
    if both_ways(connection, &mut client, &mut server, parting, told).await.is_err() {
        for stream in [&client, &server] {
            stream.set_zero_linger().ok();
        }
    }
}

async fn both_ways(
    connection: u64,
    client: &mut TcpStream,
    server: &mut TcpStream,
    parting: Option<Duration>,
    told: &(impl Fn(Seen) + Sync),
) -> Result<(), Broken> {
    let (from_client, to_client) = client.split();
    let (from_server, to_server) = server.split();
    // Whether the client, or the server, was found gone by what was written to it.
    let (client_gone, server_gone) = (AtomicBool::new(false), AtomicBool::new(false));
    let there = Way { connection, by_client: true, told, is_gone: &client_gone, other_is_gone: &server_gone };
    let back = Way { connection, by_client: false, told, is_gone: &server_gone, other_is_gone: &client_gone };
    let there = carry_one_way(there, from_client, to_server);
    let back = carry_one_way(back, from_server, to_client);
    tokio::pin!(there, back);
    tokio::select! {
        ended = &mut there => match ended {
            Ok(()) => back.await,
            broken => broken,
        },
        ended = &mut back => match (ended, parting) {
            (Ok(()), Some(parting)) => timeout(parting, there).await.unwrap_or(Err(Broken)),
            (Ok(()), None) => there.await,
            (broken, _) => broken,
        },
    }
}

/// One direction of a connection.
struct Way<'a, T> {
    connection: u64,
    by_client: bool,
    told: &'a T,
    /// Whether the side that is read from takes nothing any more.
    is_gone: &'a AtomicBool,
    other_is_gone: &'a AtomicBool,
}

impl<T: Fn(Seen)> Way<'_, T> {
    fn tell(&self, what: Event) {
        (self.told)(Seen { connection: self.connection, at: now(), by_client: self.by_client, what });
    }
}

/// A direction was reset.
struct Broken;

async fn carry_one_way<T: Fn(Seen)>(way: Way<'_, T>, from: ReadHalf<'_>, mut to: WriteHalf<'_>) -> Result<(), Broken> {
    let mut told = 0;
    loop {
        let bytes = match read(&from).await {
            // The error of a reset is given once, and writing may have had it.
            Ok(bytes) if bytes.is_empty() && !way.is_gone.load(Ordering::Relaxed) => {
                way.tell(Event::Closed);
                // The other side may have gone in the meantime.
                let _ = to.shutdown().await;
                return Ok(());
            }
            Ok(bytes) if !bytes.is_empty() => bytes,
            Ok(_) | Err(_) => {
                way.tell(Event::Reset);
                return Err(Broken);
            }
        };
        // Told before it is passed on: the answer to it must not come first.
        if told < MOST_TOLD {
            told += bytes.len();
            way.tell(Event::Sent(bytes.clone()));
        }
        if to.write_all(&bytes).await.is_err() {
            // What the other side sent before it went is still to be read; its own way ends the connection behind that.
            way.other_is_gone.store(true, Ordering::Relaxed);
            return Ok(());
        }
    }
}

/// What came; nothing at the end. A connection that waits holds no memory for it.
async fn read(from: &ReadHalf<'_>) -> io::Result<Vec<u8>> {
    loop {
        from.readable().await?;
        match take(from) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            taken => return taken,
        }
    }
}

fn take(from: &ReadHalf<'_>) -> io::Result<Vec<u8>> {
    let mut buffer = [0; CHUNK];
    let count = from.try_read(&mut buffer)?;
    Ok(buffer.get(..count).unwrap_or_default().to_vec())
}

/// Nanoseconds since 1970, as [`Seen`] counts them.
pub fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| u64::try_from(since.as_nanos()).unwrap_or(u64::MAX))
}
