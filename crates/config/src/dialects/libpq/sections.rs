//! A service file: sections with lines `keyword=value` (parseServiceFile in src/interfaces/libpq/fe-connect.c; measured on 15.18).

use std::sync::Arc;

use crate::dialects::client::span;
use crate::span::{Origin, Span};

/// A section, with the lines up to the next.
#[derive(Clone, Debug)]
pub(super) struct Section {
    pub(super) name: String,
    /// Its head.
    pub(super) at: Span,
    pub(super) lines: Vec<Line>,
}

/// A line of a section.
#[derive(Clone, Debug)]
pub(super) struct Line {
    pub(super) keyword: String,
    /// `None` where no `=` stands in it.
    pub(super) value: Option<String>,
    pub(super) at: Span,
    pub(super) value_at: Span,
}

impl Line {
    pub(super) fn origin(&self) -> Origin {
        Origin::file(self.at.clone(), self.value_at.clone(), None)
    }
}

/// The sections of a file. Nothing is quoted, and no blank stands around `=`; what stands before the first section is passed over.
pub(super) fn sections(path: &Arc<str>, bytes: &[u8]) -> Vec<Section> {
    let mut sections: Vec<Section> = Vec::new();
    let mut at = 0;
    for raw in bytes.split_inclusive(|byte| *byte == b'\n') {
        let start = at + raw.iter().take_while(|byte| byte.is_ascii_whitespace()).count();
        at += raw.len();
        let text = raw.trim_ascii();
        let whole = span(path, start, start + text.len());
        if matches!(text.first(), None | Some(b'#')) {
            continue;
        }
        if let Some(rest) = text.strip_prefix(b"[") {
            // `[name]` to the letter; what stands behind the bracket does not matter.
            let name = rest.split(|byte| *byte == b']').next().unwrap_or_default();
            sections.push(Section { name: String::from_utf8_lossy(name).into_owned(), at: whole, lines: Vec::new() });
            continue;
        }
        let Some(section) = sections.last_mut() else { continue };
        let equals = text.iter().position(|byte| *byte == b'=');
        let keyword = text.get(..equals.unwrap_or(text.len())).unwrap_or_default();
        let value = equals.map(|equals| String::from_utf8_lossy(text.get(equals + 1..).unwrap_or_default()).into_owned());
        let value_start = start + equals.map_or(text.len(), |equals| equals + 1);
        section.lines.push(Line {
            keyword: String::from_utf8_lossy(keyword).into_owned(),
            value,
            value_at: span(path, value_start, whole.end),
            at: whole,
        });
    }
    sections
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_read_to_the_letter() {
        let path: Arc<str> = "/a".into();
        let found = sections(&path, b"host=no\r\n# c\r\n  [a]x\r\n\thost=b = c \r\nport\n[ d ]\n");
        let names: Vec<&str> = found.iter().map(|section| section.name.as_str()).collect();
        assert_eq!(names, ["a", " d "]);
        let lines: Vec<_> = found[0].lines.iter().map(|line| (line.keyword.as_str(), line.value.as_deref())).collect();
        assert_eq!(lines, [("host", Some("b = c")), ("port", None)]);
    }
}
