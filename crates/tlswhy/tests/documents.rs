//! What commands write is what their committed schemas say: asked of a validator of its own, Python's jsonschema.
#![expect(clippy::unwrap_used, reason = "what fails here is the test")]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::{Command, Stdio};

use tlswhy_wire::KeyMaterial;

/// Reads a schema's folder and documents, a line each; says which is not as its schema has it.
const VALIDATE: &str = "import json,sys,jsonschema
for line in sys.stdin:
    document=json.loads(line)
    name=document['format'].removeprefix('tlswhy-')
    schema=json.load(open(f'{sys.argv[1]}/{name}.v1.json'))
    jsonschema.Draft202012Validator(schema).validate(document)
    print(name)";

/// Where `.ci/install` puts the schema of SARIF.
const SARIF: &str = "/usr/local/share/tlswhy-lab/sarif-2.1.0.json";

#[test]
fn sarif_is_as_its_standard_has_it() {
    let golden = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden");
    let script = "import glob,json,sys,jsonschema
schema=json.load(open(sys.argv[1]))
names=glob.glob(sys.argv[2]+'/*.sarif')
for name in names:
    jsonschema.validators.validator_for(schema)(schema).validate(json.load(open(name)))
print(len(names))";
    let python = Command::new("python3").args(["-c", script, SARIF, golden]).output();
    let (Ok(output), true) = (python, std::path::Path::new(SARIF).exists()) else {
        drop(writeln!(std::io::stderr(), "skipped: no python3, or no {SARIF}"));
        return;
    };
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(String::from_utf8_lossy(&output.stdout).trim().parse::<u32>().unwrap() > 3);
}

/// The names of the documents, each as its schema has it; `None` where there is no validator.
fn validated(documents: &str) -> Option<Vec<String>> {
    let there = Command::new("python3").args(["-c", "import jsonschema"]).stderr(Stdio::null()).status();
    if !there.is_ok_and(|status| status.success()) {
        drop(writeln!(std::io::stderr(), "skipped: no python3 with jsonschema"));
        return None;
    }
    let mut python = Command::new("python3")
        .args(["-c", VALIDATE, concat!(env!("CARGO_MANIFEST_DIR"), "/../../schemas")])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    python.stdin.take().unwrap().write_all(documents.as_bytes()).unwrap();
    let output = python.wait_with_output().unwrap();
    assert!(output.status.success(), "{}\n{documents}", String::from_utf8_lossy(&output.stderr));
    Some(String::from_utf8_lossy(&output.stdout).lines().map(str::to_owned).collect())
}

/// What a command prints.
fn printed(arguments: &[&str]) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_tlswhy")).args(arguments).stdin(Stdio::null()).output().unwrap();
    String::from_utf8(output.stdout).unwrap()
}

/// What a command that listens prints, once one client has come with these bytes.
fn heard(arguments: &[&str], bytes: &[u8]) -> String {
    let mut child = Command::new(env!("CARGO_BIN_EXE_tlswhy"))
        .args(arguments)
        .args(["--count", "1", "--format", "json"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(child.stderr.take().unwrap()).read_line(&mut line).unwrap();
    let rest = line.split("listening on ").nth(1).unwrap();
    let address: SocketAddr = rest.split(' ').next().unwrap().trim_end_matches(':').parse().unwrap();
    let mut client = TcpStream::connect(address).unwrap();
    client.write_all(bytes).unwrap();
    // What comes back is not looked at here.
    let _ = client.read_to_end(&mut Vec::new());
    drop(client);
    let mut text = String::new();
    child.stdout.take().unwrap().read_to_string(&mut text).unwrap();
    child.wait().unwrap();
    text
}

#[test]
fn captures_handshakes_and_chains_are_as_their_schemas_have_them() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../capture/tests/captures");
    for name in ["tls13", "tls12-untrusted", "no-shared-cipher"] {
        let Some(names) = validated(&printed(&["pcap", "-v", "--format", "json", &format!("{folder}/{name}.pcap")])) else {
            return;
        };
        assert!(names.iter().any(|name| name == "capture") && names.iter().any(|name| name == "handshake"), "{names:?}");
    }
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("chain.pem").display().to_string();
    let key = rcgen::generate_simple_self_signed(["a.example.test".to_owned()]).unwrap();
    std::fs::write(&path, key.cert.pem()).unwrap();
    // Two subjects are two lines.
    let names = validated(&printed(&["cert", "--format", "json", &path, &path])).unwrap();
    assert_eq!(names, ["chain", "chain"]);
}

#[test]
fn clients_and_relays_are_as_their_schemas_have_them() {
    let spec = tlswhy_core::client("java-7").unwrap().hello.with_server_name(Some("good.example.test"));
    let hello = spec.encode(&KeyMaterial { random: [7; 32], session_id: vec![7; 32], key_shares: vec![] }).unwrap().records;
    let server = TcpListener::bind("127.0.0.1:0").unwrap();
    let target = server.local_addr().unwrap().to_string();
    std::thread::spawn(move || {
        for mut stream in server.incoming().flatten() {
            // fatal, handshake_failure, to whatever comes
            let _ = stream.read(&mut [0; 4096]);
            let _ = stream.write_all(&[21, 3, 3, 0, 2, 2, 40]);
        }
    });
    let Some(names) = validated(&heard(&["listen"], &hello)) else { return };
    assert_eq!(names, ["client"]);
    let names = validated(&heard(&["relay", "0", &target, "-v", "--no-probe"], &hello)).unwrap();
    assert_eq!(names, ["handshake", "report", "relay"]);
}
