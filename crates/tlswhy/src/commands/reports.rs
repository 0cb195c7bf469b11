//! From an examination to what the user gets: the report in its format, the saved evidence, the exit status.

use std::path::Path;

use tlswhy_core::{Examination, Step};
use tlswhy_model::{ClientProfile, Report};

use crate::cli;
use crate::exit::{Failure, Status};
use crate::output::Output;
use crate::render::{self, Format, Options, Position};
use crate::terminal;

/// Where the reports of one run go.
pub(crate) struct Reports {
    format: Format,
    options: Options,
    output: Output,
    evidence: Option<Output>,
    written: usize,
    expected: usize,
    worst: Status,
}

impl Reports {
    /// Opens everything that will be written, so that what cannot be written is known at once.
    pub(crate) fn open(
        arguments: &cli::Output,
        evidence: Option<&Path>,
        expected: usize,
    ) -> Result<Reports, Failure> {
        Ok(Reports {
            format: arguments.format,
            options: Options {
                width: terminal::width(),
                verbose: arguments.verbose,
            },
            output: Output::open(arguments.file.as_deref())?,
            evidence: evidence.map(|path| Output::open(Some(path))).transpose()?,
            written: 0,
            expected,
            worst: Status::Fine,
        })
    }

    /// Writes one report. `ends` says that it is the last one, although more were expected.
    pub(crate) fn write(
        &mut self,
        examination: &Examination,
        report: &Report,
        ends: bool,
    ) -> Result<(), Failure> {
        if let Some(evidence) = &mut self.evidence {
            evidence.write(|out| render::pretty_json(examination.evidence(), out))?;
        }
        let alone = self.expected == 1;
        let last = ends || self.written + 1 == self.expected;
        let position = Position {
            first: self.written == 0,
            last,
            alone,
        };
        let evidence = examination.evidence();
        self.output.write(|out| {
            render::write(self.format, report, evidence, position, self.options, out)
        })?;
        self.written += 1;
        self.worst = self.worst.max(Status::of(report));
        Ok(())
    }

    /// Gives the files their names; the exit status is that of the worst report.
    pub(crate) fn finish(self) -> Result<Status, Failure> {
        if let Some(evidence) = self.evidence {
            evidence.finish()?;
        }
        self.output.finish()?;
        Ok(self.worst)
    }
}

/// The examination judged again from evidence without names and addresses, and its report.
pub(crate) fn redacted(
    examination: &Examination,
    panel: Vec<ClientProfile>,
) -> (Examination, Option<Box<Report>>) {
    judge(Examination::replay(
        tlswhy_core::redact(examination.evidence().clone()),
        panel,
    ))
}

/// The report of an examination that has all its answers.
pub(crate) fn judge(mut examination: Examination) -> (Examination, Option<Box<Report>>) {
    let report = match examination.next() {
        Step::Done(report) => Some(report),
        Step::Ask(_) => {
            examination.interrupt();
            match examination.next() {
                Step::Done(report) => Some(report),
                Step::Ask(_) => None,
            }
        }
    };
    (examination, report)
}
