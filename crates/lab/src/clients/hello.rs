//! The first hello of a real program.

use std::fs::File;
use std::io::{self, Read as _};
use std::net::TcpListener;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use tlswhy_wire::client_hello::from_records;
use tlswhy_wire::{CipherSuite, ExtensionSpec, NamedGroup, ProtocolVersion, SignatureScheme};

use super::greeting;
use crate::configs::{Case, Placed};
use crate::server::find_program;

/// How long a program may take to its hello: node and git are slow on a busy machine.
const LIMIT: Duration = Duration::from_secs(20);

/// What a hello offers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Offer {
    /// Newest first. Without the extension only the highest is known.
    pub versions: Vec<ProtocolVersion>,
    /// Whether the extension lists the versions.
    pub lists_versions: bool,
    /// In their order, signalling values left out.
    pub suites: Vec<CipherSuite>,
    /// In their order.
    pub groups: Vec<NamedGroup>,
    /// In their order; empty without the extension.
    pub schemes: Vec<SignatureScheme>,
}

/// Runs the program of a case until its first hello is there or it ends; what it sent, and what it printed.
pub(super) fn of(case: &Case, placed: &Placed) -> io::Result<(Option<Offer>, String)> {
    let port = placed.ports.first().copied().unwrap_or_default();
    let upgrade = case.looks.first().and_then(|look| look.upgrade);
    let listener = TcpListener::bind(("127.0.0.1", port))?;
    listener.set_nonblocking(true)?;
    let program = find_program(case.program).ok_or(io::ErrorKind::NotFound)?;
    let said = placed.path("said");
    let output = File::create(&said)?;
    let mut child = Command::new(program)
        .args(case.args.iter().map(|argument| placed.fill(argument)))
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .env("HOME", placed.dir())
        .env("LC_ALL", "C")
        .envs(case.env.iter().map(|(name, value)| (*name, placed.fill(value))))
        .current_dir(placed.dir())
        .stdin(Stdio::null())
        .stdout(output.try_clone()?)
        .stderr(output)
        .spawn()?;
    let began = Instant::now();
    let mut offer = None;
    while offer.is_none() && began.elapsed() < LIMIT {
        match listener.accept() {
            Ok((stream, _)) => offer = read(stream, upgrade),
            Err(_) if matches!(child.try_wait(), Ok(None)) => std::thread::sleep(Duration::from_millis(10)),
            // What came before its end counts.
            Err(_) => {
                offer = listener.accept().ok().and_then(|(stream, _)| read(stream, upgrade));
                break;
            }
        }
    }
    drop(listener);
    let _ = child.kill();
    let _ = child.wait();
    Ok((offer, String::from_utf8_lossy(&std::fs::read(said)?).into_owned()))
}

/// The hello on a connection, after what is said in plain text before it.
fn read(mut stream: std::net::TcpStream, upgrade: Option<&str>) -> Option<Offer> {
    stream.set_nonblocking(false).ok()?;
    stream.set_read_timeout(Some(Duration::from_secs(5))).ok()?;
    let mut bytes = greeting::of(&mut stream, upgrade).ok()?;
    let mut buffer = [0; 16 * 1024];
    loop {
        if let Ok((record, hello)) = from_records(&bytes) {
            let spec = hello.to_spec(record);
            let grease = |number: u16| number & 0x0f0f == 0x0a0a && number >> 8 == number & 0xff;
            let listed = spec.extensions.iter().flatten().find_map(|extension| match extension {
                ExtensionSpec::SupportedVersions(versions) => Some(versions.clone()),
                _ => None,
            });
            let groups = spec.extensions.iter().flatten().find_map(|extension| match extension {
                ExtensionSpec::SupportedGroups(groups) => Some(groups.clone()),
                _ => None,
            });
            let schemes = spec.extensions.iter().flatten().find_map(|extension| match extension {
                ExtensionSpec::SignatureAlgorithms(schemes) => Some(schemes.clone()),
                _ => None,
            });
            let mut versions = listed.clone().unwrap_or_else(|| vec![hello.legacy_version.value]);
            versions.sort_unstable_by(|a, b| b.cmp(a));
            let signalling = |suite: &CipherSuite| matches!(suite.0, 0x00ff | 0x5600) || grease(suite.0);
            return Some(Offer {
                lists_versions: listed.is_some(),
                versions,
                suites: hello.cipher_suites.value.iter().map(|suite| suite.value).filter(|suite| !signalling(suite)).collect(),
                groups: groups.unwrap_or_default().into_iter().filter(|group| !grease(group.0)).collect(),
                schemes: schemes.unwrap_or_default(),
            });
        }
        match stream.read(&mut buffer) {
            Ok(count @ 1..) if bytes.len() < 70_000 => bytes.extend_from_slice(buffer.get(..count)?),
            _ => return None,
        }
    }
}
