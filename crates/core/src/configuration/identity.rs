//! Who a client profile is, in the words of the configurations: its program, its library, the versions of both.

use tlswhy_config::{Heeds, Library, Release, heeds, stops_at_diagnostics};
use tlswhy_model::{ClientProfile, InstalledSoftware, LinkedLibrary, WATCHED_CLIENT};

use crate::knowledge::local_openssl::LOCAL;

/// A program as profiles call it, and as configurations do.
struct Program {
    /// In [`tlswhy_model::Software::product`].
    product: &'static str,
    /// In [`InstalledSoftware::product`].
    installed: &'static str,
    /// In [`tlswhy_config::PROGRAMS`]; `None` where no row tells what of openssl.cnf it heeds.
    heeding: Option<&'static str>,
    /// In [`tlswhy_config::Service::program`], where files of its own are read.
    service: Option<&'static str>,
    /// It is the library itself, and stands for every program on it.
    is_library: bool,
}

/// Python, whose builds differ in what they leave to OpenSSL.
const PYTHON: &str = "python";

const fn program(
    product: &'static str,
    installed: &'static str,
    heeding: Option<&'static str>,
    service: Option<&'static str>,
) -> Program {
    Program { product, installed, heeding, service, is_library: false }
}

/// The programs of the bundled profiles that read a file of which something is known here.
const PROGRAMS: &[Program] = &[
    Program { is_library: true, ..program("GnuTLS", "gnutls", None, None) },
    Program { is_library: true, ..program("Go", "go", None, Some("Go")) },
    program("Node.js", "node", Some("node"), Some("Node.js")),
    program("OpenJDK", "java", None, Some("java")),
    Program { is_library: true, ..program("OpenSSL", "openssl", Some("s_client"), None) },
    program("PHP", "php", Some("php"), None),
    program("Python", "python", Some(PYTHON), Some("Python")),
    program("Ruby", "ruby", Some("ruby-net-http"), None),
    program("curl", "curl", Some("curl"), Some("curl")),
    program("git", "git", None, Some("git")),
    program("requests", "python", Some(PYTHON), Some("Python")),
    program("wget", "wget", None, Some("wget")),
];

/// Products that are a package on top of a program, and the part of them that sets what of its library's policy.
const PACKAGES: &[(&str, &str)] = &[("requests", "urllib3")];

/// The client that a profile stands for.
pub(super) struct Identity {
    program: Option<&'static Program>,
    /// As the profile names it.
    product: String,
    release: Option<Release>,
    /// The package on top of its program that sets some of its library's policy itself, as the heedings call it; its release where it is
    /// known.
    package: Option<(&'static str, Option<Release>)>,
    /// It is a build of Debian's, or of Ubuntu's.
    is_of_debian: bool,
    /// Its TLS library; `None` where the profile names neither program nor library, and of a client that was watched: its files have
    /// cut its hello already, and are read for what they say by themselves.
    pub(super) library: Option<Library>,
    is_local: bool,
}

impl Identity {
    pub(super) fn of(client: &ClientProfile) -> Identity {
        let software = &client.software;
        let program = PROGRAMS.iter().find(|known| known.product == software.product);
        let text = software.library.as_deref().unwrap_or_default();
        // `Python 3.13.0 ssl, OpenSSL 3.0.19`: the program within a package comes first.
        let within = program.and_then(|known| after(text, known.service?));
        let package = PACKAGES.iter().find(|(product, _)| *product == software.product);
        Identity {
            program,
            product: software.product.clone(),
            release: within.or_else(|| software.version.parse().ok()),
            package: package.map(|(_, package)| (*package, after(text, package))),
            is_of_debian: text.split([' ', ',']).any(|word| word == "Debian"),
            library: library(text, &software.product, &software.version).filter(|_| client.name != WATCHED_CLIENT),
            is_local: client.name == LOCAL,
        }
    }

    /// What the profile tells of versions, so that its files are read as this client reads them. Of the system that it runs on it
    /// tells nothing, unless it is this machine's.
    pub(super) fn software(&self) -> Vec<InstalledSoftware> {
        let installed = |product: &str, version: Option<String>| InstalledSoftware {
            product: product.to_owned(),
            version,
            source: "the judged client".to_owned(),
            ..InstalledSoftware::default()
        };
        let mut software = Vec::new();
        let (name, release) = match &self.library {
            Some(Library::OpenSsl(release)) => ("openssl", *release),
            Some(Library::GnuTls(release)) => ("gnutls", *release),
            Some(Library::Jsse(release)) => ("java", *release),
            Some(Library::Go(release)) => ("go", *release),
            _ => ("", None),
        };
        let version = release.map(|release| release.to_string());
        if let Some(version) = &version {
            software.push(installed(name, Some(version.clone())));
        }
        if let Some(program) = self.program.filter(|program| program.installed != name) {
            let libraries = version.map(|version| LinkedLibrary { name: name.to_owned(), version });
            software.push(InstalledSoftware {
                libraries: libraries.into_iter().collect(),
                ..installed(program.installed, self.release.map(|release| format!("{release}{}", self.built())))
            });
        }
        if !self.is_local && self.library.is_some() {
            software.push(installed("system", None));
        }
        software
    }

