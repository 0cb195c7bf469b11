//! Configurations that are read beside the handshake: lines without effect, policies that restrict.

use crate::scenario::{BROKEN, HEALTHY, Scenario, Seen};
use crate::server::StartError;

/// nginx 1.22: the default server of the socket decides the version.
const NGINX: &[&str] =
    &["--root", "{dir}", "--server-config", "/nginx.conf", "--assume", "nginx=1.22.1", "--assume", "openssl=3.0.19"];
const SHADOWED: Scenario =
    Scenario { group: "config-shadowed", causes: &["config-shadowed"], args: NGINX, mentions: &["no effect"], ..BROKEN };
const RESTRICTS: Scenario =
    Scenario { group: "client-policy-restricts", causes: &["client-policy-restricts"], mentions: &["Groups"], ..BROKEN };

/// Java 8 before it had TLS 1.3.
const DOVECOT: &[&str] = &[
    "--client",
    "java-8u161",
    "--root",
    "{dir}",
    "--server-config",
    "/dovecot.conf",
    "--assume",
    "dovecot=2.3.19",
    "--assume",
    "openssl=3.0.19",
];

pub(super) const SCENARIOS: &[Scenario] = &[
    Scenario {
        id: "config-shadowed-nginx-versions",
        start: |lab| {
            lab.nginx_main(
                "http { access_log off; ssl_certificate rsa.pem; ssl_certificate_key rsa.key;
                   ssl_ciphers ALL:@SECLEVEL=0;
                   server { listen 127.0.0.1:{port} ssl default_server; server_name old.example.test;
                     ssl_protocols TLSv1 TLSv1.1; }
                   server { listen 127.0.0.1:{port} ssl; server_name good.example.test;
                     ssl_protocols TLSv1.2 TLSv1.3; } }",
            )
        },
        seen: Seen {
            like: "",
            says: "legacy sigalg disallowed or unsupported",
            works_with: Some("-cipher DEFAULT@SECLEVEL=0"),
        },
        ..SHADOWED
    },
    Scenario {
        id: "config-shadowed-nginx-refused-by-level",
        // The server of the name has its own level, at which nothing can be signed in TLS 1.1: alert 80 comes for this name alone.
        start: |lab| {
            lab.nginx_main(
                "http { access_log off; ssl_certificate rsa.pem; ssl_certificate_key rsa.key;
                   server { listen 127.0.0.1:{port} ssl default_server; server_name old.example.test;
                     ssl_protocols TLSv1 TLSv1.1; ssl_ciphers ALL:@SECLEVEL=0; }
                   server { listen 127.0.0.1:{port} ssl; server_name good.example.test;
                     ssl_protocols TLSv1.2 TLSv1.3; } }",
            )
        },
        seen: Seen { like: "", says: "internal error", works_with: None },
        ..SHADOWED
    },
    Scenario {
        id: "near-miss-shadowed-line-that-changes-nothing",
        group: "healthy",
        start: |lab| {
            lab.nginx_main(
                "http { access_log off; ssl_certificate rsa.pem; ssl_certificate_key rsa.key;
                   server { listen 127.0.0.1:{port} ssl default_server; server_name old.example.test;
                     ssl_protocols TLSv1.2 TLSv1.3; }
                   server { listen 127.0.0.1:{port} ssl; server_name good.example.test;
                     ssl_protocols TLSv1.3; } }",
            )
        },
        args: NGINX,
        forbidden: &["config-shadowed"],
        ..HEALTHY
    },
    Scenario {
        id: "near-miss-outdated-line-that-rules",
        // The line that rules is the one that was meant: no other would help.
        group: "server-version-outdated",
        start: |lab| {
            lab.nginx_main(
                "http { access_log off; ssl_certificate rsa.pem; ssl_certificate_key rsa.key;
                   ssl_protocols TLSv1.2;
                   server { listen 127.0.0.1:{port} ssl; server_name good.example.test;
                     ssl_protocols TLSv1; ssl_ciphers ALL:@SECLEVEL=0; } }",
            )
        },
        args: NGINX,
        causes: &["server-version-outdated"],
        forbidden: &["config-shadowed"],
        mentions: &["nginx.conf"],
        seen: Seen {
            like: "",
            says: "legacy sigalg disallowed or unsupported",
            works_with: Some("-cipher DEFAULT@SECLEVEL=0"),
        },
        ..BROKEN
    },
    Scenario {
        id: "server-version-outdated-nginx-by-its-configuration",
        // The one version that is on is taken away by OpenSSL's level: alerts alone leave open why every hello is refused.
        group: "server-version-outdated",
        start: |lab| {
            lab.nginx_main(
                "http { access_log off; ssl_certificate rsa.pem; ssl_certificate_key rsa.key;
                   server { listen 127.0.0.1:{port} ssl; server_name good.example.test; ssl_protocols TLSv1; } }",
            )
        },
        args: NGINX,
        causes: &["server-version-outdated"],
        mentions: &["\"confidence\":\"observed\"", "No version of TLS is left on"],
        seen: Seen { like: "", says: "internal error", works_with: None },
        ..BROKEN
    },
    Scenario {
        id: "version-ranges-disjoint-dovecot-by-its-configuration",
        // It closes without a word, which alone would leave open whether TLS 1.2 is off or on without a suite.
        group: "version-ranges-disjoint",
        start: |lab| lab.dovecot("rsa", "imap", true, "ssl_min_protocol = TLSv1.3"),
        args: DOVECOT,
        causes: &["version-ranges-disjoint"],
        mentions: &["\"confidence\":\"observed\""],
        seen: Seen { like: "-tls1_2", says: "unexpected eof", works_with: Some("-tls1_3") },
        ..BROKEN
    },
    Scenario {
        id: "near-miss-configuration-that-the-server-does-not-run-with",
        // What the file says is not what answers: it settles nothing.
        group: "version-ranges-disjoint",
        start: |lab| {
            let server = lab.dovecot("rsa", "imap", true, "ssl_min_protocol = TLSv1.3")?;
            let text = std::fs::read_to_string(server.dir().join("dovecot.conf")).map_err(StartError::of)?;
            std::fs::write(server.dir().join("new.conf"), text.replace("TLSv1.3", "TLSv1.2")).map_err(StartError::of)?;
            Ok(server)
        },
        args: &[
            "--client",
            "java-8u161",
            "--root",
            "{dir}",
            "--server-config",
            "/new.conf",
            "--assume",
            "dovecot=2.3.19",
            "--assume",
            "openssl=3.0.19",
        ],
        causes: &["version-ranges-disjoint"],
        mentions: &["\"confidence\":\"suspected\""],
        seen: Seen { like: "-tls1_2", says: "unexpected eof", works_with: Some("-tls1_3") },
        ..BROKEN
    },
    Scenario {
        id: "client-policy-restricts-groups",
        start: |lab| lab.nginx("rsa", "ssl_protocols TLSv1.3; ssl_ecdh_curve X25519:prime256v1;"),
        args: &["--client", "{clients}/p521-only.toml", "--root", "{clients}", "--client-config", "/p521.cnf"],
        seen: Seen { like: "-groups P-521", says: "alert handshake failure", works_with: Some("-groups P-521:X25519") },
        ..RESTRICTS
    },
    Scenario {
        id: "client-policy-restricts-java",
        // Java as it comes would offer TLS 1.3: its hello is judged as the file makes it.
        start: |lab| lab.nginx("rsa", "ssl_protocols TLSv1.3;"),
        args: &["--client", "java-17", "--root", "{clients}", "--client-config", "/without-1.3.properties"],
        seen: Seen { like: "-tls1_2", says: "alert protocol version", works_with: Some("-tls1_3") },
        mentions: &["jdk.tls.disabledAlgorithms", "without-1.3.properties:2"],
        ..RESTRICTS
    },
    Scenario {
        id: "near-miss-java-list-that-takes-what-is-not-needed",
        group: "healthy",
        start: |lab| lab.nginx("rsa", "ssl_protocols TLSv1.2;"),
        args: &["--client", "java-17", "--root", "{clients}", "--client-config", "/without-1.3.properties"],
        forbidden: &["client-policy-restricts"],
        ..HEALTHY
    },
    Scenario {
        id: "near-miss-policy-without-groups",
        group: "no-shared-group",
        start: |lab| lab.nginx("rsa", "ssl_protocols TLSv1.3; ssl_ecdh_curve X25519:prime256v1;"),
        args: &["--client", "{clients}/p521-only.toml", "--root", "{clients}", "--client-config", "/no-groups.cnf"],
        causes: &["no-shared-group"],
        forbidden: &["client-policy-restricts"],
        seen: Seen { like: "-groups P-521", says: "alert handshake failure", works_with: Some("-groups P-521:X25519") },
        ..BROKEN
    },
    Scenario {
        id: "client-policy-restricts-gnutls",
        start: |lab| lab.nginx("rsa", "ssl_protocols TLSv1.2;"),
        args: &[
            "--client",
            "{clients}/gnutls-1.3-only.toml",
            "--root",
            "{clients}",
            "--client-config",
            "/gnutls/config",
            "--assume",
            "gnutls=3.7.9",
            "--assume",
            "system=debian 12",
        ],
        mentions: &["/gnutls/config:4", "disabled-version = tls1.2", "GNUTLS_SYSTEM_PRIORITY_FILE"],
        seen: Seen { like: "-tls1_3", says: "alert protocol version", works_with: Some("-tls1_2") },
        ..RESTRICTS
    },
];
