//! libpq, the library of psql and most clients of PostgreSQL: the service file, the files of `~/.postgresql`, the environment.
//!
//! Sources: <https://www.postgresql.org/docs/current/libpq-pgservice.html>, libpq-connect.html and libpq-ssl.html,
//! src/interfaces/libpq/fe-connect.c and fe-secure-openssl.c; measured on 15.18 and 17.10.

mod keywords;
mod sections;

use std::cell::RefCell;
use std::collections::HashSet;

use tlswhy_wire::ProtocolVersion;

use self::sections::{Line, Section, sections};
use super::client;
use crate::dialects::{Commands, Context, Dialect, Likeness, MOST_SERVICES};
use crate::files::Content;
use crate::language::names;
use crate::mend::{CannotMend, Patch, Want};
use crate::release::Release;
use crate::service::{Heeds, Library, Listener, Note, Reading, Service, Side, Trouble};
use crate::setting::{Setting, Settings};
use crate::span::{Origin, Span};

pub(crate) static DIALECT: Dialect = Dialect {
    name: "libpq",
    title: "libpq",
    sides: &[Side::Client],
    places: &["/root/.pg_service.conf", "/home/*/.pg_service.conf", "/etc/postgresql-common/pg_service.conf"],
    recognise,
    read,
    mend,
    // It is read anew for each connection.
    commands: |_| Commands::default(),
};

const FIRST: &str = "the first line of a keyword counts";
/// `sslnegotiation`, and ALPN on every connection.
const HAS_DIRECT: Release = Release::new(17, 0, 0);
/// `sslrootcert=system`.
const HAS_SYSTEM: Release = Release::new(16, 0, 0);
/// `ssl_min_protocol_version`, whose default is TLSv1.2.
const HAS_RANGE: Release = Release::new(13, 0, 0);

/// Keywords that are read here, and the variables that stand in for them.
const VARIABLES: &[(&str, &str)] = &[
    ("host", "PGHOST"),
    ("port", "PGPORT"),
    ("ssl_max_protocol_version", "PGSSLMAXPROTOCOLVERSION"),
    ("ssl_min_protocol_version", "PGSSLMINPROTOCOLVERSION"),
    ("sslcert", "PGSSLCERT"),
    ("sslkey", "PGSSLKEY"),
    ("sslmode", "PGSSLMODE"),
    ("sslnegotiation", "PGSSLNEGOTIATION"),
    ("sslrootcert", "PGSSLROOTCERT"),
    ("sslsni", "PGSSLSNI"),
];
/// `sslmode`, and what comes of it.
const MODES: &[(&str, Mode)] = &[
    ("disable", Mode { tls: false, falls_back: false, verifies: false }),
    ("allow", Mode { tls: false, falls_back: true, verifies: false }),
    ("prefer", Mode { tls: true, falls_back: true, verifies: false }),
    ("require", Mode { tls: true, falls_back: false, verifies: false }),
    ("verify-ca", Mode { tls: true, falls_back: false, verifies: true }),
    ("verify-full", Mode { tls: true, falls_back: false, verifies: true }),
];

#[derive(Clone, Copy, Debug)]
struct Mode {
    /// TLS is asked for at first.
    tls: bool,
    /// The other is tried where that fails.
    falls_back: bool,
    verifies: bool,
}

fn recognise(path: &str, bytes: &[u8]) -> Likeness {
    let name = path.rsplit('/').next().unwrap_or_default();
    if matches!(name, ".pg_service.conf" | "pg_service.conf") {
        return Likeness::Name;
    }
    let text = bytes.get(..bytes.len().min(64 * 1024)).unwrap_or_default();
    let telling = ["sslmode", "sslrootcert", "ssl_min_protocol_version"];
    let own = |line: &Line| line.value.is_some() && telling.contains(&line.keyword.as_str());
    let found = sections(&path.into(), text);
    if found.iter().flat_map(|section| &section.lines).any(own) { Likeness::Content } else { Likeness::None }
}

