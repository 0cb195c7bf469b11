//! GnuTLS's priority strings (<https://gnutls.org/manual/html_node/Priority-Strings.html>), evaluated as `gnutls_priority_init` does:
//! the same order, the same words in the same places, the same refusals. Releases from 3.6.13 on; older ones are taken for it.

mod keywords;
mod rows;
mod suites;
mod system;
mod words;

use std::ops::Range;

use tlswhy_wire::{CipherSuite, NamedGroup, ProtocolVersion, SignatureScheme};

use crate::release::Release;
pub use system::{Kind, System, known, speaks_of_group, speaks_of_scheme, speaks_of_suite, speaks_of_version};

/// A GnuTLS library as far as its priority strings differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Library {
    /// Its release.
    pub release: Release,
    /// It was built with leancrypto, which brings the hybrid groups.
    pub post_quantum: bool,
}

impl Library {
    /// As Debian and Ubuntu build it.
    pub fn upstream(release: Release) -> Library {
        Library { release, post_quantum: false }
    }
}

/// What is on, by GnuTLS's names (without `VERS-`, `GROUP-` and `SIGN-`), in order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Lists {
    /// Versions, those of DTLS included.
    pub versions: Vec<&'static str>,
    /// Ciphers.
    pub ciphers: Vec<&'static str>,
    /// MACs.
    pub macs: Vec<&'static str>,
    /// Key exchanges.
    pub key_exchanges: Vec<&'static str>,
    /// Groups.
    pub groups: Vec<&'static str>,
    /// Signature algorithms.
    pub signatures: Vec<&'static str>,
    /// Options, without `%`.
    pub options: Vec<&'static str>,
}

/// What a priority string stands for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Priority {
    /// Versions of TLS, in the order of the string.
    pub versions: Vec<ProtocolVersion>,
    /// Suites of TLS 1.3, then the others, as they stand in a hello.
    pub suites: Vec<CipherSuite>,
    /// Groups, as they stand in a hello.
    pub groups: Vec<NamedGroup>,
    /// Signature schemes, as they stand in a hello.
    pub signature_schemes: Vec<SignatureScheme>,
    /// The lists of which these are made.
    pub lists: Lists,
}

impl Priority {
    /// Whether this option is on.
    pub fn option(&self, name: &str) -> bool {
        self.lists.options.contains(&name)
    }
}

/// Why the library refuses a string.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refused {
    /// It has no such word ("Syntax error at"). The place is known where the string itself has it, not a keyword's value.
    Word {
        /// The word.
        word: String,
        /// Its bytes.
        at: Option<Range<usize>>,
    },
    /// None of the keywords after `@` stands in the system's file.
    Keyword(String),
    /// No version or no suite is left ("No or insufficient priorities were set").
    NothingLeft,
}

impl Refused {
    /// A sentence without its full stop.
    pub fn in_words(&self) -> String {
        match self {
            Refused::Word { word, .. } => format!("GnuTLS has no word {word:?} and refuses the whole priority string"),
            Refused::Keyword(keyword) => format!("no line of the system's file says what the keyword `@{keyword}` stands for"),
            Refused::NothingLeft => "the priority string leaves no version or no suite".to_owned(),
        }
    }
}

/// What `gnutls_priority_init` makes of a string under the system's file.
pub fn priority(text: &str, library: &Library, system: &System) -> Result<Priority, Refused> {
    let blanks = text.len() - text.trim_start().len();
    let own = text.get(blanks..).unwrap_or_default();
    let (resolved, from_file) = match own.strip_prefix('@') {
        Some(keywords) => (system.resolve(keywords).ok_or_else(|| Refused::Keyword(keyword_of(keywords)))?, true),
        None => (own.to_owned(), false),
    };
    let mut reading = Reading { library: *library, system, lists: Lists::default(), keyword_seen: false };
    for (index, at) in split(&resolved, library).into_iter().enumerate() {
        let word = resolved.get(at.clone()).unwrap_or_default();
        if !reading.word(index, word) {
            let at = (!from_file).then_some(at.start + blanks..at.end + blanks);
            return Err(Refused::Word { word: word.to_owned(), at });
        }
    }
    suites::put_together(reading.lists, library, system)
}

