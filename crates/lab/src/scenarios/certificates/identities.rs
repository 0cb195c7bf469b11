//! The client's own certificate, and servers whose key is not their certificate's.

use rcgen::{CertificateParams, ExtendedKeyUsagePurpose, KeyUsagePurpose};

use super::FINE;
use crate::pki::Workshop;
use crate::pki::workshop::{DAY, lasts, named};
use crate::programs::Started;
use crate::scenario::{BROKEN, Scenario, Seen};
use crate::server::{Lab, shell};

const OURS: &[&str] = &["--cert", "{pki}/client.pem", "--key", "{pki}/client.key"];
const OURS_SHOWN: &str = "-cert {pki}/client.leaf.pem -key {pki}/client.key -cert_chain {pki}/intermediate.pem";
const STRANGERS: &[&str] = &["--cert", "{pki}/stranger.pem", "--key", "{pki}/stranger.key"];
const STRANGERS_SHOWN: &str = "-cert {pki}/stranger.pem -key {pki}/stranger.key";
const LATE: &[&str] = &["--cert", "{pki}/late.pem", "--key", "{pki}/late.key"];
const LATE_SHOWN: &str = "-cert {pki}/late.leaf.pem -key {pki}/late.key -cert_chain {pki}/intermediate.pem";

/// The certificate is good enough for this server.
const WELCOME: Scenario = Scenario {
    args: OURS,
    forbidden: &["client-certificate-required"],
    seen: Seen { like: OURS_SHOWN, says: "", works_with: None },
    ..FINE
};
/// It is not, and another one is.
const UNWELCOME: Scenario = Scenario {
    group: "client-certificate-required",
    causes: &["client-certificate-required"],
    args: STRANGERS,
    seen: Seen { like: STRANGERS_SHOWN, says: ":error:", works_with: Some(OURS_SHOWN) },
    ..BROKEN
};
const UNWELCOME_LATE: Scenario =
    Scenario { args: LATE, seen: Seen { like: LATE_SHOWN, ..UNWELCOME.seen }, mentions: &["expired"], ..UNWELCOME };
const MISMATCH: Scenario = Scenario {
    group: "certificate-key-mismatch",
    causes: &["certificate-key-mismatch"],
    seen: Seen { like: "", says: "bad signature", works_with: None },
    ..BROKEN
};

const NGINX: &str =
    "ssl_protocols TLSv1.2 TLSv1.3; ssl_verify_client on; ssl_client_certificate {pki}/ca.pem; ssl_verify_depth 3;";
const APACHE: &str = "SSLVerifyClient require\nSSLVerifyDepth 3\nSSLCACertificateFile {pki}/ca.pem";
const HAPROXY: &str = "ca-file {pki}/ca.pem verify required";
const S_SERVER: &str = "-Verify 3 -verify_return_error -CAfile {pki}/ca.pem";

/// A server's certificate, and four of clients: `client` is good, `late` has ended, `stranger` is of another authority, `sealed`
/// may not sign.
fn with_clients(lab: &Lab, start: impl FnOnce(&Lab) -> Started) -> Started {
    let client = |leaf: &mut CertificateParams| {
        named(leaf, &["client.example.test"]);
        leaf.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    };
    lab.with_certificates(
        |shop: &Workshop| {
            let (_, above) = shop.authorities()?;
            let other = shop.authority("other-root", "tlswhy lab stranger root", None, |_| ())?;
            shop.leaf("site", &above, |_| ())?;
            shop.leaf("client", &above, client)?;
            shop.leaf("stranger", &other, client)?;
            shop.leaf("sealed", &above, |leaf| {
                client(leaf);
                leaf.key_usages = vec![KeyUsagePurpose::KeyEncipherment];
            })?;
            shop.leaf("late", &above, |leaf| {
                client(leaf);
                lasts(leaf, -90 * DAY, -DAY);
            })
        },
        start,
    )
}

