//! Signature algorithms of certificates: their numbers, names and digests.

use super::certificate::SignatureAlgorithm;
use super::der::{Item, OBJECT_IDENTIFIER, Reader, SEQUENCE, Stop, dotted};

/// Number, name, digest (RFC 3279, 4055, 5758, 8410, 9881; OIW for the oldest).
const ALGORITHMS: &[(&str, &str, Option<&str>)] = &[
    ("1.2.840.113549.1.1.2", "md2WithRSAEncryption", Some("MD2")),
    ("1.2.840.113549.1.1.4", "md5WithRSAEncryption", Some("MD5")),
    ("1.2.840.113549.1.1.5", "sha1WithRSAEncryption", Some("SHA-1")),
    ("1.3.14.3.2.29", "sha1WithRSASignature", Some("SHA-1")),
    ("1.2.840.113549.1.1.14", "sha224WithRSAEncryption", Some("SHA-224")),
    ("1.2.840.113549.1.1.11", "sha256WithRSAEncryption", Some("SHA-256")),
    ("1.2.840.113549.1.1.12", "sha384WithRSAEncryption", Some("SHA-384")),
    ("1.2.840.113549.1.1.13", "sha512WithRSAEncryption", Some("SHA-512")),
    ("1.2.840.10045.4.1", "ecdsa-with-SHA1", Some("SHA-1")),
    ("1.2.840.10045.4.3.1", "ecdsa-with-SHA224", Some("SHA-224")),
    ("1.2.840.10045.4.3.2", "ecdsa-with-SHA256", Some("SHA-256")),
    ("1.2.840.10045.4.3.3", "ecdsa-with-SHA384", Some("SHA-384")),
    ("1.2.840.10045.4.3.4", "ecdsa-with-SHA512", Some("SHA-512")),
    ("1.2.840.10040.4.3", "dsa-with-sha1", Some("SHA-1")),
    ("2.16.840.1.101.3.4.3.1", "dsa-with-sha224", Some("SHA-224")),
    ("2.16.840.1.101.3.4.3.2", "dsa-with-sha256", Some("SHA-256")),
    ("1.3.101.112", "Ed25519", None),
    ("1.3.101.113", "Ed448", None),
    ("2.16.840.1.101.3.4.3.17", "ML-DSA-44", None),
    ("2.16.840.1.101.3.4.3.18", "ML-DSA-65", None),
    ("2.16.840.1.101.3.4.3.19", "ML-DSA-87", None),
];

/// RSASSA-PSS, whose digest is a parameter.
pub(super) const PSS: &str = "1.2.840.113549.1.1.10";
/// Its name.
const PSS_NAME: &str = "rsassaPss";

/// Digests that may be parameters of RSASSA-PSS.
const DIGESTS: &[(&str, &str)] = &[
    ("1.3.14.3.2.26", "SHA-1"),
    ("2.16.840.1.101.3.4.2.4", "SHA-224"),
    ("2.16.840.1.101.3.4.2.1", "SHA-256"),
    ("2.16.840.1.101.3.4.2.2", "SHA-384"),
    ("2.16.840.1.101.3.4.2.3", "SHA-512"),
];

/// The names of all that are known.
#[cfg(test)]
pub(super) fn names() -> impl Iterator<Item = &'static str> {
    ALGORITHMS.iter().map(|(_, name, _)| *name).chain([PSS_NAME])
}

/// Reads an AlgorithmIdentifier of a signature. `consistent` is for the caller to settle.
pub(super) fn algorithm(item: &Item<'_>) -> Result<SignatureAlgorithm, Stop> {
    let mut parts = item.reader();
    let oid = dotted(parts.expect(OBJECT_IDENTIFIER, "signature algorithm")?.content);
    if oid == PSS {
        let digest = pss_digest(parts).unwrap_or(None);
        return Ok(SignatureAlgorithm { oid, name: PSS_NAME.to_owned(), digest, consistent: true });
    }
    let known = ALGORITHMS.iter().find(|(number, ..)| *number == oid);
    let name = known.map_or_else(|| oid.clone(), |(_, name, _)| (*name).to_owned());
    Ok(SignatureAlgorithm { oid, name, digest: known.and_then(|(_, _, digest)| *digest), consistent: true })
}

/// `hashAlgorithm` of RSASSA-PSS-params (RFC 4055 §3.1); SHA-1 where it is absent.
fn pss_digest(mut parameters: Reader<'_>) -> Result<Option<&'static str>, Stop> {
    let mut fields = parameters.expect(SEQUENCE, "parameters of RSASSA-PSS")?.reader();
    let Some(digest) = fields.optional(0xa0, "digest of RSASSA-PSS")? else { return Ok(Some("SHA-1")) };
    let mut named = digest.reader().expect(SEQUENCE, "digest of RSASSA-PSS")?.reader();
    let oid = dotted(named.expect(OBJECT_IDENTIFIER, "digest of RSASSA-PSS")?.content);
    Ok(DIGESTS.iter().find(|(number, _)| *number == oid).map(|(_, digest)| *digest))
}
