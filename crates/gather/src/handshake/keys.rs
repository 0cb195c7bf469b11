//! Key agreement: elliptic curves, finite fields, and the hybrids with ML-KEM.

use aws_lc_rs::agreement::{self, EphemeralPrivateKey, UnparsedPublicKey, agree_ephemeral};
use aws_lc_rs::kem;
use aws_lc_rs::rand::SystemRandom;
use num_bigint::BigUint;
use tlswhy_wire::NamedGroup;

use super::random_bytes;

/// The private and the public half of one key share.
pub(crate) struct KeyPair {
    /// The group that it belongs to.
    pub(crate) group: NamedGroup,
    /// What goes into the message, in the group's encoding.
    pub(crate) public: Vec<u8>,
    private: Private,
}

enum Private {
    Curve(&'static agreement::Algorithm, EphemeralPrivateKey),
    FiniteField(FiniteField),
    Hybrid(Box<Hybrid>),
    /// A public key that nobody has the private key of.
    Nobody,
}

struct Hybrid {
    curve: (&'static agreement::Algorithm, EphemeralPrivateKey),
    kem: kem::DecapsulationKey,
    layout: Layout,
}

/// Sizes in bytes of the server's two halves, and which comes first.
#[derive(Clone, Copy)]
struct Layout {
    curve: &'static agreement::Algorithm,
    point: usize,
    kem: &'static kem::Algorithm,
    ciphertext: usize,
    curve_first: bool,
}

impl KeyPair {
    /// Makes a key for `group`; `None` where this program cannot compute in it (GREASE, unknown, rare curves).
    ///
    /// For x448 there is a public key, so that a hello may offer it, but [`KeyPair::agree`] fails.
    pub(crate) fn generate(group: NamedGroup) -> Option<KeyPair> {
        let (public, private) = if let Some(curve) = curve(group) {
            let (public, key) = generate_curve(curve)?;
            (public, Private::Curve(curve, key))
        } else if let Some(layout) = hybrid(group) {
            let (point, key) = generate_curve(layout.curve)?;
            let kem = kem::DecapsulationKey::generate(layout.kem).ok()?;
            let encapsulation = kem.encapsulation_key().ok()?;
            let encapsulation = encapsulation.key_bytes().ok()?;
            let public = in_order(layout.curve_first, &point, encapsulation.as_ref());
            let curve = (layout.curve, key);
            (public, Private::Hybrid(Box::new(Hybrid { curve, kem, layout })))
        } else if let Some(prime) = ffdhe_prime(group) {
            let field = FiniteField::new(prime, BigUint::from(2u8))?;
            (field.public(), Private::FiniteField(field))
        } else if group == NamedGroup::X448 {
            (random_bytes(56)?, Private::Nobody)
        } else {
            return None;
        };
        Some(KeyPair { group, public, private })
    }

    /// Whether [`KeyPair::agree`] can succeed.
    pub(crate) fn can_agree(&self) -> bool {
        !matches!(self.private, Private::Nobody)
    }

    /// Whether it is a key on an elliptic curve, the only kind that TLS 1.2 and below negotiate as a group.
    pub(crate) fn is_point(&self) -> bool {
        matches!(self.private, Private::Curve(..))
    }

