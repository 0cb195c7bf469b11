//! A report as one HTML file that needs nothing else: no script, no font, no picture from anywhere.

use std::io::{self, Write};

use askama::Template;
use tlswhy_model::{Attempt, Outcome, Report};

use super::wrap::Span;
use super::{Position, chain, changes, drawing, is_about_certificates, policies, server, shown, words, wrap};

/// Writes the report, with what stands before the first.
pub(super) fn write(report: &Report, attempts: &[Attempt], position: Position, out: &mut dyn Write) -> io::Result<()> {
    let page = Page { report, attempts, position };
    out.write_all(page.render().map_err(io::Error::other)?.as_bytes())?;
    writeln!(out)
}

/// Writes what stands after the last.
pub(super) fn end(out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "</body>\n</html>")
}

#[derive(Template)]
#[template(path = "report.html")]
struct Page<'a> {
    report: &'a Report,
    attempts: &'a [Attempt],
    position: Position,
}

impl Page<'_> {
    /// Class of the outcome's colour.
    fn class(&self, outcome: &Outcome) -> &'static str {
        match outcome {
            Outcome::Works => "works",
            Outcome::AtRisk | Outcome::Undetermined => "open",
            Outcome::Fails => "fails",
        }
    }

    /// Safe text, code and the rest apart.
    fn spans(&self, text: impl AsRef<str>) -> Vec<Span> {
        wrap::spans(&shown(text.as_ref()))
    }

    fn shown(&self, text: impl AsRef<str>) -> String {
        shown(text.as_ref())
    }

    fn next(&self, index: &usize) -> Option<String> {
        words::next(self.report, *index)
    }

    fn client_outcome(&self, outcome: &Outcome) -> &'static str {
        words::client_outcome(*outcome)
    }

    /// The drawn certificates.
    fn chain(&self) -> Option<String> {
        self.report.chain.as_ref().map(|view| shown(&chain::plain(&drawing(view, true))))
    }

    /// What changed since an earlier report.
    fn changes(&self) -> Option<String> {
        self.report.changes.as_ref().map(|view| shown(&changes::plain(view)))
    }

    /// What the server accepts, all of it.
    fn server(&self) -> Option<String> {
        self.report.server.as_ref().map(|view| shown(&server::plain(view, true)))
    }

    /// How it stands by policies, with all that shows it.
    fn policies(&self) -> String {
        shown(&policies::plain(&self.report.policies, true))
    }

    /// Whether they are to be seen at once.
    fn shows_chain(&self) -> bool {
        is_about_certificates(self.report)
    }

    fn outcome(&self) -> &'static str {
        words::outcome(self.report.outcome)
    }

    fn title(&self) -> String {
        shown(&format!("{}: {}", self.outcome(), self.report.subject.target))
    }
}
