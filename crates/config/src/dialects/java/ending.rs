//! Edits: what is wanted is taken out of the lists that count, as narrowly as their words allow, and the rest stays off.

use std::collections::BTreeMap;

use tlswhy_wire::{CipherSuite, NamedGroup, ProtocolVersion, SignatureScheme};

use super::lines::{Disabled, Line, Lines};
use super::{DISABLED, homes, options};
use crate::dialects::{Context, client};
use crate::language::java_algorithms::Entry;
use crate::language::jsse;
use crate::language::jsse_offer::{Named, Offer};
use crate::mend::{CannotMend, Patch, Want};
use crate::release::Release;
use crate::service::{Reading, Service};
use crate::span::Span;

pub(super) fn mend(context: &Context<'_>, _: &Service, want: &Want) -> Result<Vec<Patch>, CannotMend> {
    let mut reading = Reading::default();
    let lines = Lines::of(context, &mut reading);
    let disabled = lines.disabled(&mut reading);
    if let Some(trouble) = reading.troubles.iter().find(|trouble| trouble.fatal) {
        return Err(CannotMend::because(trouble.says.clone()));
    }
    let Some(ruling) = lines.last(DISABLED) else {
        return Err(CannotMend::because(format!("no `{DISABLED}` is there to change")));
    };
    let release = lines.release;
    let wanted = Wanted::of(want)?;
    wanted.possible(context, release)?;
    let entries: Vec<&Entry> = disabled.iter().map(|one| &one.entry).collect();
    let named = options::named(context.files, release);
    let every = Everything::of(release);
    let replaced: Vec<Option<String>> = entries.iter().map(|entry| wanted.without(entry, &entries, &every)).collect();
    let more = wanted.not_wanted(&Offer::under(&entries, &named, release));
    let main = context.files.path(context.main);
    let own = !homes::is_of_a_machine(&main) && reading.files.iter().any(|path| **path == *main);
    let changed = Changed { lines: &lines, disabled: &disabled, replaced: &replaced, more: &more, ruling, own };
    changed.check(&wanted, &named)?;
    let patches = changed.patches(context)?;
    if patches.is_empty() {
        return Err(CannotMend::because("that is so already"));
    }
    Ok(patches)
}

