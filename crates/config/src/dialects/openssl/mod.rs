//! openssl.cnf: the policy that it sets for programs on OpenSSL, and which of it which program heeds.
//!
//! Sources: config(5), SSL_CONF_cmd(3), and what OpenSSL 3.0.19 on Debian 12 was seen to do.

mod file;

use tlswhy_wire::{CipherSuite, NamedGroup, ProtocolVersion, SignatureScheme};

use crate::dialects::{Commands, Context, Dialect, Likeness};
use crate::files::Files;
use crate::language::names;
use crate::mend::{CannotMend, Patch, Want};
use crate::service::{Heeds, Library, Note, Reading, Service, Side};
use crate::setting::{CipherList, Language, Setting, Settings, Shadowed};
use crate::span::{Origin, Span};

use file::{HEAD, Line, Sections};

pub(crate) static DIALECT: Dialect = Dialect {
    name: "openssl",
    title: "OpenSSL",
    sides: &[Side::Client],
    places: &[
        "/etc/ssl/openssl.cnf",
        "/etc/pki/tls/openssl.cnf",
        "/usr/local/ssl/openssl.cnf",
        "/opt/homebrew/etc/openssl@3/openssl.cnf",
        "/etc/openssl/openssl.cnf",
    ],
    recognise,
    read,
    mend,
    commands: |_| Commands::default(),
};

/// Sections of `ssl_conf` that programs ask for by name, and what such a program is called (OpenSSL asks for `system_default`).
const SECTIONS: &[(&str, &str)] = &[
    ("system_default", "programs that heed OpenSSL's system defaults (curl, openssl s_client, PHP, Ruby …)"),
    ("nodejs_conf", "Node.js"),
    ("postfix", "Postfix"),
    ("nginx", "nginx 1.25.2 and later"),
];

fn recognise(path: &str, bytes: &[u8]) -> Likeness {
    if path.ends_with("/openssl.cnf") || path.ends_with("/opensslcnf.config") {
        return Likeness::Name;
    }
    let text = String::from_utf8_lossy(bytes.get(..bytes.len().min(64 * 1024)).unwrap_or_default()).into_owned();
    let words = ["openssl_conf", "system_default", "MinProtocol", "CipherString", "nodejs_conf"];
    let assigns = |line: &str| line.split_once('=').is_some_and(|(name, _)| words.contains(&name.trim()));
    if text.lines().any(assigns) { Likeness::Content } else { Likeness::None }
}

fn read(context: &Context<'_>) -> Reading {
    let release = context.files.release_of("openssl");
    let sections = file::read(context.files, context.main);
    let mut services = Vec::new();
    let mut notes = misplaced(&sections);
    let ssl = ssl_section(&sections);
    for (key, whose) in SECTIONS {
        let section = ssl.as_ref().and_then(|(_, section)| sections.line(section, key));
        // Without a section of its own a program's name is of no interest; the system's policy is, even if it is empty.
        if section.is_none() && *key != "system_default" {
            continue;
        }
        let lines = section.map(|line| sections.section(&line.value)).unwrap_or_default();
        if let Some(line) = section
            && lines.is_empty()
        {
            let says = format!("`{key} = {}` names a section that is not there: it has no effect", line.value);
            notes.push(Note { at: line.origin.span().cloned(), says });
        }
        let mut own = if services.is_empty() { std::mem::take(&mut notes) } else { Vec::new() };
        let settings = settings(lines, &mut own, &unreached(&sections, lines));
        services.push(Service {
            dialect: "openssl",
            side: Side::Client,
            title: (*whose).to_owned(),
            listeners: Vec::new(),
            names: Vec::new(),
            names_from_certificates: false,
            declared: section.and_then(|line| line.origin.span().cloned()),
            upgrade: None,
            program: ("OpenSSL".to_owned(), release),
            library: Library::OpenSsl(release),
            heeds: Heeds::NOTHING,
            settings,
            notes: own,
        });
    }
    Reading { services, troubles: sections.troubles, files: sections.read }
}

/// The section that `openssl_conf` leads to, and within it `ssl_conf`.
fn ssl_section(sections: &Sections) -> Option<(&Line, &str)> {
    let modules = sections.line(HEAD, "openssl_conf")?;
    let ssl = sections.line(&modules.value, "ssl_conf")?;
    Some((ssl, ssl.value.as_str()))
}

