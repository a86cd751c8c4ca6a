//! Answers that are streams of items: server-sent events and JSON Lines.

use std::fmt;
use std::marker::PhantomData;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use futures_util::{Stream, StreamExt};
use http::{HeaderName, HeaderValue, header};
use http_body::Frame;
use serde::Serialize;
use tokio::time::{Instant, Sleep, sleep};

use crate::dialect::{Switch, has};
use crate::is_model::is_model;
use crate::response::{Style, python_json};

/// How long no event may come before a comment is sent.
const PING_INTERVAL: Duration = Duration::from_secs(15);

/// The items of a stream are not known to the document.
#[derive(Clone, Copy, Debug)]
pub struct Untyped;

/// An event of an [`EventSourceResponse`]: FastAPI's `ServerSentEvent`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ServerSentEvent {
    data: Option<String>,
    event: Option<String>,
    id: Option<String>,
    retry: Option<u64>,
    comment: Option<String>,
}

impl ServerSentEvent {
    /// An event without data.
    pub fn new() -> Self {
        Self::default()
    }

    /// The data as JSON: a struct as pydantic writes a model, anything else as `json.dumps` does. What
    /// cannot be written is left out and logged.
    #[must_use]
    pub fn data(self, data: &impl Serialize) -> Self {
        let json = if is_model(data) {
            serde_json::to_string(data)
        } else {
            python_json(data, Style::Plain)
        };
        Self { data: logged(json), ..self }
    }

    /// The data as it is.
    #[must_use]
    pub fn raw_data(self, data: impl Into<String>) -> Self {
        Self { data: Some(data.into()), ..self }
    }

    /// The name of the event, which is one line.
    #[must_use]
    pub fn event(self, event: impl Into<String>) -> Self {
        Self { event: Some(line(event.into())), ..self }
    }

    /// The id of the event, which is one line.
    #[must_use]
    pub fn id(self, id: impl Into<String>) -> Self {
        Self { id: Some(line(id.into())), ..self }
    }

    /// After how many milliseconds a client connects again.
    #[must_use]
    pub fn retry(self, milliseconds: u64) -> Self {
        Self { retry: Some(milliseconds), ..self }
    }

    /// Lines that clients ignore.
    #[must_use]
    pub fn comment(self, comment: impl Into<String>) -> Self {
        Self { comment: Some(comment.into()), ..self }
    }

    fn encode(&self, by_python: bool) -> Bytes {
        let mut out = String::new();
        let mut lines = |name: &str, text: &Option<String>| {
            let Some(text) = text else { return };
            if by_python {
                let lines = python_lines(text).into_iter();
                return out.extend(lines.flat_map(|line| [name, ": ", line, "\n"]));
            }
            for line in text.replace("\r\n", "\n").replace('\r', "\n").split('\n') {
                out.extend([name, ": ", line, "\n"]);
            }
        };
        lines("", &self.comment);
        lines("event", &self.event);
        lines("data", &self.data);
        lines("id", &self.id);
        lines("retry", &self.retry.map(|retry| retry.to_string()));
        out.push('\n');
        out.into()
    }
}

/// Python's `splitlines`.
fn python_lines(text: &str) -> Vec<&str> {
    let is_end =
        |c: char| matches!(c, '\n'..='\r' | '\x1c'..='\x1e' | '\u{85}' | '\u{2028}' | '\u{2029}');
    let (mut lines, mut rest) = (Vec::new(), text);
    while !rest.is_empty() {
        let Some(at) = rest.find(is_end) else {
            lines.push(rest);
            break;
        };
        let (line, end) = rest.split_at(at);
        lines.push(line);
        let length =
            if end.starts_with("\r\n") { 2 } else { end.chars().next().map_or(0, char::len_utf8) };
        rest = &end[length..];
    }
    lines
}

/// Without what would begin another field: FastAPI raises an exception then.
fn line(text: String) -> String {
    if text.contains(['\r', '\n', '\0']) {
        tracing::error!("the event or the id of a server-sent event is not one line");
        return text.replace(['\r', '\n', '\0'], "");
    }
    text
}

fn logged(json: serde_json::Result<String>) -> Option<String> {
    if let Err(error) = &json {
        tracing::error!(%error, "an item of a stream could not be serialised");
    }
    json.ok()
}

