//! A run: every case to both services, in order.

mod again;

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use reqwest::{Client, Method, Url, redirect};
use serde_json::Value;

use self::again::{noise, shrink};
use crate::case::{Case, CaseError, Variables};
use crate::effects::{self, EffectError, Mails, Sinks};
use crate::ledger::{Differing, Entry, Ledger};
use crate::openapi::causes;
use crate::report::Outcome;
use crate::request::Request;
use comparison::{Answer, Difference, Pairs, compare};

#[derive(Debug, thiserror::Error)]
pub enum RunError {
    #[error(transparent)]
    Case(#[from] CaseError),
    #[error("the {service} does not answer: {}", causes(.source))]
    Unreachable { service: &'static str, source: reqwest::Error },
    #[error("{at}: case '{case}', of the {service}: {source}")]
    Effect { at: String, case: String, service: &'static str, source: EffectError },
    #[error("the HTTP client cannot be made: {0}")]
    Client(reqwest::Error),
}

/// A service and where its effects are to be seen.
#[derive(Clone, Debug)]
pub struct Service {
    pub base: Url,
    pub sinks: Sinks,
}

impl Service {
    pub fn new(base: Url) -> Self {
        Self { base, sinks: Sinks::default() }
    }
}

/// By how much a slow response widens the window of times at most.
const MAX_WIDENING: Duration = Duration::from_secs(10);

/// What a run is about.
pub struct Plan {
    /// The service that is right; without it only the expectations of the cases are checked.
    pub reference: Option<Service>,
    pub candidate: Service,
    pub cases: Vec<Case>,
    /// By how much the candidate may be slower than the reference in one request.
    pub slack: Duration,
    /// Whether both services work on one database, so that no value stands for another.
    pub shared_database: bool,
    /// How far apart both services' times of one event may be.
    pub window: Duration,
}

/// One of the two services, with what its answers left behind.
pub(crate) struct Side {
    name: &'static str,
    service: Service,
    variables: Variables,
    mails: Mails,
    client: Client,
}

/// What a side did with a case.
struct Answered {
    request: Option<Request>,
    answer: Answer,
    took: Duration,
}

impl Side {
    fn new(name: &'static str, service: Service, client: Client) -> Self {
        Self { name, service, variables: Variables::new(), mails: Mails::default(), client }
    }

    /// Fills in, sends and captures a request, or queries effects.
    async fn execute(&mut self, case: &Case, row: &Variables) -> Result<Answered, RunError> {
        let start = Instant::now();
        if case.is_effect() {
            let answer = self.effect(case).await?;
            return Ok(Answered { request: None, answer, took: start.elapsed() });
        }
        let request = case.request(&self.variables, row)?;
        let answer = self.send(&request).await.map_err(|error| match error {
            SendError::Invalid(message) => case.invalid(message).into(),
            SendError::Unreachable(source) => RunError::Unreachable { service: self.name, source },
        })?;
        let took = start.elapsed();
        let body: Option<Value> = serde_json::from_slice(&answer.body).ok();
        for (name, pointer) in &case.capture {
            let value = body.as_ref().and_then(|body| body.pointer(pointer));
            let made_up = Value::from("00000000-0000-4000-8000-000000000000");
            let value = value.or(case.is_tolerant.then_some(&made_up)).ok_or_else(|| {
                let body = String::from_utf8_lossy(&answer.body);
                case.invalid(format!(
                    "the answer of the {} has no {pointer}: {} {body}",
                    self.name, answer.status
                ))
            })?;
            let text = value.as_str().map_or_else(|| value.to_string(), ToOwned::to_owned);
            self.variables.insert(name.clone(), text);
        }
        Ok(Answered { request: Some(request), answer, took })
    }

    async fn effect(&mut self, case: &Case) -> Result<Answer, RunError> {
        let seen = match (&case.sql, case.mails, &self.service.sinks) {
            (Some(sql), _, Sinks { database: Some(url), .. }) => effects::rows(url, sql).await,
            (_, Some(count), Sinks { mails: Some(maildir), .. }) => {
                self.mails.new_ones(maildir, count).await
            }
            _ => return Err(case.invalid("its database or Maildir is not given").into()),
        };
        seen.map_err(|source| RunError::Effect {
            at: case.at.clone(),
            case: case.name.clone(),
            service: self.name,
            source,
        })
    }

    /// Sends a request. An answer that breaks off is an answer as well, with the status 0.
    pub(crate) async fn send(&self, request: &Request) -> Result<Answer, SendError> {
        let url = joined(&self.service.base, &request.target).map_err(SendError::Invalid)?;
        let method = Method::from_bytes(request.method.as_bytes());
        let method = method.map_err(|error| SendError::Invalid(error.to_string()))?;
        let mut builder = self.client.request(method, url);
        for (name, value) in &request.headers {
            builder = builder.header(name, value);
        }
        if let Some(body) = &request.body {
            builder = builder.body(body.clone());
        }
        match self.receive(builder).await {
            Err(error) if error.is_connect() => Err(SendError::Unreachable(error)),
            Err(error) if error.is_builder() => Err(SendError::Invalid(causes(&error))),
            Err(error) => {
                // The address is each service's own.
                let body = format!("no answer: {}", causes(&error.without_url())).into_bytes();
                Ok(Answer { status: 0, headers: BTreeMap::new(), body })
            }
            Ok(answer) => Ok(answer),
        }
    }

    /// A body in which the service's own address is as in headers, if it is there.
    fn without_address(&self, body: Vec<u8>) -> Vec<u8> {
        let address = self.service.base.authority();
        match std::str::from_utf8(&body) {
            Ok(text) if !address.is_empty() && text.contains(address) => {
                text.replace(address, OWN_ADDRESS).into_bytes()
            }
            _ => body,
        }
    }

    async fn receive(&self, builder: reqwest::RequestBuilder) -> Result<Answer, reqwest::Error> {
        let response = builder.send().await?;
        let status = response.status().as_u16();
        let mut headers: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for (name, value) in response.headers() {
            // Latin-1, as HTTP has it; the service's own address is no difference.
            let value: String = value.as_bytes().iter().map(|&byte| char::from(byte)).collect();
            let value = value.replace(self.service.base.authority(), OWN_ADDRESS);
            headers.entry(name.as_str().to_owned()).or_default().push(value);
        }
        let received = response.bytes().await?.to_vec();
        let length = received.len().to_string();
        let body = self.without_address(received);
        if let Some(declared) = headers.get_mut("content-length")
            && *declared == [length]
        {
            *declared = vec![body.len().to_string()];
        }
        Ok(Answer { status, headers, body })
    }
}

/// The URL of a request target, within the origin and the path of the base URL.
fn joined(base: &Url, target: &str) -> Result<Url, String> {
    if !target.starts_with('/') {
        return Err(format!("the path '{target}' must begin with /"));
    }
    if base.query().is_some() || base.fragment().is_some() {
        return Err(format!("the base URL {base} must not have a query or a fragment"));
    }
    let start = base.as_str().trim_end_matches('/');
    let url = Url::parse(&format!("{start}{target}")).map_err(|error| error.to_string())?;
    if url.origin() == base.origin() {
        Ok(url)
    } else {
        Err(format!("'{target}' leads to another host"))
    }
}

/// What stands for the service's own address.
pub(crate) const OWN_ADDRESS: &str = "<service>";

/// Why a request could not be sent.
pub(crate) enum SendError {
    Invalid(String),
    Unreachable(reqwest::Error),
}

/// A request with both answers.
pub struct Exchange<'a> {
    pub case: &'a Case,
    pub operation: &'a str,
    /// As it was sent to the candidate; none for what is no request.
    pub request: Option<&'a Request>,
    pub reference: &'a Answer,
    pub candidate: &'a Answer,
    /// Which made-up values had been matched before.
    pub before: &'a Pairs,
    pub slack: Duration,
    side: &'a Side,
    took: Duration,
}

impl Exchange<'_> {
    /// Sends the request to the candidate again and returns the differences.
    ///
    /// # Errors
    /// When it cannot be reached.
    pub async fn differences_again(&self) -> Result<Vec<Difference>, RunError> {
        let Some(request) = self.request else { return Ok(Vec::new()) };
        let start = Instant::now();
        let answer = self.side.send(request).await.map_err(|error| match error {
            SendError::Invalid(message) => self.case.invalid(message).into(),
            SendError::Unreachable(source) => {
                RunError::Unreachable { service: self.side.name, source }
            }
        })?;
        let mut differences = self.differences(&answer);
        differences.extend(slower(self.took, start.elapsed(), self.slack));
        Ok(differences)
    }

    /// How long the reference took.
    pub const fn reference_took(&self) -> Duration {
        self.took
    }

    /// In what an answer of the candidate would differ.
    pub fn differences(&self, answer: &Answer) -> Vec<Difference> {
        compare(self.reference, answer, self.case.unordered, &mut self.before.clone())
    }
}

/// Hears of everything that happens in a run.
pub trait Watch {
    fn outcome(&mut self, outcome: &Outcome);

