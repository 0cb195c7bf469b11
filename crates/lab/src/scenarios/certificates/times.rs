//! Certificates that ended, or have yet to begin; clocks that are wrong.

use rcgen::CertificateParams;

use super::{FINE, STRICT};
use crate::pki::Workshop;
use crate::pki::workshop::{DAY, lasts};
use crate::programs::Started;
use crate::scenario::{BROKEN, Scenario, Seen};
use crate::server::Lab;

const HOUR: i64 = 3_600;
const WITHOUT_CLOCK: Option<&str> = Some("-verify_hostname good.example.test -verify_return_error -no_check_time");
const EXPIRED: Scenario = Scenario {
    group: "certificate-expired",
    causes: &["certificate-expired"],
    seen: Seen { like: STRICT, says: "certificate has expired", works_with: WITHOUT_CLOCK },
    ..BROKEN
};
const EARLY: Scenario = Scenario {
    group: "certificate-not-yet-valid",
    causes: &["certificate-not-yet-valid"],
    seen: Seen { like: STRICT, says: "certificate is not yet valid", works_with: WITHOUT_CLOCK },
    ..BROKEN
};
const CLOCK: Seen = Seen { like: STRICT, says: "", works_with: None };
const EXPIRED_CODES: &[&str] = &["certificate-expired", "certificate-not-yet-valid"];
const IN_TIME: Scenario = Scenario { forbidden: EXPIRED_CODES, ..FINE };

/// A server whose certificate lasts so long, in seconds from now.
fn site(lab: &Lab, from: i64, to: i64, start: impl FnOnce(&Lab) -> Started) -> Started {
    lab.with_certificates(|shop| shop.site(|leaf| lasts(leaf, from, to)), start)
}

fn nginx(lab: &Lab, from: i64, to: i64) -> Started {
    site(lab, from, to, |lab| lab.nginx("site", "ssl_protocols TLSv1.2 TLSv1.3;"))
}

/// nginx with a chain whose two authorities are changed so.
fn authorities(lab: &Lab, root: fn(&mut CertificateParams), intermediate: fn(&mut CertificateParams)) -> Started {
    lab.with_certificates(
        |shop| {
            let root = shop.authority("ca", "tlswhy lab own root", None, root)?;
            let above = shop.authority("intermediate", "tlswhy lab own intermediate", Some(&root), intermediate)?;
            shop.leaf("site", &above, |_| ())
        },
        |lab| lab.nginx("site", "ssl_protocols TLSv1.2 TLSv1.3;"),
    )
}

/// An intermediate with a certificate by an old root that ended, and one by the root that is in the store.
fn crossed(lab: &Lab, chain: &'static [&'static str]) -> Started {
    lab.with_certificates(
        |shop: &Workshop| {
            let old = shop.authority("old", "tlswhy lab old root", None, |ca| lasts(ca, -4_000 * DAY, -10 * DAY))?;
            let root = shop.authority("ca", "tlswhy lab own root", None, |_| ())?;
            let below_old = |ca: &mut CertificateParams| lasts(ca, -2_000 * DAY, -10 * DAY);
            shop.authority_with("crossed", "tlswhy lab own root", Some(&old), root.same_key()?, below_old)?;
            let above = shop.authority("intermediate", "tlswhy lab own intermediate", Some(&root), |_| ())?;
            shop.leaf("site", &above, |_| ())?;
            shop.join("both-roots.pem", &["old.pem", "ca.pem"])?;
            shop.bundle("site", "site", chain)
        },
        |lab| lab.nginx("site", ""),
    )
}

