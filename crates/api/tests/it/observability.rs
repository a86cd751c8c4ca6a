//! Logs, traces and metrics of the Rust service, as those who run it see them.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use axum::body::Bytes;
use axum::extract::State;
use http::HeaderMap;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::trace::v1::Span;
use prost::Message;
use reqwest::Method;
use serde_json::{Value, json};
use testbed::proxy::{Network, Proxy};
use testbed::{Scratch, Service, SmtpSink, rust};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpListener;

use crate::client::{ADMIN, Api, PASSWORD};
use crate::management::get;

pub(crate) const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";
pub(crate) const PARENT: &str = "b7ad6b7169203331";

/// A server that keeps what it is sent: headers and bodies.
#[derive(Clone, Default)]
pub(crate) struct Received(Arc<Mutex<Vec<(HeaderMap, Bytes)>>>);

impl Received {
    pub(crate) async fn listen(&self) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let keep = async |State(Self(all)): State<Self>, headers: HeaderMap, body: Bytes| {
            all.lock().unwrap().push((headers, body));
        };
        let router = axum::Router::new().fallback(keep).with_state(self.clone());
        tokio::spawn(axum::serve(listener, router).into_future());
        url
    }

    pub(crate) fn all(&self) -> Vec<(HeaderMap, Bytes)> {
        self.0.lock().unwrap().clone()
    }

    fn spans(&self) -> Vec<Span> {
        let requests = self
            .all()
            .into_iter()
            .map(|(_, body)| ExportTraceServiceRequest::decode(body).unwrap());
        requests
            .flat_map(|request| request.resource_spans)
            .flat_map(|of_resource| of_resource.scope_spans)
            .flat_map(|of_scope| of_scope.spans)
            .collect()
    }
}

