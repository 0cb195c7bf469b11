//! The files that a reading goes by: what is there, and what has to be asked for.

use std::cell::RefCell;
use std::collections::{BTreeSet, HashMap};
use std::rc::Rc;
use std::sync::Arc;

use tlswhy_model::{FileContent, InstalledSoftware, SeenFile};

use crate::dialects::MOST_DIRECTIVES;
use crate::dialects::openssl::SystemPolicy;
use crate::release::Release;
use crate::span::{Position, Span};

/// From which size on, in bytes, the line ends of a file are remembered.
const LARGE: usize = 8 * 1024;

/// What lies at a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Content<'a> {
    /// It was not asked for yet; it is now.
    Asked,
    /// A file.
    Bytes(&'a [u8]),
    /// A directory with these names in it, sorted by their bytes.
    Directory(&'a [String]),
    /// Nothing.
    Missing,
    /// Something that cannot be read, and why.
    Unreadable(&'a str),
}

/// The files seen so far. Looking at a path that was not seen yet notes it as wanted; a reading then has to be made again once
/// it is there.
#[derive(Debug, Default)]
pub struct Files<'a> {
    seen: HashMap<&'a str, &'a SeenFile>,
    software: &'a [InstalledSoftware],
    environment: &'a [(String, String)],
    process: Process<'a>,
    /// The environment has more variables than are known.
    environment_in_part: bool,
    wanted: RefCell<BTreeSet<String>>,
    wanted_software: RefCell<BTreeSet<String>>,
    policies: RefCell<HashMap<String, Option<Rc<SystemPolicy>>>>,
    lines: RefCell<HashMap<Arc<str>, Rc<Vec<usize>>>>,
    cut: RefCell<BTreeSet<String>>,
}

/// A process that was looked at while it ran, as /proc shows it, but with a line for each variable and argument; of these only what
/// bears on TLS.
#[derive(Clone, Debug, Default)]
struct Process<'a> {
    environment: Vec<(&'a str, &'a str)>,
    arguments: Vec<(Span, &'a str)>,
}

impl<'a> Process<'a> {
    fn among(seen: &'a [SeenFile]) -> Process<'a> {
        let lines = |name: &str| {
            let file = seen.iter().find(|file| of_a_process(&file.path).is_some_and(|(_, file)| file == name))?;
            let FileContent::Bytes { bytes, .. } = &file.content else { return None };
            Some((file.path.as_str(), std::str::from_utf8(bytes).ok()?))
        };
        let environment = lines("environ").map(|(_, text)| text.lines().filter_map(|line| line.split_once('=')).collect());
        let arguments = lines("cmdline").map(|(path, text)| {
            let path: Arc<str> = Arc::from(path);
            let mut start = 0;
            let placed = |line: &'a str| {
                let span = Span { path: Arc::clone(&path), start, end: start + line.len() };
                start += line.len() + 1;
                (span, line)
            };
            text.split('\n').map(placed).filter(|(_, line)| !line.is_empty()).collect()
        });
        Process { environment: environment.unwrap_or_default(), arguments: arguments.unwrap_or_default() }
    }
}

/// The process and the file of `/proc/17/environ` or `/proc/17/cmdline`.
pub fn of_a_process(path: &str) -> Option<(&str, &str)> {
    let (process, file) = path.strip_prefix("/proc/")?.split_once('/')?;
    let is_number = !process.is_empty() && process.bytes().all(|byte| byte.is_ascii_digit());
    (is_number && matches!(file, "environ" | "cmdline")).then_some((process, file))
}

impl<'a> Files<'a> {
    /// Over what was seen.
    pub fn new(seen: &'a [SeenFile], software: &'a [InstalledSoftware]) -> Files<'a> {
        let process = Process::among(seen);
        let seen = seen.iter().map(|file| (file.path.as_str(), file)).collect();
        Files { seen, software, process, ..Files::default() }
    }

    /// The same, but for these files.
    pub fn with<'b>(&self, instead: &'b [SeenFile]) -> Files<'b>
    where
        'a: 'b,
    {
        let mut seen: HashMap<&'b str, &'b SeenFile> = self.seen.iter().map(|(path, file)| (*path, *file)).collect();
        seen.extend(instead.iter().map(|file| (file.path.as_str(), file)));
        let Files { software, environment, environment_in_part, .. } = *self;
        Files { seen, software, environment, environment_in_part, process: self.process.clone(), ..Files::default() }
    }

    /// The same for programs that run with these environment variables.
    pub fn in_environment(self, environment: &'a [(String, String)]) -> Files<'a> {
        Files { environment, ..self }
    }

    /// The same for programs of whose environment these variables are known, and no others.
    pub fn with_variables(self, environment: &'a [(String, String)]) -> Files<'a> {
        Files { environment, environment_in_part: true, ..self }
    }

    /// The value of an environment variable of the programs that read the files; `None` where it is not set or not known.
    pub fn environment(&self, name: &str) -> Option<&'a str> {
        let told = self.environment.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str());
        told.or_else(|| self.process.environment.iter().find(|(known, _)| *known == name).map(|(_, value)| *value))
    }

    /// The arguments of the process that reads the files, each with its place; none where no process was seen.
    pub fn arguments(&self) -> &[(Span, &'a str)] {
        &self.process.arguments
    }

    /// What lies at this absolute path.
    pub fn look(&self, path: &str) -> Content<'a> {
        let path = normal(path);
        let Some(file) = self.seen.get(path.as_str()) else {
            self.wanted.borrow_mut().insert(path);
            return Content::Asked;
        };
        match &file.content {
            FileContent::Bytes { bytes, .. } => Content::Bytes(bytes),
            FileContent::Directory { entries } => Content::Directory(entries),
            FileContent::Missing => Content::Missing,
            FileContent::Unreadable { error } => Content::Unreadable(error),
        }
    }

    /// What lies at the path of a file of lines: no more than [`MOST_DIRECTIVES`] of them, which [`Files::take_cut`] tells.
    pub(crate) fn text(&self, path: &str) -> Content<'a> {
        let found = self.look(path);
        let Content::Bytes(bytes) = found else { return found };
        // Each line has its end.
        if bytes.len() <= MOST_DIRECTIVES {
            return found;
        }
        let mut ends = bytes.iter().enumerate().filter(|(_, byte)| **byte == b'\n').map(|(at, _)| at + 1);
        match ends.nth(MOST_DIRECTIVES - 1).filter(|end| *end < bytes.len()) {
            Some(end) => {
                self.cut.borrow_mut().insert(normal(path));
                Content::Bytes(bytes.get(..end).unwrap_or(bytes))
            }
            None => found,
        }
    }

    /// The files of which not every line was read since this was asked last.
    pub(crate) fn take_cut(&self) -> BTreeSet<String> {
        self.cut.take()
    }

    /// What was seen at a path; notes it as wanted where nothing was yet.
    pub fn seen(&self, path: &str) -> Option<&'a SeenFile> {
        let _asked_for = self.look(path);
        self.seen.get(normal(path).as_str()).copied()
    }

    /// The bytes of a file, where there is one.
    pub fn bytes(&self, path: &str) -> Option<&'a [u8]> {
        match self.look(path) {
            Content::Bytes(bytes) => Some(bytes),
            _ => None,
        }
    }

    /// The bytes of a file as an edit sees it: one that is not there is empty.
    pub fn editable(&self, path: &str) -> Option<&'a [u8]> {
        match self.look(path) {
            Content::Bytes(bytes) => Some(bytes),
            Content::Missing => Some(&[]),
            _ => None,
        }
    }

    /// Where a span begins; `None` where its file is not known. The line ends of a large file are looked for once.
    pub fn position(&self, span: &Span) -> Option<Position> {
        let bytes = self.bytes(&span.path)?;
        if bytes.len() < LARGE {
            return Some(Position::of(bytes, span.start));
        }
        let ends = self.lines.borrow().get(&span.path).cloned();
        let ends = ends.unwrap_or_else(|| {
            let ends = bytes.iter().enumerate().filter(|(_, byte)| **byte == b'\n').map(|(at, _)| at);
            let ends: Rc<Vec<usize>> = Rc::new(ends.collect());
            self.lines.borrow_mut().insert(Arc::clone(&span.path), Rc::clone(&ends));
            ends
        });
        Some(Position::among(&ends, span.start.min(bytes.len())))
    }

    /// Whether nobody told of the environment.
    pub fn environment_is_unknown(&self) -> bool {
        (self.environment_in_part || self.environment.is_empty()) && self.process.environment.is_empty()
    }

    /// A library's policy, read once for all services that heed it.
    pub(crate) fn remembered_policy(
        &self,
        key: String,
        read: impl FnOnce() -> Option<SystemPolicy>,
    ) -> Option<Rc<SystemPolicy>> {
        if let Some(policy) = self.policies.borrow().get(&key) {
            return policy.clone();
        }
        let policy = read().map(Rc::new);
        self.policies.borrow_mut().insert(key, policy.clone());
        policy
    }

    /// The paths that a pattern of glob(7) stands for (`*`, `?`, `[a-z]`, `[!a]`; no word begins with a dot unless the
    /// pattern's does), sorted by their bytes; those seen so far where directories have to be asked for. A path without a
    /// wildcard stands for itself, whether it exists or not.
    pub fn glob(&self, pattern: &str) -> Vec<String> {
        let pattern = normal(pattern);
        if !has_wildcard(&pattern) {
            return vec![pattern];
        }
        let mut found = vec![String::new()];
        for part in pattern.split('/').filter(|part| !part.is_empty()) {
            if !has_wildcard(part) {
                found.iter_mut().for_each(|path| path.extend(["/", part]));
                continue;
            }
            let directories = std::mem::take(&mut found);
            for directory in directories {
                let name = if directory.is_empty() { "/" } else { &directory };
                if let Content::Directory(entries) = self.look(name) {
                    let fitting = entries.iter().filter(|entry| fits(part.as_bytes(), entry.as_bytes()));
                    found.extend(fitting.map(|entry| format!("{directory}/{entry}")));
                }
            }
        }
        found.sort();
        found
    }

    /// The version of an installed product, by its name in [`tlswhy_model::InstalledSoftware`]; notes it as wanted where it was
    /// not asked for yet.
    pub fn release_of(&self, product: &str) -> Option<Release> {
        self.software(product)?.version.as_deref()?.parse().ok()
    }

    /// The version of OpenSSL that a product runs with: what the product itself says, else the machine's.
    pub fn openssl_of(&self, product: &str) -> Option<Release> {
        self.runs_with(product, "openssl").and_then(|version| version.parse().ok()).or_else(|| self.release_of("openssl"))
    }

    /// The version, as it is written, of a library that a product says that it runs with; notes the product as wanted where it was not asked for yet.
    pub fn runs_with(&self, product: &str, library: &str) -> Option<&'a str> {
        let linked = self.software(product)?.libraries.iter().find(|one| one.name == library);
        linked.map(|library| library.version.as_str())
    }

    /// What is known of an installed product.
    pub fn software(&self, product: &str) -> Option<&'a InstalledSoftware> {
        let known = self.software.iter().find(|software| software.product == product);
        if known.is_none() {
            self.wanted_software.borrow_mut().insert(product.to_owned());
        }
        known
    }

    /// The paths that were looked for and not seen yet, sorted.
    pub fn wanted(&self) -> Vec<String> {
        self.wanted.borrow().iter().cloned().collect()
    }

    /// Whether something was looked for that was not seen yet, so that a reading has to be made again.
    pub(crate) fn wants_more(&self) -> bool {
        !self.wanted.borrow().is_empty()
    }

    /// The products whose version was looked for and not asked yet.
    pub fn wanted_software(&self) -> Vec<String> {
        self.wanted_software.borrow().iter().cloned().collect()
    }

    /// The path as it is stored, for spans.
    pub fn path(&self, path: &str) -> Arc<str> {
        Arc::from(normal(path))
    }
}

