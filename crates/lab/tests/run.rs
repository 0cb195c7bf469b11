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

/// Commands that ask a proxy, by words parted by `|`, and the cause before a server of TLS 1.3 alone.
const ASKING: &[(&str, Option<&str>)] = &[
    ("curl|-sS|--cacert|{ca}|--connect-to|{name}:443:127.0.0.1:{port}|https://{name}/", None),
    (
        "curl|-sS|--tls-max|1.2|--cacert|{ca}|--connect-to|{name}:443:127.0.0.1:{port}|https://{name}/",
        Some("version-ranges-disjoint"),
    ),
    (
        "wget|-qO-|--ciphers=NORMAL:-VERS-TLS1.3|--ca-certificate={ca}|https://localhost:{port}/",
        Some("version-ranges-disjoint"),
    ),
    ("python3|-c|{urllib}|https://127.0.0.1:{port}/|{ca}", Some("version-ranges-disjoint")),
    ("java|-Djdk.tls.client.protocols=TLSv1.2|{dir}/Get.java|https://127.0.0.1:{port}/", Some("version-ranges-disjoint")),
    ("curl|-sS|http://localhost:{plain}/", None),
];

const URLLIB: &str = "import ssl,sys,urllib.request
c=ssl.create_default_context(cafile=sys.argv[2])
c.maximum_version=ssl.TLSVersion.TLSv1_2
try: urllib.request.urlopen(sys.argv[1],context=c)
except OSError: sys.exit(5)";

const GET: &str = "class Get { public static void main(String[] words) throws Exception {
  new java.net.URL(words[0]).openConnection().getInputStream().close(); } }";

#[test]
fn commands_that_ask_a_proxy_are_watched_through_one() {
    let lab = Lab::new().unwrap();
    let binary = find_binary().unwrap();
    let servers = [
        lab.nginx("rsa", "ssl_protocols TLSv1.3;"),
        lab.nginx_http("server { listen 127.0.0.1:{port}; location / { return 200 'plain\\n'; } }"),
    ];
    let [server, plain] = match servers.map(|server| server.map_err(|error| error.to_string())) {
        [Ok(server), Ok(plain)] => [server, plain],
        [Err(why), _] | [_, Err(why)] => return skip(&why),
    };
    std::fs::write(server.dir().join("Get.java"), GET).unwrap();
    let authority = server.pki(&lab).join("ca.pem");
    let report = server.dir().join("report.jsonl");
    let mut wrong = Vec::new();
    for (line, expected) in ASKING {
        let words = line.split('|').map(|word| {
            let word = word.replace("{urllib}", URLLIB).replace("{plain}", &plain.port.to_string());
            fill(&word.replace("{dir}", &server.dir().display().to_string()), server.port, &authority)
        });
        let words: Vec<String> = words.collect();
        if find_program(&words[0]).is_none() {
            skip(&words[0]);
            continue;
        }
        let directly = run(&words, None);
        let mut asking = Command::new(&binary);
        asking.args(["run", "--watch", "proxy", "--format", "json", "-o"]).arg(&report).arg("--ca").arg(&authority).arg("--");
        let watched = asking.args(&words).stdin(std::process::Stdio::null()).output().unwrap();
        let cause = root_cause(&report);
        let same = (directly.status.code(), &directly.stdout) == (watched.status.code(), &watched.stdout);
        if !same || cause.as_deref() != *expected {
            wrong.push(format!("{line}: {cause:?}; {directly:?} became {watched:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn where_connections_cannot_be_held_a_proxy_takes_the_place_and_that_is_said() {
    let lab = Lab::new().unwrap();
    let binary = find_binary().unwrap();
    let server = match lab.nginx("rsa", "ssl_protocols TLSv1.3;") {
        Ok(server) => server,
        Err(error) => return skip(&error.to_string()),
    };
    let authority = server.pki(&lab).join("ca.pem");
    let report = server.dir().join("report.jsonl");
    // Within another one they are held already.
    let mut outer = Command::new(&binary);
    outer.args(["run", "--no-probe", "-o", "/dev/null", "--"]).arg(&binary).args(["run", "--format", "json", "-o"]);
    outer.arg(&report).arg("--ca").arg(&authority).arg("--");
    let words = fill(ASKING[1].0, server.port, &authority);
    let output = outer.args(words.split('|')).stdin(std::process::Stdio::null()).output().unwrap();
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(told.contains("told of a proxy at 127.0.0.1:") && told.contains("something else steers"), "{told}");
    assert_eq!((root_cause(&report).as_deref(), output.status.code()), (ASKING[1].1, Some(35)), "{told}");
    // Who insists gets an error instead.
    let mut outer = Command::new(&binary);
    outer.args(["run", "--no-probe", "-o", "/dev/null", "--"]).arg(&binary).args(["run", "--watch", "steer", "--", "true"]);
    let output = outer.output().unwrap();
    assert_eq!(output.status.code(), Some(2), "{output:?}");
}

/// The root cause of the first report in a file of JSON Lines.
fn root_cause(path: &Path) -> Option<String> {
    let text = std::fs::read_to_string(path).unwrap_or_default();
    let mut lines = text.lines().filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok());
    lines.find(|line| line["format"] == "tlswhy-report")?["root_cause"].as_str().map(str::to_owned)
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
