//! Sections and their entries, with includes and variables, as OpenSSL's CONF library keeps them (crypto/conf/conf_def.c; 1.1.1w,
//! 3.0.19 and 3.6.5 measured).

use std::cell::RefCell;
use std::collections::{HashMap, HashSet};
use std::ops::Range;
use std::rc::Rc;
use std::sync::Arc;

use super::chain::Broken;
use super::expand;
use super::lines::{self, Line};
use crate::files::{Content, Files, directory_of, relative_to};
use crate::release::Release;
use crate::service::{Note, Trouble};
use crate::span::{Origin, Span, Via};

/// Deepest chain of includes.
const DEEPEST: usize = 100;
/// Most files read, each as often as it is included.
const MOST_FILES: usize = 2_000;
/// Most entries and sections.
const MOST_ENTRIES: usize = 200_000;
/// Most bytes of values after variables are expanded.
const MOST_BYTES: usize = 32 << 20;
/// The section above the first head.
pub(super) const HEAD: &str = "default";

/// `name = value`.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub(super) section: Arc<str>,
    pub(super) name: String,
    /// Variables expanded, quotes and escapes taken away.
    pub(super) value: String,
    /// The whole line.
    pub(super) at: Span,
    value_at: Span,
    via: Option<Arc<Via>>,
    /// A later entry of the same name and section takes its place.
    pub(super) is_replaced: bool,
}

impl Entry {
    pub(super) fn origin(&self) -> Origin {
        Origin::file(self.at.clone(), self.value_at.clone(), self.via.as_ref())
    }
}

#[derive(Clone, Debug, Default)]
struct Section {
    entries: Vec<usize>,
    by_name: HashMap<String, usize>,
    /// The lines `[name]`.
    heads: Vec<Span>,
}

/// A file with all that it includes.
#[derive(Clone, Debug, Default)]
pub(super) struct Conf {
    pub(super) entries: Vec<Entry>,
    sections: HashMap<Arc<str>, Section>,
    /// What makes OpenSSL refuse the whole of it, and where.
    pub(super) refused: Option<(Span, String)>,
    pub(super) troubles: Vec<Trouble>,
    pub(super) notes: Vec<Note>,
    /// Every file read, each once.
    pub(super) files: Vec<String>,
    expanded: usize,
    /// What [`super::chain::ssl_conf`] found for a section of modules, so that it is looked for once.
    pub(super) led: RefCell<HashMap<String, Result<usize, Broken>>>,
    /// What [`Conf::section`] found for a name.
    live: RefCell<HashMap<String, Rc<[usize]>>>,
}

impl Conf {
    /// The entries of a section that count, in their order; `None` where there is no such section.
    pub(super) fn section(&self, name: &str) -> Option<Rc<[usize]>> {
        if let Some(known) = self.live.borrow().get(name) {
            return Some(Rc::clone(known));
        }
        let section = self.sections.get(name)?;
        let counts = |index: &&usize| self.entries.get(**index).is_some_and(|entry| !entry.is_replaced);
        let live: Rc<[usize]> = section.entries.iter().filter(counts).copied().collect();
        self.live.borrow_mut().insert(name.to_owned(), Rc::clone(&live));
        Some(live)
    }

    /// Every entry of a section, those as well that a later one of the same name replaces.
    pub(super) fn written(&self, section: &str) -> impl Iterator<Item = &Entry> {
        let section = self.sections.get(section);
        section.into_iter().flat_map(|section| &section.entries).filter_map(|index| self.entries.get(*index))
    }

    /// The entry of this name in a section.
    pub(super) fn own(&self, section: &str, name: &str) -> Option<&Entry> {
        self.entries.get(*self.sections.get(section)?.by_name.get(name)?)
    }

    /// The last line `[name]`.
    pub(super) fn head(&self, section: &str) -> Option<&Span> {
        self.sections.get(section)?.heads.last()
    }

