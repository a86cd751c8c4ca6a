//! PostgreSQL: a given server, a container, or the installed one.

mod container;
mod installed;

use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use url::Url;
use uuid::Uuid;

use self::installed::Installed;
use crate::Error;
use crate::container::{self as containers, Container, START_TIMEOUT};
use crate::report::report;

/// The official image, of the version that compose.yaml and the manifests have.
const IMAGE: &str = "postgres:17.6-bookworm";

/// Names another image, such as the one that crates/tools/containers makes from Debian's packages, which
/// must then start.
const IMAGE_VARIABLE: &str = "TEST_POSTGRES_IMAGE";

/// A server for tests; every test makes databases of its own.
#[derive(Debug)]
pub struct Postgres {
    url: Url,
    server: Server,
}

#[derive(Debug)]
enum Server {
    /// Given by `TEST_DATABASE_URL`.
    Given,
    Container(Box<Container>),
    Installed(Installed),
}

impl Postgres {
    /// The server of `TEST_DATABASE_URL`; else a container, if a Docker engine can start one; else
    /// the installed PostgreSQL in a temporary folder. Which it is, and why, is one line on the standard
    /// error. With `TEST_POSTGRES_IMAGE` it is a container of that image, or fails.
    pub async fn start() -> Result<Self, Error> {
        if let Ok(url) = std::env::var("TEST_DATABASE_URL") {
            let url = url.parse().map_err(|error| {
                Error::Missing(format!("TEST_DATABASE_URL is not a URL: {error}"))
            })?;
            report("PostgreSQL", "the server of TEST_DATABASE_URL");
            return Ok(Self { url, server: Server::Given });
        }
        Self::own(None).await
    }

    /// A server of our own, in a container or installed, also if another one is given, which speaks TLS
    /// with this certificate and key, both PEM.
    pub async fn start_with_tls(certificate: &str, key: &str) -> Result<Self, Error> {
        Self::own(Some((certificate, key))).await
    }

    async fn own(tls: Option<(&str, &str)>) -> Result<Self, Error> {
        let named = std::env::var(IMAGE_VARIABLE).ok();
        let image = named.as_deref().unwrap_or(IMAGE);
        let reason = match in_container(image, tls).await {
            Ok(postgres) => {
                report("PostgreSQL", &format!("a container of {image}"));
                return Ok(postgres);
            }
            Err(reason) => reason,
        };
        if named.is_some() {
            return Err(Error::Missing(format!("there is no {IMAGE_VARIABLE}: {reason}")));
        }
        let programs = installed::programs().ok_or_else(|| {
            Error::Missing(format!(
                "there is no PostgreSQL: set TEST_DATABASE_URL, start Docker, or install it (Debian: \
                 apt-get install postgresql); {reason}"
            ))
        })?;
        report("PostgreSQL", &format!("the installed one in {}, as {reason}", programs.display()));
        let (server, url) = installed::start(&programs, tls).await?;
        Ok(Self { url, server: Server::Installed(server) })
    }

    /// The id of the server's process, if this value started it.
    pub fn pid(&self) -> Option<u32> {
        match &self.server {
            Server::Installed(server) => server.process.pid().ok(),
            Server::Given | Server::Container(_) => None,
        }
    }

    /// Kills the server at once, as a power failure does. The server of `TEST_DATABASE_URL` cannot be
    /// killed.
    pub fn crash(&self) -> Result<(), Error> {
        match &self.server {
            Server::Installed(server) => server.crash(),
            Server::Container(container) => container.crash(),
            Server::Given => Err(Error::Missing(
                "the server of TEST_DATABASE_URL cannot be killed: unset it, and start Docker or \
                 install PostgreSQL (Debian: apt-get install postgresql)"
                    .into(),
            )),
        }
    }

    /// Starts a server again that has crashed, on the same data and port; returns when it is ready.
    pub fn recover(&self) -> Result<(), Error> {
        match &self.server {
            Server::Installed(server) => server.recover(),
            Server::Container(container) => {
                container.recover("PostgreSQL", &["pg_isready", "--quiet", "--host=127.0.0.1"])
            }
            Server::Given => Ok(()),
        }
    }

    /// The URL of a new, empty database.
    pub async fn database(&self) -> Result<String, Error> {
        let name = format!("test_{}", Uuid::new_v4().simple());
        let options: PgConnectOptions = self.url.as_str().parse()?;
        let pool = PgPoolOptions::new().max_connections(1).connect_with(options).await?;
        let statement = format!("CREATE DATABASE {name}");
        sqlx::query(sqlx::AssertSqlSafe(statement)).execute(&pool).await?;
        let mut url = self.url.clone();
        url.set_path(&name);
        Ok(url.into())
    }
}

/// A container, or why there is none.
async fn in_container(image: &str, tls: Option<(&str, &str)>) -> Result<Postgres, String> {
    containers::engine().map_err(|error| format!("no Docker engine answers ({error})"))?;
    // Without a network the engine may retry to pull the image indefinitely.
    let error = match tokio::time::timeout(START_TIMEOUT, container::start(image, tls)).await {
        Ok(Ok((container, url))) => {
            return Ok(Postgres { url, server: Server::Container(Box::new(container)) });
        }
        Ok(Err(error)) => error.to_string(),
        Err(_) => format!("it took more than {} s", START_TIMEOUT.as_secs()),
    };
    let error = error.replace('\n', " ");
    Err(format!("Docker answers but cannot start {image} ({error})"))
}

fn address(port: u16) -> Url {
    #[expect(clippy::expect_used, reason = "a port makes no URL invalid")]
    format!("postgresql://postgres@127.0.0.1:{port}/postgres").parse().expect("the URL is valid")
}
