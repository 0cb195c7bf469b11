//! What is sent in which order. The next packet depends on what came back; what it means for the handshake is judged elsewhere.

use std::time::Duration;

use tlswhy_model::{PathAnswer, PathPacket};

use super::prober::{LONGEST_WAIT, Manner, Prober, TRIES};
use super::size;

/// The farthest hop that is looked for.
const MOST_HOPS: u8 = 30;
/// So many hops in a row that say nothing, and the search is given up where the server does not answer either.
const MOST_SILENT: usize = 4;
/// Routers say only so much in a second: what was not said is asked again after this.
pub(super) const REST: Duration = Duration::from_millis(1100);

/// Carries the measurement out; the error says why it ended early.
pub(super) fn carry_out(prober: &mut Prober, by_size: bool) -> Result<(), String> {
    let fate = reach(prober)?;
    let hops = walk(prober, fate)?;
    look_beyond(prober, &hops, fate)?;
    if fate == Fate::Stands && prober.test.is_some() {
        follow(prober, &hops, by_size)?;
    }
    Ok(())
}

/// What becomes of connection requests on the whole way.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Fate {
    Stands,
    /// They are refused by the other end of TCP, or in its name.
    Refused,
    /// Somebody says that they go no farther, in a message that may be limited in number.
    Stopped,
    Silent,
}

/// How far the other end is, and which hops before it answer.
pub(super) struct Hops {
    /// TTL with which the other end of TCP was reached.
    end: Option<u8>,
    /// TTLs that ran out where a router said so.
    pub(super) speaking: Vec<u8>,
    /// TTL with which a connection request was said to go no farther.
    stop: Option<u8>,
    /// The farthest TTL that was tried.
    tried: u8,
}

/// Do connections come about? Two, to know how long a round trip takes; as often it is asked where none does.
fn reach(prober: &mut Prober) -> Result<Fate, String> {
    let mut fates: Vec<Fate> = Vec::new();
    for again in 1..=TRIES {
        let patience = if again == TRIES { Duration::from_secs(3) } else { LONGEST_WAIT };
        let wait = match fates.contains(&Fate::Stands) {
            true => prober.wait(),
            // Where nobody answers, a router may say so only after some seconds of looking for the host.
            false => prober.connect_timeout.min(patience),
        };
        let fate = match prober.request(None, wait)? {
            PathAnswer::Connected => Fate::Stands,
            PathAnswer::Refused => Fate::Refused,
            PathAnswer::Silence => Fate::Silent,
            _ => Fate::Stopped,
        };
        if fate != Fate::Silent && fates.contains(&fate) {
            return Ok(fate);
        }
        fates.push(fate);
    }
    // What came once says more than silence.
    let came = [Fate::Stands, Fate::Refused, Fate::Stopped].into_iter().find(|fate| fates.contains(fate));
    Ok(came.unwrap_or(Fate::Silent))
}

/// Connection requests from one hop farther each.
fn walk(prober: &mut Prober, fate: Fate) -> Result<Hops, String> {
    let mut hops = Hops { end: None, speaking: Vec::new(), stop: None, tried: 0 };
    let mut silent = 0;
    for ttl in 1..=MOST_HOPS {
        hops.tried = ttl;
        let tries = if silent > 1 { 1 } else { 2 };
        let rest = if fate == Fate::Stopped { REST } else { Duration::ZERO };
        match insist(prober, ttl, tries, rest)? {
            PathAnswer::Connected | PathAnswer::Refused => {
                hops.end = Some(nearest_end(prober, ttl, silent)?);
                break;
            }
            PathAnswer::Silence => silent += 1,
            PathAnswer::Expired { .. } => {
                silent = 0;
                hops.speaking.push(ttl);
            }
            _ if fate == Fate::Stopped => {
                hops.stop = Some(ttl);
                break;
            }
            _ => silent = 0,
        }
        if fate != Fate::Stands && silent >= MOST_SILENT {
            break;
        }
    }
    Ok(hops)
}

