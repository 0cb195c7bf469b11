//! Files of client programs, judged and mended: the real client fails, the report names the line, the file is mended, the real client
//! connects and nothing more is found; the edit is taken back, and the real client fails again.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;

use super::NAME;
use crate::programs::Started;
use crate::server::{Lab, Launch, Server, StartError, find_program, free_port, shell};

/// A client whose file keeps it from a server.
#[derive(Clone, Copy, Debug)]
pub struct ClientFix {
    /// What is broken.
    pub id: &'static str,
    /// The client that `tlswhy` is told to judge; empty for this machine's OpenSSL.
    pub judged: &'static str,
    /// The server, and what comes before TLS.
    pub server: (fn(&Lab) -> Started, &'static str),
    /// A shell script run in the server's directory once it and the file are there.
    pub prepare: &'static str,
    /// The file and what stands in it; `{dir}` is the server's directory, `{port}` its port, `{port2}` a free one, `{pki}` the certificates.
    pub file: (&'static str, &'static str),
    /// The line that takes away what is needed.
    pub line: u32,
    /// The client and its arguments.
    pub command: &'static [&'static str],
    /// Variables of its environment.
    pub env: &'static [(&'static str, &'static str)],
    /// The program that has to be there; empty for that of the command.
    pub program: &'static str,
    /// What ends what `prepare` began.
    pub finish: &'static str,
    /// Further arguments of `tlswhy fix`.
    pub args: &'static [&'static str],
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
    program: "",
    finish: "",
    args: &[],
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
    program: "node",
    ..CURL
};
/// A proxy as a client of a server that speaks TLS 1.3 alone; whoever asks it gets an answer once it reaches that.
const NGINX: ClientFix = ClientFix {
    id: "nginx-as-a-proxy",
    judged: "openssl-3.0",
    server: (|lab| lab.s_server("rsa", "-tls1_3"), ""),
    file: (
        "nginx.conf",
        "pid {dir}/pid;\nevents {}\nhttp {\n  access_log off;\n  server {\n    listen 127.0.0.1:{port2};\n    location / {\n      \
         proxy_pass https://127.0.0.1:{port};\n      proxy_ssl_name good.example.test;\n      proxy_ssl_server_name on;\n      \
         proxy_ssl_protocols TLSv1.2; # of old\n    }\n  }\n}\n",
    ),
    line: 11,
    prepare: "nginx -e {dir}/error.log -c {dir}/nginx.conf",
    finish: "nginx -e {dir}/error.log -s stop -c {dir}/nginx.conf",
    command: &["curl", "-sSf", "-m", "15", "http://127.0.0.1:{port2}/"],
    program: "nginx",
    args: &["--check-command", super::NGINX_CHECK, "--reload-command", super::NGINX_RELOAD],
    ..CURL
};
const APACHE: ClientFix = ClientFix {
    id: "apache-as-a-proxy",
    file: (
        "httpd.conf",
        "ServerRoot {dir}\nDefaultRuntimeDir {dir}\nPidFile {dir}/pid\nErrorLog {dir}/error.log\nServerName {name}\n\
         LoadModule mpm_event_module {modules}/mod_mpm_event.so\nLoadModule authz_core_module {modules}/mod_authz_core.so\n\
         LoadModule socache_shmcb_module {modules}/mod_socache_shmcb.so\nLoadModule ssl_module {modules}/mod_ssl.so\n\
         LoadModule proxy_module {modules}/mod_proxy.so\nLoadModule proxy_http_module {modules}/mod_proxy_http.so\n\
         Listen 127.0.0.1:{port2}\n<VirtualHost 127.0.0.1:{port2}>\nSSLProxyEngine on\nSSLProxyCheckPeerName off\n\
         # of old\nSSLProxyProtocol TLSv1.2\nProxyPass / https://127.0.0.1:{port}/ disablereuse=on retry=0\n</VirtualHost>\n",
    ),
    line: 17,
    prepare: "apache2 -k start -f {dir}/httpd.conf",
    finish: "apache2 -k stop -f {dir}/httpd.conf",
    program: "apache2",
    args: &["--check-command", "apache2 -t -f {dir}/httpd.conf", "--reload-command", "apache2 -k graceful -f {dir}/httpd.conf"],
    ..NGINX
};
const HAPROXY: ClientFix = ClientFix {
    id: "haproxy-as-a-proxy",
    file: (
        "haproxy.cfg",
        "global\n  ssl-server-verify none\ndefaults\n  mode http\n  timeout client 20s\n  timeout server 20s\n  timeout connect 5s\n  \
         retries 0\nfrontend f\n  bind 127.0.0.1:{port2}\n  default_backend b\nbackend b\n  # of old\n  server s 127.0.0.1:{port} ssl \
         sni str(good.example.test) ssl-max-ver TLSv1.2\n",
    ),
    line: 14,
    prepare: "echo 'kill -USR2 $(cat {dir}/pid)' >reload; haproxy -W -D -p {dir}/pid -f {dir}/haproxy.cfg",
    finish: "kill \"$(cat {dir}/pid)\"",
    program: "haproxy",
    args: &["--check-command", "haproxy -c -f {dir}/haproxy.cfg", "--reload-command", "sh {dir}/reload"],
    ..NGINX
};
/// Go without the hybrid groups, towards a server that has none but those.
const GO: ClientFix = ClientFix {
    id: "go-hybrids",
    judged: "go-1.24",
    server: (hybrids_alone, ""),
    file: ("app.env", "# of old\nGODEBUG=http2client=0,tlsmlkem=0\n"),
    line: 2,
    command: &["sh", "-c", ". '{dir}/app.env'; export GODEBUG; tlswhy-lab-go-1.24-plain 127.0.0.1:{port} good.example.test"],
    env: &[("SSL_CERT_FILE", "{pki}/ca.pem")],
    program: "tlswhy-lab-go-1.24-plain",
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
    NGINX,
    APACHE,
    HAPROXY,
    GO,
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

/// Caddy with nothing but a hybrid group.
fn hybrids_alone(lab: &Lab) -> Started {
    lab.launch(Launch {
        program: "caddy-2.11",
        args: "run --adapter caddyfile --config {dir}/Caddyfile".split(' ').map(str::to_owned).collect(),
        files: vec![(
            "Caddyfile",
            "{\n  admin off\n  auto_https off\n  storage file_system {dir}\n}\nhttps://good.example.test:{port} {\n  \
             bind 127.0.0.1\n  tls {pki}/rsa.pem {pki}/rsa.key {\n    curves x25519mlkem768\n  }\n  respond \"ok\"\n}\n"
                .to_owned(),
        )],
        env: vec![("HOME", "{dir}".into()), ("XDG_CONFIG_HOME", "{dir}".into())],
        ..Launch::default()
    })
}

/// A client and its file, beside a server.
struct Beside<'b> {
    dir: PathBuf,
    server: &'b Server,
    second_port: u16,
    pki: &'b Path,
}

