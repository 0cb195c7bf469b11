//! JSON with the places of its values. Each value is read as deep as it is looked into.

use std::sync::Arc;

use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use crate::span::Span;

/// A value within a text.
#[derive(Clone, Copy, Debug)]
pub(super) struct Value<'t> {
    raw: &'t str,
    whole: &'t str,
    path: &'t Arc<str>,
}

/// The members of an object, in their order.
struct Members<'t>(Vec<(String, &'t RawValue)>);

impl<'de> Deserialize<'de> for Members<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reading;
        impl<'de> Visitor<'de> for Reading {
            type Value = Members<'de>;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Members<'de>, M::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry::<String, &'de RawValue>()? {
                    members.push(member);
                }
                Ok(Members(members))
            }
        }
        deserializer.deserialize_map(Reading)
    }
}

impl<'t> Value<'t> {
    /// A whole text.
    ///
    /// # Errors
    /// It is no JSON: where, and why.
    pub(super) fn of(whole: &'t str, path: &'t Arc<str>) -> Result<Value<'t>, (Span, String)> {
        match serde_json::from_str::<&RawValue>(whole) {
            Ok(value) => Ok(Value { raw: value.get(), whole, path }),
            Err(error) => {
                let line = whole.split_inclusive('\n').take(error.line().saturating_sub(1)).map(str::len).sum::<usize>();
                let start = (line + error.column().saturating_sub(1)).min(whole.len());
                let at = Span { path: Arc::clone(path), start, end: start };
                Err((at, format!("it is no JSON that Caddy reads: {error}")))
            }
        }
    }

    fn inner(&self, value: &'t RawValue) -> Value<'t> {
        Value { raw: value.get(), ..*self }
    }

    /// Its place: the text of a value is a part of the whole.
    pub(super) fn at(&self) -> Span {
        let start = (self.raw.as_ptr() as usize).saturating_sub(self.whole.as_ptr() as usize).min(self.whole.len());
        Span { path: Arc::clone(self.path), start, end: (start + self.raw.len()).min(self.whole.len()) }
    }

    pub(super) fn is_null(&self) -> bool {
        self.raw == "null"
    }

    /// As it is written.
    pub(super) fn text(&self) -> &'t str {
        self.raw
    }

    pub(super) fn members(&self) -> Vec<(String, Value<'t>)> {
        let members = serde_json::from_str::<Members<'t>>(self.raw).map(|members| members.0).unwrap_or_default();
        members.into_iter().map(|(name, value)| (name, self.inner(value))).collect()
    }

    /// The last member of this name, which counts.
    pub(super) fn get(&self, name: &str) -> Option<Value<'t>> {
        self.members().into_iter().rfind(|(known, _)| known == name).map(|(_, value)| value).filter(|value| !value.is_null())
    }

    pub(super) fn elements(&self) -> Vec<Value<'t>> {
        let elements = serde_json::from_str::<Vec<&'t RawValue>>(self.raw).unwrap_or_default();
        elements.into_iter().map(|value| self.inner(value)).collect()
    }

    /// The strings of an array.
    pub(super) fn strings(&self) -> Vec<String> {
        serde_json::from_str(self.raw).unwrap_or_default()
    }

    pub(super) fn string(&self) -> Option<String> {
        serde_json::from_str(self.raw).ok()
    }

    pub(super) fn port(&self) -> Option<u16> {
        serde_json::from_str(self.raw).ok()
    }

    pub(super) fn is_true(&self) -> bool {
        self.raw == "true"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_know_where_they_stand() {
        let (text, path) = ("{ \"a\": [1, {\"b\": \"x\\ty\"}], \"a\": {\"c\" : [ \"d\" ]} }", Arc::from("/j"));
        let value = Value::of(text, &path).unwrap();
        let last = value.get("a").and_then(|last| last.get("c")).unwrap();
        let at = last.at();
        assert_eq!((&text[at.start..at.end], last.strings()), ("[ \"d\" ]", vec!["d".to_owned()]));
        let first = value.members()[0].1.elements()[1].get("b").unwrap();
        assert_eq!((first.text(), first.string().as_deref()), ("\"x\\ty\"", Some("x\ty")));
        let (at, _) = Value::of("{\n \"a\": ]\n}", &path).unwrap_err();
        assert_eq!(at.start, 8);
    }
}
