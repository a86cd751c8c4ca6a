//! Routing as Starlette does it: the first route that matches path and method wins, in the order of
//! registration.
//!
//! axum's own router prefers literal segments over parameters whatever their order, answers HEAD
//! with GET, and lists every method of a path in `Allow`; Starlette does none of that. Here
//! Starlette's rules decide which operation a request belongs to, and then that operation's own
//! one-route [`axum::Router`] serves it: extractors, `MatchedPath`, layers and nesting are axum's.

use std::convert::Infallible;
use std::sync::Arc;

use axum::extract::Request;
use axum::handler::Handler;
use axum::response::IntoResponse;
use axum::routing::{MethodRouter, Route, any, any_service};
use http::Method;
use tower::{Layer, Service};

use crate::answers;
use crate::dialect::Dialect;
use crate::dispatch::{self, Dispatch, Table};
use crate::endpoint::{self, Endpoint, nested};
use crate::frontends::Frontends;
use crate::matched::Operation;
use crate::mount::{Mounted, REST};
use crate::openapi::{self, AdditionalResponse, DuplicateModel, Info, OperationId, Outline};
use crate::routes::{Answers, Registered, Routes};
use crate::template::{self, Template};

/// FastAPI's own: `read_item_items__id__get`.
fn default_operation_id(name: &str, _: &[&str], path: &str, method: &Method) -> String {
    let word = |c: char| if c.is_alphanumeric() || c == '_' { c } else { '_' };
    let id: String = name.chars().chain(path.chars()).map(word).collect();
    format!("{id}_{}", method.as_str().to_lowercase())
}

/// The id of a callback or a webhook: they are of routers of their own in FastAPI.
fn default_id(outline: &Outline) -> String {
    let Outline { id, name, tags, path, .. } = outline;
    let default = || default_operation_id(name, tags, path, outline.first_method());
    id.map_or_else(default, str::to_owned)
}

/// Routes in the order of their registration, with the document that describes them.
///
/// Paths are Starlette's: `{name}`, with a convertor `{name:path}`, `{name:int}`, `{name:float}`,
/// `{name:uuid}`, and as a part of a segment, `/{name}.json`. Where axum's syntax has no word for
/// it, [`MatchedPath`](axum::extract::MatchedPath) has a segment for each part: `/{name}/.json`.
#[derive(Clone)]
pub struct Router<S = ()> {
    routes: Vec<Registered<S>>,
    operation_id: Option<OperationId>,
    redirect: MethodRouter<S>,
    redirects_slashes: bool,
    fallback: MethodRouter<S>,
    has_fallback: bool,
    webhooks: Vec<Outline>,
    /// If none, that of what it is mounted in.
    dialect: Option<Dialect>,
    /// Those of nested routers, each as the routes of everything below its prefix, with the number of
    /// segments of that.
    nested_fallbacks: Vec<(usize, axum::Router<S>)>,
    frontends: Frontends<MethodRouter<S>>,
}

impl<S: Clone + Send + Sync + 'static> Default for Router<S> {
    fn default() -> Self {
        Self::new()
    }
}

