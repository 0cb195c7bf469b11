//! Signature schemes.

use super::registry;

registry! {
    /// How something is signed: in TLS 1.3 one number, in TLS 1.2 a hash (first byte) and a signature algorithm (second byte).
    ///
    /// A number that both versions use has the name of TLS 1.3. In TLS 1.2 the `ecdsa_secp256r1_sha256` family says nothing about the curve.
    SignatureScheme(u16), 16 bits;
    RSA_PKCS1_MD5 = 0x0101, "rsa_pkcs1_md5" => "RSA+MD5", "RFC 5246";
    DSA_MD5 = 0x0102, "dsa_md5" => "DSA+MD5", "RFC 5246";
    ECDSA_MD5 = 0x0103, "ecdsa_md5" => "ECDSA+MD5", "RFC 5246";
    RSA_PKCS1_SHA1 = 0x0201, "rsa_pkcs1_sha1" => "RSA+SHA1", "RFC 8446";
    DSA_SHA1 = 0x0202, "dsa_sha1" => "DSA+SHA1", "RFC 5246";
    ECDSA_SHA1 = 0x0203, "ecdsa_sha1" => "ECDSA+SHA1", "RFC 8446";
    RSA_PKCS1_SHA224 = 0x0301, "rsa_pkcs1_sha224" => "RSA+SHA224", "RFC 5246";
    DSA_SHA224 = 0x0302, "dsa_sha224" => "DSA+SHA224", "RFC 5246";
    ECDSA_SHA224 = 0x0303, "ecdsa_sha224" => "ECDSA+SHA224", "RFC 5246";
    RSA_PKCS1_SHA256 = 0x0401, "rsa_pkcs1_sha256" => "RSA+SHA256", "RFC 8446";
    DSA_SHA256 = 0x0402, "dsa_sha256" => "DSA+SHA256", "RFC 5246";
    ECDSA_SECP256R1_SHA256 = 0x0403, "ecdsa_secp256r1_sha256" => "ecdsa_sha256" => "ECDSA+SHA256", "RFC 8446";
    RSA_PKCS1_SHA256_LEGACY = 0x0420, "rsa_pkcs1_sha256_legacy", "RFC 9963";
    RSA_PKCS1_SHA384 = 0x0501, "rsa_pkcs1_sha384" => "RSA+SHA384", "RFC 8446";
    DSA_SHA384 = 0x0502, "dsa_sha384" => "DSA+SHA384", "RFC 5246";
    ECDSA_SECP384R1_SHA384 = 0x0503, "ecdsa_secp384r1_sha384" => "ecdsa_sha384" => "ECDSA+SHA384", "RFC 8446";
    RSA_PKCS1_SHA384_LEGACY = 0x0520, "rsa_pkcs1_sha384_legacy", "RFC 9963";
    RSA_PKCS1_SHA512 = 0x0601, "rsa_pkcs1_sha512" => "RSA+SHA512", "RFC 8446";
    DSA_SHA512 = 0x0602, "dsa_sha512" => "DSA+SHA512", "RFC 5246";
    ECDSA_SECP521R1_SHA512 = 0x0603, "ecdsa_secp521r1_sha512" => "ecdsa_sha512" => "ECDSA+SHA512", "RFC 8446";
    RSA_PKCS1_SHA512_LEGACY = 0x0620, "rsa_pkcs1_sha512_legacy", "RFC 9963";
    ECCSI_SHA256 = 0x0704, "eccsi_sha256", "draft-wang-tls-raw-public-key-with-ibc";
    ISO_IBS1 = 0x0705, "iso_ibs1", "draft-wang-tls-raw-public-key-with-ibc";
    ISO_IBS2 = 0x0706, "iso_ibs2", "draft-wang-tls-raw-public-key-with-ibc";
    ISO_CHINESE_IBS = 0x0707, "iso_chinese_ibs", "draft-wang-tls-raw-public-key-with-ibc";
    SM2SIG_SM3 = 0x0708, "sm2sig_sm3", "RFC 8998";
    GOSTR34102012_256A = 0x0709, "gostr34102012_256a", "RFC 9367";
    GOSTR34102012_256B = 0x070a, "gostr34102012_256b", "RFC 9367";
    GOSTR34102012_256C = 0x070b, "gostr34102012_256c", "RFC 9367";
    GOSTR34102012_256D = 0x070c, "gostr34102012_256d", "RFC 9367";
    GOSTR34102012_512A = 0x070d, "gostr34102012_512a", "RFC 9367";
    GOSTR34102012_512B = 0x070e, "gostr34102012_512b", "RFC 9367";
    GOSTR34102012_512C = 0x070f, "gostr34102012_512c", "RFC 9367";
    RSA_PSS_RSAE_SHA256 = 0x0804, "rsa_pss_rsae_sha256" => "rsa_pss_sha256" => "RSA-PSS+SHA256" => "PSS+SHA256", "RFC 8446";
    RSA_PSS_RSAE_SHA384 = 0x0805, "rsa_pss_rsae_sha384" => "rsa_pss_sha384" => "RSA-PSS+SHA384" => "PSS+SHA384", "RFC 8446";
    RSA_PSS_RSAE_SHA512 = 0x0806, "rsa_pss_rsae_sha512" => "rsa_pss_sha512" => "RSA-PSS+SHA512" => "PSS+SHA512", "RFC 8446";
    ED25519 = 0x0807, "ed25519", "RFC 8446";
    ED448 = 0x0808, "ed448", "RFC 8446";
    RSA_PSS_PSS_SHA256 = 0x0809, "rsa_pss_pss_sha256", "RFC 8446";
    RSA_PSS_PSS_SHA384 = 0x080a, "rsa_pss_pss_sha384", "RFC 8446";
    RSA_PSS_PSS_SHA512 = 0x080b, "rsa_pss_pss_sha512", "RFC 8446";
    ECDSA_BRAINPOOLP256R1TLS13_SHA256 = 0x081a, "ecdsa_brainpoolP256r1tls13_sha256", "RFC 8734";
    ECDSA_BRAINPOOLP384R1TLS13_SHA384 = 0x081b, "ecdsa_brainpoolP384r1tls13_sha384", "RFC 8734";
    ECDSA_BRAINPOOLP512R1TLS13_SHA512 = 0x081c, "ecdsa_brainpoolP512r1tls13_sha512", "RFC 8734";
    GOSTR34102012_256 = 0x0840, "gostr34102012_256" => "gost2012_256", "RFC 9189";
    GOSTR34102012_512 = 0x0841, "gostr34102012_512" => "gost2012_512", "RFC 9189";
    MLDSA44 = 0x0904, "mldsa44", "draft-ietf-tls-mldsa";
    MLDSA65 = 0x0905, "mldsa65", "draft-ietf-tls-mldsa";
    MLDSA87 = 0x0906, "mldsa87", "draft-ietf-tls-mldsa";
    SLHDSA_SHA2_128S = 0x0911, "slhdsa_sha2_128s", "draft-reddy-tls-slhdsa";
    SLHDSA_SHA2_128F = 0x0912, "slhdsa_sha2_128f", "draft-reddy-tls-slhdsa";
    SLHDSA_SHA2_192S = 0x0913, "slhdsa_sha2_192s", "draft-reddy-tls-slhdsa";
    SLHDSA_SHA2_192F = 0x0914, "slhdsa_sha2_192f", "draft-reddy-tls-slhdsa";
    SLHDSA_SHA2_256S = 0x0915, "slhdsa_sha2_256s", "draft-reddy-tls-slhdsa";
    SLHDSA_SHA2_256F = 0x0916, "slhdsa_sha2_256f", "draft-reddy-tls-slhdsa";
    SLHDSA_SHAKE_128S = 0x0917, "slhdsa_shake_128s", "draft-reddy-tls-slhdsa";
    SLHDSA_SHAKE_128F = 0x0918, "slhdsa_shake_128f", "draft-reddy-tls-slhdsa";
    SLHDSA_SHAKE_192S = 0x0919, "slhdsa_shake_192s", "draft-reddy-tls-slhdsa";
    SLHDSA_SHAKE_192F = 0x091a, "slhdsa_shake_192f", "draft-reddy-tls-slhdsa";
    SLHDSA_SHAKE_256S = 0x091b, "slhdsa_shake_256s", "draft-reddy-tls-slhdsa";
    SLHDSA_SHAKE_256F = 0x091c, "slhdsa_shake_256f", "draft-reddy-tls-slhdsa";
    GOSTR34102001_GOSTR3411 = 0xeded, "gostr34102001_gostr3411", "never registered (OpenSSL)";
    GOSTR34102012_256_GOSTR34112012_256 = 0xeeee, "gostr34102012_256_gostr34112012_256", "never registered (OpenSSL)";
    GOSTR34102012_512_GOSTR34112012_512 = 0xefef, "gostr34102012_512_gostr34112012_512", "never registered (OpenSSL)";
}
