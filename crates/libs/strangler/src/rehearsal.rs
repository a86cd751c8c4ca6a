//! Rehearsals: the new service executes a write and undoes it, just before the old one gets it.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use axum::body::Body;
use axum::response::Response;
use bytes::{Bytes, BytesMut};
use comparison::{Answer, Difference, Pairs, compare};
use futures_util::future::BoxFuture;
use futures_util::{StreamExt, stream};
use http::request::Parts;
use http::{Request, header};
use http_body_util::{BodyStream, StreamBody};
use tokio::sync::Semaphore;
use tower::{Service, ServiceExt};

use crate::answer::{read, request};
use crate::emails::{self, Message, Outbox};
use crate::lock::lock;
use crate::mails::{Mails, Moment};
use crate::memory::{Budget, Held};
use crate::writes::{self, Writes};

/// Prepares a request so that executing it has no effect: its handler gets a storage that is undone
/// when it is dropped, and a mailer that sends nothing, but adds its e-mails to the [`Outbox`] that is
/// an extension of the request. Fails where that cannot be now, and the request is not rehearsed.
///
/// [`Outbox`]: crate::Outbox
pub type Rehearse = Arc<
    dyn Fn(Request<Body>) -> BoxFuture<'static, Result<Request<Body>, tower::BoxError>>
        + Send
        + Sync,
>;

/// What rehearsals may take.
pub(crate) struct Rehearsals {
    pub(crate) rehearse: Rehearse,
    /// Permits for rehearsals at a time.
    pub(crate) permits: Semaphore,
    /// How long a client waits for one.
    pub(crate) timeout: Duration,
    /// The longest body of a request or a response, in bytes.
    pub(crate) max_body: usize,
    /// The memory for their bodies.
    pub(crate) budget: Arc<Budget>,
    /// The writes of this process.
    pub(crate) writes: Arc<Writes>,
    /// The old service's e-mails, if they pass here.
    pub(crate) mails: Option<Arc<Mails>>,
    /// The last values that the new service made up, at most [`MADE_UP`].
    pub(crate) made_up: Mutex<VecDeque<String>>,
}

const MADE_UP: usize = 1000;

/// What the new service would have answered to a write.
pub(crate) struct Rehearsed {
    answer: Answer,
    /// The e-mails that it would have sent, and when the old service got the request.
    messages: Vec<Message>,
    sent: Option<Moment>,
    _held: Held,
    /// Its number among the writes.
    write: u64,
    /// With what was there before: the values in the request.
    pairs: Pairs,
    start: Instant,
}

impl Rehearsed {
    /// The old service has answered: times may differ by as much as that took.
    pub(crate) fn answered(mut self) -> Self {
        self.pairs.widen(self.start.elapsed());
        self
    }
}

/// What follows from a rehearsal.
pub(crate) enum Comparison {
    Same,
    Different(Vec<Difference>),
    /// Data may have changed between the rehearsal and the old service's write.
    Changed,
    Impossible,
}

/// Statuses that are not of what the request asks for, but of limits of the new service.
const LIMITS: [u16; 3] = [429, 503, 504];

/// Pauses before a rehearsal is repeated that was answered 503, in milliseconds: SQLite refuses at once what
/// has read and then writes while another one does.
const PAUSES: [u64; 3] = [10, 40, 160];

impl Rehearsals {
    /// Executes a write and undoes it. Gives the request back as it came, and what the new service
    /// answered, if it did in time.
    pub(crate) async fn first<S>(
        &self,
        request: Request<Body>,
        service: S,
        write: u64,
    ) -> (Request<Body>, Option<Rehearsed>)
    where
        S: Service<Request<Body>, Response = Response, Error = Infallible> + Clone + Send,
        S::Future: Send,
    {
        let Ok(_permit) = self.permits.try_acquire() else { return (request, None) };
        let start = Instant::now();
        let (parts, body) = request.into_parts();
        let mut held = self.budget.part();
        let (body, whole) = self.read_ahead(body, &mut held).await;
        let mut rehearsed = None;
        if let Some(whole) = whole {
            let mut pairs = Pairs::from_one_past();
            keep(&mut pairs, &parts, &whole);
            if let Some(names) = writes::names(&parts, &whole) {
                self.writes.name(write, names);
            }
            let executed = self.execute(&parts, &whole, service, &mut held).await;
            let sent = self.mails.as_ref().map(|mails| mails.now());
            rehearsed = executed.map(|(answer, messages)| Rehearsed {
                answer,
                messages,
                sent,
                write,
                _held: held,
                pairs,
                start,
            });
        }
        (Request::from_parts(parts, body), rehearsed)
    }

