//! `tlswhy fix`: the remedy as a patch; with `--apply` it is carried out, verified, and taken back if it did not help.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use anstyle::{AnsiColor, Style};
use tlswhy_core::{InspectionRequest, Request};
use tlswhy_gather::Live;
use tlswhy_model::{
    ClientProfile, Confidence, Edit, Evidence, FileContent, Finding, Impact, Outcome, Party, Remedy, Report, Safety, printable,
};

use super::config::inspect;
use super::examine::{Interrupted, examine, now};
use super::{connect, judged, machine, trust};
use crate::cli::Fix;
use crate::exit::{Failure, Status};
use crate::output::Output;
use crate::render::{ASIDE, HEADING, Page, words};
use crate::target::Target;
use crate::terminal;

/// How often an examination is made again until two give the same.
const MOST_TRIES: usize = 4;
/// How long a reload may take to have effect.
#[cfg(unix)]
const RELOAD: std::time::Duration = std::time::Duration::from_secs(5);
/// Between two looks at whether it had effect.
#[cfg(unix)]
const PAUSE: std::time::Duration = std::time::Duration::from_millis(200);
/// The largest report that is read, in bytes.
const LARGEST: u64 = 64 << 20;
/// Column of text.
const TEXT: usize = 2;

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
    let subject = arguments.subject.as_deref().unwrap_or_default();
    let path = Path::new(subject);
    if path.exists() {
        let is_report = path.is_file() && starts_like_json(path)?;
        return if is_report { of_report(arguments, path) } else { of_configuration(arguments, path) };
    }
    let target: Target = subject.parse().map_err(|error| {
        Failure::new(format!("{} is no target ({error}), and there is no such file", printable(subject, 100)))
    })?;
    of_target(arguments, &target)
}

/// What would be changed for one finding.
struct Proposal<'f> {
    finding: &'f Finding,
    remedy: &'f Remedy,
}

/// The findings that edits mend, each with its best such remedy.
fn proposals(findings: &[Finding]) -> Vec<Proposal<'_>> {
    let mendable = |remedy: &&Remedy| remedy.safety == Safety::Safe && !remedy.edits.is_empty();
    let proposal = |finding| Some(Proposal { finding, remedy: finding.remedies.iter().find(mendable)? });
    findings.iter().filter_map(proposal).collect()
}

/// A server is asked, and its configuration read.
fn of_target(arguments: &Fix, target: &Target) -> Result<Status, Failure> {
    let named = arguments.client.iter().map(|name| judged::profile(name)).collect::<Result<Vec<_>, _>>()?;
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
        applying::nothing_is_open()?;
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
        let proposals = proposals(&report.findings);
        output.write(|out| {
            let mut page = Page::new(out, terminal::width());
            page.paragraph(0, Style::new(), &words::sentence(&report.summary))?;
            show(&mut page, &proposals, &report.findings, arguments.apply)
        })?;
        if proposals.is_empty() {
            return Ok(Status::of(&report));
        }
        if !arguments.apply {
            return Ok(Status::Blocked);
        }
        #[cfg(unix)]
        {
            let sure: Vec<&Proposal<'_>> = proposals
                .iter()
                .filter(|proposal| arguments.unsure || proposal.finding.confidence <= Confidence::Observed)
                .collect();
            if sure.is_empty() {
                return Err(
                    Failure::new("what was found is not sure enough to be applied").tip("--unsure applies it all the same")
                );
            }
            applying::apply(&mut asker, &report, &evidence, &sure, &mut output, &interrupted).await
        }
        #[cfg(not(unix))]
        {
            let _unused = evidence;
            Ok(Status::Blocked)
        }
    });
    runtime.shutdown_background();
    ended
}

