//! From the head of the file to the commands of TLS: `openssl_conf` names a section of modules, its `ssl_conf` a section of
//! names, and each of those a section of commands (CONF_modules_load, ssl_module_init; measured on 1.1.1w, 3.0.19, 3.6.5).

use std::rc::Rc;

use super::conf::{Conf, Entry, HEAD};
use crate::span::Span;

/// Modules that libcrypto brings along; any other name is looked for as a shared object and, not found, ends the reading.
const MODULES: &[&str] = &["oid_section", "stbl_section", "engines", "alg_section", "providers", "random", "ssl_conf"];
/// The name whose commands every new context gets.
pub(super) const SYSTEM_DEFAULT: &str = "system_default";
/// The key in the head for programs that ask for no other.
pub(super) const OPENSSL_CONF: &str = "openssl_conf";

/// Why a program gets no commands.
#[derive(Clone, Debug)]
pub(super) struct Broken {
    pub(super) why: String,
    pub(super) at: Option<Span>,
    /// A line is wrong, not just absent.
    pub(super) wrong: bool,
}

impl Broken {
    fn absent(why: impl Into<String>) -> Broken {
        Broken { why: why.into(), at: None, wrong: false }
    }

    fn wrong(entry: &Entry, why: impl Into<String>) -> Broken {
        Broken { why: why.into(), at: Some(entry.at.clone()), wrong: true }
    }
}

/// Programs that ask for no `openssl_conf` where their own key is missing (Node.js, measured).
const WITHOUT_FALLBACK: &[&str] = &["nodejs_conf"];

/// The line of the head that a program's reading begins with: its own, or `openssl_conf`.
pub(super) fn start<'c>(conf: &'c Conf, application: Option<&str>) -> Option<&'c Entry> {
    let own = application.and_then(|application| conf.own(HEAD, application));
    if application.is_some_and(|application| WITHOUT_FALLBACK.contains(&application)) {
        return own;
    }
    own.or_else(|| conf.own(HEAD, OPENSSL_CONF))
}

/// The `ssl_conf` line that counts for who begins at `start`.
pub(super) fn ssl_conf<'c>(conf: &'c Conf, start: &Entry) -> Result<&'c Entry, Broken> {
    let missing = || Broken::wrong(start, format!("`{}` names the section [{}], which is not there", start.name, start.value));
    let modules = conf.section(&start.value).ok_or_else(missing)?;
    let known = conf.led.borrow().get(&start.value).cloned();
    let found = known.unwrap_or_else(|| {
        let found = among(conf, start, &modules);
        conf.led.borrow_mut().insert(start.value.clone(), found.clone());
        found
    });
    conf.entries.get(found?).ok_or_else(missing)
}

/// The index of the `ssl_conf` line that counts among these modules.
fn among(conf: &Conf, start: &Entry, modules: &[usize]) -> Result<usize, Broken> {
    let mut found = None;
    let mut broken = None;
    for (index, entry) in modules.iter().filter_map(|index| Some((*index, conf.entries.get(*index)?))) {
        let module = entry.name.rsplit_once('.').map_or(entry.name.as_str(), |(module, _)| module);
        let there = conf.section(&entry.value).is_some();
        if !MODULES.contains(&module) {
            broken = Some(Broken::wrong(entry, format!("OpenSSL knows no module `{module}` and reads no further")));
        } else if !there {
            let why =
                format!("`{}` names the section [{}], which is not there: OpenSSL reads no further", entry.name, entry.value);
            broken = Some(Broken::wrong(entry, why));
        } else if module == "ssl_conf" {
            match names(conf, entry) {
                Ok(()) => found = Some(index),
                Err(why) => {
                    found = None;
                    broken = Some(why);
                }
            }
        }
        if broken.is_some() {
            break;
        }
    }
    match (found, broken) {
        (Some(found), _) => Ok(found),
        (None, Some(broken)) => Err(broken),
        (None, None) => Err(Broken::absent(format!("[{}] has no `ssl_conf`", start.value))),
    }
}

/// One name without commands makes the module forget all of them.
fn names(conf: &Conf, ssl_conf: &Entry) -> Result<(), Broken> {
    let names = conf.section(&ssl_conf.value).unwrap_or_default();
    if names.is_empty() {
        return Err(Broken::wrong(ssl_conf, format!("the section [{}] is empty", ssl_conf.value)));
    }
    for entry in names.iter().filter_map(|index| conf.entries.get(*index)) {
        let what = match conf.section(&entry.value) {
            None => "is not there",
            Some(commands) if commands.is_empty() => "is empty",
            Some(_) => continue,
        };
        let why =
            format!("`{}` names the section [{}], which {what}: OpenSSL then drops all of ssl_conf", entry.name, entry.value);
        return Err(Broken::wrong(entry, why));
    }
    Ok(())
}

/// The commands for who begins at a key of the head and asks for this name.
pub(super) fn commands(conf: &Conf, application: Option<&str>, name: &str) -> Result<Rc<[usize]>, Broken> {
    if let Some((at, says)) = &conf.refused {
        let why = format!("OpenSSL drops the whole file for a line that it cannot read: {says}");
        return Err(Broken { why, at: Some(at.clone()), wrong: true });
    }
    let Some(start) = start(conf, application) else {
        return Err(Broken::absent(format!("no `{OPENSSL_CONF}` stands above the first section")));
    };
    let ssl_conf = ssl_conf(conf, start)?;
    match conf.own(&ssl_conf.value, name) {
        Some(named) => Ok(conf.section(&named.value).unwrap_or_default()),
        None => Err(Broken::absent(format!("[{}] has no `{name}`", ssl_conf.value))),
    }
}

/// Why the commands of a section that no program gets have no effect, as far back as the lines lead.
pub(super) fn why_idle(conf: &Conf, section: &str) -> String {
    if let Err(broken @ Broken { wrong: true, .. }) = commands(conf, None, SYSTEM_DEFAULT) {
        return broken.why;
    }
    if section == HEAD {
        return "it stands above the first section, where no command of TLS counts".to_owned();
    }
    let naming = |section: &str, fits: &dyn Fn(&Entry) -> bool| {
        let names = |entry: &&Entry| !entry.is_replaced && entry.value == section && fits(entry);
        conf.entries.iter().rev().find(names)
    };
    let Some(name) = naming(section, &|entry| *entry.section != *section) else {
        return format!("no line names its section [{section}]");
    };
    let module = |entry: &Entry| entry.name == "ssl_conf" || entry.name.starts_with("ssl_conf.");
    let Some(ssl_conf) = naming(&name.section, &module) else {
        return format!("`{}` leads to it, and no `ssl_conf` line names the section [{}]", name.name, name.section);
    };
    let Some(start) = naming(&ssl_conf.section, &|entry| entry.name.ends_with("_conf") && !module(entry)) else {
        return format!("no `{OPENSSL_CONF}` names the section [{}], which leads to it", ssl_conf.section);
    };
    if *start.section != *HEAD {
        return format!(
            "`{}` stands below [{}]: it counts above the first section only, and is passed over in silence",
            start.name, start.section
        );
    }
    format!("no program is led to it by `{}`", start.name)
}
