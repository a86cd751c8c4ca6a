//! The first Rust for a third-party service: from its OpenAPI document to a crate that stands before
//! it, with types, handlers to fill in and cases.

mod answer;
mod attributes;
mod document;
mod inputs;
mod loose;
mod names;
mod operation;
mod path;
mod samples;
mod table;
mod types;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use comparison::openapi::{Overlay, decode, normal};
use heck::{ToKebabCase, ToSnakeCase};
use minijinja::context;
use minijinja::value::Serde;
use serde_json::Value;

use crate::templates::{templates, yaml_text};
use crate::tree::{Tree, TreeError};
use crate::workspace::with_member;
use attributes::{comment, rust_text};
use document::{Document, IdStyle, Operation};
use loose::requested;
use names::{imports, words};
use operation::{Drafted, refusal};
pub use table::{Outcome, Row, Table};
use types::Types;

/// What is to be drafted.
#[derive(clap::Args, Debug)]
pub struct DraftArgs {
    /// The OpenAPI document of the old service, as FastAPI has it at /openapi.json
    document: PathBuf,
    /// What the new crate is called
    #[arg(long)]
    name: String,
    /// Which operations, by operationId, function or `GET /path`, with commas between them
    #[arg(long, default_value = "all")]
    operations: String,
    /// Only list the operations
    #[arg(long)]
    list: bool,
}