pub(super) const SCENARIOS: &[Scenario] = &[
    Scenario {
        id: "near-miss-client-certificate-nginx",
        start: |lab| with_clients(lab, |lab| lab.nginx("site", NGINX)),
        ..WELCOME
    },
    Scenario {
        id: "near-miss-client-certificate-apache",
        start: |lab| with_clients(lab, |lab| lab.apache("site", APACHE)),
        ..WELCOME
    },
    Scenario {
        id: "near-miss-client-certificate-haproxy-tls12",
        start: |lab| with_clients(lab, |lab| lab.haproxy("site", &format!("{HAPROXY} ssl-max-ver TLSv1.2"), "")),
        ..WELCOME
    },
    Scenario {
        id: "near-miss-client-certificate-s_server",
        start: |lab| with_clients(lab, |lab| lab.s_server("site", &format!("{S_SERVER} -tls1_3"))),
        ..WELCOME
    },
    Scenario {
        id: "near-miss-client-certificate-gnutls",
        start: |lab| {
            with_clients(lab, |lab| {
                lab.gnutls_serv("site", "--require-client-cert --verify-client-cert --x509cafile {pki}/ca.pem")
            })
        },
        ..WELCOME
    },
    Scenario {
        id: "near-miss-client-certificate-not-asked",
        start: |lab| with_clients(lab, |lab| lab.nginx("site", "")),
        ..WELCOME
    },
    Scenario {
        id: "near-miss-client-certificate-of-any-authority",
        start: |lab| {
            with_clients(lab, |lab| lab.nginx("site", "ssl_protocols TLSv1.2 TLSv1.3; ssl_verify_client optional_no_ca;"))
        },
        args: STRANGERS,
        seen: Seen { like: STRANGERS_SHOWN, says: "", works_with: None },
        ..WELCOME
    },
    Scenario {
        id: "client-certificate-of-another-authority-nginx",
        start: |lab| with_clients(lab, |lab| lab.nginx("site", NGINX)),
        seen: Seen { says: "400 Bad Request", ..UNWELCOME.seen },
        ..UNWELCOME
    },
    Scenario {
        id: "client-certificate-of-another-authority-apache",
        start: |lab| with_clients(lab, |lab| lab.apache("site", APACHE)),
        ..UNWELCOME
    },
    Scenario {
        id: "client-certificate-of-another-authority-apache-tls12",
        start: |lab| with_clients(lab, |lab| lab.apache("site", &format!("SSLProtocol -all +TLSv1.2\n{APACHE}"))),
        ..UNWELCOME
    },
    Scenario {
        id: "client-certificate-of-another-authority-haproxy",
        start: |lab| with_clients(lab, |lab| lab.haproxy("site", HAPROXY, "")),
        ..UNWELCOME
    },
    Scenario {
        id: "client-certificate-of-another-authority-s_server",
        start: |lab| with_clients(lab, |lab| lab.s_server("site", &format!("{S_SERVER} -tls1_2"))),
        ..UNWELCOME
    },
    Scenario {
        id: "client-certificate-expired-nginx",
        start: |lab| with_clients(lab, |lab| lab.nginx("site", NGINX)),
        seen: Seen { says: "400 Bad Request", ..UNWELCOME_LATE.seen },
        ..UNWELCOME_LATE
    },
    Scenario {
        id: "client-certificate-expired-apache",
        start: |lab| with_clients(lab, |lab| lab.apache("site", APACHE)),
        ..UNWELCOME_LATE
    },
    Scenario {
        id: "client-certificate-expired-haproxy-tls12",
        start: |lab| with_clients(lab, |lab| lab.haproxy("site", &format!("{HAPROXY} ssl-max-ver TLSv1.2"), "")),
        ..UNWELCOME_LATE
    },
    Scenario {
        id: "client-certificate-expired-s_server",
        start: |lab| with_clients(lab, |lab| lab.s_server("site", &format!("{S_SERVER} -tls1_3"))),
        ..UNWELCOME_LATE
    },
    Scenario {
        id: "client-certificate-may-not-sign-haproxy",
        start: |lab| with_clients(lab, |lab| lab.haproxy("site", HAPROXY, "")),
        args: &["--cert", "{pki}/sealed.pem", "--key", "{pki}/sealed.key"],
        mentions: &["digitalSignature"],
        seen: Seen {
            like: "-cert {pki}/sealed.leaf.pem -key {pki}/sealed.key -cert_chain {pki}/intermediate.pem",
            ..UNWELCOME.seen
        },
        ..UNWELCOME
    },
    Scenario {
        id: "client-certificate-without-its-intermediate-haproxy",
        start: |lab| with_clients(lab, |lab| lab.haproxy("site", HAPROXY, "")),
        args: &["--cert", "{pki}/client.leaf.pem", "--key", "{pki}/client.key"],
        mentions: &["intermediate is missing"],
        seen: Seen { like: "-cert {pki}/client.leaf.pem -key {pki}/client.key", ..UNWELCOME.seen },
        ..UNWELCOME
    },
    // The JDK does not look whether a key belongs to the certificate that it is stored with.
    Scenario { id: "certificate-key-mismatch-java-tls13", start: |lab| mismatched(lab, "TLSv1.3"), ..MISMATCH },
    Scenario { id: "certificate-key-mismatch-java-tls12", start: |lab| mismatched(lab, "TLSv1.2"), ..MISMATCH },
    Scenario {
        id: "certificate-key-mismatch-nginx-lazy",
        // With a variable in the file name nginx finds out at the handshake, and says no more than internal error.
        group: "undetermined",
        start: |lab| {
            with_clients(lab, |lab| {
                lab.nginx_http(
                    "map $ssl_server_name $stem { default client; }
                     server { listen 127.0.0.1:{port} ssl; server_name good.example.test; location / { return 200 'ok'; }
                     ssl_certificate {pki}/site.pem; ssl_certificate_key {pki}/$stem.key; }",
                )
            })
        },
        outcomes: &["undetermined", "fails"],
        causes: &[],
        or_causes: &[&["certificate-key-mismatch"]],
        forbidden: &["sni-unrecognized", "no-shared-cipher", "untrusted-root", "client-certificate-required"],
        seen: Seen { like: "", says: "alert internal error", works_with: None },
        ..BROKEN
    },
];

/// The JDK's server with the certificate `site` and another one's key.
fn mismatched(lab: &Lab, version: &str) -> Started {
    with_clients(lab, |lab| {
        let pki = lab.pki.display();
        shell(&format!(
            "cd '{pki}' && openssl pkcs8 -topk8 -nocrypt -in client.key -outform DER -out client.p8 && \
             openssl pkcs12 -export -in site.pem -inkey site.key -name server -passout pass:changeit -out rsa.p12"
        ))?;
        lab.java("-Dlab.key={pki}/client.p8", version)
    })
}
