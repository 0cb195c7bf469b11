//! `tlswhy software`: which software of a machine speaks TLS, and what each version can do.

use tlswhy_core::software_report;
use tlswhy_gather::FilesOf;

use super::examine::{Interrupted, now};
use crate::cli::{ListFormat, Software};
use crate::exit::{Failure, Status};
use crate::output::Output;
use crate::render::{self, Options};
use crate::terminal;

/// Looks and writes.
pub(crate) fn run(arguments: &Software) -> Result<Status, Failure> {
    if let Some(root) = &arguments.root
        && !root.is_dir()
    {
        return Err(Failure::new(format!("--root {} is no directory", root.display()))
            .tip("it is an unpacked copy of another machine's tree"));
    }
    let mut output = Output::open(arguments.output.file.as_deref())?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::new(format!("cannot start: {error}")))?;
    let inventory = runtime.block_on(async {
        let interrupted = Interrupted::watch();
        let files = FilesOf { root: arguments.root.clone(), only: None, run_programs: arguments.run_programs };
        tokio::select! {
            inventory = files.inventory() => Ok(inventory),
            () = interrupted.wait() => Err(Failure::new("interrupted")),
        }
    })?;
    runtime.shutdown_background();
    let report = software_report(inventory.software, inventory.system, inventory.walk, now());
    let options = Options { width: terminal::width(), verbose: arguments.verbose };
    output.write(|out| match arguments.output.format {
        ListFormat::Human => render::software::write(&report, options, out),
        ListFormat::Json => render::pretty_json(&report, out),
    })?;
    output.finish()?;
    Ok(Status::Fine)
}
