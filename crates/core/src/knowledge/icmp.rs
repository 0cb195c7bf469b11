//! What ICMP messages of the kind "destination unreachable" say.

use std::net::IpAddr;

/// One code.
#[derive(Debug, PartialEq, Eq)]
pub struct Word {
    code: u8,
    /// Its meaning.
    pub says: &'static str,
    /// Whether a rule refuses; else there is no way, or nobody at its end.
    pub is_rule: bool,
}

const fn rule(code: u8, says: &'static str) -> Word {
    Word { code, says, is_rule: true }
}

const fn no_way(code: u8, says: &'static str) -> Word {
    Word { code, says, is_rule: false }
}

/// Codes of type 3 of ICMP: RFC 792; from 6 on RFC 1122 §3.2.2.1, 13 RFC 1812 §5.2.7.1.
const V4: &[Word] = &[
    no_way(0, "network unreachable"),
    no_way(1, "host unreachable"),
    rule(2, "protocol unreachable"),
    rule(3, PORT_UNREACHABLE),
    no_way(4, "too big, and not to be fragmented"),
    no_way(5, "source route failed"),
    no_way(6, "destination network unknown"),
    no_way(7, "destination host unknown"),
    rule(9, "communication with the network administratively prohibited"),
    rule(10, "communication with the host administratively prohibited"),
    no_way(11, "network unreachable for this type of service"),
    no_way(12, "host unreachable for this type of service"),
    rule(13, "communication administratively prohibited"),
];

/// Codes of type 1 of ICMPv6: RFC 4443 §3.1.
const V6: &[Word] = &[
    no_way(0, "no route to the destination"),
    rule(1, "communication administratively prohibited"),
    no_way(2, "beyond the scope of the source address"),
    no_way(3, "address unreachable"),
    rule(4, PORT_UNREACHABLE),
    rule(5, "source address failed the policy"),
    rule(6, "route rejected"),
];

/// The words for a port that cannot be reached.
pub const PORT_UNREACHABLE: &str = "port unreachable";

/// What a message about a packet to this address says; `None` where it is of another type, or its code is not known.
pub fn unreachable(to: IpAddr, icmp_type: u8, code: u8) -> Option<&'static Word> {
    let (table, wanted) = match to {
        IpAddr::V4(_) => (V4, 3),
        IpAddr::V6(_) => (V6, 1),
    };
    table.iter().find(|word| word.code == code).filter(|_| icmp_type == wanted)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_families_number_the_same_words_differently() {
        let (four, six) = (IpAddr::from([192, 0, 2, 1]), IpAddr::from([0x2001, 0xdb8, 0, 0, 0, 0, 0, 1]));
        let says = |to, icmp_type, code| unreachable(to, icmp_type, code).map(|word| word.says);
        assert_eq!(says(four, 3, 13), says(six, 1, 1));
        assert_eq!(says(four, 3, 3), Some(PORT_UNREACHABLE));
        assert_eq!(says(six, 1, 4), Some(PORT_UNREACHABLE));
        assert_eq!(says(four, 11, 0), None);
        assert_eq!(says(six, 1, 99), None);
    }
}
