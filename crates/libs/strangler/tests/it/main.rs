//! The strangler between a client and two services, one of which may misbehave.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test ends so")]

mod browser;
mod canaries;
mod comparing;
mod measures;
mod modes;
mod page;
mod plan;
mod proxy;
mod rehearsals;
mod wire;

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use axum::Router;
use axum::extract::Request;
use axum::response::Response;
use serde_json::Value;
use strangler::{Operation, Operations, Settings, Strangler};
use tokio::net::TcpListener;

const PASSWORD: &str = "a password";

/// Serves a router on a free port and gives its address.
async fn serve(router: Router) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let service = router.into_make_service_with_connect_info::<std::net::SocketAddr>();
    tokio::spawn(async { axum::serve(listener, service).await });
    format!("http://{address}")
}

/// A service that answers everything so.
fn always(answer: fn(Request) -> Response) -> Router {
    Router::new().fallback(async move |request: Request| answer(request))
}

fn operations() -> Operations {
    Operations::new([
        Operation::new("read_item", "GET", "/items/{id}"),
        Operation::new("create_item", "POST", "/items/"),
    ])
}

/// A strangler before two services.
struct Front {
    url: String,
    page: String,
    strangler: Strangler,
}

impl Front {
    async fn start(native: Router, settings: Settings) -> Self {
        let strangler = Strangler::start(settings, operations()).unwrap();
        let url = serve(native.layer(strangler.layer())).await;
        let page = serve(strangler.page(PASSWORD.to_owned())).await;
        Self { url, page, strangler }
    }

    fn set(&self, operation: &str, mode: &str) {
        self.strangler.set_mode(operation, mode.parse().unwrap()).unwrap();
    }

    /// What is known of an operation.
    fn view(&self, operation: &str) -> Value {
        let overview = serde_json::to_value(self.strangler.overview()).unwrap();
        let mut operations = overview["operations"].as_array().unwrap().iter();
        operations.find(|known| known["id"] == operation).unwrap().clone()
    }

    /// Waits until something is known.
    async fn until(&self, operation: &str, is_known: impl Fn(&Value) -> bool) -> Value {
        let start = Instant::now();
        loop {
            let view = self.view(operation);
            if is_known(&view) {
                return view;
            }
            assert!(start.elapsed() < Duration::from_secs(10), "{view:#}");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
}

fn client() -> reqwest::Client {
    _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder().no_proxy().build().unwrap()
}

/// Something that services under test leave behind.
type Shared<T> = Arc<Mutex<T>>;
type Count = Arc<AtomicU64>;

fn count(counter: &Count) -> u64 {
    counter.load(Ordering::SeqCst)
}
