//! Which hellos a server breaks on, by `check --full`: real servers on none, relays before them on what they are told.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test stops at what it did not expect")]

mod common;

use common::{check, inventory, started};
use tlswhy_lab::fake::{self, Hello, Verdict};
use tlswhy_lab::{Lab, Server, StartError};
use tlswhy_model::{Acceptance, FeatureView};

fn quirks(server: Result<Server, StartError>) -> Option<Vec<FeatureView>> {
    let server = started(server)?;
    let (view, report) = inventory(&server);
    assert_eq!(view.quirks.len(), 10, "{:#?}", view.quirks);
    // The inventory itself tells nothing else than without them.
    assert_eq!(report.outcome, check(&server, &[]).0.outcome);
    Some(view.quirks)
}

/// What a server breaks on, how that is called, and words of the way around.
type Intolerance = (fn(&Hello) -> Verdict, &'static [&'static str], &'static str);

fn named(quirks: &[FeatureView], acceptance: Acceptance) -> Vec<&str> {
    quirks.iter().filter(|quirk| quirk.acceptance == acceptance).map(|quirk| quirk.name.as_str()).collect()
}

#[test]
fn healthy_servers_break_on_nothing_and_two_connections_show_it() {
    let lab = Lab::new().unwrap();
    let both = "ssl_protocols TLSv1.2 TLSv1.3;";
    for (server, lacks) in [
        (lab.nginx("rsa", both), &[][..]),
        (lab.nginx("rsa", "ssl_protocols TLSv1.2;"), &["unknown-version"]),
        (lab.s_server("ecdsa", ""), &[]),
        (lab.old_s_server("rsa", "-tls1_2"), &["unknown-version"]),
        (lab.gnutls_serv("rsa", "--priority NORMAL"), &[]),
    ] {
        let Some(quirks) = quirks(server) else { continue };
        assert_eq!(named(&quirks, Acceptance::Refused), [""; 0], "{quirks:#?}");
        assert_eq!(named(&quirks, Acceptance::Untested), lacks, "{quirks:#?}");
        let mut shown: Vec<Option<u32>> = quirks.iter().map(|quirk| quirk.attempt).filter(Option::is_some).collect();
        shown.dedup();
        assert_eq!(shown.len(), 2, "{quirks:#?}");
    }
}

#[test]
fn what_an_intolerant_server_breaks_on_is_told_with_its_way_around() {
    let rules: [Intolerance; 4] = [
        (
            |hello| if hello.greases() { Verdict::Alert(47) } else { Verdict::Forward },
            &["unknown-suite", "unknown-extension", "unknown-version"],
            "OpenSSL and GnuTLS do not",
        ),
        (
            |hello| if (256..512).contains(&hello.length) { Verdict::Reset } else { Verdict::Forward },
            &["length-256-to-511"],
            "SSL_OP_TLSEXT_PADDING",
        ),
        (|hello| if hello.records > 1 { Verdict::Close } else { Verdict::Forward }, &["two-records"], "max_send_fragment"),
        (|hello| if hello.length > 1400 { Verdict::Reset } else { Verdict::Forward }, &["over-one-segment"], "X25519:P-256"),
    ];
    let lab = Lab::new().unwrap();
    for (rule, broken, around) in rules {
        let server = lab.nginx("rsa", "ssl_protocols TLSv1.2 TLSv1.3;").and_then(|server| fake::relay(server, rule));
        let Some(quirks) = quirks(server) else { return };
        assert_eq!(named(&quirks, Acceptance::Refused), broken, "{quirks:#?}");
        assert_eq!(named(&quirks, Acceptance::Untested), [""; 0], "{quirks:#?}");
        let says =
            |quirk: &FeatureView| quirk.says.as_deref().is_some_and(|says| says.contains(around) && says.contains("attempt"));
        assert!(quirks.iter().filter(|quirk| quirk.acceptance == Acceptance::Refused).all(says), "{quirks:#?}");
    }
}

#[test]
fn silence_refuses_nothing_and_is_told() {
    let lab = Lab::new().unwrap();
    let silent = |hello: &Hello| if (256..512).contains(&hello.length) { Verdict::Silence } else { Verdict::Forward };
    let Some(server) = started(lab.haproxy("ecdsa", "", "").and_then(|server| fake::relay(server, silent))) else { return };
    let view = check(&server, &["--full".to_owned(), "--timeout".to_owned(), "1".to_owned()]).0.server.unwrap();
    assert_eq!(named(&view.quirks, Acceptance::Refused), [""; 0], "{:#?}", view.quirks);
    let told = view.quirks.iter().find(|quirk| quirk.name == "length-256-to-511").unwrap();
    assert!(told.acceptance == Acceptance::Untested && told.says.is_some(), "{told:?}");
}
