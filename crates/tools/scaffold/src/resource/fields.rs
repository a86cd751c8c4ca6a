//! The fields of a resource: `number:string(1..40) total:decimal(12,2) note:string?`.

mod enumeration;
mod options;

use std::fmt;
use std::str::FromStr;

pub(crate) use enumeration::{Enumeration, member, variant};
pub use options::OPTIONS;
pub(crate) use options::{Options, Unique};

/// What every number of a client in JavaScript can hold.
const SAFE_INTEGER: i64 = 9_007_199_254_740_991;
/// The longest text: more is a document, which does not belong into a column of a list.
const MAX_TEXT: usize = 10_000;
/// As many digits as `rust_decimal` and Python's default context keep.
const MAX_DIGITS: u32 = 28;
/// `NAME?: NAMEColumn` is the name of a column in a statement, of which PostgreSQL keeps 63 characters.
const MAX_ENUM_NAME: usize = 27;

/// A column, and what a request may send for it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Field {
    pub(crate) name: String,
    pub(crate) kind: Kind,
    pub(crate) nullable: bool,
    pub(crate) options: Options,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Kind {
    /// Lengths in characters.
    Text {
        min: usize,
        max: usize,
    },
    Integer {
        min: i64,
        max: i64,
    },
    Decimal {
        digits: u32,
        places: u32,
    },
    /// A finite number of 64 bits.
    Float {
        min: Option<f64>,
        max: Option<f64>,
    },
    Boolean,
    Uuid,
    Date,
    /// A point in time: with an offset in a request, of UTC everywhere else.
    DateTime,
    /// A time of day without an offset.
    Time,
    /// Of at most a hundred million days, negative too; stored as microseconds.
    Duration,
    Enum(Enumeration),
    Email,
    /// Of the schemes `http` and `https`.
    Url,
    /// In base 64 for clients.
    Bytes,
}

/// Why a field is refused.
#[derive(Debug, PartialEq, thiserror::Error)]
#[error("{field}: {reason}")]
pub struct FieldError {
    field: String,
    reason: String,
}

/// What a person may write, for `--help` and errors.
pub const KINDS: &str = "string, string(1..40), text, integer, integer(0..100), decimal, decimal(12,2), float, float(0..1), \
     boolean, uuid, date, datetime, time, duration, enum(open|paid), email, url, bytes";

impl FromStr for Field {
    type Err = FieldError;

    fn from_str(text: &str) -> Result<Self, FieldError> {
        let fail = |reason: String| FieldError { field: text.to_owned(), reason };
        let parts = options::parts(text);
        let [name, kind, options @ ..] = parts.as_slice() else {
            return Err(fail("write NAME:TYPE, or NAME:TYPE? for what may be null".to_owned()));
        };
        check_name(name).map_err(fail)?;
        let (kind, nullable) = match kind.strip_suffix('?') {
            Some(kind) => (kind, true),
            None => (*kind, false),
        };
        let mut kind = kind.parse().map_err(fail)?;
        if matches!(kind, Kind::Enum(_)) && name.len() > MAX_ENUM_NAME {
            return Err(fail(format!(
                "the name of an enum has at most {MAX_ENUM_NAME} characters: PostgreSQL cuts off longer \
                 names of columns with a type"
            )));
        }
        let options = Options::read(options, &mut kind, nullable).map_err(fail)?;
        if options.is_filter
            && [
                "skip",
                "limit",
                "session",
                "current_user",
                "count",
                "newest_first",
                "func",
                "select",
            ]
            .contains(name)
        {
            return Err(fail("every list has it already".to_owned()));
        }
        Ok(Self { name: (*name).to_owned(), kind, nullable, options })
    }
}

fn check_name(name: &str) -> Result<(), String> {
    let plain = name.starts_with(|c: char| c.is_ascii_lowercase())
        && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
        && !name.ends_with('_')
        && !name.contains("__");
    if !plain || name.len() > 50 {
        return Err("a name is of a-z, 0-9 and single _, like `due_date`".to_owned());
    }
    if ["id", "owner_id", "created_at"].contains(&name) {
        return Err("every resource has it already".to_owned());
    }
    if TAKEN.contains(&name) || name.starts_with("model_") {
        return Err("the name means something to Rust, Python, pydantic or SQLAlchemy".to_owned());
    }
    Ok(())
}

