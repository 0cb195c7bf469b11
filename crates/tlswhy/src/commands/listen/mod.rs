//! `tlswhy listen`: records what clients offer, before a handshake can fail.

mod finishing;
mod hearing;

use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::Path;
use std::sync::Arc;

use rustls::ServerConfig;
use tlswhy_core::{Budget, Request};
use tlswhy_gather::Live;
use tlswhy_gather::observe::FirstWords;
use tlswhy_model::{ClientProfile, Report};
use tlswhy_wire::HelloSpec;
use tokio::net::TcpListener;

pub(crate) use self::hearing::Answered;
use self::hearing::Visit;
use super::check::note;
use super::examine::{Interrupted, examine, now};
use super::{connect, trust};
use crate::cli::{self, ListFormat, Listen};
use crate::exit::{Failure, Status};
use crate::output::{Output, write_file};
use crate::render::client::{Document, Visitor};
use crate::render::{self, Options, Position};
use crate::serving::Served;
use crate::target::Target;
use crate::terminal;

/// The most kinds of hello that are remembered, so that the same client is not shown twice.
const MOST_REMEMBERED: usize = 1000;

/// Listens until Ctrl-C, or for so many clients.
pub(crate) fn run(arguments: &Listen) -> Result<Status, Failure> {
    let config = finishing::config(arguments.certificate.as_deref(), arguments.key.as_deref())?;
    if let Some(path) = &arguments.save_client {
        may_replace(path, arguments.force)?;
    }
    let mut output = Output::open(arguments.output.file.as_deref())?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::new(format!("cannot start: {error}")))?;
    let ended = runtime.block_on(listen(arguments, config, &mut output));
    runtime.shutdown_background();
    let status = ended?;
    output.finish()?;
    Ok(status)
}

async fn listen(arguments: &Listen, config: Option<Arc<ServerConfig>>, output: &mut Output) -> Result<Status, Failure> {
    let interrupted = Interrupted::watch();
    let wanted = arguments.address.unwrap_or(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)));
    let cannot = |error: std::io::Error| Failure::new(format!("cannot listen on {wanted}: {error}"));
    let listener = TcpListener::bind(wanted).await.map_err(cannot)?;
    let address = listener.local_addr().map_err(cannot)?;
    let way_out = if arguments.count.is_some() || arguments.save_client.is_some() { "" } else { "; Ctrl-C ends it" };
    let scheme = arguments.starttls.map_or("https", |upgrade| upgrade.scheme);
    note(&format!("listening on {address}: point the client at it, for instance at {scheme}://{}/{way_out}", shown(address)));

    let mut visits = hearing::receive(listener, arguments.starttls, config);
    let mut session = Session { arguments, output, known: HashMap::new(), heard: 0, worst: Status::Fine };
    loop {
        let visit = tokio::select! {
            visit = visits.recv() => visit,
            () = interrupted.wait() => None,
        };
        let Some(visit) = visit else { break };
        if session.take(visit, &interrupted).await? {
            break;
        }
    }
    Ok(session.status())
}

/// An address as a URL has it; by its name where it has one, so that the client sends it.
fn shown(address: SocketAddr) -> String {
    let here = address.ip().is_unspecified() || address.ip() == IpAddr::V4(Ipv4Addr::LOCALHOST);
    if here { format!("localhost:{}", address.port()) } else { address.to_string() }
}

/// What was heard so far.
struct Session<'a> {
    arguments: &'a Listen,
    output: &'a mut Output,
    /// Hellos by their encoding, with the number that they were shown under.
    known: HashMap<String, u32>,
    heard: u32,
    worst: Status,
}

