//! A capture with many kinds of handshakes as a table: a line for each client, server and cause, the most frequent first.

use std::collections::BTreeMap;
use std::io;

use anstyle::Style;

use super::capture::Row;
use super::page::{ASIDE, HEADING, Page};
use super::shown;

/// Longer names are cut, in characters.
const WIDEST: usize = 44;

/// What a client, a server and a cause have in common.
#[derive(Debug, Default)]
struct Incident {
    count: u64,
    first: String,
    last: String,
}

/// Client, server, and the cause or how it ended.
type Key = (String, String, String);

/// Writes what failed, and how much did not.
pub(super) fn write<'a>(rows: impl Iterator<Item = &'a Row>, page: &mut Page<'_>) -> io::Result<()> {
    let mut incidents: BTreeMap<Key, Incident> = BTreeMap::new();
    let mut causes: BTreeMap<String, u64> = BTreeMap::new();
    let mut others = 0;
    for row in rows {
        if !row.has_failed() {
            others += row.count;
            continue;
        }
        let (first, last) = row.times();
        let (client, server, cause) = row.incident();
        *causes.entry(cause.clone()).or_default() += row.count;
        let incident = incidents.entry((client, server, cause)).or_default();
        incident.count += row.count;
        if incident.first.is_empty() || first < incident.first.as_str() {
            first.clone_into(&mut incident.first);
        }
        if last > incident.last.as_str() {
            last.clone_into(&mut incident.last);
        }
    }
    let mut causes: Vec<(String, u64)> = causes.into_iter().collect();
    causes.sort_by(|one, other| other.1.cmp(&one.1).then_with(|| one.0.cmp(&other.0)));
    page.blank()?;
    for (cause, count) in &causes {
        page.labelled(0, &format!("{count:>8}"), HEADING, 10, cause)?;
    }
    let mut sorted: Vec<(Key, Incident)> = incidents.into_iter().collect();
    sorted.sort_by(|one, other| other.1.count.cmp(&one.1.count).then_with(|| one.0.cmp(&other.0)));
    let widest = |cell: fn(&Key) -> &str, least: usize| {
        sorted.iter().map(|(key, _)| cut(cell(key)).chars().count()).max().unwrap_or(0).max(least)
    };
    let (client, server, cause) = (widest(|key| &key.0, 6), widest(|key| &key.1, 6), widest(|key| &key.2, 5));
    page.blank()?;
    let line = |count: &str, one: &str, two: &str, three: &str, times: &str| {
        format!("{count:>8}  {:client$}  {:server$}  {:cause$}  {times}", cut(one), cut(two), cut(three))
    };
    page.pieces(&[(HEADING, line("Count", "Client", "Server", "Cause", "First and last"))])?;
    for ((client, server, cause), incident) in &sorted {
        let times = if incident.first == incident.last {
            incident.first.clone()
        } else {
            format!("{} {}", incident.first, incident.last)
        };
        page.pieces(&[(Style::new(), line(&incident.count.to_string(), client, server, cause, &times))])?;
    }
    if others > 0 {
        page.pieces(&[(
            ASIDE,
            format!("{others:>8}  others were completed, or the capture does not show their end; -v lists them"),
        )])?;
    }
    Ok(())
}

/// A cell that fits.
fn cut(text: &str) -> String {
    let text = shown(text);
    if text.chars().count() <= WIDEST {
        return text;
    }
    text.chars().take(WIDEST - 1).chain(std::iter::once('…')).collect()
}
