//! The Rust service under races, oversized bodies and a failing database.

use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};
use testbed::proxy::{Network, Proxy};
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
async fn an_unavailable_database_gives_503_until_it_recovers() {
    let postgres = Postgres::start().await.unwrap();
    let url = postgres.database().await.unwrap().parse().unwrap();
    let (proxy, through) = Proxy::before(&url).await.unwrap();
    let service = rust(through.as_str(), &[("DATABASE_TIMEOUT_SECONDS", "1")]).await.unwrap();
    let api = Api::new(&service.url);
    let token = api.sign_in(ADMIN).await;
    let status = async || api.ask(Method::GET, "/users/me", Some(&token), None).await;
    assert_eq!(status().await.0, 200);

    proxy.set(Network::Cut);
    for _ in 0..3 {
        assert_eq!(status().await, (503, json!({"detail": "Service Unavailable"})));
    }
    assert_eq!(api.ask(Method::GET, "/utils/health-check/", None, None).await.0, 200);

    proxy.set(Network::Good);
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
