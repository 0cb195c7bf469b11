//! Configurations that are odd in size: what comes of them stays within bounds, and what was left out is said.
//!
//! What counts is how much comes of a reading (services, names, lines without effect), not how long it takes; where every service is held
//! against every line, a test does not come to its end.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test stops at what it did not expect")]

use std::fmt::Write as _;

use tlswhy_config::{Context, Files, MOST_SERVICES, Reading, Service, dialect};
use tlswhy_model::{FileContent, InstalledSoftware, SeenFile};

/// Most services, names, listeners, settings, notes and lines without effect that come of one configuration, all together.
const MOST: usize = 1_500_000;

/// A dialect with an odd file.
struct Odd {
    dialect: &'static str,
    main: &'static str,
    text: String,
}

/// A line for each number below `count`.
fn lines(count: usize, line: impl Fn(usize) -> String) -> String {
    (0..count).fold(String::new(), |mut text, number| {
        writeln!(text, "{}", line(number)).unwrap();
        text
    })
}

fn port(number: usize) -> usize {
    number % 60_000 + 1
}

impl Odd {
    /// What it means where nothing lies beside it.
    fn reading(&self) -> Reading {
        let bytes = self.text.clone().into_bytes().into();
        let content = FileContent::Bytes { bytes, sha256: String::new(), public_keys: Vec::new() };
        let mut seen = vec![SeenFile { path: self.main.to_owned(), real_path: None, content }];
        let mut software: Vec<InstalledSoftware> = Vec::new();
        loop {
            let files = Files::new(&seen, &software);
            let reading = dialect(self.dialect).unwrap().reading(&Context { files: &files, main: self.main });
            let (wanted, products) = (files.wanted(), files.wanted_software());
            if wanted.is_empty() && products.is_empty() {
                return reading;
            }
            drop(files);
            seen.extend(wanted.into_iter().map(|path| SeenFile { path, real_path: None, content: FileContent::Missing }));
            let unknown =
                |product| InstalledSoftware { product, source: "the test".to_owned(), ..InstalledSoftware::default() };
            software.extend(products.into_iter().map(unknown));
        }
    }

    /// It is read within bounds, and each of these is said once.
    fn keeps_bounds(&self, says: &[&str]) -> Reading {
        let reading = self.reading();
        assert!(reading.services.len() <= MOST_SERVICES, "{} services", reading.services.len());
        let weight: usize = reading.services.iter().map(weight).sum();
        assert!(weight <= MOST, "{weight} things come of it");
        for says in says {
            let notes = reading.services.iter().flat_map(|service| &service.notes).map(|note| &note.says);
            let told = reading.troubles.iter().map(|trouble| &trouble.says).chain(notes).filter(|told| told.contains(says));
            assert_eq!(told.count(), 1, "how often it says: {says}");
        }
        reading
    }
}

fn weight(service: &Service) -> usize {
    let shown = service.settings.shown();
    let shadowed: usize = shown.iter().map(|shown| shown.shadowed.len()).sum();
    1 + service.names.len() + service.listeners.len() + service.notes.len() + shown.len() + shadowed
}

const SERVICES: &str = "no more than 10000 services of one configuration are read";
const LINES: &str = "has more than 400000 lines: the rest is not read";
const SHADOWED: &str = "beside one setting no more than 20 lines without effect are told of";

#[test]
fn listeners_of_dovecot() {
    let text = lines(11_000, |n| format!("service imap-login {{\n inet_listener l{n} {{\n  port = {}\n }}\n}}", port(n)));
    Odd { dialect: "dovecot", main: "/etc/dovecot/dovecot.conf", text }.keeps_bounds(&[SERVICES]);
}

#[test]
fn names_of_dovecot() {
    let text = lines(11_000, |n| format!("local_name n{n}.test {{\n ssl_cert = </c{n}\n}}"));
    Odd { dialect: "dovecot", main: "/etc/dovecot/dovecot.conf", text }.keeps_bounds(&[SERVICES]);
}

#[test]
fn addresses_of_dovecot() {
    let text = lines(11_000, |n| format!("local 10.0.{}.{} {{\n ssl_cert = </c{n}\n}}", n / 256, n % 256));
    Odd { dialect: "dovecot", main: "/etc/dovecot/dovecot.conf", text }.keeps_bounds(&[SERVICES]);
}

