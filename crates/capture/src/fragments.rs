//! IP packets that came in pieces.
//!
//! Bytes that were there first stay where pieces overlap. At most [`MAX_PACKETS`] packets are waited for, and the oldest is
//! given up for a new one; each holds at most the 65,535 bytes that IP allows.

use std::collections::{HashMap, VecDeque};
use std::net::IpAddr;

/// How many packets are waited for.
pub(crate) const MAX_PACKETS: usize = 256;

/// The longest payload of a packet (RFC 791 §3.1).
const LONGEST: usize = 65_535;

/// Most pieces of one packet: more are an attack.
const MAX_PIECES: usize = 128;

/// One piece of an IP packet's payload.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Fragment<'a> {
    pub(crate) source: IpAddr,
    pub(crate) destination: IpAddr,
    pub(crate) identification: u32,
    pub(crate) protocol: u8,
    /// Where it belongs, in bytes.
    pub(crate) offset: usize,
    /// Nothing comes after it.
    pub(crate) last: bool,
    pub(crate) bytes: &'a [u8],
}

type Key = (IpAddr, IpAddr, u32, u8);

/// Packets of which pieces are missing.
#[derive(Debug, Default)]
pub(crate) struct Fragments {
    waiting: HashMap<Key, Pieces>,
    order: VecDeque<Key>,
}

#[derive(Debug, Default)]
struct Pieces {
    bytes: Vec<u8>,
    /// What is there, as sorted ranges that do not touch.
    there: Vec<(usize, usize)>,
    end: Option<usize>,
    count: usize,
}

impl Fragments {
    /// Adds a piece; gives the payload once it is whole.
    pub(crate) fn add(&mut self, fragment: Fragment<'_>) -> Option<Vec<u8>> {
        let key = (fragment.source, fragment.destination, fragment.identification, fragment.protocol);
        if !self.waiting.contains_key(&key) {
            if self.order.len() == MAX_PACKETS
                && let Some(oldest) = self.order.pop_front()
            {
                self.waiting.remove(&oldest);
            }
            self.order.push_back(key);
        }
        let pieces = self.waiting.entry(key).or_default();
        if !pieces.add(&fragment) {
            return None;
        }
        let whole = self.waiting.remove(&key)?.bytes;
        self.order.retain(|known| *known != key);
        Some(whole)
    }
}

impl Pieces {
    /// Whether the packet is whole with this piece.
    fn add(&mut self, fragment: &Fragment<'_>) -> bool {
        let (start, end) = (fragment.offset, fragment.offset.saturating_add(fragment.bytes.len()));
        self.count += 1;
        if end > LONGEST || self.count > MAX_PIECES {
            return false;
        }
        if fragment.last {
            self.end.get_or_insert(end);
        }
        if self.bytes.len() < end {
            self.bytes.resize(end, 0);
        }
        // Only what is not there yet is written.
        let mut from = start;
        let mut gaps = Vec::new();
        for &(known_start, known_end) in &self.there {
            if from < known_start.min(end) {
                gaps.push((from, known_start.min(end)));
            }
            from = from.max(known_end);
        }
        if from < end {
            gaps.push((from, end));
        }
        for (gap_start, gap_end) in gaps {
            let new = fragment.bytes.get(gap_start - start..gap_end - start);
            if let (Some(place), Some(new)) = (self.bytes.get_mut(gap_start..gap_end), new) {
                place.copy_from_slice(new);
            }
        }
        self.there.push((start, end));
        self.there.sort_unstable();
        let mut merged: Vec<(usize, usize)> = Vec::new();
        for &(start, end) in &self.there {
            match merged.last_mut() {
                Some(last) if last.1 >= start => last.1 = last.1.max(end),
                _ => merged.push((start, end)),
            }
        }
        self.there = merged;
        let whole = self.end.is_some_and(|end| self.there.first().is_some_and(|first| first.0 == 0 && first.1 >= end));
        if whole {
            self.bytes.truncate(self.end.unwrap_or(0));
        }
        whole
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    fn piece(identification: u32, offset: usize, last: bool, bytes: &[u8]) -> Fragment<'_> {
        let address = IpAddr::V4(Ipv4Addr::LOCALHOST);
        Fragment { source: address, destination: address, identification, protocol: 6, offset, last, bytes }
    }

    #[test]
    fn what_was_there_first_stays_where_pieces_overlap() {
        let mut fragments = Fragments::default();
        assert_eq!(fragments.add(piece(1, 8, false, b"BBBBBBBB")), None);
        assert_eq!(fragments.add(piece(1, 0, false, b"aaaaaaaaaaaa")), None);
        assert_eq!(fragments.add(piece(1, 16, true, b"cc")), Some(b"aaaaaaaaBBBBBBBBcc".to_vec()));
        assert!(fragments.waiting.is_empty() && fragments.order.is_empty());
    }

    #[test]
    fn endless_pieces_take_bounded_memory() {
        let mut fragments = Fragments::default();
        for identification in 0..10_000 {
            assert_eq!(fragments.add(piece(identification, 65_000, false, &[0; 8])), None);
        }
        assert_eq!((fragments.waiting.len(), fragments.order.len()), (MAX_PACKETS, MAX_PACKETS));
        for _ in 0..10_000 {
            assert_eq!(fragments.add(piece(7, 65_528, true, &[0; 80])), None, "longer than IP allows");
        }
    }
}
