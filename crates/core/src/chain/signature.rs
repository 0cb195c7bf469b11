//! Signatures of certificates and of the handshake, checked with the key that should have made them.

use std::collections::HashMap;

use aws_lc_rs::signature::{self as lc, UnparsedPublicKey, VerificationAlgorithm};
use tlswhy_wire::SignatureScheme;

use super::algorithms::PSS;
use super::certificate::Certificate;
use super::der::{BIT_STRING, OBJECT_IDENTIFIER, Reader, SEQUENCE, dotted};

/// Most signatures that one judgement checks: an honest chain needs fewer than ten, a hostile one could ask for millions.
pub const MOST_VERIFICATIONS: u32 = 200;

/// Whether a signature is good.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The key made it.
    Holds,
    /// The key did not make it.
    Broken,
    /// It cannot be checked here, for this reason.
    CannotTell(String),
}

/// Whether the key of `issuer` signed `certificate`.
pub fn verify(issuer: &Certificate, certificate: &Certificate) -> Verdict {
    let signature = certificate.der.get(certificate.signature_value.clone()).unwrap_or_default();
    let named = &certificate.signature;
    let family = match named.name.as_str() {
        _ if named.oid == PSS => Family::Pss,
        name if name.contains("RSA") => Family::Pkcs1,
        name if name.starts_with("ecdsa") => Family::Ecdsa,
        "Ed25519" => Family::Ed25519,
        name => return Verdict::CannotTell(format!("signatures by {name} are not checked here")),
    };
    check(&issuer.spki, family, named.digest, certificate.signed_bytes(), signature)
}

/// Whether the key (SubjectPublicKeyInfo, DER) signed a message of the handshake (RFC 5246 §7.4.3, RFC 8446 §4.4.3).
pub fn verify_handshake(spki: &[u8], scheme: SignatureScheme, message: &[u8], signature: &[u8]) -> Verdict {
    let (family, digest) = match scheme.0 {
        0x0201 => (Family::Pkcs1, "SHA-1"),
        0x0401 | 0x0420 => (Family::Pkcs1, "SHA-256"),
        0x0501 | 0x0520 => (Family::Pkcs1, "SHA-384"),
        0x0601 | 0x0620 => (Family::Pkcs1, "SHA-512"),
        0x0203 => (Family::Ecdsa, "SHA-1"),
        0x0303 => (Family::Ecdsa, "SHA-224"),
        0x0403 => (Family::Ecdsa, "SHA-256"),
        0x0503 => (Family::Ecdsa, "SHA-384"),
        0x0603 => (Family::Ecdsa, "SHA-512"),
        0x0804 | 0x0809 => (Family::Pss, "SHA-256"),
        0x0805 | 0x080a => (Family::Pss, "SHA-384"),
        0x0806 | 0x080b => (Family::Pss, "SHA-512"),
        0x0807 => return check(spki, Family::Ed25519, None, message, signature),
        _ => return Verdict::CannotTell(format!("signatures by {scheme} are not checked here")),
    };
    check(spki, family, Some(digest), message, signature)
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Family {
    Pkcs1,
    Pss,
    Ecdsa,
    Ed25519,
}

fn check(spki: &[u8], family: Family, digest: Option<&str>, message: &[u8], signature: &[u8]) -> Verdict {
    let Some(key) = Key::read(spki) else { return Verdict::CannotTell("the public key cannot be read".to_owned()) };
    let fits = match family {
        Family::Pkcs1 => key.algorithm == "1.2.840.113549.1.1.1",
        Family::Pss => ["1.2.840.113549.1.1.1", PSS].contains(&key.algorithm.as_str()),
        Family::Ecdsa => key.algorithm == "1.2.840.10045.2.1",
        Family::Ed25519 => key.algorithm == "1.3.101.112",
    };
    if !fits {
        return Verdict::Broken;
    }
    match verifier(family, &key, digest) {
        Some(algorithm) => match UnparsedPublicKey::new(algorithm, key.bytes).verify(message, signature) {
            Ok(()) => Verdict::Holds,
            Err(_) => Verdict::Broken,
        },
        None => {
            Verdict::CannotTell(format!("a signature with this key and {} is not checked here", digest.unwrap_or("no digest")))
        }
    }
}

/// A public key, and what it is.
struct Key<'a> {
    algorithm: String,
    curve: String,
    bytes: &'a [u8],
}

