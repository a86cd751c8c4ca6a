//! What the Rust service and python-legacy have in common, without starting either.

use std::path::{Path, PathBuf};

use api::config::{Settings, SettingsArgs};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

#[test]
fn the_document_equals_the_exported_one() {
    let settings = Settings::new(&SettingsArgs::default()).unwrap();
    let document = api::routes::document(&settings).unwrap();
    let exported = std::fs::read_to_string(root().join("openapi/openapi.json")).unwrap();
    let exported: serde_json::Value = serde_json::from_str(&exported).unwrap();
    assert_eq!(serde_json::to_value(document).unwrap(), exported);
}

#[test]
fn the_templates_are_the_same_while_both_live() {
    let python = root().join("python-legacy/app/templates");
    if !python.exists() {
        return; // python-legacy has been retired
    }
    for file in std::fs::read_dir(python).unwrap() {
        let file = file.unwrap().path();
        let rust = root().join("crates/api/templates").join(file.file_name().unwrap());
        let read = |path: &Path| std::fs::read_to_string(path).unwrap();
        assert_eq!(read(&file), read(&rust), "{} differs", file.display());
    }
}
