//! `tlswhy run`: runs a command unchanged and says why its TLS connections fail.

mod child;
mod libraries;
mod report;
mod watching;

use std::ffi::OsString;
use std::time::Duration;

use tlswhy_gather::observe::{Relay, now, steer};
use tokio::sync::mpsc::unbounded_channel;
use tokio::time::{sleep, timeout};

use self::child::Confined;
pub(crate) use self::child::{become_steered, keep_letting_go};
use self::report::Ended;
use self::watching::Watching;
use super::check::note;
use super::examine::Interrupted;
use crate::cli::Run;
use crate::exit::{Failure, Status};
use crate::output::Output;

/// How long what a command left in the relay may take to arrive, once it has ended.
const AFTERMATH: Duration = Duration::from_millis(300);

/// Runs the command and reports; the exit status is the command's, unless the diagnosis' is asked for.
pub(crate) fn run(arguments: &Run) -> Result<u8, Failure> {
    let mut output = match &arguments.output.file {
        Some(path) => Output::open(Some(path))?,
        None => Output::standard_error(),
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::new(format!("cannot start: {error}")))?;
    let ended = runtime.block_on(supervise(arguments, &mut output));
    runtime.shutdown_background();
    let (code, status) = ended?;
    output.finish()?;
    Ok(if arguments.exit_diagnosis { status.code() } else { code })
}

async fn supervise(arguments: &Run, output: &mut Output) -> Result<(u8, Status), Failure> {
    let cannot = |what: &str, error: std::io::Error| Failure::new(format!("{what}: {error}"));
    let (told, mut seen) = unbounded_channel();
    let (telling, mut dialled) = unbounded_channel();
    let relay = Relay::start(told).map_err(|error| cannot("no relay can be started", error))?;
    let Confined { mut child, supervisor } = child::start(&arguments.command)?;
    let steering = std::thread::spawn({
        let (supervisor, runtime) = (supervisor.clone(), tokio::runtime::Handle::current());
        move || steer(&supervisor, &relay, &runtime, &telling)
    });
    let mut watching = Watching::default();
    let status = {
        let ended = child::wait(&mut child);
        tokio::pin!(ended);
        loop {
            // A connection is told of before anything is seen of it: in this order it is taken up so.
            tokio::select! {
                biased;
                Some(made) = dialled.recv() => watching.dialled(made, now()),
                Some(one) = seen.recv() => watching.seen(one),
                status = &mut ended => break status.map_err(|error| cannot("the command cannot be waited for", error))?,
            }
        }
    };
    let rest = async {
        loop {
            tokio::select! {
                biased;
                Some(made) = dialled.recv() => watching.dialled(made, now()),
                Some(one) = seen.recv() => watching.seen(one),
                () = sleep(AFTERMATH / 6) => break,
            }
        }
    };
    // What goes on without an end is judged as far as it was seen.
    let _ = timeout(AFTERMATH, rest).await;
    let code = child::code(status);
    let interrupted = Interrupted::watch();
    // What could not even be started has said so itself.
    let worst = match watching.is_empty() && child::was_not_run(code) {
        true => Status::CouldNot,
        false => report::write(arguments, watching, Ended { at: now(), succeeded: code == 0 }, &interrupted, output).await?,
    };
    if !steering.is_finished()
        && let Err(error) = child::release(&supervisor)
    {
        note(&format!("processes that the command left behind can make no connections any more: {error}"));
    }
    Ok((code, worst))
}

/// The name of the command, for people.
fn name(command: &[OsString]) -> String {
    command.first().map(|program| program.to_string_lossy().into_owned()).unwrap_or_default()
}
