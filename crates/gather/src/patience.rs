//! How long to wait for what.

use std::time::{Duration, Instant};

use tlswhy_model::Awaited;

use crate::handshake::Handshake;

/// An answer that comes in drips may take this many time-outs in all.
pub(crate) const TIMEOUTS_IN_ALL: u32 = 4;
/// TLS 1.3: how long objections are waited for that mostly never come.
const OBJECTIONS: Duration = Duration::from_millis(60);
/// The same where a client certificate was asked for and not given.
const OBJECTIONS_TO_NO_CERTIFICATE: Duration = Duration::from_millis(300);
/// TLS 1.2 and below: the server has judged our flight before its Finished.
const AFTER_ITS_FINISHED: Duration = Duration::from_millis(5);
/// What is still waited for once a ticket came although a certificate was missing.
const AFTER_TICKET: Duration = Duration::from_millis(20);
/// The most that is waited for objections.
const LONGEST: Duration = Duration::from_secs(1);
/// An HTTP answer without a length is over when nothing came for so long.
const PAUSE_IN_ANSWER: Duration = Duration::from_millis(250);

/// Measures the waiting of one attempt.
pub(crate) struct Patience {
    tls_timeout: Duration,
    round_trip: Duration,
    began: Instant,
    last_progress: Instant,
}

impl Patience {
    pub(crate) fn new(tls_timeout: Duration, round_trip: Duration) -> Patience {
        let now = Instant::now();
        Patience { tls_timeout, round_trip, began: now, last_progress: now }
    }

    /// Something came.
    pub(crate) fn progress(&mut self) {
        self.last_progress = Instant::now();
    }

    /// How long nothing came, or how long all of it took if that was too long.
    pub(crate) fn waited(&self) -> Duration {
        let all = self.began.elapsed();
        if all < self.in_all() { self.last_progress.elapsed() } else { all }
    }

    fn in_all(&self) -> Duration {
        self.tls_timeout.saturating_mul(TIMEOUTS_IN_ALL)
    }

    /// How long to wait for the next bytes.
    pub(crate) fn wait(&self, handshake: &Handshake) -> Duration {
        let left = self.in_all().saturating_sub(self.began.elapsed());
        let wait = match handshake.awaited() {
            Awaited::AfterFinished => self.for_objections(handshake),
            Awaited::Application if handshake.has_heard_enough() => Duration::ZERO,
            Awaited::Application if handshake.has_heard() => PAUSE_IN_ANSWER.saturating_add(self.round_trip.saturating_mul(2)),
            _ => self.tls_timeout,
        };
        wait.min(left)
    }

    fn for_objections(&self, handshake: &Handshake) -> Duration {
        let requested = handshake.client_certificate_requested();
        let (least, round_trips) = match (handshake.is_settled(), handshake.is_modern(), requested) {
            (true, _, false) => return Duration::ZERO,
            (true, _, true) => (AFTER_TICKET, 0),
            (false, true, true) => (OBJECTIONS_TO_NO_CERTIFICATE, 4),
            (false, true, false) | (false, false, true) => (OBJECTIONS, 2),
            (false, false, false) => (AFTER_ITS_FINISHED, 1),
        };
        // An objection to what was sent comes a round trip later.
        let round_trips = self.round_trip.saturating_mul(round_trips);
        least.max(round_trips).min(LONGEST)
    }
}
