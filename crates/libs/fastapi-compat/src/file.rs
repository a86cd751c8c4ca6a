//! Files as Starlette sends them, with ranges and conditions.

pub(crate) mod ranges;

use std::borrow::Cow;
use std::convert::Infallible;
use std::fmt::Write;
use std::fs::Metadata;
use std::io::{self, SeekFrom};
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use axum::body::Body;
use axum::extract::FromRequestParts;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use futures_util::stream;
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use md5::{Digest, Md5};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use tokio::fs;
use tokio::io::{AsyncReadExt, AsyncSeekExt};

use self::ranges::{Refused, parse_ranges};
use crate::characters::{latin1, to_latin1};
use crate::cookie::http_date;
use crate::float_repr::float_repr;
use crate::mime_types;
use crate::response::{content_type, internal_server_error};

const CHUNK: u64 = 64 * 1024;

/// What Python's `quote` leaves alone.
const NAME: &AsciiSet =
    &NON_ALPHANUMERIC.remove(b'_').remove(b'.').remove(b'-').remove(b'~').remove(b'/');

/// What a request asks of a file: an extractor that [`File::answer`] needs.
#[derive(Clone, Debug)]
pub struct FileRequest {
    method: Method,
    range: Option<String>,
    if_range: Option<String>,
}

impl FileRequest {
    /// What a request with this method and these headers asks.
    pub fn new(method: &Method, headers: &HeaderMap) -> Self {
        let text =
            |name: HeaderName| headers.get(name).map(|value| latin1(value.as_bytes()).into_owned());
        Self {
            method: method.clone(),
            range: text(header::RANGE),
            if_range: text(header::IF_RANGE),
        }
    }
}

impl<S: Sync> FromRequestParts<S> for FileRequest {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(Self::new(&parts.method, &parts.headers))
    }
}

/// A file that is to be sent: the arguments of FastAPI's `FileResponse`.
///
/// ```
/// use fastapi_compat::{File, FileRequest, FileResponse, get};
///
/// #[get("/report")]
/// async fn report(request: FileRequest) -> FileResponse {
///     File::new("reports/2026.pdf").filename("report.pdf").answer(&request).await
/// }
/// ```
#[derive(Clone, Debug)]
pub struct File {
    path: PathBuf,
    status: StatusCode,
    media_type: Option<String>,
    filename: Option<String>,
    disposition: &'static str,
    metadata: Option<Metadata>,
}

