//! What the types of PostgreSQL are in Rust.

use super::metadata::{Enumeration, Type};

/// A column's type in Rust, and how it goes into a statement and comes out.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Kind {
    /// Without the `Option` of what may be null.
    pub(super) rust: String,
    pub(super) passing: Passing,
    /// The type in casts, without lengths: a cast to `varchar(2)` would cut.
    pub(super) cast: String,
    /// It goes through text, as sqlx has no type for it: `text` or `text[]`.
    pub(super) through: Option<&'static str>,
    /// sqlx cannot know it by itself: a type of the application's own.
    pub(super) is_own: bool,
}

/// How a value is given to a statement.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Passing {
    Copy,
    /// `String` as `&str`, `Vec<u8>` as `&[u8]`.
    Deref,
    Reference,
}

/// Names that the types of columns need, and where they are from.
pub(super) const IMPORTS: [(&str, &str); 8] = [
    ("DateTime<Utc>", "chrono::{DateTime, Utc}"),
    ("NaiveDate", "chrono::NaiveDate"),
    ("NaiveDateTime", "chrono::NaiveDateTime"),
    ("NaiveTime", "chrono::NaiveTime"),
    ("Decimal", "rust_decimal::Decimal"),
    ("Value", "serde_json::Value"),
    ("PgInterval", "sqlx::postgres::types::PgInterval"),
    ("Uuid", "uuid::Uuid"),
];

impl Kind {
    /// `enumeration` gives the Rust type of an enumeration that is a type of the database.
    pub(super) fn new(type_: &Type, enumeration: impl Fn(&Enumeration) -> String + Copy) -> Self {
        let Some(declared) = &type_.postgres else { return Self::text("text".to_owned()) };
        let cast = without_length(declared);
        if let Some(item) = &type_.item {
            // `integer[][]` is one type with `integer[]`.
            let inner = Self::new(item, enumeration);
            let rust = if inner.through.is_some() { "String" } else { &inner.rust };
            return Self {
                rust: format!("Vec<{rust}>"),
                passing: Passing::Deref,
                through: inner.through.map(|_| "text[]"),
                is_own: inner.is_own,
                cast,
            };
        }
        if let Some(known) = type_.enumeration.as_ref().filter(|known| known.native) {
            let rust = enumeration(known);
            return Self { rust, passing: Passing::Copy, cast, through: None, is_own: true };
        }
        let upper = cast.to_ascii_uppercase();
        let precision = declared.split_once('(').map(|(_, rest)| rest.trim_end_matches(')'));
        let (rust, passing) = match upper.as_str() {
            "SMALLINT" => ("i16", Passing::Copy),
            "INTEGER" => ("i32", Passing::Copy),
            "BIGINT" => ("i64", Passing::Copy),
            "REAL" => ("f32", Passing::Copy),
            "FLOAT"
                if precision.and_then(|text| text.parse::<u32>().ok()).is_some_and(|n| n <= 24) =>
            {
                ("f32", Passing::Copy)
            }
            "FLOAT" | "DOUBLE PRECISION" => ("f64", Passing::Copy),
            "NUMERIC" | "DECIMAL" => ("Decimal", Passing::Copy),
            "BOOLEAN" => ("bool", Passing::Copy),
            "VARCHAR" | "TEXT" | "CHAR" => ("String", Passing::Deref),
            "UUID" => ("Uuid", Passing::Copy),
            "DATE" => ("NaiveDate", Passing::Copy),
            "TIME WITHOUT TIME ZONE" => ("NaiveTime", Passing::Copy),
            "TIMESTAMP WITHOUT TIME ZONE" => ("NaiveDateTime", Passing::Copy),
            "TIMESTAMP WITH TIME ZONE" => ("DateTime<Utc>", Passing::Copy),
            "INTERVAL" => ("PgInterval", Passing::Reference),
            "JSON" | "JSONB" => ("Value", Passing::Reference),
            "BYTEA" => ("Vec<u8>", Passing::Deref),
            _ => return Self::text(declared.clone()),
        };
        Self { rust: rust.to_owned(), passing, cast, through: None, is_own: false }
    }

