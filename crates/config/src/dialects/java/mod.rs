//! java.security: what a Java virtual machine keeps its programs from, and the property files that come on top of it.
//!
//! Sources: the comments in java.security; the JSSE Reference Guide (docs.oracle.com); measured on OpenJDK 17.0.15 and
//! 25.0.3.

mod ending;
pub(super) mod homes;
pub(super) mod lines;
mod options;
pub(super) mod properties;

use std::sync::Arc;

use tlswhy_wire::{CipherSuite, NamedGroup, SignatureScheme};

use self::lines::{Disabled, Line, Lines};
use self::properties::properties;
use super::client::{self, shadowed};
use crate::dialects::{Commands, Context, Dialect, Likeness};
use crate::language::java_algorithms::Entry;
use crate::language::jsse;
use crate::language::jsse_offer::Offer;
use crate::service::{Library, Note, Reading, Side};
use crate::setting::{CipherList, Language, MOST_SHADOWED, Setting, Settings, Shadowed};
use crate::span::Origin;

pub(crate) static DIALECT: Dialect = Dialect {
    name: "java",
    title: "Java",
    sides: &[Side::Client],
    places: &[
        "/etc/java-*-openjdk/security/java.security",
        "/usr/lib/jvm/*/conf/security/java.security",
        "/usr/lib/jvm/*/jre/lib/security/java.security",
        "/opt/*/conf/security/java.security",
        "/opt/*/jre/lib/security/java.security",
        "/opt/java/*/conf/security/java.security",
    ],
    recognise,
    read,
    mend: ending::mend,
    // Nothing validates it, and each virtual machine reads it once, at its start.
    commands: |_| Commands::default(),
};

/// The list that rules handshakes.
pub(super) const DISABLED: &str = "jdk.tls.disabledAlgorithms";
/// The list that rules chains of certificates, and of a handshake what has to do with keys and signatures.
const CHAINS: &str = "jdk.certpath.disabledAlgorithms";
/// What this much text holds is looked through to recognise a file.
const LOOKED_THROUGH: usize = 256 * 1024;
/// System properties, which a file of security properties cannot set.
const SYSTEM_PROPERTIES: &[&str] = &[
    options::PROTOCOLS,
    "jdk.tls.server.protocols",
    options::SUITES,
    "jdk.tls.server.cipherSuites",
    options::GROUPS,
    options::SCHEMES,
    "jdk.tls.server.SignatureSchemes",
    "jdk.tls.ephemeralDHKeySize",
    "https.protocols",
    "https.cipherSuites",
    "jsse.enableSNIExtension",
    "javax.net.ssl.trustStore",
    "javax.net.ssl.keyStore",
];

fn recognise(path: &str, bytes: &[u8]) -> Likeness {
    if homes::is_of_a_machine(path) {
        return Likeness::Name;
    }
    let text = bytes.get(..bytes.len().min(LOOKED_THROUGH)).unwrap_or_default();
    let telling = [DISABLED, CHAINS, "jdk.tls.legacyAlgorithms"];
    let read = properties(&Arc::from(path), text).properties;
    if read.iter().any(|property| telling.contains(&property.key.as_str())) { Likeness::Content } else { Likeness::None }
}

fn read(context: &Context<'_>) -> Reading {
    let mut reading = Reading::default();
    let lines = Lines::of(context, &mut reading);
    let disabled = lines.disabled(&mut reading);
    let release = lines.release;
    let title = release.map_or_else(|| "Java".to_owned(), |release| format!("Java {}", release.major));
    let mut service = client::service("java", title, ("java", release), Library::Jsse(release));
    service.declared = lines.last(DISABLED).map(|line| line.property.at.clone());
    // A virtual machine that does not start offers nothing.
    if !reading.troubles.iter().any(|trouble| trouble.fatal) {
        service.settings = settings(context, &lines, &disabled);
    }
    let mut notes = lines.notes.clone();
    for one in &disabled {
        notes.extend(one.entry.without_effect(release).map(|says| Note { at: Some(one.place()), says }));
    }
    let is_ours = |line: &&Line| *line.property.at.path != *lines::SYSTEM_FILE;
    let misplaced = lines.all.iter().filter(is_ours).filter(|line| SYSTEM_PROPERTIES.contains(&line.property.key.as_str()));
    for line in misplaced {
        let key = &line.property.key;
        let says = format!(
            "`{key}` is a system property, given by -D{key}=… alone: in a file of security properties it has no effect"
        );
        notes.push(Note { at: Some(line.property.at.clone()), says });
    }
    if lines.last(DISABLED).is_none() && !reading.files.is_empty() {
        let says = format!("no `{DISABLED}` is read here: what the virtual machine's own java.security disables is not known");
        notes.push(Note { at: None, says });
    }
    service.notes = notes;
    reading.services.push(service);
    reading
}

