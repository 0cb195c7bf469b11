//! Documents that tlswhy wrote earlier and reads again: evidence and reports.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use serde::Deserialize;
use serde::de::{DeserializeOwned, IgnoredAny};
use tlswhy_model::{EVIDENCE_FORMAT, FORMAT_VERSION, REPORT_FORMAT};

use crate::exit::Failure;

/// The largest file that is read, in bytes.
const LARGEST: u64 = 64 << 20;

/// A kind of document.
pub(super) struct Kind {
    /// Its `format`.
    format: &'static str,
    /// In words.
    title: &'static str,
    /// How to get one.
    again: &'static str,
    /// The `format` for which it is mistaken, and what that is.
    mistaken: (&'static str, &'static str),
}

/// What `diagnose` judges.
pub(super) static EVIDENCE: Kind = Kind {
    format: EVIDENCE_FORMAT,
    title: "evidence",
    again: "save it with `tlswhy TARGET --save-evidence FILE`",
    mistaken: (REPORT_FORMAT, "a report; it holds only the evidence that its findings cite"),
};

/// What `check --baseline` compares with.
pub(super) static REPORT: Kind = Kind {
    format: REPORT_FORMAT,
    title: "a report",
    again: "save one with `tlswhy TARGET --format json -o FILE`",
    mistaken: (EVIDENCE_FORMAT, "evidence, not a report"),
};

/// Reads the documents in a file, or from standard input where the path is `-`: one, or one after the other.
pub(super) fn read<T: DeserializeOwned>(path: &Path, kind: &Kind) -> Result<Vec<T>, Failure> {
    let is_stdin = path == Path::new("-");
    let name = if is_stdin { "standard input".to_owned() } else { path.display().to_string() };
    let mut bytes = Vec::new();
    let limit = LARGEST + 1;
    let taken = if is_stdin {
        io::stdin().lock().take(limit).read_to_end(&mut bytes)
    } else {
        File::open(path).and_then(|file| file.take(limit).read_to_end(&mut bytes))
    };
    taken.map_err(|error| Failure::new(format!("cannot read {name}: {error}")))?;
    if bytes.len() as u64 > LARGEST {
        return Err(Failure::new(format!("{name} is larger than 64 MiB; {} never is", kind.title)).tip(kind.again));
    }
    let parsed = documents(&bytes).into_iter().map(|bytes| parse(bytes, kind)).collect::<Result<_, _>>();
    parsed.map_err(|problem| problem.failure(&name, kind))
}

/// The JSON documents that stand one after the other. What cannot be read is the last one, with all that follows it.
fn documents(bytes: &[u8]) -> Vec<&[u8]> {
    let mut found = Vec::new();
    let mut rest = bytes;
    loop {
        let mut values = serde_json::Deserializer::from_slice(rest).into_iter::<IgnoredAny>();
        let (document, after) = match values.next() {
            Some(Ok(_)) => rest.split_at_checked(values.byte_offset()).unwrap_or((rest, &[])),
            _ => (rest, &[][..]),
        };
        found.push(document);
        if after.trim_ascii().is_empty() {
            return found;
        }
        rest = after;
    }
}

/// Why bytes are no document of the kind that is wanted.
#[derive(Debug)]
enum Problem {
    Empty,
    NotJson(serde_json::Error),
    CutOff(serde_json::Error),
    OtherFormat,
    Mistaken,
    OtherVersion(String),
    Damaged(serde_json::Error),
}

impl Problem {
    fn failure(self, name: &str, kind: &Kind) -> Failure {
        let again = kind.again;
        match self {
            Problem::Empty => Failure::new(format!("{name} is empty")).tip(again),
            Problem::NotJson(error) => Failure::new(format!("{name} is not JSON: {error}")).tip(again),
            Problem::CutOff(error) => {
                let (line, column) = (error.line(), error.column());
                Failure::new(format!("{name} is cut off: it ends at line {line}, column {column}"))
                    .tip(format!("copy the whole file, or {again}"))
            }
            Problem::OtherFormat => {
                Failure::new(format!("{name} is JSON, but its `format` is not `{}`", kind.format)).tip(again)
            }
            Problem::Mistaken => Failure::new(format!("{name} is {}", kind.mistaken.1)).tip(again),
            Problem::OtherVersion(version) => Failure::new(format!(
                "{name} is {} of format {version}; this tlswhy reads {FORMAT_VERSION} and its minors",
                kind.title
            ))
            .tip("read it with the tlswhy that saved it, or a newer one"),
            Problem::Damaged(error) => Failure::new(format!("{name} is damaged: {error}")).tip(again),
        }
    }
}

/// What says which document it is; everything else is read once that is known.
#[derive(Deserialize)]
struct Head {
    #[serde(default)]
    format: String,
    #[serde(default)]
    format_version: String,
}

fn parse<T: DeserializeOwned>(bytes: &[u8], kind: &Kind) -> Result<T, Problem> {
    if bytes.trim_ascii().is_empty() {
        return Err(Problem::Empty);
    }
    let head: Head = serde_json::from_slice(bytes).map_err(|error| match error.classify() {
        serde_json::error::Category::Eof => Problem::CutOff(error),
        serde_json::error::Category::Data => Problem::OtherFormat,
        _ => Problem::NotJson(error),
    })?;
    if head.format == kind.mistaken.0 {
        return Err(Problem::Mistaken);
    }
    if head.format != kind.format {
        return Err(Problem::OtherFormat);
    }
    let major = |version: &str| version.split('.').next().and_then(|major| major.parse::<u32>().ok());
    if major(&head.format_version).is_none() || major(&head.format_version) != major(FORMAT_VERSION) {
        return Err(Problem::OtherVersion(head.format_version));
    }
    serde_json::from_slice(bytes).map_err(Problem::Damaged)
}

#[cfg(test)]
mod tests {
    use tlswhy_model::{Evidence, Report};

    use super::*;

    fn problem<T: DeserializeOwned>(text: &str, kind: &Kind) -> String {
        parse::<T>(text.as_bytes(), kind).map(|_| ()).unwrap_err().failure("x.json", kind).to_string()
    }

    #[test]
    fn what_is_not_of_the_kind_is_named() {
        for (text, reason) in [
            ("", "is empty"),
            (" \n", "is empty"),
            ("hello", "is not JSON: expected value at line 1 column 1"),
            ("{\"format\": \"tlswhy-FORMAT\",\n \"forma", "is cut off: it ends at line 2, column 7"),
            ("[1, 2]", "`format` is not"),
            ("{}", "`format` is not"),
            ("{\"format\": 7}", "`format` is not"),
            ("{\"format\": \"tlswhy-config\"}", "`format` is not"),
            ("{\"format\": \"tlswhy-FORMAT\", \"format_version\": \"2.0\"}", "reads 1."),
            ("{\"format\": \"tlswhy-FORMAT\"}", "of format ;"),
            ("{\"format\": \"tlswhy-FORMAT\", \"format_version\": \"1.7\"}", "is damaged: missing field"),
        ] {
            for told in [
                problem::<Evidence>(&text.replace("FORMAT", "evidence"), &EVIDENCE),
                problem::<Report>(&text.replace("FORMAT", "report"), &REPORT),
            ] {
                assert!(told.contains(reason) && told.contains("tip:"), "{text:?}: {told}");
            }
        }
        assert!(problem::<Evidence>("{\"format\": \"tlswhy-report\"}", &EVIDENCE).contains("is a report"));
        assert!(problem::<Report>("{\"format\": \"tlswhy-evidence\"}", &REPORT).contains("is evidence"));
    }
}
