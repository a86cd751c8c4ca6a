//! Clients that sign in, create, list, read, change and delete, over and over.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use reqwest::Method;
use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::{API, BoxError, Memory, Tally};

const PASSWORD: &str = "a client's password";

/// How long a client waits for an answer.
const PATIENCE: Duration = Duration::from_secs(40);

/// A client with its own connections.
pub struct Client {
    http: reqwest::Client,
    base: String,
    email: String,
    token: String,
    memory: Memory,
    tally: Arc<Tally>,
}

/// Why a step was given up.
struct GivenUp;

impl Client {
    /// Signs up and in; whatever the service is going through, not for ever.
    pub async fn new(base: &str, email: &str, tally: Arc<Tally>) -> Result<Self, BoxError> {
        // Whoever has chosen one before keeps it.
        _ = rustls::crypto::ring::default_provider().install_default();
        let http = reqwest::Client::builder().no_proxy().timeout(PATIENCE).build()?;
        let (base, email) = (format!("{base}{API}"), email.to_owned());
        let mut client =
            Self { http, base, email, token: String::new(), memory: Memory::default(), tally };
        let sign_up = json!({"email": client.email, "password": PASSWORD});
        client
            .ask(Method::POST, "/users/signup", Some(sign_up), 200)
            .await
            .map_err(|GivenUp| "nobody can sign up")?;
        client.sign_in().await.map_err(|GivenUp| "nobody can sign in")?;
        Ok(client)
    }

    /// With which the client signs its requests.
    pub fn token(&self) -> &str {
        &self.token
    }

    async fn sign_in(&mut self) -> Result<(), GivenUp> {
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

    async fn ask(
        &self,
        method: Method,
        path: &str,
        body: Option<Value>,
        status: u16,
    ) -> Result<Value, GivenUp> {
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
    ) -> Result<Value, GivenUp> {
        let start = Instant::now();
        let answer = async {
            let answer = request.send().await?;
            Ok::<_, reqwest::Error>((answer.status().as_u16(), answer.bytes().await?))
        };
        let answer = answer.await;
        self.tally.answered(start.elapsed());
        match answer {
            Ok((status, body)) if status == expected => {
                Ok(serde_json::from_slice(&body).unwrap_or_default())
            }
            Ok((status, _)) => {
                self.tally.failed(format!("{name} {status}"));
                Err(GivenUp)
            }
            Err(_) => {
                self.tally.failed(format!("{name} no answer"));
                Err(GivenUp)
            }
        }
    }

    fn expect(&self, what: &str, found: &Value, expected: &Value) {
        if found != expected {
            self.tally.wrong(format!("{what}: {found}, not {expected}"));
        }
    }

    /// One item's life; every answer is checked.
    async fn live(&mut self, round: usize) -> Result<(), GivenUp> {
        if round % 50 == 49 {
            self.sign_in().await?;
        }
        let me = self.ask(Method::GET, "/users/me", None, 200).await?;
        self.expect("my address", &me["email"], &json!(self.email));

        let title = format!("item {round}");
        self.memory.unknown += 1;
        let body = json!({"title": title, "description": null});
        let item = self.ask(Method::POST, "/items/", Some(body), 200).await?;
        self.memory.unknown -= 1;
        let id = item["id"].as_str().unwrap_or_default().to_owned();
        self.memory.created(&id, &title);
        self.expect("the new item's title", &item["title"], &json!(title));

        let path = format!("/items/{id}");
        let read = self.ask(Method::GET, &path, None, 200).await?;
        self.expect("the item as read", &read, &item);
        let list = self.ask(Method::GET, "/items/?limit=5", None, 200).await?;
        let is_first = list["data"][0]["id"] == item["id"];
        // An item whose creation got no answer may be there, and newer.
        if !is_first && self.memory.unknown == 0 {
            self.expect("the newest item of the list", &list["data"][0], &item);
        }

        let title = format!("item {round}, changed");
        self.memory.changing(&id, &title);
        let body = json!({"title": title});
        let changed = self.ask(Method::PUT, &path, Some(body), 200).await?;
        self.memory.changed(&id, &title);
        self.expect("the changed item's title", &changed["title"], &json!(title));
        let read = self.ask(Method::GET, &path, None, 200).await?;
        self.expect("the item as changed", &read, &changed);
        let refused = self.ask(Method::PUT, &path, Some(json!({"title": 7})), 422).await?;
        self.expect("why it is refused", &refused["detail"][0]["type"], &json!("string_type"));

        if !round.is_multiple_of(4) {
            self.memory.deleting(&id);
            self.ask(Method::DELETE, &path, None, 200).await?;
            self.memory.deleted(&id);
            self.ask(Method::GET, &path, None, 404).await?;
        }
        Ok(())
    }

    /// All items that are there, by their ids.
    pub async fn found(&self) -> Result<BTreeMap<String, String>, BoxError> {
        let mut found = BTreeMap::new();
        loop {
            let path = format!("/items/?limit=1000&skip={}", found.len());
            let page =
                self.ask(Method::GET, &path, None, 200).await.map_err(|GivenUp| "no list")?;
            let Some(items) = page["data"].as_array().filter(|items| !items.is_empty()) else {
                return Ok(found);
            };
            let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
            found.extend(items.iter().map(|item| (text(&item["id"]), text(&item["title"]))));
        }
    }

    /// What was promised and is not there.
    pub async fn lost(&self) -> Result<Vec<String>, BoxError> {
        Ok(self.memory.lost(&self.found().await?))
    }
}

/// Clients at work until they are told to stop.
pub struct Load {
    pub tally: Arc<Tally>,
    stop: Arc<AtomicBool>,
    clients: JoinSet<Client>,
}

impl Load {
    /// Starts so many; `name` tells their users from others'.
    pub async fn start(base: &str, name: &str, count: usize) -> Result<Self, BoxError> {
        let (tally, stop) = (Arc::new(Tally::default()), Arc::new(AtomicBool::new(false)));
        let mut clients = JoinSet::new();
        for number in 0..count {
            let email = format!("{name}{number}@example.com");
            let mut client = Client::new(base, &email, Arc::clone(&tally)).await?;
            let stop = Arc::clone(&stop);
            clients.spawn(async move {
                for round in 0.. {
                    if stop.load(Ordering::Relaxed) {
                        break;
                    }
                    if client.live(round).await.is_err() {
                        // What fails is not asked again at once.
                        tokio::time::sleep(Duration::from_millis(100)).await;
                    }
                }
                client
            });
        }
        Ok(Self { tally, stop, clients })
    }

    /// Lets the clients finish what they are at.
    pub async fn stop(self) -> Vec<Client> {
        self.stop.store(true, Ordering::Relaxed);
        self.clients.join_all().await
    }
}
