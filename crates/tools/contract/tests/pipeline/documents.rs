//! `contract openapi`: where documents come from, and what a terminal or a workflow gets to see.

use crate::program::{Outcome, Program};

const DOCUMENT: &str =
    r#"{"openapi": "3.1.0", "info": {"title": "t", "version": "1"}, "paths": {}}"#;

/// A document whose answer is in another file.
fn referring(path: &str) -> String {
    format!(
        r#"{{"openapi": "3.1.0", "paths": {{"/a": {{"get": {{"responses": {{"200": {{"description": "",
        "content": {{"application/json": {{"schema": {{"$ref": "{path}#/A"}}}}}}}}}}}}}}}}}}"#
    )
}

impl Program {
    /// Commits everything in the folder.
    fn commit(&self) {
        let author = ["-c", "user.name=a", "-c", "user.email=a@example.com"];
        for arguments in [&["init", "-q"][..], &["add", "-A"], &["commit", "-qm", "a"]] {
            let arguments = [&author[..], arguments].concat();
            assert!(self.command("git", &arguments).status().unwrap().success());
        }
    }

    /// Compares two documents in a folder below.
    fn compare_in(&self, folder: &str, arguments: &[&str]) -> Outcome {
        let all = [&["openapi"][..], arguments].concat();
        let mut command = self.command(env!("CARGO_BIN_EXE_contract"), &all);
        self.outcome(&command.current_dir(self.folder.path().join(folder)).output().unwrap())
    }
}

#[test]
fn revisions_are_of_the_repository_or_of_the_working_directory() {
    let program = Program::new();
    std::fs::create_dir(program.folder.path().join("sub")).unwrap();
    program.write("sub/old.json", &referring("part.json"));
    program.write("sub/part.json", r#"{"A": {"type": "string"}}"#);
    program.commit();
    for (folder, file) in [("", "sub/old.json"), ("sub", "old.json")] {
        for name in ["HEAD:sub/old.json", &format!("HEAD:{file}")] {
            let outcome = program.compare_in(folder, &[name, file]);
            assert_eq!(outcome.code, 0, "{folder} {name}: {}", outcome.errors);
        }
    }
    let outcome = program.compare_in("sub", &["HEAD:none.json", "old.json"]);
    assert_eq!(outcome.code, 2);
    assert!(outcome.errors.contains("HEAD:none.json"), "{}", outcome.errors);
    // Not an option of git.
    let outcome = program.compare_in("sub", &["--", "--output=x:old.json", "old.json"]);
    assert_eq!(outcome.code, 2);
    assert!(outcome.errors.contains("No such file"), "{}", outcome.errors);
    assert!(!program.folder.path().join("sub/x:old.json").exists());
}

#[test]
fn a_document_that_is_missing_is_named_with_what_refers_to_it() {
    let program = Program::new();
    let [good, bad] = [("good.json", DOCUMENT), ("bad.json", &*referring("none.json"))]
        .map(|(name, text)| program.write(name, text));
    let outcome = program.compare_in("", &[&good, &bad]);
    assert_eq!(outcome.code, 2);
    let expected = "bad.json at #/paths/~1a/get/responses/200/content/application~1json/schema \
        refers to it";
    assert!(outcome.errors.contains("none.json: No such file"), "{}", outcome.errors);
    assert!(outcome.errors.contains(expected), "{}", outcome.errors);
}

#[test]
fn what_a_document_says_is_text_for_terminals_and_workflows() {
    let program = Program::new();
    let path = "/a|<b>*_&`\n::error::x\u{1b}[31m";
    let with = |path: &str| {
        let mut document: serde_json::Value = serde_json::from_str(DOCUMENT).unwrap();
        document["info"]["x-<b>*_&|"] = path.into();
        document["paths"][path] = serde_json::json!({"get": {"responses": {}}});
        document.to_string()
    };
    let (old, new) = (program.write("old.json", DOCUMENT), program.write("new.json", &with(path)));
    let malformed = with(path).replace("\"responses\":{}", "\"responses\":1");
    let outcome = program.compare_in("", &[&old, &program.write("bad.json", &malformed)]);
    assert!(outcome.code == 2 && outcome.errors.contains("/responses"), "{}", outcome.errors);
    assert!(!outcome.errors.contains('\u{1b}'), "{}", outcome.errors);
    for format in ["text", "markdown", "github", "junit"] {
        let outcome = program.compare_in("", &[&old, &new, "--format", format]);
        assert_eq!(outcome.code, 0, "{}", outcome.errors);
        let output = outcome.output;
        assert!(output.contains("operation") && !output.contains('\u{1b}'), "{format}: {output}");
        assert!(!output.lines().any(|line| line.starts_with("::error::x")), "{format}: {output}");
        if format == "markdown" {
            // What is not code is escaped.
            assert!(output.contains(r"x-\<b\>\*\_\&\|"), "{output}");
        }
    }
}
