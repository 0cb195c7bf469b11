use tlswhy_model::{Exhibit, Finding, Party, Safety, Stage};

use super::found::{Found, remedy};
use super::places;
use crate::causes::Cause;
use crate::examination::{FaultKind, SizeFault};
use crate::path::{Matters, Packets};

/// Something between stops or loses a flight because of its size.
pub(super) static CAUSE: Cause = Cause {
    code: "path-size-intolerance",
    family: "path",
    party: Party::Path,
    stage: Stage::Hello,
    doc: include_str!("path_size_intolerance.md"),
    leads_to: &[],
    examine,
};

fn examine(found: &Found<'_>) -> Option<Finding> {
    let FaultKind::PathSize(fault) = &found.fault.kind else {
        return None;
    };
    let measurement = found.measurement();
    let place = match &fault.place {
        Some(at) => places::place(measurement, at),
        None => "somewhere on the way".to_owned(),
    };
    let (title, why) = in_words(fault, &place);
    let how = match (&fault.place, fault.matters) {
        (Some(at), Matters::Packets(Packets { to_server: Some(false), packet, .. })) => format!(
            "Datagrams longer than {packet} bytes, sent so that they end at hop {}, are reported by the router there; of those sent to hop {} nothing is heard: the link there is narrow.",
            at.after, at.before
        ),
        (Some(at), _) => places::how(measurement, fault.ends, at),
        (None, _) => "Where, could not be seen from here.".to_owned(),
    };
    let seen = contrast(fault);
    let mut finding = found.finding(&CAUSE, title, format!("{seen} {how}"), why);
    if let Some(at) = &fault.place {
        finding.exhibits.insert(0, places::exhibit(measurement, at, seen.clone()));
    } else {
        finding.exhibits.insert(0, Exhibit::Hop { after: None, before: None, says: seen.clone() });
    }
    let letter = places::letter_of_size(found, &seen, &place, &how);
    match fault.matters {
        Matters::Packets(packets) => mend_packets(&mut finding, packets, &place, letter),
        _ => mend_reader(&mut finding, &place, letter),
    }
    finding.reproduce.push(found.tlswhy("trace", ""));
    if let Matters::Packets(packets) = fault.matters {
        let v6 = measurement.is_some_and(|measured| measured.question.address.is_ipv6());
        // The headers of IP and of the echo.
        let payload = packets.packet.saturating_sub(if v6 { 48 } else { 28 });
        let host = &found.case.evidence.subject.host;
        finding.reproduce.push(format!("ping -c 3 -M do -s {} {host}", payload.saturating_add(1)));
        finding.reproduce.push(format!("ping -c 3 -M do -s {payload} {host}"));
        finding.references.push("RFC 2923 §2.1 (black holes)".to_owned());
    } else {
        finding.references.push("RFC 8446 §5.1".to_owned());
    }
    finding.reproduce.push(found.s_client(""));
    Some(finding)
}

/// What it is, as a title, and why the handshake fails for it.
fn in_words(fault: &SizeFault, place: &str) -> (String, String) {
    match fault.matters {
        Matters::Packets(Packets { packet, to_server: Some(false), .. }) => (
            format!("Packets over {packet} bytes from the server are lost, {place}"),
            "The server's first flight, with its certificates, fills whole packets: they never arrive, and nobody tells the server to make smaller ones (no ICMP comes to it).".to_owned(),
        ),
        Matters::Packets(Packets { packet, .. }) => (
            format!("Packets over {packet} bytes are stopped, {place}"),
            "A longer hello fills whole packets, and those do not get through; nobody tells the client to make smaller ones (no ICMP comes to it).".to_owned(),
        ),
        Matters::Segments => (
            format!("A hello in two segments is stopped, {place}"),
            "A device on the way reads hellos and takes the first segment for the whole: one that is longer than a segment, as with a post-quantum key share, is broken to it.".to_owned(),
        ),
        Matters::Record | Matters::Length => (
            format!("A long hello is stopped, {place}"),
            "A device on the way reads hellos, and takes none of this length; the server never gets it.".to_owned(),
        ),
    }
}

