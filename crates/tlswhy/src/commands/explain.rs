//! `tlswhy explain`: the page of a cause, or what a text of error messages says.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use tlswhy_core::CAUSES;
use tlswhy_core::symptoms::{self, Reading};
use tlswhy_model::SymptomReport;

use crate::cli::{Explain, ExplainFormat};
use crate::exit::{Failure, Status};
use crate::nearest::nearest;
use crate::output::Output;
use crate::render::{self, CODE, HEADING, Page, markdown_as_text};
use crate::terminal;

/// Bytes of a log that are read at a time.
const PIECE: usize = 256 << 10;

/// Prints the page of a cause, the list of causes, or what a text says.
pub(crate) fn run(arguments: &Explain) -> Result<Status, Failure> {
    let what = arguments.what.join(" ");
    if let Some(doc) = page(&what) {
        return write_page(doc, arguments);
    }
    if arguments.what.is_empty() {
        return write_list(arguments);
    }
    let report = match arguments.what.as_slice() {
        [only] if only == "-" => from_reader(&mut io::stdin().lock(), "standard input")?,
        // Not only files: a pipe of the shell has a path, too.
        [only] if Path::new(only).exists() => {
            let mut file = File::open(only).map_err(|error| unreadable(only, &error))?;
            from_reader(&mut file, only)?
        }
        [only] => {
            mistyped(only)?;
            missing_file(only)?;
            symptoms::read(message(only).as_bytes())
        }
        _ => symptoms::read(what.as_bytes()),
    };
    write_symptoms(&report, arguments)
}

fn write_page(doc: &'static str, arguments: &Explain) -> Result<Status, Failure> {
    let mut output = Output::open(arguments.file.as_deref())?;
    match arguments.format {
        ExplainFormat::Markdown => output.write(|out| out.write_all(doc.as_bytes()))?,
        ExplainFormat::Human => output.write(|out| markdown_as_text(doc, &mut Page::new(out, terminal::width())))?,
        ExplainFormat::Json => return Err(no_json()),
    }
    output.finish()?;
    Ok(Status::Fine)
}

fn write_list(arguments: &Explain) -> Result<Status, Failure> {
    if arguments.format == ExplainFormat::Json {
        return Err(no_json());
    }
    let mut output = Output::open(arguments.file.as_deref())?;
    output.write(|out| {
        let mut page = Page::new(out, terminal::width());
        let heading =
            "Causes that tlswhy finds; `tlswhy explain CODE` says more, `tlswhy explain \"ERROR TEXT\"` reads a message.";
        page.paragraph(0, HEADING, heading)?;
        CAUSES.iter().try_for_each(|cause| page.labelled(0, cause.code, CODE, 32, first_line(cause.doc)))
    })?;
    output.finish()?;
    Ok(Status::Fine)
}

fn write_symptoms(report: &SymptomReport, arguments: &Explain) -> Result<Status, Failure> {
    let mut output = Output::open(arguments.file.as_deref())?;
    output.write(|out| match arguments.format {
        ExplainFormat::Human => render::symptoms::human(report, arguments.verbose, terminal::width(), out),
        ExplainFormat::Json => render::pretty_json(report, out),
        ExplainFormat::Markdown => render::symptoms::markdown(report, out),
    })?;
    output.finish()?;
    Ok(if report.symptoms.is_empty() { Status::Undetermined } else { Status::Fine })
}

/// Reads a text piece by piece, however long it is.
fn from_reader(input: &mut dyn Read, name: &str) -> Result<SymptomReport, Failure> {
    let mut reading = Reading::default();
    let mut piece = vec![0; PIECE];
    loop {
        match input.read(&mut piece) {
            Ok(0) => return Ok(reading.finish()),
            Ok(count) => reading.feed(piece.get(..count).unwrap_or_default()),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(unreadable(name, &error)),
        }
    }
}

fn unreadable(name: &str, error: &io::Error) -> Failure {
    Failure::new(format!("cannot read {name}: {error}"))
}

