//! The edits that mend a finding, on the lines that rule, and what they lead to.

use std::sync::Arc;

use tlswhy_config::{
    CannotMend, Context, Library, Patch, Release, Service, Side, Span, Want, between, effective, line_end, patched, unified,
};
use tlswhy_model::{Edit, SeenFile};
use tlswhy_wire::{CipherSuite, NamedGroup, ProtocolVersion};

use super::capabilities;
use super::judged::{Judged, is_policy};
use super::restricting::Restriction;
use super::rivals::{changed, has, same_service};
use super::survey::{Configuration, Survey};
use crate::causes::Found;
use crate::chain::{self, Certificate, ObjectionKind};
use crate::examination::CertificateFault;
use crate::negotiate::{self, Change, ClientCapabilities, Negotiated, VERSIONS};

/// Most changes that are put one on the other until the negotiation has a result.
const MOST_CHANGES: usize = 5;

/// What a mended configuration looks like.
#[derive(Clone, Debug, Default)]
pub(crate) struct Mended {
    /// The edits, each with its own diff.
    pub edits: Vec<Edit>,
    /// What the model says after them; `None` where the files do not tell enough.
    pub after: Option<Negotiated>,
    /// What the dialect could not bring about, in words.
    pub cannot: Vec<String>,
}

/// The edits that give a server what a change wants, and then what still stands in the way of this client.
pub(crate) fn mend(
    configuration: &Configuration,
    service: &Service,
    first: &Change,
    client: &ClientCapabilities,
    survey: &Survey<'_>,
) -> Mended {
    let mut mended = Mended::default();
    let mut instead: Vec<SeenFile> = Vec::new();
    let mut next = Some(first.clone());
    for _ in 0..MOST_CHANGES {
        let Some(change) = next.take() else { break };
        let files = survey.files.with(&instead);
        let context = Context { files: &files, main: &configuration.main };
        let reading = configuration.dialect.reading(&context);
        let Some(now) = same_service(&reading.services, service) else { break };
        let Some(want) = want(&change, now, &context) else { break };
        let patches = match (configuration.dialect.mend)(&context, now, &want) {
            Ok(patches) => patches,
            Err(CannotMend { why }) => {
                mended.cannot.push(why);
                break;
            }
        };
        let Some(patched) = apply(&context, &patches) else { break };
        for file in patched {
            instead.retain(|known| known.path != file.path);
            instead.push(file);
        }
        let files = survey.files.with(&instead);
        let context = Context { files: &files, main: &configuration.main };
        let reading = configuration.dialect.reading(&context);
        let Some(now) = same_service(&reading.services, service) else { break };
        let keys = capabilities::keys(now, &files);
        let server = capabilities::of(&effective(now, &files), &keys, client);
        let after = negotiate::negotiate(client, &server);
        if let Negotiated::Obstacle(obstacle) = &after {
            let fixes = negotiate::fixes(obstacle, client, &server);
            next = fixes.into_iter().map(|(change, _)| change).find(super::rivals::changes_the_server);
        }
        mended.after = (!matches!(after, Negotiated::Unknown(_))).then_some(after);
    }
    mended.edits = edits(survey, &instead);
    mended
}

