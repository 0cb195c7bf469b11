//! Parameters: main.cf, what a service of master.cf puts in their place, and the values that name other parameters.

use std::collections::HashMap;
use std::sync::Arc;

use super::defaults::default_of;
use super::master::Entry;
use crate::dialects::lines::{self, Grammar, Line};
use crate::release::Release;
use crate::setting::{Setting, Shadowed};
use crate::span::Origin;

pub(super) const GRAMMAR: Grammar = Grammar {
    comments: b"#",
    trailing_comments: b"",
    blank_continues: true,
    equals_optional: false,
    quotes: b"",
    sections: false,
};
/// Deepest chain of `$name` (mac_expand's own bound is the same for its callers here).
const DEEPEST: usize = 16;
/// Longest value that an expansion grows to, in bytes.
const LONGEST: usize = 64 * 1024;
/// Most names that one value leads to.
const MOST_EXPANSIONS: u32 = 1000;

/// Every parameter of main.cf.
pub(super) struct Parameters {
    lines: HashMap<String, Vec<Line>>,
    pub(super) release: Option<Release>,
    /// Whose defaults count, in words.
    pub(super) by: String,
}

impl Parameters {
    pub(super) fn new(all: Vec<Line>, release: Option<Release>) -> Parameters {
        let by = match release {
            Some(release) => format!("Postfix {release}"),
            None => "Postfix (version not known, taken for a new one)".to_owned(),
        };
        let mut lines: HashMap<String, Vec<Line>> = HashMap::new();
        for line in all {
            lines.entry(line.name.clone()).or_default().push(line);
        }
        Parameters { lines, release, by }
    }

    /// The lines of main.cf with this name.
    pub(super) fn of(&self, name: &str) -> &[Line] {
        self.lines.get(name).map_or(&[], Vec::as_slice)
    }

    /// The parameters as one service has them.
    pub(super) fn within<'p>(&'p self, entry: Option<&'p Entry>) -> Scope<'p> {
        Scope { parameters: self, entry }
    }
}

/// Parameters as one service of master.cf has them.
#[derive(Clone, Copy)]
pub(super) struct Scope<'p> {
    pub(super) parameters: &'p Parameters,
    pub(super) entry: Option<&'p Entry>,
}

