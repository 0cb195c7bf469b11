//! The shapes of the tables, and how they are read. A test reads every file strictly; what cannot be read is missing.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::Tables;

/// Weights of causes, by code. Those of one meaning come to 100.
type Weights = BTreeMap<String, u32>;

/// How much a message tells, least first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Rank {
    /// Only that something failed; another message says what.
    Frame,
    /// A class of faults.
    Vague,
    /// A kind of ending with several causes.
    Telling,
    /// The very check that failed.
    Exact,
}

/// What a message can mean.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Meaning {
    /// Its name, kebab-case.
    pub id: String,
    /// How much it tells.
    pub rank: Rank,
    /// Which clues concern it.
    pub kind: String,
    /// What it proves, one sentence or two.
    pub proves: String,
    /// What it does not prove.
    pub open: String,
    /// The causes that fit where a client wrote it, or nobody knows who did.
    pub causes: Weights,
    /// The same where a server wrote it; empty where that makes no difference.
    #[serde(default)]
    pub at_server: Weights,
    /// Where this is from.
    pub source: String,
}

/// An alert (RFC 8446, section 6.2, and what it cites).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Alert {
    /// Its number.
    pub number: u8,
    /// The words that libraries have for it, folded.
    pub words: Vec<String>,
    /// Its place in [`Tables::meanings`].
    pub meaning: usize,
}

/// Who formed the opinion that a message tells.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Speaker {
    /// The program that wrote it.
    #[default]
    Here,
    /// The other end.
    Peer,
    /// The operating system or the network.
    System,
    /// A proxy.
    Proxy,
}

/// One of the two ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum End {
    /// The one that connects.
    Client,
    /// The one that is connected to.
    Server,
}

/// How a row is recognised in folded text: by words, or by a pattern.
#[derive(Clone, Debug, Default)]
pub struct Matching {
    /// Any of these, standing as words of their own.
    pub words: Vec<String>,
    /// A regular expression, and literals of which each text that it matches contains one.
    pub pattern: Option<(String, Vec<String>)>,
    /// A text that the pattern matches.
    pub example: Option<String>,
}

/// Words of a library or program.
#[derive(Clone, Debug)]
pub struct Saying {
    /// Whose.
    pub from: String,
    /// How it is recognised. A pattern may have the group `alert`, then that alert is the meaning.
    pub matching: Matching,
    /// Its place in [`Tables::meanings`]; none where the alert says it.
    pub meaning: Option<usize>,
    /// Who formed the opinion.
    pub speaker: Speaker,
    /// Which end says so, where only one can.
    pub end: Option<End>,
    /// A cause of which the text shows the fact itself.
    pub shows: Option<String>,
    /// In a long log it counts only on a line that is about TLS.
    pub about_tls: bool,
}

/// How a library or program prints numbers.
#[derive(Clone, Debug)]
pub struct Code {
    /// Whose.
    pub from: String,
    /// A pattern with the group `code`.
    pub matching: Matching,
    /// Base of the digits.
    pub radix: u32,
    /// From this number on it is that of a received alert plus this.
    pub alerts_from: Option<u32>,
}

/// Something in a text that makes causes likelier.
#[derive(Clone, Debug)]
pub struct Clue {
    /// How it is recognised.
    pub matching: Matching,
    /// The kinds of meanings that it concerns.
    pub concerns: Vec<String>,
    /// Weight that it adds to causes.
    pub adds: Weights,
    /// A cause of which it shows the fact, together with a meaning that it concerns.
    pub shows: Option<String>,
    /// What it is, in words that follow "because".
    pub because: String,
}

/// Words that only one end writes.
#[derive(Clone, Debug)]
pub struct EndMark {
    /// How it is recognised.
    pub matching: Matching,
    /// Which end.
    pub end: End,
}

/// How a text names the peer.
#[derive(Clone, Debug)]
pub struct Peer {
    /// A pattern with the groups `host` and, where there is one, `port`.
    pub matching: Matching,
    /// Hosts that are only a reference to documentation.
    pub except: Vec<String>,
}

/// A command to run next.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Next {
    /// For these leading causes; empty for all.
    #[serde(default)]
    pub causes: Vec<String>,
    /// For a text of this end; all where none is named.
    pub end: Option<End>,
    /// The command; `{target}` stands for the peer.
    pub command: String,
    /// What it tells.
    pub why: String,
}

/// A port, beside the usual one, on which a protocol starts TLS when asked.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UpgradePort {
    /// The port.
    pub port: u16,
    /// Short name of the protocol, as `--starttls` wants it.
    pub protocol: String,
    /// Where this is from.
    pub source: String,
}

/// A cause of the contract that no examination finds yet.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Unfound {
    /// Its code.
    pub code: String,
    /// Its family.
    pub family: String,
    /// The cause in one sentence.
    pub sentence: String,
}

/// The keys of a row by which it is recognised.
#[derive(Deserialize, Default)]
struct Recognised {
    #[serde(default)]
    words: Vec<String>,
    pattern: Option<String>,
    #[serde(default)]
    keys: Vec<String>,
    example: Option<String>,
}

