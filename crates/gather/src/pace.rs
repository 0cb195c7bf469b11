//! How long to wait for a server that was silent before.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tlswhy_model::{Attempt, Awaited, Ending, Probe};

/// An answer may take so many times as long as the slowest one so far.
const MARGIN: u32 = 20;
/// The least that is waited.
const LEAST: Duration = Duration::from_millis(300);
/// The part of the time-out that is waited where the server never answered anything.
const PART: u32 = 3;

/// What earlier attempts showed of each server's pace. A hello that is met with silence costs the whole time-out once; after
/// that, silence is told by the time that the server's answers take. Clones share what they know.
#[derive(Clone, Debug, Default)]
pub struct Pace(Arc<Mutex<HashMap<(String, u16), Known>>>);

#[derive(Clone, Copy, Debug, Default)]
struct Known {
    silent: bool,
    slowest: Option<Duration>,
}

impl Pace {
    /// How long to wait for an answer, where `timeout` is waited for the first time.
    pub(crate) fn wait(&self, probe: &Probe, timeout: Duration) -> Duration {
        let servers = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let known = servers.get(&(probe.host.clone(), probe.port)).copied().unwrap_or_default();
        match (known.silent, known.slowest) {
            (false, _) => timeout,
            (true, Some(slowest)) => slowest.saturating_mul(MARGIN).max(LEAST).min(timeout),
            (true, None) => timeout / PART,
        }
    }

    /// Learns from an attempt.
    pub(crate) fn learn(&self, attempt: &Attempt) {
        let mut servers = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let known = servers.entry((attempt.probe.host.clone(), attempt.probe.port)).or_default();
        known.silent |=
            matches!(attempt.ending, Ending::TimedOut { awaited: Awaited::ServerHello | Awaited::UpgradeAnswer, .. });
        let timing = &attempt.timing;
        if let (Some(sent), Some(answered)) = (timing.hello_sent_ms, timing.first_byte_ms) {
            let took = Duration::from_secs_f64((answered - sent).clamp(0.0, 3_600_000.0) / 1000.0);
            known.slowest = Some(known.slowest.map_or(took, |slowest| slowest.max(took)));
        }
    }
}
