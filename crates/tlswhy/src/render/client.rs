//! What a client offers, for people and for programs.

use std::io::{self, Write};
use std::net::SocketAddr;

use serde::Serialize;
use tlswhy_core::knowledge::dated::{Dated, dated};
use tlswhy_core::knowledge::fingerprints::{ja3, ja4};
use tlswhy_core::knowledge::likeness::{Likeness, nearest};
use tlswhy_model::{ClientProfile, Tool};
use tlswhy_wire::{AlertDescription, ClientHello, ExtensionType, HelloSpec};

use super::page::{ASIDE, HEADING, Page};
use super::{json, words};
use crate::commands::listen::Answered;
use crate::serving::Served;

/// Name of the JSON document.
const FORMAT: &str = "tlswhy-client";
/// Its version.
const FORMAT_VERSION: &str = "1.0";
/// How many known clients are named.
const MOST_ALIKE: usize = 3;
/// How many values of a list are shown before the rest is counted.
const MOST_SHOWN: usize = 6;
/// Column of the text.
const INDENT: usize = 12;

/// One client that was heard.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(rename = "Client"))]
pub(crate) struct Document {
    format: &'static str,
    format_version: &'static str,
    tool: Tool,
    taken_at: String,
    /// Address and port that it came from.
    peer: String,
    /// It counts from 1.
    number: u32,
    /// The number of the same hello before.
    #[serde(skip_serializing_if = "Option::is_none")]
    same_as: Option<u32>,
    /// The protocol within which it started TLS.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) upgrade: Option<&'static str>,
    server_name: Option<String>,
    versions: Vec<String>,
    cipher_suites: Vec<String>,
    groups: Vec<String>,
    key_shares: Vec<String>,
    signature_schemes: Vec<String>,
    application_protocols: Vec<String>,
    extensions: Vec<String>,
    hello_bytes: usize,
    ja3: String,
    ja4: String,
    nearest: Vec<Alike>,
    dated: Vec<Old>,
    /// What became of the handshake.
    handshake: Handshake,
}

#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct Alike {
    name: String,
    title: String,
    distance: usize,
    differences: Vec<String>,
}

#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct Old {
    says: String,
    reference: &'static str,
}

/// What became of the handshake: `kind` is `not-tried`, `finished`, `alert`, `refused` or `left`.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct Handshake {
    kind: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    alert: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<String>,
}

/// How a client is shown.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Visitor {
    /// Its number, from 1.
    pub(crate) number: u32,
    /// With every value.
    pub(crate) verbose: bool,
}

impl Document {
    /// Of a hello.
    pub(crate) fn of(
        number: u32,
        peer: SocketAddr,
        hello: &ClientHello,
        client: &ClientProfile,
        answered: &Answered,
        same_as: Option<u32>,
        taken_at: String,
    ) -> Document {
        let spec = &client.hello;
        let alike = |Likeness { client, distance, differences }| Alike {
            name: client.name,
            title: client.title,
            distance,
            differences,
        };
        let extensions = spec.extensions.iter().flatten().map(|extension| extension.extension_type());
        Document {
            format: FORMAT,
            format_version: FORMAT_VERSION,
            tool: Tool::default(),
            taken_at,
            peer: peer.to_string(),
            number,
            same_as,
            upgrade: None,
            server_name: spec.server_name().map(str::to_owned),
            versions: texts(&spec.offered_versions()),
            cipher_suites: texts(&spec.real_suites()),
            groups: texts(&spec.groups()),
            key_shares: texts(&spec.key_shares()),
            signature_schemes: texts(&spec.signature_schemes().unwrap_or_default()),
            application_protocols: spec.alpn().to_vec(),
            extensions: texts(&extensions.filter(|of: &ExtensionType| !of.is_grease()).collect::<Vec<_>>()),
            hello_bytes: hello.raw.len(),
            ja3: ja3(hello),
            ja4: ja4(hello),
            nearest: nearest(spec, MOST_ALIKE).into_iter().map(alike).collect(),
            dated: old(spec),
            handshake: Handshake::of(answered),
        }
    }

    /// Writes it as one line of JSON.
    pub(crate) fn json(&self, out: &mut dyn Write) -> io::Result<()> {
        json::line(self, out)
    }

