//! What answers is not TLS, or not yet.

use crate::fake;
use crate::scenario::{BROKEN, HEALTHY, Scenario, Seen};

const NOT_TLS: Scenario = Scenario { group: "not-tls", causes: &["not-tls"], ..BROKEN };
const WRONG_VERSION: Seen = Seen { like: "", says: "wrong version number", works_with: None };

/// The port is for a balancer, which says who the client is before TLS.
const HEADER: Scenario = Scenario {
    mentions: &["PROXY protocol"],
    seen: Seen { like: "", says: "CONNECTED", works_with: Some("curl --haproxy-protocol") },
    ..NOT_TLS
};

const STARTTLS: Scenario = Scenario { group: "starttls-required", causes: &["starttls-required"], ..BROKEN };
const SMTP: Seen = Seen { like: "", says: "wrong version number", works_with: Some("-starttls smtp") };
const IMAP: Seen = Seen { works_with: Some("-starttls imap"), ..SMTP };
const POP3: Seen = Seen { works_with: Some("-starttls pop3"), ..SMTP };
const FTP: Seen = Seen { works_with: Some("-starttls ftp"), ..SMTP };
/// These close, or wait for more, without a word.
const POSTGRES: Seen = Seen { says: "CONNECTED", works_with: Some("-starttls postgres"), ..SMTP };
const MYSQL: Seen = Seen { works_with: Some("-starttls mysql"), ..SMTP };
const LDAP: Seen = Seen { says: "CONNECTED", works_with: Some("-starttls ldap"), ..SMTP };
const XMPP: Seen = Seen { works_with: Some("-starttls xmpp -xmpphost good.example.test"), ..SMTP };

/// The same servers, asked as they want it.
const UPGRADED: Scenario = HEALTHY;

