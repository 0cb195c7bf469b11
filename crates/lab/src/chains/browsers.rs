//! Browsers: one run each, which visits every chain, with all anchors in its own store.

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::{Case, Chains, Outcome};
use crate::server::{find_program, free_port};

type Outcomes = Result<BTreeMap<String, Outcome>, String>;

/// How long a browser may take to start.
const START: Duration = Duration::from_secs(20);
/// How long it may take for one answer.
const PATIENCE: Duration = Duration::from_secs(15);

/// Chromium by its DevTools protocol, over standard input and output.
pub(super) fn chromium(chains: &Chains, command: &[String]) -> Outcomes {
    let home = chains.dir().join("chromium");
    store(chains, &home.join(".pki/nssdb"))?;
    let program = command.first().map_or("chromium", String::as_str);
    // DevTools speaks on descriptors 3 and 4.
    let script = format!(
        "exec {program} --headless=new --no-sandbox --disable-gpu --no-first-run --disable-background-networking \
         --disable-component-update --user-data-dir='{}/data' --host-resolver-rules='MAP *.test 127.0.0.1' \
         --remote-debugging-pipe about:blank 3<&0 4>&1 >/dev/null 2>/dev/null",
        home.display()
    );
    let mut shell = Command::new("timeout");
    shell.args(["120", "sh", "-c", &script]).env("HOME", &home).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = shell.spawn().map_err(|error| error.to_string())?;
    let pipes = (child.stdin.take(), child.stdout.take());
    let _ended = Ended(child);
    let (Some(input), Some(output)) = pipes else { return Err("no pipes".into()) };
    let mut tools = DevTools { input: Box::new(input), output: BufReader::new(Box::new(output)), number: 0 };
    let target = tools.ask(None, "Target.createTarget", json!({"url": "about:blank"}))?;
    let attach = json!({"targetId": target["targetId"], "flatten": true});
    let session = tools.ask(None, "Target.attachToTarget", attach)?["sessionId"].as_str().unwrap_or_default().to_owned();
    let mut outcomes = BTreeMap::new();
    for case in &chains.cases {
        let answer = tools.ask(Some(&session), "Page.navigate", json!({"url": url(chains, case)}))?;
        let text = answer["errorText"].as_str().unwrap_or_default().to_owned();
        outcomes.insert(case.id.to_owned(), Outcome { accepts: text.is_empty(), text });
    }
    Ok(outcomes)
}

/// Firefox by Marionette.
pub(super) fn firefox(chains: &Chains, command: &[String]) -> Outcomes {
    let profile = chains.dir().join("firefox");
    store(chains, &profile)?;
    let port = free_port();
    let mut hosts: Vec<&str> = chains.cases.iter().map(|case| case.host).filter(|host| host.ends_with(".test")).collect();
    hosts.sort_unstable();
    hosts.dedup();
    let settings = [
        ("marionette.port", json!(port)),
        ("network.dns.localDomains", json!(hosts.join(","))),
        ("network.proxy.type", json!(0)),
        ("network.captive-portal-service.enabled", json!(false)),
        ("network.connectivity-service.enabled", json!(false)),
        ("services.settings.server", json!("data:,")),
        ("datareporting.policy.dataSubmissionEnabled", json!(false)),
    ];
    let lines: String = settings.iter().map(|(name, value)| format!("user_pref({}, {value});\n", json!(name))).collect();
    fs::write(profile.join("user.js"), lines).map_err(|error| error.to_string())?;
    let program = command.first().map_or("firefox", String::as_str);
    let mut run = Command::new("timeout");
    run.args(["120", program, "--headless", "--marionette", "--no-remote", "--profile"]).arg(&profile).env("HOME", &profile);
    let child = run.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
    let _ended = Ended(child.map_err(|error| error.to_string())?);
    let started = Instant::now();
    let stream = loop {
        match TcpStream::connect(("127.0.0.1", port)) {
            Ok(stream) => break stream,
            Err(error) if started.elapsed() > START => return Err(error.to_string()),
            Err(_) => thread::sleep(Duration::from_millis(100)),
        }
    };
    stream.set_read_timeout(Some(PATIENCE)).map_err(|error| error.to_string())?;
    let mut marionette = Marionette { stream, number: 0 };
    marionette.read()?;
    marionette.ask("WebDriver:NewSession", json!({"capabilities": {"alwaysMatch": {"acceptInsecureCerts": false}}}))?;
    let mut outcomes = BTreeMap::new();
    for case in &chains.cases {
        let answer = marionette.ask("WebDriver:Navigate", json!({"url": url(chains, case)}))?;
        let error = answer.get(2).cloned().unwrap_or_default();
        let text = format!("{} {}", error["error"].as_str().unwrap_or_default(), error["message"].as_str().unwrap_or_default());
        outcomes
            .insert(case.id.to_owned(), Outcome { accepts: error.is_null(), text: text.trim().chars().take(300).collect() });
    }
    Ok(outcomes)
}

