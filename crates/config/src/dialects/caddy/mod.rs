//! Caddy 2: the Caddyfile and the JSON that it is made into; sites, connection policies, and Caddy as the client of what it is a
//! proxy for.
//!
//! Sources: <https://caddyserver.com/docs/caddyfile> and <https://caddyserver.com/docs/json/>, caddyconfig and modules/caddytls of
//! 2.6 to 2.11; measured on 2.6.2 and 2.11.7.

mod automatic;
mod directive;
mod ending;
mod json;
mod object;
mod policies;
mod proxies;
mod sites;
mod tree;
mod words;

use self::policies::Home;
use super::{Commands, Context, Dialect, Likeness, client};
use crate::release::Release;
use crate::service::{Reading, Service, Side, Trouble};

pub(crate) static DIALECT: Dialect = Dialect {
    name: "caddy",
    title: "Caddy",
    sides: &[Side::Server, Side::Client],
    places: &["/etc/caddy/Caddyfile", "/etc/caddy/caddy.json"],
    recognise,
    read,
    mend: ending::mend,
    commands,
};

/// Words that stand at the start of a line in Caddyfiles and in no other language that is read here.
const TELLING: &[&str] =
    &["reverse_proxy", "php_fastcgi", "file_server", "tls internal", "auto_https", "acme_ca", "https_port"];

fn recognise(path: &str, bytes: &[u8]) -> Likeness {
    let name = path.rsplit('/').next().unwrap_or_default();
    let ours = name == "Caddyfile"
        || name.starts_with("Caddyfile.")
        || name.ends_with(".caddyfile")
        || name == "caddy.json"
        || name == "autosave.json" && path.contains("/caddy/");
    if ours {
        return Likeness::Name;
    }
    let text = String::from_utf8_lossy(bytes.get(..bytes.len().min(64 * 1024)).unwrap_or_default()).into_owned();
    let content = if is_json(bytes) {
        text.contains("\"apps\"") && (text.contains("\"servers\"") || text.contains("\"tls_connection_policies\""))
    } else {
        // In a block, without a semicolon at the end.
        let tells = |line: &str| TELLING.iter().any(|word| line.starts_with(word)) && !line.ends_with(';');
        text.lines().any(|line| line.trim_end().ends_with('{')) && text.lines().any(|line| tells(line.trim()))
    };
    if content { Likeness::Content } else { Likeness::None }
}

/// A configuration in JSON is one object.
fn is_json(bytes: &[u8]) -> bool {
    let rest = bytes.trim_ascii_start();
    let after = rest.strip_prefix(b"{").map(|rest| rest.trim_ascii_start());
    after.is_some_and(|rest| matches!(rest.first(), Some(b'"' | b'}')))
}

fn commands(main: &str) -> Commands {
    let words = |verb: &str| {
        let adapter = if main.ends_with(".json") { &[][..] } else { &["--adapter", "caddyfile"] };
        let words = ["caddy", verb, "--config", main].into_iter().chain(adapter.iter().copied());
        words.map(str::to_owned).collect()
    };
    Commands { check: words("validate"), reload: words("reload") }
}

/// The program as the package data tells of it.
#[derive(Clone, Copy, Debug)]
struct Program {
    release: Option<Release>,
}

impl Program {
    /// Whether it is at least this release; what is not known counts as new.
    fn since(&self, least: Release) -> bool {
        self.release.is_none_or(|release| release >= least)
    }

    /// Whose defaults are spoken of.
    fn by(&self) -> String {
        client::by("Caddy", self.release)
    }
}

/// Everything that is read, each service with the place where edits of it go.
#[derive(Default)]
struct Found {
    services: Vec<(Service, Home)>,
    troubles: Vec<Trouble>,
    files: Vec<String>,
}

fn find(context: &Context<'_>) -> Found {
    let program = Program { release: context.files.release_of("caddy") };
    let mut found = match context.files.bytes(context.main) {
        Some(bytes) if is_json(bytes) => object::read(context, program, bytes),
        Some(_) => sites::read(context, program),
        None => Found::default(),
    };
    merge(&mut found.services);
    // What stands nowhere comes last: an edit may bring it about.
    found.services.sort_by_key(|(service, _)| service.declared.is_none());
    found
}

/// The same on several listeners is one service.
fn merge(services: &mut Vec<(Service, Home)>) {
    let mut merged: Vec<(Service, Home)> = Vec::new();
    for (service, home) in services.drain(..) {
        let same = |(known, _): &&mut (Service, Home)| {
            known.declared == service.declared && known.names == service.names && known.settings == service.settings
        };
        // Listeners of one site follow each other but for other sites on the same address.
        match merged.iter_mut().rev().take(256).find(same).filter(|_| service.side == Side::Server) {
            Some((known, _)) => known.listeners.extend(service.listeners),
            None => merged.push((service, home)),
        }
    }
    for (service, _) in &mut merged {
        service.listeners.sort();
        service.listeners.dedup();
    }
    *services = merged;
}

fn read(context: &Context<'_>) -> Reading {
    let Found { services, mut troubles, files } = find(context);
    troubles.dedup();
    Reading { services: services.into_iter().map(|(service, _)| service).collect(), troubles, files }
}
