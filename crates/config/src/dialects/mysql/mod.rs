//! MySQL and MariaDB: option files with their groups and includes, for the server and for the clients.
//!
//! Sources: <https://dev.mysql.com/doc/refman/8.4/en/option-files.html>, encrypted-connection-protocols-ciphers.html,
//! <https://mariadb.com/kb/en/configuring-mariadb-with-option-files/>, mysys/my_default.c, vio/viosslfactories.c; measured on
//! MariaDB 10.11.19.

mod client;
mod ending;
mod lines;
mod options;
mod server;

use tlswhy_wire::ProtocolVersion;

use self::lines::{Line, Lines};
use self::options::{Meaning, Reader, meaning};
use super::client as clients;
use crate::dialects::{Context, Dialect, Likeness, VersionsSince};
use crate::files::{Content, Files};
use crate::language::names;
use crate::release::Release;
use crate::service::{Reading, Side, Trouble};
use crate::setting::{Setting, Shadowed};
use crate::span::Span;

pub(crate) static DIALECT: Dialect = Dialect {
    name: "mysql",
    title: "MySQL and MariaDB",
    sides: &[Side::Server, Side::Client],
    places: &["/etc/mysql/my.cnf", "/etc/my.cnf", "/usr/local/etc/mysql/my.cnf", "/root/.my.cnf", "/home/*/.my.cnf"],
    recognise,
    read,
    mend: ending::mend,
    commands: ending::commands,
};

/// The system's files, in the order in which they are read (`--help --verbose`).
const SYSTEM: &[&str] = &["/etc/my.cnf", "/etc/mysql/my.cnf"];
/// The versions that an option can name.
const ALL: [ProtocolVersion; 4] =
    [ProtocolVersion::TLSV1_0, ProtocolVersion::TLSV1_1, ProtocolVersion::TLSV1_2, ProtocolVersion::TLSV1_3];
const LATER: &str = "a later line of the same name counts: files are read in their order, the last value wins";

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
/// Since this release a server of MariaDB makes itself a certificate, and its clients verify.
const TLS_BY_ITSELF: Release = Release::new(11, 4, 1);

fn recognise(path: &str, bytes: &[u8]) -> Likeness {
    let name = path.rsplit('/').next().unwrap_or_default();
    if matches!(name, "my.cnf" | ".my.cnf" | "mariadb.cnf") {
        return Likeness::Name;
    }
    let text = bytes.get(..bytes.len().min(64 * 1024)).unwrap_or_default();
    let head = |line: &[u8]| {
        let name = line.trim_ascii().strip_prefix(b"[").and_then(|rest| rest.split(|byte| *byte == b']').next());
        name.is_some_and(|name| [&b"mysqld"[..], b"mariadb", b"mariadbd"].iter().any(|own| name.eq_ignore_ascii_case(own)))
    };
    if text.split(|byte| *byte == b'\n').any(head) { Likeness::Content } else { Likeness::None }
}

/// The product with its version, and what reads the lines.
#[derive(Clone, Debug)]
struct Product {
    name: &'static str,
    mariadb: bool,
    release: Option<Release>,
    /// For the origin of what it does by itself.
    by: String,
}

impl Product {
    fn of(files: &Files<'_>) -> Product {
        let (mariadb, mysql) = (files.release_of("mariadb"), files.release_of("mysql"));
        let is_mariadb = mariadb.is_some() || mysql.is_none();
        let (name, release) = if is_mariadb { ("MariaDB", mariadb) } else { ("MySQL", mysql) };
        Product { name, mariadb: is_mariadb, release, by: clients::by(name, release) }
    }

    fn reader(&self, server: bool) -> Reader {
        Reader { mariadb: self.mariadb, server, release: self.release }
    }

    fn usual_versions(&self) -> Vec<ProtocolVersion> {
        let table = if self.mariadb { MARIADB_VERSIONS } else { MYSQL_VERSIONS };
        let row = table.iter().find(|(since, _)| self.release.is_none_or(|release| release >= *since));
        row.map(|(_, versions)| versions.to_vec()).unwrap_or_default()
    }

