//! `tlswhy check`: examines servers over the network.

use std::io::Write;
use std::path::Path;
use std::sync::Arc;

use tlswhy_core::chain::{Certificate, Known, PathPolicy, Store};
use tlswhy_core::inventory::conformance;
use tlswhy_core::{Budget, Request, TrustStore};
use tlswhy_gather::Live;
use tlswhy_model::{Attempt, Awaited, ClientProfile, Ending, Evidence, KnownCertificate, Party, Subject};

use super::examine::{Interrupted, examine, now};
use super::reports::{Reports, Saving};
use super::{asking, baseline, connect, judged, machine, policies, served, trust};
use crate::cli::Check;
use crate::exit::{Failure, Status};
use crate::target::Target;

/// Examines every target and writes the reports.
pub(crate) fn run(arguments: &Check) -> Result<Status, Failure> {
    examine_all(arguments, false)
}

/// The same; with `trace` the way to each target is measured in any case.
pub(super) fn examine_all(arguments: &Check, trace: bool) -> Result<Status, Failure> {
    if arguments.targets.len() > 1 && arguments.save_evidence.is_some() {
        return Err(Failure::new("--save-evidence keeps the evidence of one target").tip("examine the targets one by one"));
    }
    // What can be wrong with the arguments is found before anything is asked of the network.
    let named = arguments.client.iter().map(|name| judged::profile(name)).collect::<Result<Vec<_>, _>>()?;
    let policies = arguments.policy.iter().map(|name| policies::named(name)).collect::<Result<Vec<_>, _>>()?;
    if arguments.targets.len() > 1 && arguments.save_chain.is_some() {
        return Err(Failure::new("--save-chain writes the chain of one target").tip("examine the targets one by one"));
    }
    served::may_write(arguments.save_chain.as_deref(), arguments.force)?;
    let trust = arguments.ca.as_deref().map(trust::named_trust_store).transpose()?;
    let known = trust::known_certificates(&arguments.sources.known)?;
    let expected = trust::expected_keys(&arguments.expect)?;
    // Beside everything that the server accepts, everybody that could ask for it.
    let panel = if is_full(arguments) { tlswhy_core::clients().map_err(Failure::new)? } else { tlswhy_core::panel() };
    let identity = trust::client_identity(arguments.cert.as_deref(), arguments.key.as_deref())?.map(Arc::new);
    let live = |target| {
        let files = machine::files(&arguments.machine)?;
        Ok(Live { identity: identity.clone(), files, ..connect::live(&arguments.connection, target)? })
    };
    let earlier = arguments.baseline.as_deref().map(baseline::read).transpose()?;
    let lives = arguments.targets.iter().map(live).collect::<Result<Vec<_>, Failure>>()?;
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
        let clients = judged::judged(named, arguments.alpn.as_ref(), &interrupted).await?;
        // The user's own take the place of every other.
        let stores = if trust.is_some() { Vec::new() } else { trust::machine_stores(&clients) };
        let common = Common { arguments, trace, clients, panel, trust, stores, known, expected };
        if let Some(earlier) = &earlier {
            for (target, live) in arguments.targets.iter().zip(&lives) {
                earlier.of(&common.subject(target, live))?;
            }
        }
        for (target, live) in arguments.targets.iter().zip(&lives) {
            let (examination, mut report, ends) = examine(common.request(target, live), live, &interrupted).await;
            report.policies = policies.iter().map(|policy| conformance(policy, report.server.as_ref())).collect();
            if let Some(earlier) = &earlier {
                report.changes = Some(tlswhy_core::changes(earlier.of(&common.subject(target, live))?, &report));
            }
            match no_tunnel(examination.evidence(), arguments.connection.proxy.is_some()) {
                Some(failure) => reports.missing(failure)?,
                None => {
                    reports.write(&examination, &report)?;
                    if let Some(path) = &arguments.save_chain {
                        reports.also(common.save_chain(path, examination.evidence()));
                    }
                }
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

/// Whether everything that the server accepts is asked for.
fn is_full(arguments: &Check) -> bool {
    arguments.full || !arguments.policy.is_empty()
}

/// What all targets share.
struct Common<'a> {
    arguments: &'a Check,
    trace: bool,
    clients: Vec<ClientProfile>,
    panel: Vec<ClientProfile>,
    trust: Option<TrustStore>,
    stores: Vec<(String, TrustStore)>,
    known: Vec<KnownCertificate>,
    expected: Vec<[u8; 32]>,
}

impl Common<'_> {
    fn subject(&self, target: &Target, live: &Live) -> Subject {
        connect::subject(&self.arguments.connection, target, live.proxy.as_ref(), &self.clients)
    }

    fn request(&self, target: &Target, live: &Live) -> Request {
        let arguments = self.arguments;
        let connection = &arguments.connection;
        Request {
            subject: self.subject(target, live),
            clients: self.clients.clone(),
            panel: self.panel.clone(),
            trust: self.trust.clone(),
            stores: self.stores.clone(),
            started_at: now(),
            budget: if is_full(arguments) { Budget::full() } else { Budget::default() },
            all_addresses: arguments.all_addresses,
            address: connection.address,
            address_family: connect::family(connection),
            replay: arguments.replay,
            full: is_full(arguments),
            trials: is_full(arguments) && !arguments.no_vulnerability_probes,
            known_certificates: self.known.clone(),
            expected_keys: self.expected.clone(),
            identity: live.identity.as_deref().map(trust::without_key),
            fetch_issuers: arguments.sources.aia,
            online: arguments.sources.online,
            dns: connect::is_in_dns(connection, target, live),
            configurations: machine::given(&arguments.machine, &arguments.server_config, Some(Party::Server))
                .into_iter()
                .chain(machine::given(&arguments.machine, &arguments.client_config, Some(Party::Client)))
                .collect(),
            usual_configurations: machine::usual(&arguments.machine, &arguments.client_config, &self.clients),
            software: machine::assumed(&arguments.machine),
            trace: self.trace,
            ..Request::default()
        }
    }

    /// Writes the chain that the server ought to send.
    fn save_chain(&self, path: &Path, evidence: &Evidence) -> Result<(), Failure> {
        let client = self.clients.first().ok_or_else(|| Failure::new("there is no client to judge for"))?;
        let presented = evidence.attempts.iter().find_map(asking::presented);
        let presented = presented.ok_or_else(|| Failure::new("no chain is written: the server showed no certificate"))?;
        let sent: Vec<_> = presented.certificates.iter().map(|der| Arc::new(Certificate::read(der))).collect();
        let mut known: Vec<Known> = Vec::new();
        for given in &evidence.known_certificates {
            let certificate = Arc::new(Certificate::read(&given.certificate));
            known.push(Known { certificate, source: given.source.clone() });
        }
        for fetched in evidence.fetched.iter().filter(|fetched| fetched.request.is_none()) {
            for der in fetched.body.iter().flat_map(|body| tlswhy_core::chain::certificates_in(body)) {
                known.push(Known { certificate: Arc::new(Certificate::read(&der)), source: fetched.url.clone() });
            }
        }
        let own = client.policy.trust_store.as_deref();
        let given = self.trust.iter().map(|store| ("given", store));
        let machine = self.stores.iter().map(|(name, store)| (name.as_str(), store));
        let mut stores: Vec<Store> = given
            .chain(machine)
            .map(|(name, store)| Store::new(name, &store.source, store.certificates.iter().cloned()))
            .collect();
        // The client's own store comes first, but for that which takes the place of all.
        stores.sort_by_key(|store| (store.name != "given", Some(store.name.as_str()) != own));
        let stores: Vec<&Store> = stores.iter().chain([Store::mozilla()]).collect();
        let now = evidence.started_at.parse::<jiff::Timestamp>().map_or(0, jiff::Timestamp::as_second);
        served::save_chain(path, &sent, &known, &stores, &PathPolicy::of(&client.policy), now)
    }
}

/// Why there is nothing to say about the server: every connection ended at the proxy.
fn no_tunnel(evidence: &Evidence, named: bool) -> Option<Failure> {
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
    let tip = match named {
        true => "--proxy URL names another one, --proxy none goes without".to_owned(),
        false => format!(
            "the environment names it (https_proxy, all_proxy); no_proxy={} leaves this host out, --proxy URL names another one, --proxy none goes without",
            evidence.subject.host
        ),
    };
    Some(Failure::new(format!("the proxy {proxy} opens no tunnel to {}: {reason}", evidence.subject.target)).tip(tip))
}

/// Says something about the run itself, where results do not go.
pub(super) fn note(text: &str) {
    // What cannot be said here is no reason to fail.
    let _ = writeln!(anstream::stderr(), "note: {text}");
}
