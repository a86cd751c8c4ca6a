//! Clients that send a complete request and disconnect: what it does to the database is the same in
//! both services, and the Rust service reports each of them.

use std::time::{Duration, Instant};

use reqwest::Method;
use serde_json::{Value, json};
use testbed::{Scratch, Service, legacy, rust};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use crate::client::{ADMIN, Api, PASSWORD};
use crate::management::get;

/// From the last byte of the request to the end of the connection, in milliseconds.
const DELAYS: [u64; 4] = [0, 5, 30, 100];

const NEW_PASSWORD: &str = "another good password";

/// Every operation that writes, by its name and what it needs.
const WRITES: [&str; 12] = [
    "signup",
    "private user",
    "create user",
    "update user",
    "delete user",
    "update me",
    "update my password",
    "delete me",
    "reset password",
    "create item",
    "update item",
    "delete item",
];

/// Sends a request, waits, and closes the connection without reading.
async fn send_and_leave(service: &Service, request: &str, delay: Duration) {
    let address = service.url.trim_start_matches("http://");
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.set_nodelay(true).unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    tokio::time::sleep(delay).await;
}

fn request(method: &str, path: &str, token: Option<&str>, body: Option<&Value>) -> String {
    let authorization =
        token.map(|token| format!("authorization: Bearer {token}\r\n")).unwrap_or_default();
    let body = body.map(Value::to_string).unwrap_or_default();
    let length = body.len();
    format!(
        "{method} /api/v1{path} HTTP/1.1\r\nhost: x\r\n{authorization}\
         content-type: application/json\r\ncontent-length: {length}\r\n\r\n{body}"
    )
}

/// A token by which a password can be reset, as the recovery e-mail has it.
async fn reset_token(api: &Api, admin: &str, email: &str) -> String {
    let path = format!("/password-recovery-html-content/{email}");
    let html = api.send(Method::POST, &path, Some(admin), None).await.text().await.unwrap();
    let (_, after) = html.split_once("token=").unwrap();
    after.split(['"', '\'', '&', '<']).next().unwrap().to_owned()
}

/// Prepares what an operation needs, and gives its request.
async fn prepared(api: &Api, admin: &str, write: &str, email: &str) -> String {
    let new_email = format!("new-{email}");
    let user = json!({"email": new_email, "password": PASSWORD});
    match write {
        "signup" => return request("POST", "/users/signup", None, Some(&user)),
        "create user" => return request("POST", "/users/", Some(admin), Some(&user)),
        "private user" => {
            let user = json!({"email": new_email, "password": PASSWORD, "full_name": "x"});
            return request("POST", "/private/users/", None, Some(&user));
        }
        _ => {}
    }
    let (status, user) = api.sign_up(email).await;
    assert_eq!(status, 200);
    let token = api.sign_in((email, PASSWORD)).await;
    let token = Some(token.as_str());
    let user = format!("/users/{}", user["id"].as_str().unwrap());
    let title = json!({"title": format!("of {email}")});
    match write {
        "update user" => {
            let body = json!({"full_name": "changed", "password": NEW_PASSWORD});
            request("PATCH", &user, Some(admin), Some(&body))
        }
        "delete user" => request("DELETE", &user, Some(admin), None),
        "update me" => request("PATCH", "/users/me", token, Some(&json!({"full_name": "mine"}))),
        "update my password" => {
            let body = json!({"current_password": PASSWORD, "new_password": NEW_PASSWORD});
            request("PATCH", "/users/me/password", token, Some(&body))
        }
        "delete me" => request("DELETE", "/users/me", token, None),
        "reset password" => {
            let token = reset_token(api, admin, email).await;
            let body = json!({"token": token, "new_password": NEW_PASSWORD});
            request("POST", "/reset-password/", None, Some(&body))
        }
        "create item" => request("POST", "/items/", token, Some(&title)),
        _ => {
            let (_, item) = api.ask(Method::POST, "/items/", token, Some(title)).await;
            let item = format!("/items/{}", item["id"].as_str().unwrap());
            if write == "update item" {
                let body = json!({"title": format!("changed by {email}")});
                request("PUT", &item, token, Some(&body))
            } else {
                request("DELETE", &item, token, None)
            }
        }
    }
}

