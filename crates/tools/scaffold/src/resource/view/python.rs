//! A field in the Python counterpart.

use serde_json::Value;

use crate::resource::fields::{Field, Kind, Unique};

/// The texts that the templates put in.
pub(super) struct Python {
    /// Of the attribute of the model.
    pub(super) type_: String,
    /// In an answer.
    pub(super) shown: String,
    /// What a request may give.
    pub(super) input: String,
    /// The arguments of the column.
    pub(super) column: String,
    /// The column in a migration.
    pub(super) alembic: String,
}

impl Python {
    pub(super) fn new(field: &Field, enum_type: &str) -> Self {
        let Field { kind, nullable, options, .. } = field;
        let of = |type_: &str, input: String, column: &str, alembic: &str| Self {
            type_: type_.to_owned(),
            shown: type_.to_owned(),
            input,
            column: column.to_owned(),
            alembic: alembic.to_owned(),
        };
        let same =
            |type_: &str, column: &str, alembic: &str| of(type_, type_.to_owned(), column, alembic);
        let mut python = match kind {
            Kind::Text { min, max } => {
                let min = if *min == 0 { String::new() } else { format!("min_length={min}, ") };
                let pattern = options.pattern.as_ref();
                let pattern =
                    pattern.map_or_else(String::new, |pattern| format!(", pattern={pattern:?}"));
                let input = format!(
                    "Annotated[str, Field({min}max_length={max}{pattern}), AfterValidator(without_nul)]"
                );
                of("str", input, &format!("String({max})"), &format!("sa.String({max})"))
            }
            Kind::Integer { min, max } => {
                let input = format!("Annotated[int, Field(ge={min}, le={max})]");
                of("int", input, "BigInteger", "sa.BigInteger()")
            }
            Kind::Decimal { digits, places } => of(
                "Decimal",
                format!("Annotated[Decimal, Field(max_digits={digits}, decimal_places={places})]"),
                &format!("ExactNumeric({digits}, {places})"),
                &format!("sa.Numeric({digits}, {places}).with_variant(sa.String(), \"sqlite\")"),
            ),
            Kind::Float { min, max } => {
                let bound = |name: &str, bound: Option<f64>| {
                    bound.map_or_else(String::new, |bound| format!("{name}={bound:?}, "))
                };
                let input = format!(
                    "Annotated[float, Field({}{}allow_inf_nan=False), AfterValidator(unsigned_zero)]",
                    bound("ge", *min),
                    bound("le", *max),
                );
                of("float", input, "Float", "sa.Float()")
            }
            Kind::Boolean => same("bool", "", "sa.Boolean()"),
            Kind::Uuid => same("uuid.UUID", "", "sa.Uuid()"),
            Kind::Date => same("date", "", "sa.Date()"),
            Kind::DateTime => {
                of("datetime", "Moment".into(), "UTCDateTime", "sa.DateTime(timezone=True)")
            }
            Kind::Time => of("time", "LocalTime".into(), "", "sa.Time()"),
            Kind::Duration => of("timedelta", "Span".into(), "Microseconds", "sa.BigInteger()"),
            Kind::Enum(enumeration) => same(
                enum_type,
                &format!("named({enum_type}, {})", enumeration.width()),
                &format!("sa.String({})", enumeration.width()),
            ),
            Kind::Email => Self {
                shown: "StoredEmail".into(),
                ..of("str", "Email".into(), "String(255)", "sa.String(255)")
            },
            Kind::Url => Self {
                shown: "StoredUrl".into(),
                ..of("str", "Url".into(), "String()", "sa.String()")
            },
            Kind::Bytes => Self {
                shown: "EncodedBytes".into(),
                ..of("bytes", "Bytes".into(), "", "sa.LargeBinary()")
            },
        };
        let mut arguments = vec![python.column];
        if *nullable {
            arguments.push("default=None".to_owned());
        } else if let Some(default) = options.default.as_ref().filter(|_| options.is_readonly) {
            arguments.push(format!("default={}", literal(default, kind, enum_type)));
        }
        match options.unique {
            Some(Unique::All) => arguments.push("unique=True, index=True".to_owned()),
            None if options.is_indexed => arguments.push("index=True".to_owned()),
            Some(Unique::Owner) | None => {}
        }
        arguments.retain(|argument| !argument.is_empty());
        python.column = arguments.join(", ");
        python
    }
}

/// A default in Python.
pub(super) fn literal(value: &Value, kind: &Kind, enum_type: &str) -> String {
    match (value, kind) {
        (Value::String(text), Kind::Enum(_)) => {
            format!("{enum_type}.{}", crate::resource::fields::member(text))
        }
        (Value::Bool(true), _) => "True".to_owned(),
        (Value::Bool(false), _) => "False".to_owned(),
        // JSON's texts and numbers are Python's.
        _ => value.to_string(),
    }
}
