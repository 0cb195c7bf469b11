//! Facts of the two documents in words. The formats differ in layout, not in what they say.
//!
//! Nothing here is escaped: each format does that for everything that it prints.

use tlswhy_model::{
    Attempt, Awaited, ClientOutcome, Confidence, Cost, Depth, Direction, Ending, Exhibit, Finding, Impact, Layer, OpenQuestion,
    Opening, Outcome, Party, PathView, Prediction, Remedy, Report, Safety, Subject,
};
use tlswhy_wire::upgrade::PROXY_HEADER;
use tlswhy_wire::{Fragment, HelloFormat, HelloSpec, Transcript};

/// The outcome as the first word of a report.
pub(crate) fn outcome(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Works => "Works",
        Outcome::AtRisk => "At risk",
        Outcome::Undetermined => "Undetermined",
        Outcome::Fails => "Fails",
    }
}

/// The text with a full stop, where it has no end of its own.
pub(crate) fn sentence(text: &str) -> String {
    let text = text.trim_end();
    let stop = if text.is_empty() || text.ends_with(['.', '!', '?', ':', '`']) { "" } else { "." };
    format!("{text}{stop}")
}

/// What was examined, in one line.
pub(crate) fn subject(subject: &Subject) -> String {
    let mut parts = vec![subject.target.clone()];
    if let Some(address) = &subject.address {
        let port = format!(":{}", subject.port);
        let address = address.strip_suffix(&port).unwrap_or(address);
        if subject.host != address.trim_matches(['[', ']']) {
            parts.push(format!("address {address}"));
        }
    }
    match &subject.server_name {
        Some(name) if *name != subject.host.trim_end_matches('.') => parts.push(format!("SNI {name}")),
        None if subject.host.parse::<std::net::IpAddr>().is_err() => parts.push("no SNI".to_owned()),
        _ => {}
    }
    if let Some(upgrade) = &subject.upgrade {
        parts.push(upgrade_in_words(upgrade));
    }
    if let Some(via) = &subject.via {
        parts.push(format!("through {via}"));
    }
    parts.push(format!("for {}", subject.client));
    parts.join(", ")
}

/// What is said before TLS: `STARTTLS smtp`.
fn upgrade_in_words(name: &str) -> String {
    if name == PROXY_HEADER.name { "a PROXY header".to_owned() } else { format!("STARTTLS {name}") }
}

/// What a finding weighs, what it rests on, and whose side it is on; the first two in the words of the JSON contract.
pub(crate) fn weight(finding: &Finding) -> String {
    let impact = match finding.impact {
        Impact::Blocks => "blocks",
        Impact::Degrades => "degrades",
        Impact::Latent => "latent",
    };
    let confidence = confidence(finding.confidence);
    let side = match finding.party {
        Party::Client => "on the client's side",
        Party::Path => "on the way between",
        Party::Server => "on the server's side",
    };
    format!("{impact}, {confidence}, {side}")
}

/// What a claim rests on, in the word of the JSON contract.
pub(crate) fn confidence(confidence: Confidence) -> &'static str {
    match confidence {
        Confidence::Confirmed => "confirmed",
        Confidence::Observed => "observed",
        Confidence::Inferred => "inferred",
        Confidence::Suspected => "suspected (rivals are still open)",
    }
}

/// One piece of evidence as a sentence.
pub(crate) fn exhibit(exhibit: &Exhibit) -> String {
    let text = match exhibit {
        Exhibit::Message { attempt, direction, layer, field, says, .. } => {
            let from = match direction {
                Direction::FromClient => "sent",
                Direction::FromServer => "received",
            };
            let layer = match layer {
                Layer::Wire => "",
                Layer::Decrypted => ", decrypted",
            };
            format!("Attempt {attempt}, {from}{layer}: `{field}`: {says}")
        }
        Exhibit::Ending { attempt, says } => format!("Attempt {attempt}: {says}"),
        Exhibit::Contrast { fails, works, differs_in, says } => {
            format!("Attempt {fails} fails, attempt {works} works; they differ only in {}: {says}", list(differs_in))
        }
        Exhibit::Setting { name, value, origin, says } => format!("`{name}` is `{value}` ({origin}): {says}"),
        Exhibit::File { path, line, column, says, .. } => format!("{path}:{line}:{column}: {says}"),
        Exhibit::Certificate { sha256, field, says } => {
            let short: String = sha256.chars().take(16).collect();
            format!("Certificate {short}…, `{field}`: {says}")
        }
        Exhibit::Hop { after, before, says } => match (after, before) {
            (Some(after), Some(before)) => format!("Between {after} and {before}: {says}"),
            (Some(after), None) => format!("Behind {after}: {says}"),
            (None, Some(before)) => format!("Before {before}: {says}"),
            (None, None) => says.clone(),
        },
        Exhibit::Software { product, version, says, .. } => format!("{product} {version}: {says}"),
        Exhibit::Complaint { text, says } => format!("`{text}`: {says}"),
    };
    sentence(&text)
}

