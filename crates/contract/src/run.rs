//! A run: every case to both services, in order.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use reqwest::{Client, Method, Url, redirect};
use serde_json::Value;

use crate::case::{Case, CaseError, Request, Variables};
use crate::compare::{Answer, Difference, Pairs, compare};
use crate::ledger::Ledger;
use crate::report::Outcome;

#[derive(Debug, thiserror::Error)]
pub enum RunError {
    #[error(transparent)]
    Case(#[from] CaseError),
    #[error("{service} did not answer: {source}")]
    NoAnswer { service: &'static str, source: reqwest::Error },
    #[error("case '{case}': {fault}")]
    Request { case: String, fault: String },
}

/// One of the two services, with what its answers left behind.
struct Side {
    name: &'static str,
    base: Url,
    variables: Variables,
}

impl Side {
    /// Fills in, sends and captures.
    async fn ask(
        &mut self,
        client: &Client,
        case: &Case,
        row: &Variables,
    ) -> Result<(Request, Answer), RunError> {
        let request = case.request(&self.variables, row)?;
        let answer = self.send(client, case, &request).await?;
        let body: Option<Value> = serde_json::from_slice(&answer.body).ok();
        for (name, pointer) in &case.capture {
            let value = body.as_ref().and_then(|body| body.pointer(pointer));
            let made_up = Value::from("00000000-0000-4000-8000-000000000000");
            let value = value.or(case.is_tolerant.then_some(&made_up));
            let value = value.ok_or_else(|| RunError::Request {
                case: case.name.clone(),
                fault: format!(
                    "the answer of the {} has no {pointer}: {} {}",
                    self.name,
                    answer.status,
                    String::from_utf8_lossy(&answer.body)
                ),
            })?;
            let text = value.as_str().map_or_else(|| value.to_string(), ToOwned::to_owned);
            self.variables.insert(name.clone(), text);
        }
        Ok((request, answer))
    }

    async fn send(
        &self,
        client: &Client,
        case: &Case,
        request: &Request,
    ) -> Result<Answer, RunError> {
        let fault = |fault: String| RunError::Request { case: case.name.clone(), fault };
        let base = self.base.as_str().trim_end_matches('/');
        let url = Url::parse(&format!("{base}{}", request.target))
            .map_err(|error| fault(error.to_string()))?;
        let method = Method::from_bytes(request.method.as_bytes())
            .map_err(|error| fault(error.to_string()))?;
        let mut builder = client.request(method, url);
        for (name, value) in &request.headers {
            builder = builder.header(name, value);
        }
        if let Some(body) = &request.body {
            builder = builder.body(body.clone());
        }
        let no_answer = |source| RunError::NoAnswer { service: self.name, source };
        let response = builder.send().await.map_err(no_answer)?;
        let status = response.status().as_u16();
        let mut headers: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for (name, value) in response.headers() {
            // Latin-1, as HTTP has it; the service's own address is no difference.
            let value: String = value.as_bytes().iter().map(|&byte| char::from(byte)).collect();
            let value = value.replace(self.base.authority(), "<service>");
            headers.entry(name.as_str().to_owned()).or_default().push(value);
        }
        let body = response.bytes().await.map_err(no_answer)?.to_vec();
        Ok(Answer { status, headers, body })
    }
}

/// The services of a run.
#[derive(Clone, Debug)]
pub struct Services {
    /// The one that is right; without it only what the cases expect is looked at.
    pub reference: Option<Url>,
    pub candidate: Url,
}

/// Sends every case to the services and compares the answers; `progress` hears of each.
pub async fn run(
    services: Services,
    cases: Vec<Case>,
    ledger: &mut Ledger,
    mut progress: impl FnMut(&Outcome),
) -> Result<Vec<Outcome>, RunError> {
    // Whoever has chosen one before keeps it.
    _ = rustls::crypto::ring::default_provider().install_default();
    let client = Client::builder()
        .redirect(redirect::Policy::none())
        .timeout(Duration::from_mins(1))
        .no_proxy()
        // A connection of its own for each request: services close them after some answers.
        .pool_max_idle_per_host(0)
        .build()
        .map_err(|source| RunError::NoAnswer { service: "client", source })?;
    let side = |name, base| Side { name, base, variables: Variables::new() };
    let mut reference = services.reference.map(|base| side("reference", base));
    let mut candidate = side("candidate", services.candidate);
    let mut pairs = Pairs::default();
    let mut outcomes = Vec::new();
    for (case, row) in cases.into_iter().flat_map(Case::expand) {
        let started = Instant::now();
        let ask_reference = async {
            match &mut reference {
                Some(side) => side.ask(&client, &case, &row).await.map(Some),
                None => Ok(None),
            }
        };
        let (a, b) = tokio::join!(ask_reference, candidate.ask(&client, &case, &row));
        let (a, (request, b)) = (a?, b?);
        let mut outcome = Outcome {
            operation: case.operation(),
            case: case.name.clone(),
            request: format!("{} {}", request.method, request.target),
            status: a.as_ref().map_or(b.status, |(_, a)| a.status),
            ..Outcome::default()
        };
        if let (Some(side), Some((request, a))) = (&reference, &a) {
            outcome.differences = compare(a, &b, case.unordered, &mut pairs);
            outcome.better = ledger.accept(&case.name, a, &b, &outcome.differences);
            if !outcome.passed() && ["GET", "HEAD", "OPTIONS"].contains(&&*request.method) {
                let again = side.send(&client, &case, request).await?;
                let noise = compare(a, &again, case.unordered, &mut Pairs::default());
                outcome.noise = noise.into_iter().map(|difference| difference.place).collect();
            }
        }
        if outcome.better.is_none() {
            outcome.differences.extend(case.unmet(&b, &candidate.variables, &row)?);
        }
        outcome.seconds = started.elapsed().as_secs_f64();
        progress(&outcome);
        outcomes.push(outcome);
    }
    for entry in ledger.stale().filter(|_| reference.is_some()) {
        let outcome = Outcome {
            case: format!("ledger: {}", entry.case),
            operation: "ledger".into(),
            differences: vec![Difference {
                place: "ledger".into(),
                reference: format!("answers {}, the ledger says", entry.reference),
                candidate: format!(
                    "answers {}, but it did not occur: {} should remove it",
                    entry.candidate, entry.owner
                ),
            }],
            ..Outcome::default()
        };
        progress(&outcome);
        outcomes.push(outcome);
    }
    Ok(outcomes)
}
