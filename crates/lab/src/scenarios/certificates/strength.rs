//! Certificates that are weak, or may not be used so.

use std::fs;

use rcgen::{CertificateParams, ExtendedKeyUsagePurpose, GeneralSubtree, IsCa, KeyUsagePurpose, NameConstraints};

use super::{FINE, STRICT};
use crate::fake;
use crate::pki::Weak;
use crate::pki::workshop::{P256, at_most_below, extension};
use crate::programs::Started;
use crate::scenario::{BROKEN, Scenario, Seen};
use crate::server::{Lab, StartError};

const LOWER_LEVEL: Option<&str> = Some("-verify_return_error -verify_hostname good.example.test -cipher DEFAULT@SECLEVEL=0");
const WEAK: Scenario = Scenario {
    group: "weak-key-or-digest",
    causes: &["weak-key-or-digest"],
    seen: Seen { like: STRICT, says: "key too weak", works_with: LOWER_LEVEL },
    ..BROKEN
};
const DIGEST: Seen = Seen { like: STRICT, says: "signature digest algorithm too weak", works_with: LOWER_LEVEL };
const STRONG: Scenario = Scenario { forbidden: &["weak-key-or-digest", "certificate-unsuitable"], ..FINE };
const UNSUITABLE: Scenario = Scenario {
    group: "certificate-unsuitable",
    causes: &["certificate-unsuitable"],
    forbidden: &["untrusted-root", "chain-incomplete"],
    seen: Seen { like: STRICT, says: "verify error", works_with: None },
    ..BROKEN
};

const RSA_1024: &str = "RSA -pkeyopt rsa_keygen_bits:1024";
const RSA_2048: &str = "RSA -pkeyopt rsa_keygen_bits:2048";
const ROOT: Weak<'static> = Weak { stem: "ca", above: "ca", key: P256, digest: "sha256", ca: true };
const MIDDLE: Weak<'static> = Weak { stem: "intermediate", above: "ca", ..ROOT };
const SITE: Weak<'static> = Weak { stem: "site", above: "intermediate", key: P256, digest: "sha256", ca: false };

