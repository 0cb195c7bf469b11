//! Which of the words that say the same thing counts: those of the crt-list's entry before those of the line before the
//! defaults of `global` (or of `default-server`), the last within each.

use std::sync::Arc;

use crate::setting::{Setting, Shadowed};
use crate::span::{Origin, Span, Via};

/// A keyword with its value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Item {
    /// The keyword as on a `bind` or `server` line: `ssl-min-ver`, `ciphers`.
    pub(super) key: String,
    /// The directive as it is written: `ssl-default-bind-ciphers`, `ssl-default-bind-options ssl-min-ver`.
    pub(super) name: String,
    /// Its value; empty for a bare word.
    pub(super) value: String,
    pub(super) at: Span,
    pub(super) value_at: Span,
    pub(super) via: Option<Arc<Via>>,
    /// Number of its line among all lines.
    pub(super) order: usize,
}

impl Item {
    pub(super) fn origin(&self) -> Origin {
        Origin::file(self.at.clone(), self.value_at.clone(), self.via.as_ref())
    }

    pub(super) fn setting<T>(&self, value: T) -> Setting<T> {
        Setting::new(self.name.clone(), value, self.value.clone(), self.origin())
    }

    pub(super) fn shadowed(&self, why: &str, meant_to_count: bool) -> Shadowed {
        Shadowed {
            name: self.name.clone(),
            text: self.value.clone(),
            origin: self.origin(),
            why: why.to_owned(),
            meant_to_count,
        }
    }
}

/// The words that concern one service, the narrowest scope first.
#[derive(Debug, Default)]
pub(super) struct Scopes<'i> {
    pub(super) levels: Vec<&'i [Item]>,
    /// Defaults that stand further down than the line: HAProxy takes them as it reads, so they come too late.
    pub(super) late: &'i [Item],
}

const LATE: &str = "it stands below this line: HAProxy gives a line the defaults that it has read so far";

impl<'i> Scopes<'i> {
    pub(super) fn all(&self) -> impl Iterator<Item = &'i Item> {
        self.levels.iter().flat_map(|level| level.iter())
    }

    /// Whether a bare word stands anywhere.
    pub(super) fn last(&self, key: &str) -> Option<&'i Item> {
        self.levels.iter().find_map(|level| level.iter().rev().find(|item| item.key == key))
    }

    /// The defaults that come too late.
    pub(super) fn late(&self, fits: impl Fn(&Item) -> bool) -> Vec<Shadowed> {
        self.late.iter().filter(|item| fits(item)).map(|item| item.shadowed(LATE, true)).collect()
    }

    /// The one that counts, with what it shadows.
    pub(super) fn setting<T>(&self, fits: impl Fn(&Item) -> bool, read: impl Fn(&Item) -> Option<T>) -> Option<Setting<T>> {
        let mut setting: Option<Setting<T>> = None;
        let mut level_of_it = 0;
        for (number, level) in self.levels.iter().enumerate() {
            for item in level.iter().rev().filter(|item| fits(item)) {
                match setting.as_mut() {
                    None => {
                        setting = Some(item.setting(read(item)?));
                        level_of_it = number;
                    }
                    Some(setting) if number == level_of_it => {
                        setting.shadow([item.shadowed("the same word further on replaces it", true)]);
                    }
                    Some(setting) => setting.shadow([item.shadowed("a narrower setting replaces it", false)]),
                }
            }
        }
        // Where a line says it itself, the default would not have counted anyway.
        if let Some(setting) = setting.as_mut()
            && level_of_it + 1 == self.levels.len()
        {
            setting.shadow(self.late.iter().filter(|item| fits(item)).map(|item| item.shadowed(LATE, true)));
        }
        setting
    }

    pub(super) fn of<T>(&self, key: &str, read: impl Fn(&str) -> Option<T>) -> Option<Setting<T>> {
        self.setting(|item| item.key == key, |item| read(&item.value))
    }
}
