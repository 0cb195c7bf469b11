//! The options of TLS, and how a name is taken for one (mysys/my_getopt.c; measured on MariaDB 10.11.19).

use super::lines::Line;
use crate::release::Release;

/// Which program reads an option, since which release; `None` where it does not know it.
#[derive(Debug)]
struct Known {
    name: &'static str,
    mariadbd: Option<Release>,
    mysqld: Option<Release>,
    mariadb: Option<Release>,
    mysql: Option<Release>,
    /// It switches TLS on, whatever `ssl` said before (include/sslopt-case.h).
    implies_ssl: bool,
}

const ALWAYS: Option<Release> = Some(Release::new(0, 0, 0));

const fn both(name: &'static str, implies_ssl: bool) -> Known {
    Known { name, mariadbd: ALWAYS, mysqld: ALWAYS, mariadb: ALWAYS, mysql: ALWAYS, implies_ssl }
}

/// `--help --verbose` of MariaDB 10.11.19; of MySQL
/// <https://dev.mysql.com/doc/refman/8.4/en/server-option-variable-reference.html> and connection-options.html.
const KNOWN: &[Known] = &[
    both("ssl", false),
    both("ssl-ca", true),
    both("ssl-capath", true),
    both("ssl-cert", true),
    both("ssl-cipher", true),
    both("ssl-crl", true),
    both("ssl-crlpath", true),
    both("ssl-key", true),
    Known {
        name: "tls-version",
        mariadbd: Some(Release::new(10, 4, 6)),
        mysqld: Some(Release::new(5, 7, 10)),
        mariadb: ALWAYS,
        mysql: Some(Release::new(5, 7, 10)),
        implies_ssl: false,
    },
    Known {
        name: "tls-ciphersuites",
        mariadbd: None,
        mysqld: Some(Release::new(8, 0, 16)),
        mariadb: None,
        mysql: Some(Release::new(8, 0, 16)),
        implies_ssl: false,
    },
    Known {
        name: "ssl-mode",
        mariadbd: None,
        mysqld: None,
        mariadb: None,
        mysql: Some(Release::new(5, 7, 11)),
        implies_ssl: false,
    },
    Known { name: "ssl-verify-server-cert", mariadbd: None, mysqld: None, mariadb: ALWAYS, mysql: ALWAYS, implies_ssl: false },
    Known {
        name: "require-secure-transport",
        mariadbd: ALWAYS,
        mysqld: ALWAYS,
        mariadb: None,
        mysql: None,
        implies_ssl: false,
    },
];

/// The program that reads the lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Reader {
    pub(super) mariadb: bool,
    pub(super) server: bool,
    pub(super) release: Option<Release>,
}

/// What a line means to its reader.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Meaning {
    /// This option; `off` behind `skip-` or `disable-`.
    Option { name: &'static str, implies_ssl: bool, off: bool },
    /// An option of TLS that this reader does not know: it does not start with it, unless `loose-` stands before it.
    Unknown { loose: bool },
    /// Something else.
    Other,
}

/// What a line means. `_` and `-` are one, and so are cases; a beginning that fits one option stands for it.
pub(super) fn meaning(line: &Line, reader: Reader) -> Meaning {
    let mut name = line.name.to_ascii_lowercase().replace('_', "-");
    let loose = name.starts_with("loose-");
    if loose {
        name = name.split_off("loose-".len());
    }
    if let Some(known) = find(&name, reader) {
        return Meaning::Option { name: known.name, implies_ssl: known.implies_ssl, off: false };
    }
    let prefixes = [("skip-", true), ("disable-", true), ("enable-", false)];
    for (prefix, off) in prefixes {
        if let Some(known) = name.strip_prefix(prefix).and_then(|rest| find(rest, reader)) {
            return Meaning::Option { name: known.name, implies_ssl: known.implies_ssl, off };
        }
    }
    if KNOWN.iter().any(|known| known.name == name) { Meaning::Unknown { loose } } else { Meaning::Other }
}

fn find(name: &str, reader: Reader) -> Option<&'static Known> {
    let reads = |known: &&Known| {
        let since = match (reader.mariadb, reader.server) {
            (true, true) => known.mariadbd,
            (false, true) => known.mysqld,
            (true, false) => known.mariadb,
            (false, false) => known.mysql,
        };
        since.is_some_and(|since| reader.release.is_none_or(|release| release >= since))
    };
    let known = || KNOWN.iter().filter(reads);
    if let Some(exact) = known().find(|known| known.name == name) {
        return Some(exact);
    }
    // Shorter beginnings fit options that have nothing to do with TLS.
    let mut fitting = known().filter(|known| name.len() > "ssl-".len() && known.name.starts_with(name));
    fitting.next().filter(|_| fitting.next().is_none())
}

/// What a switch is set to by `ssl = VALUE`: other words leave it off.
pub(super) fn is_on(value: Option<&str>) -> bool {
    value.is_none_or(|value| matches!(value.to_ascii_lowercase().as_str(), "1" | "on" | "true"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::span::Origin;

    #[test]
    fn a_name_is_taken_as_the_programs_take_it() {
        let server = Reader { mariadb: true, server: true, release: Some(Release::new(10, 11, 19)) };
        let of = |name: &str, reader| {
            let line = Line { group: String::new(), name: name.to_owned(), value: None, origin: Origin::built_in("") };
            meaning(&line, reader)
        };
        let option = |name, implies_ssl, off| Meaning::Option { name, implies_ssl, off };
        assert_eq!(of("SSL_Cipher", server), option("ssl-cipher", true, false));
        assert_eq!(of("ssl-cip", server), option("ssl-cipher", true, false));
        assert_eq!(of("ssl-c", server), Meaning::Other, "it fits several");
        assert_eq!(of("loose-skip_ssl", server), option("ssl", false, true));
        assert_eq!(of("tls_ciphersuites", server), Meaning::Unknown { loose: false });
        assert_eq!(of("loose_tls_ciphersuites", server), Meaning::Unknown { loose: true });
        let of_mysql = Reader { mariadb: false, ..server };
        assert_eq!(of("tls_ciphersuites", of_mysql), option("tls-ciphersuites", false, false));
        assert_eq!(of("port", server), Meaning::Other);
    }
}
