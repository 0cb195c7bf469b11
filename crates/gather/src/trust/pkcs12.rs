//! Certificates in PKCS#12 (RFC 7292): unencrypted, as Java ships its own since version 18, or encrypted with PBES2 (RFC 8018 §6.2)
//! as Java and OpenSSL write them today. What was encrypted with the older ciphers (RC2, 3DES) is not read.

use std::io;
use std::num::NonZeroU32;

use aws_lc_rs::cipher::{AES_128, AES_192, AES_256, DecryptionContext, PaddedBlockDecryptingKey, UnboundCipherKey};
use aws_lc_rs::iv::FixedLength;
use aws_lc_rs::pbkdf2;

use crate::der::{CONTEXT_0, INTEGER, OBJECT_IDENTIFIER, OCTET_STRING, SEQUENCE, SET, elements, expect};
use crate::file::invalid;

/// Found in a store.
pub(crate) struct Found {
    pub(crate) der: Vec<u8>,
    /// Marked as trusted, in Java's way.
    pub(crate) trusted: bool,
}

/// The most rounds of PBKDF2 that are computed; Java takes 10 000, OpenSSL 2048.
const MOST_ROUNDS: u32 = 1_000_000;
/// The most parts of a store that are read; there are two as a rule, certificates and keys.
const MOST_PARTS: usize = 10;
/// How deep bags may lie in bags.
const DEEPEST: u8 = 4;

/// 1.2.840.113549.1.7.1 and .6
const DATA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 7, 1];
const ENCRYPTED_DATA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 7, 6];
/// 1.2.840.113549.1.12.10.1.3 and .6
const CERTIFICATE_BAG: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 12, 10, 1, 3];
const NESTED_BAGS: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 12, 10, 1, 6];
/// 1.2.840.113549.1.9.22.1
const X509: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 9, 22, 1];
/// 2.16.840.1.113894.746875.1.1: Java trusts only certificates that bear it.
const TRUSTED_KEY_USAGE: &[u8] = &[0x60, 0x86, 0x48, 1, 0x86, 0xf9, 0x66, 0xad, 0xca, 0x7b, 1, 1];
/// 1.2.840.113549.1.5.12 and .13
const PBKDF2: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 5, 12];
const PBES2: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 5, 13];

/// The certificates of a store, its encrypted ones with the first of the passwords that opens them.
pub(crate) fn certificates(bytes: &[u8], passwords: &[&str]) -> io::Result<Vec<Found>> {
    read(bytes, Some(passwords))
}

/// The certificates of a store that are not encrypted.
pub(crate) fn unencrypted_certificates(bytes: &[u8]) -> io::Result<Vec<Found>> {
    read(bytes, None)
}

fn read(bytes: &[u8], passwords: Option<&[&str]>) -> io::Result<Vec<Found>> {
    let damaged = || invalid("the PKCS#12 store is damaged");
    let mut found = Vec::new();
    for (kind, content) in safe(bytes).ok_or_else(damaged)? {
        match kind {
            DATA => {
                let bags = expect(content, OCTET_STRING).and_then(|(bags, _)| expect(bags, SEQUENCE)).ok_or_else(damaged)?.0;
                take(bags, DEEPEST, &mut found);
            }
            ENCRYPTED_DATA => {
                let Some(passwords) = passwords else {
                    continue;
                };
                let sealed = Sealed::read(content).ok_or_else(damaged)?;
                if !sealed.can_be_opened() {
                    return Err(invalid(
                        "its certificates are encrypted with an old cipher; `openssl pkcs12 -legacy -nokeys -in STORE -out FILE` \
                         writes them as PEM",
                    ));
                }
                let opened = passwords.iter().find_map(|password| sealed.open(password));
                let opened =
                    opened.ok_or_else(|| invalid("its certificates are encrypted with a password that is not known"))?;
                take(expect(&opened, SEQUENCE).ok_or_else(damaged)?.0, DEEPEST, &mut found);
            }
            // Encrypted to a public key.
            _ => {}
        }
    }
    Ok(found)
}

/// The parts of a store: type and content.
fn safe(bytes: &[u8]) -> Option<Vec<(&[u8], &[u8])>> {
    let (store, _) = expect(bytes, SEQUENCE)?;
    let (_, rest) = expect(store, INTEGER)?;
    let (DATA, content) = content_info(expect(rest, SEQUENCE)?.0)? else {
        return None;
    };
    let (parts, _) = expect(expect(content, OCTET_STRING)?.0, SEQUENCE)?;
    elements(parts).take(MOST_PARTS).map(|(_, part)| content_info(part)).collect()
}

/// Type and content of a ContentInfo (RFC 5652 §3).
fn content_info(info: &[u8]) -> Option<(&[u8], &[u8])> {
    let (kind, rest) = expect(info, OBJECT_IDENTIFIER)?;
    Some((kind, expect(rest, CONTEXT_0)?.0))
}

