//! A field in each language: Rust, SQL of both databases, Python.

mod columns;
mod python;
mod secret;
mod wire;

use indexmap::IndexMap;
use serde::Serialize;
use serde_json::Value;

use super::fields::{Field, Kind, Unique};
use super::names::{Names, quoted};
use super::samples;

#[derive(Clone, Serialize)]
#[expect(clippy::struct_excessive_bools, reason = "templates ask for each by its name")]
pub(super) struct View {
    pub(super) name: String,
    pub(super) nullable: bool,
    domain_type: String,
    /// What a request gives, what a change of it gives, and what an answer shows.
    given_type: String,
    bare_given_type: String,
    shown_type: String,
    constraints: String,
    /// `constraints`, and the default.
    given_rules: String,
    /// What it is at first, if no request gives it.
    initial: String,
    pub(super) is_given: bool,
    pub(super) is_shown: bool,
    /// Of the field in an answer.
    shown_attribute: &'static str,
    /// From what was given to the domain's type, from a `Patch` of it to a change, and from the domain's
    /// type to what is shown.
    given: String,
    changed: String,
    shown: String,
    rust_sample: String,
    rust_change: String,

    pub(super) column: String,
    sql_types: IndexMap<&'static str, String>,
    /// `name = coalesce($2, name)`, and what is bound there.
    assignment: String,
    postgres_value: String,
    postgres_changes: Vec<String>,
    /// The name of the column in a statement of PostgreSQL, where its type cannot be inferred.
    pub(super) postgres_alias: Option<String>,
    /// The type of that column.
    postgres_type: Option<String>,
    pub(super) from_postgres: String,
    sqlite_changes: Vec<String>,
    sqlite_type: String,
    sqlite_value: String,
    from_sqlite: String,

    json_shown: String,
    python_type: String,
    python_shown: String,
    python_input: String,
    python_column: String,
    /// What a request may leave out: ` = …`.
    python_default: String,
    alembic_type: String,
    index: Option<IndexView>,
    is_unique: bool,
    filter: FilterView,
    /// For an enum.
    enumeration: Option<EnumerationView>,
}

/// An index of a field, and the error of a value that is there already.
#[derive(Clone, Serialize)]
pub(super) struct IndexView {
    pub(super) name: String,
    columns: Vec<String>,
    sql_columns: Vec<String>,
    pub(super) is_unique: bool,
    /// As SQLite names what is not unique.
    pub(super) key: String,
    /// The variant of the API's error, and its text.
    pub(super) error: String,
    pub(super) message: String,
    /// What copies a value in Rust.
    clone: &'static str,
    /// Another value each time, in the tests of each language.
    rust_fresh: String,
    python_fresh: String,
}

/// A parameter that narrows a list.
#[derive(Clone, Serialize)]
struct FilterView {
    /// The domain's type, and the one of the parameter, where it may be left out.
    domain_type: String,
    given_type: String,
    /// From the parameter to the domain.
    given: String,
    postgres_type: &'static str,
    postgres_value: String,
    sqlite_value: String,
    /// The value of another row in Rust; `one` is the row.
    of_row: String,
    #[serde(skip)]
    is_testable: bool,
    /// The samples as parameters.
    samples: Vec<String>,
}

/// An enum in both languages.
#[derive(Clone, Serialize)]
pub(super) struct EnumerationView {
    pub(super) name: String,
    values: Vec<ValueView>,
}

#[derive(Clone, Serialize)]
struct ValueView {
    text: String,
    variant: String,
    member: String,
}

impl View {
    pub(super) fn all(fields: &[Field], names: &Names) -> Vec<Self> {
        let mut bound = 1; // the id
        let views = fields.iter().map(|field| {
            let first = bound + 1;
            bound += if field.nullable { 2 } else { 1 };
            Self::new(field, names, first)
        });
        views.collect()
    }

    /// Whether two samples differ, so that a test of a filter can tell rows apart.
    pub(super) fn is_testable(&self) -> bool {
        self.filter.is_testable
    }

