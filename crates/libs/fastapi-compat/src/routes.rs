//! Operations beside their handlers: what `#[get]` and its like leave, and what `routes!` collects.

use std::marker::PhantomData;

use axum::extract::Request;
use axum::handler::Handler;
use axum::response::Response;
use axum::routing::{MethodRouter, any};
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use tower::util::MapResponseLayer;

use utoipa::openapi::path::Paths;

use crate::answers;
use crate::endpoint::Endpoint;
use crate::openapi::{NamedSchema, Outline};
use crate::response::{DefaultStatus, has_body};

/// A path operation: what `#[get("/items/{id}")]` knows of the function below it. The attribute
/// implements it for a type beside the function.
pub trait PathOperation {
    /// Method, path, name, status and types of the operation.
    fn outline() -> Outline;
}

/// Which of the requests to its path a route answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Answers {
    /// All: a page, which is not in the document.
    All,
    /// Those with one of these methods.
    Methods(Box<[Method]>),
    /// The handshakes of WebSockets, which are not in the document either.
    WebSockets,
}

/// A route as it was registered.
#[derive(Clone)]
pub(crate) struct Registered<S> {
    pub(crate) outline: Outline,
    pub(crate) answers: Answers,
    pub(crate) endpoint: Endpoint<S>,
}

/// Whether uvicorn takes a request for the handshake of a WebSocket.
pub(crate) fn is_handshake(headers: &HeaderMap) -> bool {
    let upgrade = headers.get(header::UPGRADE).map(HeaderValue::as_bytes);
    let is_upgrade = |token: &[u8]| token.trim_ascii().eq_ignore_ascii_case(b"upgrade");
    upgrade.is_some_and(|upgrade| upgrade.eq_ignore_ascii_case(b"websocket"))
        && headers
            .get_all(header::CONNECTION)
            .iter()
            .any(|value| value.as_bytes().split(|&byte| byte == b',').any(is_upgrade))
}

impl<S: Clone + Send + Sync + 'static> Registered<S> {
    pub(crate) fn operation<H, T>(outline: Outline, handler: H) -> Self
    where
        H: Handler<T, S>,
        T: 'static,
    {
        Self::served(outline, any(handler))
    }

    /// An operation that an axum router serves.
    fn served(outline: Outline, mut matched: MethodRouter<S>) -> Self {
        let status = outline.status;
        if status != StatusCode::OK && !outline.sets_status {
            matched = matched.layer(MapResponseLayer::new(move |mut response: Response| {
                let is_default = response.extensions().get::<DefaultStatus>().is_some();
                let is_empty = response.status() == StatusCode::NO_CONTENT && !has_body(status);
                if response.status() == StatusCode::OK || is_empty || is_default {
                    *response.status_mut() = status;
                }
                response
            }));
        }
        let not_allowed = answers::not_allowed(&outline.methods);
        let answers = if outline.is_websocket {
            Answers::WebSockets
        } else {
            Answers::Methods(outline.methods.as_slice().into())
        };
        Self { outline, answers, endpoint: Endpoint::Route { matched, not_allowed } }
    }

    pub(crate) fn page(path: &str, matched: MethodRouter<S>) -> Self {
        let not_allowed = any(async |_: Request| StatusCode::METHOD_NOT_ALLOWED);
        let outline = Outline::new(Method::GET, path, "page");
        Self { outline, answers: Answers::All, endpoint: Endpoint::Route { matched, not_allowed } }
    }
}

/// Operations in the order in which they are tried, as [`routes!`](crate::routes!) collects them for
/// [`Router::routes`](crate::Router::routes).
#[must_use]
pub struct Routes<S = ()>(pub(crate) Vec<Registered<S>>);

impl<S> Default for Routes<S> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<S: Clone + Send + Sync + 'static> Routes<S> {
    /// No operation.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a handler of several methods.
    #[doc(hidden)]
    pub fn with_each<H, T>(self, outlines: Vec<Outline>, handler: &H) -> Self
    where
        H: Handler<T, S>,
        T: 'static,
    {
        outlines.into_iter().fold(self, |all, outline| all.with(outline, handler.clone()))
    }

    /// Adds a handler that is described by hand.
    pub fn with<H, T>(mut self, outline: Outline, handler: H) -> Self
    where
        H: Handler<T, S>,
        T: 'static,
    {
        self.0.push(Registered::operation(outline, handler));
        self
    }
}

/// What `utoipa_axum::routes!` gives: its operations, with the axum router that serves them.
impl<S: Clone + Send + Sync + 'static> From<(Vec<NamedSchema>, Paths, MethodRouter<S>)>
    for Routes<S>
{
    fn from((schemas, paths, router): (Vec<NamedSchema>, Paths, MethodRouter<S>)) -> Self {
        let outlines = Outline::of_paths(schemas, paths);
        Self(outlines.map(|outline| Registered::served(outline, router.clone())).collect())
    }
}

/// Gives `routes!` the outline of an operation by its type.
#[derive(Debug)]
pub struct Marker<P>(PhantomData<P>);

impl<P> Marker<P> {
    /// A marker of the operation.
    #[expect(clippy::new_without_default, reason = "only the macro's code makes one")]
    pub const fn new() -> Self {
        Self(PhantomData)
    }
}

/// The outline of an operation of ours.
pub trait OwnOutline {
    /// One.
    fn outlines(&self) -> Vec<Outline>;
}

impl<P: PathOperation> OwnOutline for Marker<P> {
    fn outlines(&self) -> Vec<Outline> {
        vec![P::outline()]
    }
}

/// The outlines of an operation of utoipa's: one for each of its methods.
pub trait UtoipaOutline {
    /// One for each method.
    fn outlines(&self) -> Vec<Outline>;
}

impl<P> UtoipaOutline for &Marker<P>
where
    P: utoipa::Path + utoipa::__dev::SchemaReferences + for<'t> utoipa::__dev::Tags<'t>,
{
    fn outlines(&self) -> Vec<Outline> {
        Outline::of_utoipa::<P>()
    }
}

impl Outline {
    /// The requests that this service sends because of the operation: FastAPI's `callbacks=`. The
    /// handlers are never called.
    #[must_use]
    pub fn callbacks(mut self, callbacks: impl Into<Routes>) -> Self {
        self.callbacks.extend(callbacks.into().0.into_iter().map(|callback| callback.outline));
        self
    }
}
