//! What `tlswhy run` costs a command that makes 1,000 connections, beside strace(1), which only lists them.

use crate::bench_configurations::{Row, measure};
use crate::pki::NAME;
use crate::runner;
use crate::server::{Lab, StartError, find_program};

/// Full handshakes, one connection each, one after another or by so many threads.
const SCRIPT: &str = "import socket,ssl,sys
from concurrent.futures import ThreadPoolExecutor
port,ca,name,threads,count=sys.argv[1:6]
c=ssl.create_default_context(cafile=ca)
def one(_):
    with c.wrap_socket(socket.create_connection(('127.0.0.1',int(port))),server_hostname=name) as s: s.send(b'GET / HTTP/1.0\\r\\n\\r\\n'); s.recv(1000)
with ThreadPoolExecutor(int(threads)) as pool: list(pool.map(one, range(int(count))))";

/// Connections of each command.
const CONNECTIONS: &str = "1000";

/// Measures the command plain, under `tlswhy run` and under strace.
///
/// # Errors
/// Where nginx, Python, `tlswhy` or GNU time is missing.
pub fn run(lab: &Lab) -> Result<Vec<Row>, StartError> {
    for program in ["time", "python3"] {
        find_program(program).ok_or_else(|| StartError::Missing(program.to_owned()))?;
    }
    let tlswhy = runner::find_binary()?.display().to_string();
    let server = lab.nginx("rsa", "")?;
    let authority = lab.pki.join("ca.pem").display().to_string();
    let mut rows = Vec::new();
    for (threads, how) in [("1", "one by one"), ("60", "60 at a time")] {
        let command = ["python3", "-c", SCRIPT, &server.port.to_string(), &authority, NAME, threads, CONNECTIONS];
        let around: [(&str, &[&str]); 3] = [
            ("plain", &[]),
            ("under tlswhy run", &[&tlswhy, "run", "--ca", &authority, "-o", "/dev/null", "--"]),
            ("under strace -f -e connect", &["strace", "-f", "-e", "trace=connect", "-o", "/dev/null"]),
        ];
        for (name, before) in around {
            let words: Vec<String> = before.iter().chain(&command).map(|word| (*word).to_owned()).collect();
            let Some((program, arguments)) = words.split_first() else { continue };
            if program.contains('/') || find_program(program).is_some() {
                rows.push(measure(&format!("{how}, {name}"), program, arguments)?);
            }
        }
    }
    Ok(rows)
}