    /// Writes it as text.
    pub(crate) fn human(&self, visitor: Visitor, width: usize, out: &mut dyn Write) -> io::Result<()> {
        let mut page = Page::new(out, width);
        if visitor.number > 1 {
            page.blank()?;
        }
        let label = format!("{}.", visitor.number);
        if let Some(before) = self.same_as {
            let text = format!("{}: the same hello as {before}{}", self.peer, self.handshake.after());
            return page.title(0, &label, 3, &words::sentence(&text));
        }
        page.title(0, &label, 3, &format!("{}: {}", self.peer, self.headline()))?;
        let list = |values: &[String]| list(values, visitor.verbose);
        let mut line = |label: &str, text: &str| page.labelled(3, label, HEADING, INDENT, text);
        line("Offers", &list(&self.versions))?;
        line("Suites", &list(&self.cipher_suites))?;
        line("Groups", &self.groups_in_words(visitor.verbose))?;
        line("Signs", &list(&self.signature_schemes))?;
        line("Name", self.server_name.as_deref().unwrap_or("none is sent"))?;
        if !self.application_protocols.is_empty() {
            line("ALPN", &list(&self.application_protocols))?;
        }
        if visitor.verbose {
            line("Extends", &list(&self.extensions))?;
            line("Length", &format!("{} bytes", self.hello_bytes))?;
        }
        line("JA4", &self.ja4)?;
        line("JA3", &self.ja3)?;
        for (place, alike) in self.nearest.iter().enumerate().take(if visitor.verbose { MOST_ALIKE } else { 2 }) {
            line(if place == 0 { "Like" } else { "" }, &alike.in_words(visitor.verbose))?;
        }
        for (place, old) in self.dated.iter().enumerate() {
            line(if place == 0 { "Dated" } else { "" }, &format!("{} ({})", old.says, old.reference))?;
        }
        if let Some(text) = self.handshake.in_words() {
            line("Ends", &text)?;
        }
        if self.nearest.is_empty() {
            page.paragraph(3, ASIDE, "It is like none of the clients known here.")?;
        }
        Ok(())
    }

    /// Who it most likely is.
    fn headline(&self) -> String {
        match self.nearest.first() {
            Some(alike) if alike.distance == 0 => alike.title.clone(),
            Some(alike) if alike.distance <= 5 => format!("most like {}", alike.title),
            _ => "a client that is not known here".to_owned(),
        }
    }

    fn groups_in_words(&self, verbose: bool) -> String {
        let groups = list(&self.groups, verbose);
        match self.key_shares.as_slice() {
            [] => groups,
            shares => format!("{groups}; keys for {}", shares.join(", ")),
        }
    }
}

impl Alike {
    fn in_words(&self, verbose: bool) -> String {
        let shown = if verbose { self.differences.len() } else { 2 };
        let mut differences: Vec<&str> = self.differences.iter().map(String::as_str).take(shown).collect();
        let more = format!("{} more", self.differences.len().saturating_sub(shown));
        if self.differences.len() > shown {
            differences.push(&more);
        }
        match differences.is_empty() {
            true => format!("{} ({}), in everything", self.name, self.title),
            false => format!("{} ({}), but it {}", self.name, self.title, differences.join("; ")),
        }
    }
}

impl Handshake {
    fn of(answered: &Answered) -> Handshake {
        let kind = |kind| Handshake { kind, alert: None, detail: None };
        match answered {
            Answered::Turned => kind("not-tried"),
            Answered::Served(Served::Finished) => kind("finished"),
            Answered::Served(Served::Left) => kind("left"),
            Answered::Served(Served::Alert(description)) => {
                let alert = AlertDescription(u8::from(*description)).to_string();
                Handshake { kind: "alert", alert: Some(alert), detail: None }
            }
            Answered::Served(Served::Refused(why)) => Handshake { kind: "refused", alert: None, detail: Some(why.clone()) },
        }
    }

    /// `None` where no handshake was tried.
    fn in_words(&self) -> Option<String> {
        match (self.kind, &self.alert, &self.detail) {
            ("finished", ..) => Some("It takes the certificate: the handshake stands.".to_owned()),
            ("left", ..) => Some("It goes away without a word before the handshake stands.".to_owned()),
            ("alert", Some(alert), _) => Some(format!("It ends the handshake with the alert {alert}.")),
            ("refused", _, Some(why)) => Some(format!("No handshake comes about with the server of this command: {why}.")),
            _ => None,
        }
    }

    fn after(&self) -> String {
        self.in_words().map_or_else(String::new, |text| format!(". {}", text.trim_end_matches('.')))
    }
}

fn old(spec: &HelloSpec) -> Vec<Old> {
    dated(spec).into_iter().map(|Dated { says, reference }| Old { says, reference }).collect()
}

fn texts<T: ToString>(values: &[T]) -> Vec<String> {
    values.iter().map(T::to_string).collect()
}

fn list(values: &[String], verbose: bool) -> String {
    let shown = if verbose { values.len() } else { MOST_SHOWN };
    match values {
        [] => "none".to_owned(),
        values if values.len() <= shown => values.join(", "),
        values => {
            let first: Vec<&str> = values.iter().map(String::as_str).take(shown).collect();
            format!("{} and {} more", first.join(", "), values.len() - shown)
        }
    }
}