/// One line of a drawn path.
pub(crate) struct PathRow {
    /// The hop's number, or a mark.
    pub(crate) label: String,
    /// What is said of it.
    pub(crate) says: String,
    /// Whether this is where something is stopped.
    pub(crate) is_mark: bool,
}

/// The hops of a path, and where something is stopped on it.
pub(crate) fn path(path: &PathView) -> Vec<PathRow> {
    let mut rows = vec![PathRow { label: "0".to_owned(), says: "this machine".to_owned(), is_mark: false }];
    for hop in &path.hops {
        let time = hop.round_trip_ms.map(|time| format!(", {time:.1} ms")).unwrap_or_default();
        let says = hop.address.clone().map_or_else(|| "says nothing".to_owned(), |address| address + &time);
        let says = if path.end == Some(hop.hop) { says + ", where TCP ends" } else { says };
        rows.push(PathRow { label: hop.hop.to_string(), says, is_mark: false });
    }
    if let Some(stopped) = &path.stopped {
        let until = if stopped.before == stopped.after {
            format!("here, at hop {}", stopped.after)
        } else if stopped.before > stopped.after.saturating_add(1) {
            format!("somewhere from here to hop {}", stopped.before)
        } else {
            format!("here, at hop {} or {} or between", stopped.after, stopped.before)
        };
        let place = usize::from(stopped.after).saturating_add(1).min(rows.len());
        rows.insert(place, PathRow { label: "✗".to_owned(), says: format!("{until}: {}", stopped.says), is_mark: true });
    }
    rows
}

/// `a`, `b` and `c`.
pub(crate) fn list(items: &[String]) -> String {
    match items {
        [] => "nothing".to_owned(),
        [one] => format!("`{one}`"),
        [rest @ .., last] => {
            let rest: Vec<_> = rest.iter().map(|item| format!("`{item}`")).collect();
            format!("{} and `{last}`", rest.join(", "))
        }
    }
}

/// What a remedy is, with a warning where it costs security.
pub(crate) fn remedy(remedy: &Remedy) -> String {
    match remedy.safety {
        Safety::Weakens => sentence(&format!("Weakens security: {}", remedy.summary)),
        Safety::Safe | Safety::Manual => sentence(&capital(&remedy.summary)),
    }
}

/// The text with a capital, unless its first word is code or a name that has a way of its own (`nginx`, `openssl.cnf`).
fn capital(text: &str) -> String {
    let first = text.split(' ').next().unwrap_or_default();
    let is_word = first.bytes().all(|byte| byte.is_ascii_lowercase());
    let mut letters = text.chars();
    match letters.next() {
        Some(letter) if is_word => letter.to_uppercase().chain(letters).collect(),
        _ => text.to_owned(),
    }
}

/// What the model says will be agreed.
pub(crate) fn prediction(prediction: &Prediction) -> Option<String> {
    let version = prediction.version.map(|version| version.to_string());
    let suite = prediction.cipher_suite.map(|suite| suite.to_string());
    let group = prediction.group.map(|group| group.to_string());
    let parts: Vec<_> = [version, suite, group].into_iter().flatten().collect();
    (!parts.is_empty()).then(|| parts.join(", "))
}

/// What comes once the finding at `index` is mended: the next obstacle, or what will be agreed.
pub(crate) fn next(report: &Report, index: usize) -> Option<String> {
    let finding = report.findings.get(index)?;
    if finding.impact != Impact::Blocks {
        return None;
    }
    let later = report.findings.iter().skip(index + 1).find(|later| later.impact == Impact::Blocks);
    if let Some(later) = later {
        return Some(sentence(&format!("The client then meets {}: {}", later.order, later.title)));
    }
    let agreed = finding.remedies.first()?.predicts.as_ref().and_then(prediction)?;
    Some(format!("The handshake then agrees on {agreed}."))
}

/// How many of the well-known clients connect.
pub(crate) fn clients(clients: &[ClientOutcome]) -> Option<String> {
    if clients.is_empty() {
        return None;
    }
    let works = clients.iter().filter(|client| matches!(client.outcome, Outcome::Works | Outcome::AtRisk)).count();
    let open = clients.iter().filter(|client| client.outcome == Outcome::Undetermined).count();
    let how = if clients.iter().all(|client| client.replayed) { "their hellos were sent" } else { "by the model" };
    let total = clients.len();
    let open = if open > 0 { format!(", {open} open") } else { String::new() };
    Some(format!("Well-known clients: {works} of {total} connect{open} ({how})."))
}

