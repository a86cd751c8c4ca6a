//! Directories of files, as Starlette's `StaticFiles` serves them.

mod frontend;

use std::convert::Infallible;
use std::fs::Metadata;
use std::io;
use std::path::{Component, Path, PathBuf};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use axum::body::Body;
use axum::extract::Request;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use futures_util::stream;
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use percent_encoding::percent_decode_str;
use tower::Service;

pub use self::frontend::{Frontend, FrontendFallback};
use crate::characters::{decode_replacing, latin1, strip};
use crate::file::{File, FileRequest, validators};
use crate::location::{Location, full_path, location, split};
use crate::response::{HttpError, internal_server_error};

/// `StaticFiles(directory=…)`, for [`Router::mount`](crate::Router::mount).
///
/// ```no_run
/// use fastapi_compat::{Router, StaticFiles};
///
/// # fn main() -> std::io::Result<()> {
/// let router: Router = Router::new().mount("/static", StaticFiles::new("static")?.html());
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct StaticFiles {
    directory: Arc<Path>,
    is_html: bool,
    follows_symlinks: bool,
}

impl StaticFiles {
    /// The files below a directory.
    ///
    /// # Errors
    /// When there is no such directory, as in Starlette.
    pub fn new(directory: impl Into<PathBuf>) -> io::Result<Self> {
        let directory = std::path::absolute(directory.into())?;
        if !std::fs::metadata(&directory)?.is_dir() {
            return Err(io::ErrorKind::NotADirectory.into());
        }
        Ok(Self { directory: directory.into(), is_html: false, follows_symlinks: false })
    }

    /// `html=True`: `index.html` for a directory, `404.html` for what is not there.
    #[must_use]
    pub fn html(self) -> Self {
        Self { is_html: true, ..self }
    }

    /// `follow_symlink=True`: links may lead out of the directory.
    #[must_use]
    pub fn follow_symlink(self) -> Self {
        Self { follows_symlinks: true, ..self }
    }

    async fn answer(&self, request: &Parts) -> Response {
        if ![Method::GET, Method::HEAD].contains(&request.method) {
            return HttpError::new(StatusCode::METHOD_NOT_ALLOWED, "Method Not Allowed")
                .with_header(header::ALLOW, HeaderValue::from_static("GET, HEAD"))
                .into_response();
        }
        let decoded = percent_decode_str(request.uri.path()).collect::<Vec<_>>();
        let path = normal(&decode_replacing(&decoded));
        match self.find(request, &path).await {
            Ok(answer) => answer,
            Err(error) => self.refuse(&error),
        }
    }

    async fn find(&self, request: &Parts, path: &Path) -> io::Result<Response> {
        let found = self.look_up(path).await?;
        if let Some((path, metadata)) = &found {
            if metadata.is_file() {
                return Ok(send(request, path, metadata, StatusCode::OK).await);
            }
            let index = self.is_html && metadata.is_dir();
            let index =
                if index { self.look_up(&self.below(path, "index.html")).await? } else { None };
            if let Some((path, metadata)) = index.filter(|(_, metadata)| metadata.is_file()) {
                let full = full_path(&request.uri, &request.extensions);
                if full.ends_with('/') {
                    return Ok(send(request, &path, &metadata, StatusCode::OK).await);
                }
                return Ok(redirect(location(request, &format!("{}/", split(&full)))));
            }
        }
        if self.is_html
            && let Some((path, metadata)) = self.look_up(Path::new("404.html")).await?
            && metadata.is_file()
        {
            let file = File::new(path).metadata(metadata).status(StatusCode::NOT_FOUND);
            let of_file = FileRequest::new(&request.method, &request.headers);
            return Ok(file.answer(&of_file).await.into_response());
        }
        Err(io::ErrorKind::NotFound.into())
    }

    /// The path of something in a directory below this one, relative to this one.
    fn below(&self, path: &Path, name: &str) -> PathBuf {
        let root = if self.follows_symlinks {
            self.directory.to_path_buf()
        } else {
            self.directory.canonicalize().unwrap_or_else(|_| self.directory.to_path_buf())
        };
        path.strip_prefix(root).unwrap_or(path).join(name)
    }

