//! Priority strings beside the `gnutls-cli` of this machine (or the one that TLSWHY_GNUTLS_CLI names; skipped, with a word, where there
//! is none), and beside what seven releases said.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::indexing_slicing,
    reason = "a test stops at what it did not expect"
)]

use std::process::Command;

use tlswhy_config::Release;
use tlswhy_config::language::gnutls_priority::{Library, Refused, System, priority};

const KEYWORDS: &[&str] = &[
    "NORMAL",
    "PFS",
    "SECURE128",
    "SECURE",
    "SECURE192",
    "SECURE256",
    "SUITEB128",
    "SUITEB192",
    "LEGACY",
    "NONE",
    "normal",
    "SYSTEM",
    "NONSENSE",
];

/// Words without their sign.
const WORDS: &[&str] = &[
    "VERS-ALL",
    "VERS-TLS-ALL",
    "VERS-DTLS-ALL",
    "VERS-TLS1.3",
    "VERS-TLS1.2",
    "VERS-TLS1.1",
    "VERS-TLS1.0",
    "VERS-SSL3.0",
    "VERS-DTLS1.2",
    "VERS-DTLS0.9",
    "VERS-tls1.2",
    "VERS-TLS1.4",
    "VERS-ALLES",
    "AES-128-GCM",
    "AES-256-GCM",
    "AES-128-CBC",
    "AES-256-CBC",
    "aes-128-ccm",
    "AES-256-CCM",
    "AES-128-CCM-8",
    "AES-256-CCM-8",
    "AES-192-GCM",
    "AES-128-SIV-GCM",
    "AES-256-CFB",
    "CHACHA20-POLY1305",
    "CHACHA20-32",
    "CAMELLIA-128-CBC",
    "CAMELLIA-256-CBC",
    "CAMELLIA-128-GCM",
    "CAMELLIA-256-GCM",
    "3DES-CBC",
    "DES-CBC",
    "ARCFOUR-128",
    "ARCFOUR-40",
    "NULL",
    "CIPHER-ALL",
    "CIPHER-NONSENSE",
    "SHA1",
    "SHA256",
    "SHA384",
    "SHA512",
    "MD5",
    "MD2",
    "AEAD",
    "UMAC-96",
    "OMAC-MAGMA",
    "PBMAC1",
    "MAC-ALL",
    "MAC-NULL",
    "RIPEMD160",
    "RSA",
    "ECDHE-RSA",
    "ECDHE-ECDSA",
    "DHE-RSA",
    "DHE-DSS",
    "PSK",
    "RSA-PSK",
    "DHE-PSK",
    "ECDHE-PSK",
    "SRP",
    "SRP-RSA",
    "ANON-DH",
    "ANON-ECDH",
    "RSA-EXPORT",
    "KX-ALL",
    "GROUP-ALL",
    "GROUP-EC-ALL",
    "GROUP-DH-ALL",
    "GROUP-GOST-ALL",
    "GROUP-SECP192R1",
    "GROUP-SECP256R1",
    "GROUP-SECP521R1",
    "GROUP-X25519",
    "GROUP-X448",
    "GROUP-FFDHE2048",
    "GROUP-GC256A",
    "GROUP-GC256B",
    "GROUP-X25519-MLKEM768",
    "GROUP-P-256",
    "CURVE-ALL",
    "CURVE-SECP256R1",
    "CURVE-X25519",
    "CURVE-GC256A",
    "CURVE-NONSENSE",
    "SIGN-ALL",
    "SIGN-RSA-SHA256",
    "SIGN-RSA-SHA1",
    "SIGN-RSA-MD5",
    "SIGN-RSA-PSS-RSAE-SHA256",
    "SIGN-ECDSA-SHA256",
    "SIGN-ECDSA-SECP256R1-SHA256",
    "SIGN-EDDSA-ED25519",
    "SIGN-DSA-SHA1",
    "SIGN-DSA-SHA256",
    "SIGN-ML-DSA-44",
    "SIGN-GOST-ALL",
    "SIGN-NONSENSE",
    "COMP-ALL",
    "COMP-NULL",
    "CTYPE-ALL",
    "CTYPE-X509",
    "CTYPE-X.509",
    "CTYPE-OPENPGP",
    "CTYPE-CLI-RAWPK",
    "CTYPE-SRV-OPENPGP",
    "GOST",
    "VKO-GOST-12",
    "NORMAL",
    "SECURE192",
    "SUITEB128",
    "NONE",
    "nonsense",
    "",
];

