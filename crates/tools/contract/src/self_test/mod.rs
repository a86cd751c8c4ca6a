//! A test of the comparison by fault injection: a proxy before the candidate changes its responses in
//! many ways, one at a time, and each must be detected.

mod earlier;
mod faults;

use std::collections::{BTreeMap, HashMap};
use std::path::Path;
use std::time::Duration;

use comparison::Answer;
use reqwest::Url;
use serde::{Deserialize, Serialize};
use testbed::proxy::{Proxy, Response};

use self::earlier::Earlier;
pub use self::faults::KINDS;
use crate::outcome::Outcome;
use crate::run::{Exchange, OWN_ADDRESS, RunError, Watch};

/// How often a kind is injected into the responses of an operation.
const INJECTIONS: usize = 5;

/// How often a kind was injected and detected.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Count {
    pub injected: usize,
    pub caught: usize,
    /// The first cases in which it was not detected.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub missed: Vec<String>,
}

/// The results of the self-test; runs add to them.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Findings {
    pub injected: usize,
    pub caught: usize,
    /// Reported differences without a fault.
    pub false_alarms: usize,
    pub runs: usize,
    pub kinds: BTreeMap<String, Count>,
    /// By operation.
    pub operations: BTreeMap<String, Count>,
}

impl Findings {
    /// The results of earlier runs; empty if the file does not exist or is invalid.
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

    /// Whether 99 of 100 faults were detected, without a false alarm.
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

/// Injects faults into a run.
pub struct SelfTest {
    pub findings: Findings,
    /// Without it no faults are injected, and only false alarms are counted.
    proxy: Option<(Proxy, Url)>,
    /// How often each kind was injected into each operation's responses.
    done: HashMap<(&'static str, String), usize>,
    /// The last response of the candidate to the same request.
    last: HashMap<String, Answer>,
    earlier: Earlier,
}

impl SelfTest {
    /// # Errors
    /// When no proxy can be put before the candidate.
    pub async fn new(findings: Findings, candidate: &Url, injects: bool) -> std::io::Result<Self> {
        let proxy = if injects { Some(Proxy::before(candidate).await?) } else { None };
        Ok(Self {
            findings,
            proxy,
            done: HashMap::new(),
            last: HashMap::new(),
            earlier: Earlier::default(),
        })
    }

    /// The URL to use instead of the candidate's, if faults are injected.
    pub fn url(&self) -> Option<&Url> {
        self.proxy.as_ref().map(|(_, url)| url)
    }

    /// Every fault that applies to the response.
    fn faults(&self, exchange: &Exchange<'_>) -> Vec<(&'static str, Fault)> {
        let mut faults = Vec::new();
        for (kind, inject) in KINDS {
            let mut faulty = exchange.candidate.clone();
            // It may not apply to this response.
            if inject(&mut faulty).is_some() {
                faults.push((*kind, Fault::Answer(faulty)));
            }
        }
        let of_earlier = [
            ("id: another of the same version", self.earlier.another_id(exchange.candidate)),
            ("token: of another subject", self.earlier.another_subject(exchange.candidate)),
        ];
        for (kind, faulty) in of_earlier {
            faults.extend(faulty.map(|faulty| (kind, Fault::Answer(faulty))));
        }
        if let Some(earlier) = self.last.get(&line(exchange))
            && !exchange.differences(earlier).is_empty()
        {
            faults.push((
                "stale: the response before the last change",
                Fault::Answer(earlier.clone()),
            ));
        }
        if exchange.request.is_some() {
            faults.push(("connection: closed without an answer", Fault::Silence));
            if !exchange.candidate.body.is_empty() {
                faults.push(("connection: closed within the body", Fault::Truncated));
            }
            faults.push(("time: too slow", Fault::Slow));
        }
        faults
    }
}

enum Fault {
    Answer(Answer),
    Silence,
    Truncated,
    Slow,
}

/// Identifies requests with the same response as long as no data changes.
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
            let limit = if matches!(fault, Fault::Slow) { 1 } else { INJECTIONS };
            let done = self.done.entry((kind, exchange.operation.to_owned())).or_default();
            if *done == limit {
                continue;
            }
            *done += 1;
            let differences = match (&fault, exchange.request) {
                // Effects come from no service.
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
        self.earlier.record(exchange.candidate);
        if exchange.request.is_none_or(|request| request.method == "GET") {
            self.last.insert(line(&exchange), exchange.candidate.clone());
        }
        Ok(())
    }
}

/// The fault as bytes on the wire.
fn wire(fault: &Fault, exchange: &Exchange<'_>, authority: &str) -> Response {
    let right = exchange.candidate;
    let is_head = exchange.request.is_some_and(|request| request.method == "HEAD");
    let bytes = |answer| serialise(answer, right, is_head, authority);
    let at_once = |bytes| Response { bytes, delay: Duration::ZERO };
    match fault {
        Fault::Answer(answer) => at_once(bytes(answer)),
        Fault::Silence => at_once(Vec::new()),
        Fault::Truncated => {
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
    let body = match std::str::from_utf8(&answer.body) {
        Ok(text) => text.replace(OWN_ADDRESS, authority).into_bytes(),
        Err(_) => answer.body.clone(),
    };
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
        bytes.extend(format!("{length}: {}\r\n", body.len()).bytes());
    }
    bytes.extend(b"\r\n");
    if !is_head {
        bytes.extend(body);
    }
    bytes
}
