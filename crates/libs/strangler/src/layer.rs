//! The tower layer that routes each request to legacy, to the new service, or to both.

use std::convert::Infallible;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use futures_util::future::BoxFuture;
use http::{HeaderMap, Request, StatusCode};
use tower::{Layer, Service};

use crate::client::percentile;
use crate::plan::Mode;
use crate::rehearsal::Rehearsed;
use crate::shadow::{Job, answer};
use crate::statistics::{Outcome, Statistics, lock};
use crate::tee::tee;
use crate::{Running, Strangler};

/// Puts a [`Strangler`] around a service.
#[derive(Clone)]
pub struct StranglerLayer(pub(crate) Strangler);

impl<S> Layer<S> for StranglerLayer {
    type Service = Strangled<S>;

    fn layer(&self, service: S) -> Strangled<S> {
        Strangled { service, strangler: self.0.clone() }
    }
}

/// A service behind a [`Strangler`].
#[derive(Clone)]
pub struct Strangled<S> {
    service: S,
    strangler: Strangler,
}

/// Writes are; what asks for another protocol is none.
fn is_rehearsed(request: &Request<Body>) -> bool {
    !request.method().is_safe() && !request.headers().contains_key(http::header::UPGRADE)
}

/// An extension of responses that came from the old service.
#[derive(Clone, Copy, Debug)]
struct FromLegacy;

impl<S> Service<Request<Body>> for Strangled<S>
where
    S: Service<Request<Body>, Response = Response, Error = Infallible> + Clone + Send + 'static,
    S::Future: Send,
{
    type Response = Response;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<Response, Infallible>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.service.poll_ready(context)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        // This service is ready, its clone may not be.
        let clone = self.service.clone();
        let mut service = std::mem::replace(&mut self.service, clone);
        let strangler = self.strangler.clone();
        let operations = &strangler.0.operations;
        let Some(index) = operations.of(request.method(), request.uri().path()) else {
            return Box::pin(
                async move { Ok(strangler.legacy(request, &strangler.0.others).await) },
            );
        };
        let route = strangler.route(index, &request);
        Box::pin(async move {
            let statistics = &strangler.0.statistics[index];
            match route {
                Route::Legacy => Ok(strangler.legacy(request, statistics).await),
                Route::Shadow => Ok(strangler.shadow(request, service, statistics).await),
                Route::Native => native(&mut service, request, statistics).await,
                Route::Canary => {
                    let _check = Check { strangler: &strangler, index };
                    native(&mut service, request, statistics).await
                }
            }
        })
    }
}

/// Where one request is routed.
enum Route {
    Legacy,
    Shadow,
    /// To the new service, whose statistics are then checked.
    Canary,
    Native,
}

async fn native<S>(
    service: &mut S,
    request: Request<Body>,
    statistics: &Statistics,
) -> Result<Response, Infallible>
where
    S: Service<Request<Body>, Response = Response, Error = Infallible>,
{
    let measured = statistics.native.start();
    let response = service.call(request).await?;
    measured.end(Some(response.status().into()));
    Ok(response)
}

/// Checks a canary when its request has ended, also one whose client left.
struct Check<'a> {
    strangler: &'a Strangler,
    index: usize,
}

impl Drop for Check<'_> {
    fn drop(&mut self) {
        self.strangler.check_canary(self.index);
    }
}

impl Strangler {
    fn route(&self, index: usize, request: &Request<Body>) -> Route {
        let settings = &self.0.settings;
        match self.mode(index) {
            Some(Running { mode: Mode::Native, .. }) => Route::Native,
            Some(Running { mode: Mode::Shadow, .. }) => Route::Shadow,
            Some(Running { mode: Mode::Canary(percent), fallback: None })
                if percentile(request, settings.client.as_ref(), &settings.trust) < percent =>
            {
                Route::Canary
            }
            _ => Route::Legacy,
        }
    }

    async fn legacy(&self, request: Request<Body>, statistics: &Statistics) -> Response {
        let measured = statistics.legacy.start();
        match self.0.proxy.send(request).await {
            Ok(mut response) => {
                measured.end(Some(response.status().into()));
                response.extensions_mut().insert(FromLegacy);
                response
            }
            Err(error) => {
                let outcome = if error.is_of_client() { None } else { Some(Outcome::Error) };
                measured.end(outcome);
                tracing::warn!(error = &error as &dyn std::error::Error, "no response from legacy");
                error.into_response()
            }
        }
    }

    /// Streams legacy's response to the client; when it is complete, the new service gets a copy of the
    /// request.
    async fn shadow<S>(
        &self,
        request: Request<Body>,
        service: S,
        statistics: &Arc<Statistics>,
    ) -> Response
    where
        S: Service<Request<Body>, Response = Response, Error = Infallible> + Clone + Send + 'static,
        S::Future: Send,
    {
        let (request, rehearsed) = match &self.0.shadow.rehearsals {
            Some(rehearsals) if is_rehearsed(&request) => {
                let measured = statistics.rehearsal.start();
                let (request, rehearsed) = rehearsals.first(request, service.clone()).await;
                // Only those that took place count.
                measured.end(rehearsed.as_ref().map(|_| Outcome::Success));
                (request, rehearsed)
            }
            _ => (request, None),
        };
        let (parts, body) = request.into_parts();
        let limit = self.0.settings.shadow_body;
        let sent: Arc<Mutex<Option<Bytes>>> = Arc::default();
        let copy = Arc::clone(&sent);
        let body = tee(body, limit, move |body| *lock(&copy) = body);
        let shadowed = parts.clone();
        let response = self.legacy(Request::from_parts(parts, body), statistics).await;
        if response.extensions().get::<FromLegacy>().is_none() {
            return response;
        }
        let (head, body) = response.into_parts();
        let (status, headers): (StatusCode, HeaderMap) = (head.status, head.headers.clone());
        let (shadow, proxy) = (Arc::clone(&self.0.shadow), self.0.proxy.clone());
        let statistics = Arc::clone(statistics);
        let body = tee(body, limit, move |body| {
            // Both bodies, or nothing is compared.
            let request_body = body.is_some().then(|| lock(&sent).take()).flatten();
            let legacy = answer(status, &headers, &body.unwrap_or_default());
            let body = request_body;
            let rehearsed = rehearsed.map(Rehearsed::answered);
            shadow.enqueue(
                Job { parts: shadowed, body, legacy, rehearsed, proxy, statistics },
                service,
            );
        });
        Response::from_parts(head, body)
    }
}