const OPTIONS: &[&str] = &[
    "COMPAT",
    "compat",
    "NO_EXTENSIONS",
    "SERVER_PRECEDENCE",
    "VERIFY_ALLOW_SIGN_WITH_SHA1",
    "PROFILE_MEDIUM",
    "PROFILE_NONSENSE",
    "DISABLE_TLS13_COMPAT_MODE",
    "NO_TICKETS_TLS12",
    "NO_STATUS_REQUEST",
    "FORCE_SESSION_HASH",
    "NO_SHUFFLE_EXTENSIONS",
    "LATEST_RECORD_VERSION",
    "",
];

/// Strings as people write them, and as programs give them.
const WRITTEN: &[&str] = &[
    "NORMAL:-VERS-ALL:+VERS-TLS1.2",
    "NORMAL:-VERS-ALL:+VERS-TLS1.3",
    "NORMAL:-VERS-TLS1.0:-VERS-TLS1.1:-VERS-TLS1.2",
    "NORMAL:-VERS-TLS-ALL:+VERS-TLS1.0",
    "NORMAL:-VERS-TLS1.2",
    "NORMAL:-VERS-TLS-ALL:+VERS-SSL3.0",
    "NORMAL:-VERS-ALL:+VERS-SSL3.0",
    "NORMAL:-ARCFOUR-128:-CTYPE-ALL:+CTYPE-X509:-VERS-SSL3.0",
    "NORMAL:-ARCFOUR-128:-CTYPE-ALL:+CTYPE-X509:-VERS-SSL3.0:-VERS-TLS-ALL:+VERS-TLS1.3:+VERS-TLS1.2",
    "NORMAL:%COMPAT:%UNSAFE_RENEGOTIATION",
    "NORMAL:%NO_EXTENSIONS:-VERS-ALL:+VERS-TLS1.0",
    "SECURE192:+SECURE128:-VERS-ALL:+VERS-TLS1.2",
    "PFS:-VERS-SSL3.0",
    "NONE:+VERS-TLS-ALL:+MAC-ALL:+RSA:+AES-128-CBC:+SIGN-ALL:+COMP-NULL",
    "NONE:+VERS-TLS1.2:+AES-128-GCM:+AEAD:+ECDHE-RSA:+SIGN-RSA-SHA256:+GROUP-SECP256R1",
    "NONE:+VERS-TLS1.2:+AES-128-GCM:+AEAD:+ECDHE-RSA:+SIGN-RSA-SHA256",
    "NONE:+VERS-TLS1.3:+AES-128-GCM:+AEAD:+SIGN-ALL",
    "NONE:+VERS-TLS1.3:+AES-128-GCM:+AEAD:+SIGN-ALL:+GROUP-ALL",
    "NONE:+VERS-TLS1.3:+VERS-TLS1.1:+CIPHER-ALL:+MAC-ALL:+KX-ALL:+SIGN-ALL:+GROUP-ALL",
    "NONE:+VERS-TLS1.2:+CIPHER-ALL:+MAC-ALL:+KX-ALL:+GROUP-DH-ALL:+GROUP-EC-ALL",
    "NONE:+MAC-ALL:-MD5:+GROUP-ALL:+SIGN-ALL:-SIGN-RSA-SHA1:+CIPHER-ALL:-CAMELLIA-256-GCM:+KX-ALL:-DHE-DSS:+VERS-TLS1.2:+COMP-NULL",
    "NORMAL:-GROUP-ALL:+GROUP-FFDHE2048:+GROUP-X25519",
    "NORMAL:-GROUP-ALL",
    "NORMAL:-SIGN-ALL",
    "NORMAL:-SIGN-ALL:+SIGN-RSA-MD5",
    "NORMAL:-SIGN-ALL:+SIGN-RSA-SHA1:+SIGN-RSA-SHA256",
    "NORMAL:-KX-ALL",
    "NORMAL:-KX-ALL:-VERS-ALL:+VERS-TLS1.3",
    "NORMAL:-KX-ALL:+DHE-RSA:+ECDHE-RSA",
    "NORMAL:-CIPHER-ALL:+AES-128-CBC:+SHA256",
    "NORMAL:-MAC-ALL:+SHA384:+SHA256",
    "NORMAL:!AES-256-GCM:!RSA",
    "NORMAL:+PSK:-VERS-ALL:+VERS-TLS1.3",
    "NORMAL:+RSA-PSK",
    "NORMAL: -VERS-TLS1.0:  -VERS-TLS1.1",
    "NORMAL :-VERS-TLS1.0",
    "  NORMAL:-VERS-TLS1.0",
    "NORMAL:-VERS-TLS1.0 ",
    "NORMAL::-VERS-TLS1.0",
    "NORMAL:",
    ":NORMAL",
    "-VERS-TLS1.0:NORMAL",
    "+AES-128-GCM:NORMAL:PFS",
    "%COMPAT:NORMAL",
    "-VERS-ALL:+VERS-TLS1.2",
    "",
    "@SYSTEM",
    "@A,B:-RSA",
    "@",
    "NORMAL:@SYSTEM",
    "NORMAL\u{e4}",
    "NORMAL:+\u{e4}-VERS-ALL",
    "SUITEB128:+SUITEB192",
    "SUITEB192:+VERS-TLS1.3",
    "LEGACY:-AES-256-CBC:+AES-256-CBC",
    "NORMAL:+CAMELLIA-128-CBC:+CAMELLIA-256-GCM:+3DES-CBC:+ARCFOUR-128:+SHA256:+SHA384:+MD5:+DHE-DSS:+ANON-DH:+ANON-ECDH",
    "NORMAL:+PSK:+DHE-PSK:+ECDHE-PSK:+CAMELLIA-256-CBC:+SHA384:+NULL",
    "SECURE256:+SECURE128:!VERS-DTLS-ALL",
    "PERFORMANCE:-CHACHA20-POLY1305",
    "PERFORMANCE:-CHACHA20-POLY1305:%SERVER_PRECEDENCE",
];

