//! A fault in its surroundings, and the parts of a finding that every cause needs.

use tlswhy_model::{Exhibit, Finding, Impact, Party, PathMeasurement, Prediction, Remedy, Safety};
use tlswhy_wire::ProtocolVersion;
use tlswhy_wire::upgrade::PROXY_HEADER;

use super::Cause;
use crate::case::{Case, Seen};
use crate::examination::{Fault, FaultKind, Story};
use crate::negotiate::{self, Agreement, Change, ClientCapabilities, Negotiated, Obstacle, ServerCapabilities, Support};
use crate::path::{self, Barrier};

/// A fault in its surroundings.
pub struct Found<'a> {
    /// The client and everything seen.
    pub case: &'a Case<'a>,
    /// The whole course.
    pub story: &'a Story,
    /// The fault to put into words.
    pub fault: &'a Fault,
    /// What the client brings.
    pub client: ClientCapabilities,
    /// What the server was seen to do.
    pub server: ServerCapabilities,
}

impl<'a> Found<'a> {
    /// The surroundings of one fault of a story.
    pub fn new(case: &'a Case<'a>, story: &'a Story, fault: &'a Fault) -> Found<'a> {
        Found { case, story, fault, client: ClientCapabilities::of(case.client), server: ServerCapabilities::of(case.all()) }
    }

    /// The obstacle, where the fault is one of negotiation.
    pub fn obstacle(&self) -> Option<&Obstacle> {
        match &self.fault.kind {
            FaultKind::Negotiation(obstacle) => Some(obstacle),
            _ => None,
        }
    }

    /// The obstacle that the fault is, or that it leads to.
    fn underlying(&self) -> Option<&Obstacle> {
        match &self.fault.kind {
            FaultKind::ConfigShadowed(setting) => setting.removes.as_ref(),
            FaultKind::NoVersionLeft(left) => Some(&left.causes),
            FaultKind::PolicyRestricts(restriction) => Some(&restriction.causes),
            FaultKind::SoftwareOutdated(outdated) => Some(&outdated.causes),
            _ => self.obstacle(),
        }
    }

    /// The attempt that fails for it.
    pub fn failing(&self) -> Option<&Seen<'a>> {
        self.fault.fails.and_then(|id| self.case.all().find(|seen| seen.id() == id))
    }

    /// The attempt that works without it.
    pub fn working(&self) -> Option<&Seen<'a>> {
        self.fault.works.and_then(|id| self.case.all().find(|seen| seen.id() == id))
    }

    /// What was measured of the way with the hello that fails, or else of the way at all.
    pub fn measurement(&self) -> Option<&'a PathMeasurement> {
        let failing = self.failing().map(|seen| &seen.attempt.probe.opening);
        let with_it = self.case.paths().find(|path| path.question.test.is_some() && path.question.test.as_ref() == failing);
        with_it.or_else(|| self.case.paths().next())
    }

    /// What keeps connections from coming about, where it was measured.
    pub fn barrier(&self) -> Option<(&'a PathMeasurement, Barrier)> {
        self.case.paths().find_map(|measurement| Some((measurement, path::barrier(measurement)?)))
    }

    /// Title of the judged client.
    pub fn client_title(&self) -> &str {
        &self.case.client.title
    }

    /// A finding of `cause` with the exhibits that the fault itself brings: the contrast, then the ending. Whatever else is
    /// known is added by the cause.
    pub fn finding(&self, cause: &Cause, title: String, diagnosis: String, why_it_fails: String) -> Finding {
        let mut exhibits = Vec::new();
        if let (Some(failing), Some(working)) = (self.failing(), self.working()) {
            exhibits.push(Exhibit::Contrast {
                fails: failing.id(),
                works: working.id(),
                differs_in: self.differs_in(failing, working),
                says: format!("{}, against: {}", failing.ending(), self.success(working)),
            });
        }
        // Where the client itself ends the handshake, our attempt, which accepts more, ended well: that would mislead.
        if let Some(failing) = self.failing().filter(|failing| !failing.ended_well()) {
            exhibits.push(failing.ending_exhibit());
        }
        if exhibits.is_empty()
            && let Some(failing) = self.failing()
        {
            exhibits.extend(failing.version_exhibit());
        }
        let may_not_matter =
            matches!(self.fault.kind, FaultKind::Certificate(_)) && self.case.client.policy.verification_unknown == Some(true);
        let diagnosis = match may_not_matter {
            true => format!("{diagnosis} Whether {} checks certificates was not seen.", self.client_title()),
            false => diagnosis,
        };
        Finding {
            cause: cause.code.to_owned(),
            family: cause.family.to_owned(),
            party: cause.party,
            stage: cause.stage,
            order: 0,
            impact: match self.fault.blocks {
                true => Impact::Blocks,
                false if may_not_matter => Impact::Latent,
                false => Impact::Degrades,
            },
            confidence: self.fault.confidence,
            title,
            diagnosis,
            why_it_fails,
            explains: Vec::new(),
            affects: Vec::new(),
            exhibits,
            remedies: Vec::new(),
            reproduce: Vec::new(),
            references: Vec::new(),
        }
    }

    /// In what two attempts differ: read from their hellos; where they are the same, what the story says.
    fn differs_in(&self, failing: &Seen<'_>, working: &Seen<'_>) -> Vec<String> {
        let mut fields = match (failing.hello(), working.hello()) {
            (Some(fails), Some(works)) => negotiate::differing_fields(fails, works),
            _ => Vec::new(),
        };
        if failing.attempt.probe.upgrade != working.attempt.probe.upgrade {
            let header = working.attempt.probe.upgrade.as_deref() == Some(PROXY_HEADER.name);
            fields.insert(0, if header { "PROXY header" } else { "starttls" });
        }
        if fields.is_empty() {
            fields = self.fault.differs_in.clone();
        }
        fields.into_iter().map(str::to_owned).collect()
    }

    /// What a working attempt agreed on, in words.
    pub fn success(&self, seen: &Seen<'_>) -> String {
        match (seen.version(), seen.suite()) {
            (Some(version), Some(suite)) => format!("the server chose {version} with {suite}"),
            _ => seen.ending(),
        }
    }

    /// Remedies that the model finds for the obstacle, each with what it predicts.
    pub fn fixes(&self) -> Vec<(Change, Option<Prediction>)> {
        let Some(obstacle) = self.underlying() else {
            return Vec::new();
        };
        negotiate::fixes(obstacle, &self.client, &self.server)
            .into_iter()
            .map(|(change, after)| (change, prediction(after, &self.server)))
            .collect()
    }

    /// `HOST:PORT`, as the target's commands want it.
    pub fn target(&self) -> String {
        let subject = &self.case.evidence.subject;
        let host = match self.case.address {
            Some(address) if subject.host.parse::<std::net::IpAddr>().is_err() && self.case.evidence.resolution.is_none() => {
                address.to_string()
            }
            _ => subject.host.clone(),
        };
        if host.contains(':') { format!("[{host}]:{}", subject.port) } else { format!("{host}:{}", subject.port) }
    }

    /// A `tlswhy` command for the target, as it was examined.
    pub fn tlswhy(&self, command: &str, options: &str) -> String {
        let subject = &self.case.evidence.subject;
        let name = match &subject.server_name {
            Some(name) if self.target().starts_with(&format!("{name}:")) => String::new(),
            Some(name) => format!(" --sni {name}"),
            None if subject.host.parse::<std::net::IpAddr>().is_ok() => String::new(),
            None => " --sni none".to_owned(),
        };
        let upgrade = self.story.upgrade.as_deref().map(|upgrade| format!(" --starttls {upgrade}")).unwrap_or_default();
        let options = if options.is_empty() { String::new() } else { format!(" {options}") };
        let trust = if options.contains("--ca ") { String::new() } else { self.sources() };
        format!("tlswhy {command} {}{name}{upgrade}{trust}{options}", self.target())
    }

    /// The options that named where trust and further certificates come from.
    fn sources(&self) -> String {
        let evidence = self.case.evidence;
        let mut options = String::new();
        if let Some(trust) = &evidence.trust
            && is_word(&trust.source)
        {
            options.push_str(&format!(" --ca {}", trust.source));
        }
        let mut named: Vec<&str> = Vec::new();
        for known in &evidence.known_certificates {
            if is_word(&known.source) && !named.contains(&known.source.as_str()) && named.len() < 4 {
                named.push(&known.source);
                options.push_str(&format!(" --known {}", known.source));
            }
        }
        if evidence.fetched.iter().any(|fetched| fetched.request.is_none() && fetched.body.is_some()) {
            options.push_str(" --aia");
        }
        options
    }

    /// An `openssl s_client` command for the target with these further options.
    pub fn s_client(&self, options: &str) -> String {
        let subject = &self.case.evidence.subject;
        let name = match &subject.server_name {
            Some(name) => format!(" -servername {name}"),
            None => " -noservername".to_owned(),
        };
        let upgrade = self.story.upgrade.as_deref().and_then(tlswhy_wire::upgrade::upgrade).and_then(|upgrade| upgrade.openssl);
        let upgrade = upgrade.map(|word| format!(" -starttls {word}")).unwrap_or_default();
        let options = if options.is_empty() { String::new() } else { format!(" {options}") };
        format!("openssl s_client -connect {}{name}{upgrade}{options} </dev/null", self.target())
    }
}

