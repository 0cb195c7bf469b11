//! The software of a machine, with what is known of each version.

use std::collections::BTreeSet;

use tlswhy_model::{Abilities, FoundSoftware, SOFTWARE_FORMAT, SoftwareReport, SoftwareRole, Tool, Walk};
use tlswhy_wire::ProtocolVersion;

use crate::knowledge::software::{abilities, end_of_life, title};

/// Puts an inventory together with what is known; `taken_at` (RFC 3339) is when it was taken.
pub fn software_report(
    mut software: Vec<FoundSoftware>,
    system: Option<String>,
    walk: Walk,
    taken_at: String,
) -> SoftwareReport {
    let today = taken_at.get(..10).unwrap_or_default().to_owned();
    for one in &mut software {
        let Some(version) = &one.version else { continue };
        one.abilities = abilities(&one.product, version).map(|known| with_library(known, one));
        let packaged = system.as_deref().filter(|_| one.package_of_system);
        one.end_of_life = end_of_life(&one.product, version, packaged, &today);
    }
    let summary = summary(&software);
    SoftwareReport {
        format: SOFTWARE_FORMAT.to_owned(),
        format_version: tlswhy_model::FORMAT_VERSION.to_owned(),
        tool: Tool::default(),
        taken_at,
        system,
        summary,
        software,
        walk,
    }
}

/// What a program can do with the one library that it has: what both can.
fn with_library(known: Abilities, program: &FoundSoftware) -> Abilities {
    let [library] = program.libraries.as_slice() else { return known };
    let Some(of_library) = library.version.as_ref().and_then(|version| abilities(&library.product, version)) else {
        return known;
    };
    let both = |own: Option<Vec<ProtocolVersion>>, library: Option<Vec<ProtocolVersion>>| match (own, library) {
        (Some(own), Some(library)) => Some(own.into_iter().filter(|version| library.contains(version)).collect()),
        (own, library) => own.or(library),
    };
    Abilities { versions: both(known.versions, of_library.versions), ..known }
}

/// One sentence: how many, how many past their end of life, how many without TLS 1.3.
fn summary(software: &[FoundSoftware]) -> String {
    let names = |fits: &dyn Fn(&FoundSoftware) -> bool| {
        let named = software.iter().filter(|one| fits(one));
        let named: BTreeSet<String> =
            named.map(|one| format!("{} {}", title(&one.product), one.version.as_deref().unwrap_or_default())).collect();
        let shown: Vec<&str> = named.iter().take(3).map(String::as_str).collect();
        match named.len() {
            0 => None,
            1..=3 => Some(shown.join(", ")),
            more => Some(format!("{} and {} more", shown.join(", "), more - 3)),
        }
    };
    let libraries = software.iter().filter(|one| one.role == SoftwareRole::Library).count();
    let mut text = format!("{} programs and runtimes and {libraries} copies of TLS libraries", software.len() - libraries);
    let past = names(&|one| one.end_of_life.as_ref().is_some_and(|end| end.passed));
    let old = names(&|one| {
        let versions = one.abilities.as_ref().and_then(|known| known.versions.as_ref());
        versions.is_some_and(|versions| !versions.contains(&ProtocolVersion::TLSV1_3))
    });
    match past {
        Some(past) => text.push_str(&format!("; past their end of life: {past}")),
        None => text.push_str("; none is known to be past its end of life"),
    }
    if let Some(old) = old {
        text.push_str(&format!("; without TLS 1.3: {old}"));
    }
    text.push('.');
    text
}

#[cfg(test)]
mod tests {
    use tlswhy_model::UsedLibrary;

    use super::*;

    #[test]
    fn a_program_can_do_what_its_library_can_do_too() {
        let nginx = FoundSoftware {
            product: "nginx".to_owned(),
            role: SoftwareRole::Server,
            version: Some("1.22.1".to_owned()),
            version_from: "the file".to_owned(),
            path: "/opt/nginx".to_owned(),
            package: None,
            package_of_system: false,
            built_in: false,
            libraries: vec![UsedLibrary { product: "openssl".to_owned(), version: Some("1.0.2k".to_owned()), path: None }],
            used_by: Vec::new(),
            users: 0,
            settings: Vec::new(),
            abilities: None,
            end_of_life: None,
        };
        let report = software_report(vec![nginx], None, Walk::default(), "2026-11-29T00:00:00Z".to_owned());
        let versions = report.software[0].abilities.as_ref().unwrap().versions.as_ref().unwrap();
        assert_eq!(versions.iter().max(), Some(&ProtocolVersion::TLSV1_2));
        assert!(report.software[0].end_of_life.as_ref().unwrap().passed);
        assert!(report.summary.contains("past their end of life: nginx 1.22.1"), "{}", report.summary);
    }
}
