//! `tlswhy-lab chains`: every client against every chain, as a table.
#![expect(clippy::print_stdout, reason = "a command for developers")]

use std::path::Path;

use super::predict::{self, Compared, Verdicts};
use super::{Chains, Client, found};
use crate::server::{Lab, StartError};

/// What comes out one way or the other by the keys of the day: wolfSSL finds issuers by a hash of them. Left out.
const UNSTEADY: &[(&str, &str)] = &[("wolfssl-5.5", "twin-other-key-first"), ("wolfssl-5.9", "twin-other-key-first")];

/// Runs it; `false` where something is not as predicted and the list does not say why.
///
/// # Errors
/// The chains cannot be served.
pub fn run(arguments: &[String]) -> Result<bool, StartError> {
    let record = arguments.iter().any(|word| word == "--record");
    let (mut kinds, mut also) = (Vec::new(), Vec::new());
    let mut words = arguments.iter().filter(|word| *word != "--record");
    while let Some(word) = words.next() {
        if word == "--also" {
            let text = words.next().map_or("", String::as_str);
            also.push(Client::parse(text).ok_or_else(|| StartError::Failed(format!("--also {text}: PROFILE=KIND:COMMAND")))?);
        } else {
            kinds.push(word.clone());
        }
    }
    let lab = Lab::new().map_err(StartError::of)?;
    let chains = Chains::served(&lab)?;
    let (mut clients, skipped) = found(&kinds);
    clients.extend(also);
    skipped.iter().for_each(|why| println!("skipped {why}"));

    let mut verdicts = Verdicts::new();
    for client in &clients {
        match client.run(&chains) {
            Ok(outcomes) if outcomes.get("complete").is_some_and(|outcome| outcome.accepts) => {
                let steady = |case: &str| !UNSTEADY.contains(&(client.profile.as_str(), case));
                let of_client = outcomes.iter().filter(|(case, _)| steady(case));
                let of_client = of_client.map(|(case, outcome)| (case.clone(), outcome.accepts)).collect();
                verdicts.insert(client.profile.clone(), of_client);
                println!("{}: {} chains", client.profile, outcomes.len());
            }
            Ok(outcomes) => {
                let said = outcomes.get("complete").map_or("nothing", |outcome| outcome.text.as_str());
                println!("skipped {}: it refuses the complete chain, so its verdicts say nothing: {said}", client.profile);
            }
            Err(why) => println!("skipped {}: {why}", client.profile),
        }
    }
    if record {
        write(&verdicts)?;
    }
    let changed = changed(&verdicts);
    changed.iter().for_each(|line| println!("not as recorded: {line}"));
    let compared = predict::compare(&chains.cases, &verdicts);
    Ok(print(&compared) && changed.is_empty())
}

/// Prints the mismatches and a line a client; `false` where one has no reason.
pub fn print(compared: &[Compared]) -> bool {
    let mut unexplained = 0;
    for one in compared.iter().filter(|one| !one.agrees()) {
        let did = if one.accepted { "accepted" } else { "refused" };
        let expected = if one.predicted.is_empty() { "accepts".to_owned() } else { one.predicted.join(", ") };
        println!("{} {}: it {did}, predicted: {expected}", one.profile, one.case);
        match one.reason {
            Some(why) => println!("    known: {why}"),
            None => unexplained += 1,
        }
    }
    let agreed = compared.iter().filter(|one| one.agrees()).count();
    println!("{agreed} of {} as predicted, {unexplained} mismatches without a reason", compared.len());
    unexplained == 0
}

/// Merges what was seen into the recorded file: other clients' lines stay.
fn write(verdicts: &Verdicts) -> Result<(), StartError> {
    let mut all = predict::recorded();
    all.extend(verdicts.clone());
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/chains/measured.tsv");
    std::fs::write(file, predict::lines(&all)).map_err(StartError::of)
}

/// Where a client does other than what is recorded of it.
fn changed(verdicts: &Verdicts) -> Vec<String> {
    let recorded = predict::recorded();
    let mut lines = Vec::new();
    for (profile, cases) in verdicts {
        let Some(earlier) = recorded.get(profile) else { continue };
        let differs = |(case, accepts): &(&String, &bool)| earlier.get(*case).is_some_and(|before| before != *accepts);
        lines.extend(cases.iter().filter(differs).map(|(case, accepts)| format!("{profile} {case}: accepts = {accepts}")));
    }
    lines
}