/// The edits that give a client what a change wants: of its own program's files before those of its library's policies, and of these
/// the one with the line that takes it away. With the configuration that is edited; the last that was tried, where none can be.
pub(crate) fn mend_client<'s>(
    judged: &Judged<'s>,
    restriction: &Restriction,
    change: &Change,
    found: &Found<'_>,
    survey: &Survey<'_>,
) -> (Option<&'s Configuration>, Mended) {
    let rules = |service: &Service| {
        let at = restriction.line.line.as_ref();
        let is_it = |span: &Span| at.is_some_and(|at| *span.path == at.path && span.start == at.start);
        service.settings.shown().iter().any(|shown| shown.origin.span().is_some_and(is_it))
    };
    let mut speaking = judged.speaking.clone();
    // Stable: of one rank they stay in their order.
    speaking.sort_by_key(|(configuration, service)| (is_policy(configuration), !rules(service)));
    let mut last = (None, Mended::default());
    for (configuration, service) in speaking {
        let context = Context { files: &survey.files, main: &configuration.main };
        let wanted = match change {
            Change::ClientVersions(versions) => versions_with(found, restriction, versions),
            change => want(&as_a_servers(change), service, &context),
        };
        let Some(want) = wanted else { continue };
        let patches = match (configuration.dialect.mend)(&context, service, &want) {
            Ok(patches) => patches,
            Err(CannotMend { why }) => {
                last = (Some(configuration), Mended { cannot: vec![why], ..Mended::default() });
                continue;
            }
        };
        let after = |patches: &[Patch]| {
            let instead = apply(&context, patches)?;
            let client = judged.mended(configuration, service, &found.case.evidence.subject, &instead);
            client.as_ref().is_none_or(|client| has(client, change)).then_some((instead, client))
        };
        let Some((mut instead, mut client)) = after(&patches) else {
            let cannot = vec!["no line of it alone brings it back".to_owned()];
            last = (Some(configuration), Mended { cannot, ..Mended::default() });
            continue;
        };
        // A dialect says all of a range; what the client has of it without an edit stays as it is.
        let mut needed = patches;
        let mut at = 0;
        while needed.len() > 1 && client.is_some() && at < needed.len() {
            let mut fewer = needed.clone();
            fewer.remove(at);
            match after(&fewer) {
                Some(enough @ (_, Some(_))) => (needed, (instead, client)) = (fewer, enough),
                _ => at += 1,
            }
        }
        let after = client.map(|client| negotiate::negotiate(&client, &found.server));
        let after = after.filter(|after| !matches!(after, Negotiated::Unknown(_)));
        return (Some(configuration), Mended { edits: edits(survey, &instead), after, cannot: Vec::new() });
    }
    last
}

/// The range of the versions that a client offers, if any, and of those that it is to have.
fn versions_with(found: &Found<'_>, restriction: &Restriction, more: &[ProtocolVersion]) -> Option<Want> {
    let offers = if restriction.is_of_all() { &[][..] } else { &found.client.versions };
    let all = || offers.iter().chain(more);
    let (lowest, highest) = (all().min()?, all().max()?);
    Some(Want::Versions(VERSIONS.iter().copied().filter(|version| (lowest..=highest).contains(&version)).collect()))
}

/// What a client is to be given, in the terms that the dialects have for all: what a service is to have.
fn as_a_servers(change: &Change) -> Change {
    let modern = |suite: &CipherSuite| suite.details().is_some_and(|row| row.lowest >= ProtocolVersion::TLSV1_3);
    match change.clone() {
        Change::ClientSuites(suites) if suites.iter().all(modern) => Change::ServerSuites(ProtocolVersion::TLSV1_3, suites),
        Change::ClientSuites(suites) => {
            Change::ServerSuites(ProtocolVersion::TLSV1_2, suites.into_iter().filter(|suite| !modern(suite)).collect())
        }
        Change::ClientGroups(groups) => Change::ServerGroups(ProtocolVersion::TLSV1_3, groups),
        Change::ClientSchemes(schemes) => Change::ServerSchemes(ProtocolVersion::TLSV1_3, schemes),
        other => other,
    }
}

/// The edits that bring about what is wanted, without a look at what follows.
pub(crate) fn mend_plainly(configuration: &Configuration, service: &Service, want: &Want, survey: &Survey<'_>) -> Mended {
    let context = Context { files: &survey.files, main: &configuration.main };
    match (configuration.dialect.mend)(&context, service, want) {
        Ok(patches) => {
            let instead = apply(&context, &patches).unwrap_or_default();
            Mended { edits: edits(survey, &instead), ..Mended::default() }
        }
        Err(CannotMend { why }) => Mended { cannot: vec![why], ..Mended::default() },
    }
}

/// The edit of the file of certificates that makes the server send the chain it should.
pub(crate) fn mend_chain(fault: &CertificateFault, service: &Service, survey: &Survey<'_>) -> Mended {
    let none = Mended::default();
    let mendable = matches!(fault.objection.kind, ObjectionKind::Incomplete { .. } | ObjectionKind::Misordered);
    let Some(leaf) = fault.full_chain.first().filter(|_| mendable) else { return none };
    let holds_the_leaf = |path: &str| {
        let first = survey.files.bytes(path).map(chain::certificates_in).and_then(|ders| ders.into_iter().next());
        first.is_some_and(|der| *der == *leaf.der)
    };
    let own = service.settings.certificates.iter().find(|setting| holds_the_leaf(&setting.value));
    let Some(own) = own.map(|setting| setting.value.clone()) else { return none };
    // What is sent besides the leaf may lie in a file of its own.
    let (path, wanted) = match &service.settings.chain {
        Some(chain) => (chain.value.clone(), fault.full_chain.get(1..).unwrap_or_default()),
        None => (own, fault.full_chain.as_slice()),
    };
    let Some(old) = survey.files.bytes(&path) else { return none };
    let Some(new) = with_chain(old, wanted) else { return none };
    Mended { edits: edits(survey, &[changed(&path, new)]), ..none }
}

