//! The program as scripts meet it: exit statuses, one clear error each, what is written where. Peers are sockets of this test.
#![expect(clippy::unwrap_used, reason = "what fails here is the test")]

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

/// The program, without anything of this machine's settings that it minds.
fn tlswhy(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tlswhy"));
    for name in [
        "COLUMNS",
        "NO_COLOR",
        "CLICOLOR",
        "CLICOLOR_FORCE",
        "http_proxy",
        "https_proxy",
        "HTTPS_PROXY",
        "all_proxy",
        "ALL_PROXY",
        "no_proxy",
        "NO_PROXY",
    ] {
        command.env_remove(name);
    }
    command.args(arguments).stdin(Stdio::null());
    command
}

fn run(arguments: &[&str]) -> Output {
    tlswhy(arguments).output().unwrap()
}

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

/// Ends with 2, says one thing on standard error that contains `reason`, and nothing on standard output.
fn fails_with(arguments: &[&str], reason: &str) {
    let output = run(arguments);
    let told = stderr(&output);
    assert_eq!(output.status.code(), Some(2), "{arguments:?}: {told}");
    assert_eq!(told.matches("error:").count(), 1, "{arguments:?}: {told}");
    assert!(told.contains(reason), "{arguments:?} should say {reason:?}: {told}");
    assert_eq!(stdout(&output), "", "{arguments:?}");
}

/// A peer that sends the same answer to every connection, once something was said to it, and closes.
fn peer(answer: &'static [u8]) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            thread::spawn(move || {
                let _ = stream.read(&mut [0; 4096]);
                let _ = stream.write_all(answer);
            });
        }
    });
    address
}

/// A peer that takes connections and never says anything.
fn silent_peer() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        let mut kept = Vec::new();
        for stream in listener.incoming().flatten() {
            kept.push(stream);
        }
    });
    address
}

/// A port on which nothing listens.
fn closed_port() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}

const SSH: &[u8] = b"SSH-2.0-OpenSSH_9.2p1 \x1b[2J\xc2\x9b31m\r\n";

