//! JSON Schema of the documents, made from the types.

use schemars::Schema;

/// Schema of [`crate::Report`].
pub fn report() -> Schema {
    schemars::schema_for!(crate::Report)
}

/// Schema of [`crate::ConfigReport`].
pub fn config() -> Schema {
    schemars::schema_for!(crate::ConfigReport)
}

/// Schema of [`crate::SoftwareReport`].
pub fn software() -> Schema {
    schemars::schema_for!(crate::SoftwareReport)
}

/// Schema of [`crate::SymptomReport`].
pub fn symptoms() -> Schema {
    schemars::schema_for!(crate::SymptomReport)
}

/// Schema of [`crate::Evidence`].
pub fn evidence() -> Schema {
    schemars::schema_for!(crate::Evidence)
}