fn strings() -> Vec<String> {
    let mut all: Vec<String> = WRITTEN.iter().map(|text| (*text).to_owned()).collect();
    let many = std::iter::repeat_n("-3DES-CBC:", 200).collect::<String>();
    all.push(format!("NORMAL:{many}-AES-128-GCM"));
    for (k, keyword) in KEYWORDS.iter().enumerate() {
        all.push((*keyword).to_owned());
        all.extend(OPTIONS.iter().map(|option| format!("{keyword}:%{option}")));
        for (w, word) in WORDS.iter().enumerate() {
            for sign in ["+", "-", "!", ""] {
                all.push(format!("{keyword}:{sign}{word}"));
            }
            let other = WORDS[(w * 7 + k * 13 + 5) % WORDS.len()];
            let third = WORDS[(w * 11 + k * 3 + 1) % WORDS.len()];
            all.push(format!("{keyword}:-{word}:+{other}"));
            all.push(format!("{keyword}:+{word}:-{other}:+{third}"));
            all.push(format!("{keyword}:-VERS-ALL:+VERS-TLS1.2:+{word}:+{other}:-{third}"));
            all.push(format!("{keyword}:-CIPHER-ALL:-MAC-ALL:-KX-ALL:+{word}:+{other}:+{third}:+AEAD:+AES-128-GCM:+ECDHE-RSA"));
        }
    }
    all
}

