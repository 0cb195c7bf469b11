//! The directives of all files as one tree: includes stand where they are included.

use std::collections::HashMap;
use std::sync::Arc;

use super::tokens::{self, Directive, Word};
use crate::dialects::{MOST_DIRECTIVES, MOST_GENERAL, too_general};
use crate::files::{Content, Files, directory_of, has_wildcard, relative_to};
use crate::includes::Includes;
use crate::service::Trouble;
use crate::span::{Origin, Span, Via};

/// Deepest chain of includes.
const DEEPEST: usize = 50;

/// A directive where it counts.
#[derive(Debug)]
pub(super) struct Node {
    pub(super) path: Arc<str>,
    pub(super) via: Option<Arc<Via>>,
    pub(super) words: Vec<Word>,
    pub(super) span: std::ops::Range<usize>,
    pub(super) value: std::ops::Range<usize>,
    pub(super) block: Option<Vec<Node>>,
}

impl Node {
    pub(super) fn name(&self) -> &str {
        self.words.first().map_or("", |word| word.value.as_str())
    }

    pub(super) fn arguments(&self) -> impl Iterator<Item = &str> {
        self.words.iter().skip(1).map(|word| word.value.as_str())
    }

    pub(super) fn argument(&self) -> &str {
        self.arguments().next().unwrap_or_default()
    }

    /// The arguments, single blanks between them.
    pub(super) fn text(&self) -> String {
        self.arguments().collect::<Vec<_>>().join(" ")
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

/// The directives of one level by their names, so that a look costs the same however many blocks lie beside them.
#[derive(Clone, Debug)]
pub(super) struct Level<'n>(HashMap<&'n str, Vec<&'n Node>>);

impl<'n> Level<'n> {
    /// Of what stands in a block; blocks in it are levels of their own.
    pub(super) fn of(nodes: &'n [Node]) -> Level<'n> {
        let mut by_name: HashMap<&'n str, Vec<&'n Node>> = HashMap::new();
        for node in nodes.iter().filter(|node| node.block.is_none()) {
            by_name.entry(node.name()).or_default().push(node);
        }
        Level(by_name)
    }

    /// Of what stands around servers, each of which is held against it.
    pub(super) fn around(nodes: &'n [Node], troubles: &mut Vec<Trouble>) -> Level<'n> {
        let mut level = Level::of(nodes);
        for (name, nodes) in &mut level.0 {
            troubles.extend(nodes.get(MOST_GENERAL).map(|node| too_general(name, node.at())));
            nodes.truncate(MOST_GENERAL);
        }
        level
    }

    /// Those of this name, in their order.
    pub(super) fn named(&self, name: &str) -> &[&'n Node] {
        self.0.get(name).map_or(&[], Vec::as_slice)
    }
}

/// Reads a main file with all that it includes.
pub(super) struct Reader<'f> {
    files: &'f Files<'f>,
    base: String,
    pub(super) troubles: Vec<Trouble>,
    pub(super) read: Vec<String>,
    known: std::collections::HashSet<String>,
    includes: Includes,
    count: usize,
}

impl<'f> Reader<'f> {
    pub(super) fn new(files: &'f Files<'f>, main: &str) -> Reader<'f> {
        Reader {
            files,
            base: directory_of(main).to_owned(),
            troubles: Vec::new(),
            read: Vec::new(),
            known: std::collections::HashSet::new(),
            includes: Includes::default(),
            count: 0,
        }
    }

    pub(super) fn main(&mut self, main: &str) -> Vec<Node> {
        match self.files.text(main) {
            Content::Bytes(bytes) => self.file(main, bytes, None),
            _ => Vec::new(),
        }
    }

    fn file(&mut self, path: &str, bytes: &[u8], via: Option<Arc<Via>>) -> Vec<Node> {
        let path = self.files.path(path);
        if self.known.insert(path.to_string()) {
            self.read.push(path.to_string());
        }
        let (directives, trouble) = tokens::parse(bytes);
        if let Some(trouble) = trouble {
            let at = Span { path: Arc::clone(&path), start: trouble.at, end: trouble.at };
            self.troubles.push(Trouble { at: Some(at), says: trouble.says, fatal: true });
        }
        self.expand(&path, directives, via.as_ref())
    }

    fn expand(&mut self, path: &Arc<str>, directives: Vec<Directive>, via: Option<&Arc<Via>>) -> Vec<Node> {
        let mut nodes = Vec::with_capacity(directives.len());
        for directive in directives {
            self.count += 1;
            if self.count > MOST_DIRECTIVES {
                if self.count == MOST_DIRECTIVES + 1 {
                    let says = format!("more than {MOST_DIRECTIVES} directives: the rest is not read");
                    self.troubles.push(Trouble { at: None, says, fatal: false });
                }
                break;
            }
            if directive.name() == "include" && directive.block.is_none() {
                self.include(path, &directive, via, &mut nodes);
                continue;
            }
            let value = directive.value_span();
            let block = directive.block.map(|block| self.expand(path, block.directives, via));
            nodes.push(Node {
                path: Arc::clone(path),
                via: via.cloned(),
                words: directive.words,
                span: directive.span,
                value,
                block,
            });
        }
        nodes
    }

    fn include(&mut self, path: &Arc<str>, directive: &Directive, via: Option<&Arc<Via>>, nodes: &mut Vec<Node>) {
        let at = Span { path: Arc::clone(path), start: directive.span.start, end: directive.span.end };
        let Some(pattern) = directive.arguments().next().map(str::to_owned) else {
            self.trouble(&at, "`include` names no file");
            return;
        };
        if Via::depth(via) >= DEEPEST {
            self.trouble(&at, &format!("includes lie more than {DEEPEST} deep"));
            return;
        }
        // ngx_conf_include: taken from the directory of the main file.
        let pattern = relative_to(&self.base, &pattern);
        let via = Arc::new(Via { at: at.clone(), via: via.cloned() });
        for included in self.files.glob(&pattern) {
            let above = std::iter::successors(Some(&via), |via| via.via.as_ref());
            if above.into_iter().any(|via| *via.at.path == *included) {
                self.trouble(&at, &format!("{included} includes itself"));
                continue;
            }
            match self.includes.look(self.files, &included) {
                Content::Bytes(bytes) => nodes.extend(self.file(&included, bytes, Some(Arc::clone(&via)))),
                Content::Missing if !has_wildcard(&pattern) => {
                    self.trouble(&at, &format!("{included} does not exist"));
                }
                Content::Unreadable(error) => {
                    let says = format!("{included} cannot be read: {error}");
                    self.troubles.push(Trouble { at: Some(at.clone()), says, fatal: false });
                }
                Content::Directory(_) => self.trouble(&at, &format!("{included} is a directory")),
                Content::Missing | Content::Asked => {}
            }
        }
    }

    fn trouble(&mut self, at: &Span, says: &str) {
        self.troubles.push(Trouble { at: Some(at.clone()), says: says.to_owned(), fatal: true });
    }
}
