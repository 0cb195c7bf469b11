//! Configurations judged without a connection: what every service comes to, and what is wrong with it.

use std::collections::HashMap;
use std::sync::Arc;

use tlswhy_config::{Effective, Library, Origin, Service, Side, effective};
use tlswhy_model::{
    Answer, Asked, ClientOutcome, ClientProfile, Confidence, ConfigReport, ConfigurationView, EffectiveView, Evidence,
    FileContent, Finding, GivenConfiguration, Impact, InstalledSoftware, KnownCertificate, Party, PlacedNote, ReductionView,
    ServiceView, SettingView, ShadowedView, Subject, Tool, UnreadPath,
};
use tlswhy_wire::ProtocolVersion;

use super::mending;
use super::none_left::no_version_left;
use super::place::{self, Place};
use super::rivals::{self, ShadowedSetting};
use super::survey::{Configuration, Survey};
use super::{capabilities, locate};
use crate::case::Case;
use crate::causes::{CAUSES, Found};
use crate::chain::{Certificate, KeyKind, Stores, certificates_in};
use crate::examination::certificates::{self, Presented};
use crate::examination::{CertificateFault, Fault, FaultKind, Story, TrustStore};
use crate::negotiate::{
    self, Change, ClientCapabilities, Negotiated, Obstacle, ServerCapabilities, apply, chain_authentication,
};

/// Most obstacles that are followed one after another.
const MOST_OBSTACLES: usize = 5;
/// Most rounds of looking for files: the depth of includes.
const MOST_ROUNDS: u32 = 120;
/// Most troubles of one configuration that are told: noise has one in every line.
const MOST_TROUBLES: usize = 100;
/// Most names of one service whose certificate is judged.
const MOST_NAMES: usize = 20;
/// Ports on which TLS is spoken from the first byte.
const TLS_PORTS: [u16; 6] = [443, 465, 636, 853, 993, 995];

/// What is to be inspected.
#[derive(Clone, Debug, Default)]
pub struct InspectionRequest {
    /// The configurations: files or directories.
    pub configurations: Vec<GivenConfiguration>,
    /// Versions that the user named.
    pub software: Vec<InstalledSoftware>,
    /// The client that servers are judged for.
    pub client: Option<ClientProfile>,
    /// Well-known clients, for the table of each server.
    pub panel: Vec<ClientProfile>,
    /// Trust anchors in the place of the client's own.
    pub trust: Option<TrustStore>,
    /// Trust stores by name.
    pub stores: Vec<(String, TrustStore)>,
    /// Intermediates known from elsewhere.
    pub known_certificates: Vec<KnownCertificate>,
    /// The time, RFC 3339 UTC.
    pub started_at: String,
}

impl InspectionRequest {
    /// Evidence in which nothing was looked at yet.
    fn nothing_seen(&self) -> Evidence {
        Evidence {
            format: tlswhy_model::EVIDENCE_FORMAT.to_owned(),
            format_version: tlswhy_model::FORMAT_VERSION.to_owned(),
            tool: Tool::default(),
            started_at: self.started_at.clone(),
            subject: Subject::default(),
            resolution: None,
            clients: self.client.iter().cloned().collect(),
            trust: None,
            stores: Vec::new(),
            known_certificates: self.known_certificates.clone(),
            expected_keys: Vec::new(),
            fetched: Vec::new(),
            records: Vec::new(),
            identity: None,
            configurations: self.configurations.clone(),
            files: Vec::new(),
            software: self.software.clone(),
            attempts: Vec::new(),
            paths: Vec::new(),
            all_addresses: false,
            full: false,
            watched: false,
            redacted: false,
        }
    }
}

/// Reads configurations and judges them; does no I/O.
pub struct Inspection {
    request: InspectionRequest,
    evidence: Evidence,
    stores: Stores,
    pending: Vec<Asked>,
    next_id: u32,
    round: u32,
}