/// A string with just these versions of TLS on: what is missing is put in, what is more is taken out, each by a word at its end. `None`
/// where that does not bring them about.
pub fn with_versions(text: &str, wanted: &[ProtocolVersion], library: &Library, system: &System) -> Option<String> {
    let on = priority(text, library, system).map(|priority| priority.versions).unwrap_or_default();
    let mut changed = text.trim_end_matches(':').to_owned();
    let of_tls = words::VERSIONS.iter().filter_map(|(name, version)| Some((*name, (*version)?))).rev();
    for (name, version) in of_tls {
        match (wanted.contains(&version), on.contains(&version)) {
            (true, false) => changed.extend([":+VERS-", name]),
            (false, true) => changed.extend([":-VERS-", name]),
            _ => {}
        }
    }
    let after = priority(&changed, library, system).ok()?.versions;
    let same = after.len() == wanted.len() && after.iter().all(|version| wanted.contains(version));
    same.then_some(changed)
}

/// The keywords of `@A,B:rest`.
fn keyword_of(text: &str) -> String {
    text.split(':').next().unwrap_or_default().to_owned()
}

/// The words of a string; what is more than the library has room for it drops in silence.
fn split(text: &str, library: &Library) -> Vec<Range<usize>> {
    let most = if library.release >= Release::new(3, 7, 4) { 128 } else { 64 };
    let mut words = Vec::new();
    let mut start = 0;
    for word in text.split(':').take(most) {
        // Blanks before a word do not count, but before the first.
        let skipped = if words.is_empty() { 0 } else { word.len() - word.trim_start_matches(' ').len() };
        words.push(start + skipped..start + word.len());
        start += word.len() + 1;
    }
    words
}

/// A string while it is read.
struct Reading<'s> {
    library: Library,
    system: &'s System,
    lists: Lists,
    /// A keyword came: the next one adds to it.
    keyword_seen: bool,
}

/// What a word does to a list.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Rule {
    Add,
    Remove,
}

