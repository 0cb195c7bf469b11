//! Conditions of `.if` and `.elif` (cfgcond.c), as far as they can be known from the files.

use std::collections::HashMap;

use crate::release::Release;

/// What conditions ask for.
#[derive(Debug)]
pub(super) struct Known<'k> {
    pub(super) variables: &'k HashMap<String, String>,
    pub(super) release: Option<Release>,
    pub(super) openssl: Option<Release>,
}

/// Nested no deeper than this.
const DEEPEST: usize = 32;

/// Whether the condition holds; `None` where the files do not say.
pub(super) fn holds(text: &str, known: &Known<'_>) -> Option<bool> {
    any(text.trim(), known, 0)
}

fn any(text: &str, known: &Known<'_>, depth: usize) -> Option<bool> {
    fold(text, "||", true, |part| all(part, known, depth))
}

fn all(text: &str, known: &Known<'_>, depth: usize) -> Option<bool> {
    fold(text, "&&", false, |part| one(part.trim(), known, depth))
}

/// Joins what stands between operators; a part that is `decisive` decides even where others are not known.
fn fold(text: &str, operator: &str, decisive: bool, read: impl Fn(&str) -> Option<bool>) -> Option<bool> {
    let mut sure = true;
    for part in split(text, operator) {
        match read(part) {
            Some(value) if value == decisive => return Some(decisive),
            Some(_) => {}
            None => sure = false,
        }
    }
    sure.then_some(!decisive)
}

fn one(text: &str, known: &Known<'_>, depth: usize) -> Option<bool> {
    if depth > DEEPEST {
        return None;
    }
    if let Some(rest) = text.strip_prefix('!') {
        return one(rest.trim(), known, depth + 1).map(|value| !value);
    }
    if let Some(inside) = text.strip_prefix('(').and_then(|rest| rest.strip_suffix(')')) {
        return any(inside.trim(), known, depth + 1);
    }
    if text.is_empty() {
        return Some(false);
    }
    if let Ok(number) = text.parse::<i64>() {
        return Some(number != 0);
    }
    let (name, rest) = text.split_once('(')?;
    let arguments: Vec<&str> = rest.strip_suffix(')')?.split(',').map(|word| word.trim().trim_matches(['"', '\''])).collect();
    let first = arguments.first().copied().unwrap_or_default();
    let second = arguments.get(1).copied().unwrap_or_default();
    let release = || first.parse::<Release>().ok();
    match name {
        // What the environment holds is not in the files; what `setenv` put there is.
        "defined" => (known.variables.contains_key(first) || first.starts_with("HAPROXY_")).then_some(true),
        "streq" => (!first.contains('$') && !second.contains('$')).then(|| first == second),
        "strneq" => (!first.contains('$') && !second.contains('$')).then(|| first != second),
        "strstr" => (!first.contains('$') && !second.contains('$')).then(|| first.contains(second)),
        "feature" => ["OPENSSL", "TFO", "THREAD", "EPOLL", "LINUX_TPROXY"].contains(&first).then_some(true),
        "version_atleast" => Some(known.release? >= release()?),
        "version_before" => Some(known.release? < release()?),
        "openssl_version_atleast" => Some(known.openssl? >= release()?),
        "openssl_version_before" => Some(known.openssl? < release()?),
        _ => None,
    }
}

/// Cuts at an operator outside of parentheses.
fn split<'t>(text: &'t str, operator: &str) -> Vec<&'t str> {
    let mut parts = Vec::new();
    let (mut depth, mut start) = (0_usize, 0);
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            b'(' => depth += 1,
            b')' => depth = depth.saturating_sub(1),
            _ if depth == 0
                && at >= start
                && text.as_bytes().get(at..).is_some_and(|rest| rest.starts_with(operator.as_bytes())) =>
            {
                parts.extend(text.get(start..at));
                start = at + operator.len();
            }
            _ => {}
        }
    }
    parts.extend(text.get(start..));
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn conditions_hold_or_not_or_are_not_known() {
        let variables = HashMap::from([("A".to_owned(), "1".to_owned())]);
        let known = Known { variables: &variables, release: "2.6.12".parse().ok(), openssl: None };
        for (text, expected) in [
            ("1", Some(true)),
            ("0", Some(false)),
            ("defined(A)", Some(true)),
            ("defined(B)", None),
            ("defined(B) || feature(OPENSSL)", Some(true)),
            ("!version_atleast(2.8-dev0) && streq(a,a)", Some(true)),
            ("(version_before(2.6) || 0) && defined(B)", Some(false)),
            ("openssl_version_atleast(3.0)", None),
            ("enabled(POLL)", None),
            ("((((", None),
        ] {
            assert_eq!(holds(text, &known), expected, "{text}");
        }
    }
}
