//! Renegotiation, server names, application protocols, client certificates.

use super::versions::CHROME;
use crate::pki::OTHER_NAME;
use crate::scenario::{BROKEN, Scenario, Seen};

const RENEGOTIATION: Scenario = Scenario { group: "legacy-renegotiation", causes: &["legacy-renegotiation"], ..BROKEN };
const UNSAFE: Seen =
    Seen { like: "", says: "unsafe legacy renegotiation disabled", works_with: Some("-legacy_server_connect") };

const SNI: Scenario = Scenario { group: "sni-unrecognized", causes: &["sni-unrecognized"], ..BROKEN };
const UNKNOWN_NAME: Seen = Seen { like: "", says: "unrecognized name", works_with: None };

const ALPN: Scenario = Scenario { group: "alpn-mismatch", causes: &["alpn-mismatch"], args: &["--client", CHROME], ..BROKEN };

const CERTIFICATE: Scenario =
    Scenario { group: "client-certificate-required", causes: &["client-certificate-required"], ..BROKEN };
const WITH_CERTIFICATE: Option<&str> =
    Some("-cert {pki}/client.leaf.pem -key {pki}/client.key -cert_chain {pki}/intermediate.pem");
const WITH_CERTIFICATE_12: Option<&str> =
    Some("-tls1_2 -cert {pki}/client.leaf.pem -key {pki}/client.key -cert_chain {pki}/intermediate.pem");