/// The clients that do not connect, those with the same cause together; none where all of them are stopped by the same.
pub(crate) fn clients_by_cause(clients: &[ClientOutcome]) -> Vec<(&'static str, String)> {
    let mut groups: Vec<(Outcome, &str, Vec<&str>)> = Vec::new();
    for client in clients.iter().filter(|client| !matches!(client.outcome, Outcome::Works | Outcome::AtRisk)) {
        let cause = client.cause.as_deref().unwrap_or_default();
        match groups.iter_mut().find(|(outcome, known, _)| *outcome == client.outcome && *known == cause) {
            Some((_, _, names)) => names.push(&client.name),
            None => groups.push((client.outcome, cause, vec![&client.name])),
        }
    }
    let line = |(outcome, cause, names): (Outcome, &str, Vec<&str>)| {
        let colon = if cause.is_empty() { "" } else { ": " };
        (client_outcome(outcome), format!("{cause}{colon}{}", names.join(", ")))
    };
    // Where all are stopped by the same, the line above has said it.
    if groups.iter().any(|(_, _, names)| names.len() == clients.len()) {
        return Vec::new();
    }
    groups.into_iter().map(line).collect()
}

/// The outcome of one client.
pub(crate) fn client_outcome(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Works => "works",
        Outcome::AtRisk => "at risk",
        Outcome::Undetermined => "open",
        Outcome::Fails => "fails",
    }
}

/// What one client would agree on, or what stops it.
pub(crate) fn client_detail(client: &ClientOutcome) -> String {
    let agreed = Prediction { version: client.version, cipher_suite: client.cipher_suite, group: None };
    let parts = [prediction(&agreed), client.cause.clone(), client.says.clone()];
    let replayed = if client.replayed { " (its hello was sent)" } else { "" };
    format!("{}{replayed}", parts.into_iter().flatten().collect::<Vec<_>>().join("; "))
}

/// An open question with the causes between which its answer decides.
pub(crate) fn question(question: &OpenQuestion) -> String {
    let decides = match question.decides.as_slice() {
        [] => String::new(),
        codes => format!(" (decides between {})", codes.join(", ")),
    };
    format!("{}{decides}", question.question)
}

/// What it cost, in one line.
pub(crate) fn cost(cost: &Cost) -> String {
    format!("{}; {} sent, {} received.", effort(cost), bytes(cost.sent_bytes), bytes(cost.received_bytes))
}

/// The part of it that a person feels.
pub(crate) fn effort(cost: &Cost) -> String {
    format!("{} in {}, {}", count(cost.connections, "connection"), count(cost.rounds, "round"), duration(cost.elapsed_ms))
}

fn count(number: u32, of: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{number} {of}{plural}")
}

fn duration(ms: u64) -> String {
    if ms < 1000 { format!("{ms} ms") } else { format!("{}.{} s", ms / 1000, ms % 1000 / 100) }
}

fn bytes(count: u64) -> String {
    if count < 1000 { format!("{count} B") } else { format!("{}.{} kB", count / 1000, count % 1000 / 100) }
}

/// What was asked with an attempt.
pub(crate) fn asked(attempt: &Attempt) -> String {
    let probe = &attempt.probe;
    let mut text = match &probe.opening {
        Opening::Hello { hello: spec } => hello(spec),
        Opening::Replay { records } => format!("recorded hello of {} bytes", records.len()),
        Opening::Plain { request } if request.is_empty() => "nothing said, listening for a greeting".to_owned(),
        Opening::Plain { request } => {
            let text = String::from_utf8_lossy(request);
            format!("plain text `{}`", text.lines().next().unwrap_or_default())
        }
    };
    if let Some(upgrade) = &probe.upgrade {
        text.push_str(&format!("; after {}", upgrade_in_words(upgrade)));
    }
    if probe.depth == Depth::Request {
        text.push_str("; then a request");
    }
    if probe.repetition > 0 {
        text.push_str(&format!("; repeated ({})", probe.repetition));
    }
    text
}

