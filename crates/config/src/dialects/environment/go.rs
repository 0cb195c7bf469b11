//! Go: GODEBUG, and the files of trust anchors (src/crypto/x509/root_unix.go).

use super::{Environment, push, trouble, trust};
use crate::dialects::godebug::{self, Given, Odd};
use crate::dialects::{Context, client};
use crate::service::{Library, Note, Reading};

const NAMES: &[&str] = &["GODEBUG", "SSL_CERT_DIR", "SSL_CERT_FILE"];

/// `KEY=VALUE` with commas between; the last of a key counts.
fn switches(text: &str) -> Vec<(&str, &str)> {
    let mut found: Vec<(&str, &str)> = Vec::new();
    for (key, value) in text.split(',').filter_map(|pair| pair.trim().split_once('=')).take(1000) {
        found.retain(|(known, _)| *known != key);
        found.push((key, value));
    }
    found
}

pub(super) fn read(context: &Context<'_>, environment: &Environment, reading: &mut Reading) {
    if !NAMES.iter().any(|name| environment.last(name).is_some()) {
        return;
    }
    let release = context.files.release_of("go");
    let title = "programs of Go with this environment".to_owned();
    let mut service = client::service("environment", title, ("Go", release), Library::Go(release));
    let mut notes = Vec::new();
    if let Some(debug) = environment.setting("GODEBUG") {
        let at = debug.origin.span();
        let given = |(key, value): (&str, &str)| Given { key: key.to_owned(), value: value.to_owned(), by: debug.clone() };
        let given: Vec<Given> = switches(&debug.value).into_iter().map(given).collect();
        for odd in given.iter().filter_map(|given| godebug::odd(given, release)) {
            match odd {
                Odd::Gone(what) => reading.troubles.push(trouble(at, format!("Go does not start with {what}"))),
                Odd::Unknown(says) | Odd::NotYet(says) => notes.push(Note { at: at.cloned(), says }),
            }
        }
        match release {
            Some(release) => godebug::apply(&given, release, &mut service.settings),
            None if godebug::tells(&given) => {
                let says = "what GODEBUG changes depends on the release that the program was built with, which is not known";
                notes.push(Note { at: at.cloned(), says: says.to_owned() });
            }
            None => {}
        }
    }
    service.settings.trust = trust(environment, &mut notes);
    push(reading, service, environment, NAMES, notes);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_value_of_a_switch_counts() {
        assert_eq!(switches("tlsmlkem=0, x ,tlsrsakex=1,tlsmlkem=1"), [("tlsrsakex", "1"), ("tlsmlkem", "1")]);
    }
}
