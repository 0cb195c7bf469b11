//! PostgreSQL: postgresql.conf with its includes, postgresql.auto.conf, and what pg_hba.conf asks of clients.
//!
//! Sources: <https://www.postgresql.org/docs/current/config-setting.html> and runtime-config-connection.html; PostgreSQL 15.18.

use std::sync::Arc;

use tlswhy_wire::ProtocolVersion;

use super::lines::{self, Grammar, Line};
use crate::dialects::{Commands, Context, Dialect, Likeness};
use crate::files::{Content, directory_of, relative_to};
use crate::includes::Includes;
use crate::language::names;
use crate::language::openssl_ciphers::selects_nothing;
use crate::mend::{CannotMend, Patch, Want};
use crate::release::Release;
use crate::service::{Heeds, Library, Listener, Reading, Service, Side, Trouble};
use crate::setting::{CipherList, ClientVerification, Language, Setting, Settings};
use crate::span::{Origin, Span, Via};

pub(crate) static DIALECT: Dialect = Dialect {
    name: "postgresql",
    title: "PostgreSQL",
    sides: &[Side::Server],
    places: &[
        "/etc/postgresql/*/*/postgresql.conf",
        "/var/lib/pgsql/data/postgresql.conf",
        "/var/lib/pgsql/*/data/postgresql.conf",
        "/var/lib/postgresql/data/postgresql.conf",
        "/usr/local/pgsql/data/postgresql.conf",
    ],
    recognise,
    read,
    mend,
    commands,
};

const GRAMMAR: Grammar = Grammar {
    comments: b"#",
    trailing_comments: b"#",
    blank_continues: false,
    equals_optional: true,
    quotes: b"'",
    sections: false,
};
/// Deepest chain of includes (guc-file.l).
const DEEPEST: usize = 10;

fn recognise(path: &str, bytes: &[u8]) -> Likeness {
    if path.ends_with("/postgresql.conf") || path.ends_with("/postgresql.auto.conf") {
        return Likeness::Name;
    }
    let text = bytes.get(..bytes.len().min(64 * 1024)).unwrap_or_default();
    let lines = lines::read(&Arc::from(path), text, None, &GRAMMAR);
    let own = |line: &Line| line.name.starts_with("ssl_min_protocol_version") || line.name == "listen_addresses";
    if lines.iter().any(own) { Likeness::Content } else { Likeness::None }
}

/// Nothing validates a configuration without starting the server; `postgres -C` reads it whole and prints one value.
fn commands(main: &str) -> Commands {
    let directory = directory_of(main);
    let check = ["postgres", "-C", "ssl_min_protocol_version", "-D", directory];
    // Debian's clusters keep data and configuration apart; its own command finds both, and changes to the server's account.
    let of_debian = directory.strip_prefix("/etc/postgresql/").and_then(|rest| rest.split_once('/'));
    let reload = match of_debian.filter(|(_, cluster)| !cluster.contains('/')) {
        Some((release, cluster)) => ["pg_ctlcluster", release, cluster, "reload"],
        None => ["pg_ctl", "reload", "-D", directory],
    };
    Commands { check: check.map(str::to_owned).to_vec(), reload: reload.map(str::to_owned).to_vec() }
}

struct Reader<'c> {
    context: &'c Context<'c>,
    lines: Vec<Line>,
    includes: Includes,
    troubles: Vec<Trouble>,
    read: Vec<String>,
}

