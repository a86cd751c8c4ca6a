//! What stands behind a type: `code:string(3..3):pattern='^[A-Z]+$':sample=ABC|XYZ:unique`.

use regex::Regex;
use serde_json::Value;

use super::{Kind, SAFE_INTEGER};

/// The longest text of an index: PostgreSQL's entries have 2704 bytes, and a character has up to four.
const MAX_INDEXED: usize = 500;
/// Unique values of tests need so many characters, or numbers.
const FRESH_TEXT: usize = 32;
const FRESH_NUMBERS: i64 = 2_000_000_000;

/// What a person may write, for `--help` and errors.
pub const OPTIONS: &str = "unique, unique(owner), index, filter, default=, min=, max=, pattern=, sample=, readonly, secret";

#[derive(Clone, Debug, Default, PartialEq)]
#[expect(clippy::struct_excessive_bools, reason = "each is an option of its own")]
pub(crate) struct Options {
    pub(crate) unique: Option<Unique>,
    pub(crate) is_indexed: bool,
    /// A parameter of the list narrows it to one value.
    pub(crate) is_filter: bool,
    /// What a request may leave out, or what is there from the beginning of a field that is read-only.
    pub(crate) default: Option<Value>,
    /// A regular expression that both languages understand.
    pub(crate) pattern: Option<String>,
    /// Values that the pattern allows.
    pub(crate) samples: Vec<String>,
    /// Only the service's own code sets it.
    pub(crate) is_readonly: bool,
    /// No answer shows it.
    pub(crate) is_secret: bool,
}

/// Among which rows a value is there once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unique {
    All,
    /// Those of the same owner.
    Owner,
}

impl Options {
    /// Reads them one by one; bounds become those of the type.
    pub(super) fn read(texts: &[&str], kind: &mut Kind, nullable: bool) -> Result<Self, String> {
        let mut options = Self::default();
        let mut default = None;
        for text in texts {
            match text.split_once('=').map_or((*text, None), |(name, rest)| (name, Some(rest))) {
                ("unique", None) => options.unique = Some(Unique::All),
                ("unique(owner)", None) => options.unique = Some(Unique::Owner),
                ("index", None) => options.is_indexed = true,
                ("filter", None) => options.is_filter = true,
                ("readonly", None) => options.is_readonly = true,
                ("secret", None) => options.is_secret = true,
                ("default", Some(value)) => default = Some(unquoted(value)?),
                ("min", Some(value)) => kind.narrow(Some(unquoted(value)?), None)?,
                ("max", Some(value)) => kind.narrow(None, Some(unquoted(value)?))?,
                ("pattern", Some(value)) => options.pattern = Some(unquoted(value)?.to_owned()),
                ("sample", Some(value)) => {
                    options.samples = unquoted(value)?.split('|').map(str::to_owned).collect();
                }
                _ => return Err(format!("there is no option `{text}`; there are {OPTIONS}")),
            }
        }
        options.check_samples(kind)?;
        options.default = default.map(|text| kind.literal(text)).transpose()?;
        options.check(kind, nullable)?;
        Ok(options)
    }

    /// Samples are there for patterns, which allow them.
    fn check_samples(&self, kind: &Kind) -> Result<(), String> {
        let Some(pattern) = &self.pattern else {
            let none = self.samples.is_empty();
            return if none { Ok(()) } else { Err("`sample` stands with `pattern`".to_owned()) };
        };
        let Kind::Text { min, max } = *kind else {
            return Err("`pattern` is for string and text".to_owned());
        };
        if !pattern.chars().all(|c| c.is_ascii_graphic()) {
            return Err("a pattern is of visible ASCII characters".to_owned());
        }
        let regex = Regex::new(pattern).map_err(|error| {
            let reason = error.to_string();
            format!("the pattern is none: {}", reason.lines().last().unwrap_or_default())
        })?;
        if self.samples.is_empty() {
            return Err(
                "a pattern needs `sample=ONE|OTHER`: texts that it allows, for tests".to_owned()
            );
        }
        let fits = |sample: &&String| {
            (min..=max).contains(&sample.chars().count()) && regex.is_match(sample)
        };
        match self.samples.iter().find(|sample| !fits(sample)) {
            None => Ok(()),
            Some(sample) => Err(format!("the field does not allow its own sample `{sample}`")),
        }
    }

    pub(crate) fn pattern(&self) -> Option<Regex> {
        Regex::new(self.pattern.as_ref()?).ok()
    }