/// What comes next.
#[derive(Debug)]
pub enum InspectionStep {
    /// Look at these.
    Ask(Vec<Asked>),
    /// Everything is known.
    Done(Box<ConfigReport>),
}

impl Inspection {
    /// A new one; nothing is known yet.
    pub fn new(request: InspectionRequest) -> Inspection {
        let evidence = request.nothing_seen();
        let stores = crate::examination::stores(request.trust.as_ref(), &request.stores);
        Inspection { request, evidence, stores, pending: Vec::new(), next_id: 1, round: 0 }
    }

    /// One that judges saved evidence again; nobody can be asked.
    pub fn replay(evidence: Evidence, panel: Vec<ClientProfile>) -> Inspection {
        let request = InspectionRequest {
            configurations: evidence.configurations.clone(),
            software: evidence.software.clone(),
            client: evidence.clients.first().cloned(),
            panel,
            known_certificates: evidence.known_certificates.clone(),
            started_at: evidence.started_at.clone(),
            ..InspectionRequest::default()
        };
        let stores = crate::examination::kept_stores(&evidence);
        Inspection { request, evidence, stores, pending: Vec::new(), next_id: 1, round: MOST_ROUNDS }
    }

    /// Whether evidence is that of an inspection: of configurations alone, without a server that was asked.
    pub fn is_meant(evidence: &Evidence) -> bool {
        evidence.subject.host.is_empty() && evidence.attempts.is_empty() && !evidence.configurations.is_empty()
    }

    /// Keeps the anchors that bear on the certificates in the files.
    fn keep_anchors(&mut self) {
        let files = self.evidence.files.iter().filter_map(|file| match &file.content {
            FileContent::Bytes { bytes, .. } => Some(bytes),
            _ => None,
        });
        let certificates = files.flat_map(|bytes| certificates_in(bytes)).collect();
        crate::examination::keep_anchors(&mut self.evidence, &self.stores, certificates);
    }

    /// The next questions, or the report.
    pub fn step(&mut self) -> InspectionStep {
        let survey = Survey::of(&self.evidence);
        let wanted = if self.round < MOST_ROUNDS { survey.wanted() } else { Vec::new() };
        if wanted.is_empty() {
            let report = Box::new(self.report(&survey));
            self.keep_anchors();
            return InspectionStep::Done(report);
        }
        self.round += 1;
        let mut asked = Vec::new();
        for (question, purpose) in wanted {
            asked.push(Asked { id: self.next_id, round: self.round, question, purpose });
            self.next_id += 1;
        }
        self.pending.clone_from(&asked);
        InspectionStep::Ask(asked)
    }

    /// The answer to a question of the last step. What stays unanswered counts as missing.
    pub fn answer(&mut self, id: u32, answer: Answer) {
        let Some(at) = self.pending.iter().position(|asked| asked.id == id) else { return };
        let asked = self.pending.swap_remove(at);
        self.evidence.keep(&asked.question, answer);
    }

    /// Everything seen so far.
    pub fn evidence(&self) -> &Evidence {
        &self.evidence
    }

    fn report(&self, survey: &Survey<'_>) -> ConfigReport {
        let unseen = self.request.nothing_seen();
        let mut judge = Judge { inspection: self, survey, unseen, agreed: HashMap::new() };
        let configurations = survey.configurations.iter().map(|configuration| judge.configuration(configuration));
        let configurations: Vec<ConfigurationView> = configurations.collect();
        ConfigReport {
            format: tlswhy_model::CONFIG_FORMAT.to_owned(),
            format_version: tlswhy_model::FORMAT_VERSION.to_owned(),
            tool: Tool::default(),
            taken_at: self.request.started_at.clone(),
            client: self.request.client.as_ref().map(|client| client.title.clone()).unwrap_or_default(),
            configurations,
            unread: survey
                .unread
                .iter()
                .map(|unread| UnreadPath { path: unread.path.clone(), why: unread.why.clone() })
                .collect(),
        }
    }

