//! The server's side of a handshake, for clients that come to us: how it is carried, and how a connection ends gently.

use std::io::{self, Read, Write};
use std::sync::Arc;
use std::time::Duration;

use rustls::{AlertDescription, ServerConfig, ServerConnection};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// How long the other side may take to close, once we have.
const PARTING: Duration = Duration::from_millis(300);

/// How a handshake with a client went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Served {
    /// It stood, and the client went away in its own time or had its request answered.
    Finished,
    /// The client ended it with this alert.
    Alert(AlertDescription),
    /// We could not go on with what the client offers or sends.
    Refused(String),
    /// The client went away before it stood.
    Left,
}

/// Carries bytes between a connection and rustls until one of them has enough; `received` came before. A request of HTTP gets
/// `response` and ends it.
pub(crate) async fn converse(
    mut stream: TcpStream,
    config: Arc<ServerConfig>,
    mut received: Vec<u8>,
    response: impl Fn() -> String,
) -> io::Result<Served> {
    let mut tls = ServerConnection::new(config).map_err(io::Error::other)?;
    loop {
        let mut rest = received.as_slice();
        while !rest.is_empty() {
            tls.read_tls(&mut rest)?;
            let state = tls.process_new_packets();
            let mut said = Vec::new();
            // It always ends with the complaint that nothing more is there.
            let _ = tls.reader().read_to_end(&mut said);
            let asks = [&b"GET "[..], b"HEAD "].iter().any(|method| said.starts_with(method));
            if asks {
                tls.writer().write_all(response().as_bytes())?;
                tls.send_close_notify();
            }
            let mut send = Vec::new();
            while tls.wants_write() {
                tls.write_tls(&mut send)?;
            }
            stream.write_all(&send).await?;
            let ended = match state {
                Err(rustls::Error::AlertReceived(description)) => Some(Served::Alert(description)),
                Err(error) => Some(Served::Refused(error.to_string())),
                Ok(state) if state.peer_has_closed() && tls.is_handshaking() => Some(Served::Left),
                // Another protocol goes on within, which is not spoken here.
                Ok(_) if !said.is_empty() => Some(Served::Finished),
                Ok(state) if state.peer_has_closed() => Some(Served::Finished),
                Ok(_) => None,
            };
            if let Some(ended) = ended {
                close_gently(stream).await?;
                return Ok(ended);
            }
        }
        received.clear();
        if stream.read_buf(&mut received).await? == 0 {
            return Ok(if tls.is_handshaking() { Served::Left } else { Served::Finished });
        }
    }
}

/// Closes so that what was sent arrives: no reset for what the other side still says.
pub(crate) async fn close_gently(mut stream: TcpStream) -> io::Result<()> {
    stream.shutdown().await?;
    let rest = async { while stream.read(&mut [0; 4096]).await.is_ok_and(|count| count > 0) {} };
    // Whoever takes longer is left alone.
    let _ = timeout(PARTING, rest).await;
    Ok(())
}