/// Keywords of Rust and Python, and attributes that pydantic and SQLAlchemy put on every model.
pub(crate) const TAKEN: [&str; 88] = [
    "abstract",
    "and",
    "any",
    "as",
    "assert",
    "async",
    "await",
    "become",
    "bool",
    "box",
    "break",
    "bytes",
    "class",
    "const",
    "construct",
    "continue",
    "copy",
    "crate",
    "date",
    "datetime",
    "def",
    "del",
    "dict",
    "do",
    "dyn",
    "elif",
    "else",
    "enum",
    "except",
    "extern",
    "false",
    "fields",
    "final",
    "finally",
    "float",
    "fn",
    "for",
    "from",
    "gen",
    "global",
    "if",
    "impl",
    "import",
    "in",
    "int",
    "is",
    "json",
    "lambda",
    "let",
    "list",
    "loop",
    "macro",
    "match",
    "metadata",
    "mod",
    "move",
    "mut",
    "nonlocal",
    "none",
    "not",
    "or",
    "override",
    "pass",
    "priv",
    "pub",
    "raise",
    "ref",
    "registry",
    "return",
    "schema",
    "self",
    "static",
    "str",
    "struct",
    "super",
    "time",
    "trait",
    "true",
    "try",
    "type",
    "typeof",
    "unsafe",
    "unsized",
    "use",
    "uuid",
    "validate",
    "virtual",
    "while",
];

impl FromStr for Kind {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (name, arguments) = match text.split_once('(') {
            None => (text, None),
            Some((name, rest)) => {
                let arguments = rest.strip_suffix(')').ok_or("a `)` is missing")?;
                (name, Some(arguments))
            }
        };
        match (name, arguments) {
            ("string", None) => Ok(Self::Text { min: 1, max: 255 }),
            ("string", Some(range)) => {
                let (min, max) = bounds(range, 0, MAX_TEXT)?;
                if max == 0 || max > MAX_TEXT {
                    return Err(format!("a text has 1 to {MAX_TEXT} characters at most"));
                }
                Ok(Self::Text { min, max })
            }
            ("text", None) => Ok(Self::Text { min: 0, max: MAX_TEXT }),
            ("integer", None) => Ok(Self::Integer { min: -SAFE_INTEGER, max: SAFE_INTEGER }),
            ("integer", Some(range)) => {
                let (min, max) = bounds(range, -SAFE_INTEGER, SAFE_INTEGER)?;
                Ok(Self::Integer { min, max })
            }
            ("decimal", None) => Ok(Self::Decimal { digits: 12, places: 2 }),
            ("decimal", Some(arguments)) => {
                let (digits, places) =
                    arguments.split_once(',').ok_or("write decimal(DIGITS,PLACES)")?;
                let (digits, places) = (number(digits)?, number(places)?);
                if digits == 0 || digits > MAX_DIGITS || places > digits {
                    return Err(format!(
                        "a decimal has 1 to {MAX_DIGITS} digits, and no more places than digits"
                    ));
                }
                Ok(Self::Decimal { digits, places })
            }
            ("float", None) => Ok(Self::Float { min: None, max: None }),
            ("float", Some(range)) => float_bounds(range),
            ("boolean", None) => Ok(Self::Boolean),
            ("uuid", None) => Ok(Self::Uuid),
            ("date", None) => Ok(Self::Date),
            ("datetime", None) => Ok(Self::DateTime),
            ("time", None) => Ok(Self::Time),
            ("duration", None) => Ok(Self::Duration),
            ("enum", None) => Err("write its values, as enum(open|paid)".to_owned()),
            ("enum", Some(values)) => values.parse().map(Self::Enum),
            ("email", None) => Ok(Self::Email),
            ("url", None) => Ok(Self::Url),
            ("bytes", None) => Ok(Self::Bytes),
            _ => Err(format!("there is no type `{text}`; there are {KINDS}")),
        }
    }
}

fn number<T: FromStr>(text: &str) -> Result<T, String> {
    text.trim().parse().map_err(|_| format!("`{text}` is no number that fits"))
}

/// `0..1`, `..1.5` or `-1..`; both ends belong to it.
fn float_bounds(text: &str) -> Result<Kind, String> {
    let (min, max) = text.split_once("..").ok_or("write the bounds as 0..1, ..1.5 or -1..")?;
    let bound = |text: &str| {
        if text.trim().is_empty() {
            return Ok(None);
        }
        let bound: f64 = number(text)?;
        if bound.is_finite() {
            Ok(Some(bound + 0.0))
        } else {
            Err("a bound is a finite number".to_owned())
        }
    };
    match (bound(min)?, bound(max)?) {
        (Some(min), Some(max)) if min > max => Err(format!("{min} is more than {max}")),
        (min, max) => Ok(Kind::Float { min, max }),
    }
}