/// `EventSourceResponse`: server-sent events, with a comment after 15 seconds without one.
///
/// `T` is what FastAPI's annotation says that the items are, `AsyncIterable[Item]`; without one, or
/// with `ServerSentEvent`, it is left away.
///
/// ```
/// use fastapi_compat::{EventSourceResponse, Schema, ServerSentEvent, get};
/// use futures_util::stream;
/// use serde::Serialize;
///
/// #[derive(Serialize, Schema)]
/// struct Item {
///     name: String,
/// }
///
/// #[get("/items")]
/// async fn items() -> EventSourceResponse<Item> {
///     EventSourceResponse::items(stream::iter([Item { name: "a".into() }]))
/// }
///
/// #[get("/news")]
/// async fn news() -> EventSourceResponse {
///     EventSourceResponse::new(stream::iter([ServerSentEvent::new().event("a").raw_data("b")]))
/// }
/// ```
pub struct EventSourceResponse<T = Untyped> {
    events: Pin<Box<dyn Stream<Item = Bytes> + Send>>,
    items: PhantomData<fn() -> T>,
}

impl<T> EventSourceResponse<T> {
    /// Of events.
    pub fn new(events: impl Stream<Item = ServerSentEvent> + Send + 'static) -> Self {
        // The stream is read behind the answer, where no dialect is the current one.
        let by_python = has(Switch::EventsInLinesOfPython);
        let events = Box::pin(events.map(move |event| event.encode(by_python)));
        Self { events, items: PhantomData }
    }
}

impl<T: Serialize + 'static> EventSourceResponse<T> {
    /// Of items, each the data of an event, as pydantic writes it.
    pub fn items(items: impl Stream<Item = T> + Send + 'static) -> Self {
        let by_python = has(Switch::EventsInLinesOfPython);
        let event = move |item: T| {
            let data = logged(serde_json::to_string(&item));
            ServerSentEvent { data, ..ServerSentEvent::default() }.encode(by_python)
        };
        Self { events: Box::pin(items.map(event)), items: PhantomData }
    }
}

impl<T> fmt::Debug for EventSourceResponse<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EventSourceResponse").finish_non_exhaustive()
    }
}

impl<T> IntoResponse for EventSourceResponse<T> {
    fn into_response(self) -> Response {
        let fixed = HeaderValue::from_static;
        let headers = [
            (header::CONTENT_TYPE, fixed("text/event-stream; charset=utf-8")),
            (header::CACHE_CONTROL, fixed("no-cache")),
            (HeaderName::from_static("x-accel-buffering"), fixed("no")),
        ];
        let ping = Box::pin(sleep(PING_INTERVAL));
        (headers, Body::new(Events { events: self.events, ping })).into_response()
    }
}

struct Events {
    events: Pin<Box<dyn Stream<Item = Bytes> + Send>>,
    ping: Pin<Box<Sleep>>,
}

impl http_body::Body for Events {
    type Data = Bytes;
    type Error = std::convert::Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        let frame = match self.events.as_mut().poll_next(context) {
            Poll::Ready(Some(event)) => event,
            Poll::Ready(None) => return Poll::Ready(None),
            Poll::Pending if self.ping.as_mut().poll(context).is_ready() => {
                Bytes::from_static(b": ping\n\n")
            }
            Poll::Pending => return Poll::Pending,
        };
        self.ping.as_mut().reset(Instant::now() + PING_INTERVAL);
        Poll::Ready(Some(Ok(Frame::data(frame))))
    }
}

/// JSON Lines: what FastAPI makes of a generator, `application/jsonl`, an item a line.
///
/// `T` is what the annotation says that the items are, `AsyncIterable[Item]`; without one it is left
/// away.
pub struct JsonLines<T = Untyped> {
    lines: Body,
    items: PhantomData<fn() -> T>,
}

impl<T: Serialize + 'static> JsonLines<T> {
    /// Of items, as pydantic writes them. One that cannot be written ends the stream, and is logged.
    pub fn new(items: impl Stream<Item = T> + Send + 'static) -> Self {
        Self::of(items.map(|item| serde_json::to_string(&item)))
    }
}

impl JsonLines {
    /// Of items without an annotation, as `json.dumps` writes them.
    pub fn untyped<I: Serialize>(items: impl Stream<Item = I> + Send + 'static) -> Self {
        Self::of(items.map(|item| python_json(&item, Style::Plain)))
    }
}

impl<T> JsonLines<T> {
    fn of(lines: impl Stream<Item = serde_json::Result<String>> + Send + 'static) -> Self {
        let lines = lines.map(|line| match line {
            Ok(line) => Ok(line + "\n"),
            Err(error) => {
                tracing::error!(%error, "an item of a stream could not be serialised");
                Err(error)
            }
        });
        Self { lines: Body::from_stream(lines), items: PhantomData }
    }
}

impl<T> fmt::Debug for JsonLines<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JsonLines").finish_non_exhaustive()
    }
}

impl<T> IntoResponse for JsonLines<T> {
    fn into_response(self) -> Response {
        ([(header::CONTENT_TYPE, "application/jsonl")], self.lines).into_response()
    }
}
