//! `tlswhy explain`: the page of a cause.

use tlswhy_core::CAUSES;

use crate::cli::{Explain, PageFormat};
use crate::exit::{Failure, Status};
use crate::nearest::nearest;
use crate::output::Output;
use crate::render::{CODE, HEADING, Page, markdown_as_text};
use crate::terminal;

/// Codes of the contract (`docs/contract.md`) that this version neither finds nor explains; each leaves this list with its page.
const WITHOUT_PAGE: &[&str] = &[
    "client-software-outdated",
    "path-blocks-handshake",
    "path-downgrades",
    "path-size-intolerance",
    "path-sni-filtering",
    "path-tls-inspection",
    "server-software-outdated",
];

/// Prints the page of a cause, or the list of causes.
pub(crate) fn run(arguments: &Explain) -> Result<Status, Failure> {
    let mut output = Output::open(None)?;
    match &arguments.code {
        None => output.write(|out| {
            let mut page = Page::new(out, terminal::width());
            page.paragraph(0, HEADING, "Causes that tlswhy finds; `tlswhy explain CODE` says more.")?;
            CAUSES.iter().try_for_each(|cause| page.labelled(0, cause.code, CODE, 32, first_line(cause.doc)))
        })?,
        Some(code) => {
            let doc = find(code)?;
            output.write(|out| match arguments.format {
                PageFormat::Markdown => out.write_all(doc.as_bytes()),
                PageFormat::Human => markdown_as_text(doc, &mut Page::new(out, terminal::width())),
            })?;
        }
    }
    output.finish()?;
    Ok(Status::Fine)
}

/// The page of a code; letter case and underscores do not matter.
fn find(code: &str) -> Result<&'static str, Failure> {
    let wanted = code.to_ascii_lowercase().replace('_', "-");
    if let Some(cause) = CAUSES.iter().find(|cause| cause.code == wanted) {
        return Ok(cause.doc);
    }
    if WITHOUT_PAGE.contains(&wanted.as_str()) {
        return Err(Failure::new(format!("`{wanted}` is a cause that this version does not find yet, and it has no page"))
            .tip("`tlswhy explain` lists those that have one"));
    }
    let failure = Failure::new(format!("there is no cause `{code}`"));
    Err(match nearest(&wanted, CAUSES.iter().map(|cause| cause.code)).as_slice() {
        [] => failure.tip("`tlswhy explain` lists them"),
        near => failure.tip(format!("did you mean {}? `tlswhy explain` lists all", near.join(" or "))),
    })
}

fn first_line(doc: &str) -> &str {
    doc.lines().next().unwrap_or_default().trim_start_matches('#').trim()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_cause_has_a_page_and_none_is_also_listed_without_one() {
        for cause in CAUSES {
            assert!(find(cause.code).is_ok_and(|doc| !first_line(doc).is_empty()), "{}", cause.code);
            assert!(!WITHOUT_PAGE.contains(&cause.code), "{}", cause.code);
        }
        assert!(WITHOUT_PAGE.is_sorted());
    }

    #[test]
    fn unknown_codes_lead_to_near_ones() {
        assert!(find("NOT_TLS").is_ok());
        assert!(find("no-shared-ciper").unwrap_err().to_string().contains("did you mean no-shared-cipher"));
        assert!(find("path-downgrades").unwrap_err().to_string().contains("no page"));
        assert!(find("xyzzy").unwrap_err().to_string().contains("lists them"));
    }
}
