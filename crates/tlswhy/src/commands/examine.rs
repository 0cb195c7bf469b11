//! An examination over the network, from its first question to the report; the same for every command.

use std::time::Instant;

use tlswhy_core::{Examination, Request, Step};
use tlswhy_gather::Live;
use tlswhy_model::Report;
use tokio::sync::watch;

use crate::progress::Progress;

/// Whether the user has pressed Ctrl-C, or somebody sent SIGTERM.
pub(super) struct Interrupted(watch::Receiver<bool>);

impl Interrupted {
    /// Begins to listen; needs a runtime.
    pub(super) fn watch() -> Interrupted {
        let (sender, receiver) = watch::channel(false);
        tokio::spawn(async move {
            if asked_to_end().await.is_ok() {
                sender.send_replace(true);
            }
            // While it lives, those who wait go on waiting.
            sender.closed().await;
        });
        Interrupted(receiver)
    }

    /// Ends once it is so; at once if it was.
    pub(super) async fn wait(&self) {
        let _ = self.0.clone().wait_for(|pressed| *pressed).await;
    }
}

#[cfg(unix)]
async fn asked_to_end() -> std::io::Result<()> {
    let mut terminate = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())?;
    tokio::select! {
        pressed = tokio::signal::ctrl_c() => pressed,
        _ = terminate.recv() => Ok(()),
    }
}

#[cfg(not(unix))]
async fn asked_to_end() -> std::io::Result<()> {
    tokio::signal::ctrl_c().await
}

/// Examines one target; says also whether it was interrupted.
pub(super) async fn examine(request: Request, live: &Live, interrupted: &Interrupted) -> (Examination, Box<Report>, bool) {
    let progress = Progress::start(&request.subject.target);
    let mut examination = Examination::new(request);
    let started = Instant::now();
    let mut ends = false;
    loop {
        let batch = match examination.next() {
            Step::Ask(batch) => batch,
            Step::Done(report) => return (examination, report, ends),
        };
        progress.asking(&batch);
        tokio::select! {
            answers = live.ask(batch, started) => {
                for (id, answer) in answers {
                    examination.answer(id, answer);
                }
            }
            () = interrupted.wait() => {
                ends = true;
                examination.interrupt();
            }
        }
    }
}

/// The time, RFC 3339 in UTC, to the second.
pub(super) fn now() -> String {
    let now = jiff::Timestamp::now();
    jiff::Timestamp::from_second(now.as_second()).unwrap_or(now).to_string()
}
