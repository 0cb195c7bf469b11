//! MySQL and MariaDB: option files with their groups and includes, for the server and for the clients.
//!
//! Sources: <https://dev.mysql.com/doc/refman/8.4/en/option-files.html>, encrypted-connection-protocols-ciphers.html,
//! <https://mariadb.com/kb/en/configuring-mariadb-with-option-files/>; MariaDB 10.11.

use std::sync::Arc;

use tlswhy_wire::ProtocolVersion;

use super::lines::{self, Grammar, Line};
use crate::dialects::{Commands, Context, Dialect, Likeness, VersionsSince};
use crate::files::{Content, relative_to};
use crate::language::names;
use crate::mend::{CannotMend, Patch, Want};
use crate::release::Release;
use crate::service::{Heeds, Library, Listener, Reading, Service, Side, Trouble};
use crate::setting::{CipherList, Language, Setting, Settings};
use crate::span::{Origin, Span, Via};

pub(crate) static DIALECT: Dialect = Dialect {
    name: "mysql",
    title: "MySQL and MariaDB",
    sides: &[Side::Server, Side::Client],
    places: &["/etc/mysql/my.cnf", "/etc/my.cnf", "/usr/local/etc/mysql/my.cnf"],
    recognise,
    read,
    mend,
    commands,
};

const GRAMMAR: Grammar = Grammar {
    comments: b"#;",
    trailing_comments: b"#",
    blank_continues: false,
    equals_optional: false,
    quotes: b"'\"",
    sections: true,
};
const DEEPEST: usize = 10;

/// Default versions of MySQL (8.0.28 removed 1.0 and 1.1).
const MYSQL_VERSIONS: VersionsSince = &[
    (Release::new(8, 0, 28), &[ProtocolVersion::TLSV1_2, ProtocolVersion::TLSV1_3]),
    (
        Release::new(8, 0, 16),
        &[ProtocolVersion::TLSV1_0, ProtocolVersion::TLSV1_1, ProtocolVersion::TLSV1_2, ProtocolVersion::TLSV1_3],
    ),
    (Release::new(0, 0, 0), &[ProtocolVersion::TLSV1_0, ProtocolVersion::TLSV1_1, ProtocolVersion::TLSV1_2]),
];
/// Default versions of MariaDB (10.11.19 shows 1.2 and 1.3).
const MARIADB_VERSIONS: VersionsSince = &[
    (Release::new(10, 11, 0), &[ProtocolVersion::TLSV1_2, ProtocolVersion::TLSV1_3]),
    (Release::new(10, 4, 6), &[ProtocolVersion::TLSV1_1, ProtocolVersion::TLSV1_2, ProtocolVersion::TLSV1_3]),
    (
        Release::new(0, 0, 0),
        &[ProtocolVersion::TLSV1_0, ProtocolVersion::TLSV1_1, ProtocolVersion::TLSV1_2, ProtocolVersion::TLSV1_3],
    ),
];

fn recognise(path: &str, bytes: &[u8]) -> Likeness {
    if path.ends_with("/my.cnf") || path.ends_with("/mariadb.cnf") {
        return Likeness::Name;
    }
    let text = bytes.get(..bytes.len().min(64 * 1024)).unwrap_or_default();
    let lines = lines::read(&Arc::from(path), text, None, &GRAMMAR);
    let own = |line: &Line| ["mysqld", "mariadb", "mariadbd"].contains(&line.section.as_str());
    if lines.iter().any(own) { Likeness::Content } else { Likeness::None }
}

fn commands(main: &str) -> Commands {
    Commands {
        check: vec!["mariadbd".to_owned(), format!("--defaults-file={main}"), "--help".to_owned(), "--verbose".to_owned()],
        // FLUSH SSL, or ALTER INSTANCE RELOAD TLS, read certificates again; versions and suites need a restart.
        reload: ["systemctl", "restart", "mariadb"].map(str::to_owned).to_vec(),
    }
}

struct Reader<'c> {
    context: &'c Context<'c>,
    lines: Vec<Line>,
    troubles: Vec<Trouble>,
    read: Vec<String>,
}

