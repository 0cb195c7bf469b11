//! What a text has shown so far: symptoms with their counts, and the clues that stand near them.

use std::collections::BTreeMap;
use std::ops::Range;

use tlswhy_model::NamedPeer;

use super::matcher::{Hit, Row, matcher};
use super::peer;
use crate::knowledge::symptoms::{Code, End, Rank, Saying, Speaker, fold, tables};

/// In a text that is more than one story, clues count for the symptoms at most so many lines away.
const NEAR: u64 = 60;
/// A text of so many lines at most can be one story.
const LONGEST_STORY: u64 = 4 * NEAR;
/// Bytes of a line that are kept of its first symptom.
const EXCERPT: usize = 300;
/// Words of which a line that is about TLS has one, folded.
const ABOUT_TLS: &[&[u8]] = &[b"tls", b"ssl", b"https", b"handshak", b"certificate", b"x509", b"cipher", b":443"];

/// What makes symptoms the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Key {
    /// Place of the meaning.
    pub(super) meaning: usize,
    pub(super) speaker: Speaker,
    /// Which end wrote it, where the line tells.
    pub(super) end: Option<End>,
}

/// A message and how often it came.
#[derive(Clone, Debug)]
pub(super) struct Seen {
    /// Place in the tables of the row that recognised it first.
    pub(super) from: String,
    pub(super) text: Vec<u8>,
    pub(super) first_line: u64,
    pub(super) last_line: u64,
    pub(super) count: u64,
    /// Lines that would count in a long log too.
    pub(super) sure: u64,
    /// Causes of which the text shows the fact itself.
    pub(super) shows: Option<String>,
    /// Clues nearby: place in the table, and the line.
    pub(super) clues: BTreeMap<usize, u64>,
}

/// Everything seen.
#[derive(Default)]
pub(super) struct Gathered {
    pub(super) symptoms: BTreeMap<Key, Seen>,
    /// Line at which each clue stood last.
    clues: BTreeMap<usize, u64>,
    /// Ends that some line is of.
    pub(super) ends: [bool; 2],
    pub(super) peer: Option<NamedPeer>,
    /// Lines, and those of them that go on with the one before: they are indented, as in a trace of calls.
    lines: u64,
    continuations: u64,
    /// Buffers that every line uses again.
    folded: Vec<u8>,
    hits: Vec<Hit>,
}

/// A message of one line.
struct Message<'a> {
    meaning: usize,
    saying: Option<&'a Saying>,
    from: &'a str,
    speaker: Speaker,
    end: Option<End>,
    span: Range<usize>,
    /// A number says it, and a row that knows this very number is better.
    by_number: bool,
}

impl Gathered {
    /// Takes a line.
    pub(super) fn line(&mut self, number: u64, line: &[u8]) {
        self.lines = number;
        let indented = line.first().is_some_and(u8::is_ascii_whitespace);
        self.continuations = self.continuations.saturating_add(u64::from(indented));
        let mut folded = std::mem::take(&mut self.folded);
        let mut hits = std::mem::take(&mut self.hits);
        fold(line, &mut folded);
        matcher().find(line, &folded, &mut hits);
        if !hits.is_empty() {
            self.take(number, line, &folded, &hits);
        }
        (self.folded, self.hits) = (folded, hits);
    }

    /// Whether the text is one story, in which everything belongs together, however long its traces of calls are.
    pub(super) fn is_one_story(&self) -> bool {
        self.lines <= LONGEST_STORY && self.lines.saturating_sub(self.continuations) <= NEAR
    }

