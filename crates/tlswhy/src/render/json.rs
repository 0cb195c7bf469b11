//! A report as JSON: indented when it is the only one, else one line each (JSON Lines).

use std::io::{self, Write};

use serde::Serialize;
use tlswhy_model::{Report, printable};

use super::Position;

/// Writes the report.
pub(super) fn write(report: &Report, position: Position, out: &mut dyn Write) -> io::Result<()> {
    if !position.alone {
        return line(report, out);
    }
    pretty(report, out)
}

/// Writes any document, indented.
pub(crate) fn pretty(document: &impl Serialize, out: &mut dyn Write) -> io::Result<()> {
    write_safely(&serde_json::to_string_pretty(document)?, out)
}

/// Writes any document on one line.
pub(crate) fn line(document: &impl Serialize, out: &mut dyn Write) -> io::Result<()> {
    write_safely(&serde_json::to_string(document)?, out)
}

/// Writes finished JSON and ends the line. serde_json escapes what JSON wants escaped; terminals also obey some characters that
/// JSON allows in strings (C1 controls, bidirectional overrides). They cannot stand outside of strings, so each can simply be
/// replaced by its `\u` escape.
fn write_safely(json: &str, out: &mut dyn Write) -> io::Result<()> {
    let mut written = 0;
    let unsafe_to_show =
        |(_, c): &(usize, char)| (!c.is_ascii() || *c == '\u{7f}') && printable(c.encode_utf8(&mut [0; 4]), 1) != c.to_string();
    for (at, c) in json.char_indices().filter(unsafe_to_show) {
        out.write_all(&json.as_bytes()[written..at])?;
        for unit in c.encode_utf16(&mut [0; 2]) {
            write!(out, "\\u{unit:04x}")?;
        }
        written = at + c.len_utf8();
    }
    out.write_all(&json.as_bytes()[written..])?;
    writeln!(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_terminals_obey_is_escaped_and_reads_back_the_same() {
        let text = "grün \u{1b}[2J \u{9b}31m \u{7f} \u{202e} \u{e0041}";
        let mut json = Vec::new();
        pretty(&text, &mut json).unwrap();
        let json = String::from_utf8(json).unwrap();
        assert_eq!(json, "\"grün \\u001b[2J \\u009b31m \\u007f \\u202e \\udb40\\udc41\"\n");
        assert_eq!(serde_json::from_str::<String>(&json).unwrap(), text);
    }
}
