//! What was in a capture, for people and for programs.

use std::io::{self, Write};

use anstyle::{AnsiColor, Style};
use serde::Serialize;
use tlswhy_capture::{Handshake, Outcome, Reading, Side};
use tlswhy_core::knowledge::fingerprints::{ja3, ja4};
use tlswhy_model::{Awaited, Tool, printable};

use super::page::{ASIDE, HEADING, Page};
use super::{incidents, shown, words};
use crate::commands::pcap::{Kind, Kinds, server_name};

/// Name of the document on a whole capture.
const SUMMARY: &str = "tlswhy-capture";
/// Name of the document on one handshake.
pub(crate) const HANDSHAKE: &str = "tlswhy-handshake";
/// Version of both.
const FORMAT_VERSION: &str = "1.0";
/// Most alerts of one handshake that are listed.
const MOST_ALERTS: usize = 8;
/// Column of the text beside the number of handshakes.
const TEXT: usize = 8;

/// What was in a capture.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(rename = "Capture"))]
pub(crate) struct Summary {
    format: &'static str,
    format_version: &'static str,
    tool: Tool,
    file: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    first_at: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_at: Option<String>,
    frames: u64,
    tcp_segments: u64,
    tcp_connections: u64,
    handshakes: u64,
    failed: u64,
    /// Connections given up for want of room.
    forgotten_connections: u64,
    unread_frames: u64,
    quic_packets: u64,
    dtls_packets: u64,
    /// Why the end was not reached.
    #[serde(skip_serializing_if = "Option::is_none")]
    stopped: Option<String>,
    rows: Vec<Row>,
    /// People get a line for each client, server and cause instead of a paragraph for each row.
    #[serde(skip)]
    is_table: bool,
}

/// Handshakes that are alike.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct Row {
    pub(super) count: u64,
    handshake: Facts,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_at: Option<String>,
    /// The root cause, as the report on it says.
    #[serde(skip_serializing_if = "Option::is_none")]
    cause: Option<String>,
}

/// One handshake.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(rename = "Handshake"))]
pub(crate) struct One {
    format: &'static str,
    format_version: &'static str,
    handshake: Facts,
}

#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct Facts {
    client: String,
    server: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    via: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    upgrade: Option<&'static str>,
    server_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    started_at: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ja3: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ja4: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cipher_suite: Option<String>,
    alerts: Vec<AlertSeen>,
    outcome: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    by: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    awaited: Option<Awaited>,
    says: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    forged_reset: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    notes: Vec<&'static str>,
    #[serde(skip)]
    failed: bool,
}

/// An alert that came in the clear.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct AlertSeen {
    from: &'static str,
    level: String,
    description: String,
}

impl Summary {
    /// The document on a capture.
    pub(crate) fn of(file: &str, reading: &Reading, kinds: &Kinds, causes: &[Option<String>], is_table: bool) -> Summary {
        let counts = &reading.counts;
        let all = |count: &dyn Fn(&Kind) -> bool| kinds.iter().filter(|kind| count(kind)).map(|kind| kind.count).sum::<u64>();
        Summary {
            format: SUMMARY,
            format_version: FORMAT_VERSION,
            tool: Tool::default(),
            file: file.to_owned(),
            first_at: counts.first.map(time),
            last_at: counts.first.map(|_| time(counts.last)),
            frames: counts.frames,
            tcp_segments: counts.segments,
            tcp_connections: counts.connections,
            handshakes: all(&|_| true) + kinds.others,
            failed: all(&|kind| kind.first.outcome.failed()),
            forgotten_connections: counts.forgotten,
            unread_frames: counts.unread,
            quic_packets: counts.quic,
            dtls_packets: counts.dtls,
            stopped: reading.stopped.as_ref().map(ToString::to_string),
            rows: kinds.iter().zip(causes).map(|(kind, cause)| Row::of(kind, cause.clone())).collect(),
            is_table,
        }
    }

