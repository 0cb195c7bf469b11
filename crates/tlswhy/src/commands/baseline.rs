//! The earlier reports that `check --baseline` compares with.

use std::path::Path;

use tlswhy_model::{Report, Subject};

use super::saved;
use crate::exit::Failure;

/// The reports of one file.
pub(super) struct Baseline {
    name: String,
    reports: Vec<Report>,
}

/// Reads them.
pub(super) fn read(path: &Path) -> Result<Baseline, Failure> {
    Ok(Baseline { name: path.display().to_string(), reports: saved::read(path, &saved::REPORT)? })
}

impl Baseline {
    /// The report of this subject; the last, where a file holds several.
    pub(super) fn of(&self, subject: &Subject) -> Result<&Report, Failure> {
        self.reports.iter().rev().find(|report| is_same(&report.subject, subject)).ok_or_else(|| {
            let examined: Vec<&str> = self.reports.iter().take(3).map(|report| report.subject.target.as_str()).collect();
            let more = if self.reports.len() > examined.len() { ", …" } else { "" };
            Failure::new(format!("{} holds no report of {}: it is of {}{more}", self.name, subject.target, examined.join(", ")))
                .tip(
                    "host, port, server name and upgrade must be the same; save one with `tlswhy TARGET --format json -o FILE`",
                )
        })
    }
}

/// Whether the same was asked: whatever address the name had, and however the target was spelled.
fn is_same(one: &Subject, other: &Subject) -> bool {
    (&one.host, one.port, &one.server_name, &one.upgrade) == (&other.host, other.port, &other.server_name, &other.upgrade)
}
