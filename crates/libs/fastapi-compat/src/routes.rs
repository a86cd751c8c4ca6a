//! Operations beside their handlers: what `#[get]` and its like leave, and what `routes!` collects.

use std::marker::PhantomData;

use axum::extract::Request;
use axum::handler::Handler;
use axum::response::Response;
use axum::routing::{MethodRouter, any};
use http::{Method, StatusCode};
use tower::util::MapResponseLayer;

use crate::openapi::Outline;

/// A path operation: what `#[get("/items/{id}")]` knows of the function below it. The attribute
/// implements it for a type beside the function.
pub trait PathOperation {
    /// Method, path, name, status and types of the operation.
    fn outline() -> Outline;
}

/// What answers below a path.
pub(crate) enum Endpoint<S> {
    /// A route of its own path, with what answers requests of other methods.
    Route { matched: MethodRouter<S>, not_allowed: MethodRouter<S> },
    /// The same with a prefix that its handlers do not see: one-route routers of axum.
    Nested { matched: axum::Router<S>, not_allowed: axum::Router<S> },
}

impl<S: Clone> Clone for Endpoint<S> {
    fn clone(&self) -> Self {
        match self {
            Self::Route { matched, not_allowed } => {
                Self::Route { matched: matched.clone(), not_allowed: not_allowed.clone() }
            }
            Self::Nested { matched, not_allowed } => {
                Self::Nested { matched: matched.clone(), not_allowed: not_allowed.clone() }
            }
        }
    }
}

/// A route in its place.
#[derive(Clone)]
pub(crate) struct Registered<S> {
    pub(crate) outline: Outline,
    /// The method that it answers; all of them for a page, which is not in the document.
    pub(crate) method: Option<Method>,
    pub(crate) endpoint: Endpoint<S>,
}

impl<S: Clone + Send + Sync + 'static> Registered<S> {
    pub(crate) fn operation<H, T>(outline: Outline, handler: H) -> Self
    where
        H: Handler<T, S>,
        T: 'static,
    {
        let mut matched = any(handler);
        let status = outline.status;
        if status != StatusCode::OK && !outline.sets_status {
            matched = matched.layer(MapResponseLayer::new(move |mut response: Response| {
                if response.status() == StatusCode::OK {
                    *response.status_mut() = status;
                }
                response
            }));
        }
        let method = outline.method.clone();
        let not_allowed = crate::dispatch::not_allowed(&method);
        Self { outline, method: Some(method), endpoint: Endpoint::Route { matched, not_allowed } }
    }

    pub(crate) fn page(path: &str, matched: MethodRouter<S>) -> Self {
        let not_allowed = any(async |_: Request| StatusCode::METHOD_NOT_ALLOWED);
        let outline = Outline::new(Method::GET, path, "page");
        Self { outline, method: None, endpoint: Endpoint::Route { matched, not_allowed } }
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

/// What `routes!` asks for the outline of an operation by its type.
#[derive(Debug)]
pub struct Marker<P>(PhantomData<P>);

impl<P> Marker<P> {
    #[expect(clippy::new_without_default, reason = "only the macro's code makes one")]
    pub const fn new() -> Self {
        Self(PhantomData)
    }
}

/// The outline of an operation of ours.
pub trait OwnOutline {
    fn outline(&self) -> Outline;
}

impl<P: PathOperation> OwnOutline for Marker<P> {
    fn outline(&self) -> Outline {
        P::outline()
    }
}
