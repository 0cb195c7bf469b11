//! HAProxy: what it terminates (`bind … ssl`), and what it connects to (`server … ssl`).
//!
//! Sources: <https://docs.haproxy.org/>, and `cfgparse-ssl.c`, `ssl_sock.c`, `ssl_crtlist.c` of HAProxy for what the manual leaves
//! open; what is marked "measured" was seen on HAProxy 2.6.12.

mod binds;
mod conditions;
mod crt_list;
mod ending;
mod scopes;
mod sections;
mod servers;
mod tokens;
mod versions;

use tlswhy_wire::ProtocolVersion;

use crate::dialects::{Commands, Context, Dialect, Likeness};
use crate::release::Release;
use crate::service::{Heeds, Library, Reading, Side};

pub(crate) static DIALECT: Dialect = Dialect {
    name: "haproxy",
    title: "HAProxy",
    sides: &[Side::Server, Side::Client],
    places: &[
        "/etc/haproxy/haproxy.cfg",
        "/usr/local/etc/haproxy/haproxy.cfg",
        "/usr/local/etc/haproxy.conf",
        "/opt/homebrew/etc/haproxy.cfg",
    ],
    recognise,
    read,
    mend: ending::mend,
    commands,
};

fn recognise(path: &str, bytes: &[u8]) -> Likeness {
    if path.ends_with("/haproxy.cfg") || path.ends_with("/haproxy.conf") {
        return Likeness::Name;
    }
    let start = bytes.get(..bytes.len().min(64 * 1024)).unwrap_or_default();
    let (lines, _) = tokens::lines(start);
    let none = std::collections::HashMap::new();
    let mut section = false;
    for line in lines {
        let words = tokens::words(start, &line, &none).words;
        let first = words.first().map_or("", |word| word.text.as_str());
        // nginx has words of the same names.
        if words.last().is_some_and(|word| word.text.ends_with([';', '{', '}'])) {
            return Likeness::None;
        }
        let alone = words.len() == 1 && matches!(first, "global" | "defaults");
        section |= alone || words.len() >= 2 && matches!(first, "frontend" | "backend" | "listen" | "defaults");
        let known = matches!(first, "bind" | "server" | "mode" | "use_backend" | "default_backend" | "timeout");
        if section && words.len() >= 2 && (known || first.starts_with("ssl-default-")) {
            return Likeness::Content;
        }
    }
    Likeness::None
}

fn commands(main: &str) -> Commands {
    let check = ["haproxy", "-c", "-f", main].map(str::to_owned).to_vec();
    Commands { check, ..Commands::of("", "systemctl reload haproxy") }
}

/// The program as the package data tells of it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Program {
    release: Option<Release>,
    openssl: Option<Release>,
}

/// HAProxy sets lowest and highest version of every context itself, so openssl.cnf's are not heeded (measured); the rest is,
/// where no line sets it.
pub(super) const HEEDS: Heeds = Heeds { minimum_version: false, maximum_version: false, ..Heeds::ALL };

impl Program {
    fn of(context: &Context<'_>) -> Program {
        Program { release: context.files.release_of("haproxy"), openssl: context.files.openssl_of("haproxy") }
    }

    /// Whether it is at least this release; what is not known counts as new.
    fn since(self, major: u32, minor: u32) -> bool {
        self.release.is_none_or(|release| release >= Release::new(major, minor, 0))
    }

    fn name(self) -> String {
        match self.release {
            Some(release) => format!("haproxy {release}"),
            None => "haproxy (version not known, taken for a new one)".to_owned(),
        }
    }

    fn library(self) -> Library {
        Library::OpenSsl(self.openssl)
    }

    /// The lowest version of a `bind` line that names none: TLS 1.2 since 2.2, before that TLS 1.0 (`default_min_ver` of
    /// ssl_sock.c).
    fn lowest(self) -> (ProtocolVersion, String) {
        let lowest = if self.since(2, 2) { ProtocolVersion::TLSV1_2 } else { ProtocolVersion::TLSV1_0 };
        (lowest, self.name())
    }
}

fn read(context: &Context<'_>) -> Reading {
    let program = Program::of(context);
    let mut reading = Reading::default();
    let sections = sections::read(context.files, context.main, program, &mut reading);
    binds::read(context, program, &sections, &mut reading);
    servers::read(program, &sections, &mut reading);
    reading
}
