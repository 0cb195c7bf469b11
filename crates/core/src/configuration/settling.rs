//! What the wire leaves open and the server's own configuration says.
//!
//! A server that closes without a word says the same to a version that is off and to one that is on without a usable suite. Its
//! configuration tells them apart, provided that it is the configuration of this very server: the service is the one that listener
//! and name lead to, and what it says foretells every answer that came.

use tlswhy_config::{ClientVerification, Service, effective};
use tlswhy_model::{ClientPolicy, Confidence};
use tlswhy_wire::ProtocolVersion;

use super::inspection::mismatch;
use super::none_left::no_version_left;
use super::survey::Survey;
use super::{capabilities, locate};
use crate::case::Case;
use crate::causes::{CAUSES, Found};
use crate::chain::{Certificate, KeyKind};
use crate::examination::{Fault, FaultKind, Story};
use crate::negotiate::{self, ClientCapabilities, Negotiated, Obstacle, ServerCapabilities, Support};

/// Answers the open questions that the configuration answers, and makes what was suspected for want of an answer observed.
pub(crate) fn settle(case: &Case<'_>, story: &mut Story, survey: &Survey<'_>) {
    if story.inconsistent || story.open.is_empty() {
        return;
    }
    let Some((_, service)) = locate::certain_server_of(case, survey) else { return };
    let effective = effective(service, &survey.files);
    let sent = capabilities::certificates(service, &survey.files);
    let leaves: Vec<&Certificate> = sent.iter().filter_map(|sent| sent.first()).collect();
    let keys: Vec<KeyKind> = leaves.iter().filter_map(|leaf| leaf.key).collect();
    let server = |client: &ClientCapabilities| capabilities::of(&effective, &keys, client);
    if !foretells(case, &leaves, server) {
        return;
    }
    let client = ClientCapabilities::of(case.client);
    // Switched on by its line and taken away by something else: it is not the version that is missing.
    let taken_away = |version: &ProtocolVersion| effective.reductions.iter().any(|one| one.what == version.to_string());
    let none_left = no_version_left(service, &effective, &client);
    let obstacle = match negotiate::negotiate(&client, &server(&client)) {
        Negotiated::Obstacle(Obstacle::Versions { .. }) if none_left.is_some() => none_left,
        Negotiated::Obstacle(Obstacle::Versions { client, .. }) if client.iter().any(taken_away) => None,
        Negotiated::Obstacle(obstacle) => {
            Some(mismatch(&obstacle, &effective, &keys, &client).unwrap_or(FaultKind::Negotiation(obstacle)))
        }
        Negotiated::Agreed(_) | Negotiated::Unknown(_) => None,
    };
    for kind in obstacle.into_iter().chain(wants_a_certificate(case, service)) {
        let said = Fault {
            kind,
            fails: story.own,
            works: None,
            differs_in: Vec::new(),
            confidence: Confidence::Observed,
            blocks: true,
        };
        if let Some(code) = code(case, story, &said) {
            answer(case, story, code, said);
        }
    }
}

/// What the configuration says of a fault takes the place of what was suspected in the questions that it decides.
fn answer(case: &Case<'_>, story: &mut Story, code_said: &str, said: Fault) {
    let (decided, open): (Vec<_>, Vec<_>) =
        std::mem::take(&mut story.open).into_iter().partition(|question| question.decides.iter().any(|code| code == code_said));
    story.open = open;
    if decided.is_empty() {
        return;
    }
    let doubted = |fault: &Fault| {
        let code = code(case, story, fault).filter(|_| fault.confidence == Confidence::Suspected)?;
        decided.iter().any(|question| question.decides.iter().any(|known| known == code)).then_some(code)
    };
    let Some((at, suspected)) = story.faults.iter().enumerate().find_map(|(at, fault)| Some((at, doubted(fault)?))) else {
        return story.faults.push(said);
    };
    let Some(fault) = story.faults.get_mut(at) else { return };
    if suspected == code_said {
        fault.confidence = Confidence::Observed;
    } else {
        // What was found once the suspected was lifted was met on another way.
        *fault = Fault { fails: fault.fails, ..said };
        story.faults.truncate(at + 1);
    }
}

/// The code of a fault.
fn code(case: &Case<'_>, story: &Story, fault: &Fault) -> Option<&'static str> {
    let found = Found::new(case, story, fault);
    CAUSES.iter().find(|cause| (cause.examine)(&found).is_some()).map(|cause| cause.code)
}

/// Whether every answer of the server under the name and the dialogue in question is what its configuration lets expect, down to the
/// certificate. Where the configuration does not tell enough, any answer is.
fn foretells(case: &Case<'_>, leaves: &[&Certificate], server: impl Fn(&ClientCapabilities) -> ServerCapabilities) -> bool {
    let subject = &case.evidence.subject;
    let concerned = case.all().filter(|seen| seen.reached_the_server() && seen.attempt.probe.upgrade == subject.upgrade);
    for seen in concerned {
        let Some(hello) = seen.hello().filter(|hello| hello.server_name() == subject.server_name.as_deref()) else { continue };
        let client = ClientCapabilities::of_hello(hello, &ClientPolicy::default());
        let server = server(&client);
        let as_expected = match negotiate::negotiate(&client, &server) {
            Negotiated::Unknown(_) => true,
            Negotiated::Obstacle(_) => !seen.chose(),
            Negotiated::Agreed(agreement) => {
                let listed = |suite| server.suite(agreement.version, suite) != Support::Refused;
                seen.chose() && seen.version() == Some(agreement.version) && seen.suite().is_some_and(listed)
            }
        };
        let leaf = seen.certificates().and_then(|sent| sent.entries.first());
        let own = leaf.is_none_or(|leaf| leaves.is_empty() || leaves.iter().any(|known| *known.der == leaf.value[..]));
        if !as_expected || !own {
            return false;
        }
    }
    true
}

/// The fault of a client without a certificate at a server that insists on one.
fn wants_a_certificate(case: &Case<'_>, service: &Service) -> Option<FaultKind> {
    let insists = service.settings.client_verification.as_ref()?.value == ClientVerification::Required;
    (insists && case.evidence.identity.is_none()).then_some(FaultKind::ClientCertificate { http: None, refused: None })
}
