//! PostgreSQL in a container.

use std::time::{Duration, Instant};

use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use testcontainers::ImageExt;
use url::Url;

use super::address;
use crate::container::{CONNECT_TIMEOUT, Container, launch};

/// The server must be the only one who may read the key; the image's entry point knows its account.
const WITH_TLS: &str = "install -o postgres -g postgres -m 600 /tls/server.key /tmp/server.key
exec docker-entrypoint.sh postgres -c max_connections=200 -c ssl=on \
    -c ssl_cert_file=/tls/server.crt -c ssl_key_file=/tmp/server.key";

/// Starts an image, `name:tag`, with this certificate and key, both PEM. Gives its URL too; the first
/// connection to it answers.
pub(super) async fn start(
    image: &str,
    tls: Option<(&str, &str)>,
) -> Result<(Container, Url), Box<dyn std::error::Error + Send + Sync>> {
    let (container, port) = launch(image, 5432, |request| {
        let request = request.with_env_var("POSTGRES_HOST_AUTH_METHOD", "trust");
        match tls {
            None => request.with_cmd(["postgres", "-c", "max_connections=200"]),
            Some((certificate, key)) => request
                .with_copy_to("/tls/server.crt", certificate.as_bytes().to_vec())
                .with_copy_to("/tls/server.key", key.as_bytes().to_vec())
                .with_cmd(["sh", "-ec", WITH_TLS]),
        }
    })
    .await?;
    let url = address(port);
    let options: PgConnectOptions = url.as_str().parse()?;
    let start = Instant::now();
    // The log has "ready" once more for the initialisation: only a connection is proof.
    loop {
        match PgPoolOptions::new().max_connections(1).connect_with(options.clone()).await {
            Ok(pool) => {
                pool.close().await;
                return Ok((container, url));
            }
            Err(error) if start.elapsed() > CONNECT_TIMEOUT => return Err(error.into()),
            Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
        }
    }
}
