//! All the property files that one virtual machine reads, in its order.

use std::sync::Arc;

use super::options::{self, Given};
use super::properties::{Property, properties};
use super::{CHAINS, DISABLED, homes};
use crate::dialects::Context;
use crate::files::{Content, directory_of, relative_to};
use crate::includes::Includes;
use crate::language::java_algorithms::{CURVES, Entry, List, entries};
use crate::release::Release;
use crate::service::{Note, Reading, Trouble};
use crate::setting::Setting;
use crate::span::{Origin, Span, Via};

/// Where this is not `true`, no file comes on top.
const TAKES_MORE: &str = "security.overridePropertiesFile";
/// RHEL's virtual machines read the system's policy where this is `true`.
const USES_SYSTEM_FILE: &str = "security.useSystemPropertiesFile";
pub(super) const SYSTEM_FILE: &str = "/etc/crypto-policies/back-ends/java.config";
const WITH_SYSTEM_FILE: &[&str] = &["rhel", "fedora", "centos", "rocky", "alma"];
/// `include FILE` came with this release (its release notes). Since then a malformed escape ends a file on top, not the virtual machine.
const HAS_INCLUDE: Release = Release::new(24, 0, 0);
/// Files within files (Java stops at a cycle; no bound is documented).
const DEEPEST: usize = 16;
/// Most files that are read in all, each as often as it is included.
const MOST_FILES: usize = 256;

/// A property with how its file came to be read.
#[derive(Clone, Debug)]
pub(in crate::dialects) struct Line {
    pub(in crate::dialects) property: Property,
    pub(in crate::dialects) via: Option<Arc<Via>>,
}

impl Line {
    pub(super) fn setting(&self) -> Setting<()> {
        let property = &self.property;
        let words = property.text().split_whitespace().collect::<Vec<_>>().join(" ");
        let origin = Origin::file(property.at.clone(), property.value_at.clone(), self.via.as_ref());
        Setting::new(property.key.clone(), (), words, origin)
    }
}

/// An entry that counts, with the property in whose value it stands.
#[derive(Clone, Debug)]
pub(in crate::dialects) struct Disabled<'l> {
    pub(in crate::dialects) entry: Entry,
    pub(in crate::dialects) line: &'l Line,
}

impl Disabled<'_> {
    pub(super) fn place(&self) -> Span {
        self.line.property.place(&self.entry.at)
    }
}

/// All lines of the files that one virtual machine reads.
pub(in crate::dialects) struct Lines {
    pub(super) all: Vec<Line>,
    pub(in crate::dialects) release: Option<Release>,
    /// What is worth knowing of how they were read.
    pub(super) notes: Vec<Note>,
    files: usize,
    includes: Includes,
}

impl Lines {
    pub(in crate::dialects) fn of(context: &Context<'_>, reading: &mut Reading) -> Lines {
        let files = context.files;
        let base = homes::base(context);
        let release = homes::release(context, base.as_deref());
        let mut lines = Lines { all: Vec::new(), release, notes: Vec::new(), files: 0, includes: Includes::default() };
        let on_top = on_top(context, base.as_deref(), release);
        let first = base.as_deref().or((!on_top.own).then_some(context.main));
        if let Some(first) = first.filter(|_| !on_top.alone) {
            lines.add(context, reading, first, None);
            let is_true =
                |lines: &Lines, key: &str| lines.last(key).map(|line| line.property.text().trim().eq_ignore_ascii_case("true"));
            let system = || files.software("system").and_then(|system| system.version.clone()).unwrap_or_default();
            if is_true(&lines, USES_SYSTEM_FILE) == Some(true)
                && WITH_SYSTEM_FILE.iter().any(|id| system().to_ascii_lowercase().starts_with(id))
            {
                lines.add(context, reading, SYSTEM_FILE, None);
            }
            if let (Some(path), Some(false)) = (&on_top.path, is_true(&lines, TAKES_MORE)) {
                let at = lines.last(TAKES_MORE).map(|line| line.property.at.clone());
                lines.notes.push(Note { at, says: format!("{path} is not read: no file may come on top") });
                return lines;
            }
        }
        if let Some(path) = &on_top.path {
            lines.add(context, reading, path, None);
        }
        lines
    }

