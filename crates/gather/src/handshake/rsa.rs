//! RSA key exchange: the public key of a certificate, and encryption to it (RFC 8017 §7.2.1).
//!
//! Done with plain numbers, because old servers have keys that libraries refuse to use.

use num_bigint::BigUint;

use super::random_bytes;
use crate::der::{self, INTEGER, RSA_ENCRYPTION, RSASSA_PSS, SEQUENCE, expect};

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
    let (algorithm, key) = der::public_key(der::public_key_info(certificate)?)?;
    if ![RSA_ENCRYPTION, RSASSA_PSS].contains(&algorithm) {
        return None;
    }
    let (numbers, _) = expect(key, SEQUENCE)?;
    let (modulus, rest) = expect(numbers, INTEGER)?;
    let (exponent, _) = expect(rest, INTEGER)?;
    let (modulus, exponent) = (BigUint::from_bytes_be(modulus), BigUint::from_bytes_be(exponent));
    (modulus.bits() >= 64).then_some((modulus, exponent))
}
