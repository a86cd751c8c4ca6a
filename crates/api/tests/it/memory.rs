//! The worst bodies there are, under the memory limit of the manifest.

use std::sync::Arc;
use std::time::{Duration, Instant};

use reqwest::{Method, StatusCode};
use rustix::process::{Pid, Resource, Rlimit, prlimit};
use serde_json::Value;
use testbed::bodies::{self, AT_A_TIME, Body, FORM, JSON, filled, manifest_limit};
use testbed::{Scratch, Service, rust};

use crate::client::{ADMIN, Api};
use crate::connections::memory;

const LONGEST: Duration = Duration::from_mins(5);

const MIB: u64 = 1024 * 1024;
/// What a request may take at most, whatever its body.
const PER_REQUEST: u64 = 16 * MIB + 4 * bodies::LONGEST as u64;
/// What a thread that decodes a body reserves in a build without optimisation.
const STACK: u64 = 16 * MIB;

/// An operation that reads a body.
#[derive(Clone, Debug)]
struct Target {
    method: Method,
    path: String,
    needs_token: bool,
}

/// The operations that read a body of this kind; those without a token come first.
fn operations(document: &Value, kind: &str) -> Vec<Target> {
    let mut found = Vec::new();
    for (path, operations) in document["paths"].as_object().unwrap() {
        for (method, operation) in operations.as_object().unwrap() {
            let body = &operation["requestBody"]["content"][kind];
            if !body.is_null() {
                let method = method.to_uppercase().parse().unwrap();
                // No row has this id: the body is read nonetheless.
                let path = path.replace('{', "").replace("user_id}", NO_ID).replace("id}", NO_ID);
                let needs_token = !operation["security"].is_null();
                found.push(Target { method, path, needs_token });
            }
        }
    }
    found.sort_by_key(|target| target.needs_token);
    found
}

const NO_ID: &str = "00000000-0000-4000-8000-000000000000";

/// A superuser's token, of another process: the password that is hashed for it takes memory.
async fn token(scratch: &Scratch) -> String {
    let service = rust(&scratch.url, &[]).await.unwrap();
    let token = Api::new(&service.url).sign_in(ADMIN).await;
    service.stop().await;
    token
}

/// A service under the memory limit of the manifest, and what is sent to it.
struct Victim {
    service: Service,
    api: Api,
    token: String,
    json: Vec<Target>,
    form: Vec<Target>,
    /// Of the process, in bytes.
    limit: u64,
    before: u64,
}

impl Victim {
    async fn start(scratch: &Scratch, token: &str) -> Self {
        // An unoptimised build takes long for the worst of them; memory is what is measured.
        let seconds = LONGEST.as_secs().to_string();
        let service = rust(&scratch.url, &[("REQUEST_TIMEOUT_SECONDS", &seconds)]).await.unwrap();
        let api = Api::new(&service.url);
        let (_, document) = api.ask(Method::GET, "/openapi.json", None, None).await;
        let json = operations(&document, JSON);
        let form = operations(&document, FORM);
        let with_token = json.iter().filter(|target| target.needs_token).count();
        assert!(json.len() >= with_token + 2 && with_token >= 6, "{json:?}");
        assert!(!form.is_empty(), "{form:?}");

        // What is writable and not shared: a kernel refuses more. It counts what threads reserve
        // for their stacks, too, which takes no memory; one for each processor is large.
        let limit = manifest_limit().unwrap() * MIB;
        let pid = Pid::from_raw(service.pid().unwrap().try_into().unwrap());
        let threads = std::thread::available_parallelism().unwrap().get() as u64;
        let refused = Some(limit + threads * STACK);
        prlimit(pid, Resource::Data, Rlimit { current: refused, maximum: refused }).unwrap();
        let before = memory(&service, "VmRSS");
        // From here on the peak counts.
        std::fs::write(format!("/proc/{}/clear_refs", service.pid().unwrap()), "5").unwrap();
        let token = token.to_owned();
        Self { service, api, token, json, form, limit, before }
    }

    /// Sends a body to each of the operations that read its kind, [`AT_A_TIME`], and reads the answers.
    async fn attack(&self, body: &Body) {
        if body.content_type == JSON {
            for targets in self.json.chunks(AT_A_TIME) {
                self.send(body, targets, JSON).await;
            }
            self.send(body, &self.json[..1], "text/plain").await;
        } else {
            self.send(body, &self.form, body.content_type).await;
        }
    }

