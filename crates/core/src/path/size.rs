//! What of a size matters: the packets that it makes, its cut, or its length.

use tlswhy_model::{Opening, PathAnswer, PathMeasurement, PathPacket, PathProbe};

use super::{Ends, Place, Sign, Verdict, end, is_plain, verdict, with_ttl};

/// What of the size matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Matters {
    /// Packets over a size are lost, or refused, on the way.
    Packets(Packets),
    /// What comes in two segments: only the first is read.
    Segments,
    /// The length of a record; the same message in two is answered.
    Record,
    /// The length of the hello, however it is sent.
    Length,
}

/// Packets that do not come through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Packets {
    /// The largest segment that came through, in bytes of the MSS option of TCP.
    pub works: u16,
    /// The smallest that did not.
    pub fails: Option<u16>,
    /// The length of the largest packet that came through, with its headers.
    pub packet: u16,
    /// Whether they are lost on the way to the server; otherwise it is the answer that is. `None` where TCP did not tell.
    pub to_server: Option<bool>,
}

/// What matters to the fate of the test, where that was asked or showed itself.
pub fn matters(measurement: &PathMeasurement) -> Option<Matters> {
    let Verdict::Fails { ends, .. } = verdict(measurement) else { return None };
    if let Some(packets) = packets(measurement, ends).filter(|_| is_sound(measurement)) {
        return Some(Matters::Packets(packets));
    }
    let whole = |packet| measurement.probes.iter().filter(move |probe| probe.sent == packet && probe.ttl.is_none());
    let mut cut = whole(PathPacket::Control).filter(|probe| probe.piece.is_some()).peekable();
    cut.peek()?;
    if !cut.any(is_answered) {
        return Some(Matters::Segments);
    }
    if whole(PathPacket::TestInTwoRecords).any(is_answered) {
        return Some(Matters::Record);
    }
    Some(Matters::Length)
}

/// Where what matters is done; `None` where that is not known.
pub fn place(measurement: &PathMeasurement, matters: Matters) -> Option<Place> {
    match (matters, verdict(measurement)) {
        (Matters::Packets(packets), _) if packets.to_server == Some(false) || !measurement.question.by_size => {
            place_of_datagrams(measurement)
        }
        (_, Verdict::Fails { place, .. }) => place,
        _ => None,
    }
}

fn packets(measurement: &PathMeasurement, ends: Ends) -> Option<Packets> {
    let sized = || {
        let whole = measurement.probes.iter().filter(|probe| probe.sent == PathPacket::Test && probe.ttl.is_none());
        whole.filter_map(|probe| Some((probe.max_segment?, probe)))
    };
    // Once may be chance.
    if sized().filter(|(_, probe)| is_answered(probe)).count() < 2 {
        return None;
    }
    let works = sized().filter(|(_, probe)| is_answered(probe)).map(|(bytes, _)| bytes).max()?;
    let fails = sized().map(|(bytes, _)| bytes).filter(|bytes| *bytes > works).min();
    let plain = measurement.probes.iter().filter(|probe| probe.sent == PathPacket::Test && is_plain(probe));
    let state = plain.filter_map(|probe| probe.tcp).next_back();
    let to_server = match ends {
        Ends::Silence => state.map(|tcp| tcp.unacknowledged_segments > 0),
        // Somebody minds what was sent.
        _ => Some(true),
    };
    let headers = if measurement.question.address.is_ipv4() { 40 } else { 60 };
    Some(Packets { works, fails, packet: works.saturating_add(headers), to_server })
}

/// Whether small segments changed nothing but the size: a device that minds what a hello says may miss it once the hello is in pieces.
fn is_sound(measurement: &PathMeasurement) -> bool {
    // What TCP's options take of a segment, at most.
    const OPTIONS: usize = 40;
    let question = &measurement.question;
    let smallest = measurement.probes.iter().filter_map(|probe| probe.max_segment).min().unwrap_or(0);
    let fits = question.test.as_ref().and_then(length).is_some_and(|bytes| bytes.saturating_add(OPTIONS) <= smallest.into());
    let tests = measurement.probes.iter().filter(|probe| probe.sent == PathPacket::Test && is_plain(probe));
    let behind_a_gap = tests.filter_map(|probe| probe.tcp?.out_of_order_segments).any(|segments| segments > 0);
    question.by_size || fits || behind_a_gap || place_of_datagrams(measurement).is_some()
}

/// Length of a flight in bytes.
fn length(opening: &Opening) -> Option<usize> {
    const RECORD_HEADER: usize = 5;
    match opening {
        Opening::Hello { hello } => hello.message_length().checked_add(RECORD_HEADER),
        Opening::Replay { records } => Some(records.len()),
        Opening::Plain { request } => Some(request.len()),
    }
}

