//! The connections of a command, led through the relay.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use tlswhy_steer::{Connect, Supervisor};
use tokio::net::TcpStream;
use tokio::runtime::Handle;
use tokio::sync::mpsc::UnboundedSender;
use tokio::time::timeout;

use super::process::{Process, Processes};
use super::relay::Relay;

/// How long the way on may take to stand. What takes longer, or fails, the command tries by itself, and gets its own error.
const PATIENCE: Duration = Duration::from_secs(1);

/// A connection that a command made, or tried to.
#[derive(Clone, Debug)]
pub struct Dialled {
    /// Counts from 1.
    pub connection: u64,
    /// Where to.
    pub destination: SocketAddr,
    /// Whose.
    pub process: Process,
    /// Whether it stands and is watched; why not.
    pub watched: Result<(), String>,
}

/// Leads every connection that the confined processes make through the relay, until none of them is left. Blocks; what is dialled
/// goes to `dialled`.
pub fn steer(supervisor: &Supervisor, relay: &Relay, runtime: &Handle, dialled: &UnboundedSender<Dialled>) -> io::Result<()> {
    let mut connection = 0;
    let mut processes = Processes::default();
    while let Some(connect) = supervisor.next()? {
        connection += 1;
        // Looked at now: a process that fails is gone soon.
        let process = processes.of_thread(connect.thread);
        let (relay, dialled) = (relay.clone(), dialled.clone());
        runtime.spawn(async move { lead(connection, connect, process, relay, &dialled).await });
    }
    Ok(())
}

async fn lead(connection: u64, connect: Connect, process: Process, relay: Relay, dialled: &UnboundedSender<Dialled>) {
    let destination = connect.destination;
    let onward = timeout(PATIENCE, TcpStream::connect(destination)).await;
    let (onward, watched) = match onward {
        Ok(Ok(onward)) => (Some(onward), Ok(())),
        Ok(Err(error)) => (None, Err(error.to_string())),
        Err(_) => (None, Err(format!("no answer within {} ms", PATIENCE.as_millis()))),
    };
    // Whoever listened may have gone; the command goes on.
    let _ = dialled.send(Dialled { connection, destination, process, watched });
    // A call that blocks while the relay's queue is full must not hold up the others. An answer that does not reach its caller
    // finds it gone.
    let _ = tokio::task::spawn_blocking(move || match onward {
        Some(onward) => {
            let to = relay.address(connect.is_ipv6);
            connect.lead_to(to, |led| relay.expect(led.local, connection, onward))
        }
        None => connect.allow(),
    })
    .await;
}
