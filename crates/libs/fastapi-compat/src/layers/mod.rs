//! What uvicorn and Starlette do around an application, one tower layer for each; every layer can
//! be used without the others, in any axum application.
//!
//! A FastAPI service is an application inside Starlette's middleware inside uvicorn. The same order
//! here, the outermost first:
//!
//! ```
//! use fastapi_compat::layers::{
//!     BodyLimitLayer, CorsLayer, CorsOptions, StrictRequestsLayer, ProxyHeadersLayer,
//!     RunToCompletionLayer, TrustedProxies, catch_panic,
//! };
//! use tower::{Layer, ServiceBuilder};
//!
//! # fn main() -> Result<(), fastapi_compat::layers::CorsError> {
//! let cors = CorsLayer::new(&CorsOptions {
//!     allow_origins: vec!["https://app.example.com".into()],
//!     allow_methods: vec!["*".into()],
//!     allow_credentials: true,
//!     ..CorsOptions::default()
//! })?;
//! let router = axum::Router::<()>::new().layer(
//!     ServiceBuilder::new()
//!         .layer(StrictRequestsLayer)
//!         .layer(ProxyHeadersLayer::new(TrustedProxies::new(["127.0.0.1"])))
//!         .layer(BodyLimitLayer::new(2 * 1024 * 1024))
//!         .layer(catch_panic())
//!         .layer(cors),
//! );
//! // Around the router; `axum::ServiceExt::into_make_service` makes it fit for `axum::serve`.
//! let app = RunToCompletionLayer::new().layer(router);
//! # Ok(())
//! # }
//! ```
//!
//! For the rest take tower's and tower-http's own: their timeout, concurrency limit, load shedding,
//! request ids and sensitive headers do what a service with FastAPI's wire behaviour needs.
//! Starlette's own `GZipMiddleware`, `TrustedHostMiddleware` and `HTTPSRedirectMiddleware` are
//! `GzipLayer`, [`TrustedHostLayer`] and [`HttpsRedirectLayer`]; a router's `.layer` that is called last is
//! the outermost, as with `add_middleware`.

mod body_limit;
#[cfg(feature = "run-to-completion")]
mod completion;
mod cors;
#[cfg(feature = "gzip")]
mod gzip;
mod hosts;
#[cfg(feature = "catch-panic")]
mod panics;
#[cfg(feature = "proxy-headers")]
mod proxies;
mod strict;

use http::{HeaderValue, header};

#[cfg(feature = "proxy-headers")]
pub use crate::scheme::Scheme;
pub(crate) use body_limit::BodyBudget;
pub use body_limit::{BodyLimit, BodyLimitLayer, BodyLimited};
#[cfg(feature = "run-to-completion")]
pub use completion::{
    CompletionFuture, RunToCompletion, RunToCompletionLayer, client_disconnected,
};
pub use cors::{Cors, CorsError, CorsFuture, CorsLayer, CorsOptions};
#[cfg(feature = "gzip")]
pub use gzip::{Gzip, GzipLayer};
pub use hosts::{
    GuardFuture, HostPatternError, HttpsRedirect, HttpsRedirectLayer, TrustedHost, TrustedHostLayer,
};
#[cfg(feature = "catch-panic")]
pub use panics::{PanicResponse, catch_panic};
#[cfg(feature = "proxy-headers")]
pub use proxies::{Peer, ProxyHeaders, ProxyHeadersLayer, TrustedProxies};
pub use strict::{StrictRequests, StrictRequestsFuture, StrictRequestsLayer};

/// Adds a name to the one `Vary` that there is afterwards.
fn vary(headers: &mut http::HeaderMap, name: &'static str) {
    let name = HeaderValue::from_static(name);
    let mut given = headers.get_all(header::VARY).iter().peekable();
    let vary = if given.peek().is_none() {
        name
    } else {
        let values = given.map(HeaderValue::as_bytes).chain([name.as_bytes()]);
        let merged = values.collect::<Vec<_>>().join(&b", "[..]);
        // Values of headers, joined, are one.
        HeaderValue::from_bytes(&merged).unwrap_or(name)
    };
    headers.insert(header::VARY, vary);
}
