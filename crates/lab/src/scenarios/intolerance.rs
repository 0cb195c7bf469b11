//! Servers that break on a hello where they ought to negotiate.

use super::versions::CHROME;
use crate::fake::{self, Verdict};
use crate::scenario::{BROKEN, Scenario, Seen};

const VERSION: Scenario = Scenario { group: "server-version-intolerant", causes: &["server-version-intolerant"], ..BROKEN };
const SIZE: Scenario = Scenario { group: "server-size-intolerant", causes: &["server-size-intolerant"], ..BROKEN };

/// Enough protocol names to make a hello of more than 511 bytes.
const LONG: &str = "-alpn aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa,\
bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb,cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc,\
dddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddd,eeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeee,http/1.1";
/// A hello with little in it, still with TLS 1.3.
const SHORT: &str =
    "-cipher ECDHE-RSA-AES128-GCM-SHA256 -ciphersuites TLS_AES_128_GCM_SHA256 -groups X25519 -sigalgs RSA-PSS+SHA256";

fn tls12(lab: &crate::Lab) -> crate::programs::Started {
    lab.nginx("rsa", "ssl_protocols TLSv1.2;")
}

/// This nginx knows no TLS 1.3 unless told.
const BOTH: &str = "ssl_protocols TLSv1.2 TLSv1.3;";

pub(super) const SCENARIOS: &[Scenario] = &[
    Scenario {
        id: "server-version-intolerant-closes",
        start: |lab| {
            fake::relay(tls12(lab)?, |hello| if hello.versions.is_empty() { Verdict::Forward } else { Verdict::Close })
        },
        seen: Seen { like: "", says: "unexpected eof", works_with: Some("-tls1_2") },
        ..VERSION
    },
    Scenario {
        id: "server-version-intolerant-protocol-version-alert",
        start: |lab| {
            let rule = |hello: &fake::Hello| {
                if hello.versions.contains(&0x0304) { Verdict::Alert(70) } else { Verdict::Forward }
            };
            fake::relay(tls12(lab)?, rule)
        },
        seen: Seen { like: "", says: "alert protocol version", works_with: Some("-tls1_2") },
        ..VERSION
    },
    Scenario {
        id: "server-version-intolerant-handshake-failure-alert",
        start: |lab| {
            let rule = |hello: &fake::Hello| {
                if hello.versions.contains(&0x0304) { Verdict::Alert(40) } else { Verdict::Forward }
            };
            fake::relay(lab.s_server("ecdsa", "-tls1_2")?, rule)
        },
        seen: Seen { like: "", says: "alert handshake failure", works_with: Some("-tls1_2") },
        ..VERSION
    },
    Scenario {
        id: "server-version-intolerant-reset",
        start: |lab| {
            let rule = |hello: &fake::Hello| {
                if hello.versions.contains(&0x0304) { Verdict::Reset } else { Verdict::Forward }
            };
            fake::relay(lab.haproxy("rsa", "ssl-max-ver TLSv1.2", "")?, rule)
        },
        seen: Seen { like: "", says: "errno=104", works_with: Some("-tls1_2") },
        ..VERSION
    },
    Scenario {
        id: "server-version-intolerant-silent",
        start: |lab| {
            let rule = |hello: &fake::Hello| {
                if hello.versions.contains(&0x0304) { Verdict::Silence } else { Verdict::Forward }
            };
            fake::relay(tls12(lab)?, rule)
        },
        seen: Seen { like: "", says: "(silence)", works_with: Some("-tls1_2") },
        ..VERSION
    },
    Scenario {
        id: "server-version-intolerant-not-but-no-signature-in-1.3",
        // Its RSA key makes rsa_pss_rsae alone; in TLS 1.2 the key exchange of TLS_RSA needs no signature.
        start: |lab| lab.gnutls_serv("rsa", "--priority NORMAL:-SIGN-ALL:+SIGN-RSA-PSS-SHA256"),
        outcomes: &["undetermined"],
        causes: &[],
        forbidden: &["server-version-intolerant"],
        mentions: &["mark of a server that could do more"],
        seen: Seen { like: "", says: "alert handshake failure", works_with: Some("-tls1_2") },
        ..VERSION
    },
    Scenario {
        id: "server-version-intolerant-extension",
        // Extension 22 is encrypt_then_mac (RFC 7366).
        start: |lab| {
            let rule = |hello: &fake::Hello| {
                if hello.extensions.contains(&22) { Verdict::Alert(40) } else { Verdict::Forward }
            };
            fake::relay(lab.nginx("rsa", BOTH)?, rule)
        },
        seen: Seen { like: "", says: "alert handshake failure", works_with: Some("-no_etm") },
        ..VERSION
    },
    Scenario {
        id: "server-version-intolerant-grease",
        start: |lab| {
            fake::relay(lab.nginx("rsa", BOTH)?, |hello| if hello.greases() { Verdict::Alert(47) } else { Verdict::Forward })
        },
        args: &["--client", CHROME],
        seen: Seen { like: "", says: "", works_with: None },
        ..VERSION
    },
    Scenario {
        id: "server-size-intolerant-256-to-511-reset",
        start: |lab| {
            let rule = |hello: &fake::Hello| {
                if (256..512).contains(&hello.length) { Verdict::Reset } else { Verdict::Forward }
            };
            fake::relay(lab.nginx("rsa", BOTH)?, rule)
        },
        seen: Seen { like: "", says: "errno=104", works_with: Some(LONG) },
        ..SIZE
    },
    Scenario {
        id: "server-size-intolerant-256-to-511-silent",
        start: |lab| {
            let rule = |hello: &fake::Hello| {
                if (256..512).contains(&hello.length) { Verdict::Silence } else { Verdict::Forward }
            };
            fake::relay(lab.haproxy("ecdsa", "", "")?, rule)
        },
        seen: Seen { like: "", says: "(silence)", works_with: Some(LONG) },
        ..SIZE
    },
    Scenario {
        id: "server-size-intolerant-over-255-closes",
        start: |lab| {
            fake::relay(lab.nginx("rsa", BOTH)?, |hello| if hello.length > 255 { Verdict::Close } else { Verdict::Forward })
        },
        seen: Seen { like: "", says: "unexpected eof", works_with: Some(SHORT) },
        ..SIZE
    },
    Scenario {
        id: "server-size-intolerant-over-1024-chrome",
        start: |lab| {
            fake::relay(lab.nginx("ecdsa", BOTH)?, |hello| if hello.length > 1024 { Verdict::Reset } else { Verdict::Forward })
        },
        args: &["--client", CHROME],
        seen: Seen { like: "", says: "", works_with: None },
        ..SIZE
    },
    Scenario {
        id: "server-size-intolerant-first-1400-bytes-chrome",
        // Reads once and believes to have it all, as a server does that never saw a hello in two segments.
        start: |lab| {
            fake::relay(lab.nginx("rsa", BOTH)?, |hello| if hello.length > 1400 { Verdict::Close } else { Verdict::Forward })
        },
        args: &["--client", CHROME],
        seen: Seen { like: "", says: "", works_with: None },
        ..SIZE
    },
];