    /// What is at a path, unless that leads out of the directory.
    async fn look_up(&self, path: &Path) -> io::Result<Option<(PathBuf, Metadata)>> {
        let (directory, joined) = (Arc::clone(&self.directory), self.directory.join(path));
        let follows_symlinks = self.follows_symlinks;
        let found = tokio::task::spawn_blocking(move || {
            let (directory, full) = if follows_symlinks {
                (directory.to_path_buf(), lexical(&joined))
            } else {
                (directory.canonicalize()?, joined.canonicalize()?)
            };
            if !full.starts_with(&directory) {
                return Ok::<_, io::Error>(None);
            }
            let metadata = std::fs::metadata(&full)?;
            Ok(Some((full, metadata)))
        });
        match found.await.map_err(io::Error::other)? {
            Err(error)
                if matches!(
                    error.kind(),
                    io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
                ) =>
            {
                Ok(None)
            }
            found => found,
        }
    }

    fn refuse(&self, error: &io::Error) -> Response {
        match error.kind() {
            io::ErrorKind::PermissionDenied => {
                HttpError::new(StatusCode::UNAUTHORIZED, "Unauthorized").into_response()
            }
            // A zero in the name, or a name that is too long.
            io::ErrorKind::NotFound
            | io::ErrorKind::InvalidInput
            | io::ErrorKind::InvalidFilename => {
                HttpError::new(StatusCode::NOT_FOUND, "Not Found").into_response()
            }
            _ => {
                tracing::error!(%error, directory = %self.directory.display(), "a file is not served");
                internal_server_error()
            }
        }
    }
}

/// `os.path.normpath(os.path.join(*path.split("/")))`
pub(crate) fn normal(path: &str) -> PathBuf {
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." if parts.last().is_some_and(|last| *last != "..") => _ = parts.pop(),
            part => parts.push(part),
        }
    }
    // What begins so is absolute elsewhere; it is never found.
    if parts.first().is_some_and(|first| first.starts_with('\\')) {
        return "..".into();
    }
    parts.iter().collect()
}

/// The path without `..`, whatever the links in it are.
fn lexical(path: &Path) -> PathBuf {
    let mut all = PathBuf::new();
    for component in path.components() {
        match component {
            Component::ParentDir => _ = all.pop(),
            Component::CurDir => {}
            component => all.push(component),
        }
    }
    all
}

fn redirect(Location(location): Location) -> Response {
    match location {
        Some(location) => {
            let length = (header::CONTENT_LENGTH, HeaderValue::from_static("0"));
            let headers = [length, (header::LOCATION, location)];
            (StatusCode::TEMPORARY_REDIRECT, headers).into_response()
        }
        None => internal_server_error(),
    }
}

async fn send(request: &Parts, path: &Path, metadata: &Metadata, status: StatusCode) -> Response {
    let file = File::new(path).metadata(metadata.clone()).status(status);
    let (etag, modified) = validators(metadata);
    if is_not_modified(&request.headers, &etag, &modified) {
        // Of no known size: else axum says for HEAD that it has none.
        let body = Body::from_stream(stream::empty::<Result<Bytes, Infallible>>());
        return (StatusCode::NOT_MODIFIED, [(header::ETAG, etag)], body).into_response();
    }
    let of_file = FileRequest::new(&request.method, &request.headers);
    file.answer(&of_file).await.into_response()
}

pub(crate) fn is_not_modified(headers: &HeaderMap, etag: &str, modified: &str) -> bool {
    let text = |name: HeaderName| headers.get(name).map(|value| latin1(value.as_bytes()));
    if let Some(known) = text(header::IF_NONE_MATCH).filter(|known| !known.is_empty()) {
        let tag = |tag: &str| {
            let tag = strip(tag).to_owned();
            tag.strip_prefix("W/").map(str::to_owned).unwrap_or(tag)
        };
        return strip(&known) == "*" || known.split(',').any(|known| tag(known) == etag);
    }
    let since = text(header::IF_MODIFIED_SINCE).and_then(|since| parse_date(&since));
    since.is_some_and(|since| parse_date(modified).is_some_and(|modified| since >= modified))
}

