//! The server's signature in recorded handshakes.

#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout, reason = "a test stops at what it did not expect")]

use std::path::Path;

use tlswhy_core::chain::handshake::{Proof, proof};
use tlswhy_model::{Attempt, Evidence};
use tlswhy_wire::{ProtocolVersion, Transcript};

fn judged(attempt: &Attempt) -> Proof {
    let plain = Transcript::of_server(&attempt.received);
    let decrypted = attempt.decrypted.as_ref().map(|bytes| Transcript::of_decrypted(bytes, ProtocolVersion::TLSV1_3));
    proof(attempt, &plain, decrypted.as_ref())
}

/// The same attempt with the last byte of the signature changed.
fn tampered(attempt: &Attempt) -> Attempt {
    let mut changed = attempt.clone();
    let plain = Transcript::of_server(&attempt.received);
    let in_plain = plain.messages.iter().find(|message| matches!(message.value, tlswhy_wire::Message::ServerKeyExchange(_)));
    if let Some(message) = in_plain {
        changed.received.0[message.span.end - 1] ^= 1;
    } else if let Some(bytes) = &mut changed.decrypted {
        let read = Transcript::of_decrypted(&bytes.0, ProtocolVersion::TLSV1_3);
        let shown = read.messages.iter().find(|message| matches!(message.value, tlswhy_wire::Message::CertificateVerify(_)));
        bytes.0[shown.unwrap().span.end - 1] ^= 1;
    }
    changed
}

#[test]
fn recorded_signatures_hold_and_changed_ones_do_not() {
    let (mut holds, mut not_shown, mut open) = (0, 0, std::collections::BTreeMap::new());
    let mut versions = std::collections::BTreeMap::new();
    for cause in std::fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases")).unwrap() {
        for case in std::fs::read_dir(cause.unwrap().path()).unwrap() {
            let file = case.unwrap().path().join("evidence.json");
            let evidence: Evidence = serde_json::from_str(&std::fs::read_to_string(&file).unwrap()).unwrap();
            for attempt in &evidence.attempts {
                match judged(attempt) {
                    Proof::Holds => {
                        holds += 1;
                        let plain = Transcript::of_server(&attempt.received);
                        *versions.entry(plain.server_hello().unwrap().selected_version.value.to_string()).or_insert(0) += 1;
                        assert_eq!(judged(&tampered(attempt)), Proof::Broken, "{} attempt {}", file.display(), attempt.id);
                    }
                    // That is what this case is about.
                    Proof::Broken if file.to_string_lossy().contains("certificate-key-mismatch/found") => {}
                    Proof::Broken => panic!("{} attempt {}", file.display(), attempt.id),
                    Proof::NotShown => not_shown += 1,
                    Proof::CannotTell(why) => *open.entry(why).or_insert(0) += 1,
                }
            }
        }
    }
    println!("{holds} hold {versions:?}, {not_shown} show none, not told: {open:#?}");
    assert!(
        versions.get("TLSv1.2").is_some_and(|count| *count > 10) && versions.get("TLSv1.3").is_some_and(|count| *count > 10)
    );
}
