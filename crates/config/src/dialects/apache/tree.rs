//! The directives of all files as one tree: includes, conditions, variables and macros evaluated as `httpd` does while it reads.

use std::collections::{HashMap, HashSet};
use std::ops::Range;
use std::sync::Arc;

use super::lines::{self, Line};
use super::{Program, conditions, variables};
use crate::dialects::MOST_DIRECTIVES;
use crate::files::{Content, Files, has_wildcard, relative_to};
use crate::includes::Includes;
use crate::service::Trouble;
use crate::span::{Origin, Span, Via};

/// Deepest chain of includes and macros: AP_MAX_INCLUDE_DEPTH.
const DEEPEST: usize = 50;
/// Deepest nesting of sections that is read.
const DEEPEST_SECTION: usize = 100;

/// A directive or section where it counts.
#[derive(Debug)]
pub(super) struct Node {
    pub(super) path: Arc<str>,
    pub(super) via: Option<Arc<Via>>,
    /// In lower case; a section's without `<`.
    pub(super) name: String,
    /// As written.
    pub(super) written: String,
    /// Variables replaced; a section's without `>`.
    pub(super) arguments: String,
    pub(super) span: Range<usize>,
    pub(super) value: Range<usize>,
    pub(super) block: Option<Vec<Node>>,
}

impl Node {
    pub(super) fn words(&self) -> Vec<String> {
        lines::words(&self.arguments)
    }

    pub(super) fn argument(&self) -> String {
        lines::word(&self.arguments).map_or_else(String::new, |(word, _)| word)
    }

    /// The arguments, quotes taken away, single blanks between them.
    pub(super) fn text(&self) -> String {
        self.words().join(" ")
    }

    pub(super) fn at(&self) -> Span {
        Span { path: Arc::clone(&self.path), start: self.span.start, end: self.span.end }
    }

    pub(super) fn origin(&self) -> Origin {
        let value = Span { path: Arc::clone(&self.path), start: self.value.start, end: self.value.end };
        Origin::file(self.at(), value, self.via.as_ref())
    }

    pub(super) fn inside(&self) -> &[Node] {
        self.block.as_deref().unwrap_or_default()
    }
}

/// A macro of mod_macro.
struct Macro {
    path: Arc<str>,
    parameters: Vec<String>,
    body: Vec<Line>,
}

/// Reads a main file with all that it includes.
pub(super) struct Reader<'f> {
    pub(super) files: &'f Files<'f>,
    pub(super) program: Program,
    pub(super) root: String,
    pub(super) variables: variables::Variables<'f>,
    pub(super) modules: conditions::Modules,
    pub(super) troubles: Vec<Trouble>,
    pub(super) read: Vec<String>,
    known: HashSet<String>,
    includes: Includes,
    macros: HashMap<String, Macro>,
    count: usize,
}

