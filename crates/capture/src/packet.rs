//! From a frame to a TCP segment: IP, its fragments and extension headers, and tunnels that carry IP within IP.

use std::net::{IpAddr, SocketAddr};

use etherparse::{Ipv6ExtensionSlice, LaxIpv4Slice, LaxIpv6Slice, TcpSlice};

use crate::file::Frame;
use crate::fragments::{Fragment, Fragments};
use crate::tunnels;

/// How many headers of tunnels are taken off.
const MAX_TUNNELS: usize = 4;

const IP_IN_IP: u8 = 4;
const TCP: u8 = 6;
const UDP: u8 = 17;
const IPV6_IN_IP: u8 = 41;
const GRE: u8 = 47;

/// A TCP segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Segment<'a> {
    /// When, in nanoseconds since 1970.
    pub at: u64,
    /// Sender.
    pub source: SocketAddr,
    /// Receiver.
    pub destination: SocketAddr,
    /// Number of the first byte, or of SYN.
    pub sequence: u32,
    /// The next byte that its sender expects.
    pub acknowledgment: Option<u32>,
    /// It opens the connection.
    pub syn: bool,
    /// It is the sender's last.
    pub fin: bool,
    /// It ends the connection.
    pub rst: bool,
    /// What tells senders apart.
    pub marks: Marks,
    /// The bytes, as far as they were captured.
    pub payload: &'a [u8],
    /// Whether more bytes were sent than captured.
    pub cut: bool,
}

/// Fields by which segments of one sender are alike.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Marks {
    /// Time to live, or hop limit, as it arrived.
    pub ttl: u8,
    /// Identification of the IPv4 header.
    pub identification: Option<u16>,
    /// Window as sent, not scaled.
    pub window: u16,
    /// Whether it has TCP options.
    pub has_options: bool,
}

/// Finds segments in frames. Keeps fragments until they are whole.
#[derive(Debug, Default)]
pub struct Decoder {
    fragments: Fragments,
    joined: Vec<u8>,
    /// Packets that begin QUIC connections; they are not examined.
    pub(crate) quic: u64,
    /// Packets with handshakes of DTLS; they are not examined.
    pub(crate) dtls: u64,
}

/// What an IP packet holds.
enum Content<'a> {
    Segment(Segment<'a>),
    Fragment(Fragment<'a>, Around),
    /// The beginning of a QUIC connection (RFC 9000 §17.2.2).
    Quic,
    /// A handshake of DTLS (RFC 9147 §4).
    Dtls,
    Nothing,
}

/// What the headers before the transport say.
#[derive(Clone, Copy)]
struct Around {
    at: u64,
    source: IpAddr,
    destination: IpAddr,
    ttl: u8,
    identification: Option<u16>,
    cut: bool,
    tunnels: usize,
}

impl Decoder {
    /// The segment within a frame, or the one that a frame makes whole.
    pub fn segment<'a>(&'a mut self, frame: &Frame<'a>) -> Option<Segment<'a>> {
        let mut content = packet(frame.link.packet(frame.bytes)?, frame.at, 0);
        if let Content::Fragment(fragment, around) = content {
            self.joined = self.fragments.add(fragment)?;
            content = transport(fragment.protocol, &self.joined, around);
        }
        match content {
            Content::Segment(segment) => return Some(segment),
            Content::Quic => self.quic += 1,
            Content::Dtls => self.dtls += 1,
            Content::Fragment(..) | Content::Nothing => {}
        }
        None
    }
}

fn packet(bytes: &[u8], at: u64, tunnels: usize) -> Content<'_> {
    match bytes.first().map(|first| first >> 4) {
        Some(4) => version_4(bytes, at, tunnels),
        Some(6) => version_6(bytes, at, tunnels),
        _ => Content::Nothing,
    }
}

fn version_4(bytes: &[u8], at: u64, tunnels: usize) -> Content<'_> {
    let Ok((ip, None)) = LaxIpv4Slice::from_slice(bytes) else { return Content::Nothing };
    let header = ip.header();
    let around = Around {
        at,
        source: header.source_addr().into(),
        destination: header.destination_addr().into(),
        ttl: header.ttl(),
        identification: Some(header.identification()),
        cut: ip.payload().incomplete,
        tunnels,
    };
    let protocol = ip.payload_ip_number().0;
    if !ip.is_payload_fragmented() {
        return transport(protocol, ip.payload().payload, around);
    }
    let fragment = Fragment {
        source: around.source,
        destination: around.destination,
        identification: u32::from(header.identification()),
        protocol,
        offset: usize::from(header.fragments_offset().value()) * 8,
        last: !header.more_fragments(),
        bytes: ip.payload().payload,
    };
    Content::Fragment(fragment, around)
}

