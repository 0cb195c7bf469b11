//! The way to a server as a measurement shows it: its hops, where TCP ends, and from where on something is answered or lost.
//!
//! A packet with the TTL n gets to the n-th hop and no farther. If n is the least TTL with which the hello is answered, or lost, then
//! whoever does that is at hop n - 1, at hop n, or on the link between: a router may act on a packet before or after it counts.

mod barrier;
mod size;

use std::net::IpAddr;

pub use barrier::{Act, Barrier, Who, barrier};
pub use size::{Matters, Packets, matters, place as place_of_size};
use tlswhy_model::{HopView, PathAnswer, PathMeasurement, PathPacket, PathProbe, PathView, StoppedView};

/// How much sooner than a round trip an answer must come to be nobody's at the end.
const SOONER: f64 = 0.6;
/// How much longer than the shortest round trip the longest may be, for times to say something.
const STEADY: f64 = 1.5;
/// Round trips shorter than this, in milliseconds, say nothing about time.
const SHORTEST: f64 = 3.0;

/// A place on the way.
#[derive(Clone, Debug, PartialEq)]
pub struct Hop {
    /// How far it is; 1 is the first router.
    pub ttl: u8,
    /// The address with which it answers.
    pub address: Option<IpAddr>,
    /// The time until it answered, in milliseconds.
    pub round_trip_ms: Option<f64>,
}

/// What becomes of the test on the whole way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ends {
    /// A reset.
    Reset,
    /// A close.
    Close,
    /// An ICMP message that says that the port cannot be reached.
    Refusal,
    /// Silence.
    Silence,
}

impl Ends {
    /// What the client sees.
    pub fn says(self) -> &'static str {
        match self {
            Ends::Reset => "the connection is reset",
            Ends::Close => "the connection is closed",
            Ends::Refusal => "an ICMP message refuses the packet",
            Ends::Silence => "no answer comes",
        }
    }
}

/// Where it is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// The last hop that it is known to be not nearer than; 0 is this machine.
    pub after: u8,
    /// The first hop that it is known to be not farther than.
    pub before: u8,
    /// Where TCP ends.
    pub end: u8,
    /// How that is known.
    pub by: Sign,
}

/// How a place is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sign {
    /// By the TTL with which it is answered or lost.
    Ttl,
    /// The answer comes sooner than the end could send it.
    Time,
}

impl Place {
    /// Whether it is certainly not the end itself that does it.
    pub fn is_before_the_end(&self) -> bool {
        self.by == Sign::Time || self.before < self.end
    }
}

/// What a measurement says of the test.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// A router says that it goes no farther; which one, the system does not tell.
    Unreachable,
    /// It is not known how the test fares, or it fares differently from one time to the next.
    Unclear,
    /// It fails each time in the same way; whether the control worked each time.
    Fails {
        /// In this way.
        ends: Ends,
        /// Here; `None` where the distance of the end is not known.
        place: Option<Place>,
        /// Whether the control was answered each time.
        control: bool,
    },
}

/// The hops of a measurement up to where TCP ends, or as far as it was looked.
pub fn hops(measurement: &PathMeasurement) -> Vec<Hop> {
    let requests = || with_ttl(measurement, PathPacket::ConnectionRequest);
    let looked = requests().map(|(ttl, _)| ttl).max().unwrap_or(0);
    // Where connection requests bring no word, a datagram may.
    let words = || requests().chain(with_ttl(measurement, PathPacket::Datagram));
    let last = end(measurement).unwrap_or(looked);
    let hops = (1..=last).map(|ttl| {
        let said = words().filter(|(sent, _)| *sent == ttl).find_map(|(_, probe)| match &probe.answer {
            PathAnswer::Expired { by } | PathAnswer::Unreachable { by, .. } | PathAnswer::PortUnreachable { by } => {
                Some((*by, probe.after_ms))
            }
            // Where the way goes on, it is the router there that a name or a rule speaks from.
            PathAnswer::Connected | PathAnswer::Refused => {
                let host = Some(measurement.question.address);
                Some((goes_on_behind_the_end(measurement).unwrap_or(host), probe.after_ms))
            }
            _ => None,
        });
        Hop { ttl, address: said.and_then(|(by, _)| by), round_trip_ms: said.map(|(_, after)| after) }
    });
    let mut hops: Vec<Hop> = hops.collect();
    if end(measurement).is_none() {
        while hops.last().is_some_and(|hop| hop.round_trip_ms.is_none()) {
            hops.pop();
        }
    }
    hops
}

/// The TTL with which the other end of TCP is reached.
pub fn end(measurement: &PathMeasurement) -> Option<u8> {
    with_ttl(measurement, PathPacket::ConnectionRequest)
        .filter(|(_, probe)| matches!(probe.answer, PathAnswer::Connected | PathAnswer::Refused))
        .map(|(ttl, _)| ttl)
        .min()
}

