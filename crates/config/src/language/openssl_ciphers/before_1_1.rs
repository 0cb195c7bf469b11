//! OpenSSL 1.0.2, as it differs from what came after: suites with fixed keys and Kerberos, other words, another order.
//!
//! Facts of ssl/s3_lib.c and ssl/ssl_ciph.c; measured on 1.0.2o. Since 1.0.2g the project builds without the suites of export and
//! single DES, and without SSL 2.0: their words are known and stand for nothing. GOST needs an engine and is not told.

use super::rows::*;
use super::words::Alias;

/// Suites that 1.0.2 alone has, or has by another name; by code, lowest first.
pub(super) const ROWS_OF_1_0_2: &[Row] = &[
    row(0x000d, "DH-DSS-DES-CBC3-SHA", K_DH_DSS, A_DH, E_3DES, M_SHA1, 3, MEDIUM),
    row(0x0010, "DH-RSA-DES-CBC3-SHA", K_DH_RSA, A_DH, E_3DES, M_SHA1, 3, MEDIUM),
    row(0x0013, "EDH-DSS-DES-CBC3-SHA", K_DHE, A_DSS, E_3DES, M_SHA1, 3, MEDIUM),
    row(0x0016, "EDH-RSA-DES-CBC3-SHA", K_DHE, A_RSA, E_3DES, M_SHA1, 3, MEDIUM),
    row(0x001f, "KRB5-DES-CBC3-SHA", K_KRB5, A_KRB5, E_3DES, M_SHA1, 3, MEDIUM),
    row(0x0020, "KRB5-RC4-SHA", K_KRB5, A_KRB5, E_RC4, M_SHA1, 3, MEDIUM),
    row(0x0021, "KRB5-IDEA-CBC-SHA", K_KRB5, A_KRB5, E_IDEA, M_SHA1, 3, MEDIUM),
    row(0x0023, "KRB5-DES-CBC3-MD5", K_KRB5, A_KRB5, E_3DES, M_MD5, 3, MEDIUM),
    row(0x0024, "KRB5-RC4-MD5", K_KRB5, A_KRB5, E_RC4, M_MD5, 3, MEDIUM),
    row(0x0025, "KRB5-IDEA-CBC-MD5", K_KRB5, A_KRB5, E_IDEA, M_MD5, 3, MEDIUM),
    row(0x0030, "DH-DSS-AES128-SHA", K_DH_DSS, A_DH, E_AES128, M_SHA1, 3, HIGH | FIPS),
    row(0x0031, "DH-RSA-AES128-SHA", K_DH_RSA, A_DH, E_AES128, M_SHA1, 3, HIGH | FIPS),
    row(0x0036, "DH-DSS-AES256-SHA", K_DH_DSS, A_DH, E_AES256, M_SHA1, 3, HIGH | FIPS),
    row(0x0037, "DH-RSA-AES256-SHA", K_DH_RSA, A_DH, E_AES256, M_SHA1, 3, HIGH | FIPS),
    row(0x003e, "DH-DSS-AES128-SHA256", K_DH_DSS, A_DH, E_AES128, M_SHA256, 12, HIGH | FIPS),
    row(0x003f, "DH-RSA-AES128-SHA256", K_DH_RSA, A_DH, E_AES128, M_SHA256, 12, HIGH | FIPS),
    row(0x0042, "DH-DSS-CAMELLIA128-SHA", K_DH_DSS, A_DH, E_CAMELLIA128, M_SHA1, 3, HIGH),
    row(0x0043, "DH-RSA-CAMELLIA128-SHA", K_DH_RSA, A_DH, E_CAMELLIA128, M_SHA1, 3, HIGH),
    row(0x0068, "DH-DSS-AES256-SHA256", K_DH_DSS, A_DH, E_AES256, M_SHA256, 12, HIGH | FIPS),
    row(0x0069, "DH-RSA-AES256-SHA256", K_DH_RSA, A_DH, E_AES256, M_SHA256, 12, HIGH | FIPS),
    row(0x0085, "DH-DSS-CAMELLIA256-SHA", K_DH_DSS, A_DH, E_CAMELLIA256, M_SHA1, 3, HIGH),
    row(0x0086, "DH-RSA-CAMELLIA256-SHA", K_DH_RSA, A_DH, E_CAMELLIA256, M_SHA1, 3, HIGH),
    row(0x0097, "DH-DSS-SEED-SHA", K_DH_DSS, A_DH, E_SEED, M_SHA1, 3, MEDIUM),
    row(0x0098, "DH-RSA-SEED-SHA", K_DH_RSA, A_DH, E_SEED, M_SHA1, 3, MEDIUM),
    row(0x00a0, "DH-RSA-AES128-GCM-SHA256", K_DH_RSA, A_DH, E_AES128GCM, M_AEAD, 12, HIGH | FIPS),
    row(0x00a1, "DH-RSA-AES256-GCM-SHA384", K_DH_RSA, A_DH, E_AES256GCM, M_AEAD, 12, HIGH | FIPS),
    row(0x00a4, "DH-DSS-AES128-GCM-SHA256", K_DH_DSS, A_DH, E_AES128GCM, M_AEAD, 12, HIGH | FIPS),
    row(0x00a5, "DH-DSS-AES256-GCM-SHA384", K_DH_DSS, A_DH, E_AES256GCM, M_AEAD, 12, HIGH | FIPS),
    row(0xc001, "ECDH-ECDSA-NULL-SHA", K_ECDH_ECDSA, A_ECDH, E_ENULL, M_SHA1, 3, BARE),
    row(0xc002, "ECDH-ECDSA-RC4-SHA", K_ECDH_ECDSA, A_ECDH, E_RC4, M_SHA1, 3, MEDIUM),
    row(0xc003, "ECDH-ECDSA-DES-CBC3-SHA", K_ECDH_ECDSA, A_ECDH, E_3DES, M_SHA1, 3, MEDIUM),
    row(0xc004, "ECDH-ECDSA-AES128-SHA", K_ECDH_ECDSA, A_ECDH, E_AES128, M_SHA1, 3, HIGH | FIPS),
    row(0xc005, "ECDH-ECDSA-AES256-SHA", K_ECDH_ECDSA, A_ECDH, E_AES256, M_SHA1, 3, HIGH | FIPS),
    row(0xc00b, "ECDH-RSA-NULL-SHA", K_ECDH_RSA, A_ECDH, E_ENULL, M_SHA1, 3, BARE),
    row(0xc00c, "ECDH-RSA-RC4-SHA", K_ECDH_RSA, A_ECDH, E_RC4, M_SHA1, 3, MEDIUM),
    row(0xc00d, "ECDH-RSA-DES-CBC3-SHA", K_ECDH_RSA, A_ECDH, E_3DES, M_SHA1, 3, MEDIUM),
    row(0xc00e, "ECDH-RSA-AES128-SHA", K_ECDH_RSA, A_ECDH, E_AES128, M_SHA1, 3, HIGH | FIPS),
    row(0xc00f, "ECDH-RSA-AES256-SHA", K_ECDH_RSA, A_ECDH, E_AES256, M_SHA1, 3, HIGH | FIPS),
    row(0xc025, "ECDH-ECDSA-AES128-SHA256", K_ECDH_ECDSA, A_ECDH, E_AES128, M_SHA256, 12, HIGH | FIPS),
    row(0xc026, "ECDH-ECDSA-AES256-SHA384", K_ECDH_ECDSA, A_ECDH, E_AES256, M_SHA384, 12, HIGH | FIPS),
    row(0xc029, "ECDH-RSA-AES128-SHA256", K_ECDH_RSA, A_ECDH, E_AES128, M_SHA256, 12, HIGH | FIPS),
    row(0xc02a, "ECDH-RSA-AES256-SHA384", K_ECDH_RSA, A_ECDH, E_AES256, M_SHA384, 12, HIGH | FIPS),
    row(0xc02d, "ECDH-ECDSA-AES128-GCM-SHA256", K_ECDH_ECDSA, A_ECDH, E_AES128GCM, M_AEAD, 12, HIGH | FIPS),
    row(0xc02e, "ECDH-ECDSA-AES256-GCM-SHA384", K_ECDH_ECDSA, A_ECDH, E_AES256GCM, M_AEAD, 12, HIGH | FIPS),
    row(0xc031, "ECDH-RSA-AES128-GCM-SHA256", K_ECDH_RSA, A_ECDH, E_AES128GCM, M_AEAD, 12, HIGH | FIPS),
    row(0xc032, "ECDH-RSA-AES256-GCM-SHA384", K_ECDH_RSA, A_ECDH, E_AES256GCM, M_AEAD, 12, HIGH | FIPS),
];

