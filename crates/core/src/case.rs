//! One judged client before one address: what was seen of it, and what is still to be asked.

use std::cell::RefCell;
use std::net::IpAddr;
use std::rc::Rc;

use tlswhy_model::{
    Attempt, Awaited, Bytes, ClientProfile, Depth, Direction, Ending, Evidence, Exhibit, Layer, Opening, PathMeasurement,
    PathQuestion, Probe, Question, Trial,
};
use tlswhy_wire::{
    AlertDescription, CertificateList, CertificateRequest, CipherSuite, HelloSpec, KeyExchangeParams, NamedGroup,
    ProtocolVersion, ServerHello, ServerKeyExchange, Sslv2Message, Transcript,
};

/// An attempt with its bytes read.
#[derive(Clone, Debug)]
pub struct Seen<'a> {
    /// The attempt.
    pub attempt: &'a Attempt,
    /// What came in the clear.
    pub plain: Transcript,
    /// What was decrypted.
    pub decrypted: Option<Transcript>,
}

impl<'a> Seen<'a> {
    /// Reads the bytes of an attempt.
    pub fn read(attempt: &'a Attempt) -> Seen<'a> {
        let plain = Transcript::of_server(&attempt.received);
        let decrypted = attempt.decrypted.as_ref().map(|bytes| Transcript::of_decrypted(bytes, ProtocolVersion::TLSV1_3));
        Seen { attempt, plain, decrypted }
    }

    /// Number of the attempt.
    pub fn id(&self) -> u32 {
        self.attempt.id
    }

    /// The hello that was sent, where it was made from a description.
    pub fn hello(&self) -> Option<&'a HelloSpec> {
        match &self.attempt.probe.opening {
            Opening::Hello { hello } => Some(hello),
            _ => None,
        }
    }

    /// The ServerHello, or the HelloRetryRequest where no ServerHello followed: both carry a choice.
    pub fn server_hello(&self) -> Option<&ServerHello> {
        let hello = self.plain.server_hello().or_else(|| self.plain.hello_retry_request());
        hello.map(|located| &located.value)
    }

    /// Whether the server chose and went on: a ServerHello or a HelloRetryRequest came, and no alert or close followed it
    /// within the server's flight. In TLS 1.3 some servers find out behind their ServerHello that they cannot sign or that no application
    /// protocol fits; and some ask for another hello without saying what to change, for want of a shared group.
    pub fn chose(&self) -> bool {
        let took_back = matches!(
            self.attempt.ending,
            Ending::Alert { awaited: Awaited::ServerHello | Awaited::ServerFlight, .. }
                | Ending::Closed { awaited: Awaited::ServerFlight }
        );
        let retry_leads_nowhere = self.plain.server_hello().is_none()
            && self.plain.hello_retry_request().is_some_and(|retry| {
                let offered = self.hello().map(HelloSpec::groups).unwrap_or_default();
                retry.value.cookie().is_none() && retry.value.selected_group().is_none_or(|group| !offered.contains(&group))
            });
        (self.server_hello().is_some() || self.speaks_sslv2()) && !took_back && !retry_leads_nowhere
    }

    /// Whether the server answered with an SSLv2 SERVER-HELLO.
    pub fn speaks_sslv2(&self) -> bool {
        matches!(self.plain.sslv2.as_ref().map(|message| &message.value), Some(Sslv2Message::ServerHello(_)))
    }

    /// The version chosen.
    pub fn version(&self) -> Option<ProtocolVersion> {
        self.server_hello().map(|hello| hello.selected_version.value)
    }

    /// The suite chosen.
    pub fn suite(&self) -> Option<CipherSuite> {
        self.server_hello().map(|hello| hello.cipher_suite.value)
    }

    /// The group of the key exchange.
    pub fn group(&self) -> Option<NamedGroup> {
        if let Some(KeyExchangeParams::Ecdhe { group, .. }) = self.key_exchange().map(|exchange| &exchange.params) {
            return Some(*group);
        }
        self.server_hello().and_then(ServerHello::selected_group)
    }