/// The router that stands where TCP ends, although the way goes on: something ends TCP there in the host's name.
pub fn goes_on_behind_the_end(measurement: &PathMeasurement) -> Option<Option<IpAddr>> {
    let end = end(measurement)?;
    with_ttl(measurement, PathPacket::Datagram).find_map(|(ttl, probe)| match &probe.answer {
        PathAnswer::Expired { by } if ttl >= end => Some(*by),
        _ => None,
    })
}

/// The farthest hop that a datagram came to.
pub fn farthest_datagram(measurement: &PathMeasurement) -> Option<u8> {
    with_ttl(measurement, PathPacket::Datagram)
        .filter(|(_, probe)| matches!(probe.answer, PathAnswer::Expired { .. } | PathAnswer::PortUnreachable { .. }))
        .map(|(ttl, _)| ttl)
        .max()
}

/// How the test fares.
pub fn verdict(measurement: &PathMeasurement) -> Verdict {
    let whole = |packet| measurement.probes.iter().filter(move |probe| probe.sent == packet && is_plain(probe));
    if whole(PathPacket::Test).next().is_some()
        && whole(PathPacket::Test).all(|probe| matches!(probe.answer, PathAnswer::Unreachable { .. }))
    {
        return Verdict::Unreachable;
    }
    let mut fates: Vec<Option<Ends>> = whole(PathPacket::Test).map(|probe| ends(&probe.answer)).collect();
    // A router refuses only so often in a second: beside two refusals, silence is no other fate.
    if fates.iter().filter(|fate| **fate == Some(Ends::Refusal)).count() >= 2 {
        fates.retain(|fate| *fate != Some(Ends::Silence));
    }
    let (Some(Some(ends)), true) = (fates.first().copied(), fates.len() >= 2) else {
        return Verdict::Unclear;
    };
    if fates.iter().any(|fate| *fate != Some(ends)) {
        return Verdict::Unclear;
    }
    let mut controls = whole(PathPacket::Control).peekable();
    let control = controls.peek().is_some() && controls.all(|probe| matches!(probe.answer, PathAnswer::Data { .. }));
    let place = end(measurement).map(|end| match ends {
        Ends::Silence => place_of_silence(measurement, end),
        _ => place_of_answer(measurement, ends, end),
    });
    Verdict::Fails { ends, place, control }
}

/// How many connections were tried.
pub fn connections(measurement: &PathMeasurement) -> usize {
    measurement.probes.iter().filter(|probe| probe.sent != PathPacket::Datagram).count()
}

/// The way for a report.
pub(crate) fn view(measurement: &PathMeasurement) -> PathView {
    let place = match (matters(measurement), verdict(measurement)) {
        (Some(matters), _) => place_of_size(measurement, matters),
        (None, Verdict::Fails { place, .. }) => place,
        _ => None,
    };
    let of_interest = place.filter(Place::is_before_the_end);
    let stopped = match verdict(measurement) {
        Verdict::Fails { ends, .. } if of_interest.is_some() => {
            of_interest.map(|place| StoppedView { after: place.after, before: place.before, says: ends.says().to_owned() })
        }
        _ => barrier(measurement).and_then(|barrier| {
            let (after, before) = barrier.place()?;
            Some(StoppedView { after, before, says: barrier.says() })
        }),
    };
    let hops = hops(measurement).into_iter();
    let hops = hops.map(|Hop { ttl, address, round_trip_ms }| HopView {
        hop: ttl,
        address: address.map(|address| address.to_string()),
        round_trip_ms,
    });
    PathView {
        address: measurement.question.address.to_string(),
        hops: hops.collect(),
        end: end(measurement),
        stopped,
        says: says(measurement),
    }
}

/// What is known of the way, in words.
fn says(measurement: &PathMeasurement) -> String {
    let mut says = match (barrier(measurement), end(measurement), farthest_datagram(measurement)) {
        (Some(barrier), ..) => format!("no connection comes about: {}", barrier.says()),
        (_, Some(1), _) => "TCP ends at the first hop".to_owned(),
        (_, Some(end), _) => format!("TCP ends {end} hops away"),
        (_, None, Some(farthest)) => format!("no answer of TCP; datagrams come as far as hop {farthest}"),
        (_, None, None) => "no answer of TCP, nor to datagrams".to_owned(),
    };
    if let Some(by) = goes_on_behind_the_end(measurement) {
        let by = by.map(|by| format!(" ({by})")).unwrap_or_default();
        says += &format!(", at a router{by} behind which the way goes on: something there speaks in the host's name");
    }
    if let Some(why) = &measurement.cut_short {
        says += &format!("; the measurement was cut short: {why}");
    }
    says + "."
}

