//! What is read in an openssl.cnf is what the real library makes of it: the hello that `s_client` sends under each file, beside the
//! effective settings.
//!
//! `openssl_cnf/hellos.tsv` holds what 1.1.1w, 3.0.19 and 3.6.5 (of Debian 11, 12 and sid) sent; the machine's own `openssl` is asked
//! as well where there is one. `HELLOS=DIRECTORY` writes the file anew from hellos as they were caught, `DIRECTORY/RELEASE/CASE`, and
//! `EXPORT=DIRECTORY` writes the cases there.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test stops at what it did not expect")]

#[path = "openssl_cnf/cases.rs"]
mod cases;

use std::fmt::Write as _;
use std::io::{ErrorKind, Read as _};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};
use std::{fs, thread};

use tlswhy_config::{Context, Effective, Files, Reading, dialect, effective};
use tlswhy_model::{FileContent, InstalledSoftware, SeenFile};
use tlswhy_wire::client_hello::from_records;
use tlswhy_wire::{CipherSuite, ExtensionType, KeyExchange, NamedGroup, ProtocolVersion, SignatureScheme};

/// What a hello offers.
#[derive(Debug, PartialEq, Eq)]
struct Offer {
    /// Highest first. Where a hello names the highest alone, that one.
    versions: Vec<ProtocolVersion>,
    highest_alone: bool,
    suites_13: Vec<CipherSuite>,
    suites: Vec<CipherSuite>,
    groups: Vec<NamedGroup>,
    schemes: Vec<SignatureScheme>,
}

impl Offer {
    fn of(records: &[u8], release: &str) -> Option<Offer> {
        let (_, hello) = from_records(records).ok()?;
        let list = |which: ExtensionType, head: usize| {
            let body = hello.extension(which).map(|extension| extension.value.body.value.clone()).unwrap_or_default();
            let pairs = body.get(head..).unwrap_or_default().chunks_exact(2).map(|pair| u16::from_be_bytes([pair[0], pair[1]]));
            pairs.collect::<Vec<u16>>()
        };
        let suites: Vec<CipherSuite> = hello.cipher_suites.value.iter().map(|suite| suite.value).collect();
        let groups = list(ExtensionType(10), 2).into_iter().map(NamedGroup).collect();
        let schemes: Vec<SignatureScheme> = list(ExtensionType(13), 2).into_iter().map(SignatureScheme).collect();
        let named: Vec<ProtocolVersion> = list(ExtensionType(43), 1).into_iter().map(ProtocolVersion).collect();
        let highest_alone = named.is_empty();
        let mut versions = if highest_alone { vec![hello.legacy_version.value] } else { named };
        // A version counts if a suite of the hello can be used in it; with 3.0 below 1.2 only where nothing is signed with SHA-1, or
        // that is offered.
        let sha1 = !release.starts_with("3.0") || schemes.is_empty() || schemes.contains(&SignatureScheme(0x0201));
        let release_signs =
            |suite: &CipherSuite| sha1 || suite.details().is_some_and(|row| row.key_exchange == KeyExchange::Rsa);
        versions.retain(|version| {
            let usable = |suite: &&CipherSuite| suite.details().is_some_and(|row| row.usable_with(*version));
            let mut usable = suites.iter().filter(usable);
            if *version >= ProtocolVersion::TLSV1_2 { usable.next().is_some() } else { usable.any(release_signs) }
        });
        let old = |suite: &&CipherSuite| suite.0 >> 8 != 0x13 && !suite.is_signalling();
        let suites_12 = suites.iter().filter(old).copied().collect();
        let mut suites_13: Vec<CipherSuite> = Vec::new();
        for suite in suites.into_iter().filter(|suite| suite.0 >> 8 == 0x13) {
            // 3.0 sends a suite as often as a list names it.
            if !suites_13.contains(&suite) {
                suites_13.push(suite);
            }
        }
        Some(Offer { versions, highest_alone, suites_13, suites: suites_12, groups, schemes })
    }

