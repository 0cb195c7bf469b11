//! `tlswhy run` around real clients that their own files and environments keep from connecting: the line is named, the fix is applied,
//! and the client connects.

#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, reason = "what fails here is the test")]

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::Value;
use tlswhy_lab::runner::find_binary;
use tlswhy_lab::server::find_program;
use tlswhy_lab::{Lab, Server};

/// A client that its own settings keep from a server.
struct Case {
    name: &'static str,
    /// Which server: `1.2`, `1.3`, `postgres`.
    server: &'static str,
    /// A file in the folder `{dir}`, and what it says.
    file: Option<(&'static str, &'static str)>,
    /// An environment variable.
    variable: (&'static str, &'static str),
    /// The program and its arguments, parted by `|`; `{port}`, `{ca}` and `{dir}` are replaced.
    command: &'static str,
    /// Where the setting stands that keeps it: the end of what the report names.
    place: &'static str,
}

const OPENSSL_CNF: &str =
    "openssl_conf = main\n[main]\nssl_conf = ssl\n[ssl]\nsystem_default = tls\n[tls]\nMaxProtocol = TLSv1.2\n";
const PYTHON: &str = "import socket,ssl,sys; c=ssl.create_default_context(cafile=sys.argv[2]); \
    c.wrap_socket(socket.create_connection(('127.0.0.1',int(sys.argv[1]))),server_hostname='good.example.test')";
const NODE: &str = "const [port,ca]=process.argv.slice(1); const s=require('tls').connect({port,host:'127.0.0.1',\
    servername:'good.example.test',ca:require('fs').readFileSync(ca)},()=>s.end()); s.on('error',e=>process.exit(3))";
const JAVA: &str = r#"
import java.io.*; import java.security.*; import java.security.cert.*; import java.util.*; import javax.net.ssl.*;
public class Client {
    public static void main(String[] args) throws Exception {
        KeyStore store = KeyStore.getInstance(KeyStore.getDefaultType());
        store.load(null);
        store.setCertificateEntry("ca", CertificateFactory.getInstance("X.509").generateCertificate(new FileInputStream(args[1])));
        TrustManagerFactory trust = TrustManagerFactory.getInstance("PKIX");
        trust.init(store);
        SSLContext context = SSLContext.getInstance("TLS");
        context.init(null, trust.getTrustManagers(), null);
        SSLSocket socket = (SSLSocket) context.getSocketFactory().createSocket("127.0.0.1", Integer.parseInt(args[0]));
        SSLParameters parameters = socket.getSSLParameters();
        parameters.setServerNames(List.of(new SNIHostName("good.example.test")));
        socket.setSSLParameters(parameters);
        socket.startHandshake();
    }
}
"#;