/// A configuration alone: what is wrong with it is shown with its patches.
fn of_configuration(arguments: &Fix, path: &Path) -> Result<Status, Failure> {
    if arguments.apply {
        return Err(Failure::new("a patch is applied only where a handshake can show that it helped")
            .tip(format!("name the server: tlswhy fix HOST:PORT --server-config {} --apply", path.display())));
    }
    let named = arguments.client.iter().map(|name| judged::profile(name)).collect::<Result<Vec<_>, _>>()?;
    let trust = arguments.ca.as_deref().map(trust::named_trust_store).transpose()?;
    let known = trust::known_certificates(&arguments.sources.known)?;
    let files = machine::files(&arguments.machine)?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::new(format!("cannot start: {error}")))?;
    let report = runtime.block_on(async {
        let interrupted = Interrupted::watch();
        let clients = judged::judged(named, None, &interrupted).await?;
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
    let (report, _) = report;
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
    shown(&findings)
}

/// The patches of a report that was made before.
fn of_report(arguments: &Fix, path: &Path) -> Result<Status, Failure> {
    let cannot = |why: &dyn std::fmt::Display| Failure::new(format!("cannot read the report {}: {why}", path.display()));
    let mut text = Vec::new();
    let file = std::fs::File::open(path).map_err(|error| cannot(&error))?;
    io::Read::read_to_end(&mut io::Read::take(file, LARGEST), &mut text).map_err(|error| cannot(&error))?;
    let report: Report = serde_json::from_slice(&text)
        .map_err(|error| cannot(&error).tip("it is what `tlswhy TARGET --server-config PATH --format json` writes"))?;
    if arguments.apply {
        return Err(Failure::new("a report may be older than the files: what is applied is asked anew")
            .tip(format!("tlswhy fix {} --server-config PATH --apply", printable(&report.subject.target, 200))));
    }
    shown(&report.findings)
}

fn shown(findings: &[Finding]) -> Result<Status, Failure> {
    let proposals = proposals(findings);
    let mut output = Output::open(None)?;
    output.write(|out| show(&mut Page::new(out, terminal::width()), &proposals, findings, false))?;
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

/// The patches in words and as diffs.
fn show(page: &mut Page<'_>, proposals: &[Proposal<'_>], findings: &[Finding], applies: bool) -> io::Result<()> {
    for proposal in proposals {
        let (finding, remedy) = (proposal.finding, proposal.remedy);
        page.blank()?;
        page.paragraph(0, HEADING, &words::sentence(&finding.title))?;
        page.paragraph(0, ASIDE, &format!("{}: {}", finding.cause, words::weight(finding)))?;
        page.paragraph(TEXT, Style::new(), &words::remedy(remedy))?;
        for edit in &remedy.edits {
            page.command(TEXT, &edit.diff)?;
        }
        page.paragraph(TEXT, Style::new(), &words::sentence(&format!("Why it works: {}", remedy.why_it_works)))?;
        if let Some(after) = remedy.predicts.as_ref().and_then(words::prediction) {
            page.paragraph(TEXT, Style::new(), &words::sentence(&format!("Then: {after}")))?;
        }
        for (label, command) in [("Validate", &remedy.check), ("Reload", &remedy.reload)] {
            if !command.is_empty() {
                page.labelled(TEXT, label, HEADING, TEXT + 10, &command.join(" "))?;
            }
        }
    }
    let by_hand: Vec<&Finding> = findings
        .iter()
        .filter(|finding| finding.impact == Impact::Blocks)
        .filter(|finding| !proposals.iter().any(|proposal| std::ptr::eq(proposal.finding, *finding)))
        .collect();
    for finding in &by_hand {
        page.blank()?;
        page.paragraph(0, HEADING, &words::sentence(&finding.title))?;
        page.paragraph(0, ASIDE, &format!("{}: {}", finding.cause, words::weight(finding)))?;
        let remedy = finding.remedies.first().map(words::remedy).unwrap_or_default();
        page.paragraph(TEXT, Style::new(), &format!("No file that was read can be edited for this. {remedy}"))?;
    }
    page.blank()?;
    let last = match (proposals.is_empty(), by_hand.is_empty(), applies) {
        (true, true, _) => "Nothing is to be mended.",
        (true, false, _) => "No edit is proposed.",
        (false, _, true) => return Ok(()),
        (false, _, false) => "Nothing was changed. `--apply` does it, asks again, and takes it back if it did not help.",
    };
    page.paragraph(0, ASIDE, last)
}

/// Asks one server again and again in the same way.
struct Asker<'a> {
    arguments: &'a Fix,
    target: &'a Target,
    live: Live,
    named: Vec<Option<ClientProfile>>,
    panel: Vec<ClientProfile>,
}

