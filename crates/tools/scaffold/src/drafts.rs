//! Drafts of many documents, compiled and tested: how far `scaffold draft` goes with services that
//! are not of this repository.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use heck::ToKebabCase;
use serde::Serialize;
use toml_edit::{Array, DocumentMut, Item};

use crate::cargo::cargo;
use crate::draft::{Draft, draft, draft_application, read};
use crate::inspection::Inspection;

/// Which documents are drafted.
#[derive(clap::Args, Debug)]
pub struct DraftsArgs {
    /// A folder with OpenAPI documents, or with what `scaffold inspect` wrote: every file that ends
    /// with `.json`
    folder: PathBuf,
    /// Only the documents with these names
    #[arg(long, value_delimiter = ',')]
    only: Vec<String>,
    /// Neither compile nor test
    #[arg(long)]
    no_check: bool,
    /// Print what each operation became
    #[arg(long)]
    table: bool,
}

/// Why there is no report.
#[derive(Debug, thiserror::Error)]
pub enum DraftsError {
    #[error("{path}: {source}")]
    File { path: PathBuf, source: io::Error },
    #[error("there is no document in {0}")]
    None(PathBuf),
    #[error("Cargo.toml: {0}")]
    Manifest(String),
    #[error("not everything of every document is drafted as it should be: see {0}")]
    Failed(PathBuf),
}

/// What became of a document.
#[derive(Debug, Default, Serialize)]
struct Report {
    document: String,
    operations: usize,
    native: usize,
    loose: usize,
    passed_on: usize,
    /// The changes of the overlay.
    overlay: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    compiles: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    document_equal: Option<bool>,
    /// Why there is no draft.
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
}

/// Drafts each document in `target/drafts`, and writes `report.json` there.
pub fn run(root: &Path, args: &DraftsArgs) -> Result<(), DraftsError> {
    let home = root.join("target/drafts");
    fs::create_dir_all(&home).map_err(at(&home))?;
    let documents = documents(args)?;
    let crates = home.join("crates");
    fs::create_dir_all(&crates).map_err(at(&crates))?;
    // Crates of other runs would be members of the workspace.
    let names: Vec<String> = documents.iter().map(|path| crate_name(&stem(path))).collect();
    for entry in fs::read_dir(&crates).map_err(at(&crates))? {
        let entry = entry.map_err(at(&crates))?;
        if !names.contains(&entry.file_name().to_string_lossy().into_owned()) {
            fs::remove_dir_all(entry.path()).map_err(at(&crates))?;
        }
    }
    workspace(root, &home)?;
    let mut reports = Vec::new();
    for path in &documents {
        reports.push(drafted(path, &crates, args.table)?);
    }
    if !args.no_check {
        // All at once, as they do not wait for each other; each is checked below.
        println!("compiling {} crates", reports.len());
        let all =
            ["build", "--quiet", "--keep-going", "--workspace", "--bins", "--test", "document"];
        let mut command = cargo_in(&home);
        _ = command.args(all).stdout(Stdio::null()).stderr(Stdio::null()).status();
        for report in &mut reports {
            if report.error.is_none() {
                check(&home, report);
            }
        }
    }
    let target = home.join("report.json");
    let text = serde_json::to_string_pretty(&reports).unwrap_or_default();
    fs::write(&target, text + "\n").map_err(at(&target))?;
    let sum = |of: fn(&Report) -> usize| reports.iter().map(of).sum::<usize>();
    println!(
        "{} documents, {} operations: {} native, {} loose, {} passed on: {}",
        reports.len(),
        sum(|one| one.operations),
        sum(|one| one.native),
        sum(|one| one.loose),
        sum(|one| one.passed_on),
        target.display()
    );
    let is_good = |report: &Report| {
        report.error.is_none()
            && (args.no_check
                || (report.compiles, report.document_equal) == (Some(true), Some(true)))
    };
    if reports.iter().all(is_good) { Ok(()) } else { Err(DraftsError::Failed(target)) }
}

fn at(path: &Path) -> impl Fn(io::Error) -> DraftsError + '_ {
    |source| DraftsError::File { path: path.to_owned(), source }
}

/// The documents of the folder, in alphabetical order.
fn documents(args: &DraftsArgs) -> Result<Vec<PathBuf>, DraftsError> {
    let mut found = Vec::new();
    for entry in fs::read_dir(&args.folder).map_err(at(&args.folder))? {
        let path = entry.map_err(at(&args.folder))?.path();
        let is_chosen = args.only.is_empty() || args.only.contains(&stem(&path));
        if path.extension().is_some_and(|end| end == "json") && is_chosen {
            found.push(path);
        }
    }
    found.sort();
    if found.is_empty() { Err(DraftsError::None(args.folder.clone())) } else { Ok(found) }
}

fn stem(path: &Path) -> String {
    path.file_stem().unwrap_or_default().to_string_lossy().into_owned()
}

/// What the crate of a document is called.
fn crate_name(document: &str) -> String {
    let kept: String =
        document.chars().filter(|c| c.is_ascii_alphanumeric() || "-_".contains(*c)).collect();
    format!("draft-{}", kept.to_kebab_case())
}