    /// Writes it for people.
    pub(crate) fn write(&self, out: &mut dyn Write, is_apart: bool, width: usize) -> io::Result<()> {
        let mut page = Page::new(out, width);
        if is_apart {
            page.blank()?;
        }
        let (word, colour) = match (self.handshakes, self.failed) {
            (0, _) => ("No handshakes", AnsiColor::Yellow),
            (_, 0) => ("None failed", AnsiColor::Green),
            _ => ("Failed", AnsiColor::Red),
        };
        page.headline(word, colour.on_default().bold(), &self.headline())?;
        page.paragraph(0, ASIDE, &self.aside())?;
        if self.is_table {
            return incidents::write(self.rows.iter(), &mut page);
        }
        let (failed, others): (Vec<&Row>, Vec<&Row>) = self.rows.iter().partition(|row| row.handshake.failed);
        for row in failed.into_iter().chain(others) {
            page.blank()?;
            let count = format!("{:>6}", row.count);
            page.labelled(0, &count, HEADING, TEXT, &row.handshake.who())?;
            if let Some(cause) = &row.cause {
                page.paragraph(TEXT, HEADING, cause)?;
            }
            row.handshake.write_course(&mut page)?;
        }
        Ok(())
    }

    fn headline(&self) -> String {
        let count =
            |count: u64, one: &str, several: &str| if count == 1 { format!("1 {one}") } else { format!("{count} {several}") };
        let handshakes = count(self.handshakes, "handshake", "handshakes");
        match (self.handshakes, self.failed) {
            (0, _) => format!("{} holds no TLS over TCP in {}.", self.file, count(self.frames, "frame", "frames")),
            (_, 0) => format!("{handshakes} in {}.", self.file),
            (_, failed) => format!("{failed} of {handshakes} in {}.", self.file),
        }
    }

    /// What else was there, and what could not be looked at.
    fn aside(&self) -> String {
        let mut parts = vec![format!("{} frames, {} TCP connections", self.frames, self.tcp_connections)];
        if let (Some(first), Some(last)) = (&self.first_at, &self.last_at) {
            parts.push(format!("{first} to {last}"));
        }
        for (count, what) in [
            (self.quic_packets, "packets that begin QUIC connections, which are not examined"),
            (self.dtls_packets, "packets with handshakes of DTLS, which are not examined"),
            (self.unread_frames, "frames of a link type that is not read"),
            (self.forgotten_connections, "connections given up undecided, for there were too many at a time"),
        ] {
            if count > 0 {
                parts.push(format!("{count} {what}"));
            }
        }
        words::sentence(&parts.join("; "))
    }
}

impl Row {
    /// Whether its handshakes failed.
    pub(super) fn has_failed(&self) -> bool {
        self.handshake.failed
    }

    /// Client without its port, server with the name asked for, and the cause; where that stayed open, how it ended.
    pub(super) fn incident(&self) -> (String, String, String) {
        let Facts { client, server, server_name, via, outcome, by, .. } = &self.handshake;
        let client = client.rsplit_once(':').map_or(client.as_str(), |(address, _)| address);
        let server = match (server_name, via) {
            (Some(name), _) if !server.starts_with(name.as_str()) => format!("{name} ({server})"),
            (_, Some(via)) => format!("{server} through {via}"),
            _ => server.clone(),
        };
        let open = || format!("open: {outcome}{}", by.map(|by| format!(" by the {by}")).unwrap_or_default());
        (client.to_owned(), server, self.cause.clone().unwrap_or_else(open))
    }

    /// When the first and the last of them began.
    pub(super) fn times(&self) -> (&str, &str) {
        let first = self.handshake.started_at.as_deref().unwrap_or_default();
        (first, self.last_at.as_deref().unwrap_or(first))
    }

    /// Of a kind, with the root cause where it is known.
    pub(crate) fn of(kind: &Kind, cause: Option<String>) -> Row {
        let mut handshake = Facts::of(&kind.first);
        handshake.ja3.clone_from(&kind.ja3);
        handshake.ja4.clone_from(&kind.ja4);
        Row { count: kind.count, handshake, last_at: (kind.count > 1).then(|| time(kind.last)), cause }
    }
}

impl One {
    /// The document on one handshake.
    pub(crate) fn of(handshake: &Handshake) -> One {
        let mut facts = Facts::of(handshake);
        facts.ja3 = handshake.hello.as_ref().map(ja3);
        facts.ja4 = handshake.hello.as_ref().map(ja4);
        One { format: HANDSHAKE, format_version: FORMAT_VERSION, handshake: facts }
    }

    /// It in one line: the server, what was agreed, how it ended.
    pub(crate) fn in_short(&self) -> String {
        let Facts { server, server_name, upgrade, via, version, cipher_suite, says, .. } = &self.handshake;
        let name = server_name.as_deref().filter(|name| !server.starts_with(*name)).map(|name| format!(" ({name})"));
        let agreed = version.as_deref().zip(cipher_suite.as_deref()).map(|(version, suite)| format!(", {version}, {suite}"));
        let upgrade = upgrade.map(|upgrade| format!(", STARTTLS {upgrade}"));
        let via = via.as_deref().map(|via| format!(", through {via}"));
        let parts = [name, upgrade, via, agreed].into_iter().flatten().collect::<String>();
        words::sentence(&format!("{server}{parts}: {says}"))
    }

