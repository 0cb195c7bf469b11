//! The files as lighttpd reads them: assignments, conditions, includes, variables (`configparser.y` of lighttpd).

use std::sync::Arc;

use super::tokens::{self, Kind, Token};
use crate::files::{Content, Files, directory_of, has_wildcard, normal, relative_to};
use crate::includes::Includes;
use crate::service::Trouble;
use crate::span::{Origin, Span, Via};

/// A value with the bytes of the expression that it comes from.
#[derive(Clone, Debug)]
pub(super) struct Value {
    pub(super) what: What,
    pub(super) span: Span,
    pub(super) via: Option<Arc<Via>>,
}

#[derive(Clone, Debug)]
pub(super) enum What {
    Text(String),
    Number(i64),
    /// Elements with or without a key; each with the bytes from the key on.
    List(Vec<(Option<String>, Span, Value)>),
}

impl Value {
    pub(super) fn text(&self) -> String {
        match &self.what {
            What::Text(text) => text.clone(),
            What::Number(number) => number.to_string(),
            What::List(_) => String::new(),
        }
    }

    pub(super) fn elements(&self) -> &[(Option<String>, Span, Value)] {
        match &self.what {
            What::List(elements) => elements,
            _ => &[],
        }
    }

    /// `enable`, `true`, `1`; anything else is off (T_CONFIG_BOOL of configfile-glue.c).
    pub(super) fn switch(&self) -> bool {
        match &self.what {
            What::Text(text) => text == "enable" || text == "true" || text.parse::<i64>().is_ok_and(|number| number != 0),
            What::Number(number) => *number != 0,
            What::List(_) => false,
        }
    }
}

/// An assignment.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub(super) name: String,
    pub(super) value: Value,
    pub(super) at: Span,
    pub(super) via: Option<Arc<Via>>,
}

impl Entry {
    pub(super) fn origin(&self) -> Origin {
        Origin::file(self.at.clone(), self.value.span.clone(), self.via.as_ref())
    }
}

/// A condition: `$FIELD["key"] OP "text"`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Condition {
    pub(super) field: String,
    pub(super) operator: &'static str,
    pub(super) text: String,
}

/// The assignments under the same conditions.
#[derive(Clone, Debug)]
pub(super) struct Block {
    pub(super) condition: Option<Condition>,
    /// Blocks before it in the chain of `else`: it counts only where none of them does.
    pub(super) instead_of: Vec<usize>,
    pub(super) parent: Option<usize>,
    pub(super) entries: Vec<Entry>,
    /// The head of the block.
    pub(super) head: Option<Span>,
}

impl Block {
    pub(super) fn entry(&self, name: &str) -> Option<&Entry> {
        self.entries.iter().find(|entry| entry.name == name)
    }
}

/// Blocks and includes are nested no deeper.
const DEEPEST: usize = 50;
/// Blocks beyond this many are not read.
const MOST_BLOCKS: usize = 100_000;

/// Reads a file and all that it includes. The first block is the global one.
pub(super) struct Reader<'f, 'a> {
    files: &'f Files<'a>,
    base: String,
    pub(super) blocks: Vec<Block>,
    pub(super) troubles: Vec<Trouble>,
    pub(super) read: Vec<String>,
    includes: Includes,
    /// Assignments and elements copied so far: `x = x + x` must not grow for ever.
    copied: usize,
}

/// Elements copied by expressions beyond this many end the reading.
const MOST_COPIED: usize = 1_000_000;

/// Where one file is read.
struct At {
    path: Arc<str>,
    tokens: Vec<Token>,
    next: usize,
    via: Option<Arc<Via>>,
}

type Stop = (usize, String);

impl<'f, 'a> Reader<'f, 'a> {
    pub(super) fn new(files: &'f Files<'a>, main: &str) -> Reader<'f, 'a> {
        let global = Block { condition: None, instead_of: Vec::new(), parent: None, entries: Vec::new(), head: None };
        let base = directory_of(main).to_owned();
        let includes = Includes::default();
        Reader { files, base, blocks: vec![global], troubles: Vec::new(), read: Vec::new(), includes, copied: 0 }
    }

