//! The build of a frontend: FastAPI's `app.frontend`.

use std::convert::Infallible;
use std::fs::Metadata;
use std::io;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::task::{Context, Poll};

use axum::extract::Request;
use axum::response::{IntoResponse, Response};
use http::request::Parts;
use http::{Method, StatusCode, header};
use percent_encoding::percent_decode_str;
use tower::Service;

use super::{StaticFiles, normal, redirect, send};
use crate::characters::decode_replacing;
use crate::characters::latin1;
use crate::location::{full_path, location, split};
use crate::response::HttpError;

/// What a [`Frontend`] answers with where there is no file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum FrontendFallback {
    /// `404.html` if it is there, else `index.html` if that is there and a browser asks for a page.
    #[default]
    Auto,
    /// `index.html`, if a browser asks for a page.
    Index,
    /// `404.html`.
    NotFound,
    /// Nothing but the 404.
    None,
}

/// The directory of a frontend's build, for [`Router::frontend`](crate::Router::frontend).
///
/// ```no_run
/// use fastapi_compat::{Frontend, Router};
///
/// # fn main() -> std::io::Result<()> {
/// let router: Router = Router::new().frontend("/", Frontend::new("dist")?);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Frontend {
    files: StaticFiles,
    fallback: FrontendFallback,
}

impl Frontend {
    /// The files below a directory.
    ///
    /// # Errors
    /// When there is no such directory.
    pub fn new(directory: impl Into<PathBuf>) -> io::Result<Self> {
        Ok(Self { files: StaticFiles::new(directory)?, fallback: FrontendFallback::Auto })
    }

    /// What is answered where there is no file: `fallback=…`.
    ///
    /// # Errors
    /// When the file that it names is not there.
    pub fn fallback(self, fallback: FrontendFallback) -> io::Result<Self> {
        let name = match fallback {
            FrontendFallback::Index => Some("index.html"),
            FrontendFallback::NotFound => Some("404.html"),
            FrontendFallback::Auto | FrontendFallback::None => None,
        };
        if let Some(name) = name
            && !std::fs::metadata(self.files.directory.join(name))?.is_file()
        {
            return Err(io::ErrorKind::NotFound.into());
        }
        Ok(Self { fallback, ..self })
    }

    async fn answer(&self, request: &Parts) -> Response {
        let decoded = percent_decode_str(request.uri.path()).collect::<Vec<_>>();
        let path = normal(&decode_replacing(&decoded));
        match self.find(request, &path).await {
            Ok(answer) => answer,
            Err(error) => self.files.refuse(&error),
        }
    }

    async fn find(&self, request: &Parts, path: &Path) -> io::Result<Response> {
        let found = self.resource(path).await?;
        if ![Method::GET, Method::HEAD].contains(&request.method) {
            return Ok(match found {
                Some(_) => HttpError::new(StatusCode::METHOD_NOT_ALLOWED, "Method Not Allowed"),
                None => HttpError::new(StatusCode::NOT_FOUND, "Not Found"),
            }
            .into_response());
        }
        if let Some((path, metadata, is_index)) = found {
            let full = full_path(&request.uri, &request.extensions);
            if is_index && !full.ends_with('/') {
                return Ok(redirect(location(request, &format!("{}/", split(&full)))));
            }
            return Ok(send(request, &path, &metadata, StatusCode::OK).await);
        }
        if matches!(self.fallback, FrontendFallback::Auto | FrontendFallback::NotFound)
            && let Some((path, metadata)) = self.file("404.html").await?
        {
            return Ok(send(request, &path, &metadata, StatusCode::NOT_FOUND).await);
        }
        if matches!(self.fallback, FrontendFallback::Auto | FrontendFallback::Index)
            && is_navigation(request)
            && let Some((path, metadata)) = self.file("index.html").await?
        {
            return Ok(send(request, &path, &metadata, StatusCode::OK).await);
        }
        Err(io::ErrorKind::NotFound.into())
    }

    /// The file at a path, or the index of the directory there, and whether it is that.
    async fn resource(&self, path: &Path) -> io::Result<Option<(PathBuf, Metadata, bool)>> {
        let Some((found, metadata)) = self.files.look_up(path).await? else { return Ok(None) };
        if metadata.is_file() {
            return Ok(Some((found, metadata, false)));
        }
        let index = if metadata.is_dir() { path.join("index.html") } else { return Ok(None) };
        let index = self.files.look_up(&index).await?.filter(|(_, metadata)| metadata.is_file());
        Ok(index.map(|(path, metadata)| (path, metadata, true)))
    }

    async fn file(&self, name: &str) -> io::Result<Option<(PathBuf, Metadata)>> {
        let found = self.files.look_up(Path::new(name)).await?;
        Ok(found.filter(|(_, metadata)| metadata.is_file()))
    }
}

/// Whether a browser asks for a page: the type of one is among those that it accepts.
fn is_navigation(request: &Parts) -> bool {
    let accept = request.headers.get(header::ACCEPT).map(|value| latin1(value.as_bytes()));
    accept.unwrap_or_default().split(',').any(|accepted| {
        let mut parts = accepted.split(';');
        let media_type = parts.next().unwrap_or_default().trim().to_lowercase();
        let quality = parts.filter_map(|part| part.split_once('=')).find_map(|(name, value)| {
            let is_quality = name.trim().eq_ignore_ascii_case("q");
            is_quality.then(|| value.trim().trim_matches('"').parse::<f64>().unwrap_or(1.0))
        });
        ["text/html", "application/xhtml+xml"].contains(&media_type.as_str())
            && quality != Some(0.0)
    })
}

impl Service<Request> for Frontend {
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
