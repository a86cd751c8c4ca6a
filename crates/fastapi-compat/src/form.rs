//! Forms: url-encoded and multipart.

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http::request::Parts;
use http::{StatusCode, header};
use indexmap::IndexMap;

use crate::decode::Model;
use crate::errors::{Errors, Loc, unreadable_body};
use crate::extract::{Input, Parameters, read_body};
use crate::response::HttpError;
use crate::value::Value;

/// A form as a model. An empty field counts as absent; of a repeated field the last counts; a body
/// of another content type is an empty form.
#[derive(Debug)]
pub struct Form<T>(pub T);

impl<T: Model> Input for Form<T> {
    type Read = Vec<(String, Value)>;

    async fn read(parts: &Parts, body: Body) -> Result<Self::Read, Response> {
        let content_type = parts.headers.get(header::CONTENT_TYPE).and_then(|v| v.to_str().ok());
        let content_type = content_type.unwrap_or_default();
        let media_type = content_type.split(';').next().unwrap_or_default().trim();
        if media_type.eq_ignore_ascii_case("application/x-www-form-urlencoded") {
            Ok(pairs(&read_body(parts, body).await?))
        } else if media_type.eq_ignore_ascii_case("multipart/form-data") {
            let boundary = multer::parse_boundary(content_type).map_err(|_| {
                HttpError::new(StatusCode::BAD_REQUEST, "Missing boundary in multipart.")
                    .into_response()
            })?;
            multipart(read_body(parts, body).await?, boundary).await
        } else {
            Ok(Vec::new())
        }
    }

    fn decode(fields: Self::Read, _: &Parts, errors: &mut Errors) -> Option<Self> {
        // The last of a name counts, and then it may turn out to be empty.
        let mut last: IndexMap<String, Value> = fields.into_iter().collect();
        last.retain(|_, value| *value != Value::Str(String::new()));
        let form = Parameters(last.into_iter().collect());
        T::from_fields(&form, &Loc::root("body"), errors).map(Self)
    }
}

/// Splits a query or an url-encoded form as `urllib.parse.parse_qsl` does, keeping empty values.
pub(crate) fn pairs(text: &[u8]) -> Vec<(String, Value)> {
    text.split(|&byte| byte == b'&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| {
            let mut halves = pair.splitn(2, |&byte| byte == b'=');
            let mut half = || unquote_plus(halves.next().unwrap_or_default());
            (half(), Value::Str(half()))
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

async fn multipart(body: Bytes, boundary: String) -> Result<Vec<(String, Value)>, Response> {
    let stream = futures_util::stream::once(async { Ok::<_, std::convert::Infallible>(body) });
    let mut parts = multer::Multipart::new(stream, boundary);
    let mut fields = Vec::new();
    while let Some(part) = parts.next_field().await.map_err(|_| unreadable_body())? {
        let Some(name) = part.name().map(ToOwned::to_owned) else {
            let detail = "The Content-Disposition header field \"name\" must be provided.";
            return Err(HttpError::new(StatusCode::BAD_REQUEST, detail).into_response());
        };
        let filename = part.file_name().map(ToOwned::to_owned);
        let headers = part
            .headers()
            .iter()
            .map(|(name, value)| (name.to_string(), decode_replacing(value.as_bytes()).into()))
            .collect();
        let content = part.bytes().await.map_err(|_| unreadable_body())?;
        fields.push((
            name,
            match filename {
                Some(filename) => upload(filename, content.len(), headers),
                None => Value::Str(decode_replacing(&content)),
            },
        ));
    }
    Ok(fields)
}

/// What FastAPI echoes for a file where a text was expected: the attributes of an `UploadFile`.
fn upload(filename: String, size: usize, headers: IndexMap<String, Value>) -> Value {
    const SPOOL_SIZE: i64 = 1024 * 1024;
    let object = |fields: Vec<(&str, Value)>| {
        Value::Object(fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
    };
    let mut arguments = vec![("mode", "w+b".into()), ("buffering", Value::Int(-1))];
    let unset = ["suffix", "prefix", "encoding", "newline", "dir", "errors"];
    arguments.extend(unset.map(|name| (name, Value::Null)));
    let file = object(vec![
        ("_file", object(vec![])),
        ("_max_size", Value::Int(SPOOL_SIZE)),
        ("_rolled", Value::Bool(size > 1024 * 1024)),
        ("_TemporaryFileArgs", object(arguments)),
    ]);
    object(vec![
        ("filename", filename.into()),
        ("file", file),
        ("size", Value::Int(i64::try_from(size).unwrap_or(i64::MAX))),
        ("headers", Value::Object(headers)),
        ("_max_mem_size", Value::Int(SPOOL_SIZE)),
    ])
}