    pub(super) fn file(&mut self, path: &str, block: usize, via: Option<Arc<Via>>) {
        let at = via.as_ref().map(|via| via.at.clone());
        let fatal = |says: String| Trouble { at: at.clone(), says, fatal: true };
        let bytes = match self.includes.look(self.files, path) {
            Content::Bytes(bytes) => bytes,
            Content::Asked => return,
            Content::Missing => return self.troubles.push(fatal(format!("{path} does not exist: lighttpd does not start"))),
            Content::Directory(_) => return self.troubles.push(fatal(format!("{path} is a directory"))),
            Content::Unreadable(why) => {
                return self.troubles.push(Trouble { at, says: format!("{path}: {why}"), fatal: false });
            }
        };
        let shared = self.files.path(path);
        let around = std::iter::successors(via.as_ref(), |via| via.via.as_ref()).any(|via| via.at.path == shared);
        if around || Via::depth(via.as_ref()) > DEEPEST {
            return self.troubles.push(fatal(format!("{path} includes itself")));
        }
        if !self.read.iter().any(|read| **read == *shared) {
            self.read.push(shared.to_string());
        }
        let (tokens, wrong) = tokens::tokens(bytes);
        let mut at = At { path: shared.clone(), tokens, next: 0, via };
        let stop = self.statements(&mut at, block, 0).err().or(wrong.map(|(at, why)| (at, why.to_owned())));
        if let Some((start, why)) = stop {
            let span = Span { path: shared, start, end: (start + 1).min(bytes.len()).max(start) };
            self.troubles.push(Trouble { at: Some(span), says: format!("lighttpd does not read this: {why}"), fatal: true });
        }
    }

    fn statements(&mut self, at: &mut At, block: usize, depth: usize) -> Result<(), Stop> {
        // The chain of conditions that an `else` continues.
        let mut chain: Vec<usize> = Vec::new();
        if depth > DEEPEST {
            return Err((at.offset(), "the blocks are nested too deeply".to_owned()));
        }
        loop {
            match at.peek() {
                None => return Ok(()),
                Some(Kind::LineEnd) => at.next += 1,
                Some(Kind::Sign("}")) if depth > 0 => {
                    at.next += 1;
                    return Ok(());
                }
                Some(Kind::Sign("$")) => {
                    chain = vec![self.condition(at, block, Vec::new(), depth)?];
                }
                Some(Kind::Name(name)) if name == "else" => {
                    at.next += 1;
                    if chain.is_empty() {
                        return Err((at.offset(), "there is no condition before `else`".to_owned()));
                    }
                    let one = match at.peek() {
                        Some(Kind::Sign("{")) => {
                            let head = at.span(at.next - 1, at.next - 1);
                            at.next += 1;
                            let new = self.open(block, None, chain.clone(), head);
                            self.statements(at, new, depth + 1)?;
                            new
                        }
                        _ => self.condition(at, block, chain.clone(), depth)?,
                    };
                    chain.push(one);
                }
                Some(Kind::Name(name)) if name == "global" => {
                    at.next += 1;
                    at.expect("{")?;
                    self.statements(at, 0, depth + 1)?;
                }
                Some(Kind::Name(name)) if name == "include" || name == "include_shell" => {
                    self.include(at, block, name == "include")?
                }
                Some(Kind::Name(_)) => self.assignment(at, block)?,
                Some(_) => return Err((at.offset(), "a name of a setting is expected".to_owned())),
            }
        }
    }

    /// `$HTTP["host"] == "a" { … }`; the number of its block.
    fn condition(&mut self, at: &mut At, block: usize, instead_of: Vec<usize>, depth: usize) -> Result<usize, Stop> {
        let first = at.next;
        at.expect("$")?;
        let Some(Kind::Name(field)) = at.take() else { return Err((at.offset(), "a field is expected".to_owned())) };
        at.expect("[")?;
        let Some(Kind::Text(key)) = at.take() else { return Err((at.offset(), "a quoted name is expected".to_owned())) };
        at.expect("]")?;
        let operator = match at.take() {
            Some(Kind::Sign(sign @ ("==" | "!=" | "=~" | "!~" | "=^" | "=$"))) => sign,
            _ => return Err((at.offset(), "a comparison is expected".to_owned())),
        };
        let value = self.expression(at, block, depth)?;
        let head = at.span(first, at.next.saturating_sub(1));
        at.expect("{")?;
        let condition = Condition { field: format!("{field}[{key}]"), operator, text: value.text() };
        let new = self.open(block, Some(condition), instead_of, head);
        self.statements(at, new, depth + 1)?;
        Ok(new)
    }