/// Why nothing can be drafted.
#[derive(Debug, thiserror::Error)]
pub enum DraftError {
    #[error("{path}: {source}")]
    Read { path: PathBuf, source: std::io::Error },
    #[error("{path}: {reason}")]
    Document { path: PathBuf, reason: String },
    #[error("{0}")]
    Name(String),
    #[error("there is no operation `{name}`; there are:\n{all}")]
    NoOperation { name: String, all: String },
    #[error("{0} is there already: a draft is written once")]
    Exists(String),
    #[error(transparent)]
    Tree(#[from] TreeError),
    #[error("{file} would be no Rust, so nothing was written: {reason}")]
    Code { file: &'static str, reason: String },
    #[error("a template is broken: {0}")]
    Template(#[from] minijinja::Error),
}

/// A drafted crate: its files, by their paths in it, and what each operation became.
#[derive(Debug)]
pub struct Draft {
    pub files: Vec<(&'static str, String)>,
    pub table: Table,
}

/// The operations of the document, if only they are asked for.
pub fn list(args: &DraftArgs) -> Result<Option<String>, DraftError> {
    if !args.list {
        return Ok(None);
    }
    let text = read(&args.document)?;
    let failed = |reason: String| DraftError::Document { path: args.document.clone(), reason };
    let value: Value = serde_json::from_str(&text).map_err(|error| failed(error.to_string()))?;
    Ok(Some(Document::read(&normal(&value)).map_err(failed)?.list()))
}

/// The text of a document.
pub fn read(path: &Path) -> Result<String, DraftError> {
    let failed = |source| DraftError::Read { path: path.to_owned(), source };
    let bytes = std::fs::read(path).map_err(failed)?;
    decode(bytes).map_err(|reason| DraftError::Document { path: path.to_owned(), reason })
}

impl DraftArgs {
    /// What the new crate is called.
    pub fn name(&self) -> &str {
        &self.name
    }
}

/// Writes the crate into the tree, and gives back what to do with it.
pub fn write(tree: &mut Tree, args: &DraftArgs) -> Result<String, DraftError> {
    let path = &args.document;
    let text = read(path)?;
    let name = args.name.as_str();
    let is_name = name.starts_with(|c: char| c.is_ascii_lowercase())
        && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-')
        && name == name.to_kebab_case();
    if !is_name {
        return Err(DraftError::Name(format!("`{name}`: a crate is called like `notes-service`")));
    }
    let folder = format!("crates/{name}");
    if tree.has(&folder) {
        return Err(DraftError::Exists(folder));
    }
    let Draft { files, table } = draft(path, &text, name, &args.operations)?;
    for (file, text) in files {
        tree.create(&format!("{folder}/{file}"), text);
    }
    let manifest = "Cargo.toml";
    for library in ["strangler", "comparison"] {
        tree.edit(manifest, |before| {
            with_member(before, &folder, library)
                .map_err(|reason| TreeError::Format { path: manifest.to_owned(), reason })
        })?;
    }
    Ok(format!(
        "\n{table}\nThe old service answers everything still:\n\n  LEGACY_URL=http://127.0.0.1:8000 cargo run \
         --package {name}\n\nWrite a handler in {folder}/src/routes.rs, set `shadow` for it in \
         {folder}/plan.yaml,\nand compare:\n\n  contract run --reference http://127.0.0.1:8000 \
         --candidate http://127.0.0.1:8080 \\\n    --cases {folder}/cases.yaml --generate \
         {folder}/openapi.json"
    ))
}

/// Drafts operations of the document that stands at `path`, as a list with commas names them.
pub fn draft(path: &Path, text: &str, name: &str, operations: &str) -> Result<Draft, DraftError> {
    let failed = |reason: String| DraftError::Document { path: path.to_owned(), reason };
    let value: Value = serde_json::from_str(text).map_err(|error| failed(error.to_string()))?;
    let value = normal(&value);
    let document = Document::read(&value).map_err(failed)?;
    let chosen = document
        .choose(operations)
        .map_err(|name| DraftError::NoOperation { name, all: document.list() })?;
    let style = Document::style(&chosen);
    let mut types = Types::new(&document, &chosen);
    let mut drafted: Vec<Drafted> = Vec::new();
    let mut refused: Vec<(usize, String)> = Vec::new();
    for (index, operation) in chosen.iter().enumerate() {
        if let Some(reason) = refusal(operation) {
            refused.push((index, reason));
        } else {
            drafted.push(Drafted::new(&mut types, operation, index, style, &drafted));
        }
    }
    let (models, used, looseness) = types.finish();
    let rows = chosen.iter().enumerate().map(|(index, operation)| {
        let passed = refused.iter().find(|(refused, _)| *refused == index);
        let outcome = match passed {
            Some((_, reason)) => Outcome::PassedOn(reason.clone()),
            None => match looseness.of(index, &requested(&document, operation.value)) {
                reasons if reasons.is_empty() => Outcome::Native,
                reasons => Outcome::Loose(reasons),
            },
        };
        let Operation { id, method, path, .. } = operation;
        Row { id: id.clone(), method: method.to_uppercase(), path: (*path).to_owned(), outcome }
    });
    let table = Table(rows.collect());
    let signatures: BTreeSet<String> = drafted
        .iter()
        .flat_map(|one| words(&one.signature()).map(str::to_owned).collect::<Vec<_>>())
        .collect();
    let uses = |name: &str| used.contains(name) || signatures.contains(name);
    let ids: BTreeSet<&str> = drafted.iter().map(|one| one.id.as_str()).collect();
    let values = context! {
        name,
        models => models.values().cloned().collect::<Vec<_>>().join("\n\n"),
        model_imports => imports(&used),
        route_imports => imports(&signatures),
        named => models.keys().filter(|name| signatures.contains(*name)).cloned().collect::<Vec<_>>().join(", "),
        imports => methods(&drafted),
        uses_indexmap => uses("IndexMap"),
        uses_uuid => uses("Uuid"),
        krate => name.to_snake_case(),
        plan => ids.iter().map(|id| yaml_text(id)).collect::<Vec<_>>(),
        passed_on => table.passed_on().iter().map(|line| comment(line)).collect::<Vec<_>>(),
        operations => minijinja::Value::from(Serde(&drafted)),
        ids => match style { IdStyle::Default => "", IdStyle::Tag => "tag", IdStyle::Name => "name" },
        title => comment(document.title),
        title_text => rust_text(document.title),
        version_text => rust_text(document.version),
        token_url_text => rust_text(&document.token_url),
    };
    let templates = templates()?;
    let mut files = Vec::new();
    for (path, template) in [
        ("Cargo.toml", "draft/Cargo.toml"),
        ("clippy.toml", "draft/clippy.toml"),
        ("src/lib.rs", "draft/lib.rs"),
        ("src/main.rs", "draft/main.rs"),
        ("src/models.rs", "draft/models.rs"),
        ("src/routes.rs", "draft/routes.rs"),
        ("tests/document.rs", "draft/document.rs"),
        ("plan.yaml", "draft/plan.yaml"),
        ("cases.yaml", "draft/cases.yaml"),
    ] {
        let text = templates.get_template(template)?.render(&values)?;
        // Nothing is written if it is no Rust.
        if Path::new(path).extension().is_some_and(|end| end == "rs")
            && let Err(error) = syn::parse_file(&text)
        {
            return Err(DraftError::Code { file: path, reason: error.to_string() });
        }
        files.push((path, text));
    }
    files.push(("openapi.json", text.to_owned()));
    files.push(("overlay.json", Overlay::default().to_text(document.title)));
    files.push(("draft.json", table.to_json(&looseness.pointers())));
    Ok(Draft { files, table })
}

/// What the handlers' attributes are called, with what else is imported beside them.
fn methods(drafted: &[Drafted]) -> String {
    let mut names: BTreeSet<&str> = drafted.iter().map(Drafted::method).collect();
    names.extend(["HttpError", "Router", "routes"]);
    names.into_iter().collect::<Vec<_>>().join(", ")
}
