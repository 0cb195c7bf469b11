//! The state machine: evidence is judged, what it cannot tell is asked, answers become evidence, until a report stands.
//!
//! It does no I/O. [`Examination::next`] gives a batch of questions that may be answered in parallel (a round), or the
//! report. The live prober, a saved evidence file and a test drive the same machine.

pub(crate) mod certificates;
mod chains;
mod report;
mod story;

use std::net::IpAddr;

pub use story::{CertificateFault, Clock, Downgrade, Fault, FaultKind, PathFault, SizeFault, Stand, Story, TlsInspection};
use tlswhy_model::{
    Answer, Asked, ClientProfile, Confidence, Ending, Evidence, GivenConfiguration, Identity, InstalledSoftware,
    KnownCertificate, NamedStore, Notice, Question, QuestionId, Report, Resolution, SeenFile, Subject, Tool, TrustAnchors,
};

use crate::case::{Allowed, Case, Seen};
use crate::chain::{self, Store, Stores};
use crate::configuration::judged::{Judged, Left, Own};
use crate::configuration::survey::Survey;
use crate::inventory::{self, Inventory};
use crate::panel;

/// What is to be examined.
#[derive(Clone, Debug, Default)]
pub struct Request {
    /// The target.
    pub subject: Subject,
    /// The judged clients; the first is the main one.
    pub clients: Vec<ClientProfile>,
    /// Well-known clients, for the table.
    pub panel: Vec<ClientProfile>,
    /// Trust anchors that take the place of every client's own (`--ca`); where [`Request::stores`] is empty, those of the
    /// judged clients.
    pub trust: Option<TrustStore>,
    /// Time of the examination, RFC 3339 UTC.
    pub started_at: String,
    /// Limits.
    pub budget: Budget,
    /// Examine every address of the name.
    pub all_addresses: bool,
    /// Connect to this address, whatever the name resolves to.
    pub address: Option<IpAddr>,
    /// Use addresses of this family alone.
    pub address_family: Option<Family>,
    /// Send the very hellos of the panel.
    pub replay: bool,
    /// Ask for everything that the server accepts.
    pub full: bool,
    /// What ordinary clients do not send may be sent, to see whether the server has a known weakness.
    pub trials: bool,
    /// Trust stores by the name that client profiles use (`system`, `java`); Mozilla's is always there.
    pub stores: Vec<(String, TrustStore)>,
    /// Intermediates known from elsewhere.
    pub known_certificates: Vec<KnownCertificate>,
    /// SHA-256 of the public keys of which the server must have one, by what is known of it elsewhere; empty where nothing is.
    pub expected_keys: Vec<[u8; 32]>,
    /// The client certificate that the user gave.
    pub identity: Option<Identity>,
    /// Missing issuers may be fetched from the address that a certificate names.
    pub fetch_issuers: bool,
    /// Revocation may be asked for at the addresses that certificates name.
    pub online: bool,
    /// The domain name system may be asked for TLSA and CAA records.
    pub dns: bool,
    /// Configurations of the server and of the client that may be read.
    pub configurations: Vec<GivenConfiguration>,
    /// Configurations of the judged client that nobody named: read only where they could explain what fails.
    pub usual_configurations: Vec<GivenConfiguration>,
    /// Software whose version is known beforehand.
    pub software: Vec<InstalledSoftware>,
    /// Files that were looked at beforehand: what a process that is gone by now had as its environment.
    pub files: Vec<SeenFile>,
    /// The way to the server is measured though nothing points at it.
    pub trace: bool,
}

/// An address family.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Family {
    /// IPv4.
    V4,
    /// IPv6.
    V6,
}

/// Trust anchors.
#[derive(Clone, Debug, Default)]
pub struct TrustStore {
    /// Where they come from.
    pub source: String,
    /// DER of each.
    pub certificates: Vec<Vec<u8>>,
}

