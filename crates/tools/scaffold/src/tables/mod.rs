//! `scaffold tables`: migrations, rows, ports and checked statements for the tables of an application.

mod entities;
mod metadata;
mod methods;
mod migrations;
mod names;
mod prepared;
mod relationships;
mod schema;
mod selects;
mod statements;
mod types;
mod view;

use std::path::{Path, PathBuf};

use clap::Args;
use heck::ToKebabCase;
use serde::Deserialize;
use serde_json::Value;

use crate::inspect::{Application, InspectError, inspect};
use metadata::Metadata;
pub(crate) use schema::{ColumnOf, TableOf};

/// The arguments of `scaffold tables`.
#[derive(Args, Debug)]
pub struct TablesArgs {
    #[command(flatten)]
    application: Option<Application>,
    /// What `scaffold inspect` wrote, instead of an application
    #[arg(long, value_name = "FILE", conflicts_with = "app", required_unless_present = "app")]
    inspection: Option<PathBuf>,
    /// The new crate's folder
    #[arg(long, value_name = "FOLDER")]
    into: PathBuf,
    /// The new crate's name; else that of its folder
    #[arg(long)]
    name: Option<String>,
}

/// Why tables cannot be drafted.
#[derive(Debug, thiserror::Error)]
pub enum TablesError {
    #[error(transparent)]
    Inspect(#[from] InspectError),
    #[error("{path}: {source}")]
    File { path: PathBuf, source: std::io::Error },
    #[error("{path} is not empty: name another folder with --into, or remove it")]
    Occupied { path: PathBuf },
    #[error(
        "no table was found: name the metadata with --metadata, like app.db:Base.metadata, if the \
         application does not import its models"
    )]
    None,
    #[error("this is no JSON of this version's `scaffold inspect`: {0}")]
    Format(#[from] serde_json::Error),
    #[error("rustfmt refuses what was drafted: a table or column has a name that was not expected")]
    Code,
    #[error(transparent)]
    Template(#[from] minijinja::Error),
}

/// The files of a draft, and what they leave out.
#[derive(Debug, Default)]
pub struct Drafted {
    /// Paths below the crate's folder, and their texts.
    pub files: Vec<(String, String)>,
    pub remarks: Vec<String>,
    pub tables: usize,
    pub functions: usize,
    pub(crate) schema: Vec<TableOf>,
}

/// Writes the crate; gives what is to be printed.
pub fn run(args: &TablesArgs) -> Result<String, TablesError> {
    let found = match (&args.inspection, &args.application) {
        (Some(path), _) => {
            let failed = |source| TablesError::File { path: path.clone(), source };
            serde_json::from_str(&std::fs::read_to_string(path).map_err(failed)?)?
        }
        (None, Some(application)) => inspect(application)?,
        (None, None) => return Err(TablesError::None),
    };
    let into = &args.into;
    if std::fs::read_dir(into).is_ok_and(|mut files| files.next().is_some()) {
        return Err(TablesError::Occupied { path: into.clone() });
    }
    let folder = into.file_name().map(|name| name.to_string_lossy().into_owned());
    let name = args.name.clone().or(folder).unwrap_or_else(|| "tables".to_owned());
    let drafted = draft(&found, &name.to_kebab_case())?;
    write(into, &drafted)?;
    Ok(report(into, &drafted))
}

/// Drafts the crate `name` for all tables of an inspection.
///
/// Fails if there is no table, or if the JSON is not the inspector's.
pub fn draft(inspection: &Value, name: &str) -> Result<Drafted, TablesError> {
    let all = Vec::<Metadata>::deserialize(&inspection["metadata"])?;
    let app = inspection["app"].as_str().unwrap_or("the application");
    let (enums, entities) = entities::entities(&all);
    if entities.is_empty() {
        return Err(TablesError::None);
    }
    let wanted = selects::wanted(inspection);
    let mut drafted = view::files(&all, &enums, &entities, &wanted, [name, app])?;
    let remarks = inspection["remarks"].as_array().into_iter().flatten();
    drafted.remarks.extend(remarks.map(|remark| {
        let part = |name: &str| remark[name].as_str().unwrap_or_default().to_owned();
        format!("{}: {}", part("about"), part("what"))
    }));
    drafted.files.push(("migrations/postgres/0001_tables.sql".into(), migrations::postgres(&all)));
    if let Some(sql) = migrations::sqlite(&all) {
        drafted.files.push(("migrations/sqlite/0001_tables.sql".into(), sql));
    }
    drafted.tables = entities.len();
    Ok(drafted)
}

/// Writes the files of a draft and formats them with `rustfmt`.
pub fn write(into: &Path, drafted: &Drafted) -> Result<(), TablesError> {
    let mut sources = Vec::new();
    for (name, text) in &drafted.files {
        let path = into.join(name);
        let failed = |source| TablesError::File { path: path.clone(), source };
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder).map_err(failed)?;
        }
        std::fs::write(&path, text).map_err(failed)?;
        if path.extension().is_some_and(|extension| extension == "rs") {
            sources.push(path);
        }
    }
    let mut rustfmt = std::process::Command::new("rustfmt");
    rustfmt.args(["--edition", "2024", "--config", "use_small_heuristics=Max"]).args(&sources);
    let path = PathBuf::from("rustfmt");
    let status = rustfmt.status().map_err(|source| TablesError::File { path, source })?;
    if status.success() { Ok(()) } else { Err(TablesError::Code) }
}

/// What is printed of a draft that was written.
pub(crate) fn report(into: &Path, drafted: &Drafted) -> String {
    let mut text = String::new();
    for remark in &drafted.remarks {
        text += &format!("  {remark}\n");
    }
    text += &format!(
        "{}: {} tables, {} functions.\n\
         Next, with DATABASE_URL of a PostgreSQL that the migrations may change:\n\
         \x20 sqlx migrate run --source {0}/migrations/postgres\n\
         \x20 cd {0} && SQLX_OFFLINE_DIR=.sqlx cargo check",
        into.display(),
        drafted.tables,
        drafted.functions
    );
    text
}
