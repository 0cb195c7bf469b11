//! Which versions the words of a line leave: `ssl-min-ver`, `ssl-max-ver`, `force-*`, `no-*`
//! (ssl_sock_initial_ctx() and ssl_sock_prepare_ctx() of HAProxy's `ssl_sock.c`; measured on 2.6.12).

use tlswhy_wire::ProtocolVersion;

use super::scopes::{Item, Scopes};
use crate::language::names;
use crate::setting::{Setting, Shadowed};
use crate::span::Origin;

/// The versions that HAProxy has words for, lowest first.
const VERSIONS: [ProtocolVersion; 5] = [
    ProtocolVersion::SSLV3,
    ProtocolVersion::TLSV1_0,
    ProtocolVersion::TLSV1_1,
    ProtocolVersion::TLSV1_2,
    ProtocolVersion::TLSV1_3,
];

/// Lowest and highest version, and what is wrong with them.
#[derive(Debug, Default)]
pub(super) struct Range {
    pub(super) lowest: Option<Setting<ProtocolVersion>>,
    pub(super) highest: Option<Setting<ProtocolVersion>>,
    /// `no-*` words leave a gap, which HAProxy warns of and fills; the version.
    pub(super) gap: Option<ProtocolVersion>,
    /// No version is left: HAProxy does not start.
    pub(super) empty: bool,
}

/// The version at the end of `force-tlsv12`, `no-tlsv12`.
pub(super) fn of_word(word: &str) -> Option<ProtocolVersion> {
    match word.strip_prefix("force-").or_else(|| word.strip_prefix("no-"))? {
        "sslv3" => Some(ProtocolVersion::SSLV3),
        "tlsv10" => Some(ProtocolVersion::TLSV1_0),
        "tlsv11" => Some(ProtocolVersion::TLSV1_1),
        "tlsv12" => Some(ProtocolVersion::TLSV1_2),
        "tlsv13" => Some(ProtocolVersion::TLSV1_3),
        _ => None,
    }
}

fn bound(item: &Item) -> Option<ProtocolVersion> {
    if item.key.starts_with("force-") { of_word(&item.key) } else { names::version(&item.value) }
}

fn is_exclusion(item: &Item) -> bool {
    item.key.starts_with("no-") && of_word(&item.key).is_some()
}

/// The range that the scopes leave; `default` is what counts as the lowest where no word says.
pub(super) fn range(scopes: &Scopes<'_>, default: Option<(ProtocolVersion, String)>) -> Range {
    let end = |key: &str| {
        scopes.setting(|item| item.key == key || (item.key.starts_with("force-") && of_word(&item.key).is_some()), bound)
    };
    let (mut lowest, mut highest) = (end("ssl-min-ver"), end("ssl-max-ver"));
    let excluded: Vec<&Item> = scopes.all().filter(|item| is_exclusion(item)).collect();
    let ignored = lowest.is_some() || highest.is_some();
    if let (true, Some(ruling)) = (ignored, lowest.as_mut().or(highest.as_mut())) {
        let why = "HAProxy ignores `no-sslv3` and `no-tlsv1x` beside a minimum or maximum, with a warning";
        ruling.shadow(excluded.iter().map(|item| item.shadowed(why, true)));
    }
    let late: Vec<Shadowed> = scopes.late(is_exclusion);
    if lowest.is_none() {
        lowest = match (&highest, default) {
            // A maximum below the default takes the minimum down with it.
            (Some(highest), Some((default, _))) if highest.value < default => {
                Some(Setting { shadowed: Vec::new(), ..highest.clone() })
            }
            (_, Some((default, by))) => {
                let mut setting = Setting::new("ssl-min-ver", default, default.to_string(), Origin::built_in(by));
                setting.shadow(scopes.late(|item| item.key == "ssl-min-ver").into_iter().chain(late));
                Some(setting)
            }
            _ => None,
        };
    }
    let mut range = Range { lowest, highest, gap: None, empty: false };
    let (first, last) = (range.lowest.as_ref().map(|one| one.value), range.highest.as_ref().map(|one| one.value));
    let within =
        |version: &ProtocolVersion| first.is_none_or(|first| *version >= first) && last.is_none_or(|last| *version <= last);
    if ignored || excluded.is_empty() {
        range.empty = !VERSIONS.iter().any(within);
        return range;
    }
    let exclusion = |version: ProtocolVersion| excluded.iter().find(|item| of_word(&item.key) == Some(version));
    let left: Vec<ProtocolVersion> =
        VERSIONS.into_iter().filter(within).filter(|version| exclusion(*version).is_none()).collect();
    let (Some(min), Some(max)) = (left.first().copied(), left.last().copied()) else {
        range.empty = true;
        return range;
    };
    range.gap = VERSIONS.into_iter().find(|version| *version > min && *version < max && exclusion(*version).is_some());
    // The word that takes the version below the lowest, or above the highest, is the one that rules.
    let below = VERSIONS.into_iter().rev().filter(|version| *version < min && within(version)).find_map(exclusion);
    if let Some(item) = below {
        range.lowest = Some(item.setting(min));
    }
    if let Some(item) = VERSIONS.into_iter().filter(|version| *version > max).find_map(exclusion) {
        range.highest = Some(item.setting(max));
    }
    range
}
