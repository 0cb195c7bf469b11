//! Is it the way? What fails is sent from one hop nearer and farther, where the endings leave it open.

use std::net::IpAddr;

use tlswhy_model::{Awaited, Confidence, Ending, Opening, PathMeasurement, PathQuestion};

use super::{FaultKind, PathFault, SizeFault, Teller};
use crate::case::Seen;
use crate::path::{self, Ends, Matters, Place, Verdict};

/// What the way turned out to be.
pub(super) enum Way {
    /// It is not known yet: the measurement was asked for.
    Asked,
    /// Something on it ends the handshake; the fault is told.
    Stops,
    /// It is open as far as the server: what ends the handshake is the server, or something right before it.
    IsOpen,
    /// Nothing on it was found to; in words, what was seen, to be put behind a sentence.
    Unknown(String),
}

/// In what a hello that fails differs from one that works.
#[derive(Clone, Debug)]
pub(super) enum Minds {
    /// Nothing works; or what works is no hello.
    Everything,
    /// In much: what works is a hello that gets a short answer. Only what is seen of sizes is told then.
    Much,
    /// In its server name.
    Name(String),
    /// In its length or its cut.
    Size {
        /// Where among the faults it belongs.
        at: usize,
        /// Length in bytes of the message that fails.
        fails: usize,
        /// Length in bytes of the message that works.
        works: usize,
    },
}

impl<'c, 'e> Teller<'c, 'e> {
    /// Has the way measured on which no connection comes about; `None` while that is awaited.
    pub(super) fn ask_for_the_barrier(&self) -> Option<()> {
        let Some(address) = self.measurable() else { return Some(()) };
        let question =
            PathQuestion { address, port: self.case.evidence.subject.port, test: None, control: None, by_size: false };
        (self.case.ask_path(question).is_some() || !self.case.is_waiting()).then_some(())
    }

    /// The address, where something may stand between and the way to it can be measured.
    fn measurable(&self) -> Option<IpAddr> {
        let direct = !self.case.no_path_between() && self.case.evidence.subject.via.is_none();
        self.case.address.filter(|_| direct)
    }

    /// Whether something between stops `failing`. `control` is what works, or at least no hello; the two differ in what it `minds`.
    pub(super) fn ask_the_way(&mut self, failing: &'c Seen<'e>, control: &Opening, works: Option<u32>, minds: &Minds) -> Way {
        let silent_or_cut = matches!(
            failing.attempt.ending,
            Ending::Reset { awaited: Awaited::ServerHello }
                | Ending::Closed { awaited: Awaited::ServerHello }
                | Ending::TimedOut { awaited: Awaited::ServerHello, .. }
        );
        let Some(address) = self.measurable().filter(|_| silent_or_cut && self.story.upgrade.is_none()) else {
            return Way::Unknown(String::new());
        };
        let by_size = matches!(minds, Minds::Size { .. });
        let (test, control) = (Some(failing.attempt.probe.opening.clone()), Some(control.clone()));
        let question = PathQuestion { address, port: self.case.evidence.subject.port, test, control, by_size };
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
        // Where another name alone makes the difference, the size does not.
        let matters = path::matters(measurement).filter(|_| control && !matches!(minds, Minds::Name(_)));
        if let Some(matters @ Matters::Packets(_)) = matters {
            return self.size_matters(failing, works, minds, matters, ends, measurement);
        }
        if matches!(minds, Minds::Much) {
            return Way::Unknown(String::new());
        }
        let Some(place) = place else {
            return Way::Unknown("; how far the server is could not be measured".to_owned());
        };
        if !place.is_before_the_end() || (!matches!(minds, Minds::Everything) && !control) {
            // Silence may be the last link's: it is the server's only where the server has the hello.
            let got_there = ends != Ends::Silence || path::is_acknowledged(measurement);
            let is_open = by_size && control && got_there && place.after.saturating_add(1) >= place.end;
            let ends_there = path::goes_on_behind_the_end(measurement).is_none();
            return if is_open && ends_there { Way::IsOpen } else { Way::Unknown(remark(place)) };
        }
        if let Some(matters) = matters {
            return self.size_matters(failing, works, minds, matters, ends, measurement);
        }
        let name = match minds {
            Minds::Name(name) => Some(name.clone()),
            _ => None,
        };
        // Where the name alone makes the difference, that is a contrast; else the place itself is what is seen.
        let confidence = if name.is_some() { Confidence::Confirmed } else { Confidence::Observed };
        let fault = self.push(FaultKind::Path(PathFault { name, ends, place }), confidence, Some(failing.id()));
        fault.works = works;
        fault.differs_in = vec!["server_name"];
        Way::Stops
    }

    /// The size is what something on the way minds: hellos alike but for it were answered.
    fn size_matters(
        &mut self,
        failing: &'c Seen<'e>,
        works: Option<u32>,
        minds: &Minds,
        matters: Matters,
        ends: Ends,
        measurement: &PathMeasurement,
    ) -> Way {
        let place = path::place_of_size(measurement, matters).filter(Place::is_before_the_end);
        let (at, lengths) = match minds {
            Minds::Size { at, fails, works } => (*at, (fails != works).then_some((*fails, *works))),
            _ => (self.story.faults.len(), None),
        };
        let kind = FaultKind::PathSize(SizeFault { matters, ends, place, lengths });
        // The contrast is one of two attempts where the story has both; else it is seen in the measurement alone.
        let confidence = if works.is_some() { Confidence::Confirmed } else { Confidence::Observed };
        let fault = self.insert(at, kind, confidence, Some(failing.id()));
        fault.works = works;
        fault.differs_in = vec!["length of the ClientHello"];
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
