//! Starts the program of each case, measures, compares.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::case::Case;
use super::compare::{Difference, differences};
use super::measure::Measurer;
use super::measured::Measured;
use super::predict::{Forecast, predict};
use crate::server::{Lab, StartError};

/// The disagreements that are known, with the reason: `ID LABEL WHAT REASON`, one a line.
const MISMATCHES: &str = include_str!("mismatches.txt");

/// How many cases run side by side.
const WORKERS: usize = 4;

/// What became of a case.
#[derive(Clone, Debug)]
pub enum Outcome {
    /// The program, or the dialect's reader, is not here.
    Skipped(String),
    /// The program refused to start with it, as was predicted; its words.
    Refused(String),
    /// The program ran.
    Compared,
}

/// One case that was run.
#[derive(Clone, Debug)]
pub struct Ran {
    /// Its id.
    pub id: String,
    /// What became of it.
    pub outcome: Outcome,
    /// What was measured, by the label of the look.
    pub measured: Vec<(String, Measured)>,
    /// The disagreements, by the label of the look; `start` for the start itself. A reason where one is listed.
    pub differences: Vec<(String, Difference, Option<&'static str>)>,
    /// How long it took.
    pub took: Duration,
}

/// Runs the cases, a few side by side, and nothing else of the lab on this machine meanwhile.
///
/// # Errors
/// The certificates cannot be made.
pub fn run(lab: &Lab, cases: &[Case], done: impl FnMut(&Ran) + Send) -> Result<Vec<Ran>, StartError> {
    let _turn = lab.turn();
    let next = AtomicUsize::new(0);
    let collected = Mutex::new((Vec::new(), done));
    let work = || -> Result<(), StartError> {
        let measurer = Measurer::new()?;
        loop {
            let index = next.fetch_add(1, Ordering::Relaxed);
            let Some(case) = cases.get(index) else { return Ok(()) };
            let ran = run_one(lab, &measurer, case);
            let mut collected = collected.lock().unwrap_or_else(PoisonError::into_inner);
            (collected.1)(&ran);
            collected.0.push((index, ran));
        }
    };
    // Most of the time is spent waiting for programs to start.
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..WORKERS).map(|_| scope.spawn(work)).collect();
        workers.into_iter().try_for_each(|worker| worker.join().unwrap_or(Ok(())))
    })?;
    let (mut ran, _) = collected.into_inner().unwrap_or_else(PoisonError::into_inner);
    ran.sort_by_key(|(index, _)| *index);
    if ran.len() < cases.len() {
        return Err(StartError::Failed("a worker of the matrix panicked".to_owned()));
    }
    Ok(ran.into_iter().map(|(_, ran)| ran).collect())
}

fn run_one(lab: &Lab, measurer: &Measurer, case: &Case) -> Ran {
    let began = Instant::now();
    let mut ran = Ran {
        id: case.id.clone(),
        outcome: Outcome::Compared,
        measured: Vec::new(),
        differences: Vec::new(),
        took: Duration::ZERO,
    };
    if let Err(why) = look_at(lab, measurer, case, &mut ran) {
        ran.outcome = Outcome::Skipped(why);
    }
    ran.took = began.elapsed();
    ran
}

/// The error says why it is skipped.
fn look_at(lab: &Lab, measurer: &Measurer, case: &Case, ran: &mut Ran) -> Result<(), String> {
    let placed = match case.place(lab) {
        Ok(placed) => placed,
        Err(error) => return failed(ran, error),
    };
    let server = case.start(lab, &placed);
    if let Err(StartError::Missing(what)) = &server {
        return Err(format!("not installed: {what}"));
    }
    let forecast = match predict(case, &placed, measurer) {
        Ok(forecast) => forecast,
        Err(why) => return failed(ran, StartError::Failed(why)),
    };
    let server = match (server, forecast.refused.first()) {
        (Err(StartError::Failed(words)), predicted) => {
            if !case.refused {
                push(ran, "start", "case", format!("it was made to start and does not: {words}"));
            }
            if predicted.is_none() {
                push(ran, "start", "refused", format!("predicted to start, it does not: {words}"));
            }
            ran.outcome = Outcome::Refused(words);
            return Ok(());
        }
        (Err(StartError::Missing(what)), _) => return Err(what),
        (Ok(server), predicted) => {
            if case.refused {
                push(ran, "start", "case", "it was made to be refused and starts".to_owned());
            }
            if let Some(why) = predicted {
                push(ran, "start", "refused", format!("predicted to be refused ({why}), it starts"));
            }
            server
        }
    };
    let Forecast { looks, .. } = forecast;
    for (look, predicted) in case.looks.iter().zip(looks) {
        let label = look.label();
        let measured = measurer.measure(placed.port(look), look);
        match predicted {
            Ok(predicted) => {
                let found = differences(&predicted, &measured);
                found.into_iter().for_each(|one| push(ran, &label, one.what, one.detail));
            }
            Err(_) if measured.closed => {}
            Err(why) => push(ran, &label, "service", why),
        }
        ran.measured.push((label, measured));
    }
    drop(server);
    Ok(())
}

