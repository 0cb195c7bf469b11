//! `tlswhy pcap`: why did the handshakes in a packet capture fail?

mod evidence;
mod kinds;
mod live;

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::Path;

use tlswhy_capture::{CaptureError, Handshake, Limits};
use tlswhy_core::{Examination, Step};
use tlswhy_model::{Evidence, Report, printable};

use super::trust::{known_certificates, named_trust_store};
use crate::cli::{ListFormat, Pcap};
use crate::exit::{Failure, Status};
use crate::output::Output;
use crate::render::{self, Options, Position, capture, json_line};
use crate::terminal;
pub(crate) use evidence::{Given, of as evidence_of};

pub(crate) use kinds::{Kind, Kinds, server_name};

/// How many kinds of failing handshakes are judged; how the others ended is told.
const MOST_JUDGED: usize = 1000;
/// How many reports are written.
const MOST_REPORTS: usize = 200;
/// With more kinds than this, people get a table, and a report on one kind of each cause.
const MOST_PARAGRAPHS: usize = 12;
/// Bytes that are read at once.
const READ_AT_ONCE: usize = 1 << 20;
/// A connection that goes on and on which nothing was said for so long is decided as it stands, in nanoseconds.
pub(crate) const SILENCE: u64 = 15_000_000_000;

/// Reads every capture and writes what became of its handshakes.
pub(crate) fn run(arguments: &Pcap) -> Result<Status, Failure> {
    let mut output = Output::open(arguments.output.file.as_deref())?;
    let mut saved = arguments.save_evidence.as_deref().map(|path| Output::open(Some(path))).transpose()?;
    let given = Given {
        trust: arguments.ca.as_deref().map(named_trust_store).transpose()?,
        known: known_certificates(&arguments.known)?,
    };
    let mut worst = Status::Fine;
    if let Some(interface) = &arguments.live {
        let packets = live::open(interface)?;
        let name = printable(interface, 64);
        worst = one(&name, Box::new(packets), false, arguments, &given, &mut output, &mut saved)?;
    }
    for (place, path) in arguments.files.iter().enumerate() {
        let judged =
            open(path).and_then(|(name, input)| one(&name, input, place > 0, arguments, &given, &mut output, &mut saved));
        match judged {
            Ok(status) => worst = worst.max(status),
            Err(failure) if arguments.files.len() == 1 => return Err(failure),
            Err(failure) => {
                failure.print();
                worst = Status::CouldNot;
            }
        }
    }
    if let Some(saved) = saved {
        saved.finish()?;
    }
    output.finish()?;
    Ok(worst)
}

/// A capture to read, with its name.
fn open(path: &Path) -> Result<(String, Box<dyn Read>), Failure> {
    if path == Path::new("-") {
        return Ok(("standard input".to_owned(), Box::new(io::stdin().lock())));
    }
    let name = printable(&path.display().to_string(), 4096);
    let file = File::open(path).map_err(|error| Failure::new(format!("cannot read {name}: {error}")))?;
    Ok((name, Box::new(file)))
}

fn one(
    name: &str,
    input: Box<dyn Read>,
    is_further: bool,
    arguments: &Pcap,
    given: &Given,
    output: &mut Output,
    saved: &mut Option<Output>,
) -> Result<Status, Failure> {
    let mut kinds = Kinds::default();
    let mut written = Ok(());
    let mut take = |handshake: Handshake| {
        if !is_wanted(&handshake, arguments) {
            return;
        }
        if (arguments.verbose || arguments.live.is_some()) && written.is_ok() {
            let one = capture::One::of(&handshake);
            written = output.write(|out| match arguments.output.format {
                ListFormat::Json => json_line(&one, out),
                ListFormat::Human if arguments.verbose => one.write(out, terminal::width()),
                ListFormat::Human => one.write_line(out),
            });
        }
        kinds.add(handshake);
    };
    let limits = Limits { silence: arguments.live.as_ref().map(|_| SILENCE), ..Limits::default() };
    let reading = tlswhy_capture::read(BufReader::with_capacity(READ_AT_ONCE, input), limits, &mut take)
        .map_err(|error| cannot_read(name, &error))?;
    written?;
    let mut status = Status::Fine;
    if let Some(error) = &reading.stopped {
        // A capture that is still being written ends so: what is there counts.
        let complaint = Failure::new(format!("{name} was not read to its end: {error}")).tip("what stands before was judged");
        complaint.print();
        if !matches!(error, CaptureError::Damaged { what: tlswhy_capture::Damage::CutOff, .. }) {
            status = Status::CouldNot;
        }
    }
    let verdicts = verdicts(&kinds, given);
    for (kind, verdict) in kinds.iter().zip(&verdicts) {
        // What was not judged stays open.
        let open = if kind.first.outcome.failed() { Status::Undetermined } else { Status::Fine };
        status = status.max(verdict.as_ref().map_or(open, |verdict| verdict.status));
    }
    let causes: Vec<Option<String>> =
        verdicts.iter().map(|verdict| verdict.as_ref().and_then(|verdict| verdict.cause.clone())).collect();
    let is_human = arguments.output.format == ListFormat::Human;
    let is_table = is_human && !arguments.verbose && verdicts.len() > MOST_PARAGRAPHS;
    let summary = capture::Summary::of(name, &reading, &kinds, &causes, is_table);
    let is_apart = is_further || arguments.verbose || arguments.live.is_some();
    output.write(|out| match arguments.output.format {
        ListFormat::Json => json_line(&summary, out),
        ListFormat::Human => summary.write(out, is_apart, terminal::width()),
    })?;
    let exemplary = is_table.then(|| exemplary(&kinds, &verdicts));
    let judged = kinds.iter().enumerate().filter(|(place, _)| verdicts.get(*place).is_some_and(Option::is_some));
    for (number, (place, kind)) in judged.enumerate() {
        let is_shown = exemplary.as_ref().map_or(number < MOST_REPORTS, |exemplary| exemplary.contains(&place));
        let is_kept = number < MOST_REPORTS && saved.is_some();
        if !is_shown && !is_kept {
            continue;
        }
        let Some(Judged { report, evidence }) = judge(kind, &kinds, given) else { continue };
        if let Some(saved) = saved.as_mut().filter(|_| is_kept) {
            saved.write(|out| json_line(&evidence, out))?;
        }
        if is_shown {
            let position = Position { first: false, alone: false };
            let options = Options { width: terminal::width(), verbose: arguments.verbose };
            let format = arguments.output.format.into();
            output.write(|out| render::write(format, &report, &evidence, position, options, out))?;
        }
    }
    Ok(status)
}

