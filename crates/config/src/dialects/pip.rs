//! pip's configuration: pip.conf, and the variables that take the place of it.
//!
//! Sources: <https://pip.pypa.io/en/stable/topics/configuration/>, <https://pip.pypa.io/en/stable/topics/https-certificates/>; measured on
//! pip 23.0.1 and 24.2 by what they say to a server under a private authority.

use std::sync::Arc;

use super::client::shadowed;
use super::lines::{self, Grammar, Line};
use crate::dialects::{Commands, Context, Dialect, Likeness, client};
use crate::files::Content;
use crate::mend::CannotMend;
use crate::service::{Library, Note, Reading, Service, Side, Trouble};
use crate::setting::Setting;
use crate::span::{Origin, Span};

pub(crate) static DIALECT: Dialect = Dialect {
    name: "pip",
    title: "pip",
    sides: &[Side::Client],
    places: &[
        "/etc/pip.conf",
        "/etc/xdg/pip/pip.conf",
        "/root/.config/pip/pip.conf",
        "/home/*/.config/pip/pip.conf",
        "/root/.pip/pip.conf",
        "/home/*/.pip/pip.conf",
    ],
    recognise,
    read,
    mend: |_, _, _| Err(CannotMend::because("pip.conf says whom pip trusts, and nothing of versions, suites and groups")),
    // It reads its files anew at every run.
    commands: |_| Commands::default(),
};

/// Python's configparser.
const GRAMMAR: Grammar = Grammar {
    comments: b"#;",
    trailing_comments: b"",
    blank_continues: true,
    equals_optional: false,
    quotes: b"",
    sections: true,
};
/// The section of every command.
const GLOBAL: &str = "global";
/// Commands that connect; others read the same words for nothing.
const COMMANDS: &[&str] = &["download", "index", "install", "list", "search", "wheel"];
/// What counts before any file, the first that is set (pip's own before its files, those of the package requests before pip's own).
pub(super) const VARIABLES: &[&str] = &["REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "PIP_CERT"];
const LATER: &str = "a later line sets it anew, and the last one counts";

fn recognise(path: &str, _bytes: &[u8]) -> Likeness {
    if path.rsplit('/').next() == Some("pip.conf") { Likeness::Name } else { Likeness::None }
}

fn read(context: &Context<'_>) -> Reading {
    let Content::Bytes(bytes) = context.files.text(context.main) else { return Reading::default() };
    let path: Arc<str> = context.files.path(context.main);
    let mut reading = Reading { files: vec![path.to_string()], ..Reading::default() };
    let lines = lines::read(&path, bytes, None, &GRAMMAR);
    if let Some(at) = first_unreadable(&path, bytes) {
        let says = "pip does not start: this is neither a section, nor a name with a value in one".to_owned();
        reading.troubles.push(Trouble { at: Some(at), says, fatal: true });
    }
    let of_global = of(&lines, GLOBAL);
    reading.services.push(service(context, "pip", &of_global, &[], &mut reading.troubles));
    for command in COMMANDS {
        let own = of(&lines, command);
        if !own.is_empty() {
            reading.services.push(service(context, &format!("pip {command}"), &own, &of_global, &mut reading.troubles));
        }
    }
    reading
}

/// The lines of a section that decide whom pip trusts.
fn of<'l>(lines: &'l [Line], section: &str) -> Vec<&'l Line> {
    lines.iter().filter(|line| line.section == section && matches!(name(line).as_str(), "cert" | "trusted-host")).collect()
}

/// A name as pip takes it: lower case, without dashes before it, `_` as `-`.
fn name(line: &Line) -> String {
    line.name.to_ascii_lowercase().replace('_', "-").trim_start_matches('-').to_owned()
}

/// The first line that configparser stops at.
fn first_unreadable(path: &Arc<str>, bytes: &[u8]) -> Option<Span> {
    let (mut at, mut in_section) = (0, false);
    for raw in bytes.split_inclusive(|byte| *byte == b'\n') {
        let start = at;
        at += raw.len();
        let text = raw.trim_ascii_end();
        match text.first() {
            None | Some(b'#' | b';') => {}
            Some(b'[') => in_section = true,
            // It goes on with the line before.
            Some(b' ' | b'\t') if in_section => {}
            Some(_) if in_section && text.iter().any(|byte| matches!(byte, b'=' | b':')) => {}
            Some(_) => return Some(client::span(path, start, start + text.len())),
        }
    }
    None
}

/// What a command does: its own section before the one of all.
fn service(context: &Context<'_>, title: &str, own: &[&Line], global: &[&Line], troubles: &mut Vec<Trouble>) -> Service {
    let release = context.files.release_of("pip");
    let mut service = client::service(DIALECT.name, title.to_owned(), ("pip", release), Library::Other("Python's".to_owned()));
    let lines =
        |wanted: &str| -> Vec<&Line> { global.iter().chain(own).copied().filter(|line| name(line) == wanted).collect() };
    service.declared = own.first().or(global.first()).and_then(|line| line.at().cloned());
    let is_cert = |line: &&&Line| name(line) == "cert" && !line.value.is_empty();
    let last = |lines: &[&Line]| -> Option<Setting<String>> {
        lines::last(&lines.iter().filter(is_cert).copied().collect::<Vec<_>>(), LATER, |value| Some(value.to_owned()))
    };
    let general = last(global);
    let of_a_file = last(own).map_or(general.clone(), |mut cert| {
        cert.shadow(general.map(|general| shadowed(&general, "the command's own section counts before it", false)));
        Some(cert)
    });
    if let Some(cert) = of_a_file.as_ref().filter(|cert| cert.value.starts_with('/'))
        && context.files.look(&cert.value) == Content::Missing
        && !troubles.iter().any(|known| known.at.as_ref() == cert.origin.span())
    {
        let says = format!("pip ends with an error: there is no {}", cert.value);
        troubles.push(Trouble { at: cert.origin.span().cloned(), says, fatal: true });
    }
    service.settings.trust = of_environment(context, of_a_file.as_ref()).or(of_a_file);
    for line in lines("trusted-host") {
        let says = format!("the servers of `{}` are not verified at all", line.value);
        service.notes.push(Note { at: line.at().cloned(), says });
    }
    service
}

/// The variable that counts before the files.
fn of_environment(context: &Context<'_>, file: Option<&Setting<String>>) -> Option<Setting<String>> {
    VARIABLES.iter().find_map(|name| {
        let value = context.files.environment(name).filter(|value| !value.is_empty())?;
        let mut setting = Setting::new(*name, value.to_owned(), value, Origin::Environment { name: (*name).to_owned() });
        setting.shadow(file.map(|file| shadowed(file, "the variable counts before it", true)));
        Some(setting)
    })
}
