//! A fix is interrupted at every step, or hindered: whatever is left is whole, can be taken back, and the error is a clear one.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test stops at what it did not expect")]

use std::io::Write as _;
use std::path::Path;

use tlswhy_lab::crashes::{Interruption, interrupted_everywhere};
use tlswhy_lab::hindered::{HINDRANCES, hindered, two_at_once, undone_without_its_service};
use tlswhy_lab::runner::find_binary;
use tlswhy_lab::{Lab, StartError};

/// Nothing may be wrong; only what the machine lacks is a reason to go on.
fn check(run: impl FnOnce(&Lab, &Path) -> Result<Vec<String>, StartError>) {
    match run(&Lab::new().unwrap(), &find_binary().unwrap()) {
        Ok(wrong) => assert!(wrong.is_empty(), "{}", wrong.join("\n")),
        // Not by the macro, whose output the test harness hides where a test passes.
        Err(StartError::Missing(what)) => drop(writeln!(std::io::stderr(), "skipped: no {what}")),
        Err(error) => panic!("{error}"),
    }
}

fn interrupted(by: Interruption) {
    check(|lab, binary| {
        let (steps, wrong) = interrupted_everywhere(lab, binary, by)?;
        // Two copies, seven entries of the journal, two files.
        assert!(steps > 30, "only {steps} steps");
        Ok(wrong)
    });
}

#[test]
fn a_fix_killed_at_any_step_leaves_whole_files_and_is_taken_back() {
    interrupted(Interruption::Killed);
}

#[test]
fn a_fix_that_runs_out_of_space_at_any_step_leaves_whole_files_and_is_taken_back() {
    interrupted(Interruption::NoSpace);
}

#[test]
fn what_cannot_be_written_is_one_error_and_nothing_is_half_written() {
    for hindrance in HINDRANCES {
        check(|lab, binary| {
            let wrong = hindered(lab, binary, hindrance)?;
            Ok(wrong.into_iter().map(|line| format!("{}: {line}", hindrance.id)).collect())
        });
    }
}

#[test]
fn two_runs_at_once_exclude_each_other() {
    check(two_at_once);
}

#[test]
fn a_fix_whose_service_is_gone_is_undone_in_the_files() {
    check(undone_without_its_service);
}
