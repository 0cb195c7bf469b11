//! Revoked certificates: stapled responses, a responder, a list over HTTP.

use std::io;

use rcgen::CrlDistributionPoint;

use super::{FINE, STRICT};
use crate::pki::Workshop;
use crate::pki::workshop::{extension, pointers};
use crate::programs::Started;
use crate::scenario::{HEALTHY, Scenario, Seen};
use crate::server::{Lab, shell};

const STAPLING: &str = "ssl_protocols TLSv1.2 TLSv1.3; ssl_stapling on; ssl_stapling_file {pki}/site.ocsp;";
const APACHE: &str = "SSLStaplingCache shmcb:{dir}/stapling(32768)
SSLStaplingReturnResponderErrors on
<VirtualHost 127.0.0.1:{port}>
ServerName good.example.test
SSLEngine on
SSLUseStapling on
SSLCertificateFile {pki}/site.pem
SSLCertificateKeyFile {pki}/site.key
</VirtualHost>";
/// curl looks at the stapled response when told to; `openssl s_client` never does.
const LOOKS: Seen = Seen { like: "curl --cert-status", says: "curl: (91)", works_with: Some(STRICT) };
/// The lab's browser, which heeds what is stapled.
const BROWSER: &[&str] = &["--client", "firefox-153"];
const REVOKED: Scenario = Scenario {
    group: "certificate-revoked",
    args: BROWSER,
    outcomes: &["fails"],
    causes: &["certificate-revoked"],
    forbidden: &["untrusted-root", "chain-incomplete"],
    seen: LOOKS,
    ..HEALTHY
};
/// The client does not look by itself: the handshake works, and the report says it all the same.
const REPORTED: Scenario = Scenario {
    args: &[],
    outcomes: &["works", "at-risk", "fails"],
    causes: &[],
    or_causes: &[&["certificate-revoked"]],
    mentions: &["revoked"],
    ..REVOKED
};
const ONLINE: Scenario = Scenario {
    args: &["--online"],
    seen: Seen {
        like: "-verify_return_error -crl_check -CRL {pki}/site.crl",
        says: "certificate revoked",
        works_with: Some(STRICT),
    },
    ..REPORTED
};
const GOOD: Scenario = Scenario { forbidden: &["certificate-revoked", "certificate-unsuitable"], ..FINE };

/// What the authority says of the certificate.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Status {
    Good,
    Revoked,
}

/// The chain, a response about `site` and a list, both of which say this.
fn issue(shop: &Workshop, status: Status, must_staple: bool) -> io::Result<()> {
    let (_, above) = shop.authorities()?;
    shop.leaf("site", &above, |leaf| {
        pointers(leaf, None, Some(&shop.ocsp_url()));
        leaf.crl_distribution_points = vec![CrlDistributionPoint { uris: vec![shop.url("site.crl")] }];
        if must_staple {
            // TLS feature status_request, RFC 7633.
            extension(leaf, &[1, 3, 6, 1, 5, 5, 7, 1, 24], &[0x30, 3, 2, 1, 5], false);
        }
    })?;
    shop.revocation(status == Status::Revoked)
}

fn stapled(lab: &Lab, status: Status, start: impl FnOnce(&Lab) -> Started) -> Started {
    lab.with_certificates(|shop| issue(shop, status, false), start)
}

/// nginx that staples nothing; a responder beside it where `answers`.
fn unstapled(lab: &Lab, status: Status, must_staple: bool, answers: bool) -> Started {
    lab.with_certificates(
        |shop| issue(shop, status, must_staple),
        |lab| {
            let responder = if answers { Some(lab.ocsp_responder()?) } else { None };
            let mut server = lab.nginx("site", "ssl_protocols TLSv1.2 TLSv1.3;")?;
            server.keep(responder);
            Ok(server)
        },
    )
}

/// HAProxy reads the response from a file named like the certificate's.
fn haproxy(lab: &Lab, status: Status, bind: &str) -> Started {
    stapled(lab, status, |lab| {
        let file = lab.pki.join("site.all.pem.ocsp");
        shell(&format!("cp '{}' '{}'", lab.pki.join("site.ocsp").display(), file.display()))?;
        lab.haproxy("site", bind, "")
    })
}

