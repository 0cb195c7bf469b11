//! Signatures for CertificateVerify: aws-lc-rs where it has them, else plain numbers.

use aws_lc_rs::digest::Digest as Imported;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{
    RSA_PKCS1_SHA256, RSA_PKCS1_SHA384, RSA_PKCS1_SHA512, RSA_PSS_SHA256, RSA_PSS_SHA384, RSA_PSS_SHA512, RsaEncoding,
};
use num_bigint::BigUint;
use tlswhy_wire::{ProtocolVersion, SignatureScheme};

use super::{Curve, Kind, PrivateKey, Rsa};
use crate::der::{NULL, OBJECT_IDENTIFIER, OCTET_STRING, SEQUENCE, encode};
use crate::handshake::{Digest, random_bytes};

/// How a scheme signs.
#[derive(Clone, Copy)]
enum Method {
    Pkcs1(Digest),
    /// Whether it is for keys that are bound to RSASSA-PSS.
    Pss(Digest, bool),
    Ecdsa(Digest),
    Ed25519,
}

impl Method {
    fn of(scheme: SignatureScheme) -> Option<Method> {
        use Digest::{Sha1, Sha256, Sha384, Sha512};
        Some(match scheme {
            SignatureScheme::RSA_PKCS1_SHA1 => Method::Pkcs1(Sha1),
            SignatureScheme::RSA_PKCS1_SHA256 | SignatureScheme::RSA_PKCS1_SHA256_LEGACY => Method::Pkcs1(Sha256),
            SignatureScheme::RSA_PKCS1_SHA384 | SignatureScheme::RSA_PKCS1_SHA384_LEGACY => Method::Pkcs1(Sha384),
            SignatureScheme::RSA_PKCS1_SHA512 | SignatureScheme::RSA_PKCS1_SHA512_LEGACY => Method::Pkcs1(Sha512),
            SignatureScheme::RSA_PSS_RSAE_SHA256 => Method::Pss(Sha256, false),
            SignatureScheme::RSA_PSS_RSAE_SHA384 => Method::Pss(Sha384, false),
            SignatureScheme::RSA_PSS_RSAE_SHA512 => Method::Pss(Sha512, false),
            SignatureScheme::RSA_PSS_PSS_SHA256 => Method::Pss(Sha256, true),
            SignatureScheme::RSA_PSS_PSS_SHA384 => Method::Pss(Sha384, true),
            SignatureScheme::RSA_PSS_PSS_SHA512 => Method::Pss(Sha512, true),
            SignatureScheme::ECDSA_SHA1 => Method::Ecdsa(Sha1),
            SignatureScheme::ECDSA_SECP256R1_SHA256 => Method::Ecdsa(Sha256),
            SignatureScheme::ECDSA_SECP384R1_SHA384 => Method::Ecdsa(Sha384),
            SignatureScheme::ECDSA_SECP521R1_SHA512 => Method::Ecdsa(Sha512),
            SignatureScheme::ED25519 => Method::Ed25519,
            _ => return None,
        })
    }

    /// Whether the scheme may sign a CertificateVerify of this version, 1.2 or 1.3 (RFC 8446 §4.2.3, RFC 9963).
    fn fits(self, scheme: SignatureScheme, version: ProtocolVersion) -> bool {
        let tls_1_3 = version >= ProtocolVersion::TLSV1_3;
        match self {
            Method::Pkcs1(_) => {
                let for_tls_1_3 = [
                    SignatureScheme::RSA_PKCS1_SHA256_LEGACY,
                    SignatureScheme::RSA_PKCS1_SHA384_LEGACY,
                    SignatureScheme::RSA_PKCS1_SHA512_LEGACY,
                ];
                for_tls_1_3.contains(&scheme) == tls_1_3
            }
            Method::Ecdsa(Digest::Sha1) => !tls_1_3,
            _ => true,
        }
    }
}

impl PrivateKey {
    /// Signs with the first of the schemes that the version and the key allow; `None` if there is none.
    pub(crate) fn sign(
        &self,
        version: ProtocolVersion,
        schemes: &[SignatureScheme],
        message: &[u8],
    ) -> Option<(SignatureScheme, Vec<u8>)> {
        schemes.iter().find_map(|scheme| {
            let method = Method::of(*scheme).filter(|method| method.fits(*scheme, version))?;
            let signature = match (&self.kind, method) {
                (Kind::Rsa(rsa), Method::Pkcs1(digest)) if !rsa.pss_only => rsa.sign_pkcs1(digest, message),
                (Kind::Rsa(rsa), Method::Pss(digest, pss_only)) if rsa.pss_only == pss_only => rsa.sign_pss(digest, message),
                (Kind::Ecdsa(curve, _), Method::Ecdsa(_)) if version >= ProtocolVersion::TLSV1_3 && curve.scheme != *scheme => {
                    None
                }
                (Kind::Ecdsa(curve, pair), Method::Ecdsa(digest)) => curve.sign(pair, &digest.of(message)),
                (Kind::Ed25519(pair), Method::Ed25519) => Some(pair.sign(message).as_ref().to_vec()),
                _ => None,
            };
            Some((*scheme, signature?))
        })
    }

