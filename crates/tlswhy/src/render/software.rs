//! The software of a machine, as text for people.

use std::io::{self, Write};

use anstyle::{AnsiColor, Style};
use tlswhy_core::knowledge::software::title;
use tlswhy_model::{FoundSoftware, SoftwareReport, SoftwareRole};
use tlswhy_wire::ProtocolVersion;

use super::{ASIDE, HEADING, Options, Page, words};

/// Column of the names, and of what is said of them.
const NAME: usize = 2;
const TEXT: usize = 24;
/// Copies of the same version that are named without -v.
const FEW_COPIES: usize = 3;

/// Writes the report.
pub(crate) fn write(report: &SoftwareReport, options: Options, out: &mut dyn Write) -> io::Result<()> {
    let mut page = Page::new(out, options.width);
    page.paragraph(0, HEADING, &words::sentence(&report.summary))?;
    for (role, heading) in [
        (SoftwareRole::Server, "Servers"),
        (SoftwareRole::Client, "Clients"),
        (SoftwareRole::Runtime, "Runtimes, and programs built with Go"),
        (SoftwareRole::Library, "Copies of TLS libraries"),
    ] {
        let of_role: Vec<&FoundSoftware> = report.software.iter().filter(|one| one.role == role).collect();
        if of_role.is_empty() {
            continue;
        }
        page.blank()?;
        page.paragraph(0, HEADING, heading)?;
        // They are sorted by product and version.
        for same in of_role
            .chunk_by(|one, next| (&one.product, &one.version) == (&next.product, &next.version) && says(one) == says(next))
        {
            write_same(&mut page, same, options)?;
        }
    }
    page.blank()?;
    let walk = &report.walk;
    let megabytes = walk.searched_bytes / 1_000_000;
    let seen = format!(
        "{} names seen, {} programs and libraries read, {megabytes} MB of them searched, in {:.1} s; nothing else was looked at.",
        walk.entries,
        walk.files,
        walk.elapsed_ms / 1000.0
    );
    page.paragraph(0, ASIDE, &seen)?;
    for left_out in &walk.left_out {
        page.labelled(0, "Left out:", AnsiColor::Yellow.on_default(), 10, left_out)?;
    }
    Ok(())
}

/// Copies of the same version.
fn write_same(page: &mut Page<'_>, same: &[&FoundSoftware], options: Options) -> io::Result<()> {
    let Some(first) = same.first() else { return Ok(()) };
    let name = format!("{} {}", title(&first.product), first.version.as_deref().map_or("(version unknown)", of_makers));
    let style = if is_past(first) { AnsiColor::Yellow.on_default().bold() } else { HEADING };
    page.labelled(NAME, &name, style, TEXT, &says(first))?;
    let shown = if options.verbose { same.len() } else { FEW_COPIES };
    for one in same.iter().take(shown) {
        page.paragraph(TEXT, Style::new(), &place(one))?;
        if options.verbose {
            write_more(page, one)?;
        }
    }
    match same.len().saturating_sub(shown) {
        0 => Ok(()),
        more => page.paragraph(TEXT, ASIDE, &format!("and {more} more (-v shows them)")),
    }
}

fn write_more(page: &mut Page<'_>, one: &FoundSoftware) -> io::Result<()> {
    if !one.used_by.is_empty() {
        page.paragraph(TEXT + 2, ASIDE, &format!("loaded by {}", one.used_by.join(", ")))?;
    }
    if let Some(known) = &one.abilities {
        if let Some(note) = &known.note {
            page.paragraph(TEXT + 2, ASIDE, note)?;
        }
        if !known.lacks.is_empty() {
            let lacks: Vec<String> = known.lacks.iter().map(|one| format!("{} (since {})", one.what, one.since)).collect();
            page.paragraph(TEXT + 2, ASIDE, &format!("lacks {}", lacks.join(", ")))?;
        }
        page.paragraph(TEXT + 2, ASIDE, &format!("known from {}", known.source))?;
    }
    match &one.end_of_life {
        Some(end) => page.paragraph(TEXT + 2, ASIDE, &format!("mended by {} until {}: {}", end.by, end.date, end.source)),
        None => Ok(()),
    }
}

/// What is the same for copies of a version: versions of TLS, libraries, end of life.
fn says(one: &FoundSoftware) -> String {
    let mut parts = Vec::new();
    let known = one.abilities.as_ref();
    if let Some(versions) = known.and_then(|known| known.versions.as_ref()) {
        parts.push(range(versions, known.and_then(|known| known.by_default.as_ref())));
    }
    let libraries: Vec<String> = one
        .libraries
        .iter()
        .map(|library| format!("{} {}", title(&library.product), library.version.as_deref().unwrap_or("of unknown version")))
        .collect();
    if !libraries.is_empty() {
        parts.push(format!("with {}", libraries.join(" and ")));
    }
    match &one.end_of_life {
        Some(end) if end.passed => parts.push(format!("past its end of life since {}", end.date)),
        Some(end) => parts.push(format!("mended until {}", end.date)),
        None => {}
    }
    if parts.is_empty() {
        parts.push("what it can do is not known here".to_owned());
    }
    parts.join("; ")
}

/// `TLS 1.2 at most`, `up to TLS 1.3 (by default TLS 1.0 to TLS 1.2)`.
fn range(can: &[ProtocolVersion], by_default: Option<&Vec<ProtocolVersion>>) -> String {
    let Some(highest) = can.iter().max() else { return "no version in common with its library".to_owned() };
    let most = match *highest < ProtocolVersion::TLSV1_3 {
        true => format!("{} at most", highest),
        false => format!("up to {}", highest),
    };
    let on = by_default.map(|on| on.iter().filter(|version| can.contains(version)).collect::<Vec<_>>()).unwrap_or_default();
    match (on.iter().min(), on.iter().max()) {
        (Some(low), Some(high)) if low == high => format!("{most} (by default {})", low),
        (Some(low), Some(high)) => format!("{most} (by default {} to {})", low, high),
        _ => most,
    }
}

/// The version of its makers in that of a package: `2.3.19.1` of `1:2.3.19.1+dfsg1-2.1`.
fn of_makers(version: &str) -> &str {
    let version = version.split_once(':').map_or(version, |(_, rest)| rest);
    version.split(['-', '+', '~']).next().unwrap_or(version)
}

/// Where it lies, and to whom it belongs.
fn place(one: &FoundSoftware) -> String {
    let mut text = one.path.clone();
    if one.built_in {
        text.push_str(", built in");
    } else if one.users > 0 {
        text.push_str(&format!(
            ", loaded by {}",
            if one.users == 1 { "one file".to_owned() } else { format!("{} files", one.users) }
        ));
    }
    if let Some(package) = &one.package {
        text.push_str(&format!(", package {package}"));
    }
    for settings in &one.settings {
        text.push_str(&format!(", set by {settings}"));
    }
    text
}

fn is_past(one: &FoundSoftware) -> bool {
    one.end_of_life.as_ref().is_some_and(|end| end.passed)
}
