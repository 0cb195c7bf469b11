//! Files of client programs, judged and mended: the real client fails, the report names the line, the file is mended, the real client
//! connects and nothing more is found; the edit is taken back, and the real client fails again.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::Value;

use super::NAME;
use crate::programs::Started;
use crate::server::{Lab, Server, StartError, find_program, shell};

/// A client whose file keeps it from a server.
#[derive(Clone, Copy, Debug)]
pub struct ClientFix {
    /// What is broken.
    pub id: &'static str,
    /// The client that `tlswhy` is told to judge; empty for this machine's OpenSSL.
    pub judged: &'static str,
    /// The server, and what comes before TLS.
    pub server: (fn(&Lab) -> Started, &'static str),
    /// A shell script run in the server's directory once it is there.
    pub prepare: &'static str,
    /// The file and what stands in it; `{dir}` is the server's directory, `{port}` its port, `{pki}` the certificates.
    pub file: (&'static str, &'static str),
    /// The line that takes away what is needed.
    pub line: u32,
    /// The client and its arguments.
    pub command: &'static [&'static str],
    /// Variables of its environment.
    pub env: &'static [(&'static str, &'static str)],
}

const CURL: ClientFix = ClientFix {
    id: "curl-maximum",
    judged: "curl-openssl-3.0",
    server: (only_1_3, ""),
    prepare: "",
    file: (".curlrc", "# of old\ncacert = {pki}/ca.pem\ntls-max = 1.2 # ours\n"),
    line: 3,
    command: &[
        "curl",
        "-sS",
        "-m",
        "15",
        "--resolve",
        "good.example.test:{port}:127.0.0.1",
        "https://good.example.test:{port}/",
    ],
    env: &[],
};
const OPENSSL: ClientFix = ClientFix {
    id: "openssl-maximum",
    judged: "",
    file: (
        "openssl.cnf",
        "# of old\nopenssl_conf = lab\n[lab]\nssl_conf = ssl\n[ssl]\nsystem_default = all\n[all]\nMaxProtocol = TLSv1.2 # ours\n",
    ),
    line: 8,
    command: &[
        "openssl",
        "s_client",
        "-connect",
        "127.0.0.1:{port}",
        "-servername",
        NAME,
        "-CAfile",
        "{pki}/ca.pem",
        "-verify_return_error",
    ],
    env: &[("OPENSSL_CONF", "{dir}/openssl.cnf")],
    ..CURL
};
const GNUTLS: ClientFix = ClientFix {
    id: "gnutls-version",
    judged: "gnutls-3.7",
    file: ("policy", "# of old\n[overrides]\n# ours\ndisabled-version = tls1.3\n"),
    line: 4,
    command: &[
        "gnutls-cli",
        "--x509cafile",
        "{pki}/ca.pem",
        "--sni-hostname",
        NAME,
        "--verify-hostname",
        NAME,
        "-p",
        "{port}",
        "127.0.0.1",
    ],
    env: &[("GNUTLS_SYSTEM_PRIORITY_FILE", "{dir}/policy")],
    ..CURL
};
const WGET: ClientFix = ClientFix {
    id: "wget-ciphers",
    judged: "wget-1.21",
    file: (".wgetrc", "# of old\ncheck_certificate = off\nciphers = NORMAL:-VERS-TLS1.3\n"),
    line: 3,
    command: &["wget", "-q", "-O-", "-t1", "-T15", "https://127.0.0.1:{port}/"],
    ..CURL
};
const GIT: ClientFix = ClientFix {
    id: "git-version",
    judged: "git-2.39",
    server: (|lab| lab.nginx("rsa", "ssl_protocols TLSv1.2; location /r.git/ { alias {dir}/r.git/; }"), ""),
    prepare: "git init -q --bare r.git && git -C r.git update-server-info && chmod -R a+rX .",
    file: (".gitconfig", "# of old\n[http]\n\tsslVerify = false\n\tsslVersion = tlsv1.3 # ours\n"),
    line: 4,
    command: &["/usr/bin/git", "ls-remote", "https://127.0.0.1:{port}/r.git"],
    ..CURL
};
const NODE: ClientFix = ClientFix {
    id: "node-maximum",
    judged: "node-20",
    file: ("app.env", "# of old\nNODE_OPTIONS=\"--no-warnings --tls-max-v1.2\"\n"),
    line: 2,
    command: &[
        "sh",
        "-c",
        "set -a; . '{dir}/app.env'; node -e \"require('tls').connect({ port: {port}, host: '127.0.0.1', \
         servername: 'good.example.test', ca: require('fs').readFileSync('{pki}/ca.pem') }, function () { this.end() })\"",
    ],
    ..CURL
};

