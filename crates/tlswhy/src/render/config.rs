//! What configurations mean, as text for people.

use std::collections::BTreeSet;
use std::io::{self, Write};

use anstyle::{AnsiColor, Style};
use tlswhy_model::{
    ConfigReport, ConfigurationView, Evidence, Finding, Impact, Outcome, Party, PlacedNote, ServiceView, SettingView,
};

use super::excerpt::Excerpts;
use super::page::{ASIDE, HEADING, Page};
use super::{Options, words};

/// Column of the settings of a service.
const INSIDE: usize = 2;
/// Column of their values.
const VALUE: usize = 18;
/// Services without a fault that are shown in full; of more, those with a fault and a line for the rest.
const MOST_SHOWN: usize = 40;
/// Exhibits of a finding.
const MOST_EXHIBITS: usize = 4;

/// Writes the report.
pub(crate) fn write(report: &ConfigReport, evidence: &Evidence, options: Options, out: &mut dyn Write) -> io::Result<()> {
    let mut page = Page::new(out, options.width);
    let excerpts = Excerpts::of(&evidence.files);
    for (index, configuration) in report.configurations.iter().enumerate() {
        if index > 0 {
            page.blank()?;
        }
        write_configuration(&mut page, configuration, &excerpts, options)?;
    }
    for unread in &report.unread {
        page.blank()?;
        page.labelled(0, "Not read:", AnsiColor::Yellow.on_default(), 10, &format!("{}: {}", unread.path, unread.why))?;
    }
    page.blank()?;
    page.paragraph(
        0,
        ASIDE,
        &format!("Servers are judged for {}{}.", report.client, if options.verbose { "" } else { "; -v shows every setting" }),
    )
}

fn write_configuration(
    page: &mut Page<'_>,
    configuration: &ConfigurationView,
    excerpts: &Excerpts<'_>,
    options: Options,
) -> io::Result<()> {
    let program = configuration.services.first().map_or(configuration.dialect.as_str(), |service| service.program.as_str());
    let files = match configuration.files.len() {
        0 | 1 => String::new(),
        2 => ", with one more file".to_owned(),
        more => format!(", with {} more files", more - 1),
    };
    page.paragraph(0, HEADING, &format!("{program}: {}{files}", configuration.main))?;
    for trouble in &configuration.troubles {
        let (label, style) = match trouble.fatal {
            true => ("would not start:", AnsiColor::Red.on_default()),
            false => ("trouble:", AnsiColor::Yellow.on_default()),
        };
        page.labelled(INSIDE, label, style, INSIDE + label.len() + 1, &placed(trouble))?;
    }
    let all = configuration.services.len() <= MOST_SHOWN || options.verbose;
    let (mut left_out, mut told) = (0, BTreeSet::new());
    for service in &configuration.services {
        // What stops nobody is told of the first service that it concerns.
        let mut findings: Vec<&Finding> = service.findings.iter().collect();
        findings.retain(|finding| finding.impact == Impact::Blocks || told.insert(finding.title.as_str()));
        if !all && findings.is_empty() {
            left_out += 1;
            continue;
        }
        write_service(page, service, &findings, excerpts, options)?;
    }
    if left_out > 0 {
        page.blank()?;
        page.paragraph(INSIDE, ASIDE, &format!("{left_out} more services without a fault (-v shows them)"))?;
    }
    Ok(())
}