/// A file of certificates with just these, in this order; what else stands in it (a key, parameters) stays where it is.
fn with_chain(old: &[u8], wanted: &[Arc<Certificate>]) -> Option<Vec<u8>> {
    const BEGIN: &[u8] = b"-----BEGIN CERTIFICATE-----";
    const END: &[u8] = b"-----END CERTIFICATE-----";
    let find = |from: usize, what: &[u8]| {
        let rest = old.get(from..)?;
        rest.windows(what.len()).position(|window| window == what).map(|at| from + at)
    };
    let first = find(0, BEGIN)?;
    let last = old.windows(END.len()).rposition(|window| window == END)? + END.len();
    let there = chain::certificates_in(old);
    let newline = line_end(old);
    let pem = |certificates: &[Arc<Certificate>]| {
        let blocks: Vec<String> = certificates.iter().map(|certificate| pem(&certificate.der, newline)).collect();
        blocks.join(newline)
    };
    let known = there.iter().zip(wanted).take_while(|(there, wanted)| ***there == *wanted.der).count();
    let mut new = old.to_vec();
    if known == there.len() && known < wanted.len() {
        // The file is right as far as it goes.
        let more = format!("{newline}{}", pem(wanted.get(known..)?));
        new.splice(last..last, more.into_bytes());
    } else {
        // A key between the certificates would be lost with what lies between them.
        let between = old.get(first..last)?;
        if between.windows(11).any(|window| window == b"PRIVATE KEY") {
            return None;
        }
        new.splice(first..last, pem(wanted).into_bytes());
    }
    Some(new)
}

/// A certificate in PEM (RFC 7468), without a line end behind it.
fn pem(der: &[u8], newline: &str) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::with_capacity(der.len() * 4 / 3 + 64);
    for triple in der.chunks(3) {
        let byte = |at: usize| u32::from(triple.get(at).copied().unwrap_or(0));
        let bits = byte(0) << 16 | byte(1) << 8 | byte(2);
        for place in 0..4 {
            let sextet = (bits >> (18 - 6 * place) & 63) as usize;
            text.push(if place <= triple.len() { char::from(ALPHABET[sextet]) } else { '=' });
        }
    }
    let lines: Vec<&str> = (0..text.len()).step_by(64).map(|at| &text[at..text.len().min(at + 64)]).collect();
    format!("-----BEGIN CERTIFICATE-----{newline}{}{newline}-----END CERTIFICATE-----", lines.join(newline))
}

/// The changed files as edits of those that were read.
pub(crate) fn edits(survey: &Survey<'_>, instead: &[SeenFile]) -> Vec<Edit> {
    let mut edits = Vec::new();
    for file in instead {
        let (Some(old), tlswhy_model::FileContent::Bytes { bytes, .. }) = (survey.files.editable(&file.path), &file.content)
        else {
            continue;
        };
        for patch in between(&file.path, old, bytes) {
            let alone = patched(old, [&patch]).unwrap_or_default();
            edits.push(edit(&patch, old, &alone));
        }
    }
    edits
}

/// A patch as the report has it.
pub(crate) fn edit(patch: &Patch, old: &[u8], new: &[u8]) -> Edit {
    Edit {
        path: patch.path.clone(),
        start: patch.start as u64,
        end: patch.end as u64,
        new: patch.new.clone(),
        diff: unified(&patch.path, old, new),
    }
}

/// The files after these patches.
pub(crate) fn apply(context: &Context<'_>, patches: &[Patch]) -> Option<Vec<SeenFile>> {
    let mut paths: Vec<&str> = patches.iter().map(|patch| patch.path.as_str()).collect();
    paths.sort_unstable();
    paths.dedup();
    let file = |path: &str| {
        let of_file = patches.iter().filter(|patch| patch.path == path);
        Some(changed(path, patched(context.files.editable(path)?, of_file)?))
    };
    paths.into_iter().map(file).collect()
}

