//! A report as text for people: the sentence first, then what was seen, what mends it, why, and what comes next.

use std::io::{self, Write};

use anstyle::{AnsiColor, Style};
use tlswhy_model::{Attempt, Finding, Outcome, Report};

use super::excerpt::Excerpts;
use super::page::{ASIDE, HEADING, Page};
use super::{Options, Position, chain, changes, drawing, is_about_certificates, policies, server, words};

/// Column of the labels of a finding.
const LABEL: usize = 3;
/// Column of the text beside them.
const TEXT: usize = 12;
/// Column of what is said of a hop.
const HOP: usize = 5;
/// Exhibits that are shown unless all are asked for.
const EXHIBITS: usize = 4;

/// Writes the report.
pub(super) fn write(
    report: &Report,
    attempts: &[Attempt],
    position: Position,
    options: Options,
    out: &mut dyn Write,
) -> io::Result<()> {
    let mut page = Page::new(out, options.width);
    if !position.first {
        page.blank()?;
    }
    let colour = match report.outcome {
        Outcome::Works => AnsiColor::Green,
        Outcome::AtRisk | Outcome::Undetermined => AnsiColor::Yellow,
        Outcome::Fails => AnsiColor::Red,
    };
    page.headline(words::outcome(report.outcome), colour.on_default().bold(), &words::sentence(&report.summary))?;
    page.paragraph(0, ASIDE, &words::subject(&report.subject))?;
    if let Some(view) = &report.changes {
        page.blank()?;
        changes::write(view, &mut page)?;
        if !options.verbose {
            return page.paragraph(0, ASIDE, &(words::effort(&report.cost) + "; -v shows the whole report."));
        }
    }
    for (index, finding) in report.findings.iter().enumerate() {
        page.blank()?;
        write_finding(&mut page, report, index, finding, options)?;
    }
    write_paths(&mut page, report)?;
    write_chain(&mut page, report, options)?;
    if let Some(view) = &report.server {
        page.blank()?;
        page.paragraph(0, HEADING, "What the server accepts")?;
        server::write(view, options.verbose, &mut page)?;
        page.blank()?;
    }
    policies::write(&report.policies, options.verbose, &mut page)?;
    write_addresses(&mut page, report)?;
    write_open_questions(&mut page, report)?;
    if !report.findings.is_empty() || !report.open_questions.is_empty() {
        page.blank()?;
    }
    for notice in &report.notices {
        page.labelled(0, "Note:", HEADING, "Note: ".len(), &words::sentence(&notice.says))?;
    }
    write_clients(&mut page, report, options)?;
    if options.verbose {
        write_attempts(&mut page, report, attempts)?;
    }
    if report.evidence.watched {
        return page.paragraph(0, ASIDE, "Watched; nothing was asked.");
    }
    let cost = match report.outcome {
        _ if options.verbose => words::cost(&report.cost),
        Outcome::Works => words::effort(&report.cost) + ".",
        _ => words::effort(&report.cost) + "; -v shows every attempt.",
    };
    page.paragraph(0, ASIDE, &cost)
}

fn write_finding(page: &mut Page<'_>, report: &Report, index: usize, finding: &Finding, options: Options) -> io::Result<()> {
    let number = format!("{}.", finding.order);
    let before = LABEL.saturating_sub(number.len() + 1);
    page.title(before, &number, LABEL, &finding.title)?;
    page.paragraph(LABEL, ASIDE, &format!("{}: {}", finding.cause, words::weight(finding)))?;
    if !finding.affects.is_empty() {
        page.paragraph(LABEL, ASIDE, &format!("Concerns {}.", finding.affects.join(", ")))?;
    }

    page.labelled(LABEL, "Seen", HEADING, TEXT, &finding.diagnosis)?;
    let shown = if options.verbose { finding.exhibits.len() } else { EXHIBITS };
    let excerpts = Excerpts::of(&report.evidence.files);
    for exhibit in finding.exhibits.iter().take(shown) {
        page.labelled(TEXT, "-", Style::new(), TEXT + 2, &words::exhibit(exhibit))?;
        if let Some(excerpt) = excerpts.line(exhibit) {
            page.command(TEXT + 2, &excerpt)?;
        }
    }
    if let hidden @ 1.. = finding.exhibits.len().saturating_sub(shown) {
        page.paragraph(TEXT, ASIDE, &format!("({hidden} more with -v)"))?;
    }
    page.labelled(LABEL, "Why", HEADING, TEXT, &words::sentence(&finding.why_it_fails))?;
    if !finding.explains.is_empty() {
        page.paragraph(TEXT, Style::new(), &format!("This explains {} too.", finding.explains.join(", ")))?;
    }

    for (place, remedy) in finding.remedies.iter().enumerate() {
        let summary = words::remedy(remedy);
        if place == 0 {
            page.title(LABEL, "Fix", TEXT, &summary)?;
        } else {
            page.labelled(LABEL, "Or", HEADING, TEXT, &summary)?;
        }
        if place > 0 && !options.verbose {
            continue;
        }
        for step in &remedy.steps {
            page.labelled(TEXT, "-", Style::new(), TEXT + 2, step)?;
        }
        for edit in &remedy.edits {
            page.command(TEXT, &edit.diff)?;
        }
        for command in [&remedy.check, &remedy.reload].into_iter().filter(|command| !command.is_empty()) {
            page.command(TEXT, &command.join(" "))?;
        }
        page.paragraph(TEXT, Style::new(), &words::sentence(&format!("Why it works: {}", remedy.why_it_works)))?;
    }
    if let Some(next) = words::next(report, index) {
        page.labelled(LABEL, "Next", HEADING, TEXT, &next)?;
    }
    for (place, command) in finding.reproduce.iter().enumerate() {
        page.command_labelled(LABEL, if place == 0 { "By hand" } else { "" }, TEXT, command)?;
    }
    let references = finding.references.iter().map(|reference| format!(", {reference}"));
    let more = format!("`tlswhy explain {}`{}", finding.cause, references.collect::<String>());
    page.labelled(LABEL, "More", HEADING, TEXT, &more)
}