/// What a library makes of a string, as text: the codes of its suites and its lists; or how it refuses.
fn own(text: &str, library: &Library) -> String {
    let list = |names: &[&str], lead: &str| {
        let names: Vec<String> = names.iter().map(|name| format!("{lead}{name}")).collect();
        if names.is_empty() { "none".to_owned() } else { names.join(", ") }
    };
    match priority(text, library, &System::default()) {
        Ok(priority) => {
            let suites: Vec<String> = priority.suites.iter().map(|suite| format!("{:04x}", suite.0)).collect();
            let lists = &priority.lists;
            [
                suites.join(" "),
                list(&lists.versions, "VERS-"),
                list(&lists.ciphers, ""),
                list(&lists.macs, ""),
                list(&lists.key_exchanges, ""),
                list(&lists.groups, "GROUP-"),
                list(&lists.signatures, "SIGN-"),
            ]
            .join("\n  ")
        }
        Err(Refused::NothingLeft) => "nothing left".to_owned(),
        Err(Refused::Word { word, at }) => {
            assert_eq!(text.get(at.unwrap()), Some(word.as_str()));
            format!("no word {word:?}")
        }
        Err(Refused::Keyword(keyword)) => format!("no word {:?}", format!("@{keyword}")),
    }
}

/// What `gnutls-cli --list` says, as the same text.
fn real(program: &str, text: &str) -> Option<String> {
    let output = Command::new(program)
        .args(["--list", "--priority", text])
        .env("GNUTLS_SYSTEM_PRIORITY_FILE", "/nonexistent")
        .output()
        .ok()?;
    let said = String::from_utf8_lossy(&output.stderr).into_owned() + &String::from_utf8_lossy(&output.stdout);
    if said.contains("No or insufficient priorities") {
        return Some("nothing left".to_owned());
    }
    if let Some((_, at)) = said.split_once("Syntax error at: ") {
        // It names what is left of the string from the word on, blanks before the word included.
        let word = at.split(['\n', ':']).next().unwrap_or_default().trim_start_matches(' ');
        return Some(format!("no word {word:?}"));
    }
    let code = |line: &str| {
        let (_, codes) = line.split_once("\t0x")?;
        let (high, rest) = codes.split_once(", 0x")?;
        Some(format!("{high}{}", rest.split('\t').next()?))
    };
    // Those that are there for DTLS alone are not what a hello of TLS has.
    let names_version = |version: &str| said.lines().any(|line| line.starts_with("Protocols: ") && line.contains(version));
    let highest = ["1.3", "1.2", "1.1", "1.0"].into_iter().find(|version| names_version(&format!("VERS-TLS{version}")));
    let in_tls = |line: &&str| {
        let lowest = line.rsplit_once("\tTLS").map_or("", |(_, lowest)| lowest);
        highest.is_some_and(|highest| lowest <= highest)
    };
    let suites: Vec<String> = said.lines().filter(in_tls).filter_map(code).collect();
    let list = |lead: &str| {
        let line = said.lines().find_map(|line| line.strip_prefix(lead)).unwrap_or_default();
        line.trim().trim_end_matches(',').to_owned()
    };
    let lists = ["Protocols: ", "Ciphers: ", "MACs: ", "Key Exchange Algorithms: ", "Groups: ", "PK-signatures: "].map(list);
    Some([suites.join(" ")].into_iter().chain(lists).collect::<Vec<_>>().join("\n  "))
}

/// What releases said: `= STRING`, then for each answer `@ RELEASE…` and its lines, `"` for the line of the answer before.
const MEASURED: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/gnutls_priority/measured.txt");