impl Reader<'_> {
    fn file(&mut self, path: &str, via: Option<&Arc<Via>>) {
        let Content::Bytes(bytes) = self.context.files.look(path) else { return };
        let path = self.context.files.path(path);
        self.read.push(path.to_string());
        for line in lines::read(&path, bytes, via, &Grammar { equals_optional: true, ..GRAMMAR }) {
            match line.name.as_str() {
                "!include" => self.include(&line, via),
                "!includedir" => self.directory(&line, via),
                _ => self.lines.push(line),
            }
        }
    }

    fn include(&mut self, line: &Line, via: Option<&Arc<Via>>) {
        let Some(at) = line.at().cloned() else { return };
        let path = relative_to("/", &line.value);
        if Via::depth(via) >= DEEPEST {
            self.trouble(&at, "includes lie too deep");
            return;
        }
        if self.context.files.look(&path) == Content::Missing {
            self.trouble(&at, &format!("{path} does not exist"));
        }
        self.file(&path, Some(&Arc::new(Via { at, via: via.cloned() })));
    }

    fn directory(&mut self, line: &Line, via: Option<&Arc<Via>>) {
        let Some(at) = line.at().cloned() else { return };
        let path = relative_to("/", &line.value);
        if let Content::Directory(entries) = self.context.files.look(&path)
            && Via::depth(via) < DEEPEST
        {
            let via = Arc::new(Via { at, via: via.cloned() });
            for entry in entries.iter().filter(|entry| entry.ends_with(".cnf")) {
                self.file(&format!("{path}/{entry}"), Some(&via));
            }
        }
    }

    fn trouble(&mut self, at: &Span, says: &str) {
        self.troubles.push(Trouble { at: Some(at.clone()), says: says.to_owned(), fatal: false });
    }
}

/// Whether a group is one that the server (or a client) reads.
fn reads(server: bool, group: &str, mariadb: bool, release: Option<Release>) -> bool {
    if group == "client-server" {
        return mariadb;
    }
    // `[mysqld-8.0]` is for this series alone.
    let (base, series) = match group.rsplit_once('-') {
        Some((base, series)) if series.starts_with(|c: char| c.is_ascii_digit()) => (base, Some(series)),
        _ => (group, None),
    };
    let own_series = release.map(|release| format!("{}.{}", release.major, release.minor));
    if let (Some(series), Some(own)) = (series, own_series)
        && series != own
    {
        return false;
    }
    match (server, base) {
        (true, "server" | "mysqld") | (false, "client" | "mysql") => true,
        (true, "mariadb" | "mariadbd") | (false, "client-mariadb" | "mariadb-client") => mariadb,
        _ => false,
    }
}

/// `loose_` is taken away, `_` and `-` are one.
fn plain(name: &str) -> String {
    let name = name.to_ascii_lowercase().replace('_', "-");
    name.strip_prefix("loose-").unwrap_or(&name).to_owned()
}

