//! A field between the client and the domain.

use serde_json::Value;

use crate::resource::fields::{Field, Kind};
use crate::resource::samples::grouped;
use crate::templates::rust_text;

/// The types that speak to clients, and the ways from and to the domain's.
pub(super) struct Wire {
    pub(super) given: String,
    pub(super) shown: String,
    pub(super) shown_attribute: &'static str,
    pub(super) to_domain: Conversion,
    pub(super) from_domain: Conversion,
}

/// How one type becomes another.
pub(super) enum Conversion {
    Same,
    /// By `From`.
    Into,
    /// An expression of `{}`, and a function for what may be null.
    By(&'static str, &'static str),
}

impl Conversion {
    /// Of a value, which may be null.
    pub(super) fn of(&self, value: &str, nullable: bool) -> String {
        match (self, nullable) {
            (Self::Same, _) => value.to_owned(),
            (Self::Into, false) => format!("{value}.into()"),
            (Self::Into, true) => format!("{value}.map(Into::into)"),
            (Self::By(one, _), false) => one.replace("{}", value),
            (Self::By(_, function), true) => format!("{value}.map({function})"),
        }
    }

    /// Of a change, which may be to null.
    pub(super) fn of_change(&self, change: &str, nullable: bool) -> String {
        let function = match self {
            Self::Same => return change.to_owned(),
            Self::Into => "Into::into",
            Self::By(_, function) => function,
        };
        if nullable {
            format!("{change}.map(|value| value.map({function}))")
        } else {
            format!("{change}.map({function})")
        }
    }
}

impl Wire {
    /// From a `Patch` of what is given to a change in the domain.
    pub(super) fn changed(&self, field: &Field) -> String {
        let how = if field.nullable { "nullable" } else { "value" };
        let change = format!("update.{}.{how}()", field.name);
        super::secret::wrapped_change(field, &self.to_domain.of_change(&change, field.nullable))
    }

    pub(super) fn new(kind: &Kind, enum_type: &str) -> Self {
        use Conversion::{By, Into, Same};

        let same = |name: &str, to_domain, from_domain| Self {
            given: name.to_owned(),
            shown: name.to_owned(),
            shown_attribute: "",
            to_domain,
            from_domain,
        };
        match kind {
            Kind::Text { .. } => same("String", Same, Same),
            Kind::Integer { .. } => same("i64", Same, Same),
            Kind::Decimal { places, .. } => same(&format!("Numeric<{places}>"), Into, Into),
            Kind::Float { .. } => same("f64", By("{} + 0.0", "|value| value + 0.0"), Same),
            Kind::Boolean => same("bool", Same, Same),
            Kind::Uuid => same("Uuid", Same, Same),
            Kind::Date => same("Date", Into, Into),
            Kind::DateTime => Self {
                given: "Moment".into(),
                shown: "DateTime<Utc>".into(),
                shown_attribute: r#"#[serde(serialize_with = "serialize_datetime")]"#,
                to_domain: Into,
                from_domain: Same,
            },
            Kind::Time => Self { given: "LocalTime".into(), ..same("Time", Into, Into) },
            Kind::Duration => Self { given: "Span".into(), ..same("Duration", Into, Into) },
            Kind::Enum(_) => same(enum_type, Into, Into),
            Kind::Email => Self {
                given: "EmailStr".into(),
                ..same("StoredEmail", By("{}.into_string()", "EmailStr::into_string"), Into)
            },
            Kind::Url => Self {
                given: "HttpUrl".into(),
                ..same("StoredUrl", By("{}.to_string()", "|url| url.to_string()"), Into)
            },
            Kind::Bytes => same(
                "Base64Bytes",
                By("{}.0", "|bytes| bytes.0"),
                By("Base64Bytes({})", "Base64Bytes"),
            ),
        }
    }
}

pub(super) fn domain_type(kind: &Kind, enum_type: &str) -> String {
    let name = match kind {
        Kind::Text { .. } | Kind::Email | Kind::Url => "String",
        Kind::Integer { .. } => "i64",
        Kind::Decimal { .. } => "Decimal",
        Kind::Float { .. } => "f64",
        Kind::Boolean => "bool",
        Kind::Uuid => "Uuid",
        Kind::Date => "NaiveDate",
        Kind::DateTime => "DateTime<Utc>",
        Kind::Time => "NaiveTime",
        Kind::Duration => "TimeDelta",
        Kind::Enum(_) => enum_type,
        Kind::Bytes => "Vec<u8>",
    };
    name.to_owned()
}

/// The rules of a field of what is created.
pub(super) fn rules(field: &Field, enum_type: &str) -> String {
    let default = field.options.default.as_ref().map(|default| {
        let value = match default {
            Value::String(text) if matches!(field.kind, Kind::Enum(_)) => {
                format!("{enum_type}::{}", crate::resource::fields::variant(text))
            }
            Value::String(text) => rust_text(text),
            value => number(value),
        };
        format!("default = {value}")
    });
    let all = [constraints(field)].into_iter().chain(default);
    all.filter(|rule| !rule.is_empty()).collect::<Vec<_>>().join(", ")
}

/// A number or a boolean in Rust.
pub(super) fn number(value: &Value) -> String {
    match value.as_i64() {
        Some(integer) => grouped(integer, ""),
        None => value.as_f64().map_or_else(|| value.to_string(), |float| format!("{float:?}")),
    }
}

/// The rules of the field's type.
pub(super) fn constraints(field: &Field) -> String {
    let pattern = field.options.pattern.as_ref();
    let pattern = pattern.map(|pattern| format!("pattern = {}", rust_text(pattern)));
    let all = [of_kind(&field.kind)].into_iter().chain(pattern);
    all.filter(|rule| !rule.is_empty()).collect::<Vec<_>>().join(", ")
}

fn of_kind(kind: &Kind) -> String {
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
        Kind::Float { min, max } => {
            let bound =
                |name: &str, bound: Option<f64>| bound.map(|bound| format!("{name} = {bound:?}"));
            let bounds = [bound("ge", min), bound("le", max)].into_iter().flatten();
            bounds.chain(["allow_inf_nan = false".to_owned()]).collect::<Vec<_>>().join(", ")
        }
        Kind::Email => "max_length = 255".to_owned(),
        Kind::Boolean
        | Kind::Uuid
        | Kind::Date
        | Kind::DateTime
        | Kind::Time
        | Kind::Duration
        | Kind::Enum(_)
        | Kind::Url
        | Kind::Bytes => String::new(),
    }
}

fn length(length: usize) -> String {
    grouped(i64::try_from(length).unwrap_or(i64::MAX), "")
}
