//! JSON bodies.

use std::borrow::Cow;

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http::request::Parts;
use http::{HeaderMap, HeaderValue, header};
use serde::de::DeserializeOwned;
use utoipa::ToSchema;

use crate::constraints::Constraints;
use crate::decode::Decode;
use crate::dialect::{Switch, has};
use crate::errors::{Errors, Loc};
use crate::extract::{Input, body_extractor};
use crate::field_names::Name;
use crate::json::{self, JsonError, MAX_DEPTH, MAX_INT_DIGITS};
use crate::model::{Fields, Model};
use crate::offload::offload;
use crate::openapi::OperationDocument;
use crate::read_body::read_body;
use crate::response::{Json, internal_server_error};
use crate::value::Value;
use crate::value_serde::SHALLOW;

/// Larger bodies are decoded on a thread of their own: it may take longer than a thread of the
/// runtime should be busy.
pub(crate) const LARGE: usize = 128 * 1024;

/// A JSON body that has been read.
#[derive(Debug)]
pub enum JsonBody<T> {
    /// It is valid as it stands.
    Valid(T),
    /// It has to be decoded by Python's rules; none if there is no body.
    Explain(Option<Value>),
    /// It was large or deep, and has been decoded by Python's rules.
    Explained(Option<T>, Errors),
}

impl<T> JsonBody<T> {
    /// Decodes what has to be decoded.
    fn explain(self, decode: impl FnOnce(Option<Value>, &mut Errors) -> Option<T>) -> Self {
        let Self::Explain(value) = self else { return self };
        let mut errors = Errors::default();
        let decoded = decode(value, &mut errors);
        errors.measure();
        Self::Explained(decoded, errors)
    }

    /// A body that is no JSON: Python's bytes.
    fn of_bytes(body: &[u8], decode: impl FnOnce(Option<Value>, &mut Errors) -> Option<T>) -> Self {
        let text = String::from_utf8_lossy(body);
        if matches!(text, Cow::Borrowed(_)) {
            return Self::Explain(Some(text.into_owned().into()));
        }
        let mut errors = Errors::of_bytes();
        let decoded = decode(Some(text.into_owned().into()), &mut errors);
        errors.measure();
        Self::Explained(decoded, errors)
    }

    fn is_deep(&self) -> bool {
        matches!(self, Self::Explain(Some(value)) if value.body_depth() > SHALLOW)
    }

    /// The value, or what is wrong with it.
    fn finish(
        self,
        errors: &mut Errors,
        decode: impl FnOnce(Option<Value>, &mut Errors) -> Option<T>,
    ) -> Option<T> {
        match self {
            Self::Valid(value) => Some(value),
            Self::Explain(value) => decode(value, errors),
            Self::Explained(value, its) => {
                errors.append(its);
                value
            }
        }
    }
}

impl<T: Send + 'static> JsonBody<T> {
    /// Parses a body, and decodes it if it is large or deep.
    async fn read(
        body: Bytes,
        parse: impl FnOnce(Bytes) -> Result<Self, JsonError> + Send + 'static,
        decode: fn(Option<Value>, &mut Errors) -> Option<T>,
    ) -> Result<Self, Response> {
        if body.len() > LARGE {
            let read = offload(move || Ok(parse(body)?.explain(decode))).await;
            return read.ok_or_else(internal_server_error)?.map_err(JsonError::into_response);
        }
        let read = parse(body).map_err(JsonError::into_response)?;
        if !read.is_deep() {
            return Ok(read);
        }
        offload(move || read.explain(decode)).await.ok_or_else(internal_server_error)
    }
}

impl<T: Decode + DeserializeOwned + Send + 'static> Input for Json<T> {
    type Read = JsonBody<T>;

    async fn read(parts: &Parts, body: Body) -> Result<JsonBody<T>, Response> {
        let body = read_body(parts, body).await?;
        if body.is_empty() {
            return Ok(JsonBody::Explain(None));
        }
        let is_json = is_json(&parts.headers);
        let parse = move |body: Bytes| {
            if !is_json {
                return Ok(JsonBody::of_bytes(&body, decode_value));
            }
            if is_missing(&body) {
                return Ok(JsonBody::Explain(None));
            }
            if let Some(value) = decode_strictly(&body) {
                return Ok(JsonBody::Valid(value));
            }
            Ok(JsonBody::Explain(Some(json::decode(body)?)))
        };
        JsonBody::read(body, parse, decode_value).await
    }

    fn decode(read: JsonBody<T>, _: &Parts, errors: &mut Errors) -> Option<Self> {
        read.finish(errors, decode_value).map(Self)
    }

    fn describe(operation: &mut OperationDocument<'_>) {
        operation.json_body(T::json_schema(), T::absent().is_none());
    }
}

