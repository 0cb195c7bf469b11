//! The files as HAProxy goes through them: conditions, variables, sections, and what `global` has said so far.

use std::collections::HashMap;
use std::sync::Arc;

use super::Program;
use super::conditions::{self, Known};
use super::scopes::Item;
use super::servers;
use super::tokens::{self, Word};
use crate::dialects::{MOST_DIRECTIVES, MOST_GENERAL};
use crate::files::{Content, Files, normal};
use crate::service::{Reading, Trouble};
use crate::span::Span;

/// `.if` nested deeper is refused (MAXNESTEDCOND of cfgparse.c).
const DEEPEST: usize = 15;

/// One line with words.
#[derive(Clone, Debug)]
pub(super) struct Line {
    pub(super) path: Arc<str>,
    pub(super) words: Vec<Word>,
    /// Its number among all lines of all files.
    pub(super) order: usize,
}

impl Line {
    pub(super) fn word(&self, index: usize) -> &str {
        self.words.get(index).map_or("", |word| word.text.as_str())
    }

    pub(super) fn span(&self) -> Span {
        let start = self.words.first().map_or(0, |word| word.span.start);
        let end = self.words.last().map_or(start, |word| word.span.end);
        Span { path: self.path.clone(), start, end }
    }

    /// The words from one of them to another.
    pub(super) fn part(&self, from: usize, to: usize) -> Span {
        let start = self.words.get(from).map_or(0, |word| word.span.start);
        let end = self.words.get(to).or(self.words.last()).map_or(start, |word| word.span.end);
        Span { path: self.path.clone(), start, end: end.max(start) }
    }

    /// The keywords from the word at `from` on; those that `takes_value` names are read with the word after them.
    pub(super) fn items(&self, from: usize, prefix: &str, takes_value: impl Fn(&str) -> bool) -> Vec<Item> {
        let mut items = Vec::new();
        let mut index = from;
        while let Some(word) = self.words.get(index) {
            let last = if takes_value(&word.text) { (index + 1).min(self.words.len() - 1) } else { index };
            let value = if last > index { self.word(last).to_owned() } else { String::new() };
            items.push(Item {
                key: word.text.clone(),
                name: if prefix.is_empty() { word.text.clone() } else { format!("{prefix} {}", word.text) },
                value,
                at: self.part(index, last),
                value_at: self.part(last, last),
                via: None,
                order: self.order,
            });
            index = last + 1;
        }
        items
    }

    /// The line as one keyword with one value.
    fn whole(&self, key: &str) -> Item {
        Item {
            key: key.to_owned(),
            name: self.word(0).to_owned(),
            value: self.word(1).to_owned(),
            at: self.span(),
            value_at: self.part(1, 1),
            via: None,
            order: self.order,
        }
    }
}

/// A section with its lines.
#[derive(Clone, Debug)]
pub(super) struct Section {
    pub(super) head: Line,
    pub(super) lines: Vec<Line>,
    /// The `defaults` that it takes its defaults from, as an index.
    pub(super) defaults: Option<usize>,
    /// Its last line `mode`.
    pub(super) mode: Option<String>,
    /// The words of its lines `default-server`, in their order.
    pub(super) of_servers: Vec<Item>,
}

impl Section {
    pub(super) fn kind(&self) -> &str {
        self.head.word(0)
    }
}

/// What all files say.
#[derive(Debug, Default)]
pub(super) struct Sections {
    pub(super) all: Vec<Section>,
    /// Defaults of `bind` lines, in the order of the files.
    pub(super) bind: Vec<Item>,
    /// Defaults of `server` lines.
    pub(super) server: Vec<Item>,
    /// Everything else that `global` sets.
    pub(super) global: HashMap<String, Vec<Item>>,
}

impl Sections {
    /// The value of a word of `global` as a line of this number meets it.
    pub(super) fn global_before(&self, key: &str, order: usize) -> Option<&Item> {
        let lines = self.global.get(key)?;
        lines.get(..lines.partition_point(|item| item.order < order))?.last()
    }
}

/// Words that open a section.
const SECTIONS: &[&str] = &[
    "global",
    "defaults",
    "frontend",
    "backend",
    "listen",
    "peers",
    "resolvers",
    "program",
    "mailers",
    "userlist",
    "cache",
    "http-errors",
    "ring",
    "log-forward",
    "log-profile",
    "fcgi-app",
    "crt-store",
    "traces",
    "acme",
    "namespace_list",
    "healthcheck",
];

