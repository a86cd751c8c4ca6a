//! How a request may name the field of a model.

use std::borrow::Cow;

use crate::alias_path::{self, AliasStep};
use crate::dialect::{Switch, has};
use crate::value::{Object, Value};

/// A field as the request may name it.
#[derive(Clone, Copy, Debug)]
pub struct FieldNames {
    /// Its names: the first that is given counts, and errors of an absent one show the first.
    pub names: &'static [Name],
    /// Its name in Python.
    pub own: Name,
    /// Whether parameters of the same name make one value: a list.
    pub is_sequence: bool,
    /// Its default, if the document shows one.
    pub default: Option<fn() -> serde_json::Value>,
}

impl FieldNames {
    /// The names of one that is a parameter: `AliasChoices` were not known to FastAPI.
    pub(crate) fn of_parameter(&self, switch: Switch) -> &[Name] {
        of_parameter(self.names, &self.own, switch)
    }
}

pub(crate) fn of_parameter<'a>(names: &'a [Name], own: &'a Name, switch: Switch) -> &'a [Name] {
    if names.len() > 1 && has(switch) { std::slice::from_ref(own) } else { names }
}

/// A name of a field in a request.
#[derive(Clone, Copy, Debug)]
pub struct Name {
    /// As it stands in JSON, a query, a cookie or a form.
    pub text: &'static str,
    /// Whether a header has `-` for each `_` in it.
    pub converts_underscores: bool,
    /// `AliasPath`: where the value stands in the object, if that is not at [`Self::text`].
    pub path: &'static [AliasStep],
}

impl Name {
    /// The key of the object in which the value stands.
    pub(crate) fn key(&self) -> &'static str {
        match self.path.first() {
            Some(AliasStep::Key(key)) => key,
            _ => self.text,
        }
    }

    /// What an object has by this name.
    pub(crate) fn find<'a>(&self, object: &'a Object) -> Option<Cow<'a, Value>> {
        match self.path {
            [AliasStep::Key(key), rest @ ..] => alias_path::find(object, key, rest),
            _ => object.get(self.text),
        }
    }

    /// The name of the header.
    pub(crate) fn of_header(&self) -> Cow<'static, str> {
        if self.converts_underscores && self.text.contains('_') {
            self.text.replace('_', "-").into()
        } else {
            self.text.into()
        }
    }
}
