//! A whole slice for a new resource: every layer, both databases, tests, cases and the Python counterpart.

mod clashes;
mod fields;
mod names;
mod python;
mod rust;
mod samples;
mod view;

use minijinja::value::Serde;
use minijinja::{Environment, context};

pub use fields::{FieldError, KINDS, OPTIONS};

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
    /// What belongs to it besides id, owner and time: NAME:TYPE, with `?` for what may be null, and options:
    /// `code:string(3..3):pattern='^[A-Z]+$':sample=ABC|XYZ:unique(owner)`
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
    #[error("all fields are readonly: requests have nothing to give")]
    NothingGiven,
    #[error("`{name}` is there already: {path} names a {type_name}")]
    Taken { name: String, path: String, type_name: String },
    #[error(
        "field `{field}`: its enum would be called `{type_name}`, which means something else: choose \
         another name"
    )]
    Enum { field: String, type_name: String },
    #[error(
        "the index `{0}` has more than the 63 characters that PostgreSQL keeps: choose a shorter name"
    )]
    Index(String),
    #[error(
        "`{name}` is there in part: {} {} there, {} {} not. Restore what is missing, or remove what is \
         there, and run this again; nothing was changed",
        .there.join(", "), is_or_are(.there), .missing.join(", "), is_or_are(.missing)
    )]
    Partial { name: String, there: Vec<String>, missing: Vec<String> },
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
    if fields.iter().all(|field| field.options.is_readonly) {
        return Err(ResourceError::NothingGiven);
    }
    let slice = Slice { fields: &fields, names: &names, templates: templates()? };
    clashes::check(tree, &slice)?;
    rust::write(tree, &slice)?;
    if tree.has("python-legacy") {
        python::write(tree, &slice)?;
    }
    Ok(())
}

