//! The document of the service is the one that clients have.

use std::path::Path;

use api::config::{Settings, SettingsArgs};

#[test]
fn the_document_equals_the_exported_one() {
    let settings = Settings::new(&SettingsArgs::default()).unwrap();
    let document = api::routes::document(&settings).unwrap();
    let exported = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../openapi/openapi.json");
    let exported = std::fs::read_to_string(exported).unwrap();
    let exported: serde_json::Value = serde_json::from_str(&exported).unwrap();
    assert_eq!(serde_json::to_value(document).unwrap(), exported);
}