fn read(context: &Context<'_>) -> Reading {
    let Content::Bytes(bytes) = context.files.text(context.main) else { return Reading::default() };
    let path = context.files.path(context.main);
    let found = sections(&path, bytes);
    let connection = Connection {
        context,
        release: context.files.release_of("libpq"),
        troubles: RefCell::new(Vec::new()),
        notes: RefCell::new(Vec::new()),
    };
    let mut services = Vec::new();
    let mut known: HashSet<&str> = HashSet::new();
    for section in &found {
        if services.len() >= MOST_SERVICES {
            break;
        }
        if !known.insert(&section.name) {
            let says = format!("`[{}]` stands above already, and the first is read", section.name);
            connection.troubles.borrow_mut().push(Trouble { at: Some(section.at.clone()), says, fatal: false });
            continue;
        }
        services.push(connection.service(Some(section)));
    }
    services.push(connection.service(None));
    Reading { services, troubles: connection.troubles.into_inner(), files: vec![path.to_string()] }
}

/// What one section is read with.
struct Connection<'c> {
    context: &'c Context<'c>,
    release: Option<Release>,
    troubles: RefCell<Vec<Trouble>>,
    notes: RefCell<Vec<Note>>,
}

impl Connection<'_> {
    fn service(&self, section: Option<&Section>) -> Service {
        let known = self.troubles.borrow().len();
        self.check(section);
        let title = section.map_or("libpq without a service".to_owned(), |section| format!("libpq service {}", section.name));
        let library = Library::OpenSsl(self.context.files.release_of("openssl"));
        let mut service = client::service("libpq", title, ("libpq", self.release), library);
        service.declared = section.map(|section| section.at.clone());
        service.settings = self.settings(section);
        let names = self.value(section, "host").map(|hosts| hosts.value.to_ascii_lowercase()).unwrap_or_default();
        // A path is the directory of a socket, which has no TLS.
        service.names =
            names.split(',').filter(|name| !name.is_empty() && !name.starts_with(['/', '@'])).map(str::to_owned).collect();
        let ports = self.value(section, "port").map_or("5432".to_owned(), |ports| ports.value);
        let ports = ports.split(',').filter_map(|port| port.trim().parse().ok());
        service.listeners = ports.map(|port| Listener { address: None, port, is_default: false }).collect();
        let direct = self.value(section, "sslnegotiation").is_some_and(|how| how.value == "direct");
        service.upgrade = (!direct).then_some("postgres");
        // The lowest version is its own; an empty one leaves that to the library as well (measured).
        service.heeds = Heeds::ALL;
        service.notes = self.notes.take();
        service.settings.stops = self.troubles.borrow().iter().skip(known).find(|trouble| trouble.fatal).cloned();
        service
    }

    /// What makes libpq give up before it connects.
    fn check(&self, section: Option<&Section>) {
        for line in section.into_iter().flat_map(|section| &section.lines) {
            if line.keyword.starts_with("ldap") {
                continue;
            }
            let says = match &line.value {
                None => "no `keyword=value`",
                Some(_) if line.keyword == "service" => "a service within a service",
                Some(_) if !keywords::is_known(&line.keyword, self.release) => "no keyword of libpq, to the letter",
                Some(_) => continue,
            };
            self.refuse(&line.origin(), format!("`{}` is {says}", line.keyword));
        }
    }

    fn refuse(&self, origin: &Origin, says: String) {
        let says = format!("{says}: no connection is made");
        self.troubles.borrow_mut().push(Trouble { at: origin.span().cloned(), says, fatal: true });
    }

    fn is_since(&self, since: Release) -> bool {
        self.release.is_none_or(|release| release >= since)
    }

    /// The first line of a keyword, else its variable.
    fn value(&self, section: Option<&Section>, keyword: &str) -> Option<Setting<String>> {
        let mut lines = section.into_iter().flat_map(|section| &section.lines).filter(|line| line.keyword == keyword);
        if let Some(line) = lines.next() {
            let setting = |line: &Line| {
                let value = line.value.clone().unwrap_or_default();
                Setting::new(line.keyword.clone(), value.clone(), value, line.origin())
            };
            let mut first = setting(line);
            first.shadow(lines.map(|line| client::shadowed(&setting(line), FIRST, true)));
            return Some(first);
        }
        let (_, variable) = VARIABLES.iter().find(|(known, _)| *known == keyword)?;
        let value = self.context.files.environment(variable)?;
        Some(Setting::new(*variable, value.to_owned(), value, Origin::Environment { name: (*variable).to_owned() }))
    }

    fn by(&self) -> String {
        client::by("libpq", self.release)
    }

    fn settings(&self, section: Option<&Section>) -> Settings {
        let by = self.by();
        let root = self.value(section, "sslrootcert").filter(|root| !root.value.is_empty());
        let system = root.as_ref().is_some_and(|root| root.value == "system") && self.is_since(HAS_SYSTEM);
        let usual = if system { "verify-full" } else { "prefer" };
        let mode = self
            .value(section, "sslmode")
            .unwrap_or_else(|| Setting::new("sslmode", usual.to_owned(), usual, Origin::built_in(by.as_str())));
        let known = MODES.iter().find(|(name, _)| *name == mode.value).map(|(_, mode)| *mode);
        if known.is_none() {
            self.refuse(&mode.origin, format!("`sslmode` has no value {:?}", mode.value));
        }
        if system && mode.value != "verify-full" {
            self.refuse(&mode.origin, format!("`sslmode={}` is too weak beside `sslrootcert=system`", mode.value));
        }
        if let Some(known) = known.filter(|known| known.falls_back) {
            let (first, then) = if known.tls { ("TLS", "plain text") } else { ("plain text", "TLS") };
            let says = format!("`sslmode={}` tries {first} first, and {then} where that fails", mode.value);
            self.notes.borrow_mut().push(Note { at: mode.origin.span().cloned(), says });
        }
        let trust = if system { None } else { root.or_else(|| self.usual_file("sslrootcert", "root.crt")) };
        let verifies = known.is_some_and(|known| known.verifies);
        if verifies && !system {
            self.demand_anchors(&mode, trust.as_ref());
        }
        let by_file = || mode.value == "require" && trust.as_ref().is_some_and(|file| self.is_there(&file.value));
        let verifies = verifies || by_file();
        let certificate = self.value(section, "sslcert").or_else(|| self.usual_file("sslcert", "postgresql.crt"));
        let key = self.value(section, "sslkey").or_else(|| self.usual_file("sslkey", "postgresql.key"));
        let (minimum_version, maximum_version) = self.range(section);
        let sni = self.value(section, "sslsni").filter(|sni| sni.value == "0");
        Settings {
            // With `allow` the server decides.
            tls: known.filter(|known| known.tls || !known.falls_back).map(|known| mode.clone().map(|_| known.tls)),
            minimum_version,
            maximum_version,
            server_name: sni.map(|sni| sni.map(|_| None)),
            alpn: self
                .is_since(HAS_DIRECT)
                .then(|| Setting::new("ALPN", vec!["postgresql".to_owned()], "postgresql", Origin::built_in(by.as_str()))),
            keys: key.filter(|_| certificate.is_some()).into_iter().collect(),
            certificates: certificate.into_iter().collect(),
            verifies_peer: known.map(|_| mode.map(|_| verifies)),
            trust,
            ..Settings::default()
        }
    }

    /// `verify-ca` and `verify-full` want a file with anchors, and give up where it is not there.
    fn demand_anchors(&self, mode: &Setting<String>, trust: Option<&Setting<String>>) {
        let knows_home = client::home(self.context.main).is_some();
        if trust.map_or(knows_home, |file| file.value.starts_with('/') && !self.is_there(&file.value)) {
            let place = trust.map_or("~/.postgresql/root.crt", |file| &file.value);
            self.refuse(&mode.origin, format!("{place} does not exist, and `sslmode={}` wants it", mode.value));
        }
    }

    /// Both ends; empty is no limit.
    fn range(&self, section: Option<&Section>) -> (Option<Setting<ProtocolVersion>>, Option<Setting<ProtocolVersion>>) {
        if !self.is_since(HAS_RANGE) {
            return (None, None);
        }
        let end = |keyword: &str| {
            let setting = self.value(section, keyword)?;
            let version = names::version(&setting.value).filter(|version| client::minor(*version).is_some());
            let known =
                version.filter(|_| setting.value.to_ascii_lowercase().starts_with("tlsv1") && !setting.value.ends_with(".0"));
            if known.is_none() && !setting.value.is_empty() {
                self.refuse(&setting.origin, format!("`{keyword}` has no value {:?}", setting.value));
            }
            Some((setting, known))
        };
        let lowest = end("ssl_min_protocol_version");
        let set =
            |(setting, version): (Setting<String>, Option<ProtocolVersion>)| version.map(|version| setting.map(|_| version));
        let highest = end("ssl_max_protocol_version").and_then(set);
        let lowest = match lowest {
            Some(written) => set(written),
            None => {
                let usual = ProtocolVersion::TLSV1_2;
                Some(Setting::new("ssl_min_protocol_version", usual, "TLSv1.2", Origin::built_in(self.by())))
            }
        };
        if let (Some(lowest), Some(highest)) = (&lowest, &highest)
            && lowest.value > highest.value
        {
            self.refuse(&highest.origin, format!("{} to {} is no range", lowest.text, highest.text));
        }
        (lowest, highest)
    }

    /// A file of `~/.postgresql`, where it is there.
    fn usual_file(&self, keyword: &str, name: &str) -> Option<Setting<String>> {
        let path = format!("{}/.postgresql/{name}", client::home(self.context.main)?);
        self.is_there(&path).then(|| Setting::new(keyword, path.clone(), path, Origin::built_in(self.by())))
    }

    fn is_there(&self, path: &str) -> bool {
        path.starts_with('/') && matches!(self.context.files.look(path), Content::Bytes(_) | Content::Unreadable(_))
    }
}

