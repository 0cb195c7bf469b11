//! Stories become a report: faults in words, the root, the outcome, the cost, the evidence cited.

use std::collections::BTreeSet;
use std::net::IpAddr;

use tlswhy_model::{
    AddressOutcome, ClientProfile, Confidence, Cost, Evidence, Exhibit, Finding, Impact, OpenQuestion, Outcome, Report, Tool,
};

use super::{Examination, Fault, FaultKind, Story};
use crate::case::{Case, Seen};
use crate::causes::{CAUSES, Found};
use crate::configuration::survey::Survey;
use crate::configuration::{locate, outdated, rivals, settling};
use crate::inventory::Inventory;
use crate::negotiate::ServerCapabilities;
use crate::panel;
use crate::path;

/// One client's course to one address, in words.
pub(super) struct Tale<'a> {
    pub(super) address: Option<IpAddr>,
    pub(super) client: &'a ClientProfile,
    pub(super) story: Story,
    findings: Vec<Finding>,
    outcome: Outcome,
    ends_soon: Option<String>,
}

impl Examination {
    pub(super) fn report(&self) -> Report {
        let tales = self.tales();
        let several_clients = self.evidence.clients.len() > 1;
        let several_addresses = tales.iter().map(|tale| tale.address).collect::<BTreeSet<_>>().len() > 1;

        let mut findings: Vec<Finding> = Vec::new();
        let mut open_questions: Vec<OpenQuestion> = Vec::new();
        for tale in &tales {
            for finding in &tale.findings {
                let known = findings.iter_mut().find(|known| known.cause == finding.cause && known.impact == finding.impact);
                let finding = match known {
                    Some(known) => known,
                    None => {
                        let mut finding = finding.clone();
                        if several_addresses && let Some(address) = tale.address {
                            finding.diagnosis = format!("At {address}: {}", finding.diagnosis);
                        }
                        findings.push(finding);
                        let last = findings.len() - 1;
                        &mut findings[last]
                    }
                };
                if several_clients && !finding.affects.contains(&tale.client.name) {
                    finding.affects.push(tale.client.name.clone());
                }
            }
            for question in &tale.story.open {
                if !open_questions.contains(question) {
                    open_questions.push(question.clone());
                }
            }
        }

        if tales.is_empty() {
            open_questions.push(OpenQuestion {
                question: "Which addresses has the name? The resolver was not heard".to_owned(),
                decides: vec!["dns-failure".to_owned()],
                how: "run it again where names can be resolved, or give an address with --address".to_owned(),
            });
        }
        let outcome = self.outcome(&tales, several_addresses);
        // What only some addresses do does not stop the client.
        if outcome == Outcome::AtRisk {
            for finding in &mut findings {
                finding.impact = finding.impact.max(Impact::Degrades);
            }
        }
        findings.sort_by_key(|finding| finding.impact != Impact::Blocks);
        for (index, finding) in findings.iter_mut().enumerate() {
            finding.order = u32::try_from(index).unwrap_or(u32::MAX).saturating_add(1);
        }
        let root = findings.iter().find(|finding| finding.impact == Impact::Blocks);
        let mut subject = self.evidence.subject.clone();
        if subject.address.is_none() {
            subject.address =
                tales.iter().find_map(|tale| tale.story.own).and_then(|own| self.evidence.attempt(own)?.address.clone());
        }
        let taken = tales.first().map(|tale| (self.case(tale.client, tale.address), tale));
        let inventory = taken.as_ref().and_then(|(case, tale)| self.inventory(case, &tale.story));
        let mut notices = self.notices(&tales);
        let server = match (&taken, &inventory) {
            (Some((case, tale)), Some(inventory)) => {
                notices.extend(inventory.notices(&panel::server(case, &tale.story)));
                let mut view = inventory.view(case, tale.story.server_name.as_deref());
                if let Some(request) = &mut view.client_certificate {
                    let required =
                        tale.story.faults.iter().any(|fault| matches!(fault.kind, FaultKind::ClientCertificate { .. }));
                    request.required = if required { Some(true) } else { request.required };
                }
                Some(view)
            }
            _ => None,
        };
        Report {
            format: tlswhy_model::REPORT_FORMAT.to_owned(),
            format_version: tlswhy_model::FORMAT_VERSION.to_owned(),
            tool: Tool::default(),
            subject,
            taken_at: self.evidence.started_at.clone(),
            outcome,
            root_cause: root.map(|finding| finding.cause.clone()),
            summary: self.summary(&tales, outcome, &findings),
            clients: self.panel_rows(&tales, inventory.as_ref()),
            addresses: if several_addresses { self.address_rows(&tales) } else { Vec::new() },
            paths: self.evidence.paths.iter().map(path::view).collect(),
            chain: self.chain_view(&tales),
            server,
            policies: Vec::new(),
            changes: None,
            notices: self.left_aside().into_iter().chain(notices).collect(),
            open_questions,
            cost: self.cost(),
            evidence: self.cited(&findings, &tales),
            findings,
        }
    }

