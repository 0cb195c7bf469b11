//! `tlswhy run`: runs a command unchanged and says why its TLS connections fail.

mod child;
mod libraries;
mod proxied;
mod report;
mod watching;

use std::ffi::OsString;
use std::time::Duration;

use tlswhy_gather::observe::{LocalProxy, Relay, now, steer};
use tokio::sync::mpsc::unbounded_channel;
use tokio::time::{sleep, timeout};

use self::child::{Confined, NotConfined};
pub(crate) use self::child::{become_steered, keep_letting_go};
use self::report::Ended;
use self::watching::Watching;
use super::check::note;
use super::examine::Interrupted;
use crate::cli::{Run, Way};
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
    let started = match arguments.watch {
        Some(Way::Proxy) => Err(None),
        _ => match child::start(&arguments.command) {
            Ok(confined) => Ok(confined),
            Err(NotConfined::Unsupported(why)) if arguments.watch.is_none() && proxied::taken().is_none() => Err(Some(why)),
            Err(NotConfined::Unsupported(why)) => return Err(cannot_watch(&why)),
            Err(NotConfined::Failed(failure)) => return Err(failure),
        },
    };
    let (mut child, steering) = match started {
        Ok(Confined { child, supervisor }) => {
            let relay = Relay::start(told).map_err(|error| cannot("no relay can be started", error))?;
            let (theirs, runtime) = (supervisor.clone(), tokio::runtime::Handle::current());
            let thread = std::thread::spawn(move || steer(&theirs, &relay, &runtime, &telling));
            (child, Some((thread, supervisor)))
        }
        Err(why) => {
            if let Some(name) = proxied::taken() {
                return Err(Failure::new(format!("{name} names a proxy already, in whose place `--watch proxy` would stand"))
                    .tip(format!("without {name} the command is watched; `tlswhy check --proxy` examines through a proxy")));
            }
            let proxy = LocalProxy::start().map_err(|error| cannot("no proxy can be started", error))?;
            let address = proxy.address();
            let because = why.map(|why| format!(" (connections cannot be held here: {why})")).unwrap_or_default();
            note(&format!(
                "the command is told of a proxy at {address}{because}; connections for which it asks none are not seen"
            ));
            tokio::spawn(proxy.serve(telling, told));
            match proxied::start(&arguments.command, address) {
                Ok(child) => (child, None),
                Err(error) => {
                    let program = arguments.command.first().map(OsString::as_os_str).unwrap_or_default();
                    return Ok((child::not_run(program, &error), Status::CouldNot));
                }
            }
        }
    };
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
    if let Some((thread, supervisor)) = steering
        && !thread.is_finished()
        && let Err(error) = child::release(&supervisor)
    {
        note(&format!("processes that the command left behind can make no connections any more: {error}"));
    }
    Ok((code, worst))
}

fn cannot_watch(why: &str) -> Failure {
    Failure::new(format!("connections cannot be watched here: {why}"))
        .tip("`--watch proxy` watches those for which the command asks a proxy; `tlswhy listen` records what a client offers")
}

/// The name of the command, for people.
fn name(command: &[OsString]) -> String {
    command.first().map(|program| program.to_string_lossy().into_owned()).unwrap_or_default()
}
