//! What a server accepts, as people know it from the scanners.

use std::io;

use anstyle::Style;
use tlswhy_model::{Acceptance, ClientCertificateView, FeatureView, OrderView, PrimeView, ServerView, ValuesView, VersionView};

use super::page::{ASIDE, HEADING, Page};

/// Column of the labels, and of the text beside them.
const LABEL: usize = 3;
const TEXT: usize = 14;
/// Columns, where there is no terminal.
const WIDTH: usize = 100;
/// Suites of one version that are shown unless all are asked for; weak ones are shown beyond it.
const SUITES: usize = 12;

/// Writes it below a heading of its own.
pub(super) fn write(view: &ServerView, verbose: bool, page: &mut Page<'_>) -> io::Result<()> {
    page.labelled(LABEL, "Versions", HEADING, TEXT, &versions(view))?;
    let mut newer: Option<&VersionView> = None;
    for version in accepted(view) {
        write_suites(version, newer, verbose, page)?;
        newer = Some(version);
    }
    for version in accepted(view).filter(|version| !version.groups.accepted.is_empty()) {
        page.labelled(LABEL, "Groups", HEADING, TEXT, &format!("{}: {}", version.version, values(&version.groups, verbose)))?;
    }
    for version in accepted(view).filter(|version| !version.signature_schemes.accepted.is_empty()) {
        let text = format!("{}: {}", version.version, values(&version.signature_schemes, verbose));
        page.labelled(LABEL, "Signatures", HEADING, TEXT, &text)?;
    }
    if !view.application_protocols.accepted.is_empty() || verbose {
        page.labelled(LABEL, "Protocols", HEADING, TEXT, &values(&view.application_protocols, verbose))?;
    }
    for shown in &view.certificates {
        let certificate = &shown.certificate;
        let text = format!(
            "{}, {}, signed with {}, {} days left",
            certificate.subject, certificate.key, certificate.signature, certificate.days_left
        );
        page.labelled(LABEL, "Certificate", HEADING, TEXT, &text)?;
    }
    if let Some(prime) = &view.smallest_prime {
        page.labelled(LABEL, "DH prime", HEADING, TEXT, &prime_in_words(prime))?;
    }
    if let Some(request) = &view.client_certificate {
        page.labelled(LABEL, "Client", HEADING, TEXT, &request_in_words(request))?;
    }
    for (label, wanted) in [("Has", Acceptance::Accepted), ("Lacks", Acceptance::Refused), ("Untested", Acceptance::Untested)] {
        let features: Vec<String> = view
            .features
            .iter()
            .filter(|feature| feature.acceptance == wanted)
            .map(|feature| in_words(feature, verbose))
            .collect();
        if !features.is_empty() && (verbose || wanted != Acceptance::Untested) {
            page.labelled(LABEL, label, HEADING, TEXT, &features.join(", "))?;
        }
    }
    for quirk in &view.quirks {
        match (quirk.acceptance, &quirk.says) {
            (Acceptance::Refused, Some(_)) => page.labelled(LABEL, "Breaks on", HEADING, TEXT, &all_in_words(quirk))?,
            (Acceptance::Untested, Some(_)) => page.labelled(LABEL, "Silent to", HEADING, TEXT, &all_in_words(quirk))?,
            _ => {}
        }
    }
    let takes: Vec<String> =
        view.quirks.iter().filter(|quirk| quirk.acceptance == Acceptance::Accepted).map(all_in_words).collect();
    if verbose && !takes.is_empty() {
        page.labelled(LABEL, "Takes", HEADING, TEXT, &takes.join(", "))?;
    }
    for (label, wanted) in
        [("Open to", Acceptance::Accepted), ("Not open to", Acceptance::Refused), ("Not tried", Acceptance::Untested)]
    {
        let tried: Vec<String> = view
            .vulnerabilities
            .iter()
            .filter(|tried| tried.acceptance == wanted)
            .map(|tried| in_words(tried, verbose))
            .collect();
        if !tried.is_empty() && (verbose || wanted != Acceptance::Untested) {
            page.labelled(LABEL, label, HEADING, TEXT, &tried.join(", "))?;
        }
    }
    Ok(())
}

/// With what is said of it, in any case.
fn all_in_words(feature: &FeatureView) -> String {
    in_words(feature, true)
}

fn in_words(feature: &FeatureView, verbose: bool) -> String {
    let name = feature.name.replace('-', " ");
    // Of what it lacks, how often it was asked is of no interest at first.
    match &feature.says {
        Some(says) if verbose || feature.acceptance == Acceptance::Accepted => format!("{name} ({says})"),
        _ => name,
    }
}