    fn now(&self) -> i64 {
        self.evidence.started_at.parse::<jiff::Timestamp>().map_or(0, |time| time.as_second())
    }
}

/// What services with the same settings share.
#[derive(Clone, Debug, Default)]
struct Verdict {
    obstacles: Vec<(FaultKind, ServerCapabilities)>,
    clients: Vec<ClientOutcome>,
}

struct Judge<'i, 's> {
    inspection: &'i Inspection,
    survey: &'s Survey<'s>,
    /// The evidence without the files, of which there may be many: each service gets a copy.
    unseen: Evidence,
    agreed: HashMap<String, Verdict>,
}

impl Judge<'_, '_> {
    fn configuration(&mut self, configuration: &Configuration) -> ConfigurationView {
        let files = &self.survey.files;
        let troubles = configuration
            .reading
            .troubles
            .iter()
            .take(MOST_TROUBLES)
            .map(|trouble| PlacedNote { fatal: trouble.fatal, ..self.note(trouble.at.as_ref(), &trouble.says) });
        let troubles = troubles.collect();
        let commands = mending::commands(configuration, configuration.dialect.sides.first().copied().unwrap_or(Side::Server));
        let services = &configuration.reading.services;
        let mut views = Vec::with_capacity(services.len());
        for service in services.iter().filter(|service| configuration.is_meant(service)) {
            let off = service.settings.tls.as_ref().is_some_and(|tls| !tls.value);
            let effective = if off { Effective::default() } else { effective(service, files) };
            let mut findings = Vec::new();
            let mut clients = Vec::new();
            match service.side {
                Side::Server => {
                    (findings, clients) = self.server(configuration, service, &effective);
                    findings.extend(self.idle_lines(service, &findings));
                }
                Side::Client => findings.extend(self.client(configuration, service, &effective)),
            }
            findings.sort_by_key(|finding| finding.impact != Impact::Blocks);
            for (index, finding) in findings.iter_mut().enumerate() {
                finding.order = u32::try_from(index).unwrap_or(u32::MAX).saturating_add(1);
            }
            views.push(self.view(service, effective, findings, clients));
        }
        ConfigurationView {
            dialect: configuration.dialect.name.to_owned(),
            main: configuration.main.clone(),
            files: configuration.reading.files.clone(),
            services: views,
            troubles,
            check: commands.check,
            reload: commands.reload,
        }
    }

    /// What a client would meet at a server, in order.
    fn server(
        &mut self,
        configuration: &Configuration,
        service: &Service,
        effective: &Effective,
    ) -> (Vec<Finding>, Vec<ClientOutcome>) {
        let Some(client) = &self.inspection.request.client else { return (Vec::new(), Vec::new()) };
        let evidence = self.evidence_of(service);
        let case = Case::new(&evidence, client, None, &[]);
        let mut findings = Vec::new();
        if service.settings.tls.as_ref().is_some_and(|tls| !tls.value) {
            if service.listeners.iter().any(|listener| TLS_PORTS.contains(&listener.port)) {
                let kind = FaultKind::NotTls {
                    protocol: None,
                    detail: "TLS is not switched on for this listener".to_owned(),
                    declined: false,
                };
                findings.extend(self.words(&case, configuration, service, kind, ServerCapabilities::default()));
            }
            return (findings, Vec::new());
        }
        let files = &self.survey.files;
        let chains = capabilities::certificates(service, files);
        let keys: Vec<KeyKind> = chains.iter().filter_map(|sent| sent.first()?.key).collect();
        let verdict = self.verdict(client, effective, &keys);
        for (kind, server) in verdict.obstacles {
            findings.extend(self.words(&case, configuration, service, kind, server));
        }
        let server = capabilities::of(effective, &keys, &ClientCapabilities::of(client));
        for (kind, name) in self.certificate_faults(&case, service, &chains) {
            let evidence = asked_for(&evidence, name);
            let case = Case::new(&evidence, client, None, &[]);
            findings.extend(self.words(&case, configuration, service, kind, server.clone()));
        }
        (findings, verdict.clients)
    }