    /// ServerKeyExchange of TLS 1.2 and below.
    pub fn key_exchange(&self) -> Option<&ServerKeyExchange> {
        self.plain.server_key_exchange().map(|located| &located.value)
    }

    /// The certificates sent, end entity first.
    pub fn certificates(&self) -> Option<&CertificateList> {
        let decrypted = self.decrypted.as_ref().and_then(Transcript::certificate);
        self.plain.certificate().or(decrypted).map(|located| &located.value)
    }

    /// The request for a client certificate.
    pub fn certificate_request(&self) -> Option<&CertificateRequest> {
        let decrypted = self.decrypted.as_ref().and_then(Transcript::certificate_request);
        self.plain.certificate_request().or(decrypted).map(|located| &located.value)
    }

    /// The application protocol chosen.
    pub fn alpn(&self) -> Option<String> {
        let extensions = self.decrypted.as_ref().and_then(Transcript::encrypted_extensions);
        let chosen = extensions.and_then(|located| located.value.alpn());
        chosen.or_else(|| self.server_hello().and_then(ServerHello::alpn))
    }

    /// The alert that ended it.
    pub fn alert(&self) -> Option<AlertDescription> {
        match self.attempt.ending {
            Ending::Alert { description, .. } => Some(description),
            _ => None,
        }
    }

    /// What was awaited when it ended by alert, close, reset or silence.
    pub fn awaited(&self) -> Option<Awaited> {
        match self.attempt.ending {
            Ending::Alert { awaited, .. }
            | Ending::Closed { awaited }
            | Ending::Reset { awaited }
            | Ending::ByClient { awaited, .. }
            | Ending::TimedOut { awaited, .. } => Some(awaited),
            _ => None,
        }
    }

    /// Whether the TCP connection stood and the hello went out.
    pub fn reached_the_server(&self) -> bool {
        !matches!(
            self.attempt.ending,
            Ending::Refused
                | Ending::Unreachable { .. }
                | Ending::ConnectTimedOut { .. }
                | Ending::TunnelRefused { .. }
                | Ending::Impossible { .. }
        )
    }

    /// Whether our own attempt found nothing to stop it.
    pub fn ended_well(&self) -> bool {
        matches!(self.attempt.ending, Ending::Completed | Ending::Answered | Ending::NotCarriedFurther { .. })
    }

    /// The ending in words.
    pub fn ending(&self) -> String {
        self.with_what_came(describe_ending(&self.attempt.ending))
    }

    /// The same without how long it took: equal for attempts that ended alike.
    pub fn kind_of_ending(&self) -> String {
        self.with_what_came(match &self.attempt.ending {
            Ending::TimedOut { awaited: when, .. } => format!("silence {}", awaited(when)),
            other => describe_ending(other),
        })
    }

    /// The server began to answer, and it stopped before anything could be read.
    pub fn began_to_answer(&self) -> bool {
        let quietly = matches!(
            &self.attempt.ending,
            Ending::Closed { awaited: Awaited::ServerHello }
                | Ending::Reset { awaited: Awaited::ServerHello }
                | Ending::TimedOut { awaited: Awaited::ServerHello, .. }
        );
        quietly && self.plain.fatal_alert().is_none() && !self.attempt.received.is_empty()
    }

    fn with_what_came(&self, ending: String) -> String {
        if self.began_to_answer() {
            return format!("{ending}, after {} bytes of an answer", self.attempt.received.len());
        }
        ending
    }

    /// Exhibit: how it ended. Where it was an alert in the clear, the alert's own bytes are shown.
    pub fn ending_exhibit(&self) -> Exhibit {
        if let Some(alert) = self.plain.fatal_alert()
            && self.alert() == Some(alert.value.description)
        {
            // The description is the second and last byte of the alert.
            let start = alert.span.end.saturating_sub(1);
            return self.bytes_exhibit(
                Layer::Wire,
                start..alert.span.end,
                "Alert.description",
                format!("{} ({})", alert.value.description, alert.value.description.0),
            );
        }
        Exhibit::Ending { attempt: self.id(), says: self.ending() }
    }