impl<'a> Asker<'a> {
    fn new(arguments: &'a Fix, target: &'a Target, named: Vec<Option<ClientProfile>>) -> Result<Asker<'a>, Failure> {
        let files = machine::files(&arguments.machine)?;
        let live = Live { files, ..connect::live(&arguments.connection, target)? };
        Ok(Asker { arguments, target, live, named, panel: tlswhy_core::panel() })
    }

    /// One examination. This machine's OpenSSL is looked at anew each time: its configuration may be what was mended.
    async fn ask(&mut self, replay: bool, interrupted: &Interrupted) -> Result<(Box<Report>, Evidence), Failure> {
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
    async fn standing(&mut self, interrupted: &Interrupted) -> Result<Standing, Failure> {
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
struct Standing {
    outcome: String,
    summary: String,
    blocking: Vec<String>,
    works: BTreeMap<String, bool>,
}

impl Standing {
    fn of(report: &Report) -> Standing {
        let blocking = report.findings.iter().filter(|finding| finding.impact == Impact::Blocks);
        Standing {
            outcome: words::outcome(report.outcome).to_owned(),
            summary: report.summary.clone(),
            blocking: blocking.map(|finding| finding.cause.clone()).collect(),
            works: report.clients.iter().map(|client| (client.name.clone(), client.outcome == Outcome::Works)).collect(),
        }
    }

    fn works(&self) -> bool {
        self.blocking.is_empty()
    }

    /// Clients that connected before and do not now.
    fn lost<'s>(&self, after: &'s Standing) -> Vec<&'s str> {
        let lost = after.works.iter().filter(|(name, works)| !**works && self.works.get(*name) == Some(&true));
        lost.map(|(name, _)| name.as_str()).collect()
    }
}

#[cfg(unix)]
mod applying {
    //! Carrying it out.

    use std::time::Instant;

    use super::*;
    use crate::apply::{Change, Plan, Ran, Refused, Restored, Session, StateDir};

