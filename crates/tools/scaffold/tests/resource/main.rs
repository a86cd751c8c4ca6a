//! A resource in a copy of this tree: everything is written, a second time nothing, and what a person
//! wrote stays. That it compiles and works is what `make service-check` proves.

#![expect(clippy::unwrap_used, reason = "a test ends where something is missing")]

mod fields;

use std::path::Path;
use std::process::Command;

use clap::Parser;
use scaffold::resource::{ResourceArgs, ResourceError, write};
use scaffold::tree::{State, Tree};

#[derive(Parser)]
struct Cli {
    #[command(flatten)]
    args: ResourceArgs,
}

fn args(words: &[&str]) -> ResourceArgs {
    Cli::parse_from([&["test"], words].concat()).args
}

fn copy() -> tempfile::TempDir {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../..");
    let copy = tempfile::tempdir().unwrap();
    for part in ["Cargo.toml", "crates", "migrations", "openapi", "python-legacy"] {
        let done = Command::new("cp").arg("-r").arg(root.join(part)).arg(copy.path()).status();
        assert!(done.unwrap().success());
    }
    copy
}

#[test]
fn a_resource_is_written_once() {
    let copy = copy();
    let fields = "number:string(1..40) total:decimal note:string? due:date parent:uuid?";
    let args = args(&["probe_lines", fields]);
    let mut tree = Tree::open(copy.path()).unwrap();
    write(&mut tree, &args).unwrap();
    let report = tree.commit().unwrap();
    for path in [
        "crates/domain/src/probe_lines.rs",
        "crates/storage-postgres/src/probe_lines.rs",
        "crates/storage-sqlite/src/probe_lines.rs",
        "crates/api/src/routes/probe_lines.rs",
        "crates/storage/tests/suite/probe_lines.rs",
        "openapi/cases/probe_lines.yaml",
        "python-legacy/app/routes/probe_lines.py",
        "python-legacy/tests/test_probe_lines.py",
    ] {
        assert!(report.contains(&(State::Created, path.to_owned())), "{path} is not in {report:?}");
    }
    let changed = report.iter().filter(|(done, _)| *done == State::Changed).count();
    assert!(changed >= 10, "{report:?}");
    assert!(copy.path().join("crates/storage-sqlite/src/numeric.rs").exists());

    let file = copy.path().join("crates/api/src/routes/probe_lines.rs");
    std::fs::write(&file, "// a person's").unwrap();
    let mut tree = Tree::open(copy.path()).unwrap();
    write(&mut tree, &args).unwrap();
    let report = tree.commit().unwrap();
    assert!(report.iter().all(|(done, _)| *done == State::Kept), "{report:?}");
    assert_eq!(std::fs::read_to_string(file).unwrap(), "// a person's");
}

#[test]
fn the_domain_hides_what_is_secret() {
    let copy = copy();
    let mut tree = Tree::open(copy.path()).unwrap();
    let fields = "code:string token:string(1..64):secret pin:integer?:secret";
    write(&mut tree, &args(&["probe_keys", fields])).unwrap();
    tree.commit().unwrap();
    let read = |path: &str| std::fs::read_to_string(copy.path().join(path)).unwrap();
    let domain = read("crates/domain/src/probe_keys.rs");
    for (field, count) in [
        ("    pub token: SecretValue<String>,\n", 2),
        ("    pub token: Option<SecretValue<String>>,\n", 1),
        ("    pub pin: Option<SecretValue<i64>>,\n", 2),
        ("    pub pin: Option<Option<SecretValue<i64>>>,\n", 1),
        ("    pub code: String,\n", 2),
    ] {
        assert_eq!(domain.matches(field).count(), count, "{field} in {domain}");
    }
    assert!(read("crates/domain/src/lib.rs").contains("pub use secret::SecretValue;\n"));
    assert!(read("crates/domain/src/secret.rs").contains("SecretValue(…)"));
}

/// Names that are the end or the beginning of others'.
#[test]
fn one_resource_is_not_taken_for_another() {
    let copy = copy();
    let names =
        ["probe_lines", "probes", "line_probes", "categories", "long_probe_line_attachments"];
    let write_all = || {
        let all = names.map(|name| {
            let mut tree = Tree::open(copy.path()).unwrap();
            write(&mut tree, &args(&[name, "text:text"])).unwrap();
            tree.commit().unwrap()
        });
        all.concat()
    };
    write_all();
    // What is written is there in another layout too.
    let format = Command::new("cargo").args(["fmt", "--all"]).current_dir(copy.path()).status();
    assert!(format.unwrap().success());
    let report = write_all();
    assert!(report.iter().all(|(done, _)| *done == State::Kept), "{report:?}");

    let tree = Tree::open(copy.path()).unwrap();
    for folder in ["migrations/postgres", "migrations/sqlite"] {
        let all = tree.list(folder).unwrap();
        let last =
            all[all.len() - names.len()..].iter().map(|file| file.split_once('_').unwrap().1);
        assert!(last.eq(names.map(|name| format!("{name}.sql"))), "{all:?}");
    }
    let port = tree.read("crates/domain/src/storage.rs").unwrap();
    let bounds = port.split_once("trait Storage:").unwrap().1.split_once('{').unwrap().0;
    let bounds: Vec<_> = bounds.split('+').map(str::trim).collect();
    let types = ["ProbeLines", "Probes", "LineProbes", "Categories", "LongProbeLineAttachments"];
    assert!(bounds.ends_with(&types), "{bounds:?}");
    let errors = tree.read("crates/api/src/error.rs").unwrap();
    for variant in ["ProbeLineNotFound", "ProbeNotFound", "LineProbeNotFound", "CategoryNotFound"] {
        assert!(errors.contains(&format!("    {variant},")), "{errors}");
        assert!(errors.contains(&format!("| Self::{variant}")), "{errors}");
    }
}

#[test]
fn what_cannot_be_is_reported_before_anything_is_written() {
    let copy = copy();
    for (words, reason) in [
        (["probes", "number:strng"], "there is no type"),
        (["users", "number:string"], "is there already"),
        (["staff", "number:string"], "--singular"),
        (["probes", "a:date a:uuid"], "two fields are called"),
    ] {
        let mut tree = Tree::open(copy.path()).unwrap();
        let done: Result<(), ResourceError> = write(&mut tree, &args(&words));
        let error = done.err().ok_or(words).unwrap();
        assert!(error.to_string().contains(reason), "{words:?}: {error}");
    }
    let mut tree = Tree::open(copy.path()).unwrap();
    std::fs::write(copy.path().join("crates/api/src/error.rs"), "").unwrap();
    let error = write(&mut tree, &args(&["probes", "a:date"])).unwrap_err();
    assert!(error.to_string().contains("crates/api/src/error.rs"), "{error}");
}