/// Sends a connection request until something comes back, after a rest each time.
fn insist(prober: &mut Prober, ttl: u8, tries: usize, rest: Duration) -> Result<PathAnswer, String> {
    for again in 0..tries {
        if again > 0 {
            std::thread::sleep(rest);
        }
        let wait = prober.wait();
        let answer = prober.request(Some(ttl), wait)?;
        if answer != PathAnswer::Silence {
            return Ok(answer);
        }
    }
    Ok(PathAnswer::Silence)
}

/// The end answered at `ttl`. Where the TTLs before it brought silence, that may have been loss: they are asked again.
fn nearest_end(prober: &mut Prober, ttl: u8, silent: usize) -> Result<u8, String> {
    let mut end = ttl;
    for _ in 0..silent.min(2) {
        let nearer = end.saturating_sub(1);
        match insist(prober, nearer, 2, Duration::ZERO)? {
            PathAnswer::Connected | PathAnswer::Refused if nearer > 0 => end = nearer,
            _ => break,
        }
    }
    Ok(end)
}

/// Datagrams: does the way go on where TCP ends, and where connection requests get no answer?
fn look_beyond(prober: &mut Prober, hops: &Hops, fate: Fate) -> Result<(), String> {
    if let Some(end) = hops.end.or(hops.stop) {
        // What refuses in the host's name may keep datagrams to itself, while what is behind it speaks.
        let farther = if fate == Fate::Refused { 2 } else { 0 };
        for ttl in [end, end].into_iter().chain((1..=farther).map(|more| end.saturating_add(more))) {
            if prober.datagram(ttl, None)? != PathAnswer::Silence {
                break;
            }
        }
        return Ok(());
    }
    let last = hops.speaking.last().copied().unwrap_or(0);
    for ttl in last.saturating_add(1)..=hops.tried {
        match prober.datagram(ttl, None)? {
            // Is it the request that is lost, or did the router say no more for a while?
            PathAnswer::Expired { .. } if insist(prober, ttl, 2, REST)? == PathAnswer::Silence => break,
            PathAnswer::PortUnreachable { .. } => break,
            _ => {}
        }
    }
    Ok(())
}

/// The test from the whole way, then from ever nearer, until the place is known to one hop.
fn follow(prober: &mut Prober, hops: &Hops, by_size: bool) -> Result<(), String> {
    if prober.control.is_none() {
        let wait = prober.long_wait();
        prober.say(PathPacket::Test, None, wait)?;
        return Ok(());
    }
    let mut fails: Vec<PathAnswer> = Vec::new();
    // In turn, to see what comes and goes, and what is remembered.
    for _ in 0..2 {
        let wait = prober.long_wait();
        prober.say(PathPacket::Control, None, wait)?;
        let wait = prober.long_wait();
        fails.push(prober.say(PathPacket::Test, None, wait)?);
    }
    let wait = prober.long_wait();
    prober.say(PathPacket::Control, None, wait)?;
    // A router refuses only so often in a second.
    if fails.contains(&PathAnswer::Refused) && fails.contains(&PathAnswer::Silence) {
        fails.retain(|answer| *answer != PathAnswer::Silence);
        std::thread::sleep(REST);
        let wait = prober.long_wait();
        fails.push(prober.say(PathPacket::Test, None, wait)?);
    }
    let (Some(end), [first, second]) = (hops.end, fails.as_slice()) else {
        return Ok(());
    };
    // Only what ends in one way has one place.
    if !is_alike(first, second) {
        return Ok(());
    }
    let lost_answer = *first == PathAnswer::Silence && size::is_through(prober);
    let is_long = *first == PathAnswer::Silence && size::takes_more_segments_than_the_control(prober);
    match first {
        _ if by_size || lost_answer || is_long => size::follow(prober, hops, end, first, by_size),
        PathAnswer::Silence => follow_silence(prober, hops, end, Manner::default()),
        answer if is_answer(answer) => follow_answer(prober, end, Manner::default()),
        _ => Ok(()),
    }
}