type Names<'n> = &'n [&'static str];

impl Reading<'_> {
    fn since(&self, release: Release) -> bool {
        self.library.release >= release
    }

    /// Takes one word; `false` where the library has none such.
    fn word(&mut self, index: usize, word: &str) -> bool {
        if index == 0 {
            if word.eq_ignore_ascii_case("NONE") {
                self.keyword_seen = true;
                return true;
            }
            // Before the first word these are on.
            self.lists.versions = keywords::VERSIONS.to_vec();
            self.lists.signatures = self.family(keywords::SIGNATURES);
            self.lists.groups = keywords::GROUPS.to_vec();
        }
        if self.keyword(word, self.keyword_seen) {
            self.keyword_seen = true;
            return true;
        }
        match (word.as_bytes().first(), word.get(1..)) {
            (Some(b'+'), Some(name)) => self.keyword(name, true) || self.algorithm(name, Rule::Add),
            (Some(b'-' | b'!'), Some(name)) => self.algorithm(name, Rule::Remove),
            (Some(b'%'), Some(name)) => self.option(name),
            _ => false,
        }
    }

    fn keyword(&mut self, word: &str, add: bool) -> bool {
        let is = |name: &str| name.eq_ignore_ascii_case(word);
        let Some(keyword) = keywords::KEYWORDS.iter().find(|keyword| is(keyword.name) || keyword.alias.is_some_and(is)) else {
            return false;
        };
        let release = self.library.release;
        let signatures: Vec<&'static str> =
            keyword.signatures.iter().filter(|name| keywords::has(release, Some(keyword.name), name)).copied().collect();
        let set = |list: &mut Vec<&'static str>, members: &[&'static str]| {
            if !add {
                list.clear();
            }
            extend(list, members);
        };
        if let Some(versions) = keyword.versions {
            set(&mut self.lists.versions, versions);
        }
        set(&mut self.lists.ciphers, keyword.ciphers);
        set(&mut self.lists.key_exchanges, keyword.key_exchanges);
        set(&mut self.lists.macs, keyword.macs);
        set(&mut self.lists.signatures, &signatures);
        set(&mut self.lists.groups, keyword.groups);
        true
    }

    fn option(&mut self, name: &str) -> bool {
        let known = words::OPTIONS.iter().find(|(known, since)| *known == name && self.since(*since));
        let Some((known, _)) = known else { return false };
        extend(&mut self.lists.options, &[*known]);
        true
    }

    /// The members of a family that this release has.
    fn family(&self, members: Names<'_>) -> Vec<&'static str> {
        members.iter().filter(|name| keywords::has(self.library.release, None, name)).copied().collect()
    }

    /// A word without its sign. The order of the questions is the library's.
    fn algorithm(&mut self, word: &str, rule: Rule) -> bool {
        let known = |table: &[words::Word], release: Release| {
            let row = table.iter().find(|(name, since)| name.eq_ignore_ascii_case(word) && release >= *since);
            row.map(|(name, _)| *name)
        };
        let release = self.library.release;
        if let Some(mac) = known(words::MACS, release) {
            apply(&mut self.lists.macs, &[mac], rule);
            return true;
        }
        if let Some(cipher) = known(words::CIPHERS, release) {
            apply(&mut self.lists.ciphers, &[cipher], rule);
            return true;
        }
        let exchange = words::KEY_EXCHANGES.iter().find(|one| one.name.eq_ignore_ascii_case(word));
        if let Some(exchange) = exchange.filter(|one| one.until.is_none_or(|until| release < until)) {
            apply(&mut self.lists.key_exchanges, &[exchange.name], rule);
            return true;
        }
        if words::GONE.iter().any(|name| name.eq_ignore_ascii_case(word)) {
            return true;
        }
        if let Some(name) = after(word, "VERS-") {
            return self.version(name, rule);
        }
        if after(word, "COMP-").is_some() {
            return true;
        }
        if let Some(name) = after(word, "CURVE-") {
            return self.curve(name, rule);
        }
        if let Some(name) = after(word, "GROUP-") {
            return self.group(name, rule);
        }
        if let Some(name) = after(word, "CTYPE-") {
            return certificate_type(name);
        }
        if let Some(name) = after(word, "SIGN-") {
            return self.signature(name, rule);
        }
        self.rest(word, rule)
    }

    fn version(&mut self, name: &str, rule: Rule) -> bool {
        let list = &mut self.lists.versions;
        if after(name, "TLS-ALL").is_some() {
            apply(list, keywords::STREAM_VERSIONS, rule);
        } else if after(name, "DTLS-ALL").is_some() {
            let add = rule == Rule::Add;
            apply(list, if add { keywords::DATAGRAM_VERSIONS } else { keywords::EVERY_DATAGRAM_VERSION }, rule);
        } else if after(name, "ALL").is_some() {
            apply_all(list, keywords::VERSIONS, rule);
        } else {
            let known = words::VERSIONS.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
            let Some((known, _)) = known else { return false };
            apply(list, &[*known], rule);
        }
        true
    }

    fn curve(&mut self, name: &str, rule: Rule) -> bool {
        if after(name, "ALL").is_some() {
            apply_all(&mut self.lists.groups, keywords::GROUPS, rule);
            return true;
        }
        let curve = |group: &&words::Group| group.curve.is_some_and(|curve| curve.eq_ignore_ascii_case(name));
        let group = words::GROUPS.iter().find(curve);
        // A curve that the system's file switches off is no word.
        let on = |group: &&words::Group| group.usable && self.system.has_curve(group);
        if let Some(group) = group.filter(on) {
            apply(&mut self.lists.groups, &[group.name], rule);
            return true;
        }
        // Curves that are no groups of TLS are understood.
        group.is_none() && words::OTHER_CURVES.iter().any(|other| other.eq_ignore_ascii_case(name))
    }

    fn group(&mut self, name: &str, rule: Rule) -> bool {
        if after(name, "ALL").is_some() {
            apply_all(&mut self.lists.groups, keywords::GROUPS, rule);
            return true;
        }
        let families = [("DH-ALL", keywords::FIELDS), ("EC-ALL", keywords::CURVES), ("GOST-ALL", keywords::GOST_GROUPS)];
        if let Some((_, members)) = families.iter().find(|(family, _)| after(name, family).is_some()) {
            apply(&mut self.lists.groups, members, rule);
            return true;
        }
        let Some(group) = words::GROUPS.iter().find(|group| group.name.eq_ignore_ascii_case(name)) else { return false };
        let built_in = group.kind != words::Kind::Hybrid || self.library.post_quantum;
        // Before 3.7.3 a curve that the system's file switches off is no word.
        let on = self.since(Release::new(3, 7, 3)) || self.system.has_curve(group);
        if !(built_in && on && self.since(group.since)) {
            return false;
        }
        apply(&mut self.lists.groups, &[group.name], rule);
        true
    }

    fn signature(&mut self, name: &str, rule: Rule) -> bool {
        if after(name, "ALL").is_some() {
            let members = self.family(keywords::SIGNATURES);
            apply_all(&mut self.lists.signatures, &members, rule);
            return true;
        }
        if after(name, "GOST-ALL").is_some() {
            apply_all(&mut self.lists.signatures, keywords::GOST_SIGNATURES, rule);
            return true;
        }
        let known = words::SIGNATURES.iter().find(|known| known.name.eq_ignore_ascii_case(name));
        let Some(known) = known.filter(|known| self.since(known.since)) else { return false };
        apply(&mut self.lists.signatures, &[known.name], rule);
        true
    }

    /// `MAC-`, `CIPHER-` and `KX-` have no members but families, and say nothing about what they do not know.
    fn rest(&mut self, word: &str, rule: Rule) -> bool {
        let lists = &mut self.lists;
        let families: [(&mut Vec<&'static str>, &str, Names<'_>, Names<'_>); 3] = [
            (&mut lists.macs, "MAC-", keywords::MACS, keywords::GOST_MACS),
            (&mut lists.ciphers, "CIPHER-", keywords::CIPHERS, keywords::GOST_CIPHERS),
            (&mut lists.key_exchanges, "KX-", keywords::KEY_EXCHANGES, keywords::GOST_KEY_EXCHANGES),
        ];
        for (list, family, all, gost) in families {
            let Some(name) = after(word, family) else { continue };
            if after(name, "ALL").is_some() {
                apply_all(list, all, rule);
            } else if after(name, "GOST-ALL").is_some() {
                apply_all(list, gost, rule);
            }
            return true;
        }
        if after(word, "GOST").is_none() {
            return false;
        }
        apply(&mut lists.groups, keywords::GOST_GROUPS, rule);
        apply_all(&mut lists.signatures, keywords::GOST_SIGNATURES, rule);
        apply_all(&mut lists.macs, keywords::GOST_MACS, rule);
        apply_all(&mut lists.ciphers, keywords::GOST_CIPHERS, rule);
        apply_all(&mut lists.key_exchanges, keywords::GOST_KEY_EXCHANGES, rule);
        true
    }
}

/// What follows a beginning, case aside. What follows the name of a family (`VERS-ALLES`) the library does not look at.
fn after<'w>(word: &'w str, beginning: &str) -> Option<&'w str> {
    let head = word.get(..beginning.len())?;
    head.eq_ignore_ascii_case(beginning).then(|| word.get(beginning.len()..).unwrap_or_default())
}

fn extend(list: &mut Vec<&'static str>, members: &[&'static str]) {
    for member in members {
        if !list.contains(member) {
            list.push(member);
        }
    }
}

fn apply(list: &mut Vec<&'static str>, members: &[&'static str], rule: Rule) {
    match rule {
        Rule::Add => extend(list, members),
        Rule::Remove => list.retain(|member| !members.contains(member)),
    }
}

/// Of a whole family `-` takes away everything that is on, not its members alone.
fn apply_all(list: &mut Vec<&'static str>, members: &[&'static str], rule: Rule) {
    match rule {
        Rule::Add => extend(list, members),
        Rule::Remove => list.clear(),
    }
}

fn certificate_type(name: &str) -> bool {
    let of_side = after(name, "CLI-").or_else(|| after(name, "SRV-"));
    let known = |name: &str| words::CERTIFICATE_TYPES.iter().any(|known| known.eq_ignore_ascii_case(name));
    let all = |name: &str| after(name, "ALL").is_some();
    // OPENPGP, for both sides alone, is understood for old times' sake.
    of_side.map_or_else(|| known(name) || all(name) || after(name, "OPENPGP").is_some(), |name| known(name) || all(name))
}