impl<'b> Beside<'b> {
    fn new(server: &'b Server, lab: &'b Lab) -> Beside<'b> {
        Beside { dir: server.dir(), server, second_port: free_port(), pki: &lab.pki }
    }
}

impl Beside<'_> {
    fn fill(&self, text: &str) -> String {
        text.replace("{dir}", &self.dir.display().to_string())
            .replace("{port}", &self.server.port.to_string())
            .replace("{port2}", &self.second_port.to_string())
            .replace("{name}", NAME)
            .replace("{modules}", "/usr/lib/apache2/modules")
            .replace("{pki}", &self.pki.display().to_string())
    }

    /// How a program ends whose home is the server's directory, and what it said on its two outputs.
    fn run(&self, command: &[&str], env: &[(&str, &str)]) -> Result<(Option<i32>, String, String), StartError> {
        let output = Command::new("timeout")
            .arg("20")
            .args(command.iter().map(|word| self.fill(word)))
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", &self.dir)
            .env("LC_ALL", "C")
            .envs(env.iter().map(|(name, value)| (*name, self.fill(value))))
            .stdin(Stdio::null())
            .output()
            .map_err(StartError::of)?;
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        Ok((output.status.code(), text(&output.stdout), text(&output.stderr)))
    }
}

/// How often a program that goes on running is asked until it has taken up its file.
const RELOADS: usize = 50;

/// A client with its file beside its server, and what was not as it must be.
struct Trial<'t> {
    beside: Beside<'t>,
    fix: &'t ClientFix,
    binary: String,
    file: PathBuf,
    wrong: Vec<String>,
}

