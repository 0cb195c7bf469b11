//! nginx: http, stream and mail servers, and the upstream side of their proxies.
//!
//! Sources: <https://nginx.org/en/docs/> and <https://nginx.org/en/CHANGES>; what is marked "measured" was seen on nginx 1.22.1.

mod ending;
mod listen;
mod proxies;
mod servers;
mod settings;
mod tokens;
mod tree;

use crate::dialects::{Commands, Context, Dialect, Likeness};
use crate::files::{directory_of, relative_to};
use crate::release::Release;
use crate::service::{Library, Reading, Side};
use crate::span::Span;

pub(crate) static DIALECT: Dialect = Dialect {
    name: "nginx",
    title: "nginx",
    sides: &[Side::Server, Side::Client],
    places: &[
        "/etc/nginx/nginx.conf",
        "/usr/local/nginx/conf/nginx.conf",
        "/usr/local/etc/nginx/nginx.conf",
        "/etc/openresty/nginx.conf",
        "/usr/local/openresty/nginx/conf/nginx.conf",
        "/opt/homebrew/etc/nginx/nginx.conf",
    ],
    recognise,
    read,
    mend: ending::mend,
    commands,
};

fn recognise(path: &str, bytes: &[u8]) -> Likeness {
    if path.ends_with("/nginx.conf") {
        return Likeness::Name;
    }
    let text = bytes.get(..bytes.len().min(64 * 1024)).unwrap_or_default();
    let words = ["http", "server", "stream", "mail"];
    let (directives, _) = tokens::parse(text);
    let opens = directives.iter().any(|directive| directive.block.is_some() && words.contains(&directive.name()));
    let inside = |name: &str| directives.iter().any(|directive| directive.name() == name);
    if opens || inside("ssl_protocols") || inside("ssl_certificate") { Likeness::Content } else { Likeness::None }
}

fn commands(main: &str) -> Commands {
    if DIALECT.places.first() == Some(&main) {
        return Commands::of("nginx -t", "nginx -s reload");
    }
    let with = |first: &str| {
        let mut words: Vec<String> = first.split(' ').map(str::to_owned).collect();
        words.extend(["-c".to_owned(), main.to_owned()]);
        words
    };
    Commands { check: with("nginx -t"), reload: with("nginx -s reload") }
}

/// The program as the files and the package data tell of it.
#[derive(Clone, Copy, Debug)]
struct Program {
    release: Option<Release>,
    openssl: Option<Release>,
}

impl Program {
    fn of(context: &Context<'_>) -> Program {
        Program { release: context.files.release_of("nginx"), openssl: context.files.openssl_of("nginx") }
    }

    /// Whether it is at least this release; what is not known counts as new.
    fn since(self, major: u32, minor: u32, patch: u32) -> bool {
        self.is_at_least(Release::new(major, minor, patch))
    }

    fn is_at_least(self, wanted: Release) -> bool {
        self.release.is_none_or(|release| release >= wanted)
    }

    /// Whose defaults are spoken of.
    fn name(self) -> String {
        match self.release {
            Some(release) => format!("nginx {release}"),
            None => "nginx (version not known, taken for a new one)".to_owned(),
        }
    }

    fn library(self) -> Library {
        Library::OpenSsl(self.openssl)
    }

    /// Since 1.29.2 with OpenSSL 1.1.1 the server that SNI chooses decides the version; before, the default server of the socket.
    fn name_decides_versions(self) -> bool {
        self.since(1, 29, 2) && self.openssl.is_none_or(|openssl| openssl >= Release::new(1, 1, 1))
    }
}

fn read(context: &Context<'_>) -> Reading {
    let program = Program::of(context);
    let mut reader = tree::Reader::new(context.files, context.main);
    let nodes = reader.main(context.main);
    let mut reading = Reading::default();
    let mut found = servers::Found { program, services: Vec::new(), troubles: Vec::new() };
    let mut bare = true;
    for node in &nodes {
        match node.name() {
            "http" => found.http(node.inside()),
            "stream" => found.stream(node.inside()),
            "mail" => found.mail(node.inside()),
            _ => continue,
        }
        bare = false;
    }
    // A file that another includes into `http`.
    if bare {
        found.http(&nodes);
    }
    reading.services = found.services;
    let base = directory_of(context.main);
    for service in &mut reading.services {
        let settings = &mut service.settings;
        let files = settings.certificates.iter_mut().chain(&mut settings.keys);
        for file in files.chain(&mut settings.dh_parameters).chain(&mut settings.trust) {
            let is_path =
                !file.value.contains('$') && !["data:", "engine:", "store:"].iter().any(|kind| file.value.starts_with(kind));
            if is_path {
                file.value = relative_to(base, &file.value);
            }
        }
    }
    reading.troubles = reader.troubles;
    reading.troubles.extend(found.troubles);
    reading.files = reader.read;
    reading
}

/// The last directive of this name that a block inherits; `None` where the block has one of its own, or inherits none.
fn inherited(context: &Context<'_>, block: &Span, name: &str) -> Option<Span> {
    fn levels<'n>(nodes: &'n [tree::Node], block: &Span) -> Option<Vec<&'n [tree::Node]>> {
        nodes.iter().filter(|node| node.block.is_some()).find_map(|node| {
            if node.span.start == block.start && *node.path == *block.path {
                return Some(vec![nodes, node.inside()]);
            }
            let mut inner = levels(node.inside(), block)?;
            inner.insert(0, nodes);
            Some(inner)
        })
    }
    let nodes = tree::Reader::new(context.files, context.main).main(context.main);
    let levels = levels(&nodes, block)?;
    let (own, outer) = levels.split_last()?;
    let last = |level: &[tree::Node]| level.iter().rev().find(|node| node.name() == name).map(tree::Node::at);
    if last(own).is_some() {
        return None;
    }
    outer.iter().rev().find_map(|level| last(level))
}
