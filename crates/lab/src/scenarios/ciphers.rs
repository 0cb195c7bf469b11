//! Suites, groups, signature algorithms, Diffie-Hellman sizes.

use super::versions::{CHROME, JAVA_8, RSA_ONLY};
use crate::scenario::{BROKEN, Scenario, Seen};

const SUITE: Scenario = Scenario { group: "no-shared-cipher", causes: &["no-shared-cipher"], ..BROKEN };
const KEY: Scenario = Scenario { group: "cipher-certificate-mismatch", causes: &["cipher-certificate-mismatch"], ..BROKEN };
const GROUP: Scenario = Scenario { group: "no-shared-group", causes: &["no-shared-group"], ..BROKEN };
const SIGNATURE: Scenario =
    Scenario { group: "no-shared-signature-algorithm", causes: &["no-shared-signature-algorithm"], ..BROKEN };
const DH: Scenario = Scenario { group: "weak-dh-params", causes: &["weak-dh-params"], ..BROKEN };

const ALERT_40: &str = "alert handshake failure";
const SMALL_DH: Seen = Seen { like: "", says: "dh key too small", works_with: Some("-cipher DEFAULT@SECLEVEL=1") };

pub(super) const SCENARIOS: &[Scenario] = &[
    Scenario {
        id: "no-shared-cipher-nginx-camellia",
        start: |lab| lab.nginx("rsa", "ssl_protocols TLSv1.2; ssl_ciphers ECDHE-RSA-CAMELLIA256-SHA384;"),
        seen: Seen { like: "", says: ALERT_40, works_with: Some("-cipher ECDHE-RSA-CAMELLIA256-SHA384") },
        ..SUITE
    },
    Scenario {
        id: "no-shared-cipher-apache-ccm",
        start: |lab| lab.apache("rsa", "SSLProtocol -all +TLSv1.2\nSSLCipherSuite DHE-RSA-AES256-CCM:AES128-CCM"),
        seen: Seen { like: "", says: ALERT_40, works_with: Some("-cipher ALL") },
        ..SUITE
    },
    Scenario {
        id: "no-shared-cipher-haproxy-aria",
        start: |lab| lab.haproxy("rsa", "ssl-max-ver TLSv1.2 ciphers ARIA128-GCM-SHA256:ECDHE-ARIA256-GCM-SHA384", ""),
        seen: Seen { like: "", says: ALERT_40, works_with: Some("-cipher ALL") },
        ..SUITE
    },
    Scenario {
        id: "no-shared-cipher-gnutls-camellia",
        start: |lab| {
            lab.gnutls_serv("rsa", "--priority NORMAL:-VERS-ALL:+VERS-TLS1.2:-CIPHER-ALL:+CAMELLIA-256-CBC:+CAMELLIA-128-CBC")
        },
        seen: Seen { like: "", says: ALERT_40, works_with: Some("-cipher CAMELLIA") },
        ..SUITE
    },
    Scenario {
        id: "no-shared-cipher-old-rc4",
        start: |lab| lab.old_s_server("rsa", "-cipher RC4:@SECLEVEL=0"),
        seen: Seen { like: "", says: ALERT_40, works_with: Some("old -cipher RC4:@SECLEVEL=0") },
        ..SUITE
    },
    Scenario {
        id: "no-shared-cipher-anonymous",
        start: |lab| lab.s_server("rsa", "-tls1_2 -cipher ADH:AECDH:@SECLEVEL=0"),
        seen: Seen { like: "", says: ALERT_40, works_with: None },
        ..SUITE
    },
    Scenario {
        id: "no-shared-cipher-tls13-nginx-ccm",
        start: |lab| lab.nginx("rsa", "ssl_protocols TLSv1.3; ssl_conf_command Ciphersuites TLS_AES_128_CCM_SHA256;"),
        seen: Seen { like: "", says: ALERT_40, works_with: Some("-ciphersuites TLS_AES_128_CCM_SHA256") },
        ..SUITE
    },
    Scenario {
        id: "no-shared-cipher-tls13-s_server-ccm",
        start: |lab| lab.s_server("ecdsa", "-tls1_3 -ciphersuites TLS_AES_128_CCM_SHA256:TLS_AES_128_CCM_8_SHA256"),
        seen: Seen { like: "", says: ALERT_40, works_with: Some("-ciphersuites TLS_AES_128_CCM_SHA256") },
        ..SUITE
    },
    Scenario {
        id: "no-shared-cipher-dhe-only-chrome",
        // The server is left with DHE, which browsers gave up.
        start: |lab| {
            lab.nginx("rsa", "ssl_protocols TLSv1.2; ssl_ciphers DHE-RSA-AES128-GCM-SHA256; ssl_dhparam {pki}/dh2048.pem;")
        },
        args: &["--client", CHROME],
        seen: Seen { like: "-cipher ECDHE:RSA:!DHE", says: ALERT_40, works_with: Some("-cipher DHE") },
        ..SUITE
    },
    Scenario {
        id: "no-shared-cipher-tls13-gnutls-ccm",
        start: |lab| lab.gnutls_serv("rsa", "--priority NORMAL:-VERS-ALL:+VERS-TLS1.3:-CIPHER-ALL:+AES-128-CCM"),
        seen: Seen { like: "", says: ALERT_40, works_with: Some("-ciphersuites TLS_AES_128_CCM_SHA256") },
        ..SUITE
    },
    Scenario {
        id: "no-shared-cipher-postgres",
        start: |lab| lab.postgres("rsa", "ssl_max_protocol_version = 'TLSv1.2'\nssl_ciphers = 'CAMELLIA128'"),
        args: &["--starttls", "postgres"],
        seen: Seen { like: "-starttls postgres", says: ALERT_40, works_with: Some("-starttls postgres -cipher CAMELLIA128") },
        ..SUITE
    },
    Scenario {
        id: "no-shared-cipher-java-8-chacha20",
        start: |lab| lab.haproxy("rsa", "ssl-max-ver TLSv1.2 ciphers ECDHE+CHACHA20", ""),
        args: &["--client", JAVA_8],
        seen: Seen { like: "-tls1_2 -cipher AES", says: ALERT_40, works_with: Some("") },
        ..SUITE
    },
    Scenario {
        id: "cipher-certificate-mismatch-nginx-ecdsa-key",
        start: |lab| {
            lab.nginx("ecdsa", "ssl_protocols TLSv1.2; ssl_ciphers ECDHE-RSA-AES128-GCM-SHA256:ECDHE-RSA-AES256-GCM-SHA384;")
        },
        seen: Seen { like: "", says: ALERT_40, works_with: None },
        ..KEY
    },
    Scenario {
        id: "cipher-certificate-mismatch-nginx-rsa-key",
        start: |lab| lab.nginx("rsa", "ssl_protocols TLSv1.2; ssl_ciphers ECDHE-ECDSA-AES128-GCM-SHA256;"),
        seen: Seen { like: "", says: ALERT_40, works_with: None },
        ..KEY
    },
    Scenario {
        id: "cipher-certificate-mismatch-haproxy",
        start: |lab| lab.haproxy("ecdsa", "ssl-max-ver TLSv1.2 ciphers kRSA+AES:ECDHE-RSA-AES256-GCM-SHA384", ""),
        seen: Seen { like: "", says: ALERT_40, works_with: None },
        ..KEY
    },
    Scenario {
        id: "cipher-certificate-mismatch-apache-no-ecdsa",
        start: |lab| lab.apache("ecdsa", "SSLProtocol -all +TLSv1.2\nSSLCipherSuite HIGH:!ECDSA:!aNULL"),
        seen: Seen { like: "", says: ALERT_40, works_with: None },
        ..KEY
    },
    Scenario {
        id: "cipher-certificate-mismatch-client-only-rsa",
        // Server and suites fit each other; the client offers RSA suites alone.
        start: |lab| lab.nginx("ecdsa", "ssl_protocols TLSv1.2;"),
        args: &["--client", RSA_ONLY],
        seen: Seen { like: "-tls1_2 -cipher aRSA", says: ALERT_40, works_with: Some("") },
        ..KEY
    },
    Scenario {
        id: "no-shared-group-nginx-brainpool",
        start: |lab| {
            lab.nginx("rsa", "ssl_protocols TLSv1.2; ssl_ecdh_curve brainpoolP256r1; ssl_ciphers ECDHE-RSA-AES128-GCM-SHA256;")
        },
        seen: Seen { like: "", says: ALERT_40, works_with: Some("-tls1_2 -groups brainpoolP256r1") },
        ..GROUP
    },
    Scenario {
        id: "no-shared-group-haproxy-secp256k1",
        start: |lab| lab.haproxy("rsa", "ssl-max-ver TLSv1.2 curves secp256k1 ciphers ECDHE+AESGCM", ""),
        seen: Seen { like: "", says: ALERT_40, works_with: Some("-tls1_2 -groups secp256k1") },
        ..GROUP
    },
    Scenario {
        id: "no-shared-group-gnutls-secp192r1",
        start: |lab| {
            lab.gnutls_serv("rsa", "--priority NORMAL:-VERS-ALL:+VERS-TLS1.2:-GROUP-ALL:+GROUP-SECP192R1:-RSA:-DHE-RSA")
        },
        seen: Seen { like: "", says: ALERT_40, works_with: Some("-tls1_2 -groups P-192 -cipher ALL@SECLEVEL=0") },
        ..GROUP
    },
    Scenario {
        id: "no-shared-group-postgres",
        start: |lab| {
            lab.postgres("ecdsa", "ssl_max_protocol_version = 'TLSv1.2'\nssl_ecdh_curve = 'brainpoolP384r1'\nssl_ciphers = 'ECDHE-ECDSA-AES128-GCM-SHA256'")
        },
        args: &["--starttls", "postgres"],
        seen: Seen {
            like: "-starttls postgres",
            says: ALERT_40,
            works_with: Some("-starttls postgres -tls1_2 -groups brainpoolP384r1:P-256"),
        },
        ..GROUP
    },
    Scenario {
        id: "no-shared-group-tls13-x448-chrome",
        start: |lab| lab.nginx("rsa", "ssl_protocols TLSv1.3; ssl_ecdh_curve X448;"),
        args: &["--client", CHROME],
        seen: Seen { like: "-groups X25519:P-256:P-384", says: ALERT_40, works_with: Some("") },
        ..GROUP
    },
    Scenario {
        id: "no-shared-group-tls13-ffdhe-chrome",
        start: |lab| lab.s_server("ecdsa", "-tls1_3 -groups ffdhe3072:ffdhe4096"),
        args: &["--client", CHROME],
        seen: Seen { like: "-groups X25519:P-256:P-384", says: ALERT_40, works_with: Some("-groups ffdhe3072") },
        ..GROUP
    },
    Scenario {
        id: "no-shared-group-tls12-p521-chrome",
        start: |lab| lab.haproxy("rsa", "ssl-max-ver TLSv1.2 curves P-521 ciphers ECDHE+AESGCM", ""),
        args: &["--client", CHROME],
        seen: Seen { like: "-groups X25519:P-256:P-384", says: ALERT_40, works_with: Some("") },
        ..GROUP
    },
    Scenario {
        id: "no-shared-signature-algorithm-nginx-sha1",
        start: |lab| {
            lab.nginx(
                "rsa",
                "ssl_protocols TLSv1.2; ssl_ciphers ECDHE-RSA-AES128-GCM-SHA256:@SECLEVEL=0; \
                 ssl_conf_command SignatureAlgorithms RSA+SHA1;",
            )
        },
        seen: Seen { like: "", says: ALERT_40, works_with: Some("-cipher DEFAULT@SECLEVEL=0 -sigalgs RSA+SHA1:RSA+SHA256") },
        ..SIGNATURE
    },
    Scenario {
        id: "no-shared-signature-algorithm-gnutls-sha1",
        start: |lab| {
            lab.gnutls_serv(
                "rsa",
                "--priority NORMAL:-VERS-ALL:+VERS-TLS1.2:-RSA:-SIGN-ALL:+SIGN-RSA-SHA1:%VERIFY_ALLOW_SIGN_WITH_SHA1",
            )
        },
        seen: Seen { like: "", says: ALERT_40, works_with: Some("-cipher DEFAULT@SECLEVEL=0 -sigalgs RSA+SHA1:RSA+SHA256") },
        ..SIGNATURE
    },
    Scenario {
        id: "no-shared-signature-algorithm-tls13-ed25519-chrome",
        start: |lab| lab.nginx("ed25519", "ssl_protocols TLSv1.3;"),
        args: &["--client", CHROME],
        seen: Seen {
            like: "-sigalgs ECDSA+SHA256:RSA-PSS+SHA256:RSA+SHA256:ECDSA+SHA384:RSA-PSS+SHA384:RSA+SHA384",
            says: ALERT_40,
            works_with: Some(""),
        },
        ..SIGNATURE
    },
    Scenario {
        id: "no-shared-signature-algorithm-tls13-p521-chrome",
        start: |lab| lab.s_server("p521", "-tls1_3"),
        args: &["--client", CHROME],
        seen: Seen {
            like: "-sigalgs ECDSA+SHA256:RSA-PSS+SHA256:RSA+SHA256:ECDSA+SHA384:RSA-PSS+SHA384:RSA+SHA384",
            says: ALERT_40,
            works_with: Some(""),
        },
        ..SIGNATURE
    },
    Scenario {
        id: "weak-dh-params-nginx",
        start: |lab| {
            lab.nginx(
                "rsa",
                "ssl_protocols TLSv1.2; ssl_ciphers DHE-RSA-AES128-GCM-SHA256:@SECLEVEL=0; ssl_dhparam {pki}/dh1024.pem;",
            )
        },
        seen: SMALL_DH,
        ..DH
    },
    Scenario {
        id: "weak-dh-params-s_server",
        start: |lab| lab.s_server("rsa", "-tls1_2 -cipher DHE:@SECLEVEL=0 -dhparam {pki}/dh1024.pem"),
        seen: SMALL_DH,
        ..DH
    },
    Scenario {
        id: "weak-dh-params-old-openssl",
        start: |lab| lab.old_s_server("rsa", "-cipher DHE:@SECLEVEL=0 -dhparam {pki}/dh1024.pem"),
        seen: SMALL_DH,
        ..DH
    },
    Scenario {
        id: "weak-dh-params-java",
        start: |lab| {
            lab.java(
                "-Djdk.tls.ephemeralDHKeySize=1024 -Djdk.tls.namedGroups=secp256r1 -Djdk.tls.server.cipherSuites=TLS_DHE_RSA_WITH_AES_128_GCM_SHA256 \
                 -Djdk.tls.server.protocols=TLSv1.2",
                "",
            )
        },
        seen: SMALL_DH,
        ..DH
    },
];
