//! Apache httpd with mod_ssl: virtual hosts, the main server, and the upstream side of its proxies.
//!
//! Sources: <https://httpd.apache.org/docs/2.4/mod/mod_ssl.html>, the source of httpd 2.4 (modules/ssl, server/config.c,
//! server/vhost.c); what is marked "measured" was seen on 2.4.71 with OpenSSL 3.0.19.

mod conditions;
mod ending;
mod lines;
mod proxies;
mod servers;
mod settings;
mod tree;
mod variables;

use tlswhy_wire::ProtocolVersion;

use crate::dialects::{Commands, Context, Dialect, Likeness};
use crate::files::directory_of;
use crate::release::Release;
use crate::service::{Library, Reading, Side};

pub(crate) static DIALECT: Dialect = Dialect {
    name: "apache",
    title: "Apache httpd",
    sides: &[Side::Server, Side::Client],
    places: &[
        "/etc/apache2/apache2.conf",
        "/etc/httpd/conf/httpd.conf",
        "/usr/local/apache2/conf/httpd.conf",
        "/etc/apache2/httpd.conf",
        "/usr/local/etc/apache24/httpd.conf",
        "/opt/homebrew/etc/httpd/httpd.conf",
    ],
    recognise,
    read,
    mend: ending::mend,
    commands,
};

fn recognise(path: &str, bytes: &[u8]) -> Likeness {
    if path.ends_with("/apache2.conf") || path.ends_with("/httpd.conf") {
        return Likeness::Name;
    }
    let head = bytes.get(..bytes.len().min(64 * 1024)).unwrap_or_default();
    let speaks = |text: &str| {
        let text = text.to_ascii_lowercase();
        ["<virtualhost ", "<virtualhost>", "<ifmodule ", "sslengine ", "sslprotocol ", "sslciphersuite ", "loadmodule "]
            .iter()
            .any(|word| text.starts_with(word))
    };
    if lines::lines(head).iter().any(|line| speaks(&line.text)) { Likeness::Content } else { Likeness::None }
}

fn commands(main: &str) -> Commands {
    match main {
        "/etc/apache2/apache2.conf" => Commands::of("apache2ctl configtest", "apache2ctl graceful"),
        "/etc/httpd/conf/httpd.conf" | "/usr/local/apache2/conf/httpd.conf" => {
            Commands::of("apachectl configtest", "apachectl graceful")
        }
        main => {
            // Debian's control script sets the variables that its files use, and hands further options on.
            let program = if main.starts_with("/etc/apache2") { "apache2ctl" } else { "httpd" };
            let with = |rest: &[&str]| {
                let mut words = vec![program.to_owned()];
                words.extend(rest.iter().map(|word| (*word).to_owned()));
                words.extend(["-f".to_owned(), main.to_owned()]);
                words
            };
            Commands { check: with(&["-t"]), reload: with(&["-k", "graceful"]) }
        }
    }
}

/// ServerRoot as it is compiled in, by where the main file lies: `/etc/apache2`, `/etc/httpd` of `/etc/httpd/conf/httpd.conf`.
fn server_root(main: &str) -> String {
    let directory = directory_of(main);
    directory.strip_suffix("/conf").filter(|root| !root.is_empty()).unwrap_or(directory).to_owned()
}

/// The program as the files and the package data tell of it.
#[derive(Clone, Copy, Debug)]
struct Program {
    release: Option<Release>,
    openssl: Option<Release>,
}

impl Program {
    fn of(context: &Context<'_>) -> Program {
        Program { release: context.files.release_of("apache"), openssl: context.files.openssl_of("apache") }
    }

    /// Its release; one that is not known counts as a new one.
    fn release(self) -> Release {
        self.release.unwrap_or(Release::new(2, 4, 999))
    }

    /// Whose defaults are spoken of.
    fn name(self) -> String {
        match self.release {
            Some(release) => format!("Apache httpd {release}"),
            None => "Apache httpd (version not known, taken for a new one)".to_owned(),
        }
    }

    fn library(self) -> Library {
        Library::OpenSsl(self.openssl)
    }

    fn openssl_since(self, major: u32, minor: u32, patch: u32) -> bool {
        self.openssl.is_none_or(|openssl| openssl >= Release::new(major, minor, patch))
    }

    /// Since 2.4.42 with OpenSSL 1.1.1 the virtual host is found before the version is chosen.
    fn name_decides_versions(self) -> bool {
        self.release() >= Release::new(2, 4, 42) && self.openssl_since(1, 1, 1)
    }

    fn has_tls13(self) -> bool {
        self.release() >= Release::new(2, 4, 36) && self.openssl_since(1, 1, 1)
    }

    /// OpenSSL is built without SSL 3.0 since 1.1.0, unless asked for.
    fn has_sslv3(self) -> bool {
        !self.openssl_since(1, 1, 0)
    }

    /// What `all` stands for.
    fn all_versions(self) -> Vec<ProtocolVersion> {
        let mut all = vec![ProtocolVersion::TLSV1_0];
        if self.has_sslv3() {
            all.insert(0, ProtocolVersion::SSLV3);
        }
        // TLS 1.1 and 1.2 came with OpenSSL 1.0.1 and httpd 2.2.24.
        if self.openssl_since(1, 0, 1) && self.release() >= Release::new(2, 2, 24) {
            all.extend([ProtocolVersion::TLSV1_1, ProtocolVersion::TLSV1_2]);
        }
        if self.has_tls13() {
            all.push(ProtocolVersion::TLSV1_3);
        }
        all
    }

    /// The versions that are on where no line says, and how one would write it.
    fn default_versions(self) -> (Vec<ProtocolVersion>, &'static str) {
        let mut all = self.all_versions();
        if self.release() < Release::new(2, 4, 17) {
            return (all, "all");
        }
        all.retain(|version| *version != ProtocolVersion::SSLV3);
        (all, "all -SSLv3")
    }

    /// With OpenSSL 1.1.0 a set becomes a range: from its highest version down to the first gap.
    fn without_holes(self, versions: &[ProtocolVersion]) -> Vec<ProtocolVersion> {
        if !self.openssl_since(1, 1, 0) {
            return versions.to_vec();
        }
        let mut range: Vec<ProtocolVersion> = Vec::new();
        for version in versions.iter().rev() {
            if range.last().is_none_or(|last| last.0 == version.0 + 1) {
                range.push(*version);
            }
        }
        range.reverse();
        range
    }
}

fn read(context: &Context<'_>) -> Reading {
    let program = Program::of(context);
    let mut reader = tree::Reader::new(context.files, program, context.main);
    let nodes = reader.main(context.main);
    let has_ssl = reader.modules.has("ssl_module");
    let has_md = nodes.iter().any(|node| matches!(node.name.as_str(), "mdomain" | "<mdomainset" | "mdomainset"));
    let mut found = servers::Found { program, root: &reader.root, has_ssl, has_md, services: Vec::new(), troubles: Vec::new() };
    found.read(&nodes);
    let servers::Found { services, troubles, .. } = found;
    reader.troubles.extend(troubles);
    Reading { services, troubles: reader.troubles, files: reader.read }
}
