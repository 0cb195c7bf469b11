//! What became of a command's connections, for people and for programs.

use std::collections::HashMap;
use std::io::{self, Write};

use anstyle::AnsiColor;
use tlswhy_capture::Outcome;

use super::libraries;
use super::watching::{Made, Watching};
use crate::cli::{ListFormat, Run};
use crate::commands::examine::Interrupted;
use crate::commands::pcap::{Given, Judged, Kind, Kinds};
use crate::commands::trust;
use crate::commands::watched::Question;
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
        let question = Question::of(kind, &kinds, &given).map(|question| {
            let question = if arguments.no_probe { question.without_asking() } else { question };
            let process = owners.get(&kind.first.client).cloned().unwrap_or_default();
            question.of_program(&process.name, libraries::bearing(&process))
        });
        let told = match question {
            Some(question) => question.answer(interrupted).await,
            None => None,
        };
        let Some(Judged { report, evidence }) = told else {
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
    kind.first.outcome.failed() || (kind.is_suspect() && !succeeded)
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
