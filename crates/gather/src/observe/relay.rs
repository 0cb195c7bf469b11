//! A relay on loopback: connections that were led to it are carried on to where they were meant, byte for byte, and told of.

use std::collections::HashMap;
use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::mpsc::UnboundedSender;
use tokio::time::sleep;

use super::carry::{Seen, carry};

/// Connections that may wait in the system's queue: a command may make hundreds at once.
const BACKLOG: u32 = 4096;
/// How many halves of connections wait for their other half, and for how long.
const MOST_WAITING: usize = 4096;
const PATIENCE: Duration = Duration::from_secs(10);

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
        // Whoever listened may have gone; the connection goes on.
        let tell = move |seen| drop(told.send(seen));
        tokio::spawn(async move { carry(connection, stream, onward, None, &tell).await });
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

pub(super) fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    // As everywhere but on Windows, where it would let others share the port: what the last one left does not block it.
    #[cfg(unix)]
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

#[cfg(test)]
mod tests {
    use super::super::carry::Event;
    use super::*;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
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
