//! `tlswhy relay`: stands in front of a server and says why handshakes that pass fail.

mod tally;
mod witness;

use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tlswhy_capture::Handshake;
use tlswhy_gather::observe::Front;
use tokio::runtime::{Builder, Runtime};
use tokio::sync::oneshot;
use tokio::time::{MissedTickBehavior, interval};

pub(crate) use self::tally::Tally;
use self::witness::{Counts, Desk, Passed};
use super::check::note;
use super::examine::{Interrupted, now};
use super::pcap::{Given, Judged, Kind};
use super::trust::{known_certificates, named_trust_store};
use super::watched::Question;
use crate::cli::{ListFormat, Relay};
use crate::exit::{Failure, Status};
use crate::output::Output;
use crate::render::capture::One;
use crate::render::relay::{Place, Summary};
use crate::render::{self, Options, Position, json_line};
use crate::terminal;

/// How many kinds of failing handshakes the server is asked about, and how many are judged at all: a client that fails in ever new
/// ways brings no more upon it.
const MOST_ASKED: usize = 50;
const MOST_JUDGED: usize = 200;
/// How often it is said what passed, where something did.
const PACE: Duration = Duration::from_secs(60);

/// Relays until Ctrl-C, or so many connections.
pub(crate) fn run(arguments: &Relay) -> Result<Status, Failure> {
    let given = Given {
        trust: arguments.ca.as_deref().map(named_trust_store).transpose()?,
        known: known_certificates(&arguments.known)?,
    };
    let mut output = Output::open(arguments.output.file.as_deref())?;
    let host = arguments.target.host.to_string();
    let port = arguments.target.port(arguments.target.upgrade());
    let carrying = runtime()?;
    let front = carrying
        .block_on(Front::before(&host, port, arguments.address))
        .map_err(|error| Failure::new(format!("cannot listen on {}: {error}", arguments.address)))?;
    let place = Place { target: arguments.target.given.clone(), listening: front.address().to_string(), since: now() };
    let way_out = if arguments.count.is_some() { "" } else { "; Ctrl-C ends it" };
    note(&format!("listening on {} before {}: point clients at it{way_out}", place.listening, place.target));

    let (desk, counts, passed) = Desk::new();
    let (stop, stopped) = oneshot::channel::<()>();
    // In a thread of its own: judging must not hold up what is carried.
    let count = arguments.count;
    let carried = std::thread::spawn(move || {
        carrying.block_on(async {
            tokio::select! {
                () = front.serve(count, move |arrival| desk.witness(arrival)) => {}
                // Nobody says it; whoever could have gone.
                _ = stopped => {}
            }
        });
        // What still stands ends here, and its witnesses say what they saw.
        drop(carrying);
    });
    let session = Session {
        arguments,
        given,
        place,
        output: &mut output,
        tally: Tally::new(),
        counts,
        waiting: VecDeque::new(),
        judged: 0,
        worst: Status::Fine,
    };
    let status = runtime()?.block_on(session.watch(passed, stop))?;
    if carried.join().is_err() {
        return Err(Failure::new("what carries the connections has broken down"));
    }
    output.finish()?;
    Ok(status)
}

fn runtime() -> Result<Runtime, Failure> {
    Builder::new_current_thread().enable_all().build().map_err(|error| Failure::new(format!("cannot start: {error}")))
}

/// What passed and what follows from it.
struct Session<'a> {
    arguments: &'a Relay,
    given: Given,
    place: Place,
    output: &'a mut Output,
    tally: Tally,
    counts: Arc<Counts>,
    /// Kinds that are still to be judged, by their places.
    waiting: VecDeque<usize>,
    judged: usize,
    worst: Status,
}

/// The judgement of one kind, while its server is asked.
type Asking<'a> = Pin<Box<dyn Future<Output = (usize, Option<Judged>)> + 'a>>;