/// A remedy without edits.
pub(super) fn remedy(
    party: Party,
    safety: Safety,
    summary: impl Into<String>,
    steps: Vec<String>,
    why_it_works: impl Into<String>,
    predicts: Option<Prediction>,
) -> Remedy {
    Remedy {
        party,
        safety,
        summary: summary.into(),
        steps,
        edits: Vec::new(),
        check: Vec::new(),
        reload: Vec::new(),
        why_it_works: why_it_works.into(),
        predicts,
    }
}

/// What both then agree on. Which suite that is at TLS 1.2 and below hangs on the certificate: where none was seen, a suite that was not
/// seen either is no more than a guess.
fn prediction(after: Negotiated, server: &ServerCapabilities) -> Option<Prediction> {
    let Negotiated::Agreed(Agreement { version, suite, group }) = after else { return None };
    let is_known = version >= ProtocolVersion::TLSV1_3
        || server.certificate_key.is_some()
        || server.suite(version, suite) == Support::Accepted;
    Some(Prediction { version: Some(version), cipher_suite: is_known.then_some(suite), group })
}

/// The option of `s_client` that offers this version alone.
pub(super) fn s_client_version(version: ProtocolVersion) -> &'static str {
    match version {
        ProtocolVersion::TLSV1_3 => "-tls1_3",
        ProtocolVersion::TLSV1_2 => "-tls1_2",
        // OpenSSL 3 offers these only at level 0.
        ProtocolVersion::TLSV1_1 => "-tls1_1 -cipher 'ALL:@SECLEVEL=0'",
        ProtocolVersion::TLSV1_0 => "-tls1 -cipher 'ALL:@SECLEVEL=0'",
        _ => "-ssl3",
    }
}

/// Whether a path can stand in a command as it is.
fn is_word(path: &str) -> bool {
    !path.is_empty() && path.chars().all(|c| c.is_ascii_alphanumeric() || "/._-+@".contains(c)) && !path.starts_with('-')
}