    fn is_since(&self, since: Release) -> bool {
        self.release.is_none_or(|release| release >= since)
    }
}

fn read(context: &Context<'_>) -> Reading {
    let product = Product::of(context.files);
    let mut lines = Lines::default();
    let is_users = clients::home(context.main).is_some();
    let is_systems = SYSTEM.contains(&context.main);
    let system = if is_users || is_systems { SYSTEM } else { &[] };
    for path in system.iter().copied().chain((!is_systems).then_some(context.main)) {
        lines.file(context, path, None);
    }
    let mut reading = Reading::default();
    // The server runs under an account of its own, whose home is not this one.
    if !is_users {
        reading.services.push(server::service(context.files, &product, &lines, &mut reading.troubles));
    }
    reading.services.extend(client::service(context, &product, &lines, &mut reading.troubles));
    reading.troubles.splice(0..0, lines.troubles);
    reading.files = lines.files;
    reading
}

/// Whether a group is one that this reader reads.
fn reads(reader: Reader, group: &str) -> bool {
    let group = group.to_ascii_lowercase();
    // `[mysqld-8.0]` is for this series alone.
    let (base, series) = match group.rsplit_once('-') {
        Some((base, series)) if series.starts_with(|c: char| c.is_ascii_digit()) => (base, Some(series)),
        _ => (group.as_str(), None),
    };
    let own_series = reader.release.map(|release| format!("{}.{}", release.major, release.minor));
    if let (Some(series), Some(own)) = (series, own_series)
        && series != own
    {
        return false;
    }
    match (reader.server, base) {
        (true, "mysqld") => true,
        (true, "server") | (false, "client" | "mysql") => series.is_none(),
        (true, "mariadb" | "mariadbd") => reader.mariadb,
        (true, "galera") | (false, "client-mariadb" | "mariadb-client") | (_, "client-server") => {
            reader.mariadb && series.is_none()
        }
        _ => false,
    }
}

/// The head of the first group that is for this side alone, below which a new line goes.
fn head(lines: &Lines, reader: Reader) -> Option<&Span> {
    let mut heads = lines.heads.iter().filter(|(group, _)| !group.eq_ignore_ascii_case("client-server"));
    heads.find(|(group, _)| reads(reader, group)).map(|(_, at)| at)
}

/// The options of TLS that a reader finds in its groups, in their order.
struct Own<'l> {
    reader: Reader,
    options: Vec<Found<'l>>,
    lines: Vec<&'l Line>,
}

/// A line that is an option of TLS.
struct Found<'l> {
    name: &'static str,
    line: &'l Line,
    /// It switches TLS on by being there.
    implies_ssl: bool,
    /// `skip-` or `disable-` stands before it.
    off: bool,
}

impl<'l> Own<'l> {
    fn of(lines: &'l Lines, reader: Reader, product: &Product, troubles: &mut Vec<Trouble>) -> Own<'l> {
        let own: Vec<&Line> = lines.options.iter().filter(|line| reads(reader, &line.group)).collect();
        let mut options = Vec::new();
        for line in &own {
            match meaning(line, reader) {
                Meaning::Option { name, implies_ssl, off } => {
                    if line.value.is_none()
                        && !off
                        && !matches!(name, "ssl" | "ssl-verify-server-cert" | "require-secure-transport")
                    {
                        let says = format!("`{}` stands there without a value: nothing starts with it", line.name);
                        troubles.push(Trouble { at: line.at().cloned(), says, fatal: true });
                    }
                    options.push(Found { name, line, implies_ssl, off });
                }
                Meaning::Unknown { loose } => {
                    let whose = if reader.server { "server" } else { "client" };
                    let end = if loose { "passes over it, as `loose` asks" } else { "does not start with it" };
                    let says = format!("`{}` is no option of {}'s {whose}, which {end}", line.name, product.by);
                    troubles.push(Trouble { at: line.at().cloned(), says, fatal: !loose && product.release.is_some() });
                }
                Meaning::Other if line.name.contains(|c: char| c.is_ascii_whitespace()) => {
                    let says = format!("no option is called `{}`: a value stands behind `=`", line.name);
                    let fatal = !line.name.to_ascii_lowercase().starts_with("loose");
                    troubles.push(Trouble { at: line.at().cloned(), says, fatal });
                }
                Meaning::Other => {}
            }
        }
        Own { reader, options, lines: own }
    }

    fn all(&self, name: &str) -> impl Iterator<Item = &'l Line> {
        self.options.iter().filter(move |found| found.name == name).map(|found| found.line)
    }

