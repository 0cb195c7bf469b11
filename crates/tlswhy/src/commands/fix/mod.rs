//! `tlswhy fix`: the remedy as a patch; with `--apply` it is carried out, verified, and taken back if it did not help.

#[cfg(unix)]
mod applying;
mod asking;
#[cfg(unix)]
mod earlier;
mod proposal;

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::{Path, PathBuf};

use anstyle::Style;
use tlswhy_core::InspectionRequest;
use tlswhy_core::configuration::aims;
use tlswhy_gather::Live;
use tlswhy_model::{ClientProfile, ConfigReport, Evidence, Finding, Impact, Party, Report, ServiceView, printable};

use self::asking::Asker;
#[cfg(unix)]
use self::proposal::Proposal;
use self::proposal::{aim, proposals, show};
use super::config::inspect;
use super::examine::{Interrupted, now};
use super::{judged, machine, trust};
#[cfg(unix)]
use crate::apply;
use crate::cli::{Fix, Sni};
use crate::exit::{Failure, Status};
use crate::output::Output;
use crate::render::{self, HEADING, Page, words};
use crate::target::Target;
use crate::terminal;

/// The largest report that is read, in bytes.
const LARGEST: u64 = 64 << 20;

/// Shows or does what is asked for.
pub(crate) fn run(arguments: &Fix) -> Result<Status, Failure> {
    #[cfg(unix)]
    if arguments.list || arguments.recover || arguments.undo.is_some() {
        return earlier::run(arguments);
    }
    #[cfg(not(unix))]
    if arguments.apply || arguments.list || arguments.recover || arguments.undo.is_some() {
        return Err(Failure::new("files are changed on Unix systems only; without --apply the patch is shown"));
    }
    if arguments.format.as_ref().is_some_and(|format| format != "human") {
        return Err(Failure::new("`fix` is written for people alone").tip(
            "the same edits as JSON stand in `remedies` of `tlswhy TARGET --server-config PATH --format json` and of \
             `tlswhy config PATH --format json`",
        ));
    }
    let mut worst = Status::Fine;
    for subject in &arguments.subjects {
        if arguments.subjects.len() > 1 {
            headed(subject)?;
        }
        worst = worst.max(of_subject(arguments, subject)?);
    }
    Ok(worst)
}

/// A line that says of which of several subjects the following is.
fn headed(title: &str) -> Result<(), Failure> {
    Output::open(None)?.write(|out| {
        let mut page = Page::new(out, terminal::width());
        page.blank()?;
        page.paragraph(0, HEADING, &printable(title, 200))
    })
}

fn of_subject(arguments: &Fix, subject: &str) -> Result<Status, Failure> {
    let path = Path::new(subject);
    if path.exists() {
        let is_report = path.is_file() && starts_like_json(path)?;
        return if is_report { of_report(arguments, path) } else { of_configuration(arguments, path) };
    }
    let target: Target = subject.parse().map_err(|error| {
        Failure::new(format!("{} is no target ({error}), and there is no such file", printable(subject, 100)))
    })?;
    let named = arguments.client.iter().map(|name| judged::profile(name)).collect::<Result<Vec<_>, _>>()?;
    of_target(arguments, &target, named)
}

