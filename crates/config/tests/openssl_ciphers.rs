//! Cipher strings beside real libraries: what six libraries answered, kept in `openssl_ciphers/`, and the `openssl` of this machine
//! (skipped, with a word, where there is none). `TLSWHY_LIBSSL=.../libssl.so` asks any other library, for every string.

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a test stops at what it did not expect")]

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::process::{Command, Stdio};

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
    "kECDH",
    "kECDHr",
    "kECDHe",
    "aECDH",
    "kDH",
    "kDHr",
    "kDHd",
    "aDH",
    "KRB5",
    "kKRB5",
    "aKRB5",
    "SSLv2",
    "EXPORT40",
    "ECDH-RSA-AES128-SHA",
    "DH-DSS-SEED-SHA",
    "DHE-RSA-DES-CBC3-SHA",
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
    "SUITEB128C2",
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
    "ALL:!aNULL:!ADH:!eNULL:!LOW:!EXP:RC4+RSA:+HIGH:+MEDIUM",
    "ALL:!EXPORT:!LOW:!aNULL:!eNULL:!SSLv2",
    "AES128-SHA_x:HIGH",
    "TLS_RSA_WITH_AES_128_CBC_SHA:AES128-SHA",
    "SUITEB128:HIGH",
    "EDH-DSS-DES-CBC3-SHA+HIGH",
    "NULL-SHA+FIPS",
    "@STRENGTH",
    "HIGH:kECDHe+AES:!kECDHr:+aECDH",
];

/// One string in so many is kept for the frozen answers.
const KEPT: usize = 61;

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

/// Our answer in the words of `ask.py`.
fn own(text: &str, library: &Library) -> String {
    match cipher_list(text, library) {
        Ok(list) => list.suites.iter().map(|suite| format!("{:04x}", suite.0)).collect::<Vec<_>>().join(" "),
        Err(Refused::NoMatch) => "no match".to_owned(),
        Err(Refused::InvalidCommand(_)) => "invalid command".to_owned(),
        Err(Refused::UnknownRelease) => "unknown release".to_owned(),
    }
}

/// Compares answers of `ask.py` with our own; how many there were.
fn compare(answers: &str) -> usize {
    let mut lines = answers.lines();
    let version = lines.next().unwrap();
    let release: Release = version.parse().unwrap();
    // Of CentOS 7 and AlmaLinux 8; that of psycopg2-binary 2.7.5 is built with Kerberos too.
    let library = match version {
        version if version.contains("1.0.2k-fips") => Library::of(release, "centos 7"),
        version if version.contains("1.1.1k  FIPS") => Library::of(release, "almalinux 8.10"),
        version if version.contains("1.0.2o") => Library { krb5: true, ..Library::upstream(release) },
        _ => Library::upstream(release),
    };
    let (mut wrong, mut compared) = (String::new(), 0);
    for (text, real) in lines.map(|line| line.split_once('\t').unwrap()) {
        compared += 1;
        let own = own(text, &library);
        if own != real && wrong.len() < 20_000 {
            write!(wrong, "\n{text}\n  real {real}\n  own  {own}").unwrap();
        }
    }
    assert!(wrong.is_empty(), "{version}:{wrong}");
    compared
}

fn folder() -> std::path::PathBuf {
    std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/openssl_ciphers")
}

/// The strings that the frozen answers are for.
fn kept() -> Vec<String> {
    let all = strings().into_iter().enumerate();
    all.filter(|(at, _)| *at < WRITTEN.len() || at % KEPT == 0).map(|(_, text)| text).collect()
}

fn ask(library: &str, strings: &[String]) -> String {
    let mut child = Command::new("python3")
        .arg(folder().join("ask.py"))
        .arg(library)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let text = strings.iter().map(|string| format!("{string}\n")).collect::<String>();
    let mut input = child.stdin.take().unwrap();
    let writer = std::thread::spawn(move || std::io::Write::write_all(&mut input, text.as_bytes()));
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap().unwrap();
    assert!(output.status.success(), "{library}");
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn every_string_means_what_the_versions_that_were_asked_made_of_it() {
    let kept = kept();
    for version in ["1.0.2k-fips", "1.0.2o", "1.1.1k", "1.1.1l", "3.0.19", "3.5.9"] {
        let answers = std::fs::read_to_string(folder().join(format!("{version}.tsv"))).unwrap();
        let asked: BTreeSet<&str> = answers.lines().skip(1).filter_map(|line| Some(line.split_once('\t')?.0)).collect();
        assert_eq!(asked, kept.iter().map(String::as_str).collect(), "{version}: ask it again, with BLESS_LIBSSL");
        assert!(compare(&answers) > 150, "{version}");
    }
}

#[test]
fn a_library_that_is_named_is_asked_for_every_string() {
    if let Ok(library) = std::env::var("BLESS_LIBSSL") {
        let answers = ask(&library, &kept());
        let version = answers.split_whitespace().nth(2).unwrap();
        std::fs::write(folder().join(format!("{version}.tsv")), &answers).unwrap();
    }
    let Ok(library) = std::env::var("TLSWHY_LIBSSL") else {
        return println!("skipped: TLSWHY_LIBSSL names no library");
    };
    println!("{} strings compared", compare(&ask(&library, &strings())));
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
