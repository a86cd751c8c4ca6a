//! Answers as FastAPI writes them.

use std::borrow::Cow;
use std::io::{self, Write};
use std::marker::PhantomData;

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use serde::{Serialize, Serializer};
use serde_json::ser::Formatter;
use serde_json::value::RawValue;

use crate::dialect::{Switch, has};
use crate::dry_run::WouldAct;
use crate::echo::{Echo, Floats};
use crate::float_repr::float_repr;
use crate::location::quoted;
use crate::value::Value;

/// A JSON answer with status 200: compact, keys in declaration order.
#[derive(Debug)]
pub struct Json<T>(pub T);

impl<T: Serialize> IntoResponse for Json<T> {
    fn into_response(self) -> Response {
        json(StatusCode::OK, &self.0)
    }
}

/// The answer of an operation with `status = 204`: nothing, of the type that would be expected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoContent;

impl IntoResponse for NoContent {
    fn into_response(self) -> Response {
        let json = HeaderValue::from_static("application/json");
        (StatusCode::NO_CONTENT, [(header::CONTENT_TYPE, json)]).into_response()
    }
}

/// An answer of any status with a JSON body.
pub(crate) fn json(status: StatusCode, body: &impl Serialize) -> Response {
    let mut buffer = Vec::with_capacity(256);
    let written = serde_json::to_writer(&mut buffer, body);
    if written.is_ok() && has(Switch::FloatsOfPython) {
        buffer = of_python(buffer);
    }
    match written {
        Ok(()) => (
            status,
            [(header::CONTENT_TYPE, HeaderValue::from_static("application/json"))],
            Bytes::from(buffer),
        )
            .into_response(),
        Err(error) => {
            tracing::error!(%error, "an answer could not be serialised");
            internal_server_error()
        }
    }
}

/// JSON as Python writes the `dict` that it is: floats in Python's form, and each key once.
fn of_python(json: Vec<u8>) -> Vec<u8> {
    let Some(value) = Value::from_json(json.clone()) else { return json };
    let mut written = Vec::with_capacity(json.len());
    Echo::new(value, Floats::Python).write(&mut written, usize::MAX);
    written
}

/// In the extensions of [`internal_server_error`]: what Starlette does inside of its
/// `ServerErrorMiddleware` does not touch this answer.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Unhandled;

/// The answer of Starlette's `ServerErrorMiddleware` to an unhandled exception.
pub fn internal_server_error() -> Response {
    let text = "Internal Server Error";
    (StatusCode::INTERNAL_SERVER_ERROR, axum::Extension(Unhandled), text).into_response()
}

/// FastAPI's `HTTPException`: a status, `{"detail": …}` and headers.
#[derive(Clone, Debug, PartialEq)]
pub struct HttpError {
    status: StatusCode,
    detail: Detail,
    headers: Headers,
}

#[derive(Clone, Debug, PartialEq)]
enum Detail {
    Text(Cow<'static, str>),
    /// A JSON text; what could not be written is empty.
    Json(Box<str>),
    /// Of a handler that is not written: the request was validated, and nothing else.
    NotWritten(Cow<'static, str>),
}

impl Serialize for Detail {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Text(text) | Self::NotWritten(text) => serializer.serialize_str(text),
            Self::Json(json) => {
                let json: &RawValue =
                    serde_json::from_str(json).map_err(serde::ser::Error::custom)?;
                json.serialize(serializer)
            }
        }
    }
}

/// Most have one, at most.
#[derive(Clone, Debug, PartialEq)]
enum Headers {
    None,
    One(HeaderName, HeaderValue),
    More(Box<HeaderMap>),
}

impl HttpError {
    /// An answer of this status, whose body is `{"detail": …}`. For statuses that have none, such as
    /// 304, there is no body.
    pub fn new(status: StatusCode, detail: impl Into<Cow<'static, str>>) -> Self {
        Self { status, detail: Detail::Text(detail.into()), headers: Headers::None }
    }

    /// The same with any JSON as the detail, floats as Python writes them; null stands for the phrase of
    /// the status, as `None` does. What cannot be written, such
    /// as a map whose keys are no text, is a logged 500.
    pub fn with_detail(status: StatusCode, detail: &impl Serialize) -> Self {
        let json = python_json(detail, Style::Compact).unwrap_or_else(|error| {
            tracing::error!(%error, "the detail of an answer could not be serialised");
            String::new()
        });
        if json == "null" {
            return status.into();
        }
        Self { status, detail: Detail::Json(json.into()), headers: Headers::None }
    }

