//! Bodies and responses as ASGI's messages.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use axum::body::Body;
use bytes::Bytes;
use futures_util::FutureExt;
use http::header::{CONNECTION, CONTENT_LENGTH, HeaderValue, TRAILER};
use http::{HeaderMap, Method, StatusCode, Version, response};
use http_body::{Body as _, Frame, SizeHint};
use http_body_util::BodyExt;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyList};
use tokio::sync::mpsc;
use tokio_util::sync::DropGuard;

/// How many chunks of a body wait for who reads them: what a server gives at once, 64 KiB each.
pub(crate) const MAX_CHUNKS: usize = 8;

/// How much of a response is handed to Python at once, in bytes, when more is ready.
const BATCH: usize = 256 * 1024;

/// A part of a body.
pub(crate) struct Chunk {
    pub(crate) data: Bytes,
    pub(crate) is_last: bool,
}

/// A body broke off.
#[derive(Debug, thiserror::Error)]
#[error("the body ends before its end: who sends it has disconnected or failed")]
pub(crate) struct Incomplete;

/// A body that comes from Python.
pub(crate) struct ChannelBody {
    chunks: mpsc::Receiver<Chunk>,
    is_ended: bool,
    left: Option<u64>,
    /// Cancels what waits for the body's reader, when that drops it.
    _reader: Option<DropGuard>,
}

impl ChannelBody {
    /// A body of `length` bytes, if that is known.
    pub(crate) fn new(
        length: Option<u64>,
        reader: Option<DropGuard>,
    ) -> (mpsc::Sender<Chunk>, Self) {
        let (sender, chunks) = mpsc::channel(MAX_CHUNKS);
        (sender, Self { chunks, is_ended: false, left: length, _reader: reader })
    }
}

impl http_body::Body for ChannelBody {
    type Data = Bytes;
    type Error = Incomplete;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Incomplete>>> {
        if self.is_ended {
            return Poll::Ready(None);
        }
        let Some(Chunk { data, is_last }) = ready!(self.chunks.poll_recv(context)) else {
            self.is_ended = true;
            return Poll::Ready(Some(Err(Incomplete)));
        };
        self.is_ended = is_last;
        let read = u64::try_from(data.len()).unwrap_or(u64::MAX);
        self.left = self.left.map(|left| left.saturating_sub(read));
        if is_last && data.is_empty() {
            return Poll::Ready(None);
        }
        Poll::Ready(Some(Ok(Frame::data(data))))
    }

    fn is_end_stream(&self) -> bool {
        self.is_ended
    }

    fn size_hint(&self) -> SizeHint {
        self.left.map_or_else(SizeHint::default, SizeHint::with_exact)
    }
}

/// What a client can take.
#[derive(Clone)]
pub(crate) struct Client {
    pub(crate) method: Method,
    pub(crate) version: Version,
    pub(crate) takes_trailers: bool,
}

/// A part of a response.
pub(crate) enum Piece {
    Head { status: StatusCode, headers: HeaderMap, has_trailers: bool },
    Data { data: Bytes, is_last: bool },
    Trailers(HeaderMap),
}

/// A response that is being sent.
pub(crate) struct Sending {
    body: Body,
    has_trailers: bool,
    trailers: HeaderMap,
    pub(crate) is_done: bool,
}

/// The head of a response, and what of it is still to be sent.
pub(crate) fn begin(response: response::Response<Body>, client: &Client) -> (Piece, Sending) {
    let (parts, body) = response.into_parts();
    let (status, mut headers) = (parts.status, parts.headers);
    let has_body = client.method != Method::HEAD
        && !status.is_informational()
        && ![StatusCode::NO_CONTENT, StatusCode::NOT_MODIFIED].contains(&status);
    // As hyper does it.
    if has_body
        && !headers.contains_key(CONTENT_LENGTH)
        && let Some(length) = body.size_hint().exact()
    {
        headers.insert(CONTENT_LENGTH, HeaderValue::from(length));
    }
    if client.version >= Version::HTTP_2 {
        headers.remove(CONNECTION);
    }
    let has_trailers = client.takes_trailers && headers.contains_key(TRAILER);
    let body = if has_body { body } else { Body::empty() };
    let sending = Sending { body, has_trailers, trailers: HeaderMap::new(), is_done: false };
    (Piece::Head { status, headers, has_trailers }, sending)
}

impl Sending {
    /// What of the body is ready, and at least one part of it if `pieces` is empty.
    ///
    /// # Errors
    /// When the body breaks off: its error, as text.
    pub(crate) async fn read(&mut self, pieces: &mut Vec<Piece>) -> Result<(), String> {
        let mut size = 0;
        while size < BATCH {
            if self.body.is_end_stream() {
                self.end(pieces);
                return Ok(());
            }
            let frame = self.body.frame();
            let frame = if pieces.is_empty() {
                frame.await
            } else {
                let Some(frame) = frame.now_or_never() else { return Ok(()) };
                frame
            };
            match frame {
                None => {
                    self.end(pieces);
                    return Ok(());
                }
                Some(Err(error)) => return Err(error.to_string()),
                Some(Ok(frame)) => match frame.into_data() {
                    Ok(data) => {
                        size += data.len();
                        pieces.push(Piece::Data { data, is_last: false });
                    }
                    Err(frame) => {
                        if let Ok(trailers) = frame.into_trailers() {
                            self.trailers.extend(trailers);
                        }
                    }
                },
            }
        }
        Ok(())
    }

    fn end(&mut self, pieces: &mut Vec<Piece>) {
        match pieces.last_mut() {
            Some(Piece::Data { is_last, .. }) => *is_last = true,
            _ => pieces.push(Piece::Data { data: Bytes::new(), is_last: true }),
        }
        if self.has_trailers {
            pieces.push(Piece::Trailers(std::mem::take(&mut self.trailers)));
        }
        self.is_done = true;
    }
}

/// The messages to send, in order.
pub(crate) fn messages(py: Python<'_>, pieces: Vec<Piece>) -> PyResult<Py<PyAny>> {
    let list = PyList::empty(py);
    for piece in pieces {
        let message = PyDict::new(py);
        match piece {
            Piece::Head { status, headers, has_trailers } => {
                message.set_item("type", "http.response.start")?;
                message.set_item("status", status.as_u16())?;
                message.set_item("headers", pairs(py, &headers))?;
                if has_trailers {
                    message.set_item("trailers", true)?;
                }
            }
            Piece::Data { data, is_last } => {
                message.set_item("type", "http.response.body")?;
                message.set_item("body", PyBytes::new(py, &data))?;
                message.set_item("more_body", !is_last)?;
            }
            Piece::Trailers(headers) => {
                message.set_item("type", "http.response.trailers")?;
                message.set_item("headers", pairs(py, &headers))?;
            }
        }
        list.append(message)?;
    }
    Ok(list.into_any().unbind())
}

/// Headers as ASGI has them.
pub(crate) fn pairs<'py>(
    py: Python<'py>,
    headers: &HeaderMap,
) -> Vec<(Bound<'py, PyBytes>, Bound<'py, PyBytes>)> {
    let bytes = |value: &[u8]| PyBytes::new(py, value);
    headers
        .iter()
        .map(|(name, value)| (bytes(name.as_str().as_bytes()), bytes(value.as_bytes())))
        .collect()
}