fn hello(hello: &HelloSpec) -> String {
    let versions: Vec<_> = hello.offered_versions().into_iter().filter(|version| !version.is_grease()).collect();
    let versions = match versions.as_slice() {
        [] => "no version".to_owned(),
        [one] => one.to_string(),
        [first, .., last] => format!("{} to {}", first.min(last), first.max(last)),
    };
    let form = if hello.format == HelloFormat::Sslv2 { "SSLv2 hello, " } else { "" };
    let suites = hello.real_suites().len() + hello.sslv2_cipher_kinds.len();
    let mut parts = vec![format!("{form}{versions}"), count(u32::try_from(suites).unwrap_or(u32::MAX), "suite")];
    match hello.groups().as_slice() {
        [] => {}
        [one] => parts.push(one.to_string()),
        groups => parts.push(format!("{} groups", groups.len())),
    }
    parts.push(hello.server_name().map_or("no SNI".to_owned(), |name| format!("SNI {name}")));
    if !hello.alpn().is_empty() {
        parts.push(format!("ALPN {}", hello.alpn().join(" ")));
    }
    parts.push(format!("{} bytes", hello.message_length()));
    match &hello.fragment {
        Fragment::Whole => {}
        Fragment::Records(_) => parts.push("cut into records".to_owned()),
        Fragment::Segments(_) => parts.push("cut into segments".to_owned()),
    }
    parts.join(", ")
}

/// How an attempt ended, and what the server chose before.
pub(crate) fn ended(attempt: &Attempt) -> String {
    let received = Transcript::of_server(&attempt.received);
    let chosen = received.server_hello().map(|hello| {
        let hello = &hello.value;
        format!("ServerHello {} {}; ", hello.selected_version.value, hello.cipher_suite.value)
    });
    chosen.unwrap_or_default() + &ending(&attempt.ending)
}

pub(crate) fn ending(ending: &Ending) -> String {
    match ending {
        Ending::Completed => "handshake completed".to_owned(),
        Ending::Answered => "answered".to_owned(),
        Ending::NotCarriedFurther { reason } => format!("answered; not carried further: {reason}"),
        Ending::Alert { level, description, awaited: wanted, encrypted } => {
            let encrypted = if *encrypted { ", encrypted" } else { "" };
            format!("alert {description} ({level}{encrypted}) {}", awaited(*wanted))
        }
        Ending::Closed { awaited: wanted } => {
            format!("closed by the other side {}", awaited(*wanted))
        }
        Ending::Reset { awaited: wanted } => format!("connection reset {}", awaited(*wanted)),
        Ending::TimedOut { awaited: wanted, waited_ms } => {
            format!("silence for {} {}", duration(*waited_ms), awaited(*wanted))
        }
        Ending::ByClient { description, awaited: wanted, waited_ms } => {
            let how = match (description, waited_ms) {
                (Some(description), _) => format!("the client's alert {description}"),
                (None, 0) => "ended by the client".to_owned(),
                (None, waited) => format!("given up by the client after {}", duration(*waited)),
            };
            format!("{how} {}", awaited(*wanted))
        }
        Ending::Refused => "port refused the connection".to_owned(),
        Ending::Unreachable { detail } => format!("unreachable: {detail}"),
        Ending::ConnectTimedOut { waited_ms } => {
            format!("no answer to the connection for {}", duration(*waited_ms))
        }
        Ending::NotTls { protocol, detail, .. } => {
            format!("not TLS but {}: `{detail}`", protocol.as_deref().unwrap_or("an unknown protocol"))
        }
        Ending::TunnelRefused { reason } => format!("the proxy opened no tunnel: `{reason}`"),
        Ending::UpgradeRefused { reason } => format!("the server did not start TLS: `{reason}`"),
        Ending::Malformed { what, at } => format!("unreadable answer: {what} at byte {at}"),
        Ending::Impossible { reason } => format!("not possible from here: {reason}"),
    }
}

fn awaited(awaited: Awaited) -> &'static str {
    match awaited {
        Awaited::TunnelAnswer => "while the proxy's answer was awaited",
        Awaited::UpgradeAnswer => "in the STARTTLS dialogue",
        Awaited::ServerHello => "where ServerHello was awaited",
        Awaited::ServerFlight => "in the server's first flight",
        Awaited::ServerFinished => "where the server's Finished was awaited",
        Awaited::AfterFinished => "after the handshake",
        Awaited::Application => "where the answer to a request was awaited",
        Awaited::Trial => "where the answer to what was tried was awaited",
    }
}

/// Milliseconds of an attempt, for people.
pub(crate) fn took(attempt: &Attempt) -> String {
    format!("{:.0} ms", attempt.timing.ended_ms)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sentences_end_once() {
        assert_eq!(sentence("a"), "a.");
        assert_eq!(sentence("a. "), "a.");
        assert_eq!(sentence("why?"), "why?");
        assert_eq!(sentence(""), "");
    }

    #[test]
    fn numbers_are_short() {
        let cost = cost(&Cost { connections: 1, rounds: 2, sent_bytes: 999, received_bytes: 12_345, elapsed_ms: 1_250 });
        assert_eq!(cost, "1 connection in 2 rounds, 1.2 s; 999 B sent, 12.3 kB received.");
    }
}
