//! No connection, no name; and peers of which nothing can be told for certain.

use crate::fake;
use crate::scenario::{BROKEN, Scenario, Seen};

const NOTHING: Seen = Seen { like: "", says: "", works_with: None };

const CLOSED: Scenario =
    Scenario { group: "port-closed", causes: &["port-closed"], seen: Seen { says: "errno=111", ..NOTHING }, ..BROKEN };
const TIMEOUT: Scenario = Scenario { group: "connect-timeout", causes: &["connect-timeout"], seen: NOTHING, ..BROKEN };
const NAME: Scenario = Scenario { group: "dns-failure", causes: &["dns-failure"], server_name: "", seen: NOTHING, ..BROKEN };

/// Nothing may be asserted: it may be the server, or what stands before it.
const OPEN: Scenario = Scenario { group: "undetermined", outcomes: &["undetermined", "fails"], budget: (16, 6), ..BROKEN };

pub(super) const SCENARIOS: &[Scenario] = &[
    Scenario { id: "port-closed-nobody-listens", start: |_| Ok(fake::closed()), ..CLOSED },
    Scenario {
        id: "port-closed-firewall-rejects",
        start: |_| fake::silent(),
        firewall: Some(
            "add table inet lab; add chain inet lab in { type filter hook input priority 0; }; add rule inet lab in tcp flags & (syn|ack) == syn reject with tcp reset",
        ),
        ..CLOSED
    },
    Scenario {
        id: "connect-timeout-full-queue",
        start: |_| fake::dropping(),
        seen: Seen { says: "(silence)", ..NOTHING },
        ..TIMEOUT
    },
    Scenario {
        id: "connect-timeout-firewall-drops",
        start: |_| Ok(fake::closed()),
        firewall: Some(
            "add table inet lab; add chain inet lab in { type filter hook input priority 0; }; add rule inet lab in tcp flags syn drop",
        ),
        ..TIMEOUT
    },
    Scenario { id: "dns-failure-no-such-name", start: |_| Ok(fake::closed()), target: "no-such-host.invalid:443", ..NAME },
    Scenario {
        id: "dns-failure-no-resolver",
        start: |_| Ok(fake::closed()),
        target: "https://good.example.test/",
        firewall: Some(""),
        ..NAME
    },
    Scenario { id: "undetermined-silent", start: |_| fake::silent(), seen: Seen { says: "(silence)", ..NOTHING }, ..OPEN },
    Scenario {
        id: "undetermined-closes-at-once",
        start: |_| fake::closing(false),
        seen: Seen { says: "CONNECTED", ..NOTHING },
        ..OPEN
    },
    Scenario {
        id: "undetermined-resets-at-once",
        start: |_| fake::closing(true),
        seen: Seen { says: "errno=104", ..NOTHING },
        ..OPEN
    },
    Scenario {
        id: "undetermined-closes-after-hello",
        start: |_| fake::closing_after_hello(false),
        seen: Seen { says: "unexpected eof", ..NOTHING },
        ..OPEN
    },
    Scenario {
        id: "undetermined-resets-after-hello",
        start: |_| fake::closing_after_hello(true),
        seen: Seen { says: "errno=104", ..NOTHING },
        ..OPEN
    },
    Scenario {
        id: "undetermined-endless-records",
        start: |_| fake::endless_records(),
        seen: Seen { says: ":error:", ..NOTHING },
        or_causes: &[&["not-tls"]],
        ..OPEN
    },
    Scenario {
        id: "undetermined-unlike-backends",
        // One of two answers as it should; whichever the client meets first proves nothing of intolerance.
        start: |lab| {
            let old = lab.nginx("rsa", "ssl_protocols TLSv1; ssl_ciphers ECDHE-RSA-AES128-SHA:@SECLEVEL=0;")?;
            fake::in_turn(vec![old, lab.nginx("rsa", "")?])
        },
        outcomes: &["undetermined"],
        forbidden: &[
            "server-version-outdated",
            "server-version-intolerant",
            "server-size-intolerant",
            "sni-unrecognized",
            "no-shared-cipher",
        ],
        seen: Seen { says: "legacy sigalg", works_with: None, like: "" },
        ..OPEN
    },
    Scenario {
        id: "undetermined-suites-without-their-keys",
        // Pre-shared-key suites and no keys: as from a certificate that fits no suite, every hello is refused.
        start: |lab| {
            lab.stunnel(
                "rsa",
                "sslVersionMax = TLSv1.2\nsecurityLevel = 0\nciphers = PSK-AES128-CBC-SHA:ECDHE-PSK-AES128-CBC-SHA",
            )
        },
        seen: Seen { like: "", says: "alert handshake failure", works_with: None },
        ..OPEN
    },
    Scenario {
        id: "undetermined-rate-limit",
        start: |lab| fake::rate_limited(lab.nginx("rsa", "")?, 3),
        outcomes: &["works", "undetermined"],
        forbidden: &["server-version-intolerant", "server-size-intolerant", "sni-unrecognized", "path-blocks-handshake"],
        seen: NOTHING,
        ..OPEN
    },
];
