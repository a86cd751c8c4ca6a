//! What is sent: for each scenario requests that are sent in turn.

use std::collections::HashMap;

use crate::Result;
use crate::contenders::{Contender, PASSWORD};
use crate::data::{ITEMS_PER_USER, email, id};
use crate::load::{Client, Request};

/// Tokens for the scenarios: each connection acts for one of so many users.
const USERS: u64 = 16;
/// Different rows that are read.
const ROWS: u64 = 160;
/// Times with microseconds of zero are written shorter.
const SHORTER: usize = 7;

pub(crate) struct Scenario {
    pub name: &'static str,
    pub title: &'static str,
    pub connections: usize,
    pub contenders: &'static [Contender],
    pub requests: Vec<Request>,
}

use Contender::{Expert, Granian, Legacy, Limit, Molt, Traced};

const ALL: &[Contender] = &[Molt, Traced, Legacy, Granian, Expert, Limit];
const WHOLE_SERVICES: &[Contender] = &[Molt, Legacy, Granian];
/// Without those that lack operations.
const MIXED: &[Contender] = &[Molt, Traced, Legacy, Granian, Limit];

/// Signs users in and knows the requests that they send.
pub(crate) struct Sessions {
    tokens: Vec<String>,
    superuser: String,
    users: u64,
}

impl Sessions {
    pub(crate) fn open(address: &str, items: u64) -> Result<Self> {
        let tokens = (1..=USERS).map(|user| token(address, &email(user))).collect::<Result<_>>()?;
        Self { tokens, superuser: String::new(), users: 0 }.on(address, items)
    }

    /// The same users on another database: they have the same ids in each, and the superuser has not.
    pub(crate) fn on(&self, address: &str, items: u64) -> Result<Self> {
        let superuser = token(address, "admin@example.com")?;
        Ok(Self { tokens: self.tokens.clone(), superuser, users: items / ITEMS_PER_USER })
    }

    fn token(&self, n: u64) -> &str {
        &self.tokens[usize::try_from(n % USERS).unwrap_or_default()]
    }

    /// An item of the user whose token is the n-th.
    fn item(&self, n: u64) -> String {
        // Item m belongs to user m % users + 1.
        let owner = n % USERS;
        let row = (n / USERS) % ITEMS_PER_USER;
        format!(
            "/api/v1/items/{}",
            id(row * self.users + if owner == 0 { self.users } else { owner })
        )
    }

    pub(crate) fn get_item(&self) -> Vec<Request> {
        (0..ROWS).map(|n| Request::new("GET", &self.item(n), Some(self.token(n)), None)).collect()
    }

    /// The path of an item and the token of its owner.
    pub(crate) fn example(&self) -> (String, &str) {
        (self.item(0), &self.tokens[0])
    }

    pub(crate) fn list(&self, limit: u64) -> Vec<Request> {
        let path = format!("/api/v1/items/?limit={limit}");
        (0..USERS).map(|n| Request::new("GET", &path, Some(self.token(n)), None)).collect()
    }

    /// A page of all users' items, which only a superuser sees.
    pub(crate) fn list_of_all(&self) -> Vec<Request> {
        vec![Request::new("GET", "/api/v1/items/?limit=100", Some(&self.superuser), None)]
    }

    pub(crate) fn post_item(&self) -> Vec<Request> {
        // Of the superuser, whose list is not read: the measured lists keep their length.
        let body = r#"{"title":"a new item","description":"with a description of some length"}"#;
        vec![Request::new(
            "POST",
            "/api/v1/items/",
            Some(&self.superuser),
            Some(("application/json", body)),
        )]
    }

    fn put_item(&self) -> Vec<Request> {
        let body = r#"{"title":"item 000new"}"#;
        (0..ROWS)
            .map(|n| {
                let body = Some(("application/json", body));
                Request::new("PUT", &self.item(n), Some(self.token(n)), body)
            })
            .collect()
    }

    fn invalid_user(&self) -> Vec<Request> {
        let body = r#"{"email":"invalid","is_active":"perhaps","is_superuser":7,"full_name":[],"password":"short"}"#;
        let body = Some(("application/json", body));
        let request = Request::new("POST", "/api/v1/users/", Some(&self.superuser), body);
        vec![Request { status: 422, ..request }]
    }

