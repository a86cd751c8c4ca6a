//! Which PostgreSQL is chosen is never silent.

use std::io;
use std::process::{Command, Output};

/// `testbed` where no engine answers.
fn without_engine(image: Option<&str>) -> io::Result<Output> {
    let mut testbed = Command::new(env!("CARGO_BIN_EXE_testbed"));
    testbed.args(["schema", "--", "true"]).env("DOCKER_HOST", "unix:///nonexistent/docker.sock");
    testbed.env_remove("TEST_DATABASE_URL").env_remove("TEST_POSTGRES_IMAGE");
    if let Some(image) = image {
        testbed.env("TEST_POSTGRES_IMAGE", image);
    }
    testbed.output()
}

#[test]
fn the_installed_server_is_named_with_the_reason() {
    let output = without_engine(None).unwrap();
    let errors = String::from_utf8(output.stderr).unwrap();
    if errors.contains("there is no PostgreSQL: ") {
        // None is installed.
        assert_eq!(output.status.code(), Some(2), "{errors}");
        assert!(errors.contains("; no Docker engine answers ("), "{errors}");
        return;
    }
    assert!(output.status.success(), "{errors}");
    let lines: Vec<_> = errors.lines().filter(|line| line.contains("PostgreSQL: ")).collect();
    let [line] = lines[..] else { panic!("{errors}") };
    assert!(line.starts_with("testbed: PostgreSQL: the installed one in /"), "{line}");
    assert!(line.contains(", as no Docker engine answers ("), "{line}");
}

#[test]
fn an_image_that_was_named_is_not_replaced() {
    let output = without_engine(Some("postgres:17.6-bookworm")).unwrap();
    let errors = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{errors}");
    assert!(
        errors.contains("there is no TEST_POSTGRES_IMAGE: no Docker engine answers ("),
        "{errors}"
    );
    assert!(!errors.contains("installed"), "{errors}");
}
