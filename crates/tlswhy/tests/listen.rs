//! `tlswhy listen` before clients that this test plays: known ones, and hostile ones.
#![expect(clippy::unwrap_used, reason = "what fails here is the test")]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

use serde_json::Value;
use tlswhy_wire::KeyMaterial;

/// The command, once it listens.
struct Listening {
    child: Child,
    address: SocketAddr,
    said: BufReader<std::process::ChildStderr>,
}

fn listen(arguments: &[&str]) -> Listening {
    let mut child = Command::new(env!("CARGO_BIN_EXE_tlswhy"))
        .arg("listen")
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut said = BufReader::new(child.stderr.take().unwrap());
    let mut line = String::new();
    said.read_line(&mut line).unwrap();
    let address = line.split("listening on ").nth(1).unwrap().split(": ").next().unwrap().parse().unwrap();
    Listening { child, address, said }
}

impl Listening {
    /// What it wrote, and its exit status.
    fn end(mut self) -> (Vec<Value>, String, i32) {
        let mut text = String::new();
        self.child.stdout.take().unwrap().read_to_string(&mut text).unwrap();
        let mut told = String::new();
        self.said.read_to_string(&mut told).unwrap();
        let lines = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        (lines, told, self.child.wait().unwrap().code().unwrap())
    }
}

/// The very bytes of a bundled client's hello.
fn hello(name: &str) -> Vec<u8> {
    let spec = tlswhy_core::client(name).unwrap().hello.with_server_name(Some("good.example.test"));
    let shares = spec.key_shares().into_iter().map(|group| (group, vec![7; 32])).collect();
    spec.encode(&KeyMaterial { random: [7; 32], session_id: vec![7; 32], key_shares: shares }).unwrap().records
}

/// Sends bytes and gives what comes back.
fn say(address: SocketAddr, bytes: &[u8]) -> Vec<u8> {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    stream.write_all(bytes).unwrap();
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    answer
}

#[test]
fn a_client_is_told_by_its_hello_and_gets_an_alert() {
    let listening = listen(&["--count", "2", "--format", "json"]);
    for name in ["firefox-153", "java-7"] {
        // fatal, user_canceled
        assert_eq!(say(listening.address, &hello(name)), [21, 3, 3, 0, 2, 2, 90], "{name}");
    }
    let (heard, _, status) = listening.end();
    assert_eq!(status, 0);
    let nearest: Vec<(&str, u64)> = heard
        .iter()
        .map(|one| (one["nearest"][0]["name"].as_str().unwrap(), one["nearest"][0]["distance"].as_u64().unwrap()))
        .collect();
    assert_eq!(nearest, [("firefox-153", 0), ("java-7", 0)]);
    assert_eq!(heard[0]["server_name"], "good.example.test");
    assert!(heard[0]["dated"].as_array().unwrap().is_empty());
    assert!(!heard[1]["dated"].as_array().unwrap().is_empty());
}

#[test]
fn the_same_hello_is_shown_once() {
    let listening = listen(&["--count", "2", "--format", "json"]);
    let bytes = hello("openssl-3.0");
    say(listening.address, &bytes);
    say(listening.address, &bytes);
    let (heard, ..) = listening.end();
    assert_eq!((&heard[0]["same_as"], &heard[1]["same_as"]), (&Value::Null, &Value::from(1)));
}

#[test]
fn a_profile_that_was_recorded_can_be_judged() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("client.toml");
    let listening = listen(&["--save-client", path.to_str().unwrap(), "--format", "json"]);
    say(listening.address, &hello("go-1.21"));
    let (_, told, status) = listening.end();
    assert_eq!(status, 0, "{told}");
    let recorded = tlswhy_core::client_from_toml(&std::fs::read_to_string(&path).unwrap()).unwrap();
    let known = tlswhy_core::client("go-1.21").unwrap();
    assert_eq!(recorded.hello.real_suites(), known.hello.real_suites());
    assert_eq!(recorded.policy.minimum_version, known.policy.minimum_version);
    // It does not write over a file unasked.
    let again = Command::new(env!("CARGO_BIN_EXE_tlswhy")).args(["listen", "--save-client"]).arg(&path).output().unwrap();
    assert_eq!(again.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&again.stderr).contains("--force"));
}

#[test]
fn hostile_clients_keep_no_place_from_others() {
    let listening = listen(&["--count", "1", "--format", "json"]);
    let address = listening.address;
    // Silent ones that stay, ones that say something else, ones that begin a hello and go.
    let silent: Vec<TcpStream> = (0..200).map(|_| TcpStream::connect(address).unwrap()).collect();
    let rude = thread::spawn(move || {
        for number in 0..300 {
            let bytes: &[u8] = match number % 3 {
                0 => b"GET / HTTP/1.1\r\n\r\n",
                1 => &[22, 3, 1, 2, 0, 1],
                _ => &[0xff; 40],
            };
            let mut stream = TcpStream::connect(address).unwrap();
            let _ = stream.write_all(bytes);
        }
    });
    rude.join().unwrap();
    say(address, &hello("curl-openssl-3.0"));
    let (heard, told, status) = listening.end();
    assert_eq!((heard.len(), status), (1, 0));
    assert!(told.contains("does not speak TLS; it said: GET / HTTP/1.1"), "{told}");
    drop(silent);
}