    /// Compares the old service's answer with the rehearsal before it, and where that is not enough
    /// with another one after it.
    pub(crate) async fn compare<S>(
        &self,
        rehearsed: &Rehearsed,
        (parts, body): (&Parts, &Bytes),
        legacy: &Answer,
        ignored: impl Fn(&Difference) -> bool,
        service: S,
    ) -> Comparison
    where
        S: Service<Request<Body>, Response = Response, Error = Infallible> + Clone + Send,
        S::Future: Send,
    {
        let compare = |answer: &Answer, pairs: &mut Pairs| {
            let mut differences = compare(legacy, answer, false, pairs);
            differences.retain(|difference| !ignored(difference));
            differences
        };
        let mut pairs = rehearsed.pairs.clone();
        let mut differences = compare(&rehearsed.answer, &mut pairs);
        if differences.is_empty() && pairs.matched().next().is_none() {
            return Comparison::Same;
        }
        let mut held = self.budget.part();
        let again = self.execute(parts, body, service, &mut held).await.map(|(answer, _)| answer);
        if differences.is_empty() {
            differences.extend(again.iter().flat_map(|again| {
                let mut others = rehearsed.pairs.clone();
                others.widen(rehearsed.start.elapsed());
                _ = compare(again, &mut others);
                rounded(&pairs, &others)
            }));
            // A value that is made up is another one each time.
            let body = again.map(|again| again.body).unwrap_or_default();
            let text = String::from_utf8_lossy(&body);
            let mut made_up = lock(&self.made_up);
            let kept = pairs.matched().filter(|(_, ours)| {
                made_up.iter().any(|known| known == ours) || text.contains(ours)
            });
            differences.extend(kept.map(|(theirs, ours)| Difference {
                path: "body".into(),
                reference: theirs.to_owned(),
                candidate: format!("{ours}, in several rehearsals"),
            }));
            made_up.extend(pairs.matched().map(|(_, ours)| ours.to_owned()));
            let surplus = made_up.len().saturating_sub(MADE_UP);
            made_up.drain(..surplus);
            return if differences.is_empty() {
                Comparison::Same
            } else {
                Comparison::Different(differences)
            };
        }
        let Some(again) = again else { return Comparison::Impossible };
        let mut pairs = rehearsed.pairs.clone();
        pairs.widen(rehearsed.start.elapsed());
        // Where nothing else can have changed it, the old service has, and the new one does not.
        if compare(&again, &mut pairs).is_empty() && !self.writes.was_alone(rehearsed.write) {
            return Comparison::Changed;
        }
        Comparison::Different(differences)
    }

    /// Compares the e-mails of both services. Returns the differences; `None` if the rehearsal has sent
    /// some, and those of the old service are not known: they do not pass here, or could not be read.
    pub(crate) async fn compare_mails(
        &self,
        rehearsed: &Rehearsed,
        (parts, body): (&Parts, &Bytes),
    ) -> Option<Vec<Difference>> {
        let (Some(mails), Some(sent)) = (&self.mails, rehearsed.sent) else {
            return rehearsed.messages.is_empty().then(Vec::new);
        };
        let names = emails::names(&parts.uri.to_string(), body);
        mails.compare(sent, &names, &rehearsed.messages, &mut rehearsed.pairs.clone()).await
    }

