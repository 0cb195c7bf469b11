//! Roots that nobody trusts.

use std::io;

use super::{FINE, OPEN, STRICT};
use crate::pki::Workshop;
use crate::programs::Started;
use crate::scenario::{BROKEN, Scenario, Seen};
use crate::server::Lab;

const UNTRUSTED: Scenario = Scenario {
    group: "untrusted-root",
    causes: &["untrusted-root"],
    forbidden: &["chain-incomplete"],
    seen: Seen {
        like: STRICT,
        says: "self-signed certificate in certificate chain",
        works_with: Some("-verify_hostname good.example.test -verify_return_error -CAfile {pki}/private.pem"),
    },
    ..BROKEN
};
const SELF_SIGNED: Scenario = Scenario {
    seen: Seen {
        like: STRICT,
        says: "num=18:self-signed certificate",
        works_with: Some("-verify_hostname good.example.test -verify_return_error -CAfile {pki}/site.leaf.pem"),
    },
    ..UNTRUSTED
};
const TRUSTED: Scenario = Scenario { forbidden: &["untrusted-root", "chain-incomplete"], ..FINE };

/// A self-signed certificate; the store holds another root.
fn self_signed(lab: &Lab, start: impl FnOnce(&Lab) -> Started) -> Started {
    lab.with_certificates(
        |shop| {
            shop.authorities()?;
            shop.leaf_with("site", None, shop.key()?, |_| ())
        },
        start,
    )
}

/// A chain of a private authority with these files behind the leaf; the store holds another root.
fn private(shop: &Workshop, chain: &[&str]) -> io::Result<()> {
    shop.authorities()?;
    let root = shop.authority("private", "Example Corp private root", None, |_| ())?;
    let above = shop.authority("private-lower", "Example Corp private intermediate", Some(&root), |_| ())?;
    shop.leaf("site", &above, |_| ())?;
    shop.join("private-both.pem", &["private.pem", "private-lower.pem"])?;
    shop.bundle("site", "site", chain)
}

fn private_nginx(lab: &Lab, chain: &'static [&'static str]) -> Started {
    lab.with_certificates(|shop| private(shop, chain), |lab| lab.nginx("site", ""))
}