impl Reader<'_> {
    fn file(&mut self, path: &str, via: Option<&Arc<Via>>) {
        let bytes = match (self.includes.look(self.context.files, path), via) {
            (Content::Bytes(bytes), _) => bytes,
            (Content::Unreadable(why), Some(via)) => {
                return self.trouble(&via.at, &format!("{path} cannot be read: {why}"), false);
            }
            _ => return,
        };
        let path = self.context.files.path(path);
        self.read.push(path.to_string());
        for line in lines::read(&path, bytes, via, &GRAMMAR) {
            match line.name.to_ascii_lowercase().as_str() {
                "include" => self.include(&line, via, true),
                "include_if_exists" => self.include(&line, via, false),
                "include_dir" => self.include_directory(&line, via),
                _ => self.lines.push(line),
            }
        }
    }

    fn include(&mut self, line: &Line, via: Option<&Arc<Via>>, must_exist: bool) {
        let Some(at) = line.at().cloned() else { return };
        let path = relative_to(directory_of(&at.path), &line.value);
        if Via::depth(via) >= DEEPEST || std::iter::successors(via, |via| via.via.as_ref()).any(|via| *via.at.path == *path) {
            self.trouble(&at, "includes lie too deep, or a file includes itself", true);
            return;
        }
        match self.context.files.look(&path) {
            Content::Missing if must_exist => self.trouble(&at, &format!("{path} does not exist"), true),
            _ => self.file(&path, Some(&Arc::new(Via { at, via: via.cloned() }))),
        }
    }

    fn include_directory(&mut self, line: &Line, via: Option<&Arc<Via>>) {
        let Some(at) = line.at().cloned() else { return };
        let path = relative_to(directory_of(&at.path), &line.value);
        match self.context.files.look(&path) {
            Content::Directory(entries) if Via::depth(via) < DEEPEST => {
                let via = Arc::new(Via { at, via: via.cloned() });
                for entry in entries.iter().filter(|entry| entry.ends_with(".conf") && !entry.starts_with('.')) {
                    self.file(&format!("{path}/{entry}"), Some(&via));
                }
            }
            Content::Missing => self.trouble(&at, &format!("the directory {path} does not exist"), true),
            _ => {}
        }
    }

    fn trouble(&mut self, at: &Span, says: &str, fatal: bool) {
        self.troubles.push(Trouble { at: Some(at.clone()), says: says.to_owned(), fatal });
    }

    fn of<'r>(&'r self, name: &str) -> Vec<&'r Line> {
        self.lines.iter().filter(|line| line.name.eq_ignore_ascii_case(name)).collect()
    }
}

fn read(context: &Context<'_>) -> Reading {
    let release = context.files.release_of("postgresql");
    let openssl = context.files.openssl_of("postgresql");
    let mut reader =
        Reader { context, lines: Vec::new(), includes: Includes::default(), troubles: Vec::new(), read: Vec::new() };
    reader.file(context.main, None);
    // What ALTER SYSTEM wrote lies in the data directory and is read last.
    let home = reader.of("data_directory").last().map_or(directory_of(context.main).to_owned(), |line| line.value.clone());
    let auto = relative_to(&home, "postgresql.auto.conf");
    let before = reader.lines.len();
    reader.file(&auto, None);
    let by_system = reader.lines.len() > before;
    let why = if by_system {
        "a later line counts, and postgresql.auto.conf (ALTER SYSTEM) is read last"
    } else {
        "a later line of the same name counts"
    };
    let since = |major: u32| release.is_none_or(|release| release >= Release::new(major, 0, 0));
    let by = release.map_or("PostgreSQL (version not known, taken for a new one)".to_owned(), |release| {
        format!("PostgreSQL {}.{}", release.major, release.minor)
    });
    let default = |name: &str, text: &str| Setting::new(name, text.to_owned(), text, Origin::built_in(by.as_str()));
    let version = |name: &str| lines::last(&reader.of(name), why, names::version);
    let lowest = if since(13) { ProtocolVersion::TLSV1_2 } else { ProtocolVersion::TLSV1_0 };
    let list = |text: &str| Some(CipherList { language: Language::OpenSsl, text: text.to_owned() });
    let file = |name: &str, usual: &str| {
        let setting = lines::last(&reader.of(name), why, |text| Some(text.to_owned())).unwrap_or_else(|| default(name, usual));
        setting.map(|path| relative_to(&home, &path))
    };
    let groups = lines::last(&reader.of("ssl_groups"), why, names::groups)
        .or_else(|| lines::last(&reader.of("ssl_ecdh_curve"), why, names::groups));
    let groups = groups.or_else(|| {
        let text = if since(18) { "X25519:prime256v1" } else { "prime256v1" };
        names::groups(text).map(|groups| Setting::new("ssl_ecdh_curve", groups, text, Origin::built_in(by.as_str())))
    });
    let tls = lines::last(&reader.of("ssl"), why, boolean)
        .unwrap_or_else(|| Setting::new("ssl", false, "off", Origin::built_in(by.as_str())));
    let on = tls.value;
    let trust = lines::last(&reader.of("ssl_ca_file"), why, |text| (!text.is_empty()).then(|| relative_to(&home, text)));
    let mut settings = Settings { tls: Some(tls), ..Settings::default() };
    if on {
        let ciphers = lines::last(&reader.of("ssl_ciphers"), why, list).unwrap_or_else(|| {
            let text = "HIGH:MEDIUM:+3DES:!aNULL";
            default("ssl_ciphers", text).map(|text| CipherList { language: Language::OpenSsl, text })
        });
        settings = Settings {
            minimum_version: version("ssl_min_protocol_version").or_else(|| {
                Some(Setting::new("ssl_min_protocol_version", lowest, lowest.to_string(), Origin::built_in(by.as_str())))
            }),
            // Empty is no limit.
            maximum_version: lines::last(&reader.of("ssl_max_protocol_version"), why, |text| {
                if text.is_empty() { Some(ProtocolVersion::TLSV1_3) } else { names::version(text) }
            }),
            cipher_list: Some(ciphers),
            cipher_suites: lines::last(&reader.of("ssl_tls13_ciphers"), why, names::suites),
            groups,
            certificates: vec![file("ssl_cert_file", "server.crt")],
            keys: vec![file("ssl_key_file", "server.key")],
            dh_parameters: lines::last(&reader.of("ssl_dh_params_file"), why, |text| {
                (!text.is_empty()).then(|| relative_to(&home, text))
            }),
            server_preference: lines::last(&reader.of("ssl_prefer_server_ciphers"), why, boolean),
            client_verification: verification(context, &reader, &home, trust.is_some()),
            trust,
            ..settings
        };
    }
    let port = reader.of("port").last().and_then(|line| line.value.parse().ok()).unwrap_or(5432);
    let refusals = refusals(&reader, &settings, openssl);
    reader.troubles.extend(refusals);
    let service = Service {
        dialect: "postgresql",
        side: Side::Server,
        title: format!("PostgreSQL on port {port}"),
        listeners: vec![Listener { address: None, port, is_default: true }],
        names: Vec::new(),
        names_from_certificates: false,
        declared: reader.lines.first().and_then(|line| line.at().cloned()),
        upgrade: Some("postgres"),
        program: ("PostgreSQL".to_owned(), release),
        library: Library::OpenSsl(openssl),
        // be-secure-openssl.c sets the range and, before 18, one curve; the rest is the library's.
        heeds: Heeds { security_level: true, cipher_suites: true, signature_algorithms: true, options: true, ..Heeds::NOTHING },
        settings,
        notes: Vec::new(),
    };
    Reading { services: vec![service], troubles: reader.troubles, files: reader.read }
}