#[test]
fn what_cannot_be_is_one_clear_error_and_exit_status_2() {
    for (arguments, reason) in [
        (&["--frobnicate", "a.test"][..], "--frobnicate"),
        (&["a.test", "--format", "pdf"], "pdf"),
        (&["a.test", "--baseline", "/nonexistent.json"], "cannot read /nonexistent.json"),
        (&["a.test", "--baseline", concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml")], "is not JSON"),
        (
            &["a.test", "--baseline", concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/healthy.json")],
            "holds no report of a.test: it is of www.example.test",
        ),
        (&["a.test:0"], "port 0"),
        (&["a.test:65536"], "65535"),
        (&["a.test:http"], "not a port number"),
        (&["a..test"], "empty label"),
        (&["exa mple.test"], "cannot stand in a host name"),
        (&["-4", "a.test/path"], "https://HOST/PATH"),
        (&["gopher://a.test"], "unknown scheme"),
        (&["http://a.test"], "has no TLS"),
        (&["2001:db8::1:99999"], "[ADDRESS]:PORT"),
        (&["a.test", "--starttls", "gopher"], "known are ftp, imap"),
        (&["a.test", "--sni", "a b"], "cannot stand in a host name"),
        (&["a.test", "--timeout", "-1"], "--timeout"),
        (&["a.test", "--client", "crome-156"], "did you mean chrome-156"),
        (&["a.test", "--client", "./missing.toml"], "./missing.toml"),
        (&["a.test", "--ca", "missing.pem"], "missing.pem"),
        (&["a.test", "--ca", "/dev/null"], "/dev/null"),
        (&["a.test", "--proxy", "gopher://x"], "--proxy"),
        (&["a.test", "--output", "/missing/report.txt"], "/missing/report.txt"),
        (&["a.test", "--save-evidence", "/missing/evidence.json"], "/missing/evidence.json"),
        (&["a.test", "b.test", "--save-evidence", "e.json"], "one target"),
        (&["a.test", "b.test", "--save-chain", "c.pem"], "one target"),
        (&["a.test", "--save-chain", "Cargo.toml"], "--force"),
        (&["a.test", "--known", "missing.pem"], "--known missing.pem"),
        (&["a.test", "--cert", "missing.pem"], "missing.pem"),
        (&["a.test", "--key", "missing.pem"], "--cert"),
        (&["chekc", "a.test"], "did you mean `check`"),
        (&["scan", "a.test"], "no command `scan`"),
        (&["trace", "a.test", "--proxy", "http://127.0.0.1:9"], "--proxy none"),
        (&["--format", "json", "explain", "not-tls"], "must stand first"),
        (&["explain", "no-shared-ciper"], "did you mean no-shared-cipher"),
        (&["diagnose", "missing.json"], "missing.json"),
        (&["diagnose", "/"], "cannot read /"),
        (&["schema", "nonsense"], "nonsense"),
    ] {
        fails_with(arguments, reason);
    }
}

#[test]
fn evidence_that_cannot_be_judged_is_named_with_its_place() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("evidence.json");
    let path = path.to_str().unwrap();
    run(&[&closed_port().to_string(), "--save-evidence", path]);
    let saved = std::fs::read_to_string(path).unwrap();
    let version = saved.replacen("\"format_version\": \"1.2\"", "\"format_version\": \"2.0\"", 1);
    for (text, reason) in [
        ("", "is empty"),
        ("PNG", "is not JSON"),
        (&saved[..saved.len() / 2], "is cut off: it ends at line"),
        (&version, "format 2.0"),
        ("{}", "`format` is not"),
        ("{\"format\": \"tlswhy-report\"}", "is a report"),
        (&saved.replacen("\"port\"", "\"harbour\"", 1), "is damaged"),
    ] {
        std::fs::write(path, text).unwrap();
        fails_with(&["diagnose", path], reason);
        fails_with(&["diagnose", path], path);
    }
    let file = std::fs::File::create(path).unwrap();
    file.set_len((64 << 20) + 1).unwrap();
    fails_with(&["diagnose", path], "larger than 64 MiB");
}

#[test]
fn a_proxy_that_refuses_is_an_error_without_its_credentials() {
    for (answer, reason) in [
        (&b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n"[..], "403"),
        (b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n", "407"),
        (b"", "opens no tunnel"),
        (SSH, "opens no tunnel"),
    ] {
        let proxy = format!("http://joe:s3cret@{}", peer(answer));
        fails_with(&["a.test", "--proxy", &proxy], reason);
        let output = run(&["a.test", "--proxy", &proxy]);
        assert!(!stderr(&output).contains("s3cret") && !stderr(&output).contains('\u{1b}'));
    }
    fails_with(&["a.test", "--proxy", &format!("socks5h://{}", closed_port())], "opens no tunnel");
}

#[test]
fn nothing_is_written_where_there_is_nothing_to_say() {
    let directory = tempfile::tempdir().unwrap();
    let report = directory.path().join("report.txt");
    std::fs::write(&report, "the last one").unwrap();
    let report_path = report.to_str().unwrap();
    let proxy = format!("http://{}", peer(b"HTTP/1.1 403 Forbidden\r\n\r\n"));
    let evidence = directory.path().join("evidence.json");
    fails_with(&["a.test", "--proxy", &proxy, "--output", report_path, "--save-evidence", evidence.to_str().unwrap()], "403");
    assert_eq!(std::fs::read_to_string(&report).unwrap(), "the last one");
    assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 1);
}

#[test]
fn a_blocking_finding_ends_with_1_and_is_the_root_cause() {
    let (closed, ssh) = (closed_port().to_string(), peer(SSH).to_string());
    for (target, cause) in [(&closed, "port-closed"), (&ssh, "not-tls")] {
        let output = run(&[target, "--format", "json"]);
        assert_eq!(output.status.code(), Some(1), "{}", stderr(&output));
        let report: Value = serde_json::from_str(&stdout(&output)).unwrap();
        assert_eq!(report["format"], "tlswhy-report");
        assert_eq!(report["outcome"], "fails");
        assert_eq!(report["root_cause"], cause);
        assert_eq!(report["findings"][0]["cause"], cause);
    }
}

#[test]
fn several_targets_give_json_lines_and_the_worst_status() {
    let (closed, ssh) = (closed_port().to_string(), peer(SSH).to_string());
    let output = run(&["check", &closed, &ssh, "--format", "json"]);
    assert_eq!(output.status.code(), Some(1));
    let lines: Vec<Value> = stdout(&output).lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.len(), 2);
    assert_eq!(lines[0]["subject"]["target"], closed);
    assert_eq!(lines[1]["subject"]["target"], ssh);
}

#[test]
fn what_the_peer_says_never_reaches_the_terminal_as_it_came() {
    let ssh = peer(SSH).to_string();
    for format in ["human", "json", "markdown", "html"] {
        let output = run(&[&ssh, "--format", format, "-v"]);
        let text = stdout(&output);
        assert!(text.contains("SSH-2.0"), "{text}");
        assert!(!text.contains(['\u{1b}', '\u{9b}']), "{format}: {text}");
    }
}

#[test]
fn colour_is_for_terminals_unless_it_is_forced() {
    let closed = closed_port().to_string();
    let coloured = |name: &str, more: &[&str]| {
        let mut command = tlswhy(&[&closed]);
        command.args(more).env("TERM", "xterm");
        if !name.is_empty() {
            command.env(name, "1");
        }
        stdout(&command.output().unwrap()).contains('\u{1b}')
    };
    assert!(!coloured("", &[]));
    assert!(coloured("CLICOLOR_FORCE", &[]));
    assert!(!coloured("NO_COLOR", &[]));
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("report.txt");
    assert!(!coloured("CLICOLOR_FORCE", &["--output", path.to_str().unwrap()]));
    let written = std::fs::read_to_string(&path).unwrap();
    assert!(written.starts_with("Fails: ") && !written.contains('\u{1b}'));
}

#[test]
fn the_width_of_the_terminal_is_respected() {
    let closed = closed_port().to_string();
    let widest = |columns: &str| {
        let output = tlswhy(&[&closed]).env("COLUMNS", columns).output().unwrap();
        // What stands between backticks and what can be typed is never broken.
        let text = stdout(&output);
        text.lines()
            .filter(|line| !line.contains(['`', '$']) && !line.contains("nc -"))
            .map(|line| line.chars().count())
            .max()
            .unwrap()
    };
    assert!(widest("60") <= 60);
    assert!((61..=100).contains(&widest("200")));
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    let mut child = tlswhy(&["clients", "--format", "json"]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!(stderr(&output), "");
    assert_eq!(output.status.code(), Some(0));
}

#[cfg(unix)]
#[test]
fn ctrl_c_ends_at_once_with_what_is_known() {
    let silent = silent_peer().to_string();
    let child = tlswhy(&[&silent, "--timeout", "60", "--format", "json"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // Long enough for the first question to be on its way.
    thread::sleep(Duration::from_millis(700));
    let pressed = Instant::now();
    assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
    let output = child.wait_with_output().unwrap();
    assert!(pressed.elapsed() < Duration::from_secs(1));
    assert_eq!(output.status.code(), Some(3), "{}", stderr(&output));
    let report: Value = serde_json::from_str(&stdout(&output)).unwrap();
    assert_eq!(report["outcome"], "undetermined");
    assert!(stderr(&output).contains("interrupted"));
}

#[test]
fn saved_evidence_is_judged_the_same_offline() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("evidence.json");
    let path = path.to_str().unwrap();
    let ssh = peer(SSH);
    let live = run(&[&ssh.to_string(), "--sni", "secret.example.test", "--save-evidence", path, "--format", "json"]);
    let again = run(&["diagnose", path, "--format", "json"]);
    assert_eq!(live.status.code(), again.status.code());
    let (live, again): (Value, Value) =
        (serde_json::from_str(&stdout(&live)).unwrap(), serde_json::from_str(&stdout(&again)).unwrap());
    for key in ["outcome", "root_cause", "summary", "findings", "taken_at", "clients"] {
        assert_eq!(live[key], again[key], "{key}");
    }
    // From standard input, too.
    let piped = tlswhy(&["diagnose", "-", "--format", "json"]).stdin(std::fs::File::open(path).unwrap()).output().unwrap();
    assert_eq!(serde_json::from_str::<Value>(&stdout(&piped)).unwrap()["findings"], live["findings"]);
}

#[test]
fn saved_configurations_are_judged_the_same_offline() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).display().to_string();
    let old = "http { server { listen 443 ssl; server_name a.test; ssl_protocols TLSv1.1; } }";
    std::fs::write(path("nginx.conf"), old).unwrap();
    let arguments = ["config", &path("nginx.conf"), "--client", "chrome-156", "--save-evidence", &path("evidence.json")];
    let first = run(&arguments);
    assert_eq!(first.status.code(), Some(1));
    let again = run(&["diagnose", &path("evidence.json")]);
    assert_eq!((again.status.code(), stdout(&again)), (Some(1), stdout(&first)));
    fails_with(&["diagnose", &path("evidence.json"), "--format", "html"], "as text or as JSON");
}

#[test]
fn redacted_evidence_holds_no_name_and_is_judged_the_same() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("evidence.json");
    let path = path.to_str().unwrap();
    let target = peer(SSH).to_string();
    let output = run(&[&target, "--sni", "hidden.example.test", "--redact", "--save-evidence", path]);
    assert_eq!(output.status.code(), Some(1), "{}", stderr(&output));
    let name: String = b"hidden".iter().map(|byte| format!("{byte:02x}")).collect();
    let saved = std::fs::read_to_string(path).unwrap();
    assert!(!saved.contains("hidden") && !saved.contains(&name));
    let again: Value = serde_json::from_str(&stdout(&run(&["diagnose", path, "--format", "json"]))).unwrap();
    assert_eq!(again["root_cause"], "not-tls");
    assert_eq!(again["evidence"]["redacted"], true);
    fails_with(&[&target, "--redact"], "--save-evidence");
}

#[test]
fn a_profile_from_a_file_is_judged() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("mine.toml");
    let profile = "name = \"mine\"\ntitle = \"My client\"\nsource = \"written by hand\"\n[hello]\ncipher_suites = [\"TLS_RSA_WITH_AES_128_CBC_SHA\"]\n";
    std::fs::write(&path, profile).unwrap();
    let output =
        run(&[&closed_port().to_string(), "--client", path.to_str().unwrap(), "--client", "chrome-156", "--format", "json"]);
    let report: Value = serde_json::from_str(&stdout(&output)).unwrap();
    assert!(report["subject"]["client"].as_str().unwrap().starts_with("My client, "), "{report}");
    std::fs::write(&path, "name = 7").unwrap();
    fails_with(&["a.test", "--client", path.to_str().unwrap()], "cannot read the client profile");
}

