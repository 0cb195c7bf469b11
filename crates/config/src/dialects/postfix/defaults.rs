//! Defaults by version.

use crate::release::Release;

/// A parameter's default since a release; the newest row first.
type Row = (&'static str, Release, &'static str);

const ALWAYS: Release = Release::new(0, 0, 0);

/// Those that are not empty. Sources: `postconf -d` of 3.7.11; the HISTORY of Postfix for the releases of changes;
/// <https://www.postfix.org/postconf.5.html>.
const DEFAULTS: &[Row] = &[
    ("inet_interfaces", ALWAYS, "all"),
    ("smtp_tls_ciphers", ALWAYS, "medium"),
    ("smtp_tls_mandatory_ciphers", ALWAYS, "medium"),
    ("smtp_tls_mandatory_protocols", Release::new(3, 6, 0), ">=TLSv1"),
    ("smtp_tls_mandatory_protocols", ALWAYS, "!SSLv2, !SSLv3"),
    ("smtp_tls_protocols", Release::new(3, 6, 0), ">=TLSv1"),
    ("smtp_tls_protocols", ALWAYS, "!SSLv2, !SSLv3"),
    ("smtp_tls_security_level", Release::new(3, 11, 0), "may"),
    ("smtp_tls_key_file", ALWAYS, "$smtp_tls_cert_file"),
    ("smtp_tls_eckey_file", ALWAYS, "$smtp_tls_eccert_file"),
    ("smtpd_tls_ciphers", ALWAYS, "medium"),
    ("smtpd_tls_eckey_file", ALWAYS, "$smtpd_tls_eccert_file"),
    ("smtpd_tls_eecdh_grade", Release::new(3, 2, 0), "auto"),
    ("smtpd_tls_eecdh_grade", ALWAYS, "strong"),
    ("smtpd_tls_key_file", ALWAYS, "$smtpd_tls_cert_file"),
    ("smtpd_tls_mandatory_ciphers", ALWAYS, "medium"),
    ("smtpd_tls_mandatory_protocols", Release::new(3, 6, 0), ">=TLSv1"),
    ("smtpd_tls_mandatory_protocols", ALWAYS, "!SSLv2, !SSLv3"),
    ("smtpd_tls_protocols", Release::new(3, 6, 0), ">=TLSv1"),
    ("smtpd_tls_protocols", ALWAYS, "!SSLv2, !SSLv3"),
    ("tls_eecdh_auto_curves", ALWAYS, "X25519 X448 prime256v1 secp521r1 secp384r1"),
    ("tls_eecdh_strong_curve", ALWAYS, "prime256v1"),
    ("tls_eecdh_ultra_curve", ALWAYS, "secp384r1"),
    ("tls_export_cipherlist", ALWAYS, "aNULL:-aNULL:HIGH:MEDIUM:LOW:EXPORT:+RC4:@STRENGTH"),
    ("tls_ffdhe_auto_groups", Release::new(3, 8, 0), "ffdhe2048 ffdhe3072"),
    ("tls_high_cipherlist", ALWAYS, "aNULL:-aNULL:HIGH:@STRENGTH"),
    ("tls_low_cipherlist", ALWAYS, "aNULL:-aNULL:HIGH:MEDIUM:LOW:+RC4:@STRENGTH"),
    ("tls_medium_cipherlist", ALWAYS, "aNULL:-aNULL:HIGH:MEDIUM:+RC4:@STRENGTH"),
    ("tls_preempt_cipherlist", ALWAYS, "no"),
    ("tls_null_cipherlist", ALWAYS, "eNULL:!aNULL"),
];

/// The default of a parameter, unexpanded; empty where it has none.
pub(super) fn default_of(name: &str, release: Option<Release>) -> &'static str {
    let fits = |row: &&Row| row.0 == name && release.is_none_or(|release| release >= row.1);
    DEFAULTS.iter().find(fits).map_or("", |row| row.2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_is_that_of_the_release() {
        assert_eq!(default_of("smtpd_tls_protocols", Some(Release::new(3, 5, 9))), "!SSLv2, !SSLv3");
        assert_eq!(default_of("smtpd_tls_protocols", None), ">=TLSv1");
        assert_eq!(default_of("myhostname", None), "");
    }
}
