//! What ends without a word may be chance: a connection that a busy server or a relay drops looks like a refusal. A contrast that rests on
//! such an ending counts only once the same hello has ended so again.

use tlswhy_model::{Confidence, Ending, Opening, Probe};

use super::{Fault, FaultKind, Teller};
use crate::case::Seen;

impl<'c, 'e> Teller<'c, 'e> {
    /// Asks the quiet half of each contrast again, along with whatever else is asked. Where the answers differ, or none is to be had,
    /// nothing is confirmed by it.
    pub(super) fn repeat_quiet_contrasts(&mut self) {
        let resting: Vec<&'c Seen<'e>> =
            self.story.faults.iter().filter(|fault| rests_on_contrast(fault)).filter_map(|fault| self.quiet(fault)).collect();
        let again: Vec<(&Seen<'_>, Option<&Seen<'_>>)> = resting.into_iter().map(|seen| (seen, self.once_more(seen))).collect();
        if self.case.is_waiting() {
            return;
        }
        let differing: Vec<&Seen<'_>> =
            again.iter().filter_map(|(seen, again)| again.filter(|again| !ended_quietly(again)).map(|_| *seen)).collect();
        if let Some(seen) = differing.first() {
            let ending = seen.ending();
            self.unreliable(&ending);
            return;
        }
        let alone: Vec<u32> = again.iter().filter(|(_, again)| again.is_none()).map(|(seen, _)| seen.id()).collect();
        for fault in self.story.faults.iter_mut().filter(|fault| fault.fails.is_some_and(|fails| alone.contains(&fails))) {
            if rests_on_contrast(fault) {
                fault.confidence = Confidence::Suspected;
            }
        }
    }

    /// The attempt that fails, where it ended without a word while other hellos of its kind were answered: where none was, the
    /// many are each other's repetition.
    fn quiet(&self, fault: &Fault) -> Option<&'c Seen<'e>> {
        let seen = self.case.all().find(|seen| Some(seen.id()) == fault.fails).filter(|seen| ended_quietly(seen))?;
        let alike = |other: &&Seen<'_>| {
            other.attempt.probe.upgrade == seen.attempt.probe.upgrade
                && matches!(other.attempt.probe.opening, Opening::Hello { .. })
                && (other.chose() || other.alert().is_some())
        };
        self.case.all().any(|other| alike(&other)).then_some(seen)
    }

    /// Another answer to the same probe.
    fn once_more(&self, seen: &Seen<'_>) -> Option<&'c Seen<'e>> {
        let same = |other: &&'c Seen<'e>| {
            let number = other.attempt.probe.repetition;
            let probe = Probe { repetition: number, ..seen.attempt.probe.clone() };
            other.id() != seen.id() && other.attempt.probe == probe
        };
        let again = Probe { repetition: seen.attempt.probe.repetition.saturating_add(1), ..seen.attempt.probe.clone() };
        self.case.all().find(same).or_else(|| self.ask_probe(&again, "the same again, for it ended without a word"))
    }

    /// The same hello got different answers: no contrast proves anything here.
    fn unreliable(&mut self, ending: &str) {
        for fault in self.story.faults.iter_mut().filter(|fault| rests_on_contrast(fault)) {
            fault.confidence = Confidence::Suspected;
        }
        self.story.inconsistent = true;
        self.open(
            format!("Why do the answers to the same hello differ? Once there was {ending}, and once something else"),
            &[],
            "unlike servers behind one address, or one of them overloaded: compare the servers behind the balancer one by one (--address)",
        );
    }
}

/// Whether it is confirmed by two hellos that were answered differently. What stands on the way has repetitions of its own.
fn rests_on_contrast(fault: &Fault) -> bool {
    fault.confidence == Confidence::Confirmed && fault.works.is_some() && !matches!(fault.kind, FaultKind::Path(_))
}

fn ended_quietly(seen: &Seen<'_>) -> bool {
    let quiet = matches!(seen.attempt.ending, Ending::Closed { .. } | Ending::Reset { .. } | Ending::TimedOut { .. });
    quiet && !seen.chose()
}