/// An absolute path without `.`, `..` and doubled slashes. `..` is taken lexically: of a path through a symbolic link it may lead
/// elsewhere, which no program's includes rely on.
pub fn normal(path: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    format!("/{}", parts.join("/"))
}

/// `path`, taken from `base` (a directory) where it is relative.
pub fn relative_to(base: &str, path: &str) -> String {
    if path.starts_with('/') { normal(path) } else { normal(&format!("{base}/{path}")) }
}

/// The directory of a path.
pub fn directory_of(path: &str) -> &str {
    match path.rfind('/') {
        Some(0) | None => "/",
        Some(at) => path.get(..at).unwrap_or("/"),
    }
}

/// Whether a pattern has one.
pub fn has_wildcard(pattern: &str) -> bool {
    pattern.contains(['*', '?', '['])
}

/// Whether a name fits a pattern of glob(7) without slashes. Time: the product of their lengths.
pub fn fits(pattern: &[u8], name: &[u8]) -> bool {
    if name.first() == Some(&b'.') && pattern.first() != Some(&b'.') {
        return false;
    }
    let (mut p, mut n) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while n < name.len() {
        let step = match pattern.get(p) {
            Some(b'*') => {
                star = Some((p + 1, n));
                p += 1;
                continue;
            }
            Some(_) => one(pattern, p, name[n]),
            None => None,
        };
        match (step, star) {
            (Some(next), _) => (p, n) = (next, n + 1),
            // Let the last star take one byte more.
            (None, Some((after, taken))) => {
                (p, n) = (after, taken + 1);
                star = Some((after, taken + 1));
            }
            (None, None) => return false,
        }
    }
    pattern.get(p..).unwrap_or_default().iter().all(|byte| *byte == b'*')
}

