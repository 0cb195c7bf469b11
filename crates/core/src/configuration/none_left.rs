//! Servers whose lines switch on nothing but versions that their library takes away again.

use tlswhy_config::{Effective, Service};
use tlswhy_wire::ProtocolVersion;

use super::mending::configured_versions;
use crate::examination::FaultKind;
use crate::negotiate::{ClientCapabilities, Obstacle};

/// A server on which no version is left: each that a line switches on is taken away by something else.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NoVersionLeft {
    /// The versions that lines switch on and something takes away.
    pub named: Vec<ProtocolVersion>,
    /// What takes them away, a clause each.
    pub taken_away: Vec<String>,
    /// The obstacle that comes of it.
    pub causes: Obstacle,
}

/// The fault, where a newer version is what the server needs: one that is switched on and has no suite lacks something else.
pub(crate) fn no_version_left(service: &Service, effective: &Effective, client: &ClientCapabilities) -> Option<FaultKind> {
    let is_old = |version: &ProtocolVersion| *version < ProtocolVersion::TLSV1_2;
    let lines = configured_versions(service).into_iter().chain(service.settings.maximum_version.iter().map(|set| set.value));
    let none_left = effective.versions.as_ref().is_some_and(Vec::is_empty);
    if !none_left || client.versions.iter().all(is_old) || lines.max().is_none_or(|highest| !is_old(&highest)) {
        return None;
    }
    let mut left = NoVersionLeft {
        named: Vec::new(),
        taken_away: Vec::new(),
        causes: Obstacle::Versions { client: client.versions.clone(), server: Vec::new() },
    };
    for one in &effective.reductions {
        let Ok(version) = one.what.parse() else { continue };
        left.named.push(version);
        if !left.taken_away.contains(&one.why) {
            left.taken_away.push(one.why.clone());
        }
    }
    (!left.named.is_empty()).then(|| FaultKind::NoVersionLeft(Box::new(left)))
}
