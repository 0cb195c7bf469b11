//! One TCP connection: every way in which it can begin and end, kept apart, with its times.

use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use tlswhy_model::{Awaited, Ending, Timing};
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;
use tokio::time::{sleep, timeout};

use crate::handshake::Flight;

/// The most bytes that are read of one connection.
pub(crate) const MOST_RECEIVED: usize = 256 * 1024;
/// How much is read at once.
const CHUNK: usize = 4096;
/// The pause between two writes that shall leave as two segments, and the most that all of them may last.
const SEGMENT_PAUSE: Duration = Duration::from_millis(10);
const SEGMENT_PAUSES: Duration = Duration::from_millis(300);

/// The moments of an attempt.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Clock {
    examination: Instant,
    attempt: Instant,
}

impl Clock {
    /// Starts an attempt, `examination` being when the whole examination began.
    pub(crate) fn start(examination: Instant) -> Clock {
        Clock { examination, attempt: Instant::now() }
    }

    /// Milliseconds since the attempt began.
    pub(crate) fn now(&self) -> f64 {
        milliseconds(self.attempt.elapsed())
    }

    /// The timing of an attempt that begins.
    pub(crate) fn timing(&self) -> Timing {
        let started_ms = milliseconds(self.attempt.saturating_duration_since(self.examination));
        Timing { started_ms, ..Timing::default() }
    }
}

/// Milliseconds, rounded to microseconds.
pub(crate) fn milliseconds(duration: Duration) -> f64 {
    duration.as_micros() as f64 / 1000.0
}

/// Opens a TCP connection. The error is how the attempt ended.
pub(crate) async fn dial(address: SocketAddr, limit: Duration) -> Result<TcpStream, Ending> {
    let began = Instant::now();
    let timed_out = || Ending::ConnectTimedOut { waited_ms: began.elapsed().as_millis() as u64 };
    match timeout(limit, TcpStream::connect(address)).await {
        Ok(Ok(stream)) => {
            // Without it, a second small write waits for the first one's acknowledgement.
            stream.set_nodelay(true).ok();
            Ok(stream)
        }
        Ok(Err(error)) => Err(match error.kind() {
            ErrorKind::ConnectionRefused => Ending::Refused,
            ErrorKind::ConnectionReset | ErrorKind::ConnectionAborted => Ending::Reset { awaited: Awaited::ServerHello },
            ErrorKind::TimedOut => timed_out(),
            _ if is_own_shortage(&error) => Ending::Impossible { reason: error.to_string() },
            _ => Ending::Unreachable { detail: error.to_string() },
        }),
        Err(_) => Err(timed_out()),
    }
}

/// Too many open files, of this process or of the system.
fn is_own_shortage(error: &io::Error) -> bool {
    cfg!(unix) && matches!(error.raw_os_error(), Some(23 | 24))
}

/// What came of waiting.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Arrival {
    /// More bytes.
    Data,
    /// The other side's FIN.
    Closed,
    /// A RST.
    Reset,
    /// Nothing within the time.
    Quiet,
    /// More than is read.
    TooMuch,
    /// The network's complaint while the connection stood.
    Broken(String),
}

/// A connection that stands.
pub(crate) struct Connection {
    stream: TcpStream,
    /// A write failed so: what had come before can still be read, and after it this is the ending.
    write_failed: bool,
}

impl Connection {
    pub(crate) fn new(stream: TcpStream) -> Connection {
        Connection { stream, write_failed: false }
    }

    /// The stream itself, for what is said after a dialogue.
    pub(crate) fn into_stream(self) -> TcpStream {
        self.stream
    }

    /// Appends what comes to `buffer`.
    pub(crate) async fn receive(&mut self, buffer: &mut Vec<u8>, wait: Duration) -> Arrival {
        if buffer.len() >= MOST_RECEIVED {
            return Arrival::TooMuch;
        }
        let began = Instant::now();
        loop {
            let left = wait.saturating_sub(began.elapsed());
            match timeout(left, self.stream.readable()).await {
                Err(_) => return Arrival::Quiet,
                Ok(Err(error)) => return Arrival::Broken(error.to_string()),
                Ok(Ok(())) => {}
            }
            buffer.reserve(CHUNK);
            match self.stream.try_read_buf(buffer) {
                Ok(0) if self.write_failed => return Arrival::Reset,
                Ok(0) => return Arrival::Closed,
                Ok(_) => return Arrival::Data,
                Err(error) => match error.kind() {
                    ErrorKind::WouldBlock | ErrorKind::Interrupted => {}
                    ErrorKind::ConnectionReset | ErrorKind::BrokenPipe | ErrorKind::ConnectionAborted => {
                        return Arrival::Reset;
                    }
                    ErrorKind::TimedOut => return Arrival::Quiet,
                    _ => return Arrival::Broken(error.to_string()),
                },
            }
        }
    }

    /// Sends, in several segments if the flight says so. A failure shows in what [`Connection::receive`] says next.
    pub(crate) async fn send(&mut self, flight: &Flight, limit: Duration) {
        let pauses = flight.writes.len().saturating_sub(1);
        let pause = SEGMENT_PAUSE.min(SEGMENT_PAUSES / u32::try_from(pauses.max(1)).unwrap_or(u32::MAX));
        for (index, write) in flight.writes.iter().enumerate() {
            if index > 0 {
                sleep(pause).await;
            }
            let bytes = flight.bytes.get(write.clone()).unwrap_or_default();
            match timeout(limit, self.stream.write_all(bytes)).await {
                Ok(Ok(())) => {}
                Ok(Err(_)) => {
                    self.write_failed = true;
                    return;
                }
                // It does not read; whether it still says something shows next.
                Err(_) => return,
            }
        }
    }
}
