//! `tlswhy config`: what configurations mean for TLS.

use std::time::Instant;

use tlswhy_core::{Inspection, InspectionRequest, InspectionStep};
use tlswhy_gather::Live;
use tlswhy_model::{ConfigReport, Evidence, GivenConfiguration, Impact, Party};

use super::examine::{Interrupted, now};
use super::{judged, machine, trust};
use crate::cli::{Config, ListFormat};
use crate::exit::{Failure, Status};
use crate::output::Output;
use crate::render::{self, Options};
use crate::terminal;

/// Reads, judges and writes.
pub(crate) fn run(arguments: &Config) -> Result<Status, Failure> {
    let named = arguments.client.iter().map(|name| judged::profile(name)).collect::<Result<Vec<_>, _>>()?;
    let trust = arguments.ca.as_deref().map(trust::named_trust_store).transpose()?;
    let known = trust::known_certificates(&arguments.known)?;
    let files = machine::files(&arguments.machine)?;
    let installed = arguments.paths.is_empty();
    let configurations = match installed {
        true => vec![GivenConfiguration { party: None, path: "/".to_owned() }],
        false => machine::given(&arguments.machine, &arguments.paths, None),
    };
    let mut output = Output::open(arguments.output.file.as_deref())?;
    let mut saved = arguments.save_evidence.as_deref().map(|path| Output::open(Some(path))).transpose()?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::new(format!("cannot start: {error}")))?;
    let (report, evidence) = runtime.block_on(async {
        let interrupted = Interrupted::watch();
        let clients = judged::judged(named, None, &interrupted).await?;
        let stores = if trust.is_some() { Vec::new() } else { trust::machine_stores(&clients) };
        let request = InspectionRequest {
            configurations,
            software: machine::assumed(&arguments.machine),
            client: clients.into_iter().next(),
            panel: tlswhy_core::panel(),
            trust,
            stores,
            known_certificates: known,
            started_at: now(),
        };
        let live = Live { files, ..Live::default() };
        inspect(request, &live, &interrupted).await
    })?;
    runtime.shutdown_background();
    let nothing = report.configurations.is_empty();
    if let (true, Some(unread)) = (nothing, report.unread.first()) {
        let why = if installed { "nothing that is known here is installed".to_owned() } else { unread.why.clone() };
        let failure = Failure::new(format!("cannot read {}: {why}", unread.path));
        return Err(failure.tip("name the main file: nginx.conf, apache2.conf, haproxy.cfg, openssl.cnf …"));
    }
    if let Some(saved) = &mut saved {
        saved.write(|out| render::pretty_json(&evidence, out))?;
    }
    let options = Options { width: terminal::width(), verbose: arguments.verbose };
    output.write(|out| match arguments.output.format {
        ListFormat::Human => render::config::write(&report, &evidence, options, out),
        ListFormat::Json => render::pretty_json(&report, out),
    })?;
    output.finish()?;
    if let Some(saved) = saved {
        saved.finish()?;
    }
    Ok(status(&report))
}

/// The worst of what was found.
pub(super) fn status(report: &ConfigReport) -> Status {
    let services = report.configurations.iter().flat_map(|configuration| &configuration.services);
    let blocks = services.clone().flat_map(|service| &service.findings).any(|finding| finding.impact == Impact::Blocks);
    // A server that is left without any version refuses everybody.
    let shut = services
        .filter(|service| service.side == Party::Server)
        .any(|service| service.effective.versions.as_ref().is_some_and(Vec::is_empty));
    let fatal = report.configurations.iter().flat_map(|configuration| &configuration.troubles).any(|trouble| trouble.fatal);
    if !report.unread.is_empty() {
        Status::CouldNot
    } else if blocks || shut || fatal {
        Status::Blocked
    } else {
        Status::Fine
    }
}

/// Answers the questions of an inspection until its report stands.
pub(super) async fn inspect(
    request: InspectionRequest,
    live: &Live,
    interrupted: &Interrupted,
) -> Result<(Box<ConfigReport>, Evidence), Failure> {
    let mut inspection = Inspection::new(request);
    let started = Instant::now();
    loop {
        let batch = match inspection.step() {
            InspectionStep::Ask(batch) => batch,
            InspectionStep::Done(report) => return Ok((report, inspection.evidence().clone())),
        };
        tokio::select! {
            answers = live.ask(batch, started) => {
                for (id, answer) in answers {
                    inspection.answer(id, answer);
                }
            }
            () = interrupted.wait() => return Err(Failure::new("interrupted")),
        }
    }
}