fn write_service(
    page: &mut Page<'_>,
    service: &ServiceView,
    findings: &[&Finding],
    excerpts: &Excerpts<'_>,
    options: Options,
) -> io::Result<()> {
    page.blank()?;
    let mut title = service.title.clone();
    if service.side == Party::Server && !service.listeners.is_empty() {
        title = format!("{title} on {}", service.listeners.join(", "));
    }
    if let Some(upgrade) = &service.upgrade {
        title = format!("{title}, STARTTLS {upgrade}");
    }
    if service.side == Party::Client {
        title = format!("{title} (a client)");
    }
    page.paragraph(INSIDE, Style::new().underline(), &title)?;
    let off = service.settings.iter().find(|setting| setting.governs == "tls").filter(|_| is_off(service));
    if let Some(setting) = off {
        page.labelled(INSIDE, "TLS", HEADING, VALUE, &format!("off ({})", setting.origin))?;
    } else {
        write_effective(page, service, options)?;
    }
    for note in &service.notes {
        page.labelled(INSIDE, "note", ASIDE, VALUE, &words::sentence(&placed(note)))?;
    }
    for finding in findings {
        write_finding(page, finding, excerpts, options)?;
    }
    Ok(())
}

/// TLS is not spoken there.
fn is_off(service: &ServiceView) -> bool {
    service.side == Party::Server
        && service.effective.versions.is_none()
        && !service
            .settings
            .iter()
            .any(|setting| ["versions", "minimum-version", "cipher-list"].contains(&setting.governs.as_str()))
}

fn write_effective(page: &mut Page<'_>, service: &ServiceView, options: Options) -> io::Result<()> {
    let effective = &service.effective;
    let setting = |governs: &[&str]| {
        let mut found = service.settings.iter().filter(|setting| governs.contains(&setting.governs.as_str())).peekable();
        found.peek().is_some().then(|| {
            let mut sources: Vec<String> = found.map(source).collect();
            // Both ends of a range may come from one place.
            sources.dedup();
            sources.join("; ")
        })
    };
    let mut shown = vec!["versions", "minimum-version", "maximum-version"];
    let versions = effective.versions.as_ref().map(|versions| list(versions, 9));
    let from = setting(&["versions", "minimum-version", "maximum-version"]);
    if let Some(line) = join(versions, from) {
        page.labelled(INSIDE, "versions", HEADING, VALUE, &line)?;
    }
    let limit = if options.verbose { usize::MAX } else { 3 };
    for (label, values, governs) in [
        ("suites (1.3)", effective.cipher_suites_13.as_ref().map(|suites| list(suites, limit)), "cipher-suites"),
        ("suites (1.2)", effective.cipher_suites.as_ref().map(|suites| list(suites, limit)), "cipher-list"),
        ("groups", effective.groups.as_ref().map(|groups| list(groups, limit.max(5))), "groups"),
        (
            "signatures",
            effective.signature_schemes.as_ref().map(|schemes| list(schemes, limit)).filter(|_| options.verbose),
            "signature-algorithms",
        ),
    ] {
        shown.push(governs);
        let from = setting(&[governs]);
        if from.is_none() && !options.verbose {
            continue;
        }
        if let Some(line) = join(values, from) {
            page.labelled(INSIDE, label, HEADING, VALUE, &line)?;
        }
    }
    if let Some(level) = effective.security_level.filter(|_| options.verbose) {
        page.labelled(INSIDE, "level", HEADING, VALUE, &level.to_string())?;
    }
    for reduction in &effective.reductions {
        let text = format!("no {}: {} ({})", reduction.what, reduction.why, reduction.by);
        page.labelled(INSIDE, "but", AnsiColor::Yellow.on_default(), VALUE, &words::sentence(&text))?;
    }
    for setting in &service.settings {
        let is_default = setting.path.is_none();
        if (shown.contains(&setting.governs.as_str()) || is_default || setting.governs == "tls") && !options.verbose {
            continue;
        }
        if shown.contains(&setting.governs.as_str()) {
            write_shadowed(page, setting)?;
            continue;
        }
        page.labelled(INSIDE, &setting.governs, HEADING, VALUE, &format!("{} ({})", setting.value, setting.origin))?;
        if options.verbose {
            write_shadowed(page, setting)?;
        }
    }
    if options.verbose {
        page.labelled(INSIDE, "library", HEADING, VALUE, &service.library)?;
    }
    let works = service.clients.iter().filter(|client| client.outcome == Outcome::Works).count();
    if !service.clients.is_empty() {
        let fails: Vec<&str> = service
            .clients
            .iter()
            .filter(|client| client.outcome == Outcome::Fails)
            .map(|client| client.name.as_str())
            .collect();
        let without = match fails.len() {
            0 => String::new(),
            1..=6 => format!("; not {}", fails.join(", ")),
            more => format!("; not {} and {} more", fails.iter().take(5).copied().collect::<Vec<_>>().join(", "), more - 5),
        };
        let all = service.clients.len();
        let text = match all - works - fails.len() {
            0 => format!("{works} of {all} well-known clients can negotiate{without}"),
            open if open == all => "whether well-known clients can negotiate the files do not tell".to_owned(),
            open => format!("{works} of {all} well-known clients can negotiate{without}; of {open} the files do not tell"),
        };
        page.labelled(INSIDE, "clients", HEADING, VALUE, &text)?;
    }
    Ok(())
}

