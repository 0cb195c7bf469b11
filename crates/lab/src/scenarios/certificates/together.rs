//! Several faults in a row with certificates among them, and servers with two certificates.

use rcgen::{CertificateParams, ExtendedKeyUsagePurpose};

use super::super::versions::RSA_ONLY;
use super::{FINE, STRICT};
use crate::pki::workshop::{DAY, lasts, named};
use crate::programs::Started;
use crate::scenario::{BROKEN, Scenario, Seen};
use crate::server::Lab;

const LAYERED: Scenario = Scenario { group: "layered", budget: (16, 7), ..BROKEN };
const BOTH: &str = "ssl_protocols TLSv1.2 TLSv1.3;";
const ANY_TIME: Option<&str> = Some("-verify_return_error -no_check_time");

fn ended(leaf: &mut CertificateParams) {
    lasts(leaf, -90 * DAY, -3 * DAY);
}

fn other_and_ended(leaf: &mut CertificateParams) {
    named(leaf, &["other.example.test"]);
    ended(leaf);
}

fn site(lab: &Lab, change: fn(&mut CertificateParams), start: impl FnOnce(&Lab) -> Started) -> Started {
    lab.with_certificates(|shop| shop.site(change), start)
}

/// The leaf alone is sent.
fn alone(lab: &Lab, change: fn(&mut CertificateParams), body: &str) -> Started {
    lab.with_certificates(
        |shop| {
            let (_, above) = shop.authorities()?;
            shop.leaf("client", &above, |leaf| leaf.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth])?;
            shop.leaf("site", &above, change)?;
            shop.bundle("site", "site", &[])
        },
        |lab| lab.nginx("site", body),
    )
}

fn self_signed(lab: &Lab, change: fn(&mut CertificateParams), start: impl FnOnce(&Lab) -> Started) -> Started {
    lab.with_certificates(
        |shop| {
            shop.authorities()?;
            shop.leaf_with("site", None, shop.key()?, change)
        },
        start,
    )
}

/// nginx with an ECDSA certificate (`site`) and an RSA one (`second`), changed so; the RSA chain is sent
/// whole or without its intermediate.
fn two(lab: &Lab, ecdsa: fn(&mut CertificateParams), rsa: fn(&mut CertificateParams), rsa_whole: bool) -> Started {
    lab.with_certificates(
        |shop| {
            let (_, above) = shop.authorities()?;
            shop.leaf("site", &above, ecdsa)?;
            shop.leaf_with("second", Some(&above), shop.rsa_key()?, rsa)?;
            shop.bundle("second", "second", if rsa_whole { &["intermediate"] } else { &[] })
        },
        |lab| lab.nginx("site", &format!("{BOTH} ssl_certificate {{pki}}/second.pem; ssl_certificate_key {{pki}}/second.key;")),
    )
}