#[test]
fn lists_pages_and_schemas_are_printed() {
    let clients: Value = serde_json::from_str(&stdout(&run(&["clients", "--format", "json"]))).unwrap();
    let panel = clients.as_array().unwrap().iter().filter(|client| client["panel"] == true).count();
    assert_eq!(panel, 10);
    assert!(stdout(&run(&["clients"])).contains("* chrome-"));
    assert!(stdout(&run(&["explain"])).contains("no-shared-cipher"));
    assert!(stdout(&run(&["explain", "no_shared_cipher"])).contains("Diagnosis"));
    assert!(stdout(&run(&["explain", "no-shared-cipher", "--format", "markdown"])).contains("\n## Diagnosis\n"));
    for document in ["report", "evidence", "config", "software"] {
        let schema: Value = serde_json::from_str(&stdout(&run(&["schema", document]))).unwrap();
        assert!(schema["properties"]["format_version"].is_object());
    }
    let help = run(&["--help"]);
    assert_eq!(help.status.code(), Some(0));
    assert!(stdout(&help).contains("Exit status:"));
}

#[test]
fn man_pages_and_completions_are_generated() {
    let directory = tempfile::tempdir().unwrap();
    let man = directory.path().join("man");
    assert!(run(&["generate", "man", man.to_str().unwrap()]).status.success());
    for page in ["tlswhy.1", "tlswhy-check.1", "tlswhy-diagnose.1", "tlswhy-explain.1"] {
        let text = std::fs::read_to_string(Path::new(&man).join(page)).unwrap();
        assert!(text.contains(".TH"), "{page}");
    }
    for shell in ["bash", "zsh", "fish"] {
        assert!(stdout(&run(&["generate", "completions", shell])).contains("starttls"), "{shell}");
    }
}

