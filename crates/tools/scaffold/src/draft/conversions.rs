//! Values of requests as values of columns, and values of columns as parts of answers.

use std::collections::BTreeMap;

use serde_json::Value;

use super::names::ident;
use super::parsed::Models;
use crate::inspection::Inspection;
use crate::tables::ColumnOf;

/// How a value becomes one of another type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Conversion {
    /// It is the same type.
    Same,
    Into,
    /// A text with this many places behind the point: sqlx forgets those of a zero.
    Places(u32),
    /// A function that takes the value.
    By(String),
    /// One that takes a reference and may fail.
    Fallibly(String),
    /// One that takes a copy and may fail.
    FalliblyByValue(String),
}

impl Conversion {
    /// The converted value of an expression.
    pub(super) fn of(&self, value: &str) -> String {
        match self {
            Self::Same => value.to_owned(),
            Self::Into => format!("{value}.into()"),
            Self::Places(places) => format!("format!(\"{{:.{places}}}\", {value})"),
            Self::By(function) => format!("{function}({value})"),
            Self::Fallibly(function) => format!("{function}(&{value})?"),
            Self::FalliblyByValue(function) => format!("{function}({value})?"),
        }
    }

    /// The converted value of an expression that is an option.
    pub(super) fn of_option(&self, value: &str) -> String {
        match self {
            Self::Same => value.to_owned(),
            Self::Into => format!("{value}.map(Into::into)"),
            Self::Places(places) => {
                format!("{value}.map(|value| format!(\"{{value:.{places}}}\"))")
            }
            Self::By(function) => format!("{value}.map({function})"),
            Self::Fallibly(function) => {
                format!("{value}.as_ref().map({function}).transpose()?")
            }
            Self::FalliblyByValue(function) => format!("{value}.map({function}).transpose()?"),
        }
    }

    pub(super) const fn is_fallible(&self) -> bool {
        matches!(self, Self::Fallibly(_) | Self::FalliblyByValue(_))
    }
}

/// The functions that the conversions of a crate need, by their names.
#[derive(Debug, Default)]
pub(super) struct Conversions {
    pub(super) functions: BTreeMap<String, String>,
}

