//! The system-wide policies of Red Hat's crypto-policies: which is chosen, with which modules, and what it gives the programs on OpenSSL.
//!
//! Sources: crypto-policies(7), update-crypto-policies(8); measured against the program itself as of 2023-05, 2024-05 and 2026-02. The
//! back-end files that it writes are read where their libraries read them: opensslcnf.config within openssl.cnf.

mod algorithms;
mod applied;
mod ending;
mod evaluate;
mod language;
mod openssl;

use std::sync::Arc;

use self::evaluate::Scoped;
use self::language::Directive;
use crate::dialects::{Commands, Context, Dialect, Likeness, client};
use crate::files::{Content, Files, directory_of};
use crate::service::{Library, Note, Reading, Service, Side, Trouble};
use crate::setting::{CipherList, Language, Setting, Settings};
use crate::span::{Origin, Span, Via};

pub(crate) static DIALECT: Dialect = Dialect {
    name: "crypto-policies",
    title: "crypto-policies",
    sides: &[Side::Client],
    places: &["/etc/crypto-policies/config"],
    recognise: |path, _| if path.ends_with("/crypto-policies/config") { Likeness::Name } else { Likeness::None },
    read,
    mend: ending::mend,
    // It makes every back-end anew, of whatever `config` names; programs read theirs as they start.
    commands: |_| Commands::of("", "update-crypto-policies"),
};

/// Where what the distribution ships lies.
const SHIPPED: &str = "/usr/share/crypto-policies";
/// Most modules that are read.
const MOST_MODULES: usize = 50;

/// The policy that `config` names, with its lines.
struct Policy {
    /// The directory of `config`.
    base: String,
    /// `DEFAULT`.
    name: String,
    /// The modules, in their order.
    modules: Vec<String>,
    /// The last line that names any of it, and the same as the way by which the files come to be read.
    line: Option<Span>,
    directives: Vec<Directive>,
    /// How many of them are the policy's own; the modules' follow.
    own: usize,
    troubles: Vec<Trouble>,
    files: Vec<String>,
}

impl Policy {
    /// `DEFAULT:SHA1`.
    fn in_full(&self) -> String {
        std::iter::once(&self.name).chain(&self.modules).map(String::as_str).collect::<Vec<_>>().join(":")
    }

    fn via(&self) -> Option<Arc<Via>> {
        self.line.clone().map(|at| Arc::new(Via { at, via: None }))
    }

    fn read(files: &Files<'_>, main: &str) -> Policy {
        let mut policy = Policy {
            base: directory_of(main).to_owned(),
            name: String::new(),
            modules: Vec::new(),
            line: None,
            directives: Vec::new(),
            own: 0,
            troubles: Vec::new(),
            files: vec![files.path(main).to_string()],
        };
        let (words, line) = chosen(&files.path(main), files.bytes(main).unwrap_or_default());
        policy.line = line;
        let mut words = words.into_iter();
        policy.name = words.next().unwrap_or_default();
        policy.modules = words.take(MOST_MODULES).collect();
        if policy.name.is_empty() {
            policy.refuse(None, "`config` names no policy".to_owned());
            return policy;
        }
        let name = policy.name.clone();
        policy.add(files, &format!("policies/{name}.pol"));
        policy.own = policy.directives.len();
        for module in policy.modules.clone() {
            policy.add(files, &format!("policies/modules/{module}.pmod"));
        }
        policy
    }

    /// The machine's own file of this name comes before the one that is shipped.
    fn add(&mut self, files: &Files<'_>, name: &str) {
        let places = [format!("{}/{name}", self.base), format!("{SHIPPED}/{name}")];
        for path in places {
            match files.look(&path) {
                Content::Bytes(bytes) => {
                    let path = files.path(&path);
                    let (directives, wrong) = language::read(&path, bytes);
                    self.directives.extend(directives);
                    for wrong in wrong {
                        self.refuse(Some(wrong.at), wrong.says);
                    }
                    self.files.push(path.to_string());
                    return;
                }
                Content::Missing | Content::Directory(_) => {}
                // It has to be seen before the next one counts.
                Content::Asked => return,
                Content::Unreadable(error) => return self.refuse(self.line.clone(), format!("{path} cannot be read: {error}")),
            }
        }
        self.refuse(self.line.clone(), format!("there is no {name}, neither in {} nor in {SHIPPED}", self.base));
    }

    fn refuse(&mut self, at: Option<Span>, says: String) {
        let says = format!("{says}: `update-crypto-policies` changes nothing for it");
        self.troubles.push(Trouble { at, says, fatal: true });
    }
}

/// The policy and the modules that a file names, upper case, and the last line that names any.
fn chosen(path: &Arc<str>, bytes: &[u8]) -> (Vec<String>, Option<Span>) {
    let (mut words, mut line) = (Vec::new(), None);
    let mut at = 0;
    for raw in bytes.split_inclusive(|byte| *byte == b'\n') {
        let code = raw.split(|byte| *byte == b'#').next().unwrap_or_default();
        let start = at + code.iter().take_while(|byte| byte.is_ascii_whitespace()).count();
        at += raw.len();
        let text = code.trim_ascii();
        if text.is_empty() {
            continue;
        }
        line = Some(Span { path: Arc::clone(path), start, end: start + text.len() });
        let named = String::from_utf8_lossy(text).to_uppercase();
        words.extend(named.split(':').map(str::trim).filter(|word| !word.is_empty()).map(str::to_owned));
    }
    (words, line)
}

