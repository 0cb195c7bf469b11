//! One direction of a TCP connection, put in order.
//!
//! Bytes that were there first stay where segments overlap; a copy with other bytes is noted, for that is how a forged segment
//! looks. What is out of order waits within [`MAX_PENDING`] bytes; a segment further ahead than [`WINDOW`] is a lie.

use std::collections::BTreeMap;

/// How many bytes of one direction are kept.
pub(crate) const MAX_KEPT: usize = 256 << 10;

/// How many bytes wait for those before them.
pub(crate) const MAX_PENDING: usize = 128 << 10;

/// How many pieces wait for those before them.
const MAX_PIECES: usize = 256;

/// How far ahead a segment may be, in bytes: the largest window (RFC 7323 §2.2) is a gigabyte, no handshake needs a hundredth.
const WINDOW: u64 = 16 << 20;

/// One direction.
#[derive(Debug, Default)]
pub(crate) struct Stream {
    /// Number of the byte at offset 0.
    first: Option<u32>,
    /// Whether its beginning (SYN) was seen.
    pub(crate) begun: bool,
    /// Bytes from offset 0 on, without a gap; at most [`MAX_KEPT`].
    pub(crate) bytes: Vec<u8>,
    /// Offset of the next byte in order.
    pub(crate) next: u64,
    pending: BTreeMap<u64, Vec<u8>>,
    waiting: usize,
    /// Offset of the end, once it was said.
    end: Option<u64>,
    /// A segment said something else than an earlier copy of it.
    pub(crate) contradicted: bool,
    /// Bytes arrived that stand behind bytes that never did.
    pub(crate) overflowed: bool,
}

impl Stream {
    /// The stream begins after this number; says whether it is the first such word.
    pub(crate) fn begin(&mut self, sequence: u32) {
        self.first = Some(sequence.wrapping_add(1));
        self.begun = true;
    }

    /// Where the stream is, for one whose beginning was not seen.
    pub(crate) fn assume(&mut self, sequence: u32) {
        self.first.get_or_insert(sequence);
    }

    /// Whether this number would begin the stream that is there.
    pub(crate) fn begins_with(&self, sequence: u32) -> bool {
        self.first == Some(sequence.wrapping_add(1))
    }

    /// The offset of a number near the end of what is there; `None` if it lies far away or before the beginning.
    pub(crate) fn offset(&self, sequence: u32) -> Option<i64> {
        let expected = self.first?.wrapping_add(self.next as u32);
        let distance = i64::from(sequence.wrapping_sub(expected).cast_signed());
        let offset = i64::try_from(self.next).ok()?.checked_add(distance)?;
        (distance.unsigned_abs() <= WINDOW).then_some(offset)
    }

    /// Takes a segment; gives the bytes that are in order now and were not before.
    pub(crate) fn push(&mut self, sequence: u32, payload: &[u8], fin: bool) -> Delivered {
        self.assume(sequence);
        let before = self.next;
        let Some(offset) = self.offset(sequence) else { return Delivered::default() };
        // What stands before offset 0 is older than the stream.
        let skip = usize::try_from(offset.min(0).unsigned_abs()).unwrap_or(usize::MAX);
        let Some(payload) = payload.get(skip..) else { return Delivered::default() };
        let offset = offset.max(0).unsigned_abs();
        let end = offset + payload.len() as u64;
        if fin {
            self.end.get_or_insert(end);
        }
        self.compare(offset, payload);
        if offset > self.next {
            self.wait(offset, payload);
            return Delivered { from: before, pieces: Vec::new() };
        }
        let known = usize::try_from(self.next - offset).unwrap_or(usize::MAX);
        let mut pieces = Vec::new();
        if let Some(new) = payload.get(known..).filter(|new| !new.is_empty()) {
            pieces.push(self.append(new, offset + known as u64));
        }
        while let Some(entry) = self.pending.first_entry().filter(|entry| *entry.key() <= self.next) {
            let (offset, bytes) = entry.remove_entry();
            self.waiting = self.waiting.saturating_sub(bytes.len());
            let known = usize::try_from(self.next - offset).unwrap_or(usize::MAX);
            if let Some(new) = bytes.get(known..).filter(|new| !new.is_empty()) {
                pieces.push(self.append(new, offset + known as u64));
            }
        }
        Delivered { from: before, pieces }
    }

    /// Whether every byte up to the end was there.
    pub(crate) fn ended(&self) -> bool {
        self.end.is_some_and(|end| self.next >= end)
    }

    /// Whether bytes wait for others that never came.
    pub(crate) fn has_gap(&self) -> bool {
        self.overflowed || !self.pending.is_empty() || self.end.is_some_and(|end| end > self.next)
    }

    /// Bytes held in memory.
    pub(crate) fn held(&self) -> usize {
        self.bytes.len() + self.waiting
    }

    /// Forgets the bytes, not where it is.
    pub(crate) fn forget(&mut self) {
        self.bytes = Vec::new();
        self.pending.clear();
        self.waiting = 0;
    }

    fn append(&mut self, new: &[u8], offset: u64) -> Vec<u8> {
        self.next = offset + new.len() as u64;
        let room = MAX_KEPT.saturating_sub(self.bytes.len());
        // Once the limit is reached nothing is added: the bytes kept have no gap.
        if self.bytes.len() as u64 == offset {
            self.bytes.extend(new.iter().take(room));
        }
        new.to_vec()
    }