pub(super) const SCENARIOS: &[Scenario] = &[
    Scenario { id: "certificate-expired-nginx", start: |lab| nginx(lab, -90 * DAY, -3 * DAY), ..EXPIRED },
    Scenario { id: "certificate-expired-an-hour-ago", start: |lab| nginx(lab, -90 * DAY, -HOUR), ..EXPIRED },
    Scenario { id: "certificate-expired-long-ago", start: |lab| nginx(lab, -9_000 * DAY, -8_000 * DAY), ..EXPIRED },
    Scenario {
        id: "certificate-expired-apache-tls12",
        start: |lab| site(lab, -90 * DAY, -3 * DAY, |lab| lab.apache("site", "SSLProtocol -all +TLSv1.2")),
        ..EXPIRED
    },
    Scenario {
        id: "certificate-expired-haproxy",
        start: |lab| site(lab, -90 * DAY, -3 * DAY, |lab| lab.haproxy("site", "", "")),
        ..EXPIRED
    },
    Scenario {
        id: "certificate-expired-go",
        start: |lab| site(lab, -90 * DAY, -3 * DAY, |lab| lab.caddy("site", "")),
        ..EXPIRED
    },
    Scenario {
        id: "certificate-expired-postfix-starttls",
        start: |lab| site(lab, -90 * DAY, -3 * DAY, |lab| lab.postfix("site", "")),
        args: &["--starttls", "smtp"],
        seen: Seen {
            like: "-starttls smtp -verify_return_error",
            works_with: Some("-starttls smtp -no_check_time"),
            ..EXPIRED.seen
        },
        ..EXPIRED
    },
    Scenario {
        id: "certificate-expired-intermediate",
        start: |lab| authorities(lab, |_| (), |ca| lasts(ca, -900 * DAY, -DAY)),
        mentions: &["tlswhy lab own intermediate"],
        ..EXPIRED
    },
    Scenario {
        id: "certificate-expired-root-in-store",
        start: |lab| authorities(lab, |ca| lasts(ca, -900 * DAY, -DAY), |_| ()),
        mentions: &["tlswhy lab own root"],
        ..EXPIRED
    },
    Scenario { id: "certificate-not-yet-valid-nginx", start: |lab| nginx(lab, 10 * DAY, 100 * DAY), ..EARLY },
    Scenario { id: "certificate-not-yet-valid-for-an-hour", start: |lab| nginx(lab, HOUR, 100 * DAY), ..EARLY },
    Scenario {
        id: "certificate-not-yet-valid-haproxy-tls12",
        start: |lab| site(lab, 10 * DAY, 100 * DAY, |lab| lab.haproxy("site", "ssl-max-ver TLSv1.2", "")),
        ..EARLY
    },
    Scenario {
        id: "certificate-not-yet-valid-intermediate",
        start: |lab| authorities(lab, |_| (), |ca| lasts(ca, DAY, 900 * DAY)),
        mentions: &["tlswhy lab own intermediate"],
        ..EARLY
    },
    // A clock that is wrong: the server's Date header shows the truth.
    Scenario {
        id: "certificate-not-yet-valid-clock-slow",
        start: |lab| nginx(lab, -90 * DAY, 100 * DAY),
        clock: "-200d",
        mentions: &["clock"],
        seen: Seen { like: "-verify_return_error -attime 1600000000", ..EARLY.seen },
        ..EARLY
    },
    Scenario {
        id: "certificate-expired-clock-fast",
        start: |lab| nginx(lab, -90 * DAY, 100 * DAY),
        clock: "+200d",
        mentions: &["clock"],
        seen: Seen { like: "-verify_return_error -attime 4000000000", ..EXPIRED.seen },
        ..EXPIRED
    },
    Scenario {
        id: "certificate-expired-clock-right",
        // Near miss: the certificate ended, and the server agrees about the time.
        start: |lab| nginx(lab, -90 * DAY, -DAY),
        ..EXPIRED
    },
    Scenario {
        id: "near-miss-clock-an-hour-slow",
        start: |lab| nginx(lab, -90 * DAY, 100 * DAY),
        clock: "-1h",
        seen: CLOCK,
        ..IN_TIME
    },
    // Near misses.
    Scenario { id: "near-miss-began-a-minute-ago", start: |lab| nginx(lab, -60, 90 * DAY), ..IN_TIME },
    Scenario { id: "near-miss-ends-tomorrow", start: |lab| nginx(lab, -89 * DAY, DAY), outcomes: &["at-risk"], ..IN_TIME },
    Scenario {
        id: "near-miss-ends-in-six-days",
        start: |lab| nginx(lab, -84 * DAY, 6 * DAY),
        outcomes: &["at-risk"],
        ..IN_TIME
    },
    Scenario { id: "near-miss-ends-in-eight-days", start: |lab| nginx(lab, -82 * DAY, 8 * DAY), ..IN_TIME },
    Scenario {
        id: "near-miss-short-lived",
        // Six days in all, five of them left: a tenth of the lifetime is what counts.
        start: |lab| nginx(lab, -DAY, 5 * DAY),
        ..IN_TIME
    },
    Scenario {
        id: "near-miss-intermediate-ends-tomorrow",
        start: |lab| authorities(lab, |_| (), |ca| lasts(ca, -900 * DAY, DAY)),
        outcomes: &["at-risk"],
        ..IN_TIME
    },
    Scenario {
        id: "near-miss-never-ends",
        start: |lab| {
            lab.with_certificates(
                |shop| shop.site(|leaf| leaf.not_after = rcgen::date_time_ymd(9999, 12, 31)),
                |lab| lab.nginx("site", ""),
            )
        },
        ..IN_TIME
    },
    Scenario { id: "near-miss-expired-cross-sign", start: |lab| crossed(lab, &["intermediate", "crossed"]), ..IN_TIME },
    Scenario {
        id: "near-miss-expired-cross-sign-old-root-in-store",
        start: |lab| crossed(lab, &["intermediate", "crossed"]),
        ca: "{pki}/both-roots.pem",
        ..IN_TIME
    },
    Scenario {
        id: "near-miss-expired-cross-sign-and-old-root-sent",
        start: |lab| crossed(lab, &["intermediate", "crossed", "old"]),
        ..IN_TIME
    },
    Scenario {
        id: "certificate-expired-cross-sign-alone-trusted",
        // The store has the old root and not the new one.
        start: |lab| crossed(lab, &["intermediate", "crossed"]),
        ca: "{pki}/old.pem",
        ..EXPIRED
    },
];
