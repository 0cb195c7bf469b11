//! A certificate chain as people want it: the root on top, whom it signed below it, what is missing as a gap, and who trusts it.
//!
//! The drawing is made of lines of toned pieces, so that a terminal can colour them and Markdown and HTML can put them into a
//! preformatted block.

use std::collections::BTreeMap;
use std::io;

use anstyle::{AnsiColor, Style};
use jiff::Timestamp;
use serde::Serialize;
use tlswhy_model::{CertificateView, ChainView, StoreView};

use super::page::{ASIDE, HEADING, Page};
use super::wrap::wrap;

/// Names that are shown unless all are asked for.
const NAMES: usize = 6;
/// Certificates beside the path that are shown unless all are asked for.
const STRANGERS: usize = 8;
/// Fewer days left than these are worth a colour.
const SOON: i64 = 30;
const VERY_SOON: i64 = 7;
/// Columns of a drawing where nobody says.
pub(crate) const WIDTH: usize = 96;
/// Columns of a label below a certificate.
const LABEL: usize = 8;

/// What is to be drawn, and how much of it.
pub(crate) struct Drawing<'a> {
    /// The certificates and the stores.
    pub(crate) view: &'a ChainView,
    /// More of each certificate, by its SHA-256.
    pub(crate) facts: &'a BTreeMap<String, Facts>,
    /// They lie in a file instead of having been sent.
    pub(crate) from_file: bool,
    /// With fingerprints and pins.
    pub(crate) fingerprints: bool,
    /// With every name and address.
    pub(crate) verbose: bool,
}

/// What the view of a certificate does not hold.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct Facts {
    /// Where its issuer's certificate is to be had.
    pub(crate) issuer_urls: Vec<String>,
    /// Where its state is told.
    pub(crate) ocsp_urls: Vec<String>,
    /// Where the revocation lists lie.
    pub(crate) crl_urls: Vec<String>,
    /// It demands a stapled OCSP response (RFC 7633).
    pub(crate) must_staple: bool,
    /// Embedded timestamps of certificate transparency.
    pub(crate) embedded_scts: usize,
    /// What is worth a line of its own: stapling, certificate transparency.
    #[serde(rename = "states")]
    pub(crate) says: Vec<String>,
}

/// Nothing more is known than what the view holds.
pub(crate) static NO_FACTS: BTreeMap<String, Facts> = BTreeMap::new();

/// How a piece of text looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Tone {
    Plain,
    Strong,
    Aside,
    Good,
    Warning,
    Bad,
}

/// One line: the branches, then the text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Line {
    branches: String,
    pieces: Vec<(Tone, String)>,
}

impl Line {
    fn new(branches: &str, pieces: Vec<(Tone, String)>) -> Line {
        Line { branches: branches.to_owned(), pieces }
    }

    /// Without tones.
    pub(super) fn plain(&self) -> String {
        let text: String = self.pieces.iter().map(|(_, text)| text.as_str()).collect();
        format!("{}{text}", self.branches).trim_end().to_owned()
    }
}

/// Draws it on a page, from column `indent`.
pub(crate) fn write(drawing: &Drawing<'_>, indent: usize, page: &mut Page<'_>) -> io::Result<()> {
    for line in drawing.lines(page.width().saturating_sub(indent)) {
        let mut pieces = vec![(Style::new(), format!("{:indent$}{}", "", line.branches))];
        pieces.extend(line.pieces.into_iter().map(|(tone, text)| (style(tone), text)));
        page.pieces(&pieces)?;
    }
    Ok(())
}

/// Draws it without colours.
pub(super) fn plain(drawing: &Drawing<'_>) -> String {
    let lines: Vec<String> = drawing.lines(WIDTH).iter().map(Line::plain).collect();
    lines.join("\n")
}

fn style(tone: Tone) -> Style {
    match tone {
        Tone::Plain => Style::new(),
        Tone::Strong => HEADING,
        Tone::Aside => ASIDE,
        Tone::Good => AnsiColor::Green.on_default(),
        Tone::Warning => AnsiColor::Yellow.on_default(),
        Tone::Bad => AnsiColor::Red.on_default(),
    }
}

