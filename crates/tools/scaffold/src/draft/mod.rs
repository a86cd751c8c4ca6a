//! The first Rust for a third-party service: from its OpenAPI document to a crate that stands before
//! it, with types, handlers to fill in and cases.

mod answer;
mod application;
mod attributes;
mod conversions;
mod document;
mod input;
mod inputs;
mod known;
mod layers;
mod loose;
mod names;
mod operation;
mod parsed;
mod path;
mod python;
mod run;
mod samples;
mod seal;
mod security;
mod table;
mod types;
mod whole;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use comparison::openapi::{Overlay, normal};
use heck::ToSnakeCase;
use minijinja::context;
use minijinja::value::Serde;
use serde_json::Value;

use crate::inspect::InspectError;
use crate::inspection::{Inspection, OtherFormat};
use crate::tables::{self, TablesError};
use crate::templates::{rust_text, templates, yaml_text};
use crate::tree::TreeError;
use application::{About, before, outside};
use attributes::comment;
use document::{Document, IdStyle, Operation};
use layers::Layers;
use loose::requested;
use names::{imports, words};
use operation::{Drafted, refusal};
use parsed::Models;
pub use run::{DraftArgs, list, read, write};
pub use table::{Handler, Outcome, Row, Table};
use types::Types;
use whole::{Rows, Writer};

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
    #[error("{0} is there already, and is no draft")]
    Exists(String),
    #[error(transparent)]
    Inspect(#[from] InspectError),
    #[error(transparent)]
    Format(#[from] OtherFormat),
    #[error(transparent)]
    Tables(#[from] TablesError),
    #[error(transparent)]
    Tree(#[from] TreeError),
    #[error("{file} would be no Rust, so nothing was written: {reason}")]
    Code { file: &'static str, reason: String },
    #[error("a template is broken: {0}")]
    Template(#[from] minijinja::Error),
}

/// The folder of the crate of the tables.
const TABLES: &str = "tables";

/// A drafted crate: its files, by their paths in it, and what each operation became.
#[derive(Debug)]
pub struct Draft {
    pub files: Vec<(String, String)>,
    pub table: Table,
    /// The crate of its tables, if there are any that no handler uses: else it is among the files.
    pub tables: Option<tables::Drafted>,
}

/// Drafts operations of the document that stands at `path`, as a list with commas names them.
pub fn draft(path: &Path, text: &str, name: &str, operations: &str) -> Result<Draft, DraftError> {
    Source { path: path.to_owned(), text: text.to_owned(), inspection: None }
        .draft(name, operations)
}

/// Drafts operations of an inspected application.
pub fn draft_application(
    inspection: Inspection,
    name: &str,
    operations: &str,
) -> Result<Draft, DraftError> {
    Source::of(inspection)?.draft(name, operations)
}

/// What is drafted.
pub(crate) struct Source {
    /// Where the document stands, or the application.
    path: PathBuf,
    text: String,
    inspection: Option<Inspection>,
}

impl Source {
    fn of(inspection: Inspection) -> Result<Self, DraftError> {
        let path = PathBuf::from(inspection.value()["app"].as_str().unwrap_or_default());
        let Some(document) = inspection.document() else {
            let reason = "the application makes no OpenAPI document: see the remarks of \
                          `scaffold inspect`";
            return Err(DraftError::Document { path, reason: reason.to_owned() });
        };
        let text = format!("{document:#}\n");
        Ok(Self { path, text, inspection: Some(inspection) })
    }

    fn failed(&self, reason: String) -> DraftError {
        DraftError::Document { path: self.path.clone(), reason }
    }

    fn value(&self) -> Result<Value, DraftError> {
        let value = serde_json::from_str(&self.text);
        Ok(normal(&value.map_err(|error| self.failed(error.to_string()))?))
    }

    fn document<'a>(&'a self, value: &'a Value) -> Result<Document<'a>, DraftError> {
        let document = Document::read(value).map_err(|reason| self.failed(reason))?;
        Ok(match &self.inspection {
            Some(inspection) => document.known(inspection),
            None => document,
        })
    }

    fn draft(&self, name: &str, operations: &str) -> Result<Draft, DraftError> {
        let value = self.value()?;
        let document = self.document(&value)?;
        let chosen = document
            .choose(operations)
            .map_err(|name| DraftError::NoOperation { name, all: document.list() })?;
        files(self, &document, &chosen, name)
    }
}

/// Drafts the chosen operations.
fn files(
    source: &Source,
    document: &Document<'_>,
    chosen: &[&Operation<'_>],
    name: &str,
) -> Result<Draft, DraftError> {
    let inspection = source.inspection.as_ref();
    let style = Document::style(chosen);
    let tables = match inspection {
        Some(inspection) if run::has_tables(inspection) => {
            Some(tables::draft(inspection.value(), &format!("{name}-tables"))?)
        }
        _ => None,
    };
    let mut types = Types::new(document, chosen, inspection);
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
    let reasons = |index: usize| looseness.of(index, &requested(document, chosen[index].value));
    let (handlers, beside) =
        whole(inspection, tables.as_ref(), &models, &mut drafted, chosen, reasons);
    let rows = chosen.iter().enumerate().map(|(index, operation)| {
        let passed = refused.iter().find(|(refused, _)| *refused == index);
        let outcome = match passed {
            Some((_, reason)) => Outcome::PassedOn(reason.clone()),
            None => match reasons(index) {
                reasons if reasons.is_empty() => Outcome::Native,
                reasons => Outcome::Loose(reasons),
            },
        };
        let Operation { id, method, path, .. } = operation;
        let handler = handlers.get(index).cloned().flatten();
        let (method, path) = (method.to_uppercase(), (*path).to_owned());
        Row { id: id.clone(), method, path, outcome, handler }
    });
    let outside = inspection.map(|inspection| outside(inspection, document)).unwrap_or_default();
    let table = Table(rows.chain(outside).collect());
    let routed: Vec<_> = drafted.iter().map(Drafted::route).collect();
    let before = inspection.map(|inspection| before(inspection, &routed)).unwrap_or_default();
    let layers = inspection.map(Layers::new).unwrap_or_default();
    let about = inspection.map(About::new);
    let dependencies = python::dependencies(chosen);
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
        uses_indexmap => uses("IndexMap"),
        uses_uuid => uses("Uuid"),
        krate => name.to_snake_case(),
        plan => ids.iter().map(|id| yaml_text(id)).collect::<Vec<_>>(),
        passed_on => table.passed_on().iter().map(|line| comment(line)).collect::<Vec<_>>(),
        operations => minijinja::Value::from(Serde(&drafted)),
        ids => match style { IdStyle::Default => "", IdStyle::Tag => "tag", IdStyle::Name => "name" },
        before => minijinja::Value::from(Serde(&before)),
        has_convertors => drafted.iter().any(Drafted::has_convertors),
        has_layers => !layers.lines.is_empty(),
        layers => minijinja::Value::from(Serde(&layers)),
        has_dependencies => !dependencies.is_empty(),
        dependencies => dependencies.as_str(),
        about => about.as_ref().map(|about| minijinja::Value::from(Serde(about))),
        rows => table.lines(),
        counts => table.counts(),
        handlers => table.handlers(),
        has_tables => inspection.is_some_and(run::has_tables),
        title => comment(document.title),
        title_text => rust_text(document.title),
        version_text => rust_text(document.version),
        token_url_text => rust_text(&document.token_url),
        ..whole_values(&drafted, &models, &beside, about.as_ref().is_some_and(About::has_dialect))
    };
    let has_whole = table.handlers().is_some_and(|[whole, _]| whole > 0);
    let optional = [
        ("src/layers.rs", "draft/layers.rs", !layers.lines.is_empty()),
        ("src/dependencies.rs", "draft/dependencies.rs", !dependencies.is_empty()),
        ("src/rows.rs", "draft/rows.rs", has_whole),
        ("src/callers.rs", "draft/callers.rs", !beside.callers.is_empty()),
    ];
    let mut files = rendered(&values, optional)?;
    files.push(("openapi.json".to_owned(), source.text.clone()));
    files.push(("overlay.json".to_owned(), Overlay::default().to_text(document.title)));
    files.push(("draft.json".to_owned(), table.to_json(&looseness.pointers())));
    let (used, unused) = if has_whole { (tables, None) } else { (None, tables) };
    let of_tables = used.into_iter().flat_map(|tables| tables.files);
    files.extend(of_tables.map(|(path, text)| (format!("{TABLES}/{path}"), text)));
    Ok(Draft { files, table, tables: unused })
}

/// What the templates show of handlers that are whole, and of those that are not.
fn whole_values(
    drafted: &[Drafted],
    models: &indexmap::IndexMap<String, String>,
    beside: &Rows,
    has_dialect: bool,
) -> minijinja::Value {
    let bodies: String = drafted.iter().filter_map(Drafted::body).collect::<Vec<_>>().join("\n");
    let has_whole = !bodies.is_empty();
    let in_bodies = |name: &str| words(&bodies).any(|word| word == name);
    let callers = beside.callers.iter().map(whole::Caller::words).collect::<Vec<_>>().join(" ");
    let of_callers: BTreeSet<String> = words(&callers).map(str::to_owned).collect();
    let not_written = drafted.is_empty() || drafted.iter().any(|one| one.body().is_none());
    let named = models.keys().filter(|name| of_callers.contains(*name));
    context! {
        imports => methods(
            drafted,
            has_dialect,
            [not_written || in_bodies("HttpError"), !beside.callers.is_empty()],
        ),
        has_whole,
        has_not_written => not_written,
        uses_status => in_bodies("StatusCode"),
        uses_into_response => bodies.contains(".into_response()"),
        uses_new_uuid => bodies.contains("Uuid::new_v4()"),
        beside => minijinja::Value::from(Serde(beside)),
        caller_imports => imports(&of_callers),
        caller_models => named.cloned().collect::<Vec<_>>().join(", "),
        caller_needs_errors => of_callers.contains("HttpError"),
    }
}

/// The files that are filled in; those that are not always there are written if they are needed.
fn rendered(
    values: &minijinja::Value,
    optional: [(&'static str, &'static str, bool); 4],
) -> Result<Vec<(String, String)>, DraftError> {
    let templates = templates()?;
    let mut files = Vec::new();
    let optional = optional.into_iter().filter(|(_, _, is_needed)| *is_needed);
    let all = [
        ("README.md", "draft/README.md"),
        ("Cargo.toml", "draft/Cargo.toml"),
        ("clippy.toml", "draft/clippy.toml"),
        ("Dockerfile", "draft/Dockerfile"),
        ("src/lib.rs", "draft/lib.rs"),
        ("src/main.rs", "draft/main.rs"),
        ("src/models.rs", "draft/models.rs"),
        ("src/routes.rs", "draft/routes.rs"),
        ("tests/document.rs", "draft/document.rs"),
        ("plan.yaml", "draft/plan.yaml"),
        ("cases.yaml", "draft/cases.yaml"),
    ];
    let all = all.into_iter().chain(optional.map(|(path, template, _)| (path, template)));
    for (path, template) in all {
        let text = templates.get_template(template)?.render(values)?;
        // Nothing is written if it is no Rust.
        if Path::new(path).extension().is_some_and(|end| end == "rs")
            && let Err(error) = syn::parse_file(&text)
        {
            return Err(DraftError::Code { file: path, reason: error.to_string() });
        }
        files.push((path.to_owned(), text));
    }
    Ok(files)
}

/// Writes the handlers whose function is recognised, of operations that are native; gives for each
/// chosen operation whether it was, and what stands beside the handlers.
fn whole(
    inspection: Option<&Inspection>,
    tables: Option<&tables::Drafted>,
    models: &indexmap::IndexMap<String, String>,
    drafted: &mut [Drafted],
    chosen: &[&Operation<'_>],
    reasons: impl Fn(usize) -> Vec<String>,
) -> (Vec<Option<Handler>>, Rows) {
    let mut handlers = vec![None; chosen.len()];
    let Some(inspection) = inspection else { return (handlers, Rows::default()) };
    let models = Models::read(models);
    let schema = tables.map(|tables| tables.schema.as_slice()).unwrap_or_default();
    let mut writer = Writer::new(inspection, &models, schema);
    for one in drafted.iter_mut() {
        let Some(route) = chosen[one.index()].route else { continue };
        let written = if reasons(one.index()).is_empty() {
            one.written(&mut writer, route)
        } else {
            Err("what it takes is loose".to_owned())
        };
        handlers[one.index()] = Some(match written {
            Ok(whole) => {
                one.fill(whole);
                Handler::Whole
            }
            Err(reason) => Handler::PassedOn(reason),
        });
    }
    let bodies: Vec<&str> = drafted.iter().filter_map(Drafted::body).collect();
    (handlers, writer.finish(&bodies.join("\n")))
}

/// What the handlers' attributes are called, with what else is imported beside them.
fn methods(drafted: &[Drafted], has_dialect: bool, [has_errors, has_callers]: [bool; 2]) -> String {
    let mut names: BTreeSet<&str> = drafted.iter().map(Drafted::method).collect();
    names.extend(["Router", "routes"]);
    if has_errors {
        names.insert("HttpError");
    }
    if has_callers {
        names.insert("Depends");
    }
    if has_dialect {
        names.extend(["Dialect", "UnsupportedRelease"]);
    }
    names.into_iter().collect::<Vec<_>>().join(", ")
}
