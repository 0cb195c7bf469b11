//! What stands before the IP header, by the link type of the capture (<https://www.tcpdump.org/linktypes.html>).

use tlswhy_wire::Reader;

/// A link type as the file numbers it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct LinkType(pub u32);

/// A tag or label that may stand before another; more than this many of them are no packet of ours.
const MAX_TAGS: usize = 8;

const IPV4: u16 = 0x0800;
const IPV6: u16 = 0x86dd;
const VLAN: [u16; 3] = [0x8100, 0x88a8, 0x9100];
const MPLS: [u16; 2] = [0x8847, 0x8848];
const PPPOE: u16 = 0x8864;

impl LinkType {
    /// Whether packets can be found in frames of this type.
    pub fn is_read(self) -> bool {
        matches!(self.0, 0 | 1 | 9 | 12 | 14 | 50 | 51 | 101 | 104 | 105 | 108 | 113 | 127 | 228 | 229 | 239 | 276)
    }

    /// The IP packet within a frame; `None` where there is none.
    pub fn packet(self, frame: &[u8]) -> Option<&[u8]> {
        let mut input = Reader::new(frame, 0);
        match self.0 {
            // NULL and LOOP: an address family in the byte order of the machine, or of the network; IP tells itself.
            0 | 108 => input.skip(4),
            1 => return ethernet(input),
            9 => return ppp(input),
            // RAW, as some systems number it, and IPV4, IPV6.
            12 | 14 | 101 | 228 | 229 => {}
            // PPP_HDLC and C_HDLC.
            50 | 104 => {
                return match input.rest() {
                    [0x0f | 0x8f, 0, ..] => {
                        input.skip(2);
                        let protocol = input.u16("").ok()?;
                        of_type(protocol, input)
                    }
                    _ => ppp(input),
                };
            }
            51 => return pppoe(input),
            105 => return wireless(input),
            // Linux cooked: type, address type, address length, address, protocol.
            113 => {
                input.skip(14);
                let protocol = input.u16("").ok()?;
                return of_type(protocol, input);
            }
            127 => {
                input.skip(2);
                // The one little-endian field in reach.
                let length = usize::from(input.u16("").ok()?.swap_bytes());
                input.skip(length.checked_sub(4)?);
                return wireless(input);
            }
            239 => return netfilter(input),
            // Linux cooked, version 2: the protocol first.
            276 => {
                let protocol = input.u16("").ok()?;
                input.skip(18);
                return of_type(protocol, input);
            }
            _ => return None,
        }
        ip(input)
    }
}

/// The packet of an Ethernet frame, as tunnels carry it.
pub(crate) fn ethernet_packet(frame: &[u8]) -> Option<&[u8]> {
    ethernet(Reader::new(frame, 0))
}

/// The packet of a frame of PPP, as tunnels carry it.
pub(crate) fn ppp_packet(frame: &[u8]) -> Option<&[u8]> {
    ppp(Reader::new(frame, 0))
}

/// The packet itself, as tunnels carry it.
pub(crate) fn ip_packet(packet: &[u8]) -> Option<&[u8]> {
    ip(Reader::new(packet, 0))
}

/// What follows an Ethernet type, as tunnels carry it.
pub(crate) fn packet_of_type(ether_type: u16, rest: &[u8]) -> Option<&[u8]> {
    of_type(ether_type, Reader::new(rest, 0))
}

fn ethernet(mut input: Reader<'_>) -> Option<&[u8]> {
    input.skip(12);
    let ether_type = input.u16("").ok()?;
    // Below 1536 it is a length (IEEE 802.3 §3.2.6), and the type stands behind LLC and SNAP.
    if ether_type < 1536 { subnetwork(input) } else { of_type(ether_type, input) }
}

/// LLC and SNAP (RFC 1042).
fn subnetwork(mut input: Reader<'_>) -> Option<&[u8]> {
    let [0xaa, 0xaa, 0x03, 0, 0, 0, ..] = input.rest() else { return None };
    input.skip(6);
    let ether_type = input.u16("").ok()?;
    of_type(ether_type, input)
}

/// NFLOG: a header, then attributes in the byte order of the machine, of which type 9 is the packet. Only little-endian ones are read.
fn netfilter(mut input: Reader<'_>) -> Option<&[u8]> {
    input.skip(4);
    while !input.is_empty() {
        let length = usize::from(input.u16("").ok()?.swap_bytes());
        let kind = input.u16("").ok()?.swap_bytes() & 0x7fff;
        let body = length.checked_sub(4)?;
        if kind == 9 {
            return ip(Reader::new(input.rest().get(..body)?, 0));
        }
        input.skip(body.next_multiple_of(4));
    }
    None
}

