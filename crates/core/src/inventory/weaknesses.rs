//! What is weak in what a server accepts. Nothing here is probed for: it follows from what was accepted.

use tlswhy_model::Notice;
use tlswhy_wire::{Authentication, CipherMode, CipherSuite, Encryption, KeyExchange, ProtocolVersion, SuiteDetails};

use super::{Inventory, VersionInventory};
use crate::negotiate::{ServerCapabilities, Support};

/// A weakness of cipher suites.
struct Weakness {
    /// Its code, in notices and beside suites.
    code: &'static str,
    /// Which suites have it.
    of: fn(&SuiteDetails) -> bool,
    /// What it means, after the suites.
    says: &'static str,
    /// Where that stands.
    reference: &'static str,
}

/// Weaknesses of suites, the worst first.
static WEAKNESSES: &[Weakness] = &[
    Weakness {
        code: "no-encryption",
        of: |row| row.encryption == Encryption::Null,
        says: "nothing is encrypted: everybody on the way can read along",
        reference: "RFC 9325 §4.1",
    },
    Weakness {
        code: "anonymous",
        of: |row| row.authentication == Authentication::Anon,
        says: "the server does not prove who it is: everybody on the way can take its place",
        reference: "RFC 9325 §4.1",
    },
    Weakness {
        code: "export",
        of: SuiteDetails::is_export,
        says: "made weak for the export rules of the 1990s; FREAK (RSA) and Logjam (Diffie-Hellman) force clients onto them",
        reference: "RFC 9325 §4.1, CVE-2015-0204, CVE-2015-4000",
    },
    Weakness {
        code: "rc4",
        of: |row| row.encryption == Encryption::Rc4,
        says: "RC4 leaks what it encrypts and must not be used",
        reference: "RFC 7465",
    },
    Weakness {
        code: "single-des",
        of: |row| matches!(row.encryption, Encryption::Des | Encryption::Rc2) && !row.is_export(),
        says: "a key of 56 bits is found by trying",
        reference: "RFC 5469",
    },
    Weakness {
        code: "64-bit-block",
        of: |row| matches!(row.encryption, Encryption::TripleDes | Encryption::Idea),
        says: "blocks of 64 bits give away text in long connections (Sweet32)",
        reference: "CVE-2016-2183",
    },
    Weakness {
        code: "no-forward-secrecy",
        of: |row| {
            matches!(row.key_exchange, KeyExchange::Rsa | KeyExchange::RsaPsk | KeyExchange::Dh | KeyExchange::Ecdh)
                && row.encryption != Encryption::Null
        },
        says: "whoever gets the server's key later can read recorded connections",
        reference: "RFC 9325 §4.1",
    },
];

/// The codes of a suite's weaknesses, the worst first.
pub(super) fn of_suite(row: &SuiteDetails) -> Vec<&'static str> {
    WEAKNESSES.iter().filter(|weakness| (weakness.of)(row)).map(|weakness| weakness.code).collect()
}

/// The same for a suite by its name; none where the registry does not know it.
pub(super) fn of_name(name: &str) -> Vec<&'static str> {
    name.parse::<CipherSuite>().ok().and_then(CipherSuite::details).map(of_suite).unwrap_or_default()
}

/// The codes of all weaknesses that suites can have.
pub(super) fn of_suites() -> impl Iterator<Item = &'static str> {
    WEAKNESSES.iter().map(|weakness| weakness.code)
}

/// What the weaknesses mean that are tried for, the worst first.
static TRIED: &[(&str, &str)] = &[
    (
        "heartbleed",
        "the server answers a heartbeat with more than it was sent: anybody reads its memory, keys included (Heartbleed, CVE-2014-0160); update OpenSSL, then renew key and certificate",
    ),
    (
        "early-ccs",
        "the server takes a ChangeCipherSpec before there are keys: whoever is on the way to a client with the same fault reads along (CVE-2014-0224); update OpenSSL",
    ),
    ("client-renegotiation", "clients may renegotiate: each time costs the server far more than them (CVE-2011-1473)"),
];