fn read(context: &Context<'_>) -> Reading {
    let files = context.files;
    let policy = Policy::read(files, context.main);
    let _asked_for = files.look(&ending::module_path(&policy.base));
    let mut notes = Vec::new();
    let mut troubles = policy.troubles.clone();
    applied::compare(files, &policy, &mut notes, &mut troubles);
    // Of what the program refuses nothing comes, and what was applied before is not told by these files.
    if !policy.troubles.is_empty() || policy.directives.is_empty() {
        return Reading { services: Vec::new(), troubles, files: policy.files };
    }
    let scoped = Scoped::of(&policy.directives, evaluate::OPENSSL);
    notes.extend(differences(&policy, scoped));
    let release = files.release_of("openssl");
    let service = Service {
        declared: policy.line.clone(),
        settings: settings(&policy, scoped),
        notes,
        ..client::service(
            DIALECT.name,
            "programs on OpenSSL under the system-wide policy".to_owned(),
            ("crypto-policies", None),
            Library::OpenSsl(release),
        )
    };
    Reading { services: vec![service], troubles, files: policy.files }
}

/// What the policy gives OpenSSL, each with the line that decides it.
fn settings(policy: &Policy, scoped: Scoped<'_>) -> Settings {
    let versions = openssl::versions(scoped);
    let list = CipherList { language: Language::OpenSsl, text: openssl::cipher_string(scoped) };
    let hashes = scoped.list("hash");
    let of_suites: &[&str] =
        if ["SHA2-256", "SHA2-384"].iter().all(|hash| hashes.contains(hash)) { &["cipher"] } else { &["cipher", "hash"] };
    Settings {
        versions: Some(setting(policy, scoped, &["protocol"], versions)),
        cipher_list: Some(setting(policy, scoped, &["cipher", "key_exchange", "mac", "min_dh_size", "min_rsa_size"], list)),
        cipher_suites: Some(setting(policy, scoped, of_suites, openssl::suites(scoped))),
        groups: Some(setting(policy, scoped, &["group"], openssl::groups(scoped))),
        signature_algorithms: Some(setting(policy, scoped, &["sign"], openssl::signatures(scoped))),
        ..Settings::default()
    }
}

/// A value with its line: the last one about the only property that bears on it, or that a module changes; else where the policy is
/// chosen.
fn setting<T>(policy: &Policy, scoped: Scoped<'_>, properties: &[&str], value: T) -> Setting<T> {
    let last: Vec<&Directive> = properties.iter().filter_map(|property| scoped.about(property).last()).collect();
    let of_module = |directive: &&&Directive| {
        policy.directives.get(policy.own..).unwrap_or_default().iter().any(|known| std::ptr::eq(known, **directive))
    };
    let by_modules: Vec<&&Directive> = last.iter().filter(of_module).collect();
    let ruling = match (last.as_slice(), by_modules.as_slice()) {
        ([only], _) => Some(*only),
        (_, [only]) => Some(**only),
        _ => None,
    };
    match (ruling, &policy.line) {
        (Some(line), _) => {
            let via = policy.via();
            let origin = Origin::file(line.at.clone(), line.value_at.clone(), via.as_ref());
            Setting::new(line.name.clone(), value, line.written.clone(), origin)
        }
        (None, Some(line)) => Setting::new("policy", value, policy.in_full(), Origin::file(line.clone(), line.clone(), None)),
        (None, None) => Setting::new("policy", value, policy.in_full(), Origin::built_in("crypto-policies")),
    }
}

/// Other libraries that get other versions under the same policy, and what reaches beyond the settings.
fn differences(policy: &Policy, openssl: Scoped<'_>) -> Vec<Note> {
    let mut notes = vec![Note { at: policy.line.clone(), says: format!("the policy is {}", policy.in_full()) }];
    for (name, scopes) in evaluate::OTHERS {
        let own = versions(Scoped::of(&policy.directives, scopes));
        if own != versions(openssl) {
            let says = if own.is_empty() {
                format!("{name} gets no version under it")
            } else {
                format!("{name} gets other versions under it: {}", own.join(" "))
            };
            notes.push(Note { at: None, says });
        }
    }
    if openssl.number("__openssl_block_sha1_signatures") == 0 {
        let says = "it lets the OpenSSL of RHEL 9 and later make and take signatures with SHA-1".to_owned();
        notes.push(Note { at: None, says });
    }
    notes
}

/// The versions of TLS that are on, in an order of their own.
fn versions(scoped: Scoped<'_>) -> Vec<&str> {
    let mut list = scoped.list("protocol");
    list.retain(|name| algorithms::TLS.contains(name));
    list.sort_unstable();
    list
}
