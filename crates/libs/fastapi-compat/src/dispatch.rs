//! Which route a request belongs to, by Starlette's rules, and what answers when there is none.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use axum::extract::Request;
use axum::response::{IntoResponse, Response};
use axum::routing::MethodRouter;
use axum::routing::future::RouteFuture;
use http::uri::{Parts, PathAndQuery};
use http::{Method, StatusCode, Uri};
use percent_encoding::percent_decode_str;
use pin_project_lite::pin_project;
use tower::Service;
use tower::util::MapRequestLayer;

use crate::answers::space_allow;
use crate::characters::decode_replacing;
use crate::dialect::Dialect;
use crate::dry_run::{DryRun, WouldAct};
use crate::extract::{Handshake, refused_handshake};
use crate::frontends::Frontends;
use crate::location::{full_path, location};
use crate::matched::{Operation, PathParams};
use crate::mount::set_path;
use crate::response::internal_server_error;
use crate::route_index::RouteIndex;
use crate::routes::{Answers, is_handshake};
use crate::template::Template;

/// A route that is served.
pub(crate) struct Route {
    pub(crate) template: Template,
    pub(crate) answers: Answers,
    pub(crate) operation: Operation,
    /// Whether the handler may be called in a [`DryRun`].
    pub(crate) is_validated: bool,
    /// One-route routers: for requests whose path axum matches as it stands,
    pub(crate) direct: axum::Router,
    /// for those whose path has to be encoded otherwise first,
    pub(crate) rewritten: axum::Router,
    /// and for other methods.
    pub(crate) not_allowed: axum::Router,
}

impl Route {
    /// Whether it answers a request to its path; `None` if it does not even stand in the way of one.
    fn answers(&self, method: &Method, is_handshake: bool) -> Option<bool> {
        match &self.answers {
            Answers::All => Some(true),
            Answers::Methods(methods) => (!is_handshake).then(|| methods.contains(method)),
            Answers::WebSockets => is_handshake.then_some(true),
        }
    }
}

/// Every route, in the order of registration, and an index of them.
pub(crate) struct Table {
    routes: Vec<Route>,
    index: RouteIndex,
    /// Whether there is a route for the handshakes of WebSockets.
    has_websockets: bool,
    /// `None` where a path with another slash at its end is another path.
    redirect: Option<MethodRouter>,
    /// What answers without a route.
    frontends: Frontends<axum::Router>,
    fallback: axum::Router,
    /// If none, the current one.
    dialect: Option<Dialect>,
}

impl Table {
    pub(crate) fn new(
        routes: Vec<Route>,
        redirect: Option<MethodRouter>,
        (frontends, fallback): (Frontends<axum::Router>, axum::Router),
        dialect: Option<Dialect>,
    ) -> Self {
        let index = RouteIndex::new(routes.iter().map(|route| &route.template));
        let has_websockets = routes.iter().any(|route| route.answers == Answers::WebSockets);
        Self { routes, index, has_websockets, redirect, frontends, fallback, dialect }
    }
}

/// The service that a [`Router`](crate::Router) becomes.
#[derive(Clone)]
pub(crate) struct Dispatch(pub(crate) Arc<Table>);

impl Service<Request> for Dispatch {
    type Response = Response;
    type Error = Infallible;
    type Future = Answer;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, mut request: Request) -> Answer {
        let table = &*self.0;
        let dialect = table.dialect.unwrap_or_else(Dialect::current);
        let _entered = dialect.enter();
        // A clone of the URI shares its text, and lets go of the request.
        let uri = request.uri().clone();
        let is_encoded = uri.path().bytes().any(|byte| byte == b'%' || !byte.is_ascii());
        let decoded;
        let path = if is_encoded {
            decoded = decode_replacing(&percent_decode_str(uri.path()).collect::<Vec<_>>());
            decoded.as_str()
        } else {
            uri.path()
        };
        let is_handshake = table.has_websockets && is_handshake(request.headers());
        let (full, partial) = table.search(path, request.method(), is_handshake);
        let Some(position) = full.or(partial) else {
            if is_handshake {
                return Answer::Ready { response: Some(refused_handshake()) };
            }
            return Answer::of(table.without_match(request, path), dialect);
        };
        let route = &table.routes[position];
        if full.is_none() {
            if !encode_path(&mut request, route.template.axum_path(path)) {
                return Answer::too_long();
            }
            return Answer::of(route.not_allowed.clone().call(request), dialect);
        }
        if !route.is_validated && request.extensions().get::<DryRun>().is_some() {
            return Answer::Ready { response: Some(WouldAct.into_response()) };
        }
        let values = route.template.values(path);
        if !values.is_empty() {
            let names = Arc::clone(route.template.names());
            request.extensions_mut().insert(PathParams { names, values });
        }
        request.extensions_mut().insert(route.operation.clone());
        if is_handshake {
            request.extensions_mut().insert(Handshake);
        }
        let future = if is_encoded || !route.template.is_plain() {
            if !encode_path(&mut request, route.template.axum_path(path)) {
                return Answer::too_long();
            }
            route.rewritten.clone().call(request)
        } else {
            route.direct.clone().call(request)
        };
        let is_page = route.answers == Answers::All;
        let operation = Some(route.operation.clone());
        Answer::Routed { future, operation, is_page, dialect }
    }
}