impl Scope<'_> {
    /// Whether a line sets it.
    pub(super) fn is_set(&self, name: &str) -> bool {
        self.entry.is_some_and(|entry| entry.options.iter().any(|line| line.name == name))
            || !self.parameters.of(name).is_empty()
    }

    /// A parameter with its value expanded.
    pub(super) fn get(&self, name: &str) -> Setting<String> {
        let options = self.entry.map(|entry| entry.options.iter().filter(|line| line.name == name));
        let options: Vec<&Line> = options.into_iter().flatten().collect();
        let own: Vec<&Line> = self.parameters.of(name).iter().collect();
        let why = "a later line of the same name counts";
        let plain = |text: &str| Some(text.to_owned());
        let general = lines::last(&own, why, plain);
        let mut setting = match lines::last(&options, why, plain) {
            Some(mut special) => {
                if let Some(general) = general {
                    special.shadow([Shadowed {
                        name: general.name,
                        text: general.text,
                        origin: general.origin,
                        why: "master.cf sets another value for this service".to_owned(),
                        meant_to_count: false,
                    }]);
                    // Of these none would count here either way.
                    special.shadow(general.shadowed.into_iter().map(|line| Shadowed { meant_to_count: false, ..line }));
                }
                special
            }
            None => general.unwrap_or_else(|| {
                let text = default_of(name, self.parameters.release);
                Setting::new(name, text.to_owned(), text, Origin::built_in(self.parameters.by.as_str()))
            }),
        };
        setting.value = self.expand(&setting.text, 0, &mut { MOST_EXPANSIONS });
        setting
    }

    /// The expanded value alone.
    pub(super) fn text(&self, name: &str) -> String {
        self.get(name).value
    }

    /// `yes` or `no`.
    pub(super) fn boolean(&self, name: &str) -> Setting<bool> {
        self.get(name).map(|text| text.trim().eq_ignore_ascii_case("yes"))
    }

    fn raw(&self, name: &str) -> String {
        let options = self.entry.map(|entry| entry.options.iter().rev().find(|line| line.name == name));
        let line = options.flatten().or_else(|| self.parameters.of(name).last());
        line.map_or_else(|| default_of(name, self.parameters.release).to_owned(), |line| line.value.clone())
    }

    /// `$name`, `$(name)`, `${name}`, `${name?text}`, `${name:text}`, `${name?{text}:{text}}` (postconf(5)).
    fn expand(&self, text: &str, depth: usize, fuel: &mut u32) -> String {
        let mut out = String::new();
        let mut rest = text;
        while let Some(at) = rest.find('$') {
            out.push_str(rest.get(..at).unwrap_or_default());
            let after = rest.get(at + 1..).unwrap_or_default();
            *fuel = fuel.saturating_sub(1);
            if out.len() > LONGEST || depth > DEEPEST || *fuel == 0 {
                return out;
            }
            let (value, left) = match after.chars().next() {
                Some('$') => ("$".to_owned(), after.get(1..).unwrap_or_default()),
                Some(open @ ('{' | '(')) => match closing(after, open) {
                    Some(end) => {
                        let inside = after.get(1..end).unwrap_or_default();
                        (self.inside(inside, depth, fuel), after.get(end + 1..).unwrap_or_default())
                    }
                    None => (String::new(), ""),
                },
                _ => {
                    let end = after.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).unwrap_or(after.len());
                    let (name, left) = after.split_at(end);
                    (self.expand(&self.raw(name), depth + 1, fuel), left)
                }
            };
            out.push_str(&value);
            rest = left;
        }
        out.push_str(rest);
        out
    }

    fn inside(&self, text: &str, depth: usize, fuel: &mut u32) -> String {
        let name_end = text.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).unwrap_or(text.len());
        let (name, rest) = text.split_at(name_end);
        let rest = rest.trim_start();
        let mut value = || self.expand(&self.raw(name), depth + 1, fuel);
        if rest.is_empty() {
            return value();
        }
        // A comparison, `{a} == {b} ? {c} : {d}`, is left alone: none bears on TLS but the digest of fingerprints.
        let Some(kind @ (b'?' | b':')) = rest.as_bytes().first().copied() else { return String::new() };
        let (first, second) = branches(rest.get(1..).unwrap_or_default());
        let is_set = !value().is_empty();
        match (kind, is_set) {
            (b'?', true) | (b':', false) => self.expand(first, depth + 1, fuel),
            (b'?', false) => second.map(|second| self.expand(second, depth + 1, fuel)).unwrap_or_default(),
            _ => String::new(),
        }
    }
}

/// `text`, or `{text}`, or `{text}:{text}`.
fn branches(text: &str) -> (&str, Option<&str>) {
    let trimmed = text.trim_start();
    let Some(end) = trimmed.starts_with('{').then(|| closing(trimmed, '{')).flatten() else { return (text, None) };
    let first = trimmed.get(1..end).unwrap_or_default();
    let rest = trimmed.get(end + 1..).unwrap_or_default().trim_start();
    let second = rest.strip_prefix(':').map(|rest| {
        let rest = rest.trim_start();
        let end = rest.starts_with('{').then(|| closing(rest, '{')).flatten();
        end.and_then(|end| rest.get(1..end)).unwrap_or(rest)
    });
    (first, second)
}

/// Where the bracket that `text` begins with closes.
fn closing(text: &str, open: char) -> Option<usize> {
    let close = if open == '{' { '}' } else { ')' };
    let mut depth = 0_usize;
    for (at, c) in text.char_indices() {
        if c == open {
            depth += 1;
        } else if c == close {
            depth = depth.checked_sub(1)?;
            if depth == 0 {
                return Some(at);
            }
        }
    }
    None
}

/// The lines of main.cf.
pub(super) fn main_cf(path: &Arc<str>, bytes: &[u8]) -> Vec<Line> {
    lines::read(path, bytes, None, &GRAMMAR)
}
