//! Intermediates: missing, doubled, out of order, strangers.

use std::io;

use super::{FINE, OPEN, STRICT};
use crate::pki::Workshop;
use crate::pki::workshop::{DAY, lasts, pointers};
use crate::programs::Started;
use crate::scenario::{BROKEN, Scenario, Seen};
use crate::server::Lab;

const NO_ISSUER: &str = "unable to get local issuer certificate";
const MISSING: Seen = Seen {
    like: STRICT,
    says: NO_ISSUER,
    works_with: Some("-verify_hostname good.example.test -CAfile {pki}/with-intermediate.pem"),
};
const KNOWN: &[&str] = &["--known", "{pki}/intermediate.pem"];
const INCOMPLETE: Scenario = Scenario {
    group: "chain-incomplete",
    causes: &["chain-incomplete"],
    forbidden: &["untrusted-root"],
    args: KNOWN,
    mentions: &["tlswhy lab own intermediate"],
    seen: MISSING,
    ..BROKEN
};
const DEEP: Scenario = Scenario { args: &["--known", "{pki}/both.pem"], mentions: &["tlswhy lab lower"], ..INCOMPLETE };

/// The lab's own strict-order clients.
const FORWARD: &str = "{clients}/forward-order.toml";
const EXACT: &str = "{clients}/exact-order.toml";
const MISORDERED: Scenario = Scenario {
    group: "chain-misordered",
    causes: &["chain-misordered"],
    forbidden: &["untrusted-root", "chain-incomplete"],
    args: &["--client", FORWARD],
    // OpenSSL takes them in any order, which proves that nothing else is wrong.
    seen: Seen { like: STRICT, says: "", works_with: None },
    ..BROKEN
};

/// A server that sends the leaf alone.
fn alone(lab: &Lab, start: impl FnOnce(&Lab) -> Started) -> Started {
    lab.with_certificates(only_leaf, start)
}

fn only_leaf(shop: &Workshop) -> io::Result<()> {
    shop.site(|_| ())?;
    shop.bundle("site", "site", &[])
}

/// A leaf alone that says where its issuer's certificate is.
fn with_pointer(lab: &Lab, file: &'static str) -> Started {
    lab.with_certificates(
        |shop| {
            let (_, above) = shop.authorities()?;
            shop.write("www/intermediate.crt", shop.read("intermediate.pem")?)?;
            shop.openssl("crl2pkcs7 -nocrl -certfile intermediate.pem -outform DER -out www/intermediate.p7c")?;
            shop.leaf("site", &above, |leaf| pointers(leaf, Some(&shop.url(file)), None))?;
            shop.bundle("site", "site", &[])
        },
        |lab| lab.nginx("site", ""),
    )
}

/// The leaf of [`Workshop::deep`] with these files behind it.
fn deep(lab: &Lab, chain: &'static [&'static str], start: impl FnOnce(&Lab) -> Started) -> Started {
    lab.with_certificates(
        |shop| {
            shop.deep()?;
            let other = shop.authority("other-root", "tlswhy lab stranger root", None, |_| ())?;
            shop.authority("stranger", "tlswhy lab stranger", Some(&other), |_| ())?;
            shop.bundle("site", "site", chain)
        },
        start,
    )
}

fn deep_nginx(lab: &Lab, chain: &'static [&'static str]) -> Started {
    deep(lab, chain, |lab| lab.nginx("site", "ssl_protocols TLSv1.2 TLSv1.3;"))
}

