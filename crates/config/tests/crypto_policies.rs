//! Policies beside crypto-policies itself: what it wrote for OpenSSL of policies made at random, kept in `crypto_policies/`.
//! `TLSWHY_CRYPTO_POLICIES=CHECKOUT` asks any copy of its sources, with the policies that it ships.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test stops at what it did not expect"
)]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use tlswhy_config::language::names;
use tlswhy_config::language::openssl_ciphers::{Library, cipher_list};
use tlswhy_config::{Context, Files, Reading, Release, dialect};
use tlswhy_model::{FileContent, InstalledSoftware, SeenFile};

const BASE: &str = "/etc/crypto-policies";

/// One policy, and what the program makes of it.
struct Answer {
    config: String,
    files: BTreeMap<String, String>,
    /// `None` where it refuses the policy.
    opensslcnf: Option<String>,
}

fn answers(text: &str) -> Vec<Answer> {
    let all: serde_json::Value = serde_json::from_str(text).unwrap();
    let text = |value: &serde_json::Value| value.as_str().map(str::to_owned);
    let answer = |one: &serde_json::Value| Answer {
        config: text(&one["config"]).unwrap(),
        files: one["files"].as_object().unwrap().iter().map(|(name, value)| (name.clone(), text(value).unwrap())).collect(),
        opensslcnf: text(&one["opensslcnf"]),
    };
    all.as_array().unwrap().iter().map(answer).collect()
}

impl Answer {
    /// Reads it as it would lie on a machine, with this back-end.
    fn read(&self, back_end: &str) -> Reading {
        let mut all: BTreeMap<String, String> =
            self.files.iter().map(|(name, text)| (format!("{BASE}/{name}"), text.clone())).collect();
        all.insert(format!("{BASE}/config"), format!("{}\n", self.config));
        all.insert(format!("{BASE}/state/current"), format!("{}\n", self.config));
        all.insert(format!("{BASE}/back-ends/opensslcnf.config"), back_end.to_owned());
        let mut seen: Vec<SeenFile> = Vec::new();
        let mut software: Vec<InstalledSoftware> = Vec::new();
        loop {
            let files = Files::new(&seen, &software);
            let main = format!("{BASE}/config");
            let reading = dialect("crypto-policies").unwrap().reading(&Context { files: &files, main: &main });
            let (wanted, products) = (files.wanted(), files.wanted_software());
            drop(files);
            if wanted.is_empty() && products.is_empty() {
                return reading;
            }
            seen.extend(wanted.into_iter().map(|path| {
                let content = match all.get(&path) {
                    Some(text) => FileContent::Bytes {
                        bytes: text.clone().into_bytes().into(),
                        sha256: String::new(),
                        public_keys: Vec::new(),
                    },
                    None => FileContent::Missing,
                };
                SeenFile { path, real_path: None, content }
            }));
            software.extend(products.into_iter().map(|product| InstalledSoftware {
                product,
                version: None,
                source: "the test".to_owned(),
                ..InstalledSoftware::default()
            }));
        }
    }
}

/// `name = value` of a file made by the program.
fn value<'t>(text: &'t str, name: &str) -> &'t str {
    let line = |line: &&str| line.split_once('=').is_some_and(|(known, _)| known.trim().trim_start_matches("TLS.") == name);
    text.lines().find(line).and_then(|line| line.split_once('=')).map_or("", |(_, value)| value.trim())
}