/// Limits of an examination.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Budget {
    /// Connections.
    pub connections: u32,
    /// Rounds.
    pub rounds: u32,
}

impl Budget {
    /// Room for everything that a server may accept: as many connections as it has suites, in each version, and some.
    pub fn full() -> Budget {
        Budget { connections: 1000, rounds: 600 }
    }
}

impl Default for Budget {
    /// Room for several faults in a row; one fault alone takes at most 12 connections and 5 rounds, 16 and 6
    /// where the way is measured for it.
    fn default() -> Self {
        Budget { connections: 60, rounds: 16 }
    }
}

/// The trust stores of a request.
pub(crate) fn stores(given: Option<&TrustStore>, named: &[(String, TrustStore)]) -> Stores {
    let store = |name: &str, store: &TrustStore| Store::new(name, &store.source, store.certificates.iter().cloned());
    Stores {
        given: given.map(|given| store("given", given)),
        named: named.iter().map(|(name, named)| store(name, named)).collect(),
        ..Stores::default()
    }
}

/// What comes next.
#[derive(Debug)]
pub enum Step {
    /// Answer these; they may be asked in parallel.
    Ask(Vec<Asked>),
    /// The report.
    Done(Box<Report>),
}

/// Most addresses that are examined.
const MOST_ADDRESSES: usize = 16;

/// One examination.
pub struct Examination {
    request: Request,
    evidence: Evidence,
    stores: Stores,
    pending: Vec<Asked>,
    unavailable: Vec<Question>,
    round: u32,
    next_id: QuestionId,
    interrupted: bool,
    /// Whether the clients are as their own configurations make them.
    configured: bool,
}

impl Examination {
    /// A new one, without evidence.
    pub fn new(request: Request) -> Examination {
        let stores = stores(request.trust.as_ref(), &request.stores);
        let evidence = Evidence {
            format: tlswhy_model::EVIDENCE_FORMAT.to_owned(),
            format_version: tlswhy_model::FORMAT_VERSION.to_owned(),
            tool: Tool::default(),
            started_at: request.started_at.clone(),
            subject: request.subject.clone(),
            resolution: None,
            clients: request.clients.clone(),
            trust: None,
            stores: Vec::new(),
            known_certificates: request.known_certificates.clone(),
            expected_keys: request.expected_keys.iter().map(|key| tlswhy_model::Bytes(key.to_vec())).collect(),
            fetched: Vec::new(),
            records: Vec::new(),
            configurations: request.configurations.clone(),
            files: request.files.clone(),
            software: request.software.clone(),
            identity: request.identity.clone(),
            attempts: Vec::new(),
            paths: Vec::new(),
            all_addresses: request.all_addresses,
            full: request.full,
            watched: false,
            redacted: false,
        };
        Examination {
            request,
            evidence,
            stores,
            pending: Vec::new(),
            unavailable: Vec::new(),
            round: 0,
            next_id: 1,
            interrupted: false,
            configured: false,
        }
    }

    /// Judges saved evidence again. What it does not hold stays unanswered.
    pub fn replay(evidence: Evidence, panel: Vec<ClientProfile>) -> Examination {
        let stores = kept_stores(&evidence);
        let given: Vec<IpAddr> = evidence.attempts.iter().filter_map(|attempt| attempt.probe.address).collect();
        let resolved = evidence.resolution.is_some();
        let request = Request {
            subject: evidence.subject.clone(),
            clients: evidence.clients.clone(),
            panel,
            trust: None,
            started_at: evidence.started_at.clone(),
            budget: Budget { connections: 0, rounds: 0 },
            all_addresses: evidence.all_addresses,
            full: evidence.full,
            address: given.first().copied().filter(|_| !resolved),
            address_family: None,
            ..Request::default()
        };
        let round = evidence.attempts.iter().map(|attempt| attempt.round).max().unwrap_or(0);
        Examination {
            request,
            stores,
            evidence,
            pending: Vec::new(),
            unavailable: Vec::new(),
            round,
            next_id: 1,
            interrupted: true,
            // Those of the evidence are.
            configured: true,
        }
    }

