//! Private keys from files: PKCS#8 (RFC 5958), PKCS#1 (RFC 8017 §A.1.2) and SEC1 (RFC 5915), their public half, and signing
//! with them. A key lives in memory alone; nothing here can show one.

mod signing;

use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_ASN1_SIGNING, ECDSA_P384_SHA384_ASN1_SIGNING, ECDSA_P521_SHA512_ASN1_SIGNING, EcdsaKeyPair,
    EcdsaSigningAlgorithm, Ed25519KeyPair, KeyPair as _, RsaKeyPair,
};
use num_bigint::BigUint;
use tlswhy_wire::SignatureScheme;

use crate::der::{
    BIT_STRING, CONTEXT_0, CONTEXT_1, INTEGER, NULL, OBJECT_IDENTIFIER, OCTET_STRING, RSA_ENCRYPTION, RSASSA_PSS, SEQUENCE,
    element, elements, encode, expect, whole,
};

/// 1.2.840.10045.2.1
const EC_PUBLIC_KEY: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 2, 1];
/// 1.3.101.112
const ED25519: &[u8] = &[0x2b, 0x65, 0x70];
/// The sizes of an RSA modulus that is computed with, in bits.
const MODULUS_BITS: std::ops::RangeInclusive<u64> = 512..=16_384;

/// A private key.
pub(crate) struct PrivateKey {
    kind: Kind,
    public: Vec<u8>,
}

enum Kind {
    Rsa(Box<Rsa>),
    Ecdsa(&'static Curve, EcdsaKeyPair),
    Ed25519(Box<Ed25519KeyPair>),
    /// Of a kind that is not signed with here.
    Other,
}

struct Rsa {
    /// The library's key; it takes none below 2048 bits.
    pair: Option<RsaKeyPair>,
    modulus: BigUint,
    public: BigUint,
    private: BigUint,
    /// The key may sign with RSASSA-PSS alone.
    pss_only: bool,
}

struct Curve {
    identifier: &'static [u8],
    algorithm: &'static EcdsaSigningAlgorithm,
    digest: &'static aws_lc_rs::digest::Algorithm,
    /// The one scheme that TLS 1.3 ties to it (RFC 8446 §4.2.3).
    scheme: SignatureScheme,
}

static CURVES: [Curve; 3] = [
    Curve {
        // 1.2.840.10045.3.1.7
        identifier: &[0x2a, 0x86, 0x48, 0xce, 0x3d, 3, 1, 7],
        algorithm: &ECDSA_P256_SHA256_ASN1_SIGNING,
        digest: &aws_lc_rs::digest::SHA256,
        scheme: SignatureScheme::ECDSA_SECP256R1_SHA256,
    },
    Curve {
        // 1.3.132.0.34
        identifier: &[0x2b, 0x81, 4, 0, 34],
        algorithm: &ECDSA_P384_SHA384_ASN1_SIGNING,
        digest: &aws_lc_rs::digest::SHA384,
        scheme: SignatureScheme::ECDSA_SECP384R1_SHA384,
    },
    Curve {
        // 1.3.132.0.35
        identifier: &[0x2b, 0x81, 4, 0, 35],
        algorithm: &ECDSA_P521_SHA512_ASN1_SIGNING,
        digest: &aws_lc_rs::digest::SHA512,
        scheme: SignatureScheme::ECDSA_SECP521R1_SHA512,
    },
];

impl PrivateKey {
    /// Reads one that is not encrypted, in whichever of the three forms; `None` if it is none of them.
    pub(crate) fn from_der(der: &[u8]) -> Option<PrivateKey> {
        let (content, _) = expect(der, SEQUENCE)?;
        let (version, rest) = expect(content, INTEGER)?;
        match (version, element(rest)?.0) {
            (_, SEQUENCE) => PrivateKey::of_pkcs8(rest),
            (_, INTEGER) => {
                let algorithm = encode(SEQUENCE, &[encode(OBJECT_IDENTIFIER, RSA_ENCRYPTION), vec![NULL, 0]].concat());
                PrivateKey::of_pkcs1(der, &algorithm, false)
            }
            ([1], OCTET_STRING) => PrivateKey::of_sec1(der, None),
            _ => None,
        }
    }

