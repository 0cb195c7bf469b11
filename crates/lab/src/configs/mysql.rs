//! MariaDB: groups, includes, how lines are written, and what the options of TLS do.

use super::case::{Case, Look};
use crate::server::is_root;

/// What stands below `[mysqld]`, behind the certificate and the key.
const OPTIONS: &[(&str, &str)] = &[
    ("nothing", ""),
    ("versions", "tls_version = TLSv1.3"),
    ("versions-several", "tls-version=TLSv1.2,TLSv1.3"),
    ("versions-case-and-dashes", "TLS_Version=tlsv1.2"),
    ("versions-quoted", "tls_version = \"TLSv1.2\" # the old ones"),
    ("versions-all", "tls_version = all\nssl_cipher = ALL:@SECLEVEL=0"),
    ("versions-as-a-number", "tls_version = 8"),
    ("versions-of-no-bit", "tls_version = 0"),
    ("versions-old", "tls_version = TLSv1.0,TLSv1.1,TLSv1.2\nssl_cipher = ALL:@SECLEVEL=0"),
    ("versions-old-at-the-usual-level", "tls_version = TLSv1.0,TLSv1.1,TLSv1.2"),
    ("versions-with-a-hole", "tls_version = TLSv1.1,TLSv1.3\nssl_cipher = ALL:@SECLEVEL=0"),
    ("versions-empty", "tls_version ="),
    ("versions-last-wins", "tls_version = TLSv1.2\ntls_version = TLSv1.3"),
    ("versions-by-a-beginning", "tls-ver = TLSv1.3"),
    ("refused-version-of-mysql", "tls_version = TLSv1,TLSv1.2"),
    ("refused-versions-with-blanks", "tls_version = TLSv1.2, TLSv1.3"),
    ("refused-versions-nonsense", "tls_version = TLSv1.4"),
    ("cipher", "tls_version = TLSv1.2\nssl_cipher = ECDHE-RSA-AES128-GCM-SHA256:AES128-SHA"),
    ("cipher-without-versions", "ssl-cipher = 'ECDHE-RSA-AES256-GCM-SHA384'"),
    ("cipher-of-1.3", "ssl_cipher = TLS_AES_128_GCM_SHA256"),
    ("cipher-of-both", "ssl_cipher = TLS_AES_128_GCM_SHA256:ECDHE-RSA-AES128-GCM-SHA256"),
    ("cipher-of-both-other-order", "ssl_cipher = ECDHE-RSA-AES128-GCM-SHA256:TLS_CHACHA20_POLY1305_SHA256"),
    ("cipher-high", "ssl_cipher = HIGH:!aNULL:!kRSA"),
    ("refused-cipher-nonsense", "ssl_cipher = NONSENSE"),
    ("cipher-empty", "ssl_cipher ="),
    ("ssl-off-before", "ssl = 0\nssl_cert = {dir}/server.pem"),
    ("ssl-off-after", "ssl = OFF"),
    ("skip-ssl-after", "skip-ssl"),
    ("skip-ssl-before", "skip_ssl\nssl-cipher = HIGH"),
    ("disable-ssl", "disable-ssl"),
    ("loose-skip-ssl", "loose_skip_ssl"),
    ("ssl-nonsense", "ssl = perhaps"),
    ("ssl-on-again", "skip-ssl\nssl"),
    ("refused-no-certificate", "ssl_cert =\nssl_key ="),
    ("refused-no-key", "ssl_key ="),
    ("refused-certificate-missing", "ssl_cert = {dir}/none.pem"),
    ("another-certificate", "ssl_cert = {dir}/ecdsa.pem\nssl_key = {dir}/ecdsa.key"),
    ("ca", "ssl_ca = {pki}/ca.pem"),
    ("required", "require_secure_transport = ON"),
    ("loose-unknown", "loose_tls_ciphersuites = TLS_AES_128_GCM_SHA256"),
    ("refused-of-mysql", "tls_ciphersuites = TLS_AES_128_GCM_SHA256"),
    ("refused-without-equals", "tls_version TLSv1.3"),
    ("refused-without-value", "tls_version"),
    ("escapes", "ssl_cert = {dir}/a\\sb.pem"),
    ("hash-in-quotes", "ssl_cipher = 'AES128-SHA' # 'TLS\ntls_version = 'TLSv1.2'"),
    ("semicolon-behind-a-value", "tls_version = TLSv1.3\n; tls_version = TLSv1.2\n # tls_version = TLSv1.2"),
];

