//! Files of libpq, of MariaDB's clients and of stunnel as a client, one thing changed at a time.

use super::cases::case;
use crate::configs::{Case, Look};

/// The service file that PGSERVICEFILE names, with one service.
pub(super) fn libpq() -> Vec<Case> {
    let all = [
        ("nothing", ""),
        ("minimum", "ssl_min_protocol_version=TLSv1.3"),
        ("minimum-old", "ssl_min_protocol_version=TLSv1"),
        ("minimum-1.1", "ssl_min_protocol_version=tlsv1.1"),
        ("minimum-empty", "ssl_min_protocol_version="),
        ("minimum-nonsense", "ssl_min_protocol_version=TLSv1.4"),
        ("minimum-1.0", "ssl_min_protocol_version=TLSv1.0"),
        ("minimum-sslv3", "ssl_min_protocol_version=SSLv3"),
        ("minimum-quoted", "ssl_min_protocol_version='TLSv1.3'"),
        ("minimum-blank-before", "ssl_min_protocol_version= TLSv1.3"),
        ("minimum-blank-behind", "ssl_min_protocol_version=TLSv1.3 \t"),
        ("minimum-comment-behind", "ssl_min_protocol_version=TLSv1.3 # newest"),
        ("minimum-blank-before-equals", "ssl_min_protocol_version =TLSv1.3"),
        ("keyword-upper-case", "SSL_MIN_PROTOCOL_VERSION=TLSv1.3"),
        ("maximum", "ssl_max_protocol_version=TLSv1.2"),
        ("maximum-empty", "ssl_max_protocol_version="),
        ("no-range", "ssl_min_protocol_version=TLSv1.3\nssl_max_protocol_version=TLSv1.2"),
        ("first-wins", "ssl_min_protocol_version=TLSv1.3\nssl_min_protocol_version=TLSv1.2"),
        ("indented", "  ssl_max_protocol_version=TLSv1.2\n\t# ssl_min_protocol_version=TLSv1.3"),
        ("crlf", "ssl_max_protocol_version=TLSv1.2\r\n"),
        ("unknown", "nonsense=1"),
        ("of-another-release", "oauth_scope=1"),
        ("without-equals", "sslcompression"),
        ("service-within", "service=t"),
        ("mode-disable", "sslmode=disable"),
        ("mode-prefer", "sslmode=prefer"),
        ("mode-nonsense", "sslmode=Require"),
        ("mode-verify-full-with-file", "sslmode=verify-full\nsslrootcert={dir}/root.pem"),
        ("mode-verify-ca-with-file", "sslmode=verify-ca\nsslrootcert={dir}/root.pem"),
        ("mode-verify-ca-without-file", "sslmode=verify-ca\nsslrootcert={dir}/none.pem"),
        ("no-server-name", "sslsni=0\nssl_max_protocol_version=TLSv1.2"),
        ("next-of-the-name", "[lab]\nssl_max_protocol_version=TLSv1.2"),
    ];
    let make = |(name, text): (&str, &str)| {
        let mode = if text.contains("sslmode") { "" } else { "sslmode=require\n" };
        let file = format!("nonsense\n[ lab]\nport=1\n# ours\n[lab] # here\nhost=localhost\nport={{port}}\n{mode}{text}\n");
        let mut case = case("libpq", "psql", name, ".pg_service.conf", &file, &["service=lab"]);
        case.env = vec![("PGSERVICEFILE", "{dir}/.pg_service.conf".to_owned())];
        case.setup = "cp '{pki}/ca.pem' root.pem".to_owned();
        case.looks = vec![Look::default().after("postgres")];
        case
    };
    all.map(make).into()
}

