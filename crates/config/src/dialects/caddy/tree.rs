//! The lines of a Caddyfile and of what it imports: global options and sites, snippets and arguments put in.

use std::collections::HashMap;
use std::sync::Arc;

use super::words::{Word, words};
use crate::files::{Content, Files, directory_of, has_wildcard, relative_to};
use crate::includes::Includes;
use crate::service::Trouble;
use crate::span::{Span, Via};

/// Deepest nesting of blocks, and of imports.
const DEEPEST: usize = 32;
/// Most lines, and most words and lines that an import brings; imported ones are counted each time.
const MOST: usize = 100_000;
/// The longest that a word grows by what is put in, in bytes.
const LONGEST: usize = 64 * 1024;

/// A directive with its arguments and its block.
#[derive(Clone, Debug)]
pub(super) struct Line {
    pub(super) words: Vec<Word>,
    pub(super) block: Option<Block>,
}

/// What stands in braces.
#[derive(Clone, Debug)]
pub(super) struct Block {
    /// The opening brace.
    pub(super) open: Span,
    pub(super) lines: Vec<Line>,
}

impl Line {
    pub(super) fn name(&self) -> &str {
        self.words.first().map_or("", |word| &word.text)
    }

    pub(super) fn arguments(&self) -> &[Word] {
        self.words.get(1..).unwrap_or_default()
    }

    pub(super) fn inside(&self) -> &[Line] {
        self.block.as_ref().map_or(&[], |block| &block.lines)
    }

    /// From its first word to its last, the block left out.
    pub(super) fn at(&self) -> Option<Span> {
        let first = self.words.first()?;
        Some(Span { end: self.words.last()?.at.end.max(first.at.end), ..first.at.clone() })
    }
}

/// A site.
#[derive(Clone, Debug)]
pub(super) struct Site {
    /// Its addresses.
    pub(super) keys: Vec<Word>,
    pub(super) lines: Vec<Line>,
    /// The opening brace; a file with a single site may have none.
    pub(super) open: Option<Span>,
}

/// Everything that is written.
#[derive(Default)]
pub(super) struct Tree {
    /// The global options.
    pub(super) global: Vec<Line>,
    pub(super) sites: Vec<Site>,
    pub(super) troubles: Vec<Trouble>,
    pub(super) files: Vec<String>,
}

/// Reads a file and what it imports. Heredocs came with Caddy 2.7.
pub(super) fn read(files: &Files<'_>, main: &str, heredocs: bool) -> Tree {
    let mut reader =
        Reader { files, heredocs, includes: Includes::default(), tree: Tree::default(), snippets: HashMap::new(), count: 0 };
    let lines = match files.text(main) {
        Content::Bytes(bytes) => reader.file(&files.path(main), bytes, None),
        _ => Vec::new(),
    };
    reader.top(lines);
    if reader.count > MOST {
        let says = format!("more than {MOST} lines, those of snippets and imports counted each time: the rest is not read");
        reader.tree.troubles.push(Trouble { at: None, says, fatal: false });
    }
    reader.tree
}

struct Reader<'f> {
    files: &'f Files<'f>,
    heredocs: bool,
    includes: Includes,
    tree: Tree,
    snippets: HashMap<String, Vec<Line>>,
    count: usize,
}