    fn take(&mut self, number: u64, line: &[u8], folded: &[u8], hits: &[Hit]) {
        let tables = tables();
        let marked = |wanted| move |hit: &Hit| matches!(hit.row, Row::End(at) if tables.ends.get(at).is_some_and(|mark| mark.end == wanted));
        let (client, server) = (hits.iter().any(marked(End::Client)), hits.iter().any(marked(End::Server)));
        let line_end = match (client, server) {
            (true, false) => Some(End::Client),
            (false, true) => Some(End::Server),
            _ => None,
        };
        self.ends = [self.ends[0] || client, self.ends[1] || server];
        for hit in hits {
            match hit.row {
                Row::Clue(clue) => self.clue(clue, number),
                Row::Peer(at) if self.peer.is_none() => {
                    self.peer = tables.peers.get(at).and_then(|row| peer::named(row, hit, line))
                }
                _ => {}
            }
        }
        let messages: Vec<Message<'_>> = hits.iter().filter_map(|hit| message(hit, folded)).collect();
        // Words within other words that tell at least as much: `self-signed certificate` in `… in certificate chain`.
        let is_part = |message: &&Message<'_>| {
            messages.iter().any(|other| {
                other.meaning != message.meaning
                    && rank(other.meaning) >= rank(message.meaning)
                    && (other.span.len() > message.span.len() || message.by_number && !other.by_number)
                    && other.span.start <= message.span.start
                    && other.span.end >= message.span.end
            })
        };
        let mut taken: Vec<Key> = Vec::new();
        for message in messages.iter().filter(|message| !is_part(message)) {
            let key = Key { meaning: message.meaning, speaker: message.speaker, end: message.end.or(line_end) };
            let about_tls =
                message.saying.is_none_or(|saying| !saying.about_tls) || ABOUT_TLS.iter().any(|word| contains(folded, word));
            let again = taken.contains(&key);
            taken.push(key);
            self.symptom(key, message, number, line, about_tls, again);
        }
    }

    /// A clue concerns every symptom near it, before and after.
    fn clue(&mut self, clue: usize, number: u64) {
        self.clues.insert(clue, number);
        for seen in self.symptoms.values_mut().filter(|seen| number.saturating_sub(seen.last_line) <= NEAR) {
            seen.clues.entry(clue).or_insert(number);
        }
    }

    fn symptom(&mut self, key: Key, message: &Message<'_>, number: u64, line: &[u8], about_tls: bool, again: bool) {
        let seen = self.symptoms.entry(key).or_insert_with(|| Seen {
            from: message.from.to_owned(),
            text: excerpt(line, &message.span),
            first_line: number,
            last_line: number,
            count: 0,
            sure: 0,
            shows: None,
            clues: BTreeMap::new(),
        });
        seen.last_line = number;
        if !again {
            seen.count = seen.count.saturating_add(1);
            seen.sure = seen.sure.saturating_add(u64::from(about_tls));
        }
        if let Some(shows) = message.saying.and_then(|saying| saying.shows.as_ref()) {
            seen.shows.get_or_insert_with(|| shows.clone());
        }
        for (clue, line) in self.clues.iter().filter(|(_, line)| number.saturating_sub(**line) <= NEAR) {
            seen.clues.entry(*clue).or_insert(*line);
        }
    }
}

/// What a hit means, if anything.
fn message<'a>(hit: &Hit, folded: &[u8]) -> Option<Message<'a>> {
    let tables = tables();
    let group = || hit.group.clone().and_then(|group| folded.get(group)).unwrap_or_default();
    let (saying, meaning, from, speaker) = match hit.row {
        Row::Saying(at) => {
            let saying = tables.sayings.get(at)?;
            let meaning = match saying.meaning {
                Some(meaning) => meaning,
                None => alert_of_words(group())?,
            };
            (Some(saying), meaning, saying.from.as_str(), saying.speaker)
        }
        Row::Code(at) => {
            let code: &Code = tables.codes.get(at)?;
            let digits = std::str::from_utf8(group()).ok()?;
            match tables.numbers.get(&(at, digits.to_owned())).and_then(|saying| tables.sayings.get(*saying)) {
                Some(saying) => (Some(saying), saying.meaning?, saying.from.as_str(), saying.speaker),
                None => (None, alert_of_code(code, digits)?, code.from.as_str(), Speaker::Peer),
            }
        }
        Row::Clue(_) | Row::End(_) | Row::Peer(_) => return None,
    };
    let by_number = matches!(hit.row, Row::Code(_));
    Some(Message {
        meaning,
        saying,
        from,
        speaker,
        end: saying.and_then(|saying| saying.end),
        span: hit.span.clone(),
        by_number,
    })
}

/// The alert that words or a number begin with: `handshake failure`, `40`.
fn alert_of_words(text: &[u8]) -> Option<usize> {
    let text = text.trim_ascii_start();
    let digits = text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let number = || std::str::from_utf8(text.get(..digits)?).ok()?.parse::<u8>().ok();
    let by_number = number().and_then(|number| tables().alerts.iter().find(|alert| alert.number == number));
    let by_words = || {
        let begins = |word: &&String| {
            text.strip_prefix(word.as_bytes()).is_some_and(|rest| !rest.first().is_some_and(u8::is_ascii_alphanumeric))
        };
        let longest = |words: &[String]| words.iter().filter(begins).map(String::len).max();
        tables()
            .alerts
            .iter()
            .filter_map(|alert| Some((longest(&alert.words)?, alert)))
            .max_by_key(|(length, _)| *length)
            .map(|(_, alert)| alert)
    };
    by_number.or_else(by_words).map(|alert| alert.meaning)
}

/// The alert that a number beyond those of a library's own reasons is.
fn alert_of_code(code: &Code, digits: &str) -> Option<usize> {
    let number = u32::from_str_radix(digits, code.radix).ok()?.checked_sub(code.alerts_from?)?;
    tables().alerts.iter().find(|alert| u32::from(alert.number) == number).map(|alert| alert.meaning)
}

/// The part of a line that is worth keeping: the words, and what stands around them.
fn excerpt(line: &[u8], span: &Range<usize>) -> Vec<u8> {
    let start = match line.len() > EXCERPT {
        true => span.start.saturating_sub(EXCERPT / 4),
        false => 0,
    };
    let rest = line.get(start..).unwrap_or_default();
    rest.get(..EXCERPT).unwrap_or(rest).trim_ascii().to_vec()
}

fn contains(line: &[u8], word: &[u8]) -> bool {
    line.windows(word.len()).any(|part| part == word)
}

/// How much a meaning, by its place, tells.
pub(super) fn rank(meaning: usize) -> Rank {
    tables().meanings.get(meaning).map_or(Rank::Frame, |meaning| meaning.rank)
}
