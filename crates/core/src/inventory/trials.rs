//! Weaknesses that show only when something is sent that ordinary clients do not send ([`Trial`]). Each is asked for once
//! nothing else is left to ask, so that a server which it harms has told everything before.

use tlswhy_model::{Awaited, Ending, HEARTBEAT, LONG_HEARTBEAT, Trial};
use tlswhy_wire::{AlertDescription, ProtocolVersion};

use super::asker::Asker;
use super::features::{Feature, heartbeat_extension, newest};
use super::{VersionInventory, old};
use crate::case::Seen;
use crate::negotiate::Support;

/// heartbeat_response (RFC 6520 §3).
const RESPONSE: u8 = 2;

/// A weakness that is tried for.
struct Weakness {
    code: &'static str,
    trial: Trial,
    purpose: &'static str,
    /// What the attempt shows.
    judge: fn(&Seen<'_>) -> Support,
}

static WEAKNESSES: &[Weakness] = &[
    // CVE-2014-0160.
    Weakness {
        code: "heartbleed",
        trial: Trial::Heartbeat,
        purpose: "whether it answers a heartbeat with more than it got",
        judge: heartbleed,
    },
    // CVE-2014-0224.
    Weakness {
        code: "early-ccs",
        trial: Trial::EarlyCipher,
        purpose: "whether it takes a ChangeCipherSpec before there are keys",
        judge: early_ccs,
    },
    // CVE-2011-1473.
    Weakness {
        code: "client-renegotiation",
        trial: Trial::Renegotiation,
        purpose: "whether clients may renegotiate",
        judge: renegotiation,
    },
];

/// All of them at the newest version below TLS 1.3; questions are noted in the case. Accepted means that the server has the weakness.
pub(super) fn take(asker: &Asker<'_, '_>, versions: &[VersionInventory], features: &[Feature]) -> Vec<Feature> {
    let old = newest(versions, |version| (ProtocolVersion::TLSV1_0..=ProtocolVersion::TLSV1_2).contains(&version));
    let asks_no_more = !asker.case.is_waiting();
    let has = |code: &str| features.iter().find(|feature| feature.code == code);
    let tried = WEAKNESSES.iter().map(|weakness| {
        let unknown = Feature { code: weakness.code, support: Support::Untested, attempt: None, says: None };
        let Some(old) = old.filter(|_| asks_no_more) else { return unknown };
        let mut hello = old::control(old.version, asker.server_name);
        if weakness.trial == Trial::Heartbeat {
            match has("heartbeat").filter(|heartbeat| heartbeat.support != Support::Accepted) {
                Some(heartbeat) => {
                    let says = "it has no heartbeat extension".to_owned();
                    let says = (heartbeat.support == Support::Refused).then_some(says);
                    return Feature { support: heartbeat.support, attempt: heartbeat.attempt, says, ..unknown };
                }
                None => hello = hello.with_extension(heartbeat_extension()),
            }
        }
        match asker.case.try_beyond(hello, asker.upgrade, weakness.trial, weakness.purpose) {
            Some(seen) => {
                let support = (weakness.judge)(seen);
                Feature { support, attempt: Some(seen.id()), says: Some(says(seen, support)), ..unknown }
            }
            None => unknown,
        }
    });
    tried.collect()
}

fn says(seen: &Seen<'_>, support: Support) -> String {
    match (seen.attempt.probe.trial, support) {
        (Some(Trial::Heartbeat), Support::Accepted) => {
            format!("to a heartbeat of {HEARTBEAT} bytes it answered with {LONG_HEARTBEAT}")
        }
        (Some(Trial::Heartbeat), Support::Refused) if seen.attempt.ending == Ending::Answered => {
            "it passed over a heartbeat that claims more than it has, and answered the next one".to_owned()
        }
        (Some(Trial::Renegotiation), Support::Accepted) => "it answered a second hello with a ServerHello".to_owned(),
        _ => seen.ending(),
    }
}

/// A server without the check answers with as many bytes as were claimed; one with it answers the next request alone.
fn heartbleed(seen: &Seen<'_>) -> Support {
    let noted = seen.attempt.application.as_deref().filter(|_| seen.attempt.ending == Ending::Answered);
    match noted {
        Some(&[RESPONSE, high, low, more, less]) => {
            let (claimed, has) = (u16::from_be_bytes([high, low]), u16::from_be_bytes([more, less]));
            match claimed {
                LONG_HEARTBEAT if has >= LONG_HEARTBEAT => Support::Accepted,
                HEARTBEAT => Support::Refused,
                _ => Support::Untested,
            }
        }
        _ if has_objected(seen) => Support::Refused,
        _ => Support::Untested,
    }
}

/// A server that took the first expects the second to be encrypted, and finds that it is not.
fn early_ccs(seen: &Seen<'_>) -> Support {
    let expected_encryption = [AlertDescription::BAD_RECORD_MAC, AlertDescription::DECRYPTION_FAILED];
    match &seen.attempt.ending {
        Ending::Alert { awaited: Awaited::Trial, description, .. } if expected_encryption.contains(description) => {
            Support::Accepted
        }
        Ending::Alert { awaited: Awaited::Trial, description: AlertDescription::UNEXPECTED_MESSAGE, .. } => Support::Refused,
        _ => Support::Untested,
    }
}

fn renegotiation(seen: &Seen<'_>) -> Support {
    if seen.attempt.ending == Ending::Answered && seen.decrypted.as_ref().is_some_and(|read| read.server_hello().is_some()) {
        Support::Accepted
    } else if has_objected(seen) {
        Support::Refused
    } else {
        Support::Untested
    }
}

/// Whether it ended the connection for what was tried; silence says nothing.
fn has_objected(seen: &Seen<'_>) -> bool {
    matches!(
        seen.attempt.ending,
        Ending::Alert { awaited: Awaited::Trial, .. }
            | Ending::Closed { awaited: Awaited::Trial }
            | Ending::Reset { awaited: Awaited::Trial }
    )
}

#[cfg(test)]
mod tests {
    use tlswhy_model::{Attempt, Bytes};

