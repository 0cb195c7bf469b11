//! What is built into a program of Go: the `go` line and the `godebug` lines of its go.mod, and the `//go:debug` lines of its package
//! main where that lies beside it.
//!
//! Sources: <https://go.dev/ref/mod#go-mod-file-godebug>, <https://go.dev/doc/godebug>, src/cmd/go/internal/load/godebug.go; compared with
//! what `go version -m` says of programs that Go 1.24.11 and 1.27.3 built (`DefaultGODEBUG`), and with their hellos.

use std::sync::Arc;

use tlswhy_wire::NamedGroup;

use super::godebug::{self, Given, Odd, SWITCHES};
use crate::dialects::{Commands, Context, Dialect, Likeness, client};
use crate::files::{Content, directory_of};
use crate::mend::{CannotMend, Patch, Want};
use crate::release::Release;
use crate::service::{Library, Note, Reading, Service, Side, Trouble};
use crate::setting::Setting;
use crate::span::{Origin, Span};

pub(crate) static DIALECT: Dialect = Dialect {
    name: "go-module",
    title: "Go module",
    sides: &[Side::Client],
    places: &[],
    recognise: |path, _| if path.rsplit('/').next() == Some("go.mod") { Likeness::Name } else { Likeness::None },
    read,
    mend,
    // It comes into effect when the program is built anew.
    commands: |_| Commands::default(),
};

/// Most source files beside a go.mod that are looked into, and most lines of switches.
const MOST: usize = 1000;
const LATER: &str = "a later line sets it anew, and `//go:debug` comes after go.mod";
/// Where no line says it.
const WITHOUT_A_LINE: Release = Release::new(1, 16, 0);
/// The first release that goes by the line.
const GOES_BY_IT: Release = Release::new(1, 21, 0);

/// What a module says of switches, in the order in which it counts.
#[derive(Default)]
struct Module {
    name: String,
    go: Option<Setting<String>>,
    given: Vec<Given>,
    troubles: Vec<Trouble>,
    files: Vec<String>,
}

fn module(context: &Context<'_>) -> Module {
    let mut module = Module::default();
    let Content::Bytes(bytes) = context.files.text(context.main) else { return module };
    let path = context.files.path(context.main);
    module.files.push(path.to_string());
    let mut in_block = false;
    for (text, at) in lines(&path, bytes) {
        let text = text.split("//").next().unwrap_or_default().trim_end();
        let at = Span { end: at.start + text.len(), ..at };
        let (word, rest) = text.split_once([' ', '\t']).map_or((text, ""), |(word, rest)| (word, rest.trim_start()));
        match (in_block, word) {
            (true, ")") => in_block = false,
            (true, "") | (false, "") => {}
            (true, _) => module.switch(text, &at, &at),
            (false, "godebug") if rest == "(" => in_block = true,
            (false, "godebug") => {
                let value = Span { start: at.end.saturating_sub(rest.len()), ..at.clone() };
                module.switch(rest, &at, &value);
            }
            (false, "module") => module.name = rest.trim_matches('"').to_owned(),
            (false, "go") => {
                let value = Span { start: at.end.saturating_sub(rest.len()), ..at.clone() };
                module.go = Some(Setting::new("go", rest.to_owned(), rest, Origin::file(at, value, None)));
            }
            _ => {}
        }
    }
    for file in context.files.glob(&format!("{}/*.go", directory_of(context.main))).into_iter().take(MOST) {
        if !file.ends_with("_test.go")
            && let Content::Bytes(bytes) = context.files.look(&file)
        {
            module.source(&context.files.path(&file), bytes);
        }
    }
    module
}

impl Module {
    /// `KEY=VALUE` of a line.
    fn switch(&mut self, text: &str, at: &Span, value_at: &Span) {
        match text.split_once('=').filter(|_| !text.contains([' ', '\t', ','])) {
            Some((key, value)) if self.given.len() < MOST => {
                let origin = Origin::file(at.clone(), value_at.clone(), None);
                let mut by = Setting::new("godebug", value.to_owned(), text, origin);
                let same = self.given.iter().rev().filter(|given| given.key == key);
                by.shadow(same.map(|given| client::shadowed(&given.by, LATER, true)));
                self.given.push(Given { key: key.to_owned(), value: value.to_owned(), by });
            }
            Some(_) => {}
            None => {
                let says = "Go builds nothing: a switch is one KEY=VALUE without blanks".to_owned();
                self.troubles.push(Trouble { at: Some(at.clone()), says, fatal: true });
            }
        }
    }