#[test]
fn general_lines_of_dovecot() {
    let text = lines(2_000, |n| format!("ssl_cert = $ssl_cert </c{n}"))
        + &lines(100, |n| format!("local_name n{n}.test {{\n ssl_cert = </c{n}\n}}"));
    Odd { dialect: "dovecot", main: "/etc/dovecot/dovecot.conf", text }
        .keeps_bounds(&[SHADOWED, "more than 100 lines `ssl_cert` stand in one place"]);
}

#[test]
fn lines_of_dovecot() {
    let text = lines(210_000, |n| format!("a{n} = 1"));
    Odd { dialect: "dovecot", main: "/etc/dovecot/dovecot.conf", text }
        .keeps_bounds(&["more than 200000 settings and sections: the rest is not read"]);
}

#[test]
fn names_of_openssl() {
    let text = format!(
        "openssl_conf = a\n[a]\nssl_conf = b\n[b]\n{}{}",
        lines(40_000, |n| format!("n{n} = c{n}")),
        lines(40_000, |n| format!("[c{n}]\nMinProtocol = TLSv1.2"))
    );
    Odd { dialect: "openssl", main: "/etc/ssl/openssl.cnf", text }.keeps_bounds(&[SERVICES]);
}

#[test]
fn starts_of_openssl() {
    let text = format!(
        "{}[a]\nssl_conf = b\n[b]\n{}[c]\nMinProtocol = TLSv1.2\n",
        lines(20_000, |n| format!("a{n} = a")),
        lines(20_000, |n| format!("n{n} = c"))
    );
    Odd { dialect: "openssl", main: "/etc/ssl/openssl.cnf", text }.keeps_bounds(&[SERVICES]);
}

#[test]
fn sections_that_openssl_is_not_led_to() {
    let text = lines(40_000, |n| format!("[c{n}]\nMinProtocol = TLSv1.2"));
    Odd { dialect: "openssl", main: "/etc/ssl/openssl.cnf", text }.keeps_bounds(&["more than 100 lines of TLS lead nowhere"]);
}

#[test]
fn sections_of_openssl() {
    let text = lines(201_000, |n| format!("[c{n}]"));
    Odd { dialect: "openssl", main: "/etc/ssl/openssl.cnf", text }.keeps_bounds(&["there is more in it than is read here"]);
}

#[test]
fn commands_of_openssl() {
    let text = format!(
        "openssl_conf = a\n[a]\nssl_conf = b\n[b]\nsystem_default = c\n[c]\n{}",
        lines(40_000, |n| format!("{n}.MinProtocol = TLSv1.{}", n % 3))
    );
    Odd { dialect: "openssl", main: "/etc/ssl/openssl.cnf", text }
        .keeps_bounds(&[SHADOWED, "more than 100 commands stand in one section"]);
}

#[test]
fn frontends_of_haproxy() {
    let text = lines(11_000, |n| format!("frontend f{n}\n bind :{} ssl crt /c", port(n)));
    Odd { dialect: "haproxy", main: "/etc/haproxy/haproxy.cfg", text }.keeps_bounds(&[SERVICES]);
}

#[test]
fn lines_of_haproxy() {
    let text = format!("global\n{}", lines(401_000, |_| " #".to_owned()));
    Odd { dialect: "haproxy", main: "/etc/haproxy/haproxy.cfg", text }.keeps_bounds(&[LINES]);
}

#[test]
fn defaults_of_haproxy() {
    let text = format!(
        "global\n{}{}",
        lines(20_000, |n| format!(" ssl-default-bind-ciphers A{n}")),
        lines(1_000, |n| format!("frontend f{n}\n bind :{} ssl crt /c", port(n)))
    );
    Odd { dialect: "haproxy", main: "/etc/haproxy/haproxy.cfg", text }
        .keeps_bounds(&[SHADOWED, "more than 100 words of `ssl-default-bind-…`"]);
}

#[test]
fn named_defaults_of_haproxy() {
    let text = lines(20_000, |n| format!("defaults d{n}"))
        + &lines(20_000, |n| format!("frontend f{n} from d{n}\n bind :{} ssl crt /c", port(n)));
    Odd { dialect: "haproxy", main: "/etc/haproxy/haproxy.cfg", text }.keeps_bounds(&[SERVICES]);
}