    /// The obstacles of one client, and how the others fare; once for all services that come to the same.
    fn verdict(&mut self, client: &ClientProfile, effective: &Effective, keys: &[KeyKind]) -> Verdict {
        let Effective {
            versions,
            cipher_suites,
            cipher_suites_13,
            groups,
            signature_schemes,
            security_level,
            server_preference,
            ..
        } = effective;
        let same = format!(
            "{versions:?}{cipher_suites:?}{cipher_suites_13:?}{groups:?}{signature_schemes:?}{security_level:?}\
             {server_preference:?}{keys:?}"
        );
        if let Some(known) = self.agreed.get(&same) {
            return known.clone();
        }
        let mut verdict = Verdict::default();
        let mut capabilities = ClientCapabilities::of(client);
        let mut server = capabilities::of(effective, keys, &capabilities);
        for _ in 0..MOST_OBSTACLES {
            let Negotiated::Obstacle(obstacle) = negotiate::negotiate(&capabilities, &server) else { break };
            let kind =
                mismatch(&obstacle, effective, keys, &capabilities).unwrap_or_else(|| FaultKind::Negotiation(obstacle.clone()));
            verdict.obstacles.push((kind, server.clone()));
            let Some((change, _)) = negotiate::fixes(&obstacle, &capabilities, &server).into_iter().next() else { break };
            (capabilities, server) = apply(&change, &capabilities, &server);
        }
        for other in &self.inspection.request.panel {
            verdict.clients.push(fares(other, effective, keys));
        }
        self.agreed.insert(same, verdict.clone());
        verdict
    }

