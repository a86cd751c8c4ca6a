//! One of the two services: requests to it, and what its answers left behind.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use comparison::Answer;
use reqwest::{Client, Method, Url};
use serde_json::Value;

use super::client::Pace;
use super::error::RunError;
use super::plan::{Options, Service};
use super::recorded::Learned;
use super::secrets::Secrets;
use super::sign_in::{Scheme, add_cookie, token};
use crate::case::{Case, CaseError, Variables};
use crate::effects::{self, Mails, Sinks};
use crate::openapi::causes;
use crate::request::{Request, fill};

/// How long to wait before a connection is tried again; doubled each time.
const FIRST_DELAY: Duration = Duration::from_millis(200);
const LONGEST_DELAY: Duration = Duration::from_secs(5);

/// One of the two services, with what its answers left behind.
pub(crate) struct Side {
    pub(super) name: &'static str,
    pub(super) service: Service,
    pub(super) variables: Variables,
    /// Tokens that commands printed, by command.
    tokens: BTreeMap<String, String>,
    /// The cookies of each user, by name.
    cookies: BTreeMap<Option<String>, BTreeMap<String, String>>,
    /// What stands for values of a recording.
    learned: Learned,
    mails: Mails,
    options: Options,
    pace: Pace,
    client: Client,
}

/// What a side did with a case.
pub(super) struct Answered {
    pub(super) request: Option<Request>,
    /// As whom it was sent.
    user: Option<String>,
    pub(super) answer: Answer,
    pub(super) took: Duration,
}

/// Why a request could not be sent.
pub(crate) enum SendError {
    Invalid(String),
    Unreachable(reqwest::Error),
}

impl Side {
    /// # Errors
    /// When no client can be made, or a command that signs in fails.
    pub(super) async fn new(
        name: &'static str,
        service: Service,
        options: &Options,
    ) -> Result<Self, RunError> {
        let client = options.connection.client(&service.base)?;
        let mut side = Self {
            name,
            service,
            variables: options.variables.clone(),
            tokens: BTreeMap::new(),
            cookies: BTreeMap::new(),
            learned: Learned::default(),
            mails: Mails::default(),
            pace: Pace::new(options.connection.rate),
            options: options.clone(),
            client,
        };
        for sign_in in &options.sign_in {
            // What refers to variables that a response sets is no secret of the user's.
            let Ok(value) = fill(sign_in.scheme.value(), &side.variables) else { continue };
            match &sign_in.scheme {
                Scheme::Command(_) if side.tokens.contains_key(&value) => {}
                Scheme::Command(_) => {
                    let token = token(&value, name, side.service.base.as_str()).await;
                    let token =
                        token.map_err(|message| RunError::SignIn { service: name, message })?;
                    side.secrets().add(&token);
                    side.tokens.insert(value, token);
                }
                Scheme::Basic(_) => {
                    side.secrets().add(&value);
                    side.secrets()
                        .add(value.split_once(':').map_or(&*value, |(_, password)| password));
                }
                _ => side.secrets().add(&value),
            }
        }
        Ok(side)
    }

    fn secrets(&self) -> &Secrets {
        &self.options.secrets
    }

    /// Fills in, sends and captures a request, or queries effects.
    pub(super) async fn execute(
        &mut self,
        case: &Case,
        row: &Variables,
    ) -> Result<Answered, RunError> {
        if case.is_effect() {
            let start = Instant::now();
            let answer = self.effect(case).await?;
            return Ok(Answered { request: None, user: None, answer, took: start.elapsed() });
        }
        let answered = self.ask(case, row).await?;
        self.keep(case, &answered)?;
        Ok(answered)
    }

    /// Fills in and sends a request.
    pub(super) async fn ask(&self, case: &Case, row: &Variables) -> Result<Answered, RunError> {
        let request = self.request(case, row)?;
        self.pace.turn().await;
        let start = Instant::now();
        let (answer, start) =
            self.send_from(&request, start).await.map_err(|error| self.failed(case, error))?;
        let user = self.user(case, row)?;
        Ok(Answered { request: Some(request), user, answer, took: start.elapsed() })
    }

    /// What a request that could not be sent means for the run.
    pub(super) fn failed(&self, case: &Case, error: SendError) -> RunError {
        match error {
            SendError::Invalid(message) => case.invalid(message).into(),
            SendError::Unreachable(source) => RunError::Unreachable {
                service: self.name,
                base: Box::new(self.service.base.clone()),
                at: case.at.clone(),
                case: case.name.clone(),
                source,
            },
        }
    }

    /// The request of a case, signed in.
    pub(super) fn request(&self, case: &Case, row: &Variables) -> Result<Request, CaseError> {
        let invalid = |message: String| case.invalid(message);
        let user = self.user(case, row)?;
        let sign_in = self.options.sign_in.iter().find(|sign_in| sign_in.user == user);
        // A user without a token is one whose cookies are kept.
        let has_session = self.options.keeps_cookies
            && user.as_ref().is_some_and(|user| !self.variables.contains_key(user));
        let mut request = if sign_in.is_some() || has_session {
            Case { user: None, ..case.clone() }.request(&self.variables, row)?
        } else {
            case.request(&self.variables, row)?
        };
        if let Some(sign_in) = sign_in {
            let value = fill(sign_in.scheme.value(), &self.variables).map_err(invalid)?;
            let value = self.tokens.get(&value).map_or(&*value, String::as_str);
            sign_in.scheme.apply(value, &mut request, |name| {
                case.headers.keys().any(|own| own.eq_ignore_ascii_case(name))
            });
        }
        if !case.headers.keys().any(|own| own.eq_ignore_ascii_case("cookie")) {
            for (name, value) in self.cookies.get(&user).into_iter().flatten() {
                add_cookie(&mut request, name, value);
            }
        }
        if case.recorded.is_some() {
            self.learned.replace(&mut request);
        }
        Ok(request)
    }

