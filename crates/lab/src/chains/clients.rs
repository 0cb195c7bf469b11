//! The clients: how each is found, and how it is asked for a verdict on every chain.

use std::collections::BTreeMap;
use std::io::{self, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use super::{Case, Chains, browsers, rustls_client};
use crate::server::{find_program, free_port};

/// What kind of program a client is: how it is driven.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `openssl s_client`.
    Openssl,
    /// `openssl s_client` at the security level of the upstream project.
    OpensslLevel1,
    /// `curl`.
    Curl,
    /// `wget`.
    Wget,
    /// `git`.
    Git,
    /// `gnutls-cli`.
    Gnutls,
    /// Python's `ssl` with its default context.
    Python,
    /// Python's `requests`.
    Requests,
    /// Python's `pyOpenSSL`, which stands for the OpenSSL in its wheel.
    Pyopenssl,
    /// Node.js, `tls.connect`.
    Node,
    /// Java, `SSLSocket` with end point identification.
    Java,
    /// Go, `crypto/tls`; the program is compiled.
    Go,
    /// PHP streams.
    Php,
    /// Ruby, `Net::HTTP`.
    Ruby,
    /// A C program with mbed TLS; it is compiled.
    Mbedtls,
    /// A C program with wolfSSL; it is compiled.
    Wolfssl,
    /// rustls with webpki, in this process.
    Rustls,
    /// Chromium.
    Chromium,
    /// Firefox.
    Firefox,
}

/// Word for the command line, kind, the command that says its version, and the profile for each version.
type Row = (&'static str, Kind, &'static str, &'static [(&'static str, &'static str)]);

/// Where the same program is wanted for several profiles, a row each.
const ROWS: &[Row] = &[
    ("openssl", Kind::OpensslLevel1, "openssl version", &[("OpenSSL 3.0.", "openssl-3.0")]),
    (
        "openssl-as-built",
        Kind::Openssl,
        "openssl version",
        &[("OpenSSL 1.1.1", "openssl-1.1.1"), ("OpenSSL 3.6.", "openssl-3.6"), ("OpenSSL 4.0.", "openssl-4.0")],
    ),
    (
        "curl",
        Kind::Curl,
        "curl -V",
        &[("OpenSSL/1.1.1", "curl-openssl-1.1.1"), ("OpenSSL/3.0.", "curl-openssl-3.0"), ("OpenSSL/3.6.", "curl-openssl-3.6")],
    ),
    ("wget", Kind::Wget, "wget --version", &[("Wget 1.21", "wget-1.21")]),
    ("git", Kind::Git, "/usr/bin/git --version", &[("git version 2.39", "git-2.39")]),
    ("gnutls", Kind::Gnutls, "gnutls-cli --version", &[("cli 3.7.", "gnutls-3.7"), ("cli 3.8.", "gnutls-3.8")]),
    (
        "python",
        Kind::Python,
        "python3 --version",
        &[("Python 3.8.", "python-3.8"), ("Python 3.11.", "python-3.11"), ("Python 3.14.", "python-3.14")],
    ),
    (
        "node",
        Kind::Node,
        "node --version",
        &[
            ("v10.", "node-10"),
            ("v14.", "node-14"),
            ("v20.", "node-20"),
            ("v22.", "node-22"),
            ("v24.", "node-24"),
            ("v26.", "node-26"),
        ],
    ),
    (
        "java",
        Kind::Java,
        "java --version",
        &[("openjdk 11.", "java-11"), ("openjdk 17.", "java-17"), ("openjdk 21.", "java-21"), ("openjdk 25.", "java-25")],
    ),
    (
        "go",
        Kind::Go,
        "go version",
        &[("go1.19.", "go-1.19"), ("go1.21.", "go-1.21"), ("go1.24.", "go-1.24"), ("go1.27.", "go-1.27")],
    ),
    ("php", Kind::Php, "php --version", &[("PHP 7.4.", "php-7.4"), ("PHP 8.2.", "php-8.2")]),
    ("ruby", Kind::Ruby, "ruby --version", &[("ruby 2.7.", "ruby-2.7"), ("ruby 3.1.", "ruby-3.1")]),
    ("mbedtls", Kind::Mbedtls, "gcc --version", &[("gcc", "mbedtls-2.28")]),
    ("wolfssl", Kind::Wolfssl, "gcc --version", &[("gcc", "wolfssl-5.5")]),
    ("rustls", Kind::Rustls, "", &[("", "rustls-0.23")]),
    ("chromium", Kind::Chromium, "chromium --version", &[("Chromium 156.", "chrome-156")]),
    ("firefox", Kind::Firefox, "firefox --version", &[("Firefox 153.", "firefox-153")]),
    // Only by `--also`: they need an environment of their own.
    ("requests", Kind::Requests, "-", &[]),
    ("pyopenssl", Kind::Pyopenssl, "-", &[]),
];

/// A client to be run.
#[derive(Clone, Debug)]
pub struct Client {
    /// The profile that describes it.
    pub profile: String,
    /// How it is driven.
    pub kind: Kind,
    /// The program, with what stands before it.
    pub command: Vec<String>,
}

/// What a client did with a chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// It completed the handshake.
    pub accepts: bool,
    /// What it said otherwise.
    pub text: String,
}