/// Every client.
pub const CLIENTS: &[ClientFix] = &[
    CURL,
    ClientFix {
        id: "curl-ciphers",
        server: (|lab| lab.nginx("rsa", "ssl_protocols TLSv1.2; ssl_ciphers ECDHE-RSA-AES256-GCM-SHA384;"), ""),
        file: (".curlrc", "# of old\ncacert = {pki}/ca.pem\nciphers = ECDHE-RSA-AES128-SHA:AES128-SHA\n"),
        ..CURL
    },
    ClientFix {
        id: "curl-under-openssl",
        server: (|lab| lab.nginx("rsa", "ssl_protocols TLSv1.3; ssl_ecdh_curve X25519;"), ""),
        // It sets its own maximum, and leaves the groups to the file.
        file: (
            "openssl.cnf",
            "openssl_conf = lab\n[lab]\nssl_conf = ssl\n[ssl]\nsystem_default = all\n[all]\nMaxProtocol = TLSv1.2\nGroups = P-384\n",
        ),
        line: 8,
        command: &[
            "curl",
            "-sS",
            "-m",
            "15",
            "--cacert",
            "{pki}/ca.pem",
            "--resolve",
            "good.example.test:{port}:127.0.0.1",
            "https://good.example.test:{port}/",
        ],
        env: OPENSSL.env,
        ..CURL
    },
    OPENSSL,
    ClientFix { id: "openssl-3.0-maximum", judged: "openssl-3.0", ..OPENSSL },
    ClientFix { id: "openssl-1.1.1-maximum", judged: "openssl-1.1.1", ..OPENSSL },
    ClientFix { id: "openssl-3.6-maximum", judged: "openssl-3.6", ..OPENSSL },
    ClientFix {
        id: "openssl-no-range",
        judged: "openssl-3.0",
        file: (
            "openssl.cnf",
            "openssl_conf = lab\n[lab]\nssl_conf = ssl\n[ssl]\nsystem_default = all\n[all]\nMinProtocol = TLSv1.3\nMaxProtocol = TLSv1.2\n",
        ),
        line: 7,
        ..OPENSSL
    },
    GNUTLS,
    ClientFix {
        id: "gnutls-group",
        server: (|lab| lab.nginx("rsa", "ssl_protocols TLSv1.3; ssl_ecdh_curve X25519;"), ""),
        file: ("policy", "[overrides]\ntls-disabled-group = GROUP-X25519\n"),
        line: 2,
        ..GNUTLS
    },
    WGET,
    ClientFix { id: "wget-version", file: (".wgetrc", "# of old\ncheck_certificate = off\nsecure_protocol = SSLv3\n"), ..WGET },
    ClientFix {
        id: "wget-under-gnutls",
        file: GNUTLS.file,
        line: GNUTLS.line,
        env: GNUTLS.env,
        command: &["wget", "-q", "-O-", "-t1", "-T15", "--no-check-certificate", "https://127.0.0.1:{port}/"],
        ..WGET
    },
    GIT,
    NODE,
    ClientFix {
        id: "libpq-maximum",
        judged: "",
        server: (|lab| lab.postgres("rsa", "ssl_min_protocol_version = 'TLSv1.3'"), "postgres"),
        file: (
            ".pg_service.conf",
            "# of old\n[lab]\nhost=good.example.test\nhostaddr=127.0.0.1\nport={port}\nuser=postgres\ndbname=postgres\n\
             sslmode=verify-full\nsslrootcert={pki}/ca.pem\nssl_max_protocol_version=TLSv1.2\n",
        ),
        line: 10,
        command: &["psql", "service=lab", "-c", "select 1"],
        ..CURL
    },
    ClientFix {
        id: "mariadb-versions",
        judged: "openssl-3.0",
        server: (|lab| lab.mariadb("rsa", "--tls-version=TLSv1.3"), "mysql"),
        file: (
            ".my.cnf",
            "# of old\n[client]\nhost = 127.0.0.1\nport = {port}\nprotocol = tcp\nssl-ca = {pki}/ca.pem\ntls_version = TLSv1.2 # ours\n",
        ),
        line: 7,
        command: &["mariadb", "--connect-timeout=15", "-e", "select 1"],
        ..CURL
    },
];

fn only_1_3(lab: &Lab) -> Started {
    lab.nginx("rsa", "ssl_protocols TLSv1.3;")
}

/// A client and its file, beside a server.
struct Beside<'b> {
    dir: &'b Path,
    server: &'b Server,
    pki: &'b Path,
}