    fn wait(&mut self, offset: u64, payload: &[u8]) {
        if payload.is_empty() {
            return;
        }
        if self.waiting + payload.len() > MAX_PENDING || self.pending.len() == MAX_PIECES {
            self.overflowed = true;
            return;
        }
        let known = self.pending.get(&offset).map_or(0, Vec::len);
        if let Some(new) = payload.get(known..).filter(|new| !new.is_empty()) {
            self.waiting += new.len();
            self.pending.entry(offset).or_default().extend(new);
        }
    }

    /// Notes whether a copy of bytes that are there says something else. Single bytes are keep-alive probes (RFC 1122 §4.2.3.6).
    fn compare(&mut self, offset: u64, payload: &[u8]) {
        if payload.len() < 2 {
            return;
        }
        let Some(kept) = usize::try_from(offset).ok().and_then(|from| self.bytes.get(from..)) else { return };
        let length = kept.len().min(payload.len());
        if kept.get(..length) != payload.get(..length) {
            self.contradicted = true;
        }
    }
}

/// Bytes that came in order.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Delivered {
    /// Offset of the first.
    pub(crate) from: u64,
    /// As they came.
    pub(crate) pieces: Vec<Vec<u8>>,
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const TEXT: &[u8] = b"The quick brown fox jumps over";

    fn stream(first: u32) -> Stream {
        let mut stream = Stream::default();
        stream.begin(first.wrapping_sub(1));
        stream
    }

    fn permutations(count: usize) -> Vec<Vec<usize>> {
        if count == 0 {
            return vec![Vec::new()];
        }
        let shorter = permutations(count - 1);
        shorter
            .iter()
            .flat_map(|order| {
                (0..count).map(|place| {
                    let mut order = order.clone();
                    order.insert(place, count - 1);
                    order
                })
            })
            .collect()
    }

    #[test]
    fn every_order_of_segments_gives_the_text_also_across_the_wrap() {
        let pieces = [(0, 6), (6, 11), (11, 12), (12, 25), (25, 30)];
        for first in [0, 1000, u32::MAX - 10] {
            for order in permutations(pieces.len()) {
                let mut stream = stream(first);
                let mut delivered = Vec::new();
                for index in &order {
                    let (start, end) = pieces[*index];
                    let sequence = first.wrapping_add(u32::try_from(start).unwrap());
                    delivered.extend(stream.push(sequence, &TEXT[start..end], end == 30).pieces.concat());
                }
                assert_eq!((stream.bytes.as_slice(), delivered.as_slice()), (TEXT, TEXT), "{first} {order:?}");
                assert!(stream.ended() && !stream.has_gap() && !stream.contradicted);
            }
        }
    }

    #[test]
    fn a_lost_segment_is_said_and_nothing_after_it_is_made_up() {
        let pieces = [(0, 6), (6, 11), (11, 12), (12, 25), (25, 30)];
        for lost in 0..pieces.len() {
            let mut stream = stream(5);
            for (index, (start, end)) in pieces.into_iter().enumerate() {
                if index != lost {
                    stream.push(5 + u32::try_from(start).unwrap(), &TEXT[start..end], end == 30);
                }
            }
            assert_eq!(stream.bytes, TEXT[..pieces[lost].0]);
            assert_eq!(stream.has_gap(), lost != 4);
            assert!(!stream.ended() || lost == 4);
        }
    }

    #[test]
    fn the_first_copy_wins_and_the_contradiction_is_noted() {
        let mut first = stream(0);
        first.push(0, b"abcdef", false);
        first.push(2, b"cdefgh", false);
        assert!(!first.contradicted);
        first.push(4, b"EFGHij", false);
        assert_eq!((first.bytes.as_slice(), first.contradicted), (&b"abcdefghij"[..], true));
        first.push(3, b"X", false);
        assert_eq!(first.bytes, b"abcdefghij");
    }

    #[test]
    fn lies_cost_no_memory() {
        let mut stream = stream(0);
        stream.push(0, b"ab", false);
        for ahead in [1 << 25, 1 << 30, 1 << 31, u32::MAX - (1 << 25)] {
            assert_eq!(stream.push(ahead, b"far away", true), Delivered::default());
        }
        for place in 0..100_000_u32 {
            stream.push(10 + 100 * place, &[0; 50], false);
        }
        assert!(stream.held() <= MAX_PENDING + 2 && stream.overflowed);
        let mut endless = tests::stream(0);
        for turn in 0..1000 {
            endless.push(turn * 10_000, &[1; 10_000], false);
        }
        assert_eq!((endless.bytes.len(), endless.next), (MAX_KEPT, 10_000_000));
    }

    proptest! {
        #[test]
        fn overlapping_segments_in_any_order_give_the_text_or_its_beginning(
            parts in proptest::collection::vec((0_usize..30, 1_usize..12), 1..40),
            first: u32,
        ) {
            let mut stream = stream(first);
            let mut there = [false; 30];
            for (start, length) in parts {
                let end = (start + length).min(30);
                stream.push(first.wrapping_add(start as u32), &TEXT[start..end], false);
                there[start..end].fill(true);
            }
            let whole = there.iter().take_while(|there| **there).count();
            prop_assert_eq!(&stream.bytes, &TEXT[..whole]);
            prop_assert!(!stream.contradicted);
        }
    }
}
