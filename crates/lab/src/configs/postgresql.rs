//! PostgreSQL: later lines, includes, and what ALTER SYSTEM leaves.

use super::case::{Case, Look};

/// Every case.
pub(super) fn cases() -> Vec<Case> {
    let mut all = Vec::new();
    for (name, own, auto) in [
        ("nothing", "", ""),
        ("minimum", "ssl_min_protocol_version = 'TLSv1.3'", ""),
        ("maximum", "ssl_max_protocol_version = 'TLSv1.2'", ""),
        ("last-wins", "ssl_min_protocol_version = 'TLSv1.3'\nssl_min_protocol_version TLSv1.2", ""),
        ("alter-system-wins", "ssl_min_protocol_version = 'TLSv1.2'", "ssl_min_protocol_version = 'TLSv1.3'"),
        ("alter-system-lifts-the-end", "ssl_max_protocol_version = 'TLSv1.2'", "ssl_max_protocol_version = ''"),
        ("include", "include 'more.conf'", ""),
        ("include-dir", "include_dir = 'conf.d'", ""),
        ("curve", "ssl_ecdh_curve = 'secp384r1'", ""),
        ("ciphers", "ssl_max_protocol_version = 'TLSv1.2'\nssl_ciphers = 'ECDHE-RSA-AES128-GCM-SHA256'", ""),
        ("old", "ssl_min_protocol_version = 'TLSv1'\nssl_ciphers = 'ALL:@SECLEVEL=0' # all", ""),
        ("off", "ssl = off", ""),
        ("old-at-the-usual-level", "ssl_min_protocol_version = 'TLSv1'\nssl_max_protocol_version = 'TLSv1.1'", ""),
        ("case-and-blanks", "SSL_Min_Protocol_Version\t=\t'tlsv1.3'\t# of late", ""),
        ("without-quotes", "ssl_min_protocol_version = TLSv1.3", ""),
        ("without-equals", "ssl_max_protocol_version 'TLSv1.2'", ""),
        ("range", "ssl_min_protocol_version = 'TLSv1.2'\nssl_max_protocol_version = 'TLSv1.2'", ""),
        ("refused-empty-range", "ssl_min_protocol_version = 'TLSv1.3'\nssl_max_protocol_version = 'TLSv1.2'", ""),
        ("refused-version-nonsense", "ssl_min_protocol_version = 'TLSv1.4'", ""),
        ("refused-ciphers-nonsense", "ssl_ciphers = 'NONSENSE'", ""),
        ("refused-curve-nonsense", "ssl_ecdh_curve = 'NONSENSE'", ""),
        ("refused-include-missing", "include 'none.conf'", ""),
        ("include-if-exists", "include_if_exists 'none.conf'\ninclude_if_exists = 'more.conf'", ""),
        ("include-then-own", "include 'more.conf'\nssl_max_protocol_version = ''", ""),
        ("own-then-include", "ssl_max_protocol_version = ''\ninclude 'more.conf'", ""),
        ("include-dir-then-alter-system", "include_dir = 'conf.d'", "ssl_min_protocol_version = 'TLSv1.2'"),
        ("order-of-the-client", "ssl_prefer_server_ciphers = off\nssl_ciphers = 'AES128-SHA:AES256-SHA'", ""),
        ("order-of-the-server", "ssl_max_protocol_version = 'TLSv1.2'\nssl_ciphers = 'AES128-SHA:AES256-SHA'", ""),
        ("level-in-the-list", "ssl_ciphers = 'HIGH:!aNULL@SECLEVEL=0'\nssl_min_protocol_version = 'TLSv1.1'", ""),
        ("escaped-quotes", "ssl_ciphers = 'HIGH:!aNULL'\napplication_name = 'it''s'\nssl_max_protocol_version = 'TLSv1.2'", ""),
        ("asks-for-certificates", "ssl_ca_file = '{pki}/ca.pem'", ""),
        ("crlf", "ssl_min_protocol_version = 'TLSv1.3'\r\n# more\r", ""),
    ] {
        let text = format!(
            "listen_addresses = '127.0.0.1'\nport = {{port}}\nunix_socket_directories = ''\nssl = on\n\
             ssl_cert_file = '{{dir}}/server.pem'\nssl_key_file = '{{dir}}/server.key'\n{own}\n"
        );
        all.push(Case {
            id: format!("postgresql/{name}"),
            dialect: "postgresql",
            program: "postgres",
            args: ["-D", "{dir}/data"].map(String::from).to_vec(),
            files: vec![
                ("data/postgresql.conf".to_owned(), Vec::new()),
                ("own.conf".to_owned(), text.into_bytes()),
                ("auto.conf".to_owned(), format!("{auto}\n").into_bytes()),
                ("more.conf".to_owned(), b"ssl_max_protocol_version = 'TLSv1.2'\n".to_vec()),
                ("10.conf".to_owned(), b"ssl_min_protocol_version = 'TLSv1.3'\n".to_vec()),
            ],
            setup: "rm -rf data && cp '{pki}/rsa.pem' server.pem && cp '{pki}/rsa.key' server.key && chmod 600 server.key && mkdir data && \
                    { [ $(id -u) -ne 0 ] || chown -R postgres . ; } && \
                    { [ $(id -u) -ne 0 ] && as= || as='setpriv --reuid=postgres --clear-groups' ; } && \
                    $as \"$(ls /usr/lib/postgresql/*/bin/initdb /usr/local/bin/initdb 2>/dev/null | head -1)\" -D data -A trust -N >/dev/null && \
                    cp own.conf data/postgresql.conf && cat auto.conf >> data/postgresql.auto.conf && cp more.conf data/ && \
                    mkdir -p data/conf.d && cp 10.conf data/conf.d/"
                .to_owned(),
            refused: name.contains("refused"),
            user: (own_uid() == 0).then_some("postgres"),
            main: "data/postgresql.conf".to_owned(),
            looks: vec![Look { upgrade: Some("postgres"), ..Look::name("good.example.test") }],
            ..Case::default()
        });
    }
    all
}

/// The user of this process, as /proc says it.
fn own_uid() -> u32 {
    use std::os::unix::fs::MetadataExt as _;
    std::fs::metadata("/proc/self").map_or(0, |own| own.uid())
}