fn version_6(bytes: &[u8], at: u64, tunnels: usize) -> Content<'_> {
    let Ok((ip, None)) = LaxIpv6Slice::from_slice(bytes) else { return Content::Nothing };
    let header = ip.header();
    let around = Around {
        at,
        source: header.source_addr().into(),
        destination: header.destination_addr().into(),
        ttl: header.hop_limit(),
        identification: None,
        cut: ip.payload().incomplete,
        tunnels,
    };
    let payload = ip.payload();
    if !payload.fragmented {
        return transport(payload.ip_number.0, payload.payload, around);
    }
    let part = ip.extensions().clone().into_iter().find_map(|extension| match extension {
        Ipv6ExtensionSlice::Fragment(part) => Some(part),
        _ => None,
    });
    let Some(part) = part else { return Content::Nothing };
    let fragment = Fragment {
        source: around.source,
        destination: around.destination,
        identification: part.identification(),
        protocol: payload.ip_number.0,
        offset: usize::from(part.fragment_offset().value()) * 8,
        last: !part.more_fragments(),
        bytes: payload.payload,
    };
    Content::Fragment(fragment, around)
}

fn transport(protocol: u8, bytes: &[u8], around: Around) -> Content<'_> {
    let inner = around.tunnels + 1;
    let tunnelled = match protocol {
        TCP => return segment(bytes, around),
        _ if inner > MAX_TUNNELS => None,
        IP_IN_IP | IPV6_IN_IP => Some(bytes),
        GRE => tunnels::generic_routing(bytes),
        UDP => match tunnels::datagram(bytes) {
            None => return datagram(bytes),
            tunnelled => tunnelled,
        },
        _ => None,
    };
    tunnelled.map_or(Content::Nothing, |bytes| packet(bytes, around.at, inner))
}

fn segment(bytes: &[u8], around: Around) -> Content<'_> {
    let Ok(tcp) = TcpSlice::from_slice(bytes) else { return Content::Nothing };
    Content::Segment(Segment {
        at: around.at,
        source: SocketAddr::new(around.source, tcp.source_port()),
        destination: SocketAddr::new(around.destination, tcp.destination_port()),
        sequence: tcp.sequence_number(),
        acknowledgment: tcp.ack().then(|| tcp.acknowledgment_number()),
        syn: tcp.syn(),
        fin: tcp.fin(),
        rst: tcp.rst(),
        marks: Marks {
            ttl: around.ttl,
            identification: around.identification,
            window: tcp.window_size(),
            has_options: !tcp.options().is_empty(),
        },
        payload: tcp.payload(),
        cut: around.cut,
    })
}

/// What is like TLS over UDP.
fn datagram(bytes: &[u8]) -> Content<'_> {
    match bytes.get(8..).unwrap_or_default() {
        // Long header, version 1 and type Initial, or version 2 (RFC 9369 §3.2).
        [0xc0..=0xcf, 0, 0, 0, 1, ..] | [0xd0..=0xdf, 0x6b, 0x33, 0x43, 0xcf, ..] => Content::Quic,
        [22, 254, 253 | 255, ..] => Content::Dtls,
        _ => Content::Nothing,
    }
}

#[cfg(test)]
mod tests {
    use etherparse::PacketBuilder;

    use super::*;
    use crate::link::LinkType;

    fn raw(payload: &[u8]) -> Vec<u8> {
        let builder = PacketBuilder::ipv4([10, 0, 0, 1], [10, 0, 0, 2], 61).tcp(1000, 443, 7, 512).ack(9);
        let mut packet = Vec::new();
        builder.write(&mut packet, payload).unwrap();
        packet
    }

    fn decode<'a>(decoder: &'a mut Decoder, bytes: &'a [u8]) -> Option<Segment<'a>> {
        decoder.segment(&Frame { at: 5, link: LinkType(101), bytes })
    }