/// What a kind was judged to be, without its evidence.
struct Verdict {
    cause: Option<String>,
    status: Status,
}

/// The verdict on each kind; `None` where it did not fail, nothing can be judged, or there are too many. Evidence is large: that of
/// one at a time is in memory, and is made again where it is shown.
fn verdicts(kinds: &Kinds, given: &Given) -> Vec<Option<Verdict>> {
    let mut judged = 0;
    let verdict = |kind: &Kind| {
        if !kind.first.outcome.failed() || judged == MOST_JUDGED {
            return None;
        }
        judged += 1;
        let report = judge(kind, kinds, given)?.report;
        Some(Verdict { status: Status::of(&report), cause: report.root_cause })
    };
    kinds.iter().map(verdict).collect()
}

/// Of each cause the kind that was met most often, by its place.
fn exemplary(kinds: &Kinds, verdicts: &[Option<Verdict>]) -> BTreeSet<usize> {
    let mut best: BTreeMap<Option<&str>, (u64, usize)> = BTreeMap::new();
    for (place, (kind, verdict)) in kinds.iter().zip(verdicts).enumerate() {
        let Some(verdict) = verdict else { continue };
        let known = best.entry(verdict.cause.as_deref()).or_insert((0, place));
        if kind.count > known.0 {
            *known = (kind.count, place);
        }
    }
    best.into_values().map(|(_, place)| place).collect()
}

/// A report with everything that was seen.
pub(crate) struct Judged {
    pub(crate) report: Box<Report>,
    pub(crate) evidence: Evidence,
}

/// Why the handshakes of this kind failed; `None` where nothing that could be judged was said.
fn judge(kind: &Kind, kinds: &Kinds, given: &Given) -> Option<Judged> {
    judged(evidence_of(kind, kinds, given)?)
}

/// What watched evidence says.
pub(crate) fn judged(evidence: Evidence) -> Option<Judged> {
    let mut examination = Examination::replay(evidence, Vec::new());
    match examination.next() {
        Step::Done(report) => Some(Judged { report, evidence: examination.evidence().clone() }),
        // A replay has no one to ask.
        Step::Ask(_) => None,
    }
}

fn is_wanted(handshake: &Handshake, arguments: &Pcap) -> bool {
    let name = arguments.name.as_deref().is_none_or(|wanted| {
        server_name(handshake).is_some_and(|name| name.eq_ignore_ascii_case(wanted.trim_end_matches('.')))
    });
    name && arguments.client.is_none_or(|ip| handshake.client.ip() == ip)
        && arguments.server.is_none_or(|server| {
            handshake.server.ip() == server.ip && server.port.is_none_or(|port| handshake.server.port() == port)
        })
}

fn cannot_read(name: &str, error: &CaptureError) -> Failure {
    let failure = Failure::new(format!("cannot read {name}: {error}"));
    match error {
        CaptureError::NotACapture { begins: _ } => failure.tip(
            "captures are what `tcpdump -w FILE` and `dumpcap` write; a compressed one is unpacked first: `zcat FILE | tlswhy pcap -`",
        ),
        CaptureError::Empty => failure.tip("`tcpdump -w FILE` writes at least a header; was it ended before it began?"),
        _ => failure,
    }
}