    /// The value of the last line of this option.
    fn text(&self, name: &str) -> Option<Setting<String>> {
        self.last(name, |line| Some(line.value.clone().unwrap_or_default()))
    }

    /// The meaning of the last line of this option; those before it are shadowed.
    fn last<T>(&self, name: &str, read: impl Fn(&Line) -> Option<T>) -> Option<Setting<T>> {
        clients::last(self.all(name).map(|line| line.setting(line)), LATER).and_then(|last| {
            let value = read(last.value)?;
            Some(last.map(|_| value))
        })
    }

    /// Whether the last switch of this name is on.
    fn switch(&self, name: &str) -> Option<Setting<bool>> {
        self.last(name, |line| {
            let off = self.options.iter().any(|found| std::ptr::eq(found.line, line) && found.off);
            Some(!off && options::is_on(line.value.as_deref()))
        })
    }

    /// The versions of `tls-version`; where MariaDB's server would not start with what stands there, none and a trouble.
    fn versions(&self, troubles: &mut Vec<Trouble>) -> Option<Setting<Vec<ProtocolVersion>>> {
        for line in self.all("tls-version") {
            let value = line.value.as_deref().unwrap_or_default();
            if versions(value, self.reader).is_none() {
                let says = format!("`{}` has no value {value:?}", line.name);
                troubles.push(Trouble { at: line.at().cloned(), says, fatal: self.is_strict() });
            }
        }
        self.last("tls-version", |line| Some(versions(line.value.as_deref()?, self.reader).unwrap_or_default()))
    }

    fn port(&self) -> u16 {
        let line = self.lines.iter().rev().find(|line| line.name.eq_ignore_ascii_case("port"));
        line.and_then(|line| line.value.as_deref()?.parse().ok()).unwrap_or(3306)
    }

    fn is_strict(&self) -> bool {
        self.reader.mariadb && self.reader.server
    }
}

fn shadowed(line: &Line, why: &str) -> Shadowed {
    Shadowed {
        name: line.name.clone(),
        text: line.value.clone().unwrap_or_default(),
        origin: line.origin.clone(),
        why: why.to_owned(),
        meant_to_count: true,
    }
}

/// The versions of a list with commas. MariaDB's server takes exact names without blanks, `all`, or a number of bits, and nothing
/// for no limit (measured); MySQL calls 1.0 `TLSv1`.
fn versions(text: &str, reader: Reader) -> Option<Vec<ProtocolVersion>> {
    let known = |name: &str| names::version(name).filter(|version| ALL.contains(version));
    if !(reader.mariadb && reader.server) {
        // What is no version is passed over.
        return Some(text.split(',').filter_map(|name| known(name.trim())).collect());
    }
    if let Ok(bits @ 1..16) = text.parse::<u8>() {
        let on = |index: usize| bits & (1 << index) != 0;
        return Some(ALL.iter().enumerate().filter(|(index, _)| on(*index)).map(|(_, version)| *version).collect());
    }
    if matches!(text, "" | "0") || text.eq_ignore_ascii_case("all") {
        return Some(ALL.to_vec());
    }
    let one = |name: &str| known(name).filter(|version| version.to_string().eq_ignore_ascii_case(name));
    text.split(',').map(one).collect()
}

/// What lies at the place of a certificate or a key, if that is known: `false` where nothing does.
fn is_there(files: &Files<'_>, path: &str) -> bool {
    !path.starts_with('/') || files.look(path) != Content::Missing
}