    fn add(&mut self, context: &Context<'_>, reading: &mut Reading, path: &str, via: Option<&Arc<Via>>) {
        let path = context.files.path(path);
        let mut trouble = |says: String, fatal: bool| {
            reading.troubles.push(Trouble { at: via.map(|via| via.at.clone()), says, fatal });
        };
        let bytes = match self.includes.look(context.files, &path) {
            Content::Bytes(bytes) => bytes,
            Content::Asked => return,
            Content::Unreadable(why) if via.is_some() => return trouble(format!("{path} cannot be read: {why}"), false),
            _ => {
                if via.is_some() {
                    trouble(format!("{path} cannot be read: the virtual machine ends at it"), true);
                }
                return;
            }
        };
        if std::iter::successors(via, |via| via.via.as_ref()).any(|via| *via.at.path == *path) {
            return trouble(format!("{path} includes itself: the virtual machine ends at it"), true);
        }
        self.files += 1;
        if Via::depth(via) > DEEPEST || self.files > MOST_FILES {
            return trouble(format!("{path} is not read: more files than are followed here"), false);
        }
        if !reading.files.iter().any(|known| **known == *path) {
            reading.files.push(path.to_string());
        }
        let has_include = self.release.is_none_or(|release| release >= HAS_INCLUDE);
        let read = properties(&path, bytes);
        for property in read.properties {
            if has_include && property.key == "include" {
                let via = Arc::new(Via { at: property.at.clone(), via: via.cloned() });
                match included(&property.text(), &path, homes::home(context).as_deref()) {
                    Some(to) => self.add(context, reading, &to, Some(&via)),
                    None => {
                        let says = "which file this includes is not known: it names a system property".to_owned();
                        reading.troubles.push(Trouble { at: Some(property.at), says, fatal: false });
                    }
                }
            } else {
                self.all.push(Line { property, via: via.cloned() });
            }
        }
        if let Some(at) = read.malformed {
            let root = std::iter::successors(via, |via| via.via.as_ref()).last().map_or(&*path, |via| &*via.at.path);
            let fatal = !has_include || homes::is_of_a_machine(root);
            let says = if fatal { "the virtual machine ends at it" } else { "nothing behind it is read" };
            let says = format!("\\u is not followed by four hexadecimal digits: {says}");
            reading.troubles.push(Trouble { at: Some(at), says, fatal });
        }
    }

    /// The line of this property that counts.
    pub(in crate::dialects) fn last(&self, key: &str) -> Option<&Line> {
        self.all.iter().rfind(|line| line.property.key == key)
    }

    /// The entries of the lists that count, with the curves that they include.
    pub(in crate::dialects) fn disabled(&self, reading: &mut Reading) -> Vec<Disabled<'_>> {
        let mut found: Vec<Disabled<'_>> = Vec::new();
        let mut curves = None;
        for (key, list) in [(DISABLED, List::Handshakes), (CHAINS, List::Chains)] {
            let read = self.entries(key, list, reading);
            if curves.is_none() && read.iter().any(|one| one.entry.includes_curves()) {
                curves = Some(list);
            }
            found.extend(read);
        }
        found.extend(curves.into_iter().flat_map(|list| self.entries(CURVES, list, reading)));
        found
    }

    fn entries<'l>(&'l self, key: &str, list: List, reading: &mut Reading) -> Vec<Disabled<'l>> {
        let Some(line) = self.last(key) else { return Vec::new() };
        match entries(&line.property.value, list, self.release) {
            Ok(list) => list.into_iter().map(|entry| Disabled { entry, line }).collect(),
            Err((range, says)) => {
                let says = format!("{says}: the virtual machine ends at it");
                reading.troubles.push(Trouble { at: Some(line.property.place(&range)), says, fatal: true });
                Vec::new()
            }
        }
    }
}

/// The file that comes on top of the virtual machine's own.
struct OnTop {
    path: Option<String>,
    /// It is the main file, which is then no virtual machine's own.
    own: bool,
    /// Nothing lies below it.
    alone: bool,
}

fn on_top(context: &Context<'_>, base: Option<&str>, release: Option<Release>) -> OnTop {
    let own = !homes::is_of_a_machine(context.main);
    let given = options::given(context.files, options::FILE, release).map(|Given { value, .. }| value);
    let (given, replaces) = match given.as_deref() {
        Some(value) => (Some(value.trim_start_matches('=')), value.starts_with('=')),
        None => (None, false),
    };
    let given = given.map(|path| path.strip_prefix("file:").unwrap_or(path)).filter(|path| path.starts_with('/'));
    if own {
        let alone = replaces && given == Some(context.main) || base.is_none();
        return OnTop { path: Some(context.main.to_owned()), own, alone };
    }
    OnTop { path: given.map(str::to_owned), own, alone: replaces && given.is_some() }
}

/// The file that an `include` names: relative to the file that it stands in, system properties in `${…}`.
fn included(value: &str, of: &str, home: Option<&str>) -> Option<String> {
    let value = match home {
        Some(home) => value.replace("${java.home}", home),
        None => value.to_owned(),
    };
    (!value.contains("${")).then(|| relative_to(directory_of(of), &value))
}
