//! What the simple languages share: a line, a name, a value.

use std::sync::Arc;

use crate::files::Files;
use crate::mend::{CannotMend, Patch};
use crate::setting::{Setting, Shadowed};
use crate::span::{Origin, Span, Via};

/// A line with a name and a value.
#[derive(Clone, Debug)]
pub(super) struct Line {
    /// The section that it stands in, as written; empty before the first.
    pub(super) section: String,
    /// How many heads of sections stand above it: two sections may have one name.
    pub(super) heads: usize,
    /// Its name as written.
    pub(super) name: String,
    /// Its value, quotes taken away.
    pub(super) value: String,
    /// Where it stands.
    pub(super) origin: Origin,
}

impl Line {
    /// The place of the whole line.
    pub(super) fn at(&self) -> Option<&Span> {
        self.origin.span()
    }
}

/// How a language writes lines.
#[derive(Clone, Copy, Debug)]
pub(super) struct Grammar {
    /// What begins a comment at the start of a line.
    pub(super) comments: &'static [u8],
    /// What begins a comment behind a value, outside quotes; empty: nothing does.
    pub(super) trailing_comments: &'static [u8],
    /// A line that begins with a blank goes on with the one before (Postfix).
    pub(super) blank_continues: bool,
    /// `name value` without `=` is allowed.
    pub(super) equals_optional: bool,
    /// Quotes around values.
    pub(super) quotes: &'static [u8],
    /// `[name]` begins a section.
    pub(super) sections: bool,
}

/// The lines of a file, each once in its order; what is neither a comment nor a name with a value is left out.
pub(super) fn read(path: &Arc<str>, bytes: &[u8], via: Option<&Arc<Via>>, grammar: &Grammar) -> Vec<Line> {
    let mut lines: Vec<Line> = Vec::new();
    let (mut section, mut heads) = (String::new(), 0);
    let mut at = if bytes.starts_with(b"\xef\xbb\xbf") { 3 } else { 0 };
    while at < bytes.len() {
        let rest = bytes.get(at..).unwrap_or_default();
        let length = rest.iter().position(|byte| *byte == b'\n').unwrap_or(rest.len());
        let raw = rest.get(..length).unwrap_or_default();
        let start = at;
        at += length + 1;
        let text = raw.trim_ascii();
        let Some(first) = text.first() else { continue };
        if grammar.comments.contains(first) {
            continue;
        }
        let begins = start + raw.iter().take_while(|byte| byte.is_ascii_whitespace()).count();
        if grammar.blank_continues
            && begins > start
            && let Some(last) = lines.last_mut()
        {
            extend(last, text, begins);
            continue;
        }
        if grammar.sections && *first == b'[' {
            let name = text.get(1..).unwrap_or_default();
            let end = name.iter().position(|byte| *byte == b']').unwrap_or(name.len());
            section = String::from_utf8_lossy(name.get(..end).unwrap_or_default()).trim().to_owned();
            heads += 1;
            continue;
        }
        if let Some(line) = line(path, text, begins, via, grammar) {
            lines.push(Line { section: section.clone(), heads, ..line });
        }
    }
    lines
}

