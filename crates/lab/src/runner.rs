//! Runs scenarios, several at a time, and compares.

use std::collections::VecDeque;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::real_client;
use crate::scenario::Scenario;
use crate::server::{Lab, Server, StartError, find_program, is_root, target_dir};

/// How many scenarios run at the same time: gentle to two cores.
const AT_ONCE: usize = 4;
/// Longest that `tlswhy` may take; it has its own time-outs.
const LIMIT: Duration = Duration::from_secs(60);

/// What became of one scenario.
#[derive(Clone, Debug)]
pub struct Ran {
    /// Its id.
    pub id: &'static str,
    /// The result.
    pub verdict: Verdict,
    /// What was said, for the table and for failure messages.
    pub got: Got,
}

/// Whether all was as expected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// As expected.
    Good,
    /// Something needed is not installed.
    Skipped(String),
    /// What differs, one line each.
    Bad(Vec<String>),
}

/// What `tlswhy` reported.
#[derive(Clone, Debug, Default)]
pub struct Got {
    /// `outcome`.
    pub outcome: String,
    /// Causes of the findings with impact `blocks`, in order.
    pub causes: Vec<String>,
    /// All other causes.
    pub others: Vec<String>,
    /// `cost.connections`.
    pub connections: u64,
    /// `cost.rounds`.
    pub rounds: u64,
    /// `cost.elapsed_ms`, or measured.
    pub elapsed_ms: u64,
    /// `summary`, or the error.
    pub summary: String,
    /// All that the report says, without the evidence, in lower case.
    pub text: String,
}

