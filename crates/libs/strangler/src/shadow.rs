//! Sends copies of requests to the new service, after the client has its response, and compares.
//!
//! Safe requests (GET, HEAD, OPTIONS) are served by the new service and compared to the byte. If the
//! responses differ, both services get the request once more, legacy before and after the new one:
//! where legacy differs from itself, data is changing, and only the rest counts.
//!
//! Other requests must not be executed twice. Where the new service can, it executes the request first
//! and undoes it ([`rehearsal`](crate::rehearsal)), and the whole responses are compared. Else it
//! authenticates, authorizes and validates the request in a dry run. It refuses with 401 or 422, or it
//! would have acted. If both refuse, their responses are compared; if only one does, it is a mismatch; if
//! both accept, it is counted as accepted: what they do is not compared. Other statuses (a 404 or 409
//! that only executing finds, a 403 or 404 for a caller whom the request itself has deleted) cannot be
//! compared and are counted.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::response::Response;
use bytes::Bytes;
use comparison::{Answer, Difference, Pairs, compare};
use http::request::Parts;
use http::{HeaderMap, HeaderName, Request, StatusCode};
use http_body_util::{BodyExt, Limited};
use tokio::sync::Semaphore;
use tower::{Service, ServiceExt};

use crate::DryRun;
use crate::proxy::Proxy;
use crate::rehearsal::{Comparison, Rehearsals, Rehearsed};
use crate::statistics::{Statistics, Verdict};

/// The pause before the repetition, in which changes can complete.
const PAUSE: Duration = Duration::from_millis(20);

/// The queue of shadowed requests and its limits.
pub(crate) struct Shadow {
    /// Permits for requests in the queue.
    pub(crate) queue: Arc<Semaphore>,
    /// Permits for requests that are compared at a time.
    pub(crate) workers: Arc<Semaphore>,
    /// The longest body that is compared, in bytes.
    pub(crate) max_body: usize,
    pub(crate) dry_run: Option<DryRun>,
    pub(crate) rehearsals: Option<Rehearsals>,
    /// Headers that may differ.
    pub(crate) ignored_headers: Vec<HeaderName>,
}

/// A request with the response of legacy.
pub(crate) struct Job {
    pub(crate) parts: Parts,
    pub(crate) body: Option<Bytes>,
    pub(crate) legacy: Answer,
    /// Of a write that was rehearsed.
    pub(crate) rehearsed: Option<Rehearsed>,
    pub(crate) proxy: Proxy,
    pub(crate) statistics: Arc<Statistics>,
}

impl Shadow {
    /// Queues a job, or counts it as dropped if the queue is full.
    pub(crate) fn enqueue<S>(self: &Arc<Self>, job: Job, mut service: S)
    where
        S: Service<Request<Body>, Response = Response, Error = Infallible> + Clone + Send + 'static,
        S::Future: Send,
    {
        let Ok(queued) = Arc::clone(&self.queue).try_acquire_owned() else {
            return job.statistics.count(Verdict::Dropped);
        };
        let shadow = Arc::clone(self);
        tokio::spawn(async move {
            let running = Arc::clone(&shadow.workers).acquire_owned().await;
            let (verdict, differences) = shadow.compare(&job, &mut service).await;
            job.statistics.count(verdict);
            if !differences.is_empty() {
                let request = format!("{} {}", job.parts.method, job.parts.uri);
                job.statistics.keep(&request, differences);
            }
            drop((queued, running));
        });
    }

    async fn compare<S>(&self, job: &Job, service: &mut S) -> (Verdict, Vec<Difference>)
    where
        S: Service<Request<Body>, Response = Response, Error = Infallible> + Clone + Send,
        S::Future: Send,
    {
        let uncompared = (Verdict::Uncompared, Vec::new());
        let Some(body) = &job.body else { return uncompared };
        if let (Some(rehearsals), Some(rehearsed)) = (&self.rehearsals, &job.rehearsed) {
            let ignored = |difference: &Difference| self.ignores(difference);
            let request = (&job.parts, body);
            let service = service.clone();
            let found = rehearsals.compare(rehearsed, request, &job.legacy, ignored, service).await;
            return match found {
                Comparison::Same => (Verdict::Match, Vec::new()),
                Comparison::Different(differences) => (Verdict::Mismatch, differences),
                Comparison::Changed => (Verdict::Noise, Vec::new()),
                Comparison::Impossible => uncompared,
            };
        }
        if !job.parts.method.is_safe() {
            return self.compare_refusals(job, body, service).await.unwrap_or(uncompared);
        }
        let Some(first) = self.request_native(service, request(&job.parts, body)).await else {
            return uncompared;
        };
        if self.differences(&job.legacy, &first).is_empty() {
            return (Verdict::Match, Vec::new());
        }
        if !job.statistics.may_repeat() {
            return (Verdict::Dropped, Vec::new());
        }
        // Where legacy differs from itself, nothing follows from a difference.
        tokio::time::sleep(PAUSE).await;
        let Some(before) = self.request_legacy(job, body).await else { return uncompared };
        let native = self.request_native(service, request(&job.parts, body)).await;
        let Some(native) = native else { return uncompared };
        let Some(after) = self.request_legacy(job, body).await else { return uncompared };
        let mut unsteady = self.differences(&job.legacy, &before);
        unsteady.extend(self.differences(&before, &after));
        let mut differences = self.differences(&before, &native);
        differences.retain(|found| !unsteady.iter().any(|place| place.overlaps(found)));
        let is_mismatch = !differences.is_empty();
        (if is_mismatch { Verdict::Mismatch } else { Verdict::Noise }, differences)
    }