impl Reader<'_> {
    fn trouble(&mut self, at: &Span, says: impl Into<String>) {
        self.tree.troubles.push(Trouble { at: Some(at.clone()), says: says.into(), fatal: true });
    }

    fn file(&mut self, path: &Arc<str>, bytes: &[u8], via: Option<&Arc<Via>>) -> Vec<Line> {
        if !self.tree.files.iter().any(|known| **known == **path) {
            self.tree.files.push(path.to_string());
        }
        let (words, trouble) = words(self.files, path, bytes, via, self.heredocs);
        self.tree.troubles.extend(trouble);
        let mut words = words.into_iter().peekable();
        let lines = self.lines(&mut words, None, 0);
        if let Some(word) = words.next() {
            // Caddy takes it for the address of a site, to which all belongs that follows (measured).
            let fatal = words.next().is_some();
            let says = "this `}` closes nothing".to_owned();
            self.tree.troubles.push(Trouble { at: Some(word.at), says, fatal });
        }
        lines
    }

    /// Lines up to the brace that closes them, which is left, or the end.
    fn lines(
        &mut self,
        words: &mut std::iter::Peekable<std::vec::IntoIter<Word>>,
        before: Option<&Word>,
        depth: usize,
    ) -> Vec<Line> {
        let mut lines: Vec<Line> = Vec::new();
        let mut before = before.cloned();
        // Whether the next word goes on with the line.
        let mut open = false;
        while let Some(word) = words.next_if(|word| !word.is("}")) {
            let fresh = !open || before.as_ref().is_none_or(|before| word.on_new_line(before));
            if !word.is("{") {
                if fresh {
                    lines.push(Line { words: Vec::new(), block: None });
                }
                open = true;
                before = Some(word.clone());
                if let Some(line) = lines.last_mut() {
                    line.words.push(word);
                }
                continue;
            }
            if depth >= DEEPEST {
                self.trouble(&word.at, "blocks lie too deep");
                return lines;
            }
            let inner = self.lines(words, Some(&word), depth + 1);
            match words.next() {
                Some(close) => before = Some(close),
                None => self.trouble(&word.at, "this block is not closed"),
            }
            let block = Some(Block { open: word.at, lines: inner });
            match lines.last_mut().filter(|_| !fresh) {
                Some(line) => line.block = block,
                // The global options.
                None => lines.push(Line { words: Vec::new(), block }),
            }
            open = false;
        }
        lines
    }

    /// The lines outside every block.
    fn top(&mut self, lines: Vec<Line>) {
        let mut lines = std::collections::VecDeque::from(lines);
        while let Some(mut line) = lines.pop_front() {
            self.count += 1;
            if self.count > MOST {
                return;
            }
            if line.name() == "import" {
                self.import(&line, true).into_iter().rev().for_each(|imported| lines.push_front(imported));
                continue;
            }
            // Behind a comma the addresses go on in the next line.
            while line.block.is_none() && line.words.last().is_some_and(|word| word.text.ends_with(',')) {
                let Some(next) = lines.pop_front() else { break };
                line.words.extend(next.words);
                line.block = next.block;
            }
            let name = line.name();
            let snippet = name.strip_prefix('(').and_then(|name| name.strip_suffix(')')).map(str::to_owned);
            match (line.words.first().cloned(), line.block) {
                (None, block) => {
                    let (open, inner) = block.map_or((None, Vec::new()), |block| (Some(block.open), block.lines));
                    let first = self.tree.sites.is_empty() && self.tree.global.is_empty();
                    if let (Some(open), false) = (open, first) {
                        self.trouble(&open, "a block without an address is for global options, and has to come first");
                        continue;
                    }
                    self.tree.global = self.expand(inner);
                }
                (Some(word), Some(block)) if snippet.is_some() && line.words.len() == 1 => {
                    if self.snippets.insert(snippet.unwrap_or_default(), block.lines).is_some() {
                        self.trouble(&word.at, format!("the snippet `{}` is there already", word.text));
                    }
                }
                // A named route.
                (Some(word), Some(_)) if word.text.starts_with("&(") => {}
                (Some(_), Some(block)) => {
                    let lines = self.expand(block.lines);
                    self.tree.sites.push(Site { keys: keys(line.words), lines, open: Some(block.open) });
                }
                // A single site without braces: all that follows is its own.
                (Some(_), None) => {
                    let rest = self.expand(lines.drain(..).collect());
                    self.tree.sites.push(Site { keys: keys(line.words), lines: rest, open: None });
                }
            }
        }
    }

    /// The lines with what they import in its place.
    fn expand(&mut self, lines: Vec<Line>) -> Vec<Line> {
        let mut expanded = Vec::new();
        for mut line in lines {
            self.count += 1;
            if self.count > MOST {
                break;
            }
            if line.name() == "import" {
                let imported = self.import(&line, false);
                expanded.extend(self.expand(imported));
                continue;
            }
            if let Some(block) = &mut line.block {
                block.lines = self.expand(std::mem::take(&mut block.lines));
            }
            expanded.push(line);
        }
        expanded
    }

    /// What an `import` line stands for: a snippet, or files.
    fn import(&mut self, line: &Line, outside: bool) -> Vec<Line> {
        let (Some(at), Some(first), Some(what)) = (line.at(), line.words.first(), line.words.get(1)) else {
            line.at().iter().for_each(|at| self.trouble(at, "`import` names nothing"));
            return Vec::new();
        };
        if Via::depth(first.via.as_ref()) >= DEEPEST {
            self.trouble(&at, "imports lie too deep");
            return Vec::new();
        }
        let via = Arc::new(Via { at: at.clone(), via: first.via.clone() });
        let arguments = line.words.get(2..).unwrap_or_default();
        let put_in = PutIn { arguments, block: line.inside(), via: &via, outside };
        if let Some(snippet) = self.snippets.get(&what.text) {
            let mut count = 0;
            let lines = put_in.lines(snippet, &mut count, true);
            self.count += count;
            return lines;
        }
        if what.unknown {
            self.tree.troubles.push(Trouble {
                at: Some(at),
                says: "which file is imported depends on Caddy's environment, which is not known: it was not read".to_owned(),
                fatal: false,
            });
            return Vec::new();
        }
        let pattern = relative_to(directory_of(&what.at.path), &what.text);
        let paths = self.files.glob(&pattern);
        if paths.len() == 1 && !has_wildcard(&pattern) && matches!(self.files.look(&pattern), Content::Missing) {
            self.trouble(&at, format!("there is no snippet `{}`, and no file {pattern}", what.text));
        }
        let mut lines = Vec::new();
        for path in paths {
            match self.includes.look(self.files, &path) {
                Content::Missing | Content::Asked => {}
                Content::Directory(_) => self.trouble(&at, format!("{path} is a directory")),
                Content::Unreadable(why) => {
                    let says = format!("{path} cannot be read: {why}");
                    self.tree.troubles.push(Trouble { at: Some(at.clone()), says, fatal: false });
                }
                Content::Bytes(bytes) => {
                    let read = self.file(&self.files.path(&path), bytes, Some(&via));
                    let mut count = 0;
                    lines.extend(put_in.lines(&read, &mut count, false));
                    self.count += count;
                    if self.count > MOST {
                        break;
                    }
                }
            }
        }
        lines
    }
}

