//! How a handshake ended, from what both sides sent and how the connection ended.
//!
//! What is encrypted is judged by sizes and endings: an alert is the only record that short, and nobody sends one of another
//! size in its place.

use tlswhy_model::Awaited;
use tlswhy_wire::{
    Alert, AlertDescription, AlertLevel, ClientHello, ContentType, DecodeError, DecodeErrorKind, ExtensionType, Located,
    Message, ProtocolVersion, Transcript, dialogue, other, tunnel,
};

use crate::connection::{behind_sslv2, hello_of};
use crate::handshake::{Outcome, Side, Times};
use crate::talk::{Meaning, Talk};
use crate::walk::{SeenRecord, Walk};

/// Length in bytes of the longest encrypted alert of TLS 1.3: two bytes, the type, a tag of 16 (RFC 8446 §5.2). CCM_8 has a tag
/// of 8.
pub(crate) const LONGEST_ALERT: u16 = 19;
const SHORT_TAG_ALERT: u16 = 11;

/// A silence that is shorter may be the capture's end, in milliseconds.
const SILENCE_MS: u64 = 3000;

/// A client that leaves sooner did not wait, in milliseconds.
const PATIENCE_MS: u64 = 1000;

/// How a side ended the connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    Closed,
    Reset,
}

/// What the verdict rests on. Of pairs the client's stands first.
pub(crate) struct Facts<'a> {
    pub(crate) sent: &'a [u8],
    pub(crate) received: &'a [u8],
    /// What the server had said before the client's hello.
    pub(crate) greeting: &'a [u8],
    pub(crate) walks: [&'a Walk; 2],
    /// Who ended it how and when, in order.
    pub(crate) endings: &'a [(Side, End, u64)],
    /// Whether bytes are missing from a direction.
    pub(crate) gaps: [bool; 2],
    pub(crate) packets: [u64; 2],
    pub(crate) times: Times,
    /// When the capture ended.
    pub(crate) until: u64,
}

type Hello = (ProtocolVersion, ClientHello);

/// What both sides said, and the verdict.
pub(crate) struct Judged {
    pub(crate) outcome: Outcome,
    pub(crate) hello: Option<Hello>,
    pub(crate) answer: Transcript,
    pub(crate) alerts: Vec<(Side, AlertLevel, AlertDescription)>,
}

/// The verdict on a connection that came to TLS.
pub(crate) fn of_handshake(facts: &Facts<'_>) -> Judged {
    let answer = Transcript::of_server(facts.received);
    let version = answer.server_hello().map(|hello| *hello.selected_version);
    let client = Transcript::of_client(behind_sslv2(facts.sent), version);
    let hello = hello_of(facts.sent);
    let outcome = match &hello {
        Err(error) if facts.packets[0] > 0 || !facts.sent.is_empty() => facts.without_hello(error, &answer),
        _ => facts.outcome(&answer, &client),
    };
    let said = |side, transcript: &Transcript| -> Vec<_> {
        transcript.alerts.iter().map(|alert| (side, alert.level, alert.description)).collect()
    };
    let alerts = [said(Side::Client, &client), said(Side::Server, &answer)].concat();
    Judged { outcome, hello: hello.ok(), answer, alerts }
}

/// The verdict on a connection that never came to TLS; `None` where it was not to.
pub(crate) fn of_talk(facts: &Facts<'_>, talk: &Talk<'_>, meaning: &Meaning, is_tls_port: bool) -> Option<Outcome> {
    if talk.client.is_empty() && talk.server.is_empty() {
        return is_tls_port.then(|| facts.never_connected()).flatten();
    }
    if let [21, 3, _, 0, 2, 1 | 2, ..] = talk.server {
        return Some(Outcome::PlainClient { detail: first_line(talk.client) });
    }
    if let Some(way) = &meaning.tunnel {
        // The dialogue itself says whether the proxy agreed.
        let mut dialogue = match way.scheme {
            "http" => tunnel::http_connect(&way.host, way.port, None),
            _ => return None,
        };
        dialogue.receive(b"");
        return match dialogue.receive(talk.server) {
            dialogue::Step::Refused { reason } => Some(Outcome::TunnelRefused { reason }),
            _ => None,
        };
    }
    meaning.upgrade.map(|_| Outcome::UpgradeRefused { reason: talk.last_answer() })
}

/// Whether the client went away after a complete handshake without having sent anything.
pub(crate) fn went_silently(outcome: &Outcome, facts: &Facts<'_>) -> bool {
    let Outcome::Established { .. } = outcome else { return false };
    let sent_data = |record: &&SeenRecord| record.content_type == ContentType::APPLICATION_DATA && !is_alert(record);
    let answered = facts.walks[1].records.first().map_or(0, |record| record.at);
    let data = facts.walks[0].records.iter().filter(sent_data).filter(|record| record.at >= answered).count();
    // In TLS 1.3 Finished itself looks like data.
    let version = Transcript::of_server(facts.received).server_hello().map(|hello| *hello.selected_version);
    let finished = usize::from(version >= Some(ProtocolVersion::TLSV1_3));
    data <= finished && facts.client_left_first()
}

