//! A whole slice for a new resource: every layer, both databases, tests, cases and the Python counterpart.

mod fields;
mod names;
mod python;
mod rust;
mod samples;
mod view;

use minijinja::value::Serde;
use minijinja::{Environment, context};
use serde_json::{Map, Value};

pub use fields::{FieldError, KINDS};

use crate::templates;
use crate::tree::{Tree, TreeError};
use fields::{Field, Kind};
use names::Names;
pub(crate) use names::quoted;
use view::View;

/// What resource is to be written.
#[derive(clap::Args, Debug)]
pub struct ResourceArgs {
    /// The plural, as files and the table of contents will call it: `orders`, `order_lines`
    name: String,
    /// What belongs to it besides id, owner and time: NAME:TYPE, with `?` for what may be null
    #[arg(required = true, value_name = "FIELD")]
    fields: Vec<String>,
    /// The singular, where removing an -s is not enough
    #[arg(long)]
    singular: Option<String>,
}

/// Why a resource cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum ResourceError {
    #[error("{0}")]
    Name(String),
    #[error("{0}")]
    Field(#[from] FieldError),
    #[error("two fields are called `{0}`")]
    Twice(String),
    #[error("`{name}` is there already: {path} names a {type_name}")]
    Taken { name: String, path: &'static str, type_name: String },
    #[error(transparent)]
    Tree(#[from] TreeError),
    #[error("a template is broken: {0}")]
    Template(#[from] minijinja::Error),
}

/// Writes what is missing of the resource into the tree.
pub fn write(tree: &mut Tree, args: &ResourceArgs) -> Result<(), ResourceError> {
    let names = Names::new(&args.name, args.singular.as_deref()).map_err(ResourceError::Name)?;
    let mut fields = Vec::new();
    for text in args.fields.iter().flat_map(|text| text.split_whitespace()) {
        let field: Field = text.parse()?;
        if fields.iter().any(|other: &Field| other.name == field.name) {
            return Err(ResourceError::Twice(field.name));
        }
        fields.push(field);
    }
    nothing_else_is_called_so(tree, &names)?;
    let slice = Slice { fields: &fields, names: &names, templates: templates()? };
    rust::write(tree, &slice)?;
    if tree.has("python-legacy") {
        python::write(tree, &slice)?;
    }
    Ok(())
}

/// A type of the domain that another file made would be in the way.
fn nothing_else_is_called_so(tree: &Tree, names: &Names) -> Result<(), ResourceError> {
    let file = format!("crates/domain/src/{}.rs", names.plural);
    let ours = format!("struct New{} ", names.type_);
    if tree.has(&file) && !tree.read(&file)?.contains(&ours) {
        let (name, type_name) = (names.plural.clone(), names.type_.clone());
        return Err(ResourceError::Taken { name, path: "crates/domain/src", type_name });
    }
    let path = "crates/domain/src/lib.rs";
    let own = format!("pub use {}::", names.plural);
    for item in tree.read(path)?.split(';').filter(|item| !item.trim_start().starts_with(&own)) {
        let mut words = item.split(|c: char| !c.is_ascii_alphanumeric());
        if let Some(word) = words.find(|word| [&*names.type_, &*names.types].contains(word)) {
            let (name, type_name) = (names.plural.clone(), word.to_owned());
            return Err(ResourceError::Taken { name, path, type_name });
        }
    }
    Ok(())
}

/// What the templates are filled with.
struct Slice<'a> {
    names: &'a Names,
    fields: &'a [Field],
    templates: Environment<'static>,
}

impl Slice<'_> {
    fn has(&self, is_it: impl Fn(&Kind) -> bool) -> bool {
        self.fields.iter().any(|field| is_it(&field.kind))
    }

    fn has_decimal(&self) -> bool {
        self.has(|kind| matches!(kind, Kind::Decimal { .. }))
    }

    fn render(&self, template: &str, more: minijinja::Value) -> Result<String, minijinja::Error> {
        let names = self.names;
        let fields = View::all(self.fields, &names.singular);
        let (nullable, required): (Vec<&View>, Vec<&View>) =
            fields.iter().partition(|field| field.nullable);
        let sample =
            object(self.fields.iter().map(|field| (field, field.samples()[0].to_string())));
        let found = |column: &str, name: &str| format!("found.{column} AS \"{name}?\"");
        let mut selected = vec![found("id", "id")];
        selected.extend(fields.iter().map(|field| found(&field.column, &field.name)));
        selected.extend(["owner_id", "created_at"].map(|name| found(name, name)));
        let mut inserted = ["id", "owner_id", "created_at"].map(str::to_owned).to_vec();
        inserted.extend(fields.iter().map(|field| field.column.clone()));
        let has = context! {
            date => self.has(|kind| *kind == Kind::Date),
            decimal => self.has_decimal(),
        };
        // SQLite's rows have other types than the domain where the value may be null, or is a decimal.
        let needs_row = self.fields.iter().any(|field| {
            matches!(field.kind, Kind::Decimal { .. })
                || (field.kind == Kind::Uuid && field.nullable)
        });
        let text =
            self.templates.get_template(&format!("resource/{template}"))?.render(context! {
                has, needs_row, sample,
            selected,
            inserted,
                fields => minijinja::Value::from(Serde(&fields)),
                nullable => minijinja::Value::from(Serde(&nullable)),
                required => minijinja::Value::from(Serde(&required)),
                plural => names.plural.as_str(),
                singular => names.singular.as_str(),
                table => quoted(&names.singular),
                Type => names.type_.as_str(),
                Types => names.types.as_str(),
                path => names.path.as_str(),
                word => names.word.as_str(),
                Word => capital(&names.word),
                words => names.words.as_str(),
                Words => capital(&names.words),
                article => names.article,
                Article => capital(names.article),
                ..more
            })?;
        Ok(text)
    }
}

fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

/// A JSON object of fields, whose values may hold what only cases understand.
fn object<'a>(values: impl IntoIterator<Item = (&'a Field, String)>) -> String {
    let entries = values.into_iter().map(|(field, value)| format!("\"{}\": {value}", field.name));
    format!("{{{}}}", entries.collect::<Vec<_>>().join(", "))
}

/// What a response shows after a request gave `values`.
fn shown(fields: &[Field], which: usize) -> Value {
    let values = fields.iter().map(|field| (field.name.clone(), field.samples()[which].clone()));
    Value::Object(values.collect::<Map<_, _>>())
}
