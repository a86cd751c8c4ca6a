//! The management port, and how a process goes.

use std::time::{Duration, Instant};

use reqwest::{Client, StatusCode};
use testbed::{Scratch, rust};

pub(crate) async fn get(url: &str) -> (StatusCode, String) {
    _ = rustls::crypto::ring::default_provider().install_default();
    let client = Client::builder().no_proxy().build().unwrap();
    let answer = client.get(url).send().await.unwrap();
    (answer.status(), answer.text().await.unwrap())
}

#[tokio::test]
async fn health_is_asked_on_a_port_of_its_own() {
    let database = Scratch::new().await.unwrap();
    let service = rust(&database.url, &[("MANAGEMENT_PORT", "0")]).await.unwrap();
    let management = service.management().await.unwrap();
    for path in ["/livez", "/readyz"] {
        assert_eq!(get(&format!("{management}{path}")).await, (StatusCode::OK, "ok\n".into()));
        let (status, _) = get(&format!("{}{path}", service.url)).await;
        assert_eq!(status, 404, "the service's own port has no {path}");
    }
}

#[tokio::test]
async fn a_service_that_goes_is_not_ready_but_answers() {
    let settings = [("MANAGEMENT_PORT", "0"), ("DRAIN_SECONDS", "3")];
    let database = Scratch::new().await.unwrap();
    let service = rust(&database.url, &settings).await.unwrap();
    let management = service.management().await.unwrap();
    let health = format!("{}/api/v1/utils/health-check/", service.url);
    let stopping = tokio::spawn(service.stop());
    let start = Instant::now();
    while get(&format!("{management}/readyz")).await.0 == 200 {
        assert!(start.elapsed() < Duration::from_secs(2), "it is still ready");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(get(&health).await, (StatusCode::OK, "true".into()));
    stopping.await.unwrap();
    assert!(start.elapsed() > Duration::from_secs(2), "it left at once");
}
