//! Cipher strings beside the `openssl` of this machine. Skipped, with a word, where there is none.

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a test stops at what it did not expect")]

use std::process::Command;

use tlswhy_config::Release;
use tlswhy_config::language::openssl_ciphers::{Library, Refused, at_level, cipher_list};

const WORDS: &[&str] = &[
    "ALL",
    "COMPLEMENTOFALL",
    "COMPLEMENTOFDEFAULT",
    "DEFAULT",
    "HIGH",
    "MEDIUM",
    "LOW",
    "FIPS",
    "aNULL",
    "eNULL",
    "NULL",
    "kRSA",
    "RSA",
    "aRSA",
    "kECDHE",
    "kEECDH",
    "ECDH",
    "EECDH",
    "ECDHE",
    "kDHE",
    "kEDH",
    "DH",
    "DHE",
    "EDH",
    "ADH",
    "AECDH",
    "aECDSA",
    "ECDSA",
    "aDSS",
    "DSS",
    "PSK",
    "kPSK",
    "kRSAPSK",
    "kECDHEPSK",
    "kDHEPSK",
    "aPSK",
    "SRP",
    "kSRP",
    "aSRP",
    "3DES",
    "RC4",
    "RC2",
    "IDEA",
    "SEED",
    "DES",
    "AES",
    "AES128",
    "AES256",
    "AESGCM",
    "AESCCM",
    "AESCCM8",
    "CAMELLIA",
    "CAMELLIA128",
    "CAMELLIA256",
    "CHACHA20",
    "ARIA",
    "ARIAGCM",
    "ARIA128",
    "ARIA256",
    "CBC",
    "MD5",
    "SHA",
    "SHA1",
    "SHA256",
    "SHA384",
    "SSLv3",
    "TLSv1",
    "TLSv1.0",
    "TLSv1.1",
    "TLSv1.2",
    "GOST",
    "EXP",
    "EXPORT",
    "nonsense",
    "ECDHE-RSA-AES128-GCM-SHA256",
    "ECDHE-ECDSA-CHACHA20-POLY1305",
    "AES128-SHA",
    "DES-CBC3-SHA",
    "DHE-RSA-AES256-SHA",
    "PSK-AES128-CBC-SHA",
    "TLS_AES_128_GCM_SHA256",
    "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256",
    "EDH-RSA-DES-CBC3-SHA",
    "SUITEB128",
    "SUITEB192",
    "SUITEB128ONLY",
];

/// Strings as people write them.
const WRITTEN: &[&str] = &[
    "HIGH:!aNULL:!MD5",
    "HIGH:MEDIUM:+3DES:!aNULL",
    "EECDH+AESGCM:EDH+AESGCM:AES256+EECDH:AES256+EDH",
    "ALL:!kRSA:!SRP:!aNULL:@STRENGTH",
    "ECDHE+AESGCM:ECDHE+CHACHA20:DHE+AESGCM:!aNULL:!eNULL",
    "DEFAULT@SECLEVEL=0",
    "DEFAULT:@SECLEVEL=1",
    "@SECLEVEL=2:kEECDH:kRSA:kEDH:kPSK",
    "ALL:COMPLEMENTOFALL:@SECLEVEL=0",
    "DEFAULT:!DEFAULT",
    "ALL:-ALL:HIGH",
    "HIGH:-AES:AES",
    "ALL:!ALL:HIGH",
    "DEFAULT:+AES128",
    "DEFAULT+AES",
    "AES128 AES256,CAMELLIA;3DES",
    "ECDHE-RSA-AES128-GCM-SHA256::AES128-SHA:",
    "!aNULL",
    ":-AES:ALL",
    "+ALL",
    "aRSA+AES+SHA",
    "ECDHE+!AES",
    "ALL@STRENGTH",
    "HIGH:@FOO",
    "HIGH:@SECLEVEL=9",
    "HIGH:$",
    "AES+SHA256+RSA:kRSA+AES128",
    "ALL:!ADH:!LOW:!EXP:!MD5:@STRENGTH",
    "HIGH+kEECDH:HIGH+kEDH",
    "",
    "TLSv1.2+HIGH",
    "SSLv3+HIGH",
    "TLSv1+SSLv3",
    "ECDHE-RSA-AES128-GCM-SHA256+AES256",
    "HIGH+MEDIUM",
    "FIPS+HIGH",
    "COMPLEMENTOFDEFAULT+HIGH:AES",
];

