//! The judged client `strict` against the public test cases of x509-limbo. Every disagreement stands in
//! `limbo-disagreements.txt` with its reason.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout)]

use std::collections::BTreeMap;
use std::process::Command;
use std::sync::Arc;

use serde_json::Value;
use tlswhy_core::chain::signature::MOST_VERIFICATIONS;
use tlswhy_core::chain::{Anchor, Certificate, Judgement, PathPolicy, Purpose, ServerName, Situation, judge};

/// 2026-11-23, for the cases that name no time.
const NOW: i64 = 1_795_392_000;

fn cases() -> Option<Vec<Value>> {
    let path = format!("{}/../../../shared/certs/limbo.json", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(&path).ok()?;
    let whole: Value = serde_json::from_str(&text).unwrap();
    Some(whole["testcases"].as_array().unwrap().clone())
}

/// DER from PEM.
fn der(pem: &str) -> Vec<u8> {
    const ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let body: String = pem.lines().filter(|line| !line.starts_with("-----")).collect();
    let digits = body.bytes().filter_map(|byte| ALPHABET.iter().position(|known| *known == byte));
    let (mut bytes, mut pool, mut bits) = (Vec::new(), 0u32, 0);
    for digit in digits {
        pool = (pool << 6) | digit as u32;
        bits += 6;
        if bits >= 8 {
            bits -= 8;
            bytes.push((pool >> bits) as u8);
            pool &= (1 << bits) - 1;
        }
    }
    bytes
}

fn all(value: &Value) -> Vec<Vec<u8>> {
    value.as_array().map(|list| list.iter().map(|pem| der(pem.as_str().unwrap())).collect()).unwrap_or_default()
}

/// `2024-01-01T00:00:00+00:00` in seconds since 1970, fractions cut off.
fn seconds(text: &str) -> i64 {
    let number = |from: usize, to: usize| -> i64 { text[from..to].parse().unwrap() };
    let (year, month, day) = (number(0, 4), number(5, 7), number(8, 10));
    let leap = |year: i64| (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    let mut days: i64 = (1970..year).map(|year| if leap(year) { 366 } else { 365 }).sum();
    let lengths = [31, if leap(year) { 29 } else { 28 }, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    days += lengths[..(month - 1) as usize].iter().sum::<i64>() + day - 1;
    days * 86400 + number(11, 13) * 3600 + number(14, 16) * 60 + number(17, 19)
}

/// What `strict` says.
fn strict(case: &Value) -> Judgement {
    let read = |der: &Vec<u8>| Arc::new(Certificate::read(der));
    let mut sent = vec![read(&der(case["peer_certificate"].as_str().unwrap()))];
    sent.extend(all(&case["untrusted_intermediates"]).iter().map(read));
    let anchors: Vec<Anchor> =
        all(&case["trusted_certs"]).iter().map(|der| Anchor { certificate: read(der), distrust_after: None }).collect();
    let name = case["expected_peer_name"]["value"].as_str().map(|value| match value.parse() {
        Ok(address) => ServerName::Address(address),
        Err(_) => ServerName::Dns(value.to_owned()),
    });
    let server = case["validation_kind"] == "SERVER";
    judge(&Situation {
        sent: &sent,
        known: &[],
        anchors: &anchors,
        policy: &PathPolicy::strict(),
        name: name.as_ref().filter(|_| server),
        purpose: if server { Purpose::Server } else { Purpose::Client },
        now: case["validation_time"].as_str().map_or(NOW, seconds),
        maximum_intermediates: case["max_chain_depth"].as_u64().map(|depth| depth as u32),
        revocation_lists: &all(&case["crls"]),
        ocsp: &[],
    })
}

#[test]
fn strict_agrees_with_the_public_cases() {
    let Some(cases) = cases() else {
        println!("skipped: ../shared/certs/limbo.json is absent");
        return;
    };
    let listed: BTreeMap<&str, &str> = include_str!("limbo-disagreements.txt")
        .lines()
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .map(|line| line.split_once(": ").expect("id: reason"))
        .collect();
    let (mut agreed, mut accepted, mut rejected) = (0, 0, 0);
    let mut faults = Vec::new();
    for case in &cases {
        let id = case["id"].as_str().unwrap();
        let objections: Vec<_> =
            strict(case).objections.into_iter().map(|objection| (objection.kind, objection.subject)).collect();
        let wanted = case["expected_result"] == "SUCCESS";
        let agrees = wanted == objections.is_empty();
        match (agrees, wanted) {
            (true, _) => agreed += 1,
            (false, true) => rejected += 1,
            (false, false) => accepted += 1,
        }
        match (agrees, listed.contains_key(id)) {
            (false, false) => faults.push(format!("{id}: not listed; objections {objections:?}")),
            (true, true) => faults.push(format!("{id}: listed, and it agrees")),
            _ => {}
        }
    }
    for id in listed.keys().filter(|id| !cases.iter().any(|case| case["id"] == **id)) {
        faults.push(format!("{id}: listed, and there is no such case"));
    }
    println!("strict: {agreed} agree, {accepted} wrongly accepted, {rejected} wrongly rejected, 0 skipped");
    assert!(faults.is_empty(), "{}", faults.join("\n"));
    assert!(agreed >= 190 && accepted < 10);
}

#[test]
fn hostile_chains_end_within_the_budget_of_signatures() {
    let Some(cases) = cases() else {
        println!("skipped: ../shared/certs/limbo.json is absent");
        return;
    };
    let hostile =
        |case: &&Value| case["features"].as_array().is_some_and(|list| list.iter().any(|word| word == "denial-of-service"));
    let hostile: Vec<&Value> = cases.iter().filter(hostile).collect();
    assert_eq!(hostile.len(), 7);
    for case in hostile {
        let judgement = strict(case);
        println!("{}: {} signatures checked, {} paths", case["id"], judgement.verifications, judgement.paths.len());
        assert!(judgement.verifications <= MOST_VERIFICATIONS && judgement.paths.len() <= 64);
        assert!(!judgement.accepts());
    }
}

/// For comparison; it asserts nothing, for it is another program on whichever machine this is.
#[test]
fn openssl_on_the_same_cases() {
    let version = Command::new("openssl").arg("version").output();
    let (Some(cases), Ok(version)) = (cases(), version) else {
        println!("skipped: no limbo.json or no openssl");
        return;
    };
    let folder = std::env::temp_dir().join(format!("tlswhy-limbo-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let (mut agreed, mut accepted, mut rejected) = (0, 0, 0);
    for case in &cases {
        let write = |name: &str, value: &Value| {
            let text = match value {
                Value::Array(list) => list.iter().filter_map(Value::as_str).collect::<Vec<_>>().join("\n"),
                other => other.as_str().unwrap_or_default().to_owned(),
            };
            let path = folder.join(name);
            std::fs::write(&path, &text).unwrap();
            (!text.is_empty()).then_some(path)
        };
        let mut command = Command::new("openssl");
        command.args(["verify", "-x509_strict", "-partial_chain", "-no-CApath", "-no-CAstore", "-purpose"]);
        command.arg(if case["validation_kind"] == "SERVER" { "sslserver" } else { "sslclient" });
        command.args(["-attime", &case["validation_time"].as_str().map_or(NOW, seconds).to_string()]);
        for (option, file, value) in [
            ("-CAfile", "anchors", "trusted_certs"),
            ("-untrusted", "others", "untrusted_intermediates"),
            ("-CRLfile", "lists", "crls"),
        ] {
            if let Some(path) = write(file, &case[value]) {
                command.arg(option).arg(path);
                if option == "-CRLfile" {
                    command.arg("-crl_check");
                }
            }
        }
        if let Some(depth) = case["max_chain_depth"].as_u64() {
            command.args(["-verify_depth", &depth.to_string()]);
        }
        let peer = &case["expected_peer_name"];
        match (peer["kind"].as_str(), peer["value"].as_str()) {
            (Some("DNS"), Some(name)) => command.args(["-verify_hostname", name]),
            (Some("IP"), Some(address)) => command.args(["-verify_ip", address]),
            _ => &mut command,
        };
        command.arg(write("leaf", &case["peer_certificate"]).unwrap());
        let accepts = command.output().unwrap().status.success();
        match (accepts, case["expected_result"] == "SUCCESS") {
            (true, false) => accepted += 1,
            (false, true) => rejected += 1,
            _ => agreed += 1,
        }
    }
    std::fs::remove_dir_all(&folder).unwrap();
    let name = String::from_utf8_lossy(&version.stdout);
    println!("{}: {agreed} agree, {accepted} wrongly accepted, {rejected} wrongly rejected", name.trim());
}