    fn line(&self) -> String {
        let hex = |values: Vec<u16>| values.iter().map(|value| format!("{value:04x}")).collect::<Vec<_>>().join(" ");
        [
            hex(self.versions.iter().map(|version| version.0).collect()),
            self.highest_alone.to_string(),
            hex(self.suites_13.iter().map(|suite| suite.0).collect()),
            hex(self.suites.iter().map(|suite| suite.0).collect()),
            hex(self.groups.iter().map(|group| group.0).collect()),
            hex(self.schemes.iter().map(|scheme| scheme.0).collect()),
        ]
        .join("\t")
    }

    fn parse(line: &str) -> Option<Offer> {
        let mut fields = line.split('\t');
        let mut next = || fields.next();
        let hex = |field: &str| field.split(' ').filter_map(|word| u16::from_str_radix(word, 16).ok()).collect::<Vec<u16>>();
        let versions = hex(next()?).into_iter().map(ProtocolVersion).collect();
        let highest_alone = next()? == "true";
        Some(Offer {
            versions,
            highest_alone,
            suites_13: hex(next()?).into_iter().map(CipherSuite).collect(),
            suites: hex(next()?).into_iter().map(CipherSuite).collect(),
            groups: hex(next()?).into_iter().map(NamedGroup).collect(),
            schemes: hex(next()?).into_iter().map(SignatureScheme).collect(),
        })
    }
}

fn predict(main: &[u8], release: &str, system: &str, directory: &str) -> (Reading, Effective) {
    let bytes = |bytes: Vec<u8>| FileContent::Bytes { bytes: bytes.into(), sha256: String::new(), public_keys: Vec::new() };
    let file = |path: String, content| SeenFile { path, real_path: None, content };
    let main_path = format!("{directory}/openssl.cnf");
    let mut seen = vec![file(main_path.clone(), bytes(main.to_vec()))];
    for (name, text) in cases::INCLUDED {
        seen.push(file(format!("{directory}/{name}"), bytes(cases::bytes(false, text, directory))));
    }
    let entries = ["a.cnf", "b.CONF", "c.txt"].map(str::to_owned).to_vec();
    seen.push(file(format!("{directory}/incd"), FileContent::Directory { entries }));
    let installed = |product: &str, version: &str| InstalledSoftware {
        product: product.to_owned(),
        version: Some(version.to_owned()),
        source: "the test".to_owned(),
        ..InstalledSoftware::default()
    };
    let software = [installed("openssl", release), installed("system", system)];
    let environment = [("OCV".to_owned(), "TLSv1.2".to_owned())];
    let files = Files::new(&seen, &software).in_environment(&environment);
    let reading = dialect("openssl").unwrap().reading(&Context { files: &files, main: &main_path });
    let effective = effective(&reading.services[0], &files);
    (reading, effective)
}

/// What one list has and the other has not; the whole where only the order differs.
fn between<T: PartialEq + std::fmt::Debug>(predicted: &[T], seen: &[T]) -> String {
    let only = |one: &[T], other: &[T]| {
        let words = one.iter().filter(|value| !other.contains(value)).map(|value| format!("{value:?}"));
        words.collect::<Vec<_>>().join(" ")
    };
    match (only(predicted, seen), only(seen, predicted)) {
        (a, b) if a.is_empty() && b.is_empty() => format!("in the order {predicted:?}, seen {seen:?}"),
        (a, b) => format!("not seen [{a}], not predicted [{b}]"),
    }
}

