//! Lists in words, and the steps that several causes share.

use std::fmt::Display;

use tlswhy_wire::{CipherSuite, ProtocolVersion};

/// `a, b and c`; at most `limit` of them are named.
pub(super) fn list<T: Display>(items: &[T], limit: usize) -> String {
    let shown: Vec<String> = items.iter().take(limit).map(T::to_string).collect();
    let rest = items.len().saturating_sub(limit);
    match (shown.as_slice(), rest) {
        ([], _) => "none".to_owned(),
        ([only], 0) => only.clone(),
        ([first @ .., last], 0) => format!("{} and {last}", first.join(", ")),
        (some, rest) => format!("{} and {rest} more", some.join(", ")),
    }
}

/// A version for people: `TLS 1.2`.
pub(super) fn version(version: ProtocolVersion) -> String {
    version.to_string().replace("TLSv", "TLS ").replace("SSLv", "SSL ")
}

/// Versions for people, lowest first.
pub(super) fn versions(versions: &[ProtocolVersion]) -> String {
    let mut sorted = versions.to_vec();
    sorted.sort_unstable();
    sorted.dedup();
    let words: Vec<String> = sorted.into_iter().map(version).collect();
    list(&words, 6)
}

/// Suites as an OpenSSL cipher list (TLS 1.2 and below); those that OpenSSL has no name for are left out.
pub(super) fn cipher_list(suites: &[CipherSuite]) -> String {
    let names: Vec<&str> = suites.iter().filter_map(|suite| suite.details()?.openssl_name).collect();
    names.join(":")
}

/// Mozilla's intermediate list for TLS 1.2 (guidelines 6.0, 2026-04-06).
pub(super) const INTERMEDIATE: &str = "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305";

/// How the usual servers switch TLS 1.2 and 1.3 on.
pub(super) fn server_protocol_steps() -> Vec<String> {
    vec![
        "nginx: `ssl_protocols TLSv1.2 TLSv1.3;` in the http block, or in the default server of the listen socket (before nginx 1.29.2 the line of another server block has no effect); then `nginx -t && nginx -s reload`".to_owned(),
        "Apache: `SSLProtocol -all +TLSv1.2 +TLSv1.3` at server level; then `apachectl configtest && apachectl graceful`".to_owned(),
        "HAProxy: `ssl-default-bind-options ssl-min-ver TLSv1.2` without an ssl-max-ver; then `haproxy -c -f FILE` and reload".to_owned(),
        "Elsewhere: allow TLS 1.2 and 1.3; where the software or its TLS library has neither (OpenSSL before 1.0.1, Java 6, Windows before 2008 R2), upgrade it, and restart it afterwards: a running process keeps the old library".to_owned(),
    ]
}