    /// What the files of certificates and keys show, each with the first name for which it is so.
    fn certificate_faults<'n>(
        &self,
        case: &Case<'_>,
        service: &'n Service,
        chains: &[Vec<Certificate>],
    ) -> Vec<(FaultKind, Option<&'n String>)> {
        let mut faults: Vec<(FaultKind, Option<&String>)> = Vec::new();
        if capabilities::key_is_foreign(service, &self.survey.files) {
            faults.push((FaultKind::KeyMismatch, None));
        }
        for sent in chains {
            let presented =
                Presented { sent: sent.iter().cloned().map(Arc::new).collect(), staple: None, asked_for_staple: false };
            let names = service.names.iter().filter(|name| is_plain_name(name)).take(MOST_NAMES);
            let names: Vec<Option<&String>> = names.map(Some).collect();
            let names = if names.is_empty() { vec![None] } else { names };
            for name in names {
                let evidence = asked_for(case.evidence, name);
                let case = Case::new(&evidence, case.client, None, &[]);
                let opinion = certificates::judge(&case, &presented, &self.inspection.stores, self.inspection.now());
                let doubt = opinion.doubt().is_some();
                for objection in &opinion.judgement.objections {
                    let nameless = name.is_none() && matches!(objection.kind, crate::chain::ObjectionKind::NameMismatch { .. });
                    let doubtful = doubt && matches!(objection.kind, crate::chain::ObjectionKind::Untrusted { .. });
                    if nameless || doubtful {
                        continue;
                    }
                    let fault = CertificateFault {
                        objection: objection.clone(),
                        store: opinion.chosen.store.source.clone(),
                        clock: None,
                        full_chain: crate::chain::full_chain(&opinion.judgement).unwrap_or_default(),
                        path: opinion.judgement.paths.first().map(|path| path.links.clone()).unwrap_or_default(),
                        elsewhere: opinion.known.iter().map(|known| (known.certificate.sha256, known.source.clone())).collect(),
                    };
                    let kind = FaultKind::Certificate(Box::new(fault));
                    if !faults.iter().any(|(known, _)| *known == kind) {
                        faults.push((kind, name));
                    }
                }
            }
        }
        faults
    }

    /// A fault in words, with its lines and edits.
    fn words(
        &self,
        case: &Case<'_>,
        configuration: &Configuration,
        service: &Service,
        kind: FaultKind,
        server: ServerCapabilities,
    ) -> Option<Finding> {
        let kind = match &kind {
            FaultKind::Negotiation(obstacle) => {
                let client = ClientCapabilities::of(case.client);
                let changes = negotiate::fixes(obstacle, &client, &server);
                let changes = changes.into_iter().map(|(change, _)| change).filter(rivals::changes_the_server);
                let shadowed = |change: Change| rivals::shadowed(configuration, service, &change, obstacle, self.survey);
                let shadowed = changes.into_iter().find_map(shadowed).map(|(shadowed, _)| shadowed);
                let none_left = || no_version_left(service, &effective(service, &self.survey.files), &client);
                let of_versions = matches!(obstacle, Obstacle::Versions { .. });
                shadowed.or_else(|| none_left().filter(|_| of_versions)).unwrap_or(kind)
            }
            _ => kind,
        };
        let fault =
            Fault { kind, fails: None, works: None, differs_in: Vec::new(), confidence: Confidence::Observed, blocks: true };
        let story = Story { complete: true, ..Story::default() };
        let found = Found { server, ..Found::new(case, &story, &fault) };
        let mut finding = CAUSES.iter().find_map(|cause| (cause.examine)(&found))?;
        finding.reproduce.clear();
        locate::annotate_service(&mut finding, &found, configuration, service, self.survey);
        Some(finding)
    }

    /// Lines without effect that stop nobody yet.
    fn idle_lines(&self, service: &Service, known: &[Finding]) -> Vec<Finding> {
        let Some(client) = &self.inspection.request.client else { return Vec::new() };
        let evidence = self.evidence_of(service);
        let case = Case::new(&evidence, client, None, &[]);
        let mut findings: Vec<Finding> = Vec::new();
        for shown in service.settings.shown() {
            for rival in shown.shadowed.iter().filter(|rival| rival.meant_to_count && rival.text != shown.text) {
                let idle = Place::of(&rival.name, &rival.text, &rival.origin, &self.survey.files);
                let setting = ShadowedSetting {
                    why: rival.why.clone(),
                    ruling: Place::of(shown.name, shown.text, shown.origin, &self.survey.files),
                    service: service.title.clone(),
                    program: service.program.0.clone(),
                    needed: format!("`{}`", idle.quoted()),
                    removes: None,
                    without_effect: idle,
                };
                let kind = FaultKind::ConfigShadowed(Box::new(setting));
                let fault = Fault {
                    kind,
                    fails: None,
                    works: None,
                    differs_in: Vec::new(),
                    confidence: Confidence::Observed,
                    blocks: false,
                };
                let story = Story { complete: true, ..Story::default() };
                let found = Found { server: ServerCapabilities::default(), ..Found::new(&case, &story, &fault) };
                let finding = CAUSES.iter().find_map(|cause| (cause.examine)(&found));
                let finding = finding.map(|finding| Finding { impact: Impact::Latent, reproduce: Vec::new(), ..finding });
                let said = |finding: &Finding| known.iter().chain(&findings).any(|other| other.title == finding.title);
                if let Some(finding) = finding.filter(|finding| !said(finding)) {
                    findings.push(finding);
                }
            }
        }
        findings
    }

    /// What keeps a client from every server of today.
    fn client(&self, _configuration: &Configuration, service: &Service, effective: &Effective) -> Option<Finding> {
        let judged = self.inspection.request.client.as_ref()?;
        let current = [ProtocolVersion::TLSV1_3, ProtocolVersion::TLSV1_2];
        let change = Change::ClientVersions(current.to_vec());
        let none_left = effective.versions.as_ref().is_some_and(|versions| !versions.iter().any(|one| current.contains(one)));
        if !none_left {
            return None;
        }
        let obstacle = Obstacle::Versions { client: effective.versions.clone().unwrap_or_default(), server: current.to_vec() };
        let restriction = super::restricting::restriction(service, &change, &obstacle, &self.survey.files)?;
        let evidence = self.evidence_of(service);
        let client = ClientProfile { title: service.title.clone(), ..judged.clone() };
        let case = Case::new(&evidence, &client, None, &[]);
        let fault = Fault {
            kind: FaultKind::PolicyRestricts(Box::new(restriction)),
            fails: None,
            works: None,
            differs_in: Vec::new(),
            confidence: Confidence::Observed,
            blocks: true,
        };
        let story = Story { complete: true, ..Story::default() };
        let found = Found { server: ServerCapabilities::default(), ..Found::new(&case, &story, &fault) };
        let mut finding = CAUSES.iter().find_map(|cause| (cause.examine)(&found))?;
        finding.reproduce.clear();
        Some(finding)
    }

    /// The evidence with a service as its subject.
    fn evidence_of(&self, service: &Service) -> Evidence {
        let mut evidence = self.unseen.clone();
        let name = service.names.iter().find(|name| is_plain_name(name)).cloned();
        evidence.subject = Subject {
            target: service.title.clone(),
            host: name.clone().unwrap_or_else(|| "localhost".to_owned()),
            port: service.listeners.first().map_or(443, |listener| listener.port),
            server_name: name,
            upgrade: service.upgrade.map(str::to_owned),
            client: self.inspection.request.client.as_ref().map(|client| client.title.clone()).unwrap_or_default(),
            ..Subject::default()
        };
        evidence
    }

    fn note(&self, at: Option<&tlswhy_config::Span>, says: &str) -> PlacedNote {
        let line = at.and_then(|at| place::line(at, &self.survey.files));
        PlacedNote {
            path: at.map(|at| at.path.to_string()),
            line: line.map(|line| line.position.line),
            says: says.to_owned(),
            fatal: false,
        }
    }

    fn view(
        &self,
        service: &Service,
        effective: Effective,
        findings: Vec<Finding>,
        clients: Vec<ClientOutcome>,
    ) -> ServiceView {
        let files = &self.survey.files;
        let settings = service.settings.shown().into_iter().map(|shown| {
            let place = Place::of(shown.name, shown.text, shown.origin, files);
            let shadowed = shown.shadowed.iter().map(|rival| ShadowedView {
                name: rival.name.clone(),
                value: rival.text.clone(),
                origin: Place::of(&rival.name, &rival.text, &rival.origin, files).from,
                why: rival.why.clone(),
                meant_to_count: rival.meant_to_count,
            });
            SettingView {
                governs: shown.governs.to_owned(),
                name: shown.name.to_owned(),
                value: shown.text.to_owned(),
                shadowed: shadowed.collect(),
                path: place.line.as_ref().map(|line| line.path.clone()),
                line: place.line.as_ref().map(|line| line.position.line),
                origin: place.from,
            }
        });
        let reductions = effective.reductions.iter().map(|reduction| ReductionView {
            what: reduction.what.clone(),
            why: reduction.why.clone(),
            by: source(&reduction.by, files),
        });
        let (program, release) = &service.program;
        ServiceView {
            side: if service.side == Side::Server { Party::Server } else { Party::Client },
            title: service.title.clone(),
            names: service.names.clone(),
            listeners: service.listeners.iter().map(listener).collect(),
            upgrade: service.upgrade.map(str::to_owned),
            program: release.map_or_else(|| program.clone(), |release| format!("{program} {release}")),
            library: library(&service.library),
            settings: settings.collect(),
            effective: EffectiveView {
                reductions: reductions.collect(),
                versions: effective.versions,
                cipher_suites: effective.cipher_suites,
                cipher_suites_13: effective.cipher_suites_13,
                groups: effective.groups,
                signature_schemes: effective.signature_schemes,
                security_level: effective.security_level,
            },
            findings,
            clients,
            notes: service.notes.iter().map(|note| self.note(note.at.as_ref(), &note.says)).collect(),
        }
    }
}