/// The clients of these kinds (none: all) that are on this machine, and why others are not run.
pub fn found(kinds: &[String]) -> (Vec<Client>, Vec<String>) {
    let (mut clients, mut skipped) = (Vec::new(), Vec::new());
    for (word, kind, version, profiles) in ROWS {
        if *version == "-" || !(kinds.is_empty() || kinds.iter().any(|wanted| wanted == word)) {
            continue;
        }
        if kinds.is_empty() && *kind == Kind::Chromium {
            skipped.push(format!("{word}: it takes two minutes, so only when it is named"));
            continue;
        }
        let words: Vec<&str> = version.split_whitespace().collect();
        let (program, said) = match words.split_first() {
            None => (String::new(), String::new()),
            Some((program, _)) if find_program(program).is_none() => {
                skipped.push(format!("{word}: {program} is not installed"));
                continue;
            }
            Some((program, arguments)) => ((*program).to_owned(), output(Command::new(program).args(arguments), "")),
        };
        match profiles.iter().find(|(version, _)| said.contains(version)) {
            Some((_, profile)) => {
                let command = if matches!(kind, Kind::Mbedtls | Kind::Wolfssl) { "gcc".to_owned() } else { program };
                clients.push(Client { profile: (*profile).to_owned(), kind: *kind, command: vec![command] });
            }
            None => skipped.push(format!("{word}: no profile for {}", said.lines().next().unwrap_or_default())),
        }
    }
    (clients, skipped)
}

impl Client {
    /// A client in words: `PROFILE=KIND:COMMAND`.
    pub fn parse(text: &str) -> Option<Client> {
        let (profile, rest) = text.split_once('=')?;
        let (kind, command) = rest.split_once(':')?;
        let (_, kind, _, _) = ROWS.iter().find(|(word, ..)| *word == kind)?;
        let command = command.split_whitespace().map(str::to_owned).collect();
        Some(Client { profile: profile.to_owned(), kind: *kind, command })
    }

    /// What it does with every chain, by the chain's name.
    ///
    /// # Errors
    /// Says why it cannot be run here.
    pub fn run(&self, chains: &Chains) -> Result<BTreeMap<String, Outcome>, String> {
        let dir = chains.dir();
        match self.kind {
            Kind::Openssl | Kind::OpensslLevel1 | Kind::Curl | Kind::Git | Kind::Gnutls => {
                Ok(chains.cases.iter().map(|case| (case.id.to_owned(), self.once(chains, case, 0))).collect())
            }
            Kind::Wget => {
                let proxy = Proxy::start().map_err(|error| error.to_string())?;
                Ok(chains.cases.iter().map(|case| (case.id.to_owned(), self.once(chains, case, proxy.port))).collect())
            }
            Kind::Python => self.script(chains, "driver.py", include_str!("drivers/driver.py"), &["ssl"]),
            Kind::Requests => self.script(chains, "driver.py", include_str!("drivers/driver.py"), &["requests"]),
            Kind::Pyopenssl => self.script(chains, "driver.py", include_str!("drivers/driver.py"), &["pyopenssl"]),
            Kind::Node => self.script(chains, "driver.js", include_str!("drivers/driver.js"), &[]),
            Kind::Java => self.script(chains, "Driver.java", include_str!("drivers/Driver.java"), &[]),
            Kind::Php => self.script(chains, "driver.php", include_str!("drivers/driver.php"), &[]),
            Kind::Ruby => self.script(chains, "driver.rb", include_str!("drivers/driver.rb"), &[]),
            Kind::Go => {
                let (source, program) = (dir.join("driver.go"), dir.join(format!("{}.program", self.profile)));
                std::fs::write(&source, include_str!("drivers/driver.go")).map_err(|error| error.to_string())?;
                build(self.words().arg("build").arg("-o").arg(&program).arg(&source))?;
                read(&output(&mut Command::new(&program), &chains.tasks()))
            }
            Kind::Mbedtls => {
                let libraries = ["-lmbedtls", "-lmbedx509", "-lmbedcrypto"];
                self.compiled(chains, "mbedtls.c", include_str!("drivers/mbedtls.c"), &libraries)
            }
            Kind::Wolfssl => self.compiled(chains, "wolfssl.c", include_str!("drivers/wolfssl.c"), &["-lwolfssl"]),
            Kind::Rustls => Ok(rustls_client::run(chains)),
            Kind::Chromium => browsers::chromium(chains, &self.command),
            Kind::Firefox => browsers::firefox(chains, &self.command),
        }
    }

