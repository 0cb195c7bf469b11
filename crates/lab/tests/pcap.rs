//! `tlswhy pcap --live` beside real clients that fail before the lab's servers: what may be told of a connection that was only watched is
//! the cause that `check` finds, or less, and never confidently another.

#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, reason = "what fails here is the test")]

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::thread;
use std::time::Duration;

use serde_json::Value;
use tlswhy_lab::real_client::s_client;
use tlswhy_lab::runner::find_binary;
use tlswhy_lab::server::StartError;
use tlswhy_lab::{Lab, SCENARIOS, Scenario};

/// How many are watched at a time.
const AT_ONCE: usize = 4;

/// Where nothing comes by, or where the cause lies in a file.
const UNSEEN: [&str; 5] = ["connect-timeout", "dns-failure", "config-shadowed", "client-policy-restricts", "undetermined"];

/// What was told of one scenario.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Told {
    Right,
    /// The right one, as a suspicion.
    Suspected,
    /// Open, with the right one among those that the questions decide.
    Open,
    /// Open, or no failure seen.
    Nothing,
    /// Another one, as a suspicion.
    OtherSuspected,
    Wrong,
}

/// One scenario of each cause: what a short test has time for.
#[test]
fn no_cause_is_told_confidently_that_is_not_there() {
    let mut seen = BTreeMap::new();
    for scenario in SCENARIOS.iter() {
        seen.entry(scenario.group).or_insert(*scenario);
    }
    watch_all(&seen.into_values().collect::<Vec<_>>());
}

/// All of them: minutes. `.ci/full` runs it.
#[test]
#[ignore = "takes minutes"]
fn no_cause_is_told_confidently_that_is_not_there_in_any_scenario() {
    watch_all(&SCENARIOS);
}

fn watch_all(scenarios: &[&'static Scenario]) {
    let lab = Lab::new().unwrap();
    let binary = find_binary().unwrap();
    let permitted = Watched::begin(&binary, "127.0.0.1", None);
    if permitted.is_none() {
        let _ = writeln!(std::io::stderr(), "skipped: capturing is not permitted (CAP_NET_RAW)");
        return;
    }
    drop(permitted);
    let _turn = lab.turn();
    // What a URL makes of a target the real client does not do: it begins without STARTTLS.
    let comes_by = |scenario: &&&Scenario| {
        !UNSEEN.contains(&scenario.group) && scenario.firewall.is_none() && !scenario.target.contains("://")
    };
    let left = Mutex::new(scenarios.iter().filter(comes_by));
    let table = Mutex::new(BTreeMap::new());
    thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                while let Some(scenario) = { left.lock().unwrap().next() } {
                    match watch(&lab, &binary, scenario) {
                        Ok(told) => _ = table.lock().unwrap().insert(scenario.id, told),
                        Err(StartError::Missing(what)) => _ = writeln!(std::io::stderr(), "skipped {}: {what}", scenario.id),
                        Err(StartError::Failed(why)) => _ = writeln!(std::io::stderr(), "{} did not start: {why}", scenario.id),
                    }
                }
            });
        }
    });
    let table = table.into_inner().unwrap();
    let mut counts: BTreeMap<Told, u32> = BTreeMap::new();
    let (mut text, mut wrong) = (String::new(), String::new());
    for (id, (told, says)) in &table {
        *counts.entry(*told).or_default() += 1;
        writeln!(text, "{told:?} {id}: {says}").unwrap();
        if *told == Told::Wrong {
            writeln!(wrong, "{id}: {says}").unwrap();
        }
    }
    let _ = writeln!(std::io::stderr(), "{text}{counts:?}");
    assert!(wrong.is_empty(), "{wrong}");
    assert!(counts.get(&Told::Right).is_some_and(|right| *right >= 5), "nearly nothing was seen: {counts:?}");
}

/// A capture under way.
struct Watched(std::process::Child);

impl Watched {
    /// `None` where it is not permitted.
    fn begin(binary: &Path, server: &str, ca: Option<&str>) -> Option<Watched> {
        let mut command = Command::new(binary);
        command.args(["pcap", "--live", "lo", "--format", "json", "--server", server]);
        command.args(ca.into_iter().flat_map(|ca| ["--ca", ca]));
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut first = String::new();
        BufReader::new(child.stderr.as_mut().unwrap()).read_line(&mut first).unwrap();
        let watched = Watched(child);
        first.contains("watching").then_some(watched)
    }

    /// Ends it as a user does.
    fn end(mut self) -> Vec<Value> {
        Command::new("kill").args(["-INT", &self.0.id().to_string()]).status().unwrap();
        let mut text = String::new();
        self.0.stdout.take().unwrap().read_to_string(&mut text).unwrap();
        self.0.wait().unwrap();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn watch(lab: &Lab, binary: &Path, scenario: &Scenario) -> Result<(Told, String), StartError> {
    let server = (scenario.start)(lab)?;
    let ca = scenario.ca.replace("{pki}", &server.pki(lab).display().to_string());
    let watched = Watched::begin(binary, &format!("127.0.0.1:{}", server.port), Some(&ca)).unwrap();
    let strict = if scenario.seen.like.starts_with("curl") {
        scenario.seen.like.to_owned()
    } else {
        format!("{} -verify_return_error -verify_hostname good.example.test", scenario.seen.like)
    };
    let said = s_client(lab, scenario, &server, &strict);
    drop(server);
    // What is on its way arrives.
    thread::sleep(Duration::from_millis(300));
    let documents = watched.end();
    said?;
    Ok(told(scenario, &documents))
}

fn told(scenario: &Scenario, documents: &[Value]) -> (Told, String) {
    let wanted: Vec<&str> =
        [scenario.causes].into_iter().chain(scenario.or_causes.iter().copied()).flatten().copied().collect();
    let reports: Vec<&Value> = documents.iter().filter(|document| document["format"] == "tlswhy-report").collect();
    let blocking = |report: &&Value| -> Vec<(String, bool)> {
        let findings = report["findings"].as_array().into_iter().flatten();
        let finding =
            |finding: &Value| (finding["cause"].as_str().unwrap_or_default().to_owned(), finding["confidence"] == "suspected");
        findings.filter(|finding| finding["impact"] == "blocks").map(finding).collect()
    };
    let found: Vec<(String, bool)> = reports.iter().flat_map(blocking).collect();
    let open: Vec<&str> = reports
        .iter()
        .flat_map(|report| report["open_questions"].as_array().into_iter().flatten())
        .flat_map(|question| question["decides"].as_array().into_iter().flatten())
        .filter_map(Value::as_str)
        .collect();
    let is_right = |(cause, _): &&(String, bool)| wanted.contains(&cause.as_str());
    let told = match found.iter().find(|one| !is_right(one)) {
        Some((_, false)) => Told::Wrong,
        Some((_, true)) => Told::OtherSuspected,
        None if found.iter().any(|(_, suspected)| !suspected) => Told::Right,
        None if !found.is_empty() => Told::Suspected,
        None if wanted.is_empty() && reports.is_empty() => Told::Right,
        None if open.iter().any(|cause| wanted.contains(cause)) => Told::Open,
        None => Told::Nothing,
    };
    let outcomes: Vec<&str> = documents.iter().filter_map(|document| document["handshake"]["outcome"].as_str()).collect();
    (told, format!("wanted {wanted:?}, found {found:?}, open {open:?}, ended {outcomes:?}"))
}
