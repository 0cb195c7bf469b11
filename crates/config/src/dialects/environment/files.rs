//! The files in which environments are set, as far as they say so plainly: assignments in a line, `export`, units of systemd,
//! `ENV` of a Dockerfile.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::dialects::Context;
use crate::files::{Content, directory_of, of_a_process, relative_to};
use crate::service::Trouble;
use crate::span::{Span, Via};

/// Deepest nesting of files, and most variables.
const DEEPEST: usize = 4;
const MOST: usize = 20_000;

/// How a file writes variables.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// `NAME=value`, the value up to the end of the line: environment(5), `EnvironmentFile=`, `.env`.
    Plain,
    /// The same in a shell's file, where `export` may stand before it and a blank ends the value.
    Shell,
    /// `Environment=` of systemd's units.
    Unit,
    /// `ENV` of a Dockerfile.
    Dockerfile,
    /// `/proc/PID/environ` of a process, a line each: the value up to the end of the line, its quotes a part of it.
    Process,
}

/// A variable that a file sets.
#[derive(Clone, Debug)]
pub(super) struct Variable {
    pub(super) name: String,
    /// Quotes taken away; `None` where it is made of what the file does not say.
    pub(super) value: Option<String>,
    pub(super) kind: Kind,
    /// Whether `export` stands before it.
    pub(super) exported: bool,
    /// `NAME=value` with its quotes.
    pub(super) at: Span,
    /// The line that it stands in, without its end.
    pub(super) line: Span,
    pub(super) via: Option<Arc<Via>>,
}

/// What kind of file it is, by its name; `None` where the name tells nothing.
pub(super) fn kind(path: &str) -> Option<Kind> {
    let name = path.rsplit('/').next().unwrap_or_default();
    let has = |end: &str| name.ends_with(end);
    let shell = [".profile", ".bash_profile", ".bashrc", ".zshrc", ".zshenv", ".zprofile"].contains(&name)
        || path == "/etc/profile"
        || path.starts_with("/etc/profile.d/");
    match name {
        _ if of_a_process(path).is_some() => Some(Kind::Process),
        _ if shell => Some(Kind::Shell),
        "environment" | ".env" => Some(Kind::Plain),
        _ if has(".env") || name.starts_with(".env.") => Some(Kind::Plain),
        "Dockerfile" | "Containerfile" => Some(Kind::Dockerfile),
        _ if has(".Dockerfile") || name.starts_with("Dockerfile.") => Some(Kind::Dockerfile),
        _ if has(".service") || path.contains(".service.d/") && has(".conf") => Some(Kind::Unit),
        _ if path.starts_with("/etc/default/") || path.starts_with("/etc/sysconfig/") => Some(Kind::Plain),
        _ => None,
    }
}

/// What a file and those that it names set, in the order in which it counts.
#[derive(Default)]
pub(super) struct Read {
    pub(super) variables: Vec<Variable>,
    /// The names that a shell exports.
    exported: BTreeSet<String>,
    pub(super) troubles: Vec<Trouble>,
    pub(super) files: Vec<String>,
}

pub(super) fn read(context: &Context<'_>) -> Read {
    let mut read = Read::default();
    let kind = kind(context.main).unwrap_or(Kind::Plain);
    if kind == Kind::Unit {
        unit(context, &mut read);
    } else if let Some(bytes) = context.files.bytes(context.main) {
        let path = context.files.path(context.main);
        read.files.push(path.to_string());
        read.lines(&path, bytes, kind, None);
        // What a shell does not export, programs do not see.
        if kind == Kind::Shell {
            let Read { variables, exported, .. } = &mut read;
            variables.retain(|variable| exported.contains(&variable.name));
        }
    }
    read
}