impl From<Recognised> for Matching {
    fn from(row: Recognised) -> Matching {
        Matching { words: row.words, pattern: row.pattern.map(|pattern| (pattern, row.keys)), example: row.example }
    }
}

#[derive(Deserialize)]
struct MeaningFile {
    meaning: Vec<Meaning>,
}

#[derive(Deserialize)]
struct AlertFile {
    alert: Vec<AlertRow>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct AlertRow {
    number: u8,
    /// The name in the registry of IANA first.
    words: Vec<String>,
    kind: String,
    proves: String,
    open: String,
    causes: Weights,
    #[serde(default)]
    at_server: Weights,
    source: String,
}

#[derive(Deserialize)]
struct SpeakerFile {
    /// Whose words these are.
    name: String,
    /// Where they are from.
    #[cfg_attr(not(test), expect(dead_code, reason = "for whoever checks the table"))]
    source: String,
    /// What is true of all that it says.
    end: Option<End>,
    #[serde(default)]
    code: Vec<CodeRow>,
    #[serde(default)]
    says: Vec<SayingRow>,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct CodeRow {
    #[serde(flatten)]
    recognised: Recognised,
    #[serde(default = "ten")]
    radix: u32,
    alerts_from: Option<u32>,
}

fn ten() -> u32 {
    10
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct SayingRow {
    #[serde(flatten)]
    recognised: Recognised,
    /// Digits of the file's codes.
    #[serde(default)]
    codes: Vec<String>,
    means: Option<String>,
    #[serde(default)]
    speaker: Speaker,
    end: Option<End>,
    shows: Option<String>,
    #[serde(default)]
    about_tls: bool,
}

#[derive(Deserialize)]
struct ClueFile {
    clue: Vec<ClueRow>,
}

#[derive(Deserialize)]
struct ClueRow {
    #[serde(flatten)]
    recognised: Recognised,
    concerns: Vec<String>,
    #[serde(default)]
    adds: Weights,
    shows: Option<String>,
    because: String,
}

#[derive(Deserialize)]
struct EndFile {
    mark: Vec<EndRow>,
    peer: Vec<PeerRow>,
}

#[derive(Deserialize)]
struct EndRow {
    #[serde(flatten)]
    recognised: Recognised,
    end: End,
}

#[derive(Deserialize)]
struct PeerRow {
    #[serde(flatten)]
    recognised: Recognised,
    #[serde(default)]
    except: Vec<String>,
}

#[derive(Default, Deserialize)]
struct NextFile {
    next: Vec<Next>,
    upgrade: Vec<UpgradePort>,
}

/// The words of libraries and programs, a file each.
const SAYS: &[&str] = &[
    include_str!("says/openssl.toml"),
    include_str!("says/verification.toml"),
    include_str!("says/gnutls.toml"),
    include_str!("says/nss.toml"),
    include_str!("says/chromium.toml"),
    include_str!("says/apple.toml"),
    include_str!("says/java.toml"),
    include_str!("says/go.toml"),
    include_str!("says/windows.toml"),
    include_str!("says/rustls.toml"),
    include_str!("says/runtimes.toml"),
    include_str!("says/curl.toml"),
    include_str!("says/databases.toml"),
    include_str!("says/web.toml"),
    include_str!("says/mail.toml"),
    include_str!("says/system.toml"),
    include_str!("says/embedded.toml"),
    include_str!("says/alerts.toml"),
    include_str!("says/people.toml"),
];

/// Every table, from the files beside this one.
pub(super) fn read() -> Tables {
    let mut meanings =
        toml::from_str::<MeaningFile>(include_str!("meanings.toml")).map(|file| file.meaning).unwrap_or_default();
    let mut alerts = Vec::new();
    for row in toml::from_str::<AlertFile>(include_str!("alerts.toml")).map(|file| file.alert).unwrap_or_default() {
        alerts.push(Alert { number: row.number, words: row.words, meaning: meanings.len() });
        meanings.push(Meaning {
            id: format!("alert-{}", row.number),
            rank: Rank::Telling,
            kind: row.kind,
            proves: row.proves,
            open: row.open,
            causes: row.causes,
            at_server: row.at_server,
            source: row.source,
        });
    }
    let places: BTreeMap<&str, usize> = meanings.iter().enumerate().map(|(at, meaning)| (meaning.id.as_str(), at)).collect();
    let (mut sayings, mut codes, mut numbers) = (Vec::new(), Vec::new(), BTreeMap::new());
    for file in SAYS.iter().filter_map(|text| toml::from_str::<SpeakerFile>(text).ok()) {
        let first_code = codes.len();
        codes.extend(file.code.into_iter().map(|row| Code {
            from: file.name.clone(),
            matching: row.recognised.into(),
            radix: row.radix,
            alerts_from: row.alerts_from,
        }));
        for row in file.says {
            for digits in &row.codes {
                numbers.extend((first_code..codes.len()).map(|code| ((code, digits.clone()), sayings.len())));
            }
            sayings.push(Saying {
                from: file.name.clone(),
                matching: row.recognised.into(),
                meaning: row.means.as_deref().and_then(|id| places.get(id).copied()),
                speaker: row.speaker,
                end: row.end.or(file.end),
                shows: row.shows,
                about_tls: row.about_tls,
            });
        }
    }
    let ends = toml::from_str::<EndFile>(include_str!("ends.toml")).unwrap_or(EndFile { mark: Vec::new(), peer: Vec::new() });
    let next = toml::from_str::<NextFile>(include_str!("next.toml")).unwrap_or_default();
    let clues = toml::from_str::<ClueFile>(include_str!("clues.toml")).map(|file| file.clue).unwrap_or_default();
    Tables {
        alerts,
        sayings,
        codes,
        numbers,
        clues: clues
            .into_iter()
            .map(|row| Clue {
                matching: row.recognised.into(),
                concerns: row.concerns,
                adds: row.adds,
                shows: row.shows,
                because: row.because,
            })
            .collect(),
        ends: ends.mark.into_iter().map(|row| EndMark { matching: row.recognised.into(), end: row.end }).collect(),
        peers: ends.peer.into_iter().map(|row| Peer { matching: row.recognised.into(), except: row.except }).collect(),
        next: next.next,
        upgrades: next.upgrade,
        meanings,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::knowledge::symptoms::tables;

    /// Every key of a row with its matching.
    const ROW_KEYS: &[&str] = &[
        "words",
        "pattern",
        "keys",
        "example",
        "codes",
        "means",
        "speaker",
        "end",
        "shows",
        "about-tls",
        "radix",
        "alerts-from",
        "concerns",
        "adds",
        "because",
        "except",
    ];

    fn rows<'a>(file: &'a toml::Table, kind: &str) -> &'a [toml::Value] {
        file.get(kind).and_then(toml::Value::as_array).map(Vec::as_slice).unwrap_or_default()
    }

    #[test]
    fn every_row_of_every_file_is_read_and_no_key_is_misspelt() {
        let (mut sayings, mut codes) = (0, 0);
        for text in SAYS.iter().chain(&[include_str!("clues.toml"), include_str!("ends.toml")]) {
            let file: toml::Table = toml::from_str(text).unwrap();
            sayings += rows(&file, "says").len();
            codes += rows(&file, "code").len();
            let all = ["says", "code", "clue", "mark", "peer"].iter().flat_map(|kind| rows(&file, kind));
            for row in all {
                for key in row.as_table().unwrap().keys() {
                    assert!(ROW_KEYS.contains(&key.as_str()), "{key} in {row}");
                }
            }
        }
        for text in SAYS {
            let file: SpeakerFile = toml::from_str(text).unwrap();
            assert!(!file.source.is_empty(), "{} has no source", file.name);
            let words_or_codes =
                |row: &SayingRow| !row.codes.is_empty() || !row.recognised.words.is_empty() || row.recognised.pattern.is_some();
            assert!(file.says.iter().all(words_or_codes), "{}", file.name);
            for row in &file.says {
                let has_alert = row.recognised.pattern.as_ref().is_some_and(|pattern| pattern.contains("?<alert>"));
                assert_ne!(row.means.is_some(), has_alert, "{}: {:?}", file.name, row.recognised.words);
                let known = |id: &String| tables().meanings.iter().any(|meaning| meaning.id == *id);
                assert!(row.means.as_ref().is_none_or(known), "{}: {:?}", file.name, row.means);
            }
        }
        let tables = tables();
        assert_eq!((tables.sayings.len(), tables.codes.len()), (sayings, codes));
        let read = |text: &str, kind: &str| rows(&toml::from_str(text).unwrap(), kind).len();
        assert_eq!(tables.alerts.len(), read(include_str!("alerts.toml"), "alert"));
        assert_eq!(tables.meanings.len(), tables.alerts.len() + read(include_str!("meanings.toml"), "meaning"));
        assert_eq!(tables.clues.len(), read(include_str!("clues.toml"), "clue"));
        assert_eq!(tables.ends.len(), read(include_str!("ends.toml"), "mark"));
        assert_eq!(tables.peers.len(), read(include_str!("ends.toml"), "peer"));
        assert_eq!(tables.next.len(), read(include_str!("next.toml"), "next"));
    }

    #[test]
    fn weights_of_a_meaning_come_to_a_hundred_and_clues_concern_kinds_that_exist() {
        for meaning in &tables().meanings {
            for weights in [&meaning.causes, &meaning.at_server] {
                let sum: u32 = weights.values().sum();
                assert!(
                    sum == 100 || (weights.is_empty() && std::ptr::eq(weights, &meaning.at_server)),
                    "{}: {sum}",
                    meaning.id
                );
            }
            assert!(
                meaning.proves.ends_with(['.', ')']) && meaning.open.ends_with('.') && !meaning.source.is_empty(),
                "{}",
                meaning.id
            );
        }
        for clue in &tables().clues {
            for kind in &clue.concerns {
                assert!(tables().meanings.iter().any(|meaning| meaning.kind == *kind), "{kind}: {}", clue.because);
            }
            assert!(!clue.adds.is_empty() && !clue.because.is_empty());
        }
    }
}
