//! How wide the terminal is, and whether standard error is one.

use std::io::{self, IsTerminal};

/// Columns where nobody says.
const DEFAULT_WIDTH: usize = 80;

/// Columns to write: those of `COLUMNS`, else of the terminal, else 80.
pub(crate) fn width() -> usize {
    let stated = std::env::var("COLUMNS").ok().and_then(|text| text.trim().parse().ok()).filter(|width| *width > 0);
    let measured =
        || terminal_size::terminal_size_of(io::stdout()).map(|(width, _)| usize::from(width.0)).filter(|width| *width > 0);
    stated.or_else(measured).unwrap_or(DEFAULT_WIDTH)
}

/// Whether a line on standard error can be written over.
pub(crate) fn can_show_progress() -> bool {
    io::stderr().is_terminal() && std::env::var_os("TERM").is_none_or(|term| term != "dumb")
}