    use super::*;

    /// What OpenSSL 1.0.1e answered, which has all three weaknesses.
    fn recorded() -> Vec<Attempt> {
        serde_json::from_str(include_str!("../../tests/data/openssl-1.0.1e-trials.json")).unwrap()
    }

    fn judged(attempt: &Attempt) -> Support {
        let weakness = WEAKNESSES.iter().find(|weakness| Some(weakness.trial) == attempt.probe.trial).unwrap();
        (weakness.judge)(&Seen::read(attempt))
    }

    #[test]
    fn openssl_1_0_1e_has_them_all() {
        let recorded = recorded();
        assert_eq!(recorded.len(), WEAKNESSES.len());
        assert!(recorded.iter().all(|attempt| judged(attempt) == Support::Accepted));
    }

    #[test]
    fn silence_shows_nothing_and_another_end_than_the_expected_does_not_accuse() {
        for attempt in recorded() {
            let silence = Ending::TimedOut { awaited: Awaited::Trial, waited_ms: 3000 };
            let silent = Attempt { ending: silence, application: None, decrypted: None, ..attempt.clone() };
            assert_eq!(judged(&silent), Support::Untested);
            let before = Attempt { ending: Ending::Closed { awaited: Awaited::ServerHello }, ..silent };
            assert_eq!(judged(&before), Support::Untested);
            let closed = Attempt { ending: Ending::Closed { awaited: Awaited::Trial }, ..before };
            // Who closes after a ChangeCipherSpec may have taken it or not.
            let is_told = attempt.probe.trial != Some(Trial::EarlyCipher);
            assert_eq!(judged(&closed), if is_told { Support::Refused } else { Support::Untested });
        }
    }

    #[test]
    fn a_heartbeat_that_claims_more_than_it_has_is_no_proof() {
        let heartbeat = recorded().into_iter().find(|attempt| attempt.probe.trial == Some(Trial::Heartbeat)).unwrap();
        for (noted, support) in [
            (vec![2, 0, 32, 0, 32], Support::Accepted),
            (vec![2, 0, 32, 0, 16], Support::Untested),
            (vec![2, 0, 16, 0, 32], Support::Refused),
            (vec![2, 0], Support::Untested),
        ] {
            let attempt = Attempt { application: Some(Bytes(noted)), ..heartbeat.clone() };
            assert_eq!(judged(&attempt), support);
        }
    }
}