#[test]
fn explain_reads_texts_files_and_standard_input() {
    let text = "curl: (35) OpenSSL/3.0.19: error:0A00010B:SSL routines::wrong version number";
    let output = run(&["explain", text]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    for part in ["not-tls", "Proves", "because", "Next"] {
        assert!(stdout(&output).contains(part), "{part}: {}", stdout(&output));
    }

    let directory = tempfile::tempdir().unwrap();
    let log = directory.path().join("error.log");
    std::fs::write(&log, format!("{text}\n").repeat(200)).unwrap();
    let output = run(&["explain", log.to_str().unwrap(), "--format", "json"]);
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((&report["format"], &report["symptoms"][0]["count"]), (&Value::from("tlswhy-symptoms"), &Value::from(200)));

    let mut piped =
        tlswhy(&["explain", "-", "--format", "markdown"]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    piped.stdin.take().unwrap().write_all(b"\x1b[2J no shared cipher").unwrap();
    let output = piped.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(0));
    assert!(stdout(&output).contains("no-cipher-in-common") && !stdout(&output).contains('\u{1b}'), "{}", stdout(&output));
}

#[test]
fn explain_says_what_it_does_not_know() {
    let output = run(&["explain", "the printer is on fire"]);
    assert_eq!(output.status.code(), Some(3));
    assert!(stdout(&output).contains("Unknown") && stdout(&output).contains("tlswhy HOST:PORT"), "{}", stdout(&output));
    fails_with(&["explain", "/missing/error.log"], "no such file");
    fails_with(&["explain", "not-tls", "--format", "json"], "a page has no JSON");
    fails_with(&["explain", "no-shared-ciper"], "did you mean no-shared-cipher");
}
