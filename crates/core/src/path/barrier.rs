//! Who keeps connections from coming about: what becomes of connection requests on the way.

use std::net::IpAddr;

use tlswhy_model::{PathAnswer, PathMeasurement, PathPacket, PathProbe};

use super::{end, hops, with_ttl};
use crate::knowledge::icmp;

/// What keeps connections from coming about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Barrier {
    /// What it does to a connection request.
    pub act: Act,
    /// Who does it.
    pub who: Who,
}

/// What becomes of a connection request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Act {
    /// It is answered by a reset.
    Reset,
    /// An ICMP message says that it goes no farther.
    Message {
        /// Why.
        words: String,
        /// Whether a rule refuses it; else there is no way, or nobody at its end.
        is_rule: bool,
    },
    /// Nothing is heard of it.
    Lost,
}

/// Who does it, as far as it is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Who {
    /// The host that has the address.
    Host {
        /// How far it is, where that was seen.
        hop: Option<u8>,
    },
    /// This machine itself: nothing leaves it.
    Here,
    /// A router, by the address with which it says so.
    Router {
        /// The address.
        address: IpAddr,
        /// How far it is, where it is one of the hops.
        hop: Option<u8>,
    },
    /// Something at one of these two hops, or on the link between, before the host.
    Between {
        /// The last hop that it is known to be not nearer than; 0 is this machine.
        after: u8,
        /// The first hop that it is known to be not farther than.
        before: u8,
    },
    /// The host that has the address, or something right before it.
    AtTheHost {
        /// The last hop that it is known to be not nearer than.
        after: u8,
        /// How far the host is.
        before: u8,
    },
    /// Something at this hop or at the one before, or between; it may be the host.
    AsFarAs {
        /// The hop.
        hop: u8,
    },
    /// Something not nearer than this hop; behind it nobody speaks.
    Behind {
        /// The hop.
        hop: u8,
    },
}

impl Barrier {
    /// Where on the way it is, for a picture: the last hop that it is not nearer than, and the first that it is not farther than.
    pub fn place(&self) -> Option<(u8, u8)> {
        match self.who {
            Who::Router { hop: Some(hop), .. } => Some((hop, hop)),
            Who::Between { after, before } | Who::AtTheHost { after, before } => Some((after, before)),
            _ => None,
        }
    }

    /// Whether it is certainly somebody on the way, not the host.
    pub fn is_on_the_way(&self) -> bool {
        matches!(self.who, Who::Router { .. } | Who::Between { .. })
    }

    /// What the client sees.
    pub fn says(&self) -> String {
        match &self.act {
            Act::Reset => "the connection request is refused (reset)".to_owned(),
            Act::Message { words, .. } => format!("the connection request is answered with ICMP \"{words}\""),
            Act::Lost => "the connection request is lost".to_owned(),
        }
    }
}

/// What keeps connections from coming about; `None` where some came about, or what became of the requests differs.
pub fn barrier(measurement: &PathMeasurement) -> Option<Barrier> {
    let requests = || measurement.probes.iter().filter(|probe| probe.sent == PathPacket::ConnectionRequest);
    if requests().any(|probe| probe.answer == PathAnswer::Connected) {
        return None;
    }
    let whole = || requests().filter(|probe| probe.ttl.is_none());
    if let Some(probe) = whole().find(|probe| message(measurement, &probe.answer).is_some()) {
        let (act, by) = message(measurement, &probe.answer)?;
        return Some(Barrier { act, who: who_says(measurement, by) });
    }
    if whole().any(|probe| probe.answer == PathAnswer::Refused) {
        return end(measurement).map(|end| Barrier { act: Act::Reset, who: who_refuses(measurement, end) });
    }
    whole().next()?;
    Some(Barrier { act: Act::Lost, who: who_loses(measurement) })
}

/// A message that something goes no farther, and whose it is.
fn message(measurement: &PathMeasurement, answer: &PathAnswer) -> Option<(Act, Option<IpAddr>)> {
    match answer {
        PathAnswer::PortUnreachable { by } => {
            Some((Act::Message { words: icmp::PORT_UNREACHABLE.to_owned(), is_rule: true }, *by))
        }
        PathAnswer::Unreachable { by, icmp_type, icmp_code, detail } => {
            let known = icmp_type.zip(*icmp_code);
            let known = known.and_then(|(kind, code)| icmp::unreachable(measurement.question.address, kind, code));
            let words = known.map_or_else(|| tlswhy_model::printable(detail, 120), |word| word.says.to_owned());
            Some((Act::Message { words, is_rule: known.is_some_and(|word| word.is_rule) }, *by))
        }
        _ => None,
    }
}

fn who_says(measurement: &PathMeasurement, by: Option<IpAddr>) -> Who {
    // A word that came from nobody is the system's own.
    let Some(address) = by.filter(|by| Some(*by) != measurement.source_address) else { return Who::Here };
    let known = hops(measurement).into_iter().find(|hop| hop.address == Some(address)).map(|hop| hop.ttl);
    if address == measurement.question.address { Who::Host { hop: known } } else { Who::Router { address, hop: known } }
}

fn who_refuses(measurement: &PathMeasurement, end: u8) -> Who {
    let host = measurement.question.address;
    let reached = |(ttl, probe): (u8, &PathProbe)| match &probe.answer {
        PathAnswer::PortUnreachable { by } if *by == Some(host) => Some(ttl),
        _ => None,
    };
    let farther = |(ttl, probe): &(u8, &PathProbe)| {
        *ttl > end && reached((*ttl, probe)).is_some() || *ttl >= end && matches!(probe.answer, PathAnswer::Expired { .. })
    };
    if with_ttl(measurement, PathPacket::Datagram).any(|sent| farther(&sent)) {
        return Who::Between { after: end.saturating_sub(1), before: end };
    }
    match with_ttl(measurement, PathPacket::Datagram).filter_map(reached).min() {
        Some(hop) => Who::Host { hop: Some(hop) },
        None => Who::AsFarAs { hop: end },
    }
}