/// `openssl_conf` and `ssl_conf` where nobody looks for them.
fn misplaced(sections: &Sections) -> Vec<Note> {
    let mut notes = Vec::new();
    let modules = sections.line(HEAD, "openssl_conf").map(|line| line.value.as_str());
    for (section, lines) in sections.all() {
        for line in lines {
            let says = match line.name.as_str() {
                "openssl_conf" if section != HEAD => format!(
                    "`openssl_conf` stands below [{section}]: only the part before the first section counts, and OpenSSL ignores it without a word"
                ),
                "ssl_conf" if Some(section.as_str()) != modules => {
                    format!("`ssl_conf` stands in [{section}], which `openssl_conf` does not lead to")
                }
                _ => continue,
            };
            notes.push(Note { at: line.origin.span().cloned(), says });
        }
    }
    notes.sort_by(|a, b| a.at.cmp(&b.at));
    notes
}

/// Lines with TLS commands in sections that nothing leads to.
fn unreached<'s>(sections: &'s Sections, reached: &[Line]) -> Vec<(&'s str, &'s Line)> {
    let commands =
        ["minprotocol", "maxprotocol", "protocol", "cipherstring", "ciphersuites", "groups", "curves", "signaturealgorithms"];
    let led_to: Vec<&str> = ssl_section(sections)
        .map(|(_, ssl)| sections.section(ssl).iter().map(|line| line.value.as_str()).collect())
        .unwrap_or_default();
    let mut lines: Vec<(&str, &Line)> = Vec::new();
    for (section, of_section) in sections.all() {
        if led_to.contains(&section.as_str()) {
            continue;
        }
        let is_command = |line: &&Line| commands.contains(&command(&line.name).to_ascii_lowercase().as_str());
        lines.extend(of_section.iter().filter(is_command).map(|line| (section.as_str(), line)));
    }
    lines.retain(|(_, line)| !reached.iter().any(|other| other.origin == line.origin));
    lines.sort_by(|a, b| a.1.origin.span().cmp(&b.1.origin.span()));
    lines
}

/// The name of a command without the number that allows it to stand twice (`1.Options`).
fn command(name: &str) -> &str {
    match name.split_once('.') {
        Some((number, rest)) if !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit()) => rest,
        _ => name,
    }
}

/// The settings of a section; of one command twice the last counts.
fn settings(lines: &[Line], notes: &mut Vec<Note>, unreached: &[(&str, &Line)]) -> Settings {
    let mut found = Settings::default();
    let known = |name: &str, wanted: &[&str]| wanted.iter().any(|one| command(name).eq_ignore_ascii_case(one));
    fn of<T>(line: &Line, value: T) -> Setting<T> {
        Setting::new(command(&line.name), value, line.value.clone(), line.origin.clone())
    }
    for line in lines {
        let value = line.value.trim();
        let understood = if known(&line.name, &["MinProtocol"]) {
            take(&mut found.minimum_version, names::version(value).map(|version| of(line, version)), value == "None")
        } else if known(&line.name, &["MaxProtocol"]) {
            take(&mut found.maximum_version, names::version(value).map(|version| of(line, version)), value == "None")
        } else if known(&line.name, &["Protocol"]) {
            take(&mut found.versions, protocols(value).map(|versions| of(line, versions)), false)
        } else if known(&line.name, &["CipherString"]) {
            let list = CipherList { language: Language::OpenSsl, text: value.to_owned() };
            take(&mut found.cipher_list, Some(of(line, list)), false)
        } else if known(&line.name, &["Ciphersuites"]) {
            take(
                &mut found.cipher_suites,
                names::suites(value).map(|suites: Vec<CipherSuite>| of(line, suites)),
                value.is_empty(),
            )
        } else if known(&line.name, &["Groups", "Curves"]) {
            take(&mut found.groups, names::groups(value).map(|groups: Vec<NamedGroup>| of(line, groups)), false)
        } else if known(&line.name, &["SignatureAlgorithms"]) {
            let schemes: Option<Vec<SignatureScheme>> = names::signature_schemes(value);
            take(&mut found.signature_algorithms, schemes.map(|schemes| of(line, schemes)), false)
        } else if known(&line.name, &["Options"]) {
            let options = value.split(',').map(|word| word.trim().to_owned()).collect();
            take(&mut found.options, Some(of(line, options)), false)
        } else {
            // DTLS, certificates and the like bear on nothing here.
            true
        };
        if !understood {
            notes.push(Note {
                at: line.origin.span().cloned(),
                says: format!("`{} = {}` cannot be understood: OpenSSL 3.0 ignores it without a word", line.name, line.value),
            });
        }
    }
    let idle = |names: &[&str]| -> Vec<Shadowed> {
        let fits = unreached.iter().filter(|(_, line)| names.iter().any(|name| command(&line.name).eq_ignore_ascii_case(name)));
        fits.map(|(section, line)| Shadowed {
            name: line.name.clone(),
            text: line.value.clone(),
            origin: line.origin.clone(),
            why: format!("nothing leads to the section [{section}]"),
            meant_to_count: true,
        })
        .collect()
    };
    if let Some(setting) = &mut found.minimum_version {
        setting.shadowed.extend(idle(&["MinProtocol"]));
    }
    if let Some(setting) = &mut found.maximum_version {
        setting.shadowed.extend(idle(&["MaxProtocol"]));
    }
    if let Some(setting) = &mut found.cipher_list {
        setting.shadowed.extend(idle(&["CipherString"]));
    }
    for (section, line) in unreached {
        let says = format!("`{} = {}` has no effect: nothing leads to the section [{section}]", line.name, line.value);
        notes.push(Note { at: line.origin.span().cloned(), says });
    }
    found
}

