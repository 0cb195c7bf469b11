//! How to reach a server, from the options that every command shares which connects to one.

use std::net::IpAddr;
use std::time::Duration;

use tlswhy_core::Family;
use tlswhy_gather::{Live, Proxy, proxy_from_environment};
use tlswhy_model::{ClientProfile, Subject};

use crate::cli::{Connection, Pace, Sni};
use crate::exit::Failure;
use crate::target::{Host, Target};

/// What stands between connections at a slow pace.
const PAUSE: Duration = Duration::from_millis(500);
/// Connections that stand at once at a fast one.
const MANY: usize = 16;

/// What is examined, in the words of the evidence.
pub(super) fn subject(arguments: &Connection, target: &Target, proxy: Option<&Proxy>, clients: &[ClientProfile]) -> Subject {
    let upgrade = arguments.starttls.or(target.upgrade());
    let server_name = match &arguments.sni {
        Some(Sni::None) => None,
        Some(Sni::Name(name)) => Some(name.clone()),
        None => target.host.server_name().map(str::to_owned),
    };
    Subject {
        target: target.given.clone(),
        host: target.host.to_string(),
        port: target.port(upgrade),
        address: None,
        server_name,
        upgrade: upgrade.map(|upgrade| upgrade.name.to_owned()),
        application: target.scheme().map(str::to_owned),
        via: proxy.map(Proxy::to_string),
        client: clients.iter().map(|client| client.title.as_str()).collect::<Vec<_>>().join(", "),
    }
}

/// How to reach one target.
pub(super) fn live(arguments: &Connection, target: &Target) -> Result<Live, Failure> {
    let proxy = match arguments.proxy.as_deref() {
        Some("none") => None,
        Some(text) => Some(text.parse::<Proxy>().map_err(|error| Failure::new(format!("--proxy: {error}")))?),
        // As browsers and Go have it: what runs on this machine is not asked through a proxy unless the user says so.
        None if is_local(&target.host) => None,
        None => proxy_from_environment(target.scheme().unwrap_or("https"), &target.host.to_string())
            .map_err(|error| Failure::new(format!("the environment names a proxy: {error}")).tip("--proxy none ignores it"))?,
    };
    let usual = Live::default();
    let (parallel, pause) = match arguments.pace {
        Pace::Slow => (1, PAUSE),
        Pace::Normal => (usual.parallel, usual.pause),
        Pace::Fast => (MANY, usual.pause),
    };
    let mut live = Live { proxy, parallel, pause, ..usual };
    if let Some(timeout) = arguments.timeout {
        live.connect_timeout = timeout;
        live.tls_timeout = timeout;
    }
    Ok(live)
}

fn is_local(host: &Host) -> bool {
    match host {
        Host::Name(name) => name.trim_end_matches('.') == "localhost" || name.trim_end_matches('.').ends_with(".localhost"),
        Host::Address(IpAddr::V4(address)) => address.is_loopback(),
        Host::Address(IpAddr::V6(address)) => address.is_loopback(),
    }
}

/// The address family that is wanted.
pub(super) fn family(arguments: &Connection) -> Option<Family> {
    match (arguments.ipv4, arguments.ipv6) {
        (true, _) => Some(Family::V4),
        (_, true) => Some(Family::V6),
        _ => None,
    }
}

/// Whether the domain name system may be asked about the target: it is a name of more than this machine or network, and neither
/// a proxy nor the user has taken its resolving over.
pub(super) fn is_in_dns(arguments: &Connection, target: &Target, live: &Live) -> bool {
    let is_name = matches!(&target.host, Host::Name(name) if name.trim_end_matches('.').contains('.'));
    is_name && !is_local(&target.host) && live.proxy.is_none() && arguments.address.is_none()
}