    /// SubjectPublicKeyInfo in DER.
    pub(crate) fn public_half(&self) -> &[u8] {
        &self.public
    }

    /// `rest` is what follows the version.
    fn of_pkcs8(rest: &[u8]) -> Option<PrivateKey> {
        let (algorithm, rest) = whole(rest)?;
        let (key, _) = expect(rest, OCTET_STRING)?;
        let (identifier, parameters) = expect(expect(algorithm, SEQUENCE)?.0, OBJECT_IDENTIFIER)?;
        match identifier {
            RSA_ENCRYPTION => PrivateKey::of_pkcs1(key, algorithm, false),
            RSASSA_PSS => PrivateKey::of_pkcs1(key, algorithm, true),
            EC_PUBLIC_KEY => PrivateKey::of_sec1(key, Some(expect(parameters, OBJECT_IDENTIFIER)?.0)),
            ED25519 => {
                let pair = Ed25519KeyPair::from_seed_unchecked(expect(key, OCTET_STRING)?.0).ok()?;
                let public = public_key_info(algorithm, pair.public_key().as_ref());
                Some(PrivateKey { kind: Kind::Ed25519(Box::new(pair)), public })
            }
            _ => None,
        }
    }

    fn of_pkcs1(der: &[u8], algorithm: &[u8], pss_only: bool) -> Option<PrivateKey> {
        let (content, _) = expect(der, SEQUENCE)?;
        let numbers = elements(content).map(|(tag, number)| (tag == INTEGER).then_some(number)).take(9);
        let numbers = numbers.collect::<Option<Vec<_>>>()?;
        // version, modulus, both exponents, and five to compute faster; a DSA key has fewer.
        let [_, modulus, public, private, _, _, _, _, _] = numbers.as_slice() else {
            return None;
        };
        let public_numbers = [encode(INTEGER, modulus), encode(INTEGER, public)].concat();
        let [modulus, public, private] = [*modulus, *public, *private].map(BigUint::from_bytes_be);
        if !MODULUS_BITS.contains(&modulus.bits()) || !modulus.bit(0) || public.bits() > 64 || private >= modulus {
            return None;
        }
        let pair = RsaKeyPair::from_der(der).ok();
        let kind = Kind::Rsa(Box::new(Rsa { pair, modulus, public, private, pss_only }));
        Some(PrivateKey { kind, public: public_key_info(algorithm, &encode(SEQUENCE, &public_numbers)) })
    }

    /// `curve` is what PKCS#8 says; else the key itself does.
    fn of_sec1(der: &[u8], curve: Option<&[u8]>) -> Option<PrivateKey> {
        let (content, _) = expect(der, SEQUENCE)?;
        let field = |wanted| elements(content).find(|(tag, _)| *tag == wanted).map(|(_, content)| content);
        let own = field(CONTEXT_0).and_then(|parameters| Some(expect(parameters, OBJECT_IDENTIFIER)?.0));
        let curve = curve.or(own)?;
        let known = CURVES.iter().find(|known| known.identifier == curve);
        let pair = known.and_then(|known| Some((known, EcdsaKeyPair::from_private_key_der(known.algorithm, der).ok()?)));
        let (kind, point) = match pair {
            Some((curve, pair)) => {
                let point = pair.public_key().as_ref().to_vec();
                (Kind::Ecdsa(curve, pair), point)
            }
            None => {
                let (BIT_STRING, [0, point @ ..], _) = element(field(CONTEXT_1)?)? else {
                    return None;
                };
                (Kind::Other, point.to_vec())
            }
        };
        let algorithm = [encode(OBJECT_IDENTIFIER, EC_PUBLIC_KEY), encode(OBJECT_IDENTIFIER, curve)].concat();
        Some(PrivateKey { kind, public: public_key_info(&encode(SEQUENCE, &algorithm), &point) })
    }
}

/// SubjectPublicKeyInfo (RFC 5280 §4.1) of an AlgorithmIdentifier and a key.
fn public_key_info(algorithm: &[u8], key: &[u8]) -> Vec<u8> {
    encode(SEQUENCE, &[algorithm, &encode(BIT_STRING, &[&[0], key].concat())].concat())
}
