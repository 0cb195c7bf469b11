//! Headers that carry one packet within another, over GRE and over UDP.
//!
//! A port alone proves nothing: what follows must look like the header, and be IP in the end.

use tlswhy_wire::Reader;

use crate::link;

/// Transparent Ethernet bridging.
const ETHERNET: u16 = 0x6558;
/// PPP in the GRE of PPTP (RFC 2637 §4.1).
const PPTP: u16 = 0x880b;
/// ERSPAN types I and II, and III (draft-foschiano-erspan-03 §4).
const ERSPAN: u16 = 0x88be;
const ERSPAN_III: u16 = 0x22eb;

/// The second one is what Linux and Flannel take unless told otherwise.
const VXLAN: [u16; 2] = [4789, 8472];
const GENEVE: u16 = 6081;
const GTP: u16 = 2152;

/// The packet within GRE (RFC 2784 and RFC 2890).
pub(crate) fn generic_routing(bytes: &[u8]) -> Option<&[u8]> {
    let mut input = Reader::new(bytes, 0);
    let flags = input.u16("").ok()?;
    let carried = input.u16("").ok()?;
    // Checksum, key, sequence number; in version 1 an acknowledgment as well.
    let optional = |bits: &[u16]| 4 * bits.iter().filter(|bit| flags & **bit != 0).count();
    match flags & 0x7 {
        0 => input.skip(optional(&[0x8000, 0x2000, 0x1000])),
        1 if carried == PPTP => input.skip(optional(&[0x2000, 0x1000, 0x0080])),
        _ => return None,
    }
    match carried {
        ETHERNET => link::ethernet_packet(input.rest()),
        PPTP => link::ppp_packet(input.rest()),
        ERSPAN => {
            // Type I has neither a sequence number nor a header of its own.
            input.skip(if flags & 0x1000 != 0 { 8 } else { 0 });
            link::ethernet_packet(input.rest())
        }
        ERSPAN_III => {
            input.skip(8);
            let has_subheader = input.u32("").ok()? & 1 != 0;
            input.skip(if has_subheader { 8 } else { 0 });
            link::ethernet_packet(input.rest())
        }
        ether_type => link::packet_of_type(ether_type, input.rest()),
    }
}

/// The packet within a UDP datagram, header included; `None` where it carries none.
pub(crate) fn datagram(bytes: &[u8]) -> Option<&[u8]> {
    let mut input = Reader::new(bytes, 0);
    input.skip(2);
    let port = input.u16("").ok()?;
    input.skip(4);
    match port {
        port if VXLAN.contains(&port) => vxlan(input),
        GENEVE => geneve(input),
        GTP => gtp(input),
        _ => None,
    }
}

/// RFC 7348 §5.
fn vxlan(mut input: Reader<'_>) -> Option<&[u8]> {
    // A valid network identifier, or something else runs on the port.
    if input.u8("").ok()? & 0x08 == 0 {
        return None;
    }
    input.skip(7);
    link::ethernet_packet(input.rest())
}

/// RFC 8926 §3.4.
fn geneve(mut input: Reader<'_>) -> Option<&[u8]> {
    let first = input.u8("").ok().filter(|first| first & 0xc0 == 0)?;
    input.skip(1);
    let carried = input.u16("").ok()?;
    input.skip(4 + 4 * usize::from(first & 0x3f));
    if carried == ETHERNET { link::ethernet_packet(input.rest()) } else { link::packet_of_type(carried, input.rest()) }
}

/// User data of mobile networks (3GPP TS 29.281 §5).
fn gtp(mut input: Reader<'_>) -> Option<&[u8]> {
    let flags = input.u8("").ok().filter(|flags| flags & 0xf0 == 0x30)?;
    input.u8("").ok().filter(|kind| *kind == 255)?;
    input.skip(6);
    if flags & 0x07 != 0 {
        input.skip(3);
        let mut next = input.u8("").ok()?;
        // Each header is at least four bytes long, so this ends.
        while next != 0 {
            let length = usize::from(input.u8("").ok().filter(|length| *length > 0)?);
            input.skip(4 * length - 2);
            next = input.u8("").ok()?;
        }
    }
    link::ip_packet(input.rest())
}

#[cfg(test)]
mod tests {
    use super::*;

    const PACKET: &[u8] = &[0x45, 0, 0, 20];

    #[test]
    fn the_packet_is_found_behind_every_kind_of_header() {
        let frame = [&[2; 12][..], &[8, 0], PACKET].concat();
        let gre: Vec<(&[u8], &[u8])> = vec![
            (&[0x20, 0, 8, 0, 0, 0, 0, 1], PACKET),
            (&[0, 0, 0x65, 0x58], &frame),
            (&[0, 0, 0x88, 0xbe], &frame),
            (&[0x10, 0, 0x88, 0xbe, 0, 0, 0, 1, 0x10, 1, 0, 5, 0, 0, 0, 0], &frame),
            (&[0x10, 0, 0x22, 0xeb, 0, 0, 0, 1, 0x20, 1, 0, 5, 0, 0, 0, 9, 0, 0, 0, 0], &frame),
            (&[0x10, 0, 0x22, 0xeb, 0, 0, 0, 1, 0x20, 1, 0, 5, 0, 0, 0, 9, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0], &frame),
            (&[0x30, 0x81, 0x88, 0x0b, 0, 8, 0, 1, 0, 0, 0, 1, 0, 0, 0, 2, 0xff, 3, 0, 0x21], PACKET),
        ];
        for (start, content) in gre {
            let bytes = [start, content].concat();
            assert_eq!(generic_routing(&bytes), Some(PACKET), "{start:02x?}");
            (0..bytes.len()).for_each(|cut| _ = generic_routing(&bytes[..cut]));
        }
        let udp: Vec<(u16, &[u8], &[u8])> = vec![
            (4789, &[8, 0, 0, 0, 0, 0, 1, 0], &frame),
            (8472, &[8, 0, 0, 0, 0, 0, 1, 0], &frame),
            (6081, &[1, 0, 0x65, 0x58, 0, 0, 1, 0, 0, 0, 0, 0], &frame),
            (6081, &[0, 0, 8, 0, 0, 0, 1, 0], PACKET),
            (2152, &[0x30, 255, 0, 4, 0, 0, 0, 1], PACKET),
            (2152, &[0x34, 255, 0, 12, 0, 0, 0, 1, 0, 0, 0, 0x85, 1, 0, 9, 0], PACKET),
        ];
        for (port, start, content) in udp {
            let header = [&[0, 1][..], &port.to_be_bytes(), &[0; 4]].concat();
            let bytes = [&header, start, content].concat();
            assert_eq!(datagram(&bytes), Some(PACKET), "{port} {start:02x?}");
            (0..bytes.len()).for_each(|cut| _ = datagram(&bytes[..cut]));
        }
        assert_eq!(datagram(&[&[0, 1][..], &[0x12, 0xb5, 0, 0, 0, 0], &[0; 30]].concat()), None, "no VXLAN on its port");
    }
}