impl<'t> Trial<'t> {
    fn new(binary: &Path, fix: &'t ClientFix, beside: Beside<'t>) -> Result<Trial<'t>, StartError> {
        let file = beside.dir.join(fix.file.0);
        let trial = Trial { beside, fix, binary: binary.display().to_string(), file, wrong: Vec::new() };
        trial.put(fix.file.1)?;
        trial.shell(fix.prepare)?;
        Ok(trial)
    }

    fn shell(&self, script: &str) -> Result<(), StartError> {
        if script.is_empty() {
            return Ok(());
        }
        shell(&format!("cd '{}' && {{ {} ; }}", self.beside.dir.display(), self.beside.fill(script)))
    }

    /// The file gets this text.
    fn put(&self, text: &str) -> Result<(), StartError> {
        fs::write(&self.file, self.beside.fill(text)).map_err(StartError::of)
    }

    fn said(&mut self, wrong: bool, what: impl FnOnce() -> String) {
        if wrong {
            self.wrong.push(what());
        }
    }

    /// `tlswhy` in the environment that the client has: this machine's OpenSSL is looked at under it.
    fn tlswhy(&self, words: &[&str]) -> Result<(Option<i32>, String, String), StartError> {
        let env = [self.fix.env, &[("TLSWHY_STATE_DIR", "{dir}/state")]].concat();
        self.beside.run(&[&[self.binary.as_str()], words].concat(), &env)
    }

    /// Server, client and file, as `check` and `fix` are told.
    fn how(&self) -> Vec<String> {
        let file = self.file.display().to_string();
        let mut how = vec!["127.0.0.1:{port}", "--sni", NAME, "--ca", "{pki}/ca.pem", "--client-config", &file];
        if !self.fix.judged.is_empty() {
            how.extend(["--client", self.fix.judged]);
        }
        if !self.fix.server.1.is_empty() {
            how.extend(["--starttls", self.fix.server.1]);
        }
        how.into_iter().map(str::to_owned).collect()
    }

    fn client(&mut self, connects: bool, when: &str) -> Result<(), StartError> {
        let once = || self.beside.run(self.fix.command, self.fix.env);
        let (mut status, mut out, mut err) = once()?;
        // A program that goes on running takes its time for a reload.
        for _ in 0..RELOADS {
            if (status == Some(0)) == connects || self.fix.finish.is_empty() {
                break;
            }
            std::thread::sleep(std::time::Duration::from_millis(200));
            (status, out, err) = once()?;
        }
        self.said((status == Some(0)) != connects, || format!("{when} the client ends with {status:?}: {out}{err}"));
        Ok(())
    }

    fn checked(&self) -> Result<(Option<i32>, Value), StartError> {
        let how = self.how();
        let how: Vec<&str> = how.iter().map(String::as_str).chain(["--format", "json"]).collect();
        let (status, report, _) = self.tlswhy(&how)?;
        Ok((status, serde_json::from_str(&report).unwrap_or_default()))
    }

    /// The report names the line.
    fn is_named(&mut self) -> Result<(), StartError> {
        let (status, report) = self.checked()?;
        let cause = report["root_cause"].as_str().unwrap_or_default().to_owned();
        self.said(status != Some(1) || cause != "client-policy-restricts", || {
            format!("the check ends with {status:?} and {cause:?}: {}", report["summary"])
        });
        let exhibit = &report["findings"][0]["exhibits"][0];
        let is_it = exhibit["path"] == self.file.display().to_string().as_str() && exhibit["line"] == self.fix.line;
        self.said(!is_it, || format!("the line is named as {}:{}", exhibit["path"], exhibit["line"]));
        Ok(())
    }

    /// Nothing is found; the report.
    fn is_healthy(&mut self, when: &str) -> Result<Value, StartError> {
        let (status, report) = self.checked()?;
        let none = report["findings"].as_array().is_some_and(Vec::is_empty);
        self.said(status != Some(0) || !none, || format!("{when} the check ends with {status:?}: {}", report["summary"]));
        Ok(report)
    }
}

impl Drop for Trial<'_> {
    fn drop(&mut self) {
        let _ended = self.shell(self.fix.finish);
    }
}