    fn check(&self, kind: &Kind, nullable: bool) -> Result<(), String> {
        if self.default.is_some() && nullable {
            return Err("what has a default is not null: leave out `?` or `default`".to_owned());
        }
        if let (Some(Value::String(default)), Some(pattern)) = (&self.default, self.pattern())
            && !pattern.is_match(default)
        {
            return Err(format!("the pattern does not allow the default `{default}`"));
        }
        if self.is_readonly && self.default.is_none() && !nullable {
            return Err("what is readonly begins with `default=`, or with null: `?`".to_owned());
        }
        if self.is_readonly && self.unique.is_some() {
            return Err("what begins with the same value everywhere is not unique".to_owned());
        }
        let is_long = match kind {
            Kind::Text { max, .. } => *max > MAX_INDEXED,
            Kind::Url | Kind::Bytes => true,
            _ => false,
        };
        if is_long && (self.is_indexed || self.unique.is_some()) {
            return Err(format!(
                "PostgreSQL has no index of values as long as these: a string of {MAX_INDEXED} characters \
                 is the longest"
            ));
        }
        let is_plain = match kind {
            Kind::Integer { .. } | Kind::Boolean | Kind::Uuid | Kind::Date | Kind::Enum(_) => true,
            Kind::Text { .. } => !is_long,
            _ => false,
        };
        if self.is_filter && !is_plain {
            return Err(format!(
                "`filter` is for enum, boolean, uuid, date, integer, and string of at most {MAX_INDEXED} \
                 characters"
            ));
        }
        if self.is_filter && self.is_secret {
            return Err("what is secret is no filter: it could be guessed".to_owned());
        }
        if self.unique.is_some() && !can_be_unique(kind, self.pattern.is_some()) {
            return Err(format!(
                "`unique` is for uuid, email, string(..) of {FRESH_TEXT} characters or more without a \
                 pattern, and integer with {FRESH_NUMBERS} values or more"
            ));
        }
        Ok(())
    }
}

fn can_be_unique(kind: &Kind, has_pattern: bool) -> bool {
    match kind {
        Kind::Uuid | Kind::Email => true,
        Kind::Text { min, max } => *min <= FRESH_TEXT && *max >= FRESH_TEXT && !has_pattern,
        Kind::Integer { min, max } => max.checked_sub(*min).is_none_or(|all| all >= FRESH_NUMBERS),
        _ => false,
    }
}

impl Kind {
    /// Takes another lower or upper bound.
    fn narrow(&mut self, new_min: Option<&str>, new_max: Option<&str>) -> Result<(), String> {
        match self {
            Self::Text { min, max } => {
                read(new_min, min)?;
                read(new_max, max)?;
                (1..=super::MAX_TEXT).contains(max).then_some(()).ok_or("no such length")?;
                ordered(min, max)
            }
            Self::Integer { min, max } => {
                read(new_min, min)?;
                read(new_max, max)?;
                if *min < -SAFE_INTEGER || *max > SAFE_INTEGER {
                    return Err(format!("an integer is within ±{SAFE_INTEGER}"));
                }
                ordered(min, max)
            }
            Self::Float { min, max } => {
                for (bound, text) in [(&mut *min, new_min), (&mut *max, new_max)] {
                    if let Some(text) = text {
                        let number: f64 = super::number(text)?;
                        let number = number.is_finite().then_some(number + 0.0);
                        *bound = Some(number.ok_or("a bound is a finite number")?);
                    }
                }
                min.zip(*max).map_or(Ok(()), |(min, max)| ordered(&min, &max))
            }
            _ => Err("`min` and `max` are for string, integer and float".to_owned()),
        }
    }

    /// A default as JSON.
    fn literal(&self, text: &str) -> Result<Value, String> {
        let outside = || format!("the field does not allow its own default `{text}`");
        match self {
            Self::Text { min, max } => {
                let fits = (*min..=*max).contains(&text.chars().count());
                fits.then(|| text.into()).ok_or_else(outside)
            }
            Self::Integer { min, max } => {
                let number: i64 = super::number(text)?;
                (*min..=*max).contains(&number).then(|| number.into()).ok_or_else(outside)
            }
            Self::Float { min, max } => {
                let number: f64 = super::number(text)?;
                let fits = number.is_finite()
                    && min.is_none_or(|min| min <= number)
                    && max.is_none_or(|max| number <= max);
                fits.then(|| (number + 0.0).into()).ok_or_else(outside)
            }
            Self::Boolean => match text {
                "true" => Ok(true.into()),
                "false" => Ok(false.into()),
                _ => Err("a boolean is true or false".to_owned()),
            },
            Self::Enum(enumeration) => {
                let is_one = enumeration.values().iter().any(|value| value == text);
                is_one.then(|| text.into()).ok_or_else(outside)
            }
            _ => Err("`default` is for string, integer, float, boolean and enum".to_owned()),
        }
    }
}

fn read<T: std::str::FromStr>(text: Option<&str>, bound: &mut T) -> Result<(), String> {
    if let Some(text) = text {
        *bound = super::number(text)?;
    }
    Ok(())
}

fn ordered<T: PartialOrd + std::fmt::Display>(min: &T, max: &T) -> Result<(), String> {
    if min > max { Err(format!("{min} is more than {max}")) } else { Ok(()) }
}

/// A value may stand in single quotes.
fn unquoted(text: &str) -> Result<&str, String> {
    match text.strip_prefix('\'') {
        None => Ok(text),
        Some(rest) => rest.strip_suffix('\'').ok_or_else(|| "a `'` is missing".to_owned()),
    }
}

/// The parts between colons that are neither in parentheses nor in single quotes.
pub(super) fn parts(text: &str) -> Vec<&str> {
    let (mut parts, mut start, mut depth, mut is_quoted) = (Vec::new(), 0, 0_u32, false);
    for (at, c) in text.char_indices() {
        match c {
            '\'' => is_quoted = !is_quoted,
            '(' if !is_quoted => depth += 1,
            ')' if !is_quoted => depth = depth.saturating_sub(1),
            ':' if !is_quoted && depth == 0 => {
                parts.push(&text[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    parts.push(&text[start..]);
    parts
}