/// A server is asked, and its configuration read.
fn of_target(arguments: &Fix, target: &Target, named: Vec<Option<ClientProfile>>) -> Result<Status, Failure> {
    if arguments.server_config.is_empty() && arguments.client_config.is_empty() {
        return Err(Failure::new("which configuration is to be mended?")
            .tip("--server-config PATH names the server's, --client-config PATH the client's"));
    }
    if arguments.apply && arguments.machine.root.is_some() {
        return Err(Failure::new("--apply changes this machine's files, and --root reads a copy of another's")
            .tip("without --apply the patch is shown; it can be carried there"));
    }
    #[cfg(unix)]
    if arguments.apply {
        apply::StateDir::usual().and_then(|state| apply::may_begin(&state)).map_err(applying::failure)?;
    }
    let mut asker = Asker::new(arguments, target, named)?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::new(format!("cannot start: {error}")))?;
    let ended = runtime.block_on(async {
        let interrupted = Interrupted::watch();
        let (report, evidence) = asker.ask(false, &interrupted).await?;
        let mut output = Output::open(None)?;
        let judged = evidence.clients.first();
        let course = asker.aim.as_ref().zip(judged).map(|(aim, judged)| aims::course(&evidence, aim, judged, &asker.panel));
        let proposals = proposal::all(arguments, asker.aim.as_ref().zip(course.as_ref()), &report.findings);
        output.write(|out| {
            let mut page = Page::new(out, terminal::width());
            page.paragraph(0, Style::new(), &words::sentence(&report.summary))?;
            show(&mut page, &proposals, &report.findings, course.as_ref(), arguments.apply, !report.open_questions.is_empty())
        })?;
        if proposals.is_empty() {
            return Ok(Status::of(&report));
        }
        if !arguments.apply {
            return Ok(Status::Blocked);
        }
        #[cfg(unix)]
        {
            let sure: Vec<&Proposal<'_>> = proposals.iter().filter(|proposal| arguments.unsure || proposal.is_sure()).collect();
            if sure.is_empty() {
                return Err(
                    Failure::new("what was found is not sure enough to be applied").tip("--unsure applies it all the same")
                );
            }
            let summary = match asker.aim.as_ref().zip(course.as_ref()) {
                Some((aim, course)) if !course.edits.is_empty() => proposal::in_words(aim, course),
                _ => report.summary.clone(),
            };
            applying::apply(&mut asker, &summary, &evidence, &sure, course.as_ref(), &mut output, &interrupted).await
        }
        #[cfg(not(unix))]
        {
            let _unused = (evidence, course);
            Ok(Status::Blocked)
        }
    });
    runtime.shutdown_background();
    ended
}

/// A configuration alone: what is wrong with it is shown with its patches; applied, each server that it makes is asked.
fn of_configuration(arguments: &Fix, path: &Path) -> Result<Status, Failure> {
    let named = arguments.client.iter().map(|name| judged::profile(name)).collect::<Result<Vec<_>, _>>()?;
    let trust = arguments.ca.as_deref().map(trust::named_trust_store).transpose()?;
    let known = trust::known_certificates(&arguments.sources.known)?;
    let files = machine::files(&arguments.machine)?;
    let aim = aim(arguments)?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::new(format!("cannot start: {error}")))?;
    let (report, evidence) = runtime.block_on(async {
        let interrupted = Interrupted::watch();
        let clients = judged::judged(named.clone(), None, &interrupted).await?;
        let stores = if trust.is_some() { Vec::new() } else { trust::machine_stores(&clients) };
        let request = InspectionRequest {
            configurations: machine::given(&arguments.machine, &[path.to_owned()], None),
            software: machine::assumed(&arguments.machine),
            client: clients.into_iter().next(),
            trust,
            stores,
            known_certificates: known,
            started_at: now(),
            ..InspectionRequest::default()
        };
        inspect(request, &Live { files, ..Live::default() }, &interrupted).await
    })?;
    runtime.shutdown_background();
    if let (true, Some(unread)) = (report.configurations.is_empty(), report.unread.first()) {
        return Err(Failure::new(format!("cannot read {}: {}", unread.path, unread.why)));
    }
    let services = report.configurations.iter().flat_map(|configuration| &configuration.services);
    let mut findings: Vec<Finding> = Vec::new();
    for finding in services.flat_map(|service| &service.findings) {
        // One line that rules many services is one fault.
        let edits = |finding: &Finding| finding.remedies.iter().flat_map(|remedy| remedy.edits.clone()).collect::<Vec<_>>();
        if !findings.iter().any(|known| known.cause == finding.cause && edits(known) == edits(finding)) {
            findings.push(finding.clone());
        }
    }
    // What no edit mends is shown all the same.
    let by_hand = findings.iter().any(|finding| finding.impact == Impact::Blocks) && proposals(&findings).is_empty();
    if arguments.apply && !(by_hand && aim.is_none()) {
        return each_server(arguments, path, &report, &named);
    }
    shown(arguments, aim.as_ref(), &findings, &evidence, false)
}

