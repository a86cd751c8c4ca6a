//! The tower layer that routes each request to legacy, to the new service, or to both.

use std::convert::Infallible;
use std::pin::pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use futures_util::future::BoxFuture;
use http::{Method, Request};
use tower::{Layer, Service};

use crate::answer::answer;
use crate::body::Unsent;
use crate::causes::causes;
use crate::client;
use crate::lock::lock;
use crate::memory::of_headers;
use crate::outcome::Outcome;
use crate::plan::Mode;
use crate::rehearsal::Rehearsed;
use crate::shadow::{By, Job};
use crate::statistics::{Statistics, Verdict};
use crate::strangler::Strangler;
use crate::tee::{Copied, tee};
use crate::writes::Passing;

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

/// Whether a request asks to change the protocol. Such requests are not rehearsed, and not repeated for a
/// canary.
fn is_upgrade(request: &Request<Body>) -> bool {
    request.headers().contains_key(http::header::UPGRADE)
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
        // Also of those that are not rehearsed: they change what others find.
        let rehearsals = strangler.0.shadow.rehearsals.as_ref();
        let write = rehearsals.filter(|_| !request.method().is_safe());
        let write = write.map(|rehearsals| rehearsals.writes.begin());
        let Some(index) = operations.of(request.method(), request.uri().path()) else {
            return Box::pin(async move {
                let _write = write;
                Ok(with_length(strangler.legacy(request, &strangler.0.others).await))
            });
        };
        let route = strangler.route(index, &request);
        Box::pin(async move {
            let statistics = &strangler.0.statistics[index];
            match route {
                Route::Legacy => Ok(with_length(strangler.legacy(request, statistics).await)),
                Route::Shadow => {
                    Ok(with_length(strangler.shadow(request, service, index, write.as_ref()).await))
                }
                Route::Native => strangler.native(&mut service, request, statistics, || ()).await,
                Route::Canary => strangler.canary(request, service, index).await,
            }
        })
    }
}

/// Lets a 304 keep the length of what was not modified, which hyper takes for a body's that is missing.
fn with_length(response: Response) -> Response {
    if response.status() != http::StatusCode::NOT_MODIFIED {
        return response;
    }
    let length = response.headers().get(http::header::CONTENT_LENGTH);
    match length.and_then(|length| length.to_str().ok()?.parse().ok()) {
        Some(length @ 1..) => response.map(|_| Body::new(Unsent { length })),
        _ => response,
    }
}

/// Where one request is routed.
enum Route {
    Legacy,
    Shadow,
    /// To the new service, which is then evaluated.
    Canary,
    Native,
}

