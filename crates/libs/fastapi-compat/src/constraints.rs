//! What a field demands beyond its type.

use std::cmp::Ordering;
use std::fmt;
use std::sync::LazyLock;

use regex::Regex;

use crate::errors::{Errors, Loc};
use crate::value::Value;

/// What a field demands beyond its type. The derive fills it from `#[schema(…)]` or `#[decode(…)]`.
#[derive(Clone, Copy, Debug, Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is one of pydantic's")]
pub struct Constraints {
    /// In characters of a text, bytes of a URL, or items of a collection.
    pub min_length: Option<usize>,
    /// The largest length, in the units of `min_length`.
    pub max_length: Option<usize>,
    /// Greater than or equal to it.
    pub ge: Option<Number>,
    /// Less than or equal to it.
    pub le: Option<Number>,
    /// Greater than it.
    pub gt: Option<Number>,
    /// Less than it.
    pub lt: Option<Number>,
    /// A multiple of it.
    pub multiple_of: Option<Number>,
    /// A regular expression that is found in the text, not necessarily all of it.
    pub pattern: Option<&'static Pattern>,
    /// White space at both ends is removed first, as Python's `str.strip` does it.
    pub strip_whitespace: bool,
    /// The text is brought into lower case.
    pub to_lower: bool,
    /// The text is brought into upper case.
    pub to_upper: bool,
    /// Floats may be infinite or not a number unless this is false, decimals only if it is true.
    pub allow_inf_nan: Option<bool>,
    /// The largest number of digits of a decimal, before and after the point together.
    pub max_digits: Option<u64>,
    /// The largest number of digits of a decimal after the point.
    pub decimal_places: Option<u64>,
    /// Refuses what a `varchar(n)` cannot hold on every database: more than `n` characters, U+0000.
    pub storable: Option<usize>,
    /// No value of another JSON type is read as one of this type.
    pub strict: bool,
    /// It may be absent, but is not null: Python's `x: T = None`.
    pub not_null: bool,
}

/// Which constraints a type heeds; the derive refuses the others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Accepts(u8);

impl Accepts {
    /// None of them.
    pub const NONE: Self = Self(0);
    /// `min_length`, `max_length`.
    pub const LENGTH: Self = Self(1);
    /// `ge`, `le`, `gt`, `lt`.
    pub const BOUNDS: Self = Self(2);
    /// `multiple_of`.
    pub const MULTIPLE: Self = Self(4);
    /// `pattern`, `strip_whitespace`, `to_lower`, `to_upper`, `storable`.
    pub const TEXT: Self = Self(8);
    /// `max_digits`, `decimal_places`.
    pub const DIGITS: Self = Self(16);
    /// `allow_inf_nan`.
    pub const INFINITY: Self = Self(32);
    /// `strict`.
    pub const STRICT: Self = Self(64);
    /// No constraint: in a strict model its values are read strictly.
    pub const IN_STRICT: Self = Self(128);
    /// All of them.
    pub const ALL: Self = Self(255);

    /// Of these, what a strict model demands.
    #[must_use]
    pub const fn in_strict(self) -> Self {
        Self(self.0 & Self::IN_STRICT.0)
    }

    /// These and others.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether the others are among these.
    pub const fn has(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }
}

impl Constraints {
    /// No constraints.
    pub const NONE: Self = Self {
        min_length: None,
        max_length: None,
        ge: None,
        le: None,
        gt: None,
        lt: None,
        multiple_of: None,
        pattern: None,
        strip_whitespace: false,
        to_lower: false,
        to_upper: false,
        allow_inf_nan: None,
        max_digits: None,
        decimal_places: None,
        storable: None,
        strict: false,
        not_null: false,
    };

    /// Whether there is a bound or a divisor.
    pub(crate) const fn bounds_a_number(&self) -> bool {
        self.ge.is_some()
            || self.le.is_some()
            || self.gt.is_some()
            || self.lt.is_some()
            || self.multiple_of.is_some()
    }

    /// The first bound that is not kept, in pydantic's order. `read` makes a bound of a number,
    /// `compare` the value with it; what cannot be compared keeps none.
    pub(crate) fn broken_bound<B>(
        &self,
        read: impl Fn(Number) -> Option<B>,
        compare: impl Fn(&B) -> Option<Ordering>,
    ) -> Option<BrokenBound<B>> {
        type Bound = (Option<Number>, fn(Ordering) -> bool, [&'static str; 3]);
        let bounds: [Bound; 4] = [
            (self.le, Ordering::is_le, ["less_than_equal", "less than or equal to", "le"]),
            (self.lt, Ordering::is_lt, ["less_than", "less than", "lt"]),
            (self.ge, Ordering::is_ge, ["greater_than_equal", "greater than or equal to", "ge"]),
            (self.gt, Ordering::is_gt, ["greater_than", "greater than", "gt"]),
        ];
        bounds.into_iter().find_map(|(bound, holds, [kind, words, key])| {
            let bound = read(bound?)?;
            let kept = compare(&bound).is_some_and(holds);
            (!kept).then_some(BrokenBound { kind, words, key, bound })
        })
    }

    /// Whether a text may be refused or changed.
    pub(crate) const fn restricts_a_text(&self) -> bool {
        self.min_length.is_some()
            || self.max_length.is_some()
            || self.pattern.is_some()
            || self.strip_whitespace
            || self.to_lower
            || self.to_upper
    }
}

/// A bound or a divisor that a value does not meet.
pub(crate) struct BrokenBound<B> {
    kind: &'static str,
    words: &'static str,
    key: &'static str,
    bound: B,
}

impl<B> BrokenBound<B> {
    pub(crate) const fn multiple_of(bound: B) -> Self {
        Self { kind: "multiple_of", words: "a multiple of", key: "multiple_of", bound }
    }
}

impl<B: fmt::Display> BrokenBound<B> {
    /// Adds the error; `encode` writes the bound into its context.
    pub(crate) fn add<T>(
        &self,
        encode: impl FnOnce(&B) -> Value,
        input: &Value,
        at: &Loc<'_>,
        errors: &mut Errors,
    ) -> Option<T> {
        let msg = format!("Input should be {} {}", self.words, self.bound);
        errors.add(self.kind, at, msg, input, &[(self.key, encode(&self.bound))])
    }
}

/// A bound as it stands in the code; each type reads it in its own way.
#[derive(Clone, Copy, Debug)]
pub struct Number {
    /// As it stands in the code, without underscores or suffix.
    pub text: &'static str,
    /// For integers: the number, or the nearest that 64 bits can hold.
    pub int: i64,
    /// For floats: the number, or the nearest float.
    pub float: f64,
}

/// A regular expression, in the dialect that pydantic uses too: that of the `regex` crate.
#[derive(Debug)]
pub struct Pattern {
    /// As it stands in the code and in messages.
    pub text: &'static str,
    /// Compiled when it is used first.
    pub regex: LazyLock<Regex>,
}

impl Pattern {
    pub(crate) fn matches(&self, text: &str) -> bool {
        self.regex.is_match(text)
    }
}

/// Compiles an expression that the derive has checked.
///
/// # Panics
/// If it is invalid.
pub fn regex(text: &str) -> Regex {
    #[expect(clippy::expect_used, reason = "checked when the model was compiled")]
    Regex::new(text).expect("the derive has checked it")
}