fn decode_value<T: Decode>(body: Option<Value>, errors: &mut Errors) -> Option<T> {
    let root = Loc::root("body");
    match body {
        Some(value) => T::decode(&value, &Constraints::NONE, &root, errors),
        None => T::absent().or_else(|| errors.missing(&root, &Value::Null)),
    }
}

body_extractor!(Json[Decode + DeserializeOwned + Send + 'static]);
body_extractor!(Embedded[Model + ToSchema + Send + 'static]);

/// Several parameters of the body, or one with `embed=True`: each is a field of one object.
#[derive(Debug)]
pub struct Embedded<T>(pub T);

impl<T: Model + ToSchema + Send + 'static> Input for Embedded<T> {
    type Read = JsonBody<T>;

    async fn read(parts: &Parts, body: Body) -> Result<Self::Read, Response> {
        let body = read_body(parts, body).await?;
        if body.is_empty() {
            return Ok(JsonBody::Explain(None));
        }
        if !is_json(&parts.headers) {
            // Of bytes Python tells no field apart.
            let bytes = has(Switch::EmbeddedFieldsOfBytes).then(|| Value::from(""));
            return Ok(JsonBody::Explain(bytes));
        }
        let parse = |body: Bytes| {
            if is_missing(&body) {
                return Ok(JsonBody::Explain(None));
            }
            Ok(JsonBody::Explain(Some(json::decode(body)?)))
        };
        JsonBody::read(body, parse, decode_fields).await
    }

    fn decode(read: Self::Read, _: &Parts, errors: &mut Errors) -> Option<Self> {
        read.finish(errors, decode_fields).map(Self)
    }

    fn describe(operation: &mut OperationDocument<'_>) {
        const {
            assert!(
                !T::IS_MODEL,
                "`Embedded<T>` is several parameters of the body, of which a model is one: write \
                 `Json<T>`, or a struct with a field for it"
            );
        }
        operation.fields_body::<T>("application/json");
    }
}

fn decode_fields<T: Model>(body: Option<Value>, errors: &mut Errors) -> Option<T> {
    T::from_fields(&EmbeddedFields(body), &Loc::root("body"), errors)
}

/// The object, if there is a body.
struct EmbeddedFields(Option<Value>);

impl Fields for EmbeddedFields {
    fn get(&self, name: &Name, _: bool) -> Option<Cow<'_, Value>> {
        match &self.0 {
            Some(Value::Object(fields)) => {
                let field = fields.get(name.text);
                field.filter(|field| !matches!(**field, Value::Null) || !has(Switch::NullIsMissing))
            }
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

/// Whether a body is the `null` that is taken for none.
fn is_missing(body: &[u8]) -> bool {
    has(Switch::NullIsMissing) && body.trim_ascii() == b"null"
}

/// The fast path: serde reads what needs no leniency. It accepts less than Python and gives the
/// same value, except that it does not mind long integers and deep nesting in fields that no type
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
    let (mut depth, mut rest) = (0_usize, body);
    while let Some((byte, after)) = rest.split_first() {
        rest = after;
        match byte {
            b'"' => rest = behind_text(rest),
            b'[' | b'{' => {
                depth += 1;
                if depth > MAX_DEPTH {
                    return true;
                }
            }
            b']' | b'}' => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    false
}

/// What stands behind the text that begins here, after its first quote.
fn behind_text(mut body: &[u8]) -> &[u8] {
    while let Some(at) = memchr::memchr2(b'"', b'\\', body) {
        let is_end = body[at] == b'"';
        // A backslash takes the next byte with it.
        body = body.get(at + if is_end { 1 } else { 2 }..).unwrap_or_default();
        if is_end {
            return body;
        }
    }
    &[]
}

/// `application/json` or `application/*+json`, in any case and with any parameters.
fn is_json(headers: &HeaderMap) -> bool {
    if has(Switch::JsonWithoutContentType)
        && headers.get(header::CONTENT_TYPE).is_none_or(HeaderValue::is_empty)
    {
        return true;
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn depth_is_counted_outside_of_texts() {
        let nested = |depth: usize, leaf: &str| {
            format!("{}{leaf}{}", "[".repeat(depth), "]".repeat(depth)).into_bytes()
        };
        assert!(!is_deep(&nested(MAX_DEPTH, "1")));
        assert!(is_deep(&nested(MAX_DEPTH + 1, "1")));
        assert!(is_deep(&nested(MAX_DEPTH, r#""\\", {}"#)));
        let text = format!(r#""{}", "\\\"{}""#, "[".repeat(MAX_DEPTH), "{".repeat(MAX_DEPTH));
        assert!(!is_deep(&nested(MAX_DEPTH - 1, &text)));
        assert!(!is_deep("{},".repeat(MAX_DEPTH * 2).as_bytes()));
    }

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
