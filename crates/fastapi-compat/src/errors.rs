//! Validation errors in pydantic's shape, and the 422 that carries them.

use std::borrow::Cow;

use axum::response::{IntoResponse, Response};
use http::StatusCode;
use serde::Serialize;

use crate::json::JsonError;
use crate::response::json;
use crate::value::Value;

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

/// The `ctx` of an error: the one parameter of its message.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Context {
    MinLength(usize),
    MaxLength(usize),
    Ge(i64),
    Le(i64),
    Pattern(&'static str),
    Reason(String),
    Error(String),
}

/// One error, as it stands in the list `detail`.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Detail {
    #[serde(rename = "type")]
    kind: &'static str,
    loc: Vec<OwnedStep>,
    msg: Cow<'static, str>,
    input: Value,
    #[serde(skip_serializing_if = "Option::is_none")]
    ctx: Option<Context>,
}

/// The errors found so far; an answer names them all.
#[derive(Debug, Default)]
pub struct Errors(Vec<Detail>);

impl Errors {
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Adds an error and gives `None`, the value that could not be decoded.
    pub fn add<T>(
        &mut self,
        kind: &'static str,
        at: &Loc<'_>,
        msg: impl Into<Cow<'static, str>>,
        input: &Value,
        ctx: Option<Context>,
    ) -> Option<T> {
        let (loc, msg, input) = (at.steps(), msg.into(), input.clone());
        self.0.push(Detail { kind, loc, msg, input, ctx });
        None
    }

    /// A required field that is not there; `input` is the object that lacks it, or null.
    pub fn missing<T>(&mut self, at: &Loc<'_>, input: &Value) -> Option<T> {
        self.add("missing", at, "Field required", input, None)
    }
}

impl IntoResponse for Errors {
    fn into_response(self) -> Response {
        #[derive(Serialize)]
        struct Body {
            detail: Vec<Detail>,
        }
        json(StatusCode::UNPROCESSABLE_ENTITY, &Body { detail: self.0 })
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
                    Some(Context::Error(message.to_owned())),
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