    fn text(cast: String) -> Self {
        let (rust, passing) = ("String".to_owned(), Passing::Deref);
        Self { rust, passing, cast, through: Some("text"), is_own: false }
    }

    /// A parameter of this type, with the casts that it needs: `$1`, `$1::text::INET`.
    pub(super) fn parameter(&self, number: usize) -> String {
        match self.through {
            Some(text) => format!("${number}::{text}::{}", self.cast),
            None => format!("${number}"),
        }
    }

    /// A parameter whose type nothing around it tells.
    pub(super) fn typed_parameter(&self, number: usize) -> String {
        match self.through {
            Some(_) => self.parameter(number),
            None => format!("${number}::{}", self.cast),
        }
    }

    /// The type of an argument of a function.
    pub(super) fn argument_type(&self) -> String {
        match self.passing {
            Passing::Copy => self.rust.clone(),
            Passing::Deref if self.rust == "String" => "&str".to_owned(),
            Passing::Deref => {
                let item = self.rust.trim_start_matches("Vec<").strip_suffix('>');
                format!("&[{}]", item.unwrap_or("u8"))
            }
            Passing::Reference => format!("&{}", self.rust),
        }
    }

    /// What the macro has to know about an argument that it cannot check.
    pub(super) fn unchecked(&self, argument: &str) -> String {
        if self.is_own { format!("{argument} as _") } else { argument.to_owned() }
    }
}

/// `VARCHAR(20)[]` is `VARCHAR[]`, `TIMESTAMP(3) WITH TIME ZONE` has no 3, `FLOAT(53) COLLATE "C"`
/// neither number nor collation.
fn without_length(declared: &str) -> String {
    let declared = declared.split(" COLLATE ").next().unwrap_or(declared);
    let Some((start, rest)) = declared.split_once('(') else { return declared.to_owned() };
    let end = rest.split_once(')').map_or("", |(_, end)| end);
    format!("{}{end}", start.trim_end())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kind(declared: &str) -> Kind {
        let type_ = Type { postgres: Some(declared.into()), item: None, enumeration: None };
        Kind::new(&type_, |_| "Own".into())
    }

    #[test]
    fn types_of_postgres_have_counterparts() {
        for (declared, rust, cast) in [
            ("VARCHAR(20)", "String", "VARCHAR"),
            ("NUMERIC(12, 4)", "Decimal", "NUMERIC"),
            ("FLOAT", "f64", "FLOAT"),
            ("FLOAT(24)", "f32", "FLOAT"),
            ("FLOAT(25)", "f64", "FLOAT"),
            ("TIMESTAMP(3) WITH TIME ZONE", "DateTime<Utc>", "TIMESTAMP WITH TIME ZONE"),
            ("TEXT COLLATE \"C\"", "String", "TEXT"),
        ] {
            let kind = kind(declared);
            assert_eq!((kind.rust.as_str(), kind.cast.as_str()), (rust, cast), "{declared}");
            assert_eq!(kind.parameter(2), "$2");
        }
    }

    #[test]
    fn what_sqlx_does_not_know_goes_through_text() {
        for declared in ["INET", "VECTOR(3)", "TSVECTOR", "BIT(3)"] {
            let kind = kind(declared);
            assert_eq!(kind.rust, "String");
            assert_eq!(kind.parameter(1), format!("$1::text::{declared}"));
        }
        let item = Box::new(Type { postgres: Some("INET".into()), item: None, enumeration: None });
        let list = Type { postgres: Some("INET[]".into()), item: Some(item), enumeration: None };
        let kind = Kind::new(&list, |_| "Own".into());
        assert_eq!((kind.rust.as_str(), kind.through), ("Vec<String>", Some("text[]")));
    }
}
