//! Dovecot: the lowest version, lists, sections for protocols, addresses and names.

use super::case::{Case, Look};

/// Lines at the end of dovecot.conf, and names to look for.
const CASES: &[(&str, &str, &[&str])] = &[
    ("nothing", "", &[""]),
    ("no-parameters", "ssl_dh =", &[""]),
    ("lowest", "ssl_min_protocol = TLSv1.3", &[""]),
    ("lowest-old", "ssl_min_protocol = tlsv1\nssl_cipher_list = ALL:@SECLEVEL=0", &[""]),
    ("lowest-any", "ssl_min_protocol = ANY\nssl_cipher_list = \"HIGH:!aNULL:!DHE:!PSK:@SECLEVEL=0\"", &[""]),
    ("lowest-latest", "ssl_min_protocol = LATEST # newest", &[""]),
    ("lowest-nonsense", "ssl_min_protocol = TLS1.2", &[""]),
    ("last-line-counts", "ssl_min_protocol = TLSv1.3\nssl_min_protocol = TLSv1.2", &[""]),
    ("old-words", "ssl_protocols = !SSLv3 !TLSv1 !TLSv1.1 !TLSv1.2", &[""]),
    ("continued", "ssl_min_protocol = \\\n  TLSv1.3", &[""]),
    (
        "of-the-protocol",
        "protocol imap {\n  ssl_min_protocol = TLSv1.3\n}\nprotocol pop3 {\n  ssl_min_protocol = TLSv1.1\n}",
        &[""],
    ),
    ("not-of-the-protocol", "protocol !imap {\n  ssl_min_protocol = TLSv1.3\n}", &[""]),
    ("of-the-address", "local 127.0.0.1 {\n  ssl_min_protocol = TLSv1.3\n}", &[""]),
    ("of-another-address", "local 127.0.0.2 {\n  ssl_min_protocol = TLSv1.3\n}", &[""]),
    ("list", "ssl_cipher_list = ECDHE-RSA-AES128-GCM-SHA256:AES128-SHA", &[""]),
    ("list-nonsense", "ssl_cipher_list = NONSENSE", &[""]),
    ("list-preferred", "ssl_prefer_server_ciphers = yes\nssl_cipher_list = AES128-SHA:ECDHE-RSA-AES128-GCM-SHA256", &[""]),
    ("suites", "ssl_cipher_suites = TLS_AES_128_GCM_SHA256", &[""]),
    ("suites-some-unknown", "ssl_cipher_suites = TLS_CHACHA20_POLY1305_SHA256:NONSENSE", &[""]),
    ("curves", "ssl_curve_list = P-384:X25519", &[""]),
    ("curves-nonsense", "ssl_curve_list = NONSENSE", &[""]),
    (
        "variable",
        "protocols = $protocols imap\nssl_min_protocol = TLSv1.3\nprotocol imap {\n  ssl_min_protocol = $ssl_min_protocol\n}",
        &[""],
    ),
    ("refused-variable", "ssl_cipher_list = AES128-SHA\nssl_cipher_list = $ssl_cipher_list:AES256-SHA", &[""]),
    ("conflict", "protocol imap {\n  ssl_curve_list = P-384\n}\nlocal 127.0.0.1 {\n  ssl_curve_list = P-256\n}", &[""]),
    ("include", "!include more.conf\n!include_try none.conf", &[""]),
    ("include-in-a-section", "protocol imap {\n  !include more.conf\n}", &[""]),
    ("off", "ssl = no", &[""]),
    ("required", "ssl = required", &[""]),
    ("another-certificate", "ssl_cert = <{pki}/ecdsa.pem\nssl_key = <{pki}/ecdsa.key", &[""]),
    ("two-certificates", "ssl_alt_cert = <{pki}/ecdsa.pem\nssl_alt_key = <{pki}/ecdsa.key", &[""]),
    ("no-certificate", "ssl_cert =\nssl_key =", &[""]),
    ("asks", "ssl_ca = <{pki}/rsa.pem\nssl_verify_client_cert = yes\nssl_require_crl = no", &[""]),
    (
        "name-certificate",
        "local_name good.example.test {\n  ssl_cert = <{pki}/ecdsa.pem\n  ssl_key = <{pki}/ecdsa.key\n}",
        &["", "good.example.test", "other.example.test"],
    ),
    ("name-lowest", "local_name good.example.test {\n  ssl_min_protocol = TLSv1.3\n}", &["", "good.example.test"]),
    ("name-list", "local_name good.example.test {\n  ssl_cipher_list = AES128-SHA\n}", &["", "good.example.test"]),
    (
        "name-rest",
        "local_name good.example.test {\n  ssl_curve_list = P-384\n  ssl_cipher_suites = TLS_AES_128_GCM_SHA256\n}",
        &["", "good.example.test"],
    ),
    (
        "names",
        "local_name \"*.example.test other.test\" {\n  ssl_cipher_list = AES256-SHA\n}\nlocal_name good.example.test {\n  ssl_cipher_list = AES128-SHA\n}",
        &["good.example.test", "x.example.test", "other.test", "example.test"],
    ),
    (
        "names-other-order",
        "local_name good.example.test {\n  ssl_cipher_list = AES128-SHA\n}\nlocal_name *.example.test {\n  ssl_cipher_list = AES256-SHA\n}",
        &["good.example.test", "x.example.test"],
    ),
    (
        "name-twice",
        "local_name good.example.test {\n  ssl_cipher_list = AES128-SHA\n}\nlocal_name good.example.test {\n  ssl_cipher_list = AES256-SHA\n}",
        &["good.example.test"],
    ),
    (
        "name-and-protocol",
        "local_name good.example.test {\n  protocol imap {\n    ssl_cipher_list = AES256-SHA\n  }\n  ssl_cipher_list = AES128-SHA\n}",
        &["good.example.test"],
    ),
];

