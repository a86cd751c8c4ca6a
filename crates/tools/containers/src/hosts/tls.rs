//! TLS to PostgreSQL with a certificate of our own.

use std::path::Path;
use std::time::{Duration, Instant};

use tokio::time::sleep;

use super::site::{Site, arguments};
use crate::docker::Container;
use crate::engine::Engine;
use crate::images::Bases;
use crate::service::{MOLT, PASSWORD};
use crate::{BoxError, http};

/// How long a connection may take until it is refused.
const REFUSED: Duration = Duration::from_secs(20);

/// The key as PostgreSQL wants it: that only its own account can read it.
const START: &str = "install -o postgres -g postgres -m 600 /tls/server.key /tmp/server.key; \
    exec docker-entrypoint.sh postgres -c ssl=on -c ssl_cert_file=/tls/server.crt \
    -c ssl_key_file=/tmp/server.key";

/// Every connection is encrypted; another certificate and another name are refused.
pub(crate) async fn verified(
    engine: &Engine,
    bases: &Bases,
    folder: &Path,
) -> Result<String, BoxError> {
    let folder = std::path::absolute(folder)?.join("tls");
    std::fs::create_dir_all(&folder)?;
    let own = rcgen::generate_simple_self_signed(vec!["database".to_owned()])?;
    let other = rcgen::generate_simple_self_signed(vec!["database".to_owned()])?;
    std::fs::write(folder.join("server.crt"), own.cert.pem())?;
    std::fs::write(folder.join("server.key"), own.signing_key.serialize_pem())?;
    std::fs::write(folder.join("other.crt"), other.cert.pem())?;
    let volume = format!("{}:/tls:ro", folder.display());
    let site = Site::with(engine, bases, &["--volume", &volume], &["sh", "-ec", START])?;

    let url = |host: &str, roots: &str| {
        format!(
            "DATABASE_URL=postgresql://molt:molt@{host}/molt?sslmode=verify-full\
             &sslrootcert=/tls/{roots}&application_name=verified"
        )
    };
    let (right, mount) = (url("database", "server.crt"), ["--volume", volume.as_str()]);
    let service = site.service("service", &[&right], &mount)?;
    let status = http::sign_in(service.port(8000)?, "admin@example.com", PASSWORD)?;
    if status != 200 {
        return Err(format!("a sign-in was answered with {status}").into());
    }
    let encrypted = site.database.shell(
        "psql --username molt --tuples-only --no-align --command \
         \"SELECT count(*) FILTER (WHERE ssl), count(*) FROM pg_stat_ssl JOIN pg_stat_activity \
         USING (pid) WHERE application_name = 'verified'\" molt",
    )?;
    let (ssl, all) = encrypted.split_once('|').unwrap_or_default();
    if ssl != all || all == "0" {
        return Err(format!("{ssl} of {all} connections are encrypted").into());
    }
    for (name, wrong) in [
        ("other-certificate", url("database", "other.crt")),
        // The container's own name, which the certificate has not.
        ("other-name", url(&site.database.name, "server.crt")),
    ] {
        let mut more = arguments(&[&wrong]);
        more.extend(mount);
        refused(&MOLT.begin(engine, &site.network.name, name, &more)?).await?;
    }
    Ok("all connections are encrypted; another certificate and another name are refused".into())
}

/// Waits until the service says that it does not trust the certificate.
async fn refused(service: &Container<'_>) -> Result<(), BoxError> {
    let start = Instant::now();
    while start.elapsed() < REFUSED {
        if service.state()?["Health"]["Status"] == "healthy" {
            return Err(format!("{} trusts what it should not", service.name).into());
        }
        if service.log("all").to_lowercase().contains("certificate") {
            return Ok(());
        }
        sleep(Duration::from_millis(200)).await;
    }
    let log = service.log("10");
    Err(format!("{} does not say that it distrusts the certificate: {log}", service.name).into())
}