/// `on`, `true`, `yes`, `1` and what is short for them (parse_bool).
fn boolean(text: &str) -> Option<bool> {
    let text = text.to_ascii_lowercase();
    let short = |word: &str, least: usize| text.len() >= least && word.starts_with(&text);
    if text == "1" || text == "on" || short("true", 1) || short("yes", 1) {
        Some(true)
    } else if text == "0" || short("off", 2) || short("false", 1) || short("no", 1) {
        Some(false)
    } else {
        None
    }
}

/// A certificate is asked for where a CA file is set, and demanded by lines of pg_hba.conf.
fn verification(context: &Context<'_>, reader: &Reader<'_>, home: &str, asks: bool) -> Option<Setting<ClientVerification>> {
    if !asks {
        return None;
    }
    let path = reader
        .of("hba_file")
        .last()
        .map_or(relative_to(directory_of(context.main), "pg_hba.conf"), |line| relative_to(home, &line.value));
    let asked = lines::last(&reader.of("ssl_ca_file"), "", |_| Some(ClientVerification::Optional));
    let Content::Bytes(bytes) = context.files.look(&path) else { return asked };
    let path = context.files.path(&path);
    let mut at = 0;
    for raw in bytes.split(|byte| *byte == b'\n') {
        let start = at;
        at += raw.len() + 1;
        let text = String::from_utf8_lossy(raw);
        let words: Vec<&str> = text.split_whitespace().take_while(|word| !word.starts_with('#')).collect();
        let demands = words.first() == Some(&"hostssl")
            && (words.contains(&"cert") || words.iter().any(|word| word.starts_with("clientcert=verify")));
        if demands {
            let span = Span { path: Arc::clone(&path), start, end: start + raw.trim_ascii_end().len() };
            let origin = Origin::file(span.clone(), span, None);
            return Some(Setting::new("pg_hba.conf", ClientVerification::Required, words.join(" "), origin));
        }
    }
    asked
}

