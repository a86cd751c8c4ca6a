//! ASGI's scope as a request.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use axum::extract::ConnectInfo;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Uri, Version};
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict};

use crate::messages::pairs;

/// What a path has encoded (RFC 3986: `pchar` and `/` are left).
const ENCODED: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'#')
    .add(b'%')
    .add(b'<')
    .add(b'>')
    .add(b'?')
    .add(b'[')
    .add(b'\\')
    .add(b']')
    .add(b'^')
    .add(b'`')
    .add(b'{')
    .add(b'|')
    .add(b'}');

/// The scope that a request came with: an extension of it.
#[derive(Clone)]
pub(crate) struct Scope(Arc<Py<PyDict>>);

impl Scope {
    /// A copy without ASGI's extensions, which the bridge does not pass on.
    pub(crate) fn copy<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let scope = self.0.bind(py).copy()?;
        scope.set_item("extensions", PyDict::new(py))?;
        Ok(scope)
    }
}

/// The local address of the connection, as the ASGI server states it: an extension of requests.
#[derive(Clone, Copy, Debug)]
pub struct Local(pub SocketAddr);

/// The scheme as the ASGI server states it, `http` or `https`: an extension of requests.
#[derive(Clone, Copy, Debug)]
pub struct Scheme(pub &'static str);

/// Why a scope is no request that could be served.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ScopeError {
    #[error("the scope lacks '{0}', or it is of another type")]
    Missing(&'static str),
    #[error("the scope's method is none")]
    Method,
    #[error("the scope's path and query are no URL")]
    Target,
    #[error("the scope has a header that cannot be")]
    Header,
}

impl From<ScopeError> for PyErr {
    fn from(error: ScopeError) -> Self {
        pyo3::exceptions::PyValueError::new_err(error.to_string())
    }
}

fn get<'py, T>(scope: &Bound<'py, PyDict>, name: &'static str) -> Result<T, ScopeError>
where
    T: for<'a> FromPyObject<'a, 'py>,
{
    let value = scope.get_item(name).ok().flatten().ok_or(ScopeError::Missing(name))?;
    value.extract().map_err(|_| ScopeError::Missing(name))
}

/// The method of a request.
pub(crate) fn method(scope: &Bound<'_, PyDict>) -> Result<Method, ScopeError> {
    let method: String = get(scope, "method")?;
    Method::from_bytes(method.as_bytes()).map_err(|_| ScopeError::Method)
}

/// The path within the application, encoded: without the `root_path` below which it is mounted.
pub(crate) fn path(scope: &Bound<'_, PyDict>) -> Result<String, ScopeError> {
    let root: String = get(scope, "root_path").unwrap_or_default();
    if let Ok(raw) = get::<Vec<u8>>(scope, "raw_path")
        && let Ok(path) = std::str::from_utf8(below(&raw, root.as_bytes()))
        && path.starts_with('/')
    {
        return Ok(path.to_owned());
    }
    let path: String = get(scope, "path")?;
    let path = std::str::from_utf8(below(path.as_bytes(), root.as_bytes()));
    Ok(utf8_percent_encode(path.map_err(|_| ScopeError::Target)?, ENCODED).to_string())
}

/// What follows the prefix; all of it if it does not begin so, as with servers that leave it out.
fn below<'a>(path: &'a [u8], root: &[u8]) -> &'a [u8] {
    match path.strip_prefix(root) {
        Some([]) => b"/",
        Some(rest) if rest.starts_with(b"/") => rest,
        _ => path,
    }
}

/// The request without its body, for the service.
pub(crate) fn head(scope: &Bound<'_, PyDict>, path: &str) -> Result<Request<()>, ScopeError> {
    let query: Vec<u8> = get(scope, "query_string").unwrap_or_default();
    let mut target = path.as_bytes().to_vec();
    if !query.is_empty() {
        target.push(b'?');
        target.extend_from_slice(&query);
    }
    let mut request = Request::new(());
    *request.uri_mut() = Uri::try_from(target).map_err(|_| ScopeError::Target)?;
    *request.method_mut() = method(scope)?;
    *request.headers_mut() = headers(scope)?;
    let version: String = get(scope, "http_version").unwrap_or_default();
    *request.version_mut() = match version.as_str() {
        "1.0" => Version::HTTP_10,
        "2" | "2.0" => Version::HTTP_2,
        "3" | "3.0" => Version::HTTP_3,
        _ => Version::HTTP_11,
    };
    let extensions = request.extensions_mut();
    if let Some(client) = address(scope, "client") {
        extensions.insert(ConnectInfo(client));
    }
    if let Some(server) = address(scope, "server") {
        extensions.insert(Local(server));
    }
    let scheme: String = get(scope, "scheme").unwrap_or_default();
    extensions.insert(Scheme(if scheme == "https" { "https" } else { "http" }));
    extensions.insert(Scope(Arc::new(scope.clone().unbind())));
    Ok(request)
}

