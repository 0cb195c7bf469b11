//! Software that is too old for what is needed.
//!
//! Only software that was seen counts: what is installed where the server's configuration was read, and the client that showed its own
//! version. A banner and a profile that stands for a kind of client say what the software could be, and are told as that.

use tlswhy_config::Library;
use tlswhy_model::{ClientProfile, Confidence, Exhibit, Finding, Party};

use super::locate::certain_server_of;
use super::rivals::{changes_the_server, in_words};
use super::survey::Survey;
use crate::case::Case;
use crate::causes::Found;
use crate::examination::{Fault, FaultKind, Story};
use crate::knowledge::software::{Ability, has, product, speaks, title};
use crate::negotiate::{self, Change, ClientCapabilities, Obstacle, ServerCapabilities};

/// Software that cannot do what is needed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutdatedSoftware {
    /// Whose it is.
    pub party: Party,
    /// Which, with its version: `OpenSSL 1.0.2k`.
    pub software: Versioned,
    /// What it cannot do, in words: `TLSv1.3`.
    pub needs: String,
    /// The first version that can; `None` where none is known.
    pub since: Option<String>,
    /// Where that is known from.
    pub source: String,
    /// The obstacle that comes of it.
    pub causes: Obstacle,
}

/// A product in a version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Versioned {
    /// The product, as tables have it.
    pub product: &'static str,
    /// The version.
    pub version: String,
    /// Where that was seen.
    pub seen: String,
}

impl Versioned {
    /// `OpenSSL 1.0.2k`.
    pub fn title(&self) -> String {
        format!("{} {}", title(self.product), tlswhy_model::printable(&self.version, 40))
    }

    /// Whether it can do any of what a change wants; `None` where the change wants nothing that tables know.
    fn can(&self, change: &Change) -> Option<Ability> {
        let able = |wanted: &str| has(self.product, &self.version, wanted);
        let all: Vec<Ability> = match change {
            Change::ServerVersions(versions) | Change::ClientVersions(versions) => {
                versions.iter().map(|version| speaks(self.product, &self.version, *version)).collect()
            }
            Change::ServerSuites(_, suites) | Change::ClientSuites(suites) => {
                suites.iter().map(|suite| able(&suite.to_string())).collect()
            }
            Change::ServerGroups(_, groups) | Change::ClientGroups(groups) => {
                groups.iter().map(|group| able(&group.to_string())).collect()
            }
            Change::ServerSchemes(_, schemes) | Change::ClientSchemes(schemes) => {
                schemes.iter().map(|scheme| able(&scheme.to_string())).collect()
            }
            Change::ServerSecureRenegotiation => vec![able("renegotiation_info")],
            Change::ServerExtendedMasterSecret => vec![able("extended_master_secret")],
            Change::ServerAlpn | Change::ServerDhSize(_) => Vec::new(),
        };
        // The best of them: one that it can do is enough, and one that is not known leaves it open.
        let rank = |ability: &Ability| match ability {
            Ability::ByDefault => 0,
            Ability::Can => 1,
            Ability::Unknown => 2,
            Ability::Cannot { .. } => 3,
        };
        all.into_iter().min_by_key(rank)
    }
}

/// Puts software that cannot before what comes of it.
pub(crate) fn explain(case: &Case<'_>, story: &mut Story, survey: &Survey<'_>) {
    let (client, server) = (ClientCapabilities::of(case.client), ServerCapabilities::of(case.all()));
    let mut at = 0;
    while let Some(fault) = story.faults.get(at) {
        let explained = match (&fault.kind, at.checked_sub(1).and_then(|before| story.faults.get(before))) {
            // A line that is seen to cause it is nearer.
            (_, Some(Fault { kind: FaultKind::ConfigShadowed(_) | FaultKind::PolicyRestricts(_), .. })) => None,
            (FaultKind::Negotiation(obstacle), _) => outdated(case, obstacle, &client, &server, survey),
            _ => None,
        };
        let Some(outdated) = explained else {
            at += 1;
            continue;
        };
        let says_the_same = outdated.causes == Obstacle::ExtendedMasterSecret;
        let fault =
            Fault { kind: FaultKind::SoftwareOutdated(Box::new(outdated)), confidence: Confidence::Observed, ..fault.clone() };
        if says_the_same {
            story.open.retain(|question| question.decides != ["server-software-outdated"]);
            story.faults.splice(at..=at, [fault]);
        } else {
            story.faults.insert(at, fault);
            at += 1;
        }
        at += 1;
    }
}

