//! What the templates of a crate for tables are filled with.

use std::collections::BTreeSet;

use minijinja::context;
use minijinja::value::Serde;
use serde::Serialize;

use super::entities::{Entity, Enum, Field};
use super::metadata::Metadata;
use super::methods::{Method, of_table};
use super::names::{TYPES, Taken, doc, type_name};
use super::schema::TableOf;
use super::selects::{self, Select};
use super::types::IMPORTS;
use super::{Drafted, TablesError, relationships};
use crate::templates;

macro_rules! embedded {
    ($($name:literal)*) => {
        [$(($name, include_str!(concat!("../../templates/", $name, ".j2")))),*]
    };
}

const TEMPLATES: [(&str, &str); 7] = embedded!(
    "tables/Cargo.toml" "tables/domain.rs" "tables/entity.rs" "tables/enumerations.rs"
    "tables/lib.rs" "tables/postgres.rs" "tables/postgres_entity.rs"
);

#[derive(Debug, Serialize)]
struct EntityView {
    table: String,
    doc: String,
    #[serde(rename = "type")]
    type_: String,
    plural: String,
    /// The trait.
    port: String,
    /// The public names of its module.
    names: Vec<String>,
    /// What its module imports from other crates.
    imports: Vec<String>,
    /// What it imports from modules beside it.
    siblings: Vec<String>,
    imports_of_arguments: Vec<String>,
    /// What the statements import from the domain.
    used: Vec<String>,
    macros: Vec<&'static str>,
    fields: Vec<FieldView>,
    inserted: Vec<FieldView>,
    changes: Vec<FieldView>,
    methods: Vec<Method>,
}

#[derive(Debug, Serialize)]
struct FieldView {
    doc: String,
    name: String,
    #[serde(rename = "type")]
    type_: String,
}

#[derive(Debug, Serialize)]
struct EnumView {
    #[serde(rename = "type")]
    type_: String,
    /// A literal of Rust.
    sql: String,
    variants: Vec<VariantView>,
}

#[derive(Debug, Serialize)]
struct VariantView {
    name: String,
    value: String,
}