/// The log's lines about requests.
async fn lines(service: &Service, count: usize) -> Vec<Value> {
    let start = Instant::now();
    loop {
        let log = service.log();
        let lines = log.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        let lines: Vec<_> = lines.filter(|line| line["message"] == "request").collect();
        if lines.len() >= count {
            return lines;
        }
        assert!(start.elapsed() < Duration::from_secs(10), "{log}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// The log's first line with this message.
async fn line(service: &Service, message: &str) -> Value {
    let start = Instant::now();
    loop {
        let log = service.log();
        let mut lines = log.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        if let Some(line) = lines.find(|line| line["message"] == message) {
            return line;
        }
        assert!(start.elapsed() < Duration::from_secs(10), "{log}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |text, byte| text + &format!("{byte:02x}"))
}

#[tokio::test]
async fn a_request_is_logged_in_a_line_and_a_trace() {
    let collector = Received::default();
    let endpoint = collector.listen().await;
    let database = Scratch::new().await.unwrap();
    let service = rust(&database.url, &[("OTEL_EXPORTER_OTLP_ENDPOINT", &endpoint)]).await.unwrap();
    let api = Api::new(&service.url);
    let token = api.sign_in(ADMIN).await;
    let answer = api
        .request(Method::GET, "/users/me")
        .bearer_auth(&token)
        .header("traceparent", format!("00-{TRACE}-{PARENT}-01"))
        .header("x-request-id", "the-proxy-says-7")
        .send()
        .await
        .unwrap();
    assert!(answer.headers().get("x-request-id").is_none(), "it is not asked for");
    let me: Value = serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap();

    let logged = lines(&service, 2).await;
    let [sign_in, line] = logged.as_slice() else { panic!("{logged:?}") };
    assert_eq!(line["request_id"], "the-proxy-says-7");
    assert_eq!(line["trace_id"], TRACE);
    assert_eq!(line["method"], "GET");
    assert_eq!(line["operation"], "users-read_user_me");
    assert_eq!(line["status"], 200);
    assert_eq!(line["user_id"], me["id"]);
    assert!(line["milliseconds"].as_f64().unwrap() > 0.0);
    assert_eq!(sign_in["trace_id"].as_str().unwrap().len(), 32);
    assert_eq!(sign_in["request_id"], sign_in["trace_id"], "the request came without an id");
    assert_eq!(sign_in["user_id"], Value::Null);

    // Spans wait for others; at the end they are sent at once.
    service.stop().await;
    let spans = collector.spans();
    let of_line = |line: &Value| {
        let id = line["trace_id"].as_str().unwrap();
        let of = |span: &&Span| hex(&span.trace_id) == id;
        spans.iter().filter(of).collect::<Vec<_>>()
    };
    let read = of_line(line);
    let server = read.iter().find(|span| span.name == "GET /api/v1/users/me").unwrap();
    assert_eq!(hex(&server.parent_span_id), PARENT);
    assert_eq!(server.kind, 2, "a server's");
    let names: Vec<_> = of_line(sign_in).iter().map(|span| span.name.as_str()).collect();
    assert!(names.contains(&"POST /api/v1/login/access-token"), "{names:?}");
    assert!(names.contains(&"password"), "what takes long has a span of its own: {names:?}");
}

#[tokio::test]
async fn statements_are_spans_of_their_request() {
    let postgres = testbed::Postgres::start().await.unwrap();
    let collector = Received::default();
    let endpoint = collector.listen().await;
    let url = postgres.database().await.unwrap();
    let service = rust(&url, &[("OTEL_EXPORTER_OTLP_ENDPOINT", &endpoint)]).await.unwrap();
    Api::new(&service.url).sign_in(ADMIN).await;
    service.stop().await;
    let spans = collector.spans();
    let server = spans.iter().find(|span| span.name.starts_with("POST")).unwrap();
    let statement = spans
        .iter()
        .find(|span| span.name == "postgresql" && span.parent_span_id == server.span_id)
        .unwrap();
    assert_eq!(statement.kind, 3, "a client's");
}

#[tokio::test]
async fn metrics_tell_of_requests_and_of_the_process() {
    let sink = SmtpSink::start().await.unwrap();
    let settings = sink.settings();
    let mut settings: Vec<_> = settings.iter().map(|(name, v)| (*name, v.as_str())).collect();
    settings.extend([("MANAGEMENT_PORT", "0"), ("DATABASE_POOL_SIZE", "1")]);
    let database = Scratch::new().await.unwrap();
    let service = rust(&database.url, &settings).await.unwrap();
    let api = Api::new(&service.url);
    let admin = api.sign_in(ADMIN).await;
    api.ask(Method::GET, "/users/0", Some(&admin), None).await;
    api.ask(Method::GET, "/nowhere", None, None).await;
    let path = "/utils/test-email/?email_to=someone@example.com";
    assert_eq!(api.ask(Method::POST, path, Some(&admin), None).await.0, 201);
    sink.mails(1).await;
    let (_, metrics) = get(&format!("{}/metrics", service.management().await.unwrap())).await;
    for line in [
        r#"http_server_requests_total{operation="login-login_access_token",method="POST",status="200"} 1"#,
        r#"http_server_requests_total{operation="users-read_user_by_id",method="GET",status="422"} 1"#,
        r#"http_server_requests_total{operation="none",method="GET",status="404"} 1"#,
        r#"http_server_request_duration_seconds_count{operation="users-read_user_by_id"} 1"#,
        "http_server_requests_in_flight 0",
        "http_server_requests_refused_total 0",
        "password_hashes_waiting 0",
        "emails_sent_total 1",
        "emails_waiting 0",
        "database_connections_max 1",
        "database_connections_open 1",
    ] {
        assert!(metrics.contains(&format!("{line}\n")), "{line} is not in\n{metrics}");
    }
    for name in ["molt_build_info{version=", "tokio_workers ", "process_resident_memory_bytes "] {
        assert!(metrics.contains(&format!("\n{name}")), "{name} is not in\n{metrics}");
    }
    assert!(metrics.ends_with("# EOF\n"), "{metrics}");
}

/// A mail server that refuses every recipient, with the address in its response.
async fn refusing_mail_server() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let mut stream = BufReader::new(stream);
                stream.write_all(b"220 here\r\n").await.unwrap();
                let mut line = String::new();
                while stream.read_line(&mut line).await.unwrap_or(0) > 0 {
                    let answer = match line.get(..4) {
                        Some("RCPT") => format!("550 no such user: {}\r\n", line.trim()),
                        _ => "250 fine\r\n".to_owned(),
                    };
                    line.clear();
                    stream.write_all(answer.as_bytes()).await.unwrap();
                }
            });
        }
    });
    port
}