    /// Both answers to a case.
    fn exchange(&mut self, _: Exchange<'_>) -> impl Future<Output = Result<(), RunError>> {
        async { Ok(()) }
    }
}

impl<F: FnMut(&Outcome)> Watch for F {
    fn outcome(&mut self, outcome: &Outcome) {
        self(outcome);
    }
}

/// Sends every case to the services and compares the answers. `operation` says to which operation
/// a request line belongs.
pub async fn run(
    plan: Plan,
    ledger: &mut Ledger,
    operation: impl Fn(&str) -> Option<String>,
    watch: &mut impl Watch,
) -> Result<Vec<Outcome>, RunError> {
    // An error means that one is installed already.
    _ = rustls::crypto::ring::default_provider().install_default();
    let client = Client::builder()
        .redirect(redirect::Policy::none())
        .timeout(Duration::from_mins(1))
        .no_proxy()
        // A connection of its own for each request: services close them after some answers.
        .pool_max_idle_per_host(0)
        .build()
        .map_err(RunError::Client)?;
    let Plan { reference, candidate, cases, slack, shared_database, window } = plan;
    let mut reference = reference.map(|s| Side::new("reference", s, client.clone()));
    let mut candidate = Side::new("candidate", candidate, client);
    let mut pairs = if shared_database { Pairs::literal() } else { Pairs::starting_now() };
    let mut outcomes = Vec::new();
    for (case, row) in cases.into_iter().flat_map(Case::expand) {
        let started = Instant::now();
        let execute_reference = async {
            match &mut reference {
                Some(side) => side.execute(&case, &row).await.map(Some),
                None => Ok(None),
            }
        };
        let (a, b) = tokio::join!(execute_reference, candidate.execute(&case, &row));
        let (a, b) = (a?, b?);
        let line = match &b.request {
            Some(request) => format!("{} {}", request.method, request.target),
            None => case.operation(),
        };
        let mut outcome = Outcome {
            operation: operation(&line).unwrap_or_else(|| case.operation()),
            case: case.name.clone(),
            request: line,
            status: a.as_ref().unwrap_or(&b).answer.status,
            sent: b.request.clone(),
            ..Outcome::default()
        };
        if let (Some(side), Some(a)) = (&reference, &a) {
            for (name, pointer) in &case.capture {
                if let (Some(a), Some(b)) =
                    (side.variables.get(name), candidate.variables.get(name))
                {
                    let key = pointer.rsplit('/').next().unwrap_or(pointer);
                    pairs.capture(key, a, b);
                }
            }
            // A response that took long may hold times that are as far apart.
            pairs.widen(window + a.took.max(b.took).min(MAX_WIDENING));
            let before = pairs.clone();
            outcome.differences = compare(&a.answer, &b.answer, case.unordered, &mut pairs);
            if !case.is_effect() {
                outcome.differences.extend(slower(a.took, b.took, slack));
            }
            if outcome.is_same() {
                let exchange = Exchange {
                    case: &case,
                    operation: &outcome.operation,
                    request: b.request.as_ref(),
                    reference: &a.answer,
                    candidate: &b.answer,
                    before: &before,
                    slack,
                    side: &candidate,
                    took: a.took,
                };
                watch.exchange(exchange).await?;
            }
            let differing = Differing {
                case: &case.name,
                operation: &outcome.operation,
                reference: &a.answer,
                candidate: &b.answer,
                differences: &outcome.differences,
                before: &before,
            };
            outcome.better = ledger.accept(differing, &mut pairs);
            if !outcome.passed() {
                let noisy = [
                    (side, a.request.as_ref(), &a.answer),
                    (&candidate, b.request.as_ref(), &b.answer),
                ];
                outcome.noise = noise(&case, noisy).await;
                let sides = [side, &candidate];
                outcome.smallest = shrink(&case, &row, sides, &outcome.differences, &before).await;
            }
        }
        if outcome.better.is_none() {
            outcome.differences.extend(case.unmet(&b.answer, &candidate.variables, &row)?);
        }
        outcome.seconds = started.elapsed().as_secs_f64();
        watch.outcome(&outcome);
        outcomes.push(outcome);
    }
    for outcome in reference.iter().flat_map(|_| unused(ledger)) {
        watch.outcome(&outcome);
        outcomes.push(outcome);
    }
    Ok(outcomes)
}

/// The entries of the ledger that had to occur and did not.
fn unused(ledger: &Ledger) -> Vec<Outcome> {
    let outcome = |entry: &Entry| Outcome {
        case: format!("ledger: {}", entry.case),
        operation: "ledger".into(),
        differences: vec![Difference {
            path: "ledger".into(),
            reference: format!("the ledger expects {}", entry.expectation()),
            candidate: format!("it did not occur: {} should remove the entry", entry.owner),
        }],
        ..Outcome::default()
    };
    ledger.stale().map(outcome).collect()
}

/// An answer that is right but takes much longer than the reference's.
fn slower(reference: Duration, candidate: Duration, slack: Duration) -> Option<Difference> {
    let ms = |duration: Duration| format!("{} ms", duration.as_millis());
    (candidate > reference + slack).then(|| Difference {
        path: "time".into(),
        reference: ms(reference),
        candidate: ms(candidate),
    })
}
