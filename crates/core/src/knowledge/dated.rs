//! What is dated in a client's hello: rows, each with the document that retired it.

use tlswhy_wire::{
    Authentication, CipherMode, CipherSuite, Encryption, ExtensionType, HelloFormat, HelloSpec, ProtocolVersion, SuiteDetails,
};

/// Something in a hello that should no longer be there, or that is missing from it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dated {
    /// A sentence without its full stop.
    pub says: String,
    /// Where it says so.
    pub reference: &'static str,
}

struct Row {
    /// What is found, for the sentence; `None` where the row does not apply.
    found: fn(&HelloSpec) -> Option<String>,
    reference: &'static str,
}

const ROWS: &[Row] = &[
    Row {
        found: |hello| (hello.format == HelloFormat::Sslv2).then(|| "It has the form of SSL 2.0".to_owned()),
        reference: "RFC 6176",
    },
    Row {
        found: |hello| {
            let highest = highest(hello)?;
            (highest < ProtocolVersion::TLSV1_2).then(|| format!("It offers {highest} at most: servers of today refuse it"))
        },
        reference: "RFC 8996",
    },
    Row {
        found: |hello| {
            let highest = highest(hello)?;
            (highest == ProtocolVersion::TLSV1_2).then(|| "It does not offer TLS 1.3".to_owned())
        },
        reference: "RFC 8446",
    },
    Row {
        found: |hello| {
            let old: Vec<String> = hello
                .offered_versions()
                .iter()
                .filter(|version| **version < ProtocolVersion::TLSV1_2 && !version.is_grease())
                .map(ToString::to_string)
                .collect();
            let capped = highest(hello).is_some_and(|highest| highest < ProtocolVersion::TLSV1_2);
            (!capped && !old.is_empty()).then(|| format!("It still offers {}", old.join(" and ")))
        },
        reference: "RFC 8996",
    },
    Row {
        found: |hello| suites(hello, "without encryption", |row| row.encryption == Encryption::Null),
        reference: "RFC 9325 §4.1",
    },
    Row {
        found: |hello| suites(hello, "without authentication", |row| row.authentication == Authentication::Anon),
        reference: "RFC 9325 §4.1",
    },
    Row { found: |hello| suites(hello, "of export strength", SuiteDetails::is_export), reference: "RFC 9325 §4.1" },
    Row { found: |hello| suites(hello, "with RC4", |row| row.encryption == Encryption::Rc4), reference: "RFC 7465" },
    Row {
        found: |hello| suites(hello, "with DES", |row| row.encryption == Encryption::Des && !row.is_export()),
        reference: "RFC 5469",
    },
    Row {
        found: |hello| suites(hello, "with 3DES", |row| row.encryption == Encryption::TripleDes),
        reference: "RFC 9325 §4.1, CVE-2016-2183",
    },
    Row {
        found: |hello| every(hello, "None of its suites has forward secrecy", |row| !row.forward_secret()),
        reference: "RFC 9325 §4.1",
    },
    Row {
        found: |hello| every(hello, "None of its suites is an AEAD", |row| !row.is_aead() && row.mode != CipherMode::Null),
        reference: "RFC 9325 §4.2",
    },
    Row {
        found: |hello| {
            (hello.format == HelloFormat::Tls && !hello.offers_renegotiation_info())
                .then(|| "It does not signal secure renegotiation".to_owned())
        },
        reference: "RFC 5746",
    },
    Row {
        found: |hello| {
            let needs = hello.offered_versions().iter().any(|version| *version <= ProtocolVersion::TLSV1_2);
            (needs && hello.extension(ExtensionType::EXTENDED_MASTER_SECRET).is_none())
                .then(|| "It does not offer the extended master secret, which FIPS policies of servers insist on".to_owned())
        },
        reference: "RFC 7627",
    },
    Row {
        found: |hello| {
            let schemes = hello.signature_schemes()?;
            // The hash in the upper byte: 1 MD5, 2 SHA-1 (RFC 5246 §7.4.1.4.1).
            let weak = |scheme: &tlswhy_wire::SignatureScheme| matches!(scheme.0 >> 8, 1 | 2);
            (!schemes.is_empty() && schemes.iter().all(weak)).then(|| "It takes signatures with SHA-1 and MD5 alone".to_owned())
        },
        reference: "RFC 9155",
    },
    Row {
        found: |hello| {
            let says_none = highest(hello) == Some(ProtocolVersion::TLSV1_2) && hello.signature_schemes().is_none();
            says_none.then(|| "It names no signature algorithms: servers then sign with SHA-1, or not at all".to_owned())
        },
        reference: "RFC 5246 §7.4.1.4.1, RFC 9155",
    },
    Row {
        found: |hello| {
            let names_none = hello.format == HelloFormat::Tls && hello.groups().is_empty();
            names_none.then(|| "It names no groups: servers then choose a curve that it may not know, or none".to_owned())
        },
        reference: "RFC 8422 §4",
    },
    Row {
        found: |hello| hello.compression.iter().any(|method| *method != 0).then(|| "It offers compression".to_owned()),
        reference: "RFC 9325 §3.3, CVE-2012-4929",
    },
    Row {
        found: |hello| {
            let missing = hello.extension(ExtensionType::SERVER_NAME).is_none();
            missing.then(|| "It sends no server name: of several sites on one address it gets the default one".to_owned())
        },
        reference: "RFC 6066 §3",
    },
];

/// What is dated in a hello, in the order in which it matters.
pub fn dated(hello: &HelloSpec) -> Vec<Dated> {
    let found = |row: &Row| Some(Dated { says: (row.found)(hello)?, reference: row.reference });
    ROWS.iter().filter_map(found).collect()
}

fn highest(hello: &HelloSpec) -> Option<ProtocolVersion> {
    hello.offered_versions().into_iter().filter(|version| !version.is_grease()).max()
}

fn details(hello: &HelloSpec) -> impl Iterator<Item = &'static SuiteDetails> {
    hello.real_suites().into_iter().filter_map(CipherSuite::details)
}

fn suites(hello: &HelloSpec, which: &str, fits: impl Fn(&SuiteDetails) -> bool) -> Option<String> {
    match details(hello).filter(|row| fits(row)).count() {
        0 => None,
        1 => Some(format!("It offers a suite {which}")),
        count => Some(format!("It offers {count} suites {which}")),
    }
}

fn every(hello: &HelloSpec, says: &str, fits: impl Fn(&SuiteDetails) -> bool) -> Option<String> {
    let mut rows = details(hello).peekable();
    (rows.peek().is_some() && rows.all(fits)).then(|| says.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::knowledge::clients::client;

    fn says(name: &str) -> Vec<String> {
        let hello = client(name).unwrap().hello.with_server_name(Some("good.example.test"));
        dated(&hello).into_iter().map(|dated| dated.says).collect()
    }

    #[test]
    fn a_client_of_today_has_nothing_dated() {
        assert_eq!(says("firefox-153"), [""; 0]);
        assert_eq!(says("go-1.27"), [""; 0]);
    }

    #[test]
    fn an_old_client_is_told_what_is_old_in_it() {
        let says = says("java-7");
        assert!(says.iter().any(|says| says.contains("at most")), "{says:?}");
        assert!(says.iter().any(|says| says.contains("RC4")), "{says:?}");
    }
}
