//! `tlswhy diagnose`: judges saved evidence again, offline.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use serde::Deserialize;
use serde::de::IgnoredAny;
use tlswhy_core::{Examination, Inspection, InspectionStep, Step};
use tlswhy_model::{EVIDENCE_FORMAT, Evidence, FORMAT_VERSION, REPORT_FORMAT};

use super::reports::{Reports, Saving};
use crate::cli::Diagnose;
use crate::exit::{Failure, Status};

/// The largest evidence that is read, in bytes.
const LARGEST: u64 = 64 << 20;

/// Judges every file and writes the reports.
pub(crate) fn run(arguments: &Diagnose) -> Result<Status, Failure> {
    if arguments.files.len() > 1 && arguments.save_evidence.is_some() {
        return Err(Failure::new("--save-evidence keeps the evidence of one file").tip("judge the files one by one"));
    }
    let panel = tlswhy_core::panel();
    let documents = arguments.files.iter().map(|path| read(path)).collect::<Result<Vec<_>, _>>()?.concat();
    let mut reports = Reports::open(
        &arguments.output,
        Saving::wanted(arguments.save_evidence.as_deref(), arguments.redact)?,
        documents.len(),
    )?;
    for evidence in documents {
        if Inspection::is_meant(&evidence) {
            let mut inspection = Inspection::replay(evidence, panel.clone());
            // A replay has no one to ask, so this is the report.
            let InspectionStep::Done(report) = inspection.step() else {
                return Err(Failure::new("the evidence leads to no report"));
            };
            reports.write_config(&report, inspection.evidence())?;
            continue;
        }
        let evidence = if arguments.redact { tlswhy_core::redact(evidence) } else { evidence };
        let mut examination = Examination::replay(evidence, panel.clone());
        // A replay has no one to ask, so this is the report.
        let Step::Done(report) = examination.next() else {
            return Err(Failure::new("the evidence leads to no report"));
        };
        reports.write(&examination, &report)?;
    }
    reports.finish()
}

/// Reads the evidence in a file, or from standard input where the path is `-`: one document, or one after the other.
pub(super) fn read(path: &Path) -> Result<Vec<Evidence>, Failure> {
    let is_stdin = path == Path::new("-");
    let name = if is_stdin { "standard input".to_owned() } else { path.display().to_string() };
    let mut bytes = Vec::new();
    let limit = LARGEST + 1;
    let taken = if is_stdin {
        io::stdin().lock().take(limit).read_to_end(&mut bytes)
    } else {
        File::open(path).and_then(|file| file.take(limit).read_to_end(&mut bytes))
    };
    taken.map_err(|error| Failure::new(format!("cannot read {name}: {error}")))?;
    if bytes.len() as u64 > LARGEST {
        return Err(Failure::new(format!("{name} is larger than 64 MiB; evidence never is"))
            .tip("evidence is what `tlswhy TARGET --save-evidence FILE` writes"));
    }
    documents(&bytes).into_iter().map(parse).collect::<Result<_, _>>().map_err(|problem| problem.failure(&name))
}

/// The JSON documents that stand one after the other. What cannot be read is the last one, with all that follows it.
fn documents(bytes: &[u8]) -> Vec<&[u8]> {
    let mut found = Vec::new();
    let mut rest = bytes;
    loop {
        let mut values = serde_json::Deserializer::from_slice(rest).into_iter::<IgnoredAny>();
        let (document, after) = match values.next() {
            Some(Ok(_)) => rest.split_at_checked(values.byte_offset()).unwrap_or((rest, &[])),
            _ => (rest, &[][..]),
        };
        found.push(document);
        if after.trim_ascii().is_empty() {
            return found;
        }
        rest = after;
    }
}

/// Why bytes are not evidence that can be judged.
#[derive(Debug)]
enum Problem {
    Empty,
    NotJson(serde_json::Error),
    CutOff(serde_json::Error),
    NotEvidence,
    Report,
    OtherVersion(String),
    Damaged(serde_json::Error),
}

impl Problem {
    fn failure(self, name: &str) -> Failure {
        let again = "save it again with `tlswhy TARGET --save-evidence FILE`";
        match self {
            Problem::Empty => Failure::new(format!("{name} is empty")).tip(again),
            Problem::NotJson(error) => Failure::new(format!("{name} is not JSON: {error}")).tip(again),
            Problem::CutOff(error) => {
                let (line, column) = (error.line(), error.column());
                Failure::new(format!("{name} is cut off: it ends at line {line}, column {column}"))
                    .tip("copy the whole file, or ".to_owned() + again)
            }
            Problem::NotEvidence => {
                Failure::new(format!("{name} is JSON, but its `format` is not `{EVIDENCE_FORMAT}`")).tip(again)
            }
            Problem::Report => Failure::new(format!("{name} is a report; it holds only the evidence that its findings cite"))
                .tip("save all of the evidence with `tlswhy TARGET --save-evidence FILE`"),
            Problem::OtherVersion(version) => Failure::new(format!(
                "{name} has the evidence format {version}; this tlswhy reads {FORMAT_VERSION} and its minors"
            ))
            .tip("judge it with the tlswhy that saved it, or a newer one"),
            Problem::Damaged(error) => Failure::new(format!("{name} is damaged: {error}")).tip(again),
        }
    }
}

/// What says which document it is; everything else is read once that is known.
#[derive(Deserialize)]
struct Head {
    #[serde(default)]
    format: String,
    #[serde(default)]
    format_version: String,
}

fn parse(bytes: &[u8]) -> Result<Evidence, Problem> {
    if bytes.trim_ascii().is_empty() {
        return Err(Problem::Empty);
    }
    let head: Head = serde_json::from_slice(bytes).map_err(|error| match error.classify() {
        serde_json::error::Category::Eof => Problem::CutOff(error),
        serde_json::error::Category::Data => Problem::NotEvidence,
        _ => Problem::NotJson(error),
    })?;
    match head.format.as_str() {
        EVIDENCE_FORMAT => {}
        REPORT_FORMAT => return Err(Problem::Report),
        _ => return Err(Problem::NotEvidence),
    }
    let major = |version: &str| version.split('.').next().and_then(|major| major.parse::<u32>().ok());
    if major(&head.format_version).is_none() || major(&head.format_version) != major(FORMAT_VERSION) {
        return Err(Problem::OtherVersion(head.format_version));
    }
    serde_json::from_slice(bytes).map_err(Problem::Damaged)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problem(text: &str) -> String {
        parse(text.as_bytes()).map(|_| ()).unwrap_err().failure("x.json").to_string()
    }

    #[test]
    fn what_is_not_evidence_is_named() {
        for (text, reason) in [
            ("", "is empty"),
            (" \n", "is empty"),
            ("hello", "is not JSON: expected value at line 1 column 1"),
            ("{\"format\": \"tlswhy-evidence\",\n \"forma", "is cut off: it ends at line 2, column 7"),
            ("[1, 2]", "`format` is not"),
            ("{}", "`format` is not"),
            ("{\"format\": 7}", "`format` is not"),
            ("{\"format\": \"tlswhy-report\"}", "is a report"),
            ("{\"format\": \"tlswhy-evidence\", \"format_version\": \"2.0\"}", "reads 1."),
            ("{\"format\": \"tlswhy-evidence\"}", "has the evidence format"),
            ("{\"format\": \"tlswhy-evidence\", \"format_version\": \"1.7\"}", "is damaged: missing field"),
        ] {
            let told = problem(text);
            assert!(told.contains(reason) && told.contains("tip:"), "{text:?}: {told}");
        }
    }
}