    /// The shared secret with the peer's share; `None` if that is not a valid public key of the group.
    pub(crate) fn agree(self, peer: &[u8]) -> Option<Vec<u8>> {
        match self.private {
            Private::Curve(curve, key) => agree_on_curve(curve, key, peer),
            Private::FiniteField(field) => field.agree(peer),
            Private::Hybrid(hybrid) => hybrid.agree(peer),
            Private::Nobody => None,
        }
    }
}

impl Hybrid {
    fn agree(self, peer: &[u8]) -> Option<Vec<u8>> {
        let Layout { point, ciphertext, curve_first, .. } = self.layout;
        if peer.len() != point + ciphertext {
            return None;
        }
        let (first, second) = peer.split_at_checked(if curve_first { point } else { ciphertext })?;
        let (point, ciphertext) = if curve_first { (first, second) } else { (second, first) };
        let (algorithm, key) = self.curve;
        let classical = agree_on_curve(algorithm, key, point)?;
        let quantum_safe = self.kem.decapsulate(ciphertext.into()).ok()?;
        Some(in_order(curve_first, &classical, quantum_safe.as_ref()))
    }
}

fn in_order(curve_first: bool, curve: &[u8], kem: &[u8]) -> Vec<u8> {
    if curve_first { [curve, kem].concat() } else { [kem, curve].concat() }
}

fn curve(group: NamedGroup) -> Option<&'static agreement::Algorithm> {
    Some(match group {
        NamedGroup::X25519 => &agreement::X25519,
        NamedGroup::SECP256R1 => &agreement::ECDH_P256,
        NamedGroup::SECP384R1 => &agreement::ECDH_P384,
        NamedGroup::SECP521R1 => &agreement::ECDH_P521,
        _ => return None,
    })
}

fn hybrid(group: NamedGroup) -> Option<Layout> {
    let (curve, point, kem, ciphertext, curve_first) = match group {
        NamedGroup::X25519MLKEM768 => (&agreement::X25519, 32, &kem::ML_KEM_768, 1088, false),
        NamedGroup::SECP256R1MLKEM768 => (&agreement::ECDH_P256, 65, &kem::ML_KEM_768, 1088, true),
        NamedGroup::SECP384R1MLKEM1024 => (&agreement::ECDH_P384, 97, &kem::ML_KEM_1024, 1568, true),
        _ => return None,
    };
    Some(Layout { curve, point, kem, ciphertext, curve_first })
}

fn generate_curve(curve: &'static agreement::Algorithm) -> Option<(Vec<u8>, EphemeralPrivateKey)> {
    let key = EphemeralPrivateKey::generate(curve, &SystemRandom::new()).ok()?;
    let public = key.compute_public_key().ok()?;
    Some((public.as_ref().to_vec(), key))
}

fn agree_on_curve(curve: &'static agreement::Algorithm, key: EphemeralPrivateKey, peer: &[u8]) -> Option<Vec<u8>> {
    agree_ephemeral(key, UnparsedPublicKey::new(curve, peer), (), |secret| Ok(secret.to_vec())).ok()
}

/// Finite-field Diffie-Hellman with a key of our own.
pub(crate) struct FiniteField {
    prime: BigUint,
    generator: BigUint,
    exponent: BigUint,
    /// Length of the prime in bytes.
    length: usize,
}

/// The largest prime computed with, in bits; a server chooses it, and the work grows with its cube.
pub(crate) const LARGEST_PRIME_BITS: u64 = 8192;

impl FiniteField {
    /// A key in the group of this prime; `None` if it is no group to compute in (even, tiny or over 8192 bits).
    pub(crate) fn new(prime: BigUint, generator: BigUint) -> Option<FiniteField> {
        let bits = prime.bits();
        if !prime.bit(0) || !(64..=LARGEST_PRIME_BITS).contains(&bits) || generator < BigUint::from(2u8) {
            return None;
        }
        // Twice the strength of the largest group is enough (RFC 7919 §5.2), and far below the prime's size.
        let exponent = BigUint::from_bytes_be(&random_bytes(if bits <= 512 { bits as usize / 16 } else { 50 })?) + 2u8;
        Some(FiniteField { length: bits.div_ceil(8) as usize, prime, generator, exponent })
    }

    /// The public key, as long as the prime.
    pub(crate) fn public(&self) -> Vec<u8> {
        self.padded(&self.generator.modpow(&self.exponent, &self.prime))
    }

    /// The shared secret, as long as the prime; `None` for a public key outside of 2 to p-2.
    pub(crate) fn agree(&self, peer: &[u8]) -> Option<Vec<u8>> {
        let peer = BigUint::from_bytes_be(peer);
        if peer < BigUint::from(2u8) || peer > &self.prime - 2u8 {
            return None;
        }
        Some(self.padded(&peer.modpow(&self.exponent, &self.prime)))
    }

