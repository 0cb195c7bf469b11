//! Conditions that are evaluated while the files are read: `<IfModule>`, `<IfDefine>`, `<IfVersion>`, `<IfFile>`.

use std::collections::HashSet;

use super::lines;
use super::tree::Reader;
use crate::files::{Content, relative_to};
use crate::release::Release;

/// Modules that builds of httpd have compiled in (`apache2 -l` of Debian; the others load more).
const COMPILED_IN: &[&str] = &["core", "so", "watchdog", "http", "log_config", "logio", "version", "unixd"];

/// Modules whose source file is not `mod_<name>.c`.
const SOURCES: &[(&str, &str)] = &[
    ("core", "core.c"),
    ("http", "http_core.c"),
    ("mpm_event", "event.c"),
    ("mpm_worker", "worker.c"),
    ("mpm_prefork", "prefork.c"),
];

/// The modules that are loaded so far.
#[derive(Debug, Default)]
pub(super) struct Modules {
    /// Identifiers without `_module`.
    loaded: HashSet<String>,
}

impl Modules {
    pub(super) fn load(&mut self, identifier: &str) {
        let identifier = identifier.to_ascii_lowercase();
        self.loaded.insert(identifier.strip_suffix("_module").unwrap_or(&identifier).to_owned());
    }

    /// Whether a module is there, by its identifier (`ssl_module`) or its source (`mod_ssl.c`). Where no line loads any, the
    /// files are a part of a configuration or of a program with everything compiled in: then the module is taken to be there.
    pub(super) fn has(&self, name: &str) -> bool {
        if self.loaded.is_empty() {
            return true;
        }
        let name = name.to_ascii_lowercase();
        let plain = SOURCES
            .iter()
            .find(|(_, source)| *source == name)
            .map(|(own, _)| *own)
            .or_else(|| name.strip_prefix("mod_")?.strip_suffix(".c"))
            .or_else(|| name.strip_suffix("_module"))
            .unwrap_or(&name);
        COMPILED_IN.contains(&plain) || self.loaded.contains(plain)
    }
}

/// Whether what stands in this section counts; `None` where it is no condition of reading.
pub(super) fn holds(reader: &Reader<'_>, section: &str, arguments: &str) -> Option<bool> {
    let (negated, argument) = match arguments.strip_prefix('!') {
        Some(rest) => (true, rest),
        None => (false, arguments),
    };
    let first = lines::word(argument).map_or_else(String::new, |(word, _)| word);
    let holds = match section {
        "ifmodule" => reader.modules.has(&first),
        "ifdefine" => reader.variables.is_defined(&first),
        "iffile" => {
            matches!(reader.files.look(&relative_to(&reader.root, &first)), Content::Bytes(_) | Content::Directory(_))
        }
        // Known directives are those of this program; one that it lacks is not to be met in a file that works.
        "ifdirective" | "ifsection" => true,
        "ifversion" => version(reader.program.release(), argument),
        _ => return None,
    };
    Some(holds != negated)
}

/// `[operator] version` as mod_version has it; a version may lack its last numbers.
fn version(release: Release, argument: &str) -> bool {
    let words = lines::words(argument);
    let (operator, wanted) = match words.as_slice() {
        [wanted] => ("=", wanted.as_str()),
        [operator, wanted, ..] => (operator.as_str(), wanted.as_str()),
        [] => return false,
    };
    let (operator, negated) = match operator.strip_prefix('!') {
        Some(operator) => (operator, true),
        None => (operator, false),
    };
    // Expressions are compared as far as they are plain text: `/^2\.4/`.
    if operator == "~" || wanted.starts_with('/') {
        let plain: String = wanted.trim_matches('/').chars().filter(|c| !matches!(c, '^' | '$' | '\\')).collect();
        return release.to_string().starts_with(&plain) != negated;
    }
    let mut numbers = wanted.split('.').map(|part| part.parse::<u32>().unwrap_or(0));
    let mut next = || numbers.next().unwrap_or(0);
    let wanted = Release::new(next(), next(), next());
    let holds = match operator {
        "=" | "==" => release == wanted,
        ">" => release > wanted,
        ">=" => release >= wanted,
        "<" => release < wanted,
        "<=" => release <= wanted,
        _ => false,
    };
    holds != negated
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn modules_go_by_identifier_and_by_source() {
        let mut modules = Modules::default();
        assert!(modules.has("ssl_module"), "nothing is known of the modules");
        modules.load("mpm_event_module");
        assert!(!modules.has("mod_ssl.c") && modules.has("event.c") && modules.has("mod_version.c"));
        modules.load("ssl_module");
        assert!(modules.has("mod_ssl.c") && modules.has("SSL_module"));
    }

    #[test]
    fn versions_are_compared() {
        let release = Release::new(2, 4, 57);
        for (text, expected) in [
            (">= 2.4", true),
            ("< 2.4.36", false),
            ("2.4.57", true),
            ("!= 2.4.57", false),
            ("~ /^2\\.4/", true),
            ("> 2.4.57", false),
        ] {
            assert_eq!(version(release, text), expected, "{text}");
        }
    }
}