/// Whether 1.0.2 has a suite of the common table.
pub(super) fn has(row: &Row) -> bool {
    let newer = E_AES128CCM | E_AES256CCM | E_AES128CCM8 | E_AES256CCM8 | E_CHACHA20POLY1305 | E_ARIA128GCM | E_ARIA256GCM;
    let psk =
        row.kx & (K_RSAPSK | K_DHEPSK | K_ECDHEPSK) != 0 || (row.kx == K_PSK && (row.mac != M_SHA1 || row.enc == E_ENULL));
    let camellia = row.enc & (E_CAMELLIA128 | E_CAMELLIA256) != 0 && row.mac != M_SHA1;
    let renamed = ROWS_OF_1_0_2.iter().any(|old| old.code == row.code);
    !(row.enc & newer != 0 || psk || camellia || renamed)
}

/// Its words where they mean something else than later.
pub(super) const ALIASES_OF_1_0_2: &[Alias] = &[
    ("COMPLEMENTOFDEFAULT", 0, A_NULL, !E_ENULL, 0, 0, 0),
    ("kDHr", K_DH_RSA, 0, 0, 0, 0, 0),
    ("kDHd", K_DH_DSS, 0, 0, 0, 0, 0),
    ("kDH", K_DH_RSA | K_DH_DSS, 0, 0, 0, 0, 0),
    ("DH", K_DH_RSA | K_DH_DSS | K_DHE, 0, 0, 0, 0, 0),
    ("kKRB5", K_KRB5, 0, 0, 0, 0, 0),
    ("aKRB5", 0, A_KRB5, 0, 0, 0, 0),
    ("KRB5", K_KRB5, A_KRB5, 0, 0, 0, 0),
    ("kECDHr", K_ECDH_RSA, 0, 0, 0, 0, 0),
    ("kECDHe", K_ECDH_ECDSA, 0, 0, 0, 0, 0),
    ("kECDH", K_ECDH_RSA | K_ECDH_ECDSA, 0, 0, 0, 0, 0),
    ("ECDH", K_ECDH_RSA | K_ECDH_ECDSA | K_ECDHE, 0, 0, 0, 0, 0),
    ("aDH", 0, A_DH, 0, 0, 0, 0),
    ("aECDH", 0, A_ECDH, 0, 0, 0, 0),
    ("PSK", K_PSK, A_PSK, 0, 0, 0, 0),
    ("TLSv1", 0, 0, 0, 0, 3, 0),
    ("DHE-DSS-DES-CBC3-SHA", K_DHE, A_DSS, E_3DES, M_SHA1, 3, HIGH | FIPS),
    ("DHE-RSA-DES-CBC3-SHA", K_DHE, A_RSA, E_3DES, M_SHA1, 3, HIGH | FIPS),
    // What no suite of these builds is.
    ("EXP", 0, 0, 0, 0, 0, LOW),
    ("EXPORT", 0, 0, 0, 0, 0, LOW),
    ("EXPORT40", 0, 0, 0, 0, 0, LOW),
    ("EXPORT56", 0, 0, 0, 0, 0, LOW),
    ("DES", 0, 0, 0, 0, 0, LOW),
    ("RC2", 0, 0, 0, 0, 0, LOW),
    ("SSLv2", 0, 0, 0, 0, 0, LOW),
];