    fn test_token(&self) -> Vec<Request> {
        let path = "/api/v1/login/test-token";
        (0..USERS).map(|n| Request::new("POST", path, Some(self.token(n)), None)).collect()
    }

    /// What a service does beside sign-ins.
    pub(crate) fn without_hashing(&self) -> Vec<Request> {
        self.mixed(&self.test_token())
    }

    /// A page of all users' items after so many others.
    pub(crate) fn deep_page(&self, skip: u64) -> Vec<Request> {
        let path = format!("/api/v1/items/?skip={skip}&limit=100");
        vec![Request::new("GET", &path, Some(&self.superuser), None)]
    }

    /// 70 % reads, 15 % lists, 10 % writes and 5 % of `last`, well mixed.
    fn mixed(&self, last: &[Request]) -> Vec<Request> {
        let (gets, lists) = (self.get_item(), self.list(20));
        let (posts, puts) = (self.post_item(), self.put_item());
        (0..400_usize)
            .map(|n| {
                let kind = match n * 37 % 100 {
                    0..70 => &gets[..],
                    70..85 => &lists,
                    85..90 => &posts,
                    90..95 => &puts,
                    _ => last,
                };
                kind[n % kind.len()].clone()
            })
            .collect()
    }

    pub(crate) fn scenarios(&self, quick: bool) -> Vec<Scenario> {
        let scenario = |name, title, contenders, requests| Scenario {
            name,
            title,
            connections: 16,
            contenders,
            requests,
        };
        let sign_ins: Vec<_> = (1..=4).map(|user| sign_in(&email(user))).collect();
        let without_hash = self.without_hashing();
        let mut scenarios = vec![
            scenario("get_item", "GET item", ALL, self.get_item()),
            scenario("list_100", "GET list of 100", ALL, self.list(100)),
            scenario("post_item", "POST item", ALL, self.post_item()),
            scenario("mixed", "mixed load, without the sign-ins' hashing", MIXED, without_hash),
        ];
        if !quick {
            let mixed = self.mixed(&sign_ins);
            scenarios.extend([
                scenario("list_20", "GET list of 20", ALL, self.list(20)),
                scenario("put_item", "PUT item", MIXED, self.put_item()),
                scenario("invalid", "five errors in a body", WHOLE_SERVICES, self.invalid_user()),
                Scenario {
                    connections: 4,
                    ..scenario("sign_in", "sign-in", WHOLE_SERVICES, sign_ins)
                },
                scenario("mixed_with_hashing", "mixed load", WHOLE_SERVICES, mixed),
            ]);
        }
        scenarios
    }
}

/// Signs a user in.
fn token(address: &str, email: &str) -> Result<String> {
    let mut client = Client::connect(address)?;
    let answer: serde_json::Value = serde_json::from_slice(client.send(&sign_in(email))?)?;
    let token = answer["access_token"].as_str().ok_or("an answer without a token")?;
    Ok(token.to_owned())
}

pub(crate) fn sign_in(email: &str) -> Request {
    let body = format!("username={}&password={PASSWORD}", email.replace('@', "%40"));
    let kind = "application/x-www-form-urlencoded";
    Request::new("POST", "/api/v1/login/access-token", None, Some((kind, &body)))
}

impl Scenario {
    /// Sends each request once and makes the length of the answer a condition of all later ones;
    /// gives the first answer.
    pub(crate) fn learn(requests: &mut [Request], address: &str) -> Result<Vec<u8>> {
        let mut client = Client::connect(address)?;
        let mut known: HashMap<Vec<u8>, usize> = HashMap::new();
        let mut first = None;
        for request in requests {
            let length = if let Some(&length) = known.get(&request.bytes) {
                length
            } else {
                let body = client.send(request)?;
                first.get_or_insert_with(|| body.to_vec());
                known.insert(request.bytes.clone(), body.len());
                body.len()
            };
            request.length = Some(length.saturating_sub(SHORTER)..=length + SHORTER);
        }
        Ok(first.unwrap_or_default())
    }
}
