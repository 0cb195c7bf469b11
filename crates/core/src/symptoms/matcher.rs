//! Which rows of the tables a line has. One automaton looks for all words and for the literals of all patterns at once, so that
//! a line that has none of them costs next to nothing; only then is a pattern tried.

use std::ops::Range;
use std::sync::LazyLock;

use aho_corasick::{AhoCorasick, AhoCorasickKind};
use regex::bytes::{Regex, RegexBuilder};

use crate::knowledge::symptoms::tables;

/// Hits of one line that are looked at; no honest line has more.
const MOST_HITS: usize = 64;
/// The largest automaton that a pattern may become, in bytes.
const LARGEST_PATTERN: usize = 1 << 20;

/// A row of a table, by its place there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Row {
    Saying(usize),
    Code(usize),
    Clue(usize),
    End(usize),
    Peer(usize),
}

/// A row that a line has, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Hit {
    pub(super) row: Row,
    pub(super) span: Range<usize>,
    /// The groups `alert`, `code` or `host`.
    pub(super) group: Option<Range<usize>>,
    /// The group `port`.
    pub(super) port: Option<Range<usize>>,
}

/// What finding a literal means.
enum Literal {
    /// The row is there, if the literal stands as a word.
    Row(Row),
    /// The pattern is worth a try.
    Pattern(usize),
}

/// All tables, ready to look for.
pub(super) struct Matcher {
    automaton: Option<AhoCorasick>,
    literals: Vec<Literal>,
    patterns: Vec<(Regex, Row)>,
}

/// The matcher for the tables, made once.
pub(super) fn matcher() -> &'static Matcher {
    static MATCHER: LazyLock<Matcher> = LazyLock::new(Matcher::new);
    &MATCHER
}

impl Matcher {
    fn new() -> Matcher {
        let tables = tables();
        let mut words: Vec<String> = Vec::new();
        let mut matcher = Matcher { automaton: None, literals: Vec::new(), patterns: Vec::new() };
        let sayings = tables.sayings.iter().enumerate().map(|(at, row)| (Row::Saying(at), &row.matching));
        let codes = tables.codes.iter().enumerate().map(|(at, row)| (Row::Code(at), &row.matching));
        let clues = tables.clues.iter().enumerate().map(|(at, row)| (Row::Clue(at), &row.matching));
        let ends = tables.ends.iter().enumerate().map(|(at, row)| (Row::End(at), &row.matching));
        let peers = tables.peers.iter().enumerate().map(|(at, row)| (Row::Peer(at), &row.matching));
        for (row, matching) in sayings.chain(codes).chain(clues).chain(ends).chain(peers) {
            for word in &matching.words {
                words.push(word.clone());
                matcher.literals.push(Literal::Row(row));
                if word.contains('\'') {
                    words.push(word.replace('\'', "\u{2019}"));
                    matcher.literals.push(Literal::Row(row));
                }
            }
            let Some((pattern, keys)) = &matching.pattern else { continue };
            let Ok(regex) = compile(pattern) else { continue };
            for key in keys {
                words.push(key.clone());
                matcher.literals.push(Literal::Pattern(matcher.patterns.len()));
            }
            matcher.patterns.push((regex, row));
        }
        // A test builds it; without it nothing is recognised.
        matcher.automaton = AhoCorasick::builder().kind(Some(AhoCorasickKind::DFA)).build(words).ok();
        matcher
    }

    /// Every row that the line has, given as it is and folded; `hits` is emptied first.
    pub(super) fn find(&self, line: &[u8], folded: &[u8], hits: &mut Vec<Hit>) {
        hits.clear();
        let Some(automaton) = &self.automaton else { return };
        let mut tried: Vec<usize> = Vec::new();
        for found in automaton.find_overlapping_iter(folded) {
            if hits.len() >= MOST_HITS {
                return;
            }
            match self.literals.get(found.pattern().as_usize()) {
                Some(Literal::Row(row)) if is_word(folded, found.range()) => {
                    hits.push(Hit { row: *row, span: found.range(), group: None, port: None });
                }
                Some(Literal::Pattern(pattern)) if !tried.contains(pattern) => {
                    tried.push(*pattern);
                    self.attempt(*pattern, line, folded, hits);
                }
                Some(_) | None => {}
            }
        }
    }

    fn attempt(&self, pattern: usize, line: &[u8], folded: &[u8], hits: &mut Vec<Hit>) {
        let Some((regex, row)) = self.patterns.get(pattern) else { return };
        // In a name a hyphen counts.
        let text = if matches!(row, Row::Peer(_)) { line } else { folded };
        for captures in regex.captures_iter(text).take(4) {
            let group = |name: &str| captures.name(name).map(|group| group.range());
            hits.push(Hit {
                row: *row,
                span: captures.get(0).map(|whole| whole.range()).unwrap_or_default(),
                group: group("alert").or_else(|| group("code")).or_else(|| group("host")),
                port: group("port"),
            });
        }
    }
}

/// A pattern of the tables: plain bytes in any case, bounded in size.
fn compile(pattern: &str) -> Result<Regex, regex::Error> {
    RegexBuilder::new(pattern).unicode(false).case_insensitive(true).size_limit(LARGEST_PATTERN).build()
}

/// Whether no letter or digit continues the words at either side.
fn is_word(line: &[u8], span: Range<usize>) -> bool {
    let letter = |at: Option<usize>| at.and_then(|at| line.get(at)).is_some_and(u8::is_ascii_alphanumeric);
    let begins = !letter(Some(span.start)) || !letter(span.start.checked_sub(1));
    begins && (!letter(span.end.checked_sub(1)) || !letter(Some(span.end)))
}

/// Problems of a row, for the test of the tables.
#[cfg(test)]
pub(super) fn problems(matching: &crate::knowledge::symptoms::Matching) -> Vec<String> {
    let mut problems = Vec::new();
    let folded = |text: &str| {
        let mut folded = Vec::new();
        crate::knowledge::symptoms::fold(text.as_bytes(), &mut folded);
        folded
    };
    problems
        .extend(matching.words.iter().filter(|word| folded(word) != word.as_bytes()).map(|word| format!("not folded: {word}")));
    let Some((pattern, keys)) = &matching.pattern else {
        if matching.words.is_empty() {
            problems.push("neither words nor a pattern".to_owned());
        }
        return problems;
    };
    let plain = matching.example.as_deref().unwrap_or_default();
    let example = folded(plain);
    match compile(pattern) {
        Err(error) => problems.push(format!("{pattern}: {error}")),
        Ok(regex) if !regex.is_match(&example) && !regex.is_match(plain.as_bytes()) => {
            problems.push(format!("{pattern} does not match its example"))
        }
        Ok(_) => {}
    }
    let has = |key: &String| example.windows(key.len().max(1)).any(|part| part == key.as_bytes());
    if !keys.iter().any(has) {
        problems.push(format!("no key of {pattern} stands in its example"));
    }
    problems
}
