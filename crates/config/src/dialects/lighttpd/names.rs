//! Which blocks count for a server name (config_check_cond() of lighttpd's `configfile-glue.c`; SNI takes the place of Host).

use super::tree::{Block, Condition};

/// The names for which blocks are told apart.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Name {
    /// This one.
    Exact(String),
    /// All that end in this, which begins with a dot.
    Under(String),
    /// All that fit this expression.
    Expression(String),
    /// One that no block names, or none.
    Other,
}

impl Name {
    /// As [`crate::Service::names`] has it.
    pub(super) fn written(&self) -> Vec<String> {
        match self {
            Name::Exact(name) => vec![name.clone()],
            Name::Under(suffix) => vec![format!("*{suffix}")],
            Name::Expression(expression) => vec![format!("~{expression}")],
            Name::Other => Vec::new(),
        }
    }
}

/// Whether a condition compares the host with what it never is: its capitals stay, those of the host do not (measured).
pub(super) fn never(condition: &Condition) -> bool {
    let compares = matches!(condition.operator, "==" | "!=");
    condition.field == "HTTP[host]" && compares && condition.text.bytes().any(|byte| byte.is_ascii_uppercase())
}

/// The names that a condition on the host tells apart.
fn of_condition(condition: &Condition) -> Vec<Name> {
    if condition.field != "HTTP[host]" || never(condition) {
        return Vec::new();
    }
    let text = condition.text.to_ascii_lowercase();
    match condition.operator {
        "==" | "!=" => vec![Name::Exact(text)],
        "=$" if text.starts_with('.') => vec![Name::Under(text)],
        "=$" => vec![Name::Exact(text.clone()), Name::Under(format!(".{text}"))],
        "=~" | "!~" => plain(&text).unwrap_or_else(|| vec![Name::Expression(condition.text.clone())]),
        _ => vec![Name::Expression(format!("^{text}"))],
    }
}

/// The names of an expression that is nothing but names: `^a\.test$`, `(^|\.)a\.test$`, `^(www\.)?a\.test$`, `\.a\.test$`.
fn plain(expression: &str) -> Option<Vec<Name>> {
    let body = expression.strip_suffix('$')?;
    if let Some(rest) =
        body.strip_prefix("(^|\\.)").or_else(|| body.strip_prefix("(^|.*\\.)").or_else(|| body.strip_prefix("^(.*\\.)?")))
    {
        let name = literal(rest)?;
        return Some(vec![Name::Under(format!(".{name}")), Name::Exact(name)]);
    }
    if let Some(rest) = body.strip_prefix("^(www\\.)?").or_else(|| body.strip_prefix("^(?:www\\.)?")) {
        let name = literal(rest)?;
        return Some(vec![Name::Exact(format!("www.{name}")), Name::Exact(name)]);
    }
    if let Some(rest) = body.strip_prefix('^') {
        return Some(vec![Name::Exact(literal(rest)?)]);
    }
    let name = literal(body)?;
    name.starts_with('.').then(|| vec![Name::Under(name)])
}

fn literal(expression: &str) -> Option<String> {
    let name = expression.replace("\\.", ".");
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '_');
    (!name.is_empty() && name.chars().all(plain) && !expression.replace("\\.", "").contains('.')).then_some(name)
}

/// Blocks with the names that their conditions tell apart.
pub(super) struct Conditions<'b> {
    blocks: &'b [Block],
    names: Vec<Vec<Name>>,
}

impl<'b> Conditions<'b> {
    pub(super) fn of(blocks: &'b [Block]) -> Conditions<'b> {
        let names = blocks.iter().map(|block| block.condition.as_ref().map(of_condition).unwrap_or_default());
        Conditions { blocks, names: names.collect() }
    }

    /// Those of one block.
    pub(super) fn names(&self, index: usize) -> &[Name] {
        self.names.get(index).map(Vec::as_slice).unwrap_or_default()
    }
}

/// Whether the blocks of a chain of `else` and of parents all count for this name on this socket; `None` where that cannot be
/// told from the files.
pub(super) fn counts(conditions: &Conditions<'_>, index: usize, socket: usize, name: &Name, depth: usize) -> Option<bool> {
    let block = conditions.blocks.get(index)?;
    if depth > 100 {
        return None;
    }
    if index == 0 {
        return Some(true);
    }
    let mut sure = true;
    let parent = block.parent.map(|parent| counts(conditions, parent, socket, name, depth + 1));
    let before = block.instead_of.iter().map(|earlier| own(conditions, *earlier, socket, name).map(|holds| !holds));
    let all = [Some(own(conditions, index, socket, name)), parent].into_iter().flatten().chain(before);
    for holds in all {
        match holds {
            Some(false) => return Some(false),
            Some(true) => {}
            None => sure = false,
        }
    }
    sure.then_some(true)
}

/// Whether the condition of one block holds, whatever surrounds it.
fn own(conditions: &Conditions<'_>, index: usize, socket: usize, name: &Name) -> Option<bool> {
    let block = conditions.blocks.get(index)?;
    let Some(condition) = &block.condition else { return Some(true) };
    match condition.field.as_str() {
        "SERVER[socket]" if condition.operator == "==" => Some(index == socket),
        "HTTP[host]" if never(condition) => Some(condition.operator == "!="),
        "HTTP[host]" => {
            let holds = conditions.names(index).iter().map(|wanted| fits(wanted, name)).reduce(|a, b| match (a, b) {
                (Some(true), _) | (_, Some(true)) => Some(true),
                (Some(false), Some(false)) => Some(false),
                _ => None,
            });
            let holds = holds.flatten();
            if condition.operator.starts_with('!') { holds.map(|holds| !holds) } else { holds }
        }
        "HTTP[scheme]" => Some((condition.text == "https") == (condition.operator == "==")),
        _ => None,
    }
}

fn fits(wanted: &Name, name: &Name) -> Option<bool> {
    match (wanted, name) {
        (wanted, name) if wanted == name => Some(true),
        (_, Name::Other) => Some(false),
        (Name::Exact(_), Name::Exact(_) | Name::Under(_)) => Some(false),
        (Name::Under(suffix), Name::Exact(name) | Name::Under(name)) => Some(name.ends_with(suffix)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expressions_that_are_names_are_names() {
        let exact = |name: &str| Name::Exact(name.to_owned());
        assert_eq!(plain("^a\\.test$"), Some(vec![exact("a.test")]));
        assert_eq!(plain("(^|\\.)a\\.test$"), Some(vec![Name::Under(".a.test".to_owned()), exact("a.test")]));
        assert_eq!(plain("^(www\\.)?a\\.test$"), Some(vec![exact("www.a.test"), exact("a.test")]));
        assert_eq!(plain("a.test$"), None);
        assert_eq!(plain("^[ab]\\.test$"), None);
    }
}
