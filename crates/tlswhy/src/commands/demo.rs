//! `tlswhy demo`: servers broken on purpose inside this program, diagnosed as any server is.

use std::io::{self, Write};
use std::time::{Duration, Instant};

use anstyle::{AnsiColor, Style};
use tlswhy_core::{Budget, Examination, Request, TrustStore};
use tlswhy_gather::{FilesOf, Live};
use tlswhy_model::{ClientProfile, GivenConfiguration, InstalledSoftware, KnownCertificate, Outcome, Party, Report, Subject};

use super::check::note;
use super::examine::{Interrupted, examine, now};
use super::judged::bundled_clients;
use super::reports::Reports;
use crate::cli::Demo;
use crate::demo::{Authority, Peer, SCENES, Scene};
use crate::exit::{Failure, Status};
use crate::nearest::nearest;
use crate::output::Output;
use crate::render::{ASIDE, CODE, Format, HEADING, Page, words};
use crate::terminal;

/// Port of the name that does not exist.
const HTTPS_PORT: u16 = 443;
/// Where its certificates come from.
const OWN_AUTHORITY: &str = "the demo's own authority";
/// Column of the labels of a short diagnosis.
const LABEL: usize = 2;
/// Column of the text beside them.
const TEXT: usize = 9;

/// Shows the scenes.
pub(crate) fn run(arguments: &Demo) -> Result<Status, Failure> {
    if arguments.list {
        return list();
    }
    let scenes = chosen(arguments.code.as_deref())?;
    let output = &arguments.output;
    // All of them in full would be a long read.
    let short = arguments.code.is_none() && output.format == Format::Human && !output.verbose;
    let mut audience = if short {
        Audience::Short(Output::open(output.file.as_deref())?)
    } else {
        Audience::Full(Reports::open(output, None, scenes.len())?)
    };
    let authority = Authority::new().map_err(|error| Failure::new(format!("cannot make certificates: {error}")))?;
    let stage = Stage { authority, panel: bundled_clients()?.into_iter().filter(|client| client.panel).collect() };

    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::new(format!("cannot start: {error}")))?;
    let ended = runtime.block_on(async {
        let interrupted = Interrupted::watch();
        let mut count = Count::default();
        let started = Instant::now();
        for scene in &scenes {
            let peer = match (scene.serve)(&stage.authority).await {
                Ok(peer) => peer,
                Err(error) if arguments.code.is_some() => return Err(Failure::new(not_here(scene, &error))),
                Err(error) => {
                    count.left_out += 1;
                    audience.left_out(scene, &error)?;
                    continue;
                }
            };
            let request = stage.request(scene, &peer)?;
            if arguments.code.is_some() && output.format == Format::Human {
                audience.equivalent(scene, &request.subject)?;
            }
            let (examination, report, ends) = examine(request, &live(scene, &peer), &interrupted).await;
            if ends {
                return Err(Failure::new("interrupted"));
            }
            count.add(scene, &report);
            audience.show(scene, &examination, &report)?;
        }
        audience.end(&count, started.elapsed())?;
        Ok(if count.otherwise == 0 { Status::Fine } else { Status::Blocked })
    });
    // A name that is still being resolved must not hold up the end.
    runtime.shutdown_background();
    ended
}

/// The scenes of a code, or all.
fn chosen(code: Option<&str>) -> Result<Vec<&'static Scene>, Failure> {
    let Some(code) = code else {
        return Ok(SCENES.iter().collect());
    };
    let wanted = code.to_ascii_lowercase().replace('_', "-");
    let found: Vec<_> = SCENES.iter().filter(|scene| scene.code() == wanted).collect();
    if !found.is_empty() {
        return Ok(found);
    }
    let failure = Failure::new(format!("the demo has nothing for `{code}`"));
    Err(match nearest(&wanted, SCENES.iter().map(Scene::code)).as_slice() {
        [] => failure.tip("`tlswhy demo --list` lists what it has"),
        near => failure.tip(format!("did you mean {}? `tlswhy demo --list` lists all", near.join(" or "))),
    })
}

fn list() -> Result<Status, Failure> {
    let mut output = Output::open(None)?;
    output.write(|out| {
        let mut page = Page::new(out, terminal::width());
        page.paragraph(0, HEADING, "What `tlswhy demo CODE` shows.")?;
        SCENES.iter().try_for_each(|scene| page.labelled(0, scene.code(), CODE, 32, scene.title))
    })?;
    output.finish()?;
    Ok(Status::Fine)
}