/// What was seen, as one sentence or two.
fn contrast(fault: &SizeFault) -> String {
    let lengths = match fault.lengths {
        Some((fails, works)) => {
            format!("To a hello of {fails} bytes {}, to one of {works} bytes the server answers.", fault.ends.says())
        }
        None => format!("To the hello {}, though TCP connects.", fault.ends.says()),
    };
    match fault.matters {
        Matters::Packets(Packets { works, fails, to_server, .. }) => {
            let border = fails.map(|fails| format!(", and with {fails} no more")).unwrap_or_default();
            let acknowledged = match to_server {
                Some(false) => " The hello itself was acknowledged: it is the answer that is lost.",
                _ => "",
            };
            format!(
                "{lengths} On connections whose segments are limited to {works} bytes (MSS) the very same hello is answered{border}.{acknowledged}"
            )
        }
        Matters::Segments => format!(
            "{lengths} The short one, too, ends so once it is sent in two segments, though in small packets nothing changes."
        ),
        Matters::Record => format!(
            "{lengths} The long one is answered once its message is sent in two records; smaller packets change nothing."
        ),
        Matters::Length => format!("{lengths} Smaller packets change nothing, nor does cutting the short one in two."),
    }
}

fn mend_packets(finding: &mut Finding, packets: Packets, place: &str, letter: String) {
    let (mss, mtu) = (packets.works, packets.packet);
    finding.remedies.push(remedy(
        Party::Path,
        Safety::Safe,
        format!("At the router before the narrow link ({place}): let ICMP pass, and limit the segments of TCP to what the link takes"),
        vec![
            format!("What can be sent to them: {letter}"),
            "ICMP \"fragmentation needed\" (type 3, code 4) and ICMPv6 \"packet too big\" (type 2) must get from the router to both ends".to_owned(),
            format!("nftables, in a chain that forwards: `tcp flags syn tcp option maxseg size set {mss}`"),
            format!("iptables: `iptables -t mangle -A FORWARD -p tcp --tcp-flags SYN,RST SYN -j TCPMSS --set-mss {mss}`"),
        ],
        "The two ends agree on segments that fit the link when they connect, so that none has to be refused.",
        None,
    ));
    finding.remedies.push(remedy(
        Party::Client,
        Safety::Safe,
        "Until then, ask for smaller segments on this machine",
        vec![
            format!("For one address: `ip route add ADDRESS via GATEWAY advmss {mss}`"),
            format!("For everything that leaves by an interface: `ip link set dev INTERFACE mtu {mtu}`"),
        ],
        "The server sends no larger segments than the client asks for, and the client none larger than its interface takes.",
        None,
    ));
}

fn mend_reader(finding: &mut Finding, place: &str, letter: String) {
    finding.remedies.push(remedy(
        Party::Path,
        Safety::Manual,
        format!("Ask whoever runs the network {place} to update the device that reads hellos there, or to exempt this server"),
        vec![
            format!("What can be sent to them: {letter}"),
            "It must collect the whole hello before it decides: a message may come in any number of segments and records, and post-quantum clients send over 1,500 bytes".to_owned(),
        ],
        "The server answers hellos of this length that get to it in one piece or come from elsewhere.",
        None,
    ));
    finding.remedies.push(remedy(
        Party::Client,
        Safety::Weakens,
        "Until then, leave the post-quantum group out of this client's hello, which gives up its protection",
        vec![
            "OpenSSL 3.5 and later, in a file named by OPENSSL_CONF: `Groups = X25519:P-256`".to_owned(),
            "curl: `--curves X25519:P-256`; Go: GODEBUG=tlsmlkem=0; Chrome and Firefox have a policy for it".to_owned(),
        ],
        "The hello then fits into one segment.",
        None,
    ));
}
