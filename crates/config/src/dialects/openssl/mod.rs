//! openssl.cnf: what libcrypto and libssl read when a program begins to use them, and which programs heed it.
//!
//! Sources: config(5), SSL_CONF_cmd(3), SSL_CTX_config(3) of <https://docs.openssl.org/>; measured on 1.1.1w, 3.0.19 and 3.6.5.

mod chain;
mod commands;
mod conf;
mod ending;
mod expand;
mod heeding;
mod lines;
mod policy;
mod values;

use std::collections::HashSet;
use std::sync::Arc;

use self::chain::{OPENSSL_CONF, SYSTEM_DEFAULT};
use self::commands::{Applied, Target};
use self::conf::{Conf, Entry, HEAD};
use crate::dialects::{Commands, Context, Dialect, Likeness, MOST_SERVICES};
use crate::release::Release;
use crate::service::{Heeds, Library, Note, Reading, Service, Side, Trouble};
use crate::span::Span;

pub use heeding::{Heeding, PROGRAMS, heeds, stops_at_diagnostics};
pub(crate) use values::{default_groups, default_schemes, default_suites, level as level_in};

pub use policy::{SystemPolicy, system_policy};

pub(crate) static DIALECT: Dialect = Dialect {
    name: "openssl",
    title: "OpenSSL",
    sides: &[Side::Client],
    places: &[
        "/etc/ssl/openssl.cnf",
        "/etc/pki/tls/openssl.cnf",
        "/usr/local/ssl/openssl.cnf",
        "/usr/local/etc/openssl@3/openssl.cnf",
        "/opt/homebrew/etc/openssl@3/openssl.cnf",
        "/etc/openssl/openssl.cnf",
    ],
    recognise,
    read,
    mend: ending::mend,
    commands: no_commands,
};

fn recognise(path: &str, bytes: &[u8]) -> Likeness {
    let name = path.rsplit('/').next().unwrap_or_default();
    if name == "openssl.cnf" {
        return Likeness::Name;
    }
    let text = bytes.get(..bytes.len().min(64 * 1024)).unwrap_or_default();
    let mut at = 0;
    while let Some(line) = lines::next(text, &mut at) {
        let start = lines::past_blanks(&line.text, 0);
        let word = line.text.get(start..lines::past_name(&line.text, start, false)).unwrap_or_default();
        let equals = line.text.get(lines::past_blanks(&line.text, start + word.len())) == Some(&b'=');
        let telling: [&[u8]; 4] = [b"openssl_conf", b"nodejs_conf", b"ssl_conf", b"system_default"];
        if equals && telling.contains(&word) {
            return Likeness::Content;
        }
    }
    Likeness::None
}

/// No program validates it (a line that cannot be read goes unsaid), and each reads it once, as it starts.
fn no_commands(_main: &str) -> Commands {
    Commands::default()
}

/// Programs that get the same commands.
#[derive(Clone, Debug)]
struct Group {
    /// The key in the head by which they begin; `None` for `openssl_conf`.
    application: Option<String>,
    /// The name that they ask for.
    name: String,
    title: String,
}

/// Keys of the head that programs are known to begin with in the place of `openssl_conf`.
const APPLICATIONS: &[(&str, &str)] = &[
    // node::InitializeOncePerProcess; measured on Node.js 20. It does not fall back to `openssl_conf`.
    ("nodejs_conf", "Node.js (`nodejs_conf`)"),
    // ngx_ssl_init since 1.25.2.
    ("nginx", "nginx 1.25.2 and later (`nginx`)"),
];

/// Most lines that lead nowhere of which each is told why.
const MOST_IDLE: usize = 100;

/// Who reads a file: everybody first, then who begins by a key or asks for a name of its own, in the order of the lines.
fn groups(conf: &Conf) -> Vec<Group> {
    // Starts and names that lead to the same are one group.
    let mut titles: HashSet<String> = HashSet::new();
    let mut led: HashSet<&str> = HashSet::new();
    let title = "programs that heed OpenSSL's system defaults (curl, openssl s_client, PHP, Ruby …)".to_owned();
    let mut groups = vec![Group { application: None, name: SYSTEM_DEFAULT.to_owned(), title }];
    let live = |section: &str| conf.section(section).unwrap_or_default();
    let mut starts: Vec<&Entry> = chain::start(conf, None).into_iter().collect();
    for entry in live(HEAD).iter().filter_map(|index| conf.entries.get(*index)) {
        let leads = entry.name != OPENSSL_CONF && chain::ssl_conf(conf, entry).is_ok();
        if !leads || groups.len() >= MOST_SERVICES {
            continue;
        }
        let known = APPLICATIONS.iter().find(|(key, _)| *key == entry.name).map(|(_, title)| (*title).to_owned());
        let title = known.unwrap_or_else(|| format!("programs that call themselves `{}`", entry.name));
        groups.push(Group { application: Some(entry.name.clone()), name: SYSTEM_DEFAULT.to_owned(), title });
        starts.push(entry);
    }
    for start in starts {
        if !led.insert(&start.value) {
            continue;
        }
        let Ok(ssl_conf) = chain::ssl_conf(conf, start) else { continue };
        for entry in live(&ssl_conf.value).iter().filter_map(|index| conf.entries.get(*index)) {
            let title = format!("programs that ask for `{}`", entry.name);
            if groups.len() < MOST_SERVICES && entry.name != SYSTEM_DEFAULT && titles.insert(title.clone()) {
                let application = Some(start.name.clone()).filter(|name| name != OPENSSL_CONF);
                groups.push(Group { application, name: entry.name.clone(), title });
            }
        }
    }
    groups
}

