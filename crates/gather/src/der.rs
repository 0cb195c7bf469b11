//! Just enough of DER (ITU-T X.690) to find certificates and keys in files: elements with tags of one byte.

/// Tags of the universal class.
pub(crate) const INTEGER: u8 = 0x02;
pub(crate) const BIT_STRING: u8 = 0x03;
pub(crate) const OCTET_STRING: u8 = 0x04;
pub(crate) const NULL: u8 = 0x05;
pub(crate) const OBJECT_IDENTIFIER: u8 = 0x06;
pub(crate) const SEQUENCE: u8 = 0x30;
pub(crate) const SET: u8 = 0x31;
/// `[0]` and `[1]`, constructed.
pub(crate) const CONTEXT_0: u8 = 0xa0;
pub(crate) const CONTEXT_1: u8 = 0xa1;

/// Tag, content and what follows of one element.
pub(crate) fn element(input: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (&[tag, first], rest) = input.split_first_chunk::<2>()?;
    let (length, rest) = if first < 0x80 {
        (usize::from(first), rest)
    } else {
        let (length, rest) = rest.split_at_checked(usize::from(first & 0x7f))?;
        // No bytes of length is the indefinite form of BER.
        if length.is_empty() || length.len() > 4 {
            return None;
        }
        (length.iter().fold(0, |number, byte| number << 8 | usize::from(*byte)), rest)
    };
    let (content, rest) = rest.split_at_checked(length)?;
    Some((tag, content, rest))
}

/// The content of an element that must have this tag, and what follows.
pub(crate) fn expect(input: &[u8], tag: u8) -> Option<(&[u8], &[u8])> {
    let (found, content, rest) = element(input)?;
    (found == tag).then_some((content, rest))
}

/// The first element with its header, and what follows.
pub(crate) fn whole(input: &[u8]) -> Option<(&[u8], &[u8])> {
    let (_, _, rest) = element(input)?;
    input.split_at_checked(input.len() - rest.len())
}

/// The elements of a content, one after the other, up to the first that cannot be read.
pub(crate) fn elements(mut input: &[u8]) -> impl Iterator<Item = (u8, &[u8])> {
    std::iter::from_fn(move || {
        let (tag, content, rest) = element(input)?;
        input = rest;
        Some((tag, content))
    })
}

/// An element of this tag and content.
pub(crate) fn encode(tag: u8, content: &[u8]) -> Vec<u8> {
    let mut output = vec![tag];
    match content.len() {
        short @ 0..=0x7f => output.push(short as u8),
        long => {
            let bytes = long.to_be_bytes();
            let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
            let bytes = bytes.get(zeros..).unwrap_or_default();
            output.push(0x80 | bytes.len() as u8);
            output.extend_from_slice(bytes);
        }
    }
    output.extend_from_slice(content);
    output
}

/// SubjectPublicKeyInfo of a certificate (RFC 5280 §4.1), with its header.
pub(crate) fn public_key_info(certificate: &[u8]) -> Option<&[u8]> {
    let (certificate, _) = expect(certificate, SEQUENCE)?;
    let (mut fields, _) = expect(certificate, SEQUENCE)?;
    if let Some((_, rest)) = expect(fields, CONTEXT_0) {
        fields = rest;
    }
    // serialNumber, signature, issuer, validity, subject.
    for _ in 0..5 {
        fields = element(fields)?.2;
    }
    Some(whole(fields)?.0)
}

/// The algorithm's identifier and the key itself, of a SubjectPublicKeyInfo.
pub(crate) fn public_key(info: &[u8]) -> Option<(&[u8], &[u8])> {
    let (info, _) = expect(info, SEQUENCE)?;
    let (algorithm, rest) = expect(info, SEQUENCE)?;
    let (algorithm, _) = expect(algorithm, OBJECT_IDENTIFIER)?;
    let (BIT_STRING, [0, key @ ..], _) = element(rest)? else {
        return None;
    };
    Some((algorithm, key))
}

/// 1.2.840.113549.1.1.1
pub(crate) const RSA_ENCRYPTION: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 1];
/// 1.2.840.113549.1.1.10
pub(crate) const RSASSA_PSS: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 10];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_encoded_is_read_back_and_what_is_cut_is_not() {
        for length in [0, 1, 127, 128, 255, 256, 70_000] {
            let encoded = encode(OCTET_STRING, &vec![7; length]);
            let (tag, content, rest) = element(&encoded).unwrap();
            assert_eq!((tag, content.len(), rest.len()), (OCTET_STRING, length, 0));
            assert_eq!(element(&encoded[..encoded.len() - 1]), None);
        }
        assert_eq!(element(&[0x30, 0x80, 0, 0]), None);
        assert_eq!(element(&[0x30, 0x85, 0, 0, 0, 0, 1, 9]), None);
        assert_eq!(elements(&[2, 1, 5, 4, 0, 4, 9]).collect::<Vec<_>>(), [(2, &[5][..]), (4, &[])]);
    }
}
