//! What the values mean: protocols, grades of ciphers, curves.

use tlswhy_wire::{NamedGroup, ProtocolVersion};

use super::parameters::Scope;
use crate::language::names;
use crate::release::Release;
use crate::setting::{CipherList, Language, Setting};

/// The versions that Postfix knows, lowest first.
pub(super) const VERSIONS: [ProtocolVersion; 5] = [
    ProtocolVersion::SSLV3,
    ProtocolVersion::TLSV1_0,
    ProtocolVersion::TLSV1_1,
    ProtocolVersion::TLSV1_2,
    ProtocolVersion::TLSV1_3,
];
/// `>=` and `<=` (RELEASE_NOTES 3.6).
pub(super) const BOUNDS_SINCE: Release = Release::new(3, 6, 0);

/// `smtpd_tls_protocols` and its like: words that take away (`!TLSv1`), words that leave nothing but themselves, bounds. `Err`
/// is a word that Postfix does not take: it then speaks no TLS on this service.
pub(super) fn protocols(text: &str, release: Option<Release>) -> Result<Vec<ProtocolVersion>, String> {
    let bounds = release.is_none_or(|release| release >= BOUNDS_SINCE);
    let (mut named, mut excluded) = (Vec::new(), Vec::new());
    let (mut lowest, mut highest) = (None, None);
    for word in text.split([' ', '\t', '\r', '\n', ',', ':']).filter(|word| !word.is_empty()) {
        let of = |name: &str| match name.to_ascii_lowercase().as_str() {
            "sslv2" => Ok(None),
            lower => names::version(lower).map(Some).ok_or_else(|| word.to_owned()),
        };
        if let Some(name) = word.strip_prefix('!') {
            excluded.extend(of(name)?);
        } else if let Some(name) = word.strip_prefix(">=").filter(|_| bounds) {
            lowest = of(name)?;
        } else if let Some(name) = word.strip_prefix("<=").filter(|_| bounds) {
            highest = of(name)?;
        } else {
            named.push(of(word)?);
        }
    }
    let mut on = VERSIONS.to_vec();
    if !named.is_empty() {
        on.retain(|version| named.contains(&Some(*version)));
    }
    on.retain(|version| !excluded.contains(version));
    on.retain(|version| lowest.is_none_or(|lowest| *version >= lowest) && highest.is_none_or(|highest| *version <= highest));
    Ok(on)
}

/// The value that leaves just these versions on.
pub(super) fn as_protocols(versions: &[ProtocolVersion], release: Option<Release>) -> String {
    let name = |version: ProtocolVersion| match version {
        ProtocolVersion::TLSV1_0 => "TLSv1".to_owned(),
        other => other.to_string(),
    };
    let range: Vec<ProtocolVersion> = VERSIONS
        .into_iter()
        .filter(|version| versions.iter().min() <= Some(version) && Some(version) <= versions.iter().max())
        .collect();
    let whole = range.iter().all(|version| versions.contains(version));
    if whole && release.is_none_or(|release| release >= BOUNDS_SINCE) {
        let low = range.first().map(|low| format!(">={}", name(*low))).unwrap_or_default();
        return match range.last() {
            Some(high) if *high < ProtocolVersion::TLSV1_3 => format!("{low},<={}", name(*high)),
            _ => low,
        };
    }
    let off = VERSIONS.into_iter().filter(|version| !versions.contains(version)).map(|version| format!("!{}", name(version)));
    std::iter::once("!SSLv2".to_owned()).chain(off).collect::<Vec<_>>().join(",")
}

/// The grades of ciphers.
pub(super) const GRADES: [&str; 5] = ["high", "medium", "low", "export", "null"];

