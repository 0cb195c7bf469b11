//! npm's .npmrc: whom it trusts.
//!
//! Sources: <https://docs.npmjs.com/cli/v11/configuring-npm/npmrc>, the package ini; measured on npm 11.19.1 with Node.js 20.20.2 by what it
//! says to a server under a private authority.

use std::sync::Arc;

use super::client::{home, shadowed};
use super::lines::{self, Grammar, Line};
use crate::dialects::{Commands, Context, Dialect, Likeness, client};
use crate::files::Content;
use crate::mend::CannotMend;
use crate::service::{Library, Note, Reading, Side, Trouble};
use crate::setting::Setting;
use crate::span::Origin;

pub(crate) static DIALECT: Dialect = Dialect {
    name: "npm",
    title: "npm",
    sides: &[Side::Client],
    places: &["/root/.npmrc", "/home/*/.npmrc", "/etc/npmrc", "/usr/local/etc/npmrc"],
    recognise,
    read,
    mend: |_, _, _| Err(CannotMend::because(".npmrc says whom npm trusts, and nothing of versions, suites and groups")),
    // It reads its files anew at every run.
    commands: |_| Commands::default(),
};

const GRAMMAR: Grammar = Grammar {
    comments: b";#",
    trailing_comments: b";#",
    blank_continues: false,
    equals_optional: false,
    quotes: b"\"'",
    sections: true,
};
const LATER: &str = "a later line sets it anew, and the last one counts";

fn recognise(path: &str, _bytes: &[u8]) -> Likeness {
    if matches!(path.rsplit('/').next(), Some(".npmrc" | "npmrc")) { Likeness::Name } else { Likeness::None }
}

fn read(context: &Context<'_>) -> Reading {
    let mut reading = Reading::default();
    // A project's own file comes on top of its user's, which is found by the path where one is named there.
    let user = home(context.main).map(|home| format!("{home}/.npmrc")).filter(|user| user != context.main);
    let mut all: Vec<Line> = Vec::new();
    for file in user.iter().map(String::as_str).chain([context.main]) {
        let Content::Bytes(bytes) = context.files.text(file) else { continue };
        let path: Arc<str> = context.files.path(file);
        reading.files.push(path.to_string());
        all.extend(lines::read(&path, bytes, None, &GRAMMAR).into_iter().filter(|line| line.section.is_empty()));
    }
    let release = context.files.release_of("npm");
    let library = Library::Other("OpenSSL of Node.js".to_owned());
    let mut service = client::service(DIALECT.name, "npm".to_owned(), ("npm", release), library);
    let of = |wanted: &[&str]| -> Vec<&Line> { all.iter().filter(|line| wanted.contains(&line.name.as_str())).collect() };
    let told = of(&["cafile", "ca", "ca[]", "strict-ssl"]);
    service.declared = told.last().and_then(|line| line.at().cloned());
    let expanded = |value: &str| (!value.contains("${")).then(|| value.to_owned());
    let of_a_file = lines::last(&of(&["cafile"]), LATER, expanded);
    if let Some(file) = of_a_file.as_ref().filter(|file| file.value.starts_with('/'))
        && context.files.look(&file.value) == Content::Missing
    {
        let says = format!("there is no {}: npm trusts what it brings along, and says nothing", file.value);
        reading.troubles.push(Trouble { at: file.origin.span().cloned(), says, fatal: false });
    }
    let named = context.files.environment("npm_config_cafile").filter(|value| !value.is_empty()).map(|value| {
        let origin = Origin::Environment { name: "npm_config_cafile".to_owned() };
        let mut setting = Setting::new("npm_config_cafile", value.to_owned(), value, origin);
        setting.shadow(of_a_file.as_ref().map(|file| shadowed(file, "the variable counts before it", true)));
        setting
    });
    let has_a_file = named.is_some() || of_a_file.is_some();
    service.settings.trust = named.or(of_a_file);
    service.notes.extend(of(&["ca", "ca[]"]).into_iter().map(|line| {
        let says = if has_a_file { "`cafile` counts before it" } else { "these certificates alone are trusted" };
        Note { at: line.at().cloned(), says: says.to_owned() }
    }));
    // Nothing but `false` switches it off.
    service.settings.verifies_peer = lines::last(&of(&["strict-ssl"]), LATER, |value| Some(value != "false"));
    reading.services.push(service);
    reading
}