impl<'f> Reader<'f> {
    pub(super) fn new(files: &'f Files<'f>, program: Program, main: &str) -> Reader<'f> {
        Reader {
            files,
            program,
            root: super::server_root(main),
            variables: variables::Variables::new(files, main),
            modules: conditions::Modules::default(),
            troubles: Vec::new(),
            read: Vec::new(),
            known: HashSet::new(),
            includes: Includes::default(),
            macros: HashMap::new(),
            count: 0,
        }
    }

    pub(super) fn main(&mut self, main: &str) -> Vec<Node> {
        let mut nodes = Vec::new();
        if let Content::Bytes(bytes) = self.files.text(main) {
            self.file(main, bytes, None, &mut nodes);
        }
        nodes
    }

    fn file(&mut self, path: &str, bytes: &[u8], via: Option<&Arc<Via>>, nodes: &mut Vec<Node>) {
        let path = self.files.path(path);
        if self.known.insert(path.to_string()) {
            self.read.push(path.to_string());
        }
        let lines = lines::lines(bytes);
        let mut at = 0;
        self.section(&path, &lines, &mut at, None, via, 0, nodes);
    }

    /// Reads the lines of a section up to its end, or of a file where `open` is none.
    #[allow(clippy::too_many_arguments, reason = "one place in one file; a struct would only name them again")]
    fn section(
        &mut self,
        path: &Arc<str>,
        lines: &[Line],
        at: &mut usize,
        open: Option<(&str, &Line)>,
        via: Option<&Arc<Via>>,
        depth: usize,
        nodes: &mut Vec<Node>,
    ) {
        while let Some(line) = lines.get(*at) {
            *at += 1;
            self.count += 1;
            if self.count > MOST_DIRECTIVES {
                if self.count == MOST_DIRECTIVES + 1 {
                    let says = format!("more than {MOST_DIRECTIVES} lines: the rest is not read");
                    self.troubles.push(Trouble { at: None, says, fatal: false });
                }
                return;
            }
            let span = |range: &Range<usize>| Span { path: Arc::clone(path), start: range.start, end: range.end };
            let (text, missing) = self.variables.resolve(&line.text);
            let Some((first, rest)) = lines::word(&text) else { continue };
            let lower = first.to_ascii_lowercase();
            if let Some(name) = missing.filter(|_| matters(&lower)) {
                let says = format!("the variable ${{{name}}} is not defined in these files");
                self.troubles.push(Trouble { at: Some(span(&line.span)), says, fatal: false });
            }
            if let Some(closed) = lower.strip_prefix("</") {
                let closed = closed.trim_end_matches('>');
                if open.is_some_and(|(name, _)| name == closed) {
                    return;
                }
                let says = match open {
                    Some((name, _)) => format!("`</{closed}>` stands where `</{name}>` has to end the section"),
                    None => format!("`</{closed}>` ends a section that nothing opened"),
                };
                self.fatal(span(&line.span), says);
                continue;
            }
            if let Some(name) = lower.strip_prefix('<') {
                let name = name.trim_end_matches('>').to_owned();
                let arguments = rest.trim_end().trim_end_matches('>').trim_end().to_owned();
                if depth >= DEEPEST_SECTION {
                    self.fatal(span(&line.span), format!("sections lie more than {DEEPEST_SECTION} deep"));
                    soak(lines, at);
                    continue;
                }
                if name == "macro" {
                    let start = *at;
                    let end = soak(lines, at);
                    let mut words = lines::words(&arguments).into_iter();
                    let own = words.next().unwrap_or_default().to_ascii_lowercase();
                    let body = lines.get(start..end).unwrap_or_default().to_vec();
                    self.macros.insert(own, Macro { path: Arc::clone(path), parameters: words.collect(), body });
                    continue;
                }
                match conditions::holds(self, &name, &arguments) {
                    Some(true) => self.section(path, lines, at, Some((&name, line)), via, depth + 1, nodes),
                    Some(false) => {
                        soak(lines, at);
                    }
                    None => {
                        let mut inside = Vec::new();
                        self.section(path, lines, at, Some((&name, line)), via, depth + 1, &mut inside);
                        let written = first.trim_start_matches('<').trim_end_matches('>').to_owned();
                        nodes.push(self.node(path, via, line, name, written, arguments, Some(inside)));
                    }
                }
                continue;
            }
            let word = || lines::word(rest).map_or_else(String::new, |(word, _)| word);
            match lower.as_str() {
                "include" | "includeoptional" => {
                    self.include(span(&line.span), &word(), lower == "includeoptional", via, nodes);
                }
                "define" => {
                    let mut words = lines::words(rest).into_iter();
                    let name = words.next().unwrap_or_default();
                    self.variables.define(name, words.next());
                }
                "undefine" => self.variables.undefine(&word()),
                "serverroot" => self.root = crate::files::normal(&word()),
                "loadmodule" => {
                    self.modules.load(&word());
                    nodes.push(self.node(path, via, line, lower, first, rest.to_owned(), None));
                }
                "use" => self.use_macro(span(&line.span), rest, via, depth, nodes),
                "undefmacro" => {
                    self.macros.remove(&word().to_ascii_lowercase());
                }
                "error" => {
                    let says = format!("the line `Error {rest}` stops the program");
                    self.fatal(span(&line.span), says);
                }
                _ => nodes.push(self.node(path, via, line, lower, first, rest.to_owned(), None)),
            }
        }
        if let Some((name, head)) = open {
            let at = Span { path: Arc::clone(path), start: head.span.start, end: head.span.end };
            self.fatal(at, format!("`<{name}>` is not closed in its file"));
        }
    }

    #[allow(clippy::too_many_arguments, reason = "the parts of a node")]
    fn node(
        &self,
        path: &Arc<str>,
        via: Option<&Arc<Via>>,
        line: &Line,
        name: String,
        written: String,
        arguments: String,
        block: Option<Vec<Node>>,
    ) -> Node {
        let (span, value) = (line.span.clone(), line.value.clone());
        Node { path: Arc::clone(path), via: via.cloned(), name, written, arguments, span, value, block }
    }

    fn include(&mut self, at: Span, name: &str, optional: bool, via: Option<&Arc<Via>>, nodes: &mut Vec<Node>) {
        if name.is_empty() {
            self.fatal(at, "`Include` names no file".to_owned());
            return;
        }
        if Via::depth(via) >= DEEPEST {
            self.fatal(at, format!("includes lie more than {DEEPEST} deep"));
            return;
        }
        let pattern = relative_to(&self.root, name);
        let via = Arc::new(Via { at: at.clone(), via: via.cloned() });
        let found = self.files.glob(&pattern);
        let none = found.is_empty() && self.files.wanted().is_empty();
        if none && !optional {
            self.fatal(at, format!("nothing fits {pattern}: `Include` has to find a file, `IncludeOptional` need not"));
            return;
        }
        let exact = !has_wildcard(&pattern);
        for path in found {
            self.included(&at, &path, exact && !optional, &via, 0, nodes);
        }
    }

    /// A file, or a directory with all that lies in it, subdirectories too.
    fn included(&mut self, at: &Span, path: &str, must: bool, via: &Arc<Via>, depth: usize, nodes: &mut Vec<Node>) {
        let mut above = std::iter::successors(Some(via), |via| via.via.as_ref());
        if above.any(|via| *via.at.path == *path) {
            self.fatal(at.clone(), format!("{path} includes itself"));
            return;
        }
        match self.includes.look(self.files, path) {
            Content::Bytes(bytes) => self.file(path, bytes, Some(via), nodes),
            Content::Directory(entries) if depth < 20 => {
                for entry in entries {
                    self.included(at, &format!("{path}/{entry}"), false, via, depth + 1, nodes);
                }
            }
            Content::Missing if must => self.fatal(at.clone(), format!("{path} does not exist")),
            Content::Unreadable(error) => {
                let says = format!("{path} cannot be read: {error}");
                self.troubles.push(Trouble { at: Some(at.clone()), says, fatal: false });
            }
            Content::Directory(_) | Content::Missing | Content::Asked => {}
        }
    }

    fn use_macro(&mut self, at: Span, rest: &str, via: Option<&Arc<Via>>, depth: usize, nodes: &mut Vec<Node>) {
        let mut words = lines::words(rest).into_iter();
        let name = words.next().unwrap_or_default();
        let values: Vec<String> = words.collect();
        let Some(used) = self.macros.get(&name.to_ascii_lowercase()) else {
            self.fatal(at, format!("the macro `{name}` is not defined"));
            return;
        };
        if used.parameters.len() != values.len() {
            let says = format!("the macro `{name}` takes {} values, not {}", used.parameters.len(), values.len());
            self.fatal(at, says);
            return;
        }
        if Via::depth(via) >= DEEPEST || depth >= DEEPEST_SECTION {
            self.fatal(at, format!("macros and includes lie more than {DEEPEST} deep"));
            return;
        }
        // Of two parameters that begin alike the longer one is meant.
        let mut pairs: Vec<(&String, &String)> = used.parameters.iter().zip(&values).collect();
        pairs.sort_by_key(|(parameter, _)| std::cmp::Reverse(parameter.len()));
        let path = Arc::clone(&used.path);
        let body: Vec<Line> =
            used.body.iter().map(|line| Line { text: variables::substituted(&line.text, &pairs), ..line.clone() }).collect();
        let via = Arc::new(Via { at, via: via.cloned() });
        let mut place = 0;
        self.section(&path, &body, &mut place, None, Some(&via), depth + 1, nodes);
    }

    fn fatal(&mut self, at: Span, says: String) {
        self.troubles.push(Trouble { at: Some(at), says, fatal: true });
    }
}

/// Whether a variable that is missing bears on TLS in a line of this directive.
fn matters(name: &str) -> bool {
    let name = name.trim_start_matches('<');
    let heads = ["ssl", "include", "listen", "virtualhost", "servername", "serveralias", "protocols", "proxypass"];
    heads.iter().any(|head| name.starts_with(head))
}

/// Goes over the lines of a section that does not count; says where its last line was.
fn soak(lines: &[Line], at: &mut usize) -> usize {
    let mut open = 1_usize;
    while let Some(line) = lines.get(*at) {
        *at += 1;
        if line.text.starts_with("</") {
            open -= 1;
            if open == 0 {
                return *at - 1;
            }
        } else if line.text.starts_with('<') {
            open += 1;
        }
    }
    *at
}