fn outdated(
    case: &Case<'_>,
    obstacle: &Obstacle,
    client: &ClientCapabilities,
    server: &ServerCapabilities,
    survey: &Survey<'_>,
) -> Option<OutdatedSoftware> {
    for (change, _) in negotiate::fixes(obstacle, client, server) {
        let (party, known) = match changes_the_server(&change) {
            true => (Party::Server, of_server(case, survey, server)),
            false => (Party::Client, of_client(case.client).into_iter().filter(|_| was_seen(case.client)).collect()),
        };
        for software in known {
            if let Some(Ability::Cannot { since, source }) = software.can(&change) {
                let (needs, causes) = (in_words(&change), obstacle.clone());
                return Some(OutdatedSoftware { party, software, needs, since, source, causes });
            }
        }
    }
    None
}

/// The server's program and TLS library, where its configuration leaves no doubt which they are, and nothing that it was seen to do
/// is beyond them.
fn of_server(case: &Case<'_>, survey: &Survey<'_>, server: &ServerCapabilities) -> Vec<Versioned> {
    let Some((configuration, service)) = certain_server_of(case, survey) else { return Vec::new() };
    let installed = survey.files.software(configuration.dialect.name);
    let program = product(configuration.dialect.name).zip(installed.and_then(|installed| installed.version.clone()));
    let program = program.map(|(product, version)| (product, version, installed.map(|one| one.source.clone())));
    let of_machine = |product: &'static str| {
        let linked = installed.and_then(|installed| installed.libraries.iter().find(|library| library.name == product));
        let linked = linked.map(|library| (product, library.version.clone(), installed.map(|one| one.source.clone())));
        linked.or_else(|| {
            let machine = survey.files.software(product)?;
            Some((product, machine.version.clone()?, Some(machine.source.clone())))
        })
    };
    let library = match service.library {
        Library::OpenSsl(_) => of_machine("openssl"),
        Library::GnuTls(_) => of_machine("gnutls"),
        Library::Jsse(_) => of_machine("java"),
        Library::Go(_) => of_machine("go"),
        Library::Nss(_) | Library::Other(_) => None,
    };
    let versioned = |(product, version, seen): (&'static str, String, Option<String>)| Versioned {
        product,
        version,
        seen: seen.unwrap_or_default(),
    };
    let known: Vec<Versioned> = library.into_iter().chain(program).map(versioned).collect();
    let is_beyond = |software: &Versioned| {
        let done = server.accepted_versions();
        done.into_iter().any(|version| matches!(speaks(software.product, &software.version, version), Ability::Cannot { .. }))
    };
    if known.iter().any(is_beyond) { Vec::new() } else { known }
}

/// Whether a client showed its own version, and is not one that a profile stands for.
fn was_seen(client: &ClientProfile) -> bool {
    client.software.read_from.is_some()
}

/// The client's TLS library and its program, by the names of its profile: `OpenSSL 1.0.2o`.
fn of_client(client: &ClientProfile) -> Vec<Versioned> {
    let seen = client.software.read_from.clone().unwrap_or_else(|| format!("the profile {}", client.name));
    let versioned = |name: &str, version: &str| {
        let known = product(name).filter(|_| !version.is_empty());
        known.map(|product| Versioned { product, version: version.to_owned(), seen: seen.clone() })
    };
    let library = client.software.library.as_deref().and_then(|library| library.rsplit_once(' '));
    let library = library.and_then(|(name, version)| versioned(name, version));
    library.into_iter().chain(versioned(&client.software.product, &client.software.version)).collect()
}

/// Tells of a negotiation that fails what the software of each side could: it cannot, or it can and is kept from it.
pub(crate) fn tell(finding: &mut Finding, found: &Found<'_>, survey: &Survey<'_>) {
    if found.obstacle().is_none() {
        return;
    }
    for (change, _) in found.fixes() {
        let (party, known) = match changes_the_server(&change) {
            true => (Party::Server, of_server(found.case, survey, &found.server)),
            false => (Party::Client, of_client(found.case.client)),
        };
        let told = known.into_iter().find_map(|software| {
            let needs = in_words(&change);
            let says = match software.can(&change)? {
                Ability::Unknown => return None,
                Ability::Cannot { since: Some(since), .. } => {
                    format!("this version cannot do {needs}; {since} was the first that could")
                }
                Ability::Cannot { .. } => format!("this version cannot do {needs}"),
                Ability::Can => format!("this version can do {needs} where that is switched on"),
                Ability::ByDefault => {
                    format!("this version does {needs} by default: a setting, or the program itself, keeps it from that")
                }
            };
            Some(Exhibit::Software { party, product: title(software.product), version: software.version, says })
        });
        finding.exhibits.extend(told);
    }
}