pub(super) const SCENARIOS: &[Scenario] = &[
    Scenario {
        id: "not-tls-nginx-http",
        start: |lab| lab.nginx_http("server { listen 127.0.0.1:{port}; location / { return 200 'ok'; } }"),
        seen: WRONG_VERSION,
        ..NOT_TLS
    },
    Scenario {
        id: "not-tls-apache-without-sslengine",
        start: |lab| {
            lab.apache_main("<VirtualHost 127.0.0.1:{port}>\nServerName good.example.test\nSSLCertificateFile {pki}/rsa.pem\nSSLCertificateKeyFile {pki}/rsa.key\n</VirtualHost>")
        },
        seen: WRONG_VERSION,
        ..NOT_TLS
    },
    Scenario { id: "not-tls-haproxy-http", start: |lab| lab.haproxy_bind("", ""), seen: WRONG_VERSION, ..NOT_TLS },
    Scenario { id: "not-tls-haproxy-wants-a-proxy-header", start: |lab| lab.haproxy("rsa", "accept-proxy", ""), ..HEADER },
    Scenario {
        id: "not-tls-nginx-wants-a-proxy-header",
        start: |lab| {
            lab.nginx_http(
                "server { listen 127.0.0.1:{port} ssl proxy_protocol; ssl_certificate {pki}/rsa.pem;
                 ssl_certificate_key {pki}/rsa.key; location / { return 200 'ok'; } }",
            )
        },
        ..HEADER
    },
    Scenario {
        id: "not-tls-haproxy-http-behind-a-proxy-header",
        start: |lab| lab.haproxy_bind("accept-proxy", ""),
        mentions: &["http without TLS"],
        seen: Seen { works_with: None, ..HEADER.seen },
        ..HEADER
    },
    Scenario {
        id: "healthy-haproxy-behind-a-proxy-header",
        start: |lab| lab.haproxy("rsa", "accept-proxy", ""),
        args: &["--starttls", "proxy-protocol"],
        seen: Seen { like: "", says: "CONNECTED", works_with: Some("curl --haproxy-protocol") },
        ..UPGRADED
    },
    Scenario {
        id: "not-tls-ssh",
        start: |_| fake::banner("SSH-2.0-OpenSSH_9.2p1 Debian-2+deb12u3\r\n"),
        seen: WRONG_VERSION,
        ..NOT_TLS
    },
    Scenario {
        id: "not-tls-redis",
        start: |_| fake::answer("-ERR Protocol error: invalid multibulk length\r\n"),
        seen: WRONG_VERSION,
        ..NOT_TLS
    },
    Scenario { id: "not-tls-echo", start: |_| fake::echo(), seen: Seen { says: ":error:", ..WRONG_VERSION }, ..NOT_TLS },
    Scenario { id: "not-tls-endless", start: |_| fake::endless(), seen: Seen { says: ":error:", ..WRONG_VERSION }, ..NOT_TLS },
    Scenario { id: "starttls-required-smtp-postfix", start: |lab| lab.postfix("rsa", ""), seen: SMTP, ..STARTTLS },
    Scenario {
        id: "starttls-required-smtp-nginx",
        start: |lab| lab.nginx_mail("rsa", "protocol smtp; starttls on; smtp_auth plain;"),
        seen: SMTP,
        ..STARTTLS
    },
    Scenario {
        id: "starttls-required-smtp-url",
        // The scheme says implicit TLS; the port wants STARTTLS.
        start: |lab| lab.nginx_mail("rsa", "protocol smtp; starttls only; smtp_auth plain;"),
        target: "smtps://127.0.0.1:{port}",
        seen: SMTP,
        ..STARTTLS
    },
    Scenario {
        id: "starttls-required-imap-dovecot",
        start: |lab| lab.dovecot("rsa", "imap", false, ""),
        seen: IMAP,
        ..STARTTLS
    },
    Scenario {
        id: "starttls-required-imap-nginx",
        start: |lab| lab.nginx_mail("ecdsa", "protocol imap; starttls on;"),
        seen: IMAP,
        ..STARTTLS
    },
    Scenario {
        id: "starttls-required-pop3-dovecot",
        start: |lab| lab.dovecot("rsa", "pop3", false, ""),
        seen: POP3,
        ..STARTTLS
    },
    Scenario {
        id: "starttls-required-pop3-nginx",
        start: |lab| lab.nginx_mail("rsa", "protocol pop3; starttls only;"),
        seen: POP3,
        ..STARTTLS
    },
    Scenario { id: "starttls-required-ftp-vsftpd", start: |lab| lab.vsftpd("rsa", "ssl_tlsv1=YES"), seen: FTP, ..STARTTLS },
    Scenario { id: "starttls-required-ftp-pyftpdlib", start: |lab| lab.pyftpd("rsa", "pass"), seen: FTP, ..STARTTLS },
    Scenario { id: "starttls-required-postgres", start: |lab| lab.postgres("rsa", ""), seen: POSTGRES, ..STARTTLS },
    Scenario {
        id: "starttls-required-postgres-url",
        start: |lab| lab.postgres("ecdsa", "ssl_min_protocol_version = 'TLSv1.3'"),
        seen: POSTGRES,
        ..STARTTLS
    },
    Scenario { id: "starttls-required-mysql-mariadb", start: |lab| lab.mariadb("rsa", ""), seen: MYSQL, ..STARTTLS },
    Scenario {
        id: "starttls-required-mysql-mariadb-tls12",
        start: |lab| lab.mariadb("ecdsa", "--tls-version=TLSv1.2"),
        seen: MYSQL,
        ..STARTTLS
    },
    Scenario { id: "starttls-required-ldap-slapd", start: |lab| lab.slapd("ldap", "rsa", ""), seen: LDAP, ..STARTTLS },
    Scenario { id: "starttls-required-xmpp-prosody", start: |lab| lab.prosody("rsa", ""), seen: XMPP, ..STARTTLS },
    Scenario {
        id: "healthy-smtp-postfix",
        start: |lab| lab.postfix("rsa", ""),
        args: &["--starttls", "smtp"],
        seen: Seen { like: "-starttls smtp", says: "", works_with: None },
        ..UPGRADED
    },
    Scenario {
        id: "healthy-smtp-url-nginx",
        start: |lab| lab.nginx_mail("rsa", "protocol smtp; starttls on; smtp_auth plain;"),
        target: "smtp://127.0.0.1:{port}",
        seen: Seen { like: "", says: "", works_with: Some("-starttls smtp") },
        ..UPGRADED
    },
    Scenario {
        id: "healthy-imap-dovecot",
        start: |lab| lab.dovecot("rsa", "imap", false, ""),
        args: &["--starttls", "imap"],
        seen: Seen { like: "-starttls imap", says: "", works_with: None },
        ..UPGRADED
    },
    Scenario {
        id: "healthy-imaps-dovecot",
        start: |lab| lab.dovecot("ecdsa", "imap", true, ""),
        seen: Seen { like: "-quiet", says: "* OK", works_with: None },
        ..UPGRADED
    },
    Scenario {
        id: "healthy-pop3-url-dovecot",
        start: |lab| lab.dovecot("rsa", "pop3", false, ""),
        target: "pop3://127.0.0.1:{port}",
        seen: Seen { like: "", says: "", works_with: Some("-starttls pop3") },
        ..UPGRADED
    },
    Scenario {
        id: "healthy-ftp-pyftpdlib",
        start: |lab| lab.pyftpd("rsa", "pass"),
        args: &["--starttls", "ftp"],
        seen: Seen { like: "-starttls ftp", says: "", works_with: None },
        ..UPGRADED
    },
    Scenario {
        id: "healthy-ftp-vsftpd",
        start: |lab| lab.vsftpd("rsa", "ssl_tlsv1=YES"),
        args: &["--starttls", "ftp"],
        seen: Seen { like: "-starttls ftp", says: "", works_with: None },
        ..UPGRADED
    },
    Scenario {
        id: "healthy-postgres",
        start: |lab| lab.postgres("rsa", ""),
        args: &["--starttls", "postgres"],
        seen: Seen { like: "-starttls postgres", says: "", works_with: None },
        ..UPGRADED
    },
    Scenario {
        id: "healthy-postgres-url",
        start: |lab| lab.postgres("ecdsa", "ssl_min_protocol_version = 'TLSv1.3'"),
        target: "postgres://127.0.0.1:{port}",
        seen: Seen { like: "", says: "", works_with: Some("-starttls postgres") },
        ..UPGRADED
    },
    Scenario {
        id: "healthy-mysql-mariadb",
        start: |lab| lab.mariadb("rsa", ""),
        args: &["--starttls", "mysql"],
        seen: Seen { like: "-starttls mysql", says: "", works_with: None },
        ..UPGRADED
    },
    Scenario {
        id: "healthy-ldap-slapd",
        start: |lab| lab.slapd("ldap", "rsa", ""),
        args: &["--starttls", "ldap"],
        seen: Seen { like: "-starttls ldap", says: "", works_with: None },
        ..UPGRADED
    },
    Scenario {
        id: "healthy-xmpp-prosody",
        start: |lab| lab.prosody("rsa", ""),
        args: &["--starttls", "xmpp"],
        seen: Seen { like: "-starttls xmpp -xmpphost good.example.test", says: "", works_with: None },
        ..UPGRADED
    },
];