fn mend(context: &Context<'_>, service: &Service, want: &Want) -> Result<Vec<Patch>, CannotMend> {
    let settings = &service.settings;
    let put = |place: Option<&Span>, keyword: &str, value: &str| match (place, &service.declared) {
        (Some(place), _) => Ok(Patch::replace(place, value)),
        (None, Some(head)) => client::line(context, Some(head), &format!("{keyword}={value}")),
        (None, None) => {
            Err(CannotMend::because("outside a service a variable of the environment or the program's own line is the place"))
        }
    };
    match want {
        Want::Versions(versions) => {
            if service.program.1.is_some_and(|release| release < HAS_RANGE) {
                return Err(CannotMend::because("libpq before 13 knows no range of versions"));
            }
            let (lowest, highest) = client::ends(versions)?;
            let mut patches = Vec::new();
            if settings.minimum_version.as_ref().is_none_or(|set| set.value != lowest) {
                let place = client::value_of(settings.minimum_version.as_ref());
                patches.push(put(place, "ssl_min_protocol_version", &names::version_name(lowest))?);
            }
            if settings.maximum_version.as_ref().map_or(ProtocolVersion::TLSV1_3, |set| set.value) != highest {
                let place = client::value_of(settings.maximum_version.as_ref());
                patches.push(put(place, "ssl_max_protocol_version", &names::version_name(highest))?);
            }
            if patches.is_empty() { Err(CannotMend::because("these versions are on")) } else { Ok(patches) }
        }
        Want::Certificate(certificate, key) => {
            let mut patches = vec![put(client::value_of(settings.certificates.first()), "sslcert", certificate)?];
            if let Some(key) = key {
                patches.push(put(client::value_of(settings.keys.first()), "sslkey", key)?);
            }
            Ok(patches)
        }
        other => Err(CannotMend::because(format!("libpq has no keyword for {other:?}: openssl.cnf rules it"))),
    }
}
