//! A reader of DER that knows at which byte it stands, so that what cannot be read is named by its place.

/// Deepest nesting that is followed.
const DEEPEST: usize = 24;

pub(super) const BOOLEAN: u8 = 0x01;
pub(super) const INTEGER: u8 = 0x02;
pub(super) const BIT_STRING: u8 = 0x03;
pub(super) const OCTET_STRING: u8 = 0x04;
pub(super) const OBJECT_IDENTIFIER: u8 = 0x06;
pub(super) const SEQUENCE: u8 = 0x30;
pub(super) const SET: u8 = 0x31;

/// Where reading stopped, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Stop {
    pub(super) at: usize,
    pub(super) what: String,
}

impl Stop {
    pub(super) fn new(at: usize, what: impl Into<String>) -> Stop {
        Stop { at, what: what.into() }
    }
}

/// One value: tag, length, content.
#[derive(Clone, Copy, Debug)]
pub(super) struct Item<'a> {
    pub(super) tag: u8,
    /// Offset of the tag.
    pub(super) at: usize,
    /// Offset of the content.
    pub(super) start: usize,
    pub(super) content: &'a [u8],
    /// Tag, length and content.
    pub(super) whole: &'a [u8],
}

impl<'a> Item<'a> {
    pub(super) fn reader(&self) -> Reader<'a> {
        Reader { bytes: self.content, at: self.start }
    }

    pub(super) fn stop(&self, what: impl Into<String>) -> Stop {
        Stop::new(self.at, what)
    }
}

/// Reads values one after another.
#[derive(Clone, Copy, Debug)]
pub(super) struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    /// Reads `bytes`, the first of which stands at `at`.
    pub(super) fn new(bytes: &'a [u8], at: usize) -> Reader<'a> {
        Reader { bytes, at }
    }

    pub(super) fn at(&self) -> usize {
        self.at
    }

    pub(super) fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// The next value, whatever it is.
    pub(super) fn next(&mut self, what: &str) -> Result<Item<'a>, Stop> {
        let at = self.at;
        let (tag, header, length) = header(self.bytes).map_err(|why| Stop::new(at, format!("{what}: {why}")))?;
        let end = header.saturating_add(length);
        let (Some(whole), Some(content)) = (self.bytes.get(..end), self.bytes.get(header..end)) else {
            return Err(Stop::new(
                at,
                format!("{what}: {length} bytes are announced and {} are there", self.bytes.len().saturating_sub(header)),
            ));
        };
        self.bytes = self.bytes.get(end..).unwrap_or_default();
        self.at = at.saturating_add(end);
        Ok(Item { tag, at, start: at.saturating_add(header), content, whole })
    }

    /// The next value, which must have this tag.
    pub(super) fn expect(&mut self, tag: u8, what: &str) -> Result<Item<'a>, Stop> {
        let item = self.next(what)?;
        if item.tag == tag {
            return Ok(item);
        }
        Err(item.stop(format!("{what}: tag 0x{tag:02x} is wanted and 0x{:02x} is there", item.tag)))
    }

    /// The next value if it has this tag.
    pub(super) fn optional(&mut self, tag: u8, what: &str) -> Result<Option<Item<'a>>, Stop> {
        if self.bytes.first() == Some(&tag) { self.next(what).map(Some) } else { Ok(None) }
    }

    /// Nothing may follow.
    pub(super) fn end(&self, what: &str) -> Result<(), Stop> {
        if self.is_empty() { Ok(()) } else { Err(Stop::new(self.at, format!("{what}: {} bytes too many", self.bytes.len()))) }
    }
}