/// A workspace with the dependencies of this one, in which every crate shares one target folder.
fn workspace(root: &Path, home: &Path) -> Result<(), DraftsError> {
    let path = root.join("Cargo.toml");
    let text = fs::read_to_string(&path).map_err(at(&path))?;
    let failed = |reason: &str| DraftsError::Manifest(reason.to_owned());
    let mut manifest: DocumentMut =
        text.parse().map_err(|error: toml_edit::TomlError| failed(&error.to_string()))?;
    let workspace = manifest.get_mut("workspace").and_then(Item::as_table_mut);
    let workspace = workspace.ok_or_else(|| failed("it has no [workspace]"))?;
    workspace.insert("members", toml_edit::value(Array::from_iter(["crates/*"])));
    workspace.remove("default-members");
    let dependencies = workspace.get_mut("dependencies").and_then(Item::as_table_like_mut);
    let dependencies = dependencies.ok_or_else(|| failed("it has no [workspace.dependencies]"))?;
    for (_, dependency) in dependencies.iter_mut() {
        let Some(path) = dependency.as_table_like_mut().and_then(|table| table.get_mut("path"))
        else {
            continue;
        };
        if let Some(folder) = path.as_str().filter(|folder| Path::new(folder).is_relative()) {
            *path = toml_edit::value(format!("../../{folder}"));
        }
    }
    // Debug information doubles the time, and no one debugs a draft here.
    manifest["profile"]["dev"]["debug"] = toml_edit::value(false);
    manifest["profile"]["dev"]["incremental"] = toml_edit::value(false);
    let target = home.join("Cargo.toml");
    fs::write(&target, manifest.to_string()).map_err(at(&target))?;
    let lock = home.join("Cargo.lock");
    fs::copy(root.join("Cargo.lock"), &lock).map_err(at(&lock))?;
    Ok(())
}

/// Writes the crate of a document.
fn drafted(path: &Path, crates: &Path, shows_table: bool) -> Result<Report, DraftsError> {
    let document = stem(path);
    let name = crate_name(&document);
    let mut report = Report { document, ..Report::default() };
    let drafted = read(path).and_then(|text| match inspection(&text) {
        Some(inspection) => draft_application(inspection, &name, "all"),
        None => draft(path, &text, &name, "all"),
    });
    let Draft { files, table, .. } = match drafted {
        Ok(draft) => draft,
        Err(error) => {
            println!("{error}");
            report.error = Some(error.to_string());
            return Ok(report);
        }
    };
    for (file, text) in files {
        let target = crates.join(&name).join(&file);
        if let Some(folder) = target.parent() {
            fs::create_dir_all(folder).map_err(at(folder))?;
        }
        // One that is as it was is not compiled again; an overlay is written by the test.
        let before = fs::read_to_string(&target).ok();
        if before.is_none() || (before.as_ref() != Some(&text) && file != "overlay.json") {
            fs::write(&target, text).map_err(at(&target))?;
        }
    }
    if shows_table {
        println!("{table}");
    }
    report.operations = table.0.len();
    [report.native, report.loose, report.passed_on] = table.counts();
    let Report { document, operations, native, loose, passed_on, .. } = &report;
    println!(
        "{document}: {operations} operations: {native} native, {loose} loose, {passed_on} passed on"
    );
    Ok(report)
}

/// The inspection, if the JSON is what `scaffold inspect` has written and no document.
fn inspection(text: &str) -> Option<Inspection> {
    Inspection::new(serde_json::from_str(text).ok()?).ok()
}

/// Cargo in the workspace of the drafts, with one folder for all that is compiled.
fn cargo_in(home: &Path) -> Command {
    let mut command = cargo();
    command.current_dir(home).env_remove("UPDATE_OVERLAY").env("CARGO_TARGET_DIR", "target");
    command
}

/// Compiles a crate with its tests, writes its overlay and runs its test.
fn check(home: &Path, report: &mut Report) {
    let name = crate_name(&report.document);
    let run = |arguments: &[&str], updates: bool| {
        let mut command = cargo_in(home);
        command.args(arguments).args(["--package", &name]);
        if updates {
            command.env("UPDATE_OVERLAY", "1");
        }
        match command.output() {
            Ok(output) => {
                let text = [output.stdout, output.stderr].concat();
                (output.status.success(), String::from_utf8_lossy(&text).into_owned())
            }
            Err(error) => (false, error.to_string()),
        }
    };
    let (compiles, text) = run(&["build", "--bins", "--test", "document"], false);
    let is_clean = compiles && !text.contains(&format!("warning: `{name}`"));
    report.compiles = Some(is_clean);
    let mut log = text;
    if compiles {
        // The test that writes the overlay compares with it.
        let (is_equal, text) = run(&["test", "--quiet", "--test", "document"], true);
        report.document_equal = Some(is_equal);
        log += &text;
    } else {
        report.document_equal = Some(false);
    }
    let folder = home.join("crates").join(&name);
    let overlay = fs::read_to_string(folder.join("overlay.json")).unwrap_or_default();
    let overlay = comparison::openapi::Overlay::read(&overlay).unwrap_or_default();
    report.overlay = overlay.len();
    // The last lines say what is wrong.
    let log_file = folder.join("check.log");
    if !is_clean || report.document_equal != Some(true) {
        _ = fs::write(&log_file, &log);
        println!("{}: see {}", report.document, log_file.display());
    } else {
        _ = fs::remove_file(&log_file);
    }
    let answer = |is_so: bool| if is_so { "yes" } else { "no" };
    println!(
        "{}: compiles without warnings: {}, document equal: {} ({} changes in the overlay)",
        report.document,
        answer(is_clean),
        answer(report.document_equal == Some(true)),
        report.overlay
    );
}