/// What all scenes share.
struct Stage {
    authority: Authority,
    panel: Vec<ClientProfile>,
}

impl Stage {
    fn request(&self, scene: &Scene, peer: &Peer) -> Result<Request, Failure> {
        let mut client = tlswhy_core::client(scene.client)
            .ok_or_else(|| Failure::new(format!("the profile {} is missing", scene.client)))?;
        client.hello = (scene.restricted)(client.hello);
        client.software.read_from = scene.version_seen.map(str::to_owned);
        let port = peer.address.map_or(HTTPS_PORT, |address| address.port());
        let target = if port == HTTPS_PORT { scene.host.to_owned() } else { format!("{}:{port}", scene.host) };
        Ok(Request {
            subject: Subject {
                target,
                host: scene.host.to_owned(),
                port,
                address: None,
                server_name: Some(scene.host.to_owned()),
                upgrade: None,
                application: None,
                via: None,
                client: client.title.clone(),
            },
            clients: vec![client],
            panel: self.panel.clone(),
            trust: Some(TrustStore { source: OWN_AUTHORITY.to_owned(), certificates: vec![self.authority.root().to_vec()] }),
            known_certificates: self.authority.intermediates().into_iter().map(known).collect(),
            started_at: now(),
            budget: Budget::default(),
            all_addresses: false,
            address: peer.address.map(|address| address.ip()),
            address_family: None,
            configurations: scene
                .configurations
                .iter()
                .map(|(party, path, _)| GivenConfiguration { party: Some(*party), path: (*path).to_owned() })
                .collect(),
            software: scene
                .software
                .iter()
                .map(|(product, version)| InstalledSoftware {
                    product: (*product).to_owned(),
                    version: Some((*version).to_owned()),
                    source: "the demo".to_owned(),
                    ..InstalledSoftware::default()
                })
                .collect(),
            ..Request::default()
        })
    }
}

fn known(certificate: &[u8]) -> KnownCertificate {
    KnownCertificate { certificate: certificate.to_vec().into(), source: OWN_AUTHORITY.to_owned() }
}

fn live(scene: &Scene, peer: &Peer) -> Live {
    let port = peer.address.map_or(443, |address| address.port()).to_string();
    let file = |(_, path, text): &(Party, &str, &str)| ((*path).to_owned(), text.replace("{port}", &port).into_bytes());
    let only = Some(scene.configurations.iter().map(file).collect());
    let mut live = Live { files: FilesOf { only, ..FilesOf::default() }, ..Live::default() };
    if let Some(timeout) = scene.timeout {
        live.connect_timeout = timeout;
        live.tls_timeout = timeout;
    }
    live
}

/// What became of the scenes.
#[derive(Default)]
struct Count {
    causes: usize,
    healthy: usize,
    otherwise: usize,
    left_out: usize,
}

impl Count {
    fn add(&mut self, scene: &Scene, report: &Report) {
        match scene.cause {
            _ if !as_announced(scene, report) => self.otherwise += 1,
            Some(_) => self.causes += 1,
            None => self.healthy += 1,
        }
    }
}

fn as_announced(scene: &Scene, report: &Report) -> bool {
    let outcome = if scene.cause.is_some() { Outcome::Fails } else { Outcome::Works };
    report.outcome == outcome && report.root_cause.as_deref() == scene.cause
}

/// Whom the scenes are shown to.
enum Audience {
    /// Sees the short form of each.
    Short(Output),
    /// Gets the reports.
    Full(Reports),
}