const MONTHS: [&str; 24] = [
    "jan",
    "feb",
    "mar",
    "apr",
    "may",
    "jun",
    "jul",
    "aug",
    "sep",
    "oct",
    "nov",
    "dec",
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
];

const DAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

/// `email.utils.parsedate`: year, month, day, hour, minute, second; the time zone does not count.
pub(crate) fn parse_date(text: &str) -> Option<[i64; 6]> {
    let mut words: Vec<String> = text.split_whitespace().map(str::to_owned).collect();
    let first = words.first_mut()?;
    if first.ends_with(',') || DAYS.contains(&first.to_lowercase().as_str()) {
        words.remove(0);
    } else if let Some(at) = first.rfind(',') {
        *first = first[at + 1..].to_owned();
    }
    if words.len() == 3 {
        let parts: Vec<String> = words[0].split('-').map(str::to_owned).collect();
        if parts.len() == 3 {
            words.splice(0..1, parts);
        }
    }
    if words.len() == 4 {
        let time = words[3].clone();
        match time.find('+').or_else(|| time.find('-')) {
            Some(at) if at > 0 => {
                words.truncate(3);
                words.extend([time[..at].to_owned(), time[at..].to_owned()]);
            }
            _ => words.push(String::new()),
        }
    }
    let [day, month, year, time, zone] = words.get(..5)? else { return None };
    let (mut day, mut month) = (day.clone(), month.to_lowercase());
    if day.is_empty() || month.is_empty() || year.is_empty() {
        return None;
    }
    let index = |month: &str| MONTHS.iter().position(|known| *known == month);
    if index(&month).is_none() {
        (day, month) = (month, day.to_lowercase());
    }
    let month = index(&month)? % 12 + 1;
    let without_comma = |text: &str| text.strip_suffix(',').unwrap_or(text).to_owned();
    let (mut year, mut time) = (year.clone(), time.clone());
    if year.find(':').is_some_and(|at| at > 0) {
        std::mem::swap(&mut year, &mut time);
    }
    year = without_comma(&year);
    if !year.chars().next()?.is_ascii_digit() {
        year.clone_from(zone);
    }
    let time = without_comma(&time);
    let parts: Vec<&str> = match time.split(':').collect::<Vec<_>>() {
        parts if parts.len() == 1 => time.split('.').collect(),
        parts => parts,
    };
    let (hour, minute, second) = match parts.as_slice() {
        [hour, minute] => (*hour, *minute, "0"),
        [hour, minute, second] => (*hour, *minute, *second),
        _ => return None,
    };
    let number = |text: &str| text.trim().parse::<i64>().ok();
    let mut year = number(&year)?;
    if (0..100).contains(&year) {
        year += if year > 68 { 1900 } else { 2000 };
    }
    let month = i64::try_from(month).ok()?;
    let day = number(&without_comma(&day))?;
    Some([year, month, day, number(hour)?, number(minute)?, number(second)?])
}

impl Service<Request> for StaticFiles {
    type Response = Response;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request) -> Self::Future {
        let this = self.clone();
        Box::pin(async move {
            let (parts, _) = request.into_parts();
            Ok(this.answer(&parts).await)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_read_as_python_reads_them() {
        let date = Some([2015, 10, 21, 7, 28, 0]);
        for text in [
            "Wed, 21 Oct 2015 07:28:00 GMT",
            "21 oct 2015 07:28",
            "Wednesday, 21-Oct-15 07:28:00 GMT",
            "Wed Oct 21 07:28:00 2015",
            "Wed,21 October 2015 07.28.00",
        ] {
            assert_eq!(parse_date(text), date, "{text}");
        }
        assert_eq!(parse_date("yesterday"), None);
        assert_eq!(parse_date(""), None);
    }

    #[test]
    fn paths_are_normal() {
        assert_eq!(normal("/a//./b/../c"), Path::new("a/c"));
        assert_eq!(normal("/../a"), Path::new("../a"));
        assert_eq!(normal("/"), Path::new(""));
    }
}
