//! What a text of error messages says, for people and for tickets.

use std::io::{self, Write};

use anstyle::Style;
use tlswhy_model::{Party, SuspectedCause, Symptom, SymptomReport, TextSpeaker};

use super::markdown::{code, fence, item, prose};
use super::page::{ASIDE, HEADING, Page};
use super::words;

/// Column of labels.
const LABEL: usize = 3;
/// Column of the text beside them.
const TEXT: usize = 12;
/// Symptoms that are shown unasked.
const SYMPTOMS: usize = 4;
/// Causes that are shown unasked.
const CAUSES: usize = 3;

/// Writes it as text.
pub(crate) fn human(report: &SymptomReport, verbose: bool, width: usize, out: &mut dyn Write) -> io::Result<()> {
    let mut page = Page::new(out, width);
    let word = if report.symptoms.is_empty() { "Unknown" } else { "Hint" };
    page.headline(word, HEADING, &report.summary)?;
    page.paragraph(0, ASIDE, &origin(report))?;
    let (symptoms, causes) = if verbose { (usize::MAX, usize::MAX) } else { (SYMPTOMS, CAUSES) };
    if !report.symptoms.is_empty() {
        page.blank()?;
        page.paragraph(0, HEADING, "What the text says")?;
    }
    for (place, symptom) in report.symptoms.iter().take(symptoms).enumerate() {
        page.labelled(0, &format!("{}.", place + 1), HEADING, LABEL, &symptom.text)?;
        page.paragraph(LABEL, ASIDE, &format!("{}: {}", symptom.meaning, circumstances(symptom)))?;
        page.labelled(LABEL, "Proves", HEADING, TEXT, &symptom.proves)?;
        page.labelled(LABEL, "Not", HEADING, TEXT, &symptom.leaves_open)?;
    }
    hidden(&mut page, report.symptoms.len(), symptoms)?;
    if !report.causes.is_empty() {
        page.blank()?;
        page.paragraph(0, HEADING, "Causes that fit, the likeliest first")?;
    }
    for (place, cause) in report.causes.iter().take(causes).enumerate() {
        page.labelled(0, &format!("{}.", place + 1), HEADING, LABEL, &weighed(cause))?;
        page.paragraph(LABEL, Style::new(), &cause.title)?;
        for reason in &cause.because {
            page.labelled(LABEL, "because", ASIDE, LABEL + 8, reason)?;
        }
    }
    hidden(&mut page, report.causes.len(), causes)?;
    page.blank()?;
    page.command_labelled(0, "Next", TEXT, &report.next.command)?;
    page.paragraph(TEXT, Style::new(), &report.next.why)
}

/// Writes it as CommonMark.
pub(crate) fn markdown(report: &SymptomReport, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "# {}\n\n{}\n", prose(&report.summary), prose(&origin(report)))?;
    if !report.symptoms.is_empty() {
        writeln!(out, "## What the text says\n")?;
    }
    for symptom in &report.symptoms {
        fence("text", &symptom.text, out)?;
        writeln!(out, "- {}: {}", code(&symptom.meaning), item(&circumstances(symptom)))?;
        writeln!(out, "- It proves: {}\n- It does not prove: {}\n", item(&symptom.proves), item(&symptom.leaves_open))?;
    }
    if !report.causes.is_empty() {
        writeln!(out, "## Causes that fit, the likeliest first\n")?;
    }
    for (place, cause) in report.causes.iter().enumerate() {
        writeln!(
            out,
            "{}. {}: {}. {}",
            place + 1,
            code(&cause.cause),
            words::confidence(cause.confidence),
            item(&cause.title)
        )?;
        for reason in &cause.because {
            writeln!(out, "   - because {}", item(reason))?;
        }
    }
    if !report.causes.is_empty() {
        writeln!(out)?;
    }
    writeln!(out, "## Next\n")?;
    fence("sh", &report.next.command, out)?;
    writeln!(out, "{}", prose(&report.next.why))
}

/// What was read, and what that is worth.
fn origin(report: &SymptomReport) -> String {
    let lines = match report.input.lines {
        1 => "1 line".to_owned(),
        lines => format!("{lines} lines"),
    };
    let cut = match report.input.cut_lines {
        0 => String::new(),
        cut => format!(", {cut} of them so long that they were read in pieces"),
    };
    format!("From {lines} of text{cut}; nothing was asked of anybody, so this is a hint and no diagnosis.")
}

/// Who said it, where and how often.
fn circumstances(symptom: &Symptom) -> String {
    let who = match (symptom.speaker, symptom.written_by) {
        (TextSpeaker::ThisEnd, Some(Party::Client)) => "the client's own opinion",
        (TextSpeaker::ThisEnd, Some(Party::Server)) => "the server's own opinion",
        (TextSpeaker::ThisEnd, _) => "the opinion of the program that wrote it",
        (TextSpeaker::OtherEnd, Some(Party::Client)) => "the server's word, as the client received it",
        (TextSpeaker::OtherEnd, Some(Party::Server)) => "the client's word, as the server received it",
        (TextSpeaker::OtherEnd, _) => "the word of the other end",
        (TextSpeaker::System, _) => "the operating system or the network, not TLS",
        (TextSpeaker::Proxy, _) => "a proxy on the way",
    };
    let lines = match symptom.count {
        0 | 1 => format!("line {}", symptom.first_line),
        count => format!("{count} lines, {} to {}", symptom.first_line, symptom.last_line),
    };
    format!("{who}; in the words of {}; {lines}", symptom.from)
}

/// A cause with what it rests on.
fn weighed(cause: &SuspectedCause) -> String {
    format!("{}: {}", cause.cause, words::confidence(cause.confidence))
}

fn hidden(page: &mut Page<'_>, all: usize, shown: usize) -> io::Result<()> {
    match all.saturating_sub(shown) {
        0 => Ok(()),
        more => page.paragraph(LABEL, ASIDE, &format!("({more} more with -v)")),
    }
}