    /// The questions of the next round, or the report.
    #[expect(
        clippy::should_implement_trait,
        reason = "there is no end to iterate to: after the report it gives the report again"
    )]
    pub fn next(&mut self) -> Step {
        loop {
            self.configure_clients();
            let wanted = self.wanted();
            let nothing_wanted = wanted.is_empty();
            let mut asked = Vec::new();
            for (question, purpose) in wanted {
                let spent = u32::try_from(self.evidence.attempts.len() + asked.len()).unwrap_or(u32::MAX);
                let affordable = spent < self.request.budget.connections && self.round < self.request.budget.rounds;
                if self.interrupted || !affordable {
                    self.unavailable.push(question);
                    continue;
                }
                let id = self.next_id;
                self.next_id += 1;
                asked.push(Asked { id, round: self.round + 1, question, purpose });
            }
            if !asked.is_empty() {
                if asked.iter().any(|asked| matches!(asked.question, Question::Probe(_))) {
                    self.round += 1;
                }
                for asked in &mut asked {
                    asked.round = self.round.max(1);
                }
                self.pending = asked.clone();
                return Step::Ask(asked);
            }
            if nothing_wanted || self.wanted().is_empty() {
                if self.take_up_usual_configurations() {
                    continue;
                }
                self.keep_anchors();
                return Step::Done(Box::new(self.report()));
            }
        }
    }

    /// The answer to a question of the last round.
    pub fn answer(&mut self, id: QuestionId, answer: Answer) {
        let Some(index) = self.pending.iter().position(|asked| asked.id == id) else {
            return;
        };
        let asked = self.pending.swap_remove(index);
        match answer {
            Answer::Resolved(resolution) => self.evidence.resolution = Some(resolution),
            Answer::Attempted(mut attempt) => {
                attempt.id = u32::try_from(self.evidence.attempts.len()).unwrap_or(u32::MAX).saturating_add(1);
                attempt.round = asked.round;
                if let Question::Probe(probe) = asked.question {
                    attempt.probe = *probe;
                }
                self.evidence.attempts.push(*attempt);
            }
            Answer::Measured(measured) => self.evidence.paths.push(*measured),
            Answer::Fetched(fetched) => self.evidence.fetched.push(fetched),
            Answer::Records(records) => self.evidence.records.push(records),
            answer @ (Answer::Files(_) | Answer::Software(_)) => self.evidence.keep(&asked.question, answer),
            Answer::Unavailable => self.unavailable.push(asked.question),
        }
    }

    /// No further question will be answered: `next` gives the report of what is known.
    pub fn interrupt(&mut self) {
        self.interrupted = true;
        let pending = std::mem::take(&mut self.pending);
        self.unavailable.extend(pending.into_iter().map(|asked| asked.question));
    }

    /// Everything seen so far.
    pub fn evidence(&self) -> &Evidence {
        &self.evidence
    }

    /// What has to be read before the clients are known: their own configurations.
    fn wanted_of_clients(&self) -> Vec<(Question, String)> {
        let mut wanted: Vec<(Question, String)> = Vec::new();
        for own in self.evidence.clients.iter().filter_map(|client| Own::of(client, &self.evidence)) {
            let more = own.survey(&self.evidence.files).wanted();
            let new = more.into_iter().filter(|(question, _)| !self.unavailable.contains(question));
            for (question, purpose) in new {
                if !wanted.iter().any(|(known, _)| *known == question) {
                    wanted.push((question, purpose));
                }
            }
        }
        wanted
    }

    fn configure_clients(&mut self) {
        if self.configured || !self.wanted_of_clients().is_empty() {
            return;
        }
        let as_files_make_it = |client: &ClientProfile| {
            let own = Own::of(client, &self.evidence)?;
            let survey = own.survey(&self.evidence.files);
            Some(Judged::of(client, &self.evidence.subject, &own, &survey).configured())
        };
        let clients = self.evidence.clients.iter().map(|client| as_files_make_it(client).unwrap_or_else(|| client.clone()));
        self.evidence.clients = clients.collect();
        self.configured = true;
    }

    /// Where the client could do something about what fails, its own configuration is looked at.
    /// Whether it is, for the first time.
    fn take_up_usual_configurations(&mut self) -> bool {
        if self.request.usual_configurations.is_empty() || self.interrupted {
            return false;
        }
        let concerned = self.addresses().unwrap_or_default().into_iter().any(|address| {
            self.evidence.clients.iter().any(|client| {
                let story = self.tell(&self.case(client, address));
                story.faults.iter().any(|fault| fault.blocks && matches!(fault.kind, FaultKind::Negotiation(_)))
            })
        });
        if concerned {
            self.evidence.configurations.append(&mut self.request.usual_configurations);
        }
        concerned
    }

    /// What has to be asked before a report can stand.
    fn wanted(&self) -> Vec<(Question, String)> {
        let mut wanted: Vec<(Question, String)> = Vec::new();
        let mut add = |questions: Vec<(Question, String)>| {
            for (question, purpose) in questions {
                if !wanted.iter().any(|(known, _)| *known == question) {
                    wanted.push((question, purpose));
                }
            }
        };
        if !self.configured {
            let of_clients = self.wanted_of_clients();
            if !of_clients.is_empty() {
                return of_clients;
            }
        }
        let Some(addresses) = self.addresses() else {
            let host = self.request.subject.host.clone();
            let question = Question::Resolve { host };
            if self.unavailable.contains(&question) {
                return Vec::new();
            }
            return vec![(question, "the addresses of the name".to_owned())];
        };
        let mut first = None;
        for (place, address) in addresses.iter().enumerate() {
            for (number, client) in self.evidence.clients.iter().enumerate() {
                if self.silence(client).is_some() {
                    continue;
                }
                let case = self.case(client, *address);
                let story = self.tell(&case);
                if (place, number) == (0, 0) && !case.is_waiting() {
                    first = Some((case, story));
                } else {
                    add(case.into_questions());
                }
            }
        }
        if wanted.is_empty() {
            wanted = self.survey().wanted();
            wanted.retain(|(question, _)| !self.unavailable.contains(question));
            // Those that nobody named come late.
            let of_clients = self.wanted_of_clients();
            let new = of_clients.into_iter().filter(|(question, _)| !wanted.iter().any(|(known, _)| known == question));
            wanted.extend(new.collect::<Vec<_>>());
        }
        if wanted.is_empty() && self.request.trace {
            wanted.extend(self.way(&addresses));
        }
        // A measurement is disturbed by whatever runs beside it.
        let is_path = |question: &Question| matches!(question, Question::Path(_));
        if wanted.iter().all(|(question, _)| is_path(question)) {
            wanted.truncate(1);
        } else {
            wanted.retain(|(question, _)| !is_path(question));
        }
        if wanted.is_empty() && self.request.replay {
            // The very hellos of the panel are sent once the diagnosis stands.
            if let Some(address) = addresses.first() {
                for client in &self.request.panel {
                    let case = self.case(client, *address);
                    let probe = panel::replay_probe(&case);
                    case.ask(&probe, &format!("the very hello of {}", client.title));
                    let questions = case.into_questions();
                    for (question, purpose) in questions {
                        wanted.push((question, purpose));
                    }
                }
            }
        }
        if wanted.is_empty()
            && let Some((case, story)) = first
        {
            self.inventory(&case, &story);
            wanted = case.into_questions();
        }
        wanted
    }

    /// Everything that the server accepts, where it was to be asked and something that speaks TLS answers; questions are noted in
    /// the case.
    fn inventory(&self, case: &Case<'_>, story: &Story) -> Option<Inventory> {
        let upgrade = story.upgrade.as_deref();
        let speaks =
            |seen: &Seen<'_>| seen.attempt.probe.upgrade.as_deref() == upgrade && (seen.chose() || seen.alert().is_some());
        (self.evidence.full && !self.evidence.watched && case.all().any(speaks))
            .then(|| inventory::take(case, story.server_name.as_deref(), upgrade))
    }

    /// The way to the first address that has not been measured: with the hello of the judged client, where the server was reached.
    fn way(&self, addresses: &[Option<IpAddr>]) -> Option<(Question, String)> {
        let client = self.evidence.clients.first()?;
        let is_new = |address: &&IpAddr| !self.evidence.paths.iter().any(|path| path.question.address == **address);
        let address = addresses.iter().flatten().find(is_new)?;
        let case = self.case(client, Some(*address));
        let story = self.tell(&case);
        let question = Question::Path(Box::new(case.way_of(&story)?));
        (!self.unavailable.contains(&question)).then(|| (question, "the way to the server".to_owned()))
    }

    /// The addresses to examine: one, or all where asked for. `None` while the name is not resolved. A `None` within the list
    /// stands for a proxy that resolves the name.
    fn addresses(&self) -> Option<Vec<Option<IpAddr>>> {
        if self.request.subject.via.is_some() && self.request.address.is_none() {
            return Some(vec![None]);
        }
        if let Some(address) = self.request.address {
            return Some(vec![Some(address)]);
        }
        let usable = usable(self.evidence.resolution.as_ref()?, self.request.address_family);
        if self.request.all_addresses {
            return Some(usable.into_iter().take(MOST_ADDRESSES).map(Some).collect());
        }
        // As a client does: the next address where the connection to one does not come about.
        let dead = |address: &IpAddr| {
            self.evidence.attempts.iter().any(|attempt| {
                attempt.probe.address == Some(*address)
                    && matches!(
                        attempt.ending,
                        Ending::Refused
                            | Ending::Unreachable { .. }
                            | Ending::ConnectTimedOut { .. }
                            | Ending::Impossible { .. }
                    )
            })
        };
        let first_alive = usable.iter().take(MOST_TRIED).find(|address| !dead(address));
        let chosen = first_alive.or(usable.first());
        Some(chosen.map(|address| Some(*address)).into_iter().collect())
    }

    fn case<'a>(&'a self, client: &'a ClientProfile, address: Option<IpAddr>) -> Case<'a> {
        let allowed = Allowed {
            fetch_issuers: self.request.fetch_issuers,
            online: self.request.online,
            dns: self.request.dns,
            trials: self.request.trials,
        };
        Case::new(&self.evidence, client, address, &self.unavailable).allowing(allowed)
    }

    /// When the evidence was taken, seconds since 1970.
    fn now(&self) -> i64 {
        self.evidence.started_at.parse::<jiff::Timestamp>().map_or(0, |time| time.as_second())
    }

    /// The story of a client whose own files leave it nothing to send: no server has a part in it.
    fn silence(&self, client: &ClientProfile) -> Option<Story> {
        let own = Own::of(client, &self.evidence)?;
        let survey = own.survey(&self.evidence.files);
        let restriction = Judged::of(client, &self.evidence.subject, &own, &survey).silence()?;
        let fault = Fault {
            kind: FaultKind::PolicyRestricts(Box::new(restriction)),
            fails: None,
            works: None,
            differs_in: Vec::new(),
            confidence: Confidence::Observed,
            blocks: true,
        };
        Some(Story { faults: vec![fault], complete: true, ..Story::default() })
    }

    /// What of the files that were named as the clients' speaks for none of them, and why; and what is wrong in them and stops nobody.
    fn left_aside(&self) -> Vec<Notice> {
        let mut notices: Vec<Notice> = Vec::new();
        for client in &self.evidence.clients {
            let Some(own) = Own::of(client, &self.evidence) else { continue };
            let survey = own.survey(&self.evidence.files);
            let judged = Judged::of(client, &self.evidence.subject, &own, &survey);
            let left = judged.left.iter().map(|Left { path, why }| {
                format!("{} was not applied to {}: {why}", tlswhy_model::printable(path, 200), client.title)
            });
            let troubles = judged.troubles().into_iter();
            let troubles = troubles.map(|(place, says)| tlswhy_model::printable(&format!("{place}: {says}"), 400));
            for says in left.chain(troubles) {
                let notice = Notice { code: "client-configuration".to_owned(), says };
                if !notices.contains(&notice) {
                    notices.push(notice);
                }
            }
        }
        notices
    }

    /// What the configurations of servers say, as far as their files were seen.
    fn survey(&self) -> Survey<'_> {
        Survey::of_servers(&self.evidence)
    }

    fn tell(&self, case: &Case<'_>) -> Story {
        story::tell(case, &self.stores, self.now())
    }

    /// Keeps the anchors that bear on the certificates seen, so that the evidence can be judged elsewhere.
    fn keep_anchors(&mut self) {
        let attempts = self.evidence.attempts.iter().map(Seen::read);
        let sent = attempts.flat_map(|seen| seen.certificates().map(|list| list.entries.clone()).unwrap_or_default());
        let sent: Vec<Vec<u8>> = sent.map(|entry| entry.value).collect();
        keep_anchors(&mut self.evidence, &self.stores, sent);
    }
}

