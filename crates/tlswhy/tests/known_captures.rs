//! Public captures with known answers, where `../shared/pcaps` holds them: what Zeek, Arkime, nDPI, JA4's authors and tshark say of each
//! (`MANIFEST.jsonl`) is what `tlswhy pcap` says. Without the folder the test says so and is skipped.
//!
//! Differences that stay, with their reason, are in [`KNOWN`].
#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "what fails here is the test")]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;
use tlswhy_wire::CipherSuite;

/// File, what differs, and why it may.
const KNOWN: &[(&str, &str, &str)] = &[
    ("ark--cloudshark-dtls1.pcap", "flow", "DTLS is counted and not examined"),
    ("zeek--dtls1_2.pcap", "flow", "the same"),
    ("zeek--ssl.v3.pcap", "ja3", "tshark gives none for a hello in the form of SSLv2"),
    ("ark--https2-301-get.pcap", "ja3", "the same"),
    ("zeek--https-to-http.pcap", "ja3", "tshark does not look for TLS on port 80"),
    ("ndpi--tls_multiple_synack_different_seq.pcapng", "version", "tshark stays with the first of several SYN-ACKs"),
    ("ndpi--tls_multiple_synack_different_seq.pcapng", "suite", "the same"),
    ("suri--tls-fingerprint-alert-input.pcap", "version", "tshark without reassembly of what came out of order"),
    ("suri--tls-fingerprint-alert-input.pcap", "suite", "the same"),
    ("ndpi--ftp-start-tls.pcap", "ja4", "nDPI writes d (a server name) for a hello that has none"),
    ("ndpi--tls_1.3_unidirectional_server.pcapng", "established", "one direction alone proves no end"),
    ("zeek--tls13draft16-ff52.a01.pcap", "name", "the hello has no server name"),
    ("zeek--missing-intermediate.pcap", "cause", "the client took the chain; whom it may trust today's stores cannot tell"),
];

fn manifest() -> Option<(PathBuf, Vec<Value>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/pcaps");
    let Ok(text) = std::fs::read_to_string(folder.join("MANIFEST.jsonl")) else {
        println!("skipped: ../shared/pcaps is absent");
        return None;
    };
    Some((folder, text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()))
}

/// The documents on one capture.
fn documents(path: &Path) -> Vec<Value> {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tlswhy"));
    let output = command.args(["pcap", "-v", "--format", "json"]).arg(path).output().unwrap();
    String::from_utf8(output.stdout).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// What is compared, in one set of words.
struct Compared<'a> {
    file: &'a str,
    count: usize,
    differences: Vec<String>,
}

impl Compared<'_> {
    fn same(&mut self, what: &str, ours: &[String], theirs: &[String]) {
        let set = |words: &[String]| words.iter().cloned().collect::<BTreeSet<String>>();
        self.count += 1;
        let known = KNOWN.iter().any(|(file, differs, _)| *file == self.file && *differs == what);
        if set(ours) != set(theirs) && !known {
            self.differences.push(format!("{} {what}: we {ours:?}, they {theirs:?}", self.file));
        }
    }
}

fn text(value: &Value) -> Vec<String> {
    match value {
        Value::String(text) => vec![text.clone()],
        Value::Array(values) => values.iter().flat_map(text).collect(),
        _ => Vec::new(),
    }
}

/// Versions as each of them writes it, in the contract's words.
fn version(words: &str) -> String {
    match words {
        "TLSv1" | "TLSv10" => "TLSv1.0".to_owned(),
        "TLSv11" => "TLSv1.1".to_owned(),
        "TLSv12" => "TLSv1.2".to_owned(),
        "TLSv13" => "TLSv1.3".to_owned(),
        "TLSv13-draft16" => "0x7f10".to_owned(),
        other => other.to_owned(),
    }
}

fn port(address: &Value) -> Option<u64> {
    address.as_str()?.rsplit_once(':')?.1.parse().ok()
}