    /// The block of a condition: the same condition twice is one block.
    fn open(&mut self, parent: usize, condition: Option<Condition>, instead_of: Vec<usize>, head: Span) -> usize {
        let same = |block: &Block| {
            block.parent == Some(parent) && block.condition == condition && block.instead_of.is_empty() && instead_of.is_empty()
        };
        // Only few blocks are looked through: to find every repetition would take the square of their number.
        let from = self.blocks.len().saturating_sub(2000);
        let found = self.blocks.iter().skip(from).position(same).filter(|_| condition.is_some());
        if let Some(found) = found {
            return from + found;
        }
        if self.blocks.len() > MOST_BLOCKS {
            return self.blocks.len() - 1;
        }
        self.blocks.push(Block { condition, instead_of, parent: Some(parent), entries: Vec::new(), head: Some(head) });
        self.blocks.len() - 1
    }

    fn include(&mut self, at: &mut At, block: usize, file: bool) -> Result<(), Stop> {
        let first = at.next;
        at.next += 1;
        let value = self.expression(at, block, 0)?;
        let span = at.span(first, at.next.saturating_sub(1));
        if !file {
            let says = format!("what `{}` would write cannot be known: it is not run", value.text());
            self.troubles.push(Trouble { at: Some(span), says, fatal: false });
            return Ok(());
        }
        let pattern = relative_to(&self.base, &value.text());
        let via = Arc::new(Via { at: span, via: at.via.clone() });
        let several = has_wildcard(&pattern);
        for path in self.files.glob(&pattern) {
            // A wildcard may fit what is no file.
            if several && matches!(self.files.look(&path), Content::Directory(_)) {
                continue;
            }
            self.file(&normal(&path), block, Some(via.clone()));
        }
        Ok(())
    }

    fn assignment(&mut self, at: &mut At, block: usize) -> Result<(), Stop> {
        let first = at.next;
        let Some(Kind::Name(name)) = at.take() else { return Err((at.offset(), "a name is expected".to_owned())) };
        let name = qualified(name);
        let operator = match at.take() {
            Some(Kind::Sign(sign @ ("=" | "+=" | ":="))) => sign,
            _ => return Err((at.offset(), format!("`{name}` has no value"))),
        };
        let value = self.expression(at, block, 0)?;
        let span = at.span(first, at.next.saturating_sub(1));
        let old = match operator {
            "+=" => self.variable(block, &name),
            _ => None,
        };
        let value = match old {
            Some(old) => {
                let value = self.joined(old, value, at)?;
                Value { span: at.span(at.next.saturating_sub(1), at.next.saturating_sub(1)), ..value }
            }
            None => value,
        };
        let entry = Entry { name: name.clone(), value, at: span.clone(), via: at.via.clone() };
        let Some(own) = self.blocks.get_mut(block) else { return Ok(()) };
        match own.entries.iter_mut().find(|entry| entry.name == name) {
            Some(_) if operator == "=" => {
                let says = format!("`{name}` is set twice in one block: lighttpd does not start");
                self.troubles.push(Trouble { at: Some(span), says, fatal: true });
            }
            Some(old) => *old = entry,
            None => own.entries.push(entry),
        }
        Ok(())
    }

    /// What a name stands for, from the block outwards.
    fn variable(&self, block: usize, name: &str) -> Option<Value> {
        let mut at = Some(block);
        for _ in 0..=DEEPEST {
            let block = self.blocks.get(at?)?;
            if let Some(entry) = block.entry(name) {
                return Some(entry.value.clone());
            }
            at = block.parent;
        }
        None
    }

    fn expression(&mut self, at: &mut At, block: usize, depth: usize) -> Result<Value, Stop> {
        let first = at.next;
        let mut value = self.value(at, block, depth)?;
        while at.peek() == Some(Kind::Sign("+")) {
            at.next += 1;
            let more = self.value(at, block, depth)?;
            value = self.joined(value, more, at)?;
        }
        value.span = at.span(first, at.next.saturating_sub(1));
        value.via.clone_from(&at.via);
        Ok(value)
    }

    /// `a + b`: texts and numbers are written one after the other, numbers added, lists joined.
    fn joined(&mut self, a: Value, b: Value, at: &At) -> Result<Value, Stop> {
        let size = |value: &Value| match &value.what {
            What::Text(text) => text.len() / 16 + 1,
            What::Number(_) => 1,
            What::List(list) => list.len() + 1,
        };
        self.copied += size(&a) + size(&b);
        if self.copied > MOST_COPIED {
            return Err((at.offset(), "values grow without end".to_owned()));
        }
        let what = match (a.what, b.what) {
            (What::Number(a), What::Number(b)) => What::Number(a.saturating_add(b)),
            (What::List(mut list), What::List(more)) => {
                for (key, span, value) in more {
                    let twice = key.is_some() && list.iter().any(|(known, ..)| *known == key);
                    if !twice {
                        list.push((key, span, value));
                    }
                }
                What::List(list)
            }
            (What::List(_), _) | (_, What::List(_)) => {
                return Err((at.offset(), "a list and a text cannot be joined".to_owned()));
            }
            (a, b) => {
                let text = |what: What| match what {
                    What::Number(number) => number.to_string(),
                    What::Text(text) => text,
                    What::List(_) => String::new(),
                };
                What::Text(text(a) + &text(b))
            }
        };
        Ok(Value { what, span: a.span, via: a.via })
    }