/// The way hop by hop, with a mark where something is stopped.
fn write_paths(page: &mut Page<'_>, report: &Report) -> io::Result<()> {
    for path in &report.paths {
        page.blank()?;
        page.paragraph(0, HEADING, &format!("Path to {}", path.address))?;
        for row in words::path(path) {
            let style = if row.is_mark { AnsiColor::Red.on_default().bold() } else { Style::new() };
            page.labelled(1, &row.label, style, HOP, &row.says)?;
        }
        page.paragraph(1, ASIDE, &path.says)?;
    }
    Ok(())
}

fn write_chain(page: &mut Page<'_>, report: &Report, options: Options) -> io::Result<()> {
    match &report.chain {
        Some(view) if options.verbose || is_about_certificates(report) => {
            page.blank()?;
            page.paragraph(0, HEADING, "Certificates")?;
            page.blank()?;
            chain::write(&drawing(view, options.verbose), LABEL, page)?;
            // Where no finding follows, what comes next needs its own distance.
            if report.findings.is_empty() && report.open_questions.is_empty() { page.blank() } else { Ok(()) }
        }
        _ => Ok(()),
    }
}

fn write_addresses(page: &mut Page<'_>, report: &Report) -> io::Result<()> {
    if report.addresses.is_empty() {
        return Ok(());
    }
    page.blank()?;
    page.paragraph(0, HEADING, "Addresses")?;
    for address in &report.addresses {
        let cause = address.root_cause.as_deref().map(|cause| format!("{cause}: ")).unwrap_or_default();
        let text = format!("{} {cause}{}", address.address, address.says);
        page.labelled(LABEL, words::client_outcome(address.outcome), Style::new(), TEXT, &text)?;
    }
    Ok(())
}

fn write_open_questions(page: &mut Page<'_>, report: &Report) -> io::Result<()> {
    if report.open_questions.is_empty() {
        return Ok(());
    }
    page.blank()?;
    page.paragraph(0, HEADING, "Open questions")?;
    for question in &report.open_questions {
        page.labelled(1, "-", Style::new(), LABEL, &words::question(question))?;
        page.labelled(LABEL, "How", Style::new(), TEXT, &question.how)?;
    }
    Ok(())
}

fn write_clients(page: &mut Page<'_>, report: &Report, options: Options) -> io::Result<()> {
    let Some(line) = words::clients(&report.clients) else {
        return Ok(());
    };
    page.paragraph(0, Style::new(), &line)?;
    if !options.verbose {
        for (outcome, names) in words::clients_by_cause(&report.clients) {
            page.labelled(LABEL, outcome, Style::new(), TEXT, &names)?;
        }
        return Ok(());
    }
    let widest = report.clients.iter().map(|client| client.name.chars().count()).max().unwrap_or(0).min(30);
    for client in &report.clients {
        let label = format!("{:widest$}  {:7}", client.name, words::client_outcome(client.outcome));
        page.labelled(LABEL, &label, Style::new(), LABEL + widest + 11, &words::client_detail(client))?;
    }
    page.blank()
}

fn write_attempts(page: &mut Page<'_>, report: &Report, attempts: &[Attempt]) -> io::Result<()> {
    if attempts.is_empty() {
        return Ok(());
    }
    page.paragraph(0, HEADING, "Attempts")?;
    for attempt in attempts {
        let id = attempt.id.to_string();
        let at = LABEL.saturating_sub(id.len());
        let other = attempt.address.as_ref().filter(|address| report.subject.address.as_ref() != Some(*address));
        let address = other.map(|address| format!("{address}: ")).unwrap_or_default();
        page.labelled(at, &id, HEADING, LABEL + 2, &format!("{address}{}", words::asked(attempt)))?;
        let ended = format!("{}, {}", words::ended(attempt), words::took(attempt));
        page.paragraph(LABEL + 2, ASIDE, &ended)?;
    }
    page.blank()
}