/// What differs; empty where the prediction is right.
fn differs(offer: Option<&Offer>, reading: &Reading, effective: &Effective) -> String {
    let versions = effective.versions.clone().unwrap_or_default();
    let fails = reading.troubles.iter().any(|trouble| trouble.fatal) || versions.is_empty();
    let Some(offer) = offer else {
        return if fails { String::new() } else { format!("no hello, predicted {versions:?}") };
    };
    if fails {
        return format!("predicted no hello, seen {:?}", offer.versions);
    }
    let mut text = String::new();
    let predicted = if offer.highest_alone { versions[..1].to_vec() } else { versions.clone() };
    if predicted != offer.versions {
        write!(text, " versions {}", between(&predicted, &offer.versions)).unwrap();
    }
    let has_13 = versions.contains(&ProtocolVersion::TLSV1_3);
    let suites = effective.cipher_suites_13.clone().unwrap_or_default();
    if has_13 && suites != offer.suites_13 {
        write!(text, " suites {}", between(&suites, &offer.suites_13)).unwrap();
    }
    // A hello leaves out what none of its versions can use.
    let mut suites = effective.cipher_suites.clone().unwrap_or_default();
    let usable = |suite: &CipherSuite| {
        versions.iter().any(|version| suite.details().is_some_and(|details| details.usable_with(*version)))
    };
    suites.retain(usable);
    let mut seen = offer.suites.clone();
    seen.retain(usable);
    if suites != seen {
        write!(text, " suites {}", between(&suites, &seen)).unwrap();
    }
    // Without TLS 1.3 a hello leaves out what only that has.
    let mut groups = effective.groups.clone().unwrap_or_default();
    groups.retain(|group| has_13 || group.0 < 0x100);
    if groups != offer.groups {
        write!(text, " groups {}", between(&groups, &offer.groups)).unwrap();
    }
    let of_12 = |schemes: &[SignatureScheme]| {
        let common = |scheme: &&SignatureScheme| !matches!(scheme.0, 0x0904..=0x0906 | 0x081a..=0x081c);
        schemes.iter().filter(common).copied().collect::<Vec<_>>()
    };
    let schemes = of_12(&effective.signature_schemes.clone().unwrap_or_default());
    // A hello without TLS 1.2 has others or none.
    if versions.contains(&ProtocolVersion::TLSV1_2) && schemes != of_12(&offer.schemes) {
        write!(text, " schemes {}", between(&schemes, &of_12(&offer.schemes))).unwrap();
    }
    text
}

const FROZEN: &[(&str, &str)] = &[("1.1.1w", "debian 11"), ("3.0.19", "debian 12"), ("3.6.5", "debian sid")];

fn frozen() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/openssl_cnf/hellos.tsv")
}