impl Audience {
    fn write(&mut self, write: impl FnOnce(&mut Page<'_>) -> io::Result<()>) -> Result<(), Failure> {
        let write = |out: &mut dyn Write| write(&mut Page::new(out, terminal::width()));
        match self {
            Audience::Short(output) => output.write(write),
            Audience::Full(reports) => reports.preface(write),
        }
    }

    /// How the same would be asked of a server of one's own.
    fn equivalent(&mut self, scene: &Scene, subject: &Subject) -> Result<(), Failure> {
        let command = equivalent(scene, subject);
        self.write(|page| {
            page.paragraph(0, Style::new(), scene.title)?;
            page.paragraph(0, ASIDE, "The same by hand, while server and authority live (as long as the demo):")?;
            page.command(LABEL, &command)?;
            page.blank()
        })
    }

    fn show(&mut self, scene: &Scene, examination: &Examination, report: &Report) -> Result<(), Failure> {
        match self {
            Audience::Full(reports) => reports.write(examination, report),
            Audience::Short(_) => self.write(|page| short(page, scene, report)),
        }
    }

    /// This machine cannot show the scene.
    fn left_out(&mut self, scene: &Scene, why: &io::Error) -> Result<(), Failure> {
        let text = not_here(scene, why);
        match self {
            Audience::Full(_) => {
                note(&text);
                Ok(())
            }
            Audience::Short(_) => self.write(|page| {
                heading(page, scene)?;
                page.paragraph(LABEL, ASIDE, &words::sentence(&text))?;
                page.blank()
            }),
        }
    }

    fn end(mut self, count: &Count, elapsed: Duration) -> Result<(), Failure> {
        if let Audience::Short(_) = &self {
            self.write(|page| {
                page.paragraph(0, HEADING, &count.in_words(elapsed))?;
                let more = "`tlswhy demo CODE` shows one in full, `tlswhy explain CODE` explains it, `tlswhy TARGET` asks a server of yours.";
                page.paragraph(0, Style::new(), more)
            })?;
        }
        match self {
            Audience::Short(output) => output.finish(),
            Audience::Full(reports) => reports.finish().map(drop),
        }
    }
}

fn not_here(scene: &Scene, why: &io::Error) -> String {
    format!("{} cannot be shown on this machine: {why}", scene.code())
}

fn equivalent(scene: &Scene, subject: &Subject) -> String {
    let mut command = format!("tlswhy check {}", subject.target);
    if subject.port != HTTPS_PORT {
        command += " --address 127.0.0.1";
    }
    command += &format!(" --client {} --ca FILE", scene.client);
    for (party, path, _) in scene.configurations {
        command += if *party == Party::Server { " --server-config " } else { " --client-config " };
        command += path;
    }
    if let Some(timeout) = scene.timeout {
        command += &format!(" --timeout {}", timeout.as_secs_f64());
    }
    command
}

fn heading(page: &mut Page<'_>, scene: &Scene) -> io::Result<()> {
    page.title(0, scene.code(), 0, "")?;
    page.paragraph(LABEL, Style::new(), scene.title)
}

/// The diagnosis in a few lines: what was found, what mends it, why, and what comes next.
fn short(page: &mut Page<'_>, scene: &Scene, report: &Report) -> io::Result<()> {
    let announced = as_announced(scene, report);
    let colour = if announced { AnsiColor::Green } else { AnsiColor::Red };
    heading(page, scene)?;
    let found = match report.findings.first() {
        Some(finding) if announced => words::sentence(&finding.title),
        _ => words::sentence(&report.summary),
    };
    page.labelled(LABEL, "Found", colour.on_default().bold(), TEXT, &found)?;
    if !announced {
        let found = report.root_cause.as_deref().unwrap_or("no cause");
        page.paragraph(TEXT, colour.on_default(), &format!("That is {found}, and {} was announced.", scene.code()))?;
    }
    if let Some(remedy) = report.findings.first().and_then(|finding| finding.remedies.first()) {
        page.labelled(LABEL, "Fix", HEADING, TEXT, &words::remedy(remedy))?;
        page.labelled(LABEL, "Why", HEADING, TEXT, &words::sentence(&remedy.why_it_works))?;
    }
    if let Some(next) = words::next(report, 0) {
        page.labelled(LABEL, "Next", HEADING, TEXT, &next)?;
    }
    let found = report.findings.first().map(|finding| words::confidence(finding.confidence).to_owned() + "; ");
    page.paragraph(TEXT, ASIDE, &format!("({}{})", found.unwrap_or_default(), words::effort(&report.cost)))?;
    page.blank()
}

impl Count {
    fn in_words(&self, elapsed: Duration) -> String {
        let all = self.causes + self.healthy + self.otherwise + self.left_out;
        let right = self.causes + self.healthy;
        let mut text = format!(
            "{right} of {all} servers diagnosed as announced ({} broken, {} healthy), in {:.1} s.",
            self.causes,
            self.healthy,
            elapsed.as_secs_f64()
        );
        if self.left_out > 0 {
            text += &format!(" {} cannot be shown on this machine.", self.left_out);
        }
        text
    }
}
