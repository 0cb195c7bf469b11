//! The language of policies (crypto-policies(7)): lines `property@scope = values`, with the older spellings that the program still
//! takes (python/cryptopolicies/cryptopolicies.py).

use std::sync::Arc;

use super::algorithms::{self, DTLS, NUMBERS, SCOPES, TLS, WORDS};
use crate::files::fits;
use crate::span::Span;

/// What a directive does to a list, a number or a word.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Operation {
    /// The list begins anew with these, each once.
    Set(Vec<&'static str>),
    /// `x+`: it goes to the end where it is not in the list yet.
    Append(&'static str),
    /// `+x`: it goes to the front.
    Prepend(&'static str),
    /// `-x`.
    Omit(&'static str),
    Number(u32),
    Word,
}

/// One line.
#[derive(Clone, Debug)]
pub(super) struct Directive {
    pub(super) property: String,
    /// Lower case; `*` for all.
    pub(super) scope: String,
    pub(super) operations: Vec<Operation>,
    /// As written, white space single.
    pub(super) written: String,
    /// Its left side as written.
    pub(super) name: String,
    pub(super) at: Span,
    pub(super) value_at: Span,
}

/// A line for which the program refuses the whole policy.
#[derive(Clone, Debug)]
pub(super) struct Wrong {
    pub(super) at: Span,
    pub(super) says: String,
}

/// A line without its comment, put together from those that end with `\`.
struct Logical {
    text: String,
    start: usize,
    end: usize,
    value_start: usize,
}

/// Most changes that a file makes; a shipped policy makes some hundred.
const MOST_OPERATIONS: usize = 20_000;
/// Longest scope, bytes.
const LONGEST_SCOPE: usize = 400;

/// Deprecated names of lists, moved to the end of the file by the program.
const MOVED: &[(&str, &str)] =
    &[("tls_cipher", "cipher@tls"), ("ssh_cipher", "cipher@ssh"), ("ssh_group", "group@ssh"), ("ike_protocol", "protocol@ike")];

/// The directives of a file, in the order in which they count.
pub(super) fn read(path: &Arc<str>, bytes: &[u8]) -> (Vec<Directive>, Vec<Wrong>) {
    let (mut directives, mut moved, mut wrong) = (Vec::new(), Vec::new(), Vec::new());
    let mut count = 0;
    for line in logical(bytes) {
        let span = |start, end| Span { path: Arc::clone(path), start, end };
        let at = span(line.start, line.end);
        let mut sides = line.text.split('=');
        let (Some(left), Some(right), None) = (sides.next(), sides.next(), sides.next()) else {
            wrong.push(Wrong { at, says: format!("`{}` is no line `property = value`", line.text) });
            continue;
        };
        let (left, right) = (left.trim(), words(right));
        let old = MOVED.iter().find(|(old, _)| *old == left);
        let (name, value) = match old {
            Some((_, new)) => ((*new).to_owned(), right.clone()),
            None => newer(left, &right),
        };
        if name.is_empty() {
            if left.is_empty() {
                wrong.push(Wrong { at, says: "a line begins with `=`".to_owned() });
            }
            continue;
        }
        let (property, scope) = name.split_once('@').unwrap_or((&name, "*"));
        let scope = scope.to_ascii_lowercase();
        let known = scope.len() <= LONGEST_SCOPE && scope_is_known(&scope);
        match (known, operations(property, &value)) {
            (true, Ok(operations)) => {
                count += operations.len() + 1;
                if count > MOST_OPERATIONS {
                    wrong.push(Wrong { at, says: "there is more in the file than is read here".to_owned() });
                    break;
                }
                let directive = Directive {
                    property: property.to_owned(),
                    scope,
                    operations,
                    written: right,
                    name: left.to_owned(),
                    at,
                    value_at: span(line.value_start, line.end),
                };
                if old.is_some() { moved.push(directive) } else { directives.push(directive) }
            }
            (false, _) => wrong.push(Wrong { at, says: format!("there is no scope `{scope}`") }),
            (_, Err(says)) => wrong.push(Wrong { at, says }),
        }
    }
    directives.extend(moved);
    (directives, wrong)
}

fn words(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// What a deprecated line stands for; an empty name for nothing.
fn newer(name: &str, value: &str) -> (String, String) {
    let lowest = |versions: &[&str]| {
        let older = versions.iter().position(|known| *known == value).and_then(|at| versions.get(at + 1..));
        older.map(|older| older.iter().rev().map(|version| format!("-{version}")).collect::<Vec<_>>().join(" "))
    };
    let as_protocol = |versions: &[&str]| match lowest(versions) {
        Some(older) if older.is_empty() => (String::new(), String::new()),
        Some(older) => ("protocol@tls".to_owned(), older),
        None if value == "0" => (String::new(), String::new()),
        None => (name.to_owned(), value.to_owned()),
    };
    match name {
        "min_tls_version" => as_protocol(TLS),
        "min_dtls_version" => as_protocol(DTLS),
        "sha1_in_dnssec" => (String::new(), String::new()),
        _ => (name.to_owned(), value.replace("X25519-MLKEM768", "MLKEM768-X25519")),
    }
}

fn logical(bytes: &[u8]) -> Vec<Logical> {
    let mut lines = Vec::new();
    let mut open: Option<Logical> = None;
    let mut at = 0;
    for raw in bytes.split_inclusive(|byte| *byte == b'\n') {
        let begins = at;
        at += raw.len();
        let code = raw.split(|byte| *byte == b'#').next().unwrap_or_default();
        let text = code.trim_ascii();
        let start = begins + code.iter().take_while(|byte| byte.is_ascii_whitespace()).count();
        let (text, goes_on) = match text.strip_suffix(b"\\") {
            Some(text) => (text, true),
            None => (text, false),
        };
        let end = start + text.trim_ascii_end().len();
        let piece = String::from_utf8_lossy(text);
        let mut line = open.take().unwrap_or_else(|| Logical { text: String::new(), start, end, value_start: 0 });
        if line.value_start == 0
            && let Some(equals) = text.iter().position(|byte| *byte == b'=')
        {
            let blanks = text.iter().skip(equals + 1).take_while(|byte| byte.is_ascii_whitespace()).count();
            line.value_start = start + equals + 1 + blanks;
        }
        line.text.push_str(&piece);
        line.end = line.end.max(end);
        if goes_on {
            open = Some(line);
        } else if !line.text.trim().is_empty() {
            lines.push(line);
        }
    }
    lines.extend(open.filter(|line| !line.text.trim().is_empty()));
    for line in &mut lines {
        line.value_start = line.value_start.clamp(line.start, line.end);
    }
    lines
}

/// What the right side does.
fn operations(property: &str, value: &str) -> Result<Vec<Operation>, String> {
    let is_number = !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit());
    if NUMBERS.iter().any(|(known, _)| *known == property) {
        let number = value.parse().map_err(|_| format!("`{property}` wants a number and not `{value}`"))?;
        return Ok(vec![Operation::Number(number)]);
    }
    if let Some((_, known)) = WORDS.iter().find(|(known, _)| *known == property) {
        return if known.contains(&value) {
            Ok(vec![Operation::Word])
        } else {
            Err(format!("`{property}` knows no `{value}`"))
        };
    }
    let names = algorithms::class(property).ok_or_else(|| format!("there is no property `{property}`"))?;
    if is_number {
        return Err(format!("`{property}` wants names and not `{value}`"));
    }
    let changes = |word: &&str| word.starts_with(['+', '-']) || word.ends_with('+');
    let words: Vec<&str> = value.split_whitespace().collect();
    let differential = words.iter().filter(|word| changes(word)).count();
    if differential == 0 {
        let mut all: Vec<&'static str> = Vec::new();
        for word in words {
            for name in expand(word, names)? {
                if !all.contains(&name) {
                    all.push(name);
                }
            }
        }
        return Ok(vec![Operation::Set(all)]);
    }
    if differential < words.len() {
        return Err(format!("`{value}` sets a list and changes it at once"));
    }
    let mut operations = Vec::new();
    for word in words {
        if operations.len() > MOST_OPERATIONS {
            break;
        }
        if let Some(pattern) = word.strip_prefix('+') {
            operations.extend(expand(pattern, names)?.into_iter().rev().map(Operation::Prepend));
        } else if let Some(pattern) = word.strip_suffix('+') {
            operations.extend(expand(pattern, names)?.into_iter().rev().map(Operation::Append));
        } else {
            operations.extend(expand(word.trim_start_matches('-'), names)?.into_iter().map(Operation::Omit));
        }
    }
    Ok(operations)
}

/// What a name or a pattern stands for. A name that is not known here may be one of a newer program, and is passed over.
fn expand(pattern: &str, names: &[&'static str]) -> Result<Vec<&'static str>, String> {
    if !pattern.contains(['*', '?', '[']) {
        return Ok(names.iter().filter(|name| **name == pattern).copied().collect());
    }
    let found: Vec<&'static str> = names.iter().filter(|name| fits(pattern.as_bytes(), name.as_bytes())).copied().collect();
    if found.is_empty() { Err(format!("`{pattern}` stands for nothing")) } else { Ok(found) }
}

/// The patterns of a scope, and whether it is meant by them.
fn patterns(scope: &str) -> (bool, Vec<&str>) {
    let (positive, scope) = scope.strip_prefix('!').map_or((true, scope), |scope| (false, scope));
    let inner = scope.strip_prefix('{').and_then(|scope| scope.strip_suffix('}'));
    (positive, inner.unwrap_or(scope).split(',').collect())
}

fn scope_is_known(scope: &str) -> bool {
    patterns(scope).1.iter().all(|pattern| SCOPES.iter().any(|scope| fits(pattern.as_bytes(), scope.as_bytes())))
}

impl Directive {
    /// Whether it is for who asks with these scopes.
    pub(super) fn is_for(&self, scopes: &[&str]) -> bool {
        if self.scope == "*" {
            return true;
        }
        let (positive, patterns) = patterns(&self.scope);
        let met = scopes.iter().any(|scope| patterns.iter().any(|pattern| fits(pattern.as_bytes(), scope.as_bytes())));
        met == positive
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(text: &str) -> Result<Vec<Operation>, String> {
        let (directives, wrong) = read(&Arc::from("/p"), text.as_bytes());
        match (directives.first(), wrong.first()) {
            (Some(directive), None) => Ok(directive.operations.clone()),
            (_, Some(wrong)) => Err(wrong.says.clone()),
            (None, None) => Ok(Vec::new()),
        }
    }

    #[test]
    fn lines_are_read_with_wildcards_and_older_spellings() {
        let omit = |names: &[&'static str]| Ok(names.iter().map(|name| Operation::Omit(name)).collect());
        assert_eq!(one("cipher = RC4-* \\\n  NULL # c"), Ok(vec![Operation::Set(vec!["RC4-40", "RC4-128", "NULL"])]));
        assert_eq!(one("min_tls_version = TLS1.1"), omit(&["SSL2.0", "SSL3.0", "TLS1.0"]));
        assert_eq!(one("sign = RSA-SHA1+"), Ok(vec![Operation::Append("RSA-SHA1")]));
        assert_eq!(one("min_rsa_size = 2048"), Ok(vec![Operation::Number(2048)]));
        assert!(one("cipher = NULL -RC4-40").is_err());
        assert!(one("cipher@nowhere = NULL").is_err());
        assert!(one("cipher = X*").is_err());
        assert!(one("cipher == NULL").is_err());
    }

    #[test]
    fn scopes_choose_whom_a_line_is_for() {
        let is_for = |line: &str, scopes: &[&str]| read(&Arc::from("/p"), line.as_bytes()).0[0].is_for(scopes);
        let openssl = ["tls", "ssl", "openssl"];
        assert!(is_for("cipher@TLS = NULL", &openssl));
        assert!(!is_for("cipher@SSH = NULL", &openssl));
        assert!(is_for("cipher@!{SSH,IKE} = NULL", &openssl));
        assert!(!is_for("cipher@!{SSH,open*} = NULL", &openssl));
        assert!(is_for("cipher = NULL", &[]));
    }
}