/// Tag, length of the header, length of the content. One-byte tags and definite lengths alone occur in certificates.
fn header(bytes: &[u8]) -> Result<(u8, usize, usize), &'static str> {
    let (Some(&tag), Some(&first)) = (bytes.first(), bytes.get(1)) else { return Err("it ends within a header") };
    if tag & 0x1f == 0x1f {
        return Err("a tag of several bytes");
    }
    match first {
        0..=0x7f => Ok((tag, 2, usize::from(first))),
        0x80 => Err("a length without end (BER)"),
        0x81..=0x84 => {
            let count = usize::from(first & 0x7f);
            let digits = bytes.get(2..2 + count).ok_or("it ends within a header")?;
            let length = digits.iter().fold(0usize, |length, digit| (length << 8) | usize::from(*digit));
            Ok((tag, 2 + count, length))
        }
        _ => Err("a length of more than four bytes"),
    }
}

/// The first place where the encoding is readable and not DER (X.690 §10, §11): a length that is longer than it must be, a
/// TRUE that is not 0xff, an INTEGER with superfluous leading bytes.
pub(super) fn irregularity(bytes: &[u8], at: usize) -> Option<Stop> {
    fn walk(mut reader: Reader<'_>, depth: usize) -> Option<Stop> {
        while !reader.is_empty() {
            let item = reader.next("").ok()?;
            let header = item.whole.len().saturating_sub(item.content.len());
            let needed = match item.content.len() {
                0..=0x7f => 2,
                0x80..=0xff => 3,
                0x100..=0xffff => 4,
                0x1_0000..=0xff_ffff => 5,
                _ => 6,
            };
            if header > needed {
                return Some(item.stop("the length is not in its shortest form (DER)"));
            }
            let fault = match (item.tag, item.content) {
                (BOOLEAN, content) if content != [0] && content != [0xff] => Some("a BOOLEAN that is not DER"),
                (INTEGER, []) => Some("an INTEGER without a value"),
                (INTEGER, [0, second, ..]) if *second < 0x80 => Some("an INTEGER with superfluous leading bytes"),
                (INTEGER, [0xff, second, ..]) if *second >= 0x80 => Some("an INTEGER with superfluous leading bytes"),
                _ => None,
            };
            if let Some(fault) = fault {
                return Some(item.stop(fault));
            }
            if item.tag & 0x20 != 0
                && depth < DEEPEST
                && let Some(stop) = walk(item.reader(), depth + 1)
            {
                return Some(stop);
            }
        }
        None
    }
    walk(Reader::new(bytes, at), 0)
}

/// An object identifier in dotted form.
pub(super) fn dotted(content: &[u8]) -> String {
    let mut arcs: Vec<u64> = Vec::new();
    let mut arc = 0u64;
    for byte in content.iter().take(64) {
        arc = (arc << 7) | u64::from(byte & 0x7f);
        if byte & 0x80 == 0 {
            if arcs.is_empty() {
                let first = (arc / 40).min(2);
                arcs.push(first);
                arc -= first * 40;
            }
            arcs.push(arc);
            arc = 0;
        }
    }
    arcs.iter().map(u64::to_string).collect::<Vec<_>>().join(".")
}

/// A UTCTime or GeneralizedTime in seconds since 1970, and what is irregular about it (RFC 5280 §4.1.2.5: seconds and `Z`
/// must be there, and years up to 2049 are UTCTime).
pub(super) fn time(item: &Item<'_>) -> Result<(i64, Option<&'static str>), Stop> {
    let wrong = || item.stop("a time that is none");
    let text = std::str::from_utf8(item.content).map_err(|_| wrong())?;
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, rest) = text.split_at_checked(digits).ok_or_else(wrong)?;
    let two = |at: usize| -> Option<i64> { number.get(at..at + 2)?.parse().ok() };
    let (year, at) = match item.tag {
        0x17 => two(0).map(|year| (if year < 50 { 2000 + year } else { 1900 + year }, 2)),
        0x18 => number.get(..4).and_then(|year| year.parse().ok()).map(|year| (year, 4)),
        _ => return Err(item.stop("neither UTCTime nor GeneralizedTime")),
    }
    .ok_or_else(wrong)?;
    let field = |number: usize| two(at + 2 * number);
    let (Some(month), Some(day), Some(hour), Some(minute)) = (field(0), field(1), field(2), field(3)) else {
        return Err(wrong());
    };
    let second = field(4);
    let good = (1..=12).contains(&month)
        && (1..=31).contains(&day)
        && hour < 24
        && minute < 60
        && second.unwrap_or(0) < 60
        && [at + 8, at + 10].contains(&digits);
    if !good {
        return Err(wrong());
    }
    let (offset, irregular) = match rest {
        "Z" if second.is_none() => (0, Some("a time without seconds")),
        "Z" if item.tag == 0x18 && year < 2050 => (0, Some("GeneralizedTime for a year that UTCTime can say")),
        "Z" => (0, None),
        _ => (zone(rest).ok_or_else(wrong)?, Some("a time that is not in UTC or has fractions of seconds")),
    };
    let time = days(year, month, day) * 86400 + hour * 3600 + minute * 60 + second.unwrap_or(0) - offset;
    Ok((time, irregular))
}

