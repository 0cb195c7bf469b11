//! What became of a command's connections, for people and for programs.

use std::collections::HashMap;
use std::io::{self, Write};
use std::net::SocketAddr;

use anstyle::AnsiColor;
use tlswhy_capture::Outcome;
use tlswhy_core::{Budget, Examination, Request};
use tlswhy_gather::Live;
use tlswhy_gather::observe::Process;
use tlswhy_model::{Evidence, Report};

use super::libraries;
use super::watching::{Made, Watching};
use crate::cli::{ListFormat, Run};
use crate::commands::examine::{Interrupted, examine};
use crate::commands::pcap::{Given, Kind, Kinds, evidence_of, judged};
use crate::commands::trust;
use crate::exit::{Failure, Status};
use crate::output::Output;
use crate::render::capture::One;
use crate::render::{self, ASIDE, HEADING, Options, Page, Position, json_line};
use crate::terminal;

/// How many failing kinds are examined; the others are listed alone.
const MOST_EXAMINED: usize = 20;

/// How the command ended.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ended {
    /// When, in nanoseconds since 1970.
    pub(super) at: u64,
    /// Whether it says that all is well.
    pub(super) succeeded: bool,
}

/// Writes what was seen, and why what fails does.
pub(super) async fn write(
    arguments: &Run,
    watching: Watching,
    Ended { at: until, succeeded }: Ended,
    interrupted: &Interrupted,
    output: &mut Output,
) -> Result<Status, Failure> {
    let forgotten = watching.forgotten;
    let mut kinds = Kinds::default();
    let (mut owners, mut quiet) = (HashMap::new(), Vec::new());
    for (made, handshake) in watching.end(until) {
        match handshake {
            Some(handshake) => {
                owners.insert(handshake.client, made.process);
                kinds.add(handshake);
            }
            None => quiet.push(made),
        }
    }
    let summary = Summary { command: super::name(&arguments.command), kinds: &kinds, quiet: &quiet, forgotten };
    output.write(|out| match arguments.output.format {
        ListFormat::Json => kinds.iter().try_for_each(|kind| json_line(&One::of(&kind.first), out)),
        ListFormat::Human => summary.write(arguments.verbose, out),
    })?;
    let given = Given { trust: arguments.ca.as_deref().map(trust::named_trust_store).transpose()?, known: Vec::new() };
    let mut worst = Status::Fine;
    let failing = kinds.iter().filter(|kind| is_suspect(kind, succeeded));
    for (place, kind) in failing.enumerate() {
        if place >= MOST_EXAMINED {
            worst = worst.max(Status::Undetermined);
            continue;
        }
        let process = owners.get(&kind.first.client).cloned().unwrap_or_default();
        let told = examined(arguments, kind, &kinds, &process, &given, interrupted).await?;
        let Some((report, evidence)) = told else {
            if kind.first.outcome.failed() {
                worst = worst.max(Status::Undetermined);
            }
            continue;
        };
        worst = worst.max(Status::of(&report));
        let options = Options { width: terminal::width(), verbose: arguments.verbose };
        let position = Position { first: false, alone: false };
        output.write(|out| render::write(arguments.output.format.into(), &report, &evidence, position, options, out))?;
    }
    Ok(worst)
}

/// Whether it failed, or was given up once it stood by a client that then failed itself.
fn is_suspect(kind: &Kind, succeeded: bool) -> bool {
    kind.first.outcome.failed() || (kind.first.client_went_silently() && !succeeded)
}

/// Why the connections of one kind fail: asked of the server with this client's very hello, and where that works now, or must not be
/// asked, from what was seen.
async fn examined(
    arguments: &Run,
    kind: &Kind,
    kinds: &Kinds,
    process: &Process,
    given: &Given,
    interrupted: &Interrupted,
) -> Result<Option<(Box<Report>, Evidence)>, Failure> {
    let Some(mut evidence) = evidence_of(kind, kinds, given) else { return Ok(None) };
    if !process.name.is_empty() {
        evidence.subject.client.clone_from(&process.name);
        evidence.clients.iter_mut().for_each(|client| client.title.clone_from(&process.name));
    }
    let is_direct = kind.first.tunnel.is_none();
    if is_direct && !arguments.no_probe && kind.first.hello.is_some() {
        let request = request(&evidence, kind.first.server, process, given);
        let live = Live::default();
        let (examination, report, _): (Examination, _, _) = examine(request, &live, interrupted).await;
        if Status::of(&report) != Status::Fine {
            return Ok(Some((report, examination.evidence().clone())));
        }
    }
    if !kind.first.outcome.failed() {
        // Why a client does not want what stands only it can say.
        return Ok(None);
    }
    Ok(judged(evidence).map(|judged| (judged.report, judged.evidence)))
}

fn request(evidence: &Evidence, server: SocketAddr, process: &Process, given: &Given) -> Request {
    let clients: Vec<_> = evidence.clients.clone();
    Request {
        subject: evidence.subject.clone(),
        stores: if given.trust.is_some() { Vec::new() } else { trust::machine_stores(&clients) },
        trust: given.trust.clone(),
        started_at: evidence.started_at.clone(),
        budget: Budget::default(),
        address: Some(server.ip()),
        usual_configurations: libraries::configurations(process),
        clients,
        ..Request::default()
    }
}

/// What is shown before the reports.
struct Summary<'a> {
    command: String,
    kinds: &'a Kinds,
    /// Connections without a handshake.
    quiet: &'a [Made],
    forgotten: u64,
}

impl Summary<'_> {
    fn write(&self, verbose: bool, out: &mut dyn Write) -> io::Result<()> {
        let mut page = Page::new(out, terminal::width());
        let all: u64 = self.kinds.iter().map(|kind| kind.count).sum::<u64>() + self.kinds.others;
        let failed: u64 = self.kinds.iter().filter(|kind| kind.first.outcome.failed()).map(|kind| kind.count).sum();
        let (word, style) = match (all, failed) {
            (0, _) => ("Nothing", ASIDE),
            (_, 0) => ("Works", AnsiColor::Green.on_default().bold()),
            _ => ("Fails", AnsiColor::Red.on_default().bold()),
        };
        let text = match (all, failed) {
            (0, _) => format!("{} made no TLS connection that could be watched.", self.command),
            (1, 0) => format!("the TLS handshake of {} was completed.", self.command),
            (all, 0) => format!("all {all} TLS handshakes of {} were completed.", self.command),
            (1, _) => format!("the TLS handshake of {} failed.", self.command),
            (all, failed) => format!("{failed} of {all} TLS handshakes of {} failed.", self.command),
        };
        page.headline(word, style, &text)?;
        for kind in self.kinds.iter() {
            let mark = match &kind.first.outcome {
                outcome if outcome.failed() => "fails",
                _ if kind.first.client_went_silently() => "given up",
                Outcome::Incomplete { .. } => "open",
                _ => "works",
            };
            let times = if kind.count > 1 { format!("{} times ", kind.count) } else { String::new() };
            page.labelled(2, mark, HEADING, 12, &format!("{times}{}", One::of(&kind.first).in_short()))?;
        }
        for made in self.quiet {
            match &made.unwatched {
                Some(why) => page.labelled(2, "not", HEADING, 12, &format!("{}: {why}", made.destination))?,
                None if verbose => page.labelled(2, "other", HEADING, 12, &format!("{}: no TLS", made.destination))?,
                None => {}
            }
        }
        if self.forgotten > 0 {
            page.paragraph(2, ASIDE, &format!("{} connections beyond those were not watched.", self.forgotten))?;
        }
        Ok(())
    }
}
