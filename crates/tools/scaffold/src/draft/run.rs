//! `scaffold draft`: from the command line to the files of a crate.

use std::path::{Path, PathBuf};

use comparison::openapi::decode;
use heck::ToKebabCase;
use serde_json::Value;

use super::seal::{Again, Seal, folder};
use super::{Draft, DraftError, Source, TABLES};
use crate::inspect::{Application, inspect, summary};
use crate::inspection::Inspection;
use crate::tables;
use crate::tree::{Tree, TreeError};
use crate::workspace::with_member;

/// What is to be drafted.
#[derive(clap::Args, Debug)]
pub struct DraftArgs {
    /// The OpenAPI document of the old service, as FastAPI has it at /openapi.json
    #[arg(conflicts_with_all = ["app", "inspection"], required_unless_present_any = ["app", "inspection"])]
    document: Option<PathBuf>,
    #[command(flatten)]
    application: Option<Application>,
    /// What `scaffold inspect` wrote, instead of an application
    #[arg(long, value_name = "FILE", conflicts_with = "app")]
    inspection: Option<PathBuf>,
    /// What the new crate is called
    #[arg(long)]
    name: String,
    /// Which operations, by operationId, function or `GET /path`, with commas between them
    #[arg(long, default_value = "all")]
    operations: String,
    /// Only list the operations
    #[arg(long)]
    list: bool,
    /// Only write the crate: it is not compiled, and its overlay stays empty
    #[arg(long)]
    no_test: bool,
}

impl DraftArgs {
    /// What the new crate is called.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether the new crate is compiled and tested.
    pub fn is_tested(&self) -> bool {
        !self.no_test
    }

    fn source(&self) -> Result<Source, DraftError> {
        let found = match (&self.application, &self.inspection, &self.document) {
            (Some(application), _, _) => inspect(application)?,
            (None, Some(path), _) => {
                let failed = |reason: String| DraftError::Document { path: path.clone(), reason };
                serde_json::from_str(&read(path)?).map_err(|error| failed(error.to_string()))?
            }
            (None, None, document) => {
                let path = document.clone().unwrap_or_default();
                return Ok(Source { text: read(&path)?, path, inspection: None });
            }
        };
        Source::of(Inspection::new(found)?)
    }
}

/// The text of a document.
pub fn read(path: &Path) -> Result<String, DraftError> {
    let failed = |source| DraftError::Read { path: path.to_owned(), source };
    let bytes = std::fs::read(path).map_err(failed)?;
    decode(bytes)
        .map_err(|error| DraftError::Document { path: path.to_owned(), reason: error.to_string() })
}

/// The operations of the document, if only they are asked for.
pub fn list(args: &DraftArgs) -> Result<Option<String>, DraftError> {
    if !args.list {
        return Ok(None);
    }
    let source = args.source()?;
    let value = source.value()?;
    Ok(Some(source.document(&value)?.list()))
}

/// What was drafted, for what follows when it is formatted.
pub struct Written {
    /// What to do with it.
    pub advice: String,
    name: String,
    /// The files that are as drafted.
    files: Vec<String>,
    tables: Option<tables::Drafted>,
}

/// Writes the crate into the tree; one that is a draft already is brought up to date.
pub fn write(tree: &mut Tree, args: &DraftArgs) -> Result<Written, DraftError> {
    let name = args.name.as_str();
    let is_name = name.starts_with(|c: char| c.is_ascii_lowercase())
        && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-')
        && name == name.to_kebab_case();
    if !is_name {
        return Err(DraftError::Name(format!("`{name}`: a crate is called like `notes-service`")));
    }
    let folder = folder(name).display().to_string();
    let seal = Seal::read(&tree.path(&folder));
    if tree.has(&folder) && seal.is_none() {
        return Err(DraftError::Exists(folder));
    }
    let source = args.source()?;
    let Draft { files, table, tables } = source.draft(name, &args.operations)?;
    let (mut names, mut differing) = (Vec::new(), Vec::new());
    for (file, text) in files {
        let path = format!("{folder}/{file}");
        let (Some(seal), true) = (&seal, tree.has(&path)) else {
            names.push(file);
            tree.create(&path, text);
            continue;
        };
        match seal.again(&file, &tree.read(&path)?, &text) {
            Again::Write => {
                names.push(file);
                tree.replace(&path, text);
            }
            Again::Refresh(text) => {
                tree.replace(&path, text);
                differing.push(path);
            }
            Again::Leave => {
                tree.create(&path, text);
                differing.push(path);
            }
        }
    }
    let manifest = "Cargo.toml";
    for library in ["strangler", "comparison"] {
        tree.edit(manifest, |before| {
            with_member(before, &folder, library)
                .map_err(|reason| TreeError::Format { path: manifest.to_owned(), reason })
        })?;
    }
    let mut advice = format!("\n{table}");
    if let Some(inspection) = &source.inspection {
        advice += &format!("\n{}\n", summary(inspection.value()));
    }
    differing.retain(|path| !path.ends_with("overlay.json"));
    if !differing.is_empty() {
        advice +=
            "\nChanged since the last draft, so left as they are, but for comments with Python:\n";
        for path in &differing {
            advice += &format!("  {path}\n");
        }
    }
    advice += &format!(
        "\nThe old service answers everything still:\n\n  LEGACY_URL=http://127.0.0.1:8000 \
         STRANGLER_PASSWORD=… cargo run --package {name}\n\nWrite a handler in {folder}/src/routes.rs, set `shadow` for it in \
         {folder}/plan.yaml,\nand compare: {folder}/README.md has the commands."
    );
    Ok(Written { advice, name: name.to_owned(), files: names, tables })
}

impl Written {
    /// Notes the files as they are now, formatted, and writes the crate of the tables; gives what is
    /// to be printed.
    pub fn finish(&self, root: &Path) -> Result<String, DraftError> {
        let folder = root.join(folder(&self.name));
        Seal::write(&folder, self.files.iter().map(String::as_str))?;
        let Some(drafted) = &self.tables else { return Ok(String::new()) };
        let into = folder.join(TABLES);
        if into.exists() {
            return Ok(format!("{} is left as it is.", into.display()));
        }
        tables::write(&into, drafted)?;
        // A workspace of its own: its statements are checked against a database.
        let manifest = into.join("Cargo.toml");
        let text = read(&manifest)? + "\n[workspace]\n";
        std::fs::write(&manifest, text)
            .map_err(|source| DraftError::Read { path: manifest, source })?;
        Ok(tables::report(&into, drafted))
    }
}

/// Whether an application has tables.
pub(super) fn has_tables(inspection: &Inspection) -> bool {
    let all = inspection.value()["metadata"].as_array().into_iter().flatten();
    let count = |metadata: &Value| match &metadata["tables"] {
        Value::Array(tables) => tables.len(),
        Value::Object(tables) => tables.len(),
        _ => 0,
    };
    all.map(count).sum::<usize>() > 0
}
