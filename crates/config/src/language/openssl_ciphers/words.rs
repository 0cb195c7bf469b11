//! The words of cipher strings: aliases and names of suites.

use tlswhy_wire::CipherSuite;

use super::before_1_1::ALIASES_OF_1_0_2;
use super::rows::*;
use super::{Library, Pattern};
use crate::release::Release;

const AES: u32 = E_AES128 | E_AES256 | E_AES128GCM | E_AES256GCM | E_AES128CCM | E_AES256CCM | E_AES128CCM8 | E_AES256CCM8;
const CCM8: u32 = E_AES128CCM8 | E_AES256CCM8;
const CAMELLIA: u32 = E_CAMELLIA128 | E_CAMELLIA256;
const ARIA: u32 = E_ARIA128GCM | E_ARIA256GCM;
const CBC: u32 = E_3DES | E_IDEA | E_AES128 | E_AES256 | CAMELLIA | E_SEED;
const PSK: u32 = K_PSK | K_RSAPSK | K_ECDHEPSK | K_DHEPSK;

/// An alias: name, key exchange, authentication, encryption, MAC, lowest version, class (openssl-ciphers(1), ssl/ssl_ciph.c).
pub(super) type Alias = (&'static str, u32, u32, u32, u32, u8, u32);

const ALIASES: &[Alias] = &[
    ("ALL", 0, 0, !E_ENULL, 0, 0, 0),
    ("COMPLEMENTOFALL", 0, 0, E_ENULL, 0, 0, 0),
    ("COMPLEMENTOFDEFAULT", 0, 0, 0, 0, 0, NOT_DEFAULT),
    ("kRSA", K_RSA, 0, 0, 0, 0, 0),
    ("kEDH", K_DHE, 0, 0, 0, 0, 0),
    ("kDHE", K_DHE, 0, 0, 0, 0, 0),
    ("DH", K_DHE, 0, 0, 0, 0, 0),
    ("kEECDH", K_ECDHE, 0, 0, 0, 0, 0),
    ("kECDHE", K_ECDHE, 0, 0, 0, 0, 0),
    ("ECDH", K_ECDHE, 0, 0, 0, 0, 0),
    ("kPSK", K_PSK, 0, 0, 0, 0, 0),
    ("kRSAPSK", K_RSAPSK, 0, 0, 0, 0, 0),
    ("kECDHEPSK", K_ECDHEPSK, 0, 0, 0, 0, 0),
    ("kDHEPSK", K_DHEPSK, 0, 0, 0, 0, 0),
    ("kSRP", K_SRP, 0, 0, 0, 0, 0),
    ("aRSA", 0, A_RSA, 0, 0, 0, 0),
    ("aDSS", 0, A_DSS, 0, 0, 0, 0),
    ("DSS", 0, A_DSS, 0, 0, 0, 0),
    ("aNULL", 0, A_NULL, 0, 0, 0, 0),
    ("aECDSA", 0, A_ECDSA, 0, 0, 0, 0),
    ("ECDSA", 0, A_ECDSA, 0, 0, 0, 0),
    ("aPSK", 0, A_PSK, 0, 0, 0, 0),
    ("aSRP", 0, A_SRP, 0, 0, 0, 0),
    ("EDH", K_DHE, !A_NULL, 0, 0, 0, 0),
    ("DHE", K_DHE, !A_NULL, 0, 0, 0, 0),
    ("EECDH", K_ECDHE, !A_NULL, 0, 0, 0, 0),
    ("ECDHE", K_ECDHE, !A_NULL, 0, 0, 0, 0),
    ("NULL", 0, 0, E_ENULL, 0, 0, 0),
    ("RSA", K_RSA, A_RSA, 0, 0, 0, 0),
    ("ADH", K_DHE, A_NULL, 0, 0, 0, 0),
    ("AECDH", K_ECDHE, A_NULL, 0, 0, 0, 0),
    ("PSK", PSK, 0, 0, 0, 0, 0),
    ("SRP", K_SRP, 0, 0, 0, 0, 0),
    ("3DES", 0, 0, E_3DES, 0, 0, 0),
    ("RC4", 0, 0, E_RC4, 0, 0, 0),
    ("IDEA", 0, 0, E_IDEA, 0, 0, 0),
    ("SEED", 0, 0, E_SEED, 0, 0, 0),
    ("eNULL", 0, 0, E_ENULL, 0, 0, 0),
    ("AES128", 0, 0, E_AES128 | E_AES128GCM | E_AES128CCM | E_AES128CCM8, 0, 0, 0),
    ("AES256", 0, 0, E_AES256 | E_AES256GCM | E_AES256CCM | E_AES256CCM8, 0, 0, 0),
    ("AES", 0, 0, AES, 0, 0, 0),
    ("AESGCM", 0, 0, E_AES128GCM | E_AES256GCM, 0, 0, 0),
    ("AESCCM", 0, 0, E_AES128CCM | E_AES256CCM | CCM8, 0, 0, 0),
    ("AESCCM8", 0, 0, CCM8, 0, 0, 0),
    ("CAMELLIA128", 0, 0, E_CAMELLIA128, 0, 0, 0),
    ("CAMELLIA256", 0, 0, E_CAMELLIA256, 0, 0, 0),
    ("CAMELLIA", 0, 0, CAMELLIA, 0, 0, 0),
    ("CHACHA20", 0, 0, E_CHACHA20POLY1305, 0, 0, 0),
    ("ARIA", 0, 0, ARIA, 0, 0, 0),
    ("ARIAGCM", 0, 0, ARIA, 0, 0, 0),
    ("ARIA128", 0, 0, E_ARIA128GCM, 0, 0, 0),
    ("ARIA256", 0, 0, E_ARIA256GCM, 0, 0, 0),
    ("CBC", 0, 0, CBC, 0, 0, 0),
    ("MD5", 0, 0, 0, M_MD5, 0, 0),
    ("SHA1", 0, 0, 0, M_SHA1, 0, 0),
    ("SHA", 0, 0, 0, M_SHA1, 0, 0),
    ("SHA256", 0, 0, 0, M_SHA256, 0, 0),
    ("SHA384", 0, 0, 0, M_SHA384, 0, 0),
    ("SSLv3", 0, 0, 0, 0, 3, 0),
    ("TLSv1", 0, 0, 0, 0, 10, 0),
    ("TLSv1.0", 0, 0, 0, 0, 10, 0),
    ("TLSv1.2", 0, 0, 0, 0, 12, 0),
    ("LOW", 0, 0, 0, 0, 0, LOW),
    ("MEDIUM", 0, 0, 0, 0, 0, MEDIUM),
    ("HIGH", 0, 0, 0, 0, 0, HIGH),
    ("FIPS", 0, 0, !E_ENULL, 0, 0, FIPS),
    ("EDH-DSS-DES-CBC3-SHA", K_DHE, A_DSS, E_3DES, M_SHA1, 0, HIGH | FIPS),
    ("EDH-RSA-DES-CBC3-SHA", K_DHE, A_RSA, E_3DES, M_SHA1, 0, HIGH | FIPS),
];

/// Words that came after what they stand for.
const LATER_WORDS: &[(&str, Release)] = &[("CBC", Release::new(3, 0, 0)), ("TLSv1.0", Release::new(1, 1, 0))];

/// Of a mask of classes, those that are strengths.
const STRENGTHS: u32 = BARE | LOW | MEDIUM | HIGH | FIPS;

/// The pattern narrowed by a further word of a `+` chain; `None` where the word is unknown or contradicts the others.
pub(super) fn narrow(mut pattern: Pattern, word: &str, library: Library) -> Option<Pattern> {
    // Since 3.2 by the names of the registry as well.
    let by_registry = |row: &&Row| library.release >= Release::new(3, 2, 0) && CipherSuite(row.code).to_string() == word;
    let (kx, auth, enc, mac, lowest, class, code) = match library.rows().find(|row| row.name == word) {
        // 1.0.2 goes by what a suite is made of, not by its code.
        Some(row) if library.is_old() => (row.kx, row.auth, row.enc, row.mac, 0, library.class(row), None),
        Some(row) => (row.kx, row.auth, row.enc, row.mac, 0, library.class(row), Some(row.code)),
        None => match alias(word, library) {
            // An alias for what the library does not have at all is unknown to it.
            Some((_, kx, auth, enc, mac, lowest, class)) if known(library, *kx, *auth, *enc, *mac) => {
                (*kx, *auth, *enc, *mac, *lowest, *class, None)
            }
            Some(_) => return None,
            None => {
                let row = word.starts_with("TLS_").then(|| library.rows().find(by_registry)).flatten()?;
                (row.kx, row.auth, row.enc, row.mac, 0, row.class, Some(row.code))
            }
        },
    };
    let both = |before: u32, more: u32| match (before, more) {
        (before, 0) => Some(before),
        (0, more) => Some(more),
        (before, more) => Some(before & more).filter(|both| *both != 0),
    };
    pattern.kx = both(pattern.kx, kx)?;
    pattern.auth = both(pattern.auth, auth)?;
    pattern.enc = both(pattern.enc, enc)?;
    pattern.mac = both(pattern.mac, mac)?;
    // The library forgets COMPLEMENTOFDEFAULT where the first class follows it.
    pattern.only_not_default &= !(pattern.strength == 0 && class & STRENGTHS != 0);
    pattern.strength = both(pattern.strength, class & STRENGTHS)?;
    pattern.only_not_default |= class & NOT_DEFAULT != 0;
    if lowest != 0 {
        if pattern.lowest != 0 && pattern.lowest != lowest {
            return None;
        }
        pattern.lowest = lowest;
    }
    if code.is_some() {
        pattern.code = code;
    }
    Some(pattern)
}

/// The alias of this name, as the library has it.
fn alias(word: &str, library: Library) -> Option<&'static Alias> {
    let named = |(name, ..): &&Alias| *name == word;
    let later = LATER_WORDS.iter().any(|(name, since)| *name == word && library.release < *since);
    let old = library.is_old().then(|| ALIASES_OF_1_0_2.iter().find(named)).flatten();
    old.or_else(|| ALIASES.iter().find(named).filter(|_| !later))
}

/// Whether the library has any of what an alias speaks of (ssl_cipher_collect_aliases).
fn known(library: Library, kx: u32, auth: u32, enc: u32, mac: u32) -> bool {
    let any = |wanted: u32, own: fn(&Row) -> u32| wanted == 0 || library.rows().any(|row| own(row) & wanted != 0);
    any(kx, |row| row.kx) && any(auth, |row| row.auth) && any(enc, |row| row.enc) && any(mac, |row| row.mac)
}

/// The suites of Suite B, where a string begins with its word.
pub(super) fn suite_b(text: &str) -> Option<Vec<CipherSuite>> {
    let (p256, p384) = (CipherSuite(0xc02b), CipherSuite(0xc02c));
    if text.starts_with("SUITEB128ONLY") {
        Some(vec![p256])
    } else if text.starts_with("SUITEB128C2") {
        Some(vec![p384])
    } else if text.starts_with("SUITEB128") {
        Some(vec![p256, p384])
    } else if text.starts_with("SUITEB192") {
        Some(vec![p384])
    } else {
        None
    }
}
