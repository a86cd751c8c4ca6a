//! Compares what one service has answered with what the other one answers, after the client has its
//! response: the new service's with the old one's in a shadow, and a share of the reads of a canary.
//!
//! Safe requests (GET, HEAD, OPTIONS) are served by the other service and compared to the byte. If the
//! responses differ, both services get the request once more, legacy before and after the new one:
//! where legacy differs from itself, data is changing, and only the rest counts. It must still differ
//! the next times then: what changes to and fro is the same now and then.
//!
//! A read that the new service has only validated, as its handler is not written, is compared like a
//! write that was only tried.
//!
//! Other requests must not be executed twice. Where the new service can, it executes the request first
//! and undoes it ([`rehearsal`](crate::rehearsal)), and the whole responses are compared. Else it
//! authenticates, authorizes and validates the request in a dry run. It refuses with 401 or 422, or it
//! would have acted. If both refuse, their responses are compared; if only one does, it is a mismatch; if
//! both accept, it is counted as accepted: what they do is not compared. Other answers (a 404, a 409 or a
//! handler's own 422 that only executing finds, a 403 or 404 for a caller whom the request itself has deleted) cannot be
//! compared and are counted.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::response::Response;
use bytes::Bytes;
use comparison::{Answer, Difference, Pairs, compare};
use http::request::Parts;
use http::{HeaderName, Request, StatusCode};
use serde::Deserialize;
use tower::{Service, ServiceExt};

use crate::answer::{read, request};
use crate::may_differ;
use crate::memory::Held;
use crate::rehearsal::{Comparison, Rehearsed};
use crate::statistics::Verdict;
use crate::strangler::Strangler;

/// The pause before the repetition, in which changes can complete.
const PAUSE: Duration = Duration::from_millis(20);
/// How often a request is repeated at most, while data is changing.
const REPETITIONS: usize = 3;
/// How many requests the old service gets in a repetition.
const REQUESTS_PER_REPETITION: u64 = 2;
/// Bodies from this length on are parsed one pair at a time: parsed they take many times that.
const LARGE: usize = 64 * 1024;

/// Who has answered the client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum By {
    Legacy,
    Native,
}

/// A request with the answer that the client got.
pub(crate) struct Job {
    pub(crate) parts: Parts,
    pub(crate) body: Bytes,
    pub(crate) answer: Answer,
    pub(crate) by: By,
    /// Of a write that was rehearsed.
    pub(crate) rehearsed: Option<Rehearsed>,
    /// The memory of all these, until they are dropped.
    pub(crate) held: Vec<Held>,
    /// The operation.
    pub(crate) index: usize,
}

/// The differences, none if they are the same; or why nothing follows.
type Compared = Result<Vec<Difference>, Verdict>;

impl Strangler {
    /// Queues a job, or counts it as dropped if the queue is full.
    pub(crate) fn enqueue<S>(&self, job: Job, mut service: S)
    where
        S: Service<Request<Body>, Response = Response, Error = Infallible> + Clone + Send + 'static,
        S::Future: Send,
    {
        let statistics = Arc::clone(&self.0.statistics[job.index]);
        let shadow = &self.0.shadow;
        let Ok(queued) = Arc::clone(&shadow.queue).try_acquire_owned() else {
            return statistics.count(Verdict::Dropped);
        };
        let strangler = self.clone();
        tokio::spawn(async move {
            let shadow = &strangler.0.shadow;
            // E-mails are waited for before there is work to do.
            let of_mails = strangler.compare_mails(&job).await;
            let running = Arc::clone(&shadow.workers).acquire_owned().await;
            let mut held = shadow.budget.part();
            let mut compared = strangler.compare_answers(&job, &mut service, &mut held).await;
            let are_mails_known = of_mails.is_some();
            if let Ok(differences) = &mut compared {
                differences.extend(of_mails.into_iter().flatten());
            }
            let (verdict, differences) = match compared {
                Ok(none) if none.is_empty() && are_mails_known => (Verdict::Match, none),
                Ok(none) if none.is_empty() => (Verdict::MatchWithoutEmails, none),
                Ok(differences) => (Verdict::Mismatch, differences),
                Err(verdict) => (verdict, Vec::new()),
            };
            if !differences.is_empty() {
                let request = format!("{} {}", job.parts.method, job.parts.uri);
                statistics.keep(&request, differences);
            }
            if job.by == By::Native {
                statistics.count_check(verdict);
                strangler.evaluate(job.index);
            }
            statistics.count(verdict);
            drop((job.held, queued, running, held));
        });
    }