/// Prime sizes in bits below which finite-field Diffie-Hellman is in reach of a state (Logjam), and below which it is too small
/// for today (RFC 9325 §4.2).
const LOGJAM_BITS: u32 = 1024;
const LEAST_DH_BITS: u32 = 2048;

impl Inventory {
    /// What is weak, worst first, and whether the inventory was hindered.
    pub(crate) fn notices(&self, server: &ServerCapabilities) -> Vec<Notice> {
        let mut notices = Vec::new();
        let mut add = |code: &str, says: String| notices.push(Notice { code: code.to_owned(), says });
        let accepted: Vec<&VersionInventory> =
            self.versions.iter().filter(|found| found.support == Support::Accepted).collect();
        if self.has(ProtocolVersion::SSLV2) {
            add(
                "sslv2",
                "the server speaks SSL 2.0, which protects nothing; other servers with the same key are in danger too (DROWN, CVE-2016-0800, RFC 6176)"
                    .to_owned(),
            );
        }
        if let Some(found) = accepted.iter().find(|found| found.version == ProtocolVersion::SSLV3) {
            let cbc = found.suites.taken().iter().any(|suite| suite.details().is_some_and(|row| row.mode == CipherMode::Cbc));
            let poodle = if cbc { "; with its CBC suites it is open to POODLE (CVE-2014-3566)" } else { "" };
            add("sslv3", format!("the server speaks SSL 3.0, which must not be used (RFC 7568){poodle}"));
        }
        let old: Vec<String> = accepted
            .iter()
            .map(|found| found.version)
            .filter(|version| (ProtocolVersion::TLSV1_0..ProtocolVersion::TLSV1_2).contains(version))
            .map(|version| version.to_string())
            .collect();
        if !old.is_empty() {
            add("deprecated-version", format!("the server speaks {}, which must not be used (RFC 8996)", old.join(" and ")));
        }
        for weakness in WEAKNESSES {
            let of = |found: &&VersionInventory| {
                let suites = found.suites.taken();
                let weak = suites.iter().filter(|suite| suite.details().is_some_and(weakness.of)).count();
                (weak > 0).then(|| format!("{weak} of {} suites at {}", suites.len(), found.version))
            };
            let where_found: Vec<String> = accepted.iter().filter_map(of).collect();
            if !where_found.is_empty() {
                let says = format!("{}: {} ({})", where_found.join(", "), weakness.says, weakness.reference);
                add(weakness.code, says);
            }
        }
        if let Some(bits) = server.dh_bits.filter(|bits| *bits < LEAST_DH_BITS) {
            let how =
                if bits <= LOGJAM_BITS { "in reach of the greatest attackers (Logjam, CVE-2015-4000)" } else { "too small" };
            add(
                "small-dh",
                format!("its Diffie-Hellman prime has {bits} bits, {how}; at least {LEAST_DH_BITS} are wanted (RFC 9325 §4.2)"),
            );
        }
        if server.secure_renegotiation == Some(false) {
            let says = "the server lacks secure renegotiation: others may put text before a client's (RFC 5746, CVE-2009-3555)";
            add("insecure-renegotiation", says.to_owned());
        }
        if self.features.iter().any(|feature| feature.code == "compression" && feature.support == Support::Accepted) {
            let says = "the server compresses: the length of what is sent gives away its content (CRIME, CVE-2012-4929)";
            add("compression", says.to_owned());
        }
        for (code, says) in TRIED {
            if self.vulnerabilities.iter().any(|tried| tried.code == *code && tried.support == Support::Accepted) {
                add(code, (*says).to_owned());
            }
        }
        if self.unanswered > 0 {
            let hellos =
                if self.unanswered == 1 { "1 hello was".to_owned() } else { format!("{} hellos were", self.unanswered) };
            let says = format!(
                "{hellos} not answered, or cut off each time, although others were taken: the server, or something before it, may choke on them or limit how often one connects; what is untested may be there"
            );
            add("unanswered", says);
        }
        notices
    }
}