    fn add(&mut self, entry: Entry) {
        let index = self.entries.len();
        let section = self.sections.entry(Arc::clone(&entry.section)).or_default();
        section.entries.push(index);
        if let Some(before) = section.by_name.insert(entry.name.clone(), index)
            && let Some(before) = self.entries.get_mut(before)
        {
            before.is_replaced = true;
        }
        self.entries.push(entry);
    }
}

/// A file that is being read.
struct Frame<'f> {
    path: Arc<str>,
    bytes: &'f [u8],
    at: usize,
    via: Option<Arc<Via>>,
}

/// The files of an included directory that are still to be read.
struct Queue {
    paths: std::vec::IntoIter<String>,
    via: Arc<Via>,
}

struct Reader<'f> {
    files: &'f Files<'f>,
    release: Option<Release>,
    conf: Conf,
    stack: Vec<Frame<'f>>,
    queue: Option<Queue>,
    section: Arc<str>,
    /// `$` is part of names (`.pragma dollarid`).
    dollar: bool,
    absolute_only: bool,
    include_directory: Option<String>,
    base: String,
    opened: usize,
    known: HashSet<String>,
}

/// Reads a file with all that it includes.
pub(super) fn read(files: &Files<'_>, main: &str, release: Option<Release>) -> Conf {
    let mut reader = Reader {
        files,
        release,
        conf: Conf::default(),
        stack: Vec::new(),
        queue: None,
        section: Arc::from(HEAD),
        dollar: false,
        absolute_only: false,
        include_directory: files.environment("OPENSSL_CONF_INCLUDE").map(str::to_owned),
        base: directory_of(main).to_owned(),
        opened: 0,
        known: HashSet::new(),
    };
    if let Content::Bytes(bytes) = files.text(main) {
        reader.open(main, bytes, None);
        // Only the main file may begin with a byte order mark.
        if bytes.starts_with(b"\xef\xbb\xbf")
            && let Some(frame) = reader.stack.last_mut()
        {
            frame.at = 3;
        }
        reader.run();
    }
    reader.conf
}