impl Facts<'_> {
    /// Whether the client left before the server did. Its goodbye counts as much as its end: a server that hears it may close
    /// before the client's own end is seen.
    fn client_left_first(&self) -> bool {
        let Some((side, _, ended)) = self.endings.first() else { return false };
        let [client, server] =
            self.walks.map(|walk| walk.records.iter().filter(|record| is_goodbye(record)).map(|record| record.at).min());
        *side == Side::Client || client.is_some_and(|client| client <= *ended && server.is_none_or(|server| client <= server))
    }

    fn never_connected(&self) -> Option<Outcome> {
        let refused = self.endings.first().is_some_and(|(side, end, _)| (*side, *end) == (Side::Server, End::Reset));
        if refused && self.packets[0] > 0 {
            return Some(Outcome::Refused);
        }
        let waited_ms = milliseconds(self.times.started, self.until.max(self.times.ended));
        (self.packets[1] == 0 && self.endings.is_empty() && waited_ms >= SILENCE_MS)
            .then_some(Outcome::NotConnected { waited_ms })
    }

    /// The ClientHello cannot be read.
    fn without_hello(&self, error: &DecodeError, answer: &Transcript) -> Outcome {
        if self.sent.is_empty() || self.gaps[0] {
            return Outcome::Incomplete { why: "bytes of the ClientHello are missing in the capture" };
        }
        if let Some(alert) = answer.fatal_alert() {
            return self.alert(Side::Server, alert, Awaited::ServerHello);
        }
        if !matches!(error.kind, DecodeErrorKind::Truncated { .. }) {
            return Outcome::Malformed { by: Side::Client, what: error.what, at: error.at };
        }
        match self.endings.first() {
            Some((by, end, _)) => ended(*by, *end, Awaited::ServerHello),
            None => Outcome::Incomplete { why: "no more than a part of the ClientHello" },
        }
    }

    fn outcome(&self, answer: &Transcript, client: &Transcript) -> Outcome {
        let version = answer.server_hello().map(|hello| *hello.selected_version);
        let modern = version >= Some(ProtocolVersion::TLSV1_3);
        let awaited = self.awaited(answer, modern);
        if self.walks[1].broken && answer.records.is_empty() && answer.sslv2.is_none() && !self.received.is_empty() {
            return self.not_tls();
        }
        if let Some(outcome) = self.alert_in_the_clear(answer, client, awaited) {
            return outcome;
        }
        if modern {
            if let Some(outcome) = self.modern(answer) {
                return outcome;
            }
        } else if self.walks.iter().all(|walk| is_finished(walk)) {
            let resumed = !answer.messages.iter().any(|message| matches!(message.value, Message::ServerHelloDone));
            return Outcome::Established { resumed };
        }
        self.unfinished(answer, awaited)
    }

    /// The handshake of TLS 1.3 behind its ServerHello; `None` where it goes no further.
    fn modern(&self, answer: &Transcript) -> Option<Outcome> {
        let [client, server] = self.walks;
        let answered = server.records.first().map_or(0, |record| record.at);
        let data = |record: &&SeenRecord| record.content_type == ContentType::APPLICATION_DATA;
        // What the client sent before the answer is early data (RFC 8446 §2.3).
        let mut after = client.records.iter().filter(data).filter(|record| record.at >= answered);
        let finished = after.next()?;
        if is_alert(finished) {
            return Some(Outcome::Alert { by: Side::Client, awaited: Awaited::ServerFinished, alert: None });
        }
        let request = after.next();
        let flight = answer.encrypted_from.is_some();
        if !flight {
            return None;
        }
        let reply = server.records.iter().filter(data).find(|record| record.at > finished.at);
        let ended_by_server = self.endings.first().is_some_and(|(side, ..)| *side == Side::Server);
        let goodbye_first =
            request.is_some_and(|request| is_alert(request) && reply.is_none_or(|reply| request.at <= reply.at));
        if !goodbye_first && ended_by_server {
            match reply {
                Some(reply) if is_alert(reply) => {
                    return Some(Outcome::Alert { by: Side::Server, awaited: Awaited::AfterFinished, alert: None });
                }
                None if request.is_some() && !self.gaps[1] => {
                    let (by, end, _) = self.endings.first()?;
                    return Some(ended(*by, *end, Awaited::AfterFinished));
                }
                _ => {}
            }
        }
        let resumed = answer.server_hello().is_some_and(|hello| hello.extension(ExtensionType::PRE_SHARED_KEY).is_some());
        Some(Outcome::Established { resumed })
    }

    /// The earliest fatal alert that anybody can read.
    fn alert_in_the_clear(&self, answer: &Transcript, client: &Transcript, awaited: Awaited) -> Option<Outcome> {
        let of_client = client.alerts.iter().find(|alert| alert.level == AlertLevel::FATAL);
        let of_server = answer.fatal_alert();
        let when = |transcript: &Transcript, walk: &Walk, alert: &Located<Alert>| {
            let index = transcript.records.iter().position(|record| record.span.end >= alert.span.end);
            index.and_then(|index| walk.records.get(index)).map_or(u64::MAX, |record| record.at)
        };
        match (of_client, of_server) {
            (None, None) => None,
            (Some(alert), None) => Some(self.alert(Side::Client, alert, awaited)),
            (None, Some(alert)) => Some(self.alert(Side::Server, alert, awaited)),
            (Some(first), Some(second)) => {
                let client_first = when(client, self.walks[0], first) <= when(answer, self.walks[1], second);
                Some(if client_first {
                    self.alert(Side::Client, first, awaited)
                } else {
                    self.alert(Side::Server, second, awaited)
                })
            }
        }
    }

    fn alert(&self, by: Side, alert: &Located<Alert>, awaited: Awaited) -> Outcome {
        Outcome::Alert { by, awaited, alert: Some((alert.level, alert.description)) }
    }

    fn not_tls(&self) -> Outcome {
        let answered = other::recognise(self.received).or_else(|| other::recognise_echo(self.sent, self.received));
        // A server that greets may have done so before the hello, and answers that with no more than a complaint.
        let greeted = other::recognise(self.greeting).filter(|other| other.upgrade.is_some());
        let recognised = greeted.or(answered);
        match recognised {
            Some(other) => Outcome::NotTls { protocol: Some(other.name), upgrade: other.upgrade, detail: other.detail },
            None => Outcome::NotTls { protocol: None, upgrade: None, detail: first_line(self.received) },
        }
    }

    /// What the client waited for when it ended.
    fn awaited(&self, answer: &Transcript, modern: bool) -> Awaited {
        let done = answer.messages.iter().any(|message| matches!(message.value, Message::ServerHelloDone));
        match answer.server_hello() {
            None => Awaited::ServerHello,
            Some(_) if modern => Awaited::ServerFlight,
            Some(_) if is_finished(self.walks[1]) => Awaited::AfterFinished,
            Some(_) if done => Awaited::ServerFinished,
            Some(_) => Awaited::ServerFlight,
        }
    }

    /// Neither complete nor refused in words.
    fn unfinished(&self, answer: &Transcript, awaited: Awaited) -> Outcome {
        if self.gaps.contains(&true) {
            return Outcome::Incomplete { why: "bytes of the handshake are missing in the capture" };
        }
        match self.packets {
            [0, _] => return Outcome::Incomplete { why: "only what the server sent was captured" },
            [_, 0] => return Outcome::Incomplete { why: "only what the client sent was captured" },
            _ => {}
        }
        if let Some(stopped) = answer.stopped.filter(|stopped| !matches!(stopped.kind, DecodeErrorKind::Truncated { .. })) {
            return Outcome::Malformed { by: Side::Server, what: stopped.what, at: stopped.at };
        }
        let last_word =
            self.times.hello.into_iter().chain(self.walks.iter().filter_map(|walk| Some(walk.records.last()?.at))).max();
        let since = last_word.unwrap_or(self.times.started);
        match self.endings.first() {
            Some((Side::Client, _, at)) if awaited != Awaited::AfterFinished && milliseconds(since, *at) >= PATIENCE_MS => {
                Outcome::GaveUp { awaited, waited_ms: milliseconds(since, *at) }
            }
            Some((by, end, _)) => ended(*by, *end, awaited),
            None if milliseconds(since, self.until) >= SILENCE_MS => {
                Outcome::Silent { awaited, waited_ms: milliseconds(since, self.until) }
            }
            None => Outcome::Incomplete { why: "it was still under way" },
        }
    }
}

