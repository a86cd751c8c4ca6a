//! Forms: url-encoded and multipart.

use std::borrow::Cow;

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use http::request::Parts;
use http::{StatusCode, header};
use utoipa::ToSchema;

use crate::body::{LARGE, read_body};
use crate::decode::{Fields, Model};
use crate::errors::{Errors, Loc};
use crate::extract::{Input, body_extractor};
use crate::multipart::{self, Refusal};
use crate::offload::offload;
use crate::openapi::OperationDocument;
use crate::params::Parameters;
use crate::response::{HttpError, internal_server_error};
use crate::value::Value;

/// A form as a model. An empty field counts as absent; of a repeated field the last counts, or all
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
        T::from_fields(&FormFields(Parameters(fields)), &Loc::root("body"), errors).map(Self)
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

impl Fields for FormFields {
    /// The last of a name counts, unless it is empty; in a list only files may not be.
    fn get(&self, name: &str, all: bool) -> Option<Cow<'_, Value>> {
        let no_file = |value: &Value| matches!(value, Value::File(file) if file.is_empty());
        let is_empty = |value: &Value| matches!(value, Value::Str(text) if text.is_empty());
        match self.0.get(name, all)? {
            Cow::Owned(Value::Array(items)) => {
                let items: Vec<_> =
                    items.iter().filter(|item| !no_file(item)).map(Cow::into_owned).collect();
                (!items.is_empty()).then(|| Cow::Owned(items.into()))
            }
            value if no_file(&value) || is_empty(&value) => None,
            value => Some(value),
        }
    }

    fn whole(&self) -> &Value {
        self.0.whole()
    }
}

fn refuse(detail: Refusal) -> Response {
    HttpError::new(StatusCode::BAD_REQUEST, detail).into_response()
}

/// Starlette's limits: the number of fields and files of a form, and the bytes of a field.
pub(crate) const MAX_FIELDS: usize = 1000;
pub(crate) const MAX_FIELD: usize = 1024 * 1024;

pub(crate) fn check_limits(form: &[u8]) -> Result<(), Refusal> {
    let fields = form.split(|&byte| byte == b'&').filter(|field| !field.is_empty());
    for (index, field) in fields.enumerate() {
        let equals = usize::from(field.contains(&b'='));
        if field.len() - equals > MAX_FIELD {
            return Err(format!("Field exceeded maximum size of {}KB.", MAX_FIELD / 1024));
        }
        if index == MAX_FIELDS {
            return Err(format!("Too many fields. Maximum number of fields is {MAX_FIELDS}."));
        }
    }
    Ok(())
}

/// Splits a query or an url-encoded form as `urllib.parse.parse_qsl` does, keeping empty values.
pub(crate) fn pairs(text: &[u8]) -> Vec<(String, Value)> {
    text.split(|&byte| byte == b'&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| {
            let mut halves = pair.splitn(2, |&byte| byte == b'=');
            let mut half = || unquote_plus(halves.next().unwrap_or_default());
            (half(), half().into())
        })
        .collect()
}

/// Percent-decoding in which `+` is a space; what is not UTF-8 becomes U+FFFD.
fn unquote_plus(text: &[u8]) -> String {
    let spaced: Vec<u8> = text.iter().map(|&b| if b == b'+' { b' ' } else { b }).collect();
    let bytes: Vec<u8> = percent_encoding::percent_decode(&spaced).collect();
    decode_replacing(&bytes)
}

/// UTF-8 with Python's `errors="replace"`.
pub(crate) fn decode_replacing(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