/// What differs between the program's file and our reading.
fn differences(answer: &Answer) -> Vec<String> {
    let Some(made) = &answer.opensslcnf else {
        let reading = answer.read("");
        let refused = reading.troubles.iter().any(|trouble| trouble.fatal);
        return if refused { Vec::new() } else { vec![format!("it refuses {} {:#?}", answer.config, answer.files)] };
    };
    let reading = answer.read(made);
    let mut wrong: Vec<String> = reading.troubles.iter().map(|trouble| format!("trouble: {}", trouble.says)).collect();
    let Some(service) = reading.services.first() else { return wrong };
    let settings = &service.settings;
    let mut compare = |what: &str, own: String, real: String| {
        if own != real {
            wrong.push(format!("{what}\n  real {real}\n  own  {own}"));
        }
    };
    let versions = &settings.versions.as_ref().unwrap().value;
    // A file for no version at all says a range that is none, or says nothing.
    let bound = |name: &str| names::version(value(made, name));
    let real = bound("MinProtocol").zip(bound("MaxProtocol"));
    let own = versions.first().copied().zip(versions.last().copied());
    compare("versions", format!("{own:?}"), format!("{real:?}"));
    // Programs of different years write it in different ways.
    let library = Library { weak: true, ..Library::upstream(Release::new(3, 0, 0)) };
    let meant = |text: &str| format!("{:?}", cipher_list(text, &library).map(|list| (list.suites, list.level)));
    compare("CipherString", meant(&settings.cipher_list.as_ref().unwrap().value.text), meant(value(made, "CipherString")));
    let suites = names::suites(value(made, "Ciphersuites")).unwrap_or_default();
    let suites: Vec<_> = suites.into_iter().filter(|suite| suite.0 >> 8 == 0x13).collect();
    compare("Ciphersuites", format!("{:?}", settings.cipher_suites.as_ref().unwrap().value), format!("{suites:?}"));
    let mut groups = Vec::new();
    for group in names::groups(value(made, "Groups")).unwrap_or_default() {
        if !groups.contains(&group) {
            groups.push(group);
        }
    }
    compare("Groups", format!("{:?}", settings.groups.as_ref().unwrap().value), format!("{groups:?}"));
    let schemes = names::signature_schemes(value(made, "SignatureAlgorithms")).unwrap_or_default();
    compare(
        "SignatureAlgorithms",
        format!("{:?}", settings.signature_algorithms.as_ref().unwrap().value),
        format!("{schemes:?}"),
    );
    wrong.iter_mut().for_each(|one| *one = format!("{}: {one}", answer.config));
    wrong
}

fn check(answers: &[Answer]) {
    let wrong: Vec<String> = answers.iter().flat_map(differences).collect();
    let shown: Vec<&str> = wrong.iter().take(6).map(String::as_str).collect();
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), answers.len(), shown.join("\n\n"));
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/crypto_policies")
}

fn kept() -> Vec<Answer> {
    answers(&std::fs::read_to_string(folder().join("answers.json")).unwrap())
}

#[test]
fn a_policy_means_what_the_program_made_of_it() {
    let kept = kept();
    assert!(kept.len() >= 60 && kept.iter().any(|answer| answer.opensslcnf.is_none()));
    check(&kept);
}

#[test]
fn a_back_end_edited_by_hand_is_told() {
    let mut told = 0;
    for answer in kept().iter().filter(|answer| answer.config.contains(':')) {
        let Some(made) = answer.opensslcnf.as_ref().filter(|made| made.contains("TLS.MaxProtocol = TLSv1.3")) else { continue };
        let reading = answer.read(&made.replace("TLS.MaxProtocol = TLSv1.3", "TLS.MaxProtocol = TLSv1.2"));
        let trouble = reading.troubles.first().expect("it differs");
        assert!(trouble.says.contains("somebody edited it") && !trouble.fatal, "{}", trouble.says);
        assert_eq!(trouble.at.as_ref().unwrap().path.as_ref(), "/etc/crypto-policies/back-ends/opensslcnf.config");
        told += 1;
    }
    assert!(told > 10, "{told}");
}

#[test]
fn a_copy_of_the_program_is_asked_for_the_policies_that_it_ships() {
    let Ok(checkout) = std::env::var("TLSWHY_CRYPTO_POLICIES") else {
        return println!("skipped: TLSWHY_CRYPTO_POLICIES names no copy of its sources");
    };
    for kind in ["shipped", "own"] {
        let output = Command::new("python3").arg(folder().join("ask.py")).args([&checkout, "400", kind]).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let answers = answers(&String::from_utf8(output.stdout).unwrap());
        println!("{kind}: {} policies", answers.len());
        check(&answers);
    }
}