/// `1..40`, `..40` or `1..`; both ends belong to it.
fn bounds<T: FromStr + PartialOrd + fmt::Display>(
    text: &str,
    least: T,
    upper: T,
) -> Result<(T, T), String> {
    let (min, max) = text.split_once("..").ok_or("write the bounds as 1..40, ..40 or 1..")?;
    let min = if min.trim().is_empty() { least } else { number(min)? };
    let max = if max.trim().is_empty() { upper } else { number(max)? };
    if min > max { Err(format!("{min} is more than {max}")) } else { Ok((min, max)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_understood() {
        let field = |text: &str| text.parse::<Field>().unwrap();
        assert_eq!(field("number:string(1..40)").kind, Kind::Text { min: 1, max: 40 });
        assert_eq!(field("total:decimal").kind, Kind::Decimal { digits: 12, places: 2 });
        assert_eq!(field("at:integer(-5..5)").kind, Kind::Integer { min: -5, max: 5 });
        assert!(field("note:string?").nullable);
        assert_eq!(field("note:string(..9)").kind, Kind::Text { min: 0, max: 9 });
        assert_eq!(field("rate:float(..1.5)").kind, Kind::Float { min: None, max: Some(1.5) });
        assert_eq!(field("at:datetime?").kind, Kind::DateTime);
        let Kind::Enum(state) = field("state:enum(open|paid_late)").kind else { panic!("no enum") };
        assert_eq!(state.values(), ["open", "paid_late"]);

        let code = field("code:string:min=3:max=5:pattern='^a:(b|c)$':sample='a:b|a:c':secret");
        assert_eq!(code.kind, Kind::Text { min: 3, max: 5 });
        assert_eq!(code.options.pattern.as_deref(), Some("^a:(b|c)$"));
        assert_eq!(code.options.samples, ["a:b", "a:c"]);
        assert!(code.options.is_secret && !code.options.is_readonly);
        let state = field("state:enum(open|paid):default=paid:readonly:index");
        assert_eq!(state.options.default, Some("paid".into()));
        assert!(state.options.is_indexed && state.options.is_readonly);
        let number = field("number:string(..40)?:unique(owner)");
        assert_eq!((number.options.unique, number.nullable), (Some(Unique::Owner), true));
    }

    #[test]
    fn errors_are_reported() {
        for (text, reason) in [
            ("number", "write NAME:TYPE"),
            ("Number:string", "a name is of a-z"),
            ("id:uuid", "every resource has it"),
            ("type:string", "means something"),
            ("a:strng", "there is no type `strng`; there are string"),
            ("a:string(40)", "write the bounds"),
            ("a:string(9..1)", "9 is more than 1"),
            ("a:string(1..99999)", "1 to 10000"),
            ("a:string(1..4", "a `)` is missing"),
            ("a:string:uniq", "there is no option `uniq`; there are unique"),
            ("a:string:pattern='^a'", "needs `sample=ONE|OTHER`"),
            ("a:string:pattern='^a':sample=b", "its own sample `b`"),
            ("a:string:pattern='(':sample=b", "the pattern is none: error: unclosed group"),
            ("a:uuid:pattern=a:sample=a", "for string and text"),
            ("a:string:sample=a", "stands with `pattern`"),
            ("a:string?:default=a", "leave out `?`"),
            ("a:integer(0..9):default=10", "its own default `10`"),
            ("a:enum(x|y):default=z", "its own default `z`"),
            ("a:date:default=2026-01-01", "`default` is for"),
            ("a:integer:readonly", "begins with `default=`"),
            ("a:integer:readonly:default=1:unique", "not unique"),
            ("a:text:index", "no index of values as long"),
            ("a:boolean:unique", "`unique` is for"),
            ("a:string(1..9):unique", "`unique` is for"),
            ("a:float:filter", "`filter` is for"),
            ("a:uuid:filter:secret", "no filter"),
            ("skip:integer:filter", "every list has it already"),
            ("a:date:min=3", "`min` and `max` are for"),
            ("a:integer:min=3:max=2", "3 is more than 2"),
            ("a:float(x..1)", "`x` is no number"),
            ("a:float(nan..1)", "finite"),
            ("a:float(2..1)", "2 is more than 1"),
            ("a:datetime(1)", "there is no type"),
            ("a:enum", "write its values"),
            ("a:enum(a|A)", "`A`"),
            ("this_name_has_28_characters_:enum(a|b)", "a name is of a-z"),
            ("this_name_has_28_characters1:enum(a|b)", "at most 27"),
            ("a:decimal(2,3)", "no more places"),
            ("a:decimal(x,3)", "`x` is no number"),
        ] {
            let error = text.parse::<Field>().unwrap_err().to_string();
            assert!(error.starts_with(text) && error.contains(reason), "{text}: {error}");
        }
    }
}