fn is_there(fix: &ClientFix) -> Result<(), StartError> {
    let of_command = fix.command.first().copied().unwrap_or_default();
    let program = if fix.program.is_empty() { of_command } else { fix.program };
    find_program(program).map(|_| ()).ok_or_else(|| StartError::Missing(program.to_owned()))
}

/// Runs a client and `tlswhy` on its file; the lines say what was not as it must be.
///
/// # Errors
/// The server or the client is not installed, or a file cannot be read or written.
pub fn run(lab: &Lab, binary: &Path, fix: &ClientFix) -> Result<Vec<String>, StartError> {
    is_there(fix)?;
    let server = (fix.server.0)(lab)?;
    let mut trial = Trial::new(binary, fix, Beside::new(&server, lab))?;
    let before = fs::read_to_string(&trial.file).map_err(StartError::of)?;
    trial.client(false, "before")?;
    trial.is_named()?;
    let how = trial.how();
    let how: Vec<&str> =
        ["fix"].into_iter().chain(how.iter().map(String::as_str)).chain(fix.args.iter().copied()).chain(["--apply"]).collect();
    let (status, out, err) = trial.tlswhy(&how)?;
    trial.said(status != Some(0), || format!("the fix ends with {status:?}: {out}{err}"));
    trial.client(true, "after the fix")?;
    // The mended file is the healthy twin.
    trial.is_healthy("after the fix")?;
    let (status, out, err) = trial.tlswhy(&["fix", "--undo"])?;
    trial.said(status != Some(0), || format!("--undo ends with {status:?}: {out}{err}"));
    trial.client(false, "once it is taken back")?;
    let after = fs::read_to_string(&trial.file).map_err(StartError::of)?;
    trial.said(after != before, || "--undo does not bring the file back".to_owned());
    Ok(std::mem::take(&mut trial.wrong))
}

/// A client that ends at a line of its file, and the file without what is wrong in it.
pub const STOPS: &[(ClientFix, &str)] = &[
    (
        ClientFix {
            id: "curl-without-its-authorities",
            file: (".curlrc", "# of old\ncacert = {dir}/none.pem\n"),
            line: 2,
            ..CURL
        },
        "# of old\ncacert = {pki}/ca.pem\n",
    ),
    (
        ClientFix { id: "curl-curves", file: (".curlrc", "cacert = {pki}/ca.pem\ncurves = X25519:NONE\n"), line: 2, ..CURL },
        "cacert = {pki}/ca.pem\ncurves = X25519\n",
    ),
    (
        ClientFix {
            id: "wget-protocol",
            file: (".wgetrc", "check_certificate = off\n\nsecure_protocol = TLSv1.2\n"),
            line: 3,
            ..WGET
        },
        "check_certificate = off\n",
    ),
    (
        ClientFix {
            id: "git-without-its-authorities",
            file: (
                ".gitconfig",
                "[http]\n\tsslCAInfo = {dir}/none.pem\n\tcurloptResolve = good.example.test:{port}:127.0.0.1\n",
            ),
            line: 2,
            command: &["/usr/bin/git", "ls-remote", "https://good.example.test:{port}/r.git"],
            ..GIT
        },
        "[http]\n\tsslCAInfo = {pki}/ca.pem\n\tcurloptResolve = good.example.test:{port}:127.0.0.1\n",
    ),
    (
        ClientFix { id: "node-option", file: ("app.env", "# of old\nNODE_OPTIONS=--tls-min-v1.4\n"), line: 2, ..NODE },
        "NODE_OPTIONS=--tls-min-v1.3\n",
    ),
    (
        ClientFix {
            id: "openssl-diagnostics",
            judged: "openssl-3.0",
            file: ("openssl.cnf", "config_diagnostics = 1\nopenssl_conf = lab\n[lab]\nssl_conf = none\n"),
            line: 4,
            ..OPENSSL
        },
        "openssl_conf = lab\n[lab]\nssl_conf = none\n",
    ),
];

/// What is wrong in a file and does not stop the client: it connects, and a notice names the line.
pub const HARMLESS: &[ClientFix] = &[
    ClientFix {
        id: "curl-includes-nothing",
        file: (".curlrc", "cacert = {pki}/ca.pem\nconfig = {dir}/none\n"),
        line: 2,
        ..CURL
    },
    ClientFix {
        id: "openssl-unclosed",
        judged: "openssl-3.0",
        file: ("openssl.cnf", "openssl_conf = lab\n[lab\nssl_conf = none\n"),
        line: 2,
        ..OPENSSL
    },
];