    /// Where the e-mails of a write differ; `None` if they cannot be compared.
    async fn compare_mails(&self, job: &Job) -> Option<Vec<Difference>> {
        let shadow = &self.0.shadow;
        let (Some(rehearsals), Some(rehearsed)) = (&shadow.rehearsals, &job.rehearsed) else {
            return Some(Vec::new());
        };
        let mut differences = rehearsals.compare_mails(rehearsed, (&job.parts, &job.body)).await?;
        let may_differ = self.may_differ();
        differences.retain(|difference| !may_differ.ignores(difference));
        Some(differences)
    }

    async fn compare_answers<S>(&self, job: &Job, service: &mut S, held: &mut Held) -> Compared
    where
        S: Service<Request<Body>, Response = Response, Error = Infallible> + Clone + Send,
        S::Future: Send,
    {
        let shadow = &self.0.shadow;
        if let (Some(rehearsals), Some(rehearsed)) = (&shadow.rehearsals, &job.rehearsed) {
            let may_differ = self.may_differ();
            let ignored = |difference: &Difference| may_differ.ignores(difference);
            let request = (&job.parts, &job.body);
            let service = service.clone();
            let found = rehearsals.compare(rehearsed, request, &job.answer, ignored, service).await;
            return match found {
                Comparison::Same => Ok(Vec::new()),
                Comparison::Different(differences) => Ok(differences),
                Comparison::Changed => Err(Verdict::Noise),
                Comparison::Impossible => Err(Verdict::Uncompared),
            };
        }
        if !job.parts.method.is_safe() {
            return self.compare_refusals(job, service, held).await;
        }
        let (legacy, native);
        let (legacy, native) = match job.by {
            By::Legacy => {
                native = match self.request_native(job, service, held).await? {
                    Answered { would_act: true, .. } => return would_have_acted(&job.answer),
                    Answered { answer, .. } => answer,
                };
                (&job.answer, &native)
            }
            By::Native => {
                legacy = self.request_legacy(job, held).await?;
                (&legacy, &job.answer)
            }
        };
        let statistics = &self.0.statistics[job.index];
        // A canary's check is none more: the old service did not get the client's request.
        statistics.repetitions.earn();
        if self.differences(legacy, native).await.is_empty() {
            return Ok(Vec::new());
        }
        let mut earlier = None::<Answer>;
        let (mut unsteady, mut differences) = (Vec::new(), None::<Vec<Difference>>);
        for repetition in 0..REPETITIONS {
            let may_repeat = if repetition == 0 {
                statistics.repetitions.begin(REQUESTS_PER_REPETITION)
            } else {
                statistics.repetitions.go_on(REQUESTS_PER_REPETITION)
            };
            if !may_repeat {
                statistics.keep_unsteady(&unsteady);
                return Err(Verdict::Dropped);
            }
            tokio::time::sleep(PAUSE).await;
            let before = self.request_legacy(job, held).await?;
            let native = self.request_native(job, service, held).await?.answer;
            let after = self.request_legacy(job, held).await?;
            // Where legacy differs from itself, nothing follows from a difference.
            let last = earlier.as_ref().unwrap_or(legacy);
            unsteady.extend(self.differences(last, &before).await);
            unsteady.extend(self.differences(&before, &after).await);
            let mut found = self.differences(&before, &native).await;
            found.retain(|found| !unsteady.iter().any(|other| other.overlaps(found)));
            if let Some(before) = &differences {
                found.retain(|found| before.iter().any(|other| other.path == found.path));
            }
            let is_changing = unsteady.iter().any(|other| !other.path.starts_with("header "));
            let is_known = found.is_empty() || !is_changing;
            differences = Some(found);
            if is_known {
                break;
            }
            earlier = Some(after);
        }
        statistics.keep_unsteady(&unsteady);
        differences.filter(|found| !found.is_empty()).ok_or(Verdict::Noise)
    }

    /// Where two answers differ: equal or different, as both services have one database.
    async fn differences(&self, reference: &Answer, candidate: &Answer) -> Vec<Difference> {
        let is_large = reference.body.len().max(candidate.body.len()) >= LARGE;
        let _parsing = if is_large { Some(self.0.shadow.parsing.lock().await) } else { None };
        let mut differences = compare(reference, candidate, false, &mut Pairs::literal());
        let may_differ = self.may_differ();
        differences.retain(|difference| !may_differ.ignores(difference));
        differences
    }

