//! How long it takes to judge one chain: for one client, and for every bundled client before every store; next to
//! rustls-webpki and to a run of `openssl verify`.

use std::fs;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, ServerName as DnsName, UnixTime};
use tlswhy_core::chain::{Certificate, Memo, PathPolicy, Purpose, ServerName, Situation, Store, judge_one};

use crate::pki::NAME;
use crate::server::{Lab, StartError};

/// A line of the table: what was done, and the best time of it.
pub type Line = (String, Duration);

/// Measures on the lab's usual chain (end entity, one intermediate, root as the anchor; RSA-2048).
///
/// # Errors
/// Where the lab's certificates cannot be read.
pub fn run(lab: &Lab) -> Result<Vec<Line>, StartError> {
    let read = |name: &str| -> Result<Vec<CertificateDer<'static>>, StartError> {
        let bytes = fs::read(lab.pki.join(name)).map_err(StartError::of)?;
        CertificateDer::pem_slice_iter(&bytes)
            .collect::<Result<_, _>>()
            .map_err(|error| StartError::of(std::io::Error::other(error)))
    };
    let (chain, roots) = (read("rsa.pem")?, read("ca.pem")?);
    let stores: Vec<Store> =
        ["system", "java", "given"].map(|name| Store::new(name, name, roots.iter().map(|der| der.to_vec()))).into();
    let clients = tlswhy_core::clients().map_err(|error| StartError::of(std::io::Error::other(error)))?;
    let now = seconds_now();
    let name = ServerName::Dns(NAME.to_owned());
    let once = |stores: &[Store], policies: &[PathPolicy]| -> usize {
        let mut signatures = Memo::default();
        let sent: Vec<Arc<Certificate>> = chain.iter().map(|der| Arc::new(Certificate::read(der))).collect();
        let names = sent.iter().map(|certificate| certificate.issuer.der.clone()).collect();
        let mut accepted = 0;
        for store in stores {
            let anchors = store.anchors(&names);
            for policy in policies {
                let situation = Situation {
                    sent: &sent,
                    known: &[],
                    anchors: &anchors,
                    policy,
                    name: Some(&name),
                    purpose: Purpose::Server,
                    now,
                    maximum_intermediates: None,
                    revocation_lists: &[],
                    ocsp: &[],
                };
                let judgement = judge_one(&situation, &mut signatures);
                accepted += usize::from(judgement.accepts());
            }
        }
        accepted
    };
    let policies: Vec<PathPolicy> = clients.iter().map(|client| PathPolicy::of(&client.policy)).collect();
    let one = &policies[..1.min(policies.len())];
    let mut lines = vec![
        ("one chain read and judged for one client".to_owned(), best(200, || once(&stores[..1], one))),
        (
            format!("one chain read and judged for {} clients and {} stores", policies.len(), stores.len()),
            best(50, || once(&stores, &policies)),
        ),
        ("rustls-webpki, one verification".to_owned(), best(200, || webpki_once(&chain, &roots))),
    ];
    let openssl = || {
        let mut command = Command::new("openssl");
        command.args(["verify", "-CAfile", "ca.pem", "-untrusted", "intermediate.pem", "rsa.leaf.pem"]);
        command.current_dir(&lab.pki).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        usize::from(command.status().is_ok_and(|status| status.success()))
    };
    lines.push(("openssl verify, whole process".to_owned(), best(20, openssl)));
    Ok(lines)
}

fn webpki_once(chain: &[CertificateDer<'static>], roots: &[CertificateDer<'static>]) -> usize {
    let anchors: Vec<_> = roots.iter().filter_map(|root| webpki::anchor_from_trusted_cert(root).ok()).collect();
    let Some(leaf) = chain.first() else { return 0 };
    let (Ok(leaf), Ok(name)) = (webpki::EndEntityCert::try_from(leaf), DnsName::try_from(NAME)) else { return 0 };
    let path = leaf.verify_for_usage(
        webpki::ALL_VERIFICATION_ALGS,
        &anchors,
        chain.get(1..).unwrap_or_default(),
        UnixTime::now(),
        webpki::KeyUsage::server_auth(),
        None,
        None,
    );
    usize::from(path.is_ok() && leaf.verify_is_valid_for_subject_name(&name).is_ok())
}

/// The best time of several runs; each must do what it is timed for.
fn best(runs: usize, run: impl Fn() -> usize) -> Duration {
    let mut best = Duration::MAX;
    for _ in 0..runs {
        let began = Instant::now();
        assert!(run() > 0, "nothing was accepted: there is nothing to time");
        best = best.min(began.elapsed());
    }
    best
}

fn seconds_now() -> i64 {
    UnixTime::now().as_secs().try_into().unwrap_or(i64::MAX)
}