/// Evaluates a canary when its request has ended, also one whose client left.
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
    /// The layer to put around the new service.
    pub fn layer(&self) -> StranglerLayer {
        StranglerLayer(self.clone())
    }

    /// Whether the old service alone has to get such a request, as the plan is now. Where the old service is
    /// within reach of the caller, it may pass the request on itself, which is then not counted here.
    ///
    /// While writes are rehearsed, it is `false` for all writes: the rehearsals have to know of them.
    pub fn is_left_to_legacy(&self, method: &Method, path: &str) -> bool {
        let index = self.0.operations.of(method, path);
        let state = self.read();
        let running = index.and_then(|index| state.operations.get(index));
        if running.is_some_and(|running| running.mode != Mode::Legacy) {
            return false;
        }
        let is_rehearsed = || {
            self.0.shadow.rehearsals.is_some()
                && state.operations.iter().any(|running| running.mode == Mode::Shadow)
        };
        method.is_safe() || !is_rehearsed()
    }

    fn route(&self, index: usize, request: &Request<Body>) -> Route {
        let settings = &self.0.settings;
        let client = client::hash(request, &settings.client, &settings.trust);
        self.0.statistics[index].called_by(client);
        let state = self.read();
        let Some(running) = state.operations.get(index) else { return Route::Legacy };
        let percent = match running.mode {
            Mode::Native => return Route::Native,
            Mode::Shadow => return Route::Shadow,
            _ if running.failed.is_some() => return Route::Legacy,
            Mode::Canary(percent) => percent,
            Mode::Automatic => state.plan.steps.percent(running.step),
            Mode::Legacy => return Route::Legacy,
        };
        if client::percentile(client) < percent { Route::Canary } else { Route::Legacy }
    }

    /// Lets the new service respond. What takes longer than the timeout counts as an error at that
    /// moment, and `late` is called; the client goes on waiting.
    async fn native<S>(
        &self,
        service: &mut S,
        request: Request<Body>,
        statistics: &Statistics,
        late: impl FnOnce(),
    ) -> Result<Response, Infallible>
    where
        S: Service<Request<Body>, Response = Response, Error = Infallible>,
    {
        let measured = statistics.native.start();
        let mut responding = pin!(service.call(request));
        let in_time = tokio::time::timeout(self.0.settings.timeout, &mut responding).await;
        let Ok(response) = in_time else {
            measured.end(Some(Outcome::Error));
            late();
            return responding.await;
        };
        let response = response?;
        measured.end(Some(response.status().into()));
        Ok(response)
    }

    /// The new service responds and is evaluated; a share of what it answers to safe requests is compared
    /// with what the old service answers.
    async fn canary<S>(
        &self,
        request: Request<Body>,
        mut service: S,
        index: usize,
    ) -> Result<Response, Infallible>
    where
        S: Service<Request<Body>, Response = Response, Error = Infallible> + Clone + Send + 'static,
        S::Future: Send,
    {
        let statistics = &self.0.statistics[index];
        let _check = Check { strangler: self, index };
        let late = || self.evaluate(index);
        let is_checked = request.method().is_safe()
            && !is_upgrade(&request)
            && statistics.may_check(self.0.settings.canary_checks);
        if !is_checked {
            return self.native(&mut service, request, statistics, late).await;
        }
        let compared = service.clone();
        let (request, copy) = self.copy_request(request);
        let response = self.native(&mut service, request, statistics, late).await?;
        Ok(self.compare(response, copy, (By::Native, None), compared, index))
    }

    async fn legacy(&self, request: Request<Body>, statistics: &Statistics) -> Response {
        let measured = statistics.legacy.start();
        statistics.to_legacy();
        let _at_legacy = self.0.mails.as_ref().map(|mails| mails.at_legacy());
        match self.0.proxy.send(request).await {
            Ok(mut response) => {
                measured.end(Some(response.status().into()));
                response.extensions_mut().insert(FromLegacy);
                response
            }
            Err(error) => {
                let outcome = if error.is_of_client() { None } else { Some(Outcome::Error) };
                measured.end(outcome);
                if error.is_of_client() {
                    // Any client can send any number of them.
                    tracing::debug!(error = causes(&error), "a request is refused");
                } else {
                    tracing::warn!(error = causes(&error), "no response from legacy");
                }
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
        index: usize,
        write: Option<&Passing>,
    ) -> Response
    where
        S: Service<Request<Body>, Response = Response, Error = Infallible> + Clone + Send + 'static,
        S::Future: Send,
    {
        let statistics = &self.0.statistics[index];
        let is_rehearsed = !request.method().is_safe() && !is_upgrade(&request);
        let (request, rehearsed) = match (&self.0.shadow.rehearsals, write) {
            (Some(rehearsals), Some(write)) if is_rehearsed => {
                let measured = statistics.rehearsal.start();
                let (request, rehearsed) =
                    rehearsals.first(request, service.clone(), write.number).await;
                // Only those that took place count.
                measured.end(rehearsed.as_ref().map(|_| Outcome::Success));
                (request, rehearsed)
            }
            _ => (request, None),
        };
        let (request, copy) = self.copy_request(request);
        let response = self.legacy(request, statistics).await;
        if response.extensions().get::<FromLegacy>().is_none() {
            return response;
        }
        self.compare(response, copy, (By::Legacy, rehearsed), service, index)
    }

    /// A request whose body is copied as it is sent, and its copy.
    fn copy_request(&self, request: Request<Body>) -> (Request<Body>, Copy) {
        let (parts, body) = request.into_parts();
        let body_copy: Arc<Mutex<Option<Copied>>> = Arc::default();
        let copy = Copy { parts: parts.clone(), body: Arc::clone(&body_copy) };
        let Settled { limit, budget } = self.settled();
        let body = tee(body, limit, budget, move |body| *lock(&body_copy) = Some(body));
        (Request::from_parts(parts, body), copy)
    }

    /// The same response; when it is complete, it is compared.
    fn compare<S>(
        &self,
        response: Response,
        copy: Copy,
        (by, rehearsed): (By, Option<Rehearsed>),
        service: S,
        index: usize,
    ) -> Response
    where
        S: Service<Request<Body>, Response = Response, Error = Infallible> + Clone + Send + 'static,
        S::Future: Send,
    {
        let (head, body) = response.into_parts();
        let (status, headers) = (head.status, head.headers.clone());
        let strangler = self.clone();
        let Settled { limit, budget } = self.settled();
        let body = tee(body, limit, budget, move |body| {
            let statistics = &strangler.0.statistics[index];
            // Both bodies, or nothing is compared.
            let sent = lock(&copy.body).take();
            let (sent, mut held, body, of_body) = match (sent, body) {
                (Some(Copied::Whole(sent, held)), Copied::Whole(body, of_body)) => {
                    (sent, held, body, of_body)
                }
                (Some(Copied::NoMemory), _) | (_, Copied::NoMemory) => {
                    return statistics.count(Verdict::Dropped);
                }
                _ => return statistics.count(Verdict::Uncompared),
            };
            if !held.grow(of_headers(&copy.parts.headers) + of_headers(&headers)) {
                return statistics.count(Verdict::Dropped);
            }
            match answer(status, &headers, body, limit, &mut held) {
                Ok(answer) => {
                    let rehearsed = rehearsed.map(Rehearsed::answered);
                    let (parts, body, held) = (copy.parts, sent, vec![held, of_body]);
                    let job = Job { parts, body, answer, by, rehearsed, held, index };
                    strangler.enqueue(job, service);
                }
                Err(verdict) => statistics.count(verdict),
            }
        });
        Response::from_parts(head, body)
    }

    fn settled(&self) -> Settled<'_> {
        Settled { limit: self.0.settings.shadow_body, budget: &self.0.shadow.budget }
    }
}

/// The copy of a request.
struct Copy {
    parts: http::request::Parts,
    /// There at its end.
    body: Arc<Mutex<Option<Copied>>>,
}

/// What copies may take.
struct Settled<'a> {
    limit: usize,
    budget: &'a Arc<crate::memory::Budget>,
}
