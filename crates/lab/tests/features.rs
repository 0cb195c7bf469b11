//! What `check --full` says that a server has or lacks beside its lists: each with real servers that have it and that lack it.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test stops at what it did not expect")]

mod common;

use common::{check, inventory, started};
use tlswhy_lab::pki::Workshop;
use tlswhy_lab::pki::workshop::pointers;
use tlswhy_lab::server::shell;
use tlswhy_lab::{Lab, Server, StartError};
use tlswhy_model::{Acceptance, FeatureView, ServerView};

use Acceptance::{Accepted, Refused, Untested};

/// Names the path of an `openssl` before 1.0.1g.
const OPENSSL_1_0_1: &str = "TLSWHY_OPENSSL_1_0_1";

fn feature<'v>(view: &'v ServerView, name: &str) -> &'v FeatureView {
    view.features.iter().find(|feature| feature.name == name).unwrap_or_else(|| panic!("{name}: {:#?}", view.features))
}

/// The server has these features in this way.
fn expect(server: Result<Server, StartError>, expected: &[(&str, Acceptance)]) -> Option<ServerView> {
    let server = started(server)?;
    let (view, _) = inventory(&server);
    for (name, acceptance) in expected {
        let found = feature(&view, name);
        assert_eq!(found.acceptance, *acceptance, "{name}: {found:?}");
        assert_eq!(found.attempt.is_some(), *acceptance != Untested, "{name}: {found:?}");
    }
    Some(view)
}

#[test]
fn openssl_has_what_its_options_leave_on() {
    let lab = Lab::new().unwrap();
    let usual = [
        ("session-ids", Accepted),
        ("session-tickets", Accepted),
        ("tls13-session-tickets", Accepted),
        ("extended-master-secret", Accepted),
        ("encrypt-then-mac", Accepted),
        ("secure-renegotiation", Accepted),
        ("fallback-scsv", Accepted),
        ("compression", Refused),
        ("heartbeat", Refused),
        ("ocsp-stapling", Refused),
        ("early-data", Refused),
        // Its port is not one of HTTP, and it names no application protocol.
        ("strict-transport-security", Untested),
    ];
    expect(lab.s_server("rsa", ""), &usual);
    let off =
        [("session-ids", Refused), ("session-tickets", Refused), ("encrypt-then-mac", Refused), ("fallback-scsv", Untested)];
    expect(lab.s_server("rsa", "-tls1_2 -no_ticket -no_etm -no_cache"), &off);
    expect(lab.s_server("rsa", "-tls1_3"), &[("tls13-session-tickets", Accepted), ("session-tickets", Untested)]);
    expect(lab.s_server("rsa", "-num_tickets 0"), &[("early-data", Refused), ("tls13-session-tickets", Refused)]);
}

#[test]
fn a_server_with_one_suite_is_asked_all_the_same() {
    let lab = Lab::new().unwrap();
    let has = [("session-tickets", Accepted), ("encrypt-then-mac", Accepted), ("heartbeat", Refused)];
    expect(lab.s_server("rsa", "-tls1_2 -cipher AES128-SHA"), &has);
    expect(lab.s_server("rsa", "-tls1_2 -cipher AES128-GCM-SHA256"), &[("encrypt-then-mac", Untested)]);
}

#[test]
fn openssl_1_1_compresses_where_it_is_told_to() {
    let lab = Lab::new().unwrap();
    expect(lab.old_s_server("rsa", ""), &[("compression", Refused)]);
    let Some(server) = started(lab.old_s_server("rsa", "-comp")) else { return };
    let (view, report) = inventory(&server);
    assert_eq!(feature(&view, "compression").acceptance, Accepted);
    assert!(report.notices.iter().any(|notice| notice.code == "compression"), "{:?}", report.notices);
}

