//! What an environment says to programs of Go, Node.js and Python: the variables that bear on TLS, in the files that set them.
//!
//! Only what a file plainly says is read. Which programs are started with it, it does not say: each service stands for those of one
//! runtime.

mod ending;
mod files;
mod go;
mod node;
mod python;

use self::files::Variable;
use super::{Commands, Context, Dialect, Likeness, client};
use crate::service::{Note, Reading, Service, Side, Trouble};
use crate::setting::Setting;
use crate::span::{Origin, Span};

pub(crate) static DIALECT: Dialect = Dialect {
    name: "environment",
    title: "environment",
    sides: &[Side::Client],
    places: &[],
    recognise,
    read,
    mend: ending::mend,
    // Programs read it at their start.
    commands: |_| Commands::default(),
};

/// The variables that are read, and the runtime that each is for.
const VARIABLES: &[&str] = &[
    "CURL_CA_BUNDLE",
    "GODEBUG",
    "NODE_EXTRA_CA_CERTS",
    "NODE_OPTIONS",
    "NODE_TLS_REJECT_UNAUTHORIZED",
    "OPENSSL_CONF",
    "PIP_CERT",
    "REQUESTS_CA_BUNDLE",
    "SSL_CERT_DIR",
    "SSL_CERT_FILE",
];
/// Those that tell by themselves what a file is for.
const TELLING: &[&str] = &["GODEBUG", "NODE_EXTRA_CA_CERTS", "NODE_OPTIONS", "NODE_TLS_REJECT_UNAUTHORIZED", "PIP_CERT"];
const LATER: &str = "a later line sets it anew, and the last one counts";

fn recognise(path: &str, bytes: &[u8]) -> Likeness {
    let text = String::from_utf8_lossy(bytes.get(..bytes.len().min(64 * 1024)).unwrap_or_default()).into_owned();
    let sets = |names: &[&str]| text.lines().any(|line| names.iter().any(|name| line.contains(&format!("{name}="))));
    // Files of these names that set nothing of ours are of no use here, and may be of another dialect.
    let ours = path == "/etc/environment" || path.ends_with("/.env") || path == "/.env" || path.ends_with(".service");
    match files::kind(path) {
        Some(_) if ours || sets(VARIABLES) => Likeness::Name,
        None if text.lines().any(|line| TELLING.iter().any(|name| starts(line, name))) => Likeness::Content,
        _ => Likeness::None,
    }
}

fn starts(line: &str, name: &str) -> bool {
    let line = line.trim_start();
    let line = line.strip_prefix("export ").or_else(|| line.strip_prefix("ENV ")).unwrap_or(line).trim_start();
    line.strip_prefix(name).is_some_and(|rest| rest.starts_with('='))
}

/// The variables of an environment, the last of each.
struct Environment {
    /// With those that a later one takes the place of, the nearest first.
    all: Vec<Variable>,
}

impl Environment {
    /// The last one of this name.
    fn last(&self, name: &str) -> Option<&Variable> {
        self.all.iter().rfind(|variable| variable.name == name)
    }

    /// Its value as a setting; `None` where it is not set, or not plainly.
    fn setting(&self, name: &str) -> Option<Setting<String>> {
        let mut all = self.all.iter().filter(|variable| variable.name == name).rev();
        let last = all.next()?;
        let value = last.value.clone()?;
        let mut setting = Setting::new(name, value.clone(), value, origin(last));
        for earlier in all {
            let text = earlier.value.clone().unwrap_or_default();
            let earlier = Setting::new(name, (), text, origin(earlier));
            setting.shadow([client::shadowed(&earlier, LATER, true)]);
        }
        Some(setting)
    }
}

/// The trust anchors of SSL_CERT_FILE, else of SSL_CERT_DIR. Each takes the place of the system's of its kind alone: those of the
/// other kind count besides.
fn trust(environment: &Environment, notes: &mut Vec<Note>) -> Option<Setting<String>> {
    let (file, directory) = (environment.setting("SSL_CERT_FILE"), environment.setting("SSL_CERT_DIR"));
    let says = match (&file, &directory) {
        (Some(_), None) => "the system's directory of certificates counts besides",
        (None, Some(_)) => "the system's file of certificates counts besides",
        _ => "",
    };
    let chosen = file.or(directory).filter(|chosen| chosen.value.starts_with('/'))?;
    if !says.is_empty() {
        notes.push(Note { at: chosen.origin.span().cloned(), says: says.to_owned() });
    }
    Some(chosen)
}

fn origin(variable: &Variable) -> Origin {
    Origin::file(variable.at.clone(), variable.at.clone(), variable.via.as_ref())
}

fn read(context: &Context<'_>) -> Reading {
    let read = files::read(context);
    let mut reading = Reading { troubles: read.troubles, files: read.files, ..Reading::default() };
    let ours = |variable: &Variable| VARIABLES.contains(&variable.name.as_str());
    let environment = Environment { all: read.variables.into_iter().filter(ours).collect() };
    // A unit that does not start starts none of them.
    let of_all = reading.troubles.len();
    for read in [go::read, node::read, python::read] {
        let (services, troubles) = (reading.services.len(), reading.troubles.len());
        read(context, &environment, &mut reading);
        reading.stop_since(services, troubles);
    }
    if reading.troubles.iter().take(of_all).any(|trouble| trouble.fatal) {
        reading.stop_since(0, 0);
    }
    reading
}

/// Puts a service together, with what could not be read of these variables.
fn push(reading: &mut Reading, mut service: Service, environment: &Environment, names: &[&str], notes: Vec<Note>) {
    service.declared = names.iter().rev().find_map(|name| environment.last(name)).map(|variable| variable.line.clone());
    service.notes = notes;
    let unknown = names.iter().filter_map(|name| environment.last(name)).filter(|variable| variable.value.is_none());
    service.notes.extend(unknown.map(|variable| Note {
        at: Some(variable.at.clone()),
        says: format!("what `{}` is set to is put together at run time, and was not read", variable.name),
    }));
    reading.services.push(service);
}

fn trouble(at: Option<&Span>, says: String) -> Trouble {
    Trouble { at: at.cloned(), says, fatal: true }
}
