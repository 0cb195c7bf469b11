//! A place in front of a server: every client that comes is carried on to it, within bounds, and told of.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tlswhy_model::Ending;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::time::{sleep, timeout};

use super::carry::{Seen, carry, now};
use super::relay::listen;
use crate::connection::dial;
use crate::resolve;

/// Clients that are carried at once, where descriptors allow it; the rest wait in the system's queue.
const AT_ONCE: usize = 10_000;
/// Descriptors that are kept for everything else.
const SPARE: u64 = 128;
/// How long one address of the server is waited for, and how many are tried.
const PATIENCE: Duration = Duration::from_secs(5);
const MOST_ADDRESSES: usize = 4;
/// The shortest time between two questions for the server's addresses.
const ASK_AGAIN: Duration = Duration::from_secs(1);
/// How long a client may stay after the server has closed, as long as Linux waits there (`tcp_fin_timeout`).
const PARTING: Duration = Duration::from_secs(60);
/// After so long a witness is told that a connection goes on.
const QUIET: Duration = Duration::from_secs(15);
/// The pause where no connection can be taken.
const SHORTAGE: Duration = Duration::from_millis(50);

/// A client that came.
#[derive(Clone, Debug)]
pub struct Arrival {
    /// Counts from 1.
    pub connection: u64,
    /// Address and port of the client.
    pub client: SocketAddr,
    /// When it came, in nanoseconds since 1970.
    pub at: u64,
    /// The address of the server that carries it on; why none does.
    pub server: Result<SocketAddr, Unreached>,
}

/// Why a server could not be reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unreached {
    /// The address that was tried last; `None` where the name has none.
    pub address: Option<SocketAddr>,
    /// What came of it.
    pub ending: Ending,
}

/// Whoever sees what passes on one connection; dropped when it has ended.
pub trait Witness: Send + Sync + 'static {
    /// Something was seen.
    fn seen(&self, seen: Seen);
    /// The connection goes on; this comes every fifteen seconds.
    fn goes_on(&self, at: u64);
}

/// The place. It listens from its making on.
#[derive(Debug)]
pub struct Front {
    listener: TcpListener,
    address: SocketAddr,
    way: Way,
}

/// The way on to the server.
#[derive(Debug)]
struct Way {
    host: String,
    port: u16,
    known: Mutex<Known>,
}

#[derive(Debug)]
struct Known {
    addresses: Vec<SocketAddr>,
    asked: Instant,
}

impl Front {
    /// Begins to listen before this server; needs a runtime.
    ///
    /// # Errors
    /// The address cannot be had, the server's name has no address, or the two are the same place.
    pub async fn before(host: &str, port: u16, at: SocketAddr) -> io::Result<Front> {
        let way =
            Way { host: host.to_owned(), port, known: Mutex::new(Known { addresses: Vec::new(), asked: Instant::now() }) };
        let addresses = way.ask().await.map_err(|why| io::Error::other(format!("{host} has no address: {why}")))?;
        let listener = listen(at)?;
        let address = listener.local_addr()?;
        let is_here = |other: &SocketAddr| {
            let ip = address.ip();
            other.port() == address.port() && (other.ip() == ip || ip.is_unspecified() && other.ip().is_loopback())
        };
        if addresses.iter().any(is_here) {
            return Err(io::Error::other("the target is this very place: it would be carried to itself without an end"));
        }
        Ok(Front { listener, address, way })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Carries everybody who comes, so many in all where a number is given, and ends once they have. `meet` makes the witness of each.
    pub async fn serve<W: Witness>(self, count: Option<u64>, meet: impl Fn(Arrival) -> W + Send + Sync + 'static) {
        let Front { listener, way, .. } = self;
        let at_once = room();
        let places = Arc::new(Semaphore::new(at_once));
        let (way, meet) = (Arc::new(way), Arc::new(meet));
        let mut connection = 0;
        while count.is_none_or(|count| connection < count)
            && let Ok(place) = Arc::clone(&places).acquire_owned().await
        {
            let Ok((stream, client)) = listener.accept().await else {
                // The client went away at once, or descriptors are short for the moment.
                sleep(SHORTAGE).await;
                continue;
            };
            connection += 1;
            let (way, meet) = (Arc::clone(&way), Arc::clone(&meet));
            tokio::spawn(async move {
                way.pass(connection, client, stream, &*meet).await;
                drop(place);
            });
        }
        drop(listener);
        // Every place is free again once the last connection has ended.
        let _ = places.acquire_many(u32::try_from(at_once).unwrap_or(u32::MAX)).await;
    }
}

impl Way {
    async fn pass<W: Witness>(
        &self,
        connection: u64,
        client: SocketAddr,
        stream: TcpStream,
        meet: &(impl Fn(Arrival) -> W + Sync),
    ) {
        let at = now();
        let reached = self.reach().await;
        let server = reached.as_ref().map(|(address, _)| *address).map_err(Clone::clone);
        let client = SocketAddr::new(client.ip().to_canonical(), client.port());
        let witness = meet(Arrival { connection, client, at, server });
        let Ok((_, onward)) = reached else {
            // What a client meets whose server is not there.
            stream.set_zero_linger().ok();
            return;
        };
        let tell = |seen| witness.seen(seen);
        let carried = carry(connection, stream, onward, Some(PARTING), &tell);
        tokio::pin!(carried);
        while timeout(QUIET, &mut carried).await.is_err() {
            witness.goes_on(now());
        }
    }