/// The nearest TTL that is answered: halving, then both sides of the border once more.
pub(super) fn follow_answer(prober: &mut Prober, end: u8, manner: Manner) -> Result<(), String> {
    if !answered(prober, end, manner)? {
        return Ok(());
    }
    let (mut before, mut from) = (0, end);
    while from.saturating_sub(before) > 1 {
        let ttl = before.midpoint(from);
        if answered(prober, ttl, manner)? {
            from = ttl;
        } else {
            before = ttl;
        }
    }
    answered(prober, from, manner)?;
    if before > 0 {
        answered(prober, before, manner)?;
    }
    Ok(())
}

/// Whether the test with this TTL is answered, by other than a router.
fn answered(prober: &mut Prober, ttl: u8, manner: Manner) -> Result<bool, String> {
    // What refuses by ICMP does so only so often in a second.
    let is_limited = prober.probes.iter().any(|probe| probe.sent == PathPacket::Test && probe.answer == PathAnswer::Refused);
    for again in 0..if is_limited { 3 } else { 2 } {
        if is_limited && again > 0 {
            std::thread::sleep(REST);
        }
        let wait = prober.wait();
        match prober.say_so(PathPacket::Test, manner, Some(ttl), wait)? {
            PathAnswer::Silence | PathAnswer::NoConnection => {}
            answer => return Ok(is_answer(&answer)),
        }
    }
    Ok(false)
}

/// The farthest hop whose router says that the test ran out there. Only routers that spoke before are asked.
pub(super) fn follow_silence(prober: &mut Prober, hops: &Hops, end: u8, manner: Manner) -> Result<(), String> {
    let mut candidates: Vec<u8> = hops.speaking.iter().copied().filter(|ttl| *ttl < end).collect();
    let mut farthest = None;
    while let Some(ttl) = candidates.get(candidates.len() / 2).copied() {
        match passes(prober, ttl, manner)? {
            Some(true) => {
                farthest = Some(ttl);
                candidates.retain(|candidate| *candidate > ttl);
            }
            Some(false) => candidates.retain(|candidate| *candidate < ttl),
            None => candidates.retain(|candidate| *candidate != ttl),
        }
    }
    // The border rests on its word: once more.
    if let Some(ttl) = farthest {
        passes(prober, ttl, manner)?;
    }
    Ok(())
}

/// Whether the test comes as far as this; `None` where the hop says nothing of the control either.
fn passes(prober: &mut Prober, ttl: u8, manner: Manner) -> Result<Option<bool>, String> {
    let wait = prober.wait();
    for again in [false, true] {
        if again {
            std::thread::sleep(REST);
        }
        let test = prober.say_so(PathPacket::Test, manner, Some(ttl), wait)?;
        if matches!(test, PathAnswer::Expired { .. }) {
            return Ok(Some(true));
        }
        if matches!(prober.say(PathPacket::Control, Some(ttl), wait)?, PathAnswer::Expired { .. }) {
            let test = prober.say_so(PathPacket::Test, manner, Some(ttl), wait)?;
            return Ok(Some(matches!(test, PathAnswer::Expired { .. })));
        }
    }
    Ok(None)
}

/// Whether it is an answer to a flight, not the word of a router where the TTL ran out, and not silence.
pub(super) fn is_answer(answer: &PathAnswer) -> bool {
    matches!(answer, PathAnswer::Data { .. } | PathAnswer::Reset | PathAnswer::Closed | PathAnswer::Refused)
}

pub(super) fn is_alike(one: &PathAnswer, other: &PathAnswer) -> bool {
    std::mem::discriminant(one) == std::mem::discriminant(other)
}
