//! `tlswhy listen` within other protocols, before real clients: each is led to TLS, and its hello is heard.
#![expect(clippy::unwrap_used, reason = "what fails here is the test")]

use std::io::{BufRead, BufReader, Read, Write};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::LazyLock;
use std::thread;
use std::time::Duration;

use serde_json::Value;
use tlswhy_lab::Lab;
use tlswhy_lab::runner::find_binary;
use tlswhy_lab::server::find_program;
use tlswhy_wire::upgrade::UPGRADES;

/// Clients of each protocol, by words parted by `|`.
const CLIENTS: &[(&str, &str)] = &[
    ("smtp", "curl|-sS|--ssl-reqd|smtp://localhost:{port}/x|--mail-from|a@b.test|--mail-rcpt|a@b.test|-T|/dev/null"),
    ("imap", "curl|-sS|--ssl-reqd|imap://localhost:{port}/"),
    ("pop3", "curl|-sS|--ssl-reqd|pop3://localhost:{port}/"),
    ("ftp", "curl|-sS|--ssl-reqd|ftp://localhost:{port}/"),
    ("smtp", "python3|-c|import smtplib,sys; smtplib.SMTP('localhost',{port}).starttls()"),
    ("imap", "python3|-c|import imaplib,sys; imaplib.IMAP4('localhost',{port}).starttls()"),
    ("pop3", "python3|-c|import poplib,sys; poplib.POP3('localhost',{port}).stls()"),
    ("ftp", "python3|-c|import ftplib,sys; f=ftplib.FTP_TLS(); f.connect('localhost',{port}); f.auth()"),
    ("smtp", "gnutls-cli|--starttls-proto=smtp|-p|{port}|localhost"),
    ("ldap", "gnutls-cli|--starttls-proto=ldap|-p|{port}|localhost"),
    ("postgres", "psql|host=127.0.0.1 port={port} user=a dbname=a sslmode=require"),
    ("mysql", "mysql|--no-defaults|-h|127.0.0.1|-P|{port}|-u|a|--ssl"),
    ("ldap", "ldapsearch|-x|-ZZ|-H|ldap://localhost:{port}|-b||-s|base"),
];

/// What was heard of a client, and what was said about it; the client is ended with it.
fn hear(upgrade: &str, client: &str, more: &[&str]) -> (Option<Value>, String) {
    static BINARY: LazyLock<PathBuf> = LazyLock::new(|| find_binary().unwrap());
    let mut listening = Command::new(&*BINARY)
        .args(["listen", "--starttls", upgrade, "--count", "1", "--format", "json"])
        .args(more)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut said = BufReader::new(listening.stderr.take().unwrap());
    let mut line = String::new();
    said.read_line(&mut line).unwrap();
    let port = line.split("listening on 127.0.0.1:").nth(1).unwrap().split(':').next().unwrap();
    let words: Vec<String> = client.split('|').map(|word| word.replace("{port}", port)).collect();
    let client = Command::new("timeout")
        .args(["15".to_owned()].iter().chain(&words))
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .output()
        .unwrap();
    // A client that was not led to TLS leaves it waiting.
    let mut text = String::new();
    for _ in 0..100 {
        if listening.try_wait().unwrap().is_some() {
            break;
        }
        thread::sleep(Duration::from_millis(20));
    }
    let _ = listening.kill();
    listening.stdout.take().unwrap().read_to_string(&mut text).unwrap();
    said.read_to_string(&mut line).unwrap();
    listening.wait().unwrap();
    let heard = text.lines().next().and_then(|line| serde_json::from_str(line).ok());
    (heard, format!("{line}{}", String::from_utf8_lossy(&client.stderr)))
}

#[test]
fn openssl_is_led_to_tls_in_every_protocol_that_it_knows() {
    let mut wrong = Vec::new();
    for upgrade in UPGRADES {
        let Some(name) = upgrade.openssl else { continue };
        let client = format!("openssl|s_client|-connect|127.0.0.1:{{port}}|-starttls|{name}|-name|good.example.test");
        let (heard, told) = hear(upgrade.name, &client, &[]);
        match heard {
            Some(heard) if heard["upgrade"] == upgrade.name && heard["ja4"].is_string() => {}
            heard => wrong.push(format!("{}: {heard:?} {told}", upgrade.name)),
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn real_clients_of_each_protocol_are_heard() {
    let mut wrong = Vec::new();
    for (upgrade, client) in CLIENTS {
        if find_program(client.split('|').next().unwrap()).is_none() {
            skip(client);
            continue;
        }
        let (heard, told) = hear(upgrade, client, &[]);
        if heard.is_none_or(|heard| heard["upgrade"] != *upgrade) {
            wrong.push(format!("{client}: {told}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_client_says_whether_it_takes_a_certificate_within_another_protocol() {
    let lab = Lab::new().unwrap();
    let path = |name: &str| lab.pki.join(name).display().to_string();
    let [certificate, key] = ["rsa.pem", "rsa.key"].map(path);
    for (authority, kind) in [("ca.pem", "finished"), ("rsa.pem", "alert")] {
        let client = format!(
            "python3|-c|import imaplib,ssl; c=ssl.create_default_context(cafile='{}'); c.check_hostname=False; \
             imaplib.IMAP4('localhost',{{port}}).starttls(c)",
            path(authority)
        );
        let (heard, told) = hear("imap", &client, &["--certificate", &certificate, "--key", &key]);
        assert_eq!(heard.unwrap()["handshake"]["kind"], kind, "{told}");
    }
}

/// Not by the macro, whose output the test harness hides where a test passes.
fn skip(what: &str) {
    drop(writeln!(std::io::stderr(), "skipped: no {what}"));
}
