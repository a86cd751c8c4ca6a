//! Routing as Starlette does it: the first route that matches path and method wins, in the order of
//! registration.
//!
//! axum's own router prefers literal segments over parameters whatever their order, answers HEAD
//! with GET, and lists every method of a path in `Allow`; Starlette does none of that. This one
//! takes axum handlers and becomes an [`axum::Router`] again.

use std::convert::Infallible;
use std::sync::Arc;
use std::task::{Context, Poll};

use axum::extract::Request;
use axum::handler::Handler;
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodRouter, any};
use futures_util::future::BoxFuture;
use http::{HeaderValue, Method, StatusCode, header};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use tower::{Service, ServiceExt};

use crate::extract::{DryRun, WouldAct};
use crate::form::decode_replacing;
use crate::openapi::{self, DuplicateModel, Info, Outline};
use crate::protocol::Https;
use crate::response::{HttpError, internal_server_error};

/// The operation that a request belongs to; in the extensions of the request and of the answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Operation {
    /// As in the OpenAPI document.
    pub id: Arc<str>,
    /// The path with its parameters in braces.
    pub path: Arc<str>,
}

/// The parameters that the path of a request holds, percent-decoded, in their order.
#[derive(Clone, Debug, Default)]
pub struct PathParams(Vec<(Arc<str>, String)>);

impl PathParams {
    /// Name and value of the first parameter.
    pub fn first(&self) -> Option<(&str, &str)> {
        self.nth(0)
    }

    pub(crate) fn nth(&self, index: usize) -> Option<(&str, &str)> {
        self.0.get(index).map(|(name, value)| (&**name, value.as_str()))
    }
}

#[derive(Clone, Debug)]
enum Segment {
    Literal(String),
    Parameter(Arc<str>),
}

#[derive(Clone)]
struct Registered<S> {
    outline: Outline,
    /// A page of Starlette's own kind, which answers HEAD as well and is not in the document.
    page: bool,
    handler: MethodRouter<S>,
}

/// A route that is served.
struct Route {
    method: Method,
    head: bool,
    segments: Vec<Segment>,
    status: StatusCode,
    operation: Operation,
    /// Whether the handler is called through [`Call`](crate::Call), which heeds [`DryRun`].
    is_validated: bool,
    handler: MethodRouter,
}

/// How operations are called: from the function's name, the tags, the path and the method.
type OperationId = fn(&str, &[&str], &str, &Method) -> String;

/// FastAPI's own: `read_item_items__id__get`.
fn default_operation_id(name: &str, _: &[&str], path: &str, method: &Method) -> String {
    let word = |c: char| if c.is_alphanumeric() || c == '_' { c } else { '_' };
    let id: String = name.chars().chain(path.chars()).map(word).collect();
    format!("{id}_{}", method.as_str().to_lowercase())
}

/// Routes in the order of their registration, with the document that describes them.
#[derive(Clone)]
pub struct Router<S = ()> {
    routes: Vec<Registered<S>>,
    operation_id: OperationId,
}

impl<S: Clone + Send + Sync + 'static> Default for Router<S> {
    fn default() -> Self {
        Self::new()
    }
}

