//! Every fix is applied to the real running program, and the real client connects afterwards; or it is taken back.

use std::io::Write as _;
use std::path::Path;

use tlswhy_lab::fixes::clients::{self, CLIENTS, HARMLESS, STOPS, WITHOUT_RFC_5746};
use tlswhy_lab::fixes::{FIXES, Fix, SERVERS, run};
use tlswhy_lab::not_kept::{a_baseline_that_differs_each_time, a_fix_that_breaks_another_client, half_a_fix_behind_a_balancer};
use tlswhy_lab::runner::find_binary;
use tlswhy_lab::{Lab, StartError};

#[test]
fn fixes_are_applied_verified_and_taken_back() {
    prove(FIXES);
}

#[test]
fn fixes_of_databases_and_relays_are_applied_verified_and_taken_back() {
    prove(SERVERS);
}

#[expect(clippy::unwrap_used, reason = "a helper of tests")]
fn prove(fixes: &[Fix]) {
    let lab = Lab::new().unwrap();
    let binary = find_binary().unwrap();
    let mut wrong = Vec::new();
    for fix in fixes {
        match run(&lab, &binary, fix) {
            Ok(lines) => wrong.extend(lines.into_iter().map(|line| format!("{}: {line}", fix.id))),
            // Not by the macro, whose output the test harness hides where a test passes.
            Err(StartError::Missing(what)) => drop(writeln!(std::io::stderr(), "skipped {}: no {what}", fix.id)),
            Err(error) => wrong.push(format!("{}: {error}", fix.id)),
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn clients_fail_connect_and_fail_again_as_their_files_are_mended() {
    tried(CLIENTS, |fix| fix.id, clients::run);
}

#[test]
fn clients_that_end_at_a_line_of_their_file_are_told_it() {
    tried(STOPS, |(fix, _)| fix.id, clients::run_stopped);
}

#[test]
fn what_is_wrong_in_a_file_and_stops_nobody_is_told_and_is_no_finding() {
    tried(HARMLESS, |fix| fix.id, clients::run_harmless);
}

#[test]
fn clients_go_on_with_a_server_without_rfc_5746_where_their_files_say_so() {
    tried(WITHOUT_RFC_5746, |fix| fix.id, clients::run_legacy);
}

/// Every one ends without a line of what was not as it must be.
#[expect(clippy::unwrap_used, reason = "a helper of tests")]
fn tried<T>(all: &[T], id: fn(&T) -> &str, run: fn(&Lab, &Path, &T) -> Result<Vec<String>, StartError>) {
    let lab = Lab::new().unwrap();
    let binary = find_binary().unwrap();
    let mut wrong = Vec::new();
    for one in all {
        match run(&lab, &binary, one) {
            Ok(lines) => wrong.extend(lines.into_iter().map(|line| format!("{}: {line}", id(one)))),
            Err(StartError::Missing(what)) => drop(writeln!(std::io::stderr(), "skipped {}: no {what}", id(one))),
            Err(error) => wrong.push(format!("{}: {error}", id(one))),
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn what_cannot_be_told_or_breaks_others_is_not_kept() {
    let lab = Lab::new().unwrap();
    let binary = find_binary().unwrap();
    for run in [a_fix_that_breaks_another_client, half_a_fix_behind_a_balancer, a_baseline_that_differs_each_time] {
        match run(&lab, &binary) {
            Ok(wrong) => assert!(wrong.is_empty(), "{}", wrong.join("\n")),
            Err(StartError::Missing(what)) => drop(writeln!(std::io::stderr(), "skipped: no {what}")),
            Err(error) => panic!("{error}"),
        }
    }
}