/// What the database holds: users with the password they sign in with, and the titles of items.
async fn state(api: &Api, admin: &str) -> Vec<Value> {
    let (_, users) = api.ask(Method::GET, "/users/?limit=1000", Some(admin), None).await;
    let mut state = Vec::new();
    for user in users["data"].as_array().unwrap() {
        let email = user["email"].as_str().unwrap();
        let mut password = Value::Null;
        // Each costs a hash: only where it may have changed.
        if email.contains("password") || email.contains("update-user") {
            for candidate in [PASSWORD, NEW_PASSWORD] {
                if api.try_sign_in(email, &candidate.replace(' ', "+")).await.0 == 200 {
                    password = candidate.into();
                }
            }
        }
        state.push(json!([email, user["full_name"], user["is_active"], password]));
    }
    let (_, items) = api.ask(Method::GET, "/items/?limit=1000", Some(admin), None).await;
    state.extend(items["data"].as_array().unwrap().iter().map(|item| item["title"].clone()));
    state.sort_by_key(Value::to_string);
    state
}

/// Sends every write with every delay, and gives what the database holds afterwards.
async fn run(service: &Service) -> Vec<Value> {
    let api = Api::new(&service.url);
    let admin = api.sign_in(ADMIN).await;
    let mut requests = Vec::new();
    for write in WRITES {
        for delay in DELAYS {
            let email = format!("{}-{delay}@example.com", write.replace(' ', "-"));
            let request = prepared(&api, &admin, write, &email).await;
            requests.push((request, Duration::from_millis(delay)));
        }
    }
    for (request, delay) in requests {
        send_and_leave(service, &request, delay).await;
    }
    // Done when nothing changes any more.
    let mut before = state(&api, &admin).await;
    loop {
        tokio::time::sleep(Duration::from_millis(500)).await;
        let now = state(&api, &admin).await;
        if now == before {
            return now;
        }
        before = now;
    }
}

#[tokio::test]
async fn a_write_whose_client_disconnects_does_the_same_in_both_services() {
    let (one, other) = (Scratch::new().await.unwrap(), Scratch::new().await.unwrap());
    let python = legacy(&one.url, &[]).await.unwrap();
    // All at once: more passwords than are to wait otherwise.
    let settings = [("MANAGEMENT_PORT", "0"), ("PASSWORD_QUEUE_SECONDS", "300")];
    let rust = rust(&other.url, &settings).await.unwrap();
    let (expected, found) = tokio::join!(run(&python), run(&rust));
    assert_eq!(found, expected);

    let has = |text: &str| found.iter().any(|row| row.to_string().contains(text));
    for delay in DELAYS {
        assert!(has(&format!("new-signup-{delay}@")), "the sign-up after {delay} ms is there");
        assert!(has(&format!("of create-item-{delay}@")), "the item after {delay} ms is there");
        assert!(!has(&format!("\"delete-user-{delay}@")), "the user is deleted after {delay} ms");
    }

    // Each has its line and its count.
    let (_, metrics) = get(&format!("{}/metrics", rust.management().await.unwrap())).await;
    let signups =
        r#"http_server_requests_total{operation="users-register_user",method="POST",status="499"}"#;
    assert!(metrics.contains(signups), "{metrics}");
    assert!(metrics.contains("http_server_requests_in_flight 0\n"), "{metrics}");
    let line = rust
        .log()
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok())
        .find(|line| line["status"] == 499 && line["operation"] == "users-register_user")
        .expect("a sign-up without a client has a line");
    assert_eq!(line["completed_status"], 200);
}

