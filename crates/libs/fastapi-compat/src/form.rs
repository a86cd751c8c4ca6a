//! Forms: url-encoded and multipart.

use std::borrow::Cow;

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use http::request::Parts;
use http::{StatusCode, header};
use indexmap::IndexMap;
use utoipa::ToSchema;

use crate::body::LARGE;
use crate::dialect::{Switch, has};
use crate::errors::{Errors, Loc};
use crate::extract::{Input, body_extractor};
use crate::field_names::Name;
use crate::model::{Fields, Model};
use crate::multipart;
use crate::offload::offload;
use crate::openapi::OperationDocument;
use crate::read_body::read_body;
use crate::response::{HttpError, internal_server_error};
use crate::source::{Source, decode_parameters};
use crate::urlencoded::{Parameters, Refusal, check_limits, pairs};
use crate::value::Value;

/// The fields of a form, or a form that is a model: `#[schema(model)]`. An empty field counts as absent; of a repeated field the last counts, or all
/// for a list; a body of another content type is an empty form.
#[derive(Debug)]
pub struct Form<T>(pub T);

impl<T: Model + ToSchema> Input for Form<T> {
    type Read = Vec<(String, Value)>;

    async fn read(parts: &Parts, body: Body) -> Result<Self::Read, Response> {
        let content_type = parts.headers.get(header::CONTENT_TYPE).and_then(|v| v.to_str().ok());
        let content_type = content_type.unwrap_or_default();
        let media_type = content_type.split(';').next().unwrap_or_default().trim();
        let is_multipart = media_type.eq_ignore_ascii_case("multipart/form-data");
        if !is_multipart && !media_type.eq_ignore_ascii_case("application/x-www-form-urlencoded") {
            return Ok(Vec::new());
        }
        let body = read_body(parts, body).await?;
        let read = if body.len() > LARGE {
            let content_type = content_type.to_owned();
            let read = offload(move || parse(&body, is_multipart, &content_type)).await;
            read.ok_or_else(internal_server_error)?
        } else {
            parse(&body, is_multipart, content_type)
        };
        read.map_err(refuse)
    }

    fn decode(fields: Self::Read, _: &Parts, errors: &mut Errors) -> Option<Self> {
        decode_parameters(&FormFields(Parameters(fields)), &Loc::root("body"), errors).map(Self)
    }

    fn describe(operation: &mut OperationDocument<'_>) {
        operation.form_body::<T>();
    }
}

body_extractor!(Form[Model + ToSchema]);

fn parse(
    body: &[u8],
    is_multipart: bool,
    content_type: &str,
) -> Result<Vec<(String, Value)>, Refusal> {
    if is_multipart {
        return multipart::parse(body, content_type);
    }
    check_limits(body)?;
    Ok(pairs(body))
}

struct FormFields(Parameters);

impl FormFields {
    /// The last of a name counts, unless it is empty; in a list only files may not be.
    fn read(&self, name: &Name, all: bool, keeps_empty: bool) -> Option<Cow<'_, Value>> {
        let no_file = |value: &Value| matches!(value, Value::File(file) if file.is_empty());
        let is_empty = |value: &Value| matches!(value, Value::Str(text) if text.is_empty());
        match self.0.get(name, all)? {
            Cow::Owned(Value::Array(items)) => {
                let items: Vec<_> =
                    items.iter().filter(|item| !no_file(item)).map(Cow::into_owned).collect();
                (!items.is_empty()).then(|| Cow::Owned(items.into()))
            }
            value if is_empty(&value) && keeps_empty => Some(value),
            value if no_file(&value) || is_empty(&value) => None,
            value => Some(value),
        }
    }
}

impl Fields for FormFields {
    fn get(&self, name: &Name, all: bool) -> Option<Cow<'_, Value>> {
        self.read(name, all, false)
    }

    fn empty(&self, name: &Name) -> Option<Cow<'_, Value>> {
        let is_given = has(Switch::EmptyFormFieldsAreGiven);
        self.read(name, false, true).filter(|_| is_given)
    }

    fn whole(&self) -> &Value {
        self.0.whole()
    }

    fn alias_choices(&self) -> Option<Switch> {
        Some(Switch::FormAliasChoicesAreNames)
    }
}

impl Source for FormFields {
    const SKIPS_EMPTY: bool = true;

    fn key(&self, name: &Name) -> Cow<'static, str> {
        self.0.key(name)
    }

    fn given(&self, name: &Name, all: bool) -> Option<Cow<'_, Value>> {
        self.read(name, all, has(Switch::EmptyFieldsOfFormModelsAreGiven))
    }

    fn has(&self, key: &str) -> bool {
        self.0.has(key)
    }

    fn others(&self, taken: &[String]) -> IndexMap<String, Value> {
        self.0.others(taken)
    }
}

fn refuse(detail: Refusal) -> Response {
    HttpError::new(StatusCode::BAD_REQUEST, detail).into_response()
}
