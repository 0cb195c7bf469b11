//! Why the connections of one kind fail that were watched: the server is asked with this client's very hello, and where that works
//! now, or must not be asked, what was seen is judged.

use std::net::SocketAddr;

use tlswhy_core::{Budget, Request, TrustStore};
use tlswhy_gather::Live;
use tlswhy_model::{Evidence, GivenConfiguration, InstalledSoftware, SeenFile, Software};

use super::examine::{Interrupted, examine};
use super::pcap::{Given, Judged, Kind, Kinds, evidence_of, judged};
use super::trust;
use crate::exit::Status;

/// One kind, with all that is needed to judge it.
pub(super) struct Question {
    evidence: Evidence,
    /// The server to ask; none where it cannot be asked as the client did.
    server: Option<SocketAddr>,
    failed: bool,
    trust: Option<TrustStore>,
    /// Whether the client is a program of this machine, with its trust stores.
    is_here: bool,
    bearing: Bearing,
}

/// What of a machine bears on a program of it.
#[derive(Clone, Debug, Default)]
pub(super) struct Bearing {
    /// Configurations.
    pub(super) configurations: Vec<GivenConfiguration>,
    /// Its software, as far as its version is known.
    pub(super) software: Vec<InstalledSoftware>,
    /// What was looked at while it ran.
    pub(super) files: Vec<SeenFile>,
    /// The program with its TLS library, where a file tells the library's version.
    pub(super) program: Option<Software>,
}

impl Question {
    /// On one kind among all; `None` where nothing that could be judged was said.
    pub(super) fn of(kind: &Kind, all: &Kinds, given: &Given) -> Option<Question> {
        let first = &kind.first;
        let can_ask = first.tunnel.is_none() && first.hello.is_some();
        Some(Question {
            evidence: evidence_of(kind, all, given)?,
            server: can_ask.then_some(first.server),
            failed: first.outcome.failed(),
            trust: given.trust.clone(),
            is_here: false,
            bearing: Bearing::default(),
        })
    }

    /// The same of a program of this machine, with its name where that is known, and what bears on it.
    pub(super) fn of_program(mut self, name: &str, bearing: Bearing) -> Question {
        if !name.is_empty() {
            name.clone_into(&mut self.evidence.subject.client);
            self.evidence.clients.iter_mut().for_each(|client| name.clone_into(&mut client.title));
        }
        if let Some(program) = &bearing.program {
            self.evidence.clients.iter_mut().for_each(|client| client.software.clone_from(program));
        }
        Question { bearing, is_here: true, ..self }
    }

    /// The same, with nothing asked of the server.
    pub(super) fn without_asking(self) -> Question {
        Question { server: None, ..self }
    }

    /// The answer; `None` where only the client could say why it did not want what stood.
    pub(super) async fn answer(self, interrupted: &Interrupted) -> Option<Judged> {
        if let Some(server) = self.server {
            let live = Live::default();
            let (examination, report, _) = examine(self.request(server), &live, interrupted).await;
            if Status::of(&report) != Status::Fine {
                return Some(Judged { report, evidence: examination.evidence().clone() });
            }
        }
        if self.failed { judged(self.evidence) } else { None }
    }

    fn request(&self, server: SocketAddr) -> Request {
        let clients = self.evidence.clients.clone();
        Request {
            subject: self.evidence.subject.clone(),
            stores: if self.is_here && self.trust.is_none() { trust::machine_stores(&clients) } else { Vec::new() },
            trust: self.trust.clone(),
            started_at: self.evidence.started_at.clone(),
            budget: Budget::default(),
            address: Some(server.ip()),
            known_certificates: self.evidence.known_certificates.clone(),
            usual_configurations: self.bearing.configurations.clone(),
            software: self.bearing.software.clone(),
            files: self.bearing.files.clone(),
            clients,
            ..Request::default()
        }
    }
}