/// Whole files; `{own}` stands for what every one needs, `{base}` for the same without a certificate.
const FILES: &[(&str, &str)] = &[
    ("group-server", "[server]\ntls_version = TLSv1.3\n[mysqld]\n{own}"),
    ("group-mariadb", "[mysqld]\n{own}[mariadb]\ntls_version = TLSv1.3\n"),
    ("group-mariadbd", "[mysqld]\n{own}[mariadbd]\ntls_version = TLSv1.3\n"),
    ("group-of-the-series", "[mysqld]\n{own}[mariadb-10.11]\ntls_version = TLSv1.3\n"),
    ("group-mysqld-of-the-series", "[mysqld]\n{own}[mysqld-10.11]\ntls_version = TLSv1.3\n"),
    ("group-of-another-series", "[mysqld]\n{own}[mariadb-11.4]\ntls_version = TLSv1.3\n"),
    ("group-of-mysql-s-series", "[mysqld]\n{own}[mysqld-8.0]\ntls_version = TLSv1.3\n"),
    ("group-client-server", "[client-server]\ntls_version = TLSv1.3\n[mysqld]\n{own}"),
    ("group-client", "[client]\ntls_version = TLSv1.3\n[mysqld]\n{own}"),
    ("group-galera", "[mysqld]\n{own}[galera]\ntls_version = TLSv1.3\n"),
    ("group-case", "[MySQLd]\n{own}[MARIADB]\ntls_version = TLSv1.3\n"),
    ("group-blank-behind", "[mysqld ] # ours\n{own}tls_version = TLSv1.3\n"),
    ("group-blank-before", "[mysqld]\n{own}[ mysqld]\ntls_version = TLSv1.3\n"),
    ("group-twice", "[mysqld]\ntls_version = TLSv1.2\n[client]\nport = 1\n[mysqld]\n{own}tls_version = TLSv1.3\n"),
    ("crlf", "[mysqld]\r\n{own}tls_version = TLSv1.3\r\nssl_cipher = AES128-SHA\r\n"),
    ("refused-byte-order-mark", "\u{feff}[mysqld]\n{own}"),
    ("refused-before-a-group", "tls_version = TLSv1.3\n[mysqld]\n{own}"),
    ("refused-group-without-end", "[mysqld\n{own}"),
    ("include", "[mysqld]\n{own}tls_version = TLSv1.2\n!include {dir}/more.cnf\n"),
    ("include-before", "!include {dir}/more.cnf\n[mysqld]\n{own}tls_version = TLSv1.2\n"),
    ("include-with-blanks", "[mysqld]\n{own}  ! include\t{dir}/more.cnf  \n"),
    ("include-missing", "!include {dir}/none.cnf\n[mysqld]\n{own}"),
    ("include-keeps-the-group", "[mysqld]\n{own}!include {dir}/client.cnf\ntls_version = TLSv1.3\n"),
    ("include-itself", "[mysqld]\n{own}tls_version = TLSv1.3\n!include {dir}/my.cnf\n"),
    ("include-directory", "[mysqld]\n{own}!includedir {dir}/conf.d\n"),
    ("refused-include-directory-missing", "[mysqld]\n{own}!includedir {dir}/none.d\n"),
    ("included-with-an-error", "[mysqld]\n{own}!include {dir}/wrong.cnf\ntls_version = TLSv1.3\n"),
    ("unknown-directive", "[mysqld]\n{own}!nonsense {dir}/none.d\ntls_version = TLSv1.3\n"),
    ("refused-include-nothing", "[mysqld]\n{own}!include\n"),
    ("no-tls", "[mysqld]\n{base}"),
    ("refused-ssl-without-certificate", "[mysqld]\n{base}ssl\n"),
    ("refused-ca-without-certificate", "[mysqld]\n{base}ssl_ca = {pki}/ca.pem\n"),
    ("refused-certificate-alone", "[mysqld]\n{base}ssl_cert = {dir}/server.pem\n"),
    ("key-in-the-certificate", "[mysqld]\n{base}ssl_cert = {dir}/both.pem\n"),
    ("certificate-in-the-key", "[mysqld]\n{base}ssl_key = {dir}/both.pem\n"),
    (
        "certificate-without-ssl",
        "[mysqld]\n{base}ssl = 0\n[server]\nssl_cert = {dir}/server.pem\nssl_key = {dir}/server.key\nssl = 0\n",
    ),
];

