//! A certificate as far as it matters here.

use aws_lc_rs::digest;
use tlswhy_model::Bytes;
use x509_parser::prelude::{FromDer as _, X509Certificate};

/// A server's own certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Leaf {
    /// SHA-256 of its DER, in hexadecimal.
    pub sha256: String,
    /// Its subject.
    pub subject: String,
    /// Whether its key is RSA.
    pub rsa: bool,
    /// How many certificates were sent, itself included.
    pub sent: usize,
}

impl Leaf {
    /// Of a certificate in DER, sent as the first of so many.
    pub fn of(der: &[u8], sent: usize) -> Leaf {
        let sha256 = Bytes(digest::digest(&digest::SHA256, der).as_ref().to_vec()).to_hex();
        let read = X509Certificate::from_der(der).ok().map(|(_, certificate)| certificate);
        let algorithm = read.as_ref().map(|certificate| certificate.public_key().algorithm.algorithm.to_id_string());
        Leaf {
            sha256,
            subject: read.as_ref().map(|certificate| certificate.subject().to_string()).unwrap_or_default(),
            // rsaEncryption and id-RSASSA-PSS (RFC 8017 appendix C).
            rsa: matches!(algorithm.as_deref(), Some("1.2.840.113549.1.1.1" | "1.2.840.113549.1.1.10")),
            sent,
        }
    }
}
