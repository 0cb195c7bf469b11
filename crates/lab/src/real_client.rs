//! What real clients say of a server: `openssl s_client` for the proof, `curl` and `gnutls-cli` for the eye.

use std::io::{Read, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use crate::scenario::Scenario;
use crate::server::{Lab, Server, StartError};

/// How long a client may take: longer than any server here, shorter than a peer that stays silent.
const LIMIT: Duration = Duration::from_secs(4);

/// Added to the output of a client that still waited when its time was over.
pub const SILENCE: &str = "(silence)";

/// What a client printed, both streams.
#[derive(Clone, Debug)]
pub struct Said {
    /// The command, to be tried by hand.
    pub command: String,
    /// All that it printed.
    pub output: String,
}

impl Said {
    /// Whether a handshake was completed, the certificate trusted, and the server content with it.
    pub fn works(&self) -> bool {
        let text = &self.output;
        let agreed = text.lines().any(|line| line.contains(", Cipher is ") && !line.contains("(NONE)"));
        // After an upgrade no request is made: a server that then closes without close_notify is no fault.
        let upgraded = self.command.contains("-starttls");
        let errors =
            text.lines().filter(|line| line.contains(":error:") && !(upgraded && line.contains("unexpected eof"))).count();
        let answered = ["HTTP/1.0 200", "HTTP/1.1 200", "HTTP/2 200"].iter().any(|line| text.contains(line));
        if self.command.starts_with("curl") {
            return answered;
        }
        agreed && text.contains("Verify return code: 0 (ok)") && (answered || errors == 0) && !text.contains("400 Bad Request")
    }

    /// The lines that matter, shortened.
    pub fn gist(&self) -> String {
        let mut lines: Vec<String> = Vec::new();
        for line in self.output.lines() {
            let error = line.split(":error:").nth(1).map(|error| {
                let fields: Vec<&str> = error.split(':').collect();
                fields.iter().take(4).copied().collect::<Vec<_>>().join(":")
            });
            let interesting = [
                ", Cipher is ",
                "Verify return code",
                "HTTP/1.",
                "errno",
                "*** ",
                SILENCE,
                "curl:",
                "Description",
                "Peer Temp",
                "Server Temp",
            ]
            .iter()
            .any(|mark| line.contains(mark));
            let line = error.or_else(|| interesting.then(|| line.trim().to_owned()));
            if let Some(line) = line.filter(|line| !lines.contains(line)) {
                lines.push(line);
            }
        }
        lines.join(" | ")
    }
}

/// Runs `openssl s_client` (or, after the word `old`, that of 1.1.0i, or after `curl` that client) with a scenario's target.
pub fn s_client(lab: &Lab, scenario: &Scenario, server: &Server, args: &str) -> Result<Said, StartError> {
    if let Some(rest) = args.strip_prefix("curl") {
        return curl(lab, server, rest);
    }
    let (program, args) = match args.strip_prefix("old") {
        Some(rest) => (lab.old_openssl()?.display().to_string(), rest),
        None => ("openssl".to_owned(), args),
    };
    let sni = match scenario.server_name {
        "none" | "" => "-noservername".to_owned(),
        name => format!("-servername {name}"),
    };
    let sni = if args.contains("-servername") || args.contains("-noservername") { String::new() } else { sni };
    let line = format!("s_client -connect 127.0.0.1:{} {sni} -CAfile {} {args}", server.port, scenario.ca);
    let line = line.replace("{pki}", &server.pki(lab).display().to_string());
    let mut command = Command::new(&program);
    command.args(line.split_whitespace());
    if program != "openssl" {
        command.env("OPENSSL_CONF", "/dev/null");
    }
    let output = run(&mut command, "GET / HTTP/1.0\r\nHost: good.example.test\r\n\r\n", |said| {
        // The answer to the request, or for other protocols the certificate's verdict, ends the wait.
        said.contains("HTTP/1.") || (args.contains("-starttls") && said.contains("Verify return code"))
    })?;
    Ok(Said { command: format!("{program} {line}"), output })
}

/// What `curl` says of an HTTPS server, with these further arguments.
pub fn curl(lab: &Lab, server: &Server, args: &str) -> Result<Said, StartError> {
    let line = format!(
        "-sSi --max-time 4 --resolve good.example.test:{0}:127.0.0.1 --cacert {1}/ca.pem https://good.example.test:{0}/{args}",
        server.port,
        server.pki(lab).display()
    );
    let output = run(Command::new("curl").args(line.split_whitespace()), "", |_| false)?;
    Ok(Said { command: format!("curl {line}"), output })
}

/// What `gnutls-cli` says.
pub fn gnutls_cli(lab: &Lab, server: &Server) -> Result<Said, StartError> {
    let line = format!(
        "--no-starttls-proto -p {} --sni-hostname good.example.test --verify-hostname good.example.test --x509cafile {}/ca.pem 127.0.0.1",
        server.port,
        server.pki(lab).display()
    );
    let line = line.replace("--no-starttls-proto ", "");
    let output =
        run(Command::new("gnutls-cli").args(line.split_whitespace()), "", |said| said.contains("Handshake was completed"))?;
    Ok(Said { command: format!("gnutls-cli {line}"), output })
}

/// Runs a command with this input; ends it at the limit, or a moment after `enough` is true of its output.
fn run(command: &mut Command, input: &str, enough: impl Fn(&str) -> bool) -> Result<String, StartError> {
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|error| StartError::Missing(format!("{}: {error}", Path::new(command.get_program()).display())))?;
    let said = Arc::new(Mutex::new(Vec::new()));
    let readers =
        [child.stdout.take().map(|stream| collect(stream, &said)), child.stderr.take().map(|stream| collect(stream, &said))];
    let mut stdin = child.stdin.take();
    if let Some(stdin) = &mut stdin {
        let _ = stdin.write_all(input.as_bytes());
    }
    let text = || said.lock().map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).unwrap_or_default();
    let start = Instant::now();
    let mut ends = start + LIMIT;
    let mut silence = true;
    while Instant::now() < ends && silence {
        if ended(&mut child) {
            silence = false;
        } else if enough(&text()) {
            ends = ends.min(Instant::now() + Duration::from_millis(150));
        }
        thread::sleep(Duration::from_millis(10));
    }
    let _ = child.kill();
    let _ = child.wait();
    for reader in readers.into_iter().flatten() {
        let _ = reader.join();
    }
    let silence = if silence && !enough(&text()) { SILENCE } else { "" };
    Ok(text() + silence)
}

fn ended(child: &mut Child) -> bool {
    !matches!(child.try_wait(), Ok(None))
}

fn collect(mut stream: impl Read + Send + 'static, into: &Arc<Mutex<Vec<u8>>>) -> thread::JoinHandle<()> {
    let into = Arc::clone(into);
    thread::spawn(move || {
        let mut buffer = [0; 4096];
        while let Ok(count @ 1..) = stream.read(&mut buffer) {
            if let Ok(mut into) = into.lock() {
                into.extend_from_slice(buffer.get(..count).unwrap_or_default());
            }
        }
    })
}
