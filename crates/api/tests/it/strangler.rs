//! The service before an old one.

use reqwest::Method;
use testbed::{Scratch, rust};

use crate::client::Api;
use crate::management::get;
use crate::observability::{PARENT, Received, TRACE};

#[tokio::test]
async fn a_strangler_counts_who_answered() {
    let url = Received::default().listen().await;
    let settings = [("LEGACY_URL", url.as_str()), ("MANAGEMENT_PORT", "0")];
    let database = Scratch::new().await.unwrap();
    let service = rust(&database.url, &settings).await.unwrap();
    Api::new(&service.url).request(Method::GET, "/users/me").send().await.unwrap();
    let (_, metrics) = get(&format!("{}/metrics", service.management().await.unwrap())).await;
    for (side, count) in [("legacy", 1), ("native", 0)] {
        let line = format!(
            "strangler_requests_total{{operation=\"users-read_user_me\",side=\"{side}\"}} {count}\n"
        );
        assert!(metrics.contains(&line), "{line} is not in\n{metrics}");
    }
    let (status, _) = get(&format!("{}/_molt", service.management().await.unwrap())).await;
    assert_eq!(status, 401);
}

#[tokio::test]
async fn the_client_s_trace_passes_to_the_old_service() {
    let old = Received::default();
    let url = old.listen().await;
    let settings = [("LEGACY_URL", url.as_str()), ("MANAGEMENT_PORT", "0")];
    let database = Scratch::new().await.unwrap();
    let service = rust(&database.url, &settings).await.unwrap();
    let api = Api::new(&service.url);
    let traceparent = format!("00-{TRACE}-{PARENT}-01");
    let request = api.request(Method::GET, "/users/").header("traceparent", &traceparent);
    request.send().await.unwrap();
    let (headers, _) = old.all().pop().unwrap();
    assert_eq!(headers["traceparent"], traceparent, "no span of this service is exported");
    assert!(!headers.contains_key("tracestate"), "{headers:?}");
    assert_eq!(headers["x-request-id"], TRACE);
}

#[tokio::test]
async fn without_an_old_service_there_is_no_page() {
    let database = Scratch::new().await.unwrap();
    let service = rust(&database.url, &[("MANAGEMENT_PORT", "0")]).await.unwrap();
    let (status, _) = get(&format!("{}/_molt", service.management().await.unwrap())).await;
    assert_eq!(status, 404);
}
