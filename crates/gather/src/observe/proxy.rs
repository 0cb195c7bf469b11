//! A proxy on loopback, for a command whose connections cannot be led: what asks it is carried on, and told of.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use tlswhy_model::printable;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream, lookup_host};
use tokio::sync::mpsc::UnboundedSender;
use tokio::time::{sleep, timeout};

use super::carry::{Seen, carry};
use super::process::Process;
use super::relay::listen;
use super::steering::Dialled;

/// The longest head of a request, in bytes.
const LONGEST_HEAD: usize = 64 * 1024;
/// How long a client may take for it, and one address of a server for a connection.
const PATIENCE: Duration = Duration::from_secs(30);
/// How many addresses of a server are tried.
const MOST_ADDRESSES: usize = 4;

/// The proxy. It listens from its making on, and runs until its runtime ends.
#[derive(Debug)]
pub struct LocalProxy {
    listener: TcpListener,
    address: SocketAddr,
}

impl LocalProxy {
    /// Begins to listen; needs a runtime.
    pub fn start() -> io::Result<LocalProxy> {
        let listener = listen(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)))?;
        let address = listener.local_addr()?;
        Ok(LocalProxy { listener, address })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Serves whoever asks. Connections are told of before anything is seen of them.
    pub async fn serve(self, dialled: UnboundedSender<Dialled>, told: UnboundedSender<Seen>) {
        let mut connection = 0;
        loop {
            let Ok((client, _)) = self.listener.accept().await else {
                // The client went away at once, or descriptors are short for the moment.
                sleep(Duration::from_millis(10)).await;
                continue;
            };
            connection += 1;
            let (dialled, told) = (dialled.clone(), told.clone());
            tokio::spawn(async move {
                // A client that breaks off has had its answer, or wants none.
                let _ = pass(connection, client, &dialled, &told).await;
            });
        }
    }
}

async fn pass(
    connection: u64,
    mut client: TcpStream,
    dialled: &UnboundedSender<Dialled>,
    told: &UnboundedSender<Seen>,
) -> io::Result<()> {
    let Some(Request { host, port, ask }) = Request::read(&mut client).await? else {
        return answer(&mut client, "400 Bad Request", "this proxy knows CONNECT and http:// alone").await;
    };
    let (destination, reached) = match reach(&host, port).await {
        Ok(reached) => reached,
        Err(error) => return answer(&mut client, "502 Bad Gateway", &format!("{}: {error}", printable(&host, 255))).await,
    };
    let watched = reached.as_ref().map(drop).map_err(ToString::to_string);
    // Whoever listened may have gone; the command goes on.
    let _ = dialled.send(Dialled { connection, destination, process: Process::default(), watched });
    let mut onward = match reached {
        Ok(onward) => onward,
        Err(error) => return answer(&mut client, "502 Bad Gateway", &format!("{destination}: {error}")).await,
    };
    match ask {
        Ask::Tunnel => client.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n").await?,
        Ask::Plain { head } => onward.write_all(&head).await?,
    }
    carry(connection, client, onward, None, &|seen| drop(told.send(seen))).await;
    Ok(())
}

/// The first address that answers; else the last, and why it does not. The error is that the name has none.
async fn reach(host: &str, port: u16) -> io::Result<(SocketAddr, io::Result<TcpStream>)> {
    let mut last = None;
    for address in lookup_host((host, port)).await?.take(MOST_ADDRESSES) {
        let reached = match timeout(PATIENCE, TcpStream::connect(address)).await {
            Ok(reached) => reached,
            Err(_) => Err(io::ErrorKind::TimedOut.into()),
        };
        let is_reached = reached.is_ok();
        last = Some((address, reached));
        if is_reached {
            break;
        }
    }
    last.ok_or_else(|| io::Error::other("the name has no address"))
}

async fn answer(client: &mut TcpStream, status: &str, why: &str) -> io::Result<()> {
    let text = format!("tlswhy: {why}\n");
    let head =
        format!("HTTP/1.1 {status}\r\nContent-Type: text/plain\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", text.len());
    client.write_all((head + &text).as_bytes()).await?;
    client.shutdown().await
}

