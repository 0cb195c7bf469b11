//! Which lines count where: filters (`protocol`, `local_name`, `local`) around settings.

use std::collections::{BTreeSet, HashMap, HashSet};

use super::tree::{Entry, Section, Tree};
use crate::dialects::MOST_GENERAL;
use crate::setting::{Setting, Shadowed};
use crate::span::Origin;

/// Kinds of sections that limit for whom settings count, the narrowest first (config-filter.c; `remote` is about clients, which
/// files do not know).
const FILTERS: [&str; 4] = ["local_name", "local", "remote", "protocol"];
/// The section of 2.4 whose settings have its name before theirs.
const SERVER: &str = "ssl_server";

const LATER: &str = "a later line of the same section counts";
const NARROWER: &str = "a narrower section sets it anew";

/// For whom.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Scope<'s> {
    pub(super) protocol: &'s str,
    /// What stands behind `local_name`.
    pub(super) name: Option<&'s str>,
    /// What stands behind `local`.
    pub(super) address: Option<&'s str>,
}

/// The names behind `local_name`.
pub(super) fn names_of(text: &str) -> impl Iterator<Item = &str> {
    text.split([' ', '\t', ',']).filter(|name| !name.is_empty())
}

/// `*` stands for one label, and only as the first (dns_match_wildcard; measured).
fn fits(pattern: &str, name: &str) -> bool {
    let tail = |text: &str| text.split_once('.').map(|(_, tail)| tail.to_ascii_lowercase());
    pattern.eq_ignore_ascii_case(name) || (pattern.starts_with("*.") && tail(pattern).is_some() && tail(pattern) == tail(name))
}

/// The filters around an entry; `None` where it is no setting of the whole program.
fn filters(entry: &Entry) -> Option<Vec<&Section>> {
    let sections = entry.within.iter().filter(|section| section.kind != SERVER);
    sections.map(|section| FILTERS.contains(&section.kind.as_str()).then_some(section)).collect()
}

/// The key in full: within `ssl_server { … }` its first words may be left out.
fn key(entry: &Entry) -> String {
    let within = entry.within.last().is_some_and(|section| section.kind == SERVER);
    if within && !entry.key.starts_with("ssl_") { format!("{SERVER}_{}", entry.key) } else { entry.key.clone() }
}

/// Where the lines of a key stand.
#[derive(Debug, Default)]
struct Lines {
    /// Around them is neither a name nor an address.
    general: Vec<usize>,
    /// Within the outermost section of a name or an address, by its number.
    within: HashMap<usize, Vec<usize>>,
}

/// The lines by their keys and sections, so that one of many names costs no look at the lines of the others. Of one key and one
/// section, and of the sections of one name, no more than [`MOST_GENERAL`] count.
pub(super) struct Ruled<'t> {
    tree: &'t Tree,
    lines: HashMap<String, Lines>,
    /// Sections by each of the names or addresses behind them, in lower case.
    sections: HashMap<String, Vec<usize>>,
    /// The first line that does not count.
    pub(super) beyond: Option<&'t Entry>,
}

