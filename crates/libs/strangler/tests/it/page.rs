use axum::response::IntoResponse;
use http::StatusCode;

use super::*;

async fn front() -> Front {
    let native = always(|_| StatusCode::IM_A_TEAPOT.into_response());
    let legacy = serve(always(|_| "legacy".into_response())).await;
    Front::start(native, Settings::new(legacy.parse().unwrap())).await
}

#[tokio::test]
async fn without_the_password_nothing_is_shown_or_changed() {
    let front = front().await;
    for (method, path) in
        [("GET", ""), ("GET", "/state"), ("GET", "/plan"), ("PUT", "/plan"), ("POST", "/mode")]
    {
        let url = format!("{}/_molt{path}", front.page);
        let request = || client().request(method.parse().unwrap(), &url).body("default: native");
        assert_eq!(request().send().await.unwrap().status(), 401, "{method} {path}");
        let wrong = request().basic_auth("molt", Some("wrong")).send().await.unwrap();
        assert_eq!(wrong.status(), 401, "{method} {path}");
    }
    let url = format!("{}/_molt/plan", front.page);
    let request = || client().put(&url).bearer_auth(PASSWORD).body("default: native");
    let foreign = request().header("sec-fetch-site", "cross-site").send().await.unwrap();
    assert_eq!(foreign.status(), 403, "a browser is sent by another page");
    assert_eq!(front.view("read_item")["mode"], "legacy");
    assert_eq!(request().send().await.unwrap().status(), 204);
    assert_eq!(front.view("read_item")["mode"], "native");
}

#[tokio::test]
async fn a_bad_plan_is_refused_with_a_reason() {
    let front = front().await;
    let put = client().put(format!("{}/_molt/plan", front.page)).bearer_auth(PASSWORD);
    let answer = put.body("operations: {unknown: native}").send().await.unwrap();
    assert_eq!(answer.status(), 422);
    assert!(answer.text().await.unwrap().contains("'unknown' is not an operation"));
}

#[tokio::test]
async fn a_button_changes_a_mode() {
    let front = front().await;
    let post = client()
        .post(format!("{}/_molt/mode", front.page))
        .basic_auth("molt", Some(PASSWORD))
        .header("content-type", "application/x-www-form-urlencoded")
        .body("operation=read_item&mode=canary&percent=25");
    let page = post.send().await.unwrap().text().await.unwrap();
    assert_eq!(front.view("read_item")["mode"], "canary 25%");
    assert!(page.contains("value=\"25\""), "it leads back to the page");
}
