//! A run: every case to both services, in order.

mod again;
mod client;
mod recorded;
mod secrets;
mod side;
mod sign_in;

use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use futures_util::StreamExt as _;
use reqwest::Url;

use self::again::{covers, paths, shrink, unsteady};
pub use self::client::{ClientError, Connection};
use self::recorded::Moved;
pub use self::recorded::Recorded;
pub use self::secrets::Secrets;
use self::side::Answered;
pub(crate) use self::side::OWN_ADDRESS;
pub(crate) use self::side::Side;
pub use self::sign_in::{Scheme, SignIn};
use crate::case::{Case, CaseError, Variables, names, origin};
use crate::conformance::Conformance;
use crate::effects::{EffectError, Sinks};
use crate::ledger::{Differing, Ledger};
use crate::openapi::causes;
use crate::report::Outcome;
use crate::request::{Request, fill};
use comparison::{Answer, Difference, Pairs, compare};

#[derive(Debug, thiserror::Error)]
pub enum RunError {
    #[error(transparent)]
    Case(#[from] CaseError),
    #[error("{}the {service} at {base} cannot be reached: {}", origin(.at, .case), reason(.source))]
    Unreachable {
        service: &'static str,
        base: Box<Url>,
        at: String,
        case: String,
        source: reqwest::Error,
    },
    #[error("{}of the {service}: {source}", origin(.at, .case))]
    Effect { at: String, case: String, service: &'static str, source: EffectError },
    #[error("the command that signs in to the {service}: {message}")]
    SignIn { service: &'static str, message: String },
    #[error(transparent)]
    Client(#[from] ClientError),
}

/// Why a service cannot be reached, with everything that caused it and what to do about it.
fn reason(error: &reqwest::Error) -> String {
    let causes = causes(error);
    let hints = [
        ("UnknownIssuer", "--cacert names the authority that issued its certificate"),
        ("InvalidContentType", "it does not speak TLS: is it http://?"),
        ("NotValidForName", "its certificate is for another name"),
        ("dns error", "its name cannot be resolved"),
        ("Connection refused", "nothing listens there"),
    ];
    let hint = hints.iter().find(|(cause, _)| causes.contains(cause));
    hint.map_or_else(|| causes.clone(), |(_, hint)| format!("{causes} ({hint})"))
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

/// How many requests of a worker are sent before their answers are compared.
const STRETCH: usize = 16;

/// How requests are sent and what is known before the first.
#[derive(Clone, Debug, Default)]
pub struct Options {
    pub connection: Connection,
    /// Values for `${name}` and, under `env:NAME`, for `${env:NAME}`.
    pub variables: Variables,
    /// What is shown nowhere.
    pub secrets: Secrets,
    pub sign_in: Vec<SignIn>,
    /// Whether the cookies that a service sets are sent back to it, those of each user apart.
    pub keeps_cookies: bool,
    /// The document to which the candidate's answers must conform.
    pub conformance: Option<Arc<Conformance>>,
    /// Whether recorded answers stand in for a reference.
    pub is_recorded: bool,
}

impl Options {
    /// The names of the variables that a request needs, with those that sign it in.
    pub fn uses(&self, case: &Case, row: &Variables) -> BTreeSet<String> {
        let mut uses = case.uses(row);
        // A row may say who it is.
        let user = case.user.as_ref().map(|user| fill(user, row).unwrap_or_else(|_| user.clone()));
        let sign_in = self.sign_in.iter().find(|sign_in| sign_in.user == user);
        let value = sign_in.map_or("", |sign_in| sign_in.scheme.value());
        uses.extend(names(value).map(ToOwned::to_owned));
        uses
    }
}

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
    pub options: Options,
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
        let answer = self.side.send(request).await;
        let answer = answer.map_err(|error| self.side.failed(self.case, error))?;
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

/// Hears of everything that happens in a run, and may say how it goes on.
pub trait Watch {
    fn outcome(&mut self, outcome: &Outcome);

    /// More cases, after all before have these outcomes; none ends the run.
    fn more(&mut self, _: &[Outcome]) -> Vec<Case> {
        Vec::new()
    }

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
///
/// # Errors
/// When a service cannot be reached, or a case cannot be sent.
pub async fn run(
    plan: Plan,
    ledger: &mut Ledger,
    operation: impl Fn(&str) -> Option<String>,
    watch: &mut impl Watch,
) -> Result<Vec<Outcome>, RunError> {
    let Plan { reference, candidate, cases, slack, shared_database, window, options } = plan;
    let mut reference = match reference {
        Some(service) => Some(Side::new("reference", service, &options).await?),
        None => None,
    };
    let mut candidate = Side::new("candidate", candidate, &options).await?;
    let pairs = if shared_database { Pairs::literal() } else { Pairs::starting_now() };
    let mut judge =
        Judge { ledger, operation, pairs, moved: Moved::new(), slack, window, options: &options };
    // What a response sets is needed for the next request.
    let workers = if options.keeps_cookies { 1 } else { options.connection.workers.max(1) };
    let mut outcomes = Vec::new();
    let mut queue = cases.into_iter().flat_map(Case::expand).collect::<VecDeque<_>>();
    loop {
        if queue.is_empty() {
            queue.extend(watch.more(&outcomes).into_iter().flat_map(Case::expand));
        }
        let Some(first) = queue.pop_front() else { break };
        let mut stretch = vec![first];
        while stretch.len() < STRETCH * workers
            && workers > 1
            && let Some(next) = queue.pop_front_if(|next| is_independent(next, &stretch, &options))
        {
            stretch.push(next);
        }
        let rounds = ask_all(&stretch, reference.as_mut(), &mut candidate, workers).await;
        for ((case, row), round) in stretch.iter().zip(rounds) {
            let round = round?;
            if stretch.len() > 1 {
                if let (Some(side), Some(answered)) = (&mut reference, &round.reference) {
                    side.keep(case, answered)?;
                }
                candidate.keep(case, &round.candidate)?;
            }
            let sides = (reference.as_ref(), &candidate);
            let outcome = judge.outcome(case, row, &round, sides, watch).await?;
            watch.outcome(&outcome);
            outcomes.push(outcome);
        }
    }
    let compares = reference.is_some() || options.is_recorded;
    for entry in judge.ledger.stale().filter(|_| compares) {
        let outcome = Outcome {
            case: format!("ledger: {}", entry.case),
            operation: "ledger".into(),
            differences: vec![Difference {
                path: "ledger".into(),
                reference: format!("the ledger expects {}", entry.expectation()),
                candidate: format!("it did not occur: {} should remove the entry", entry.owner),
            }],
            ..Outcome::default()
        };
        watch.outcome(&outcome);
        outcomes.push(outcome);
    }
    Ok(outcomes)
}

/// Both answers to a case.
struct Round {
    reference: Option<Answered>,
    candidate: Answered,
    /// When the request was sent.
    at: DateTime<Utc>,
    took: Duration,
}

/// Whether a request can be under way at the same time as those before it, with the same answers: all
/// of them change nothing, and it uses nothing that they capture.
fn is_independent(
    (case, row): &(Case, Variables),
    stretch: &[(Case, Variables)],
    options: &Options,
) -> bool {
    let uses = options.uses(case, row);
    let is_safe = |case: &Case| case.is_safe();
    is_safe(case)
        && stretch.iter().all(|(earlier, _)| {
            is_safe(earlier) && !earlier.capture.keys().any(|name| uses.contains(name))
        })
}

/// The answers to cases, in their order; several are asked at once only if none depends on another.
async fn ask_all(
    stretch: &[(Case, Variables)],
    reference: Option<&mut Side>,
    candidate: &mut Side,
    workers: usize,
) -> Vec<Result<Round, RunError>> {
    if let [(case, row)] = stretch {
        let (at, start) = (DateTime::<Utc>::from(std::time::SystemTime::now()), Instant::now());
        let execute_reference = async {
            match reference {
                Some(side) => side.execute(case, row).await.map(Some),
                None => Ok(None),
            }
        };
        let (a, b) = tokio::join!(execute_reference, candidate.execute(case, row));
        return vec![a.and_then(|reference| {
            Ok(Round { reference, candidate: b?, at, took: start.elapsed() })
        })];
    }
    let (reference, candidate) = (reference.map(|side| &*side), &*candidate);
    let rounds = stretch.iter().map(async |(case, row)| {
        let (at, start) = (DateTime::<Utc>::from(std::time::SystemTime::now()), Instant::now());
        let ask_reference = async {
            match reference {
                Some(side) => side.ask(case, row).await.map(Some),
                None => Ok(None),
            }
        };
        let (a, b) = tokio::join!(ask_reference, candidate.ask(case, row));
        Ok(Round { reference: a?, candidate: b?, at, took: start.elapsed() })
    });
    futures_util::stream::iter(rounds).buffered(workers).collect().await
}

/// What decides whether answers are the same, with all that it has seen.
struct Judge<'a, F> {
    ledger: &'a mut Ledger,
    operation: F,
    pairs: Pairs,
    moved: Moved,
    slack: Duration,
    window: Duration,
    options: &'a Options,
}

impl<F: Fn(&str) -> Option<String>> Judge<'_, F> {
    async fn outcome(
        &mut self,
        case: &Case,
        row: &Variables,
        round: &Round,
        (reference, candidate): (Option<&Side>, &Side),
        watch: &mut impl Watch,
    ) -> Result<Outcome, RunError> {
        let started = Instant::now();
        let (a, b) = (&round.reference, &round.candidate);
        let line = match &b.request {
            Some(request) => format!("{} {}", request.method, request.target),
            None => case.operation(),
        };
        // Without the prefix that both services have in common, and a key in the query.
        let known = (self.operation)(&line);
        let mut outcome = Outcome {
            operation: known.unwrap_or_else(|| case.operation()),
            case: case.name.clone(),
            request: line,
            status: a.as_ref().unwrap_or(b).answer.status,
            sent: b.request.clone(),
            ..Outcome::default()
        };
        let conformance = self.options.conformance.as_ref().filter(|_| !case.is_effect());
        let conformance = conformance.map_or_else(Vec::new, |conformance| {
            conformance.differences(&outcome.request, &b.answer)
        });
        let mut has_secrets = self.options.secrets.occur(&b.answer);
        if let (Some(side), Some(a)) = (reference, a) {
            has_secrets |= self.options.secrets.occur(&a.answer);
            for (name, pointer) in &case.capture {
                if let (Some(a), Some(b)) =
                    (side.variables.get(name), candidate.variables.get(name))
                {
                    let key = pointer.rsplit(['/', ' ']).next().unwrap_or(pointer);
                    self.pairs.capture(key, a, b);
                }
            }
            // A response that took long may hold times that are as far apart.
            self.pairs.widen(self.window + a.took.max(b.took).min(MAX_WIDENING));
            let before = self.pairs.clone();
            outcome.differences = compare(&a.answer, &b.answer, case.unordered, &mut self.pairs);
            if !case.is_effect() {
                outcome.differences.extend(slower(a.took, b.took, self.slack));
            }
            if outcome.is_same() {
                let exchange = Exchange {
                    case,
                    operation: &outcome.operation,
                    request: b.request.as_ref(),
                    reference: &a.answer,
                    candidate: &b.answer,
                    before: &before,
                    slack: self.slack,
                    side: candidate,
                    took: a.took,
                };
                watch.exchange(exchange).await?;
            }
            outcome.differences.extend(conformance);
            let answers = (&a.answer, &b.answer);
            outcome.better = self.accepted(case, &outcome, answers, &before);
            if !outcome.passed() {
                let reference = (side, a.request.as_ref(), &a.answer);
                let mut noise = unsteady(case, reference, &outcome.differences).await;
                // Where the reference differs from itself, nothing follows from a difference.
                outcome.unsteady = covers(&noise, &outcome.differences);
                if !outcome.unsteady {
                    let candidate = (candidate, b.request.as_ref(), &b.answer);
                    noise.extend(unsteady(case, candidate, &outcome.differences).await);
                    let (sides, found) = ([side, candidate.0], &outcome.differences);
                    outcome.smallest = shrink(case, row, sides, found, &before).await;
                }
                outcome.noise = paths(&noise);
            }
        } else if let Some(recorded) = case.recorded.as_ref().filter(|_| self.options.is_recorded) {
            outcome.status = recorded.answer.status;
            self.pairs.widen(self.window + recorded.took.max(b.took).min(MAX_WIDENING));
            let (a, answer) = recorded.comparable(&b.answer, round.at, &mut self.moved);
            let before = self.pairs.clone();
            outcome.differences = compare(&a, &answer, case.unordered, &mut self.pairs);
            outcome.differences.extend(conformance);
            outcome.better = self.accepted(case, &outcome, (&a, &answer), &before);
            if !outcome.passed() {
                let candidate = (candidate, b.request.as_ref(), &b.answer);
                outcome.noise = paths(&unsteady(case, candidate, &outcome.differences).await);
            }
        } else {
            outcome.differences = conformance;
            let before = self.pairs.clone();
            outcome.better = self.accepted(case, &outcome, (&b.answer, &b.answer), &before);
        }
        if outcome.better.is_none() {
            let unmet = case.unmet(&b.answer, &candidate.variables, row)?;
            outcome.unsteady &= unmet.is_empty();
            outcome.differences.extend(unmet);
        }
        outcome.seconds = (round.took + started.elapsed()).as_secs_f64();
        self.options.secrets.outcome(&mut outcome, has_secrets);
        Ok(outcome)
    }

    /// Why the ledger accepts the differences of an outcome, if it does.
    fn accepted(
        &mut self,
        case: &Case,
        outcome: &Outcome,
        (reference, candidate): (&Answer, &Answer),
        before: &Pairs,
    ) -> Option<String> {
        let differing = Differing {
            case: &case.name,
            operation: &outcome.operation,
            reference,
            candidate,
            differences: &outcome.differences,
            before,
        };
        self.ledger.accept(differing, &mut self.pairs)
    }
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