impl<S: Clone + Send + Sync + 'static> Router<S> {
    /// No routes: every request is answered with a 404.
    pub fn new() -> Self {
        Self {
            routes: Vec::new(),
            operation_id: None,
            redirect: answers::redirect(),
            redirects_slashes: true,
            fallback: answers::not_found(),
            has_fallback: false,
            webhooks: Vec::new(),
            dialect: None,
            nested_fallbacks: Vec::new(),
            frontends: Frontends::default(),
        }
    }

    /// Adds operations, in their order: `.routes(routes![read_items, create_item])`.
    #[must_use]
    pub fn routes(mut self, routes: impl Into<Routes<S>>) -> Self {
        self.routes.extend(routes.into().0);
        self
    }

    /// Adds a route that is not in the document. It takes every method of its path that no
    /// operation before it takes, and answers as [`MethodRouter`] does: `get` answers HEAD as well.
    #[must_use]
    pub fn route(mut self, path: &str, method_router: MethodRouter<S>) -> Self {
        self.routes.push(Registered::page(path, method_router));
        self
    }

    /// Gives every request below a path that no route before takes to a service, which does not see the
    /// path: Starlette's `app.mount`, for [`StaticFiles`](crate::StaticFiles) and applications with
    /// documents, redirects and a 404 of their own, `other.with_state(…)`.
    #[must_use]
    pub fn mount<T>(self, path: &str, service: T) -> Self
    where
        T: Service<Request, Error = Infallible> + Clone + Send + Sync + 'static,
        T::Response: IntoResponse,
        T::Future: Send + 'static,
    {
        let path = format!("{}/{{{REST}:path}}", path.trim_end_matches('/'));
        self.route(&path, any_service(Mounted(service)))
    }

    /// Gives requests below a path that have neither a route nor a redirect to a service, which sees only
    /// what of their path is below it: FastAPI's `app.frontend`, for a [`Frontend`](crate::Frontend). Of
    /// several the one with the longest path answers, wherever it stands.
    #[must_use]
    pub fn frontend<T>(mut self, path: &str, service: T) -> Self
    where
        T: Service<Request, Error = Infallible> + Clone + Send + Sync + 'static,
        T::Response: IntoResponse + 'static,
        T::Future: Send + 'static,
    {
        self.frontends.add(path, any_service(service));
        self
    }

    /// Adds an operation that is described by hand.
    #[must_use]
    pub fn operation<H, T>(self, outline: Outline, handler: H) -> Self
    where
        H: Handler<T, S>,
        T: 'static,
    {
        self.routes(Routes::new().with(outline, handler))
    }

    /// Adds the routes of another router behind these.
    ///
    /// # Panics
    /// When both have a fallback, as [`axum::Router::merge`] does.
    #[must_use]
    pub fn merge(mut self, other: Self) -> Self {
        self.routes.extend(other.routes.into_iter().map(|mut route| {
            route.outline.operation_id = route.outline.operation_id.or(other.operation_id);
            route
        }));
        self.nested_fallbacks.extend(other.nested_fallbacks);
        self.frontends.extend("", other.frontends);
        self.webhooks.extend(other.webhooks);
        if other.has_fallback {
            assert!(!self.has_fallback, "Cannot merge two `Router`s that both have a fallback");
            (self.fallback, self.has_fallback) = (other.fallback, true);
        }
        self
    }

    /// Puts `prefix` before every path: `APIRouter(prefix=…)`. Handlers see the whole path.
    ///
    /// # Panics
    /// When a route is [nested](Self::nest) and axum cannot nest it below `prefix`.
    #[must_use]
    pub fn prefix(mut self, prefix: &str) -> Self {
        for route in &mut self.routes {
            route.outline.path.insert_str(0, prefix);
            route.endpoint = match std::mem::take(&mut route.endpoint) {
                Endpoint::Nested { matched, not_allowed } => Endpoint::Nested {
                    matched: nested(prefix, matched),
                    not_allowed: nested(prefix, not_allowed),
                },
                route @ Endpoint::Route { .. } => route,
            };
        }
        let fallbacks = std::mem::take(&mut self.nested_fallbacks);
        self.nested_fallbacks.extend(below(prefix, fallbacks));
        let frontends = std::mem::take(&mut self.frontends);
        self.frontends.extend(prefix, frontends);
        self
    }

    /// Adds the routes of another router below a path that its handlers do not see, as
    /// [`axum::Router::nest`] does; [`OriginalUri`](axum::extract::OriginalUri) has it. If that router
    /// has a [fallback](Self::fallback), it answers the requests below the path that have no route;
    /// else the fallback of this router does.
    ///
    /// # Panics
    /// When axum cannot nest below `path`, such as `""` or `"/"`.
    #[must_use]
    pub fn nest(mut self, path: &str, router: Self) -> Self {
        for Registered { mut outline, answers, endpoint } in router.routes {
            outline.operation_id = outline.operation_id.or(router.operation_id);
            let (matched, not_allowed) = endpoint.into_routers(&outline.path);
            // As in axum, `/` below `/api` is `/api`.
            let below = if outline.path == "/" { "" } else { &outline.path };
            outline.path = format!("{}{below}", path.strip_suffix('/').unwrap_or(path));
            let endpoint = Endpoint::Nested {
                matched: nested(path, matched),
                not_allowed: nested(path, not_allowed),
            };
            self.routes.push(Registered { outline, answers, endpoint });
        }
        let own = router.has_fallback.then(|| (0, endpoint::fallback(router.fallback)));
        self.nested_fallbacks.extend(below(path, router.nested_fallbacks.into_iter().chain(own)));
        self.frontends.extend(path, router.frontends);
        self
    }

    /// Wraps every route that was added before, with the answers to requests without a route, as
    /// [`axum::Router::layer`] does.
    #[must_use]
    pub fn layer<L>(mut self, layer: L) -> Self
    where
        L: Layer<Route> + Clone + Send + Sync + 'static,
        L::Service: Service<Request> + Clone + Send + Sync + 'static,
        <L::Service as Service<Request>>::Response: IntoResponse + 'static,
        <L::Service as Service<Request>>::Error: Into<Infallible> + 'static,
        <L::Service as Service<Request>>::Future: Send + 'static,
    {
        for route in &mut self.routes {
            route.endpoint = std::mem::take(&mut route.endpoint).layer(layer.clone());
        }
        for (_, fallback) in &mut self.nested_fallbacks {
            *fallback = std::mem::take(fallback).layer(layer.clone());
        }
        self.redirect = self.redirect.layer(layer.clone());
        self.frontends = self.frontends.layer(&layer);
        self.fallback = self.fallback.layer(layer);
        self
    }

    /// Wraps every route that was added before, but not the answers to requests without a route, as
    /// [`axum::Router::route_layer`] does: `.merge(Router::new().routes(routes![a, b]).route_layer(…))`
    /// for some of them.
    ///
    /// # Panics
    /// When there are no routes yet, as axum does.
    #[must_use]
    pub fn route_layer<L>(mut self, layer: L) -> Self
    where
        L: Layer<Route> + Clone + Send + Sync + 'static,
        L::Service: Service<Request> + Clone + Send + Sync + 'static,
        <L::Service as Service<Request>>::Response: IntoResponse + 'static,
        <L::Service as Service<Request>>::Error: Into<Infallible> + 'static,
        <L::Service as Service<Request>>::Future: Send + 'static,
    {
        assert!(!self.routes.is_empty(), "Add the routes that the layer is for before it");
        for route in &mut self.routes {
            route.endpoint = std::mem::take(&mut route.endpoint).layer(layer.clone());
        }
        self
    }

    /// What answers requests without a route, instead of the 404.
    #[must_use]
    pub fn fallback<H, T>(self, handler: H) -> Self
    where
        H: Handler<T, S>,
        T: 'static,
    {
        Self { fallback: any(handler), has_fallback: true, ..self }
    }

    /// Tags every operation: `APIRouter(tags=[…])`.
    #[must_use]
    pub fn tag(mut self, tag: &'static str) -> Self {
        for route in &mut self.routes {
            route.outline.tags.insert(0, tag);
        }
        self
    }

    /// Documents requests that this service sends to others: FastAPI's `app.webhooks`. The handlers
    /// are never called, and their paths are names: `#[post("new-subscription", webhook)]`.
    #[must_use]
    pub fn webhooks(mut self, webhooks: impl Into<Routes>) -> Self {
        self.webhooks.extend(webhooks.into().0.into_iter().map(|webhook| webhook.outline));
        self
    }

    /// Answers of every operation, besides those that it names itself: `APIRouter(responses={…})`.
    #[must_use]
    pub fn responses(mut self, responses: impl IntoIterator<Item = AdditionalResponse>) -> Self {
        let responses: Vec<_> = responses.into_iter().collect();
        for route in &mut self.routes {
            route.outline.inherit_responses(&responses);
        }
        self
    }

    /// No operation should be called any more: `APIRouter(deprecated=True)`.
    #[must_use]
    pub fn deprecated(self) -> Self {
        self.outlines(Outline::deprecated)
    }

    /// No operation is in the document: `APIRouter(include_in_schema=False)`.
    #[must_use]
    pub fn hidden(self) -> Self {
        self.outlines(Outline::hidden)
    }

    fn outlines(mut self, change: fn(Outline) -> Outline) -> Self {
        for route in &mut self.routes {
            route.outline = change(route.outline.clone());
        }
        self
    }

    /// How operations are called: FastAPI's `generate_unique_id_function`, which is given the
    /// function's name, the tags, the path and the method. A router that is merged or nested into this one
    /// keeps its own.
    #[must_use]
    pub fn operation_ids(self, operation_id: OperationId) -> Self {
        Self { operation_id: Some(operation_id), ..self }
    }

    /// Whether a request is sent to the path with or without a slash at its end if only that has a
    /// route: FastAPI's `redirect_slashes`, which is true unless it is set.
    #[must_use]
    pub fn redirect_slashes(self, redirects_slashes: bool) -> Self {
        Self { redirects_slashes, ..self }
    }

    /// Answers and documents as those releases of FastAPI and pydantic that the service was migrated from:
    /// `.dialect(Dialect::of("0.115", "2.9")?)`. Routers that are merged or nested take that of this one, and
    /// so do mounted ones that have none of their own. What those releases do otherwise and the dialect does not
    /// reproduce is logged as a warning.
    #[must_use]
    pub fn dialect(self, dialect: Dialect) -> Self {
        for limit in dialect.limits() {
            tracing::warn!(%limit, "a difference of the chosen releases is not reproduced");
        }
        Self { dialect: Some(dialect), ..self }
    }

    fn id(&self, outline: &Outline) -> String {
        let Outline { id, operation_id, name, tags, path, .. } = outline;
        let path = template::format(path);
        let method = outline.first_method();
        let generated = operation_id.or(self.operation_id).unwrap_or(default_operation_id);
        id.map_or_else(|| generated(name, tags, &path, method), str::to_owned)
    }

    /// Id, method and path of everything that is routed, in the order in which it is tried; an
    /// operation of several methods is one for each, and a route outside the document is one of GET
    /// that has its path for an id.
    pub fn operations(&self) -> impl Iterator<Item = (String, Method, String)> {
        self.routes.iter().flat_map(|Registered { outline, answers, .. }| {
            let path = template::format(&outline.path).replace(REST, "path");
            let is_operation = matches!(answers, Answers::Methods(_));
            let id = if is_operation { self.id(outline) } else { path.clone() };
            let methods = outline.methods.iter();
            methods.map(move |method| (id.clone(), method.clone(), path.clone()))
        })
    }

    /// The OpenAPI document of the operations.
    ///
    /// # Errors
    /// When two models have the same name.
    pub fn document(&self, info: &Info<'_>) -> Result<utoipa::openapi::OpenApi, DuplicateModel> {
        let _entered = self.dialect.unwrap_or_else(Dialect::current).enter();
        let is_documented = |route: &&Registered<S>| {
            matches!(route.answers, Answers::Methods(_)) && !route.outline.is_hidden
        };
        let operations = self.routes.iter().filter(is_documented);
        let operations: Vec<_> = operations
            .map(|route| {
                let mut outline = route.outline.clone();
                outline.path = template::format(&outline.path).into_owned();
                (self.id(&outline), outline)
            })
            .collect();
        let webhooks: Vec<_> =
            self.webhooks.iter().map(|outline| (default_id(outline), outline.clone())).collect();
        openapi::document(
            info,
            operations.iter().map(|(id, outline)| (id.clone(), outline)),
            webhooks.iter().map(|(id, outline)| (id.clone(), outline)),
            default_id,
        )
    }

    /// The routes as a router of axum's, with the state that their handlers need.
    ///
    /// The whole table of routes is the fallback of that router. So it takes part in others as one with a
    /// fallback does:
    ///
    /// - two of them, or one and a router with a `.fallback(…)` of its own, panic when they are
    ///   [merged](axum::Router::merge): [merge](Self::merge) before `with_state`, or
    ///   [nest](axum::Router::nest_service) it;
    /// - a layer around it, `.with_state(…).layer(…)`, comes before the routes: it sees no
    ///   [`MatchedPath`](axum::extract::MatchedPath) and no [`Operation`]. One before, `.layer(…).with_state(…)`,
    ///   sees both.
    ///
    /// # Panics
    /// When a path cannot be routed, or an operation takes another number of path parameters than
    /// its path has.
    pub fn with_state<S2>(self, state: S) -> axum::Router<S2>
    where
        S2: Clone + Send + Sync + 'static,
    {
        let _entered = self.dialect.unwrap_or_else(Dialect::current).enter();
        let routes: Vec<_> = self.routes.iter().map(|route| self.served(route, &state)).collect();
        let redirect =
            self.redirects_slashes.then(|| self.redirect.clone().with_state(state.clone()));
        let mut fallback = axum::Router::new().fallback(self.fallback).with_state(state.clone());
        // One router each, the longest prefix first: in one router their routes may conflict.
        let mut nested = self.nested_fallbacks;
        nested.sort_by_key(|(segments, _)| *segments);
        for (_, router) in nested {
            let router = endpoint::unmatched(router).with_state(state.clone());
            fallback = router.fallback_service(fallback);
        }
        let frontends = self.frontends.with_state(&state);
        let table = Table::new(routes, redirect, (frontends, fallback), self.dialect);
        axum::Router::new().fallback_service(Dispatch(Arc::new(table)))
    }

    #[expect(clippy::panic, reason = "as axum: a route that cannot be is a mistake of the program")]
    fn served(&self, route: &Registered<S>, state: &S) -> dispatch::Route {
        let Registered { outline, answers, endpoint } = route;
        let template = Template::parse(&outline.path)
            .unwrap_or_else(|error| panic!("route `{}`: {error}", outline.path));
        let (given, taken) = (template.names().len(), outline.path_parameters);
        assert!(
            taken == 0 || taken == given,
            "`{}` takes {taken} path parameters and its route `{}` has {given}",
            outline.name,
            outline.path,
        );
        let path = template::format(&outline.path).replace(REST, "path");
        let is_operation = matches!(answers, Answers::Methods(_));
        let id = if is_operation { self.id(outline) } else { path.clone() };
        let (matched, not_allowed) = endpoint.clone().into_routers(&outline.path);
        let direct = matched.fallback(answers::lost).with_state(state.clone());
        dispatch::Route {
            template,
            answers: answers.clone(),
            operation: Operation { id: id.into(), path: path.into() },
            is_validated: outline.is_validated,
            rewritten: dispatch::restoring(direct.clone()),
            direct,
            not_allowed: dispatch::restoring(
                not_allowed.fallback(answers::lost).with_state(state.clone()),
            ),
        }
    }
}

/// Fallbacks below a prefix.
fn below<S: Clone + Send + Sync + 'static>(
    prefix: &str,
    fallbacks: impl IntoIterator<Item = (usize, axum::Router<S>)>,
) -> impl Iterator<Item = (usize, axum::Router<S>)> {
    let segments = prefix.split('/').filter(|segment| !segment.is_empty()).count();
    fallbacks.into_iter().map(move |(depth, inner)| (depth + segments, nested(prefix, inner)))
}