/// The trust stores that evidence kept.
pub(crate) fn kept_stores(evidence: &Evidence) -> Stores {
    let kept = |name: &str, anchors: &TrustAnchors| {
        let mut store = Store::new(name, &anchors.source, anchors.certificates.iter().map(|der| der.0.clone()));
        store.total = anchors.total as usize;
        store
    };
    Stores {
        given: evidence.trust.as_ref().map(|anchors| kept("given", anchors)),
        named: evidence.stores.iter().map(|store| kept(&store.name, &store.anchors)).collect(),
        ..Stores::default()
    }
}

/// Keeps in evidence the anchors that bear on these certificates (DER), and on those known and fetched.
pub(crate) fn keep_anchors(evidence: &mut Evidence, stores: &Stores, sent: Vec<Vec<u8>>) {
    if evidence.trust.is_some() || !evidence.stores.is_empty() {
        return;
    }
    let known = evidence.known_certificates.iter().map(|known| known.certificate.0.clone());
    let fetched = evidence.fetched.iter().filter_map(|fetched| fetched.body.as_ref());
    let fetched: Vec<Vec<u8>> = fetched.flat_map(|body| chain::certificates_in(body)).collect();
    let mut names = std::collections::BTreeSet::new();
    for der in sent.into_iter().chain(known).chain(fetched) {
        let certificate = stores.library.read(&der);
        names.insert(certificate.issuer.der.clone());
        names.insert(certificate.subject.der.clone());
    }
    let kept = |store: &Store| TrustAnchors {
        source: store.source.clone(),
        total: u32::try_from(store.total).unwrap_or(u32::MAX),
        certificates: store.anchors(&names).iter().map(|anchor| anchor.certificate.der.to_vec().into()).collect(),
    };
    match &stores.given {
        Some(given) => evidence.trust = Some(kept(given)),
        None => {
            let stores = stores.all();
            evidence.stores =
                stores.into_iter().map(|store| NamedStore { name: store.name.clone(), anchors: kept(store) }).collect();
        }
    }
}

/// Most addresses that are tried one after another, where connections do not come about.
const MOST_TRIED: usize = 3;

/// The addresses of the wanted family.
fn usable(resolution: &Resolution, family: Option<Family>) -> Vec<IpAddr> {
    let wanted = |address: &IpAddr| match family {
        Some(Family::V4) => address.is_ipv4(),
        Some(Family::V6) => address.is_ipv6(),
        None => true,
    };
    resolution.addresses.iter().copied().filter(wanted).collect()
}
