//! Clients that repeatedly sign in, create, list, read, update and delete.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use reqwest::Method;
use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::{API, Acknowledged, BoxError, Tally};

const PASSWORD: &str = "a client's password";

/// How long a client waits for a response.
const TIMEOUT: Duration = Duration::from_secs(40);

/// A client with its own connections.
pub struct Client {
    http: reqwest::Client,
    base: String,
    email: String,
    token: String,
    acknowledged: Acknowledged,
    tally: Arc<Tally>,
}

/// A request failed. The tally counts it by this text: `POST 503`, `POST no answer`, or
/// `GET cut off` when the connection ended within the answer.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct Failed(String);

impl Client {
    /// Signs up and in. Fails if either is refused or takes longer than a client waits.
    pub async fn new(base: &str, email: &str, tally: Arc<Tally>) -> Result<Self, BoxError> {
        let http = crate::http(TIMEOUT)?;
        let (base, email) = (format!("{base}{API}"), email.to_owned());
        let mut client = Self {
            http,
            base,
            email,
            token: String::new(),
            acknowledged: Acknowledged::default(),
            tally,
        };
        let sign_up = json!({"email": client.email, "password": PASSWORD});
        client
            .request(Method::POST, "/users/signup", Some(sign_up), 200)
            .await
            .map_err(|failed| format!("the sign-up failed: {failed}"))?;
        client.sign_in().await.map_err(|failed| format!("the sign-in failed: {failed}"))?;
        Ok(client)
    }

    /// The bearer token of the client's requests.
    pub fn token(&self) -> &str {
        &self.token
    }

    async fn sign_in(&mut self) -> Result<(), Failed> {
        let form = format!("username={}&password={PASSWORD}", self.email);
        let request = self
            .http
            .post(format!("{}/login/access-token", self.base))
            .header("content-type", "application/x-www-form-urlencoded")
            .body(form);
        let answer = self.send("POST sign-in", request, 200).await?;
        answer["access_token"].as_str().unwrap_or_default().clone_into(&mut self.token);
        Ok(())
    }

    async fn request(
        &self,
        method: Method,
        path: &str,
        body: Option<Value>,
        status: u16,
    ) -> Result<Value, Failed> {
        let name = method.to_string();
        let mut request = self.http.request(method, format!("{}{path}", self.base));
        if !self.token.is_empty() {
            request = request.bearer_auth(&self.token);
        }
        if let Some(body) = body {
            request = request.header("content-type", "application/json").body(body.to_string());
        }
        self.send(&name, request, status).await
    }

    async fn send(
        &self,
        name: &str,
        request: reqwest::RequestBuilder,
        expected: u16,
    ) -> Result<Value, Failed> {
        let start = Instant::now();
        let answer = async {
            let answer = request.send().await.map_err(|_| "no answer")?;
            let status = answer.status().as_u16();
            Ok((status, answer.bytes().await.map_err(|_| "cut off")?))
        };
        let answer: Result<_, &str> = answer.await;
        self.tally.answered(start.elapsed());
        let outcome = match answer {
            Ok((status, body)) if status == expected => {
                Ok(serde_json::from_slice(&body).unwrap_or_default())
            }
            Ok((status, _)) => Err(format!("{name} {status}")),
            Err(failure) => Err(format!("{name} {failure}")),
        };
        outcome.map_err(|reason| {
            self.tally.failed(reason.clone());
            Failed(reason)
        })
    }

    fn expect(&self, what: &str, found: &Value, expected: &Value) {
        if found != expected {
            self.tally.wrong(format!("{what}: {found}, not {expected}"));
        }
    }

