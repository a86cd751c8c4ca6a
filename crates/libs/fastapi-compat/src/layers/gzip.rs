//! Starlette's `GZipMiddleware`.

use std::future::Future;
use std::io::{self, Write};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use axum::body::Body;
use axum::extract::Request;
use axum::response::{IntoResponse, Response};
use bytes::{Buf, Bytes};
use flate2::Compression;
use flate2::write::GzEncoder;
use futures_util::{Stream, StreamExt, stream};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use http_body::{Body as _, Frame};
use http_body_util::{BodyExt, BodyStream, StreamBody};
use tower::{Layer, Service};

use super::vary;

/// A body of this size is compressed on a thread of its own.
const THREAD_MINIMUM: u64 = 128 * 1024;

/// What is compressed already, or must not be held back.
const EXCLUDED: [&str; 14] = [
    "application/grpc",
    "application/gzip",
    "application/x-gzip",
    "application/zip",
    "audio/*",
    "font/woff",
    "font/woff2",
    "image/avif",
    "image/gif",
    "image/jpeg",
    "image/png",
    "image/webp",
    "text/event-stream",
    "video/*",
];

/// Compresses answers for clients that accept gzip, as Starlette's `GZipMiddleware` does: with the same
/// conditions and headers, `Vary` for all clients, and a stream with all of each chunk in one. The
/// compressed bytes are another compressor's. An answer to HEAD is left as it is, since axum has taken
/// its body away.
#[derive(Clone, Debug)]
pub struct GzipLayer(Arc<Options>);

#[derive(Clone, Debug)]
struct Options {
    minimum_size: u64,
    level: u32,
    excluded: Vec<String>,
}

impl Default for GzipLayer {
    fn default() -> Self {
        Self::new()
    }
}

impl GzipLayer {
    /// With Starlette's defaults: from 500 bytes on, level 9, not what is compressed already.
    pub fn new() -> Self {
        let excluded = EXCLUDED.map(str::to_owned).into();
        Self(Arc::new(Options { minimum_size: 500, level: 9, excluded }))
    }

    fn with(self, change: impl FnOnce(&mut Options)) -> Self {
        let mut options = Arc::unwrap_or_clone(self.0);
        change(&mut options);
        Self(Arc::new(options))
    }

    /// `minimum_size=…`, in bytes.
    #[must_use]
    pub fn minimum_size(self, bytes: u64) -> Self {
        self.with(|options| options.minimum_size = bytes)
    }

    /// `compresslevel=…`, 0 to 9.
    #[must_use]
    pub fn compresslevel(self, level: u32) -> Self {
        self.with(|options| options.level = level.min(9))
    }

    /// `exclude_content_types=…`, instead of the default ones: media types, or `audio/*`.
    #[must_use]
    pub fn exclude_content_types(self, types: impl IntoIterator<Item = impl Into<String>>) -> Self {
        let plain = |kind: String| media_type(&kind);
        let types = types.into_iter().map(|kind| plain(kind.into())).collect();
        self.with(|options| options.excluded = types)
    }
}

fn media_type(header: &str) -> String {
    header.split(';').next().unwrap_or_default().trim().to_lowercase()
}

impl Options {
    fn excludes(&self, headers: &HeaderMap) -> bool {
        let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
        let kind = media_type(kind.unwrap_or_default());
        let group = format!("{}/*", kind.split('/').next().unwrap_or_default());
        let is_grpc = kind.starts_with("application/grpc+");
        let is_excluded = |name: &String| {
            *name == kind || *name == group || is_grpc && name == "application/grpc"
        };
        self.excluded.iter().any(is_excluded)
    }

