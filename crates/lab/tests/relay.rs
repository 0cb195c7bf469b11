//! `tlswhy relay` between real clients and real servers: everything arrives unchanged, and what fails is explained.
#![expect(clippy::unwrap_used, reason = "what fails here is the test")]

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::{Child, ChildStderr, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use serde_json::Value;
use tlswhy_lab::Lab;
use tlswhy_lab::runner::find_binary;
use tlswhy_lab::server::find_program;

/// The most memory that a relay may take before hostile clients, in kilobytes: twice what was measured.
const MOST_MEMORY: u64 = 400_000;

/// Clients, by words parted by `|` (`{port}` is the relay's or the server's, `{ca}` the trusted authority), and why they fail.
const CLIENTS: &[(&str, Option<&str>)] = &[
    ("curl|-sS|--cacert|{ca}|--resolve|good.example.test:{port}:127.0.0.1|https://good.example.test:{port}/", None),
    (CURL_OF_TLS_12, Some("version-ranges-disjoint")),
    (CURL_OF_TLS_12, Some("version-ranges-disjoint")),
    (
        "curl|-sS|--cacert|{ca}|--resolve|other.example.test:{port}:127.0.0.1|https://other.example.test:{port}/",
        Some("hostname-mismatch"),
    ),
    (
        "openssl|s_client|-connect|127.0.0.1:{port}|-servername|good.example.test|-groups|P-521|-CAfile|{ca}|-brief",
        Some("no-shared-group"),
    ),
    (
        "gnutls-cli|--x509cafile={ca}|--priority=NORMAL:-VERS-TLS1.3|--sni-hostname=good.example.test|-p|{port}|127.0.0.1",
        Some("version-ranges-disjoint"),
    ),
];
const CURL_OF_TLS_12: &str =
    "curl|-sS|--tls-max|1.2|--cacert|{ca}|--resolve|good.example.test:{port}:127.0.0.1|https://good.example.test:{port}/";

/// The relay, once it listens.
struct Relaying {
    child: Child,
    address: SocketAddr,
    said: BufReader<ChildStderr>,
}

fn relay(arguments: &[&str]) -> Relaying {
    let mut child = Command::new(find_binary().unwrap())
        .arg("relay")
        .args(arguments)
        .args(["--format", "json"])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut said = BufReader::new(child.stderr.take().unwrap());
    let mut line = String::new();
    said.read_line(&mut line).unwrap();
    let address = line.split("listening on ").nth(1).and_then(|rest| rest.split(' ').next()).and_then(|text| text.parse().ok());
    Relaying { child, address: address.ok_or(line).unwrap(), said }
}

impl Relaying {
    /// What it wrote until its end, which it is asked for unless it ends by itself; and its exit status.
    fn end(mut self, ask: bool) -> (Vec<Value>, String, i32) {
        if ask {
            assert!(Command::new("kill").arg("-TERM").arg(self.child.id().to_string()).status().unwrap().success());
        }
        let mut text = String::new();
        self.child.stdout.take().unwrap().read_to_string(&mut text).unwrap();
        let mut told = String::new();
        self.said.read_to_string(&mut told).unwrap();
        let lines = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        (lines, told, self.child.wait().unwrap().code().unwrap())
    }

    /// Its memory at its height, in kilobytes.
    fn memory(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let height = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
        height.trim().trim_end_matches(" kB").parse().unwrap()
    }
}

/// What is written last: everything that passed.
fn summary(lines: &[Value]) -> &Value {
    lines.last().filter(|last| last["format"] == "tlswhy-relay").unwrap()
}

fn causes(summary: &Value) -> BTreeMap<String, u64> {
    let counted = summary["causes"].as_array().unwrap().iter();
    counted.map(|one| (one["cause"].as_str().unwrap_or("open").to_owned(), one["count"].as_u64().unwrap())).collect()
}

#[test]
fn every_client_is_carried_as_if_nothing_stood_between_and_each_cause_is_named() {
    let lab = Lab::new().unwrap();
    let server = match lab.nginx("rsa", "ssl_protocols TLSv1.3; ssl_ecdh_curve X25519:secp384r1;") {
        Ok(server) => server,
        Err(error) => return skip(&error.to_string()),
    };
    let authority = server.pki(&lab).join("ca.pem").display().to_string();
    let is_there = |line: &str| find_program(line.split('|').next().unwrap_or_default()).is_some();
    let (clients, missing): (Vec<_>, Vec<_>) = CLIENTS.iter().partition(|(line, _)| is_there(line));
    missing.iter().for_each(|(line, _)| skip(line));
    let (count, target) = (clients.len().to_string(), format!("localhost:{}", server.port));
    let relaying = relay(&["0", &target, "--ca", &authority, "--count", &count]);
    let mut expected = BTreeMap::new();
    for (line, cause) in &clients {
        let [plain, carried] = [server.port, relaying.address.port()].map(|port| {
            let words: Vec<String> =
                line.split('|').map(|word| word.replace("{port}", &port.to_string()).replace("{ca}", &authority)).collect();
            let output = Command::new(&words[0]).args(&words[1..]).stdin(Stdio::null()).output().unwrap();
            (output.status.code(), String::from_utf8_lossy(&output.stdout).replace(&port.to_string(), "PORT"))
        });
        assert_eq!(plain, carried, "{line}");
        if let Some(cause) = cause {
            *expected.entry((*cause).to_owned()).or_insert(0) += 1;
        }
    }
    let (lines, told, status) = relaying.end(false);
    let all = summary(&lines);
    assert_eq!(causes(all), expected, "{told}\n{all:#}");
    assert_eq!((all["handshakes"].as_u64(), status), (Some(clients.len() as u64), 1), "{told}\n{all:#}");
    // The two clients that are alike have one report between them.
    let reports = lines.iter().filter(|line| line["format"] == "tlswhy-report").count();
    let kinds = all["rows"].as_array().unwrap().iter().filter(|row| !row["cause"].is_null()).count();
    assert_eq!(reports, kinds);
    assert!(all["clients"].as_array().unwrap().iter().all(|client| client["ja4"].is_string()), "{all:#}");
}

#[test]
fn starttls_within_is_recognised_and_asked_for() {
    let lab = Lab::new().unwrap();
    let server = match lab.nginx_mail("rsa", "protocol smtp; starttls on; smtp_auth none; ssl_protocols TLSv1.3;") {
        Ok(server) => server,
        Err(error) => return skip(&error.to_string()),
    };
    let authority = server.pki(&lab).join("ca.pem").display().to_string();
    let target = format!("127.0.0.1:{}", server.port);
    let relaying = relay(&["[::1]:0", &target, "--ca", &authority, "--count", "2"]);
    for option in ["-tls1_3", "-tls1_2"] {
        let output = Command::new("openssl")
            .args(["s_client", "-starttls", "smtp", "-connect", &relaying.address.to_string(), option])
            .args(["-servername", "good.example.test", "-CAfile", &authority])
            .stdin(Stdio::null())
            .output()
            .unwrap();
        assert_eq!(output.status.success(), option == "-tls1_3", "{output:?}");
    }
    let (lines, told, status) = relaying.end(false);
    let all = summary(&lines);
    let expected = BTreeMap::from([("version-ranges-disjoint".to_owned(), 1)]);
    assert_eq!((causes(all), status), (expected, 1), "{told}\n{all:#}");
    assert!(all["rows"].as_array().unwrap().iter().all(|row| row["handshake"]["upgrade"] == "smtp"), "{all:#}");
}

#[test]
fn a_server_that_is_not_there_is_told_and_what_was_not_seen_is_no_success() {
    let gone = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let relaying = relay(&["0", &gone.to_string(), "--count", "1"]);
    let mut client = TcpStream::connect(relaying.address).unwrap();
    assert_eq!(client.read(&mut [0; 8]).unwrap_err().kind(), std::io::ErrorKind::ConnectionReset);
    let (lines, told, status) = relaying.end(false);
    let all = summary(&lines);
    assert_eq!((all["unreached"].as_u64(), status), (Some(1), 3));
    let way = &all["unreached_for"][0];
    let (address, cause) = (way["address"].as_str().unwrap(), way["cause"].as_str());
    assert_eq!((address, cause, way["count"].as_u64()), (gone.to_string().as_str(), Some("port-closed"), Some(1)));
    assert!(told.contains("refused"), "{told}");
}

#[test]
fn hostile_clients_take_neither_memory_nor_places() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let target = listener.local_addr().unwrap().to_string();
    let came = Arc::new(AtomicUsize::new(0));
    thread::spawn({
        let came = Arc::clone(&came);
        move || {
            let mut held = Vec::new();
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                if came.fetch_add(1, Ordering::Relaxed) == 1500 {
                    let mut word = [0; 4];
                    stream.read_exact(&mut word).unwrap();
                    stream.write_all(&word).unwrap();
                }
                held.push(stream);
            }
        }
    });
    let relaying = relay(&["0", &target, "--no-probe"]);
    // A record of a hello that claims to be as long as it can be, and goes on without an end.
    let beginning = [&[22, 3, 1, 0x40, 0, 1, 0xff, 0xff, 0xff][..], &[0; 0x4000 - 4]].concat();
    let more = [&[22, 3, 1, 0x40, 0][..], &[0; 0x4000]].concat();
    let mut clients = Vec::new();
    for number in 0..1500 {
        let mut client = TcpStream::connect(relaying.address).unwrap();
        client.set_write_timeout(Some(Duration::from_millis(200))).unwrap();
        match number % 3 {
            0 => {}
            1 => client.write_all(&beginning[..3]).unwrap(),
            _ => {
                client.write_all(&beginning).unwrap();
                // The server reads nothing: what does not fit stays with the client.
                let _ = client.write_all(&more.repeat(10));
            }
        }
        clients.push(client);
    }
    while came.load(Ordering::Relaxed) < 1500 {
        thread::sleep(Duration::from_millis(10));
    }
    let mut another = TcpStream::connect(relaying.address).unwrap();
    another.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    another.write_all(b"ping").unwrap();
    let mut word = [0; 4];
    another.read_exact(&mut word).unwrap();
    assert_eq!(&word, b"ping");
    let memory = relaying.memory();
    assert!(memory < MOST_MEMORY, "{memory} kB");
    drop(clients);
    let (lines, told, _) = relaying.end(true);
    let all = summary(&lines);
    let count = |key: &str| all[key].as_u64().unwrap();
    assert_eq!(count("connections"), 1501);
    assert_eq!(count("handshakes") + count("without_tls") + count("overlooked"), 1501, "{told}\n{all:#}");
}

/// Not by the macro, whose output the test harness hides where a test passes.
fn skip(what: &str) {
    drop(writeln!(std::io::stderr(), "skipped: no {what}"));
}
