//! Versions: too old a server, too old a client, ranges that do not meet.

use crate::fake;
use crate::scenario::{BROKEN, Scenario, Seen};
use crate::server::StartError;

const OUTDATED: Scenario = Scenario { group: "server-version-outdated", causes: &["server-version-outdated"], ..BROKEN };
/// OpenSSL 3.0 still offers TLS 1.0 at its level 2, and then cannot accept the signature that ECDHE needs there.
const LEGACY: Seen =
    Seen { like: "", says: "legacy sigalg disallowed or unsupported", works_with: Some("-cipher DEFAULT@SECLEVEL=0") };

const OLD_CLIENT: Scenario = Scenario { group: "client-version-outdated", causes: &["client-version-outdated"], ..BROKEN };
const DISJOINT: Scenario = Scenario { group: "version-ranges-disjoint", causes: &["version-ranges-disjoint"], ..BROKEN };

pub(super) const SCENARIOS: &[Scenario] = &[
    Scenario {
        id: "server-version-outdated-nginx-tls10",
        start: |lab| lab.nginx("rsa", "ssl_protocols TLSv1; ssl_ciphers ECDHE-RSA-AES128-SHA:@SECLEVEL=0;"),
        seen: LEGACY,
        ..OUTDATED
    },
    Scenario {
        id: "server-version-outdated-nginx-level-2",
        start: |lab| lab.nginx("rsa", "ssl_protocols TLSv1 TLSv1.1;"),
        // No hello works: TLS 1.2 gets protocol_version, less than that gets internal_error (the log of the server
        // speaks of a missing signature algorithm).
        or_causes: &[&[]],
        outcomes: &["fails", "undetermined"],
        seen: Seen { says: "tlsv1 alert internal error", works_with: None, ..LEGACY },
        ..OUTDATED
    },
    Scenario {
        id: "server-version-outdated-apache-tls11",
        start: |lab| lab.apache("rsa", "SSLProtocol TLSv1.1\nSSLCipherSuite ECDHE-RSA-AES256-SHA:@SECLEVEL=0"),
        seen: LEGACY,
        ..OUTDATED
    },
    Scenario {
        id: "server-version-outdated-haproxy",
        start: |lab| lab.haproxy("rsa", "ssl-min-ver TLSv1.0 ssl-max-ver TLSv1.1 ciphers ECDHE-RSA-AES128-SHA:@SECLEVEL=0", ""),
        seen: LEGACY,
        ..OUTDATED
    },
    Scenario {
        id: "server-version-outdated-s_server-ecdsa",
        start: |lab| lab.s_server("ecdsa", "-tls1_1 -cipher ECDHE-ECDSA-AES256-SHA:@SECLEVEL=0"),
        seen: LEGACY,
        ..OUTDATED
    },
    Scenario {
        id: "server-version-outdated-gnutls",
        start: |lab| lab.gnutls_serv("rsa", "--priority NORMAL:-VERS-ALL:+VERS-TLS1.0:-RSA"),
        seen: LEGACY,
        ..OUTDATED
    },
    Scenario {
        id: "server-version-outdated-python",
        start: |lab| {
            lab.python(
                "rsa",
                "context.minimum_version = ssl.TLSVersion.TLSv1; context.maximum_version = ssl.TLSVersion.TLSv1_1; \
                 context.set_ciphers('ECDHE-RSA-AES128-SHA:@SECLEVEL=0')",
            )
        },
        seen: LEGACY,
        ..OUTDATED
    },
    Scenario {
        id: "server-version-outdated-java",
        start: |lab| lab.java("-Djava.security.properties={dir}/old.security", "TLSv1.1,TLSv1"),
        seen: LEGACY,
        ..OUTDATED
    },
    Scenario {
        id: "server-version-outdated-postgres",
        start: |lab| {
            lab.postgres(
                "rsa",
                "ssl_min_protocol_version = 'TLSv1'\nssl_max_protocol_version = 'TLSv1.1'\n\
                 ssl_ciphers = 'ECDHE-RSA-AES128-SHA:@SECLEVEL=0'",
            )
        },
        args: &["--starttls", "postgres"],
        seen: Seen { like: "-starttls postgres", works_with: Some("-starttls postgres -cipher DEFAULT@SECLEVEL=0"), ..LEGACY },
        ..OUTDATED
    },
    Scenario {
        id: "server-version-outdated-postfix",
        start: |lab| {
            lab.postfix(
                "rsa",
                "smtpd_tls_protocols = >=TLSv1, <=TLSv1.1\ntls_medium_cipherlist = ECDHE-RSA-AES128-SHA:@SECLEVEL=0",
            )
        },
        args: &["--starttls", "smtp"],
        seen: Seen { like: "-starttls smtp", works_with: Some("-starttls smtp -cipher DEFAULT@SECLEVEL=0"), ..LEGACY },
        ..OUTDATED
    },
    Scenario {
        id: "server-version-outdated-sslv3",
        start: |lab| lab.old_s_server("rsa", "-ssl3 -cipher ALL:@SECLEVEL=0"),
        seen: Seen { says: "unsupported protocol", works_with: Some("old -ssl3 -cipher ALL:@SECLEVEL=0"), ..LEGACY },
        ..OUTDATED
    },
    Scenario {
        id: "server-version-outdated-sslv2",
        start: |lab| {
            let certificate = std::fs::read_to_string(lab.pki.join("rsa.leaf.pem")).map_err(StartError::of)?;
            fake::sslv2(certificate.into_bytes())
        },
        seen: Seen { says: "unexpected eof", works_with: None, ..LEGACY },
        ..OUTDATED
    },
    Scenario {
        id: "server-version-outdated-chrome-rsa-key-exchange",
        // OpenSSL 3.0 gets through here (see near-miss-tls10-rsa-key-exchange), browsers do not.
        start: |lab| lab.nginx("rsa", "ssl_protocols TLSv1; ssl_ciphers AES128-SHA:@SECLEVEL=0;"),
        args: &["--client", CHROME],
        seen: Seen { like: "-tls1_2", says: "unsupported protocol", works_with: Some("") },
        ..OUTDATED
    },
    Scenario {
        id: "client-version-outdated-nginx",
        start: |lab| lab.nginx("rsa", "ssl_protocols TLSv1.2 TLSv1.3; ssl_ciphers ALL:@SECLEVEL=0;"),
        args: &["--client", ANDROID_4],
        seen: Seen { like: "old -tls1", says: "alert protocol version", works_with: Some("old -tls1_2") },
        ..OLD_CLIENT
    },
    Scenario {
        id: "client-version-outdated-haproxy",
        start: |lab| lab.haproxy("rsa", "ssl-min-ver TLSv1.2 ciphers ALL:@SECLEVEL=0", ""),
        args: &["--client", TERMINAL],
        seen: Seen { like: "old -tls1", says: "alert protocol version", works_with: Some("old -tls1_2") },
        ..OLD_CLIENT
    },
    Scenario {
        id: "client-version-outdated-gnutls",
        start: |lab| lab.gnutls_serv("rsa", "--priority NORMAL:-VERS-ALL:+VERS-TLS1.2:+VERS-TLS1.3"),
        args: &["--client", ANDROID_4],
        seen: Seen { like: "old -tls1", says: "alert protocol version", works_with: Some("old -tls1_2") },
        ..OLD_CLIENT
    },
    Scenario {
        id: "client-version-outdated-go",
        start: |lab| lab.caddy("rsa", "protocols tls1.2 tls1.3"),
        args: &["--client", TERMINAL],
        seen: Seen { like: "old -tls1_1", says: "alert protocol version", works_with: Some("old -tls1_2") },
        ..OLD_CLIENT
    },
    Scenario {
        id: "client-version-outdated-aead-only-server",
        // TLS 1.0 is switched on, but every suite of the list needs TLS 1.2: the alert is handshake_failure.
        start: |lab| {
            lab.nginx(
                "rsa",
                "ssl_protocols TLSv1 TLSv1.1 TLSv1.2; ssl_ciphers ECDHE-RSA-AES128-GCM-SHA256:AES128-GCM-SHA256:@SECLEVEL=0;",
            )
        },
        args: &["--client", ANDROID_4],
        seen: Seen { like: "old -tls1", says: "alert handshake failure", works_with: Some("old -tls1_2") },
        ..OLD_CLIENT
    },
    Scenario {
        id: "version-ranges-disjoint-nginx-tls12-at-most",
        start: |lab| lab.nginx("rsa", "ssl_protocols TLSv1.2;"),
        args: &["--client", TLS13_ONLY],
        seen: Seen { like: "-tls1_3", says: "alert protocol version", works_with: Some("") },
        ..DISJOINT
    },
    Scenario {
        id: "version-ranges-disjoint-nginx",
        start: |lab| lab.nginx("rsa", "ssl_protocols TLSv1.3;"),
        args: &["--client", RSA_ONLY],
        seen: Seen { like: "old", says: "alert protocol version", works_with: Some("-tls1_3") },
        ..DISJOINT
    },
    Scenario {
        id: "version-ranges-disjoint-apache",
        // A bare word discards what stands before it: this is TLS 1.3 alone.
        start: |lab| lab.apache("rsa", "SSLProtocol TLSv1.2 TLSv1.3"),
        args: &["--client", JAVA_8],
        seen: Seen { like: "old", says: "alert protocol version", works_with: Some("-tls1_3") },
        ..DISJOINT
    },
    Scenario {
        id: "version-ranges-disjoint-go",
        start: |lab| lab.caddy("ecdsa", "protocols tls1.3"),
        args: &["--client", RSA_ONLY],
        seen: Seen { like: "old", says: "alert protocol version", works_with: Some("-tls1_3") },
        ..DISJOINT
    },
    Scenario {
        id: "version-ranges-disjoint-gnutls",
        start: |lab| lab.gnutls_serv("rsa", "--priority NORMAL:-VERS-ALL:+VERS-TLS1.3"),
        args: &["--client", JAVA_8],
        seen: Seen { like: "old", says: "alert handshake failure", works_with: Some("-tls1_3") },
        ..DISJOINT
    },
];

/// Profiles of `crates/core/src/knowledge/clients` that the scenarios judge for.
pub(super) const CHROME: &str = "chrome-156";
pub(super) const ANDROID_4: &str = "android-4.4";
/// A file of the lab.
pub(super) const TERMINAL: &str = "{clients}/terminal-tls10.toml";
pub(super) const JAVA_8: &str = "java-8u161";
/// A file of the lab.
pub(super) const RSA_ONLY: &str = "{clients}/rsa-only.toml";
/// A file of the lab.
pub(super) const TLS13_ONLY: &str = "{clients}/tls13-only.toml";
