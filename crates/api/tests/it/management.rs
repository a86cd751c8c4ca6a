//! The management port, and how a process goes.

use std::time::{Duration, Instant};

use reqwest::{Client, StatusCode};
use testbed::{Postgres, Scratch, rust};

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
    let settings = [("MANAGEMENT_PORT", "0"), ("DRAIN_SECONDS", "6")];
    let database = Scratch::new().await.unwrap();
    let service = rust(&database.url, &settings).await.unwrap();
    let management = service.management().await.unwrap();
    let health = format!("{}/api/v1/utils/health-check/", service.url);
    let stopping = tokio::spawn(service.stop());
    let start = Instant::now();
    while get(&format!("{management}/readyz")).await.0 == 200 {
        assert!(start.elapsed() < Duration::from_secs(5), "it is still ready");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(get(&health).await, (StatusCode::OK, "true".into()));
    stopping.await.unwrap();
    assert!(start.elapsed() > Duration::from_secs(5), "it left at once");
}

#[tokio::test]
async fn a_database_that_fails_makes_no_process_unready() {
    let postgres = Postgres::start().await.unwrap();
    let url = postgres.database().await.unwrap();
    let service = rust(&url, &[("MANAGEMENT_PORT", "0")]).await.unwrap();
    let ready = format!("{}/readyz", service.management().await.unwrap());
    assert_eq!(get(&ready).await, (StatusCode::OK, "ok\n".into()));
    postgres.crash().unwrap();
    let text = "ok, but the database does not answer\n";
    assert_eq!(get(&ready).await, (StatusCode::OK, text.into()));
    let (status, _) = get(&format!("{}/api/v1/users/me", service.url)).await;
    assert_eq!(status, 401, "it answers what it can");
    postgres.recover().unwrap();
    assert_eq!(get(&ready).await, (StatusCode::OK, "ok\n".into()));
}

// [with molt]
#[tokio::test]
async fn documented_paths_exist() {
    let page = std::fs::read_to_string(testbed::root().join("docs/operations.md")).unwrap();
    let row = page.lines().find(|line| line.starts_with("| Swagger docs |")).unwrap();
    let paths: Vec<_> = row.split('`').skip(1).step_by(2).collect();
    assert!(!paths.is_empty());
    let database = Scratch::new().await.unwrap();
    let service = rust(&database.url, &[]).await.unwrap();
    for path in paths {
        assert_eq!(get(&format!("{}{path}", service.url)).await.0, 200, "{path}");
    }
}
// [end]