fn url(chains: &Chains, case: &Case) -> String {
    format!("https://{}:{}/", case.host, chains.port(case))
}

/// A store of NSS with every anchor: an end entity is trusted as a peer, everything else as an authority.
fn store(chains: &Chains, dir: &Path) -> Result<(), String> {
    find_program("certutil").ok_or("certutil is not installed")?;
    fs::create_dir_all(dir).map_err(|error| error.to_string())?;
    let certutil = |arguments: &[&str]| {
        let database = format!("sql:{}", dir.display());
        let output = Command::new("certutil").args(arguments).args(["-d", &database]).output();
        output.map(drop).map_err(|error| error.to_string())
    };
    certutil(&["-N", "--empty-password"])?;
    for case in &chains.cases {
        for (number, anchor) in case.anchors.iter().enumerate() {
            let file = dir.join("anchor.der");
            fs::write(&file, anchor).map_err(|error| error.to_string())?;
            let trust = if case.sent.first() == Some(anchor) { "P,," } else { "C,," };
            let name = format!("{} {number}", case.id);
            certutil(&["-A", "-n", &name, "-t", trust, "-i", &file.display().to_string()])?;
        }
    }
    Ok(())
}

/// Ends the browser, and what it started: `timeout` passes the signal on.
struct Ended(Child);

impl Drop for Ended {
    fn drop(&mut self) {
        let _ = Command::new("kill").arg(self.0.id().to_string()).status();
        let _ = self.0.wait();
    }
}

struct DevTools {
    input: Box<dyn Write>,
    output: BufReader<Box<dyn Read>>,
    number: u64,
}

impl DevTools {
    fn ask(&mut self, session: Option<&str>, method: &str, parameters: Value) -> Result<Value, String> {
        self.number += 1;
        let mut message = json!({"id": self.number, "method": method, "params": parameters});
        if let Some(session) = session {
            message["sessionId"] = json!(session);
        }
        self.input.write_all(format!("{message}\0").as_bytes()).map_err(|error| error.to_string())?;
        self.input.flush().map_err(|error| error.to_string())?;
        loop {
            let mut bytes = Vec::new();
            let read = std::io::BufRead::read_until(&mut self.output, 0, &mut bytes).map_err(|error| error.to_string())?;
            if read == 0 {
                return Err(format!("it ended before it answered {method}"));
            }
            bytes.pop();
            let answer: Value = serde_json::from_slice(&bytes).map_err(|error| error.to_string())?;
            if answer["id"] == json!(self.number) {
                return Ok(answer["result"].clone());
            }
        }
    }
}

struct Marionette {
    stream: TcpStream,
    number: u64,
}

impl Marionette {
    fn ask(&mut self, command: &str, parameters: Value) -> Result<Value, String> {
        self.number += 1;
        let text = json!([0, self.number, command, parameters]).to_string();
        write!(self.stream, "{}:{text}", text.len()).map_err(|error| error.to_string())?;
        self.read()
    }

    /// One message: its length in decimal, a colon, JSON.
    fn read(&mut self) -> Result<Value, String> {
        let (mut length, mut byte) = (0_usize, [0]);
        loop {
            self.stream.read_exact(&mut byte).map_err(|error| error.to_string())?;
            match byte {
                [b':'] => break,
                [digit @ b'0'..=b'9'] if length < 10_000_000 => length = length * 10 + usize::from(digit - b'0'),
                _ => return Err("not Marionette".into()),
            }
        }
        let mut text = vec![0; length];
        self.stream.read_exact(&mut text).map_err(|error| error.to_string())?;
        serde_json::from_slice(&text).map_err(|error| error.to_string())
    }
}
