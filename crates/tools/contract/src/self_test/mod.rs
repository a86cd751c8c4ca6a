//! A proof that the comparison sees: a proxy before the candidate puts faults of many kinds into
//! its answers, one at a time, and each must be noticed.

mod faults;

use std::collections::{BTreeMap, HashMap};
use std::path::Path;
use std::time::Duration;

use comparison::Answer;
use reqwest::Url;
use serde::{Deserialize, Serialize};
use testbed::proxy::{Proxy, Response};

pub use self::faults::KINDS;
use crate::report::Outcome;
use crate::run::{Exchange, OWN_ADDRESS, RunError, Watch};

/// How often a kind is put into the answers of an operation.
const EACH: usize = 5;

/// How often a kind was put in, and noticed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Count {
    pub injected: usize,
    pub caught: usize,
    /// Where it was not noticed, the first of them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub missed: Vec<String>,
}

/// What the self-test found; runs add to it.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Findings {
    pub injected: usize,
    pub caught: usize,
    /// Differences that were reported where there is none.
    pub false_alarms: usize,
    pub runs: usize,
    pub kinds: BTreeMap<String, Count>,
    /// By operation.
    pub operations: BTreeMap<String, Count>,
}

impl Findings {
    /// What earlier runs found; a file that is none is begun anew.
    pub fn load(path: &Path) -> Self {
        let earlier = std::fs::read(path).ok();
        earlier.and_then(|text| serde_json::from_slice(&text).ok()).unwrap_or_default()
    }

    /// # Errors
    /// When the file cannot be written.
    pub fn write(&self, path: &Path) -> std::io::Result<()> {
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder)?;
        }
        std::fs::write(path, serde_json::to_string_pretty(self)? + "\n")
    }

    /// Whether it sees enough: 99 of 100 faults, and nothing that is not there.
    pub const fn passed(&self) -> bool {
        self.false_alarms == 0 && 100 * self.caught >= 99 * self.injected
    }

    fn count(&mut self, kind: &str, operation: &str, case: &str, caught: bool) {
        self.injected += 1;
        self.caught += usize::from(caught);
        for count in [
            self.kinds.entry(kind.to_owned()).or_default(),
            self.operations.entry(operation.to_owned()).or_default(),
        ] {
            count.injected += 1;
            count.caught += usize::from(caught);
            if !caught && count.missed.len() < 3 {
                count.missed.push(format!("{kind}: {case}"));
            }
        }
    }
}

/// Puts faults into a run.
pub struct SelfTest {
    pub findings: Findings,
    /// None puts in no faults and only counts false alarms.
    proxy: Option<(Proxy, Url)>,
    /// How often each kind was put into each operation's answers.
    done: HashMap<(&'static str, String), usize>,
    /// What the candidate answered last, to the same request.
    last: HashMap<String, Answer>,
}

impl SelfTest {
    /// # Errors
    /// When no proxy can be put before the candidate.
    pub async fn new(findings: Findings, candidate: &Url, injects: bool) -> std::io::Result<Self> {
        let proxy = if injects { Some(Proxy::before(candidate).await?) } else { None };
        Ok(Self { findings, proxy, done: HashMap::new(), last: HashMap::new() })
    }

    /// The URL to use instead of the candidate's, if faults are injected.
    pub fn url(&self) -> Option<&Url> {
        self.proxy.as_ref().map(|(_, url)| url)
    }

