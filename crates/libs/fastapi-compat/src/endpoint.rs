//! What serves one route: method routers of axum, or one-route routers below a prefix.

use std::convert::Infallible;

use axum::extract::{MatchedPath, Request};
use axum::response::IntoResponse;
use axum::routing::{MethodRouter, Route};
use tower::util::MapRequestLayer;
use tower::{Layer, Service};

use crate::answers;
use crate::template::Template;

/// What answers below a path.
#[expect(clippy::large_enum_variant, reason = "there is one for each route, while it is built")]
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

impl<S> Default for Endpoint<S>
where
    S: Clone + Send + Sync + 'static,
{
    fn default() -> Self {
        Self::Route { matched: MethodRouter::new(), not_allowed: MethodRouter::new() }
    }
}

impl<S: Clone + Send + Sync + 'static> Endpoint<S> {
    pub(crate) fn layer<L>(self, layer: L) -> Self
    where
        L: Layer<Route> + Clone + Send + Sync + 'static,
        L::Service: Service<Request> + Clone + Send + Sync + 'static,
        <L::Service as Service<Request>>::Response: IntoResponse + 'static,
        <L::Service as Service<Request>>::Error: Into<Infallible> + 'static,
        <L::Service as Service<Request>>::Future: Send + 'static,
    {
        match self {
            Self::Route { matched, not_allowed } => Self::Route {
                matched: matched.layer(layer.clone()),
                not_allowed: not_allowed.layer(layer),
            },
            Self::Nested { matched, not_allowed } => Self::Nested {
                matched: matched.layer(layer.clone()),
                not_allowed: not_allowed.layer(layer),
            },
        }
    }

    /// Routers of one route each; `path` is that of a route that is not nested.
    pub(crate) fn into_routers(self, path: &str) -> (axum::Router<S>, axum::Router<S>) {
        let (matched, not_allowed) = match self {
            Self::Nested { matched, not_allowed } => return (matched, not_allowed),
            Self::Route { matched, not_allowed } => (matched, not_allowed),
        };
        // What cannot be parsed is reported when the router is given its state.
        let paths = Template::parse(path).map(|template| template.axum_paths());
        let paths = paths.unwrap_or_default();
        let mut routers = (router(), router());
        for path in paths {
            routers.0 = routers.0.route(&path, matched.clone());
            routers.1 = routers.1.route(&path, not_allowed.clone());
        }
        // A page answers other methods as Starlette does.
        routers.0 = routers.0.method_not_allowed_fallback(answers::page_not_allowed);
        routers
    }
}

pub(crate) fn router<S: Clone + Send + Sync + 'static>() -> axum::Router<S> {
    axum::Router::new().without_v07_checks()
}

/// A fallback as routes of everything: axum keeps the fallback of a router that is nested in a nested
/// one only as such. The parameter has axum's name for it, which extractors do not see.
pub(crate) fn fallback<S>(method_router: MethodRouter<S>) -> axum::Router<S>
where
    S: Clone + Send + Sync + 'static,
{
    router().route("/", method_router.clone()).route("/{*__private__axum_fallback}", method_router)
}

/// Routes of fallbacks, without the `MatchedPath` that a fallback does not have.
pub(crate) fn unmatched<S>(router: axum::Router<S>) -> axum::Router<S>
where
    S: Clone + Send + Sync + 'static,
{
    router.layer(MapRequestLayer::new(|mut request: Request| {
        request.extensions_mut().remove::<MatchedPath>();
        request
    }))
}

/// The router below a prefix.
pub(crate) fn nested<S: Clone + Send + Sync + 'static>(
    prefix: &str,
    inner: axum::Router<S>,
) -> axum::Router<S> {
    // A prefix has a form of its own for axum, too.
    let prefixes = Template::parse(prefix).map(|template| template.axum_paths());
    let prefix = prefixes.ok().and_then(|paths| paths.into_iter().next());
    router().nest(&prefix.unwrap_or_default(), inner)
}