fn who_loses(measurement: &PathMeasurement) -> Who {
    let requests = || with_ttl(measurement, PathPacket::ConnectionRequest);
    let expired = |(_, probe): &(u8, &PathProbe)| matches!(probe.answer, PathAnswer::Expired { .. });
    let last = requests().filter(expired).map(|(ttl, _)| ttl).max().unwrap_or(0);
    // Where a datagram is heard of and connection requests are not, it is the requests that are lost.
    let heard = |answer: &PathAnswer| matches!(answer, PathAnswer::Expired { .. } | PathAnswer::PortUnreachable { .. });
    let beyond = with_ttl(measurement, PathPacket::Datagram).filter(|(ttl, probe)| *ttl > last && heard(&probe.answer));
    match beyond.min_by_key(|(ttl, _)| *ttl) {
        Some((before, PathProbe { answer: PathAnswer::PortUnreachable { .. }, .. })) => Who::AtTheHost { after: last, before },
        Some((before, _)) => Who::Between { after: last, before },
        None => Who::Behind { hop: last },
    }
}

#[cfg(test)]
mod tests {
    use tlswhy_model::PathQuestion;

    use super::super::tests::probe;
    use super::*;

    const HOST: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 7));
    const HERE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 100));

    fn router(hop: u8) -> IpAddr {
        IpAddr::from([198, 51, 100, hop])
    }

    fn expired(hop: u8) -> PathAnswer {
        PathAnswer::Expired { by: Some(router(hop)) }
    }

    fn prohibited(by: IpAddr) -> PathAnswer {
        PathAnswer::Unreachable { by: Some(by), icmp_type: Some(3), icmp_code: Some(13), detail: "no route".to_owned() }
    }

    /// Requests of the whole way, then with each TTL, then datagrams.
    fn measured(whole: PathAnswer, requests: &[(u8, PathAnswer)], datagrams: &[(u8, PathAnswer)]) -> PathMeasurement {
        let probe = |sent, ttl, answer: &PathAnswer| probe(sent, ttl, answer.clone(), 1.0);
        let mut probes = vec![probe(PathPacket::ConnectionRequest, None, &whole)];
        probes.extend(requests.iter().map(|(ttl, answer)| probe(PathPacket::ConnectionRequest, Some(*ttl), answer)));
        probes.extend(datagrams.iter().map(|(ttl, answer)| probe(PathPacket::Datagram, Some(*ttl), answer)));
        PathMeasurement {
            question: PathQuestion { address: HOST, port: 443, test: None, control: None, by_size: false },
            started_ms: 0.0,
            ended_ms: 0.0,
            source_address: Some(HERE),
            source_port: 40000,
            probes,
            cut_short: None,
        }
    }

    fn who(measurement: &PathMeasurement) -> Who {
        barrier(measurement).unwrap().who
    }

    #[test]
    fn a_message_names_who_sent_it() {
        let requests = [(1, expired(1)), (2, expired(2)), (3, prohibited(router(2)))];
        let found = barrier(&measured(prohibited(router(2)), &requests, &[])).unwrap();
        assert_eq!(found.who, Who::Router { address: router(2), hop: Some(2) });
        let words = "communication administratively prohibited".to_owned();
        assert_eq!(found.act, Act::Message { words, is_rule: true });
        let host = PathAnswer::PortUnreachable { by: Some(HOST) };
        assert_eq!(who(&measured(host.clone(), &[(1, expired(1)), (2, host)], &[])), Who::Host { hop: Some(2) });
        assert_eq!(who(&measured(prohibited(HERE), &[], &[])), Who::Here);
    }

    #[test]
    fn a_reset_is_the_hosts_only_where_the_host_answers_from_there() {
        let requests = [(1, expired(1)), (2, expired(2)), (3, PathAnswer::Refused)];
        let from = |datagrams: &[(u8, PathAnswer)]| who(&measured(PathAnswer::Refused, &requests, datagrams));
        let host = PathAnswer::PortUnreachable { by: Some(HOST) };
        assert_eq!(from(&[(3, host.clone())]), Who::Host { hop: Some(3) });
        assert_eq!(from(&[(3, expired(3))]), Who::Between { after: 2, before: 3 });
        assert_eq!(from(&[(3, PathAnswer::Silence), (4, host)]), Who::Between { after: 2, before: 3 });
        assert_eq!(from(&[(3, PathAnswer::Silence)]), Who::AsFarAs { hop: 3 });
    }

    #[test]
    fn requests_are_lost_between_hops_only_where_datagrams_are_heard_of_behind() {
        let requests = [(1, expired(1)), (2, expired(2)), (3, PathAnswer::Silence)];
        let lost = |datagrams: &[(u8, PathAnswer)]| who(&measured(PathAnswer::Silence, &requests, datagrams));
        assert_eq!(lost(&[(3, expired(3))]), Who::Between { after: 2, before: 3 });
        let host = PathAnswer::PortUnreachable { by: Some(HOST) };
        assert_eq!(lost(&[(3, host)]), Who::AtTheHost { after: 2, before: 3 });
        assert_eq!(lost(&[(3, PathAnswer::Silence)]), Who::Behind { hop: 2 });
        assert_eq!(barrier(&measured(PathAnswer::Connected, &requests, &[])), None);
    }
}