pub(super) const SCENARIOS: &[Scenario] = &[
    Scenario {
        id: "layered-old-version-then-expired",
        start: |lab| {
            site(lab, ended, |lab| lab.nginx("site", "ssl_protocols TLSv1; ssl_ciphers ECDHE-ECDSA-AES128-SHA:@SECLEVEL=0;"))
        },
        causes: &["server-version-outdated", "certificate-expired"],
        seen: Seen {
            like: "",
            says: ":error:",
            works_with: Some("-cipher DEFAULT@SECLEVEL=0 -verify_return_error -no_check_time"),
        },
        ..LAYERED
    },
    Scenario {
        id: "layered-no-shared-cipher-then-expired",
        start: |lab| {
            site(lab, ended, |lab| lab.nginx("site", "ssl_protocols TLSv1.2; ssl_ciphers ECDHE-ECDSA-CAMELLIA256-SHA384;"))
        },
        causes: &["no-shared-cipher", "certificate-expired"],
        seen: Seen {
            like: "",
            says: "alert handshake failure",
            works_with: Some("-cipher CAMELLIA -verify_return_error -no_check_time"),
        },
        ..LAYERED
    },
    Scenario {
        id: "layered-other-name-and-expired",
        start: |lab| site(lab, other_and_ended, |lab| lab.nginx("site", BOTH)),
        causes: &["hostname-mismatch", "certificate-expired"],
        seen: Seen { like: STRICT, says: "hostname mismatch", works_with: ANY_TIME },
        ..LAYERED
    },
    Scenario {
        id: "layered-incomplete-then-expired",
        start: |lab| alone(lab, ended, BOTH),
        args: &["--known", "{pki}/intermediate.pem"],
        causes: &["chain-incomplete", "certificate-expired"],
        seen: Seen {
            like: STRICT,
            says: "unable to get local issuer certificate",
            works_with: Some("-verify_return_error -no_check_time -CAfile {pki}/with-intermediate.pem"),
        },
        ..LAYERED
    },
    Scenario {
        id: "layered-incomplete-then-other-name",
        start: |lab| alone(lab, |leaf| named(leaf, &["other.example.test"]), BOTH),
        args: &["--known", "{pki}/intermediate.pem"],
        causes: &["chain-incomplete", "hostname-mismatch"],
        seen: Seen {
            like: STRICT,
            says: "unable to get local issuer certificate",
            works_with: Some("-verify_return_error -verify_hostname other.example.test -CAfile {pki}/with-intermediate.pem"),
        },
        ..LAYERED
    },
    Scenario {
        id: "layered-incomplete-then-client-certificate",
        start: |lab| {
            alone(
                lab,
                |_| (),
                "ssl_protocols TLSv1.2 TLSv1.3; ssl_verify_client on; ssl_client_certificate {pki}/ca.pem; ssl_verify_depth 3;",
            )
        },
        args: &["--known", "{pki}/intermediate.pem"],
        causes: &["chain-incomplete", "client-certificate-required"],
        seen: Seen {
            like: STRICT,
            says: "unable to get local issuer certificate",
            works_with: Some(
                "-verify_return_error -CAfile {pki}/with-intermediate.pem -cert {pki}/client.leaf.pem -key {pki}/client.key -cert_chain {pki}/intermediate.pem",
            ),
        },
        ..LAYERED
    },
    Scenario {
        id: "layered-expired-then-client-certificate-haproxy-tls12",
        start: |lab| {
            site(lab, ended, |lab| lab.haproxy("site", "ca-file {pki}/ca.pem verify required ssl-max-ver TLSv1.2", ""))
        },
        causes: &["certificate-expired", "client-certificate-required"],
        seen: Seen { like: STRICT, says: "certificate has expired", works_with: None },
        ..LAYERED
    },
    Scenario {
        id: "layered-self-signed-other-name-expired",
        start: |lab| self_signed(lab, other_and_ended, |lab| lab.nginx("site", BOTH)),
        causes: &["untrusted-root", "hostname-mismatch", "certificate-expired"],
        seen: Seen {
            like: STRICT,
            says: "self-signed certificate",
            works_with: Some("-verify_return_error -no_check_time -CAfile {pki}/site.leaf.pem"),
        },
        ..LAYERED
    },
    Scenario {
        id: "layered-unsuitable-then-expired",
        start: |lab| {
            let change = |leaf: &mut CertificateParams| {
                leaf.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
                ended(leaf);
            };
            site(lab, change, |lab| lab.nginx("site", BOTH))
        },
        causes: &["certificate-unsuitable", "certificate-expired"],
        seen: Seen {
            like: STRICT,
            says: "unsuitable certificate purpose",
            works_with: Some("-verify_return_error -no_check_time -purpose any"),
        },
        ..LAYERED
    },
    Scenario {
        id: "layered-starttls-then-self-signed",
        start: |lab| self_signed(lab, |_| (), |lab| lab.postfix("site", "")),
        causes: &["starttls-required", "untrusted-root"],
        seen: Seen {
            like: "-starttls smtp -verify_return_error",
            says: "self-signed certificate",
            works_with: Some("-starttls smtp -CAfile {pki}/site.leaf.pem"),
        },
        ..LAYERED
    },
    Scenario {
        id: "layered-starttls-then-expired",
        start: |lab| site(lab, ended, |lab| lab.dovecot("site", "imap", false, "")),
        causes: &["starttls-required", "certificate-expired"],
        seen: Seen {
            like: "-starttls imap -verify_return_error",
            says: "certificate has expired",
            works_with: Some("-starttls imap -no_check_time"),
        },
        ..LAYERED
    },
    Scenario {
        id: "layered-sni-then-expired",
        start: |lab| {
            site(lab, other_and_ended, |lab| {
                lab.nginx_http(
                    "server { listen 127.0.0.1:{port} ssl default_server; ssl_reject_handshake on; }
                     server { listen 127.0.0.1:{port} ssl; server_name other.example.test; location / { return 200 'ok'; }
                     ssl_certificate {pki}/site.pem; ssl_certificate_key {pki}/site.key; }",
                )
            })
        },
        server_name: "none",
        causes: &["sni-unrecognized"],
        // The name that it wants is not to be guessed; where the client finds one, the next fault shows.
        or_causes: &[&["sni-unrecognized", "certificate-expired"]],
        seen: Seen {
            like: "",
            says: "unrecognized name",
            works_with: Some("-servername other.example.test -verify_return_error -no_check_time"),
        },
        ..LAYERED
    },
    // Two certificates: what the judged client is shown is what counts.
    Scenario {
        id: "certificate-expired-of-two-shown",
        group: "certificate-expired",
        start: |lab| two(lab, ended, |_| (), true),
        causes: &["certificate-expired"],
        seen: Seen {
            like: STRICT,
            says: "certificate has expired",
            works_with: Some("-verify_return_error -sigalgs rsa_pss_rsae_sha256"),
        },
        ..BROKEN
    },
    Scenario {
        id: "certificate-expired-of-two-rsa-only-client",
        group: "certificate-expired",
        start: |lab| two(lab, |_| (), ended, true),
        args: &["--client", RSA_ONLY],
        causes: &["certificate-expired"],
        seen: Seen {
            like: "-verify_return_error -sigalgs rsa_pss_rsae_sha256",
            says: "certificate has expired",
            works_with: Some("-verify_return_error"),
        },
        ..BROKEN
    },
    Scenario {
        id: "chain-incomplete-of-two-rsa-only-client",
        group: "chain-incomplete",
        start: |lab| two(lab, |_| (), |_| (), false),
        args: &["--client", RSA_ONLY, "--known", "{pki}/intermediate.pem"],
        causes: &["chain-incomplete"],
        seen: Seen {
            like: "-verify_return_error -sigalgs rsa_pss_rsae_sha256",
            says: "unable to get local issuer certificate",
            works_with: Some("-verify_return_error"),
        },
        ..BROKEN
    },
    Scenario { id: "near-miss-expired-of-two-not-shown", start: |lab| two(lab, |_| (), ended, true), forbidden: &[], ..FINE },
    Scenario {
        id: "near-miss-incomplete-of-two-not-shown",
        start: |lab| two(lab, |_| (), |_| (), false),
        forbidden: &[],
        ..FINE
    },
];