    /// Writes it as one line, however long.
    pub(crate) fn write_line(&self, out: &mut dyn Write) -> io::Result<()> {
        let at = self.handshake.started_at.as_deref().unwrap_or_default();
        let mark = if self.handshake.failed { "fails" } else { "     " };
        writeln!(out, "{}", shown(&format!("{at}  {mark}  {} to {}", self.handshake.client, self.in_short())))
    }

    /// Writes it for people.
    pub(crate) fn write(&self, out: &mut dyn Write, width: usize) -> io::Result<()> {
        let mut page = Page::new(out, width);
        let at = self.handshake.started_at.as_deref().unwrap_or_default();
        page.paragraph(0, Style::new(), &format!("{at}  {}", self.handshake.who()))?;
        self.handshake.write_course(&mut page)
    }
}

impl Facts {
    /// Without fingerprints.
    fn of(handshake: &Handshake) -> Facts {
        let answer = handshake.answer.server_hello();
        let (outcome, by, awaited) = facts(&handshake.outcome);
        let server = match &handshake.tunnel {
            Some(tunnel) => join(&tunnel.host, tunnel.port),
            None => handshake.server.to_string(),
        };
        Facts {
            client: handshake.client.to_string(),
            server,
            via: handshake.tunnel.as_ref().map(|tunnel| format!("{}://{}", tunnel.scheme, handshake.server)),
            upgrade: handshake.upgrade,
            server_name: server_name(handshake).map(|name| printable(&name, 255)),
            started_at: Some(time(handshake.times.started)),
            ja3: None,
            ja4: None,
            version: answer.map(|hello| hello.selected_version.to_string()),
            cipher_suite: answer.map(|hello| hello.cipher_suite.to_string()),
            alerts: handshake
                .alerts
                .iter()
                .take(MOST_ALERTS)
                .map(|(from, level, description)| AlertSeen {
                    from: from.name(),
                    level: level.to_string(),
                    description: description.to_string(),
                })
                .collect(),
            outcome,
            by: by.map(Side::name),
            awaited,
            says: says(&handshake.outcome),
            forged_reset: handshake.forged.as_ref().map(|forged| forged.signs.clone()).unwrap_or_default(),
            notes: handshake.notes.clone(),
            failed: handshake.outcome.failed(),
        }
    }

    /// Client and server.
    fn who(&self) -> String {
        let name = self.server_name.as_deref().map(|name| format!(", SNI {name}")).unwrap_or_default();
        let upgrade = self.upgrade.map(|upgrade| format!(", STARTTLS {upgrade}")).unwrap_or_default();
        let via = self.via.as_deref().map(|via| format!(", through {via}")).unwrap_or_default();
        format!("{} to {}{name}{upgrade}{via}", self.client, self.server)
    }

    fn write_course(&self, page: &mut Page<'_>) -> io::Result<()> {
        let agreed = match (&self.version, &self.cipher_suite) {
            (Some(version), Some(suite)) => format!("; {version}, {suite}"),
            _ => String::new(),
        };
        page.paragraph(TEXT, Style::new(), &words::sentence(&format!("{}{agreed}", self.says)))?;
        for sign in &self.forged_reset {
            let by = self.by.unwrap_or("server");
            page.labelled(
                TEXT,
                "-",
                Style::new(),
                TEXT + 2,
                &words::sentence(&format!("The reset did not come from the {by}'s host: {sign}")),
            )?;
        }
        for note in &self.notes {
            page.labelled(TEXT, "-", Style::new(), TEXT + 2, &words::sentence(note))?;
        }
        if let Some(ja4) = &self.ja4 {
            let ja3 = self.ja3.as_deref().map(|ja3| format!(", JA3 {ja3}")).unwrap_or_default();
            page.paragraph(TEXT, ASIDE, &format!("JA4 {ja4}{ja3}"))?;
        }
        Ok(())
    }
}