#[test]
fn servers_of_haproxy() {
    let text = format!(
        "backend b\n{}{}",
        lines(20_000, |n| format!(" default-server ciphers A{n}")),
        lines(11_000, |n| format!(" server s{n} 10.0.0.1:443 ssl verify none"))
    );
    Odd { dialect: "haproxy", main: "/etc/haproxy/haproxy.cfg", text }.keeps_bounds(&[
        SERVICES,
        SHADOWED,
        "more than 100 words of `default-server`",
    ]);
}

#[test]
fn transfers_of_curl() {
    let text = lines(11_000, |n| format!("url = https://n{n}.test/\nnext"));
    Odd { dialect: "curl", main: "/root/.curlrc", text }.keeps_bounds(&[SERVICES]);
}

#[test]
fn lines_of_curl() {
    let text = lines(401_000, |_| "k".to_owned());
    Odd { dialect: "curl", main: "/root/.curlrc", text }.keeps_bounds(&[LINES]);
}

#[test]
fn repeated_options_of_curl() {
    let text = lines(40_000, |_| "tlsv1.2".to_owned());
    Odd { dialect: "curl", main: "/root/.curlrc", text }.keeps_bounds(&[SHADOWED]);
}

#[test]
fn sections_of_stunnel() {
    let text = lines(11_000, |n| format!("[s{}]\naccept = {}\nconnect = 1", n % 2, port(n)));
    Odd { dialect: "stunnel", main: "/etc/stunnel/s.conf", text }.keeps_bounds(&[SERVICES]);
}

#[test]
fn general_lines_of_stunnel() {
    let text = lines(20_000, |n| format!("options = NO_TLSv1_{}\nciphers = A{n}", n % 2))
        + &lines(1_000, |n| format!("[s{n}]\naccept = {}\nconnect = 1", port(n)));
    Odd { dialect: "stunnel", main: "/etc/stunnel/s.conf", text }.keeps_bounds(&[
        SHADOWED,
        "more than 100 lines `ciphers` count",
        "more than 100 lines `options` count",
    ]);
}

#[test]
fn addresses_of_git() {
    let text = lines(600, |n| format!("[http \"https://n{n}.test/\"]\nsslVersion = tlsv1.2"));
    Odd { dialect: "git", main: "/root/.gitconfig", text }.keeps_bounds(&["no more than 500 addresses are told of"]);
}

#[test]
fn lines_of_git() {
    let text = lines(3_000, |n| format!("[http \"https://n{}.test/\"]\nsslVersion = tlsv1.{}", n % 10, n % 4));
    Odd { dialect: "git", main: "/root/.gitconfig", text }.keeps_bounds(&[SHADOWED, "more than 2000 lines speak of HTTP"]);
}

#[test]
fn services_of_libpq() {
    let text = lines(11_000, |n| format!("[s{n}]\nhost=n{n}.test\nsslmode=verify-full"));
    Odd { dialect: "libpq", main: "/root/.pg_service.conf", text }.keeps_bounds(&[SERVICES]);
}

#[test]
fn repeated_lines_of_libpq() {
    let text = format!("[s]\n{}", lines(40_000, |_| "sslmode=require".to_owned()));
    Odd { dialect: "libpq", main: "/root/.pg_service.conf", text }.keeps_bounds(&[SHADOWED]);
}

#[test]
fn servers_of_nginx() {
    let text = format!("http {{\n{}}}", lines(12_000, |n| format!("server {{ listen 443 ssl; server_name n{n}.test; }}")));
    Odd { dialect: "nginx", main: "/etc/nginx/nginx.conf", text }.keeps_bounds(&[SERVICES]);
}

#[test]
fn general_lines_of_nginx() {
    let text = format!(
        "http {{\n{}{}}}",
        lines(20_000, |n| format!("ssl_conf_command Ciphersuites A{n};")),
        lines(1_000, |n| format!("server {{ listen 443 ssl; server_name n{n}.test; }}"))
    );
    Odd { dialect: "nginx", main: "/etc/nginx/nginx.conf", text }
        .keeps_bounds(&["more than 100 lines `ssl_conf_command` count"]);
}

#[test]
fn general_lines_of_apache() {
    let text = format!(
        "Listen 443\nLoadModule ssl_module m\n{}{}",
        lines(20_000, |n| format!("SSLCipherSuite A{n}")),
        lines(1_000, |n| format!("<VirtualHost *:443>\nSSLEngine on\nServerName n{n}.test\n</VirtualHost>"))
    );
    Odd { dialect: "apache", main: "/etc/apache2/apache2.conf", text }
        .keeps_bounds(&[SHADOWED, "more than 100 lines `sslciphersuite` count"]);
}

