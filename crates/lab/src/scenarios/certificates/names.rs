//! Names: which certificate covers which.

use std::net::{IpAddr, Ipv4Addr};

use rcgen::{CertificateParams, SanType};

use super::{FINE, STRICT};
use crate::pki::workshop::named;
use crate::programs::Started;
use crate::scenario::{BROKEN, Scenario, Seen};
use crate::server::Lab;

const MISMATCH: Scenario = Scenario {
    group: "hostname-mismatch",
    causes: &["hostname-mismatch"],
    forbidden: &["sni-unrecognized"],
    seen: Seen { like: STRICT, says: "hostname mismatch", works_with: Some("-verify_return_error") },
    ..BROKEN
};
const COVERED: Scenario = Scenario { forbidden: &["hostname-mismatch"], ..FINE };
const GO: &[&str] = &["--client", "go-1.24"];
/// Nothing but the address to go by.
const ADDRESS: Seen = Seen {
    like: "-verify_return_error -verify_ip 127.0.0.1",
    says: "IP address mismatch",
    works_with: Some("-verify_return_error"),
};

fn with(lab: &Lab, change: fn(&mut CertificateParams)) -> Started {
    lab.with_certificates(|shop| shop.site(change), |lab| lab.nginx("site", "ssl_protocols TLSv1.2 TLSv1.3;"))
}

/// The name as common name, and these subjectAltNames.
fn common_name(leaf: &mut CertificateParams, names: &[&str]) {
    named(leaf, names);
    leaf.distinguished_name.push(rcgen::DnType::CommonName, crate::pki::NAME);
}

fn address_as_common_name(leaf: &mut CertificateParams) {
    leaf.subject_alt_names = Vec::new();
    leaf.distinguished_name.push(rcgen::DnType::CommonName, "127.0.0.1");
}