#[test]
fn openssl_1_0_1_has_what_was_dropped_since() {
    let lab = Lab::new().unwrap();
    let old = [
        ("heartbeat", Accepted),
        ("extended-master-secret", Refused),
        ("encrypt-then-mac", Refused),
        ("fallback-scsv", Refused),
    ];
    let Some(view) = expect(lab.given_s_server(OPENSSL_1_0_1, "rsa", "-dhparam {pki}/dh1024.pem"), &old) else { return };
    // It makes a key for a context and keeps it (SSL_OP_SINGLE_DH_USE is off).
    let prime = view.smallest_prime.expect("a prime");
    assert_eq!(
        (prime.bits, prime.known_as.as_deref(), prime.reuses_key),
        (1024, Some("Oakley group 2 (RFC 2409 §6.2)"), Some(true))
    );
}

#[test]
fn gnutls_lacks_what_its_priorities_take_away() {
    let lab = Lab::new().unwrap();
    expect(
        lab.gnutls_serv("rsa", "--priority NORMAL"),
        &[("extended-master-secret", Accepted), ("encrypt-then-mac", Accepted)],
    );
    let off = [("extended-master-secret", Refused), ("encrypt-then-mac", Refused)];
    expect(lab.gnutls_serv("rsa", "--priority NORMAL:%NO_SESSION_HASH:%NO_ETM"), &off);
    expect(
        lab.gnutls_serv("rsa", "--priority NORMAL --noticket"),
        &[("session-tickets", Refused), ("tls13-session-tickets", Refused)],
    );
}

#[test]
fn nginx_tells_by_one_request_what_it_says_to_browsers() {
    let lab = Lab::new().unwrap();
    let said =
        "add_header Strict-Transport-Security 'max-age=63072000; includeSubDomains' always; add_header Alt-Svc 'h3=\":443\"';
                ssl_early_data on; ssl_session_tickets off; ssl_session_cache off;";
    let nginx = |body: &str| lab.nginx("rsa", &format!("ssl_protocols TLSv1.2 TLSv1.3; {body}"));
    let usual = [
        ("strict-transport-security", Refused),
        ("alt-svc", Refused),
        ("early-data", Refused),
        ("session-tickets", Accepted),
        ("session-ids", Accepted),
    ];
    expect(nginx(""), &usual);
    let other = [
        ("strict-transport-security", Accepted),
        ("alt-svc", Accepted),
        ("session-tickets", Refused),
        ("session-ids", Refused),
    ];
    let Some(view) = expect(nginx(said), &other) else { return };
    assert_eq!(feature(&view, "strict-transport-security").says.as_deref(), Some("max-age=63072000; includeSubDomains"));
    assert_eq!(feature(&view, "alt-svc").says.as_deref(), Some("h3=\":443\""));
    expect(nginx("ssl_early_data on;"), &[("early-data", Accepted)]);
}

#[test]
fn a_stapled_response_is_seen_at_both_versions() {
    let lab = Lab::new().unwrap();
    let make = |shop: &Workshop| {
        let (_, above) = shop.authorities()?;
        shop.leaf("site", &above, |leaf| pointers(leaf, None, Some(&shop.ocsp_url())))?;
        shop.revocation(false)
    };
    for version in ["TLSv1.2", "TLSv1.3"] {
        for (stapling, acceptance) in [("ssl_stapling on; ssl_stapling_file {pki}/site.ocsp;", Accepted), ("", Refused)] {
            let body = format!("ssl_protocols {version}; {stapling}");
            expect(lab.with_certificates(make, |lab| lab.nginx("site", &body)), &[("ocsp-stapling", acceptance)]);
        }
    }
}

#[test]
fn a_request_for_a_client_certificate_is_told_with_its_authorities() {
    let lab = Lab::new().unwrap();
    let ask = |how: &str| lab.nginx("rsa", &format!("ssl_verify_client {how}; ssl_client_certificate {{pki}}/ca.pem;"));
    for (how, required) in [("on", Some(true)), ("optional", Some(false))] {
        let Some(view) = expect(ask(how), &[]) else { return };
        let request = view.client_certificate.expect("a request");
        assert_eq!((request.required, request.authorities.len()), (required, 1), "{how}");
        assert!(request.authorities[0].contains("tlswhy lab"), "{:?}", request.authorities);
    }
    let Some(view) = expect(lab.nginx("rsa", ""), &[]) else { return };
    assert_eq!(view.client_certificate, None);
}

