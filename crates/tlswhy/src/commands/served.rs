//! Certificates into files: as they came, or as a server ought to send them.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::sync::Arc;

use tlswhy_core::chain::{
    self, Anchor, Certificate, Known, Objection, ObjectionKind, Order, PathPolicy, Purpose, Situation, Store,
};

use super::check::note;
use crate::exit::Failure;
use crate::output::Output;
use crate::render::chain::base64;

/// Columns of base64 in PEM (RFC 7468 §2).
const PEM_COLUMNS: usize = 64;

/// Fails where the file exists and must not be replaced. Devices and pipes are written to.
pub(super) fn may_write(path: Option<&Path>, force: bool) -> Result<(), Failure> {
    match path {
        Some(path) if !force && fs::metadata(path).is_ok_and(|existing| existing.is_file()) => {
            Err(Failure::new(format!("{} exists", path.display())).tip("--force replaces it"))
        }
        _ => Ok(()),
    }
}

/// Writes certificates as PEM, whole or not at all; not to be written to by everybody.
pub(super) fn write_pem<'a>(path: &Path, certificates: impl Iterator<Item = &'a [u8]>) -> Result<(), Failure> {
    let text: String = certificates.map(pem).collect();
    let mut output = Output::open(Some(path))?;
    output.keep_from_the_world(path)?;
    output.write(|out| out.write_all(text.as_bytes()))?;
    output.finish()
}

fn pem(der: &[u8]) -> String {
    let code = base64(der);
    let mut text = String::from("-----BEGIN CERTIFICATE-----\n");
    for line in code.as_bytes().chunks(PEM_COLUMNS) {
        text.extend(line.iter().copied().map(char::from));
        text.push('\n');
    }
    text + "-----END CERTIFICATE-----\n"
}

/// Subjects and issuers of certificates: the anchors of these names bear on them.
pub(super) fn names<'a>(certificates: impl Iterator<Item = &'a Arc<Certificate>>) -> BTreeSet<Vec<u8>> {
    certificates.flat_map(|certificate| [certificate.issuer.der.clone(), certificate.subject.der.clone()]).collect()
}

/// The chain that a server ought to send with the first of these certificates: the end entity, its intermediates, no root. It
/// was built, and then judged anew for a client that minds every order and has nothing but the anchors. The text is what is
/// still wrong with it.
fn full_chain(
    sent: &[Arc<Certificate>],
    known: &[Known],
    stores: &[&Store],
    policy: &PathPolicy,
    now: i64,
) -> Result<(Vec<Arc<Certificate>>, Vec<String>), Failure> {
    let names = names(sent.iter().chain(known.iter().map(|known| &known.certificate)));
    for store in stores {
        let anchors = store.anchors(&names);
        let judgement = chain::judge(&situation(sent, known, &anchors, policy, now));
        let Some(full) = chain::full_chain(&judgement) else { continue };
        let exact = PathPolicy { order: Order::Exact, finds_intermediates: false, ..policy.clone() };
        let objections = chain::judge(&situation(&full, &[], &anchors, &exact, now)).objections;
        if objections.iter().any(stops_the_path) {
            continue;
        }
        return Ok((full, objections.iter().map(|objection| objection.kind.says(&objection.subject)).collect()));
    }
    Err(Failure::new("no chain is written: no path leads from these certificates to a trusted root")
        .tip("--known FILE or --aia adds missing intermediates, --ca FILE names the root"))
}

/// Writes that chain, and says what is still wrong with it.
pub(super) fn save_chain(
    path: &Path,
    sent: &[Arc<Certificate>],
    known: &[Known],
    stores: &[&Store],
    policy: &PathPolicy,
    now: i64,
) -> Result<(), Failure> {
    let (chain, still_wrong) = full_chain(sent, known, stores, policy, now)?;
    write_pem(path, chain.iter().map(|certificate| &*certificate.der))?;
    let count = chain.len();
    let plural = if count == 1 { "" } else { "s" };
    note(&format!("{} holds the chain to serve: {count} certificate{plural}", path.display()));
    still_wrong.iter().for_each(|fault| note(&format!("it still has a fault: {fault}")));
    Ok(())
}

fn situation<'a>(
    sent: &'a [Arc<Certificate>],
    known: &'a [Known],
    anchors: &'a [Anchor],
    policy: &'a PathPolicy,
    now: i64,
) -> Situation<'a> {
    Situation {
        sent,
        known,
        anchors,
        policy,
        name: None,
        purpose: Purpose::Server,
        now,
        maximum_intermediates: None,
        revocation_lists: &[],
        ocsp: &[],
    }
}

/// Whether another selection of certificates could be what is wanted. Time, strength and use are those of the certificates.
fn stops_the_path(objection: &Objection) -> bool {
    matches!(
        objection.kind,
        ObjectionKind::Malformed { .. }
            | ObjectionKind::Incomplete { .. }
            | ObjectionKind::Misordered
            | ObjectionKind::Untrusted { .. }
            | ObjectionKind::BadSignature { .. }
            | ObjectionKind::NotCa { .. }
            | ObjectionKind::PathTooLong { .. }
            | ObjectionKind::NameConstraints { .. }
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pem_has_lines_of_64_columns() {
        let text = pem(&[0x30; 100]);
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines.first(), Some(&"-----BEGIN CERTIFICATE-----"));
        assert_eq!(lines.last(), Some(&"-----END CERTIFICATE-----"));
        assert_eq!(lines.iter().map(|line| line.len()).collect::<Vec<_>>(), [27, 64, 64, 8, 25]);
    }

    #[test]
    fn a_file_is_replaced_only_where_that_was_said() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("chain.pem");
        assert!(may_write(Some(&path), false).is_ok() && may_write(None, false).is_ok());
        write_pem(&path, [&[1, 2][..], &[3]].into_iter()).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap().matches("BEGIN").count(), 2);
        assert!(may_write(Some(&path), false).is_err() && may_write(Some(&path), true).is_ok());
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o022, 0);
        }
    }
}