/// What a client wants.
#[derive(Debug, PartialEq, Eq)]
struct Request {
    host: String,
    port: u16,
    ask: Ask,
}

#[derive(Debug, PartialEq, Eq)]
enum Ask {
    /// A tunnel (RFC 9110 §9.3.6).
    Tunnel,
    /// A request without TLS; its head, as a server wants it.
    Plain { head: Vec<u8> },
}

impl Request {
    /// Reads the head of a request and nothing of what follows. `None` where it is none that can be carried on.
    async fn read(client: &mut TcpStream) -> io::Result<Option<Request>> {
        let mut head = Vec::new();
        let whole = async {
            while !head.ends_with(b"\r\n\r\n") && head.len() < LONGEST_HEAD {
                head.push(client.read_u8().await?);
            }
            Ok::<(), io::Error>(())
        };
        timeout(PATIENCE, whole).await??;
        Ok(Request::of(&head))
    }

    fn of(head: &[u8]) -> Option<Request> {
        let head = std::str::from_utf8(head).ok()?.strip_suffix("\r\n\r\n")?;
        let (first, fields) = head.split_once("\r\n").unwrap_or((head, ""));
        let mut words = first.split(' ');
        let (method, target, version) = (words.next()?, words.next()?, words.next()?);
        if method == "CONNECT" {
            let (host, port) = authority(target, None)?;
            return Some(Request { host, port, ask: Ask::Tunnel });
        }
        let rest = target.strip_prefix("http://")?;
        let (place, path) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
        let (host, port) = authority(place.rsplit('@').next()?, Some(80))?;
        let slash = if path.starts_with('/') { "" } else { "/" };
        // Each request comes anew: the next one may be meant for another server.
        let kept = fields.split("\r\n").filter(|field| !is_between_two(field) && !field.is_empty());
        let kept: String = kept.map(|field| format!("{field}\r\n")).collect();
        let head = format!("{method} {slash}{path} {version}\r\n{kept}Connection: close\r\n\r\n").into_bytes();
        Some(Request { host, port, ask: Ask::Plain { head } })
    }
}

/// Fields that concern the client and the proxy alone (RFC 9110 §7.6.1).
fn is_between_two(field: &str) -> bool {
    let name = field.split(':').next().unwrap_or_default();
    ["connection", "proxy-connection", "keep-alive", "proxy-authorization"].iter().any(|known| name.eq_ignore_ascii_case(known))
}

fn authority(text: &str, usual: Option<u16>) -> Option<(String, u16)> {
    let (host, port) = match text.rsplit_once(':').filter(|(_, port)| !port.ends_with(']')) {
        Some((host, port)) => (host, port.parse().ok()?),
        None => (text, usual?),
    };
    let host = host.trim_start_matches('[').trim_end_matches(']');
    (!host.is_empty()).then(|| (host.to_owned(), port))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tunnels_and_plain_requests_are_read_and_nothing_else() {
        let tunnel = |host: &str, port| Some(Request { host: host.to_owned(), port, ask: Ask::Tunnel });
        assert_eq!(Request::of(b"CONNECT a.test:443 HTTP/1.1\r\nHost: a.test\r\n\r\n"), tunnel("a.test", 443));
        assert_eq!(Request::of(b"CONNECT [::1]:8443 HTTP/1.1\r\n\r\n"), tunnel("::1", 8443));
        let plain =
            Request::of(b"GET http://me:x@a.test:81?b HTTP/1.1\r\nHost: a.test\r\nProxy-Connection: keep-alive\r\n\r\n");
        let head = b"GET /?b HTTP/1.1\r\nHost: a.test\r\nConnection: close\r\n\r\n".to_vec();
        assert_eq!(plain, Some(Request { host: "a.test".to_owned(), port: 81, ask: Ask::Plain { head } }));
        for refused in
            ["GET / HTTP/1.1\r\n\r\n", "CONNECT a.test HTTP/1.1\r\n\r\n", "CONNECT :1 HTTP/1.1\r\n\r\n", "\x16\x03\x01", ""]
        {
            assert_eq!(Request::of(refused.as_bytes()), None, "{refused}");
        }
    }
}