#[test]
fn strings_mean_what_seven_releases_made_of_them() {
    let text = std::fs::read_to_string(MEASURED).unwrap();
    let (mut string, mut before, mut compared): (&str, Vec<&str>, usize) = ("", Vec::new(), 0);
    for block in text.split("\n@ ") {
        let (block, next) = block.rsplit_once("\n= ").map_or((block, None), |(block, next)| (block, Some(next)));
        // What stands before the first string says where the rest comes from.
        if !string.is_empty() {
            let mut lines = block.lines();
            let releases = lines.next().unwrap();
            let mut answer: Vec<&str> = lines.collect();
            answer.iter_mut().zip(&before).filter(|(line, _)| **line == "\"").for_each(|(line, before)| *line = before);
            for release in releases.split(' ') {
                let own = own(string.trim_end_matches('$'), &Library::upstream(release.parse().unwrap()));
                assert_eq!(own, answer.join("\n  "), "{string} under GnuTLS {release}");
                compared += 1;
            }
            before = answer;
        }
        string = next.unwrap_or(string);
    }
    assert!(compared > 700, "{compared}");
}

/// Asks the programs of TLSWHY_GNUTLS_CLIS (paths with colons between) and writes what they say.
#[test]
#[ignore = "writes the file of the test above: it needs gnutls-cli of several releases"]
fn ask_several_releases() {
    let programs = std::env::var("TLSWHY_GNUTLS_CLIS").expect("paths of gnutls-cli");
    let programs: Vec<(String, &str)> = programs
        .split(':')
        .map(|program| {
            let said = Command::new(program).arg("--version").output().unwrap();
            (String::from_utf8_lossy(&said.stdout).parse::<Release>().unwrap().to_string(), program)
        })
        .collect();
    let mut written = "What gnutls-cli --list --priority STRING says, by release (`$` ends a string).\n".to_owned();
    let mut before: Vec<String> = Vec::new();
    for (_, text) in strings().iter().enumerate().filter(|(index, _)| *index < WRITTEN.len() || index % 199 == 0) {
        let mut answers: Vec<(String, Vec<&str>)> = Vec::new();
        for (release, program) in &programs {
            let answer = real(program, text).unwrap();
            match answers.iter_mut().find(|(known, _)| *known == answer) {
                Some((_, releases)) => releases.push(release),
                None => answers.push((answer, vec![release])),
            }
        }
        written += &format!("= {text}$\n");
        for (answer, releases) in answers {
            written += &format!("@ {}\n", releases.join(" "));
            let lines: Vec<String> = answer.split("\n  ").map(str::to_owned).collect();
            for (at, line) in lines.iter().enumerate() {
                let same = before.get(at).is_some_and(|before| before == line);
                written += &format!("{}\n", if same { "\"" } else { line });
            }
            before = lines;
        }
    }
    std::fs::write(MEASURED, written).unwrap();
}

#[test]
fn every_string_means_what_gnutls_cli_makes_of_it() {
    let program = std::env::var("TLSWHY_GNUTLS_CLI").unwrap_or_else(|_| "gnutls-cli".to_owned());
    let Ok(version) = Command::new(&program).arg("--version").output() else {
        return println!("skipped: no {program} here");
    };
    let release: Release = String::from_utf8_lossy(&version.stdout).parse().unwrap();
    if release < Release::new(3, 6, 13) {
        return println!("skipped: GnuTLS {release} is older than what is told");
    }
    let library = Library::upstream(release);
    // All of them with TLSWHY_ALL_STRINGS=1: each is a process.
    let every = if std::env::var_os("TLSWHY_ALL_STRINGS").is_some() { 1 } else { 9 };
    let (mut wrong, mut compared) = (Vec::new(), 0);
    for (index, text) in strings().iter().enumerate().filter(|(index, _)| *index <= WRITTEN.len() || index % every == 0) {
        let Some(real) = real(&program, text) else { continue };
        let own = own(text, &library);
        compared += 1;
        if own != real {
            wrong.push(format!("{index} {text}\n  real {real}\n  own  {own}"));
        }
    }
    println!("{compared} strings compared with GnuTLS {release}");
    let shown: Vec<String> = wrong.iter().take(8).cloned().collect();
    assert!(wrong.is_empty(), "{} of {compared} differ under GnuTLS {release}:\n{}", wrong.len(), shown.join("\n"));
    assert!(compared > 1000, "{compared}");
}