/// How one well-known client fares with these settings.
pub(crate) fn fares(client: &ClientProfile, effective: &Effective, keys: &[KeyKind]) -> ClientOutcome {
    let capabilities = ClientCapabilities::of(client);
    let server = capabilities::of(effective, keys, &capabilities);
    let mut row = ClientOutcome {
        name: client.name.clone(),
        outcome: tlswhy_model::Outcome::Undetermined,
        version: None,
        cipher_suite: None,
        cause: None,
        says: None,
        replayed: false,
    };
    match negotiate::negotiate(&capabilities, &server) {
        Negotiated::Agreed(agreement) => {
            row.outcome = tlswhy_model::Outcome::Works;
            (row.version, row.cipher_suite) = (Some(agreement.version), Some(agreement.suite));
        }
        Negotiated::Obstacle(_) => row.outcome = tlswhy_model::Outcome::Fails,
        Negotiated::Unknown(_) => row.says = Some("the files do not tell enough".to_owned()),
    }
    row
}

/// Suites are shared, and none of them goes with a key of the server.
pub(crate) fn mismatch(
    obstacle: &Obstacle,
    effective: &Effective,
    keys: &[KeyKind],
    client: &ClientCapabilities,
) -> Option<FaultKind> {
    let Obstacle::Suites { version } = obstacle else { return None };
    let key = *keys.first()?;
    let listed = effective.cipher_suites.as_ref()?;
    let shared = client.suites_at(*version).into_iter().filter(|suite| listed.contains(suite));
    let own = chain_authentication(key);
    let fits = |suite: tlswhy_wire::CipherSuite| suite.details().is_some_and(|row| row.authentication == own);
    let shared: Vec<_> = shared.collect();
    (*version <= ProtocolVersion::TLSV1_2 && !shared.is_empty() && !shared.into_iter().any(fits))
        .then_some(FaultKind::CertificateMismatch { version: *version, key: Some(key), curve: false })
}