impl Table {
    /// The first route that answers a request, and the first that only has another method: the latter
    /// counts if there is none of the former.
    fn search(
        &self,
        path: &str,
        method: &Method,
        is_handshake: bool,
    ) -> (Option<usize>, Option<usize>) {
        let (mut full, mut partial) = (None, None);
        self.index.visit(path, |position| {
            let route = &self.routes[position];
            let first = match route.answers(method, is_handshake) {
                Some(true) => Some(&mut full),
                Some(false) => Some(&mut partial),
                None => None,
            };
            if let Some(first) = first
                && route.template.matches(path)
            {
                *first = Some(first.map_or(position, |other: usize| other.min(position)));
            }
            full.unwrap_or(usize::MAX)
        });
        (full, partial)
    }

    /// A redirect to the same path with or without a slash at its end, if there is a route, or a frontend,
    /// or the fallback.
    fn without_match(&self, mut request: Request, seen: &str) -> RouteFuture<Infallible> {
        let other = match seen.strip_suffix('/') {
            _ if seen == "/" => None,
            Some(_) => Some(seen.trim_end_matches('/').to_owned()),
            None => Some(format!("{seen}/")),
        };
        let exists = |path: &String| {
            let (full, partial) = self.search(path, request.method(), false);
            full.or(partial).is_some()
        };
        if let Some(redirect) = &self.redirect
            && let Some(path) = other.filter(exists)
        {
            // What is nested in a router of axum's does not see all of the path.
            let full = full_path(request.uri(), request.extensions());
            let prefix = full.strip_suffix(seen).unwrap_or_default();
            let (mut parts, body) = request.into_parts();
            let location = location(&parts, &format!("{prefix}{path}"));
            parts.extensions.insert(location);
            let request = Request::from_parts(parts, body);
            return redirect.clone().call(request);
        }
        if let Some((frontend, rest)) = self.frontends.find(seen) {
            set_path(&mut request, &format!("/{rest}"));
            return frontend.clone().call(request);
        }
        self.fallback.clone().call(request)
    }
}

pin_project! {
    /// The answer on its way.
    #[project = AnswerProjection]
    pub(crate) enum Answer {
        Routed {
            #[pin]
            future: RouteFuture<Infallible>,
            operation: Option<Operation>,
            is_page: bool,
            dialect: Dialect,
        },
        Ready { response: Option<Response> },
    }
}

impl Answer {
    const fn of(future: RouteFuture<Infallible>, dialect: Dialect) -> Self {
        Self::Routed { future, operation: None, is_page: false, dialect }
    }

    fn too_long() -> Self {
        Self::Ready { response: Some(StatusCode::URI_TOO_LONG.into_response()) }
    }
}

impl Future for Answer {
    type Output = Result<Response, Infallible>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        Poll::Ready(Ok(match self.project() {
            AnswerProjection::Routed { future, operation, is_page, dialect } => {
                let _entered = dialect.enter();
                let mut response = ready!(future.poll(context))?;
                if *is_page && response.status() == StatusCode::METHOD_NOT_ALLOWED {
                    space_allow(&mut response);
                }
                if let Some(operation) = operation.take() {
                    response.extensions_mut().insert(operation);
                }
                response
            }
            AnswerProjection::Ready { response } => match response.take() {
                Some(response) => response,
                None => internal_server_error(),
            },
        }))
    }
}

/// The URI of a request while it is replaced by another one.
#[derive(Clone)]
struct Displaced(Uri);

/// Gives the request this path for axum's matcher; false if it is longer than a URI can be.
fn encode_path(request: &mut Request, mut path: String) -> bool {
    if let Some(query) = request.uri().query() {
        path.push('?');
        path.push_str(query);
    }
    let Ok(path) = PathAndQuery::from_maybe_shared(bytes::Bytes::from(path)) else {
        return false;
    };
    let mut parts: Parts = request.uri().clone().into_parts();
    parts.path_and_query = Some(path);
    let Ok(uri) = Uri::from_parts(parts) else { return false };
    let displaced = std::mem::replace(request.uri_mut(), uri);
    request.extensions_mut().insert(Displaced(displaced));
    true
}

/// Gives a request that axum has matched its own URI again.
pub(crate) fn restoring(router: axum::Router) -> axum::Router {
    router.layer(MapRequestLayer::new(|mut request: Request| {
        if let Some(Displaced(uri)) = request.extensions_mut().remove() {
            *request.uri_mut() = uri;
        }
        request
    }))
}