#[test]
fn hosts_of_lighttpd() {
    let text = format!(
        "server.modules = (\"mod_openssl\")\nserver.port = 443\nssl.engine = \"enable\"\nssl.pemfile = \"/p\"\n{}",
        lines(4_000, |n| format!("$HTTP[\"host\"] == \"n{n}.test\" {{ ssl.pemfile = \"/p{n}\" }}"))
    );
    Odd { dialect: "lighttpd", main: "/etc/lighttpd/lighttpd.conf", text }
        .keeps_bounds(&["more names and sockets, each with all blocks, than are told of"]);
}

#[test]
fn sockets_of_lighttpd() {
    let text = format!(
        "server.modules = (\"mod_openssl\")\nserver.port = 443\nssl.engine = \"enable\"\nssl.pemfile = \"/p\"\n{}",
        lines(4_000, |n| format!("$SERVER[\"socket\"] == \":{}\" {{ ssl.engine = \"enable\" ssl.pemfile = \"/p\" }}", port(n)))
    );
    Odd { dialect: "lighttpd", main: "/etc/lighttpd/lighttpd.conf", text }
        .keeps_bounds(&["more names and sockets, each with all blocks, than are told of"]);
}

#[test]
fn sites_of_caddy() {
    let text = lines(12_000, |n| format!("n{n}.test {{\n tls /c /k\n}}"));
    Odd { dialect: "caddy", main: "/etc/caddy/Caddyfile", text }
        .keeps_bounds(&[SERVICES, "more than 10000 pairs of an address and a listener"]);
}

#[test]
fn lines_of_caddy() {
    let text = format!("a.test {{\n{}}}\n", lines(101_000, |_| "b".to_owned()));
    Odd { dialect: "caddy", main: "/etc/caddy/Caddyfile", text }
        .keeps_bounds(&["more than 100000 lines, those of snippets and imports counted each time"]);
}

#[test]
fn keywords_of_gnutls() {
    let text = format!("[priorities]\n{}", lines(40_000, |n| format!("P{n} = NORMAL")));
    Odd { dialect: "gnutls", main: "/etc/gnutls/config", text }.keeps_bounds(&["more than 1000 priority strings"]);
}

#[test]
fn repeated_properties_of_java() {
    let text = lines(40_000, |n| format!("jdk.tls.disabledAlgorithms=A{n}"));
    Odd { dialect: "java", main: "/etc/java-17-openjdk/security/java.security", text }.keeps_bounds(&[SHADOWED]);
}

#[test]
fn repeated_parameters_of_postfix() {
    let text = format!("smtpd_tls_security_level = may\n{}", lines(40_000, |n| format!("smtpd_tls_cert_file = /a{n}")));
    Odd { dialect: "postfix", main: "/etc/postfix/main.cf", text }.keeps_bounds(&[SHADOWED]);
}

#[test]
fn repeated_settings_of_postgresql() {
    let text = format!("ssl = on\n{}", lines(40_000, |n| format!("ssl_ciphers = 'A{n}'")));
    Odd { dialect: "postgresql", main: "/etc/postgresql/15/main/postgresql.conf", text }.keeps_bounds(&[SHADOWED]);
}

#[test]
fn repeated_options_of_mysql() {
    let text = format!("[mysqld]\n{}", lines(40_000, |n| format!("ssl-cipher = A{n}")));
    Odd { dialect: "mysql", main: "/etc/mysql/my.cnf", text }.keeps_bounds(&[SHADOWED]);
}

#[test]
fn connectors_of_tomcat() {
    let text =
        format!("<Server><Service>{}</Service></Server>", lines(12_000, |n| format!("<Connector port=\"{}\"/>", port(n))));
    Odd { dialect: "tomcat", main: "/etc/tomcat10/server.xml", text }.keeps_bounds(&[SERVICES]);
}

#[test]
fn repeated_lines_of_wget() {
    let text = lines(40_000, |n| format!("ca_certificate = /a{n}"));
    Odd { dialect: "wget", main: "/etc/wgetrc", text }.keeps_bounds(&[SHADOWED]);
}
