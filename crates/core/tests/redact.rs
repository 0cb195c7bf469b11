//! Evidence that was redacted names nobody, in whatever form, and can still be judged.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test stops at what it did not expect")]

mod common;

use std::collections::BTreeSet;
use std::net::IpAddr;

use common::{case_folders, read_evidence, replay_alone};
use serde_json::Value;
use tlswhy_core::redact;
use tlswhy_model::{Bytes, Ending, Evidence, Exchange, Opening, Resolution, Speaker};
use tlswhy_wire::Transcript;
use x509_parser::prelude::{FromDer, GeneralName, X509Certificate, X509Name};

#[test]
fn no_name_of_a_recorded_case_is_left() {
    for folder in case_folders() {
        let evidence = read_evidence(&folder);
        let names = names(&evidence);
        assert!(!names.is_empty() || evidence.attempts.iter().all(|attempt| certificates(attempt).is_empty()), "{names:?}");
        assert_gone(&redact(evidence), &names, &folder.display().to_string());
    }
}

#[test]
fn a_redacted_case_is_judged_as_before() {
    for folder in case_folders() {
        let mut evidence = read_evidence(&folder);
        // Configurations are taken out whole: what they tell is told no more.
        evidence.configurations.clear();
        let before = replay_alone(&evidence);
        let redacted = redact(evidence);
        // Through the file format, as it is mailed.
        let text = serde_json::to_string(&redacted).unwrap();
        let redacted: Evidence = serde_json::from_str(&text).unwrap();
        assert!(redacted.redacted);
        let after = replay_alone(&redacted);
        let of = folder.display();
        // Of the certificates nothing can be said any more but that.
        let of_certificates = |code: &str| {
            tlswhy_core::CAUSES.iter().any(|cause| cause.code == code && cause.stage == tlswhy_model::Stage::Authenticate)
        };
        let codes = |report: &tlswhy_model::Report| {
            let codes = report.findings.iter().map(|one| one.cause.clone());
            codes.filter(|code| !of_certificates(code)).collect::<Vec<_>>()
        };
        assert_eq!(codes(&after), codes(&before), "{of}");
        if before.root_cause.as_deref().is_some_and(of_certificates) {
            let open = |question: &tlswhy_model::OpenQuestion| question.question.contains("Their names were taken out");
            assert!(after.open_questions.iter().any(open), "{of}: {}", after.summary);
        } else {
            assert_eq!(after.root_cause, before.root_cause, "{of}");
        }
        common::check_report(&after, &of.to_string());
    }
}

#[test]
fn redacting_twice_is_redacting_once() {
    for folder in case_folders() {
        let once = redact(read_evidence(&folder));
        assert_eq!(redact(once.clone()), once, "{}", folder.display());
    }
}

#[test]
fn lengths_and_endings_stay() {
    for folder in case_folders() {
        let evidence = read_evidence(&folder);
        let redacted = redact(evidence.clone());
        assert_eq!(evidence.attempts.len(), redacted.attempts.len());
        for (before, after) in evidence.attempts.iter().zip(&redacted.attempts) {
            let lengths = |one: &tlswhy_model::Attempt| {
                (one.sent.len(), one.received.len(), one.decrypted.as_ref().map(|bytes| bytes.len()))
            };
            assert_eq!(lengths(before), lengths(after), "{}", folder.display());
            assert_eq!(std::mem::discriminant(&before.ending), std::mem::discriminant(&after.ending));
        }
    }
}

/// A name and an address in every place where they can stand.
#[test]
fn no_place_is_forgotten() {
    let (name, v4, v6) = ("Mail.Secret-Host.example", "10.20.30.40", "fd12:3456::7");
    let folder = case_folders().into_iter().find(|folder| folder.ends_with("starttls-required/found-imap")).unwrap();
    let mut evidence = read_evidence(&folder);
    evidence.subject.host = name.to_owned();
    evidence.subject.target = format!("imap://{name}");
    evidence.subject.server_name = Some(name.to_owned());
    evidence.subject.address = Some(format!("{v4}:143"));
    evidence.subject.via = Some(format!("http://proxy.{name}:3128"));
    evidence.resolution = Some(Resolution {
        host: name.to_owned(),
        addresses: [v4, v6].iter().map(|address| address.parse::<IpAddr>().unwrap()).collect(),
        error: Some(format!("{name} is not known")),
        elapsed_ms: 1.0,
    });
    for (index, attempt) in evidence.attempts.iter_mut().enumerate() {
        let address = if index % 2 == 0 { v4 } else { v6 };
        attempt.probe.host = name.to_owned();
        attempt.probe.address = Some(address.parse().unwrap());
        attempt.address = Some(std::net::SocketAddr::new(address.parse().unwrap(), 143).to_string());
        attempt.dialogue.push(Exchange {
            from: Speaker::Server,
            bytes: Bytes(format!("220 {} ready\r\n", name.to_uppercase()).into_bytes()),
        });
        attempt.ending = match index {
            0 => Ending::NotTls { protocol: None, upgrade: None, detail: format!("220 {name} ready") },
            1 => Ending::UpgradeRefused { reason: format!("no TLS at {name}") },
            2 => Ending::TunnelRefused { reason: format!("cannot reach {name}") },
            _ => attempt.ending.clone(),
        };
        if index == 3 {
            attempt.probe.opening =
                Opening::Plain { request: Bytes(format!("GET / HTTP/1.1\r\nHost: {name}\r\n").into_bytes()) };
            attempt.application = Some(Bytes(format!("HTTP/1.1 301\r\nLocation: https://{name}/\r\n").into_bytes()));
        }
    }
    let mut gone = names(&evidence);
    gone.extend([name, v4, v6].map(str::to_owned));
    let redacted = redact(evidence);
    assert_gone(&redacted, &gone, "all places");
    // The addresses can still be told apart.
    let addresses: BTreeSet<_> = redacted.attempts.iter().map(|attempt| attempt.probe.address).collect();
    assert_eq!(addresses.len(), 2);
}

