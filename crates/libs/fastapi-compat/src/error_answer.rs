//! The 422 of errors, and the answers to bodies that cannot be read.

use std::pin::Pin;
use std::task::{Context, Poll};

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http::{HeaderValue, StatusCode, header};
use http_body::{Frame, SizeHint};

use crate::echo::{Echo, Floats};
use crate::errors::{CHUNK, Detail, Errors, Loc};
use crate::json::JsonError;
use crate::response::HttpError;
use crate::value::Value;

const START: &[u8] = b"{\"detail\":[";
const END: &[u8] = b"]}";

impl IntoResponse for Errors {
    /// The 422. What is long is written while it is sent, a chunk at a time.
    fn into_response(mut self) -> Response {
        let body = if let Some(text) = short_answer(&self.details) {
            Body::from(text)
        } else {
            self.measure();
            let lengths = self.details.iter().filter_map(|detail| detail.length);
            // With a comma behind each but the last.
            let left = (START.len() + END.len()) as u64 - 1
                + lengths.map(|length| length + 1).sum::<u64>();
            let details = self.details.into_iter();
            Body::new(LongAnswer { details, current: None, begun: false, left, yields: false })
        };
        let json = HeaderValue::from_static("application/json");
        (StatusCode::UNPROCESSABLE_ENTITY, [(header::CONTENT_TYPE, json)], body).into_response()
    }
}

/// The whole answer, if it is short.
fn short_answer(details: &[Detail]) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(256);
    out.extend(START);
    for (index, detail) in details.iter().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        detail.write_head(&mut out);
        if !Echo::new(detail.input.clone(), Floats::Python).write(&mut out, CHUNK) {
            return None;
        }
        detail.write_tail(&mut out);
    }
    out.extend(END);
    (out.len() <= CHUNK).then_some(out)
}

/// The body of a long answer: what it echoes is written from what the request sent.
#[derive(Debug)]
struct LongAnswer {
    details: std::vec::IntoIter<Detail>,
    /// The error of which a part has been written.
    current: Option<(Detail, Echo)>,
    begun: bool,
    left: u64,
    /// Whether other tasks of the thread are to be served first: a client that reads fast would keep
    /// it busy for the whole answer.
    yields: bool,
}

impl LongAnswer {
    /// The next chunk; empty at the end.
    fn chunk(&mut self) -> Vec<u8> {
        let mut out = Vec::with_capacity(CHUNK + 1024);
        while out.len() < CHUNK {
            if let Some((detail, mut echo)) = self.current.take() {
                if !echo.write(&mut out, CHUNK) {
                    self.current = Some((detail, echo));
                    break;
                }
                detail.write_tail(&mut out);
                if self.details.len() == 0 {
                    out.extend(END);
                }
            }
            let Some(mut detail) = self.details.next() else { break };
            out.extend(if self.begun { b"," } else { START });
            self.begun = true;
            detail.write_head(&mut out);
            let input = std::mem::replace(&mut detail.input, Value::Null);
            self.current = Some((detail, Echo::new(input, Floats::Python)));
        }
        out
    }
}

impl http_body::Body for LongAnswer {
    type Data = Bytes;
    type Error = std::convert::Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        if std::mem::take(&mut self.yields) {
            // Woken after the runtime has polled other tasks, new connections included.
            _ = std::pin::pin!(tokio::task::yield_now()).poll(context);
            return Poll::Pending;
        }
        let chunk = self.chunk();
        if chunk.is_empty() {
            return Poll::Ready(None);
        }
        self.left = self.left.saturating_sub(chunk.len() as u64);
        self.yields = true;
        Poll::Ready(Some(Ok(Frame::data(chunk.into()))))
    }

    fn is_end_stream(&self) -> bool {
        self.left == 0
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.left)
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
                    &Value::from(indexmap::IndexMap::new()),
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
    HttpError::new(StatusCode::BAD_REQUEST, "There was an error parsing the body").into_response()
}
