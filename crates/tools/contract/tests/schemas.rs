//! The schemas that editors use are those of the code.

use std::path::Path;

use contract::case::Case;
use contract::ledger::Entry;
use serde_json::Value;

#[test]
fn the_exported_schemas_are_those_of_the_code() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../openapi");
    for (file, schema) in [
        ("cases.schema.json", schemars::schema_for!(Vec<Case>)),
        ("ledger.schema.json", schemars::schema_for!(Vec<Entry>)),
    ] {
        let exported = std::fs::read_to_string(folder.join(file)).unwrap();
        let exported: Value = serde_json::from_str(&exported).unwrap();
        assert!(exported == *schema.as_value(), "run `make openapi`: openapi/{file} is an old one");
    }
}
