//! The lines of dovecot.conf and of what it includes: settings within sections, with their places.

use std::collections::HashMap;
use std::sync::Arc;

use crate::files::{Content, Files, directory_of, relative_to};
use crate::includes::Includes;
use crate::service::Trouble;
use crate::span::{Origin, Span, Via};

/// Deepest nesting of sections and of includes.
const DEEPEST: usize = 32;
/// Most settings and sections that are kept.
const MOST: usize = 200_000;
/// How many lines of a setting are looked through for what `$name` stands for.
const MOST_BACK: usize = 100;

/// A section: `service imap-login {` has the kind `service` and the name `imap-login`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Section {
    pub(super) kind: String,
    pub(super) name: String,
    /// Its head.
    pub(super) at: Span,
    /// Its place among [`Tree::sections`].
    pub(super) number: usize,
}

/// A setting.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    /// The sections around it, the outermost first.
    pub(super) within: Arc<Vec<Section>>,
    pub(super) key: String,
    /// Quotes taken away, `$name` put in.
    pub(super) value: String,
    pub(super) origin: Origin,
}

/// Everything that is written.
#[derive(Default)]
pub(super) struct Tree {
    pub(super) entries: Vec<Entry>,
    /// Each section that was opened, with those around it.
    pub(super) sections: Vec<Arc<Vec<Section>>>,
    pub(super) troubles: Vec<Trouble>,
    pub(super) files: Vec<String>,
    /// The entries of each key.
    by_key: HashMap<String, Vec<usize>>,
    includes: Includes,
}

impl Tree {
    /// Reads a file and what it includes.
    pub(super) fn read(files: &Files<'_>, main: &str) -> Tree {
        let mut tree = Tree::default();
        if let Content::Bytes(bytes) = files.text(main) {
            tree.file(files, &files.path(main), bytes, None, &Arc::default());
        }
        tree
    }

    fn file(&mut self, files: &Files<'_>, path: &Arc<str>, bytes: &[u8], via: Option<&Arc<Via>>, around: &Arc<Vec<Section>>) {
        if !self.files.iter().any(|known| **known == **path) {
            self.files.push(path.to_string());
        }
        let mut within = Arc::clone(around);
        let mut at = 0;
        while at < bytes.len() {
            if self.entries.len() + self.sections.len() >= MOST {
                let says = format!("more than {MOST} settings and sections: the rest is not read");
                if self.troubles.last().is_none_or(|last| last.says != says) {
                    self.troubles.push(Trouble { at: None, says, fatal: false });
                }
                return;
            }
            let (line, end) = logical_line(bytes, at);
            let text = String::from_utf8_lossy(&line.text);
            let trimmed = text.trim();
            let span = Span { path: Arc::clone(path), start: line.start, end: line.end };
            at = end;
            if trimmed.is_empty() {
                continue;
            }
            if let Some(rest) = trimmed.strip_prefix("!include_try").or_else(|| trimmed.strip_prefix("!include")) {
                self.include(files, rest.trim(), trimmed.starts_with("!include_try"), &span, via, &within);
            } else if trimmed == "}" {
                if within.len() <= around.len() {
                    self.trouble(span, "this `}` closes nothing", true);
                    return;
                }
                within = Arc::new(within.get(..within.len() - 1).unwrap_or_default().to_vec());
            } else if let Some(head) = trimmed.strip_suffix('{').filter(|head| !head.contains('=')) {
                if within.len() > DEEPEST {
                    self.trouble(span, "sections lie too deep", true);
                    return;
                }
                let (kind, name) = head.trim().split_once(char::is_whitespace).unwrap_or((head.trim(), ""));
                let number = self.sections.len();
                let section = Section { kind: kind.to_owned(), name: unquoted(name.trim()).to_owned(), at: span, number };
                let mut inner = within.as_ref().clone();
                inner.push(section);
                within = Arc::new(inner);
                self.sections.push(Arc::clone(&within));
            } else if let Some((key, _)) = trimmed.split_once('=') {
                self.setting(bytes, &line, key.trim(), span, via, &within);
            } else {
                self.trouble(span, "it is no setting: `=` is missing", true);
            }
        }
        if within.len() > around.len()
            && let Some(open) = within.last()
        {
            self.trouble(open.at.clone(), "this section is not closed", true);
        }
    }