/// Takes the certificates out of bags (RFC 7292 §4.2).
fn take(bags: &[u8], depth: u8, found: &mut Vec<Found>) {
    for (_, bag) in elements(bags) {
        let Some((kind, rest)) = expect(bag, OBJECT_IDENTIFIER) else {
            continue;
        };
        let Some((value, attributes)) = expect(rest, CONTEXT_0) else {
            continue;
        };
        match kind {
            CERTIFICATE_BAG => {
                let attributes = expect(attributes, SET).map(|(attributes, _)| attributes).unwrap_or_default();
                let trusted = elements(attributes).any(|(_, attribute)| {
                    expect(attribute, OBJECT_IDENTIFIER).is_some_and(|(identifier, _)| identifier == TRUSTED_KEY_USAGE)
                });
                found.extend(certificate(value).map(|der| Found { der: der.to_vec(), trusted }));
            }
            NESTED_BAGS if depth > 0 => {
                if let Some((bags, _)) = expect(value, SEQUENCE) {
                    take(bags, depth - 1, found);
                }
            }
            _ => {}
        }
    }
}

fn certificate(bag: &[u8]) -> Option<&[u8]> {
    let (kind, value) = content_info(expect(bag, SEQUENCE)?.0)?;
    let (certificate, _) = expect(value, OCTET_STRING)?;
    (kind == X509).then_some(certificate)
}

/// An EncryptedData (RFC 5652 §8).
struct Sealed<'a> {
    algorithm: &'a [u8],
    parameters: &'a [u8],
    content: &'a [u8],
}

impl<'a> Sealed<'a> {
    fn read(content: &'a [u8]) -> Option<Sealed<'a>> {
        /// `[0]`, of a primitive type.
        const SEALED_CONTENT: u8 = 0x80;
        let (_, rest) = expect(expect(content, SEQUENCE)?.0, INTEGER)?;
        let (_, rest) = expect(expect(rest, SEQUENCE)?.0, OBJECT_IDENTIFIER)?;
        let (algorithm, rest) = expect(rest, SEQUENCE)?;
        let (content, _) = expect(rest, SEALED_CONTENT)?;
        let (algorithm, parameters) = expect(algorithm, OBJECT_IDENTIFIER)?;
        Some(Sealed { algorithm, parameters, content })
    }

    fn can_be_opened(&self) -> bool {
        self.algorithm == PBES2
    }

    /// The content; `None` with another password, and for ciphers that are not computed here.
    fn open(&self, password: &str) -> Option<Vec<u8>> {
        let (parameters, _) = expect(self.parameters, SEQUENCE)?;
        let (derivation, rest) = expect(parameters, SEQUENCE)?;
        let (PBKDF2, derivation) = expect(derivation, OBJECT_IDENTIFIER)? else {
            return None;
        };
        let (derivation, _) = expect(derivation, SEQUENCE)?;
        let (salt, rest_of_derivation) = expect(derivation, OCTET_STRING)?;
        let (rounds, mut function) = expect(rest_of_derivation, INTEGER)?;
        let rounds = rounds.iter().try_fold(0u32, |number, byte| number.checked_mul(256)?.checked_add(u32::from(*byte)))?;
        let rounds = NonZeroU32::new(rounds).filter(|rounds| rounds.get() <= MOST_ROUNDS)?;
        if let Some((_, rest)) = expect(function, INTEGER) {
            function = rest;
        }
        let function = match expect(function, SEQUENCE).and_then(|(function, _)| expect(function, OBJECT_IDENTIFIER)) {
            // hmacWithSHA1 (1.2.840.113549.2.7) is the default; 9 to 11 are those with SHA-2.
            None | Some((&[.., 2, 7], _)) => pbkdf2::PBKDF2_HMAC_SHA1,
            Some((&[.., 2, 9], _)) => pbkdf2::PBKDF2_HMAC_SHA256,
            Some((&[.., 2, 10], _)) => pbkdf2::PBKDF2_HMAC_SHA384,
            Some((&[.., 2, 11], _)) => pbkdf2::PBKDF2_HMAC_SHA512,
            Some(_) => return None,
        };
        let (cipher, iv) = expect(expect(rest, SEQUENCE)?.0, OBJECT_IDENTIFIER)?;
        let (iv, _) = expect(iv, OCTET_STRING)?;
        let (cipher, length) = match cipher {
            // 2.16.840.1.101.3.4.1.2, .22 and .42, all in CBC mode
            [0x60, 0x86, 0x48, 1, 0x65, 3, 4, 1, 2] => (&AES_128, 16),
            [0x60, 0x86, 0x48, 1, 0x65, 3, 4, 1, 22] => (&AES_192, 24),
            [0x60, 0x86, 0x48, 1, 0x65, 3, 4, 1, 42] => (&AES_256, 32),
            _ => return None,
        };
        let mut key = vec![0; length];
        pbkdf2::derive(function, rounds, salt, password.as_bytes(), &mut key);
        let key = PaddedBlockDecryptingKey::cbc_pkcs7(UnboundCipherKey::new(cipher, &key).ok()?).ok()?;
        let iv = FixedLength::try_from(iv).ok()?;
        let mut content = self.content.to_vec();
        let opened = key.decrypt(&mut content, DecryptionContext::Iv128(iv)).ok()?.to_vec();
        // A wrong password leaves padding that looks right once in 256 times.
        expect(&opened, SEQUENCE).is_some().then_some(opened)
    }
}