    async fn send(&self, body: &Body, targets: &[Target], kind: &str) {
        let what = body.name;
        let requests: Vec<_> = targets
            .iter()
            .cycle()
            .take(AT_A_TIME)
            .map(|Target { method, path, needs_token }| {
                let path = path.trim_start_matches("/api/v1");
                let mut request = self.api.request(method.clone(), path);
                if *needs_token {
                    request = request.bearer_auth(&self.token);
                }
                let request = request.header("content-type", kind);
                tokio::spawn(request.timeout(LONGEST).body(body.bytes.clone()).send())
            })
            .collect();
        for request in requests {
            let mut answer = request
                .await
                .unwrap()
                .map_err(|error| format!("{what}: {error}; {}", self.service.log()))
                .unwrap();
            let status = answer.status();
            assert_ne!(status, StatusCode::FORBIDDEN, "{what}: the token is not accepted");
            assert!(
                status < StatusCode::INTERNAL_SERVER_ERROR,
                "{what}: {status}; {:?}",
                self.service
                    .log()
                    .lines()
                    .filter(|line| line.contains("ERROR"))
                    .collect::<Vec<_>>()
            );
            while answer.chunk().await.unwrap().is_some() {}
        }
    }

    fn peak(&self) -> u64 {
        memory(&self.service, "VmHWM")
    }
}

/// Each in a process of its own: none finds memory that another has left.
#[tokio::test(flavor = "multi_thread")]
async fn no_body_takes_more_memory_than_it_may() {
    let scratch = Scratch::new().await.unwrap();
    let token = token(&scratch).await;
    let mut worst = (0, "");
    let mut measured = |victim: &Victim, what: &'static str| {
        let taken = victim.peak().saturating_sub(victim.before);
        assert!(taken <= AT_A_TIME as u64 * PER_REQUEST, "{} MiB: {what}", taken / MIB);
        worst = worst.max((taken, what));
    };
    for body in bodies::worst() {
        let victim = Victim::start(&scratch, &token).await;
        victim.attack(&body).await;
        measured(&victim, body.name);
    }
    println!("{} MiB more than at rest at most: {}", worst.0 / MIB, worst.1);
}

#[tokio::test(flavor = "multi_thread")]
async fn all_bodies_one_after_the_other_stay_under_the_limit() {
    let scratch = Scratch::new().await.unwrap();
    let victim = Victim::start(&scratch, &token(&scratch).await).await;
    for body in bodies::worst() {
        victim.attack(&body).await;
    }
    let (peak, limit) = (victim.peak(), victim.limit);
    println!("{} MiB at rest, {} MiB at most", victim.before / MIB, peak / MIB);
    assert!(peak <= limit, "{} MiB of {}", peak / MIB, limit / MIB);
}

#[tokio::test(flavor = "multi_thread")]
async fn others_are_answered_while_a_large_body_is_decoded() {
    let scratch = Scratch::new().await.unwrap();
    let service = rust(&scratch.url, &[]).await.unwrap();
    let api = Arc::new(Api::new(&service.url));
    let attacks: Vec<_> = (0..AT_A_TIME)
        .map(|_| {
            let api = Arc::clone(&api);
            tokio::spawn(async move {
                for _ in 0..3 {
                    let request = api.request(Method::POST, "/users/signup");
                    let request = request.header("content-type", JSON);
                    let body = filled("{\"a\":[", "0", ",", "]}");
                    let mut answer = request.body(body).send().await.unwrap();
                    while answer.chunk().await.unwrap().is_some() {}
                }
            })
        })
        .collect();
    let mut slowest = Duration::ZERO;
    while attacks.iter().any(|attack| !attack.is_finished()) {
        let start = Instant::now();
        let answer = api.send(Method::GET, "/utils/health-check/", None, None).await;
        assert_eq!(answer.status(), StatusCode::OK);
        slowest = slowest.max(start.elapsed());
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    for attack in attacks {
        attack.await.unwrap();
    }
    // In a build without optimisation each of them takes seconds.
    assert!(slowest < Duration::from_secs(2), "{slowest:?}");
}