pub(super) const SCENARIOS: &[Scenario] = &[
    Scenario {
        id: "chain-incomplete-nginx-tls13",
        start: |lab| alone(lab, |lab| lab.nginx("site", "ssl_protocols TLSv1.3;")),
        ..INCOMPLETE
    },
    Scenario {
        id: "chain-incomplete-nginx-tls12",
        start: |lab| alone(lab, |lab| lab.nginx("site", "ssl_protocols TLSv1.2;")),
        ..INCOMPLETE
    },
    Scenario { id: "chain-incomplete-apache", start: |lab| alone(lab, |lab| lab.apache("site", "")), ..INCOMPLETE },
    Scenario { id: "chain-incomplete-haproxy", start: |lab| alone(lab, |lab| lab.haproxy("site", "", "")), ..INCOMPLETE },
    Scenario {
        id: "chain-incomplete-lighttpd",
        start: |lab| alone(lab, |lab| lab.lighttpd("mod_openssl", "site", "")),
        ..INCOMPLETE
    },
    Scenario { id: "chain-incomplete-gnutls", start: |lab| alone(lab, |lab| lab.gnutls_serv("site", "")), ..INCOMPLETE },
    Scenario { id: "chain-incomplete-go", start: |lab| alone(lab, |lab| lab.caddy("site", "")), ..INCOMPLETE },
    Scenario { id: "chain-incomplete-node", start: |lab| alone(lab, |lab| lab.node("site", "{}")), ..INCOMPLETE },
    Scenario { id: "chain-incomplete-python", start: |lab| alone(lab, |lab| lab.python("site", "pass")), ..INCOMPLETE },
    Scenario {
        id: "chain-incomplete-java",
        start: |lab| {
            lab.with_certificates(
                |shop| {
                    only_leaf(shop)?;
                    shop.openssl("pkcs12 -export -in site.pem -inkey site.key -name server -passout pass:changeit -out rsa.p12")
                },
                |lab| lab.java("", ""),
            )
        },
        ..INCOMPLETE
    },
    Scenario {
        id: "chain-incomplete-postfix-starttls",
        start: |lab| alone(lab, |lab| lab.postfix("site", "")),
        args: &["--starttls", "smtp", "--known", "{pki}/intermediate.pem"],
        seen: Seen {
            like: "-verify_return_error -starttls smtp",
            says: NO_ISSUER,
            works_with: Some("-starttls smtp -CAfile {pki}/with-intermediate.pem"),
        },
        ..INCOMPLETE
    },
    Scenario {
        id: "chain-incomplete-dovecot-starttls",
        start: |lab| alone(lab, |lab| lab.dovecot("site", "imap", false, "")),
        args: &["--starttls", "imap", "--known", "{pki}/intermediate.pem"],
        seen: Seen {
            like: "-verify_return_error -starttls imap",
            says: NO_ISSUER,
            works_with: Some("-starttls imap -CAfile {pki}/with-intermediate.pem"),
        },
        ..INCOMPLETE
    },
    Scenario {
        id: "chain-incomplete-postgres",
        start: |lab| alone(lab, |lab| lab.postgres("site", "")),
        args: &["--starttls", "postgres", "--known", "{pki}/intermediate.pem"],
        seen: Seen {
            like: "-verify_return_error -starttls postgres",
            says: NO_ISSUER,
            works_with: Some("-starttls postgres -CAfile {pki}/with-intermediate.pem"),
        },
        ..INCOMPLETE
    },
    Scenario {
        id: "chain-incomplete-known-directory",
        start: |lab| alone(lab, |lab| lab.nginx("site", "")),
        args: &["--known", "{pki}"],
        ..INCOMPLETE
    },
    Scenario {
        id: "chain-incomplete-nginx-trusted-certificate",
        // nginx does not send what stands in ssl_trusted_certificate (SSL_MODE_NO_AUTO_CHAIN).
        start: |lab| alone(lab, |lab| lab.nginx("site", "ssl_trusted_certificate {pki}/intermediate.pem;")),
        ..INCOMPLETE
    },
    Scenario {
        id: "chain-incomplete-root-sent-without-intermediate",
        start: |lab| {
            lab.with_certificates(
                |shop| {
                    shop.site(|_| ())?;
                    shop.bundle("site", "site", &["ca"])
                },
                |lab| lab.nginx("site", ""),
            )
        },
        ..INCOMPLETE
    },
    Scenario {
        id: "chain-incomplete-wrong-intermediate-sent",
        start: |lab| {
            lab.with_certificates(
                |shop| {
                    // The intermediate of last year: the same name, another key.
                    let (root, above) = shop.authorities()?;
                    shop.authority("former", "tlswhy lab own intermediate", Some(&root), |ca| lasts(ca, -900 * DAY, 90 * DAY))?;
                    shop.leaf("site", &above, |_| ())?;
                    shop.bundle("site", "site", &["former"])
                },
                |lab| lab.nginx("site", ""),
            )
        },
        ..INCOMPLETE
    },
    Scenario {
        id: "chain-incomplete-aia-der",
        start: |lab| with_pointer(lab, "intermediate.cer"),
        args: &["--aia"],
        mentions: &["/intermediate.cer"],
        ..INCOMPLETE
    },
    Scenario {
        id: "chain-incomplete-aia-pem",
        start: |lab| with_pointer(lab, "intermediate.crt"),
        args: &["--aia"],
        ..INCOMPLETE
    },
    Scenario {
        id: "chain-incomplete-aia-pkcs7",
        start: |lab| with_pointer(lab, "intermediate.p7c"),
        args: &["--aia"],
        ..INCOMPLETE
    },
    Scenario {
        id: "chain-incomplete-aia-redirected",
        start: |lab| with_pointer(lab, "to/intermediate.cer"),
        args: &["--aia"],
        ..INCOMPLETE
    },
    Scenario {
        id: "chain-unknown-issuer-aia-not-there",
        start: |lab| with_pointer(lab, "nowhere.cer"),
        args: &["--aia"],
        seen: MISSING,
        ..OPEN
    },
    Scenario {
        id: "chain-unknown-issuer-aia-not-asked",
        start: |lab| with_pointer(lab, "intermediate.cer"),
        // The URL is named, and not fetched unasked.
        mentions: &["--aia"],
        seen: MISSING,
        ..OPEN
    },
    Scenario {
        id: "chain-unknown-issuer-nothing-known",
        start: |lab| alone(lab, |lab| lab.nginx("site", "")),
        seen: MISSING,
        ..OPEN
    },
    Scenario {
        id: "chain-unknown-issuer-apache",
        start: |lab| alone(lab, |lab| lab.apache("site", "SSLProtocol -all +TLSv1.2")),
        seen: MISSING,
        ..OPEN
    },
    Scenario {
        id: "chain-incomplete-chrome-copes",
        // A browser that fetches by itself has no trouble where the same server fails in curl.
        start: |lab| with_pointer(lab, "intermediate.cer"),
        args: &["--client", super::super::versions::CHROME, "--aia"],
        outcomes: &["works"],
        causes: &[],
        ..INCOMPLETE
    },
    Scenario { id: "chain-incomplete-two-missing", start: |lab| deep_nginx(lab, &[]), ..DEEP },
    Scenario { id: "chain-incomplete-lower-missing", start: |lab| deep_nginx(lab, &["upper"]), ..DEEP },
    Scenario {
        id: "chain-incomplete-upper-missing",
        start: |lab| deep_nginx(lab, &["lower"]),
        mentions: &["tlswhy lab upper"],
        ..DEEP
    },
    Scenario {
        id: "chain-incomplete-two-missing-haproxy-tls12",
        start: |lab| deep(lab, &[], |lab| lab.haproxy("site", "ssl-max-ver TLSv1.2", "")),
        ..DEEP
    },
    Scenario {
        id: "chain-unknown-issuer-one-of-two-known",
        start: |lab| deep_nginx(lab, &[]),
        args: &["--known", "{pki}/lower.pem"],
        seen: MISSING,
        ..OPEN
    },
    Scenario {
        id: "chain-incomplete-strangers-sent",
        start: |lab| deep_nginx(lab, &["stranger", "upper", "other-root"]),
        ..DEEP
    },
    // Near misses.
    Scenario { id: "near-miss-chain-complete", start: |lab| deep_nginx(lab, &["lower", "upper"]), ..FINE },
    Scenario {
        id: "near-miss-chain-with-root",
        start: |lab| deep_nginx(lab, &["lower", "upper", "ca"]),
        mentions: &["root"],
        ..FINE
    },
    Scenario {
        id: "near-miss-chain-with-duplicates",
        start: |lab| deep_nginx(lab, &["lower", "lower", "upper", "upper"]),
        ..FINE
    },
    Scenario { id: "near-miss-chain-with-stranger", start: |lab| deep_nginx(lab, &["lower", "stranger", "upper"]), ..FINE },
    Scenario { id: "near-miss-chain-reversed", start: |lab| deep_nginx(lab, &["upper", "lower"]), ..FINE },
    Scenario { id: "near-miss-chain-reversed-with-root", start: |lab| deep_nginx(lab, &["ca", "upper", "lower"]), ..FINE },
    Scenario {
        id: "near-miss-chain-reversed-apache",
        start: |lab| deep(lab, &["upper", "lower"], |lab| lab.apache("site", "")),
        ..FINE
    },
    Scenario {
        id: "near-miss-chain-intermediate-in-store",
        // OpenSSL builds with what stands in the file of anchors, whether it is a root or not.
        start: |lab| alone(lab, |lab| lab.nginx("site", "")),
        ca: "{pki}/with-intermediate.pem",
        ..FINE
    },
    Scenario {
        id: "near-miss-chain-completed-by-apache",
        // Without a chain of its own, OpenSSL's server side builds it from the authorities for clients.
        start: |lab| alone(lab, |lab| lab.apache("site", "SSLCACertificateFile {pki}/intermediate.pem")),
        ..FINE
    },
    Scenario {
        id: "near-miss-chain-known-not-needed",
        start: |lab| lab.nginx("rsa", ""),
        args: &["--known", "{pki}/intermediate.pem"],
        ..FINE
    },
    // Clients that mind the order.
    Scenario { id: "chain-misordered-nginx", start: |lab| deep_nginx(lab, &["upper", "lower"]), ..MISORDERED },
    Scenario {
        id: "chain-misordered-haproxy-root-first",
        start: |lab| deep(lab, &["ca", "upper", "lower"], |lab| lab.haproxy("site", "", "")),
        ..MISORDERED
    },
    Scenario {
        id: "chain-misordered-exact-stranger-between",
        start: |lab| deep_nginx(lab, &["lower", "stranger", "upper"]),
        args: &["--client", EXACT],
        ..MISORDERED
    },
    Scenario {
        id: "near-miss-order-forward-stranger-between",
        start: |lab| deep_nginx(lab, &["lower", "stranger", "upper"]),
        args: &["--client", FORWARD],
        ..FINE
    },
    Scenario {
        id: "near-miss-order-exact-complete",
        start: |lab| deep_nginx(lab, &["lower", "upper"]),
        args: &["--client", EXACT],
        ..FINE
    },
    Scenario {
        id: "near-miss-order-exact-root-sent",
        start: |lab| deep_nginx(lab, &["lower", "upper", "ca"]),
        args: &["--client", EXACT],
        ..FINE
    },
];