    /// The 501 of a handler that is not written yet. What has come that far was let in and validated:
    /// the answer has [`WouldAct`] among its extensions, so that shadowing compares refusals alone.
    pub fn not_written(detail: impl Into<Cow<'static, str>>) -> Self {
        let detail = Detail::NotWritten(detail.into());
        Self { status: StatusCode::NOT_IMPLEMENTED, detail, headers: Headers::None }
    }

    /// The same with a header, besides those that it has.
    #[must_use]
    pub fn with_header(self, name: HeaderName, value: HeaderValue) -> Self {
        let headers = match self.headers {
            Headers::None => Headers::One(name, value),
            Headers::One(first, of_first) => {
                let mut all = HeaderMap::with_capacity(2);
                all.append(first, of_first);
                all.append(name, value);
                Headers::More(Box::new(all))
            }
            Headers::More(mut all) => {
                all.append(name, value);
                Headers::More(all)
            }
        };
        Self { headers, ..self }
    }
}

/// `HTTPException(status)`: the detail is the phrase of the status, in Python's words.
impl From<StatusCode> for HttpError {
    fn from(status: StatusCode) -> Self {
        Self::new(status, python_phrase(status).unwrap_or_default())
    }
}

/// What Python's `http` calls a status.
pub(crate) fn python_phrase(status: StatusCode) -> Option<&'static str> {
    Some(match status.as_u16() {
        203 => "Non-Authoritative Information",
        413 => "Request Entity Too Large",
        414 => "Request-URI Too Long",
        416 => "Requested Range Not Satisfiable",
        418 => "I'm a Teapot",
        _ => status.canonical_reason()?,
    })
}

/// Whether an answer of this status has a body, as FastAPI decides it.
pub(crate) fn has_body(status: StatusCode) -> bool {
    !status.is_informational()
        && ![StatusCode::NO_CONTENT, StatusCode::RESET_CONTENT, StatusCode::NOT_MODIFIED]
            .contains(&status)
}

impl IntoResponse for HttpError {
    fn into_response(self) -> Response {
        #[derive(Serialize)]
        struct Body {
            detail: Detail,
        }
        let is_written = !matches!(self.detail, Detail::NotWritten(_));
        let mut response = if has_body(self.status) {
            json(self.status, &Body { detail: self.detail })
        } else {
            self.status.into_response()
        };
        match self.headers {
            Headers::None => {}
            Headers::One(name, value) => _ = response.headers_mut().insert(name, value),
            Headers::More(all) => response.headers_mut().extend(*all),
        }
        if !is_written {
            response.extensions_mut().insert(WouldAct);
        }
        response
    }
}

/// How `json.dumps` writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Style {
    /// As `JSONResponse`: `ensure_ascii=False, separators=(",", ":")`.
    Compact,
    /// As `json.dumps` without arguments: blanks behind commas and colons, and only ASCII.
    Plain,
}

/// A value as Python's `json.dumps` writes it.
pub(crate) fn python_json(
    value: &(impl Serialize + ?Sized),
    style: Style,
) -> serde_json::Result<String> {
    let mut out = Vec::new();
    value.serialize(&mut serde_json::Serializer::with_formatter(&mut out, style))?;
    String::from_utf8(out).map_err(serde::ser::Error::custom)
}

impl Formatter for Style {
    fn write_f64<W: ?Sized + Write>(&mut self, writer: &mut W, value: f64) -> io::Result<()> {
        writer.write_all(float_repr(value).as_bytes())
    }

    fn begin_array_value<W: ?Sized + Write>(
        &mut self,
        writer: &mut W,
        first: bool,
    ) -> io::Result<()> {
        self.comma(writer, first)
    }

    fn begin_object_key<W: ?Sized + Write>(
        &mut self,
        writer: &mut W,
        first: bool,
    ) -> io::Result<()> {
        self.comma(writer, first)
    }

