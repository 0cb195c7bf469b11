//! Reports as people and programs read them, one file a format.
//!
//! What a report quotes came from the other side and is untrusted: every format escapes all that it prints.

pub(crate) mod capture;
pub(crate) mod cert;
pub(crate) mod chain;
mod changes;
pub(crate) mod client;
pub(crate) mod config;
mod excerpt;
mod html;
mod incidents;
mod json;
mod junit;
mod markdown;
mod page;
mod policies;
pub(crate) mod relay;
mod sarif;
mod server;
pub(crate) mod software;
pub(crate) mod symptoms;
mod text;
pub(crate) mod words;
mod wrap;

#[cfg(test)]
mod golden;
#[cfg(test)]
mod schemas;

use std::io::{self, Write};

use tlswhy_model::{Evidence, Report, printable};

pub(crate) use json::{line as json_line, pretty as pretty_json};
pub(crate) use markdown::plain as markdown_as_text;
pub(crate) use page::{ASIDE, CODE, HEADING, Page};

/// The formats of a report.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Format {
    /// Text for people.
    Human,
    /// The report by its JSON Schema; several are JSON Lines.
    Json,
    /// Markdown for tickets.
    Markdown,
    /// One HTML file that needs nothing else.
    Html,
    /// JUnit XML for CI servers: the handshake, and each rule of --policy.
    Junit,
    /// SARIF 2.1.0 for code hosts: findings, notices, and each rule of --policy.
    Sarif,
}

/// What the reader has and wants.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Options {
    /// Columns of the terminal.
    pub(crate) width: usize,
    /// Show every attempt and every client.
    pub(crate) verbose: bool,
}

/// Writes a report. `evidence` is all that was seen; the report itself holds only what it cites.
pub(crate) fn write(
    format: Format,
    report: &Report,
    evidence: &Evidence,
    position: Position,
    options: Options,
    out: &mut dyn Write,
) -> io::Result<()> {
    let attempts = &evidence.attempts;
    match format {
        Format::Human => text::write(report, attempts, position, options, out),
        Format::Json => json::write(report, position, out),
        Format::Markdown => markdown::write(report, attempts, position, options, out),
        Format::Html => html::write(report, attempts, position, out),
        Format::Junit => junit::write(report, position, out),
        Format::Sarif => sarif::write(report, position, out),
    }
}

/// Writes what stands after the last report.
pub(crate) fn end(format: Format, out: &mut dyn Write) -> io::Result<()> {
    match format {
        Format::Html => html::end(out),
        Format::Junit => junit::end(out),
        Format::Sarif => sarif::end(out),
        Format::Human | Format::Json | Format::Markdown => Ok(()),
    }
}

/// Where a report stands among those that go to the same place.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Position {
    /// Nothing was written before it.
    pub(crate) first: bool,
    /// No other was wanted.
    pub(crate) alone: bool,
}

/// Whether the certificates of a report are worth showing unasked: a finding or an open question is about them.
fn is_about_certificates(report: &Report) -> bool {
    let open = |question: &tlswhy_model::OpenQuestion| question.decides.iter().any(|code| code == "chain-incomplete");
    report.findings.iter().any(|finding| finding.family == "certificate" || finding.cause == "weak-key-or-digest")
        || report.open_questions.iter().any(open)
}

/// The certificates of a report, drawn as a whole.
fn drawing(view: &tlswhy_model::ChainView, verbose: bool) -> chain::Drawing<'_> {
    chain::Drawing { view, facts: &chain::NO_FACTS, from_file: false, fingerprints: verbose, verbose }
}

/// Characters of one text that are shown at most; the rest is cut and marked.
const TEXT_LIMIT: usize = 4000;

/// Every line of `text`, made safe to show.
fn shown(text: &str) -> String {
    let mut lines = text.lines().map(|line| printable(line, TEXT_LIMIT));
    let first = lines.next().unwrap_or_default();
    lines.fold(first, |text, line| text + "\n" + &line)
}
