//! Hand-made reports in every format, compared with files under `tests/golden`. `BLESS=1` writes those anew.

use std::path::Path;

use tlswhy_model::*;
use tlswhy_wire::{
    AlertDescription, AlertLevel, CipherSuite, ExtensionSpec, HelloSpec, NamedGroup, ProtocolVersion, SignatureScheme,
};

use super::{Format, Options, Position};

const ALONE: Position = Position { first: true, alone: true };

#[test]
fn a_healthy_server_takes_a_few_lines() {
    check("healthy", &healthy());
}

#[test]
fn what_a_server_accepts_takes_one_screen() {
    check("full", &full());
}

#[test]
fn what_changed_since_an_earlier_report_stands_alone() {
    check("changed", &changed());
}

#[test]
fn what_is_as_it_was_takes_a_few_lines() {
    let report = Report { taken_at: "2026-11-24T10:15:00Z".into(), ..full() };
    check("unchanged", &Report { changes: Some(tlswhy_core::changes(&full(), &report)), ..report });
}

#[test]
fn one_finding_says_what_why_and_how() {
    check("one", &one());
}

#[test]
fn layered_findings_say_what_comes_next() {
    check("layered", &layered());
}

#[test]
fn an_undetermined_failure_lists_its_questions() {
    check("undetermined", &undetermined());
}

#[test]
fn a_fault_of_the_certificates_shows_them() {
    check("chain", &incomplete());
}

#[test]
fn what_the_other_side_says_stays_text() {
    let report = hostile();
    check("hostile", &report);
    for format in [Format::Human, Format::Json, Format::Markdown, Format::Html] {
        let text = rendered(format, &report, true);
        assert!(!text.contains(['\u{1b}', '\u{9b}', '\u{202e}', '\u{7}']), "{format:?}");
    }
    assert!(!rendered(Format::Html, &report, true).contains("<script>"));
    let markdown = rendered(Format::Markdown, &report, true);
    for event in pulldown_cmark::Parser::new_ext(&markdown, pulldown_cmark::Options::ENABLE_TABLES) {
        use pulldown_cmark::{Event, HeadingLevel, Tag};
        match event {
            Event::Html(html) | Event::InlineHtml(html) => panic!("{html}"),
            Event::Start(Tag::Link { dest_url, .. } | Tag::Image { dest_url, .. }) => {
                panic!("{dest_url}")
            }
            Event::Start(Tag::Heading { level, .. }) => assert!(level <= HeadingLevel::H2),
            Event::Text(text) => assert_ne!(&*text, "h", "a heading of theirs"),
            _ => {}
        }
    }
}