impl<S: Clone + Send + Sync + 'static> Router<S> {
    pub fn new() -> Self {
        Self { routes: Vec::new(), operation_id: default_operation_id }
    }

    /// Adds an operation: the function that `#[get("/")]` and its like make of a handler.
    #[must_use]
    pub fn route(self, operation: fn(Self) -> Self) -> Self {
        operation(self)
    }

    /// Adds an operation that is described by hand.
    #[must_use]
    pub fn operation<H, T>(mut self, outline: Outline, handler: H) -> Self
    where
        H: Handler<T, S>,
        T: 'static,
    {
        self.routes.push(Registered { outline, page: false, handler: any(handler) });
        self
    }

    /// Adds a page that is no operation: it answers GET and HEAD and is not in the document.
    #[must_use]
    pub fn page(mut self, path: &str, handler: MethodRouter<S>) -> Self {
        let outline = Outline::new(Method::GET, path, "page");
        self.routes.push(Registered { outline, page: true, handler });
        self
    }

    /// Adds the routes of another router behind these.
    #[must_use]
    pub fn merge(mut self, other: Self) -> Self {
        self.routes.extend(other.routes);
        self
    }

    /// Puts `prefix` before every path: `APIRouter(prefix=…)`.
    #[must_use]
    pub fn prefix(mut self, prefix: &str) -> Self {
        for route in &mut self.routes {
            route.outline.path.insert_str(0, prefix);
        }
        self
    }

    /// Tags every operation: `APIRouter(tags=[…])`.
    #[must_use]
    pub fn tag(mut self, tag: &'static str) -> Self {
        for route in &mut self.routes {
            route.outline.tags.insert(0, tag);
        }
        self
    }

    /// How operations are called: FastAPI's `generate_unique_id_function`, which is given the
    /// function's name, the tags, the path and the method.
    #[must_use]
    pub fn operation_ids(self, operation_id: OperationId) -> Self {
        Self { operation_id, ..self }
    }

    fn id(&self, Outline { id, name, tags, path, method, .. }: &Outline) -> String {
        id.map_or_else(|| (self.operation_id)(name, tags, path, method), str::to_owned)
    }

    /// Id, method and path of everything that is routed, in the order in which it is tried; a page
    /// has its path for an id.
    pub fn operations(&self) -> impl Iterator<Item = (String, Method, String)> {
        self.routes.iter().map(|Registered { outline, page, .. }| {
            let id = if *page { outline.path.clone() } else { self.id(outline) };
            (id, outline.method.clone(), outline.path.clone())
        })
    }

    /// The OpenAPI document of the operations.
    ///
    /// # Errors
    /// When two models have the same name.
    pub fn document(&self, info: &Info<'_>) -> Result<utoipa::openapi::OpenApi, DuplicateModel> {
        let operations = self.routes.iter().filter(|route| !route.page);
        let operations = operations.map(|route| (self.id(&route.outline), &route.outline));
        openapi::document(info, operations)
    }

    /// The routes as a service.
    pub fn with_state(self, state: &S) -> axum::Router {
        let routes = self.routes.iter().map(|Registered { outline, page, handler }| {
            let id = if *page { outline.path.clone() } else { self.id(outline) };
            Route {
                method: outline.method.clone(),
                head: *page,
                segments: segments(&outline.path),
                status: outline.status,
                is_validated: outline.is_validated,
                operation: Operation { id: id.into(), path: outline.path.as_str().into() },
                handler: handler.clone().with_state(state.clone()),
            }
        });
        axum::Router::new().fallback_service(Dispatch(routes.collect()))
    }
}

fn segments(path: &str) -> Vec<Segment> {
    path.split('/')
        .map(|segment| match segment.strip_prefix('{').and_then(|s| s.strip_suffix('}')) {
            Some(name) => Segment::Parameter(name.into()),
            None => Segment::Literal(segment.to_owned()),
        })
        .collect()
}

impl Route {
    /// The parameters, if the route's path is this one.
    fn parameters(&self, path: &str) -> Option<PathParams> {
        let mut parameters = PathParams::default();
        let mut parts = path.split('/');
        for segment in &self.segments {
            match (segment, parts.next()?) {
                (Segment::Literal(literal), part) if literal == part => {}
                // Python's `$` matches before a newline at the end.
                (Segment::Literal(literal), part)
                    if part.strip_suffix('\n') == Some(literal) && path.ends_with(part) => {}
                (Segment::Parameter(name), part) if !part.is_empty() => {
                    parameters.0.push((name.clone(), part.to_owned()));
                }
                _ => return None,
            }
        }
        parts.next().is_none().then_some(parameters)
    }

    fn answers(&self, method: &Method) -> bool {
        self.method == method || (self.head && method == Method::HEAD)
    }
}

#[derive(Clone)]
struct Dispatch(Arc<[Route]>);

