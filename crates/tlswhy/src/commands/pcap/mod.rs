//! `tlswhy pcap`: why did the handshakes in a packet capture fail?

mod evidence;
mod kinds;

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

/// How many kinds of failing handshakes are judged; the others are in the table alone.
const MOST_REPORTS: usize = 200;
/// Bytes that are read at once.
const READ_AT_ONCE: usize = 1 << 20;

/// Reads every capture and writes what became of its handshakes.
pub(crate) fn run(arguments: &Pcap) -> Result<Status, Failure> {
    let mut output = Output::open(arguments.output.file.as_deref())?;
    let mut saved = arguments.save_evidence.as_deref().map(|path| Output::open(Some(path))).transpose()?;
    let given = Given {
        trust: arguments.ca.as_deref().map(named_trust_store).transpose()?,
        known: known_certificates(&arguments.known)?,
    };
    let mut worst = Status::Fine;
    for (place, path) in arguments.files.iter().enumerate() {
        match one(path, place, arguments, &given, &mut output, &mut saved) {
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

fn one(
    path: &Path,
    place: usize,
    arguments: &Pcap,
    given: &Given,
    output: &mut Output,
    saved: &mut Option<Output>,
) -> Result<Status, Failure> {
    let is_stdin = path == Path::new("-");
    let name = if is_stdin { "standard input".to_owned() } else { printable(&path.display().to_string(), 4096) };
    let input: Box<dyn Read> = if is_stdin {
        Box::new(io::stdin().lock())
    } else {
        Box::new(File::open(path).map_err(|error| Failure::new(format!("cannot read {name}: {error}")))?)
    };
    let mut kinds = Kinds::default();
    let mut written = Ok(());
    let mut take = |handshake: Handshake| {
        if !is_wanted(&handshake, arguments) {
            return;
        }
        if arguments.verbose && written.is_ok() {
            let one = capture::One::of(&handshake);
            written = output.write(|out| match arguments.output.format {
                ListFormat::Json => json_line(&one, out),
                ListFormat::Human => one.write(out, terminal::width()),
            });
        }
        kinds.add(handshake);
    };
    let reading = tlswhy_capture::read(BufReader::with_capacity(READ_AT_ONCE, input), Limits::default(), &mut take)
        .map_err(|error| cannot_read(&name, &error))?;
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
    let failing = |kind: &Kind| kind.first.outcome.failed();
    let reports: Vec<Option<Judged>> = kinds
        .iter()
        .scan(0, |judged, kind| {
            let wanted = failing(kind) && *judged < MOST_REPORTS;
            *judged += usize::from(wanted);
            Some(if wanted { judge(kind, &kinds, given) } else { None })
        })
        .collect();
    let causes: Vec<Option<String>> =
        reports.iter().map(|judged| judged.as_ref().and_then(|judged| judged.report.root_cause.clone())).collect();
    let summary = capture::Summary::of(&name, &reading, &kinds, &causes);
    output.write(|out| match arguments.output.format {
        ListFormat::Json => json_line(&summary, out),
        ListFormat::Human => summary.write(out, place > 0 || arguments.verbose, terminal::width()),
    })?;
    for (kind, judged) in kinds.iter().zip(&reports) {
        let Some(judged) = judged else {
            // What was not judged stays open.
            status = if failing(kind) { status.max(Status::Undetermined) } else { status };
            continue;
        };
        status = status.max(Status::of(&judged.report));
        if let Some(saved) = saved {
            saved.write(|out| json_line(&judged.evidence, out))?;
        }
        let position = Position { first: false, alone: false };
        let options = Options { width: terminal::width(), verbose: arguments.verbose };
        output.write(|out| {
            render::write(arguments.output.format.into(), &judged.report, &judged.evidence, position, options, out)
        })?;
    }
    Ok(status)
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