fn prime_in_words(prime: &PrimeView) -> String {
    let mut text = format!("{} bits", prime.bits);
    if let Some(name) = &prime.known_as {
        text.push_str(&format!(", {name}, which many servers share"));
    }
    match prime.is_safe {
        Some(true) => text.push_str(", a safe prime"),
        Some(false) => text.push_str(", not a safe prime"),
        None => {}
    }
    match prime.reuses_key {
        Some(true) => text.push_str("; the same public value in several handshakes"),
        Some(false) => text.push_str("; a new public value each time"),
        None => {}
    }
    text
}

fn request_in_words(request: &ClientCertificateView) -> String {
    let mut text = match request.required {
        Some(true) => "a certificate is required".to_owned(),
        Some(false) => "a certificate is asked for and not required".to_owned(),
        None => "a certificate is asked for".to_owned(),
    };
    if !request.authorities.is_empty() {
        text.push_str(&format!("; issued by one of: {}", request.authorities.join("; ")));
    }
    text
}

/// The same without styles.
pub(super) fn plain(view: &ServerView, verbose: bool) -> String {
    let mut out = Vec::new();
    // Writing to memory does not fail.
    let _ = write(view, verbose, &mut Page::new(&mut out, WIDTH));
    anstream::adapter::strip_str(&String::from_utf8_lossy(&out)).to_string()
}

fn accepted(view: &ServerView) -> impl Iterator<Item = &VersionView> {
    view.versions.iter().filter(|version| version.acceptance == Acceptance::Accepted)
}

fn versions(view: &ServerView) -> String {
    let of = |wanted: Acceptance| -> Vec<String> {
        view.versions.iter().filter(|version| version.acceptance == wanted).map(|version| version.version.to_string()).collect()
    };
    let taken = of(Acceptance::Accepted);
    let mut text = if taken.is_empty() { "none".to_owned() } else { taken.join(", ") };
    for (wanted, word) in [(Acceptance::Refused, "refused"), (Acceptance::Untested, "untested")] {
        let versions = of(wanted);
        if !versions.is_empty() {
            text.push_str(&format!("; {word}: {}", versions.join(", ")));
        }
    }
    text
}

fn write_suites(version: &VersionView, newer: Option<&VersionView>, verbose: bool, page: &mut Page<'_>) -> io::Result<()> {
    let suites = &version.cipher_suites;
    let names = |version: &VersionView| -> Vec<String> {
        version.cipher_suites.accepted.iter().map(|suite| suite.name.clone()).collect()
    };
    let order = match (version.suite_order, version.chacha_first) {
        (Some(OrderView::Server), Some(true)) => ", in its own order, ChaCha20 first for clients that have it first",
        (Some(OrderView::Server), _) => ", in its own order",
        (Some(OrderView::Client), _) => ", in the client's order",
        (None, _) => "",
    };
    let number = match suites.accepted.len() {
        1 => "1 suite".to_owned(),
        more => format!("{more} suites"),
    };
    let same = newer.filter(|newer| !verbose && names(newer) == names(version));
    let same = same.map(|newer| format!(", those of {}", newer.version)).unwrap_or_default();
    let untested = match suites.untested.len() {
        0 => String::new(),
        more => format!("; {more} not asked, or not answered"),
    };
    page.labelled(LABEL, &version.version.to_string(), HEADING, TEXT, &format!("{number}{same}{order}{untested}"))?;
    if !same.is_empty() {
        return Ok(());
    }
    let mut hidden = 0;
    for (place, suite) in suites.accepted.iter().enumerate() {
        if !verbose && place >= SUITES && suite.weaknesses.is_empty() {
            hidden += 1;
            continue;
        }
        let weak: Vec<String> = suite.weaknesses.iter().map(|code| code.replace('-', " ")).collect();
        let mut text = suite.name.clone();
        if !weak.is_empty() {
            text.push_str(&format!(" ({})", weak.join(", ")));
        }
        if verbose {
            text.push_str(&format!(" [attempt {}]", suite.attempt));
        }
        page.paragraph(TEXT, Style::new(), &text)?;
    }
    if hidden > 0 {
        page.paragraph(TEXT, ASIDE, &format!("({hidden} more with -v)"))?;
    }
    Ok(())
}

fn values(values: &ValuesView, verbose: bool) -> String {
    let names: Vec<&str> = values.accepted.iter().map(|value| value.name.as_str()).collect();
    let mut text = if names.is_empty() { "none".to_owned() } else { names.join(", ") };
    if verbose && !values.refused.is_empty() {
        text.push_str(&format!("; refused: {}", values.refused.join(", ")));
    }
    if !values.untested.is_empty() {
        text.push_str(&match verbose {
            true => format!("; not asked, or not answered: {}", values.untested.join(", ")),
            false => format!("; {} not asked, or not answered", values.untested.len()),
        });
    }
    text
}