impl Drawing<'_> {
    /// The whole drawing in `width` columns.
    fn lines(&self, width: usize) -> Vec<Line> {
        let trunk = self.trunk();
        let mut lines = self.tree(&trunk, width);
        self.beside(&trunk, width, &mut lines);
        self.stores(&trunk, width, &mut lines);
        lines
    }

    /// The path that is drawn, end entity first: the first that is trusted, else the longest, else what was sent first.
    fn trunk(&self) -> Vec<&CertificateView> {
        let stores = &self.view.stores;
        let trusted = stores.iter().find(|store| store.trusted && !store.path.is_empty());
        // The first of the longest, not the last as `max_by_key` would have it.
        let longest = stores.iter().rev().max_by_key(|store| store.path.len());
        let path: Vec<&CertificateView> = match trusted.or(longest) {
            Some(store) => store.path.iter().filter_map(|sha256| self.certificate(sha256)).collect(),
            None => Vec::new(),
        };
        if path.is_empty() { self.view.certificates.iter().take(1).collect() } else { path }
    }

    fn certificate(&self, sha256: &str) -> Option<&CertificateView> {
        self.view.certificates.iter().find(|certificate| certificate.sha256 == sha256)
    }

    /// The names of the stores in which a trusted path ends at this certificate.
    fn trusting(&self, certificate: &CertificateView) -> Vec<&str> {
        let ends_here = |store: &&StoreView| store.trusted && store.path.last() == Some(&certificate.sha256);
        self.view.stores.iter().filter(ends_here).map(|store| store.store.as_str()).collect()
    }

    fn tree(&self, trunk: &[&CertificateView], width: usize) -> Vec<Line> {
        let mut lines = Vec::new();
        let mut depth = 0;
        let mut above_missing = false;
        if let Some(top) = trunk.last()
            && self.trusting(top).is_empty()
            && top.subject != top.issuer
        {
            let missing = if self.from_file { "not in the file" } else { "not sent" };
            lines.push(Line::new(
                "? ",
                vec![(Tone::Bad, top.issuer.clone()), (Tone::Bad, format!("  {missing}, and not known here"))],
            ));
            for url in self.facts.get(&top.sha256).map(|facts| facts.issuer_urls.as_slice()).unwrap_or_default() {
                lines.push(Line::new("╎     ", vec![(Tone::Aside, format!("it is said to be at {url}"))]));
            }
            lines.push(Line::new("╎", Vec::new()));
            (depth, above_missing) = (1, true);
        }
        for (place, certificate) in trunk.iter().enumerate().rev() {
            let trusting = self.trusting(certificate);
            let is_missing = self.is_missing(certificate);
            let below = place.checked_sub(1).and_then(|below| trunk.get(below));
            let next_is_missing = below.is_some_and(|below| self.is_missing(below));
            let elbow = if above_missing || is_missing { "└╌ " } else { "└─ " };
            let head = if depth == 0 { String::new() } else { format!("{:1$}{elbow}", "", 3 * (depth - 1)) };
            let stem = match (place == 0, is_missing || next_is_missing) {
                (true, _) => "   ",
                (false, true) => "╎  ",
                (false, false) => "│  ",
            };
            let stem = format!("{:1$}{stem}", "", 3 * depth);
            let tone = if is_missing { Tone::Bad } else { Tone::Strong };
            let mut pieces = vec![(tone, certificate.subject.clone())];
            pieces.push(self.origin(certificate, &trusting, is_missing));
            lines.push(Line::new(&head, pieces));
            self.describe(certificate, place == 0, &stem, width, &mut lines);
            if place > 0 {
                lines.push(Line::new(stem.trim_end(), Vec::new()));
            }
            depth += 1;
            above_missing = is_missing;
        }
        lines
    }

    /// Whether it ought to have been sent: it was not, and is neither a root nor trusted.
    fn is_missing(&self, certificate: &CertificateView) -> bool {
        certificate.place.is_none() && certificate.subject != certificate.issuer && self.trusting(certificate).is_empty()
    }

    /// Where a certificate of the path comes from.
    fn origin(&self, certificate: &CertificateView, trusting: &[&str], is_missing: bool) -> (Tone, String) {
        let from = certificate.source.as_deref().map(|source| format!(" ({source})")).unwrap_or_default();
        if is_missing {
            let where_not = if self.from_file { "not in the file" } else { "not sent" };
            return (Tone::Bad, format!("  MISSING: {where_not}{from}"));
        }
        let place = certificate.place.map(|place| {
            let number = u64::from(place) + 1;
            if self.from_file { format!("certificate {number} of the file") } else { format!("sent as number {number}") }
        });
        let anchor = match (trusting, certificate.place) {
            ([], None) => Some(format!("a root{from}")),
            ([], Some(_)) => None,
            (stores, _) => Some(format!("trusted: {}", stores.join(", "))),
        };
        let parts: Vec<String> = [place, anchor].into_iter().flatten().collect();
        let tone = if trusting.is_empty() { Tone::Aside } else { Tone::Good };
        (tone, format!("  {}", parts.join("; ")))
    }

    /// What stands below the subject of a certificate.
    fn describe(&self, certificate: &CertificateView, is_leaf: bool, stem: &str, width: usize, lines: &mut Vec<Line>) {
        let branches = format!("{stem} ");
        let (tone, validity) = validity(certificate);
        let key = format!("{}, signed with {}; ", certificate.key, certificate.signature);
        lines.push(Line::new(&branches, vec![(Tone::Plain, key), (tone, validity)]));
        let mut labelled = |label: &str, text: &str| {
            let room = width.saturating_sub(branches.chars().count() + LABEL).max(20);
            for (number, line) in wrap(text, room).into_iter().enumerate() {
                let label = if number == 0 { label } else { "" };
                lines.push(Line::new(&branches, vec![(Tone::Aside, format!("{label:LABEL$}")), (Tone::Plain, line)]));
            }
        };
        if is_leaf || self.verbose {
            labelled("names", &self.names(certificate));
        }
        if self.fingerprints {
            labelled("sha256", &certificate.sha256);
            labelled("pin", &pin(&certificate.spki_sha256));
        }
        if self.verbose {
            labelled("serial", &certificate.serial);
            labelled("issuer", &certificate.issuer);
        }
        if let Some(facts) = self.facts.get(&certificate.sha256) {
            if self.verbose {
                for (label, urls) in [("AIA", &facts.issuer_urls), ("OCSP", &facts.ocsp_urls), ("CRL", &facts.crl_urls)] {
                    urls.iter().for_each(|url| labelled(label, url));
                }
            }
            facts.says.iter().for_each(|says| labelled("", says));
        }
        certificate.remarks.iter().for_each(|remark| labelled("remark", remark));
    }

    /// The names, cut with their count.
    fn names(&self, certificate: &CertificateView) -> String {
        let most = if self.verbose { usize::MAX } else { NAMES };
        let shown: Vec<&str> = certificate.names.iter().map(String::as_str).take(most).collect();
        match certificate.names.len().saturating_sub(shown.len()) {
            0 => shown.join(", "),
            more => format!("{} (and {more} more)", shown.join(", ")),
        }
    }

    /// Certificates that were sent and are not on the path.
    fn beside(&self, trunk: &[&CertificateView], width: usize, lines: &mut Vec<Line>) {
        let on_path = |certificate: &&CertificateView| trunk.iter().any(|known| std::ptr::eq(*known, *certificate));
        let others: Vec<&CertificateView> =
            self.view.certificates.iter().filter(|one| one.place.is_some() && !on_path(one)).collect();
        if others.is_empty() {
            return;
        }
        let heading = if self.from_file { "Also in the file, not on this path" } else { "Also sent, not on this path" };
        lines.push(Line::default());
        lines.push(Line::new("", vec![(Tone::Strong, heading.to_owned())]));
        let most = if self.verbose { usize::MAX } else { STRANGERS };
        for certificate in others.iter().take(most) {
            let number = u64::from(certificate.place.unwrap_or_default()) + 1;
            let remarks = certificate.remarks.iter().map(|remark| format!("; {remark}")).collect::<String>();
            let (tone, validity) = validity(certificate);
            let text = format!("{}, issued by {}{remarks}; ", certificate.subject, certificate.issuer);
            let label = format!("   {number:>2}  ");
            let rows = wrap(&text, width.saturating_sub(label.len()).max(20));
            for (place, row) in rows.iter().enumerate() {
                let branches = if place == 0 { label.clone() } else { " ".repeat(label.len()) };
                lines.push(Line::new(&branches, vec![(Tone::Plain, row.clone())]));
            }
            lines.push(Line::new(&" ".repeat(label.len()), vec![(tone, validity)]));
        }
        if let more @ 1.. = others.len().saturating_sub(most) {
            lines.push(Line::new("   ", vec![(Tone::Aside, format!("(and {more} more)"))]));
        }
    }

    /// One line a store: whether it trusts the chain, or where the chain ends for it.
    fn stores(&self, trunk: &[&CertificateView], width: usize, lines: &mut Vec<Line>) {
        if self.view.stores.is_empty() {
            return;
        }
        lines.push(Line::default());
        let widest = self.view.stores.iter().map(|store| store.store.chars().count()).max().unwrap_or_default().min(24);
        for store in &self.view.stores {
            let (tone, word) = if store.trusted { (Tone::Good, "trusted") } else { (Tone::Bad, "fails  ") };
            let other = self.other_path(store, trunk).map(|path| format!("; its path: {path}")).unwrap_or_default();
            let source = if self.verbose { format!(" ({})", store.source) } else { String::new() };
            let label = format!("   {:widest$}  ", store.store);
            let indent = label.chars().count() + word.len() + 2;
            let says = store.says.strip_prefix("trusted: ").unwrap_or(&store.says);
            let rows = wrap(&format!("{says}{other}{source}"), width.saturating_sub(indent).max(20));
            let mut rows = rows.into_iter();
            let first = rows.next().unwrap_or_default();
            lines.push(Line::new(&label, vec![(tone, word.to_owned()), (Tone::Plain, format!("  {first}"))]));
            lines.extend(rows.map(|row| Line::new(&" ".repeat(indent), vec![(Tone::Plain, row)])));
        }
    }

    /// The path of a store that trusts the chain by another path than the one drawn.
    fn other_path(&self, store: &StoreView, trunk: &[&CertificateView]) -> Option<String> {
        let same = store.path.len() == trunk.len()
            && store.path.iter().zip(trunk).all(|(sha256, certificate)| *sha256 == certificate.sha256);
        if same || !store.trusted {
            return None;
        }
        let subjects: Vec<&str> =
            store.path.iter().filter_map(|sha256| self.certificate(sha256)).map(|one| one.subject.as_str()).collect();
        Some(subjects.join(" ← "))
    }
}