#[tokio::test]
async fn a_read_whose_client_disconnects_is_cancelled_and_reported() {
    let postgres = testbed::Postgres::start().await.unwrap();
    let url = postgres.database().await.unwrap();
    let service = rust(&url, &[("MANAGEMENT_PORT", "0")]).await.unwrap();
    let api = Api::new(&service.url);
    let admin = api.sign_in(ADMIN).await;
    let pool = sqlx::PgPool::connect(&url).await.unwrap();
    let mut lock = pool.begin().await.unwrap();
    sqlx::query("LOCK TABLE item IN ACCESS EXCLUSIVE MODE").execute(&mut *lock).await.unwrap();
    let read = request("GET", "/items/", Some(&admin), None);
    send_and_leave(&service, &read, Duration::from_millis(200)).await;
    let start = Instant::now();
    let line = loop {
        let log = service.log();
        let lines = log.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        if let Some(line) = lines.into_iter().find(|line| line["status"] == 499) {
            break line;
        }
        assert!(start.elapsed() < Duration::from_secs(10), "{log}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    };
    assert_eq!(line["method"], "GET");
    assert_eq!(line["operation"], "items-read_items");
    assert_eq!(line["completed_status"], Value::Null);
    lock.rollback().await.unwrap();
}

/// The lines of requests whose client has disconnected, by operation.
fn disconnected(service: &Service, operation: &str) -> Vec<Value> {
    let log = service.log();
    let lines = log.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    lines.filter(|line| line["status"] == 499 && line["operation"] == operation).collect()
}

#[tokio::test]
async fn a_sign_in_whose_client_disconnects_while_it_waits_is_not_hashed_and_a_sign_up_is() {
    const EACH: usize = 6;
    let database = Scratch::new().await.unwrap();
    let settings =
        [("PASSWORD_THREADS", "1"), ("PASSWORD_QUEUE_SECONDS", "300"), ("MANAGEMENT_PORT", "0")];
    let service = rust(&database.url, &settings).await.unwrap();
    let form = "username=unknown@example.com&password=wrong";
    let sign_in = format!(
        "POST /api/v1/login/access-token HTTP/1.1\r\nhost: x\r\ncontent-length: {}\r\n\
         content-type: application/x-www-form-urlencoded\r\n\r\n{form}",
        form.len()
    );
    let mut clients = tokio::task::JoinSet::new();
    for number in 0..EACH {
        let body = json!({"email": format!("waits{number}@example.com"), "password": PASSWORD});
        for request in [request("POST", "/users/signup", None, Some(&body)), sign_in.clone()] {
            let address = service.url.trim_start_matches("http://").to_owned();
            clients.spawn(async move {
                let mut stream = TcpStream::connect(address).await.unwrap();
                stream.write_all(request.as_bytes()).await.unwrap();
                tokio::time::sleep(Duration::from_millis(100)).await;
            });
        }
    }
    clients.join_all().await;
    let start = Instant::now();
    while disconnected(&service, "users-register_user").len() < EACH {
        assert!(start.elapsed() < Duration::from_mins(1), "{}", service.log());
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let signed_up = disconnected(&service, "users-register_user");
    assert!(signed_up.iter().all(|line| line["completed_status"] == 200), "{signed_up:?}");
    let sign_ins = disconnected(&service, "login-login_access_token");
    assert_eq!(sign_ins.len(), EACH, "each has its line: {sign_ins:?}");
    // One or two may have been at a thread by then.
    let refused = sign_ins.iter().filter(|line| line["completed_status"] == 503).count();
    assert!(refused >= EACH - 2, "{sign_ins:?}");
    let (_, metrics) = get(&format!("{}/metrics", service.management().await.unwrap())).await;
    let (_, hashes) = metrics.split_once("\npassword_hashes_total ").unwrap();
    let hashes: usize = hashes.split_whitespace().next().unwrap().parse().unwrap();
    // The first superuser's is one of them.
    assert_eq!(hashes, 1 + EACH + (EACH - refused), "{metrics}");
    assert!(metrics.contains("password_hashes_waiting 0\n"), "{metrics}");
}

#[tokio::test]
async fn half_a_body_is_no_request() {
    let database = Scratch::new().await.unwrap();
    let service = rust(&database.url, &[]).await.unwrap();
    let body = json!({"email": "half@example.com", "password": PASSWORD});
    let whole = request("POST", "/users/signup", None, Some(&body));
    // All that is missing is the last byte, which is a blank.
    let length = body.to_string().len();
    let half = whole
        .replace(&format!("content-length: {length}"), &format!("content-length: {}", length + 1));
    send_and_leave(&service, &half, Duration::from_millis(50)).await;
    tokio::time::sleep(Duration::from_millis(500)).await;
    let (status, _) = Api::new(&service.url).sign_up("half@example.com").await;
    assert_eq!(status, 200, "it does not exist yet");
}

#[tokio::test]
async fn a_shutdown_waits_for_writes_without_clients() {
    let database = Scratch::new().await.unwrap();
    let settings = [("PASSWORD_THREADS", "1"), ("PASSWORD_QUEUE_SECONDS", "300")];
    let service = rust(&database.url, &settings).await.unwrap();
    for number in 0..5 {
        let body = json!({"email": format!("last{number}@example.com"), "password": PASSWORD});
        let request = request("POST", "/users/signup", None, Some(&body));
        send_and_leave(&service, &request, Duration::from_millis(5)).await;
    }
    service.stop().await;
    let again = rust(&database.url, &[]).await.unwrap();
    for number in 0..5 {
        let (status, _) = Api::new(&again.url).sign_up(&format!("last{number}@example.com")).await;
        assert_eq!(status, 400, "sign-up {number} was finished");
    }
}