/// What it does not start with (measured on 15.18; at a reload it keeps what it has). Of several lines of a name only the last is looked at.
fn refusals(reader: &Reader<'_>, settings: &Settings, openssl: Option<Release>) -> Vec<Trouble> {
    let wrong = |name: &str, is_wrong: &dyn Fn(&str) -> bool, says: &dyn Fn(&str) -> String| {
        let lines = reader.of(name);
        let line = lines.last().filter(|line| is_wrong(&line.value))?;
        Some(Trouble { at: line.at().cloned(), says: says(&line.value), fatal: true })
    };
    let no_version = |text: &str| names::version(text).is_none() && !text.is_empty();
    let is_no_version = |text: &str| format!("`{text}` is no version: the server does not start with it");
    let no_group = |text: &str| names::groups(text).is_none();
    let is_no_group =
        |text: &str| format!("`{text}` names a group that OpenSSL does not know: the server does not start with it");
    let no_suite = |text: &str| openssl.is_some_and(|openssl| selects_nothing(text, openssl));
    let is_no_suite = |text: &str| format!("`{text}` selects no suite: the server does not start with it");
    let mut troubles: Vec<Trouble> = ["ssl_min_protocol_version", "ssl_max_protocol_version"]
        .iter()
        .filter_map(|name| wrong(name, &no_version, &is_no_version))
        .collect();
    if !settings.tls.as_ref().is_some_and(|tls| tls.value) {
        return troubles;
    }
    troubles.extend(wrong("ssl_ciphers", &no_suite, &is_no_suite));
    let groups = if reader.of("ssl_groups").is_empty() { "ssl_ecdh_curve" } else { "ssl_groups" };
    troubles.extend(wrong(groups, &no_group, &is_no_group));
    if let (Some(lowest), Some(highest)) = (&settings.minimum_version, &settings.maximum_version)
        && lowest.value > highest.value
    {
        let says = format!("{} lies above {}: the server does not start with it", lowest.name, highest.name);
        let at = lowest.origin.span().or_else(|| highest.origin.span()).cloned();
        troubles.push(Trouble { at, says, fatal: true });
    }
    troubles
}

fn mend(context: &Context<'_>, service: &Service, want: &Want) -> Result<Vec<Patch>, CannotMend> {
    let settings = &service.settings;
    let anchor = service.declared.as_ref();
    let set_text = |setting: Option<&Setting<ProtocolVersion>>, name: &str, value: &str| {
        lines::set(context.files, setting, value, anchor, &format!("{name} = '{value}'"))
    };
    match want {
        Want::Tls => lines::set(context.files, settings.tls.as_ref(), "on", anchor, "ssl = on"),
        Want::Versions(versions) => {
            let (Some(lowest), Some(highest)) = (versions.iter().min(), versions.iter().max()) else {
                return Err(CannotMend::because("no version is wanted"));
            };
            let mut patches = Vec::new();
            if settings.minimum_version.as_ref().is_none_or(|set| set.value != *lowest) {
                let name = names::version_name(*lowest);
                patches.extend(set_text(settings.minimum_version.as_ref(), "ssl_min_protocol_version", &name)?);
            }
            let top = settings.maximum_version.as_ref().map_or(ProtocolVersion::TLSV1_3, |set| set.value);
            if top != *highest {
                patches.extend(set_text(
                    settings.maximum_version.as_ref(),
                    "ssl_max_protocol_version",
                    &names::version_name(*highest),
                )?);
            }
            if patches.is_empty() { Err(CannotMend::because("these versions are on")) } else { Ok(patches) }
        }
        Want::CipherList(suites, level) => {
            let names: Vec<&str> = suites.iter().filter_map(|suite| suite.details()?.openssl_name).collect();
            let level = level.map(|level| format!(":@SECLEVEL={level}")).unwrap_or_default();
            let value = format!("{}{level}", names.join(":"));
            lines::set(context.files, settings.cipher_list.as_ref(), &value, anchor, &format!("ssl_ciphers = '{value}'"))
        }
        Want::CipherSuites(suites) if service.program.1.is_none_or(|release| release.major >= 18) => {
            let names: Vec<String> = suites.iter().map(ToString::to_string).collect();
            let value = names.join(":");
            lines::set(
                context.files,
                settings.cipher_suites.as_ref(),
                &value,
                anchor,
                &format!("ssl_tls13_ciphers = '{value}'"),
            )
        }
        Want::Groups(groups) => {
            let several = service.program.1.is_none_or(|release| release.major >= 18);
            if !several && groups.len() > 1 {
                return Err(CannotMend::because("PostgreSQL before 18 takes one curve in ssl_ecdh_curve"));
            }
            let names: Vec<String> = groups.iter().map(|group| names::group_name(*group)).collect();
            let (name, value) = (if several { "ssl_groups" } else { "ssl_ecdh_curve" }, names.join(":"));
            lines::set(context.files, settings.groups.as_ref(), &value, anchor, &format!("{name} = '{value}'"))
        }
        Want::Certificate(certificate, key) => {
            let line = format!("ssl_cert_file = '{certificate}'");
            let mut patches = lines::set(context.files, settings.certificates.first(), certificate, anchor, &line)?;
            if let Some(key) = key {
                let line = format!("ssl_key_file = '{key}'");
                patches.extend(lines::set(context.files, settings.keys.first(), key, anchor, &line)?);
            }
            Ok(patches)
        }
        other => Err(CannotMend::because(format!("PostgreSQL has no setting for {other:?}"))),
    }
}
