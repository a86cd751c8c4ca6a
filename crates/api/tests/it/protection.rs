//! Limits, keys and TLS.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use reqwest::Method;
use testbed::{Postgres, Scratch, SmtpSink, rust, rust_binary};

use crate::client::{ADMIN, Api};

#[tokio::test]
async fn guessing_passwords_is_limited_by_account_and_by_address() {
    let limits = [("SIGN_IN_LIMIT_BY_ACCOUNT", "3"), ("SIGN_IN_LIMIT_BY_ADDRESS", "5")];
    let database = Scratch::new().await.unwrap();
    let service = rust(&database.url, &limits).await.unwrap();
    let api = Api::new(&service.url);
    let attempt = async |email: &str, forwarded: &str| {
        let form = format!("username={email}&password=wrong");
        let request = api
            .request(Method::POST, "/login/access-token")
            .header("content-type", "application/x-www-form-urlencoded")
            .header("x-forwarded-for", forwarded);
        request.body(form).send().await.unwrap()
    };
    for _ in 0..3 {
        assert_eq!(attempt("admin@example.com", "10.0.0.1").await.status(), 400);
    }
    let refused = attempt("Admin@example.com", "10.0.0.2").await;
    assert_eq!(refused.status(), 429);
    let seconds: u64 = refused.headers()["retry-after"].to_str().unwrap().parse().unwrap();
    assert!((1..=21).contains(&seconds), "{seconds}");
    assert_eq!(refused.text().await.unwrap(), r#"{"detail":"Too Many Requests"}"#);
    for number in 0..2 {
        assert_eq!(attempt(&format!("{number}@example.com"), "10.0.0.1").await.status(), 400);
    }
    assert_eq!(attempt("another@example.com", "10.0.0.1").await.status(), 429);
    assert_eq!(attempt("another@example.com", "10.0.0.3").await.status(), 400);
    let recovery = "/password-recovery/admin@example.com";
    assert_eq!(api.ask(Method::POST, recovery, None, None).await.0, 429);
}

#[tokio::test]
async fn what_is_too_much_is_refused_at_once() {
    let database = Scratch::new().await.unwrap();
    let service = rust(&database.url, &[("MAX_IN_FLIGHT", "1")]).await.unwrap();
    let api = Api::new(&service.url);
    // A request whose body is never sent holds the only permit, from when the body is read.
    let mut slow = TcpStream::connect(service.url.trim_start_matches("http://")).unwrap();
    let head = "POST /api/v1/users/signup HTTP/1.1\r\nhost: x\r\ncontent-length: 9\r\n";
    write!(slow, "{head}expect: 100-continue\r\n\r\n").unwrap();
    let mut go_on = [0; 25];
    slow.read_exact(&mut go_on).unwrap();
    assert_eq!(go_on, *b"HTTP/1.1 100 Continue\r\n\r\n");
    let refused = api.send(Method::GET, "/utils/health-check/", None, None).await;
    assert_eq!(refused.status(), 503);
    assert_eq!(refused.headers()["retry-after"], "1");
    assert!(!refused.headers().contains_key("connection"), "a new one would cost more");
    assert_eq!(refused.text().await.unwrap(), r#"{"detail":"Service Unavailable"}"#);
    let body = serde_json::json!({"email": "a@example.com", "password": "a good password"});
    let refused = api.send(Method::POST, "/users/signup", None, Some(body)).await;
    assert_eq!(refused.status(), 503);
    assert_eq!(refused.headers()["connection"], "close", "its body may not have been read");
    drop(slow);
    let start = Instant::now();
    while api.send(Method::GET, "/utils/health-check/", None, None).await.status() != 200 {
        assert!(start.elapsed() < Duration::from_secs(5), "the permit was never released");
    }
}

#[tokio::test]
async fn beyond_the_maximum_of_connections_idle_ones_are_closed() {
    let database = Scratch::new().await.unwrap();
    let service = rust(&database.url, &[("MAX_CONNECTIONS", "40")]).await.unwrap();
    let connect = || {
        let stream = TcpStream::connect(service.url.trim_start_matches("http://")).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
        stream
    };
    let ask = |mut stream: &TcpStream| {
        let request = "GET /api/v1/utils/health-check/ HTTP/1.1\r\nhost: x\r\n\r\n";
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = [0; 1024];
        let read = stream.read(&mut answer).unwrap();
        assert!(answer[..read].starts_with(b"HTTP/1.1 200"), "{:?}", &answer[..read]);
    };
    let used = connect();
    ask(&used);
    let idle: Vec<_> = (0..39).map(|_| connect()).collect();
    let new: Vec<_> = (0..3).map(|_| connect()).collect();
    new.iter().for_each(ask);
    let is_closed = |mut stream: &TcpStream| {
        stream.set_nonblocking(true).unwrap();
        stream.read(&mut [0]).is_ok_and(|read| read == 0)
    };
    let start = Instant::now();
    while idle.iter().filter(|stream| is_closed(stream)).count() < 3 {
        assert!(start.elapsed() < Duration::from_secs(10), "nothing is closed");
        std::thread::sleep(Duration::from_millis(10));
    }
    // Those that are used are not idle.
    new.iter().chain([&used]).for_each(ask);
}

#[tokio::test]
async fn bodies_beyond_what_may_be_held_at_a_time_are_refused() {
    let database = Scratch::new().await.unwrap();
    let settings = [("BODY_BUDGET_BYTES", "100000"), ("BODY_LIMIT_BYTES", "60000")];
    let service = rust(&database.url, &settings).await.unwrap();
    let address = service.url.trim_start_matches("http://");
    let begin = |length: usize| {
        let mut stream = TcpStream::connect(address).unwrap();
        let head = "POST /api/v1/users/signup HTTP/1.1\r\nhost: x\r\n";
        write!(stream, "{head}content-type: application/json\r\ncontent-length: 60000\r\n\r\n")
            .unwrap();
        stream.write_all(&vec![b' '; length]).unwrap();
        stream.set_nonblocking(true).unwrap();
        stream
    };
    let api = Api::new(&service.url);
    let mut held = begin(59_999);
    let body = serde_json::json!({"email": "a".repeat(50_000), "password": "a good password"});
    let start = Instant::now();
    // As soon as the first is read.
    let refused = loop {
        let answer = api.send(Method::POST, "/users/signup", None, Some(body.clone())).await;
        if answer.status() != 422 {
            break answer;
        }
        assert!(start.elapsed() < Duration::from_secs(20), "it is never refused");
        // It may be the first that found no room, while the second was read.
        if held.read(&mut [0]).is_ok() {
            held = begin(59_999);
        }
    };
    assert_eq!(refused.status(), 503);
    assert_eq!(refused.headers()["retry-after"], "1");
    assert_eq!(refused.headers()["connection"], "close", "its body was not read");
    assert_eq!(api.sign_up("small@example.com").await.0, 200, "small bodies do not count");
    drop(held);
    while api.send(Method::POST, "/users/signup", None, Some(body.clone())).await.status() != 422 {
        assert!(start.elapsed() < Duration::from_secs(20), "the room is never given back");
    }
}

#[tokio::test]
async fn tokens_outlive_a_change_of_keys() {
    let Scratch { url, .. } = &Scratch::new().await.unwrap();
    let old = rust(url, &[("SECRET_KEY", "old")]).await.unwrap();
    let token = Api::new(&old.url).sign_in(ADMIN).await;
    let rotated = [("SECRET_KEY", "new"), ("PREVIOUS_SECRET_KEYS", "older, old")];
    let rotated = rust(url, &rotated).await.unwrap();
    let api = Api::new(&rotated.url);
    assert_eq!(api.ask(Method::GET, "/users/me", Some(&token), None).await.0, 200);
    let new_token = api.sign_in(ADMIN).await;
    // The old key only reads: what is new is made with the new one.
    let old = Api::new(&old.url);
    assert_eq!(old.ask(Method::GET, "/users/me", Some(&new_token), None).await.0, 403);
    let done = rust(url, &[("SECRET_KEY", "new")]).await.unwrap();
    let done = Api::new(&done.url);
    assert_eq!(done.ask(Method::GET, "/users/me", Some(&token), None).await.0, 403);
    assert_eq!(done.ask(Method::GET, "/users/me", Some(&new_token), None).await.0, 200);
}

#[tokio::test]
async fn security_headers_are_there_when_asked_for() {
    let database = Scratch::new().await.unwrap();
    let service = rust(&database.url, &[("SECURITY_HEADERS", "true")]).await.unwrap();
    let api = Api::new(&service.url);
    let request = api.request(Method::GET, "/utils/health-check/");
    let answer = request.header("x-request-id", "7").send().await.unwrap();
    for (name, value) in [
        ("x-content-type-options", "nosniff"),
        ("x-frame-options", "DENY"),
        ("referrer-policy", "no-referrer"),
        ("strict-transport-security", "max-age=31536000"),
        ("x-request-id", "7"),
    ] {
        assert_eq!(answer.headers()[name], value);
    }
}

#[tokio::test]
async fn postgresql_is_reached_over_tls() {
    let folder = tempfile::tempdir().unwrap();
    let names = vec!["localhost".to_owned(), "127.0.0.1".to_owned()];
    let own = rcgen::generate_simple_self_signed(names.clone()).unwrap();
    let other = rcgen::generate_simple_self_signed(names).unwrap();
    let roots = folder.path().join("roots.pem");
    let unrelated = folder.path().join("other.pem");
    std::fs::write(&roots, own.cert.pem()).unwrap();
    std::fs::write(&unrelated, other.cert.pem()).unwrap();
    let postgres =
        Postgres::start_with_tls(&own.cert.pem(), &own.signing_key.serialize_pem()).await.unwrap();
    let url = postgres.database().await.unwrap();
    let with = |roots: &std::path::Path| {
        format!("{url}?sslmode=verify-full&sslrootcert={}", roots.display())
    };
    let service = rust(&with(&roots), &[]).await.unwrap();
    Api::new(&service.url).sign_in(ADMIN).await;
    let versions = sqlx::PgPool::connect(&url).await.unwrap();
    let encrypted: i64 = sqlx::query_scalar(
        "SELECT count(*) FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) \
         WHERE ssl AND pid <> pg_backend_pid()",
    )
    .fetch_one(&versions)
    .await
    .unwrap();
    assert!(encrypted > 0, "no connection is encrypted");
    let refused = Command::new(rust_binary().unwrap())
        .arg("migrate")
        .env("DATABASE_URL", with(&unrelated))
        .current_dir(folder.path())
        .stderr(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    // It waits for a server that can be trusted.
    tokio::time::sleep(Duration::from_secs(1)).await;
    let mut refused = refused;
    assert!(refused.try_wait().unwrap().is_none_or(|status| !status.success()));
    _ = refused.kill();
    let said = refused.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&said.stderr);
    assert!(said.to_lowercase().contains("certificate"), "{said}");
}

#[tokio::test]
async fn a_service_that_is_asked_to_go_ends_well() {
    let folder = tempfile::tempdir().unwrap();
    let database = Scratch::new().await.unwrap();
    let sink = SmtpSink::start().await.unwrap();
    let file = |name: &str| folder.path().join(name);
    let mut service = Command::new(rust_binary().unwrap())
        .env("DATABASE_URL", &database.url)
        .env("PORT", "0")
        .env("MANAGEMENT_PORT", "0")
        .envs(sink.settings())
        .current_dir(folder.path())
        .stdout(std::fs::File::create(file("log")).unwrap())
        .stderr(std::fs::File::create(file("errors")).unwrap())
        .spawn()
        .unwrap();
    let start = Instant::now();
    let management = loop {
        let log = std::fs::read_to_string(file("log")).unwrap();
        if let Some((_, after)) = log.split_once("Management: http://127.0.0.1:")
            && let Some((port, _)) = after.split_once("/metrics")
        {
            break port.to_owned();
        }
        assert!(start.elapsed() < Duration::from_secs(20), "{log}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    };
    let healthcheck = async |port: &str| {
        Command::new(rust_binary().unwrap())
            .arg("healthcheck")
            .env("MANAGEMENT_PORT", port)
            .current_dir(folder.path())
            .stderr(Stdio::null())
            .status()
            .unwrap()
            .success()
    };
    assert!(healthcheck(&management).await, "it is well");
    let log = std::fs::read_to_string(file("log")).unwrap();
    let (_, after) = log.split_once("Molt listens on ").unwrap();
    let api = Api::new(after.split_whitespace().next().unwrap());
    let admin = api.sign_in(ADMIN).await;
    for _ in 0..5 {
        let path = "/utils/test-email/?email_to=someone@example.com";
        assert_eq!(api.ask(Method::POST, path, Some(&admin), None).await.0, 201);
    }
    let pid = service.id().to_string();
    assert!(Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
    assert_eq!(service.wait().unwrap().code(), Some(0));
    let errors = std::fs::read_to_string(file("errors")).unwrap();
    assert!(!errors.contains("not sent"), "{errors}");
    assert_eq!(sink.mails(5).await.len(), 5, "what waits is sent before it ends");
    assert!(!healthcheck(&management).await, "it is gone");
}

#[tokio::test]
async fn without_its_schema_a_service_says_what_it_waits_for() {
    let postgres = Postgres::start().await.unwrap();
    let url = postgres.database().await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("log");
    let mut service = Command::new(rust_binary().unwrap())
        .envs([("PORT", "0"), ("MIGRATE_ON_START", "false"), ("DATABASE_URL", &url)])
        .current_dir(folder.path())
        .stdout(std::fs::File::create(&log).unwrap())
        .stderr(std::fs::File::create(folder.path().join("errors")).unwrap())
        .spawn()
        .unwrap();
    let says = async |file: &str, text: &str| {
        let start = Instant::now();
        loop {
            let said = std::fs::read_to_string(folder.path().join(file)).unwrap();
            if said.contains(text) {
                return;
            }
            assert!(start.elapsed() < Duration::from_secs(20), "'{text}' is not in {said}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    says("errors", "migrations, run `molt migrate`").await;
    let migrated = Command::new(rust_binary().unwrap())
        .arg("migrate")
        .env("DATABASE_URL", &url)
        .current_dir(folder.path())
        .stdout(Stdio::null())
        .status()
        .unwrap();
    assert!(migrated.success());
    says("log", "Molt listens on").await;
    _ = service.kill();
    _ = service.wait();
}
