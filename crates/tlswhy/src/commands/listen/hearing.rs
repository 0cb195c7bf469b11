//! Clients come in: each is heard, answered and handed over, within bounds.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use rustls::ServerConfig;
use tlswhy_gather::observe::{FirstWords, Heard, hear};
use tlswhy_wire::upgrade::Upgrade;
use tlswhy_wire::{AlertDescription, AlertLevel, ContentType};
use tokio::io::AsyncWriteExt as _;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, mpsc};
use tokio::time::{sleep, timeout};

use crate::serving::{Served, close_gently, converse};

/// How many clients are heard at once; the rest wait in the system's queue. With what one may send this bounds the memory.
const AT_ONCE: usize = 256;
/// How long a client may take for its hello, and for the handshake after it.
const PATIENCE: Duration = Duration::from_secs(10);
/// The pause where this process has no descriptor left.
const SHORTAGE: Duration = Duration::from_millis(50);

/// One client that came.
pub(super) struct Visit {
    pub(super) peer: SocketAddr,
    pub(super) words: FirstWords,
    pub(super) answered: Answered,
}

/// What became of its handshake.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Answered {
    /// It got an alert: no certificate was given.
    Turned,
    /// It was carried on.
    Served(Served),
}

/// Hears everybody who comes, in tasks of their own, behind this upgrade where one is given; needs a runtime. Ends when the receiver
/// is dropped.
pub(super) fn receive(
    listener: TcpListener,
    upgrade: Option<&'static Upgrade>,
    config: Option<Arc<ServerConfig>>,
) -> mpsc::Receiver<Visit> {
    let (sender, receiver) = mpsc::channel(16);
    tokio::spawn(async move {
        let places = Arc::new(Semaphore::new(AT_ONCE));
        while let Ok(place) = Arc::clone(&places).acquire_owned().await {
            let (stream, peer) = match listener.accept().await {
                Ok(accepted) => accepted,
                // The client went away at once, or there are too many descriptors: the next one may fare better.
                Err(_) => {
                    sleep(SHORTAGE).await;
                    continue;
                }
            };
            if sender.is_closed() {
                return;
            }
            let (sender, config) = (sender.clone(), config.clone());
            tokio::spawn(async move {
                let visit = visit(stream, peer, upgrade, config).await;
                drop(place);
                // Whoever listened has gone.
                let _ = sender.send(visit).await;
            });
        }
    });
    receiver
}

async fn visit(
    mut stream: TcpStream,
    peer: SocketAddr,
    upgrade: Option<&'static Upgrade>,
    config: Option<Arc<ServerConfig>>,
) -> Visit {
    stream.set_nodelay(true).ok();
    let Heard { words, received } = hear(&mut stream, upgrade, PATIENCE).await;
    let answered = match (&words, config) {
        (FirstWords::Hello(..), Some(config)) => {
            let served = timeout(PATIENCE, converse(stream, config, received, thanks)).await;
            Answered::Served(match served {
                Ok(Ok(served)) => served,
                // A connection that breaks, or is left standing, ends without a word.
                Ok(Err(_)) | Err(_) => Served::Left,
            })
        }
        (FirstWords::Hello(..), None) => {
            let _ = turn_away(stream).await;
            Answered::Turned
        }
        _ => Answered::Turned,
    };
    Visit { peer, words, answered }
}

/// Ends the handshake with an alert that leads no client to try again otherwise, and that says who did it (RFC 8446 §6.1).
async fn turn_away(mut stream: TcpStream) -> io::Result<()> {
    let alert = [ContentType::ALERT.0, 3, 3, 0, 2, AlertLevel::FATAL.0, AlertDescription::USER_CANCELED.0];
    stream.write_all(&alert).await?;
    close_gently(stream).await
}

fn thanks() -> String {
    let text = "tlswhy has recorded this client.\n";
    format!("HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{text}", text.len())
}