fn no_json() -> Failure {
    Failure::new("a page has no JSON").tip("`--format json` is for error texts; `--format markdown` writes the page as it is")
}

/// The page of a code; letter case and underscores do not matter.
fn page(code: &str) -> Option<&'static str> {
    let wanted = code.to_ascii_lowercase().replace('_', "-");
    CAUSES.iter().find(|cause| cause.code == wanted).map(|cause| cause.doc)
}

/// Whether one word was meant as a code and is none.
fn mistyped(word: &str) -> Result<(), Failure> {
    let wanted = word.to_ascii_lowercase().replace('_', "-");
    if !wanted.chars().all(|c| c.is_ascii_alphanumeric() || c == '-') {
        return Ok(());
    }
    match nearest(&wanted, CAUSES.iter().map(|cause| cause.code)).as_slice() {
        [] => Ok(()),
        near => Err(Failure::new(format!("there is no cause `{word}`"))
            .tip(format!("did you mean {}? `tlswhy explain` lists all", near.join(" or ")))),
    }
}

/// Whether one word was meant as a file that is not there.
fn missing_file(word: &str) -> Result<(), Failure> {
    let is_path = word.contains('/') && !word.contains("//") && !word.contains(char::is_whitespace);
    match is_path {
        true => Err(Failure::new(format!("cannot read {word}: there is no such file"))
            .tip("quote a text as a whole, or pipe it in: `tlswhy explain -`")),
        false => Ok(()),
    }
}

/// A number alone is that of an alert.
fn message(word: &str) -> String {
    match word.trim().parse::<u8>() {
        Ok(number) => format!("alert {number}"),
        Err(_) => word.to_owned(),
    }
}

fn first_line(doc: &str) -> &str {
    doc.lines().next().unwrap_or_default().trim_start_matches('#').trim()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_cause_has_a_page() {
        for cause in CAUSES {
            assert!(page(cause.code).is_some_and(|doc| !first_line(doc).is_empty()), "{}", cause.code);
        }
    }

    #[test]
    fn unknown_codes_lead_to_near_ones_and_other_words_are_texts() {
        assert!(page("NOT_TLS").is_some());
        assert!(mistyped("no-shared-ciper").unwrap_err().to_string().contains("did you mean no-shared-cipher"));
        for text in ["xyzzy", "ECONNRESET", "SSL_ERROR_NO_CYPHER_OVERLAP", "unknown_ca", "a text"] {
            assert!(mistyped(text).is_ok(), "{text}");
        }
    }

    #[test]
    fn a_number_is_an_alert_and_a_path_that_leads_nowhere_is_an_error() {
        let report = symptoms::read(message("40").as_bytes());
        assert_eq!(report.symptoms.first().map(|symptom| symptom.meaning.as_str()), Some("alert-40"));
        assert!(missing_file("/missing/error.log").unwrap_err().to_string().contains("no such file"));
        assert!(missing_file("error in a/b of it").is_ok() && missing_file("https://a.test/").is_ok());
    }

    #[test]
    fn every_command_that_is_proposed_is_one_of_this_program() {
        use clap::Parser as _;
        for next in &tlswhy_core::knowledge::symptoms::tables().next {
            let command = next.command.replace("{target}", "a.test:25 --starttls smtp").replace("NAME", "openssl-3.0");
            let parsed = crate::cli::Cli::try_parse_from(command.split(' '));
            assert!(parsed.is_ok(), "{command}: {}", parsed.err().map(|error| error.to_string()).unwrap_or_default());
        }
    }

    #[test]
    fn a_log_reads_the_same_in_pieces() {
        let text = b"curl: (35) error:0A00010B:SSL routines::wrong version number\n".repeat(9000);
        assert!(text.len() > 2 * PIECE);
        assert_eq!(from_reader(&mut text.as_slice(), "a test").unwrap(), symptoms::read(&text));
    }
}
