//! Peers side by side against one healthy nginx: connections, seconds, memory, and the ratio to `tlswhy`.
//!
//! Connections are counted by a relay before the server; times are wall-clock of the whole command without the relay, the
//! best of several runs, so that one run's disturbance does not count.

use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use crate::pki::NAME;
use crate::server::{Lab, Server, StartError, find_program};
use crate::{fake, runner};

/// One command to measure; `{port}` and `{address}` are replaced.
struct Peer {
    name: &'static str,
    program: &'static str,
    args: &'static [&'static str],
    runs: usize,
}

const PEERS: &[Peer] = &[
    Peer {
        name: "openssl s_client",
        program: "openssl",
        args: &["s_client", "-connect", "{address}", "-servername", NAME],
        runs: 10,
    },
    Peer { name: "gnutls-cli-debug", program: "gnutls-cli-debug", args: &["-p", "{port}", "127.0.0.1"], runs: 3 },
    Peer { name: "sslscan", program: "sslscan", args: &["--no-colour", "{address}"], runs: 3 },
    Peer {
        name: "testssl --fast -p -s -f",
        program: "testssl",
        args: &["--quiet", "--color", "0", "-p", "-s", "-f", "{address}"],
        runs: 1,
    },
];

/// A row of the table.
pub struct Row {
    /// The command.
    pub name: String,
    /// Connections that it made.
    pub connections: usize,
    /// Best wall-clock time.
    pub time: Duration,
    /// Peak resident memory in KiB, where GNU time is there to tell.
    pub memory_kib: Option<u64>,
}

/// Measures `tlswhy` and every peer that is installed.
///
/// # Errors
/// Where nginx or `tlswhy` is missing.
pub fn run(lab: &Lab) -> Result<Vec<Row>, StartError> {
    let tlswhy = runner::find_binary()?.to_string_lossy().into_owned();
    let ca = lab.pki.join("ca.pem").to_string_lossy().into_owned();
    let nginx = lab.nginx("rsa", "")?;
    let counter = Arc::new(AtomicUsize::new(0));
    let counted = fake::counted(nginx.port, Arc::clone(&counter))?;
    let own: Vec<String> = ["check", "{address}", "--sni", NAME, "--ca", &ca].map(str::to_owned).to_vec();
    let full: Vec<String> = own.iter().cloned().chain(["--full".to_owned()]).collect();
    let mut rows = vec![
        measure("tlswhy check", &tlswhy, &own, 10, &nginx, &counted, &counter)?,
        measure("tlswhy check --full", &tlswhy, &full, 5, &nginx, &counted, &counter)?,
    ];
    for peer in PEERS {
        if find_program(peer.program).is_none() {
            continue;
        }
        let args: Vec<String> = peer.args.iter().map(|arg| (*arg).to_owned()).collect();
        rows.push(measure(peer.name, peer.program, &args, peer.runs, &nginx, &counted, &counter)?);
    }
    Ok(rows)
}

fn measure(
    name: &str,
    program: &str,
    args: &[String],
    runs: usize,
    server: &Server,
    counted: &Server,
    counter: &AtomicUsize,
) -> Result<Row, StartError> {
    counter.store(0, Ordering::SeqCst);
    once(program, args, counted.port)?;
    let connections = counter.load(Ordering::SeqCst);
    let mut best = Duration::MAX;
    for _ in 0..runs {
        let began = Instant::now();
        once(program, args, server.port)?;
        best = best.min(began.elapsed());
    }
    Ok(Row { name: name.to_owned(), connections, time: best, memory_kib: peak_memory(program, args, server.port) })
}

fn filled(args: &[String], port: u16) -> Vec<String> {
    args.iter().map(|arg| arg.replace("{port}", &port.to_string()).replace("{address}", &format!("127.0.0.1:{port}"))).collect()
}

fn once(program: &str, args: &[String], port: u16) -> Result<(), StartError> {
    let mut command = Command::new(program);
    command.args(filled(args, port)).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command.status().map(|_| ()).map_err(StartError::of)
}

/// What GNU time prints as `%M`.
fn peak_memory(program: &str, args: &[String], port: u16) -> Option<u64> {
    find_program("time")?;
    let mut command = Command::new("time");
    command.args(["-f", "%M", program]).args(filled(args, port)).stdin(Stdio::null()).stdout(Stdio::null());
    let output = command.output().ok()?;
    String::from_utf8_lossy(&output.stderr).lines().last()?.trim().parse().ok()
}