/// Exactly what is to be on of one kind.
enum Wanted<'w> {
    Versions(&'w [ProtocolVersion]),
    /// Whether they are those of TLS 1.3.
    Suites(&'w [CipherSuite], bool),
    Groups(&'w [NamedGroup]),
    Schemes(&'w [SignatureScheme]),
}

/// All that this release can do, by Java's names for them.
struct Everything {
    release: Option<Release>,
    suites: Vec<CipherSuite>,
    groups: Vec<NamedGroup>,
    schemes: Vec<SignatureScheme>,
}

impl Everything {
    fn of(release: Option<Release>) -> Everything {
        Everything {
            release,
            suites: jsse::suites(release).unwrap_or_default(),
            groups: jsse::groups(release).unwrap_or_default(),
            schemes: jsse::schemes(release).unwrap_or_default(),
        }
    }
}

impl<'w> Wanted<'w> {
    fn of(want: &'w Want) -> Result<Wanted<'w>, CannotMend> {
        Ok(match want {
            Want::Versions(versions) => Wanted::Versions(versions),
            Want::CipherList(suites, None) => Wanted::Suites(suites, false),
            Want::CipherSuites(suites) => Wanted::Suites(suites, true),
            Want::Groups(groups) => Wanted::Groups(groups),
            Want::SignatureAlgorithms(schemes) => Wanted::Schemes(schemes),
            other => return Err(CannotMend::because(format!("java.security has no property for {other:?}"))),
        })
    }

    /// What no list gives or takes.
    fn possible(&self, context: &Context<'_>, release: Option<Release>) -> Result<(), CannotMend> {
        fn missing<T: PartialEq + ToString>(wanted: &[T], there: Option<&Vec<T>>) -> Option<String> {
            wanted.iter().find(|one| there.is_some_and(|there| !there.contains(one))).map(ToString::to_string)
        }
        let (property, missing) = match self {
            Wanted::Versions(wanted) => (options::PROTOCOLS, missing(wanted, Some(&jsse::versions(release)))),
            Wanted::Suites(wanted, _) => (options::SUITES, missing(wanted, jsse::suites(release).as_ref())),
            Wanted::Groups(wanted) => (options::GROUPS, missing(wanted, jsse::groups(release).as_ref())),
            Wanted::Schemes(wanted) => (options::SCHEMES, missing(wanted, jsse::schemes(release).as_ref())),
        };
        if let Some(missing) = missing {
            return Err(CannotMend::because(format!("Java does not offer {missing}, whatever the list says")));
        }
        match options::given(context.files, property, release) {
            Some(given) => {
                Err(CannotMend::because(format!("-D{property}=… in {} names it, and no file changes that", given.by)))
            }
            None => Ok(()),
        }
    }

    fn takes(&self, entry: &Entry, release: Option<Release>) -> bool {
        match self {
            Wanted::Versions(wanted) => wanted.iter().any(|version| entry.takes_version(*version)),
            Wanted::Suites(wanted, _) => wanted.iter().any(|suite| entry.takes_suite(*suite, release)),
            Wanted::Groups(wanted) => wanted.iter().any(|group| entry.takes_group(*group)),
            Wanted::Schemes(wanted) => wanted.iter().any(|scheme| entry.takes_scheme(*scheme, release)),
        }
    }

    /// What stands in the place of an entry that takes something wanted: a lower size, else the names of what else it takes and nothing
    /// but it; `None` where the entry stays.
    fn without(&self, entry: &Entry, all: &[&Entry], every: &Everything) -> Option<String> {
        let release = every.release;
        if !self.takes(entry, release) {
            return None;
        }
        let sized = |group: NamedGroup| jsse::GROUPS.iter().find(|row| row.group == group).map(|row| row.bits);
        let sizes = match self {
            Wanted::Groups(wanted) => {
                wanted.iter().filter(|group| entry.takes_group(**group)).filter_map(|one| sized(*one)).min()
            }
            Wanted::Schemes(wanted) => {
                let taken =
                    jsse::SCHEMES.iter().filter(|row| wanted.contains(&row.scheme) && entry.takes_scheme(row.scheme, release));
                taken.filter_map(|row| sized(row.curve?)).min()
            }
            _ => None,
        };
        if let Some(below) = sizes.and_then(|size| entry.below(size)) {
            return Some(below);
        }
        let stays = |takes: &dyn Fn(&Entry) -> bool| {
            takes(entry) && !all.iter().any(|other| takes(other) && !self.takes(other, release))
        };
        let is_wanted_suite = |suite: &CipherSuite| matches!(self, Wanted::Suites(wanted, _) if wanted.contains(suite));
        let is_wanted_group = |group: &NamedGroup| matches!(self, Wanted::Groups(wanted) if wanted.contains(group));
        let is_wanted_scheme = |scheme: &SignatureScheme| matches!(self, Wanted::Schemes(wanted) if wanted.contains(scheme));
        let mut names: Vec<String> = Vec::new();
        if !matches!(self, Wanted::Versions(_)) {
            let suites = every.suites.iter().filter(|suite| !is_wanted_suite(suite));
            let suites = suites.filter(|suite| stays(&|entry| entry.takes_suite(**suite, release)));
            names.extend(suites.map(|suite| jsse::suite_name(*suite).to_owned()));
            let groups = every.groups.iter().filter(|group| !is_wanted_group(group));
            names.extend(groups.filter(|group| stays(&|entry| entry.takes_group(**group))).map(ToString::to_string));
            let schemes = every.schemes.iter().filter(|scheme| !is_wanted_scheme(scheme));
            let schemes = schemes.filter(|scheme| stays(&|entry| entry.takes_scheme(**scheme, release)));
            names.extend(schemes.map(|scheme| jsse::scheme_name(*scheme)));
        }
        Some(names.join(", "))
    }

    /// The names of what is on and not wanted.
    fn not_wanted(&self, offer: &Offer) -> Vec<String> {
        match self {
            Wanted::Versions(wanted) => {
                let off = offer.versions.iter().filter(|version| !wanted.contains(version));
                off.filter_map(|version| jsse::version_name(*version)).map(str::to_owned).collect()
            }
            Wanted::Suites(wanted, of_13) => {
                let off = offer.suites.iter().flatten().filter(|suite| is_13(**suite) == *of_13 && !wanted.contains(suite));
                off.map(|suite| jsse::suite_name(*suite).to_owned()).collect()
            }
            Wanted::Groups(wanted) => {
                let off = offer.groups.iter().flatten().filter(|group| !wanted.contains(group));
                off.map(ToString::to_string).collect()
            }
            Wanted::Schemes(wanted) => {
                let off = offer.schemes.iter().flatten().filter(|scheme| !wanted.contains(scheme));
                off.map(|scheme| jsse::scheme_name(*scheme)).collect()
            }
        }
    }

    /// What of it is not on.
    fn lacking(&self, offer: &Offer) -> Option<String> {
        fn first<T: PartialEq + ToString>(wanted: &[T], there: Option<&Vec<T>>) -> Option<String> {
            wanted.iter().find(|one| there.is_none_or(|there| !there.contains(one))).map(ToString::to_string)
        }
        match self {
            Wanted::Versions(wanted) => first(wanted, Some(&offer.versions)),
            Wanted::Suites(wanted, _) => first(wanted, offer.suites.as_ref()),
            Wanted::Groups(wanted) => first(wanted, offer.groups.as_ref()),
            Wanted::Schemes(wanted) => first(wanted, offer.schemes.as_ref()),
        }
    }
}

fn is_13(suite: CipherSuite) -> bool {
    suite.0 >> 8 == 0x13
}

/// The lists as they are to become.
struct Changed<'c, 'l> {
    lines: &'c Lines,
    disabled: &'c [Disabled<'l>],
    /// What stands in the place of each entry; `None` where it stays.
    replaced: &'c [Option<String>],
    /// What is added to the list for handshakes.
    more: &'c [String],
    ruling: &'c Line,
    /// Whether the main file is one program's own, and counts.
    own: bool,
}

impl Changed<'_, '_> {
    /// Whether the changed lists give what is wanted: a suite may lack the groups that it needs, a version its suites.
    fn check(&self, wanted: &Wanted<'_>, named: &Named) -> Result<(), CannotMend> {
        let release = self.lines.release;
        let texts =
            self.disabled.iter().zip(self.replaced).filter_map(|(one, replaced)| replaced.as_ref().map(|text| (one, text)));
        let mut entries: Vec<Entry> = Vec::new();
        for (one, text) in texts {
            entries.extend(one.entry.like(text, release)?);
        }
        let more = self.more.join(", ");
        if let Some(first) = self.disabled.first() {
            entries.extend(first.entry.like(&more, release)?);
        }
        let stay =
            self.disabled.iter().zip(self.replaced).filter(|(_, replaced)| replaced.is_none()).map(|(one, _)| &one.entry);
        let all: Vec<&Entry> = stay.chain(&entries).collect();
        match wanted.lacking(&Offer::under(&all, named, release)) {
            Some(lacking) => Err(CannotMend::because(format!("{lacking} needs more than an entry of these lists"))),
            None => Ok(()),
        }
    }

    fn patches(&self, context: &Context<'_>) -> Result<Vec<Patch>, CannotMend> {
        let mut patches: Vec<Patch> = Vec::new();
        let mut whole: BTreeMap<&str, String> = BTreeMap::new();
        for (one, replaced) in self.disabled.iter().zip(self.replaced) {
            let Some(text) = replaced else { continue };
            if self.is_below(context, one.line) {
                whole.insert(&one.line.property.key, self.list_of(one.line));
                continue;
            }
            let bytes =
                context.files.bytes(&one.line.property.at.path).ok_or_else(|| CannotMend::because("the file is not known"))?;
            let patch = if text.is_empty() {
                Patch::replace(&with_comma(one.line, &one.entry, bytes), "")
            } else {
                Patch::replace(&one.place(), text.as_str())
            };
            match patches
                .last_mut()
                .filter(|last| last.path == patch.path && last.end > patch.start && last.start <= patch.start)
            {
                // Neighbours share a comma.
                Some(last) => last.end = last.end.max(patch.end),
                None => patches.push(patch),
            }
        }
        if !self.more.is_empty() {
            if self.is_below(context, self.ruling) {
                whole.insert(&self.ruling.property.key, self.list_of(self.ruling));
            } else {
                let property = &self.ruling.property;
                let place = &property.value_at;
                let comma = if property.value.iter().all(char::is_ascii_whitespace) { "" } else { ", " };
                let equals = if property.is_divided { "" } else { "=" };
                patches.push(Patch {
                    path: place.path.to_string(),
                    start: place.start,
                    end: place.start,
                    new: format!("{equals}{}{comma}", self.more.join(", ")),
                });
            }
        }
        if !whole.is_empty() {
            let lines: Vec<String> = whole.iter().map(|(key, list)| format!("{key}={list}")).collect();
            patches.push(client::line(
                context,
                None,
                &lines.join(crate::mend::line_end(context.files.bytes(context.main).unwrap_or_default())),
            )?);
        }
        Ok(patches)
    }

    /// Whether a line stands in the virtual machine's file, below one that one program has for itself: that one is changed.
    fn is_below(&self, context: &Context<'_>, line: &Line) -> bool {
        self.own && client::root(&line.setting().origin) != Some(&*context.files.path(context.main))
    }

    /// The whole list of a line as it is to become.
    fn list_of(&self, line: &Line) -> String {
        let of_line = self.disabled.iter().zip(self.replaced).filter(|(one, _)| one.line.property.at == line.property.at);
        let mut entries: Vec<String> = of_line
            .map(|(one, replaced)| replaced.clone().unwrap_or_else(|| one.entry.text.clone()))
            .filter(|text| !text.is_empty())
            .collect();
        if line.property.at == self.ruling.property.at {
            entries.extend(self.more.iter().cloned());
        }
        entries.join(", ")
    }
}

/// The place of an entry with the comma that ties it to its neighbour.
fn with_comma(line: &Line, entry: &Entry, bytes: &[u8]) -> Span {
    let property = &line.property;
    let comma = |at: &usize| property.value.get(*at) == Some(&',');
    let blank = |letter: Option<&char>| letter.is_some_and(char::is_ascii_whitespace);
    let place = property.place(&entry.at);
    // The comma behind and the blanks up to the next entry; of the last one, those in front of it.
    let behind = (entry.at.end..property.value.len()).find(|at| !blank(property.value.get(*at)));
    if let Some(behind) = behind.filter(comma) {
        let next = (behind + 1..property.value.len()).find(|at| !blank(property.value.get(*at)));
        let end = next.map_or(property.value_at.end, |next| property.place(&(next..next + 1)).start);
        // A continued line stays where it is, unless the entry was all of it.
        let after = property.place(&(behind..behind + 1)).end;
        let on_line = bytes.get(after..end).unwrap_or_default();
        let stop = match on_line.iter().position(|byte| *byte == b'\\') {
            Some(at) if !begins_line(bytes, place.start) => after + at,
            _ => end,
        };
        return client::span(&place.path, place.start, stop);
    }
    let before = (0..entry.at.start).rev().find(|at| !blank(property.value.get(*at)));
    match before.filter(comma) {
        Some(before) => client::span(&place.path, property.place(&(before..before + 1)).start, place.end),
        None => place,
    }
}

/// Whether nothing but blanks stands before this byte on its line.
fn begins_line(bytes: &[u8], at: usize) -> bool {
    let before = bytes.get(..at).unwrap_or_default();
    before.iter().rev().take_while(|byte| !matches!(byte, b'\n' | b'\r')).all(u8::is_ascii_whitespace)
}