/// The crate without its migrations.
pub(super) fn files(
    all: &[Metadata],
    enums: &[Enum],
    entities: &[Entity<'_>],
    wanted: &[Select],
    [name, app]: [&str; 2],
) -> Result<Drafted, TablesError> {
    let mut drafted = Drafted::default();
    let mut functions = Taken::default();
    let mut types = Taken::of(&TYPES);
    for name in entities.iter().map(|entity| &entity.type_).chain(enums.iter().map(|e| &e.type_)) {
        types.take(name);
    }
    for name in ["Storage", "BoxError"] {
        types.take(name);
    }
    // The functions of all tables before those of relationships, which give way.
    let mut methods: Vec<Vec<Method>> =
        entities.iter().map(|entity| of_table(entity, &mut functions)).collect();
    for (entity, methods) in entities.iter().zip(&mut methods) {
        let (more, left_out) = relationships::methods(all, entities, entity, &mut functions);
        methods.extend(more);
        drafted.remarks.extend(left_out);
    }
    let mut read: Vec<Vec<(Select, String)>> = Vec::new();
    for (entity, methods) in entities.iter().zip(&mut methods) {
        read.push(selects::add(entity, wanted, &mut functions, methods));
    }
    drafted.functions = methods.iter().map(Vec::len).sum();
    let statements: Vec<_> =
        methods.iter().flatten().map(|method| method.prepared.file(enums)).collect();
    // All or none: sqlx wants a database for one that is missing.
    drafted.files.extend(statements.into_iter().collect::<Option<Vec<_>>>().unwrap_or_default());
    let views: Vec<EntityView> = entities
        .iter()
        .zip(methods)
        .map(|(entity, methods)| {
            let port = types.take(&type_name(&entity.plural));
            EntityView::new(entity, enums, port, methods)
        })
        .collect();
    let known = entities.iter().zip(read);
    drafted.schema = known.map(|(entity, read)| TableOf::new(entity, enums, read)).collect();
    let enums: Vec<EnumView> = enums.iter().map(EnumView::new).collect();
    let imports: BTreeSet<&str> =
        views.iter().flat_map(|view| view.imports.iter().map(String::as_str)).collect();
    let uses = |name: &str| imports.iter().any(|line| line.starts_with(name));
    let mut templates = templates()?;
    for (name, text) in TEMPLATES {
        templates.add_template(name, text)?;
    }
    let mut file = |path: String, template: &str, values: minijinja::Value| {
        let text = templates.get_template(&format!("tables/{template}"))?.render(values)?;
        drafted.files.push((path, text));
        Ok::<(), minijinja::Error>(())
    };
    let uses = context! {
        chrono => uses("chrono"),
        rust_decimal => uses("rust_decimal"),
        serde_json => uses("serde_json"),
        uuid => uses("uuid"),
    };
    let all = context! {
        name, app, uses,
        enums => minijinja::Value::from(Serde(&enums)),
        entities => minijinja::Value::from(Serde(&views)),
    };
    file("Cargo.toml".into(), "Cargo.toml", all.clone())?;
    file("src/lib.rs".into(), "lib.rs", all.clone())?;
    file("src/domain/mod.rs".into(), "domain.rs", all.clone())?;
    file("src/postgres/mod.rs".into(), "postgres.rs", all.clone())?;
    if !enums.is_empty() {
        file("src/domain/enumerations.rs".into(), "enumerations.rs", all)?;
    }
    for view in &views {
        let entity = || context! { entity => minijinja::Value::from(Serde(view)) };
        file(format!("src/domain/{}.rs", view.plural), "entity.rs", entity())?;
        file(format!("src/postgres/{}.rs", view.plural), "postgres_entity.rs", entity())?;
    }
    Ok(drafted)
}

impl EntityView {
    fn new(entity: &Entity<'_>, enums: &[Enum], port: String, methods: Vec<Method>) -> Self {
        let type_ = &entity.type_;
        let inserted: Vec<FieldView> = entity
            .inserted()
            .map(|field| FieldView::new(field, field.new_type(), &field.default_notes()))
            .collect();
        let changes: Vec<FieldView> = if entity.key().is_empty() {
            Vec::new()
        } else {
            let changes = entity.changeable();
            changes
                .map(|field| FieldView::new(field, field.change_type(), &field.change_notes()))
                .collect()
        };
        let fields: Vec<FieldView> =
            entity.fields.iter().map(|field| FieldView::new(field, field.type_(), &[])).collect();
        let mut names = vec![port.clone(), type_.clone()];
        names.extend((!inserted.is_empty()).then(|| format!("New{type_}")));
        names.extend((!changes.is_empty()).then(|| format!("{type_}Changes")));
        names.sort();
        let signatures: Vec<&str> = methods
            .iter()
            .flat_map(|method| [method.arguments.as_str(), method.returns.as_str()])
            .collect();
        let signatures = signatures.join(" ");
        let types: String = fields.iter().map(|field| field.type_.clone() + " ").collect();
        let own = |text: &str| -> BTreeSet<String> {
            let own = enums.iter().filter(|known| has_word(text, &known.type_));
            own.map(|known| known.type_.clone()).collect()
        };
        let other = |text: &str| -> BTreeSet<String> {
            let uses = methods.iter().flat_map(|method| &method.uses);
            uses.filter(|used| *used != type_ && has_word(text, used)).cloned().collect()
        };
        let bodies: String = methods.iter().map(|method| method.body.clone() + " ").collect();
        let mut siblings = own(&format!("{types} {signatures}"));
        siblings.extend(other(&signatures));
        siblings.extend(["Page".to_owned(), "StorageError".to_owned()]);
        let mut used: BTreeSet<String> = names.iter().cloned().collect();
        used.extend(own(&format!("{bodies} {signatures}")));
        used.extend(other(&signatures));
        used.extend(["Page".to_owned(), "StorageError".to_owned()]);
        let has = |name: &str| bodies.contains(&format!("{name}!("));
        Self {
            table: entity.sql.clone(),
            doc: doc(entity.table.comment.as_deref(), ""),
            type_: type_.clone(),
            plural: entity.plural.clone(),
            port,
            names,
            imports: imports(&format!("{types} {signatures}")),
            siblings: siblings.into_iter().collect(),
            imports_of_arguments: imports(&format!("{signatures} {bodies}")),
            used: used.into_iter().collect(),
            macros: ["query", "query_as", "query_scalar"].into_iter().filter(|n| has(n)).collect(),
            fields,
            inserted,
            changes,
            methods,
        }
    }
}

impl FieldView {
    fn new(field: &Field<'_>, type_: String, notes: &[String]) -> Self {
        let notes = [field.notes(), notes.to_vec()].concat().join("\n");
        Self { doc: doc(Some(&notes), "    "), name: field.ident.clone(), type_ }
    }
}

impl EnumView {
    fn new(known: &Enum) -> Self {
        let variants = known
            .variants
            .iter()
            .map(|(name, value)| VariantView { name: name.clone(), value: format!("{value:?}") });
        let (type_, sql) = (known.type_.clone(), format!("{:?}", known.sql()));
        Self { type_, sql, variants: variants.collect() }
    }
}

/// The lines that import what a text of Rust names.
fn imports(text: &str) -> Vec<String> {
    let is_used = |name: &str| match name.split_once('<') {
        Some((name, _)) => has_word(text, name),
        None => has_word(text, name),
    };
    let mut lines: Vec<String> = IMPORTS
        .iter()
        .filter(|(name, _)| is_used(name))
        .map(|(_, line)| (*line).to_owned())
        .collect();
    lines.sort();
    lines
}

fn has_word(text: &str, word: &str) -> bool {
    text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_').any(|other| other == word)
}
