//! A service behind the bridge, as an extension module: what another service has to write. The tests of
//! the wheel use it for what Molt's own service does not do: streams, waits and panics.

use std::convert::Infallible;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use asgi_bridge::{ApplicationCall, BoxError, Bridge, Exchange, Host, Started};
use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{OriginalUri, State};
use axum::response::IntoResponse;
use axum::routing::{get, post};
use futures_util::{StreamExt, stream};
use http::header::TRAILER;
use http_body_util::{BodyExt, StreamBody};
use pyo3::prelude::*;
use strangler::{InProcess, Operation, Operations, Settings, Strangler};
use tower::util::BoxCloneService;

/// How many requests were dropped before their end.
#[derive(Clone, Default)]
struct Dropped(Arc<AtomicUsize>);

struct Guard(Dropped);

impl Drop for Guard {
    fn drop(&mut self) {
        self.0.0.fetch_add(1, Ordering::Relaxed);
    }
}

fn router() -> Router {
    Router::new()
        .route("/who", get(|| async { "rust" }).post(|body: Bytes| async { body }))
        .route("/uri", get(|uri: OriginalUri| async move { uri.to_string() }))
        .route("/count", post(count))
        .route("/early", post(|| async { "early" }))
        .route("/ticks", get(ticks))
        .route("/trailers", get(trailers))
        .route("/panic", get(panics))
        .route("/panic-later", get(panics_later))
        .route("/forever", get(forever))
        .route("/dropped", get(dropped))
        .route("/sleep", get(sleep))
        .with_state(Dropped::default())
}

const OPERATIONS: [(&str, &str, &str); 12] = [
    ("who", "GET", "/who"),
    ("echo", "POST", "/who"),
    ("uri", "GET", "/uri"),
    ("count", "POST", "/count"),
    ("early", "POST", "/early"),
    ("ticks", "GET", "/ticks"),
    ("trailers", "GET", "/trailers"),
    ("panic", "GET", "/panic"),
    ("panic_later", "GET", "/panic-later"),
    ("forever", "GET", "/forever"),
    ("dropped", "GET", "/dropped"),
    ("sleep", "GET", "/sleep"),
];

/// Counts the bytes of a body without keeping them.
async fn count(body: Body) -> String {
    let mut body = body.into_data_stream();
    let mut count = 0;
    while let Some(Ok(chunk)) = body.next().await {
        count += chunk.len();
    }
    count.to_string()
}

/// Five chunks, with a pause before each.
async fn ticks() -> impl IntoResponse {
    Body::from_stream(stream::iter(0..5).then(|tick| async move {
        tokio::time::sleep(Duration::from_millis(20)).await;
        Ok::<_, Infallible>(format!("tick {tick}\n"))
    }))
}

async fn trailers() -> impl IntoResponse {
    let mut trailers = http::HeaderMap::new();
    trailers.insert("x-sum", http::HeaderValue::from_static("7"));
    let frames =
        [http_body::Frame::data(Bytes::from("body")), http_body::Frame::trailers(trailers)];
    let body = StreamBody::new(stream::iter(frames.map(Ok::<_, Infallible>)));
    ([(TRAILER, "x-sum")], Body::new(body.boxed_unsync()))
}

#[expect(clippy::panic, reason = "the test of panics")]
async fn panics() {
    panic!("on purpose")
}

async fn panics_later() -> impl IntoResponse {
    Body::from_stream(stream::iter(0..2).then(|chunk| async move {
        tokio::time::sleep(Duration::from_millis(20)).await;
        assert!(chunk == 0, "on purpose");
        Ok::<_, Infallible>("first")
    }))
}

async fn forever(State(dropped): State<Dropped>) {
    let _guard = Guard(dropped);
    std::future::pending::<()>().await;
}

async fn dropped(State(dropped): State<Dropped>) -> String {
    dropped.0.load(Ordering::Relaxed).to_string()
}

async fn sleep() -> &'static str {
    tokio::time::sleep(Duration::from_millis(200)).await;
    "slept"
}

struct Echo {
    plan: Option<PathBuf>,
}

impl Host for Echo {
    fn start(&self, old: InProcess) -> Result<Started, BoxError> {
        let settings = Settings {
            plan: self.plan.clone(),
            in_process: Some(old),
            ..Settings::new("http://in-this-process".parse()?)
        };
        let operations = OPERATIONS.map(|(id, method, path)| Operation::new(id, method, path));
        let strangler = Strangler::start(settings, Operations::new(operations))?;
        let service = BoxCloneService::new(router().layer(strangler.layer()));
        Ok(Started { service, strangler, stop: Box::pin(async {}) })
    }
}

#[pymodule]
mod _native {
    #[pymodule_export]
    use super::{ApplicationCall, Bridge, Exchange, bridge};
}

/// The service, with a plan's file.
#[pyfunction]
#[pyo3(signature = (plan=None))]
fn bridge(plan: Option<PathBuf>) -> Bridge {
    Bridge::new(Echo { plan }, Duration::from_secs(5))
}