/// A unit with its drop-ins: `Environment=` of all of them first, then the files of `EnvironmentFile=` (systemd.exec(5)).
fn unit(context: &Context<'_>, read: &mut Read) {
    let mut named: Vec<(String, Span, Arc<str>)> = Vec::new();
    let mut paths = vec![context.main.to_owned()];
    let name = context.main.rsplit('/').next().unwrap_or_default();
    if name.ends_with(".service") {
        // What the administrator puts there counts for a unit of the distribution too.
        let mut folders = vec![format!("{}.d", context.main), format!("/etc/systemd/system/{name}.d")];
        folders.dedup();
        let mut drop_ins: Vec<String> =
            folders.iter().flat_map(|folder| context.files.glob(&format!("{folder}/*.conf"))).collect();
        // By their names, wherever they lie.
        drop_ins.sort_by_key(|path| path.rsplit('/').next().unwrap_or_default().to_owned());
        drop_ins.dedup();
        paths.extend(drop_ins);
    }
    for path in paths {
        let Some(bytes) = context.files.bytes(&path) else { continue };
        let path = context.files.path(&path);
        read.files.push(path.to_string());
        for (section, key, value, at) in unit_lines(&path, bytes) {
            if section != "Service" {
                continue;
            }
            match key.as_str() {
                // An empty one takes back what stood before.
                "Environment" if value.1.is_empty() => read.variables.retain(|variable| variable.via.is_some()),
                "Environment" => read.words(&path, bytes, (value.0, value.0 + value.1.len()), Kind::Unit, &at, None),
                "EnvironmentFile" if value.1.is_empty() => named.clear(),
                "EnvironmentFile" => named.push((value.1, at, Arc::clone(&path))),
                "UnsetEnvironment" => {
                    let names: Vec<&str> = value.1.split_whitespace().collect();
                    read.variables.retain(|variable| !names.contains(&variable.name.as_str()));
                }
                _ => {}
            }
        }
    }
    for (pattern, at, from) in named.into_iter().take(DEEPEST * 16) {
        let (pattern, may_miss) = pattern.strip_prefix('-').map_or((pattern.as_str(), false), |rest| (rest, true));
        if pattern.contains('%') {
            let says = format!("`{pattern}` depends on the unit, and was not read");
            read.troubles.push(Trouble { at: Some(at), says, fatal: false });
            continue;
        }
        let via = Arc::new(Via { at: at.clone(), via: None });
        for path in context.files.glob(&relative_to(directory_of(&from), pattern)) {
            match context.files.look(&path) {
                Content::Bytes(bytes) => {
                    let path = context.files.path(&path);
                    read.files.push(path.to_string());
                    read.lines(&path, bytes, Kind::Plain, Some(&via));
                }
                Content::Missing if !may_miss => {
                    let says = format!("{path} does not exist: systemd does not start the unit");
                    read.troubles.push(Trouble { at: Some(at.clone()), says, fatal: true });
                }
                _ => {}
            }
        }
    }
}

/// The lines of a unit: section, key, the value with where it begins, and the place of the whole.
fn unit_lines(path: &Arc<str>, bytes: &[u8]) -> Vec<(String, String, (usize, String), Span)> {
    let mut lines = Vec::new();
    let mut section = String::new();
    let mut at = 0;
    while at < bytes.len() && lines.len() < MOST {
        let (start, mut end) = (at, line_end(bytes, at));
        // A `\` at the end goes on in the next line.
        while bytes.get(end.saturating_sub(1)) == Some(&b'\\') && end + 1 < bytes.len() {
            end = line_end(bytes, end + 1);
        }
        at = end + 1;
        let raw = bytes.get(start..end).unwrap_or_default();
        let text = String::from_utf8_lossy(raw);
        let trimmed = text.trim();
        if let Some(name) = trimmed.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            section = name.to_owned();
        } else if !trimmed.starts_with(['#', ';'])
            && let Some(equals) = raw.iter().position(|byte| *byte == b'=')
        {
            let key = String::from_utf8_lossy(raw.get(..equals).unwrap_or_default()).trim().to_owned();
            let rest = raw.get(equals + 1..).unwrap_or_default();
            let blanks = rest.iter().take_while(|byte| byte.is_ascii_whitespace()).count();
            let value = String::from_utf8_lossy(rest).trim().to_owned();
            let begins = start + raw.iter().take_while(|byte| byte.is_ascii_whitespace()).count();
            let stop = start + raw.trim_ascii_end().len();
            let place = Span { path: Arc::clone(path), start: begins.min(stop), end: stop };
            lines.push((section.clone(), key, ((start + equals + 1 + blanks).min(stop), value), place));
        }
    }
    lines
}

