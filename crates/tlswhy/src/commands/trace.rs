//! `tlswhy trace`: where on the way to a server is the handshake stopped? An examination as `check` makes it, and the way measured hop by
//! hop in any case.

use super::{check, connect};
use crate::cli::{Check, Machine, Sources, Trace};
use crate::exit::{Failure, Status};

/// Examines the target, measures the way to it, and writes the report.
pub(crate) fn run(arguments: Trace) -> Result<Status, Failure> {
    if !cfg!(target_os = "linux") {
        return Err(Failure::new("the way can be measured on Linux alone").tip("`tlswhy check` examines the server from here"));
    }
    if let Some(proxy) = connect::live(&arguments.connection, &arguments.target)?.proxy {
        return Err(Failure::new(format!("the way through the proxy {proxy} cannot be measured: it ends at the proxy"))
            .tip("--proxy none goes without; `tlswhy trace` with the proxy as its target measures the way to it"));
    }
    check::note("up to 70 connections will be opened and left, one after the other, besides those of `check`");
    let check = Check {
        targets: vec![arguments.target],
        client: arguments.client.into_iter().collect(),
        ca: arguments.ca,
        alpn: None,
        replay: false,
        full: false,
        no_vulnerability_probes: false,
        policy: Vec::new(),
        baseline: None,
        connection: arguments.connection,
        all_addresses: false,
        server_config: Vec::new(),
        client_config: Vec::new(),
        machine: Machine::default(),
        sources: Sources::default(),
        expect: arguments.expect,
        cert: None,
        key: None,
        save_chain: None,
        force: false,
        save_evidence: arguments.save_evidence,
        redact: arguments.redact,
        output: arguments.output,
    };
    check::examine_all(&check, true)
}