#[test]
fn primes_are_known_by_name_and_by_whether_they_are_safe() {
    let lab = Lab::new().unwrap();
    let Ok(openssl) = lab.old_openssl() else { return };
    let file = std::env::temp_dir().join(format!("tlswhy-lab-prime-{}.pem", std::process::id()));
    let prime = |make: &str| {
        shell(make).unwrap();
        let view = expect(lab.old_s_server("rsa", &format!("-tls1_2 -dhparam {}", file.display())), &[]);
        std::fs::remove_file(&file).unwrap();
        let prime = view.and_then(|view| view.smallest_prime).expect("a prime");
        (prime.known_as, prime.is_safe, prime.reuses_key)
    };
    let named = |name: &str, is_safe| (Some(name.to_owned()), Some(is_safe), Some(false));
    let new = format!("openssl genpkey -genparam -algorithm DH -out '{}' -pkeyopt", file.display());
    assert_eq!(prime(&format!("{new} group:modp_3072")), named("MODP group 15 (RFC 3526 §4)", true));
    assert_eq!(prime(&format!("{new} group:ffdhe3072")), named("ffdhe3072 (RFC 7919 §A.2)", true));
    let old = format!(
        "OPENSSL_CONF=/dev/null '{}' genpkey -genparam -algorithm DH -out '{}' -pkeyopt dh_rfc5114:3",
        openssl.display(),
        file.display()
    );
    assert_eq!(prime(&old), named("MODP group 24 (RFC 5114 §2.3)", false));
    let own = format!("openssl dhparam -dsaparam -out '{}' 1024", file.display());
    assert_eq!(prime(&own), (None, None, Some(false)));
    let Some(view) = expect(lab.s_server("rsa", "-tls1_2 -cipher ECDHE"), &[]) else { return };
    assert_eq!(view.smallest_prime, None);
}

/// What was tried for, with its result.
fn tried(view: &ServerView) -> Vec<(&str, Acceptance)> {
    view.vulnerabilities.iter().map(|tried| (tried.name.as_str(), tried.acceptance)).collect()
}

#[test]
fn weaknesses_are_told_by_what_old_and_new_servers_answer() {
    let lab = Lab::new().unwrap();
    let all = |heartbleed, early_ccs, renegotiation| {
        vec![("heartbleed", heartbleed), ("early-ccs", early_ccs), ("client-renegotiation", renegotiation)]
    };
    if let Some(view) = expect(lab.given_s_server(OPENSSL_1_0_1, "rsa", ""), &[]) {
        assert_eq!(tried(&view), all(Accepted, Accepted, Accepted));
    }
    for (server, expected) in [
        (lab.old_s_server("rsa", ""), all(Refused, Refused, Accepted)),
        (lab.s_server("rsa", ""), all(Refused, Refused, Refused)),
        (lab.s_server("rsa", "-client_renegotiation"), all(Refused, Refused, Accepted)),
        // It has heartbeats, and takes none that claims more than it has.
        (lab.gnutls_serv("rsa", "--heartbeat"), all(Refused, Refused, Accepted)),
        (lab.nginx("rsa", ""), all(Refused, Refused, Refused)),
        (lab.nginx("rsa", "ssl_protocols TLSv1.3;"), all(Untested, Untested, Untested)),
    ] {
        let Some(view) = expect(server, &[]) else { continue };
        assert_eq!(tried(&view), expected, "{:#?}", view.vulnerabilities);
    }
}

#[test]
fn nothing_is_tried_where_that_is_not_wanted() {
    let lab = Lab::new().unwrap();
    let Some(server) = started(lab.gnutls_serv("rsa", "--heartbeat")) else { return };
    let (report, _) = check(&server, &["--full".to_owned(), "--no-vulnerability-probes".to_owned()]);
    let view = report.server.expect("an inventory");
    assert_eq!(feature(&view, "heartbeat").acceptance, Accepted);
    assert!(tried(&view).iter().all(|(_, acceptance)| *acceptance == Untested), "{:?}", view.vulnerabilities);
}
