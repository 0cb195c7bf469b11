//! System properties, as far as the environment names them: `-Dkey=value` in the variables that virtual machines heed.
//!
//! Sources: the JSSE Reference Guide, table of system properties; the manual of `java` (JDK_JAVA_OPTIONS); the JVM TI specification
//! (JAVA_TOOL_OPTIONS). Measured on 17.0.15 and 25.0.3: `_JAVA_OPTIONS` wins over the command line, that over JAVA_TOOL_OPTIONS.

use tlswhy_wire::{CipherSuite, NamedGroup, ProtocolVersion, SignatureScheme};

use crate::files::Files;
use crate::language::jsse;
use crate::language::jsse_offer::Named;
use crate::release::Release;
use crate::span::{Origin, Span};

/// The variables, that which wins first. JDK_JAVA_OPTIONS is heeded by `java` alone, not by other launchers.
const VARIABLES: &[&str] = &["_JAVA_OPTIONS", "JDK_JAVA_OPTIONS", "JAVA_TOOL_OPTIONS"];
const COMMAND_LINE: &str = "the command line";
/// JDK_JAVA_OPTIONS came with this release (its manual).
const HAS_JDK_JAVA_OPTIONS: Release = Release::new(9, 0, 0);

/// The file that comes on top, or with `=` before it in the place of java.security.
pub(super) const FILE: &str = "java.security.properties";
pub(super) const PROTOCOLS: &str = "jdk.tls.client.protocols";
pub(super) const SUITES: &str = "jdk.tls.client.cipherSuites";
pub(super) const GROUPS: &str = "jdk.tls.namedGroups";
pub(super) const SCHEMES: &str = "jdk.tls.client.SignatureSchemes";

/// A system property with what sets it.
#[derive(Clone, Debug)]
pub(super) struct Given {
    pub(super) value: String,
    /// What sets it, for people.
    pub(super) by: &'static str,
    pub(super) origin: Origin,
}

/// A system property that the environment or the command line sets; one without a value counts as not set.
pub(super) fn given(files: &Files<'_>, key: &str, release: Option<Release>) -> Option<Given> {
    let heeded =
        |variable: &&&str| **variable != "JDK_JAVA_OPTIONS" || release.is_none_or(|release| release >= HAS_JDK_JAVA_OPTIONS);
    let value = |option: &str| {
        let (name, value) = option.strip_prefix("-D")?.split_once('=')?;
        (name == key && !value.is_empty()).then(|| value.to_owned())
    };
    let of_variable = |variable: &'static str| {
        let options = words(files.environment(variable)?);
        let value = options.iter().rev().find_map(|option| value(option))?;
        Some(Given { value, by: variable, origin: Origin::Environment { name: variable.to_owned() } })
    };
    let of_command_line = || {
        files.arguments().iter().rev().find_map(|(at, argument)| {
            let value = value(argument)?;
            let whole = Span { start: at.end - value.len(), ..at.clone() };
            Some(Given { value, by: COMMAND_LINE, origin: Origin::file(at.clone(), whole, None) })
        })
    };
    let (strongest, others) = VARIABLES.split_first()?;
    let others = || others.iter().filter(heeded).find_map(|variable| of_variable(variable));
    of_variable(strongest).or_else(of_command_line).or_else(others)
}

/// What the environment names of a client's abilities. Names that Java does not know are left out by it as well, but for versions.
pub(super) fn named(files: &Files<'_>, release: Option<Release>) -> Named {
    let list = |key: &str| {
        let given = given(files, key, release)?;
        Some(given.value.trim_matches('"').split(',').map(|name| name.trim().to_owned()).collect::<Vec<String>>())
    };
    fn known<T>(names: Option<Vec<String>>, find: impl Fn(&str) -> Option<T>) -> Option<Vec<T>> {
        let found: Vec<T> = names?.iter().filter_map(|name| find(name)).collect();
        (!found.is_empty()).then_some(found)
    }
    let suite = |name: &str| {
        let suite: CipherSuite = name.replacen("SSL_", "TLS_", 1).parse().ok()?;
        jsse::suite_name(suite).eq_ignore_ascii_case(name).then_some(suite)
    };
    let group = |name: &str| jsse::GROUPS.iter().map(|row| row.group).find(|group| group.to_string() == name.to_lowercase());
    let scheme = |name: &str| {
        let all = jsse::SCHEMES.iter().map(|row| row.scheme);
        all.into_iter().find(|scheme: &SignatureScheme| jsse::scheme_name(*scheme).eq_ignore_ascii_case(name))
    };
    let mut versions: Option<Vec<ProtocolVersion>> = known(list(PROTOCOLS), jsse::version);
    if let Some(versions) = &mut versions {
        versions.sort_unstable_by(|one, other| other.cmp(one));
        versions.dedup();
    }
    Named {
        versions,
        suites: known(list(SUITES), suite),
        groups: known(list(GROUPS), group) as Option<Vec<NamedGroup>>,
        schemes: known(list(SCHEMES), scheme),
    }
}

/// The words of a variable: blanks divide, quotes of either kind hold together and go.
fn words(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut quote = None;
    for letter in text.chars() {
        match (letter, quote) {
            (letter, Some(open)) if letter == open => quote = None,
            ('"' | '\'', None) => {
                quote = Some(letter);
                word.get_or_insert_default();
            }
            (letter, None) if letter.is_ascii_whitespace() => words.extend(word.take()),
            (letter, _) => word.get_or_insert_default().push(letter),
        }
    }
    words.extend(word);
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_stronger_variable_and_its_last_word_count() {
        let environment = [
            ("JAVA_TOOL_OPTIONS".to_owned(), "-Da=1 -Db='x y'".to_owned()),
            ("_JAVA_OPTIONS".to_owned(), "-Da=2 -Da=3 -Dc=".to_owned()),
        ];
        let files = Files::new(&[], &[]).in_environment(&environment);
        let value = |key: &str| given(&files, key, None).map(|given| (given.value, given.by));
        assert_eq!(value("a"), Some(("3".to_owned(), "_JAVA_OPTIONS")));
        assert_eq!(value("b"), Some(("x y".to_owned(), "JAVA_TOOL_OPTIONS")));
        assert_eq!(value("c"), None);
    }
}