/// The same evidence, of a server that is asked for this name; `None` leaves the one that it has.
fn asked_for(evidence: &Evidence, name: Option<&String>) -> Evidence {
    let mut evidence = evidence.clone();
    if let Some(name) = name {
        (evidence.subject.host, evidence.subject.server_name) = (name.clone(), Some(name.clone()));
    }
    evidence
}

/// A name that a certificate can be compared with.
fn is_plain_name(name: &str) -> bool {
    name.contains('.') && !name.contains(['*', '~', '$', '^', '(']) && !name.starts_with('.')
}

fn listener(listener: &tlswhy_config::Listener) -> String {
    let address = match listener.address {
        Some(std::net::IpAddr::V6(address)) => format!("[{address}]"),
        Some(address) => address.to_string(),
        None => "*".to_owned(),
    };
    format!("{address}:{}{}", listener.port, if listener.is_default { " (default)" } else { "" })
}

fn library(library: &Library) -> String {
    let (name, release) = match library {
        Library::OpenSsl(release) => ("OpenSSL", release),
        Library::GnuTls(release) => ("GnuTLS", release),
        Library::Jsse(release) => ("JSSE of Java", release),
        Library::Go(release) => ("Go's crypto/tls", release),
        Library::Nss(release) => ("NSS", release),
        Library::Other(name) => return name.clone(),
    };
    release.map_or_else(|| name.to_owned(), |release| format!("{name} {release}"))
}

fn source(origin: &Origin, files: &tlswhy_config::Files<'_>) -> String {
    Place::of("", "", origin, files).from
}