/// Puts a later value in the place of an earlier one, which it shadows; says whether the value was understood.
fn take<T>(place: &mut Option<Setting<T>>, new: Option<Setting<T>>, unset: bool) -> bool {
    let Some(mut new) = new else {
        if unset {
            *place = None;
        }
        return unset;
    };
    if let Some(old) = place.take() {
        new.shadowed.push(Shadowed {
            name: old.name,
            text: old.text,
            origin: old.origin,
            why: "a later line of the same name counts".to_owned(),
            meant_to_count: true,
        });
        new.shadowed.extend(old.shadowed);
    }
    *place = Some(new);
    true
}

/// `Protocol`: names with `-`, `+` or alone; it begins with none switched on, `ALL` stands for all.
fn protocols(value: &str) -> Option<Vec<ProtocolVersion>> {
    let all = [
        ProtocolVersion::SSLV3,
        ProtocolVersion::TLSV1_0,
        ProtocolVersion::TLSV1_1,
        ProtocolVersion::TLSV1_2,
        ProtocolVersion::TLSV1_3,
    ];
    let mut on: Vec<ProtocolVersion> = Vec::new();
    for word in value.split(',').map(str::trim).filter(|word| !word.is_empty()) {
        let (removes, name) = match word.strip_prefix('-') {
            Some(name) => (true, name),
            None => (false, word.trim_start_matches('+')),
        };
        let named = if name.eq_ignore_ascii_case("all") { all.to_vec() } else { vec![names::version(name)?] };
        if removes {
            on.retain(|version| !named.contains(version));
        } else {
            on.extend(named);
        }
    }
    on.sort_unstable();
    on.dedup();
    Some(on)
}

/// What the system's policy sets: the section `system_default`, or the program's own where it has one.
pub fn policy(files: &Files<'_>, main: &str, section: Option<&str>) -> Settings {
    let sections = file::read(files, main);
    let Some((_, ssl)) = ssl_section(&sections) else { return Settings::default() };
    let own = section.and_then(|section| sections.line(ssl, section));
    let line = own.or_else(|| sections.line(ssl, "system_default"));
    line.map(|line| settings(sections.section(&line.value), &mut Vec::new(), &[])).unwrap_or_default()
}