    /// `first` is the first parameter that a change of this field binds.
    fn new(field: &Field, names: &Names, first: usize) -> Self {
        let Field { name, kind, nullable, .. } = field;
        let nullable = *nullable;
        let singular = &names.singular;
        let maybe = |bare: &str| {
            if nullable { format!("Option<{bare}>") } else { bare.to_owned() }
        };
        let enum_type = field.enum_type(names);
        let domain_type = wire::domain_type(kind, &enum_type);
        let wire = wire::Wire::new(kind, &enum_type);
        let [rust_sample, rust_change] = field.rust_samples(names);
        let column = quoted(name);
        let assignment = if nullable {
            format!("{column} = CASE WHEN ${first} THEN ${} ELSE {column} END", first + 1)
        } else {
            format!("{column} = coalesce(${first}, {column})")
        };
        let changes = |change: String| {
            let flag = nullable.then(|| format!("changes.{name}.is_some()"));
            flag.into_iter().chain([change]).collect()
        };
        let (postgres_change, sqlite_change) = columns::change(field, &enum_type);
        let stored = format!("{singular}.{name}");
        let bound = secret::exposed(field, &stored);
        let python = python::Python::new(field, &enum_type);
        let is_enum = matches!(kind, Kind::Enum(_));
        let alias = format!("{}Column", heck::AsUpperCamelCase(name));
        Self {
            name: name.clone(),
            nullable,
            domain_type: maybe(&field.wrapped_type(&domain_type)),
            given_type: maybe(&wire.given),
            shown_type: maybe(&wire.shown),
            given_rules: wire::rules(field, &enum_type),
            constraints: wire::constraints(field),
            initial: field.literal(&enum_type),
            is_given: !field.options.is_readonly,
            is_shown: !field.options.is_secret,
            shown_attribute: wire.shown_attribute,
            given: secret::wrapped(field, &wire.to_domain.of(&format!("new.{name}"), nullable)),
            changed: wire.changed(field),
            shown: wire.from_domain.of(&stored, nullable),
            rust_sample,
            rust_change,
            sql_types: columns::sql_types(kind),
            assignment,
            postgres_value: columns::in_postgres(kind, &bound, nullable, &enum_type),
            postgres_changes: changes(postgres_change),
            postgres_alias: is_enum.then(|| alias.clone()),
            postgres_type: is_enum.then(|| format!("type {alias} = Named<{enum_type}>;")),
            from_postgres: secret::wrapped(field, columns::from_postgres(kind, nullable)),
            sqlite_changes: changes(sqlite_change),
            sqlite_type: maybe(&columns::sqlite_type(kind, &domain_type)),
            sqlite_value: columns::in_sqlite(kind, &bound, nullable, &enum_type),
            from_sqlite: secret::wrapped(field, columns::from_sqlite(kind, nullable)),
            json_shown: match (&field.options.default, field.options.is_readonly) {
                (Some(default), true) => default.to_string(),
                (None, true) => "null".to_owned(),
                (_, false) => field.samples()[0].to_string(),
            },
            python_type: python.type_,
            python_shown: python.shown,
            python_input: python.input,
            python_column: python.column,
            python_default: match &field.options.default {
                Some(default) => format!(" = {}", python::literal(default, kind, &enum_type)),
                None if nullable => " | None = None".to_owned(),
                None => String::new(),
            },
            index: field.index(names),
            is_unique: field.options.unique.is_some(),
            filter: FilterView {
                domain_type: format!("Option<{domain_type}>"),
                given_type: format!("Option<{}>", wire.given),
                given: wire.to_domain.of(&format!("filter.{name}"), true),
                postgres_type: columns::bare_type(kind),
                postgres_value: columns::filter(kind, name, &enum_type).0,
                sqlite_value: columns::filter(kind, name, &enum_type).1,
                of_row: {
                    let copy = if matches!(kind, Kind::Text { .. }) { ".clone()" } else { "" };
                    let value = format!("one.{name}{copy}");
                    if nullable { value } else { format!("Some({value})") }
                },
                is_testable: {
                    let [one, other] = field.samples();
                    match &field.options.default {
                        Some(default) if field.options.is_readonly => *default != other,
                        None if field.options.is_readonly => false,
                        _ => one != other,
                    }
                },
                samples: field.samples().iter().map(parameter).collect(),
            },
            alembic_type: python.alembic,
            enumeration: field.enumeration(names),
            column,
            bare_given_type: wire.given,
        }
    }
}