/// The file of `--defaults-file`.
pub(super) fn mysql() -> Vec<Case> {
    let all = [
        ("nothing", ""),
        ("ssl", "ssl"),
        ("skip-ssl", "skip-ssl"),
        ("skip-ssl-and-a-list", "skip-ssl\nssl-cipher = HIGH"),
        ("ssl-off-behind", "ssl-ca = {dir}/root.pem\nssl = 0"),
        ("versions", "tls-version = TLSv1.3"),
        ("versions-1.2", "tls_version=TLSv1.2 # ours"),
        ("versions-several", "tls-version = TLSv1.2,TLSv1.3"),
        ("versions-other-order", "tls-version = TLSv1.3,TLSv1.2"),
        ("versions-with-blanks", "tls-version = TLSv1.2, TLSv1.3"),
        ("versions-with-a-hole", "tls-version = TLSv1.1,TLSv1.3"),
        ("versions-old", "tls-version = TLSv1.0,TLSv1.1"),
        ("versions-of-mysql", "tls-version = TLSv1"),
        ("versions-lower-case", "tls-version = tlsv1.3"),
        ("versions-quoted", "tls-version = 'TLSv1.3'"),
        ("versions-nonsense", "tls-version = TLSv1.4"),
        ("versions-empty", "tls-version ="),
        ("versions-all", "tls-version = all"),
        ("versions-number", "tls-version = 12"),
        ("versions-colons", "tls-version = TLSv1.2:TLSv1.3"),
        ("list", "ssl-cipher = ECDHE-RSA-AES128-GCM-SHA256:AES128-SHA"),
        ("list-of-1.3", "ssl-cipher = TLS_AES_128_GCM_SHA256"),
        ("list-of-both", "ssl-cipher = TLS_AES_128_GCM_SHA256:AES128-SHA"),
        ("list-of-both-other-order", "ssl-cipher = AES128-SHA:TLS_CHACHA20_POLY1305_SHA256"),
        ("list-high", "ssl-cipher = HIGH:!aNULL"),
        ("list-nonsense", "ssl-cipher = NONSENSE"),
        ("list-empty", "ssl-cipher ="),
        ("group-client-server", "[client-server]\ntls-version = TLSv1.3"),
        ("group-client-mariadb", "[client-mariadb]\ntls-version = TLSv1.3"),
        ("group-mariadb-client", "[mariadb-client]\ntls-version = TLSv1.3"),
        ("group-mysql", "[mysql]\ntls-version = TLSv1.3"),
        ("group-mariadb", "[mariadb]\ntls-version = TLSv1.3"),
        ("group-mysqld", "[mysqld]\ntls-version = TLSv1.3"),
        ("mode-of-mysql", "ssl-mode = REQUIRED"),
        ("loose-mode-of-mysql", "loose-ssl-mode = REQUIRED\nloose-tls-version = TLSv1.3"),
        ("include", "!include {dir}/more.cnf"),
        ("verify", "ssl-verify-server-cert"),
        ("ca-missing", "ssl-ca = {dir}/none.pem"),
        ("certificate-missing", "ssl-cert = {dir}/none.pem"),
        ("key-missing", "ssl-key = {dir}/none.pem"),
        ("ca-empty", "ssl-ca ="),
        ("capath-empty", "ssl-capath ="),
        ("certificate-empty", "ssl-cert ="),
        ("key-empty", "ssl-key ="),
        ("skip-ssl-in-another-group", "skip-ssl\n[mysql]\nssl\n[client-server]\nssl = 0"),
        ("error-before-a-group", "!include {dir}/wrong.cnf\ntls-version = TLSv1.2"),
        ("group-without-end", "[mysql\ntls-version = TLSv1.2"),
    ];
    let make = |(name, text): (&str, &str)| {
        let file = format!("[client]\nhost = 127.0.0.1\nport = {{port}}\nprotocol = tcp\n{text}\n");
        let mut case =
            case("mysql", "mariadb", name, "my.cnf", &file, &["--defaults-file={dir}/my.cnf", "--connect-timeout=8"]);
        case.files.push(("more.cnf".to_owned(), b"[mysql]\ntls-version = TLSv1.2\n".to_vec()));
        case.files.push(("wrong.cnf".to_owned(), b"tls-version = TLSv1.3\n".to_vec()));
        case.setup = "cp '{pki}/ca.pem' root.pem".to_owned();
        case.looks = vec![Look::default().after("mysql")];
        case
    };
    all.map(make).into()
}

