//! A proxy before an old service: everything is forwarded, until operations are moved one by one.

use std::error::Error;

use axum::http::Uri;
use axum::routing::get;
use strangler::{Operation, Operations, Settings, Strangler};

/// The new service, with the strangler before it; and the page, which belongs on a port of its own.
pub(crate) fn app(
    legacy: Uri,
    password: &str,
) -> Result<(axum::Router, axum::Router), Box<dyn Error>> {
    let operations = Operations::new([Operation::new("read_items", "GET", "/items/")]);
    let mut settings = Settings::new(legacy);
    settings.plan = std::env::var_os("PLAN").map(Into::into);
    let strangler = Strangler::start(settings, operations)?;
    let native = axum::Router::new().route("/items/", get(async || "[]"));
    Ok((native.layer(strangler.layer()), strangler.page(password.to_owned())))
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let legacy = std::env::var("LEGACY_URL")?.parse()?;
    let (service, page) = app(legacy, &std::env::var("PASSWORD")?)?;
    let page_listener = tokio::net::TcpListener::bind("127.0.0.1:9000").await?;
    let page = page.into_make_service_with_connect_info::<std::net::SocketAddr>();
    tokio::spawn(async { axum::serve(page_listener, page).await });
    let listener = tokio::net::TcpListener::bind("127.0.0.1:8000").await?;
    let service = service.into_make_service_with_connect_info::<std::net::SocketAddr>();
    axum::serve(listener, service).await?;
    Ok(())
}
