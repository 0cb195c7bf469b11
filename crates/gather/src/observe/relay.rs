//! A relay on loopback: connections that were led to it are carried on to where they were meant, byte for byte, and told of.

use std::collections::HashMap;
use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::tcp::{ReadHalf, WriteHalf};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::mpsc::UnboundedSender;
use tokio::time::sleep;

/// Connections that may wait in the system's queue: a command may make hundreds at once.
const BACKLOG: u32 = 4096;
/// How many halves of connections wait for their other half, and for how long.
const MOST_WAITING: usize = 4096;
const PATIENCE: Duration = Duration::from_secs(10);
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

/// The relay. It runs until it is dropped and its connections have ended.
#[derive(Clone, Debug)]
pub struct Relay {
    v4: SocketAddr,
    v6: Option<SocketAddr>,
    halves: Arc<Mutex<HashMap<SocketAddr, Half>>>,
    told: UnboundedSender<Seen>,
}

/// One half of a connection, while it waits for the other.
#[derive(Debug)]
enum Half {
    /// The way on, under this number.
    Onward(u64, TcpStream),
    /// The client.
    Client(TcpStream),
}

impl Relay {
    /// Begins to listen; needs a runtime. What is seen goes to `told`.
    pub fn start(told: UnboundedSender<Seen>) -> io::Result<Relay> {
        let v4 = listen(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)))?;
        // A machine may have no IPv6 at all.
        let v6 = listen(SocketAddr::from((Ipv6Addr::LOCALHOST, 0))).ok();
        let relay = Relay {
            v4: v4.local_addr()?,
            v6: v6.as_ref().and_then(|listener| listener.local_addr().ok()),
            halves: Arc::default(),
            told,
        };
        for listener in [Some(v4), v6].into_iter().flatten() {
            let relay = relay.clone();
            tokio::spawn(async move { relay.accept(listener).await });
        }
        Ok(relay)
    }

    /// Where a client is led to.
    pub fn address(&self, is_ipv6: bool) -> SocketAddr {
        self.v6.filter(|_| is_ipv6).unwrap_or(self.v4)
    }

    /// The client whose socket has this address is to be carried on over `onward`. It may have come already.
    pub fn expect(&self, client: SocketAddr, connection: u64, onward: TcpStream) {
        self.meet(client, Half::Onward(connection, onward));
    }

    async fn accept(self, listener: TcpListener) {
        loop {
            match listener.accept().await {
                Ok((stream, peer)) => {
                    let peer = SocketAddr::new(peer.ip().to_canonical(), peer.port());
                    self.meet(peer, Half::Client(stream));
                }
                // The client went away at once, or descriptors are short for the moment.
                Err(_) => sleep(Duration::from_millis(10)).await,
            }
        }
    }

    /// Brings the halves of a connection together.
    fn meet(&self, client: SocketAddr, half: Half) {
        let other = {
            let mut halves = self.halves.lock().unwrap_or_else(PoisonError::into_inner);
            match halves.remove(&client) {
                Some(other) => other,
                None => {
                    if halves.len() < MOST_WAITING {
                        halves.insert(client, half);
                        self.forget_later(client);
                    }
                    return;
                }
            }
        };
        let (connection, onward, stream) = match (half, other) {
            (Half::Onward(connection, onward), Half::Client(stream))
            | (Half::Client(stream), Half::Onward(connection, onward)) => (connection, onward, stream),
            // The same address twice: the former is gone.
            (half, _) => return self.meet(client, half),
        };
        let told = self.told.clone();
        tokio::spawn(async move { carry(connection, stream, onward, &told).await });
    }

    /// Whoever connects here unasked is not kept.
    fn forget_later(&self, client: SocketAddr) {
        let halves = Arc::clone(&self.halves);
        tokio::spawn(async move {
            sleep(PATIENCE).await;
            halves.lock().unwrap_or_else(PoisonError::into_inner).remove(&client);
        });
    }
}

fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

/// Carries both directions until both have ended, or one is reset: then both are.
async fn carry(connection: u64, mut client: TcpStream, mut server: TcpStream, told: &UnboundedSender<Seen>) {
    for stream in [&client, &server] {
        stream.set_nodelay(true).ok();
    }
    let (from_client, to_client) = client.split();
    let (from_server, to_server) = server.split();
    // Whether the client, or the server, was found gone by what was written to it.
    let (client_gone, server_gone) = (AtomicBool::new(false), AtomicBool::new(false));
    let there = Way { connection, by_client: true, told, is_gone: &client_gone, other_is_gone: &server_gone };
    let back = Way { connection, by_client: false, told, is_gone: &server_gone, other_is_gone: &client_gone };
    let there = carry_one_way(there, from_client, to_server);
    let back = carry_one_way(back, from_server, to_client);
    if tokio::try_join!(there, back).is_err() {
        for stream in [&client, &server] {
            stream.set_zero_linger().ok();
        }
    }
}