/// What programs of a group get.
fn of_group(conf: &Conf, group: &Group, release: Option<Release>, side: Side) -> Applied {
    let target = Target { release, side, named: group.name != SYSTEM_DEFAULT };
    if !target.since(1, 1, 1) {
        let says = format!("{} gives no program anything of openssl.cnf by itself: 1.1.1 is the first", target.library());
        return Applied { notes: vec![Note { at: None, says }], ..Applied::default() };
    }
    match chain::commands(conf, group.application.as_deref(), &group.name) {
        Ok(commands) => commands::apply(conf, &commands, target),
        Err(_) => Applied::default(),
    }
}

fn read(context: &Context<'_>) -> Reading {
    let release = context.files.release_of("openssl");
    let conf = conf::read(context.files, context.main, release);
    let groups = groups(&conf);
    let target = Target { release, side: Side::Client, named: false };
    let mut troubles = conf.troubles.clone();
    if let Some((at, says)) = &conf.refused {
        let says = format!("{says}: OpenSSL drops the whole file for it, in silence");
        troubles.push(Trouble { at: Some(at.clone()), says, fatal: false });
    }
    let mut reached: HashSet<Arc<str>> = HashSet::new();
    let mut services = Vec::with_capacity(groups.len());
    for group in &groups {
        let commands = chain::commands(&conf, group.application.as_deref(), &group.name);
        let mut applied = of_group(&conf, group, release, Side::Client);
        if target.since(1, 1, 1)
            && let Ok(commands) = &commands
        {
            let sections = commands.iter().filter_map(|index| conf.entries.get(*index)).map(|entry| Arc::clone(&entry.section));
            reached.extend(sections);
        }
        if services.is_empty() {
            applied.notes.extend(conf.notes.iter().cloned());
            if let Some(instead) = context.files.environment("OPENSSL_CONF").filter(|instead| *instead != context.main) {
                let says = format!("OPENSSL_CONF is set to `{instead}`: programs started here read that in its place");
                applied.notes.push(Note { at: None, says });
            }
        }
        troubles.append(&mut applied.troubles);
        // A later list without a level leaves the level of an earlier one.
        let says_level = |list: &crate::setting::Setting<crate::setting::CipherList>| level_in(&list.value.text).is_some();
        if !applied.settings.cipher_list.as_ref().is_some_and(says_level) {
            applied.settings.security_level = applied.level.take();
        }
        let declared = declared(&conf, group);
        services.push(service(group.title.clone(), release, applied, declared));
    }
    if let Err(broken) = chain::commands(&conf, None, SYSTEM_DEFAULT)
        && broken.wrong
        && conf.refused.is_none()
    {
        // Without `config_diagnostics` programs run with the defaults; with it some refuse to begin (measured on 3.0.19).
        let fatal = target.since(3, 0, 0) && commands::diagnosed(&conf);
        troubles.push(Trouble { at: broken.at, says: broken.why, fatal });
    }
    idle(&conf, &reached, target, services.first_mut());
    Reading { services, troubles, files: conf.files }
}

/// Lines that speak of TLS in sections that no program is led to are shown beside what rules in their place.
fn idle(conf: &Conf, reached: &HashSet<Arc<str>>, target: Target, first: Option<&mut Service>) {
    let Some(service) = first else { return };
    let mut applied = Applied { settings: std::mem::take(&mut service.settings), ..Applied::default() };
    let idle = |entry: &&Entry| !entry.is_replaced && commands::is_telling(entry) && !reached.contains(&entry.section);
    let mut entries = conf.entries.iter().filter(idle);
    for entry in entries.by_ref().take(MOST_IDLE) {
        let why = if target.since(1, 1, 1) {
            chain::why_idle(conf, &entry.section)
        } else {
            format!("{} takes no settings of TLS from openssl.cnf by itself: 1.1.1 is the first", target.library())
        };
        commands::shadow(&mut applied, target, entry, why, true);
    }
    if let Some(next) = entries.next() {
        let says = format!("more than {MOST_IDLE} lines of TLS lead nowhere: this one and the rest of them are not told of");
        applied.notes.push(Note { at: Some(next.at.clone()), says });
    }
    service.settings = applied.settings;
    service.notes.append(&mut applied.notes);
    let misplaced = |entry: &&Entry| entry.name == OPENSSL_CONF && *entry.section != *HEAD;
    service.notes.extend(conf.entries.iter().filter(misplaced).take(MOST_IDLE).map(|entry| {
        let says = format!("`{OPENSSL_CONF}` stands below [{}]: it counts above the first section only", entry.section);
        Note { at: Some(entry.at.clone()), says }
    }));
}

/// The head of the section with the commands.
fn declared(conf: &Conf, group: &Group) -> Option<Span> {
    let start = chain::start(conf, group.application.as_deref())?;
    let ssl_conf = chain::ssl_conf(conf, start).ok()?;
    conf.head(&conf.own(&ssl_conf.value, &group.name)?.value).cloned()
}

fn service(title: String, release: Option<Release>, applied: Applied, declared: Option<Span>) -> Service {
    Service {
        dialect: DIALECT.name,
        side: Side::Client,
        title,
        listeners: Vec::new(),
        names: Vec::new(),
        names_from_certificates: false,
        declared,
        upgrade: None,
        program: ("OpenSSL".to_owned(), release),
        library: Library::OpenSsl(release),
        // Its settings are the policy.
        heeds: Heeds::NOTHING,
        settings: applied.settings,
        notes: applied.notes,
    }
}
