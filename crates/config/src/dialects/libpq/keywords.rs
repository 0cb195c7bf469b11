//! The keywords of connections: a line with another is an error (PQconninfoOptions in src/interfaces/libpq/fe-connect.c,
//! <https://www.postgresql.org/docs/current/libpq-connect.html>).

use crate::release::Release;

/// Keywords with the release of libpq that brought them, and the one that no longer has them.
const KEYWORDS: &[(&str, u32, Option<u32>)] = &[
    ("application_name", 0, None),
    ("authtype", 0, Some(14)),
    ("channel_binding", 13, None),
    ("client_encoding", 0, None),
    ("connect_timeout", 0, None),
    ("dbname", 0, None),
    ("fallback_application_name", 0, None),
    ("gssdelegation", 17, None),
    ("gssencmode", 12, None),
    ("gsslib", 0, None),
    ("host", 0, None),
    ("hostaddr", 0, None),
    ("keepalives", 0, None),
    ("keepalives_count", 0, None),
    ("keepalives_idle", 0, None),
    ("keepalives_interval", 0, None),
    ("krbsrvname", 0, None),
    ("load_balance_hosts", 16, None),
    ("max_protocol_version", 18, None),
    ("min_protocol_version", 18, None),
    ("oauth_client_id", 18, None),
    ("oauth_client_secret", 18, None),
    ("oauth_issuer", 18, None),
    ("oauth_scope", 18, None),
    ("options", 0, None),
    ("passfile", 0, None),
    ("password", 0, None),
    ("port", 0, None),
    ("replication", 0, None),
    ("require_auth", 16, None),
    ("requirepeer", 0, None),
    ("requiressl", 0, Some(14)),
    ("scram_client_key", 18, None),
    ("scram_server_key", 18, None),
    ("ssl_max_protocol_version", 13, None),
    ("ssl_min_protocol_version", 13, None),
    ("sslcert", 0, None),
    ("sslcertmode", 16, None),
    ("sslcompression", 0, None),
    ("sslcrl", 0, None),
    ("sslcrldir", 14, None),
    ("sslkey", 0, None),
    ("sslkeylogfile", 18, None),
    ("sslmode", 0, None),
    ("sslnegotiation", 17, None),
    ("sslpassword", 13, None),
    ("sslrootcert", 0, None),
    ("sslsni", 14, None),
    ("target_session_attrs", 0, None),
    ("tcp_user_timeout", 12, None),
    ("tty", 0, Some(14)),
    ("user", 0, None),
];

/// Whether libpq of this release takes a keyword; of an unknown release whether any does.
pub(super) fn is_known(name: &str, release: Option<Release>) -> bool {
    let takes = |since: u32, until: Option<u32>| {
        release.is_none_or(|release| release.major >= since && until.is_none_or(|until| release.major < until))
    };
    KEYWORDS.iter().any(|(known, since, until)| *known == name && takes(*since, *until))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_keyword_is_taken_by_the_releases_that_have_it() {
        let release = |major| Some(Release::new(major, 0, 0));
        assert!(is_known("sslnegotiation", release(17)) && !is_known("sslnegotiation", release(15)));
        assert!(is_known("requiressl", release(13)) && !is_known("requiressl", release(15)));
        assert!(is_known("sslnegotiation", None));
        assert!(!is_known("SSLMODE", None) && !is_known("service", None));
    }
}