/// Until when it is valid, and how urgent that is.
fn validity(certificate: &CertificateView) -> (Tone, String) {
    let day = |time: &str| time.split('T').next().unwrap_or_default().to_owned();
    let left = certificate.days_left;
    if left < 0 {
        let days = left.unsigned_abs();
        return (Tone::Bad, format!("ended {}, {} ago", day(&certificate.not_after), days_of(days)));
    }
    if begins_later(certificate) {
        return (Tone::Bad, format!("begins only on {}", day(&certificate.not_before)));
    }
    let tone = match left {
        ..VERY_SOON => Tone::Bad,
        VERY_SOON..SOON => Tone::Warning,
        _ => Tone::Good,
    };
    (tone, format!("ends {}, {} left", day(&certificate.not_after), days_of(left.unsigned_abs())))
}

fn days_of(days: u64) -> String {
    if days == 1 { "1 day".to_owned() } else { format!("{days} days") }
}

/// Whether it is not yet valid, as far as whole days tell: the time of judging lies `days_left` before its end, or up to a day
/// earlier.
fn begins_later(certificate: &CertificateView) -> bool {
    let second = |time: &str| time.parse::<Timestamp>().ok().map(Timestamp::as_second);
    match (second(&certificate.not_before), second(&certificate.not_after)) {
        (Some(start), Some(end)) => start > end.saturating_sub(certificate.days_left.saturating_mul(24 * 3600)),
        _ => false,
    }
}