    fn words(&self) -> Command {
        let (program, arguments) = self.command.split_first().map_or(("false", &[][..]), |(first, rest)| (first, rest));
        let mut command = Command::new(program);
        command.args(arguments);
        command
    }

    /// One program run a chain.
    fn once(&self, chains: &Chains, case: &Case, proxy: u16) -> Outcome {
        let (host, port) = (case.host, chains.port(case));
        let anchors = chains.anchors(case);
        let is_address = host.parse::<std::net::IpAddr>().is_ok();
        let mut command = self.words();
        let resolve = format!("{host}:{port}:127.0.0.1");
        let url = format!("https://{host}:{port}/");
        match self.kind {
            Kind::Curl => {
                command.args(["-sS", "-o", "/dev/null", "--capath", "/nonexistent", "--resolve", &resolve]);
                command.arg("--cacert").arg(&anchors).arg(&url);
            }
            Kind::Wget => {
                command.env("https_proxy", format!("http://127.0.0.1:{proxy}")).env_remove("no_proxy");
                command.args(["-nv", "-O", "/dev/null", "-t1", "-T5", "--no-hsts", "--ca-directory=/nonexistent"]);
                command.arg(format!("--ca-certificate={}", anchors.display())).arg(&url);
            }
            Kind::Git => {
                command.env("GIT_TERMINAL_PROMPT", "0").env("LC_ALL", "C").env("GIT_SSL_CAINFO", &anchors);
                command.args(["-c", &format!("http.curloptResolve={resolve}")]);
                command.args(["-c", &format!("http.sslCAInfo={}", anchors.display()), "ls-remote", &url]);
            }
            Kind::Gnutls => {
                command.arg("--x509cafile").arg(&anchors).args(["-p", &port.to_string(), "--verify-hostname", host]);
                if !is_address {
                    command.args(["--sni-hostname", host]);
                }
                command.arg("127.0.0.1");
            }
            _ => {
                command.args(["s_client", "-brief", "-verify_return_error", "-no-CApath", "-CAfile"]).arg(&anchors);
                command.args(["-connect", &format!("127.0.0.1:{port}")]);
                if self.kind == Kind::OpensslLevel1 {
                    command.args(["-cipher", "DEFAULT:@SECLEVEL=1"]);
                }
                if is_address {
                    command.args(["-verify_ip", host]);
                } else {
                    command.args(["-verify_hostname", host, "-servername", host]);
                }
            }
        }
        let (status, said) = finish(&mut command, "");
        let accepts = match self.kind {
            // The server knows no repository: how git comes to say so.
            Kind::Git => said.contains("not valid: is this a git repository") || said.contains("not found"),
            Kind::Gnutls => status && said.contains("Handshake was completed"),
            Kind::Openssl | Kind::OpensslLevel1 => status && said.contains("Verification: OK"),
            _ => status,
        };
        Outcome { accepts, text: gist(&said) }
    }

    /// A program that reads all tasks.
    fn script(&self, chains: &Chains, file: &str, text: &str, arguments: &[&str]) -> Result<BTreeMap<String, Outcome>, String> {
        let path = chains.dir().join(file);
        std::fs::write(&path, text).map_err(|error| error.to_string())?;
        read(&output(self.words().arg(&path).args(arguments), &chains.tasks()))
    }