/// Every case.
pub(super) fn cases() -> Vec<Case> {
    let case = |(name, own, names): &(&str, &str, &[&str])| {
        let main = format!(
            "base_dir = {{dir}}/run\nstate_dir = {{dir}}/state\nlog_path = {{dir}}/dovecot.log\n\
             protocols = imap\nlisten = 127.0.0.1\n\
             service imap-login {{\n  chroot =\n  inet_listener imap {{\n    port = {{port}}\n  }}\n  \
             inet_listener imaps {{\n    port = {{port2}}\n  }}\n}}\nservice anvil {{\n  chroot =\n}}\n\
             ssl = yes\nssl_cert = <{{pki}}/rsa.pem\nssl_key = <{{pki}}/rsa.key\nssl_dh = <{{dir}}/dh.pem\n\
             passdb {{\n  driver = static\n  args = password=x\n}}\n\
             userdb {{\n  driver = static\n  args = uid=65534 gid=65534 home={{dir}}\n}}\n{own}\n"
        );
        // With TLS off the second port is not listened on.
        let second = names.iter().map(|name| Look::name(name).at(1)).filter(|_| *name != "off");
        Case {
            id: format!("dovecot/{name}"),
            dialect: "dovecot",
            program: "dovecot",
            args: ["-F", "-c", "{dir}/dovecot.conf"].map(String::from).to_vec(),
            files: vec![
                ("dovecot.conf".to_owned(), main.into_bytes()),
                ("more.conf".to_owned(), b"ssl_min_protocol = TLSv1.3\n".to_vec()),
            ],
            setup: "openssl dhparam -dsaparam -out dh.pem 2048 2>/dev/null".to_owned(),
            main: "dovecot.conf".to_owned(),
            refused: name.starts_with("refused"),
            looks: std::iter::once(Look::name(names.first().unwrap_or(&"")).after("imap")).chain(second).collect(),
            ..Case::default()
        }
    };
    CASES.iter().map(case).collect()
}