/// Goes through the main file, or the files of a directory that end in `.cfg`.
pub(super) fn read(files: &Files<'_>, main: &str, program: Program, reading: &mut Reading) -> Sections {
    let mut state = State {
        program,
        sections: Sections::default(),
        variables: HashMap::new(),
        order: 0,
        defaults: None,
        named: HashMap::new(),
    };
    match files.look(main) {
        Content::Directory(entries) => {
            let named = entries.iter().filter(|entry| !entry.starts_with('.') && entry.ends_with(".cfg"));
            for entry in named.take(10_000) {
                state.file(files, &normal(&format!("{main}/{entry}")), reading);
            }
        }
        _ => state.file(files, main, reading),
    }
    state.sections
}

struct State {
    program: Program,
    sections: Sections,
    variables: HashMap<String, String>,
    order: usize,
    /// The last `defaults` section.
    defaults: Option<usize>,
    /// The last `defaults` section of each name.
    named: HashMap<String, usize>,
}

impl State {
    fn file(&mut self, files: &Files<'_>, path: &str, reading: &mut Reading) {
        let bytes = match files.text(path) {
            Content::Bytes(bytes) => bytes,
            Content::Asked => return,
            Content::Missing => return reading.troubles.push(trouble(None, format!("{path} does not exist"), true)),
            Content::Directory(_) => return,
            Content::Unreadable(why) => return reading.troubles.push(trouble(None, format!("{path}: {why}"), false)),
        };
        let path = files.path(path);
        reading.files.push(path.to_string());
        let (lines, complete) = tokens::lines(bytes);
        // A section does not go on in the next file.
        let mut open = false;
        // Of each `.if`: whether its lines count, and whether a branch was taken already.
        let mut conditions: Vec<(bool, bool)> = Vec::new();
        for range in &lines {
            self.order += 1;
            if self.order > MOST_DIRECTIVES {
                if self.order == MOST_DIRECTIVES + 1 {
                    let says = format!("more than {MOST_DIRECTIVES} lines: the rest is not read");
                    reading.troubles.push(trouble(None, says, false));
                }
                return;
            }
            let read = tokens::words(bytes, range, &self.variables);
            let Some(first) = read.words.first() else { continue };
            let line = Line { path: path.clone(), words: read.words.clone(), order: self.order };
            if first.text.starts_with('.') {
                let text =
                    bytes.get(first.span.end..line.span().end).map(String::from_utf8_lossy).unwrap_or_default().into_owned();
                self.condition(&line, &text, &mut conditions, reading);
                continue;
            }
            if conditions.iter().any(|(counts, _)| !counts) {
                continue;
            }
            if let Some(wrong) = read.wrong {
                reading.troubles.push(trouble(Some(line.span()), format!("HAProxy refuses this line: {wrong}"), true));
                continue;
            }
            for name in read.unknown {
                let says = format!("the value of the environment variable {name} is not known");
                reading.troubles.push(trouble(Some(line.span()), says, false));
            }
            if SECTIONS.contains(&first.text.as_str()) {
                open = true;
                self.open(line, reading);
            } else if open {
                self.line(line, reading);
            } else {
                let says = format!("`{}` stands outside of any section", first.text);
                reading.troubles.push(trouble(Some(line.span()), says, true));
            }
        }
        if !conditions.is_empty() {
            reading.troubles.push(trouble(None, format!("{path}: an `.if` has no `.endif`"), true));
        }
        if !complete && self.program.since(2, 3) {
            let says = "the last line has no line end: HAProxy takes the file for cut off and does not start".to_owned();
            let end = bytes.len();
            reading.troubles.push(trouble(Some(Span { path, start: end, end }), says, true));
        }
    }

