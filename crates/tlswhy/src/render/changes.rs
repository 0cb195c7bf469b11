//! What changed since an earlier report.

use std::io;

use tlswhy_model::{Change, ChangesView};

use super::page::{ASIDE, HEADING, Page};

/// Column of what kind of thing changed, and of the text beside it.
const LABEL: usize = 3;
const TEXT: usize = 25;
/// Columns, where there is no terminal.
const WIDTH: usize = 100;

/// Writes each change below a heading.
pub(super) fn write(view: &ChangesView, page: &mut Page<'_>) -> io::Result<()> {
    let heading = if view.changes.is_empty() { "Nothing changed" } else { "What changed" };
    page.paragraph(0, HEADING, &format!("{heading} since {}", view.since))?;
    for change in &view.changes {
        page.labelled(LABEL, &change.about.replace('-', " "), HEADING, TEXT, &in_words(change))?;
    }
    for what in &view.not_compared {
        page.paragraph(LABEL, ASIDE, &format!("Not compared: {what}."))?;
    }
    Ok(())
}

/// The same without styles.
pub(super) fn plain(view: &ChangesView) -> String {
    let mut out = Vec::new();
    // Writing to memory does not fail.
    let _ = write(view, &mut Page::new(&mut out, WIDTH));
    anstream::adapter::strip_str(&String::from_utf8_lossy(&out)).to_string()
}

fn in_words(change: &Change) -> String {
    let name = change.name.as_deref().map(|name| format!("{name}: ")).unwrap_or_default();
    let version = change.version.as_deref().map(|version| format!("{version}: ")).unwrap_or_default();
    let what = match (&change.before, &change.after) {
        (Some(before), Some(after)) => format!("{after} (was {before})"),
        (None, Some(after)) => format!("new: {after}"),
        (Some(before), None) => format!("gone: {before}"),
        (None, None) => String::new(),
    };
    format!("{version}{name}{what}")
}
