//! `tlswhy check`: examines servers over the network.

use std::io::Write;
use std::sync::Arc;

use tlswhy_core::{Budget, Request, TrustStore};
use tlswhy_gather::{Live, system_trust_store};
use tlswhy_model::{Attempt, Awaited, ClientProfile, Ending, Evidence, KnownCertificate};

use super::examine::{Interrupted, examine, now};
use super::reports::{Reports, Saving};
use super::{connect, judged, trust};
use crate::cli::Check;
use crate::exit::{Failure, Status};
use crate::target::Target;

/// Examines every target and writes the reports.
pub(crate) fn run(arguments: &Check) -> Result<Status, Failure> {
    if arguments.targets.len() > 1 && arguments.save_evidence.is_some() {
        return Err(Failure::new("--save-evidence keeps the evidence of one target").tip("examine the targets one by one"));
    }
    // What can be wrong with the arguments is found before anything is asked of the network.
    let named = arguments.client.iter().map(|name| judged::profile(name)).collect::<Result<Vec<_>, _>>()?;
    let trust = match &arguments.ca {
        Some(path) => Some(trust::named_trust_store(path)?),
        None => system_trust_store().map(|(source, certificates)| TrustStore { source, certificates }),
    };
    let known = trust::known_certificates(&arguments.sources.known)?;
    let panel = tlswhy_core::panel();
    let identity = trust::client_identity(arguments.cert.as_deref(), arguments.key.as_deref())?.map(Arc::new);
    let live = |target| Ok(Live { identity: identity.clone(), ..connect::live(&arguments.connection, target)? });
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
        let common = Common { arguments, clients, panel, trust, known };
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
    known: Vec<KnownCertificate>,
}

impl Common<'_> {
    fn request(&self, target: &Target, live: &Live) -> Request {
        let arguments = self.arguments;
        let connection = &arguments.connection;
        Request {
            subject: connect::subject(connection, target, live.proxy.as_ref(), &self.clients),
            clients: self.clients.clone(),
            panel: self.panel.clone(),
            trust: self.trust.clone(),
            started_at: now(),
            budget: Budget::default(),
            all_addresses: arguments.all_addresses,
            address: connection.address,
            address_family: connect::family(connection),
            replay: arguments.replay,
            known_certificates: self.known.clone(),
            identity: live.identity.as_deref().map(trust::without_key),
            fetch_issuers: arguments.sources.aia,
            online: arguments.sources.online,
            dns: connect::is_in_dns(connection, target, live),
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
