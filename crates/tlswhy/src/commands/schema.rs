//! `tlswhy schema`: the committed JSON Schemas.

use crate::cli::{Document, Schema};
use crate::exit::{Failure, Status};
use crate::output::Output;

/// Prints the schema.
pub(crate) fn run(arguments: &Schema) -> Result<Status, Failure> {
    let text = match arguments.document {
        Document::Report => include_str!("../../../../schemas/report.v1.json"),
        Document::Config => include_str!("../../../../schemas/config.v1.json"),
        Document::Symptoms => include_str!("../../../../schemas/symptoms.v1.json"),
        Document::Software => include_str!("../../../../schemas/software.v1.json"),
        Document::Capture => include_str!("../../../../schemas/capture.v1.json"),
        Document::Handshake => include_str!("../../../../schemas/handshake.v1.json"),
        Document::Relay => include_str!("../../../../schemas/relay.v1.json"),
        Document::Client => include_str!("../../../../schemas/client.v1.json"),
        Document::Chain => include_str!("../../../../schemas/chain.v1.json"),
        Document::Evidence => include_str!("../../../../schemas/evidence.v1.json"),
    };
    let mut output = Output::open(None)?;
    output.write(|out| out.write_all(text.as_bytes()))?;
    output.finish()?;
    Ok(Status::Fine)
}
