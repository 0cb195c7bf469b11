//! `tlswhy pcap` as scripts meet it, on the captures of real handshakes that the reader's tests bring.
#![expect(clippy::unwrap_used, reason = "what fails here is the test")]

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::Value;

fn captured(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../capture/tests/captures").join(format!("{name}.pcap"))
}

fn run(arguments: &[&str], input: Option<&[u8]>) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tlswhy"));
    command.arg("pcap").args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    // A program that refuses its arguments does not read.
    let _ = child.stdin.take().unwrap().write_all(input.unwrap_or_default());
    child.wait_with_output().unwrap()
}

/// Exit status, and the documents.
fn judged(bytes: &[u8], options: &[&str]) -> (i32, Vec<Value>) {
    let output = run(&[&["-", "--format", "json"], options].concat(), Some(bytes));
    let text = String::from_utf8(output.stdout).unwrap();
    (output.status.code().unwrap(), text.lines().map(|line| serde_json::from_str(line).unwrap()).collect())
}

fn bytes(name: &str) -> Vec<u8> {
    std::fs::read(captured(name)).unwrap()
}

#[test]
fn each_capture_gets_its_cause_and_its_exit_status() {
    for (name, outcome, by, cause, status) in [
        ("tls13", "established", None, None, 0),
        ("imap", "established", None, None, 0),
        ("not-tls", "not-tls", Some("server"), Some("not-tls"), 1),
        ("no-shared-protocol", "alert", Some("server"), Some("alpn-mismatch"), 1),
        ("tls12-untrusted", "alert", Some("client"), Some("untrusted-root"), 1),
        ("tls12-client-certificate", "alert", Some("server"), Some("client-certificate-required"), 1),
        ("refused", "refused", Some("server"), Some("port-closed"), 1),
        ("no-shared-cipher", "alert", Some("server"), None, 3),
        ("tls13-untrusted", "alert", Some("client"), Some("untrusted-root"), 1),
        ("tls13-client-certificate", "alert", Some("server"), None, 3),
        ("gnutls-untrusted", "alert", Some("client"), None, 3),
        ("reset", "reset", Some("server"), None, 3),
        ("gave-up", "gave-up", Some("client"), None, 3),
        ("proxy-refused", "tunnel-refused", None, None, 3),
    ] {
        let (code, documents) = judged(&bytes(name), &[]);
        let row = &documents[0]["rows"][0];
        assert_eq!(documents[0]["format"], "tlswhy-capture", "{name}");
        assert_eq!((row["handshake"]["outcome"].as_str(), row["handshake"]["by"].as_str()), (Some(outcome), by), "{name}");
        assert_eq!((row["cause"].as_str(), code), (cause, status), "{name}");
        for report in &documents[1..] {
            assert_eq!(report["format"], "tlswhy-report", "{name}");
            assert_eq!(report["evidence"]["watched"], true, "{name}");
        }
    }
}

/// Two captures with the same server as one: what others got is the contrast.
#[test]
fn another_client_that_got_through_shows_what_the_failing_one_lacks() {
    let both = [bytes("old-client").as_slice(), &bytes("tls13")[24..]].concat();
    let (code, documents) = judged(&both, &[]);
    assert_eq!((code, documents.len()), (1, 2));
    assert_eq!(documents[1]["root_cause"], "version-ranges-disjoint");
    assert_eq!(documents[1]["findings"][0]["confidence"], "inferred");
    // Alone it is no more than a suspicion.
    let (code, documents) = judged(&bytes("old-client"), &[]);
    assert_eq!((code, documents[1]["findings"][0]["confidence"].as_str()), (1, Some("suspected")));
}

#[test]
fn filters_and_every_handshake() {
    let both = [bytes("not-tls").as_slice(), &bytes("tls13")[24..]].concat();
    assert_eq!(judged(&both, &["--name", "SERVER.test"]).0, 0);
    assert_eq!(judged(&both, &["--server", "127.0.0.1:4434"]).1[0]["handshakes"], 0);
    assert_eq!(judged(&both, &["--client", "127.0.0.1"]).1[0]["handshakes"], 2);
    let (_, documents) = judged(&both, &["-v"]);
    let formats: Vec<&str> = documents.iter().map(|document| document["format"].as_str().unwrap()).collect();
    assert_eq!(formats, ["tlswhy-handshake", "tlswhy-handshake", "tlswhy-capture", "tlswhy-report"]);
}

