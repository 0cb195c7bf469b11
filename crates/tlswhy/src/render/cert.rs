//! What `tlswhy cert` found, for people and for programs.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Write};

use anstyle::AnsiColor;
use serde::Serialize;
use tlswhy_model::{CertificateView, ChainView, StoreView, Subject, Tool};

use super::chain::{Drawing, Facts, write as draw};
use super::page::{ASIDE, HEADING, Page};
use super::{json, words};

/// Name of the JSON document.
const FORMAT: &str = "tlswhy-chain";
/// Its version.
const FORMAT_VERSION: &str = "1.0";
/// Column of the drawing.
const INDENT: usize = 2;

/// The certificates of one file or server.
pub(crate) struct Document {
    /// Whose they are; of a file just its name.
    pub(crate) subject: Subject,
    /// They lie in a file.
    pub(crate) from_file: bool,
    /// When they were judged, RFC 3339 UTC.
    pub(crate) taken_at: String,
    /// The chains, each once.
    pub(crate) chains: Vec<Shown>,
    /// Worth knowing, and no fault.
    pub(crate) notes: Vec<String>,
}

/// One chain.
pub(crate) struct Shown {
    /// The kinds of keys that a client with no other gets it for; empty for a file.
    pub(crate) kinds: Vec<&'static str>,
    /// The certificates and the stores.
    pub(crate) view: ChainView,
    /// More of each certificate, by its SHA-256.
    pub(crate) facts: BTreeMap<String, Facts>,
    /// What the judged client objects to, in its order.
    pub(crate) findings: Vec<Fault>,
}

/// Something that stops the judged client.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct Fault {
    cause: &'static str,
    /// It may as well be this one: nothing at hand decides.
    #[serde(skip_serializing_if = "Option::is_none")]
    or_cause: Option<&'static str>,
    impact: &'static str,
    says: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    certificate: Option<String>,
}

impl Fault {
    /// A fault with the code of its cause and, where it is about one certificate, that one's SHA-256.
    pub(crate) fn new(cause: &'static str, says: String, sha256: Option<&[u8; 32]>) -> Fault {
        let certificate = sha256.map(|bytes| bytes.iter().map(|byte| format!("{byte:02x}")).collect());
        Fault { cause, or_cause: None, impact: "blocks", says, certificate }
    }

    /// The same, which may as well be another one.
    pub(crate) fn or(self, cause: &'static str) -> Fault {
        Fault { or_cause: Some(cause), ..self }
    }

    /// The codes in words.
    fn codes(&self) -> String {
        self.or_cause.map_or_else(|| self.cause.to_owned(), |other| format!("{} or {other}", self.cause))
    }
}

/// Writes it as text.
pub(crate) fn human(document: &Document, is_first: bool, verbose: bool, width: usize, out: &mut dyn Write) -> io::Result<()> {
    let mut page = Page::new(out, width);
    if !is_first {
        page.blank()?;
    }
    let mut causes: Vec<String> = document.chains.iter().flat_map(|shown| &shown.findings).map(Fault::codes).collect();
    let mut seen = BTreeSet::new();
    causes.retain(|cause| seen.insert(cause.clone()));
    let target = &document.subject.target;
    if causes.is_empty() {
        let text = format!("{target} has nothing that this client would mind.");
        page.headline("Fine", AnsiColor::Green.on_default().bold(), &text)?;
    } else {
        page.headline("Fails", AnsiColor::Red.on_default().bold(), &words::sentence(&causes.join(", ")))?;
    }
    let subject = match document.from_file {
        true => format!("{target}, for {}", document.subject.client),
        false => words::subject(&document.subject),
    };
    page.paragraph(0, ASIDE, &subject)?;
    for shown in &document.chains {
        page.blank()?;
        if document.chains.len() > 1 {
            page.paragraph(0, HEADING, &format!("Shown to clients with {}", shown.kinds.join(" and ")))?;
            page.blank()?;
        }
        let drawing =
            Drawing { view: &shown.view, facts: &shown.facts, from_file: document.from_file, fingerprints: true, verbose };
        draw(&drawing, INDENT, &mut page)?;
        if !shown.findings.is_empty() {
            page.blank()?;
        }
        for (place, fault) in shown.findings.iter().enumerate() {
            let text = words::sentence(&format!("{} (`tlswhy explain {}`)", fault.says, fault.cause));
            page.labelled(0, &format!("{}.", place + 1), HEADING, 3, &text)?;
        }
    }
    if !document.notes.is_empty() {
        page.blank()?;
    }
    document.notes.iter().try_for_each(|note| page.labelled(0, "Note:", HEADING, "Note: ".len(), &words::sentence(note)))
}

/// Writes it as JSON; one of several is one line.
pub(crate) fn json(document: &Document, alone: bool, out: &mut dyn Write) -> io::Result<()> {
    let chains: Vec<Chain<'_>> = document.chains.iter().map(Chain::of).collect();
    let whole = Whole {
        format: FORMAT,
        format_version: FORMAT_VERSION,
        tool: Tool::default(),
        subject: document.from_file.then_some(document.subject.target.as_str()),
        server: (!document.from_file).then_some(&document.subject),
        taken_at: &document.taken_at,
        findings: document.chains.iter().flat_map(|shown| &shown.findings).collect(),
        chains,
        notices: &document.notes,
    };
    if alone { json::pretty(&whole, out) } else { json::line(&whole, out) }
}

#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(rename = "Chains"))]
pub(super) struct Whole<'a> {
    format: &'static str,
    format_version: &'static str,
    tool: Tool,
    /// A file by its name.
    #[serde(rename = "file", skip_serializing_if = "Option::is_none")]
    subject: Option<&'a str>,
    #[serde(rename = "subject", skip_serializing_if = "Option::is_none")]
    server: Option<&'a Subject>,
    taken_at: &'a str,
    findings: Vec<&'a Fault>,
    chains: Vec<Chain<'a>>,
    notices: &'a [String],
}

#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct Chain<'a> {
    shown_for: &'a [&'static str],
    certificates: Vec<Certificate<'a>>,
    stores: &'a [StoreView],
    findings: &'a [Fault],
}

impl<'a> Chain<'a> {
    fn of(shown: &'a Shown) -> Chain<'a> {
        let certificates = shown.view.certificates.iter();
        Chain {
            shown_for: &shown.kinds,
            certificates: certificates.map(|view| Certificate { view, facts: shown.facts.get(&view.sha256) }).collect(),
            stores: &shown.view.stores,
            findings: &shown.findings,
        }
    }
}

#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct Certificate<'a> {
    #[serde(flatten)]
    view: &'a CertificateView,
    #[serde(flatten)]
    facts: Option<&'a Facts>,
}
