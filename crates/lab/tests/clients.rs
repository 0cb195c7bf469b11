//! What is read in files of client programs, compared with the hellos that the real programs send.

use std::fs;
use std::io::Write as _;
use std::net::TcpListener;
use std::path::Path;
use std::process::Command;

use tlswhy_lab::clients::mended::{self, MENDINGS};
use tlswhy_lab::clients::{run, short};
use tlswhy_lab::runner::find_binary;
use tlswhy_lab::{Lab, StartError};

#[test]
fn programs_offer_what_is_read_in_their_files() {
    let lab = Lab::new().unwrap();
    let cases = short();
    assert!(!cases.is_empty());
    let ran = run(&lab, &cases, |one| {
        if let Some(why) = &one.skipped {
            // Not by the macro, whose output the test harness hides where a test passes.
            let _ = writeln!(std::io::stderr(), "skipped {}: {why}", one.id);
        }
    });
    let faults: Vec<String> = ran
        .unwrap()
        .iter()
        .flat_map(|one| one.differences.iter().map(|difference| format!("{}: {difference}; it said {}", one.id, one.said)))
        .collect();
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

/// What Node.js says of the server on a port, started by a shell that has read `.profile` in this directory.
#[expect(clippy::unwrap_used, reason = "a helper of tests")]
fn node(lab: &Lab, home: &Path, port: u16) -> String {
    let request = format!(
        "require('https').get({{ host: '127.0.0.1', port: {port}, servername: 'good.example.test' }}, \
         answer => console.log('answered', answer.statusCode)).on('error', error => console.log('failed', error.code))"
    );
    let output = Command::new("timeout")
        .args(["20", "sh", "-c", ". ./.profile; exec node -e \"$1\"", "sh", &request])
        .env("NODE_EXTRA_CA_CERTS", lab.pki.join("ca.pem"))
        .current_dir(home)
        .output()
        .unwrap();
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

#[test]
fn a_profile_that_keeps_node_from_a_server_is_named_and_mended() {
    let lab = Lab::new().unwrap();
    let server = match lab.nginx("rsa", "ssl_protocols TLSv1.3;") {
        Err(StartError::Missing(what)) => return drop(writeln!(std::io::stderr(), "skipped: no {what}")),
        started => started.unwrap(),
    };
    if Command::new("node").arg("--version").output().is_err() {
        return drop(writeln!(std::io::stderr(), "skipped: no node"));
    }
    let binary = find_binary().unwrap();
    let home = tempfile::tempdir().unwrap();
    let profile = home.path().join(".profile");
    let written = "# of the old proxy\nexport LANG=C NODE_OPTIONS='--no-warnings --tls-max-v1.2' # until spring\n";
    fs::write(&profile, written).unwrap();
    assert!(node(&lab, home.path(), server.port).contains("failed"), "it connects before");

    // The judged client is what the real one sends under that profile.
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let client = home.path().join("client.toml");
    let mut listening = Command::new(&binary)
        .args(["listen", &format!("127.0.0.1:{port}"), "--save-client", &client.display().to_string()])
        .stdout(std::process::Stdio::null())
        .spawn()
        .unwrap();
    // Until it listens, Node.js is refused.
    let said = (0..20).map(|_| node(&lab, home.path(), port)).take_while(|_| !client.exists()).count();
    let _ended = listening.kill();
    let _ended = listening.wait();
    assert!(client.exists(), "after {said} connections there is no profile");

    let checked = Command::new(&binary)
        .args(["check", &format!("127.0.0.1:{}", server.port), "--sni", "good.example.test", "--format", "json", "--ca"])
        .arg(lab.pki.join("ca.pem"))
        .args(["--assume", "node=20.20.2", "--client"])
        .arg(&client)
        .arg("--client-config")
        .arg(&profile)
        .output()
        .unwrap();
    let report: serde_json::Value = serde_json::from_slice(&checked.stdout).unwrap();
    assert_eq!(report["root_cause"], "client-policy-restricts", "{report:#}");
    let finding = &report["findings"][0];
    let exhibits = finding["exhibits"].as_array().unwrap();
    let names_the_line =
        |exhibit: &serde_json::Value| exhibit["path"] == profile.display().to_string().as_str() && exhibit["line"] == 2;
    assert!(exhibits.iter().any(names_the_line), "{finding:#}");
    let edits: Vec<&serde_json::Value> =
        finding["remedies"].as_array().unwrap().iter().flat_map(|remedy| remedy["edits"].as_array().unwrap()).collect();
    let [edit] = edits[..] else { panic!("one edit was expected: {finding:#}") };
    let place = |name: &str| usize::try_from(edit[name].as_u64().unwrap()).unwrap();
    let mended = [&written[..place("start")], edit["new"].as_str().unwrap(), &written[place("end")..]].concat();
    fs::write(&profile, &mended).unwrap();
    assert!(mended.contains("# until spring") && mended.contains("--no-warnings"), "{mended}");
    assert!(node(&lab, home.path(), server.port).contains("answered 200"), "{mended}");
}

#[test]
fn the_file_of_a_client_is_mended_and_the_real_program_connects() {
    let lab = Lab::new().unwrap();
    let binary = find_binary().unwrap();
    let mut wrong = Vec::new();
    for mending in MENDINGS {
        match mended::run(&lab, &binary, mending) {
            Ok(lines) => wrong.extend(lines.into_iter().map(|line| format!("{}: {line}", mending.id))),
            Err(StartError::Missing(what)) => drop(writeln!(std::io::stderr(), "skipped {}: no {what}", mending.id)),
            Err(error) => wrong.push(format!("{}: {error}", mending.id)),
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