    async fn apply(&self, response: Response, accepts: bool, is_head: bool) -> Response {
        let is_left = response.headers().contains_key(header::CONTENT_ENCODING)
            || response.status() == StatusCode::PARTIAL_CONTENT
            || self.excludes(response.headers());
        if is_left || is_head {
            return response;
        }
        let (mut parts, body) = response.into_parts();
        let Some(size) = body.size_hint().exact() else {
            let Some(body) = begun(body).await else {
                return Response::from_parts(parts, unsized_body(stream::empty()));
            };
            vary(&mut parts.headers, "Accept-Encoding");
            let body = if accepts {
                parts.headers.insert(header::CONTENT_ENCODING, GZIP);
                parts.headers.remove(header::CONTENT_LENGTH);
                Body::new(Compressed { body, encoder: Some(self.encoder()) })
            } else {
                body
            };
            return Response::from_parts(parts, body);
        };
        if size < self.minimum_size {
            return Response::from_parts(parts, body);
        }
        vary(&mut parts.headers, "Accept-Encoding");
        if !accepts {
            return Response::from_parts(parts, body);
        }
        match self.compress(body, size).await {
            Ok(bytes) => {
                parts.headers.insert(header::CONTENT_ENCODING, GZIP);
                parts.headers.insert(header::CONTENT_LENGTH, bytes.len().into());
                Response::from_parts(parts, bytes.into())
            }
            Err(error) => {
                tracing::error!(%error, "an answer could not be compressed");
                crate::response::internal_server_error()
            }
        }
    }

    fn encoder(&self) -> GzEncoder<Vec<u8>> {
        GzEncoder::new(Vec::new(), Compression::new(self.level))
    }

    async fn compress(&self, body: Body, size: u64) -> io::Result<Vec<u8>> {
        let bytes = body.collect().await.map_err(io::Error::other)?.to_bytes();
        let mut encoder = self.encoder();
        let compress = move || {
            encoder.write_all(&bytes)?;
            encoder.finish()
        };
        if size >= THREAD_MINIMUM {
            tokio::task::spawn_blocking(compress).await.map_err(io::Error::other)?
        } else {
            compress()
        }
    }
}

/// A body that has sent something; nothing if it is empty, which Starlette takes for a small one.
async fn begun(mut body: Body) -> Option<Body> {
    let first = body.frame().await?;
    Some(unsized_body(stream::iter([first]).chain(BodyStream::new(body))))
}

/// A body whose length is not known beforehand.
fn unsized_body(
    frames: impl Stream<Item = Result<Frame<Bytes>, axum::Error>> + Send + 'static,
) -> Body {
    Body::new(StreamBody::new(frames))
}

const GZIP: HeaderValue = HeaderValue::from_static("gzip");

/// A stream, of which all that was sent can be read at any time.
struct Compressed {
    body: Body,
    encoder: Option<GzEncoder<Vec<u8>>>,
}

impl http_body::Body for Compressed {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let frame = match ready!(Pin::new(&mut self.body).poll_frame(context)) {
            Some(Ok(frame)) => frame,
            Some(Err(error)) => return Poll::Ready(Some(Err(error))),
            None => {
                let end = self.encoder.take().map(GzEncoder::finish);
                return Poll::Ready(end.map(|end| {
                    end.map(|bytes| Frame::data(bytes.into())).map_err(axum::Error::new)
                }));
            }
        };
        let mut data = match frame.into_data() {
            Ok(data) => data,
            Err(trailers) => return Poll::Ready(Some(Ok(trailers))),
        };
        let Some(encoder) = &mut self.encoder else { return Poll::Ready(None) };
        let data = data.copy_to_bytes(data.remaining());
        let written = encoder.write_all(&data).and_then(|()| encoder.flush());
        let written = written.map(|()| std::mem::take(encoder.get_mut()));
        Poll::Ready(Some(written.map(|bytes| Frame::data(bytes.into())).map_err(axum::Error::new)))
    }
}

impl<S> Layer<S> for GzipLayer {
    type Service = Gzip<S>;

    fn layer(&self, inner: S) -> Gzip<S> {
        Gzip { inner, options: Arc::clone(&self.0) }
    }
}

/// The service of [`GzipLayer`].
#[derive(Clone, Debug)]
pub struct Gzip<S> {
    inner: S,
    options: Arc<Options>,
}

impl<S> Service<Request> for Gzip<S>
where
    S: Service<Request>,
    S::Response: IntoResponse,
    S::Future: Send + 'static,
{
    type Response = Response;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Response, S::Error>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request) -> Self::Future {
        let accepted = request.headers().get(header::ACCEPT_ENCODING).map(HeaderValue::as_bytes);
        let accepts =
            accepted.is_some_and(|accepted| accepted.windows(4).any(|word| word == b"gzip"));
        let is_head = request.method() == http::Method::HEAD;
        let (answer, options) = (self.inner.call(request), Arc::clone(&self.options));
        Box::pin(async move {
            let response = answer.await?.into_response();
            Ok(options.apply(response, accepts, is_head).await)
        })
    }
}
