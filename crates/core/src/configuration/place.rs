//! Places in files for people: path, line, column, and what stands there.

use std::sync::Arc;

use tlswhy_config::{Files, Origin, Position, Span, Via};
use tlswhy_model::Exhibit;

/// How much of a directive is quoted, in characters.
const QUOTED: usize = 160;

/// A directive, or another source of a value, where it can be shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// Name of the directive.
    pub name: String,
    /// Its value.
    pub text: String,
    /// Where it stands; `None` for what is no line of a file.
    pub line: Option<Line>,
    /// Where it comes from, in words: `/etc/nginx/nginx.conf:12`, `nginx 1.22.1's default`.
    pub from: String,
}

/// A place in a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// Path.
    pub path: String,
    /// First byte.
    pub start: usize,
    /// Byte after the last.
    pub end: usize,
    /// Where the first byte stands.
    pub position: Position,
}

impl Line {
    /// `PATH:LINE`; of a process, what the file stands for.
    fn shown(&self) -> String {
        match tlswhy_config::of_a_process(&self.path) {
            Some((process, "environ")) => format!("the environment of process {process}"),
            Some((process, _)) => format!("the command line of process {process}"),
            None => format!("{}:{}", self.path, self.position.line),
        }
    }
}

impl Place {
    /// Of a directive.
    pub(crate) fn of(name: &str, text: &str, origin: &Origin, files: &Files<'_>) -> Place {
        let (line, from) = match origin {
            Origin::File { at, via, .. } => (line(at, files), located(at, via.as_ref(), files)),
            Origin::BuiltIn { by } => (None, format!("the default of {by}")),
            Origin::Environment { name } => (None, format!("the environment variable {name}")),
        };
        Place { name: name.to_owned(), text: text.to_owned(), line, from }
    }

    /// `ssl_protocols TLSv1`, cut where it is long.
    pub fn quoted(&self) -> String {
        let whole = if self.text.is_empty() { self.name.clone() } else { format!("{} {}", self.name, self.text) };
        tlswhy_model::printable(&whole, QUOTED)
    }

    /// As an exhibit.
    pub fn exhibit(&self, says: impl Into<String>) -> Exhibit {
        match &self.line {
            Some(line) => Exhibit::File {
                path: line.path.clone(),
                start: line.start as u64,
                end: line.end as u64,
                line: line.position.line,
                column: line.position.column,
                says: says.into(),
            },
            None => Exhibit::Setting {
                name: self.name.clone(),
                value: tlswhy_model::printable(&self.text, QUOTED),
                origin: self.from.clone(),
                says: says.into(),
            },
        }
    }

    /// `/etc/nginx/nginx.conf:12`, or whose default it is.
    pub fn where_it_stands(&self) -> String {
        match &self.line {
            Some(line) => line.shown(),
            None => self.from.clone(),
        }
    }
}

/// Where a span stands; `None` where its file is not known.
pub(crate) fn line(span: &Span, files: &Files<'_>) -> Option<Line> {
    let position = files.position(span)?;
    Some(Line { path: span.path.to_string(), start: span.start, end: span.end, position })
}

/// `PATH:LINE`, with the lines that include it.
fn located(span: &Span, via: Option<&Arc<Via>>, files: &Files<'_>) -> String {
    let shown = |span: &Span| match line(span, files) {
        Some(line) => line.shown(),
        None => span.path.to_string(),
    };
    let mut text = shown(span);
    for via in std::iter::successors(via, |via| via.via.as_ref()) {
        text.push_str(&format!(", included by {}", shown(&via.at)));
    }
    text
}
