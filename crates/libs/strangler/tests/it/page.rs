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
        // Further ones are not tried at once.
        assert!([401, 429].contains(&wrong.status().as_u16()), "{method} {path}");
    }
    assert_eq!(front.view("read_item")["mode"], "legacy");
    // Without a guess so far.
    let front = self::front().await;
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

/// What the page's forms have.
async fn token(front: &Front) -> String {
    let page = client().get(format!("{}/_molt", front.page)).basic_auth("x", Some(PASSWORD));
    let page = page.send().await.unwrap().text().await.unwrap();
    let (_, rest) = page.split_once("name=\"token\" value=\"").unwrap();
    rest.split_once('"').unwrap().0.to_owned()
}

#[tokio::test]
async fn a_button_changes_a_mode() {
    let front = front().await;
    let post = client()
        .post(format!("{}/_molt/mode", front.page))
        .basic_auth("molt", Some(PASSWORD))
        .header("content-type", "application/x-www-form-urlencoded")
        .header("sec-fetch-site", "same-origin")
        .body(format!("token={}&operation=read_item&mode=canary&percent=25", token(&front).await));
    let page = post.send().await.unwrap().text().await.unwrap();
    assert_eq!(front.view("read_item")["mode"], "canary 25%");
    assert!(page.contains("value=\"25\""), "it leads back to the page");
}

/// Not every browser says where a request comes from, and over plain HTTP none does.
#[tokio::test]
async fn a_page_of_another_site_changes_nothing() {
    let front = front().await;
    let host = front.page.trim_start_matches("http://").to_owned();
    let token = token(&front).await;
    for (header, value, status) in [
        ("origin", "http://evil.test".to_owned(), 403),
        ("origin", "null".to_owned(), 403),
        ("x-none", String::new(), 403),
        ("sec-fetch-site", "same-site".to_owned(), 403),
        ("origin", format!("http://{host}.evil.test"), 403),
        ("sec-fetch-site", "none".to_owned(), 204),
        ("origin", format!("http://{host}"), 204),
    ] {
        let put = client().put(format!("{}/_molt/plan", front.page));
        let put = put.basic_auth("molt", Some(PASSWORD)).header(header, &value);
        let put = put.header("x-molt-token", &token);
        let answer = put.body("default: shadow").send().await.unwrap();
        assert_eq!(answer.status(), status, "{header}: {value}");
    }
    // Each of the headers must name the page's own origin.
    let own = format!("http://{host}");
    for headers in [
        [("origin", &*own), ("origin", "http://evil.test")],
        [("sec-fetch-site", "same-origin"), ("origin", "http://evil.test")],
        [("sec-fetch-site", "same-origin"), ("sec-fetch-site", "cross-site")],
    ] {
        let put = client().put(format!("{}/_molt/plan", front.page));
        let put = put.basic_auth("molt", Some(PASSWORD)).header("x-molt-token", &token);
        let put = headers.iter().fold(put, |put, (name, value)| put.header(*name, *value));
        assert_eq!(put.body("default: native").send().await.unwrap().status(), 403, "{headers:?}");
    }
    let page = client().get(format!("{}/_molt", front.page)).bearer_auth(PASSWORD);
    let page = page.send().await.unwrap();
    // Else browsers would send `Origin: null` from it.
    assert_eq!(page.headers()["referrer-policy"], "same-origin");
    assert_eq!(page.headers()["x-frame-options"], "DENY");
    assert_eq!(page.headers()["cache-control"], "no-store");
}

/// A page of the same site, or one that forges the origin, does not know the token.
#[tokio::test]
async fn a_change_needs_the_page_s_token() {
    let front = front().await;
    let right = token(&front).await;
    assert!(right.len() >= 43, "{right}");
    for (token, status) in [("", 403), ("token=wrong&", 403), (&*format!("token={right}&"), 303)] {
        let post =
            reqwest::Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none());
        let post = post.build().unwrap().post(format!("{}/_molt/mode", front.page));
        let post = post.basic_auth("molt", Some(PASSWORD)).header("sec-fetch-site", "same-origin");
        let post = post.header("content-type", "application/x-www-form-urlencoded");
        let post = post.body(format!("{token}operation=read_item&mode=shadow"));
        assert_eq!(post.send().await.unwrap().status(), status, "{token}");
    }
    assert_eq!(front.view("read_item")["mode"], "shadow");
}

#[tokio::test]
async fn passwords_are_guessed_slowly() {
    let front = front().await;
    let guess = || {
        let get = client().get(format!("{}/_molt", front.page)).basic_auth("x", Some("wrong"));
        async { get.send().await.unwrap().status().as_u16() }
    };
    let guesses = futures_util::future::join_all((0..10).map(|_| guess())).await;
    assert_eq!(guesses.iter().filter(|status| **status == 401).count(), 1, "{guesses:?}");
    assert!(guesses.iter().all(|status| [401, 429].contains(status)), "{guesses:?}");
    let right = client().get(format!("{}/_molt", front.page)).bearer_auth(PASSWORD);
    assert_eq!(right.send().await.unwrap().status(), 200);
}

/// A guess that is right looks like the others while they are too many.
#[tokio::test]
async fn the_right_one_of_many_guesses_is_not_found_out() {
    let front = front().await;
    let guess = |password: String| {
        let get = client().get(format!("{}/_molt", front.page)).basic_auth("x", Some(password));
        async { get.send().await.unwrap().status().as_u16() }
    };
    let wrong = futures_util::future::join_all((0..20).map(|n| guess(n.to_string())));
    let right = async {
        tokio::time::sleep(Duration::from_millis(200)).await;
        guess(PASSWORD.to_owned()).await
    };
    let (wrong, right) = tokio::join!(wrong, right);
    assert_eq!(wrong.iter().filter(|status| **status == 401).count(), 1, "{wrong:?}");
    assert_eq!(right, 429);
    tokio::time::sleep(Duration::from_millis(600)).await;
    assert_eq!(guess(PASSWORD.to_owned()).await, 200);
}