/// One direction of a connection.
struct Way<'a> {
    connection: u64,
    by_client: bool,
    told: &'a UnboundedSender<Seen>,
    /// Whether the side that is read from takes nothing any more.
    is_gone: &'a AtomicBool,
    other_is_gone: &'a AtomicBool,
}

impl Way<'_> {
    fn tell(&self, what: Event) {
        // Whoever listened may have gone; the connection goes on.
        let _ = self.told.send(Seen { connection: self.connection, at: now(), by_client: self.by_client, what });
    }
}

/// A direction was reset.
struct Broken;

async fn carry_one_way(way: Way<'_>, mut from: ReadHalf<'_>, mut to: WriteHalf<'_>) -> Result<(), Broken> {
    let mut buffer = vec![0; CHUNK];
    let mut told = 0;
    loop {
        let count = match from.read(&mut buffer).await {
            // The error of a reset is given once, and writing may have had it.
            Ok(0) if !way.is_gone.load(Ordering::Relaxed) => {
                way.tell(Event::Closed);
                // The other side may have gone in the meantime.
                let _ = to.shutdown().await;
                return Ok(());
            }
            Ok(0) | Err(_) => {
                way.tell(Event::Reset);
                return Err(Broken);
            }
            Ok(count) => count,
        };
        let bytes = buffer.get(..count).unwrap_or_default();
        // Told before it is passed on: the answer to it must not come first.
        if told < MOST_TOLD {
            told += count;
            way.tell(Event::Sent(bytes.to_vec()));
        }
        if to.write_all(bytes).await.is_err() {
            // What the other side sent before it went is still to be read; its own way ends the connection behind that.
            way.other_is_gone.store(true, Ordering::Relaxed);
            return Ok(());
        }
    }
}

/// Nanoseconds since 1970, as [`Seen`] counts them.
pub fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| u64::try_from(since.as_nanos()).unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

    fn run<T>(test: impl Future<Output = T>) -> T {
        tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(test)
    }

    /// A client and a server with the relay between them.
    async fn between() -> (TcpStream, TcpStream, UnboundedReceiver<Seen>) {
        let server = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (told, seen) = unbounded_channel();
        let relay = Relay::start(told).unwrap();
        let onward = TcpStream::connect(server.local_addr().unwrap()).await.unwrap();
        let client = TcpStream::connect(relay.address(false)).await.unwrap();
        relay.expect(client.local_addr().unwrap(), 7, onward);
        let (server, _) = server.accept().await.unwrap();
        (client, server, seen)
    }

    #[test]
    fn bytes_and_half_closes_are_carried_and_told_in_their_order() {
        run(async {
            let (mut client, mut server, mut seen) = between().await;
            client.write_all(b"hello").await.unwrap();
            client.shutdown().await.unwrap();
            let mut heard = Vec::new();
            server.read_to_end(&mut heard).await.unwrap();
            assert_eq!(heard, b"hello");
            server.write_all(b"answer").await.unwrap();
            drop(server);
            let mut answer = Vec::new();
            client.read_to_end(&mut answer).await.unwrap();
            assert_eq!(answer, b"answer");
            let mut told = Vec::new();
            while told.len() < 4 {
                let Seen { connection, by_client, what, .. } = seen.recv().await.unwrap();
                assert_eq!(connection, 7);
                told.push((by_client, what));
            }
            let sent = |bytes: &[u8]| Event::Sent(bytes.to_vec());
            let expected = [(true, sent(b"hello")), (true, Event::Closed), (false, sent(b"answer")), (false, Event::Closed)];
            assert_eq!(told, expected);
        });
    }

    #[test]
    fn a_reset_reaches_the_other_side_as_one() {
        run(async {
            let (mut client, server, mut seen) = between().await;
            server.set_zero_linger().unwrap();
            drop(server);
            let error = client.read(&mut [0; 8]).await.unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::ConnectionReset);
            let Seen { by_client, what, .. } = seen.recv().await.unwrap();
            assert_eq!((by_client, what), (false, Event::Reset));
        });
    }

    #[test]
    fn what_a_client_said_before_it_reset_is_told() {
        run(async {
            let (mut client, mut server, mut seen) = between().await;
            // What was written and not read makes its close a reset; more than fits in between makes writing meet it first.
            let endless = tokio::spawn(async move { while server.write_all(&[0; 65536]).await.is_ok() {} });
            sleep(Duration::from_millis(50)).await;
            client.write_all(b"bye").await.unwrap();
            drop(client);
            endless.await.unwrap();
            let mut by_client = Vec::new();
            while let Ok(Some(event)) = tokio::time::timeout(Duration::from_secs(1), seen.recv()).await {
                if event.by_client {
                    by_client.push(event.what);
                }
            }
            assert_eq!(by_client, [Event::Sent(b"bye".to_vec()), Event::Reset]);
        });
    }
}