/// The addresses of a site, commas taken away.
fn keys(words: Vec<Word>) -> Vec<Word> {
    let without = words.into_iter().map(|mut word| {
        if let Some(text) = word.text.strip_suffix(',') {
            word.text = text.to_owned();
            word.at.end = word.at.end.saturating_sub(1).max(word.at.start);
        }
        word
    });
    without.filter(|word| !word.text.is_empty()).collect()
}

/// What an import puts into the lines that it brings.
struct PutIn<'i> {
    arguments: &'i [Word],
    block: &'i [Line],
    via: &'i Arc<Via>,
    /// Snippets that the lines define keep their placeholders.
    outside: bool,
}

impl PutIn<'_> {
    /// `anew`: the words get to know how they came to be read.
    fn lines(&self, lines: &[Line], count: &mut usize, anew: bool) -> Vec<Line> {
        let mut made = Vec::new();
        for line in lines {
            *count += 1;
            if *count > MOST {
                break;
            }
            match line.name() {
                "{block}" => made.extend(self.block.iter().cloned()),
                name if self.outside && name.starts_with('(') => made.push(line.clone()),
                _ => {
                    let mut words = Vec::with_capacity(line.words.len());
                    for word in &line.words {
                        if *count > MOST {
                            break;
                        }
                        let put_in = self.words(word, anew);
                        *count += put_in.len();
                        words.extend(put_in);
                    }
                    let block = line
                        .block
                        .as_ref()
                        .map(|block| Block { open: block.open.clone(), lines: self.lines(&block.lines, count, anew) });
                    made.push(Line { words, block });
                }
            }
        }
        made
    }

    fn words(&self, word: &Word, anew: bool) -> Vec<Word> {
        let mut word = word.clone();
        if anew {
            word.via = Some(Arc::clone(self.via));
        }
        if let Some(range) = variadic(&word.text, self.arguments.len()) {
            let several = self.arguments.get(range).unwrap_or_default().iter().take(MOST);
            return several.map(|argument| word.saying(argument)).collect();
        }
        let mut from = 0;
        while let Some((place, number)) = numbered(&word.text, from).filter(|_| word.text.len() < LONGEST) {
            from = match self.arguments.get(number) {
                Some(argument) => {
                    word.text.replace_range(place.clone(), &argument.text);
                    word.unknown |= argument.unknown;
                    place.start + argument.text.len()
                }
                None => place.end,
            };
        }
        vec![word]
    }
}

