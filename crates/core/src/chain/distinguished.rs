//! Distinguished names in words, in whichever character set they were written.

use tlswhy_model::printable;

use super::certificate::Name;
use super::der::{OBJECT_IDENTIFIER, Reader, SEQUENCE, SET, Stop, dotted};

/// Most attributes of a name that are looked at.
const MOST: usize = 64;
/// Longest text of a name.
const LONGEST: usize = 120;

/// Short names of attribute types (RFC 4519 §2, RFC 5280 appendix A).
const SHORT: &[(&str, &str)] = &[
    ("2.5.4.3", "CN"),
    ("2.5.4.4", "SN"),
    ("2.5.4.5", "serialNumber"),
    ("2.5.4.6", "C"),
    ("2.5.4.7", "L"),
    ("2.5.4.8", "ST"),
    ("2.5.4.9", "STREET"),
    ("2.5.4.10", "O"),
    ("2.5.4.11", "OU"),
    ("2.5.4.12", "title"),
    ("2.5.4.15", "businessCategory"),
    ("2.5.4.17", "postalCode"),
    ("2.5.4.42", "GN"),
    ("2.5.4.97", "organizationIdentifier"),
    ("0.9.2342.19200300.100.1.1", "UID"),
    ("0.9.2342.19200300.100.1.25", "DC"),
    ("1.2.840.113549.1.9.1", "emailAddress"),
];

/// One attribute: its relative distinguished name, type and value.
pub(super) struct Attribute<'a> {
    /// Number of the relative distinguished name that it stands in.
    pub(super) place: usize,
    pub(super) oid: String,
    pub(super) tag: u8,
    pub(super) value: &'a [u8],
}

impl Attribute<'_> {
    /// Its text, not made printable.
    pub(super) fn text(&self) -> String {
        text(self.tag, self.value)
    }
}

/// The attributes of a name in DER that stands at `at`.
pub(super) fn attributes(der: &[u8], at: usize) -> Result<Vec<Attribute<'_>>, Stop> {
    let mut found = Vec::new();
    let mut outer = Reader::new(der, at);
    let mut relative = outer.expect(SEQUENCE, "name")?.reader();
    let mut place = 0;
    while !relative.is_empty() && found.len() < MOST {
        let mut set = relative.expect(SET, "name")?.reader();
        while !set.is_empty() && found.len() < MOST {
            let mut attribute = set.expect(SEQUENCE, "attribute of a name")?.reader();
            let oid = dotted(attribute.expect(OBJECT_IDENTIFIER, "attribute of a name")?.content);
            let value = attribute.next("attribute of a name")?;
            found.push(Attribute { place, oid, tag: value.tag, value: value.content });
        }
        place += 1;
    }
    Ok(found)
}

impl Name {
    /// Reads the DER of a name that stands at `at`; what of it cannot be read is `Err` beside what could be.
    pub(super) fn read(der: &[u8], at: usize) -> (Name, Option<Stop>) {
        match attributes(der, at) {
            Ok(attributes) => (Name::of(der, &attributes), None),
            Err(stop) => {
                (Name { der: der.to_vec(), text: "(a name that cannot be read)".to_owned(), ..Name::default() }, Some(stop))
            }
        }
    }

    fn of(der: &[u8], attributes: &[Attribute<'_>]) -> Name {
        let all = |oid: &str| -> Vec<String> {
            attributes.iter().filter(|known| known.oid == oid).map(|known| printable(&known.text(), LONGEST)).collect()
        };
        let words: Vec<String> = attributes
            .iter()
            .map(|known| {
                let short = SHORT.iter().find(|(oid, _)| *oid == known.oid).map_or(known.oid.as_str(), |(_, short)| short);
                format!("{short}={}", known.text())
            })
            .collect();
        let text = if words.is_empty() { "(no name)".to_owned() } else { printable(&words.join(", "), LONGEST) };
        Name { der: der.to_vec(), text, common_names: all("2.5.4.3"), organizations: all("2.5.4.10") }
    }
}

/// A string type of ASN.1 as text: TeletexString is read as Latin-1, as every implementation does.
fn text(tag: u8, value: &[u8]) -> String {
    match tag {
        0x14 => value.iter().map(|byte| char::from(*byte)).collect(),
        0x1e => {
            let units = value.chunks_exact(2).map(|pair| u16::from_be_bytes([pair[0], pair[1]]));
            char::decode_utf16(units).map(|unit| unit.unwrap_or(char::REPLACEMENT_CHARACTER)).collect()
        }
        0x1c => value
            .chunks_exact(4)
            .map(|four| {
                char::from_u32(u32::from_be_bytes([four[0], four[1], four[2], four[3]])).unwrap_or(char::REPLACEMENT_CHARACTER)
            })
            .collect(),
        _ => String::from_utf8_lossy(value).into_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A name of one attribute in a given string type.
    fn name(oid: &[u8], tag: u8, value: &[u8]) -> Vec<u8> {
        let wrap = |tag: u8, content: &[u8]| {
            let mut der = vec![tag, content.len() as u8];
            der.extend_from_slice(content);
            der
        };
        let attribute = [wrap(0x06, oid), wrap(tag, value)].concat();
        wrap(0x30, &wrap(0x31, &wrap(0x30, &attribute)))
    }

    #[test]
    fn latin_1_and_utf_16_names_can_be_read() {
        let teletex = name(&[0x55, 4, 10], 0x14, b"M\xfcller");
        let (read, stop) = Name::read(&teletex, 0);
        assert_eq!((read.text.as_str(), stop), ("O=Müller", None));
        assert_eq!(read.organizations, ["Müller"]);
        let bmp = name(&[0x55, 4, 3], 0x1e, &[0x30, 0x42]);
        assert_eq!(Name::read(&bmp, 0).0.common_names, ["あ"]);
        assert_eq!(Name::read(&[0x30, 0], 0).0.text, "(no name)");
    }

    #[test]
    fn control_characters_of_a_name_are_escaped() {
        let hostile = name(&[0x55, 4, 3], 0x0c, b"\x1b[31mroot");
        assert_eq!(Name::read(&hostile, 0).0.text, "CN=\\u{1b}[31mroot");
    }

    #[test]
    fn a_name_that_cannot_be_read_says_where() {
        let (read, stop) = Name::read(&[0x30, 0x03, 0x31, 0x05, 0x30], 10);
        assert_eq!(read.text, "(a name that cannot be read)");
        assert_eq!(stop.map(|stop| stop.at), Some(12));
    }
}