    /// Creates, reads, updates and mostly deletes an item; every response is checked.
    async fn round(&mut self, round: usize, pace: Pace) -> Result<(), Failed> {
        if pace.signs_in && round % 50 == 49 {
            self.sign_in().await?;
        }
        let me = self.request(Method::GET, "/users/me", None, 200).await?;
        self.expect("my address", &me["email"], &json!(self.email));

        let title = format!("item {round}");
        self.acknowledged.unknown += 1;
        let body = json!({"title": title, "description": null});
        let item = self.request(Method::POST, "/items/", Some(body), 200).await?;
        self.acknowledged.unknown -= 1;
        let id = item["id"].as_str().unwrap_or_default().to_owned();
        self.acknowledged.created(&id, &title);
        self.expect("the new item's title", &item["title"], &json!(title));

        let path = format!("/items/{id}");
        let read = self.request(Method::GET, &path, None, 200).await?;
        self.expect("the item as read", &read, &item);
        let list = self.request(Method::GET, "/items/?limit=5", None, 200).await?;
        let is_first = list["data"][0]["id"] == item["id"];
        // An item whose creation got no response may exist and be newer.
        if !is_first && self.acknowledged.unknown == 0 {
            self.expect("the newest item of the list", &list["data"][0], &item);
        }

        let title = format!("item {round}, changed");
        self.acknowledged.changing(&id, &title);
        let body = json!({"title": title});
        let changed = self.request(Method::PUT, &path, Some(body), 200).await?;
        self.acknowledged.changed(&id, &title);
        self.expect("the changed item's title", &changed["title"], &json!(title));
        let read = self.request(Method::GET, &path, None, 200).await?;
        self.expect("the item as changed", &read, &changed);
        let refused = self.request(Method::PUT, &path, Some(json!({"title": 7})), 422).await?;
        self.expect("why it is refused", &refused["detail"][0]["type"], &json!("string_type"));

        if !round.is_multiple_of(4) {
            self.acknowledged.deleting(&id);
            self.request(Method::DELETE, &path, None, 200).await?;
            self.acknowledged.deleted(&id);
            self.request(Method::GET, &path, None, 404).await?;
        }
        Ok(())
    }

    /// The titles of all items that exist, by their ids.
    pub async fn found(&self) -> Result<BTreeMap<String, String>, BoxError> {
        let mut found = BTreeMap::new();
        loop {
            let path = format!("/items/?limit=1000&skip={}", found.len());
            let page = self.request(Method::GET, &path, None, 200).await?;
            let Some(items) = page["data"].as_array().filter(|items| !items.is_empty()) else {
                return Ok(found);
            };
            let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
            found.extend(items.iter().map(|item| (text(&item["id"]), text(&item["title"]))));
        }
    }

    /// The acknowledged writes that are missing.
    pub async fn lost(&self) -> Result<Vec<String>, BoxError> {
        Ok(self.acknowledged.lost(&self.found().await?))
    }
}

/// How clients send their requests.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    /// How long each waits between rounds of some nine requests.
    pub pause: Duration,
    /// Whether they sign in again now and then.
    pub signs_in: bool,
}

/// Clients that send requests until they are stopped.
pub struct Load {
    /// Counts of all clients.
    pub tally: Arc<Tally>,
    stop: Arc<AtomicBool>,
    clients: JoinSet<Client>,
}

impl Load {
    /// Starts `count` clients; `name` is the prefix of their users' addresses.
    pub async fn start(base: &str, name: &str, count: usize) -> Result<Self, BoxError> {
        Self::paced(base, name, count, Pace { pause: Duration::ZERO, signs_in: true }).await
    }

    /// The same with clients that take their time.
    pub async fn paced(base: &str, name: &str, count: usize, pace: Pace) -> Result<Self, BoxError> {
        let (tally, stop) = (Arc::new(Tally::default()), Arc::new(AtomicBool::new(false)));
        // All of them first: under load a sign-up takes its time.
        let mut signed_in = Vec::with_capacity(count);
        for number in 0..count {
            let email = format!("{name}{number}@example.com");
            signed_in.push(Client::new(base, &email, Arc::clone(&tally)).await?);
        }
        tally.take();
        let mut clients = JoinSet::new();
        for mut client in signed_in {
            let stop = Arc::clone(&stop);
            clients.spawn(async move {
                for round in 0.. {
                    if stop.load(Ordering::Relaxed) {
                        break;
                    }
                    if !pace.pause.is_zero() {
                        tokio::time::sleep(pace.pause).await;
                    }
                    if client.round(round, pace).await.is_err() {
                        // A failed request is not repeated at once.
                        tokio::time::sleep(Duration::from_millis(100)).await;
                    }
                }
                client
            });
        }
        Ok(Self { tally, stop, clients })
    }

    /// Stops the clients after their current round and returns them.
    pub async fn stop(self) -> Vec<Client> {
        self.stop.store(true, Ordering::Relaxed);
        self.clients.join_all().await
    }
}
