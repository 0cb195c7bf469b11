//! The elements of server.xml that matter, with the places of their attributes and `${…}` replaced.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;

use roxmltree::{Document, Error, ParsingOptions};

use crate::dialects::client::span;
use crate::service::Trouble;
use crate::span::Span;

/// Most nodes of a document, as a bound: a large server.xml has some thousands.
const MOST_NODES: u32 = 100_000;
/// Most references of a document that defines entities, times its bytes, as a bound of what they are replaced by.
const MOST_REFERRED: usize = 256 * 1024;

/// An element.
#[derive(Clone, Debug)]
pub(super) struct Element {
    pub(super) name: String,
    /// The indices of the elements that stand in it, among those kept.
    pub(super) children: Vec<usize>,
    /// `<Name`, behind which an attribute can be put.
    pub(super) head: Span,
    pub(super) attributes: Vec<Attribute>,
}

/// An attribute.
#[derive(Clone, Debug)]
pub(super) struct Attribute {
    pub(super) name: String,
    /// Its value, `${…}` replaced where it is known.
    pub(super) value: String,
    /// Whether a `${…}` is left, whose value is not known.
    pub(super) is_open: bool,
    pub(super) at: Span,
    /// Between its quotes.
    pub(super) value_at: Span,
}

impl Element {
    pub(super) fn attribute(&self, name: &str) -> Option<&Attribute> {
        self.attributes.iter().find(|attribute| attribute.name == name)
    }

    /// The value of an attribute, where it is known.
    pub(super) fn value(&self, name: &str) -> Option<&str> {
        self.attribute(name).filter(|attribute| !attribute.is_open).map(|attribute| attribute.value.as_str())
    }

    /// The elements of this name that stand in it, among all.
    pub(super) fn children<'e>(&'e self, all: &'e [Element], name: &'e str) -> impl Iterator<Item = &'e Element> {
        self.children.iter().filter_map(|index| all.get(*index)).filter(move |child| child.name == name)
    }

    /// The same with another value of an attribute.
    pub(super) fn with(&self, name: &str, value: &str) -> Element {
        let mut changed = self.clone();
        changed.attributes.retain(|attribute| attribute.name != name);
        let (name, value, at) = (name.to_owned(), value.to_owned(), self.head.clone());
        changed.attributes.push(Attribute { name, value, is_open: false, value_at: at.clone(), at });
        changed
    }

    pub(super) fn is_true(&self, name: &str) -> bool {
        self.value(name).is_some_and(|value| value.eq_ignore_ascii_case("true"))
    }
}

/// Which elements are kept.
const KEPT: &[&str] = &["Server", "Listener", "Service", "Connector", "SSLHostConfig", "Certificate", "UpgradeProtocol"];