impl<'f> Reader<'f> {
    fn scope(&self) -> expand::Scope<'_> {
        expand::Scope { conf: &self.conf, files: self.files, dollar: self.dollar }
    }

    fn since(&self, major: u32, minor: u32, patch: u32) -> bool {
        self.release.is_none_or(|release| release >= Release::new(major, minor, patch))
    }

    fn open(&mut self, path: &str, bytes: &'f [u8], via: Option<Arc<Via>>) {
        let path = self.files.path(path);
        if self.known.insert(path.to_string()) {
            self.conf.files.push(path.to_string());
        }
        self.opened += 1;
        self.stack.push(Frame { path, bytes, at: 0, via });
    }

    fn run(&mut self) {
        while let Some(frame) = self.stack.last_mut() {
            let start = frame.at;
            let Some(line) = lines::next(frame.bytes, &mut frame.at) else {
                self.close();
                continue;
            };
            let (path, via) = (Arc::clone(&frame.path), frame.via.clone());
            if let Err(says) = self.line(&line, &path, via.as_ref()) {
                let whole = line.span(lines::past_blanks(&line.text, 0)..lines::trimmed_end(&line.text, 0));
                let at = if whole.is_empty() { start..start } else { whole };
                self.conf.refused = Some((Span { path, start: at.start, end: at.end }, says));
                return;
            }
            if self.conf.entries.len() + self.conf.sections.len() > MOST_ENTRIES || self.conf.expanded > MOST_BYTES {
                let says = "there is more in it than is read here".to_owned();
                self.conf.troubles.push(Trouble { at: None, says, fatal: false });
                return;
            }
        }
    }

    /// At the end of a file the next of an included directory takes its place; without one, reading goes on where it was
    /// included, in the section in which it ended.
    fn close(&mut self) {
        self.stack.pop();
        while let Some(queue) = &mut self.queue {
            let Some(path) = queue.paths.next() else {
                self.queue = None;
                return;
            };
            let via = Arc::clone(&queue.via);
            if let Content::Bytes(bytes) = self.files.text(&path) {
                self.open(&path, bytes, Some(via));
                return;
            }
        }
    }

    fn line(&mut self, line: &Line, path: &Arc<str>, via: Option<&Arc<Via>>) -> Result<(), String> {
        let text = line.text.as_slice();
        let start = lines::past_blanks(text, 0);
        let end = lines::trimmed_end(text, start);
        let span = |range: Range<usize>| {
            let range = line.span(range);
            Span { path: Arc::clone(path), start: range.start, end: range.end }
        };
        let whole = span(start..end);
        match text.get(start) {
            None => return Ok(()),
            Some(b'[') => return self.head(text, start, whole),
            Some(_) => {}
        }
        let (mut name, mut name_end) = (start, lines::past_name(text, start, self.dollar));
        let mut section = Arc::clone(&self.section);
        if text.get(name_end..name_end + 2) == Some(b"::") {
            section = Arc::from(words(text, name..name_end));
            name = name_end + 2;
            name_end = lines::past_name(text, name, self.dollar);
        }
        let mut at = lines::past_blanks(text, name_end);
        let equals = text.get(at) == Some(&b'=');
        let written = text.get(name..name_end).unwrap_or_default();
        let begins = |word: &str| {
            let after = name + word.len();
            written.starts_with(word.as_bytes()) && (at != after || equals)
        };
        let value_start = if equals { lines::past_blanks(text, at + 1) } else { at };
        let value_end = lines::trimmed_end(text, value_start).max(value_start);
        if begins(".pragma") && self.since(3, 0, 0) {
            return self.pragma(text.get(value_start..value_end).unwrap_or_default());
        }
        if begins(".include") && self.since(1, 1, 1) {
            let value = expand::expand(self.scope(), Some(&section), text.get(value_start..value_end).unwrap_or_default())?;
            return self.include(&String::from_utf8_lossy(&value), whole, via);
        }
        if !equals {
            return Err("this line has no `=`".to_owned());
        }
        at += 1;
        let value = expand::expand(self.scope(), Some(&section), text.get(value_start..value_end).unwrap_or_default())?;
        self.conf.expanded += value.len();
        let empty_at = at.min(text.len());
        let value_at = if value_end > value_start { span(value_start..value_end) } else { span(empty_at..empty_at) };
        self.conf.add(Entry {
            section,
            name: words(text, name..name_end),
            value: String::from_utf8_lossy(&value).into_owned(),
            at: whole,
            value_at,
            via: via.cloned(),
            is_replaced: false,
        });
        Ok(())
    }

    fn head(&mut self, text: &[u8], open: usize, whole: Span) -> Result<(), String> {
        let start = lines::past_blanks(text, open + 1);
        let mut at = start;
        let end = loop {
            let end = lines::past_name(text, at, self.dollar);
            let next = lines::past_blanks(text, end);
            match text.get(next) {
                Some(b']') => break end,
                // A name of several words.
                Some(_) if next != at => at = next,
                _ => return Err("the section's name has no `]`".to_owned()),
            }
        };
        let name = expand::expand(self.scope(), None, text.get(start..end).unwrap_or_default())?;
        self.section = Arc::from(String::from_utf8_lossy(&name));
        let section = self.conf.sections.entry(Arc::clone(&self.section)).or_default();
        section.heads.push(whole);
        Ok(())
    }

    fn pragma(&mut self, text: &[u8]) -> Result<(), String> {
        let text = String::from_utf8_lossy(text);
        let (name, value) = match text.split_once(':') {
            Some((name, value)) if !name.is_empty() && !value.is_empty() => (name.trim_end(), value.trim_start()),
            _ => return Err("`.pragma` wants `name:value`".to_owned()),
        };
        let switch = || match value.to_ascii_lowercase().as_str() {
            "on" | "true" => Ok(true),
            "off" | "false" => Ok(false),
            _ => Err(format!("`.pragma {name}` wants `on` or `off`")),
        };
        match name {
            "dollarid" => self.dollar = switch()?,
            "abspath" => self.absolute_only = switch()?,
            "includedir" if self.files.environment("OPENSSL_CONF_INCLUDE").is_none() => {
                self.include_directory = Some(value.to_owned());
            }
            _ => {}
        }
        Ok(())
    }

    fn include(&mut self, named: &str, at: Span, via: Option<&Arc<Via>>) -> Result<(), String> {
        let directory = self.include_directory.clone();
        let named = match &directory {
            Some(directory) if !named.starts_with('/') => format!("{directory}/{named}"),
            _ => named.to_owned(),
        };
        if !named.starts_with('/') {
            if self.absolute_only {
                return Err(format!("`{named}` is no absolute path, which `.pragma abspath` demands"));
            }
            let says = format!(
                "`{named}` is looked for in the directory in which a program runs; what is read here lies in {}",
                self.base
            );
            self.conf.notes.push(Note { at: Some(at.clone()), says });
        }
        let path = relative_to(&self.base, &named);
        if self.opened >= MOST_FILES || self.stack.len() >= DEEPEST {
            let says = "more files are included than are read here".to_owned();
            self.conf.troubles.push(Trouble { at: Some(at), says, fatal: false });
            return Ok(());
        }
        if self.stack.iter().any(|frame| *frame.path == *path) {
            // OpenSSL opens it again and again until it may open no more files, and goes on.
            self.conf.troubles.push(Trouble { at: Some(at), says: format!("{path} includes itself"), fatal: false });
            return Ok(());
        }
        let via = Arc::new(Via { at: at.clone(), via: via.cloned() });
        match self.files.text(&path) {
            Content::Bytes(bytes) => self.open(&path, bytes, Some(via)),
            Content::Directory(entries) => self.include_directory(&path, entries, at, via),
            Content::Missing => {
                let says = format!("{path} does not exist, which OpenSSL passes over in silence");
                self.conf.notes.push(Note { at: Some(at), says });
            }
            Content::Unreadable(error) => {
                let says = format!("{path} cannot be read: {error}");
                self.conf.troubles.push(Trouble { at: Some(at), says, fatal: false });
            }
            Content::Asked => {}
        }
        Ok(())
    }

    fn include_directory(&mut self, path: &str, entries: &[String], at: Span, via: Arc<Via>) {
        if self.queue.is_some() {
            let says = format!("{path} is a directory named in a file of another included directory: it is not read");
            self.conf.notes.push(Note { at: Some(at), says });
            return;
        }
        let named = |entry: &&String| {
            let entry = entry.to_ascii_lowercase();
            (entry.len() > 5 && entry.ends_with(".conf")) || (entry.len() > 4 && entry.ends_with(".cnf"))
        };
        let paths: Vec<String> = entries.iter().filter(named).map(|entry| format!("{path}/{entry}")).collect();
        if paths.len() > 1 {
            let says =
                "OpenSSL reads the files of a directory in the order in which they lie there, which nothing here tells; \
                        they are taken by their names"
                    .to_owned();
            self.conf.notes.push(Note { at: Some(at), says });
        }
        // All of them are asked for at once.
        for path in &paths {
            let _asked_for = self.files.look(path);
        }
        let mut paths = paths.into_iter();
        for path in paths.by_ref() {
            if let Content::Bytes(bytes) = self.files.text(&path) {
                self.open(&path, bytes, Some(Arc::clone(&via)));
                self.queue = Some(Queue { paths, via });
                return;
            }
        }
    }
}

pub(super) fn words(text: &[u8], range: Range<usize>) -> String {
    String::from_utf8_lossy(text.get(range).unwrap_or_default()).into_owned()
}
