//! The committed schemas of the documents that this crate writes itself say what the types say. `BLESS=1` writes them anew.

use std::path::Path;

use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, Schema};

use super::{capture, cert, client, relay};

#[test]
fn committed_schemas_are_those_of_the_types() {
    let schemas = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../schemas");
    let all = [
        ("capture", of::<capture::Summary>()),
        ("handshake", of::<capture::One>()),
        ("relay", of::<relay::Summary>()),
        ("client", of::<client::Document>()),
        ("chain", of::<cert::Whole<'static>>()),
    ];
    for (name, schema) in all {
        let path = schemas.join(format!("{name}.v1.json"));
        let made = serde_json::to_string_pretty(&schema).unwrap() + "\n";
        if std::env::var_os("BLESS").is_some() {
            std::fs::write(&path, &made).unwrap();
        }
        let committed = std::fs::read_to_string(&path).unwrap_or_default();
        assert!(committed == made, "{} is out of step with the types; run the tests with BLESS=1", path.display());
    }
}

/// As it is written: what may be left out need not be there.
fn of<T: JsonSchema>() -> Schema {
    SchemaSettings::default().for_serialize().into_generator().into_root_schema_for::<T>()
}
