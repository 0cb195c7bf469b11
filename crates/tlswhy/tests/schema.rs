//! The committed schemas say what the types say. `BLESS=1` writes them anew.

use std::path::Path;

#[test]
fn committed_schemas_are_those_of_the_types() {
    let schemas = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../schemas");
    let all = [
        ("report", tlswhy_model::schema::report()),
        ("evidence", tlswhy_model::schema::evidence()),
        ("config", tlswhy_model::schema::config()),
        ("symptoms", tlswhy_model::schema::symptoms()),
        ("software", tlswhy_model::schema::software()),
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