/// The next `{args[0]}`, or `{args.0}` as it was written up to 2.7: its place, and the number.
fn numbered(text: &str, from: usize) -> Option<(std::ops::Range<usize>, usize)> {
    let mut at = from;
    loop {
        let start = at + text.get(at..)?.find("{args")?;
        let end = start + text.get(start..)?.find('}')? + 1;
        let inside = text.get(start + 5..end - 1).unwrap_or_default();
        let bracketed = inside.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
        let number = bracketed.or_else(|| inside.strip_prefix('.')).and_then(|number| number.parse().ok());
        match number {
            Some(number) => return Some((start..end, number)),
            None => at = end,
        }
    }
}

/// `{args[1:]}`: which arguments it stands for.
fn variadic(text: &str, count: usize) -> Option<std::ops::Range<usize>> {
    let (start, end) = text.strip_prefix("{args[")?.strip_suffix("]}")?.split_once(':')?;
    let number = |text: &str, otherwise| if text.is_empty() { Some(otherwise) } else { text.parse::<usize>().ok() };
    let (start, end) = (number(start, 0)?, number(end, count)?);
    (start <= end && end <= count).then_some(start..end)
}

#[cfg(test)]
mod tests {
    use tlswhy_model::{FileContent, SeenFile};

    use super::*;

    fn seen(path: &str, text: &str) -> SeenFile {
        let bytes = text.as_bytes().to_vec().into();
        let content = FileContent::Bytes { bytes, sha256: String::new(), public_keys: Vec::new() };
        SeenFile { path: path.to_owned(), real_path: None, content }
    }

    fn shown(lines: &[Line]) -> String {
        let one = |line: &Line| {
            let words: Vec<&str> = line.words.iter().map(|word| word.text.as_str()).collect();
            let block = line.block.as_ref().map_or(String::new(), |block| format!(" {{{}}}", shown(&block.lines)));
            format!("{}{block}", words.join(" "))
        };
        lines.iter().map(one).collect::<Vec<_>>().join("; ")
    }

    #[test]
    fn snippets_files_and_arguments_are_put_in() {
        let main = "{\n http_port 80\n}\n(s) {\n tls {args[0]} {\n  curves {args[1:]}\n }\n {block}\n}\nimport more\n\
                    a.test, b.test,\nc.test {\n import s x y z {\n  respond 1\n }\n log {\n }\n}\n";
        let files = [seen("/c/Caddyfile", main), seen("/c/more", "(t) {\n root {args[0]}\n}\nd.test {\n import t /w\n}\n")];
        let tree = read(&Files::new(&files, &[]), "/c/Caddyfile", true);
        assert!(tree.troubles.is_empty(), "{:?}", tree.troubles);
        assert_eq!(shown(&tree.global), "http_port 80");
        let sites: Vec<String> = tree
            .sites
            .iter()
            .map(|site| {
                let keys: Vec<&str> = site.keys.iter().map(|key| key.text.as_str()).collect();
                format!("{} {{{}}}", keys.join(" "), shown(&site.lines))
            })
            .collect();
        assert_eq!(sites, ["d.test {root /w}", "a.test b.test c.test {tls x {curves y z}; respond 1; log {}}"]);
        let tls = &tree.sites[1].lines[0].words[0];
        assert_eq!(&main[tls.at.start..tls.at.end], "tls");
        assert!(main[tls.via.as_ref().unwrap().at.start..].starts_with("import s x y z"));
    }

    #[test]
    fn a_single_site_needs_no_braces_and_loops_end() {
        let files = [seen("/c", "a.test\nrespond 1\nimport c\n")];
        let tree = read(&Files::new(&files, &[]), "/c", true);
        assert_eq!(tree.sites.len(), 1);
        assert!(tree.troubles.iter().any(|trouble| trouble.says == "imports lie too deep"), "{:?}", tree.troubles);
    }
}
