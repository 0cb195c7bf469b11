//! What an alert says of a cause by its own definition, where nothing else of the matter is to be seen. It is a suspicion: every
//! row has rivals, which stay open beside it.

use tlswhy_model::Party;
use tlswhy_wire::{AlertDescription, ProtocolVersion};

/// An alert that ends a handshake, and what it is likely to mean.
#[derive(Debug, PartialEq, Eq)]
pub struct Word {
    /// Who sends it.
    pub by: Party,
    /// The alert.
    pub alert: AlertDescription,
    /// Lowest and highest version of the client for which the row holds; `None` for every client.
    pub offers: Option<Offers>,
    /// The causes that it may have, the one that is suspected first.
    pub decides: &'static [&'static str],
    /// The cause in a few words.
    pub title: &'static str,
    /// What the alert means.
    pub why: &'static str,
    /// Who can mend it, and how.
    pub fix: (Party, &'static str),
    /// Where the alert is defined.
    pub reference: &'static str,
}

/// What a client offers.
#[derive(Debug, PartialEq, Eq)]
pub struct Offers {
    /// Its highest version lies from here
    highest_from: ProtocolVersion,
    /// to here,
    highest_to: ProtocolVersion,
    /// and its lowest is at least this.
    lowest_from: ProtocolVersion,
}

const OLDEST: ProtocolVersion = ProtocolVersion::SSLV2;
const TLSV1_1: ProtocolVersion = ProtocolVersion::TLSV1_1;
const TLSV1_2: ProtocolVersion = ProtocolVersion::TLSV1_2;
const TLSV1_3: ProtocolVersion = ProtocolVersion::TLSV1_3;

/// Every row. A client that offers everything from TLS 1.0 to 1.3 and hears protocol_version has none: that is mostly a server that
/// cannot read its hello.
static WORDS: &[Word] = &[
    Word {
        by: Party::Server,
        alert: AlertDescription::PROTOCOL_VERSION,
        offers: Some(Offers { highest_from: OLDEST, highest_to: TLSV1_1, lowest_from: OLDEST }),
        decides: &["client-version-outdated", "server-version-intolerant"],
        title: "The server takes none of the client's versions, which end at TLS 1.1",
        why: "The server sends protocol_version where it recognises the versions and has none of them switched on. What it takes instead was not seen; servers of today begin at TLS 1.2.",
        fix: (
            Party::Client,
            "Let the client use TLS 1.2 or 1.3: upgrade it or its TLS library, or lift the setting that caps it",
        ),
        reference: "RFC 8446 §6.2",
    },
    Word {
        by: Party::Server,
        alert: AlertDescription::PROTOCOL_VERSION,
        offers: Some(Offers { highest_from: TLSV1_2, highest_to: TLSV1_2, lowest_from: OLDEST }),
        decides: &["version-ranges-disjoint", "server-version-intolerant", "server-version-outdated"],
        title: "The server takes none of the client's versions, which end at TLS 1.2",
        why: "The server sends protocol_version where it recognises the versions and has none of them switched on. A server of old versions alone would have answered with one of them, so it is likely one of TLS 1.3 alone, or of a draft of it.",
        fix: (Party::Server, "Switch TLS 1.2 on at the server as well, or let the client use TLS 1.3"),
        reference: "RFC 8446 §6.2",
    },
    Word {
        by: Party::Server,
        alert: AlertDescription::PROTOCOL_VERSION,
        offers: Some(Offers { highest_from: TLSV1_3, highest_to: TLSV1_3, lowest_from: TLSV1_3 }),
        decides: &["version-ranges-disjoint", "server-version-outdated", "server-version-intolerant"],
        title: "The server does not take TLS 1.3, and the client offers nothing else",
        why: "The server sends protocol_version where it has none of the versions that the client offers. Most servers without TLS 1.3 have TLS 1.2.",
        fix: (Party::Server, "Switch TLS 1.3 on at the server as well, or let the client use TLS 1.2"),
        reference: "RFC 8446 §6.2",
    },
    Word {
        by: Party::Server,
        alert: AlertDescription::PROTOCOL_VERSION,
        offers: Some(Offers { highest_from: TLSV1_3, highest_to: TLSV1_3, lowest_from: TLSV1_2 }),
        decides: &["server-version-outdated", "server-version-intolerant", "version-ranges-disjoint"],
        title: "The server takes neither TLS 1.2 nor TLS 1.3",
        why: "The server sends protocol_version where it has none of the versions that the client offers: here that leaves TLS 1.1 and older.",
        fix: (
            Party::Server,
            "Switch TLS 1.2 and 1.3 on at the server; if its software cannot, upgrade it or put a TLS proxy in front",
        ),
        reference: "RFC 8446 §6.2",
    },
    Word {
        by: Party::Client,
        alert: AlertDescription::UNKNOWN_CA,
        offers: None,
        decides: &["untrusted-root", "chain-incomplete", "path-tls-inspection"],
        title: "The client knows no authority that stands behind the server's certificate",
        why: "With unknown_ca the client says that no path leads from the server's certificate to an anchor of its trust store: the root is not in it, or an intermediate was not sent.",
        fix: (
            Party::Client,
            "If it is your own authority: give the client its root as a trust anchor. If an intermediate is missing: let the server send it",
        ),
        reference: "RFC 8446 §6.2",
    },
    Word {
        by: Party::Client,
        alert: AlertDescription::CERTIFICATE_EXPIRED,
        offers: None,
        decides: &["certificate-expired", "certificate-not-yet-valid"],
        title: "By the client's clock a certificate of the server has expired",
        why: "With certificate_expired the client says that a certificate is not valid at the time of its clock.",
        fix: (Party::Server, "Renew the certificate and reload the server; if it is within its time, set the client's clock"),
        reference: "RFC 8446 §6.2",
    },
    Word {
        by: Party::Client,
        alert: AlertDescription::CERTIFICATE_REVOKED,
        offers: None,
        decides: &["certificate-revoked"],
        title: "The client was told that a certificate of the server is revoked",
        why: "With certificate_revoked the client says that the issuer withdrew a certificate.",
        fix: (Party::Server, "Have a new certificate issued for a new key, and serve that"),
        reference: "RFC 8446 §6.2",
    },
    Word {
        by: Party::Client,
        alert: AlertDescription::DECRYPT_ERROR,
        offers: None,
        decides: &["certificate-key-mismatch"],
        title: "The client cannot verify what the server signed or computed",
        why: "With decrypt_error a client says that a signature, or the server's Finished, does not verify: mostly the server signs with a key that is not the one in its certificate.",
        fix: (Party::Server, "Compare the server's key with its certificate, and configure the two that belong together"),
        reference: "RFC 8446 §6.2",
    },
];

/// What this alert of `by` is likely to mean to a client that offers these versions; `None` where it says too little.
pub fn word(by: Party, alert: AlertDescription, versions: &[ProtocolVersion]) -> Option<&'static Word> {
    WORDS.iter().find(|word| {
        let fits = word.offers.as_ref().is_none_or(|offers| {
            let (lowest, highest) = (versions.iter().min(), versions.iter().max());
            highest.is_some_and(|highest| (offers.highest_from..=offers.highest_to).contains(highest))
                && lowest.is_some_and(|lowest| *lowest >= offers.lowest_from)
        });
        word.by == by && word.alert == alert && fits
    })
}
