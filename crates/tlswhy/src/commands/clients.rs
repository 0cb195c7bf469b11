//! `tlswhy clients`: the profiles that can be judged.

use serde::Serialize;
use tlswhy_model::{ClientProfile, Software};
use tlswhy_wire::ProtocolVersion;

use crate::cli::{Clients, ListFormat};
use crate::exit::{Failure, Status};
use crate::output::Output;
use crate::render::{ASIDE, HEADING, Page, pretty_json};
use crate::terminal;

/// Prints the list.
pub(crate) fn run(arguments: &Clients) -> Result<Status, Failure> {
    let clients =
        tlswhy_core::clients().map_err(|error| Failure::new(format!("a bundled client profile cannot be read: {error}")))?;
    let rows: Vec<Row> = clients.into_iter().map(Row::from).collect();
    let mut output = Output::open(None)?;
    output.write(|out| match arguments.format {
        ListFormat::Json => pretty_json(&rows, out),
        ListFormat::Human => {
            let mut page = Page::new(out, terminal::width());
            let widest = rows.iter().map(|row| row.name.chars().count()).max().unwrap_or(0);
            for row in &rows {
                let mark = if row.panel { "*" } else { " " };
                let text = format!("{}, {}", row.title, row.range());
                page.labelled(0, &format!("{mark} {}", row.name), HEADING, widest + 4, &text)?;
            }
            page.blank()?;
            let note = "* belongs to the panel of well-known clients that every report shows. `openssl-local` is this machine's own OpenSSL.";
            page.paragraph(0, ASIDE, note)
        }
    })?;
    output.finish()?;
    Ok(Status::Fine)
}

/// One client of the list.
#[derive(Serialize)]
struct Row {
    name: String,
    title: String,
    software: Software,
    panel: bool,
    versions: Vec<ProtocolVersion>,
    source: String,
}

impl From<ClientProfile> for Row {
    fn from(client: ClientProfile) -> Row {
        let ClientProfile { name, title, software, panel, source, hello, .. } = client;
        let mut versions: Vec<_> = hello.offered_versions().into_iter().filter(|version| !version.is_grease()).collect();
        versions.sort_unstable();
        Row { name, title, software, panel, versions, source }
    }
}

impl Row {
    /// The versions that it offers; without the extension the hello names only the highest.
    fn range(&self) -> String {
        match self.versions.as_slice() {
            [] => "no version".to_owned(),
            [highest] => format!("up to {highest}"),
            [lowest, .., highest] => format!("{lowest} to {highest}"),
        }
    }
}
