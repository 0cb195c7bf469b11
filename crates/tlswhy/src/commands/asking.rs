//! The certificates of a server, one connection for each kind of key; and what lies at the addresses that they name.

use std::net::IpAddr;
use std::time::Instant;

use tlswhy_core::Family;
use tlswhy_core::knowledge::controls;
use tlswhy_gather::Live;
use tlswhy_model::{Answer, Asked, Attempt, Depth, Ending, Fetched, Opening, Probe, Question, Resolution, Subject};
use tlswhy_wire::{Authentication, ExtensionSpec, HelloSpec, ProtocolVersion, SignatureScheme, Transcript};

use super::connect;
use super::examine::Interrupted;
use crate::cli::Connection;
use crate::exit::Failure;
use crate::progress::Progress;
use crate::render::words;

/// Addresses that are tried one after another, where connections do not come about.
const MOST_ADDRESSES: usize = 3;

/// The kinds of keys, with what a client says that can verify nothing else.
const KINDS: [(&str, &[SignatureScheme]); 3] = [
    (
        "RSA",
        &[
            SignatureScheme::RSA_PSS_RSAE_SHA256,
            SignatureScheme::RSA_PSS_RSAE_SHA384,
            SignatureScheme::RSA_PSS_RSAE_SHA512,
            SignatureScheme::RSA_PSS_PSS_SHA256,
            SignatureScheme::RSA_PSS_PSS_SHA384,
            SignatureScheme::RSA_PSS_PSS_SHA512,
            SignatureScheme::RSA_PKCS1_SHA256,
            SignatureScheme::RSA_PKCS1_SHA384,
            SignatureScheme::RSA_PKCS1_SHA512,
            SignatureScheme::RSA_PKCS1_SHA1,
        ],
    ),
    (
        "ECDSA",
        &[
            SignatureScheme::ECDSA_SECP256R1_SHA256,
            SignatureScheme::ECDSA_SECP384R1_SHA384,
            SignatureScheme::ECDSA_SECP521R1_SHA512,
            SignatureScheme::ECDSA_SHA1,
        ],
    ),
    ("EdDSA", &[SignatureScheme::ED25519, SignatureScheme::ED448]),
];

/// The certificates of one connection, or of a file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Presented {
    /// The kinds of keys that a client with no other gets these for; empty for a file.
    pub(super) kinds: Vec<&'static str>,
    /// DER, as they came.
    pub(super) certificates: Vec<Vec<u8>>,
    /// The stapled OCSP response of the first, DER.
    pub(super) staple: Option<Vec<u8>>,
}

/// What a server shows.
#[derive(Debug, Default)]
pub(super) struct Shown {
    /// Each chain once.
    pub(super) chains: Vec<Presented>,
    /// What it shows to a client that names no server, where that is something else.
    pub(super) without_name: Option<Presented>,
    /// Address and port connected to.
    pub(super) address: Option<String>,
}

/// Asks a server for its certificates.
pub(super) async fn ask(
    subject: &Subject,
    connection: &Connection,
    live: &Live,
    interrupted: &Interrupted,
) -> Result<Shown, Failure> {
    let progress = Progress::start(&subject.target);
    let started = Instant::now();
    let mut failed = None;
    for address in addresses(subject, connection, live, interrupted, started).await? {
        let batch = questions(subject, address);
        progress.asking(&batch);
        let mut attempts = Vec::new();
        for answer in answers(live, batch, started, interrupted).await? {
            if let Answer::Attempted(attempt) = answer {
                attempts.push(*attempt);
            }
        }
        let shown = shown(subject, &attempts);
        if !shown.chains.is_empty() {
            return Ok(shown);
        }
        let reached = attempts.iter().find(|attempt| !is_unreachable(&attempt.ending));
        let said = reached.or(attempts.first()).map(words::ended);
        let is_final = reached.is_some();
        failed = said.or(failed);
        if is_final {
            break;
        }
    }
    let why = failed.unwrap_or_else(|| "it has no address".to_owned());
    Err(Failure::new(format!("{} shows no certificate: {why}", subject.target))
        .tip(format!("`tlswhy check {}` says why", subject.target)))
}

