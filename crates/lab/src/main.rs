//! The scenarios by hand: see the library's page.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a program for developers")]

use std::process::ExitCode;

use tlswhy_lab::bench_configurations::Row;
use tlswhy_lab::path::wire::Wire;
use tlswhy_lab::runner::{Verdict, find_binary, prove_all, run_all};
use tlswhy_lab::{Lab, SCENARIOS, Scenario, StartError, real_client};

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (command, rest) = arguments.split_first().map_or(("", &[][..]), |(first, rest)| (first.as_str(), rest));
    let done = match command {
        "list" => list(&chosen(rest)),
        "serve" => serve(&chosen(rest)),
        "see" => see(&chosen(rest)),
        "prove" => prove(&chosen(rest)),
        "run" => run(&chosen(rest)),
        "bench" if rest.iter().any(|word| word == "configurations") => bench_configurations(),
        "bench" if rest.iter().any(|word| word == "run") => bench_run(),
        "bench" => bench(),
        // A part of a way in network namespaces, started by the tests.
        "wire" => Wire::parse(rest).and_then(Wire::run).map(|()| true),
        "configs" => tlswhy_lab::configs::command::run(rest),
        "clients" => tlswhy_lab::clients::command::run(rest),
        "chains" => tlswhy_lab::chains::command::run(rest),
        _ => {
            eprintln!(
                "usage: tlswhy-lab list | serve ID | see [ID…] | prove [ID…] | run [ID…] | chains [KIND…] | configs [DIALECT|ID…] | clients [DIALECT|ID…] | bench [configurations|run]   (ID: a beginning or a group is enough)"
            );
            return ExitCode::from(2);
        }
    };
    match done {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::from(2)
        }
    }
}

fn chosen(words: &[String]) -> Vec<&'static Scenario> {
    let fits = |scenario: &&Scenario, word: &String| scenario.id.starts_with(word.as_str()) || scenario.group == word;
    SCENARIOS.iter().copied().filter(|one| words.is_empty() || words.iter().any(|word| fits(one, word))).collect()
}

fn list(scenarios: &[&'static Scenario]) -> Result<bool, StartError> {
    for scenario in scenarios {
        println!("{:<52} {:<12} {}", scenario.id, scenario.outcomes.join("|"), scenario.causes.join(", "));
    }
    println!("{} scenarios", scenarios.len());
    Ok(true)
}

fn serve(scenarios: &[&'static Scenario]) -> Result<bool, StartError> {
    let [scenario, ..] = scenarios else {
        return Err(StartError::Failed("no such scenario".into()));
    };
    let lab = Lab::new().map_err(StartError::of)?;
    let server = (scenario.start)(&lab)?;
    println!("{} on port {}", scenario.id, server.port);
    println!("tlswhy {}", scenario.arguments(server.port, server.pki(&lab), &server.dir()).join(" "));
    println!("expected: {} {}", scenario.outcomes.join("|"), scenario.causes.join(", "));
    println!("Enter ends it.");
    std::io::stdin().read_line(&mut String::new()).map_err(StartError::of)?;
    Ok(true)
}

fn see(scenarios: &[&'static Scenario]) -> Result<bool, StartError> {
    let lab = Lab::new().map_err(StartError::of)?;
    for scenario in scenarios {
        println!("\n{}", scenario.id);
        let server = match (scenario.start)(&lab) {
            Ok(server) => server,
            Err(error) => {
                println!("  {error}");
                continue;
            }
        };
        println!(
            "  s_client {}: {}",
            scenario.seen.like,
            real_client::s_client(&lab, scenario, &server, scenario.seen.like)?.gist()
        );
        if let Some(args) = scenario.seen.works_with {
            println!("  s_client {args}: {}", real_client::s_client(&lab, scenario, &server, args)?.gist());
        }
        println!("  curl: {}", real_client::curl(&lab, &server, "")?.gist());
        println!("  gnutls-cli: {}", real_client::gnutls_cli(&lab, &server)?.gist());
    }
    Ok(true)
}

fn prove(scenarios: &[&'static Scenario]) -> Result<bool, StartError> {
    let lab = Lab::new().map_err(StartError::of)?;
    let ran = prove_all(&lab, scenarios);
    for one in &ran {
        match &one.verdict {
            Verdict::Good => println!("good     {}", one.id),
            Verdict::Skipped(why) => println!("skipped  {}: {why}", one.id),
            Verdict::Bad(lines) => println!("BAD      {}\n    {}", one.id, lines.join("\n    ")),
        }
    }
    Ok(!ran.iter().any(|one| matches!(one.verdict, Verdict::Bad(_))))
}

fn run(scenarios: &[&'static Scenario]) -> Result<bool, StartError> {
    let lab = Lab::new().map_err(StartError::of)?;
    let binary = find_binary()?;
    let ran = run_all(&lab, &binary, scenarios);
    println!("{:<52} {:>5} {:>6} {:>6}  got", "scenario", "conn.", "rounds", "ms");
    let (mut good, mut skipped) = (0, 0);
    for one in &ran {
        let got = &one.got;
        println!(
            "{:<52} {:>5} {:>6} {:>6}  {} {}",
            one.id,
            got.connections,
            got.rounds,
            got.elapsed_ms,
            got.outcome,
            got.causes.join(", ")
        );
        match &one.verdict {
            Verdict::Good => good += 1,
            Verdict::Skipped(why) => {
                skipped += 1;
                println!("    skipped: {why}");
            }
            Verdict::Bad(lines) => {
                lines.iter().for_each(|line| println!("    ✗ {line}"));
                println!("    “{}”", got.summary);
            }
        }
    }
    println!("{good} of {} as expected, {skipped} skipped", ran.len());
    Ok(good + skipped == ran.len())
}

fn bench() -> Result<bool, StartError> {
    let lab = Lab::new().map_err(StartError::of)?;
    let rows = tlswhy_lab::bench::run(&lab)?;
    let own = rows.first().map_or(1.0, |row| row.time.as_secs_f64());
    println!("{:<26} {:>11} {:>10} {:>7} {:>10}", "one healthy nginx", "connections", "ms", "ratio", "peak MiB");
    for row in &rows {
        let memory = row.memory_kib.map_or("-".to_owned(), |kib| format!("{:.1}", kib as f64 / 1024.0));
        let time = row.time.as_secs_f64();
        println!("{:<26} {:>11} {:>10.1} {:>7.1} {memory:>10}", row.name, row.connections, time * 1e3, time / own);
    }
    println!("\n{:<60} {:>10}", "one chain of three", "ms");
    for (name, time) in tlswhy_lab::bench_chain::run(&lab)? {
        println!("{name:<60} {:>10.3}", time.as_secs_f64() * 1e3);
    }
    Ok(true)
}

fn bench_configurations() -> Result<bool, StartError> {
    show("2,000 virtual hosts", tlswhy_lab::bench_configurations::run()?)
}

fn bench_run() -> Result<bool, StartError> {
    let lab = Lab::new().map_err(StartError::of)?;
    show("1,000 connections", tlswhy_lab::bench_run::run(&lab)?)
}

fn show(what: &str, rows: Vec<Row>) -> Result<bool, StartError> {
    println!("{what:<44} {:>8} {:>14} {:>9} {:>7}", "seconds", "processor s", "peak MiB", "status");
    for row in rows {
        let (memory, status) = (row.memory_kib as f64 / 1024.0, row.status.map_or("-".to_owned(), |status| status.to_string()));
        println!("{:<44} {:>8.2} {:>14.2} {memory:>9.1} {status:>7}", row.name, row.time, row.processor);
    }
    Ok(true)
}