#[tokio::test]
async fn no_secret_and_no_address_is_logged() {
    let collector = Received::default();
    let endpoint = collector.listen().await;
    let port = refusing_mail_server().await.to_string();
    let postgres = testbed::Postgres::start().await.unwrap();
    let url = postgres.database().await.unwrap();
    let settings = [
        ("ENVIRONMENT", "staging"),
        ("MIGRATE_ON_START", "true"),
        ("DRAIN_SECONDS", "0"),
        ("SECRET_KEY", "a-key-of-our-own"),
        ("FIRST_SUPERUSER_PASSWORD", PASSWORD),
        ("MANAGEMENT_PORT", "0"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint.as_str()),
        ("RUST_LOG", "debug"),
        ("SMTP_HOST", "127.0.0.1"),
        ("SMTP_PORT", &port),
        ("SMTP_TLS", "false"),
        ("EMAILS_FROM_EMAIL", "sender@example.com"),
    ];
    let service = rust(&url, &settings).await.unwrap();
    let api = Api::new(&service.url);
    let (status, _) = api.sign_up("private.person@example.com").await;
    assert_eq!(status, 200);
    assert_eq!(api.sign_up("private.person@example.com").await.0, 400);
    let token = api.sign_in(("private.person@example.com", PASSWORD)).await;
    assert_eq!(api.try_sign_in("private.person@example.com", "a wrong password").await.0, 400);
    let path = "/password-recovery/private.person@example.com";
    assert_eq!(api.ask(Method::POST, path, None, None).await.0, 200);
    let admin = api.sign_in(("admin@example.com", PASSWORD)).await;
    let path = "/password-recovery-html-content/private.person@example.com";
    assert_eq!(api.ask(Method::POST, path, Some(&admin), None).await.0, 200);
    let new = json!({"current_password": PASSWORD, "new_password": "another good one"});
    api.ask(Method::PATCH, "/users/me/password", Some(&token), Some(new)).await;
    api.ask(Method::GET, "/users/?skip=x&q=private.person@example.com", Some(&token), None).await;
    let start = Instant::now();
    while !service.log().contains("answered 550") {
        assert!(start.elapsed() < Duration::from_secs(10), "{}", service.log());
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let (_, metrics) = get(&format!("{}/metrics", service.management().await.unwrap())).await;
    let log = service.log();
    service.stop().await;
    let spans = format!("{:?}", collector.spans());
    assert!(spans.contains("POST /api/v1/password-recovery/{email}"), "{spans}");
    for (where_from, text) in [("log", &log), ("metrics", &metrics), ("spans", &spans)] {
        for secret in [
            "private.person",
            "@example.com",
            PASSWORD,
            "a wrong password",
            "another good one",
            "a-key-of-our-own",
            "$argon2",
            token.as_str(),
            admin.as_str(),
        ] {
            assert!(!text.contains(secret), "{secret} is in the {where_from}:\n{text}");
        }
    }
}

#[tokio::test]
async fn errors_are_logged_with_their_causes_and_their_request_whatever_the_filter() {
    let postgres = testbed::Postgres::start().await.unwrap();
    for filter in ["info", "warn", "error"] {
        let url = postgres.database().await.unwrap().parse().unwrap();
        let (proxy, through) = Proxy::before(&url).await.unwrap();
        let settings = [
            ("RUST_LOG", filter),
            ("DATABASE_TIMEOUT_SECONDS", "1"),
            ("MANAGEMENT_PORT", "0"),
            ("SMTP_HOST", "127.0.0.1"),
            // No server listens there.
            ("SMTP_PORT", "1"),
            ("EMAILS_FROM_EMAIL", "molt@example.com"),
        ];
        let service = rust(through.as_str(), &settings).await.unwrap();
        let api = Api::new(&service.url);
        let token = api.sign_in(ADMIN).await;
        let recovery = api.request(Method::POST, "/password-recovery/admin@example.com");
        recovery.header("x-request-id", "lost-mail").send().await.unwrap();
        let lost = line(&service, "an e-mail could not be sent").await;
        assert_eq!(lost["span"]["request_id"], "lost-mail", "{lost}");
        assert!(lost["reason"].as_str().unwrap().contains("refused"), "{lost}");
        if filter == "error" {
            continue;
        }
        proxy.set(Network::Cut);
        let request = api.request(Method::GET, "/users/me").bearer_auth(&token);
        let answer = request.header("x-request-id", "no-database").send().await.unwrap();
        assert_eq!(answer.status(), 503);
        assert_eq!(answer.headers()["retry-after"], "1");
        let failed = line(&service, "database unavailable").await;
        assert_eq!(failed["span"]["request_id"], "no-database", "{failed}");
        let causes = |line: &Value| line["error"].as_str().unwrap().matches(": ").count();
        assert!(causes(&failed) >= 2, "{failed}");
        assert_eq!(service.log().matches("database unavailable\"").count(), 1, "{}", service.log());
        // While nothing is known of the schema, a process without a database is not ready.
        get(&format!("{}/readyz", service.management().await.unwrap())).await;
        let unready = line(&service, "not ready").await;
        assert!(unready["span"].is_null() && causes(&unready) >= 2, "{unready}");
    }
}
