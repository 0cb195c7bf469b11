//! Asking one server, under one name and one upgrade.

use std::cell::Cell;

use tlswhy_model::{Depth, Ending};
use tlswhy_wire::{HelloSpec, ProtocolVersion};

use super::tried::Tried;
use crate::case::{Case, Seen};

/// Hellos are sent for so long at most, in milliseconds since the examination began: a server that answers in drips must end
/// somewhere.
const LONGEST_MS: f64 = 300_000.0;

/// What came of a hello.
#[derive(Clone, Copy, Debug)]
pub(super) enum Reply<'s, 'e> {
    /// The server chose from it.
    Chosen(&'s Seen<'e>),
    /// It refused it: by an alert, by closing, or by resetting the connection twice.
    Refused(&'s Seen<'e>),
    /// It said nothing that can be read, twice: nothing follows from that.
    NoAnswer(&'s Seen<'e>),
}

/// Asks through a case.
pub(super) struct Asker<'c, 'e> {
    pub(super) case: &'c Case<'e>,
    pub(super) server_name: Option<&'c str>,
    pub(super) upgrade: Option<&'c str>,
    /// Whether time ran out.
    out_of_time: bool,
    /// Connections that did not come about.
    pub(super) unreached: Cell<u32>,
}

impl<'c, 'e> Asker<'c, 'e> {
    pub(super) fn new(case: &'c Case<'e>, server_name: Option<&'c str>, upgrade: Option<&'c str>) -> Asker<'c, 'e> {
        let ended = |seen: &Seen<'_>| seen.attempt.timing.started_ms + seen.attempt.timing.ended_ms;
        let out_of_time = case.all().any(|seen| ended(seen) > LONGEST_MS);
        Asker { case, server_name, upgrade, out_of_time, unreached: Cell::new(0) }
    }

    /// What came of this hello; `None` while it is not known, or if nobody will ask.
    pub(super) fn ask(&self, hello: HelloSpec, depth: Depth, purpose: &str) -> Option<Reply<'c, 'e>> {
        let first = self.attempt(&hello, depth, 0, purpose)?;
        if let Some(reply) = plain(first) {
            return Some(reply);
        }
        // A reset or silence may have been an accident of the way.
        let again = self.attempt(&hello, depth, 1, purpose)?;
        if let Some(reply) = plain(again) {
            return Some(reply);
        }
        let reset = |seen: &Seen<'_>| matches!(seen.attempt.ending, Ending::Reset { .. });
        Some(if reset(first) && reset(again) { Reply::Refused(again) } else { Reply::NoAnswer(again) })
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
        let seen = if self.out_of_time { self.case.find(&probe) } else { self.case.ask(&probe, purpose) }?;
        if !seen.reached_the_server() {
            self.unreached.set(self.unreached.get().saturating_add(1));
        }
        Some(seen)
    }
}

/// What an attempt says without a second one.
fn plain<'s, 'e>(seen: &'s Seen<'e>) -> Option<Reply<'s, 'e>> {
    if seen.chose() {
        return Some(Reply::Chosen(seen));
    }
    match seen.attempt.ending {
        Ending::Alert { .. } | Ending::Closed { .. } => Some(Reply::Refused(seen)),
        _ => None,
    }
}