impl Beside<'_> {
    fn fill(&self, text: &str) -> String {
        text.replace("{dir}", &self.dir.display().to_string())
            .replace("{port}", &self.server.port.to_string())
            .replace("{pki}", &self.pki.display().to_string())
    }

    /// How a program ends whose home is the server's directory, and what it said on its two outputs.
    fn run(&self, command: &[&str], env: &[(&str, &str)]) -> Result<(Option<i32>, String, String), StartError> {
        let output = Command::new("timeout")
            .arg("20")
            .args(command.iter().map(|word| self.fill(word)))
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", self.dir)
            .env("LC_ALL", "C")
            .envs(env.iter().map(|(name, value)| (*name, self.fill(value))))
            .stdin(Stdio::null())
            .output()
            .map_err(StartError::of)?;
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        Ok((output.status.code(), text(&output.stdout), text(&output.stderr)))
    }
}

/// Runs a client and `tlswhy` on its file; the lines say what was not as it must be.
///
/// # Errors
/// The server or the client is not installed, or a file cannot be read or written.
pub fn run(lab: &Lab, binary: &Path, fix: &ClientFix) -> Result<Vec<String>, StartError> {
    let program = match fix.command.first() {
        Some(&"sh") => "node",
        program => program.copied().unwrap_or_default(),
    };
    find_program(program).ok_or_else(|| StartError::Missing(program.to_owned()))?;
    let server = (fix.server.0)(lab)?;
    let dir = server.dir();
    let beside = Beside { dir: &dir, server: &server, pki: &lab.pki };
    shell(&format!("cd '{}' && {{ {} ; }}", dir.display(), if fix.prepare.is_empty() { "true" } else { fix.prepare }))?;
    let file = dir.join(fix.file.0);
    let before = beside.fill(fix.file.1);
    fs::write(&file, &before).map_err(StartError::of)?;
    let mut wrong = Vec::new();

    let binary = binary.display().to_string();
    let named = file.display().to_string();
    let mut how = vec!["127.0.0.1:{port}", "--sni", NAME, "--ca", "{pki}/ca.pem", "--client-config", &named];
    if !fix.judged.is_empty() {
        how.extend(["--client", fix.judged]);
    }
    if !fix.server.1.is_empty() {
        how.extend(["--starttls", fix.server.1]);
    }
    // This machine's OpenSSL is looked at under the environment that its client has.
    let mut env = fix.env.to_vec();
    env.push(("TLSWHY_STATE_DIR", "{dir}/state"));
    let tlswhy = |words: &[&str]| beside.run(&[&[binary.as_str()], words].concat(), &env);
    let checked = || -> Result<(Option<i32>, Value), StartError> {
        let (status, report, _) = tlswhy(&[&how[..], &["--format", "json"]].concat())?;
        Ok((status, serde_json::from_str(&report).unwrap_or_default()))
    };
    let client = |connects: bool, when: &str, wrong: &mut Vec<String>| -> Result<(), StartError> {
        let (status, out, err) = beside.run(fix.command, fix.env)?;
        if (status == Some(0)) != connects {
            wrong.push(format!("{when} the client ends with {status:?}: {out}{err}"));
        }
        Ok(())
    };

    client(false, "before", &mut wrong)?;
    let (status, report) = checked()?;
    let cause = report["root_cause"].as_str().unwrap_or_default();
    if status != Some(1) || cause != "client-policy-restricts" {
        wrong.push(format!("the check ends with {status:?} and {cause:?}: {}", report["summary"]));
    }
    let exhibit = &report["findings"][0]["exhibits"][0];
    if exhibit["path"] != named.as_str() || exhibit["line"] != fix.line {
        wrong.push(format!("the line is named as {}:{}", exhibit["path"], exhibit["line"]));
    }
    let (status, out, err) = tlswhy(&[&["fix"], &how[..], &["--apply"]].concat())?;
    if status != Some(0) {
        wrong.push(format!("the fix ends with {status:?}: {out}{err}"));
    }
    client(true, "after the fix", &mut wrong)?;
    // The mended file is the healthy twin.
    let (status, report) = checked()?;
    if status != Some(0) || !report["findings"].as_array().is_some_and(Vec::is_empty) {
        wrong.push(format!("after the fix the check ends with {status:?}: {}", report["summary"]));
    }
    let (status, out, err) = tlswhy(&["fix", "--undo"])?;
    if status != Some(0) {
        wrong.push(format!("--undo ends with {status:?}: {out}{err}"));
    }
    client(false, "once it is taken back", &mut wrong)?;
    if fs::read_to_string(&file).map_err(StartError::of)? != before {
        wrong.push("--undo does not bring the file back".to_owned());
    }
    Ok(wrong)
}