/// The outcome's code, whose doing it is, and what was awaited.
fn facts(outcome: &Outcome) -> (&'static str, Option<Side>, Option<Awaited>) {
    match outcome {
        Outcome::Established { resumed: false } => ("established", None, None),
        Outcome::Established { resumed: true } => ("resumed", None, None),
        Outcome::Alert { by, awaited, .. } => ("alert", Some(*by), Some(*awaited)),
        Outcome::Closed { by, awaited } => ("closed", Some(*by), Some(*awaited)),
        Outcome::Reset { by, awaited } => ("reset", Some(*by), Some(*awaited)),
        Outcome::Silent { awaited, .. } => ("silent", Some(Side::Server), Some(*awaited)),
        Outcome::GaveUp { awaited, .. } => ("gave-up", Some(Side::Client), Some(*awaited)),
        Outcome::NotTls { .. } => ("not-tls", Some(Side::Server), None),
        Outcome::PlainClient { .. } => ("not-tls", Some(Side::Client), None),
        Outcome::UpgradeRefused { .. } => ("upgrade-refused", Some(Side::Server), None),
        Outcome::TunnelRefused { .. } => ("tunnel-refused", None, None),
        Outcome::Malformed { by, .. } => ("malformed", Some(*by), None),
        Outcome::Refused => ("refused", Some(Side::Server), None),
        Outcome::NotConnected { .. } => ("not-connected", None, None),
        Outcome::Incomplete { .. } => ("incomplete", None, None),
    }
}

/// The outcome in words.
pub(crate) fn says(outcome: &Outcome) -> String {
    let when = |awaited: &Awaited| match awaited {
        Awaited::TunnelAnswer | Awaited::UpgradeAnswer => "before TLS began",
        Awaited::ServerHello => "after the ClientHello",
        Awaited::ServerFlight => "after the ServerHello",
        Awaited::ServerFinished => "after the server's first flight",
        Awaited::AfterFinished | Awaited::Application | Awaited::Trial => "right after the client's Finished",
    };
    match outcome {
        Outcome::Established { resumed: false } => "Established".to_owned(),
        Outcome::Established { resumed: true } => "Established, resuming an earlier session".to_owned(),
        Outcome::Alert { by, awaited, alert: Some((_, description)) } => {
            format!("The {} sent the alert {description} ({}) {}", by.name(), description.0, when(awaited))
        }
        Outcome::Alert { by: Side::Client, alert: None, .. } => {
            "The client refused what it saw with an encrypted alert instead of its Finished: in TLS 1.3 that is mostly the certificate"
                .to_owned()
        }
        Outcome::Alert { by: Side::Server, awaited, alert: None } => {
            format!("The server ended it with an encrypted alert {}", when(awaited))
        }
        Outcome::Closed { by, awaited } => format!("The {} closed the connection without an alert {}", by.name(), when(awaited)),
        Outcome::Reset { by, awaited } => format!("The connection was reset in the {}'s name {}", by.name(), when(awaited)),
        Outcome::Silent { awaited, waited_ms } => {
            format!("No answer of the server {} for {}", when(awaited), seconds(*waited_ms))
        }
        Outcome::GaveUp { awaited, waited_ms } => {
            format!("The client gave up after {} without an answer {}", seconds(*waited_ms), when(awaited))
        }
        Outcome::NotTls { protocol: Some(protocol), detail, .. } => format!("The server answered in {protocol}, not TLS: {detail}"),
        Outcome::NotTls { detail, .. } => format!("The server answered with something that is not TLS: {detail}"),
        Outcome::PlainClient { detail } => format!("The client spoke without TLS to a server that wants TLS: {detail}"),
        Outcome::UpgradeRefused { reason } => format!("The server did not start TLS when asked: {reason}"),
        Outcome::TunnelRefused { reason } => format!("No way through the proxy: {reason}"),
        Outcome::Malformed { by, what, at } => format!("What the {} sent cannot be read: {what} at byte {at}", by.name()),
        Outcome::Refused => "The port refused the connection".to_owned(),
        Outcome::NotConnected { waited_ms } => format!("No answer to the connection request within {}", seconds(*waited_ms)),
        Outcome::Incomplete { why } => format!("How it ended was not seen: {why}"),
    }
}

fn seconds(milliseconds: u64) -> String {
    format!("{}.{} s", milliseconds / 1000, milliseconds % 1000 / 100)
}

/// Nanoseconds since 1970 in the form of RFC 3339.
pub(crate) fn time(nanoseconds: u64) -> String {
    jiff::Timestamp::from_nanosecond(i128::from(nanoseconds)).map_or_else(|_| nanoseconds.to_string(), |time| time.to_string())
}

/// `HOST:PORT`.
pub(crate) fn join(host: &str, port: u16) -> String {
    if host.contains(':') { format!("[{host}]:{port}") } else { format!("{host}:{port}") }
}
