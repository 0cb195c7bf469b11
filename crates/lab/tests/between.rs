//! Devices that take part in TLS, on a way of five hops in network namespaces: a real Squid that inspects, a wire that lowers versions.
//! `tlswhy`, without any right, must say what it is and where; without them, or where they leave the name alone, it must say nothing.

#![cfg(target_os = "linux")]
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test stops at what it did not expect, and says what it skips"
)]

use std::path::Path;

use serde_json::Value;
use tlswhy_lab::path::inspector::{INSPECTS, Inspector};
use tlswhy_lab::path::wire::{Act, Match, Rule, Wire};
use tlswhy_lab::path::{Built, NEUTRAL, Way};
use tlswhy_lab::runner::find_binary;
use tlswhy_lab::{Lab, StartError};

/// The way, or `None` after saying what is missing here.
fn build(way: &Way<'_>) -> Option<Built> {
    match way.build(&Lab::new().unwrap(), Path::new(env!("CARGO_BIN_EXE_tlswhy-lab"))) {
        Ok(built) => Some(built),
        Err(StartError::Missing(what)) => {
            println!("skipped, for want of {what}");
            None
        }
        Err(error) => panic!("{error}"),
    }
}

fn inspected(inspector: Inspector) -> Option<Built> {
    build(&Way { inspector: Some(inspector), ..Way::default() })
}

/// What an ordinary user's `tlswhy` reports.
fn tlswhy(built: &Built, command: &str, options: &[&str]) -> Value {
    let target = format!("{}:443", built.server(false));
    let fixed = [command, &target, "--sni", NEUTRAL, "--format", "json"];
    let arguments: Vec<String> = fixed.into_iter().chain(options.iter().copied()).map(str::to_owned).collect();
    let output = built.run_unprivileged(&find_binary().unwrap(), &arguments).unwrap();
    serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&output.stderr)))
}

/// Keeps what `tlswhy check` sees as the evidence of a case of core's, where that one is wanted (`crates/core/tests/record`).
fn record(built: &Built, id: &str, options: &[&str]) {
    if let (Some(folder), Ok(wanted)) = (std::env::var_os("RECORD"), std::env::var("WAY"))
        && wanted == id
    {
        tlswhy(built, "check", &[options, &["--save-evidence", "evidence.json"]].concat());
        std::fs::copy(built.file("evidence.json"), Path::new(&folder).join("evidence.json")).unwrap();
    }
}

/// The exit status of `openssl s_client`, as a client that insists.
fn openssl(built: &Built, options: &str) -> (bool, String) {
    let command = format!(
        "openssl s_client -connect {}:443 -servername {NEUTRAL} -verify_return_error {options} </dev/null 2>&1",
        built.server(false)
    );
    let output = built.run_privileged(Path::new("/bin/sh"), &["-c".to_owned(), command]).unwrap();
    (output.status.success(), String::from_utf8_lossy(&output.stdout).into_owned())
}

const CLIENT: [&str; 4] = ["--client", "openssl-3.0", "--ca", "ca.pem"];

#[test]
fn an_inspecting_device_is_named_with_its_place() {
    let Some(built) = inspected(INSPECTS) else { return };
    record(&built, "inspects", &CLIENT);
    assert!(!openssl(&built, "-CAfile ca.pem").0);
    let report = tlswhy(&built, "check", &CLIENT);
    assert_eq!(report["root_cause"], "path-tls-inspection", "{report:#}");
    let finding = &report["findings"][0];
    assert_eq!(finding["explains"], serde_json::json!(["untrusted-root"]), "{report:#}");
    assert_eq!(report["findings"].as_array().unwrap().len(), 1, "{report:#}");
    let hop = finding["exhibits"].as_array().unwrap().iter().find(|exhibit| exhibit["kind"] == "hop").unwrap();
    assert_eq!(hop["before"], "hop 2 (10.77.2.2)");
    assert!(report["cost"]["connections"].as_u64().unwrap() <= 25, "{}", report["cost"]);

    // A client that has the device's root connects; what stands there is worth a note where it was asked for.
    assert!(openssl(&built, "-CAfile inspector.pem").0);
    let trusting = ["--client", "openssl-3.0", "--ca", "inspector.pem"];
    let report = tlswhy(&built, "check", &trusting);
    assert_eq!(report["outcome"], "works", "{report:#}");
    let report = tlswhy(&built, "trace", &trusting);
    assert_eq!(report["outcome"], "works", "{report:#}");
    assert!(notices(&report).contains(&"tls-inspection".to_owned()), "{report:#}");
    // Unless the server is known to have another key.
    let report = tlswhy(&built, "check", &[&trusting[..], &["--expect", "rsa.pem"]].concat());
    assert_eq!(report["root_cause"], "path-tls-inspection", "{report:#}");
    assert!(report["findings"][0]["diagnosis"].as_str().unwrap().contains("--expect"), "{report:#}");
}

#[test]
fn what_fails_behind_the_device_is_read_from_its_answer() {
    let Some(built) = inspected(Inspector { trusts_the_server: false, ..INSPECTS }) else { return };
    record(&built, "inspects, and does not reach the server", &CLIENT);
    let report = tlswhy(&built, "check", &CLIENT);
    assert_eq!(report["root_cause"], "path-tls-inspection", "{report:#}");
    let diagnosis = report["findings"][0]["diagnosis"].as_str().unwrap();
    assert!(diagnosis.contains("HTTP/1.1 503") && diagnosis.contains("says why: "), "{diagnosis}");
    assert!(report["findings"][0]["title"].as_str().unwrap().contains("Squid"), "{report:#}");
}