/// Applies what the configuration needs, server by server: each is asked on this machine, where it listens.
fn each_server(
    arguments: &Fix,
    path: &Path,
    report: &ConfigReport,
    named: &[Option<ClientProfile>],
) -> Result<Status, Failure> {
    let services = report.configurations.iter().flat_map(|configuration| &configuration.services);
    let concerned = services.filter(|service| {
        let off = service.effective.versions.is_none();
        arguments.to.is_some() && !off || !proposals(&service.findings).is_empty()
    });
    let mut asked: Vec<(SocketAddr, Option<&str>)> = Vec::new();
    let mut worst = Status::Fine;
    for service in concerned.filter(|service| service.side == Party::Server) {
        let Some(address) = service.listeners.iter().find_map(|listener| within_reach(listener)) else { continue };
        let name = plain_name(service);
        if asked.contains(&(address, name)) {
            continue;
        }
        asked.push((address, name));
        let given = name.map_or_else(|| address.to_string(), |name| format!("{name}:{}", address.port()));
        let target: Target = given.parse().map_err(|error| Failure::new(format!("{given}: {error}")))?;
        let mut arguments = arguments.clone();
        arguments.server_config = vec![path.to_owned()];
        arguments.connection.address = Some(address.ip());
        arguments.connection.starttls =
            service.upgrade.as_deref().and_then(tlswhy_wire::upgrade::upgrade).or(arguments.connection.starttls);
        // A server of this machine is not asked through a proxy.
        arguments.connection.proxy = Some("none".to_owned());
        headed(&format!("{} ({address})", service.title))?;
        worst = worst.max(of_target(&arguments, &target, named.to_vec())?);
    }
    if asked.is_empty() {
        return Err(Failure::new(
            "a patch is applied only where a handshake can show that it helped, and no server of this configuration needs one",
        )
        .tip(format!(
            "name the server: tlswhy fix HOST:PORT --server-config {0} --apply, or --client-config {0}",
            path.display()
        )));
    }
    Ok(worst)
}

/// The address on which a listener (`*:443 (default)`, `127.0.0.1:443`) can be asked from this machine.
fn within_reach(listener: &str) -> Option<SocketAddr> {
    let listener = listener.split(' ').next()?;
    if let Some(port) = listener.strip_prefix("*:") {
        return Some(SocketAddr::new(Ipv4Addr::LOCALHOST.into(), port.parse().ok()?));
    }
    let mut address: SocketAddr = listener.parse().ok()?;
    if address.ip().is_unspecified() {
        address.set_ip(match address.ip() {
            IpAddr::V4(_) => Ipv4Addr::LOCALHOST.into(),
            IpAddr::V6(_) => Ipv6Addr::LOCALHOST.into(),
        });
    }
    Some(address)
}

/// A name of a service that can be sent as it stands.
fn plain_name(service: &ServiceView) -> Option<&str> {
    let plain = |name: &&String| {
        matches!(name.parse::<Sni>(), Ok(Sni::Name(_))) && name.contains('.') && !name.contains(['*', '~', '!'])
    };
    service.names.iter().find(plain).map(String::as_str)
}

/// The patches of a report that was made before; applied, its server is asked anew. What `run` writes may hold several.
fn of_report(arguments: &Fix, path: &Path) -> Result<Status, Failure> {
    let cannot = |why: &dyn std::fmt::Display| Failure::new(format!("cannot read the report {}: {why}", path.display()));
    let mut text = Vec::new();
    let file = std::fs::File::open(path).map_err(|error| cannot(&error))?;
    io::Read::read_to_end(&mut io::Read::take(file, LARGEST), &mut text).map_err(|error| cannot(&error))?;
    let reports = reports_in(&text)
        .map_err(|error| cannot(&error).tip("it is what `tlswhy TARGET --server-config PATH --format json` writes"))?;
    if reports.is_empty() {
        return Err(cannot(&"it tells of handshakes, and no report is in it").tip("only what fails has one"));
    }
    let mut worst = Status::Fine;
    for report in &reports {
        worst = worst.max(match arguments.apply {
            true => as_reported(arguments, report)?,
            false => {
                let is_open = !report.open_questions.is_empty();
                shown(arguments, aim(arguments)?.as_ref(), &report.findings, &report.evidence, is_open)?
            }
        });
    }
    Ok(worst)
}

/// The reports of a file: one document, or a line each among lines of other formats (what `run` and `pcap` write).
fn reports_in(text: &[u8]) -> Result<Vec<Report>, serde_json::Error> {
    let mut reports = Vec::new();
    for document in serde_json::Deserializer::from_slice(text).into_iter::<serde_json::Value>() {
        let document = document?;
        if document["format"] != render::capture::HANDSHAKE {
            reports.push(serde_json::from_value(document)?);
        }
    }
    Ok(reports)
}

