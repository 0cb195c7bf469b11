//! What is being asked, on standard error, once it lasts.

use std::io::Write;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tlswhy_model::{Asked, printable};
use tokio::task::JoinHandle;

use crate::terminal;

/// How long nothing is said.
const PATIENCE: Duration = Duration::from_secs(1);
/// How often it is seen whether the line has changed.
const PACE: Duration = Duration::from_millis(200);

/// One line on standard error that says what is being asked; shown after a second, and only on a terminal. It goes away when
/// this is dropped.
pub(crate) struct Progress {
    line: Arc<Mutex<String>>,
    writer: Option<JoinHandle<()>>,
    shown: Arc<Mutex<bool>>,
}

impl Progress {
    /// Begins to watch the time; needs a runtime.
    pub(crate) fn start(target: &str) -> Progress {
        let line = Arc::new(Mutex::new(format!("examining {}", printable(target, 60))));
        let shown = Arc::new(Mutex::new(false));
        let writer = terminal::can_show_progress().then(|| {
            let (line, shown) = (Arc::clone(&line), Arc::clone(&shown));
            tokio::spawn(async move {
                let started = Instant::now();
                tokio::time::sleep(PATIENCE).await;
                *locked(&shown) = true;
                let width = terminal::width().saturating_sub(1);
                let mut last = String::new();
                loop {
                    let text = format!("{} s, {}", started.elapsed().as_secs(), locked(&line));
                    let text: String = text.chars().take(width).collect();
                    if text != last {
                        write(&text);
                        last = text;
                    }
                    tokio::time::sleep(PACE).await;
                }
            })
        });
        Progress { line, writer, shown }
    }

    /// Says what is asked now.
    pub(crate) fn asking(&self, batch: &[Asked]) {
        let Some(first) = batch.first() else { return };
        let more = if batch.len() > 1 { format!(" (and {} more)", batch.len() - 1) } else { String::new() };
        *locked(&self.line) = format!("round {}: {}{more}", first.round, printable(&first.purpose, 200));
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let Some(writer) = &self.writer {
            writer.abort();
        }
        if *locked(&self.shown) {
            write("");
        }
    }
}

/// Replaces the current line of standard error.
fn write(text: &str) {
    let mut stderr = std::io::stderr().lock();
    // Progress that cannot be shown is no reason to fail.
    let _ = write!(stderr, "\r\x1b[K{text}");
    let _ = stderr.flush();
}

fn locked<T>(value: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    value.lock().unwrap_or_else(PoisonError::into_inner)
}