    fn may_differ(&self) -> MayDiffer<'_> {
        let patterns = self.read().plan.may_differ.clone();
        MayDiffer { headers: &self.0.shadow.ignored_headers, patterns }
    }

    /// Compares whether and how both refuse.
    async fn compare_refusals<S>(&self, job: &Job, service: &mut S, held: &mut Held) -> Compared
    where
        S: Service<Request<Body>, Response = Response, Error = Infallible> + Send,
        S::Future: Send,
    {
        let shadow = &self.0.shadow;
        let dry_run = shadow.dry_run.as_ref().ok_or(Verdict::Uncompared)?;
        let mut request = request(&job.parts, &job.body);
        (dry_run.prepare)(&mut request);
        let service = service.ready().await.map_err(|_| Verdict::Uncompared)?;
        let Ok(response) = service.call(request).await;
        if (dry_run.would_act)(&response) {
            return would_have_acted(&job.answer);
        }
        let native = read(response, shadow.max_body, held).await?;
        if is_refusal(native.status) || native.status == job.answer.status {
            return Ok(self.differences(&job.answer, &native).await);
        }
        Err(Verdict::Uncompared)
    }

    async fn request_legacy(&self, job: &Job, held: &mut Held) -> Result<Answer, Verdict> {
        self.0.statistics[job.index].to_legacy();
        let response = self.0.proxy.send(request(&job.parts, &job.body)).await;
        let response = response.map_err(|_| Verdict::Uncompared)?;
        read(response, self.0.shadow.max_body, held).await
    }

    async fn request_native<S>(
        &self,
        job: &Job,
        service: &mut S,
        held: &mut Held,
    ) -> Result<Answered, Verdict>
    where
        S: Service<Request<Body>, Response = Response, Error = Infallible> + Send,
        S::Future: Send,
    {
        let service = service.ready().await.map_err(|_| Verdict::Uncompared)?;
        let response = service.call(request(&job.parts, &job.body));
        // One that hangs keeps no worker.
        let response = tokio::time::timeout(self.0.settings.timeout, response).await;
        let Ok(response) = response.map_err(|_| Verdict::Uncompared)?;
        let dry_run = self.0.shadow.dry_run.as_ref();
        let would_act = dry_run.is_some_and(|dry_run| (dry_run.would_act)(&response));
        let answer = read(response, self.0.shadow.max_body, held).await?;
        Ok(Answered { answer, would_act })
    }
}

/// The new service's answer to a safe request.
struct Answered {
    answer: Answer,
    /// Whether it says that the request was validated, and nothing else.
    would_act: bool,
}

/// Whether a service refuses a request before it acts on it.
fn is_refusal(status: u16) -> bool {
    [StatusCode::UNAUTHORIZED, StatusCode::UNPROCESSABLE_ENTITY].iter().any(|one| *one == status)
}

/// Whether a refusal is one that a handler has raised, after validation, which lists errors: a 422 with
/// a text as its detail, or with a body that is no JSON.
fn is_of_handler(legacy: &Answer) -> bool {
    #[derive(Deserialize)]
    struct Raised {
        #[serde(rename = "detail")]
        _detail: String,
    }
    let content_type = legacy.headers.get("content-type").and_then(|values| values.first());
    let is_json = content_type.is_some_and(|value| value.contains("json"));
    legacy.status == StatusCode::UNPROCESSABLE_ENTITY
        && (!is_json || serde_json::from_slice::<Raised>(&legacy.body).is_ok())
}

/// What follows from the old service's answer where the new one would have acted.
fn would_have_acted(legacy: &Answer) -> Compared {
    match legacy.status {
        200..300 => Err(Verdict::Accepted),
        status if is_refusal(status) && !is_of_handler(legacy) => Ok(vec![Difference {
            path: "status".into(),
            reference: status.to_string(),
            candidate: "would have acted".into(),
        }]),
        _ => Err(Verdict::Uncompared),
    }
}

/// Where answers may differ.
struct MayDiffer<'a> {
    headers: &'a [HeaderName],
    patterns: Vec<String>,
}

impl MayDiffer<'_> {
    fn ignores(&self, difference: &Difference) -> bool {
        let header = difference.path.strip_prefix("header ");
        header.is_some_and(|header| self.headers.iter().any(|name| name == header))
            || may_differ::may(difference, &self.patterns)
    }
}
