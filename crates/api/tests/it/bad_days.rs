//! What must never happen to the Rust service, and what must happen instead.

use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};
use testbed::{Postgres, Scratch, Service, rust};

use crate::client::{ADMIN, Api};

#[tokio::test]
async fn of_two_sign_ups_at_one_instant_one_wins() {
    let (scratch, postgres) = (Scratch::new().await.unwrap(), Postgres::start().await.unwrap());
    for url in [&scratch.url, &postgres.database().await.unwrap()] {
        sign_up_twice(&rust(url, &[]).await.unwrap()).await;
    }
}

pub(crate) async fn sign_up_twice(service: &Service) {
    let api = Api::new(&service.url);
    for round in 0..5 {
        let port = service.url.rsplit(':').next().unwrap();
        let email = format!("race{round}-{port}@example.com");
        let (one, other) = tokio::join!(api.sign_up(&email), api.sign_up(&email));
        let mut statuses = [one.0, other.0];
        statuses.sort_unstable();
        assert_eq!(statuses, [200, 400], "{one:?} {other:?}");
    }
}

#[tokio::test]
async fn a_body_over_the_limit_is_refused() {
    let database = Scratch::new().await.unwrap();
    let service = rust(&database.url, &[("BODY_LIMIT_BYTES", "1000")]).await.unwrap();
    let api = Api::new(&service.url);
    let body = |length| Some(Value::from("x".repeat(length)));
    let (status, answer) = api.ask(Method::POST, "/users/signup", None, body(999)).await;
    assert_eq!((status, answer), (413, json!({"detail": "Request Entity Too Large"})));
    let (status, _) = api.ask(Method::POST, "/users/signup", None, body(998)).await;
    assert_eq!(status, 422);
}

#[tokio::test]
async fn a_database_that_is_away_gives_503_until_it_is_back() {
    let postgres = Postgres::start().await.unwrap();
    let proxy = Proxy::start(&postgres).await;
    let service = rust(&proxy.url, &[("DATABASE_TIMEOUT_SECONDS", "1")]).await.unwrap();
    let api = Api::new(&service.url);
    let token = api.sign_in(ADMIN).await;
    let status = async || api.ask(Method::GET, "/users/me", Some(&token), None).await;
    assert_eq!(status().await.0, 200);

    proxy.cut();
    for _ in 0..3 {
        assert_eq!(status().await, (503, json!({"detail": "Service Unavailable"})));
    }
    assert_eq!(api.ask(Method::GET, "/utils/health-check/", None, None).await.0, 200);

    proxy.mend();
    let mut last = status().await.0;
    for _ in 0..20 {
        if last == 200 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(250)).await;
        last = status().await.0;
    }
    assert_eq!(last, 200, "{}", service.log());
}

/// A way to PostgreSQL that can be cut.
struct Proxy {
    url: String,
    whole: tokio::sync::watch::Sender<bool>,
}

impl Proxy {
    async fn start(postgres: &Postgres) -> Self {
        let mut url: url::Url = postgres.database().await.unwrap().parse().unwrap();
        let target = (url.host_str().unwrap().to_owned(), url.port().unwrap_or(5432));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        url.set_port(Some(listener.local_addr().unwrap().port())).unwrap();
        url.set_host(Some("127.0.0.1")).unwrap();
        let (whole, state) = tokio::sync::watch::channel(true);
        tokio::spawn(async move {
            while let Ok((mut near, _)) = listener.accept().await {
                let mut state = state.clone();
                if !*state.borrow_and_update() {
                    continue;
                }
                let target = target.clone();
                tokio::spawn(async move {
                    let mut far = tokio::net::TcpStream::connect(target).await.unwrap();
                    tokio::select! {
                        _ = tokio::io::copy_bidirectional(&mut near, &mut far) => {}
                        _ = state.changed() => {}
                    }
                });
            }
        });
        Self { url: url.into(), whole }
    }

    fn cut(&self) {
        self.whole.send(false).unwrap();
    }

    fn mend(&self) {
        self.whole.send(true).unwrap();
    }
}