    fn condition(&mut self, line: &Line, text: &str, conditions: &mut Vec<(bool, bool)>, reading: &mut Reading) {
        let reached = |conditions: &[(bool, bool)]| conditions.iter().all(|(counts, _)| *counts);
        let mut known = |text: &str| {
            let known = Known { variables: &self.variables, release: self.program.release, openssl: self.program.openssl };
            let text = text.split(" #").next().unwrap_or_default();
            conditions::holds(text, &known).unwrap_or_else(|| {
                let says = "whether this condition holds cannot be known from the files; it is taken not to".to_owned();
                reading.troubles.push(trouble(Some(line.span()), says, false));
                false
            })
        };
        let bad = match line.word(0) {
            ".if" if conditions.len() > DEEPEST => Some("the conditions are nested too deeply"),
            ".if" => {
                let holds = reached(conditions) && known(text);
                conditions.push((holds, holds));
                None
            }
            ".elif" | ".else" => {
                let outer = conditions.len().saturating_sub(1);
                let around = reached(conditions.get(..outer).unwrap_or_default());
                match conditions.last_mut() {
                    Some((counts, taken)) => {
                        *counts = around && !*taken && (line.word(0) == ".else" || known(text));
                        *taken |= *counts;
                        None
                    }
                    None => Some("there is no `.if` before it"),
                }
            }
            ".endif" => conditions.pop().is_none().then_some("there is no `.if` before it"),
            ".alert" if reached(conditions) => Some("`.alert` keeps HAProxy from starting"),
            _ => None,
        };
        if let Some(bad) = bad {
            reading.troubles.push(trouble(Some(line.span()), bad.to_owned(), true));
        }
    }

    fn open(&mut self, head: Line, reading: &mut Reading) {
        let kind = head.word(0).to_owned();
        let from = head.words.iter().position(|word| word.text == "from").map(|at| head.word(at + 1).to_owned());
        let mut defaults = self.defaults.filter(|_| kind != "defaults" && kind != "global");
        if let Some(from) = from {
            defaults = self.named.get(&from).copied();
            if defaults.is_none() {
                reading.troubles.push(trouble(Some(head.span()), format!("there is no `defaults {from}` above"), true));
            }
        }
        if kind == "defaults" {
            self.defaults = Some(self.sections.all.len());
            self.named.insert(head.word(1).to_owned(), self.sections.all.len());
        }
        self.sections.all.push(Section { head, lines: Vec::new(), defaults, mode: None, of_servers: Vec::new() });
    }

    fn line(&mut self, line: Line, reading: &mut Reading) {
        let Some(section) = self.sections.all.last_mut() else { return };
        match line.word(0) {
            _ if section.kind() == "global" => return self.global(&line, reading),
            "mode" => section.mode = Some(line.word(1).to_owned()),
            "default-server" => section.of_servers.extend(line.items(1, "default-server", servers::takes_value)),
            _ => {}
        }
        bounded(&mut section.of_servers, "default-server", &line, reading);
        section.lines.push(line);
    }

    fn global(&mut self, line: &Line, reading: &mut Reading) {
        let key = line.word(0);
        let takes_value = |word: &str| matches!(word, "ssl-min-ver" | "ssl-max-ver");
        let value = || line.words.iter().skip(2).map(|word| word.text.as_str()).collect::<Vec<_>>().join(" ");
        match key {
            "ssl-default-bind-options" => self.sections.bind.extend(line.items(1, key, takes_value)),
            "ssl-default-server-options" => self.sections.server.extend(line.items(1, key, takes_value)),
            "setenv" => {
                self.variables.insert(line.word(1).to_owned(), value());
            }
            "presetenv" => {
                self.variables.entry(line.word(1).to_owned()).or_insert_with(value);
            }
            "unsetenv" => {
                self.variables.remove(line.word(1));
            }
            "resetenv" => self.variables.clear(),
            _ => {
                if let Some(key) = key.strip_prefix("ssl-default-bind-") {
                    self.sections.bind.push(line.whole(key));
                } else if let Some(key) = key.strip_prefix("ssl-default-server-") {
                    self.sections.server.push(line.whole(key));
                } else {
                    self.sections.global.entry(key.to_owned()).or_default().push(line.whole(key));
                }
            }
        }
        bounded(&mut self.sections.bind, "ssl-default-bind-…", line, reading);
        bounded(&mut self.sections.server, "ssl-default-server-…", line, reading);
    }
}

/// Words that every line is held against; that there are too many is told once.
fn bounded(words: &mut Vec<Item>, name: &str, line: &Line, reading: &mut Reading) {
    if words.len() <= MOST_GENERAL {
        return;
    }
    words.truncate(MOST_GENERAL);
    let says = format!("more than {MOST_GENERAL} words of `{name}`: from this line on they are not read");
    if reading.troubles.last().is_none_or(|last| last.says != says) {
        reading.troubles.push(trouble(Some(line.span()), says, false));
    }
}

pub(super) fn trouble(at: Option<Span>, says: String, fatal: bool) -> Trouble {
    Trouble { at, says, fatal }
}