fn line_end(bytes: &[u8], from: usize) -> usize {
    let rest = bytes.get(from..).unwrap_or_default();
    from + rest.iter().position(|byte| *byte == b'\n').unwrap_or(rest.len())
}

impl Read {
    /// The assignments of a file of lines.
    fn lines(&mut self, path: &Arc<str>, bytes: &[u8], kind: Kind, via: Option<&Arc<Via>>) {
        let mut at = 0;
        // How deep in conditions, loops and functions of a shell.
        let mut depth = 0_usize;
        while at < bytes.len() && self.variables.len() < MOST {
            let (start, mut end) = (at, line_end(bytes, at));
            while kind == Kind::Dockerfile
                && bytes.get(start..end).is_some_and(|line| line.trim_ascii_end().ends_with(b"\\"))
                && end + 1 < bytes.len()
            {
                end = line_end(bytes, end + 1);
            }
            at = end + 1;
            let raw = bytes.get(start..end).unwrap_or_default();
            let begins = start + raw.iter().take_while(|byte| byte.is_ascii_whitespace()).count();
            let stop = (start + raw.trim_ascii_end().len()).max(begins);
            let line = Span { path: Arc::clone(path), start: begins, end: stop };
            let text = bytes.get(begins..stop).unwrap_or_default();
            let word = |word: &[u8]| {
                let rest = text.get(word.len()..)?;
                (text.get(..word.len())?.eq_ignore_ascii_case(word) && rest.first()?.is_ascii_whitespace())
                    .then(|| begins + word.len() + rest.iter().take_while(|byte| byte.is_ascii_whitespace()).count())
            };
            match (kind, text.first()) {
                (_, None | Some(b'#')) | (Kind::Plain, Some(b';')) => {}
                (Kind::Dockerfile, _) if word(b"FROM").is_some() => self.variables.clear(),
                (Kind::Dockerfile, _) => {
                    if let Some(from) = word(b"ENV") {
                        self.words(path, bytes, (from, stop), kind, &line, via);
                    }
                }
                (Kind::Shell, _) => {
                    let from = word(b"export");
                    let count = self.variables.len();
                    if let Some(names) = from.and_then(|from| bytes.get(from..stop)) {
                        let names = String::from_utf8_lossy(names);
                        let names = names.split_whitespace().filter_map(|word| word.split('=').next());
                        self.exported.extend(names.map(|name| name.trim_end_matches(';').to_owned()));
                    }
                    self.words(path, bytes, (from.unwrap_or(begins), stop), kind, &line, via);
                    depth = nesting(&String::from_utf8_lossy(text), depth);
                    for variable in self.variables.iter_mut().skip(count) {
                        variable.exported = from.is_some();
                        // Whether the line is reached is not known.
                        variable.value = variable.value.take().filter(|_| depth == 0);
                    }
                }
                (Kind::Plain | Kind::Unit | Kind::Process, _) => {
                    let from = word(b"export").filter(|_| kind != Kind::Process);
                    self.one(path, bytes, (from.unwrap_or(begins), stop), (kind, from.is_some()), &line, via);
                }
            }
        }
    }

    /// `NAME=value`, all that follows being the value.
    fn one(
        &mut self,
        path: &Arc<str>,
        bytes: &[u8],
        (start, end): (usize, usize),
        (kind, exported): (Kind, bool),
        line: &Span,
        via: Option<&Arc<Via>>,
    ) {
        let text = String::from_utf8_lossy(bytes.get(start..end).unwrap_or_default()).into_owned();
        let Some((name, value)) = text.split_once('=').filter(|(name, _)| is_name(name)) else { return };
        let quoted = |quote: char| value.len() >= 2 && value.starts_with(quote) && value.ends_with(quote);
        // What a process got is as it is.
        let verbatim = kind == Kind::Process;
        let quoted = !verbatim && (quoted('"') || quoted('\''));
        let value = if quoted { value.get(1..value.len() - 1).unwrap_or_default() } else { value };
        self.variables.push(Variable {
            name: name.to_owned(),
            value: (verbatim || plain(value)).then(|| value.to_owned()),
            kind,
            exported,
            at: Span { path: Arc::clone(path), start, end },
            line: line.clone(),
            via: via.cloned(),
        });
    }

