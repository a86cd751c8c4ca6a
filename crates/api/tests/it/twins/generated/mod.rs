//! Generated requests: both services must respond the same.
//!
//! `GENERATED=5000 SEED=7` makes more and others of them; a difference is shrunk.

mod requests;
mod tokens;

use std::collections::BTreeMap;

use comparison::{Answer, Pairs, compare};
use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use reqwest::Client;
use testbed::{Service, legacy, rust};
use tokio::runtime::Runtime;

use self::requests::{Request, requests};
use crate::client::{ADMIN, Api};

/// Both services, each with its administrator signed in.
struct Twins {
    sides: [(Service, String); 2],
    http: Client,
    pairs: Pairs,
    better: usize,
}

impl Twins {
    async fn start() -> Self {
        let services = (legacy("sqlite:///twin.db", &[]), rust("sqlite:///twin.db", &[]));
        let sides = [services.0.await.unwrap(), services.1.await.unwrap()];
        let mut tokens = Vec::new();
        for side in &sides {
            tokens.push(Api::new(&side.url).sign_in(ADMIN).await);
        }
        let http = Client::builder()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .pool_max_idle_per_host(0)
            .build()
            .unwrap();
        let [python, rust] = sides;
        let mut tokens = tokens.into_iter();
        let sides = [(python, tokens.next().unwrap()), (rust, tokens.next().unwrap())];
        Self { sides, http, pairs: Pairs::default(), better: 0 }
    }

    async fn send(&self, side: usize, request: &Request) -> Answer {
        let (service, token) = &self.sides[side];
        let mut builder = self
            .http
            .request(request.method.clone(), format!("{}{}", service.url, request.path))
            .body(request.body.clone());
        if request.signed_in {
            builder = builder.bearer_auth(token);
        }
        for (name, value) in &request.headers {
            builder = builder.header(*name, value.as_slice());
        }
        let response = builder.send().await.unwrap();
        let status = response.status().as_u16();
        let mut headers: BTreeMap<String, Vec<String>> = BTreeMap::new();
        let authority = service.url.trim_start_matches("http://");
        for (name, value) in response.headers() {
            let value = String::from_utf8_lossy(value.as_bytes()).replace(authority, "<service>");
            headers.entry(name.to_string()).or_default().push(value);
        }
        Answer { status, headers, body: response.bytes().await.unwrap().to_vec() }
    }

    async fn check(&mut self, request: &Request) -> Result<(), TestCaseError> {
        let (python, rust) = tokio::join!(self.send(0, request), self.send(1, request));
        if python.status == 500 && (400..500).contains(&rust.status) {
            self.better += 1;
            return Ok(());
        }
        let differences = compare(&python, &rust, false, &mut self.pairs);
        if differences.is_empty() {
            return Ok(());
        }
        Err(TestCaseError::fail(format!("{differences:#?}")))
    }
}

fn number(name: &str, default: u64) -> u64 {
    std::env::var(name).map_or(default, |value| value.parse().unwrap())
}

/// Sends requests of every kind to both.
#[test]
fn generated_requests_get_the_same_answers() {
    let runtime = Runtime::new().unwrap();
    let mut twins = runtime.block_on(Twins::start());
    let cases = u32::try_from(number("GENERATED", 1500)).unwrap();
    let mut seed = [0; 32];
    seed[..8].copy_from_slice(&number("SEED", 1).to_le_bytes());
    let config = Config { cases, failure_persistence: None, ..Config::default() };
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &seed);
    let mut runner = TestRunner::new_with_rng(config, rng);
    let twins = std::cell::RefCell::new(&mut twins);
    let outcome =
        runner.run(&requests(), |request| runtime.block_on(twins.borrow_mut().check(&request)));
    if let Err(error) = outcome {
        panic!("{error}");
    }
    println!("{cases} requests, {} better", twins.borrow().better);
}
