//! Asking one server, under one name and one upgrade.

use std::cell::Cell;

use tlswhy_model::{Depth, Ending, Probe};
use tlswhy_wire::{HelloSpec, ProtocolVersion};

use super::tried::Tried;
use crate::case::{Case, Seen};

/// Hellos are sent for so long at most, in milliseconds since the examination began: a server that answers in drips must end
/// somewhere.
const LONGEST_MS: f64 = 300_000.0;

/// How often a connection must be cut off for it to be a refusal; and of a server that cuts off what it takes at other times.
const ENOUGH: u32 = 3;
const ENOUGH_OF_A_FLAKY_ONE: u32 = 6;
/// Numbers of repetitions from which on a hello that worked is asked again.
const AGAIN: u32 = 1000;

/// What came of a hello.
#[derive(Clone, Copy, Debug)]
pub(super) enum Reply<'s, 'e> {
    /// The server chose from it.
    Chosen(&'s Seen<'e>),
    /// It refused it: by an alert; or by cutting off the connection each time, while it still takes other hellos.
    Refused(&'s Seen<'e>),
    /// It said nothing that can be read, or takes nothing any more: nothing follows from that.
    NoAnswer(&'s Seen<'e>),
}

/// Asks through a case.
pub(super) struct Asker<'c, 'e> {
    pub(super) case: &'c Case<'e>,
    pub(super) server_name: Option<&'c str>,
    pub(super) upgrade: Option<&'c str>,
    /// Whether time ran out.
    out_of_time: bool,
    /// How often a hello must be cut off to be refused.
    enough: u32,
    /// Hellos that got no answer.
    pub(super) unanswered: Cell<u32>,
}

impl<'c, 'e> Asker<'c, 'e> {
    pub(super) fn new(case: &'c Case<'e>, server_name: Option<&'c str>, upgrade: Option<&'c str>) -> Asker<'c, 'e> {
        let ended = |seen: &Seen<'_>| seen.attempt.timing.started_ms + seen.attempt.timing.ended_ms;
        let out_of_time = case.all().any(|seen| ended(seen) > LONGEST_MS);
        let enough = if is_flaky(case) { ENOUGH_OF_A_FLAKY_ONE } else { ENOUGH };
        Asker { case, server_name, upgrade, out_of_time, enough, unanswered: Cell::new(0) }
    }

    /// What came of this hello; `None` while it is not known, or if nobody will ask.
    pub(super) fn ask(&self, hello: HelloSpec, depth: Depth, purpose: &str) -> Option<Reply<'c, 'e>> {
        let mut cut_off = 0;
        for repetition in 0.. {
            let seen = self.attempt(&hello, depth, repetition, purpose)?;
            if seen.chose() {
                return Some(Reply::Chosen(seen));
            }
            match seen.attempt.ending {
                Ending::Alert { .. } => return Some(Reply::Refused(seen)),
                // It may have been an accident of the way, or a limit on connections.
                Ending::Reset { .. } | Ending::Closed { .. } => cut_off += 1,
                _ if repetition > 0 => return Some(self.no_answer(seen)),
                _ => {}
            }
            if cut_off >= self.enough {
                let serves = self.still_serves(seen)?;
                return Some(if serves { Reply::Refused(seen) } else { self.no_answer(seen) });
            }
        }
        None
    }

    fn no_answer(&self, seen: &'c Seen<'e>) -> Reply<'c, 'e> {
        self.unanswered.set(self.unanswered.get().saturating_add(1));
        Reply::NoAnswer(seen)
    }

    /// Whether the server still takes a hello that it took before: later than this attempt.
    fn still_serves(&self, cut_off: &Seen<'_>) -> Option<bool> {
        if self.case.all().any(|later| later.id() > cut_off.id() && later.chose()) {
            return Some(true);
        }
        let Some(worked) = self.case.all().find(|seen| seen.hello().is_some() && seen.chose()) else {
            return Some(false);
        };
        // A number of its own: it is asked anew for each refusal of this kind.
        let probe = Probe { repetition: cut_off.id().saturating_add(AGAIN), ..worked.attempt.probe.clone() };
        Some(self.ask_probe(&probe, "whether the server still takes what it took before")?.chose())
    }

    /// Takes from what is not known of a list what the server chooses, until it refuses the rest. Where a refusal has another reason
    /// as well (`is_telling` is false), the rest stays untested.
    pub(super) fn exhaust<T: Copy + PartialEq>(
        &self,
        tried: &mut Tried<T>,
        version: ProtocolVersion,
        depth: Depth,
        hello: impl Fn(&[T]) -> HelloSpec,
        chosen: impl Fn(&Seen<'_>) -> Option<T>,
        is_telling: bool,
    ) {
        while !tried.untested.is_empty() {
            let purpose = format!("what more the server has at {version}");
            match self.ask(hello(&tried.untested), depth, &purpose) {
                Some(Reply::Chosen(seen)) if seen.version() == Some(version) => {
                    match chosen(seen).filter(|value| tried.untested.contains(value)) {
                        Some(value) => tried.accept(value, seen.id()),
                        None => return,
                    }
                }
                Some(Reply::Refused(seen) | Reply::Chosen(seen)) => {
                    if is_telling {
                        tried.refuse_rest(seen.id());
                    }
                    return;
                }
                Some(Reply::NoAnswer(_)) | None => return,
            }
        }
    }

    fn attempt(&self, hello: &HelloSpec, depth: Depth, repetition: u32, purpose: &str) -> Option<&'c Seen<'e>> {
        let mut probe = self.case.hello_probe(hello.clone(), self.upgrade, depth);
        probe.repetition = repetition;
        self.ask_probe(&probe, purpose)
    }

    fn ask_probe(&self, probe: &Probe, purpose: &str) -> Option<&'c Seen<'e>> {
        if self.out_of_time { self.case.find(probe) } else { self.case.ask(probe, purpose) }
    }
}

/// Whether the connection was cut off before the server chose.
fn is_cut_off(seen: &Seen<'_>) -> bool {
    !seen.chose() && matches!(seen.attempt.ending, Ending::Reset { .. } | Ending::Closed { .. })
}

/// Whether a hello that was cut off was answered as it was sent again.
fn is_flaky(case: &Case<'_>) -> bool {
    let again = |seen: &&Seen<'_>| seen.attempt.probe.repetition > 0 && (seen.chose() || seen.alert().is_some());
    case.all().filter(again).any(|taken| {
        let first = Probe { repetition: 0, ..taken.attempt.probe.clone() };
        case.find(&first).is_some_and(is_cut_off)
    })
}
