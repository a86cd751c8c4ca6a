//! The first Rust for a service that is not ours: from its OpenAPI document to a crate that stands
//! before it, with types, handlers to fill in and cases.

mod attributes;
mod document;
mod names;
mod operation;
mod samples;
mod types;

use std::collections::BTreeSet;
use std::path::PathBuf;

use heck::{ToKebabCase, ToSnakeCase};
use minijinja::context;
use minijinja::value::Serde;
use serde_json::Value;

use crate::templates;
use crate::tree::{Tree, TreeError};
use crate::workspace::with_member;
use document::{Document, IdStyle};
use names::{imports, words};
use operation::Drafted;
use types::Types;

/// What is to be drafted.
#[derive(clap::Args, Debug)]
pub struct DraftArgs {
    /// The OpenAPI document of the old service, as FastAPI has it at /openapi.json
    document: PathBuf,
    /// What the new crate is called
    #[arg(long)]
    name: String,
    /// Which operations, by operationId, function or `GET /path`; without any, all are listed
    #[arg(long, value_delimiter = ',')]
    operations: Vec<String>,
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
    #[error("choose with --operations; there are:\n{0}")]
    Choose(String),
    #[error("{operation}: {reason}; leave it to the old service for now")]
    Unsupported { operation: String, reason: String },
    #[error("{0} is there already: a draft is written once")]
    Exists(String),
    #[error(transparent)]
    Tree(#[from] TreeError),
    #[error("a template is broken: {0}")]
    Template(#[from] minijinja::Error),
}

/// Writes the crate into the tree, and gives back what to do with it.
pub fn write(tree: &mut Tree, args: &DraftArgs) -> Result<String, DraftError> {
    let path = args.document.clone();
    let text = std::fs::read_to_string(&path)
        .map_err(|source| DraftError::Read { path: path.clone(), source })?;
    let failed = |reason: String| DraftError::Document { path: path.clone(), reason };
    let value: Value = serde_json::from_str(&text).map_err(|error| failed(error.to_string()))?;
    let document = Document::read(&value).map_err(failed)?;
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
    if args.operations.is_empty() {
        return Err(DraftError::Choose(document.list()));
    }
    let mut chosen = Vec::new();
    for name in &args.operations {
        let operation = document
            .find(name)
            .ok_or_else(|| DraftError::NoOperation { name: name.clone(), all: document.list() })?;
        chosen.push(operation);
    }
    let style = Document::style(&chosen);
    let mut types = Types::new(&document, &chosen);
    let mut drafted: Vec<Drafted> = Vec::new();
    for operation in chosen {
        let draft = Drafted::new(&mut types, operation, style, &drafted);
        drafted.push(draft.map_err(|reason| DraftError::Unsupported {
            operation: operation.id.to_owned(),
            reason,
        })?);
    }
    let templates = templates()?;
    let (models, used) = types.finish();
    let signatures: BTreeSet<String> = drafted
        .iter()
        .flat_map(|one| words(&one.signature()).map(str::to_owned).collect::<Vec<_>>())
        .collect();
    let uses = |name: &str| used.contains(name) || signatures.contains(name);
    let values = context! {
        name,
        models => models.values().cloned().collect::<Vec<_>>().join("\n\n"),
        model_imports => imports(&used),
        route_imports => imports(&signatures),
        named => models.keys().filter(|name| signatures.contains(*name)).cloned().collect::<Vec<_>>().join(", "),
        methods => methods(&drafted).join(", "),
        uses_indexmap => uses("IndexMap"),
        uses_uuid => uses("Uuid"),
        krate => name.to_snake_case(),
        operations => minijinja::Value::from(Serde(&drafted)),
        ids => match style { IdStyle::Default => "", IdStyle::Tag => "tag", IdStyle::Name => "name" },
        title => document.title,
        version => document.version,
        token_url => document.token_url,
    };
    let mut file = |path: &str, template: &str| -> Result<(), DraftError> {
        let text = templates.get_template(template)?.render(&values)?;
        tree.create(&format!("{folder}/{path}"), text);
        Ok(())
    };
    file("Cargo.toml", "draft/Cargo.toml")?;
    file("clippy.toml", "draft/clippy.toml")?;
    file("src/lib.rs", "draft/lib.rs")?;
    file("src/main.rs", "draft/main.rs")?;
    file("src/models.rs", "draft/models.rs")?;
    file("src/routes.rs", "draft/routes.rs")?;
    file("tests/document.rs", "draft/document.rs")?;
    file("plan.yaml", "draft/plan.yaml")?;
    file("cases.yaml", "draft/cases.yaml")?;
    tree.create(&format!("{folder}/openapi.json"), text);
    let manifest = "Cargo.toml";
    tree.edit(manifest, |before| {
        with_member(before, &folder, "strangler")
            .map_err(|reason| TreeError::Format { path: manifest.to_owned(), reason })
    })?;
    Ok(format!(
        "\nThe old service answers everything still:\n\n  LEGACY_URL=http://127.0.0.1:8000 cargo run \
         --package {name}\n\nWrite a handler in {folder}/src/routes.rs, set `shadow` for it in \
         {folder}/plan.yaml,\nand compare:\n\n  contract run --reference http://127.0.0.1:8000 \
         --candidate http://127.0.0.1:8080 \\\n    --cases {folder}/cases.yaml --generate \
         {folder}/openapi.json"
    ))
}

/// The attributes of the handlers.
fn methods(drafted: &[Drafted]) -> Vec<&str> {
    let methods: BTreeSet<&str> = drafted.iter().map(Drafted::method).collect();
    methods.into_iter().collect()
}
