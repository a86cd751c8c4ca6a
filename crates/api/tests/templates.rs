//! The e-mails of both services are made from the same templates.

use std::path::Path;

#[test]
fn the_templates_are_those_of_python_legacy() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    for file in std::fs::read_dir(root.join("python-legacy/app/templates")).unwrap() {
        let file = file.unwrap().path();
        let rust = root.join("crates/api/templates").join(file.file_name().unwrap());
        let read = |path: &Path| std::fs::read_to_string(path).unwrap();
        assert_eq!(read(&file), read(&rust), "{} differs", file.display());
    }
}
