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
            looks: vec![Look::name("good.example.test")],
            ..Case::default()
        });
    }
    all
}