/// From the TTLs with which the test is answered.
fn place_of_answer(measurement: &PathMeasurement, wanted: Ends, end: u8) -> Place {
    let tests = || with_ttl(measurement, PathPacket::Test);
    let answered = |probe: &PathProbe| ends(&probe.answer) == Some(wanted);
    // With a larger TTL the packet comes farther: whoever answers it there answers it here.
    let not_nearer = |ttl: u8| tests().filter(|(sent, _)| *sent <= ttl).all(|(_, probe)| !answered(probe));
    let after = tests().map(|(ttl, _)| ttl).filter(|ttl| not_nearer(*ttl)).max().unwrap_or(0);
    // One answer alone may be chance.
    let twice = |ttl: u8| tests().filter(|(sent, probe)| *sent <= ttl && answered(probe)).count() >= 2;
    let before = tests().filter(|(_, probe)| answered(probe)).map(|(ttl, _)| ttl).filter(|ttl| twice(*ttl)).min();
    let before = before.unwrap_or(end).min(end);
    let by = if before == end && comes_too_soon(measurement, wanted) { Sign::Time } else { Sign::Ttl };
    Place { after, before, end, by }
}

/// From the TTLs with which the test still runs out at a router, and those with which only the control does.
fn place_of_silence(measurement: &PathMeasurement, end: u8) -> Place {
    let came = |packet, ttl: u8, wanted: fn(&PathAnswer) -> bool| {
        with_ttl(measurement, packet).filter(|(sent, probe)| *sent == ttl && wanted(&probe.answer)).count()
    };
    let ran_out = |answer: &PathAnswer| matches!(answer, PathAnswer::Expired { .. });
    let silent = |answer: &PathAnswer| matches!(answer, PathAnswer::Silence);
    // A word that is missing as often as it comes is no sign.
    let passes = |ttl: &u8| came(PathPacket::Test, *ttl, ran_out) > came(PathPacket::Test, *ttl, silent);
    // What the other end acknowledged got there.
    let acknowledged = if is_acknowledged(measurement) { end.saturating_sub(1) } else { 0 };
    let after = (1..end).filter(passes).max().unwrap_or(0).max(acknowledged);
    let lost = |ttl: &u8| {
        let (silent, ran_out) = (came(PathPacket::Test, *ttl, silent), came(PathPacket::Test, *ttl, ran_out));
        silent >= 2 && ran_out == 0
    };
    let heard_of = |ttl: &u8| came(PathPacket::Control, *ttl, |answer| matches!(answer, PathAnswer::Expired { .. })) > 0;
    let before = (after.saturating_add(1)..end).find(|ttl| lost(ttl) && heard_of(ttl)).unwrap_or(end);
    Place { after, before, end, by: Sign::Ttl }
}

/// Whether the other end of TCP acknowledged the whole of the test, and nothing followed.
pub fn is_acknowledged(measurement: &PathMeasurement) -> bool {
    let tests = measurement.probes.iter().filter(|probe| probe.sent == PathPacket::Test && is_plain(probe));
    tests.filter_map(|probe| probe.tcp).any(|tcp| tcp.unacknowledged_segments == 0)
}

/// Whether a flight went out as a whole, in the usual segments, on the whole way.
fn is_plain(probe: &PathProbe) -> bool {
    probe.ttl.is_none() && probe.max_segment.is_none() && probe.piece.is_none()
}

/// Whether each answer to the test came sooner than the end can answer anything.
fn comes_too_soon(measurement: &PathMeasurement, wanted: Ends) -> bool {
    let connected =
        || measurement.probes.iter().filter(|probe| probe.answer == PathAnswer::Connected).map(|probe| probe.after_ms);
    let round_trip = connected().fold(f64::INFINITY, f64::min);
    // Where they differ much, the shortest one seen may still be long.
    let steady = connected().count() >= 3 && connected().all(|time| time < round_trip * STEADY);
    let answers = measurement
        .probes
        .iter()
        .filter(|probe| probe.sent == PathPacket::Test && probe.ttl.is_none() && ends(&probe.answer) == Some(wanted));
    let latest = answers.map(|probe| probe.after_ms).fold(0.0, f64::max);
    steady && round_trip >= SHORTEST && latest < SOONER * round_trip
}

fn ends(answer: &PathAnswer) -> Option<Ends> {
    match answer {
        PathAnswer::Reset => Some(Ends::Reset),
        PathAnswer::Closed => Some(Ends::Close),
        PathAnswer::Refused => Some(Ends::Refusal),
        PathAnswer::Silence => Some(Ends::Silence),
        _ => None,
    }
}

