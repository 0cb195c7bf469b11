//! RSA key exchange: the public key of a certificate, and encryption to it (RFC 8017 §7.2.1).
//!
//! Done with plain numbers, because old servers have keys that libraries refuse to use.

use num_bigint::BigUint;

use super::random_bytes;

/// The largest modulus computed with, in bits.
const LARGEST_MODULUS_BITS: u64 = 16_384;

/// Encrypts a secret to the RSA key of a certificate in DER; `None` if it has none, or one not to be computed with.
pub(super) fn encrypt(certificate: &[u8], secret: &[u8]) -> Option<Vec<u8>> {
    let (modulus, exponent) = public_key(certificate)?;
    let size = modulus.bits().div_ceil(8) as usize;
    if modulus.bits() > LARGEST_MODULUS_BITS || exponent.bits() > 64 || size < secret.len() + 11 {
        return None;
    }
    let mut padded = vec![0, 2];
    padded.extend(random_bytes(size - secret.len() - 3)?.into_iter().map(|byte| byte.max(1)));
    padded.push(0);
    padded.extend_from_slice(secret);
    let encrypted = BigUint::from_bytes_be(&padded).modpow(&exponent, &modulus).to_bytes_be();
    let mut output = vec![0; size.saturating_sub(encrypted.len())];
    output.extend(encrypted);
    Some(output)
}

/// Modulus and exponent of the certificate's key (RFC 5280 §4.1, RFC 8017 §A.1.1).
fn public_key(certificate: &[u8]) -> Option<(BigUint, BigUint)> {
    let (_, certificate, _) = element(certificate)?;
    let (_, mut fields, _) = element(certificate)?;
    if let Some((VERSION, _, rest)) = element(fields) {
        fields = rest;
    }
    // serialNumber, signature, issuer, validity, subject.
    for _ in 0..5 {
        fields = element(fields)?.2;
    }
    let (_, key_info, _) = element(fields)?;
    let (_, algorithm, rest) = element(key_info)?;
    let (OBJECT_IDENTIFIER, algorithm, _) = element(algorithm)? else {
        return None;
    };
    let (BIT_STRING, [0, key @ ..], _) = element(rest)? else {
        return None;
    };
    if ![RSA_ENCRYPTION, RSASSA_PSS].contains(&algorithm) {
        return None;
    }
    let (_, numbers, _) = element(key)?;
    let (_, modulus, rest) = element(numbers)?;
    let (_, exponent, _) = element(rest)?;
    let (modulus, exponent) = (BigUint::from_bytes_be(modulus), BigUint::from_bytes_be(exponent));
    (modulus.bits() >= 64).then_some((modulus, exponent))
}

const VERSION: u8 = 0xa0;
const OBJECT_IDENTIFIER: u8 = 6;
const BIT_STRING: u8 = 3;
/// 1.2.840.113549.1.1.1
const RSA_ENCRYPTION: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 1];
/// 1.2.840.113549.1.1.10
const RSASSA_PSS: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 10];

/// Tag, content and what follows of one DER element with a one-byte tag.
fn element(input: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (&[tag, first], rest) = input.split_first_chunk::<2>()?;
    let (length, rest) = if first < 0x80 {
        (usize::from(first), rest)
    } else {
        let (length, rest) = rest.split_at_checked(usize::from(first & 0x7f))?;
        if length.len() > 4 {
            return None;
        }
        (length.iter().fold(0, |number, byte| number << 8 | usize::from(*byte)), rest)
    };
    let (content, rest) = rest.split_at_checked(length)?;
    Some((tag, content, rest))
}