fn read(context: &Context<'_>) -> Reading {
    let files = context.files;
    let mariadb = files.release_of("mariadb");
    let mysql = files.release_of("mysql");
    let openssl = files.release_of("openssl");
    let is_mariadb = mariadb.is_some() || mysql.is_none();
    let release = if is_mariadb { mariadb } else { mysql };
    let product = if is_mariadb { "MariaDB" } else { "MySQL" };
    let by =
        release.map_or(format!("{product} (version not known, taken for a new one)"), |release| format!("{product} {release}"));
    let mut reader = Reader { context, lines: Vec::new(), troubles: Vec::new(), read: Vec::new() };
    reader.file(context.main, None);
    let mut services = Vec::new();
    for (side, title) in [(Side::Server, "server"), (Side::Client, "command-line clients")] {
        let server = side == Side::Server;
        let own: Vec<&Line> = reader.lines.iter().filter(|line| reads(server, &line.section, is_mariadb, release)).collect();
        if own.is_empty() && !server {
            continue;
        }
        let of = |names: &[&str]| -> Vec<&Line> {
            own.iter().copied().filter(|line| names.contains(&plain(&line.name).as_str())).collect()
        };
        const LATER: &str = "a later line of the same name counts: files are read in their order, the last value wins";
        let text = |names: &[&str]| lines::last(&of(names), LATER, |text| Some(text.to_owned()));
        let table = if is_mariadb { MARIADB_VERSIONS } else { MYSQL_VERSIONS };
        let usual = table
            .iter()
            .find(|(since, _)| release.is_none_or(|release| release >= *since))
            .map(|(_, versions)| versions.to_vec());
        let versions = lines::last(&of(&["tls-version"]), LATER, |text| {
            let named: Option<Vec<ProtocolVersion>> = text.split(',').map(|name| names::version(name.trim())).collect();
            named.filter(|versions| !versions.is_empty())
        });
        let versions = versions.or_else(|| {
            let usual = usual.unwrap_or_default();
            let text = usual.iter().map(ToString::to_string).collect::<Vec<_>>().join(",");
            Some(Setting::new("tls_version", usual, text, Origin::built_in(by.as_str())))
        });
        let certificate = text(&["ssl-cert"]);
        // MariaDB speaks TLS where it is given a certificate (since 11.4 always), MySQL makes its own.
        let makes_its_own = !is_mariadb || release.is_none_or(|release| release >= Release::new(11, 4, 1));
        let refused =
            lines::last(&of(&["ssl", "skip-ssl"]), LATER, |text| Some(matches!(text, "0" | "off" | "OFF" | "false" | "FALSE")))
                .filter(|off| off.value || plain(&off.name) == "skip-ssl");
        let on = refused.is_none() && (certificate.is_some() || makes_its_own);
        let tls = match (&refused, &certificate) {
            (Some(off), _) => off.clone().map(|_| false),
            (None, Some(certificate)) => certificate.clone().map(|_| true),
            (None, None) => Setting::new("ssl_cert", on, "", Origin::built_in(by.as_str())),
        };
        let port = of(&["port"]).last().and_then(|line| line.value.parse().ok()).unwrap_or(3306);
        let mut settings = Settings { tls: Some(tls).filter(|_| server), ..Settings::default() };
        if on || !server {
            settings = Settings {
                versions,
                cipher_list: lines::last(&of(&["ssl-cipher"]), LATER, |text| {
                    Some(CipherList { language: Language::OpenSsl, text: text.to_owned() })
                }),
                cipher_suites: lines::last(&of(&["tls-ciphersuites"]), LATER, names::suites),
                certificates: certificate.into_iter().collect(),
                keys: text(&["ssl-key"]).into_iter().collect(),
                trust: text(&["ssl-ca"]).or_else(|| text(&["ssl-capath"])),
                verifies_peer: lines::last(&of(&["ssl-verify-server-cert"]), LATER, |text| {
                    Some(!matches!(text, "0" | "off" | "OFF" | "false" | "FALSE"))
                })
                .filter(|_| !server),
                ..settings
            };
        }
        let library = if server { Library::OpenSsl(openssl) } else { Library::Other("its connector's".to_owned()) };
        services.push(Service {
            dialect: "mysql",
            side,
            title: format!("{product} {title}"),
            listeners: vec![Listener { address: None, port, is_default: server }],
            names: Vec::new(),
            names_from_certificates: false,
            declared: own.first().and_then(|line| line.at().cloned()),
            upgrade: Some("mysql"),
            program: (product.to_owned(), release),
            library,
            heeds: Heeds {
                security_level: true,
                cipher_suites: true,
                groups: true,
                signature_algorithms: true,
                options: true,
                ..Heeds::NOTHING
            },
            settings,
            notes: Vec::new(),
        });
    }
    Reading { services, troubles: reader.troubles, files: reader.read }
}

fn mend(context: &Context<'_>, service: &Service, want: &Want) -> Result<Vec<Patch>, CannotMend> {
    let settings = &service.settings;
    let anchor = service.declared.as_ref();
    let files = context.files;
    match want {
        Want::Versions(versions) => {
            let names: Vec<String> = versions.iter().map(|version| version.to_string().replace("TLSv1.0", "TLSv1")).collect();
            let value = names.join(",");
            lines::set(files, settings.versions.as_ref(), &value, anchor, &format!("tls_version = {value}"))
        }
        Want::CipherList(suites, _) => {
            let names: Vec<&str> = suites.iter().filter_map(|suite| suite.details()?.openssl_name).collect();
            let value = names.join(":");
            lines::set(files, settings.cipher_list.as_ref(), &value, anchor, &format!("ssl_cipher = {value}"))
        }
        Want::CipherSuites(suites) if service.program.0 == "MySQL" => {
            let names: Vec<String> = suites.iter().map(ToString::to_string).collect();
            let value = names.join(":");
            lines::set(files, settings.cipher_suites.as_ref(), &value, anchor, &format!("tls_ciphersuites = {value}"))
        }
        Want::Certificate(certificate, key) => {
            let line = format!("ssl_cert = {certificate}");
            let mut patches = lines::set(files, settings.certificates.first(), certificate, anchor, &line)?;
            if let Some(key) = key {
                patches.extend(lines::set(files, settings.keys.first(), key, anchor, &format!("ssl_key = {key}"))?);
            }
            Ok(patches)
        }
        other => Err(CannotMend::because(format!("{} has no option for {other:?}", service.program.0))),
    }
}
