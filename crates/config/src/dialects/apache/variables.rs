//! `Define`d variables and those of the environment in which Debian starts the program.

use std::cell::OnceCell;
use std::collections::HashMap;

use super::lines;
use crate::files::{Files, directory_of};

/// The longest line that variables and macros may make.
const LONGEST: usize = 64 * 1024;

/// What `${NAME}` stands for.
pub(super) struct Variables<'f> {
    files: &'f Files<'f>,
    main: String,
    defined: HashMap<String, String>,
    environment: OnceCell<HashMap<String, String>>,
}

impl<'f> Variables<'f> {
    pub(super) fn new(files: &'f Files<'f>, main: &str) -> Variables<'f> {
        Variables { files, main: main.to_owned(), defined: HashMap::new(), environment: OnceCell::new() }
    }

    pub(super) fn define(&mut self, name: String, value: Option<String>) {
        self.defined.insert(name, value.unwrap_or_default());
    }

    pub(super) fn undefine(&mut self, name: &str) {
        self.defined.remove(name);
    }

    pub(super) fn is_defined(&self, name: &str) -> bool {
        self.defined.contains_key(name)
    }

    /// A line with its variables replaced, and the first name that has no value: that one stays as it is.
    pub(super) fn resolve(&self, text: &str) -> (String, Option<String>) {
        if !text.contains("${") {
            return (text.to_owned(), None);
        }
        let mut whole = String::with_capacity(text.len());
        let mut missing = None;
        let mut rest = text;
        while let Some(start) = rest.find("${") {
            let (before, from) = rest.split_at(start);
            whole.push_str(before);
            let Some(end) = from.find('}') else {
                rest = from;
                break;
            };
            let name = from.get(2..end).unwrap_or_default();
            match self.value(name) {
                Some(value) if whole.len() + value.len() < LONGEST => whole.push_str(value),
                _ => {
                    whole.push_str(from.get(..=end).unwrap_or_default());
                    // `${map:key}` is mod_rewrite's.
                    if missing.is_none() && !name.contains(':') {
                        missing = Some(name.to_owned());
                    }
                }
            }
            rest = from.get(end + 1..).unwrap_or_default();
        }
        whole.push_str(rest);
        (whole, missing)
    }

    fn value(&self, name: &str) -> Option<&str> {
        if let Some(value) = self.defined.get(name) {
            return Some(value);
        }
        let environment = self.environment.get_or_init(|| {
            let path = format!("{}/envvars", directory_of(&self.main));
            self.files.bytes(&path).map(exported).unwrap_or_default()
        });
        environment.get(name).map(String::as_str)
    }
}

/// What a shell file of `export NAME=value` lines sets, as far as that can be told without a shell.
fn exported(bytes: &[u8]) -> HashMap<String, String> {
    let mut known: HashMap<String, String> = HashMap::new();
    for line in lines::lines(bytes) {
        let line = line.text.strip_prefix("export ").unwrap_or(&line.text).trim();
        let Some((name, value)) = line.split_once('=') else { continue };
        if name.is_empty() || !name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_') {
            continue;
        }
        let value = value.trim().trim_matches(['"', '\'']);
        // Debian's `$SUFFIX` tells instances apart; the first has none.
        let mut resolved = String::new();
        let mut rest = value;
        while let Some(start) = rest.find('$') {
            let (before, from) = rest.split_at(start);
            resolved.push_str(before);
            let inside = from.get(1..).unwrap_or_default();
            let inside = inside.strip_prefix('{').unwrap_or(inside);
            let end = inside.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).unwrap_or(inside.len());
            let (variable, after) = inside.split_at(end);
            if let Some(value) = known.get(variable).filter(|value| resolved.len() + value.len() < LONGEST) {
                resolved.push_str(value);
            }
            rest = after.strip_prefix('}').unwrap_or(after);
        }
        resolved.push_str(rest);
        if variable_of_a_branch(name) {
            resolved.clear();
        }
        known.insert(name.to_owned(), resolved);
    }
    known
}

/// `SUFFIX` is set in a branch for further instances, and empty for `/etc/apache2`.
fn variable_of_a_branch(name: &str) -> bool {
    name == "SUFFIX"
}

/// A line of a macro with the values in the place of its parameters: `${name}` is none of `$name` (measured).
pub(super) fn substituted(text: &str, pairs: &[(&String, &String)]) -> String {
    let mut whole = String::with_capacity(text.len());
    let mut rest = text;
    'line: while !rest.is_empty() && whole.len() < LONGEST {
        for (parameter, value) in pairs {
            if let Some(after) = rest.strip_prefix(parameter.as_str()).filter(|_| !parameter.is_empty()) {
                whole.push_str(value);
                rest = after;
                continue 'line;
            }
        }
        let mut chars = rest.chars();
        whole.extend(chars.next());
        rest = chars.as_str();
    }
    whole
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shell_files_are_read_as_far_as_they_are_plain() {
        let text = b"unset HOME\nif x; then\n\tSUFFIX=\"-${A##b}\"\nelse\n\tSUFFIX=\nfi\nexport APACHE_LOG_DIR=/var/log/apache2$SUFFIX\n";
        let known = exported(text);
        assert_eq!(known.get("APACHE_LOG_DIR").map(String::as_str), Some("/var/log/apache2"));
    }

    #[test]
    fn parameters_are_replaced_the_longest_first() {
        let (a, b, x, y) = ("$host".to_owned(), "$hostname".to_owned(), "1".to_owned(), "2".to_owned());
        assert_eq!(substituted("$hostname $host ${host}", &[(&b, &y), (&a, &x)]), "2 1 ${host}");
    }
}
