//! Asking a server again and again in the same way, and how it stands with its clients.

use std::collections::BTreeMap;

use tlswhy_core::Request;
#[cfg(unix)]
use tlswhy_core::configuration;
use tlswhy_core::configuration::aims::Aim;
use tlswhy_gather::Live;
#[cfg(unix)]
use tlswhy_model::SeenFile;
use tlswhy_model::{ClientProfile, Evidence, Impact, Outcome, Party, Report};

use super::proposal;
use crate::cli::Fix;
use crate::commands::examine::{Interrupted, examine, now};
use crate::commands::{connect, judged, machine, trust};
use crate::exit::Failure;
use crate::target::Target;

/// How often an examination is made again until two give the same.
#[cfg(unix)]
const MOST_TRIES: usize = 4;

/// Asks one server again and again in the same way.
pub(super) struct Asker<'a> {
    pub(super) arguments: &'a Fix,
    target: &'a Target,
    live: Live,
    named: Vec<Option<ClientProfile>>,
    pub(super) panel: Vec<ClientProfile>,
    /// What the user named with `--to`.
    pub(super) aim: Option<Aim>,
}

impl<'a> Asker<'a> {
    pub(super) fn new(arguments: &'a Fix, target: &'a Target, named: Vec<Option<ClientProfile>>) -> Result<Asker<'a>, Failure> {
        let files = machine::files(&arguments.machine)?;
        let live = Live { files, ..connect::live(&arguments.connection, target)? };
        Ok(Asker { arguments, target, live, named, panel: tlswhy_core::panel(), aim: proposal::aim(arguments)? })
    }

    /// From now on the judged client brings what its mended files leave it, where its hello is a recording, which does not change by
    /// itself.
    #[cfg(unix)]
    pub(super) fn take_mended(&mut self, evidence: &Evidence, instead: &[SeenFile]) {
        if let (Some(mended), Some(first)) = (configuration::once_mended(evidence, instead), self.named.first_mut()) {
            *first = Some(mended);
        }
    }

    /// One examination. This machine's OpenSSL is looked at anew each time: its configuration may be what was mended.
    pub(super) async fn ask(&mut self, replay: bool, interrupted: &Interrupted) -> Result<(Box<Report>, Evidence), Failure> {
        let arguments = self.arguments;
        let clients = judged::judged(self.named.clone(), None, interrupted).await?;
        let judged = clients.clone();
        let trust = arguments.ca.as_deref().map(trust::named_trust_store).transpose()?;
        let stores = if trust.is_some() { Vec::new() } else { trust::machine_stores(&clients) };
        // A former server's pace says nothing of this one's.
        let live = Live { pace: tlswhy_gather::Pace::default(), ..self.live.clone() };
        let request = Request {
            subject: connect::subject(&arguments.connection, self.target, live.proxy.as_ref(), &clients),
            clients,
            panel: self.panel.clone(),
            trust,
            stores,
            started_at: now(),
            address: arguments.connection.address,
            address_family: connect::family(&arguments.connection),
            replay,
            known_certificates: trust::known_certificates(&arguments.sources.known)?,
            fetch_issuers: arguments.sources.aia,
            online: arguments.sources.online,
            configurations: machine::given(&arguments.machine, &arguments.server_config, Some(Party::Server))
                .into_iter()
                .chain(machine::given(&arguments.machine, &arguments.client_config, Some(Party::Client)))
                .collect(),
            usual_configurations: machine::usual(&arguments.machine, &arguments.client_config, &judged),
            software: machine::assumed(&arguments.machine),
            ..Request::default()
        };
        let (examination, report, ends) = examine(request, &live, interrupted).await;
        if ends {
            return Err(Failure::new("interrupted"));
        }
        Ok((report, examination.evidence().clone()))
    }

    /// How judged client and panel fare, by two examinations that say the same.
    #[cfg(unix)]
    pub(super) async fn standing(&mut self, interrupted: &Interrupted) -> Result<Standing, Failure> {
        let mut last: Option<Standing> = None;
        for _ in 0..MOST_TRIES {
            let standing = Standing::of(&self.ask(true, interrupted).await?.0);
            if last.as_ref() == Some(&standing) {
                return Ok(standing);
            }
            last = Some(standing);
        }
        Err(Failure::new("the server answers differently from one connection to the next: nothing can be verified"))
    }
}

/// How a server stands with its clients.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Standing {
    pub(super) outcome: Outcome,
    pub(super) summary: String,
    pub(super) blocking: Vec<String>,
    /// What the first of them explains: once it is mended, none of these may be left.
    pub(super) explained: Vec<String>,
    /// Whether each client connects, by its name.
    pub(super) works: BTreeMap<String, bool>,
}

impl Standing {
    pub(super) fn of(report: &Report) -> Standing {
        let blocking = report.findings.iter().filter(|finding| finding.impact == Impact::Blocks);
        let explained = blocking.clone().next().map(|first| first.explains.clone()).unwrap_or_default();
        Standing {
            explained,
            outcome: report.outcome,
            summary: report.summary.clone(),
            blocking: blocking.map(|finding| finding.cause.clone()).collect(),
            works: report.clients.iter().map(|client| (client.name.clone(), client.outcome == Outcome::Works)).collect(),
        }
    }

    pub(super) fn works(&self) -> bool {
        matches!(self.outcome, Outcome::Works | Outcome::AtRisk)
    }

    /// Clients that connected before and do not now.
    pub(super) fn lost<'s>(&self, after: &'s Standing) -> Vec<&'s str> {
        let lost = after.works.iter().filter(|(name, works)| !**works && self.works.get(*name) == Some(&true));
        lost.map(|(name, _)| name.as_str()).collect()
    }
}