/// Fetches what lies at these addresses, in their order.
pub(super) async fn fetch(
    live: &Live,
    wanted: Vec<(String, Option<Vec<u8>>)>,
    interrupted: &Interrupted,
) -> Result<Vec<Fetched>, Failure> {
    let question = |(place, (url, request)): (usize, (String, Option<Vec<u8>>))| Asked {
        id: u32::try_from(place).unwrap_or(u32::MAX),
        round: 1,
        purpose: format!("what lies at {url}"),
        question: Question::Fetch { url, request: request.map(tlswhy_model::Bytes) },
    };
    let batch: Vec<Asked> = wanted.into_iter().enumerate().map(question).collect();
    let fetched = answers(live, batch, Instant::now(), interrupted).await?.into_iter().filter_map(|answer| match answer {
        Answer::Fetched(fetched) => Some(fetched),
        _ => None,
    });
    Ok(fetched.collect())
}

async fn answers(live: &Live, batch: Vec<Asked>, started: Instant, interrupted: &Interrupted) -> Result<Vec<Answer>, Failure> {
    tokio::select! {
        answers = live.ask(batch, started) => Ok(answers.into_iter().map(|(_, answer)| answer).collect()),
        () = interrupted.wait() => Err(Failure::new("interrupted")),
    }
}

/// The addresses to try; `None` stands for a proxy that resolves the name.
async fn addresses(
    subject: &Subject,
    connection: &Connection,
    live: &Live,
    interrupted: &Interrupted,
    started: Instant,
) -> Result<Vec<Option<IpAddr>>, Failure> {
    if connection.address.is_some() {
        return Ok(vec![connection.address]);
    }
    if live.proxy.is_some() {
        return Ok(vec![None]);
    }
    let question = Question::Resolve { host: subject.host.clone() };
    let asked = Asked { id: 1, round: 1, question, purpose: "the addresses of the name".to_owned() };
    let found = answers(live, vec![asked], started, interrupted).await?.into_iter().next();
    let Some(Answer::Resolved(Resolution { addresses, error, .. })) = found else {
        return Err(Failure::new(format!("the name {} cannot be resolved", subject.host)));
    };
    let wanted = |address: &IpAddr| match connect::family(connection) {
        Some(Family::V4) => address.is_ipv4(),
        Some(Family::V6) => address.is_ipv6(),
        None => true,
    };
    let usable: Vec<_> = addresses.into_iter().filter(wanted).take(MOST_ADDRESSES).map(Some).collect();
    if usable.is_empty() {
        let why = error.unwrap_or_else(|| "it has no address of the family that is wanted".to_owned());
        return Err(Failure::new(format!("{} cannot be reached: {why}", subject.host)));
    }
    Ok(usable)
}

/// One connection for each kind of key, and one without a server name.
fn questions(subject: &Subject, address: Option<IpAddr>) -> Vec<Asked> {
    let name = subject.server_name.as_deref();
    let mut hellos: Vec<(String, HelloSpec)> = KINDS
        .iter()
        .map(|(kind, schemes)| (format!("the certificates for clients with {kind}"), hello(name, Some(schemes))))
        .collect();
    if name.is_some() {
        hellos.push(("the certificates for clients without SNI".to_owned(), hello(None, None)));
    }
    let question = |(place, (purpose, hello)): (usize, (String, HelloSpec))| Asked {
        id: u32::try_from(place).unwrap_or(u32::MAX),
        round: 1,
        purpose,
        question: Question::Probe(Box::new(Probe {
            host: subject.host.clone(),
            port: subject.port,
            address,
            upgrade: subject.upgrade.clone(),
            opening: Opening::Hello { hello },
            depth: Depth::Flight,
            with_identity: false,
            trial: None,
            repetition: 0,
        })),
    };
    hellos.into_iter().enumerate().map(question).collect()
}

