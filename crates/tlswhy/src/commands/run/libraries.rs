//! Which configurations bear on a process: those of the TLS library that it has loaded, its own, and its environment.

use std::path::{Path, PathBuf};

use tlswhy_core::knowledge::software::title;
use tlswhy_gather::observe::{JVM, Process};
use tlswhy_gather::tls_library;
use tlswhy_model::{GivenConfiguration, InstalledSoftware, Party, Software};

use crate::commands::machine;
use crate::commands::watched::Bearing;

/// Files of a library: its title, the variable that names another file, and the usual places, the first of which that exists counts.
/// Sources: config(5) of OpenSSL, GnuTLS's manual ("System-wide configuration of the library").
const OF_LIBRARIES: &[(&str, &str, &[&str])] = &[
    ("OpenSSL", "OPENSSL_CONF", machine::OPENSSL_CNF),
    ("GnuTLS", "GNUTLS_SYSTEM_PRIORITY_FILE", &["/etc/gnutls/config", "/etc/crypto-policies/back-ends/gnutls.config"]),
];
/// Files of a program, by the name of its file; `$NAME/` begins those that lie where a variable says. Sources: curl(1), wget(1),
/// git-config(1), the documentation of libpq ("The Connection Service File").
const OF_PROGRAMS: &[(&str, &[&str])] = &[
    ("curl", &["$CURL_HOME/.curlrc", "$XDG_CONFIG_HOME/.curlrc", "$HOME/.curlrc"]),
    ("wget", &["/etc/wgetrc", "$WGETRC", "$HOME/.wgetrc"]),
    ("git-remote-https", GIT),
    ("git-remote-http", GIT),
    ("psql", &["$PGSERVICEFILE", "$HOME/.pg_service.conf"]),
];
const GIT: &[&str] =
    &["/etc/gitconfig", "$XDG_CONFIG_HOME/git/config", "$HOME/.config/git/config", "$HOME/.gitconfig", "$GIT_CONFIG_GLOBAL"];
/// Variables that are a configuration by themselves, of programs that need load no library.
const TELLING: &[&str] = &["GODEBUG", "NODE_OPTIONS"];
/// Where java.security lies below a home: since Java 9, and before.
const OF_JAVA: &[&str] = &["conf/security/java.security", "lib/security/java.security", "jre/lib/security/java.security"];
/// How the file is named that comes on top of it.
const ON_TOP: &str = "-Djava.security.properties=";

/// What bears on a process.
pub(super) fn bearing(process: &Process) -> Bearing {
    Bearing {
        configurations: configurations(process),
        software: software(process),
        files: process.files(),
        program: program(process),
    }
}

/// The program of a process with its TLS library, where one is loaded or built in and its file tells the version. A Java client is
/// known by its hello and its own files.
fn program(process: &Process) -> Option<Software> {
    let (product, version, path) = tls_library(process).filter(|(product, ..)| *product != "java")?;
    Some(Software {
        product: process.name.clone(),
        version: String::new(),
        library: Some(format!("{} {version}", title(product))),
        read_from: Some(path),
    })
}

/// The configurations of a process that exist on this machine.
fn configurations(process: &Process) -> Vec<GivenConfiguration> {
    let of_libraries = OF_LIBRARIES.iter().filter(|(title, ..)| process.has(title));
    let named = of_libraries.filter_map(|(_, variable, places)| match process.variable(variable) {
        // An empty one names no file at all.
        Some(path) => Some(PathBuf::from(path)).filter(|path| path.is_file()),
        None => places.iter().map(PathBuf::from).find(|path| path.is_file()),
    });
    let of_program = OF_PROGRAMS.iter().filter(|(name, _)| *name == process.name).flat_map(|(_, places)| places.iter());
    let own = of_program.filter_map(|place| placed(place, process)).filter(|path| path.is_file());
    let told = process.environment.iter().any(|(name, _)| TELLING.contains(&name.as_str()));
    let environment = told.then(|| PathBuf::from(format!("/proc/{}/environ", process.id)));
    let given = |path: PathBuf| GivenConfiguration {
        party: Some(Party::Client),
        path: std::path::absolute(&path).unwrap_or(path).to_string_lossy().into_owned(),
    };
    named.chain(own).chain(of_java(process)).chain(environment).map(given).collect()
}

/// The file that comes on top, which is read with what it is on top of; else that of the virtual machine.
fn of_java(process: &Process) -> Option<PathBuf> {
    let home = java_home(process)?;
    let options = ["_JAVA_OPTIONS", "JDK_JAVA_OPTIONS", "JAVA_TOOL_OPTIONS"].iter().filter_map(|name| process.variable(name));
    let words = process.arguments.iter().map(String::as_str).chain(options.flat_map(str::split_whitespace));
    let on_top = words.filter_map(|word| word.strip_prefix(ON_TOP)).map(|path| PathBuf::from(path.trim_start_matches('=')));
    let own = OF_JAVA.iter().map(|below| home.join(below));
    on_top.chain(own).find(|path| path.is_file())
}

/// `/usr/lib/jvm/java-17-openjdk-amd64` of `…/lib/server/libjvm.so`.
fn java_home(process: &Process) -> Option<PathBuf> {
    let library = process.libraries.iter().find(|library| library.title == JVM)?;
    Path::new(&library.path).ancestors().find(|folder| folder.join("release").is_file()).map(Path::to_owned)
}

/// The version of its virtual machine, as the file `release` of its home has it.
fn software(process: &Process) -> Vec<InstalledSoftware> {
    let Some(path) = java_home(process).map(|home| home.join("release")) else { return Vec::new() };
    // One that cannot be read tells nothing.
    let text = std::fs::read_to_string(&path).unwrap_or_default();
    let version = text.lines().find_map(|line| line.strip_prefix("JAVA_VERSION="));
    let java = |version: &str| InstalledSoftware {
        product: "java".to_owned(),
        version: Some(version.trim_matches('"').to_owned()),
        source: path.display().to_string(),
        ..InstalledSoftware::default()
    };
    version.map(java).into_iter().collect()
}

fn placed(place: &str, process: &Process) -> Option<PathBuf> {
    let Some(rest) = place.strip_prefix('$') else { return Some(PathBuf::from(place)) };
    let (variable, below) = rest.split_once('/').unwrap_or((rest, ""));
    let start = Path::new(process.variable(variable)?);
    Some(if below.is_empty() { start.to_owned() } else { start.join(below) })
}