    fn compiled(
        &self,
        chains: &Chains,
        file: &str,
        text: &str,
        libraries: &[&str],
    ) -> Result<BTreeMap<String, Outcome>, String> {
        let (source, program) = (chains.dir().join(file), chains.dir().join(format!("{}.program", self.profile)));
        std::fs::write(&source, text).map_err(|error| error.to_string())?;
        build(self.words().arg("-o").arg(&program).arg(&source).args(libraries))?;
        // What stands before the compiler, such as a chroot, stands before what it made.
        let mut words: Vec<String> = self.command.split_last().map_or_else(Vec::new, |(_, before)| before.to_vec());
        words.push(program.display().to_string());
        read(&output(&mut Client { command: words, ..self.clone() }.words(), &chains.tasks()))
    }
}

fn build(command: &mut Command) -> Result<(), String> {
    let (status, said) = finish(command, "");
    if status { Ok(()) } else { Err(said.lines().take(3).collect::<Vec<_>>().join(" ")) }
}

/// The lines of a driver.
fn read(said: &str) -> Result<BTreeMap<String, Outcome>, String> {
    let mut outcomes = BTreeMap::new();
    for line in said.lines() {
        let mut parts = line.splitn(3, '\t');
        if let (Some(id), Some(verdict @ ("ok" | "no")), text) = (parts.next(), parts.next(), parts.next()) {
            outcomes.insert(id.to_owned(), Outcome { accepts: verdict == "ok", text: gist(text.unwrap_or_default()) });
        }
    }
    if outcomes.is_empty() { Err(gist(said)) } else { Ok(outcomes) }
}

fn gist(said: &str) -> String {
    let line = said.split_whitespace().collect::<Vec<_>>().join(" ");
    line.chars().take(300).collect()
}

fn output(command: &mut Command, input: &str) -> String {
    finish(command, input).1
}

fn finish(command: &mut Command, input: &str) -> (bool, String) {
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let Ok(mut child) = command.spawn() else { return (false, "cannot be started".into()) };
    if let Some(mut pipe) = child.stdin.take() {
        let _ = pipe.write_all(input.as_bytes());
    }
    match child.wait_with_output() {
        Ok(output) => {
            let text = [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).join("\n");
            (output.status.success(), text)
        }
        Err(error) => (false, error.to_string()),
    }
}

/// A proxy (CONNECT) that leads every name to loopback, for a client that cannot be told an address.
struct Proxy {
    port: u16,
    ended: Arc<AtomicBool>,
}

impl Proxy {
    fn start() -> io::Result<Proxy> {
        let port = free_port();
        let listener = TcpListener::bind(("127.0.0.1", port))?;
        let ended = Arc::new(AtomicBool::new(false));
        let over = Arc::clone(&ended);
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                if over.load(Ordering::Relaxed) {
                    return;
                }
                thread::spawn(move || forward(client));
            }
        });
        Ok(Proxy { port, ended })
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.ended.store(true, Ordering::Relaxed);
        let _ = TcpStream::connect(("127.0.0.1", self.port));
    }
}

fn forward(mut client: TcpStream) -> io::Result<()> {
    let (mut request, mut byte) = (Vec::new(), [0]);
    while !request.ends_with(b"\r\n\r\n") && request.len() < 4096 && client.read(&mut byte)? > 0 {
        request.extend(byte);
    }
    let text = String::from_utf8_lossy(&request).into_owned();
    let target = text.split_whitespace().nth(1).and_then(|target| target.rsplit_once(':'));
    let port = target.and_then(|(_, port)| port.parse::<u16>().ok()).ok_or_else(|| io::Error::other("no port"))?;
    let mut server = TcpStream::connect(("127.0.0.1", port))?;
    client.write_all(b"HTTP/1.1 200 OK\r\n\r\n")?;
    let (mut from_server, mut to_client) = (server.try_clone()?, client.try_clone()?);
    thread::spawn(move || {
        let _ = io::copy(&mut from_server, &mut to_client);
        let _ = to_client.shutdown(std::net::Shutdown::Both);
    });
    let _ = io::copy(&mut client, &mut server);
    server.shutdown(std::net::Shutdown::Both)
}
