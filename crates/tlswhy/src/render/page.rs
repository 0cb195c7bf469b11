//! A page of a terminal: labels on the left, wrapped text beside them.

use std::io::{self, Write};

use anstyle::{AnsiColor, Style};

use super::shown;
use super::wrap::wrap;

/// What leads a part of the page.
pub(crate) const HEADING: Style = Style::new().bold();
/// What can be typed.
pub(crate) const CODE: Style = AnsiColor::Cyan.on_default();
/// What may be skipped.
pub(crate) const ASIDE: Style = Style::new().dimmed();

/// Longer lines are hard to read, however wide the terminal is.
const WIDEST: usize = 100;
/// Narrower than this, lines run over.
const NARROWEST: usize = 40;

/// Writes text of a given width. Everything that it writes is made safe to show first.
pub(crate) struct Page<'a> {
    out: &'a mut dyn Write,
    width: usize,
}

impl<'a> Page<'a> {
    /// A page on `out` of a terminal with `width` columns.
    pub(crate) fn new(out: &'a mut dyn Write, width: usize) -> Page<'a> {
        Page { out, width: width.clamp(NARROWEST, WIDEST) }
    }

    /// Its columns.
    pub(crate) fn width(&self) -> usize {
        self.width
    }

    /// One line of pieces, each in its own style.
    pub(crate) fn pieces(&mut self, pieces: &[(Style, String)]) -> io::Result<()> {
        let last = pieces.iter().rposition(|(_, text)| !text.trim_end().is_empty());
        for (place, (style, text)) in pieces.iter().enumerate().take(last.map_or(0, |last| last + 1)) {
            let text = shown(text).replace('\n', " ");
            let text = if Some(place) == last { text.trim_end() } else { &text };
            write!(self.out, "{style}{text}{style:#}")?;
        }
        writeln!(self.out)
    }

    /// An empty line.
    pub(crate) fn blank(&mut self) -> io::Result<()> {
        writeln!(self.out)
    }

    /// `text` wrapped, all lines from column `indent`.
    pub(crate) fn paragraph(&mut self, indent: usize, style: Style, text: &str) -> io::Result<()> {
        for line in wrap(&shown(text), self.width.saturating_sub(indent)) {
            if line.is_empty() {
                writeln!(self.out)?;
            } else {
                writeln!(self.out, "{:indent$}{style}{line}{style:#}", "")?;
            }
        }
        Ok(())
    }

    /// `label` at column `at`, and beside it `text` wrapped, all lines of it from column `indent`.
    pub(crate) fn labelled(&mut self, at: usize, label: &str, style: Style, indent: usize, text: &str) -> io::Result<()> {
        self.beside(at, label, style, indent, text, Style::new())
    }

    /// The same, all of it standing out.
    pub(crate) fn title(&mut self, at: usize, label: &str, indent: usize, text: &str) -> io::Result<()> {
        self.beside(at, label, HEADING, indent, text, HEADING)
    }

    fn beside(
        &mut self,
        at: usize,
        label: &str,
        label_style: Style,
        indent: usize,
        text: &str,
        style: Style,
    ) -> io::Result<()> {
        let label = shown(label);
        let lines = wrap(&shown(text), self.width.saturating_sub(indent));
        // A label that is too long for its place pushes only the first line.
        let gap = indent.saturating_sub(at + label.chars().count()).max(1);
        write!(self.out, "{:at$}{label_style}{label}{label_style:#}", "")?;
        for (number, line) in lines.iter().enumerate() {
            let before = if number == 0 { gap } else { indent };
            writeln!(self.out, "{:before$}{style}{line}{style:#}", "")?;
        }
        if lines.is_empty() {
            writeln!(self.out)?;
        }
        Ok(())
    }

    /// `word` in its own style, then `text`, wrapped together from the left edge.
    pub(crate) fn headline(&mut self, word: &str, word_style: Style, text: &str) -> io::Result<()> {
        let whole = format!("{}: {}", shown(word), shown(text));
        for (number, line) in wrap(&whole, self.width).iter().enumerate() {
            match line.split_once(':').filter(|_| number == 0) {
                Some((word, rest)) => {
                    writeln!(self.out, "{word_style}{word}:{word_style:#}{HEADING}{rest}{HEADING:#}")?;
                }
                None => writeln!(self.out, "{HEADING}{line}{HEADING:#}")?,
            }
        }
        Ok(())
    }

    /// Something to type, or lines of a file: never broken, and with their tabs.
    pub(crate) fn command(&mut self, indent: usize, text: &str) -> io::Result<()> {
        let between_tabs: Vec<String> = text.split('\t').map(shown).collect();
        for line in between_tabs.join("\t").lines() {
            writeln!(self.out, "{:indent$}{CODE}{line}{CODE:#}", "")?;
        }
        Ok(())
    }

    /// The same beside a label.
    pub(crate) fn command_labelled(&mut self, at: usize, label: &str, indent: usize, text: &str) -> io::Result<()> {
        let gap = indent.saturating_sub(at + label.chars().count());
        write!(self.out, "{:at$}{HEADING}{label}{HEADING:#}", "")?;
        for (number, line) in shown(text).lines().enumerate() {
            let before = if number == 0 { gap } else { indent };
            writeln!(self.out, "{:before$}{CODE}{line}{CODE:#}", "")?;
        }
        Ok(())
    }
}
