//! Servers inside this process, on 127.0.0.1: what they share, and those that never come to TLS.

use std::future::Future;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use tlswhy_gather::{OldServer, OldServerPolicy};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpSocket, TcpStream, lookup_host};
use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::serving::close_gently;

/// Longer than a connection within this machine takes, wherever it is accepted at all.
const NO_ANSWER: Duration = Duration::from_millis(60);
/// Connections that a full queue may hold, generously.
const MOST_WAITING: usize = 16;

/// A server that runs until this is dropped.
pub(crate) struct Peer {
    /// Where it is; nowhere for a name that does not resolve.
    pub(crate) address: Option<SocketAddr>,
    _running: Running,
}

/// What must live on.
enum Running {
    Nothing,
    /// Ends with the set.
    Task {
        _task: JoinSet<()>,
    },
    Queue {
        _listener: TcpListener,
        _waiting: Vec<TcpStream>,
    },
}

impl Peer {
    /// No server at all for a name that cannot exist, unless a resolver has an address even for that.
    pub(super) async fn nowhere(host: &str, wait: Duration) -> io::Result<Peer> {
        if let Ok(Ok(mut addresses)) = timeout(wait, lookup_host((host, 443))).await
            && addresses.next().is_some()
        {
            return Err(io::Error::other("its resolver gives an address even to names that cannot exist"));
        }
        Ok(Peer { address: None, _running: Running::Nothing })
    }

    /// Serves every connection in a task of its own; needs a runtime.
    pub(super) fn serve<F, S>(serve: F) -> io::Result<Peer>
    where
        F: Fn(TcpStream) -> S + Send + 'static,
        S: Future<Output = io::Result<()>> + Send + 'static,
    {
        let (listener, address) = listen(128)?;
        let mut task = JoinSet::new();
        task.spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                stream.set_nodelay(true).ok();
                let connection = serve(stream);
                // How a connection ends is for the other side to say.
                connections.spawn(async move { drop(connection.await) });
                while connections.try_join_next().is_some() {}
            }
        });
        Ok(Peer { address: Some(address), _running: Running::Task { _task: task } })
    }

    /// A port that nobody listens on.
    pub(super) fn closed() -> io::Result<Peer> {
        let (_, address) = listen(1)?;
        Ok(Peer { address: Some(address), _running: Running::Nothing })
    }

    /// A port whose queue of waiting connections is full, so that the kernel drops further requests (Linux, macOS, BSD).
    pub(super) async fn overrun() -> io::Result<Peer> {
        let (listener, address) = listen(1)?;
        let mut waiting = Vec::new();
        while waiting.len() < MOST_WAITING {
            match timeout(NO_ANSWER, TcpStream::connect(address)).await {
                Ok(Ok(stream)) => waiting.push(stream),
                Ok(Err(error)) => {
                    return Err(io::Error::other(format!("its system refuses what a full queue cannot take ({error})")));
                }
                Err(_) => {
                    let queue = Running::Queue { _listener: listener, _waiting: waiting };
                    return Ok(Peer { address: Some(address), _running: queue });
                }
            }
        }
        Err(io::Error::other("its system's queue of waiting connections does not fill up"))
    }

    /// Says the same to whatever comes.
    pub(super) fn answering(text: &'static str) -> io::Result<Peer> {
        Peer::serve(move |mut stream| async move {
            let _ = stream.read(&mut [0; 4096]).await?;
            stream.write_all(text.as_bytes()).await?;
            close_gently(stream).await
        })
    }

    /// A server of TLS 1.2 at most.
    pub(super) fn old(policy: OldServerPolicy) -> io::Result<Peer> {
        let policy = Arc::new(policy);
        Peer::serve(move |mut stream| {
            let mut server = OldServer::new(Arc::clone(&policy));
            async move {
                let mut buffer = [0; 4096];
                loop {
                    let count = stream.read(&mut buffer).await?;
                    let reply = server.receive(buffer.get(..count).unwrap_or_default());
                    stream.write_all(&reply.send).await?;
                    if reply.close || count == 0 {
                        return close_gently(stream).await;
                    }
                }
            }
        })
    }
}

fn listen(backlog: u32) -> io::Result<(TcpListener, SocketAddr)> {
    let socket = TcpSocket::new_v4()?;
    socket.bind(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)))?;
    let listener = socket.listen(backlog)?;
    let address = listener.local_addr()?;
    Ok((listener, address))
}
