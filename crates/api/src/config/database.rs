//! The database and its replica.

use std::fmt;
use std::time::Duration;

use storage::{DatabaseUrl, DatabaseUrlError};
use url::Url;

use super::Environment;
use super::value::{Given, SettingsError, boolean, number, setting};

#[derive(Clone, Debug, Default, clap::Args)]
#[command(next_help_heading = "Settings: database")]
pub(super) struct DatabaseArgs {
    /// Where the data is: postgresql:…
    // [with sqlite]
    /// or sqlite:… [default: sqlite:///./molt.db]
    // [end]
    #[arg(long, env, global = true, hide_env_values = true, value_parser = setting(url))]
    database_url: Option<Given<DatabaseUrl>>,
    /// A replica of a PostgreSQL database; lists are read from it and may be a moment old
    #[arg(long, env, global = true, hide_env_values = true, value_parser = setting(replica_url))]
    database_replica_url: Option<Given<Url>>,
    /// Maximum number of connections to the database [default: 10]
    #[arg(long, env, global = true, value_parser = setting(number(1..=1000_u32)))]
    database_pool_size: Option<Given<u32>>,
    /// Timeout for getting a connection to the database, in seconds [default: 5]
    #[arg(long, env, global = true, value_parser = setting(number(1..=300_u64)))]
    database_timeout_seconds: Option<Given<u64>>,
    /// Timeout of a statement on PostgreSQL, in seconds, not above that of a request
    /// [default: REQUEST_TIMEOUT_SECONDS]
    #[arg(long, env, global = true, value_parser = setting(number(1..=3600_u64)))]
    database_statement_timeout_seconds: Option<Given<u64>>,
    /// Whether `serve` brings the schema up to date [default: true in local]
    #[arg(long, env, global = true, value_parser = setting(boolean))]
    migrate_on_start: Option<Given<bool>>,
}

/// The database and its replica.
#[derive(Clone)]
pub struct DatabaseSettings {
    pub url: DatabaseUrl,
    /// `None` if everything is read from the database itself.
    pub replica: Option<Url>,
    pub pool: storage::Pool,
    pub migrate_on_start: bool,
}

/// Without the passwords in the URLs.
impl fmt::Debug for DatabaseSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DatabaseSettings")
            .field("url", &format_args!("{}", self.url))
            .field("replica", &self.replica.as_ref().and_then(Url::host_str))
            .finish_non_exhaustive()
    }
}

impl DatabaseSettings {
    pub(super) fn new(
        args: &DatabaseArgs,
        environment: Environment,
        request_timeout: Duration,
        errors: &mut SettingsError,
    ) -> Self {
        let default_url = DatabaseUrl::local();
        let timeout = errors.value(args.database_timeout_seconds.as_ref(), 5);
        let given = errors.optional(args.database_statement_timeout_seconds.as_ref());
        let statement_timeout = given.map_or(request_timeout, Duration::from_secs);
        if statement_timeout > request_timeout {
            let error = "it is longer than REQUEST_TIMEOUT_SECONDS";
            errors.add("DATABASE_STATEMENT_TIMEOUT_SECONDS", error);
        }
        let is_local = environment == Environment::Local;
        Self {
            url: errors.value(args.database_url.as_ref(), default_url),
            replica: errors.optional(args.database_replica_url.as_ref()),
            pool: storage::Pool {
                size: errors.value(args.database_pool_size.as_ref(), 10),
                wait: Duration::from_secs(timeout),
                statement_timeout,
            },
            migrate_on_start: errors.value(args.migrate_on_start.as_ref(), is_local),
        }
    }
}

fn url(value: &str) -> Result<DatabaseUrl, String> {
    value.parse().map_err(|error: DatabaseUrlError| error.to_string())
}

fn replica_url(value: &str) -> Result<Url, String> {
    let url = url(value)?;
    url.postgres().cloned().ok_or_else(|| "only PostgreSQL has replicas".to_owned())
}
