//! Named groups for the key exchange.

use super::registry;

registry! {
    /// A group of the key exchange: an elliptic curve, a finite field, a KEM or a hybrid ("curve" before TLS 1.3).
    NamedGroup(u16), 16 bits;
    SECP256R1 = 0x0017, "secp256r1", "RFC 8422";
    SECP384R1 = 0x0018, "secp384r1", "RFC 8422";
    SECP521R1 = 0x0019, "secp521r1", "RFC 8422";
    X25519 = 0x001d, "x25519", "RFC 8446";
    X448 = 0x001e, "x448", "RFC 8446";
    FFDHE2048 = 0x0100, "ffdhe2048", "RFC 7919";
    FFDHE3072 = 0x0101, "ffdhe3072", "RFC 7919";
    FFDHE4096 = 0x0102, "ffdhe4096", "RFC 7919";
    FFDHE6144 = 0x0103, "ffdhe6144", "RFC 7919";
    FFDHE8192 = 0x0104, "ffdhe8192", "RFC 7919";
    SECP256R1MLKEM768 = 0x11eb, "SecP256r1MLKEM768", "draft-ietf-tls-ecdhe-mlkem";
    X25519MLKEM768 = 0x11ec, "X25519MLKEM768", "draft-ietf-tls-ecdhe-mlkem";
    SECP384R1MLKEM1024 = 0x11ed, "SecP384r1MLKEM1024", "draft-ietf-tls-ecdhe-mlkem";
}
