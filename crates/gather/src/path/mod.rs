//! The way to a server, measured as an ordinary user: connection requests with a small TTL find the hops and how far the other end of
//! TCP is; then what fails is sent from one hop farther and nearer on connections that stand, until it is known from where on it is
//! answered, or lost.
//!
//! One packet after the other, all from one source port, so that all take the same way. Every connection is ended by a reset: the server
//! sees at most 70 that were opened and left.

mod plan;
mod prober;
mod size;
mod socket;
mod tcp_state;

use std::net::SocketAddr;
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use tlswhy_model::{Depth, Opening, PathMeasurement, PathQuestion};

use crate::Live;
use crate::connection::milliseconds;
use crate::handshake::Handshake;
use prober::Prober;
use socket::Socket;

/// Measures; `None` where nothing can be measured from here. Dropping the future ends the measurement after the packet under way.
pub(crate) async fn measure(live: &Live, question: PathQuestion, examination: Instant) -> Option<PathMeasurement> {
    // The way is one to a proxy there.
    if live.proxy.is_some() {
        return None;
    }
    let goes_on = Arc::new(());
    let watched = Arc::downgrade(&goes_on);
    let connect_timeout = live.connect_timeout;
    // One packet after the other, and a wait after each: that needs a thread, and no more.
    tokio::task::spawn_blocking(move || measure_here(question, connect_timeout, examination, watched)).await.ok()?
}

fn measure_here(
    question: PathQuestion,
    connect_timeout: Duration,
    examination: Instant,
    goes_on: Weak<()>,
) -> Option<PathMeasurement> {
    let bytes = |opening: &Option<Opening>| opening.as_ref().map(flight).transpose();
    let (test, control) = (bytes(&question.test).ok()?, bytes(&question.control).ok()?);
    let to = SocketAddr::new(question.address, question.port);
    // It holds the port while nothing else does.
    let holder = Socket::stream(to, 0).ok()?;
    let source_port = holder.source().ok()?.port();
    let began = Instant::now();
    let mut prober = Prober {
        to,
        source_port,
        source_address: None,
        test,
        control,
        connect_timeout,
        goes_on,
        began,
        round_trips: Vec::new(),
        words: Vec::new(),
        thinking: Duration::ZERO,
        segment: None,
        packet: None,
        probes: Vec::new(),
    };
    let cut_short = plan::carry_out(&mut prober, question.by_size).err();
    Some(PathMeasurement {
        question,
        started_ms: milliseconds(began.saturating_duration_since(examination)),
        ended_ms: milliseconds(began.elapsed()),
        source_address: prober.source_address,
        source_port,
        probes: prober.probes,
        cut_short,
    })
}

/// The bytes that a connection opens with.
fn flight(opening: &Opening) -> Result<Vec<u8>, String> {
    match opening {
        Opening::Hello { hello } => Ok(Handshake::new(hello.clone(), Depth::Flight)?.1.bytes),
        Opening::Replay { records } => Ok(records.to_vec()),
        Opening::Plain { request } => Ok(request.to_vec()),
    }
}