/// A change in the terms of configurations: what is in effect stays, what is wanted is added.
pub(crate) fn want(change: &Change, service: &Service, context: &Context<'_>) -> Option<Want> {
    let now = effective(service, context.files);
    match change {
        Change::ServerVersions(versions) => {
            // What is on stays on, however old: nobody is cut off. A hole would cut off those whose highest lies in it. Where the
            // library takes all of it away, nothing is on.
            let on = now.versions.is_none_or(|versions| !versions.is_empty());
            let mut all: Vec<ProtocolVersion> = if on { configured_versions(service) } else { Vec::new() };
            all.extend(versions);
            all.extend([ProtocolVersion::TLSV1_2, ProtocolVersion::TLSV1_3]);
            let (lowest, highest) = (*all.iter().min()?, *all.iter().max()?);
            Some(Want::Versions(VERSIONS.iter().copied().filter(|version| (lowest..=highest).contains(version)).collect()))
        }
        Change::ServerSuites(version, suites) if *version >= ProtocolVersion::TLSV1_3 => {
            Some(Want::CipherSuites(added(now.cipher_suites_13.unwrap_or_default(), suites)))
        }
        Change::ServerSuites(_, suites) => {
            let mut list: Vec<CipherSuite> = suites.clone();
            list.extend(now.cipher_suites.unwrap_or_default().into_iter().filter(|suite| !suites.contains(suite)));
            let level = service.settings.cipher_list.as_ref().and_then(|list| level_in(&list.value.text));
            Some(Want::CipherList(list, level))
        }
        Change::ServerGroups(_, groups) => {
            let there: Vec<NamedGroup> = now.groups.unwrap_or_default();
            let known: Vec<NamedGroup> = groups.iter().copied().filter(|group| knows(&service.library, *group)).collect();
            (!known.is_empty()).then(|| Want::Groups(added(there, &known)))
        }
        Change::ServerSchemes(_, schemes) => Some(Want::SignatureAlgorithms(added(now.signature_schemes?, schemes))),
        Change::ServerDhSize(_) => Some(Want::NoDhParameters),
        _ => None,
    }
}

/// Whether a library has a group: it refuses a list with a name that it does not know. What is not known counts as old.
pub(crate) fn knows(library: &Library, group: NamedGroup) -> bool {
    let since = |least: Release, release: &Option<Release>| release.is_some_and(|release| release >= least);
    let classic = [NamedGroup::SECP256R1, NamedGroup::SECP384R1, NamedGroup::SECP521R1];
    let hybrid = [NamedGroup::X25519MLKEM768, NamedGroup::SECP256R1MLKEM768, NamedGroup::SECP384R1MLKEM1024];
    match library {
        Library::OpenSsl(release) if hybrid.contains(&group) => since(Release::new(3, 5, 0), release),
        Library::OpenSsl(release) if group == NamedGroup::X448 => since(Release::new(1, 1, 1), release),
        Library::OpenSsl(release) if group == NamedGroup::X25519 => release.is_none() || since(Release::new(1, 1, 0), release),
        Library::OpenSsl(release) => classic.contains(&group) || since(Release::new(3, 0, 0), release),
        Library::Go(release) if group == NamedGroup::X25519MLKEM768 => since(Release::new(1, 24, 0), release),
        _ => classic.contains(&group) || group == NamedGroup::X25519,
    }
}

/// The versions that the lines name, whatever the library makes of them.
pub(crate) fn configured_versions(service: &Service) -> Vec<ProtocolVersion> {
    let settings = &service.settings;
    if let Some(versions) = &settings.versions {
        return versions.value.clone();
    }
    let (lowest, highest) = (settings.minimum_version.as_ref(), settings.maximum_version.as_ref());
    let (Some(lowest), Some(highest)) = (lowest, highest) else {
        return lowest.into_iter().map(|lowest| lowest.value).collect();
    };
    VERSIONS.iter().copied().filter(|version| (lowest.value..=highest.value).contains(version)).collect()
}

fn added<T: PartialEq + Copy>(mut there: Vec<T>, more: &[T]) -> Vec<T> {
    for one in more {
        if !there.contains(one) {
            there.push(*one);
        }
    }
    there
}

/// The number of `@SECLEVEL=` in a cipher string.
pub(crate) fn level_in(text: &str) -> Option<u8> {
    let (_, after) = text.split_once("@SECLEVEL=")?;
    after.chars().next()?.to_digit(10).and_then(|level| u8::try_from(level).ok())
}

/// The commands of a configuration's program, for an edit that is for one side.
pub(crate) fn commands(configuration: &Configuration, side: Side) -> tlswhy_config::Commands {
    configuration.dialect.commands_for(&configuration.main, side)
}
