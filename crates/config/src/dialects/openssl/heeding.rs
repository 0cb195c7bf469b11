//! Which programs heed system_default: many set some of it themselves, whatever the file says.

use crate::release::Release;
use crate::service::Heeds;

/// One program.
#[derive(Clone, Copy, Debug)]
pub struct Heeding {
    /// Its name.
    pub program: &'static str,
    /// The first release that the row is for.
    pub since: Release,
    /// What it heeds.
    pub heeds: Heeds,
    /// How that is known.
    pub source: &'static str,
}

/// What a program leaves to the library that sets the versions itself.
const NOT_VERSIONS: Heeds = Heeds { minimum_version: false, maximum_version: false, ..Heeds::ALL };

/// The programs, each with its newest row first. Measured by the hello that each sends under nine openssl.cnf files, with
/// OpenSSL 3.0.19 on Debian 12.
pub const PROGRAMS: &[Heeding] = &[
    Heeding { program: "s_client", since: Release::new(0, 0, 0), heeds: Heeds::ALL, source: "measured, 3.0.19" },
    Heeding {
        program: "curl",
        since: Release::new(0, 0, 0),
        // It sets its own maximum on every context.
        heeds: Heeds { maximum_version: false, ..Heeds::ALL },
        source: "measured, 7.88.1",
    },
    Heeding {
        program: "python",
        since: Release::new(3, 10, 0),
        // Its own minimum and its own list with a level.
        heeds: Heeds { minimum_version: false, cipher_list: false, security_level: false, ..Heeds::ALL },
        source: "measured, 3.10.13, 3.11.7, 3.12.1 and 3.13.0 built from source; <https://docs.python.org/3/whatsnew/3.10.html>",
    },
    Heeding {
        program: "python",
        since: Release::new(3, 6, 0),
        // Its own list, without a level.
        heeds: Heeds { cipher_list: false, ..Heeds::ALL },
        source: "measured, 3.6.15, 3.7.16, 3.8.18 and 3.9.18 built from source",
    },
    Heeding {
        program: "python-of-debian",
        since: Release::new(3, 6, 0),
        heeds: Heeds::ALL,
        source: "measured, Debian's 3.11.2 (built `--with-ssl-default-suites=openssl`)",
    },
    // What a package sets on top of its Python.
    Heeding {
        program: "urllib3",
        since: Release::new(2, 0, 0),
        heeds: Heeds { minimum_version: false, ..Heeds::ALL },
        source: "measured, 2.6.3 and 2.8.0 on Python 3.9, 3.11 and 3.13",
    },
    Heeding {
        program: "urllib3",
        since: Release::new(1, 21, 0),
        heeds: Heeds { cipher_list: false, ..Heeds::ALL },
        source: "measured, 1.26.12 and 1.26.20 on Python 3.11 and 3.13",
    },
    Heeding {
        program: "ruby-net-http",
        since: Release::new(0, 0, 0),
        heeds: NOT_VERSIONS,
        source: "measured, Ruby 3.1; a plain OpenSSL::SSL::SSLContext heeds everything",
    },
    Heeding { program: "ruby", since: Release::new(0, 0, 0), heeds: Heeds::ALL, source: "measured, SSLContext of Ruby 3.1" },
    Heeding {
        program: "php",
        since: Release::new(0, 0, 0),
        // Streams have their own list (without a level) and their own versions.
        heeds: Heeds { cipher_list: false, ..NOT_VERSIONS },
        source: "measured, streams of PHP 8.2",
    },
    Heeding {
        program: "node",
        since: Release::new(0, 0, 0),
        heeds: Heeds { section: Some("nodejs_conf"), cipher_list: false, cipher_suites: false, ..NOT_VERSIONS },
        source: "measured, Node.js 20.20.2 with its own OpenSSL 3.0.19; `--openssl-shared-config` makes it begin by `openssl_conf`",
    },
    Heeding {
        program: "perl",
        since: Release::new(0, 0, 0),
        heeds: Heeds { cipher_list: false, ..Heeds::ALL },
        source: "measured, IO::Socket::SSL of Perl 5.36",
    },
    Heeding { program: "wget", since: Release::new(0, 0, 0), heeds: Heeds::NOTHING, source: "measured, Debian's (GnuTLS)" },
    Heeding { program: "git", since: Release::new(0, 0, 0), heeds: Heeds::NOTHING, source: "measured, Debian's (GnuTLS)" },
];

/// Programs that end where a file with `config_diagnostics` cannot be loaded (measured on 3.0.19). curl 7.88.1, Debian's Python 3.11.2 and
/// PHP 8.2 go on without it; of others it is not known.
const STOP_AT_DIAGNOSTICS: &[&str] = &["ruby", "ruby-net-http", "s_client"];

/// Whether a program is known to end where a file with `config_diagnostics` cannot be loaded.
pub fn stops_at_diagnostics(program: &str) -> bool {
    STOP_AT_DIAGNOSTICS.contains(&program)
}

/// What this release of a program heeds; `None` where nothing is known of it. A release that is not known counts as the newest.
pub fn heeds(program: &str, release: Option<Release>) -> Option<Heeds> {
    let fits = |row: &&Heeding| row.program == program && release.is_none_or(|release| release >= row.since);
    PROGRAMS.iter().find(fits).map(|row| row.heeds)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_row_of_the_release_counts() {
        let minimum = |release| heeds("python", release).map(|heeds| heeds.minimum_version);
        assert_eq!(minimum(Some(Release::new(3, 9, 2))), Some(true));
        assert_eq!(minimum(Some(Release::new(3, 11, 0))), Some(false));
        assert_eq!(minimum(None), Some(false));
        let level = |release| heeds("python", Some(release)).map(|heeds| (heeds.cipher_list, heeds.security_level));
        assert_eq!(level(Release::new(3, 9, 18)), Some((false, true)), "its own list has no level");
        assert_eq!(heeds("nonsuch", None), None);
    }
}