fn mend(context: &Context<'_>, service: &Service, want: &Want) -> Result<Vec<Patch>, CannotMend> {
    let settings = &service.settings;
    if let Some(span) = service.settings.shown().iter().find_map(|shown| shown.origin.span())
        && span.path.contains("/crypto-policies/")
    {
        return Err(CannotMend::because(
            "the file is generated: `update-crypto-policies --set` changes the policy, a module of your own a part of it",
        ));
    }
    match want {
        Want::Versions(versions) => {
            let (Some(lowest), Some(highest)) = (versions.iter().min(), versions.iter().max()) else {
                return Err(CannotMend::because("no version is wanted"));
            };
            let mut patches = Vec::new();
            if let Some(place) = settings.minimum_version.as_ref().filter(|set| set.value > *lowest || versions.len() == 1) {
                patches.extend(replace(place, lowest.to_string()));
            }
            if let Some(place) = settings.maximum_version.as_ref().filter(|set| set.value < *highest || versions.len() == 1) {
                patches.extend(replace(place, highest.to_string()));
            }
            if let Some(place) = &settings.versions {
                let names: Vec<String> = versions.iter().map(ToString::to_string).collect();
                patches.extend(replace(place, names.join(", ")));
            }
            if settings.minimum_version.is_none() && settings.versions.is_none() && *lowest > ProtocolVersion::TLSV1_0 {
                patches.extend(insert(context, service, &format!("MinProtocol = {lowest}"))?);
            }
            if settings.maximum_version.is_none() && settings.versions.is_none() && *highest < ProtocolVersion::TLSV1_3 {
                patches.extend(insert(context, service, &format!("MaxProtocol = {highest}"))?);
            }
            let changed = |setting: Option<&Setting<ProtocolVersion>>, wanted| setting.is_none_or(|set| set.value == wanted);
            if patches.is_empty() && changed(settings.minimum_version.as_ref(), *lowest) {
                return Err(CannotMend::because("no line takes these versions away"));
            }
            if let Some(place) = settings.minimum_version.as_ref().filter(|set| set.value < *lowest) {
                patches.extend(replace(place, lowest.to_string()));
            }
            if let Some(place) = settings.maximum_version.as_ref().filter(|set| set.value > *highest) {
                patches.extend(replace(place, highest.to_string()));
            }
            patches.sort();
            patches.dedup();
            Ok(patches)
        }
        Want::CipherList(suites, level) => {
            let names: Vec<&str> = suites.iter().filter_map(|suite| suite.details()?.openssl_name).collect();
            let level = level.map(|level| format!(":@SECLEVEL={level}")).unwrap_or_default();
            set(context, service, settings.cipher_list.as_ref(), "CipherString", &format!("{}{level}", names.join(":")))
        }
        Want::CipherSuites(suites) => {
            let names: Vec<String> = suites.iter().map(ToString::to_string).collect();
            set(context, service, settings.cipher_suites.as_ref(), "Ciphersuites", &names.join(":"))
        }
        Want::Groups(groups) => {
            let names: Vec<String> = groups.iter().map(|group| names::group_name(*group)).collect();
            set(context, service, settings.groups.as_ref(), "Groups", &names.join(":"))
        }
        Want::SignatureAlgorithms(schemes) => {
            let names: Vec<String> = schemes.iter().map(ToString::to_string).collect();
            set(context, service, settings.signature_algorithms.as_ref(), "SignatureAlgorithms", &names.join(":"))
        }
        Want::SecurityLevel(level) => {
            let text = settings.cipher_list.as_ref().map_or("DEFAULT", |list| list.text.as_str());
            let words: Vec<&str> = text.split(':').filter(|word| !word.starts_with("@SECLEVEL")).collect();
            // `DEFAULT@SECLEVEL=2` without a colon is one word.
            let words: Vec<&str> = words.iter().map(|word| word.split("@SECLEVEL").next().unwrap_or_default()).collect();
            let value = format!("{}:@SECLEVEL={level}", words.join(":"));
            set(context, service, settings.cipher_list.as_ref(), "CipherString", &value)
        }
        Want::Option(option) => {
            let text = settings.options.as_ref().map(|options| format!("{},", options.text)).unwrap_or_default();
            set(context, service, settings.options.as_ref(), "Options", &format!("{text}{option}"))
        }
        other => Err(CannotMend::because(format!("openssl.cnf has nothing for {other:?}"))),
    }
}

fn replace<T>(setting: &Setting<T>, value: String) -> Option<Patch> {
    match &setting.origin {
        Origin::File { value: place, .. } => Some(Patch::replace(place, value)),
        _ => None,
    }
}

fn set<T>(
    context: &Context<'_>,
    service: &Service,
    setting: Option<&Setting<T>>,
    name: &str,
    value: &str,
) -> Result<Vec<Patch>, CannotMend> {
    match setting.and_then(|setting| replace(setting, value.to_owned())) {
        Some(patch) => Ok(vec![patch]),
        None => insert(context, service, &format!("{name} = {value}")),
    }
}

/// A further line in the section that rules.
fn insert(context: &Context<'_>, service: &Service, line: &str) -> Result<Vec<Patch>, CannotMend> {
    let sections = file::read(context.files, context.main);
    let declared = service.declared.as_ref().ok_or_else(|| {
        CannotMend::because(
            "the file has no section for it: `openssl_conf`, `ssl_conf` and `system_default` lead to one (config(5))",
        )
    })?;
    let name = sections
        .all()
        .flat_map(|(_, lines)| lines)
        .find(|line| line.origin.span() == Some(declared))
        .map(|line| line.value.clone())
        .unwrap_or_default();
    let last: Option<&Span> = sections.section(&name).last().and_then(|line| line.origin.span());
    let head = sections.heads.iter().rev().find(|(section, _)| *section == name).map(|(_, span)| span);
    let place = last.or(head).ok_or_else(|| CannotMend::because(format!("the section [{name}] is not there")))?;
    let bytes = context.files.bytes(&place.path).unwrap_or_default();
    Ok(vec![Patch::line_below(place, bytes, line)])
}