/// A hello that offers TLS 1.0 to 1.3 and verifies only these signatures; those of the issuers may be of any kind.
fn hello(server_name: Option<&str>, schemes: Option<&[SignatureScheme]>) -> HelloSpec {
    let old = controls::tls12(server_name);
    let all = old.signature_schemes().unwrap_or_default();
    let mut suites = controls::suites_for(ProtocolVersion::TLSV1_3);
    let wants_rsa = schemes.is_none_or(|schemes| schemes.contains(&SignatureScheme::RSA_PKCS1_SHA256));
    let wants_ecdsa = schemes.is_none_or(|schemes| !schemes.contains(&SignatureScheme::RSA_PKCS1_SHA256));
    suites.extend(old.cipher_suites.iter().copied().filter(|suite| {
        suite.details().is_none_or(|row| match row.authentication {
            Authentication::Rsa => wants_rsa,
            Authentication::Ecdsa => wants_ecdsa,
            _ => schemes.is_none(),
        })
    }));
    let versions = [ProtocolVersion::TLSV1_3, ProtocolVersion::TLSV1_2, ProtocolVersion::TLSV1_1, ProtocolVersion::TLSV1_0];
    let hello = old.with_versions(&versions).with_suites(suites).with_extension(ExtensionSpec::StatusRequest);
    match schemes {
        Some(schemes) => hello.with_signature_schemes(schemes).with_extension(ExtensionSpec::SignatureAlgorithmsCert(all)),
        None => hello,
    }
}

/// What the attempts showed, each chain once.
fn shown(subject: &Subject, attempts: &[Attempt]) -> Shown {
    let mut shown = Shown::default();
    for (place, attempt) in attempts.iter().enumerate() {
        let Some(mut presented) = presented(attempt) else { continue };
        shown.address = shown.address.or_else(|| attempt.address.clone());
        let same = |known: &&mut Presented| known.certificates == presented.certificates;
        match (KINDS.get(place), shown.chains.iter_mut().find(same)) {
            (Some((kind, _)), Some(known)) => known.kinds.push(kind),
            (Some((kind, _)), None) => {
                presented.kinds.push(kind);
                shown.chains.push(presented);
            }
            (None, Some(_)) => {}
            (None, None) => shown.without_name = Some(presented),
        }
    }
    if shown.chains.is_empty() && subject.server_name.is_some() {
        // The name asked for is refused: what is shown without one is not its chain.
        shown.without_name = None;
    }
    shown
}

/// The certificates of one attempt.
pub(super) fn presented(attempt: &Attempt) -> Option<Presented> {
    let plain = Transcript::of_server(&attempt.received);
    let decrypted = attempt.decrypted.as_ref().map(|bytes| Transcript::of_decrypted(bytes, ProtocolVersion::TLSV1_3));
    let list = plain.certificate().or_else(|| decrypted.as_ref().and_then(Transcript::certificate))?;
    let certificates: Vec<Vec<u8>> = list.value.entries.iter().map(|entry| entry.value.clone()).collect();
    let staple = list.value.stapled_ocsp(0).or_else(|| plain.stapled_ocsp());
    (!certificates.is_empty()).then_some(Presented { kinds: Vec::new(), certificates, staple })
}

fn is_unreachable(ending: &Ending) -> bool {
    matches!(ending, Ending::Refused | Ending::Unreachable { .. } | Ending::ConnectTimedOut { .. } | Ending::Impossible { .. })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_hello_offers_all_versions_and_one_kind_of_key() {
        for (kind, schemes) in KINDS {
            let hello = hello(Some("a.example.test"), Some(schemes));
            assert_eq!(hello.offered_versions().len(), 4, "{kind}");
            assert_eq!(hello.signature_schemes().as_deref(), Some(schemes), "{kind}");
            assert!(!hello.key_shares().is_empty() && hello.real_suites().len() > 10, "{kind}");
            assert!(hello.message_length() < 1400, "{kind}: {}", hello.message_length());
        }
    }
}
