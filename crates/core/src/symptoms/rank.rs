//! Which causes fit a text best, and why. The order is total: by weight, then by code; nothing depends on how the text came.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use tlswhy_model::{
    Confidence, FORMAT_VERSION, Party, SYMPTOMS_FORMAT, SuspectedCause, Symptom, SymptomReport, TextInput, TextSpeaker, Tool,
    printable,
};

use super::gathered::{Gathered, Key, Seen, rank};
use super::lines::Lines;
use super::peer;
use crate::causes::CAUSES;
use crate::knowledge::symptoms::{End, Meaning, Rank, Speaker, tables};

/// Symptoms that are told.
const MOST_SYMPTOMS: usize = 24;
/// Causes that are told.
const MOST_CAUSES: usize = 6;
/// Reasons that are told of one cause.
const MOST_REASONS: usize = 3;
/// A cause with less than this part of the leading one's weight is left out.
const LEAST_PART: u64 = 25;
/// The whole of a weight; a third of it is a number, too.
const WHOLE: u64 = 3;
/// Characters of a message that are told.
const TEXT: usize = 300;

/// A symptom that counts.
struct Counted<'a> {
    seen: &'a Seen,
    meaning: &'static Meaning,
    speaker: Speaker,
    end: Option<End>,
    /// Weight of each cause here.
    weights: BTreeMap<&'static str, u64>,
}

/// The document.
pub(super) fn report(gathered: &Gathered, lines: &Lines) -> SymptomReport {
    let symptoms = counted(gathered, gathered.is_one_story());
    let causes = causes(&symptoms);
    let end = symptoms.first().and_then(|symptom| symptom.end);
    let next = peer::next(causes.first().map(|cause| cause.cause.as_str()), end, gathered.peer.as_ref());
    SymptomReport {
        format: SYMPTOMS_FORMAT.to_owned(),
        format_version: FORMAT_VERSION.to_owned(),
        tool: Tool { name: "tlswhy".to_owned(), version: env!("CARGO_PKG_VERSION").to_owned() },
        input: TextInput { lines: lines.number, bytes: lines.bytes, cut_lines: lines.cut },
        subject: gathered.peer.clone(),
        summary: summary(&symptoms, &causes),
        symptoms: symptoms.iter().take(MOST_SYMPTOMS).map(shown).collect(),
        causes,
        next,
    }
}

/// The symptoms that count, the most telling first. In one story the end that all lines are of is that of the lines that do
/// not tell; in a log only lines about TLS count.
fn counted(gathered: &Gathered, one_story: bool) -> Vec<Counted<'_>> {
    let story_end = match gathered.ends {
        [true, false] if one_story => Some(End::Client),
        [false, true] if one_story => Some(End::Server),
        _ => None,
    };
    let counts = |(_, seen): &(&Key, &Seen)| one_story || seen.sure > 0;
    let mut sorted: Vec<(&Key, &Seen)> = gathered.symptoms.iter().filter(counts).collect();
    sorted.sort_by_key(|(key, seen)| (Reverse(rank(key.meaning)), seen.first_line, **key));
    let tells = sorted.iter().any(|(key, _)| rank(key.meaning) > Rank::Frame);
    let told = sorted.into_iter().filter(|(key, _)| !tells || rank(key.meaning) > Rank::Frame);
    told.filter_map(|(key, seen)| {
        let meaning = tables().meanings.get(key.meaning)?;
        let end = key.end.or(story_end);
        Some(Counted { seen, meaning, speaker: key.speaker, end, weights: weights(meaning, end, seen) })
    })
    .collect()
}