/// Seconds east of UTC: `+0100`; fractions before it are passed over.
fn zone(rest: &str) -> Option<i64> {
    let rest = match rest.strip_prefix(['.', ',']) {
        Some(fraction) => fraction.trim_start_matches(|c: char| c.is_ascii_digit()),
        None => rest,
    };
    if rest == "Z" {
        return Some(0);
    }
    let sign = match rest.as_bytes().first()? {
        b'+' => 1,
        b'-' => -1,
        _ => return None,
    };
    let digits = rest.get(1..5).filter(|digits| rest.len() == 5 && digits.bytes().all(|byte| byte.is_ascii_digit()))?;
    let (hours, minutes) = digits.split_at_checked(2)?;
    Some(sign * (hours.parse::<i64>().ok()? * 3600 + minutes.parse::<i64>().ok()? * 60))
}

/// Days since 1970-01-01 in the Gregorian calendar.
fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let of_era = year.rem_euclid(400);
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;

    fn time_of(tag: u8, text: &str) -> Option<i64> {
        let mut der = vec![tag, text.len() as u8];
        der.extend(text.bytes());
        time(&Reader::new(&der, 0).next("time").unwrap()).ok().map(|(time, _)| time)
    }

    #[test]
    fn times_are_read_in_both_forms() {
        assert_eq!(time_of(0x17, "700101000000Z"), Some(0));
        assert_eq!(time_of(0x17, "240229120000Z"), Some(1_709_208_000));
        assert_eq!(time_of(0x18, "20500101000000Z"), Some(2_524_608_000));
        assert_eq!(time_of(0x17, "240229130000+0100"), Some(1_709_208_000));
        assert_eq!(time_of(0x17, "2402291200Z"), Some(1_709_208_000));
        assert_eq!(time_of(0x17, "24"), None);
        assert_eq!(time_of(0x17, "241329120000Z"), None);
    }

    #[test]
    fn what_cannot_be_read_is_named_by_its_byte() {
        let der = [0x30, 0x05, 0x02, 0x01, 0x01, 0x04, 0x07];
        let mut reader = Reader::new(&der, 100).next("outer").unwrap().reader();
        assert_eq!(reader.next("number").unwrap().content, [1]);
        assert_eq!(reader.next("text").unwrap_err().at, 105);
    }

    #[test]
    fn long_lengths_and_odd_booleans_are_not_der() {
        assert_eq!(irregularity(&[0x30, 0x81, 0x03, 0x01, 0x01, 0xff], 0).unwrap().at, 0);
        assert_eq!(irregularity(&[0x30, 0x03, 0x01, 0x01, 0x01], 0).unwrap().at, 2);
        assert_eq!(irregularity(&[0x30, 0x03, 0x01, 0x01, 0xff], 0), None);
    }

    #[test]
    fn object_identifiers_are_dotted() {
        assert_eq!(dotted(&[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x0b]), "1.2.840.113549.1.1.11");
        assert_eq!(dotted(&[0x55, 0x1d, 0x11]), "2.5.29.17");
    }
}