/// Where the pattern goes on if what stands at `at` (no star) fits this byte.
fn one(pattern: &[u8], at: usize, byte: u8) -> Option<usize> {
    match *pattern.get(at)? {
        b'?' => Some(at + 1),
        b'[' => match set(pattern, at) {
            Some((inside, end, negated)) => {
                let mut inside = inside.iter().copied().peekable();
                let mut found = false;
                while let Some(first) = inside.next() {
                    let mut rest = inside.clone();
                    if rest.next() == Some(b'-')
                        && let Some(last) = rest.next()
                    {
                        found |= (first..=last).contains(&byte);
                        inside = rest;
                    } else {
                        found |= first == byte;
                    }
                }
                (found != negated).then_some(end)
            }
            None => (byte == b'[').then_some(at + 1),
        },
        b'\\' => (pattern.get(at + 1) == Some(&byte)).then_some(at + 2),
        own => (own == byte).then_some(at + 1),
    }
}

/// The inside of a set that begins at `at`, where it ends, and whether it is negated.
fn set(pattern: &[u8], at: usize) -> Option<(&[u8], usize, bool)> {
    let negated = matches!(pattern.get(at + 1), Some(b'!' | b'^'));
    let start = at + 1 + usize::from(negated);
    // A bracket that stands first is one of the set.
    let end = start + 1 + pattern.get(start + 1..)?.iter().position(|byte| *byte == b']')?;
    Some((pattern.get(start..end)?, end + 1, negated))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_fit_as_in_glob() {
        for (pattern, name, expected) in [
            ("*.conf", "a.conf", true),
            ("*.conf", ".a.conf", false),
            ("*.conf", "a.conf~", false),
            ("[a-c]?", "b1", true),
            ("[!a-c]?", "b1", false),
            ("a*b*c", "aXbXbc", true),
            ("*", "", true),
            ("[]x]", "]", true),
            ("[", "[", true),
            ("**a", "ba", true),
        ] {
            assert_eq!(fits(pattern.as_bytes(), name.as_bytes()), expected, "{pattern} {name}");
        }
    }

    #[test]
    fn a_glob_asks_for_its_directories_and_sorts_what_it_finds() {
        let directory = |path: &str, entries: &[&str]| SeenFile {
            path: path.to_owned(),
            real_path: None,
            content: FileContent::Directory { entries: entries.iter().map(|entry| (*entry).to_owned()).collect() },
        };
        let seen = [directory("/etc/n", &["a", "b"]), directory("/etc/n/a", &["2.conf", "10.conf", "x"])];
        let files = Files::new(&seen, &[]);
        assert_eq!(files.glob("/etc//n/./*/*.conf"), ["/etc/n/a/10.conf", "/etc/n/a/2.conf"]);
        assert_eq!(files.wanted(), ["/etc/n/b"]);
        assert_eq!(files.glob("/etc/n/none"), ["/etc/n/none"]);
        assert_eq!(normal("/a/../../b//c/."), "/b/c");
    }
}