const CASES: &[Case] = &[
    Case {
        name: "openssl by its file",
        server: "1.3",
        file: Some(("openssl.cnf", OPENSSL_CNF)),
        variable: ("OPENSSL_CONF", "{dir}/openssl.cnf"),
        command: "openssl|s_client|-connect|127.0.0.1:{port}|-servername|good.example.test|-CAfile|{ca}|-brief",
        place: "/openssl.cnf:7",
    },
    Case {
        name: "python by a file that a wrapper names",
        server: "1.3",
        file: Some(("openssl.cnf", OPENSSL_CNF)),
        variable: ("LANG", "C"),
        command: "sh|-c|OPENSSL_CONF={dir}/openssl.cnf python3 -c \"{python}\" {port} {ca}",
        place: "/openssl.cnf:7",
    },
    Case {
        name: "gnutls-cli by the system's file",
        server: "1.3",
        file: Some(("gnutls", "[overrides]\ndisabled-version = tls1.3\n")),
        variable: ("GNUTLS_SYSTEM_PRIORITY_FILE", "{dir}/gnutls"),
        command: "gnutls-cli|--x509cafile={ca}|--sni-hostname=good.example.test|--verify-hostname=good.example.test|-p|{port}|127.0.0.1",
        place: "/gnutls:2",
    },
    Case {
        name: "curl by its file",
        server: "1.3",
        file: Some((".curlrc", "silent\ntls-max = 1.2\n")),
        variable: ("HOME", "{dir}"),
        command: "curl|--cacert|{ca}|--resolve|good.example.test:{port}:127.0.0.1|https://good.example.test:{port}/",
        place: "/.curlrc:2",
    },
    Case {
        name: "git by its file",
        server: "1.2",
        file: Some((".gitconfig", "[http]\n\tsslVersion = tlsv1.3\n\tcurloptResolve = good.example.test:{port}:127.0.0.1\n")),
        variable: ("HOME", "{dir}"),
        command: "git|-c|http.sslCAInfo={ca}|ls-remote|https://good.example.test:{port}/x",
        place: "/.gitconfig:2",
    },
    Case {
        name: "java by a file on top",
        server: "1.3",
        file: Some(("strict.properties", "# ours\njdk.tls.disabledAlgorithms=SSLv3, TLSv1, TLSv1.1, TLSv1.3\n")),
        variable: ("LANG", "C"),
        command: "java|-Djava.security.properties={dir}/strict.properties|{dir}/Client.java|{port}|{ca}",
        place: "/strict.properties:2",
    },
    Case {
        name: "java by its command line",
        server: "1.3",
        file: None,
        variable: ("LANG", "C"),
        command: "java|-Djdk.tls.client.protocols=TLSv1.2|{dir}/Client.java|{port}|{ca}",
        place: "/cmdline:1",
    },
    Case {
        name: "node by its environment",
        server: "1.3",
        file: None,
        variable: ("NODE_OPTIONS", "--tls-max-v1.2"),
        command: "node|-e|{node}|{port}|{ca}",
        place: "/environ:",
    },
    Case {
        name: "psql by its service file",
        server: "postgres",
        file: Some(("services", "[lab]\nhost=127.0.0.1\nport={port}\nsslmode=require\nssl_max_protocol_version=TLSv1.2\n")),
        variable: ("PGSERVICEFILE", "{dir}/services"),
        command: "psql|service=lab user=postgres",
        place: "/services:5",
    },
];