/// Runs `tlswhy` (the program at `binary`) over the scenarios; results in their order.
pub fn run_all(lab: &Lab, binary: &Path, scenarios: &[&'static Scenario]) -> Vec<Ran> {
    in_parallel(lab, scenarios, |scenario| {
        let (verdict, got) = match run_one(lab, binary, scenario) {
            Ok(got) => (compare(scenario, &got), got),
            Err(error) => (verdict_of(error), Got::default()),
        };
        Ran { id: scenario.id, verdict, got }
    })
}

/// Proves with `openssl s_client` that the servers are broken as their scenarios say, and only so.
pub fn prove_all(lab: &Lab, scenarios: &[&'static Scenario]) -> Vec<Ran> {
    in_parallel(lab, scenarios, |scenario| {
        let verdict = prove(lab, scenario).unwrap_or_else(verdict_of);
        Ran { id: scenario.id, verdict, got: Got::default() }
    })
}

/// The scenarios that went wrong, as one text; skipped ones are printed.
pub fn failures(ran: &[Ran]) -> String {
    let mut text = String::new();
    for Ran { id, verdict, got } in ran {
        match verdict {
            Verdict::Good => {}
            Verdict::Skipped(why) => {
                // Not by the macro, whose output the test harness hides where a test passes.
                let _ = writeln!(io::stderr(), "skipped {id}: {why}");
            }
            Verdict::Bad(lines) => {
                text += &format!("\n{id}\n    {}\n", lines.join("\n    "));
                if !got.summary.is_empty() {
                    text += &format!("    it says: {}\n", got.summary);
                }
            }
        }
    }
    text
}

/// The `tlswhy` program: `TLSWHY_BIN`, or what cargo builds (anew, if the sources changed).
pub fn find_binary() -> Result<PathBuf, StartError> {
    if let Some(path) = std::env::var_os("TLSWHY_BIN") {
        return Ok(path.into());
    }
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../Cargo.toml");
    let built = Command::new(cargo)
        .args(["build", "--quiet", "-p", "tlswhy", "--manifest-path"])
        .arg(manifest)
        .status()
        .map_err(StartError::of)?;
    if !built.success() {
        return Err(StartError::Failed("tlswhy does not build".into()));
    }
    Ok(target_dir().map_err(StartError::of)?.join("debug/tlswhy"))
}

fn verdict_of(error: StartError) -> Verdict {
    match error {
        StartError::Missing(what) => Verdict::Skipped(what),
        StartError::Failed(why) => Verdict::Bad(vec![why]),
    }
}

/// Several at a time, and nothing else of the lab on this machine meanwhile: tests in threads and processes wait.
fn in_parallel(lab: &Lab, scenarios: &[&'static Scenario], work: impl Fn(&'static Scenario) -> Ran + Sync) -> Vec<Ran> {
    let queue: Mutex<VecDeque<(usize, &'static Scenario)>> = Mutex::new(scenarios.iter().copied().enumerate().collect());
    let done: Mutex<Vec<(usize, Ran)>> = Mutex::new(Vec::new());
    let _turn = lab.turn();
    thread::scope(|scope| {
        for _ in 0..AT_ONCE.min(scenarios.len()) {
            scope.spawn(|| {
                while let Some((index, scenario)) = queue.lock().ok().and_then(|mut queue| queue.pop_front()) {
                    let ran = work(scenario);
                    if let Ok(mut done) = done.lock() {
                        done.push((index, ran));
                    }
                }
            });
        }
    });
    let mut done = done.into_inner().unwrap_or_default();
    done.sort_by_key(|(index, _)| *index);
    done.into_iter().map(|(_, ran)| ran).collect()
}

/// Runs `tlswhy` once against a fresh server.
pub fn run_one(lab: &Lab, binary: &Path, scenario: &Scenario) -> Result<Got, StartError> {
    let server = (scenario.start)(lab)?;
    let arguments = scenario.arguments(server.port, server.pki(lab), &server.dir());
    let mut command = match scenario.firewall {
        None if !scenario.clock.is_empty() => at_another_time(scenario.clock, binary)?,
        None => Command::new(binary),
        Some(rules) => in_namespace(rules, binary)?,
    };
    command.args(&arguments).stdin(Stdio::null());
    let start = Instant::now();
    let output = Command::new("timeout")
        .arg(LIMIT.as_secs().to_string())
        .arg(command.get_program())
        .args(command.get_args())
        .stdin(Stdio::null())
        .output()
        .map_err(StartError::of)?;
    let elapsed = start.elapsed();
    drop(server);

    let said = format!(
        "tlswhy {} ended with {}: {}",
        arguments.join(" "),
        output.status,
        String::from_utf8_lossy(&output.stderr).trim()
    );
    let report: Value = serde_json::from_slice(&output.stdout).map_err(|_| StartError::Failed(said))?;
    let mut got = Got::of_report(&report);
    if got.elapsed_ms == 0 {
        got.elapsed_ms = u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX);
    }
    let expected_exit = match (got.outcome.as_str(), got.causes.is_empty()) {
        (_, false) => 1,
        ("fails" | "undetermined", true) => 3,
        _ => 0,
    };
    if output.status.code() != Some(expected_exit) {
        got.summary = format!("[exit status {:?} instead of {expected_exit}] {}", output.status.code(), got.summary);
    }
    Ok(got)
}

/// A command prefix under which a program sees another time.
fn at_another_time(clock: &str, program: &Path) -> Result<Command, StartError> {
    let mut command = Command::new(find_program("faketime").ok_or_else(|| StartError::Missing("faketime".into()))?);
    command.args(["-m", "-f", clock]).arg(program);
    Ok(command)
}

/// A command prefix that runs a program in a network namespace with these rules of `nft` and nothing but loopback.
fn in_namespace(rules: &str, program: &Path) -> Result<Command, StartError> {
    let script =
        format!("ip link set lo up && {{ [ -z \"$RULES\" ] || nft \"$RULES\"; }} && exec {} \"$@\"", program.display());
    let namespace = |script: &str| {
        let mut command = Command::new("unshare");
        if !is_root() {
            command.args(["--user", "--map-root-user"]);
        }
        command.args(["--net", "sh", "-c"]);
        command.arg(format!("RULES='{rules}'; {script}")).arg("sh");
        command
    };
    let works = namespace("ip link set lo up && { [ -z \"$RULES\" ] || nft \"$RULES\"; }").output();
    match works {
        Ok(output) if output.status.success() => Ok(namespace(&script)),
        Ok(output) => {
            Err(StartError::Missing(format!("network namespaces with nft: {}", String::from_utf8_lossy(&output.stderr).trim())))
        }
        Err(error) => Err(StartError::Missing(format!("unshare: {error}"))),
    }
}

impl Got {
    /// What matters of a report.
    pub fn of_report(report: &Value) -> Got {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let empty = Vec::new();
        let findings = report["findings"].as_array().unwrap_or(&empty);
        let (blocking, others): (Vec<&Value>, Vec<&Value>) = findings.iter().partition(|finding| finding["impact"] == "blocks");
        let codes = |list: &[&Value]| list.iter().map(|finding| text(&finding["cause"])).collect::<Vec<_>>();
        let cost = |name: &str| report["cost"][name].as_u64().unwrap_or_default();
        let mut summary = text(&report["summary"]);
        let root = text(&report["root_cause"]);
        if root != codes(&blocking).first().cloned().unwrap_or_default() {
            summary = format!("[root_cause is {root:?}, not the first blocking finding] {summary}");
        }
        Got {
            outcome: text(&report["outcome"]),
            causes: codes(&blocking),
            others: codes(&others),
            connections: cost("connections"),
            rounds: cost("rounds"),
            elapsed_ms: cost("elapsed_ms"),
            summary,
            text: ["summary", "findings", "notices", "chain", "open_questions"]
                .map(|part| report[part].to_string().to_lowercase())
                .join("\n"),
        }
    }
}

/// What differs from the scenario's expectation.
pub fn compare(scenario: &Scenario, got: &Got) -> Verdict {
    let mut differs = Vec::new();
    if !scenario.outcomes.contains(&got.outcome.as_str()) {
        differs.push(format!("outcome {}, expected {}", got.outcome, scenario.outcomes.join(" or ")));
    }
    if got.causes != scenario.causes && !scenario.or_causes.iter().any(|other| got.causes == *other) {
        differs.push(format!("blocking findings {:?}, expected {:?}", got.causes, scenario.causes));
    }
    for cause in got.causes.iter().chain(&got.others) {
        if scenario.forbidden.contains(&cause.as_str()) {
            differs.push(format!("{cause} must not be found"));
        }
    }
    for words in scenario.mentions {
        if !got.text.contains(&words.to_lowercase()) {
            differs.push(format!("the report does not say {words:?}"));
        }
    }
    let (connections, rounds) = scenario.budget;
    if got.connections > connections || got.rounds > rounds {
        differs.push(format!("{} connections in {} rounds, allowed {connections} and {rounds}", got.connections, got.rounds));
    }
    if got.summary.starts_with('[') {
        differs.push("exit status or root_cause does not fit the findings".into());
    }
    if differs.is_empty() { Verdict::Good } else { Verdict::Bad(differs) }
}

/// Meets the scenario's server with `openssl s_client`.
pub fn prove(lab: &Lab, scenario: &Scenario) -> Result<Verdict, StartError> {
    let server = (scenario.start)(lab)?;
    let mut differs = Vec::new();
    let seen = scenario.seen;
    if scenario.firewall.is_none() && scenario.target.starts_with("127.") {
        let said = real_client::s_client(lab, scenario, &server, seen.like)?;
        if seen.says.is_empty() {
            if !said.works() {
                differs.push(format!("ought to work: {}\n      {}", said.command, said.gist()));
            }
        } else if !said.output.contains(seen.says) {
            differs.push(format!("ought to say {:?}: {}\n      {}", seen.says, said.command, said.gist()));
        } else if said.works() {
            differs.push(format!("works: {}", said.command));
        }
    }
    if let Some(args) = seen.works_with {
        let said = real_client::s_client(lab, scenario, &server, args)?;
        if !said.works() {
            differs.push(format!("ought to work: {}\n      {}", said.command, said.gist()));
        }
    }
    drop::<Server>(server);
    Ok(if differs.is_empty() { Verdict::Good } else { Verdict::Bad(differs) })
}
