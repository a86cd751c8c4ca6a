//! A run: every case to both services, in order.

use std::collections::BTreeMap;
use std::time::Duration;

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

/// Sends every case to both services and compares the answers; `progress` hears of each.
pub async fn run(
    reference: Url,
    candidate: Url,
    cases: Vec<Case>,
    ledger: &mut Ledger,
    mut progress: impl FnMut(&Outcome),
) -> Result<Vec<Outcome>, RunError> {
    let client = Client::builder()
        .redirect(redirect::Policy::none())
        .timeout(Duration::from_mins(1))
        .no_proxy()
        // A connection of its own for each request: services close them after some answers.
        .pool_max_idle_per_host(0)
        .build()
        .map_err(|source| RunError::NoAnswer { service: "client", source })?;
    let side = |name, base| Side { name, base, variables: Variables::new() };
    let (mut reference, mut candidate) =
        (side("reference", reference), side("candidate", candidate));
    let mut pairs = Pairs::default();
    let mut outcomes = Vec::new();
    for (case, row) in cases.into_iter().flat_map(Case::expand) {
        let (a, b) =
            tokio::join!(reference.ask(&client, &case, &row), candidate.ask(&client, &case, &row),);
        let ((request, a), (_, b)) = (a?, b?);
        let mut differences = compare(&a, &b, case.unordered, &mut pairs);
        let better = ledger.accept(&case.name, &a, &b, &differences);
        if let Some(status) = case.status.filter(|&status| status != b.status && better.is_none()) {
            differences.push(Difference {
                place: "expected status".into(),
                reference: status.to_string(),
                candidate: b.status.to_string(),
            });
        }
        let request = format!("{} {}", request.method, request.target);
        let outcome = Outcome { case: case.name, request, differences, better };
        progress(&outcome);
        outcomes.push(outcome);
    }
    for entry in ledger.stale() {
        let outcome = Outcome {
            case: format!("ledger: {}", entry.case),
            request: String::new(),
            differences: vec![Difference {
                place: "ledger".into(),
                reference: format!("answers {}, the ledger says", entry.reference),
                candidate: format!("answers {}, but it did not occur: remove it", entry.candidate),
            }],
            better: None,
        };
        progress(&outcome);
        outcomes.push(outcome);
    }
    Ok(outcomes)
}