    fn tales(&self) -> Vec<Tale<'_>> {
        let survey = self.survey();
        let addresses = self.addresses();
        if let Some(none) = &addresses
            && none.is_empty()
        {
            return self.evidence.clients.iter().map(|client| self.nameless_tale(client, &survey)).collect();
        }
        let mut tales = Vec::new();
        for address in addresses.unwrap_or_default() {
            for client in &self.evidence.clients {
                let case = self.case(client, address);
                if let Some(story) = self.silence(client) {
                    tales.push(self.tale(&case, client, address, story, &survey));
                    continue;
                }
                let mut story = self.tell(&case);
                if !self.evidence.configurations.is_empty() {
                    settling::settle(&case, &mut story, &survey);
                    rivals::explain(&case, &mut story, &survey, &ServerCapabilities::of(case.all()));
                }
                outdated::explain(&case, &mut story, &survey);
                tales.push(self.tale(&case, client, address, story, &survey));
            }
        }
        tales
    }

    /// The name has no address to go to.
    fn nameless_tale<'a>(&'a self, client: &'a ClientProfile, survey: &Survey<'_>) -> Tale<'a> {
        let resolution = self.evidence.resolution.clone().unwrap_or_default();
        let error = resolution.error.unwrap_or_else(|| match (resolution.addresses.is_empty(), self.request.address_family) {
            (false, Some(family)) => format!("it has no IPv{} address", if family == super::Family::V4 { 4 } else { 6 }),
            _ => "no address".to_owned(),
        });
        let fault = Fault {
            kind: FaultKind::DnsFailure { error },
            fails: None,
            works: None,
            differs_in: Vec::new(),
            confidence: Confidence::Observed,
            blocks: true,
        };
        let story = Story { faults: vec![fault], complete: true, ..Story::default() };
        let case = self.case(client, None);
        self.tale(&case, client, None, story, survey)
    }

    fn tale<'a>(
        &'a self,
        case: &Case<'_>,
        client: &'a ClientProfile,
        address: Option<IpAddr>,
        mut story: Story,
        survey: &Survey<'_>,
    ) -> Tale<'a> {
        let mut findings: Vec<Finding> = Vec::new();
        for fault in &story.faults {
            let found = Found::new(case, &story, fault);
            match CAUSES.iter().find_map(|cause| Some((cause, (cause.examine)(&found)?))) {
                Some((cause, mut finding)) => {
                    locate::annotate(&mut finding, &found, survey);
                    outdated::tell(&mut finding, &found, survey);
                    // What merely follows from a finding before it is named there.
                    let parent = findings.iter_mut().find(|earlier| {
                        earlier.confidence <= Confidence::Observed
                            && CAUSES.iter().any(|known| {
                                known.code == earlier.cause && known.leads_to.iter().any(|led| led.code == cause.code)
                            })
                    });
                    match parent {
                        Some(parent) => parent.explains.push(finding.cause),
                        None => findings.push(finding),
                    }
                }
                None => story.open.push(OpenQuestion {
                    question: "The attempts contradict what the model allows; which part of the evidence misleads?".to_owned(),
                    decides: Vec::new(),
                    how: "please report this with the evidence (--save-evidence, --redact)".to_owned(),
                }),
            }
        }
        let blocked = findings.iter().any(|finding| finding.impact == Impact::Blocks);
        if !story.complete && !blocked {
            story.open.push(OpenQuestion {
                question: "What would the questions that were not asked have shown? The examination was ended early".to_owned(),
                decides: Vec::new(),
                how: "run it again, and let it end".to_owned(),
            });
        }
        let ends_soon = self.ends_soon(case, &story);
        let outcome = if blocked {
            Outcome::Fails
        } else if !story.open.is_empty() || story.inconsistent || !story.complete {
            Outcome::Undetermined
        } else if ends_soon.is_some() {
            Outcome::AtRisk
        } else {
            Outcome::Works
        };
        Tale { address, client, story, findings, outcome, ends_soon }
    }

    /// The worst over the clients; addresses that differ put the name at risk.
    fn outcome(&self, tales: &[Tale<'_>], several_addresses: bool) -> Outcome {
        let worst = |tales: &mut dyn Iterator<Item = &Tale<'_>>| {
            tales.map(|tale| tale.outcome).max_by_key(|outcome| severity(*outcome))
        };
        if several_addresses {
            let addresses: BTreeSet<Option<IpAddr>> = tales.iter().map(|tale| tale.address).collect();
            let outcomes: Vec<Outcome> = addresses
                .iter()
                .filter_map(|address| worst(&mut tales.iter().filter(|tale| tale.address == *address)))
                .collect();
            let works = outcomes.iter().any(|outcome| matches!(outcome, Outcome::Works | Outcome::AtRisk));
            let fails = outcomes.contains(&Outcome::Fails);
            // Different versions or suites are a difference too, though all connect.
            let agreed: BTreeSet<Option<String>> = tales.iter().map(|tale| self.agreed(&tale.story)).collect();
            if works
                && (fails
                    || (self.evidence.clients.len() == 1 && agreed.len() > 1 && !outcomes.contains(&Outcome::Undetermined)))
            {
                return Outcome::AtRisk;
            }
        }
        worst(&mut tales.iter()).unwrap_or(Outcome::Undetermined)
    }

    fn summary(&self, tales: &[Tale<'_>], outcome: Outcome, findings: &[Finding]) -> String {
        // Of several clients, those that the outcome is about.
        let about: BTreeSet<&str> =
            tales.iter().filter(|tale| tale.outcome == outcome).map(|tale| tale.client.title.as_str()).collect();
        let client = if about.is_empty() {
            self.evidence.subject.client.clone()
        } else {
            about.into_iter().collect::<Vec<_>>().join(", ")
        };
        let target = &self.evidence.subject.target;
        let blocking = findings.iter().filter(|finding| finding.impact == Impact::Blocks).count();
        match (outcome, findings.first()) {
            (Outcome::Fails, Some(root)) => {
                let behind = match blocking {
                    0 | 1 => String::new(),
                    2 => "; once that is mended, one more fault shows".to_owned(),
                    more => format!("; once that is mended, {} more faults show", more - 1),
                };
                let trust = tales.iter().any(|tale| tale.story.open.iter().any(is_open_trust));
                let trust = if trust { "; and no path leads to a trust anchor (see the open questions)" } else { "" };
                let unsure = if root.confidence == Confidence::Suspected { " (suspected)" } else { "" };
                format!("{client} cannot connect to {target}: {}{unsure}{behind}{trust}.", lower_first(&root.title))
            }
            (Outcome::AtRisk, _) => {
                let soon = tales.iter().find_map(|tale| tale.ends_soon.clone());
                let why = soon.unwrap_or_else(|| "its addresses differ".to_owned());
                format!("{client} connects to {target}, and {why}.")
            }
            (Outcome::Works, first) => {
                let agreed = tales.iter().find_map(|tale| self.agreed(&tale.story)).unwrap_or_default();
                let but = first.map(|finding| format!(" But: {}.", lower_first(&finding.title))).unwrap_or_default();
                format!("{client} connects to {target}{agreed}.{but}")
            }
            _ if tales.iter().any(|tale| tale.story.inconsistent) => {
                format!("{target} answers the same hello of {client} differently from one connection to the next.")
            }
            _ if tales.iter().any(|tale| tale.story.open.iter().any(is_open_trust)) => format!(
                "{client} cannot connect to {target}: no path leads from its certificate to a trust anchor; whether a certificate is missing or the root is not trusted is open (see the open questions)."
            ),
            _ => {
                let agreed = tales.iter().find_map(|tale| self.agreed(&tale.story));
                match agreed {
                    Some(agreed) => format!(
                        "{client} and {target} agree{agreed}; whether the connection stands is open (see the open questions)."
                    ),
                    None => format!("Why {client} cannot connect to {target} stays open (see the open questions)."),
                }
            }
        }
    }

    /// ` with TLS 1.3, SUITE`.
    fn agreed(&self, story: &Story) -> Option<String> {
        let seen = Seen::read(self.evidence.attempt(story.furthest?)?);
        let (version, suite) = (seen.version()?, seen.suite()?);
        let version = version.to_string().replace("TLSv", "TLS ").replace("SSLv", "SSL ");
        Some(format!(" with {version}, {suite}"))
    }

    fn panel_rows(&self, tales: &[Tale<'_>], inventory: Option<&Inventory>) -> Vec<tlswhy_model::ClientOutcome> {
        let Some(tale) = tales.first() else {
            return Vec::new();
        };
        let judged = self.case(tale.client, tale.address);
        let mut server = panel::server(&judged, &tale.story);
        if let Some(inventory) = inventory {
            inventory.add_to(&mut server);
        }
        self.request
            .panel
            .iter()
            .map(|client| {
                let case = judged.of_client(client);
                panel::judge(&case, &tale.story, &server, tale.findings.first(), &self.stores)
            })
            .collect()
    }

    fn address_rows(&self, tales: &[Tale<'_>]) -> Vec<AddressOutcome> {
        let mut rows: Vec<AddressOutcome> = Vec::new();
        for tale in tales {
            let Some(address) = tale.address else {
                continue;
            };
            let address = address.to_string();
            let root = tale.findings.iter().find(|finding| finding.impact == Impact::Blocks);
            let says = match root {
                Some(root) => root.title.clone(),
                None => self.agreed(&tale.story).map_or_else(|| "open".to_owned(), |agreed| format!("agrees{agreed}")),
            };
            if rows.iter().any(|row| row.address == address && severity(row.outcome) >= severity(tale.outcome)) {
                continue;
            }
            rows.retain(|row| row.address != address);
            rows.push(AddressOutcome { address, outcome: tale.outcome, root_cause: root.map(|root| root.cause.clone()), says });
        }
        rows
    }

    fn cost(&self) -> Cost {
        let attempts = &self.evidence.attempts;
        let attempted = attempts.iter().map(|attempt| attempt.timing.started_ms + attempt.timing.ended_ms);
        let measured = self.evidence.paths.iter().map(|path| path.started_ms + path.ended_ms);
        let ended = attempted.chain(measured).fold(0.0, f64::max);
        let probes = self.evidence.paths.iter().map(path::connections).sum::<usize>();
        Cost {
            connections: u32::try_from(attempts.len().saturating_add(probes)).unwrap_or(u32::MAX),
            rounds: attempts.iter().map(|attempt| attempt.round).max().unwrap_or(0),
            sent_bytes: attempts.iter().map(|attempt| attempt.sent.len() as u64).sum(),
            received_bytes: attempts.iter().map(|attempt| attempt.received.len() as u64).sum(),
            elapsed_ms: ended.round() as u64,
        }
    }

    /// The evidence without what no finding cites.
    fn cited(&self, findings: &[Finding], tales: &[Tale<'_>]) -> Evidence {
        let mut ids: BTreeSet<u32> = tales.iter().flat_map(|tale| [tale.story.own, tale.story.furthest]).flatten().collect();
        for exhibit in findings.iter().flat_map(|finding| &finding.exhibits) {
            match exhibit {
                Exhibit::Message { attempt, .. } | Exhibit::Ending { attempt, .. } => {
                    ids.insert(*attempt);
                }
                Exhibit::Contrast { fails, works, .. } => ids.extend([*fails, *works]),
                _ => {}
            }
        }
        let mut evidence = self.evidence.clone();
        evidence.attempts.retain(|attempt| ids.contains(&attempt.id));
        let files = findings.iter().flat_map(cited_files).collect::<BTreeSet<&str>>();
        evidence.files.retain(|file| files.contains(file.path.as_str()));
        evidence
    }
}

/// The files that a finding cites or edits.
fn cited_files(finding: &Finding) -> Vec<&str> {
    let shown = finding.exhibits.iter().filter_map(|exhibit| match exhibit {
        Exhibit::File { path, .. } => Some(path.as_str()),
        _ => None,
    });
    let edited = finding.remedies.iter().flat_map(|remedy| &remedy.edits).map(|edit| edit.path.as_str());
    shown.chain(edited).collect()
}

/// Whether the question is where a path to a trust anchor fails.
fn is_open_trust(question: &OpenQuestion) -> bool {
    question.decides == ["chain-incomplete", "untrusted-root"]
}

fn severity(outcome: Outcome) -> u8 {
    match outcome {
        Outcome::Works => 0,
        Outcome::AtRisk => 1,
        Outcome::Undetermined => 2,
        Outcome::Fails => 3,
    }
}

/// A title within a sentence: `The server …` begins small, a name keeps its letters.
fn lower_first(title: &str) -> String {
    for article in ["The ", "A ", "No ", "Client ", "To "] {
        if let Some(rest) = title.strip_prefix(article) {
            return format!("{}{rest}", article.to_lowercase());
        }
    }
    title.to_owned()
}