    /// Does it, step by step, and takes it back if it did not help.
    pub(super) async fn apply(
        asker: &mut Asker<'_>,
        report: &Report,
        evidence: &Evidence,
        proposals: &[&Proposal<'_>],
        output: &mut Output,
        interrupted: &Interrupted,
    ) -> Result<Status, Failure> {
        let plan = plan(asker.arguments, report, evidence, proposals)?;
        let before = asker.standing(interrupted).await?;
        if before.works() {
            say(output, "Before", "the client connects: there is nothing to verify against")?;
            return Ok(Status::Fine);
        }
        let connect = before.works.values().filter(|works| **works).count();
        say(
            output,
            "Before",
            &format!("{} {connect} of {} well-known clients connect", words::sentence(&before.summary), before.works.len()),
        )?;
        let state = StateDir::usual().map_err(failure)?;
        let mut session = Session::begin(&state, &plan).map_err(failure)?;
        for backup in session.backups() {
            say(output, "Copy", &backup.display().to_string())?;
        }
        let id = session.id().to_owned();
        match carry_out(asker, &mut session, &before, output, interrupted).await {
            Ok(after) => {
                session.keep().map_err(failure)?;
                say(output, "After", &words::sentence(&after.summary))?;
                let gained =
                    after.works.iter().filter(|(name, works)| **works && before.works.get(*name) == Some(&false)).count();
                let more = if gained > 0 { format!(" {gained} more well-known clients connect.") } else { String::new() };
                say(output, "Kept", &format!("it helped.{more} `tlswhy fix --undo {id}` takes it back"))?;
                Ok(if after.works() { Status::Fine } else { Status::Blocked })
            }
            Err(why) => {
                // First of all: nobody may be left to read what is said.
                let restored = session.roll_back().map_err(failure);
                say(output, "Learned", &words::sentence(&why))?;
                let restored = restored?;
                say_restored(output, &restored)?;
                Ok(Status::Blocked)
            }
        }
    }

    /// What was left unfinished is taken back before anything else is begun.
    pub(super) fn nothing_is_open() -> Result<(), Failure> {
        let state = StateDir::usual().map_err(failure)?;
        let open = crate::apply::list(&state).map_err(failure)?.into_iter().find(|entry| !entry.step.is_an_end());
        match open {
            Some(open) => {
                Err(Failure::new(format!("the fix {} was not finished: it stopped while {}", open.id, open.step.in_words()))
                    .tip("`tlswhy fix --recover` takes it back"))
            }
            None => Ok(()),
        }
    }

    /// Validates, then reloads: what does not pass its validation is never reloaded.
    pub(super) fn take_up(session: &mut Session, mut said: impl FnMut(&str, &Ran) -> Result<(), String>) -> Result<(), String> {
        for (label, step) in [("Validated", Session::check as fn(&mut Session) -> _), ("Reloaded", Session::reload)] {
            let ran: Option<Ran> = step(session).map_err(|refused: Refused| refused.0)?;
            let Some(ran) = ran else { continue };
            said(label, &ran)?;
            if !ran.good {
                let why = if ran.said.is_empty() { String::new() } else { format!(": {}", printable(&ran.said, 2000)) };
                return Err(format!("`{}` failed{why}", ran.command));
            }
        }
        Ok(())
    }

    /// Writes, validates, reloads and asks again. The error is what was learned; it is taken back then.
    async fn carry_out(
        asker: &mut Asker<'_>,
        session: &mut Session,
        before: &Standing,
        output: &mut Output,
        interrupted: &Interrupted,
    ) -> Result<Standing, String> {
        let refused = |refused: Refused| refused.0;
        let unsaid = |failure: Failure| failure.to_string();
        session.write().map_err(refused)?;
        take_up(session, |label, ran| say_ran(output, label, ran).map_err(unsaid))?;
        let started = Instant::now();
        loop {
            let after = match asker.standing(interrupted).await {
                // For a moment old and new processes answer side by side.
                Err(_) if started.elapsed() < RELOAD => {
                    tokio::time::sleep(PAUSE).await;
                    continue;
                }
                standing => standing.map_err(unsaid)?,
            };
            let lost = before.lost(&after);
            let better = after.works() || after.blocking.len() < before.blocking.len() || !same_root(before, &after);
            if better && lost.is_empty() {
                return Ok(after);
            }
            // A reload takes its time.
            if started.elapsed() < RELOAD && after == *before {
                tokio::time::sleep(PAUSE).await;
                continue;
            }
            return Err(if !lost.is_empty() {
                format!("with it {} could not connect any more", lost.join(", "))
            } else if after == *before {
                "with it everything stayed as it was: the running program did not take it up, or another line rules".to_owned()
            } else {
                format!("with it the handshake did not get better: {}", after.summary)
            });
        }
    }

    /// Still the same first fault.
    fn same_root(before: &Standing, after: &Standing) -> bool {
        before.blocking.first() == after.blocking.first()
    }

    /// The edits of all proposals, by file.
    fn plan(arguments: &Fix, report: &Report, evidence: &Evidence, proposals: &[&Proposal<'_>]) -> Result<Plan, Failure> {
        let mut by_path: BTreeMap<&str, Vec<&Edit>> = BTreeMap::new();
        for edit in proposals.iter().flat_map(|proposal| &proposal.remedy.edits) {
            let edits = by_path.entry(&edit.path).or_default();
            // Two findings may ask for the same; where they ask for different things, the first one's counts.
            if edits.iter().all(|known| known.end < edit.start || edit.end < known.start) {
                edits.push(edit);
            }
        }
        let mut changes = Vec::new();
        for (path, edits) in by_path {
            let seen = evidence.files.iter().find(|file| file.path == path).map(|file| &file.content);
            let Some(FileContent::Bytes { bytes, sha256, .. }) = seen else {
                return Err(Failure::new(format!("{path} was not read")));
            };
            let old = |edit: &Edit| {
                let range = usize::try_from(edit.start).unwrap_or(usize::MAX)..usize::try_from(edit.end).unwrap_or(usize::MAX);
                bytes.get(range).unwrap_or_default().to_vec()
            };
            let edits = edits.into_iter().map(|edit| crate::apply::Edit {
                start: edit.start,
                end: edit.end,
                old: old(edit),
                new: edit.new.clone().into_bytes(),
            });
            changes.push(Change { path: PathBuf::from(path), expected: sha256.clone(), edits: edits.collect() });
        }
        let remedy = proposals.first().map(|proposal| proposal.remedy);
        let given = evidence.configurations.iter().map(|given| PathBuf::from(&given.path));
        let roots = given.map(|path| if path.is_dir() { path } else { path.parent().map_or(path.clone(), Path::to_owned) });
        Ok(Plan {
            changes,
            check: command(arguments.check_command.as_deref(), remedy.map(|remedy| &remedy.check)),
            reload: command(arguments.reload_command.as_deref(), remedy.map(|remedy| &remedy.reload)),
            roots: roots.collect(),
            summary: report.summary.clone(),
        })
    }

    /// The user's command, else the program's.
    fn command(given: Option<&str>, usual: Option<&Vec<String>>) -> Vec<String> {
        match given {
            Some("none") => Vec::new(),
            Some(given) => given.split_whitespace().map(str::to_owned).collect(),
            None => usual.cloned().unwrap_or_default(),
        }
    }

    pub(super) fn say_restored(output: &mut Output, restored: &Restored) -> Result<(), Failure> {
        for path in &restored.restored {
            say(output, "Restored", &path.display().to_string())?;
        }
        for (path, backup) in &restored.left_alone {
            let text =
                format!("{} was changed by somebody since and is left alone; the copy is {}", path.display(), backup.display());
            say(output, "Left", &text)?;
        }
        match &restored.reload {
            Some(ran) => say_ran(output, "Reloaded", ran),
            None => Ok(()),
        }
    }

    fn say_ran(output: &mut Output, label: &str, ran: &Ran) -> Result<(), Failure> {
        let said = if ran.good || ran.said.is_empty() { String::new() } else { format!(": {}", printable(&ran.said, 2000)) };
        let how = if ran.good { "" } else { " failed" };
        say(output, label, &format!("`{}`{how}{said}", ran.command))
    }

    pub(super) fn say(output: &mut Output, label: &str, text: &str) -> Result<(), Failure> {
        output.write(|out: &mut dyn Write| {
            let style = AnsiColor::Green.on_default();
            Page::new(out, terminal::width()).labelled(0, label, style, 11, &words::sentence(text))
        })
    }

    pub(super) fn failure(refused: Refused) -> Failure {
        Failure::new(refused.0)
    }
}

#[cfg(unix)]
mod earlier {
    //! What was applied before: listing it, taking it back.

    use super::applying::{failure, say, say_restored};
    use super::*;
    use crate::apply::{self, StateDir};

    pub(super) fn run(arguments: &Fix) -> Result<Status, Failure> {
        let state = StateDir::usual().map_err(failure)?;
        let mut output = Output::open(None)?;
        if arguments.list {
            let entries = apply::list(&state).map_err(failure)?;
            if entries.is_empty() {
                say(&mut output, "Nothing", &format!("no fix was applied (journals lie in {})", state.path().display()))?;
            }
            for entry in entries {
                let text = format!("{} ({}): {}", entry.id, entry.step.in_words(), entry.summary);
                output.write(|out| Page::new(out, terminal::width()).paragraph(0, Style::new(), &text))?;
                for file in &entry.files {
                    let text = format!("{} (copy: {})", file.path.display(), file.backup.display());
                    output.write(|out| Page::new(out, terminal::width()).paragraph(TEXT, ASIDE, &text))?;
                }
            }
            output.finish()?;
            return Ok(Status::Fine);
        }
        let restored = match &arguments.undo {
            Some(id) => vec![apply::undo(&state, Some(id.as_str()).filter(|id| !id.is_empty())).map_err(failure)?],
            None => apply::recover(&state).map_err(failure)?,
        };
        if restored.is_empty() {
            say(&mut output, "Nothing", "no fix was left unfinished")?;
        }
        let mut status = Status::Fine;
        for restored in &restored {
            say(&mut output, "Taken back", &format!("{}: {}", restored.id, restored.summary))?;
            say_restored(&mut output, restored)?;
            if !restored.left_alone.is_empty() || restored.reload.as_ref().is_some_and(|ran| !ran.good) {
                status = Status::Blocked;
            }
        }
        output.finish()?;
        Ok(status)
    }
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