    /// The answer to a request whose effects are undone, and the e-mails that it would have caused;
    /// none where that cannot be, takes too long, or meets a limit.
    async fn execute<S>(
        &self,
        parts: &Parts,
        body: &Bytes,
        service: S,
        held: &mut Held,
    ) -> Option<(Answer, Vec<Message>)>
    where
        S: Service<Request<Body>, Response = Response, Error = Infallible> + Clone + Send,
        S::Future: Send,
    {
        let bodies = &mut *held;
        let execute = async move {
            let mut pauses = PAUSES.into_iter();
            loop {
                let outbox = Outbox::default();
                let mut request = request(parts, body);
                request.extensions_mut().insert(outbox.clone());
                let request = match (self.rehearse)(request).await {
                    Ok(request) => request,
                    Err(error) => {
                        tracing::debug!(%error, "a write is not rehearsed");
                        return None;
                    }
                };
                let service = service.clone();
                let Ok(response) = service.oneshot(request).await;
                let answer = read(response, self.max_body, bodies).await.ok()?;
                match pauses.next().filter(|_| answer.status == 503) {
                    Some(pause) => tokio::time::sleep(Duration::from_millis(pause)).await,
                    None => return Some((answer, outbox.take())),
                }
            }
        };
        let (answer, messages) = tokio::time::timeout(self.timeout, execute).await.ok()??;
        let has_room = held.grow(messages.iter().map(Message::size).sum());
        (has_room && !LIMITS.contains(&answer.status)).then_some((answer, messages))
    }

    /// The same body, and all of it, unless it is too long or does not come in time.
    async fn read_ahead(&self, body: Body, held: &mut Held) -> (Body, Option<Bytes>) {
        if http_body::Body::is_end_stream(&body) {
            return (body, Some(Bytes::new()));
        }
        let mut frames = BodyStream::new(body);
        let (mut read, mut whole) = (Vec::new(), BytesMut::new());
        let (mut is_complete, mut has_trailers) = (false, false);
        let reading = async {
            // The frames and the whole.
            while whole.len() <= self.max_body && held.grow_to(2 * whole.len()) {
                match frames.next().await {
                    Some(Ok(frame)) => {
                        match frame.data_ref() {
                            Some(data) => whole.extend_from_slice(data),
                            None => has_trailers = true,
                        }
                        read.push(Ok(frame));
                    }
                    Some(Err(error)) => return read.push(Err(error)),
                    None => return is_complete = true,
                }
            }
        };
        // A client that is slow is passed on as it comes.
        _ = tokio::time::timeout(self.timeout, reading).await;
        let whole = (is_complete && whole.len() <= self.max_body).then(|| whole.freeze());
        let body = match &whole {
            Some(whole) if !has_trailers => Body::from(whole.clone()),
            _ => Body::new(StreamBody::new(stream::iter(read).chain(frames))),
        };
        (body, whole)
    }
}

/// Times that the new service made up in two rehearsals and rounded both times, which the old one did
/// not.
fn rounded(one: &Pairs, other: &Pairs) -> Vec<Difference> {
    let other: Vec<_> = other.matched().collect();
    let is_again =
        |theirs: &str| other.iter().any(|(known, ours)| *known == theirs && is_rounded(ours));
    let matched = one
        .matched()
        .filter(|(theirs, ours)| is_rounded(ours) && !is_rounded(theirs) && is_again(theirs));
    let rounded = matched.map(|(theirs, ours)| Difference {
        path: "body".into(),
        reference: theirs.to_owned(),
        candidate: format!("{ours}, rounded in several rehearsals"),
    });
    rounded.collect()
}

/// Whether a time has more than three digits of a second's fraction, of which those are zeros.
fn is_rounded(time: &str) -> bool {
    let Some((_, fraction)) = time.split_once('.') else { return false };
    let digits = fraction.split(|c: char| !c.is_ascii_digit()).next().unwrap_or_default();
    digits.len() > 3 && digits[3..].bytes().all(|digit| digit == b'0')
}

/// Lets what the request names stand for itself.
fn keep(pairs: &mut Pairs, parts: &Parts, body: &Bytes) {
    pairs.keep(&parts.uri.to_string());
    for name in [header::AUTHORIZATION, header::COOKIE] {
        for value in parts.headers.get_all(name) {
            pairs.keep(&String::from_utf8_lossy(value.as_bytes()));
        }
    }
    pairs.keep(&String::from_utf8_lossy(body));
}