impl<'t> Ruled<'t> {
    pub(super) fn of(tree: &'t Tree) -> Ruled<'t> {
        let mut ruled = Ruled { tree, lines: HashMap::new(), sections: HashMap::new(), beyond: None };
        let mut known: HashSet<usize> = HashSet::new();
        for (index, entry) in tree.entries.iter().enumerate() {
            let Some(around) = filters(entry) else { continue };
            let lines = ruled.lines.entry(key(entry)).or_default();
            let lines = match around.iter().find(|section| section.kind.starts_with("local")) {
                None => &mut lines.general,
                Some(section) => {
                    if known.insert(section.number) {
                        let whole = std::iter::once(section.name.as_str());
                        for name in whole.chain(names_of(&section.name)).map(str::to_ascii_lowercase) {
                            let sections = ruled.sections.entry(name).or_default();
                            if sections.len() >= MOST_GENERAL {
                                ruled.beyond = ruled.beyond.or(Some(entry));
                            } else if sections.last() != Some(&section.number) {
                                sections.push(section.number);
                            }
                        }
                    }
                    lines.within.entry(section.number).or_default()
                }
            };
            if lines.len() < MOST_GENERAL {
                lines.push(index);
            } else {
                ruled.beyond = ruled.beyond.or(Some(entry));
            }
        }
        ruled
    }

    /// The lines of these keys that could count here, in their order.
    fn candidates(&self, scope: &Scope<'_>, keys: &[&str]) -> Vec<&'t Entry> {
        let mut names: Vec<String> = scope.address.iter().chain(&scope.name).map(|own| own.to_ascii_lowercase()).collect();
        if let Some(first) = scope.name.and_then(|own| names_of(own).next()).map(str::to_ascii_lowercase) {
            names.extend(first.split_once('.').map(|(_, tail)| format!("*.{tail}")));
            names.push(first);
        }
        let sections: BTreeSet<usize> = names.iter().filter_map(|name| self.sections.get(name)).flatten().copied().collect();
        let mut found: Vec<usize> = Vec::new();
        for lines in keys.iter().filter_map(|key| self.lines.get(*key)) {
            found.extend(&lines.general);
            found.extend(sections.iter().filter_map(|section| lines.within.get(section)).flatten());
        }
        found.sort_unstable();
        found.into_iter().filter_map(|index| self.tree.entries.get(index)).collect()
    }
}

impl Scope<'_> {
    fn admits(&self, section: &Section) -> bool {
        match section.kind.as_str() {
            "protocol" => match section.name.strip_prefix('!') {
                Some(other) => other.trim() != self.protocol,
                None => section.name == self.protocol,
            },
            "local_name" => self.name.is_some_and(|own| {
                own == section.name || names_of(own).all(|name| names_of(&section.name).any(|pattern| fits(pattern, name)))
            }),
            "local" => self.address == Some(section.name.as_str()),
            _ => false,
        }
    }

    /// The entries of these keys that count here, the ruling one last.
    fn entries<'t>(&self, ruled: &Ruled<'t>, keys: &[&str]) -> Vec<(Vec<&'t Section>, &'t Entry)> {
        let mut found: Vec<(Vec<&Section>, &Entry)> = Vec::new();
        for entry in ruled.candidates(self, keys) {
            if let Some(around) = filters(entry).filter(|around| around.iter().all(|section| self.admits(section))) {
                found.push((around, entry));
            }
        }
        let rank = |around: &[&Section]| -> Vec<usize> {
            FILTERS.iter().map(|kind| around.iter().filter(|section| section.kind == **kind).count()).collect()
        };
        found.sort_by_cached_key(|(around, _)| rank(around));
        // Of several sections for one name the first counts (measured).
        if let Some((ruling, _)) = found.last()
            && let Some(first) = found.iter().find(|(around, _)| rank(around) == rank(ruling)).map(|(around, _)| around.clone())
        {
            found.sort_by_cached_key(|(around, _)| (rank(around), same(around, &first)));
        }
        found
    }

    /// The value of the first of these keys' lines that rules here.
    pub(super) fn text(&self, ruled: &Ruled<'_>, keys: &[&str]) -> Option<Setting<String>> {
        let entries = self.entries(ruled, keys);
        let ((around, ruling), others) = entries.split_last()?;
        let mut setting = Setting::new(key(ruling), ruling.value.clone(), ruling.value.clone(), ruling.origin.clone());
        setting.shadow(others.iter().rev().map(|(other, entry)| {
            let equal = same(other, around);
            Shadowed {
                name: entry.key.clone(),
                text: entry.value.clone(),
                origin: entry.origin.clone(),
                why: if equal { LATER } else { NARROWER }.to_owned(),
                meant_to_count: equal,
            }
        }));
        Some(setting)
    }

    /// Lines of these keys that count for this name alone.
    pub(super) fn of_the_name(&self, ruled: &Ruled<'_>, keys: &[&str]) -> Vec<Setting<String>> {
        let entries = self.entries(ruled, keys).into_iter();
        let own = entries.filter(|(around, _)| around.iter().any(|section| section.kind == "local_name"));
        own.map(|(_, entry)| Setting::new(key(entry), entry.value.clone(), entry.value.clone(), entry.origin.clone())).collect()
    }

    /// A line of one of these keys that two filters set differently, neither within the other: Dovecot ends every connection that
    /// both are for (measured).
    pub(super) fn conflict(&self, ruled: &Ruled<'_>, keys: &[&str]) -> Option<Setting<String>> {
        let kinds = |around: &[&Section]| around.iter().map(|section| section.kind.clone()).collect::<BTreeSet<String>>();
        keys.iter().find_map(|name| {
            let entries = self.entries(ruled, &[name]);
            let ((around, ruling), others) = entries.split_last()?;
            let of_ruling = kinds(around);
            let rivals =
                |(other, entry): &(Vec<&Section>, &Entry)| !kinds(other).is_subset(&of_ruling) && entry.value != ruling.value;
            others
                .iter()
                .any(rivals)
                .then(|| Setting::new(*name, ruling.value.clone(), ruling.value.clone(), ruling.origin.clone()))
        })
    }
}

fn same(one: &[&Section], other: &[&Section]) -> bool {
    one.len() == other.len() && one.iter().zip(other).all(|(one, other)| one.kind == other.kind && one.name == other.name)
}

/// The origin of what Dovecot does by itself.
pub(super) fn built_in<T>(name: &str, value: T, text: &str, by: &str) -> Setting<T> {
    Setting::new(name, value, text, Origin::built_in(by))
}
