//! JSON bodies.

use std::borrow::Cow;

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http::request::Parts;
use http::{HeaderMap, HeaderValue, StatusCode, header};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use serde::de::DeserializeOwned;

use crate::constraints::Constraints;
use crate::decode::{Decode, Fields, Model};
use crate::errors::{Errors, Loc, unreadable_body};
use crate::extract::{Input, body_extractor};
use crate::json::{self, MAX_DEPTH, MAX_INT_DIGITS};
use crate::layers::BodyLimit;
use crate::openapi::{ModelSchema, OperationDocument, Schema};
use crate::response::{HttpError, Json};
use crate::value::Value;

/// A JSON body that has been read: most are valid as they stand, the others have to be looked at
/// again, with patience.
#[derive(Debug)]
pub enum JsonBody<T> {
    Valid(T),
    Explain(Option<Value>),
}

impl<T: Decode + Schema + DeserializeOwned + Send> Input for Json<T> {
    type Read = JsonBody<T>;

    async fn read(parts: &Parts, body: Body) -> Result<JsonBody<T>, Response> {
        let body = read_body(parts, body).await?;
        if body.is_empty() {
            return Ok(JsonBody::Explain(None));
        }
        if !is_json(&parts.headers) {
            let text = String::from_utf8_lossy(&body).into_owned();
            return Ok(JsonBody::Explain(Some(Value::Str(text))));
        }
        if let Some(value) = decode_strictly(&body) {
            return Ok(JsonBody::Valid(value));
        }
        let value = json::decode(&body).map_err(IntoResponse::into_response)?;
        Ok(JsonBody::Explain(Some(value)))
    }

    fn decode(read: JsonBody<T>, _: &Parts, errors: &mut Errors) -> Option<Self> {
        let root = Loc::root("body");
        match read {
            JsonBody::Valid(value) => Some(Self(value)),
            JsonBody::Explain(Some(value)) => {
                T::decode(&value, &Constraints::NONE, &root, errors).map(Self)
            }
            JsonBody::Explain(None) => match T::absent() {
                Some(absent) => Some(Self(absent)),
                None => errors.missing(&root, &Value::Null),
            },
        }
    }

    fn describe(operation: &mut OperationDocument<'_>) {
        operation.json_body::<T>();
    }
}

body_extractor!(Json[Decode + Schema + DeserializeOwned + Send]);
body_extractor!(Embedded[Model + ModelSchema + Send]);

/// Several parameters of the body, or one with `embed=True`: each is a field of one object.
#[derive(Debug)]
pub struct Embedded<T>(pub T);

impl<T: Model + ModelSchema + Send> Input for Embedded<T> {
    type Read = Option<Value>;

    async fn read(parts: &Parts, body: Body) -> Result<Self::Read, Response> {
        let body = read_body(parts, body).await?;
        if body.is_empty() || !is_json(&parts.headers) {
            return Ok(None);
        }
        json::decode(&body).map(Some).map_err(IntoResponse::into_response)
    }

    fn decode(body: Self::Read, _: &Parts, errors: &mut Errors) -> Option<Self> {
        T::from_fields(&EmbeddedFields(body), &Loc::root("body"), errors).map(Self)
    }

    fn describe(operation: &mut OperationDocument<'_>) {
        operation.fields_body::<T>("application/json");
    }
}

/// The object, if there is a body.
struct EmbeddedFields(Option<Value>);

impl Fields for EmbeddedFields {
    fn get(&self, name: &str, _: bool) -> Option<Cow<'_, Value>> {
        match &self.0 {
            Some(Value::Object(fields)) => fields.get(name).map(Cow::Borrowed),
            _ => None,
        }
    }

    fn is_no_object(&self) -> bool {
        !matches!(&self.0, Some(Value::Object(_)) | None)
    }

    fn whole(&self) -> &Value {
        &Value::Null
    }
}

/// The fast path: serde reads what needs no leniency. It accepts less than Python and gives the
/// same value, except that it does not mind long integers and deep nesting in fields that nobody
/// reads.
fn decode_strictly<T: DeserializeOwned>(body: &[u8]) -> Option<T> {
    if has_long_integer(body) || is_deep(body) {
        return None;
    }
    serde_json::from_str(std::str::from_utf8(body).ok()?).ok()
}

/// Whether there may be more digits in a row than Python reads: such a row covers one of these
/// chunks.
fn has_long_integer(body: &[u8]) -> bool {
    body.chunks_exact(MAX_INT_DIGITS / 2).any(|chunk| chunk.iter().all(u8::is_ascii_digit))
}

/// Whether objects and lists are nested deeper than Python reads.
fn is_deep(body: &[u8]) -> bool {
    let opens = |bytes: &[u8]| bytes.iter().filter(|byte| matches!(byte, b'[' | b'{')).count();
    if opens(body) <= MAX_DEPTH {
        return false;
    }
    let (mut depth, mut deepest, mut in_text) = (0_usize, 0, false);
    let mut bytes = body.iter();
    while let Some(byte) = bytes.next() {
        match byte {
            b'"' => in_text = !in_text,
            b'\\' => drop(bytes.next()),
            b'[' | b'{' if !in_text => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            b']' | b'}' if !in_text => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    deepest > MAX_DEPTH
}

/// `application/json` or `application/*+json`, in any case and with any parameters.
fn is_json(headers: &HeaderMap) -> bool {
    let value = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let media_type = value.unwrap_or_default().split(';').next().unwrap_or_default();
    let Some((kind, subtype)) = media_type.trim().split_once('/') else {
        return false;
    };
    let subtype = subtype.to_ascii_lowercase();
    kind.eq_ignore_ascii_case("application")
        && !subtype.contains('/')
        && (subtype == "json" || subtype.ends_with("+json"))
}

/// Reads the whole body: 413 beyond the limit, 400 if the client breaks off.
pub(crate) async fn read_body(parts: &Parts, body: Body) -> Result<Bytes, Response> {
    let limit = parts.extensions.get::<BodyLimit>().copied().unwrap_or_default();
    let announced = parts.headers.get(header::CONTENT_LENGTH).and_then(|v| v.to_str().ok());
    if announced.and_then(|v| v.parse().ok()).is_some_and(|length: usize| length > limit.0) {
        return Err(too_large());
    }
    match Limited::new(body, limit.0).collect().await {
        Ok(body) => Ok(body.to_bytes()),
        Err(error) if error.is::<LengthLimitError>() => Err(too_large()),
        Err(_) => Err(unreadable_body()),
    }
}

/// What is left of the body is not read: the connection is good for nothing else, and says so.
fn too_large() -> Response {
    HttpError::new(StatusCode::PAYLOAD_TOO_LARGE, "Request Entity Too Large")
        .with_header(header::CONNECTION, HeaderValue::from_static("close"))
        .into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_is_json_by_its_content_type() {
        for (value, expected) in [
            ("application/json", true),
            ("APPLICATION/JSON; charset=latin-1", true),
            ("application/vnd.api+json", true),
            ("application/jsonx", false),
            ("text/json", false),
            ("json", false),
            ("", false),
        ] {
            let headers = HeaderMap::from_iter([(header::CONTENT_TYPE, value.parse().unwrap())]);
            assert_eq!(is_json(&headers), expected, "{value}");
        }
    }
}