/// The pin of RFC 7469 §2.4 as curl's `--pinnedpubkey` takes it: base64 of the SHA-256 of SubjectPublicKeyInfo.
pub(crate) fn pin(hex: &str) -> String {
    let digits: Vec<u8> =
        hex.chars().filter_map(|digit| digit.to_digit(16)).filter_map(|digit| u8::try_from(digit).ok()).collect();
    let bytes: Vec<u8> = digits.chunks_exact(2).map(|pair| pair.iter().fold(0, |byte, digit| (byte << 4) | digit)).collect();
    format!("sha256//{}", base64(&bytes))
}

/// Base64 (RFC 4648 §4).
pub(crate) fn base64(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for group in bytes.chunks(3) {
        let mut bits = 0_u32;
        for place in 0..3 {
            bits = (bits << 8) | u32::from(group.get(place).copied().unwrap_or_default());
        }
        for place in 0..4 {
            let index = (bits >> (18 - 6 * place)) as usize & 0x3f;
            let letter = if place <= group.len() { ALPHABET.get(index).copied().unwrap_or_default() } else { b'=' };
            text.push(char::from(letter));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn certificate(subject: &str, issuer: &str, sha256: &str, place: Option<u32>) -> CertificateView {
        CertificateView {
            sha256: sha256.into(),
            place,
            subject: subject.into(),
            issuer: issuer.into(),
            not_before: "2026-10-01T00:00:00Z".into(),
            not_after: "2026-12-24T00:00:00Z".into(),
            days_left: 31,
            key: "RSA-2048".into(),
            signature: "sha256WithRSAEncryption".into(),
            names: (0..8).map(|number| format!("{number}.example.test")).collect(),
            spki_sha256: "00".repeat(32),
            ..CertificateView::default()
        }
    }

    fn store(name: &str, trusted: bool, path: &[&str]) -> StoreView {
        let path = path.iter().map(|sha256| (*sha256).to_owned()).collect();
        StoreView { store: name.into(), source: "a file".into(), trusted, path, says: "said so".into() }
    }

    fn drawn(view: &ChainView) -> String {
        plain(&Drawing { view, facts: &BTreeMap::new(), from_file: false, fingerprints: false, verbose: false })
    }

    #[test]
    fn a_missing_intermediate_is_a_dashed_place_between_its_neighbours() {
        let view = ChainView {
            certificates: vec![
                certificate("CN=leaf", "CN=middle", "aa", Some(0)),
                CertificateView {
                    source: Some("http://ca.test/m.der".into()),
                    ..certificate("CN=middle", "CN=root", "bb", None)
                },
                certificate("CN=root", "CN=root", "cc", None),
            ],
            stores: vec![store("system", true, &["aa", "bb", "cc"]), store("java", false, &["aa"])],
        };
        let expected = "\
CN=root  trusted: system
╎   RSA-2048, signed with sha256WithRSAEncryption; ends 2026-12-24, 31 days left
╎
└╌ CN=middle  MISSING: not sent (http://ca.test/m.der)
   ╎   RSA-2048, signed with sha256WithRSAEncryption; ends 2026-12-24, 31 days left
   ╎
   └╌ CN=leaf  sent as number 1
          RSA-2048, signed with sha256WithRSAEncryption; ends 2026-12-24, 31 days left
          names   0.example.test, 1.example.test, 2.example.test, 3.example.test,
                  4.example.test, 5.example.test (and 2 more)

   system  trusted  said so
   java    fails    said so";
        assert_eq!(drawn(&view), expected);
    }

    #[test]
    fn an_unknown_issuer_is_a_gap_on_top_and_strangers_stand_apart() {
        let mut leaf = certificate("CN=leaf", "CN=middle", "aa", Some(0));
        leaf.days_left = -2;
        leaf.names.truncate(1);
        let mut stranger = certificate("CN=other", "CN=else", "dd", Some(1));
        (stranger.days_left, stranger.remarks) = (0, vec!["has nothing to do with the others".into()]);
        let view = ChainView { certificates: vec![leaf, stranger], stores: vec![store("system", false, &["aa"])] };
        let expected = "\
? CN=middle  not sent, and not known here
╎
└╌ CN=leaf  sent as number 1
       RSA-2048, signed with sha256WithRSAEncryption; ended 2026-12-24, 2 days ago
       names   0.example.test

Also sent, not on this path
    2  CN=other, issued by CN=else; has nothing to do with the others;
       ends 2026-12-24, 0 days left

   system  fails    said so";
        assert_eq!(drawn(&view), expected);
    }

    #[test]
    fn a_store_with_a_path_of_its_own_says_it() {
        let view = ChainView {
            certificates: vec![
                certificate("CN=leaf", "CN=root", "aa", Some(0)),
                certificate("CN=root", "CN=root", "bb", None),
                certificate("CN=old root", "CN=old root", "cc", None),
            ],
            stores: vec![store("system", true, &["aa", "bb"]), store("java", true, &["aa", "cc"])],
        };
        assert!(drawn(&view).ends_with("java    trusted  said so; its path: CN=leaf ← CN=old root"));
    }

    #[test]
    fn what_begins_later_is_told_from_what_has_ended() {
        let mut certificate = certificate("CN=leaf", "CN=root", "aa", Some(0));
        (certificate.not_before, certificate.days_left) = ("2026-12-01T00:00:00Z".into(), 40);
        assert_eq!(validity(&certificate), (Tone::Bad, "begins only on 2026-12-01".to_owned()));
        certificate.not_before = "no time".into();
        assert_eq!(validity(&certificate).0, Tone::Good);
    }

    #[test]
    fn nothing_at_all_can_be_drawn() {
        assert_eq!(drawn(&ChainView::default()), "");
    }

    /// RFC 4648 §10.
    #[test]
    fn base64_is_that_of_the_rfc() {
        for (plain, coded) in [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foobar", "Zm9vYmFy")] {
            assert_eq!(base64(plain.as_bytes()), coded);
        }
        assert_eq!(pin("00ff"), "sha256//AP8=");
    }
}
