//! `tlswhy diagnose`: judges saved evidence again, offline.

use std::path::Path;

use tlswhy_core::{Examination, Inspection, InspectionStep, Step};
use tlswhy_model::Evidence;

use super::reports::{Reports, Saving};
use super::saved;
use crate::cli::Diagnose;
use crate::exit::{Failure, Status};

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
    saved::read(path, &saved::EVIDENCE)
}
