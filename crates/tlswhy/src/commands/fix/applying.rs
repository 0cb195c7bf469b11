//! Carrying it out.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anstyle::AnsiColor;
use tlswhy_core::configuration::aims::{Aim, Course};
use tlswhy_model::{Edit, Evidence, FileContent, Outcome, SeenFile, printable};

use super::asking::{Asker, Standing};
use super::proposal::Proposal;
use crate::apply::{Change, Plan, Ran, Refused, Restored, Session, StateDir};
use crate::commands::examine::Interrupted;
use crate::exit::{Failure, Status};
use crate::output::Output;
use crate::render::{Page, words};
use crate::terminal;

/// How long a reload may take to have effect.
const RELOAD: Duration = Duration::from_secs(5);
/// Between two looks at whether it had effect.
const PAUSE: Duration = Duration::from_millis(200);

/// Does it, step by step, and takes it back if it did not help.
pub(super) async fn apply(
    asker: &mut Asker<'_>,
    summary: &str,
    evidence: &Evidence,
    proposals: &[&Proposal<'_>],
    course: Option<&Course>,
    output: &mut Output,
    interrupted: &Interrupted,
) -> Result<Status, Failure> {
    let plan = plan(summary, evidence, proposals)?;
    there_to_run(&plan)?;
    let before = asker.standing(interrupted).await?;
    if before.works() && course.is_none() {
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
        say_as_it_is(output, "Copy", &backup.display().to_string())?;
    }
    let id = session.id().to_owned();
    if let Err(refused) = session.write() {
        say_restored(output, &session.roll_back().map_err(failure)?)?;
        return Err(failure(refused));
    }
    asker.take_mended(evidence, &written(&plan));
    match carry_out(asker, &mut session, &before, course, output, interrupted).await {
        Ok(after) => {
            session.keep().map_err(failure)?;
            say(output, "After", &words::sentence(&after.summary))?;
            let gained = after.works.iter().filter(|(name, works)| **works && before.works.get(*name) == Some(&false)).count();
            let more = if gained > 0 { format!(" {gained} more well-known clients connect.") } else { String::new() };
            let verdict = if course.is_some() { "the server does it now" } else { "it helped" };
            say(output, "Kept", &format!("{verdict}.{more} `tlswhy fix --undo {id}` takes it back"))?;
            Ok(if after.works() { Status::Fine } else { Status::Blocked })
        }
        Err(why) => {
            // First of all: nobody may be left to read what is said.
            let restored = session.roll_back().map_err(failure);
            say(output, "Learned", &words::sentence(&why))?;
            let restored = restored?;
            say_restored(output, &restored)?;
            if why == UNFIT && crate::apply::fails(&plan.check) {
                say(output, "Beware", "the check fails without the change as well: what it complains of comes first")?;
            }
            Ok(Status::Blocked)
        }
    }
}

/// A program that is not installed could validate nothing, and what is written would not be taken up.
fn there_to_run(plan: &Plan) -> Result<(), Failure> {
    for (command, option) in [(&plan.check, "--check-command"), (&plan.reload, "--reload-command")] {
        let Some(program) = command.first().filter(|program| !is_there(program)) else { continue };
        return Err(Failure::new(format!("`{}` is to be run, and there is no `{program}` here", command.join(" ")))
            .tip(format!("{option} COMMAND runs another in its place, or none with `none`")));
    }
    Ok(())
}

/// Whether a command of this name could be started.
fn is_there(program: &str) -> bool {
    if program.contains('/') {
        return Path::new(program).exists();
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|folder| folder.join(program).is_file())
}

/// What is learned where the program refuses the files, and where it does not read them.
const UNFIT: &str = "the program's own check fails with it, so it was not reloaded";
const UNREAD: &str =
    "the program could not be made to read it, so whether it helps is not known; --reload-command names another way";

/// Validates, then reloads: what does not pass its validation is never reloaded.
pub(super) fn take_up(session: &mut Session, mut said: impl FnMut(&str, &Ran) -> Result<(), String>) -> Result<(), String> {
    let steps = [("Validated", Session::check as fn(&mut Session) -> _, UNFIT), ("Reloaded", Session::reload, UNREAD)];
    for (label, step, otherwise) in steps {
        let ran: Option<Ran> = step(session).map_err(|refused: Refused| refused.0)?;
        let Some(ran) = ran else { continue };
        said(label, &ran)?;
        if !ran.good {
            return Err(otherwise.to_owned());
        }
    }
    Ok(())
}

/// Validates, reloads and asks again. The error is what was learned; it is taken back then.
async fn carry_out(
    asker: &mut Asker<'_>,
    session: &mut Session,
    before: &Standing,
    course: Option<&Course>,
    output: &mut Output,
    interrupted: &Interrupted,
) -> Result<Standing, String> {
    let unsaid = |failure: Failure| failure.to_string();
    take_up(session, |label, ran| say_ran(output, label, ran).map_err(unsaid))?;
    let started = Instant::now();
    let for_the_client = asker.aim == Some(Aim::Client);
    loop {
        let after = match asker.standing(interrupted).await {
            // For a moment old and new processes answer side by side.
            Err(_) if started.elapsed() < RELOAD => {
                tokio::time::sleep(PAUSE).await;
                continue;
            }
            standing => standing.map_err(unsaid)?,
        };
        // Whom a guideline cuts off was said before.
        let foreseen = |name: &&str| course.is_some_and(|course| course.loses.iter().any(|known| known == name));
        let lost: Vec<&str> = before.lost(&after).into_iter().filter(|name| !foreseen(name)).collect();
        let taken_up = course.is_none_or(|course| came_true(course, before, &after));
        let better = match course {
            // A guideline need not be what the judged client lacks.
            Some(_) => taken_up && (after.works() || !for_the_client && !before.works()),
            // What is undetermined is no better than a failure whose cause is known.
            None if after.outcome == Outcome::Undetermined => false,
            None => after.works() || after.blocking.len() < before.blocking.len() || !same_root(before, &after),
        };
        if better && lost.is_empty() {
            return Ok(after);
        }
        // A reload takes its time, and for a while old processes may answer some and new ones others: only what is worse for somebody
        // is taken back at once.
        let may_come = lost.is_empty() || !taken_up || after.outcome == Outcome::Undetermined;
        if started.elapsed() < RELOAD && may_come {
            tokio::time::sleep(PAUSE).await;
            continue;
        }
        return Err(if !lost.is_empty() {
            format!("with it {} could not connect any more", lost.join(", "))
        } else if after == *before {
            "with it everything stayed as it was: the running program did not take it up, or another line rules".to_owned()
        } else if after.outcome == Outcome::Undetermined {
            format!("whether it helped cannot be told: {}", after.summary)
        } else {
            format!("with it the handshake did not get better: {}", after.summary)
        });
    }
}

/// Whether every client for whom a change was foreseen fares so: else the running program did not take it up.
fn came_true(course: &Course, before: &Standing, after: &Standing) -> bool {
    let fares = |list: &[String], wanted: bool| {
        // What already was so by measurement, whatever the model held of it, proves nothing.
        let bears = |name: &&String| before.works.get(*name) == Some(&!wanted);
        list.iter().filter(bears).all(|name| after.works.get(name) == Some(&wanted))
    };
    fares(&course.gains, true) && fares(&course.loses, false) && (course.connects != Some(true) || after.works())
}

/// Still the same first fault, under its own name or that of what it explained.
fn same_root(before: &Standing, after: &Standing) -> bool {
    let first = after.blocking.first();
    before.blocking.first() == first || first.is_some_and(|first| before.explained.contains(first))
}

/// What stands in the files now.
fn written(plan: &Plan) -> Vec<SeenFile> {
    let seen = |change: &Change| {
        let bytes = std::fs::read(&change.path).ok()?;
        let content = FileContent::Bytes { bytes: bytes.into(), sha256: String::new(), public_keys: Vec::new() };
        Some(SeenFile { path: change.path.to_string_lossy().into_owned(), real_path: None, content })
    };
    plan.changes.iter().filter_map(seen).collect()
}

/// The edits of all proposals, by file.
fn plan(summary: &str, evidence: &Evidence, proposals: &[&Proposal<'_>]) -> Result<Plan, Failure> {
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
        let (bytes, expected) = match seen {
            Some(FileContent::Bytes { bytes, sha256, .. }) => (bytes.0.as_slice(), sha256.clone()),
            // It comes to be.
            Some(FileContent::Missing) => (&[][..], String::new()),
            _ => return Err(Failure::new(format!("{path} was not read"))),
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
        changes.push(Change { path: PathBuf::from(path), expected, edits: edits.collect() });
    }
    let remedy = proposals.first().map(|proposal| &proposal.remedy);
    // A part of a configuration lies where its main file does.
    let mains = tlswhy_core::configuration::main_files(evidence).into_iter().map(PathBuf::from);
    let given = evidence.configurations.iter().map(|given| PathBuf::from(&given.path)).chain(mains);
    let roots = given.map(|path| if path.is_dir() { path } else { path.parent().map_or(path.clone(), Path::to_owned) });
    Ok(Plan {
        changes,
        check: remedy.map(|remedy| remedy.check.clone()).unwrap_or_default(),
        reload: remedy.map(|remedy| remedy.reload.clone()).unwrap_or_default(),
        roots: roots.collect(),
        summary: summary.to_owned(),
    })
}

pub(super) fn say_restored(output: &mut Output, restored: &Restored) -> Result<(), Failure> {
    for path in &restored.restored {
        say_as_it_is(output, "Restored", &path.display().to_string())?;
    }
    for (path, backup) in &restored.left_alone {
        // Of a file that came to be there is none.
        let copy = if backup.as_os_str().is_empty() { String::new() } else { format!("; the copy is {}", backup.display()) };
        let text = format!("{} was changed by somebody since and is left alone{copy}", path.display());
        say(output, "Left", &text)?;
    }
    let Some(ran) = &restored.reload else { return Ok(()) };
    say_ran(output, "Reloaded", ran)?;
    if !ran.good {
        say(
            output,
            "Beware",
            "the files are what they were; the running program may have others in memory: reload it by hand",
        )?;
    }
    Ok(())
}

/// A command, and where it failed what it said.
fn say_ran(output: &mut Output, label: &str, ran: &Ran) -> Result<(), Failure> {
    if ran.good {
        return say(output, label, &format!("`{}`", ran.command));
    }
    let lines: Vec<&str> = ran.said.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    let said = if lines.is_empty() { String::new() } else { format!(": {}", printable(&lines.join(" / "), 2000)) };
    say(output, "Failed", &format!("`{}`{said}", ran.command))
}

pub(super) fn say(output: &mut Output, label: &str, text: &str) -> Result<(), Failure> {
    say_as_it_is(output, label, &words::sentence(text))
}

/// A path, which a full stop would spoil.
fn say_as_it_is(output: &mut Output, label: &str, text: &str) -> Result<(), Failure> {
    output.write(|out: &mut dyn Write| {
        let style = AnsiColor::Green.on_default();
        Page::new(out, terminal::width()).labelled(0, label, style, 11, text)
    })
}

pub(super) fn failure(refused: Refused) -> Failure {
    Failure::new(refused.0)
}
