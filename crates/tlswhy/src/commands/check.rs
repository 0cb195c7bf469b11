//! `tlswhy check`: examines servers over the network.

use std::io::{Read as _, Write};
use std::net::IpAddr;
use std::path::Path;

use tlswhy_core::{Budget, FALLBACK, Family, Request, TrustStore};
use tlswhy_gather::{Live, Proxy, load_trust_store, observe_local_openssl, proxy_from_environment, system_trust_store};
use tlswhy_model::{Attempt, Awaited, ClientProfile, Ending, Evidence, Subject};

use super::examine::{Interrupted, examine, now};
use super::reports::{Reports, Saving};
use crate::cli::{Check, Sni};
use crate::exit::{Failure, Status};
use crate::nearest::nearest;
use crate::target::{Host, Target};

/// Name of the profile of this machine's OpenSSL.
const LOCAL: &str = "openssl-local";
/// The largest profile that is read, in bytes.
const LARGEST_PROFILE: u64 = 1 << 20;

/// Examines every target and writes the reports.
pub(crate) fn run(arguments: &Check) -> Result<Status, Failure> {
    if arguments.targets.len() > 1 && arguments.save_evidence.is_some() {
        return Err(Failure::new("--save-evidence keeps the evidence of one target").tip("examine the targets one by one"));
    }
    // What can be wrong with the arguments is found before anything is asked of the network.
    let named = arguments.client.iter().map(|name| profile(name)).collect::<Result<Vec<_>, _>>()?;
    let trust = match &arguments.ca {
        Some(path) => Some(named_trust_store(path)?),
        None => system_trust_store().map(|(source, certificates)| TrustStore { source, certificates }),
    };
    let panel = tlswhy_core::panel();
    let lives = arguments.targets.iter().map(|target| live(arguments, target)).collect::<Result<Vec<_>, _>>()?;
    let mut reports = Reports::open(
        &arguments.output,
        Saving::wanted(arguments.save_evidence.as_deref(), arguments.redact)?,
        arguments.targets.len(),
    )?;

    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::new(format!("cannot start: {error}")))?;
    let ended = runtime.block_on(async {
        let interrupted = Interrupted::watch();
        let clients = judged(named, arguments, &interrupted).await?;
        let common = Common { arguments, clients, panel, trust };
        for (target, live) in arguments.targets.iter().zip(&lives) {
            let (examination, report, ends) = examine(common.request(target, live), live, &interrupted).await;
            match no_tunnel(examination.evidence()) {
                Some(failure) => reports.missing(failure)?,
                None => reports.write(&examination, &report)?,
            }
            if ends {
                note("interrupted; the last report holds what was known by then");
                break;
            }
        }
        reports.finish()
    });
    // A name that is still being resolved must not hold up the end.
    runtime.shutdown_background();
    ended
}

/// What all targets share.
struct Common<'a> {
    arguments: &'a Check,
    clients: Vec<ClientProfile>,
    panel: Vec<ClientProfile>,
    trust: Option<TrustStore>,
}

impl Common<'_> {
    fn request(&self, target: &Target, live: &Live) -> Request {
        let arguments = self.arguments;
        Request {
            subject: subject(arguments, target, live.proxy.as_ref(), &self.clients),
            clients: self.clients.clone(),
            panel: self.panel.clone(),
            trust: self.trust.clone(),
            started_at: now(),
            budget: Budget::default(),
            all_addresses: arguments.all_addresses,
            address: arguments.address,
            address_family: match (arguments.ipv4, arguments.ipv6) {
                (true, _) => Some(Family::V4),
                (_, true) => Some(Family::V6),
                _ => None,
            },
            replay: arguments.replay,
            ..Request::default()
        }
    }
}

/// Why there is nothing to say about the server: every connection ended at the proxy.
fn no_tunnel(evidence: &Evidence) -> Option<Failure> {
    let refusal = |attempt: &Attempt| match &attempt.ending {
        Ending::TunnelRefused { reason } => Some(reason.clone()),
        Ending::TimedOut { awaited: Awaited::TunnelAnswer, .. } => Some("it does not answer".to_owned()),
        Ending::Closed { awaited: Awaited::TunnelAnswer } | Ending::Reset { awaited: Awaited::TunnelAnswer } => {
            Some("it closes the connection".to_owned())
        }
        _ => None,
    };
    let reasons: Option<Vec<String>> = evidence.attempts.iter().map(refusal).collect();
    let reason = reasons?.into_iter().next()?;
    let proxy = evidence.subject.via.as_deref()?;
    Some(
        Failure::new(format!("the proxy {proxy} opens no tunnel to {}: {reason}", evidence.subject.target))
            .tip("--proxy URL names another one, --proxy none goes without"),
    )
}

