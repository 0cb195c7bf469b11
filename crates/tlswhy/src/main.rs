//! tlswhy: says why a TLS handshake fails, and what mends it. Here: parse, run, exit.

#[cfg(unix)]
mod apply;
mod cli;
mod commands;
mod demo;
mod exit;
mod nearest;
mod output;
mod progress;
mod render;
mod serving;
mod target;
mod terminal;

use std::process::ExitCode;

use clap::Parser;

use cli::{Cli, Command};
use exit::Status;

fn main() -> ExitCode {
    let Cli { check, command } = Cli::parse();
    let ended = match command {
        None => cli::no_command_was_meant(&check).and_then(|()| commands::check::run(&check)),
        Some(Command::Check(check)) => commands::check::run(&check),
        Some(Command::Trace(arguments)) => commands::trace::run(*arguments),
        Some(Command::Cert(arguments)) => commands::cert::run(&arguments),
        Some(Command::Config(arguments)) => commands::config::run(&arguments),
        Some(Command::Fix(arguments)) => commands::fix::run(&arguments),
        Some(Command::Diagnose(arguments)) => commands::diagnose::run(&arguments),
        #[cfg(target_os = "linux")]
        Some(Command::Run(arguments)) => return commands::run::run(&arguments).map_or_else(could_not, ExitCode::from),
        #[cfg(target_os = "linux")]
        Some(Command::Steered(arguments)) => {
            return commands::run::become_steered(arguments.channel, &arguments.command).into();
        }
        #[cfg(target_os = "linux")]
        Some(Command::LetGo) => return commands::run::keep_letting_go().into(),
        Some(Command::Listen(arguments)) => commands::listen::run(&arguments),
        Some(Command::Relay(arguments)) => commands::relay::run(&arguments),
        Some(Command::Pcap(arguments)) => commands::pcap::run(&arguments),
        Some(Command::Explain(arguments)) => commands::explain::run(&arguments),
        Some(Command::Demo(arguments)) => commands::demo::run(&arguments),
        Some(Command::Software(arguments)) => commands::software::run(&arguments),
        Some(Command::Clients(arguments)) => commands::clients::run(&arguments),
        Some(Command::Schema(arguments)) => commands::schema::run(&arguments),
        Some(Command::Generate(arguments)) => commands::generate::run(&arguments),
    };
    ended.map_or_else(could_not, ExitCode::from)
}

fn could_not(failure: exit::Failure) -> ExitCode {
    failure.print();
    Status::CouldNot.into()
}