impl Session<'_> {
    async fn watch(
        mut self,
        mut passed: tokio::sync::mpsc::Receiver<Passed>,
        stop: oneshot::Sender<()>,
    ) -> Result<Status, Failure> {
        let interrupted = Interrupted::watch();
        let mut stop = Some(stop);
        let mut asking: Option<Asking<'_>> = None;
        let mut pace = interval(PACE);
        pace.set_missed_tick_behavior(MissedTickBehavior::Delay);
        pace.tick().await;
        let mut said = 0;
        // Until everybody who was watched has ended, and everything is judged.
        let mut ended = false;
        while !ended || asking.is_some() {
            tokio::select! {
                one = passed.recv(), if !ended => match one {
                    Some(one) => self.take(one)?,
                    None => ended = true,
                },
                (place, judged) = pending(&mut asking) => {
                    asking = None;
                    self.conclude(place, judged)?;
                }
                () = interrupted.wait(), if stop.is_some() => drop(stop.take()),
                _ = pace.tick() => {
                    if said != self.tally.handshakes {
                        said = self.tally.handshakes;
                        note(&Summary::of(&self.place, &self.tally, &self.counts()).in_short());
                    }
                }
            }
            while asking.is_none()
                && let Some(place) = self.waiting.pop_front()
            {
                asking = self.ask(place, stop.is_none(), &interrupted);
                if asking.is_none() {
                    self.conclude(place, None)?;
                }
            }
        }
        let summary = Summary::of(&self.place, &self.tally, &self.counts());
        let (format, verbose) = (self.arguments.output.format, self.arguments.verbose);
        self.output.write(|out| match format {
            ListFormat::Json => json_line(&summary, out),
            ListFormat::Human => summary.write(out, verbose, terminal::width()),
        })?;
        let nothing = self.tally.handshakes == 0 || self.tally.unreached > 0;
        Ok(if nothing { self.worst.max(Status::Undetermined) } else { self.worst })
    }

    fn counts(&self) -> render::relay::Connections {
        render::relay::Connections {
            all: self.counts.connections.load(Ordering::Relaxed),
            overlooked: self.counts.overlooked.load(Ordering::Relaxed),
        }
    }

    fn take(&mut self, passed: Passed) -> Result<(), Failure> {
        match passed {
            Passed::Handshake(handshake, _share) => self.handshake(*handshake),
            Passed::WithoutTls => {
                self.tally.without_tls += 1;
                Ok(())
            }
            Passed::Unreached(client, why) => {
                // The first one says it; the others are counted.
                if self.tally.unreached == 0 {
                    let (target, why) = (&self.place.target, render::relay::not_reached(&why));
                    note(&format!("{client} was not carried to {target}: {why}; `tlswhy {target}` says more"));
                }
                self.tally.not_carried(why);
                Ok(())
            }
        }
    }

    fn handshake(&mut self, handshake: Handshake) -> Result<(), Failure> {
        let one = One::of(&handshake);
        let failed = handshake.outcome.failed();
        let first = self.tally.add(handshake);
        let (format, verbose) = (self.arguments.output.format, self.arguments.verbose);
        match first.filter(|place| self.tally.kinds.get(*place).is_some_and(Kind::is_suspect)) {
            Some(place) if self.waiting.len() < MOST_JUDGED => self.waiting.push_back(place),
            // What is not judged stays open.
            _ if failed && first.is_some() => self.worst = self.worst.max(Status::Undetermined),
            _ => {}
        }
        if !(verbose || format == ListFormat::Human && failed && first.is_some()) {
            return Ok(());
        }
        self.output.write(|out| match format {
            ListFormat::Json => json_line(&one, out),
            ListFormat::Human => {
                if !verbose {
                    writeln!(out)?;
                }
                one.write(out, terminal::width())
            }
        })
    }

    /// Begins to judge a kind; `None` where there is nothing to be judged.
    fn ask<'a>(&mut self, place: usize, ends: bool, interrupted: &'a Interrupted) -> Option<Asking<'a>> {
        self.judged += 1;
        if self.judged > MOST_JUDGED {
            return None;
        }
        let question = Question::of(self.tally.kinds.get(place)?, &self.tally.kinds, &self.given)?;
        let asks = !self.arguments.no_probe && !ends && self.judged <= MOST_ASKED;
        let question = if asks { question } else { question.without_asking() };
        Some(Box::pin(async move { (place, question.answer(interrupted).await) }))
    }

    fn conclude(&mut self, place: usize, judged: Option<Judged>) -> Result<(), Failure> {
        let Some(Judged { report, evidence }) = judged else {
            if self.tally.kinds.get(place).is_some_and(|kind| kind.first.outcome.failed()) {
                self.worst = self.worst.max(Status::Undetermined);
            }
            return Ok(());
        };
        self.worst = self.worst.max(Status::of(&report));
        self.tally.conclude(place, report.root_cause.clone());
        let options = Options { width: terminal::width(), verbose: self.arguments.verbose };
        let position = Position { first: false, alone: false };
        let format = self.arguments.output.format.into();
        self.output.write(|out| render::write(format, &report, &evidence, position, options, out))
    }
}

/// What is being asked; never where nothing is.
async fn pending(asking: &mut Option<Asking<'_>>) -> (usize, Option<Judged>) {
    match asking {
        Some(asking) => asking.await,
        None => std::future::pending().await,
    }
}
