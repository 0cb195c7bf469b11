//! The system-wide policy that OpenSSL gives a program's contexts before the program's own settings.

use super::{Group, SYSTEM_DEFAULT, chain, conf, of_group};
use crate::files::{Content, Files, normal};
use crate::release::Release;
use crate::service::Side;
use crate::setting::{Setting, Settings};

/// What openssl.cnf says to a program.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SystemPolicy {
    /// The file.
    pub path: String,
    /// The versions, suites, groups, signature algorithms and options that it sets.
    pub settings: Settings,
    /// The security level that its cipher string sets.
    pub level: Option<Setting<u8>>,
}

/// Where OpenSSL looks for openssl.cnf (OPENSSLDIR, as `openssl version -d` prints it), by the distribution. Debian's
/// /usr/lib/ssl/openssl.cnf is a link to what stands here. Measured on Debian 11, 12 and sid; the rest after the distributions' build
/// files.
const PLACES: &[(&[&str], &str)] = &[
    (
        &["debian", "ubuntu", "raspbian", "linuxmint", "pop", "kali", "alpine", "arch", "opensuse", "sles", "suse", "freebsd"],
        "/etc/ssl/openssl.cnf",
    ),
    (&["rhel", "fedora", "centos", "rocky", "almalinux", "ol", "amzn", "oracle"], "/etc/pki/tls/openssl.cnf"),
];

/// The file that programs read: OPENSSL_CONF, or the distribution's; `None` where an empty OPENSSL_CONF says that there is none.
fn path(files: &Files<'_>) -> Option<String> {
    if let Some(instead) = files.environment("OPENSSL_CONF") {
        return (!instead.is_empty()).then(|| normal(instead));
    }
    let system = files.software("system").and_then(|system| system.version.as_deref()).unwrap_or_default().to_ascii_lowercase();
    let id = system.split([' ', '-', ':']).next().unwrap_or_default();
    let row = PLACES.iter().find(|(ids, _)| ids.iter().any(|known| id.starts_with(known)));
    if let Some((_, path)) = row {
        return Some((*path).to_owned());
    }
    let there = PLACES.iter().rev().find(|(_, path)| matches!(files.look(path), Content::Bytes(_)));
    there.map(|(_, path)| (*path).to_owned())
}

/// What openssl.cnf (the system's, or the one that stands in its place) says to a program that begins by this key of the head (`None`
/// for `openssl_conf`); `None` where nothing applies.
pub fn system_policy(
    files: &Files<'_>,
    instead: Option<&str>,
    application: Option<&str>,
    release: Option<Release>,
    side: Side,
) -> Option<std::rc::Rc<SystemPolicy>> {
    // The section of system_default came with 1.1.1.
    if release.is_some_and(|release| release < Release::new(1, 1, 1)) {
        return None;
    }
    let key = format!("{}|{release:?}|{side:?}|{instead:?}", application.unwrap_or_default());
    files.remembered_policy(key, || {
        let path = match instead {
            Some(instead) => (!instead.is_empty()).then(|| normal(instead)),
            None => path(files),
        }?;
        let Content::Bytes(_) = files.look(&path) else { return None };
        let conf = conf::read(files, &path, release);
        chain::commands(&conf, application, SYSTEM_DEFAULT).ok()?;
        let group =
            Group { application: application.map(str::to_owned), name: SYSTEM_DEFAULT.to_owned(), title: String::new() };
        let applied = of_group(&conf, &group, release, side);
        Some(SystemPolicy { path, settings: applied.settings, level: applied.level })
    })
}
