//! What is compared, what may differ, and what comparing takes.

use std::io::Write as _;

use axum::Json;
use axum::response::IntoResponse;
use axum::routing::get;
use http::HeaderMap;
use serde_json::json;

use super::*;

async fn front(
    legacy: axum::routing::MethodRouter,
    native: axum::routing::MethodRouter,
    change: impl FnOnce(&mut Settings),
) -> Front {
    let routes = |handler| Router::new().route("/items/{id}", handler);
    let mut settings = Settings::new(serve(routes(legacy)).await.parse().unwrap());
    change(&mut settings);
    let front = Front::start(routes(native), settings).await;
    front.set("read_item", "shadow");
    front
}

async fn ask(front: &Front) -> Vec<u8> {
    let get = client().get(format!("{}/items/7", front.url)).header("accept-encoding", "gzip, br");
    get.send().await.unwrap().bytes().await.unwrap().to_vec()
}

/// The old service compresses as `GZipMiddleware` does, the new one does not.
#[tokio::test]
async fn a_compressed_answer_is_compared_decoded() {
    for (native, expected) in [("right", "matches"), ("wrong", "mismatches")] {
        let legacy = get(async |headers: HeaderMap| {
            assert_eq!(headers["accept-encoding"], "gzip, br");
            let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
            gzip.write_all(br#"{"title":"right"}"#).unwrap();
            let coded = [
                ("content-type", "application/json"),
                ("content-encoding", "gzip"),
                ("vary", "Accept-Encoding"),
            ];
            (coded, gzip.finish().unwrap())
        });
        let native = get(async move || Json(json!({"title": native})));
        let front = front(legacy, native, |_| ()).await;
        assert!(ask(&front).await.starts_with(b"\x1f\x8b"), "the client gets it as it came");
        let view = front.until("read_item", |view| view[expected] == 1).await;
        let shown = view["last_differences"].to_string();
        assert_eq!(shown.contains("body.title"), native_differs(expected), "{shown}");
        assert!(!shown.contains("encoding") && !shown.contains("vary"), "{shown}");
    }
}

fn native_differs(expected: &str) -> bool {
    expected == "mismatches"
}

/// The old service makes something up in each answer: the page suggests it, a button lets it differ.
#[tokio::test]
async fn what_the_old_service_makes_up_is_suggested_and_may_differ() {
    let counter = Count::default();
    let legacy = get(async move || {
        let score = counter.fetch_add(1, Ordering::SeqCst);
        ([("x-cache", score.to_string())], Json(json!({"items": [{"id": 1, "score": score}]})))
    });
    let native = get(async || Json(json!({"items": [{"id": 1, "score": -1}]})));
    let front = front(legacy, native, |_| ()).await;
    ask(&front).await;
    let view = front.until("read_item", |view| view["noise"] == 1).await;
    let paths: Vec<_> = view["unsteady"].as_object().unwrap().keys().cloned().collect();
    assert_eq!(paths, ["body.items[*].score", "header x-cache"]);

    let page = || client().get(format!("{}/_molt", front.page)).bearer_auth(PASSWORD).send();
    let shown = page().await.unwrap().text().await.unwrap();
    assert!(shown.contains("value=\"body.items[*].score\">let it differ"), "{shown}");
    for path in paths {
        let post = client().post(format!("{}/_molt/may-differ", front.page)).bearer_auth(PASSWORD);
        let form = format!("path={}", path.replace(' ', "+").replace('[', "%5B"));
        let post = post.header("content-type", "application/x-www-form-urlencoded").body(form);
        assert_eq!(post.send().await.unwrap().status(), 200);
    }
    let shown = page().await.unwrap().text().await.unwrap();
    assert!(!shown.contains("let it differ"), "{shown}");
    assert!(shown.contains("<code>body.items[*].score</code>, "), "{shown}");
    ask(&front).await;
    let view = front.until("read_item", |view| view["matches"] == 1).await;
    assert_eq!(view["mismatches"], 0);
    // Not anything may.
    let post = client().post(format!("{}/_molt/may-differ", front.page)).bearer_auth(PASSWORD);
    let post = post.header("content-type", "application/x-www-form-urlencoded").body("place=x");
    assert_eq!(post.send().await.unwrap().status(), 422);
}

/// 300 answers of 900 KB that wait for a slow new service: 270 MB, of which a budget is kept.
#[tokio::test]
async fn copies_keep_to_their_budget() {
    const BODY: usize = 900 * 1024;
    const BUDGET: usize = 8 * 1024 * 1024;
    let legacy = get(async || vec![b'x'; BODY]);
    let native = get(async || {
        tokio::time::sleep(Duration::from_millis(100)).await;
        vec![b'x'; BODY]
    });
    let front = front(legacy, native, |settings| settings.comparison_memory = BUDGET).await;
    let client = client();
    let asks = (0..300).map(|_| async {
        let answer = client.get(format!("{}/items/7", front.url)).send().await.unwrap();
        answer.bytes().await.unwrap().len()
    });
    let lengths = futures_util::future::join_all(asks).await;
    assert!(lengths.iter().all(|length| *length == BODY), "clients get all of it");
    let compared = ["matches", "mismatches", "noise", "accepted", "uncompared", "dropped"];
    let sum = |view: &Value| compared.iter().map(|key| view[*key].as_u64().unwrap()).sum::<u64>();
    let view = front.until("read_item", |view| sum(view) == 300).await;
    assert!(view["dropped"].as_u64() > Some(200) && view["matches"].as_u64() > Some(0), "{view:#}");
    assert_eq!(view["mismatches"], 0);
    let start = Instant::now();
    loop {
        let memory = front.strangler.overview().memory;
        assert!(memory.peak <= BUDGET && memory.peak > BUDGET / 2, "{memory:?}");
        if memory.used == 0 {
            break;
        }
        assert!(start.elapsed() < Duration::from_secs(20), "not given back: {memory:?}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// The old service behind HTTPS, with a certificate of an authority of one's own.
#[tokio::test]
async fn a_private_authority_is_trusted_when_it_is_named() {
    use rustls::pki_types::PrivatePkcs8KeyDer;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    let key = rcgen::KeyPair::generate().unwrap();
    let mut authority = rcgen::CertificateParams::default();
    authority.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    let authority_pem = authority.self_signed(&key).unwrap().pem();
    let issuer = rcgen::Issuer::new(authority, key);
    let server_key = rcgen::KeyPair::generate().unwrap();
    let server = rcgen::CertificateParams::new(["localhost".to_owned()]).unwrap();
    let server = server.signed_by(&server_key, &issuer).unwrap();
    _ = rustls::crypto::ring::default_provider().install_default();
    let config = rustls::ServerConfig::builder().with_no_client_auth().with_single_cert(
        vec![server.der().clone()],
        PrivatePkcs8KeyDer::from(server_key.serialize_der()).into(),
    );
    let acceptor = tokio_rustls::TlsAcceptor::from(Arc::new(config.unwrap()));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("https://localhost:{}", listener.local_addr().unwrap().port());
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let acceptor = acceptor.clone();
            tokio::spawn(async move {
                let Ok(mut stream) = acceptor.accept(stream).await else { return };
                let mut head = Vec::new();
                while !head.ends_with(b"\r\n\r\n") {
                    head.push(stream.read_u8().await.unwrap());
                }
                let answer = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\nok";
                stream.write_all(answer.as_bytes()).await.unwrap();
                _ = stream.shutdown().await;
            });
        }
    });
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("authority.pem");
    std::fs::write(&file, authority_pem).unwrap();
    for (authority, status) in [(None, 502), (Some(file.clone()), 200)] {
        let mut settings = Settings::new(url.parse().unwrap());
        settings.legacy_ca = authority;
        let front = Front::start(always(|_| "new".into_response()), settings).await;
        let answer = client().get(format!("{}/x", front.url)).send().await.unwrap();
        assert_eq!(answer.status(), status);
    }
    std::fs::write(&file, "no certificate\n").unwrap();
    let mut settings = Settings::new(url.parse().unwrap());
    settings.legacy_ca = Some(file);
    let error = Strangler::start(settings, operations()).err().unwrap().to_string();
    assert!(error.contains("it has none"), "{error}");
}
