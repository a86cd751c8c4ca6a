//! Writes with defects: what rehearsals report of each, and that they report none where there is none.

use std::process::Command;
use std::time::{Duration, Instant};

use reqwest::Method;
use serde_json::{Value, json};
use testbed::{Postgres, Service, SmtpSink, legacy};
use trials::{API, BoxError};

use crate::migration::{Migration, PASSWORD as PAGE};
use crate::report::Mutant;

/// As the program `mutant` names them, with the operation in which each is to be seen.
const DEFECTS: [(&str, &str); 11] = [
    ("wrong-owner", "items-create_item"),
    ("field-dropped", "items-create_item"),
    ("change-dropped", "items-update_item"),
    ("rounding-to-seconds", "items-create_item"),
    ("rounding-to-milliseconds", "items-create_item"),
    ("truncation", "items-create_item"),
    ("wrong-status", "items-update_item"),
    ("missing-refusal", "items-update_item"),
    ("missing-conflict", "users-register_user"),
    ("other-recipient", "login-recover_password"),
    ("missing-email", "login-recover_password"),
];

const ADMIN: (&str, &str) = ("admin@example.com", "changethis");
const PASSWORD: &str = "a client's password";
const ROUNDS: usize = 3;

/// Sends writes of every kind to each mutant before python-legacy.
pub(crate) async fn mutants(
    walk: &Migration,
    postgres: &Postgres,
) -> Result<Vec<Mutant>, BoxError> {
    let sink = SmtpSink::start().await?;
    let database = postgres.database().await?;
    let relay = std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?;
    let port = relay.port().to_string();
    let mut settings = sink.settings();
    settings[1].1 = port;
    let settings: Vec<_> = settings.iter().map(|(name, value)| (*name, &**value)).collect();
    let legacy = legacy(&database, &settings).await?;
    let mut found = Vec::new();
    let right = [("none", "")];
    for (number, (name, operation)) in right.into_iter().chain(DEFECTS).enumerate() {
        walk.bar.set_message(format!("a mutant: {name}"));
        let mut command = Command::new(std::env::current_exe()?.with_file_name("mutant"));
        command.env("DATABASE_URL", &database).envs(sink.settings()).env("PORT", "0");
        command.env("LEGACY_URL", &legacy.url).env("LEGACY_SMTP_LISTEN", relay.to_string());
        command.env("MANAGEMENT_PORT", "0").env("STRANGLER_PASSWORD", PAGE);
        // None is left out because this machine is slow.
        command.env("STRANGLER_REHEARSAL_MILLISECONDS", "30000");
        if !operation.is_empty() {
            command.env("MUTANT", name);
        }
        let service = Service::start("mutant", &command, " listens on ").await?;
        let page = service.management().await?;
        let plan = walk.http.put(format!("{page}/_molt/plan")).bearer_auth(PAGE);
        let status = plan.body("default: shadow\n").send().await?.status();
        if status != 204 {
            return Err(format!("the plan was refused with {status}").into());
        }
        let client = Client { http: &walk.http, base: &service.url, sink: &sink };
        for round in 0..ROUNDS {
            client.writes(&format!("{number}-{round}")).await?;
        }
        found.push(outcome(walk, &page, name, operation).await?);
        service.stop().await;
    }
    Ok(found)
}

/// What became of the writes, once all are compared.
async fn outcome(
    walk: &Migration,
    page: &str,
    name: &str,
    operation: &str,
) -> Result<Mutant, BoxError> {
    let start = Instant::now();
    let expected = Client::WRITES * ROUNDS as u64;
    loop {
        let state = walk.http.get(format!("{page}/_molt/state")).bearer_auth(PAGE).send().await?;
        let state: Value = serde_json::from_slice(&state.bytes().await?)?;
        let operations = state["operations"].as_array().cloned().unwrap_or_default();
        let writes: Vec<_> = operations.iter().filter(|one| one["method"] != "GET").collect();
        let sum = |key: &str| writes.iter().filter_map(|one| one[key].as_u64()).sum::<u64>();
        let (matches, mismatches) = (sum("matches"), sum("mismatches"));
        let others = ["matches_without_emails", "noise", "accepted", "uncompared", "dropped"];
        let others = others.map(sum).iter().sum::<u64>();
        if matches + mismatches + others < expected {
            if start.elapsed() > Duration::from_mins(1) {
                return Err(format!("{name}: {matches}, {mismatches}, {others} compared").into());
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
            continue;
        }
        let own = writes.iter().find(|one| one["id"] == operation);
        let seen = own.and_then(|one| one["mismatches"].as_u64()).unwrap_or_default();
        for one in writes.iter().filter(|one| one["id"] != operation) {
            if one["mismatches"] != 0 {
                let last = &one["last_differences"];
                walk.bar.suspend(|| println!("mutant {name}: {} differs: {last:#}", one["id"]));
            }
        }
        return Ok(Mutant {
            name: name.to_owned(),
            operation: operation.to_owned(),
            compared: matches + mismatches,
            not_compared: others,
            reported: seen,
            elsewhere: mismatches - seen,
        });
    }
}

/// Sends writes, whose answers are python-legacy's.
struct Client<'a> {
    http: &'a reqwest::Client,
    base: &'a str,
    sink: &'a SmtpSink,
}