/// Every case.
pub(super) fn cases() -> Vec<Case> {
    const BASE: &str = "datadir = {dir}/data\nsocket = {dir}/socket\npid-file = {dir}/pid\nport = {port}\n\
         bind-address = 127.0.0.1\nskip-networking = 0\nskip-grant-tables\ninnodb = OFF\n\
         default-storage-engine = Aria\nskip-log-bin\n";
    let own = format!("{BASE}ssl_cert = {{dir}}/server.pem\nssl_key = {{dir}}/server.key\n");
    let options = OPTIONS.iter().map(|(name, text)| (*name, format!("[mysqld]\n{own}{text}\n")));
    let files = FILES.iter().map(|(name, text)| (*name, text.replace("{own}", &own).replace("{base}", BASE)));
    let case = |(name, text): (&str, String)| {
        Case {
        id: format!("mysql/{name}"),
        dialect: "mysql",
        program: "mariadbd",
        args: vec!["--defaults-file={dir}/my.cnf".to_owned()],
        files: vec![
            ("my.cnf".to_owned(), text.into_bytes()),
            ("more.cnf".to_owned(), b"[mysqld]\ntls_version = TLSv1.3\n".to_vec()),
            ("client.cnf".to_owned(), b"[client]\ntls_version = TLSv1.2\n".to_vec()),
            ("wrong.cnf".to_owned(), b"[mysqld]\ntls_version = TLSv1.2\n[client\nport = 1\n".to_vec()),
            ("conf.d/20.cnf".to_owned(), b"[mariadb]\ntls_version = TLSv1.2\n".to_vec()),
            ("conf.d/10.cnf".to_owned(), b"[mariadb]\ntls_version = TLSv1.3\n".to_vec()),
            ("conf.d/30.server.cnf".to_owned(), b"[mariadb]\ntls_version = TLSv1.1,TLSv1.2\n".to_vec()),
            ("conf.d/40.cnf.bak".to_owned(), b"[mariadb]\ntls_version = TLSv1.3\n".to_vec()),
        ],
        setup: "mkdir data && cp '{pki}/rsa.pem' server.pem && cp '{pki}/rsa.key' server.key && cp '{pki}/ecdsa.pem' '{pki}/ecdsa.key' . && \
                cat server.pem server.key > both.pem && cp server.pem 'a b.pem' && chmod a+r *.key both.pem && \
                { [ $(id -u) -ne 0 ] || chown nobody data . ; }"
            .to_owned(),
        user: is_root().then_some("nobody"),
        main: "my.cnf".to_owned(),
        refused: name.contains("refused"),
        looks: vec![Look::name("").after("mysql")],
        ..Case::default()
    }
    };
    options.chain(files).map(case).collect()
}