#[test]
fn an_old_device_is_the_cause_of_the_versions_that_it_lacks() {
    let Some(built) = inspected(Inspector { towards_clients: "options=NO_TLSv1_3", ..INSPECTS }) else { return };
    record(&built, "inspects without TLS 1.3", &CLIENT);
    let client = concat!(env!("CARGO_MANIFEST_DIR"), "/clients/tls13-only.toml");
    std::fs::copy(client, built.file("client.toml")).unwrap();
    let report = tlswhy(&built, "check", &["--client", "client.toml", "--ca", "ca.pem"]);
    assert_eq!(report["root_cause"], "path-tls-inspection", "{report:#}");
    let explains = serde_json::json!(["version-ranges-disjoint", "untrusted-root"]);
    assert_eq!(report["findings"][0]["explains"], explains, "{report:#}");
}

#[test]
fn a_name_that_the_device_leaves_alone_has_no_finding() {
    let Some(built) = inspected(Inspector { exempts: true, ..INSPECTS }) else { return };
    record(&built, "exempts", &CLIENT);
    assert!(openssl(&built, "-CAfile ca.pem").0);
    for command in ["check", "trace"] {
        let report = tlswhy(&built, command, &[&CLIENT[..], &["--expect", "rsa.pem"]].concat());
        assert_eq!((&report["outcome"], &report["findings"]), (&"works".into(), &Value::Array(Vec::new())), "{report:#}");
        assert!(!notices(&report).contains(&"tls-inspection".to_owned()), "{report:#}");
    }
}

#[test]
fn an_authority_that_the_client_lacks_is_no_inspection() {
    let Some(built) = build(&Way::default()) else { return };
    let another =
        "openssl req -x509 -newkey rsa:2048 -nodes -keyout other.key -out other.pem -days 30 -subj '/CN=Another CA' 2>&1";
    built.run_privileged(Path::new("/bin/sh"), &["-c".to_owned(), another.to_owned()]).unwrap();
    let other = ["--client", "openssl-3.0", "--ca", "other.pem"];
    record(&built, "healthy, the authority is not known", &other);
    let report = tlswhy(&built, "check", &other);
    // What is expected and not found there leaves it open who answers.
    let doubting = ["--client", "openssl-3.0", "--ca", "ca.pem", "--expect", "other.pem"];
    let doubted = tlswhy(&built, "check", &doubting);
    assert_eq!(doubted["outcome"], "undetermined", "{doubted:#}");
    assert!(doubted["open_questions"].to_string().contains("path-tls-inspection"), "{doubted:#}");
    let causes: Vec<&str> = report["findings"].as_array().unwrap().iter().filter_map(|found| found["cause"].as_str()).collect();
    assert!(!causes.contains(&"path-tls-inspection"), "{report:#}");
    assert!(!report["open_questions"].to_string().contains("path-tls-inspection"), "{report:#}");
}

#[test]
fn a_hello_that_is_changed_on_the_way_is_found() {
    let lowers = || Wire { rule: Some(Rule { what: Match::Hello, act: Act::Lower }), ..Wire::default() };
    // With TLS 1.3 the server marks its answer; without, the two ends do not agree in the end.
    for (protocols, complaint, says) in [
        ("TLSv1.2 TLSv1.3", "inappropriate fallback", "lowers the version"),
        ("TLSv1.2", "bad record mac", "changes the ClientHello"),
    ] {
        let Some(built) = build(&Way { wires: vec![(3, lowers())], protocols: Some(protocols), ..Way::default() }) else {
            return;
        };
        record(&built, &format!("{says}: {protocols}"), &CLIENT);
        let (connects, words) = openssl(&built, "-CAfile ca.pem");
        assert!(!connects && words.contains(complaint), "{words}");
        let report = tlswhy(&built, "check", &CLIENT);
        assert_eq!(report["root_cause"], "path-downgrades", "{report:#}");
        let finding = &report["findings"][0];
        assert_eq!((&finding["confidence"], &finding["impact"]), (&"confirmed".into(), &"blocks".into()), "{report:#}");
        assert!(finding["title"].as_str().unwrap().contains(says), "{report:#}");
        assert_eq!(report["findings"].as_array().unwrap().len(), 1, "{report:#}");
        assert_eq!(report["open_questions"], Value::Array(Vec::new()), "{report:#}");
        // What it advises until the network is mended.
        assert!(openssl(&built, "-CAfile ca.pem -tls1_2").0);
    }
}

#[test]
fn a_server_that_has_no_more_is_not_lowered() {
    let Some(built) = build(&Way { protocols: Some("TLSv1.2"), ..Way::default() }) else { return };
    record(&built, "healthy, TLS 1.2 alone", &CLIENT);
    let report = tlswhy(&built, "check", &CLIENT);
    assert_eq!((&report["outcome"], &report["findings"]), (&"works".into(), &Value::Array(Vec::new())), "{report:#}");
}

fn notices(report: &Value) -> Vec<String> {
    let codes = report["notices"].as_array().into_iter().flatten().filter_map(|notice| notice["code"].as_str());
    codes.map(str::to_owned).collect()
}