    fn begin_object_value<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        writer.write_all(if *self == Self::Plain { b": " } else { b":" })
    }

    fn write_string_fragment<W: ?Sized + Write>(
        &mut self,
        writer: &mut W,
        fragment: &str,
    ) -> io::Result<()> {
        let is_plain = |c: char| c.is_ascii() && c != '\u{7f}';
        if *self == Self::Compact || fragment.chars().all(is_plain) {
            return writer.write_all(fragment.as_bytes());
        }
        for c in fragment.chars() {
            if is_plain(c) {
                write!(writer, "{c}")?;
            } else {
                for unit in c.encode_utf16(&mut [0; 2]) {
                    write!(writer, "\\u{unit:04x}")?;
                }
            }
        }
        Ok(())
    }
}

impl Style {
    fn comma<W: ?Sized + Write>(self, writer: &mut W, first: bool) -> io::Result<()> {
        match (first, self) {
            (true, _) => Ok(()),
            (false, Self::Plain) => writer.write_all(b", "),
            (false, Self::Compact) => writer.write_all(b","),
        }
    }
}

/// In the extensions of an answer: its status was not chosen, so an operation's replaces it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct DefaultStatus;

/// `RedirectResponse`: the URL is quoted as Starlette quotes it; the status is 307 unless the
/// operation or [`Self::status`] says otherwise.
///
/// ```
/// use fastapi_compat::{RedirectResponse, get};
///
/// #[get("/old")]
/// async fn old() -> RedirectResponse {
///     RedirectResponse::new("/new place?q=é")
/// }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RedirectResponse {
    url: String,
    status: Option<StatusCode>,
}

impl RedirectResponse {
    /// To this URL.
    pub fn new(url: impl Into<String>) -> Self {
        Self { url: url.into(), status: None }
    }

    /// With this status, whatever the operation's is.
    #[must_use]
    pub fn status(self, status: StatusCode) -> Self {
        Self { status: Some(status), ..self }
    }
}

impl IntoResponse for RedirectResponse {
    fn into_response(self) -> Response {
        let Some(location) = quoted(&self.url) else { return internal_server_error() };
        let location = [(header::LOCATION, location)];
        let mut response = if let Some(status) = self.status {
            (status, location).into_response()
        } else {
            let default = axum::Extension(DefaultStatus);
            (StatusCode::TEMPORARY_REDIRECT, default, location).into_response()
        };
        // Sent for HEAD too, where hyper would leave it out.
        response.headers_mut().insert(header::CONTENT_LENGTH, 0.into());
        response
    }
}

/// The media type of a [`MediaResponse`], on a type of yours.
pub trait MediaType {
    /// As `media_type` of a response class; `text/…` is sent with `charset=utf-8`.
    const MEDIA_TYPE: &'static str;
}

/// A response class with a media type of its own: `class Xml(Response): media_type =
/// "application/xml"`.
///
/// ```
/// use fastapi_compat::{MediaResponse, MediaType, get};
///
/// struct Xml;
///
/// impl MediaType for Xml {
///     const MEDIA_TYPE: &'static str = "application/xml";
/// }
///
/// #[get("/feed")]
/// async fn feed() -> MediaResponse<Xml> {
///     MediaResponse::new("<feed/>")
/// }
/// ```
#[derive(Debug)]
pub struct MediaResponse<M> {
    body: Body,
    media_type: PhantomData<fn() -> M>,
}

impl<M: MediaType> MediaResponse<M> {
    /// With this body: bytes, text, or a stream, `Body::from_stream(…)`.
    pub fn new(body: impl Into<Body>) -> Self {
        Self { body: body.into(), media_type: PhantomData }
    }
}

impl<M: MediaType> IntoResponse for MediaResponse<M> {
    fn into_response(self) -> Response {
        let mut response = Response::new(self.body);
        if let Some(media_type) = content_type(M::MEDIA_TYPE) {
            response.headers_mut().insert(header::CONTENT_TYPE, media_type);
        }
        response
    }
}

/// The header of a media type, as Starlette writes it.
pub(crate) fn content_type(media_type: &str) -> Option<HeaderValue> {
    let is_text = media_type.starts_with("text/");
    if is_text && !media_type.to_ascii_lowercase().contains("charset=") {
        HeaderValue::try_from(format!("{media_type}; charset=utf-8")).ok()
    } else {
        HeaderValue::try_from(media_type).ok()
    }
}