    /// A connection to the server; where its addresses do not answer, its name is looked up again.
    async fn reach(&self) -> Result<(SocketAddr, TcpStream), Unreached> {
        let known = self.known().addresses.clone();
        let why = match dial_any(&known).await {
            Ok(reached) => return Ok(reached),
            Err(why) => why,
        };
        if self.host.parse::<IpAddr>().is_ok() || self.known().asked.elapsed() < ASK_AGAIN {
            return Err(why);
        }
        match self.ask().await {
            Ok(addresses) if addresses != known => dial_any(&addresses).await,
            Ok(_) => Err(why),
            Err(unresolved) => Err(Unreached { address: None, ending: Ending::Unreachable { detail: unresolved } }),
        }
    }

    async fn ask(&self) -> Result<Vec<SocketAddr>, String> {
        self.known().asked = Instant::now();
        let found = resolve(self.host.clone(), PATIENCE).await;
        let addresses =
            found.addresses.iter().take(MOST_ADDRESSES).map(|ip| SocketAddr::new(*ip, self.port)).collect::<Vec<_>>();
        if addresses.is_empty() {
            return Err(found.error.unwrap_or_else(|| "it has no address".to_owned()));
        }
        self.known().addresses.clone_from(&addresses);
        Ok(addresses)
    }

    fn known(&self) -> std::sync::MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The first of these addresses that answers; why the last does not.
async fn dial_any(addresses: &[SocketAddr]) -> Result<(SocketAddr, TcpStream), Unreached> {
    let mut why = Unreached { address: None, ending: Ending::Unreachable { detail: "it has no address".to_owned() } };
    for address in addresses {
        match dial(*address, PATIENCE).await {
            Ok(stream) => return Ok((*address, stream)),
            Err(ending) => why = Unreached { address: Some(*address), ending },
        }
    }
    Err(why)
}

/// How many clients can be carried at once: each takes two descriptors, of which this process takes as many as it may.
fn room() -> usize {
    let descriptors = descriptors().map(|most| most.saturating_sub(SPARE) / 2);
    descriptors.and_then(|most| usize::try_from(most).ok()).map_or(AT_ONCE, |most| most.clamp(1, AT_ONCE))
}

#[cfg(unix)]
fn descriptors() -> Option<u64> {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    let raised = setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum });
    if raised.is_ok() { maximum } else { current }
}

#[cfg(not(unix))]
fn descriptors() -> Option<u64> {
    None
}

#[cfg(test)]
mod tests {
    use super::super::carry::Event;
    use super::*;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};

    struct Telling(UnboundedSender<(bool, Event)>);

    impl Witness for Telling {
        fn seen(&self, seen: Seen) {
            let _ = self.0.send((seen.by_client, seen.what));
        }
        fn goes_on(&self, _: u64) {}
    }

    fn run<T>(test: impl Future<Output = T>) -> T {
        tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(test)
    }

    fn loopback() -> SocketAddr {
        "127.0.0.1:0".parse().unwrap()
    }

    #[test]
    fn so_many_clients_are_carried_and_then_it_ends() {
        run(async {
            let server = TcpListener::bind(loopback()).await.unwrap();
            let front = Front::before("localhost", server.local_addr().unwrap().port(), loopback()).await.unwrap();
            let address = front.address();
            let (told, mut seen) = unbounded_channel();
            let serving = tokio::spawn(front.serve(Some(2), move |arrival| {
                assert_eq!(arrival.server.unwrap().port(), server.local_addr().unwrap().port());
                Telling(told.clone())
            }));
            for word in [b"one", b"two"] {
                let mut client = TcpStream::connect(address).await.unwrap();
                client.write_all(word).await.unwrap();
            }
            let mut said = Vec::new();
            while said.len() < 2 {
                if let (true, Event::Sent(bytes)) = seen.recv().await.unwrap() {
                    said.push(bytes);
                }
            }
            said.sort();
            assert_eq!(said, [b"one", b"two"]);
            // Whoever comes after them is refused.
            assert!(TcpStream::connect(address).await.is_err());
            serving.abort();
        });
    }

    #[test]
    fn a_server_that_is_not_there_is_told_and_the_client_is_reset() {
        run(async {
            let gone = TcpListener::bind(loopback()).await.unwrap().local_addr().unwrap();
            let front = Front::before("127.0.0.1", gone.port(), loopback()).await.unwrap();
            let address = front.address();
            let (told, mut seen) = unbounded_channel();
            let serving = front.serve(Some(1), move |arrival| {
                assert_eq!(arrival.server.unwrap_err(), Unreached { address: Some(gone), ending: Ending::Refused });
                Telling(told.clone())
            });
            let client = async {
                let mut client = TcpStream::connect(address).await.unwrap();
                client.read(&mut [0; 8]).await.unwrap_err()
            };
            let ((), error) = tokio::join!(serving, client);
            assert_eq!(error.kind(), io::ErrorKind::ConnectionReset);
            assert!(seen.recv().await.is_none());
        });
    }

    #[test]
    fn it_does_not_stand_in_front_of_itself() {
        run(async {
            let taken = TcpListener::bind(loopback()).await.unwrap().local_addr().unwrap();
            let error = Front::before("localhost", taken.port(), taken).await.unwrap_err();
            assert!(error.to_string().contains("this very place"), "{error}");
        });
    }
}
