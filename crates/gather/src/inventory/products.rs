//! The files by which programs and libraries are known.

use tlswhy_model::SoftwareRole::{self, Client, Runtime, Server};

/// A program that speaks TLS.
pub(super) struct Program {
    /// Its product.
    pub(super) product: &'static str,
    /// What it is to TLS.
    pub(super) role: SoftwareRole,
    /// The names of the file that loads its TLS library; `*` stands for anything, `/ruby/` before a name for a directory above it.
    pub(super) files: &'static [&'static str],
}

const fn program(product: &'static str, role: SoftwareRole, files: &'static [&'static str]) -> Program {
    Program { product, role, files }
}

/// Programs by the file that loads the library, as the packages of Debian 12 and the builds of their makers lay them out.
pub(super) const PROGRAMS: &[Program] = &[
    program("apache", Server, &["mod_ssl.so"]),
    program("caddy", Server, &["caddy"]),
    program("curl", Client, &["libcurl.so.*", "libcurl-gnutls.so.*", "libcurl-nss.so.*"]),
    program("dovecot", Server, &["libssl_iostream_openssl.so"]),
    program("envoy", Server, &["envoy"]),
    program("exim", Server, &["exim4", "exim"]),
    program("git", Client, &["git-remote-http"]),
    program("haproxy", Server, &["haproxy"]),
    program("libpq", Client, &["libpq.so.*", "libpq-*.so.*"]),
    program("lighttpd", Server, &["lighttpd", "mod_openssl.so"]),
    program("mariadb", Server, &["mariadbd"]),
    program("mysql", Server, &["mysqld"]),
    program("nginx", Server, &["nginx"]),
    program("node", Runtime, &["node", "nodejs", "libnode.so.*"]),
    program("openvpn", Server, &["openvpn"]),
    program("perl", Runtime, &["SSLeay.so"]),
    program("php", Runtime, &["php[0-9]*", "libphp*.so", "/php/openssl.so"]),
    program("postfix", Server, &["libpostfix-tls.so"]),
    program("postgresql", Server, &["postgres"]),
    program("python", Runtime, &["_ssl.cpython-*.so", "_ssl.so"]),
    program("redis", Server, &["redis-server"]),
    program("ruby", Runtime, &["/ruby/openssl.so"]),
    program("slapd", Server, &["slapd"]),
    program("stunnel", Server, &["stunnel", "stunnel4"]),
    program("traefik", Server, &["traefik"]),
    program("wget", Client, &["wget"]),
];

/// The names by which files load a TLS library, up to what tells its version.
const LIBRARIES: &[(&str, &str)] =
    &[("libssl", "openssl"), ("libgnutls", "gnutls"), ("libnss3", "nss"), ("libmbedtls", "mbedtls"), ("libwolfssl", "wolfssl")];
/// Where OpenSSL's version stands: its other half.
const CRYPTO: &str = "libcrypto";

/// The product of the TLS library with this name.
pub(super) fn library(name: &str) -> Option<&'static str> {
    LIBRARIES.iter().find(|(known, _)| is_called(name, known)).map(|(_, product)| *product)
}

/// Whether this is the half of OpenSSL that has its version.
pub(super) fn is_crypto(name: &str) -> bool {
    is_called(name, CRYPTO)
}

/// Whether a name is `libssl.so…`, or `libssl-6b7b94d5.so…` as auditwheel puts a part of a digest into the names of what it copies.
fn is_called(name: &str, known: &str) -> bool {
    let Some((before, _)) = name.split_once(".so") else { return false };
    match before.strip_prefix(known) {
        Some("") => true,
        Some(rest) => rest
            .strip_prefix('-')
            .is_some_and(|digest| digest.len() == 8 && digest.bytes().all(|byte| byte.is_ascii_hexdigit())),
        None => false,
    }
}

/// The program that a file belongs to.
pub(super) fn program_of(path: &str) -> Option<&'static Program> {
    let (above, name) = path.rsplit_once('/').unwrap_or(("", path));
    let is_it = |pattern: &&str| match pattern.rsplit_once('/') {
        Some((directory, pattern)) => pattern == name && format!("{above}/").contains(&format!("{directory}/")),
        None => fits(pattern, name),
    };
    PROGRAMS.iter().find(|program| program.files.iter().any(&is_it))
}

/// Whether a library with this name carries TLS for those that load it.
pub(super) fn carries_tls(name: &str) -> bool {
    ["libcurl", "libpq."].iter().any(|beginning| name.starts_with(beginning))
}

/// Whether a name has a pattern's form; `[0-9]*` at its end stands for digits and dots, `*` for anything.
fn fits(pattern: &str, name: &str) -> bool {
    if let Some(before) = pattern.strip_suffix("[0-9]*") {
        let rest = name.strip_prefix(before);
        return rest.is_some_and(|rest| !rest.is_empty() && rest.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.'));
    }
    match pattern.split_once('*') {
        Some((before, after)) => name.len() >= before.len() + after.len() && name.starts_with(before) && name.ends_with(after),
        None => pattern == name,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_known_by_their_names() {
        let of = |name| program_of(name).map(|program| program.product);
        assert_eq!(of("_ssl.cpython-311-x86_64-linux-gnu.so"), Some("python"));
        assert_eq!(of("php8.2"), Some("php"));
        assert_eq!(of("phpize"), None);
        assert_eq!(of("/usr/lib/x86_64-linux-gnu/ruby/3.1.0/openssl.so"), Some("ruby"));
        assert_eq!(of("/usr/lib/other/openssl.so"), None);
        assert_eq!(library("libssl-6b7b94d5.so.1.1"), Some("openssl"));
        assert_eq!(library("libssl.so.3"), Some("openssl"));
        assert_eq!(library("libssl3.so"), None);
        assert_eq!(library("libgnutls-dane.so.0"), None);
    }
}
