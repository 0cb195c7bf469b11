//! `tlswhy run` around real clients: what they do is what they do without it, and what fails is explained.

#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, reason = "what fails here is the test")]

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Output};

use tlswhy_lab::Lab;
use tlswhy_lab::runner::find_binary;
use tlswhy_lab::server::find_program;

const GOOD: &str = "good.example.test";

/// One command before one server.
struct Case {
    /// What it is.
    name: &'static str,
    /// Whether the server speaks TLS 1.3 alone.
    only_13: bool,
    /// The program and its arguments, parted by `|`; `{port}`, `{ca}` and `{name}` are replaced.
    command: &'static str,
    /// The root cause that must be found; `None` where the handshake works.
    cause: Option<&'static str>,
}

const PYTHON: &str = "import socket,ssl,sys
c=ssl.create_default_context(cafile=sys.argv[2])
if sys.argv[3]=='old': c.maximum_version=ssl.TLSVersion.TLSv1_2
s=c.wrap_socket(socket.create_connection(('127.0.0.1',int(sys.argv[1]))),server_hostname='good.example.test')
print(s.version())";

const NODE: &str = "const [port,ca,max]=process.argv.slice(1);
const s=require('tls').connect({port,host:'127.0.0.1',servername:'good.example.test',ca:require('fs').readFileSync(ca),maxVersion:max},
()=>{console.log(s.getProtocol());s.end()});s.on('error',e=>{console.log(e.code);process.exit(3)})";

const CASES: &[Case] = &[
    Case {
        name: "curl",
        only_13: false,
        command: "curl|-sS|--cacert|{ca}|--resolve|{name}:{port}:127.0.0.1|https://{name}:{port}/",
        cause: None,
    },
    Case {
        name: "curl with another name",
        only_13: false,
        command: "curl|-sS|--cacert|{ca}|--resolve|other.example.test:{port}:127.0.0.1|https://other.example.test:{port}/",
        cause: Some("hostname-mismatch"),
    },
    Case {
        name: "curl capped",
        only_13: true,
        command: "curl|-sS|--tls-max|1.2|--cacert|{ca}|--resolve|{name}:{port}:127.0.0.1|https://{name}:{port}/",
        cause: Some("version-ranges-disjoint"),
    },
    Case {
        name: "openssl with another group",
        only_13: true,
        command: "openssl|s_client|-connect|127.0.0.1:{port}|-servername|{name}|-groups|P-521|-CAfile|{ca}|-verify_return_error|-brief",
        cause: Some("no-shared-group"),
    },
    Case {
        name: "gnutls-cli capped",
        only_13: true,
        command: "gnutls-cli|--x509cafile={ca}|--priority=NORMAL:-VERS-TLS1.3|--sni-hostname={name}|--verify-hostname={name}|-p|{port}|127.0.0.1",
        cause: Some("version-ranges-disjoint"),
    },
    Case { name: "python", only_13: false, command: "python3|-c|{python}|{port}|{ca}|new", cause: None },
    Case {
        name: "python capped",
        only_13: true,
        command: "python3|-c|{python}|{port}|{ca}|old",
        cause: Some("version-ranges-disjoint"),
    },
    Case { name: "node", only_13: false, command: "node|-e|{node}|{port}|{ca}|TLSv1.3", cause: None },
    Case {
        name: "node capped",
        only_13: true,
        command: "node|-e|{node}|{port}|{ca}|TLSv1.2",
        cause: Some("version-ranges-disjoint"),
    },
    Case {
        name: "a program with an OpenSSL of its own that is too old",
        only_13: true,
        command: "{old}|s_client|-connect|127.0.0.1:{port}|-servername|{name}|-CAfile|{ca}",
        cause: Some("client-software-outdated"),
    },
    Case {
        name: "a grandchild of a shell",
        only_13: true,
        command: "sh|-c|(curl -sS --tls-max 1.2 --cacert {ca} --resolve {name}:{port}:127.0.0.1 https://{name}:{port}/); exit 9",
        cause: Some("version-ranges-disjoint"),
    },
];