/// A service with `client = yes`, to which somebody connects.
pub(super) fn stunnel() -> Vec<Case> {
    let all = [
        ("nothing", "", ""),
        ("minimum", "", "sslVersionMin = TLSv1.3"),
        ("minimum-old", "", "sslVersionMin = TLSv1"),
        ("minimum-all", "", "sslVersionMin = all"),
        ("maximum", "", "sslVersionMax = TLSv1.2"),
        ("pinned", "", "sslVersion = TLSv1.2"),
        ("pinned-1.3", "", "sslVersion = TLSv1.3"),
        ("pinned-all", "", "sslVersion = all"),
        ("global-minimum", "sslVersionMin = TLSv1.3", ""),
        ("global-and-own", "sslVersionMin = TLSv1.3", "sslVersionMin = TLSv1.2"),
        ("option-off", "", "options = NO_TLSv1_3"),
        ("option-off-1.2", "", "options = NO_TLSv1.2"),
        ("old", "", "sslVersionMin = TLSv1\nciphers = ALL:@SECLEVEL=0\nsecurityLevel = 0"),
        ("list", "", "ciphers = ECDHE-RSA-AES128-GCM-SHA256:AES128-SHA"),
        ("list-nonsense", "", "ciphers = NONSENSE"),
        ("suites", "", "ciphersuites = TLS_AES_128_GCM_SHA256:TLS_CHACHA20_POLY1305_SHA256"),
        ("curves", "", "curves = P-384:X25519"),
        ("curves-nonsense", "", "curves = NONSENSE"),
        ("level", "", "securityLevel = 1"),
        ("last-wins", "", "sslVersionMax = TLSv1.3\nsslVersionMax = TLSv1.2"),
        ("no-blanks", "", "sslVersionMax=TLSv1.2"),
        ("comment-behind", "", "sslVersionMax = TLSv1.2 ; old"),
        ("upper-case-value", "", "sslVersionMax = TLSV1.2"),
        ("crlf", "", "sslVersionMax = TLSv1.2\r\n"),
        ("no-range", "", "sslVersionMin = TLSv1.3\nsslVersionMax = TLSv1.2"),
        ("range-pinned-again", "", "sslVersionMin = TLSv1.3\nsslVersion = TLSv1.2"),
        ("version-nonsense", "", "sslVersionMin = TLSv1.4"),
        ("version-1.0", "", "sslVersionMin = TLSv1.0"),
        ("version-sslv2", "", "sslVersion = SSLv2"),
        ("option-prefixed", "", "options = SSL_OP_NO_TLSv1_2"),
        ("option-taken-back", "", "options = no_tlsv1_3\noptions = NO_TLSv1_2\noptions = -NO_TLSv1_2"),
        ("suites-nonsense", "", "ciphersuites = NONSENSE"),
        ("level-nonsense", "", "securityLevel = 9"),
        ("switch-nonsense", "", "verifyPeer = maybe"),
        ("verify-without-anchors", "", "verifyChain = yes"),
        ("protocol-nonsense", "", "protocol = nonsense"),
        ("postgres", "", "protocol = pgsql\nsslVersionMax = TLSv1.2"),
        ("smtp", "", "protocol = smtp\nsslVersionMin = TLSv1.3"),
    ];
    // It connects once somebody connects to it, and ends with the shell that is killed.
    const SCRIPT: &str = "setpriv --pdeathsig KILL stunnel4 \"$0\" & \
        for turn in $(seq 100); do bash -c \"exec 3<>/dev/tcp/127.0.0.1/$1 && sleep 3\" 2>/dev/null && break; \
        kill -0 $! 2>/dev/null || exit 1; sleep 0.05; done";
    let make = |(name, global, own): (&str, &str, &str)| {
        let file = format!(
            "foreground = yes\npid =\n{global}\n[lab]\nclient = yes\naccept = 127.0.0.1:{{port2}}\nconnect = 127.0.0.1:{{port}}\n{own}\n"
        );
        let arguments = ["-c", SCRIPT, "{dir}/stunnel.conf", "{port2}"];
        let mut case = case("stunnel", "sh", name, "stunnel.conf", &file, &arguments);
        case.needs = &["/usr/bin/stunnel4"];
        let protocol = if own.contains("pgsql") { "postgres" } else { "smtp" };
        case.looks = own.contains("protocol").then(|| Look::default().after(protocol)).into_iter().collect();
        case
    };
    all.map(make).into()
}
