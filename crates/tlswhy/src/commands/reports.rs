//! From an examination to what the user gets: the report in its format, the saved evidence, the exit status.

use std::io::{self, Write};
use std::path::Path;

use tlswhy_core::Examination;
use tlswhy_model::{ConfigReport, Evidence, Report};

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
    saving: Option<Saving>,
    written: usize,
    expected: usize,
    worst: Status,
}

impl Reports {
    /// Opens everything that will be written, so that what cannot be written is known at once.
    pub(crate) fn open(arguments: &cli::Output, saving: Option<Saving>, expected: usize) -> Result<Reports, Failure> {
        Ok(Reports {
            format: arguments.format,
            options: Options { width: terminal::width(), verbose: arguments.verbose },
            output: Output::open(arguments.file.as_deref())?,
            saving,
            written: 0,
            expected,
            worst: Status::Fine,
        })
    }

    /// Writes one report.
    pub(crate) fn write(&mut self, examination: &Examination, report: &Report) -> Result<(), Failure> {
        if let Some(saving) = &mut self.saving {
            saving.write(examination.evidence())?;
        }
        let position = Position { first: self.written == 0, alone: self.expected == 1 };
        let evidence = examination.evidence();
        self.output.write(|out| render::write(self.format, report, evidence, position, self.options, out))?;
        self.written += 1;
        self.worst = self.worst.max(Status::of(report));
        Ok(())
    }

    /// Writes what configurations mean: as text or as JSON.
    pub(crate) fn write_config(&mut self, report: &ConfigReport, evidence: &Evidence) -> Result<(), Failure> {
        if self.saving.is_some() {
            return Err(Failure::new("the evidence of configurations is not written again").tip("copy the file"));
        }
        let options = self.options;
        match self.format {
            Format::Json => self.output.write(|out| render::pretty_json(report, out))?,
            Format::Human => self.output.write(|out| render::config::write(report, evidence, options, out))?,
            _ => return Err(Failure::new("what configurations mean is written as text or as JSON")),
        }
        self.worst = self.worst.max(super::config::status(report));
        Ok(())
    }

    /// Writes something before a report.
    pub(crate) fn preface(&mut self, write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> Result<(), Failure> {
        self.output.write(write)
    }

    /// Notes that there is no report on one of several; of a single one nothing is written at all.
    pub(crate) fn missing(&mut self, failure: Failure) -> Result<(), Failure> {
        if self.expected == 1 {
            return Err(failure);
        }
        failure.print();
        self.worst = Status::CouldNot;
        Ok(())
    }

    /// Notes whether something else that was asked for came about.
    pub(crate) fn also(&mut self, done: Result<(), Failure>) {
        if let Err(failure) = done {
            failure.print();
            self.worst = Status::CouldNot;
        }
    }

    /// Gives the files their names; the exit status is that of the worst report.
    pub(crate) fn finish(mut self) -> Result<Status, Failure> {
        if self.written > 0 {
            self.output.write(|out| render::end(self.format, out))?;
        }
        if let Some(saving) = self.saving {
            saving.output.finish()?;
        }
        self.output.finish()?;
        Ok(self.worst)
    }
}

/// Evidence that is kept.
pub(crate) struct Saving {
    output: Output,
    redact: bool,
}

impl Saving {
    /// Opens the file, where one is named.
    pub(crate) fn wanted(path: Option<&Path>, redact: bool) -> Result<Option<Saving>, Failure> {
        path.map(|path| Ok(Saving { output: Output::open(Some(path))?, redact })).transpose()
    }

    fn write(&mut self, evidence: &Evidence) -> Result<(), Failure> {
        let redacted = self.redact.then(|| tlswhy_core::redact(evidence.clone()));
        self.output.write(|out| render::pretty_json(redacted.as_ref().unwrap_or(evidence), out))
    }
}
