//! The OCSP response that a server staples (RFC 6960 §4.2), written by hand: it says that a certificate is revoked.

use std::io;

use jiff::{SignedDuration, Timestamp};
use rcgen::{KeyPair, PublicKeyData, SigningKey};
use rustls::crypto::aws_lc_rs::cipher_suite::TLS13_AES_128_GCM_SHA256;

const INTEGER: u8 = 0x02;
const BIT_STRING: u8 = 0x03;
const OCTET_STRING: u8 = 0x04;
const OBJECT_IDENTIFIER: u8 = 0x06;
const ENUMERATED: u8 = 0x0a;
const UTF8_STRING: u8 = 0x0c;
const GENERALIZED_TIME: u8 = 0x18;
const SEQUENCE: u8 = 0x30;
const SET: u8 = 0x31;
const CONTEXT_0: u8 = 0xa0;
const CONTEXT_1: u8 = 0xa1;

/// id-pkix-ocsp-basic, 1.3.6.1.5.5.7.48.1.1
const BASIC: &[u8] = &[0x2b, 6, 1, 5, 5, 7, 0x30, 1, 1];
/// ecdsa-with-SHA256, 1.2.840.10045.4.3.2
const ECDSA_SHA256: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 2];
/// id-sha256, 2.16.840.1.101.3.4.2.1
const SHA256: &[u8] = &[0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, 1];
/// id-at-commonName, 2.5.4.3
const COMMON_NAME: &[u8] = &[0x55, 4, 3];
/// CRLReason keyCompromise (RFC 5280 §5.3.1).
const KEY_COMPROMISE: u8 = 1;

/// The response of an issuer, by its common name and P-256 key, about its certificate of this serial number: revoked the day
/// before yesterday, because the key got out.
pub(super) fn revoked(issuer: &str, key: &KeyPair, serial: &[u8]) -> io::Result<Vec<u8>> {
    let name = wrap(SEQUENCE, &[&wrap(OBJECT_IDENTIFIER, &[COMMON_NAME]), &wrap(UTF8_STRING, &[issuer.as_bytes()])]);
    let name = wrap(SEQUENCE, &[&wrap(SET, &[&name])]);
    let id = wrap(
        SEQUENCE,
        &[
            &wrap(SEQUENCE, &[&wrap(OBJECT_IDENTIFIER, &[SHA256])]),
            &wrap(OCTET_STRING, &[&sha256(&name)?]),
            &wrap(OCTET_STRING, &[&sha256(key.der_bytes())?]),
            &wrap(INTEGER, &[serial]),
        ],
    );
    let reason = wrap(CONTEXT_0, &[&wrap(ENUMERATED, &[&[KEY_COMPROMISE]])]);
    let status = wrap(CONTEXT_1, &[&time(-48)?, &reason]);
    let single = wrap(SEQUENCE, &[&id, &status, &time(-1)?, &wrap(CONTEXT_0, &[&time(24)?])]);
    // The responder is named as the issuer is: [1] Name.
    let data = wrap(SEQUENCE, &[&wrap(CONTEXT_1, &[&name]), &time(-1)?, &wrap(SEQUENCE, &[&single])]);
    let signature = key.sign(&data).map_err(io::Error::other)?;
    let algorithm = wrap(SEQUENCE, &[&wrap(OBJECT_IDENTIFIER, &[ECDSA_SHA256])]);
    let basic = wrap(SEQUENCE, &[&data, &algorithm, &wrap(BIT_STRING, &[&[0], &signature])]);
    let bytes = wrap(SEQUENCE, &[&wrap(OBJECT_IDENTIFIER, &[BASIC]), &wrap(OCTET_STRING, &[&basic])]);
    Ok(wrap(SEQUENCE, &[&wrap(ENUMERATED, &[&[0]]), &wrap(CONTEXT_0, &[&bytes])]))
}

/// GeneralizedTime of so many hours from now.
fn time(hours: i64) -> io::Result<Vec<u8>> {
    let at = Timestamp::now().checked_add(SignedDuration::from_hours(hours)).map_err(io::Error::other)?;
    Ok(wrap(GENERALIZED_TIME, &[at.strftime("%Y%m%d%H%M%SZ").to_string().as_bytes()]))
}

fn sha256(bytes: &[u8]) -> io::Result<Vec<u8>> {
    let suite = TLS13_AES_128_GCM_SHA256.tls13().ok_or(io::ErrorKind::Unsupported)?;
    Ok(suite.common.hash_provider.hash(bytes).as_ref().to_vec())
}

/// An element of DER around its parts, which come to less than 64 KiB.
fn wrap(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
    let content = parts.concat();
    let [.., high, low] = content.len().to_be_bytes();
    let header = match content.len() {
        0..0x80 => vec![tag, low],
        0x80..0x100 => vec![tag, 0x81, low],
        _ => vec![tag, 0x82, high, low],
    };
    [header, content].concat()
}
