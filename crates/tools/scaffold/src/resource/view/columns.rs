//! A field as a column of each database.

use indexmap::IndexMap;

use crate::resource::fields::{Field, Kind};

/// The type in a row of SQLite, which knows fewer.
pub(super) fn sqlite_type(kind: &Kind, domain_type: &str) -> String {
    match kind {
        Kind::Decimal { .. } => "Numeric".to_owned(),
        Kind::Uuid => "Simple".to_owned(),
        Kind::Enum(_) => format!("Named<{domain_type}>"),
        Kind::Duration => "i64".to_owned(),
        _ => domain_type.to_owned(),
    }
}

/// From that type to the domain's: an expression of `{}`.
pub(super) const fn from_sqlite(kind: &Kind, nullable: bool) -> &'static str {
    match (kind, nullable) {
        (Kind::Decimal { .. } | Kind::Uuid, false) => "{}.into()",
        (Kind::Decimal { .. } | Kind::Uuid, true) => "{}.map(Into::into)",
        _ => from_postgres(kind, nullable),
    }
}

/// From the type in a row of PostgreSQL to the domain's: an expression of `{}`.
pub(super) const fn from_postgres(kind: &Kind, nullable: bool) -> &'static str {
    match (kind, nullable) {
        (Kind::Enum(_), false) => "{}.value()",
        (Kind::Enum(_), true) => "{}.map(Named::value)",
        (Kind::Duration, false) => "TimeDelta::microseconds({})",
        (Kind::Duration, true) => "{}.map(TimeDelta::microseconds)",
        _ => "{}",
    }
}

/// A value as SQLite is given it.
pub(super) fn in_sqlite(kind: &Kind, value: &str, optional: bool, enum_type: &str) -> String {
    match (kind, optional) {
        (Kind::Decimal { places, .. }, false) => format!("to_text({value}, {places})"),
        (Kind::Decimal { places, .. }, true) => {
            format!("{value}.map(|value| to_text(value, {places}))")
        }
        (Kind::Uuid, false) => format!("{value}.simple()"),
        (Kind::Uuid, true) => format!("{value}.map(Uuid::simple)"),
        (Kind::DateTime, false) => format!("timestamp(Some({value}))"),
        (Kind::DateTime, true) => format!("timestamp({value})"),
        (Kind::Time, false) => format!("{value}.format(TIME).to_string()"),
        (Kind::Time, true) => format!("{value}.map(|time| time.format(TIME).to_string())"),
        _ => in_postgres(kind, value, optional, enum_type),
    }
}

/// A value as PostgreSQL is given it.
pub(super) fn in_postgres(kind: &Kind, value: &str, optional: bool, enum_type: &str) -> String {
    match (kind, optional) {
        (Kind::Enum(_), false) => format!("{value}.as_str()"),
        (Kind::Enum(_), true) => format!("{value}.map({enum_type}::as_str)"),
        (Kind::Duration, false) => format!("{value}.num_microseconds()"),
        (Kind::Duration, true) => format!("{value}.and_then(|delta| delta.num_microseconds())"),
        _ => value.to_owned(),
    }
}

/// The new value in an `UPDATE`, for PostgreSQL and for SQLite.
pub(super) fn change(field: &Field, enum_type: &str) -> (String, String) {
    let name = &field.name;
    let is_borrowed =
        matches!(field.kind, Kind::Text { .. } | Kind::Email | Kind::Url | Kind::Bytes);
    let value = match (is_borrowed, field.nullable) {
        _ if field.options.is_secret => super::secret::exposed_change(field),
        (true, false) => format!("changes.{name}.as_deref()"),
        (true, true) => format!("changes.{name}.as_ref().and_then(Option::as_deref)"),
        (false, false) => format!("changes.{name}"),
        (false, true) => format!("changes.{name}.flatten()"),
    };
    (
        in_postgres(&field.kind, &value, true, enum_type),
        in_sqlite(&field.kind, &value, true, enum_type),
    )
}

/// The columns as SQLAlchemy makes them on each database.
pub(super) fn sql_types(kind: &Kind) -> IndexMap<&'static str, String> {
    let (postgres, sqlite) = match kind {
        Kind::Text { max, .. } => (format!("varchar({max})"), format!("VARCHAR({max})")),
        Kind::Integer { .. } => ("bigint".into(), "BIGINT".into()),
        Kind::Decimal { digits, places } => {
            (format!("numeric({digits}, {places})"), "VARCHAR".into())
        }
        Kind::Float { .. } => ("double precision".into(), "FLOAT".into()),
        Kind::Boolean => ("boolean".into(), "BOOLEAN".into()),
        Kind::Uuid => ("uuid".into(), "CHAR(32)".into()),
        Kind::Date => ("date".into(), "DATE".into()),
        Kind::DateTime => ("timestamptz".into(), "DATETIME".into()),
        Kind::Time => ("time".into(), "TIME".into()),
        Kind::Duration => ("bigint".into(), "BIGINT".into()),
        Kind::Enum(enumeration) => (
            format!("varchar({})", enumeration.width()),
            format!("VARCHAR({})", enumeration.width()),
        ),
        Kind::Email => ("varchar(255)".into(), "VARCHAR(255)".into()),
        Kind::Url => ("varchar".into(), "VARCHAR".into()),
        Kind::Bytes => ("bytea".into(), "BLOB".into()),
    };
    IndexMap::from([("postgres", postgres), ("sqlite", sqlite)])
}

/// The value of a filter, for PostgreSQL and for SQLite.
pub(super) fn filter(kind: &Kind, name: &str, enum_type: &str) -> (String, String) {
    let borrow = if matches!(kind, Kind::Text { .. }) { ".as_deref()" } else { "" };
    let value = format!("filter.{name}{borrow}");
    (in_postgres(kind, &value, true, enum_type), in_sqlite(kind, &value, true, enum_type))
}

/// The type of a filter in a statement of PostgreSQL, where it may be null.
pub(super) const fn bare_type(kind: &Kind) -> &'static str {
    match kind {
        Kind::Integer { .. } => "bigint",
        Kind::Boolean => "boolean",
        Kind::Uuid => "uuid",
        Kind::Date => "date",
        _ => "varchar",
    }
}