impl Session<'_> {
    /// Shows a visit; whether it was the last one wanted.
    async fn take(&mut self, visit: Visit, interrupted: &Interrupted) -> Result<bool, Failure> {
        let Visit { peer, words, answered } = visit;
        let (version, hello) = match words {
            FirstWords::Hello(version, hello) => (version, hello),
            other => {
                note(&format!("{peer} {}", in_words(&other)));
                return Ok(false);
            }
        };
        self.heard = self.heard.saturating_add(1);
        let client = tlswhy_core::client_of_hello(version, &hello);
        let key = key(&client.hello);
        let again = self.known.get(&key).copied();
        if again.is_none() && self.known.len() < MOST_REMEMBERED {
            self.known.insert(key, self.heard);
        }
        let arguments = self.arguments;
        let mut document = Document::of(self.heard, peer, &hello, &client, &answered, again, now());
        document.upgrade = arguments.starttls.map(|upgrade| upgrade.name);
        self.output.write(|out| match arguments.output.format {
            ListFormat::Json => document.json(out),
            ListFormat::Human => {
                document.human(Visitor { number: self.heard, verbose: arguments.verbose }, terminal::width(), out)
            }
        })?;
        if matches!(&answered, Answered::Served(Served::Alert(_))) {
            self.worst = self.worst.max(Status::Blocked);
        }
        if let Some(path) = &arguments.save_client {
            save(path, &client)?;
        }
        if let Some(target) = arguments.against.as_ref().filter(|_| again.is_none()) {
            self.compare(target, client, interrupted).await?;
        }
        Ok(arguments.save_client.is_some() || arguments.count.is_some_and(|count| self.heard >= count))
    }

    /// Examines the target for this client.
    async fn compare(&mut self, target: &Target, client: ClientProfile, interrupted: &Interrupted) -> Result<(), Failure> {
        // A URL says itself whether TLS starts at once.
        let starttls = self.arguments.starttls.filter(|_| target.scheme().is_none());
        let connection = cli::Connection { starttls, ..cli::Connection::default() };
        let live = connect::live(&connection, target)?;
        let request = request(target, &live, &connection, client);
        let (examination, report, _) = examine(request, &live, interrupted).await;
        self.worst = self.worst.max(Status::of(&report));
        let (format, verbose) = (self.arguments.output.format, self.arguments.verbose);
        self.output.write(|out| write_report(format, &report, &examination, verbose, out))
    }

    fn status(&self) -> Status {
        if self.heard == 0 { Status::Undetermined } else { self.worst }
    }
}

fn write_report(
    format: ListFormat,
    report: &Report,
    examination: &tlswhy_core::Examination,
    verbose: bool,
    out: &mut dyn std::io::Write,
) -> std::io::Result<()> {
    let options = Options { width: terminal::width(), verbose };
    let position = Position { first: false, alone: false };
    render::write(format.into(), report, examination.evidence(), position, options, out)
}

fn request(target: &Target, live: &Live, connection: &cli::Connection, client: ClientProfile) -> Request {
    let clients = vec![client];
    Request {
        subject: connect::subject(connection, target, live.proxy.as_ref(), &clients),
        stores: trust::machine_stores(&clients),
        panel: Vec::new(),
        started_at: now(),
        budget: Budget::default(),
        address: connection.address,
        dns: connect::is_in_dns(connection, target, live),
        clients,
        ..Request::default()
    }
}

/// What makes two hellos those of one client: everything but the server's name and what is new in each connection.
fn key(hello: &HelloSpec) -> String {
    let mut hello = hello.clone().with_server_name(None);
    hello.cipher_suites.retain(|suite| !suite.is_grease());
    let grease = |extension: &tlswhy_wire::ExtensionSpec| extension.extension_type().is_grease();
    hello.extensions.iter_mut().for_each(|list| list.retain(|extension| !grease(extension)));
    format!("{hello:?}")
}

fn in_words(words: &FirstWords) -> String {
    match words {
        FirstWords::Hello(..) => "sent a hello".to_owned(),
        FirstWords::NotTls(line) if line.is_empty() => "does not speak TLS".to_owned(),
        FirstWords::NotTls(line) => format!("does not speak TLS; it said: {line}"),
        FirstWords::Unreadable(what) => format!("sent a hello that cannot be read: {what}"),
        FirstWords::NotAsked(why) => format!("was not led to TLS: {why}"),
        FirstWords::Closed => "connected and closed without a hello".to_owned(),
        FirstWords::TooSlow => "did not complete a hello in time".to_owned(),
    }
}

fn may_replace(path: &Path, force: bool) -> Result<(), Failure> {
    if path.exists() && !force {
        return Err(Failure::new(format!("{} exists", path.display())).tip("--force replaces it"));
    }
    Ok(())
}

fn save(path: &Path, client: &ClientProfile) -> Result<(), Failure> {
    let text = tlswhy_core::client_to_toml(client).map_err(|why| Failure::new(format!("no profile is written: {why}")))?;
    write_file(path, |out| out.write_all(text.as_bytes()))?;
    note(&format!("`tlswhy check TARGET --client {}` judges for this client", path.display()));
    Ok(())
}
