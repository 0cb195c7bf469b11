//! `tlswhy demo` as users meet it: every cause is found on the server that is broken for it, and the healthy one is not blamed.
#![expect(clippy::unwrap_used, reason = "what fails here is the test")]

use std::collections::BTreeSet;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;
use tlswhy_core::{CAUSES, Cause};

fn demo(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_tlswhy"))
        .arg("demo")
        .args(arguments)
        .env("COLUMNS", "80")
        // Nothing of the demo goes through a proxy, whatever the environment says.
        .env("https_proxy", "http://127.0.0.1:1")
        .env("ALL_PROXY", "http://127.0.0.1:1")
        .stdin(Stdio::null())
        .output()
        .unwrap()
}

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

/// The causes that need no router between client and server.
fn shown() -> impl Iterator<Item = &'static Cause> {
    CAUSES.iter().copied().filter(|cause| !cause.code.starts_with("path-"))
}

/// The reports, one a line.
fn reports(output: &Output) -> Vec<Value> {
    stdout(output).lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn every_cause_is_found_and_the_healthy_server_is_not_blamed() {
    let output = demo(&["--format", "json"]);
    let reports = reports(&output);
    let found: BTreeSet<&str> = reports.iter().filter_map(|report| report["root_cause"].as_str()).collect();
    assert_eq!(found, shown().map(|cause| cause.code).collect());
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    for report in &reports {
        assert_eq!(report["format"], "tlswhy-report");
        let outcome = if report["root_cause"].is_null() { "works" } else { "fails" };
        assert_eq!(report["outcome"], outcome, "{}", report["summary"]);
        // The demo's own authority is trusted: no doubt about a certificate may be left.
        let open = report["open_questions"].as_array().unwrap();
        assert!(open.is_empty(), "{}: {open:?}", report["summary"]);
    }
    assert_eq!(reports.iter().filter(|report| report["outcome"] == "works").count(), 1);
}

#[test]
fn the_judgement_costs_no_more_than_promised() {
    for report in reports(&demo(&["--format", "json"])) {
        let (connections, rounds) = (report["cost"]["connections"].as_u64(), report["cost"]["rounds"].as_u64());
        let most = if report["outcome"] == "works" { (Some(4), Some(2)) } else { (Some(12), Some(5)) };
        assert!(connections <= most.0 && rounds <= most.1, "{}: {}", report["summary"], report["cost"]);
    }
}

#[test]
fn all_of_them_are_shown_in_short_and_in_seconds() {
    let started = Instant::now();
    let output = demo(&[]);
    assert!(started.elapsed() < Duration::from_secs(20));
    assert_eq!(output.status.code(), Some(0));
    let text = stdout(&output);
    for cause in shown() {
        let at = text.find(&format!("\n{}\n", cause.code)).unwrap();
        let scene = text[at..].split("\n\n").next().unwrap();
        assert!(scene.contains("\n  Found  ") && scene.contains("\n  Fix    ") && scene.contains("\n  Why    "), "{scene}");
        assert!((7..=16).contains(&scene.lines().count()), "{scene}");
    }
    assert!(text.starts_with("healthy\n"), "{text}");
    let (broken, all) = (shown().count(), shown().count() + 1);
    let count = format!("{all} of {all} servers diagnosed as announced ({broken} broken, 1 healthy)");
    assert!(text.contains(&count), "{text}");
    assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
}

#[test]
fn one_is_shown_in_full_with_the_command_that_asks_the_same() {
    let output = demo(&["Port_Closed"]);
    assert_eq!(output.status.code(), Some(0));
    let text = stdout(&output);
    assert!(text.starts_with("Nothing listens on the port.\n"), "{text}");
    assert!(text.contains("  tlswhy check www.example.test:") && text.contains(" --client openssl-3.0"), "{text}");
    assert!(text.contains("\nFails: ") && text.contains("By hand"), "{text}");
    let healthy = demo(&["healthy", "--format", "markdown"]);
    assert_eq!(healthy.status.code(), Some(0));
    assert!(stdout(&healthy).starts_with('#'), "{}", stdout(&healthy));
}

#[test]
fn what_it_has_is_listed_and_what_it_lacks_is_an_error() {
    let listed = stdout(&demo(&["--list"]));
    assert!(shown().all(|cause| listed.contains(&format!("\n{} ", cause.code))), "{listed}");
    for (arguments, reason) in [
        (&["no-shared-ciper"][..], "did you mean no-shared-cipher"),
        (&["path-downgrades"], "nothing for `path-downgrades`"),
        (&["--list", "not-tls"], "cannot be used with"),
        (&["--output", "/missing/file"], "/missing/file"),
    ] {
        let output = demo(arguments);
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {told}");
        assert!(told.contains(reason), "{arguments:?}: {told}");
        assert_eq!(stdout(&output), "");
    }
}
