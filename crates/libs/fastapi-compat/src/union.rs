//! Unions: the choice that fits best, or the one that a tag names.

use crate::choice::{Fixed, literal_position};
use crate::constraints::Constraints;
use crate::decode::Decode;
use crate::dialect::{Switch, has};
use crate::errors::{Errors, Exactness, Loc, Taken};
use crate::model::Model;
use crate::value::Value;

/// A union on the way to its value; the derive offers it each choice in turn.
///
/// pydantic's "smart mode": what fits exactly wins at once, among models the one that was given most
/// fields, else what fits best, else the first.
pub struct Union<'a, U> {
    input: &'a Value,
    at: &'a Loc<'a>,
    best: Option<(U, Exactness, Option<usize>)>,
    failures: Taken,
    decided: bool,
}

impl<'a, U> Union<'a, U> {
    /// No choice has been offered yet.
    pub fn new(input: &'a Value, at: &'a Loc<'a>) -> Self {
        Self { input, at, best: None, failures: Taken::default(), decided: false }
    }

    /// Offers the next choice; `wrap` makes the union of its value.
    pub fn choice<T: Decode>(
        &mut self,
        constraints: &Constraints,
        wrap: fn(T) -> U,
        errors: &mut Errors,
    ) {
        if self.decided {
            return;
        }
        let before = (errors.exactness, errors.fields_set, errors.len());
        (errors.exactness, errors.fields_set) = (Exactness::Exact, None);
        let name = T::name(constraints);
        let value = T::decode(self.input, constraints, &self.at.field(&name), errors);
        let exactness = errors.exactness;
        let fields_set = errors.fields_set.filter(|_| !has(Switch::UnionsIgnoreFields));
        (errors.exactness, errors.fields_set) = (before.0, before.1);
        let failures = errors.split_off(before.2);
        let Some(value) = value else {
            if self.best.is_none() {
                self.failures.extend(failures);
            }
            return;
        };
        self.decided = exactness == Exactness::Exact && fields_set.is_none();
        let better = self.best.as_ref().is_none_or(|(_, best, max)| match (*max, fields_set) {
            (Some(max), Some(count)) if max != count => count > max,
            _ => exactness > *best,
        });
        if self.decided || better {
            self.best = Some((wrap(value), exactness, fields_set));
        }
    }

    /// The value of the best choice, or `None`: then the errors of all choices are added to `errors`.
    pub fn finish(self, errors: &mut Errors) -> Option<U> {
        let Some((value, exactness, fields_set)) = self.best else {
            errors.extend(self.failures);
            return None;
        };
        if !self.decided {
            errors.fits(exactness);
            if let Some(count) = fields_set {
                errors.add_fields_set(count);
            }
        }
        Some(value)
    }
}

/// What may be a choice of a union with a discriminator that is a field: what is read from objects.
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no field that could be the discriminator",
    label = "a choice here is a model, or another union with a discriminator",
    note = "of other types a function gives the tag: `#[schema(discriminator = function)]`"
)]
pub trait Tagged {}

impl<M: Model> Tagged for M {}

/// A tag as errors show it.
#[derive(Debug)]
pub enum Tag {
    /// As Python's `str` writes it.
    Text(String),
    /// An integer.
    Index(usize),
}

impl Tag {
    /// The location of the choice that it names.
    pub fn below<'a>(&'a self, at: &'a Loc<'a>) -> Loc<'a> {
        match self {
            Self::Text(text) => at.field(text),
            Self::Index(index) => at.index(*index),
        }
    }
}

/// The position of a discriminated union's choice, and the tag that names it.
///
/// `known` are the tags of all choices.
pub fn tag(
    input: &Value,
    discriminator: &str,
    known: &[Fixed],
    at: &Loc<'_>,
    errors: &mut Errors,
) -> Option<(usize, Tag)> {
    let Value::Object(fields) = input else {
        let msg = "Input should be a valid dictionary or object to extract fields from";
        return errors.add("model_attributes_type", at, msg, input, &[]);
    };
    let quoted = format!("'{discriminator}'");
    let Some(tag) = fields.get(discriminator) else {
        let msg = format!("Unable to extract tag using discriminator {quoted}");
        return errors.add(
            "union_tag_not_found",
            at,
            msg,
            input,
            &[("discriminator", quoted.into())],
        );
    };
    named(&tag, &quoted, known, input, at, errors)
}

/// The same of a union whose discriminator is a function, `name()`.
pub fn tag_by(
    input: &Value,
    (function, name): (fn(&Value) -> Option<Value>, &str),
    known: &[Fixed],
    at: &Loc<'_>,
    errors: &mut Errors,
) -> Option<(usize, Tag)> {
    let shown = format!("{name}()");
    match function(input) {
        None | Some(Value::Null) => {
            let msg = format!("Unable to extract tag using discriminator {shown}");
            let ctx = [("discriminator", shown.into())];
            errors.add("union_tag_not_found", at, msg, input, &ctx)
        }
        Some(tag) => named(&tag, &shown, known, input, at, errors),
    }
}

/// The position of the choice that a tag names.
fn named(
    tag: &Value,
    discriminator: &str,
    known: &[Fixed],
    input: &Value,
    at: &Loc<'_>,
    errors: &mut Errors,
) -> Option<(usize, Tag)> {
    if let Some(position) = literal_position(tag, known) {
        let shown = match tag {
            Value::Int(number) => usize::try_from(*number).ok().map(Tag::Index),
            Value::Bool(value) => Some(Tag::Index((*value).into())),
            _ => None,
        };
        return Some((position, shown.unwrap_or_else(|| Tag::Text(crate::python::str(tag)))));
    }
    let expected: Vec<_> = known.iter().map(|tag| tag.repr()).collect();
    let (tag, expected) = (crate::python::str(tag), expected.join(", "));
    let msg = format!(
        "Input tag '{tag}' found using {discriminator} does not match any of the expected tags: \
         {expected}"
    );
    let ctx = [
        ("discriminator", discriminator.into()),
        ("tag", tag.into()),
        ("expected_tags", expected.into()),
    ];
    errors.add("union_tag_invalid", at, msg, input, &ctx)
}