fn headers(scope: &Bound<'_, PyDict>) -> Result<HeaderMap, ScopeError> {
    let list = scope.get_item("headers").ok().flatten().ok_or(ScopeError::Missing("headers"))?;
    let mut headers = HeaderMap::new();
    for pair in list.try_iter().map_err(|_| ScopeError::Missing("headers"))? {
        let pair = pair.map_err(|_| ScopeError::Header)?;
        let part = |index: usize| {
            let part = pair.get_item(index).map_err(|_| ScopeError::Header)?;
            part.cast_into::<PyBytes>().map_err(|_| ScopeError::Header)
        };
        let (name, value) = (part(0)?, part(1)?);
        let name = HeaderName::from_bytes(name.as_bytes()).map_err(|_| ScopeError::Header)?;
        let value = HeaderValue::from_bytes(value.as_bytes()).map_err(|_| ScopeError::Header)?;
        headers.try_append(name, value).map_err(|_| ScopeError::Header)?;
    }
    Ok(headers)
}

/// An address of the scope; none for a Unix socket, or a name.
fn address(scope: &Bound<'_, PyDict>, name: &'static str) -> Option<SocketAddr> {
    let (host, port): (String, u16) = get(scope, name).ok()?;
    Some(SocketAddr::new(host.parse::<IpAddr>().ok()?, port))
}

/// A scope for a request that came with none: a copy that is compared.
pub(crate) fn scope<'py>(
    py: Python<'py>,
    parts: &http::request::Parts,
) -> PyResult<Bound<'py, PyDict>> {
    if let Some(scope) = parts.extensions.get::<Scope>() {
        return scope.copy(py);
    }
    let path = parts.uri.path();
    let decoded = percent_encoding::percent_decode_str(path).decode_utf8_lossy();
    let scope = PyDict::new(py);
    let asgi = PyDict::new(py);
    asgi.set_item("version", "3.0")?;
    asgi.set_item("spec_version", "2.4")?;
    scope.set_item("type", "http")?;
    scope.set_item("asgi", asgi)?;
    scope.set_item("http_version", "1.1")?;
    scope.set_item("method", parts.method.as_str())?;
    scope.set_item("scheme", parts.extensions.get::<Scheme>().map_or("http", |scheme| scheme.0))?;
    scope.set_item("path", &*decoded)?;
    scope.set_item("raw_path", PyBytes::new(py, path.as_bytes()))?;
    let query = parts.uri.query().unwrap_or_default();
    scope.set_item("query_string", PyBytes::new(py, query.as_bytes()))?;
    scope.set_item("root_path", "")?;
    scope.set_item("headers", pairs(py, &parts.headers))?;
    let client = parts.extensions.get::<ConnectInfo<SocketAddr>>();
    scope.set_item("client", client.map(|client| (client.0.ip().to_string(), client.0.port())))?;
    scope.set_item("server", py.None())?;
    scope.set_item("extensions", PyDict::new(py))?;
    Ok(scope)
}

/// Whether a request has a body, by its head (RFC 9112, 6.3); in HTTP/2 any may, but for safe ones.
pub(crate) fn may_have_body(request: &Request<()>) -> bool {
    let headers = request.headers();
    let length = headers.get(http::header::CONTENT_LENGTH);
    headers.contains_key(http::header::TRANSFER_ENCODING)
        || length.is_some_and(|length| length.as_bytes() != b"0")
        || (request.version() >= Version::HTTP_2 && length.is_none() && !request.method().is_safe())
}

/// The body's length, if it is announced.
pub(crate) fn length(request: &Request<()>) -> Option<u64> {
    let length = request.headers().get(http::header::CONTENT_LENGTH)?;
    length.to_str().ok()?.parse().ok()
}