pub(super) const SCENARIOS: &[Scenario] = &[
    Scenario {
        id: "untrusted-root-self-signed-nginx",
        start: |lab| self_signed(lab, |lab| lab.nginx("site", "ssl_protocols TLSv1.2 TLSv1.3;")),
        ..SELF_SIGNED
    },
    Scenario {
        id: "untrusted-root-self-signed-apache-tls12",
        start: |lab| self_signed(lab, |lab| lab.apache("site", "SSLProtocol -all +TLSv1.2")),
        ..SELF_SIGNED
    },
    Scenario {
        id: "untrusted-root-self-signed-haproxy",
        start: |lab| self_signed(lab, |lab| lab.haproxy("site", "", "")),
        ..SELF_SIGNED
    },
    Scenario {
        id: "untrusted-root-self-signed-postfix-starttls",
        start: |lab| self_signed(lab, |lab| lab.postfix("site", "")),
        args: &["--starttls", "smtp"],
        seen: Seen {
            like: "-starttls smtp -verify_return_error",
            works_with: Some("-starttls smtp -CAfile {pki}/site.leaf.pem"),
            ..SELF_SIGNED.seen
        },
        ..SELF_SIGNED
    },
    Scenario {
        id: "untrusted-root-self-signed-and-known",
        // That a file of intermediates has it makes nobody trust it.
        start: |lab| self_signed(lab, |lab| lab.nginx("site", "")),
        args: &["--known", "{pki}/site.leaf.pem"],
        ..SELF_SIGNED
    },
    Scenario {
        id: "untrusted-root-private-root-sent",
        start: |lab| private_nginx(lab, &["private-lower", "private"]),
        mentions: &["Example Corp private root"],
        ..UNTRUSTED
    },
    Scenario {
        id: "untrusted-root-private-root-sent-haproxy-tls12",
        start: |lab| {
            lab.with_certificates(
                |shop| private(shop, &["private-lower", "private"]),
                |lab| lab.haproxy("site", "ssl-max-ver TLSv1.2", ""),
            )
        },
        mentions: &["Example Corp private root"],
        ..UNTRUSTED
    },
    Scenario {
        id: "untrusted-root-private-root-known",
        start: |lab| private_nginx(lab, &["private-lower"]),
        args: &["--known", "{pki}/private.pem"],
        mentions: &["Example Corp private root"],
        seen: Seen { says: "unable to get local issuer certificate", ..UNTRUSTED.seen },
        ..UNTRUSTED
    },
    Scenario {
        id: "untrusted-root-private-intermediate-missing-root-sent",
        start: |lab| private_nginx(lab, &["private"]),
        seen: Seen {
            says: "unable to get local issuer certificate",
            works_with: Some("-verify_hostname good.example.test -CAfile {pki}/private-both.pem"),
            ..UNTRUSTED.seen
        },
        ..OPEN
    },
    Scenario {
        id: "untrusted-root-private-root-not-sent",
        // Whether the root is private or an intermediate is missing is not to be seen.
        start: |lab| private_nginx(lab, &["private-lower"]),
        mentions: &["Example Corp private root"],
        seen: Seen { says: "unable to get local issuer certificate", ..UNTRUSTED.seen },
        ..OPEN
    },
    Scenario {
        id: "untrusted-root-namesake-in-store",
        // The store has a root of the same name and another key.
        start: |lab| {
            lab.with_certificates(
                |shop| {
                    let root = shop.authority("private", "tlswhy lab own root", None, |_| ())?;
                    let above = shop.authority("private-lower", "tlswhy lab own intermediate", Some(&root), |_| ())?;
                    shop.authority("ca", "tlswhy lab own root", None, |_| ())?;
                    shop.leaf("site", &above, |_| ())
                },
                |lab| lab.nginx("site", ""),
            )
        },
        seen: Seen { says: "verify error", ..UNTRUSTED.seen },
        ..OPEN
    },
    Scenario {
        id: "untrusted-root-intermediate-alone-in-store",
        // OpenSSL wants a root unless it is told -partial_chain.
        start: |lab| lab.with_certificates(|shop| shop.site(|_| ()), |lab| lab.nginx("site", "")),
        ca: "{pki}/intermediate.pem",
        seen: Seen {
            like: STRICT,
            says: "unable to get issuer certificate",
            works_with: Some("-verify_hostname good.example.test -verify_return_error -partial_chain"),
        },
        ..OPEN
    },
    // Near misses.
    Scenario {
        id: "near-miss-self-signed-in-store",
        start: |lab| self_signed(lab, |lab| lab.nginx("site", "")),
        ca: "{pki}/site.leaf.pem",
        ..TRUSTED
    },
    Scenario {
        id: "near-miss-private-root-in-store",
        start: |lab| private_nginx(lab, &["private-lower"]),
        ca: "{pki}/private.pem",
        ..TRUSTED
    },
    Scenario {
        id: "near-miss-intermediate-alone-in-store-go",
        // Go ends a path at whatever is in the store.
        start: |lab| lab.with_certificates(|shop| shop.site(|_| ()), |lab| lab.nginx("site", "")),
        ca: "{pki}/intermediate.pem",
        args: &["--client", "go-1.24"],
        seen: Seen { like: "-verify_return_error -partial_chain", says: "", works_with: None },
        ..TRUSTED
    },
    Scenario {
        id: "near-miss-leaf-issued-by-root",
        start: |lab| {
            lab.with_certificates(
                |shop| {
                    let root = shop.authority("ca", "tlswhy lab own root", None, |_| ())?;
                    shop.leaf("site", &root, |_| ())
                },
                |lab| lab.nginx("site", ""),
            )
        },
        ..TRUSTED
    },
];
