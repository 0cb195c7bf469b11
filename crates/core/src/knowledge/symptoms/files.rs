//! How the tables are read from their files. A test reads every file strictly; what cannot be read is missing.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::Tables;
use super::tables::{
    Alert, Clue, Code, End, EndMark, Matching, Meaning, Next, Peer, Rank, Saying, Speaker, UpgradePort, Weights,
};

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
    include_str!("says/tools.toml"),
    include_str!("says/embedded.toml"),
    include_str!("says/haskell.toml"),
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