/// The elements of a document in its order. Nothing outside the file is ever read: an entity that is defined elsewhere is an error.
pub(super) fn elements(path: &Arc<str>, bytes: &[u8], variables: &HashMap<String, String>) -> Result<Vec<Element>, Trouble> {
    let trouble = |at: usize, says: &str, fatal| Trouble { at: Some(span(path, at, at)), says: says.to_owned(), fatal };
    let text =
        std::str::from_utf8(bytes).map_err(|error| trouble(error.valid_up_to(), "what is not UTF-8 is not read", false))?;
    let references = || bytes.iter().filter(|byte| **byte == b'&').count();
    if text.contains("<!ENTITY") && references().saturating_mul(bytes.len()) > MOST_REFERRED {
        return Err(trouble(0, "it is not read: its entities could make it very large", false));
    }
    let options = ParsingOptions { allow_dtd: true, nodes_limit: MOST_NODES, ..ParsingOptions::default() };
    let document = Document::parse_with_options(text, options).map_err(|error| {
        let row = usize::try_from(error.pos().row).unwrap_or(1).saturating_sub(1);
        let start: usize = text.split_inclusive('\n').take(row).map(str::len).sum();
        // Tomcat reads what a document type refers to, and has no such bound.
        if text.contains("<!DOCTYPE") || matches!(error, Error::NodesLimitReached) {
            return trouble(start, &format!("it is not read ({error})"), false);
        }
        trouble(start, &format!("it is no XML ({error}): Tomcat does not start"), true)
    })?;
    let mut kept: Vec<Element> = Vec::new();
    let mut indices = HashMap::new();
    for node in document.root_element().descendants().filter(|node| node.is_element()) {
        let name = node.tag_name().name();
        if !KEPT.contains(&name) {
            continue;
        }
        let parent: Option<usize> = node.parent_element().and_then(|parent| indices.get(&parent.id()).copied());
        // What is written in an entity has its place there.
        let start = node.range().start;
        let head = start..(start + 1 + name.len()).min(bytes.len());
        let attributes = node.attributes().filter_map(|attribute| {
            let (at, value_at) = (attribute.range(), attribute.range_value());
            bytes.get(value_at.clone())?;
            let (value, is_open) = replaced(attribute.value(), variables);
            Some(Attribute {
                name: attribute.name().to_owned(),
                value,
                is_open,
                at: of(path, &at, bytes),
                value_at: of(path, &value_at, bytes),
            })
        });
        let index = kept.len();
        indices.insert(node.id(), index);
        if let Some(parent) = parent.and_then(|parent| kept.get_mut(parent)) {
            parent.children.push(index);
        }
        kept.push(Element {
            name: name.to_owned(),
            children: Vec::new(),
            head: of(path, &head, bytes),
            attributes: attributes.collect(),
        });
    }
    Ok(kept)
}

fn of(path: &Arc<str>, range: &Range<usize>, bytes: &[u8]) -> Span {
    let start = range.start.min(bytes.len());
    span(path, start, range.end.clamp(start, bytes.len()))
}

/// The text with `${name}` and `${name:-default}` replaced once, and whether one is left.
fn replaced(text: &str, variables: &HashMap<String, String>) -> (String, bool) {
    let mut out = String::new();
    let mut is_open = false;
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("${") {
        out.push_str(before);
        let Some((name, behind)) = after.split_once('}') else {
            out.push_str("${");
            rest = after;
            continue;
        };
        let (name, default) = name.split_once(":-").map_or((name, None), |(name, default)| (name, Some(default)));
        match variables.get(name).map(String::as_str).or(default) {
            Some(value) => out.push_str(value),
            None => {
                is_open = true;
                out.push_str(&format!("${{{name}}}"));
            }
        }
        rest = behind;
    }
    out.push_str(rest);
    (out, is_open)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn properties_stand_for_their_values() {
        let variables = HashMap::from([("a.b".to_owned(), "x".to_owned())]);
        assert_eq!(replaced("1${a.b}2${c:-d}", &variables), ("1x2d".to_owned(), false));
        assert_eq!(replaced("${none}${", &variables), ("${none}${".to_owned(), true));
    }

    #[test]
    fn nothing_outside_the_file_is_read() {
        let read = |text: &str| elements(&Arc::from("/x"), text.as_bytes(), &HashMap::new());
        let text = "<!DOCTYPE Server [<!ENTITY c \"<Connector port='1'/>\">]><Server><Service>&c;</Service></Server>";
        assert_eq!(read(text).unwrap().len(), 3);
        assert!(read(&text.replace("\"<Connector port='1'/>\"", "SYSTEM \"file:///etc/passwd\"")).is_err());
        assert!(read("<Server>").is_err_and(|trouble| trouble.fatal));
        let many = text.replace("&c;", &"&c;".repeat(10_000));
        assert!(read(&many).is_err_and(|trouble| !trouble.fatal));
        assert!(read(&"<Server>".repeat(1_000_000)).is_err_and(|trouble| !trouble.fatal));
    }
}