fn failed(ran: &mut Ran, error: StartError) -> Result<(), String> {
    push(ran, "start", "case", error.to_string());
    Ok(())
}

fn push(ran: &mut Ran, label: &str, what: &'static str, detail: String) {
    let reason = listed().find(|entry| entry.fits(&ran.id, label, what)).map(|entry| entry.reason);
    ran.differences.push((label.to_owned(), Difference { what, detail }, reason));
}

/// A known disagreement.
#[derive(Clone, Copy, Debug)]
struct Entry {
    id: &'static str,
    label: &'static str,
    what: &'static str,
    reason: &'static str,
}

impl Entry {
    fn fits(&self, id: &str, label: &str, what: &str) -> bool {
        (self.id, self.label, self.what) == (id, label, what)
    }
}

fn entry(line: &'static str) -> Option<Entry> {
    let (id, rest) = line.split_once(' ')?;
    let (label, rest) = rest.split_once(' ')?;
    let (what, reason) = rest.split_once(' ')?;
    Some(Entry { id, label, what, reason: reason.trim() })
}

fn lines(text: &'static str) -> impl Iterator<Item = &'static str> {
    text.lines().filter(|line| !line.trim().is_empty() && !line.starts_with('#'))
}

fn listed() -> impl Iterator<Item = Entry> {
    lines(MISMATCHES).filter_map(entry)
}

/// What is wrong with a run: disagreements without a reason, and listed ones that did not come about though their case ran.
pub fn faults(cases: &[Case], ran: &[Ran]) -> Vec<String> {
    let mut faults: Vec<String> = Vec::new();
    for one in ran {
        let unexplained = one.differences.iter().filter(|(.., reason)| reason.is_none());
        faults
            .extend(unexplained.map(|(label, Difference { what, detail }, _)| format!("{} {label} {what}: {detail}", one.id)));
    }
    let exists = |id: &str| super::cases(&[]).iter().any(|case| case.id == id);
    faults.extend(lines(MISMATCHES).filter_map(|line| fault_of_line(line, ran, exists)));
    let mut ids: Vec<&str> = cases.iter().map(|case| case.id.as_str()).collect();
    ids.sort_unstable();
    let twice = ids.windows(2).filter(|pair| pair.first() == pair.last()).filter_map(|pair| pair.first());
    faults.extend(twice.map(|id| format!("{id}: two cases have this id")));
    faults
}

fn fault_of_line(line: &'static str, ran: &[Ran], exists: impl Fn(&str) -> bool) -> Option<String> {
    let Some(entry) = entry(line).filter(|entry| !entry.reason.is_empty()) else {
        return Some(format!("mismatches.txt: no reason in {line:?}"));
    };
    let came = |one: &Ran| one.differences.iter().any(|(label, difference, _)| entry.fits(&one.id, label, difference.what));
    let stale = match ran.iter().find(|one| one.id == entry.id) {
        Some(one) => !matches!(one.outcome, Outcome::Skipped(_)) && !came(one),
        None => !exists(entry.id),
    };
    stale.then(|| format!("mismatches.txt: stale: {line}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ran(outcome: Outcome, differs: bool) -> Ran {
        let difference = Difference { what: "versions", detail: String::new() };
        let differences = if differs { vec![("port/-".to_owned(), difference, None)] } else { Vec::new() };
        Ran { id: "nginx/a".to_owned(), outcome, measured: Vec::new(), differences, took: Duration::ZERO }
    }

    #[test]
    fn an_entry_of_the_list_is_a_fault_once_it_no_longer_comes_about() {
        let fault = |line, ran: &[Ran]| fault_of_line(line, ran, |id| id == "nginx/a").is_some();
        let line = "nginx/a port/- versions because";
        assert!(!fault(line, &[ran(Outcome::Compared, true)]));
        assert!(fault(line, &[ran(Outcome::Compared, false)]));
        assert!(!fault(line, &[ran(Outcome::Skipped("no nginx".into()), false)]));
        assert!(!fault(line, &[]), "other cases were run");
        assert!(fault("nginx/gone port/- versions because", &[]), "no case has this id");
        assert!(fault("nginx/a port/- suites because", &[ran(Outcome::Compared, true)]));
        assert!(fault("nginx/a port/- versions", &[ran(Outcome::Compared, true)]), "no reason");
        assert!(fault("nginx/a port/- versions ", &[ran(Outcome::Compared, true)]), "no reason");
    }

    #[test]
    fn a_disagreement_without_a_reason_is_a_fault() {
        let faults = faults(&[], &[ran(Outcome::Compared, true)]);
        assert!(faults.contains(&"nginx/a port/- versions: ".to_owned()), "{faults:?}");
    }
}
