//! Exit statuses, and what tlswhy says when it cannot do its own job.

use std::fmt;
use std::io::Write;
use std::process::ExitCode;

use tlswhy_model::{Impact, Outcome, Report, RuleResult, printable};

/// How the program ends. The order is that of severity: several targets end with the worst of theirs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Status {
    /// 0: no blocking finding.
    Fine,
    /// 3: it fails, and the cause stayed undetermined, or a rule of a policy was not judged; what is open is listed.
    Undetermined,
    /// 1: a blocking finding, or a rule of a policy that fails.
    Blocked,
    /// 2: tlswhy could not do its own job: usage, unreadable input, missing right.
    CouldNot,
}

impl Status {
    /// The status that a report asks for.
    pub(crate) fn of(report: &Report) -> Status {
        let blocking = report.findings.iter().any(|finding| finding.impact == Impact::Blocks);
        let handshake = match report.outcome {
            Outcome::Works | Outcome::AtRisk => Status::Fine,
            Outcome::Fails if blocking => Status::Blocked,
            Outcome::Fails | Outcome::Undetermined => Status::Undetermined,
        };
        let policies = report.policies.iter().map(|policy| match policy.result {
            RuleResult::Pass => Status::Fine,
            RuleResult::NotJudged => Status::Undetermined,
            RuleResult::Fail => Status::Blocked,
        });
        policies.fold(handshake, Status::max)
    }

    /// The number that scripts see.
    pub(crate) const fn code(self) -> u8 {
        match self {
            Status::Fine => 0,
            Status::Blocked => 1,
            Status::CouldNot => 2,
            Status::Undetermined => 3,
        }
    }
}

impl From<Status> for ExitCode {
    fn from(status: Status) -> ExitCode {
        ExitCode::from(status.code())
    }
}

/// Why tlswhy could not do its own job: one sentence, and where there is one the way out.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Failure {
    message: String,
    tip: Option<String>,
}

impl Failure {
    /// A failure with this message.
    pub(crate) fn new(message: impl Into<String>) -> Failure {
        Failure { message: message.into(), tip: None }
    }

    /// Says it on standard error. Where not even that is possible, the exit status says it.
    pub(crate) fn print(&self) {
        let style = anstyle::AnsiColor::Red.on_default().bold();
        let _ = writeln!(anstream::stderr(), "{style}error:{style:#} {self}");
    }

    /// The same with the way out.
    pub(crate) fn tip(self, tip: impl Into<String>) -> Failure {
        Failure { tip: Some(tip.into()), ..self }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&printable(&self.message, 2000))?;
        match &self.tip {
            Some(tip) => write!(f, "\n  tip: {}", printable(tip, 2000)),
            None => Ok(()),
        }
    }
}

impl std::error::Error for Failure {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_worst_of_several_is_the_one_that_could_not_be_done() {
        let worst = [Status::Fine, Status::Blocked, Status::Undetermined, Status::CouldNot].into_iter().max();
        assert_eq!(worst.map(Status::code), Some(2));
        assert_eq!(Status::Blocked.max(Status::Undetermined).code(), 1);
    }

    #[test]
    fn a_failure_shows_no_control_characters() {
        let failure = Failure::new("cannot read \u{1b}[2Jx").tip("try again");
        assert_eq!(failure.to_string(), "cannot read \\u{1b}[2Jx\n  tip: try again");
    }
}