impl File {
    /// The file at a path. Its media type is that of the name's ending in the table of Python, which
    /// reads the tables of the system besides; unknown ones are `application/octet-stream`.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self {
            path: path.into(),
            status: StatusCode::OK,
            media_type: None,
            filename: None,
            disposition: "attachment",
            metadata: None,
        }
    }

    /// Another status; only 200 knows ranges.
    #[must_use]
    pub fn status(self, status: StatusCode) -> Self {
        Self { status, ..self }
    }

    /// `media_type=…`
    #[must_use]
    pub fn media_type(self, media_type: impl Into<String>) -> Self {
        Self { media_type: Some(media_type.into()), ..self }
    }

    /// The name under which it is saved: a `Content-Disposition`.
    #[must_use]
    pub fn filename(self, filename: impl Into<String>) -> Self {
        Self { filename: Some(filename.into()), ..self }
    }

    /// `content_disposition_type="inline"`: shown rather than saved.
    #[must_use]
    pub fn inline(self) -> Self {
        Self { disposition: "inline", ..self }
    }

    /// What is known of it already.
    pub(crate) fn metadata(self, metadata: Metadata) -> Self {
        Self { metadata: Some(metadata), ..self }
    }

    fn content_type(&self) -> String {
        let name = match &self.filename {
            Some(name) if !name.is_empty() => Cow::from(name.as_str()),
            _ => self.path.to_string_lossy(),
        };
        let guessed = || mime_types::guess(&name).unwrap_or("application/octet-stream").to_owned();
        let media_type = self.media_type.clone().unwrap_or_else(guessed);
        let header = content_type(&media_type);
        header.map_or(media_type, |value| latin1(value.as_bytes()).into_owned())
    }

    fn headers(&self, metadata: &Metadata) -> Option<HeaderMap> {
        let mut headers = HeaderMap::new();
        let mut set = |name, value: String| {
            let value = HeaderValue::from_bytes(&to_latin1(&value)?).ok()?;
            headers.insert(name, value);
            Some(())
        };
        set(header::CONTENT_TYPE, self.content_type())?;
        set(header::ACCEPT_RANGES, "bytes".to_owned())?;
        if let Some(name) = &self.filename {
            let encoded = utf8_percent_encode(name, NAME).to_string();
            let kind = self.disposition;
            set(
                header::CONTENT_DISPOSITION,
                if encoded == *name {
                    format!("{kind}; filename=\"{name}\"")
                } else {
                    format!("{kind}; filename*=utf-8''{encoded}")
                },
            )?;
        }
        set(header::CONTENT_LENGTH, metadata.len().to_string())?;
        set(header::LAST_MODIFIED, http_date(modified(metadata).0))?;
        set(header::ETAG, etag(metadata))?;
        Some(headers)
    }

    /// The answer to a request: the file, parts of it, or what is wrong with the ranges. A file that
    /// cannot be read is a logged 500.
    pub async fn answer(self, request: &FileRequest) -> FileResponse {
        let path = self.path.clone();
        FileResponse(self.respond(request).await.unwrap_or_else(|error| {
            tracing::error!(%error, path = %path.display(), "a file could not be sent");
            internal_server_error()
        }))
    }

    async fn respond(self, request: &FileRequest) -> io::Result<Response> {
        let metadata = match &self.metadata {
            Some(metadata) => metadata.clone(),
            None => fs::metadata(&self.path).await?,
        };
        if !metadata.is_file() {
            return Err(io::Error::other("it is not a file"));
        }
        let invalid = || io::Error::other("a header cannot hold its name or its media type");
        let mut headers = self.headers(&metadata).ok_or_else(invalid)?;
        let size = metadata.len();
        let uses_range = |condition: &String| {
            let matches = |name| {
                headers.get(name).is_some_and(|value: &HeaderValue| value == condition.as_str())
            };
            !condition.starts_with("W/")
                && (matches(header::LAST_MODIFIED) || matches(header::ETAG))
        };
        let range = request.range.as_ref().filter(|_| {
            self.status == StatusCode::OK
                && [Method::GET, Method::HEAD].contains(&request.method)
                && request.if_range.as_ref().is_none_or(uses_range)
        });
        let ranges = match range.map(|range| parse_ranges(range, size)) {
            None => Vec::new(),
            Some(Ok(ranges)) => ranges,
            Some(Err(Refused::Malformed(text))) => {
                return Ok((StatusCode::BAD_REQUEST, text).into_response());
            }
            Some(Err(Refused::NotSatisfiable)) => {
                let range = [(header::CONTENT_RANGE, format!("bytes */{size}"))];
                return Ok((StatusCode::RANGE_NOT_SATISFIABLE, range, "").into_response());
            }
        };
        let is_head = request.method == Method::HEAD;
        let (status, pieces) = match ranges.as_slice() {
            [] => (self.status, vec![Piece::Range(0, size)]),
            [(start, end)] => {
                let range = format!("bytes {start}-{}/{size}", end - 1);
                headers.insert(header::CONTENT_RANGE, range.parse().map_err(io::Error::other)?);
                headers.insert(header::CONTENT_LENGTH, (end - start).into());
                (StatusCode::PARTIAL_CONTENT, vec![Piece::Range(*start, *end)])
            }
            several => {
                let boundary = boundary();
                let (length, pieces) = multipart(several, &boundary, &self.content_type(), size);
                let kind = format!("multipart/byteranges; boundary={boundary}");
                headers.insert(header::CONTENT_TYPE, kind.parse().map_err(io::Error::other)?);
                headers.insert(header::CONTENT_LENGTH, length.into());
                (StatusCode::PARTIAL_CONTENT, pieces)
            }
        };
        let body = match pieces.as_slice() {
            _ if is_head => Body::empty(),
            // What Starlette sends in one piece.
            [Piece::Range(0, end)] if *end == size && size < CHUNK => {
                Body::from(fs::read(&self.path).await?)
            }
            _ => body(&self.path, pieces).await?,
        };
        Ok((status, headers, body).into_response())
    }
}