/// From long datagrams, which go the other way than what is lost: a narrow link is narrow both ways.
fn place_of_datagrams(measurement: &PathMeasurement) -> Option<Place> {
    let end = end(measurement)?;
    let long = || with_ttl(measurement, PathPacket::Datagram).filter(|(_, probe)| probe.packet_bytes.is_some());
    let expired = |probe: &PathProbe| matches!(probe.answer, PathAnswer::Expired { .. });
    let after = long().filter(|(_, probe)| expired(probe)).map(|(ttl, _)| ttl).max().unwrap_or(0);
    let lost = |ttl: u8| long().filter(|(sent, probe)| *sent == ttl && !expired(probe)).count() >= 2;
    let before = (after.saturating_add(1)..=end).find(|ttl| lost(*ttl))?;
    Some(Place { after, before, end, by: Sign::Ttl })
}

fn is_answered(probe: &PathProbe) -> bool {
    matches!(probe.answer, PathAnswer::Data { .. })
}

#[cfg(test)]
mod tests {
    use tlswhy_model::{Bytes, Piece, TcpState};

    use super::super::tests::{measured, probe, whole};
    use super::*;

    const DATA: PathAnswer = PathAnswer::Data { bytes: Bytes(Vec::new()) };

    fn sized(max_segment: u16, answer: PathAnswer) -> PathProbe {
        PathProbe { max_segment: Some(max_segment), ..probe(PathPacket::Test, None, answer, 20.0) }
    }

    fn silent(unacknowledged_segments: u32) -> Vec<PathProbe> {
        let tcp = TcpState {
            largest_segment_bytes: 1448,
            unacknowledged_segments,
            sacked_segments: 0,
            acknowledged_bytes: 500,
            received_bytes: 0,
            out_of_order_segments: Some(1),
        };
        let probes = whole(&PathAnswer::Silence, 900.0).into_iter();
        probes.map(|probe| PathProbe { tcp: (probe.sent == PathPacket::Test).then_some(tcp), ..probe }).collect()
    }

    fn found(first: Vec<PathProbe>, further: Vec<PathProbe>) -> Option<Matters> {
        matters(&measured(first.into_iter().chain(further).collect()))
    }

    #[test]
    fn small_segments_that_are_answered_show_that_packets_are_lost_and_in_which_direction() {
        let border =
            || vec![sized(536, DATA), sized(1260, DATA), sized(1261, PathAnswer::Silence), sized(1400, PathAnswer::Silence)];
        let packets = |to_server| Packets { works: 1260, fails: Some(1261), packet: 1300, to_server: Some(to_server) };
        assert_eq!(found(silent(0), border()), Some(Matters::Packets(packets(false))));
        assert_eq!(found(silent(1), border()), Some(Matters::Packets(packets(true))));
        let nothing_came = |probe: PathProbe| {
            let tcp = probe.tcp.map(|tcp| TcpState { out_of_order_segments: Some(0), ..tcp });
            PathProbe { tcp, ..probe }
        };
        let silent = silent(0).into_iter().map(nothing_came).collect();
        assert_eq!(found(silent, border()), None, "the hello may have been missed once it was in pieces");
    }

    #[test]
    fn one_answer_may_be_chance() {
        assert_eq!(found(silent(0), vec![sized(536, DATA)]), None);
        assert_eq!(found(silent(0), vec![sized(536, PathAnswer::Silence)]), None);
    }

    #[test]
    fn the_cut_and_the_record_are_told_from_the_length() {
        let piece = Some(Piece { ahead_bytes: 100, bytes: 100 });
        let cut = |answer| PathProbe { piece, ..probe(PathPacket::Control, None, answer, 20.0) };
        let records = |answer| probe(PathPacket::TestInTwoRecords, None, answer, 20.0);
        let reset = || whole(&PathAnswer::Reset, 21.0);
        assert_eq!(found(reset(), vec![cut(PathAnswer::Reset), records(DATA)]), Some(Matters::Segments));
        assert_eq!(found(reset(), vec![cut(DATA), records(DATA)]), Some(Matters::Record));
        assert_eq!(found(reset(), vec![cut(DATA), records(PathAnswer::Reset)]), Some(Matters::Length));
        assert_eq!(found(reset(), Vec::new()), None);
    }

    #[test]
    fn long_datagrams_place_a_narrow_link() {
        let long = |ttl, answer| PathProbe { packet_bytes: Some(1301), ..probe(PathPacket::Datagram, Some(ttl), answer, 5.0) };
        let expired = || PathAnswer::Expired { by: None };
        let border = [sized(536, DATA), sized(1260, DATA), sized(1261, PathAnswer::Silence)];
        let placed = |datagrams: Vec<PathProbe>| {
            let measurement = measured(silent(0).into_iter().chain(border.clone()).chain(datagrams).collect());
            place(&measurement, matters(&measurement).unwrap()).map(|place| (place.after, place.before))
        };
        let lost = || long(3, PathAnswer::Silence);
        assert_eq!(placed(vec![long(2, expired()), lost(), lost()]), Some((2, 3)));
        assert_eq!(placed(vec![long(2, expired()), lost()]), None, "one may be chance");
        assert_eq!(placed(vec![long(4, expired())]), None);
    }
}