/// Runs a client that ends at a line of its file, and `tlswhy` on it; the lines say what was not as it must be.
///
/// # Errors
/// The server or the client is not installed, or a file cannot be read or written.
pub fn run_stopped(lab: &Lab, binary: &Path, (fix, mended): &(ClientFix, &str)) -> Result<Vec<String>, StartError> {
    is_there(fix)?;
    let server = (fix.server.0)(lab)?;
    let mut trial = Trial::new(binary, fix, Beside::new(&server, lab))?;
    trial.client(false, "before")?;
    trial.is_named()?;
    trial.put(mended)?;
    trial.client(true, "without what is wrong")?;
    trial.is_healthy("without what is wrong")?;
    Ok(std::mem::take(&mut trial.wrong))
}

/// Runs a client whose file has something wrong that does not stop it; the lines say what was not as it must be.
///
/// # Errors
/// The server or the client is not installed, or a file cannot be read or written.
pub fn run_harmless(lab: &Lab, binary: &Path, fix: &ClientFix) -> Result<Vec<String>, StartError> {
    is_there(fix)?;
    let server = (fix.server.0)(lab)?;
    let mut trial = Trial::new(binary, fix, Beside::new(&server, lab))?;
    trial.client(true, "as it is")?;
    let report = trial.is_healthy("as it is")?;
    let place = format!("{}:{}: ", trial.file.display(), fix.line);
    let notices = report["notices"].as_array().cloned().unwrap_or_default();
    let told = notices.iter().any(|notice| {
        notice["code"] == "client-configuration" && notice["says"].as_str().is_some_and(|says| says.starts_with(&place))
    });
    trial.said(!told, || format!("no notice names {place}: {notices:?}"));
    Ok(std::mem::take(&mut trial.wrong))
}

/// Clients of a server without RFC 5746, as their openssl.cnf lets them.
pub const WITHOUT_RFC_5746: &[ClientFix] = &[
    ClientFix { id: "openssl-legacy-server", judged: "openssl-3.0", server: (old, ""), file: PLAIN, ..OPENSSL },
    ClientFix {
        id: "curl-legacy-server",
        server: (old, ""),
        file: PLAIN,
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
];
const PLAIN: (&str, &str) = (
    "openssl.cnf",
    "openssl_conf = lab\n[lab]\nssl_conf = ssl\n[ssl]\nsystem_default = all\n[all]\nOptions = MiddleboxCompat\n",
);
/// Clients that go on with such a server.
const UNCONCERNED: &[&str] = &["openssl-1.1.1", "gnutls-3.7", "chrome-156"];

fn old(lab: &Lab) -> Started {
    lab.gnutls_serv("rsa", "--priority NORMAL:-VERS-TLS1.3:%DISABLE_SAFE_RENEGOTIATION")
}

/// Runs a client of a server without RFC 5746, and `tlswhy` on both, with and without the option that lets it go on; the lines say what
/// was not as it must be.
///
/// # Errors
/// The server or the client is not installed, or a file cannot be read or written.
pub fn run_legacy(lab: &Lab, binary: &Path, fix: &ClientFix) -> Result<Vec<String>, StartError> {
    is_there(fix)?;
    let server = (fix.server.0)(lab)?;
    let mut trial = Trial::new(binary, fix, Beside::new(&server, lab))?;
    trial.client(false, "before")?;
    let (status, report) = trial.checked()?;
    trial.said(status != Some(1) || report["root_cause"] != "legacy-renegotiation", || {
        format!("the check ends with {status:?}: {}", report["summary"])
    });
    for client in UNCONCERNED {
        let how = ["127.0.0.1:{port}", "--sni", NAME, "--ca", "{pki}/ca.pem", "--client", client];
        let (status, out, _) = trial.tlswhy(&how)?;
        trial.said(status != Some(0), || format!("for {client} the check ends with {status:?}: {out}"));
    }
    trial.put(&fix.file.1.replace("MiddleboxCompat", "MiddleboxCompat,UnsafeLegacyServerConnect"))?;
    trial.client(true, "with the option")?;
    trial.is_healthy("with the option")?;
    Ok(std::mem::take(&mut trial.wrong))
}
