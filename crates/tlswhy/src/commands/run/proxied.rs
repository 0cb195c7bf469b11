//! The command where its connections cannot be held: it is told of a proxy, in the ways in which programs are told.

use std::ffi::OsString;
use std::net::SocketAddr;
use std::{env, io};

use tokio::process::{Child, Command};

/// Variables that name a proxy: curl(1), wget(1), Python's urllib and requests, Go's net/http, git, .NET.
const NAMES: [&str; 6] = ["http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"];
/// Variables that name hosts which are asked without.
const EXCEPTIONS: [&str; 2] = ["no_proxy", "NO_PROXY"];
/// What Java virtual machines take their properties from (JDK, "Networking Properties"; nobody is excepted).
const JAVA: &str = "JAVA_TOOL_OPTIONS";
/// Node.js heeds the variables with this (22.21 and 24.5 and later).
const NODE: &str = "NODE_USE_ENV_PROXY";

/// The variable by which the command has a proxy already, in whose place ours cannot stand.
pub(super) fn taken() -> Option<&'static str> {
    NAMES.into_iter().find(|name| env::var_os(name).is_some_and(|value| !value.is_empty()))
}

/// Starts a command with this proxy in its environment.
pub(super) fn start(command: &[OsString], proxy: SocketAddr) -> io::Result<Child> {
    let (program, arguments) = command.split_first().ok_or(io::ErrorKind::NotFound)?;
    let mut starting = Command::new(program);
    starting.args(arguments);
    for name in NAMES {
        starting.env(name, format!("http://{proxy}"));
    }
    for name in EXCEPTIONS {
        starting.env_remove(name);
    }
    let mut java = env::var_os(JAVA).unwrap_or_default();
    for scheme in ["http", "https"] {
        java.push(format!(" -D{scheme}.proxyHost={} -D{scheme}.proxyPort={}", proxy.ip(), proxy.port()));
    }
    java.push(" -Dhttp.nonProxyHosts=");
    starting.env(JAVA, java).env(NODE, "1").spawn()
}