    /// Whether a service with this program is the client's own.
    pub(super) fn is(&self, program: &str) -> bool {
        self.program.is_some_and(|known| known.service == Some(program))
    }

    /// Whether it is a library, which stands for every program on it.
    pub(super) fn is_library(&self) -> bool {
        self.program.is_some_and(|known| known.is_library)
    }

    /// Whether it is on a library of this kind, whatever the release.
    pub(super) fn is_on(&self, library: &Library) -> bool {
        self.library.as_ref().is_some_and(|own| std::mem::discriminant(own) == std::mem::discriminant(library))
    }

    /// What of its library's policy it heeds; `None` where that is not known.
    pub(super) fn heeds(&self) -> Option<Heeds> {
        match &self.library {
            Some(Library::OpenSsl(_)) => {
                let name = self.program?.heeding?;
                let name = if self.is_of_debian && name == PYTHON { "python-of-debian" } else { name };
                let own = heeds(name, self.release)?;
                match self.package {
                    // What it sets itself hangs on its release.
                    Some((package, release)) => Some(own.and(heeds(package, Some(release?))?)),
                    None => Some(own),
                }
            }
            // The library gives its default to whoever asks for no other, and cuts what everybody asks for.
            Some(Library::GnuTls(_)) => Some(Heeds { cipher_list: true, ..Heeds::NOTHING }),
            _ => Some(Heeds::NOTHING),
        }
    }

    /// Whose build of Python it is, as its files are told of it.
    fn built(&self) -> &'static str {
        match self.program.and_then(|program| program.heeding) {
            Some(PYTHON) if self.is_of_debian => " Debian",
            Some(PYTHON) => " upstream",
            _ => "",
        }
    }

    /// Whether it is known to end where an openssl.cnf with `config_diagnostics` cannot be loaded.
    pub(super) fn stops_at_diagnostics(&self) -> bool {
        self.program.and_then(|program| program.heeding).is_some_and(stops_at_diagnostics)
    }

    /// The program and its release.
    pub(super) fn program(&self) -> (String, Option<Release>) {
        (self.product.clone(), self.release)
    }
}

/// The library of a profile. `OpenSSL` without a number is the product itself.
fn library(text: &str, product: &str, version: &str) -> Option<Library> {
    let release = |name: &str| after(text, name).or_else(|| version.parse().ok().filter(|_| product == name));
    Some(match text {
        "" if product.is_empty() => return None,
        _ if text.split([' ', ',']).any(|word| word == "OpenSSL") => Library::OpenSsl(release("OpenSSL")),
        _ if text.starts_with("GnuTLS") => Library::GnuTls(release("GnuTLS")),
        "JSSE" => Library::Jsse(version.parse().ok()),
        "crypto/tls" => Library::Go(version.parse().ok()),
        _ => Library::Other(text.to_owned()),
    })
}

/// The release that follows a name in a text.
fn after(text: &str, name: &str) -> Option<Release> {
    let mut words = text.split([' ', ',']).filter(|word| !word.is_empty());
    words.find(|word| *word == name)?;
    words.next().filter(|word| word.starts_with(|c: char| c.is_ascii_digit()))?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn identity(name: &str) -> Identity {
        Identity::of(&crate::client(name).unwrap())
    }

    #[test]
    fn profiles_tell_their_library_and_its_release() {
        for (name, library) in [
            ("openssl-1.1.1", Library::OpenSsl(Some(Release::new(1, 1, 1)))),
            ("curl-openssl-3.0", Library::OpenSsl(Some(Release::new(3, 0, 19)))),
            ("git-2.39", Library::GnuTls(Some(Release::new(3, 7, 9)))),
            ("gnutls-3.8", Library::GnuTls(Some(Release::new(3, 8, 13)))),
            ("python-3.13-requests", Library::OpenSsl(Some(Release::new(3, 0, 19)))),
            ("java-8u161", Library::Jsse(Some(Release::new(8, 0, 0)))),
            ("go-1.24", Library::Go(Some(Release::new(1, 24, 11)))),
            ("curl-macos-11", Library::Other("LibreSSL 2.8.3".to_owned())),
        ] {
            assert_eq!(identity(name).library, Some(library), "{name}");
        }
        assert_eq!(identity("python-3.13-requests").release, Some(Release::new(3, 13, 0)));
    }

    #[test]
    fn every_program_of_a_bundled_profile_with_a_library_of_files_is_known() {
        for client in crate::clients().unwrap() {
            let identity = Identity::of(&client);
            let has_files =
                matches!(identity.library, Some(Library::OpenSsl(_) | Library::GnuTls(_) | Library::Jsse(_) | Library::Go(_)));
            // Android's programs read none.
            assert!(!has_files || identity.program.is_some() || client.software.product == "Android", "{}", client.name);
        }
    }
}