#[test]
fn what_cannot_be_read_is_named_with_the_way_out() {
    for (input, reason) in [
        (&b""[..], "it is empty"),
        (b"{\"format\": 1}", "neither pcap nor pcapng"),
        (&[0x1f, 0x8b, 8, 0], "compressed with gzip"),
    ] {
        let output = run(&["-"], Some(input));
        let told = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{told}");
        assert!(told.contains(reason) && told.contains("tip:") && output.stdout.is_empty(), "{told}");
    }
    // What stands before the damage is judged.
    let whole = bytes("not-tls");
    let cut = &whole[..whole.len() - 5];
    let output = run(&["-"], Some(cut));
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8(output.stderr).unwrap().contains("ends within a packet"));
    let lying = [whole.as_slice(), &[0; 8], &[0xff; 8]].concat();
    assert_eq!(run(&["-"], Some(&lying)).status.code(), Some(2));
}

/// The evidence of each kind of failing handshakes, judged again, gives the same findings.
#[test]
fn saved_evidence_is_judged_again_to_the_same_result() {
    let folder = tempfile::tempdir().unwrap();
    let saved = folder.path().join("seen.jsonl");
    let names = ["not-tls", "tls12-untrusted", "no-shared-cipher", "tls13-untrusted", "reset", "tls12-client-certificate"];
    let all: Vec<u8> =
        std::iter::once(bytes("tls13")).chain(names.iter().map(|name| bytes(name)[24..].to_vec())).collect::<Vec<_>>().concat();
    let (code, documents) = judged(&all, &["--save-evidence", saved.to_str().unwrap()]);
    let reports: Vec<&Value> = documents.iter().filter(|document| document["format"] == "tlswhy-report").collect();
    assert_eq!((code, reports.len()), (1, names.len()));
    let mut again = Command::new(env!("CARGO_BIN_EXE_tlswhy"));
    let again = again.args(["diagnose", "--format", "json"]).arg(&saved).output().unwrap();
    assert_eq!(again.status.code(), Some(code));
    let text = String::from_utf8(again.stdout).unwrap();
    let again: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(again.len(), reports.len());
    for (first, second) in reports.iter().zip(&again) {
        for key in ["outcome", "root_cause", "summary", "findings", "open_questions", "subject", "taken_at"] {
            assert_eq!(first[key], second[key], "{key} of {}", first["summary"]);
        }
    }
    // The client's address is a name as well.
    let mut redacted = Command::new(env!("CARGO_BIN_EXE_tlswhy"));
    let kept = folder.path().join("redacted.json");
    redacted.args(["diagnose", "--redact", "--save-evidence"]).arg(&kept).arg(&saved);
    assert!(redacted.output().unwrap().status.code() != Some(2));
    assert!(!std::fs::read_to_string(kept).unwrap().contains("server.test"));
}

/// Hundreds of clients in trouble are a table, with one report for each cause.
#[test]
fn many_clients_are_a_table_for_people_and_rows_for_programs() {
    let whole = bytes("not-tls");
    let mut many = whole[..24].to_vec();
    for number in 0..260_u32 {
        let mut at = 24;
        while at < whole.len() {
            let length = u32::from_le_bytes(whole[at + 8..at + 12].try_into().unwrap()) as usize;
            let mut record = whole[at..at + 16 + length].to_vec();
            // Of two loopback addresses the one beside the higher port becomes the client's own.
            let port = |from: usize| u16::from_be_bytes(record[16 + from..18 + from].try_into().unwrap());
            let place = if port(34) > port(36) { 16 + 26 } else { 16 + 30 };
            record[place..place + 4].copy_from_slice(&(0x0a00_0000 + number).to_be_bytes());
            many.extend(record);
            at += 16 + length;
        }
    }
    let output = run(&["-"], Some(&many));
    let text = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(text.lines().filter(|line| line.contains("127.0.0.1:4433  not-tls")).count(), 260, "a line for each client");
    assert_eq!(text.matches("1. 127.0.0.1:4433 speaks http").count(), 1, "a report for the cause");
    let (_, documents) = judged(&many, &[]);
    assert_eq!(documents[0]["rows"].as_array().unwrap().len(), 260);
    assert!(documents[0]["rows"].as_array().unwrap().iter().all(|row| row["cause"] == "not-tls"));
    assert_eq!(documents.len(), 201);
}