#[test]
fn three_releases_send_the_hellos_that_are_predicted() {
    if let Ok(directory) = std::env::var("EXPORT") {
        export(&directory);
    }
    if let Ok(directory) = std::env::var("HELLOS") {
        let mut text = String::new();
        for (release, _) in FROZEN {
            for (name, ..) in cases::CASES {
                let records = fs::read(format!("{directory}/{release}/{name}")).unwrap();
                let line = Offer::of(&records, release).map_or("none".to_owned(), |offer| offer.line());
                writeln!(text, "{release}\t{name}\t{line}").unwrap();
            }
        }
        fs::write(frozen(), text).unwrap();
    }
    let text = fs::read_to_string(frozen()).unwrap();
    let mut wrong = Vec::new();
    let mut checked = 0;
    for (release, system) in FROZEN {
        for (name, chained, case) in cases::CASES {
            let prefix = format!("{release}\t{name}\t");
            let line =
                text.lines().find_map(|line| line.strip_prefix(&prefix)).unwrap_or_else(|| panic!("{prefix} is missing"));
            let main = cases::bytes(*chained, case, "/d");
            let (reading, effective) = predict(&main, release, system, "/d");
            let differs = differs(Offer::parse(line).as_ref(), &reading, &effective);
            checked += 1;
            if !differs.is_empty() {
                wrong.push(format!("{release} {name}:{differs}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{} of {checked}:\n{}", wrong.len(), wrong.join("\n"));
}

fn export(directory: &str) {
    for (name, text) in cases::INCLUDED {
        let path = Path::new(directory).join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, cases::bytes(false, text, directory)).unwrap();
    }
    for (name, chained, text) in cases::CASES {
        fs::write(Path::new(directory).join(format!("case-{name}")), cases::bytes(*chained, text, directory)).unwrap();
    }
}

/// The records of the hello that `s_client` sends under this file; empty where it sends none.
fn hello_under(main: &Path, directory: &Path) -> Vec<u8> {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    listener.set_nonblocking(true).unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let mut child = Command::new("openssl")
        .args(["s_client", "-connect", &address])
        .env("OPENSSL_CONF", main)
        .env("OCV", "TLSv1.2")
        .env_remove("OPENSSL_CONF_INCLUDE")
        .current_dir(directory)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let end = Instant::now() + Duration::from_secs(10);
    let mut records = Vec::new();
    while Instant::now() < end {
        match listener.accept() {
            Ok((mut stream, _)) => {
                stream.set_nonblocking(false).unwrap();
                stream.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
                let mut buffer = [0; 4096];
                while from_records(&records).is_err() {
                    match stream.read(&mut buffer) {
                        Ok(0) | Err(_) => break,
                        Ok(count) => records.extend_from_slice(&buffer[..count]),
                    }
                }
                break;
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock => {
                if child.try_wait().unwrap().is_some() {
                    break;
                }
                thread::sleep(Duration::from_millis(2));
            }
            Err(error) => panic!("{error}"),
        }
    }
    drop(listener);
    child.kill().ok();
    child.wait().unwrap();
    records
}

#[test]
fn this_machines_openssl_sends_the_hellos_that_are_predicted() {
    let Ok(output) = Command::new("openssl").args(["version", "-a"]).output() else {
        println!("skipped: there is no openssl");
        return;
    };
    let version = String::from_utf8_lossy(&output.stdout).into_owned();
    let release = version.split_whitespace().nth(1).unwrap_or_default();
    if !["1.1.1", "3."].iter().any(|known| release.starts_with(known)) {
        println!("skipped: nothing is known of OpenSSL {release}");
        return;
    }
    // Its own text says which level was compiled in.
    let system = if version.contains("OPENSSL_TLS_SECURITY_LEVEL=2") { "debian 12" } else { "debian 11" };
    let directory = std::env::temp_dir().join(format!("tlswhy-openssl-cnf-{}", std::process::id()));
    fs::create_dir_all(&directory).unwrap();
    let directory = directory.canonicalize().unwrap();
    let name = directory.to_str().unwrap();
    export(name);
    let mut cases: Vec<(String, Vec<u8>)> = Vec::new();
    for (case, chained, text) in cases::CASES {
        cases.push(((*case).to_owned(), cases::bytes(*chained, text, name)));
    }
    for lowest in ["None", "SSLv3", "TLSv1", "TLSv1.1", "TLSv1.2", "TLSv1.3"] {
        for highest in ["None", "TLSv1", "TLSv1.1", "TLSv1.2", "TLSv1.3"] {
            for (level, protocol) in [(0, "ALL"), (1, "-TLSv1.2"), (2, "ALL"), (3, "-TLSv1.1"), (4, "-ALL,TLSv1.1,TLSv1.3")] {
                let text = format!(
                    "MinProtocol = {lowest}\nMaxProtocol = {highest}\nProtocol = {protocol}\nCipherString = DEFAULT@SECLEVEL={level}\n"
                );
                cases.push((format!("{lowest}-{highest}-{level}"), cases::bytes(true, text.as_bytes(), name)));
            }
        }
    }
    let mut wrong = Vec::new();
    for (case, main) in &cases {
        let path = directory.join("openssl.cnf");
        fs::write(&path, main).unwrap();
        let records = hello_under(&path, &directory);
        let (reading, effective) = predict(main, release, system, name);
        let differs = differs(Offer::of(&records, release).as_ref(), &reading, &effective);
        if !differs.is_empty() {
            wrong.push(format!("{case}:{differs}"));
        }
    }
    fs::remove_dir_all(&directory).unwrap();
    assert!(wrong.is_empty(), "OpenSSL {release}: {} of {}:\n{}", wrong.len(), cases.len(), wrong.join("\n"));
    println!("OpenSSL {release}: {} files", cases.len());
}