impl Client<'_> {
    /// How many writes a round has.
    const WRITES: u64 = 15;

    /// A round with users and items of its own.
    async fn writes(&self, round: &str) -> Result<(), BoxError> {
        let admin = self.sign_in(ADMIN.0, ADMIN.1).await?;
        let (one, two) = (format!("one{round}@example.com"), format!("two{round}@example.com"));
        let forgetful = format!("forgetful{round}@example.com");
        for email in [&one, &two] {
            self.send("/users/signup", None, &Method::POST, &account(email), 200).await?;
        }
        self.send("/users/signup", None, &Method::POST, &account(&one), 400).await?;
        self.send_mail("/users/", Some(&admin), &account(&forgetful)).await?;
        let (owner, other) =
            (self.sign_in(&one, PASSWORD).await?, self.sign_in(&two, PASSWORD).await?);
        let title = format!("a title that is rather long, of round {round}");
        let item = json!({"title": title, "description": "a description"});
        let item = self.send("/items/", Some(&owner), &Method::POST, &item, 200).await?;
        let path = format!("/items/{}", item["id"].as_str().unwrap_or_default());
        let change = json!({"title": "another", "description": "another"});
        self.send(&path, Some(&owner), &Method::PUT, &change, 200).await?;
        self.send(&path, Some(&other), &Method::PUT, &change, 403).await?;
        for email in [&one, &forgetful] {
            let path = format!("/password-recovery/{email}");
            self.send_mail(&path, None, &Value::Null).await?;
        }
        self.send(&path, Some(&owner), &Method::DELETE, &Value::Null, 200).await?;
        self.send(&path, Some(&owner), &Method::PUT, &change, 404).await?;
        let rename = json!({"full_name": "One", "email": format!("new-{one}")});
        self.send("/users/me", Some(&owner), &Method::PATCH, &rename, 200).await?;
        Ok(())
    }

    async fn sign_in(&self, email: &str, password: &str) -> Result<String, BoxError> {
        let request = self.http.post(format!("{}{API}/login/access-token", self.base));
        let request = request.header("content-type", "application/x-www-form-urlencoded");
        let answer = request.body(format!("username={email}&password={password}")).send().await?;
        let answer: Value = serde_json::from_slice(&answer.bytes().await?)?;
        let token = answer["access_token"].as_str().map(ToOwned::to_owned);
        token.ok_or_else(|| format!("{email} cannot sign in: {answer}").into())
    }

    /// Posts what causes an e-mail and waits for it, which python-legacy sends after its response: one that
    /// a rehearsal has not sent counts only while nothing else is there that can have caused it.
    async fn send_mail(
        &self,
        path: &str,
        token: Option<&str>,
        body: &Value,
    ) -> Result<(), BoxError> {
        let before = self.sink.mails(0).await.len();
        self.send(path, token, &Method::POST, body, 200).await?;
        self.sink.mails(before + 1).await;
        Ok(())
    }

    async fn send(
        &self,
        path: &str,
        token: Option<&str>,
        method: &Method,
        body: &Value,
        expected: u16,
    ) -> Result<Value, BoxError> {
        let mut request = self.http.request(method.clone(), format!("{}{API}{path}", self.base));
        if let Some(token) = token {
            request = request.bearer_auth(token);
        }
        if !body.is_null() {
            request = request.header("content-type", "application/json").body(body.to_string());
        }
        let answer = request.send().await?;
        let status = answer.status();
        let text = answer.text().await?;
        if status != expected {
            return Err(format!("{method} {path}: {status}, not {expected}: {text}").into());
        }
        Ok(serde_json::from_str(&text)?)
    }
}

fn account(email: &str) -> Value {
    json!({"email": email, "password": PASSWORD, "full_name": "Someone"})
}
