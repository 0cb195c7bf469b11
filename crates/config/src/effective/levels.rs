//! OpenSSL's security levels: what each forbids, by release.
//!
//! Sources: SSL_CTX_set_security_level(3), ssl/ssl_cert.c; measured by the hellos of `s_client` and at `s_server` of 1.1.1w, 3.0.19 and
//! 3.6.5 at the levels 0 to 5.

use tlswhy_wire::{CipherMode, CipherSuite, NamedGroup, ProtocolVersion, SignatureScheme};

use crate::release::Release;

/// Distributions that compile a level in that is not upstream's: the beginning of the name in `system`, the first of its releases,
/// and the level.
const COMPILED: &[(&str, Release, u8)] = &[
    // `openssl version -a` prints -DOPENSSL_TLS_SECURITY_LEVEL=2. Debian 11 does without (measured): its openssl.cnf sets 2.
    ("debian", Release::new(12, 0, 0), 2),
    // <https://documentation.ubuntu.com/security/docs/security-features/cryptography/legacy-tls>
    ("ubuntu", Release::new(20, 4, 0), 2),
    // RHEL and its rebuilds stand not here: AlmaLinux 8's 1.1.1k has upstream's level where crypto-policies wrote no file (measured);
    // what it wrote sets the level.
];

/// The level where nothing says any, and who says so.
pub(super) fn compiled(release: Option<Release>, system: &str) -> Option<(u8, String)> {
    let release = release?;
    // Levels came with 1.1.0.
    if release < Release::new(1, 1, 0) {
        return Some((0, format!("OpenSSL {release}")));
    }
    let number: Option<Release> = system.parse().ok();
    let lower = system.to_ascii_lowercase();
    let row = COMPILED.iter().find(|(name, since, _)| lower.starts_with(name) && number.is_some_and(|number| number >= *since));
    match row {
        Some((.., level)) => Some((*level, format!("OpenSSL {release} of {system}"))),
        None => Some((if release >= Release::new(3, 2, 0) { 2 } else { 1 }, format!("OpenSSL {release}"))),
    }
}

/// Whether a level leaves a version on at all.
pub(super) fn permits_version(version: ProtocolVersion, level: u8, release: Release, system: &str) -> bool {
    let old = version < ProtocolVersion::TLSV1_2;
    // tls1.2-min-seclevel2.patch
    let ubuntu = system.to_ascii_lowercase().starts_with("ubuntu")
        && system.parse::<Release>().is_ok_and(|number| number >= Release::new(20, 4, 0));
    if old && ((release >= Release::new(3, 1, 0) && level >= 1) || (ubuntu && level >= 2)) {
        return false;
    }
    match version {
        version if version <= ProtocolVersion::SSLV3 => level < 2,
        ProtocolVersion::TLSV1_0 => level < 3,
        ProtocolVersion::TLSV1_1 => level < 4,
        _ => true,
    }
}

/// The bits that a level demands.
fn bits_at(level: u8) -> u16 {
    match level {
        0 => 0,
        1 => 80,
        2 => 112,
        3 => 128,
        4 => 192,
        _ => 256,
    }
}

/// Whether a level leaves a suite of TLS 1.3 on.
pub(super) fn permits_suite_13(suite: CipherSuite, level: u8, release: Release) -> bool {
    let Some(details) = suite.details() else { return false };
    // AES-CCM8 counts as 64 bits since 3.2.
    let whole = details.mode == CipherMode::Ccm8 && release < Release::new(3, 2, 0);
    let bits = if whole { details.key_bits } else { details.strength_bits() };
    bits >= bits_at(level)
}

/// The bits of a group, as ssl/t1_lib.c and providers/common/capabilities.c have them.
fn group_bits(group: NamedGroup) -> u16 {
    match group.0 {
        // sect163k1 … secp192r1
        0x01..=0x05 | 0x0f..=0x13 => 80,
        0x06..=0x08 | 0x14 | 0x15 | 0x100 => 112,
        0x1e | 0x18 | 0x1b | 0x0b | 0x0c | 0x20 | 0x104 | 0x11eb | 0x11ec | 0x201 => 192,
        0x19 | 0x1c | 0x0d | 0x0e | 0x21 | 0x11ed | 0x202 => 256,
        _ => 128,
    }
}

/// Whether a level leaves a group on.
pub(super) fn permits_group(group: NamedGroup, level: u8) -> bool {
    group_bits(group) >= bits_at(level)
}

/// Whether a level leaves a signature scheme on. SHA-1 counted as 80 bits before 3.0, as 64 since.
pub(super) fn permits_scheme(scheme: SignatureScheme, level: u8, release: Release) -> bool {
    let bits = match scheme.0 {
        0x0201..=0x0203 => {
            if release >= Release::new(3, 0, 0) {
                64
            } else {
                80
            }
        }
        0x0101..=0x0103 => 39,
        0x0301..=0x0303 => 112,
        0x0501..=0x0503 | 0x0805 | 0x080a | 0x0808 | 0x081b | 0x0905 => 192,
        0x0601..=0x0603 | 0x0806 | 0x080b | 0x081c | 0x0906 => 256,
        _ => 128,
    };
    bits >= bits_at(level)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_level_is_the_distributions_or_upstreams() {
        let level = |release: (u32, u32, u32), system: &str| {
            compiled(Some(Release::new(release.0, release.1, release.2)), system).map(|(level, _)| level)
        };
        assert_eq!(level((3, 0, 19), "debian 12"), Some(2));
        assert_eq!(level((1, 1, 1), "debian 11"), Some(1));
        assert_eq!(level((3, 0, 2), "Ubuntu 22.04"), Some(2));
        assert_eq!(level((1, 1, 1), "ubuntu 18.04"), Some(1));
        assert_eq!(level((3, 0, 7), "rhel 9.4"), Some(1));
        assert_eq!(level((1, 1, 1), "almalinux 8.10"), Some(1));
        assert_eq!(level((3, 5, 0), ""), Some(2));
        assert_eq!(compiled(None, "debian 12"), None);
    }

    #[test]
    fn versions_are_forbidden_by_level_and_release() {
        let permits = |version, level, release: (u32, u32, u32), system| {
            permits_version(version, level, Release::new(release.0, release.1, release.2), system)
        };
        assert!(permits(ProtocolVersion::TLSV1_0, 2, (3, 0, 19), "debian 12"));
        assert!(!permits(ProtocolVersion::TLSV1_0, 2, (3, 0, 2), "ubuntu 22.04"));
        assert!(permits(ProtocolVersion::TLSV1_0, 1, (3, 0, 2), "ubuntu 22.04"));
        assert!(!permits(ProtocolVersion::TLSV1_0, 1, (3, 1, 0), ""));
        assert!(permits(ProtocolVersion::TLSV1_0, 0, (3, 6, 5), ""));
        assert!(!permits(ProtocolVersion::TLSV1_1, 4, (1, 1, 1), ""));
        assert!(permits(ProtocolVersion::TLSV1_2, 5, (3, 6, 5), ""));
    }
}
