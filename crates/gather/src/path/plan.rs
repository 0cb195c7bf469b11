//! What is sent in which order. The next packet depends on what came back; what it means for the handshake is judged elsewhere.

use std::time::Duration;

use tlswhy_model::{PathAnswer, PathPacket};

use super::{Prober, TRIES};

/// The farthest hop that is looked for.
const MOST_HOPS: u8 = 30;
/// So many hops in a row that say nothing, and the search is given up where the server does not answer either.
const MOST_SILENT: usize = 4;
/// Routers say only so much in a second: what was not said is asked again after this.
const REST: Duration = Duration::from_millis(1100);

/// Carries the measurement out; the error says why it ended early.
pub(super) fn carry_out(prober: &mut Prober) -> Result<(), String> {
    let stands = reach(prober)?;
    let hops = walk(prober, stands)?;
    look_beyond(prober, &hops)?;
    if stands && prober.test.is_some() {
        follow(prober, &hops)?;
    }
    Ok(())
}

/// How far the other end is, and which hops before it answer.
struct Hops {
    /// TTL with which the other end of TCP was reached.
    end: Option<u8>,
    /// TTLs that ran out where a router said so.
    speaking: Vec<u8>,
    /// The farthest TTL that was tried.
    tried: u8,
}

/// Does a connection come about? Two, to know how long a round trip takes.
fn reach(prober: &mut Prober) -> Result<bool, String> {
    let mut stood = 0;
    for _ in 0..TRIES {
        let wait = if stood == 0 { prober.connect_timeout.min(Duration::from_millis(950)) } else { prober.wait() };
        stood += usize::from(prober.request(None, wait)? == PathAnswer::Connected);
        if stood == 2 {
            break;
        }
    }
    Ok(stood > 0)
}

/// Connection requests from one hop farther each.
fn walk(prober: &mut Prober, stands: bool) -> Result<Hops, String> {
    let mut hops = Hops { end: None, speaking: Vec::new(), tried: 0 };
    let mut silent = 0;
    for ttl in 1..=MOST_HOPS {
        hops.tried = ttl;
        let answer = insist(prober, ttl, if silent > 1 { 1 } else { 2 })?;
        match answer {
            PathAnswer::Connected | PathAnswer::Refused => {
                hops.end = Some(nearest_end(prober, ttl, silent)?);
                break;
            }
            PathAnswer::Silence => silent += 1,
            _ => {
                silent = 0;
                hops.speaking.push(ttl);
            }
        }
        if !stands && silent >= MOST_SILENT {
            break;
        }
    }
    Ok(hops)
}

/// Sends a connection request until something comes back.
fn insist(prober: &mut Prober, ttl: u8, tries: usize) -> Result<PathAnswer, String> {
    for _ in 0..tries {
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
        match insist(prober, nearer, 2)? {
            PathAnswer::Connected | PathAnswer::Refused if nearer > 0 => end = nearer,
            _ => break,
        }
    }
    Ok(end)
}

/// Datagrams: does the way go on where TCP ends, and where connection requests get no answer?
fn look_beyond(prober: &mut Prober, hops: &Hops) -> Result<(), String> {
    if let Some(end) = hops.end {
        for _ in 0..2 {
            if prober.datagram(end)? != PathAnswer::Silence {
                break;
            }
        }
        return Ok(());
    }
    let last = hops.speaking.last().copied().unwrap_or(0);
    for ttl in last.saturating_add(1)..=hops.tried {
        if matches!(prober.datagram(ttl)?, PathAnswer::PortUnreachable { .. }) {
            break;
        }
    }
    Ok(())
}

/// The test from the whole way, then from ever nearer, until the place is known to one hop.
fn follow(prober: &mut Prober, hops: &Hops) -> Result<(), String> {
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
    let (Some(end), [first, second]) = (hops.end, fails.as_slice()) else {
        return Ok(());
    };
    // Only what ends in one way has one place.
    if !is_alike(first, second) {
        return Ok(());
    }
    match first {
        PathAnswer::Silence => follow_silence(prober, hops, end),
        answer if is_answer(answer) => follow_answer(prober, end),
        _ => Ok(()),
    }
}

/// The nearest TTL that is answered: halving, then both sides of the border once more.
fn follow_answer(prober: &mut Prober, end: u8) -> Result<(), String> {
    if !answered(prober, end)? {
        return Ok(());
    }
    let (mut before, mut from) = (0, end);
    while from.saturating_sub(before) > 1 {
        let ttl = before.midpoint(from);
        if answered(prober, ttl)? {
            from = ttl;
        } else {
            before = ttl;
        }
    }
    answered(prober, from)?;
    if before > 0 {
        answered(prober, before)?;
    }
    Ok(())
}

/// Whether the test with this TTL is answered, by other than a router.
fn answered(prober: &mut Prober, ttl: u8) -> Result<bool, String> {
    for _ in 0..2 {
        let wait = prober.wait();
        match prober.say(PathPacket::Test, Some(ttl), wait)? {
            PathAnswer::Silence | PathAnswer::NoConnection => {}
            answer => return Ok(is_answer(&answer)),
        }
    }
    Ok(false)
}

/// The farthest hop whose router says that the test ran out there. Only routers that spoke before are asked.
fn follow_silence(prober: &mut Prober, hops: &Hops, end: u8) -> Result<(), String> {
    let mut candidates: Vec<u8> = hops.speaking.iter().copied().filter(|ttl| *ttl < end).collect();
    let mut farthest = None;
    while let Some(ttl) = candidates.get(candidates.len() / 2).copied() {
        match passes(prober, ttl)? {
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
        passes(prober, ttl)?;
    }
    Ok(())
}

/// Whether the test comes as far as this; `None` where the hop says nothing of the control either.
fn passes(prober: &mut Prober, ttl: u8) -> Result<Option<bool>, String> {
    let wait = prober.wait();
    for again in [false, true] {
        if again {
            std::thread::sleep(REST);
        }
        let test = prober.say(PathPacket::Test, Some(ttl), wait)?;
        if matches!(test, PathAnswer::Expired { .. }) {
            return Ok(Some(true));
        }
        if matches!(prober.say(PathPacket::Control, Some(ttl), wait)?, PathAnswer::Expired { .. }) {
            let test = prober.say(PathPacket::Test, Some(ttl), wait)?;
            return Ok(Some(matches!(test, PathAnswer::Expired { .. })));
        }
    }
    Ok(None)
}

/// Whether it is an answer to a flight, not the word of a router where the TTL ran out, and not silence.
fn is_answer(answer: &PathAnswer) -> bool {
    matches!(answer, PathAnswer::Data { .. } | PathAnswer::Reset | PathAnswer::Closed | PathAnswer::Refused)
}

fn is_alike(one: &PathAnswer, other: &PathAnswer) -> bool {
    std::mem::discriminant(one) == std::mem::discriminant(other)
}