/// One line whose first byte lies at `begins`.
fn line(path: &Arc<str>, text: &[u8], begins: usize, via: Option<&Arc<Via>>, grammar: &Grammar) -> Option<Line> {
    let is_blank = |byte: &u8| byte.is_ascii_whitespace();
    let equals = text.iter().position(|byte| *byte == b'=');
    let blank = text.iter().position(is_blank);
    let ends = match (equals, blank) {
        (Some(equals), Some(blank)) if grammar.equals_optional => {
            // `name = value`, or `name value=with=equals`.
            let between = text.get(blank..equals).unwrap_or_default();
            if blank < equals && !between.iter().all(is_blank) { blank } else { equals.min(blank) }
        }
        (Some(equals), _) => equals,
        (None, Some(blank)) if grammar.equals_optional => blank,
        (None, None) => text.len(),
        (None, Some(_)) => return None,
    };
    let name = text.get(..ends)?.trim_ascii();
    let mut value_at = ends;
    while text.get(value_at).is_some_and(is_blank) {
        value_at += 1;
    }
    if text.get(value_at) == Some(&b'=') {
        value_at += 1;
    }
    while text.get(value_at).is_some_and(is_blank) {
        value_at += 1;
    }
    let raw = without_comment(text.get(value_at..).unwrap_or_default(), grammar).trim_ascii_end();
    let span = |from: usize, to: usize| Span { path: Arc::clone(path), start: begins + from, end: begins + to };
    let value_end = value_at + raw.len();
    let origin = Origin::file(span(0, value_end.max(name.len())), span(value_at, value_end), via);
    Some(Line {
        section: String::new(),
        heads: 0,
        name: String::from_utf8_lossy(name).into_owned(),
        value: unquoted(raw, grammar),
        origin,
    })
}

fn extend(line: &mut Line, text: &[u8], begins: usize) {
    if !line.value.is_empty() {
        line.value.push(' ');
    }
    line.value.push_str(&String::from_utf8_lossy(text));
    if let Origin::File { at, value, .. } = &mut line.origin {
        at.end = begins + text.len();
        value.end = at.end;
    }
}

fn without_comment<'t>(text: &'t [u8], grammar: &Grammar) -> &'t [u8] {
    let mut quote = None;
    for (at, byte) in text.iter().enumerate() {
        match quote {
            Some(open) if *byte == open => quote = None,
            Some(_) => {}
            None if grammar.quotes.contains(byte) => quote = Some(*byte),
            None if grammar.trailing_comments.contains(byte) => return text.get(..at).unwrap_or_default(),
            None => {}
        }
    }
    text
}

fn unquoted(raw: &[u8], grammar: &Grammar) -> String {
    let quoted = match (raw.first(), raw.last()) {
        (Some(first), Some(last)) => raw.len() >= 2 && first == last && grammar.quotes.contains(first),
        _ => false,
    };
    let inner = if quoted { raw.get(1..raw.len() - 1).unwrap_or_default() } else { raw };
    String::from_utf8_lossy(inner).replace("''", "'")
}

/// The setting of the last line that fits, which shadows those before it.
pub(super) fn last<T>(lines: &[&Line], why: &str, read: impl Fn(&str) -> Option<T>) -> Option<Setting<T>> {
    let (line, earlier) = lines.split_last()?;
    let mut setting = Setting::new(line.name.clone(), read(&line.value)?, line.value.clone(), line.origin.clone());
    setting.shadow(earlier.iter().rev().map(|line| Shadowed {
        name: line.name.clone(),
        text: line.value.clone(),
        origin: line.origin.clone(),
        why: why.to_owned(),
        meant_to_count: true,
    }));
    Some(setting)
}

/// The ruling line gets another value, in the quotes that it has; without one, `line` is put below `anchor`.
pub(super) fn set<T>(
    files: &Files<'_>,
    setting: Option<&Setting<T>>,
    value: &str,
    anchor: Option<&Span>,
    line: &str,
) -> Result<Vec<Patch>, CannotMend> {
    if let Some(Setting { origin: Origin::File { value: place, .. }, .. }) = setting {
        let old = files.bytes(&place.path).and_then(|bytes| bytes.get(place.start..place.end)).unwrap_or_default();
        let quote = old.first().filter(|first| matches!(first, b'\'' | b'"') && old.last() == Some(first));
        let quoted = quote.map_or(value.to_owned(), |quote| format!("{}{value}{}", char::from(*quote), char::from(*quote)));
        return Ok(vec![Patch::replace(place, quoted)]);
    }
    let anchor = anchor.ok_or_else(|| CannotMend::because("there is no line to put it beside"))?;
    let bytes = files.bytes(&anchor.path).ok_or_else(|| CannotMend::because("the file is not known"))?;
    Ok(vec![Patch::line_below(anchor, bytes, line)])
}