/// Functions that conversions may need, with what `rows.rs` has for them.
const HELPERS: [(&str, &str); 5] = [
    (
        "narrow",
        "/// An integer as the database has it.
pub fn narrow<T: TryFrom<i64>>(value: &Integer) -> Result<T, Failure> {
    match value {
        Integer::Small(value) => small(*value),
        Integer::Big(_) => Err(Failure::Unhandled(\"an integer beyond 64 bits\".into())),
    }
}",
    ),
    (
        "small",
        "/// An integer of 64 bits as the database has it.
pub fn small<T: TryFrom<i64>>(value: i64) -> Result<T, Failure> {
    T::try_from(value).map_err(|_| Failure::Unhandled(\"an integer that is out of range\".into()))
}",
    ),
    (
        "integer",
        "/// An integer of the database.
pub fn integer(value: impl Into<i64>) -> Integer {
    Integer::from(value.into())
}",
    ),
    (
        "stored_decimal",
        "/// A decimal as the database has it; digits that the column has no place for are its affair.
pub fn stored_decimal<T: FromStr>(value: &Decimal) -> Result<T, Failure> {
    let text = value.to_string();
    // `1E+2` is 100.
    let text = match text.split_once(\"E+\") {
        Some((digits, zeros)) if !digits.contains('.') => {
            format!(\"{digits}{}\", \"0\".repeat(zeros.parse::<u8>().unwrap_or_default().into()))
        }
        _ => text,
    };
    text.parse().map_err(|_| Failure::Unhandled(format!(\"the decimal {text}\").into()))
}",
    ),
    (
        "present",
        "/// What the old service fails without.
pub fn present<T>(value: Option<T>) -> Result<T, Failure> {
    value.ok_or_else(|| Failure::Unhandled(\"null where there has to be a value\".into()))
}",
    ),
];

impl Conversions {
    /// A function that handlers use, by its path.
    pub(super) fn of_rows(&mut self, name: &str) -> String {
        format!("rows::{}", self.helper(name))
    }

    /// Notes that a function is used.
    fn helper(&mut self, name: &str) -> String {
        for (helper, code) in HELPERS {
            if helper == name {
                self.functions.insert(name.to_owned(), code.to_owned());
            }
        }
        if name == "narrow" {
            self.helper("small");
        }
        name.to_owned()
    }

    /// From a value of a request, whose type is no option, to that of a column.
    pub(super) fn stored(
        &mut self,
        known: &Known<'_>,
        ty: &str,
        column: &ColumnOf,
    ) -> Result<Conversion, String> {
        Ok(match (ty, column.rust.as_str()) {
            ("String", "String")
            | ("bool", "bool")
            | ("f64", "f64")
            | ("Uuid", "Uuid")
            | ("i64", "i64") => Conversion::Same,
            ("Integer", "i16" | "i32" | "i64") => Conversion::Fallibly(self.of_rows("narrow")),
            ("i64", "i16" | "i32") => Conversion::FalliblyByValue(self.of_rows("small")),
            ("Decimal", "Decimal") if is_bounded(&column.declared) => {
                Conversion::Fallibly(self.of_rows("stored_decimal"))
            }
            ("Date", "NaiveDate") => Conversion::Into,
            (ty, rust) if column.enumeration.is_some() => {
                let pairs = Self::pairs(known, ty, column)?;
                let arms = pairs.iter().map(|(model, row)| {
                    format!("        models::{ty}::{model} => domain::{rust}::{row},\n")
                });
                let code = format!(
                    "/// `{ty}` as the database has it.\npub fn {{name}}(value: models::{ty}) -> \
                     domain::{rust} {{\n    match value {{\n{}    }}\n}}",
                    arms.collect::<String>()
                );
                let name = self.function(&format!("stored_{}", ident(ty, |_| false)), &code);
                Conversion::By(format!("rows::{name}"))
            }
            (ty, _) => return Err(mismatch(column, ty)),
        })
    }

    /// From a value of a column that is not null to a part of an answer.
    pub(super) fn answered(
        &mut self,
        known: &Known<'_>,
        column: &ColumnOf,
        ty: &str,
    ) -> Result<Conversion, String> {
        Ok(match (column.rust.as_str(), ty) {
            ("String", "String")
            | ("bool", "bool")
            | ("f64", "f64")
            | ("Uuid", "Uuid")
            | ("i64", "i64") => Conversion::Same,
            ("i16" | "i32", "i64") => Conversion::By("i64::from".to_owned()),
            ("i16" | "i32" | "i64", "Integer") => Conversion::By(self.helper("integer")),
            // Answers have a decimal as a text with a pattern.
            ("Decimal", "String") if is_bounded(&column.declared) => {
                Conversion::Places(places(&column.declared))
            }
            ("NaiveDate", "Date") | ("DateTime<Utc>" | "NaiveDateTime", "DateTime") => {
                Conversion::Into
            }
            (rust, ty) if column.enumeration.is_some() => {
                let pairs = Self::pairs(known, ty, column)?;
                let arms = pairs.iter().map(|(model, row)| {
                    format!("        domain::{rust}::{row} => models::{ty}::{model},\n")
                });
                let code = format!(
                    "/// `{ty}` as answers have it.\npub fn {{name}}(value: domain::{rust}) -> \
                     models::{ty} {{\n    match value {{\n{}    }}\n}}",
                    arms.collect::<String>()
                );
                Conversion::By(self.function(&format!("answered_{}", ident(ty, |_| false)), &code))
            }
            (_, ty) => return Err(mismatch(column, ty)),
        })
    }

    /// A function of this name, or of one like it; `{name}` in its code is replaced.
    fn function(&mut self, name: &str, code: &str) -> String {
        let mut free = name.to_owned();
        loop {
            let code = code.replacen("{name}", &free, 1);
            match self.functions.get(&free) {
                Some(known) if *known != code => free.push('_'),
                _ => {
                    self.functions.insert(free.clone(), code);
                    return free;
                }
            }
        }
    }

    /// The variants of an enumeration of the models and of one of the database that are the same
    /// member of Python's.
    fn pairs(
        known: &Known<'_>,
        ty: &str,
        column: &ColumnOf,
    ) -> Result<Vec<(String, String)>, String> {
        let unknown = || mismatch(column, ty);
        let enumeration = column.enumeration.as_ref().ok_or_else(unknown)?;
        let class = enumeration.class.as_deref().ok_or_else(unknown)?;
        let members = known.inspection.value()["models"][class]["values"].as_array();
        let members = members.ok_or_else(unknown)?;
        let variants = known.models.variants(ty).ok_or_else(unknown)?;
        // SQLAlchemy stores the names of the members, unless it is set to store their values.
        let stored: Vec<&str> =
            enumeration.variants.iter().map(|(value, _)| value.as_str()).collect();
        let all = |key: &str| -> Vec<&str> {
            members.iter().map(|member| member[key].as_str().unwrap_or_default()).collect()
        };
        let key = ["name", "json"].into_iter().find(|key| all(key) == stored);
        let key = key.ok_or_else(unknown)?;
        let pair = |member: &Value| {
            let (_, row) =
                enumeration.variants.iter().find(|(value, _)| member[key] == value.as_str())?;
            let (_, model) = variants.iter().find(|(value, _)| member["json"] == value.as_str())?;
            Some((model.clone(), row.clone()))
        };
        let pairs: Option<Vec<_>> = members.iter().map(pair).collect();
        pairs.filter(|pairs| pairs.len() == variants.len()).ok_or_else(unknown)
    }

    /// A row as an answer: `impl From<…>`, or `TryFrom` if it may fail; gives whether it may.
    pub(super) fn answer(
        &mut self,
        known: &Known<'_>,
        row: &str,
        columns: &[ColumnOf],
        model: &str,
    ) -> Result<bool, String> {
        let fields = known
            .models
            .fields(model)
            .ok_or_else(|| format!("its answer, `{model}`, is no model"))?;
        let (mut code, mut may_fail) = (String::new(), false);
        for field in fields {
            let column = columns.iter().find(|column| column.name == field.name);
            let column = column.ok_or_else(|| {
                format!("`{model}.{}` is called otherwise than its column", field.name)
            })?;
            let inner = field.ty.strip_prefix("Option<").and_then(|ty| ty.strip_suffix('>'));
            let conversion = self.answered(known, column, inner.unwrap_or(&field.ty))?;
            let value = format!("row.{}", column.ident);
            let value = match (column.is_nullable, inner.is_some()) {
                (true, true) => conversion.of_option(&value),
                (false, true) => format!("Some({})", conversion.of(&value)),
                (false, false) => conversion.of(&value),
                (true, false) => {
                    may_fail = true;
                    conversion.of(&format!("{}({value})?", self.helper("present")))
                }
            };
            may_fail |= conversion.is_fallible();
            code += &if value == field.ident {
                format!("            {value},\n")
            } else {
                format!("            {}: {value},\n", field.ident)
            };
        }
        let body = format!("Self {{\n{code}        }}");
        let code = if may_fail {
            format!(
                "impl TryFrom<domain::{row}> for models::{model} {{\n    type Error = Failure;\n\n    \
                 fn try_from(row: domain::{row}) -> Result<Self, Failure> {{\n        Ok({body})\n    }}\n}}"
            )
        } else {
            format!(
                "impl From<domain::{row}> for models::{model} {{\n    fn from(row: domain::{row}) -> \
                 Self {{\n        {body}\n    }}\n}}"
            )
        };
        // After the functions.
        self.functions.insert(format!("~{model} {row}"), code);
        Ok(may_fail)
    }
}

/// What conversions look up.
pub(super) struct Known<'a> {
    pub(super) inspection: &'a Inspection,
    pub(super) models: &'a Models,
}

fn mismatch(column: &ColumnOf, ty: &str) -> String {
    format!("`{}` is a `{}` in its table and a `{ty}` here", column.name, column.rust)
}

/// The places behind the point of a decimal of the database.
fn places(declared: &str) -> u32 {
    let places = declared.rsplit(',').next().unwrap_or_default();
    places.trim_end_matches(')').trim().parse().unwrap_or_default()
}

/// Whether a decimal of the database has no more digits than Rust's, and not as many of them behind
/// the point as Python writes with an exponent.
fn is_bounded(declared: &str) -> bool {
    let limits = declared.split_once('(').map_or("", |(_, rest)| rest.trim_end_matches(')'));
    let limits: Vec<u32> = limits.split(',').filter_map(|part| part.trim().parse().ok()).collect();
    matches!(limits[..], [digits, places] if digits <= 28 && places <= 6)
}