fn ended(by: Side, end: End, awaited: Awaited) -> Outcome {
    match end {
        End::Closed => Outcome::Closed { by, awaited },
        End::Reset => Outcome::Reset { by, awaited },
    }
}

/// Whether an encrypted record can be nothing but an alert.
fn is_alert(record: &SeenRecord) -> bool {
    record.length == LONGEST_ALERT || record.length == SHORT_TAG_ALERT
}

/// Whether a record is an alert, encrypted or not.
fn is_goodbye(record: &SeenRecord) -> bool {
    record.content_type == ContentType::ALERT || record.content_type == ContentType::APPLICATION_DATA && is_alert(record)
}

/// Whether a side of TLS 1.2 and below sent its Finished: a handshake record behind its ChangeCipherSpec.
fn is_finished(walk: &Walk) -> bool {
    let changed = walk.records.iter().position(|record| record.content_type == ContentType::CHANGE_CIPHER_SPEC);
    changed.is_some_and(|at| walk.records.iter().skip(at).any(|record| record.content_type == ContentType::HANDSHAKE))
}

fn milliseconds(from: u64, to: u64) -> u64 {
    to.saturating_sub(from) / 1_000_000
}

fn first_line(bytes: &[u8]) -> String {
    let line = bytes.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii).find(|line| !line.is_empty()).unwrap_or_default();
    tlswhy_model::printable(&String::from_utf8_lossy(line), 200)
}
