//! Healthy servers, and near misses: what looks like a fault and is none for the judged client.

use super::versions::{CHROME, JAVA_8};
use crate::fake::{self, Verdict};
use crate::scenario::{HEALTHY, Scenario, Seen};

/// Mozilla's intermediate configuration, version 5.7.
const INTERMEDIATE: &str = "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:\
ECDHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305:DHE-RSA-AES128-GCM-SHA256:\
DHE-RSA-AES256-GCM-SHA384:DHE-RSA-CHACHA20-POLY1305";

const NGINX: Scenario = Scenario { budget: (4, 2), ..HEALTHY };

/// This nginx knows no TLS 1.3 unless told.
const BOTH: &str = "ssl_protocols TLSv1.2 TLSv1.3;";

pub(super) const SCENARIOS: &[Scenario] = &[
    Scenario {
        id: "healthy-nginx-debian",
        start: |lab| lab.nginx("rsa", "ssl_protocols TLSv1 TLSv1.1 TLSv1.2 TLSv1.3; ssl_prefer_server_ciphers on;"),
        ..NGINX
    },
    Scenario {
        id: "healthy-nginx-mozilla-intermediate",
        start: |lab| {
            lab.nginx(
                "rsa",
                &format!("ssl_protocols TLSv1.2 TLSv1.3; ssl_ciphers {INTERMEDIATE}; ssl_prefer_server_ciphers off; ssl_dhparam {{pki}}/dh2048.pem;"),
            )
        },
        ..NGINX
    },
    Scenario { id: "healthy-nginx-modern", start: |lab| lab.nginx("ecdsa", "ssl_protocols TLSv1.3;"), ..NGINX },
    Scenario { id: "healthy-nginx-tls12-ecdsa", start: |lab| lab.nginx("ecdsa", "ssl_protocols TLSv1.2;"), ..NGINX },
    Scenario {
        id: "healthy-nginx-http2",
        start: |lab| {
            lab.nginx_http(
                "server { listen 127.0.0.1:{port} ssl http2; server_name good.example.test; location / { return 200 'ok'; }
                 ssl_certificate {pki}/rsa.pem; ssl_certificate_key {pki}/rsa.key; }",
            )
        },
        args: &["--client", CHROME],
        ..NGINX
    },
    Scenario {
        id: "healthy-nginx-two-certificates",
        start: |lab| lab.nginx("rsa", "ssl_certificate {pki}/ecdsa.pem; ssl_certificate_key {pki}/ecdsa.key;"),
        ..NGINX
    },
    Scenario {
        id: "healthy-nginx-known-name-among-rejected",
        start: |lab| {
            lab.nginx_http(
                "server { listen 127.0.0.1:{port} ssl default_server; ssl_reject_handshake on; }
                 server { listen 127.0.0.1:{port} ssl; server_name good.example.test; location / { return 200 'ok'; }
                 ssl_certificate {pki}/rsa.pem; ssl_certificate_key {pki}/rsa.key; }",
            )
        },
        ..NGINX
    },
    Scenario {
        id: "healthy-rsa-key-exchange",
        start: |lab| lab.nginx("rsa", "ssl_protocols TLSv1.2; ssl_ciphers AES256-GCM-SHA384:AES128-GCM-SHA256:AES128-SHA;"),
        ..HEALTHY
    },
    Scenario {
        id: "healthy-dhe-2048",
        start: |lab| {
            lab.nginx("rsa", "ssl_protocols TLSv1.2; ssl_ciphers DHE-RSA-AES128-GCM-SHA256; ssl_dhparam {pki}/dh2048.pem;")
        },
        ..HEALTHY
    },
    Scenario {
        id: "healthy-group-p521",
        start: |lab| lab.nginx("rsa", "ssl_protocols TLSv1.3; ssl_ecdh_curve secp521r1;"),
        ..HEALTHY
    },
    Scenario { id: "healthy-group-x448", start: |lab| lab.haproxy("rsa", "curves X448", ""), ..HEALTHY },
    Scenario {
        id: "healthy-group-x448-tls12",
        start: |lab| lab.haproxy("rsa", "curves X448 ssl-max-ver TLSv1.2 ciphers ECDHE+AESGCM", ""),
        ..HEALTHY
    },
    Scenario { id: "healthy-group-ffdhe2048", start: |lab| lab.s_server("rsa", "-tls1_3 -groups ffdhe2048"), ..HEALTHY },
    Scenario {
        id: "healthy-hello-retry-request",
        start: |lab| lab.nginx("ecdsa", "ssl_protocols TLSv1.3; ssl_ecdh_curve secp384r1;"),
        ..HEALTHY
    },
    Scenario {
        id: "healthy-hello-retry-request-chrome",
        start: |lab| lab.s_server("p384", "-groups P-384:P-256"),
        args: &["--client", CHROME],
        ..HEALTHY
    },
    Scenario { id: "healthy-certificate-p384", start: |lab| lab.haproxy("p384", "", ""), ..HEALTHY },
    Scenario { id: "healthy-certificate-p521", start: |lab| lab.nginx("p521", BOTH), ..HEALTHY },
    Scenario { id: "healthy-certificate-ed25519", start: |lab| lab.nginx("ed25519", BOTH), ..HEALTHY },
    Scenario { id: "healthy-certificate-ed448", start: |lab| lab.s_server("ed448", "-tls1_3"), ..HEALTHY },
    Scenario {
        id: "healthy-chacha20-only",
        start: |lab| lab.nginx("rsa", "ssl_protocols TLSv1.2; ssl_ciphers ECDHE-RSA-CHACHA20-POLY1305;"),
        ..HEALTHY
    },
    Scenario {
        id: "healthy-cbc-sha-only",
        start: |lab| lab.haproxy("ecdsa", "ssl-max-ver TLSv1.2 ciphers ECDHE-ECDSA-AES256-SHA", ""),
        ..HEALTHY
    },
    Scenario { id: "healthy-apache", start: |lab| lab.apache("rsa", ""), ..HEALTHY },
    Scenario {
        id: "healthy-apache-optional-client-certificate",
        start: |lab| lab.apache("ecdsa", "SSLVerifyClient optional\nSSLVerifyDepth 3\nSSLCACertificateFile {pki}/ca.pem"),
        forbidden: &["client-certificate-required"],
        ..HEALTHY
    },
    Scenario {
        id: "healthy-nginx-optional-client-certificate",
        start: |lab| {
            lab.nginx("rsa", "ssl_protocols TLSv1.2 TLSv1.3; ssl_verify_client optional; ssl_client_certificate {pki}/ca.pem; ssl_verify_depth 3;")
        },
        forbidden: &["client-certificate-required"],
        ..HEALTHY
    },
    Scenario {
        id: "healthy-haproxy-optional-client-certificate-tls12",
        start: |lab| lab.haproxy("rsa", "ca-file {pki}/ca.pem verify optional ssl-max-ver TLSv1.2", ""),
        forbidden: &["client-certificate-required"],
        ..HEALTHY
    },
    Scenario { id: "healthy-haproxy", start: |lab| lab.haproxy("rsa", "alpn h2,http/1.1", ""), ..HEALTHY },
    Scenario { id: "healthy-haproxy-strict-sni", start: |lab| lab.haproxy("rsa", "strict-sni", ""), ..HEALTHY },
    Scenario { id: "healthy-lighttpd", start: |lab| lab.lighttpd("mod_openssl", "rsa", ""), ..HEALTHY },
    Scenario { id: "healthy-lighttpd-gnutls", start: |lab| lab.lighttpd("mod_gnutls", "ecdsa", ""), ..HEALTHY },
    Scenario { id: "healthy-gnutls", start: |lab| lab.gnutls_serv("rsa", "--priority NORMAL"), ..HEALTHY },
    Scenario {
        id: "healthy-gnutls-optional-client-certificate",
        start: |lab| lab.gnutls_serv("ecdsa", "--x509cafile {pki}/ca.pem"),
        forbidden: &["client-certificate-required"],
        ..HEALTHY
    },
    Scenario {
        id: "healthy-s_server-optional-client-certificate",
        start: |lab| lab.s_server("rsa", "-verify 3 -CAfile {pki}/ca.pem"),
        forbidden: &["client-certificate-required"],
        ..HEALTHY
    },
    Scenario {
        id: "healthy-stunnel",
        start: |lab| lab.stunnel("rsa", ""),
        seen: Seen { like: "", says: "", works_with: None },
        ..HEALTHY
    },
    Scenario { id: "healthy-go", start: |lab| lab.caddy("ecdsa", "protocols tls1.2 tls1.3"), ..HEALTHY },
    Scenario { id: "healthy-java", start: |lab| lab.java("", ""), ..HEALTHY },
    Scenario { id: "healthy-node", start: |lab| lab.node("rsa", "{}"), ..HEALTHY },
    Scenario { id: "healthy-python", start: |lab| lab.python("ecdsa", "pass"), ..HEALTHY },
    Scenario { id: "healthy-nss", start: |lab| lab.nss_selfserv(""), ..HEALTHY },
    Scenario { id: "healthy-old-openssl-tls12", start: |lab| lab.old_s_server("rsa", ""), ..HEALTHY },
    Scenario { id: "healthy-ldaps-slapd", start: |lab| lab.slapd("ldaps", "rsa", ""), ..HEALTHY },
    Scenario {
        id: "healthy-legacy-renegotiation-tls13",
        // Without renegotiation_info, but TLS 1.3 knows no renegotiation.
        start: |lab| lab.gnutls_serv("rsa", "--priority NORMAL:%DISABLE_SAFE_RENEGOTIATION"),
        ..HEALTHY
    },
    Scenario {
        id: "healthy-small-dh-unused",
        // The server has a small group and prefers ECDHE.
        start: |lab| {
            lab.nginx(
                "rsa",
                "ssl_protocols TLSv1.2; ssl_prefer_server_ciphers on; ssl_ciphers ECDHE-RSA-AES128-GCM-SHA256:DHE-RSA-AES128-GCM-SHA256:@SECLEVEL=0;
                 ssl_dhparam {pki}/dh1024.pem;",
            )
        },
        ..HEALTHY
    },
    Scenario {
        id: "near-miss-tls10-rsa-key-exchange",
        // OpenSSL 3.0 at level 2 still speaks TLS 1.0 where no signature is made in the handshake.
        start: |lab| lab.nginx("rsa", "ssl_protocols TLSv1; ssl_ciphers AES128-SHA:@SECLEVEL=0;"),
        ..HEALTHY
    },
    Scenario {
        id: "near-miss-two-records",
        start: |lab| {
            fake::relay(lab.nginx("rsa", BOTH)?, |hello| if hello.records > 1 { Verdict::Close } else { Verdict::Forward })
        },
        ..HEALTHY
    },
    Scenario {
        id: "near-miss-over-1024",
        start: |lab| {
            fake::relay(lab.nginx("rsa", BOTH)?, |hello| if hello.length > 1024 { Verdict::Reset } else { Verdict::Forward })
        },
        ..HEALTHY
    },
    Scenario {
        id: "near-miss-grease",
        start: |lab| {
            fake::relay(lab.nginx("rsa", BOTH)?, |hello| if hello.greases() { Verdict::Alert(47) } else { Verdict::Forward })
        },
        ..HEALTHY
    },
    Scenario {
        id: "near-miss-alpn-ignored",
        // HAProxy goes on without a protocol where none is shared, and so does the browser.
        start: |lab| lab.haproxy("rsa", "alpn imap", ""),
        args: &["--client", CHROME],
        seen: Seen { like: "-alpn h2,http/1.1", says: "", works_with: None },
        ..HEALTHY
    },
    Scenario {
        id: "near-miss-small-dh-java-8",
        start: |lab| {
            lab.nginx(
                "rsa",
                "ssl_protocols TLSv1.2; ssl_ciphers DHE-RSA-AES128-GCM-SHA256:@SECLEVEL=0; ssl_dhparam {pki}/dh1024.pem;",
            )
        },
        args: &["--client", JAVA_8],
        seen: Seen { like: "-cipher DEFAULT@SECLEVEL=1", says: "", works_with: None },
        ..HEALTHY
    },
    Scenario {
        id: "near-miss-no-renegotiation-info-chrome",
        // Browsers do not insist on RFC 5746.
        start: |lab| lab.gnutls_serv("rsa", "--priority NORMAL:-VERS-TLS1.3:%DISABLE_SAFE_RENEGOTIATION"),
        args: &["--client", CHROME],
        seen: Seen { like: "-legacy_server_connect", says: "", works_with: None },
        ..HEALTHY
    },
    Scenario {
        id: "healthy-go-chrome",
        start: |lab| lab.caddy("ecdsa", "protocols tls1.2 tls1.3"),
        args: &["--client", CHROME],
        ..HEALTHY
    },
    Scenario { id: "healthy-java-java-8", start: |lab| lab.java("", ""), args: &["--client", JAVA_8], ..HEALTHY },
    Scenario {
        id: "near-miss-alpn-without-alpn",
        // It insists on a protocol only where the client speaks of protocols.
        start: |lab| lab.nginx_stream("rsa", "ssl_alpn imap;"),
        ..HEALTHY
    },
];