/// Root, intermediate and leaf by `openssl`, on a server that lets anything through.
fn weak(lab: &Lab, three: [Weak<'static>; 3], start: impl FnOnce(&Lab) -> Started) -> Started {
    lab.with_certificates(
        |shop| {
            three.iter().try_for_each(|one| shop.weak(one))?;
            shop.bundle("site", "site", &["intermediate"])
        },
        start,
    )
}

fn weak_nginx(lab: &Lab, three: [Weak<'static>; 3]) -> Started {
    weak(lab, three, |lab| lab.nginx("site", "ssl_protocols TLSv1.2 TLSv1.3; ssl_ciphers DEFAULT:@SECLEVEL=0;"))
}

/// nginx with a chain in which these are changed.
fn nginx(lab: &Lab, intermediate: fn(&mut CertificateParams), leaf: fn(&mut CertificateParams)) -> Started {
    lab.with_certificates(
        |shop| {
            let root = shop.authority("ca", "tlswhy lab own root", None, |_| ())?;
            let above = shop.authority("intermediate", "tlswhy lab own intermediate", Some(&root), intermediate)?;
            shop.leaf("site", &above, leaf)
        },
        |lab| lab.nginx("site", "ssl_protocols TLSv1.2 TLSv1.3;"),
    )
}

/// nginx behind a relay that damages the DER of one certificate on its way, in TLS 1.2, where it can be seen.
fn spoiled(lab: &Lab, file: &'static str) -> Started {
    lab.with_certificates(
        |shop| {
            shop.site(|_| ())?;
            shop.der(file).map(drop)
        },
        |lab| {
            let der = fs::read(lab.pki.join(format!("{file}.der"))).map_err(StartError::of)?;
            let needle = der.get(..64).unwrap_or_default().to_vec();
            fake::spoiling(lab.nginx("site", "ssl_protocols TLSv1.2;")?, needle)
        },
    )
}

fn constrained(ca: &mut CertificateParams, permitted: &[&str], excluded: &[&str]) {
    let names = |list: &[&str]| list.iter().map(|name| GeneralSubtree::DnsName((*name).to_owned())).collect();
    ca.name_constraints = Some(NameConstraints { permitted_subtrees: names(permitted), excluded_subtrees: names(excluded) });
}

/// A number of no meaning below the arc for examples (RFC 5612).
const NOBODYS: &[u64] = &[1, 3, 6, 1, 4, 1, 32473, 1];

pub(super) const SCENARIOS: &[Scenario] = &[
    Scenario {
        id: "weak-key-rsa1024-leaf",
        start: |lab| weak_nginx(lab, [ROOT, MIDDLE, Weak { key: RSA_1024, ..SITE }]),
        ..WEAK
    },
    Scenario {
        id: "weak-key-rsa1024-leaf-apache-tls12",
        start: |lab| {
            weak(lab, [ROOT, MIDDLE, Weak { key: RSA_1024, ..SITE }], |lab| {
                lab.apache("site", "SSLProtocol -all +TLSv1.2\nSSLCipherSuite DEFAULT:@SECLEVEL=0")
            })
        },
        ..WEAK
    },
    Scenario {
        id: "weak-key-rsa1024-intermediate",
        start: |lab| weak_nginx(lab, [ROOT, Weak { key: RSA_1024, ..MIDDLE }, SITE]),
        ..WEAK
    },
    Scenario {
        id: "weak-key-rsa1024-root-in-store",
        // OpenSSL looks at the size of every key of the path, the anchor's too.
        start: |lab| weak_nginx(lab, [Weak { key: RSA_1024, ..ROOT }, MIDDLE, SITE]),
        ..WEAK
    },
    Scenario {
        id: "weak-key-p192-intermediate",
        start: |lab| weak_nginx(lab, [ROOT, Weak { key: "EC -pkeyopt ec_paramgen_curve:prime192v1", ..MIDDLE }, SITE]),
        ..WEAK
    },
    Scenario {
        id: "cipher-certificate-mismatch-secp256k1",
        group: "cipher-certificate-mismatch",
        // Up to TLS 1.2 the curve of the certificate must be one of the client's groups (RFC 8422 §5.1.1).
        start: |lab| weak_nginx(lab, [ROOT, MIDDLE, Weak { key: "EC -pkeyopt ec_paramgen_curve:secp256k1", ..SITE }]),
        causes: &["cipher-certificate-mismatch"],
        mentions: &["ECDSA (secp256k1)", "P-256"],
        // nginx has TLS 1.3 too, and no way to sign there with such a key.
        seen: Seen {
            like: "",
            says: "alert handshake failure",
            works_with: Some("-tls1_2 -groups P-256:secp256k1 -verify_return_error"),
        },
        ..BROKEN
    },
    Scenario {
        id: "weak-digest-sha1-leaf",
        start: |lab| weak_nginx(lab, [ROOT, MIDDLE, Weak { digest: "sha1", ..SITE }]),
        seen: DIGEST,
        ..WEAK
    },
    Scenario {
        id: "weak-digest-sha1-rsa-leaf-apache",
        start: |lab| {
            let three = [ROOT, Weak { key: RSA_2048, ..MIDDLE }, Weak { digest: "sha1", key: RSA_2048, ..SITE }];
            weak(lab, three, |lab| lab.apache("site", "SSLCipherSuite DEFAULT:@SECLEVEL=0"))
        },
        seen: DIGEST,
        ..WEAK
    },
    Scenario {
        id: "weak-digest-sha1-intermediate",
        start: |lab| weak_nginx(lab, [ROOT, Weak { digest: "sha1", ..MIDDLE }, SITE]),
        seen: DIGEST,
        ..WEAK
    },
    Scenario {
        id: "weak-digest-md5-leaf",
        start: |lab| weak_nginx(lab, [ROOT, Weak { key: RSA_2048, ..MIDDLE }, Weak { digest: "md5", ..SITE }]),
        seen: DIGEST,
        ..WEAK
    },
    Scenario {
        id: "near-miss-sha1-root",
        // Nobody checks the signature of what is trusted anyway.
        start: |lab| weak_nginx(lab, [Weak { digest: "sha1", ..ROOT }, MIDDLE, SITE]),
        ..STRONG
    },
    Scenario {
        id: "near-miss-rsa2048-sha256",
        start: |lab| weak_nginx(lab, [ROOT, MIDDLE, Weak { key: RSA_2048, ..SITE }]),
        ..STRONG
    },
    Scenario {
        id: "certificate-unsuitable-for-clients-only",
        start: |lab| nginx(lab, |_| (), |leaf| leaf.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth]),
        seen: Seen {
            says: "unsuitable certificate purpose",
            works_with: Some("-verify_return_error -purpose any"),
            ..UNSUITABLE.seen
        },
        ..UNSUITABLE
    },
    Scenario {
        id: "certificate-unsuitable-intermediate-for-clients-only",
        start: |lab| nginx(lab, |ca| ca.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth], |_| ()),
        seen: Seen {
            says: "unsuitable certificate purpose",
            works_with: Some("-verify_return_error -purpose any"),
            ..UNSUITABLE.seen
        },
        ..UNSUITABLE
    },
    Scenario {
        id: "certificate-unsuitable-any-purpose-openssl",
        // OpenSSL wants serverAuth by name where there is an extKeyUsage at all.
        start: |lab| nginx(lab, |_| (), |leaf| leaf.extended_key_usages = vec![ExtendedKeyUsagePurpose::Any]),
        seen: Seen {
            says: "unsuitable certificate purpose",
            works_with: Some("-verify_return_error -purpose any"),
            ..UNSUITABLE.seen
        },
        ..UNSUITABLE
    },
    Scenario {
        id: "near-miss-any-purpose-go",
        start: |lab| nginx(lab, |_| (), |leaf| leaf.extended_key_usages = vec![ExtendedKeyUsagePurpose::Any]),
        args: &["--client", "go-1.24"],
        seen: Seen { like: "-verify_return_error -purpose any", says: "", works_with: None },
        ..STRONG
    },
    Scenario {
        id: "certificate-unsuitable-intermediate-no-ca",
        start: |lab| nginx(lab, |ca| ca.is_ca = IsCa::ExplicitNoCa, |_| ()),
        seen: Seen { says: "invalid CA certificate", ..UNSUITABLE.seen },
        ..UNSUITABLE
    },
    Scenario {
        id: "certificate-unsuitable-intermediate-may-not-sign",
        start: |lab| nginx(lab, |ca| ca.key_usages = vec![KeyUsagePurpose::DigitalSignature], |_| ()),
        ..UNSUITABLE
    },
    Scenario {
        id: "certificate-unsuitable-path-too-long",
        start: |lab| {
            lab.with_certificates(
                |shop| {
                    let root = shop.authority("ca", "tlswhy lab deep root", None, |_| ())?;
                    let upper =
                        shop.authority("upper", "tlswhy lab upper intermediate", Some(&root), |ca| at_most_below(ca, 0))?;
                    let lower = shop.authority("lower", "tlswhy lab lower intermediate", Some(&upper), |_| ())?;
                    shop.leaf("site", &lower, |_| ())?;
                    shop.bundle("site", "site", &["lower", "upper"])
                },
                |lab| lab.nginx("site", ""),
            )
        },
        seen: Seen { says: "path length constraint exceeded", ..UNSUITABLE.seen },
        ..UNSUITABLE
    },
    Scenario {
        id: "certificate-unsuitable-name-not-permitted",
        start: |lab| nginx(lab, |ca| constrained(ca, &["elsewhere.test"], &[]), |_| ()),
        seen: Seen { says: "permitted subtree violation", ..UNSUITABLE.seen },
        ..UNSUITABLE
    },
    Scenario {
        id: "certificate-unsuitable-name-excluded",
        start: |lab| nginx(lab, |ca| constrained(ca, &[], &["example.test"]), |_| ()),
        seen: Seen { says: "excluded subtree violation", ..UNSUITABLE.seen },
        ..UNSUITABLE
    },
    Scenario {
        id: "certificate-unsuitable-unknown-critical-extension",
        start: |lab| nginx(lab, |_| (), |leaf| extension(leaf, NOBODYS, &[5, 0], true)),
        seen: Seen {
            says: "unhandled critical extension",
            works_with: Some("-verify_return_error -ignore_critical"),
            ..UNSUITABLE.seen
        },
        ..UNSUITABLE
    },
    Scenario {
        id: "certificate-unsuitable-broken-signature",
        start: |lab| {
            lab.with_certificates(
                |shop| {
                    shop.site(|_| ())?;
                    shop.spoil_signature("site")?;
                    shop.bundle("site", "site", &["intermediate"])
                },
                |lab| lab.nginx("site", ""),
            )
        },
        seen: Seen { says: "certificate signature failure", ..UNSUITABLE.seen },
        ..UNSUITABLE
    },
    Scenario {
        id: "certificate-unsuitable-broken-extension",
        // subjectAltName is no sequence: servers send it nevertheless.
        start: |lab| {
            nginx(
                lab,
                |_| (),
                |leaf| {
                    leaf.subject_alt_names.clear();
                    extension(leaf, &[2, 5, 29, 17], &[0x30, 0x20, 0x82], false);
                },
            )
        },
        // What cannot be read has no name either; which comes first is a matter of the client.
        or_causes: &[&["certificate-unsuitable", "hostname-mismatch"]],
        ..UNSUITABLE
    },
    Scenario {
        id: "certificate-unsuitable-unreadable-leaf",
        start: |lab| spoiled(lab, "site.leaf.pem"),
        // Nothing can be said of what cannot be read.
        or_causes: &[&["certificate-unsuitable", "hostname-mismatch"]],
        forbidden: &["certificate-key-mismatch"],
        seen: Seen { like: "", says: "asn1 encoding routines", works_with: None },
        ..UNSUITABLE
    },
    Scenario {
        id: "certificate-unsuitable-unreadable-intermediate",
        start: |lab| spoiled(lab, "intermediate.pem"),
        // Some clients pass over it, and miss it then.
        or_causes: &[&["chain-incomplete"], &["untrusted-root"]],
        outcomes: &["fails", "undetermined"],
        forbidden: &["certificate-key-mismatch"],
        seen: Seen { like: "", says: "asn1 encoding routines", works_with: None },
        ..UNSUITABLE
    },
    Scenario {
        id: "near-miss-no-extended-key-usage",
        start: |lab| nginx(lab, |_| (), |leaf| leaf.extended_key_usages.clear()),
        ..STRONG
    },
    Scenario {
        id: "near-miss-unknown-extension-not-critical",
        start: |lab| nginx(lab, |_| (), |leaf| extension(leaf, NOBODYS, &[5, 0], false)),
        ..STRONG
    },
    Scenario {
        id: "near-miss-name-permitted",
        start: |lab| nginx(lab, |ca| constrained(ca, &["example.test"], &["bad.example.test"]), |_| ()),
        ..STRONG
    },
    Scenario { id: "near-miss-path-just-short-enough", start: |lab| nginx(lab, |ca| at_most_below(ca, 0), |_| ()), ..STRONG },
];