/// The names that the evidence holds, read from its subject and from the certificates by themselves.
fn names(evidence: &Evidence) -> BTreeSet<String> {
    let subject = &evidence.subject;
    let mut names: BTreeSet<String> =
        [Some(&subject.host), subject.server_name.as_ref()].into_iter().flatten().cloned().collect();
    for der in evidence.attempts.iter().flat_map(certificates) {
        let (_, certificate) = X509Certificate::from_der(&der).unwrap();
        names.extend(attributes(certificate.subject()));
        names.extend(attributes(certificate.issuer()));
        if let Ok(Some(extension)) = certificate.subject_alternative_name() {
            names.extend(extension.value.general_names.iter().filter_map(|name| match name {
                GeneralName::DNSName(name) | GeneralName::RFC822Name(name) | GeneralName::URI(name) => Some((*name).to_owned()),
                _ => None,
            }));
        }
    }
    names.retain(|name| name.parse::<IpAddr>().is_err());
    names
}

fn attributes(name: &X509Name<'_>) -> Vec<String> {
    let texts = name.iter_attributes().filter_map(|attribute| attribute.as_str().ok());
    // A country is no name.
    texts.filter(|text| text.len() > 2).map(str::to_owned).collect()
}

fn certificates(attempt: &tlswhy_model::Attempt) -> Vec<Vec<u8>> {
    let plain = Transcript::of_server(&attempt.received);
    let decrypted =
        attempt.decrypted.as_ref().map(|bytes| Transcript::of_decrypted(bytes, tlswhy_wire::ProtocolVersion::TLSV1_3));
    let lists = [Some(&plain), decrypted.as_ref()].into_iter().flatten().filter_map(Transcript::certificate);
    lists.flat_map(|list| list.value.entries.iter().map(|entry| entry.value.clone()).collect::<Vec<_>>()).collect()
}

/// None of the words stands in any text, or in the bytes that a text is the hexadecimal of.
fn assert_gone(evidence: &Evidence, words: &BTreeSet<String>, of: &str) {
    fn walk(value: &Value, words: &BTreeSet<String>, of: &str) {
        match value {
            Value::String(text) => {
                let bytes = Bytes::from_hex(text).unwrap_or_default();
                for word in words {
                    let found = [text.as_bytes(), &bytes].iter().any(|place| contains(place, word.as_bytes()));
                    assert!(!found, "{of}: {word} is left in {text}");
                }
            }
            Value::Array(items) => items.iter().for_each(|item| walk(item, words, of)),
            Value::Object(map) => map.values().for_each(|item| walk(item, words, of)),
            _ => {}
        }
    }
    let mut value = serde_json::to_value(evidence).unwrap();
    // Profiles and our own name are no secrets of the one who redacts.
    for key in ["clients", "tool"] {
        value.as_object_mut().unwrap().remove(key);
    }
    walk(&value, words, of);
}

fn contains(place: &[u8], word: &[u8]) -> bool {
    place.windows(word.len()).any(|window| window.eq_ignore_ascii_case(word))
}

/// A target that is an address: it stands in requests, in greetings and in certificates.
#[test]
fn addresses_in_texts_and_bytes_are_no_exception() {
    let folder = case_folders().into_iter().find(|folder| folder.ends_with("starttls-required/found-imap")).unwrap();
    let mut evidence = read_evidence(&folder);
    evidence.subject.host = "10.20.30.40".to_owned();
    evidence.subject.server_name = None;
    let attempt = &mut evidence.attempts[0];
    attempt.probe.address = Some("10.20.30.40".parse().unwrap());
    attempt.probe.opening = Opening::Plain { request: Bytes(b"GET / HTTP/1.1\r\nHost: 10.20.30.40\r\n".to_vec()) };
    attempt.sent = Bytes(b"GET / HTTP/1.1\r\nHost: 10.20.30.40\r\n".to_vec());
    attempt.dialogue.push(Exchange { from: Speaker::Server, bytes: Bytes(b"220 [10.20.30.40] ready\r\n".to_vec()) });
    attempt.ending = Ending::NotTls { protocol: None, upgrade: None, detail: "220 [10.20.30.40] ready".to_owned() };
    assert_gone(&redact(evidence), &BTreeSet::from(["10.20.30.40".to_owned()]), "an address");
}