impl<'a> Key<'a> {
    fn read(spki: &'a [u8]) -> Option<Key<'a>> {
        let mut parts = Reader::new(spki, 0).expect(SEQUENCE, "key").ok()?.reader();
        let mut named = parts.expect(SEQUENCE, "algorithm").ok()?.reader();
        let algorithm = dotted(named.expect(OBJECT_IDENTIFIER, "algorithm").ok()?.content);
        let curve = named.optional(OBJECT_IDENTIFIER, "curve").ok()?.map(|item| dotted(item.content)).unwrap_or_default();
        let [0, bytes @ ..] = parts.expect(BIT_STRING, "key").ok()?.content else { return None };
        Some(Key { algorithm, curve, bytes })
    }

    /// Bits of an RSA modulus.
    fn modulus_bits(&self) -> usize {
        let read = || Reader::new(self.bytes, 0).expect(SEQUENCE, "key").ok()?.reader().next("modulus").ok();
        let modulus = read().map(|item| item.content).unwrap_or_default();
        let start = modulus.iter().position(|byte| *byte != 0).unwrap_or(modulus.len());
        let first = modulus.get(start).map_or(8, |byte| byte.leading_zeros() as usize);
        modulus.len().saturating_sub(start).saturating_mul(8).saturating_sub(first)
    }
}

fn verifier(family: Family, key: &Key<'_>, digest: Option<&str>) -> Option<&'static dyn VerificationAlgorithm> {
    let (digest, large) = (digest.unwrap_or_default(), key.modulus_bits() >= 2048);
    let rsa_size = (1024..=8192).contains(&key.modulus_bits());
    Some(match (family, digest) {
        (Family::Pkcs1, "SHA-1") if rsa_size => &lc::RSA_PKCS1_1024_8192_SHA1_FOR_LEGACY_USE_ONLY,
        (Family::Pkcs1, "SHA-256") if rsa_size => &lc::RSA_PKCS1_1024_8192_SHA256_FOR_LEGACY_USE_ONLY,
        (Family::Pkcs1, "SHA-512") if rsa_size => &lc::RSA_PKCS1_1024_8192_SHA512_FOR_LEGACY_USE_ONLY,
        (Family::Pkcs1, "SHA-384") if rsa_size && large => &lc::RSA_PKCS1_2048_8192_SHA384,
        (Family::Pss, "SHA-256") if rsa_size && large => &lc::RSA_PSS_2048_8192_SHA256,
        (Family::Pss, "SHA-384") if rsa_size && large => &lc::RSA_PSS_2048_8192_SHA384,
        (Family::Pss, "SHA-512") if rsa_size && large => &lc::RSA_PSS_2048_8192_SHA512,
        (Family::Ed25519, _) => &lc::ED25519,
        (Family::Ecdsa, digest) => match (key.curve.as_str(), digest) {
            ("1.2.840.10045.3.1.7", "SHA-1") => &lc::ECDSA_P256_SHA1_ASN1,
            ("1.2.840.10045.3.1.7", "SHA-256") => &lc::ECDSA_P256_SHA256_ASN1,
            ("1.2.840.10045.3.1.7", "SHA-384") => &lc::ECDSA_P256_SHA384_ASN1,
            ("1.2.840.10045.3.1.7", "SHA-512") => &lc::ECDSA_P256_SHA512_ASN1,
            ("1.3.132.0.34", "SHA-256") => &lc::ECDSA_P384_SHA256_ASN1,
            ("1.3.132.0.34", "SHA-384") => &lc::ECDSA_P384_SHA384_ASN1,
            ("1.3.132.0.34", "SHA-512") => &lc::ECDSA_P384_SHA512_ASN1,
            ("1.3.132.0.35", "SHA-1") => &lc::ECDSA_P521_SHA1_ASN1,
            ("1.3.132.0.35", "SHA-224") => &lc::ECDSA_P521_SHA224_ASN1,
            ("1.3.132.0.35", "SHA-256") => &lc::ECDSA_P521_SHA256_ASN1,
            ("1.3.132.0.35", "SHA-384") => &lc::ECDSA_P521_SHA384_ASN1,
            ("1.3.132.0.35", "SHA-512") => &lc::ECDSA_P521_SHA512_ASN1,
            _ => return None,
        },
        _ => return None,
    })
}

/// Verdicts, so that no pair is checked twice, and how many were checked for the judgement at hand.
#[derive(Debug, Default)]
pub struct Memo {
    known: HashMap<([u8; 32], [u8; 32]), Verdict>,
    done: u32,
}

impl Memo {
    /// `None`: the budget is spent.
    pub(super) fn verify(&mut self, issuer: &Certificate, certificate: &Certificate) -> Option<Verdict> {
        let pair = (issuer.spki_sha256, certificate.sha256);
        if let Some(verdict) = self.known.get(&pair) {
            return Some(verdict.clone());
        }
        if self.done >= MOST_VERIFICATIONS {
            return None;
        }
        self.done += 1;
        let verdict = verify(issuer, certificate);
        self.known.insert(pair, verdict.clone());
        Some(verdict)
    }

    pub(super) fn done(&self) -> u32 {
        self.done
    }

    /// Another judgement begins, with a budget of its own.
    pub(super) fn begin(&mut self) {
        self.done = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_of_the_handshake_is_checked() {
        use rcgen::SigningKey;
        let key = rcgen::KeyPair::generate().unwrap();
        let parameters = rcgen::CertificateParams::new(vec!["a.example.test".to_owned()]).unwrap();
        let spki = Certificate::read(parameters.self_signed(&key).unwrap().der()).spki;
        let signature = key.sign(b"message").unwrap();
        let scheme = SignatureScheme(0x0403);
        assert_eq!(verify_handshake(&spki, scheme, b"message", &signature), Verdict::Holds);
        assert_eq!(verify_handshake(&spki, scheme, b"another", &signature), Verdict::Broken);
        assert_eq!(verify_handshake(&spki, SignatureScheme(0x0804), b"message", &signature), Verdict::Broken);
        assert!(matches!(verify_handshake(&spki, SignatureScheme(0x0303), b"message", &signature), Verdict::CannotTell(_)));
    }

    #[test]
    fn the_right_key_holds_and_another_does_not() {
        let made = rcgen::generate_simple_self_signed(["a.example.test".to_owned()]).unwrap();
        let other = rcgen::generate_simple_self_signed(["a.example.test".to_owned()]).unwrap();
        let (made, other) = (Certificate::read(made.cert.der()), Certificate::read(other.cert.der()));
        assert_eq!(verify(&made, &made), Verdict::Holds);
        assert_eq!(verify(&other, &made), Verdict::Broken);
        let mut memo = Memo::default();
        memo.verify(&made, &made);
        memo.verify(&made, &made);
        assert_eq!(memo.done(), 1);
    }
}
