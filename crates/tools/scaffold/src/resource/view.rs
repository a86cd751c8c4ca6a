//! A field in each language: Rust, SQL of both databases, Python.

use indexmap::IndexMap;
use serde::Serialize;

use super::fields::{Field, Kind};
use super::names::quoted;
use super::samples::grouped;

#[derive(Clone, Serialize)]
pub(super) struct View {
    pub(super) name: String,
    pub(super) nullable: bool,
    domain_type: String,
    wire_type: String,
    bare_wire_type: String,
    constraints: String,
    /// From the type of the wire to the domain's, and back.
    convert: &'static str,
    /// From a `Patch` of the wire's type to a change of the domain's.
    changed: &'static str,
    rust_sample: String,
    rust_change: String,

    pub(super) column: String,
    sql_types: IndexMap<&'static str, String>,
    /// `name = coalesce($2, name)`, and what is bound there.
    assignment: String,
    postgres_changes: Vec<String>,
    sqlite_changes: Vec<String>,
    sqlite_type: String,
    sqlite_value: String,
    from_sqlite: &'static str,

    json_shown: String,
    python_type: &'static str,
    python_input: String,
    python_column: String,
    alembic_type: String,
}

impl View {
    pub(super) fn all(fields: &[Field], singular: &str) -> Vec<Self> {
        let mut bound = 1; // the id
        let views = fields.iter().map(|field| {
            let first = bound + 1;
            bound += if field.nullable { 2 } else { 1 };
            Self::new(field, singular, first)
        });
        views.collect()
    }

    /// `first` is the first parameter that a change of this field binds.
    fn new(field: &Field, singular: &str, first: usize) -> Self {
        let Field { name, kind, nullable } = field;
        let nullable = *nullable;
        let maybe = |bare: &str| if nullable { format!("Option<{bare}>") } else { bare.to_owned() };
        let (domain_type, bare_wire_type) = rust_types(kind);
        let converts = domain_type != bare_wire_type;
        let [rust_sample, rust_change] = field.rust_samples();
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
        let (postgres_change, sqlite_change) = change(field);
        let (python_type, python_input, python_column, alembic_type) = python(kind, nullable);
        Self {
            name: name.clone(),
            nullable,
            domain_type: maybe(domain_type),
            wire_type: maybe(&bare_wire_type),
            constraints: constraints(kind),
            convert: match (converts, nullable) {
                (false, _) => "",
                (true, false) => ".into()",
                (true, true) => ".map(Into::into)",
            },
            changed: match (converts, nullable) {
                (false, false) => ".value()",
                (false, true) => ".nullable()",
                (true, false) => ".value().map(Into::into)",
                (true, true) => ".nullable().map(|value| value.map(Into::into))",
            },
            rust_sample,
            rust_change,
            sql_types: sql_types(kind),
            assignment,
            postgres_changes: changes(postgres_change),
            sqlite_changes: changes(sqlite_change),
            sqlite_type: maybe(match kind {
                Kind::Decimal { .. } => "Numeric",
                Kind::Uuid => "Simple",
                _ => domain_type,
            }),
            sqlite_value: in_sqlite(field, format!("{singular}.{name}"), nullable),
            from_sqlite: match (kind, nullable) {
                (Kind::Decimal { .. } | Kind::Uuid, false) => ".into()",
                (Kind::Decimal { .. } | Kind::Uuid, true) => ".map(Into::into)",
                _ => "",
            },
            json_shown: field.samples()[0].to_string(),
            python_type,
            python_input,
            python_column,
            alembic_type,
            column,
            bare_wire_type,
        }
    }
}

/// The domain's type, and the one that speaks to clients.
fn rust_types(kind: &Kind) -> (&'static str, String) {
    match kind {
        Kind::Text { .. } => ("String", "String".into()),
        Kind::Integer { .. } => ("i64", "i64".into()),
        Kind::Decimal { places, .. } => ("Decimal", format!("Numeric<{places}>")),
        Kind::Boolean => ("bool", "bool".into()),
        Kind::Uuid => ("Uuid", "Uuid".into()),
        Kind::Date => ("NaiveDate", "Date".into()),
    }
}