    #[test]
    fn a_segment_brings_what_tells_its_sender() {
        let packet = raw(b"hello");
        let mut decoder = Decoder::default();
        let segment = decode(&mut decoder, &packet).unwrap();
        assert_eq!(
            (segment.source.to_string(), segment.destination.to_string()),
            ("10.0.0.1:1000".into(), "10.0.0.2:443".into())
        );
        assert_eq!((segment.sequence, segment.acknowledgment, segment.payload), (7, Some(9), &b"hello"[..]));
        assert_eq!((segment.marks.ttl, segment.marks.window, segment.marks.has_options), (61, 512, false));
        for cut in 0..packet.len() {
            let _ = decode(&mut decoder, &packet[..cut]);
        }
        assert!(decode(&mut decoder, &packet[..packet.len() - 1]).unwrap().cut);
    }

    #[test]
    fn tunnels_are_taken_off_up_to_a_limit() {
        let inner = raw(b"x");
        let around = |protocol: u8, content: &[u8]| {
            let mut packet = Vec::new();
            let builder = PacketBuilder::ipv4([192, 0, 2, 1], [192, 0, 2, 2], 64);
            builder.write(&mut packet, etherparse::IpNumber(protocol), content).unwrap();
            packet
        };
        let mut decoder = Decoder::default();
        let gre = around(GRE, &[&[0x20, 0, 8, 0, 0, 0, 0, 1][..], &inner].concat());
        let mut deep = inner.clone();
        for _ in 0..MAX_TUNNELS {
            deep = around(IP_IN_IP, &deep);
        }
        let frame = [&[0; 12][..], &[8, 0], &inner].concat();
        let mut udp = Vec::new();
        let builder = PacketBuilder::ipv4([192, 0, 2, 1], [192, 0, 2, 2], 64).udp(5000, 4789);
        builder.write(&mut udp, &[&[8, 0, 0, 0, 0, 0, 1, 0][..], &frame].concat()).unwrap();
        for packet in [&gre, &deep, &udp] {
            assert_eq!(decode(&mut decoder, packet).map(|segment| segment.payload), Some(&b"x"[..]));
        }
        assert!(decode(&mut decoder, &around(IP_IN_IP, &deep)).is_none());
    }

    #[test]
    fn fragments_of_both_versions_become_a_segment_in_any_order() {
        let whole = raw(&[7; 60]);
        let fragment = |range: std::ops::Range<usize>| {
            let mut packet = whole[..20].to_vec();
            let more = if range.end < whole.len() - 20 { 0x2000 } else { 0 };
            let field = more | u16::try_from(range.start / 8).unwrap();
            packet[6..8].copy_from_slice(&field.to_be_bytes());
            packet[2..4].copy_from_slice(&u16::try_from(20 + range.len()).unwrap().to_be_bytes());
            packet.extend(&whole[20 + range.start..20 + range.end]);
            packet
        };
        let parts = [fragment(0..24), fragment(24..48), fragment(48..80)];
        for order in [[0, 1, 2], [2, 1, 0], [1, 2, 0], [2, 0, 1]] {
            let mut decoder = Decoder::default();
            assert!(decode(&mut decoder, &parts[order[0]]).is_none());
            assert!(decode(&mut decoder, &parts[order[1]]).is_none());
            assert_eq!(decode(&mut decoder, &parts[order[2]]).unwrap().payload, &[7; 60], "{order:?}");
        }

        let mut ipv6 = vec![0x60, 0, 0, 0, 0, 0, 44, 57];
        ipv6.extend([1; 32]);
        let part = |offset: u16, more: u16, bytes: &[u8]| {
            let mut packet = ipv6.clone();
            packet[4..6].copy_from_slice(&u16::try_from(8 + bytes.len()).unwrap().to_be_bytes());
            packet.extend([TCP, 0]);
            packet.extend((offset | more).to_be_bytes());
            packet.extend([0, 0, 0, 9]);
            packet.extend(bytes);
            packet
        };
        let mut decoder = Decoder::default();
        assert!(decode(&mut decoder, &part(24, 0, &whole[44..])).is_none());
        let first = part(0, 1, &whole[20..44]);
        let segment = decode(&mut decoder, &first).unwrap();
        assert_eq!((segment.payload, segment.marks.ttl, segment.source.port()), (&[7; 60][..], 57, 1000));
    }
}