/// The cipher string of a grade with what is excluded (tls_set_ciphers); `None` where it is no grade. A server that asks for a
/// certificate takes no anonymous suites.
pub(super) fn ciphers(scope: &Scope<'_>, grade: Setting<String>, excluded: &[&str], asks: bool) -> Option<Setting<CipherList>> {
    let name = grade.value.trim().to_ascii_lowercase();
    let list = GRADES.contains(&name.as_str()).then(|| scope.get(&format!("tls_{name}_cipherlist")))?;
    let mut text = list.value.clone();
    if asks {
        text.push_str(":!aNULL");
    }
    for name in excluded {
        for word in scope.text(name).split([' ', '\t', '\r', '\n', ',', ':']).filter(|word| !word.is_empty()) {
            text.push_str(":!");
            text.push_str(word);
        }
    }
    // The line that defines the list rules where there is one; else the one that names the grade.
    let ruling = if list.origin.span().is_some() { list } else { grade };
    Some(ruling.map(|_| CipherList { language: Language::OpenSsl, text }))
}

/// From here on every grade of curves is `auto` (measured, 3.7.11: `strong`, `ultra` and `none` change nothing).
const GRADES_OF_CURVES_UNTIL: Release = Release::new(3, 6, 0);

/// The groups of a server: by its grade, and by two lists since 3.8.
pub(super) fn server_groups(scope: &Scope<'_>) -> Option<Setting<Vec<NamedGroup>>> {
    if scope.parameters.release.is_none_or(|release| release >= GRADES_OF_CURVES_UNTIL) {
        return groups(scope, "tls_eecdh_auto_curves", Some("tls_ffdhe_auto_groups"));
    }
    match scope.text("smtpd_tls_eecdh_grade").trim().to_ascii_lowercase().as_str() {
        "strong" => groups(scope, "tls_eecdh_strong_curve", None),
        "ultra" => groups(scope, "tls_eecdh_ultra_curve", None),
        "none" => None,
        _ => groups(scope, "tls_eecdh_auto_curves", Some("tls_ffdhe_auto_groups")),
    }
}

/// The groups of these two lists.
pub(super) fn groups(scope: &Scope<'_>, curves: &str, finite: Option<&str>) -> Option<Setting<Vec<NamedGroup>>> {
    let setting = scope.get(curves);
    let mut words = setting.value.clone();
    if let Some(finite) = finite {
        words.push(' ');
        words.push_str(&scope.text(finite));
    }
    let words: Vec<&str> = words.split([' ', '\t', '\r', '\n', ',', ':']).filter(|word| !word.is_empty()).collect();
    let groups = names::groups(&words.join(":"))?;
    Some(setting.map(|_| groups))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn protocols_are_taken_away_named_or_bounded() {
        let names = |text: &str, release| {
            protocols(text, release).map(|versions| versions.iter().map(ToString::to_string).collect::<Vec<_>>().join(" "))
        };
        assert_eq!(names(">=TLSv1", None).unwrap(), "TLSv1.0 TLSv1.1 TLSv1.2 TLSv1.3");
        assert_eq!(names("!SSLv2, !SSLv3,!TLSv1", None).unwrap(), "TLSv1.1 TLSv1.2 TLSv1.3");
        assert_eq!(names("TLSv1.2 TLSv1.3", None).unwrap(), "TLSv1.2 TLSv1.3");
        assert_eq!(names(">=TLSv1.1 <=TLSv1.2 !TLSv1.1", None).unwrap(), "TLSv1.2");
        assert_eq!(names("", None).unwrap(), "SSLv3 TLSv1.0 TLSv1.1 TLSv1.2 TLSv1.3");
        assert_eq!(names(">=TLSv1.2", Some(Release::new(3, 5, 0))), Err(">=TLSv1.2".to_owned()));
        assert_eq!(names("TLS1.4", None), Err("TLS1.4".to_owned()));
    }

    #[test]
    fn what_is_written_is_read_back() {
        let sets: [&[ProtocolVersion]; 3] =
            [&VERSIONS[3..], &VERSIONS[1..4], &[ProtocolVersion::TLSV1_0, ProtocolVersion::TLSV1_3]];
        for versions in sets {
            for release in [None, Some(Release::new(3, 4, 0))] {
                assert_eq!(protocols(&as_protocols(versions, release), release).unwrap(), versions);
            }
        }
    }
}
