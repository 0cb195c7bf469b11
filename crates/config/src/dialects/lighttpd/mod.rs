//! lighttpd: the sockets that it listens on, and what names change on them.
//!
//! Sources: <https://redmine.lighttpd.net/projects/lighttpd/wiki/Docs_SSL>, `mod_openssl.c` and `configparser.y` of lighttpd;
//! what is marked "measured" was seen on lighttpd 1.4.69 with OpenSSL 3.0.

mod commands;
mod ending;
mod names;
mod sockets;
mod tokens;
mod tree;

use tlswhy_wire::ProtocolVersion;

use crate::dialects::{Commands, Context, Dialect, Likeness};
use crate::release::Release;
use crate::service::{Library, Reading, Side};

pub(crate) static DIALECT: Dialect = Dialect {
    name: "lighttpd",
    title: "lighttpd",
    sides: &[Side::Server],
    places: &[
        "/etc/lighttpd/lighttpd.conf",
        "/usr/local/etc/lighttpd/lighttpd.conf",
        "/opt/homebrew/etc/lighttpd/lighttpd.conf",
    ],
    recognise,
    read,
    mend: ending::mend,
    commands: |main| {
        let check = ["lighttpd", "-tt", "-f", main].map(str::to_owned).to_vec();
        Commands { check, ..Commands::of("", "systemctl restart lighttpd") }
    },
};

fn recognise(path: &str, bytes: &[u8]) -> Likeness {
    if path.ends_with("/lighttpd.conf") {
        return Likeness::Name;
    }
    let start = bytes.get(..bytes.len().min(64 * 1024)).unwrap_or_default();
    let (tokens, _) = tokens::tokens(start);
    let known = ["server.modules", "server.document-root", "ssl.engine", "ssl.pemfile", "ssl.openssl.ssl-conf-cmd"];
    let names = |token: &tokens::Token| matches!(&token.kind, tokens::Kind::Name(name) if known.contains(&name.as_str()));
    if tokens.iter().any(names) { Likeness::Content } else { Likeness::None }
}

/// The program as the package data tells of it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Program {
    release: Option<Release>,
    openssl: Option<Release>,
}

/// Suites up to TLS 1.2 where no line names any, from the release on (LIGHTTPD_DEFAULT_CIPHER_LIST of mod_openssl.c; before
/// that `HIGH`).
const DEFAULT_CIPHERS: &[(Release, &str)] = &[
    (Release::new(1, 4, 75), "EECDH+AESGCM:CHACHA20:!PSK:!DHE"),
    (Release::new(1, 4, 68), "EECDH+AESGCM:AES256+EECDH:CHACHA20:!SHA1:!SHA256:!SHA384"),
    (Release::new(0, 0, 0), "HIGH"),
];

impl Program {
    fn of(context: &Context<'_>) -> Program {
        Program { release: context.files.release_of("lighttpd"), openssl: context.files.openssl_of("lighttpd") }
    }

    /// Whether it is at least this release of 1.4; what is not known counts as new.
    fn since(self, patch: u32) -> bool {
        self.release.is_none_or(|release| release >= Release::new(1, 4, patch))
    }

    fn name(self) -> String {
        match self.release {
            Some(release) => format!("lighttpd {release}"),
            None => "lighttpd (version not known, taken for a new one)".to_owned(),
        }
    }

    /// The lowest version where no line says: TLS 1.3 since 1.4.77, TLS 1.2 since 1.4.56, before that the library's.
    fn lowest(self) -> Option<ProtocolVersion> {
        match () {
            () if self.since(77) => Some(ProtocolVersion::TLSV1_3),
            () if self.since(56) => Some(ProtocolVersion::TLSV1_2),
            () => None,
        }
    }

    fn ciphers(self) -> &'static str {
        let reached = |release: &Release| self.release.is_none_or(|own| own >= *release);
        DEFAULT_CIPHERS.iter().find(|(release, _)| reached(release)).map_or("HIGH", |(_, list)| list)
    }

    /// The library that the module is written for; mod_openssl where none is named.
    fn library(self, modules: &[String]) -> Library {
        let loaded = |name: &str| modules.iter().any(|module| module == name);
        match () {
            () if loaded("mod_openssl") => Library::OpenSsl(self.openssl),
            () if loaded("mod_gnutls") => Library::GnuTls(None),
            () if loaded("mod_nss") => Library::Nss(None),
            () if loaded("mod_mbedtls") => Library::Other("mbedTLS".to_owned()),
            () if loaded("mod_wolfssl") => Library::Other("wolfSSL".to_owned()),
            () => Library::OpenSsl(self.openssl),
        }
    }
}

fn read(context: &Context<'_>) -> Reading {
    let program = Program::of(context);
    let mut reader = tree::Reader::new(context.files, context.main);
    reader.file(context.main, 0, None);
    let mut reading = Reading { services: Vec::new(), troubles: std::mem::take(&mut reader.troubles), files: reader.read };
    sockets::read(program, &reader.blocks, &mut reading);
    reading
}
