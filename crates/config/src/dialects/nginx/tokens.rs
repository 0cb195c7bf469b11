//! The text of an nginx configuration as directives with their bytes (ngx_conf_read_token).

use std::ops::Range;

/// Deepest nesting of blocks.
const DEEPEST: usize = 64;

/// A word: its bytes as they stand (quotes included) and its value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Word {
    pub(super) span: Range<usize>,
    pub(super) value: String,
}

/// A directive, with its block if it has one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Directive {
    pub(super) words: Vec<Word>,
    /// From the name to the `;`, or to the `{`.
    pub(super) span: Range<usize>,
    pub(super) block: Option<Block>,
}

/// What stands between braces.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Block {
    pub(super) directives: Vec<Directive>,
    /// The byte after the `{`.
    pub(super) start: usize,
}

impl Directive {
    /// Its name.
    pub(super) fn name(&self) -> &str {
        self.words.first().map_or("", |word| word.value.as_str())
    }

    /// The values of its arguments.
    pub(super) fn arguments(&self) -> impl Iterator<Item = &str> {
        self.words.iter().skip(1).map(|word| word.value.as_str())
    }

    /// The bytes from the first argument to the last; empty behind the name where there is none.
    pub(super) fn value_span(&self) -> Range<usize> {
        match (self.words.get(1), self.words.last()) {
            (Some(first), Some(last)) => first.span.start..last.span.end,
            (_, Some(name)) => name.span.end..name.span.end,
            _ => self.span.clone(),
        }
    }
}

/// What keeps a text from being read, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Unreadable {
    pub(super) at: usize,
    pub(super) says: String,
}

/// The directives of a file, as far as it can be read; and where it cannot.
pub(super) fn parse(text: &[u8]) -> (Vec<Directive>, Option<Unreadable>) {
    let mut lexer = Lexer { text, at: if text.starts_with(b"\xef\xbb\xbf") { 3 } else { 0 } };
    let mut stack: Vec<Opened> = Vec::new();
    let mut directives: Vec<Directive> = Vec::new();
    let mut words: Vec<Word> = Vec::new();
    let trouble = loop {
        let token = match lexer.next() {
            Ok(Some(token)) => token,
            Ok(None) => break ends(&words, stack.last().map(|(_, head, ..)| head.start), text.len()),
            Err(trouble) => break Some(trouble),
        };
        match token {
            Token::Word(word) => words.push(word),
            Token::Semicolon(at) => {
                let Some(first) = words.first() else {
                    break Some(Unreadable { at, says: "a `;` without a directive before it".to_owned() });
                };
                let span = first.span.start..at + 1;
                directives.push(Directive { words: std::mem::take(&mut words), span, block: None });
            }
            Token::Open(at) => {
                let Some(first) = words.first() else {
                    break Some(Unreadable { at, says: "a `{` without a directive before it".to_owned() });
                };
                let head = first.span.start..at + 1;
                if first.value.ends_with("_by_lua_block") {
                    let Some(end) = lexer.past_lua() else {
                        break Some(Unreadable { at, says: "the Lua block has no end".to_owned() });
                    };
                    directives.push(Directive { words: std::mem::take(&mut words), span: head.start..end, block: None });
                    continue;
                }
                if stack.len() >= DEEPEST {
                    break Some(Unreadable { at, says: format!("blocks lie more than {DEEPEST} deep") });
                }
                stack.push((std::mem::take(&mut words), head, at + 1, std::mem::take(&mut directives)));
            }
            Token::Close(at) => {
                if let Some(word) = words.first() {
                    break Some(Unreadable { at, says: format!("`{}` does not end with a `;`", word.value) });
                }
                let Some((head_words, head, start, outer)) = stack.pop() else {
                    break Some(Unreadable { at, says: "a `}` too many".to_owned() });
                };
                let inner = std::mem::replace(&mut directives, outer);
                let block = Some(Block { directives: inner, start });
                directives.push(Directive { words: head_words, span: head, block });
            }
        }
    };
    // What is open at the end is kept as far as it goes.
    while let Some((head_words, head, start, outer)) = stack.pop() {
        let inner = std::mem::replace(&mut directives, outer);
        directives.push(Directive { words: head_words, span: head, block: Some(Block { directives: inner, start }) });
    }
    (directives, trouble)
}

fn ends(words: &[Word], open: Option<usize>, end: usize) -> Option<Unreadable> {
    match (words.first(), open) {
        (Some(word), _) => {
            Some(Unreadable { at: word.span.start, says: format!("`{}` has neither `;` nor a block", word.value) })
        }
        (None, Some(open)) => Some(Unreadable { at: open.min(end), says: "this block has no `}`".to_owned() }),
        (None, None) => None,
    }
}

/// A block that is open: the words and the bytes of its head, where it begins, and the directives before it.
type Opened = (Vec<Word>, Range<usize>, usize, Vec<Directive>);

enum Token {
    Word(Word),
    Semicolon(usize),
    Open(usize),
    Close(usize),
}

struct Lexer<'t> {
    text: &'t [u8],
    at: usize,
}