    /// Exhibit: the version in the ServerHello.
    pub fn version_exhibit(&self) -> Option<Exhibit> {
        let hello = self.server_hello()?;
        let version = &hello.selected_version;
        Some(self.bytes_exhibit(
            Layer::Wire,
            version.span.clone(),
            "ServerHello.selected_version",
            format!("the server chose {}", version.value),
        ))
    }

    /// Exhibit: the suite in the ServerHello.
    pub fn suite_exhibit(&self) -> Option<Exhibit> {
        let hello = self.server_hello()?;
        let suite = &hello.cipher_suite;
        Some(self.bytes_exhibit(
            Layer::Wire,
            suite.span.clone(),
            "ServerHello.cipher_suite",
            format!("the server chose {}", suite.value),
        ))
    }

    /// Exhibit of bytes that the server sent; shows at most 64 of them.
    pub fn bytes_exhibit(&self, layer: Layer, span: std::ops::Range<usize>, field: &str, says: String) -> Exhibit {
        let stored: &[u8] = match layer {
            Layer::Wire => &self.attempt.received,
            Layer::Decrypted => self.attempt.decrypted.as_deref().unwrap_or_default(),
        };
        let shown = stored.get(span.clone()).unwrap_or_default();
        Exhibit::Message {
            attempt: self.id(),
            direction: Direction::FromServer,
            layer,
            start: span.start as u64,
            end: span.end as u64,
            hex: Bytes(shown.iter().copied().take(64).collect()),
            field: field.to_owned(),
            says,
        }
    }
}

fn awaited(awaited: &Awaited) -> &'static str {
    match awaited {
        Awaited::TunnelAnswer => "while the proxy's answer was awaited",
        Awaited::UpgradeAnswer => "during the STARTTLS dialogue",
        Awaited::ServerHello => "in answer to the ClientHello",
        Awaited::ServerFlight => "in the middle of the server's first flight",
        Awaited::ServerFinished => "after the client's Finished",
        Awaited::AfterFinished => "right after the handshake was complete",
        Awaited::Application => "instead of an answer to the request",
        Awaited::Trial => "in answer to what was tried beyond the handshake",
    }
}

/// An ending in words, without the attempt's number.
pub(crate) fn describe_ending(ending: &Ending) -> String {
    match ending {
        Ending::Completed => "the handshake was completed".to_owned(),
        Ending::Answered => "the server answered with its first flight".to_owned(),
        Ending::NotCarriedFurther { reason } => {
            format!("the server answered; not carried further: {reason}")
        }
        Ending::Alert { level, description, awaited: when, .. } => {
            format!("{level} alert {description} ({}) {}", description.0, awaited(when))
        }
        Ending::Closed { awaited: when } => {
            format!("connection closed without an alert {}", awaited(when))
        }
        Ending::Reset { awaited: when } => format!("connection reset {}", awaited(when)),
        Ending::TimedOut { awaited: when, waited_ms } => format!("silence for {waited_ms} ms {}", awaited(when)),
        Ending::ByClient { description: Some(description), awaited: when, .. } => {
            format!("the client itself sent the alert {description} ({}) {}", description.0, awaited(when))
        }
        Ending::ByClient { description: None, awaited: when, waited_ms: 0 } => {
            format!("the client itself ended it {}", awaited(when))
        }
        Ending::ByClient { description: None, awaited: when, waited_ms } => {
            format!("the client gave up after {waited_ms} ms of silence {}", awaited(when))
        }
        Ending::Refused => "connection refused".to_owned(),
        Ending::Unreachable { detail } => format!("unreachable: {detail}"),
        Ending::ConnectTimedOut { waited_ms } => {
            format!("no answer to the connection request within {waited_ms} ms")
        }
        Ending::NotTls { protocol: Some(protocol), detail, .. } => format!("answered in {protocol}, not TLS: {detail}"),
        Ending::NotTls { detail, .. } => {
            format!("answered with something that is not TLS: {detail}")
        }
        Ending::TunnelRefused { reason } => format!("the proxy refused: {reason}"),
        Ending::UpgradeRefused { reason } => format!("the server did not start TLS: {reason}"),
        Ending::Malformed { what, at } => format!("unreadable answer: {what} at byte {at}"),
        Ending::Impossible { reason } => format!("could not be tried: {reason}"),
    }
}

