//! stunnel: globals, services, both ends of the range, options.

use super::case::{Case, Look};

/// Every case.
pub(super) fn cases() -> Vec<Case> {
    let mut all = Vec::new();
    for (name, global, own) in [
        ("nothing", "", ""),
        ("minimum", "", "sslVersionMin = TLSv1.3"),
        ("maximum", "", "sslVersionMax = TLSv1.2"),
        ("pinned", "", "sslVersion = TLSv1.2"),
        ("pinned-over-global-range", "sslVersionMin = TLSv1.3", "sslVersion = TLSv1.2"),
        ("global-minimum", "sslVersionMin = TLSv1.3", ""),
        ("global-and-own", "sslVersionMin = TLSv1.3", "sslVersionMin = TLSv1.2"),
        ("option-off", "", "options = NO_TLSv1_3"),
        ("two-options-off", "sslVersionMin = TLSv1", "options = NO_TLSv1_3\noptions = NO_TLSv1"),
        ("old", "", "sslVersionMin = TLSv1\nciphers = ALL:@SECLEVEL=0\nsecurityLevel = 0"),
        ("old-at-the-usual-level", "", "sslVersionMin = TLSv1"),
        ("ciphers", "", "sslVersionMax = TLSv1.2\nciphers = ECDHE-RSA-AES128-GCM-SHA256:AES128-SHA"),
        (
            "order-of-the-server",
            "",
            "sslVersionMax = TLSv1.2\nciphers = AES128-SHA:AES256-SHA\noptions = CIPHER_SERVER_PREFERENCE",
        ),
        ("ciphersuites", "", "ciphersuites = TLS_AES_128_GCM_SHA256"),
        ("curves", "", "curves = P-384:X25519"),
        ("last-wins", "", "sslVersionMin = TLSv1.2\nsslVersionMin = TLSv1.3"),
        ("comments-and-case", "; SSLVERSIONMIN = TLSv1.3", "SslVersionMax = TLSv1.2\n; curves = P-384"),
        ("refused-version-nonsense", "", "sslVersion = TLSv1.4"),
        ("refused-empty-range", "sslVersionMin = TLSv1.3", "sslVersionMax = TLSv1.2"),
        ("refused-ciphers-nonsense", "", "ciphers = NONSENSE"),
        ("refused-curves-nonsense", "", "curves = NONSENSE"),
        ("refused-option-nonsense", "", "options = NO_TLSv9"),
        ("all-versions", "sslVersion = all", ""),
        ("global-pinned-and-own-minimum", "sslVersion = TLSv1.2", "sslVersionMin = TLSv1.3\nsslVersionMax = TLSv1.3"),
        ("maximum-at-the-usual-level", "", "sslVersionMax = TLSv1.1"),
        ("option-global", "options = NO_TLSv1_3", ""),
        ("option-given-back", "options = NO_TLSv1_3", "options = -NO_TLSv1_3"),
        ("level-one", "", "securityLevel = 1\nciphers = ECDHE-RSA-AES128-SHA"),
        ("level-in-the-list", "", "sslVersionMin = TLSv1\nciphers = ALL:@SECLEVEL=0"),
        ("level-over-the-list", "", "sslVersionMin = TLSv1\nciphers = ALL:@SECLEVEL=0\nsecurityLevel = 2"),
        ("global-ciphers-and-own", "ciphers = AES128-SHA", "sslVersionMax = TLSv1.2\nciphers = ECDHE-RSA-AES256-GCM-SHA384"),
        ("ciphersuites-and-order", "", "ciphersuites = TLS_CHACHA20_POLY1305_SHA256:TLS_AES_128_GCM_SHA256"),
        ("curve-of-old", "", "curve = P-384"),
        ("blanks-and-tabs", "\tsslVersionMin\t=\tTLSv1.3\t", "  curves =P-256  "),
        ("crlf", "sslVersionMin = TLSv1.3\r", "curves = P-384\r"),
        ("verifies", "", "verifyChain = yes\nCAfile = {pki}/ca.pem"),
        (
            "another-section",
            "",
            "[other]\naccept = 127.0.0.1:{port2}\nexec = /bin/cat\ncert = {pki}/rsa.pem\nkey = {pki}/rsa.key\nsslVersionMin = TLSv1.3",
        ),
    ] {
        let text = format!(
            "foreground = yes\npid =\n{global}\n[lab]\naccept = 127.0.0.1:{{port}}\nexec = /bin/cat\ncert = {{pki}}/rsa.pem\n\
             key = {{pki}}/rsa.key\n{own}\n"
        );
        all.push(Case {
            id: format!("stunnel/{name}"),
            dialect: "stunnel",
            program: "stunnel4",
            args: vec!["{dir}/stunnel.conf".to_owned()],
            files: vec![("stunnel.conf".to_owned(), text.into_bytes())],
            main: "stunnel.conf".to_owned(),
            refused: name.contains("refused"),
            looks: vec![Look::name("good.example.test")],
            ..Case::default()
        });
    }
    all
}