/// Says something about the run itself, where results do not go.
pub(super) fn note(text: &str) {
    // What cannot be said here is no reason to fail.
    let _ = writeln!(anstream::stderr(), "note: {text}");
}

/// What is examined, in the words of the evidence.
fn subject(arguments: &Check, target: &Target, proxy: Option<&Proxy>, clients: &[ClientProfile]) -> Subject {
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
fn live(arguments: &Check, target: &Target) -> Result<Live, Failure> {
    let proxy = match arguments.proxy.as_deref() {
        Some("none") => None,
        Some(text) => Some(text.parse::<Proxy>().map_err(|error| Failure::new(format!("--proxy: {error}")))?),
        // As browsers and Go have it: what runs on this machine is not asked through a proxy unless the user says so.
        None if is_local(&target.host) => None,
        None => proxy_from_environment(target.scheme().unwrap_or("https"), &target.host.to_string())
            .map_err(|error| Failure::new(format!("the environment names a proxy: {error}")).tip("--proxy none ignores it"))?,
    };
    let mut live = Live { proxy, ..Live::default() };
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

/// A client that the user named: bundled, in a file, or (`None`) this machine's OpenSSL.
fn profile(name: &str) -> Result<Option<ClientProfile>, Failure> {
    if name == LOCAL {
        return Ok(None);
    }
    if let Some(client) = tlswhy_core::client(name) {
        return Ok(Some(client));
    }
    let path = Path::new(name);
    if !name.contains(['/', '\\']) && !name.ends_with(".toml") && !path.is_file() {
        let known: Vec<String> = bundled_clients()?.into_iter().map(|client| client.name).chain([LOCAL.to_owned()]).collect();
        let failure = Failure::new(format!("no client `{name}` is known, and there is no such file"));
        return Err(match nearest(name, known.iter().map(String::as_str)).as_slice() {
            [] => failure.tip("`tlswhy clients` lists them"),
            near => failure.tip(format!("did you mean {}? `tlswhy clients` lists all", near.join(" or "))),
        });
    }
    let cannot_read = |why: &dyn std::fmt::Display| Failure::new(format!("cannot read the client profile {name}: {why}"));
    let mut text = String::new();
    let file = std::fs::File::open(path).map_err(|error| cannot_read(&error))?;
    file.take(LARGEST_PROFILE + 1).read_to_string(&mut text).map_err(|error| cannot_read(&error))?;
    if text.len() as u64 > LARGEST_PROFILE {
        return Err(cannot_read(&format_args!("more than {LARGEST_PROFILE} bytes are too many for a profile")));
    }
    let client = tlswhy_core::client_from_toml(&text).map_err(|error| cannot_read(&error))?;
    Ok(Some(client))
}

/// The judged clients: those that the user named, else this machine's OpenSSL, else a bundled profile of OpenSSL 3.0.
async fn judged(
    named: Vec<Option<ClientProfile>>,
    arguments: &Check,
    interrupted: &Interrupted,
) -> Result<Vec<ClientProfile>, Failure> {
    let named = if named.is_empty() { vec![None] } else { named };
    let mut clients = Vec::new();
    for client in named {
        let client = match client {
            Some(client) => client,
            None => match local(interrupted).await {
                Some(local) => local,
                None if !arguments.client.is_empty() => {
                    return Err(Failure::new("this machine's `openssl` cannot be observed"));
                }
                None => {
                    tlswhy_core::client(FALLBACK).ok_or_else(|| Failure::new(format!("the profile {FALLBACK} is missing")))?
                }
            },
        };
        clients.push(client);
    }
    if let Some(alpn) = &arguments.alpn {
        let protocols: Vec<&str> = alpn.0.iter().map(String::as_str).collect();
        for client in &mut clients {
            client.hello = client.hello.clone().with_alpn(&protocols);
        }
    }
    Ok(clients)
}

async fn local(interrupted: &Interrupted) -> Option<ClientProfile> {
    tokio::select! {
        seen = observe_local_openssl() => tlswhy_core::local_openssl(&seen?),
        () = interrupted.wait() => None,
    }
}

pub(super) fn bundled_clients() -> Result<Vec<ClientProfile>, Failure> {
    tlswhy_core::clients().map_err(|error| Failure::new(format!("a bundled client profile cannot be read: {error}")))
}

fn named_trust_store(path: &Path) -> Result<TrustStore, Failure> {
    let store = load_trust_store(path).map_err(|error| Failure::new(format!("--ca {}: {error}", path.display())))?;
    Ok(TrustStore { source: store.source, certificates: store.certificates })
}
