//! `tlswhy-lab configs`: the generated configurations, measured and compared, as a table.
#![expect(clippy::print_stdout, reason = "a command for developers")]

use std::fmt::Display;
use std::time::Instant;

use super::measured::Measured;
use super::run::{Outcome, Ran, faults, run as run_cases};
use crate::server::{Lab, StartError};

/// Runs the cases of these dialects, or whose ids begin so; `false` where something differs without a reason.
///
/// # Errors
/// The certificates cannot be made.
pub fn run(words: &[String]) -> Result<bool, StartError> {
    let verbose = words.iter().any(|word| word == "--all");
    let words: Vec<String> = words.iter().filter(|word| *word != "--all").cloned().collect();
    let cases = super::cases(&words);
    let lab = Lab::new().map_err(StartError::of)?;
    let began = Instant::now();
    let ran = run_cases(&lab, &cases, |one| print(one, verbose))?;
    let connections: u32 = ran.iter().flat_map(|one| &one.measured).map(|(_, measured)| measured.connections).sum();
    let count = |is: fn(&Outcome) -> bool| ran.iter().filter(|one| is(&one.outcome)).count();
    println!(
        "{} configurations in {:.1} s: {} ran, {} refused by the program, {} skipped; {connections} connections",
        ran.len(),
        began.elapsed().as_secs_f64(),
        count(|outcome| matches!(outcome, Outcome::Compared)),
        count(|outcome| matches!(outcome, Outcome::Refused(_))),
        count(|outcome| matches!(outcome, Outcome::Skipped(_))),
    );
    let faults = faults(&cases, &ran);
    faults.iter().for_each(|fault| println!("✗ {fault}"));
    Ok(faults.is_empty())
}

fn print(ran: &Ran, verbose: bool) {
    let took = ran.took.as_millis();
    match &ran.outcome {
        Outcome::Skipped(why) => println!("{:<56} {took:>6} ms  skipped: {why}", ran.id),
        Outcome::Refused(words) => println!("{:<56} {took:>6} ms  refused: {}", ran.id, last_line(words)),
        Outcome::Compared => println!("{:<56} {took:>6} ms", ran.id),
    }
    for (label, measured) in &ran.measured {
        println!("    {label:<36} {}", in_short(measured));
        if verbose {
            println!("        suites   {}", join(&measured.suites));
            println!("        1.3      {}", join(&measured.suites_13));
            println!("        groups   {} (below 1.3: {})", join(&measured.groups_13), below(measured));
        }
    }
    for (label, difference, reason) in &ran.differences {
        let mark = if reason.is_some() { "≠" } else { "✗" };
        println!("    {mark} {label} {}: {}", difference.what, difference.detail);
        reason.iter().for_each(|reason| println!("      because {reason}"));
    }
}

fn last_line(words: &str) -> &str {
    words.lines().last().unwrap_or_default()
}

fn below(measured: &Measured) -> String {
    measured.groups_12.as_deref().map_or("not known".to_owned(), join)
}

fn in_short(measured: &Measured) -> String {
    if measured.closed {
        return "nobody listens".to_owned();
    }
    if let Some(said) = &measured.not_tls {
        return format!("not TLS: {said}");
    }
    if let Some(refusal) = &measured.refusal {
        return format!("refused: {refusal}");
    }
    let preference = match measured.server_preference {
        Some(true) => "server's order",
        Some(false) => "client's order",
        None => "order unknown",
    };
    let leaves: Vec<String> = measured.leaves.iter().map(|leaf| format!("{} ×{}", leaf.subject, leaf.sent)).collect();
    format!(
        "{}; {} suites ({preference}), {} of 1.3, {} groups; {}; client certificate {}; ALPN {}",
        join(&measured.versions),
        measured.suites.len(),
        measured.suites_13.len(),
        measured.groups_13.len().max(measured.groups_12.as_ref().map_or(0, Vec::len)),
        leaves.join(", "),
        measured.asks_certificate.map_or("unknown", |asks| if asks { "asked for" } else { "not asked for" }),
        measured.alpn.as_deref().unwrap_or("-"),
    )
}

fn join<T: Display>(list: &[T]) -> String {
    list.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")
}