    /// Where two answers differ: equal or different, as both services have one database.
    fn differences(&self, reference: &Answer, candidate: &Answer) -> Vec<Difference> {
        let mut differences = compare(reference, candidate, false, &mut Pairs::literal());
        differences.retain(|difference| !self.ignores(difference));
        differences
    }

    fn ignores(&self, difference: &Difference) -> bool {
        let header = difference.path.strip_prefix("header ");
        header.is_some_and(|header| self.ignored_headers.iter().any(|name| name == header))
    }

    /// Compares whether and how both refuse; none if that cannot be compared.
    async fn compare_refusals<S>(
        &self,
        job: &Job,
        body: &Bytes,
        service: &mut S,
    ) -> Option<(Verdict, Vec<Difference>)>
    where
        S: Service<Request<Body>, Response = Response, Error = Infallible> + Send,
        S::Future: Send,
    {
        let dry_run = self.dry_run.as_ref()?;
        let mut request = request(&job.parts, body);
        (dry_run.prepare)(&mut request);
        let Ok(response) = service.ready().await.ok()?.call(request).await;
        let would_act = (dry_run.would_act)(&response);
        let native = self.answer(response).await?;
        let refused = |status: u16| {
            [StatusCode::UNAUTHORIZED, StatusCode::UNPROCESSABLE_ENTITY]
                .iter()
                .any(|s| *s == status)
        };
        let legacy = job.legacy.status;
        match (would_act, (200..300).contains(&legacy)) {
            (true, true) => Some((Verdict::Accepted, Vec::new())),
            (true, false) if refused(legacy) => Some((
                Verdict::Mismatch,
                vec![Difference {
                    path: "status".into(),
                    reference: legacy.to_string(),
                    candidate: "would have acted".into(),
                }],
            )),
            (false, _) if refused(native.status) || native.status == legacy => {
                let differences = self.differences(&job.legacy, &native);
                let same = differences.is_empty();
                Some((if same { Verdict::Match } else { Verdict::Mismatch }, differences))
            }
            _ => None,
        }
    }

    async fn request_legacy(&self, job: &Job, body: &Bytes) -> Option<Answer> {
        self.answer(job.proxy.send(request(&job.parts, body)).await.ok()?).await
    }

    async fn request_native<S>(&self, service: &mut S, request: Request<Body>) -> Option<Answer>
    where
        S: Service<Request<Body>, Response = Response, Error = Infallible> + Send,
        S::Future: Send,
    {
        self.answer(service.ready().await.ok()?.call(request).await.ok()?).await
    }

    /// The whole response; none if its body fails or is too long.
    async fn answer(&self, response: Response) -> Option<Answer> {
        let (parts, body) = response.into_parts();
        let body = Limited::new(body, self.max_body).collect().await.ok()?.to_bytes();
        Some(answer(parts.status, &parts.headers, &body))
    }
}

pub(crate) fn request(parts: &Parts, body: &Bytes) -> Request<Body> {
    Request::from_parts(parts.clone(), Body::from(body.clone()))
}

pub(crate) fn answer(status: StatusCode, headers: &HeaderMap, body: &Bytes) -> Answer {
    let mut all: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (name, value) in headers {
        let value = value.as_bytes().iter().map(|&byte| char::from(byte)).collect();
        all.entry(name.as_str().to_owned()).or_default().push(value);
    }
    // Redundant with the body, and a service in this process leaves it to the connection.
    all.remove("content-length");
    Answer { status: status.as_u16(), headers: all, body: body.to_vec() }
}