    /// Assignments with blanks between them, quotes around the whole or the value.
    fn words(
        &mut self,
        path: &Arc<str>,
        bytes: &[u8],
        (mut at, end): (usize, usize),
        kind: Kind,
        line: &Span,
        via: Option<&Arc<Via>>,
    ) {
        let first = at;
        while at < end && self.variables.len() < MOST {
            let Some(byte) = bytes.get(at).copied() else { return };
            if byte.is_ascii_whitespace() || byte == b'\\' {
                at += 1;
                continue;
            }
            if kind == Kind::Shell && matches!(byte, b'#' | b';') {
                return;
            }
            let (text, stop) = word(bytes, at, end, kind);
            let assigned = text.split_once('=').filter(|(name, _)| is_name(name));
            // `ENV NAME value` of old.
            if assigned.is_none() && kind == Kind::Dockerfile && at == first && is_name(&text) {
                let rest = String::from_utf8_lossy(bytes.get(stop..end).unwrap_or_default()).trim().to_owned();
                self.push((&text, &rest), kind, Span { path: Arc::clone(path), start: at, end }, line, via);
                return;
            }
            // What is no assignment is a command, and says nothing of those that follow.
            let Some((name, value)) = assigned else { return };
            self.push((name, value), kind, Span { path: Arc::clone(path), start: at, end: stop }, line, via);
            at = stop;
        }
    }

    fn push(&mut self, (name, value): (&str, &str), kind: Kind, at: Span, line: &Span, via: Option<&Arc<Via>>) {
        let known = plain(value) && !(kind == Kind::Unit && value.contains('%'));
        self.variables.push(Variable {
            name: name.to_owned(),
            value: known.then(|| value.to_owned()),
            kind,
            exported: false,
            at,
            line: line.clone(),
            via: via.cloned(),
        });
    }
}

/// How deep the lines after this one lie in conditions, loops and functions.
fn nesting(line: &str, depth: usize) -> usize {
    let first = line.split([' ', '\t', ';']).next().unwrap_or_default();
    let closes = ["fi", "done", "esac", "}"];
    let opens = ["if", "for", "while", "until", "case"].contains(&first) || line.ends_with('{');
    // `if …; then …; fi` in one line.
    let closed = line.split([' ', '\t', ';']).any(|word| closes.contains(&word));
    match (opens, closed) {
        (true, false) => depth.saturating_add(1),
        (false, true) => depth.saturating_sub(1),
        _ => depth,
    }
}

/// A word up to a blank outside quotes (or to what ends a command), quotes taken away, and where it ends.
fn word(bytes: &[u8], start: usize, end: usize, kind: Kind) -> (String, usize) {
    let (mut text, mut quote, mut at) = (Vec::new(), None, start);
    while at < end {
        let Some(byte) = bytes.get(at).copied() else { break };
        match (quote, byte) {
            (Some(open), byte) if byte == open => quote = None,
            (Some(b'"') | None, b'\\') if at + 1 < end => {
                at += 1;
                text.extend(bytes.get(at).copied());
            }
            (Some(_), byte) => text.push(byte),
            (None, b'"' | b'\'') => quote = Some(byte),
            (None, byte) if byte.is_ascii_whitespace() => break,
            (None, b';' | b'&' | b'|') if kind == Kind::Shell => break,
            (None, byte) => text.push(byte),
        }
        at += 1;
    }
    (String::from_utf8_lossy(&text).into_owned(), at)
}

fn is_name(text: &str) -> bool {
    let first = text.chars().next().is_some_and(|c| c.is_ascii_alphabetic() || c == '_');
    first && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

/// Whether nothing else is put into it.
fn plain(value: &str) -> bool {
    !value.contains(['$', '`'])
}
