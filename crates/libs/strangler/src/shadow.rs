//! Asking the new service as well, out of the client's way, and comparing the answers.
//!
//! What changes nothing (GET, HEAD, OPTIONS) is answered by the new service and compared to the
//! byte. If the answers differ, both are asked again, legacy before and after: it is a mismatch only
//! if legacy says the same both times, as otherwise something changes all the while.
//!
//! Everything else must not act twice. The new service reads, lets in and validates the request, and
//! stops there. It refuses with 401 or 422, or it would have acted. Legacy did the same: a match. One
//! refused so and the other did not: a mismatch. Anything else (a 404 or 409 that only acting finds,
//! a 403 or 404 for a caller whom the request itself has removed) cannot be compared and is counted.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::response::Response;
use bytes::Bytes;
use comparison::{Answer, Difference, Pairs, compare};
use http::request::Parts;
use http::{HeaderMap, Request, StatusCode};
use http_body_util::{BodyExt, Limited};
use tokio::sync::Semaphore;
use tower::{Service, ServiceExt};

use crate::DryRun;
use crate::evidence::{Evidence, Verdict};
use crate::proxy::Proxy;

/// How often both are asked again before a difference counts.
const AGAIN: usize = 3;
/// How long what changed in between is given to settle.
const PAUSE: Duration = Duration::from_millis(20);

/// What is done at the same time, and what may wait.
pub(crate) struct Shadow {
    pub(crate) places: Arc<Semaphore>,
    pub(crate) running: Arc<Semaphore>,
    /// Longer bodies are not compared.
    pub(crate) most: usize,
    pub(crate) dry_run: Option<DryRun>,
}

/// A request that legacy has answered.
pub(crate) struct Job {
    pub(crate) parts: Parts,
    pub(crate) body: Option<Bytes>,
    pub(crate) legacy: Answer,
    pub(crate) proxy: Proxy,
    pub(crate) evidence: Arc<Evidence>,
}

impl Shadow {
    /// Takes the job on, or counts that it could not.
    pub(crate) fn take<S>(self: &Arc<Self>, job: Job, mut service: S)
    where
        S: Service<Request<Body>, Response = Response, Error = Infallible> + Clone + Send + 'static,
        S::Future: Send,
    {
        let Ok(place) = Arc::clone(&self.places).try_acquire_owned() else {
            return job.evidence.judge(Verdict::Dropped);
        };
        let shadow = Arc::clone(self);
        tokio::spawn(async move {
            let running = Arc::clone(&shadow.running).acquire_owned().await;
            let (verdict, differences) = shadow.compare(&job, &mut service).await;
            job.evidence.judge(verdict);
            if !differences.is_empty() {
                let request = format!("{} {}", job.parts.method, job.parts.uri);
                job.evidence.keep(&request, differences);
            }
            drop((place, running));
        });
    }

    async fn compare<S>(&self, job: &Job, service: &mut S) -> (Verdict, Vec<Difference>)
    where
        S: Service<Request<Body>, Response = Response, Error = Infallible> + Send,
        S::Future: Send,
    {
        let uncompared = (Verdict::Uncompared, Vec::new());
        let Some(body) = &job.body else { return uncompared };
        if !job.parts.method.is_safe() {
            return self.compare_refusals(job, body, service).await.unwrap_or(uncompared);
        }
        let Some(first) = self.ask(service, request(&job.parts, body)).await else {
            return uncompared;
        };
        let differences =
            |one: &Answer, other: &Answer| compare(one, other, false, &mut Pairs::default());
        if differences(&job.legacy, &first).is_empty() {
            return (Verdict::Match, Vec::new());
        }
        let mut verdict = (Verdict::Noise, Vec::new());
        for _ in 0..AGAIN {
            tokio::time::sleep(PAUSE).await;
            let before = self.ask_legacy(job, body).await;
            let native = self.ask(service, request(&job.parts, body)).await;
            let (Some(before), Some(native)) = (before, native) else { return uncompared };
            let different = differences(&before, &native);
            if different.is_empty() {
                return (Verdict::Noise, Vec::new());
            }
            let Some(after) = self.ask_legacy(job, body).await else { return uncompared };
            if differences(&before, &after).is_empty() {
                verdict = (Verdict::Mismatch, different);
            }
        }
        verdict
    }

    /// Compares how the two refuse; none if that cannot be compared.
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
            (true, true) => Some((Verdict::Match, Vec::new())),
            (true, false) if refused(legacy) => Some((
                Verdict::Mismatch,
                vec![Difference {
                    path: "status".into(),
                    reference: legacy.to_string(),
                    candidate: "would have acted".into(),
                }],
            )),
            (false, _) if refused(native.status) || native.status == legacy => {
                let differences = compare(&job.legacy, &native, false, &mut Pairs::default());
                let same = differences.is_empty();
                Some((if same { Verdict::Match } else { Verdict::Mismatch }, differences))
            }
            _ => None,
        }
    }

    async fn ask_legacy(&self, job: &Job, body: &Bytes) -> Option<Answer> {
        self.answer(job.proxy.send(request(&job.parts, body)).await.ok()?).await
    }

    async fn ask<S>(&self, service: &mut S, request: Request<Body>) -> Option<Answer>
    where
        S: Service<Request<Body>, Response = Response, Error = Infallible> + Send,
        S::Future: Send,
    {
        self.answer(service.ready().await.ok()?.call(request).await.ok()?).await
    }

    /// The whole answer, unless it is too long.
    async fn answer(&self, response: Response) -> Option<Answer> {
        let (parts, body) = response.into_parts();
        let body = Limited::new(body, self.most).collect().await.ok()?.to_bytes();
        Some(answer(parts.status, &parts.headers, &body))
    }
}

fn request(parts: &Parts, body: &Bytes) -> Request<Body> {
    Request::from_parts(parts.clone(), Body::from(body.clone()))
}

pub(crate) fn answer(status: StatusCode, headers: &HeaderMap, body: &Bytes) -> Answer {
    let mut all: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (name, value) in headers {
        let value = value.as_bytes().iter().map(|&byte| char::from(byte)).collect();
        all.entry(name.as_str().to_owned()).or_default().push(value);
    }
    // It tells what the body tells, and a service in this process leaves it to the connection.
    all.remove("content-length");
    Answer { status: status.as_u16(), headers: all, body: body.to_vec() }
}