pub(super) const SCENARIOS: &[Scenario] = &[
    Scenario {
        id: "legacy-renegotiation-gnutls",
        start: |lab| lab.gnutls_serv("rsa", "--priority NORMAL:-VERS-TLS1.3:%DISABLE_SAFE_RENEGOTIATION"),
        seen: UNSAFE,
        ..RENEGOTIATION
    },
    Scenario {
        id: "legacy-renegotiation-gnutls-ecdsa",
        start: |lab| {
            lab.gnutls_serv(
                "ecdsa",
                "--priority NORMAL:-VERS-ALL:+VERS-TLS1.2:-GROUP-ALL:+GROUP-SECP384R1:%DISABLE_SAFE_RENEGOTIATION",
            )
        },
        seen: UNSAFE,
        ..RENEGOTIATION
    },
    Scenario {
        id: "legacy-renegotiation-slapd",
        start: |lab| lab.slapd("ldaps", "rsa", "TLSCipherSuite NORMAL:-VERS-TLS1.3:%DISABLE_SAFE_RENEGOTIATION"),
        seen: UNSAFE,
        ..RENEGOTIATION
    },
    Scenario {
        id: "legacy-renegotiation-slapd-starttls",
        start: |lab| lab.slapd("ldap", "ecdsa", "TLSCipherSuite NORMAL:-VERS-TLS1.3:%DISABLE_SAFE_RENEGOTIATION"),
        args: &["--starttls", "ldap"],
        seen: Seen { like: "-starttls ldap", works_with: Some("-starttls ldap -legacy_server_connect"), ..UNSAFE },
        ..RENEGOTIATION
    },
    Scenario {
        id: "sni-unrecognized-nginx-reject",
        start: |lab| {
            lab.nginx_http(
                "server { listen 127.0.0.1:{port} ssl default_server; ssl_reject_handshake on; }
                 server { listen 127.0.0.1:{port} ssl; server_name other.example.test;
                 ssl_certificate {pki}/other.pem; ssl_certificate_key {pki}/other.key; }",
            )
        },
        // The server has no certificate for this name, so a name that it accepts is what the proof asks for.
        seen: Seen { works_with: Some("-servername other.example.test"), ..UNKNOWN_NAME },
        ..SNI
    },
    Scenario {
        id: "sni-unrecognized-nginx-without-name",
        start: |lab| {
            lab.nginx_http(
                "server { listen 127.0.0.1:{port} ssl default_server; ssl_reject_handshake on; }
                 server { listen 127.0.0.1:{port} ssl; server_name good.example.test; location / { return 200 'ok'; }
                 ssl_certificate {pki}/rsa.pem; ssl_certificate_key {pki}/rsa.key; }",
            )
        },
        server_name: "none",
        seen: Seen { works_with: Some("-servername good.example.test"), ..UNKNOWN_NAME },
        ..SNI
    },
    Scenario {
        id: "sni-unrecognized-haproxy-strict",
        start: |lab| lab.haproxy("other", "strict-sni", ""),
        seen: Seen { works_with: Some("-servername other.example.test"), ..UNKNOWN_NAME },
        ..SNI
    },
    Scenario {
        id: "sni-unrecognized-haproxy-tls12-without-name",
        start: |lab| lab.haproxy("rsa", "strict-sni ssl-max-ver TLSv1.2", ""),
        server_name: "none",
        seen: Seen { works_with: Some("-servername good.example.test"), ..UNKNOWN_NAME },
        ..SNI
    },
    Scenario {
        id: "sni-unrecognized-s_server",
        start: |lab| {
            lab.s_server(
                "rsa",
                &format!("-servername {OTHER_NAME} -servername_fatal -cert2 {{pki}}/other.leaf.pem -key2 {{pki}}/other.key"),
            )
        },
        seen: Seen { works_with: Some("-noservername"), ..UNKNOWN_NAME },
        ..SNI
    },
    Scenario {
        id: "sni-unrecognized-go-internal-error",
        // Go's TLS has no certificate for the name and calls it an internal error (alert 80). Without a name it does
        // the same, so that only who guesses the right name can prove it.
        outcomes: &["fails", "undetermined"],
        or_causes: &[&[]],
        start: |lab| lab.caddy("rsa", "protocols tls1.2 tls1.3"),
        server_name: "unknown.example.test",
        seen: Seen { like: "", says: "alert internal error", works_with: Some("-servername good.example.test") },
        ..SNI
    },
    Scenario {
        id: "alpn-mismatch-nginx-stream",
        start: |lab| lab.nginx_stream("rsa", "ssl_alpn imap;"),
        seen: Seen { like: "-alpn h2,http/1.1", says: "no application protocol", works_with: Some("-alpn imap") },
        ..ALPN
    },
    Scenario {
        id: "alpn-mismatch-gnutls",
        start: |lab| lab.gnutls_serv("ecdsa", "--alpn postgresql --alpn-fatal"),
        seen: Seen { like: "-alpn h2,http/1.1", says: "no application protocol", works_with: Some("-alpn postgresql") },
        ..ALPN
    },
    Scenario {
        id: "alpn-mismatch-node",
        start: |lab| lab.node("rsa", r#"{"ALPNProtocols": ["mqtt"]}"#),
        seen: Seen { like: "-alpn h2,http/1.1", says: "no application protocol", works_with: Some("-alpn mqtt") },
        ..ALPN
    },
    Scenario {
        id: "client-certificate-required-nginx",
        start: |lab| {
            lab.nginx(
                "rsa",
                "ssl_protocols TLSv1.2 TLSv1.3; ssl_verify_client on; ssl_client_certificate {pki}/ca.pem; ssl_verify_depth 3;",
            )
        },
        seen: Seen { like: "", says: "400 Bad Request", works_with: WITH_CERTIFICATE },
        ..CERTIFICATE
    },
    Scenario {
        id: "client-certificate-required-nginx-tls12",
        start: |lab| {
            lab.nginx(
                "ecdsa",
                "ssl_protocols TLSv1.2; ssl_verify_client on; ssl_client_certificate {pki}/ca.pem; ssl_verify_depth 3;",
            )
        },
        seen: Seen { like: "", says: "400 Bad Request", works_with: WITH_CERTIFICATE },
        ..CERTIFICATE
    },
    Scenario {
        id: "client-certificate-required-nginx-tls12-rsa-key-exchange",
        start: |lab| {
            lab.nginx(
                "rsa",
                "ssl_protocols TLSv1.2; ssl_ciphers AES256-GCM-SHA384:AES128-SHA; ssl_verify_client on;
                 ssl_client_certificate {pki}/ca.pem; ssl_verify_depth 3;",
            )
        },
        seen: Seen { like: "", says: "400 Bad Request", works_with: WITH_CERTIFICATE },
        ..CERTIFICATE
    },
    Scenario {
        id: "client-certificate-required-apache-tls13",
        start: |lab| lab.apache("rsa", "SSLVerifyClient require\nSSLVerifyDepth 3\nSSLCACertificateFile {pki}/ca.pem"),
        seen: Seen { like: "", says: "alert certificate required", works_with: WITH_CERTIFICATE },
        ..CERTIFICATE
    },
    Scenario {
        id: "client-certificate-required-apache-tls12",
        start: |lab| {
            lab.apache(
                "rsa",
                "SSLProtocol -all +TLSv1.2\nSSLVerifyClient require\nSSLVerifyDepth 3\nSSLCACertificateFile {pki}/ca.pem",
            )
        },
        seen: Seen { like: "", says: "alert handshake failure", works_with: WITH_CERTIFICATE },
        ..CERTIFICATE
    },
    Scenario {
        id: "client-certificate-required-haproxy-tls13",
        start: |lab| lab.haproxy("ecdsa", "ca-file {pki}/ca.pem verify required", ""),
        seen: Seen { like: "", says: "alert certificate required", works_with: WITH_CERTIFICATE },
        ..CERTIFICATE
    },
    Scenario {
        id: "client-certificate-required-haproxy-tls12",
        start: |lab| lab.haproxy("rsa", "ca-file {pki}/ca.pem verify required ssl-max-ver TLSv1.2", ""),
        seen: Seen { like: "", says: "alert handshake failure", works_with: WITH_CERTIFICATE },
        ..CERTIFICATE
    },
    Scenario {
        id: "client-certificate-required-s_server-tls13",
        start: |lab| lab.s_server("rsa", "-Verify 3 -verify_return_error -CAfile {pki}/ca.pem -tls1_3"),
        seen: Seen { like: "", says: "alert certificate required", works_with: WITH_CERTIFICATE },
        ..CERTIFICATE
    },
    Scenario {
        id: "client-certificate-required-s_server-tls12",
        start: |lab| lab.s_server("ecdsa", "-Verify 3 -verify_return_error -CAfile {pki}/ca.pem -tls1_2"),
        seen: Seen { like: "", says: "alert handshake failure", works_with: WITH_CERTIFICATE_12 },
        ..CERTIFICATE
    },
    Scenario {
        id: "client-certificate-required-gnutls",
        start: |lab| lab.gnutls_serv("rsa", "--require-client-cert --verify-client-cert --x509cafile {pki}/ca.pem"),
        seen: Seen { like: "", says: "alert certificate required", works_with: WITH_CERTIFICATE },
        ..CERTIFICATE
    },
    Scenario {
        id: "client-certificate-required-lighttpd",
        start: |lab| {
            lab.lighttpd("mod_openssl", "rsa", "ssl.ca-file = \"{pki}/ca.pem\"\nssl.verifyclient.activate = \"enable\"\nssl.verifyclient.enforce = \"enable\"\nssl.verifyclient.depth = 3")
        },
        seen: Seen { like: "", says: "alert certificate required", works_with: WITH_CERTIFICATE },
        ..CERTIFICATE
    },
    Scenario {
        id: "client-certificate-required-java",
        // Its alert is lost: it closes while s_client still sends.
        start: |lab| lab.java("-Dlab.client=need", "TLSv1.2"),
        seen: Seen { like: "", says: "unexpected eof", works_with: None },
        ..CERTIFICATE
    },
    Scenario {
        id: "client-certificate-required-nss",
        start: |lab| lab.nss_selfserv("-rr"),
        seen: Seen { like: "", says: "alert certificate required", works_with: None },
        ..CERTIFICATE
    },
    Scenario {
        id: "client-certificate-required-stunnel",
        start: |lab| lab.stunnel("rsa", "verifyChain = yes\nCAfile = {pki}/ca.pem"),
        seen: Seen { like: "", says: "alert certificate required", works_with: None },
        ..CERTIFICATE
    },
    Scenario {
        id: "client-certificate-required-go",
        start: |lab| lab.caddy("ecdsa", "client_auth {\n mode require_and_verify\n trusted_ca_cert_file {pki}/ca.pem\n }"),
        seen: Seen { like: "", says: "alert bad certificate", works_with: WITH_CERTIFICATE },
        ..CERTIFICATE
    },
    Scenario {
        id: "client-certificate-required-node",
        start: |lab| lab.node("rsa", r#"{"requestCert": true, "rejectUnauthorized": true}"#),
        seen: Seen { like: "", says: "alert certificate required", works_with: None },
        ..CERTIFICATE
    },
    Scenario {
        id: "client-certificate-required-python-tls12",
        start: |lab| {
            lab.python(
                "rsa",
                "context.verify_mode = ssl.CERT_REQUIRED; context.load_verify_locations(certificate.replace('rsa.pem', 'ca.pem')); \
                 context.maximum_version = ssl.TLSVersion.TLSv1_2",
            )
        },
        seen: Seen { like: "", says: "alert handshake failure", works_with: WITH_CERTIFICATE },
        ..CERTIFICATE
    },
];