fn is_or_are(files: &[String]) -> &'static str {
    if files.len() == 1 { "is" } else { "are" }
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

    fn has_enum(&self) -> bool {
        self.has(|kind| matches!(kind, Kind::Enum(_)))
    }

    /// Whether a type of a request is one of the service's own.
    fn has_own_type(&self) -> bool {
        let (given, shown) = self.kinds();
        let is_given = |kind: &&Kind| matches!(kind, Kind::DateTime | Kind::Time | Kind::Duration);
        given.iter().any(is_given)
            || shown.iter().any(|kind| matches!(kind, Kind::Email | Kind::Url))
    }

    /// What requests give, and what answers show.
    fn kinds(&self) -> (Vec<&Kind>, Vec<&Kind>) {
        let shown = self.fields.iter().filter(|field| !field.options.is_secret);
        (self.given().map(|field| &field.kind).collect(), shown.map(|field| &field.kind).collect())
    }

    /// What requests may give.
    fn given(&self) -> impl Iterator<Item = &Field> {
        self.fields.iter().filter(|field| !field.options.is_readonly)
    }

    fn indexes(&self) -> Vec<view::IndexView> {
        self.fields.iter().filter_map(|field| field.index(self.names)).collect()
    }

    /// The fields that narrow lists.
    fn filters<'a>(&self, views: &'a [View]) -> Vec<&'a View> {
        let both = self.fields.iter().zip(views);
        both.filter(|(field, _)| field.options.is_filter).map(|(_, view)| view).collect()
    }

    /// The fields whose values are there once.
    fn uniques<'a>(&self, views: &'a [View]) -> Vec<&'a View> {
        let both = self.fields.iter().zip(views);
        both.filter(|(field, _)| field.options.unique.is_some()).map(|(_, view)| view).collect()
    }

    fn has_secret(&self) -> bool {
        self.fields.iter().any(|field| field.options.is_secret)
    }

    /// The enums of the domain.
    fn enum_types(&self) -> Vec<String> {
        let fields = self.fields.iter().filter(|field| matches!(field.kind, Kind::Enum(_)));
        fields.map(|field| field.enum_type(self.names)).collect()
    }

    fn render(&self, template: &str, more: minijinja::Value) -> Result<String, minijinja::Error> {
        let names = self.names;
        let fields = View::all(self.fields, names);
        let (nullable, required): (Vec<&View>, Vec<&View>) =
            fields.iter().partition(|field| field.nullable);
        let given: Vec<&View> = fields.iter().filter(|field| field.is_given).collect();
        let shown: Vec<&View> = fields.iter().filter(|field| field.is_shown).collect();
        let filters = self.filters(&fields);
        let testable: Vec<&&View> = filters.iter().filter(|view| view.is_testable()).collect();
        let clearable: Vec<&&View> = given.iter().filter(|field| field.nullable).collect();
        let sample = object(self.given().map(|field| (field, field.sample(0).to_string())));
        let found = |column: &str, name: &str| format!("found.{column} AS \"{name}?\"");
        let mut selected = vec![found("id", "id")];
        selected.extend(fields.iter().map(|field| match &field.postgres_alias {
            Some(alias) => format!("found.{} AS \"{}?: {alias}\"", field.column, field.name),
            None => found(&field.column, &field.name),
        }));
        selected.extend(["owner_id", "created_at"].map(|name| found(name, name)));
        let mut returned = ["id", "owner_id", "created_at"].map(str::to_owned).to_vec();
        returned.extend(fields.iter().map(|field| match &field.postgres_alias {
            Some(alias) => format!("{} AS \"{}: {alias}\"", field.column, field.name),
            None => field.column.clone(),
        }));
        let mut inserted = ["id", "owner_id", "created_at"].map(str::to_owned).to_vec();
        inserted.extend(fields.iter().map(|field| field.column.clone()));
        let has = context! {
            date => self.has(|kind| *kind == Kind::Date),
            decimal => self.has_decimal(),
            datetime => self.has(|kind| *kind == Kind::DateTime),
            time => self.has(|kind| *kind == Kind::Time),
            duration => self.has(|kind| *kind == Kind::Duration),
            secret => self.has_secret(),
            given_secret => self.given().any(|field| field.options.is_secret),
            // Whether rows have other types than the domain.
            mapped => fields.iter().any(|field| field.from_postgres != "{}"),
        };
        let (given_kinds, shown_kinds) = self.kinds();
        let is_given = |kind: &Kind| given_kinds.contains(&kind);
        let is_shown = |kind: &Kind| shown_kinds.contains(&kind);
        let is_spoken = |kind: &Kind| is_given(kind) || is_shown(kind);
        let both = given_kinds.iter().chain(&shown_kinds);
        // What the routes import.
        let api = context! {
            bytes => is_spoken(&Kind::Bytes),
            date => is_spoken(&Kind::Date),
            decimal => both.into_iter().any(|kind| matches!(kind, Kind::Decimal { .. })),
            duration => is_shown(&Kind::Duration),
            email => is_given(&Kind::Email),
            local_time => is_given(&Kind::Time),
            moment => is_given(&Kind::DateTime),
            span => is_given(&Kind::Duration),
            stored_email => is_shown(&Kind::Email),
            stored_url => is_shown(&Kind::Url),
            time => is_shown(&Kind::Time),
            url => is_given(&Kind::Url),
        };
        // SQLite's rows have other types than the domain where a uuid may be null, or the value is a
        // decimal, a duration, of an enum or secret.
        let needs_row = self.fields.iter().any(|field| {
            field.options.is_secret
                || matches!(field.kind, Kind::Decimal { .. } | Kind::Enum(_) | Kind::Duration)
                || (field.kind == Kind::Uuid && field.nullable)
        });
        let text =
            self.templates.get_template(&format!("resource/{template}"))?.render(context! {
                api, has, needs_row, sample, selected, returned, inserted,
                enum_types => self.enum_types(),
                fields => minijinja::Value::from(Serde(&fields)),
                given => minijinja::Value::from(Serde(&given)),
                shown => minijinja::Value::from(Serde(&shown)),
                filters => minijinja::Value::from(Serde(&filters)),
                testable => minijinja::Value::from(Serde(&testable)),
                clearable => minijinja::Value::from(Serde(&clearable)),
                indexes => minijinja::Value::from(Serde(&self.indexes())),
                uniques => minijinja::Value::from(Serde(&self.uniques(&fields))),
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
