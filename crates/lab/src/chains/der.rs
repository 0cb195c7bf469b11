//! As much DER as a certificate takes, written by hand: what is broken here must be broken in just this way.

/// One value with its tag and length.
pub(super) fn tlv(tag: u8, body: &[u8]) -> Vec<u8> {
    let mut out = vec![tag];
    match body.len() {
        short @ 0..0x80 => out.push(short as u8),
        medium @ 0x80..0x100 => out.extend([0x81, medium as u8]),
        long => {
            out.push(0x82);
            out.extend((long as u16).to_be_bytes());
        }
    }
    out.extend_from_slice(body);
    out
}

pub(super) fn sequence(parts: &[Vec<u8>]) -> Vec<u8> {
    tlv(0x30, &parts.concat())
}

pub(super) fn boolean(value: bool) -> Vec<u8> {
    tlv(0x01, &[if value { 0xff } else { 0 }])
}

/// A number that is not negative.
pub(super) fn integer(value: u64) -> Vec<u8> {
    let bytes = value.to_be_bytes();
    let first = bytes.iter().position(|byte| *byte != 0).unwrap_or(7);
    let mut body = bytes.get(first..).unwrap_or_default().to_vec();
    if body.first().is_some_and(|byte| byte & 0x80 != 0) {
        body.insert(0, 0);
    }
    tlv(0x02, &body)
}

/// An object identifier from its dotted form.
pub(super) fn oid(dotted: &str) -> Vec<u8> {
    let mut arcs = dotted.split('.').filter_map(|arc| arc.parse::<u64>().ok());
    let first = arcs.next().unwrap_or(0) * 40 + arcs.next().unwrap_or(0);
    let mut body = Vec::new();
    for arc in std::iter::once(first).chain(arcs) {
        let groups = (0..10).rev().map(|group| (arc >> (7 * group)) as u8 & 0x7f).skip_while(|group| *group == 0);
        let groups: Vec<u8> = groups.collect();
        let groups = if groups.is_empty() { vec![0] } else { groups };
        let last = groups.len() - 1;
        body.extend(groups.iter().enumerate().map(|(at, group)| if at == last { *group } else { group | 0x80 }));
    }
    tlv(0x06, &body)
}

pub(super) fn bit_string(bytes: &[u8], unused: u8) -> Vec<u8> {
    tlv(0x03, &[&[unused], bytes].concat())
}

/// UTCTime until 2049, GeneralizedTime from 2050 (RFC 5280 §4.1.2.5). `seconds` since 1970.
pub(super) fn time(seconds: i64) -> Vec<u8> {
    let (days, second) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
    let (mut year, mut day) = (1970, days);
    let length = |year: i64| if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) { 366 } else { 365 };
    while day >= length(year) {
        day -= length(year);
        year += 1;
    }
    let mut month = 1;
    for days in [31, length(year) - 337, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31] {
        if day < days {
            break;
        }
        day -= days;
        month += 1;
    }
    let rest = format!("{month:02}{:02}{:02}{:02}{:02}Z", day + 1, second / 3600, second / 60 % 60, second % 60);
    if year < 2050 {
        tlv(0x17, format!("{:02}{rest}", year % 100).as_bytes())
    } else {
        tlv(0x18, format!("{year}{rest}").as_bytes())
    }
}

/// `-----BEGIN CERTIFICATE-----` and so on.
pub(super) fn pem(der: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::from("-----BEGIN CERTIFICATE-----\n");
    for line in der.chunks(48) {
        for three in line.chunks(3) {
            let at = |index: usize| u32::from(three.get(index).copied().unwrap_or(0));
            let bits = at(0) << 16 | at(1) << 8 | at(2);
            for digit in 0..4 {
                let value = bits >> (18 - 6 * digit) & 0x3f;
                let padding = digit as usize > three.len();
                text.push(if padding { '=' } else { char::from(DIGITS[value as usize]) });
            }
        }
        text.push('\n');
    }
    text + "-----END CERTIFICATE-----\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn object_identifiers_times_and_numbers_are_encoded_as_openssl_does() {
        assert_eq!(oid("1.2.840.113549.1.1.11"), [6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 11]);
        assert_eq!(oid("2.5.29.37.0"), [6, 4, 0x55, 0x1d, 0x25, 0]);
        assert_eq!(&time(951_782_400)[2..], b"000229000000Z");
        assert_eq!(&time(4_102_444_799)[2..], b"20991231235959Z");
        assert_eq!(integer(0), [2, 1, 0]);
        assert_eq!(integer(128), [2, 2, 0, 128]);
        assert!(pem(&[1, 2, 3, 4]).contains("\nAQIDBA==\n"));
    }
}