#[test]
fn the_line_that_keeps_a_client_is_named_and_mended() {
    let lab = Lab::new().unwrap();
    let binary = find_binary().unwrap();
    let mut wrong = Vec::new();
    for case in CASES {
        let words: Vec<&str> = case.command.split('|').collect();
        if find_program(words[0]).is_none() {
            skip(words[0]);
            continue;
        }
        let server = match case.server {
            "1.2" => lab.nginx("rsa", "ssl_protocols TLSv1.2;"),
            "1.3" => lab.nginx("rsa", "ssl_protocols TLSv1.3;"),
            _ => lab.postgres("rsa", "ssl_min_protocol_version = 'TLSv1.3'"),
        };
        match server {
            Ok(server) => wrong.extend(judge(&lab, &binary, case, &server).err().map(|why| format!("{}: {why}", case.name))),
            Err(why) => skip(&why.to_string()),
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// A client of which no file says why it fails: what is found, and the same client mended.
struct Plain {
    name: &'static str,
    /// What nginx is told of TLS.
    server: &'static str,
    watch: &'static str,
    /// Programs and arguments, parted by `|`.
    fails: &'static str,
    cause: &'static str,
    mended: &'static str,
}

const TLS_1_3: &str = "ssl_protocols TLSv1.3;";
/// Go has given the exchange of keys by RSA up with 1.22.
const RSA_EXCHANGE: &str = "ssl_protocols TLSv1.2; ssl_ciphers AES128-GCM-SHA256;";
const FETCH: &str = "fetch(process.argv[1]).then(r=>r.text(),()=>process.exit(3))";

const PLAIN: &[Plain] = &[
    Plain {
        name: "tstclnt of NSS",
        server: TLS_1_3,
        watch: "steer",
        fails: "tstclnt|-h|127.0.0.1|-p|{port}|-a|localhost|-V|tls1.2:tls1.2|-D|-Q|-o",
        cause: "version-ranges-disjoint",
        mended: "tstclnt|-h|127.0.0.1|-p|{port}|-a|localhost|-V|tls1.2:tls1.3|-D|-Q|-o",
    },
    Plain {
        name: "OpenSSL 1.1.0, and a newer one",
        server: TLS_1_3,
        watch: "steer",
        fails: "{old}|s_client|-connect|127.0.0.1:{port}|-servername|localhost|-CAfile|{ca}",
        cause: "client-software-outdated",
        mended: "openssl|s_client|-connect|127.0.0.1:{port}|-servername|localhost|-CAfile|{ca}|-brief",
    },
    Plain {
        name: "net/http of Go",
        server: RSA_EXCHANGE,
        watch: "steer",
        fails: "env|SSL_CERT_FILE={ca}|tlswhy-lab-go-1.24-get|https://localhost:{port}/",
        cause: "no-shared-cipher",
        mended: "env|SSL_CERT_FILE={ca}|GODEBUG=tlsrsakex=1|tlswhy-lab-go-1.24-get|https://localhost:{port}/",
    },
    // Go asks no proxy for `localhost`, but for any other spelling.
    Plain {
        name: "net/http of Go behind a proxy",
        server: RSA_EXCHANGE,
        watch: "proxy",
        fails: "env|SSL_CERT_FILE={ca}|tlswhy-lab-go-1.24-get|https://LOCALHOST:{port}/",
        cause: "no-shared-cipher",
        mended: "env|SSL_CERT_FILE={ca}|GODEBUG=tlsrsakex=1|tlswhy-lab-go-1.24-get|https://LOCALHOST:{port}/",
    },
    Plain {
        name: "fetch of Node behind a proxy",
        server: TLS_1_3,
        watch: "proxy",
        fails: "env|NODE_EXTRA_CA_CERTS={ca}|node-24|--tls-max-v1.2|-e|{fetch}|https://localhost:{port}/",
        cause: "version-ranges-disjoint",
        mended: "env|NODE_EXTRA_CA_CERTS={ca}|node-24|-e|{fetch}|https://localhost:{port}/",
    },
];

#[test]
fn clients_without_a_file_are_diagnosed_and_connect_once_mended() {
    let lab = Lab::new().unwrap();
    let binary = find_binary().unwrap();
    let old = lab.old_openssl().unwrap();
    let certificate = certificate_of_localhost();
    let ca = certificate.display().to_string();
    let mut wrong = Vec::new();
    for case in PLAIN {
        let tls = format!("ssl_certificate {ca}; ssl_certificate_key {ca};");
        let server = match lab.nginx_http(&format!("server {{ listen 127.0.0.1:{{port}} ssl; {tls} {} }}", case.server)) {
            Ok(server) => server,
            Err(why) => {
                skip(&why.to_string());
                continue;
            }
        };
        let watched = |line: &str| -> Option<Vec<Value>> {
            let fill = |word: &str| {
                word.replace("{old}", &old.display().to_string())
                    .replace("{fetch}", FETCH)
                    .replace("{port}", &server.address().port().to_string())
                    .replace("{ca}", &ca)
            };
            let words: Vec<String> = line.split('|').map(fill).collect();
            let program = words.iter().find(|word| *word != "env" && !word.contains('='))?;
            if find_program(program).is_none() && !Path::new(program).exists() {
                skip(program);
                return None;
            }
            let report = server.dir().join("report.jsonl");
            let mut command = Command::new(&binary);
            command.args(["run", "--watch", case.watch, "--format", "json", "-o"]).arg(&report).arg("--ca").arg(&ca);
            output(command.arg("--").args(&words));
            let text = fs::read_to_string(&report).unwrap_or_default();
            Some(text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect())
        };
        let (Some(before), Some(after)) = (watched(case.fails), watched(case.mended)) else { continue };
        let root = before.iter().find(|line| line["format"] == "tlswhy-report").map(|report| &report["root_cause"]);
        if root.and_then(Value::as_str) != Some(case.cause) {
            wrong.push(format!("{}: the cause is {root:?}", case.name));
        }
        wrong.extend(not_established(&after).map(|outcomes| format!("{}: mended, its handshakes are {outcomes}", case.name)));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// A certificate for `localhost` that is its own authority, with its key.
fn certificate_of_localhost() -> PathBuf {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join("localhost.pem");
    let mut make = Command::new("openssl");
    make.args(["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "30", "-subj", "/CN=localhost"]);
    make.args(["-addext", "subjectAltName=DNS:localhost", "-out"]).arg(&path).arg("-keyout").arg(path.with_extension("key"));
    let said = output(&mut make);
    assert!(said.status.success(), "{said:?}");
    let both = [fs::read(&path).unwrap(), fs::read(path.with_extension("key")).unwrap()].concat();
    fs::write(&path, both).unwrap();
    path
}

/// How the handshakes of a report ended, unless there are some and all came about.
fn not_established(lines: &[Value]) -> Option<String> {
    let handshakes = lines.iter().filter(|line| line["format"] == "tlswhy-handshake");
    let outcomes: Vec<&Value> = handshakes.map(|line| &line["handshake"]["outcome"]).collect();
    let fine = !outcomes.is_empty() && outcomes.iter().all(|outcome| *outcome == "established");
    (!fine).then(|| format!("{outcomes:?}"))
}

fn judge(lab: &Lab, binary: &Path, case: &Case, server: &Server) -> Result<(), String> {
    let dir = server.dir();
    let fill = |text: &str| {
        text.replace("{python}", PYTHON)
            .replace("{node}", NODE)
            .replace("{port}", &server.address().port().to_string())
            .replace("{ca}", &server.pki(lab).join("ca.pem").display().to_string())
            .replace("{dir}", &dir.display().to_string())
    };
    fs::write(dir.join("Client.java"), JAVA).unwrap();
    if let Some((name, text)) = case.file {
        fs::write(dir.join(name), fill(text)).unwrap();
    }
    let words: Vec<String> = case.command.split('|').map(fill).collect();
    let (name, value) = (case.variable.0, fill(case.variable.1));
    let watched = |report: &Path, is_set: bool| -> Result<Vec<Value>, String> {
        let ca = server.pki(lab).join("ca.pem");
        let mut command = Command::new(binary);
        command.args(["run", "--format", "json", "-o"]).arg(report).arg("--ca").arg(ca).arg("--").args(&words);
        if is_set {
            command.env(name, &value);
        }
        let said = output(&mut command);
        let text = fs::read_to_string(report).map_err(|error| format!("{error}: {said:?}"))?;
        Ok(text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect())
    };
    let report = dir.join("report.jsonl");
    let before = watched(&report, true)?;
    let found = before.iter().find(|line| line["format"] == "tlswhy-report").ok_or_else(|| format!("no report: {before:?}"))?;
    if found["root_cause"] != "client-policy-restricts" {
        return Err(format!("the cause is {}", found["root_cause"]));
    }
    let cited = |exhibit: &Value| format!("{}:{}", exhibit["path"].as_str().unwrap_or_default(), exhibit["line"]);
    let places: Vec<String> = found["findings"][0]["exhibits"].as_array().into_iter().flatten().map(cited).collect();
    if !places.iter().any(|place| place.contains(case.place)) {
        return Err(format!("{places:?} do not name {}", case.place));
    }
    // What stands in a file is mended there; what a command is started with, by starting it without.
    let in_file = case.file.is_some();
    if in_file {
        let mut fix = Command::new(binary);
        fix.arg("fix").arg(&report).arg("--apply").arg("--ca").arg(server.pki(lab).join("ca.pem")).env(name, &value);
        let said = output(fix.env("TLSWHY_STATE_DIR", dir.join("state")));
        if !said.status.success() {
            return Err(format!("the fix: {}", String::from_utf8_lossy(&[said.stdout, said.stderr].concat())));
        }
    }
    if !in_file && name == "LANG" {
        return Ok(());
    }
    let after = watched(&dir.join("after.jsonl"), in_file)?;
    match not_established(&after) {
        None => Ok(()),
        Some(outcomes) => Err(format!("mended, its handshakes are {outcomes}")),
    }
}

fn output(command: &mut Command) -> Output {
    command.stdin(Stdio::null()).output().unwrap()
}

/// Not by the macro, whose output the test harness hides where a test passes.
fn skip(what: &str) {
    drop(writeln!(std::io::stderr(), "skipped: no {what}"));
}