    fn setting(&mut self, bytes: &[u8], line: &Line, key: &str, at: Span, via: Option<&Arc<Via>>, within: &Arc<Vec<Section>>) {
        let raw = bytes.get(line.start..line.end).unwrap_or_default();
        let equals = raw.iter().position(|byte| *byte == b'=').unwrap_or(raw.len());
        let blanks = raw.get(equals + 1..).unwrap_or_default().iter().take_while(|byte| byte.is_ascii_whitespace()).count();
        let start = (line.start + equals + 1 + blanks).min(line.end);
        let value = Span { start, ..at.clone() };
        let text = String::from_utf8_lossy(&line.text);
        let text = text.split_once('=').map_or("", |(_, value)| value.trim());
        // `$name` stands alone; what else begins so is no name of a setting.
        let strange = |word: &&str| {
            word.strip_prefix('$').is_some_and(|name| name.contains(|c: char| !c.is_ascii_alphanumeric() && c != '_'))
        };
        if let Some(word) = text.split(' ').find(strange) {
            self.trouble(at.clone(), &format!("`{word}` is no setting whose value could be put in"), true);
        }
        let expanded: Vec<String> = text.split(' ').map(|word| self.expanded(word, within)).collect();
        let expanded = expanded.join(" ");
        let value_text =
            if expanded.contains('$') || text.contains('$') { expanded.trim().to_owned() } else { unquoted(text).to_owned() };
        self.by_key.entry(key.to_owned()).or_default().push(self.entries.len());
        self.entries.push(Entry {
            within: Arc::clone(within),
            key: key.to_owned(),
            value: value_text,
            origin: Origin::file(at, value, via),
        });
    }

    /// `$name` is what the setting has so far, here or in a section around it.
    fn expanded(&self, word: &str, within: &Arc<Vec<Section>>) -> String {
        let Some(name) = word.strip_prefix('$').filter(|name| !name.is_empty()) else { return word.to_owned() };
        let of_name = self.by_key.get(name).map_or(&[][..], Vec::as_slice);
        let before = of_name.iter().rev().take(MOST_BACK).rev().filter_map(|index| self.entries.get(*index));
        // Of equals the last one counts.
        let found = before.filter(|entry| within.starts_with(&entry.within)).max_by_key(|entry| entry.within.len());
        found.map(|entry| entry.value.chars().take(4096).collect()).unwrap_or_default()
    }

    fn include(
        &mut self,
        files: &Files<'_>,
        pattern: &str,
        may_miss: bool,
        at: &Span,
        via: Option<&Arc<Via>>,
        within: &Arc<Vec<Section>>,
    ) {
        let pattern = relative_to(directory_of(&at.path), unquoted(pattern));
        let is_open = |path: &str| {
            *at.path == *path || std::iter::successors(via, |via| via.via.as_ref()).any(|via| *via.at.path == *path)
        };
        if Via::depth(via) >= DEEPEST {
            return self.trouble(at.clone(), "includes lie too deep", true);
        }
        let paths = files.glob(&pattern);
        let inner = Arc::new(Via { at: at.clone(), via: via.cloned() });
        for path in &paths {
            if is_open(path) {
                self.trouble(at.clone(), &format!("{path} includes itself"), true);
                continue;
            }
            match self.includes.look(files, path) {
                Content::Bytes(bytes) => self.file(files, &files.path(path), bytes, Some(&inner), within),
                Content::Missing if !may_miss => self.trouble(at.clone(), &format!("{path} does not exist"), true),
                Content::Unreadable(error) => self.trouble(at.clone(), &format!("{path} cannot be read: {error}"), false),
                _ => {}
            }
        }
        if paths.is_empty() && !may_miss && files.wanted().is_empty() {
            self.trouble(at.clone(), &format!("no file fits {pattern}"), true);
        }
    }

