//! Validation errors in pydantic's shape, and the 422 that carries them.

use std::borrow::Cow;

use axum::response::{IntoResponse, Response};
use http::StatusCode;
use serde::{Serialize, Serializer};

use crate::json::JsonError;
use crate::response::json;
use crate::value::{Dumped, Value, dump};

/// One step of the way to a value: a field's name or a position in a list.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(untagged)]
pub(crate) enum Step<'a> {
    Name(&'a str),
    Index(usize),
}

/// Where a value stands in the request, from the inside out; it lives on the stack while decoding.
#[derive(Clone, Copy, Debug)]
pub struct Loc<'a> {
    parent: Option<&'a Loc<'a>>,
    step: Step<'a>,
}

impl<'a> Loc<'a> {
    /// The beginning: `body`, `path`, `query`, `header` or `cookie`.
    pub const fn root(name: &'a str) -> Self {
        Self { parent: None, step: Step::Name(name) }
    }

    #[must_use]
    pub const fn field(&'a self, name: &'a str) -> Self {
        Self { parent: Some(self), step: Step::Name(name) }
    }

    #[must_use]
    pub const fn index(&'a self, index: usize) -> Self {
        Self { parent: Some(self), step: Step::Index(index) }
    }

    fn steps(self) -> Vec<OwnedStep> {
        let mut steps = self.parent.map_or_else(Vec::new, |parent| parent.steps());
        steps.push(match self.step {
            Step::Name(name) => OwnedStep::Name(name.to_owned()),
            Step::Index(index) => OwnedStep::Index(index),
        });
        steps
    }
}

#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged)]
enum OwnedStep {
    Name(String),
    Index(usize),
}

/// The `ctx` of an error: the parameters of its message.
pub type Context = [(&'static str, Value)];

/// One error, as it stands in the list `detail`.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Detail {
    #[serde(rename = "type")]
    kind: &'static str,
    loc: Vec<OwnedStep>,
    msg: Cow<'static, str>,
    #[serde(serialize_with = "dump")]
    input: Value,
    #[serde(skip_serializing_if = "Vec::is_empty", serialize_with = "as_map")]
    ctx: Vec<(&'static str, Value)>,
}

fn as_map<S: Serializer>(
    ctx: &Vec<(&'static str, Value)>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.collect_map(ctx.iter().map(|(key, value)| (key, Dumped(value))))
}

/// How well a value fits its type; the worst first. A union takes the choice that fits best.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Exactness {
    /// It was coerced.
    Lax,
    /// It is of a type that stands for another one, like an integer for a float.
    Strict,
    Exact,
}

/// The errors found so far, which an answer names all, and how well the valid values fit.
#[derive(Debug)]
pub struct Errors {
    details: Vec<Detail>,
    pub(crate) exactness: Exactness,
    /// How many fields of models were given, if there was a model.
    pub(crate) fields_set: Option<usize>,
}

impl Default for Errors {
    fn default() -> Self {
        Self { details: Vec::new(), exactness: Exactness::Exact, fields_set: None }
    }
}

impl Errors {
    pub fn is_empty(&self) -> bool {
        self.details.is_empty()
    }

    pub(crate) fn len(&self) -> usize {
        self.details.len()
    }

    /// Forgets the errors from the `start`-th on.
    pub(crate) fn truncate(&mut self, start: usize) {
        self.details.truncate(start);
    }

    /// Takes the errors from the `start`-th on.
    pub(crate) fn split_off(&mut self, start: usize) -> Vec<Detail> {
        self.details.split_off(start)
    }

    pub(crate) fn extend(&mut self, details: Vec<Detail>) {
        self.details.extend(details);
    }

    /// The value fits no better than this.
    pub(crate) fn fits(&mut self, exactness: Exactness) {
        self.exactness = self.exactness.min(exactness);
    }

    pub(crate) fn add_fields_set(&mut self, count: usize) {
        *self.fields_set.get_or_insert(0) += count;
    }

    /// Adds an error and gives `None`, the value that could not be decoded.
    pub fn add<T>(
        &mut self,
        kind: &'static str,
        at: &Loc<'_>,
        msg: impl Into<Cow<'static, str>>,
        input: &Value,
        ctx: &Context,
    ) -> Option<T> {
        let (loc, msg, input, ctx) = (at.steps(), msg.into(), input.clone(), ctx.to_vec());
        self.details.push(Detail { kind, loc, msg, input, ctx });
        None
    }

    /// A required field that is not there; `input` is the object that lacks it, or null.
    pub fn missing<T>(&mut self, at: &Loc<'_>, input: &Value) -> Option<T> {
        self.add("missing", at, "Field required", input, &[])
    }
}

impl IntoResponse for Errors {
    fn into_response(self) -> Response {
        #[derive(Serialize)]
        struct Body {
            detail: Vec<Detail>,
        }
        json(StatusCode::UNPROCESSABLE_ENTITY, &Body { detail: self.details })
    }
}

impl IntoResponse for JsonError {
    fn into_response(self) -> Response {
        match self {
            Self::Syntax { message, position } => {
                let root = Loc::root("body");
                let mut errors = Errors::default();
                let _: Option<()> = errors.add(
                    "json_invalid",
                    &root.index(position),
                    "JSON decode error",
                    &Value::Object(indexmap::IndexMap::new()),
                    &[("error", message.into())],
                );
                errors.into_response()
            }
            Self::Unreadable => unreadable_body(),
        }
    }
}

/// What FastAPI answers when reading the body fails for any reason but its JSON syntax.
pub(crate) fn unreadable_body() -> Response {
    crate::response::HttpError::new(StatusCode::BAD_REQUEST, "There was an error parsing the body")
        .into_response()
}