impl Lexer<'_> {
    fn peek(&self) -> Option<u8> {
        self.text.get(self.at).copied()
    }

    fn next(&mut self) -> Result<Option<Token>, Unreadable> {
        loop {
            match self.peek() {
                None => return Ok(None),
                Some(b' ' | b'\t' | b'\r' | b'\n') => self.at += 1,
                Some(b'#') => {
                    let rest = self.text.get(self.at..).unwrap_or_default();
                    self.at += rest.iter().position(|byte| *byte == b'\n').unwrap_or(rest.len());
                }
                Some(b';') => return Ok(Some(Token::Semicolon(self.step()))),
                Some(b'{') => return Ok(Some(Token::Open(self.step()))),
                Some(b'}') => return Ok(Some(Token::Close(self.step()))),
                Some(quote @ (b'"' | b'\'')) => return self.quoted(quote).map(|word| Some(Token::Word(word))),
                Some(_) => return Ok(Some(Token::Word(self.bare()))),
            }
        }
    }

    fn step(&mut self) -> usize {
        self.at += 1;
        self.at - 1
    }

    fn quoted(&mut self, quote: u8) -> Result<Word, Unreadable> {
        let start = self.step();
        let mut value = Vec::new();
        loop {
            match self.peek() {
                None => return Err(Unreadable { at: start, says: "the quotes that open here do not close".to_owned() }),
                Some(b'\\') => self.escape(&mut value),
                Some(byte) if byte == quote => break,
                Some(byte) => {
                    value.push(byte);
                    self.at += 1;
                }
            }
        }
        self.at += 1;
        match self.peek() {
            None | Some(b' ' | b'\t' | b'\r' | b'\n' | b';' | b'{' | b')') => {}
            Some(_) => {
                return Err(Unreadable {
                    at: self.at,
                    says: "something follows the closing quotes without a blank".to_owned(),
                });
            }
        }
        Ok(Word { span: start..self.at, value: String::from_utf8_lossy(&value).into_owned() })
    }

    fn bare(&mut self) -> Word {
        let start = self.at;
        let mut value = Vec::new();
        while let Some(byte) = self.peek() {
            match byte {
                b' ' | b'\t' | b'\r' | b'\n' | b';' => break,
                // `${name}` is part of the word.
                b'{' if value.last() == Some(&b'$') => {}
                b'{' => break,
                b'\\' => {
                    self.escape(&mut value);
                    continue;
                }
                _ => {}
            }
            value.push(byte);
            self.at += 1;
        }
        Word { span: start..self.at, value: String::from_utf8_lossy(&value).into_owned() }
    }

    /// A backslash: before quotes and itself it is left out, before `t`, `r`, `n` it stands for the control character, else it stays.
    fn escape(&mut self, value: &mut Vec<u8>) {
        let next = self.text.get(self.at + 1).copied();
        match next {
            Some(byte @ (b'"' | b'\'' | b'\\')) => value.push(byte),
            Some(b't') => value.push(b'\t'),
            Some(b'r') => value.push(b'\r'),
            Some(b'n') => value.push(b'\n'),
            Some(byte) => value.extend([b'\\', byte]),
            None => value.push(b'\\'),
        }
        self.at += 1 + usize::from(next.is_some());
    }

    /// Past a Lua block whose `{` was read: braces in strings and comments do not count.
    fn past_lua(&mut self) -> Option<usize> {
        let mut depth = 1_usize;
        while let Some(byte) = self.peek() {
            match byte {
                b'{' => depth += 1,
                b'}' => depth -= 1,
                b'"' | b'\'' => {
                    self.at += 1;
                    while self.peek().is_some_and(|inner| inner != byte && inner != b'\n') {
                        self.at += 1 + usize::from(self.peek() == Some(b'\\'));
                    }
                }
                b'-' if self.text.get(self.at + 1) == Some(&b'-') => {
                    while self.peek().is_some_and(|inner| inner != b'\n') {
                        self.at += 1;
                    }
                    continue;
                }
                _ => {}
            }
            self.at += 1;
            if depth == 0 {
                return Some(self.at);
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<Vec<String>> {
        fn all(directives: &[Directive], found: &mut Vec<Vec<String>>) {
            for directive in directives {
                found.push(directive.words.iter().map(|word| word.value.clone()).collect());
                if let Some(block) = &directive.block {
                    all(&block.directives, found);
                }
            }
        }
        let (directives, trouble) = parse(text.as_bytes());
        assert_eq!(trouble, None, "{text}");
        let mut found = Vec::new();
        all(&directives, &mut found);
        found
    }

    #[test]
    fn words_end_where_nginx_ends_them() {
        assert_eq!(
            words("a \"b c\" 'd;e' f\\ g ${h}i; # j\nk { l\"m\" n; }"),
            [vec!["a", "b c", "d;e", "f\\ g", "${h}i"], vec!["k"], vec!["l\"m\"", "n"]]
        );
        assert_eq!(words("x_by_lua_block { local a = {\"}\"} -- }\n } y;"), [vec!["x_by_lua_block"], vec!["y"]]);
    }

    #[test]
    fn what_cannot_be_read_is_named_and_the_rest_is_kept() {
        let (directives, trouble) = parse(b"a b; c {\n d e;");
        assert_eq!(directives.len(), 2);
        assert_eq!(trouble.map(|trouble| trouble.at), Some(5));
        for text in [&b"a"[..], b"}", b"a \"b", b";", b"{", b"a \"b\"c;", b"a { b }"] {
            assert!(parse(text).1.is_some(), "{}", String::from_utf8_lossy(text));
        }
    }
}