    fn trouble(&mut self, at: Span, says: &str, fatal: bool) {
        self.troubles.push(Trouble { at: Some(at), says: says.to_owned(), fatal });
    }
}

/// A line with those that continue it.
struct Line {
    /// Without comment, white space around it taken away.
    text: Vec<u8>,
    /// Its first byte that is no blank, and the byte after its last.
    start: usize,
    end: usize,
}

/// The line at `at`, and where the next begins. A `\` at the end goes on in the next line.
fn logical_line(bytes: &[u8], at: usize) -> (Line, usize) {
    let (mut text, mut next) = (Vec::new(), at);
    let blanks = bytes.get(at..).unwrap_or_default().iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count();
    let start = at + blanks;
    let mut end = start;
    loop {
        let rest = bytes.get(next..).unwrap_or_default();
        let length = rest.iter().position(|byte| *byte == b'\n').unwrap_or(rest.len());
        let raw = without_comment(rest.get(..length).unwrap_or_default());
        let kept = raw.trim_ascii_end();
        let begins = next;
        next += length + 1;
        let (kept, goes_on) = match kept.strip_suffix(b"\\") {
            Some(kept) if next < bytes.len() => (kept, true),
            _ => (kept, false),
        };
        if !kept.trim_ascii().is_empty() {
            if !text.is_empty() {
                text.push(b' ');
            }
            text.extend_from_slice(kept.trim_ascii());
            end = begins + kept.trim_ascii_end().len();
        }
        if !goes_on {
            return (Line { text, start: start.min(end), end: end.max(start.min(end)) }, next.min(bytes.len().max(next)));
        }
    }
}

/// A comment begins with `#` at the start of a line or after a blank, outside quotes.
fn without_comment(line: &[u8]) -> &[u8] {
    let (mut quote, mut before) = (None, b' ');
    for (at, byte) in line.iter().enumerate() {
        match quote {
            Some(open) if *byte == open && before != b'\\' => quote = None,
            Some(_) => {}
            None if *byte == b'#' && before.is_ascii_whitespace() => return line.get(..at).unwrap_or_default(),
            None if matches!(byte, b'"' | b'\'') && (before.is_ascii_whitespace() || before == b'=') => quote = Some(*byte),
            None => {}
        }
        before = *byte;
    }
    line
}

fn unquoted(text: &str) -> &str {
    let quoted = |quote: char| text.len() >= 2 && text.starts_with(quote) && text.ends_with(quote);
    if quoted('"') || quoted('\'') { text.get(1..text.len() - 1).unwrap_or_default() } else { text }
}

#[cfg(test)]
mod tests {
    use tlswhy_model::{FileContent, SeenFile};

    use super::*;

    #[test]
    fn settings_have_their_sections_values_and_places() {
        let text =
            "a = 1 # one\nservice x {\n  inet_listener y { # here\n    port = \"12 #3\"\n  }\n}\nlong = b \\\n  c\na = $a 2\n";
        let content =
            FileContent::Bytes { bytes: text.as_bytes().to_vec().into(), sha256: String::new(), public_keys: Vec::new() };
        let seen = [SeenFile { path: "/d".to_owned(), real_path: None, content }];
        let tree = Tree::read(&Files::new(&seen, &[]), "/d");
        assert_eq!(tree.troubles, []);
        let found: Vec<(usize, &str, &str)> =
            tree.entries.iter().map(|entry| (entry.within.len(), entry.key.as_str(), entry.value.as_str())).collect();
        assert_eq!(found, [(0, "a", "1"), (2, "port", "12 #3"), (0, "long", "b c"), (0, "a", "1 2")]);
        let Origin::File { value, .. } = &tree.entries[1].origin else { panic!() };
        assert_eq!(&text[value.start..value.end], "\"12 #3\"");
        let Origin::File { value, .. } = &tree.entries[0].origin else { panic!() };
        assert_eq!(&text[value.start..value.end], "1");
    }
}