pub(super) const SCENARIOS: &[Scenario] = &[
    Scenario {
        id: "hostname-mismatch-nginx",
        start: |lab| lab.nginx("other", "ssl_protocols TLSv1.2 TLSv1.3;"),
        mentions: &["other.example.test"],
        seen: Seen { works_with: Some("-verify_return_error -verify_hostname other.example.test"), ..MISMATCH.seen },
        ..MISMATCH
    },
    Scenario {
        id: "hostname-mismatch-apache-default-host",
        start: |lab| lab.apache("rsa", ""),
        server_name: "unknown.example.test",
        seen: Seen { like: "-verify_return_error -verify_hostname unknown.example.test", ..MISMATCH.seen },
        ..MISMATCH
    },
    Scenario {
        id: "hostname-mismatch-haproxy-default-certificate",
        start: |lab| lab.haproxy("rsa", "ssl-max-ver TLSv1.2", ""),
        server_name: "unknown.example.test",
        seen: Seen { like: "-verify_return_error -verify_hostname unknown.example.test", ..MISMATCH.seen },
        ..MISMATCH
    },
    Scenario {
        id: "hostname-mismatch-postfix-starttls",
        start: |lab| lab.postfix("other", ""),
        args: &["--starttls", "smtp"],
        seen: Seen {
            like: "-starttls smtp -verify_return_error -verify_hostname good.example.test",
            works_with: Some("-starttls smtp"),
            ..MISMATCH.seen
        },
        ..MISMATCH
    },
    Scenario {
        id: "hostname-mismatch-wildcard-two-labels",
        start: |lab| with(lab, |leaf| named(leaf, &["*.example.test"])),
        server_name: "a.b.example.test",
        mentions: &["*.example.test"],
        seen: Seen { like: "-verify_return_error -verify_hostname a.b.example.test", ..MISMATCH.seen },
        ..MISMATCH
    },
    Scenario {
        id: "hostname-mismatch-wildcard-bare-domain",
        start: |lab| with(lab, |leaf| named(leaf, &["*.example.test"])),
        server_name: "example.test",
        seen: Seen { like: "-verify_return_error -verify_hostname example.test", ..MISMATCH.seen },
        ..MISMATCH
    },
    Scenario {
        id: "hostname-mismatch-www",
        start: |lab| with(lab, |leaf| named(leaf, &["example.test"])),
        server_name: "www.example.test",
        seen: Seen { like: "-verify_return_error -verify_hostname www.example.test", ..MISMATCH.seen },
        ..MISMATCH
    },
    Scenario {
        id: "hostname-mismatch-other-name-in-alternative-names",
        // Where there is a dNSName, the common name counts for nobody.
        start: |lab| with(lab, |leaf| common_name(leaf, &["other.example.test"])),
        ..MISMATCH
    },
    Scenario {
        id: "hostname-mismatch-common-name-go",
        start: |lab| with(lab, |leaf| common_name(leaf, &[])),
        args: GO,
        // OpenSSL takes the common name; that is what Go does not.
        seen: Seen { like: STRICT, says: "", works_with: None },
        ..MISMATCH
    },
    Scenario { id: "hostname-mismatch-no-name-at-all", start: |lab| with(lab, |leaf| named(leaf, &[])), ..MISMATCH },
    Scenario {
        id: "hostname-mismatch-idn",
        start: |lab| with(lab, |leaf| named(leaf, &["bucher.example.test"])),
        server_name: "bücher.example.test",
        seen: Seen {
            like: "-servername xn--bcher-kva.example.test -verify_return_error -verify_hostname xn--bcher-kva.example.test",
            works_with: Some("-servername xn--bcher-kva.example.test -verify_return_error"),
            ..MISMATCH.seen
        },
        ..MISMATCH
    },
    Scenario { id: "hostname-mismatch-address", start: |lab| lab.nginx("rsa", ""), server_name: "", seen: ADDRESS, ..MISMATCH },
    Scenario {
        id: "hostname-mismatch-other-address",
        start: |lab| {
            with(lab, |leaf| leaf.subject_alt_names = vec![SanType::IpAddress(IpAddr::V4(Ipv4Addr::new(127, 0, 0, 2)))])
        },
        server_name: "",
        mentions: &["127.0.0.2"],
        seen: ADDRESS,
        ..MISMATCH
    },
    Scenario {
        id: "hostname-mismatch-address-as-dns-name",
        start: |lab| {
            with(lab, |leaf| {
                let text = rcgen::string::Ia5String::try_from("127.0.0.1");
                leaf.subject_alt_names = text.map(SanType::DnsName).into_iter().collect();
            })
        },
        server_name: "",
        seen: ADDRESS,
        ..MISMATCH
    },
    Scenario {
        id: "hostname-mismatch-address-as-common-name",
        // X509_check_ip(3) does not look there; curl does.
        start: |lab| with(lab, address_as_common_name),
        server_name: "",
        seen: ADDRESS,
        ..MISMATCH
    },
    Scenario {
        id: "near-miss-address-as-common-name-curl",
        start: |lab| with(lab, address_as_common_name),
        server_name: "",
        args: &["--client", "curl-openssl-3.0"],
        seen: Seen { like: "-verify_return_error", says: "", works_with: None },
        ..COVERED
    },
    Scenario {
        id: "near-miss-address-in-certificate",
        start: |lab| with(lab, |leaf| leaf.subject_alt_names.push(SanType::IpAddress(IpAddr::V4(Ipv4Addr::LOCALHOST)))),
        server_name: "",
        seen: Seen { like: ADDRESS.like, says: "", works_with: None },
        ..COVERED
    },
    Scenario {
        id: "near-miss-wildcard",
        start: |lab| with(lab, |leaf| named(leaf, &["*.example.test", "example.test"])),
        ..COVERED
    },
    Scenario {
        id: "near-miss-wildcard-in-part-of-a-label-openssl",
        // OpenSSL allows it unless told X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS; RFC 9525 and Go do not.
        start: |lab| with(lab, |leaf| named(leaf, &["g*.example.test"])),
        ..COVERED
    },
    Scenario {
        id: "hostname-mismatch-wildcard-in-part-of-a-label-go",
        start: |lab| with(lab, |leaf| named(leaf, &["g*.example.test"])),
        args: GO,
        // OpenSSL takes it; that is what Go does not.
        seen: Seen { like: STRICT, says: "", works_with: None },
        ..MISMATCH
    },
    Scenario { id: "near-miss-capital-letters", start: |lab| with(lab, |leaf| named(leaf, &["GOOD.Example.Test"])), ..COVERED },
    Scenario { id: "near-miss-common-name-openssl", start: |lab| with(lab, |leaf| common_name(leaf, &[])), ..COVERED },
    Scenario {
        id: "near-miss-idn",
        start: |lab| with(lab, |leaf| named(leaf, &["xn--bcher-kva.example.test"])),
        server_name: "bücher.example.test",
        seen: Seen {
            like: "-servername xn--bcher-kva.example.test -verify_return_error -verify_hostname xn--bcher-kva.example.test",
            says: "",
            works_with: None,
        },
        ..COVERED
    },
    Scenario {
        id: "near-miss-one-of-a-hundred-names",
        start: |lab| {
            with(lab, |leaf| {
                let names: Vec<String> = (0..99).map(|number| format!("host{number}.example.test")).collect();
                let all: Vec<&str> = names.iter().map(String::as_str).chain([crate::pki::NAME]).collect();
                named(leaf, &all);
            })
        },
        ..COVERED
    },
];