fn constraints(kind: &Kind) -> String {
    match *kind {
        Kind::Text { min: 0, max } => format!("max_length = {0}, storable = {0}", length(max)),
        Kind::Text { min, max } => {
            format!("min_length = {}, max_length = {1}, storable = {1}", length(min), length(max))
        }
        Kind::Integer { min, max } => {
            format!("ge = {}, le = {}", grouped(min, "_i64"), grouped(max, "_i64"))
        }
        Kind::Decimal { digits, places } => {
            format!("max_digits = {digits}, decimal_places = {places}")
        }
        Kind::Boolean | Kind::Uuid | Kind::Date => String::new(),
    }
}

fn length(length: usize) -> String {
    grouped(i64::try_from(length).unwrap_or(i64::MAX), "")
}

/// A value as SQLite is given it.
fn in_sqlite(field: &Field, value: String, optional: bool) -> String {
    match (&field.kind, optional) {
        (Kind::Decimal { places, .. }, false) => format!("to_text({value}, {places})"),
        (Kind::Decimal { places, .. }, true) => {
            format!("{value}.map(|value| to_text(value, {places}))")
        }
        (Kind::Uuid, false) => format!("{value}.simple()"),
        (Kind::Uuid, true) => format!("{value}.map(Uuid::simple)"),
        _ => value,
    }
}

/// The new value in an `UPDATE`, for PostgreSQL and for SQLite.
fn change(field: &Field) -> (String, String) {
    let name = &field.name;
    let value = match (&field.kind, field.nullable) {
        (Kind::Text { .. }, false) => format!("changes.{name}.as_deref()"),
        (Kind::Text { .. }, true) => {
            format!("changes.{name}.as_ref().and_then(Option::as_deref)")
        }
        (_, false) => format!("changes.{name}"),
        (_, true) => format!("changes.{name}.flatten()"),
    };
    (value.clone(), in_sqlite(field, value, true))
}

/// The columns as SQLAlchemy makes them on each database.
fn sql_types(kind: &Kind) -> IndexMap<&'static str, String> {
    let (postgres, sqlite) = match kind {
        Kind::Text { max, .. } => (format!("varchar({max})"), format!("VARCHAR({max})")),
        Kind::Integer { .. } => ("bigint".into(), "BIGINT".into()),
        Kind::Decimal { digits, places } => {
            (format!("numeric({digits}, {places})"), "VARCHAR".into())
        }
        Kind::Boolean => ("boolean".into(), "BOOLEAN".into()),
        Kind::Uuid => ("uuid".into(), "CHAR(32)".into()),
        Kind::Date => ("date".into(), "DATE".into()),
    };
    IndexMap::from([("postgres", postgres), ("sqlite", sqlite)])
}

/// The type, what a request may send, the arguments of the column, and the column in a migration.
fn python(kind: &Kind, nullable: bool) -> (&'static str, String, String, String) {
    let (type_, input, column, alembic) = match *kind {
        Kind::Text { min, max } => {
            let min = if min == 0 { String::new() } else { format!("min_length={min}, ") };
            (
                "str",
                format!(
                    "Annotated[str, Field({min}max_length={max}), AfterValidator(without_nul)]"
                ),
                format!("String({max})"),
                format!("sa.String({max})"),
            )
        }
        Kind::Integer { min, max } => (
            "int",
            format!("Annotated[int, Field(ge={min}, le={max})]"),
            "BigInteger".into(),
            "sa.BigInteger()".into(),
        ),
        Kind::Decimal { digits, places } => (
            "Decimal",
            format!("Annotated[Decimal, Field(max_digits={digits}, decimal_places={places})]"),
            format!("ExactNumeric({digits}, {places})"),
            format!("sa.Numeric({digits}, {places}).with_variant(sa.String(), \"sqlite\")"),
        ),
        Kind::Boolean => ("bool", "bool".into(), String::new(), "sa.Boolean()".into()),
        Kind::Uuid => ("uuid.UUID", "uuid.UUID".into(), String::new(), "sa.Uuid()".into()),
        Kind::Date => ("date", "date".into(), String::new(), "sa.Date()".into()),
    };
    let default = nullable.then(|| "default=None".to_owned());
    let column = [column].into_iter().filter(|text| !text.is_empty()).chain(default);
    (type_, input, column.collect::<Vec<_>>().join(", "), alembic)
}