fn of_type(mut ether_type: u16, mut input: Reader<'_>) -> Option<&[u8]> {
    for _ in 0..MAX_TAGS {
        match ether_type {
            IPV4 | IPV6 => return ip(input),
            PPPOE => return pppoe(input),
            tag if VLAN.contains(&tag) => {
                input.skip(2);
                ether_type = input.u16("").ok()?;
            }
            label if MPLS.contains(&label) => {
                // Up to the bottom of the stack (RFC 3032 §2.1).
                if input.u32("").ok()? & 0x100 != 0 {
                    return ip(input);
                }
            }
            _ => return None,
        }
    }
    None
}

/// RFC 2516 §4.
fn pppoe(mut input: Reader<'_>) -> Option<&[u8]> {
    input.skip(6);
    ppp(input)
}

/// The address and control bytes and the protocol's first byte may be left out (RFC 1661 §6.5, §6.6).
fn ppp(mut input: Reader<'_>) -> Option<&[u8]> {
    if let [0xff, 0x03, ..] = input.rest() {
        input.skip(2);
    }
    let protocol = match input.rest() {
        [low, ..] if low & 1 == 1 => u16::from(input.u8("").ok()?),
        _ => input.u16("").ok()?,
    };
    matches!(protocol, 0x21 | 0x57).then_some(())?;
    ip(input)
}

/// IEEE 802.11: data frames in the clear, with LLC and SNAP within.
fn wireless(mut input: Reader<'_>) -> Option<&[u8]> {
    let [control, flags, ..] = input.rest() else { return None };
    let (is_data, has_body, is_protected) = (control & 0x0c == 0x08, control & 0x40 == 0, flags & 0x40 != 0);
    if !is_data || !has_body || is_protected {
        return None;
    }
    let has_four_addresses = flags & 0x03 == 0x03;
    let has_quality = control & 0x80 != 0;
    let has_throughput = has_quality && flags & 0x80 != 0;
    input.skip(
        24 + if has_four_addresses { 6 } else { 0 } + if has_quality { 2 } else { 0 } + if has_throughput { 4 } else { 0 },
    );
    subnetwork(input)
}

fn ip(input: Reader<'_>) -> Option<&[u8]> {
    let packet = input.rest();
    matches!(packet.first()? >> 4, 4 | 6).then_some(packet)
}

#[cfg(test)]
mod tests {
    use super::*;

    const PACKET: &[u8] = &[0x45, 0, 0, 20];

    fn after(start: &[u8]) -> Vec<u8> {
        [start, PACKET].concat()
    }

    #[test]
    fn the_packet_is_found_behind_every_kind_of_header() {
        let mac = [2; 12];
        let cases: Vec<(u32, Vec<u8>)> = vec![
            (1, [&mac[..], &[8, 0]].concat()),
            (1, [&mac[..], &[0x81, 0, 0, 5, 8, 0]].concat()),
            (1, [&mac[..], &[0x88, 0xa8, 0, 5, 0x81, 0, 0, 6, 8, 0]].concat()),
            (1, [&mac[..], &[0x88, 0x47, 0, 0, 0x10, 64, 0, 0, 0x21, 64]].concat()),
            (1, [&mac[..], &[0x88, 0x64, 0x11, 0, 0, 1, 0, 22, 0, 0x21]].concat()),
            (1, [&mac[..], &[0, 12, 0xaa, 0xaa, 3, 0, 0, 0, 8, 0]].concat()),
            (0, vec![2, 0, 0, 0]),
            (239, vec![2, 0, 0, 0, 6, 0, 10, 0, 1, 0, 0, 0, 8, 0, 9, 0]),
            (108, vec![0, 0, 0, 2]),
            (9, vec![0xff, 3, 0, 0x21]),
            (9, vec![0x21]),
            (101, vec![]),
            (113, [&[0; 14][..], &[8, 0]].concat()),
            (276, [&[8, 0][..], &[0; 18]].concat()),
            (105, [&[0x88, 1][..], &[0; 24], &[0xaa, 0xaa, 3, 0, 0, 0, 8, 0]].concat()),
            (127, [&[0, 0, 8, 0, 0, 0, 0, 0, 8, 1][..], &[0; 22], &[0xaa, 0xaa, 3, 0, 0, 0, 8, 0]].concat()),
        ];
        for (link, start) in cases {
            let frame = after(&start);
            assert_eq!(LinkType(link).packet(&frame), Some(PACKET), "{link} {start:02x?}");
            for cut in 0..start.len() {
                let _ = LinkType(link).packet(&frame[..cut]);
            }
        }
        assert_eq!(LinkType(1).packet(&after(&[&mac[..], &[8, 6]].concat())), None, "ARP");
        assert_eq!(LinkType(105).packet(&after(&[&[0x88, 0x41][..], &[0; 32]].concat())), None, "encrypted");
    }
}
