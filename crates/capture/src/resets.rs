//! Whether a reset came from the host in whose name it was sent.
//!
//! Packets of one host take the same way and arrive with the same time to live. A device between that ends connections stands
//! nearer, or starts elsewhere; and one that only listens cannot keep the host's own packets from coming after its forgery
//! (Weaver, Sommer, Paxson, "Detecting Forged TCP Reset Packets", NDSS 2009).

use crate::handshake::{ForgedReset, Side};
use crate::packet::{Marks, Segment};

/// What was seen of the segments of one side.
#[derive(Debug, Default)]
pub(crate) struct Sender {
    /// Smallest and largest time to live of what was no reset.
    ttl: Option<(u8, u8)>,
    /// The last identification, and whether it went up in small steps so far.
    identification: Option<u16>,
    steps: u32,
    /// The first reset.
    reset: Option<Marks>,
    /// Bytes of data that came after it.
    after_reset: u64,
}

impl Sender {
    /// Notes a segment.
    pub(crate) fn note(&mut self, segment: &Segment<'_>) {
        let marks = segment.marks;
        if segment.rst {
            self.reset.get_or_insert(marks);
            return;
        }
        if self.reset.is_some() {
            self.after_reset += segment.payload.len() as u64;
            return;
        }
        let (low, high) = self.ttl.unwrap_or((marks.ttl, marks.ttl));
        self.ttl = Some((low.min(marks.ttl), high.max(marks.ttl)));
        // A kernel that answers without a socket counts otherwise, or not at all: openings say nothing.
        if let Some(identification) = marks.identification.filter(|_| !segment.syn) {
            let step = self.identification.map(|last| identification.wrapping_sub(last));
            self.steps = if step.is_some_and(|step| (1..64).contains(&step)) { self.steps + 1 } else { 0 };
            self.identification = Some(identification);
        }
    }

    /// What tells that the reset is forged; `None` where nothing does.
    pub(crate) fn forged(&self, by: Side) -> Option<ForgedReset> {
        let reset = self.reset?;
        let mut signs = Vec::new();
        if let Some((low, high)) = self.ttl.filter(|(low, high)| !(*low..=*high).contains(&reset.ttl)) {
            let range = if low == high { low.to_string() } else { format!("{low} to {high}") };
            signs.push(format!("TTL {} against {range} of the {}'s other packets", reset.ttl, by.name()));
        }
        if self.after_reset > 0 {
            signs.push(format!("the {} went on and sent {} bytes after it", by.name(), self.after_reset));
        }
        // What follows supports these and proves nothing alone.
        if !signs.is_empty()
            && self.steps >= 2
            && let (Some(last), Some(identification @ 1..)) = (self.identification, reset.identification)
            && identification.wrapping_sub(last) > 1024
        {
            signs.push(format!("IP identification {identification}, where its packets count on from {last}"));
        }
        (!signs.is_empty()).then_some(ForgedReset { by, signs })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn segment(ttl: u8, identification: u16, rst: bool, payload: &[u8]) -> Segment<'_> {
        let address = "192.0.2.1:443".parse().unwrap();
        let marks = Marks { ttl, identification: Some(identification), window: 64, has_options: true };
        Segment {
            at: 0,
            source: address,
            destination: address,
            sequence: 0,
            acknowledgment: None,
            syn: false,
            fin: false,
            rst,
            marks,
            payload,
            cut: false,
        }
    }

    #[test]
    fn a_reset_like_its_neighbours_is_not_called_forged() {
        let mut sender = Sender::default();
        for identification in 100..104 {
            sender.note(&segment(52, identification, false, b"x"));
        }
        // Linux resets with identification 0.
        sender.note(&segment(52, 0, true, b""));
        assert_eq!(sender.forged(Side::Server), None);
    }

    #[test]
    fn time_to_live_identification_and_what_comes_after_tell() {
        let mut sender = Sender::default();
        for identification in 31_616..31_620 {
            sender.note(&segment(52, identification, false, b"x"));
        }
        sender.note(&segment(61, 4660, true, b""));
        sender.note(&segment(52, 31_620, false, &[0; 2300]));
        assert_eq!(
            sender.forged(Side::Server).unwrap().signs,
            [
                "TTL 61 against 52 of the server's other packets",
                "the server went on and sent 2300 bytes after it",
                "IP identification 4660, where its packets count on from 31619",
            ]
        );
    }
}
