//! Which configurations bear on a process: those of the TLS library that it has loaded, and its own.

use std::env;
use std::path::{Path, PathBuf};

use tlswhy_gather::observe::Process;
use tlswhy_model::{GivenConfiguration, Party};

/// Files of a library: its title, the variable that names another file (empty: none), and the usual places, the first of which that
/// exists counts. Sources: config(5) of OpenSSL, GnuTLS's manual ("System-wide configuration of the library").
const OF_LIBRARIES: &[(&str, &str, &[&str])] = &[
    ("OpenSSL", "OPENSSL_CONF", &["/etc/ssl/openssl.cnf", "/etc/pki/tls/openssl.cnf", "/usr/local/ssl/openssl.cnf"]),
    ("GnuTLS", "GNUTLS_SYSTEM_PRIORITY_FILE", &["/etc/gnutls/config", "/etc/crypto-policies/back-ends/gnutls.config"]),
];
/// Files of a program, by the name of its file; those that begin with `~/` lie in the home directory. Sources: curl(1), wget(1),
/// git-config(1).
const OF_PROGRAMS: &[(&str, &[&str])] = &[
    ("curl", &["~/.curlrc"]),
    ("wget", &["/etc/wgetrc", "~/.wgetrc"]),
    ("git-remote-https", &["/etc/gitconfig", "~/.config/git/config", "~/.gitconfig"]),
    ("git-remote-http", &["/etc/gitconfig", "~/.config/git/config", "~/.gitconfig"]),
];

/// The configurations of a process that exist on this machine.
pub(super) fn configurations(process: &Process) -> Vec<GivenConfiguration> {
    let of_libraries = OF_LIBRARIES.iter().filter(|(title, ..)| process.libraries.iter().any(|loaded| loaded.title == *title));
    let named = of_libraries.filter_map(|(_, variable, places)| match env::var_os(variable) {
        // An empty one names no file at all.
        Some(path) => Some(PathBuf::from(path)).filter(|path| path.is_file()),
        None => places.iter().map(PathBuf::from).find(|path| path.is_file()),
    });
    let of_program = OF_PROGRAMS.iter().filter(|(name, _)| *name == process.name).flat_map(|(_, places)| places.iter());
    let own = of_program.filter_map(|place| in_home(place)).filter(|path| path.is_file());
    let given = |path: PathBuf| GivenConfiguration {
        party: Some(Party::Client),
        path: std::path::absolute(&path).unwrap_or(path).to_string_lossy().into_owned(),
    };
    named.chain(own).map(given).collect()
}

fn in_home(place: &str) -> Option<PathBuf> {
    match place.strip_prefix("~/") {
        Some(rest) => Some(Path::new(&env::var_os("HOME")?).join(rest)),
        None => Some(PathBuf::from(place)),
    }
}