    fn padded(&self, number: &BigUint) -> Vec<u8> {
        let bytes = number.to_bytes_be();
        let mut padded = vec![0; self.length.saturating_sub(bytes.len())];
        padded.extend(bytes);
        padded
    }
}

/// The primes of RFC 7919 Appendix A, computed as it defines them from the digits of e:
/// `2^b - 2^(b-64) + (floor(2^(b-130) e) + X) 2^64 - 1`.
fn ffdhe_prime(group: NamedGroup) -> Option<BigUint> {
    let (bits, x): (usize, u32) = match group {
        NamedGroup::FFDHE2048 => (2048, 560_316),
        NamedGroup::FFDHE3072 => (3072, 2_625_351),
        NamedGroup::FFDHE4096 => (4096, 5_736_041),
        NamedGroup::FFDHE6144 => (6144, 15_705_020),
        NamedGroup::FFDHE8192 => (8192, 10_965_728),
        _ => return None,
    };
    let one = || BigUint::from(1u8);
    let middle = (euler(bits - 130) + x) << 64;
    Some((one() << bits) - (one() << (bits - 64)) + middle - 1u8)
}

/// `floor(2^bits e)`, by the series of 1/n! with spare digits for its rounding.
fn euler(bits: usize) -> BigUint {
    const SPARE: usize = 64;
    let mut term = BigUint::from(1u8) << (bits + SPARE);
    let mut sum = term.clone();
    let mut n = 1u32;
    while term != BigUint::ZERO {
        term /= n;
        sum += &term;
        n += 1;
    }
    sum >> SPARE
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_keys_agree_in_every_group_with_two_equal_sides() {
        for group in [
            NamedGroup::X25519,
            NamedGroup::SECP256R1,
            NamedGroup::SECP384R1,
            NamedGroup::SECP521R1,
            NamedGroup::FFDHE2048,
            NamedGroup::FFDHE3072,
        ] {
            let (ours, theirs) = (KeyPair::generate(group).unwrap(), KeyPair::generate(group).unwrap());
            let (our_public, their_public) = (ours.public.clone(), theirs.public.clone());
            assert_eq!(ours.agree(&their_public), theirs.agree(&our_public), "{group}");
        }
    }

    #[test]
    fn a_hybrid_agrees_with_a_server_that_encapsulates() {
        for group in [NamedGroup::X25519MLKEM768, NamedGroup::SECP256R1MLKEM768, NamedGroup::SECP384R1MLKEM1024] {
            let layout = hybrid(group).unwrap();
            let pair = KeyPair::generate(group).unwrap();
            let (point, key) = generate_curve(layout.curve).unwrap();
            let split = if layout.curve_first { layout.point } else { pair.public.len() - layout.point };
            let (first, second) = pair.public.split_at(split);
            let (their_point, encapsulation) = if layout.curve_first { (first, second) } else { (second, first) };
            let (ciphertext, secret) = kem::EncapsulationKey::new(layout.kem, encapsulation).unwrap().encapsulate().unwrap();
            let classical = agree_on_curve(layout.curve, key, their_point).unwrap();
            let expected = in_order(layout.curve_first, &classical, secret.as_ref());
            let share = in_order(layout.curve_first, &point, ciphertext.as_ref());
            assert_eq!(pair.agree(&share), Some(expected), "{group}");
        }
    }

    #[test]
    fn the_primes_are_those_of_the_rfc() {
        for (group, end) in [
            (NamedGroup::FFDHE2048, "886b423861285c97ffffffffffffffff"),
            (NamedGroup::FFDHE3072, "25e41d2b66c62e37ffffffffffffffff"),
            (NamedGroup::FFDHE4096, "c68a007e5e655f6affffffffffffffff"),
            (NamedGroup::FFDHE6144, "a40e329cd0e40e65ffffffffffffffff"),
            (NamedGroup::FFDHE8192, "d68c8bb7c5c6424cffffffffffffffff"),
        ] {
            let prime = ffdhe_prime(group).unwrap().to_str_radix(16);
            assert!(prime.starts_with("ffffffffffffffffadf85458a2bb4a9a") && prime.ends_with(end), "{group}");
        }
    }

    #[test]
    fn what_is_no_key_is_refused() {
        for group in [NamedGroup::X25519, NamedGroup::SECP256R1, NamedGroup::X25519MLKEM768, NamedGroup::FFDHE2048] {
            assert_eq!(KeyPair::generate(group).unwrap().agree(&[]), None);
            assert_eq!(KeyPair::generate(group).unwrap().agree(&[1]), None);
        }
        assert!(KeyPair::generate(NamedGroup(0x0a0a)).is_none());
        assert_eq!(KeyPair::generate(NamedGroup::X448).unwrap().public.len(), 56);
        assert!(FiniteField::new(BigUint::from(0u8), BigUint::from(2u8)).is_none());
        assert!(FiniteField::new(BigUint::from(1u8) << 9000, BigUint::from(2u8)).is_none());
    }
}