    /// Signs as TLS 1.0 and 1.1 do (RFC 2246 §7.4.8, RFC 8422 §5.8): MD5 and SHA-1 with RSA, SHA-1 with ECDSA.
    pub(crate) fn sign_without_scheme(&self, message: &[u8]) -> Option<Vec<u8>> {
        match &self.kind {
            Kind::Rsa(rsa) if !rsa.pss_only => rsa.sign_padded(&[Digest::Md5.of(message), Digest::Sha1.of(message)].concat()),
            Kind::Ecdsa(curve, pair) => curve.sign(pair, &Digest::Sha1.of(message)),
            _ => None,
        }
    }
}

impl Curve {
    /// A signature over a digest of any length. ECDSA reads it as a number of at most as many bits as the curve's order has
    /// (SEC 1 §4.1.3), so zeros before a shorter one and a cut after a longer one change nothing.
    fn sign(&self, pair: &aws_lc_rs::signature::EcdsaKeyPair, digest: &[u8]) -> Option<Vec<u8>> {
        let length = self.digest.output_len();
        let mut fitted = vec![0; length.saturating_sub(digest.len())];
        fitted.extend(digest.iter().take(length));
        let imported = Imported::import_less_safe(&fitted, self.digest).ok()?;
        Some(pair.sign_digest(&imported).ok()?.as_ref().to_vec())
    }
}

impl Rsa {
    fn sign_pkcs1(&self, digest: Digest, message: &[u8]) -> Option<Vec<u8>> {
        let (encoding, identifier): (Option<&'static dyn RsaEncoding>, &[u8]) = match digest {
            // 1.3.14.3.2.26, and 2.16.840.1.101.3.4.2.1 to 3
            Digest::Sha1 => (None, &[0x2b, 0x0e, 3, 2, 0x1a]),
            Digest::Sha256 => (Some(&RSA_PKCS1_SHA256), &[0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, 1]),
            Digest::Sha384 => (Some(&RSA_PKCS1_SHA384), &[0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, 2]),
            Digest::Sha512 => (Some(&RSA_PKCS1_SHA512), &[0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, 3]),
            Digest::Md5 => return None,
        };
        if let (Some(encoding), Some(_)) = (encoding, &self.pair) {
            return self.sign_by_library(encoding, message);
        }
        // DigestInfo (RFC 8017 §9.2).
        let algorithm = encode(SEQUENCE, &[encode(OBJECT_IDENTIFIER, identifier), vec![NULL, 0]].concat());
        let digest = encode(OCTET_STRING, &digest.of(message));
        self.sign_padded(&encode(SEQUENCE, &[algorithm, digest].concat()))
    }

    fn sign_pss(&self, digest: Digest, message: &[u8]) -> Option<Vec<u8>> {
        let encoding: &'static dyn RsaEncoding = match digest {
            Digest::Sha256 => &RSA_PSS_SHA256,
            Digest::Sha384 => &RSA_PSS_SHA384,
            Digest::Sha512 => &RSA_PSS_SHA512,
            Digest::Md5 | Digest::Sha1 => return None,
        };
        self.sign_by_library(encoding, message)
    }

    fn sign_by_library(&self, encoding: &'static dyn RsaEncoding, message: &[u8]) -> Option<Vec<u8>> {
        let pair = self.pair.as_ref()?;
        let mut signature = vec![0; pair.public_modulus_len()];
        pair.sign(encoding, &SystemRandom::new(), message, &mut signature).ok()?;
        Some(signature)
    }

    /// The padding of RFC 8017 §9.2 around `content`, and the private exponent over it: for the digests and the sizes of key
    /// that the library refuses. What is raised is blinded by a random number, so that the time it takes tells nothing.
    fn sign_padded(&self, content: &[u8]) -> Option<Vec<u8>> {
        let size = self.modulus.bits().div_ceil(8) as usize;
        let filling = size.checked_sub(content.len() + 3).filter(|filling| *filling >= 8)?;
        let padded = [&[0, 1][..], &vec![0xff; filling], &[0], content].concat();
        let padded = BigUint::from_bytes_be(&padded);
        let blinding = BigUint::from_bytes_be(&random_bytes(size)?) % &self.modulus;
        let unblinding = blinding.modinv(&self.modulus)?;
        let blinded = &padded * blinding.modpow(&self.public, &self.modulus) % &self.modulus;
        let signed = blinded.modpow(&self.private, &self.modulus) * unblinding % &self.modulus;
        // A key whose numbers do not belong together would give itself away.
        if signed.modpow(&self.public, &self.modulus) != padded {
            return None;
        }
        let bytes = signed.to_bytes_be();
        let mut signature = vec![0; size.saturating_sub(bytes.len())];
        signature.extend(bytes);
        Some(signature)
    }
}