fn with_ttl(measurement: &PathMeasurement, packet: PathPacket) -> impl Iterator<Item = (u8, &PathProbe)> {
    measurement.probes.iter().filter(move |probe| probe.sent == packet).filter_map(|probe| Some((probe.ttl?, probe)))
}

#[cfg(test)]
pub(crate) mod tests {
    use tlswhy_model::{Bytes, PathQuestion};

    use super::*;

    const EXPIRED: PathAnswer = PathAnswer::Expired { by: None };

    pub(super) fn probe(sent: PathPacket, ttl: Option<u8>, answer: PathAnswer, after_ms: f64) -> PathProbe {
        PathProbe { sent, ttl, max_segment: None, piece: None, packet_bytes: None, tcp: None, at_ms: 0.0, answer, after_ms }
    }

    /// A way whose end is at hop 5, with these further probes.
    pub(super) fn measured(further: Vec<PathProbe>) -> PathMeasurement {
        let address = IpAddr::from([192, 0, 2, 7]);
        let request = |ttl, answer, after| probe(PathPacket::ConnectionRequest, ttl, answer, after);
        let mut probes = vec![request(None, PathAnswer::Connected, 20.0), request(None, PathAnswer::Connected, 21.0)];
        probes.extend((1..5).map(|ttl| request(Some(ttl), EXPIRED, f64::from(ttl))));
        probes.push(request(Some(5), PathAnswer::Connected, 20.0));
        probes.extend(further);
        PathMeasurement {
            question: PathQuestion { address, port: 443, test: None, control: None, by_size: false },
            started_ms: 0.0,
            ended_ms: 0.0,
            source_address: None,
            source_port: 40000,
            probes,
            cut_short: None,
        }
    }

    pub(super) fn whole(answer: &PathAnswer, after_ms: f64) -> Vec<PathProbe> {
        let data = PathAnswer::Data { bytes: Bytes(vec![22]) };
        (0..2)
            .flat_map(|_| {
                [probe(PathPacket::Control, None, data.clone(), 21.0), probe(PathPacket::Test, None, answer.clone(), after_ms)]
            })
            .collect()
    }

    fn tests(answers: &[(u8, PathAnswer)]) -> Vec<PathProbe> {
        answers.iter().map(|(ttl, answer)| probe(PathPacket::Test, Some(*ttl), answer.clone(), 8.0)).collect()
    }

    fn place(further: Vec<PathProbe>) -> Place {
        match verdict(&measured(further)) {
            Verdict::Fails { place: Some(place), .. } => place,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn the_least_ttl_with_a_reset_twice_is_the_far_side_of_the_place() {
        let reset = PathAnswer::Reset;
        let mut probes = whole(&reset, 21.0);
        probes.extend(tests(&[(5, reset.clone()), (2, EXPIRED), (3, reset.clone()), (3, reset.clone()), (2, EXPIRED)]));
        assert_eq!(place(probes), Place { after: 2, before: 3, end: 5, by: Sign::Ttl });
    }

    #[test]
    fn a_single_reset_far_out_proves_no_place() {
        let reset = PathAnswer::Reset;
        let mut probes = whole(&reset, 21.0);
        probes.extend(tests(&[(2, reset.clone()), (3, EXPIRED)]));
        assert!(!place(probes).is_before_the_end());
    }

    #[test]
    fn a_reset_from_the_distance_of_the_end_is_the_ends_unless_it_comes_too_soon() {
        let reset = PathAnswer::Reset;
        for (after_ms, before_the_end) in [(21.0, false), (8.0, true)] {
            let mut probes = whole(&reset, after_ms);
            probes.extend(tests(&[(4, EXPIRED), (5, reset.clone()), (5, reset.clone())]));
            assert_eq!(place(probes).is_before_the_end(), before_the_end, "{after_ms}");
        }
    }

    #[test]
    fn silence_has_a_place_only_where_the_control_is_heard_of() {
        let silence = PathAnswer::Silence;
        let mut probes = whole(&silence, 900.0);
        probes.extend(tests(&[(2, EXPIRED), (3, silence.clone()), (3, silence.clone())]));
        assert_eq!(place(probes.clone()), Place { after: 2, before: 5, end: 5, by: Sign::Ttl });
        probes.push(probe(PathPacket::Control, Some(3), EXPIRED, 4.0));
        assert_eq!(place(probes), Place { after: 2, before: 3, end: 5, by: Sign::Ttl });
    }

    #[test]
    fn what_fares_differently_each_time_is_unclear() {
        let mut probes = whole(&PathAnswer::Reset, 8.0);
        probes.extend(whole(&PathAnswer::Silence, 900.0));
        assert_eq!(verdict(&measured(probes)), Verdict::Unclear);
        assert_eq!(verdict(&measured(Vec::new())), Verdict::Unclear);
    }
}