impl Service<Request> for Dispatch {
    type Response = Response;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, mut request: Request) -> Self::Future {
        let path = request.uri().path();
        let decoded;
        let path = if path.contains('%') {
            decoded = decode_replacing(&percent_decode_str(path).collect::<Vec<_>>());
            decoded.as_str()
        } else {
            path
        };
        let matching = |method: &Method| {
            self.0
                .iter()
                .filter(|route| route.answers(method))
                .find_map(|route| route.parameters(path).map(|parameters| (route, parameters)))
        };
        let Some((route, parameters)) = matching(request.method()) else {
            let response = self.without_match(&request, path);
            return Box::pin(async { Ok(response) });
        };
        if !route.is_validated && request.extensions().get::<DryRun>().is_some() {
            return Box::pin(async { Ok(WouldAct.into_response()) });
        }
        let (operation, status) = (route.operation.clone(), route.status);
        let handler = route.handler.clone();
        request.extensions_mut().insert(parameters);
        request.extensions_mut().insert(operation.clone());
        Box::pin(async move {
            let mut response = handler.oneshot(request).await?;
            if response.status() == StatusCode::OK {
                *response.status_mut() = status;
            }
            response.extensions_mut().insert(operation);
            Ok(response)
        })
    }
}

impl Dispatch {
    fn without_match(&self, request: &Request, path: &str) -> Response {
        if let Some(route) = self.0.iter().find(|route| route.parameters(path).is_some()) {
            // Only the first route of the path: that is what Starlette names.
            let allow = if route.head { "GET, HEAD" } else { route.method.as_str() };
            let Ok(allow) = HeaderValue::from_str(allow) else {
                return internal_server_error();
            };
            return HttpError::new(StatusCode::METHOD_NOT_ALLOWED, "Method Not Allowed")
                .with_header(header::ALLOW, allow)
                .into_response();
        }
        let other = match path.strip_suffix('/') {
            _ if path == "/" => None,
            Some(_) => Some(path.trim_end_matches('/').to_owned()),
            None => Some(format!("{path}/")),
        };
        match other.filter(|path| self.0.iter().any(|route| route.parameters(path).is_some())) {
            Some(path) => redirect(request, &path),
            None => HttpError::new(StatusCode::NOT_FOUND, "Not Found").into_response(),
        }
    }
}

/// What Python's `quote` leaves alone in the `Location` of a redirect.
const LOCATION: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b':')
    .remove(b'/')
    .remove(b'%')
    .remove(b'#')
    .remove(b'?')
    .remove(b'=')
    .remove(b'@')
    .remove(b'[')
    .remove(b']')
    .remove(b'!')
    .remove(b'$')
    .remove(b'&')
    .remove(b'\'')
    .remove(b'(')
    .remove(b')')
    .remove(b'*')
    .remove(b'+')
    .remove(b',')
    .remove(b';')
    .remove(b'_')
    .remove(b'.')
    .remove(b'-')
    .remove(b'~');

/// The 307 to the same path with or without the slash at its end.
fn redirect(request: &Request, path: &str) -> Response {
    let host = request.headers().get(header::HOST).and_then(|host| host.to_str().ok());
    let host = host.filter(|host| is_host(host)).unwrap_or("127.0.0.1");
    let path = path.replace('?', "%3F").replace('#', "%23").replace('\\', "%5C");
    let query = request.uri().query().map(|query| format!("?{query}")).unwrap_or_default();
    let query = if query == "?" { "" } else { &query };
    let scheme = if request.extensions().get::<Https>().is_some() { "https" } else { "http" };
    let url = format!("{scheme}://{host}{path}{query}");
    match HeaderValue::from_str(&utf8_percent_encode(&url, LOCATION).to_string()) {
        Ok(location) => {
            // Said even to HEAD, where hyper would leave it out.
            let length = (header::CONTENT_LENGTH, HeaderValue::from_static("0"));
            (StatusCode::TEMPORARY_REDIRECT, [length, (header::LOCATION, location)]).into_response()
        }
        Err(_) => internal_server_error(),
    }
}

/// A host as a `Host` header may name it: a name or an address, perhaps with a port.
fn is_host(host: &str) -> bool {
    let (name, port) = match host.rsplit_once(':') {
        Some((name, port)) if !port.contains(']') => (name, port),
        _ => (host, ""),
    };
    let is_name = |c: char| c.is_ascii_alphanumeric() || "-._~!$&'()*+,;=%[]:".contains(c);
    !name.is_empty() && name.chars().all(is_name) && port.chars().all(|c| c.is_ascii_digit())
}