pub(super) const SCENARIOS: &[Scenario] = &[
    Scenario {
        id: "certificate-revoked-nginx-stapled",
        start: |lab| stapled(lab, Status::Revoked, |lab| lab.nginx("site", STAPLING)),
        ..REVOKED
    },
    Scenario {
        id: "certificate-revoked-nginx-stapled-tls12",
        start: |lab| {
            stapled(lab, Status::Revoked, |lab| {
                lab.nginx("site", "ssl_protocols TLSv1.2; ssl_stapling on; ssl_stapling_file {pki}/site.ocsp;")
            })
        },
        ..REVOKED
    },
    Scenario { id: "certificate-revoked-haproxy-stapled", start: |lab| haproxy(lab, Status::Revoked, ""), ..REVOKED },
    Scenario {
        id: "certificate-revoked-apache-stapled",
        // Apache asks the responder itself and passes the answer on.
        start: |lab| {
            lab.with_certificates(
                |shop| issue(shop, Status::Revoked, false),
                |lab| {
                    let responder = lab.ocsp_responder()?;
                    let mut server = lab.apache_main(APACHE)?;
                    server.keep(responder);
                    Ok(server)
                },
            )
        },
        ..REVOKED
    },
    Scenario {
        id: "certificate-revoked-nginx-stapled-openssl",
        start: |lab| stapled(lab, Status::Revoked, |lab| lab.nginx("site", STAPLING)),
        // Its hello asks for no staple, so none is sent, and nobody knows.
        mentions: &[],
        ..REPORTED
    },
    Scenario {
        id: "certificate-revoked-online-responder",
        start: |lab| unstapled(lab, Status::Revoked, false, true),
        ..ONLINE
    },
    Scenario {
        id: "certificate-revoked-online-list",
        // No responder answers; the list does.
        start: |lab| unstapled(lab, Status::Revoked, false, false),
        ..ONLINE
    },
    Scenario {
        id: "near-miss-revoked-not-asked",
        // Nothing is fetched unasked, so nobody knows.
        start: |lab| unstapled(lab, Status::Revoked, false, true),
        ..GOOD
    },
    Scenario {
        id: "near-miss-good-staple",
        start: |lab| stapled(lab, Status::Good, |lab| lab.nginx("site", STAPLING)),
        args: BROWSER,
        seen: Seen { like: "curl --cert-status", says: "", works_with: None },
        ..GOOD
    },
    Scenario {
        id: "near-miss-good-staple-haproxy",
        start: |lab| haproxy(lab, Status::Good, "ssl-max-ver TLSv1.2"),
        args: BROWSER,
        seen: Seen { like: "curl --cert-status", says: "", works_with: None },
        ..GOOD
    },
    Scenario {
        id: "near-miss-good-online",
        start: |lab| unstapled(lab, Status::Good, false, true),
        args: &["--online"],
        seen: Seen { like: "-verify_return_error -crl_check -CRL {pki}/site.crl", says: "", works_with: None },
        ..GOOD
    },
    Scenario {
        id: "near-miss-responder-down",
        start: |lab| {
            lab.with_certificates(
                |shop| {
                    let (_, above) = shop.authorities()?;
                    shop.leaf("site", &above, |leaf| pointers(leaf, None, Some(&shop.ocsp_url())))
                },
                |lab| lab.nginx("site", ""),
            )
        },
        args: &["--online"],
        ..GOOD
    },
    Scenario {
        id: "certificate-unsuitable-must-staple-without-staple",
        group: "certificate-unsuitable",
        causes: &["certificate-unsuitable"],
        start: |lab| unstapled(lab, Status::Good, true, false),
        // OpenSSL does not know this demand: it proves that nothing else is wrong.
        seen: Seen { like: STRICT, says: "", works_with: None },
        ..REVOKED
    },
    Scenario {
        id: "certificate-unsuitable-must-staple-by-another-responder",
        group: "certificate-unsuitable",
        causes: &["certificate-unsuitable"],
        mentions: &["of no use"],
        start: |lab| {
            lab.with_certificates(
                |shop| {
                    issue(shop, Status::Good, true)?;
                    // The root answers for what the intermediate issued.
                    shop.openssl(
                        "ocsp -index index.txt -CA intermediate.pem -rsigner ca.pem -rkey ca.key \
                         -issuer intermediate.pem -cert site.leaf.pem -respout site.ocsp -ndays 7",
                    )
                },
                |lab| lab.nginx("site", STAPLING),
            )
        },
        ..REVOKED
    },
    Scenario {
        id: "near-miss-must-staple-stapled-openssl",
        // Its hello asks for no staple, so none is sent: that says nothing of the server.
        start: |lab| lab.with_certificates(|shop| issue(shop, Status::Good, true), |lab| lab.nginx("site", STAPLING)),
        mentions: &["does not ask for one"],
        ..GOOD
    },
    Scenario { id: "near-miss-must-staple-openssl", start: |lab| unstapled(lab, Status::Good, true, false), ..GOOD },
    Scenario {
        id: "near-miss-must-staple-stapled",
        start: |lab| lab.with_certificates(|shop| issue(shop, Status::Good, true), |lab| lab.nginx("site", STAPLING)),
        args: BROWSER,
        seen: Seen { like: "curl --cert-status", says: "", works_with: None },
        ..GOOD
    },
];
