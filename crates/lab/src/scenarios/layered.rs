//! Several faults in a row: each becomes visible to the client only when the one before is mended.

use super::versions::{ANDROID_4, CHROME};
use crate::fake::{self, Verdict};
use crate::scenario::{BROKEN, Scenario, Seen};

const LAYERED: Scenario = Scenario { group: "layered", budget: (16, 7), ..BROKEN };

pub(super) const SCENARIOS: &[Scenario] = &[
    Scenario {
        id: "layered-starttls-then-old-version",
        start: |lab| {
            lab.postfix(
                "rsa",
                "smtpd_tls_protocols = >=TLSv1, <=TLSv1.1\ntls_medium_cipherlist = ECDHE-RSA-AES128-SHA:@SECLEVEL=0",
            )
        },
        causes: &["starttls-required", "server-version-outdated"],
        seen: Seen {
            like: "-starttls smtp",
            says: "legacy sigalg",
            works_with: Some("-starttls smtp -cipher DEFAULT@SECLEVEL=0"),
        },
        ..LAYERED
    },
    Scenario {
        id: "layered-starttls-then-weak-dh",
        start: |lab| {
            lab.nginx_mail(
                "rsa",
                "protocol smtp; starttls on; smtp_auth plain; ssl_protocols TLSv1.2; ssl_dhparam {pki}/dh1024.pem;
                 ssl_ciphers DHE-RSA-AES128-GCM-SHA256:@SECLEVEL=0;",
            )
        },
        causes: &["starttls-required", "weak-dh-params"],
        seen: Seen {
            like: "-starttls smtp",
            says: "dh key too small",
            works_with: Some("-starttls smtp -cipher DEFAULT@SECLEVEL=1"),
        },
        ..LAYERED
    },
    Scenario {
        id: "layered-starttls-then-no-shared-cipher",
        start: |lab| {
            lab.dovecot(
                "rsa",
                "imap",
                false,
                "ssl_min_protocol = TLSv1.2\nssl_cipher_list = CAMELLIA256\nssl_cipher_suites = TLS_AES_128_CCM_SHA256",
            )
        },
        causes: &["starttls-required", "no-shared-cipher"],
        seen: Seen { like: "-starttls imap", says: ":error:", works_with: Some("-starttls imap -tls1_2 -cipher CAMELLIA256") },
        ..LAYERED
    },
    Scenario {
        id: "layered-starttls-then-legacy-renegotiation",
        start: |lab| lab.slapd("ldap", "rsa", "TLSCipherSuite NORMAL:-VERS-TLS1.3:%DISABLE_SAFE_RENEGOTIATION"),
        target: "ldaps://127.0.0.1:{port}",
        causes: &["starttls-required", "legacy-renegotiation"],
        seen: Seen { like: "", says: "unexpected eof", works_with: Some("-starttls ldap -legacy_server_connect") },
        ..LAYERED
    },
    Scenario {
        id: "layered-size-intolerant-then-weak-dh",
        start: |lab| {
            let server = lab.nginx(
                "rsa",
                "ssl_protocols TLSv1.2; ssl_ciphers DHE-RSA-AES128-GCM-SHA256:@SECLEVEL=0; ssl_dhparam {pki}/dh1024.pem;",
            )?;
            fake::relay(server, |hello| if (256..512).contains(&hello.length) { Verdict::Reset } else { Verdict::Forward })
        },
        causes: &["server-size-intolerant", "weak-dh-params"],
        seen: Seen { like: "", says: "errno=104", works_with: Some("-tls1_2 -cipher DHE:@SECLEVEL=1") },
        ..LAYERED
    },
    Scenario {
        id: "layered-old-client-then-client-certificate",
        start: |lab| lab.haproxy("rsa", "ca-file {pki}/ca.pem verify required ssl-min-ver TLSv1.2 ciphers ALL:@SECLEVEL=0", ""),
        args: &["--client", ANDROID_4],
        causes: &["client-version-outdated", "client-certificate-required"],
        seen: Seen {
            like: "old -tls1",
            says: "alert protocol version",
            works_with: Some("-tls1_2 -cert {pki}/client.leaf.pem -key {pki}/client.key -cert_chain {pki}/intermediate.pem"),
        },
        ..LAYERED
    },
    Scenario {
        id: "layered-sni-then-client-certificate",
        start: |lab| {
            lab.nginx_http(
                "server { listen 127.0.0.1:{port} ssl default_server; ssl_reject_handshake on; }
                 server { listen 127.0.0.1:{port} ssl; server_name good.example.test; location / { return 200 'ok'; }
                 ssl_certificate {pki}/rsa.pem; ssl_certificate_key {pki}/rsa.key;
                 ssl_verify_client on; ssl_client_certificate {pki}/ca.pem; ssl_verify_depth 3; }",
            )
        },
        server_name: "none",
        causes: &["sni-unrecognized"],
        // The name that it wants is not to be guessed; where the client finds one, the next fault shows.
        or_causes: &[&["sni-unrecognized", "client-certificate-required"]],
        seen: Seen {
            like: "",
            says: "unrecognized name",
            works_with: Some(
                "-servername good.example.test -cert {pki}/client.leaf.pem -key {pki}/client.key -cert_chain {pki}/intermediate.pem",
            ),
        },
        ..LAYERED
    },
    Scenario {
        id: "layered-sni-then-client-certificate-s_server",
        start: |lab| {
            lab.s_server("rsa", "-servername other.example.test -servername_fatal -cert2 {pki}/other.leaf.pem -key2 {pki}/other.key -Verify 3 -verify_return_error -CAfile {pki}/ca.pem")
        },
        causes: &["sni-unrecognized", "client-certificate-required"],
        seen: Seen {
            like: "",
            says: "unrecognized name",
            works_with: Some(
                "-noservername -cert {pki}/client.leaf.pem -key {pki}/client.key -cert_chain {pki}/intermediate.pem",
            ),
        },
        ..LAYERED
    },
    Scenario {
        id: "layered-no-shared-cipher-then-legacy-renegotiation",
        start: |lab| {
            lab.gnutls_serv(
                "rsa",
                "--priority NORMAL:-VERS-ALL:+VERS-TLS1.2:-CIPHER-ALL:+CAMELLIA-256-CBC:%DISABLE_SAFE_RENEGOTIATION",
            )
        },
        causes: &["no-shared-cipher", "legacy-renegotiation"],
        seen: Seen { like: "", says: "alert handshake failure", works_with: Some("-cipher CAMELLIA -legacy_server_connect") },
        ..LAYERED
    },
    Scenario {
        id: "layered-old-version-then-weak-dh",
        start: |lab| {
            lab.nginx("rsa", "ssl_protocols TLSv1; ssl_ciphers DHE-RSA-AES128-SHA:@SECLEVEL=0; ssl_dhparam {pki}/dh1024.pem;")
        },
        causes: &["server-version-outdated", "weak-dh-params"],
        seen: Seen { like: "", says: ":error:", works_with: Some("-cipher DEFAULT@SECLEVEL=0") },
        ..LAYERED
    },
    Scenario {
        id: "layered-old-version-then-legacy-renegotiation",
        start: |lab| lab.gnutls_serv("rsa", "--priority NORMAL:-VERS-ALL:+VERS-TLS1.0:-RSA:%DISABLE_SAFE_RENEGOTIATION"),
        causes: &["server-version-outdated", "legacy-renegotiation"],
        seen: Seen { like: "", says: ":error:", works_with: Some("-cipher DEFAULT@SECLEVEL=0 -legacy_server_connect") },
        ..LAYERED
    },
    Scenario {
        id: "layered-version-intolerant-then-weak-dh",
        start: |lab| {
            let server = lab.nginx(
                "rsa",
                "ssl_protocols TLSv1.2; ssl_ciphers DHE-RSA-AES128-GCM-SHA256:@SECLEVEL=0; ssl_dhparam {pki}/dh1024.pem;",
            )?;
            fake::relay(server, |hello| if hello.versions.contains(&0x0304) { Verdict::Reset } else { Verdict::Forward })
        },
        causes: &["server-version-intolerant", "weak-dh-params"],
        seen: Seen { like: "", says: "errno=104", works_with: Some("-tls1_2 -cipher DEFAULT@SECLEVEL=1") },
        ..LAYERED
    },
    Scenario {
        id: "layered-version-intolerant-then-client-certificate",
        start: |lab| {
            let server = lab.haproxy("rsa", "ca-file {pki}/ca.pem verify required ssl-max-ver TLSv1.2", "")?;
            fake::relay(server, |hello| if hello.versions.contains(&0x0304) { Verdict::Close } else { Verdict::Forward })
        },
        causes: &["server-version-intolerant", "client-certificate-required"],
        seen: Seen {
            like: "",
            says: "unexpected eof",
            works_with: Some("-tls1_2 -cert {pki}/client.leaf.pem -key {pki}/client.key -cert_chain {pki}/intermediate.pem"),
        },
        ..LAYERED
    },
    Scenario {
        id: "layered-no-shared-cipher-then-client-certificate",
        start: |lab| {
            lab.apache(
                "rsa",
                "SSLProtocol -all +TLSv1.2\nSSLCipherSuite CAMELLIA256\nSSLVerifyClient require\nSSLVerifyDepth 3\nSSLCACertificateFile {pki}/ca.pem",
            )
        },
        causes: &["no-shared-cipher", "client-certificate-required"],
        // The certificate is asked for in the clear; that it is insisted on shows only to who speaks Camellia.
        or_causes: &[&["no-shared-cipher"]],
        seen: Seen {
            like: "",
            says: "alert handshake failure",
            works_with: Some(
                "-cipher CAMELLIA256 -cert {pki}/client.leaf.pem -key {pki}/client.key -cert_chain {pki}/intermediate.pem",
            ),
        },
        ..LAYERED
    },
    Scenario {
        id: "layered-old-version-then-client-certificate",
        start: |lab| {
            lab.haproxy(
                "rsa",
                "ca-file {pki}/ca.pem verify required ssl-min-ver TLSv1.0 ssl-max-ver TLSv1.1 ciphers ECDHE-RSA-AES128-SHA:@SECLEVEL=0",
                "",
            )
        },
        causes: &["server-version-outdated", "client-certificate-required"],
        seen: Seen {
            like: "",
            says: "legacy sigalg",
            works_with: Some(
                "-cipher DEFAULT@SECLEVEL=0 -cert {pki}/client.leaf.pem -key {pki}/client.key -cert_chain {pki}/intermediate.pem",
            ),
        },
        ..LAYERED
    },
    Scenario {
        id: "layered-alpn-then-client-certificate-chrome",
        start: |lab| {
            lab.nginx_stream(
                "rsa",
                "ssl_alpn imap; ssl_verify_client on; ssl_client_certificate {pki}/ca.pem; ssl_verify_depth 3;",
            )
        },
        args: &["--client", CHROME],
        causes: &["alpn-mismatch", "client-certificate-required"],
        seen: Seen { like: "-alpn h2,http/1.1", says: "no application protocol", works_with: None },
        ..LAYERED
    },
    Scenario {
        id: "layered-sni-then-old-version",
        start: |lab| {
            lab.haproxy(
                "other",
                "strict-sni ssl-min-ver TLSv1.0 ssl-max-ver TLSv1.1 ciphers ECDHE-ECDSA-AES128-SHA:@SECLEVEL=0",
                "",
            )
        },
        server_name: "other.example.test",
        causes: &["server-version-outdated"],
        // Near miss: the name is known, so that the version is all that is wrong.
        forbidden: &["sni-unrecognized"],
        seen: Seen { like: "", says: "legacy sigalg", works_with: Some("-cipher DEFAULT@SECLEVEL=0") },
        ..LAYERED
    },
    Scenario {
        id: "layered-no-shared-group-then-client-certificate",
        start: |lab| {
            lab.nginx(
                "rsa",
                "ssl_protocols TLSv1.2; ssl_ecdh_curve brainpoolP256r1; ssl_ciphers ECDHE-RSA-AES128-GCM-SHA256;
                 ssl_verify_client on; ssl_client_certificate {pki}/ca.pem; ssl_verify_depth 3;",
            )
        },
        causes: &["no-shared-group"],
        // Behind a group that the prober cannot compute, the second fault may stay unseen; TLS 1.2 asks in the clear.
        or_causes: &[&["no-shared-group", "client-certificate-required"]],
        seen: Seen {
            like: "",
            says: "alert handshake failure",
            works_with: Some(
                "-tls1_2 -groups brainpoolP256r1 -cert {pki}/rsa.leaf.pem -key {pki}/rsa.key -cert_chain {pki}/intermediate.pem",
            ),
        },
        ..LAYERED
    },
];