fn write_shadowed(page: &mut Page<'_>, setting: &SettingView) -> io::Result<()> {
    for rival in &setting.shadowed {
        let text = format!("`{} {}` ({}) does not count: {}", rival.name, rival.value, rival.origin, rival.why);
        page.paragraph(VALUE, ASIDE, &text)?;
    }
    Ok(())
}

fn write_finding(page: &mut Page<'_>, finding: &Finding, excerpts: &Excerpts<'_>, options: Options) -> io::Result<()> {
    let (label, colour) = match finding.impact {
        Impact::Blocks => ("fault", AnsiColor::Red),
        Impact::Degrades | Impact::Latent => ("beware", AnsiColor::Yellow),
    };
    page.labelled(INSIDE, label, colour.on_default().bold(), VALUE, &words::sentence(&finding.title))?;
    page.paragraph(VALUE, ASIDE, &format!("{}: {}", finding.cause, words::weight(finding)))?;
    page.paragraph(VALUE, Style::new(), &words::sentence(&finding.why_it_fails))?;
    let shown = if options.verbose { usize::MAX } else { MOST_EXHIBITS };
    for exhibit in finding.exhibits.iter().take(shown) {
        page.labelled(VALUE, "-", Style::new(), VALUE + 2, &words::exhibit(exhibit))?;
        if let Some(excerpt) = excerpts.line(exhibit) {
            page.command(VALUE + 2, &excerpt)?;
        }
    }
    if !finding.explains.is_empty() {
        page.paragraph(VALUE, Style::new(), &format!("This explains {} too.", finding.explains.join(", ")))?;
    }
    for remedy in finding.remedies.iter().take(if options.verbose { usize::MAX } else { 1 }) {
        page.labelled(VALUE, "Fix:", HEADING, VALUE + 5, &words::remedy(remedy))?;
        for edit in &remedy.edits {
            page.command(VALUE + 2, &edit.diff)?;
        }
    }
    Ok(())
}

/// `values (where they come from)`.
fn join(values: Option<String>, from: Option<String>) -> Option<String> {
    match (values, from) {
        (Some(values), Some(from)) => Some(format!("{values} ({from})")),
        (Some(values), None) => Some(format!("{values} (the library's default)")),
        (None, Some(from)) => Some(from),
        (None, None) => None,
    }
}

fn source(setting: &SettingView) -> String {
    match &setting.path {
        Some(_) => format!("`{} {}`, {}", setting.name, setting.value, setting.origin),
        None => setting.origin.clone(),
    }
}

fn list<T: ToString>(values: &[T], most: usize) -> String {
    let shown: Vec<String> = values.iter().take(most).map(ToString::to_string).collect();
    match values.len() {
        0 => "none".to_owned(),
        count if count <= most => shown.join(", "),
        count => format!("{} and {} more", shown.join(", "), count - most),
    }
}

fn placed(note: &PlacedNote) -> String {
    match (&note.path, note.line) {
        (Some(path), Some(line)) => format!("{path}:{line}: {}", note.says),
        (Some(path), None) => format!("{path}: {}", note.says),
        _ => note.says.clone(),
    }
}
