//! Pins: the SHA-256 of a public key (SubjectPublicKeyInfo), as users write it.

use crate::base64::Decoder;

/// Reads a pin: 64 hexadecimal digits, with or without colons, or as curl writes it, `sha256//` and base64.
pub fn key_pin(text: &str) -> Option<[u8; 32]> {
    let bytes = match text.strip_prefix("sha256//") {
        Some(base64) => {
            let mut decoder = Decoder::default();
            decoder.push(base64.as_bytes());
            decoder.finish()?
        }
        None => {
            let digits: Vec<u32> = text.chars().filter(|c| *c != ':').map(|c| c.to_digit(16)).collect::<Option<_>>()?;
            let pairs =
                digits.chunks_exact(2).map(|pair| u8::try_from(pair.iter().fold(0, |byte, digit| byte << 4 | digit)).ok());
            if digits.len() % 2 == 1 { None } else { pairs.collect::<Option<Vec<u8>>>() }?
        }
    };
    bytes.try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::key_pin;

    #[test]
    fn a_pin_is_read_in_each_of_its_forms() {
        let pin = Some([0xab; 32]);
        assert_eq!(key_pin(&"ab".repeat(32)), pin);
        assert_eq!(key_pin(&["AB"; 32].join(":")), pin);
        assert_eq!(key_pin("sha256//q6urq6urq6urq6urq6urq6urq6urq6urq6urq6urq6s="), pin);
        for wrong in ["", "ab", "sha256//", "sha256//!", "cert.pem", &"ab".repeat(33), &"a".repeat(63)] {
            assert_eq!(key_pin(wrong), None, "{wrong}");
        }
    }
}