/// A value in a query string.
fn parameter(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

impl Field {
    /// What an enum of this field is called in both languages.
    pub(super) fn enum_type(&self, names: &Names) -> String {
        format!("{}{}", names.type_, heck::AsUpperCamelCase(&self.name))
    }

    /// What a field that no request gives is at first, in the domain.
    fn literal(&self, enum_type: &str) -> String {
        let value = match &self.options.default {
            None => return "None".to_owned(),
            Some(Value::String(text)) => match &self.kind {
                Kind::Enum(_) => format!("{enum_type}::{}", super::fields::variant(text)),
                _ => format!("{}.to_owned()", crate::templates::rust_text(text)),
            },
            Some(value) => wire::number(value),
        };
        self.wrapped_value(value)
    }

    pub(super) fn index(&self, names: &Names) -> Option<IndexView> {
        let unique = self.options.unique;
        if unique.is_none() && !self.options.is_indexed {
            return None;
        }
        let of_owner = unique == Some(Unique::Owner);
        let owner = of_owner.then(|| "owner_id".to_owned());
        let columns: Vec<String> = owner.into_iter().chain([self.name.clone()]).collect();
        let (rust_fresh, python_fresh) = self.fresh();
        let which = self.name.replace('_', " ");
        Some(IndexView {
            name: format!("ix_{}_{}", names.singular, columns.join("_")),
            is_unique: unique.is_some(),
            key: columns.join("_"),
            error: format!("{}{}Taken", names.type_, heck::AsUpperCamelCase(&self.name)),
            message: format!("{} with this {which} already exists", super::capital(&names.word)),
            sql_columns: columns.iter().map(|column| quoted(column)).collect(),
            columns,
            clone: match self.kind {
                Kind::Uuid | Kind::Integer { .. } if !self.options.is_secret => "",
                _ => ".clone()",
            },
            rust_fresh,
            python_fresh,
        })
    }

    /// Expressions of Rust and Python that give another value each time.
    fn fresh(&self) -> (String, String) {
        let (rust, python) = match &self.kind {
            Kind::Uuid => ("Uuid::new_v4()".to_owned(), "str(uuid.uuid4())".to_owned()),
            Kind::Email => (
                r#"format!("{}@example.com", Uuid::new_v4().simple())"#.to_owned(),
                r#"f"{uuid.uuid4().hex}@example.com""#.to_owned(),
            ),
            Kind::Integer { min, .. } => {
                let from = match min {
                    0 => String::new(),
                    min => format!("{} + ", samples::grouped(*min, "_i64")),
                };
                (
                    format!("{from}i64::from(Uuid::new_v4().as_fields().0 / 4)"),
                    format!("{min} + uuid.uuid4().int % 10**9"),
                )
            }
            _ => ("Uuid::new_v4().simple().to_string()".to_owned(), "uuid.uuid4().hex".to_owned()),
        };
        let rust = self.wrapped_value(rust);
        (if self.nullable { format!("Some({rust})") } else { rust }, python)
    }

    pub(super) fn enumeration(&self, names: &Names) -> Option<EnumerationView> {
        let Kind::Enum(enumeration) = &self.kind else {
            return None;
        };
        let values = enumeration.values().iter().map(|text| ValueView {
            text: text.clone(),
            variant: super::fields::variant(text),
            member: super::fields::member(text),
        });
        Some(EnumerationView { name: self.enum_type(names), values: values.collect() })
    }
}