    fn value(&mut self, at: &mut At, block: usize, depth: usize) -> Result<Value, Stop> {
        let first = at.next;
        let what = match at.take() {
            Some(Kind::Text(text)) => What::Text(text),
            Some(Kind::Number(number)) => What::Number(number),
            Some(Kind::Sign("(")) => return self.list(at, block, first, depth + 1),
            Some(Kind::Name(name)) => {
                let name = qualified(name);
                let known = if name.starts_with("env.") { None } else { self.variable(block, &name) };
                match known {
                    Some(value) => value.what,
                    None if name == "var.PID" || name == "var.CWD" => What::Text(name),
                    None if name.starts_with("env.") => {
                        let says = format!("the value of the environment variable {name} is not known");
                        self.troubles.push(Trouble { at: Some(at.span(first, first)), says, fatal: false });
                        What::Text(format!("${{{name}}}"))
                    }
                    None => return Err((at.start(first), format!("`{name}` has no value"))),
                }
            }
            _ => return Err((at.start(first), "a value is expected".to_owned())),
        };
        Ok(Value { what, span: at.span(first, first), via: at.via.clone() })
    }

    fn list(&mut self, at: &mut At, block: usize, first: usize, depth: usize) -> Result<Value, Stop> {
        if depth > DEEPEST {
            return Err((at.offset(), "the lists are nested too deeply".to_owned()));
        }
        let mut elements: Vec<(Option<String>, Span, Value)> = Vec::new();
        let mut keys = std::collections::HashSet::new();
        loop {
            match at.peek() {
                None => return Err((at.start(first), "the list is not closed".to_owned())),
                Some(Kind::Sign(")")) => {
                    at.next += 1;
                    let span = at.span(first, at.next - 1);
                    return Ok(Value { what: What::List(elements), span, via: at.via.clone() });
                }
                Some(Kind::LineEnd | Kind::Sign(",")) => at.next += 1,
                Some(_) => {
                    let start = at.next;
                    let mut value = self.expression(at, block, depth)?;
                    let mut key = None;
                    if at.peek() == Some(Kind::Sign("=>")) {
                        at.next += 1;
                        at.skip_line_ends();
                        key = Some(value.text());
                        value = self.expression(at, block, depth)?;
                    }
                    if key.as_ref().is_some_and(|key| !keys.insert(key.clone())) {
                        return Err((at.start(start), "the same key stands twice in one list".to_owned()));
                    }
                    let span = at.span(start, at.next.saturating_sub(1));
                    elements.push((key, span, value));
                }
            }
        }
    }
}

/// Names without a dot are variables.
fn qualified(name: String) -> String {
    if name.contains('.') { name } else { format!("var.{name}") }
}

impl At {
    fn peek(&self) -> Option<Kind> {
        self.tokens.get(self.next).map(|token| token.kind.clone())
    }

    fn take(&mut self) -> Option<Kind> {
        let kind = self.peek();
        self.next += 1;
        kind
    }

    fn expect(&mut self, sign: &'static str) -> Result<(), Stop> {
        if sign == "{" {
            self.skip_line_ends();
        }
        match self.take() {
            Some(Kind::Sign(found)) if found == sign => Ok(()),
            _ => Err((self.offset(), format!("`{sign}` is expected"))),
        }
    }

    fn skip_line_ends(&mut self) {
        while self.peek() == Some(Kind::LineEnd) {
            self.next += 1;
        }
    }

    /// The byte at which the last token taken begins.
    fn offset(&self) -> usize {
        self.start(self.next.saturating_sub(1))
    }

    fn start(&self, token: usize) -> usize {
        self.tokens.get(token).or(self.tokens.last()).map_or(0, |token| token.span.start)
    }

    fn span(&self, from: usize, to: usize) -> Span {
        let end = self.tokens.get(to).or(self.tokens.last()).map_or(0, |token| token.span.end);
        let start = self.start(from);
        Span { path: self.path.clone(), start, end: end.max(start) }
    }
}
