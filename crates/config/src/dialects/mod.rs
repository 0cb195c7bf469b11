//! The configuration languages: one file (or folder) each.
//!
//! To add one: write `<name>.rs` with a `static DIALECT`, name it in [`DIALECTS`], and put example trees with what they mean into
//! `tests/dialects/<name>/`.

mod apache;
mod caddy;
mod client;
mod crypto_policies;
mod curl;
mod dovecot;
mod environment;
mod git;
pub(crate) mod gnutls;
mod go_module;
mod godebug;
mod haproxy;
mod java;
mod libpq;
mod lighttpd;
mod lines;
mod mysql;
mod nginx;
mod npm;
pub(crate) mod openssl;
mod pip;
mod postfix;
mod postgresql;
mod stunnel;
mod tomcat;
mod wget;

use tlswhy_wire::ProtocolVersion;

use crate::files::Files;
use crate::mend::{CannotMend, Patch, Want};
use crate::release::Release;
use crate::service::{Reading, Service, Side, Trouble};
use crate::setting::MOST_SHADOWED;
use crate::span::Span;

/// One configuration language.
pub struct Dialect {
    /// Its name, kebab-case.
    pub name: &'static str,
    /// The program's name for people.
    pub title: &'static str,
    /// The sides of which its files speak; the first is the chief one.
    pub sides: &'static [Side],
    /// Where its main file usually lies: absolute paths, patterns of glob(7) allowed; the first that exists counts for each
    /// installation.
    pub places: &'static [&'static str],
    /// Whether a file is a main file (or any file) of this dialect, by its path and its first bytes.
    pub recognise: fn(path: &str, bytes: &[u8]) -> Likeness,
    /// Reads a main file and all that it includes; [`Dialect::reading`] is what callers use.
    pub(crate) read: fn(&Context<'_>) -> Reading,
    /// The edits that bring about what is wanted of this service, on the lines that rule it. They count in the files as read.
    pub mend: fn(&Context<'_>, &Service, &Want) -> Result<Vec<Patch>, CannotMend>,
    /// The commands that validate the configuration with this main file, and that make the running program read it.
    pub commands: fn(main: &str) -> Commands,
}

/// Dialects whose files are read by clients that are programs of their own: what validates and reloads the server does nothing for them.
const WITH_CLIENTS_APART: &[&str] = &["mysql"];

/// Dialects of clients whose files are for several: what stops one of them is nothing to the others, and they say themselves which.
const OF_SEVERAL_CLIENTS: &[&str] = &["curl", "environment", "git", "libpq"];

impl Dialect {
    /// The commands for an edit that is for one side.
    pub fn commands_for(&self, main: &str, side: Side) -> Commands {
        let apart = side == Side::Client && WITH_CLIENTS_APART.contains(&self.name);
        if apart { Commands::default() } else { (self.commands)(main) }
    }
}

impl std::fmt::Debug for Dialect {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name)
    }
}

impl Dialect {
    /// What a main file and all that it includes say, with one remark for each bound that was met.
    pub fn reading(&self, context: &Context<'_>) -> Reading {
        let mut reading = (self.read)(context);
        if self.sides.first() == Some(&Side::Client) && !OF_SEVERAL_CLIENTS.contains(&self.name) {
            reading.stop_since(0, 0);
        }
        let mut left_out = |says: String| reading.troubles.insert(0, Trouble { at: None, says, fatal: false });
        for path in context.files.take_cut() {
            left_out(format!("{path} has more than {MOST_DIRECTIVES} lines: the rest is not read"));
        }
        if reading.services.len() >= MOST_SERVICES {
            reading.services.truncate(MOST_SERVICES);
            left_out(format!("no more than {MOST_SERVICES} services of one configuration are read"));
        }
        let crowded = |service: &Service| service.settings.shown().iter().any(|shown| shown.shadowed.len() >= MOST_SHADOWED);
        if reading.services.iter().any(crowded) {
            left_out(format!("beside one setting no more than {MOST_SHADOWED} lines without effect are told of, the nearest"));
        }
        reading
    }
}

/// How much a file looks like one of a dialect.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Likeness {
    /// Not at all.
    None,
    /// It could be.
    Content,
    /// Its name says so.
    Name,
}

/// What a reading goes by.
#[derive(Clone, Copy, Debug)]
pub struct Context<'a> {
    /// The files and the software seen so far.
    pub files: &'a Files<'a>,
    /// The main file, an absolute path.
    pub main: &'a str,
}

/// Commands of a program, each with its arguments; empty where there is none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Commands {
    /// Validates the configuration.
    pub check: Vec<String>,
    /// Makes the running program read it.
    pub reload: Vec<String>,
}

impl Commands {
    /// Of these words, separated by blanks.
    pub fn of(check: &str, reload: &str) -> Commands {
        let words = |text: &str| text.split_whitespace().map(str::to_owned).collect();
        Commands { check: words(check), reload: words(reload) }
    }
}

/// Most services of one configuration: beyond them nothing is read, which [`Dialect::reading`] says. A bound for memory; each takes
/// some 10 KiB until it is judged and shown.
pub const MOST_SERVICES: usize = 10_000;
/// Most lines of one name that count for every service, each of which is held against them.
pub(crate) const MOST_GENERAL: usize = 100;
/// Most directives, or lines, of one configuration, those of files that are included again and again counted each time.
pub(crate) const MOST_DIRECTIVES: usize = 400_000;

/// What is said of the first line beyond [`MOST_GENERAL`].
pub(crate) fn too_general(name: &str, at: Span) -> Trouble {
    let says = format!("more than {MOST_GENERAL} lines `{name}` count for all services: this one and the rest are not read");
    Trouble { at: Some(at), says, fatal: false }
}

/// Default versions by release: the first row counts whose release the program has reached.
pub(crate) type VersionsSince = &'static [(Release, &'static [ProtocolVersion])];

/// Every dialect, by name.
pub static DIALECTS: &[&Dialect] = &[
    &apache::DIALECT,
    &caddy::DIALECT,
    &crypto_policies::DIALECT,
    &curl::DIALECT,
    &dovecot::DIALECT,
    &environment::DIALECT,
    &git::DIALECT,
    &gnutls::DIALECT,
    &go_module::DIALECT,
    &haproxy::DIALECT,
    &java::DIALECT,
    &libpq::DIALECT,
    &lighttpd::DIALECT,
    &mysql::DIALECT,
    &nginx::DIALECT,
    &npm::DIALECT,
    &openssl::DIALECT,
    &pip::DIALECT,
    &postfix::DIALECT,
    &postgresql::DIALECT,
    &stunnel::DIALECT,
    &tomcat::DIALECT,
    &wget::DIALECT,
];

/// The dialect of this name.
pub fn dialect(name: &str) -> Option<&'static Dialect> {
    DIALECTS.iter().copied().find(|dialect| dialect.name == name)
}

/// The dialect that a file looks most like.
pub fn recognise(path: &str, bytes: &[u8]) -> Option<&'static Dialect> {
    let likeness = |dialect: &&&Dialect| (dialect.recognise)(path, bytes);
    // Of equals the first counts; `max_by_key` would take the last.
    let likely = DIALECTS.iter().rev().filter(|dialect| likeness(dialect) > Likeness::None).max_by_key(likeness)?;
    Some(likely)
}