    /// The `//go:debug` lines above `package main`.
    fn source(&mut self, path: &Arc<str>, bytes: &[u8]) {
        let (mut found, mut in_comment) = (Vec::new(), false);
        for (text, at) in lines(path, bytes) {
            if in_comment {
                in_comment = !text.contains("*/");
            } else if let Some(rest) = text.strip_prefix("//go:debug ") {
                let rest = rest.trim().to_owned();
                found.push((rest, at));
            } else if text.starts_with("/*") {
                in_comment = !text.contains("*/");
            } else if !text.is_empty() && !text.starts_with("//") {
                let is_main = text.split_whitespace().take(2).eq(["package", "main"]);
                if is_main && !found.is_empty() {
                    self.files.push(path.to_string());
                    for (text, at) in found {
                        let value = Span { start: at.end.saturating_sub(text.len()), ..at.clone() };
                        self.switch(&text, &at, &value);
                    }
                }
                return;
            }
        }
    }

    /// The release whose defaults count, and what says so: the last `default=go1.21`, else the `go` line.
    fn defaults(&self) -> (Release, Setting<String>) {
        let named = self.given.iter().rfind(|given| given.key == "default");
        let by = named.map(|given| given.by.clone()).or_else(|| self.go.clone());
        let by = by.unwrap_or_else(|| Setting::new("go", String::new(), "1.16", Origin::built_in("Go")));
        (by.value.trim_start_matches("go").parse().unwrap_or(WITHOUT_A_LINE), by)
    }
}

/// The lines of a file without what is blank around them, each with its place.
fn lines<'b>(path: &Arc<str>, bytes: &'b [u8]) -> impl Iterator<Item = (String, Span)> + use<'b> {
    let path = Arc::clone(path);
    let mut at = 0;
    bytes.split_inclusive(|byte| *byte == b'\n').map(move |raw| {
        let start = at + raw.iter().take_while(|byte| byte.is_ascii_whitespace()).count().min(raw.len());
        at += raw.len();
        let text = raw.trim_ascii();
        let span = client::span(&path, start.min(at), start.min(at) + text.len());
        (String::from_utf8_lossy(text).into_owned(), span)
    })
}

fn read(context: &Context<'_>) -> Reading {
    let module = module(context);
    let release = context.files.release_of("go");
    let title =
        if module.name.is_empty() { "programs of this module".to_owned() } else { format!("programs of {}", module.name) };
    let mut service = client::service(DIALECT.name, title, ("Go", release), Library::Go(release));
    let mut reading = Reading { troubles: module.troubles.clone(), files: module.files.clone(), ..Reading::default() };
    service.declared = module.go.as_ref().and_then(|go| go.origin.span().cloned());
    for given in &module.given {
        match godebug::odd(given, release) {
            Some(Odd::Gone(what)) => {
                let says = format!("Go builds nothing with {what}");
                reading.troubles.push(Trouble { at: given.at().cloned(), says, fatal: true });
            }
            Some(Odd::NotYet(says)) => {
                let says = format!("Go builds nothing: {says}");
                reading.troubles.push(Trouble { at: given.at().cloned(), says, fatal: true });
            }
            Some(Odd::Unknown(says)) => service.notes.push(Note { at: given.at().cloned(), says }),
            None => {}
        }
    }
    let (since, by) = module.defaults();
    match release {
        Some(release) if release >= GOES_BY_IT => {
            // What changed later than the line says is as it was.
            let older = SWITCHES.iter().filter(|switch| switch.since > since && switch.counts(release));
            let older =
                older.map(|switch| Given { key: switch.key.to_owned(), value: switch.other.to_owned(), by: by.clone() });
            let given: Vec<Given> = older.chain(module.given).collect();
            godebug::apply(&given, release, &mut service.settings);
        }
        Some(_) => {}
        None => {
            let says = "what this changes depends on the release that builds the program, which is not known";
            service.notes.push(Note { at: service.declared.clone(), says: says.to_owned() });
        }
    }
    reading.services.push(service);
    reading
}

/// Hybrid groups are switched on again on the line that switched them off, or on one of its own.
fn mend(context: &Context<'_>, service: &Service, want: &Want) -> Result<Vec<Patch>, CannotMend> {
    let Want::Groups(groups) = want else {
        return Err(CannotMend::because(format!("no switch of Go is for {want:?}")));
    };
    if !groups.contains(&NamedGroup::X25519MLKEM768) {
        return Err(CannotMend::because("a switch of Go is for hybrid groups alone"));
    }
    if service.program.1.is_none_or(|release| release < Release::new(1, 24, 0)) {
        return Err(CannotMend::because("`tlsmlkem` is a switch of Go 1.24 and newer"));
    }
    let module = module(context);
    let line = "godebug tlsmlkem=1";
    match module.given.iter().rfind(|given| given.key == "tlsmlkem") {
        Some(given) => match &given.by.origin {
            Origin::File { value, .. } => Ok(vec![Patch::replace(value, "tlsmlkem=1")]),
            _ => Err(CannotMend::because("the line that sets it cannot be found again")),
        },
        None => Ok(vec![client::line(context, module.go.as_ref().and_then(|go| go.origin.span()), line)?]),
    }
}
