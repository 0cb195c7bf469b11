//! What was applied before: listing it, taking it back.

use anstyle::Style;

use super::applying::{failure, say, say_restored};
use super::proposal::TEXT;
use crate::apply::{self, StateDir};
use crate::cli::Fix;
use crate::exit::{Failure, Status};
use crate::output::Output;
use crate::render::{ASIDE, Page};
use crate::terminal;

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