#[test]
fn several_reports_are_apart_in_every_format() {
    let written = |format| {
        let (mut out, options) = (Vec::new(), Options { width: 80, verbose: false });
        for index in 0..2 {
            super::write(
                format,
                &healthy(),
                &healthy().evidence,
                Position { first: index == 0, alone: false },
                options,
                &mut out,
            )
            .unwrap();
        }
        super::end(format, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    };
    assert_eq!(written(Format::Json).lines().count(), 2);
    assert_eq!(written(Format::Html).matches("</html>").count(), 1);
    assert_eq!(written(Format::Html).matches("<!DOCTYPE").count(), 1);
    assert_eq!(written(Format::Markdown).matches("\n---\n").count(), 1);
    assert_eq!(anstream::adapter::strip_str(&written(Format::Human)).to_string().matches("\n\nWorks:").count(), 1);
}

#[test]
fn lines_fit_the_terminal_unless_they_are_commands() {
    for width in [60, 80, 100] {
        let mut out = Vec::new();
        let options = Options { width, verbose: true };
        super::write(Format::Human, &layered(), &layered().evidence, ALONE, options, &mut out).unwrap();
        let text = anstream::adapter::strip_str(&String::from_utf8(out).unwrap()).to_string();
        let is_command = |line: &&str| line.contains("openssl") || line.contains("curl") || line.contains('`');
        for line in text.lines().filter(|line| !is_command(line)) {
            assert!(!line.trim().contains(' ') || line.chars().count() <= width, "{width}: {line}");
        }
    }
}

fn check(name: &str, report: &Report) {
    compare(&format!("{name}.txt"), &rendered(Format::Human, report, false));
    compare(&format!("{name}-verbose.txt"), &rendered(Format::Human, report, true));
    compare(&format!("{name}.md"), &rendered(Format::Markdown, report, false));
    compare(&format!("{name}.html"), &rendered(Format::Html, report, false));
    compare(&format!("{name}.junit.xml"), &rendered(Format::Junit, report, false));
    compare(&format!("{name}.sarif"), &rendered(Format::Sarif, report, false));
    compare(&format!("{name}.json"), &rendered(Format::Json, report, false));
    let read: Report = serde_json::from_str(&rendered(Format::Json, report, false)).unwrap();
    assert_eq!(&read, report);
}

fn rendered(format: Format, report: &Report, verbose: bool) -> String {
    let mut out = Vec::new();
    super::write(format, report, &report.evidence, ALONE, Options { width: 80, verbose }, &mut out).unwrap();
    super::end(format, &mut out).unwrap();
    let text = String::from_utf8(out).unwrap();
    match format {
        Format::Human => anstream::adapter::strip_str(&text).to_string(),
        _ => text,
    }
}

fn compare(file: &str, made: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(file);
    if std::env::var_os("BLESS").is_some() {
        std::fs::write(&path, made).unwrap();
    }
    let expected = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(expected == made, "{} differs; run the tests with BLESS=1 and look at the difference\n{made}", path.display());
}

fn healthy() -> Report {
    let subject = subject("www.example.test", 443);
    let clients = vec![
        works("android-4.4", ProtocolVersion::TLSV1_2, CipherSuite::TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA),
        works("chrome-142", ProtocolVersion::TLSV1_3, CipherSuite::TLS_AES_128_GCM_SHA256),
        works("curl-8", ProtocolVersion::TLSV1_3, CipherSuite::TLS_AES_256_GCM_SHA384),
        works("java-8u151", ProtocolVersion::TLSV1_2, CipherSuite::TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256),
    ];
    let attempts = vec![attempt(1, modern("www.example.test"), Ending::Completed)];
    let summary = "www.example.test answers this client with TLSv1.3, TLS_AES_256_GCM_SHA384 and x25519";
    Report { clients, ..report(subject, Outcome::Works, summary, attempts) }
}

fn full() -> Report {
    let accepted = |names: &[&str], weaknesses: &[&str]| {
        let value = |name: &&str| AcceptedValue {
            name: (*name).to_owned(),
            attempt: 7,
            weaknesses: weaknesses.iter().map(|code| (*code).to_owned()).collect(),
        };
        names.iter().map(value).collect::<Vec<_>>()
    };
    let values = |names: &[&str]| ValuesView { accepted: accepted(names, &[]), ..ValuesView::default() };
    let version = |version, acceptance| VersionView {
        version,
        acceptance,
        attempt: Some(7),
        says: (acceptance != Acceptance::Accepted).then(|| "silence for 3000 ms in answer to the ClientHello".to_owned()),
        cipher_suites: ValuesView::default(),
        suite_order: None,
        chacha_first: None,
        groups: ValuesView::default(),
        signature_schemes: ValuesView::default(),
    };
    let old = ValuesView {
        accepted: [
            accepted(&["TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"; 14], &[]),
            accepted(&["TLS_RSA_WITH_3DES_EDE_CBC_SHA"], &["64-bit-block", "no-forward-secrecy"]),
        ]
        .concat(),
        refused: vec!["TLS_RSA_WITH_RC4_128_SHA".into()],
        refused_in: Some(9),
        untested: vec!["TLS_NULL_WITH_NULL_NULL".into()],
    };
    let feature = |name: &str, acceptance, says: Option<&str>| FeatureView {
        name: name.into(),
        acceptance,
        attempt: Some(9),
        says: says.map(str::to_owned),
    };
    let server = ServerView {
        versions: vec![
            VersionView {
                cipher_suites: values(&["TLS_AES_128_GCM_SHA256"]),
                groups: values(&["x25519", "secp256r1"]),
                signature_schemes: values(&["rsa_pss_rsae_sha256"]),
                ..version(ProtocolVersion::TLSV1_3, Acceptance::Accepted)
            },
            VersionView {
                cipher_suites: old.clone(),
                suite_order: Some(OrderView::Server),
                chacha_first: Some(true),
                ..version(ProtocolVersion::TLSV1_2, Acceptance::Accepted)
            },
            VersionView { cipher_suites: old, ..version(ProtocolVersion::TLSV1_1, Acceptance::Accepted) },
            version(ProtocolVersion::TLSV1_0, Acceptance::Refused),
            version(ProtocolVersion::SSLV3, Acceptance::Untested),
        ],
        application_protocols: values(&["h2", "http/1.1"]),
        certificates: Vec::new(),
        smallest_prime: Some(PrimeView {
            bits: 1024,
            attempt: 9,
            known_as: Some("Oakley group 2 (RFC 2409 §6.2)".into()),
            is_safe: Some(true),
            reuses_key: Some(true),
        }),
        features: vec![
            feature("session-tickets", Acceptance::Accepted, None),
            feature("strict-transport-security", Acceptance::Accepted, Some("max-age=63072000")),
            feature("heartbeat", Acceptance::Refused, Some("offered in 14 handshakes")),
            feature("fallback-scsv", Acceptance::Untested, None),
        ],
        quirks: vec![
            feature("unknown-suite", Acceptance::Accepted, None),
            feature("length-256-to-511", Acceptance::Refused, Some("reset; attempt 8, a hello without it, is answered")),
            feature("two-segments", Acceptance::Untested, Some("silence; attempt 8, a hello without it, is answered")),
            feature("unknown-version", Acceptance::Untested, None),
        ],
        vulnerabilities: vec![
            feature("heartbleed", Acceptance::Accepted, Some("to a heartbeat of 16 bytes it answered with 32")),
            feature("early-ccs", Acceptance::Refused, None),
            feature("client-renegotiation", Acceptance::Untested, None),
        ],
        client_certificate: Some(ClientCertificateView {
            attempt: 7,
            required: Some(false),
            authorities: vec!["CN=Example CA".into()],
        }),
    };
    let rule = |rule: &str, wants: &str, result| RuleView {
        rule: rule.into(),
        wants: wants.into(),
        result,
        says: String::new(),
        values: Vec::new(),
        attempts: vec![7, 9],
        certificates: Vec::new(),
    };
    let weak = "TLS_RSA_WITH_3DES_EDE_CBC_SHA at TLSv1.2";
    let policy = PolicyView {
        name: "mozilla".into(),
        title: "Mozilla's guideline".into(),
        source: Some("https://ssl-config.mozilla.org/".into()),
        date: Some("2026-04-06".into()),
        withdrawn: false,
        result: RuleResult::Fail,
        rules: vec![
            RuleView {
                says: "open: SSLv3 (untested)".into(),
                values: vec!["SSLv3 (untested)".into()],
                ..rule("versions", "no version but TLSv1.2, TLSv1.3", RuleResult::NotJudged)
            },
            RuleView {
                says: format!("found: {weak}"),
                values: vec![weak.into()],
                ..rule("cipher-suites", "up to TLSv1.2 no suite but the 6 listed", RuleResult::Fail)
            },
            RuleView {
                certificates: vec!["5f".repeat(32)],
                ..rule("rsa-bits", "RSA keys with at least 2048 bits", RuleResult::Pass)
            },
        ],
        beyond: vec!["HSTS for two years".into()],
    };
    Report { server: Some(server), policies: vec![policy], ..healthy() }
}

/// [`full`], without TLS 1.1 and 3DES and with another certificate than before, and a fault of its own.
fn changed() -> Report {
    let mut report = full();
    let certificate = |sha256: &str, until: &str| ShownCertificate {
        attempt: 7,
        certificate: CertificateView {
            sha256: sha256.repeat(32),
            subject: "CN=www.example.test".into(),
            key: "ECDSA-P-256".into(),
            not_after: until.into(),
            ..CertificateView::default()
        },
    };
    let mut before = report.clone();
    before.chain = Some(ChainView::default());
    report.chain = before.chain.clone();
    before.notices = vec![
        Notice { code: "64-bit-block".into(), says: "It accepts 1 suite with blocks of 64 bits".into() },
        Notice { code: "ends-soon".into(), says: "9 days left".into() },
    ];
    report.notices = vec![Notice { code: "ends-soon".into(), says: "8 days left".into() }];
    let view = report.server.as_mut().unwrap();
    before.server.as_mut().unwrap().certificates = vec![certificate("5f", "2026-12-02T00:00:00Z")];
    view.certificates = vec![certificate("60", "2027-03-02T00:00:00Z")];
    view.versions[2].acceptance = Acceptance::Refused;
    let suites = &mut view.versions[1].cipher_suites;
    let gone = suites.accepted.pop().unwrap();
    suites.refused.push(gone.name);
    view.versions[0].groups.accepted.remove(1);
    view.versions[0].groups.refused.push("secp256r1".into());
    view.features[2].acceptance = Acceptance::Accepted;
    view.vulnerabilities[0].acceptance = Acceptance::Refused;
    let mut other = report.policies[0].clone();
    let rules = &mut report.policies[0].rules;
    rules[1] = RuleView { result: RuleResult::Pass, says: String::new(), values: Vec::new(), ..rules[1].clone() };
    other.name = "our-own".into();
    report.policies.push(other);
    report.findings = one().findings;
    report.outcome = Outcome::Fails;
    report.clients[0] = fails("android-4.4", "server-version-outdated");
    report.changes = Some(tlswhy_core::changes(&before, &report));
    report
}

fn one() -> Report {
    let mut subject = subject("mail.example.test", 587);
    subject.target = "smtp://mail.example.test:587".into();
    subject.upgrade = Some("smtp".into());
    let finding = Finding {
        order: 1,
        explains: Vec::new(),
        reproduce: vec!["openssl s_client -connect mail.example.test:587 -starttls smtp -servername mail.example.test -tls1_1 -cipher DEFAULT@SECLEVEL=0".into()],
        remedies: vec![
            raise_versions(None),
            Remedy {
                party: Party::Client,
                safety: Safety::Weakens,
                summary: "let this client speak TLS 1.1, which has been broken for years and is banned by RFC 8996".into(),
                steps: vec!["In `openssl.cnf` set `MinProtocol = TLSv1.1` and `CipherString = DEFAULT@SECLEVEL=0`.".into()],
                edits: Vec::new(),
                check: Vec::new(),
                reload: Vec::new(),
                why_it_works: "Both sides then share TLSv1.1.".into(),
                predicts: None,
            },
        ],
        ..outdated()
    };
    let attempts = vec![
        attempt(1, modern("mail.example.test"), protocol_version_alert()),
        attempt(2, old("mail.example.test"), Ending::Answered),
    ];
    let clients = vec![
        works("android-4.4", ProtocolVersion::TLSV1_1, CipherSuite::TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA),
        fails("chrome-142", "server-version-outdated"),
        fails("curl-8", "server-version-outdated"),
        works("java-8u151", ProtocolVersion::TLSV1_1, CipherSuite::TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA),
    ];
    let summary = "mail.example.test speaks nothing newer than TLS 1.1, and this client wants TLS 1.2 or newer";
    Report { findings: vec![finding], clients, ..failed(subject, "server-version-outdated", summary, attempts) }
}

fn layered() -> Report {
    let mut first = outdated();
    first.remedies = vec![raise_versions(Some(ProtocolVersion::TLSV1_2))];
    let cipher = Finding {
        cause: "no-shared-cipher".into(),
        family: "cipher".into(),
        order: 2,
        confidence: Confidence::Inferred,
        title: "No cipher suite in common in TLS 1.2".into(),
        diagnosis: "Below TLS 1.2 the server accepts only `TLS_RSA_WITH_RC4_128_SHA` and `TLS_RSA_WITH_3DES_EDE_CBC_SHA`; this client offers neither.".into(),
        why_it_fails: "Once a version is agreed the server must choose a suite from the client's list, and none of its own is on it".into(),
        explains: Vec::new(),
        exhibits: vec![
            Exhibit::Setting { name: "cipher_suites".into(), value: "RC4, 3DES".into(), origin: "attempts 4 to 6".into(), says: "all that the server accepts".into() },
            Exhibit::Ending { attempt: 5, says: "alert handshake_failure for a hello with every AEAD suite".into() },
        ],
        remedies: vec![Remedy {
            summary: "allow ECDHE suites with AES-GCM or ChaCha20 on the server".into(),
            steps: vec!["nginx: `ssl_ciphers ECDHE+AESGCM:ECDHE+CHACHA20;`".into(), "Apache: `SSLCipherSuite ECDHE+AESGCM:ECDHE+CHACHA20`".into()],
            why_it_works: "This client offers `TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384`, and the server's RSA certificate can be used with it".into(),
            ..raise_versions(Some(ProtocolVersion::TLSV1_2))
        }],
        ..outdated()
    };
    let client_certificate = Finding {
        cause: "client-certificate-required".into(),
        family: "client".into(),
        party: Party::Client,
        stage: Stage::ClientAuth,
        order: 3,
        confidence: Confidence::Observed,
        title: "The server wants a client certificate".into(),
        diagnosis: "It sends CertificateRequest and ends the handshake when it gets an empty certificate.".into(),
        why_it_fails: "Without a certificate from one of the named authorities it lets nobody in".into(),
        explains: vec!["alpn-mismatch".into()],
        exhibits: vec![Exhibit::Message {
            attempt: 6,
            direction: Direction::FromServer,
            layer: Layer::Decrypted,
            start: 120,
            end: 124,
            hex: Bytes(vec![0x0d, 0, 0, 0x2a]),
            field: "CertificateRequest.certificate_authorities".into(),
            says: "CN=Example Staff CA, O=Example".into(),
        }],
        remedies: vec![Remedy {
            party: Party::Client,
            safety: Safety::Manual,
            summary: "give the client a certificate that CN=Example Staff CA has signed".into(),
            steps: vec!["curl: `--cert FILE --key FILE`".into()],
            edits: Vec::new(),
            check: Vec::new(),
            reload: Vec::new(),
            why_it_works: "The server checks nothing else about the client at this stage".into(),
            predicts: Some(Prediction {
                version: Some(ProtocolVersion::TLSV1_2),
                cipher_suite: Some(CipherSuite::TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384),
                group: Some(NamedGroup::X25519),
            }),
        }],
        reproduce: vec!["curl -v https://old.example.test:8443/ --cert client.pem".into()],
        references: vec!["RFC 8446 §4.3.2".into()],
        ..outdated()
    };
    let attempts = vec![
        attempt(1, modern("old.example.test"), protocol_version_alert()),
        attempt(2, old("old.example.test"), Ending::Answered),
        attempt(
            3,
            old("old.example.test").with_alpn(&["h2", "http/1.1"]),
            Ending::TimedOut { awaited: Awaited::ServerHello, waited_ms: 3000 },
        ),
    ];
    let names = [
        "android-4.4",
        "chrome-142",
        "curl-8",
        "dotnet-8",
        "firefox-145",
        "go-1.25",
        "java-17",
        "java-8u151",
        "python-3.13",
        "safari-26",
    ];
    let mut clients: Vec<_> = names.iter().map(|name| fails(name, "server-version-outdated")).collect();
    clients[0].cause = Some("no-shared-cipher".into());
    clients[7].outcome = Outcome::Undetermined;
    clients[7].cause = None;
    clients[7].says = Some("the server's groups were not asked for".into());
    let summary = "old.example.test speaks nothing newer than TLS 1.1, and two more obstacles wait behind that";
    Report {
        findings: vec![first, cipher, client_certificate],
        clients,
        ..failed(subject("old.example.test", 8443), "server-version-outdated", summary, attempts)
    }
}

fn undetermined() -> Report {
    let mut subject = subject("silent.example.test", 443);
    subject.via = Some("socks5://127.0.0.1:1080".into());
    subject.server_name = None;
    let attempts = vec![attempt(1, modern("silent.example.test"), Ending::Reset { awaited: Awaited::ServerHello })];
    let open_questions = vec![OpenQuestion {
        question: "Does the same hello get an answer from another network?".into(),
        decides: vec!["path-blocks-handshake".into(), "server-size-intolerant".into()],
        how: "Run `tlswhy silent.example.test --sni none` from a machine elsewhere, for instance from inside the server's own network.".into(),
    }];
    let summary = "every hello is answered with a reset, and nothing that was varied changed that";
    let addresses = vec![
        AddressOutcome {
            address: "192.0.2.7:443".into(),
            outcome: Outcome::Fails,
            root_cause: Some("port-closed".into()),
            says: "the port refuses connections".into(),
        },
        AddressOutcome {
            address: "[2001:db8::7]:443".into(),
            outcome: Outcome::Works,
            root_cause: None,
            says: "TLSv1.3".into(),
        },
    ];
    Report { open_questions, addresses, ..report(subject, Outcome::Undetermined, summary, attempts) }
}

fn incomplete() -> Report {
    let finding = Finding {
        cause: "chain-incomplete".into(),
        family: "certificate".into(),
        stage: Stage::Authenticate,
        confidence: Confidence::Inferred,
        title: "The server does not send the intermediate certificate `CN=Example R1`".into(),
        diagnosis: "It sends one certificate, issued by `CN=Example R1`, which is neither sent nor trusted by itself.".into(),
        why_it_fails: "This client does not fetch what is missing".into(),
        explains: Vec::new(),
        exhibits: Vec::new(),
        references: vec!["RFC 5246 §7.4.2".into()],
        reproduce: vec!["openssl s_client -connect www.example.test:443 -servername www.example.test -showcerts".into()],
        ..outdated()
    };
    let notices =
        vec![Notice { code: "caa".into(), says: "The CAA record of example.test allows only `ca.example.test`".into() }];
    let summary = "www.example.test does not send the intermediate certificate that its own certificate needs";
    let attempts = vec![attempt(1, modern("www.example.test"), Ending::Completed)];
    Report {
        findings: vec![finding],
        chain: Some(chain_view()),
        notices,
        ..failed(subject("www.example.test", 443), "chain-incomplete", summary, attempts)
    }
}

fn chain_view() -> ChainView {
    let leaf = CertificateView {
        sha256: "a1".repeat(32),
        place: Some(0),
        subject: "CN=www.example.test".into(),
        issuer: "CN=Example R1".into(),
        serial: "0a1b".into(),
        not_before: "2026-10-01T00:00:00Z".into(),
        not_after: "2026-12-01T00:00:00Z".into(),
        days_left: 7,
        key: "ECDSA (P-256)".into(),
        signature: "sha256WithRSAEncryption".into(),
        names: vec!["www.example.test".into(), "example.test".into()],
        spki_sha256: "b2".repeat(32),
        ..CertificateView::default()
    };
    let issuer = CertificateView {
        sha256: "c3".repeat(32),
        place: None,
        source: Some("http://ca.example.test/r1.der".into()),
        subject: "CN=Example R1".into(),
        issuer: "CN=Example Root".into(),
        not_after: "2030-12-01T00:00:00Z".into(),
        days_left: 1468,
        key: "RSA-2048".into(),
        names: Vec::new(),
        ca: true,
        ..leaf.clone()
    };
    let root = CertificateView {
        sha256: "d4".repeat(32),
        source: Some("system".into()),
        subject: "CN=Example Root".into(),
        remarks: vec!["self-signed".into()],
        ..issuer.clone()
    };
    let path = |sha256: &[&str]| sha256.iter().map(|digits| digits.repeat(32)).collect();
    ChainView {
        certificates: vec![leaf, issuer, root],
        stores: vec![
            StoreView {
                store: "system".into(),
                source: "/etc/ssl/certs/ca-certificates.crt".into(),
                trusted: true,
                path: path(&["a1", "c3", "d4"]),
                says: "once the intermediate is there".into(),
            },
            StoreView {
                store: "java".into(),
                source: "/etc/ssl/certs/java/cacerts".into(),
                trusted: false,
                path: path(&["a1", "c3"]),
                says: "no anchor for CN=Example Root".into(),
            },
        ],
    }
}

/// Everything that could be quoted from the other side tries to leave its place.
fn hostile() -> Report {
    let evil = "\u{1b}[2J\u{9b}31m\u{202e}\u{7}<script>alert(1)</script> `rm` | **b** [x](http://e.test) <!-- -->\n# h\n```";
    let mut report = one();
    report.subject.target = evil.into();
    report.subject.via = Some(evil.into());
    report.summary = evil.into();
    report.taken_at = evil.into();
    for finding in &mut report.findings {
        finding.title = evil.into();
        finding.diagnosis = evil.into();
        finding.cause = evil.into();
        finding.affects = vec![evil.into()];
        finding.explains = vec![evil.into()];
        finding.references = vec![evil.into()];
        finding.exhibits.push(Exhibit::Complaint { text: evil.into(), says: evil.into() });
        finding.remedies[0].steps = vec![evil.into()];
        finding.remedies[0].check = vec![evil.into()];
        finding.remedies[0].edits = vec![Edit { path: evil.into(), start: 0, end: 1, new: evil.into(), diff: evil.into() }];
        finding.reproduce = vec![evil.into()];
    }
    report.clients[0].name = evil.into();
    report.clients[1].says = Some(evil.into());
    report.addresses = vec![AddressOutcome {
        address: evil.into(),
        outcome: Outcome::Fails,
        root_cause: Some(evil.into()),
        says: evil.into(),
    }];
    let mut chain = chain_view();
    for certificate in &mut chain.certificates {
        (certificate.subject, certificate.issuer) = (evil.into(), evil.into());
        (certificate.key, certificate.signature, certificate.serial) = (evil.into(), evil.into(), evil.into());
        (certificate.not_after, certificate.source) = (evil.into(), Some(evil.into()));
        (certificate.names, certificate.remarks) = (vec![evil.into()], vec![evil.into()]);
    }
    for store in &mut chain.stores {
        (store.store, store.source, store.says) = (evil.into(), evil.into(), evil.into());
    }
    report.chain = Some(chain);
    report.notices = vec![Notice { code: evil.into(), says: evil.into() }];
    report.findings[0].family = "certificate".into();
    report.open_questions = vec![OpenQuestion { question: evil.into(), decides: vec![evil.into()], how: evil.into() }];
    report.evidence.attempts[0].ending = Ending::NotTls { protocol: Some(evil.into()), upgrade: None, detail: evil.into() };
    report.evidence.attempts[1].address = Some(evil.into());
    report
}

fn outdated() -> Finding {
    Finding {
        cause: "server-version-outdated".into(),
        family: "server".into(),
        party: Party::Server,
        stage: Stage::Negotiate,
        order: 1,
        impact: Impact::Blocks,
        confidence: Confidence::Confirmed,
        title: "The server accepts nothing newer than TLS 1.1".into(),
        diagnosis: "It answers a hello for TLS 1.2 and 1.3 with the alert protocol_version, and the same hello for TLS 1.1 with ServerHello.".into(),
        why_it_fails: "This client (OpenSSL 3.0 with security level 2) accepts nothing older than TLS 1.2, so no version is left that both sides speak".into(),
        explains: vec!["no-shared-signature-algorithm".into()],
        affects: Vec::new(),
        exhibits: vec![
            Exhibit::Contrast {
                fails: 1,
                works: 2,
                differs_in: vec!["legacy_version".into(), "supported_versions".into()],
                says: "with TLS 1.1 the server goes on".into(),
            },
            Exhibit::Message {
                attempt: 1,
                direction: Direction::FromServer,
                layer: Layer::Wire,
                start: 5,
                end: 7,
                hex: Bytes(vec![2, 70]),
                field: "Alert.description".into(),
                says: "protocol_version (70)".into(),
            },
        ],
        remedies: Vec::new(),
        reproduce: vec!["openssl s_client -connect old.example.test:8443 -servername old.example.test -tls1_2".into()],
        references: vec!["RFC 8996".into(), "RFC 8446 §4.2.1".into()],
    }
}

fn raise_versions(predicted: Option<ProtocolVersion>) -> Remedy {
    Remedy {
        party: Party::Server,
        safety: Safety::Safe,
        summary: "switch on TLS 1.2 and TLS 1.3 on the server".into(),
        steps: vec![
            "nginx: `ssl_protocols TLSv1.2 TLSv1.3;` in the default server block of the listening socket, then `nginx -s reload`.".into(),
            "Postfix: `smtpd_tls_mandatory_protocols = >=TLSv1.2`".into(),
            "Where the software is too old for TLS 1.2 (OpenSSL before 1.0.1), update it.".into(),
        ],
        edits: Vec::new(),
        check: Vec::new(),
        reload: Vec::new(),
        why_it_works: "TLS 1.2 and 1.3 are then in both sides' range".into(),
        predicts: Some(Prediction {
            version: predicted.or(Some(ProtocolVersion::TLSV1_3)),
            cipher_suite: Some(CipherSuite::TLS_AES_256_GCM_SHA384),
            group: Some(NamedGroup::X25519),
        }),
    }
}

fn protocol_version_alert() -> Ending {
    Ending::Alert {
        level: AlertLevel::FATAL,
        description: AlertDescription::PROTOCOL_VERSION,
        awaited: Awaited::ServerHello,
        encrypted: false,
    }
}

fn modern(name: &str) -> HelloSpec {
    HelloSpec {
        cipher_suites: vec![CipherSuite::TLS_AES_256_GCM_SHA384, CipherSuite::TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384],
        extensions: Some(vec![
            ExtensionSpec::ServerName(name.into()),
            ExtensionSpec::SupportedVersions(vec![ProtocolVersion::TLSV1_3, ProtocolVersion::TLSV1_2]),
            ExtensionSpec::SupportedGroups(vec![NamedGroup::X25519, NamedGroup::SECP256R1]),
            ExtensionSpec::KeyShare(vec![NamedGroup::X25519]),
            ExtensionSpec::SignatureAlgorithms(vec![SignatureScheme::RSA_PSS_RSAE_SHA256]),
        ]),
        ..HelloSpec::default()
    }
}

fn old(name: &str) -> HelloSpec {
    modern(name).with_versions(&[ProtocolVersion::TLSV1_1])
}

fn attempt(id: u32, hello: HelloSpec, ending: Ending) -> Attempt {
    Attempt {
        id,
        round: 1,
        probe: Probe {
            host: "example.test".into(),
            port: 443,
            address: None,
            upgrade: None,
            opening: Opening::Hello { hello },
            depth: Depth::Finish,
            with_identity: false,
            trial: None,
            repetition: 0,
        },
        address: Some("192.0.2.7:443".into()),
        timing: Timing { started_ms: 2.0, ended_ms: 14.2, ..Timing::default() },
        dialogue: Vec::new(),
        sent: Bytes(vec![0x16, 3, 1]),
        received: Bytes(vec![0x15, 3, 1, 0, 2, 2, 70]),
        decrypted: None,
        application: None,
        ending,
        remarks: Vec::new(),
        forged_reset: Vec::new(),
    }
}

fn subject(host: &str, port: u16) -> Subject {
    Subject {
        target: format!("{host}:{port}"),
        host: host.into(),
        port,
        address: Some(format!("192.0.2.7:{port}")),
        server_name: Some(host.into()),
        client: "OpenSSL 3.0.17 (this machine)".into(),
        ..Subject::default()
    }
}

fn failed(subject: Subject, cause: &str, summary: &str, attempts: Vec<Attempt>) -> Report {
    Report { root_cause: Some(cause.into()), ..report(subject, Outcome::Fails, summary, attempts) }
}

fn report(subject: Subject, outcome: Outcome, summary: &str, attempts: Vec<Attempt>) -> Report {
    let tool = Tool { name: "tlswhy".into(), version: "0.1.0".into() };
    Report {
        format: REPORT_FORMAT.into(),
        format_version: FORMAT_VERSION.into(),
        tool: tool.clone(),
        subject: subject.clone(),
        taken_at: "2026-11-23T10:15:00Z".into(),
        outcome,
        root_cause: None,
        summary: summary.into(),
        findings: Vec::new(),
        clients: Vec::new(),
        addresses: Vec::new(),
        server: None,
        policies: Vec::new(),
        changes: None,
        paths: Vec::new(),
        chain: None,
        notices: Vec::new(),
        open_questions: Vec::new(),
        cost: Cost { connections: 2, rounds: 1, sent_bytes: 1034, received_bytes: 5820, elapsed_ms: 34 },
        evidence: Evidence {
            format: EVIDENCE_FORMAT.into(),
            format_version: FORMAT_VERSION.into(),
            tool,
            started_at: "2026-11-23T10:15:00Z".into(),
            subject,
            resolution: None,
            clients: Vec::new(),
            trust: None,
            stores: Vec::new(),
            known_certificates: Vec::new(),
            expected_keys: Vec::new(),
            fetched: Vec::new(),
            records: Vec::new(),
            configurations: Vec::new(),
            files: Vec::new(),
            software: Vec::new(),
            identity: None,
            attempts,
            paths: Vec::new(),
            all_addresses: false,
            full: false,
            watched: false,
            redacted: false,
        },
    }
}

fn works(name: &str, version: ProtocolVersion, suite: CipherSuite) -> ClientOutcome {
    ClientOutcome { outcome: Outcome::Works, version: Some(version), cipher_suite: Some(suite), cause: None, ..fails(name, "") }
}

fn fails(name: &str, cause: &str) -> ClientOutcome {
    ClientOutcome {
        name: name.into(),
        outcome: Outcome::Fails,
        version: None,
        cipher_suite: None,
        cause: Some(cause.into()),
        says: None,
        replayed: false,
    }
}
