//! The test fails for its size, or its answer for the answer's: is it the packets, the cut or the length, and from which size on?

use std::time::Duration;

use tlswhy_model::{PathAnswer, PathPacket};

use super::plan::{Hops, REST, follow_answer, follow_silence, is_alike, is_answer};
use super::prober::{Manner, Prober};

/// Segments that pass every link: the least that every host must take has 576 bytes (RFC 9293 §3.7.1).
const SMALL: u16 = 536;

/// Carries that part out; `first` is how the test ends.
pub(super) fn follow(prober: &mut Prober, hops: &Hops, end: u8, first: &PathAnswer, by_size: bool) -> Result<(), String> {
    let small = Manner { max_segment: Some(SMALL), ..Manner::default() };
    let wait = prober.long_wait();
    let is_packets = is_data(&prober.say_so(PathPacket::Test, small, None, wait)?);
    if is_packets {
        let fails = find_border(prober)?;
        // A test that was lost for its length is followed. Where its answer was, only something as long can be sent from here; and
        // where it may have been lost for what it says, it must be shown that other long packets are lost as well.
        return match fails {
            _ if by_size && !is_through(prober) => follow_piece(prober, hops, end, first),
            Some(fails) => follow_datagram(prober, hops, end, fails),
            None => Ok(()),
        };
    }
    if !by_size {
        return if is_through(prober) { Ok(()) } else { follow_piece(prober, hops, end, first) };
    }
    let half = prober.control.as_ref().map_or(0, |control| control.len() / 2);
    let wait = prober.long_wait();
    let cut = Manner { ahead: half, ..Manner::default() };
    for _ in 0..2 {
        if is_data(&prober.say_so(PathPacket::Control, cut, None, wait)?) {
            break;
        }
    }
    prober.say(PathPacket::TestInTwoRecords, None, wait)?;
    follow_piece(prober, hops, end, first)
}

/// Whether the control is one segment and the test is more.
pub(super) fn takes_more_segments_than_the_control(prober: &Prober) -> bool {
    let fits = |flight: &Option<Vec<u8>>| Some(flight.as_ref()?.len() <= prober.segment?);
    fits(&prober.test) == Some(false) && fits(&prober.control) == Some(true)
}

/// Whether every byte of the last plain test was acknowledged.
pub(super) fn is_through(prober: &Prober) -> bool {
    let plain = prober.probes.iter().rev().find(|probe| {
        let is_plain = probe.ttl.is_none() && probe.max_segment.is_none() && probe.piece.is_none();
        probe.sent == PathPacket::Test && is_plain
    });
    plain.and_then(|probe| probe.tcp).is_some_and(|tcp| tcp.unacknowledged_segments == 0)
}

/// The largest segment that comes through, by halving; the smallest that does not is given back.
fn find_border(prober: &mut Prober) -> Result<Option<u16>, String> {
    let headers = if prober.to.is_ipv4() { 40 } else { 60 };
    let largest = prober.packet.and_then(|packet| u16::try_from(packet.saturating_sub(headers)).ok());
    let Some(largest) = largest.filter(|largest| *largest > SMALL) else { return Ok(None) };
    let (mut works, mut fails) = (SMALL, largest);
    while fails.saturating_sub(works) > 1 {
        let middle = works.midpoint(fails);
        let wait = prober.wait().max(Duration::from_millis(300));
        match comes_through(prober, middle, wait)? {
            true => works = middle,
            false => fails = middle,
        }
    }
    // The border rests on these two: once more, with patience.
    let wait = prober.long_wait();
    comes_through(prober, works, wait)?;
    comes_through(prober, fails, wait)?;
    Ok(Some(fails))
}

fn comes_through(prober: &mut Prober, max_segment: u16, wait: Duration) -> Result<bool, String> {
    let manner = Manner { max_segment: Some(max_segment), ..Manner::default() };
    Ok(is_data(&prober.say_so(PathPacket::Test, manner, None, wait)?))
}

/// Follows the one segment of the test that draws the answer, or that is lost: a second one would draw a router's word of its own.
fn follow_piece(prober: &mut Prober, hops: &Hops, end: u8, first: &PathAnswer) -> Result<(), String> {
    let length = prober.test.as_ref().map_or(0, Vec::len);
    let Some(segment) = prober.segment.filter(|segment| *segment < length) else {
        return follow_in(prober, hops, end, first, Manner::default());
    };
    let head = Manner { until: Some(segment), ..Manner::default() };
    let tail = Manner { ahead: segment, until: Some(segment.saturating_mul(2)), ..Manner::default() };
    let head_is_it = match first {
        PathAnswer::Silence => {
            let tests =
                || prober.probes.iter().rev().filter(|probe| probe.sent == PathPacket::Test && probe.max_segment.is_none());
            let known = tests().find_map(|probe| probe.tcp);
            // What TCP does not tell is taken for the usual: the first segment is the long one.
            known.is_none_or(|tcp| tcp.acknowledged_bytes < segment as u64)
        }
        _ => {
            let wait = prober.long_wait();
            is_alike(&prober.say_so(PathPacket::Test, head, None, wait)?, first)
        }
    };
    follow_in(prober, hops, end, first, if head_is_it { head } else { tail })
}

fn follow_in(prober: &mut Prober, hops: &Hops, end: u8, first: &PathAnswer, manner: Manner) -> Result<(), String> {
    match first {
        PathAnswer::Silence => follow_silence(prober, hops, end, manner),
        answer if is_answer(answer) => follow_answer(prober, end, manner),
        _ => Ok(()),
    }
}

/// Datagrams as long as a segment that does not come through: up to which hop are they heard of? Only where small ones are.
fn follow_datagram(prober: &mut Prober, hops: &Hops, end: u8, segment: u16) -> Result<(), String> {
    let mut candidates: Vec<u8> = hops.speaking.iter().copied().filter(|ttl| *ttl < end).collect();
    while let Some(ttl) = candidates.get(candidates.len() / 2).copied() {
        let passes = is_heard(&prober.datagram(ttl, Some(segment))?);
        if !passes {
            std::thread::sleep(REST);
            if prober.datagram(ttl, None)? == PathAnswer::Silence {
                candidates.retain(|candidate| *candidate != ttl);
                continue;
            }
            std::thread::sleep(REST);
        }
        if passes || is_heard(&prober.datagram(ttl, Some(segment))?) {
            candidates.retain(|candidate| *candidate > ttl);
        } else {
            candidates.retain(|candidate| *candidate < ttl);
        }
    }
    Ok(())
}

/// Whether a datagram came as far as it was to.
fn is_heard(answer: &PathAnswer) -> bool {
    matches!(answer, PathAnswer::Expired { .. } | PathAnswer::PortUnreachable { .. })
}

fn is_data(answer: &PathAnswer) -> bool {
    matches!(answer, PathAnswer::Data { .. })
}
