//! Is it the way? What fails is sent from one hop nearer and farther, where the endings leave it open.

use std::net::IpAddr;

use tlswhy_model::{Awaited, Confidence, Ending, Opening, PathQuestion};

use super::{FaultKind, PathFault, Teller};
use crate::case::Seen;
use crate::path::{self, Place, Verdict};

/// What the way turned out to be.
pub(super) enum Way {
    /// It is not known yet: the measurement was asked for.
    Asked,
    /// Something on it ends the handshake; the fault is told.
    Stops,
    /// Nothing on it was found to; in words, what was seen, to be put behind a sentence.
    Unknown(String),
}

impl<'c, 'e> Teller<'c, 'e> {
    /// Has the way measured on which no connection comes about; `None` while that is awaited.
    pub(super) fn ask_for_the_barrier(&self) -> Option<()> {
        let Some(address) = self.measurable() else { return Some(()) };
        let question = PathQuestion { address, port: self.case.evidence.subject.port, test: None, control: None };
        (self.case.ask_path(question).is_some() || !self.case.is_waiting()).then_some(())
    }

    /// The address, where something may stand between and the way to it can be measured.
    fn measurable(&self) -> Option<IpAddr> {
        let direct = !self.case.no_path_between() && self.case.evidence.subject.via.is_none();
        self.case.address.filter(|_| direct)
    }

    /// Whether something between stops `failing`. `control` is what works, or at least no hello; where `name` is given, the two
    /// differ in the server name.
    pub(super) fn ask_the_way(
        &mut self,
        failing: &'c Seen<'e>,
        control: &Opening,
        works: Option<u32>,
        name: Option<String>,
    ) -> Way {
        let silent_or_cut = matches!(
            failing.attempt.ending,
            Ending::Reset { awaited: Awaited::ServerHello }
                | Ending::Closed { awaited: Awaited::ServerHello }
                | Ending::TimedOut { awaited: Awaited::ServerHello, .. }
        );
        let Some(address) = self.measurable().filter(|_| silent_or_cut && self.story.upgrade.is_none()) else {
            return Way::Unknown(String::new());
        };
        let (test, control) = (Some(failing.attempt.probe.opening.clone()), Some(control.clone()));
        let question = PathQuestion { address, port: self.case.evidence.subject.port, test, control };
        let Some(measurement) = self.case.ask_path(question) else {
            return if self.case.is_waiting() { Way::Asked } else { Way::Unknown(String::new()) };
        };
        let (ends, place, control) = match path::verdict(measurement) {
            Verdict::Fails { ends, place, control } => (ends, place, control),
            Verdict::Unreachable => {
                return Way::Unknown("; an ICMP message says that the packet goes no farther, and not from where".to_owned());
            }
            Verdict::Unclear => {
                return Way::Unknown("; measured hop by hop, it did not fail in the same way each time".to_owned());
            }
        };
        let Some(place) = place else {
            return Way::Unknown("; how far the server is could not be measured".to_owned());
        };
        if !place.is_before_the_end() || (name.is_some() && !control) {
            return Way::Unknown(remark(place));
        }
        // Where the name alone makes the difference, that is a contrast; else the place itself is what is seen.
        let confidence = if name.is_some() { Confidence::Confirmed } else { Confidence::Observed };
        let fault = self.push(FaultKind::Path(PathFault { name, ends, place }), confidence, Some(failing.id()));
        fault.works = works;
        fault.differs_in = vec!["server_name"];
        Way::Stops
    }
}

/// Why no more is said of a place that may be the end itself.
fn remark(place: Place) -> String {
    let Place { after, end, .. } = place;
    if after.saturating_add(1) >= end {
        format!("; measured hop by hop, it gets as far as the last hop before the server ({end} hops away)")
    } else {
        format!("; measured hop by hop, it gets as far as hop {after} of {end}, and what is behind it says nothing")
    }
}
