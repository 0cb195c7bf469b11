//! Values with their quotes, escapes and variables taken away (str_copy, crypto/conf/conf_def.c).

use super::conf::{Conf, HEAD, words};
use super::lines;
use crate::files::Files;

/// The longest value that OpenSSL takes where a variable is part of it, in bytes.
const LONGEST_VALUE: usize = 65_536;

/// Where variables are looked up.
#[derive(Clone, Copy)]
pub(super) struct Scope<'c> {
    pub(super) conf: &'c Conf,
    pub(super) files: &'c Files<'c>,
    /// `$` is part of names (`.pragma dollarid`).
    pub(super) dollar: bool,
}

/// Takes quotes and escapes away and puts the values of variables in (str_copy).
pub(super) fn expand(scope: Scope<'_>, section: Option<&str>, text: &[u8]) -> Result<Vec<u8>, String> {
    let mut value = Vec::with_capacity(text.len());
    let mut at = 0;
    while let Some(&byte) = text.get(at) {
        match byte {
            b'"' | b'\'' | b'`' => {
                at += 1;
                while let Some(&inside) = text.get(at).filter(|inside| **inside != byte) {
                    at += usize::from(inside == b'\\');
                    value.extend(text.get(at));
                    at += 1;
                }
                at += 1;
            }
            b'\\' => {
                let escaped = text.get(at + 1).map(|escaped| match escaped {
                    b'r' => b'\r',
                    b'n' => b'\n',
                    b'b' => 8,
                    b't' => b'\t',
                    other => *other,
                });
                value.extend(escaped);
                at += 2;
            }
            b'$' if !scope.dollar || matches!(text.get(at + 1), Some(b'{' | b'(')) => {
                at = variable(scope, section, text, at + 1, &mut value)?;
            }
            _ => {
                value.push(byte);
                at += 1;
            }
        }
    }
    Ok(value)
}

/// The variable whose name (or bracket) begins at `at`: adds its value, returns where it ends.
fn variable(scope: Scope<'_>, section: Option<&str>, text: &[u8], at: usize, value: &mut Vec<u8>) -> Result<usize, String> {
    let close = match text.get(at) {
        Some(b'{') => Some(b'}'),
        Some(b'(') => Some(b')'),
        _ => None,
    };
    let word_end = |mut at: usize| {
        while text.get(at).is_some_and(|byte| lines::is_word(*byte) || (scope.dollar && *byte == b'$')) {
            at += 1;
        }
        at
    };
    let mut start = at + usize::from(close.is_some());
    let mut end = word_end(start);
    let mut of = section.map(str::to_owned);
    if text.get(end..end + 2) == Some(b"::") {
        of = Some(words(text, start..end));
        start = end + 2;
        end = word_end(start);
    }
    let name = words(text, start..end);
    if let Some(close) = close {
        if text.get(end) != Some(&close) {
            return Err(format!("the bracket of the variable `{name}` does not close"));
        }
        end += 1;
    }
    let own = of.as_deref().and_then(|section| scope.conf.own(section, &name)).map(|entry| entry.value.as_str());
    let environment = || scope.files.environment(&name).filter(|_| of.as_deref() == Some("ENV"));
    let head = || scope.conf.own(HEAD, &name).map(|entry| entry.value.as_str());
    // Of an environment that nobody told of, a variable is taken for one that is set.
    let unknown = || (of.as_deref() == Some("ENV") && scope.files.environment_is_unknown()).then_some("");
    let found = own.or_else(environment).or_else(head).or_else(unknown);
    let Some(found) = found else { return Err(format!("the variable `{name}` has no value")) };
    if value.len() + found.len() + text.len() > LONGEST_VALUE {
        return Err(format!("with the variable `{name}` the value gets too long"));
    }
    value.extend(found.as_bytes());
    Ok(end)
}
