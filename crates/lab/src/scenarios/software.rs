//! Software that is too old for what the other side needs, and software that could and is kept from it.

use super::versions::TLS13_ONLY;
use crate::scenario::{BROKEN, Scenario, Seen};

/// A stunnel of which `s_server` of the same OpenSSL stands in its place.
const STUNNEL: &str = "[https]\naccept = 127.0.0.1:{port}\nconnect = 127.0.0.1:9\ncert = rsa.pem\nsslVersionMin = TLSv1.2\n";
/// A file of the lab: the hello that `s_client` of OpenSSL 1.1.0i sends, with the version that this very program showed.
const OLD_OPENSSL: &str = "{clients}/openssl-1.1.0i.toml";

pub(super) const SCENARIOS: &[Scenario] = &[
    Scenario {
        id: "server-software-outdated-openssl-1.1.0",
        group: "server-software-outdated",
        start: |lab| lab.s_server_as_stunnel(true, "", STUNNEL),
        args: &[
            "--client",
            TLS13_ONLY,
            "--root",
            "{dir}",
            "--server-config",
            "/stunnel/stunnel.conf",
            "--assume",
            "stunnel=5.50",
            "--assume",
            "openssl=1.1.0i",
        ],
        causes: &["server-software-outdated"],
        mentions: &["1.1.1 was the first that could"],
        seen: Seen { like: "-tls1_3", says: "alert", works_with: Some("-tls1_2") },
        ..BROKEN
    },
    Scenario {
        id: "version-ranges-disjoint-openssl-3-kept-from-tls13",
        group: "version-ranges-disjoint",
        start: |lab| lab.s_server_as_stunnel(false, "-no_tls1_3", STUNNEL),
        args: &[
            "--client",
            TLS13_ONLY,
            "--root",
            "{dir}",
            "--server-config",
            "/stunnel/stunnel.conf",
            "--assume",
            "stunnel=5.68",
            "--assume",
            "openssl=3.0.19",
        ],
        causes: &["version-ranges-disjoint"],
        forbidden: &["server-software-outdated"],
        mentions: &["this version does tlsv1.3 by default"],
        seen: Seen { like: "-tls1_3", says: "alert protocol version", works_with: Some("-tls1_2") },
        ..BROKEN
    },
    Scenario {
        id: "client-software-outdated-openssl-1.1.0",
        group: "client-software-outdated",
        start: |lab| lab.nginx("rsa", "ssl_protocols TLSv1.3;"),
        args: &["--client", OLD_OPENSSL],
        causes: &["client-software-outdated"],
        mentions: &["1.1.1 was the first that could"],
        seen: Seen { like: "old", says: "alert protocol version", works_with: Some("-tls1_3") },
        ..BROKEN
    },
    Scenario {
        id: "version-ranges-disjoint-kind-of-client",
        group: "version-ranges-disjoint",
        start: |lab| lab.nginx("rsa", "ssl_protocols TLSv1.3;"),
        args: &["--client", super::versions::JAVA_8],
        causes: &["version-ranges-disjoint"],
        forbidden: &["client-software-outdated"],
        mentions: &["8u261 was the first that could"],
        seen: Seen { like: "old", says: "alert protocol version", works_with: Some("-tls1_3") },
        ..BROKEN
    },
];