/// What cuts one kind of thing, to tell which line its setting comes from.
struct Cut<'c, 'l> {
    context: &'c Context<'c>,
    lines: &'c Lines,
    disabled: &'c [Disabled<'l>],
    ruling: &'l Line,
}

impl Cut<'_, '_> {
    /// A setting with what is left of what there was: from the system property that names it, else from the line whose entries take
    /// something of it, else built in.
    fn setting<T: PartialEq, V: PartialEq>(
        &self,
        left: V,
        property: &'static str,
        every: &[T],
        takes: impl Fn(&Entry, &T) -> bool,
        text: String,
    ) -> Setting<V> {
        if let Some(given) = options::given(self.context.files, property, self.lines.release) {
            return Setting::new(property, left, text, given.origin);
        }
        let cuts = |one: &&Disabled<'_>| every.iter().any(|each| takes(&one.entry, each));
        let mut cutting = self.disabled.iter().filter(cuts).map(|one| one.line);
        match cutting.next() {
            // Of several lists the one for handshakes comes first.
            Some(line) => {
                let mut setting = line.setting();
                setting.shadowed = rivals(self.lines, line);
                setting.map(|()| left)
            }
            None => {
                let by = Origin::built_in(client::by("Java", self.lines.release));
                let mut setting = Setting::new("default", left, text, by);
                setting.shadowed = rivals(self.lines, self.ruling);
                setting
            }
        }
    }
}

fn settings(context: &Context<'_>, lines: &Lines, disabled: &[Disabled<'_>]) -> Settings {
    let release = lines.release;
    let Some(ruling) = lines.last(DISABLED) else { return Settings::default() };
    let entries: Vec<&Entry> = disabled.iter().map(|one| &one.entry).collect();
    let named = options::named(context.files, release);
    let offer = Offer::under(&entries, &named, release);
    let cut = Cut { context, lines, disabled, ruling };
    let words = |text: Vec<String>| text.join(", ");
    let versions = {
        let text = words(offer.versions.iter().filter_map(|version| jsse::version_name(*version)).map(str::to_owned).collect());
        let takes = |entry: &Entry, version: &_| entry.takes_version(*version);
        cut.setting(offer.versions, options::PROTOCOLS, &jsse::versions(release), takes, text)
    };
    let suites = offer.suites.map(|suites| {
        let text = suites.iter().map(ToString::to_string).collect::<Vec<_>>().join(":");
        let every = jsse::suites(release).unwrap_or_default();
        let takes = |entry: &Entry, suite: &CipherSuite| entry.takes_suite(*suite, release);
        let list = CipherList { language: Language::Iana, text: text.clone() };
        cut.setting(list, options::SUITES, &every, takes, text)
    });
    let groups = offer.groups.map(|groups| {
        let text = words(groups.iter().map(ToString::to_string).collect());
        let every = jsse::groups(release).unwrap_or_default();
        let takes = |entry: &Entry, group: &NamedGroup| entry.takes_group(*group);
        cut.setting(groups, options::GROUPS, &every, takes, text)
    });
    let schemes = offer.schemes.map(|schemes| {
        let text = words(schemes.iter().map(ToString::to_string).collect());
        let every = jsse::schemes(release).unwrap_or_default();
        let takes = |entry: &Entry, scheme: &SignatureScheme| entry.takes_scheme(*scheme, release);
        cut.setting(schemes, options::SCHEMES, &every, takes, text)
    });
    Settings { versions: Some(versions), cipher_list: suites, groups, signature_algorithms: schemes, ..Settings::default() }
}

/// The same property above the one that counts. In one file both were written to count; a file that comes on top replaces on purpose.
fn rivals(lines: &Lines, ruling: &Line) -> Vec<Shadowed> {
    let same = |line: &&Line| line.property.key == ruling.property.key && line.property.at != ruling.property.at;
    let shadow = |line: &Line| {
        let meant = line.property.at.path == ruling.property.at.path;
        let why = if meant { "a later line sets it anew, and the last one counts" } else { "a file read later sets it anew" };
        shadowed(&line.setting(), why, meant)
    };
    lines.all.iter().rev().filter(same).map(shadow).take(MOST_SHADOWED).collect()
}
