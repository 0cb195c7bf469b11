//! The fingerprints of clients, JA3 and JA4, by which logs and firewalls name them.

use aws_lc_rs::digest::{SHA256, digest};
use md5::{Digest as _, Md5};
use tlswhy_wire::{ClientHello, Ja4, fingerprint};

/// JA3: the MD5 of [`fingerprint::ja3`], hexadecimal. MD5 is what the name stands for; nothing relies on its strength.
pub fn ja3(hello: &ClientHello) -> String {
    Md5::digest(fingerprint::ja3(hello).as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// JA4 (FoxIO's fingerprint of clients).
pub fn ja4(hello: &ClientHello) -> String {
    Ja4::of(hello).fingerprint(|bytes| {
        let mut hash = [0; 32];
        hash.copy_from_slice(digest(&SHA256, bytes).as_ref());
        hash
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use tlswhy_wire::{HelloSpec, KeyMaterial, client_hello};

    #[test]
    fn fingerprints_have_their_form() {
        let spec = HelloSpec { cipher_suites: vec![tlswhy_wire::CipherSuite(0xc02f)], ..HelloSpec::default() };
        let (_, hello) = client_hello::from_records(&spec.encode(&KeyMaterial::default()).unwrap().records).unwrap();
        // md5("771,49199,,,") and sha256("c02f"), by md5sum and sha256sum.
        assert_eq!(ja3(&hello), "5a6f5ba859dd395751805f3064d612b9");
        assert_eq!(ja4(&hello), "t12i010000_f06271c2b022_000000000000");
    }
}
