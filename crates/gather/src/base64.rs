//! Base64 (RFC 4648 §4).

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// With padding.
pub(crate) fn encode(bytes: &[u8]) -> String {
    let mut text = String::new();
    for chunk in bytes.chunks(3) {
        let bits = chunk.iter().fold(0u32, |bits, byte| bits << 8 | u32::from(*byte)) << (8 * (3 - chunk.len()));
        for digit in 0..4 {
            let index = bits >> (18 - 6 * digit) & 63;
            let letter = ALPHABET.get(index as usize).copied().unwrap_or(b'=');
            text.push(if digit as usize <= chunk.len() { letter.into() } else { '=' });
        }
    }
    text
}

/// What a byte stands for, beside the digits 0 to 63.
const PADDING: u8 = 64;
const SPACE: u8 = 65;
const WRONG: u8 = 66;

static VALUES: [u8; 256] = values();

const fn values() -> [u8; 256] {
    let mut values = [WRONG; 256];
    let mut digit = 0;
    while digit < ALPHABET.len() {
        values[ALPHABET[digit] as usize] = digit as u8;
        digit += 1;
    }
    values[b'=' as usize] = PADDING;
    values[b' ' as usize] = SPACE;
    values[b'\t' as usize] = SPACE;
    values[b'\r' as usize] = SPACE;
    values[b'\n' as usize] = SPACE;
    values
}

/// Takes text in pieces, white space anywhere.
#[derive(Default)]
pub(crate) struct Decoder {
    output: Vec<u8>,
    bits: u32,
    digits: u8,
    padding: u8,
    wrong: bool,
}

impl Decoder {
    /// Reads on. Bundles of trust anchors are long, so that four digits at once are the usual case.
    pub(crate) fn push(&mut self, text: &[u8]) {
        let mut rest = text;
        self.output.reserve(text.len() / 4 * 3);
        while let Some((four, after)) = rest.split_first_chunk::<4>() {
            let [a, b, c, d] = four.map(|byte| VALUES.get(usize::from(byte)).copied().unwrap_or(WRONG));
            if self.digits == 0 && self.padding == 0 && (a | b | c | d) < PADDING {
                let bits = u32::from(a) << 18 | u32::from(b) << 12 | u32::from(c) << 6 | u32::from(d);
                let [_, x, y, z] = bits.to_be_bytes();
                self.output.extend([x, y, z]);
                rest = after;
            } else {
                let (first, after) = rest.split_at(1);
                first.iter().for_each(|byte| self.push_byte(*byte));
                rest = after;
            }
        }
        rest.iter().for_each(|byte| self.push_byte(*byte));
    }

    fn push_byte(&mut self, byte: u8) {
        match VALUES.get(usize::from(byte)).copied().unwrap_or(WRONG) {
            PADDING => self.padding = self.padding.saturating_add(1),
            SPACE => {}
            WRONG => self.wrong = true,
            value => {
                self.wrong |= self.padding > 0;
                self.bits = self.bits << 6 | u32::from(value);
                self.digits += 1;
                if self.digits == 4 {
                    let [_, a, b, c] = self.bits.to_be_bytes();
                    self.output.extend([a, b, c]);
                    (self.bits, self.digits) = (0, 0);
                }
            }
        }
    }

    /// The bytes; `None` if it was not base64.
    pub(crate) fn finish(mut self) -> Option<Vec<u8>> {
        match (self.digits, self.padding) {
            (0, 0) => {}
            (2, 2) => self.output.push((self.bits >> 4) as u8),
            (3, 1) => self.output.extend([(self.bits >> 10) as u8, (self.bits >> 2) as u8]),
            _ => return None,
        }
        (!self.wrong).then_some(self.output)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_ways_as_the_rfc_has_it() {
        for (bytes, text) in [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg==")] {
            assert_eq!(encode(bytes.as_bytes()), text);
            let mut decoder = Decoder::default();
            text.as_bytes().chunks(3).for_each(|piece| decoder.push(piece));
            assert_eq!(decoder.finish(), Some(bytes.as_bytes().to_vec()), "{text}");
        }
        for wrong in ["Z", "Zg", "Zg=", "Zg==Zg==", "Zm9v=", "Zm-v", "===="] {
            let mut decoder = Decoder::default();
            decoder.push(wrong.as_bytes());
            assert_eq!(decoder.finish(), None, "{wrong}");
        }
    }
}