/// Applies what a report proposes: the report may be older than the files, so everything is asked anew as it was asked then.
fn as_reported(arguments: &Fix, report: &Report) -> Result<Status, Failure> {
    let subject = &report.subject;
    let cannot = |why: String| {
        Failure::new(format!("the report's target `{}` cannot be asked again: {why}", printable(&subject.target, 200)))
    };
    let target: Target = subject.target.parse().map_err(|error| cannot(format!("{error}")))?;
    let mut arguments = arguments.clone();
    let of = |party: Party| -> Vec<PathBuf> {
        let given = report.evidence.configurations.iter().filter(|given| given.party.unwrap_or(Party::Server) == party);
        given.map(|given| PathBuf::from(&given.path)).collect()
    };
    if arguments.server_config.is_empty() && arguments.client_config.is_empty() {
        (arguments.server_config, arguments.client_config) = (of(Party::Server), of(Party::Client));
    }
    let connection = &mut arguments.connection;
    if connection.sni.is_none() && subject.server_name.as_deref() != target.host.server_name() {
        connection.sni = Some(subject.server_name.clone().map_or(Sni::None, Sni::Name));
    }
    // It was not the resolver that named the address.
    if connection.address.is_none() && report.evidence.resolution.is_none() {
        let address = subject.address.as_deref().and_then(|address| address.parse::<SocketAddr>().ok());
        connection.address = address.map(|address| address.ip());
    }
    connection.starttls = connection.starttls.or_else(|| subject.upgrade.as_deref().and_then(tlswhy_wire::upgrade::upgrade));
    let named = match &arguments.client {
        Some(name) => vec![judged::profile(name)?],
        // This machine's OpenSSL is looked at anew: its configuration may be what is mended.
        None => {
            let client = report.evidence.clients.first();
            // The report has a client as its files made it; they are read again.
            let as_it_comes = |client: &ClientProfile| tlswhy_core::client(&client.name).unwrap_or_else(|| client.clone());
            client.into_iter().map(|client| (client.name != judged::LOCAL).then(|| as_it_comes(client))).collect()
        }
    };
    of_target(&arguments, &target, named)
}

fn shown(
    arguments: &Fix,
    aim: Option<&aims::Aim>,
    findings: &[Finding],
    evidence: &Evidence,
    is_open: bool,
) -> Result<Status, Failure> {
    let course = aim.zip(evidence.clients.first());
    let course = course.map(|(aim, client)| aims::course(evidence, aim, client, &tlswhy_core::panel()));
    let proposals = proposal::all(arguments, aim.zip(course.as_ref()), findings);
    let mut output = Output::open(None)?;
    output.write(|out| show(&mut Page::new(out, terminal::width()), &proposals, findings, course.as_ref(), false, is_open))?;
    output.finish()?;
    let blocks = findings.iter().any(|finding| finding.impact == Impact::Blocks);
    Ok(if blocks || !proposals.is_empty() { Status::Blocked } else { Status::Fine })
}

/// Whether a file begins like a JSON document.
fn starts_like_json(path: &Path) -> Result<bool, Failure> {
    let mut first = [0_u8; 64];
    let file = std::fs::File::open(path);
    let count = file.and_then(|mut file| io::Read::read(&mut file, &mut first));
    let count = count.map_err(|error| Failure::new(format!("cannot read {}: {error}", path.display())))?;
    let start = first.get(..count).unwrap_or_default().trim_ascii_start();
    Ok(start.starts_with(b"{") && start.windows(8).any(|window| window == b"\"format\""))
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use crate::apply::{Plan, Session, StateDir};

    #[test]
    fn what_does_not_pass_its_validation_is_not_reloaded() {
        let folder = tempfile::tempdir().unwrap();
        let mark = folder.path().join("reloaded");
        let state = StateDir::at(&folder.path().join("state")).unwrap();
        for (check, reloads) in [("false", false), ("true", true)] {
            let reload = vec!["touch".to_owned(), mark.to_string_lossy().into_owned()];
            let plan = Plan { check: vec![check.to_owned()], reload, ..Plan::default() };
            let mut session = Session::begin(&state, &plan).unwrap();
            session.write().unwrap();
            assert_eq!(applying::take_up(&mut session, |_, _| Ok(())).is_ok(), reloads);
            assert_eq!(mark.exists(), reloads);
            session.roll_back().unwrap();
        }
    }
}