    /// Every fault that applies to the answer: an answer that is another, or other bytes.
    fn faults(&self, exchange: &Exchange<'_>) -> Vec<(&'static str, Fault)> {
        let mut faults = Vec::new();
        for (kind, inject) in KINDS {
            let mut faulty = exchange.candidate.clone();
            // Perhaps there is nothing in this answer to which it applies.
            if inject(&mut faulty).is_some() {
                faults.push((*kind, Fault::Answer(faulty)));
            }
        }
        if let Some(earlier) = self.last.get(&line(exchange))
            && !exchange.differences(earlier).is_empty()
        {
            faults.push((
                "stale: what was there before the last change",
                Fault::Answer(earlier.clone()),
            ));
        }
        if exchange.request.is_some() {
            faults.push(("connection: closed without an answer", Fault::Silence));
            if !exchange.candidate.body.is_empty() {
                faults.push(("connection: closed within the body", Fault::Cut));
            }
            faults.push(("time: too slow", Fault::Slow));
        }
        faults
    }
}

enum Fault {
    Answer(Answer),
    Silence,
    Cut,
    Slow,
}

/// What tells requests apart that have the same answer as long as nothing changes.
fn line(exchange: &Exchange<'_>) -> String {
    match exchange.request {
        Some(request) => {
            let user = request.headers.get("authorization").map_or("", String::as_str);
            format!("{} {} {user}", request.method, request.target)
        }
        None => exchange.case.sql.clone().unwrap_or_default(),
    }
}

impl Watch for SelfTest {
    fn outcome(&mut self, outcome: &Outcome) {
        self.findings.false_alarms += usize::from(!outcome.passed());
    }

    async fn exchange(&mut self, exchange: Exchange<'_>) -> Result<(), RunError> {
        let Some((proxy, url)) = &self.proxy else { return Ok(()) };
        let mut missed = Vec::new();
        for (kind, fault) in self.faults(&exchange) {
            let limit = if matches!(fault, Fault::Slow) { 1 } else { EACH };
            let done = self.done.entry((kind, exchange.operation.to_owned())).or_default();
            if *done == limit {
                continue;
            }
            *done += 1;
            let differences = match (&fault, exchange.request) {
                // What was left behind comes from no service.
                (Fault::Answer(faulty), None) => exchange.differences(faulty),
                (fault, _) => {
                    proxy.respond_next(wire(fault, &exchange, url.authority()));
                    exchange.differences_again().await?
                }
            };
            missed.push((kind, differences.is_empty()));
        }
        for (kind, missed) in missed {
            self.findings.count(kind, exchange.operation, &exchange.case.name, !missed);
        }
        if exchange.request.is_none_or(|request| request.method == "GET") {
            self.last.insert(line(&exchange), exchange.candidate.clone());
        }
        Ok(())
    }
}

/// The fault as it goes onto the wire.
fn wire(fault: &Fault, exchange: &Exchange<'_>, authority: &str) -> Response {
    let right = exchange.candidate;
    let is_head = exchange.request.is_some_and(|request| request.method == "HEAD");
    let bytes = |answer| serialise(answer, right, is_head, authority);
    let at_once = |bytes| Response { bytes, delay: Duration::ZERO };
    match fault {
        Fault::Answer(answer) => at_once(bytes(answer)),
        Fault::Silence => at_once(Vec::new()),
        Fault::Cut => {
            let mut bytes = bytes(right);
            bytes.truncate(bytes.len() - right.body.len().div_ceil(2));
            at_once(bytes)
        }
        Fault::Slow => {
            let delay = exchange.slack + exchange.reference_took() + Duration::from_millis(200);
            Response { bytes: bytes(right), delay }
        }
    }
}

/// An answer as a server writes it, with the length of its body unless the fault is in that header.
fn serialise(answer: &Answer, right: &Answer, is_head: bool, authority: &str) -> Vec<u8> {
    let mut bytes =
        format!("HTTP/1.1 {} Status\r\nconnection: close\r\n", answer.status).into_bytes();
    let length = "content-length";
    let sends_length = answer.headers.get(length) == right.headers.get(length) && !is_head;
    for (name, values) in &answer.headers {
        if ["connection", "transfer-encoding"].contains(&&**name)
            || (sends_length && name == length)
        {
            continue;
        }
        for value in values {
            bytes.extend(format!("{name}: ").bytes());
            let value = value.replace(OWN_ADDRESS, authority);
            bytes.extend(value.chars().map(|c| u8::try_from(c).unwrap_or(b'?')));
            bytes.extend(b"\r\n");
        }
    }
    if sends_length && right.headers.contains_key(length) {
        bytes.extend(format!("{length}: {}\r\n", answer.body.len()).bytes());
    }
    bytes.extend(b"\r\n");
    if !is_head {
        bytes.extend(&answer.body);
    }
    bytes
}
