//! Where settings come from, as a person who starts the service meets it.

use std::path::Path;
use std::process::{Command, Output};

use testbed::rust_binary;

/// Prints the document, which needs valid settings and nothing else.
fn openapi(folder: &Path, environment: &[(&str, &str)]) -> Output {
    let mut command = Command::new(rust_binary().unwrap());
    command.arg("openapi").current_dir(folder).envs(environment.iter().copied()).output().unwrap()
}

#[test]
fn dotenv_is_read_in_the_working_folder_alone() {
    let folder = tempfile::tempdir().unwrap();
    let below = folder.path().join("below");
    std::fs::create_dir(&below).unwrap();
    std::fs::write(folder.path().join(".env"), "ENVIRONMENT=elsewhere\nSECRET_KEY=s3cret\n")
        .unwrap();
    let here = openapi(folder.path(), &[]);
    let errors = String::from_utf8_lossy(&here.stderr);
    assert!(!here.status.success());
    assert!(errors.contains("ENVIRONMENT: 'elsewhere' is none of local"), "{errors}");
    assert!(!errors.contains("s3cret"), "{errors}");
    assert!(
        openapi(folder.path(), &[("ENVIRONMENT", "local")]).status.success(),
        "it counts for less"
    );
    assert!(openapi(&below, &[]).status.success(), "the file above is not this service's");
}

#[test]
fn without_a_prefix_paths_begin_at_the_root() {
    let folder = tempfile::tempdir().unwrap();
    let document = openapi(folder.path(), &[("API_V1_STR", "/")]);
    let document: serde_json::Value = serde_json::from_slice(&document.stdout).unwrap();
    let paths: Vec<_> = document["paths"].as_object().unwrap().keys().collect();
    assert!(paths.contains(&&"/users/".to_owned()), "{paths:?}");
    assert!(paths.iter().all(|path| !path.starts_with("//")), "{paths:?}");
}

#[test]
fn a_password_is_not_taken_from_the_command_line() {
    let mut command = Command::new(rust_binary().unwrap());
    let arguments = ["create-superuser", "--email=me@example.com", "--password=s3cret-password"];
    let refused = command.args(arguments).output().unwrap();
    let errors = String::from_utf8_lossy(&refused.stderr);
    assert!(!refused.status.success());
    assert!(
        errors.contains("SUPERUSER_PASSWORD: a secret is read from the environment"),
        "{errors}"
    );
    assert!(!errors.contains("s3cret"), "{errors}");
}

#[test]
fn a_worker_without_a_broker_says_what_to_set() {
    let folder = tempfile::tempdir().unwrap();
    let mut command = Command::new(rust_binary().unwrap());
    command.arg("worker").current_dir(folder.path()).env_remove("CELERY_BROKER_URL");
    let refused = command.output().unwrap();
    let errors = String::from_utf8_lossy(&refused.stderr);
    assert!(!refused.status.success());
    assert!(errors.contains("a worker needs a broker: set CELERY_BROKER_URL"), "{errors}");
}

#[test]
fn a_broker_of_another_kind_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let refused = openapi(folder.path(), &[("CELERY_BROKER_URL", "sqs://key:s3cret@host")]);
    let errors = String::from_utf8_lossy(&refused.stderr);
    assert!(errors.contains("CELERY_BROKER_URL: the broker: 'sqs:' is not supported"), "{errors}");
    assert!(!errors.contains("s3cret"), "{errors}");
}