#[test]
fn public_captures_say_what_their_publishers_know_of_them() {
    let Some((folder, rows)) = manifest() else { return };
    let (mut count, mut differences, mut causes) = (0, Vec::new(), (0, 0));
    for row in &rows {
        let file = row["file"].as_str().unwrap();
        let documents = documents(&folder.join(file));
        let mut compared = Compared { file, count: 0, differences: Vec::new() };
        let handshakes: Vec<&Value> = documents.iter().filter_map(|document| document.get("handshake")).collect();
        by_tshark(&mut compared, row, &handshakes);
        by_others(&mut compared, row, &handshakes);
        let found: Vec<&str> = documents.iter().filter_map(|document| document["root_cause"].as_str()).collect();
        let wanted: Vec<String> = [text(&row["cause"]), text(&row["also_ok"])].concat();
        let fits = match row["failing"].as_bool() {
            Some(true) => !found.is_empty() && found.iter().all(|cause| wanted.iter().any(|wanted| wanted == cause)),
            _ => found.is_empty(),
        };
        causes = (causes.0 + usize::from(fits), causes.1 + 1);
        compared.same("cause", &[fits.to_string()], &["true".to_owned()]);
        count += compared.count;
        differences.extend(compared.differences);
    }
    println!("{count} facts of {} captures compared; causes as known: {} of {}", rows.len(), causes.0, causes.1);
    assert!(differences.is_empty(), "{}", differences.join("\n"));
    assert!(count > 200, "nearly nothing was compared: {count}");
}

fn by_tshark(compared: &mut Compared<'_>, row: &Value, handshakes: &[&Value]) {
    for theirs in row["expected"]["tshark"].as_array().into_iter().flatten() {
        let ports = [theirs["client_port"].as_u64(), theirs["server_port"].as_u64()];
        // tshark takes the side that was seen first for the client.
        let ours = handshakes.iter().find(|ours| {
            let (client, server) = (port(&ours["client"]), port(&ours["server"]));
            ports == [client, server] || ports == [server, client]
        });
        compared.same("flow", &[ours.is_some().to_string()], &["true".to_owned()]);
        let Some(ours) = ours else { continue };
        compared.same("name", &text(&ours["server_name"]), &text(&theirs["sni"]));
        compared.same("version", &text(&ours["version"]), &text(&theirs["version"]));
        let suite = theirs["cipher"].as_str().and_then(|code| u16::from_str_radix(code.trim_start_matches("0x"), 16).ok());
        let suite: Vec<String> = suite.map(|code| CipherSuite(code).to_string()).into_iter().collect();
        compared.same("suite", &text(&ours["cipher_suite"]), &suite);
        compared.same("ja3", &text(&ours["ja3"]), &text(&theirs["ja3"]));
        let said = |alerts: &Value, what: &str| -> Vec<String> {
            let alerts = alerts.as_array().into_iter().flatten();
            alerts.map(|alert| format!("{} {} {}", alert["from"], alert["level"], alert[what])).collect()
        };
        compared.same("alerts", &said(&ours["alerts"], "description"), &said(&theirs["alerts"], "desc"));
    }
}

fn by_others(compared: &mut Compared<'_>, row: &Value, handshakes: &[&Value]) {
    let all = |key: &str| -> Vec<String> { handshakes.iter().flat_map(|ours| text(&ours[key])).collect() };
    for session in row["expected"]["sessions"].as_array().into_iter().flatten().filter(|_| !handshakes.is_empty()) {
        for (key, ours) in [("version", "version"), ("cipher", "cipher_suite"), ("ja3", "ja3"), ("ja4", "ja4")] {
            let theirs: Vec<String> = text(&session[key]).iter().map(|word| version(word)).collect();
            // Not every publisher gives everything.
            if !theirs.is_empty() {
                compared.same(if key == "cipher" { "suite" } else { key }, &all(ours), &theirs);
            }
        }
    }
    let flows = &row["expected"]["flows"];
    for flow in flows.as_array().into_iter().flatten() {
        for (key, ours) in [("JA4.1", "ja4"), ("ja4", "ja4"), ("ja3", "ja3")] {
            if !text(&flow[key]).is_empty() {
                compared.same(ours, &all(ours), &text(&flow[key]));
            }
        }
    }
    for logged in flows.as_object().into_iter().flatten().filter_map(|(_, flow)| flow.get(0)).filter(|_| !handshakes.is_empty())
    {
        let has = |ours: &str, theirs: &[String]| theirs.iter().all(|theirs| all(ours).contains(theirs));
        let theirs: Vec<String> = text(&logged["version"]).iter().map(|word| version(word)).collect();
        compared.same("version", &[has("version", &theirs).to_string()], &["true".to_owned()]);
        compared.same("suite", &[has("cipher_suite", &text(&logged["cipher"])).to_string()], &["true".to_owned()]);
        compared.same("name", &[has("server_name", &text(&logged["server_name"])).to_string()], &["true".to_owned()]);
        if logged["established"] == "T" {
            let outcomes = all("outcome");
            let resumed = if logged["resumed"] == "T" { "resumed" } else { "established" };
            compared.same("established", &[outcomes.iter().any(|ours| ours == resumed).to_string()], &["true".to_owned()]);
        }
    }
}