#[test]
fn commands_run_unchanged_and_what_fails_is_explained() {
    let lab = Lab::new().unwrap();
    let binary = find_binary().unwrap();
    let new = "ssl_protocols TLSv1.3; ssl_ecdh_curve X25519:secp384r1;";
    let servers = [lab.nginx("rsa", "ssl_protocols TLSv1.2 TLSv1.3;"), lab.nginx("rsa", new)];
    let [any, only_13] = match servers.map(|server| server.map_err(|error| error.to_string())) {
        [Ok(any), Ok(only_13)] => [any, only_13],
        [Err(why), _] | [_, Err(why)] => return skip(&why),
    };
    let mut wrong = Vec::new();
    for case in CASES {
        let server = if case.only_13 { &only_13 } else { &any };
        let authority = server.pki(&lab).join("ca.pem");
        let old = match case.command.starts_with("{old}") {
            true => lab.old_openssl().map(|path| path.display().to_string()),
            false => Ok(String::new()),
        };
        let Ok(old) = old else {
            skip("OpenSSL 1.1.0i");
            continue;
        };
        let command = case.command.replace("{old}", &old);
        let words: Vec<String> = command.split('|').map(|word| fill(word, server.address().port(), &authority)).collect();
        if find_program(&words[0]).is_none() {
            skip(&words[0]);
            continue;
        }
        let plain = run(&words, None);
        let report = server.dir().join("report.jsonl");
        let watched = run(&words, Some((&binary, &report, &authority)));
        if (plain.status.code(), &plain.stdout) != (watched.status.code(), &watched.stdout) {
            wrong.push(format!("{}: {plain:?} became {watched:?}", case.name));
        }
        let text = std::fs::read_to_string(&report).unwrap_or_default();
        let lines: Vec<serde_json::Value> = text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
        let handshakes = lines.iter().filter(|line| line["format"] == "tlswhy-handshake").count();
        let cause =
            lines.iter().find(|line| line["format"] == "tlswhy-report").and_then(|report| report["root_cause"].as_str());
        if handshakes == 0 || cause != case.cause {
            wrong.push(format!("{}: {handshakes} handshakes, cause {cause:?} instead of {:?}", case.name, case.cause));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn many_connections_at_once_are_carried() {
    let lab = Lab::new().unwrap();
    let binary = find_binary().unwrap();
    let server = match lab.nginx("rsa", "") {
        Ok(server) => server,
        Err(error) => return skip(&error.to_string()),
    };
    if find_program("python3").is_none() {
        return skip("python3");
    }
    let script = "import socket,ssl,sys
from concurrent.futures import ThreadPoolExecutor
c=ssl.create_default_context(cafile=sys.argv[2])
def one(_):
    s=c.wrap_socket(socket.create_connection(('127.0.0.1',int(sys.argv[1]))),server_hostname='good.example.test')
    s.close()
    return 1
with ThreadPoolExecutor(60) as pool: print(sum(pool.map(one, range(300))))";
    let authority = server.pki(&lab).join("ca.pem");
    let words = ["python3", "-c", script, "{port}", "{ca}"].map(|word| fill(word, server.address().port(), &authority));
    let report = server.dir().join("report.jsonl");
    let watched = run(&words, Some((&binary, &report, &authority)));
    assert_eq!(String::from_utf8_lossy(&watched.stdout).trim(), "300", "{watched:?}");
    assert_eq!(watched.status.code(), Some(0));
}

fn run(words: &[String], watched: Option<(&Path, &Path, &Path)>) -> Output {
    let mut command = match watched {
        Some((binary, report, authority)) => {
            let mut command = Command::new(binary);
            command.args(["run", "--format", "json", "-o"]).arg(report).arg("--ca").arg(authority).arg("--").args(words);
            command
        }
        None => {
            let mut command = Command::new(&words[0]);
            command.args(&words[1..]);
            command
        }
    };
    command.stdin(std::process::Stdio::null()).output().unwrap()
}

fn fill(word: &str, port: u16, authority: &Path) -> String {
    let authority = authority.display().to_string();
    word.replace("{python}", PYTHON)
        .replace("{node}", NODE)
        .replace("{port}", &port.to_string())
        .replace("{ca}", &authority)
        .replace("{name}", GOOD)
}

/// Not by the macro, whose output the test harness hides where a test passes.
fn skip(what: &str) {
    drop(writeln!(std::io::stderr(), "skipped: no {what}"));
}
