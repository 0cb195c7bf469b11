//! Signature schemes.

use super::registry;

registry! {
    /// How something is signed: since TLS 1.3 one number, in TLS 1.2 a hash (first byte) and a signature algorithm (second byte).
    SignatureScheme(u16), 16 bits;
    RSA_PKCS1_MD5 = 0x0101, "rsa_pkcs1_md5", "RFC 5246";
    RSA_PKCS1_SHA1 = 0x0201, "rsa_pkcs1_sha1", "RFC 8446";
    DSA_SHA1 = 0x0202, "dsa_sha1", "RFC 5246";
    ECDSA_SHA1 = 0x0203, "ecdsa_sha1", "RFC 8446";
    RSA_PKCS1_SHA256 = 0x0401, "rsa_pkcs1_sha256", "RFC 8446";
    ECDSA_SECP256R1_SHA256 = 0x0403, "ecdsa_secp256r1_sha256", "RFC 8446";
    RSA_PKCS1_SHA384 = 0x0501, "rsa_pkcs1_sha384", "RFC 8446";
    ECDSA_SECP384R1_SHA384 = 0x0503, "ecdsa_secp384r1_sha384", "RFC 8446";
    RSA_PKCS1_SHA512 = 0x0601, "rsa_pkcs1_sha512", "RFC 8446";
    ECDSA_SECP521R1_SHA512 = 0x0603, "ecdsa_secp521r1_sha512", "RFC 8446";
    RSA_PSS_RSAE_SHA256 = 0x0804, "rsa_pss_rsae_sha256", "RFC 8446";
    RSA_PSS_RSAE_SHA384 = 0x0805, "rsa_pss_rsae_sha384", "RFC 8446";
    RSA_PSS_RSAE_SHA512 = 0x0806, "rsa_pss_rsae_sha512", "RFC 8446";
    ED25519 = 0x0807, "ed25519", "RFC 8446";
    ED448 = 0x0808, "ed448", "RFC 8446";
    RSA_PSS_PSS_SHA256 = 0x0809, "rsa_pss_pss_sha256", "RFC 8446";
    RSA_PSS_PSS_SHA384 = 0x080a, "rsa_pss_pss_sha384", "RFC 8446";
    RSA_PSS_PSS_SHA512 = 0x080b, "rsa_pss_pss_sha512", "RFC 8446";
}