fn strings() -> Vec<String> {
    let mut all: Vec<String> = WRITTEN.iter().map(|text| (*text).to_owned()).collect();
    for a in WORDS {
        all.push((*a).to_owned());
        for (operator, b) in ["!", "-", "+", ""].iter().flat_map(|operator| WORDS.iter().map(move |b| (operator, b))) {
            if (a.len() * 7 + b.len() * 3 + operator.len()) % 4 == 0 {
                all.push(format!("{a}:{operator}{b}"));
            }
        }
        for b in WORDS.iter().skip(a.len() % 5).step_by(5) {
            all.push(format!("{a}+{b}"));
            all.push(format!("ALL:!{a}:-{b}:{b}:@STRENGTH"));
            all.push(format!("DEFAULT:+{a}:!{b}"));
        }
    }
    all
}

fn openssl(arguments: &[&str]) -> Option<(bool, String)> {
    let output = Command::new("openssl").args(arguments).env("OPENSSL_CONF", "/dev/null").output().ok()?;
    Some((output.status.success(), String::from_utf8_lossy(&output.stdout).trim().to_owned()))
}

#[test]
fn every_string_means_what_this_machines_openssl_makes_of_it() {
    let Some((true, version)) = openssl(&["version"]) else {
        return println!("skipped: no openssl here");
    };
    let release: Release = version.parse().unwrap();
    let library = Library::upstream(release);
    let (mut wrong, mut compared) = (Vec::new(), 0);
    // All of them with TLSWHY_ALL_STRINGS=1: each is a process.
    let every = if std::env::var_os("TLSWHY_ALL_STRINGS").is_some() { 1 } else { 9 };
    for text in strings().into_iter().enumerate().filter(|(at, _)| *at < WRITTEN.len() || at % every == 0).map(|(_, text)| text)
    {
        // Without TLS 1.3's suites, and not cut by any level.
        let Some((good, listed)) = openssl(&["ciphers", "-ciphersuites", "", &text]) else { continue };
        let own = match cipher_list(&text, &library) {
            Ok(list) => {
                list.suites.iter().map(|suite| suite.details().unwrap().openssl_name.unwrap()).collect::<Vec<_>>().join(":")
            }
            Err(Refused::UnknownRelease) => return println!("skipped: OpenSSL {release} is not told"),
            Err(_) => "refused".to_owned(),
        };
        compared += 1;
        let real = if good && !listed.is_empty() { listed } else { "refused".to_owned() };
        if own != real {
            wrong.push(format!("{text}\n  real {real}\n  own  {own}"));
        }
    }
    assert!(
        wrong.is_empty(),
        "{} of {compared} differ:\n{}",
        wrong.len(),
        wrong.iter().take(12).cloned().collect::<Vec<_>>().join("\n")
    );
    assert!(compared > 1000, "{compared}");
}

#[test]
fn levels_leave_what_openssl_still_offers() {
    let Some((true, version)) = openssl(&["version"]) else {
        return println!("skipped: no openssl here");
    };
    let library = Library::upstream(version.parse().unwrap());
    for level in 0..=5_u8 {
        for words in ["ALL", "HIGH", "ALL:COMPLEMENTOFALL", "kRSA", "AESCCM:ARIA"] {
            let text = format!("{words}:@SECLEVEL={level}");
            let Some((_, listed)) = openssl(&["ciphers", "-s", "-psk", "-srp", "-ciphersuites", "", &text]) else { continue };
            let Ok(list) = cipher_list(&text, &library) else { continue };
            let left = at_level(&list.suites, list.level.unwrap(), &library);
            let names: Vec<&str> = left.iter().map(|suite| suite.details().unwrap().openssl_name.unwrap()).collect();
            assert_eq!(names.join(":"), listed, "{text}");
        }
    }
}