/// What a [`File`] answers.
#[derive(Debug)]
pub struct FileResponse(Response);

impl IntoResponse for FileResponse {
    fn into_response(self) -> Response {
        self.0
    }
}

/// Tag and date of a file, for conditions.
pub(crate) fn validators(metadata: &Metadata) -> (String, String) {
    (etag(metadata), http_date(modified(metadata).0))
}

/// When it was written: seconds since 1970, and nanoseconds.
fn modified(metadata: &Metadata) -> (i64, u32) {
    let since = metadata.modified().ok().and_then(|time| time.duration_since(UNIX_EPOCH).ok());
    let since = since.unwrap_or_default();
    (i64::try_from(since.as_secs()).unwrap_or(i64::MAX), since.subsec_nanos())
}

fn etag(metadata: &Metadata) -> String {
    let (seconds, nanoseconds) = modified(metadata);
    #[expect(clippy::cast_precision_loss, reason = "as Python's `st_mtime`")]
    let modified = seconds as f64 + 1e-9 * f64::from(nanoseconds);
    let base = format!("{}-{}", float_repr(modified), metadata.len());
    let digest = Md5::digest(base.as_bytes());
    let mut hex = String::new();
    for byte in digest {
        // Writing to a text cannot fail.
        _ = write!(hex, "{byte:02x}");
    }
    format!("\"{hex}\"")
}

/// A part of the body.
enum Piece {
    Text(String),
    /// Of the file, without the end.
    Range(u64, u64),
}

/// The body of these pieces, a chunk at a time.
async fn body(path: &Path, pieces: Vec<Piece>) -> io::Result<Body> {
    let file = fs::File::open(path).await?;
    let state = (file, pieces.into_iter(), None::<(u64, u64)>);
    let chunks = stream::try_unfold(state, |(mut file, mut pieces, mut open)| async move {
        loop {
            if let Some((start, end)) = open.filter(|(start, end)| start < end) {
                let length = usize::try_from((end - start).min(CHUNK)).unwrap_or(usize::MAX);
                let mut chunk = vec![0; length];
                let read = file.read(&mut chunk).await?;
                if read == 0 {
                    return Err(io::Error::from(io::ErrorKind::UnexpectedEof));
                }
                chunk.truncate(read);
                open = Some((start + read as u64, end));
                return Ok(Some((Bytes::from(chunk), (file, pieces, open))));
            }
            match pieces.next() {
                None => return Ok::<_, io::Error>(None),
                Some(Piece::Text(text)) => {
                    return Ok(Some((Bytes::from(text), (file, pieces, None))));
                }
                Some(Piece::Range(start, end)) => {
                    file.seek(SeekFrom::Start(start)).await?;
                    open = Some((start, end));
                }
            }
        }
    });
    Ok(Body::from_stream(chunks))
}

fn boundary() -> String {
    use std::hash::{BuildHasher, Hasher, RandomState};
    let random = || RandomState::new().build_hasher().finish();
    let digits = format!("{:016x}{:016x}", random(), random());
    digits[..26].to_owned()
}

fn multipart(
    ranges: &[(u64, u64)],
    boundary: &str,
    content_type: &str,
    size: u64,
) -> (u64, Vec<Piece>) {
    let (mut length, mut pieces) = (0, Vec::new());
    for &(start, end) in ranges {
        let head = format!(
            "--{boundary}\r\nContent-Type: {content_type}\r\n\
             Content-Range: bytes {start}-{}/{size}\r\n\r\n",
            end - 1
        );
        length += head.len() as u64 + (end - start) + 2;
        pieces.extend([
            Piece::Text(head),
            Piece::Range(start, end),
            Piece::Text("\r\n".to_owned()),
        ]);
    }
    let tail = format!("--{boundary}--");
    length += tail.len() as u64;
    pieces.push(Piece::Text(tail));
    (length, pieces)
}