    /// The user as whom a request is sent; a row may say who it is.
    fn user(&self, case: &Case, row: &Variables) -> Result<Option<String>, CaseError> {
        let Some(user) = &case.user else { return Ok(None) };
        let filled = fill(user, row).or_else(|_| fill(user, &self.variables));
        filled.map(Some).map_err(|message| case.invalid(message))
    }

    /// Keeps what the case captures of an answer, its cookies, and what stands for recorded values.
    pub(super) fn keep(&mut self, case: &Case, answered: &Answered) -> Result<(), RunError> {
        let answer = &answered.answer;
        let body: Option<Value> = serde_json::from_slice(&answer.body).ok();
        for (name, source) in &case.capture {
            let made_up = "00000000-0000-4000-8000-000000000000".to_owned();
            let value = captured(answer, body.as_ref(), source);
            let kept = || {
                let earlier = self.variables.get(name).cloned();
                case.is_tolerant.then(|| earlier.unwrap_or(made_up))
            };
            let value = value.or_else(kept).ok_or_else(|| {
                let body = String::from_utf8_lossy(&answer.body);
                let body = self.secrets().redact(&body);
                case.invalid(format!(
                    "the answer of the {} has no {source}: {} {body}",
                    self.name, answer.status
                ))
            })?;
            self.variables.insert(name.clone(), value);
        }
        if self.options.keeps_cookies {
            let jar = self.cookies.entry(answered.user.clone()).or_default();
            for (name, value) in cookies(answer) {
                match value {
                    Some(value) => _ = jar.insert(name, value),
                    None => _ = jar.remove(&name),
                }
            }
        }
        if let Some(recorded) = &case.recorded {
            self.learned.learn(&recorded.answer.body, &answer.body);
        }
        Ok(())
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
        self.pace.turn().await;
        self.send_from(request, Instant::now()).await.map(|(answer, _)| answer)
    }

    /// Sends a request; the answer, and when the connection over which it came was begun.
    async fn send_from(
        &self,
        request: &Request,
        mut start: Instant,
    ) -> Result<(Answer, Instant), SendError> {
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
        let mut delay = FIRST_DELAY;
        for attempt in 0.. {
            // Bodies are bytes, which can be sent again.
            let Some(once) = builder.try_clone() else { break };
            match self.receive(once).await {
                Err(error) if error.is_connect() && attempt < self.options.connection.retries => {
                    tokio::time::sleep(delay).await;
                    delay = (delay * 2).min(LONGEST_DELAY);
                    start = Instant::now();
                }
                Err(error) if error.is_connect() => {
                    return Err(SendError::Unreachable(error.without_url()));
                }
                Err(error) if error.is_builder() => {
                    return Err(SendError::Invalid(causes(&error.without_url())));
                }
                Err(error) => {
                    // The address is each service's own.
                    let body = format!("no answer: {}", causes(&error.without_url())).into_bytes();
                    return Ok((Answer { status: 0, headers: BTreeMap::new(), body }, start));
                }
                Ok(answer) => return Ok((answer, start)),
            }
        }
        Err(SendError::Invalid("the request cannot be sent".to_owned()))
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

/// What a case captures: at a JSON pointer of the body, or `header NAME`, or `cookie NAME`.
fn captured(answer: &Answer, body: Option<&Value>, source: &str) -> Option<String> {
    match source.split_once(' ') {
        Some(("header", name)) => answer.headers.get(&name.trim().to_lowercase())?.first().cloned(),
        Some(("cookie", name)) => {
            let found = cookies(answer).into_iter().find(|(cookie, _)| cookie == name.trim());
            found.and_then(|(_, value)| value)
        }
        _ => {
            let value = pointed(body?, source)?;
            Some(value.as_str().map_or_else(|| value.to_string(), ToOwned::to_owned))
        }
    }
}

/// What stands at a JSON pointer; `/*` at its start is the list that the body is, or its first list.
fn pointed<'a>(body: &'a Value, pointer: &str) -> Option<&'a Value> {
    let Some(rest) = pointer.strip_prefix("/*") else { return body.pointer(pointer) };
    let list = match body {
        Value::Object(members) => members.values().find(|member| member.is_array())?,
        body => body,
    };
    list.pointer(rest)
}

/// The cookies that an answer sets, and those that it deletes.
fn cookies(answer: &Answer) -> Vec<(String, Option<String>)> {
    let lines = answer.headers.get("set-cookie").into_iter().flatten();
    let cookie = |line: &String| {
        let mut parts = line.split(';');
        let (name, value) = parts.next()?.split_once('=')?;
        let is_over = parts.any(|part| {
            let (key, value) = part.split_once('=').unwrap_or((part, ""));
            let (key, value) = (key.trim().to_lowercase(), value.trim());
            (key == "max-age" && value.parse::<i64>().is_ok_and(|seconds| seconds <= 0))
                || (key == "expires" && value.contains(" 1970 "))
        });
        Some((name.trim().to_owned(), (!is_over).then(|| value.trim().to_owned())))
    };
    lines.filter_map(cookie).collect()
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