/// What a symptom and the clues near it give each cause, in parts of [`WHOLE`]. Where nobody knows which end wrote it, a client is taken for twice as likely.
fn weights(meaning: &'static Meaning, end: Option<End>, seen: &Seen) -> BTreeMap<&'static str, u64> {
    let (as_client, as_server) = match end {
        _ if meaning.at_server.is_empty() => (WHOLE, 0),
        Some(End::Client) => (WHOLE, 0),
        Some(End::Server) => (0, WHOLE),
        None => (WHOLE - WHOLE / 3, WHOLE / 3),
    };
    let clues =
        seen.clues.keys().filter_map(|clue| tables().clues.get(*clue)).filter(|clue| clue.concerns.contains(&meaning.kind));
    let mut weights = BTreeMap::new();
    let parts = [(&meaning.causes, as_client), (&meaning.at_server, as_server)];
    for (causes, part) in parts.into_iter().chain(clues.map(|clue| (&clue.adds, WHOLE))).filter(|(_, part)| *part > 0) {
        for (cause, weight) in causes {
            let sum: &mut u64 = weights.entry(cause.as_str()).or_default();
            *sum = sum.saturating_add(u64::from(*weight).saturating_mul(part));
        }
    }
    weights
}

/// How much a symptom counts beside others: each rank far more than the one below, and often more than once.
fn importance(symptom: &Counted<'_>) -> u64 {
    let rank = match symptom.meaning.rank {
        Rank::Frame => 1,
        Rank::Vague => 4,
        Rank::Telling => 16,
        Rank::Exact => 64,
    };
    rank * (4 + u64::from(symptom.seen.count.max(1).ilog2()))
}

fn causes(symptoms: &[Counted<'_>]) -> Vec<SuspectedCause> {
    let mut sums: BTreeMap<&'static str, u64> = BTreeMap::new();
    for symptom in symptoms {
        for (cause, weight) in &symptom.weights {
            let sum = sums.entry(cause).or_default();
            *sum = sum.saturating_add(weight.saturating_mul(importance(symptom)));
        }
    }
    let mut sorted: Vec<(&'static str, u64)> = sums.into_iter().collect();
    sorted.sort_by_key(|(cause, sum)| (Reverse(*sum), *cause));
    let first = sorted.first().map_or(0, |(_, sum)| *sum);
    sorted
        .into_iter()
        .take(MOST_CAUSES)
        .filter(|(_, sum)| sum.saturating_mul(LEAST_PART) >= first)
        .map(|(cause, _)| cause_in_words(cause, symptoms))
        .collect()
}

fn cause_in_words(code: &'static str, symptoms: &[Counted<'_>]) -> SuspectedCause {
    let known = CAUSES.iter().find(|cause| cause.code == code).map(|cause| (cause.family, cause.sentence()));
    let (family, title) = known.unwrap_or_default();
    let shown = symptoms.iter().any(|symptom| shows(symptom, code));
    SuspectedCause {
        cause: code.to_owned(),
        family: family.to_owned(),
        confidence: if shown { Confidence::Observed } else { Confidence::Suspected },
        title: title.to_owned(),
        because: because(code, symptoms),
    }
}

/// Whether the text shows the very fact.
fn shows(symptom: &Counted<'_>, code: &str) -> bool {
    let clue_shows = |clue: &usize| {
        let clue = tables().clues.get(*clue).filter(|clue| clue.concerns.contains(&symptom.meaning.kind));
        clue.and_then(|clue| clue.shows.as_deref()) == Some(code)
    };
    symptom.seen.shows.as_deref() == Some(code) || symptom.seen.clues.keys().any(clue_shows)
}

/// The clues that speak for a cause, then the symptoms of which it is one of the leading causes.
fn because(code: &str, symptoms: &[Counted<'_>]) -> Vec<String> {
    let mut reasons: Vec<String> = Vec::new();
    for symptom in symptoms {
        for (at, line) in &symptom.seen.clues {
            let clue = tables().clues.get(*at).filter(|clue| clue.concerns.contains(&symptom.meaning.kind));
            if let Some(clue) = clue.filter(|clue| clue.adds.contains_key(code)) {
                let reason = format!("{} (line {line})", clue.because);
                if !reasons.contains(&reason) {
                    reasons.push(reason);
                }
            }
        }
    }
    for symptom in symptoms.iter().filter(|symptom| symptom.weights.contains_key(code)) {
        let place = ordered(&symptom.weights).iter().position(|cause| *cause == code);
        let reason = match place {
            Some(0) => format!("it is what {} mostly comes from (line {})", symptom.meaning.id, symptom.seen.first_line),
            _ => format!("{} can come from it too (line {})", symptom.meaning.id, symptom.seen.first_line),
        };
        reasons.push(reason);
    }
    reasons.truncate(MOST_REASONS);
    reasons
}

/// Causes by weight, then by code.
fn ordered(weights: &BTreeMap<&'static str, u64>) -> Vec<&'static str> {
    let mut sorted: Vec<(&'static str, u64)> = weights.iter().map(|(cause, weight)| (*cause, *weight)).collect();
    sorted.sort_by_key(|(cause, weight)| (Reverse(*weight), *cause));
    sorted.into_iter().map(|(cause, _)| cause).collect()
}

fn shown(symptom: &Counted<'_>) -> Symptom {
    let Counted { seen, meaning, speaker, end, weights } = symptom;
    Symptom {
        meaning: meaning.id.clone(),
        from: seen.from.clone(),
        speaker: match speaker {
            Speaker::Here => TextSpeaker::ThisEnd,
            Speaker::Peer => TextSpeaker::OtherEnd,
            Speaker::System => TextSpeaker::System,
            Speaker::Proxy => TextSpeaker::Proxy,
        },
        written_by: end.map(|end| match end {
            End::Client => Party::Client,
            End::Server => Party::Server,
        }),
        text: printable(&String::from_utf8_lossy(&seen.text), TEXT),
        first_line: seen.first_line,
        last_line: seen.last_line,
        count: seen.count,
        proves: meaning.proves.clone(),
        leaves_open: meaning.open.clone(),
        causes: ordered(weights).into_iter().take(MOST_CAUSES).map(str::to_owned).collect(),
    }
}

fn summary(symptoms: &[Counted<'_>], causes: &[SuspectedCause]) -> String {
    let Some(first) = symptoms.first() else {
        return "Nothing in this text is a message about TLS that is known here.".to_owned();
    };
    let others = match causes {
        [] => String::new(),
        [only] => format!(" Likeliest: {}.", only.cause),
        [first, second, ..] => format!(" Likeliest: {}, then {}.", first.cause, second.cause),
    };
    format!("{}{others}", first.meaning.proves)
}