/// Which questions may be asked beyond those to the server itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Allowed {
    /// For issuers that were not sent (`--aia`).
    pub fetch_issuers: bool,
    /// About revocation (`--online`).
    pub online: bool,
    /// For records of the domain name system.
    pub dns: bool,
    /// About weaknesses, by what ordinary clients do not send.
    pub trials: bool,
}

/// One judged client before one address. Looking something up that was not asked yet notes the question.
pub struct Case<'a> {
    /// Everything seen so far.
    pub evidence: &'a Evidence,
    /// The client that is judged.
    pub client: &'a ClientProfile,
    /// Address examined; `None` where a proxy resolves the name.
    pub address: Option<IpAddr>,
    seen: Rc<[Seen<'a>]>,
    unavailable: &'a [Question],
    allowed: Allowed,
    wanted: RefCell<Vec<(Question, String)>>,
}

impl<'a> Case<'a> {
    /// A case over the evidence; `unavailable` are questions that nobody can answer.
    pub fn new(
        evidence: &'a Evidence,
        client: &'a ClientProfile,
        address: Option<IpAddr>,
        unavailable: &'a [Question],
    ) -> Case<'a> {
        let seen = evidence.attempts.iter().map(Seen::read).collect();
        Case { evidence, client, address, seen, unavailable, allowed: Allowed::default(), wanted: RefCell::new(Vec::new()) }
    }

    /// The same for another client.
    pub fn of_client(&self, client: &'a ClientProfile) -> Case<'a> {
        Case { client, seen: Rc::clone(&self.seen), wanted: RefCell::new(Vec::new()), ..*self }
    }

    /// The same, where these further questions may be asked.
    pub fn allowing(self, allowed: Allowed) -> Case<'a> {
        Case { allowed, ..self }
    }

    /// The client's hello with the subject's server name.
    pub fn client_hello(&self) -> HelloSpec {
        self.client.hello.clone().with_server_name(self.evidence.subject.server_name.as_deref())
    }

    /// The answer to a probe, or `None` after noting that it has to be asked.
    pub fn ask(&self, probe: &Probe, purpose: &str) -> Option<&Seen<'a>> {
        if let Some(seen) = self.find(probe) {
            return Some(seen);
        }
        let question = Question::Probe(Box::new(probe.clone()));
        let mut wanted = self.wanted.borrow_mut();
        if !self.unavailable.contains(&question) && !wanted.iter().any(|(known, _)| *known == question) {
            wanted.push((question, purpose.to_owned()));
        }
        None
    }

    /// Notes a question for an issuer that was not sent, if such may be asked.
    pub fn ask_for_issuer(&self, url: &str) {
        if self.allowed.fetch_issuers {
            self.ask_outside(Question::Fetch { url: url.to_owned(), request: None }, "the issuer that was not sent");
        }
    }

    /// Notes a question about revocation, if such may be asked.
    pub fn ask_about_revocation(&self, url: &str, request: Option<Vec<u8>>) {
        if self.allowed.online {
            let question = Question::Fetch { url: url.to_owned(), request: request.map(Bytes) };
            self.ask_outside(question, "whether a certificate was revoked");
        }
    }

    /// Notes a question about records of the domain name system, if such may be asked.
    pub fn ask_for_records(&self, name: &str, record_type: &str) {
        if self.allowed.dns {
            let question = Question::Records { name: name.to_owned(), record_type: record_type.to_owned() };
            self.ask_outside(question, "what the domain says of its certificates");
        }
    }

    /// The way as it was measured for this question, or `None` after noting that it has to be.
    pub fn ask_path(&self, question: PathQuestion) -> Option<&'a PathMeasurement> {
        let measured = self.evidence.paths.iter().find(|path| path.question == question);
        if measured.is_none() {
            self.ask_outside(Question::Path(Box::new(question)), "where on the way it is stopped");
        }
        measured
    }

    /// What was measured first of the way to this address.
    pub fn path(&self) -> Option<&'a PathMeasurement> {
        self.paths().next()
    }

    /// What was measured of the way to this address.
    pub fn paths(&self) -> impl Iterator<Item = &'a PathMeasurement> {
        self.evidence.paths.iter().filter(|path| Some(path.question.address) == self.address)
    }

    /// Notes a question that goes elsewhere than to the server, unless it was asked before.
    fn ask_outside(&self, question: Question, purpose: &str) {
        let answered = match &question {
            Question::Fetch { url, request } => {
                self.evidence.fetched.iter().any(|fetched| fetched.url == *url && fetched.request == *request)
            }
            Question::Records { name, record_type } => {
                self.evidence.records.iter().any(|records| records.name == *name && records.record_type == *record_type)
            }
            Question::Path(question) => self.evidence.paths.iter().any(|path| path.question == **question),
            Question::Resolve { .. } | Question::Probe(_) | Question::Files { .. } | Question::Software { .. } => false,
        };
        let mut wanted = self.wanted.borrow_mut();
        if !answered && !self.unavailable.contains(&question) && !wanted.iter().any(|(known, _)| *known == question) {
            wanted.push((question, purpose.to_owned()));
        }
    }

    /// The answer to this hello and what is tried after it, or `None` after noting that it has to be asked, if such may be.
    pub fn try_beyond(&self, hello: HelloSpec, upgrade: Option<&str>, trial: Trial, purpose: &str) -> Option<&Seen<'a>> {
        let depth = if trial == Trial::EarlyCipher { Depth::Flight } else { Depth::Finish };
        let probe = Probe { trial: Some(trial), ..self.hello_probe(hello, upgrade, depth) };
        if self.allowed.trials { self.ask(&probe, purpose) } else { self.find(&probe) }
    }

    /// The answer to a probe that was already asked.
    pub fn find(&self, probe: &Probe) -> Option<&Seen<'a>> {
        self.seen.iter().find(|seen| seen.attempt.probe == *probe)
    }

    /// Everything seen at this address.
    pub fn all(&self) -> impl Iterator<Item = &Seen<'a>> {
        self.seen.iter().filter(|seen| seen.attempt.probe.address == self.address)
    }

    /// Whether questions were noted.
    pub fn is_waiting(&self) -> bool {
        !self.wanted.borrow().is_empty()
    }

    /// The questions noted, with their purpose.
    pub fn into_questions(self) -> Vec<(Question, String)> {
        self.wanted.into_inner()
    }

    /// When the evidence was taken, seconds since 1970.
    pub fn now(&self) -> i64 {
        self.evidence.started_at.parse::<jiff::Timestamp>().map_or(0, |time| time.as_second())
    }

    /// A probe of this case's address.
    pub fn probe(&self, opening: Opening, upgrade: Option<&str>, depth: Depth) -> Probe {
        Probe {
            host: self.evidence.subject.host.clone(),
            port: self.evidence.subject.port,
            address: self.address,
            upgrade: upgrade.map(str::to_owned),
            opening,
            depth,
            with_identity: false,
            trial: None,
            repetition: 0,
        }
    }

    /// A probe with a hello.
    pub fn hello_probe(&self, hello: HelloSpec, upgrade: Option<&str>, depth: Depth) -> Probe {
        self.probe(Opening::Hello { hello }, upgrade, depth)
    }

    /// Whether nothing can stand between us and the server: the address is a loopback address and no proxy is used.
    pub fn no_path_between(&self) -> bool {
        self.evidence.subject.via.is_none() && self.address.is_some_and(|address| address.is_loopback())
    }
}
